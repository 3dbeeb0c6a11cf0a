"""Small drawings inside of HTML: bars of shares, what was painted where, and schedules over the epochs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core.layers import FloatArray, IntArray
from mixtransforms.methods.schedules import Schedule, Then
from mixtransforms.show.html.markup import Markup, concatenated, tag, tags
from mixtransforms.show.methods.sampling import SampledSchedule, sampled
from mixtransforms.show.style import SOURCE_ACCENTS

ITSELF = "currentColor"
"""The colour of the sample itself, which is then drawn with the opacity :data:`FAINT`."""

FAINT = 0.45
"""Black on white and white on #111 have a contrast of 3 with it, as the accents have."""

_THIN = {"vector-effect": "non-scaling-stroke", "stroke-width": "1"}
_FRAME = {"fill": "currentColor", "fill-opacity": "0.07", "stroke": "currentColor", "stroke-opacity": "0.6", **_THIN}

_THUMBNAIL_SIDE, _THINNEST_SIDE = 56, 10
"""The longer side of a thumbnail in CSS pixels, four lines of the table beside it, and the least that is seen."""

_MASK_CELLS = 10
"""Most cells of a mask's coarse picture, along each axis: a cell is 6 pixels of the thumbnail, and a table of 16 rows
of 4 masks has about 100 kB."""

_MASK_SAMPLES = 256
"""Places along each axis at which a mask is read for that: 25 of them a cell, whatever the size of the image."""


class LayerArea(NamedTuple):
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


def svg_number(value: float) -> str:
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
        "width": svg_number(width),
        "height": svg_number(height),
        "viewBox": f"0 0 {svg_number(box[0])} {svg_number(box[1])}",
        "preserveAspectRatio": "none" if stretched else None,
    }
    return tag("svg", attributes, *inside)


def bar(parts: Iterable[tuple[str, float]], label: str) -> Markup:
    """A bar of shares: colours, and numbers that sum to 1."""
    left, inside = 0.0, []
    for color, share in parts:
        look = {"fill": color, "fill-opacity": FAINT if color == ITSELF else None}
        inside.append(_rect(svg_number(left), 0, svg_number(share), 1, look))
        left += share
    return svg(label, 120, 10, (1, 1), *inside, stretched=True)


def _rect(x: object, y: object, width: object, height: object, look: Mapping[str, object]) -> Markup:
    return tag("rect", {"x": x, "y": y, "width": width, "height": height}, look)


# ------------------------------------------------------------------------------------------------ what was painted


def thumbnail(shape: tuple[int, ...], areas: Sequence[LayerArea], label: str) -> Markup:
    """What is painted where in one sample: its last two axes as a picture, each of those before as a strip."""
    planes = [tuple(range(len(shape)))[-2:], *((axis,) for axis in range(len(shape) - 2))]
    labels = [label, *(f"{label}, along axis {axis}" for axis in range(len(shape) - 2))]
    drawn = [_plane(shape, axes, areas, told) for axes, told in zip(planes, labels, strict=True)]
    return concatenated(*tags("div", drawn))


def _plane(shape: tuple[int, ...], axes: tuple[int, ...], areas: Sequence[LayerArea], label: str) -> Markup:
    """Some axes of a sample, and what is painted there."""
    height, width = (1, 1, *(shape[axis] for axis in axes))[-2:]
    inside = [_rect(0, 0, width, height, _FRAME)]
    inside += [_box_rect(area, axes) if area.mask is None else _coarse_mask(area, area.mask, axes) for area in areas]
    scale = _THUMBNAIL_SIDE / max(height, width, 1)
    wide, tall = (max(scale * side, _THINNEST_SIDE) for side in (width, height))
    return svg(label, wide, tall, (max(width, 1), max(height, 1)), *inside, stretched=True)


# Also an opacity of 0 leaves a tint, since the layer is there; and one of 1 lets the layers below shine through.
def _fill(area: LayerArea) -> dict[str, object]:
    return {"fill": area.color, "fill-opacity": svg_number(0.15 + 0.75 * area.opacity), "stroke": area.color, **_THIN}


def _box_rect(area: LayerArea, axes: tuple[int, ...]) -> Markup:
    """The box of a layer, exactly; nothing where it is empty."""
    if area.start is None or area.stop is None:
        return _rect(0, 0, "100%", "100%", _fill(area))
    if (area.stop <= area.start).any():
        return Markup()
    y, x = (0, 0, *(int(area.start[axis]) for axis in axes))[-2:]
    height, width = (1, 1, *(int(area.stop[axis] - area.start[axis]) for axis in axes))[-2:]
    return _rect(x, y, width, height, _fill(area))


def _coarse_mask(area: LayerArea, mask: NDArray[Any], axes: tuple[int, ...]) -> Markup:
    """A mask in a few cells: a path for each of the levels a quarter, a half and more."""
    others = tuple(axis for axis in range(mask.ndim) if axis not in axes)
    step = tuple(slice(None, None, max(1, length // _MASK_SAMPLES)) for length in mask.shape)
    grid = np.atleast_2d(mask[step].mean(axis=others, dtype=np.float64))
    sides = (1, 1, *(mask.shape[axis] for axis in axes))[-2:]
    cells = [np.linspace(0, length, min(length, _MASK_CELLS) + 1).round().astype(np.int64) for length in grid.shape]
    for axis, cuts in enumerate(cells):
        grid = np.add.reduceat(grid, cuts[:-1], axis=axis) / np.diff(cuts).reshape((-1, 1) if axis == 0 else (1, -1))
    rows, columns = (cuts * side / max(cuts[-1], 1) for cuts, side in zip(cells, sides, strict=True))
    levels = np.ceil(grid * 4 - 1e-9).astype(int)  # a mean that is a quarter but for rounding is not two
    paths = []
    for level in range(1, 5):
        outline = "".join(_runs(levels == level, rows, columns))
        if outline:
            opacity = svg_number((0.15 + 0.75 * area.opacity) * level / 4)
            paths.append(tag("path", {"d": outline, "fill": area.color, "fill-opacity": opacity}))
    return concatenated(*paths)


def _runs(found: NDArray[np.bool_], rows: FloatArray, columns: FloatArray) -> Iterable[str]:
    """Rectangles over neighbours in a row."""
    for index, line in enumerate(found):
        edges = np.flatnonzero(np.diff(np.concatenate([[False], line, [False]]).astype(np.int8)))
        for first, last in edges.reshape(-1, 2).tolist():
            width, height = columns[last] - columns[first], rows[index + 1] - rows[index]
            yield "M{} {}h{}v{}h{}z".format(*map(svg_number, (columns[first], rows[index], width, height, -width)))


# ------------------------------------------------------------------------------------------------ schedules

# matplotlib draws the same figure, see show.schedule; but a repr must not need it, nor wait until it is loaded.

_SPARKLINE_POINTS, _CHART_POINTS = 24, 120
"""Most steps of either: one in three pixels, which still shows every lowest and highest value."""


def sparkline(schedule: Schedule) -> Markup:
    """A schedule as small as a word.

    Raises:
        ValueError: It is a class of the user's own that does not give finite numbers.
    """
    found = sampled(schedule, most=_SPARKLINE_POINTS)
    low, high = _axis_range(found)
    label = f"from {found.values[0]:g} to {found.values[-1]:g} over {found.total} epochs"
    return svg(label, 72, 16, (72, 16), _stairs(found, low, high, (1, 1, 70, 14)))


def schedule_chart(schedule: Schedule, label: str) -> Markup:
    """A schedule over the epochs, with numbers on both axes, and where one schedule follows another.

    Args:
        schedule: What is drawn.
        label: What it is.

    Raises:
        ValueError: It is a class of the user's own that does not give finite numbers.
    """
    found = sampled(schedule, most=_CHART_POINTS)
    low, high = _axis_range(found)
    left, top, width, height = place = (46.0, 8.0, 330.0, 96.0)
    inside = []
    for value in round_ticks(low, high):
        y = top + height * (high - value) / (high - low)
        inside.append(_svg_line(left, y, left + width, y, 0.18))
        inside.append(_svg_text(left - 6, y + 4, f"{value:g}", "end"))
    for epoch in round_ticks(0, found.total - 1, whole=True):
        x = left + width * (epoch + 0.5) / found.total
        inside.append(_svg_line(x, top + height, x, top + height + 4, 0.6))
        inside.append(_svg_text(x, top + height + 17, f"{epoch:g}", "middle"))
    inside.append(_svg_text(left + width, top + height + 32, "epoch", "end"))
    for joint in schedule.at if isinstance(schedule, Then) else ():
        x = left + width * joint / found.total
        inside.append(_svg_line(x, top, x, top + height, 0.6, "3 3"))
    inside.append(_svg_line(left, top + height, left + width, top + height, 0.6))
    inside.append(_stairs(found, low, high, place))
    return svg(label, 390, 140, (390, 140), *inside)


def _axis_range(found: SampledSchedule) -> tuple[float, float]:
    """The lowest and the highest value of the axis, 0 among them."""
    if not np.isfinite(found.values).all():
        raise ValueError(found.values)
    low, high = min(0.0, float(found.values.min())), max(0.0, float(found.values.max()))
    return (low, high) if low < high else (0.0, 1.0)


def round_ticks(low: float, high: float, *, whole: bool = False, most: int = 6) -> list[float]:
    """Round numbers between two others, at most ``most`` of them."""
    for power in range(math.floor(math.log10(max(high - low, 1e-12))) - 1, 20):
        for step in (1, 2, 5):
            size = step * 10.0**power
            first, last = math.ceil(low / size - 1e-9), math.floor(high / size + 1e-9)
            if last - first < most and (size >= 1 or not whole):
                return [round(index * size, 12) for index in range(first, last + 1)]
    return [low, high]


def _stairs(found: SampledSchedule, low: float, high: float, area: tuple[float, float, float, float]) -> Markup:
    """A step for every epoch."""
    left, top, width, height = area
    x = left + width * np.append(found.epochs, found.total) / found.total
    y = top + height * (high - found.values) / (high - low)
    path = [f"M{x[0]:.2f} {y[0]:.2f}", *(f"V{up:.2f}H{on:.2f}" for up, on in zip(y, x[1:], strict=True))]
    return tag("path", {"d": "".join(path), "fill": "none", "stroke": SOURCE_ACCENTS[0], "stroke-width": "2"})


def _svg_line(x: float, y: float, to_x: float, to_y: float, opacity: float, dashes: str | None = None) -> Markup:
    place = {"x1": svg_number(x), "y1": svg_number(y), "x2": svg_number(to_x), "y2": svg_number(to_y)}
    look = {"stroke": "currentColor", "stroke-opacity": opacity, "stroke-dasharray": dashes}
    return tag("line", {**place, **look})


def _svg_text(x: float, y: float, words: str, anchor: str) -> Markup:
    place = {"x": svg_number(x), "y": svg_number(y), "text-anchor": anchor}
    return tag("text", {**place, "font-size": "11", "fill": "currentColor"}, words)
