"""What stands beside images, ready to be drawn on them: boxes, instance masks, keypoints and semantic masks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mixtransforms.containers.tree import Path
from mixtransforms.core.backends import backend_of
from mixtransforms.core.layers import BoolArray, FloatArray
from mixtransforms.kernels import kernel_of
from mixtransforms.objects import box_formats
from mixtransforms.objects.columns import column_of, format_of
from mixtransforms.objects.keypoints import HIDDEN, UNLABELLED
from mixtransforms.objects.objects import Objects
from mixtransforms.objects.parse import Annotations, parse_annotations
from mixtransforms.show.batches.content import Content, as_host_array
from mixtransforms.show.batches.options import ClassNames
from mixtransforms.show.batches.overlays import to_rgba, with_instance
from mixtransforms.show.words import WHOLE

_LABEL_FIELDS = ("labels", "class_labels", "category_id", "category_ids")
_WEIGHT_FIELDS = ("box_weights", "instance_weights", "keypoint_weights")


class ObjectAnnotation(NamedTuple):
    """One object, ready to be drawn.

    Attributes:
        color: Number of its colour.
        caption: Its class and its weight; no weight where that is 1.
        weight: Its weight, within [0, 1].
        outline: Corners ``(V, 2)`` as ``(x, y)``, where pixel ``j`` covers ``[j, j + 1)``, or ``None``.
        points: Labelled keypoints ``(K, 2)``, alike.
        seen: Which of them are seen, ``(K,)``.
        share: What share of its own area it still has, within [0, 1].
    """

    color: int
    caption: str
    weight: float
    outline: FloatArray | None
    points: FloatArray
    seen: BoolArray
    share: float = 1.0

    @property
    def hidden(self) -> bool:
        """Whether a part of it is not seen."""
        return self.share < WHOLE


class ImageAnnotation(NamedTuple):
    """What is drawn on one image.

    Attributes:
        overlay: Colours of masks, ``(H, W, 4)`` uint8, or ``None``.
        objects: Its objects.
    """

    overlay: NDArray[np.uint8] | None = None
    objects: tuple[ObjectAnnotation, ...] = ()


UNANNOTATED = ImageAnnotation()

Shares = Sequence[Sequence[FloatArray]]
"""What share of its own area every object still has: by container, and in it by sample."""


def annotations_of(
    content: Content, names: ClassNames, rows: Sequence[int], overlays: FloatArray | None, shares: Shares = ()
) -> list[ImageAnnotation]:
    """What is drawn on every image of a batch.

    Args:
        content: The batch.
        names: Names of the classes.
        rows: The samples.
        overlays: Colours of semantic masks of all samples, premultiplied ``(B, H, W, 4)``, or ``None``.
        shares: Of the objects of ``rows``, where a plan tells.
    """
    if not content.objects and overlays is None:
        return [UNANNOTATED for _ in rows]
    numbers = _numbers_of_words(content.objects)
    drawn = []
    for place, row in enumerate(rows):
        own = None if overlays is None else overlays[row]
        drawn.append(_annotation(content, names, numbers, row, own, [each[place] for each in shares]))
    return drawn


def _annotation(
    content: Content,
    names: ClassNames,
    numbers: Mapping[str, int],
    row: int,
    overlay: FloatArray | None,
    shares: Sequence[FloatArray],
) -> ImageAnnotation:
    found: list[ObjectAnnotation] = []
    for place, objects in enumerate(content.objects):
        table = _read_row(content, objects, row)
        own = list(_annotated(table, names, numbers))
        if place < len(shares) and len(shares[place]) == len(own):
            own = [each._replace(share=float(share)) for each, share in zip(own, shares[place], strict=True)]
        for mask, each in zip(table.told.masks[0] if table.told.masks else (), own, strict=False):
            clear = np.zeros((*mask.shape, 4)) if overlay is None else overlay
            overlay = with_instance(clear, mask != 0, each.color, each.weight)
        found += own
    return ImageAnnotation(None if overlay is None else to_rgba(overlay), tuple(found))


def same_annotation(first: ImageAnnotation, second: ImageAnnotation) -> bool:
    """Whether the same is drawn, but for rounding."""
    return (
        len(first.objects) == len(second.objects)
        and _near(first.overlay, second.overlay, 1.0)  # one step of 8 bits
        and all(map(_same_object, first.objects, second.objects))
    )


def _same_object(first: ObjectAnnotation, second: ObjectAnnotation) -> bool:
    same = (first.color, first.caption, first.seen.tolist()) == (second.color, second.caption, second.seen.tolist())
    # A hundredth of a pixel: hosts keep boxes in float32, which rounds coordinates of large images.
    return same and _near(first.outline, second.outline, 0.01) and _near(first.points, second.points, 0.01)


def _near(first: NDArray[Any] | None, second: NDArray[Any] | None, most: float) -> bool:
    if first is None or second is None:
        return first is second
    return first.shape == second.shape and bool((np.abs(np.subtract(first, second, dtype=np.float64)) <= most).all())


class _ObjectTable(NamedTuple):
    """The objects of one image in one container, as they are read.

    Attributes:
        told: Boxes, masks and keypoints.
        labels: The class of every object, or ``None``.
        weights: The weight of every object.
        visible: Which keypoints are seen, ``(N, K)``, or ``None`` where the keypoints say so themselves.
        columns: The letter of every number of a keypoint.
    """

    told: Annotations
    labels: Sequence[Any] | None
    weights: FloatArray
    visible: BoolArray | None
    columns: str


def _read_row(content: Content, objects: Objects, row: int) -> _ObjectTable:
    group = objects.group
    items = {path: _image_value(objects.columns[path], row) for path in group.members}
    shape = (content.shape[0], content.shape[1])
    columns = {path: column_of([item]) for path, item in items.items()}
    told = parse_annotations(group, columns, [objects.sizes[row]], shape, objects.rules, row)
    fields = {str(path[-1]).lower(): items[path] for path in group.fields}
    weights = next((as_host_array(fields[name]) for name in _WEIGHT_FIELDS if name in fields), np.ones(len(told.valid)))
    visible, letters = None, ""
    if group.keypoints and told.points is not None and told.points.size:
        beside = content.siblings(group.keypoints).get(f"{group.keypoints[-1]}_visible")
        if beside is not None:
            visible = as_host_array(_image_value(beside, row)).reshape(told.points.shape[:2]).astype(np.bool_)
        letters = group.points.settled(told.points.shape[-1], group.single).columns
    return _ObjectTable(told, _labels(objects, fields, items, told), weights, visible, letters)


def _labels(objects: Objects, fields: Mapping[str, Any], items: Mapping[Path, Any], told: Annotations) -> Any:
    """The class of every object: a field of its name, a declared one, or what stands behind the box in its row."""
    usual = [name for name in _LABEL_FIELDS if name in fields]
    declared = [str(name).lower() for name in objects.rules.fields if str(name).lower() in fields]
    for name in (*usual, *(name for name in declared if name not in _WEIGHT_FIELDS)):
        return fields[name] if backend_of(fields[name]) is None else as_host_array(fields[name])
    if objects.group.boxes and told.boxes is not None:
        width = box_formats.column_count(format_of(items[objects.group.boxes], objects.rules))
        if told.boxes.shape[1] > width:
            return told.boxes[:, width].astype(np.int64)
    return None


def _annotated(table: _ObjectTable, names: ClassNames, numbers: Mapping[str, int]) -> Iterator[ObjectAnnotation]:
    told = table.told
    for index in range(len(told.valid)):
        color, name = (0, "") if table.labels is None else _color_and_name(table.labels[index], names, numbers)
        weight = float(np.clip(table.weights[index], 0.0, 1.0))
        caption = " ".join(part for part in (name, f"{weight:.2f}" if weight < WHOLE else "") if part)
        points, seen = _labelled_points(table, index)
        outline = None if told.corners is None else _polygon(told.corners[index])
        yield ObjectAnnotation(color, caption, weight, outline, points, seen)


def _color_and_name(label: Any, names: ClassNames, numbers: Mapping[str, int]) -> tuple[int, str]:
    """Number of the colour, and the name, of one label: a word, an id, or the share of every class."""
    if isinstance(label, str):
        return numbers[label], label
    number = int(np.argmax(label)) if np.ndim(label) else int(label)
    return max(number, 0), names.of_label(label)


def _numbers_of_words(groups: Iterable[Objects]) -> dict[str, int]:
    """A number for every class that is given as a word, in the order of the alphabet."""
    columns = [column for objects in groups for path, column in objects.columns.items() if path in objects.group.fields]
    rows = [row for column in columns for row in column if backend_of(row) != "torch"]
    words = sorted({str(word) for row in rows for word in np.ravel(row) if isinstance(word, str)})
    return {word: number for number, word in enumerate(words)}


def _polygon(corners: FloatArray) -> FloatArray | None:
    if not np.isfinite(corners).all():
        return None
    if len(corners) == 2:
        (top, left), (bottom, right) = corners
        corners = np.array([[top, left], [top, right], [bottom, right], [bottom, left]])
    return corners[:, ::-1]


def _labelled_points(table: _ObjectTable, index: int) -> tuple[FloatArray, BoolArray]:
    """Labelled keypoints of one object, and which of them are seen."""
    if table.told.points is None or not table.columns:
        return np.zeros((0, 2)), np.zeros(0, np.bool_)
    points, v = table.told.points[index], table.columns.find("v")
    xy = points[:, [table.columns.index("x"), table.columns.index("y")]]
    drawn = np.isfinite(xy).all(axis=1) & (points[:, v] > UNLABELLED if v >= 0 else True)
    seen = points[:, v] > HIDDEN if v >= 0 else np.ones(len(points), np.bool_)
    if table.visible is not None:
        seen = seen & table.visible[index]
    return xy[drawn], seen[drawn]


def _image_value(column: Any, row: int) -> Any:
    """One image's value; of a stacked tensor it keeps the type."""
    backend = backend_of(column)
    return column[row] if backend is None else kernel_of(backend).wrap_like(column[row], column)
