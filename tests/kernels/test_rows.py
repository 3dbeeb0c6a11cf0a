"""Painting row by row in host memory: every order that is chosen for speed gives what a slow painter gives."""

import tracemalloc
from typing import Any

import numpy as np
import pytest
from oracles import paint as slowly

from mixtransforms import BatchSpec, Boxes, CutMix, Layer, Mask, MixUp, Plan
from mixtransforms.kernels import rows

hypothesis = pytest.importorskip("hypothesis", reason="hypothesis is not installed")
st = hypothesis.strategies

HEIGHT, WIDTH = 4, 5


@st.composite
def layers(draw: Any, size: int, kinds: tuple[str, ...]) -> Layer:
    """A layer on some rows, each painted with any row, itself included."""
    chosen = draw(st.lists(st.integers(0, size - 1), min_size=1, max_size=size, unique=True))
    source = [draw(st.integers(0, size - 1)) for _ in chosen]
    kind = draw(st.sampled_from(kinds))
    opacity = [draw(st.sampled_from([0.0, 0.25, 0.5, 1.0] if kind == "blend" else [0.0, 1.0, 1.0])) for _ in chosen]
    region: Any = None
    crop = None
    if kind in ("paste", "move"):
        corners = [np.sort(draw(st.tuples(*[st.integers(0, s)] * 2))) for _ in chosen for s in (HEIGHT, WIDTH)]
        ends = np.array(corners).reshape(len(chosen), 2, 2)
        region = Boxes(ends[..., 0], ends[..., 1])
        if kind == "move":
            crop = Boxes(np.zeros_like(region.start), region.sides)
    elif kind == "mask":
        region = Mask(np.random.default_rng(draw(st.integers(0, 99))).random((len(chosen), HEIGHT, WIDTH)) < 0.5)
    return Layer(chosen, source, opacity, region, crop)


@st.composite
def plans(draw: Any) -> Plan:
    """Plans of one kind of layer, whose rows may be painted in parts, and of several."""
    size = draw(st.integers(1, 7))
    kinds = draw(st.sampled_from([("blend",), ("paste",), ("blend", "paste", "move", "mask")]))
    return Plan(BatchSpec(size, (HEIGHT, WIDTH)), tuple(draw(st.lists(layers(size, kinds), max_size=3))))


def pictures(size: int) -> np.ndarray:
    """Multiples of 256, so that blends by quarters are exact in any order."""
    return np.random.default_rng(size).integers(0, 200, (size, HEIGHT, WIDTH, 3)).astype(np.float64) * 256


def laid(images: np.ndarray, layout: str) -> tuple[np.ndarray, tuple[int, int]]:
    """The images in a layout of memory, and the positions of height and width."""
    if layout == "channels first":
        return np.ascontiguousarray(images.transpose(0, 3, 1, 2)), (2, 3)
    if layout == "channels first in name":
        return images.copy().transpose(0, 3, 1, 2), (2, 3)
    if layout == "every second":
        return np.repeat(images, 2, axis=2)[:, :, ::2], (1, 2)
    return images.copy(), (1, 2)


LAYOUTS = ("channels last", "channels first", "channels first in name", "every second")


@pytest.mark.parametrize("layout", LAYOUTS)
@hypothesis.given(plan=plans())
def test_in_place_out_of_place_and_from_samples(layout: str, plan: Plan) -> None:
    images = pictures(plan.size)
    wanted, (_, axes) = laid(slowly(plan, images), layout)[0], laid(images, layout)
    own, _ = laid(images, layout)
    rows.paint(plan.layers, None, own, axes, False)
    np.testing.assert_array_equal(own, wanted)
    given, _ = laid(images, layout)
    samples = [sample.copy() for sample in given]
    for originals in (list(given), samples):
        out = np.full_like(given, np.nan)
        rows.paint(plan.layers, originals, out, axes, False)
        np.testing.assert_array_equal(out, wanted)
    np.testing.assert_array_equal(given, laid(images, layout)[0])
    np.testing.assert_array_equal(samples, given)


def test_a_box_over_everything_that_is_not_seen_changes_nothing() -> None:
    images = pictures(2)
    everything = Boxes([[0, 0]] * 2, [[HEIGHT, WIDTH]] * 2)
    plan = Plan(BatchSpec(2, (HEIGHT, WIDTH)), (Layer([0, 1], [1, 0], [0.0, 1.0], everything),))
    out = np.full_like(images, np.nan)
    rows.paint(plan.layers, list(images), out, (1, 2), False)
    np.testing.assert_array_equal(out, images[[0, 0]])


@pytest.mark.parametrize("pairing", ["cycle", "matching", "permutation", "flip", "roll"])
@pytest.mark.parametrize("method", [MixUp, CutMix])
def test_in_place_keeps_one_sample(method: Any, pairing: str) -> None:
    images = np.random.default_rng(0).random((12, 128, 128, 3), np.float32)
    transform = method(alpha=1.0, pairing=pairing, inplace=True, seed=1)
    transform(images)  # whatever is loaded and kept at the first call
    tracemalloc.start()
    try:
        transform(images)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1.1 * images[0].nbytes


def test_what_is_not_finite_stays_where_it_is() -> None:
    images = np.full((3, HEIGHT, WIDTH, 1), 2.0, np.float32)
    images[1], images[2] = np.inf, np.nan
    plan = Plan(BatchSpec(3, (HEIGHT, WIDTH)), (Layer([0, 1, 2], [1, 0, 0], [0.0, 1.0, 1.0]),))
    out = np.empty_like(images)
    rows.paint(plan.layers, list(images), out, (1, 2), False)
    np.testing.assert_array_equal(out, np.full_like(images, 2.0))
    rows.paint(plan.layers, None, images, (1, 2), False)
    np.testing.assert_array_equal(images, out)


@pytest.mark.parametrize("make", ["dense", "every second", "torch", "expanded"])
@pytest.mark.parametrize("inplace", [False, True])
def test_a_number_a_sample(make: str, inplace: bool) -> None:
    """Plans of whole rows paint ``(B,)`` as well: several layers, some of which copy."""
    layers = (Layer([0, 1, 2], [1, 2, 0], [0.5, 1.0, 0.25]), Layer([0, 3], [3, 1], [0.5, 1.0]))
    plan = Plan(BatchSpec(4), layers)
    values: Any = np.repeat(np.array([256.0, 512.0, 0.0, 1024.0]), 2)[::2]
    if make == "dense":
        values = values.copy()
    elif make != "every second":
        torch = pytest.importorskip("torch", reason="torch is not installed")
        values = torch.ones(1).expand(4) if make == "expanded" else torch.from_numpy(values.copy())
    before = np.array(values.tolist())
    first = 0.5 * (0.5 * before[0] + 0.5 * before[1]) + 0.5 * before[3]
    wanted = [first, before[2], 0.75 * before[2] + 0.25 * before[0], before[1]]
    if inplace and make != "expanded":
        from mixtransforms.kernels.paint import paint

        assert paint(plan, values, (), inplace=True) is values
        np.testing.assert_array_equal(np.array(values.tolist()), wanted)
        return
    np.testing.assert_array_equal(np.array(plan.apply(values).tolist()), wanted)
    np.testing.assert_array_equal(np.array(values.tolist()), before)


@pytest.mark.parametrize("left", [0, 1])
def test_what_boxes_leave_is_the_samples_own(left: int) -> None:
    """Rows that pasted boxes cover are not copied first; one pixel that they leave is a copy."""
    images = np.random.default_rng(0).random((4, 300, 40, 3))
    halves = [Boxes([[0, 0]] * 4, [[200, 40]] * 4), Boxes([[150, 0]] * 4, [[299, 40]] * 4)]
    last = Boxes([[299, 0]] * 4, [[300, 40 - left], *[[300, 40]] * 3])
    layers = [Layer(range(4), [1, 2, 3, 0], [1.0] * 4, region) for region in (*halves, last)]
    plan = Plan(BatchSpec(4, (300, 40)), tuple(layers))
    wanted = images[[1, 2, 3, 0]]
    wanted[0, 299, 40 - left :] = images[0, 299, 40 - left :]
    np.testing.assert_array_equal(plan.apply(images), wanted)
