"""Which cells of a crop a resize reads, and with what weights: the same whole numbers on both backends.

Arguments are arrays of either backend that broadcast against each other; nothing here imports one. Rules are written
in whole numbers, in units of half a cell of the result, so that no backend, processor or order of additions rounds
them differently.

Sums over cells are worked out in float64, axis after axis, and rounded behind the last one: to the nearest whole
number, half to even, where the dtype has only these; halves to float32, and then to themselves.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core.backends import WEIGHT_STEPS
from mixtransforms.core.layers import FloatArray, IntArray

REMEMBERED = 512
"""Cells of the longest axis of which weights are kept, so that those of all lengths together stay within megabytes."""


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
    steps = float(1 << weight_bits(axes))
    weight = (weight * steps / weight.sum(-1)[..., None]).round() / steps
    # What rounding took from or gave to the sum goes to the largest weight, where it is seen least.
    return first, weight + (tap == weight.argmax(-1)[..., None]) * (1.0 - weight.sum(-1)[..., None])


def weight_bits(axes: int) -> int:
    """Weights are binary fractions of so many bits, where so many axes are resized one after the other.

    They keep sums over integer pixels exact in float64, axis after axis, in any order: 16 bits of a pixel and 36 of all
    weights. So both backends round the same number to an integer.
    """
    return min(WEIGHT_STEPS.bit_length() - 1, 36 // axes)


def _remembered(function: Any) -> Any:
    """Keeps what a function of two lengths makes of short ones: a training asks for the same ones again and again."""
    cached = functools.lru_cache(maxsize=512)(function)

    @functools.wraps(function)
    def found(cells: int, count: int, *more: Any) -> Any:
        return (cached if max(cells, count) <= REMEMBERED else function)(cells, count, *more)

    return found


@_remembered
def linear_bands(cells: int, count: int, axes: int) -> tuple[IntArray, FloatArray]:
    """All of :func:`linear_taps` for one crop: which cells are read and their weights, ``(count, taps)`` each.

    What has no weight is read behind the end, at ``cells``, where a row of zeros is expected: 0 times infinity is NaN.
    """
    tap = np.arange(float(most_taps(cells, count)))
    first, weight = linear_taps(np.arange(count)[:, None], tap, np.int64(cells), np.int64(count), axes)
    index = np.where(weight == 0, cells, first + np.arange(len(tap)))
    index.flags.writeable = weight.flags.writeable = False
    return index, weight


class Block(NamedTuple):
    """Neighbouring cells of a result as a matrix product.

    Attributes:
        steps: The cells of the result.
        cells: The cells of the crop that they are means of.
        weight: ``(steps, cells)``, in the memory order of its transpose, which is what products read fastest.
    """

    steps: slice
    cells: slice
    weight: NDArray[Any]


@_remembered
def linear_blocks(cells: int, count: int, axes: int, dtype: Any) -> list[Block]:
    """All of :func:`linear_bands` in small dense matrices: long ones would be of zeros nearly everywhere."""
    index, weight = linear_bands(cells, count, axes)
    step = 8 * -(-2 * count // cells)  # enough work a product, and few zeros; and no lane of a processor is idle
    steps = [slice(start, min(start + step, count)) for start in range(0, count, step)]
    return [_block(some, index[some], weight[some], dtype) for some in steps]


def _block(steps: slice, index: IntArray, weight: FloatArray, dtype: Any) -> Block:
    read = index[weight > 0]
    first, stop = int(read.min()), int(read.max()) + 1
    matrix = np.zeros((stop + 1 - first, len(index)), dtype)  # and a row for what has no weight
    matrix[np.minimum(index, stop) - first, np.arange(len(index))[:, None]] = weight
    return Block(steps, slice(first, stop), matrix[:-1].T)
