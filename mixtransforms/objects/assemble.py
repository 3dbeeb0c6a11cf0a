"""What is told of the objects of all sources of a sample, joined: one value an image, in the form it came in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixtransforms.containers.tree import Path, is_typed
from mixtransforms.core.backends import backend_of
from mixtransforms.core.layers import IntArray
from mixtransforms.kernels import kernel_of
from mixtransforms.objects import box_formats
from mixtransforms.objects.boxes import BoxRules
from mixtransforms.objects.columns import hosts, joined, split
from mixtransforms.objects.groups import Group
from mixtransforms.objects.keypoints import Keypoints
from mixtransforms.objects.parse import Told, at, format_of, rows
from mixtransforms.objects.visible import Kept


@dataclass(frozen=True)
class Joiner:
    """Joins the values of a group.

    Attributes:
        group: Which values these are.
        items: The values as they came in, one a sample, by path.
        told: The objects of all samples as they were read.
        rules: How boxes are written.
        points: The settled rules of keypoints, where there are any.
        shape: Height and width of all images.
    """

    group: Group
    items: Mapping[Path, Sequence[Any]]
    told: Told
    rules: BoxRules
    points: Keypoints | None
    shape: tuple[int, int]

    @property
    def weights(self) -> Path:
        """Where the weights of the objects are, or appear."""
        group = self.group
        name = "box_weights" if group.boxes else "instance_weights" if group.instances else "keypoint_weights"
        return next((path for path in group.fields if path[-1] == name), (*group.anchor[:-1], name))

    @property
    def marks(self) -> Path | None:
        """Where the marks of visible keypoints are, or appear: where keypoints themselves cannot say it."""
        path, points = self.group.keypoints, self.points
        if path is None or points is None or "v" in points.columns or points.occluded == "drop":
            return None
        return (*path[:-1], f"{path[-1]}_visible")

    def column(self, path: Path, kept: Kept, counts: Sequence[int]) -> list[Any]:
        """One value of every sample of the result.

        Args:
            path: A member of the group, :attr:`weights` or :attr:`marks`.
            kept: What is kept of the objects.
            counts: How many of them every sample has.
        """
        group, items = self.group, self.items.get(path)
        if path == self.weights:
            return self._weights(kept, counts, items)
        if path == self.marks:
            return self._marks(kept, counts, items)
        if items is None:
            raise KeyError(path)
        if path == group.boxes:
            return self._boxes(kept, counts, items)
        if path == group.instances:
            return _masks(kept.masks or (), counts, items)
        if path == group.keypoints:
            return self._points(kept, counts, items)
        if str(path[-1]).lower() in ("area", "areas"):
            return _areas(kept, counts, items)
        return _rows(kept, counts, items)

    def _boxes(self, kept: Kept, counts: Sequence[int], items: Sequence[Any]) -> list[Any]:
        form = format_of(items[0] if items else None, self.rules)
        width = box_formats.columns(form)
        values: Any = at(self.told.boxes, kept.chosen)
        if kept.changed.any() and kept.corners is not None:
            values[kept.changed, :width] = box_formats.encode(kept.corners[kept.changed], form, self.shape)

        def empty(shape: tuple[int, ...]) -> tuple[int, ...]:
            return (0, max(width, shape[1] if len(shape) == 2 else 0))

        return self._on_canvas(_written(values, counts, items, empty))

    def _points(self, kept: Kept, counts: Sequence[int], items: Sequence[Any]) -> list[Any]:
        single, values = self.group.single, kept.points
        if values is None:
            raise KeyError(self.group.keypoints)
        return self._on_canvas(
            _written(values[:, 0] if single else values, counts, items, lambda shape: (0, *shape[1:]))
        )

    def _on_canvas(self, values: list[Any]) -> list[Any]:
        """Typed tensors, told the size of the padded images."""
        for value in values:
            if is_typed(value) and getattr(value, "canvas_size", self.shape) != self.shape:
                value.canvas_size = self.shape
        return values

    def _weights(self, kept: Kept, counts: Sequence[int], former: Sequence[Any] | None) -> list[Any]:
        """Weights; those of an earlier mix are multiplied by the new ones."""
        weights = kept.weight
        if former is not None:
            weights = _former(former, kept) * weights
        anchors = self.items[self.group.anchor]
        return _beside(weights.astype(np.float32), counts, anchors if former is None else former)

    def _marks(self, kept: Kept, counts: Sequence[int], former: Sequence[Any] | None) -> list[Any]:
        """Which keypoints are seen, and were seen before where an earlier mix has marked them."""
        marks: Any = kept.visible[:, 0] if self.group.single and kept.visible is not None else kept.visible
        if former is not None and len(marks):
            marks = marks & _former(former, kept).astype(np.bool_)
        return _beside(marks, counts, self.items[self.group.keypoints or ()])


def _former(items: Sequence[Any], kept: Kept) -> NDArray[Any]:
    """A field of the objects that are kept, as it came in, on the host."""
    filled = [values for values in hosts(items) if len(values)]
    return np.concatenate(filled)[kept.chosen] if filled else np.zeros(0)


def _written(
    values: NDArray[Any],
    counts: Sequence[int],
    items: Sequence[Any],
    empty: Callable[[tuple[int, ...]], tuple[int, ...]],
) -> list[Any]:
    """Host values in the type, dtype and place of the values of a column.

    Args:
        values: Of all samples, ``(N, ...)``.
        counts: How many every sample has.
        items: The column.
        empty: The shape of no objects, from the shape of the sample's own value.
    """
    backend = backend_of(items[0]) if items else None
    if backend is None:
        return split(values.tolist(), counts)
    kernel = kernel_of(backend)
    plain = kernel.take(items[0], np.zeros(0, np.int64))
    parts = split(kernel.astype_like(values, plain), counts)
    for index, (count, item) in enumerate(zip(counts, items, strict=True)):
        if not count:
            parts[index] = kernel.astype_like(np.zeros(empty(tuple(item.shape))), plain)
    return [kernel.wrap_like(part, item) for part, item in zip(parts, items, strict=True)]


def _beside(values: NDArray[Any], counts: Sequence[int], items: Sequence[Any]) -> list[Any]:
    """Host values in their own dtype, beside the values of a column."""
    backend = backend_of(items[0]) if items else None
    return split(values.tolist() if backend is None else kernel_of(backend).asarray_like(values, items[0]), counts)


def _masks(masks: Sequence[NDArray[Any]], counts: Sequence[int], items: Sequence[Any]) -> list[Any]:
    """Instance masks in the form that they came in."""
    example = next((item[0] for item in items if rows(item)), None)
    return [
        _listed(part, example) if backend_of(item) is None else _stacked(part, item)
        for part, item in zip(split(masks, counts), items, strict=True)
    ]


def _stacked(masks: Sequence[NDArray[Any]], item: Any) -> Any:
    """Instance masks of one image as an array."""
    if not masks:
        return taken(item, np.zeros(0, np.int64))
    kernel = kernel_of(str(backend_of(item)))
    return kernel.wrap_like(kernel.astype(kernel.asarray_like(np.stack(masks), item), item.dtype), item)


def _listed(masks: Sequence[NDArray[Any]], example: Any) -> list[Any]:
    """Instance masks of one image as a list of arrays; of rows of numbers where fractions came as such."""
    backend = backend_of(example)
    if backend is not None:
        return [kernel_of(backend).astype_like(mask, example) for mask in masks]
    return [mask.tolist() if mask.dtype == np.float64 else mask.copy() for mask in masks]


def _rows(kept: Kept, counts: Sequence[int], items: Sequence[Any]) -> list[Any]:
    """Rows of several images, each as it is."""
    if not items:
        return []
    every, backend = joined(items), backend_of(items[0])
    if backend is None:
        parts = split([every[number] for number in kept.chosen.tolist()], counts)
        return [type(item)(part) for part, item in zip(parts, items, strict=True)]
    kernel, nothing = kernel_of(backend), np.zeros(0, np.int64)
    parts = split(kernel.take(every, kept.chosen), counts)
    return [
        kernel.wrap_like(part, item) if count else taken(item, nothing)
        for part, item, count in zip(parts, items, counts, strict=True)
    ]


def taken(item: Any, index: IntArray) -> Any:
    """Some rows of one image's value, copied."""
    backend = backend_of(item)
    if backend is None:
        return type(item)([item[row] for row in index.tolist()])
    kernel = kernel_of(backend)
    return kernel.wrap_like(kernel.take(item, index), item)


def _areas(kept: Kept, counts: Sequence[int], items: Sequence[Any]) -> list[Any]:
    """Areas: the pixels that are left of an instance mask, else what share of the object is seen."""
    values = np.where(np.isnan(kept.area), _former(items, kept) * kept.share, kept.area)
    return _written(values, counts, items, lambda shape: (0,))
