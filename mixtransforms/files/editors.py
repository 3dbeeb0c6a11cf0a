"""The JSON Schema of pipeline files, by which editors complete and check them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mixtransforms.core.fields import Schema
from mixtransforms.files import registry
from mixtransforms.files.definitions import ref, shared
from mixtransforms.files.migrations import FORMAT, VERSION
from mixtransforms.files.registry import OF_METHODS, Allowed, Argument, Codec, TypeEntry, classes_of
from mixtransforms.files.schema import closed_object

_DRAFT = "https://json-schema.org/draft/2020-12/schema"

_SENTENCE_END = re.compile(r"(?<=[.:])\s+(?=[^a-z])")


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
        "allOf": [_when("host", [host], {"properties": {"pipeline": ref(host)}}) for host in codecs],
        "$defs": shared(definitions),
    }


def _any_of(table: str, codec: Codec) -> dict[str, Any]:
    """A node of any type. The name of the type chooses the rest, so that editors complain of that alone."""
    names = {full: [full] for full in codec.entries}
    for short, full in codec.short_names.items():
        names[full].append(short)
    return {
        "type": "object",
        # The whole names first, which editors offer first.
        "properties": {"type": {"description": "What it is.", "enum": [*codec.entries, *codec.short_names]}},
        "required": ["type"],
        "allOf": [_when("type", either, ref(f"{table}/{name}")) for name, either in names.items()],
    }


def _node_schemas(table: str, codec: Codec) -> dict[str, dict[str, Any]]:
    return {f"{table}/{name}": _node_schema(table, entry) for name, entry in codec.entries.items()}


def _node_schema(table: str, entry: TypeEntry) -> dict[str, Any]:
    required = [name for name, argument in entry.arguments.items() if argument.required]
    args = closed_object({name: _shown(argument, entry) for name, argument in entry.arguments.items()}, required)
    properties: dict[str, Any] = {"type": {}, "args": args}  # the choice that leads here has seen the type
    if entry.children:
        inner = OF_METHODS if entry.children == OF_METHODS else table
        properties["children"] = {"type": "array", "items": ref(inner)}
    node = closed_object(properties, ["args"] if required else [])
    del node["type"]  # which the choice says as well
    return {"description": entry.summary, **node}


def _shown(argument: Argument, entry: TypeEntry) -> Schema:
    """An argument with what editors show; of the hosts' long texts the first sentence."""
    schema = argument.schema
    if entry.is_own or not argument.doc:
        return schema
    return {**schema, "description": _SENTENCE_END.split(argument.doc, maxsplit=1)[0]}


def _when(key: str, values: list[str], then: Mapping[str, Any]) -> dict[str, Any]:
    return {"if": {"properties": {key: {"enum": values}}, "required": [key]}, "then": then}
