"""One sample between its own form and the one that torchvision transforms take."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torchvision import tv_tensors
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F

from mixtransforms.batch.inventory import Finder
from mixtransforms.containers.structure import common_key
from mixtransforms.containers.tree import Path, is_flat, is_picture, is_typed, leaf_at, replace, spell, walk
from mixtransforms.core.backends import backend_of
from mixtransforms.kernels import kernel_of
from mixtransforms.objects import box_formats
from mixtransforms.objects.assemble import take_rows
from mixtransforms.objects.boxes import BoxRules
from mixtransforms.objects.groups import Group
from mixtransforms.objects.parse import format_of, hosts
from mixtransforms.targets.names import IMAGE, MASK

Values = dict[str, Any]
Size = tuple[int, int]


def transformed(
    sample: Any,
    transforms: Iterable[Callable[[Any], Any]],
    finder: Finder,
    groups: Sequence[Group] | None = None,
    batched: bool = False,
) -> Any:
    """Runs torchvision transforms on one sample; what is told of an object stays with it, or leaves with it.

    The host gets what it transforms, in a dict of its own: its tensors would be found in any container, but of plain
    ones it takes the first for the image, and it walks neither dataclasses nor mappings of other types.

    Args:
        sample: One sample in any container.
        transforms: In the order they happen.
        finder: Knows what the sample's values are.
        groups: Where it tells of objects; ``None`` has it looked up.
        batched: Whether it is a whole batch, for transforms that draw nothing and treat every image alike.
    """
    if groups is None:
        groups = () if batched else finder.sample_parts(sample).groups
    dense = _dense_of(sample, finder, tuple(groups), batched)
    names = {spell(path): path for path in dense}
    values = {name: _marked(leaf_at(sample, path), dense[path] == MASK) for name, path in names.items()}
    size = _size(values.values())
    objects = {} if size is None else {f"objects {n}": _Objects(sample, g, finder, size) for n, g in enumerate(groups)}
    for transform in transforms:
        values = {name: _marked(value, dense[names[name]] == MASK) for name, value in values.items()}
        told = {name: item.marked(_size(values.values())) for name, item in objects.items()}
        if objects and isinstance(transform, (v2.SanitizeBoundingBoxes, v2.SanitizeKeyPoints)):
            told = {name: objects[name].filtered(transform) for name in told}
        else:
            values = transform({**values, **told})
        for name, item in objects.items():
            item.now = values.pop(name, told[name])
            item.size = _size(values.values()) or item.size
    new = {names[name]: _unmarked(value, leaf_at(sample, names[name])) for name, value in values.items()}
    for item in objects.values():
        new |= item.result()
    return replace(sample, new)


def _dense_of(sample: Any, finder: Finder, groups: tuple[Group, ...], batched: bool) -> Mapping[Path, str | None]:
    """See :func:`_dense`; samples of one structure are looked at once."""
    key = common_key([sample], exact=False)
    known: Mapping[Path, str | None] | None = finder.memo.get(("dense", key, groups, batched))
    if key is None or known is None:
        known = _dense(sample, finder, {path for group in groups for path in group.members}, batched)
        if key is not None:
            finder.memo["dense", key, groups, batched] = known
    return known


def _dense(sample: Any, finder: Finder, apart: Collection[Path], batched: bool) -> dict[Path, str | None]:
    """Where a sample has images, masks and other values that the host knows by their type, and their kind."""
    known = {target.path: target.kind for target in finder.inventory(sample, batched=batched).targets}

    def whole(path: Path, node: Any) -> bool:
        holds_known = any(place[: len(path)] == path for place in known)
        return path in known or path in apart or (is_flat(node) and not holds_known)

    leaves = dict(walk(sample, whole))
    for path in (path for path, leaf in leaves.items() if is_picture(leaf) and path not in apart):
        known[path] = finder.named_kind(sample, path, leaf_at(sample, path[:-1]) if path else None)
    return {
        path: known.get(path)
        for path, leaf in leaves.items()
        if path not in apart and (known.get(path) in (IMAGE, MASK) or is_picture(leaf) or _is_typed(leaf))
    }


def _is_typed(leaf: Any) -> bool:
    """A typed tensor, or a list of them."""
    return is_typed(leaf[0] if type(leaf) in (list, tuple) and leaf else leaf)


def _marked(value: Any, mask: bool) -> Any:
    """What is known to be an image, a video or a mask, marked as such for the host.

    The host would take a mask that is a PIL image for a picture, and leaves NumPy arrays as they are.
    """
    if mask and not isinstance(value, tv_tensors.Mask):
        return tv_tensors.Mask(value if backend_of(value) == "torch" else torch.from_numpy(np.array(value)))
    if isinstance(value, np.ndarray) and value.ndim in (2, 3):
        return F.to_image(value)
    if type(value) is not torch.Tensor:
        return value
    return tv_tensors.Video(value) if value.ndim == 4 else tv_tensors.Image(value)


def _unmarked(value: Any, before: Any) -> Any:
    return value.as_subclass(torch.Tensor) if type(before) is torch.Tensor and backend_of(value) == "torch" else value


def _size(values: Iterable[Any]) -> Size | None:
    """Height and width of the first image."""
    for value in values:
        if is_picture(value) or isinstance(value, (tv_tensors.Image, tv_tensors.Video)):
            height, width = F.get_size(value)
            return int(height), int(width)
    return None


class _Objects:
    """What is told of the objects of one sample, on its way through the host.

    Attributes:
        now: Boxes, masks and keypoints as the host knows them, and an index that says which objects are left.
    """

    def __init__(self, sample: Any, group: Group, finder: Finder, size: Size) -> None:
        self.group, self.rules = group, finder.boxes
        self.items = {path: leaf_at(sample, path) for path in group.members}
        self.now: Values = {"index": torch.arange(len(self.items[group.anchor]))}
        # Where there are no objects, a list has nothing to transform; arrays still have a size.
        told = {path for path, item in self.items.items() if len(item) or len(getattr(item, "shape", ())) > 1}
        self.size, self.inside = size, torch.ones(0, dtype=torch.bool)
        if group.boxes in told:
            self.now["boxes"] = _as_boxes(self.items[group.boxes], self.rules, size)
        if group.instances in told:
            self.now["masks"] = tv_tensors.Mask(_tensor(self.items[group.instances]))
        if group.keypoints in told:
            positions = _tensor(self.items[group.keypoints])[..., self._columns("xy")]
            self.inside = _inside(positions, size)
            self.now["points"] = tv_tensors.KeyPoints(positions.as_subclass(torch.Tensor), canvas_size=size)

    def marked(self, size: Size | None) -> Values:
        """The objects with the types that a transform may have taken from them."""
        now = dict(self.now)
        for name in now:
            if name != "index" and type(now[name]) is torch.Tensor and size is not None:
                now[name] = self._typed(name, now[name], size)
        self.size = size or self.size
        return now

    def filtered(self, transform: Any) -> Values:
        """The objects without those that the host's filter drops, whatever it is told to look at for labels."""
        now = self.marked(None)
        wanted = "boxes" if isinstance(transform, v2.SanitizeBoundingBoxes) else "points"
        if wanted not in now:
            return now
        by_order = copy.copy(transform)
        by_order._labels_getter = lambda inputs: inputs["order"]
        order = torch.arange(len(now["index"]))
        result = by_order({wanted: now[wanted], "order": order})
        return {name: result.get(name, take_rows(value, result["order"].numpy())) for name, value in now.items()}

    def result(self) -> dict[Path, Any]:
        """Every value of the objects that are left, in its own form."""
        group, kept = self.group, self.now["index"].numpy()
        new = {path: take_rows(item, kept) for path, item in self.items.items()}
        if group.boxes and "boxes" in self.now:
            new[group.boxes] = _as_before(self.now["boxes"], new[group.boxes], self.rules, self.size)
        if group.instances and "masks" in self.now:
            new[group.instances] = _like(self.now["masks"], new[group.instances])
        if group.keypoints and "points" in self.now:
            lost = self.inside[kept] & ~_inside(self.now["points"], self.size)
            new[group.keypoints] = self._points(new[group.keypoints], lost)
            marks = (*group.keypoints[:-1], f"{group.keypoints[-1]}_visible")
            if marks in new:
                new[marks] = _like(_tensor(new[marks]).bool() & ~lost, new[marks])
        return new

    def _typed(self, name: str, value: torch.Tensor, size: Size) -> Any:
        if name == "masks":
            return tv_tensors.Mask(value)
        if name == "points":
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
        points = _tensor(before).clone()
        if not len(points):
            return before
        points[..., self._columns("xy")] = self.now["points"].as_subclass(torch.Tensor).to(points.dtype)
        for column in self._columns("v"):
            points[..., column][lost] = 0
        return _like(points, before)


def _inside(points: torch.Tensor, size: Size) -> torch.Tensor:
    """Which points lie in an image of this size."""
    x, y = points.as_subclass(torch.Tensor).unbind(-1)
    return (x >= 0) & (x < size[1]) & (y >= 0) & (y < size[0])


def _host_format(form: str) -> str:
    """The host's name of a format; formats it has not are handed over as corners."""
    corners = "XYXYXYXY" if box_formats.is_rotated(form) else "XYXY"
    return form.upper() if form.upper() in tv_tensors.BoundingBoxFormat.__members__ else corners


def _as_boxes(item: Any, rules: BoxRules, size: Size) -> Any:
    """The boxes of a sample as the host knows them."""
    if is_typed(item):
        return item
    form, values = format_of(item, rules), _tensor(item)
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
    former = _tensor(before)
    more = former[:, values.shape[1] :] if former.ndim == 2 else former.new_zeros((0, 0))
    return _like(torch.cat([values, more.to(values.dtype)], 1) if more.numel() else values, before)


def _tensor(item: Any) -> torch.Tensor:
    """One sample's value as a tensor."""
    return item if backend_of(item) == "torch" else torch.from_numpy(np.array(item))


def _like(values: torch.Tensor, item: Any) -> Any:
    """A tensor in the form of a sample's value."""
    if backend_of(item) is None:
        return values.tolist()
    if backend_of(item) == "numpy":
        return kernel_of("numpy").astype_like(values.numpy(), item)
    return values if is_typed(item) else values.as_subclass(torch.Tensor)
