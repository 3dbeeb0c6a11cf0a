"""One sample between its own form and the one that torchvision transforms take."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torchvision import tv_tensors
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F

from mixtransforms.batch.inventory import Finder
from mixtransforms.containers.structure import keys_of_each
from mixtransforms.containers.tree import (
    Path,
    children,
    depth,
    is_flat,
    is_picture,
    is_picture_type,
    is_typed,
    leaf_at,
    replace,
    spell,
    walk,
)
from mixtransforms.core.backends import backend_of
from mixtransforms.core.errors import InputError
from mixtransforms.core.layout import Layout
from mixtransforms.mixing.host_stages import nested
from mixtransforms.objects.groups import Group
from mixtransforms.targets.names import IMAGE, MASK
from mixtransforms.torchvision.filters import FILTERS, filter_objects
from mixtransforms.torchvision.objects import SampleObjects, Size, Values
from mixtransforms.torchvision.whole_numbers import Note, as_tensor

STILL = (v2.Normalize, v2.ToDtype, v2.ToImage, v2.ToPureTensor, v2.Identity, v2.ConvertImageDtype)
"""Transforms that draw nothing and treat every image of a batch alike."""

_MANY = 4
"""Channels that a picture has at most; what has more may have other axes."""

_PALETTES = ("P", "PA")
"""Modes of PIL images whose pixels are numbers of colours in a palette of their own."""


def transformed(
    sample: Any,
    transforms: Iterable[Callable[[Any], Any]],
    finder: Finder,
    groups: Sequence[Group] | None = None,
    batched: bool = False,
    note: Note | None = None,
    dense: Dense | None = None,
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
        dense: See :func:`dense_of_each`; ``None`` has it looked up.
    """
    if groups is None:
        groups = () if batched else finder.groups_of_samples([sample])[0]
    if dense is None:
        (dense,) = dense_of_each([sample], finder, [tuple(groups)], batched)
    layout = finder.layout
    values, pictures = {}, set()
    for name, (path, mask) in dense.items():
        value = leaf_at(sample, path)
        kind: Any = type(value)
        if not (mask or batched):
            if is_picture_type(kind) and (value.mode in _PALETTES or layout.name):
                pictures.add(name)
            shape = getattr(value, "shape", ())
            if len(shape) > 2 and (layout.name or shape[-1 if kind is np.ndarray else 0] > _MANY):
                value = _checked_axes(value, name, layout, transforms)
        values[name] = _marked(value, mask)
    longer = [
        name
        for name, (path, _) in dense.items()
        if type(values[name]) is tv_tensors.Video and not is_typed(leaf_at(sample, path))
    ]
    size = _size(values.values()) if groups else None
    note = Note() if note is None else note
    objects = {}
    if size is not None:
        objects = {f"objects {n}": SampleObjects(sample, group, finder, size, note) for n, group in enumerate(groups)}
    for transform in transforms:
        values = {name: _marked(value, dense[name].mask) for name, value in values.items()}
        if isinstance(transform, FILTERS):
            filter_objects(transform, sample, finder, objects.values(), partial(_new, sample, dense, values, objects))
            continue
        told = {name: item.marked(_size(values.values())) for name, item in objects.items()}
        if longer and any(isinstance(inner, v2.RandomIoUCrop) for inner in nested(transform)):
            values |= {name: tv_tensors.Image(values[name]) for name in longer}  # it takes plain tensors, and no videos
        before, values = values, transform({**values, **told})
        for name in pictures:
            _check_colours(before.get(name), values.get(name), name, layout)
        for name, item in objects.items():
            item.now = values.pop(name, told[name])
            item.probe = item.now.pop("probe", None)
            item.size = _size(values.values()) or item.size
    return _new(sample, dense, values, objects)


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
        return as_tensor(value)
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


def _new(sample: Any, dense: Dense, values: Values, objects: Mapping[str, SampleObjects]) -> Any:
    """The sample with what transforms have made of it so far."""
    new = {dense[name].path: _unmarked(value, leaf_at(sample, dense[name].path)) for name, value in values.items()}
    for item in objects.values():
        new |= item.result()
    return replace(sample, new)


def sizes_of(samples: Sequence[Any], finder: Finder) -> list[Size]:
    """Heights and widths of the samples that have images."""
    sizes = []
    for sample, dense in zip(samples, dense_of_each(samples, finder, [()] * len(samples), batched=False), strict=True):
        sizes.append(_size(_marked(leaf_at(sample, path), mask) for path, mask in dense.values()))
    return [size for size in sizes if size is not None]


class DenseValue(NamedTuple):
    """Where a sample has an image, a mask or what else the host knows by its type; and whether it is a mask."""

    path: Path
    mask: bool


Dense = Mapping[str, DenseValue]
"""These values of a sample by their place as errors spell it, which is what the host is told they are called."""


def dense_of_each(
    samples: Sequence[Any], finder: Finder, told: Sequence[tuple[Group, ...]], batched: bool = False
) -> list[Dense]:
    """What every sample has of images, masks and the like.

    Samples of one structure are looked at once.

    Args:
        samples: The samples, or whole batches.
        finder: Knows what their values are.
        told: Where each tells of objects.
        batched: Whether they are batches.
    """
    found: list[Dense] = []
    last: Any = None
    for sample, key, groups in zip(samples, keys_of_each(samples), told, strict=True):
        if key is None or last is None or key is not last[0] or groups is not last[1]:
            known: Dense | None = finder.memo.get(("dense", key, groups, batched))
            if key is None or known is None:
                own = _dense(sample, finder, {path for group in groups for path in group.members}, batched)
                known = {spell(path): DenseValue(path, kind == MASK) for path, kind in own.items()}
                if key is not None:
                    finder.memo["dense", key, groups, batched] = known
            last = key, groups, known
        found.append(last[2])
    return found


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
