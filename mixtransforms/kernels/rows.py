"""Paints host memory row by row: every pixel of the result is written from the originals, in the cheapest order.

A row is one sample. All its coats are painted before the next row's, so that it is worked on while it is in the
cache. What the rows are painted from may be the canvas itself (in place), another array, or the samples that were
never stacked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core.layers import Boxes, Layer
from mixtransforms.kernels.numpy import blender, indices, nearest, resize, select_row

Array = NDArray[Any]

Brush = Callable[[Array, Array, Array, int], None]
"""Paints a layer's n-th row, ``brush(out, base, source, n)``; ``out`` may be ``base``."""


class Coat(NamedTuple):
    """What one layer paints on one row.

    Attributes:
        brush: Paints it.
        source: The sample that is painted.
        number: Which row of the layer it is.
    """

    brush: Brush
    source: int
    number: int


class Step(NamedTuple):
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
    coats = _coats(layers, rows, places, ids)
    if originals is None:
        _paint_in_place(rows, coats)
        return
    inner = [axis - 1 for axis in order[1:]]
    if inner != list(range(len(inner))):
        originals = [original.transpose(inner) for original in originals]
    if write is None:
        for row in _along(coats):
            _paint_row(rows[row], originals[row], originals, coats[row])
        return
    out = np.empty(rows[0].shape, canvas.dtype)
    for row in _along(coats):
        _paint_row(out, originals[row], originals, coats[row])
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


def _paint_row(out: Array, base: Array, originals: Sequence[Array], coats: Sequence[Coat]) -> None:
    if not coats and out is not base:
        out[...] = base
    for brush, source, number in coats:
        brush(out, base, originals[source], number)
        base = out


def _along(coats: Sequence[Sequence[Coat]]) -> Iterator[int]:
    """Every row once, where possible behind the row that it is painted on, while it is still in the cache."""
    done = [False] * len(coats)
    for row in range(len(coats)):
        while not done[row]:
            done[row] = True
            yield row
            row = coats[row][0].source if coats[row] else row


def _paint_in_place(rows: Sequence[Array], coats: Sequence[Sequence[Coat]]) -> None:
    """Paints rows on themselves; what is still read of a row that is painted is a copy."""
    originals = list(rows)
    for row, keep, done in _steps([[coat.source for coat in own] for own in coats]):
        if keep:
            originals[row] = rows[row].copy()
        _paint_row(rows[row], rows[row], originals, coats[row])
        for other in done:
            originals[other] = rows[other]


def _steps(painted: Sequence[Sequence[int]]) -> Iterator[Step]:
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
        later = row in painted[row][1:]  # a later coat is of the row itself, as it was
        done = [] if readers[row] else [row]
        for source in sources[row]:
            readers[source] -= 1
            if not readers[source]:
                (ready if source in waiting else done).append(source)
        yield Step(row, bool(readers[row]) or later, done)


def _coats(layers: Sequence[Layer], rows: Sequence[Array], axes: Sequence[int], ids: bool) -> list[list[Coat]]:
    """The coats of every row, in painting order."""
    coats: list[list[Coat]] = [[] for _ in rows]
    for layer in layers:
        brush = _brush(layer, rows[0], [axis - 1 for axis in axes], ids)
        for number, (row, source) in enumerate(zip(layer.rows.tolist(), layer.source.tolist(), strict=True)):
            coats[row].append(Coat(brush, source, number))
    return coats


def _brush(layer: Layer, row: Array, axes: Sequence[int], ids: bool) -> Brush:
    """Boxes and whole rows stay what they are, everything else becomes a weight for every cell."""
    if layer.region is None and layer.crop is None:
        return _blending(layer, row)
    if isinstance(layer.region, Boxes) and not (layer.blends or layer.resizes):
        return _pasting(layer, layer.region, row, axes)
    return _selecting(layer, row, axes, ids)


def _blending(layer: Layer, row: Array) -> Brush:
    shares, blend = layer.opacity.tolist(), blender(row.dtype)

    def brush(out: Array, base: Array, source: Array, number: int) -> None:
        share = shares[number]
        if share == 1.0:
            out[...] = source
        elif share != 0.0:
            blend(out, base, source, share)
        elif out is not base:
            out[...] = base

    return brush


def _pasting(layer: Layer, region: Boxes, row: Array, axes: Sequence[int]) -> Brush:
    origin = region if layer.crop is None else layer.crop
    places = indices(region, axes)
    origins = places if origin is region else indices(origin, axes)
    seen = ((layer.opacity == 1) & (region.volume > 0)).tolist()
    covers = (region.sides == [row.shape[axis] for axis in axes]).all(axis=1).tolist()

    def brush(out: Array, base: Array, source: Array, number: int) -> None:
        if out is not base and not (covers[number] and seen[number]):
            out[...] = base
        if seen[number]:
            out[places[number]] = source[origins[number]]

    return brush


def _selecting(layer: Layer, row: Array, axes: Sequence[int], ids: bool) -> Brush:
    fit = nearest if ids else resize
    shape = tuple(row.shape[axis] for axis in axes)
    field, frame, crop = layer.field(shape), layer.frame(shape), layer.crop

    def brush(out: Array, base: Array, source: Array, number: int) -> None:
        if out is not base:
            out[...] = base
        view, moved = (np.moveaxis(array, axes, range(len(axes))) for array in (out, source))
        if crop is not None:
            own = np.arange(len(layer)) == number
            moved = fit(moved[None], np.zeros(1, np.int64), crop.take(own), frame.take(own))[0]
        select_row(view, moved, field[number])

    return brush
