"""JSON Schema (draft 2020-12) of pipeline files, from the tables that reading looks things up in."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import Any

from mixtransforms.files.codec import Codec, MethodCodec
from mixtransforms.files.document import HOSTS, Allowed, classes_of, codec_of
from mixtransforms.files.entries import METHODS, Entry
from mixtransforms.files.migrations import FORMAT, VERSION

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def json_schema(*, allow: Allowed = ()) -> dict[str, Any]:
    """The schema of pipeline files for the installed hosts, with which editors complete and check a pipeline.

    It accepts what reading accepts, but for contradictions between arguments, which constructors find.

    Args:
        allow: Classes of your own that files may name; each belongs to the hosts that can run it.

    Returns:
        A JSON Schema, draft 2020-12, in JSON's vocabulary.
    """
    codecs = installed()
    definitions: dict[str, Any] = {METHODS: _any_of(METHODS, MethodCodec())}
    for host, codec in codecs.items():
        known = codec.allowing(cls for cls in classes_of(allow) if codec.runs(cls))
        definitions[host] = _any_of(host, known)
        definitions |= {f"{host}/{name}": _node(host, entry) for name, entry in known.entries.items()}
    definitions |= {f"{METHODS}/{name}": _node(METHODS, entry) for name, entry in MethodCodec().entries.items()}
    return {
        "$schema": DRAFT,
        "title": "Pipeline of mixtransforms",
        "type": "object",
        "properties": {
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
        },
        "required": ["format", "format_version", "host", "pipeline"],
        "additionalProperties": False,
        "allOf": [_when("host", host, {"properties": {"pipeline": _ref(host)}}) for host in codecs],
        "$defs": definitions,
    }


def installed() -> dict[str, Codec]:
    """The codecs of the hosts that are installed."""
    return {host: codec_of(host) for host in HOSTS if host == "neutral" or importlib.util.find_spec(host)}


def _any_of(host: str, codec: Codec) -> dict[str, Any]:
    """A node of any type. The name of the type chooses the rest, so that editors complain of that alone."""
    return {
        "type": "object",
        "properties": {"type": {"description": "What it is.", "enum": list(codec.entries)}},
        "required": ["type"],
        "allOf": [_when("type", name, _ref(f"{host}/{name}")) for name in codec.entries],
    }


def _node(host: str, entry: Entry) -> dict[str, Any]:
    arguments = entry.arguments
    required = [name for name, argument in arguments.items() if argument.required]
    args = {
        "type": "object",
        "properties": {name: argument.schema for name, argument in arguments.items()},
        "required": required,
        "additionalProperties": False,
    }
    properties: dict[str, Any] = {"type": {"const": entry.name}, "args": args}
    if entry.children:
        properties["children"] = {"type": "array", "items": _ref(METHODS if entry.children == METHODS else host)}
    return {
        "description": entry.summary,
        "properties": properties,
        "required": ["type", *(["args"] if required else [])],
        "additionalProperties": False,
    }


def _when(key: str, value: str, then: Mapping[str, Any]) -> dict[str, Any]:
    return {"if": {"properties": {key: {"const": value}}, "required": [key]}, "then": then}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": "#/$defs/" + name.replace("~", "~0").replace("/", "~1")}
