"""What is seen of samples and of their objects under a plan, pixel by pixel: nothing of the package computes anything."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from math import floor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from owners import moves, source, target

from mixtransforms import Boxes, BoxRules, Layer, Mask, Plan

Values = NDArray[Any]
Box = tuple[float, float, float, float]

EVEN = 1e-9
"""Weights that differ by less are one weight."""

LEAST = 1e-6
"""How little may be missing to a limit."""

AREAS = ("area", "areas")


class Sight(NamedTuple):
    """What is seen of one source in one mixed sample.

    Attributes:
        source: The sample it comes from.
        weight: Its weight at every cell.
        crop: What part of the source is shown, a ``(start, stop)`` an axis.
        frame: Where that is in the result.
        own: Whether it is the mixed sample itself, in its place.
        chosen: Which of its objects come along, or ``None`` for all.
        flips: Along which axes it is mirrored.
    """

    source: int
    weight: Values
    crop: list[tuple[int, int]]
    frame: list[tuple[int, int]]
    own: bool
    chosen: frozenset[int] | None = None
    flips: tuple[bool, ...] = ()

    @property
    def moved(self) -> bool:
        return self.crop != self.frame or any(self.flips)

    @property
    def magnified(self) -> float:
        """How many times as large as in the source everything is."""
        ends = zip(self.crop, self.frame, strict=True)
        return float(np.prod([(stop - start) / (last - first) for (first, last), (start, stop) in ends]))

    def place(self, cell: tuple[int, ...]) -> tuple[int, ...]:
        """Which cell of the source a cell of the frame shows, if it shows one alone."""
        flips = self.flips or (False,) * len(cell)
        shown = (
            (crop, source(at, crop, frame), flip)
            for at, crop, frame, flip in zip(cell, self.crop, self.frame, flips, strict=True)
        )
        return tuple(crop[0] + crop[1] - 1 - at if flip else at for crop, at, flip in shown)

    def brought(self, values: Values) -> Values:
        """What a map of the source, ``(*shape, ...)``, is where the source is shown, and 0 elsewhere."""
        if not self.moved:
            return values
        result = np.zeros_like(values)
        for cell in product(*(range(*ends) for ends in self.frame)):
            result[cell] = values[self.place(cell)]
        return result

    @property
    def uneven(self) -> bool:
        return bool(np.ptp(self.weight[self.weight > 0]) > EVEN)


def strength(layer: Layer, index: int, shape: tuple[int, ...]) -> Values:
    """Weight of a layer's source at every cell, before later layers are painted."""
    field = np.zeros(shape)
    for cell in product(*map(range, shape)):
        inside = 1.0
        if isinstance(layer.region, Mask):
            inside = float(layer.region.values[(index, *cell)])
        elif isinstance(layer.region, Boxes):
            start, stop = layer.region.start[index], layer.region.stop[index]
            inside = float(all(a <= at < b for a, at, b in zip(start, cell, stop, strict=True)))
        field[cell] = layer.opacity[index] * inside
    return field


def coats(plan: Plan, row: int) -> Iterator[tuple[Layer, int, Values]]:
    """The layers on a sample in the order they are painted, the sample's place in each, and its weights."""
    for layer in plan.layers:
        for index in np.flatnonzero(layer.rows == row).tolist():
            yield layer, index, strength(layer, index, plan.spec.shape)


def sight_of(layer: Layer, index: int, field: Values, row: int) -> Sight:
    """A layer's source on a sample, with its weights before later layers are painted."""
    crop, frame = moves(layer, index, field.shape)
    own = int(layer.source[index])
    chosen = None if layer.objects is None else frozenset(layer.objects[index].tolist())
    flips = () if layer.flip is None else tuple(layer.flip[index].tolist())
    sight = Sight(own, field, crop, frame, own=False, chosen=chosen, flips=flips)
    return sight._replace(own=own == row and not sight.moved and chosen is None)


def sights(plan: Plan, row: int) -> list[Sight]:
    """Every source that is seen in a sample: itself first, then the others as they are painted."""
    whole = [(0, length) for length in plan.spec.shape]
    found = [Sight(row, np.ones(plan.spec.shape), whole, whole, own=True)]
    for layer, index, field in coats(plan, row):
        found = [sight._replace(weight=sight.weight * (1 - field)) for sight in found]
        sight = sight_of(layer, index, field, row)
        alike, others = not sight.moved and sight.chosen is None, enumerate(found)
        twin = next((n for n, s in others if (s.source, s.moved, s.chosen) == (sight.source, False, None)), None)
        if twin is None or not alike:
            found.append(sight)
        else:
            found[twin] = found[twin]._replace(weight=found[twin].weight + field)
    return [sight for sight in found if (sight.weight > 0).any()]


def amounts(plan: Plan) -> Values:
    """How much of whom is seen in whom, ``(B, B)``."""
    table = np.zeros((plan.size, plan.size))
    for row in range(plan.size):
        for sight in sights(plan, row):
            table[row, sight.source] += sight.weight.mean() if sight.weight.size else 0.0
    return table


# ------------------------------------------------------------------------------------------ objects


class Left(NamedTuple):
    """What is left of one object.

    Attributes:
        keep: Whether enough of it is.
        value: Where it is now.
        changed: Whether that is another value than before.
        visible: What share of it is seen.
        weight: Its weight.
    """

    keep: bool
    value: Any
    changed: bool
    visible: float
    weight: float


def box_left(box: Sequence[float], sight: Sight, rules: BoxRules, rotated: bool = False) -> Left:
    """What is left of a box ``x1, y1, x2, y2``, by the area of every pixel that lies in it."""
    placed = placed_box(box, sight)
    frame = sight.frame if sight.moved else [(0, length) for length in sight.weight.shape]
    (top, bottom), (left, right) = frame
    window = (
        min(max(placed[0], left), right), min(max(placed[1], top), bottom),
        min(max(placed[2], left), right), min(max(placed[3], top), bottom),
    )  # fmt: skip
    height, width = sight.weight.shape
    across = [_common(window[0], window[2], x) for x in range(width)]
    cover = np.outer([_common(window[1], window[3], y) for y in range(height)], across)
    shown = np.where(sight.weight > 0, cover, 0.0)
    if not shown.any():
        return Left(False, None, True, 0.0, 0.0)
    measured = placed if sight.moved else window
    area = (measured[2] - measured[0]) * (measured[3] - measured[1])
    weights = sight.weight[shown > 0]
    even = np.ptp(weights) <= EVEN
    visible = float((shown if even else shown * sight.weight).sum() / area)
    now = tuple(window)
    if even and not rotated and not (sight.own and rules.occluded == "keep"):
        ys, xs = np.nonzero(shown)
        now = (max(now[0], xs.min()), max(now[1], ys.min()), min(now[2], xs.max() + 1), min(now[3], ys.max() + 1))
    changed = sight.moved or now != tuple(window)
    large = min(now[2] - now[0], now[3] - now[1]) >= rules.min_size - LEAST
    large &= (now[2] - now[0]) * (now[3] - now[1]) >= rules.min_area - LEAST
    keep = visible >= rules.min_visibility - LEAST and (large or not changed)
    weight = float(weights[0]) if even else visible
    return Left(bool(keep), now if changed else tuple(box), changed, visible, weight)


def mask_left(mask: Values, sight: Sight, rules: BoxRules) -> Left:
    """What is left of an instance mask ``(H, W)``, pixel by pixel."""
    taken, total = np.count_nonzero(mask[tuple(slice(*ends) for ends in sight.crop)]), np.count_nonzero(mask)
    mask = sight.brought(mask)
    inside = mask != 0
    shown = inside & (sight.weight > 0)
    if not shown.any():
        return Left(False, None, True, 0.0, 0.0)
    weights = sight.weight[shown]
    if np.ptp(weights) > EVEN:
        mean = float(sight.weight[inside].mean()) * taken / total
        return Left(mean >= rules.min_visibility, mask, sight.moved, mean, mean)
    visible, changed = shown.sum() * taken / (inside.sum() * total), sight.moved or bool((shown != inside).any())
    keep = visible >= rules.min_visibility and (not changed or shown.sum() >= rules.min_area)
    return Left(bool(keep), np.where(shown, mask, mask.dtype.type(0)), changed, float(visible), float(weights[0]))


def points_left(points: Values, sight: Sight, single: bool, hidden: float | None = 1.0) -> tuple[bool, Values, Values]:
    """Whether an instance (or single point) is kept, its points ``(K, C)``, and which of them are seen.

    Args:
        points: ``x, y`` or ``x, y, v``.
        sight: What is seen of their source.
        single: Whether points that are lost are dropped.
        hidden: Visibility of own points that are covered.
    """
    points, seen, cut = points.copy(), np.zeros(len(points), bool), False
    height, width = sight.weight.shape
    everywhere = not sight.moved and np.ptp(sight.weight) <= EVEN
    for number, point in enumerate(points):
        x, y = point[:2] = _placed(sight, *point[:2], pixels=True)
        if len(point) == 3 and point[2] == 0:
            continue
        inside = 0 <= x < width and 0 <= y < height
        weight = sight.weight[floor(y), floor(x)] if inside else 0.0
        seen[number] = weight >= 0.5 if sight.uneven else weight > 0
        if not seen[number] and (inside or not (sight.own or everywhere)):
            cut = True
            if len(point) == 3:
                point[2] = hidden if sight.own else 0.0
    return (not cut or bool(seen.any())), points, seen


def _placed(sight: Sight, x: float, y: float, pixels: bool = False) -> tuple[float, float]:
    """Where a point of the source is; whole numbers may name a pixel, and a mirror then takes them to that pixel."""
    if not sight.moved:
        return x, y
    flips = sight.flips or (False, False)
    turned = (
        sum(crop) - at - (pixels and at == floor(at)) if flip else at
        for at, crop, flip in zip((y, x), sight.crop, flips, strict=True)
    )
    y, x = (float(target(float(at), *ends)) for at, *ends in zip(turned, sight.crop, sight.frame, strict=True))
    return x, y


def placed_box(box: Sequence[float], sight: Sight) -> Box:
    """Where a box ``x1, y1, x2, y2`` of a source is, whatever is seen of it."""
    corners = zip(_placed(sight, *box[:2]), _placed(sight, *box[2:]), strict=True)
    (left, right), (top, bottom) = map(sorted, corners)  # what is mirrored begins where it ended
    return left, top, right, bottom


def _common(start: float, stop: float, cell: int) -> float:
    return max(0.0, min(stop, cell + 1) - max(start, cell))


def objects_left(
    plan: Plan, told: Mapping[str, Sequence[Values]], form: str = "xyxy", rules: BoxRules | None = None
) -> dict[str, list[Values]]:
    """What is told of the objects of every mixed sample: ``boxes``, ``masks``, ``keypoints`` and any other fields.

    Args:
        plan: The plan.
        told: One array an image; of ``boxes`` in the format ``form``, ``keypoints`` with two or three axes.
        form: Format of boxes.
        rules: What is kept.
    """
    rules = rules or BoxRules()
    first = next(name for name in ("boxes", "masks", "keypoints") if name in told)
    single = "boxes" not in told and "masks" not in told and told["keypoints"][0].ndim == 2
    weights_name = {"boxes": "box_weights", "masks": "instance_weights", "keypoints": "keypoint_weights"}[first]
    marks = "keypoints" in told and not single and told["keypoints"][0].shape[-1] == 2
    rows: list[dict[str, list[Any]]] = []
    for row in range(plan.size):
        kept: dict[str, list[Any]] = {name: [] for name in told} | {weights_name: []}
        kept |= {"keypoints_visible": []} if marks else {}
        for sight in sights(plan, row):
            for number in range(len(told[first][sight.source])):
                if sight.chosen is not None and number not in sight.chosen:
                    continue
                left = _object_left(
                    {name: told[name][sight.source][number] for name in told}, sight, form, rules, single
                )
                for name in kept if left else ():
                    kept[name].append(left[name])
        rows.append(kept)
    like = {name: items[0] for name, items in told.items()}
    like |= {weights_name: np.zeros(0, np.float32)} if weights_name not in told else {}
    like |= {"keypoints_visible": np.zeros((0, like["keypoints"].shape[1]), bool)} if marks else {}
    return {
        name: [_as_dtype(kept[name], item.dtype).reshape(-1, *item.shape[1:]) for kept in rows]
        for name, item in like.items()
    }


def _as_dtype(values: Sequence[Any], dtype: np.dtype[Any]) -> Values:
    """Numbers in a dtype, rounded where it holds whole ones."""
    array = np.array(values)
    return (np.rint(array) if dtype.kind in "iu" and array.dtype.kind == "f" else array).astype(dtype)


def _object_left(
    told: Mapping[str, Any], sight: Sight, form: str, rules: BoxRules, single: bool
) -> dict[str, Any] | None:
    """Everything about one object in one sample; ``None`` where it is not kept."""
    new = dict(told)
    shape = sight.weight.shape
    keep, visible, changed = True, 1.0, False
    weight = float(sight.weight[sight.weight > 0].mean())
    if "boxes" in told:
        corners, rotated = read_box(told["boxes"], form, shape), form in ROTATED
        left = box_left(corners, sight, rules, rotated)
        if left.value is not None and left.changed and not rotated:
            new["boxes"] = [*write_box(left.value, form, shape), *told["boxes"][4:]]
        elif rotated and sight.moved:
            new["boxes"] = write_box(placed_box(corners, sight), form, shape)  # which are never cut
        if "masks" not in told:
            keep, visible, weight = left.keep, left.visible, left.weight
    if "masks" in told:
        left = mask_left(told["masks"], sight, rules)
        keep, visible, weight, changed = left.keep, left.visible, left.weight, left.changed
        new["masks"] = left.value
        if "boxes" in told and keep:
            new["boxes"] = write_box(_bounds(left.value), form, shape) if changed else told["boxes"]
    if "keypoints" in told:
        points = told["keypoints"][None] if single else told["keypoints"]
        staying, points, seen = points_left(points, sight, single)
        keep = keep and staying
        new |= {"keypoints": points[0] if single else points, "keypoints_visible": seen}
    for name in set(AREAS) & set(told):
        new[name] = np.count_nonzero(new["masks"]) if changed and keep else told[name] * visible * sight.magnified
    for name in ("box_weights", "instance_weights", "keypoint_weights"):
        new[name] = weight * told[name] if name in told else weight
    return new if keep else None


def _bounds(mask: Values) -> Box:
    ys, xs = np.nonzero(mask)
    return float(xs.min()), float(ys.min()), float(xs.max() + 1), float(ys.max() + 1)


# ------------------------------------------------------------------------------------------ formats

ROTATED = ("xywhr", "cxcywhr", "xyxyxyxy")
_FRACTIONS = {
    "albumentations": "xyxy", "normalized_xyxy": "xyxy", "xyxyn": "xyxy", "rel_xyxy": "xyxy",
    "normalized_xywh": "xywh", "rel_xywh": "xywh",
    "yolo": "cxcywh", "normalized_cxcywh": "cxcywh", "cxcywhn": "cxcywh",
}  # fmt: skip
RELATIVE = tuple(_FRACTIONS)
_WAY = {"pascal_voc": "xyxy", "coco": "xywh", "center_xywh": "cxcywh", **_FRACTIONS}


def write_box(box: Sequence[float], form: str, shape: tuple[int, ...]) -> list[float]:
    """An upright box ``x1, y1, x2, y2`` in a format; of those with angles it is turned a quarter."""
    x1, y1, x2, y2 = map(float, box)
    if form in RELATIVE:
        x1, x2, y1, y2 = x1 / shape[1], x2 / shape[1], y1 / shape[0], y2 / shape[0]
    return {
        "xyxy": [x1, y1, x2, y2],
        "xywh": [x1, y1, x2 - x1, y2 - y1],
        "cxcywh": [(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1],
        "xywhr": [x1, y2, y2 - y1, x2 - x1, 90.0],
        "cxcywhr": [(x1 + x2) / 2, (y1 + y2) / 2, y2 - y1, x2 - x1, 90.0],
        "xyxyxyxy": [x1, y1, x2, y1, x2, y2, x1, y2],
    }[_WAY.get(form, form)]


def read_box(values: Sequence[float], form: str, shape: tuple[int, ...]) -> Box:
    """Undoes :func:`write_box`."""
    a, b, c, d, *rest = map(float, values)
    box = {
        "xyxy": (a, b, c, d),
        "xywh": (a, b, a + c, b + d),
        "cxcywh": (a - c / 2, b - d / 2, a + c / 2, b + d / 2),
        "xywhr": (a, b - c, a + d, b),
        "cxcywhr": (a - d / 2, b - c / 2, a + d / 2, b + c / 2),
        "xyxyxyxy": (a, b, c, rest[1] if len(rest) > 1 else d),
    }[_WAY.get(form, form)]
    if form in RELATIVE:
        box = (box[0] * shape[1], box[1] * shape[0], box[2] * shape[1], box[3] * shape[0])
    return box
