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
    # No start is beyond the end, and no stop before the beginning.
    stop = start + side
    return np.maximum(start, 0, out=start), np.minimum(stop, shape, out=stop)  # quicker than np.clip for a few numbers


def whole_below(uniform: FloatArray, count: IntArray) -> IntArray:
    """Uniform whole numbers in ``[0, count)`` from uniform numbers in ``[0, 1)``; 0 where there are none.

    No product is rounded up to the count: the largest number below 1 is 1 - 2**-53, so that a product is below the
    count by more than half a step of float64 there, or by a whole one where the count is a power of two.
    """
    return (uniform * count).astype(np.int64)
