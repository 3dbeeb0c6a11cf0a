"""Instance masks: what pixel loops leave of them, of every dtype, and what is kept by which weight."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import tiers
from instances import see_masks
from numpy.typing import NDArray
from owners import covers, layer_of, moves, owners, parts, pastes, random_box, source

from mixtransforms.objects.box_formats import from_plan
from mixtransforms.objects.boxes import BoxRules, SeenObjects
from mixtransforms.plan import BatchSpec, Boxes, Layer, Mask, Plan

Masks = NDArray[Any]
SHAPE = (8, 6)
ANY = BoxRules(min_visibility=0)
DTYPES = ("bool", "uint8", "int64", "float32")


def plan(*layers: Layer) -> Plan:
    return Plan(BatchSpec(4, SHAPE), layers)


def layer(region: Any = None, opacity: float = 1.0, source: int = 1, crop: Boxes | None = None) -> Layer:
    return Layer(np.array([0]), np.array([source]), np.array([opacity]), region, crop)


def box(top: int, left: int, bottom: int, right: int) -> Boxes:
    return Boxes(np.array([[top, left]]), np.array([[bottom, right]]))


def block(top: int, left: int, bottom: int, right: int, dtype: str = "bool") -> Masks:
    """One rectangular instance, ``(1, H, W)``."""
    return box(top, left, bottom, right).inside(SHAPE).astype(dtype)


PATCH = box(2, 1, 6, 4)
PASTE = plan(layer(PATCH))
BLEND = plan(layer(opacity=0.25))
GRADIENT = np.linspace(0, 1, 48).reshape(1, *SHAPE)
SOFT = plan(layer(Mask(GRADIENT)))


def look(made: Plan, masks: Masks, rules: BoxRules = ANY, *, number: int = 0) -> SeenObjects:
    """The instances of one contribution to sample 0, with boxes ``x1, y1, x2, y2``."""
    before = masks.copy()
    result = see_masks(made.contributions(0)[number], masks, rules)
    np.testing.assert_array_equal(masks, before)
    assert result.masks.shape == masks.shape
    assert result.masks.dtype == masks.dtype
    assert [column.dtype for column in result] == [bool, float, bool, float, float, masks.dtype, np.int64]
    assert {len(column) for column in result} == {len(masks)}
    assert np.isfinite(result.boxes).all()
    return result._replace(boxes=from_plan(result.boxes))


def random_masks(rng: np.random.Generator, count: int, dtype: str = "bool") -> Masks:
    """Blocks, scattered pixels and parts of both; sometimes none at all. Values beside 0 and 1 where there are any."""
    blocks = np.concatenate([random_box(rng, SHAPE).inside(SHAPE) for _ in range(count)])
    inside = blocks & (rng.random(blocks.shape) < rng.choice([0.05, 0.5, 1, 1], (count, 1, 1)))
    return (inside * rng.integers(1, 100, inside.shape)).astype(dtype)


def loops(plan: Plan, number: int, mask: Masks) -> tuple[Masks, float]:
    """What pixel loops leave of one mask, and what share of its pixels that is; without a crop, by counting alone."""
    painted = owners(plan, 0)
    left, placed = np.zeros_like(mask), 0
    crop, frame = moves(layer_of(plan, number), 0, SHAPE) if number else ([(0, length) for length in SHAPE],) * 2
    for y in range(*frame[0]):
        for x in range(*frame[1]):
            value = mask[source(y, crop[0], frame[0]), source(x, crop[1], frame[1])]
            placed += value != 0
            if painted[y, x, 0] == number:
                left[y, x] = value
    inside = sum(mask[y, x] != 0 for y in range(*crop[0]) for x in range(*crop[1]))
    if not placed:
        return left, 0.0
    return left, np.count_nonzero(left) / placed * inside / np.count_nonzero(mask)


def tight(mask: Masks) -> list[float]:
    """The box around all pixels, by loops; zeros where there are none."""
    hits = [(x, y) for y in range(SHAPE[0]) for x in range(SHAPE[1]) if mask[y, x] != 0]
    if not hits:
        return [0.0] * 4
    xs, ys = zip(*hits, strict=True)
    return [min(xs), min(ys), max(xs) + 1, max(ys) + 1]


@tiers.each(kinds=["b", "m", "bm", "n", "r", "w", "s", "bmnrws"], dtype=DTYPES)
def test_pixel_loops_leave_the_same(kinds: str, dtype: str) -> None:
    rng = np.random.default_rng([*kinds.encode(), DTYPES.index(dtype)])
    count, rounds = 0, 20 if tiers.everything else 5  # every kind of layer has forty of its own, by the dtypes
    for _ in range(rounds):
        made = pastes(rng, SHAPE, kinds)
        for number, part in parts(made, 0):
            masks = random_masks(rng, 5, dtype)
            before = masks.copy()
            result = see_masks(part, masks, ANY)
            np.testing.assert_array_equal(masks, before)
            assert result.masks.dtype == dtype
            for index, mask in enumerate(masks):
                left, visible = loops(made, number, mask)
                np.testing.assert_array_equal(result.masks[index], left)
                assert result.area[index] == np.count_nonzero(left)
                assert from_plan(result.boxes)[index].tolist() == tight(left)
                assert result.visible[index] == pytest.approx(visible, abs=1e-12)
                assert result.weight[index] == (visible > 0)
                assert result.keep[index] == (visible > 0)
                assert result.changed[index] == (part.moved or not np.array_equal(left, mask))
                count += 1
    assert count >= 5 * rounds


def test_rectangles_shrink_as_boxes_do() -> None:
    """Of a block under a patch, the box around what is left follows the rule of boxes."""
    rng = np.random.default_rng(1)
    for _ in range(2000):
        patch, own = random_box(rng, SHAPE), random_box(rng, SHAPE)
        (top, left), (bottom, right) = patch.start[0], patch.stop[0]
        (y1, x1), (y2, x2) = own.start[0].tolist(), own.stop[0].tolist()
        tall, wide = top <= y1 and y2 <= bottom, left <= x1 and x2 <= right
        if tall and not wide:
            x1, x2 = (right if left <= x1 < right else x1), (left if left < x2 <= right else x2)
        if wide and not tall:
            y1, y2 = (bottom if top <= y1 < bottom else y1), (top if top < y2 <= bottom else y2)
        made = plan(layer(patch))
        if made.weight[0] > 0:
            result = look(made, own.inside(SHAPE))
            assert result.keep[0] == (not (tall and wide))
            if result.keep[0]:
                assert result.boxes[0].tolist() == [x1, y1, x2, y2]


# Weights


@pytest.mark.parametrize(("weight", "own", "other"), [("mix", 1, 1), ("visibility", 0.75, 0.25), ("ones", 1, 1)])
def test_weights_under_a_paste(weight: str, own: float, other: float) -> None:
    masks, rules = block(0, 2, 4, 6), BoxRules(weight=weight)
    for number, (share, wanted) in enumerate([(0.75, own), (0.25, other)]):
        result = look(PASTE, masks, rules, number=number)
        assert result.visible.tolist() == [share]
        assert result.weight.tolist() == [wanted]


@pytest.mark.parametrize("weight", ["mix", "visibility", "ones"])
@pytest.mark.parametrize(("number", "share"), [(0, 0.75), (1, 0.25)])
def test_a_blend_leaves_masks_alone(weight: str, number: int, share: float) -> None:
    masks = random_masks(np.random.default_rng(0), 6)
    masks[0, 0, 0] = True
    masks = masks[masks.any(axis=(1, 2))]
    result = look(BLEND, masks, BoxRules(weight=weight), number=number)
    assert result.masks is masks
    assert result.weight.tolist() == [1.0 if weight == "ones" else share] * len(masks)
    assert result.visible.tolist() == [1] * len(masks)
    assert result.keep.all()
    assert not result.changed.any()
    assert result.boxes.tolist() == [tight(mask) for mask in masks]


@pytest.mark.parametrize(("weight", "wanted"), [("mix", 0.75), ("visibility", 0.5625), ("ones", 1)])
def test_a_paste_over_a_blend(weight: str, wanted: float) -> None:
    made = plan(layer(opacity=0.25), layer(PATCH, source=2))
    result = look(made, block(0, 2, 4, 6), BoxRules(weight=weight))
    assert result.visible.tolist() == [0.75]
    assert result.weight.tolist() == [wanted]
    np.testing.assert_array_equal(result.masks, block(0, 2, 4, 6) & ~PATCH.inside(SHAPE))


def test_a_veil_over_a_box_tells_where_an_instance_is() -> None:
    """Beside the veil, under it, and half under it; the partner is seen through it alone."""
    made = plan(layer(PATCH, opacity=0.25))
    masks = np.concatenate([block(0, 0, 2, 6), block(2, 1, 6, 2), block(0, 2, 4, 4)])
    own, other = look(made, masks), look(made, masks, number=1)
    assert own.masks is masks
    assert own.weight.tolist() == [1, 0.75, 0.875]
    assert own.visible.tolist() == [1, 1, 0.875]
    assert not own.changed.any()
    np.testing.assert_array_equal(other.masks, masks & PATCH.inside(SHAPE))
    assert other.weight.tolist() == [0, 0.25, 0.25]
    assert other.visible.tolist() == [0, 1, 0.5]
    assert other.keep.tolist() == [False, True, True]


@pytest.mark.parametrize("weight", ["mix", "visibility"])
def test_soft_masks_weigh_by_their_mean(weight: str) -> None:
    rng = np.random.default_rng(3)
    for _ in range(200):
        masks = random_masks(rng, 4, "uint8")
        masks[:, 3, 2:4] = 1
        for number, field in enumerate((1 - GRADIENT[0], GRADIENT[0])):
            result = look(SOFT, masks, BoxRules(0, weight=weight), number=number)
            mean = [sum(field[mask != 0]) / np.count_nonzero(mask) for mask in masks]
            assert result.masks is masks
            np.testing.assert_allclose(result.visible, mean, atol=1e-12)
            np.testing.assert_allclose(result.weight, mean, atol=1e-12)
            assert result.area.tolist() == [np.count_nonzero(mask) for mask in masks]
            assert result.boxes.tolist() == [tight(mask) for mask in masks]
            assert not result.changed.any()


def test_soft_masks_with_weights_of_one() -> None:
    result = look(SOFT, block(0, 0, 4, 6), BoxRules(weight="ones"))
    assert result.weight.tolist() == [1]
    assert 0 < result.visible[0] < 1


def test_soft_masks_of_a_moved_source() -> None:
    """The share counts pixels that the crop leaves out as not seen."""
    made = plan(layer(Mask(GRADIENT), crop=box(0, 0, 4, 3)))
    result = look(made, block(0, 0, 8, 3), number=1)
    np.testing.assert_array_equal(result.masks, block(0, 0, 8, 6))
    assert result.visible[0] == pytest.approx(GRADIENT.mean() / 2)
    assert result.weight[0] == result.visible[0]


def test_even_masks_are_blends() -> None:
    """Rounding in a mask makes no soft one of it."""
    values = np.full((1, *SHAPE), 0.3)
    values[0, 0] += 1e-12
    masks = block(0, 0, 8, 6)
    result = look(plan(layer(Mask(values))), masks)
    assert result.visible.tolist() == [1]
    assert result.weight[0] == pytest.approx(0.7)


# What is kept


def test_shares_on_the_threshold_are_kept() -> None:
    masks = np.concatenate([block(0, 1, 8, 2), block(2, 0, 4, 5)])  # 4/8 and 4/10 are left
    assert look(PASTE, masks).visible.tolist() == [0.5, 0.4]
    for threshold, kept in [(0.4, [True, True]), (0.41, [True, False]), (0.5, [True, False]), (0.51, [False, False])]:
        assert look(PASTE, masks, BoxRules(threshold)).keep.tolist() == kept


def test_shares_of_moved_instances_are_not_rounded() -> None:
    """3 of 10 pixels within the crop, 1 of which is covered later: exactly a fifth is seen, though 3/10 * 2/3 is less."""
    made = plan(layer(box(0, 0, 3, 3), crop=box(1, 0, 4, 3)), layer(box(0, 0, 1, 6), source=2))
    masks = np.zeros((1, *SHAPE), bool)
    masks[0, 1:4, 0] = masks[0, 1:8, 5] = True
    result = look(made, masks, BoxRules(0.2), number=1)
    assert result.visible.tolist() == [0.2]
    assert result.keep.all()


def test_raising_the_threshold_adds_nothing() -> None:
    rng = np.random.default_rng(8)
    for _ in range(50):
        made, masks = pastes(rng, SHAPE), random_masks(rng, 8)
        for number in range(len(made.contributions(0))):
            kept = [look(made, masks, BoxRules(share), number=number).keep for share in np.linspace(0, 1, 6)]
            assert all((high <= low).all() for low, high in pairwise(kept))


@pytest.mark.parametrize(("least", "kept"), [(1, [True, True]), (2, [True, False]), (2.5, [True, False])])
def test_small_remains_are_dropped_and_small_instances_stay(least: float, kept: list[bool]) -> None:
    masks = np.concatenate([block(0, 0, 1, 1), block(1, 1, 4, 2)])  # one pixel that nothing covers; one that is left
    result = look(PASTE, masks, BoxRules(0.1, min_area=least))
    assert result.area.tolist() == [1, 1]
    assert result.changed.tolist() == [False, True]
    assert result.keep.tolist() == kept


def test_moved_instances_need_the_least_area() -> None:
    made = plan(layer(box(4, 2, 8, 6), crop=box(0, 0, 4, 4)))
    assert look(made, block(1, 1, 2, 3), BoxRules(min_area=2), number=1).keep.all()
    assert not look(made, block(1, 1, 2, 3), BoxRules(min_area=3), number=1).keep.any()


def test_instances_too_small_for_a_resize_are_dropped() -> None:
    made = plan(layer(box(0, 0, 2, 2), crop=box(0, 0, 8, 6)))
    result = look(made, block(0, 0, 1, 1), number=1)
    assert result.visible.tolist() == [0]
    assert result.keep.tolist() == [False]
    assert not result.masks.any()


@pytest.mark.parametrize("made", [plan(), BLEND, PASTE, SOFT], ids=["unmixed", "blend", "paste", "soft"])
def test_instances_without_pixels_are_not_kept(made: Plan) -> None:
    masks = np.concatenate([block(0, 0, 2, 2), block(0, 0, 0, 0)])
    result = look(made, masks)
    assert result.keep.tolist() == [True, False]
    assert result.visible[1] == result.area[1] == 0


# Arrays


@pytest.mark.parametrize("dtype", DTYPES)
def test_an_unmixed_sample_comes_back_as_it_is(dtype: str) -> None:
    masks = block(2, 1, 6, 5, dtype)
    result = look(plan(), masks, BoxRules(min_area=1000))
    assert result.masks is masks
    assert result.keep.all()
    assert result.weight.tolist() == [1]
    assert result.boxes.tolist() == [[1, 2, 5, 6]]


def test_untouched_instances_come_back_bit_for_bit() -> None:
    masks = np.zeros((2, *SHAPE), np.float32)
    masks[0, 0] = [np.nan, -0.0, -3, np.inf, 1e-45, 0]
    masks[1, 3] = 1
    result = look(PASTE, masks)
    assert result.changed.tolist() == [False, True]
    assert result.masks[0].tobytes() == masks[0].tobytes()
    assert result.area.tolist() == [4, 3]


@pytest.mark.parametrize("made", [plan(), BLEND, PASTE, SOFT, plan(layer(PATCH, crop=box(0, 0, 2, 2)))])
@pytest.mark.parametrize("dtype", DTYPES)
def test_no_instances(made: Plan, dtype: str) -> None:
    for number in range(len(made.contributions(0))):
        result = look(made, np.zeros((0, *SHAPE), dtype), number=number)
        assert result.boxes.shape == (0, 4)


def test_masks_of_any_memory_layout() -> None:
    rng = np.random.default_rng(4)
    masks = random_masks(rng, 6, "uint8")
    for strided in (np.asfortranarray(masks), masks[:, ::-1][:, ::-1], np.repeat(masks, 2, 2)[:, :, ::2]):
        for made in (PASTE, plan(layer(box(0, 0, 6, 6), crop=PATCH))):
            for number in (0, 1):
                for first, second in zip(
                    look(made, masks, number=number), look(made, strided, number=number), strict=True
                ):
                    np.testing.assert_array_equal(first, second)


def test_masks_that_cannot_be_written_to() -> None:
    masks = block(0, 0, 8, 6)
    masks.flags.writeable = False
    assert look(PASTE, masks).area.tolist() == [36]


def test_owners_agree_with_regions() -> None:
    """The oracle itself: what it says of one layer is what the layer covers."""
    painted = owners(PASTE, 0)
    for y in range(SHAPE[0]):
        for x in range(SHAPE[1]):
            assert painted[y, x].tolist() == [covers(PASTE.layers[0], 0, y, x), y, x]
