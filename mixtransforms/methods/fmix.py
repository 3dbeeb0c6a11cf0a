"""FMix: blobs of one sample pasted into another, cut out of low-frequency noise."""

# No `from __future__ import annotations`: signatures must show types, not strings.
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from mixtransforms.core import fields
from mixtransforms.core.layers import FloatArray
from mixtransforms.methods.base import NO_HINTS, PairMethod, require_axes
from mixtransforms.methods.laws import Law, alpha_field, beta_weights, check_alone, weight_field
from mixtransforms.methods.noise import frequencies, noise_masks
from mixtransforms.methods.pairing import Hints
from mixtransforms.methods.registry import register
from mixtransforms.methods.schedules import Schedule, now, number
from mixtransforms.plan import BatchSpec, Plan


@register
@dataclass(frozen=True, repr=False)
class FMix(PairMethod):
    """Pastes regions of any form, in one to three dimensions; labels are mixed by their areas.

    Of all ``N`` cells the sample keeps the ``round(weight * N)`` highest of Gaussian noise,
    ``weight ~ Beta(alpha, alpha)``. The waves of the noise fade with their frequency, by a power law of exponent
    ``decay``; none is stronger than one that is as long as the longest side.

    Source: Harris et al., FMix: Enhancing Mixed Sample Data Augmentation, arXiv:2002.12047.
    """

    alpha: float | Schedule = alpha_field(1.0, "1 draws every area equally often.")
    _: fields.KW_ONLY
    decay: float | Schedule = number(
        3.0,
        low=0,
        high=8,
        doc="How fast waves fade with their frequency: 0 is noise, and more makes fewer, larger blobs.",
    )
    weight: Law | None = weight_field("Another law, in the place of alpha, of the part that a sample keeps.")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_alone(self)

    @property
    def blends(self) -> bool:
        return False

    def draw(self, spec: BatchSpec, rng: np.random.Generator, hints: Hints = NO_HINTS) -> Plan:
        require_axes(self, spec)
        pairs = self.pairs(spec, rng, hints)
        weight = beta_weights(self.alpha, self.draws(spec), rng, self.weight)
        mask = noise_masks(pairs, weight, spec.shape, rng, lambda _: _fading(spec.shape, now(self.decay)))
        return self.paint(spec, pairs, np.ones(len(pairs.rows)), mask)


@lru_cache(maxsize=8)
def _fading(shape: tuple[int, ...], decay: float) -> FloatArray:
    """How strong every wave is, relative to the longest."""
    amplitude: FloatArray = np.maximum(frequencies(shape) * max(shape), 1.0) ** -decay
    amplitude.flags.writeable = False  # it is shared by all draws
    return amplitude
