"""What survives of objects in samples of the result: the rules of all that is told of them, together."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core.compositing import Contributions, all_contributions
from mixtransforms.core.layers import BoolArray, FloatArray, IntArray
from mixtransforms.objects import boxes, instance_masks, keypoints, rotated_boxes
from mixtransforms.objects.boxes import BoxRules
from mixtransforms.objects.instance_masks import Cut, Extents
from mixtransforms.objects.keypoints import Keypoints
from mixtransforms.objects.parse import Annotations
from mixtransforms.plan import Plan


class Surviving(NamedTuple):
    """Objects that survive, by the samples of the result; one entry an object.

    Attributes:
        row: The samples that show them.
        chosen: Which of the objects that came in they are.
        corners: Their boxes in pixels.
        changed: Whose boxes are not as they came.
        masks: Their instance masks, ``(H, W)`` each, and what is cut from each.
        points: Their keypoints.
        visible: Which keypoints are seen, ``(n, K)``.
        share: What share of every object is seen.
        times: How many times as large as in its source every object is shown, by area.
        area: Pixels of every object whose instance mask has changed; NaN for the others.
        weight: Weight of every object.
    """

    row: IntArray
    chosen: IntArray
    corners: FloatArray | None
    changed: BoolArray
    masks: Sequence[tuple[NDArray[Any], Cut | None]] | None
    points: FloatArray | None
    visible: BoolArray | None
    share: FloatArray
    times: FloatArray
    area: FloatArray
    weight: FloatArray


def filter_objects(objects: Annotations, plan: Plan, rules: BoxRules, points: Keypoints | None) -> Surviving:
    """What survives of objects in every sample of the result.

    Args:
        objects: The objects of all samples.
        plan: The plan.
        rules: The rules of boxes and instances.
        points: The settled rules of keypoints, where there are any.
    """
    parts: list[Surviving] = []
    found: dict[int, Extents] = {}  # of every source once, though several samples show it
    for several in all_contributions(plan.size, plan.output_shape, plan.layers, plan.canvas is not None):
        # Masks stand by themselves, and fine grids are worked out once a source instead of once an object.
        if (objects.masks and plan.size) or math.prod(several.weight.shape[:-1]) > boxes.FEW_CELLS:
            parts += [_of_source(objects, part, rules, points, found) for part in several]
        else:
            entry, index = _brought(objects, several)
            parts.append(_filter(objects, entry, index, None, several, rules, points))
    return _by_row(parts)


def _brought(objects: Annotations, part: Contributions) -> tuple[IntArray, IntArray]:
    """Objects that sources bring along: which entry of ``part`` they belong to, and their own numbers."""
    entry, index = objects.of(part.source)
    if part.objects is None:
        return entry, index
    place = index - (np.cumsum(objects.counts) - objects.counts)[part.source[entry]]
    keep = np.ones(len(index), np.bool_)
    for number, chosen in enumerate(part.objects):
        if chosen is not None:
            own = entry == number
            keep[own] = np.isin(place[own], chosen)
    return entry[keep], index[keep]


def _of_source(
    objects: Annotations, part: Contributions, rules: BoxRules, points: Keypoints | None, found: dict[int, Extents]
) -> Surviving:
    """What survives of the objects of one source in one sample."""
    source, masks, known = int(part.source[0]), None, None
    _, index = _brought(objects, part)
    if objects.masks:
        masks = objects.masks[source]
        if source not in found:
            found[source] = instance_masks.extents(masks)
        known = found[source]
        if len(index) < len(masks):  # else they are not copied
            chosen = index - int(objects.counts[:source].sum())
            masks, known = masks[chosen], known.take(chosen.tolist())
    return _filter(objects, np.zeros(len(index), np.int64), index, masks, part, rules, points, known)


def _filter(
    objects: Annotations,
    entry: IntArray,
    index: IntArray,
    masks: NDArray[Any] | None,
    part: Contributions,
    rules: BoxRules,
    points: Keypoints | None,
    known: Extents | None = None,
) -> Surviving:
    """What survives of some objects in samples of the result.

    Args:
        objects: All that came in.
        entry: Which entry of ``part`` every one of these belongs to.
        index: Which objects they are.
        masks: Their instance masks ``(n, H, W)``, where these are told of; ``part`` has one entry then.
        part: What samples show of the sources of the objects.
        rules: The rules of boxes and instances.
        points: The settled rules of keypoints, where there are any.
        known: Where the instances are in their masks.
    """
    count, cuts = len(index), list[Cut | None]()
    keep, share, area = np.ones(count, np.bool_), np.ones(count), np.broadcast_to(np.nan, count)
    corners, changed, positions, visible = _take_from(objects.corners, index), objects.rewritten[index], None, None
    rotated = corners is not None and corners.shape[1] == 4
    each = part  # an entry an object, or the one of all
    if len(part) > 1 and (rotated or corners is None or objects.points is not None):
        each = part.take(entry)
    if corners is None and masks is None:
        weight = np.broadcast_to(keypoints.weight_of(each), count)
    if corners is not None and (masks is None or rotated):
        if rotated:
            left = rotated_boxes.see_rotated_boxes(each, corners, rules)
        else:
            left = boxes.see_boxes(part, corners, rules, entry)
        keep, corners, changed, share, weight = left.keep, left.boxes, changed | left.changed, left.visible, left.weight
    if masks is not None:  # they say better than a box how much is seen
        left, cuts = instance_masks.see_masks(part, masks, rules, known)
        masks, keep, share, weight = left.masks, left.keep, left.visible, left.weight
        area = np.where(left.changed, left.area, np.nan)
        if corners is not None and not rotated:  # what is left of the mask says where the object is
            corners = np.where(left.changed[:, None, None], left.boxes, corners)
            changed = changed | left.changed
    if objects.points is not None and points is not None:
        positions = objects.points[index]
        if not positions.shape[-1]:  # no image has any
            positions = np.zeros((*positions.shape[:-1], len(points.columns)))
        seen = keypoints.see_keypoints(each, positions, points)
        keep, positions, visible = keep & seen.keep, seen.points, seen.visible
    if isinstance(rules, boxes.LimitedBoxRules) and corners is not None and not rotated:
        inside = np.clip(corners, 0, [edges.max(initial=0) for edges in part.edges])
        keep = keep & rules.limits.met(share, inside)
        if rules.limits.clip:
            corners, changed = inside, changed | (inside != corners).any(axis=(1, 2))
    chosen = np.flatnonzero(keep)
    entry = entry[chosen]
    return Surviving(
        row=part.row[entry],
        chosen=index[chosen],
        corners=None if corners is None else corners[chosen],
        changed=changed[chosen],
        masks=None if masks is None else [(masks[number], cuts[number]) for number in chosen.tolist()],
        points=_take_from(positions, chosen),
        visible=_take_from(visible, chosen),
        share=share[chosen],
        times=_magnified(part)[entry] if part.moved.any() else np.broadcast_to(1.0, len(chosen)),
        area=area[chosen],
        weight=weight[chosen],
    )


def _by_row(parts: Sequence[Surviving]) -> Surviving:
    """All that survives, by the samples of the result."""
    if len(parts) == 1:
        return parts[0]
    # Stable: in one sample the objects of the sample itself come first, then those of layers as they are painted.
    order = np.argsort(np.concatenate([part.row for part in parts]), kind="stable")
    whole: dict[str, Any] = {}
    for name in Surviving._fields:
        column = [getattr(part, name) for part in parts]
        if name == "masks" and column[0] is not None:
            masks = list(itertools.chain.from_iterable(column))
            whole[name] = [masks[number] for number in order.tolist()]
        else:
            whole[name] = None if column[0] is None else np.concatenate(column)[order]
    return Surviving(**whole)


def _magnified(part: Contributions) -> FloatArray:
    """How many times larger sources are shown than they are, ``(n,)``."""
    (start, stop), (first, end) = part.crop, part.frame
    return np.asarray(((end - first) / (stop - start)).prod(axis=0))


def _take_from(values: Any, index: IntArray) -> Any:
    """Rows of an array, or ``None``."""
    return None if values is None else values.take(index, axis=0)
