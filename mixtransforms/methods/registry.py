"""The mixing methods by name. Filled by the modules of ``methods/`` as they are imported, never by data."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from mixtransforms.methods.base import Method

_methods: dict[str, type[Method]] = {}

METHODS = MappingProxyType(_methods)
"""Every registered method by its class name, read only."""

M = TypeVar("M", bound="type[Method]")


def register(method: M) -> M:
    """Class decorator that makes a method known by its name.

    Raises:
        ValueError: Another class already has the name.
    """
    known = _methods.setdefault(method.__name__, method)
    if known is not method:
        raise ValueError(f"Two methods are called {method.__name__!r}: {known.__module__} and {method.__module__}")
    return method
