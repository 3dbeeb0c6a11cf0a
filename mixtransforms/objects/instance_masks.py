"""Instance masks: what a mixed sample still shows of every instance."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core.compositing import Contributions
from mixtransforms.core.layers import BoolArray, FloatArray, IntArray
from mixtransforms.kernels.numpy import resize_nearest
from mixtransforms.objects.boxes import EVEN, BoxRules

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
    """How one instance is seen; ``hidden`` are the pixels of its window that are not."""

    visible: float = 0.0
    opacity: float = 0.0
    mean: float = 0.0
    area: int = 0
    window: Window = (slice(0, 0), slice(0, 0))
    hidden: BoolArray | None = None


def seen(part: Contributions, masks: Masks, rules: BoxRules) -> SeenMasks:
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
    placed = _placed(part, masks)
    windows = _windows(placed)
    taken = _taken(part, masks)
    sights = [_sight(part, mask[at], at, *share) for mask, at, share in zip(placed, windows, taken, strict=True)]
    cut = np.array([sight.hidden is not None for sight in sights], np.bool_)
    left = placed.copy() if cut.any() else placed
    for mask, sight, at in zip(left, sights, windows, strict=True):
        if sight.hidden is not None:
            mask[at][sight.hidden] = 0
    changed, area = cut | part.moved, np.array([sight.area for sight in sights], np.int64)
    visible, opacity, mean = np.array([sight[:3] for sight in sights], np.float64).reshape(-1, 3).T
    weight = {"mix": opacity, "visibility": mean, "ones": np.ones_like(visible)}[rules.weight]
    return SeenMasks(
        keep=(visible > 0) & (visible >= rules.min_visibility) & (~changed | (area >= rules.min_area)),
        masks=left,
        changed=changed,
        visible=visible,
        weight=weight,
        area=area,
        boxes=np.array([_box(sight.window) for sight in sights], np.float64).reshape(-1, 4),
    )


def _placed(part: Contributions, masks: Masks) -> Masks:
    """The masks where the source is shown."""
    if not part.moved:
        return masks
    (start, stop), (first, last) = ((ends[0][:, 0], ends[1][:, 0]) for ends in (part.crop, part.frame))
    result = np.zeros_like(masks)
    crop = masks[(slice(None), *map(slice, start, stop))]
    result[(slice(None), *map(slice, first, last))] = resize_nearest(crop, (last - first).tolist(), (1, 2))
    return result


def _taken(part: Contributions, masks: Masks) -> list[tuple[int, int]]:
    """Pixels of every instance that the crop takes, and all of them; any equal numbers where nothing is moved."""
    if not part.moved:
        return [(1, 1)] * len(masks)
    crop = tuple(slice(*ends) for ends in zip(*part.crop[..., 0], strict=True))
    return [(int(np.count_nonzero(mask[crop])), int(np.count_nonzero(mask))) for mask in masks]


def _sight(part: Contributions, mask: Masks, window: Window, taken: int, total: int) -> _Sight:
    """How an instance is seen that has the values ``mask`` in its window, and none elsewhere."""
    field, inside = _weights(part, window), mask != 0
    count = int(np.count_nonzero(inside))
    if not count:
        return _Sight()
    if field.size == 1:
        opacity = float(field[0, 0])
        share = taken / total
        return _Sight(share, opacity, opacity * share, count, window) if opacity > 0 else _Sight(hidden=inside)
    weights = field[inside]
    shown = weights[weights > 0]
    if not len(shown):
        return _Sight(hidden=inside)
    if shown.var() > EVEN:
        mean = float(weights.mean()) * taken / total
        return _Sight(mean, mean, mean, count, window)
    # Whole numbers are multiplied first, so that a share on the threshold is not rounded below it.
    visible, opacity = len(shown) * taken / (count * total), float(shown[0])
    hidden = None
    if len(shown) < count:
        hidden = field <= 0
        window = _within(window, _windows((inside & ~hidden)[None])[0])
    return _Sight(visible, opacity, opacity * visible, len(shown), window, hidden)


def _weights(part: Contributions, window: Window) -> FloatArray:
    """Weight of the source on the pixels of a window, ``(h, w)``; only the first where all have the same."""
    edges = [cut[:, 0] for cut in part.edges]
    spans = [
        slice(int(np.searchsorted(cut, side.start, "right")) - 1, int(np.searchsorted(cut, side.stop)))
        for cut, side in zip(edges, window, strict=True)
    ]
    field = part.weight[..., 0][tuple(spans)]
    if (field == field[:1, :1]).all():
        return field[:1, :1]
    for axis, (cut, span, side) in enumerate(zip(edges, spans, window, strict=True)):
        ends = np.clip(cut[span.start : span.stop + 1], side.start, side.stop)
        field = np.repeat(field, ends[1:] - ends[:-1], axis)
    return field


def _windows(masks: Masks) -> list[Window]:
    """The least windows that hold all pixels of masks ``(N, H, W)``; empty ones where there are none."""
    (top, bottom), (left, right) = (_span(np.asarray(masks.any(axis=across))) for across in (2, 1))
    ends = zip(top, bottom, left, right, strict=True)
    return [(slice(first, last), slice(start, stop)) for first, last, start, stop in ends]


def _span(lit: BoolArray) -> tuple[list[int], list[int]]:
    """Where the first lit step of every row begins and the last one ends; 0 and 0 where none is lit."""
    stop = (lit.shape[1] - lit[:, ::-1].argmax(axis=1)) * lit.any(axis=1)
    return lit.argmax(axis=1).tolist(), stop.tolist()


def _within(outer: Window, inner: Window) -> Window:
    """A window of a window."""
    rows, columns = (
        slice(whole.start + part.start, whole.start + part.stop) for whole, part in zip(outer, inner, strict=True)
    )
    return rows, columns


def _box(window: Window) -> tuple[int, int, int, int]:
    """The window as XYXY."""
    rows, columns = window
    return columns.start, rows.start, columns.stop, rows.stop
