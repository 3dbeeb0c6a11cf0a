"""A JSON Schema that says once what it says often: forms that stand in several places become definitions."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mixtransforms.core.fields import Schema
from mixtransforms.files.schema import TELLING

_WORTH = 60
"""Characters from which on a form is worth a definition; a reference to one takes about half of it."""

Change = Callable[[Any, str], Any]
"""What becomes of a schema, which stands in a member of some name."""


def shared(definitions: Mapping[str, Schema]) -> dict[str, Any]:
    """Definitions that accept the same, with every form that they repeat as a definition of its own.

    A form is known by what it checks: texts and defaults stay where they are, beside the reference. It is called by its
    kind (``forms/Ramp``) or by the member in which it first stands (``forms/alpha``); what is repeated with its text is
    an argument (``args/seed``). More of one name are numbered.

    Args:
        definitions: Schemas by name, which may refer to one another.
    """
    return _Sharing(definitions).result()


def ref(name: str) -> dict[str, str]:
    """The reference to a definition."""
    return {"$ref": "#/$defs/" + name.replace("~", "~0").replace("/", "~1")}


class _Sharing:
    def __init__(self, definitions: Mapping[str, Schema]) -> None:
        self._roots = definitions
        self._uses: Counter[str] = Counter()
        self._names: dict[str, str] = {}
        self._found: dict[str, Any] = {}
        for schema in definitions.values():
            _with_parts(schema, "", self._count)

    def result(self) -> dict[str, Any]:
        roots = {
            name: _with_parts(schema, name.rpartition("/")[2].rpartition(".")[2], self._said_once)
            for name, schema in self._roots.items()
        }
        return {**roots, **dict(sorted(self._found.items()))}

    def _count(self, schema: Any, member: str) -> Any:
        """Counts where a form stands; what is in it stands there once, however often it stands itself."""
        key = _key(schema)
        self._uses[key] += 1
        if self._uses[key] == 1:
            _with_parts(schema, member, self._count)
        return schema

    def _said_once(self, schema: Any, member: str) -> Any:
        """A form, or the reference to it where it stands elsewhere as well."""
        key = _key(schema)
        if self._uses[key] < 2 or len(key) < _WORTH:
            return _with_parts(schema, member, self._said_once)
        if key not in self._names:
            self._names[key] = name = self._free_name(schema, member)
            self._found[name] = _with_parts(schema, member, self._said_once)
        return ref(self._names[key])

    def _free_name(self, schema: Schema, member: str) -> str:
        kind = schema.get("properties", {}).get("kind", {}).get("const", member)
        wanted = f"args/{member}" if TELLING & schema.keys() else f"forms/{kind}"
        taken = self._names.values()
        return next(name for name in _numbered(wanted) if name not in taken)


def _numbered(name: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        yield f"{name}.{number}"
        number += 1


def _key(schema: Any) -> str:
    return json.dumps(schema)  # which tells 1, 1.0 and true apart


def _with_parts(schema: Any, member: str, change: Change) -> Any:
    """A schema in which something is done to its parts: to what it checks, where it also tells something."""
    if isinstance(schema, bool):
        return schema
    told = {key: value for key, value in schema.items() if key in TELLING}
    checks = {key: value for key, value in schema.items() if key not in TELLING}
    if told and checks:
        return {**told, **change(checks, member)}
    return {key: _PARTS[key](value, member, change) if key in _PARTS else value for key, value in schema.items()}


def _named(parts: Mapping[str, Any], _: str, change: Change) -> dict[str, Any]:
    return {name: change(part, name) for name, part in parts.items()}


def _listed(parts: list[Any], member: str, change: Change) -> list[Any]:
    return [change(part, member) for part in parts]


def _single(part: Any, member: str, change: Change) -> Any:
    return change(part, member)


_PARTS: Mapping[str, Callable[[Any, str, Change], Any]] = {
    "properties": _named,
    "anyOf": _listed,
    **dict.fromkeys(("items", "additionalProperties", "not"), _single),
}
"""The keywords that hold forms of values; what a type decides stays in its table."""
