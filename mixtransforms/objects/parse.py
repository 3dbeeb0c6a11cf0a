"""Annotations of objects: read from whatever form they are written in, and checked, once for all images of a batch.

They come as columns: one value an image, whose rows are the objects of that image.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mixtransforms.containers.tree import Path, describe, is_typed, spell
from mixtransforms.core.backends import backend_of, backend_of_type
from mixtransforms.core.errors import InputError
from mixtransforms.core.layers import BoolArray, FloatArray, IntArray
from mixtransforms.kernels import kernel_of
from mixtransforms.objects import box_formats
from mixtransforms.objects.boxes import BoxRules
from mixtransforms.objects.groups import Group
from mixtransforms.objects.instance_masks import windows
from mixtransforms.objects.scale import check_scale, own_format
from mixtransforms.targets.names import OF_EITHER

SNAP = 1e-3
"""Pixels; how far float32 fractions of an image may be from whole pixels: 1e-7 of images of up to 10,000 pixels."""

CanvasSize = tuple[int, int]


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
        valid = self.valid[index]
        return (entry, index) if valid.all() else (entry[valid], index[valid])


def parse_annotations(
    group: Group,
    columns: Mapping[Path, Sequence[Any]],
    canvases: Sequence[CanvasSize],
    shape: CanvasSize,
    rules: BoxRules,
    first: int = 0,
) -> Annotations:
    """Reads and checks the objects of several images.

    Args:
        group: What the values are.
        columns: The values, one an image, by path.
        canvases: Height and width of every image.
        shape: Height and width that all images of the batch have after padding.
        rules: How boxes are written that do not say so themselves.
        first: Place of the first image in the batch, for errors.

    Raises:
        InputError: Rows are of different number, or something is written in another form or for another canvas.
    """
    # The anchor says how many objects there are: boxes before masks, and masks before keypoints.
    counts = list(map(len, columns[group.anchor]))
    for path, items in columns.items():
        _check_column(path, items, group.anchor, counts, canvases, first)
    rewritten = np.repeat([tuple(canvas) != tuple(shape) for canvas in canvases], counts).astype(np.bool_)
    boxes = corners = points = None
    width, valid = 0, np.ones(len(rewritten), np.bool_)
    if group.boxes:
        boxes, form = _parse_boxes(columns[group.boxes], group.boxes, rules, first)
        if counts and not group.moved:
            check_scale(boxes, rules, lambda: canvases, group.boxes, own_format(columns[group.boxes][0]))
        # Fractions are of an image as it came, and pixels of the padded one: padding is at the right and lower edges.
        corners = box_formats.decode(boxes, form, _canvas(canvases, counts))
        valid = ~box_formats.degenerate(corners)
        corners = box_formats.to_plan(_on_grid(corners) if corners.ndim == 2 else corners)
    masks: list[NDArray[Any]] = []
    if group.instances:
        masks = _parse_masks(columns[group.instances], group.instances, canvases, shape, first)
        if corners is not None and corners.shape[1] == 2 and not valid.all():
            around, thin = _thin(corners, masks)
            thin &= ~valid
            corners = np.where(thin[:, None, None], around, corners)
            valid, rewritten = valid | thin, rewritten | thin
    if group.keypoints:
        each = _parse_points(columns[group.keypoints], group.keypoints, group.single, first)
        empty = next((item[:0] for item in each if item.shape[-1]), np.zeros((0, 1, 0)))
        points = _one_after_another(each, empty, group.keypoints)
        # Images without any say it by their shape, where no other does.
        widths = [item.shape[-1] for item in each if item.size] or [item.shape[-1] for item in each if item.ndim == 3]
        width = next(filter(None, widths), 0)
    return Annotations(np.array(counts, np.int64), boxes, corners, masks, points, width, valid, rewritten)


# ------------------------------------------------------------------------------------------ columns


def items_of(column: Any, sizes: Sequence[CanvasSize]) -> Sequence[Any]:
    """The values of a column, one an image, as alike as images with and without objects allow.

    Where an image has no objects, its own value is often of another dtype or type, an empty list, or missing: it
    takes on the form of the others.

    Args:
        column: A list or tuple of arrays or lists, or an array ``(B, N, ...)``; a stacked tensor says its type.
        sizes: Height and width of every image.
    """
    backend = backend_of(column)
    items = column if backend is None else list(column)
    if backend is not None and is_typed(column):
        items = [kernel_of(backend).wrap_like(item, column) for item in items]
    backends = _backends(items)
    arrays = [item for item in items if backends[type(item)] and len(item.shape)]
    alike = len({(type(item), item.dtype) for item in arrays}) < 2 and len(_written_formats(arrays)) < 2
    if alike and len(arrays) == len(items):
        return items
    # An empty array is often made by another line of the dataset, and has the default dtype: it does not count.
    telling = [item for item in arrays if item.shape[0]] or arrays
    empty = all(backends[type(item)] or _is_nothing(item) for item in items)
    if not arrays or len({backends[type(item)] for item in arrays}) > 1 or not empty:
        return [_empty_list(item, items) for item in items]
    kernel = kernel_of(str(backend_of(arrays[0])))
    dtype = kernel.common_dtype(telling)
    nobody = kernel.wrap_like(telling[0][:0], telling[0])
    like = [nobody if _is_nothing(item) or not len(item) else item for item in items]
    typed = [kernel.wrap_like(kernel.astype(item, dtype), item) for item in like]
    return [_on(item, size) for item, size in zip(typed, sizes, strict=True)]


def check_forms(path: Path, items: Sequence[Any], *, masks: bool) -> None:
    """Refuses values whose rows do not go into one array.

    Args:
        path: Where the column stands.
        items: One value an image.
        masks: Whether they are instance masks, which may be of unequal sizes before padding.

    Raises:
        InputError: Types, backends, formats or shapes of rows differ.
    """
    backends = _backends(items)
    for index, item in enumerate(items):
        if type(item) not in (list, tuple) and not (backends[type(item)] and len(item.shape)):
            raise unlike((*path, index), describe(item), "an array or a list with a row for every object")
    filled = [item for item in items if backends[type(item)] and item.shape[0]]
    shapes, forms = {tuple(item.shape[1:]) for item in filled}, _written_formats(filled)
    if len(set(backends.values())) > 1:
        raise unlike(path, "lists, NumPy arrays and tensors side by side", "one of them for all images")
    if len(shapes) > 1 and not masks:
        raise unlike(path, f"rows of shapes {sorted(shapes)}", "rows of one shape for all images")
    if len(forms) > 1:
        names = sorted(form or "no format of their own" for form in forms)
        raise unlike(path, " and ".join(names), "one format for all images")


def host_reader(items: Sequence[Any]) -> Callable[[Any], NDArray[Any]]:
    """What brings a value of a column to the host, where all have the same backend or none."""
    backend = backend_of(items[0]) if items else None
    return np.asarray if backend is None else kernel_of(backend).to_host


def hosts(items: Sequence[Any]) -> list[NDArray[Any]]:
    """The values of a column on the host."""
    return list(map(host_reader(items), items))


def any_typed(items: Sequence[Any]) -> bool:
    """Whether any value is a tensor that says its kind by its type; types are asked once, and not once an image."""
    return any(map(is_typed, {type(item): item for item in items}.values()))


def unlike(path: Path, got: str, wanted: str) -> InputError:
    """The error for objects that cannot be joined."""
    return InputError(
        "Objects of different forms",
        where=spell(path),
        got=got,
        wanted=wanted,
        fix="Give all images the same, empty where there are no objects.",
    )


def format_of(item: Any, rules: BoxRules) -> str:
    """How the boxes of one image are written: as their type says, as declared, or as corners in pixels."""
    own = getattr(item, "format", None)
    return str(own.name).lower() if own is not None else rules.format or "xyxy"


def _backends(items: Sequence[Any]) -> dict[type, str | None]:
    """The backends of values by their types: of many images there are one or two."""
    return {kind: backend_of_type(kind) for kind in set(map(type, items))}


def _written_formats(items: Sequence[Any]) -> set[str | None]:
    """How the types of boxes say that they are written: ``"XYXY"``, ``"CXCYWH"``, ..., or ``None``."""
    if not any_typed(items):
        return {None} if items else set()
    return {str(item.format.name) if is_typed(item) and hasattr(item, "format") else None for item in items}


def _is_nothing(item: Any) -> bool:
    return item is None or (type(item) in (list, tuple) and not item)


def _empty_list(item: Any, items: Sequence[Any]) -> Any:
    """An empty list where nothing is told and other images have lists."""
    return [] if item is None and any(type(other) in (list, tuple) for other in items) else item


def _on(item: Any, size: CanvasSize) -> Any:
    """A typed tensor without rows, on the canvas of its own image."""
    if not len(item) and hasattr(item, "canvas_size"):
        item.canvas_size = tuple(size)
    return item


def _check_column(
    path: Path, items: Sequence[Any], anchor: Path, counts: Sequence[int], canvases: Sequence[CanvasSize], first: int
) -> None:
    """Every image has one row for each of its objects, told of for its own canvas."""
    if list(map(len, items)) == counts and not any_typed(items):
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
        own = getattr(item, "canvas_size", None) if is_typed(item) else None
        if count and own is not None and tuple(own) != tuple(canvas):  # hosts forget the canvas of no objects
            raise InputError(
                "Canvas sizes disagree",
                where=spell((*path, index)),
                got=f"canvas_size={tuple(own)}",
                wanted=f"{tuple(canvas)}, as the image",
                fix="Transform images and boxes together, or correct canvas_size.",
            )


def _own_label(path: Path, items: Sequence[Any]) -> str:
    """The way out for what may be the samples' own labels, rows of one width."""
    name = str(path[-1])
    label = (name.lower() == "labels" or name.lower() in OF_EITHER) and {*map(len, items)} != {len(items[0]), 1}
    return f"say kinds={{{name!r}: 'label'}} where it is the sample's own, " if label else ""


# ------------------------------------------------------------------------------------------ kinds


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
        near = np.where(np.abs(corners - whole) <= SNAP, whole, corners)
    return np.where(box_formats.degenerate(near)[:, None], corners, near)


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


def _parse_boxes(items: Sequence[Any], path: Path, rules: BoxRules, first: int) -> tuple[FloatArray, str]:
    """The boxes of all images as they are written, and in which format."""
    form = format_of(items[0] if items else None, rules)
    width = box_formats.column_count(form)
    boxes = _host_numbers(items, path, first)
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


def _parse_points(items: Sequence[Any], path: Path, single: bool, first: int) -> list[FloatArray]:
    """The keypoints of every image, ``(N, K, C)``; single ones as ``(P, 1, C)``."""
    found = []
    empty = np.zeros((0, 1, 0))
    for index, points in enumerate(_host_numbers(items, path, first), first):
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
