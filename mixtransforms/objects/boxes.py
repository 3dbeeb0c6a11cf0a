"""Boxes: what is left to see of objects in samples of the result.

Points are those of plans, ``(y, x)`` in pixels, float64, continuous: pixel ``j`` covers ``[j, j + 1)``. An upright box
is its first and its last corner, ``(2, 2)``.
"""

# No `from __future__ import annotations`: signatures must show types, not strings.
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core import fields as checked
from mixtransforms.core.compositing import Contributions
from mixtransforms.core.layers import BoolArray, FloatArray, IntArray
from mixtransforms.objects.box_formats import FORMATS

LIMIT_ROUNDING = 1e-6
"""How little may be missing to a limit: angles and float32 corners are not exact."""

FEW_CELLS = 100
"""Cells of a grid up to which all samples are worked on together: finer grids would be copied for every object."""

EVEN = 1e-12
"""Variance of weights under which they are one weight; rounding alone makes some 1e-16."""

Integral = Callable[[FloatArray], FloatArray]
"""Sums a value of every cell of the grids, ``(rows, columns, n)``, over the area of every object, ``(N,)``."""


def _box_format(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or value.lower() not in FORMATS:
        raise ValueError
    return value.lower()


@checked.documented
@dataclass(frozen=True, repr=False)
class BoxRules:
    """How boxes, and what stands beside each of them, are mixed.

    An object is kept where enough of it is still seen; ``min_size`` and ``min_area`` hold for boxes that mixing has
    changed, so that objects that it did not touch come back as they were.
    """

    min_visibility: float = checked.number(
        0.1, low=0, high=1, doc="Least share of an object that must still be seen for it to be kept."
    )
    occluded: str = checked.choice(
        "shrink",
        ("shrink", "keep"),
        "Box of an object that is partly painted over: shrunk to what is seen of it, or kept as it was.",
    )
    min_size: float = checked.number(1.0, low=0, high=1e9, doc="Least width and height, in pixels.")
    min_area: float = checked.number(1.0, low=0, high=1e9, doc="Least area, in square pixels.")
    weight: str = checked.choice(
        "mix",
        ("mix", "visibility", "ones"),
        "Weight of an object: that of its pixels, that times the share of it that is seen, or 1.",
    )
    fields: Sequence[str | int] = checked.names(
        "names, positions or dotted paths",
        "More values that stand one a box, beside those that are known by their name.",
        (str, int),
    )
    format: str | None = checked.parameter(
        None,
        _box_format,
        "None or one of " + ", ".join(map(repr, FORMATS)),
        "How boxes are written that do not say so themselves.",
        {"enum": [None, *FORMATS]},
    )
    rotated: str = checked.choice(
        "keep",
        ("keep", "refit"),
        "Rotated box of an object that is pasted in part: kept as it was, or fitted to the part, at its own angle.",
    )
    strict: bool = checked.flag(
        False, "Refuse boxes without width, height or finite corners, instead of dropping and counting them."
    )

    def __post_init__(self) -> None:
        checked.check_fields(self)

    def __repr__(self) -> str:
        return checked.constructor(self)


class Limits(NamedTuple):
    """What a host's pipeline asks of every box, also of one that mixing has not changed.

    Attributes:
        visibility: Least share of an object that must still be seen.
        width: Least width in pixels.
        height: Least height in pixels.
        area: Least area in square pixels.
        ratio: The most that one side may be longer than the other.
        clip: Whether boxes are cut to the canvas.
        quiet: Whether degenerate boxes are dropped without a word.
    """

    visibility: float = 0.0
    width: float = 0.0
    height: float = 0.0
    area: float = 0.0
    ratio: float = np.inf
    clip: bool = False
    quiet: bool = False

    def met(self, visible: FloatArray, corners: FloatArray) -> BoolArray:
        """The boxes that may stay, ``(N,)`` bool.

        Args:
            visible: Share of the objects that is seen, ``(N,)``.
            corners: Where they are on the canvas, ``(N, 2, 2)``.
        """
        height, width = np.diff(corners, axis=1)[:, 0].T + LIMIT_ROUNDING
        longer, shorter = np.maximum(height, width), np.minimum(height, width)
        large = (width >= self.width) & (height >= self.height) & (height * width >= self.area)
        return np.asarray(large & (longer <= self.ratio * shorter) & (visible >= self.visibility - LIMIT_ROUNDING))


NO_LIMITS = Limits()


@dataclass(frozen=True, repr=False)
class LimitedBoxRules(BoxRules):
    """Rules of boxes in a host's pipeline that has limits of its own."""

    limits: Limits = NO_LIMITS


class SeenObjects(NamedTuple):
    """What is left of objects in samples of the result; one entry an object.

    Attributes:
        keep: The objects that are kept, ``(N,)`` bool. What the other fields say of the others means nothing.
        boxes: Where they are now: ``(N, 2, 2)``, or ``(N, 4, 2)`` where boxes may be rotated.
        changed: What is not as it came in, ``(N,)`` bool.
        visible: Share of the object that is seen, ``(N,)`` float64 within [0, 1].
        weight: Its weight in a loss, ``(N,)`` float64 within [0, 1].
        masks: Of instances, their masks ``(N, H, W)``.
        area: Of instances, the pixels that are left of them, ``(N,)`` int64.
    """

    keep: BoolArray
    boxes: FloatArray
    changed: BoolArray
    visible: FloatArray
    weight: FloatArray
    masks: NDArray[Any] | None = None
    area: Any = None


def see_boxes(part: Contributions, boxes: FloatArray, rules: BoxRules, entry: IntArray | None = None) -> SeenObjects:
    """What is left of boxes in samples of the result.

    A box is measured where it is on the canvas; one that reaches beyond and of which nothing is hidden comes back as
    it was. A box that is moved is measured as a whole, and what lies outside its frame is hidden.

    Args:
        part: What a sample shows of the source of all boxes; or one entry a box.
        boxes: ``(N, 2, 2)`` float64; none may be degenerate.
        rules: What must be left of an object, and what becomes of its box. ``occluded="keep"`` holds for the boxes of
            the sample itself, unmoved: those of a partner are always cut to what is shown.
        entry: To which of the entries of ``part`` every box belongs, ``(N,)``, where they are neither.

    Returns:
        One entry a box, in the order of ``boxes``.
    """
    if entry is None:
        entry = np.arange(len(boxes)) if len(part) > 1 else np.zeros(len(boxes), np.int64)
    came = np.ascontiguousarray(np.moveaxis(boxes, 0, -1))  # (corner, axis, N)
    any_moved = bool(part.moved.any())
    placed, changed = (_placed_boxes(part, entry, came) if any_moved else came), part.moved.take(entry)
    start, stop = part.frame.take(entry, axis=-1) if any_moved else part.frame[..., :1]
    # What lies beyond the canvas was never to be seen, so that it counts for nothing; beyond a frame it is cut off.
    window = np.minimum(np.maximum(placed, start), stop)
    outside = np.where(changed, _box_area(placed) - _box_area(window), 0.0) if any_moved else np.zeros(len(boxes))
    plain = rectangles(part)
    visible, weight, left = _seen_in_rectangles(plain, entry, window, outside, part.is_base, rules)
    others = np.flatnonzero(~plain.known.take(entry)) if not plain.known.all() else ()
    if len(others):
        several = part if len(part) == 1 else part.take(entry[others])
        visible[others], weight[others], left[..., others] = _measured(
            several, window[..., others], outside[others], rules
        )
    changed |= (left != window).any(axis=(0, 1))
    # Of boxes that nothing has changed, what reaches beyond the canvas comes back as well.
    result = np.moveaxis(np.where(changed, left, came), -1, 0)
    return SeenObjects(enough(visible, changed, left[1] - left[0], rules), result, changed, visible, weight)


class Rectangles(NamedTuple):
    """Where sources show by one weight: in a rectangle, or everywhere but in one. One entry each.

    Attributes:
        known: Whether it is one of both, ``(n,)``.
        hidden: Whether it is everywhere but there, ``(n,)``.
        start: First corner, ``(2, n)``.
        stop: Last corner.
        weight: The weight, ``(n,)``.
    """

    known: BoolArray
    hidden: BoolArray
    start: IntArray
    stop: IntArray
    weight: FloatArray


def rectangles(part: Contributions) -> Rectangles:
    """Pastes show partners in rectangles, and samples around them; blends show both everywhere."""
    weight, nobody = part.weight, np.zeros(len(part), np.bool_)
    if math.prod(weight.shape[:-1]) > FEW_CELLS:
        nowhere = np.zeros((2, len(part)), np.int64)
        return Rectangles(nobody, nobody, nowhere, nowhere, np.zeros(len(part)))
    filled = part.filled
    most = weight.max(axis=(0, 1), initial=0.0)
    shown = weight > 0
    even = ((weight == most) | ~shown).all(axis=(0, 1))
    within, first = _around(part, shown, filled)
    if within.all():
        return Rectangles(even, nobody, first[0], first[1], most)
    beside, second = _around(part, filled & ~shown, filled)
    start, stop = np.where(within, first, second)
    return Rectangles(even & (within | beside), ~within, start, stop, most)


def _around(part: Contributions, cells: BoolArray, filled: BoolArray) -> tuple[BoolArray, IntArray]:
    """Whether cells ``(rows, columns, n)`` are all those of a rectangle, and its corners, ``(corner, axis, n)``."""
    rows, columns = np.asarray(cells.any(axis=1)), np.asarray(cells.any(axis=0))
    corners = [_lit(lit, edges) for lit, edges in zip((rows, columns), part.edges, strict=True)]
    whole = (cells == (rows[:, None] & columns & filled)).all(axis=(0, 1))
    inside = [
        (lit == ((cuts[:-1] >= first) & (cuts[1:] <= last) & (cuts[1:] > cuts[:-1]))).all(axis=0)
        for lit, cuts, (first, last) in zip((rows, columns), part.edges, corners, strict=True)
    ]
    return np.asarray(whole & inside[0] & inside[1]), np.stack(corners, axis=1)


def _seen_in_rectangles(
    plain: Rectangles, entry: IntArray, window: FloatArray, outside: FloatArray, is_base: BoolArray, rules: BoxRules
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """What is seen of boxes ``(corner, axis, N)`` in closed form; see :func:`_measured`."""
    start, stop = plain.start.take(entry, axis=1), plain.stop.take(entry, axis=1)
    both = np.stack([np.maximum(window[0], start), np.minimum(window[1], stop)])
    height, width = np.maximum(both[1] - both[0], 0.0)
    shared, own, left, weight = height * width, _box_area(window), both, plain.weight.take(entry)
    weight = _ratio(height * weight * width, shared)  # rounded as the mean over cells is
    if plain.hidden.any():
        hidden = plain.hidden.take(entry)
        shared = np.where(hidden, own - shared, shared)
        left = np.where(hidden, _around_hidden(window, start, stop), both)
        weight = np.where(hidden, plain.weight.take(entry), weight)
    visible = _ratio(shared, own + outside)
    if rules.weight != "mix":
        weight = weight * visible if rules.weight == "visibility" else np.ones(len(entry))
    if rules.occluded == "keep":
        left = np.where(is_base.take(entry), window, left)
    return visible, weight, left


def _around_hidden(window: FloatArray, start: IntArray, stop: IntArray) -> FloatArray:
    """The smallest boxes around what rectangles leave of boxes: smaller only where they hide a whole side."""
    after, before = start <= window[0], stop >= window[1]
    across = (after & before)[::-1]  # along the other axis all is hidden
    first = np.where(across & after, np.maximum(window[0], stop), window[0])
    return np.stack([first, np.where(across & before, np.minimum(window[1], start), window[1])])


def _placed_boxes(part: Contributions, entry: IntArray, came: FloatArray) -> FloatArray:
    """Where boxes ``(corner, axis, N)`` are in the result, alike."""
    moved, flip = part.moved.take(entry), None if part.flip is None else part.flip.take(entry, axis=-1)
    placed = _moved(came, part.crop.take(entry, axis=-1), part.frame.take(entry, axis=-1), flip)
    # A mirror takes the first corner to where the last one was.
    return np.where(moved, placed if flip is None else np.sort(placed, axis=0), came)


def _measured(
    part: Contributions, window: FloatArray, outside: FloatArray, rules: BoxRules
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """What is seen of boxes, from the areas that they share with the cells of the grid.

    Returns:
        The share of each that is seen, its weight, and what is left of it, alike ``window``.
    """
    down, across = [_overlaps(window[:, axis], edges) for axis, edges in enumerate(part.edges)]

    def integral(field: FloatArray) -> FloatArray:
        return np.asarray((_sum_rows(down, field) * across).sum(axis=0))

    even, visible, weight = visibility(part, integral, outside, rules)
    # Where weights vary, no border says where an object ends, and its box is left alone.
    shrinks = even & ~(part.is_base & (rules.occluded == "keep"))
    return visible, weight, np.where(shrinks, _tight_boxes(part, window, down, across), window)


def place_points(part: Contributions, points: FloatArray, *, pixels: bool = False) -> FloatArray:
    """Where points of sources are in the result.

    Args:
        part: What a sample shows of the source of all points; or one entry an object.
        points: ``(N, K, 2)``, along the first axis one object after the other.
        pixels: Whether whole numbers name a pixel, which a mirror takes to another one; else they are its border.

    Returns:
        Points of the same shape; ``points`` itself where nothing is moved.
    """
    if not part.moved.any():
        return points
    crop, frame = (ends.swapaxes(1, 2)[:, :, None] for ends in (part.crop, part.frame))
    flip = None if part.flip is None else part.flip.T[:, None]
    return np.where(part.moved[:, None, None], _moved(points, crop, frame, flip, pixels), points)


def _moved(
    points: FloatArray, crop: IntArray, frame: IntArray, flip: BoolArray | None, pixels: bool = False
) -> FloatArray:
    """Points that are moved from crops into frames, each of whose ends, and flips, have the axes of the points."""
    if flip is not None:
        mirrored = crop[0] + crop[1] - points - (pixels & (points == np.floor(points)))
        points = np.where(flip, mirrored, points)
    # Multiplied first: points on the border of the crop come to lie exactly on that of the frame.
    return np.asarray((points - crop[0]) * (frame[1] - frame[0]) / (crop[1] - crop[0]) + frame[0])


def visibility(
    part: Contributions, integral: Integral, outside: FloatArray, rules: BoxRules
) -> tuple[BoolArray, FloatArray, FloatArray]:
    """How much is seen of objects, from the areas that they share with the cells of the grid.

    Args:
        part: What the samples show of their sources; one entry an object, or one for all.
        integral: Sums over the area of every object inside the canvas.
        outside: Area of every object beyond that, which is hidden, ``(N,)`` in square pixels.
        rules: What the weight is to be.

    Returns:
        Whether what is seen of an object has one weight throughout, as under a paste or a blend; the share that is
        seen, or where weights are uneven their mean; and the weight of the object. ``(N,)`` each.
    """
    support = part.weight > 0
    shown, amount = integral(support.astype(np.float64)), integral(part.weight)
    area = shown + integral((~support).astype(np.float64)) + outside
    # Weights are even where their variance is none: means of squares need no pixels, as comparing weights would.
    mean, overall = _ratio(amount, shown), _ratio(amount, area)
    even = np.asarray(_ratio(integral(part.weight**2), shown) - mean**2 <= EVEN)
    weights = {"mix": np.where(even, mean, overall), "visibility": overall, "ones": np.ones(len(area))}
    return even, np.where(even, _ratio(shown, area), overall), weights[rules.weight]


def enough(visible: FloatArray, changed: BoolArray, sides: FloatArray, rules: BoxRules) -> BoolArray:
    """The objects of which enough is left for them to stay, ``(N,)`` bool.

    Args:
        visible: Share of them that is seen, ``(N,)``.
        changed: The boxes that mixing has changed, ``(N,)`` bool: small objects that it did not touch stay.
        sides: Their heights and widths in pixels, ``(2, N)``.
        rules: What must be left of an object.
    """
    # An object of which nothing is seen goes at any threshold, 0 included.
    seen = (visible > 0) & (visible >= rules.min_visibility - LIMIT_ROUNDING)
    area = sides[0] * sides[1]
    large = (np.minimum(*sides) >= rules.min_size - LIMIT_ROUNDING) & (area >= rules.min_area - LIMIT_ROUNDING)
    return np.asarray(seen & (large | ~changed))


def _ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    """``part / whole``, and 0 where there is no whole."""
    return np.asarray(np.divide(part, whole, out=np.zeros(len(whole)), where=whole > 0))


def _box_area(boxes: FloatArray) -> FloatArray:
    """Of boxes ``(corner, axis, N)``, ``(N,)`` in square pixels."""
    height, width = boxes[1] - boxes[0]
    return np.asarray(height * width)


def _overlaps(spans: FloatArray, edges: IntArray) -> FloatArray:
    """Length that every span ``(2, N)`` shares with every interval between edges ``(cuts, n)``: ``(cuts - 1, N)``."""
    start, stop = spans
    return np.asarray(np.maximum(np.minimum(stop, edges[1:]) - np.maximum(start, edges[:-1]), 0.0))


def _sum_rows(lengths: FloatArray, field: FloatArray) -> FloatArray:
    """Sums of ``field (rows, columns, n)`` over rows, each times its length ``(rows, N)``: ``(columns, N)``."""
    if field.shape[-1] == 1:  # one grid for all, perhaps of all pixels: a product of matrices
        return np.asarray(field[..., 0].T @ lengths)
    return np.asarray(np.einsum("rn,rcn->cn", lengths, field))


def _tight_boxes(part: Contributions, window: FloatArray, down: FloatArray, across: FloatArray) -> FloatArray:
    """The smallest boxes around what is shown of ``window``, alike."""
    support = (part.weight > 0).astype(np.float64)
    rows = (down > 0) & (_sum_rows(across, support.swapaxes(0, 1)) > 0)
    cols = (across > 0) & (_sum_rows(down, support) > 0)
    (top, bottom), (left, right) = [_lit(lit, edges) for lit, edges in zip((rows, cols), part.edges, strict=True)]
    # Cells are lit as a whole, and may reach beyond the box, which does not grow.
    return np.stack([np.maximum(window[0], [top, left]), np.minimum(window[1], [bottom, right])])


def _lit(lit: BoolArray, edges: IntArray) -> tuple[IntArray, IntArray]:
    """Where the first lit interval begins and the last one ends, ``(N,)`` each."""
    # Where nothing is lit, no box is kept; any limits do that leave the numbers finite.
    first = np.where(lit, edges[:-1], edges[-1]).min(axis=0, initial=np.iinfo(np.int64).max)
    return np.asarray(first), np.asarray(np.where(lit, edges[1:], edges[0]).max(axis=0, initial=0))
