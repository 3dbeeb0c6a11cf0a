"""Objects: boxes, instance masks, keypoints and all that is told of each, filtered and joined by one index."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from mixtransforms.containers.mixed import MixedObjects
from mixtransforms.containers.tree import Path, spell
from mixtransforms.core.compositing import Contributions, all_contributions
from mixtransforms.core.errors import InputError, explain
from mixtransforms.core.layers import FloatArray
from mixtransforms.objects import keypoints
from mixtransforms.objects.assemble import Joiner
from mixtransforms.objects.boxes import BoxRules
from mixtransforms.objects.columns import check_forms, items_of
from mixtransforms.objects.groups import Group
from mixtransforms.objects.parse import AllTold, Size, at, read_all
from mixtransforms.objects.visible import Kept, kept, together
from mixtransforms.plan import BatchSpec, Plan
from mixtransforms.targets.kind import Mixed

FEW_CELLS = 100
"""Cells of a grid up to which all samples are worked on together."""


@MixedObjects.register
class WeightedObjects(NamedTuple):
    """Boxes (or instance masks) of one image with their weights, in containers that take no more names.

    Attributes:
        objects: As they came in, ``(N, ...)``.
        box_weights: Weight of every object, ``(N,)`` float32.
    """

    objects: Any
    box_weights: Any


@MixedObjects.register
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
    sizes: Sequence[Size]
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
        for path, items in self._items.items():
            check_forms(path, items, masks=path == self.group.instances)
        degenerate = int((~self._told.objects.sound).sum())
        if degenerate:
            self._report(degenerate)
        if self.group.keypoints:
            self._points  # noqa: B018  (refuses rules that do not suit these keypoints)

    def mix(self, plan: Plan) -> dict[Path, Mixed]:
        """Every value of the group, mixed by the plan; all rows of one object stay together.

        Weights appear beside the boxes (or what else says how many objects there are), and marks of those that are
        seen beside keypoints that cannot say it.
        """
        kept, join, group = self._kept(plan), self._joiner, self.group
        counts = np.bincount(kept.row, minlength=plan.size).tolist()

        def column(path: Path) -> Any:
            values = join.column(path, kept, counts)
            return tuple(values) if type(self.columns.get(path)) is tuple else values

        told = [path for path in group.members if path not in (join.weights, join.marks)]
        mixed = {path: Mixed(column(path)) for path in told}
        weights = {str(join.weights[-1]): column(join.weights)}
        mixed[group.anchor] = Mixed(mixed[group.anchor].value, weights, _weighted)
        if join.marks and group.keypoints:
            points = mixed[group.keypoints]
            beside = {str(join.marks[-1]): column(join.marks), **points.beside}
            mixed[group.keypoints] = Mixed(points.value, beside, _visible)
        return mixed

    def shares(self, plan: Plan) -> list[FloatArray]:
        """What share of its own area every object of the result still has, an array a sample, in the order of mix."""
        kept = self._kept(plan)
        return np.split(kept.share, np.cumsum(np.bincount(kept.row, minlength=plan.size))[:-1])

    # ------------------------------------------------------------------------------------------ what came in

    @cached_property
    def _items(self) -> dict[Path, Sequence[Any]]:
        """The columns item by item."""
        return {path: items_of(self.columns[path], self.sizes) for path in self.group.members}

    @cached_property
    def _told(self) -> AllTold:
        return read_all(self.group, self._items, self.sizes, (self.spec.shape[0], self.spec.shape[1]), self.rules)

    @cached_property
    def _points(self) -> keypoints.Keypoints:
        """The rules of the keypoints, settled for their form."""
        shapes = self._told.points
        # Images without any say it by their shape, where no other does.
        widths = [s[-1] for s in shapes if 0 not in s] or [s[-1] for s in shapes if len(s) == 3 and s[-1]]
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

    @cached_property
    def _joiner(self) -> Joiner:
        points, shape = self._points if self.group.keypoints else None, (self.spec.shape[0], self.spec.shape[1])
        return Joiner(self.group, self._items, self._told.objects, self.rules, points, shape)

    def _kept(self, plan: Plan) -> Kept:
        """What is kept of the objects in every sample of the result."""
        parts: list[Kept] = []
        for several in all_contributions(plan.size, plan.spec.shape, plan.layers):
            # Masks stand by themselves, and fine grids are worked out once a source instead of once an object.
            alone = (self.group.instances and plan.size) or math.prod(several.weight.shape[:-1]) > FEW_CELLS
            parts += map(self._left, several) if alone else [self._left(several, together=True)]
        return together(parts)

    def _left(self, part: Contributions, together: bool = False) -> Kept:
        """What is kept of the objects of one source in one sample, or of several."""
        told, source = self._told, part.source
        counts = told.counts[source]
        entry = np.repeat(np.arange(len(counts)), counts)
        index = np.arange(len(entry)) + np.repeat(told.starts[source] - np.cumsum(counts) + counts, counts)
        masks = told.masks[source[0]] if told.masks and not together else None
        sound = told.objects.sound[index]
        if not sound.all():
            entry, index, masks = entry[sound], index[sound], at(masks, np.flatnonzero(sound))
        objects = told.objects.take(index, masks)
        part = part.take(entry) if together else part
        left = kept(objects, part, self.rules, self._joiner.points)
        return left._replace(chosen=index[left.chosen])


def _weighted(objects: Sequence[Any], weights: Sequence[Any]) -> list[Any]:
    return [WeightedObjects(*parts) for parts in zip(objects, weights, strict=True)]


def _visible(points: Sequence[Any], *beside: Sequence[Any]) -> list[Any]:
    return [VisibleKeypoints(*parts) for parts in zip(points, *beside, strict=True)]
