"""What is kept of objects in samples of the result: the rules of all that is told of them, together."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core.compositing import Contributions
from mixtransforms.core.layers import BoolArray, FloatArray, IntArray
from mixtransforms.objects import boxes, instance_masks, keypoints, rotated_boxes
from mixtransforms.objects.boxes import BoxRules
from mixtransforms.objects.keypoints import Keypoints
from mixtransforms.objects.parse import Told, at


class Kept(NamedTuple):
    """What is kept of objects; one row an object.

    Attributes:
        row: The samples of the result that show them.
        chosen: Which of the objects that were told of they are.
        corners: Their boxes in pixels.
        changed: Whose boxes are not as they came.
        masks: Their instance masks, ``(H, W)`` each.
        points: Their keypoints.
        visible: Which keypoints are seen, ``(n, K)``.
        share: What share of its own area every object still has.
        area: Pixels of every object whose instance mask has changed; NaN for the others.
        weight: Weight of every object.
    """

    row: IntArray
    chosen: IntArray
    corners: FloatArray | None
    changed: BoolArray
    masks: Sequence[NDArray[Any]] | None
    points: FloatArray | None
    visible: BoolArray | None
    share: FloatArray
    area: FloatArray
    weight: FloatArray


def kept(told: Told, part: Contributions, rules: BoxRules, points: Keypoints | None) -> Kept:
    """What is kept of objects in samples of the result.

    Args:
        told: The objects, all of them sound; only those of a single contribution have instance masks.
        part: What a sample shows of the source of all objects; or one entry an object.
        rules: The rules of boxes and instances.
        points: The settled rules of keypoints, where there are any.
    """
    count, own = told.number, part.is_base
    keep, share, area = np.ones(count, np.bool_), np.ones(count), np.full(count, np.nan)
    corners, masks, positions, visible = told.corners, told.masks, told.points, None
    changed = told.resized
    if corners is None and masks is None:
        weight = np.broadcast_to(keypoints.weight_of(part), count)
    if corners is not None and (masks is None or corners.ndim == 3):
        box = (rotated_boxes if corners.ndim == 3 else boxes).seen(part, corners, rules, own)
        corners, changed = box.boxes, changed | box.changed
        if masks is None:
            keep, share, weight = keep & box.keep, box.visible, box.weight
    if masks is not None:
        mask = instance_masks.seen(part, masks, rules)
        masks, keep, share, weight = mask.masks, keep & mask.keep, mask.visible, mask.weight
        area = np.where(mask.changed, mask.area, np.nan)
        if corners is not None and corners.ndim == 2:  # what is left of the mask says where the object is
            corners = np.where(mask.changed[:, None], mask.boxes, corners)
            changed = mask.changed | told.resized
    if positions is not None and points is not None:
        if not positions.shape[-1]:  # no image has any
            positions = np.zeros((*positions.shape[:-1], len(points.columns)))
        point = keypoints.seen(part, positions, points.columns, points.occluded, own, points.min_visible)
        keep, positions, visible = keep & point.keep, point.points, point.visible
    chosen = np.flatnonzero(keep)
    share = share * _magnified(part)
    return Kept(
        row=np.broadcast_to(part.row, count)[chosen],
        chosen=chosen,
        corners=at(corners, chosen),
        changed=changed[chosen],
        masks=None if masks is None else [masks[number] for number in chosen.tolist()],
        points=at(positions, chosen),
        visible=at(visible, chosen),
        share=share[chosen],
        area=area[chosen],
        weight=weight[chosen],
    )


def together(parts: Sequence[Kept]) -> Kept:
    """All that is kept, by the samples of the result."""
    if len(parts) == 1:
        return parts[0]
    order = np.argsort(np.concatenate([part.row for part in parts]), kind="stable")
    whole: dict[str, Any] = {}
    for name in Kept._fields:
        column = [getattr(part, name) for part in parts]
        if name == "masks" and column[0] is not None:
            masks = list(itertools.chain.from_iterable(column))
            whole[name] = [masks[number] for number in order.tolist()]
        else:
            whole[name] = None if column[0] is None else np.concatenate(column)[order]
    return Kept(**whole)


def _magnified(part: Contributions) -> FloatArray:
    """How many times larger sources are shown than they are, ``(n,)``."""
    if not part.moved.any():
        return np.ones(1)
    (start, stop), (first, end) = part.crop, part.frame
    return np.asarray(((end - first) / (stop - start)).prod(axis=0))
