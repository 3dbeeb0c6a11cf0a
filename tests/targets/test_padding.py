"""Padding of sequences: a token is where any source that is seen has one."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from forms import bits, host
from hypothesis import given as any_of
from hypothesis import strategies as st
from plans import BACKENDS, INTEGERS, given

from mixtransforms.core.errors import InputError, PlanError
from mixtransforms.plan import BatchSpec, Boxes, Layer, Mask, Plan
from mixtransforms.targets.kind import Scene
from mixtransforms.targets.padding import Padding

STEPS = 8
TOKENS = np.arange(STEPS) < np.array([[8], [3], [5], [0]])
"""Sequences of 8, 3, 5 and 0 tokens, padded behind."""

FULL, PART = Boxes([[0]], [[STEPS]]), Boxes([[2]], [[6]])


def plan_of(*layers: Layer, size: int = 4, steps: int = STEPS) -> Plan:
    return Plan(BatchSpec(size, (steps,)), layers)


PLANS = {
    "nothing": plan_of(),
    "blend": plan_of(Layer([1, 3, 2], [2, 1, 0], [0.25, 1.0, 0.0])),
    "paste": plan_of(Layer([0, 1], [1, 0], [1.0, 1.0], Boxes([[2], [5]], [[6], [5]]))),
    "paste by halves": plan_of(Layer([3], [0], [0.5], PART)),
    "moved": plan_of(Layer([3], [1], [1.0], PART, Boxes([[1]], [[5]]))),
    "squeezed": plan_of(Layer([3], [2], [1.0], PART, FULL)),
    "stretched": plan_of(Layer([0], [2], [1.0], FULL, Boxes([[3]], [[6]]))),
    "cropped": plan_of(Layer([1], [0], [0.5], None, Boxes([[4]], [[8]]))),
    "soft mask": plan_of(Layer([1], [0], [1.0], Mask(np.linspace(0, 1, STEPS)[None]))),
    "mask": plan_of(Layer([1, 2], [0, 3], [1.0, 1.0], Mask(np.arange(2 * STEPS).reshape(2, STEPS) % 3 == 0))),
    "coats": plan_of(
        Layer([0, 1], [1, 2], [0.5, 1.0]),
        Layer([1, 3], [3, 2], [1.0, 0.5], Boxes([[0], [4]], [[4], [8]])),
        Layer([1], [0], [0.5], Boxes([[3]], [[6]])),
    ),
    "hidden": plan_of(Layer([3], [0], [1.0]), Layer([3], [2], [1.0], PART), Layer([3], [1], [1.0])),
}


def painted(plan: Plan, tokens: Any) -> Any:
    """Step by step: who is seen there, and whether any of them has a token."""
    result = np.zeros_like(tokens)
    for row, step in product(*map(range, tokens.shape)):
        seen = {(row, step): 1.0}
        for layer in plan.layers:
            for index in np.flatnonzero(layer.rows == row):
                weight, cell = _coat(layer, index, step, tokens.shape[1])
                seen = {place: share * (1 - weight) for place, share in seen.items()}
                place = (int(layer.source[index]), cell)
                seen[place] = seen.get(place, 0) + weight
        result[row, step] = any(tokens[place] for place, share in seen.items() if share > 0)
    return result


def _coat(layer: Layer, index: int, step: int, steps: int) -> tuple[float, int]:
    """A layer's weight at a step, and the step of its source that is nearest to what is shown there."""
    (start, stop), inside = (0, steps), 1.0
    if isinstance(layer.region, Boxes):
        start, stop = layer.region.start[index, 0], layer.region.stop[index, 0]
        inside = float(start <= step < stop)
    elif isinstance(layer.region, Mask):
        inside = float(layer.region.values[index, step])
    if layer.crop is None or not inside:
        return layer.opacity[index] * inside, step
    first, last = layer.crop.start[index, 0], layer.crop.stop[index, 0]
    centre = first + (step - start + 0.5) * (last - first) / (stop - start)
    return layer.opacity[index] * inside, int(np.floor(centre))


def mixed(kind: Padding, plan: Plan, value: Any) -> Any:
    scene = Scene(plan.spec.shape, first=True, blends=True)
    kind.check(value, "batch['padding']", scene)
    return kind.mix(plan, value, scene).value


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", ["bool", "int64"])
@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_tokens_of_what_is_seen(plan: Plan, inverted: bool, dtype: str, backend: str) -> None:
    value = given(TOKENS ^ inverted, dtype, backend)
    result = mixed(Padding(inverted), plan, value)
    np.testing.assert_array_equal(host(result), painted(plan, TOKENS) ^ inverted)
    assert result.dtype == value.dtype
    assert type(result) is type(value)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("dtype", INTEGERS)
def test_dtypes_are_kept(dtype: str, inverted: bool, backend: str) -> None:
    value = given(TOKENS ^ inverted, dtype, backend)
    result = mixed(Padding(inverted), PLANS["coats"], value)
    assert result.dtype == value.dtype
    np.testing.assert_array_equal(host(result), painted(PLANS["coats"], TOKENS) ^ inverted)


@any_of(st.data())
def test_whatever_is_painted(data: st.DataObject) -> None:
    steps, size = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 3))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    layers = [_random_layer(rng, size, steps) for _ in range(data.draw(st.integers(0, 3)))]
    plan, tokens = plan_of(*layers, size=size, steps=steps), rng.random((size, steps)) < 0.5
    for backend in BACKENDS:
        result = mixed(Padding(), plan, given(tokens, "bool", backend))
        np.testing.assert_array_equal(host(result), painted(plan, tokens))


def _random_layer(rng: np.random.Generator, size: int, steps: int) -> Layer:
    rows = np.flatnonzero(rng.random(size) < 0.7)
    count, kind = len(rows), rng.integers(3)
    edges, crops = (np.sort(rng.integers(0, steps + 1, (count, 2)), axis=1) for _ in range(2))
    crops = np.where(crops[:, :1] == crops[:, 1:], [[0, steps]], crops)
    region = [None, Boxes(edges[:, :1], edges[:, 1:]), Mask(rng.random((count, steps)) < 0.5)][kind]
    crop = Boxes(crops[:, :1], crops[:, 1:]) if rng.random() < 0.5 else None
    return Layer(rows, rng.integers(0, size, count), rng.choice([0.0, 0.5, 1.0], count), region, crop)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("inverted", [False, True])
def test_plans_without_axes(inverted: bool, backend: str) -> None:
    """Where nothing is spatial, whole rows are united."""
    plan = Plan(BatchSpec(4), (Layer([1, 3, 2], [2, 1, 0], [0.25, 1.0, 0.0]),))
    result = mixed(Padding(inverted), plan, given(TOKENS ^ inverted, "int32", backend))
    np.testing.assert_array_equal(host(result) ^ inverted, TOKENS[[0, 2, 2, 1]])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("shape", [(0, STEPS), (0, 0), (3, 0), (1, 1)])
def test_nothing_much(shape: tuple[int, int], backend: str) -> None:
    rows = np.arange(shape[0])
    plan = plan_of(Layer(rows, rows[::-1], np.full(shape[0], 0.5)), size=shape[0], steps=shape[1])
    value = given(np.ones(shape), "uint8", backend)
    assert bits(mixed(Padding(), plan, value)) == bits(value)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_what_comes_in_is_left_alone(plan: Plan, inverted: bool, backend: str) -> None:
    value = given(TOKENS, "bool", backend)
    before = bits(value)
    mixed(Padding(inverted), plan, value)[...] = True
    assert bits(value) == before


def test_regions_on_other_axes() -> None:
    plan = Plan(BatchSpec(4, (4, 4)), (Layer([0], [1], [1.0], Boxes([[0, 0]], [[2, 2]])),))
    with pytest.raises(PlanError, match=r"The plan is for another batch \(padding\): got shape \(4, 8\)"):
        Padding().mix(plan, TOKENS, Scene((), first=True, blends=True))


def test_fields() -> None:
    assert repr(Padding(inverted=True)) == "Padding(inverted=True)"
    assert Padding.name == "padding"


REFUSED = [
    (
        np.zeros(4, bool),
        (8,),
        r"Not a padding mask \(batch\['padding'\]\): got shape \(4,\) .*bool; wanted \(B, T\), or \(B, H, W\) of",
    ),
    (np.zeros((4, 8)), (8,), r"Not a padding mask .*: got shape \(4, 8\) .*float64"),
    (
        np.zeros((4, 8), bool),
        (9,),
        r"The padding is of other sequences .*: got shape \(4, 8\) beside mixed axes \(9,\); wan",
    ),
    (
        np.zeros((4, 8), bool),
        (8, 8),
        r"The padding is of other sequences .*: got shape \(4, 8\) beside mixed axes \(8, 8\)",
    ),
    (
        np.arange(8).reshape(2, 4),
        (4,),
        r"Other numbers than .*: got \[2, 3, 4, 5, 6\] in rows \[0, 1\]; wanted 1 where the",
    ),
    (np.array([[0, -1], [0, 1]]), (), r"Other numbers than zeros and ones .*: got \[-1\] in rows \[0\]; .* or lengths"),
]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("values", "axes", "text"), REFUSED)
def test_masks_that_are_refused(values: Any, axes: tuple[int, ...], text: str, backend: str) -> None:
    with pytest.raises(InputError, match=text):
        Padding().check(given(values, values.dtype.name, backend), "batch['padding']", Scene(axes, True, True))
