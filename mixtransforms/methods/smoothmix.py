"""SmoothMix: a sample with a soft spot of another, without an edge that a model could learn."""

# No `from __future__ import annotations`: signatures must show types, not strings.
from dataclasses import dataclass

import numpy as np

from mixtransforms.core import fields
from mixtransforms.core.backends import WEIGHT_STEPS
from mixtransforms.core.layers import FloatArray, Mask
from mixtransforms.methods.base import NO_HINTS, PairMethod, require_axes
from mixtransforms.methods.pairing import Hints
from mixtransforms.methods.registry import register
from mixtransforms.plan import BatchSpec, Plan


@register
@dataclass(frozen=True, repr=False)
class SmoothMix(PairMethod):
    """Blends in the partner by a Gaussian bump; labels are mixed by its mean.

    ``x = (1 - G) * x_i + G * x_j`` with ``G = exp(-sum((place - centre) ** 2 / (2 * s ** 2)))``, in steps of 1/65536.
    The centre is any pixel; along an axis ``s`` is ``sigma`` times its length, so that the bump has the proportions of
    the sample. The sample itself keeps ``1 - mean(G)``.

    Source: Lee et al., SmoothMix: A Simple Yet Effective Data Augmentation to Train Robust Classifiers, CVPR Workshops
    2020.
    """

    _: fields.KW_ONLY
    sigma: tuple[float, float] = fields.interval(
        (0.25, 0.5), low=0.001, high=100, doc="Range of the width of the bump, uniform, as a part of every side."
    )

    @property
    def soft_edged(self) -> bool:
        return True

    def draw(self, spec: BatchSpec, rng: np.random.Generator, hints: Hints = NO_HINTS) -> Plan:
        require_axes(self, spec)
        pairs = self.pairs(spec, rng, hints)
        # As many numbers whatever `per` is, so that what is drawn afterwards stays the same.
        width, *place = rng.random((spec.size, 1 + len(spec.shape)))[: self.draws(spec)].T
        low, high = self.sigma
        bump = _bumps(spec.shape, low + (high - low) * width, place)
        return self.paint(spec, pairs, np.ones(len(pairs.rows)), Mask.drawn(pairs.pick(bump)))


def _bumps(shape: tuple[int, ...], sigma: FloatArray, place: list[FloatArray]) -> FloatArray:
    """Gaussians ``(n, *shape)`` that are 1 in a pixel.

    Args:
        shape: Lengths of the mixed axes.
        sigma: Widths, as parts of these, ``(n,)``.
        place: Where the pixel is along every axis, uniform within ``[0, 1)``, ``(n,)`` each.
    """
    bump = np.ones((len(sigma), *(1,) * len(shape)))
    for axis, (length, own) in enumerate(zip(shape, place, strict=True), start=1):
        away = np.arange(length) - np.floor(own * length)[:, None]
        side = np.exp(-0.5 * (away / (sigma[:, None] * max(length, 1))) ** 2)
        bump = bump * np.expand_dims(side, [other for other in range(1, len(shape) + 1) if other != axis])
    # What integers are blended with. The last bits of an exponential are others with every processor, and would be most
    # of what is written of a plan.
    return np.rint(bump * WEIGHT_STEPS) / WEIGHT_STEPS
