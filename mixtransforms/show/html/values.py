"""What objects say of themselves, also those of others: names, parameters, children. Nothing here raises."""

from __future__ import annotations

import enum
import functools
import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from mixtransforms.core import fields
from mixtransforms.methods.base import Method
from mixtransforms.mixing.transform import MixTransform

T = TypeVar("T")

NONE: Mapping[str, Any] = MappingProxyType({})

CHILDREN = "transforms"
"""What the children of a container are called, in both hosts and here."""

MOST_PARAMETERS = 40
_MOST_ITEMS = 6
_MOST_SORTED = 1000
_MOST_CHARACTERS = 1000
_DEEPEST = 4

_ADDRESS = re.compile(r" (?:object )?at 0x[0-9a-fA-F]+")
"""Where an object lies in memory, which no run repeats."""


class Parameter(NamedTuple):
    """One parameter of a transform.

    Attributes:
        name: Its name.
        value: What it is.
        given: Whether it differs from its default.
    """

    name: str
    value: Any
    given: bool


def asked(question: Callable[[], T], otherwise: T) -> T:
    """The answer to a question that foreign code answers; something else where that code fails."""
    try:
        return question()
    except Exception:  # noqa: BLE001  a transform whose repr or property is broken must not hide the whole pipeline
        return otherwise


def said(value: Any, depth: int = 0) -> str:
    """A value as short text, the same in every run: long lists shortened, functions by their names."""
    kind = type(value)
    if depth > _DEEPEST:
        return "…"
    if kind in (list, tuple, set, frozenset):
        return _listed(value, depth)
    if kind is dict:
        inside = [
            f"{said(key, depth + 1)}: {said(item, depth + 1)}" for key, item in islice(value.items(), _MOST_ITEMS)
        ]
        return "{" + ", ".join([*inside, *_more(len(value))]) + "}"
    if kind in (str, bytes):
        return repr(value[:_MOST_CHARACTERS])
    if isinstance(value, enum.Enum):
        return f"{kind.__name__}.{value.name}"
    if isinstance(value, type) or inspect.isroutine(value) or isinstance(value, functools.partial):
        return called(value)
    text = asked(lambda: str(repr(value)), f"{kind.__name__}, whose repr fails")
    return _ADDRESS.sub("", text[:_MOST_CHARACTERS])


def _listed(value: Any, depth: int) -> str:
    if isinstance(value, (set, frozenset)):  # which have another order in every run
        items = sorted(said(item, depth + 1) for item in value) if len(value) <= _MOST_SORTED else []
        return "{" + ", ".join([*items[:_MOST_ITEMS], *_more(len(value))]) + "}"
    inside = ", ".join([*(said(item, depth + 1) for item in islice(value, _MOST_ITEMS)), *_more(len(value))])
    if isinstance(value, tuple):
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    return f"[{inside}]"


def _more(count: int) -> list[str]:
    return [f"… {count} in all"] if count > _MOST_ITEMS else []


def called(value: Any) -> str:
    """The name of a transform: that of its class, or its own where it is a function."""
    if isinstance(value, functools.partial):
        return f"partial of {called(value.func)}"
    own = isinstance(value, type) or inspect.isroutine(value)
    name = asked(lambda: value.__qualname__, None) if own else None
    return name if isinstance(name, str) else type(value).__name__


def children(transform: Any) -> tuple[Any, ...]:
    """The transforms in a container of either host or a choice of methods, in a list, or in a module."""
    return asked(lambda: tuple(_children(transform)), ())


def _children(transform: Any) -> Iterator[Any]:
    if isinstance(transform, type):
        return
    listed = transform if isinstance(transform, (list, tuple)) else getattr(transform, CHILDREN, None)
    modules = getattr(transform, "children", None)
    if isinstance(listed, (list, tuple)) and _holds(transform, listed):
        yield from listed
    elif callable(modules):
        yield from modules()


def _holds(transform: Any, listed: Sequence[Any]) -> bool:
    """Whether a list is what a transform was made of, and not the functions that it consists of itself."""
    if listed is transform or not all(map(inspect.isroutine, listed)):
        return True
    return CHILDREN in asked(lambda: inspect.signature(type(transform)).parameters, NONE)


def parameters(transform: Any) -> list[Parameter]:
    """The parameters of a transform, but for its children: those that differ from their defaults first."""
    found: list[Parameter] = []
    for way in (_of_fields, _of_table, _of_signature):
        told = asked(functools.partial(_all, way, transform), None)
        if told is not None:
            found = told
            break
    inner = bool(children(transform))
    kept = [each for each in found if not (inner and each.name in (CHILDREN, "first", "second"))]
    return sorted(kept, key=lambda each: not each.given)


def _all(way: Callable[[Any], Iterator[Parameter] | None], transform: Any) -> list[Parameter] | None:
    told = way(transform)
    return None if told is None else list(told)


def _of_fields(transform: Any) -> Iterator[Parameter] | None:
    """Of what is ours."""
    if not isinstance(transform, (Method, MixTransform)):
        return None
    changed = fields.changed(transform)
    return (Parameter(name, value, name in changed) for name, value in fields.values(transform).items())


def _of_table(transform: Any) -> Iterator[Parameter] | None:
    """Of a host's own transforms, as files have them.

    Raises:
        ConfigError: The table of the host does not have it.
    """
    from mixtransforms.files.registry import codec_of, host_of

    codec = codec_of(host_of(transform))
    entry = codec.entry_of(transform, "$")
    held = codec.held(transform, entry)

    def is_default(name: str, default: Any) -> bool:
        return bool(entry.arguments[name].codec.write(held[name]) == default)

    return (
        Parameter(name, held[name], not asked(functools.partial(is_default, name, argument.default), False))
        for name, argument in entry.arguments.items()
        if name in held
    )


def _of_signature(transform: Any) -> Iterator[Parameter] | None:
    """Of anybody's class: the arguments of its constructor that are attributes of the same name."""
    if inspect.isroutine(transform):
        return None
    return _held(transform, inspect.signature(type(transform)).parameters)


_MISSING = object()


def _held(transform: Any, known: Mapping[str, inspect.Parameter]) -> Iterator[Parameter]:
    for name, parameter in known.items():
        held = (asked(functools.partial(getattr, transform, place), _MISSING) for place in (name, f"_{name}"))
        value = next((each for each in held if each is not _MISSING), _MISSING)
        if value is not _MISSING:
            yield Parameter(name, value, said(value) != said(parameter.default))
