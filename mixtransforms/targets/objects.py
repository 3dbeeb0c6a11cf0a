"""Objects: boxes, instance masks, keypoints and all that is told of each, filtered and joined by one index."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core.errors import InputError, explain
from mixtransforms.core.layers import BoolArray, FloatArray, IntArray
from mixtransforms.core.plan import BatchSpec, Plan
from mixtransforms.core.shares import Contribution
from mixtransforms.kernels import backend_of, kernel_of
from mixtransforms.targets import boxes, formats, instances, keypoints, rotated
from mixtransforms.targets.boxes import BoxRules
from mixtransforms.targets.containers import Path, spell
from mixtransforms.targets.groups import Group
from mixtransforms.targets.kinds import Mixed
from mixtransforms.targets.told import Told, format_of, host, read

Size = tuple[int, int]


class WeightedObjects(NamedTuple):
    """Boxes (or instance masks) of one image with their weights, in containers that take no more names.

    Attributes:
        objects: As they came in, ``(N, ...)``.
        weights: Weight of every object, ``(N,)`` float32.
    """

    objects: Any
    weights: Any


class VisibleKeypoints(NamedTuple):
    """Keypoints of one image with what stands beside them, in containers that take no more names.

    Attributes:
        keypoints: As they came in, ``(N, K, 2)`` or ``(P, 2)``.
        visible: Which of them are seen, ``(N, K)`` or ``(P,)`` bool.
        weights: Weight of every object, ``(N,)`` float32, where the keypoints alone tell of them, or ``None``.
    """

    keypoints: Any
    visible: Any
    weights: Any = None


class DegenerateBoxWarning(UserWarning):
    """Boxes without width, height or finite corners were dropped."""


class _Kept(NamedTuple):
    """What is kept of the objects of one source in one sample of the result; a row an object.

    Attributes:
        source: The sample they come from.
        chosen: Their rows there.
        corners: Their boxes in pixels.
        changed: Whose boxes are not as they came.
        masks: Their instance masks.
        points: Their keypoints.
        visible: Which keypoints are seen, ``(n, K)``.
        share: What share of every object is seen.
        area: Pixels of every object whose instance mask has changed; NaN for the others.
        weight: Weight of every object.
    """

    source: int
    chosen: IntArray
    corners: FloatArray | None
    changed: BoolArray
    masks: NDArray[Any] | None
    points: FloatArray | None
    visible: BoolArray | None
    share: FloatArray
    area: FloatArray
    weight: FloatArray


Rows = Sequence[Sequence[_Kept]]
"""For every sample of the result, what is kept of each of its sources."""


@dataclass(frozen=True)
class Objects:
    """What is told of the objects of every image in one container.

    Attributes:
        group: Which values these are.
        columns: The values, one item a sample, by path.
        sizes: ``(H, W)`` of every image as it came.
        spec: Size and mixed axes of the batch.
        rules: How they are mixed.
    """

    group: Group
    columns: Mapping[Path, Any]
    sizes: Sequence[Size]
    spec: BatchSpec
    rules: BoxRules

    def content(self) -> Iterator[tuple[Path, Any]]:
        """Paths and values of everything, item by item."""
        for path, items in self._items.items():
            for index, item in enumerate(items):
                yield (*path, index), item

    def check(self) -> None:
        """Refuses what could only be mixed wrongly.

        Raises:
            InputError: There are no images, values have not one item a sample or of one sample not equally many rows,
                something is written in another form or for another canvas, or, with ``BoxRules(strict=True)``, boxes
                have no area.
        """
        if len(self.spec.shape) != 2:
            raise InputError(
                explain(
                    "Objects without images",
                    where=spell(self.group.anchor),
                    got=f"samples with mixed axes {self.spec.shape}",
                    wanted="images, whose height and width are mixed",
                    fix="Boxes, keypoints and instances go with pictures; leave them alone with passthrough.",
                )
            )
        for path, items in self._items.items():
            if len(items) != self.spec.size:
                raise InputError(
                    explain(
                        "Batch sizes disagree",
                        where=spell(path),
                        got=f"{len(items)} values",
                        wanted=f"{self.spec.size}, one for every image",
                        fix="Give every image its own, empty where it has no objects.",
                    )
                )
        degenerate = sum(int((~told.sound).sum()) for told in self._told)
        if degenerate:
            self._report(degenerate)
        if self.group.keypoints:
            self._points  # noqa: B018  (refuses rules that do not suit these keypoints)

    def mix(self, plan: Plan) -> dict[Path, Mixed]:
        """Every value of the group, mixed by the plan; all rows of one object stay together."""
        rows = [
            [self._kept(part, own=part.source == row and not part.moved) for part in plan.contributions(row)]
            for row in range(plan.size)
        ]
        values = {path: self._column(path, rows) for path in self.group.members}
        return {path: Mixed(value) for path, value in values.items()} | self._with_siblings(values, rows)

    # ------------------------------------------------------------------------------------------ what came in

    @cached_property
    def _items(self) -> dict[Path, Sequence[Any]]:
        """The columns item by item; a stacked tensor says its type to its items."""
        return {path: _items(self.columns[path]) for path in self.group.members}

    @cached_property
    def _told(self) -> list[Told]:
        shape = (self.spec.shape[0], self.spec.shape[1])
        return [
            read(
                self.group, {path: items[index] for path, items in self._items.items()}, index, size, shape, self.rules
            )
            for index, size in enumerate(self.sizes)
        ]

    @cached_property
    def _points(self) -> keypoints.Keypoints:
        """The rules of the keypoints, settled for their form."""
        widths = [told.points.shape[-1] for told in self._told if told.points is not None and told.points.size]
        rule = self.group.points
        width = widths[0] if widths else len(rule.columns) or 2
        return rule.settled(width, self.group.single, spell(self.group.keypoints or ()))

    def _report(self, count: int) -> None:
        text = explain(
            "Boxes without an area",
            where=spell(self.group.anchor),
            got=f"{count} without width or height, or with corners out of order or not finite",
            wanted="x1 < x2 and y1 < y2",
            fix="Remove them, for example with v2.SanitizeBoundingBoxes().",
        )
        if self.rules.strict:
            raise InputError(text)
        warnings.warn(f"{text} They are dropped.", DegenerateBoxWarning, stacklevel=2)

    # ------------------------------------------------------------------------------------------ what is kept

    def _kept(self, part: Contribution, own: bool) -> _Kept:
        told = self._told[part.source]
        keep, share = told.sound.copy(), np.ones(told.number)
        weight, area = np.full(told.number, keypoints.weight_of(part)), np.full(told.number, np.nan)
        corners, masks, points, visible = told.corners, told.masks, told.points, None
        changed = np.full(told.number, told.resized)
        if corners is not None:
            box = (rotated if corners.ndim == 3 else boxes).seen(part, corners, self.rules, own)
            corners, changed = box.boxes, changed | box.changed
            if masks is None:
                keep, share, weight = keep & box.keep, box.visible, box.weight
        if masks is not None:
            mask = instances.seen(part, masks, self.rules)
            masks, keep, share, weight = mask.masks, keep & mask.keep, mask.visible, mask.weight
            area = np.where(mask.changed, mask.area, np.nan)
            if told.corners is not None and told.corners.ndim == 2:  # what is left of the mask says where the object is
                corners = np.where(mask.changed[:, None], mask.boxes, told.corners)
                changed = mask.changed | told.resized
        if points is not None:
            rule = self._points
            point = keypoints.seen(part, points, rule.columns, rule.occluded, own, rule.min_visible)
            keep, points, visible = keep & point.keep, point.points, point.visible
        chosen = np.flatnonzero(keep)
        corners, masks, points, visible = (_at(values, chosen) for values in (corners, masks, points, visible))
        rest = (values[chosen] for values in (share, area, weight))
        return _Kept(part.source, chosen, corners, changed[chosen], masks, points, visible, *rest)

    # ------------------------------------------------------------------------------------------ what goes out

    @property
    def _weights_name(self) -> str:
        group = self.group
        return "box_weights" if group.boxes else "instance_weights" if group.instances else "keypoint_weights"

    def _column(self, path: Path, rows: Rows) -> Any:
        """One value of the result, an item a sample."""
        group, items, name = self.group, self._items[path], str(path[-1]).lower()
        values = []
        for kept, item in zip(rows, items, strict=True):
            if path == group.boxes:
                values.append(self._joined_boxes(kept, item))
            elif path == group.instances:
                values.append(_cast(_stacked([part.masks for part in kept], host(item)), item))
            elif path == group.keypoints:
                values.append(self._joined_points(kept, item))
            elif name == self._weights_name:
                values.append(_scaled(items, kept, item))
            elif name in ("area", "areas"):
                values.append(_areas(items, kept, item))
            else:
                values.append(_joined(items, kept, item))
        return tuple(values) if type(self.columns[path]) is tuple else values

    def _joined_boxes(self, kept: Sequence[_Kept], item: Any) -> Any:
        form = format_of(item, self.rules)
        written = []
        for part in kept:
            values = np.array(_at(self._told[part.source].boxes, part.chosen))
            if part.changed.any() and part.corners is not None:
                shape = (self.spec.shape[0], self.spec.shape[1])
                values[part.changed, : formats.columns(form)] = formats.encode(part.corners[part.changed], form, shape)
            written.append(values)
        width = host(item).shape[1] if host(item).ndim == 2 else formats.columns(form)
        return self._on_canvas(_cast(_stacked(written, np.zeros((0, max(width, formats.columns(form))))), item))

    def _joined_points(self, kept: Sequence[_Kept], item: Any) -> Any:
        shape = host(item).shape
        joined = _stacked([part.points for part in kept], np.zeros((0, 1, *shape[1:]) if self.group.single else shape))
        return self._on_canvas(_cast(joined[:, 0] if self.group.single and joined.ndim > 1 else joined, item))

    def _on_canvas(self, value: Any) -> Any:
        """A typed tensor, told the size of the padded image."""
        if getattr(value, "canvas_size", self.spec.shape) != self.spec.shape:
            value.canvas_size = tuple(self.spec.shape)
        return value

    def _with_siblings(self, values: Mapping[Path, Any], rows: Rows) -> dict[Path, Mixed]:
        """Boxes with their weights, and keypoints with marks of those that are seen."""
        group, name = self.group, self._weights_name
        known = (*group.place, name)
        items = self._items[group.anchor]
        weights = (
            values[known]
            if known in values
            else [_told_of(kept, "weight", item) for kept, item in zip(rows, items, strict=True)]
        )
        anchored = Mixed(values[group.anchor], {name: weights}, _weighted)
        if group.keypoints is None or "v" in self._points.columns or self._points.occluded == "drop":
            return {group.anchor: anchored}
        points = self._items[group.keypoints]
        marks = [self._marks(kept, item) for kept, item in zip(rows, points, strict=True)]
        beside: dict[str, Any] = {"_visible": marks}
        if group.anchor != group.keypoints:
            return {group.anchor: anchored, group.keypoints: Mixed(values[group.keypoints], beside, _visible)}
        return {group.keypoints: Mixed(values[group.keypoints], {**beside, **anchored.beside}, _visible)}

    def _marks(self, kept: Sequence[_Kept], item: Any) -> Any:
        shape = host(item).shape
        empty = np.zeros((0, 1 if self.group.single else shape[1] if len(shape) > 1 else 0), np.bool_)
        marks = _stacked([part.visible for part in kept], empty)
        return _beside(marks[:, 0] if self.group.single else marks, item)


def _items(column: Any) -> Sequence[Any]:
    backend = backend_of(column)
    return column if backend is None else [kernel_of(backend).typed(item, column) for item in column]


def _at(values: Any, index: IntArray) -> Any:
    return None if values is None else values[index]


def _weighted(objects: Sequence[Any], weights: Sequence[Any]) -> list[Any]:
    return [WeightedObjects(*parts) for parts in zip(objects, weights, strict=True)]


def _visible(points: Sequence[Any], *beside: Sequence[Any]) -> list[Any]:
    return [VisibleKeypoints(*parts) for parts in zip(points, *beside, strict=True)]


def _stacked(arrays: Sequence[Any], empty: NDArray[Any]) -> NDArray[Any]:
    """Arrays one after the other; ``empty`` says dtype and axes where there are none."""
    filled = [array for array in arrays if array is not None and len(array)]
    return np.concatenate(filled) if filled else empty[:0]


def _cast(values: NDArray[Any], item: Any) -> Any:
    """Host values in the type, dtype and place of one image's value."""
    backend = backend_of(item)
    return values.tolist() if backend is None else kernel_of(backend).cast(values, item)


def _beside(values: NDArray[Any], item: Any) -> Any:
    """Host values in their own dtype, beside one image's value."""
    backend = backend_of(item)
    return values.tolist() if backend is None else kernel_of(backend).like(values, item)


def _told_of(kept: Sequence[_Kept], name: str, item: Any) -> Any:
    return _beside(_stacked([getattr(part, name) for part in kept], np.zeros(0)).astype(np.float32), item)


def _joined(items: Sequence[Any], kept: Sequence[_Kept], item: Any) -> Any:
    """Rows of several images, each as it is."""
    backend = backend_of(item)
    if backend is None:
        return type(item)([items[part.source][row] for part in kept for row in part.chosen.tolist()])
    kernel = kernel_of(backend)
    result = kernel.take(item, np.zeros(0, np.int64))
    for part in kept:
        result = kernel.concat(result, kernel.take(items[part.source], part.chosen))
    return kernel.typed(result, item)


def _scaled(items: Sequence[Any], kept: Sequence[_Kept], item: Any) -> Any:
    """Former weights, times the new ones."""
    return _cast(_stacked([host(items[part.source])[part.chosen] * part.weight for part in kept], np.zeros(0)), item)


def _areas(items: Sequence[Any], kept: Sequence[_Kept], item: Any) -> Any:
    """Areas: the pixels that are left of an instance mask, else what share of the object is seen."""
    former = [host(items[part.source])[part.chosen] for part in kept]
    values = [np.where(np.isnan(p.area), area * p.share, p.area) for p, area in zip(kept, former, strict=True)]
    return _cast(_stacked(values, np.zeros(0)), item)
