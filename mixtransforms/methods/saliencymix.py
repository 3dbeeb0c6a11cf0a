"""SaliencyMix: a box around what is most salient in one sample, pasted into another."""

# No `from __future__ import annotations`: signatures must show types, not strings.
from dataclasses import dataclass

import numpy as np

from mixtransforms.core import fields
from mixtransforms.core.layers import Boxes, FloatArray, IntArray
from mixtransforms.methods.base import NO_HINTS, PairMethod, require_axes, required_hint
from mixtransforms.methods.laws import Law, alpha_field, beta_weights, check_alone, weight_field
from mixtransforms.methods.pairing import Hints
from mixtransforms.methods.registry import register
from mixtransforms.methods.schedules import Schedule
from mixtransforms.plan import BatchSpec, Plan


@register
@dataclass(frozen=True, repr=False)
class SaliencyMix(PairMethod):
    """Pastes the box around the most salient place of the partner; labels are mixed by the area that was pasted.

    The box is that of CutMix: of the sample's aspect ratio and ``1 - weight`` of its area,
    ``weight ~ Beta(alpha, alpha)``, rounded down to whole pixels. Its centre is the partner's most salient pixel, its
    place stays the same, and its overhang is clipped. Where a pair or the batch shares one box, it is that of the first
    sample.

    The saliency is what ``hints`` says. By default it is ``"contrast"``: how far the colour of a place is from the mean
    of its image, quick and without a network. The paper takes the fine-grained saliency of OpenCV's contributed modules
    instead, and mixes half of the batches, ``p=0.5, per="batch"``.

    Source: Uddin et al., SaliencyMix: A Saliency Guided Data Augmentation Strategy for Better Regularization,
    arXiv:2006.01791.
    """

    alpha: float | Schedule = alpha_field(1.0, "1 draws every area equally often.")
    _: fields.KW_ONLY
    weight: Law | None = weight_field(
        "Another law, in the place of alpha, of the part that a sample keeps before the overhang of its box is clipped."
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_alone(self)

    @property
    def needs(self) -> frozenset[str]:
        return super().needs | {"saliency"}

    @property
    def blends(self) -> bool:
        return False

    def draw(self, spec: BatchSpec, rng: np.random.Generator, hints: Hints = NO_HINTS) -> Plan:
        require_axes(self, spec)
        saliency = required_hint(self, "saliency", hints)
        pairs = self.pairs(spec, rng, hints)
        count = self.draws(spec)
        weight = beta_weights(self.alpha, count, rng, self.weight)
        centre = _peaks(saliency)[pairs.partner[:count]]
        shape = np.asarray(spec.shape, np.int64)
        side = ((1.0 - weight)[:, None] ** (1.0 / len(shape)) * shape).astype(np.int64)
        start = centre - (side >> 1)
        start, stop = np.maximum(start, 0), np.minimum(start + side, shape)
        return self.paint(spec, pairs, np.ones(len(pairs.rows)), Boxes.drawn(pairs.pick(start), pairs.pick(stop)))


def _peaks(saliency: FloatArray) -> IntArray:
    """The first of the most salient pixels of every sample, ``(B, d)``."""
    size, shape = len(saliency), saliency.shape[1:]
    if not saliency.size:
        return np.zeros((size, len(shape)), np.int64)
    return np.stack(np.unravel_index(saliency.reshape(size, -1).argmax(axis=1), shape), axis=1).astype(np.int64)
