"""Banks: where partners come from that are no samples of the batch."""

from __future__ import annotations

import dataclasses
from numbers import Integral
from typing import Any

import numpy as np

from mixtransforms.core.errors import ParameterError
from mixtransforms.rng.keys import Key

_STREAM = 1 << 40
"""Added to the stream of a call for the draw of its samples, so that the method's own stays what it is."""


_NEEDED = {"__getitem__": "indices", "__len__": "a length"}


class SampleBank:
    """Partners from a data set: ``MixUp(bank=SampleBank(dataset, 64))``.

    Every call draws ``size`` samples by its key and reads them from the data set, wherever it runs: with any number of
    workers, and after a restart, the same batch gets the same partners. They are collated as the batch is, and chosen
    from as from a second batch, ``transform(batch, second=...)``. Where nothing is mixed nothing is read.

    Args:
        dataset: A map-style data set of samples as the mix gets them, behind whatever a pipeline has before it. It has
            to return the same sample for the same index, and to be picklable where workers are spawned.
        size: How many samples a call reads, from 1 on; as many different ones as there are.

    Raises:
        ParameterError: The data set is empty or has no indices, or the size is none.
    """

    dataset: Any
    size: int

    def __init__(self, dataset: Any, size: int) -> None:
        missing = [what for name, what in _NEEDED.items() if not hasattr(dataset, name)]
        if any(base.__name__ == "IterableDataset" for base in type(dataset).__mro__):
            missing = ["indices"]  # torch's has a method for them, which raises
        if missing:
            raise ParameterError(
                "Not a map-style data set",
                where="SampleBank",
                got=f"{type(dataset).__name__}, without {missing[0]}",
                wanted="dataset[index] and len(dataset)",
                fix="Give list(dataset) where it fits into memory, or read it by index.",
            )
        if type(size) is bool or not isinstance(size, Integral) or size < 1:
            raise ParameterError(
                "Bad value for 'size'",
                where="SampleBank",
                got=repr(size),
                wanted="a whole number from 1 on",
                fix="As many as the batch has samples are enough for one partner each.",
            )
        if not len(dataset):
            raise ParameterError(
                "An empty data set",
                where="SampleBank",
                got=f"{type(dataset).__name__} of length 0",
                wanted="one sample at least",
                fix="Leave bank out where there are none: partners are then of the batch itself.",
            )
        self.dataset, self.size = dataset, int(size)

    def indices(self, key: Key) -> list[int]:
        """The samples that a call of this key draws, by their indices in the data set."""
        rng, count = dataclasses.replace(key, stream=key.stream + _STREAM).generator(), len(self.dataset)
        rounds = [rng.permutation(count) for _ in range(self.size // count)]
        return [*map(int, np.concatenate([*rounds, rng.choice(count, self.size % count, replace=False)]))]

    def samples(self, key: Key) -> list[Any]:
        """The samples of a call."""
        return [self.dataset[index] for index in self.indices(key)]

    def __repr__(self) -> str:
        return f"SampleBank({type(self.dataset).__name__}, {self.size})"


def as_bank(value: Any) -> SampleBank | None:
    """The option ``bank`` of a transform.

    Raises:
        ValueError: It is none.
    """
    if value is not None and not isinstance(value, SampleBank):
        raise ValueError
    return value
