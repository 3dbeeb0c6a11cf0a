"""What the package itself has made: values that a mix returns with what belongs to them, in containers of their own.

They are marked, because a name says nothing: a user's class may be called the same, and one of ours may be subclassed.
"""

from __future__ import annotations

from abc import ABC
from typing import Any


class MixedValue(ABC):  # noqa: B024 (classes register, since named tuples take no other base)
    """Marks, by :meth:`register`, named tuples that a mix has made of one value and what belongs to it."""


class MixedObjects(MixedValue):
    """Marks those about the objects of one image, which another mix reads field by field; all others are mixed once."""


def is_mixed(value: Any) -> bool:
    """Whether a value is what a mix has made of values of two sources, and therefore cannot be mixed again."""
    return isinstance(value, MixedValue) and not isinstance(value, MixedObjects)
