"""Randomness by key: the same key always gives the same draws, and a plan records its key."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray


@dataclass(frozen=True)
class Key:
    """What a draw is keyed by.

    Attributes:
        seed: The user's seed, ``0 <= seed < 2**64``.
        epoch: The epoch, ``0 <= epoch < 2**32``.
        rank: The distributed rank, ``0 <= rank < 2**32``.
        stream: Which transform of a pipeline draws.
        step: Which batch: a call count, or a hash of the batch's content.
    """

    seed: int
    epoch: int = 0
    rank: int = 0
    stream: int = 0
    step: int = 0

    def generator(self) -> np.random.Generator:
        """A generator at the start of this key's draws; no two keys overlap."""
        words = [self.seed, self.epoch << 32 | self.rank]
        counter = [0, 0, self.stream, self.step]
        return np.random.Generator(
            np.random.Philox(key=np.array(words, np.uint64), counter=np.array(counter, np.uint64))
        )

    def to_dict(self) -> dict[str, int]:
        """The key in JSON's vocabulary."""
        return asdict(self)


def current_rank() -> int:
    """The distributed rank of this process, from the environment that torch.distributed sets; 0 without one."""
    return int(os.environ.get("RANK") or "0")


class Guard:
    """A lock that pickles and copies as a new, open one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def __reduce__(self) -> tuple[type[Guard], tuple[()]]:
        return Guard, ()


class Steps:
    """Counts the calls of one seeded transform or pipeline. Safe to share between threads, pickles its count."""

    def __init__(self) -> None:
        self._count = 0
        self._guard = Guard()

    def next(self) -> int:
        """The number of calls before this one."""
        with self._guard:
            self._count += 1
            return self._count - 1


_PLAIN = (str, bytes, bool, int, float, complex, np.generic, type(None))


def content_hash(leaves: Iterable[tuple[str, Any]]) -> int:
    """A 64-bit hash of named arrays and plain values: names, dtypes, shapes and bytes.

    Args:
        leaves: Pairs of a name and a NumPy array or plain value.
    """
    digest = xxhash.xxh3_64()
    for name, leaf in leaves:
        if isinstance(leaf, np.ndarray) and leaf.dtype != np.object_:
            digest.update(f"{name}|{leaf.dtype.str}|{leaf.shape}|".encode())
            digest.update(_bytes_of(leaf))
        else:
            # Of other values only the type counts: their text may hold an address, which no run repeats.
            text = repr(leaf) if isinstance(leaf, _PLAIN) else ""
            digest.update(f"{name}|{type(leaf).__name__}|{text}|".encode())
    return digest.intdigest()


def _bytes_of(array: NDArray[Any]) -> memoryview:
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
