"""Values of a JSON document, each of the sort that was written: nothing is taken for something else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray


def numbers(values: Any, kinds: str = "iuf") -> NDArray[Any]:
    """An array of what was read from a list of numbers.

    Raises:
        TypeError: It is no list, or not of numbers: those of text would be read as numbers, and bools as 0 and 1.
        ValueError: Its lists are of unequal lengths.
    """
    array = np.asarray(listed(values))
    if array.size and array.dtype.kind not in kinds:
        raise TypeError(f"{array.dtype} instead of numbers")
    return array


def listed(values: Any) -> Sequence[Any]:
    """What was read from a list.

    Raises:
        TypeError: It is none.
    """
    if not isinstance(values, (list, tuple, np.ndarray)):
        raise TypeError(f"{type(values).__name__} instead of a list")
    return values  # type: ignore[return-value]


def whole_number(value: Any, most: int = 2**53) -> int:
    """What was read as a whole number.

    Raises:
        TypeError: It is none.
        ValueError: It is negative or too large.
    """
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{type(value).__name__} instead of a whole number")
    number = int(value)
    if not 0 <= number <= most:
        raise ValueError(f"{number} is not within [0, {most}]")
    return number


def version_of(names: Iterable[str], since: Mapping[str, int]) -> int:
    """The version of a document that holds these names, each of which some version has brought."""
    return max((since[name] for name in names), default=1)


def check_names(data: Iterable[str], since: Mapping[str, int], version: int | None = None) -> None:
    """Refuses names that a document of a version does not hold; of any version where none is told.

    Raises:
        KeyError: Names them.
    """
    unknown = [name for name in data if name not in since or (version is not None and since[name] > version)]
    if unknown:
        raise KeyError(*sorted(map(str, unknown)))
