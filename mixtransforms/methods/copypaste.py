"""Copy-Paste: some objects of one sample, pasted into another in their outlines."""

# No `from __future__ import annotations`: signatures must show types, not strings.
from dataclasses import dataclass

import numpy as np

from mixtransforms.core import fields
from mixtransforms.core.layers import BoolArray, IntArray, Layer, Mask
from mixtransforms.methods.base import NO_HINTS, PairMethod, required_hint, require_axes
from mixtransforms.methods.pairing import Hints
from mixtransforms.methods.registry import register
from mixtransforms.methods.schedules import Schedule, now, number
from mixtransforms.plan import BatchSpec, Plan
from mixtransforms.rng.keys import lend_each


@register
@dataclass(frozen=True, repr=False)
class CopyPaste(PairMethod):
    """Pastes some of the partner's objects, in the outlines of their instance masks, at their own places.

    Each object is taken with the chance ``chance``, one at least; those that are not taken stay away, also where their
    boxes overlap. What is pasted hides objects of the sample, by the rules of ``boxes``. A partner without objects
    leaves the sample as it is. Labels of whole samples are mixed by the pasted area.

    Source: Ghiasi et al., Simple Copy-Paste is a Strong Data Augmentation Method for Instance Segmentation,
    arXiv:2012.07177; by the parts of it that are drawn, and without blurred edges.
    """

    _: fields.KW_ONLY
    chance: float | Schedule = number(0.5, low=0, high=1, doc="Chance that an object is taken; one always is.")

    @property
    def needs(self) -> frozenset[str]:
        return super().needs | {"instances"}

    @property
    def blends(self) -> bool:
        return False

    def draw(self, spec: BatchSpec, rng: np.random.Generator, hints: Hints = NO_HINTS) -> Plan:
        require_axes(self, spec)
        instances = required_hint(self, "instances", hints)
        pairs = self.pairs(spec, rng, hints)
        found: list[tuple[int, IntArray, BoolArray]] = []
        generators = lend_each(rng, pairs.leader[pairs.rows].tolist())
        for index, (source, own) in enumerate(zip(pairs.source.tolist(), generators, strict=True)):
            chosen = self._chosen(instances[source], own)
            if len(chosen):
                found.append((index, chosen, instances[source][chosen].any(axis=0)))
        if not found:
            return Plan.drawn(spec, ())
        mixed, objects, regions = zip(*found, strict=True)
        index = np.array(mixed, np.int64)
        layer = Layer.drawn(
            pairs.rows[index], pairs.source[index], np.ones(len(index)), Mask(np.stack(regions)), objects=objects
        )
        return Plan.drawn(spec, (layer,)) if self.is_ours else Plan(spec, (layer,))

    def _chosen(self, masks: BoolArray, rng: np.random.Generator) -> IntArray:
        """The places of the objects that are taken, ascending; of those that have a pixel."""
        known = np.flatnonzero(masks.any(axis=tuple(range(1, masks.ndim))))
        taken = rng.random(len(known)) < now(self.chance)
        if len(known) and not taken.any():
            taken[rng.integers(len(known))] = True
        return known[taken]
