"""Samples of unequal sizes, which were padded: what is cut has to lie in samples, and not in their padding."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mixtransforms.batch.batch import Template
from mixtransforms.containers.tree import spell
from mixtransforms.core.errors import InputError
from mixtransforms.core.layers import BoolArray, Boxes, IntArray, Layer
from mixtransforms.methods.base import Method
from mixtransforms.plan import Plan


def check_cuts(template: Template, where: str, method: Method | None = None) -> None:
    """Refuses to cut padded samples where a region could lie in their padding.

    Args:
        template: Of a padded batch.
        where: The transform, for errors.
        method: What draws the regions; ``None`` where a plan has them, which is looked at by itself.

    Raises:
        InputError: The method knows nothing of sizes, or images of one sample differ in them.
    """
    if method is not None and not method.sized:
        raise _cuts_anywhere(method, where, "with pad='max'")
    if not template.alike:
        raise InputError(
            "Images of one sample differ in size",
            where=spell(template.images[-1].target.path),
            got="a method that pastes, and images of unequal sizes, which are others here",
            wanted=f"the sizes of {spell(template.images[0].target.path)}, so that a region has its place in all",
            fix="Resize or crop each sample's images to one size, or use MixUp, which blends whole images.",
        )
    free = next((slot.target for slot in template.others if getattr(slot.target.rule, "any_size", False)), None)
    if free is not None:
        raise InputError(
            "Label maps of any size beside padding",
            where=spell(free.path),
            got="any_size=True, a method that pastes, and images of unequal sizes",
            wanted="label maps of the sizes of their images, or at one stride of them, which are padded alike",
            fix="Give every one the size of its image and leave any_size out, or use MixUp, which blends whole images.",
        )


def check_told(method: Method, sizes: IntArray, shape: Sequence[int], where: str) -> None:
    """Refuses to cut samples that are told to be padded where a region could lie in the padding.

    Raises:
        InputError: There are such, and the method does not look at sizes for what it cuts.
    """
    if method.cuts and not method.sized and (sizes != np.array(shape, np.int64)).any():
        raise _cuts_anywhere(method, where, "and samples that are padded, as hints['sizes'] says")


def check_within(plan: Plan, sizes: Sequence[Sequence[int]], where: str) -> None:
    """Refuses a plan that paints into the padding of samples, or with it, or mixes labels by pixels that are padding.

    Args:
        plan: The plan.
        sizes: Lengths of the mixed axes of every sample, ``(B, d)``, before it was padded.
        where: The transform, for errors.

    Raises:
        InputError: It does.
    """
    if plan.canvas is not None:
        raise _of_other_sizes(where, "a canvas")
    lengths = np.array(sizes, np.int64)
    placed = [
        (number, layer)
        for number, layer in enumerate(plan.layers)
        if layer.region is not None or layer.crop is not None
    ]
    for number, layer in placed:
        outside = _outside(layer, lengths)
        if outside.any():
            raise _of_other_sizes(
                where, f"layers[{number}], which reaches into the padding of rows {layer.rows[outside].tolist()}"
            )
    if placed and plan.label_share is None:
        raise _of_other_sizes(where, "shares of labels by all pixels, padding among them")


def _outside(layer: Layer, sizes: IntArray) -> BoolArray:
    """Which rows of a layer with a place show something of padding, or on it."""
    region = layer.region
    if not isinstance(region, Boxes):  # masks, and whole samples that are cropped: nothing drawn for unequal sizes
        return np.ones(len(layer), np.bool_)
    crop = layer.crop or region
    beyond = (region.stop > sizes[layer.rows]).any(axis=1) | (crop.stop > sizes[layer.source]).any(axis=1)
    return np.asarray(beyond & (region.volume > 0))


def _cuts_anywhere(method: Method, where: str, padded: str) -> InputError:
    return InputError(
        "Images of different sizes",
        where=where,
        got=f"{type(method).__name__}, which pastes, {padded}",
        wanted="images of one size, since a region could lie in the padding",
        fix="Resize or crop to one size before mixing; or use CutMix, which cuts where samples overlap, or MixUp, "
        "which blends whole images.",
    )


def _of_other_sizes(where: str, got: str) -> InputError:
    return InputError(
        "Images of different sizes",
        where=where,
        got=f"a plan with {got}",
        wanted="a plan for these images: of others, regions could lie in the padding",
        fix="Draw it for this batch, CutMix(pad='max').plan(batch), or MixUp(pad='max').plan(batch).",
    )
