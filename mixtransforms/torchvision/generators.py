"""The global generators that torchvision's transforms, and users' own ones, draw from: borrowed and put back."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch

from mixtransforms.core.streams import Guard
from mixtransforms.pipeline import nested


class _Generator(NamedTuple):
    seed: Callable[[int], Any]
    state: Callable[[], Any]
    restore: Callable[[Any], Any]


_torch = _Generator(
    torch.default_generator.manual_seed, torch.default_generator.get_state, torch.default_generator.set_state
)
_python = _Generator(random.seed, random.getstate, random.setstate)
_numpy = _Generator(lambda seed: np.random.seed(seed % 2**32), np.random.get_state, np.random.set_state)  # noqa: NPY002

_guard = Guard()
"""Held while generators are borrowed: there is one of each for all threads."""


def generators_of(transforms: tuple[Any, ...]) -> tuple[_Generator, ...]:
    """The generators that some transforms may draw from: torchvision's own ones from torch alone."""
    inner = [item for transform in transforms for item in nested(transform)]
    own = all(type(item).__module__.startswith("torchvision.") and type(item).__name__ != "Lambda" for item in inner)
    return (_torch,) if own else (_torch, _python, _numpy)


@contextmanager
def borrowed(generators: tuple[_Generator, ...]) -> Iterator[Callable[[int], None]]:
    """Gives what starts generators from a seed; afterwards they are as they were."""

    def start(seed: int) -> None:
        for generator in generators:
            generator.seed(seed)

    with _guard, ExitStack() as after:
        for generator in generators:
            after.callback(generator.restore, generator.state())
        yield start
