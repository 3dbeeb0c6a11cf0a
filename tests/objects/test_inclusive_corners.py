"""Boxes whose last corner is their last pixel, beside instance masks: a thin object is no degenerate box."""

from typing import Any

import numpy as np
import pytest

import mixtransforms
from mixtransforms import BoxRules, DegenerateBoxWarning, InputError

SIDE = 12
IMAGES = np.zeros((2, SIDE, SIDE, 3), np.float32)


def masks() -> Any:
    """A row of five pixels, a column of three, one pixel, a block, and no pixels at all."""
    each = np.zeros((5, SIDE, SIDE), np.uint8)
    each[0, 3, 2:7] = each[1, 5:8, 9] = each[2, 10, 10] = each[3, 1:6, 1:9] = 1
    return each


INCLUSIVE = np.array([[2.0, 3, 6, 3], [9, 5, 9, 7], [10, 10, 10, 10], [1, 1, 8, 5], [0, 0, 0, 0]])
"""As ``torchvision.ops.masks_to_boxes`` has them."""

RIGHT = [[2, 3, 7, 4], [9, 5, 10, 8], [10, 10, 11, 11], [1, 1, 8, 5]]
"""Thin ones around their masks; the block as it came, as everything that mixing leaves alone."""

FORMS = {
    "lists": lambda **told: {"image": IMAGES, **{name: [value] * 2 for name, value in told.items()}},
    "stacked": lambda **told: {"image": IMAGES, **{name: np.stack([value] * 2) for name, value in told.items()}},
    "records": lambda **told: (IMAGES, [told] * 2),
    "samples": lambda **told: [(image, told) for image in IMAGES],
}


def record_of(result: Any) -> dict[str, Any]:
    return result[1][0] if isinstance(result, (tuple, list)) else {name: each[0] for name, each in result.items()}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("written", ["xyxy", "coco", "cxcywh"])
@pytest.mark.parametrize("strict", [False, True])
def test_thin_objects_have_the_boxes_of_their_masks(form: Any, written: str, strict: bool) -> None:
    (x1, y1, x2, y2), own = INCLUSIVE[:4].T, masks()[:4]
    boxes = {
        "xyxy": INCLUSIVE[:4],
        "coco": np.stack([x1, y1, x2 - x1, y2 - y1], 1),
        "cxcywh": np.stack([(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1], 1),
    }[written]
    rules = BoxRules(format=written, strict=strict)
    told = form(boxes=boxes, instance_masks=own, labels=np.arange(4))
    found = record_of(mixtransforms.CutMix(p=0.0, boxes=rules)(told))
    first, second = found["boxes"][:, :2], found["boxes"][:, 2:]
    corners = {
        "xyxy": found["boxes"],
        "coco": np.hstack([first, first + second]),
        "cxcywh": np.hstack([first - second / 2, first + second / 2]),
    }[written]
    np.testing.assert_array_equal(corners, RIGHT)
    np.testing.assert_array_equal(found["labels"], np.arange(4))
    np.testing.assert_array_equal(found["instance_masks"], own)


@pytest.mark.parametrize("seed", range(6))
def test_pasted_thin_objects_stay_while_their_masks_have_pixels(seed: int) -> None:
    told = FORMS["records"](boxes=INCLUSIVE[:3], instance_masks=masks()[:3], labels=np.arange(3))
    found = record_of(mixtransforms.CutMix(1.0, seed=seed, boxes=BoxRules(min_visibility=0.0))(told))
    for corners, mask in zip(found["boxes"], found["instance_masks"], strict=True):
        rows, columns = np.nonzero(mask)
        np.testing.assert_array_equal(corners, [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])


def test_objects_without_pixels_and_boxes_elsewhere_go() -> None:
    boxes = np.concatenate([INCLUSIVE, [[np.nan, 1, 5, 5], [2, 4, 6, 4]]])
    own = np.concatenate([masks(), masks()[:1], masks()[:1]])
    told = FORMS["lists"](boxes=boxes, instance_masks=own, labels=np.arange(7))
    with pytest.warns(DegenerateBoxWarning, match=r"got 6 without width or height"):
        found = record_of(mixtransforms.CutMix(p=0.0)(told))
    np.testing.assert_array_equal(found["labels"], np.arange(4))


def test_without_masks_the_message_names_inclusive_corners() -> None:
    told = FORMS["lists"](boxes=INCLUSIVE[:4])
    with pytest.raises(InputError, match="masks_to_boxes, add 1 to x2 and y2"):
        mixtransforms.CutMix(p=0.0, boxes=BoxRules(strict=True))(told)
    ours = FORMS["lists"](boxes=INCLUSIVE[:4] + np.array([0, 0, 1, 1]))
    assert len(record_of(mixtransforms.CutMix(p=0.0, boxes=BoxRules(strict=True))(ours))["boxes"]) == 4
