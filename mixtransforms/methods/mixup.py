"""MixUp: the blend of two whole samples."""

# No `from __future__ import annotations`: signatures must show types, not strings.
from dataclasses import dataclass

import numpy as np

from mixtransforms.core import fields
from mixtransforms.methods.base import NO_HINTS, PairMethod
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

    Source: Zhang et al., mixup: Beyond Empirical Risk Minimization, arXiv:1710.09412.
    """

    alpha: float | Schedule = alpha_field(0.2, "Usual range 0.1 to 0.4.")
    _: fields.KW_ONLY
    fold: bool = fields.flag(False, "Use max(weight, 1 - weight), so that the sample itself always dominates.")
    weight: Law | None = weight_field("Another law of the weight, in the place of alpha.")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_alone(self)

    @property
    def cuts(self) -> bool:
        return False

    def draw(self, spec: BatchSpec, rng: np.random.Generator, hints: Hints = NO_HINTS) -> Plan:
        pairs = self.pairs(spec, rng, hints)
        weight = pairs.pick(beta_weights(self.alpha, self.draws(spec), rng, self.weight))
        if self.fold:
            weight = np.maximum(weight, 1.0 - weight)
        return self.paint(spec, pairs, 1.0 - weight)
