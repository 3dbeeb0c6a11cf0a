"""Masks from smooth noise: fields that wander over the whole sample, cut at the height that gives the wanted area.

Of a field only the order of its cells matters. It is made in float64, since NumPy before 2.0 has no other Fourier
transform; and processors and releases may round its last bits in their own ways. At the height where one cell is chosen
and the next is not, these lie some 1e-5 of the noise apart, and rounding is 1e-16: in practice no mask is another one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from mixtransforms.core.layers import BoolArray, FloatArray, Mask
from mixtransforms.methods.base import Pairs
from mixtransforms.rng.keys import give_back, lend

Amplitude = Callable[[np.random.Generator], FloatArray]
"""Draws how strong every wave of a field is, in the layout of :func:`frequencies`."""


def noise_masks(
    pairs: Pairs, weight: FloatArray, shape: tuple[int, ...], rng: np.random.Generator, amplitude: Amplitude
) -> Mask:
    """One mask a mixed sample, ``(n, *shape)``: all but the highest cells of a field that is drawn for its leader.

    Args:
        pairs: Who is mixed.
        weight: The part of the cells that a sample keeps, of everybody who may lead, ``(B,)`` or ``(1,)``; rounded to
            whole cells.
        shape: Lengths of the mixed axes.
        rng: Gives two words, whatever is drawn.
        amplitude: Of the waves that fields are made of.
    """
    words: Any = rng.bit_generator.random_raw(2)
    key = tuple(words.tolist())
    partner = np.zeros((len(weight), *shape), np.bool_)
    kept = np.rint(weight * math.prod(shape)).astype(np.int64).tolist()
    for leader in np.unique(pairs.leader[pairs.rows]).tolist() if partner.size else ():
        own = lend(key, (0, 0, 0, leader))  # a field of its own: it does not depend on who else is mixed
        np.logical_not(highest(_noise(shape, amplitude(own), own), kept[leader]), out=partner[leader])
        give_back(own)
    if len(partner) == 1:  # one that all see, and nobody copies
        return Mask.drawn(np.broadcast_to(partner, (len(pairs.rows), *shape)))
    return Mask.drawn(pairs.pick(partner))


@lru_cache(maxsize=8)
def frequencies(shape: tuple[int, ...]) -> FloatArray:
    """How often the waves that make a field go up and down within a cell, in the layout of ``np.fft.rfftn``."""
    axes = [*map(np.fft.fftfreq, shape[:-1]), np.fft.rfftfreq(shape[-1])]
    squares = np.meshgrid(*map(np.square, axes), indexing="ij", sparse=True)
    frequency: FloatArray = np.sqrt(sum(squares))
    frequency.flags.writeable = False  # it is shared by all draws
    return frequency


def _noise(shape: tuple[int, ...], amplitude: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Gaussian noise ``shape``: the same everywhere in law, its waves as strong as asked for."""
    waves = rng.standard_normal((*amplitude.shape, 2)).view(np.complex128)[..., 0]
    waves *= amplitude
    # The others have mirror images, of which these show only what is real: half of the power, were they not stronger.
    waves[..., [0] if shape[-1] % 2 else [0, -1]] *= math.sqrt(2)
    field: FloatArray = np.fft.irfftn(waves, shape, range(len(shape)))
    return field


def highest(field: FloatArray, count: int) -> BoolArray:
    """The ``count`` highest cells of a field, as many exactly: of equal ones those that come first."""
    flat = field.ravel()
    if not count:
        return np.zeros(field.shape, np.bool_)
    edge = np.partition(flat, len(flat) - count)[len(flat) - count]
    chosen: BoolArray = flat > edge
    chosen[np.flatnonzero(flat == edge)[: count - np.count_nonzero(chosen)]] = True
    return chosen.reshape(field.shape)
