"""GridMix: every cell has one owner, as many as the weight says are the sample's own, and labels are their areas."""

import math
from typing import Any

import numpy as np
import pytest
from owners import whose
from scipy import stats

from mixtransforms import BatchSpec, CutMix, GridMix, InputError, ParameterError, Plan
from mixtransforms.laws import Constant

SHAPES = [(8, 8), (7, 5), (33, 31), (1, 9), (16, 32), (12,), (6, 9, 10), (2, 3)]
SIZES = [0, 1, 2, 5]


def draw(method: Any, shape: tuple[int, ...], size: int = 5, seed: int = 0) -> Plan:
    return method.method.draw(BatchSpec(size, shape), np.random.default_rng(seed))


def edges(length: int, grid: int | None, cell: int | None) -> list[int]:
    """By brute force: pixel by pixel, the number of its cell."""
    number = min(grid or 4, length)
    starts = {k * length // number for k in range(number)} if cell is None else set(range(0, length, cell))
    return [pixel for pixel in range(length) if pixel in starts]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("options", [{}, {"grid": 2}, {"grid": 7}, {"cell": 1}, {"cell": 3}, {"cell": 100}], ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_cell_has_one_owner_and_labels_are_their_areas(
    shape: tuple[int, ...], options: dict[str, int], size: int
) -> None:
    for seed in range(3):
        plan = draw(GridMix(**options), shape, size, seed)
        found = whose(plan)
        starts = [edges(length, options.get("grid"), options.get("cell")) for length in shape]
        for corner in np.ndindex(*map(len, starts)):
            cell = tuple(
                slice(own[index], own[index + 1] if index + 1 < len(own) else length)
                for own, index, length in zip(starts, corner, shape, strict=True)
            )
            for row in found:
                assert len(np.unique(row[cell])) == 1
        for row, (sources, shares) in enumerate(zip(plan.sources, plan.share, strict=True)):
            for source, share in zip(sources, shares, strict=True):
                if share:
                    assert math.isclose((found[row] == source).mean(), share, abs_tol=1e-12)


@pytest.mark.parametrize("weight", [0.0, 0.2, 0.5, 0.77, 1.0])
@pytest.mark.parametrize("grid", [2, 3, 8])
def test_a_sample_keeps_as_many_cells_as_its_weight_says(grid: int, weight: float) -> None:
    plan = draw(GridMix(grid=grid, weight=Constant(weight)), (24, 48))
    kept = [(row == index)[:: 24 // grid, :: 48 // grid].sum() for index, row in enumerate(whose(plan))]
    assert kept == [np.rint(weight * grid**2)] * 5


def test_every_cell_is_as_likely_as_any_other() -> None:
    """A chi-square test over the cells that stay, at one false alarm in a thousand."""
    kept = np.zeros((4, 4))
    for seed in range(40):
        plan = draw(GridMix(weight=Constant(0.5)), (4, 4), 64, seed)
        kept += (whose(plan) == np.arange(64)[:, None, None]).sum(axis=0)
    # Eight of sixteen without replacement vary less than independent draws do: an upper bound.
    assert stats.chisquare(kept.ravel()).pvalue > 1e-3


def test_one_draw_serves_whoever_shares_it() -> None:
    batch = whose(draw(GridMix(per="batch"), (8, 8), 6)) == np.arange(6)[:, None, None]
    assert (batch == batch[0]).all()
    pair = draw(GridMix(per="pair"), (8, 8), 6)
    for row, own in enumerate(whose(pair)):
        partner = int(pair.partner[row])
        assert ((own == row) == (whose(pair)[partner] == partner)).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.float32, np.int64, np.bool_])
def test_pixels_are_copied(dtype: Any) -> None:
    """A paste takes any dtype, and makes no new values."""
    images = (np.arange(3 * 9 * 7 * 3).reshape(3, 9, 7, 3) % 200).astype(dtype)
    mixed = GridMix(1.0, seed=0)(images)
    assert mixed.dtype == images.dtype
    assert all((mixed == images[i]).any(axis=0).all() for i in range(1)) or (mixed != images).any()
    where = (mixed[:, None] == images[None]).all(axis=-1).any(axis=1)
    assert where.all()


def test_boxes_follow_what_is_seen_of_them() -> None:
    """An object in one cell is wholly there or wholly gone; what is seen has the weight 1."""
    boxes = [np.array([[0.0, 0, 4, 4], [4, 4, 8, 8]]) for _ in range(4)]
    batch = {"image": np.zeros((4, 8, 8, 3), np.uint8), "boxes": boxes, "labels": [np.array([i, i]) for i in range(4)]}
    for seed in range(10):
        mix = GridMix(grid=2, seed=seed)
        plan = mix.plan(batch)
        out = mix.replay(plan, batch)
        found = whose(plan)
        for row in range(4):
            seen = sorted((int(found[row, y, x]), x, y) for x, y in ((0, 0), (4, 4)))
            told = sorted(
                (int(label), int(box[0]), int(box[1]))
                for box, label in zip(out["boxes"][row], out["labels"][row], strict=True)
            )
            assert told == seen


BAD = {
    "both": (lambda: GridMix(grid=3, cell=8), ParameterError, "A number of cells and a size of them"),
    "one cell": (
        lambda: GridMix(grid=1),
        ParameterError,
        r"'grid' \(GridMix\): got 1; wanted None or a whole number within \[2",
    ),
    "two laws": (lambda: GridMix(0.5, weight=Constant(0.5)), ParameterError, "Two laws of the weight"),
    "a table": (lambda: GridMix(layout="BF")(np.zeros((4, 5))), InputError, "GridMix needs axes to cut .*Use MixUp"),
}


@pytest.mark.parametrize(("make", "error", "match"), BAD.values(), ids=BAD)
def test_what_cannot_be_a_grid_is_refused(make: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        make()


def test_draws_of_other_methods_have_not_moved() -> None:
    """What both draw first is the same: partners, gate and weights."""
    for per in ("sample", "pair", "batch"):
        grid, cut = (
            cls(per=per, p=0.5).method.draw(BatchSpec(7, (8, 8)), np.random.default_rng(3)) for cls in (GridMix, CutMix)
        )
        assert (grid.partner == cut.partner).all()
