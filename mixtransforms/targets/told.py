"""What is told of the objects of one image, read from whatever form it is written in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core.errors import InputError, explain
from mixtransforms.core.layers import BoolArray, FloatArray
from mixtransforms.kernels import backend_of, kernel_of
from mixtransforms.targets import formats
from mixtransforms.targets.boxes import BoxRules
from mixtransforms.targets.containers import Path, describe, spell
from mixtransforms.targets.groups import Group

ROUNDING = 1e-3
"""Pixels; how far float32 fractions of an image may be from whole pixels."""


class Told(NamedTuple):
    """The objects of one image, on the host.

    Attributes:
        number: How many there are, ``N``.
        boxes: Boxes as they are written, ``(N, 4+)`` float64, or ``None``.
        corners: The same in pixels, ``(N, 4)``, or ``(N, 4, 2)`` where they may be rotated.
        masks: Instance masks ``(N, H, W)`` of the common size, or ``None``.
        points: Keypoints ``(N, K, C)`` float64, or ``None``.
        sound: Objects whose boxes have an area, ``(N,)``.
        resized: Whether the image was padded to the common size.
    """

    number: int
    boxes: FloatArray | None
    corners: FloatArray | None
    masks: NDArray[Any] | None
    points: FloatArray | None
    sound: BoolArray
    resized: bool


def read(
    group: Group,
    items: Mapping[Path, Any],
    index: int,
    canvas: tuple[int, int],
    shape: tuple[int, int],
    rules: BoxRules,
) -> Told:
    """Reads and checks the objects of one image.

    Args:
        group: What the values are.
        items: The image's own values, by the path of their column.
        index: Its place in the batch, for errors.
        canvas: Height and width of the image.
        shape: Height and width that all images of the batch have after padding.
        rules: How boxes are written that do not say so themselves.

    Raises:
        InputError: Rows are of different number, or something is written in another form or for another canvas.
    """
    count = rows(items[group.anchor])
    for path, item in items.items():
        if rows(item) != count:
            raise _unequal((*path, index), item, (*group.anchor, index), count)
        if count:  # hosts forget the canvas of no objects
            _check_canvas(item, (*path, index), canvas)
    written = corners = masks = points = None
    sound = np.ones(count, np.bool_)
    if group.boxes:
        written = _boxes(items[group.boxes], (*group.boxes, index), rules)
        form = format_of(items[group.boxes], rules)
        corners = formats.decode(written[:, : formats.columns(form)], form, canvas)
        sound = ~formats.degenerate(corners)
        corners = _on_grid(corners) if corners.ndim == 2 else corners
    if group.instances:
        masks = _masks(items[group.instances], (*group.instances, index), canvas, shape)
    if group.keypoints:
        points = _points(items[group.keypoints], (*group.keypoints, index), group.single)
    return Told(count, written, corners, masks, points, sound, tuple(canvas) != tuple(shape))


def _on_grid(corners: FloatArray) -> FloatArray:
    """Corners that rounding has moved off the borders of pixels, put back; else slivers of covered boxes are seen."""
    whole = np.rint(corners)
    with np.errstate(invalid="ignore"):  # corners that are not finite are degenerate
        near = np.where(np.abs(corners - whole) <= ROUNDING, whole, corners)
    return np.where(formats.degenerate(near)[:, None], corners, near)


def format_of(item: Any, rules: BoxRules) -> str:
    """How the boxes of one image are written: as their type says, as declared, or as corners in pixels."""
    own = getattr(item, "format", None)
    return str(own.name).lower() if own is not None else rules.format or "xyxy"


def host(item: Any) -> NDArray[Any]:
    """One image's value on the host."""
    backend = backend_of(item)
    return np.asarray(item) if backend is None else kernel_of(backend).to_host(item)


def _numbers(item: Any, path: Path) -> FloatArray:
    """One image's value as numbers."""
    try:
        return host(item).astype(np.float64)
    except (ValueError, TypeError) as reason:
        raise InputError(
            explain(
                "Not rows of numbers",
                where=spell(path),
                got=str(reason),
                wanted="equally many numbers for every object",
                fix="Give labels a name of their own beside the boxes.",
            )
        ) from None


def rows(item: Any) -> int:
    """Number of objects that a value tells of."""
    return int(item.shape[0]) if backend_of(item) else len(item)


def _boxes(item: Any, path: Path, rules: BoxRules) -> FloatArray:
    values = _numbers(item, path)
    form = format_of(item, rules)
    width = formats.columns(form)
    if not values.size:
        return values.reshape(0, max(width, values.shape[1] if values.ndim == 2 else 0))
    if values.ndim != 2 or values.shape[1] < width:
        raise InputError(
            explain(
                "Boxes of another form",
                where=spell(path),
                got=f"shape {values.shape}",
                wanted=f"(N, {width}), {form}",
                fix="Give every image a row for each box, or say how they are written with boxes=BoxRules(format=...).",
            )
        )
    return values


def _masks(item: Any, path: Path, canvas: Sequence[int], shape: Sequence[int]) -> NDArray[Any]:
    masks = host(item)
    if not masks.size:
        return np.zeros((rows(item), *shape), masks.dtype)
    if masks.shape[1:] != tuple(canvas):
        raise InputError(
            explain(
                "Instance masks of another size",
                where=spell(path),
                got=f"shape {masks.shape}",
                wanted=f"(N, {canvas[0]}, {canvas[1]}), as the image",
                fix="Give one mask an object, of the size of the image.",
            )
        )
    whole: NDArray[Any] = kernel_of("numpy").padded(masks, (len(masks), *shape), 0)
    return masks if tuple(canvas) == tuple(shape) else whole


def _points(item: Any, path: Path, single: bool) -> FloatArray:
    points = _numbers(item, path)
    if points.size and points.ndim != (2 if single else 3):
        raise InputError(
            explain(
                "Keypoints of another form",
                where=spell(path),
                got=describe(item),
                wanted="(P, 2), single points" if single else "(N, K, 2) or (N, K, 3), K points an object",
                fix="Give every image the same number of axes, empty arrays included.",
            )
        )
    if points.ndim < 2:
        return np.zeros((0, 1, 0))
    return points[:, None] if single else points


def _check_canvas(item: Any, path: Path, canvas: tuple[int, int]) -> None:
    own = getattr(item, "canvas_size", None)
    if own is not None and tuple(own) != tuple(canvas):
        raise InputError(
            explain(
                "Canvas sizes disagree",
                where=spell(path),
                got=f"canvas_size={tuple(own)}",
                wanted=f"{tuple(canvas)}, as the image",
                fix="Transform images and boxes together, or correct canvas_size.",
            )
        )


def _unequal(path: Path, item: Any, anchor: Path, count: int) -> InputError:
    return InputError(
        explain(
            "Objects of different number",
            where=spell(path),
            got=f"{rows(item)} rows",
            wanted=f"{count}, as in {spell(anchor)}",
            fix="Give one row for every object, or leave it alone with passthrough.",
        )
    )
