"""Rotated boxes: areas against the upright rule and a fine raster, rectangles against every angle."""

import numpy as np
import pytest
from painted import inside, masked, moved, pasted, random_boxes, random_window

from mixtransforms.objects import boxes as upright
from mixtransforms.objects.box_formats import decode, degenerate, encode, from_plan, signed_area, to_plan
from mixtransforms.objects.boxes import BoxRules, SeenObjects
from mixtransforms.objects.rotated_boxes import clipped, polygon_cover, see_rotated_boxes, smallest_rectangle
from mixtransforms.plan import BatchSpec, Layer, Plan

ALL = BoxRules(min_visibility=0.0, min_size=0.0, min_area=0.0)
REFIT = BoxRules(min_visibility=0.0, rotated="refit")
CANVAS = (20, 24)
DIAMOND = np.array([[[10.0, 4.0], [16.0, 10.0], [10.0, 16.0], [4.0, 10.0]]])


def left_of(plan: Plan, source: int, corners, rules: BoxRules = ALL) -> SeenObjects:
    (part,) = (part for part in plan.contributions(0) if part.source == source)
    result = see_rotated_boxes(part, to_plan(np.asarray(corners, np.float64)), rules)
    return result._replace(boxes=from_plan(result.boxes))


def turned(count: int, seed: int = 0):
    """Corners of rotated boxes, some of which reach beyond the canvas."""
    low, high = (2, 2, 2, 2, -180), (22, 18, 14, 10, 180)
    return decode(np.random.default_rng(seed).uniform(low, high, (count, 5)), "cxcywhr", CANVAS)


def raster(polygon, shape, fine: int = 25):
    """Area that a convex polygon covers of every pixel, counted on points ``fine`` times as dense."""
    y, x = (np.mgrid[: shape[0] * fine, : shape[1] * fine] + 0.5) / fine
    left = [
        (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1)
        for (x1, y1), (x2, y2) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True)
    ]
    within = (np.array(left) >= 0).all(axis=0) | (np.array(left) <= 0).all(axis=0)
    return within.reshape(shape[0], fine, shape[1], fine).mean(axis=(1, 3))


def on_grid(polygon, edges):
    """The areas of :func:`polygon_cover` as one array of the grid's size."""
    result = np.zeros([len(cuts) - 1 for cuts in edges])
    cells, area = polygon_cover(polygon[:, ::-1], edges)
    result[cells] = area
    return result


PIXELS = (np.arange(21), np.arange(25))
COARSE = (np.array([0, 3, 9, 20]), np.array([0, 11, 12, 24]))


# ------------------------------------------------------------------------------------------------------- areas


def test_areas_in_pixels_are_those_of_a_fine_raster():
    for polygon in turned(20):
        np.testing.assert_allclose(on_grid(polygon, PIXELS), raster(polygon, CANVAS), atol=0.03)


def test_areas_of_other_polygons():
    rng = np.random.default_rng(0)
    for corners in (3, 4, 5, 7):
        angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
        polygon = np.stack([12 + 9 * np.cos(angles), 10 + 9 * np.sin(angles)], axis=1)
        for way in (polygon, polygon[::-1]):
            np.testing.assert_allclose(on_grid(way, PIXELS), raster(polygon, CANVAS), atol=0.03)


def test_known_areas():
    area = on_grid(DIAMOND[0], (np.arange(0, 21, 10), np.array([0, 4, 10, 16, 24])))
    np.testing.assert_allclose(area, [[0, 18, 18, 0]] * 2, rtol=1e-14)
    assert on_grid(DIAMOND[0], PIXELS).max() == 1
    assert on_grid(DIAMOND[0] - 4, PIXELS)[0, :7].tolist() == [0, 0, 0, 0, 0, 0.5, 0.5]


@pytest.mark.parametrize("edges", [PIXELS, COARSE])
def test_areas_of_a_grid_are_those_of_clipped_polygons(edges):
    rows, cols = edges
    whole = np.array([[0.0, 0.0], [24.0, 20.0]])
    for polygon in turned(10):
        area = on_grid(polygon, edges)
        for (y, x), got in np.ndenumerate(area):
            cell = np.array([[cols[x + k], rows[y + k]] for k in (0, 1)], np.float64)
            piece = clipped(polygon, cell)
            assert got == pytest.approx(abs(signed_area(piece)) if len(piece) else 0.0, abs=1e-9)
        assert area.sum() == pytest.approx(abs(signed_area(clipped(polygon, whole))), rel=1e-12)


@pytest.mark.parametrize(
    ("shift", "area"),
    [
        ((40, 0), 0),
        ((-40, 0), 0),
        ((0, 40), 0),
        ((0, -40), 0),
        ((10, 0), 68),
        ((-10, 0), 36),
        ((0, 10), 36),
        ((0, -6), 68),
    ],
)
def test_only_the_canvas_counts(shift, area):
    assert on_grid(DIAMOND[0] + shift, PIXELS).sum() == pytest.approx(area, rel=1e-12)


@pytest.mark.parametrize("source", [0, 1])
@pytest.mark.parametrize("degrees", [0, 90, 180, -90])
@pytest.mark.parametrize("kind", ["paste", "mask", "soft", "blend"])
def test_upright_boxes_are_seen_as_upright_boxes_are(kind, degrees, source):
    rng = np.random.default_rng(5)
    for _ in range(5):
        plan = {
            "paste": lambda: pasted(CANVAS, random_window(rng, CANVAS)),
            "mask": lambda: masked(rng.random(CANVAS) < 0.5),
            "soft": lambda: masked(rng.random(CANVAS)),
            "blend": lambda: Plan(BatchSpec(2, CANVAS), (Layer([0], [1], 0.3),)),
        }[kind]()
        plain = random_boxes(rng, 30, CANVAS, beyond=4)
        values = encode(plain, "cxcywh", CANVAS)
        if degrees in (90, -90):
            values[:, 2:] = values[:, :1:-1]
        corners = decode(np.concatenate([values, np.full((30, 1), degrees)], axis=1), "cxcywhr", CANVAS)
        rules = BoxRules(0.3, occluded="keep", weight="visibility")
        (part,) = (part for part in plan.contributions(0) if part.source == source)
        expected, result = upright.see_boxes(part, to_plan(plain), rules), left_of(plan, source, corners, rules)
        np.testing.assert_allclose(result.visible, expected.visible, atol=1e-12)
        np.testing.assert_allclose(result.weight, expected.weight, atol=1e-12)
        clear = np.abs(result.visible - 0.3) > 1e-9
        untouched = clear & ~expected.changed
        np.testing.assert_array_equal(result.keep[untouched], expected.keep[untouched])
        assert not result.changed.any()
        np.testing.assert_array_equal(result.boxes, corners)


@pytest.mark.parametrize("source", [0, 1])
def test_visible_shares_under_a_paste(source):
    window = (5, 3, 15, 12)
    corners = turned(20)
    result = left_of(pasted(CANVAS, window), source, corners)
    owned = inside(np.array([window], np.float64), CANVAS)[0] == source
    pixels = np.array([raster(polygon, CANVAS) for polygon in corners])
    np.testing.assert_allclose(result.visible, (pixels * owned).sum(axis=(1, 2)) / pixels.sum(axis=(1, 2)), atol=0.01)
    np.testing.assert_array_equal(result.keep, (pixels * owned).any(axis=(1, 2)))


@pytest.mark.parametrize("rotated", ["keep", "refit"])
def test_boxes_of_the_sample_itself_are_kept_whole_or_dropped(rotated):
    plan = pasted(CANVAS, (0, 0, 10, 20))  # hides the left half
    for threshold, keep in ((0.5, True), (0.51, False)):
        result = left_of(plan, 0, DIAMOND, BoxRules(threshold, rotated=rotated))
        assert result.keep.tolist() == [keep]
        assert result.changed.tolist() == [False]
        np.testing.assert_array_equal(result.boxes, DIAMOND)
        assert result.visible[0] == pytest.approx(0.5, rel=1e-12)


@pytest.mark.parametrize("rotated", ["keep", "refit"])
def test_what_is_not_touched_is_all_seen(rotated):
    corners = turned(50)
    corners = corners[[on_grid(polygon, PIXELS).any() for polygon in corners]]
    rules = BoxRules(1.0, min_size=100, rotated=rotated)
    for plan, source in (
        (Plan(BatchSpec(2, CANVAS)), 0),
        (Plan(BatchSpec(2, CANVAS), (Layer([0], [1], 0.001),)), 1),
        (pasted(CANVAS, (0, 0, 24, 20)), 1),
    ):
        result = left_of(plan, source, corners, rules)
        assert result.keep.all()
        assert not result.changed.any()
        np.testing.assert_array_equal(result.visible, 1.0)
        np.testing.assert_array_equal(result.boxes, corners)


def test_no_digits_are_lost_far_from_the_origin():
    square = np.array([[0.0, 0.0], [0.5, 0.0], [0.5, 0.5], [0.0, 0.5]])
    assert signed_area(square + 2.0**30) == 0.25
    assert signed_area(square[::-1]) == -0.25


def test_rotated_boxes_without_width_are_degenerate_at_every_angle():
    angles = np.linspace(-180, 180, 1000)
    for width, height in ((0, 20), (20, 0), (0, 0)):
        values = np.stack([np.full(1000, value) for value in (300.1, 200.7, width, height)] + [angles], axis=1)
        assert degenerate(decode(values, "cxcywhr", CANVAS)).all()
    values[:, 2:4] = 0.01
    assert not degenerate(decode(values, "cxcywhr", CANVAS)).any()


def test_corners_on_one_line_are_degenerate():
    along = np.random.default_rng(0).uniform(0, 300, (1000, 4, 1))
    assert degenerate(along * (0.1, 0.7) + (1 / 3, 0.2)).all()


# --------------------------------------------------------------------------------------------------- rectangles


def smallest_of_all_angles(points) -> float:
    """Area of the smallest rectangle around points, of 9000 angles."""
    angle = np.linspace(0, np.pi / 2, 9000, endpoint=False)
    along, across = (
        x * points[:, :1] + y * points[:, 1:]
        for x, y in ((np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle)))
    )
    return float((np.ptp(along, axis=0) * np.ptp(across, axis=0)).min())


def check_rectangle(corners, points) -> None:
    """Right angles, clockwise on the screen, all points inside, and no smaller one."""
    along, down = corners[1] - corners[0], corners[3] - corners[0]
    np.testing.assert_allclose(corners[0] + along + down, corners[2], atol=1e-9)
    assert along @ down == pytest.approx(0, abs=1e-9)
    for side in (along, down):
        at = (points - corners[0]) @ side / (side @ side)
        assert at.min() >= -1e-9
        assert at.max() <= 1 + 1e-9
    area = abs(signed_area(corners))
    assert smallest_of_all_angles(points) * 0.999 <= area <= smallest_of_all_angles(points) + 1e-9


def check_fitted(corners, points, box) -> None:
    """A rectangle along the axes of a box, whose sides all touch the points, with corners in the order of the box's."""
    for number, axis in enumerate((box[1] - box[0], box[3] - box[0])):
        unit = axis / np.hypot(*axis)
        low, high = (points @ unit).min(), (points @ unit).max()
        wanted = [(low, high, high, low), (low, low, high, high)][number]
        np.testing.assert_allclose(corners @ unit, wanted, atol=1e-9)


def test_a_fitted_box_keeps_its_angle():
    """By hand: a bar of 80 by 20, turned by 20 degrees, of which a region shows the upper half."""
    corners = decode(np.array([[64.0, 64, 80, 20, -20]]), "cxcywhr", (128, 128))
    result = left_of(pasted((128, 128), (24, 0, 114, 58)), 1, corners, REFIT)
    wanted = [[(29.832, 40.922), (76.753, 58.0), (70.582, 74.955), (23.662, 57.877)]]
    np.testing.assert_allclose(result.boxes, wanted, atol=5e-4)
    values = encode(result.boxes, "cxcywhr", (128, 128))[0]
    np.testing.assert_allclose(values[2:], [49.932, 18.043, -20], atol=5e-4)
    assert result.visible[0] == pytest.approx(0.28345, abs=5e-6)


def test_a_part_of_a_partner_is_fitted():
    corners, window = turned(60), (5, 3, 15, 12)
    result = left_of(pasted(CANVAS, window), 1, corners, REFIT)
    frame = np.array([window[:2], window[2:]])
    fitted = 0
    for polygon, box, visible, changed in zip(corners, result.boxes, result.visible, result.changed, strict=True):
        assert changed == (0 < visible < 1)
        if changed:
            check_fitted(box, clipped(polygon, frame), polygon)
            assert signed_area(box) > 0
            fitted += 1
    assert fitted > 30
    np.testing.assert_array_equal(result.boxes[~result.changed], corners[~result.changed])


def test_limits_of_size_hold_for_what_was_fitted():
    plan = pasted(CANVAS, (0, 0, 5, 20))  # shows the tip of the diamond: 1 wide, 2 high
    for rules, keep in (
        (BoxRules(0.0, rotated="refit"), True),
        (BoxRules(0.0, rotated="refit", min_size=1.5), False),
        (BoxRules(0.0, rotated="refit", min_area=2.5), False),
        (BoxRules(0.0, min_size=15), True),
    ):
        assert left_of(plan, 1, DIAMOND, rules).keep.tolist() == [keep]


def test_corners_keep_their_order_and_direction():
    plan = pasted(CANVAS, (0, 0, 23, 20))
    corners = decode(np.array([[22.0, 10, 8, 4, 10], [22, 10, 8, 4, 190], [22, 10, 8, 4, 100]]), "cxcywhr", CANVAS)
    result = left_of(plan, 1, corners, REFIT)
    assert result.changed.all()
    angles = encode(result.boxes, "cxcywhr", CANVAS)[:, 4]
    np.testing.assert_allclose((angles - [10, 190, 100] + 180) % 360, 180, atol=1e-9)
    mirrored = left_of(plan, 1, corners[:, ::-1], REFIT)
    assert (signed_area(mirrored.boxes) < 0).all()


def test_an_edge_without_length_does_no_harm():
    kite = np.array([[[10.0, 4.0], [10.0, 4.0], [16.0, 10.0], [10.0, 16.0]]])
    result = left_of(pasted(CANVAS, (0, 0, 14, 20)), 1, kite, REFIT)
    shown = clipped(kite[0], np.array([[0.0, 0.0], [14.0, 20.0]]))
    check_fitted(result.boxes[0], shown, smallest_rectangle(kite[0], kite[0]))


def test_no_rectangle_is_fitted_to_what_is_none():
    two = pasted(CANVAS, (0, 0, 24, 20), (10, 10, 24, 20))  # an L of sample 1
    assert not left_of(two, 1, DIAMOND, REFIT).changed.any()
    hole = pasted(CANVAS, (0, 0, 24, 20), (8, 8, 12, 12))
    assert not left_of(hole, 1, DIAMOND, REFIT).changed.any()
    mask = np.zeros(CANVAS)
    mask[2:12, 3:14] = np.linspace(0.2, 1, 11)
    assert not left_of(masked(mask), 1, DIAMOND, REFIT).changed.any()
    mask = mask > 0
    result = left_of(masked(mask), 1, DIAMOND, REFIT)
    expected = left_of(pasted(CANVAS, (3, 2, 14, 12)), 1, DIAMOND, REFIT)
    np.testing.assert_allclose(result.boxes, expected.boxes, atol=1e-12)


# --------------------------------------------------------------------------------------------------------- moves


def test_a_shift_keeps_size_and_angle():
    corners = turned(30)
    result = left_of(moved(CANVAS, (4, 3, 20, 15), (8, 7, 24, 19)), 1, corners)
    np.testing.assert_allclose(result.boxes, corners + 4, atol=1e-12)
    assert result.changed.all()
    pieces = [clipped(polygon, np.array([[4, 3], [20, 15]])) for polygon in corners]
    share = [abs(signed_area(piece)) if len(piece) else 0 for piece in pieces] / np.abs(signed_area(corners))
    np.testing.assert_allclose(result.visible, share, atol=1e-12)


def test_the_same_scale_on_both_axes_keeps_the_angle():
    corners = turned(30)
    values = encode(corners, "cxcywhr", CANVAS)
    result = encode(left_of(moved(CANVAS, (6, 4, 16, 14), (0, 0, 20, 20)), 1, corners).boxes, "cxcywhr", CANVAS)
    np.testing.assert_allclose(result[:, :2], (values[:, :2] - (6, 4)) * 2, atol=1e-9)
    np.testing.assert_allclose(result[:, 2:4], values[:, 2:4] * 2, atol=1e-9)
    np.testing.assert_allclose(result[:, 4], values[:, 4], atol=1e-9)


def test_corners_of_any_shape_are_shifted_and_scaled_as_they_are():
    kite = np.array([[[7.0, 4.0], [12.0, 6.0], [10.0, 9.0], [7.0, 6.0]]])
    result = left_of(moved(CANVAS, (6, 4, 16, 14), (0, 0, 20, 20)), 1, kite)
    np.testing.assert_array_equal(result.boxes, (kite - (6, 4)) * 2)


@pytest.mark.parametrize("rotated", ["keep", "refit"])
def test_other_scales_make_the_smallest_rectangle_around_the_skewed_box(rotated):
    middle = decode(np.array([[12.0, 10, 6, 3, 5], [12, 10, 6, 3, 40], [11, 9, 3, 7, -70]]), "cxcywhr", CANVAS)
    result = left_of(moved(CANVAS, (4, 4, 20, 16), (0, 0, 24, 12)), 1, middle, BoxRules(rotated=rotated))
    assert result.keep.all()
    np.testing.assert_array_equal(result.visible, 1.0)
    for box, polygon in zip(result.boxes, (middle - 4) * (1.5, 1), strict=True):
        check_rectangle(box, polygon)


def test_a_moved_box_reaching_over_its_frame():
    plan = moved(CANVAS, (0, 0, 10, 20), (10, 0, 20, 20))  # its left half, shown at the right
    kept, fitted = (left_of(plan, 1, DIAMOND, BoxRules(0.5, rotated=rotated)) for rotated in ("keep", "refit"))
    for result in (kept, fitted):
        assert result.keep.tolist() == [True]
        assert result.visible[0] == pytest.approx(0.5, rel=1e-12)
    np.testing.assert_allclose(kept.boxes, DIAMOND + np.array([10, 0]))
    check_fitted(fitted.boxes[0], np.array([[20.0, 4.0], [20, 16], [14, 10]]), DIAMOND[0])


@pytest.mark.parametrize("rotated", ["keep", "refit"])
@pytest.mark.parametrize(
    "plan",
    [
        pasted(CANVAS, (0, 0, 4, 8)),
        masked(np.eye(20)),
        moved(CANVAS, (0, 0, 4, 4), (0, 0, 8, 4)),
        Plan(BatchSpec(2, CANVAS)),
    ],
)
def test_no_boxes(plan, rotated):
    for part in plan.contributions(0):
        result = see_rotated_boxes(part, np.zeros((0, 4, 2)), BoxRules(rotated=rotated))
        assert [field.shape for field in result[:5]] == [(0,), (0, 4, 2), (0,), (0,), (0,)]
        assert (result.keep.dtype, result.changed.dtype) == (np.bool_, np.bool_)


def test_a_smallest_rectangle_of_a_rectangle_is_itself():
    for polygon in turned(30):
        np.testing.assert_allclose(smallest_rectangle(polygon, polygon), polygon, atol=1e-9)
