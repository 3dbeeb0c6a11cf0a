"""Images of unequal sizes, padded to the largest at their right and lower edges, and masks with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mixtransforms.batch.collate import SAME_CHANNELS
from mixtransforms.containers.tree import is_flat, spell
from mixtransforms.core.backends import backend_of, dtype_name, is_integer
from mixtransforms.core.errors import InputError
from mixtransforms.core.layout import Layout
from mixtransforms.kernels import kernel_of
from mixtransforms.targets.kind import Target
from mixtransforms.targets.names import IMAGE, MASK, PADDING
from mixtransforms.targets.strides import stride

Shape = tuple[int, ...]


def padded(found: Sequence[Target], layout: Layout, fill: int) -> tuple[tuple[Shape, ...], list[Target]]:
    """Lists of arrays of unequal sizes, padded to the largest; the sizes of images that were.

    Args:
        found: The targets of a batch.
        layout: Axes of its images.
        fill: Value of padded pixels of masks.

    Raises:
        InputError: Images differ in their channels, or a mask is of another size than its own image.
    """
    images = [target for target in found if target.kind == IMAGE and _shapes(target)]
    sizes: tuple[Shape, ...] = ()
    result = []
    for target in found:
        shapes = _shapes(target) if target.kind in (IMAGE, MASK, PADDING) else []
        unequal = len(set(shapes)) > 1
        ragged = unequal or any(len(set(_shapes(image))) > 1 for image in images)
        if target.kind != IMAGE and images and ragged and any(shapes):  # lengths are numbers, without axes
            _check_masks(target, images, layout)
        if unequal:
            if target.kind == IMAGE:
                _check_channels(target, layout.letters(target.value[0][None], spell(target.path)))
                sizes = sizes or _mixed_sizes(target, layout)
            target = target._replace(value=_largest(target.value, _filling(target, fill)))
        result.append(target)
    return sizes, result


def sizes_alike(found: Sequence[Target], layout: Layout, sizes: tuple[Shape, ...]) -> bool:
    """Whether all images of a batch, before they were padded, have the sizes of those that say how it was padded."""
    images = [target for target in found if target.kind == IMAGE and _shapes(target)]
    return all(_mixed_sizes(image, layout) == sizes for image in images)


def _mixed_sizes(image: Target, layout: Layout) -> tuple[Shape, ...]:
    """Lengths of the mixed axes of every sample's image."""
    first = image.value if backend_of(image.value) else image.value[0][None]
    axes = layout.axes(first, spell(image.path))
    return tuple(tuple(shape[axis - 1] for axis in axes) for shape in _shapes(image))


def _shapes(target: Target) -> list[Shape]:
    """The shape of every sample's array; none where the samples are no arrays."""
    value = target.value
    if backend_of(value):
        return [tuple(value.shape[1:])] * (value.shape[0] if len(value.shape) else 0)
    return [tuple(item.shape) for item in value] if is_flat(value) and backend_of(value[0]) else []


def _check_channels(target: Target, letters: str) -> None:
    """Padded channels would be another colour."""
    shapes, axis = _shapes(target), letters.find("C") - 1
    for index, shape in enumerate(shapes if axis >= 0 else ()):
        if shape[axis] != shapes[0][axis]:
            raise InputError(
                "Images with different numbers of channels",
                where=spell((*target.path, index)),
                got=f"{shape[axis]}, shape {shape}",
                wanted=f"{shapes[0][axis]}, as in sample 0",
                fix=SAME_CHANNELS,
            )


def _check_masks(target: Target, images: Sequence[Target], layout: Layout) -> None:
    """Masks are padded as their images are, so each has to be of the size of its own, or all at one stride of it."""
    if getattr(target.rule, "any_size", False):
        return
    masks = _shapes(target)
    wanted = [_sizes(image, layout) for image in images]
    first = layout.first(images[0].value if backend_of(images[0].value) else images[0].value[0])
    strides = set()
    for index, (shape, *sizes) in enumerate(zip(masks, *wanted, strict=False)):
        rank = len(sizes[0])
        start = len(shape) - rank if first else 0
        own = shape[start : start + rank]
        strides.add(() if own in sizes else stride(sizes[0], own) if target.kind == MASK else None)
        if len(shape) not in (rank, rank + 1) or None in strides or len(strides) > 1:
            raise InputError(
                "A mask of another size than its image",
                where=spell((*target.path, index)),
                got=f"shape {shape}",
                wanted=f"axes {sizes[0]}, as its image has them, or for all masks the same stride of them",
                fix="Give every mask the size of its own image, in the same order; both are padded alike.",
            )
        if shape[:start] + shape[start + rank :] != masks[0][:start] + masks[0][start + rank :]:
            raise InputError(
                "Masks with different numbers of channels",
                where=spell((*target.path, index)),
                got=f"shape {shape}",
                wanted=f"as many as in sample 0, of shape {masks[0]}",
                fix="Give every mask the same channels.",
            )


def _sizes(image: Target, layout: Layout) -> list[Shape]:
    """Lengths of all axes but channels, of every sample's image."""
    first = image.value if backend_of(image.value) else image.value[0][None]
    kept = [axis - 1 for axis, letter in enumerate(layout.letters(first, spell(image.path))) if letter not in "BC"]
    return [tuple(shape[axis] for axis in kept) for shape in _shapes(image)]


def _filling(target: Target, fill: int) -> int:
    """Value of padded pixels: none of images, an id of masks, and what says that there is padding of padding masks."""
    if target.kind != MASK:
        return int(getattr(target.rule, "inverted", False))
    own = getattr(target.rule, "ignore_index", None)
    fill, dtype = fill if own is None else own, dtype_name(target.value[0])
    limits = np.iinfo(dtype) if is_integer(target.value[0]) else None
    if limits is not None and not limits.min <= fill <= limits.max:
        raise InputError(
            "No id for the padding of masks",
            where=spell(target.path),
            got=f"ignore_index={fill} and masks of {dtype}",
            wanted=f"an id within [{limits.min}, {limits.max}]",
            fix=f"Give masks an id of their own, kinds={{{target.path[-1]!r}: SemanticMask(ignore_index=255)}}, or "
            "convert them.",
        )
    return fill


def _largest(values: Sequence[Any], fill: int) -> list[Any]:
    shape = np.max([value.shape for value in values], axis=0).tolist()
    return [kernel_of(str(backend_of(value))).padded(value, shape, fill) for value in values]
