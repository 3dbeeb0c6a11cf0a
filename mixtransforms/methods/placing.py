"""Where boxes go, from uniform numbers."""

from __future__ import annotations

import numpy as np

from mixtransforms.core.layers import FloatArray, IntArray


def placed(placement: str, side: IntArray, place: FloatArray, shape: IntArray) -> tuple[IntArray, IntArray]:
    """Corners ``(n, d)`` of boxes, ``start`` and ``stop``.

    Args:
        placement: ``"clip"``: the centre on any pixel, the overhang clipped; ``"uniform"``: every pixel is equally
            likely to be covered, the overhang clipped; any other: wholly inside.
        side: Sides before anything is clipped, ``(n, d)``.
        place: Uniform numbers in ``[0, 1)``, ``(n, d)``.
        shape: Lengths of the axes, ``(d,)``, or those of every box, ``(n, d)``.
    """
    if placement == "clip":
        start = whole_below(place, shape) - (side >> 1)
    elif placement == "uniform":
        # From just before the sample to its last pixel: every pixel is under as many places of the box.
        start = whole_below(place, shape + side) - side
    else:
        start = whole_below(place, shape - side + 1)
    # No start is beyond the end, and a stop is before the beginning only on an axis of length 0.
    stop = np.minimum(np.maximum(start + side, 0), shape)  # quicker than np.clip for a few numbers
    return np.maximum(start, 0), stop


def whole_below(uniform: FloatArray, count: IntArray) -> IntArray:
    """Uniform whole numbers in ``[0, count)`` from uniform numbers in ``[0, 1)``."""
    return np.minimum((uniform * count).astype(np.int64), count - 1)  # the product may be rounded up to the count
