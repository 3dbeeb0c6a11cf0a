"""The banded resize: weights and results of the dense matrices, on both backends and in whichever way they paint."""

from typing import Any

import numpy as np
import pytest
from dense_resize import dense_matrix, dense_resize
from forms import bits, painted_by
from oracles import ulp

from mixtransforms import BatchSpec, Boxes, Layer, Mask, Plan
from mixtransforms.core.errors import InputError
from mixtransforms.kernels.numpy import resize_linear
from mixtransforms.kernels.paint import paint
from mixtransforms.kernels.resampling import linear_bands, most_taps

hypothesis = pytest.importorskip("hypothesis", reason="hypothesis is not installed")
st = hypothesis.strategies

DTYPES = ("uint8", "uint16", "int16", "float16", "float32", "float64")


def banded_matrix(cells: int, count: int, axes: int) -> np.ndarray:
    """The bands as a matrix; what has no weight is read behind the end."""
    index, weight = linear_bands(cells, count, axes)
    assert index.shape == weight.shape == (count, most_taps(cells, count))
    matrix = np.zeros((count, cells + 1))
    np.add.at(matrix, (np.arange(count)[:, None], index), weight)
    assert not matrix[:, cells].any()
    return matrix[:, :cells]


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_weights_are_those_of_the_dense_matrix(axes: int) -> None:
    for cells in range(1, 25):
        for count in range(1, 25):
            seen, wanted = banded_matrix(cells, count, axes), dense_matrix(cells, count, axes)
            assert bits(seen) == bits(wanted), (cells, count)


@hypothesis.given(st.integers(1, 1500), st.integers(1, 1500), st.integers(1, 3))
def test_weights_of_any_length(cells: int, count: int, axes: int) -> None:
    seen = banded_matrix(cells, count, axes)
    np.testing.assert_array_equal(seen.sum(axis=1), 1.0)
    assert bits(seen) == bits(dense_matrix(cells, count, axes))


def random_image(dtype: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    if dtype.startswith("float"):
        return rng.normal(size=shape).astype(dtype) * np.array(100, dtype)
    limits = np.iinfo(dtype)
    return rng.integers(limits.min, limits.max, shape, dtype, endpoint=True)


@st.composite
def resizes(draw: Any) -> tuple[np.ndarray, tuple[int, ...]]:
    """A crop, mixed axes first, and the sides of the result."""
    rank = draw(st.integers(1, 3))
    shape = draw(st.tuples(*[st.integers(1, 24)] * rank))
    sides = draw(st.tuples(*[st.integers(1, 24)] * rank))
    return random_image(
        draw(st.sampled_from(DTYPES)), (*shape, draw(st.integers(1, 3))), draw(st.integers(0, 99))
    ), sides


@hypothesis.given(resizes(), st.booleans())
def test_results_are_those_of_the_dense_matrix(resize: tuple[np.ndarray, tuple[int, ...]], last: bool) -> None:
    """In any layout of memory; integers also whichever way a library adds up."""
    crop, sides = resize
    rank = len(sides)
    laid = np.ascontiguousarray(np.moveaxis(crop, -1, 0)) if last else crop
    axes = range(1, rank + 1) if last else range(rank)
    seen = resize_linear(laid, sides, axes)
    seen = np.moveaxis(seen, 0, -1) if last else seen
    assert seen.dtype == crop.dtype
    np.testing.assert_array_equal(seen, dense_resize(crop, sides))
    blocked = dense_resize(crop, sides, product=np.matmul)
    if crop.dtype.kind != "f":
        np.testing.assert_array_equal(seen, blocked)
        return
    largest = np.abs(crop.astype(np.float64)).max()
    apart = np.abs(seen.astype(np.float64) - blocked.astype(np.float64))
    assert (apart <= (24 if crop.dtype == np.float64 else 1) * ulp(largest, largest, crop.dtype.name)).all()


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_as_torch_interpolates(dtype: str) -> None:
    """Whoever resizes them: the kernel in C, or NumPy."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    rng = np.random.default_rng(8)
    for _ in range(60):
        crop = (rng.random((3, *rng.integers(1, 71, 2))) * 255).astype(dtype)
        sides = rng.integers(2, 71, 2).tolist()  # torch repeats the first row where a result has one column
        seen = resize_linear(crop, sides, (1, 2))
        given = torch.from_numpy(crop)[None]
        expected = torch.nn.functional.interpolate(given.double(), sides, mode="bilinear", antialias=True)[0].numpy()
        # Weights are binary fractions of 16 bits here, and integers are rounded.
        np.testing.assert_allclose(seen, expected, rtol=0, atol=0.51 if dtype == "uint8" else 0.02)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16"])
@pytest.mark.parametrize("sides", [(1, 22), (100, 179), (223, 700), (9, 224), (513, 30)], ids=str)
def test_integers_of_long_axes_are_exact(sides: tuple[int, int], dtype: str) -> None:
    """Extremes alone, whose sums need the most bits; long enough for several products an axis."""
    limits = np.iinfo(dtype)
    crop = np.random.default_rng(0).choice(np.array([limits.min, limits.max], dtype), (224, 530, 2))
    crop[:40] = limits.max
    wanted = dense_resize(crop, sides, product=np.matmul)
    np.testing.assert_array_equal(resize_linear(crop, sides, (0, 1)), wanted)
    planar = np.ascontiguousarray(np.moveaxis(crop, -1, 0))
    np.testing.assert_array_equal(np.moveaxis(resize_linear(planar, sides, (1, 2)), 0, -1), wanted)
    across = np.ascontiguousarray(np.moveaxis(crop, 1, 0))  # the first axis is the innermost
    np.testing.assert_array_equal(np.moveaxis(resize_linear(across, sides, (1, 0)), 0, 1), wanted)


def test_what_is_not_finite_stays_within_its_band() -> None:
    """A matrix product would spread it over the whole axis: 0 times infinity is NaN."""
    crop = np.ones((12, 8, 2), np.float32)
    crop[5, 3, 0], crop[11, 0, 1] = np.inf, np.nan
    seen = resize_linear(crop, (6, 16), (0, 1))
    np.testing.assert_array_equal(seen, dense_resize(crop, (6, 16)))
    assert np.isinf(seen[..., 0]).sum() == 2 * 4
    assert np.isnan(seen[..., 1]).sum() == 1 * 3
    assert (seen[np.isfinite(seen)] == 1).all()


# ------------------------------------------------------------------------------------------ plans

SPEC = BatchSpec(4, (11, 14))


@st.composite
def spans(draw: Any, length: int, least: int) -> tuple[int, int]:
    start = draw(st.integers(0, length - least))
    return start, draw(st.integers(start + least, length))


@st.composite
def boxes(draw: Any, count: int, least: int) -> Boxes:
    table = np.array([[draw(spans(length, least)) for length in SPEC.shape] for _ in range(count)], int)
    return Boxes(table[..., 0].reshape(count, -1), table[..., 1].reshape(count, -1))


@st.composite
def layers(draw: Any) -> Layer:
    """A layer of crops that are resized, moved or left alone, into boxes, masks or whole samples."""
    rows = draw(st.lists(st.integers(0, SPEC.size - 1), unique=True, min_size=1, max_size=SPEC.size))
    count = len(rows)
    source = [draw(st.integers(0, SPEC.size - 1)) for _ in rows]
    opacity = [draw(st.sampled_from([0.0, 1.0, 1.0, 0.25, 0.7])) for _ in rows]
    region: Any = draw(st.one_of(st.none(), boxes(count, 0), st.sampled_from(["bool", "soft"])))
    if isinstance(region, str):
        field = np.random.default_rng(draw(st.integers(0, 99))).random((count, *SPEC.shape))
        region = Mask(field < 0.5 if region == "bool" else np.clip(2 * field - 0.5, 0, 1))
    crop = draw(st.one_of(boxes(count, 1), st.just(region if isinstance(region, Boxes) else None)))
    return Layer(rows, source, opacity, region, crop)


plans = st.lists(layers(), min_size=1, max_size=3).map(lambda found: Plan(SPEC, tuple(found)))


def slowly(plan: Plan, images: np.ndarray, *, ids: bool = False) -> np.ndarray:
    """Exact blends of float64 images, layer after layer, through the dense matrices."""
    canvas = images.copy()
    for layer in plan.layers:
        frame, field = layer.frame(SPEC.shape), layer.field(SPEC.shape)
        crop = frame if layer.crop is None else layer.crop
        for n, (row, source) in enumerate(zip(layer.rows, layer.source, strict=True)):
            moved = np.zeros_like(canvas[row])
            if frame.volume[n]:
                moved[frame.slices(n)] = dense_resize(images[source][crop.slices(n)], frame.sides[n].tolist())
            share = field[n][..., None]
            mixed = np.where(share == 1, moved, (1 - share) * canvas[row] + share * moved)
            canvas[row] = np.where(share == 0, canvas[row], mixed)
    return canvas


@pytest.mark.parametrize("way", ["rows", "tensors"])
@hypothesis.given(plan=plans)
def test_plans_are_painted_by_the_dense_matrix(way: str, plan: Plan) -> None:
    """In place, out of it, and on tensors; what only pastes, bit for bit."""
    images = random_image("float64", (4, 11, 14, 2), 0)
    wanted = slowly(plan, images)
    pastes = {float(share) for layer in plan.layers for share in layer.field(SPEC.shape).ravel()} <= {0.0, 1.0}
    for inplace in (False, True):
        array = images.copy()
        if way == "tensors":
            array = pytest.importorskip("torch", reason="torch is not installed").from_numpy(array)
        with painted_by(way):
            seen = np.asarray(paint(plan, array, (1, 2), inplace=inplace))
        np.testing.assert_allclose(seen, wanted, rtol=0, atol=0 if pastes else 3 * ulp(500, 500, "float64"))


@pytest.mark.parametrize("dtype", DTYPES)
@hypothesis.given(plan=plans, layout=st.sampled_from([(0, 1, 2, 3), (0, 3, 1, 2), (0, 2, 1, 3)]))
def test_tensors_are_painted_as_host_memory(dtype: str, plan: Plan, layout: tuple[int, ...]) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    array = torch.from_numpy(random_image(dtype, (4, 11, 14, 2), 1)).permute(layout)
    axes = (layout.index(1), layout.index(2))
    for ids in (False, True):
        wanted = paint(plan, array, axes, ids=ids)
        with painted_by("tensors"):
            seen = paint(plan, array, axes, ids=ids)
        assert seen.dtype == array.dtype
        assert torch.equal(seen, wanted)


def test_halves_are_rounded_alike() -> None:
    """To float32 first: some of so many lie so near to the middle of two halves that it makes a difference."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    images, whole = random_image("float16", (2, 300, 301, 3), 5), Boxes.full(1, (300, 301))
    plan = Plan(BatchSpec(2, (300, 301)), (Layer([0], [1], [1.0], whole, Boxes([[0, 0]], [[170, 190]])),))
    wanted = paint(plan, images, (1, 2))
    with painted_by("tensors"):
        np.testing.assert_array_equal(paint(plan, torch.from_numpy(images), (1, 2)).numpy(), wanted)
    np.testing.assert_array_equal(wanted[0], dense_resize(images[1, :170, :190], (300, 301)))
    once = dense_resize(images[1, :170, :190].astype(np.float64), (300, 301)).astype(np.float16)
    assert (wanted[0] != once).any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@hypothesis.given(region=boxes(4, 1), crop=boxes(4, 1))
def test_pasted_crops_have_the_same_bits_on_tensors(dtype: str, region: Boxes, crop: Boxes) -> None:
    """Infinities and NaN as well, of which a cell without weight shows nothing."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    images = random_image(dtype, (4, 11, 14, 2), 2)
    images[0, 3, 4], images[1, 0, 13], images[2, 10, 5, 1] = np.inf, -np.inf, np.nan
    plan = Plan(SPEC, (Layer([0, 1, 2, 3], [1, 2, 0, 3], np.ones(4), region, crop),))
    wanted = paint(plan, images, (1, 2))
    with painted_by("tensors"):
        np.testing.assert_array_equal(paint(plan, torch.from_numpy(images), (1, 2)).numpy(), wanted)


@pytest.mark.parametrize("way", ["rows", "tensors"])
@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
@hypothesis.settings(max_examples=20)
@hypothesis.given(region=boxes(1, 1), crop=boxes(1, 1), opacity=st.sampled_from([1.0, 0.7]))
def test_what_is_not_finite_stays_outside(way: str, value: float, region: Boxes, crop: Boxes, opacity: float) -> None:
    """Of the crop, none of which it belongs to, and of the frame, where it is left as it is; nor has it a gradient."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    images, inside = random_image("float64", (4, 11, 14, 2), 4), np.zeros((4, 11, 14, 2), bool)
    inside[0][region.slices(0)], inside[1][crop.slices(0)] = True, True
    images[:2][~inside[:2]] = value
    plan = Plan(SPEC, (Layer([0], [1], [opacity], region, crop),))
    wanted = slowly(plan, np.where(np.isfinite(images), images, 0))
    array = torch.from_numpy(images).requires_grad_(way == "tensors")
    with painted_by(way):
        seen = paint(plan, array, (1, 2))
    np.testing.assert_array_equal(seen.detach()[0][~inside[0]], value)
    np.testing.assert_allclose(
        seen.detach()[0][inside[0]], wanted[0][inside[0]], rtol=0, atol=3 * ulp(500, 500, "float64")
    )
    np.testing.assert_array_equal(seen.detach()[1:], images[1:])
    if way == "tensors":
        seen[torch.from_numpy(inside)].sum().backward()
        assert array.grad is not None
        assert array.grad.isfinite().all()


def test_a_row_that_is_moved_onto_itself_through_a_mask_reads_what_it_was() -> None:
    """In place, source and canvas are one memory, and the crop is as large as its frame."""
    field = np.tile([1.0, 0.5, 0.0], 5)[None, None, :14].repeat(11, 1)
    layer = Layer([0], [0], [1.0], Mask(field), Boxes.full(1, SPEC.shape))
    narrow = Layer([0], [0], [1.0], Boxes([[0, 0]], [[11, 10]]), Boxes([[0, 4]], [[11, 14]]))
    for plan in (Plan(SPEC, (layer,)), Plan(SPEC, (narrow,)), Plan(SPEC, (narrow, layer))):
        images = random_image("float64", (4, 11, 14, 2), 3)
        wanted = slowly(plan, images)
        np.testing.assert_array_equal(paint(plan, images, (1, 2), inplace=True), wanted)


@pytest.mark.parametrize("region", ["box", "whole"])
def test_ids_are_not_averaged(region: str) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    box = Boxes([[0, 0]], [[5, 7]]) if region == "box" else None
    plan = Plan(SPEC, (Layer([0], [1], [1.0], box, Boxes([[0, 0]], [[8, 9]])),))
    with painted_by("tensors"), pytest.raises(InputError, match="cannot be blended"):
        paint(plan, torch.zeros(4, 11, 14, dtype=torch.int64), (1, 2))
    tensors = plan.tensors()
    assert tensors.has_regions
    from mixtransforms.kernels import tensor_painter

    with pytest.raises(InputError, match="cannot be blended"):
        tensor_painter.paint(torch.zeros(4, 11, 14, dtype=torch.int64), tensors, (1, 2))
    ids = torch.arange(4 * 11 * 14).reshape(4, 11, 14)
    seen = tensor_painter.paint(ids, tensors, (1, 2), dominant=True)
    np.testing.assert_array_equal(seen, paint(plan, ids.numpy(), (1, 2), ids=True))
