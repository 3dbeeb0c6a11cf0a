"""Colours of masks: one for every class, laid over the picture."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixtransforms.containers.tree import children, leaf_at
from mixtransforms.core.backends import backend_of
from mixtransforms.core.layers import BoolArray, FloatArray
from mixtransforms.show.batches.content import Content, host
from mixtransforms.targets.kind import Target
from mixtransforms.targets.mask import MaskPair
from mixtransforms.targets.names import MASK

CLASSES = ("#FFD92E", "#FF4FA3", "#35D95B", "#4AA8FF", "#B07CFF", "#FF9A2E", "#FFFFFF", "#D2B48C")
"""Colours of classes by their ids, again and again: bright, unlike those of sources, which are dark."""

_OPACITY = 0.55
_EDGE = 150
"""The line around an instance mask is this part of the longer side of the image."""


def color_of(number: int) -> str:
    """The colour of a class."""
    return CLASSES[number % len(CLASSES)]


def washes(content: Content) -> tuple[FloatArray | None, tuple[int, ...]]:
    """The first semantic masks of a batch as colours, and the classes in them.

    Class 0 is taken for the background and stays clear. Of masks that were blended, both are there, by their weight.

    Returns:
        Premultiplied ``(B, H, W, 4)`` within [0, 1], or ``None`` where there are no masks; and class ids.
    """
    masks = [target for target in content.found.others if target.kind == MASK and len(target.value.shape) > 2]
    if not masks:
        return None, ()
    first, partner, weight = _parts(content, masks[0], masks)
    own, classes = _colored(first, content.found.template.first)
    if partner is None or weight is None:
        return own, classes
    other, others = _colored(partner, content.found.template.first)
    share = weight.reshape(len(weight), *(own.shape[1:3] if weight.size > len(weight) else (1, 1)), 1)
    return share * own + (1.0 - share) * other, tuple(sorted({*classes, *others}))


def composed(wash: FloatArray, inside: BoolArray, number: int, weight: float) -> FloatArray:
    """A wash with one instance on it: tinted, with a line along its inner edge that is as opaque as its weight."""
    tint, line = (_premultiplied(number, weight * opacity) for opacity in (0.35, 1.0))
    layer = np.where(inside[..., None], np.where(_edge(inside)[..., None], line, tint), 0.0)
    return np.asarray(layer + wash * (1.0 - layer[..., 3:]))


def solid(wash: FloatArray) -> NDArray[np.uint8]:
    """Premultiplied colours as 8-bit RGBA."""
    alpha = wash[..., 3:]
    color = np.divide(wash[..., :3], alpha, out=np.zeros_like(wash[..., :3]), where=alpha > 0)
    return np.asarray(np.rint(255 * np.concatenate([color, alpha], axis=-1).clip(0.0, 1.0)), np.uint8)


def _parts(content: Content, target: Target, masks: list[Target]) -> tuple[Any, Any, FloatArray | None]:
    """Masks, those that were blended into them, and the weight of the first; ``None`` for what there is not."""
    place, own = target.path[:-1], target.path[-1] if target.path else 0
    parent = leaf_at(content.found.batch, place) if target.path else None
    beside = dict(children(parent) or ())
    stem = "" if isinstance(parent, MaskPair) else f"{own}_"
    partner = {mask.path: mask.value for mask in masks}.get((*place, f"{stem}partner"), beside.get(f"{stem}partner"))
    weight = beside.get(f"{stem}weight")
    if partner is None or weight is None:
        return host(target.value), None, None
    values = host(weight) if backend_of(weight) else np.array([host(item) for item in weight])
    return host(target.value), host(partner), values.astype(np.float64)


def _colored(masks: NDArray[Any], first: bool) -> tuple[FloatArray, tuple[int, ...]]:
    """Ids ``(B, H, W)``, with or without one channel, or maps of classes, as colours; and the classes in them."""
    if masks.ndim == 4:
        masks = np.moveaxis(masks, 1, 3) if first else masks
        if masks.shape[3] > 1:
            maps = masks.astype(np.float64)
            colors = np.stack([_premultiplied(number, _OPACITY * bool(number)) for number in range(maps.shape[3])])
            return maps @ colors, _foreground(np.flatnonzero(maps.any(axis=(0, 1, 2))))
        masks = masks[..., 0]
    ids, place = np.unique(masks, return_inverse=True)
    numbers = [int(number) for number in ids.tolist()]
    colors = np.array([_premultiplied(number, _OPACITY * (number > 0)) for number in numbers]).reshape(-1, 4)
    return colors[place.reshape(masks.shape)], _foreground(numbers)


def _foreground(numbers: Any) -> tuple[int, ...]:
    return tuple(sorted({int(number) for number in numbers if number > 0}))


def _premultiplied(number: int, alpha: float) -> FloatArray:
    text = color_of(number)
    red, green, blue = (int(text[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return alpha * np.array([red, green, blue, 1.0])


def _edge(inside: BoolArray) -> BoolArray:
    """Pixels of a mask that are near to its border; the border of the image is none."""
    core = inside
    for _ in range(max(1, max(inside.shape) // _EDGE)):
        wide = np.pad(core, 1, mode="edge")
        core = core & wide[:-2, 1:-1] & wide[2:, 1:-1] & wide[1:-1, :-2] & wide[1:-1, 2:]
    return inside & ~core
