"""CutMix: a box of one sample pasted into another."""

# No `from __future__ import annotations`: signatures must show types, not strings.
from dataclasses import dataclass
from typing import Any

import numpy as np

from mixtransforms.core import fields
from mixtransforms.core.layers import Boxes, FloatArray, IntArray, opaque
from mixtransforms.methods.base import NO_HINTS, PairMethod, Pairs, require_axes
from mixtransforms.methods.laws import Law, alpha_field, beta_weights, check_alone, part_field, weight_field
from mixtransforms.methods.pairing import Hints
from mixtransforms.methods.placing import placed, whole_below
from mixtransforms.methods.registry import register
from mixtransforms.methods.schedules import Schedule
from mixtransforms.plan import BatchSpec, Plan

PLACEMENTS = ("clip", "inside", "uniform", "minmax")

_NOT_BESIDE_AREA = frozenset({"alpha", "weight", "minmax", "correct_weight"})


def _two_fractions(value: Any) -> tuple[float, float] | None:
    return None if value is None else fields.in_order(value, 0, 1)


@register
@dataclass(frozen=True, repr=False)
class CutMix(PairMethod):
    """Pastes a random box of the partner; labels are mixed by the area that was really pasted.

    The box keeps the sample's aspect ratio and covers ``1 - weight`` of it, ``weight ~ Beta(alpha, alpha)``, before
    its sides are rounded down to whole pixels and its overhang is clipped. The weight of the labels is measured
    afterwards: ``1 - pasted pixels / all pixels``.

    With ``area`` the box is wholly inside and covers that part of the sample, as near as whole pixels allow: logarithms
    of its sides, as fractions of the sample's, divide that of the area at random. Of one mixed axis it is always the
    same length; of three it is a cuboid of that volume.

    Samples of unequal sizes, padded by ``pad="max"``, are cut where they overlap when they are laid on each other by
    their centres: the box is drawn in that part as in a sample of its own, and shows the same part of the partner, in
    its own size. Labels are mixed by the box's part of the sample's own pixels; padding counts for nothing.

    Source: Yun et al., CutMix: Regularization Strategy to Train Strong Classifiers with Localizable Features,
    arXiv:1905.04899. ``area=0.5`` is that of French et al., Semi-supervised semantic segmentation needs strong, varied
    perturbations, arXiv:1906.01916.
    """

    alpha: float | Schedule = alpha_field(1.0, "1 draws every area equally often.")
    _: fields.KW_ONLY
    placement: str = fields.choice(
        "clip",
        PLACEMENTS,
        "Where the box goes: its centre on any pixel and the overhang clipped ('clip', the paper), wholly inside "
        "('inside', and whenever area is given), every pixel equally likely to be pasted ('uniform'), or sides drawn "
        "from minmax ('minmax').",
    )
    minmax: tuple[float, float] | None = fields.parameter(
        None,
        _two_fractions,
        "None or two fractions (low, high) with 0 <= low <= high <= 1",
        "Range of the box's sides as fractions of the sample's, for placement='minmax'; alpha is then not used.",
        fields.optional(fields.listed({"type": "number", "minimum": 0, "maximum": 1}, low=2, high=2)),
    )
    correct_weight: bool = fields.flag(
        True, "Mix labels by the area that was pasted; False uses the weight that was drawn."
    )
    weight: Law | None = weight_field(
        "Another law, in the place of alpha, of the part that a sample keeps before the overhang of its box is clipped."
    )
    area: Law | float | Schedule | None = part_field(
        "The part of the sample that the box covers, whatever its sides: always wholly inside, of any aspect ratio."
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_alone(self)
        if (self.placement == "minmax") != (self.minmax is not None):
            raise fields.mismatch(
                self, "placement='minmax' and minmax=(low, high) belong together", "both or neither of them"
            )
        if self.placement == "minmax" and not (self.correct_weight and self.weight is None):
            raise fields.mismatch(self, "placement='minmax' draws no weight", "correct_weight=True and no weight")
        given = sorted(_NOT_BESIDE_AREA & set(fields.changed(self)))
        if self.area is not None and (given or self.placement == "uniform"):
            others = ", ".join(given) or "placement='uniform'"
            raise fields.mismatch(
                self, f"area says all of what a box is, and {others} as well", f"area without {others}"
            )

    @property
    def blends(self) -> bool:
        return False

    @property
    def sized(self) -> bool:
        return type(self).draw is CutMix.draw  # who draws otherwise may not look at sizes

    def draw(self, spec: BatchSpec, rng: np.random.Generator, hints: Hints = NO_HINTS) -> Plan:
        require_axes(self, spec)
        pairs = self.pairs(spec, rng, hints)
        count = self.draws(spec)
        law: Any = self.weight or self.area  # of an area it is the part that is pasted, else that which stays
        weight = beta_weights(self.alpha, count, rng, law)
        # As many numbers whatever `per` is, so that what is drawn afterwards stays the same.
        size, place = rng.random((2, spec.size, len(spec.shape)))[:, :count]
        if "sizes" in hints:
            drawn = pairs.pick(weight), pairs.pick(size), pairs.pick(place)
            return self._in_overlap(spec, pairs, hints["sizes"], *drawn)
        start, stop = self._boxes(np.array(spec.shape, np.int64), weight, size, place)
        boxes = Boxes.drawn(pairs.pick(start), pairs.pick(stop))
        declared = None if self.correct_weight else pairs.pick(weight)
        return self.paint(spec, pairs, opaque(len(pairs.rows)), boxes, declared)

    def _in_overlap(
        self, spec: BatchSpec, pairs: Pairs, sizes: IntArray, weight: FloatArray, size: FloatArray, place: FloatArray
    ) -> Plan:
        """The plan for samples of unequal sizes ``(B, d)``, from one row of numbers a mixed sample."""
        own, other = sizes[pairs.rows], sizes[pairs.source]
        overlap = np.minimum(own, other)
        start, stop = self._boxes(overlap, weight, size, place)
        # Centres lie on each other; of an odd difference the overlap is nearer to the beginning.
        here, there = (own - overlap) >> 1, (other - overlap) >> 1
        declared = weight
        if self.correct_weight:
            declared = 1.0 - (stop - start).prod(axis=1) / np.maximum(own.prod(axis=1), 1)
        region, crop = Boxes.drawn(start + here, stop + here), Boxes.drawn(start + there, stop + there)
        return self.paint(spec, pairs, opaque(len(pairs.rows)), region, declared, crop=crop)

    def _boxes(
        self, shape: IntArray, weight: FloatArray, size: FloatArray, place: FloatArray
    ) -> tuple[IntArray, IntArray]:
        """Corners ``(B, d)`` from the weights or areas ``(B,)`` and two uniform numbers a side, ``(B, d)`` each.

        The lengths of the axes, ``(d,)``, may be others for every box, ``(B, d)``.
        """
        if self.minmax is not None:
            low, high = np.floor(np.multiply.outer(self.minmax, shape)).astype(np.int64)
            side = low + whole_below(size, high - low + 1)
        elif self.area is not None:
            side = _sides_of(weight, shape, size)
        else:
            # Sides in proportion to the sample's, and a box that covers 1 - weight of it: the d-th root of that.
            fraction = (1.0 - weight) ** (1.0 / max(1, shape.shape[-1]))
            side = (fraction[:, None] * shape).astype(np.int64)  # rounds down, since nothing is negative
        # Boxes of a given area lie inside, where nothing of it is clipped.
        return placed(
            "inside" if self.placement == "clip" and self.area is not None else self.placement, side, place, shape
        )


def _sides_of(area: FloatArray, shape: IntArray, uniform: FloatArray) -> IntArray:
    """Sides ``(B, d)`` of boxes that cover a part ``(B,)`` of the sample, from uniform numbers ``(B, d)``."""
    tickets = -np.log1p(-uniform)  # exponential ones divide a whole uniformly
    part = tickets / np.maximum(tickets.sum(axis=1, keepdims=True), np.finfo(np.float64).tiny)
    side = np.ceil(area[:, None] ** part * shape)
    # The longest axis is adjusted last, by the finest steps. As no other side was rounded down, it never needs more
    # than the whole axis.
    last = np.broadcast_to(shape, side.shape).argmax(axis=1)[:, None]
    np.put_along_axis(side, last, 1.0, axis=1)
    longest = np.rint(area * shape.prod(axis=-1) / np.maximum(side.prod(axis=1), 1))
    np.put_along_axis(side, last, longest[:, None], axis=1)
    whole: IntArray = side.astype(np.int64)
    return whole
