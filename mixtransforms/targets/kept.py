"""What is kept of the objects of one source in one sample of the result: the rules of all that is told, together."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core.layers import BoolArray, FloatArray, IntArray
from mixtransforms.core.shares import Contribution
from mixtransforms.targets import boxes, instances, keypoints, rotated
from mixtransforms.targets.boxes import BoxRules
from mixtransforms.targets.keypoints import Keypoints
from mixtransforms.targets.told import Told


class Kept(NamedTuple):
    """What is kept of the objects of one source in one sample of the result; a row an object.

    Attributes:
        source: The sample they come from.
        chosen: Their rows there.
        corners: Their boxes in pixels.
        changed: Whose boxes are not as they came.
        masks: Their instance masks.
        points: Their keypoints.
        visible: Which keypoints are seen, ``(n, K)``.
        share: What share of its own area every object still has.
        area: Pixels of every object whose instance mask has changed; NaN for the others.
        weight: Weight of every object.
    """

    source: int
    chosen: IntArray
    corners: FloatArray | None
    changed: BoolArray
    masks: NDArray[Any] | None
    points: FloatArray | None
    visible: BoolArray | None
    share: FloatArray
    area: FloatArray
    weight: FloatArray


def kept(told: Told, part: Contribution, own: bool, rules: BoxRules, points: Keypoints | None) -> Kept:
    """What is kept of the objects of one source in one sample of the result.

    Args:
        told: The objects of the source.
        part: What is seen of it.
        own: Whether the source is the sample itself, at its own place.
        rules: The rules of boxes and instances.
        points: The settled rules of keypoints, where there are any.
    """
    keep, share = told.sound.copy(), np.ones(told.number)
    weight, area = np.full(told.number, keypoints.weight_of(part)), np.full(told.number, np.nan)
    corners, masks, positions, visible = told.corners, told.masks, told.points, None
    changed = np.full(told.number, told.resized)
    if corners is not None:
        box = (rotated if corners.ndim == 3 else boxes).seen(part, corners, rules, own)
        corners, changed = box.boxes, changed | box.changed
        if masks is None:
            keep, share, weight = keep & box.keep, box.visible, box.weight
    if masks is not None:
        mask = instances.seen(part, masks, rules)
        masks, keep, share, weight = mask.masks, keep & mask.keep, mask.visible, mask.weight
        area = np.where(mask.changed, mask.area, np.nan)
        if told.corners is not None and told.corners.ndim == 2:  # what is left of the mask says where the object is
            corners = np.where(mask.changed[:, None], mask.boxes, told.corners)
            changed = mask.changed | told.resized
    if positions is not None and points is not None:
        positions = positions if len(positions) else np.zeros((0, 1, len(points.columns)))
        point = keypoints.seen(part, positions, points.columns, points.occluded, own, points.min_visible)
        keep, positions, visible = keep & point.keep, point.points, point.visible
    chosen = np.flatnonzero(keep)
    share = share * _magnified(part)
    corners, masks, positions, visible = (at(values, chosen) for values in (corners, masks, positions, visible))
    rest = (values[chosen] for values in (share, area, weight))
    return Kept(part.source, chosen, corners, changed[chosen], masks, positions, visible, *rest)


def _magnified(part: Contribution) -> float:
    """How many times larger the source is shown than it is."""
    (start, stop), (first, end) = part.crop, part.frame
    return float(np.prod((end - first) / (stop - start)))


def at(values: Any, index: IntArray) -> Any:
    """Rows of an array, or ``None``."""
    return None if values is None else values[index]
