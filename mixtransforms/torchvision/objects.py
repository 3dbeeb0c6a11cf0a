"""What is told of the objects of one sample, on its way through the transforms of torchvision."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torchvision import tv_tensors

from mixtransforms.batch.inventory import Finder
from mixtransforms.containers.tree import Path, is_typed, leaf_at, spell
from mixtransforms.core.backends import backend_of
from mixtransforms.core.errors import InputError
from mixtransforms.kernels import kernel_of
from mixtransforms.objects import box_formats
from mixtransforms.objects.assemble import take_rows
from mixtransforms.objects.boxes import BoxRules
from mixtransforms.objects.columns import format_of, hosts
from mixtransforms.objects.groups import Group
from mixtransforms.torchvision.whole_numbers import Note, as_floats, as_tensor, in_form_of

Values = dict[str, Any]
Size = tuple[int, int]

_BENT = 0.01
"""Pixels by which the last corner may be off the parallelogram of the others: the rounding of float32."""

_SAME_SCALE = 1e-4
"""How far a scale may be from 1 and still be the rounding of a turn."""


class SampleObjects:
    """What is told of the objects of one sample, on its way through the host.

    Attributes:
        count: How many objects there were.
        now: Boxes, masks and keypoints as the host knows them.
        probe: Corners of the picture on their way through the host, which say how it scales areas.
        index: Which objects are left, ``(n,)``.
        others: Values that a filter was told of, and which of their rows are left.
    """

    def __init__(self, sample: Any, group: Group, finder: Finder, size: Size, note: Note) -> None:
        self.group, self.rules = group, finder.boxes
        self.items = {path: leaf_at(sample, path) for path in group.members}
        self.count = len(self.items[group.anchor])
        self.index = torch.arange(self.count, device="cpu")
        self.others: dict[Path, tuple[Any, torch.Tensor]] = {}
        self.now: Values = {}
        # Where there are no objects, a list has nothing to transform; arrays still have a size.
        told = {path for path, item in self.items.items() if len(item) or len(getattr(item, "shape", ())) > 1}
        for path, item in self.items.items():
            if len(item) != self.count:
                self._check_count(path, item)
        for path in told.intersection((group.boxes, group.keypoints)):
            self.items[path] = as_floats(self.items[path], path, note)
        self.size, self.inside = size, torch.ones(0, dtype=torch.bool, device="cpu")
        self.areas = [path for path in group.fields if str(path[-1]).lower() in ("area", "areas") and path in told]
        self.start: torch.Tensor | None = _corners(size) if self.areas else None
        self.probe: torch.Tensor | None = None
        if group.boxes in told:
            self.now["boxes"] = _as_boxes(self.items[group.boxes], self.rules, size)
        if group.instances in told:
            self.now["masks"] = tv_tensors.Mask(as_tensor(self.items[group.instances]))
        if group.keypoints in told:
            positions = as_tensor(self.items[group.keypoints])[..., self._columns("xy")]
            self.inside = _inside(positions, size)
            self.now["points"] = tv_tensors.KeyPoints(positions.as_subclass(torch.Tensor), canvas_size=size)

    def _check_count(self, path: Path, value: Any) -> None:
        """Everything has a row for every object, so that one index can filter all of it."""
        if len(value) != self.count:
            raise InputError(
                "Objects of different number",
                where=spell(path),
                got=f"{len(value)} rows",
                wanted=f"{self.count}, as in {spell(self.group.anchor)}",
                fix="Give one row for every object, or another name if it is not of objects.",
            )

    def marked(self, size: Size | None) -> Values:
        """The objects with the types that a transform may have taken from them."""
        now = dict(self.now)
        if self.start is not None:
            now["probe"] = self.start if self.probe is None else self.probe
        for name in now:
            if type(now[name]) is torch.Tensor and size is not None:
                now[name] = self._typed(name, now[name], size)
        self.size = size or self.size
        return now

    def filter(self, transform: Any, wanted: str, more: Mapping[Path, Any]) -> None:
        """Drops what the host's filter drops, with everything that is told of it.

        Args:
            transform: The filter.
            wanted: What it looks at, ``"boxes"`` or ``"points"``.
            more: What it is told of besides the objects' own values, by place, with a row for each.
        """
        now = self.marked(None)
        now.pop("probe", None)
        by_order = copy.copy(transform)
        by_order._labels_getter = lambda inputs: inputs["order"]
        result = by_order({wanted: now[wanted], "order": torch.arange(len(self.index), device="cpu")})
        order = result["order"]
        self.now = {name: result.get(name, take_rows(value, order.numpy())) for name, value in now.items()}
        for path, value in more.items():
            if path not in self.others:
                self._check_count(path, value)
                self.others[path] = value, self.index
        self.others = {path: (value, index[order]) for path, (value, index) in self.others.items()}
        self.index = self.index[order]

    def result(self) -> dict[Path, Any]:
        """Every value of the objects that are left, in its own form."""
        group, kept = self.group, self.index.numpy()
        for value in self.now.values():
            if len(value) != len(kept):
                raise _lost(group.anchor, len(value), len(kept))
        new = {path: take_rows(item, kept) for path, item in self.items.items()}
        new |= {path: take_rows(value, index.numpy()) for path, (value, index) in self.others.items()}
        scale = 1.0 if self.start is None or self.probe is None else _scale(self.start, self.probe)
        if scale != 1.0:
            new |= {path: _scaled(new[path], scale) for path in self.areas}
        if group.boxes and "boxes" in self.now:
            new[group.boxes] = _as_before(self.now["boxes"], new[group.boxes], self.rules, self.size)
        if group.instances and "masks" in self.now:
            new[group.instances] = in_form_of(self.now["masks"], new[group.instances])
        if group.keypoints and "points" in self.now:
            lost = self.inside[kept] & ~_inside(self.now["points"], self.size)
            new[group.keypoints] = self._points(new[group.keypoints], lost)
            marks = (*group.keypoints[:-1], f"{group.keypoints[-1]}_visible")
            if marks in new:
                new[marks] = in_form_of(as_tensor(new[marks]).bool() & ~lost, new[marks])
        return new

    def _typed(self, name: str, value: torch.Tensor, size: Size) -> Any:
        if name == "masks":
            return tv_tensors.Mask(value)
        if name in ("points", "probe"):
            return tv_tensors.KeyPoints(value, canvas_size=size)
        form = format_of(self.items[self.group.boxes or ()], self.rules)
        return tv_tensors.BoundingBoxes(value, format=_host_format(form), canvas_size=size)

    def _columns(self, letters: str) -> list[int]:
        """Where the keypoints have these numbers, of those they have."""
        path = self.group.keypoints or ()
        width = hosts([self.items[path]])[0].shape[-1]
        columns = self.group.points.settled(width, self.group.single, spell(path)).columns
        return [columns.index(letter) for letter in letters if letter in columns]

    def _points(self, before: Any, lost: torch.Tensor) -> Any:
        """The keypoints in their own form; what the host has moved out of the image is not visible any more."""
        if is_typed(before):
            return self.now["points"]
        points = as_tensor(before).clone()
        if not len(points):
            return before
        points[..., self._columns("xy")] = self.now["points"].as_subclass(torch.Tensor).to(points.dtype)
        for column in self._columns("v"):
            points[..., column][lost] = 0
        return in_form_of(points, before)


def _lost(path: Path, got: int, wanted: int) -> InputError:
    return InputError(
        "A transform has dropped objects",
        where=spell(path),
        got=f"{got} rows",
        wanted=f"{wanted}, since nobody can tell which labels belong to the others",
        fix="Mark objects by making their boxes empty, and drop them with v2.SanitizeBoundingBoxes(), or write the "
        "transform as a function of the whole sample.",
    )


def _inside(points: torch.Tensor, size: Size) -> torch.Tensor:
    """Which points lie in an image of this size."""
    x, y = points.as_subclass(torch.Tensor).unbind(-1)
    return (x >= 0) & (x < size[1]) & (y >= 0) & (y < size[0])


def _corners(size: Size) -> torch.Tensor:
    """The first corner of a picture, those beside it, and the last one, ``(4, 2)``."""
    height, width = size
    x, y = width - 1.0, height - 1.0
    return torch.tensor([[0.0, 0.0], [x, 0.0], [0.0, y], [x, y]], dtype=torch.float64, device="cpu")


def _scale(before: torch.Tensor, after: torch.Tensor) -> float:
    """How much larger areas are: 1 behind crops, flips and turns, and where a picture is bent, and has none."""

    def area(points: torch.Tensor) -> tuple[float, float]:
        first, along, down, last = points.as_subclass(torch.Tensor).double().numpy()
        sides = along - first, down - first
        return abs(sides[0][0] * sides[1][1] - sides[0][1] * sides[1][0]), float(np.abs(last - along - sides[1]).max())

    (old, _), (new, bent) = area(before), area(after)
    scale = new / old if old > 0 and bent < _BENT else 1.0
    return 1.0 if abs(scale - 1) < _SAME_SCALE else scale


def _scaled(areas: Any, scale: float) -> Any:
    """Areas of another scale, in the form and dtype that they had."""
    values = as_tensor(areas).double() * scale
    return (
        values.tolist()
        if backend_of(areas) is None
        else kernel_of(str(backend_of(areas))).astype_like(values.numpy(), areas)
    )


def _host_format(form: str) -> str:
    """The host's name of a format; formats it has not are handed over as corners."""
    corners = "XYXYXYXY" if box_formats.is_rotated(form) else "XYXY"
    return form.upper() if form.upper() in tv_tensors.BoundingBoxFormat.__members__ else corners


def _as_boxes(item: Any, rules: BoxRules, size: Size) -> Any:
    """The boxes of a sample as the host knows them."""
    if is_typed(item):
        return item
    form, values = format_of(item, rules), as_tensor(item)
    width = box_formats.column_count(form)
    values = values[:, :width] if values.numel() else values.reshape(0, width)
    if _host_format(form).lower() != form:
        values = torch.from_numpy(box_formats.decode(values.double().numpy(), form, size)).to(values.dtype)
    return tv_tensors.BoundingBoxes(values, format=_host_format(form), canvas_size=size)


def _as_before(boxes: Any, before: Any, rules: BoxRules, size: Size) -> Any:
    """The host's boxes in the form that they had, with the columns that follow them."""
    if is_typed(before):
        return boxes
    values, form = boxes.as_subclass(torch.Tensor), format_of(before, rules)
    written = boxes.format.name.lower() if is_typed(boxes) else _host_format(form).lower()
    if written != form:
        size = boxes.canvas_size if is_typed(boxes) else size
        corners = box_formats.decode(values.double().numpy(), written, size)
        values = torch.from_numpy(box_formats.encode(corners, form, size)).to(values.dtype)
    former = as_tensor(before)
    more = former[:, values.shape[1] :] if former.ndim == 2 else former.new_zeros((0, 0))
    return in_form_of(torch.cat([values, more.to(values.dtype)], 1) if more.numel() else values, before)
