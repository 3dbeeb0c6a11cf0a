"""Entries of the tables of types: what a file may name, and the arguments that each takes."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import re
import sys
import typing
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass
from types import MappingProxyType
from typing import Any

from mixtransforms.core import fields
from mixtransforms.core.fields import Rule, Schema
from mixtransforms.files.forms import Form, Vocabulary

CHILDREN = "transforms"
"""The parameter that takes the transforms of a container; files call them children."""

METHODS, TRANSFORMS = "methods", "transforms"
"""What the children of a container are: mixing methods, or transforms of its host."""


@dataclass(frozen=True)
class Argument:
    """One argument of a type.

    Attributes:
        form: What it is in a file.
        default: Its default in JSON's vocabulary; ``MISSING`` where there is none, or none that a file could hold.
        required: Whether it must be given.
        doc: What it does.
    """

    form: Form
    default: Any = MISSING
    required: bool = False
    doc: str = ""

    @property
    def schema(self) -> Schema:
        """Its JSON Schema, with what editors show."""
        form = {"not": {}} if self.form.schema is False else {} if self.form.schema is True else self.form.schema
        told = {"description": self.doc} if self.doc else {}
        return {**told, **form, **({} if self.default is MISSING else {"default": self.default})}


@dataclass(frozen=True)
class Entry:
    """A type that files may name.

    Attributes:
        name: Its name in files.
        cls: The class, which is compared by identity.
        arguments: What its constructor takes, without children.
        children: :data:`METHODS`, :data:`TRANSFORMS`, or ``None`` for what is no container.
    """

    name: str
    cls: type
    arguments: Mapping[str, Argument]
    children: str | None = None

    @property
    def summary(self) -> str:
        """What it does, in the first sentence of its documentation."""
        text = inspect.cleandoc(self.cls.__doc__ or "").split("\n\n")[0]
        return re.sub(r"^\[\w+\]\s*", "", " ".join(text.split()))


@functools.cache
def own_entry(name: str, cls: type) -> Entry:
    """The entry of a class of checked fields: one of our transforms or methods."""
    ordered = sorted(dataclasses.fields(cls), key=lambda item: item.kw_only is True)
    arguments = {
        item.name: rule_argument(item.metadata[fields.RULE], item.default)
        for item in ordered
        if fields.RULE in item.metadata
    }
    children = METHODS if arguments.pop(CHILDREN, None) else None
    return Entry(name, cls, MappingProxyType(arguments), children)


def rule_argument(rule: Rule, default: Any) -> Argument:
    """The argument of a checked field."""
    form = Form(rule.schema, fields.encode, rule.check, rule.wanted)
    required = default is MISSING
    return Argument(form, MISSING if required else fields.encode(default), required, rule.doc)


def host_entry(name: str, cls: type, vocabulary: Vocabulary, mended: Mapping[str, Any] = MappingProxyType({})) -> Entry:
    """The entry of a host's class, from the annotations of its constructor.

    Args:
        name: Its name in files.
        cls: The class.
        vocabulary: Forms of the host's own types.
        mended: Annotations of arguments whose own is missing, or says less than the constructor takes.
    """
    parameters = {
        parameter.name: parameter
        for parameter in inspect.signature(cls).parameters.values()
        if parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
    }
    types = {**resolved({key: parameter.annotation for key, parameter in parameters.items()}, cls), **mended}
    docs = documented_arguments(cls)
    arguments = {}
    for key, parameter in parameters.items():
        form = vocabulary.form(types.get(key, Any))
        required = parameter.default is parameter.empty
        default = MISSING if required else _written(form, parameter.default)
        arguments[key] = Argument(form, default, required, docs.get(key, ""))
    children = TRANSFORMS if arguments.pop(CHILDREN, None) else None
    return Entry(name, cls, MappingProxyType(arguments), children)


def resolved(annotations: Mapping[str, Any], owner: type) -> dict[str, Any]:
    """Annotations with their strings resolved, as the module of their class reads them.

    ``inspect.signature(eval_str=True)`` cannot do it for classes whose metaclass wraps the constructor.
    """
    given = {name: value for name, value in annotations.items() if value is not inspect.Parameter.empty}
    known = vars(sys.modules[owner.__module__])
    return {name: _resolved(annotation, known) for name, annotation in given.items()}


def _resolved(annotation: Any, known: dict[str, Any]) -> Any:
    holder = type("Annotations", (), {"__annotations__": {"it": annotation}})
    try:
        return typing.get_type_hints(holder, known)["it"]
    except NameError:  # imported for type checkers alone, or local to a function
        return Any


def documented_arguments(cls: type) -> dict[str, str]:
    """What a Google-style docstring says of each argument."""
    section = re.search(r"^Args:\n(.*?)(?=^\S|\Z)", inspect.cleandoc(cls.__doc__ or ""), re.DOTALL | re.MULTILINE)
    if section is None:
        return {}
    found = (
        re.match(r"(\w+)[^:\n]*:(.*)", part, re.DOTALL) for part in re.split(r"^ {4}(?=\w)", section[1], flags=re.M)
    )
    return {match[1]: " ".join(match[2].split()) for match in found if match}


def table_of(entries: Iterable[Entry]) -> Mapping[str, Entry]:
    """A table that cannot be changed."""
    return MappingProxyType({entry.name: entry for entry in entries})


def _written(form: Form, default: Any) -> Any:
    try:
        return form.write(default)
    except TypeError:  # a function, say
        return MISSING
