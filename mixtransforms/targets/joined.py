"""What is told of the objects of all sources of a sample, joined: one value an image, in the form it came in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core.layers import IntArray
from mixtransforms.kernels import backend_of, kernel_of
from mixtransforms.targets import formats
from mixtransforms.targets.boxes import BoxRules
from mixtransforms.targets.containers import Path
from mixtransforms.targets.groups import Group
from mixtransforms.targets.kept import Kept, at
from mixtransforms.targets.keypoints import Keypoints
from mixtransforms.targets.told import Told, format_of, host

Parts = Sequence[Kept]
"""What is kept of each source of one sample."""


@dataclass(frozen=True)
class Joiner:
    """Joins the values of a group.

    Attributes:
        group: Which values these are.
        items: The values as they came in, one a sample, by path.
        told: The same as they were read.
        rules: How boxes are written.
        points: The settled rules of keypoints, where there are any.
        shape: Height and width of all images.
    """

    group: Group
    items: Mapping[Path, Sequence[Any]]
    told: Sequence[Told]
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

    def value(self, path: Path, row: int, parts: Parts) -> Any:
        """One value of one sample of the result.

        Args:
            path: A member of the group, :attr:`weights` or :attr:`marks`.
            row: The sample.
            parts: What is kept of its sources.
        """
        group, items = self.group, self.items.get(path)
        if path == self.weights:
            return self._weights(parts, self.items[group.anchor][row], items)
        if path == self.marks:
            return self._marks(parts, self.items[group.keypoints or ()][row], items)
        if items is None:
            raise KeyError(path)
        if path == group.boxes:
            return self._boxes(parts, items[row])
        if path == group.instances:
            return _cast(_stacked([part.masks for part in parts], host(items[row])), items[row])
        if path == group.keypoints:
            return self._points(parts, items[row])
        if str(path[-1]).lower() in ("area", "areas"):
            return _areas(items, parts, items[row])
        return _rows(items, parts, items[row])

    def _boxes(self, parts: Parts, item: Any) -> Any:
        form = format_of(item, self.rules)
        written = []
        for part in parts:
            values = np.array(at(self.told[part.source].boxes, part.chosen))
            if part.changed.any() and part.corners is not None:
                corners = part.corners[part.changed]
                values[part.changed, : formats.columns(form)] = formats.encode(corners, form, self.shape)
            written.append(values)
        width = host(item).shape[1] if host(item).ndim == 2 else formats.columns(form)
        return self._on_canvas(_cast(_stacked(written, np.zeros((0, max(width, formats.columns(form))))), item))

    def _points(self, parts: Parts, item: Any) -> Any:
        shape = host(item).shape
        single = self.group.single
        joined = _stacked([part.points for part in parts], np.zeros((0, 1, *shape[1:]) if single else shape))
        return self._on_canvas(_cast(joined[:, 0] if single and joined.ndim > 1 else joined, item))

    def _on_canvas(self, value: Any) -> Any:
        """A typed tensor, told the size of the padded image."""
        if getattr(value, "canvas_size", self.shape) != self.shape:
            value.canvas_size = self.shape
        return value

    def _weights(self, parts: Parts, anchor: Any, former: Sequence[Any] | None) -> Any:
        """Weights; those of an earlier mix are multiplied by the new ones."""
        if former is None:
            return _beside(_stacked([part.weight for part in parts], np.zeros(0)).astype(np.float32), anchor)
        scaled = [host(former[part.source])[part.chosen] * part.weight for part in parts]
        return _beside(_stacked(scaled, np.zeros(0)).astype(np.float32), former[0])

    def _marks(self, parts: Parts, points: Any, former: Sequence[Any] | None) -> Any:
        """Which keypoints are seen, and were seen before where an earlier mix has marked them."""
        shape, single = host(points).shape, self.group.single
        marks = _stacked(
            [part.visible for part in parts],
            np.zeros((0, 1 if single else shape[1] if len(shape) > 1 else 0), np.bool_),
        )
        marks = marks[:, 0] if single else marks
        if former is not None:
            marks = marks & _stacked([host(former[part.source])[part.chosen] for part in parts], marks).astype(np.bool_)
        return _beside(marks, points)


def _stacked(arrays: Sequence[Any], empty: NDArray[Any]) -> NDArray[Any]:
    """Arrays one after the other; ``empty`` says dtype and axes where there are none."""
    filled = [array for array in arrays if array is not None and len(array)]
    return np.concatenate(filled) if filled else empty[:0]


def _cast(values: NDArray[Any], item: Any) -> Any:
    """Host values in the type, dtype and place of one image's value."""
    backend = backend_of(item)
    if backend is not None:
        return kernel_of(backend).cast(values, item)
    if len(item) and backend_of(item[0]):  # a list of arrays, such as the masks of an image
        return [kernel_of(str(backend_of(item[0]))).cast(value, item[0]) for value in values]
    return list(values) if values.ndim == 3 and values.dtype != np.float64 else values.tolist()


def _beside(values: NDArray[Any], item: Any) -> Any:
    """Host values in their own dtype, beside one image's value."""
    backend = backend_of(item)
    return values.tolist() if backend is None else kernel_of(backend).like(values, item)


def _rows(items: Sequence[Any], parts: Parts, item: Any) -> Any:
    """Rows of several images, each as it is."""
    backend = backend_of(item)
    if backend is None:
        return type(item)([items[part.source][row] for part in parts for row in part.chosen.tolist()])
    kernel = kernel_of(backend)
    result = taken(item, np.zeros(0, np.int64))
    for part in parts:
        result = kernel.concat(result, taken(items[part.source], part.chosen))
    return kernel.typed(result, item)


def taken(item: Any, index: IntArray) -> Any:
    """Some rows of one image's value, copied."""
    backend = backend_of(item)
    if backend is None:
        return type(item)([item[row] for row in index.tolist()])
    kernel = kernel_of(backend)
    return kernel.typed(kernel.take(item, index), item)


def _areas(items: Sequence[Any], parts: Parts, item: Any) -> Any:
    """Areas: the pixels that are left of an instance mask, else what share of the object is seen."""
    former = [host(items[part.source])[part.chosen] for part in parts]
    values = [np.where(np.isnan(p.area), area * p.share, p.area) for p, area in zip(parts, former, strict=True)]
    return _cast(_stacked(values, np.zeros(0)), item)
