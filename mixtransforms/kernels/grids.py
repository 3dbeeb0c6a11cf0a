"""Layers on another grid: the same regions and crops, told in cells of another size.

Edges are rounded in whole numbers, so that a grid of which the other's cells are multiples has exactly the same regions
wherever their edges fall on it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mixtransforms.core.canvas import Canvas
from mixtransforms.core.layers import Boxes, FloatArray, IntArray, Layer, Mask, Region
from mixtransforms.kernels.resampling import nearest_cells

Shape = Sequence[int]


def regrid_canvas(canvas: Canvas, old: Shape, new: Shape) -> Canvas:
    """A canvas for samples of another size: its lengths times the ratio of theirs, at least 1 each."""
    (lengths,) = _rounded(np.array([canvas.shape]), old, new).tolist()
    return Canvas(tuple(max(1, length) for length in lengths), canvas.fill)


def regrid(layer: Layer, old: Shape, new: Shape, canvas: tuple[Shape, Shape] | None = None) -> Layer:
    """A layer for samples of another size, which shows the same.

    Args:
        layer: A layer of samples whose mixed axes have the lengths ``old``.
        old: Lengths, at least 1 where the layer has a region or a crop.
        new: Lengths, as many.
        canvas: Those of the result, before and after, where it is painted on a canvas.
    """
    before, after = canvas or (old, new)
    region = _region(layer.region, before, after)
    if layer.crop is None:
        return Layer.drawn(layer.rows, layer.source, layer.opacity, region, objects=layer.objects)
    into = None if layer.into is None else _boxes(layer.into, before, after)
    if into is not None and isinstance(
        region, Mask
    ):  # whose cells are rounded by their middle, and edges by themselves
        region = Mask(region.values * into.inside(after))
    frame = region if into is None else into
    frame = frame if isinstance(frame, Boxes) else Boxes.full(len(layer), after)
    crop = _crop(layer.crop, frame, old, new)
    return Layer.drawn(layer.rows, layer.source, layer.opacity, region, crop, layer.objects, layer.flip, into)


def _region(region: Region, old: Shape, new: Shape) -> Region:
    if isinstance(region, Boxes):
        return _boxes(region, old, new)
    if isinstance(region, Mask):
        return Mask(_nearest(region, old, new) if region.values.dtype == np.bool_ else _means(region, old, new))
    return region


def _boxes(boxes: Boxes, old: Shape, new: Shape) -> Boxes:
    return Boxes.drawn(_rounded(boxes.start, old, new), _rounded(boxes.stop, old, new))


def _rounded(edges: IntArray, old: Shape, new: Shape) -> IntArray:
    """Edges ``(n, d)`` times the ratio of the lengths, rounded half to even."""
    whole, rest = np.divmod(edges * np.asarray(new, np.int64), np.asarray(old, np.int64))
    twice = 2 * rest - np.asarray(old)
    return np.asarray(whole + ((twice > 0) | ((twice == 0) & (whole % 2 == 1))))


def _crop(given: Boxes, frame: Boxes, old: Shape, new: Shape) -> Boxes:
    """Crops, which have a cell wherever their frame has one: where none is left, the cell around their middle."""
    crop = _boxes(given, old, new)
    lost = (crop.sides == 0) & (frame.volume > 0)[:, None]
    if not lost.any():
        return crop
    middle = (given.start + given.stop) * np.asarray(new) // (2 * np.asarray(old))
    start = np.where(lost, np.minimum(middle, np.asarray(new) - 1), crop.start)
    return Boxes.drawn(start, np.where(lost, start + 1, crop.stop))


def _nearest(mask: Mask, old: Shape, new: Shape) -> IntArray:
    """Bools of the cells around the centres of the new ones."""
    values = mask.values
    for axis, (before, after) in enumerate(zip(old, new, strict=True), 1):
        values = values.take(nearest_cells(np.arange(after), before, max(after, 1)), axis=axis)
    return values


def _means(mask: Mask, old: Shape, new: Shape) -> FloatArray:
    """Means of the weights over the areas of the new cells."""
    values = mask.values
    for axis, (before, after) in enumerate(zip(old, new, strict=True), 1):
        values = np.moveaxis(np.moveaxis(values, axis, -1) @ _shares(before, after).T, -1, axis)
    return np.asarray(np.clip(values, 0.0, 1.0))  # a sum may be rounded up


def _shares(old: int, new: int) -> FloatArray:
    """What share of every new cell lies in which old one, ``(new, old)``."""
    # In units of which both sorts of cells are whole numbers, so that nothing is rounded before the division.
    start, left = np.arange(new)[:, None] * old, np.arange(old) * new
    shared = np.minimum(start + old, left + new) - np.maximum(start, left)
    return np.asarray(np.maximum(shared, 0) / old)
