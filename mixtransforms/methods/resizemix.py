"""ResizeMix: the whole of one sample, shrunk, pasted into another."""

# No `from __future__ import annotations`: signatures must show types, not strings.
from dataclasses import dataclass

import numpy as np

from mixtransforms.core import fields
from mixtransforms.core.layers import Boxes
from mixtransforms.methods.base import NO_HINTS, PairMethod, require_axes
from mixtransforms.methods.laws import Law, Uniform, law_field
from mixtransforms.methods.pairing import Hints
from mixtransforms.methods.placing import placed
from mixtransforms.methods.registry import register
from mixtransforms.plan import BatchSpec, Plan

PLACEMENTS = ("inside", "squeeze")


@register
@dataclass(frozen=True, repr=False)
class ResizeMix(PairMethod):
    """Pastes the whole partner, shrunk; labels are mixed by the area that it covers.

    Every side of the partner is shrunk to ``floor(scale * length)`` pixels, at least one, by antialiased bilinear
    resampling; masks of ids copy the nearest pixels. Nothing of the partner is cut off, so that all of its objects come
    along, smaller. The weight of the labels is ``1 - pasted pixels / all pixels``.

    Source: Qin et al., ResizeMix: Mixing Data with Preserved Object Information and True Labels, arXiv:2012.11101.
    """

    scale: Law = law_field(Uniform(0.1, 0.8), "The sides of the shrunk partner, as a part of the sample's.")
    _: fields.KW_ONLY
    placement: str = fields.choice(
        "inside",
        PLACEMENTS,
        "Where it goes: wholly inside, everywhere equally likely ('inside'); or its centre on any pixel, and squeezed "
        "into what is left of the box when its overhang is clipped ('squeeze'), as public code has it.",
    )

    @property
    def blends(self) -> bool:
        return False

    def draw(self, spec: BatchSpec, rng: np.random.Generator, hints: Hints = NO_HINTS) -> Plan:
        require_axes(self, spec)
        pairs = self.pairs(spec, rng, hints)
        count, shape = self.draws(spec), np.asarray(spec.shape, np.int64)
        scale = self.scale.draw(count, rng)
        # As many numbers whatever `per` is, so that what is drawn afterwards stays the same.
        place = rng.random((spec.size, len(shape)))[:count]
        side = np.minimum(np.maximum((scale[:, None] * shape).astype(np.int64), 1), shape)
        start, stop = placed("clip" if self.placement == "squeeze" else "inside", side, place, shape)
        box = Boxes.drawn(pairs.pick(start), pairs.pick(stop))
        crop = Boxes.full(len(pairs.rows), spec.shape)
        return self.paint(spec, pairs, np.ones(len(pairs.rows)), box, crop=crop)
