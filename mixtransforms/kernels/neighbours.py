"""The cells that a nearest-neighbour resize copies, shared by both backends."""

from __future__ import annotations

import numpy as np

from mixtransforms.core.layers import Boxes, IntArray


def nearest_cells(length: int, crop: Boxes, frame: Boxes, axis: int) -> IntArray:
    """Which cell of the source every cell of the result is copied from, on one axis, ``(n, length)``.

    Cell ``k`` of a frame of ``n`` is copied from ``start + floor((k + 0.5) * cells / n)`` of the crop, in whole
    numbers, so that nothing is rounded. Cells outside the frame name some cell of the axis; nobody looks there.

    Args:
        length: Cells of the axis.
        crop: Boxes of the sources.
        frame: Boxes of the results.
        axis: Which of the mixed axes.
    """
    step = np.arange(length) - frame.start[:, axis, None]
    count = np.maximum(frame.sides[:, axis, None], 1)
    cell = (2 * step + 1) * crop.sides[:, axis, None] // (2 * count)
    return np.asarray(np.clip(crop.start[:, axis, None] + cell, 0, max(length - 1, 0)))
