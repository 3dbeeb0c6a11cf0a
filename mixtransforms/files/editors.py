"""The JSON Schema of pipeline files, by which editors complete and check them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mixtransforms.files import registry
from mixtransforms.files.migrations import FORMAT, VERSION
from mixtransforms.files.registry import OF_METHODS, Allowed, Codec, TypeEntry, classes_of
from mixtransforms.files.schema import closed_object

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def json_schema(*, allow: Allowed = ()) -> dict[str, Any]:
    """The schema of pipeline files for the installed hosts, with which editors complete and check a pipeline.

    It accepts what reading accepts, but for contradictions between arguments, which constructors find.

    Args:
        allow: Classes of your own that files may name; each belongs to the hosts that can run it.

    Returns:
        A JSON Schema, draft 2020-12, in JSON's vocabulary.
    """
    codecs, methods = registry.installed_codecs(), registry.method_codec()
    definitions = {OF_METHODS: _any_of(OF_METHODS, methods)}
    for host, codec in codecs.items():
        known = codec.allowing(cls for cls in classes_of(allow) if codec.runs(cls))
        definitions |= {host: _any_of(host, known), **_node_schemas(host, known)}
    definitions |= _node_schemas(OF_METHODS, methods)
    properties = {
        "format": {"const": FORMAT},
        "format_version": {"const": VERSION},
        "host": {"description": "The library whose transforms these are.", "enum": list(codecs)},
        "written_with": {
            "description": "Versions that wrote the file.",
            "type": "object",
            "additionalProperties": {"type": "string"},
        },
        "notes": {"description": "Free text. Nothing reads it."},
        "$schema": {"type": "string"},
        "pipeline": {"type": "object"},
    }
    return {
        "$schema": _DRAFT,
        "title": "Pipeline of mixtransforms",
        **closed_object(properties, ("format", "format_version", "host", "pipeline")),
        "allOf": [_when("host", host, {"properties": {"pipeline": _ref(host)}}) for host in codecs],
        "$defs": definitions,
    }


def _any_of(table: str, codec: Codec) -> dict[str, Any]:
    """A node of any type. The name of the type chooses the rest, so that editors complain of that alone."""
    short = {name: [each for each, full in codec.short_names.items() if full == name] for name in codec.entries}
    return {
        "type": "object",
        # The whole names first, which editors offer first.
        "properties": {"type": {"description": "What it is.", "enum": [*codec.entries, *codec.short_names]}},
        "required": ["type"],
        "allOf": [
            _when("type", each, _ref(f"{table}/{name}")) for name in codec.entries for each in (name, *short[name])
        ],
    }


def _node_schemas(table: str, codec: Codec) -> dict[str, dict[str, Any]]:
    names = {full: short for short, full in codec.short_names.items()}
    return {f"{table}/{name}": _node_schema(table, entry, names.get(name)) for name, entry in codec.entries.items()}


def _node_schema(table: str, entry: TypeEntry, short: str | None) -> dict[str, Any]:
    required = [name for name, argument in entry.arguments.items() if argument.required]
    args = closed_object({name: argument.schema for name, argument in entry.arguments.items()}, required)
    properties: dict[str, Any] = {"type": {"enum": [entry.name, *([short] if short else [])]}, "args": args}
    if entry.children:
        inner = OF_METHODS if entry.children == OF_METHODS else table
        properties["children"] = {"type": "array", "items": _ref(inner)}
    node = closed_object(properties, ["type", "args"] if required else ["type"])
    del node["type"]  # the choice that leads here says it
    return {"description": entry.summary, **node}


def _when(key: str, value: str, then: Mapping[str, Any]) -> dict[str, Any]:
    return {"if": {"properties": {key: {"const": value}}, "required": [key]}, "then": then}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": "#/$defs/" + name.replace("~", "~0").replace("/", "~1")}
