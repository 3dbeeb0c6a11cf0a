"""What becomes of objects, sample by sample and source by source: slow, plain, and in float64 on NumPy arrays alone."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from oracles import nearest

from mixtransforms import BoxRules, Layer, Mask, Plan
from mixtransforms.objects import box_formats
from mixtransforms.objects.rotated_boxes import clipped, polygon_cover, rectangle_along, smallest_rectangle

Values = NDArray[Any]
LEAST, EVEN = 1e-6, 1e-12


class Part(NamedTuple):
    """What one source shows in one sample: its weight on the cells of a grid, and from where it is moved to where."""

    source: int
    own: bool
    edges: list[Values]
    weight: Values
    crop: Values
    frame: Values

    @property
    def moved(self) -> bool:
        return not np.array_equal(self.crop, self.frame)


class Left(NamedTuple):
    """What is left of the objects of one source: one row an object."""

    keep: Values
    value: Values
    changed: Values
    visible: Values
    weight: Values
    area: Values


# ------------------------------------------------------------------------------------------ samples


def parts(plan: Plan, row: int) -> list[Part]:
    """What is seen in a sample: itself first, then what is painted, and nothing twice."""
    shape = plan.spec.shape
    coats = [(layer, int(n)) for layer in plan.layers for n in np.flatnonzero(layer.rows == row)]
    edges = [_edges(coats, axis, length) for axis, length in enumerate(shape)]
    whole = np.array([(0,) * len(shape), shape])
    found = [Part(row, True, edges, np.ones([len(cuts) - 1 for cuts in edges]), whole, whole)]
    for layer, n in coats:
        field = _field(layer, n, edges)
        found = [part._replace(weight=part.weight * (1.0 - field)) for part in found]
        crop, frame = whole, whole
        if layer.crop is not None:
            box = layer.frame(shape)
            crop, frame = np.array([layer.crop.start[n], layer.crop.stop[n]]), np.array([box.start[n], box.stop[n]])
        source = int(layer.source[n])
        found.append(Part(source, source == row and np.array_equal(crop, frame), edges, field, crop, frame))
    joined: dict[Any, Part] = {}
    for number, part in enumerate(found):
        name = ("moved", number) if part.moved else part.source
        former = joined.get(name)
        joined[name] = part if former is None else former._replace(weight=former.weight + part.weight)
    return [part for part in joined.values() if (part.weight > 0).any()]


def _edges(coats: Sequence[tuple[Layer, int]], axis: int, length: int) -> Values:
    cuts = {0, length}
    for layer, n in coats:
        if isinstance(layer.region, Mask):
            return np.arange(length + 1)
        if layer.region is not None:
            cuts |= {int(layer.region.start[n, axis]), int(layer.region.stop[n, axis])}
    return np.array(sorted(cuts))


def _field(layer: Layer, n: int, edges: list[Values]) -> Values:
    opacity = float(layer.opacity[n])
    if isinstance(layer.region, Mask):
        return opacity * layer.region.values[n]
    field = np.full([len(cuts) - 1 for cuts in edges], opacity)
    if layer.region is not None:
        (top, left), (bottom, right) = layer.region.start[n], layer.region.stop[n]
        rows, cols = edges
        field *= np.outer((rows[:-1] >= top) & (rows[1:] <= bottom), (cols[:-1] >= left) & (cols[1:] <= right))
    return field


def place(part: Part, points: Values) -> Values:
    if not part.moved:
        return points
    (crop, crop_stop), (frame, frame_stop) = part.crop[:, ::-1], part.frame[:, ::-1]
    return (points - crop) * (frame_stop - frame) / (crop_stop - crop) + frame


# ------------------------------------------------------------------------------------------ boxes


def boxes_left(part: Part, boxes: Values, rules: BoxRules) -> Left:
    """Upright boxes ``(N, 4)``."""
    placed = place(part, boxes.reshape(-1, 2, 2)).reshape(-1, 4)
    start, stop = part.frame if part.moved else np.array([[0, 0], [cuts[-1] for cuts in part.edges]])
    window = np.clip(placed, np.tile(start[::-1], 2), np.tile(stop[::-1], 2))
    down, across = (_overlaps(window[:, 1 - k :: 2], edges) for k, edges in enumerate(part.edges))
    areas = down[:, :, None] * across[:, None]
    even, visible, weight = _look(part, areas, np.where(part.moved, _area(placed) - _area(window), 0.0), rules)
    left = window.copy()
    for box, lit, shrinks in zip(left, (areas > 0) & (part.weight > 0), even, strict=True):
        if lit.any() and shrinks and not (part.own and rules.occluded == "keep"):
            ys, xs = (np.flatnonzero(lit.any(axis=axis)) for axis in (1, 0))
            rows, cols = part.edges
            box[:2] = np.maximum(box[:2], [cols[xs[0]], rows[ys[0]]])
            box[2:] = np.minimum(box[2:], [cols[xs[-1] + 1], rows[ys[-1] + 1]])
    changed = (left != window).any(axis=1) | part.moved
    keep = _keeps(visible, changed, left[:, 2:] - left[:, :2], rules)
    return Left(keep, np.where(changed[:, None], left, boxes), changed, visible, weight, np.full(len(boxes), np.nan))


def rotated_left(part: Part, corners: Values, rules: BoxRules) -> Left:
    """Rotated boxes ``(N, 4, 2)``."""
    placed = place(part, corners)
    areas = np.zeros((len(placed), *part.weight.shape))
    for polygon, area in zip(placed, areas, strict=True):
        cells, covered = polygon_cover(polygon[:, ::-1], tuple(part.edges))
        area[cells] = covered
    outside = np.abs(box_formats.signed_area(placed)) - areas.sum(axis=(1, 2))
    even, visible, weight = _look(part, areas, np.where(part.moved & (outside > 1e-9), outside, 0.0), rules)
    window = None if part.own or rules.rotated == "keep" else _support(part)
    cut = even & (visible > 0) & (visible < 1) & (window is not None)
    height, width = part.crop[1] - part.crop[0]
    frame_height, frame_width = part.frame[1] - part.frame[0]
    result = placed.copy()
    for n, polygon in enumerate(placed):
        if cut[n]:
            result[n] = rectangle_along(polygon, clipped(polygon, window))
        elif frame_height * width != frame_width * height:
            result[n] = smallest_rectangle(polygon, polygon)
    changed = cut | part.moved
    keep = _keeps(visible, changed, np.hypot(*np.moveaxis(result[:, 1:3] - result[:, :2], -1, 0)), rules)
    return Left(keep, result, changed, visible, weight, np.full(len(corners), np.nan))


def _look(part: Part, areas: Values, outside: Values, rules: BoxRules) -> tuple[Values, Values, Values]:
    support = part.weight > 0
    shown, amount, squares = ((areas * field).sum(axis=(1, 2)) for field in (support, part.weight, part.weight**2))
    area = shown + (areas * ~support).sum(axis=(1, 2)) + outside
    mean, overall = _ratio(amount, shown), _ratio(amount, area)
    even = _ratio(squares, shown) - mean**2 <= EVEN
    weights = {"mix": np.where(even, mean, overall), "visibility": overall, "ones": np.ones(len(area))}
    return even, np.where(even, _ratio(shown, area), overall), weights[rules.weight]


def _keeps(visible: Values, changed: Values, sides: Values, rules: BoxRules) -> Values:
    seen = (visible > 0) & (visible >= rules.min_visibility - LEAST)
    large = (sides.min(axis=1, initial=np.inf) >= rules.min_size - LEAST) & (
        sides.prod(axis=1) >= rules.min_area - LEAST
    )
    return seen & (large | ~changed)


def _ratio(part: Values, whole: Values) -> Values:
    return np.divide(part, whole, out=np.zeros(len(whole)), where=whole > 0)


def _area(boxes: Values) -> Values:
    return (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)


def _overlaps(spans: Values, edges: Values) -> Values:
    return np.maximum(np.minimum(spans[:, 1:], edges[1:]) - np.maximum(spans[:, :1], edges[:-1]), 0.0)


def _support(part: Part) -> Values | None:
    ys, xs = (np.flatnonzero((part.weight > 0).any(axis=axis)) for axis in (1, 0))
    if not (part.weight[ys[0] : ys[-1] + 1, xs[0] : xs[-1] + 1] > 0).all():
        return None
    rows, cols = part.edges
    return np.array([[cols[xs[0]], rows[ys[0]]], [cols[xs[-1] + 1], rows[ys[-1] + 1]]], np.float64)


# ------------------------------------------------------------------------------------------ masks and points


def masks_left(part: Part, masks: Values, rules: BoxRules) -> tuple[Left, Values]:
    """Instance masks ``(N, H, W)``, and the boxes around what is left of them."""
    weight = part.weight
    for axis, cuts in enumerate(part.edges):
        weight = np.repeat(weight, np.diff(cuts), axis)
    rows, boxes = [], []
    for mask in masks:
        taken = total = 1
        if part.moved:
            inside, frame = (tuple(slice(*ends) for ends in box.T) for box in (part.crop, part.frame))
            taken, total = np.count_nonzero(mask[inside]), np.count_nonzero(mask)
            moved = np.zeros_like(mask)
            moved[frame] = nearest(mask[inside], moved[frame].shape)
            mask = moved
        lit = mask != 0
        own = weight[lit]
        shown, cut = own[own > 0], bool((own <= 0).any())
        visible = opacity = mean = area = 0.0
        left = np.where(weight > 0, mask, mask.dtype.type(0)) if cut else mask
        if len(shown) and shown.var() > EVEN:
            left, cut, area = mask, False, len(own)
            visible = opacity = mean = own.mean() * taken / total
        elif len(shown):
            visible, opacity, area = len(shown) * taken / (len(own) * total), shown[0], len(shown)
            mean = opacity * visible
        ys, xs = (np.flatnonzero((left != 0).any(axis=axis)) for axis in (1, 0))
        boxes.append([xs[0], ys[0], xs[-1] + 1, ys[-1] + 1] if len(ys) else [0] * 4)
        chosen = {"mix": opacity, "visibility": mean, "ones": 1.0}[rules.weight]
        changed = cut or part.moved
        keep = visible > 0 and visible >= rules.min_visibility and (not changed or area >= rules.min_area)
        rows.append((keep, left, changed, visible, chosen, area if changed else np.nan))
    columns: Any = zip(*rows, strict=True) if rows else [[], masks, [], [], [], []]
    keep, left, *rest = (np.array(column) for column in columns)
    changed, *numbers = rest
    return Left(keep.astype(bool), left, changed.astype(bool), *numbers), np.array(boxes, np.float64).reshape(-1, 4)


def points_left(part: Part, points: Values, columns: str, occluded: str, least: int) -> tuple[Values, Values, Values]:
    """Which instances ``(N, K, C)`` stay, their points, and which of these are seen."""
    points, own, v = points.copy(), part.own, columns.find("v")
    at = [columns.index("x"), columns.index("y")]
    points[..., at] = placed = place(part, points[..., at])
    positive = part.weight[part.weight > 0]
    enough = positive.min() if positive.var() <= EVEN else 0.5
    everywhere = not part.moved and part.weight.var() <= EVEN
    visible, keep = np.zeros(points.shape[:2], bool), np.ones(len(points), bool)
    for (n, k), labelled in np.ndenumerate(points[..., v] > 0 if v >= 0 else np.ones(points.shape[:2], bool)):
        cells = [
            np.searchsorted(cuts, place, side="right") - 1
            for cuts, place in zip(part.edges, placed[n, k, ::-1], strict=True)
        ]
        inside = all(0 <= cell < len(cuts) - 1 for cell, cuts in zip(cells, part.edges, strict=True))
        owned = inside and part.weight[tuple(cells)] >= enough
        visible[n, k] = labelled and owned
        if labelled and not owned and (inside or not (own or everywhere)):
            keep[n] = False
            if v >= 0:
                points[n, k, v] = 1.0 if own and occluded == "hide" else 0.0
    return keep | (visible.sum(axis=1) >= least), points, visible


# ------------------------------------------------------------------------------------------ all of a batch


def mixed(
    plan: Plan, told: Mapping[str, Sequence[Values]], rules: BoxRules, form: str, columns: str = "xyv"
) -> dict[str, list[Values]]:
    """All that is told of objects, mixed: one array an image, in float64 where it is computed.

    Args:
        plan: The plan.
        told: ``boxes`` in the format ``form``, ``masks``, ``keypoints`` (of instances), ``area`` and any other fields.
        rules: The rules of boxes and instances.
        form: Format of boxes.
        columns: Letters of the numbers of a keypoint.
    """
    names = [*told, "weights", *(["visible"] if "keypoints" in told else [])]
    result: dict[str, list[Values]] = {name: [] for name in names}
    for row in range(plan.size):
        found = [_of_part(part, told, plan.spec.shape, rules, form, columns) for part in parts(plan, row)]
        for name in names:
            result[name].append(np.concatenate([values[name] for values in found]))
    return result


def _of_part(
    part: Part, told: Mapping[str, Sequence[Values]], shape: tuple[int, ...], rules: BoxRules, form: str, columns: str
) -> dict[str, Values]:
    own: dict[str, Values] = {name: items[part.source] for name, items in told.items()}
    count, width = len(next(iter(own.values()))), box_formats.column_count(form)
    keep, share, area = np.ones(count, bool), np.ones(count), np.full(count, np.nan)
    weight = np.full(count, part.weight[part.weight > 0].mean())
    changed, corners = np.zeros(count, bool), None
    if "boxes" in own:
        corners = box_formats.decode(own["boxes"], form, (shape[0], shape[1]))
        sound = ~box_formats.degenerate(corners)
        own, count = {name: values[sound] for name, values in own.items()}, int(sound.sum())
        corners = _near(corners[sound]) if corners.ndim == 2 else corners[sound]
        left = (boxes_left if corners.ndim == 2 else rotated_left)(part, corners, rules)
        keep, corners, changed, share, weight, area = left
    if "masks" in own:
        left, around = masks_left(part, own["masks"], rules)
        keep, own["masks"], cut, share, weight, area = left
        if corners is not None and corners.ndim == 2:
            corners, changed = around, cut
    if "keypoints" in own:
        staying, own["keypoints"], own["visible"] = points_left(part, own["keypoints"], columns, "hide", 1)
        keep = keep[: len(staying)] & staying
    if corners is not None:
        own["boxes"] = own["boxes"].astype(np.float64)
        own["boxes"][changed, :width] = box_formats.encode(corners[changed], form, (shape[0], shape[1]))
    if "area" in own:
        sides = [corners_[1] - corners_[0] for corners_ in (part.frame, part.crop)]
        magnified = np.prod(sides[0] / sides[1]) if part.moved else 1.0
        own["area"] = np.where(np.isnan(area), own["area"] * share * magnified, area)
    own["weights"] = weight
    return {name: values[keep] for name, values in own.items()}


def _near(corners: Values) -> Values:
    whole = np.rint(corners)
    near = np.where(np.abs(corners - whole) <= 1e-3, whole, corners)
    return np.where(box_formats.degenerate(near)[:, None], corners, near)
