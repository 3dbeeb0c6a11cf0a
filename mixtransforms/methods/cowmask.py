"""CowMask: spots as of a cow, of one sample pasted into another, cut out of blurred noise."""

# No `from __future__ import annotations`: signatures must show types, not strings.
import math
from dataclasses import dataclass

import numpy as np

from mixtransforms.core import fields
from mixtransforms.core.layers import FloatArray
from mixtransforms.methods.base import NO_HINTS, PairMethod, require_axes
from mixtransforms.methods.laws import Constant, Law, weight_field
from mixtransforms.methods.noise import frequencies, noise_masks
from mixtransforms.methods.pairing import Hints
from mixtransforms.methods.registry import register
from mixtransforms.plan import BatchSpec, Plan

_HALF = Constant(0.5)

_TRACE = 1e-9
"""Of the strongest wave, for those that a blur leaves nothing of: they decide between cells that were equal else."""


@register
@dataclass(frozen=True, repr=False)
class CowMask(PairMethod):
    """Pastes irregular spots of about one size, of the exact area; labels are mixed by it.

    The sample keeps the ``round(weight * N)`` highest of all ``N`` cells of noise that is blurred by a Gaussian, whose
    ``sigma`` is drawn for every region, its logarithm uniformly. Noise goes on behind an edge at the opposite one.

    Source: French, Oliver and Salimans, Milking CowMask for Semi-Supervised Image Classification, arXiv:2003.12022; the
    range of ``sigma`` and the half of the area as it is used for segmentation. By rank, not by mean and deviation of
    the noise, so that the area is the one that was drawn.
    """

    _: fields.KW_ONLY
    sigma: tuple[float, float] = fields.interval(
        (8.0, 32.0), low=0.01, high=2**16, doc="Range of the standard deviation of the blur, in pixels."
    )
    weight: Law | None = weight_field("The law of the part that a sample keeps; None is always half of it.")

    @property
    def blends(self) -> bool:
        return False

    def draw(self, spec: BatchSpec, rng: np.random.Generator, hints: Hints = NO_HINTS) -> Plan:
        require_axes(self, spec)
        pairs = self.pairs(spec, rng, hints)
        weight = (self.weight or _HALF).draw(self.draws(spec), rng)
        mask = noise_masks(pairs, weight, spec.shape, rng, lambda own: _blurred(spec.shape, self._drawn_sigma(own)))
        return self.paint(spec, pairs, np.ones(len(pairs.rows)), mask)

    def _drawn_sigma(self, rng: np.random.Generator) -> float:
        low, high = self.sigma
        return low * math.pow(high / low, rng.random())


def _blurred(shape: tuple[int, ...], sigma: float) -> FloatArray:
    """What a Gaussian leaves of every wave, relative to the longest: no constant changes the order of cells."""
    fading = 2 * (math.pi * sigma) ** 2 * (1 / max(shape) ** 2 - frequencies(shape) ** 2)
    amplitude: FloatArray = np.maximum(np.exp(np.minimum(fading, 0.0)), _TRACE)
    return amplitude
