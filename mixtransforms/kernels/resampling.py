"""Which cells of a crop a resize reads, and with what weights: the same whole numbers on both backends.

Arguments are arrays of either backend that broadcast against each other; nothing here imports one. Rules are written
in whole numbers, in units of half a cell of the result, so that no backend, processor or order of additions rounds
them differently.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mixtransforms.core.backends import WEIGHT_STEPS
from mixtransforms.core.layers import FloatArray, IntArray


def nearest_cells(step: Any, cells: Any, count: Any) -> Any:
    """Which cell of a crop a nearest-neighbour resize copies: ``floor((step + 0.5) * cells / count)``.

    Args:
        step: Cells of the result, from 0 and below ``count``.
        cells: Length of the crop.
        count: Length of the result.
    """
    return (2 * step + 1) * cells // (2 * count)


def most_taps(cells: int, count: int) -> int:
    """How many cells of a crop one cell of the result may be a mean of."""
    return min(cells, -(-2 * max(cells, count) // count))


def linear_taps(step: Any, tap: Any, cells: Any, count: Any, axes: int) -> tuple[Any, Any]:
    """Linear antialiased resampling of one axis: every cell of the result is a mean of a few cells of the crop.

    The triangle filter is as wide as the larger of the two cell sizes, so that shrinking averages and enlarging
    interpolates; ends repeat.

    Args:
        step: Cells of the result, integers, with an axis of length 1 behind.
        tap: 0, 1, ... along the last axis, as many as :func:`most_taps` tells or more, in the dtype of the weights.
        cells: Lengths of the crops, at least 1.
        count: Lengths of the results, at least 1.
        axes: How many axes are resized one after the other.

    Returns:
        The first cell that is read, and the weights of this one and those behind it. Weights are 0 behind the last
        one; they sum to 1.
    """
    reach = 2 * (cells + (count - cells).clip(0))
    centre = ((2 * step + 1) * cells - count).clip(0 * count, 2 * count * (cells - 1))
    first = ((centre - reach) // (2 * count) + 1).clip(0)
    cell = first + tap
    weight = (reach - abs(2 * count * cell - centre)).clip(0) * (cell < cells)
    # Binary fractions keep sums over integer pixels exact in float64, axis after axis, in any order: 16 bits of a
    # pixel and 36 of all weights. So both backends round the same number to an integer.
    steps = float(min(WEIGHT_STEPS, 1 << 36 // axes))
    weight = (weight * steps / weight.sum(-1)[..., None]).round() / steps
    # What rounding took from or gave to the sum goes to the largest weight, where it is seen least.
    return first, weight + (tap == weight.argmax(-1)[..., None]) * (1.0 - weight.sum(-1)[..., None])


def linear_bands(cells: int, count: int, axes: int) -> tuple[IntArray, FloatArray]:
    """All of :func:`linear_taps` for one crop: which cells are read and their weights, ``(count, taps)`` each.

    What has no weight is read behind the end, at ``cells``, where a row of zeros is expected: 0 times infinity is NaN.
    """
    tap = np.arange(float(most_taps(cells, count)))
    first, weight = linear_taps(np.arange(count)[:, None], tap, np.int64(cells), np.int64(count), axes)
    return np.where(weight == 0, cells, first + np.arange(len(tap))), weight
