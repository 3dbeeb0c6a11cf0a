"""Colours of masks: one for every class, laid over the picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core.backends import backend_of
from mixtransforms.core.layers import BoolArray, FloatArray
from mixtransforms.kernels.resampling import nearest_cells
from mixtransforms.show.batches.content import Content, as_host_array
from mixtransforms.show.style import class_color, to_rgb
from mixtransforms.targets.kind import Target
from mixtransforms.targets.mask import MaskPair

# Strong enough to tell eight colours apart, and light enough to see the picture below. Of an instance the inside is
# lighter, since its edge says where it is.
_MASK_OPACITY, _TINT = 0.55, 0.35

_EDGE_PART = 150
"""The line around an instance mask is this part of the longer side of the image: about as wide as that of a box."""


def mask_overlay(content: Content) -> tuple[FloatArray | None, tuple[int, ...]]:
    """The first semantic masks of a batch as colours, and the classes in them.

    Class 0 is taken for the background and stays clear. Of masks that were blended, both are there, by their weight.

    Returns:
        Premultiplied ``(B, H, W, 4)`` within [0, 1], or ``None`` where there are no masks; and class ids.
    """
    masks = [target for target in content.masks if len(target.value.shape) > 2]
    if not masks:
        return None, ()
    first, partner, weight = _blended_masks(content, masks[0], masks)
    own, classes = _colored(first, content.channels_first)
    if partner is None or weight is None:
        return _grown(own, content.shape), classes
    other, others = _colored(partner, content.channels_first)
    share = weight.reshape(len(weight), *(own.shape[1:3] if weight.size > len(weight) else (1, 1)), 1)
    return _grown(share * own + (1.0 - share) * other, content.shape), tuple(sorted({*classes, *others}))


def _grown(overlay: FloatArray, shape: Sequence[int]) -> FloatArray:
    """An overlay ``(B, h, w, 4)`` at the size of the images: of masks at a stride every cell covers several pixels."""
    for axis, (own, wanted) in enumerate(zip(overlay.shape[1:3], shape, strict=False), 1):
        if own != wanted and len(shape) == 2:
            overlay = overlay.take(nearest_cells(np.arange(wanted), own, max(wanted, 1)), axis=axis)
    return overlay


def with_instance(overlay: FloatArray, inside: BoolArray, number: int, weight: float) -> FloatArray:
    """An overlay with one instance on it: tinted, with a line along its inner edge that is as opaque as its weight."""
    tint, line = (_premultiplied(number, weight * opacity) for opacity in (_TINT, 1.0))
    layer = np.where(inside[..., None], np.where(_inner_edge(inside)[..., None], line, tint), 0.0)
    return np.asarray(layer + overlay * (1.0 - layer[..., 3:]))


def to_rgba(overlay: FloatArray) -> NDArray[np.uint8]:
    """Premultiplied colours as 8-bit RGBA."""
    alpha = overlay[..., 3:]
    color = np.divide(overlay[..., :3], alpha, out=np.zeros_like(overlay[..., :3]), where=alpha > 0)
    return np.asarray(np.rint(255 * np.concatenate([color, alpha], axis=-1).clip(0.0, 1.0)), np.uint8)


def _blended_masks(content: Content, target: Target, masks: Sequence[Target]) -> tuple[Any, Any, FloatArray | None]:
    """Masks, those that were blended into them, and the weight of the first; ``None`` for what there is not."""
    place, own = target.path[:-1], target.path[-1] if target.path else 0
    beside = content.siblings(target.path)
    stem = "" if isinstance(content.container(target.path), MaskPair) else f"{own}_"
    partner = {mask.path: mask.value for mask in masks}.get((*place, f"{stem}partner"), beside.get(f"{stem}partner"))
    weight = beside.get(f"{stem}weight")
    if partner is None or weight is None:
        return as_host_array(target.value), None, None
    values = as_host_array(weight) if backend_of(weight) else np.array([as_host_array(item) for item in weight])
    return as_host_array(target.value), as_host_array(partner), values.astype(np.float64)


def _colored(masks: NDArray[Any], first: bool) -> tuple[FloatArray, tuple[int, ...]]:
    """Ids ``(B, H, W)``, with or without one channel, or maps of classes, as colours; and the classes in them."""
    if masks.ndim == 4:
        masks = np.moveaxis(masks, 1, 3) if first else masks
        if masks.shape[3] > 1:
            maps = masks.astype(np.float64)
            return maps @ _palette(range(maps.shape[3])), _foreground(np.flatnonzero(maps.any(axis=(0, 1, 2))))
        masks = masks[..., 0]
    ids, place = np.unique(masks, return_inverse=True)
    numbers = [int(number) for number in ids.tolist()]
    return _palette(numbers)[place.reshape(masks.shape)], _foreground(numbers)


def _palette(numbers: Iterable[int]) -> FloatArray:
    """A colour for every class, clear for class 0 and below, ``(n, 4)``."""
    return np.array([_premultiplied(number, _MASK_OPACITY * (number > 0)) for number in numbers]).reshape(-1, 4)


def _foreground(numbers: Any) -> tuple[int, ...]:
    return tuple(sorted({int(number) for number in numbers if number > 0}))


def _premultiplied(number: int, alpha: float) -> FloatArray:
    return alpha * np.array([*to_rgb(class_color(number)), 1.0])


def _inner_edge(inside: BoolArray) -> BoolArray:
    """Pixels of a mask that are near to its border; the border of the image is none."""
    # Eroded by hand, a few pixels: SciPy and OpenCV, which have it, are not needed for anything else here.
    core = inside
    for _ in range(max(1, max(inside.shape) // _EDGE_PART)):
        wide = np.pad(core, 1, mode="edge")
        core = core & wide[:-2, 1:-1] & wide[2:, 1:-1] & wide[1:-1, :-2] & wide[1:-1, 2:]
    return inside & ~core
