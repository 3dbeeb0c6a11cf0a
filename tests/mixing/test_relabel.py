"""Shares of labels that are known after a forward pass: checked, and by attention as painted pixel by pixel."""

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mixtransforms import (
    BatchSpec,
    Boxes,
    CutMix,
    GridMix,
    InputError,
    Layer,
    MixUp,
    Plan,
    PlanError,
    attention_shares,
    relabel,
)

LAYOUTS = {0: "B", 1: "BT", 2: "BHW", 3: "BDHW"}
SEVERAL = Plan(
    BatchSpec(4, (6, 5)),
    (
        Layer([0, 1, 2], [1, 2, 0], [0.5, 1.0, 0.25]),
        Layer([0, 1], [2, 2], [1.0, 1.0], Boxes([[0, 0], [1, 1]], [[2, 4], [3, 4]])),
        Layer(
            [0, 3], [0, 1], [0.5, 0.75], Boxes([[2, 1], [0, 0]], [[6, 5], [3, 5]]), Boxes([[0, 0]] * 2, [[6, 5]] * 2)
        ),
    ),
)
"""Several sources in a row: one twice, one hidden, one the sample itself at another place."""


def by_source(plan: Plan, shares: NDArray[Any]) -> NDArray[np.float64]:
    """``(B, B)``: what every sample gets of every other."""
    table = np.zeros((plan.size, plan.size))
    for row in range(plan.size):
        np.add.at(table[row], plan.sources[row], shares[row])
    return table


def on_fine_cells(plan: Plan, attention: NDArray[Any]) -> NDArray[np.float64]:
    """The same by brute force: images of which every one has a channel of its own, and cells that divide both grids."""
    shape, grid = plan.spec.shape, attention.shape[1:]
    images = np.zeros((plan.size, *shape, plan.size))
    for row in range(plan.size):
        images[row, ..., row] = 1
    weights = plan.apply(images, {1: "BTC", 2: "BHWC", 3: "BDHWC"}[len(shape)])
    for axis, (length, cells) in enumerate(zip(shape, grid, strict=True), start=1):
        fine = math.lcm(length, cells)
        weights, attention = weights.repeat(fine // length, axis), attention.repeat(fine // cells, axis)
    axes = tuple(range(1, 1 + len(shape)))
    table: NDArray[np.float64] = (weights * attention[..., None]).sum(axes) / attention.sum(axes)[:, None]
    return table


PLANS = {
    "several": SEVERAL,
    "unmixed": Plan(BatchSpec(3, (4, 6))),
    **{
        f"{method!r} {shape}": method.method.draw(BatchSpec(size, shape), np.random.default_rng(seed))
        for seed, (method, size, shape) in enumerate(
            [
                (CutMix(), 5, (33, 31)),
                (CutMix(), 2, (8, 12)),
                (CutMix(p=0.5), 6, (17,)),
                (CutMix(), 3, (4, 5, 6)),
                (MixUp(), 4, (7, 5)),
                (GridMix(grid=3), 3, (10, 7)),
            ]
        )
    },
}


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_sources_have_the_attention_of_what_is_seen_of_them(plan: Plan) -> None:
    rng = np.random.default_rng(0)
    for cells in (1, 2, 7, 14):
        attention = rng.gamma(0.5, size=(plan.size, *[cells + axis for axis in range(len(plan.spec.shape))]))
        shares = attention_shares(plan, attention)
        np.testing.assert_allclose(shares.sum(axis=1), 1)
        np.testing.assert_allclose(by_source(plan, shares), on_fine_cells(plan, attention), atol=1e-12)
        relabel(plan, shares)  # which are shares
        np.testing.assert_allclose(attention_shares(plan, 7 * attention), shares, atol=1e-15)


@pytest.mark.parametrize("cells", [1, 3, 16])
@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_a_uniform_map_gives_the_area(plan: Plan, cells: int) -> None:
    shares = attention_shares(plan, np.full((plan.size, *[cells] * len(plan.spec.shape)), 0.3, np.float32))
    np.testing.assert_allclose(by_source(plan, shares), by_source(plan, plan.share), atol=1e-14)


def test_attention_on_one_cell_gives_all_to_whom_it_shows() -> None:
    plan = Plan(BatchSpec(2, (4, 4)), (Layer([0], [1], [1.0], Boxes([[0, 0]], [[2, 2]])),))
    attention = np.zeros((2, 2, 2))
    attention[:, 0, 0] = 1
    assert attention_shares(plan, attention).tolist() == [[0, 1], [1, 0]]
    assert attention_shares(plan, attention[:, ::-1]).tolist() == [[1, 0], [1, 0]]


def test_whole_samples_without_places() -> None:
    plan = MixUp().method.draw(BatchSpec(3, ()), np.random.default_rng(0))
    np.testing.assert_allclose(attention_shares(plan, np.ones(3)), plan.share)
    empty = Plan(BatchSpec(0, (4, 4)))
    assert attention_shares(empty, np.ones((0, 2, 2))).shape == (0, 1)


def test_tensors_of_any_float_type() -> None:
    torch = pytest.importorskip("torch")
    plan = PLANS["CutMix() (33, 31)"]
    attention = torch.rand(5, 14, 14, generator=torch.Generator().manual_seed(0), requires_grad=True)
    wanted = attention_shares(plan, attention.detach().numpy())
    np.testing.assert_array_equal(attention_shares(plan, attention), wanted)
    assert np.abs(attention_shares(plan, attention.bfloat16()) - wanted).max() < 0.01
    base = attention.mean((1, 2)).bfloat16()
    assert relabel(plan, base).target_share[:, 0].tolist() == base.tolist()


def test_labels_of_transmix_in_every_form() -> None:
    """Half by area, half by attention: the same from a replay, from a pair, and from tensors."""
    torch = pytest.importorskip("torch")
    from mixtransforms.torchvision import functional

    images, labels = torch.zeros(6, 3, 12, 20), torch.arange(6) % 4
    mix = CutMix(num_classes=4, seed=0)
    plan = mix.plan(images, labels)
    attention = np.random.default_rng(0).random((6, 3, 5))
    shares = 0.5 * plan.share + 0.5 * attention_shares(plan, attention)
    told = relabel(plan, torch.from_numpy(shares))
    assert told.layers == plan.layers
    assert told.key == plan.key
    assert (told.share == plan.share).all()
    kept = 0.5 * plan.weight + 0.5 * on_fine_cells(plan, attention)[np.arange(6), np.arange(6)]
    one_hot = np.eye(4)[labels.numpy()]
    wanted = kept[:, None] * one_hot + (1 - kept)[:, None] * one_hot[plan.partner]
    painted, soft = mix.replay(told, images, labels)
    np.testing.assert_allclose(soft.numpy(), wanted, atol=1e-6)
    np.testing.assert_allclose(functional.mix_labels(labels, told.tensors("cpu"), 4).numpy(), wanted, atol=1e-6)
    assert (painted == mix.replay(plan, images, labels)[0]).all()
    pair = CutMix(labels="pair").replay(told, images, labels)[1]
    np.testing.assert_allclose(pair.weight.numpy(), kept, atol=1e-6)
    assert Plan.from_dict(told.to_dict()) == told
    assert relabel(told, plan.share).target_share.tolist() == plan.share.tolist()


def test_one_share_a_sample() -> None:
    plan = MixUp().method.draw(BatchSpec(4, (3, 3)), np.random.default_rng(0))
    told = relabel(plan, [0.25, 1.0, 0.0, 0.5])
    assert told.target_share.tolist() == [[0.25, 0.75], [1, 0], [0, 1], [0.5, 0.5]]
    # Whoever is mixed with nobody has the label to itself, whatever its share is.
    alone = Plan(BatchSpec(3, (3, 3)))
    assert relabel(alone, [0.3, 0.5, 1.0]).target_share.tolist() == [[1], [1], [1]]
    some = plan.where(np.array([True, False, True, False]))
    labels = MixUp(num_classes=4).replay(relabel(some, [0.5] * 4), np.zeros((4, 3, 3, 3), np.float32), np.arange(4))[1]
    assert labels[1].tolist() == [0, 1, 0, 0]


def test_labels_may_weigh_otherwise() -> None:
    plan = MixUp().method.draw(BatchSpec(2, (3, 3)), np.random.default_rng(0))
    told = relabel(plan, [[0.25, 0.25], [2.0, 0.0]], label_mass="free")
    assert told.target_share.tolist() == [[0.25, 0.25], [2, 0]]
    assert told.label_mass == "free"


PAIRS = MixUp().method.draw(BatchSpec(2, (3, 3)), np.random.default_rng(0))
BAD = {
    "above 1": (PAIRS, [1.5, 0.5], r"Declared label shares are none .*\[1.5, -0.5\] in row 0"),
    "not finite": (PAIRS, [np.nan, 0.5], "Declared label shares are none"),
    "sum": (PAIRS, [[0.5, 0.4], [1, 0]], r"Declared label shares are none .*label_mass='free'"),
    "size": (PAIRS, [0.5, 0.5, 0.5], r"do not fit .*got \(3,\); wanted \(2, 2\), one column a source"),
    "columns": (PAIRS, [[1, 0, 0]] * 2, r"do not fit .*got \(2, 3\); wanted \(2, 2\)"),
    "a number": (PAIRS, 0.5, r"do not fit .*got \(\)"),
    "text": (PAIRS, ["a", "b"], "Declared label shares are none .*wanted numbers"),
    "uneven": (PAIRS, [[1], [1, 0]], "Declared label shares are none .*wanted numbers"),
    "several": (SEVERAL, [0.5] * 4, r"No single partner.*wanted shares \(4, 4\).*every column of plan.sources"),
}


@pytest.mark.parametrize(("plan", "shares", "match"), BAD.values(), ids=BAD)
def test_what_is_no_share_is_refused(plan: Plan, shares: Any, match: str) -> None:
    with pytest.raises(PlanError, match=match):
        relabel(plan, shares)


MAPS = {
    "heads": (np.ones((2, 4, 3, 3)), r"shape \(2, 4, 3, 3\) .*wanted numbers \(2, cells, cells\).*Average over heads"),
    "tokens": (np.ones((2, 9)), "does not fit"),
    "size": (np.ones((3, 3, 3)), "does not fit"),
    "nothing": (np.ones((2, 0, 3)), "does not fit"),
    "text": (np.full((2, 3, 3), "a"), "does not fit"),
    "negative": (np.ones((2, 3, 3)) - 2 * np.eye(3), "without a share for anybody .*from -1 to 1 in row 0"),
    "not finite": (np.where(np.eye(3), np.inf, 1) * np.ones((2, 1, 1)), "without a share for anybody"),
    "zero": (np.eye(3) * np.array([1, 0])[:, None, None], "in row 1; .*not all 0.*plan.share is the share by area"),
}


@pytest.mark.parametrize(("attention", "match"), MAPS.values(), ids=MAPS)
def test_what_is_no_attention_is_refused(attention: Any, match: str) -> None:
    with pytest.raises(InputError, match=match):
        attention_shares(PAIRS, attention)
