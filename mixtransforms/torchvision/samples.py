"""One sample between its own form and the one that torchvision transforms take."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torchvision import tv_tensors
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F

from mixtransforms.batch.inventory import REST, Finder
from mixtransforms.containers.structure import common_key
from mixtransforms.containers.tree import (
    Path,
    children,
    depth,
    describe,
    is_flat,
    is_picture,
    is_picture_type,
    is_typed,
    leaf_at,
    replace,
    spell,
    walk,
)
from mixtransforms.core.backends import backend_of, dtype_name, is_integer
from mixtransforms.core.errors import InputError
from mixtransforms.core.layout import Layout
from mixtransforms.kernels import kernel_of
from mixtransforms.objects import box_formats
from mixtransforms.objects.assemble import take_rows
from mixtransforms.objects.boxes import BoxRules
from mixtransforms.objects.groups import Group
from mixtransforms.objects.parse import format_of, hosts
from mixtransforms.objects.scale import check_scale
from mixtransforms.targets.names import IMAGE, MASK

STILL = (v2.Normalize, v2.ToDtype, v2.ToImage, v2.ToPureTensor, v2.Identity, v2.ConvertImageDtype)
"""Transforms that draw nothing and treat every image of a batch alike."""

_MANY = 4
"""Channels that a picture has at most; what has more may have other axes."""

_PALETTES = ("P", "PA")
"""Modes of PIL images whose pixels are numbers of colours in a palette of their own."""

Values = dict[str, Any]
Size = tuple[int, int]

FILTERS = (v2.SanitizeBoundingBoxes, v2.SanitizeKeyPoints)
"""Transforms of the host that drop objects, and with them whatever their ``labels_getter`` names."""

_COCO = ("segmentation", "bbox")
"""What COCO's annotations tell of every object besides what the package knows by name; lists beside the boxes."""


def transformed(
    sample: Any,
    transforms: Iterable[Callable[[Any], Any]],
    finder: Finder,
    groups: Sequence[Group] | None = None,
    batched: bool = False,
    note: Note | None = None,
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
        note: Gets the boxes and keypoints that are arrays; whole numbers among them come back as floats.
    """
    if groups is None:
        groups = () if batched else finder.groups_of_samples([sample])[0]
    dense = _dense_of(sample, finder, tuple(groups), batched)
    names, layout = {spell(path): path for path in dense}, finder.layout
    values, pictures = {}, set()
    for name, path in names.items():
        value, mask = leaf_at(sample, path), dense[path] == MASK
        kind: Any = type(value)
        if not (mask or batched):
            if is_picture_type(kind) and (value.mode in _PALETTES or layout.name):
                pictures.add(name)
            shape = getattr(value, "shape", ())
            if len(shape) > 2 and (layout.name or shape[-1 if kind is np.ndarray else 0] > _MANY):
                value = _checked_axes(value, name, layout, transforms)
        values[name] = _marked(value, mask)
    size = _size(values.values())
    note = Note() if note is None else note
    objects = {}
    if size is not None:
        objects = {f"objects {n}": _Objects(sample, group, finder, size, note) for n, group in enumerate(groups)}
    for transform in transforms:
        values = {name: _marked(value, dense[names[name]] == MASK) for name, value in values.items()}
        if isinstance(transform, FILTERS):
            _filter(transform, sample, finder, objects.values(), partial(_new, sample, names, values, objects))
            continue
        told = {name: item.marked(_size(values.values())) for name, item in objects.items()}
        before, values = values, transform({**values, **told})
        for name in pictures:
            _check_colours(before.get(name), values.get(name), name, layout)
        for name, item in objects.items():
            item.now = values.pop(name, told[name])
            item.size = _size(values.values()) or item.size
    return _new(sample, names, values, objects)


def _checked_axes(value: Any, where: str, layout: Layout, transforms: Iterable[Any]) -> Any:
    """One image before torchvision takes its first axis for channels, or moves the last one there.

    Returns:
        The image, or a tensor where it is a NumPy array with channels first.

    Raises:
        InputError: Its lengths say that its axes are other ones, or channels are known to be the last.
    """
    if layout.name is None:
        layout.axes(value[None], where)
    elif layout.first(value):
        return _tensor(value)
    elif any(type(transform) not in STILL for transform in transforms):
        raise InputError(
            "Channels last",
            where=where,
            got=f"shape {tuple(value.shape)} and layout={layout.name!r}",
            wanted="channels first, as the transforms of torchvision have them",
            fix="Leave layout out for arrays (H, W, C), which become (C, H, W), and permute others in the data set: "
            "tensor.movedim(-1, -3).",
        )
    return value


def _check_colours(before: Any, after: Any, where: str, layout: Layout) -> None:
    """Raises where a picture has become numbers that mean other colours in other pictures, or have other axes."""
    if not is_picture(before) or is_picture(after):
        return
    if before.mode in _PALETTES:
        raise InputError(
            "Palette indices in the place of colours",
            where=where,
            got=f"a PIL image of mode {before.mode}",
            wanted="colours or intensities, which can be mixed",
            fix="Put v2.RGB() before v2.ToImage(), or say that it is a mask of ids with kinds={...: 'mask'}.",
        )
    if layout.name and not layout.first(after):
        raise InputError(
            "Channels last",
            where=where,
            got=f"layout={layout.name!r}, and a PIL image that has become (C, H, W)",
            wanted="channels first, as torchvision makes them",
            fix="Leave layout out.",
        )


def present(sample: Any, groups: Iterable[Group]) -> tuple[Group, ...]:
    """What one sample of a ready batch tells of objects: its record may lack what others have."""
    return tuple(part for group in groups if (part := _part(sample, group)) is not None)


def _part(sample: Any, group: Group) -> Group | None:
    held = dict(children(leaf_at(sample, group.place)) or ())
    lacking = {path for path in group.members if path[len(group.place)] not in held}
    if not lacking:
        return group
    boxes, instances, points = (
        None if path in lacking else path for path in (group.boxes, group.instances, group.keypoints)
    )
    if not (boxes or instances or points):
        return None
    fields = tuple(path for path in group.fields if path not in lacking)
    return group._replace(boxes=boxes, instances=instances, keypoints=points, fields=fields)


def _new(sample: Any, names: Mapping[str, Path], values: Values, objects: Mapping[str, _Objects]) -> Any:
    """The sample with what transforms have made of it so far."""
    new = {names[name]: _unmarked(value, leaf_at(sample, names[name])) for name, value in values.items()}
    for item in objects.values():
        new |= item.result()
    return replace(sample, new)


def check_scales(samples: Sequence[Any], groups: Sequence[Sequence[Group]], finder: Finder) -> None:
    """Refuses boxes that are fractions of images and would be moved as pixels, or the other way round.

    One sample may have its only box in the first pixel; a whole batch has not.

    Args:
        samples: All that one stage gets.
        groups: Where each of them tells of objects.
        finder: Knows what else their values are.

    Raises:
        InputError: See :func:`~mixtransforms.objects.scale.check_scale`.
    """
    rules, boxes = finder.boxes, []
    path: Path = ()
    for sample, own in zip(samples, groups, strict=True):
        for group in own:
            item = leaf_at(sample, group.boxes) if group.boxes else None
            if item is not None and len(item) and not is_typed(item):
                path, rows = group.boxes or (), hosts([item])[0]
                boxes += [rows[:, :4].astype(np.float64)] if rows.ndim == 2 else []
    if boxes:
        check_scale(np.concatenate(boxes), rules, lambda: _sizes(samples, finder), path)


def _sizes(samples: Sequence[Any], finder: Finder) -> list[Size]:
    """Heights and widths of the samples that have images."""
    sizes = []
    for sample in samples:
        dense = _dense_of(sample, finder, (), batched=False)
        sizes.append(_size(_marked(leaf_at(sample, path), kind == MASK) for path, kind in dense.items()))
    return [size for size in sizes if size is not None]


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
        if path not in apart and (_is_dense(path, leaf, known.get(path)) or is_picture(leaf) or _is_typed(leaf))
    }


def _is_dense(path: Path, leaf: Any, kind: str | None) -> bool:
    """An image, or a mask; COCO calls its polygons ``segmentation`` as well, lists in which the host finds nothing."""
    numbers = type(leaf) in (list, tuple) and not backend_of(leaf[0] if leaf else None)
    return kind == IMAGE or (kind == MASK and not (numbers and (type(path[-1]) is int or depth(leaf) != 2)))


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


class Note(dict[Path, Any]):
    """The boxes and keypoints of one sample that are arrays, as they came.

    Attributes:
        whole: Whether any of them are whole numbers.
    """

    whole = False


class _Objects:
    """What is told of the objects of one sample, on its way through the host.

    Attributes:
        count: How many objects there were.
        now: Boxes, masks and keypoints as the host knows them.
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
            self.items[path] = _as_floats(self.items[path], path, note)
        self.size, self.inside = size, torch.ones(0, dtype=torch.bool, device="cpu")
        if group.boxes in told:
            self.now["boxes"] = _as_boxes(self.items[group.boxes], self.rules, size)
        if group.instances in told:
            self.now["masks"] = tv_tensors.Mask(_tensor(self.items[group.instances]))
        if group.keypoints in told:
            positions = _tensor(self.items[group.keypoints])[..., self._columns("xy")]
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
                fix="Give one row for every object, or leave it alone with passthrough.",
            )

    def marked(self, size: Size | None) -> Values:
        """The objects with the types that a transform may have taken from them."""
        now = dict(self.now)
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


def _filter(
    transform: Any, sample: Any, finder: Finder, objects: Collection[_Objects], current: Callable[[], Any]
) -> None:
    """Filters objects as the host would, and whatever its filter is told of with them; where there are none, nothing.

    Args:
        transform: One of :data:`FILTERS`.
        sample: The sample as it came.
        finder: Knows what its values are.
        objects: What is told of its objects.
        current: Makes the sample as it is now, for a ``labels_getter`` of the user's own.
    """
    wanted = "boxes" if isinstance(transform, v2.SanitizeBoundingBoxes) else "points"
    filtered = [item for item in objects if wanted in item.now]
    if not objects:
        _check_bare(sample, finder, "boxes" if wanted == "boxes" else "keypoints")
    named = _named(transform, sample, current) if filtered else {}
    own = {path for item in filtered for path in item.items}
    for item in filtered:
        place = item.group.place
        more = {path: value for path, value in named.items() if path not in own and _beside(path, place, filtered)}
        item.filter(transform, wanted, more | _annotations(sample, item))


def _check_bare(sample: Any, finder: Finder, wanted: str) -> None:
    """Refuses to take a sample for one without objects that may have them under a name that nobody knows."""
    for entry in finder.inventory(sample, batched=False).entries:
        if entry.role == REST and backend_of(entry.value) and len(entry.value.shape) > 1:
            name = entry.path[-1] if entry.path else 0
            raise InputError(
                f"No {wanted} to filter, and an array that may be some",
                where=spell(entry.path),
                got=describe(entry.value),
                wanted=f"{wanted} by their type or name, or a sample without any",
                fix=f"Tell a mix what it is with kinds={{{name!r}: {wanted!r}}} or passthrough=({name!r},), or make it "
                f"tv_tensors.{'BoundingBoxes' if wanted == 'boxes' else 'KeyPoints'}.",
            )


def _beside(path: Path, place: Path, objects: Sequence[_Objects]) -> bool:
    """Whether a value belongs to the objects of a container: it stands in it, or there are no other objects."""
    return len(objects) == 1 or path[: len(place)] == place


def _annotations(sample: Any, item: _Objects) -> dict[Path, Any]:
    """COCO's own annotations beside boxes, which nobody has to name."""
    beside = dict(children(leaf_at(sample, item.group.place)) or ())
    found = {(*item.group.place, name): beside[name] for name in _COCO if type(beside.get(name)) is list}
    return {path: value for path, value in found.items() if path not in item.items and len(value) == item.count}


def _named(transform: Any, sample: Any, current: Callable[[], Any]) -> dict[Path, Any]:
    """What the ``labels_getter`` of a filter names, by place.

    Raises:
        InputError: It names something that is no value of the sample, which could not be filtered.
    """
    getter = transform.labels_getter
    if getter is None:
        return {}
    if callable(getter):
        sample = current()
        labels = getter(sample)
        return {} if labels is None else _places(labels, sample)
    try:  # by the host's own rule, which takes the first key that has "label" in it
        labels = transform._labels_getter(sample)
    except (ValueError, LookupError, AttributeError, TypeError):  # a sample without labels, or of another form
        return {}
    return _places(labels, sample) if backend_of(labels) and len(labels.shape) else {}


def _places(labels: Any, sample: Any) -> dict[Path, Any]:
    """Where values of a sample stand in it, as they themselves are found there."""
    places = {id(value): path for path, value in _nodes(sample) if hasattr(value, "__len__")}
    named = [labels] if id(labels) in places or type(labels) not in (list, tuple) else labels
    for value in named:
        if id(value) not in places:
            raise InputError(
                "A filter is told of something that is no value of the sample",
                where="labels_getter",
                got=describe(value),
                wanted="values of the sample, themselves, each with a row for every object",
                fix="Return them as they are: labels_getter=lambda sample: (sample[1]['labels'], sample[1]['area']).",
            )
    return {places[id(value)]: value for value in named}


def _nodes(node: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value in a sample, containers as well."""
    yield path, node
    for key, value in children(node) or ():
        yield from _nodes(value, (*path, key))


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


def _as_floats(item: Any, path: Path, note: Note) -> Any:
    """Boxes or keypoints that came as whole numbers as floats; what the user has typed is the host's own affair."""
    if is_typed(item):
        return item
    backend = backend_of(item)
    if backend is None:
        return np.array(item, np.float64).tolist()
    note.setdefault(path, item)
    if not is_integer(item):
        return item
    note.whole = True
    return kernel_of(backend).astype(item, "float64")


def whole_numbers(notes: Iterable[Note]) -> dict[Path, list[Any]]:
    """The arrays of boxes and keypoints of several samples, where there are whole numbers among them."""
    found: dict[Path, list[Any]] = {}
    for note in notes:
        for path, item in note.items():
            found.setdefault(path, []).append(item)
    return {path: items for path, items in found.items() if any(map(is_integer, items))}


def rounded(sample: Any, note: Note, earlier: Mapping[Path, Sequence[Any]]) -> Any:
    """A sample whose boxes and keypoints are whole numbers again, as they came, rounded once.

    Args:
        sample: The sample, behind the last transform of the host.
        note: The arrays that it came as to this stage.
        earlier: The whole numbers that all samples came as to the first one, before they were mixed.

    Raises:
        InputError: The integers that they came as do not hold them.
    """
    own = whole_numbers([note])
    # A mix may have put boxes with their weights into the place of boxes.
    known = {path: own.get(path) or earlier.get(path) or earlier.get(path[:-1]) for path in note}
    return replace(
        sample, {path: _rounded(leaf_at(sample, path), path, given) for path, given in known.items() if given}
    )


def _rounded(values: Any, path: Path, given: Sequence[Any]) -> Any:
    kernel = kernel_of(str(backend_of(values)))
    dtype = kernel.common_dtype([item for item in given if len(item)] or given)  # as a mix joins them
    new = kernel.astype(values[:0], dtype)
    if not is_integer(new):
        return kernel.astype(values, dtype)
    host = kernel.to_host(values)
    with np.errstate(invalid="ignore"):
        new = kernel.astype_like(host, new)
    if not np.array_equal(kernel.to_host(new), np.rint(host)):
        raise InputError(
            "Whole numbers that their dtype does not hold",
            where=spell(path),
            got=f"{dtype_name(new)}, and values from {host.min():g} to {host.max():g}",
            wanted="a signed dtype that is wide enough, or floats",
            fix="Give boxes and keypoints as int64 or float32.",
        )
    return new


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
