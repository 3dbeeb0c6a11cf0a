"""Attentive CutMix: the most salient cells of one sample, pasted into another."""

# No `from __future__ import annotations`: signatures must show types, not strings.
from dataclasses import dataclass

import numpy as np

from mixtransforms.core import fields
from mixtransforms.core.layers import BoolArray, FloatArray, Mask
from mixtransforms.methods.base import NO_HINTS, PairMethod, require_axes, required_hint
from mixtransforms.methods.cells import cell_edges, cell_means, spread
from mixtransforms.methods.pairing import Hints
from mixtransforms.methods.registry import register
from mixtransforms.plan import BatchSpec, Plan


@register
@dataclass(frozen=True, repr=False)
class AttentiveCutMix(PairMethod):
    """Pastes the cells of the partner that are the most salient; labels are mixed by their areas.

    Cells are those of a regular grid, as salient as the mean over their pixels. With the paper's six of 7 x 7 a sample
    keeps 43/49 of itself. Cells begin at ``floor(k * length / grid)``, so that they cover samples of any size. Where a
    pair or the batch shares one choice, it is that of the first sample.

    The saliency is what ``hints`` says. By default it is ``"contrast"``: how far the colour of a place is from the mean
    of its image, quick and without a network. The paper takes the attention of a pretrained network instead: give it
    resized to the images, each of its numbers repeated over a cell.

    Source: Walawalkar et al., Attentive CutMix: An Enhanced Data Augmentation Approach for Deep Learning Based Image
    Classification, arXiv:2003.13048.
    """

    grid: int = fields.integer(7, low=2, high=256, doc="Cells along every axis.")
    _: fields.KW_ONLY
    count: int = fields.integer(6, low=1, high=2**16, doc="How many cells of the partner are pasted; at most all.")

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
        edges = [cell_edges(length, self.grid) for length in spec.shape]
        chosen = _best(cell_means(saliency, edges), self.count)[pairs.partner[: self.draws(spec)]]
        return self.paint(spec, pairs, np.ones(len(pairs.rows)), Mask.drawn(pairs.pick(spread(chosen, edges))))


def _best(means: FloatArray, count: int) -> BoolArray:
    """The ``count`` largest of every row of cells, ``(B, *cells)``; of equal ones the first."""
    flat = means.reshape(len(means), int(np.prod(means.shape[1:])))
    rank = np.argsort(-flat, axis=1, kind="stable").argsort(axis=1)
    return np.asarray((rank < count).reshape(means.shape))
