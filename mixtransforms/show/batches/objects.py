"""Draws what stands beside an image on it: colours of masks, outlines and keypoints of objects."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Polygon

from mixtransforms.core.layers import FloatArray
from mixtransforms.show.batches.marks import Marks, Thing
from mixtransforms.show.batches.overlays import color_of

_FAINTEST = 0.3
"""Opacity of what has hardly any weight, which still must be seen."""

_DARK = "#202020"
_LATE = 0.75
"""From this part of the width on, captions end at the right side of their object instead of starting at the left."""


def draw(axes: Axes, marks: Marks, captions: bool) -> None:
    """Draws on axes that show the image.

    Args:
        axes: Pixel centres are whole numbers, as ``imshow`` sets them; its limits stay.
        marks: What is drawn.
        captions: Large, with the class and the weight of every object; else small, without.
    """
    if marks.wash is not None:
        axes.imshow(marks.wash, interpolation="nearest")
    scale = 1.0 if captions else 0.6
    for thing in marks.things:
        _draw_outline(axes, thing, scale)
        _draw_points(axes, thing, scale)
    for thing in sorted(marks.things, key=lambda thing: thing.weight) if captions else ():  # the heaviest on top
        _draw_caption(axes, thing)


def _draw_outline(axes: Axes, thing: Thing, scale: float) -> None:
    if thing.outline is None:
        return
    opacity = _opacity(thing)
    for shade, width in ((_DARK, 2.8), (color_of(thing.color), 1.6)):  # the halo keeps it visible on any picture
        line: dict[str, Any] = {"edgecolor": shade, "linewidth": scale * width, "alpha": opacity, "joinstyle": "miter"}
        if thing.hidden and shade != _DARK:
            line["linestyle"] = (0, (3, 2))
        axes.add_patch(Polygon(thing.outline - 0.5, closed=True, fill=False, **line))


def _draw_points(axes: Axes, thing: Thing, scale: float) -> None:
    """Points that are seen are full, others hollow."""
    color = color_of(thing.color)
    for points, face, edge in ((thing.points[thing.seen], color, _DARK), (thing.points[~thing.seen], "none", color)):
        if len(points):
            x, y = (points - 0.5).T
            axes.scatter(x, y, s=22 * scale**2, c=face, edgecolors=edge, linewidths=0.9 * scale, alpha=_opacity(thing))


def _draw_caption(axes: Axes, thing: Thing) -> None:
    frame = _frame(axes, thing)
    if frame is None or not thing.caption:
        return
    (left, top), (right, _) = frame
    late = left > axes.get_xlim()[1] * _LATE  # there is more room to its left
    box: dict[str, Any] = {"facecolor": color_of(thing.color), "edgecolor": "none", "pad": 0.8, "alpha": 0.85}
    style: dict[str, Any] = {"fontsize": 6.5, "color": "black", "va": "top", "parse_math": False}
    axes.text(right if late else left, top, thing.caption, ha="right" if late else "left", bbox=box, **style)


def _frame(axes: Axes, thing: Thing) -> tuple[FloatArray, FloatArray] | None:
    """The first and the last corner of what is in the picture of an object; ``None`` where nothing is."""
    places = thing.points if thing.outline is None else thing.outline
    if not len(places):
        return None
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    first, last = places.min(axis=0) - 0.5, places.max(axis=0) - 0.5
    if last[0] < left or last[1] < top or first[0] > right or first[1] > bottom:
        return None
    return first.clip((left, top), (right, bottom)), last.clip((left, top), (right, bottom))


def _opacity(thing: Thing) -> float:
    return _FAINTEST + (1.0 - _FAINTEST) * thing.weight
