"""The verbs on NumPy arrays, one row at a time, with OpenCV for the blends it does exactly.

Every verb paints into ``canvas`` and returns it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core.layers import BoolArray, Boxes, FloatArray, IntArray
from mixtransforms.kernels import SMALL_ROW, WEIGHT_STEPS, is_floating
from mixtransforms.kernels.neighbours import nearest_cells
from mixtransforms.kernels.resampling import resize_matrices

Array = NDArray[Any]

OPENCV_DTYPES = frozenset({"uint8", "float32", "float64"})


@cache
def opencv() -> ModuleType | None:
    """OpenCV where it is installed and loads; without it NumPy gives the same results, slower."""
    try:
        import cv2
    except ImportError:  # also a desktop build without libGL
        return None
    return cv2


def host_view(array: Array) -> Array:
    """The array itself."""
    return array


def begin(array: Array, inplace: bool) -> tuple[Array, Array]:
    """The canvas and the originals; one of them is the array itself, the other a copy."""
    copy = array.copy(order="K")
    return (array, copy) if inplace else (copy, array)


def finish(array: Array, canvas: Array, inplace: bool) -> Array:
    """The painted array."""
    return canvas


def front(array: Array, axes: Sequence[int]) -> Array:
    """A view with the mixed axes at 1, 2, ..."""
    return np.moveaxis(array, axes, range(1, len(axes) + 1))


def back(array: Array, axes: Sequence[int]) -> Array:
    """Undoes :func:`front`."""
    return np.moveaxis(array, range(1, len(axes) + 1), axes)


def blend(canvas: Array, original: Array, rows: IntArray, source: IntArray, opacity: FloatArray) -> Array:
    """``canvas[rows] = (1 - opacity) * canvas[rows] + opacity * original[source]``."""
    if canvas.nbytes < SMALL_ROW * len(canvas):
        between = (opacity > 0.0) & (opacity < 1.0)
        copied = opacity == 1.0
        share = opacity[between].reshape(-1, *(1,) * (canvas.ndim - 1))
        canvas[rows[between]] = _mean(canvas[rows[between]], original[source[between]], share)
        canvas[rows[copied]] = original[source[copied]]
        return canvas
    for row, index, share in zip(rows.tolist(), source.tolist(), opacity.tolist(), strict=True):
        if not is_floating(canvas):
            share = round(share * WEIGHT_STEPS) / WEIGHT_STEPS
        if share == 1.0:
            canvas[row] = original[index]
        elif share != 0.0:
            _blend_row(canvas[row : row + 1], original[index : index + 1], share)
    return canvas


def _blend_row(base: Array, other: Array, share: float) -> None:
    known = base.dtype.name in OPENCV_DTYPES and base.dtype.isnative
    cv2 = opencv() if known and base.size else None
    flat = _flat(base, other) if cv2 is not None else None
    if cv2 is not None and flat is not None:
        cv2.addWeighted(flat[0], 1.0 - share, flat[1], share, 0.0, dst=flat[0])
    else:
        base[...] = _mean(base, other, np.float64(share))


def _flat(base: Array, other: Array) -> tuple[Array, Array] | None:
    """Both rows as ``(1, n)`` views where they lie dense and alike in memory, else ``None``."""
    order = np.argsort([-step for step in base.strides], kind="stable")
    first, second = base.transpose(order), other.transpose(order)
    if first.flags.c_contiguous and second.flags.c_contiguous:
        return first.reshape(1, -1), second.reshape(1, -1)
    return None


def _mean(base: Array, other: Array, share: Any) -> Array:
    """``(1 - share) * base + share * other`` in the precision and with the rounding of the dtype."""
    if is_floating(base):
        return _float_mean(base, other, share)
    steps = np.rint(share * WEIGHT_STEPS)
    total = base.astype(np.float64) * (WEIGHT_STEPS - steps) + other.astype(np.float64) * steps
    return np.asarray(np.rint(total / WEIGHT_STEPS).astype(base.dtype))


def _float_mean(base: Array, other: Array, share: Any) -> Array:
    with np.errstate(invalid="ignore", over="ignore"):  # infinities that meet are NaN, as in torch
        precise: Any = np.result_type(base.dtype, np.float32)
        mixed = base.astype(precise) * (1.0 - share).astype(precise) + other.astype(precise) * share.astype(precise)
        return np.asarray(mixed.astype(base.dtype))


def paste(canvas: Array, original: Array, rows: IntArray, source: IntArray, region: Boxes, crop: Boxes | None) -> Array:
    """Copies the boxes ``crop`` (``None``: the same place) of the sources into the boxes ``region``."""
    origin = region if crop is None else crop
    for index, (row, other) in enumerate(zip(rows.tolist(), source.tolist(), strict=True)):
        canvas[(row, *region.slices(index))] = original[(other, *origin.slices(index))]
    return canvas


def select(canvas: Array, moved: Array, rows: IntArray, field: FloatArray) -> Array:
    """Mixes ``moved (n, *shape, ...)`` into the rows by the weight of every cell, ``field (n, *shape)``."""
    for index, row in enumerate(rows.tolist()):
        share = field[index].reshape(field.shape[1:] + (1,) * (canvas.ndim - field.ndim))
        base, other = canvas[row], moved[index]
        between = (share > 0.0) & (share < 1.0)
        if between.any():
            np.copyto(base, _mean(base, other, share), where=between)
        np.copyto(base, other, where=share == 1.0)
    return canvas


def sources(original: Array, source: IntArray) -> Array:
    """The sources at their own place, ``(n, ...)``."""
    return original[source]


def resize(original: Array, source: IntArray, crop: Boxes, frame: Boxes) -> Array:
    """Crops of the sources resized into frames, ``(n, *shape, ...)``; zero outside the frames."""
    rank = crop.start.shape[1]
    shape = original.shape[1 : rank + 1]
    result = np.zeros((len(source), *original.shape[1:]), original.dtype)
    for index, row in enumerate(source.tolist()):
        values = original[row].astype(np.float64)
        for axis, matrix in enumerate(
            resize_matrices(shape, (crop.start, crop.stop), (frame.start, frame.stop), index)
        ):
            values = np.moveaxis(np.tensordot(matrix, values, (1, axis)), 0, axis)
        result[index] = values if is_floating(original) else np.rint(values)
    return result


def nearest(original: Array, source: IntArray, crop: Boxes, frame: Boxes) -> Array:
    """Like :func:`resize`, but every cell is a copy of the nearest one: of any dtype, and of no new value."""
    rank = crop.start.shape[1]
    cells = [nearest_cells(original.shape[axis + 1], crop, frame, axis) for axis in range(rank)]
    result = np.zeros((len(source), *original.shape[1:]), original.dtype)
    for index, row in enumerate(source.tolist()):
        inside = frame.slices(index)
        result[index][inside] = original[row][np.ix_(*(cells[axis][index, part] for axis, part in enumerate(inside)))]
    return result


def one_hot(ids: Array, classes: int, ignore_index: int | None) -> Array:
    """``(B, classes)`` float32; rows of ``ignore_index`` are zero."""
    hot = ids[:, None] == np.arange(classes)
    if ignore_index is not None:
        hot &= (ids != ignore_index)[:, None]
    return np.asarray(hot, np.float32)


def astype(values: Array, dtype: Any) -> Array:
    """The values in another dtype, given by name or as NumPy has it; they themselves where it is their own."""
    with np.errstate(over="ignore"):  # as in torch
        return values.astype(dtype, copy=False)


def combine(values: Array, rows: IntArray, share: FloatArray) -> Array:
    """Sums ``share[:, s] * values[rows[:, s]]`` over ``s``, ``(B, ...)``, in their own precision, at least float32."""
    values = astype(values, np.result_type(values.dtype, np.float32) if is_floating(values) else np.float32)
    result = np.zeros(values.shape, values.dtype)
    with np.errstate(invalid="ignore", over="ignore"):  # infinities that meet are NaN, as in torch
        for column in range(rows.shape[1]):
            weight = share[:, column].astype(values.dtype).reshape(-1, *(1,) * (values.ndim - 1))
            product = weight * values[rows[:, column]]
            result += np.where(weight == 0, np.zeros_like(weight), product)  # no weight, no trace: 0 * inf is NaN
    return result


def union(values: Array, seen: BoolArray) -> Array:
    """The largest of ``values (B, S, ...)`` over ``S`` where they are ``seen (B, S, ...)``; 0 where none is."""
    seen = seen.reshape(seen.shape + (1,) * (values.ndim - seen.ndim))
    return np.asarray(np.where(seen, values, np.zeros((), values.dtype)).max(axis=1))


def take(values: Array, index: IntArray) -> Array:
    """``values[index]``, a copy."""
    return values[index]


def concat(first: Array, second: Array) -> Array:
    """Both along the batch axis."""
    return np.concatenate([first, second])


def typed(values: Array, example: Any) -> Array:
    """The values as the same kind of array as ``example``; NumPy has one kind."""
    return values


def zeros(shape: Sequence[int], other: Array) -> Array:
    """float32 zeros beside ``other``."""
    return np.zeros(shape, np.float32)


def padded(values: Array, shape: Sequence[int], fill: float) -> Array:
    """The values at the start of an array of ``shape`` that is ``fill`` elsewhere."""
    result = np.full(tuple(shape), fill, values.dtype)
    result[tuple(slice(length) for length in values.shape)] = values
    return result


def like(values: Array, other: Array) -> Array:
    """Host values as an array beside ``other``."""
    return np.array(values)


def cast(values: Array, example: Array) -> Array:
    """Host values in the dtype of ``example``, rounded where it holds integers."""
    rounded = np.rint(values) if values.dtype.kind == "f" and example.dtype.kind in "iu" else values
    return np.asarray(rounded.astype(example.dtype))


def to_host(values: Array) -> Array:
    """The values as a NumPy array."""
    return values


def common_dtype(arrays: Sequence[Array]) -> Any:
    """The dtype that holds the values of all."""
    return np.result_type(*(array.dtype for array in arrays))
