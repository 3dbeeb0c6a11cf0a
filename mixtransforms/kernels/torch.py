"""The verbs on torch tensors: pure functions of the whole batch, on any device, differentiable.

Every verb returns the new canvas and leaves its arguments alone. There is never one torch operation a sample, and
nothing is read back from the device.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mixtransforms.core.layers import BoolArray, Boxes, FloatArray, IntArray
from mixtransforms.kernels import SMALL_ROW, WEIGHT_STEPS
from mixtransforms.kernels.neighbours import nearest_cells
from mixtransforms.kernels.resampling import resize_matrices

_FLOAT8 = [getattr(torch, name) for name in dir(torch) if name.startswith("float8_")]

_BITS = {
    torch.uint16: torch.int16,
    torch.uint32: torch.int32,
    torch.uint64: torch.int64,
    **dict.fromkeys(_FLOAT8, torch.uint8),
}
"""Dtypes that torch hardly indexes, and those of the same width that it does."""


def host_view(array: Tensor) -> NDArray[Any] | None:
    """The tensor's memory as a NumPy array where that is all there is to it, else ``None``.

    Tensors on a device, in dtypes that NumPy has not, under autograd, with pending signs or in a traced graph stay
    tensors; so do small samples.
    """
    if array.nbytes < SMALL_ROW * len(array):
        return None
    traced = torch.compiler.is_compiling() or torch._C._functorch.maybe_current_level() is not None
    strange = array.dtype in (torch.bfloat16, *_FLOAT8) or array.is_conj() or array.is_neg()
    if traced or strange or array.device.type != "cpu" or array.requires_grad:
        return None
    return array.as_subclass(Tensor).numpy()


def from_host(values: NDArray[Any], like: Tensor) -> Tensor:
    """A painted NumPy array as a tensor of the type of ``like``."""
    tensor = torch.from_numpy(values)
    return tensor.as_subclass(type(like)) if _is_tv_tensor(like) else tensor


def begin(array: Tensor, inplace: bool) -> tuple[Tensor, Tensor]:
    """The canvas and the originals: both the tensor itself, since no verb writes into its arguments."""
    plain = array.as_subclass(Tensor)
    return plain, plain


def finish(array: Tensor, canvas: Tensor, inplace: bool) -> Tensor:
    """The painted tensor with the strides and the tensor type of the input, or the input itself, overwritten."""
    if inplace:
        array.copy_(canvas)
        return array
    plain = array.as_subclass(Tensor)
    if canvas.data_ptr() == plain.data_ptr() or canvas.stride() != plain.stride():
        canvas = torch.empty_like(plain, requires_grad=False).copy_(canvas)
    return canvas.as_subclass(type(array)) if _is_tv_tensor(array) else canvas


def _is_tv_tensor(array: Tensor) -> bool:
    return type(array).__module__.startswith("torchvision.tv_tensors")


def front(array: Tensor, axes: Sequence[int]) -> Tensor:
    """A view with the mixed axes at 1, 2, ..."""
    return array.movedim(tuple(axes), tuple(range(1, len(axes) + 1)))


def back(array: Tensor, axes: Sequence[int]) -> Tensor:
    """Undoes :func:`front`."""
    return array.movedim(tuple(range(1, len(axes) + 1)), tuple(axes))


def _bits(array: Tensor) -> Tensor:
    """The same bits in a dtype that torch can index."""
    return _viewed(array, _BITS.get(array.dtype, array.dtype))


def _viewed(array: Tensor, dtype: torch.dtype) -> Tensor:
    """The same bits as another dtype; no view where it is the same one, which autograd would not follow."""
    return array if array.dtype == dtype else array.view(dtype)


def _take(array: Tensor, index: tuple[Tensor, ...]) -> Tensor:
    return _viewed(_bits(array)[index], array.dtype)


def _where(condition: Tensor, first: Tensor, second: Tensor) -> Tensor:
    return _viewed(torch.where(condition, _bits(first), _bits(second)), first.dtype)


def _index(values: NDArray[Any], like: Tensor) -> Tensor:
    return torch.from_numpy(np.array(values)).to(like.device, non_blocking=True)


def _put(canvas: Tensor, rows: IntArray, painted: Tensor) -> Tensor:
    """The canvas with some rows replaced."""
    if len(rows) == len(canvas) and np.array_equal(rows, np.arange(len(canvas))):
        return painted
    return _viewed(_bits(canvas).index_copy(0, _index(rows, canvas), _bits(painted)), canvas.dtype)


def _rows(canvas: Tensor, rows: IntArray) -> Tensor:
    if len(rows) == len(canvas) and np.array_equal(rows, np.arange(len(canvas))):
        return canvas
    return _take(canvas, (_index(rows, canvas),))


def _mean(base: Tensor, other: Tensor, share: FloatArray) -> Tensor:
    """``(1 - share) * base + share * other`` in the precision and with the rounding of the dtype."""
    if base.is_floating_point():
        precise = torch.promote_types(base.dtype, torch.float32)
        keep, give = (_index(part, base).to(precise) for part in (1.0 - share, share))
        return (base.to(precise) * keep + other.to(precise) * give).to(base.dtype)
    steps = np.rint(share * WEIGHT_STEPS)
    precise = torch.float32 if base.dtype == torch.uint8 else torch.float64  # exact in either
    keep, give = (_index(part, base).to(precise) for part in (WEIGHT_STEPS - steps, steps))
    total = base.to(precise) * keep + other.to(precise) * give
    return (total / WEIGHT_STEPS).round().to(base.dtype)


def _column(values: NDArray[Any], rank: int) -> NDArray[Any]:
    return values.reshape(values.shape + (1,) * (rank - values.ndim))


def _mix(base: Tensor, other: Tensor, share: FloatArray) -> Tensor:
    """:func:`_mean`, but weights of 0 and 1 select: ``0 * inf`` is NaN."""
    copied, kept = share == 1.0, share == 0.0
    mixed = base if (copied | kept).all() else _mean(base, other, share)
    if kept.any():
        mixed = _where(_index(kept, base), base, mixed)
    return _where(_index(copied, base), other, mixed) if copied.any() else mixed


def blend(canvas: Tensor, original: Tensor, rows: IntArray, source: IntArray, opacity: FloatArray) -> Tensor:
    """``canvas[rows] = (1 - opacity) * canvas[rows] + opacity * original[source]``."""
    other = _take(original, (_index(source, canvas),))
    return _put(canvas, rows, _mix(_rows(canvas, rows), other, _column(opacity, canvas.ndim)))


def paste(
    canvas: Tensor, original: Tensor, rows: IntArray, source: IntArray, region: Boxes, crop: Boxes | None
) -> Tensor:
    """Copies the boxes ``crop`` (``None``: the same place) of the sources into the boxes ``region``."""
    rank, base = region.start.shape[1], _rows(canvas, rows)
    inside = _index(np.ones((len(rows), *(1,) * rank), np.bool_), canvas)
    place = [_index(_column(source, rank + 1), canvas)]
    for axis in range(rank):
        shape = tuple(-1 if a == axis + 1 else 1 for a in range(rank + 1))
        steps = torch.arange(canvas.shape[axis + 1], device=canvas.device).reshape(shape)
        start, stop = (_index(_column(edge[:, axis], rank + 1), canvas) for edge in (region.start, region.stop))
        inside = inside & (steps >= start) & (steps < stop)
        if crop is not None:
            shift = _index(_column(crop.start[:, axis] - region.start[:, axis], rank + 1), canvas)
            steps = (steps + shift).clamp(0, canvas.shape[axis + 1] - 1)
        place.append(steps)
    other = _take(original, (place[0].flatten(),) if crop is None else tuple(place))
    inside = inside.reshape(inside.shape + (1,) * (canvas.ndim - inside.ndim))
    return _put(canvas, rows, _where(inside, other, base))


def select(canvas: Tensor, moved: Tensor, rows: IntArray, field: FloatArray) -> Tensor:
    """Mixes ``moved (n, *shape, ...)`` into the rows by the weight of every cell, ``field (n, *shape)``."""
    return _put(canvas, rows, _mix(_rows(canvas, rows), moved, _column(field, canvas.ndim)))


def sources(original: Tensor, source: IntArray) -> Tensor:
    """The sources at their own place, ``(n, ...)``."""
    return _take(original, (_index(source, original),))


def resize(original: Tensor, source: IntArray, crop: Boxes, frame: Boxes) -> Tensor:
    """Crops of the sources resized into frames, ``(n, *shape, ...)``; zero outside the frames."""
    rank = crop.start.shape[1]
    shape = tuple(original.shape[1 : rank + 1])
    corners = (crop.start, crop.stop), (frame.start, frame.stop)
    matrices = [resize_matrices(shape, *corners, row) for row in range(len(source))]
    values = sources(original, source).to(torch.float64)
    for axis in range(rank):
        weights = _index(np.stack([matrix[axis] for matrix in matrices]), original)
        moved = values.movedim(axis + 1, 1)
        values = (weights @ moved.flatten(2)).reshape(moved.shape).movedim(1, axis + 1)
    return (values if original.is_floating_point() else values.round()).to(original.dtype)


def nearest(original: Tensor, source: IntArray, crop: Boxes, frame: Boxes) -> Tensor:
    """Like :func:`resize`, but every cell is a copy of the nearest one: of any dtype, and of no new value."""
    rank = crop.start.shape[1]
    place = [_index(_column(source, rank + 1), original)]
    for axis in range(rank):
        cells = nearest_cells(original.shape[axis + 1], crop, frame, axis)
        place.append(_index(np.expand_dims(cells, [other + 1 for other in range(rank) if other != axis]), original))
    moved = _take(original, tuple(place))
    inside = _index(_column(frame.inside(original.shape[1 : rank + 1]), original.ndim), original)
    return _where(inside, moved, torch.zeros_like(moved))


def one_hot(ids: Tensor, classes: int, ignore_index: int | None) -> Tensor:
    """``(B, classes)`` float32; rows of ``ignore_index`` are zero."""
    ids = ids.as_subclass(Tensor).long()
    hot = ids[:, None] == torch.arange(classes, device=ids.device)
    if ignore_index is not None:
        hot = hot & (ids != ignore_index)[:, None]
    return hot.to(torch.float32)


def astype(values: Tensor, dtype: Any) -> Tensor:
    """The values in another dtype, given by name or as torch has it; they themselves where it is their own."""
    return values.as_subclass(Tensor).to(getattr(torch, dtype) if isinstance(dtype, str) else dtype)


def combine(values: Tensor, rows: IntArray, share: FloatArray) -> Tensor:
    """Sums ``share[:, s] * values[rows[:, s]]`` over ``s``, ``(B, ...)``, in their own precision, at least float32."""
    precision = "float64" if values.dtype == torch.float64 else "float32"
    values = astype(values, precision)
    result = torch.zeros_like(values)
    for column in range(rows.shape[1]):
        weight = _index(_column(share[:, column].astype(precision), values.ndim), values)
        product = weight * values[_index(rows[:, column], values)]
        result = result + torch.where(weight == 0, torch.zeros_like(weight), product)  # no trace: 0 * inf is NaN
    return result


def union(values: Tensor, seen: BoolArray) -> Tensor:
    """The largest of ``values (B, S, ...)`` over ``S`` where they are ``seen (B, S, ...)``; 0 where none is."""
    nothing = torch.zeros((), dtype=values.dtype, device=values.device)
    return torch.where(_index(_column(seen, values.ndim), values), values, nothing).amax(dim=1)


def take(values: Tensor, index: IntArray) -> Tensor:
    """``values[index]``, a copy."""
    return _take(values.as_subclass(Tensor), (_index(index, values),))


def concat(first: Tensor, second: Tensor) -> Tensor:
    """Both along the batch axis, with the tensor type of the first."""
    joined = _viewed(torch.cat([_bits(part.as_subclass(Tensor)) for part in (first, second)]), first.dtype)
    return _wrapped(joined, first)


def _wrapped(values: Tensor, example: Tensor) -> Tensor:
    """The values with the tensor type of ``example``, and what it holds: format and canvas of boxes."""
    if not _is_tv_tensor(example):
        return values
    result = values.as_subclass(type(example))
    result.__dict__.update(example.__dict__)
    return result


def typed(values: Tensor, example: Any) -> Tensor:
    """The values with the tensor type and memory format of ``example``, where it is a tensor."""
    if not isinstance(example, Tensor):
        return values
    last = example.ndim == 4 and example.is_contiguous(memory_format=torch.channels_last)
    if last and values.ndim == 4 and not example.is_contiguous():
        values = values.contiguous(memory_format=torch.channels_last)
    return _wrapped(values, example)


def zeros(shape: Sequence[int], other: Tensor) -> Tensor:
    """float32 zeros beside ``other``."""
    return torch.zeros(tuple(shape), dtype=torch.float32, device=other.device)


def padded(values: Tensor, shape: Sequence[int], fill: float) -> Tensor:
    """The values at the start of a tensor of ``shape`` that is ``fill`` elsewhere."""
    plain = values.as_subclass(Tensor)
    result = plain.new_full(tuple(shape), fill)
    result[tuple(slice(length) for length in plain.shape)] = plain
    return _wrapped(result, values)


def like(values: NDArray[Any], other: Tensor) -> Tensor:
    """Host values as a tensor beside ``other``."""
    return _index(values, other)


def cast(values: NDArray[Any], example: Tensor) -> Tensor:
    """Host values in the dtype, type and place of ``example``, rounded where it holds integers."""
    if values.dtype.kind == "f" and not example.is_floating_point():
        values = np.rint(values)
    return _wrapped(_index(values, example).to(example.dtype), example)


def to_host(values: Tensor) -> NDArray[Any]:
    """The values as a NumPy array; waits for the device."""
    plain = values if type(values) is Tensor else values.as_subclass(Tensor)
    return (plain.float() if plain.dtype == torch.bfloat16 else plain).numpy(force=True)


def common_dtype(arrays: Sequence[Tensor]) -> Any:
    """The dtype that holds the values of all."""
    return functools.reduce(torch.promote_types, [array.dtype for array in arrays])
