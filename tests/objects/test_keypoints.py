"""Keypoints: seen where the painted pixel is their source's, moved only where it is, lost by their kind's rules."""

from typing import Any

import numpy as np
import pytest
import tiers
from owners import layer_of, moves, owners, parts, pastes, target

from mixtransforms import CutMix
from mixtransforms.core.errors import InputError, ParameterError
from mixtransforms.objects.keypoints import Keypoints, SeenPoints, columns_of, see_keypoints
from mixtransforms.plan import BatchSpec, Boxes, Layer, Mask, Plan

SHAPE = (8, 6)


def plan(*layers: Layer, shape: tuple[int, int] = SHAPE) -> Plan:
    return Plan(BatchSpec(4, shape), layers)


def layer(region: Any = None, opacity: float = 1.0, source: int = 1, crop: Boxes | None = None) -> Layer:
    return Layer(np.array([0]), np.array([source]), np.array([opacity]), region, crop)


def box(top: int, left: int, bottom: int, right: int) -> Boxes:
    return Boxes(np.array([[top, left]]), np.array([[bottom, right]]))


PATCH = box(2, 1, 6, 4)
PASTE = plan(layer(PATCH))
BLEND = plan(layer(opacity=0.25))
BOTH = plan(layer(opacity=0.25), layer(PATCH, source=2))


def look(
    made: Plan,
    points: Any,
    columns: str = "xyv",
    occluded: str = "hide",
    *,
    number: int = 0,
    min_visible: int = 1,
    rules: Keypoints | None = None,
) -> SeenPoints:
    """The points of one contribution to sample 0; what comes from sample 0 is its own."""
    given = np.array(points, np.float64)
    before, part = given.tobytes(), made.contributions(0)[number]
    rules = rules or Keypoints(columns, occluded=occluded, min_visible=min_visible)
    result = see_keypoints(part, given, rules)
    assert given.tobytes() == before
    assert result.points.shape == given.shape
    assert result.points.dtype == np.float64
    assert result.visible.shape == given.shape[:2]
    assert result.keep.shape == result.changed.shape == given.shape[:1]
    return result


# Which points are seen: painted pixels

AT_HOME = ([(0, 1), (0, 1)], [(0, 1), (0, 1)])


@pytest.mark.parametrize("kinds", ["b", "m", "bm", "n", "r", "w", "s", "bmnrws"])
def test_seen_where_the_painted_pixel_is_the_sources(kinds: str) -> None:
    rng = np.random.default_rng(list(kinds.encode()))
    count, rounds = 0, 80 if tiers.everything else 20
    for _ in range(rounds):
        made = pastes(rng, SHAPE, kinds)
        painted = owners(made, 0)
        for number, part in parts(made, 0):
            at = rng.integers(-2, 11, (40, 2)) + rng.choice([0.0, 0.5, 0.75], (40, 2))
            result = see_keypoints(part, at[:, None], Keypoints("xy", occluded="hide"))
            crop, frame = moves(layer_of(made, number), 0, SHAPE) if number else AT_HOME
            for index, (x, y) in enumerate(at):
                row, column = target(y, crop[0], frame[0]), target(x, crop[1], frame[1])
                inside = 0 <= row < SHAPE[0] and 0 <= column < SHAPE[1]
                assert result.visible[index, 0] == (inside and painted[int(row), int(column), 0] == number)
                np.testing.assert_allclose(result.points[index, 0], [float(column), float(row)], atol=1e-12)
                count += 1
    assert count > 38 * rounds


def test_points_ride_on_their_pixel() -> None:
    """Where nothing is resized, a point is seen exactly where the pixel that it marks is."""
    rng = np.random.default_rng(5)
    for _ in range(200):
        made = pastes(rng, SHAPE, "bmn")
        painted = owners(made, 0)
        pixels = set(map(tuple, painted.reshape(-1, 3).tolist()))
        for number, part in parts(made, 0):
            y, x = np.mgrid[: SHAPE[0], : SHAPE[1]].reshape(2, -1)
            result = see_keypoints(part, np.stack([x, y], -1)[:, None].astype(float), Keypoints("xy", occluded="hide"))
            shown = [(number, *pixel) in pixels for pixel in zip(y.tolist(), x.tolist(), strict=True)]
            np.testing.assert_array_equal(result.visible[:, 0], shown)
            for (left, top), pixel in zip(result.points[result.visible].tolist(), np.flatnonzero(shown), strict=True):
                assert painted[int(top), int(left)].tolist() == [number, y[pixel], x[pixel]]


BORDERS = [(1.0, 2.0, True), (3.999, 5.999, True), (4.0, 3.0, False), (2.0, 6.0, False), (0.999, 3.0, False)]


@pytest.mark.parametrize(("x", "y", "inside"), BORDERS)
def test_borders_of_a_patch_are_half_open(x: float, y: float, inside: bool) -> None:
    assert look(PASTE, [[[x, y]]], "xy").visible[0, 0] == (not inside)
    assert look(PASTE, [[[x, y]]], "xy", number=1).visible[0, 0] == inside


@pytest.mark.parametrize(("x", "y"), [(-0.5, 1.0), (1.0, -0.001), (6.0, 1.0), (1.0, 8.0), (99.0, 99.0)])
@pytest.mark.parametrize("made", [plan(), BLEND, PASTE], ids=["unmixed", "blend", "paste"])
def test_what_lies_outside_stays_as_it_came(made: Plan, x: float, y: float) -> None:
    for number in range(len(made.contributions(0)) if made is not PASTE else 1):
        result = look(made, [[[x, y, 2]]], number=number)
        assert result.points.tolist() == [[[x, y, 2]]]
        assert result.keep.all()
        assert not result.visible.any()
        assert not result.changed.any()


def test_a_pasted_partners_points_outside_are_not_in_the_image() -> None:
    result = look(PASTE, [[[7, 9, 2], [2, 3, 2]], [[7, 9, 2], [-1, 3, 1]]], number=1)
    assert result.points.tolist() == [[[7, 9, 0], [2, 3, 2]], [[7, 9, 0], [-1, 3, 0]]]
    assert result.keep.tolist() == [True, False]


@pytest.mark.parametrize("number", [0, 1])
def test_a_blend_hides_nothing(number: int) -> None:
    points = [[[0, 0, 2], [5, 7, 1], [3, 3, 0]], [[np.nan, 2, 2], [-1, 2, 2], [7, 7, 0]]]
    result = look(BLEND, points, number=number)
    np.testing.assert_array_equal(result.points, points)
    assert result.visible.tolist() == [[True, True, False], [False, False, False]]
    assert result.keep.all()
    assert not result.changed.any()


def test_a_paste_over_a_blend_hides_both() -> None:
    points = [[[2, 3, 2], [0, 0, 2]]]
    assert look(BOTH, points).points.tolist() == [[[2, 3, 1], [0, 0, 2]]]
    assert look(BOTH, points, number=1).points.tolist() == [[[2, 3, 0], [0, 0, 2]]]
    assert look(BOTH, points, number=2).points.tolist() == [[[2, 3, 2], [0, 0, 0]]]


def test_a_veil_over_a_box_shows_both() -> None:
    """A box that is blended in by less than half hides nothing of the sample and shows all of the partner in it."""
    veil = plan(layer(PATCH, opacity=0.25))
    assert look(veil, [[[2, 3], [0, 0]]], "xy").visible.tolist() == [[True, True]]
    assert look(veil, [[[2, 3], [0, 0]]], "xy", number=1).visible.tolist() == [[True, False]]


def test_soft_masks_are_owned_by_half_or_more() -> None:
    weights = np.linspace(0, 1, 49)[:48].reshape(1, *SHAPE)
    weights[0, 4, 0] = 0.5
    made = plan(layer(Mask(weights)))
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]].reshape(2, -1)
    points = np.stack([x, y], -1)[:, None] + 0.5
    for number, field in enumerate((1 - weights[0], weights[0])):
        np.testing.assert_array_equal(look(made, points, "xy", number=number).visible[:, 0], field[y, x] >= 0.5)


def test_soft_masks_are_no_blends() -> None:
    """Where weights vary, though none is 0, a partner's points outside are not in the image."""
    made = plan(layer(Mask(np.linspace(0.6, 0.9, 48).reshape(1, *SHAPE))))
    points = [[[2, 3, 2], [-1, 3, 2]]]
    assert look(made, points, number=1).points.tolist() == [[[2, 3, 2], [-1, 3, 0]]]
    assert look(made, points).points.tolist() == [[[2, 3, 1], [-1, 3, 2]]]


def test_even_masks_are_blends() -> None:
    """Rounding in a mask makes no soft one of it."""
    values = np.full((1, *SHAPE), 0.3)
    values[0, 0, 0] += 1e-12
    made = plan(layer(Mask(values)))
    for number in (0, 1):
        assert look(made, [[[0, 0], [3, 3]]], "xy", number=number).visible.all()


# What becomes of lost points

OWN = [[[2, 3, 2], [3, 4, 1], [3, 3, 0], [0, 0, 2]], [[2, 2, 2], [3, 5, 2], [1, 2, 2], [2, 4, 1]]]


@pytest.mark.parametrize(
    ("occluded", "marks"),
    [("hide", [[1, 1, 0, 2], [1, 1, 1, 1]]), ("unlabel", [[0, 0, 0, 2], [0, 0, 0, 0]])],
)
def test_covered_points_of_the_sample(occluded: str, marks: list[list[int]]) -> None:
    result = look(PASTE, OWN, occluded=occluded)
    np.testing.assert_array_equal(result.points[..., :2], np.array(OWN)[..., :2])
    assert result.points[..., 2].tolist() == marks
    assert result.visible.tolist() == [[False, False, False, True], [False] * 4]
    assert result.keep.tolist() == [True, False]
    assert result.changed.tolist() == [True, True]


@pytest.mark.parametrize("occluded", ["hide", "unlabel"])
def test_lost_points_of_a_partner_are_not_in_the_image(occluded: str) -> None:
    points = [[[0, 0, 2], [5, 7, 1], [3, 3, 1], [2, 3, 0]]]
    result = look(PASTE, points, occluded=occluded, number=1)
    assert result.points.tolist() == [[[0, 0, 0], [5, 7, 0], [3, 3, 1], [2, 3, 0]]]
    assert result.visible.tolist() == [[False, False, True, False]]
    assert result.changed.tolist() == [True]


def test_without_visibility_points_stay_and_the_mask_tells() -> None:
    points = np.array(OWN, np.float64)[..., :2]
    result = look(PASTE, points, "xy")
    np.testing.assert_array_equal(result.points, points)
    assert result.visible.tolist() == [[False, False, False, True], [False] * 4]
    assert result.keep.tolist() == [True, False]


@pytest.mark.parametrize(("least", "kept"), [(0, [1, 1, 1]), (1, [0, 1, 1]), (2, [0, 0, 1]), (3, [0, 0, 1])])
def test_instances_that_lose_points_need_enough_of_them(least: int, kept: list[int]) -> None:
    covered, free, unlabelled = [2, 3, 2], [0, 0, 1], [5, 5, 0]
    points = [[covered, covered, unlabelled], [covered, free, unlabelled], [free, unlabelled, unlabelled]]
    assert look(PASTE, points, min_visible=least).keep.tolist() == [bool(each) for each in kept]


def test_points_outside_do_not_count_as_seen() -> None:
    assert look(PASTE, [[[2, 3, 2], [99, 3, 2]]]).keep.tolist() == [False]


@pytest.mark.parametrize("number", [0, 1])
def test_instances_without_labelled_points_stay(number: int) -> None:
    """People of COCO whose keypoints nobody marked, all at the origin."""
    result = look(PASTE, np.zeros((2, 17, 3)), number=number)
    assert result.keep.all()
    assert not result.points.any()
    assert not result.visible.any()


# Moves

MOVE = plan(layer(box(4, 2, 8, 6), crop=box(0, 0, 4, 4)))
GROW = plan(layer(box(0, 0, 8, 6), crop=box(2, 1, 4, 3)))


def test_partners_are_moved_with_their_pixels() -> None:
    result = look(MOVE, [[[0.5, 1.5, 2], [3, 3, 1], [4, 1, 2], [1, 5, 0]]], number=1)
    assert result.points.tolist() == [[[2.5, 5.5, 2], [5, 7, 1], [6, 5, 0], [3, 9, 0]]]
    assert result.visible.tolist() == [[True, True, False, False]]
    assert result.changed.tolist() == [True]
    assert look(MOVE, [[[0.5, 1.5, 2]]], number=1).changed.tolist() == [True]


def test_partners_are_resized_with_their_pixels() -> None:
    result = look(GROW, [[[1, 2, 2], [2, 3, 2], [2.5, 2.5, 2], [3, 3, 2], [2, 1, 2]]])
    assert result.points.tolist() == [[[0, 0, 2], [3, 4, 2], [4.5, 2, 2], [6, 4, 0], [3, -4, 0]]]


def test_a_blend_of_a_moved_whole_is_still_cut() -> None:
    made = plan(layer(opacity=0.5, crop=box(2, 1, 4, 3)))
    result = look(made, [[[2, 3, 2], [5, 3, 2]]], number=1)
    assert result.points.tolist() == [[[3, 4, 2], [12, 4, 0]]]
    assert look(made, [[[2, 3, 2], [5, 3, 2]]]).visible.all()


def test_unmoved_instances_that_lose_nothing_are_unchanged() -> None:
    result = look(PASTE, [[[0, 0, 2]], [[2, 3, 2]], [[2, 3, 0]]])
    assert result.changed.tolist() == [False, True, False]


@pytest.mark.parametrize("columns", ["yx", "vyx", "asxzyv", "xyzas"])
def test_columns_in_any_order(columns: str) -> None:
    values = {"x": 0.5, "y": 1.5, "v": 2.0, "a": 7.0, "s": 8.0, "z": 9.0}
    moved = values | {"x": 2.5, "y": 5.5}
    result = look(MOVE, [[[values[letter] for letter in columns]]], columns, number=1)
    assert result.points.tolist() == [[[moved[letter] for letter in columns]]]
    hidden = look(PASTE, [[[2.5 if letter in "xy" else values[letter] for letter in columns]]], columns)
    assert hidden.points.tolist() == [[[(values | {"x": 2.5, "y": 2.5, "v": 1.0})[letter] for letter in columns]]]


# Odd values


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("made", [plan(), BLEND, PASTE, MOVE, GROW], ids=["unmixed", "blend", "paste", "move", "grow"])
def test_points_without_a_position_are_never_seen(made: Plan, bad: float) -> None:
    for number in range(len(made.contributions(0))):
        result = look(made, [[[bad, 3, 2], [2, bad, 2], [bad, bad, 1], [bad, bad, 0]]], number=number)
        assert not result.visible.any()
        assert not np.isfinite(result.points[..., :2]).all(axis=-1).any()


def test_own_points_without_a_position_stay_as_they_came() -> None:
    points = np.array([[[np.nan, np.nan, 2]], [[np.inf, 0, 1]]])
    result = look(PASTE, points)
    np.testing.assert_array_equal(result.points, points)
    assert result.keep.all()


def test_an_unmixed_sample_comes_back_bit_for_bit() -> None:
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.normal(3, 4, (50, 5, 2)), rng.integers(0, 3, (50, 5, 1))], -1)
    points[0, 0, 0] = np.nan
    result = look(plan(), points)
    assert result.points.tobytes() == points.tobytes()
    assert result.keep.all()
    assert not result.changed.any()


@pytest.mark.parametrize("made", [plan(), BLEND, PASTE, MOVE], ids=["unmixed", "blend", "paste", "move"])
@pytest.mark.parametrize("shape", [(0, 3, 3), (0, 17, 3), (2, 0, 3)])
def test_no_points(made: Plan, shape: tuple[int, int, int]) -> None:
    for number in range(len(made.contributions(0))):
        assert look(made, np.zeros(shape), number=number).keep.tolist() == [True] * shape[0]


# The kind


def settled(rules: Keypoints, width: int, *, single: bool) -> tuple[str, str | None, int]:
    made = rules.settled(width, single)
    return made.columns, made.occluded, made.min_visible


def test_what_is_not_declared_follows_the_form() -> None:
    assert settled(Keypoints(), 2, single=False) == ("xy", "hide", 1)
    assert settled(Keypoints(min_visible=3), 3, single=False) == ("xyv", "hide", 3)
    assert settled(Keypoints(), 3, single=True) == ("xyv", "drop", 1)
    assert settled(Keypoints("yx", "hide"), 2, single=True) == ("yx", "hide", 0)
    assert settled(Keypoints("xyasv", "unlabel"), 5, single=True) == ("xyasv", "unlabel", 0)
    assert settled(Keypoints(occluded="drop", min_visible=5), 2, single=True) == ("xy", "drop", 1)


@pytest.mark.parametrize(
    ("occluded", "own", "partner"),
    [
        ("drop", {0: 2.0, 2: 0.0}, {1: 2.0, 2: 0.0}),
        ("hide", {0: 2.0, 1: 1.0, 2: 0.0}, {1: 2.0, 2: 0.0}),
        ("unlabel", {0: 2.0, 1: 0.0, 2: 0.0}, {1: 2.0, 2: 0.0}),
    ],
)
def test_single_points(occluded: str, own: dict[int, float], partner: dict[int, float]) -> None:
    """A free point, a covered one, and one that nobody marked: which stay, and with what visibility.

    A partner's point that is not pasted is not in the image, and stays in no form.
    """
    rules = Keypoints(occluded=occluded).settled(3, single=True)
    points = [[[0, 0, 2]], [[2, 3, 2]], [[2, 3, 0]]]
    for number, wanted in enumerate((own, partner)):
        result = look(PASTE, points, number=number, rules=rules)
        kept = np.flatnonzero(result.keep)
        assert dict(zip(kept.tolist(), result.points[kept, 0, 2].tolist(), strict=True)) == wanted


@pytest.mark.parametrize("occluded", ["hide", "unlabel", "drop", None])
@pytest.mark.parametrize("columns", ["xy", "xyv"])
def test_single_points_of_a_batch_are_those_of_its_pixels(columns: str, occluded: str | None) -> None:
    """What is pasted brings the points that lie in it; what it covers is hidden or dropped."""
    if occluded == "unlabel" and columns == "xy":
        return
    rng = np.random.default_rng(0)
    at = rng.integers(0, 16, (2, 9, 2))
    keypoints = np.concatenate([at + 0.5, np.full((2, 9, 1), 2.0)], axis=2)[..., : len(columns)]
    cut = Plan(BatchSpec(2, (16, 16)), (Layer([0], [1], 1.0, Boxes([[0, 3]], [[16, 11]])),))
    mix = CutMix(kinds={"keypoints": Keypoints(occluded=occluded)})
    got = mix.replay(cut, {"image": np.zeros((2, 16, 16, 1)), "keypoints": list(keypoints)})
    inside = (at[..., 0] >= 3) & (at[..., 0] < 11)
    stay = np.ones(9, bool) if occluded in ("hide", "unlabel") else ~inside[0]
    wanted = np.concatenate([at[0][stay], at[1][inside[1]]])
    np.testing.assert_array_equal(got["keypoints"][0][:, :2] - 0.5, wanted)
    np.testing.assert_array_equal(got["keypoints"][1], keypoints[1])


def test_columns_by_width() -> None:
    assert columns_of("", 2) == "xy"
    assert columns_of("", 3) == "xyv"
    assert columns_of("xya", 3) == "xya"


@pytest.mark.parametrize(
    ("columns", "width", "text"),
    [
        ("", 4, r"another width \(batch\['pts'\]\): got 4 numbers a point; wanted 2 \(x, y\) or 3 \(x, y, v\)"),
        ("", 1, "got 1 numbers a point"),
        ("xyv", 2, "got 2 numbers a point; wanted 3, because columns='xyv'"),
        ("xy", 3, r"wanted 2, because columns='xy'. Declare what they are, such as Keypoints\('xya'\)"),
    ],
)
def test_columns_must_fit(columns: str, width: int, text: str) -> None:
    with pytest.raises(InputError, match=text):
        columns_of(columns, width, "batch['pts']")
    with pytest.raises(InputError, match=text):
        Keypoints(columns).settled(width, single=True, where="batch['pts']")


@pytest.mark.parametrize(
    ("occluded", "width", "single", "text"),
    [
        ("unlabel", 2, True, r"No visibility to unlabel .* \(pts\): got columns 'xy' .* choose occluded='hide'"),
        ("unlabel", 2, False, "wanted a column v"),
        ("drop", 3, False, r"cannot be dropped one by one \(pts\).*wanted single points \(P, C\).*min_visible"),
    ],
)
def test_rules_must_suit_the_form(occluded: str, width: int, single: bool, text: str) -> None:
    with pytest.raises(InputError, match=text):
        Keypoints(occluded=occluded).settled(width, single, "pts")


@pytest.mark.parametrize("columns", ["x", "xx", "xyq", "xyvv", "vas", "xyxy", 3, None])
def test_bad_columns(columns: Any) -> None:
    with pytest.raises(ParameterError, match=r"Bad value for 'columns' \(Keypoints\).*'xyvasz'"):
        Keypoints(columns)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"occluded": "keep"}, "Bad value for 'occluded'.*None or one of 'hide', 'unlabel', 'drop'"),
        ({"min_visible": -1}, "Bad value for 'min_visible'.*at least 0"),
        ({"min_visible": 1.5}, "Bad value for 'min_visible'"),
        ({"min_visible": True}, "Bad value for 'min_visible'"),
        ({"fields": 3.5}, "Bad value for 'fields'"),
        ({"fields": [3.5]}, "Bad value for 'fields'.*wanted names"),
    ],
)
def test_bad_parameters(options: dict[str, Any], text: str) -> None:
    with pytest.raises(ParameterError, match=text):
        Keypoints(**options)


def test_the_kind_reads_as_it_is_written() -> None:
    kind = Keypoints("xyv", "unlabel", fields=["ids"], min_visible=np.int64(2))
    assert repr(kind) == "Keypoints(columns='xyv', occluded='unlabel', min_visible=2, fields=('ids',))"
    assert eval(repr(kind)) == kind
    assert repr(Keypoints()) == "Keypoints()"
    assert Keypoints(fields="ids").fields == ("ids",)
    assert Keypoints.name == "keypoints"
