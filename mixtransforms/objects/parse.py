"""What is told of the objects of one image, read from whatever form it is written in."""

from __future__ import annotations

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
from mixtransforms.objects.columns import hosts, reader, unlike
from mixtransforms.objects.groups import Group

ROUNDING = 1e-3
"""Pixels; how far float32 fractions of an image may be from whole pixels."""


Size = tuple[int, int]


class Told(NamedTuple):
    """Objects of one image, or of several, one image after the other, on the host.

    Attributes:
        number: How many there are, ``N``.
        boxes: Boxes as they are written, ``(N, 4+)`` float64, or ``None``.
        corners: The same in pixels, ``(N, 4)``, or ``(N, 4, 2)`` where they may be rotated.
        masks: Instance masks ``(N, H, W)`` of the common size, or ``None``; those of one image alone.
        points: Keypoints ``(N, K, C)`` float64, or ``None``.
        sound: Objects whose boxes have an area, ``(N,)``.
        resized: Objects whose image was padded to the common size, ``(N,)``.
    """

    number: int
    boxes: FloatArray | None
    corners: FloatArray | None
    masks: NDArray[Any] | None
    points: FloatArray | None
    sound: BoolArray
    resized: BoolArray

    def take(self, index: IntArray, masks: NDArray[Any] | None = None) -> Told:
        """Some of the objects, with masks that have been taken before."""
        boxes, corners, points = (at(values, index) for values in (self.boxes, self.corners, self.points))
        return Told(len(index), boxes, corners, masks, points, self.sound[index], self.resized[index])


class AllTold(NamedTuple):
    """The objects of all images.

    Attributes:
        objects: One image after the other, without their masks.
        counts: How many every image has, ``(B,)``.
        masks: The instance masks of every image, ``(N, H, W)`` each, or none.
        points: Shapes of the keypoints of every image.
    """

    objects: Told
    counts: IntArray
    masks: Sequence[NDArray[Any]]
    points: Sequence[tuple[int, ...]]

    @property
    def starts(self) -> IntArray:
        """Where the objects of every image begin, ``(B,)``."""
        return np.asarray(np.cumsum(self.counts) - self.counts)


def read(
    group: Group,
    items: Mapping[Path, Any],
    index: int,
    canvas: Size,
    shape: Size,
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
    told = read_all(group, {path: [item] for path, item in items.items()}, [canvas], shape, rules, index)
    return told.objects._replace(masks=told.masks[0] if told.masks else None)


def read_all(
    group: Group,
    columns: Mapping[Path, Sequence[Any]],
    canvases: Sequence[Size],
    shape: Size,
    rules: BoxRules,
    first: int = 0,
) -> AllTold:
    """Reads and checks the objects of several images.

    Args:
        group: What the values are.
        columns: One value an image, by path; of one backend in each column.
        canvases: Height and width of every image.
        shape: Height and width that all images of the batch have after padding.
        rules: How boxes are written that do not say so themselves.
        first: Place of the first image in the batch, for errors.

    Raises:
        InputError: Rows are of different number, or something is written in another form or for another canvas.
    """
    counts = [rows(item) for item in columns[group.anchor]]
    for path, items in columns.items():
        _check_column(path, items, group.anchor, counts, canvases, first)
    resized = np.repeat([tuple(canvas) != tuple(shape) for canvas in canvases], counts).astype(np.bool_)
    boxes = corners = points = None
    sound = np.ones(len(resized), np.bool_)
    if group.boxes:
        boxes, form = _boxes(columns[group.boxes], group.boxes, rules, first)
        corners = box_formats.decode(boxes, form, _canvas(canvases, counts))
        sound = ~box_formats.degenerate(corners)
        corners = _on_grid(corners) if corners.ndim == 2 else corners
    masks: list[NDArray[Any]] = []
    if group.instances:
        masks = _masks(columns[group.instances], group.instances, canvases, shape, first)
    shapes: list[tuple[int, ...]] = []
    if group.keypoints:
        each = _points(columns[group.keypoints], group.keypoints, group.single, first)
        empty = next((item[:0] for item in each if item.shape[-1]), np.zeros((0, 1, 0)))
        points, shapes = _one_after_another(each, empty, group.keypoints), [item.shape for item in each]
    objects = Told(len(resized), boxes, corners, None, points, sound, resized)
    return AllTold(objects, np.array(counts, np.int64), masks, shapes)


def at(values: Any, index: IntArray) -> Any:
    """Rows of an array, or ``None``."""
    return None if values is None else values.take(index, axis=0)


def _check_column(
    path: Path,
    items: Sequence[Any],
    anchor: Path,
    counts: Sequence[int],
    canvases: Sequence[Size],
    first: int,
) -> None:
    """Every image has one row for each of its objects, told of for its own canvas."""
    for index, (item, count, canvas) in enumerate(zip(items, counts, canvases, strict=True), first):
        if rows(item) != count:
            raise _unequal((*path, index), item, (*anchor, index), count)
        if count and is_typed(item):  # hosts forget the canvas of no objects
            _check_canvas(item, (*path, index), canvas)


def _canvas(canvases: Sequence[Size], counts: Sequence[int]) -> box_formats.Canvas:
    """Height and width of all images where they are alike, else of that of every object."""
    if len(set(canvases)) == 1:
        return canvases[0]
    height, width = np.repeat(np.array(canvases, np.int64).reshape(-1, 2), counts, axis=0).T
    return height, width


def _on_grid(corners: FloatArray) -> FloatArray:
    """Corners that rounding has moved off the borders of pixels, put back; else slivers of covered boxes are seen."""
    whole = np.rint(corners)
    with np.errstate(invalid="ignore"):  # corners that are not finite are degenerate
        near = np.where(np.abs(corners - whole) <= ROUNDING, whole, corners)
    return np.where(box_formats.degenerate(near)[:, None], corners, near)


def format_of(item: Any, rules: BoxRules) -> str:
    """How the boxes of one image are written: as their type says, as declared, or as corners in pixels."""
    own = getattr(item, "format", None)
    return str(own.name).lower() if own is not None else rules.format or "xyxy"


def rows(item: Any) -> int:
    """Number of objects that one image's value tells of."""
    return int(item.shape[0]) if backend_of(item) else len(item)


def host(item: Any) -> NDArray[Any]:
    """One image's value on the host."""
    return hosts([item])[0]


def _numbers(items: Sequence[Any], path: Path, first: int) -> list[FloatArray]:
    """The values of a column as numbers."""
    to_host, numbers = reader(items), []
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


def _boxes(items: Sequence[Any], path: Path, rules: BoxRules, first: int) -> tuple[FloatArray, str]:
    """The boxes of all images as they are written, and in which format."""
    form = format_of(items[0] if items else None, rules)
    width = box_formats.columns(form)
    boxes = _numbers(items, path, first)
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


def _masks(items: Sequence[Any], path: Path, canvases: Sequence[Size], shape: Size, first: int) -> list[NDArray[Any]]:
    """The instance masks of every image, padded to the common size."""
    found = []
    for index, (item, masks, canvas) in enumerate(zip(items, hosts(items), canvases, strict=True), first):
        if not masks.size:
            masks = np.zeros((rows(item), *shape), masks.dtype)
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


def _points(items: Sequence[Any], path: Path, single: bool, first: int) -> list[FloatArray]:
    """The keypoints of every image, ``(N, K, C)``; single ones as ``(P, 1, C)``."""
    found = []
    empty = np.zeros((0, 1, 0))
    for index, points in enumerate(_numbers(items, path, first), first):
        if points.size and points.ndim != (2 if single else 3):
            raise InputError(
                "Keypoints of another form",
                where=spell((*path, index)),
                got=describe(items[index - first]),
                wanted="(P, 2), single points" if single else "(N, K, 2) or (N, K, 3), K points an object",
                fix="Give every image the same number of axes, empty arrays included.",
            )
        found.append(empty if points.ndim < 2 else points[:, None] if single else points)
    return found


def _check_canvas(item: Any, path: Path, canvas: tuple[int, int]) -> None:
    own = getattr(item, "canvas_size", None)
    if own is not None and tuple(own) != tuple(canvas):
        raise InputError(
            "Canvas sizes disagree",
            where=spell(path),
            got=f"canvas_size={tuple(own)}",
            wanted=f"{tuple(canvas)}, as the image",
            fix="Transform images and boxes together, or correct canvas_size.",
        )


def _unequal(path: Path, item: Any, anchor: Path, count: int) -> InputError:
    return InputError(
        "Objects of different number",
        where=spell(path),
        got=f"{rows(item)} rows",
        wanted=f"{count}, as in {spell(anchor)}",
        fix="Give one row for every object, or leave it alone with passthrough.",
    )
