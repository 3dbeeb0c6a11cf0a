"""The same plan on another grid, against edges as fractions, and against pictures that are reduced block by block."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from oracles import provenance

from mixtransforms import BatchSpec, Boxes, Layer, Mask, Plan, PlanError, methods
from mixtransforms.rng.keys import Key

SPEC = BatchSpec(4, (24, 36))


def drawn(method: Any, spec: BatchSpec = SPEC) -> Plan:
    return method.redraw(Key(3), spec)


def blocks(values: Any, k: int) -> Any:
    """Means of blocks of ``k * k`` cells of ``(B, H, W, C)``."""
    size, height, width, channels = values.shape
    return values.reshape(size, height // k, k, width // k, k, channels).mean(axis=(2, 4))


def random_plan(rng: np.random.Generator, k: int, opacity: Any = (0.25, 1.0)) -> Plan:
    """Boxes and masks of both sorts whose edges are multiples of ``k``, over each other and over a blend."""
    size, shape = 4, np.array([6, 9])
    layers = [Layer(np.arange(size), rng.permutation(size), rng.choice(opacity, size))]
    for _ in range(2):
        start, stop = np.sort(rng.integers(0, shape + 1, (2, size, 2)), axis=0)
        layers.append(
            Layer(np.arange(size), rng.permutation(size), rng.choice(opacity, size), Boxes(start * k, stop * k))
        )
    coarse = rng.random((size, *shape)) < 0.5
    layers.append(Layer(np.arange(size), rng.permutation(size), np.ones(size), Mask(coarse.repeat(k, 1).repeat(k, 2))))
    return Plan(BatchSpec(size, (6 * k, 9 * k)), tuple(layers))


@pytest.mark.parametrize("k", [1, 2, 3, 4, 8])
def test_a_coarse_grid_shows_the_fine_one_block_by_block(k: int) -> None:
    """Wherever edges fall on it, of any number of layers; and the fine grid of a coarse plan repeats its cells."""
    rng = np.random.default_rng(k)
    for _ in range(10):
        plan = random_plan(rng, k)
        coarse = plan.on((6, 9))
        fine = plan.apply(provenance(4, plan.spec.shape))
        np.testing.assert_allclose(coarse.apply(provenance(4, (6, 9))), blocks(fine, k), atol=1e-12)
        np.testing.assert_allclose(coarse.on(plan.spec.shape).apply(provenance(4, plan.spec.shape)), fine, atol=1e-12)


def test_edges_are_rounded_half_to_even() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        old, new = (tuple(rng.integers(1, 40, 2).tolist()) for _ in range(2))
        start, stop = np.sort(rng.integers(0, np.array(old) + 1, (2, 3, 2)), axis=0)
        region = (
            Plan(BatchSpec(3, old), (Layer([0, 1, 2], [1, 2, 0], 1.0, Boxes(start, stop)),)).on(new).layers[0].region
        )
        for got, given in ((region.start, start), (region.stop, stop)):
            wanted = [
                [round(Fraction(edge * n, o)) for edge, o, n in zip(row, old, new, strict=True)]
                for row in given.tolist()
            ]
            assert got.tolist() == wanted


def test_bool_masks_take_the_cell_at_the_centre() -> None:
    rng = np.random.default_rng(1)
    for new in ((24, 36), (12, 18), (8, 9), (5, 7), (31, 50), (1, 1)):
        values = rng.random((1, 24, 36)) < 0.5
        got = Plan(SPEC, (Layer([0], [1], 1.0, Mask(values)),)).on(new).layers[0].region.values
        assert got.dtype == np.bool_
        for y, x in np.ndindex(new):
            centre = [
                int((Fraction(i) + Fraction(1, 2)) * o / n) for i, o, n in zip((y, x), (24, 36), new, strict=True)
            ]
            assert got[0, y, x] == values[0, centre[0], centre[1]]


def test_soft_masks_take_the_mean_of_the_area() -> None:
    rng = np.random.default_rng(2)
    values = rng.random((1, 24, 36))
    plan = Plan(SPEC, (Layer([0], [1], 1.0, Mask(values)),))
    np.testing.assert_allclose(
        plan.on((8, 12)).layers[0].region.values, blocks(values[..., None], 3)[..., 0], atol=1e-15
    )
    for new in ((12, 18), (5, 7), (48, 72), (31, 50)):
        fine = values.repeat(new[0], 1).repeat(new[1], 2)  # cells of which both grids are made
        wanted = fine.reshape(1, new[0], 24, new[1], 36).mean(axis=(2, 4))
        np.testing.assert_allclose(plan.on(new).layers[0].region.values, wanted, atol=1e-14)
    assert (
        Plan(SPEC, (Layer([0], [1], 1.0, Mask(np.ones((1, 24, 36)))),)).on((7, 11)).layers[0].region.values <= 1
    ).all()


@pytest.mark.parametrize(
    "method",
    [
        methods.MixUp(),
        methods.CutMix(),
        methods.CutMix(correct_weight=False),
        methods.OneOf([methods.MixUp(), methods.CutMix()]),
    ],
    ids=repr,
)
def test_labels_keep_the_shares_of_the_plans_own_grid(method: Any) -> None:
    plan = drawn(method)
    for shape in ((12, 18), (5, 7), (100, 90)):
        other = plan.on(shape)
        np.testing.assert_array_equal(other.target_share, plan.target_share)
        np.testing.assert_array_equal(other.sources, plan.sources)
        assert (other.spec, other.key, other.label_mass) == (BatchSpec(4, shape), plan.key, "one")
        assert Plan(other.spec, other.layers, other.label_share) == other, "it passes every check"
        assert Plan.from_dict(other.to_dict()) == other
    assert plan.on(SPEC.shape) is plan
    free = Plan(SPEC, plan.layers, plan.target_share * 2, label_mass="free").on((5, 7))
    assert free.label_mass == "free"


def test_crops_keep_a_cell_and_their_place() -> None:
    rng = np.random.default_rng(3)
    for _ in range(300):
        old, new = (tuple(rng.integers(1, 20, 2).tolist()) for _ in range(2))
        start = rng.integers(0, np.array(old), (2, 1, 2))
        stop = start + 1 + rng.integers(0, np.array(old) - start)
        plan = Plan(BatchSpec(2, old), (Layer([0], [1], 1.0, *map(Boxes, start, stop)),))
        other = plan.on(new)
        assert Plan(other.spec, other.layers, other.label_share) == other, "no crop is empty, none sticks out"
    k = 4
    plan = Plan(
        BatchSpec(2, (32, 48)), (Layer([0], [1], 1.0, Boxes([[8, 0]], [[24, 24]]), Boxes([[16, 24]], [[32, 48]])),)
    )
    fine, coarse = (
        p.apply(provenance(2, p.spec.shape) * np.arange(np.prod(p.spec.shape)).reshape(p.spec.shape)[..., None])
        for p in (plan, plan.on((8, 12)))
    )
    y, x = np.indices((8, 12))
    own = np.stack([y * 12 + x] * 2)
    own[0, 2:6, :6] = own[1, 4:8, 6:]
    assert (coarse.sum(axis=-1) == own).all()
    assert fine.shape == (2, 8 * k, 12 * k, 2)


def test_a_blend_is_the_same_on_any_grid() -> None:
    plan = drawn(methods.MixUp())
    for shape in ((), (7,), (2, 3, 4)):
        np.testing.assert_array_equal(plan.on(shape).share, plan.share)
    assert drawn(methods.MixUp(), BatchSpec(4)).on((5, 5)).spec.shape == (5, 5)


@pytest.mark.parametrize("shape", [(12,), (12, 18, 3), ()])
def test_regions_need_as_many_axes(shape: tuple[int, ...]) -> None:
    with pytest.raises(
        PlanError, match=r"No such grid \(plan\.on\): got lengths .* from \(24, 36\); wanted 2 lengths, one a"
    ):
        drawn(methods.CutMix()).on(shape)


def test_lengths_are_lengths() -> None:
    with pytest.raises(PlanError, match=r"Not a batch \(spec\)"):
        drawn(methods.CutMix()).on((12, -18))
    empty = Plan(BatchSpec(2, (0, 4)), (Layer([0], [1], 1.0, Boxes([[0, 0]], [[0, 4]])),))
    with pytest.raises(PlanError, match=r"wanted 2 lengths, one a mixed axis, from none that is 0"):
        empty.on((2, 2))
    assert drawn(methods.CutMix()).on((0, 5)).apply(np.zeros((4, 0, 5, 3))).shape == (4, 0, 5, 3)
