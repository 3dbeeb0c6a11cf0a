"""The global generators that users' own code draws from: borrowed for every sample, and put back."""

from __future__ import annotations

import random
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any, NamedTuple

import numpy as np

from mixtransforms.core.errors import explain
from mixtransforms.rng.streams import Guard, level_of_caller


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


def restore(generators: Sequence[Generator], states: Sequence[Any]) -> None:
    """Puts generators where they were."""
    for generator, state in zip(generators, states, strict=True):
        generator.restore(state)


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
        _look_for_others(generators)


_looks_left = [100]
"""How many times others are still looked for: enough to find a thread that draws all the time; none once it is told."""


def _look_for_others(generators: Sequence[Generator]) -> None:
    """Warns, once, where another thread draws from the generators while they are borrowed.

    A global generator cannot be kept from others: they change what the samples get, and their own draws are rewound.
    """
    if not (generators and _looks_left[0]) or threading.active_count() == 1:
        return
    _looks_left[0] -= 1
    left = _states(generators)
    time.sleep(0)  # threads that wait for their turn have it now
    if _states(generators) == left:
        return
    _looks_left[0] = 0
    text = explain(
        "Another thread draws from a global generator",
        where="BatchCompose",
        got="a generator that is not where the last sample left it",
        wanted="nobody else to draw while a batch is transformed, since results then differ from run to run",
        fix="Give the other thread its own, torch.Generator() or np.random.default_rng(), or mix in a worker process.",
    )
    warnings.warn(text, RuntimeWarning, stacklevel=level_of_caller())


def _states(generators: Sequence[Generator]) -> list[list[bytes]]:
    """Where generators are, to be compared."""
    states = [generator.state() for generator in generators]
    parts = [state if isinstance(state, tuple) else (state,) for state in states]
    return [[np.asarray(part).tobytes() for part in each] for each in parts]
