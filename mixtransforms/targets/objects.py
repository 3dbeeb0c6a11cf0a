"""Objects: boxes, instance masks, keypoints and all that is told of each, filtered and joined by one index."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from mixtransforms.core.errors import InputError, explain
from mixtransforms.core.plan import BatchSpec, Plan
from mixtransforms.targets import keypoints
from mixtransforms.targets.boxes import BoxRules
from mixtransforms.targets.columns import check_forms, items_of, unlike
from mixtransforms.targets.containers import Path, spell
from mixtransforms.targets.groups import Group
from mixtransforms.targets.joined import Joiner
from mixtransforms.targets.kept import Kept, kept
from mixtransforms.targets.kinds import Mixed
from mixtransforms.targets.told import Told, read

Size = tuple[int, int]


class WeightedObjects(NamedTuple):
    """Boxes (or instance masks) of one image with their weights, in containers that take no more names.

    Attributes:
        objects: As they came in, ``(N, ...)``.
        box_weights: Weight of every object, ``(N,)`` float32.
    """

    objects: Any
    box_weights: Any


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
                explain(
                    "Objects without images",
                    where=spell(self.group.anchor),
                    got=f"samples with mixed axes {self.spec.shape}",
                    wanted="images, whose height and width are mixed",
                    fix="Boxes, keypoints and instances go with pictures; leave them alone with passthrough.",
                )
            )
        for path in self.group.members:
            if len(self.columns[path]) != self.spec.size:
                raise InputError(
                    explain(
                        "Batch sizes disagree",
                        where=spell(path),
                        got=f"{len(self.columns[path])} values",
                        wanted=f"{self.spec.size}, one for every image",
                        fix="Give every image its own, empty where it has no objects.",
                    )
                )
        for path, items in self._items.items():
            check_forms(path, items, masks=path == self.group.instances)
        self._check_rows()
        degenerate = sum(int((~told.sound).sum()) for told in self._told)
        if degenerate:
            self._report(degenerate)
        if self.group.keypoints:
            self._points  # noqa: B018  (refuses rules that do not suit these keypoints)

    def _check_rows(self) -> None:
        """Boxes and keypoints of all images have equally many numbers; lists say it only once they are read."""
        group = self.group
        boxes = {told.boxes.shape[1:] for told in self._told if told.boxes is not None and len(told.boxes)}
        points = {told.points.shape[1:] for told in self._told if told.points is not None and len(told.points)}
        for path, shapes in ((group.boxes, boxes), (group.keypoints, points)):
            if path and len(shapes) > 1:
                raise unlike(path, f"rows of shapes {sorted(shapes)}", "rows of one shape for all images")

    def mix(self, plan: Plan) -> dict[Path, Mixed]:
        """Every value of the group, mixed by the plan; all rows of one object stay together.

        Weights appear beside the boxes (or what else says how many objects there are), and marks of those that are
        seen beside keypoints that cannot say it.
        """
        rows = [self._kept(plan, row) for row in range(plan.size)]
        join, group = self._joiner, self.group

        def column(path: Path) -> Any:
            values = [join.value(path, row, parts) for row, parts in enumerate(rows)]
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

    # ------------------------------------------------------------------------------------------ what came in

    @cached_property
    def _items(self) -> dict[Path, Sequence[Any]]:
        """The columns item by item."""
        return {path: items_of(self.columns[path], self.sizes) for path in self.group.members}

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
        shapes = [told.points.shape for told in self._told if told.points is not None]
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
        points = self._points if self.group.keypoints else None
        return Joiner(self.group, self._items, self._told, self.rules, points, (self.spec.shape[0], self.spec.shape[1]))

    def _kept(self, plan: Plan, row: int) -> list[Kept]:
        """What one sample of the result keeps of each of its sources."""
        return [
            kept(
                self._told[part.source],
                part,
                own=part.source == row and not part.moved,
                rules=self.rules,
                points=self._joiner.points,
            )
            for part in plan.contributions(row)
        ]


def _weighted(objects: Sequence[Any], weights: Sequence[Any]) -> list[Any]:
    return [WeightedObjects(*parts) for parts in zip(objects, weights, strict=True)]


def _visible(points: Sequence[Any], *beside: Sequence[Any]) -> list[Any]:
    return [VisibleKeypoints(*parts) for parts in zip(points, *beside, strict=True)]
