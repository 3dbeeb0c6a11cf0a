"""What the package itself has made: values that a mix returns with what belongs to them, in containers of their own.

They are marked, because a name says nothing: a user's class may be called the same, and one of ours may be subclassed.
"""

from __future__ import annotations

import functools
from abc import ABC
from typing import Any, TypeVar

NamedTupleClass = TypeVar("NamedTupleClass", bound=type)


class MixedValue(ABC):  # noqa: B024 (classes register, since named tuples take no other base)
    """Marks, by :meth:`register`, named tuples that a mix has made of one value and what belongs to it."""


class MixedObjects(MixedValue):
    """Marks those about the objects of one image, which another mix reads field by field; all others are mixed once."""


def is_mixed(value: Any) -> bool:
    """Whether a value is what a mix has made of values of two sources, and therefore cannot be mixed again."""
    return isinstance(value, MixedValue) and not isinstance(value, MixedObjects)


def of_one_iterable(cls: NamedTupleClass) -> NamedTupleClass:
    """Lets a named tuple be made of one iterable of all its values, too, as plain tuples are.

    Trainers move batches to devices by ``type(data)(move(value) for value in data)``, whatever sort of tuple it is.
    """
    construct = cls.__new__  # replaced from outside: bodies of named tuples may not have one of their own

    @functools.wraps(construct)
    def new(kind: type, *values: Any, **named: Any) -> Any:
        return construct(kind, *(values[0] if len(values) == 1 and not named else values), **named)

    cls.__new__ = new  # type: ignore[assignment, method-assign]
    return cls
