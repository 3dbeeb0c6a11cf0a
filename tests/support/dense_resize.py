"""The resize as one dense matrix an axis: slow, and the definition that the banded one must equal bit for bit."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def dense_matrix(cells: int, count: int, axes: int) -> NDArray[np.float64]:
    """Linear antialiased resampling of one axis as a matrix ``(count, cells)``, worked out in floats.

    The triangle filter is as wide as the larger of the two cell sizes; ends repeat. Weights are rounded to binary
    fractions that keep sums over integer pixels exact in float64.
    """
    scale = cells / count
    radius = max(scale, 1.0)
    centre = (np.arange(count) + 0.5) * scale - 0.5
    distance = np.abs(np.arange(cells)[None, :] - np.clip(centre, 0, cells - 1)[:, None])
    weight = np.clip(1.0 - distance / radius, 0.0, None)
    steps = 2.0 ** min(16, 36 // axes)
    weight = np.rint(weight / weight.sum(axis=1, keepdims=True) * steps) / steps
    weight[np.arange(count), weight.argmax(axis=1)] += 1.0 - weight.sum(axis=1)
    return weight


def in_order(matrix: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """``matrix @ values``, cell after cell; what has no weight adds nothing."""
    total = np.zeros((len(matrix), *values.shape[1:]))
    with np.errstate(invalid="ignore"):
        for weight, row in zip(matrix.T, values, strict=True):
            share = weight.reshape(-1, *(1,) * row.ndim)
            total = total + np.where(share == 0, 0, share * row)
    return total


def dense_resize(crop: NDArray[Any], sides: Sequence[int], *, product: Any = in_order) -> NDArray[Any]:
    """A crop, mixed axes first, in other sides.

    Args:
        crop: ``(*shape, ...)``.
        sides: Lengths of these axes in the result.
        product: Multiplies a matrix with an array; ``np.matmul`` adds up in an order of the library's own.
    """
    values = crop.astype(np.float64)
    for axis, count in enumerate(sides):
        first = np.moveaxis(values, axis, 0)
        moved = product(dense_matrix(len(first), count, len(sides)), first.reshape(len(first), -1))
        values = np.moveaxis(moved.reshape(count, *first.shape[1:]), 0, axis)
    if crop.dtype.kind != "f":
        return np.rint(values).astype(crop.dtype)
    return values.astype(np.result_type(crop.dtype, np.float32)).astype(crop.dtype)  # halves are rounded twice
