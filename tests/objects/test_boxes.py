"""Boxes: what is left of objects, against painted pixels."""

import numpy as np
import pytest
from painted import bounds, inside, masked, moved, pasted, random_boxes, random_window

from mixtransforms.core.errors import ParameterError
from mixtransforms.objects.box_formats import from_plan, to_plan
from mixtransforms.objects.boxes import BoxRules, SeenObjects, place_points, see_boxes
from mixtransforms.plan import BatchSpec, Layer, Plan

ALL = BoxRules(min_visibility=0.0, min_size=0.0, min_area=0.0)
BOX = np.array([[2.0, 2.0, 6.0, 6.0]])


def parts(plan: Plan) -> dict:
    """The contributions to sample 0 by their source."""
    return {int(part.source[0]): part for part in plan.contributions(0)}


def left_of(plan: Plan, source: int, boxes, rules: BoxRules = ALL) -> SeenObjects:
    """What is left of ``x1, y1, x2, y2``, alike."""
    result = see_boxes(parts(plan)[source], to_plan(np.asarray(boxes, np.float64)), rules)
    return result._replace(boxes=from_plan(result.boxes))


def check_painted(result: SeenObjects, boxes, owned) -> None:
    """The result of ``ALL`` is what can be seen in the pixels that the source owns."""
    painted = inside(boxes, owned.shape)
    shown = painted & owned
    counts, whole = (pixels.sum(axis=(1, 2)) for pixels in (shown, painted))
    np.testing.assert_array_equal(result.keep, counts > 0)
    np.testing.assert_array_equal(result.visible, counts / np.maximum(whole, 1))
    np.testing.assert_array_equal(result.weight[result.keep], 1.0)
    tight = bounds(shown)
    cut = (tight != bounds(painted)).any(axis=1) & result.keep
    np.testing.assert_array_equal(result.changed[result.keep], cut[result.keep])
    np.testing.assert_array_equal(result.boxes[result.keep], np.where(cut[:, None], tight, boxes)[result.keep])


# ------------------------------------------------------------------------------------------- pastes, painted


@pytest.mark.parametrize("source", [0, 1])
def test_100_000_boxes_under_a_paste_are_those_of_the_pixels(source):
    rng = np.random.default_rng(source)
    checked = 0
    while checked < 100_000:
        shape = tuple(rng.integers(3, 15, 2).tolist())
        window = random_window(rng, shape)
        plan = pasted(shape, window)
        if source in parts(plan):
            boxes = random_boxes(rng, 500, shape)
            check_painted(left_of(plan, source, boxes), boxes, inside(np.array([window]), shape)[0] == source)
            checked += len(boxes)


@pytest.mark.parametrize("source", [0, 1])
def test_masks_of_pixels(source):
    rng = np.random.default_rng(source)
    for density in np.linspace(0.05, 0.95, 40):
        mask = rng.random((9, 12)) < density
        boxes = random_boxes(rng, 100, mask.shape)
        check_painted(left_of(masked(mask), source, boxes), boxes, mask == source)


@pytest.mark.parametrize("source", [0, 1, 2, 3])
def test_pastes_over_pastes(source):
    rng = np.random.default_rng(source)
    for _ in range(40):
        windows = [random_window(rng, (12, 9)) for _ in range(3)]
        plan = pasted((12, 9), *windows)
        owner = np.zeros((12, 9))
        for number, window in enumerate(windows, 1):
            owner[inside(np.array([window]), owner.shape)[0]] = number
        assert (source in parts(plan)) == (owner == source).any()
        if source in parts(plan):
            boxes = random_boxes(rng, 100, owner.shape)
            check_painted(left_of(plan, source, boxes), boxes, owner == source)


@pytest.mark.parametrize("source", [0, 1])
def test_boxes_that_reach_beyond_the_canvas_are_measured_inside(source):
    rng = np.random.default_rng(source)
    for _ in range(40):
        window = random_window(rng, (8, 11))
        boxes = random_boxes(rng, 200, (8, 11), beyond=4)
        plan = pasted((8, 11), window)
        if source in parts(plan):
            check_painted(left_of(plan, source, boxes), boxes, inside(np.array([window]), (8, 11))[0] == source)


@pytest.mark.parametrize("source", [0, 1])
def test_boxes_between_pixels(source):
    """Quarters of pixels, on a canvas painted four times as fine."""
    rng = np.random.default_rng(source)
    for _ in range(40):
        window = random_window(rng, (6, 7))
        boxes = random_boxes(rng, 100, (24, 28))
        plan = pasted((6, 7), window)
        if source in parts(plan):
            result = left_of(plan, source, boxes / 4)
            fine = result._replace(boxes=result.boxes * 4)
            check_painted(fine, boxes, inside(np.array([window]) * 4, (24, 28))[0] == source)


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ((0, 0, 4, 8), (4, 2, 6, 6)),  # the left half
        ((4, 0, 8, 8), (2, 2, 4, 6)),
        ((0, 0, 8, 4), (2, 4, 6, 6)),
        ((0, 4, 8, 8), (2, 2, 6, 4)),
        ((0, 0, 4, 4), (2, 2, 6, 6)),  # a notch
        ((3, 3, 5, 5), (2, 2, 6, 6)),  # a hole
        ((3, 0, 5, 8), (2, 2, 6, 6)),  # two pieces
    ],
)
def test_a_box_shrinks_where_a_whole_side_is_hidden(window, expected):
    result = left_of(pasted((8, 8), window), 0, BOX)
    np.testing.assert_array_equal(result.boxes, [expected])
    assert result.changed[0] == (expected != (2, 2, 6, 6))


def test_a_box_of_the_sample_itself_may_be_kept_whole():
    rules = BoxRules(min_visibility=0.0, occluded="keep")
    plan = pasted((8, 8), (0, 0, 4, 8))
    own, partner = (left_of(plan, source, BOX, rules) for source in (0, 1))
    np.testing.assert_array_equal(own.boxes, BOX)
    assert not own.changed[0]
    assert own.visible[0] == 0.5
    np.testing.assert_array_equal(partner.boxes, [[2, 2, 4, 6]])
    assert partner.changed[0]


@pytest.mark.parametrize("occluded", ["shrink", "keep"])
@pytest.mark.parametrize("weight", ["mix", "visibility", "ones"])
def test_what_is_hidden_or_outside_is_dropped(occluded, weight):
    rules = BoxRules(min_visibility=0.0, occluded=occluded, weight=weight)
    hidden, outside, beside = [3, 3, 5, 5], [-9, 2, -1, 4], [20, 2, 30, 4]
    result = left_of(pasted((8, 8), (2, 2, 6, 6)), 0, [hidden, outside, beside], rules)
    assert not result.keep.any()
    assert (result.visible == 0).all()


def test_nothing_comes_back_as_it_was_but_what_is_not_touched():
    boxes = np.array([[-3.0, 6.5, 2.2, 9.7], [0.1, 0.1, 0.2, 0.2]])
    result = left_of(pasted((8, 8), (3, 0, 8, 6)), 0, boxes, BoxRules())
    assert result.keep.all()
    assert not result.changed.any()
    np.testing.assert_array_equal(result.boxes, boxes)
    np.testing.assert_array_equal(result.visible, 1.0)


def test_the_limits_of_size_hold_for_what_was_cut():
    plan = pasted((8, 8), (0, 0, 4, 8))
    boxes = [[0, 0, 4.5, 8], [0, 0, 5, 8], [0, 0, 6, 2], [6, 0, 6.5, 0.5]]
    sizes = left_of(plan, 0, boxes, BoxRules(0.0, min_size=1.0))
    np.testing.assert_array_equal(sizes.keep, [False, True, True, True])
    areas = left_of(plan, 0, boxes, BoxRules(0.0, min_size=0.0, min_area=4.5))
    np.testing.assert_array_equal(areas.keep, [False, True, False, True])
    equal = left_of(plan, 0, boxes, BoxRules(0.0, min_size=0.5, min_area=4.0))
    np.testing.assert_array_equal(equal.keep, [True, True, True, True])


def test_raising_the_visibility_never_adds_boxes_and_equality_keeps():
    boxes = np.array([[2, 0, 2 + length, 1] for length in range(1, 11)], np.float64)
    plan = pasted((1, 12), (0, 0, 3, 1))  # hides one pixel of every box
    kept = None
    for threshold in [0.0, *(1 - 1 / np.arange(1, 11)), 1.0]:
        keep = left_of(plan, 0, boxes, BoxRules(float(threshold), min_size=0)).keep
        assert kept is None or not (keep & ~kept).any()
        kept = keep
    for length in range(2, 11):
        equal = BoxRules((length - 1) / length, min_size=0)
        assert left_of(plan, 0, boxes, equal).keep[length - 1]


# --------------------------------------------------------------------------------------------- blends, weights


def blended(weight: float) -> Plan:
    return Plan(BatchSpec(2, (8, 8)), (Layer([0], [1], 1 - weight),))


@pytest.mark.parametrize("weight", [0.001, 0.3, 0.5, 0.999])
def test_a_blend_keeps_every_box_as_it_is(weight):
    rng = np.random.default_rng(0)
    boxes = [random_boxes(rng, count, (8, 8), beyond=3) for count in (5, 7)]
    boxes = [np.clip(group, (-3, -3, 1, 1), (7, 7, 11, 11)) for group in boxes]  # some of each on the canvas
    results = [left_of(blended(weight), source, group, BoxRules()) for source, group in enumerate(boxes)]
    assert sum(result.keep.sum() for result in results) == 12
    for result, group in zip(results, boxes, strict=True):
        np.testing.assert_array_equal(result.boxes, group)
        np.testing.assert_array_equal(result.visible, 1.0)
    total = sum(result.weight.sum() for result in results)
    assert total == pytest.approx(weight * 5 + (1 - weight) * 7, rel=1e-12)


@pytest.mark.parametrize(
    ("weight", "paste", "blend", "both"), [("mix", 1, 0.3, 0.3), ("visibility", 0.75, 0.3, 0.225), ("ones", 1, 1, 1)]
)
def test_weights(weight, paste, blend, both):
    rules = BoxRules(weight=weight)
    window = (0, 0, 3, 8)  # hides a quarter of the box
    for plan, expected in (
        (pasted((8, 8), window), paste),
        (blended(0.3), blend),
        (Plan(BatchSpec(3, (8, 8)), (*blended(0.3).layers, *pasted((8, 8), (0, 0, 1, 1), window).layers[1:])), both),
    ):
        result = left_of(plan, 0, BOX, rules)
        assert result.weight[0] == pytest.approx(expected, rel=1e-12)
        assert result.keep[0]


@pytest.mark.parametrize("weight", ["mix", "visibility", "ones"])
@pytest.mark.parametrize("source", [0, 1])
def test_soft_masks_weigh_and_do_not_cut(weight, source):
    rng = np.random.default_rng(3)
    mask = rng.random((9, 12)) * (rng.random((9, 12)) < 0.7)
    boxes = random_boxes(rng, 300, (9, 12))
    boxes = boxes[(boxes[:, 2:] - boxes[:, :2]).prod(axis=1) > 4]
    result = left_of(masked(mask, 0.8), source, boxes, BoxRules(0.3, weight=weight))
    field = 0.8 * mask if source == 1 else 1 - 0.8 * mask
    mean = np.array([field[painted].mean() for painted in inside(boxes, field.shape)])
    np.testing.assert_allclose(result.visible, mean, rtol=1e-12)
    np.testing.assert_array_equal(result.keep, mean >= 0.3)
    np.testing.assert_array_equal(result.boxes, boxes)
    np.testing.assert_allclose(result.weight, 1.0 if weight == "ones" else mean, rtol=1e-12)


def test_a_half_opaque_paste_is_a_blend_where_it_covers_the_box_and_soft_where_it_does_not():
    plan = pasted((8, 8), (0, 0, 4, 8), opacity=0.4)
    boxes = [[1, 1, 3, 3], [2, 2, 6, 6], [5, 5, 7, 7]]
    own, partner = (left_of(plan, source, boxes, BoxRules()) for source in (0, 1))
    np.testing.assert_allclose(own.weight, [0.6, 0.8, 1.0], rtol=1e-12)
    np.testing.assert_allclose(own.visible, [1.0, 0.8, 1.0], rtol=1e-12)
    np.testing.assert_array_equal(own.boxes, boxes)
    np.testing.assert_array_equal(partner.keep, [True, True, False])
    np.testing.assert_allclose(partner.weight[:2], 0.4, rtol=1e-12)
    np.testing.assert_array_equal(partner.boxes[:2], [[1, 1, 3, 3], [2, 2, 4, 6]])


# ------------------------------------------------------------------------------------------------------ moves


def enlarged(boxes, crop, frame):
    """Pixels ``(N, h, w)`` of the frame that show the boxes, where a crop is enlarged by whole factors."""
    height, width = crop[3] - crop[1], crop[2] - crop[0]
    pixels = inside(boxes - np.tile(crop[:2], 2), (height, width))
    factors = (frame[3] - frame[1]) // height, (frame[2] - frame[0]) // width
    return pixels.repeat(factors[0], axis=1).repeat(factors[1], axis=2)


@pytest.mark.parametrize(
    ("crop", "frame"),
    [
        ((0, 0, 5, 4), (3, 5, 8, 9)),
        ((2, 1, 7, 4), (0, 0, 5, 3)),
        ((2, 1, 6, 4), (1, 3, 9, 9)),
        ((3, 3, 5, 5), (0, 1, 10, 5)),
        ((1, 1, 4, 4), (1, 1, 10, 10)),
    ],
)
def test_a_moved_box_is_what_the_frame_shows_of_it(crop, frame):
    boxes = random_boxes(np.random.default_rng(0), 400, (10, 10))
    result = left_of(moved((10, 10), crop, frame), 1, boxes)
    pixels = enlarged(boxes, crop, frame)
    factor = pixels[0].size / ((crop[2] - crop[0]) * (crop[3] - crop[1]))
    whole = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1) * factor
    np.testing.assert_array_equal(result.keep, pixels.any(axis=(1, 2)))
    np.testing.assert_allclose(result.visible, pixels.sum(axis=(1, 2)) / whole, rtol=1e-12)
    expected = bounds(pixels) + np.tile(frame[:2], 2)
    np.testing.assert_array_equal(result.boxes[result.keep], expected[result.keep])
    assert result.changed.all()


def test_a_crop_that_stays_where_it_is_is_a_paste():
    boxes = random_boxes(np.random.default_rng(0), 200, (10, 10), beyond=3)
    for window in ((0, 0, 4, 10), (3, 2, 8, 9), (0, 0, 10, 10)):
        stays, paste = (left_of(plan, 1, boxes) for plan in (moved((10, 10), window, window), pasted((10, 10), window)))
        for field, expected in zip(stays, paste, strict=True):
            np.testing.assert_array_equal(field, expected)


def test_a_whole_sample_made_smaller():
    """ResizeMix: x * wp / W + x1."""
    boxes = random_boxes(np.random.default_rng(0), 100, (10, 10))
    result = left_of(moved((10, 10), (0, 0, 10, 10), (2, 5, 9, 8)), 1, boxes)
    np.testing.assert_allclose(result.boxes, boxes * (0.7, 0.3, 0.7, 0.3) + (2, 5, 2, 5), rtol=1e-12)
    np.testing.assert_array_equal(result.visible, 1.0)
    small = left_of(moved((10, 10), (0, 0, 10, 10), (2, 5, 9, 8)), 1, boxes, BoxRules())
    width, height = (result.boxes[:, 2:] - result.boxes[:, :2]).T
    np.testing.assert_array_equal(small.keep, (width >= 1) & (height >= 1))


def test_a_soft_mask_over_a_moved_crop_cuts_nothing_but_what_left_the_canvas():
    mask = np.linspace(0.2, 1, 64).reshape(8, 8)
    layer = masked(mask).layers[0]
    crop = moved((8, 8), (2, 2, 6, 6), (0, 0, 8, 8)).layers[0].crop
    plan = Plan(BatchSpec(2, (8, 8)), (Layer([0], [1], 1.0, layer.region, crop),))
    result = left_of(plan, 1, [[3, 3, 5, 5], [0, 0, 4, 4]])
    np.testing.assert_array_equal(result.boxes, [[2, 2, 6, 6], [0, 0, 4, 4]])
    np.testing.assert_allclose(result.visible, [mask[2:6, 2:6].mean(), mask[:4, :4].mean() / 4], rtol=1e-12)


def test_corners_of_a_crop_come_to_lie_on_those_of_the_frame():
    rng = np.random.default_rng(0)
    for _ in range(200):
        crop, frame = random_window(rng, (97, 89)), random_window(rng, (97, 89))
        part = parts(moved((97, 89), crop, frame))[1]
        corners = to_plan(np.array([crop], np.float64))
        np.testing.assert_array_equal(from_plan(place_points(part, corners)).ravel(), frame)


@pytest.mark.parametrize(
    "plan",
    [
        pasted((8, 8), (0, 0, 4, 8)),
        blended(0.5),
        masked(np.eye(8)),
        masked(np.eye(8, dtype=bool)),
        moved((8, 8), (0, 0, 4, 4), (0, 0, 8, 8)),
        Plan(BatchSpec(2, (8, 8))),
    ],
)
def test_no_boxes(plan):
    for source in parts(plan):
        result = left_of(plan, source, np.zeros((0, 4)))
        assert [field.shape for field in result[:5]] == [(0,), (0, 4), (0,), (0,), (0,)]
        assert (result.keep.dtype, result.boxes.dtype) == (np.bool_, np.float64)


# ------------------------------------------------------------------------------------------------------ rules


def test_rules_are_checked_and_printed_as_they_are_made():
    assert repr(BoxRules()) == "BoxRules()"
    rules = BoxRules(0.2, "keep", fields=["score", "ids"], format="CXCYWHR")
    assert repr(rules) == "BoxRules(min_visibility=0.2, occluded='keep', fields=('score', 'ids'), format='cxcywhr')"
    assert rules == eval(repr(rules))
    assert BoxRules(fields="score").fields == ("score",)


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("min_visibility", 1.1, r"a number within \[0, 1\]"),
        ("min_visibility", -0.1, r"a number within \[0, 1\]"),
        ("occluded", "drop", "one of 'shrink', 'keep'"),
        ("min_size", -1, r"a number within \[0, "),
        ("min_area", float("inf"), r"a number within \[0, "),
        ("weight", "area", "one of 'mix', 'visibility', 'ones'"),
        ("fields", (1.5,), "wanted names"),
        ("fields", 3.5, "wanted names"),
        ("format", "xxyy", "None or one of 'xyxy', 'xywh', 'cxcywh', 'xywhr'"),
        ("format", 4, "None or one of"),
        ("rotated", "drop", "one of 'keep', 'refit'"),
        ("strict", 1, "True or False"),
    ],
)
def test_rules_out_of_range(name, value, wanted):
    with pytest.raises(ParameterError, match=rf"Bad value for '{name}' \(BoxRules\): .*{wanted}"):
        BoxRules(**{name: value})
