"""Annotations of objects: read from whatever form they are written in, and checked, once for all images of a batch.

They come as columns: one value an image, whose rows are the objects of that image.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mixtransforms.containers.tree import Path, describe, is_typed, spell
from mixtransforms.core.backends import backend_of
from mixtransforms.core.errors import InputError
from mixtransforms.core.layers import BoolArray, FloatArray, IntArray
from mixtransforms.kernels import kernel_of
from mixtransforms.objects import box_formats
from mixtransforms.objects.boxes import BoxRules
from mixtransforms.objects.columns import CanvasSize, Column, any_typed, format_of, host_reader, hosts, unlike
from mixtransforms.objects.groups import Group
from mixtransforms.objects.instance_masks import windows
from mixtransforms.objects.scale import check_scale, own_format
from mixtransforms.targets.names import OF_EITHER

SNAP = 1e-3
"""Pixels; how far float32 fractions of an image may be from whole pixels: 1e-7 of images of up to 10,000 pixels."""


class Annotations(NamedTuple):
    """All objects of some images, one image after the other, on the host; ``N`` of them.

    Attributes:
        counts: How many every image has, ``(B,)``.
        boxes: Boxes as they are written, ``(N, 4+)`` float64, or ``None``.
        corners: The same in pixels, as plans have axes: ``(N, 2, 2)``, or ``(N, 4, 2)`` where they may be rotated.
        masks: Instance masks of every image, ``(n, H, W)`` of the common size, or none.
        points: Keypoints ``(N, K, C)`` float64, or ``None``.
        width: Numbers of a keypoint; 0 where no image says.
        valid: Objects whose boxes have an area, ``(N,)``.
        rewritten: Objects whose boxes are written anew also where mixing leaves them, ``(N,)``: their image was padded
            to the common size, or the box is that of their mask.
    """

    counts: IntArray
    boxes: FloatArray | None
    corners: FloatArray | None
    masks: Sequence[NDArray[Any]]
    points: FloatArray | None
    width: int
    valid: BoolArray
    rewritten: BoolArray

    def of(self, images: IntArray) -> tuple[IntArray, IntArray]:
        """Valid objects of some images: which of ``images`` they belong to, and their own numbers."""
        counts = self.counts[images]
        stops = np.cumsum(self.counts)[images]
        entry = np.repeat(np.arange(len(counts)), counts)
        index = np.arange(len(entry)) + np.repeat(stops - np.cumsum(counts), counts)
        if self.valid.all():
            return entry, index
        valid = self.valid[index]
        return entry[valid], index[valid]


def parse_annotations(
    group: Group,
    columns: Mapping[Path, Column],
    canvases: Sequence[CanvasSize],
    shape: CanvasSize,
    rules: BoxRules,
    first: int = 0,
) -> Annotations:
    """Reads and checks the objects of several images.

    Args:
        group: What the values are.
        columns: The values by path.
        canvases: Height and width of every image.
        shape: Height and width that all images of the batch have after padding.
        rules: How boxes are written that do not say so themselves.
        first: Place of the first image in the batch, for errors.

    Raises:
        InputError: Rows are of different number, or something is written in another form or for another canvas.
    """
    # The anchor says how many objects there are: boxes before masks, and masks before keypoints.
    counts = columns[group.anchor].counts
    for path, column in columns.items():
        _check_column(path, column, group.anchor, counts, canvases, first)
    rewritten = np.zeros(sum(counts), np.bool_)
    if set(map(tuple, canvases)) != {tuple(shape)}:
        rewritten = np.repeat([tuple(canvas) != tuple(shape) for canvas in canvases], counts).astype(np.bool_)
    boxes = corners = points = None
    width, valid = 0, np.ones(len(rewritten), np.bool_)
    if group.boxes:
        boxes, form = _parse_boxes(columns[group.boxes], group.boxes, rules, first)
        if counts and not group.moved:
            check_scale(boxes, rules, lambda: canvases, group.boxes, own_format(columns[group.boxes].items[0]))
        # Fractions are of an image as it came, and pixels of the padded one: padding is at the right and lower edges.
        corners = box_formats.decode(boxes, form, _canvas(canvases, counts))
        valid = ~box_formats.degenerate(corners)
        corners = box_formats.to_plan(_on_grid(corners) if corners.ndim == 2 else corners)
    masks: list[NDArray[Any]] = []
    if group.instances:
        masks = _parse_masks(columns[group.instances].items, group.instances, canvases, shape, first)
        if corners is not None and corners.shape[1] == 2 and not valid.all():
            around, thin = _thin(corners, masks)
            thin &= ~valid
            corners = np.where(thin[:, None, None], around, corners)
            valid, rewritten = valid | thin, rewritten | thin
    if group.keypoints:
        points, width = _parse_points(columns[group.keypoints], group.keypoints, group.single, first)
    return Annotations(np.array(counts, np.int64), boxes, corners, masks, points, width, valid, rewritten)


def _check_column(
    path: Path, column: Column, anchor: Path, counts: Sequence[int], canvases: Sequence[CanvasSize], first: int
) -> None:
    """Every image has one row for each of its objects, told of for its own canvas."""
    items = column.items
    if column.counts == counts and not (any_typed(items) and any(map(_is_elsewhere, items, counts, canvases))):
        return
    for index, (item, count, canvas) in enumerate(zip(items, counts, canvases, strict=True), first):
        if len(item) != count:
            raise InputError(
                "Objects of different number",
                where=spell((*path, index)),
                got=f"{len(item)} rows",
                wanted=f"{count}, as in {spell((*anchor, index))}",
                fix=f"Give one row for every object, {_own_label(path, items)}or another name if it is not of objects.",
            )
        if _is_elsewhere(item, count, canvas):
            raise InputError(
                "Canvas sizes disagree",
                where=spell((*path, index)),
                got=f"canvas_size={tuple(item.canvas_size)}",
                wanted=f"{tuple(canvas)}, as the image",
                fix="Transform images and boxes together, or correct canvas_size.",
            )


def _is_elsewhere(item: Any, count: int, canvas: CanvasSize) -> bool:
    """Whether objects say that they are of another canvas; hosts forget that of no objects."""
    own = getattr(item, "canvas_size", None) if count else None
    return own is not None and own != canvas and is_typed(item) and tuple(own) != tuple(canvas)


def _own_label(path: Path, items: Sequence[Any]) -> str:
    """The way out for what may be the samples' own labels, rows of one width."""
    name = str(path[-1])
    label = (name.lower() == "labels" or name.lower() in OF_EITHER) and {*map(len, items)} != {len(items[0]), 1}
    return f"say kinds={{{name!r}: 'label'}} where it is the sample's own, " if label else ""


def _canvas(canvases: Sequence[CanvasSize], counts: Sequence[int]) -> box_formats.Canvas:
    """Height and width of all images where they are alike, else of that of every object."""
    if len(set(canvases)) == 1:
        return canvases[0]
    height, width = np.repeat(np.array(canvases, np.int64).reshape(-1, 2), counts, axis=0).T
    return height, width


def _on_grid(corners: FloatArray) -> FloatArray:
    """Corners that rounding has moved off the borders of pixels, put back; else slivers of covered boxes are seen."""
    whole = np.rint(corners)
    with np.errstate(invalid="ignore"):  # corners that are not finite are degenerate
        off = np.abs(corners - whole)
        rows = np.flatnonzero(((off <= SNAP) & (off > 0)).any(axis=1))  # few; most are there, or far from it
    if not len(rows):
        return corners
    near = np.where(off[rows] <= SNAP, whole[rows], corners[rows])
    corners[rows] = np.where(box_formats.degenerate(near)[:, None], corners[rows], near)
    return corners


def _host_numbers(items: Sequence[Any], path: Path, first: int) -> list[FloatArray]:
    """The values of a column as numbers."""
    to_host, numbers = host_reader(items), []
    try:
        for item in items:
            numbers.append(to_host(item).astype(np.float64))  # noqa: PERF401 (how many there are says which failed)
    except (ValueError, TypeError) as reason:
        raise InputError(
            "Not rows of numbers",
            where=spell((*path, first + len(numbers))),
            got=str(reason),
            wanted="equally many numbers for every object",
            fix="Give labels a name of their own beside the boxes.",
        ) from None
    return numbers


def _one_after_another(items: Sequence[FloatArray], empty: FloatArray, path: Path) -> FloatArray:
    """The rows of all images, which lists may write unlike; ``empty`` where there are none."""
    filled = [item for item in items if len(item)] or [empty]
    shapes = {item.shape[1:] for item in filled}
    if len(shapes) > 1:
        raise unlike(path, f"rows of shapes {sorted(shapes)}", "rows of one shape for all images")
    return np.concatenate(filled)


def _read_at_once(column: Column) -> FloatArray | None:
    """The rows of all images as numbers, ``None`` where that fails: who reads them one by one can say where."""
    filled = column.filled
    if not filled:
        return None
    try:
        if column.shapes is None:
            rows = np.asarray(list(itertools.chain.from_iterable(filled)))
        else:
            kernel = kernel_of(str(backend_of(column.items[0])))
            rows = kernel.to_host(filled[0] if len(filled) == 1 else kernel.rows_together(filled))
    except (ValueError, TypeError, RuntimeError):
        return None
    return rows.astype(np.float64) if rows.dtype.kind in "biuf" else None


def _parse_boxes(column: Column, path: Path, rules: BoxRules, first: int) -> tuple[FloatArray, str]:
    """The boxes of all images as they are written, and in which format."""
    form = format_of(column.items[0] if column.items else None, rules)
    width = box_formats.column_count(form)
    if not any(column.counts):
        return np.zeros((0, width)), form
    rows = _read_at_once(column)
    if rows is not None and rows.ndim == 2 and rows.shape[1] >= width:
        return rows, form
    boxes = _host_numbers(column.items, path, first)
    for index, values in enumerate(boxes, first):
        if len(values) and (values.ndim != 2 or values.shape[1] < width):
            raise InputError(
                "Boxes of another form",
                where=spell((*path, index)),
                got=f"shape {values.shape}",
                wanted=f"(N, {width}), {form}",
                fix="Give every image a row for each box, or say how they are written with boxes=BoxRules(format=...).",
            )
    return _one_after_another(boxes, np.zeros((0, width)), path), form


def _parse_masks(
    items: Sequence[Any], path: Path, canvases: Sequence[CanvasSize], shape: CanvasSize, first: int
) -> list[NDArray[Any]]:
    """The instance masks of every image, padded to the common size."""
    found = []
    for index, (item, masks, canvas) in enumerate(zip(items, hosts(items), canvases, strict=True), first):
        if not masks.size:
            masks = np.zeros((len(item), *shape), masks.dtype)  # of no objects, the shape is often (0,)
        elif masks.shape[1:] != tuple(canvas):
            raise InputError(
                "Instance masks of another size",
                where=spell((*path, index)),
                got=f"shape {masks.shape}",
                wanted=f"(N, {canvas[0]}, {canvas[1]}), as the image",
                fix="Give one mask an object, of the size of the image.",
            )
        elif masks.shape[1:] != tuple(shape):
            masks = kernel_of("numpy").padded(masks, (len(masks), *shape), 0)
        found.append(masks)
    return found


def _thin(corners: FloatArray, masks: Sequence[NDArray[Any]]) -> tuple[FloatArray, BoolArray]:
    """Which boxes end with the last pixel of the mask beside them, as ``torchvision.ops.masks_to_boxes`` has it.

    Of objects one pixel high or wide such boxes have no area, and their masks say where they are.

    Returns:
        Boxes around all masks, as plans have them, and whose last corner is a pixel less, ``(N,)``.
    """
    sides = [window for each in masks for window in windows(each)]
    around = np.array([[[side.start for side in window], [side.stop for side in window]] for window in sides], float)
    return around, (np.abs(corners - (around - [[0.0], [1.0]])) <= SNAP).all(axis=(1, 2))


def _parse_points(column: Column, path: Path, single: bool, first: int) -> tuple[FloatArray, int]:
    """The keypoints of all images, ``(N, K, C)``, single ones as ``(P, 1, C)``; and how many numbers each is, or 0."""
    rows = _read_at_once(column)
    if rows is not None and rows.size and rows.ndim == (2 if single else 3):
        return rows[:, None] if single else rows, rows.shape[-1]
    each, nothing = [], np.zeros((0, 1, 0))
    for index, points in enumerate(_host_numbers(column.items, path, first), first):
        if points.size and points.ndim != (2 if single else 3):
            raise InputError(
                "Keypoints of another form",
                where=spell((*path, index)),
                got=describe(column.items[index - first]),
                wanted="(P, 2), single points" if single else "(N, K, 2) or (N, K, 3), K points an object",
                fix="Give every image the same number of axes, empty arrays included.",
            )
        each.append(nothing if points.ndim < 2 else points[:, None] if single else points)
    empty = next((item[:0] for item in each if item.shape[-1]), nothing)
    # Images without any say it by their shape, where no other does.
    widths = [item.shape[-1] for item in each if item.size] or [item.shape[-1] for item in each if item.ndim == 3]
    return _one_after_another(each, empty, path), next(filter(None, widths), 0)
