"""Copy-Paste: some objects of one sample, pasted into another in their outlines."""

# No `from __future__ import annotations`: signatures must show types, not strings.
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from mixtransforms.core import fields
from mixtransforms.core.layers import BoolArray, Boxes, FloatArray, IntArray, Layer, Mask
from mixtransforms.methods.base import NO_HINTS, PairMethod, Pairs, require_axes, required_hint
from mixtransforms.methods.pairing import Hints
from mixtransforms.methods.registry import register
from mixtransforms.methods.schedules import Schedule, now, number
from mixtransforms.plan import BatchSpec, Plan
from mixtransforms.rng.keys import lend_each

JITTER: Mapping[str, tuple[float, float]] = MappingProxyType({"standard": (0.8, 1.25), "large": (0.1, 2.0)})
"""Between which sizes a donor is drawn, as multiples of its own."""


class Placement(NamedTuple):
    """What of a donor is shown where.

    Attributes:
        crop: Start and stop in the donor, ``(2, d)``.
        into: Start and stop in the sample, alike.
        flip: Along which axes it is mirrored, ``(d,)``.
    """

    crop: IntArray
    into: IntArray
    flip: BoolArray

    def placed(self, masks: BoolArray, shape: tuple[int, ...]) -> BoolArray:
        """Masks of a donor, ``(N, *shape)``, as they are in the sample: of pixels that are copied, as images' are."""
        from mixtransforms.kernels.resampling import (
            nearest_cells,
        )  # loaded when it is used: most methods resize nothing

        result = np.zeros((len(masks), *shape), np.bool_)
        shown = masks[(slice(None), *map(slice, *self.crop))]
        for axis, (first, last) in enumerate(self.into.T.tolist(), start=1):
            cells = nearest_cells(np.arange(last - first), shown.shape[axis], last - first)
            shown = shown.take(shown.shape[axis] - 1 - cells if self.flip[axis - 1] else cells, axis=axis)
        result[(slice(None), *map(slice, *self.into))] = shown
        return result


class Paste(NamedTuple):
    """What one sample gets.

    Attributes:
        number: Its place among those that are mixed.
        objects: Which objects of its partner, by their places.
        region: Their pixels.
        placement: Where the partner is.
    """

    number: int
    objects: IntArray
    region: BoolArray
    placement: Placement


@register
@dataclass(frozen=True, repr=False)
class CopyPaste(PairMethod):
    """Pastes some of the partner's objects, in the outlines of their instance masks.

    Each object is taken with the chance ``chance``, one at least; those that are not taken stay away, also where their
    boxes overlap. What is pasted hides objects of the sample, by the rules of ``boxes``. A partner without objects
    leaves the sample as it is. Labels of whole samples are mixed by the pasted area. Edges are not blurred.

    With ``jitter`` the partner is resized before, as a whole, and cut or moved to any place inside; with ``flip`` it is
    mirrored. The order of keypoints stays as it is: a left eye is still the one that was called so.

    Source: Ghiasi et al., Simple Copy-Paste is a Strong Data Augmentation Method for Instance Segmentation,
    arXiv:2012.07177.
    """

    _: fields.KW_ONLY
    chance: float | Schedule = number(0.5, low=0, high=1, doc="Chance that an object is taken; one always is.")
    flip: float | Schedule = number(
        0.0, low=0, high=1, doc="Chance that the partner is mirrored, along the last axis that is mixed."
    )
    jitter: str = fields.choice(
        "none",
        ("none", *JITTER),
        "Size of the partner: its own ('none'), or drawn from 0.8 to 1.25 ('standard') or from 0.1 to 2 times of that "
        "('large').",
    )

    @property
    def needs(self) -> frozenset[str]:
        return super().needs | {"instances"}

    @property
    def blends(self) -> bool:
        return False

    def draw(self, spec: BatchSpec, rng: np.random.Generator, hints: Hints = NO_HINTS) -> Plan:
        require_axes(self, spec)
        instances = required_hint(self, "instances", hints)
        pairs = self.pairs(spec, rng, hints)
        generators = lend_each(rng, pairs.leader[pairs.rows].tolist())
        drawn = [
            self._paste(row, instances[source], spec.shape, own)
            for row, (source, own) in enumerate(zip(pairs.source.tolist(), generators, strict=True))
        ]
        found = [paste for paste in drawn if len(paste.objects)]
        return self.paint_layers(spec, [self._layer(pairs, found)] if found else [])

    def _paste(self, row: int, masks: BoolArray, shape: tuple[int, ...], rng: np.random.Generator) -> Paste:
        """What a sample gets of the objects of a donor, ``(N, *shape)``: of those that have a pixel where they go."""
        where = self._placement(np.asarray(shape, np.int64), rng.random(2), rng.random(len(shape)))
        placed = masks if self._stays else where.placed(masks, shape)
        known = np.flatnonzero(placed.any(axis=tuple(range(1, placed.ndim))))
        taken = rng.random(len(known)) < now(self.chance)
        if len(known) and not taken.any():
            taken[rng.integers(len(known))] = True
        return Paste(row, known[taken], np.asarray(placed[known[taken]].any(axis=0)), where)

    @property
    def _stays(self) -> bool:
        """Whether donors are shown at their own place."""
        return self.jitter == "none" and self.flip == 0.0

    def _placement(self, shape: IntArray, uniform: FloatArray, where: FloatArray) -> Placement:
        """What of a donor is shown where, from uniform numbers: two, and one an axis."""
        low, high = JITTER.get(self.jitter, (1.0, 1.0))
        sides = np.maximum(np.rint((low + (high - low) * uniform[0]) * shape).astype(np.int64), np.minimum(shape, 1))
        # Of a donor that is larger than the sample as much is cut as fits into it.
        cut = np.rint(shape * shape / np.maximum(sides, 1)).astype(np.int64)
        crop = np.where(sides <= shape, shape, np.maximum(cut, np.minimum(shape, 1)))
        into = np.minimum(sides, shape)
        flip = np.zeros(len(shape), np.bool_)
        flip[-1] = uniform[1] < now(self.flip)
        return Placement(_anywhere(crop, shape, where), _anywhere(into, shape, where), flip)

    def _layer(self, pairs: Pairs, pastes: Sequence[Paste]) -> Layer:
        index = np.array([paste.number for paste in pastes], np.int64)
        layer = Layer.drawn(
            pairs.rows[index],
            pairs.source[index],
            np.ones(len(index)),
            Mask.drawn(np.stack([paste.region for paste in pastes])),
            objects=tuple([paste.objects for paste in pastes]),
        )
        if self._stays:
            return layer
        crop, into, flip = map(np.stack, zip(*[paste.placement for paste in pastes], strict=True))
        boxes = [Boxes.drawn(each[:, 0], each[:, 1]) for each in (crop, into)]
        return Layer.drawn(
            layer.rows, layer.source, layer.opacity, layer.region, boxes[0], layer.objects, flip, boxes[1]
        )


def _anywhere(side: IntArray, length: IntArray, where: FloatArray) -> IntArray:
    """Start and stop, ``(2, d)``, of boxes of some sides, by uniform numbers at any place inside."""
    room = length - side
    start = np.minimum((where * (room + 1)).astype(np.int64), room)
    return np.stack([start, start + side])
