"""GridMix: cells of a grid, some of the sample itself and the others of its partner."""

# No `from __future__ import annotations`: signatures must show types, not strings.
import math
from dataclasses import dataclass

import numpy as np

from mixtransforms.core import fields
from mixtransforms.core.layers import BoolArray, FloatArray, IntArray, Mask
from mixtransforms.methods.base import NO_HINTS, PairMethod, require_axes
from mixtransforms.methods.cells import cell_edges, spread
from mixtransforms.methods.laws import Law, alpha_field, beta_weights, check_alone, weight_field
from mixtransforms.methods.pairing import Hints
from mixtransforms.methods.registry import register
from mixtransforms.methods.schedules import Schedule
from mixtransforms.plan import BatchSpec, Plan

USUAL_GRID = 4
"""Cells along every axis where neither a number nor a size is given."""


@register
@dataclass(frozen=True, repr=False)
class GridMix(PairMethod):
    """Pastes cells of a grid: each is wholly of the sample or of its partner; labels are mixed by their areas.

    Of all ``N`` cells the sample keeps ``round(weight * N)``, chosen at random, ``weight ~ Beta(alpha, alpha)``. Cells
    begin at ``floor(k * length / grid)``, so that they cover samples of any size, and differ by a pixel at most.

    Source: Baek, Bang and Shim, GridMix: Strong regularization through local context mapping, Pattern Recognition 109,
    2021, without its loss of single cells; with ``cell`` it is the mask of Zhao et al., MixPro: Data Augmentation with
    MaskMix and Progressive Attention Labeling for Vision Transformer, arXiv:2304.12043.
    """

    alpha: float | Schedule = alpha_field(1.0, "1 keeps every number of cells equally often.")
    _: fields.KW_ONLY
    grid: int | None = fields.optional_integer(
        low=2, high=256, doc=f"Cells along every axis, {USUAL_GRID} where cell is not given either."
    )
    cell: int | None = fields.optional_integer(
        low=1, high=2**16, doc="Side of a cell in pixels instead; the last one of an axis may be smaller."
    )
    weight: Law | None = weight_field(
        "Another law, in the place of alpha, of the part of the cells that a sample keeps."
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_alone(self)
        if self.grid is not None and self.cell is not None:
            raise fields.mismatch(self, "A number of cells and a size of them", "grid or cell, one of them")

    @property
    def blends(self) -> bool:
        return False

    def draw(self, spec: BatchSpec, rng: np.random.Generator, hints: Hints = NO_HINTS) -> Plan:
        require_axes(self, spec)
        pairs = self.pairs(spec, rng, hints)
        count = self.draws(spec)
        weight = beta_weights(self.alpha, count, rng, self.weight)
        edges = [self._edges(length) for length in spec.shape]
        cells = tuple(len(own) - 1 for own in edges)
        # As many numbers whatever `per` is, so that what is drawn afterwards stays the same.
        ticket = rng.random((spec.size, math.prod(cells)))[:count]
        partner = spread(_all_but(ticket, weight).reshape(count, *cells), edges)
        return self.paint(spec, pairs, np.ones(len(pairs.rows)), Mask.drawn(pairs.pick(partner)))

    def _edges(self, length: int) -> IntArray:
        """Where the cells of an axis begin, and where the last one ends."""
        if self.cell is not None:
            return np.append(np.arange(0, length, self.cell), length)
        return cell_edges(length, self.grid or USUAL_GRID)


def _all_but(ticket: FloatArray, weight: FloatArray) -> BoolArray:
    """All cells but the part of them, ``weight (n,)``, that has the lowest tickets ``(n, N)``."""
    kept = np.rint(weight * ticket.shape[1]).astype(np.int64)
    of_partner: BoolArray = ticket.argsort(axis=1, kind="stable").argsort(axis=1) >= kept[:, None]
    return of_partner
