"""Small drawings inside of HTML: bars of shares, what was painted where, and schedules over the epochs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core.layers import FloatArray, IntArray
from mixtransforms.methods.schedules import LAST_EPOCH, Schedule, Then
from mixtransforms.show.html.markup import NO_ATTRIBUTES, Markup, joined, tag
from mixtransforms.show.methods.schedules import shown_epochs

ACCENTS = ("#3B82C4", "#D55E00", "#009E73", "#B86A94", "#9A7800")
"""One for every source: told apart by colour-blind readers, with a contrast of 3 and more on white and on #111."""

ITSELF = "currentColor"
"""The colour of the sample itself, which is then drawn with the opacity :data:`FAINT`."""

FAINT = 0.45

_THIN = {"vector-effect": "non-scaling-stroke", "stroke-width": "1"}
_FRAME = {"fill": "currentColor", "fill-opacity": "0.07", "stroke": "currentColor", "stroke-opacity": "0.6", **_THIN}

_SIDE = 56
_THINNEST = 10
_CELLS = 10
"""Most cells of a mask's coarse picture, along each axis."""


class Coat(NamedTuple):
    """What one layer paints on one sample.

    Attributes:
        color: Of its source.
        opacity: How much of it shows, within [0, 1].
        start: First cell inside, ``(d,)``; ``None`` where a mask says it.
        stop: First cell outside, ``(d,)``.
        mask: Where it paints, ``(*shape)`` within [0, 1], or ``None``.
    """

    color: str
    opacity: float
    start: IntArray | None = None
    stop: IntArray | None = None
    mask: NDArray[Any] | None = None


def number(value: float) -> str:
    """A number with as many digits as a drawing needs."""
    return f"{value:.6g}"


def svg(label: str, width: float, height: float, box: Sequence[float], *inside: str, stretched: bool = False) -> Markup:
    """A drawing with its description.

    Args:
        label: What is to be seen, in words.
        width: In CSS pixels.
        height: In CSS pixels.
        box: Width and height in the drawing's own units.
        *inside: Its elements.
        stretched: Whether the units may differ along both axes.
    """
    attributes = {
        "role": "img",
        "aria-label": label,
        "width": number(width),
        "height": number(height),
        "viewBox": f"0 0 {number(box[0])} {number(box[1])}",
        "preserveAspectRatio": "none" if stretched else None,
    }
    return tag("svg", attributes, *inside)


def bar(parts: Iterable[tuple[str, float]], label: str) -> Markup:
    """A bar of shares: colours, and numbers that sum to 1."""
    left, inside = 0.0, []
    for color, share in parts:
        place = {"x": number(left), "y": "0", "width": number(share), "height": "1", "fill": color}
        inside.append(tag("rect", {**place, "fill-opacity": FAINT if color == ITSELF else None}))
        left += share
    return svg(label, 120, 10, (1, 1), *inside, stretched=True)


# ------------------------------------------------------------------------------------------------ what was painted


def thumbnail(shape: tuple[int, ...], coats: Sequence[Coat], label: str) -> Markup:
    """What is painted where in one sample: its last two axes as a picture, each of those before as a strip."""
    planes = [tuple(range(len(shape)))[-2:], *((axis,) for axis in range(len(shape) - 2))]
    labels = [label, *(f"{label}, along axis {axis}" for axis in range(len(shape) - 2))]
    drawn = [_plane(shape, axes, coats, told) for axes, told in zip(planes, labels, strict=True)]
    return joined(tag("div", NO_ATTRIBUTES, each) for each in drawn)


def _plane(shape: tuple[int, ...], axes: tuple[int, ...], coats: Sequence[Coat], label: str) -> Markup:
    """Some axes of a sample, and what is painted there."""
    height, width = (1, 1, *(shape[axis] for axis in axes))[-2:]
    inside = [tag("rect", {"x": "0", "y": "0", "width": width, "height": height, **_FRAME})]
    inside += [_area(coat, axes) if coat.mask is None else _coarse(coat, coat.mask, axes) for coat in coats]
    scale = _SIDE / max(height, width, 1)
    wide, tall = (max(scale * side, _THINNEST) for side in (width, height))
    return svg(label, wide, tall, (max(width, 1), max(height, 1)), *inside, stretched=True)


def _paint(coat: Coat) -> dict[str, object]:
    return {"fill": coat.color, "fill-opacity": number(0.15 + 0.75 * coat.opacity), "stroke": coat.color, **_THIN}


def _area(coat: Coat, axes: tuple[int, ...]) -> Markup:
    """The box of a coat, exactly; nothing where it is empty."""
    if coat.start is None or coat.stop is None:
        place = {"x": "0", "y": "0", "width": "100%", "height": "100%"}
    elif (coat.stop <= coat.start).any():
        return Markup()
    else:
        y, x = (0, 0, *(int(coat.start[axis]) for axis in axes))[-2:]
        height, width = (1, 1, *(int(coat.stop[axis] - coat.start[axis]) for axis in axes))[-2:]
        place = {"x": str(x), "y": str(y), "width": str(width), "height": str(height)}
    return tag("rect", {**place, **_paint(coat)})


def _coarse(coat: Coat, mask: NDArray[Any], axes: tuple[int, ...]) -> Markup:
    """A mask in a few cells: a path for each of the levels a quarter, a half and more."""
    others = tuple(axis for axis in range(mask.ndim) if axis not in axes)
    step = tuple(slice(None, None, max(1, length // 256)) for length in mask.shape)
    grid = np.atleast_2d(mask[step].mean(axis=others, dtype=np.float64))
    sides = (1, 1, *(mask.shape[axis] for axis in axes))[-2:]
    cells = [np.linspace(0, length, min(length, _CELLS) + 1).round().astype(np.int64) for length in grid.shape]
    for axis, cuts in enumerate(cells):
        grid = np.add.reduceat(grid, cuts[:-1], axis=axis) / np.diff(cuts).reshape((-1, 1) if axis == 0 else (1, -1))
    rows, columns = (cuts * side / max(cuts[-1], 1) for cuts, side in zip(cells, sides, strict=True))
    levels = np.ceil(grid * 4 - 1e-9).astype(int)
    paths = []
    for level in range(1, 5):
        outline = "".join(_runs(levels == level, rows, columns))
        if outline:
            opacity = number((0.15 + 0.75 * coat.opacity) * level / 4)
            paths.append(tag("path", {"d": outline, "fill": coat.color, "fill-opacity": opacity}))
    return joined(paths)


def _runs(found: NDArray[np.bool_], rows: FloatArray, columns: FloatArray) -> Iterable[str]:
    """Rectangles over neighbours in a row."""
    for index, line in enumerate(found):
        edges = np.flatnonzero(np.diff(np.concatenate([[False], line, [False]]).astype(np.int8)))
        for first, last in edges.reshape(-1, 2).tolist():
            width, height = columns[last] - columns[first], rows[index + 1] - rows[index]
            yield f"M{number(columns[first])} {number(rows[index])}h{number(width)}v{number(height)}h{number(-width)}z"


# ------------------------------------------------------------------------------------------------ schedules


class Course(NamedTuple):
    """The values of a schedule that are drawn.

    Attributes:
        epochs: ``(n,)``, ascending; all of them, or as many as a drawing can show.
        values: ``(n,)``.
        total: How many epochs there are.
    """

    epochs: IntArray
    values: FloatArray
    total: int


def course(schedule: Schedule, most: int) -> Course:
    """The values of a schedule, from the first epoch to a little after its last change.

    Args:
        schedule: Any.
        most: How many are drawn; of more, the lowest and the highest ones of neighbours.

    Raises:
        ValueError: It is a class of the user's own that does not give finite numbers.
    """
    last = schedule.last
    if not 0 <= last <= LAST_EPOCH:
        raise ValueError(last)
    count = shown_epochs(last)
    epochs = np.arange(count)
    values = np.asarray(schedule.over(epochs), np.float64)
    if values.shape != epochs.shape or not np.isfinite(values).all():
        raise ValueError(values)
    if count > most:
        groups = np.array_split(epochs, most // 2)
        ends = [{int(group[values[group].argmin()]), int(group[values[group].argmax()])} for group in groups]
        epochs = np.array(sorted({0, count - 1}.union(*ends)))
    return Course(epochs, values[epochs], count)


def sparkline(found: Course) -> Markup:
    """A schedule as small as a word."""
    low, high = _range(found)
    label = f"from {found.values[0]:g} to {found.values[-1]:g} over {found.total} epochs"
    return svg(label, 72, 16, (72, 16), _stairs(found, low, high, (1, 1, 70, 14)))


def curve(found: Course, label: str, joints: Sequence[int] = ()) -> Markup:
    """A schedule over the epochs, with numbers on both axes.

    Args:
        found: What is drawn.
        label: What it is.
        joints: Epochs at which one schedule follows another.
    """
    low, high = _range(found)
    left, top, width, height = area = (46.0, 8.0, 330.0, 96.0)
    inside = []
    for value in ticks(low, high):
        y = top + height * (high - value) / (high - low)
        inside.append(_line(left, y, left + width, y, 0.18))
        inside.append(_text(left - 6, y + 4, f"{value:g}", "end"))
    for epoch in ticks(0, found.total - 1, whole=True):
        x = left + width * (epoch + 0.5) / found.total
        inside.append(_line(x, top + height, x, top + height + 4, 0.6))
        inside.append(_text(x, top + height + 17, f"{epoch:g}", "middle"))
    inside.append(_text(left + width, top + height + 32, "epoch", "end"))
    for joint in joints:
        x = left + width * joint / found.total
        inside.append(_line(x, top, x, top + height, 0.6, "3 3"))
    inside.append(_line(left, top + height, left + width, top + height, 0.6))
    inside.append(_stairs(found, low, high, area))
    return svg(label, 390, 140, (390, 140), *inside)


def joints(schedule: Schedule) -> tuple[int, ...]:
    """Epochs at which one schedule follows another."""
    return tuple(schedule.at) if isinstance(schedule, Then) else ()


def _range(found: Course) -> tuple[float, float]:
    """The lowest and the highest value of the axis, 0 among them."""
    low, high = min(0.0, float(found.values.min())), max(0.0, float(found.values.max()))
    return (low, high) if low < high else (0.0, 1.0)


def ticks(low: float, high: float, *, whole: bool = False, most: int = 6) -> list[float]:
    """Round numbers between two others, at most ``most`` of them."""
    for power in range(math.floor(math.log10(max(high - low, 1e-12))) - 1, 20):
        for step in (1, 2, 5):
            size = step * 10.0**power
            first, last = math.ceil(low / size - 1e-9), math.floor(high / size + 1e-9)
            if last - first < most and (size >= 1 or not whole):
                return [round(index * size, 12) for index in range(first, last + 1)]
    return [low, high]


def _stairs(found: Course, low: float, high: float, area: tuple[float, float, float, float]) -> Markup:
    """A step for every epoch."""
    left, top, width, height = area
    x = left + width * np.append(found.epochs, found.total) / found.total
    y = top + height * (high - found.values) / (high - low)
    path = [f"M{x[0]:.2f} {y[0]:.2f}", *(f"V{up:.2f}H{on:.2f}" for up, on in zip(y, x[1:], strict=True))]
    return tag("path", {"d": "".join(path), "fill": "none", "stroke": ACCENTS[0], "stroke-width": "2"})


def _line(x: float, y: float, to_x: float, to_y: float, opacity: float, dashes: str | None = None) -> Markup:
    place = {"x1": number(x), "y1": number(y), "x2": number(to_x), "y2": number(to_y)}
    look = {"stroke": "currentColor", "stroke-opacity": opacity, "stroke-dasharray": dashes}
    return tag("line", {**place, **look})


def _text(x: float, y: float, words: str, anchor: str) -> Markup:
    place = {"x": number(x), "y": number(y), "text-anchor": anchor}
    return tag("text", {**place, "font-size": "11", "fill": "currentColor"}, words)
