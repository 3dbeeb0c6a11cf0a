"""Draws what a method does to samples on average, as histograms and maps, and what schedules say, as curves."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter, MaxNLocator

from mixtransforms.core.layers import FloatArray
from mixtransforms.methods import MixUp
from mixtransforms.methods.base import Method
from mixtransforms.methods.schedules import Schedule, now
from mixtransforms.plan import BatchSpec
from mixtransforms.show import style, words
from mixtransforms.show.methods.made_up import CLASSES
from mixtransforms.show.methods.sampling import sampled
from mixtransforms.show.methods.statistics import CoverageMap, WeightStats, beta_shares
from mixtransforms.show.picture import Picture, finished
from mixtransforms.show.style import MARGIN, NORMAL, SMALL, SOURCE_COLORS
from mixtransforms.show.words import percent

_OWN, _LABEL, _PASTED = SOURCE_COLORS[:3]
_BINS = np.linspace(0.0, 1.0, 21)
"""5 % a bin: fine enough for the two humps of Beta(0.2, 0.2), and coarse enough to be smooth with 30,000 samples."""

_PERCENT = FuncFormatter(lambda value, _: f"{100 * value:g}%")
_TICK_STEPS = [1, 2, 5, 10]

# All lengths are inches.
_ONE_CHART, _TWO_CHARTS, _CHART_HEIGHT = 6.4, 9.0, 2.6
"""Widths of figures of histograms and curves, and the height without text."""
_MAP_SIDE, _THINNEST_MAP = 3.8, 0.3
"""The longer side of a map, and the least part of it that the shorter one has: a very long one gets a band."""
_SMALL_MAP, _SMALL_MAPS = 1.6, 4
"""The longer side of one map of several, and how many stand in a row."""
_PROFILE_SIZE, _MAP_GAP, _SCALE_WIDTH = 0.7, 0.1, 0.14
_LEFT, _RIGHT, _BESIDE_SCALE, _BELOW_AXIS, _ABOVE, _ABOVE_TITLED = 0.75, 0.25, 0.8, 0.5, 0.1, 0.27
"""Around axes, for numbers and names."""
_ROOM_ABOVE = 1.05
"""Where curves end, by their highest value."""

_MOST_DOTS = 60
"""Epochs up to which every one has a dot: more would run into each other."""


def draw_weights(
    stats: WeightStats, method: Method, spec: BatchSpec, title: str, save: str | os.PathLike[str] | None
) -> Picture:
    """The figure of shares and areas.

    Args:
        stats: What was counted.
        method: What was drawn, with the numbers of its epoch.
        spec: What it was drawn for.
        title: A line above.
        save: A file to write it to.
    """
    pastes = bool((stats.pasted > 0).any())
    classes = min(CLASSES, spec.size) if "classes" in method.needs else None
    text = words.weights_text(stats, spec.size, classes, sorted(method.needs - {"classes"}))
    figure, place = _titled_figure(_TWO_CHARTS if pastes else _ONE_CHART, title, text, above=_ABOVE_TITLED)
    grid = figure.add_gridspec(1, 1 + pastes, wspace=0.25, **place)
    _draw_own(figure.add_subplot(grid[0], label="own"), stats, method)
    if pastes:
        axes = figure.add_subplot(grid[1], label="pasted")
        some = stats.pasted > 0
        head = "How much of its area is pasted"
        if not some.all():
            head += f"; {percent(1.0 - some.mean())} have no paste"
        _draw_bars(axes, _binned(stats.pasted[some], len(some)), _PASTED, head, "pasted area")
    return finished(figure, f"Histograms of shares for {title}. {text}", save)


def compare_weights(
    stats: Mapping[str, WeightStats], spec: BatchSpec, title: str, save: str | os.PathLike[str] | None
) -> Picture:
    """The figure of the shares and areas of several methods, a line each.

    Args:
        stats: What was counted, by name.
        spec: What it was drawn for.
        title: A line above.
        save: A file to write it to.
    """
    pastes = any((each.pasted > 0).any() for each in stats.values())
    text = words.compared_weights_text(stats, spec.size)
    # Two lines for every name, so that the legend, which is beside the bars, has room.
    height = max(_CHART_HEIGHT, 0.4 * len(stats))
    figure, place = _titled_figure(_TWO_CHARTS if pastes else _ONE_CHART, title, text, height, above=_ABOVE_TITLED)
    grid = figure.add_gridspec(1, 1 + pastes, wspace=0.25, **place)
    own = {name: _binned(each.own[each.mixed], len(each.own)) for name, each in stats.items()}
    _draw_lines(figure.add_subplot(grid[0], label="own"), own, "How much a mixed sample keeps of itself", "own share")
    if pastes:
        areas = {name: _binned(each.pasted[each.pasted > 0], len(each.own)) for name, each in stats.items()}
        axes = figure.add_subplot(grid[1], label="pasted")
        _draw_lines(axes, areas, "How much of its area is pasted", "pasted area")
    return finished(figure, f"Histograms of shares. {title}. {text}", save)


def _draw_lines(axes: Axes, parts: Mapping[str, FloatArray], title: str, name: str) -> None:
    """Outlines of histograms, told apart by colour and dashes."""
    _draw_bars(axes, np.zeros(len(_BINS) - 1), _OWN, title, name)
    for index, (label, values) in enumerate(parts.items()):
        color, dashes = _line_style(index)
        axes.stairs(values, _BINS, baseline=None, color=color, linestyle=dashes, linewidth=1.6, label=label)
    top = max(values.max() for values in parts.values())
    axes.set_ylim(0.0, _ROOM_ABOVE * top if top else 1.0)
    axes.legend(frameon=False, fontsize=SMALL)


def _line_style(index: int) -> tuple[str, str]:
    """Colour and dashes that tell one line from the others, also without colours."""
    return SOURCE_COLORS[index % len(SOURCE_COLORS)], ("-", "--", ":", "-.")[index % 4]


def _plane(replaced: FloatArray) -> FloatArray:
    """What is drawn of a map: of three axes the mean over the first one."""
    return replaced.mean(axis=0) if replaced.ndim == 3 else replaced


def draw_coverage(coverage: CoverageMap, title: str, save: str | os.PathLike[str] | None) -> Picture:
    """The figure of what is replaced.

    Args:
        coverage: What was counted, over one to three axes.
        title: A line above.
        save: A file to write it to.
    """
    text = words.coverage_text(coverage)
    if coverage.replaced.ndim == 1:
        figure, place = _titled_figure(_ONE_CHART, title, text)
        axes = figure.add_subplot(figure.add_gridspec(1, 1, **place)[0], label="replaced")
        _draw_profile(axes, coverage.replaced, _scale_end(coverage.replaced, coverage))
        axes.set_xlabel("step", fontsize=NORMAL)
        axes.set_ylabel("replaced", fontsize=NORMAL)
        return finished(figure, f"Curve of what is replaced by {title}. {text}", save)
    figure = _draw_map(coverage, title, text)
    return finished(figure, f"Map of what is replaced by {title}. {text}", save)


def compare_coverage(covers: Mapping[str, CoverageMap], title: str, save: str | os.PathLike[str] | None) -> Picture:
    """The figure of what several methods replace: small maps on one scale, or curves in one chart.

    Args:
        covers: What was counted, by name, over one to three axes.
        title: A line above.
        save: A file to write it to.
    """
    text = words.compared_coverage_text(covers)
    planes = {name: _plane(cover.replaced) for name, cover in covers.items()}
    top = max(_scale_end(plane, covers[name]) for name, plane in planes.items()) or 1.0
    flat = next(iter(planes.values())).ndim == 2
    figure = (_draw_small_maps if flat else _draw_curves)(planes, top, title, text)
    return finished(figure, f"{'Maps' if flat else 'Curves'} of what is replaced. {title}. {text}", save)


def _draw_curves(lines: Mapping[str, FloatArray], top: float, title: str, text: str) -> Picture:
    """Curves over one axis in one chart."""
    figure, place = _titled_figure(_ONE_CHART, title, text, above=_ABOVE_TITLED)
    axes = figure.add_subplot(figure.add_gridspec(1, 1, **place)[0], label="replaced")
    for index, (name, values) in enumerate(lines.items()):
        color, dashes = _line_style(index)
        axes.stairs(values, baseline=None, color=color, linestyle=dashes, linewidth=1.6, label=name)
    axes.set_ylim(0.0, _ROOM_ABOVE * top)
    axes.set_xlabel("step", fontsize=NORMAL)
    axes.set_ylabel("replaced", fontsize=NORMAL)
    axes.legend(frameon=False, fontsize=SMALL)
    _percent_scale(axes, axes.yaxis)
    return figure


def _draw_small_maps(planes: Mapping[str, FloatArray], top: float, title: str, text: str) -> Picture:
    """Maps side by side, with names alone, and one scale."""
    columns = min(len(planes), _SMALL_MAPS)
    rows = math.ceil(len(planes) / columns)
    shape = next(iter(planes.values())).shape
    tall, wide = (max(_SMALL_MAP * length / max(shape), _THINNEST_MAP * _SMALL_MAP) for length in shape)
    size = columns * (wide + _MAP_GAP) + _SCALE_WIDTH, rows * tall + (rows - 1) * _ABOVE_TITLED
    figure, place = _titled_figure(
        MARGIN + size[0] + _BESIDE_SCALE, title, text, size[1], above=_ABOVE_TITLED, right=_BESIDE_SCALE
    )
    place["left"] = MARGIN / (MARGIN + size[0] + _BESIDE_SCALE)  # no numbers stand there
    mean = (columns * wide + _SCALE_WIDTH) / (columns + 1)  # by which gridspec measures gaps
    gaps: dict[str, Any] = {"wspace": _MAP_GAP / mean, "hspace": _ABOVE_TITLED / tall}
    grid = figure.add_gridspec(rows, columns + 1, width_ratios=[wide] * columns + [_SCALE_WIDTH], **gaps, **place)
    for index, (name, plane) in enumerate(planes.items()):
        axes = figure.add_subplot(grid[divmod(index, columns)], label=name)
        image = axes.imshow(plane, vmin=0.0, vmax=top, cmap="cividis", aspect="auto")
        axes.set_title(name, fontsize=NORMAL, parse_math=False)
        axes.set_axis_off()
    bar = figure.colorbar(image, cax=figure.add_subplot(grid[:, columns], label="scale"), format=_PERCENT)
    bar.ax.tick_params(labelsize=SMALL)
    bar.set_label("replaced", fontsize=NORMAL)
    return figure


def schedule_curves(schedules: Mapping[str, Schedule], epochs: int, title: str | None) -> Picture:
    """A figure of schedules over the epochs 0 to ``epochs - 1``."""
    figure = Picture(figsize=(_ONE_CHART, 2.8), dpi=style.DPI, layout="constrained")
    axes = figure.add_subplot(label="schedule")
    for index, (name, schedule) in enumerate(schedules.items()):
        found, color = sampled(schedule, epochs), SOURCE_COLORS[index % len(SOURCE_COLORS)]
        line = ("-", "--", ":")[index % 3]
        axes.step(found.epochs, found.values, where="mid", color=color, label=name, linestyle=line)
        if epochs <= _MOST_DOTS:
            axes.plot(found.epochs, found.values, ".", color=color)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
    if len(schedules) == 1:
        axes.set_ylabel(next(iter(schedules)))
    else:
        axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))  # beside: curves go everywhere
    if title:
        axes.set_title(title, loc="left")
    return figure


def _draw_own(axes: Axes, stats: WeightStats, method: Method) -> None:
    mixed, count = stats.mixed, len(stats.own)
    head = "How much a sample keeps of itself"
    if not mixed.all():
        head += f"; {percent(1.0 - mixed.mean())} are not mixed"
    _draw_bars(axes, _binned(stats.own[mixed], count), _OWN, head, "own share")
    if not mixed.any():
        axes.text(0.5, 0.5, "No sample is mixed.", transform=axes.transAxes, ha="center", fontsize=NORMAL)
        return
    if stats.label is not None:
        parts = _binned(stats.label[mixed], count)
        axes.stairs(parts, _BINS, baseline=None, color=_LABEL, linewidth=1.8, label="in the label, as declared")
    if isinstance(method, MixUp) and now(method.alpha):
        masses = beta_shares(_BINS, now(method.alpha))
        if method.fold:
            masses = np.where(_middles() > 0.5, masses + masses[::-1], np.nan)
        name = f"Beta({now(method.alpha):g}, {now(method.alpha):g})" + (", folded" if method.fold else "")
        line: dict[str, Any] = {"color": style.CHECK_COLOR, "markersize": 3, "linewidth": 1}
        axes.plot(_middles(), masses * mixed.mean(), "o-", label=name, **line)
    if axes.get_legend_handles_labels()[1]:
        axes.legend(frameon=False, fontsize=SMALL)
        axes.set_ylim(top=1.15 * axes.get_ylim()[1])  # room for the legend, which lies on bars otherwise


def _middles() -> FloatArray:
    return np.asarray((_BINS[1:] + _BINS[:-1]) / 2)


def _binned(values: FloatArray, count: int) -> FloatArray:
    """How many values are in every bin, as parts of a number of samples."""
    return np.asarray(np.histogram(values, _BINS)[0] / count)


def _draw_bars(axes: Axes, parts: FloatArray, color: str, title: str, name: str) -> None:
    axes.bar(_BINS[:-1], parts, np.diff(_BINS), align="edge", color=color, edgecolor="white", linewidth=0.6)
    axes.set_xlim(0.0, 1.0)
    if not parts.any():
        axes.set_ylim(0.0, 1.0)
    axes.set_title(title, loc="left", fontsize=NORMAL)
    axes.set_xlabel(name, fontsize=NORMAL)
    axes.set_ylabel("of all samples", fontsize=NORMAL)
    axes.xaxis.set_major_formatter(_PERCENT)
    _percent_scale(axes, axes.yaxis)


def _percent_scale(axes: Axes, scale: Axis) -> None:
    """Percent on a scale, small numbers, and two sides of the frame."""
    scale.set_major_formatter(_PERCENT)
    axes.tick_params(labelsize=SMALL)
    axes.spines[["top", "right"]].set_visible(False)


def _scale_end(values: FloatArray, coverage: CoverageMap) -> float:
    """Where the scale of some values ends: it begins at 0, so that noise looks as small as it is."""
    return 1.0 if coverage.constant else float(values.max())


def _draw_map(coverage: CoverageMap, title: str, text: str) -> Picture:
    """A map with its means above and beside it, and a scale."""
    plane = _plane(coverage.replaced)
    tall, wide = (max(_MAP_SIDE * length / max(plane.shape), _THINNEST_MAP * _MAP_SIDE) for length in plane.shape)
    widths, heights = [wide, _MAP_GAP, _PROFILE_SIZE, _MAP_GAP, _SCALE_WIDTH], [_PROFILE_SIZE, _MAP_GAP, tall]
    figure, place = _titled_figure(sum(widths) + _LEFT + _BESIDE_SCALE, title, text, sum(heights), right=_BESIDE_SCALE)
    grid = figure.add_gridspec(3, 5, wspace=0, hspace=0, width_ratios=widths, height_ratios=heights, **place)
    axes = figure.add_subplot(grid[2, 0], label="replaced")
    top = _scale_end(plane, coverage)
    extent = (0.0, plane.shape[1], plane.shape[0], 0.0)
    # cividis is read alike with and without colour blindness.
    image = axes.imshow(plane, vmin=0.0, vmax=top, cmap="cividis", aspect="auto", extent=extent)
    axes.tick_params(labelsize=SMALL)
    for scale in (axes.xaxis, axes.yaxis):
        scale.set_major_locator(MaxNLocator("auto", integer=True, steps=_TICK_STEPS))
    axes.set_xlabel("x", fontsize=NORMAL)
    axes.set_ylabel("y", fontsize=NORMAL)
    bar = figure.colorbar(image, cax=figure.add_subplot(grid[2, 4], label="scale"), format=_PERCENT)
    bar.ax.tick_params(labelsize=SMALL)
    bar.set_label("replaced", fontsize=NORMAL)
    above = figure.add_subplot(grid[0, 0], label="along x")
    _draw_profile(above, plane.mean(axis=0), top)
    above.set_xticklabels([])
    above.yaxis.set_major_locator(MaxNLocator(2, steps=_TICK_STEPS))
    beside = figure.add_subplot(grid[2, 2], label="along y")
    _draw_profile(beside, plane.mean(axis=1), top, upright=True)
    beside.set_yticklabels([])
    beside.xaxis.set_major_locator(MaxNLocator(2, steps=_TICK_STEPS))
    beside.xaxis.tick_top()  # below are the numbers of the map
    return figure


def _draw_profile(axes: Axes, values: FloatArray, top: float, *, upright: bool = False) -> None:
    """A step for every cell; ``upright`` has the cells from top to bottom, as a map has them."""
    along, scale = (axes.yaxis, axes.xaxis) if upright else (axes.xaxis, axes.yaxis)
    side: Literal["horizontal", "vertical"] = "horizontal" if upright else "vertical"
    # Outline and area apart: an outline that is filled would also have a line at 0.
    axes.stairs(values, orientation=side, baseline=None, color=_OWN, linewidth=1.5)
    axes.stairs(values, orientation=side, color=_OWN, alpha=0.2, fill=True)
    cells, weight = (len(values), 0) if upright else (0, len(values)), (0.0, _ROOM_ABOVE * top)
    axes.set_xlim(*(weight if upright else cells))
    axes.set_ylim(*(cells if upright else weight))
    along.set_major_locator(MaxNLocator("auto", integer=True, steps=_TICK_STEPS))
    _percent_scale(axes, scale)


def _titled_figure(
    width: float, title: str, text: str, height: float = _CHART_HEIGHT, *, above: float = _ABOVE, right: float = _RIGHT
) -> tuple[Picture, dict[str, float]]:
    """A figure with a title above and a text below, and where between them there is room, for a grid.

    Args:
        width: Inches.
        title: A line above.
        text: Sentences below.
        height: Inches of the room between them, without the numbers at axes.
        above: Inches between the title and the room.
        right: Inches between the room and the edge.
    """
    heading, lines = words.wrapped_lines(title, width, style.HEADING_CHARACTER), words.wrapped_lines(text, width)
    head = MARGIN + len(heading) * style.HEADING_LINE + above
    foot = _BELOW_AXIS + len(lines) * style.LINE + MARGIN
    tall = head + height + foot
    figure = Picture(figsize=(width, tall), dpi=style.DPI, facecolor="white")
    left, below = MARGIN / width, MARGIN / tall
    bold: dict[str, Any] = {"fontsize": style.LARGE, "weight": "bold", "va": "top"}
    # Titles come from users: a dollar sign in them is no formula.
    figure.text(left, 1.0 - below, "\n".join(heading), parse_math=False, **bold)
    figure.text(left, below, "\n".join(lines), fontsize=SMALL, color=style.NOTE_COLOR, va="bottom")
    place = {"left": _LEFT / width, "right": 1.0 - right / width, "top": 1.0 - head / tall, "bottom": foot / tall}
    return figure, place
