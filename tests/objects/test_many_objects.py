"""Keypoints and instance masks under random pastes, against the owner of every pixel."""

from collections.abc import Iterator

import numpy as np
import pytest
import tiers
from instances import see_masks
from numpy.typing import NDArray

from mixtransforms.core.compositing import Contributions
from mixtransforms.objects import keypoints
from mixtransforms.objects.boxes import BoxRules
from mixtransforms.plan import BatchSpec, Boxes, Layer, Plan

SHAPE = (12, 10)
PASTES = 200
EACH = 500 if tiers.everything else 50  # objects of a paste: every one is another, and pastes are what may go wrong
EVERYTHING = BoxRules(min_visibility=0, min_size=0, min_area=0)


def pasted(count: int, owner: int) -> Iterator[tuple[Contributions, NDArray[np.bool_], np.random.Generator]]:
    """What is seen of the sample (owner 0) or of its partner (1) in random pastes, and the pixels that it owns."""
    rng = np.random.default_rng(owner)
    found = 0
    while found < count:
        start = rng.integers(0, SHAPE)
        stop = rng.integers(start + 1, np.array(SHAPE) + 1)
        layer = Layer(np.array([0]), np.array([1]), np.array([1.0]), Boxes(start[None], stop[None]))
        pixels = np.zeros(SHAPE, np.int64)
        pixels[start[0] : stop[0], start[1] : stop[1]] = 1
        for part in Plan(BatchSpec(2, SHAPE), (layer,)).contributions(0):
            if part.source == owner:
                found += 1
                yield part, pixels == owner, rng


@pytest.mark.parametrize("owner", [0, 1], ids=["sample", "partner"])
def test_many_keypoints_are_seen_where_their_pixel_is(owner: int) -> None:
    for part, owned, rng in pasted(PASTES, owner):
        points = rng.integers(0, np.array(SHAPE[::-1]) * 4, (EACH, 1, 2)) / 4  # on whole, half and quarter pixels
        seen = keypoints.see_keypoints(part, points.astype(np.float64), keypoints.Keypoints("xy", occluded="drop"))
        x, y = np.floor(points[:, 0]).astype(np.int64).T
        np.testing.assert_array_equal(seen.visible[:, 0], owned[y, x])
        np.testing.assert_array_equal(seen.keep, owned[y, x])
        np.testing.assert_array_equal(seen.points, points)


@pytest.mark.parametrize("owner", [0, 1], ids=["sample", "partner"])
def test_many_instances_are_what_is_left_of_their_pixels(owner: int) -> None:
    for part, owned, rng in pasted(PASTES, owner):
        masks = rng.random((EACH, *SHAPE)) < rng.random((EACH, 1, 1)) * 0.4
        masks[:, rng.integers(SHAPE[0]), rng.integers(SHAPE[1])] = True  # no instance is empty
        left = masks & owned
        seen = see_masks(part, masks, EVERYTHING)
        area = left.sum(axis=(1, 2))
        np.testing.assert_array_equal(seen.masks, left)
        np.testing.assert_array_equal(seen.area, area)
        np.testing.assert_array_equal(seen.keep, area > 0)
        np.testing.assert_allclose(seen.visible, area / masks.sum(axis=(1, 2)), rtol=1e-12)
        for axis in (0, 1):
            hit = left[area > 0].any(axis=2 - axis)
            np.testing.assert_array_equal(seen.boxes[area > 0, 0, axis], hit.argmax(axis=1))
            np.testing.assert_array_equal(seen.boxes[area > 0, 1, axis], hit.shape[1] - hit[:, ::-1].argmax(axis=1))
