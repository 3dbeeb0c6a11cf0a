"""Who is mixed with whom: policies that give every sample of a batch its partner."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core.errors import InputError
from mixtransforms.core.layers import IntArray

Hints = Mapping[str, NDArray[Any]]


def cycle(size: int, rng: np.random.Generator) -> IntArray:
    """A random cycle through the whole batch: nobody is its own partner, every other sample equally likely."""
    order = rng.permutation(size)
    # The samples in a random order, each with the next one: a cycle of all, and every cycle as likely as another.
    partner = np.empty(size, np.int64)
    partner[order[:-1]], partner[order[-1:]] = order[1:], order[:1]
    return partner


def matching(size: int, rng: np.random.Generator) -> IntArray:
    """Random pairs that are each other's partner; of an odd batch one random sample stays alone."""
    order = rng.permutation(size)
    partner = np.arange(size, dtype=np.int64)
    half = size // 2
    first, second = order[:half], order[half : 2 * half]
    partner[first], partner[second] = second, first
    return partner


def permutation(size: int, rng: np.random.Generator) -> IntArray:
    """A random permutation; on average one sample of the batch is its own partner and stays unmixed."""
    return rng.permutation(size).astype(np.int64, copy=False)  # of 32 bits on Windows before NumPy 2


def roll(size: int, rng: np.random.Generator) -> IntArray:
    """The sample before, as ``torch.roll(x, 1, 0)`` and torchvision have it. Draws nothing."""
    return (np.arange(size, dtype=np.int64) - 1) % max(size, 1)  # an empty batch leaves no remainder


def flip(size: int, rng: np.random.Generator) -> IntArray:
    """The batch reversed, as timm has it. Draws nothing."""
    return np.arange(size, dtype=np.int64)[::-1].copy()


def different_class(size: int, rng: np.random.Generator, classes: NDArray[Any]) -> IntArray:
    """A uniform choice among the samples of other classes; without one the sample stays unmixed."""
    return _choose(rng, classes[:, None] != classes[None, :])


def same_class(size: int, rng: np.random.Generator, classes: NDArray[Any]) -> IntArray:
    """A uniform choice among the other samples of the same class; without one the sample stays unmixed."""
    return _choose(rng, (classes[:, None] == classes[None, :]) & ~np.eye(size, dtype=np.bool_))


def _choose(rng: np.random.Generator, allowed: NDArray[np.bool_]) -> IntArray:
    size = len(allowed)
    if not size:
        return np.arange(0, dtype=np.int64)
    # A ticket for every pair, allowed or not: how many numbers are drawn must not depend on the labels.
    ticket = np.where(allowed, rng.random((size, size)), -1.0)
    return np.where(allowed.any(axis=1), ticket.argmax(axis=1), np.arange(size, dtype=np.int64))


PAIRINGS: Mapping[str, Callable[..., IntArray]] = MappingProxyType(
    {policy.__name__: policy for policy in (cycle, matching, permutation, roll, flip, different_class, same_class)}
)
"""The policies by name, in the order of the documentation."""

CLASS_AWARE = frozenset({"different_class", "same_class"})
"""Policies that read class ids."""

MUTUAL = frozenset({"matching", "flip"})
"""Policies in which the partner of my partner is me."""


def partners(policy: str, size: int, rng: np.random.Generator, hints: Hints, count: int | None = None) -> IntArray:
    """The partner of every sample, ``(B,)``; a sample that is its own partner stays unmixed.

    Args:
        policy: A name of :data:`PAIRINGS`.
        size: Number of samples ``B``.
        rng: Source of randomness.
        hints: ``{"classes": (B,) ids}`` for the policies of :data:`CLASS_AWARE`.
        count: How many partners every sample gets, any number, ``(count, B)``. They are drawn one after the other and
            do not know of each other: one sample may be the partner several times, and is where the batch is small.
            Those of ``"roll"`` are the samples before, the nearest first.

    Raises:
        InputError: A class-aware policy got no class ids.
    """
    if count is not None:
        drawn = [partners(policy, size, rng, hints) for _ in range(count)]
        result = np.array(drawn, np.int64).reshape(count, size)
        return (result - np.arange(count)[:, None]) % max(size, 1) if policy == "roll" else result
    if policy not in CLASS_AWARE:
        return PAIRINGS[policy](size, rng)
    classes = hints.get("classes")
    if classes is None:
        raise InputError(
            f"pairing={policy!r} reads class labels",
            where="pairing",
            got="a batch without class labels",
            wanted="one class id a sample",
            fix="Pass the labels with the images, or choose a pairing that needs none, such as 'cycle'.",
        )
    return PAIRINGS[policy](size, rng, classes)
