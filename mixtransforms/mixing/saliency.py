"""The saliency that is there where nobody gives a better one: quick, and of the images alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core.layers import FloatArray

PART = 1 << 19
"""Numbers of images that are worked on together: they stay in the cache."""

_TAPS = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)
"""A binomial filter."""


def contrast(images: NDArray[Any]) -> FloatArray:
    """How far the colour of every place is from the mean colour of its image: squared distances, blurred a little.

    No network, and no match for one: it finds what differs in colour from most of the image.

    Source: after Achanta et al., Frequency-tuned Salient Region Detection, CVPR 2009, in the images' own colours.

    Args:
        images: ``(B, *shape, C)``, of any dtype that holds numbers.

    Returns:
        ``(B, *shape)`` float64, from 0 on; not finite in an image that is not, or that has numbers beyond 1e18.
    """
    result = np.zeros(images.shape[:-1])
    step = max(1, PART * len(images) // max(images.size, 1))
    if images.size:
        for first in range(0, len(images), step):
            _write(images[first : first + step], result[first : first + step])
    return result


def _write(images: NDArray[Any], out: FloatArray) -> None:
    # In one order of memory, whatever came: sums are then rounded alike.
    colours = np.ascontiguousarray(images, np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        mean = colours.mean(axis=tuple(range(1, colours.ndim - 1)), dtype=np.float64, keepdims=True)
        colours = colours - mean.astype(np.float32)
        distance = np.einsum("...c,...c->...", colours, colours)
        for axis in range(1, distance.ndim):
            distance = _blurred(distance, axis)
    out[...] = distance


def _blurred(values: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    """A binomial blur along one axis, whose ends go on as they are."""
    length, reach = values.shape[axis], len(_TAPS) // 2
    around = values.take(np.clip(np.arange(-reach, length + reach), 0, length - 1), axis=axis)
    total = np.zeros_like(values)
    for first, weight in enumerate(_TAPS):
        total += np.float32(weight) * around[(slice(None),) * axis + (slice(first, first + length),)]
    return total
