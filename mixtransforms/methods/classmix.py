"""ClassMix: half of the classes of a label map, pasted in their outlines."""

# No `from __future__ import annotations`: signatures must show types, not strings.
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core.layers import BoolArray, Mask
from mixtransforms.methods.base import NO_HINTS, PairMethod, require_axes, required_hint
from mixtransforms.methods.pairing import Hints
from mixtransforms.methods.registry import register
from mixtransforms.plan import BatchSpec, Plan
from mixtransforms.rng.keys import lend_each


@register
@dataclass(frozen=True, repr=False)
class ClassMix(PairMethod):
    """Pastes half of the partner's classes, in the outlines that its label map has; labels are mixed by their area.

    Of ``n`` classes that the partner shows ``floor(n / 2)`` are chosen, one at least, and every pixel of them is
    pasted. A partner without any class leaves the sample as it is. The region is that of the sample's own partner also
    where ``per`` lets several share one gate.

    Pixels without a label are of no class: those of negative ids, and those of the id that
    ``kinds={"mask": SemanticMask(ignore_index=255)}`` names, or, where a mask names none, the transform's own
    ``ignore_index``, which takes the mass of that id from labels of samples too.

    In semi-supervised segmentation label maps are those that a teacher predicts: pass them as ``masks``.

    Source: Olsson et al., ClassMix: Segmentation-Based Data Augmentation for Semi-Supervised Learning,
    arXiv:2007.07936.
    """

    @property
    def needs(self) -> frozenset[str]:
        return super().needs | {"masks"}

    @property
    def blends(self) -> bool:
        return False

    def draw(self, spec: BatchSpec, rng: np.random.Generator, hints: Hints = NO_HINTS) -> Plan:
        require_axes(self, spec)
        maps = required_hint(self, "masks", hints)
        pairs = self.pairs(spec, rng, hints)
        region = np.zeros((len(pairs.rows), *spec.shape), np.bool_)
        generators = lend_each(rng, pairs.leader[pairs.rows].tolist())
        for own, source, generator in zip(region, pairs.source, generators, strict=True):
            own[...] = self._half(maps[source], generator)
        return self.paint(spec, pairs, np.ones(len(pairs.rows)), Mask.drawn(region))

    def _half(self, label_map: NDArray[Any], rng: np.random.Generator) -> BoolArray:
        """Where a label map shows one of the classes that are chosen."""
        classes = np.unique(label_map)
        classes = classes[classes >= 0]  # below are pixels of no class
        chosen = rng.permutation(classes)[: max(1, len(classes) // 2)]
        return np.isin(label_map, chosen)
