"""Crops resized in C: the same bits as in NumPy, in whatever memory they lie, and as torch within rounding."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from mixtransforms import BatchSpec, Boxes, Layer, Mask, Plan, ResizeMix
from mixtransforms.kernels import compiled
from mixtransforms.kernels import numpy as kernel
from mixtransforms.kernels.compiled_rows import address_of
from mixtransforms.kernels.paint import paint
from mixtransforms.kernels.resampling import linear_taps
from mixtransforms.kernels.resizing import Resizer, job_of

pytestmark = pytest.mark.skipif(compiled.LIBRARY is None, reason=f"no kernel in C: {compiled.ABSENCE}")

WHOLE = ("uint8", "uint16", "int16")
FLOATS = ("float16", "float32", "float64")
CROPS = 400
"""How many of one dtype are resized."""


@contextmanager
def switched_off(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr(compiled, "LIBRARY", None)
        yield


def random_values(rng: np.random.Generator, dtype: str, shape: Any) -> np.ndarray:
    if dtype in WHOLE:
        limits = np.iinfo(dtype)
        kind = rng.integers(3)  # extremes need the most bits
        extremes = rng.choice(np.array([limits.min, limits.max], dtype), shape)
        return extremes if kind == 0 else rng.integers(limits.min, limits.max, shape, dtype, endpoint=True)
    values = rng.normal(size=shape) * 10.0 ** rng.integers(-8, 5)
    return values.astype(dtype)


def laid_out(rng: np.random.Generator, values: np.ndarray) -> np.ndarray:
    """The same values in another layout of memory."""
    order = rng.permutation(values.ndim) if rng.random() < 0.4 else np.arange(values.ndim)
    return np.ascontiguousarray(values.transpose(order)).transpose(np.argsort(order))


class Case:
    """A crop of a random picture, mirrored or not, and a frame in another one.

    Attributes:
        crop: A view.
        canvas: What holds the frame.
        place: The frame in the canvas.
        axes: Those that are resized.
    """

    def __init__(self, rng: np.random.Generator, dtype: str) -> None:
        mixed, others = int(rng.integers(1, 4)), int(rng.integers(0, 3))
        rank, most = mixed + others, (70, 70, 12)[mixed - 1]
        self.axes = [int(axis) for axis in rng.permutation(rank)[:mixed]]
        if rng.random() < 0.8:
            self.axes.sort()
        shape = np.where(np.isin(np.arange(rank), self.axes), rng.integers(1, most + 1, rank), rng.integers(1, 5, rank))
        sides = np.where(np.isin(np.arange(rank), self.axes), rng.integers(1, most + 1, rank), shape)
        if rng.random() < 0.1:
            sides[self.axes[0]] = shape[self.axes[0]]
        low, more = rng.integers(0, 4, (2, rank))
        low[[axis for axis in range(rank) if axis not in self.axes]] = 0
        picture = laid_out(rng, random_values(rng, dtype, low + shape + more))
        self.crop = picture[tuple(slice(a, a + n) for a, n in zip(low, shape, strict=True))]
        self.crop = np.flip(self.crop, [axis for axis in self.axes if rng.random() < 0.3])
        self.canvas = laid_out(rng, random_values(rng, dtype, low + sides + more))
        self.place = tuple(slice(a, a + n) for a, n in zip(low, sides, strict=True))

    @property
    def sides(self) -> list[int]:
        return [self.canvas[self.place].shape[axis] for axis in self.axes]

    def resized_by(self, write: Any) -> np.ndarray:
        """The canvas, with the crop in the frame."""
        canvas = self.canvas.copy(order="K")
        write(canvas[self.place], self.crop, self.axes)
        return canvas


@pytest.mark.parametrize("dtype", WHOLE + FLOATS)
def test_crops_have_the_bits_of_numpy(dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(7)
    for number in range(CROPS):
        case = Case(rng, dtype)
        compiled_write = kernel.linear_resizer(case.crop.dtype, case.crop.ndim)
        assert isinstance(compiled_write, Resizer)
        with switched_off(monkeypatch):
            expected = case.resized_by(kernel.linear_resizer(case.crop.dtype, case.crop.ndim))
        seen = case.resized_by(compiled_write)
        told = f"{number}: {case.crop.shape} of strides {case.crop.strides}, axes {case.axes}, to {case.sides}"
        assert seen.tobytes() == expected.tobytes(), told


def plan_of(rng: np.random.Generator, size: int, shape: tuple[int, int], region: str, opacity: float) -> Plan:
    """One layer of crops, mirrored at random, in boxes or behind a mask."""

    def boxes() -> Boxes:
        corners = np.sort(rng.integers(0, np.array(shape) + 1, (2, size, 2)), axis=0)
        start = np.minimum(corners[0], np.array(shape) - 1)
        return Boxes(start, np.maximum(corners[1], start + 1))

    own: Any = boxes() if region == "box" else Mask(rng.random((size, *shape)) < 0.5)
    layer = Layer(
        rng.permutation(size), rng.integers(0, size, size), np.full(size, opacity), own, boxes(), None,
        rng.random((size, 2)) < 0.4,
    )  # fmt: skip
    return Plan(BatchSpec(size, shape), (layer,))


@pytest.mark.parametrize("opacity", [1.0, 0.3])
@pytest.mark.parametrize("region", ["box", "mask"])
@pytest.mark.parametrize("dtype", WHOLE + FLOATS)
def test_plans_have_the_bits_of_numpy(dtype: str, region: str, opacity: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in place, where a row may be its own partner."""
    rng = np.random.default_rng(3)
    for _ in range(8):
        plan = plan_of(rng, 5, (17, 23), region, opacity)
        for order in ((0, 1, 2, 3), (0, 3, 1, 2), (0, 2, 3, 1)):
            images = random_values(rng, dtype, (5, 17, 23, 3)).transpose(order)
            axes = [order.index(1), order.index(2)]
            for inplace in (False, True):
                seen = paint(plan, images.copy(order="K"), axes, inplace=inplace)
                with switched_off(monkeypatch):
                    expected = paint(plan, images.copy(order="K"), axes, inplace=inplace)
                assert seen.tobytes() == expected.tobytes()


def test_what_is_not_finite_stays_within_its_band(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    for dtype in FLOATS:
        for _ in range(100):
            case = Case(rng, dtype)
            crop = np.array(case.crop)
            crop.flat[rng.integers(crop.size)] = rng.choice([np.inf, -np.inf, np.nan])
            seen = kernel.resize_linear(crop, case.sides, case.axes)
            with switched_off(monkeypatch):
                expected = kernel.resize_linear(crop, case.sides, case.axes)
            np.testing.assert_array_equal(seen, expected)


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_extremes_of_floats(dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The largest ones do not overflow on the way; the smallest ones round half to even."""
    rng = np.random.default_rng(6)
    limits = np.finfo(dtype)
    for choice in ([-limits.max, limits.max], [limits.smallest_subnormal, 0, 3 * limits.smallest_subnormal]):
        for _ in range(50):
            crop = rng.choice(np.array(choice, dtype), (3, *rng.integers(1, 40, 2)))
            sides = rng.integers(1, 40, 2).tolist()
            seen = kernel.resize_linear(crop, sides, (1, 2))
            with switched_off(monkeypatch):
                assert seen.tobytes() == kernel.resize_linear(crop, sides, (1, 2)).tobytes()


def test_memory_that_is_not_aligned_is_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = np.zeros(1 + 8 * 400, np.uint8)
    crop = memory[1:].view(np.float64).reshape(20, 20)
    crop[...] = np.random.default_rng(0).random((20, 20))
    out = memory[1 : 1 + 8 * 63].view(np.float64).reshape(7, 9)
    assert not crop.flags.aligned
    with switched_off(monkeypatch):
        expected = kernel.resize_linear(crop, (7, 9), (0, 1))
    kernel.linear_resizer(crop.dtype, 2)(out, crop, (0, 1))
    np.testing.assert_array_equal(out, expected)


def test_other_dtypes_and_many_axes_are_left_to_numpy() -> None:
    assert not isinstance(kernel.linear_resizer(np.dtype(">f4"), 3), Resizer)
    assert not isinstance(kernel.linear_resizer(np.dtype("f4"), 9), Resizer)
    crop = np.random.default_rng(0).random((4, 5) + (1,) * 7)
    seen = kernel.resize_linear(crop, (2, 3), (0, 1))
    np.testing.assert_array_equal(
        seen[(...,) + (0,) * 7], kernel.resize_linear(crop[(...,) + (0,) * 7], (2, 3), (0, 1))
    )


def test_too_little_room_is_told_and_nothing_is_written() -> None:
    crop, out, work = np.ones((4, 6), np.float32), np.zeros((3, 5), np.float32), np.zeros(8, np.uint8)
    numbers = [address_of(crop), address_of(out), address_of(work), work.nbytes, 0, 2, 2, 2]
    job = job_of(2).pack(*numbers, *crop.shape, *out.shape, *crop.strides, *out.strides, 0, 1)
    assert compiled.LIBRARY is not None
    assert compiled.LIBRARY.mixtransforms_resize(job) > work.nbytes
    assert not out.any()
    assert not work.any()


def test_a_method_that_shrinks_has_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.random.default_rng(0).integers(0, 256, (6, 33, 41, 3), np.uint8)
    seen, _ = ResizeMix(num_classes=3, seed=0)(images, np.arange(6) % 3)
    with switched_off(monkeypatch):
        expected, _ = ResizeMix(num_classes=3, seed=0)(images, np.arange(6) % 3)
    np.testing.assert_array_equal(seen, expected)
    assert (seen != images).any()


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_cells_whose_weight_is_rounded_to_nothing_are_not_read(axes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """At both ends of a band; whatever they hold, its mean shows nothing of it."""
    cells, count = 1999, 7
    first, weight = linear_taps(np.arange(count)[:, None], np.arange(600.0), np.int64(cells), np.int64(count), axes)
    centre = (np.arange(count)[:, None] + 0.5) * cells / count - 0.5
    near = np.abs(np.arange(cells) - centre) < cells / count
    light = near & ~_weighed(first, weight, cells)
    assert light[3, : cells // 2].any()
    assert light[3, cells // 2 :].any()
    for cell in np.flatnonzero(light[3]):
        crop = np.random.default_rng(cell).random((cells, 2, 2, 2))
        crop[cell] = np.inf
        sides = [count, 3, 3][:axes]
        seen = kernel.resize_linear(crop, sides, range(axes))
        assert np.isfinite(seen[3]).all()
        with switched_off(monkeypatch):
            np.testing.assert_array_equal(seen, kernel.resize_linear(crop, sides, range(axes)))


def _weighed(first: np.ndarray, weight: np.ndarray, cells: int) -> np.ndarray:
    """Which cells have a weight in which band, ``(count, cells)``."""
    seen = np.zeros((len(first), cells + weight.shape[1]), bool)
    for own, start, row in zip(seen, first[:, 0], weight, strict=True):
        own[start : start + len(row)] = row > 0
    return seen[:, :cells]
