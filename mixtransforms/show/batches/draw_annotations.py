"""Draws what stands beside an image on it: colours of masks, outlines and keypoints of objects."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Polygon

from mixtransforms.core.layers import FloatArray
from mixtransforms.show.batches.annotations import ImageAnnotation, ObjectAnnotation
from mixtransforms.show.style import HALO_COLOR, class_color

_FAINTEST = 0.3
"""Opacity of what has hardly any weight, which still must be seen."""

_LATE = 0.75
"""From this part of the width on, captions end at the right side of their object instead of starting at the left."""


def draw_annotation(axes: Axes, annotation: ImageAnnotation, captions: bool) -> None:
    """Draws on axes that show the image.

    Args:
        axes: Pixel centres are whole numbers, as ``imshow`` sets them; its limits stay.
        annotation: What is drawn.
        captions: Large, with the class and the weight of every object; else small, without.
    """
    if annotation.overlay is not None:
        axes.imshow(annotation.overlay, interpolation="nearest")
    scale = 1.0 if captions else 0.6  # sources are about as much smaller than the mixed image
    for each in annotation.objects:
        _draw_polygon(axes, each, scale)
        _draw_points(axes, each, scale)
    for each in sorted(annotation.objects, key=lambda each: each.weight) if captions else ():  # the heaviest on top
        _draw_caption(axes, each)


def _draw_polygon(axes: Axes, item: ObjectAnnotation, scale: float) -> None:
    if item.outline is None:
        return
    opacity = _opacity(item)
    # The halo below is wider by little more than a point: it keeps the line visible on any picture.
    for shade, width in ((HALO_COLOR, 2.8), (class_color(item.color), 1.6)):
        line: dict[str, Any] = {"edgecolor": shade, "linewidth": scale * width, "alpha": opacity, "joinstyle": "miter"}
        if item.hidden and shade != HALO_COLOR:
            line["linestyle"] = (0, (3, 2))
        axes.add_patch(Polygon(item.outline - 0.5, closed=True, fill=False, **line))


def _draw_points(axes: Axes, item: ObjectAnnotation, scale: float) -> None:
    """Points that are seen are full, others hollow."""
    color = class_color(item.color)
    for points, face, edge in ((item.points[item.seen], color, HALO_COLOR), (item.points[~item.seen], "none", color)):
        if len(points):
            x, y = (points - 0.5).T
            axes.scatter(x, y, s=22 * scale**2, c=face, edgecolors=edge, linewidths=0.9 * scale, alpha=_opacity(item))


def _draw_caption(axes: Axes, item: ObjectAnnotation) -> None:
    frame = _corners_inside(axes, item)
    if frame is None or not item.caption:
        return
    (left, top), (right, _) = frame
    late = left > axes.get_xlim()[1] * _LATE  # there is more room to its left
    box: dict[str, Any] = {"facecolor": class_color(item.color), "edgecolor": "none", "pad": 0.8, "alpha": 0.85}
    style: dict[str, Any] = {"fontsize": 6.5, "color": "black", "va": "top", "parse_math": False}
    axes.text(right if late else left, top, item.caption, ha="right" if late else "left", bbox=box, **style)


def _corners_inside(axes: Axes, item: ObjectAnnotation) -> tuple[FloatArray, FloatArray] | None:
    """The first and the last corner of what is in the picture of an object; ``None`` where nothing is."""
    places = item.points if item.outline is None else item.outline
    if not len(places):
        return None
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    first, last = places.min(axis=0) - 0.5, places.max(axis=0) - 0.5
    if last[0] < left or last[1] < top or first[0] > right or first[1] > bottom:
        return None
    return first.clip((left, top), (right, bottom)), last.clip((left, top), (right, bottom))


def _opacity(item: ObjectAnnotation) -> float:
    return _FAINTEST + (1.0 - _FAINTEST) * item.weight
