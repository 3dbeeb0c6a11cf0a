"""MixUp: the blend of two whole samples."""

# No `from __future__ import annotations`: signatures must show types, not strings.
from dataclasses import dataclass

import numpy as np

from mixtransforms.core import fields
from mixtransforms.methods.base import NO_HINTS, PairMethod, required_hint
from mixtransforms.methods.gain import amplitudes, gain_field, root_mean_square
from mixtransforms.methods.laws import Law, alpha_field, beta_weights, check_alone, weight_field
from mixtransforms.methods.pairing import Hints
from mixtransforms.methods.registry import register
from mixtransforms.methods.schedules import Schedule
from mixtransforms.plan import BatchSpec, Plan


@register
@dataclass(frozen=True, repr=False)
class MixUp(PairMethod):
    """Blends every sample with a partner: ``x = weight * x_i + (1 - weight) * x_j``, and labels alike.

    ``weight ~ Beta(alpha, alpha)``, or of another law, belongs to the sample itself, ``1 - weight`` to its partner.

    Sounds may be added by other amplitudes, and still have labels by weight. ``gain="power"`` adds
    ``sqrt(weight) * x_i + sqrt(1 - weight) * x_j``, which keeps the mean power of sounds that have nothing in common.
    ``gain="pressure"`` adds ``(p * x_i + (1 - p) * x_j) / sqrt(p ** 2 + (1 - p) ** 2)`` with
    ``p = 1 / (1 + 10 ** ((G_i - G_j) / 20) * (1 - weight) / weight)``, of the levels ``G`` in dB: a quiet sound is
    raised against a loud one. Levels are of the root mean square of the whole sample, padding included, where the
    paper's code takes the loudest window, A-weighted; where one sound is silent, 80 dB below the other or more, ``p``
    is the weight. Both need floats.

    Source: Zhang et al., mixup: Beyond Empirical Risk Minimization, arXiv:1710.09412; ``gain="pressure"`` with
    ``alpha=1.0``: Tokozume, Ushiku and Harada, Learning from Between-class Examples for Deep Sound Recognition,
    arXiv:1711.10282.
    """

    alpha: float | Schedule = alpha_field(0.2, "Usual range 0.1 to 0.4.")
    _: fields.KW_ONLY
    fold: bool = fields.flag(False, "Use max(weight, 1 - weight), so that the sample itself always dominates.")
    weight: Law | None = weight_field("Another law of the weight, in the place of alpha.")
    gain: str = gain_field()

    def __post_init__(self) -> None:
        super().__post_init__()
        check_alone(self)

    @property
    def needs(self) -> frozenset[str]:
        return super().needs | {"images"} if self.gain == "pressure" else super().needs

    @property
    def cuts(self) -> bool:
        return False

    @property
    def scales(self) -> bool:
        return self.gain != "linear"

    def draw(self, spec: BatchSpec, rng: np.random.Generator, hints: Hints = NO_HINTS) -> Plan:
        pairs = self.pairs(spec, rng, hints)
        weight = pairs.pick(beta_weights(self.alpha, self.draws(spec), rng, self.weight))
        if self.fold:
            weight = np.maximum(weight, 1.0 - weight)
        if self.gain == "linear":
            return self.paint(spec, pairs, 1.0 - weight)
        level = np.ones(spec.size + spec.second)
        if self.gain == "pressure":
            level = root_mean_square(required_hint(self, "images", hints))
        own, partner = amplitudes(self.gain, weight, level[pairs.rows], level[pairs.source])
        scale = own + partner
        return self.paint(spec, pairs, partner / scale, declared=weight, scale=scale)
