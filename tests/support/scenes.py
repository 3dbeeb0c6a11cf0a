"""Scenes whose every object is painted in a channel of its own, so that the picture says where each of them is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[Any]

LEAST = 1e-6
"""What is less is not seen: of the weights that tests draw none is as small."""


@dataclass(frozen=True)
class Scene:
    """One sample.

    Attributes:
        image: ``(H, W, C)`` float32; object ``i`` is 1 in channel ``i``, all other channels are 0 there.
        boxes: ``(N, 4)``, corners in whole pixels.
        ids: The objects' channels, ``(N,)``.
        masks: ``(N, H, W)`` bool.
        points: ``(N, 2, 3)``: two opposite corner pixels of every object, visible.
    """

    image: Values
    boxes: Values
    ids: Values
    masks: Values
    points: Values


def scenes(counts: Sequence[int], shape: tuple[int, int] = (24, 20), seed: int = 0) -> list[Scene]:
    """A scene with each of these numbers of objects; no two objects of all of them have the same channel."""
    rng, first = np.random.default_rng(seed), 0
    result = []
    for count in counts:
        result.append(_scene(rng, count, shape, first, sum(counts)))
        first += count
    return result


def _scene(rng: np.random.Generator, count: int, shape: tuple[int, int], first: int, channels: int) -> Scene:
    height, width = shape
    start = np.stack([rng.integers(0, width - 7, count), rng.integers(0, height - 7, count)], axis=1)
    boxes = np.concatenate([start, start + rng.integers(4, 8, (count, 2))], axis=1)
    y, x = np.mgrid[:height, :width]
    left, top, right, bottom = boxes.T[:, :, None, None]
    masks = (left <= x) & (x < right) & (top <= y) & (y < bottom)
    image = np.zeros((height, width, channels), np.float32)
    image[..., first : first + count] = masks.transpose(1, 2, 0)
    corners = np.stack([boxes[:, :2], boxes[:, 2:] - 1], axis=1)
    points = np.concatenate([corners, np.full((count, 2, 1), 2.0)], axis=2)
    return Scene(image, boxes.astype(np.float32), np.arange(first, first + count), masks, points.astype(np.float32))


def bounds(region: Values) -> list[int]:
    """The smallest box around a region ``(H, W)`` that is not empty."""
    rows, columns = region.any(axis=1).nonzero()[0], region.any(axis=0).nonzero()[0]
    return [int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1]


def seen(image: Values) -> list[int]:
    """The objects of which anything is seen in ``(H, W, C)``."""
    return np.flatnonzero((image > LEAST).any(axis=(0, 1))).tolist()


def assert_told(
    image: Values, told: Mapping[str, Any], *, tight: bool = False, whole: bool = True, slack: float = 1e-3
) -> None:
    """Everything that is told of an object is told of what the picture has in its channel.

    Args:
        image: ``(H, W, C)``.
        told: ``ids``, and any of ``boxes``, ``masks``, ``points`` ``(N, K, 3)`` and ``weights``.
        tight: Whether boxes are the smallest; else they hold what is seen.
        whole: Whether all objects that are seen are told of, each once.
        slack: How many pixels boxes may be too small.
    """
    ids = np.asarray(told["ids"]).astype(int).tolist()
    assert all(len(np.asarray(values)) == len(ids) for values in told.values()), {k: len(v) for k, v in told.items()}
    if whole:
        assert sorted(ids) == seen(image)
    for row, number in enumerate(ids):
        channel = image[..., number]
        region = channel > LEAST
        assert region.any(), f"object {number} is not there"
        if "boxes" in told:
            box = np.asarray(told["boxes"][row], np.float64).tolist()
            left, top, right, bottom = bounds(region)
            if tight:
                np.testing.assert_allclose(box, [left, top, right, bottom], atol=slack)
            assert box[0] - slack <= left < right <= box[2] + slack
            assert box[1] - slack <= top < bottom <= box[3] + slack
        if "masks" in told:
            np.testing.assert_array_equal(np.asarray(told["masks"][row]) != 0, region)
        if "weights" in told:
            np.testing.assert_allclose(channel[region], float(told["weights"][row]), atol=1e-5)
        for x, y, v in np.asarray(told["points"][row]).tolist() if "points" in told else ():
            inside = 0 <= y < len(region) and 0 <= x < region.shape[1]
            assert (v == 2) == (inside and bool(region[int(y), int(x)])), (number, x, y, v)
