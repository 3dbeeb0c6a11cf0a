"""Deep equality of what objects hold, where ``==`` would compare arrays item by item and objects by identity."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np


def same(first: Any, second: Any) -> bool:
    """Whether two values are equal; lists and tuples alike, arrays with their dtype, functions by what they are."""
    if first is second:
        return True
    if isinstance(first, np.generic) or isinstance(second, np.generic):
        return same(*(value.item() if isinstance(value, np.generic) else value for value in (first, second)))
    if hasattr(first, "dtype") and hasattr(first, "shape"):
        return _same_array(first, second)
    if isinstance(first, Mapping):
        return (
            isinstance(second, Mapping)
            and first.keys() == second.keys()
            and all(same(first[k], second[k]) for k in first)
        )
    if isinstance(first, (list, tuple, range)):
        return isinstance(second, (list, tuple, range)) and len(first) == len(second) and all(map(same, first, second))
    if callable(first) and not isinstance(first, type) and hasattr(first, "__qualname__"):
        return _of_function(first) == _of_function(second)
    if hasattr(first, "__dict__") and type(first).__eq__ in _BY_IDENTITY:
        return type(first) is type(second) and same(vars(first), vars(second))
    return isinstance(first, bool) == isinstance(second, bool) and bool(first == second)


_BY_IDENTITY: tuple[Any, ...] = (object.__eq__,)


def _same_array(first: Any, second: Any) -> bool:
    alike = all(str(getattr(first, name)) == str(getattr(second, name, None)) for name in ("dtype", "shape"))
    return alike and first.tolist() == second.tolist()


def _of_function(function: Callable[..., Any]) -> tuple[str, str]:
    return getattr(function, "__module__", ""), getattr(function, "__qualname__", repr(function))
