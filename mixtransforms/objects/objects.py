"""Objects: boxes, instance masks, keypoints and all that is told of each, filtered and assembled by one index."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from mixtransforms.containers.mixed import MixedObjects, of_one_iterable
from mixtransforms.containers.tree import Path, spell
from mixtransforms.core.cached import cached_property
from mixtransforms.core.errors import InputError, PlanError, explain
from mixtransforms.core.layers import BoolArray, FloatArray, IntArray, Layer
from mixtransforms.objects.assemble import Assembler
from mixtransforms.objects.box_formats import from_plan
from mixtransforms.objects.boxes import BoxRules, LimitedBoxRules
from mixtransforms.objects.columns import CanvasSize, Column, check_forms, read_column
from mixtransforms.objects.groups import Group
from mixtransforms.objects.keypoints import Keypoints
from mixtransforms.objects.parse import Annotations, parse_annotations
from mixtransforms.objects.visible import Surviving, filter_objects
from mixtransforms.plan import BatchSpec, Plan
from mixtransforms.targets.kind import Mixed


@MixedObjects.register
@of_one_iterable
class WeightedObjects(NamedTuple):
    """Boxes (or instance masks) of one image with their weights, in containers that take no more names.

    Attributes:
        objects: As they came in, ``(N, ...)``.
        box_weights: Weight of every object, ``(N,)`` float32.
    """

    objects: Any
    box_weights: Any


@MixedObjects.register
@of_one_iterable
class VisibleKeypoints(NamedTuple):
    """Keypoints of one image with what stands beside them, in containers that take no more names.

    Attributes:
        keypoints: As they came in, ``(N, K, 2)`` or ``(P, 2)``.
        keypoints_visible: Which of them are seen, ``(N, K)`` or ``(P,)`` bool.
        keypoint_weights: Weight of every object, ``(N,)`` float32, where the keypoints alone tell of them, or ``None``.
    """

    keypoints: Any
    keypoints_visible: Any
    keypoint_weights: Any = None


class DegenerateBoxWarning(UserWarning):
    """Boxes without width, height or finite corners were dropped."""


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
    sizes: Sequence[CanvasSize]
    spec: BatchSpec
    rules: BoxRules

    def check(self) -> None:
        """Refuses what could only be mixed wrongly.

        Raises:
            InputError: There are no images, values have not one item a sample or of one sample not equally many rows,
                something is written in another form or for another canvas, or, with ``BoxRules(strict=True)``, boxes
                have no area.
        """
        if len(self.spec.shape) != 2:
            raise InputError(
                "Objects without images",
                where=spell(self.group.anchor),
                got=f"samples with mixed axes {self.spec.shape}",
                wanted="images, whose height and width are mixed",
                fix="Boxes, keypoints and instances go with pictures; leave them alone with passthrough.",
            )
        for path in self.group.members:
            if len(self.columns[path]) != self.spec.size:
                raise InputError(
                    "Batch sizes disagree",
                    where=spell(path),
                    got=f"{len(self.columns[path])} values",
                    wanted=f"{self.spec.size}, one for every image",
                    fix="Give every image its own, empty where it has no objects.",
                )
        for path, column in self._read.items():
            check_forms(path, column, masks=path == self.group.instances)
        degenerate = int((~self._annotations.valid).sum())
        if degenerate and not (isinstance(self.rules, LimitedBoxRules) and self.rules.limits.quiet):
            self._report(degenerate)
        self._points  # noqa: B018  (refuses rules that do not suit these keypoints)

    def mix(self, plan: Plan) -> dict[Path, Mixed]:
        """Every value of the group, mixed by the plan; all rows of one object stay together.

        Weights appear beside the boxes (or what else says how many objects there are), and marks of those that are
        seen beside keypoints that cannot say it.
        """
        objects, group = self._surviving(plan), self.group
        assembler = self._assembler(plan.output_shape)
        counts = np.bincount(objects.row, minlength=plan.size).tolist()

        def column(path: Path) -> Any:
            values = assembler.column(path, objects, counts)
            return tuple(values) if type(self.columns.get(path)) is tuple else values

        weights, marks, anchor = assembler.weights, assembler.marks, group.anchor
        mixed = {path: Mixed(column(path)) for path in group.members if path not in (weights, marks)}
        mixed[anchor] = Mixed(mixed[anchor].value, {str(weights[-1]): column(weights)}, _weighted)
        if marks and group.keypoints:
            points = mixed[group.keypoints]
            beside = {str(marks[-1]): column(marks), **points.beside}
            mixed[group.keypoints] = Mixed(points.value, beside, _visible)
        return mixed

    def instances(self) -> list[BoolArray]:
        """The instance masks of every image, ``(N, H, W)``, an entry an object."""
        return [masks != 0 for masks in self._annotations.masks]

    def upright_boxes(self) -> list[FloatArray]:
        """The least upright box around every object of every image, ``(N, 4)``: ``x1, y1, x2, y2`` in pixels.

        Objects whose boxes have no area get zeros.
        """
        told = self._annotations
        corners = np.zeros((len(told.valid), 2, 2)) if told.corners is None else told.corners
        boxes = from_plan(np.stack([corners.min(axis=1), corners.max(axis=1)], axis=1))
        boxes[~told.valid] = 0.0
        return [boxes[stop - count : stop] for count, stop in zip(told.counts, np.cumsum(told.counts), strict=True)]

    def shares(self, plan: Plan) -> list[FloatArray]:
        """What share of every object of the result is seen, an array a sample, in the order of mix."""
        objects = self._surviving(plan)
        return np.split(objects.share, np.cumsum(np.bincount(objects.row, minlength=plan.size))[:-1])

    @property
    def are_chosen(self) -> bool:
        """Whether it is these that the objects of layers speak of: boxes or instances, and no further ones."""
        return not self.group.further and bool(self.group.boxes or self.group.instances)

    @property
    def _shape(self) -> CanvasSize:
        return self.spec.shape[0], self.spec.shape[1]

    @cached_property
    def _read(self) -> dict[Path, Column]:
        """The columns item by item."""
        return {path: read_column(self.columns[path], self.sizes) for path in self.group.members}

    @cached_property
    def _annotations(self) -> Annotations:
        return parse_annotations(self.group, self._read, self.sizes, self._shape, self.rules)

    @cached_property
    def _points(self) -> Keypoints | None:
        """The rules of the keypoints, settled for their form, where there are any."""
        if not self.group.keypoints:
            return None
        rule = self.group.points
        width = self._annotations.width or len(rule.columns) or 2
        return rule.settled(width, self.group.single, spell(self.group.keypoints))

    def _assembler(self, shape: Sequence[int]) -> Assembler:
        """Writes objects of images of a height and width."""
        size = shape[0], shape[1]
        return Assembler(self.group, self._read, self._annotations, self.rules, self._points, size)

    def _surviving(self, plan: Plan) -> Surviving:
        return filter_objects(self._annotations, self._told(plan), self.rules, self._points)

    def _told(self, plan: Plan) -> Plan:
        """The plan as far as it tells of these objects: what it says of chosen ones, it says of boxes and instances.

        Raises:
            PlanError: It names an object that its source does not have.
        """
        choosing = [layer for layer in plan.layers if layer.objects is not None]
        if not choosing:
            return plan
        if not self.are_chosen:
            layers = [replace(layer, objects=None) for layer in plan.layers]
            return Plan.drawn(plan.spec, tuple(layers), canvas=plan.canvas)
        for layer in choosing:
            _check_chosen(layer, self._annotations.counts, spell(self.group.anchor))
        return plan

    def _report(self, count: int) -> None:
        text = explain(
            "Boxes without an area",
            where=spell(self.group.anchor),
            got=f"{count} without width or height, or with corners out of order or not finite",
            wanted="x1 < x2 and y1 < y2",
            fix="Remove them, for example with v2.SanitizeBoundingBoxes(), or where the last corner is the last pixel, "
            "as of torchvision.ops.masks_to_boxes, add 1 to x2 and y2.",
        )
        if self.rules.strict:
            raise InputError(text)
        warnings.warn(f"{text} They are dropped.", DegenerateBoxWarning, stacklevel=2)


def _check_chosen(layer: Layer, counts: IntArray, where: str) -> None:
    """Refuses objects that a source does not have."""
    for source, chosen in zip(layer.source.tolist(), layer.objects or (), strict=True):
        if len(chosen) and chosen[-1] >= counts[source]:
            raise PlanError(
                "The plan is for another batch",
                where=where,
                got=f"object {chosen[-1]} of sample {source}, which has {counts[source]}",
                wanted="objects that their sample has",
                fix="Replay a plan that chooses objects on the batch that it was drawn for.",
            )


def _weighted(objects: Sequence[Any], weights: Sequence[Any]) -> list[Any]:
    return [WeightedObjects(*parts) for parts in zip(objects, weights, strict=True)]


def _visible(points: Sequence[Any], *beside: Sequence[Any]) -> list[Any]:
    return [VisibleKeypoints(*parts) for parts in zip(points, *beside, strict=True)]
