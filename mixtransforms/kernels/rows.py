"""Paints host memory row by row: every pixel of the result is written from the originals, in the cheapest order.

A row is one sample. All its layers are painted before the next row's, so that it is worked on while it is in the
cache. What the rows are painted from may be the canvas itself (in place), another array, or the samples that were
never stacked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby, repeat
from typing import Any, NamedTuple

import numpy as np

from mixtransforms.core.backends import column
from mixtransforms.core.compositing import measure
from mixtransforms.core.layers import BoolArray, Boxes, FloatArray, Layer, Mask
from mixtransforms.kernels.numpy import (
    Array,
    RowBlend,
    blend_arrays,
    blend_run,
    blender,
    box_indices,
    copy_where,
    linear_resizer,
    resize_nearest,
    silence,
)

RowOp = Callable[[Array, Array, Array, int], None]
"""Paints a layer's n-th row, ``operate(out, base, source, n)``; ``out`` may be ``base``."""

Show = Callable[[Array, Array, int], None]
"""Writes what a layer's n-th row shows of its source, ``show(out, source, n)``."""

Shown = Callable[[Array, int], Array]
"""The same as an array, ``shown(source, n)``."""


class RowLayer(NamedTuple):
    """What one layer paints on one row.

    Attributes:
        operate: Paints it.
        source: The sample that is painted.
        number: Which row of the layer it is.
        share: How much of the source shows, where integers are painted as a whole; else ``None``.
    """

    operate: RowOp
    source: int
    number: int
    share: float | None = None


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
    fill: float | None = None,
    blender: Callable[[np.dtype[Any]], RowBlend] = blender,
) -> None:
    """Paints all layers.

    Args:
        layers: In painting order.
        originals: What is painted, one array a row; ``None`` is the canvas itself, which is painted in place.
        canvas: ``(B, ...)``, what is painted on; whatever it holds is lost, unless it is painted in place.
        axes: Positions of the mixed axes in ``canvas``.
        ids: Whether the values are names of something, which a resize copies and never averages.
        write: Puts a finished row into a canvas that lies dense in memory; ``None`` paints on its rows themselves.
        fill: What rows of the canvas begin as, which then may be of another size than the originals; ``None`` begins
            with the originals themselves.
        blender: Chooses what blends whole rows of a dtype.
    """
    if not canvas.size:
        return
    # As memory is laid out: rows are then dense where they can be, whatever their axes are called.
    order = [0, *sorted(range(1, canvas.ndim), key=lambda axis: -canvas.strides[axis])]
    canvas, places = canvas.transpose(order), [order.index(axis) for axis in axes]
    rows = list(canvas)
    stacks = _layers_by_row(layers, rows, places, ids, blender)
    inner = [axis - 1 for axis in order[1:]]
    if originals is not None and inner != list(range(len(inner))):
        originals = [original.transpose(inner) for original in originals]
    with silence():
        if originals is None:
            _paint_in_place(rows, stacks)
        elif fill is not None:
            _paint_canvases(rows, originals, stacks, fill)
        else:
            hidden = _hidden(layers, len(rows), [canvas.shape[axis] for axis in places])
            _paint_apart(rows, originals, stacks, hidden, write)


def _paint_canvases(
    rows: Sequence[Array], originals: Sequence[Array], stacks: Sequence[Sequence[RowLayer]], fill: float
) -> None:
    for row, own in zip(rows, stacks, strict=True):
        row[...] = fill
        _paint_row(row, row, originals, own)


def _paint_apart(
    rows: Sequence[Array],
    originals: Sequence[Array],
    stacks: Sequence[Sequence[RowLayer]],
    hidden: Sequence[bool],
    write: Callable[[int, Array], None] | None,
) -> None:
    # One row that stays in the cache, since memory that is written by the system must not be touched here.
    shared = None if write is None else np.empty(rows[0].shape, rows[0].dtype)
    for row in _along(stacks):
        out = rows[row] if shared is None else shared
        _paint_row(out, out if hidden[row] else originals[row], originals, stacks[row])
        if write is not None:
            write(row, out)


def _hidden(layers: Sequence[Layer], size: int, shape: Sequence[int]) -> Sequence[bool]:
    """Which rows need not be copied first, since the boxes that are pasted on them cover all."""
    if len(layers) < 2 or any(layer.blends or not isinstance(layer.region, Boxes) for layer in layers):
        return [False] * size
    _, share = measure(size, tuple(shape), layers)
    return (share[:, 0] == 0).tolist()  # type: ignore[no-any-return]


def _paint_row(out: Array, base: Array, originals: Sequence[Array], layers: Sequence[RowLayer]) -> None:
    if not layers and out is not base:
        out[...] = base
    for run in _runs(layers) if len(layers) > 1 else [[layer] for layer in layers]:
        if len(run) > 1:
            shares = [layer.share or 0.0 for layer in run]
            out[...] = blend_run(base, [originals[layer.source] for layer in run], shares)
        else:
            operate, source, number, _ = run[0]
            operate(out, base, originals[source], number)
        base = out


def _runs(layers: Sequence[RowLayer]) -> Iterator[Sequence[RowLayer]]:
    """The layers one by one, but for blends of whole samples that follow one another: these are rounded together."""
    for whole, group in groupby(layers, lambda layer: layer.share is not None):
        run = list(group)
        if whole and sum(0.0 < (layer.share or 0.0) < 1.0 for layer in run) > 1:
            yield run
        else:
            yield from ([layer] for layer in run)


def _along(stacks: Sequence[Sequence[RowLayer]]) -> Iterator[int]:
    """Every row once, where possible behind the row that it is painted on, while it is still in the cache."""
    done = [False] * len(stacks)
    for row in range(len(stacks)):
        while not done[row]:
            done[row] = True
            yield row
            source = stacks[row][0].source if stacks[row] else row
            row = source if source < len(stacks) else row  # of a second batch nothing is painted


def _paint_in_place(rows: Sequence[Array], stacks: Sequence[Sequence[RowLayer]]) -> None:
    """Paints rows on themselves; what is still read of a row that is painted is a copy."""
    originals = list(rows)
    for row, keep, done in _inplace_order([[layer.source for layer in own] for own in stacks]):
        if keep:
            originals[row] = rows[row].copy()
        _paint_row(rows[row], rows[row], originals, stacks[row])
        for other in done:
            originals[other] = rows[other]


def _inplace_order(painted: Sequence[Sequence[int]]) -> Iterator[InplaceStep]:
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
        # Nobody is ready where all that are left go round in a circle: any of them is copied, which breaks it.
        row = ready.pop() if ready else next(iter(waiting))
        del waiting[row]
        later = row in painted[row][1:]  # a later layer shows the row itself, as it was
        done = [] if readers[row] else [row]
        for source in sources[row]:
            readers[source] -= 1
            if not readers[source]:
                (ready if source in waiting else done).append(source)
        yield InplaceStep(row, bool(readers[row]) or later, done)


def _layers_by_row(
    layers: Sequence[Layer],
    rows: Sequence[Array],
    axes: Sequence[int],
    ids: bool,
    blender: Callable[[np.dtype[Any]], RowBlend],
) -> list[list[RowLayer]]:
    """The layers of every row, in painting order."""
    by_row: list[list[RowLayer]] = [[] for _ in rows]
    for layer in layers:
        if layer.whole:
            operate = _blend_op(layer, blender(rows[0].dtype))
        else:
            operate = _place_op(layer, rows[0], [axis - 1 for axis in axes], ids)
        joins = len(layers) > 1 and layer.whole and rows[0].dtype.kind in "iu"
        shares: Iterable[float | None] = layer.opacity.tolist() if joins else repeat(None)
        parts = zip(layer.rows.tolist(), layer.source.tolist(), shares, strict=False)
        for number, (row, source, share) in enumerate(parts):
            by_row[row].append(RowLayer(operate, source, number, share))
    return by_row


def _place_op(layer: Layer, row: Array, axes: Sequence[int], ids: bool) -> RowOp:
    """Boxes are painted as slices; only masks need a weight for every cell."""
    frame = layer.frame([row.shape[axis] for axis in axes])
    crop = frame if layer.crop is None else layer.crop
    places, same = box_indices(crop, axes), (crop.sides == frame.sides).all(axis=1).tolist()
    resize = _copy_nearest if ids or all(same) else linear_resizer(row.dtype, row.ndim)

    mirrored = {
        number: tuple([axes[axis] for axis in np.flatnonzero(flips).tolist()])
        for number, flips in enumerate(() if layer.flip is None else layer.flip)
        if flips.any()
    }

    def show(out: Array, source: Array, number: int) -> None:
        part = source[places[number]]
        if number in mirrored:  # before it is resized: of ties, nearest neighbours have a side
            part = np.flip(part, mirrored[number])
        if same[number]:
            out[...] = part
        else:
            resize(out, part, axes)

    def shown(source: Array, number: int) -> Array:
        if same[number] and number not in mirrored:
            return source[places[number]]
        shape = list(source.shape)
        for axis, length in zip(axes, frame.sides[number].tolist(), strict=True):
            shape[axis] = length
        moved = np.empty_like(source, shape=tuple(shape))
        show(moved, source, number)
        return moved

    if isinstance(layer.region, Mask):
        return _mask_op(layer.opacity, layer.region, frame, row.ndim, axes, shown)
    return _box_op(layer.opacity, frame, row, axes, show, shown)


def _copy_nearest(out: Array, values: Array, axes: Sequence[int]) -> None:
    out[...] = resize_nearest(values, [out.shape[axis] for axis in axes], axes)


def _blend_op(layer: Layer, blend: RowBlend) -> RowOp:
    shares = layer.opacity.tolist()

    def operate(out: Array, base: Array, source: Array, number: int) -> None:
        share = shares[number]
        if share == 1.0:
            out[...] = source
        elif share != 0.0:
            blend(out, base, source, share)
        elif out is not base:
            out[...] = base

    return operate


def _box_op(opacity: FloatArray, frame: Boxes, row: Array, axes: Sequence[int], show: Show, shown: Shown) -> RowOp:
    places = box_indices(frame, axes)
    seen = ((opacity > 0) & (frame.volume > 0)).tolist()
    covers = ((frame.sides == [row.shape[axis] for axis in axes]).all(axis=1) & (opacity == 1)).tolist()

    def operate(out: Array, base: Array, source: Array, number: int) -> None:
        if out is not base and not covers[number]:
            out[...] = base
        if seen[number]:
            view, share = out[places[number]], opacity[number]
            if share == 1:
                show(view, source, number)
            else:
                view[...] = blend_arrays(view, shown(source, number), share)

    return operate


def _mask_op(opacity: FloatArray, mask: Mask, frame: Boxes, rank: int, axes: Sequence[int], shown: Shown) -> RowOp:
    places = box_indices(frame, axes)
    paint_where = _paint_softly if mask.soft else _paint_sharply
    order = [*axes, *(axis for axis in range(rank) if axis not in axes)]

    def operate(out: Array, base: Array, source: Array, number: int) -> None:
        if out is not base:
            out[...] = base
        view, moved = out[places[number]].transpose(order), shown(source, number).transpose(order)
        paint_where(view, moved, opacity[number], mask.values[number][frame.slices(number)])

    return operate


def _paint_sharply(view: Array, moved: Array, share: Any, inside: BoolArray) -> None:
    """One weight for all that is inside: no weights of cells are worked out."""
    if share:
        copy_where(view, moved if share == 1 else blend_arrays(view, moved, share), inside)


def _paint_softly(view: Array, moved: Array, share: Any, weight: FloatArray) -> None:
    share = column(share * weight, view.ndim)
    between = (share > 0.0) & (share < 1.0)
    # Worked out before anything is written: in place, moved may be another part of what is painted on.
    mixed = blend_arrays(view, moved, share) if between.any() else view
    np.copyto(view, moved, where=share == 1.0)
    np.copyto(view, mixed, where=between)
