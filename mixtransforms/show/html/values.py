"""What objects say of themselves, also those of others: names, parameters, children. Nothing here raises."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from mixtransforms.core import fields
from mixtransforms.methods.base import Method
from mixtransforms.mixing.transform import MixTransform
from mixtransforms.show.words import attempt, short_repr

CHILD_FIELD = "transforms"
"""What the children of a container are called, in both hosts and here."""

MOST_PARAMETERS = 40
"""Rows of a table; a longer one would hide the pipeline around it."""


class ShownParameter(NamedTuple):
    """One parameter of a transform.

    Attributes:
        name: Its name.
        value: What it is.
        given: Whether it differs from its default.
    """

    name: str
    value: Any
    given: bool


def child_transforms(transform: Any) -> tuple[Any, ...]:
    """The transforms in a container of either host or a choice of methods, in a list, or in a module."""
    return attempt(lambda: tuple(_child_transforms(transform)), ())


def _child_transforms(transform: Any) -> Iterator[Any]:
    if isinstance(transform, type):
        return
    listed = transform if isinstance(transform, (list, tuple)) else getattr(transform, CHILD_FIELD, None)
    modules = getattr(transform, "children", None)
    if isinstance(listed, (list, tuple)) and _holds(transform, listed):
        yield from listed
    elif callable(modules):
        yield from modules()


def _holds(transform: Any, listed: Sequence[Any]) -> bool:
    """Whether a list is what a transform was made of, and not the functions that it consists of itself."""
    if listed is transform or not all(map(inspect.isroutine, listed)):
        return True
    return attempt(lambda: CHILD_FIELD in inspect.signature(type(transform)).parameters, False)


def parameters(transform: Any) -> list[ShownParameter]:
    """The parameters of a transform, but for its children: those that differ from their defaults first."""
    # From the most certain to the least: our own fields, the tables of files, and what a constructor asks for.
    ways = (_of_fields, _of_table, _of_signature)
    answers = (attempt(functools.partial(way, transform), None) for way in ways)
    found: list[ShownParameter] = next((told for told in answers if told is not None), [])
    inner = bool(child_transforms(transform))
    kept = [each for each in found if not (inner and each.name in (CHILD_FIELD, "first", "second"))]
    return sorted(kept, key=lambda each: not each.given)


def _of_fields(transform: Any) -> list[ShownParameter] | None:
    """Of what is ours."""
    if not isinstance(transform, (Method, MixTransform)):
        return None
    changed = fields.changed(transform)
    return [ShownParameter(name, value, name in changed) for name, value in fields.values(transform).items()]


def _of_table(transform: Any) -> list[ShownParameter] | None:
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

    return [
        ShownParameter(name, held[name], not attempt(functools.partial(is_default, name, argument.default), False))
        for name, argument in entry.arguments.items()
        if name in held
    ]


_MISSING = object()


def _of_signature(transform: Any) -> list[ShownParameter] | None:
    """Of anybody's class: the arguments of its constructor that are attributes of the same name."""
    if inspect.isroutine(transform):
        return None
    found = []
    for name, parameter in inspect.signature(type(transform)).parameters.items():
        held = (attempt(functools.partial(getattr, transform, place), _MISSING) for place in (name, f"_{name}"))
        value = next((each for each in held if each is not _MISSING), _MISSING)
        if value is not _MISSING:
            found.append(ShownParameter(name, value, short_repr(value) != short_repr(parameter.default)))
    return found
