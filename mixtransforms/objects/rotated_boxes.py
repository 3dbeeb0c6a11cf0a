"""Rotated boxes: what is left to see of objects whose boxes have four corners.

Corners are ``(y, x)`` in pixels, float64, ``(N, 4, 2)``, in their order around the box. What is left of a rotated box
is in general no rotated box; therefore boxes are kept whole or dropped, and only what a rectangle shows of a partner
can be fitted anew, along the axes of its box.
"""

from __future__ import annotations

import numpy as np

from mixtransforms.core.compositing import Contributions
from mixtransforms.core.layers import BoolArray, FloatArray, IntArray
from mixtransforms.objects.box_formats import LEAST_AREA, signed_area
from mixtransforms.objects.boxes import BoxRules, Integral, SeenObjects, enough, place_points, visibility


def see_rotated_boxes(part: Contributions, corners: FloatArray, rules: BoxRules) -> SeenObjects:
    """What is left of rotated boxes in samples of the result.

    Areas are exact on every grid, masks of pixels included. A box of which enough is seen comes back whole. A box that
    is moved moves with its corners; where a resize has skewed it, it becomes the smallest rectangle around it.

    Args:
        part: What a sample shows of the source of all boxes; or one entry a box.
        corners: ``(N, 4, 2)`` float64; none may be degenerate.
        rules: What must be left of an object; with ``rotated="refit"``, a box of a partner of which one rectangle
            shows a part becomes the rectangle around that part along the box's own axes: it keeps its angle. Boxes of
            the sample itself are never fitted.

    Returns:
        One entry a box, in the order of ``corners``; its ``boxes`` are corners, ``(N, 4, 2)``.
    """
    placed = place_points(part, corners)
    if part.flip is not None:  # corners go on around their box the same way, the first side is still the first
        odd = (part.flip.sum(axis=0) % 2 == 1)[:, None, None]
        placed = np.where(odd, placed[:, [1, 0, 3, 2]], placed)
    integral = _integral(part, placed)
    outside = np.abs(signed_area(placed)) - integral(np.ones_like(part.weight))
    # Areas of pieces do not add up to that of the whole by rounding alone.
    outside = np.where(part.moved & (outside > LEAST_AREA), outside, 0.0)
    even, visible, weight = visibility(part, integral, outside, rules)
    cut = even & (visible < 1) & (visible > 0) & ~part.is_base & (rules.rotated == "refit")
    windows = _supports(part, cut)
    cut &= np.array([window is not None for window in windows], np.bool_)
    result = placed.copy()
    for index in np.flatnonzero(cut | _skewed(part)):
        window = windows[index] if cut[index] else None
        box = placed[index][:, ::-1]  # as (x, y): how products are summed up decides about the last digit
        if window is None:
            result[index] = smallest_rectangle(box, box)[:, ::-1]
        else:
            result[index] = rectangle_along(box, clipped(placed[index], window)[:, ::-1])[:, ::-1]
    sides = np.hypot(*np.moveaxis(result[:, 1:3] - result[:, :2], -1, 0)).T
    changed = cut | part.moved
    return SeenObjects(enough(visible, changed, sides, rules), result, changed, visible, weight)


def _integral(part: Contributions, polygons: FloatArray) -> Integral:
    """Sums over the areas of polygons ``(N, V, 2)``."""
    if len(part) > 1:
        areas = covered(np.moveaxis(polygons, 0, -1), part.edges)
        return lambda field: np.asarray((areas * field).sum(axis=(0, 1)))
    # One grid for all, perhaps of all pixels: only the cells that a polygon touches are worked out.
    covers = [polygon_cover(polygon, tuple(cuts[:, 0] for cuts in part.edges)) for polygon in polygons]
    return lambda field: np.array([(area * field[..., 0][cells]).sum() for cells, area in covers], np.float64)


def _skewed(part: Contributions) -> BoolArray:
    """Whether both axes are resized by different factors, which makes other shapes of rectangles, ``(n,)``."""
    (height, width), (frame_height, frame_width) = (stop - start for start, stop in (part.crop, part.frame))
    return np.asarray(frame_height * width != frame_width * height)


def _supports(part: Contributions, wanted: BoolArray) -> list[FloatArray | None]:
    """Where anything is shown of every object's source, if that is one rectangle and the object is ``wanted``."""
    if len(part) == 1:
        return [_support(part, 0) if wanted.any() else None] * len(wanted)
    return [_support(part, entry) if wanted[entry] else None for entry in range(len(part))]


def _support(part: Contributions, entry: int) -> FloatArray | None:
    """First and last corner of the one rectangle in which a source shows, ``(2, 2)``."""
    support = part.weight[..., entry] > 0
    (top, bottom), (left, right) = (np.flatnonzero(support.any(axis=axis))[[0, -1]] for axis in (1, 0))
    if not support[top : bottom + 1, left : right + 1].all():
        return None
    rows, cols = (cuts[:, entry] for cuts in part.edges)
    return np.array([(rows[top], cols[left]), (rows[bottom + 1], cols[right + 1])], np.float64)


def polygon_cover(polygon: FloatArray, edges: tuple[IntArray, ...]) -> tuple[tuple[slice, ...], FloatArray]:
    """What a polygon covers of a grid.

    Args:
        polygon: Corners ``(V, 2)``, in either direction; it must not cross itself.
        edges: Where the axes are cut, ascending.

    Returns:
        The cells that its bounding box touches, and the exact area that it covers of each of them, in square pixels.
    """
    cells = tuple(_touched(polygon[:, axis], cuts) for axis, cuts in enumerate(edges))
    near = tuple(cuts[span.start : span.stop + 1, None] for cuts, span in zip(edges, cells, strict=True))
    return cells, covered(polygon[..., None], near)[..., 0]


def covered(polygons: FloatArray, edges: tuple[IntArray, ...]) -> FloatArray:
    """The exact areas that polygons cover of every cell of their grids.

    Below every side lies a strip of every column; what strips of sides that run to the right have more than those of
    sides that run to the left is the polygon. Strips are cut at a height in closed form.

    Args:
        polygons: Corners ``(V, 2, N)``, in either direction; none may cross itself.
        edges: Where the axes are cut, ascending, ``(cuts, N)``, or ``(cuts, 1)`` for all.

    Returns:
        ``(rows, columns, N)``, in square pixels.
    """
    rows, cols = edges
    start, stop = polygons, np.roll(polygons, -1, axis=0)
    rise, run = np.moveaxis(stop - start, 1, 0)[:, :, None]
    left, right = np.minimum(start, stop)[:, 1:], np.maximum(start, stop)[:, 1:]
    x = np.minimum(np.maximum(cols, left), right)  # (V, columns + 1, N)
    y = start[:, :1] + rise * np.divide(x - start[:, 1:], run, out=np.zeros(x.shape), where=run != 0)
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


def clipped(polygon: FloatArray, window: FloatArray) -> FloatArray:
    """The part of a convex polygon ``(V, 2)`` inside a rectangle ``(2, 2)``, after Sutherland and Hodgman.

    Returns:
        Its corners ``(V', 2)``; none where nothing is inside.
    """
    start, stop = window
    for axis in (1, 0):
        polygon = _cut_off(polygon, polygon[:, axis] - start[axis])
        polygon = _cut_off(polygon, stop[axis] - polygon[:, axis])
    return polygon


def _cut_off(polygon: FloatArray, inside: FloatArray) -> FloatArray:
    """The part of a polygon on one side of a line; ``inside`` is the signed distance of its corners, ``(V,)``."""
    corners: list[FloatArray] = []
    for here, there, p, q in zip(inside, np.roll(inside, -1), polygon, np.roll(polygon, -1, axis=0), strict=True):
        if here >= 0:
            corners.append(p)
        if here * there < 0:
            corners.append(p + here / (here - there) * (q - p))
    return np.array(corners, np.float64).reshape(-1, 2)


def rectangle_along(box: FloatArray, polygon: FloatArray) -> FloatArray:
    """The rectangle around a polygon along the axes of a box, with its angle and the order of its corners.

    Args:
        box: Corners ``(4, 2)``; the axes of what is no rectangle are those of the smallest one around it.
        polygon: Corners ``(V, 2)``.

    Returns:
        Corners ``(4, 2)``.
    """
    corners = smallest_rectangle(box, box)
    axes = corners[[1, 3]] - corners[0]
    axes /= np.hypot(*axes.T)[:, None]
    reach = axes @ polygon.T
    (left, top), (right, bottom) = reach.min(axis=1), reach.max(axis=1)
    return np.asarray(np.array([(left, top), (right, top), (right, bottom), (left, bottom)]) @ axes)


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
    best = _first_least((high - low).prod(axis=1))
    (left, top), (right, bottom) = low[best], high[best]
    rectangle = np.array([(left, top), (right, top), (right, bottom), (left, bottom)]) @ axes[best]
    return _in_order_of(like, rectangle)


def _in_order_of(like: FloatArray, rectangle: FloatArray) -> FloatArray:
    if signed_area(like) * signed_area(rectangle) < 0:
        rectangle = rectangle[::-1]
    turns = [np.roll(rectangle, turn, axis=0) for turn in range(4)]
    return turns[_first_least(np.array([((turn - like) ** 2).sum() for turn in turns]))]


def _first_least(values: FloatArray) -> int:
    """Where the least value stands: the first of those that differ by rounding alone, as releases of NumPy round."""
    return int((values <= values.min() + 1e-9 * np.abs(values).max()).argmax())
