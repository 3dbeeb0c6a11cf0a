"""Objects end to end: boxes that are painted into images come back where their pixels are, with all that is theirs."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from doors import DOORS, Door
from forms import Form, host
from painted import bounds
from random_batches import HOLDERS
from seen import read_box, write_box
from target_forms import given, read
from target_table import OBJECTS, TargetKind

from mixtransforms import (
    BatchSpec,
    BoxRules,
    CutMix,
    InputError,
    KnownLabels,
    Label,
    LabelPair,
    Layer,
    MixUp,
    MultiLabel,
    OneOf,
    Plan,
    methods,
)
from mixtransforms.targets.formats import FORMATS

SIZE, SHAPE = 6, (13, 17)
PLACEMENTS = ("clip", "inside", "uniform", "minmax")

FORMS = tuple(name for name in FORMATS if FORMATS[name].columns == 4)
DOORS_AND_BACKENDS = [(door, backend) for door in DOORS for backend in door.backends]
at_every_door = pytest.mark.parametrize(
    ("door", "backend"), DOORS_AND_BACKENDS, ids=[f"{door}-{backend}" for door, backend in DOORS_AND_BACKENDS]
)


def painted(rng: np.random.Generator, form: str) -> tuple[dict[str, Any], Any]:
    """Images whose pixels say which object they belong to, 0 to none; and what is told of the objects.

    Objects are whole pixels, wherever they are not hidden by a later one of their own image; of these, nothing is
    told but what is seen of them.
    """
    index = np.zeros((SIZE, *SHAPE, 1), np.float32)
    told: dict[str, Any] = {"boxes": [], "labels": [], "area": [], "scores": [], "track": []}
    number = 0
    for image in index:
        first = number
        for _ in range(rng.integers(0, 5)):
            number += 1
            start = rng.integers(0, np.array(SHAPE) - 1)
            stop = rng.integers(start + 1, np.array(SHAPE) + 1)
            image[start[0] : stop[0], start[1] : stop[1]] = number
        ids = [n for n in range(first + 1, number + 1) if (image == n).any() and _is_box(image[..., 0] == n)]
        boxes = bounds(np.array([image[..., 0] == n for n in ids]).reshape(-1, *SHAPE))
        told["boxes"].append(np.array([write_box(box, form, SHAPE) for box in boxes]).reshape(-1, 4))
        told["labels"].append(np.array(ids, np.int64))
        told["area"].append(np.array([(image == n).sum() for n in ids], np.float64))
        told["scores"].append(np.array(ids, np.float32) / 128)
        told["track"].append(np.stack([ids, np.negative(ids)], axis=1).astype(np.int32).reshape(-1, 2))
    return told, index


def _is_box(pixels: Any) -> bool:
    left, top, right, bottom = bounds(pixels[None])[0]
    return bool((right - left) * (bottom - top) == pixels.sum())


@at_every_door
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("placement", PLACEMENTS)
def test_boxes_are_where_their_pixels_are(door: Door, backend: str, form: str, placement: str) -> None:
    """After a paste, the objects of an image are those that are seen in it, and their boxes those of their pixels."""
    rules = BoxRules(format=form, fields=("track",), min_visibility=0, min_size=0, min_area=0)
    minmax = (0.3, 0.9) if placement == "minmax" else None
    seen = 0
    for seed in range(6):
        told, index = painted(np.random.default_rng(seed), form)
        batch = given({"images": index} | told, backend)
        transform = door.transform("CutMix", placement=placement, minmax=minmax, boxes=rules, seed=seed)
        result = read(transform(**batch))
        areas = {n: area for ids, row in zip(told["labels"], told["area"], strict=True) for n, area in zip(ids, row)}
        for row in range(SIZE):
            pixels, ids = result["images"][row, ..., 0], result["labels"][row]
            assert set(ids.tolist()) == {int(n) for n in np.unique(pixels) if n in areas}
            assert len(set(ids.tolist())) == len(ids)
            corners = [read_box(box, form, SHAPE) for box in result["boxes"][row]]
            expected = bounds(np.array([pixels == n for n in ids]).reshape(-1, *SHAPE))
            np.testing.assert_allclose(np.array(corners).reshape(-1, 4), expected, atol=1e-9)
            np.testing.assert_array_equal(result["scores"][row], ids.astype(np.float32) / 128)
            np.testing.assert_array_equal(result["track"][row], np.stack([ids, -ids], axis=1).reshape(-1, 2))
            np.testing.assert_allclose(result["area"][row], [(pixels == n).sum() for n in ids], atol=1e-9)
            np.testing.assert_array_equal(result["box_weights"][row], np.ones(len(ids), np.float32))
            seen += len(ids)
    assert seen > 30
