"""Banks: where partners come from that are no samples of the batch."""

# No `from __future__ import annotations`: signatures must show types, not strings.
import dataclasses
from collections.abc import Mapping
from numbers import Integral
from typing import Any

import numpy as np

from mixtransforms.core import fields as checked
from mixtransforms.core.errors import InputError, ParameterError
from mixtransforms.rng.keys import Key
from mixtransforms.rng.processes import in_worker

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


@checked.documented
@dataclasses.dataclass(frozen=True)
class EarlierSamples:
    """Partners from the batches before: ``MixUp(bank=EarlierSamples(256))``.

    A transform keeps the last ``size`` samples that it was given, as they came, and chooses from them as from a second
    batch, ``transform(batch, second=...)``. As long as they are fewer, it mixes nothing: also after a restart, since
    ``stream_state()`` has no pixels. A batch is among them from the next call on, whether it was mixed or not; calls
    are also those of ``plan`` and ``trace``, while one with ``second=`` neither asks nor fills the bank.

    It is for ready batches of one form, in the process and the thread that constructed the transform, where calls are
    counted. Anywhere else, such as in the workers of a loader, :class:`SampleBank` draws partners by key.
    """

    size: int = checked.integer(
        dataclasses.MISSING, low=1, high=2**31 - 1, doc="How many samples are kept, on the device that they are on."
    )

    def __post_init__(self) -> None:
        checked.check_fields(self)


def uncounted(where: str, *, elsewhere: bool) -> InputError:
    """The error for a bank of earlier samples where nobody counts the calls, so that which these are is not defined.

    Args:
        where: The transform.
        elsewhere: Whether it was constructed in another process or thread; else it got a list of samples.
    """
    place = "a worker of a DataLoader" if in_worker() else "another process or thread than that of its construction"
    return InputError(
        "Earlier samples where calls are not counted",
        where=f"{where}.bank",
        got=place if elsewhere else "a list of samples, which is known by its content",
        wanted="ready batches, in the process and the thread that constructed the transform",
        fix="Use bank=SampleBank(dataset, size), which draws its samples from a data set by key and works anywhere; or "
        "mix the batches that the loader returns, by a transform that is constructed there.",
    )


def hints_of_others(where: str, names: Mapping[str, Any]) -> InputError:
    """The error for hints that are given with a call whose partners come from a bank.

    Args:
        where: The transform.
        names: The hints.
    """
    name = next(iter(names))
    return InputError(
        "Hints that know nothing of a bank",
        where=where,
        got=f"hints={{{name!r}: ...}} with the call, and partners from a bank",
        wanted="hints of the samples of the bank as well, which a call cannot have",
        fix=f"Have them follow from the samples, hints={{{name!r}: ...}} of the transform with a function of the "
        "images or a 'value:NAME' that all samples have; or give the partners with the call, second=....",
    )


def as_bank(value: Any) -> SampleBank | EarlierSamples | None:
    """The option ``bank`` of a transform.

    Raises:
        ValueError: It is none.
    """
    if isinstance(value, Mapping):  # as files have it
        return EarlierSamples(**value)
    if value is not None and not isinstance(value, (SampleBank, EarlierSamples)):
        raise ValueError
    return value
