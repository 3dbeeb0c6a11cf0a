"""Formats of boxes: from the columns that a user has to corners in absolute pixels, and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core.layers import BoolArray, FloatArray, IntArray

LEAST_AREA = 1e-9
"""Square pixels; what is smaller is the rounding of corners on one line."""


Canvas = tuple[int, int] | tuple[IntArray, IntArray]
"""Height and width in pixels: those of all boxes, or of every one, ``(N,)``."""


class Format(NamedTuple):
    """How a box is written.

    Attributes:
        columns: How many columns it takes.
        decode: From columns ``(N, columns)`` to ``x1, y1, x2, y2`` ``(N, 4)`` or corners ``(N, 4, 2)``.
        encode: The way back.
        relative: Whether x and y are fractions of the canvas instead of pixels.
    """

    columns: int
    decode: Callable[[FloatArray], FloatArray]
    encode: Callable[[FloatArray], FloatArray]
    relative: bool = False


def column_count(format: str) -> int:
    """Number of columns that a box takes in a format: 4, 5 or 8."""
    return FORMATS[format].columns


def is_rotated(format: str) -> bool:
    """Whether boxes of the format have four corners instead of two."""
    return FORMATS[format].columns > 4


def decode(values: NDArray[Any], format: str, canvas: Canvas) -> FloatArray:
    """Boxes in the one form that is computed with.

    Args:
        values: ``(N, 4+)`` of any real dtype; columns behind those of the format are left out.
        format: One of :data:`FORMATS`.
        canvas: ``(H, W)`` in pixels, of all boxes or of every one; only relative formats need it.

    Returns:
        ``x1, y1, x2, y2``, ``(N, 4)`` float64 in pixels; of rotated formats corners ``(x, y)``, ``(N, 4, 2)``. Numbers
        that are not finite are passed on, and a rotated box of negative width or height has none.
    """
    form = FORMATS[format]
    numbers = np.array(values[:, : form.columns], np.float64)
    if form.relative:
        numbers *= _scale(canvas, form.columns)
    with np.errstate(invalid="ignore", over="ignore"):  # degenerate() finds what comes of infinities
        return form.decode(numbers)


def encode(geometry: FloatArray, format: str, canvas: Canvas) -> FloatArray:
    """The columns of a format, ``(N, column_count(format))`` float64, from what :func:`decode` returns.

    Angles are those of torchvision, degrees within [-180, 180], counter-clockwise as seen on the screen.
    """
    form = FORMATS[format]
    numbers = form.encode(geometry)
    return numbers / _scale(canvas, form.columns) if form.relative else numbers


def to_plan(geometry: FloatArray) -> FloatArray:
    """What :func:`decode` returns as corners in the order of a plan's axes, ``(N, 2, 2)`` or ``(N, 4, 2)``."""
    # Users, hosts and files write (x, y), arrays and plans (y, x): turned here, and nowhere between.
    return np.ascontiguousarray(geometry.reshape(len(geometry), 2 if geometry.ndim == 2 else 4, 2)[..., ::-1])


def from_plan(corners: FloatArray) -> FloatArray:
    """The way back: ``x1, y1, x2, y2`` of two corners, and ``(x, y)`` of four."""
    geometry = np.ascontiguousarray(corners[..., ::-1])
    return geometry.reshape(-1, 4) if corners.shape[1] == 2 else geometry


def degenerate(geometry: FloatArray) -> BoolArray:
    """Boxes that contain nothing, or that are not finite.

    Args:
        geometry: ``(N, 4)`` or corners ``(N, 4, 2)``, as :func:`decode` returns them.

    Returns:
        ``(N,)`` bool.
    """
    infinite = np.asarray(~np.isfinite(geometry.T).all(axis=tuple(range(geometry.ndim - 1))))
    if geometry.ndim == 2:
        x1, y1, x2, y2 = geometry.T
        return np.asarray(infinite | (x2 <= x1) | (y2 <= y1))
    return infinite | (np.abs(signed_area(np.where(infinite[:, None, None], 0.0, geometry))) < LEAST_AREA)


def signed_area(corners: FloatArray) -> FloatArray:
    """Area of polygons ``(..., V, 2)`` in square pixels, ``(...)``; positive where they run clockwise on the screen."""
    x, y = np.moveaxis(corners - corners[..., :1, :], -1, 0)  # near the origin no digits are lost
    return np.asarray((x * np.roll(y, -1, axis=-1) - y * np.roll(x, -1, axis=-1)).sum(axis=-1) / 2)


def _scale(canvas: Canvas, columns: int) -> FloatArray:
    height, width = canvas
    return np.array([width, height] * (columns // 2), np.float64).T


def _unchanged(boxes: FloatArray) -> FloatArray:
    return boxes


def _from_xywh(values: FloatArray) -> FloatArray:
    start, size = values[:, :2], values[:, 2:]
    return np.concatenate([start, start + size], axis=1)


def _to_xywh(boxes: FloatArray) -> FloatArray:
    start, stop = boxes[:, :2], boxes[:, 2:]
    return np.concatenate([start, stop - start], axis=1)


def _from_cxcywh(values: FloatArray) -> FloatArray:
    centre, half = values[:, :2], values[:, 2:] / 2
    return np.concatenate([centre - half, centre + half], axis=1)


def _to_cxcywh(boxes: FloatArray) -> FloatArray:
    start, stop = boxes[:, :2], boxes[:, 2:]
    return np.concatenate([(start + stop) / 2, stop - start], axis=1)


def _from_xywhr(values: FloatArray) -> FloatArray:
    first = values[:, :2]
    along, down = _sides(values)
    return np.stack([first, first + along, first + along + down, first + down], axis=1)


def _to_xywhr(corners: FloatArray) -> FloatArray:
    return np.concatenate([corners[:, 0], _sizes_and_angle(corners)], axis=1)


def _from_cxcywhr(values: FloatArray) -> FloatArray:
    along, down = _sides(values)
    return _from_xywhr(np.concatenate([values[:, :2] - (along + down) / 2, values[:, 2:]], axis=1))


def _to_cxcywhr(corners: FloatArray) -> FloatArray:
    return np.concatenate([(corners[:, 0] + corners[:, 2]) / 2, _sizes_and_angle(corners)], axis=1)


def _from_corners(values: FloatArray) -> FloatArray:
    return values.reshape(-1, 4, 2)


def _to_corners(corners: FloatArray) -> FloatArray:
    return corners.reshape(-1, 8)


def _sides(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The first and the second side as vectors, ``(N, 2)`` each, of boxes ``(..., width, height, degrees)``."""
    # A negative side would turn the box around, which nobody means: it has no area, and is reported as degenerate.
    size, angle = np.maximum(values[:, 2:4], 0.0), np.deg2rad(values[:, 4])
    cos, sin = np.cos(angle), np.sin(angle)
    return size[:, :1] * np.stack([cos, -sin], axis=1), size[:, 1:] * np.stack([sin, cos], axis=1)


def _sizes_and_angle(corners: FloatArray) -> FloatArray:
    along, down = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 1]
    angle = np.rad2deg(np.arctan2(-along[:, 1], along[:, 0]))  # y runs down, angles run counter-clockwise
    return np.stack([np.hypot(*along.T), np.hypot(*down.T), angle], axis=1)


_PIXELS = {
    "xyxy": Format(4, _unchanged, _unchanged),
    "xywh": Format(4, _from_xywh, _to_xywh),
    "cxcywh": Format(4, _from_cxcywh, _to_cxcywh),
    "xywhr": Format(5, _from_xywhr, _to_xywhr),
    "cxcywhr": Format(5, _from_cxcywhr, _to_cxcywhr),
    "xyxyxyxy": Format(8, _from_corners, _to_corners),
}

_FRACTIONS = {f"normalized_{name}": _PIXELS[name]._replace(relative=True) for name in ("xyxy", "xywh", "cxcywh")}

FORMATS = {
    **_PIXELS,
    **_FRACTIONS,
    "pascal_voc": _PIXELS["xyxy"],
    "coco": _PIXELS["xywh"],
    "albumentations": _FRACTIONS["normalized_xyxy"],
    "yolo": _FRACTIONS["normalized_cxcywh"],
    "xyxyn": _FRACTIONS["normalized_xyxy"],
    "cxcywhn": _FRACTIONS["normalized_cxcywh"],
    "rel_xyxy": _FRACTIONS["normalized_xyxy"],
    "rel_xywh": _FRACTIONS["normalized_xywh"],
    "center_xywh": _PIXELS["cxcywh"],
}
"""Formats by their names in torchvision (lower case), Albumentations, Hugging Face and Keras.

``xywhn`` is missing on purpose: where it is used the first two numbers are the centre, unlike those of ``xywh`` here.
"""
