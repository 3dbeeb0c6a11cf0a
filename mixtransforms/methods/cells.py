"""Cells of a grid over the mixed axes: where they begin, and fields that are constant in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core.layers import FloatArray, IntArray


def cell_edges(length: int, number: int) -> IntArray:
    """Where the cells of an axis begin, and where the last one ends; they differ by a pixel at most.

    An axis of fewer pixels than cells has a cell for each.
    """
    number = min(number, max(length, 1))
    return np.arange(number + 1) * length // number


def spread(cells: NDArray[Any], edges: Sequence[IntArray]) -> NDArray[Any]:
    """Values of cells ``(n, *cells)`` over all their pixels, ``(n, *shape)``."""
    for axis, own in enumerate(edges, start=1):
        cells = cells.repeat(np.diff(own), axis=axis)
    return cells


def cell_means(field: FloatArray, edges: Sequence[IntArray]) -> FloatArray:
    """The mean of a field ``(n, *shape)`` in every cell, ``(n, *cells)``; zeros where cells have no pixel."""
    if not field.size:
        return np.zeros((len(field), *(len(own) - 1 for own in edges)))
    for axis, own in enumerate(edges, start=1):
        count = np.diff(own).reshape(-1, *[1] * (field.ndim - axis - 1))
        field = np.add.reduceat(field, own[:-1], axis=axis) / count
    return field
