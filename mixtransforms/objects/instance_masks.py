"""Instance masks: what a mixed sample still shows of every instance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core.compositing import Contributions
from mixtransforms.core.layers import BoolArray, FloatArray
from mixtransforms.kernels.numpy import resize_nearest
from mixtransforms.objects.boxes import EVEN, BoxRules, Rectangles, SeenObjects, rectangles

Masks = NDArray[Any]
Window = tuple[slice, slice]

NOWHERE: Window = (slice(0, 0), slice(0, 0))

EVERYWHERE = np.ones((1, 1), np.bool_)


class Cut(NamedTuple):
    """What is hidden of an instance: nothing is taken from its mask before it is written.

    Attributes:
        window: The pixels that it has, at most.
        hidden: Which of these are hidden, ``(h, w)`` bool.
    """

    window: Window
    hidden: BoolArray


class Extents(NamedTuple):
    """Where instances are in their masks, which is looked for once.

    Attributes:
        windows: The least windows that hold all their pixels.
        counts: How many these are.
    """

    windows: list[Window]
    counts: list[int]

    def take(self, index: Sequence[int]) -> Extents:
        """Those of some instances."""
        return Extents([self.windows[number] for number in index], [self.counts[number] for number in index])


Measured = tuple[FloatArray, FloatArray, list[Cut | None]]
"""Of instances: the visible share, the weight, the mean of it, and the pixels that are left, ``(4, N)``; the boxes
around these; and what is cut."""


def extents(masks: Masks) -> Extents:
    """Where the instances of masks ``(N, H, W)`` are."""
    around = windows(masks)
    return Extents(around, [int(np.count_nonzero(mask[window])) for mask, window in zip(masks, around, strict=True)])


def see_masks(
    part: Contributions, masks: Masks, rules: BoxRules, known: Extents | None = None
) -> tuple[SeenObjects, list[Cut | None]]:
    """What one source's instances become in one sample of the result.

    Pixels that the source does not show are taken from a mask, see :func:`write_mask`. An instance that is seen by
    weights that vary over its pixels (soft masks) keeps its whole mask; its seen share and its weight are both the mean
    of theirs. Where the source is moved, masks are resized by nearest neighbours, and what the crop leaves out counts
    as not seen.

    Args:
        part: What a sample shows of one source: a single entry.
        masks: Instances of the source, ``(N, H, W)`` of any dtype; what is not 0 is inside.
        rules: ``min_visibility`` is the least seen share; ``min_area`` the least number of pixels, for instances that
            change. ``weight`` is an instance's weight: that of the source on its pixels (``"mix"``), the mean of it
            over all of them, seen or not (``"visibility"``), or 1 (``"ones"``).
        known: Their extents, where these were looked for.

    Returns:
        The instances, one entry each, and what is cut from each mask, ``None`` where that is nothing. Their ``boxes``
        are the least ones around what is left of them, zeros where that is nothing; ``masks`` are where the source is
        shown, and whole: the array that was given where it is not moved. Instances without any pixel are not kept.
    """
    placed = _placed_masks(part, masks)
    whole = extents(masks) if known is None else known
    shares = _cropped_counts(part, masks, whole)
    around = extents(placed) if part.moved else whole
    plain = rectangles(part)
    if plain.known[0]:
        numbers, boxes, cuts = _measure_in_rectangle(plain, placed, around, shares)
    else:
        numbers, boxes, cuts = _measure_all(part, placed, around, shares)
    visible, opacity, mean, area = numbers
    weight = {"mix": opacity, "visibility": mean, "ones": np.ones_like(visible)}[rules.weight]
    changed = np.array([cut is not None for cut in cuts], np.bool_) | part.moved
    # Pixels are counted, so that thresholds need no allowance for rounding.
    keep = (visible > 0) & (visible >= rules.min_visibility) & (~changed | (area >= rules.min_area))
    return SeenObjects(keep, boxes, changed, visible, weight, placed, area.astype(np.int64)), cuts


def _measure_all(part: Contributions, masks: Masks, around: Extents, shares: list[tuple[int, int]]) -> Measured:
    """How instances are seen, see :func:`_measure_mask`, one after the other."""
    numbers, boxes, cuts = np.zeros((4, len(masks))), np.zeros((len(masks), 2, 2)), list[Cut | None]()
    for index, (window, count, share) in enumerate(zip(*around, shares, strict=True)):
        numbers[:, index], shown, hidden = _measure_mask(part, masks[index], window, count, *share)
        cuts.append(None if hidden is None else Cut(window, hidden))
        boxes[index] = _corners(shown)
    return numbers, boxes, cuts


def _measure_in_rectangle(plain: Rectangles, masks: Masks, around: Extents, shares: list[tuple[int, int]]) -> Measured:
    """The same where sources show in a rectangle or around one: only masks on both sides of it are looked at."""
    rectangle, beside, weight = np.stack([plain.start[:, 0], plain.stop[:, 0]]), plain.hidden[0], plain.weight[0]
    spans = np.array([_corners(window) for window in around.windows], np.int64).reshape(-1, 2, 2)
    both = np.stack([np.maximum(spans[:, 0], rectangle[0]), np.minimum(spans[:, 1], rectangle[1])], axis=1)
    touched, within = (both[:, 0] < both[:, 1]).all(axis=1), (both == spans).all(axis=(1, 2))
    count, (taken, total) = np.array(around.counts), np.array(shares, np.int64).reshape(-1, 2).T
    shown = np.where(np.where(beside, ~touched, within), count, 0)
    cuts = [Cut(window, EVERYWHERE) if own else None for window, own in zip(around.windows, shown < count, strict=True)]
    boxes = np.where((shown > 0)[:, None, None], spans, 0).astype(np.float64)
    for index in np.flatnonzero(touched & ~within & (count > 0)).tolist():
        shared: Window = (slice(*both[index, :, 0].tolist()), slice(*both[index, :, 1].tolist()))
        shown[index], left, cuts[index] = _cut(masks[index], around.windows[index], int(count[index]), shared, beside)
        boxes[index] = _corners(left)
    # Whole numbers are multiplied first, so that a share on the threshold is not rounded below it.
    visible = np.divide(shown * taken, count * total, out=np.zeros(len(count)), where=count * total > 0)
    opacity = np.where(shown > 0, weight, 0.0)
    return np.stack([visible, opacity, opacity * visible, shown]), boxes, cuts


def _cut(mask: Masks, window: Window, count: int, shared: Window, beside: bool) -> tuple[int, Window, Cut | None]:
    """How many pixels of a mask are left, in which window, and what is hidden of it.

    Args:
        mask: Of an instance.
        window: Where its pixels are.
        count: How many these are.
        shared: What the window shares with a rectangle.
        beside: Whether what lies in that is hidden, and not the rest.
    """
    inside = int(np.count_nonzero(mask[shared]))
    left = count - inside if beside else inside
    if left == count:
        return count, window, None
    if not left:
        return 0, NOWHERE, Cut(window, EVERYWHERE)
    if not beside:
        hidden = np.ones([side.stop - side.start for side in window], np.bool_)
        hidden[_relative(window, shared)] = False
        return left, _window_in(shared, windows(mask[shared][None])[0]), Cut(window, hidden)
    rest = mask[window] != 0
    rest[_relative(window, shared)] = False
    return left, _window_in(window, windows(rest[None])[0]), Cut(shared, EVERYWHERE)


def _corners(window: Window) -> list[list[int]]:
    """First and last corner of a window."""
    return [[side.start for side in window], [side.stop for side in window]]


def _relative(outer: Window, inner: Window) -> Window:
    """A window as one of a window around it."""
    rows, columns = (
        slice(part.start - whole.start, part.stop - whole.start) for whole, part in zip(outer, inner, strict=True)
    )
    return rows, columns


def write_mask(out: Masks, mask: Masks, cut: Cut | None) -> None:
    """Writes what is seen of a mask: its values, and 0 where it is hidden."""
    out[...] = mask
    if cut is not None:
        np.copyto(out[cut.window], out.dtype.type(0), where=cut.hidden)


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


def _cropped_counts(part: Contributions, masks: Masks, whole: Extents) -> list[tuple[int, int]]:
    """Pixels of every instance that the crop takes, and all of them; any equal numbers where nothing is moved."""
    if not part.moved:
        return [(1, 1)] * len(masks)
    crop = tuple(slice(*ends) for ends in zip(*part.crop[..., 0], strict=True))
    return [(int(np.count_nonzero(mask[crop])), count) for mask, count in zip(masks, whole.counts, strict=True)]


def _measure_mask(
    part: Contributions, mask: Masks, window: Window, count: int, taken: int, total: int
) -> tuple[tuple[float, float, float, int], Window, BoolArray | None]:
    """How an instance is seen that has ``count`` pixels, all of them in its window.

    Returns:
        Its visible share, the weight by which it is seen, the mean of that over all of it, and the pixels left of it;
        the window that holds these; and which pixels of its own window are hidden, or ``None``.
    """
    if not count:
        return (0.0, 0.0, 0.0, 0), NOWHERE, None
    field = _weights_in(part, window)
    if field.size == 1:  # of one weight throughout, as most instances are
        opacity = float(field[0, 0])
        if opacity <= 0:
            return (0.0, 0.0, 0.0, 0), NOWHERE, EVERYWHERE
        share = taken / total
        return (share, opacity, opacity * share, count), window, None
    inside = mask[window] != 0
    weights = field[inside]
    shown = weights[weights > 0]
    if not len(shown):
        return (0.0, 0.0, 0.0, 0), NOWHERE, inside
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
