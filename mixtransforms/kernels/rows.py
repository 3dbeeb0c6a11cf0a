"""Paints host memory row by row: every pixel of the result is written from the originals, in the cheapest order.

A row is one sample. All its layers are painted before the next row's, so that it is worked on while it is in the
cache. What the rows are painted from may be the canvas itself (in place), another array, or the samples that were
never stacked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core.backends import column
from mixtransforms.core.layers import Layer, Mask
from mixtransforms.kernels.numpy import blend_arrays, blender, box_indices, resize_linear, resize_nearest, select_row

Array = NDArray[Any]

RowOp = Callable[[Array, Array, Array, int], None]
"""Paints a layer's n-th row, ``operate(out, base, source, n)``; ``out`` may be ``base``."""


class RowLayer(NamedTuple):
    """What one layer paints on one row.

    Attributes:
        operate: Paints it.
        source: The sample that is painted.
        number: Which row of the layer it is.
    """

    operate: RowOp
    source: int
    number: int


class InplaceStep(NamedTuple):
    """A row that is painted in place.

    Attributes:
        row: The row.
        keep: Whether it is copied before, since it is still read.
        done: Rows whose copies are not read any more.
    """

    row: int
    keep: bool
    done: list[int]


def paint(
    layers: Sequence[Layer],
    originals: Sequence[Array] | None,
    canvas: Array,
    axes: Sequence[int],
    ids: bool,
    write: Callable[[int, Array], None] | None = None,
) -> None:
    """Paints all layers.

    Args:
        layers: In painting order.
        originals: What is painted, one array a row; ``None`` is the canvas itself, which is painted in place.
        canvas: ``(B, ...)``, what is painted on; whatever it holds is lost, unless it is painted in place.
        axes: Positions of the mixed axes in ``canvas``.
        ids: Whether the values are names of something, which a resize copies and never averages.
        write: Puts a finished row into a canvas that lies dense in memory; ``None`` paints on its rows themselves.
    """
    if not canvas.size:
        return
    order = [0, *sorted(range(1, canvas.ndim), key=lambda axis: -canvas.strides[axis])]
    canvas, places = canvas.transpose(order), [order.index(axis) for axis in axes]
    rows = list(canvas)
    stacks = _by_row(layers, rows, places, ids)
    if originals is None:
        _paint_in_place(rows, stacks)
        return
    inner = [axis - 1 for axis in order[1:]]
    if inner != list(range(len(inner))):
        originals = [original.transpose(inner) for original in originals]
    if write is None:
        for row in _along(stacks):
            _paint_row(rows[row], originals[row], originals, stacks[row])
        return
    out = np.empty(rows[0].shape, canvas.dtype)
    for row in _along(stacks):
        _paint_row(out, originals[row], originals, stacks[row])
        write(row, out)


def blend_small(kernel: ModuleType, layer: Layer, original: Array, canvas: Array) -> None:
    """Blends whole small samples ``(B, n)`` by few operations on all of them; in place where both are one array."""
    mixed = (layer.opacity > 0) & (layer.opacity < 1)
    if mixed.all():
        if canvas is not original and len(layer) < len(canvas):
            canvas[...] = original
        kernel.blend_all(canvas, original, layer.rows, layer.source, layer.opacity)
        return
    copied = layer.opacity == 1
    copies = original[layer.source[copied]]
    if canvas is not original:
        canvas[...] = original
    kernel.blend_all(canvas, original, layer.rows[mixed], layer.source[mixed], layer.opacity[mixed])
    canvas[layer.rows[copied]] = copies


def _paint_row(out: Array, base: Array, originals: Sequence[Array], layers: Sequence[RowLayer]) -> None:
    if not layers and out is not base:
        out[...] = base
    for operate, source, number in layers:
        operate(out, base, originals[source], number)
        base = out


def _along(stacks: Sequence[Sequence[RowLayer]]) -> Iterator[int]:
    """Every row once, where possible behind the row that it is painted on, while it is still in the cache."""
    done = [False] * len(stacks)
    for row in range(len(stacks)):
        while not done[row]:
            done[row] = True
            yield row
            row = stacks[row][0].source if stacks[row] else row


def _paint_in_place(rows: Sequence[Array], stacks: Sequence[Sequence[RowLayer]]) -> None:
    """Paints rows on themselves; what is still read of a row that is painted is a copy."""
    originals = list(rows)
    for row, keep, done in _steps([[layer.source for layer in own] for own in stacks]):
        if keep:
            originals[row] = rows[row].copy()
        _paint_row(rows[row], rows[row], originals, stacks[row])
        for other in done:
            originals[other] = rows[other]


def _steps(painted: Sequence[Sequence[int]]) -> Iterator[InplaceStep]:
    """Every row that is painted, behind all rows that are painted with it.

    Where rows go round in a circle, one of them is kept, until the row that is painted with it is done.

    Args:
        painted: The sources of every row.
    """
    sources = [set(own) - {row} for row, own in enumerate(painted)]
    readers = [0] * len(painted)
    for own in sources:
        for source in own:
            readers[source] += 1
    waiting = dict.fromkeys(row for row, own in enumerate(painted) if own)
    ready = [row for row in waiting if not readers[row]]
    while waiting:
        row = ready.pop() if ready else next(iter(waiting))
        del waiting[row]
        later = row in painted[row][1:]  # a later layer shows the row itself, as it was
        done = [] if readers[row] else [row]
        for source in sources[row]:
            readers[source] -= 1
            if not readers[source]:
                (ready if source in waiting else done).append(source)
        yield InplaceStep(row, bool(readers[row]) or later, done)


def _by_row(layers: Sequence[Layer], rows: Sequence[Array], axes: Sequence[int], ids: bool) -> list[list[RowLayer]]:
    """The layers of every row, in painting order."""
    by_row: list[list[RowLayer]] = [[] for _ in rows]
    for layer in layers:
        operate = _row_op(layer, rows[0], [axis - 1 for axis in axes], ids)
        for number, (row, source) in enumerate(zip(layer.rows.tolist(), layer.source.tolist(), strict=True)):
            by_row[row].append(RowLayer(operate, source, number))
    return by_row


def _row_op(layer: Layer, row: Array, axes: Sequence[int], ids: bool) -> RowOp:
    """Boxes and whole rows stay what they are; masks are a weight for every cell."""
    if isinstance(layer.region, Mask):
        return _mask_op(layer, layer.region, axes, _fits(layer, row, axes, ids))
    if layer.region is None and layer.crop is None:
        return _blend_op(layer, row)
    return _box_op(layer, row, axes, _fits(layer, row, axes, ids))


def _blend_op(layer: Layer, row: Array) -> RowOp:
    shares, blend = layer.opacity.tolist(), blender(row.dtype)

    def operate(out: Array, base: Array, source: Array, number: int) -> None:
        share = shares[number]
        if share == 1.0:
            out[...] = source
        elif share != 0.0:
            blend(out, base, source, share)
        elif out is not base:
            out[...] = base

    return operate


def _box_op(layer: Layer, row: Array, axes: Sequence[int], fit: Callable[[Array, int], Array]) -> RowOp:
    frame = layer.frame([row.shape[axis] for axis in axes])
    places, shares = box_indices(frame, axes), layer.opacity
    seen = ((shares > 0) & (frame.volume > 0)).tolist()
    covers = ((frame.sides == [row.shape[axis] for axis in axes]).all(axis=1) & (shares == 1)).tolist()

    def operate(out: Array, base: Array, source: Array, number: int) -> None:
        if out is not base and not covers[number]:
            out[...] = base
        if seen[number]:
            moved, place = fit(source, number), places[number]
            out[place] = moved if shares[number] == 1 else blend_arrays(out[place], moved, shares[number])

    return operate


def _mask_op(layer: Layer, mask: Mask, axes: Sequence[int], fit: Callable[[Array, int], Array]) -> RowOp:
    def operate(out: Array, base: Array, source: Array, number: int) -> None:
        if out is not base:
            out[...] = base
        view, moved = (np.moveaxis(array, axes, range(len(axes))) for array in (out, fit(source, number)))
        select_row(view, moved, column(layer.opacity[number] * mask.values[number], out.ndim))

    return operate


def _fits(layer: Layer, row: Array, axes: Sequence[int], ids: bool) -> Callable[[Array, int], Array]:
    """What a layer's n-th row shows of its source, as large as the frame."""
    frame = layer.frame([row.shape[axis] for axis in axes])
    crop = frame if layer.crop is None else layer.crop
    origins, sides, same = (
        box_indices(crop, axes),
        frame.sides.tolist(),
        (crop.sides == frame.sides).all(axis=1).tolist(),
    )
    resized = resize_nearest if ids else resize_linear

    def fit(source: Array, number: int) -> Array:
        part = source[origins[number]]
        return part if same[number] else resized(part, sides[number], axes)

    return fit
