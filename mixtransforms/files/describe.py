"""The tables of types, told to people: what there is, and what each takes."""

from __future__ import annotations

import dataclasses
import difflib
import inspect
import json
import re
from collections.abc import Iterator
from dataclasses import MISSING
from typing import NamedTuple

from mixtransforms.core import fields
from mixtransforms.core.errors import ConfigError
from mixtransforms.files.codec import OWN, Codec
from mixtransforms.files.entries import METHODS, Argument, Entry
from mixtransforms.files.problems import told
from mixtransforms.files.schema_file import installed
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


class Parameter(NamedTuple):
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
    parameters: tuple[Parameter, ...]
    children: str
    source: str


def types() -> list[Listed]:
    """All types that files may name, with the installed hosts that run them."""
    found: dict[str, Listed] = {}
    for host, codec in installed().items():
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
    entries = {entry.name: (codec, entry) for codec in installed().values() for entry in codec.entries.values()}
    named = [known for known in entries if known == name] or [
        known for known in entries if known.lower() == name.lower() or known.split(".")[1].lower() == name.lower()
    ]
    ours = [known for known in named if known.startswith(OWN)]
    named = ours if len(ours) == 1 else named
    if len(named) != 1:
        near = named or difflib.get_close_matches(name, [*entries, *(known.split(".")[1] for known in entries)], n=3)
        hint = f" Did you mean {', '.join(map(repr, near))}?" if near else " `mixtransforms list` shows all."
        raise ConfigError(f"{'Several types are' if named else 'No type is'} called {told(name)}.{hint}")
    codec, entry = entries[named[0]]
    parameters = tuple(_parameter(key, argument) for key, argument in entry.arguments.items())
    children = {None: "", METHODS: "mixing methods"}.get(entry.children, "transforms of the same host")
    return Description(entry.name, _text(entry), parameters, children, _source(codec, entry))


def _of_schedule(cls: type[Schedule]) -> Description:
    rules = {item.name: item.metadata[fields.RULE] for item in dataclasses.fields(cls) if fields.RULE in item.metadata}
    form = ", ".join([f'"kind": "{cls.__name__}"', *(f'"{name}": ...' for name in rules)])
    text = f"{_prose(cls)}\n\nIn a file it stands in place of a number: {{{form}}}"
    parameters = tuple(Parameter(name, rule.wanted, "", rule.doc) for name, rule in rules.items())
    return Description(cls.__name__, text, parameters, "", "")


def _parameter(name: str, argument: Argument) -> Parameter:
    default = "" if argument.default is MISSING else json.dumps(argument.default, ensure_ascii=False)
    return Parameter(name, argument.form.wanted, default, argument.doc)


_SECTION = re.compile(r"^(?:Args|Arguments|Raises|Returns|Examples?|Targets|Image types|References|Note|Notes):", re.M)


def _text(entry: Entry) -> str:
    return _prose(entry.cls)


def _prose(cls: type) -> str:
    """A docstring without its sections."""
    return _SECTION.split(inspect.cleandoc(cls.__doc__ or ""))[0].strip()


def _source(codec: Codec, entry: Entry) -> str:
    if entry.name.startswith(OWN):
        paper = re.search(r"^Source: (.+?)(?=\n\n|\Z)", _text(entry), re.DOTALL | re.MULTILINE)
        return " ".join(paper[1].split()) if paper else ""
    home = f"{entry.cls.__module__}.{entry.cls.__name__}"
    return f"{home}, {codec.package} {codec.version}"


def lines(description: Description) -> Iterator[str]:
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
