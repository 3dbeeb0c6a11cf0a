"""Plans of what a peer has drawn: its tests know what comes of its numbers, and we paint."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from mixtransforms.plan import BatchSpec, Boxes, Layer, Plan


def blend(partner: ArrayLike, weight: ArrayLike, shape: Sequence[int]) -> Plan:
    """MixUp, where the sample itself keeps a weight.

    Args:
        partner: Who mixes with whom, ``(B,)``.
        weight: Share of the sample itself, ``(B,)`` or one for all.
        shape: Lengths of the mixed axes.
    """
    sources = np.asarray(partner).astype(np.int64).reshape(-1)
    shown = 1 - np.broadcast_to(np.asarray(weight, np.float64).reshape(-1), sources.shape)
    return Plan(BatchSpec(len(sources), tuple(shape)), (Layer(np.arange(len(sources)), sources, shown),))


def paste(partners: Any, starts: Any, stops: Any, shape: Sequence[int]) -> Plan:
    """CutMix, any number of times.

    Args:
        partners: Who is pasted, ``(n, B)``.
        starts: First indices inside of the boxes, ``(n, B, d)``.
        stops: First indices outside.
        shape: Lengths of the mixed axes.
    """
    coats = []
    for partner, start, stop in zip(np.asarray(partners), np.asarray(starts), np.asarray(stops), strict=True):
        inside = Boxes(np.asarray(start, np.int64), np.minimum(stop, shape).astype(np.int64))
        coats.append(Layer(np.arange(len(partner)), partner.astype(np.int64), np.ones(len(partner)), inside))
    return Plan(BatchSpec(len(coats[0].rows), tuple(shape)), tuple(coats))
