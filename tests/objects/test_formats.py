"""Formats of boxes: against those of the hosts, and there and back."""

from itertools import product

import numpy as np
import pytest

from mixtransforms.objects.box_formats import FORMATS, column_count, decode, degenerate, encode, is_rotated

CANVAS = (48, 80)


def rectangles(count: int, dtype: str = "float64"):
    """Boxes as ``cx, cy, w, h, degrees``."""
    rng = np.random.default_rng(0)
    low, high = (20, 10, 1, 1, -180), (60, 40, 30, 20, 180)
    return rng.uniform(low, high, (count, 5)).astype(dtype)


UPRIGHT, ROTATED = ("xyxy", "xywh", "cxcywh"), ("xywhr", "cxcywhr", "xyxyxyxy")


@pytest.mark.parametrize(("source", "target"), [*product(UPRIGHT, UPRIGHT), *product(ROTATED, ROTATED)])
def test_formats_are_those_of_torchvision(source, target):
    torch = pytest.importorskip("torch")
    pytest.importorskip("torchvision")
    from torchvision.transforms.v2.functional import convert_bounding_box_format
    from torchvision.tv_tensors import BoundingBoxFormat

    origin = "cxcywhr" if source in ROTATED else "cxcywh"

    def convert(values, old, new):
        old, new = BoundingBoxFormat[old.upper()], BoundingBoxFormat[new.upper()]
        return convert_bounding_box_format(values, old_format=old, new_format=new)

    given = convert(torch.from_numpy(rectangles(500)[:, : column_count(origin)]), origin, source)
    expected = convert(given, source, target).numpy()
    result = encode(decode(given.numpy(), source, CANVAS), target, CANVAS)
    if target.endswith("r"):
        np.testing.assert_allclose((result[:, 4] - expected[:, 4] + 180) % 360, 180, atol=1e-9)
        result, expected = result[:, :4], expected[:, :4]
    np.testing.assert_allclose(result, expected, atol=1e-10)


@pytest.mark.parametrize("format", ["pascal_voc", "coco", "yolo", "albumentations"])
def test_formats_are_those_of_albumentations(format):
    pytest.importorskip("albumentations")
    from albumentations.core.bbox_utils import convert_bboxes_from_albumentations

    boxes = decode(rectangles(500)[:, :4], "cxcywh", CANVAS)
    relative = boxes / np.array([80, 48, 80, 48])
    shape = {"height": 48, "width": 80}
    theirs = relative if format == "albumentations" else convert_bboxes_from_albumentations(relative, format, shape)
    np.testing.assert_allclose(encode(boxes, format, CANVAS), theirs, rtol=1e-12)
    np.testing.assert_allclose(decode(theirs, format, CANVAS), boxes, rtol=1e-12)


@pytest.mark.parametrize("format", FORMATS)
def test_there_and_back(format):
    origin = "cxcywhr" if is_rotated(format) else "cxcywh"
    geometry = decode(rectangles(500)[:, : column_count(origin)], origin, CANVAS)
    given = encode(geometry, format, CANVAS).astype(np.float32)
    assert given.shape == (500, column_count(format))
    returned = encode(decode(given, format, CANVAS), format, CANVAS)
    assert returned.dtype == np.float64
    np.testing.assert_allclose(returned, given, rtol=0, atol=0 if format in ("xyxy", "pascal_voc") else 1e-4)


@pytest.mark.parametrize("format", FORMATS)
def test_columns_behind_the_coordinates_are_left_out(format):
    values = np.ones((3, column_count(format)), np.int64)
    labels = np.full((3, 2), 7)
    np.testing.assert_array_equal(
        decode(np.concatenate([values, labels], axis=1), format, CANVAS), decode(values, format, CANVAS)
    )


@pytest.mark.parametrize("format", FORMATS)
def test_formats_of_no_boxes(format):
    geometry = decode(np.zeros((0, column_count(format)), np.float32), format, CANVAS)
    assert geometry.shape == ((0, 4, 2) if is_rotated(format) else (0, 4))
    assert encode(geometry, format, CANVAS).shape == (0, column_count(format))
    assert degenerate(geometry).shape == (0,)


def test_decoding_leaves_what_came_in_alone():
    for format in FORMATS:
        given = rectangles(4)[:, [0, 1, 2, 3, 4, 0, 1, 2]]
        copy = given.copy()
        decode(given, format, CANVAS)
        np.testing.assert_array_equal(given, copy)


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize("format", FORMATS)
def test_degenerate_boxes(format):
    good, flat, thin = [9.0, 9.0, 3.0, 4.0, 30.0], [9.0, 9.0, 0.0, 4.0, 30.0], [9.0, 9.0, 3.0, 0.0, 30.0]
    negative = [[9.0, 9.0, -3.0, 4.0, 30.0], [9.0, 9.0, 3.0, -4.0, 30.0], [9.0, 9.0, -3.0, -4.0, 30.0]]
    origin = "cxcywhr" if is_rotated(format) else "cxcywh"
    rows = np.array([good, flat, thin, *negative])[:, : column_count(origin)]
    values = encode(decode(rows, origin, CANVAS), format, CANVAS)
    np.testing.assert_array_equal(degenerate(decode(values, format, CANVAS)), [False, *[True] * 5])
    for bad in (NAN, INF, -INF):
        for column in range(column_count(format)):
            broken = values[:1].repeat(2, axis=0)
            broken[0, column] = bad
            np.testing.assert_array_equal(degenerate(decode(broken, format, CANVAS)), [True, False])
