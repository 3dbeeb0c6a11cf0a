"""Instance masks: what a mixed sample still shows of every instance."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core.compositing import Contributions
from mixtransforms.core.layers import BoolArray, FloatArray
from mixtransforms.kernels.numpy import resize_nearest
from mixtransforms.objects.boxes import EVEN, BoxRules, SeenObjects

Masks = NDArray[Any]
Window = tuple[slice, slice]

NOWHERE: Window = (slice(0, 0), slice(0, 0))


def see_masks(part: Contributions, masks: Masks, rules: BoxRules) -> SeenObjects:
    """What one source's instances become in one sample of the result.

    Pixels that the source does not show are taken from a mask. An instance that is seen by weights that vary over its
    pixels (soft masks) keeps its whole mask; its seen share and its weight are both the mean of theirs. Where the
    source is moved, masks are resized by nearest neighbours, and what the crop leaves out counts as not seen.

    Args:
        part: What a sample shows of one source: a single entry.
        masks: Instances of the source, ``(N, H, W)`` of any dtype; what is not 0 is inside.
        rules: ``min_visibility`` is the least seen share; ``min_area`` the least number of pixels, for instances that
            change. ``weight`` is an instance's weight: that of the source on its pixels (``"mix"``), the mean of it
            over all of them, seen or not (``"visibility"``), or 1 (``"ones"``).

    Returns:
        The instances, one entry each. Their ``boxes`` are the least ones around what is left of them, zeros where that
        is nothing; ``masks`` have their values where they are seen and 0 elsewhere, and are the array that was given
        where nothing changes. Instances without any pixel are not kept.
    """
    placed = _placed_masks(part, masks)
    around = windows(placed)
    left, cut = placed, np.zeros(len(masks), np.bool_)
    numbers, boxes = np.zeros((4, len(masks))), np.zeros((len(masks), 2, 2))
    for index, (window, share) in enumerate(zip(around, _cropped_counts(part, masks), strict=True)):
        numbers[:, index], shown, hidden = _measure_mask(part, placed[index][window], window, *share)
        if hidden is not None:
            left = placed.copy() if left is placed else left  # as it came, where nothing is hidden
            left[index][window][hidden] = 0
            cut[index] = True
        boxes[index] = [[side.start for side in shown], [side.stop for side in shown]]
    visible, opacity, mean, area = numbers
    weight = {"mix": opacity, "visibility": mean, "ones": np.ones_like(visible)}[rules.weight]
    changed = cut | part.moved
    # Pixels are counted, so that thresholds need no allowance for rounding.
    keep = (visible > 0) & (visible >= rules.min_visibility) & (~changed | (area >= rules.min_area))
    return SeenObjects(keep, boxes, changed, visible, weight, left, area.astype(np.int64))


def _placed_masks(part: Contributions, masks: Masks) -> Masks:
    """The masks where the source is shown."""
    if not part.moved:
        return masks
    (start, stop), (first, last) = part.crop[..., 0], part.frame[..., 0]
    result = np.zeros_like(masks, shape=(len(masks), *(int(cuts[-1, 0]) for cuts in part.edges)))
    crop = masks[(slice(None), *map(slice, start, stop))]
    if part.flip is not None:
        crop = np.flip(crop, tuple((1 + np.flatnonzero(part.flip[:, 0])).tolist()))
    result[(slice(None), *map(slice, first, last))] = resize_nearest(crop, (last - first).tolist(), (1, 2))
    return result


def _cropped_counts(part: Contributions, masks: Masks) -> list[tuple[int, int]]:
    """Pixels of every instance that the crop takes, and all of them; any equal numbers where nothing is moved."""
    if not part.moved:
        return [(1, 1)] * len(masks)
    crop = tuple(slice(*ends) for ends in zip(*part.crop[..., 0], strict=True))
    return [(int(np.count_nonzero(mask[crop])), int(np.count_nonzero(mask))) for mask in masks]


def _measure_mask(
    part: Contributions, mask: Masks, window: Window, taken: int, total: int
) -> tuple[tuple[float, float, float, int], Window, BoolArray | None]:
    """How an instance is seen that has the values ``mask`` in its window, and none elsewhere.

    Returns:
        Its visible share, the weight by which it is seen, the mean of that over all of it, and the pixels left of it;
        the window that holds these; and which pixels of its own window are hidden, or ``None``.
    """
    field, inside = _weights_in(part, window), mask != 0
    count = int(np.count_nonzero(inside))
    if not count:
        return (0.0, 0.0, 0.0, 0), NOWHERE, None
    weights = field.ravel() if field.size == 1 else field[inside]
    shown = weights[weights > 0]
    if not len(shown):
        return (0.0, 0.0, 0.0, 0), NOWHERE, inside
    if field.size == 1:  # of one weight throughout, as most instances are
        share, opacity = taken / total, float(shown[0])
        return (share, opacity, opacity * share, count), window, None
    if shown.var() > EVEN:
        mean = float(weights.mean()) * taken / total
        return (mean, mean, mean, count), window, None
    # Whole numbers are multiplied first, so that a share on the threshold is not rounded below it.
    visible, opacity = len(shown) * taken / (count * total), float(shown[0])
    numbers = visible, opacity, opacity * visible, len(shown)
    if len(shown) == count:
        return numbers, window, None
    hidden = field <= 0
    return numbers, _window_in(window, windows((inside & ~hidden)[None])[0]), hidden


def _weights_in(part: Contributions, window: Window) -> FloatArray:
    """Weight of the source on the pixels of a window, ``(h, w)``; only the first where all have the same."""
    edges = [cut[:, 0] for cut in part.edges]
    spans = [
        slice(int(np.searchsorted(cut, side.start, "right")) - 1, int(np.searchsorted(cut, side.stop)))
        for cut, side in zip(edges, window, strict=True)
    ]
    field = part.weight[..., 0][tuple(spans)]
    if (field == field[:1, :1]).all():  # most instances lie on one side of a paste: no field of pixels is built
        return field[:1, :1]
    for axis, (cut, span, side) in enumerate(zip(edges, spans, window, strict=True)):
        ends = np.clip(cut[span.start : span.stop + 1], side.start, side.stop)
        field = np.repeat(field, ends[1:] - ends[:-1], axis)
    return field


def windows(masks: Masks) -> list[Window]:
    """The least windows that hold all pixels of masks ``(N, H, W)``; empty ones where there are none."""
    (top, bottom), (left, right) = (_span(np.asarray(masks.any(axis=across))) for across in (2, 1))
    ends = zip(top, bottom, left, right, strict=True)
    return [(slice(first, last), slice(start, stop)) for first, last, start, stop in ends]


def _span(lit: BoolArray) -> tuple[list[int], list[int]]:
    """Where the first lit step of every row begins and the last one ends; 0 and 0 where none is lit."""
    stop = (lit.shape[1] - lit[:, ::-1].argmax(axis=1)) * lit.any(axis=1)
    return lit.argmax(axis=1).tolist(), stop.tolist()


def _window_in(outer: Window, inner: Window) -> Window:
    """A window of a window."""
    rows, columns = (
        slice(whole.start + part.start, whole.start + part.stop) for whole, part in zip(outer, inner, strict=True)
    )
    return rows, columns
