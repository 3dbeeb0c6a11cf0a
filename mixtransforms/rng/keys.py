"""Randomness by key: the same key always gives the same draws, and a plan records its key."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.random.bit_generator import ISeedSequence
from numpy.typing import NDArray

WordArray = NDArray[np.uint64]
Words = tuple[int, ...]


@dataclass(frozen=True)
class Key:
    """What a draw is keyed by.

    Attributes:
        seed: The user's seed, ``0 <= seed < 2**64``.
        epoch: The epoch, ``0 <= epoch < 2**32``. Schedules have their value of this epoch.
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
        """A generator at the start of this key's draws; no two keys overlap.

        It is Philox4x64-10 (Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, 2011), whose key is
        ``(seed, epoch, rank)`` and whose counter begins at ``(stream, step)``.
        """
        # A key of Philox has two words: epoch and rank share one, which is why neither may have more than 32 bits.
        # The counter begins at (0, 0, stream, step): the low words count the draws themselves, so that no two streams
        # meet.
        words = np.array([self.seed, self.epoch << 32 | self.rank], np.uint64)
        return philox(words, np.array([0, 0, self.stream, self.step], np.uint64))

    def lend(self) -> np.random.Generator:
        """The same generator, to be given back by :func:`give_back`: quicker, and nobody may keep it."""
        return lend((self.seed, self.epoch << 32 | self.rank), (0, 0, self.stream, self.step))

    def to_dict(self) -> dict[str, int]:
        """The key in JSON's vocabulary."""
        return asdict(self)


class _KeyWords(ISeedSequence):
    """The words of a key, in the place of a seed: a generator that is given ``key=`` asks the system for entropy."""

    def __init__(self, words: WordArray) -> None:
        self._words = words

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> WordArray:
        return self._words


def philox(words: WordArray, counter: WordArray | None = None) -> np.random.Generator:
    """A generator at the start of the draws of a key of two words, or at a counter of four."""
    seed: Any = _KeyWords(words)
    return np.random.Generator(np.random.Philox(seed, counter=counter))


_NOTHING_DRAWN = {
    "bit_generator": "Philox",
    "buffer": (0, 0, 0, 0),
    "buffer_pos": 4,  # all four words of the buffer are used up
    "has_uint32": 0,
    "uinteger": 0,
}


class _Idle(threading.local):
    """Generators of this thread that nobody draws from: as many as ever were nested, which is two or three."""

    def __init__(self) -> None:
        self.generators: list[np.random.Generator] = []


_idle = _Idle()


def lend(words: Words, counter: Words = (0, 0, 0, 0)) -> np.random.Generator:
    """What :func:`philox` constructs, by setting an idle generator: a quarter of the time.

    Draws nest, a method's own and one of Beta inside it: until it is given back, nobody else gets the generator.

    Args:
        words: The key, two words.
        counter: Where it begins, four words.
    """
    rng = _idle.generators.pop() if _idle.generators else philox(np.zeros(2, np.uint64))
    # Tuples: NumPy reads the words one by one, and five times as fast as those of arrays.
    rng.bit_generator.state = {**_NOTHING_DRAWN, "state": {"counter": counter, "key": words}}
    return rng


def give_back(rng: np.random.Generator) -> None:
    """Ends the use of a generator that was lent; the next one who borrows sets it anew."""
    _idle.generators.append(rng)


def lend_each(rng: np.random.Generator, numbers: Iterable[int]) -> Iterator[np.random.Generator]:
    """A generator of its own for every number, for draws of which nobody knows how many numbers they take.

    The same number has the same draws, whoever else draws; ``rng`` goes on from the same place, whatever is drawn.

    Args:
        rng: Where they start from.
        numbers: Such as samples, from 0 on. A generator is given back when the next one is asked for.
    """
    first, second = rng.bit_generator.random_raw(2).tolist()
    for number in numbers:
        own = lend((first, second), (0, 0, number, 0))
        yield own
        give_back(own)


@dataclass(frozen=True)
class Call:
    """What all draws of one call of a pipeline are keyed by.

    Attributes:
        key: The key of the batch.
        samples: Who every sample is, ``(B,)``: its content. ``None``: its place, in a batch that was counted.
    """

    key: Key
    samples: WordArray | None = None

    def stream(self, number: int) -> Key:
        """The key of one of the pipeline's transforms."""
        return replace(self.key, stream=number)

    def seeds(self, stream: int, size: int) -> WordArray:
        """A seed for every sample of a stage, ``(size,)``.

        A sample that is known by its content has the same seed in every batch of an epoch and at every place; on
        another rank it has another one, since samplers may give it to several on purpose. Of a batch that was
        lengthened by its originals, the second half has seeds of its own.
        """
        # Counted batches have no content to go by, so a sample is its place; `step` already tells the batches apart.
        if self.samples is None:
            key, samples = self.stream(stream), np.arange(size, dtype=np.uint64)
        else:
            # Without the step: a sample is flipped alike whatever batch it comes in, and whoever stands beside it.
            key = replace(self.key, stream=stream, step=0)
            copies = np.arange(size, dtype=np.uint64) // np.uint64(max(len(self.samples), 1))
            samples = np.resize(self.samples, size) ^ _scattered(copies)
        rng = key.lend()
        first, second = rng.integers(2**64, size=2, dtype=np.uint64)
        give_back(rng)
        # Two rounds under two drawn words: with one, samples that differ in a few bits would have related seeds.
        return _scattered(_scattered(samples ^ first) + second)


def _scattered(words: WordArray) -> WordArray:
    """Every word as another one, 0 as itself: the finalizer of SplitMix64 (Steele, Lea, Flood, 2014), one to one."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def told_apart(hashes: Sequence[int]) -> WordArray:
    """Hashes of a batch's samples, ``(B,)``; one that is there again becomes another, by how often it was there."""
    words = np.array(hashes, np.uint64)
    if len(np.unique(words)) == len(words):
        return words
    import xxhash  # here and not above: names of methods are listed without it

    seen: dict[int, int] = {}
    for index, word in enumerate(hashes):
        before = seen[word] = seen.get(word, -1) + 1
        if before:
            words[index] = xxhash.xxh3_64_intdigest(f"{word}|{before}".encode())
    return words


PLAIN = (str, bytes, bool, int, float, complex, np.generic, type(None))
"""Types of values that are known by their text."""


def content_hash(leaves: Iterable[tuple[str, Any]]) -> int:
    """A 64-bit hash of named arrays and plain values: names, dtypes, shapes and bytes.

    Args:
        leaves: Pairs of a name and a NumPy array or plain value. A list of arrays of one shape counts as their stack.
    """
    import xxhash

    digest = xxhash.xxh3_64()
    for name, leaf in leaves:
        parts = leaf if type(leaf) is list else (leaf,)
        if isinstance(parts[0], np.ndarray) and not parts[0].dtype.hasobject:
            shape = (len(leaf), *parts[0].shape) if parts is leaf else leaf.shape
            # dtype.str has the order of bytes, so that equal bytes of unequal numbers differ; the shape, so that (2,
            # 6) and (3, 4) do.
            digest.update(f"{name}|{parts[0].dtype.str}|{shape}|".encode())
            for part in parts:
                # xxhash reads memory as it lies: a view with other strides has to be copied first.
                dense: Any = np.ascontiguousarray(part)
                digest.update(dense)
        else:
            # Of other values only the type counts: their text may hold an address, which no run repeats.
            text = repr(leaf) if isinstance(leaf, PLAIN) else ""
            digest.update(f"{name}|{type(leaf).__name__}|{text}|".encode())
    return digest.intdigest()
