"""Draws what a method does to samples on average: histograms of shares and areas, and maps of what is replaced."""

from __future__ import annotations

import os
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter, MaxNLocator

from mixtransforms.core.layers import FloatArray
from mixtransforms.methods import MixUp
from mixtransforms.methods.base import Method
from mixtransforms.methods.schedules import now
from mixtransforms.plan import BatchSpec
from mixtransforms.show.batches.tiles import percent
from mixtransforms.show.methods.laws import CLASSES, HARDLY, HEAVY, Cover, Law, beta_shares
from mixtransforms.show.style import (
    CHARACTER,
    COLORS,
    DPI,
    HEADING_CHARACTER,
    HEADING_LINE,
    LARGE,
    LINE,
    MARGIN,
    NORMAL,
    SMALL,
    Picture,
    finished,
    wrapped,
)

_OWN, _LABEL, _PASTED, _CHECK = COLORS[0], COLORS[1], COLORS[2], "#222222"
_BINS = np.linspace(0.0, 1.0, 21)
_PERCENT = FuncFormatter(lambda value, _: f"{100 * value:g}%")
_STEPS = [1, 2, 5, 10]
_ONE_PANEL, _TWO_PANELS = 6.4, 9.0
_PANEL = 2.6
"""Widths of figures of histograms and curves, and the height without text, in inches."""
_MAP = 3.8
"""The longer side of a map in inches; a very long one gets a band."""
_NARROWEST = 0.3
_PROFILE, _GAP, _BAR = 0.7, 0.1, 0.14
_LEFT, _RIGHT, _BESIDE_SCALE, _BELOW_AXIS, _ABOVE, _ABOVE_TITLED = 0.75, 0.25, 0.8, 0.5, 0.1, 0.27
"""Inches around axes, for numbers and names."""
_ROOM = 1.05
"""Where curves end, by their highest value."""


def weights(law: Law, method: Method, spec: BatchSpec, title: str, save: str | os.PathLike[str] | None) -> Picture:
    """The figure of shares and areas.

    Args:
        law: What was counted.
        method: What was drawn, with the numbers of its epoch.
        spec: What it was drawn for.
        title: A line above.
        save: A file to write it to.
    """
    pastes = bool((law.pasted > 0).any())
    text = _weights_text(law, method, spec, pastes)
    figure, place = _sheet(_TWO_PANELS if pastes else _ONE_PANEL, title, text, above=_ABOVE_TITLED)
    grid = figure.add_gridspec(1, 1 + pastes, wspace=0.25, **place)
    _draw_own(figure.add_subplot(grid[0], label="own"), law, method)
    if pastes:
        axes = figure.add_subplot(grid[1], label="pasted")
        some = law.pasted > 0
        head = "How much of its area is pasted"
        if not some.all():
            head += f"; {percent(1.0 - some.mean())} have no paste"
        _bars(axes, _parts(law.pasted[some], len(some)), _PASTED, head, "pasted area")
    return finished(figure, f"Histograms of shares for {title}. {text}", save)


def coverage(cover: Cover, title: str, save: str | os.PathLike[str] | None) -> Picture:
    """The figure of what is replaced.

    Args:
        cover: What was counted, over one to three axes.
        title: A line above.
        save: A file to write it to.
    """
    text = _coverage_text(cover)
    if cover.replaced.ndim == 1:
        figure, place = _sheet(_ONE_PANEL, title, text)
        axes = figure.add_subplot(figure.add_gridspec(1, 1, **place)[0], label="replaced")
        _curve(axes, cover.replaced, _top(cover.replaced, cover))
        axes.set_xlabel("step", fontsize=NORMAL)
        axes.set_ylabel("replaced", fontsize=NORMAL)
        return finished(figure, f"Curve of what is replaced by {title}. {text}", save)
    figure = _draw_map(cover, title, text)
    return finished(figure, f"Map of what is replaced by {title}. {text}", save)


def _draw_own(axes: Axes, law: Law, method: Method) -> None:
    mixed, count = law.mixed, len(law.own)
    head = "How much a sample keeps of itself"
    if not mixed.all():
        head += f"; {percent(1.0 - mixed.mean())} are not mixed"
    _bars(axes, _parts(law.own[mixed], count), _OWN, head, "own share")
    if not mixed.any():
        axes.text(0.5, 0.5, "No sample is mixed.", transform=axes.transAxes, ha="center", fontsize=NORMAL)
        return
    if law.label is not None:
        parts = _parts(law.label[mixed], count)
        axes.stairs(parts, _BINS, baseline=None, color=_LABEL, linewidth=1.8, label="in the label, as declared")
    if isinstance(method, MixUp) and now(method.alpha):
        masses = beta_shares(_BINS, now(method.alpha))
        if method.fold:
            masses = np.where(_middles() > 0.5, masses + masses[::-1], np.nan)
        name = f"Beta({now(method.alpha):g}, {now(method.alpha):g})" + (", folded" if method.fold else "")
        axes.plot(_middles(), masses * mixed.mean(), "o-", color=_CHECK, markersize=3, linewidth=1, label=name)
    if axes.get_legend_handles_labels()[1]:
        axes.legend(frameon=False, fontsize=SMALL)
        axes.set_ylim(top=1.15 * axes.get_ylim()[1])


def _middles() -> FloatArray:
    return np.asarray((_BINS[1:] + _BINS[:-1]) / 2)


def _parts(values: FloatArray, count: int) -> FloatArray:
    """How many values are in every bin, as parts of a number of samples."""
    return np.asarray(np.histogram(values, _BINS)[0] / count)


def _bars(axes: Axes, parts: FloatArray, color: str, title: str, name: str) -> None:
    axes.bar(_BINS[:-1], parts, np.diff(_BINS), align="edge", color=color, edgecolor="white", linewidth=0.6)
    axes.set_xlim(0.0, 1.0)
    if not parts.any():
        axes.set_ylim(0.0, 1.0)
    axes.set_title(title, loc="left", fontsize=NORMAL)
    axes.set_xlabel(name, fontsize=NORMAL)
    axes.set_ylabel("of all samples", fontsize=NORMAL)
    axes.xaxis.set_major_formatter(_PERCENT)
    _plain(axes, axes.yaxis)


def _plain(axes: Axes, scale: Axis) -> None:
    """Percent on a scale, small numbers, and two sides of the frame."""
    scale.set_major_formatter(_PERCENT)
    axes.tick_params(labelsize=SMALL)
    axes.spines[["top", "right"]].set_visible(False)


def _top(values: FloatArray, cover: Cover) -> float:
    """Where the scale of some values ends: it begins at 0, so that noise looks as small as it is."""
    return 1.0 if cover.constant else float(values.max())


def _draw_map(cover: Cover, title: str, text: str) -> Picture:
    """A map with its means above and beside it, and a scale."""
    plane = cover.replaced.mean(axis=0) if cover.replaced.ndim == 3 else cover.replaced
    tall, wide = (max(_MAP * length / max(plane.shape), _NARROWEST * _MAP) for length in plane.shape)
    widths, heights = [wide, _GAP, _PROFILE, _GAP, _BAR], [_PROFILE, _GAP, tall]
    figure, place = _sheet(sum(widths) + _LEFT + _BESIDE_SCALE, title, text, sum(heights), right=_BESIDE_SCALE)
    grid = figure.add_gridspec(3, 5, wspace=0, hspace=0, width_ratios=widths, height_ratios=heights, **place)
    axes = figure.add_subplot(grid[2, 0], label="replaced")
    top = _top(plane, cover)
    extent = (0.0, plane.shape[1], plane.shape[0], 0.0)
    image = axes.imshow(plane, vmin=0.0, vmax=top, cmap="cividis", aspect="auto", extent=extent)
    axes.tick_params(labelsize=SMALL)
    for scale in (axes.xaxis, axes.yaxis):
        scale.set_major_locator(MaxNLocator("auto", integer=True, steps=_STEPS))
    axes.set_xlabel("x", fontsize=NORMAL)
    axes.set_ylabel("y", fontsize=NORMAL)
    bar = figure.colorbar(image, cax=figure.add_subplot(grid[2, 4], label="scale"), format=_PERCENT)
    bar.ax.tick_params(labelsize=SMALL)
    bar.set_label("replaced", fontsize=NORMAL)
    above = figure.add_subplot(grid[0, 0], label="along x")
    _curve(above, plane.mean(axis=0), top)
    above.set_xticklabels([])
    above.yaxis.set_major_locator(MaxNLocator(2, steps=_STEPS))
    beside = figure.add_subplot(grid[2, 2], label="along y")
    _curve(beside, plane.mean(axis=1), top, upright=True)
    beside.set_yticklabels([])
    beside.xaxis.set_major_locator(MaxNLocator(2, steps=_STEPS))
    beside.xaxis.tick_top()  # below are the numbers of the map
    return figure


def _curve(axes: Axes, values: FloatArray, top: float, *, upright: bool = False) -> None:
    """A step for every cell; ``upright`` has the cells from top to bottom, as a map has them."""
    along, scale = (axes.yaxis, axes.xaxis) if upright else (axes.xaxis, axes.yaxis)
    side: Literal["horizontal", "vertical"] = "horizontal" if upright else "vertical"
    axes.stairs(values, orientation=side, baseline=None, color=_OWN, linewidth=1.5)
    axes.stairs(values, orientation=side, color=_OWN, alpha=0.2, fill=True)
    cells, weight = (len(values), 0) if upright else (0, len(values)), (0.0, _ROOM * top)
    axes.set_xlim(*(weight if upright else cells))
    axes.set_ylim(*(cells if upright else weight))
    along.set_major_locator(MaxNLocator("auto", integer=True, steps=_STEPS))
    _plain(axes, scale)


def _weights_text(law: Law, method: Method, spec: BatchSpec, pastes: bool) -> str:
    """The numbers that matter, and how they were found."""
    counted = f"Counted on {len(law.own):,} samples in batches of {spec.size}"
    if "classes" in method.needs:
        counted += f" of {min(CLASSES, spec.size)} classes in turn"
    if not law.mixed.any():
        return f"No sample is mixed. {counted}."
    some = law.pasted > 0
    sentences = [
        f"On average a sample keeps {percent(law.own.mean())} of itself.",
        f"{percent(law.heavily)} of the samples are heavily mixed (no source above {percent(HEAVY)}), "
        f"{percent(law.hardly)} hardly or not at all (one source above {percent(HARDLY)}).",
        f"Where something is pasted, it is {percent(law.pasted[some].mean())} of the area on average."
        if pastes
        else "Nothing is pasted.",
    ]
    if law.label is not None:
        sentences.append(f"Labels get the share that the method declares, {percent(law.label.mean())} on average.")
    return " ".join([*sentences, counted + "."])


def _coverage_text(cover: Cover) -> str:
    """The numbers that matter, and how they were found."""
    mean = percent(cover.replaced.mean())
    cell, ends = ("step", "at the ends") if cover.replaced.ndim == 1 else ("pixel", "in the corners")
    if not cover.replaced.any():
        sentences = ["Nothing is replaced."]
    elif cover.constant:
        sentences = [f"All {cell}s are alike: {mean} of each is replaced on average."]
    else:
        sentences = [
            f"A {cell} is replaced with a chance of {mean} on average, {percent(cover.centre)} in the centre, "
            f"{percent(cover.corners)} {ends}."
        ]
    if cover.blends:
        sentences.append("Where samples are blended, the weight of the others counts.")
    if cover.replaced.ndim == 3:
        first = cover.along(0)
        sentences.append(
            f"Shown is the mean over the first axis, along which it goes from {percent(first.min())} to "
            f"{percent(first.max())}."
        )
    return " ".join([*sentences, f"Counted on {cover.samples:,} samples."])


def _sheet(
    width: float, title: str, text: str, height: float = _PANEL, *, above: float = _ABOVE, right: float = _RIGHT
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
    heading, lines = wrapped(title, width, HEADING_CHARACTER), wrapped(text, width, CHARACTER)
    head = MARGIN + len(heading) * HEADING_LINE + above
    foot = _BELOW_AXIS + len(lines) * LINE + MARGIN
    tall = head + height + foot
    figure = Picture(figsize=(width, tall), dpi=DPI, facecolor="white")
    # Titles come from users: a dollar sign in them is no formula.
    figure.text(
        MARGIN / width,
        1.0 - MARGIN / tall,
        "\n".join(heading),
        fontsize=LARGE,
        weight="bold",
        va="top",
        parse_math=False,
    )
    figure.text(MARGIN / width, MARGIN / tall, "\n".join(lines), fontsize=SMALL, color="#444444", va="bottom")
    place = {"left": _LEFT / width, "right": 1.0 - right / width, "top": 1.0 - head / tall, "bottom": foot / tall}
    return figure, place
