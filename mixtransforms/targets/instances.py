"""Instance masks: what a mixed sample still shows of every instance."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core.layers import BoolArray, Boxes, FloatArray, IntArray
from mixtransforms.core.shares import Contribution
from mixtransforms.kernels.numpy import nearest
from mixtransforms.targets.boxes import EVEN, BoxRules

Masks = NDArray[Any]
Window = tuple[slice, slice]


class SeenMasks(NamedTuple):
    """Instances of one source in one sample of the result.

    Attributes:
        keep: Instances that stay, ``(N,)``.
        masks: All instances, ``(N, H, W)`` in the dtype they came in: their values where they are seen, 0 elsewhere.
            The array that was given where nothing changes.
        changed: Instances that are moved or have lost pixels, ``(N,)``.
        visible: Share of every instance that is seen, ``(N,)`` within ``[0, 1]``.
        weight: Weight of every instance, ``(N,)`` within ``[0, 1]``.
        area: Pixels that are left of every instance, ``(N,)`` int64.
        boxes: The least box around them, ``(N, 4)`` float64 XYXY in pixels; zeros where none are left.
    """

    keep: BoolArray
    masks: Masks
    changed: BoolArray
    visible: FloatArray
    weight: FloatArray
    area: IntArray
    boxes: FloatArray


class _Sight(NamedTuple):
    """How one instance is seen."""

    mask: Masks
    visible: float = 0.0
    opacity: float = 0.0
    mean: float = 0.0
    area: int = 0
    window: Window = (slice(0, 0), slice(0, 0))


def seen(part: Contribution, masks: Masks, rules: BoxRules) -> SeenMasks:
    """What one source's instances become in one sample of the result.

    Pixels that the source does not show are taken from a mask. An instance that is seen by weights that vary over its
    pixels (soft masks) keeps its whole mask; its seen share and its weight are both the mean of theirs. Where the
    source is moved, masks are resized by nearest neighbours, and what the crop leaves out counts as not seen.

    Args:
        part: What is seen of the source; its axes are ``(y, x)``.
        masks: Instances of the source, ``(N, H, W)`` of any dtype; what is not 0 is inside.
        rules: ``min_visibility`` is the least seen share; ``min_area`` the least number of pixels, for instances that
            change. ``weight`` is an instance's weight: that of the source on its pixels (``"mix"``), the mean of it
            over all of them, seen or not (``"visibility"``), or 1 (``"ones"``).

    Returns:
        The instances; ``masks`` itself is left alone. Instances without any pixel are not kept.
    """
    placed = list(_placed(part, masks))
    sights = [_sight(part, mask, *share) for mask, share in zip(placed, _taken(part, masks), strict=True)]
    cut = np.array([sight.mask is not mask for sight, mask in zip(sights, placed, strict=True)], np.bool_)
    changed, area = cut | part.moved, np.array([sight.area for sight in sights], np.int64)
    visible, opacity, mean = np.array([sight[1:4] for sight in sights], np.float64).reshape(-1, 3).T
    weight = {"mix": opacity, "visibility": mean, "ones": np.ones_like(visible)}[rules.weight]
    return SeenMasks(
        keep=(visible > 0) & (visible >= rules.min_visibility) & (~changed | (area >= rules.min_area)),
        masks=np.stack([sight.mask for sight in sights]) if changed.any() else masks,
        changed=changed,
        visible=visible,
        weight=weight,
        area=area,
        boxes=np.array([_box(sight.window) for sight in sights], np.float64).reshape(-1, 4),
    )


def _placed(part: Contribution, masks: Masks) -> Masks:
    """The masks where the source is shown."""
    if not part.moved:
        return masks
    count = len(masks)
    crop, frame = (Boxes(*(np.tile(corner, (count, 1)) for corner in box)) for box in (part.crop, part.frame))
    return nearest(masks, np.arange(count), crop, frame)


def _taken(part: Contribution, masks: Masks) -> list[tuple[int, int]]:
    """Pixels of every instance that the crop takes, and all of them; any equal numbers where nothing is moved."""
    if not part.moved:
        return [(1, 1)] * len(masks)
    crop = tuple(slice(*ends) for ends in zip(*part.crop, strict=True))
    return [(int(np.count_nonzero(mask[crop])), int(np.count_nonzero(mask))) for mask in masks]


def _sight(part: Contribution, mask: Masks, taken: int, total: int) -> _Sight:
    window = _window(mask)
    field = _weights(part, window)
    inside = mask[window] != 0
    weights = np.broadcast_to(field, inside.shape)[inside]
    shown = weights[weights > 0]
    if not len(shown):
        return _Sight(np.zeros_like(mask) if len(weights) else mask)
    if shown.var() > EVEN:
        mean = float(weights.mean()) * taken / total
        return _Sight(mask, mean, mean, mean, len(weights), window)
    # Whole numbers are multiplied first, so that a share on the threshold is not rounded below it.
    visible, opacity = len(shown) * taken / (len(weights) * total), float(shown[0])
    if len(shown) < len(weights):
        left = np.zeros_like(mask)
        np.copyto(left[window], mask[window], where=field > 0)
        mask, window = left, _window(left)
    return _Sight(mask, visible, opacity, opacity * visible, len(shown), window)


def _weights(part: Contribution, window: Window) -> FloatArray:
    """Weight of the source on the pixels of a window, ``(h, w)``; only the first where all have the same."""
    spans = [
        slice(int(np.searchsorted(cut, side.start, "right")) - 1, int(np.searchsorted(cut, side.stop)))
        for cut, side in zip(part.edges, window, strict=True)
    ]
    field = part.weight[tuple(spans)]
    if (field == field[:1, :1]).all():
        return field[:1, :1]
    for axis, (cut, span, side) in enumerate(zip(part.edges, spans, window, strict=True)):
        ends = np.clip(cut[span.start : span.stop + 1], side.start, side.stop)
        field = np.repeat(field, ends[1:] - ends[:-1], axis)
    return field


def _window(mask: Masks) -> Window:
    """The least window that holds all pixels of a mask; an empty one where there are none."""
    return _span(mask, 1), _span(mask, 0)


def _span(mask: Masks, across: int) -> slice:
    steps = np.flatnonzero(mask.any(axis=across))
    return slice(int(steps[0]), int(steps[-1]) + 1) if len(steps) else slice(0, 0)


def _box(window: Window) -> tuple[int, int, int, int]:
    """The window as XYXY."""
    rows, columns = window
    return columns.start, rows.start, columns.stop, rows.stop
