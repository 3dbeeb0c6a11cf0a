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
from mixtransforms.core.layers import BoolArray, FloatArray, IntArray
from mixtransforms.core.shares import Contribution
from mixtransforms.targets.formats import FORMATS


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
            sides: Their widths and heights in pixels, ``(N, 2)``.
            rules: What must be left of an object.
        """
        seen = (self.visible > 0) & (self.visible >= rules.min_visibility - ROUNDING)
        large = (sides >= rules.min_size - ROUNDING).all(axis=1) & (sides.prod(axis=1) >= rules.min_area - ROUNDING)
        return np.asarray(seen & (large | ~changed))


Integral = Callable[[FloatArray], FloatArray]
"""Sums a value of every cell of a plan's grid over the area of every object, ``(N,)``."""

ROUNDING = 1e-6
"""How little may be missing to a limit: angles and float32 corners are not exact."""

EVEN = 1e-12
"""Variance of weights under which they are one weight; rounding alone makes some 1e-16."""


def seen(part: Contribution, boxes: FloatArray, rules: BoxRules, own: bool) -> Seen:
    """What is left of the boxes of one source in one sample of the result.

    A box is measured where it is on the canvas; one that reaches beyond and of which nothing is hidden comes back as
    it was. A box that is moved is measured as a whole, and what lies outside its frame is hidden.

    Args:
        part: What the sample shows of the source.
        boxes: ``(N, 4)`` float64; none may be degenerate.
        rules: What must be left of an object, and what becomes of its box.
        own: Whether the source is the sample itself, unmoved. ``occluded="keep"`` holds for its boxes alone: those of
            a partner are always cut to what is shown.

    Returns:
        One entry a box, in the order of ``boxes``.
    """
    placed = place(part, boxes.reshape(-1, 2, 2)).reshape(-1, 4)
    window = _window(part, placed)
    down, across = (_overlaps(window[:, axis::2], edges) for axis, edges in zip((1, 0), part.edges, strict=True))
    outside = _area(placed) - _area(window) if part.moved else np.zeros(len(boxes))
    view = look(part, lambda field: ((down @ field) * across).sum(axis=1), outside, rules)
    shrinks = view.even & ~(own and rules.occluded == "keep")
    left = np.where(shrinks[:, None], _tight(part, window, down, across), window)
    changed = (left != window).any(axis=1) | part.moved
    result = np.where(changed[:, None], left, boxes)
    return Seen(view.keep(changed, left[:, 2:] - left[:, :2], rules), result, changed, view.visible, view.weight)


def place(part: Contribution, points: FloatArray) -> FloatArray:
    """Where points of the source are in the result.

    Args:
        part: What the sample shows of the source.
        points: ``(..., 2)`` as ``(x, y)``.

    Returns:
        Points of the same shape; ``points`` itself where nothing is moved.
    """
    if not part.moved:
        return points
    (crop, crop_stop), (frame, frame_stop) = ((start[::-1], stop[::-1]) for start, stop in (part.crop, part.frame))
    # Multiplied first: points on the border of the crop come to lie exactly on that of the frame.
    return np.asarray((points - crop) * (frame_stop - frame) / (crop_stop - crop) + frame)


def look(part: Contribution, integral: Integral, outside: FloatArray, rules: BoxRules) -> View:
    """How much is seen of objects, from the areas that they share with the cells of the grid.

    Args:
        part: What the sample shows of their source.
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


def _window(part: Contribution, placed: FloatArray) -> FloatArray:
    """The part of boxes inside the frame where they are moved, and else on the canvas."""
    canvas = (np.zeros(2, np.int64), np.array([cuts[-1] for cuts in part.edges]))
    start, stop = (np.tile(corner[::-1], 2) for corner in (part.frame if part.moved else canvas))
    return np.clip(placed, start, stop)


def _area(boxes: FloatArray) -> FloatArray:
    return np.asarray((boxes[:, 2:] - boxes[:, :2]).prod(axis=1))


def _overlaps(spans: FloatArray, edges: IntArray) -> FloatArray:
    """Length that every span ``(N, 2)`` shares with every interval between edges, ``(N, n)``."""
    start, stop = spans[:, :1], spans[:, 1:]
    return np.asarray(np.maximum(np.minimum(stop, edges[1:]) - np.maximum(start, edges[:-1]), 0.0))


def _tight(part: Contribution, window: FloatArray, down: FloatArray, across: FloatArray) -> FloatArray:
    """The smallest boxes around what is shown of ``window``, ``(N, 4)``."""
    support = (part.weight > 0).astype(np.float64)
    rows = (down > 0) & (across @ support.T > 0)
    cols = (across > 0) & (down @ support > 0)
    reach = [_reach(lit, edges) for lit, edges in ((cols, part.edges[1]), (rows, part.edges[0]))]
    start, stop = (np.stack(limits, axis=1) for limits in zip(*reach, strict=True))
    return np.concatenate([np.maximum(window[:, :2], start), np.minimum(window[:, 2:], stop)], axis=1)


def _reach(lit: BoolArray, edges: IntArray) -> tuple[IntArray, IntArray]:
    """From where to where intervals are lit, ``(N,)`` each."""
    return edges[lit.argmax(axis=1)], edges[lit.shape[1] - lit[:, ::-1].argmax(axis=1)]
