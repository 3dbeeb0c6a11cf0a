"""The kernel in C paints what a slow painter paints, bit for bit: all dtypes, layouts, layers and numbers of threads."""

import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mixtransforms import BatchSpec, Boxes, Layer, Mask, Plan
from mixtransforms.kernels import compiled, compiled_rows
from mixtransforms.kernels.compiled_rows import Cells
from mixtransforms.kernels.numpy import blend_arrays, blend_run, cells
from mixtransforms.kernels.paint import paint

pytestmark = pytest.mark.skipif(compiled.LIBRARY is None, reason="the kernel in C was not built, or is switched off")

Array = np.ndarray[Any, Any]

FLOATS = ("float16", "float32", "float64")
INTEGERS = ("uint8", "uint16", "int16")
OTHERS = ("bool", "int8", "int32", "uint32", "int64", "complex64", "complex128")


@pytest.fixture(params=[1, 2, 5], ids="{} threads".format)
def threads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Batches of every size are shared out between threads."""
    monkeypatch.setattr(compiled_rows, "LARGE", 0)
    monkeypatch.setattr(compiled_rows, "PIECE", 1)
    monkeypatch.setattr(compiled_rows, "thread_count", lambda: request.param)
    return request.param


# ------------------------------------------------------------------------------------------ cases


def values(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> Array:
    """Any bits that there are, infinities and NaN included, or ordinary numbers."""
    if dtype == "bool":
        return rng.random(shape) < 0.5
    if dtype in FLOATS and rng.random() < 0.5:
        return (rng.normal(size=shape) * 10 ** rng.uniform(-6, 4)).astype(dtype)
    bits = rng.integers(0, 256, (*shape, np.dtype(dtype).itemsize), np.uint8)
    return bits.view(dtype)[..., 0]


def random_layer(rng: np.random.Generator, size: int, lengths: list[int], blends: bool) -> Layer:
    count = int(rng.integers(0, size + 1))
    rows = rng.permutation(size)[:count]
    source = rng.permutation(size)[:count] if rng.random() < 0.6 else rng.integers(0, size, count)
    opacity = rng.choice([0.0, 1.0] if not blends else [0.0, 1.0, 0.5, 1 / 3, float(rng.random())], count)
    if not lengths or rng.random() < 0.4:
        return Layer(rows, source, opacity)
    corners = np.sort(rng.integers(0, np.array(lengths) + 1, (2, count, len(lengths))), axis=0)
    return Layer(rows, source, opacity, Boxes(*corners))


class Case(SimpleNamespace):
    """A batch, layers of it, and the mixed axes."""

    layers: tuple[Layer, ...]
    batch: Array
    axes: list[int]


def cases(dtype: str, seed: int, count: int = 60) -> Iterator[Case]:
    """Random ones: sides of any length, axes in any order in memory, one layer or several."""
    rng = np.random.default_rng([seed, *dtype.encode()])
    for number in range(count):
        size, rank = int(rng.integers(1, 8)), int(rng.integers(1, 5))
        shape = tuple(rng.integers(1, 9, rank).tolist())
        order = rng.permutation(rank) if number % 2 else np.arange(rank)
        given = values(rng, (size, *(shape[axis] for axis in order)), dtype)
        batch = given.transpose(0, *(1 + np.argsort(order)))
        assert batch.shape == (size, *shape)
        axes = (1 + rng.permutation(rank)[: rng.integers(0, rank + 1)]).tolist()
        blends = dtype not in OTHERS
        lengths = [batch.shape[axis] for axis in axes]
        layers = tuple(random_layer(rng, size, lengths, blends) for _ in range((1, 1, 2, 3, 0)[number % 5]))
        yield Case(layers=layers, batch=batch, axes=axes)


def slowly(case: Case) -> Array:
    """One entry of a layer after the other, each from the originals."""
    result = case.batch.copy()
    for row in range(len(result)):
        entries = [
            (layer, number) for layer in case.layers for number in range(len(layer)) if layer.rows[number] == row
        ]
        joins = result.dtype.kind in "iu"
        for whole, group in itertools.groupby(entries, lambda entry: entry[0].region is None):
            run = list(group)
            if joins and whole and sum(0 < layer.opacity[number] < 1 for layer, number in run) > 1:
                others = [case.batch[layer.source[number]] for layer, number in run]
                result[row] = blend_run(result[row], others, [layer.opacity[number] for layer, number in run])
                continue
            for layer, number in run:
                place: list[Any] = [slice(None)] * (result.ndim - 1)
                if isinstance(layer.region, Boxes):
                    for axis, part in zip(case.axes, layer.region.slices(number), strict=True):
                        place[axis - 1] = part
                own, other = result[row][tuple(place)], case.batch[layer.source[number]][tuple(place)]
                if layer.opacity[number] == 1:
                    own[...] = other
                elif layer.opacity[number] > 0:
                    own[...] = blend_arrays(own, other, layer.opacity[number])
    return result


def assert_same(result: Array, wanted: Array) -> None:
    """Of NaN that were worked out, no bits are promised."""
    assert result.dtype == wanted.dtype
    nan = np.isnan(wanted) if wanted.dtype.kind == "f" else np.zeros(wanted.shape, bool)
    bits = [np.ascontiguousarray(array).view(f"V{array.itemsize}") for array in (result, wanted)]
    np.testing.assert_array_equal(bits[0][~nan], bits[1][~nan])
    np.testing.assert_array_equal(np.isnan(result[nan]), True)


def painted(layers: tuple[Layer, ...], originals: Array | list[Array], canvas: Array, axes: list[int]) -> bool:
    """Whether the kernel has painted."""
    out = cells(canvas)
    given = originals if isinstance(originals, list) else out if originals is canvas else cells(originals)
    if out is None or given is None or not compiled_rows.knows(layers, len(axes)):
        return False
    return compiled_rows.paint(layers, given, out, axes)


def whole(array: Array) -> Cells:
    """The memory of an array that the kernel knows."""
    known = cells(array)
    assert known is not None
    return known


def apart(case: Case) -> Array:
    out = np.empty_like(case.batch)
    assert painted(case.layers, case.batch, out, case.axes)
    return out


def in_place(case: Case) -> Array:
    out = case.batch.copy("K")
    assert painted(case.layers, out, out, case.axes)
    return out


def from_samples(case: Case) -> Array:
    out = np.empty(case.batch.shape, case.batch.dtype)
    samples = [row.copy("C") for row in case.batch]
    assert painted(case.layers, samples, out, case.axes)
    return out


WAYS = (apart, in_place, from_samples)


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("dtype", [*FLOATS, *INTEGERS, *OTHERS])
def test_it_paints_as_a_slow_painter_does(dtype: str, way: Callable[[Case], Array]) -> None:
    for case in cases(dtype, WAYS.index(way)):
        before = case.batch.copy()
        with np.errstate(all="ignore"):
            wanted = slowly(case)
        assert_same(way(case), wanted)
        assert_same(case.batch, before)


@pytest.mark.parametrize("shape", [(9, 3, 32, 32), (5, 65, 67), (3, 3, 224, 224), (40, 3)])
@pytest.mark.parametrize("dtype", [*FLOATS, *INTEGERS])
def test_rows_of_all_lengths(dtype: str, shape: tuple[int, ...]) -> None:
    """Long lines are worked on many numbers at once, with what is left behind them."""
    rng = np.random.default_rng(len(shape))
    batch = values(rng, shape, dtype)
    source = np.roll(np.arange(len(batch)), 1)
    layers = (Layer(np.arange(len(batch)), source, rng.random(len(batch))),)
    case = Case(layers=layers, batch=batch, axes=[])
    with np.errstate(all="ignore"):
        wanted = slowly(case)
    for way in WAYS:
        assert_same(way(case), wanted)


def test_what_is_pasted_keeps_all_its_bits() -> None:
    bits = np.random.default_rng(0).integers(0, 1 << 32, (4, 6), np.uint32) | np.uint32(0x7F800001)  # all NaN
    batch = bits.view(np.float32)
    layers = (Layer([0, 1], [2, 3], 1.0), Layer([2], [0], 1.0, Boxes([[1]], [[4]])))
    case = Case(layers=layers, batch=batch, axes=[1])
    for way in WAYS:
        result = way(case).view(np.uint32)
        np.testing.assert_array_equal(result[0], bits[2])
        np.testing.assert_array_equal(result[2], [bits[2, 0], *bits[0, 1:4], *bits[2, 4:]])


def test_every_half_is_blended_as_numpy_blends_it() -> None:
    """All 65536 of them, subnormal ones, infinities and NaN included, with weights that round in every way."""
    first = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    batch = np.stack([first, np.random.default_rng(0).permutation(first), np.zeros_like(first)])
    for share in (0.5, 1 / 3, 2**-11, 1 - 2**-13, 1e-30):
        case = Case(layers=(Layer([0, 1], [1, 2], share),), batch=batch, axes=[])
        with np.errstate(all="ignore"):
            wanted = slowly(case)
        for way in WAYS:
            assert_same(way(case), wanted)


STEPS = np.array([1, 2, 255, 256, 257, 16384, 32767, 32768, 32769, 40000, 65279, 65280, 65534, 65535])


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16"])
def test_all_bytes_are_blended_with_all_others(dtype: str) -> None:
    """Half of a step more or less decides which way is rounded; of 16 bits these are the lowest and the highest."""
    ends = np.arange(256).astype("u1") if dtype == "uint8" else np.arange(-128, 128).astype(dtype)
    first, second = (part.reshape(-1) for part in np.meshgrid(ends, ends))
    half = np.linspace(-0.5, 0.5, 5)
    for share in [*(STEPS[:, None] + half).reshape(-1) / 65536, *np.random.default_rng(0).random(20)]:
        if 0 <= share <= 1:
            case = Case(layers=(Layer([0], [1], share),), batch=np.stack([first, second]), axes=[])
            assert_same(apart(case), slowly(case))


@pytest.mark.parametrize("step", [2, -1, 0])
def test_rows_need_not_lie_one_behind_the_other(step: int) -> None:
    rng = np.random.default_rng(0)
    every = rng.random((17, 5, 6)).astype(np.float32)
    batch = np.lib.stride_tricks.as_strided(every[6:], (6, 5, 6), (step * every.strides[0], *every.strides[1:]))
    case = Case(layers=(Layer(np.arange(6), np.roll(np.arange(6), 1), 0.25),), batch=batch, axes=[])
    out = np.empty(batch.shape, np.float32)
    assert painted(case.layers, batch, out, [])
    assert_same(out, slowly(case))


def test_in_place_every_second_row() -> None:
    every = np.random.default_rng(0).random((12, 5, 6)).astype(np.float32)
    case = Case(layers=(Layer(np.arange(6), np.roll(np.arange(6), 1), 0.25),), batch=every[::2].copy(), axes=[])
    own, rest = every[::2], every[1::2].copy()
    assert painted(case.layers, own, own, [])
    assert_same(own, slowly(case))
    np.testing.assert_array_equal(every[1::2], rest)


# ------------------------------------------------------------------------------------------ what it leaves to others


class OwnArray(np.ndarray):
    """A type of somebody's own."""


BATCH = np.arange(4 * 6 * 5, dtype=np.float32).reshape(4, 6, 5)
BLEND = Layer([0, 1], [1, 2], 0.5)
PASTE = Layer([0, 1], [1, 2], 1.0)
BOXES = Boxes([[0, 0], [1, 1]], [[2, 2], [3, 3]])

LEFT: dict[str, tuple[Layer, Array]] = {
    "a mask": (Layer([0], [1], 1.0, Mask(np.ones((1, 6, 5), bool))), BATCH),
    "a crop": (Layer([0, 1], [1, 2], 1.0, BOXES, BOXES), BATCH),
    "boxes of other axes": (Layer([0], [1], 1.0, Boxes([[0]], [[1]])), BATCH),
    "objects": (PASTE, BATCH.astype(object)),
    "text": (PASTE, BATCH.astype("U3")),
    "dates": (PASTE, BATCH.astype("M8[D]")),
    "a subclass": (BLEND, BATCH.view(OwnArray)),
    "masked": (BLEND, np.ma.masked_less(BATCH, 3)),
    "another order of bytes": (BLEND, BATCH.astype(BATCH.dtype.newbyteorder())),
    "no dtype that is computed with": (BLEND, BATCH.astype(np.int32)),
    "rows that do not lie dense": (BLEND, np.repeat(BATCH, 2, axis=2)[:, :, ::2]),
    "the batch behind other axes": (BLEND, np.moveaxis(np.ascontiguousarray(np.moveaxis(BATCH, 0, 1)), 1, 0)),
    "no aligned memory": (
        BLEND,
        np.frombuffer(bytearray(b"x" + BATCH.tobytes()), np.float32, -1, 1).reshape(BATCH.shape),
    ),
    "nothing": (BLEND, BATCH[:, :0]),
    "too many axes": (BLEND, BATCH.reshape(4, 6, 5, *(1,) * 7)),
}


@pytest.mark.parametrize("case", LEFT)
def test_what_it_cannot_do_it_leaves_alone(case: str) -> None:
    layer, batch = LEFT[case]
    before = batch.copy()
    axes = [1, 2] if layer.region is not None else []
    for canvas in (batch, np.empty(batch.shape, batch.dtype)):
        assert not painted((layer,), batch, canvas, axes)
    np.testing.assert_array_equal(batch, before)


def damaged(**parts: Any) -> Layer:
    """A layer that no plan would take."""
    layer = Layer([0, 1], [1, 2], [1.0, 0.5], BOXES)
    vars(layer).update(parts)
    return layer


DAMAGED: dict[str, Layer] = {
    "a row too far": damaged(rows=np.array([0, 4])),
    "a row before the first": damaged(rows=np.array([0, -1])),
    "a row far away": damaged(rows=np.array([0, 1 << 62])),
    "a source too far": damaged(source=np.array([4, 0])),
    "a source before the first": damaged(source=np.array([-1, 0])),
    "a weight above 1": damaged(opacity=np.array([1.5, 0.5])),
    "a weight below 0": damaged(opacity=np.array([-0.5, 0.5])),
    "no weight": damaged(opacity=np.array([np.nan, 0.5])),
    "a box too large": damaged(region=Boxes([[0, 0], [1, 1]], [[2, 2], [3, 6]])),
    "a box before the first": damaged(region=Boxes([[0, -1], [1, 1]], [[2, 2], [3, 3]])),
    "a box turned round": damaged(region=Boxes([[0, 2], [1, 1]], [[2, 1], [3, 3]])),
}


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("case", DAMAGED)
def test_what_does_not_fit_is_not_painted(case: str) -> None:
    """Addresses are worked out of these numbers: nothing is read or written before all have been looked at."""
    own, out = BATCH.copy(), np.full_like(BATCH, -1)
    for layers in ((DAMAGED[case],), (BLEND, DAMAGED[case])):
        assert not painted(layers, own, own, [1, 2])
        assert not painted(layers, BATCH, out, [1, 2])
        assert not painted(layers, list(BATCH), out, [1, 2])
    np.testing.assert_array_equal(own, BATCH)
    np.testing.assert_array_equal(out, -1)


def test_what_may_not_be_written_is_left_alone() -> None:
    frozen = BATCH.copy()
    frozen.flags.writeable = False
    assert not painted((BLEND,), frozen, frozen, [])
    assert painted((BLEND,), frozen, np.empty_like(frozen), [])
    windows = np.lib.stride_tricks.sliding_window_view(np.zeros(9, np.float32), 5, writeable=True)
    assert not painted((BLEND,), windows, windows, [])


@pytest.mark.parametrize("odd", ["shape", "dtype", "memory", "byte"])
def test_samples_of_another_form_are_left_alone(odd: str) -> None:
    samples = list(BATCH.copy())
    samples[2] = {
        "shape": lambda: np.zeros((5, 6), np.float32),
        "dtype": lambda: np.zeros((6, 5), np.int32),
        "memory": lambda: np.zeros((5, 6), np.float32).T,
        "byte": lambda: np.frombuffer(b"x" + samples[2].tobytes(), np.float32, -1, 1).reshape(6, 5),
    }[odd]()
    assert not painted((BLEND,), samples, np.empty_like(BATCH), [])


# ------------------------------------------------------------------------------------------ plans


def test_samples_of_a_second_batch_are_painted_with_and_not_on() -> None:
    samples = list(BATCH)
    out = np.empty_like(BATCH[:2])
    assert painted((Layer([0, 1], [3, 0], [0.5, 1.0]),), samples, out, [])
    np.testing.assert_array_equal(out, [BATCH[0] * 0.5 + BATCH[3] * 0.5, BATCH[0]])


@pytest.mark.skipif(not hasattr(os, "pwrite"), reason="files cannot be written at a place here")
@pytest.mark.parametrize("inside", [False, True])
def test_rows_are_written_to_a_file(inside: bool, tmp_path: Path) -> None:
    layers = (Layer([0, 1], [1, 2], [0.25, 1.0]), Layer([3], [0], 1.0, BOXES.take(np.array([True, False]))))
    case = Case(layers=layers[: 1 + inside], batch=BATCH, axes=[1, 2])
    out = np.full_like(BATCH, -1)
    with (tmp_path / "rows").open("wb") as rows:
        assert compiled_rows.paint(case.layers, list(BATCH), whole(out), case.axes, rows.fileno())
    np.testing.assert_array_equal(np.fromfile(tmp_path / "rows", np.float32).reshape(BATCH.shape), slowly(case))
    np.testing.assert_array_equal(out, -1)


@pytest.mark.skipif(not hasattr(os, "pwrite"), reason="files cannot be written at a place here")
def test_a_file_that_cannot_be_written_is_no_success(tmp_path: Path) -> None:
    (tmp_path / "rows").touch()
    with (tmp_path / "rows").open("rb") as rows:
        assert not compiled_rows.paint((BLEND,), list(BATCH), whole(np.empty_like(BATCH)), [], rows.fileno())


PLAN = Plan(
    BatchSpec(4, (6, 5)),
    (
        Layer([0, 1, 3], [1, 2, 0], [0.25, 0.5, 1.0]),
        Layer([2, 3], [3, 2], 1.0, Boxes([[1, 0], [0, 2]], [[5, 3], [6, 5]])),
    ),
)


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("inplace", [False, True])
def test_plans_give_the_same_with_it_and_without(inplace: bool, scaled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = replace(PLAN, scale=np.array([1.0, 0.5, 1.0, 2.0])) if scaled else PLAN
    batch = np.random.default_rng(0).random((4, 3, 6, 5)).astype(np.float32)
    results = []
    for library in (compiled.LIBRARY, None):
        monkeypatch.setattr(compiled, "LIBRARY", library)
        for given in (batch.copy(), batch.transpose(0, 2, 3, 1).copy().transpose(0, 3, 1, 2)):
            result = plan.apply(given, "channels_first")
            assert result.strides == given.strides
            results.append(result)
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])


# ------------------------------------------------------------------------------------------ tensors

try:
    import torch
except ImportError:
    torch = None

needs_torch = pytest.mark.skipif(torch is None, reason="torch is not installed")


def random_bits(seed: int, shape: tuple[int, ...]) -> Array:
    return np.random.default_rng(seed).integers(0, 1 << 16, shape, np.uint16)


def rounded_once(bits: Array, layers: tuple[Layer, ...], axes: list[int]) -> Any:
    """bfloat16, given by its bits, painted by float32: layer by layer, each rounded to bfloat16."""
    batch = torch.from_numpy(bits.view(np.int16)).view(torch.bfloat16)
    result = batch.clone()
    for layer in layers:
        case = Case(layers=(layer,), batch=batch.float().numpy(), axes=axes)
        stacked = Case(
            layers=(replace(layer, source=layer.source + len(bits)),),
            batch=np.concatenate([result.float().numpy(), case.batch]),
            axes=axes,
        )
        with np.errstate(all="ignore"):
            result = torch.from_numpy(slowly(stacked)[: len(bits)]).to(torch.bfloat16)
    return result


@needs_torch
@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("inplace", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_bfloat16_is_blended_in_float32_and_rounded_once(seed: int, inplace: bool) -> None:
    rng = np.random.default_rng(seed)
    bits = random_bits(seed, (6, 3, 7, 9))
    layers = tuple(random_layer(rng, 6, [7, 9], True) for _ in range(1 + seed % 3))
    batch = torch.from_numpy(bits.copy().view(np.int16)).view(torch.bfloat16)
    wanted = rounded_once(bits, layers, [2, 3])
    result = paint(Plan(BatchSpec(6, (7, 9)), layers), batch, [2, 3], inplace=inplace)
    assert (result is batch) == inplace
    assert result.dtype is torch.bfloat16
    nan = wanted.isnan()
    assert torch.equal(result.isnan(), nan)
    assert torch.equal(result.view(torch.int16)[~nan], wanted.view(torch.int16)[~nan])


@needs_torch
def test_bfloat16_is_not_painted_by_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else it would be the way of four passes that is compared above."""
    from mixtransforms.kernels import torch as kernel

    monkeypatch.setattr(kernel, "paint", None)
    batch = torch.rand(4, 6, 5).to(torch.bfloat16)
    assert PLAN.apply(batch, "BHW").dtype is torch.bfloat16


@needs_torch
@pytest.mark.parametrize("dtype", ["bfloat16", "float8_e4m3fn", "float8_e5m2", "complex32"])
def test_dtypes_that_numpy_has_not_are_pasted_bit_by_bit(dtype: str) -> None:
    kind = getattr(torch, dtype)
    whole = {1: torch.uint8, 2: torch.int16, 4: torch.int32}[kind.itemsize]
    bits = torch.randint(0, 100, (4, 6, 5), generator=torch.Generator().manual_seed(0)).to(whole)
    plan = Plan(PLAN.spec, (replace(PLAN.layers[0], opacity=1.0), PLAN.layers[1]))
    wanted, layout = plan.apply(bits, "BHW"), "BHW"
    assert torch.equal(plan.apply(bits.view(kind), layout).view(whole), wanted)


@needs_torch
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_type_and_the_strides_of_tensors_stay(dtype: str) -> None:
    batch = torch.rand(4, 3, 6, 5).to(getattr(torch, dtype)).to(memory_format=torch.channels_last)
    plain = PLAN.apply(batch, "channels_first")
    kind = type("Own", (torch.Tensor,), {})
    own = PLAN.apply(batch.as_subclass(kind), "channels_first")
    assert type(own) is kind
    assert own.stride() == plain.stride() == batch.stride()
    assert torch.equal(own.as_subclass(torch.Tensor), plain)
    assert torch.equal(plain, PLAN.apply(batch.contiguous(), "channels_first"))
