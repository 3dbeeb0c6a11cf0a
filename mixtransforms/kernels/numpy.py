"""The verbs on NumPy arrays, with OpenCV for the blends of bytes, which it does exactly."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import accumulate, repeat
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core.backends import SMALL_ROW, WEIGHT_STEPS, is_floating
from mixtransforms.core.layers import BoolArray, Boxes, FloatArray, IntArray, Layer, everyone
from mixtransforms.core.mixture import Mixture
from mixtransforms.kernels import compiled
from mixtransforms.kernels.blending import integer_weight
from mixtransforms.kernels.compiled_rows import BYTES, DTYPES, Cells, address_of
from mixtransforms.kernels.inplace import paths
from mixtransforms.kernels.resampling import linear_bands, linear_blocks, nearest_cells, weight_bits
from mixtransforms.kernels.resizing import Resizer

Array = NDArray[Any]

OPENCV_DTYPES = frozenset({"uint8", "float32", "float64"})
"""What OpenCV copies for us. Of what it can blend only bytes come out by the rule: floats are fused in some of its
releases, 16-bit integers are worked out in float32, where one of a thousand is rounded otherwise."""

BLOCK = 1 << 15
"""Numbers of a row that are blended at once: they and their products stay in the cache."""

PART = 1 << 16
"""Numbers of small rows that are blended at once."""

LEAST_ROW = 1 << 11
"""Bytes of a sample below which it costs less to copy many than to call for each of them."""

RowBlend = Callable[[Array, Array, Array, float], None]
"""Blends a row, ``blend(out, base, source, share)``."""
_KINDS = {np.dtype(name): number for name, number in DTYPES.items() if name != "bfloat16"}

FLOAT32_BITS = 24
"""Whole numbers of so many bits are exact in float32."""


def silence() -> np.errstate:
    """Infinities that meet are NaN, and what is too large or small is infinite or 0: without a word, as in torch."""
    return np.errstate(all="ignore")


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


def cells(array: Array) -> Cells | None:
    """The memory of an array for the kernel in C, where that may know it."""
    flags, dtype = array.flags, array.dtype
    if type(array) is not np.ndarray or not flags.aligned or dtype.kind not in "biufc":  # objects are counted
        return None
    form = (array.shape, array.strides, dtype.itemsize, _KINDS.get(dtype, BYTES))
    return Cells(array, address_of(array), *form, flags.c_contiguous, flags.writeable)


def empty_like(array: Array) -> Array:
    """An array of the same form, laid out in memory alike."""
    return np.empty_like(array)


def host_views(arrays: Sequence[Array]) -> list[Array] | None:
    """The arrays themselves; ``None`` where bytes are in another order than the machine's, or values may be masked."""
    masked = isinstance(arrays[0], np.ma.MaskedArray)
    return list(arrays) if arrays[0].dtype.isnative and not masked else None


def from_host(values: Array, like: Array) -> Array:
    """The array itself."""
    return values


def typed(values: Array, like: Array) -> Array:
    """The array itself."""
    return values


def note_overwritten(array: Array) -> None:
    """Nothing to note: nobody asks arrays."""


def reserved(sample: Array, size: int, shared: bool) -> Array:
    """An empty batch of ``size`` samples; NumPy has no shared memory."""
    return np.empty((size, *sample.shape), sample.dtype)


def shared_file(batch: Array) -> None:
    """``None``: rows are ordinary memory."""


def row_writer(batch: Array) -> None:
    """``None``: rows are ordinary memory."""


def axes_first(array: Array, axes: Sequence[int]) -> Array:
    """A view with the mixed axes at 1, 2, ..."""
    return np.moveaxis(array, axes, range(1, len(axes) + 1))


def small_row(dtype: np.dtype[Any], blends: bool) -> int:
    """Bytes of a sample below which :func:`blend_all` or :func:`paste_all` beat one operation on every row."""
    return SMALL_ROW


def blend_all(canvas: Array, original: Array, rows: IntArray, source: IntArray, opacity: FloatArray) -> None:
    """The batch ``(B, n)`` with rows blended, ``(1 - opacity) * original[rows] + opacity * original[source]``.

    Args:
        canvas: Where it is written, all of it.
        original: What is mixed; it may be ``canvas`` itself.
        rows: Rows that are blended, each once.
        source: Their partners.
        opacity: Weights of the partners, none of them 0.
    """
    if canvas[0].nbytes < LEAST_ROW:
        blend_parts(canvas, original, rows, source, opacity, _blend_part)
    else:
        _blend_rows(canvas, original, rows, source, opacity)


def _blend_rows(canvas: Array, original: Array, rows: IntArray, source: IntArray, opacity: FloatArray) -> None:
    steps, dtype, shares = _in_order(canvas, original, rows, source), canvas.dtype, opacity.tolist()
    with silence():
        if dtype.kind != "f" or dtype.itemsize < 4:
            blend = blender(dtype)
            for number, out, base, other in steps:
                if shares[number] == 1.0:
                    out[...] = other
                else:
                    blend(out, base, other, shares[number])
            return
        # What `blender` does, without what it does for any row, which takes as long as a small one.
        keep, give = (1.0 - opacity).astype(dtype).tolist(), opacity.astype(dtype).tolist()
        product, multiply, add = kept.room(canvas.shape[1], dtype), np.multiply, np.add
        for number, out, base, other in steps:
            if shares[number] == 1.0:
                out[...] = other
                continue
            multiply(other, give[number], product)
            multiply(base, keep[number], out)
            add(out, product, out)


Step = tuple[int, Array, Array, Array]
"""Which row of a layer it is, where it is written, its own sample and its partner's, as they were."""


def _in_order(canvas: Array, original: Array, rows: IntArray, source: IntArray) -> Iterator[Step]:
    """All rows of a layer, and those of others copied; in place, in an order in which one row at most is kept."""
    out, mine, others = list(canvas), rows.tolist(), source.tolist()
    if canvas is not original:
        given = list(original)
        for row in set(range(len(out))).difference(mine):
            out[row][...] = given[row]
        for number, (row, other) in enumerate(zip(mine, others, strict=True)):
            yield number, out[row], given[row], given[other]
        return
    for numbers, closed in paths(mine, others, len(out)):
        first = out[mine[numbers[0]]].copy() if closed else None
        for number in numbers:
            row = out[mine[number]]
            last = first is not None and number == numbers[-1]
            yield number, row, row, first if last else out[others[number]]  # type: ignore[misc]


def blend_parts(
    canvas: Array,
    original: Array,
    rows: IntArray,
    source: IntArray,
    opacity: FloatArray,
    blend: Callable[[Array, Array, FloatArray], Array],
) -> None:
    """Like :func:`blend_all`, a few rows at a time, which stay in the cache.

    Args:
        canvas: Where it is written, all of it.
        original: What is mixed; it may be ``canvas`` itself.
        rows: Rows that are blended, each once.
        source: Their partners.
        opacity: Weights of the partners, none of them 0.
        blend: Blends copies of rows by weights ``(n, 1)``; it may overwrite them.
    """
    crossing: list[tuple[int, int]] = []
    first, step = None, max(1, PART // max(1, canvas.shape[1]))
    if canvas is original and len(rows) > step:
        found = paths(rows.tolist(), source.tolist(), len(canvas))
        order = [number for path in found for number in path.numbers]
        rows, source, opacity = rows[order], source[order], opacity[order]
        stops = np.cumsum([len(path.numbers) for path in found]).tolist()
        ends = [(stop - len(path.numbers), stop - 1) for path, stop in zip(found, stops, strict=True) if path.closed]
        crossing = [(begin, end) for begin, end in ends if begin // step != end // step]
    elif canvas is not original and len(rows) < len(canvas):
        canvas[...] = original
    opaque = opacity == 1.0
    for start in range(0, len(rows), step):
        some = slice(start, start + step)
        base, other = original[rows[some]], original[source[some]]
        for begin, end in crossing:  # what a part reads that was painted by an earlier one: one row of a circle
            if start <= end < start + step:
                other[end - start] = first
            if start <= begin < start + step:
                first = base[begin - start].copy()
        copies = other[opaque[some]]
        mixed = blend(base, other, opacity[some, None])
        mixed[opaque[some]] = copies
        canvas[rows[some]] = mixed


def _blend_part(base: Array, other: Array, share: FloatArray) -> Array:
    return blend_arrays(base, other, share)


def paste_all(
    canvas: Array, original: Array, rows: IntArray, source: IntArray, region: Boxes, axes: Sequence[int]
) -> None:
    """Copies the batch with boxes of the sources in the rows, for samples ``(B, ...)`` that lie dense in memory.

    Args:
        canvas: Where it is written.
        original: What is copied; it may be ``canvas`` itself.
        rows: Rows of the result, each once.
        source: Their partners.
        region: What is pasted.
        axes: The mixed axes of a sample.
    """
    places = box_indices(region, axes)
    if canvas is not original:
        canvas[...] = original
        # Lists of rows, since an index of a list costs a third of one of an array.
        out, given = list(canvas), list(original)
        for row, other, place in zip(rows.tolist(), source.tolist(), places, strict=True):
            out[row][place] = given[other][place]
        return
    for number, row, _, partner in _in_order(canvas, original, rows, source):
        row[places[number]] = partner[places[number]]


def box_indices(boxes: Boxes, axes: Sequence[int]) -> list[tuple[slice, ...]]:
    """Every box as an index of a sample, whose mixed axes are ``axes``."""
    if not axes:
        return [()] * len(boxes)
    parts: list[Iterable[slice]] = [repeat(slice(None))] * (max(axes) + 1)
    for axis, start, stop in zip(axes, boxes.start.T.tolist(), boxes.stop.T.tolist(), strict=True):
        parts[axis] = map(slice, start, stop)
    return list(zip(*parts, strict=False))


def blender(dtype: np.dtype[Any]) -> RowBlend:
    """What writes ``(1 - share) * base + share * source`` into ``out``, which may be one of them, for one dtype.

    It is used by the thread that asked for it, and leaves it to this one to silence what NumPy says of numbers that are
    not finite.
    """
    if dtype.name == "uint8" and opencv() is not None:
        return _blend_bytes
    return _blend_floats(dtype) if dtype.kind == "f" and dtype.itemsize >= 4 and dtype.isnative else _blend_widened


def blocks(*arrays: Array) -> Iterator[Sequence[Array]]:
    """Parts of arrays of one shape, of at most :data:`BLOCK` numbers each."""
    first = arrays[0]
    if first.size <= BLOCK:
        yield arrays
    elif first.ndim > 1 and not all(array.flags.c_contiguous for array in arrays):
        for parts in zip(*arrays, strict=True):
            yield from blocks(*parts)
    else:
        lines = [array.reshape(-1) for array in arrays]
        for start in range(0, first.size, BLOCK):
            yield [line[start : start + BLOCK] for line in lines]


def _blend_bytes(out: Array, base: Array, source: Array, share: float) -> None:
    """By OpenCV, whose sums of bytes are exact."""
    add: Any = opencv().addWeighted  # type: ignore[union-attr]
    share = round(share * WEIGHT_STEPS) / WEIGHT_STEPS
    lines = base.reshape(1, -1), source.reshape(1, -1)  # copies, where they do not lie dense
    if out.flags.c_contiguous:
        add(lines[0], 1.0 - share, lines[1], share, 0.0, out.reshape(1, -1))
    else:
        out[...] = add(lines[0], 1.0 - share, lines[1], share, 0.0).reshape(out.shape)


def _blend_floats(dtype: np.dtype[Any]) -> RowBlend:
    number, room, multiply, add = dtype.type, kept.room(BLOCK, dtype), np.multiply, np.add

    def blend(out: Array, base: Array, source: Array, share: float) -> None:
        keep, give = number(1.0 - share), number(share)
        for to, own, other in blocks(out, base, source):
            product = room[: to.size].reshape(to.shape)
            multiply(other, give, product)
            multiply(own, keep, to)
            add(to, product, to)

    return blend


def _blend_widened(out: Array, base: Array, source: Array, share: float) -> None:
    """In another precision than that of the values."""
    keep, give = blend_weights(np.float64(share), out)
    room, whole = kept.room(2 * min(BLOCK, out.size), keep.dtype), out.dtype.kind != "f"
    for to, own, other in blocks(out, base, source):
        total, product = room[: 2 * to.size].reshape(2, *to.shape)
        # Said, since NumPy before 2 multiplies halves by a single number in half precision.
        np.multiply(other, give, out=product, dtype=give.dtype)
        np.multiply(own, keep, out=total, dtype=keep.dtype)
        np.add(total, product, out=total)
        np.copyto(to, np.rint(total, out=total) if whole else total, casting="unsafe")


class _Kept(threading.local):
    """Memory that a thread uses again, since fresh one costs as much as a blend."""

    def __init__(self) -> None:
        self.bytes = np.empty(0, np.uint8)

    def room(self, count: int, dtype: np.dtype[Any]) -> Array:
        """So many numbers of a dtype, with whatever is in them."""
        needed = count * dtype.itemsize
        if self.bytes.size < needed:
            self.bytes = np.empty(needed, np.uint8)
        return self.bytes[:needed].view(dtype)


kept = _Kept()


def copy_where(out: Array, source: Array, inside: BoolArray) -> None:
    """Copies the cells of ``source (*shape, ...)`` that are ``inside (*shape)`` to ``out``, with all they hold."""
    dense = out.flags.c_contiguous and source.flags.c_contiguous and out.size
    if dense and out.ndim > inside.ndim:  # a cell of all channels as one value: NumPy is ten times as quick with these
        form = f"V{out.nbytes // inside.size}"
        out, source = (array.reshape(*inside.shape, -1).view(form)[..., 0] for array in (out, source))
    np.copyto(out, source, where=inside.reshape(inside.shape + (1,) * (out.ndim - inside.ndim)))


def write_channels(image: Array, out: Array) -> None:
    """Copies an image ``(H, W, C)`` of few channels to dense memory ``out`` of its shape.

    Channels that lie one behind the other, as those of tensors, are woven by OpenCV where it is installed.
    """
    apart = image.size > 0 and image[..., 0].flags.c_contiguous and out.flags.c_contiguous
    cv2 = opencv() if apart and image.dtype == out.dtype and image.dtype.name in OPENCV_DTYPES else None
    if cv2 is not None:
        cv2.merge([image[..., channel] for channel in range(image.shape[-1])], out)
        return
    for channel in range(image.shape[-1]):
        out[..., channel] = image[..., channel]


def blend_arrays(base: Array, other: Array, share: Any) -> Array:
    """``(1 - share) * base + share * other`` by the rule of :mod:`~mixtransforms.kernels.blending`.

    Args:
        base: What is there.
        other: What is painted.
        share: Its weight, a NumPy float64 or an array of them.
    """
    whole, (keep, give) = not is_floating(base), blend_weights(share, base)
    with silence():
        total = np.multiply(base, keep, dtype=keep.dtype)
        total += np.multiply(other, give, dtype=give.dtype)
        return np.asarray((np.rint(total, out=total) if whole else total).astype(base.dtype, copy=False))


def blend_weights(share: Any, values: Array) -> tuple[Any, Any]:
    """Weights of what is there and of what is painted, in the precision that values of a dtype are blended in.

    Args:
        share: The weight of what is painted, a NumPy float64 or an array of them.
        values: Some of the dtype.
    """
    if is_floating(values):
        precise: Any = np.result_type(values.dtype, np.float32)
    else:
        share, precise = integer_weight(share), np.float32 if values.itemsize == 1 else np.float64
    return (1.0 - share).astype(precise), share.astype(precise)


def blend_run(base: Array, others: Sequence[Array], shares: Sequence[float]) -> Array:
    """Blends integers one after the other, and rounds them once.

    Args:
        base: What is there.
        others: What is painted, in this order.
        shares: Their weights.
    """
    total = base.astype(np.float64)
    for other, share in zip(others, integer_weight(np.array(shares)), strict=True):
        total = total * (1.0 - share) + other * share
    return np.asarray(np.rint(total).astype(base.dtype))


def scale_rows(batch: Array, scale: FloatArray) -> None:
    """Multiplies samples ``(B, ...)`` of floats by numbers, in place.

    As blends are, halves are multiplied in float32, others in their own precision, and each product is rounded once to
    the dtype, after what is painted was.

    Args:
        batch: The samples.
        scale: A number for each; those of 1 are not touched.
    """
    precise: Any = np.result_type(batch.dtype, np.float32)
    with silence():
        for row in np.flatnonzero(scale != 1).tolist():
            batch[row] = np.multiply(batch[row], scale[row].astype(precise), dtype=precise)


def resize_linear(values: Array, sides: Sequence[int], axes: Sequence[int]) -> Array:
    """A crop in other sides, by linear antialiased resampling, rounded once to the dtype.

    Args:
        values: One crop, of any strides.
        sides: Lengths of the axes of the result.
        axes: These axes; they are resized in this order.
    """
    shape = list(values.shape)
    for axis, count in zip(axes, sides, strict=True):
        shape[axis] = count
    out = np.empty_like(values, shape=tuple(shape), subok=False)
    linear_resizer(values.dtype, values.ndim)(out, values, axes)
    return out


def linear_resizer(dtype: np.dtype[Any], rank: int) -> Callable[[Array, Array, Sequence[int]], None]:
    """What writes a crop into ``out`` as :func:`resize_linear` resizes it, ``write(out, values, axes)``.

    Memory of ``out`` may be the crop's.

    Args:
        dtype: Of both.
        rank: How many axes they have.
    """
    library = compiled.LIBRARY
    if library is not None and Resizer.takes(dtype, rank):
        return Resizer(library, dtype)
    resize = _resize_floats if dtype.kind == "f" else _resize_integers

    def write(out: Array, values: Array, axes: Sequence[int]) -> None:
        out[...] = resize(values, [out.shape[axis] for axis in axes], axes)

    return write


def _resize_integers(values: Array, sides: Sequence[int], axes: Sequence[int]) -> Array:
    """By matrix products: where sums are exact, no library can add them up in a wrong order."""
    result, bits = values, 8 * values.itemsize
    for axis, count in zip(axes, sides, strict=True):
        if count == result.shape[axis]:
            continue
        bits += weight_bits(len(axes))
        precise: Any = np.float32 if bits <= FLOAT32_BITS else np.float64
        # The innermost axis is multiplied from behind, so that no product needs its operands transposed.
        result = (_product_behind if axis == max(axes) else _product_before)(result, axis, count, len(axes), precise)
    return np.rint(result, out=None if result is values else result).astype(values.dtype)


def _product_before(values: Array, axis: int, count: int, axes: int, precise: Any) -> Array:
    """Resizes an axis as the rows of matrices."""
    before, cells, behind = values.shape[:axis], values.shape[axis], values.shape[axis + 1 :]
    given = values.astype(precise, order="C").reshape(math.prod(before), cells, math.prod(behind))
    total = np.empty((len(given), count, given.shape[-1]), precise)
    for block in linear_blocks(cells, count, axes, precise):
        np.matmul(block.weight, given[:, block.cells], out=total[:, block.steps])
    return total.reshape(*before, count, *behind)


def _product_behind(values: Array, axis: int, count: int, axes: int, precise: Any) -> Array:
    """Resizes an axis as the columns of a matrix."""
    given = values.swapaxes(axis, -1).astype(precise, order="C")
    total = np.empty((*given.shape[:-1], count), precise)
    rows, columns = given.reshape(-1, given.shape[-1]), total.reshape(-1, count)
    for block in linear_blocks(given.shape[-1], count, axes, precise):
        np.matmul(rows[:, block.cells], block.weight.T, out=columns[:, block.steps])
    return total.swapaxes(axis, -1)


def _resize_floats(values: Array, sides: Sequence[int], axes: Sequence[int]) -> Array:
    """By sums in float64, in the order of the cells."""
    result = values
    with silence():
        for axis, count in zip(axes, sides, strict=True):
            if count != result.shape[axis]:
                result = np.moveaxis(_resize_rows(np.moveaxis(result, axis, 0), count, len(axes)), 0, axis)
    # Halves are rounded to float32 first, as torch does it.
    return result.astype(np.result_type(values.dtype, np.float32)).astype(values.dtype, copy=False)


def _resize_rows(rows: Array, count: int, axes: int) -> FloatArray:
    """Resizes the first axis, ``(count, ...)``.

    Cells are added in their order, each product and each sum rounded: a matrix product would be faster, but libraries
    add up in blocks of their own, so that floats would depend on the library and the processor.
    """
    index, weight = linear_bands(len(rows), count, axes)
    cells = np.empty((len(rows) + 1, *rows.shape[1:]))
    cells[:-1], cells[-1] = rows, 0.0  # what has no weight is read there
    flat = cells.reshape(len(cells), -1)
    total = np.zeros((count, flat.shape[1]))
    product = np.empty_like(total)
    for tap, share in zip(index.T, weight.T, strict=True):
        np.take(flat, tap, axis=0, out=product, mode="clip")  # the default mode writes to a copy of out
        product *= share[:, None]
        total += product
    return total.reshape(count, *rows.shape[1:])


def resize_nearest(values: Array, sides: Sequence[int], axes: Sequence[int]) -> Array:
    """Like :func:`resize_linear`, but every cell is a copy of the nearest one: of any dtype, and of no new value."""
    for axis, count in zip(axes, sides, strict=True):
        values = values.take(nearest_cells(np.arange(count), values.shape[axis], count), axis=axis)
    return values


def soft_labels(ids: Array, classes: int, ignore_index: int | None, plan: Mixture) -> NDArray[np.float32]:
    """What every class gets of class ids ``(B,)``, ``(B, classes)`` float32, without building one-hot rows.

    Args:
        ids: Class ids within ``[0, classes)``, or ``ignore_index``.
        classes: Their number.
        ignore_index: The id that gives nothing to any class, or ``None``.
        plan: The plan.
    """
    ids = ids.astype(np.int64, copy=False)
    result = np.zeros((len(ids), classes), np.float32)
    flat, first = result.reshape(-1), everyone(len(ids)) * classes
    if ignore_index is None and len(plan.layers) == 1 and plan.label_share is None and plan.canvas is None:
        _add_one_layer(flat, first, ids, plan.layers[0], plan.spec.shape)
        return result
    rows, share = plan.sources, plan.target_share.astype(np.float32)
    for column in range(rows.shape[1]):
        given, own = ids[rows[:, column]] if column else ids, share[:, column]
        if ignore_index is not None:
            own = np.where(given == ignore_index, 0, own)
            given = np.where(given == ignore_index, 0, given)
        flat[first + given] += own
    return result


def _add_one_layer(flat: Array, first: IntArray, ids: IntArray, layer: Layer, shape: tuple[int, ...]) -> None:
    """Adds the shares of one layer to a table of zeros, whose rows begin at ``first``, without measuring them first."""
    rows, own, share = layer.rows, first + ids, layer.coverage(shape)
    if rows is not everyone(len(ids)):
        flat[own] = 1.0
        first, own = first[rows], own[rows]
    flat[own] = 1.0 - share
    flat[first + ids[layer.source]] += share.astype(np.float32)


def astype(values: Array, dtype: Any) -> Array:
    """The values in another dtype, given by name or as NumPy has it; they themselves where it is their own."""
    with silence():
        return values.astype(dtype, copy=False)


def pair(values: Array, plan: Mixture) -> tuple[Array, Array, NDArray[np.float32]]:
    """Values, those of their one partner, and the share of their own ``(B,)``.

    Raises:
        PlanError: Some sample has several partners.
    """
    return values.copy(), values[plan.partner], plan.target_share[:, 0].astype(np.float32)


def combine(values: Array, plan: Mixture) -> Array:
    """Sums of the rows of all sources times the shares that labels get of them, ``(B, ...)``.

    They are worked out in the precision of the values, and at least in float32.
    """
    rows, share = plan.sources, plan.target_share
    values = astype(values, np.result_type(values.dtype, np.float32) if is_floating(values) else np.float32)
    result = np.zeros(values.shape, values.dtype)
    with silence():
        for column in range(rows.shape[1]):
            own = share[:, column].astype(values.dtype)
            product = own.reshape(-1, *(1,) * (values.ndim - 1)) * values[rows[:, column]]
            product[own == 0] = 0  # no weight, no trace: 0 * inf is NaN
            result += product
    return result


def union(values: Array, seen: BoolArray) -> Array:
    """The largest of ``values (B, S, ...)`` over ``S`` where they are ``seen (B, S, ...)``; 0 where none is."""
    seen = seen.reshape(seen.shape + (1,) * (values.ndim - seen.ndim))
    return np.asarray(np.where(seen, values, np.zeros((), values.dtype)).max(axis=1))


def take(values: Array, index: IntArray) -> Array:
    """``values[index]``, a copy."""
    return values[index]


def concat(*parts: Array) -> Array:
    """All along the batch axis."""
    join: Any = np.ma.concatenate if isinstance(parts[0], np.ma.MaskedArray) else np.concatenate  # which drops masks
    return np.asanyarray(join(parts))


def rows_together(parts: Sequence[Array]) -> Array:
    """All along the batch axis."""
    return concat(*parts)


def split(values: Array, counts: Sequence[int]) -> list[Array]:
    """So many rows each, copied, so that none shares memory with another."""
    stops = accumulate(counts)
    return [values[stop - count : stop].copy() for stop, count in zip(stops, counts, strict=True)]


def from_memory(values: Array) -> Array:
    """A new NumPy array as one of the backend."""
    return values


def wrap_like(values: Array, example: Any) -> Array:
    """The values as the same kind of array as ``example``; NumPy has one kind."""
    return values


def wrap_each(parts: Sequence[Array], examples: Sequence[Any]) -> list[Array]:
    """:func:`wrap_like` of several."""
    return list(parts)


def row(values: Array, index: int) -> Any:
    """One row."""
    return values[index]


def rows_of(batch: Array) -> list[Array]:
    """All rows."""
    return list(batch)


def wrap_samples(batch: Array, samples: Sequence[Array]) -> Array:
    """The batch itself, see :func:`wrap_like`."""
    return batch


def zeros(shape: Sequence[int], other: Array) -> Array:
    """float32 zeros beside ``other``."""
    return np.zeros(shape, np.float32)


def padded(values: Array, shape: Sequence[int], fill: float) -> Array:
    """The values at the start of an array of ``shape`` that is ``fill`` elsewhere."""
    result = np.full(tuple(shape), fill, values.dtype)
    result[tuple(slice(length) for length in values.shape)] = values
    return result


def asarray_like(values: Array, other: Array) -> Array:
    """Host values as an array beside ``other``."""
    return np.array(values)


def placed_like(values: Array, other: Array) -> Array:
    """Host values that nobody else holds as an array beside ``other``: no copy."""
    return values


def astype_like(values: Array, example: Array) -> Array:
    """Host values in the dtype of ``example``, rounded where it holds integers."""
    rounded = np.rint(values) if values.dtype.kind == "f" and example.dtype.kind in "iu" else values
    return np.asarray(rounded.astype(example.dtype))


def is_on_host(values: Array) -> bool:
    """Whether the host can look at the values at once."""
    return True


def to_host(values: Array) -> Array:
    """The values as a NumPy array."""
    return values


def memory(values: Array) -> Array:
    """The array itself, without a type of its own."""
    return np.asarray(values)


def common_dtype(arrays: Sequence[Array]) -> Any:
    """The dtype that holds the values of all."""
    return np.result_type(*(array.dtype for array in arrays))
