"""Attentive CutMix: the pasted cells are the partner's most salient ones, and a sample keeps the rest."""

import itertools
from typing import Any

import numpy as np
import pytest
from salient import delta_maps, owners

from mixtransforms import AttentiveCutMix, BatchSpec, InputError, ParameterError, Plan

SHAPES = [(14, 14), (7, 7), (15, 11), (33, 31), (16, 32), (12,), (9, 8, 10), (3, 5)]


def draw(method: Any, saliency: np.ndarray, seed: int = 0) -> Plan:
    plan: Plan = method.method.draw(
        BatchSpec(len(saliency), saliency.shape[1:]), np.random.default_rng(seed), {"saliency": saliency}
    )
    return plan


def cells_of(shape: tuple[int, ...], grid: int) -> list[tuple[slice, ...]]:
    """By brute force: the cells of a grid, in their order."""
    edges = []
    for length in shape:
        number = min(grid, length)
        starts = [k * length // number for k in range(number)] + [length]
        edges.append([slice(*ends) for ends in itertools.pairwise(starts)])
    return [tuple(own[index] for own, index in zip(edges, cell, strict=True)) for cell in np.ndindex(*map(len, edges))]


@pytest.mark.parametrize("size", [0, 1, 2, 5])
@pytest.mark.parametrize(("grid", "count"), [(7, 6), (2, 1), (4, 5), (3, 200)])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_pasted_cells_are_the_partners_best(shape: tuple[int, ...], grid: int, count: int, size: int) -> None:
    saliency = np.random.default_rng(1).random((size, *shape))
    plan = draw(AttentiveCutMix(grid, count=count), saliency)
    found, cells = owners(plan), cells_of(shape, grid)
    for row in range(size):
        partner = plan.partner[row]
        means = [saliency[partner][cell].mean() for cell in cells]
        best = set(sorted(range(len(cells)), key=lambda cell: -means[cell])[:count])
        for number, cell in enumerate(cells):
            assert (found[row][cell] == (partner if number in best else row)).all()
        pasted = sum(found[row][cells[number]].size for number in best) / found[row].size
        np.testing.assert_allclose(plan.weight[row], 1.0 if partner == row else 1 - pasted)


def test_with_the_papers_numbers_a_sample_keeps_43_of_49() -> None:
    plan = draw(AttentiveCutMix(), np.random.default_rng(0).random((5, 224, 224)))
    np.testing.assert_allclose(plan.weight, 43 / 49)


def test_the_cell_of_the_peak_is_pasted() -> None:
    saliency, peaks = delta_maps((21, 35), 30)
    found = draw(AttentiveCutMix(count=1), saliency)
    for row, own in enumerate(owners(found)):
        partner = found.partner[row]
        assert own[tuple(peaks[partner])] == partner
        assert (own != row).sum() == 21 * 35 // 49


@pytest.mark.parametrize("per", ["pair", "batch"])
def test_a_shared_choice_is_that_of_the_first(per: str) -> None:
    saliency, peaks = delta_maps((14, 14), 6)
    plan = draw(AttentiveCutMix(per=per, count=1), saliency)
    for row, own in enumerate(owners(plan)):
        leader = 0 if per == "batch" else min(row, plan.partner[row])
        assert own[tuple(peaks[plan.partner[leader]])] == plan.partner[row]


def test_by_itself_it_finds_what_differs_in_colour() -> None:
    images = np.full((3, 28, 28, 3), 90, np.uint8)
    for index in range(3):
        images[index, 4 * index : 4 * index + 4, 8:12] = [10, 240, 10]
    plan = AttentiveCutMix(count=1, seed=0).plan(images)
    for row, own in enumerate(owners(plan)):
        partner = plan.partner[row]
        assert (own[4 * partner : 4 * partner + 4, 8:12] == partner).all()


def test_what_is_refused() -> None:
    with pytest.raises(InputError, match="AttentiveCutMix reads saliency"):
        AttentiveCutMix().method.draw(BatchSpec(2, (4, 4)), np.random.default_rng(0))
    with pytest.raises(InputError, match="AttentiveCutMix needs axes to cut"):
        AttentiveCutMix(layout="BF")(np.zeros((4, 5)))
    with pytest.raises(ParameterError, match=r"Bad value for 'grid'.*within \[2, 256\]"):
        AttentiveCutMix(1)
    with pytest.raises(ParameterError, match=r"Bad value for 'count'.*within \[1"):
        AttentiveCutMix(count=0)
