"""Numbers of 64 bits on their way through OpenCV, which makes 32 bits of them and drops the others without a word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core.backends import backend_of, dtype_name
from mixtransforms.kernels import kernel_of

WIDE = frozenset(map(np.dtype, ("<i8", ">i8", "<u8", ">u8")))
"""Dtypes that do not stay."""

_LEAST, _MOST = np.iinfo(np.int32).min, np.iinfo(np.int32).max


class Wide(NamedTuple):
    """What numbers of 64 bits were before the host had them.

    Attributes:
        dtype: Their dtype.
        ids: Those that 32 bits do not hold, ``(n,)``.
        aliases: What stands for each of them meanwhile.
    """

    dtype: np.dtype[Any]
    ids: NDArray[Any]
    aliases: NDArray[Any]


def narrowed(values: NDArray[Any]) -> tuple[NDArray[Any], Wide]:
    """The values with numbers of 32 bits alone, and what it takes to have them back.

    Numbers that fit stay what they are, so that those that transforms fill in mean the same.
    """
    beyond = (values < _LEAST) | (values > _MOST)
    if not beyond.any():
        nothing = np.zeros(0, values.dtype)
        return values, Wide(values.dtype, nothing, nothing)
    ids, places = np.unique(values[beyond], return_inverse=True)
    free = np.setdiff1d(np.arange(_MOST - values.size, _MOST + 1), values)[: len(ids)].astype(values.dtype)
    result = values.copy()
    result[beyond] = free[places]
    return result, Wide(values.dtype, ids, free)


def widened(values: Any, before: Wide) -> Any:
    """What the host has made of :func:`narrowed` values, in their own dtype; what it has made floats of stays so."""
    if isinstance(values, Sequence):
        return type(values)([widened(item, before) for item in values])  # type: ignore[call-arg]
    if dtype_name(values) not in ("int32", before.dtype.name):
        return values
    kernel = kernel_of(str(backend_of(values)))
    result = kernel.astype(values, before.dtype.name if backend_of(values) == "torch" else before.dtype)
    for number, alias in zip(before.ids.tolist(), before.aliases.tolist(), strict=True):
        result[result == alias] = number
    return result
