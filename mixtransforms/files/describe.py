"""The registry described: to people type by type, and to editors as the JSON Schema of pipeline files."""

from __future__ import annotations

import difflib
import inspect
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING
from typing import Any, NamedTuple

from mixtransforms.core.errors import ConfigError
from mixtransforms.files import registry
from mixtransforms.files.migrations import FORMAT, VERSION
from mixtransforms.files.problems import short_repr
from mixtransforms.files.registry import OF_METHODS, Allowed, Argument, Codec, TypeEntry, classes_of
from mixtransforms.files.schema import closed_object
from mixtransforms.methods.schedules import SCHEDULES, Schedule


class Listed(NamedTuple):
    """One type in the list of types.

    Attributes:
        name: Its name in files.
        hosts: The hosts whose pipelines may hold it.
        summary: What it does, in one sentence.
    """

    name: str
    hosts: tuple[str, ...]
    summary: str


class DescribedParameter(NamedTuple):
    """One parameter of a described type.

    Attributes:
        name: Its name.
        accepts: What it accepts, in words.
        default: Its default as JSON; empty where it must be given.
        doc: What it does.
    """

    name: str
    accepts: str
    default: str
    doc: str


class Description(NamedTuple):
    """What is known of one type.

    Attributes:
        name: Its name in files.
        text: Its documentation without the arguments.
        parameters: Its parameters.
        children: What its children are; empty where it has none.
        source: The paper, or the class of the host and the host's version.
    """

    name: str
    text: str
    parameters: tuple[DescribedParameter, ...]
    children: str
    source: str


def types() -> list[Listed]:
    """All types that files may name, with the installed hosts that run them."""
    found: dict[str, Listed] = {}
    for host, codec in registry.installed_codecs().items():
        for name, entry in codec.entries.items():
            before = found.get(name)
            hosts = (*before.hosts, host) if before else (host,)
            found[name] = Listed(name, hosts, entry.summary)
    return list(found.values())


def describe(name: str) -> Description:
    """What a type takes and does, or a schedule.

    Args:
        name: Its name in files, such as ``torchvision.Resize``, or the last part of it where that is enough; ours come
            first.

    Raises:
        ConfigError: There is no such type, or there are several.
    """
    schedules = {known.lower(): cls for known, cls in SCHEDULES.items()}
    if name.lower() in schedules:
        return _of_schedule(schedules[name.lower()])
    entries = {
        entry.name: (codec, entry) for codec in registry.installed_codecs().values() for entry in codec.entries.values()
    }
    named = [known for known in entries if known == name] or [
        known for known in entries if known.lower() == name.lower() or known.split(".")[1].lower() == name.lower()
    ]
    ours = [known for known in named if entries[known][1].is_own]
    named = ours if len(ours) == 1 else named
    if len(named) != 1:
        near = named or difflib.get_close_matches(name, [*entries, *(known.split(".")[1] for known in entries)], n=3)
        hint = f" Did you mean {', '.join(map(repr, near))}?" if near else " `mixtransforms list` shows all."
        raise ConfigError(f"{'Several types are' if named else 'No type is'} called {short_repr(name)}.{hint}")
    codec, entry = entries[named[0]]
    parameters = tuple(_parameter_of(key, argument) for key, argument in entry.arguments.items())
    children = {None: "", OF_METHODS: "mixing methods"}.get(entry.children, "transforms of the same host")
    return Description(entry.name, _prose(entry.cls), parameters, children, _origin(codec, entry))


def _of_schedule(cls: type[Schedule]) -> Description:
    arguments = registry.own_entry(cls.__name__, cls).arguments
    form = ", ".join([f'"kind": "{cls.__name__}"', *(f'"{name}": ...' for name in arguments)])
    text = f"{_prose(cls)}\n\nIn a file it stands in place of a number: {{{form}}}"
    parameters = tuple(_parameter_of(name, argument)._replace(default="") for name, argument in arguments.items())
    return Description(cls.__name__, text, parameters, "", "")


def _parameter_of(name: str, argument: Argument) -> DescribedParameter:
    default = "" if argument.default is MISSING else json.dumps(argument.default, ensure_ascii=False)
    return DescribedParameter(name, argument.codec.wanted, default, argument.doc)


_SECTION = re.compile(r"^(?:Args|Arguments|Raises|Returns|Examples?|Targets|Image types|References|Note|Notes):", re.M)


def _prose(cls: type) -> str:
    """A docstring without its sections."""
    return _SECTION.split(inspect.cleandoc(cls.__doc__ or ""))[0].strip()


def _origin(codec: Codec, entry: TypeEntry) -> str:
    if entry.is_own:
        paper = re.search(r"^Source: (.+?)(?=\n\n|\Z)", _prose(entry.cls), re.DOTALL | re.MULTILINE)
        return " ".join(paper[1].split()) if paper else ""
    home = f"{entry.cls.__module__}.{entry.cls.__name__}"
    return f"{home}, {codec.package} {codec.version}"


def description_lines(description: Description) -> Iterator[str]:
    """A description as lines of text."""
    yield description.name
    yield ""
    yield description.text
    yield ""
    for name, accepts, default, doc in description.parameters:
        yield f"{name}: {accepts}; {f'default {default}' if default else 'must be given'}"
        if doc:
            yield f"    {doc}"
    if description.children:
        yield f"children: {description.children}"
    if description.source and description.source not in " ".join(description.text.split()):
        yield ""
        yield f"Source: {description.source}"


# ------------------------------------------------------------------------------------------------------- JSON Schema

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
    return {
        "type": "object",
        "properties": {"type": {"description": "What it is.", "enum": list(codec.entries)}},
        "required": ["type"],
        "allOf": [_when("type", name, _ref(f"{table}/{name}")) for name in codec.entries],
    }


def _node_schemas(table: str, codec: Codec) -> dict[str, dict[str, Any]]:
    return {f"{table}/{name}": _node_schema(table, entry) for name, entry in codec.entries.items()}


def _node_schema(table: str, entry: TypeEntry) -> dict[str, Any]:
    required = [name for name, argument in entry.arguments.items() if argument.required]
    args = closed_object({name: argument.schema for name, argument in entry.arguments.items()}, required)
    properties: dict[str, Any] = {"type": {"const": entry.name}, "args": args}
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
