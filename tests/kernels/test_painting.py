"""Plans of several layers: what is painted and what is measured, against a painter that goes pixel by pixel."""

import json
from itertools import product

import numpy as np
import pytest
from forms import WAYS, Form, bits, both_backends, painted_by
from hypothesis import given
from hypothesis import strategies as st
from oracles import copies_only, measured, paint, resize, shares

from mixtransforms import BatchSpec, Boxes, Layer, Mask, MixUp, Plan

SPEC = BatchSpec(4, (7, 9))
BACKENDS = ("numpy", "torch")


def images(form: Form, seed: int = 0) -> np.ndarray:
    values = np.random.default_rng(seed).random((SPEC.size, *SPEC.shape, 2))
    return form.read(form.build(np.rint(values * form.full) if form.integer else values))


def boxes(*corners: tuple[int, int, int, int]) -> Boxes:
    """Boxes from ``(top, left, bottom, right)``."""
    table = np.array(corners)
    return Boxes(table[:, :2], table[:, 2:])


def three_layers(second: Mask) -> Plan:
    """Overlapping rows: a moved paste, then a mask, then crops that are shrunk and enlarged, half transparent."""
    moved = Layer(
        np.array([0, 1, 3]), np.array([2, 3, 0]), np.ones(3),
        boxes((0, 0, 4, 5), (3, 2, 7, 9), (2, 2, 2, 9)), boxes((3, 4, 7, 9), (0, 0, 4, 7), (0, 0, 0, 7)),
    )  # fmt: skip
    masked = Layer(np.array([1, 0]), np.array([0, 1]), np.array([1.0, 0.5]), second)
    resized = Layer(
        np.array([0, 1, 2]), np.array([3, 2, 1]), np.array([0.25, 1.0, 1.0]),
        boxes((1, 1, 4, 4), (0, 0, 7, 9), (2, 3, 6, 9)), boxes((0, 0, 7, 9), (2, 2, 5, 6), (0, 0, 4, 9)),
    )  # fmt: skip
    return Plan(SPEC, (moved, masked, resized))


BOOL_MASK = Mask(np.random.default_rng(1).random((2, *SPEC.shape)) < 0.4)
SOFT_MASK = Mask(np.clip(np.random.default_rng(1).random((2, *SPEC.shape)) * 1.6 - 0.3, 0, 1))


@both_backends
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float16", "float32", "float64"])
@pytest.mark.parametrize("mask", [BOOL_MASK, SOFT_MASK], ids=["bool", "soft"])
def test_three_layers_on_overlapping_rows(mask: Mask, dtype: str, backend: str) -> None:
    plan, form = three_layers(mask), Form(backend, dtype)
    values = images(form)
    array = form.build(values)
    seen = form.read(plan.apply(array))
    # Three roundings of at most half a step, and a resize whose weights are multiples of 1/65536.
    tolerance = 2.0 if form.integer else 4 * form.resolution + 2e-4
    np.testing.assert_allclose(seen, paint(plan, values), rtol=0, atol=tolerance)


@pytest.mark.parametrize("mask", [BOOL_MASK, SOFT_MASK], ids=["bool", "soft"])
def test_three_layers_are_measured(mask: Mask) -> None:
    plan = three_layers(mask)
    np.testing.assert_allclose(measured(plan), shares(plan), rtol=0, atol=1e-12)
    np.testing.assert_allclose(plan.share.sum(axis=1), 1, rtol=0, atol=1e-12)
    assert plan.sources.shape == (4, 4), "row 1 has three coats"
    np.testing.assert_array_equal(plan.sources[:, 0], np.arange(4))


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("mask", [BOOL_MASK, SOFT_MASK], ids=["bool", "soft"])
def test_backends_give_equal_integers(mask: Mask, dtype: str) -> None:
    plan = three_layers(mask)
    results = []
    for backend in BACKENDS:
        form = Form(backend, dtype)
        results.append(form.read(plan.apply(form.build(images(form)))))
    np.testing.assert_array_equal(*results)


@both_backends
@pytest.mark.parametrize("layout", ["channels_first", "channels_last"])
@pytest.mark.parametrize("inplace", [False, True])
def test_layers_read_the_originals(backend: str, layout: str, inplace: bool) -> None:
    """A chain 0 <- 1 <- 2 <- 3 in three layers: nobody may see what was painted before."""
    layers = tuple(Layer(np.array([row]), np.array([row + 1]), np.ones(1), boxes((0, 0, 7, 5))) for row in (2, 1, 0))
    plan, form = Plan(SPEC, layers), Form(backend, "float32", layout)
    values = images(form)
    seen = form.read(MixUp(inplace=inplace, layout=layout).replay(plan, form.build(values)))
    np.testing.assert_array_equal(seen, paint(plan, values))


@pytest.mark.parametrize(("height", "width"), [(3, 4), (7, 9), (14, 18), (1, 1), (5, 20), (20, 2)])
def test_the_oracle_resizes_as_torch(height: int, width: int) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    image = np.random.default_rng(4).random((7, 9, 3))
    channels_first = torch.from_numpy(image).movedim(-1, 0)[None]
    theirs = torch.nn.functional.interpolate(channels_first, (height, width), mode="bilinear", antialias=True)[0]
    np.testing.assert_allclose(resize(image, height, width), theirs.movedim(0, -1).numpy(), atol=1e-12)


@both_backends
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
@pytest.mark.parametrize("frame", [(0, 0, 7, 9), (0, 0, 3, 4), (2, 1, 7, 2), (6, 8, 7, 9), (1, 0, 2, 9)])
def test_resize_is_antialiased_bilinear(backend: str, dtype: str, frame: tuple[int, int, int, int]) -> None:
    """Against the oracle, which is torch's own antialiased interpolation (the test above)."""
    form = Form(backend, dtype)
    values = images(form)
    for crop in ((0, 0, 7, 9), (2, 3, 5, 9), (6, 8, 7, 9)):
        plan = Plan(SPEC, (Layer(np.array([1]), np.array([2]), np.ones(1), boxes(frame), boxes(crop)),))
        seen = form.read(plan.apply(form.build(values)))
        tolerance = 0.51 if form.dtype == "uint8" else 6.0 if form.integer else 1e-4
        np.testing.assert_allclose(seen, paint(plan, values), rtol=0, atol=tolerance)


def corner(shape: tuple[int, ...]) -> st.SearchStrategy[tuple[list[int], list[int]]]:
    """A box inside a shape, perhaps empty."""
    spans = [st.tuples(st.integers(0, n), st.integers(0, n)).map(sorted) for n in shape]
    return st.tuples(*spans).map(lambda pairs: tuple(map(list, zip(*pairs, strict=True))))


@st.composite
def layers(draw: st.DrawFn, spec: BatchSpec) -> Layer:
    """A layer that moves or resizes nothing: any rows, any sources, any region, any opacity."""
    rows = np.array(draw(st.lists(st.integers(0, spec.size - 1), unique=True, min_size=1, max_size=spec.size)), int)
    count = len(rows)
    source = np.array(draw(st.lists(st.integers(0, spec.size - 1), min_size=count, max_size=count)), int)
    weights = st.sampled_from([0.0, 1.0]) | st.floats(0, 1)
    opacity = np.array(draw(st.lists(weights, min_size=count, max_size=count)), float)
    region, kind = None, draw(st.sampled_from(["everywhere", "boxes", "bool", "soft"]))
    if kind == "boxes":
        corners = [draw(corner(spec.shape)) for _ in range(count)]
        rank = len(spec.shape)
        start, stop = (np.array([c[side] for c in corners], int).reshape(count, rank) for side in (0, 1))
        region = Boxes(start, stop)
    elif kind in ("bool", "soft"):
        field = np.random.default_rng(draw(st.integers(0, 99))).random((count, *spec.shape))
        region = Mask(field < 0.5 if kind == "bool" else np.clip(2 * field - 0.5, 0, 1))
    return Layer(rows, source, opacity, region)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    spec = BatchSpec(draw(st.integers(1, 4)), (draw(st.integers(1, 5)), draw(st.integers(1, 5))))
    return Plan(spec, tuple(draw(st.lists(layers(spec), max_size=3))))


@given(plans())
def test_any_plan_is_painted_and_measured(plan: Plan) -> None:
    values = np.random.default_rng(0).random((plan.size, *plan.spec.shape, 1))
    expected = paint(plan, values)
    for form, way in product((Form("numpy", "float64"), Form("torch", "float64")), WAYS):
        with painted_by(way):
            seen = form.read(plan.apply(form.build(values)))
        np.testing.assert_allclose(seen, expected, rtol=0, atol=0 if copies_only(plan) else 1e-14)
    np.testing.assert_allclose(measured(plan), shares(plan), rtol=0, atol=1e-12)


@given(plans())
def test_any_plan_paints_integers_alike(plan: Plan) -> None:
    values = np.rint(np.random.default_rng(0).random((plan.size, *plan.spec.shape, 2)) * 255)
    first, second = Form("numpy", "uint8"), Form("torch", "uint8")
    with painted_by("rows", "batch"):
        seen = first.read(plan.apply(first.build(values)))
        np.testing.assert_array_equal(seen, second.read(plan.apply(second.build(values))))
    with painted_by("batch"):
        np.testing.assert_array_equal(seen, first.read(plan.apply(first.build(values))))
    np.testing.assert_allclose(seen, paint(plan, values), rtol=0, atol=0.51 * max(1, len(plan.layers)) + 0.01)


@given(plans())
def test_any_plan_survives_json(plan: Plan) -> None:
    again = Plan.from_dict(json.loads(json.dumps(plan.to_dict())))
    assert again == plan
    np.testing.assert_array_equal(again.share, plan.share)


@pytest.mark.parametrize("crop", [None, Boxes.full(0, SPEC.shape)], ids=["in place", "crop"])
@pytest.mark.parametrize(
    "region",
    [None, Boxes.full(0, SPEC.shape), Mask(np.zeros((0, *SPEC.shape), bool)), Mask(np.zeros((0, *SPEC.shape)))],
    ids=["everywhere", "boxes", "bool", "soft"],
)
def test_a_layer_without_rows_paints_nothing(region: Boxes | Mask | None, crop: Boxes | None) -> None:
    nobody = np.zeros(0, int)
    plan = Plan(SPEC, (Layer(nobody, nobody, np.zeros(0), region, crop),))
    values = images(Form("numpy"))
    for backend in BACKENDS:
        form = Form(backend)
        np.testing.assert_array_equal(form.read(plan.apply(form.build(values))), values)
    np.testing.assert_array_equal(measured(plan), np.eye(SPEC.size))
    assert Plan.from_dict(json.loads(json.dumps(plan.to_dict()))) == plan


@given(plans(), st.lists(st.booleans(), min_size=4, max_size=4))
def test_where_keeps_some_samples(plan: Plan, keep: list[bool]) -> None:
    chosen = np.array(keep[: plan.size])
    values = np.random.default_rng(0).random((plan.size, *plan.spec.shape, 1))
    expected = np.where(chosen[:, None, None, None], paint(plan, values), values)
    np.testing.assert_allclose(paint(plan.where(chosen), values), expected, atol=1e-14)
    table = np.where(chosen[:, None], measured(plan), np.eye(plan.size))
    np.testing.assert_allclose(measured(plan.where(chosen)), table, atol=1e-12)


@both_backends
def test_painting_never_writes_into_the_input(backend: str) -> None:
    form = Form(backend, "float32")
    array = form.build(images(form))
    before = bits(array)
    three_layers(SOFT_MASK).apply(array)
    assert bits(array) == before
