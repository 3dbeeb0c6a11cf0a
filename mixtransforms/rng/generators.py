"""The global generators that users' own code draws from: borrowed for every sample, and put back."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any, NamedTuple

import numpy as np

from mixtransforms.rng.streams import Guard


class Generator(NamedTuple):
    """A global generator: what starts it, what its state is, and what restores that."""

    seed: Callable[[int], Any]
    state: Callable[[], Any]
    restore: Callable[[Any], Any]


def _seed_numpy(seed: int) -> None:
    # The third word keeps it apart from Python's generator, which is the same algorithm and starts from two of them.
    np.random.seed([seed % 2**32, seed >> 32, 1])  # noqa: NPY002


OF_PYTHON = Generator(random.seed, random.getstate, random.setstate)
OF_NUMPY = Generator(_seed_numpy, np.random.get_state, np.random.set_state)

_guard = Guard()


def lock_of(generators: Sequence[Generator]) -> AbstractContextManager[Any]:
    """What has to be held while generators are :func:`borrowed`: there is one of each for all threads."""
    return _guard.lock if generators else nullcontext()


@contextmanager
def borrowed(generators: Sequence[Generator]) -> Iterator[Callable[[int], None]]:
    """Gives what starts generators from a seed of 64 bits; afterwards they are as they were.

    Whoever borrows holds :func:`lock_of` them.
    """

    def start(seed: int) -> None:
        for generator in generators:
            generator.seed(seed)

    # Restored in reverse order, also when a transform of the user raises: nothing that runs later sees our seeds.
    with ExitStack() as after:
        for generator in generators:
            after.callback(generator.restore, generator.state())
        yield start
