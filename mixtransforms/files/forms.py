"""Codecs of arguments: from the annotation of a constructor to what stands in a file, there and back."""

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
from mixtransforms.files.schema import closed_object, fits, in_words


def _unchanged(value: Any) -> Any:
    return value


@dataclass(frozen=True, eq=False)
class ArgumentCodec:
    """One kind of argument.

    Attributes:
        schema: What a file may hold.
        write: From the argument to JSON's vocabulary; raises ``TypeError`` for what is not of this codec.
        read: Back again, for what the schema accepts; may raise ``ValueError`` or ``TypeError``.
        wanted: What is accepted, in words.
        names: Whether strings are names of objects, so that other strings and numbers mean nothing.
    """

    schema: Schema | bool
    write: Callable[[Any], Any]
    read: Callable[[Any], Any] = _unchanged
    wanted: str = ""
    names: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "wanted", self.wanted or in_words(self.schema))


def scalar(schema: Schema, read: Callable[[Any], Any] = _unchanged) -> ArgumentCodec:
    """Null, booleans, numbers and strings as they are; scalars of NumPy and members of enums become plain."""

    def write(value: Any) -> Any:
        if isinstance(value, enum.Enum):
            value = value.value
        if isinstance(value, np.generic):
            value = value.item()
        if (isinstance(value, float) and not math.isfinite(value)) or not fits(value, schema):
            raise TypeError(value)
        return value

    return ArgumentCodec(schema, write, read)


_BOOLEAN = scalar({"type": "boolean"})
_INTEGER = scalar({"type": "integer"}, int)
_NUMBER_ARGUMENT = scalar({"type": "number"})
_STRING = scalar({"type": "string"})
_NULL = scalar({"type": "null"})
_ANY_VALUE = ArgumentCodec(True, fields.encode, wanted="plain values")
_NO_VALUE = ArgumentCodec(False, fields.encode)

_SCALARS: Mapping[Any, ArgumentCodec] = {
    bool: _BOOLEAN,
    int: _INTEGER,
    float: _NUMBER_ARGUMENT,
    numbers.Number: _NUMBER_ARGUMENT,
    str: _STRING,
    type(None): _NULL,
    Any: _ANY_VALUE,
}


def objects_by_name(table: Mapping[str, Any], normal: Callable[[Any], Any] = _unchanged) -> ArgumentCodec:
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

    return ArgumentCodec({"enum": list(table)}, write, table.__getitem__, names=True)


def sequence(
    item: ArgumentCodec, make: Callable[[Iterable[Any]], Any] = list, count: int | None = None
) -> ArgumentCodec:
    """A list or tuple, of ``count`` items where that is given."""
    schema = {"type": "array", "items": item.schema} | ({} if count is None else {"minItems": count, "maxItems": count})

    def write(value: Any) -> list[Any]:
        listed = value.tolist() if isinstance(value, np.ndarray) else value
        if isinstance(listed, (str, bytes, Mapping)) or not isinstance(listed, Sequence):
            raise TypeError(value)
        if count is not None and len(listed) != count:
            raise TypeError(value)
        return [item.write(one) for one in listed]

    return ArgumentCodec(schema, write, lambda value: make(item.read(one) for one in value))


def mapping(keys: Mapping[str, Any] | None, item: ArgumentCodec) -> ArgumentCodec:
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

    def read(value: Any) -> dict[Any, Any]:
        return {own.get(name, name): item.read(one) for name, one in value.items()}

    return ArgumentCodec(schema, write, read)


def keyword_object(codecs: Mapping[str, ArgumentCodec], cls: type, required: Iterable[str]) -> ArgumentCodec:
    """An object that holds its constructor's arguments under their own names."""
    schema = closed_object({name: codec.schema for name, codec in codecs.items()}, required)

    def write(value: Any) -> dict[str, Any]:
        held = value if isinstance(value, Mapping) else vars(value)
        if isinstance(value, Mapping) and value.keys() - codecs.keys():
            raise TypeError(value)
        return {name: codec.write(held[name]) for name, codec in codecs.items() if name in held}

    def read(value: Any) -> Any:
        return cls(**{name: codecs[name].read(one) for name, one in value.items()})

    return ArgumentCodec(schema, write, read)


def either(codecs: Sequence[ArgumentCodec]) -> ArgumentCodec:
    """The first of several codecs that fits."""
    if any(codec.names for codec in codecs):  # then strings are names, and numbers were only another spelling of them
        codecs = [codec for codec in codecs if codec not in (_STRING, _INTEGER)]
    if _NUMBER_ARGUMENT in codecs:  # which 1.0 stays
        codecs = [codec for codec in codecs if codec is not _INTEGER]
    codecs = [codec for codec in codecs if codec is not _NO_VALUE]
    if len(codecs) < 2:
        return codecs[0] if codecs else _NO_VALUE

    def write(value: Any) -> Any:
        for codec in codecs:
            try:
                return codec.write(value)
            except TypeError:
                continue
        raise TypeError(value)

    def read(value: Any) -> Any:
        return next(codec for codec in codecs if fits(value, codec.schema)).read(value)

    names = any(codec.names for codec in codecs)
    return ArgumentCodec({"anyOf": [codec.schema for codec in codecs]}, write, read, names=names)


@dataclass(frozen=True)
class Vocabulary:
    """What a host's constructors take beside plain values.

    Attributes:
        leaves: Forms of the host's own types, such as dtypes.
        types: Types that are keys of dicts, by name, and strings that stand beside them.
    """

    leaves: Mapping[Any, ArgumentCodec] = field(default_factory=dict)
    types: Mapping[str, Any] = field(default_factory=dict)

    def codec(self, annotation: Any) -> ArgumentCodec:
        """The codec of an argument from its annotation, in which strings are resolved."""
        if typing.get_origin(annotation) is typing.Annotated:  # with bounds, as keywords of a schema
            bounds, codec = annotation.__metadata__[0], self.codec(annotation.__origin__)
            if not isinstance(bounds, Mapping) or isinstance(codec.schema, bool):
                return codec
            return scalar({**codec.schema, **bounds}, codec.read)
        known = {**_SCALARS, **self.leaves}
        if isinstance(annotation, Hashable) and annotation in known:
            return known[annotation]
        origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
        if origin in (typing.Union, UnionType):
            return either([self.codec(part) for part in inner])
        if origin is typing.Literal:
            return scalar({"enum": list(inner)})
        kind = origin or annotation
        if kind is tuple:
            return self._tuple(inner)
        if isinstance(kind, type) and issubclass(kind, Sequence) and not issubclass(kind, (str, bytes)):
            return sequence(self.codec(inner[0]) if inner else _ANY_VALUE)
        if isinstance(kind, type) and issubclass(kind, Mapping):
            return self._dict(*inner)
        return _NO_VALUE  # callables, paths, arrays: nothing that a file should hold

    def _tuple(self, inner: tuple[Any, ...]) -> ArgumentCodec:
        if not inner:
            return sequence(_ANY_VALUE, tuple)
        if inner[-1] is Ellipsis:
            return sequence(self.codec(inner[0]), tuple)
        return sequence(either(list(dict.fromkeys(map(self.codec, inner)))), tuple, len(inner))

    def _dict(self, key: Any = str, value: Any = Any) -> ArgumentCodec:
        if typing.get_origin(key) is typing.Literal:
            return mapping({name: name for name in typing.get_args(key)}, self.codec(value))
        return mapping(self.types if type in typing.get_args(key) else None, self.codec(value))
