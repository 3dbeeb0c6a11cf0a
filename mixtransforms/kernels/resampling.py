"""The weights of a resize, shared by both backends."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def resize_matrix(length: int, crop: tuple[int, int], frame: tuple[int, int], axes: int) -> NDArray[np.float64]:
    """Linear antialiased resampling of one axis as a matrix ``(length, length)``, frame cells by source cells.

    The triangle filter is as wide as the larger of the two cell sizes, so that shrinking averages and enlarging
    interpolates; ends repeat. Rows outside ``frame`` are zero. Weights are rounded to binary fractions that keep sums
    over integer pixels exact in float64, so that every backend rounds the same number.

    Args:
        length: Cells of the axis.
        crop: First cell of the source and first cell behind it.
        frame: First cell of the result and first cell behind it.
        axes: How many axes are resized one after the other.
    """
    matrix = np.zeros((length, length))
    count, cells = frame[1] - frame[0], crop[1] - crop[0]
    if count <= 0:
        return matrix
    scale = cells / count
    radius = max(scale, 1.0)
    centre = (np.arange(count) + 0.5) * scale - 0.5
    distance = np.abs(np.arange(cells)[None, :] - np.clip(centre, 0, cells - 1)[:, None])
    weight = np.clip(1.0 - distance / radius, 0.0, None)
    steps = 2.0 ** min(16, 36 // axes)
    weight = np.rint(weight / weight.sum(axis=1, keepdims=True) * steps) / steps
    weight[np.arange(count), weight.argmax(axis=1)] += 1.0 - weight.sum(axis=1)
    matrix[frame[0] : frame[1], crop[0] : crop[1]] = weight
    return matrix


def resize_matrices(
    shape: tuple[int, ...],
    crops: tuple[NDArray[np.int64], NDArray[np.int64]],
    frames: tuple[NDArray[np.int64], NDArray[np.int64]],
    row: int,
) -> list[NDArray[np.float64]]:
    """One matrix an axis for the row-th crop (start, stop) and frame (start, stop)."""
    return [
        resize_matrix(
            length,
            (int(crops[0][row, axis]), int(crops[1][row, axis])),
            (int(frames[0][row, axis]), int(frames[1][row, axis])),
            len(shape),
        )
        for axis, length in enumerate(shape)
    ]
