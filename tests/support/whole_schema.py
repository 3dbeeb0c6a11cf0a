"""The JSON Schema with everything in its place, as it is without definitions of what stands in several places."""

import functools
from typing import Any

import mixtransforms


def inlined(schema: Any, definitions: Any) -> Any:
    """A schema with its forms in the places of the references."""
    if isinstance(schema, list):
        return [inlined(part, definitions) for part in schema]
    if not isinstance(schema, dict):
        return schema
    name = schema.get("$ref", "").removeprefix("#/$defs/").replace("~1", "/").replace("~0", "~")
    rest = {key: inlined(value, definitions) for key, value in schema.items()}
    if not name.startswith(_SHARED):
        return rest
    del rest["$ref"]
    return {**inlined(definitions[name], definitions), **rest}


@functools.cache
def whole_types() -> dict[str, Any]:
    """The schema of every type by the name of its definition, with its arguments as they are."""
    definitions = mixtransforms.json_schema()["$defs"]
    return {name: inlined(form, definitions) for name, form in definitions.items() if not name.startswith(_SHARED)}


_SHARED = ("forms/", "args/")
