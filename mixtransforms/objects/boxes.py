"""Boxes: what is left to see of the objects of one source in one sample of the result.

Boxes are ``x1, y1, x2, y2`` in pixels, float64, continuous: pixel ``j`` covers ``[j, j + 1)``. Axes of a plan are
``(y, x)``.
"""

# No `from __future__ import annotations`: signatures must show types, not strings.
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from mixtransforms.core import fields as checked
from mixtransforms.core.compositing import Contributions
from mixtransforms.core.layers import BoolArray, FloatArray, IntArray
from mixtransforms.objects.box_formats import FORMATS


def _format(value: Any) -> str | None:
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
        _format,
        "None or one of " + ", ".join(map(repr, FORMATS)),
        "How boxes are written that do not say so themselves.",
        {"enum": [None, *FORMATS]},
    )
    rotated: str = checked.choice(
        "keep",
        ("keep", "refit"),
        "Rotated box of an object that is pasted in part: kept as it was, or fitted to the part.",
    )
    strict: bool = checked.flag(
        False, "Refuse boxes without width, height or finite corners, instead of dropping and counting them."
    )

    def __post_init__(self) -> None:
        checked.check_fields(self)

    def __repr__(self) -> str:
        return checked.constructor(self)


class Seen(NamedTuple):
    """What is left of the objects of one source in one sample of the result.

    Attributes:
        keep: The objects that are kept, ``(N,)`` bool. What the other fields say of the others means nothing.
        boxes: Where they are now: ``(N, 4)``, or corners ``(N, 4, 2)``, float64.
        changed: The boxes that are not what came in, ``(N,)`` bool.
        visible: Share of the object that is seen, ``(N,)`` float64 within [0, 1].
        weight: Its weight in a loss, ``(N,)`` float64 within [0, 1].
    """

    keep: BoolArray
    boxes: FloatArray
    changed: BoolArray
    visible: FloatArray
    weight: FloatArray


class View(NamedTuple):
    """How much is seen of objects.

    Attributes:
        even: Whether what is seen has one weight throughout, as under a paste or a blend, ``(N,)`` bool.
        visible: Share of the object that is seen, ``(N,)`` float64. Where weights are uneven, it is their mean.
        weight: Weight of the object, ``(N,)`` float64.
    """

    even: BoolArray
    visible: FloatArray
    weight: FloatArray

    def keep(self, changed: BoolArray, sides: FloatArray, rules: BoxRules) -> BoolArray:
        """The objects that stay, ``(N,)`` bool.

        Args:
            changed: The boxes that mixing has changed, ``(N,)`` bool.
            sides: Their widths and heights in pixels, ``(2, N)``.
            rules: What must be left of an object.
        """
        seen = (self.visible > 0) & (self.visible >= rules.min_visibility - ROUNDING)
        width, height = sides
        large = (np.minimum(width, height) >= rules.min_size - ROUNDING) & (width * height >= rules.min_area - ROUNDING)
        return np.asarray(seen & (large | ~changed))


Integral = Callable[[FloatArray], FloatArray]
"""Sums a value of every cell of the grids, ``(rows, columns, n)``, over the area of every object, ``(N,)``."""

ROUNDING = 1e-6
"""How little may be missing to a limit: angles and float32 corners are not exact."""

EVEN = 1e-12
"""Variance of weights under which they are one weight; rounding alone makes some 1e-16."""


def seen(part: Contributions, boxes: FloatArray, rules: BoxRules, own: bool | BoolArray) -> Seen:
    """What is left of boxes in samples of the result.

    A box is measured where it is on the canvas; one that reaches beyond and of which nothing is hidden comes back as
    it was. A box that is moved is measured as a whole, and what lies outside its frame is hidden.

    Args:
        part: What a sample shows of the source of all boxes; or one entry a box.
        boxes: ``(N, 4)`` float64; none may be degenerate.
        rules: What must be left of an object, and what becomes of its box.
        own: Whether the source is the sample itself, unmoved; or ``(N,)``. ``occluded="keep"`` holds for its boxes
            alone: those of a partner are always cut to what is shown.

    Returns:
        One entry a box, in the order of ``boxes``.
    """
    came = np.ascontiguousarray(boxes.T)
    placed = place(part, boxes.reshape(-1, 2, 2)).reshape(-1, 4).T if part.moved.any() else came
    start, stop = (corner[[1, 0, 1, 0]] for corner in part.frame)
    window = np.minimum(np.maximum(placed, start), stop)
    down, across = (_overlaps(window[axis::2], edges) for axis, edges in zip((1, 0), part.edges, strict=True))
    outside = np.where(part.moved, _area(placed) - _area(window), 0.0)
    view = look(part, lambda field: (_sums(down, field) * across).sum(axis=0), outside, rules)
    shrinks = view.even & ~(np.asarray(own) & (rules.occluded == "keep"))
    left = np.where(shrinks, _tight(part, window, down, across), window)
    changed = (left != window).any(axis=0) | part.moved
    result = np.ascontiguousarray(np.where(changed, left, came).T)
    return Seen(view.keep(changed, left[2:] - left[:2], rules), result, changed, view.visible, view.weight)


def place(part: Contributions, points: FloatArray) -> FloatArray:
    """Where points of sources are in the result.

    Args:
        part: What a sample shows of the source of all points; or one entry an object.
        points: ``(N, ..., 2)`` as ``(x, y)``, along the first axis one object after the other.

    Returns:
        Points of the same shape; ``points`` itself where nothing is moved.
    """
    if not part.moved.any():
        return points
    axes = (-1, *(1,) * (points.ndim - 2))
    (crop, crop_stop), (frame, frame_stop) = (
        (start[::-1].T.reshape(*axes, 2), stop[::-1].T.reshape(*axes, 2)) for start, stop in (part.crop, part.frame)
    )
    # Multiplied first: points on the border of the crop come to lie exactly on that of the frame.
    placed = (points - crop) * (frame_stop - frame) / (crop_stop - crop) + frame
    return np.where(part.moved.reshape(*axes, 1), placed, points)


def look(part: Contributions, integral: Integral, outside: FloatArray, rules: BoxRules) -> View:
    """How much is seen of objects, from the areas that they share with the cells of the grid.

    Args:
        part: What the samples show of their sources; one entry an object, or one for all.
        integral: Sums over the area of every object inside the canvas.
        outside: Area of every object beyond that, which is hidden, ``(N,)`` in square pixels.
        rules: What the weight is to be.
    """
    support = part.weight > 0
    shown, amount = integral(support.astype(np.float64)), integral(part.weight)
    area = shown + integral((~support).astype(np.float64)) + outside
    mean = _ratio(amount, shown)
    even = _ratio(integral(part.weight**2), shown) - mean**2 <= EVEN
    overall = _ratio(amount, area)
    weights = {"mix": np.where(even, mean, overall), "visibility": overall, "ones": np.ones(len(area))}
    return View(np.asarray(even), np.where(even, _ratio(shown, area), overall), weights[rules.weight])


def _ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    """``part / whole``, and 0 where there is no whole."""
    return np.asarray(np.divide(part, whole, out=np.zeros(len(whole)), where=whole > 0))


def _area(boxes: FloatArray) -> FloatArray:
    x1, y1, x2, y2 = boxes
    return np.asarray((x2 - x1) * (y2 - y1))


def _overlaps(spans: FloatArray, edges: IntArray) -> FloatArray:
    """Length that every span ``(2, N)`` shares with every interval between edges ``(cuts, n)``: ``(cuts - 1, N)``."""
    start, stop = spans
    return np.asarray(np.maximum(np.minimum(stop, edges[1:]) - np.maximum(start, edges[:-1]), 0.0))


def _sums(lengths: FloatArray, field: FloatArray) -> FloatArray:
    """Sums of ``field (rows, columns, n)`` over rows, each times its length ``(rows, N)``: ``(columns, N)``."""
    if field.shape[-1] == 1:  # one grid for all, perhaps of all pixels: a product of matrices
        return np.asarray(field[..., 0].T @ lengths)
    return np.asarray(np.einsum("rn,rcn->cn", lengths, field))


def _tight(part: Contributions, window: FloatArray, down: FloatArray, across: FloatArray) -> FloatArray:
    """The smallest boxes around what is shown of ``window``, ``(4, N)``."""
    support = (part.weight > 0).astype(np.float64)
    rows = (down > 0) & (_sums(across, support.swapaxes(0, 1)) > 0)
    cols = (across > 0) & (_sums(down, support) > 0)
    left, top = (_first(lit, edges) for lit, edges in ((cols, part.edges[1]), (rows, part.edges[0])))
    right, bottom = (_last(lit, edges) for lit, edges in ((cols, part.edges[1]), (rows, part.edges[0])))
    return np.concatenate([np.maximum(window[:2], [left, top]), np.minimum(window[2:], [right, bottom])])


def _first(lit: BoolArray, edges: IntArray) -> IntArray:
    """Where the first lit interval begins, ``(N,)``."""
    return np.asarray(np.where(lit, edges[:-1], edges[-1]).min(axis=0, initial=np.iinfo(np.int64).max))


def _last(lit: BoolArray, edges: IntArray) -> IntArray:
    """Where the last lit interval ends, ``(N,)``."""
    return np.asarray(np.where(lit, edges[1:], edges[0]).max(axis=0, initial=0))
