"""Forms of arguments: from the annotation of a constructor to what stands in a file, there and back."""

from __future__ import annotations

import enum
import math
import numbers
import typing
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import UnionType
from typing import Any

import numpy as np

from mixtransforms.core import fields
from mixtransforms.core.fields import Schema
from mixtransforms.files.schema import fits, in_words


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True, eq=False)
class Form:
    """One kind of argument.

    Attributes:
        schema: What a file may hold.
        write: From the argument to JSON's vocabulary; raises ``TypeError`` for what is not of this form.
        read: Back again, for what the schema accepts; may raise ``ValueError`` or ``TypeError``.
        wanted: What is accepted, in words.
        names: Whether strings are names of objects, so that other strings and numbers mean nothing.
    """

    schema: Schema | bool
    write: Callable[[Any], Any]
    read: Callable[[Any], Any] = _same
    wanted: str = ""
    names: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "wanted", self.wanted or in_words(self.schema))


def scalar(schema: Schema, read: Callable[[Any], Any] = _same) -> Form:
    """Null, booleans, numbers and strings as they are; scalars of NumPy and members of enums become plain."""

    def write(value: Any) -> Any:
        if isinstance(value, enum.Enum):
            value = value.value
        if isinstance(value, np.generic):
            value = value.item()
        if (isinstance(value, float) and not math.isfinite(value)) or not fits(value, schema):
            raise TypeError(value)
        return value

    return Form(schema, write, read)


BOOLEAN = scalar({"type": "boolean"})
INTEGER = scalar({"type": "integer"}, int)
NUMBER = scalar({"type": "number"})
STRING = scalar({"type": "string"})
NULL = scalar({"type": "null"})
ANYTHING = Form(True, fields.encode, wanted="plain values")
NOTHING = Form(False, fields.encode)

_SCALARS: Mapping[Any, Form] = {
    bool: BOOLEAN,
    int: INTEGER,
    float: NUMBER,
    numbers.Number: NUMBER,
    str: STRING,
    type(None): NULL,
    Any: ANYTHING,
}


def named(table: Mapping[str, Any], normal: Callable[[Any], Any] = _same) -> Form:
    """Objects by their names, such as dtypes.

    Args:
        table: The objects by name.
        normal: Finds the object for what a constructor also takes; may raise ``ValueError``.
    """

    def write(value: Any) -> str:
        try:
            found = normal(value)
        except ValueError:
            raise TypeError(value) from None
        for name, known in table.items():
            if found is known:
                return name
        raise TypeError(value)

    return Form({"enum": list(table)}, write, table.__getitem__, names=True)


def sequence(item: Form, make: Callable[[Iterable[Any]], Any] = list, count: int | None = None) -> Form:
    """A list or tuple, of ``count`` items where that is given."""
    schema = {"type": "array", "items": item.schema} | ({} if count is None else {"minItems": count, "maxItems": count})

    def write(value: Any) -> list[Any]:
        listed = value.tolist() if isinstance(value, np.ndarray) else value
        if isinstance(listed, (str, bytes, Mapping)) or not isinstance(listed, Sequence):
            raise TypeError(value)
        if count is not None and len(listed) != count:
            raise TypeError(value)
        return [item.write(one) for one in listed]

    return Form(schema, write, lambda value: make(item.read(one) for one in value))


def mapping(keys: Mapping[str, Any] | None, item: Form) -> Form:
    """A dict; of ``keys`` by their names, or of any strings."""
    closed = {"properties": dict.fromkeys(keys, item.schema), "additionalProperties": False} if keys else {}
    schema = {"type": "object"} | (closed or {"additionalProperties": item.schema})
    own = keys or {}

    def name_of(key: Any) -> str:
        for name, known in own.items():
            if key is known or (isinstance(key, str) and key == known):
                return name
        if keys or not isinstance(key, str):
            raise TypeError(key)
        return key

    def write(value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise TypeError(value)
        return {name_of(key): item.write(one) for key, one in value.items()}

    return Form(schema, write, lambda value: {own.get(name, name): item.read(one) for name, one in value.items()})


def record(forms: Mapping[str, Form], read: Callable[..., Any], required: Iterable[str]) -> Form:
    """An object that holds its constructor's arguments under their own names."""
    schema = {
        "type": "object",
        "properties": {name: form.schema for name, form in forms.items()},
        "required": list(required),
        "additionalProperties": False,
    }

    def write(value: Any) -> dict[str, Any]:
        held = value if isinstance(value, Mapping) else vars(value)
        if isinstance(value, Mapping) and value.keys() - forms.keys():
            raise TypeError(value)
        return {name: form.write(held[name]) for name, form in forms.items() if name in held}

    return Form(schema, write, lambda value: read(**{name: forms[name].read(one) for name, one in value.items()}))


def either(forms: Sequence[Form]) -> Form:
    """The first of several forms that fits."""
    if any(form.names for form in forms):  # then strings are names, and numbers were only another spelling of them
        forms = [form for form in forms if form not in (STRING, INTEGER)]
    if NUMBER in forms:  # which 1.0 stays
        forms = [form for form in forms if form is not INTEGER]
    forms = [form for form in forms if form is not NOTHING]
    if len(forms) < 2:
        return forms[0] if forms else NOTHING

    def write(value: Any) -> Any:
        for form in forms:
            try:
                return form.write(value)
            except TypeError:
                continue
        raise TypeError(value)

    def read(value: Any) -> Any:
        return next(form for form in forms if fits(value, form.schema)).read(value)

    return Form({"anyOf": [form.schema for form in forms]}, write, read, names=any(form.names for form in forms))


def _bounded(form: Form, bounds: Schema) -> Form:
    """A form of plain numbers, within bounds."""
    assert not isinstance(form.schema, bool)
    return scalar({**form.schema, **bounds}, form.read)


@dataclass(frozen=True)
class Vocabulary:
    """What a host's constructors take beside plain values.

    Attributes:
        leaves: Forms of the host's own types, such as dtypes.
        types: Types that are keys of dicts, by name, and strings that stand beside them.
    """

    leaves: Mapping[Any, Form] = field(default_factory=dict)
    types: Mapping[str, Any] = field(default_factory=dict)

    def form(self, annotation: Any) -> Form:
        """The form of an argument from its annotation, in which strings are resolved."""
        if typing.get_origin(annotation) is typing.Annotated:  # with bounds, as keywords of a schema
            bounds = annotation.__metadata__[0]
            form = self.form(annotation.__origin__)
            return _bounded(form, bounds) if isinstance(bounds, Mapping) else form
        known = {**_SCALARS, **self.leaves}
        if isinstance(annotation, Hashable) and annotation in known:
            return known[annotation]
        origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
        if origin in (typing.Union, UnionType):
            return either([self.form(part) for part in inner])
        if origin is typing.Literal:
            return scalar({"enum": list(inner)})
        kind = origin or annotation
        if kind is tuple:
            return self._tuple(inner)
        if isinstance(kind, type) and issubclass(kind, Sequence) and not issubclass(kind, (str, bytes)):
            return sequence(self.form(inner[0]) if inner else ANYTHING)
        if isinstance(kind, type) and issubclass(kind, Mapping):
            return self._dict(*inner)
        return NOTHING  # callables, paths, arrays: nothing that a file should hold

    def _tuple(self, inner: tuple[Any, ...]) -> Form:
        if not inner:
            return sequence(ANYTHING, tuple)
        if inner[-1] is Ellipsis:
            return sequence(self.form(inner[0]), tuple)
        return sequence(either(list(dict.fromkeys(map(self.form, inner)))), tuple, len(inner))

    def _dict(self, key: Any = str, value: Any = Any) -> Form:
        if typing.get_origin(key) is typing.Literal:
            return mapping({name: name for name in typing.get_args(key)}, self.form(value))
        return mapping(self.types if type in typing.get_args(key) else None, self.form(value))
