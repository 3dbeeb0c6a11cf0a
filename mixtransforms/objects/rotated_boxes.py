"""Rotated boxes: what is left to see of objects whose boxes have four corners.

Corners are ``(x, y)`` in pixels, float64, ``(N, 4, 2)``, in their order around the box. What is left of a rotated box
is in general no rotated box; therefore boxes are kept whole or dropped, and only what a rectangle shows of a partner
can be fitted anew.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mixtransforms.core.compositing import Contributions
from mixtransforms.core.layers import BoolArray, FloatArray, IntArray
from mixtransforms.objects.box_formats import LEAST_AREA, signed_area
from mixtransforms.objects.boxes import BoxRules, Integral, Seen, look, place


class Cover(NamedTuple):
    """What a polygon covers of a grid.

    Attributes:
        cells: The cells that its bounding box touches.
        area: The area that it covers of each of them, in square pixels.
    """

    cells: tuple[slice, slice]
    area: FloatArray


class Rectangle(NamedTuple):
    """An upright rectangle.

    Attributes:
        start: Its corner of least coordinates ``(x, y)``.
        stop: The opposite corner.
    """

    start: FloatArray
    stop: FloatArray


def seen(part: Contributions, corners: FloatArray, rules: BoxRules, own: bool | BoolArray) -> Seen:
    """What is left of rotated boxes in samples of the result.

    Areas are exact on every grid, masks of pixels included. A box of which enough is seen comes back whole. A box that
    is moved moves with its corners; where a resize has skewed it, it becomes the smallest rectangle around it.

    Args:
        part: What a sample shows of the source of all boxes; or one entry a box.
        corners: ``(N, 4, 2)`` float64; none may be degenerate.
        rules: What must be left of an object; with ``rotated="refit"``, a box of a partner of which one rectangle
            shows a part becomes the smallest rectangle around that part.
        own: Whether the source is the sample itself, unmoved, or ``(N,)``; its boxes are never fitted.

    Returns:
        One entry a box, in the order of ``corners``; its ``boxes`` are corners, ``(N, 4, 2)``.
    """
    placed = place(part, corners)
    integral = _integral(part, placed)
    outside = np.abs(signed_area(placed)) - integral(np.ones_like(part.weight))
    outside = np.where(part.moved & (outside > LEAST_AREA), outside, 0.0)
    view = look(part, integral, outside, rules)
    cut = view.even & (view.visible < 1) & (view.visible > 0) & ~np.asarray(own) & (rules.rotated == "refit")
    windows = _supports(part, cut)
    cut &= np.array([window is not None for window in windows], np.bool_)
    result = placed.copy()
    for index in np.flatnonzero(cut | _skewed(part)):
        window = windows[index] if cut[index] else None
        shown = placed[index] if window is None else clipped(placed[index], window)
        result[index] = smallest_rectangle(shown, placed[index])
    sides = np.hypot(*np.moveaxis(result[:, 1:3] - result[:, :2], -1, 0)).T
    changed = cut | part.moved
    return Seen(view.keep(changed, sides, rules), result, changed, view.visible, view.weight)


def _integral(part: Contributions, polygons: FloatArray) -> Integral:
    """Sums over the areas of polygons ``(N, V, 2)``."""
    if len(part.moved) > 1:
        areas = covered(np.moveaxis(polygons, 0, -1), part.edges)
        return lambda field: np.asarray((areas * field).sum(axis=(0, 1)))
    # One grid for all, perhaps of all pixels: only the cells that a polygon touches are worked out.
    covers = [cover(polygon, tuple(cuts[:, 0] for cuts in part.edges)) for polygon in polygons]
    return lambda field: np.array([(c.area * field[..., 0][c.cells]).sum() for c in covers], np.float64)


def _skewed(part: Contributions) -> BoolArray:
    """Whether both axes are resized by different factors, which makes other shapes of rectangles, ``(n,)``."""
    height, width = part.crop[1] - part.crop[0]
    frame_height, frame_width = part.frame[1] - part.frame[0]
    return np.asarray(frame_height * width != frame_width * height)


def _supports(part: Contributions, wanted: BoolArray) -> list[Rectangle | None]:
    """Where anything is shown of every object's source, if that is one rectangle and the object is ``wanted``."""
    count = len(part.moved)
    if count == 1:
        return [_support(part, 0) if wanted.any() else None] * len(wanted)
    return [_support(part, entry) if wanted[entry] else None for entry in range(count)]


def _support(part: Contributions, entry: int) -> Rectangle | None:
    support = part.weight[..., entry] > 0
    lit = (support.any(axis=0), support.any(axis=1))  # x, y
    (left, right), (top, bottom) = (np.flatnonzero(axis)[[0, -1]] for axis in lit)
    if not support[top : bottom + 1, left : right + 1].all():
        return None
    rows, cols = (cuts[:, entry] for cuts in part.edges)
    return Rectangle(*(np.array([cols[x], rows[y]], np.float64) for x, y in ((left, top), (right + 1, bottom + 1))))


def cover(polygon: FloatArray, edges: tuple[IntArray, ...]) -> Cover:
    """The exact area that a polygon covers of every cell of a grid that it touches.

    Args:
        polygon: Corners ``(V, 2)`` as ``(x, y)``, in either direction; it must not cross itself.
        edges: Where the axes ``(y, x)`` are cut, ascending.
    """
    cells = tuple(_touched(polygon[:, 1 - axis], cuts) for axis, cuts in enumerate(edges))
    near = tuple(cuts[span.start : span.stop + 1, None] for cuts, span in zip(edges, cells, strict=True))
    return Cover((cells[0], cells[1]), covered(polygon[..., None], near)[..., 0])


def covered(polygons: FloatArray, edges: tuple[IntArray, ...]) -> FloatArray:
    """The exact areas that polygons cover of every cell of their grids.

    Below every side lies a strip of every column; what strips of sides that run to the right have more than those of
    sides that run to the left is the polygon. Strips are cut at a height in closed form.

    Args:
        polygons: Corners ``(V, 2, N)`` as ``(x, y)``, in either direction; none may cross itself.
        edges: Where the axes ``(y, x)`` are cut, ascending, ``(cuts, N)``, or ``(cuts, 1)`` for all.

    Returns:
        ``(rows, columns, N)``, in square pixels.
    """
    rows, cols = edges
    start, stop = polygons, np.roll(polygons, -1, axis=0)
    run, rise = np.moveaxis(stop - start, 1, 0)[:, :, None]
    left, right = np.minimum(start, stop)[:, :1], np.maximum(start, stop)[:, :1]
    x = np.minimum(np.maximum(cols, left), right)  # (V, columns + 1, N)
    y = start[:, 1:] + rise * np.divide(x - start[:, :1], run, out=np.zeros(x.shape), where=run != 0)
    width = np.diff(x, axis=1) * np.sign(run)
    above = (width[:, :, None] * _mean_depth(y, rows)).sum(axis=0)  # of the polygon above every edge of a row
    area = np.abs(np.diff(above, axis=1)).swapaxes(0, 1)
    return np.where(area > LEAST_AREA, area, 0.0)


def _mean_depth(y: FloatArray, edges: IntArray) -> FloatArray:
    """How deep under straight lines edges lie, on average over every piece of a line, ``(V, pieces, edges, N)``.

    Args:
        y: Where the lines are at the ends of their pieces, ``(V, pieces + 1, N)``.
        edges: Heights, ``(edges, N)``. Where an edge is above the line, its depth is 0.
    """
    upper, lower = (pick(y[:, :-1], y[:, 1:])[:, :, None] for pick in (np.minimum, np.maximum))
    depth, rest = np.maximum(edges - upper, 0.0), np.maximum(edges - lower, 0.0)
    fall = np.broadcast_to(lower - upper, depth.shape)
    passed = np.divide(depth, fall, out=np.ones(depth.shape), where=fall > depth)  # share of the piece above the edge
    return np.asarray(passed * (depth + rest) / 2)


def _touched(span: FloatArray, edges: IntArray) -> slice:
    """The intervals between edges that lie between the least and the largest number of ``span``."""
    first = int(np.searchsorted(edges, span.min(), side="right")) - 1
    last = int(np.searchsorted(edges, span.max(), side="left"))
    return slice(max(first, 0), last)


def clipped(polygon: FloatArray, window: Rectangle) -> FloatArray:
    """The part of a convex polygon ``(V, 2)`` inside a rectangle, after Sutherland and Hodgman.

    Returns:
        Its corners ``(V', 2)``; none where nothing is inside.
    """
    for axis in (0, 1):
        polygon = _cut(polygon, polygon[:, axis] - window.start[axis])
        polygon = _cut(polygon, window.stop[axis] - polygon[:, axis])
    return polygon


def _cut(polygon: FloatArray, inside: FloatArray) -> FloatArray:
    """The part of a polygon on one side of a line; ``inside`` is the signed distance of its corners, ``(V,)``."""
    corners: list[FloatArray] = []
    for here, there, p, q in zip(inside, np.roll(inside, -1), polygon, np.roll(polygon, -1, axis=0), strict=True):
        if here >= 0:
            corners.append(p)
        if here * there < 0:
            corners.append(p + here / (here - there) * (q - p))
    return np.array(corners, np.float64).reshape(-1, 2)


def smallest_rectangle(polygon: FloatArray, like: FloatArray) -> FloatArray:
    """The rectangle of least area around a convex polygon; one of its sides lies on one of the polygon's.

    Args:
        polygon: Corners ``(V, 2)``.
        like: Corners ``(4, 2)`` of a box, which those of the rectangle follow in order and direction.

    Returns:
        Corners ``(4, 2)``.
    """
    sides = np.roll(polygon, -1, axis=0) - polygon
    length = np.hypot(*sides.T)
    along = sides[length > 0] / length[length > 0, None]
    axes = np.stack([along, along[:, ::-1] * (-1, 1)], axis=1)  # (sides, 2, 2): along and across
    reach = axes @ polygon.T  # (sides, 2, V)
    low, high = reach.min(axis=2), reach.max(axis=2)
    best = (high - low).prod(axis=1).argmin()
    (left, top), (right, bottom) = low[best], high[best]
    rectangle = np.array([(left, top), (right, top), (right, bottom), (left, bottom)]) @ axes[best]
    return _in_order_of(like, rectangle)


def _in_order_of(like: FloatArray, rectangle: FloatArray) -> FloatArray:
    if signed_area(like) * signed_area(rectangle) < 0:
        rectangle = rectangle[::-1]
    turns = [np.roll(rectangle, turn, axis=0) for turn in range(4)]
    return min(turns, key=lambda turn: float(((turn - like) ** 2).sum()))
