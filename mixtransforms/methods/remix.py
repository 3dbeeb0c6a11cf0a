"""Remix: MixUp whose labels favour the rarer of two classes."""

# No `from __future__ import annotations`: signatures must show types, not strings.
import numbers
from collections.abc import Sequence
from dataclasses import MISSING, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core import fields
from mixtransforms.core.errors import InputError
from mixtransforms.core.layers import FloatArray, IntArray
from mixtransforms.methods.base import NO_HINTS, PairMethod
from mixtransforms.methods.laws import Law, alpha_field, beta_weights, check_alone, weight_field
from mixtransforms.methods.pairing import Hints
from mixtransforms.methods.registry import register
from mixtransforms.methods.schedules import Schedule, now, number
from mixtransforms.plan import BatchSpec, Plan

MOST = 2**53
"""Up to here floats tell whole numbers apart."""


def _counts(value: Any) -> tuple[int, ...]:
    found = list(value.tolist() if hasattr(value, "tolist") else value)  # also what np.bincount returns
    if isinstance(value, str) or not found:
        raise ValueError
    if not all(isinstance(count, numbers.Integral) and not isinstance(count, bool) for count in found):
        raise ValueError
    if not all(0 <= count <= MOST for count in found) or not any(found):
        raise ValueError
    return tuple(map(int, found))


@register
@dataclass(frozen=True, repr=False)
class Remix(PairMethod):
    """Blends as :class:`MixUp` does, and gives the whole label to the rarer class where it is rare enough.

    A sample whose class is ``kappa`` times as frequent as its partner's, or more, and whose weight is below ``tau``,
    gets the label of the partner alone; one whose class is that much rarer, and whose partner's weight is below
    ``tau``, its own alone. All others get the labels of both, by weight. Of soft rows the largest entry is the class;
    negative ids, as of samples without a label, are neither frequent nor rare.

    Source: Chou et al., Remix: Rebalanced Mixup, arXiv:2007.03943, equation 8.
    """

    counts: Sequence[int] = fields.parameter(
        MISSING,
        _counts,
        f"a list of whole numbers within [0, {MOST}], one a class, not all 0",
        "How many samples of the training set every class has.",
        fields.listed({"type": "integer", "minimum": 0, "maximum": MOST}, low=1),
    )
    alpha: float | Schedule = alpha_field(1.0, "1, the paper's, draws every weight equally often.")
    _: fields.KW_ONLY
    kappa: float | Schedule = number(
        3.0, low=1, high=1e6, doc="From how many times as many samples on a class counts as the more frequent one."
    )
    tau: float | Schedule = number(
        0.5, low=0, high=1, doc="Below which weight a sample of the more frequent class has no part in the label."
    )
    weight: Law | None = weight_field("Another law of the weight, in the place of alpha.")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_alone(self)

    @property
    def needs(self) -> frozenset[str]:
        return super().needs | {"classes"}

    @property
    def cuts(self) -> bool:
        return False

    def draw(self, spec: BatchSpec, rng: np.random.Generator, hints: Hints = NO_HINTS) -> Plan:
        classes = hints.get("classes")
        if classes is None:
            raise InputError(
                "Remix reads class labels",
                where="Remix.draw",
                got="a batch without class labels",
                wanted="one class id a sample",
                fix="Pass the labels with the images, or use MixUp, which needs none.",
            )
        count = self._count_of(classes)
        pairs = self.pairs(spec, rng, hints)
        weight = pairs.pick(beta_weights(self.alpha, self.draws(spec), rng, self.weight))
        declared = self._share(weight, count[pairs.rows], count[pairs.source])
        return self.paint(spec, pairs, 1.0 - weight, declared=declared)

    def _count_of(self, classes: NDArray[Any]) -> IntArray:
        """How many samples the class of everyone has, ``(B,)``; 0 where it has no class."""
        counts, ids = np.array(self.counts), classes.astype(np.int64)
        wrong = ids >= len(counts)
        wrong[~wrong] = (ids[~wrong] >= 0) & (counts[ids[~wrong]] == 0)
        if wrong.any():
            raise InputError(
                "Classes without a count",
                where="Remix.draw",
                got=f"class ids {np.unique(ids[wrong])[:5].tolist()} in rows {np.flatnonzero(wrong)[:5].tolist()}",
                wanted=f"ids below {len(counts)} whose count is not 0, or negative ones for samples without a label",
                fix="Count the labels of the whole training set: counts=np.bincount(labels, minlength=num_classes).",
            )
        return np.where(ids >= 0, counts[np.maximum(ids, 0)], 0)

    def _share(self, weight: FloatArray, own: IntArray, partner: IntArray) -> FloatArray:
        """The share of a sample in its label, from its weight and the counts of both classes, ``(n,)`` each."""
        known, kappa, tau = (own > 0) & (partner > 0), now(self.kappa), now(self.tau)
        none = known & (own >= kappa * partner) & (weight < tau)
        all_of_it = known & (kappa * own <= partner) & (1.0 - weight < tau)
        # Else what is painted, to the last bit.
        return np.select([none, all_of_it], [0.0, 1.0], 1.0 - (1.0 - weight))
