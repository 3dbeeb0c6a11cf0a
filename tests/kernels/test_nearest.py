"""The nearest-neighbour resize, against a loop over cells that counts with fractions."""

from fractions import Fraction
from importlib.util import find_spec
from math import floor
from typing import Any

import numpy as np
import pytest
from forms import bits, host, painted_by
from oracles import nearest

from mixtransforms import BatchSpec, Boxes, Layer, Plan
from mixtransforms.core.backends import backend_of
from mixtransforms.kernels import kernel_of
from mixtransforms.kernels.numpy import resize_nearest
from mixtransforms.kernels.paint import paint
from mixtransforms.kernels.resampling import nearest_cells

NEEDS_TORCH = pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed")
BACKENDS = ("numpy", pytest.param("torch", marks=NEEDS_TORCH))
DTYPES = ("bool", "uint8", "int16", "int32", "int64", "uint16", "float16", "float32", "float64")


def own(backend: str, array: np.ndarray) -> Any:
    if backend == "numpy":
        return array
    return pytest.importorskip("torch", reason="torch is not installed").from_numpy(array)


def boxes(pairs: list[tuple[list[int], list[int]]]) -> Boxes:
    return Boxes(np.array([start for start, _ in pairs]), np.array([stop for _, stop in pairs]))


def slowly(original: np.ndarray, source: np.ndarray, crop: Boxes, frame: Boxes) -> np.ndarray:
    """Row by row, in fractions."""
    out = np.zeros((len(source), *original.shape[1:]), original.dtype)
    for index, row in enumerate(source.tolist()):
        if frame.volume[index]:
            out[index][frame.slices(index)] = nearest(original[row][crop.slices(index)], frame.sides[index].tolist())
    return out


def resized(array: Any, source: np.ndarray, crop: Boxes, frame: Boxes) -> Any:
    """Crops of the sources in frames: painted as ids on samples of zeros, in host memory or by torch."""
    count, axes = len(source), range(1, 1 + crop.start.shape[1])
    backend = str(backend_of(array))
    batch = kernel_of(backend).concat(array, own(backend, np.zeros((count, *array.shape[1:]), host(array).dtype)))
    spec = BatchSpec(len(batch), tuple(array.shape[axis] for axis in axes))
    plan = Plan(spec, (Layer(np.arange(count) + len(array), source, np.ones(count), frame, crop),))
    with painted_by("tensors" if backend == "torch" else "rows"):
        return paint(plan, batch, axes, ids=True)[len(array) :]


def random_boxes(rng: np.random.Generator, count: int, shape: tuple[int, ...], *, empty: bool) -> Boxes:
    """Boxes of any size."""
    ends = np.sort(rng.integers(0, np.array(shape) + 1, (2, count, len(shape))), axis=0)
    if not empty:
        ends[0] = np.minimum(ends[0], np.array(shape) - 1)
        ends[1] = np.maximum(ends[1], ends[0] + 1)
    return Boxes(*ends)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes(dtype: str, backend: str) -> None:
    rng = np.random.default_rng(0)
    original = rng.integers(0, 2 if dtype == "bool" else 200, (4, 6, 9, 2)).astype(dtype)
    source = np.array([3, 0, 0, 2, 1])
    crop, frame = (random_boxes(rng, 5, (6, 9), empty=empty) for empty in (False, True))
    array = own(backend, original)
    before = bits(array)
    seen = resized(array, source, crop, frame)
    assert seen.dtype == array.dtype
    np.testing.assert_array_equal(host(seen), slowly(original, source, crop, frame))
    assert bits(array) == before


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("shape", [(11,), (5, 8), (1, 7), (3, 4, 5), (1, 1)], ids=str)
@pytest.mark.parametrize("channels", [(), (2,)], ids=["plain", "channels"])
def test_any_number_of_axes(channels: tuple[int, ...], shape: tuple[int, ...], backend: str) -> None:
    rng = np.random.default_rng(1)
    original = np.arange(3 * np.prod((*shape, *channels))).reshape(3, *shape, *channels)
    for _ in range(20):
        source = rng.integers(0, 3, 4)
        crop, frame = (random_boxes(rng, 4, shape, empty=empty) for empty in (False, True))
        seen = resized(own(backend, original), source, crop, frame)
        np.testing.assert_array_equal(host(seen), slowly(original, source, crop, frame))


@pytest.mark.parametrize("backend", BACKENDS)
def test_nothing_is_copied_where_nothing_is_painted(backend: str) -> None:
    """An empty crop belongs to an empty frame only; it may start behind the last cell."""
    original = np.full((2, 3, 4), 7, np.uint8)
    empty = boxes([([3, 4], [3, 4])])
    seen = resized(own(backend, original), np.array([1]), empty, empty)
    assert not host(seen).any()
    nobody = Boxes.full(0, (3, 4))
    seen = resized(own(backend, original), np.zeros(0, int), nobody, nobody)
    assert tuple(seen.shape) == (0, 3, 4)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("memory", ["strided", "reversed axes"])
def test_views(memory: str, backend: str) -> None:
    original = np.arange(2 * 6 * 8).reshape(2, 6, 8)
    array = own(backend, np.repeat(original, 2, axis=-1))[..., ::2]
    if memory == "reversed axes":
        array = own(backend, np.ascontiguousarray(original.transpose(2, 1, 0)))
        array = array.transpose(2, 1, 0) if backend == "numpy" else array.permute(2, 1, 0)
    crop, frame = boxes([([1, 2], [6, 7])]), boxes([([0, 0], [6, 8])])
    seen = resized(array, np.array([1]), crop, frame)
    np.testing.assert_array_equal(host(seen), slowly(original, np.array([1]), crop, frame))


@pytest.mark.parametrize(("cells", "count"), [(1, 9), (9, 1), (2, 3), (3, 2), (10, 30), (49, 98), (1000, 7), (7, 1000)])
def test_cells_are_counted_exactly(cells: int, count: int) -> None:
    seen = nearest_cells(np.arange(count), cells, count)
    exact = [floor((Fraction(k) + Fraction(1, 2)) * cells / count) for k in range(count)]
    np.testing.assert_array_equal(seen, exact)


def test_the_same_size_is_a_copy() -> None:
    original = np.random.default_rng(2).integers(0, 9, (2, 6, 8))
    whole = Boxes.full(2, (6, 8))
    np.testing.assert_array_equal(resized(original, np.array([1, 0]), whole, whole), original[::-1])


@pytest.mark.parametrize(("height", "width"), [(3, 4), (12, 16), (6, 8), (5, 13), (1, 1)])
def test_it_is_torchs_nearest_exact(height: int, width: int) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    picture = np.random.default_rng(3).random((6, 8)).astype(np.float32)
    seen = resize_nearest(picture, (height, width), (0, 1))
    theirs = torch.nn.functional.interpolate(
        torch.from_numpy(picture)[None, None], (height, width), mode="nearest-exact"
    )
    np.testing.assert_array_equal(seen, theirs[0, 0].numpy())
