"""ColumnSwap: columns of a table taken from another sample, each by a coin of its own."""

# No `from __future__ import annotations`: signatures must show types, not strings.
import math
from dataclasses import dataclass

import numpy as np

from mixtransforms.core.errors import InputError
from mixtransforms.core.layers import Mask
from mixtransforms.methods.base import NO_HINTS, PairMethod
from mixtransforms.methods.pairing import Hints
from mixtransforms.methods.registry import register
from mixtransforms.methods.schedules import Schedule, now, number
from mixtransforms.plan import BatchSpec, Plan


@register
@dataclass(frozen=True, repr=False)
class ColumnSwap(PairMethod):
    """Takes columns from the partner, each with the chance ``rate``; labels are mixed by how many came along.

    Of tables, ``layout="BF", axes="F"``: values are copied, so that columns may be numbers or categories, and the label
    share of the sample itself is ``1 - taken columns / all columns``. Of arrays with more mixed axes it takes cells.

    Source: Somepalli et al., SAINT: Improved Neural Networks for Tabular Data via Row Attention and Contrastive
    Pre-Training, arXiv:2106.01342, which needs no labels for it.
    """

    rate: float | Schedule = number(0.3, low=0, high=1, doc="Chance that a column is the partner's.")

    @property
    def blends(self) -> bool:
        return False

    def draw(self, spec: BatchSpec, rng: np.random.Generator, hints: Hints = NO_HINTS) -> Plan:
        if not spec.shape:
            raise InputError(
                "ColumnSwap needs an axis of columns",
                where="ColumnSwap.draw",
                got="a batch without mixed axes: samples are taken as a whole",
                wanted="tables whose columns are told apart",
                fix="Say layout='BF' and axes='F' for tables (B, F).",
            )
        pairs = self.pairs(spec, rng, hints)
        # As many numbers whatever `per` is, so that what is drawn afterwards stays the same.
        ticket = rng.random((spec.size, math.prod(spec.shape)))[: self.draws(spec)]
        taken = (ticket < now(self.rate)).reshape(len(ticket), *spec.shape)
        return self.paint(spec, pairs, np.ones(len(pairs.rows)), Mask(pairs.pick(taken)))
