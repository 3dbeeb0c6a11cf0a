"""Who is mixed with whom: policies that give every sample of a batch its partner, by name or with parameters."""

# No `from __future__ import annotations`: signatures must show types, not strings.
import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core import fields
from mixtransforms.core.display import Displayed
from mixtransforms.core.errors import InputError
from mixtransforms.core.layers import FloatArray, IntArray
from mixtransforms.methods.schedules import Schedule, Scheduled, now, number

Hints = Mapping[str, NDArray[Any]]


def cycle(size: int, rng: np.random.Generator) -> IntArray:
    """A random cycle through the whole batch: nobody is its own partner, every other sample equally likely."""
    order = rng.permutation(size)
    # The samples in a random order, each with the next one: a cycle of all, and every cycle as likely as another.
    partner = np.empty(size, np.int64)
    if size:
        partner[order[:-1]] = order[1:]
        partner[order[-1]] = order[0]
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


def different_class(size: int, rng: np.random.Generator, classes: NDArray[Any], second: int = 0) -> IntArray:
    """A uniform choice among the samples of other classes; without one the sample stays unmixed."""
    groups = _grouped(classes, size, second)
    return _drawn(rng, groups.order, (0, len(groups.order)), (groups.start, groups.stop), second)


def same_class(size: int, rng: np.random.Generator, classes: NDArray[Any], second: int = 0) -> IntArray:
    """A uniform choice among the other samples of the same class; without one the sample stays unmixed."""
    groups = _grouped(classes, size, second)
    return _drawn(rng, groups.order, (groups.start, groups.stop), (groups.own, groups.own + (not second)), second)


def class_balanced(size: int, rng: np.random.Generator, classes: NDArray[Any], second: int = 0) -> IntArray:
    """A class of the others, all equally likely, and one of its samples: partners of rare classes come as often.

    Source: after Galdran et al., Balanced-MixUp for Highly Imbalanced Medical Image Classification, arXiv:2109.09850.
    """
    others, known = _others(size, second), _known(classes, size, second)
    own = np.zeros((), np.bool_) if second else _alike(classes, size, 0)
    there = (known[:, None] == known[None, :]).sum(axis=0) - own  # how many of the class of j there are for i to meet
    return _weighted(rng, others / np.maximum(there, 1), second)


def _known(values: NDArray[Any], size: int, second: int) -> NDArray[Any]:
    """What is told of all who may be partners."""
    return values[size:] if second else values


def _alike(values: NDArray[Any], size: int, second: int) -> NDArray[np.bool_]:
    """Whether samples, and all who may be their partners, are of one class, ``(B, B)`` or ``(B, N)``."""
    return np.asarray(values[:size, None] == _known(values, size, second)[None, :])


def _others(size: int, second: int) -> NDArray[np.bool_]:
    """Who may be whose partner at all: anybody of a second batch, or else all others, ``(B, N)`` or ``(B, B)``."""
    return np.ones((size, second), np.bool_) if second else ~np.eye(size, dtype=np.bool_)


def _placed(column: IntArray, fine: NDArray[np.bool_], second: int) -> IntArray:
    """The partners at places among all who may be some, where they are fine; else everyone itself."""
    everyone = np.arange(len(fine), dtype=np.int64)
    return np.where(fine, column + len(fine) if second else column, everyone)


class _Grouped(NamedTuple):
    """All who may be partners, sorted by group: nothing is compared pair by pair.

    Attributes:
        order: Who they are, ``(N,)``.
        start: Where the group of every sample begins among them, ``(B,)``.
        stop: Where it ends.
        own: Where the sample itself stands; the start of its group, where partners are of a second batch.
    """

    order: IntArray
    start: IntArray
    stop: IntArray
    own: IntArray


def _grouped(groups: NDArray[Any], size: int, second: int) -> _Grouped:
    numbers = _numbered(groups)
    known = _known(numbers, size, second)
    order = np.argsort(known, kind="stable")
    start = np.searchsorted(known[order], numbers[:size])
    stop = np.searchsorted(known[order], numbers[:size], "right")
    return _Grouped(order, start, stop, start if second else np.argsort(order, kind="stable"))


def _numbered(groups: NDArray[Any]) -> IntArray:
    """A number for every value, equal where these are; what does not equal itself, NaN, is a group of its own."""
    if groups.dtype != object:
        return np.unique(groups, return_inverse=True, equal_nan=False)[1].reshape(-1)
    numbers: dict[Any, int] = {}  # objects need not have an order
    alone = [value if value == value else object() for value in groups]
    return np.array([numbers.setdefault(value, len(numbers)) for value in alone], np.int64)


def _drawn(
    rng: np.random.Generator, order: IntArray, span: tuple[Any, Any], but: tuple[Any, Any], second: int
) -> IntArray:
    """One of ``order[span]`` but ``order[but]``, all equally likely; where there is none, everyone itself.

    It draws ``B`` numbers, whatever the groups are.

    Args:
        rng: Source of randomness.
        order: All who may be partners, ``(N,)``.
        span: Where those of every sample begin and end, ``(B,)`` each or one for all.
        but: Where those of them begin and end, ``(B,)`` each, that are not meant.
        second: Samples of a second batch.
    """
    (start, stop), (gap, rest) = span, but
    count = stop - start - (rest - gap)
    at = start + (rng.random(len(gap)) * count).astype(np.int64)
    fine = count > 0
    partner = order[np.where(fine, np.where(at < gap, at, at + rest - gap), 0)]
    return _placed(partner, fine, second)


def _weighted(rng: np.random.Generator, weights: FloatArray, second: int = 0) -> IntArray:
    """A choice by weights, ``(B, B)`` or ``(B, N)``, for every sample; where all are 0 it stays unmixed.

    It draws ``B`` numbers.
    """
    ticket = rng.random(len(weights))
    if not len(weights):
        return np.arange(0, dtype=np.int64)
    bounds = np.cumsum(weights, axis=1)
    total = bounds[:, -1]
    # The last bound is above every ticket, however a product is rounded; equal bounds are those of weight 0.
    at = np.minimum(ticket * total, np.nextafter(total, 0.0))
    return _placed((bounds > at[:, None]).argmax(axis=1), np.asarray(total > 0), second)


def _of_second(policy: str, size: int, rng: np.random.Generator, second: int) -> IntArray:
    """Partners from a second batch, for policies that read nothing of the samples."""
    if policy not in _IN_ORDER:
        # Nobody comes again before everybody has come, as in a permutation.
        rounds = -(-size // second)
        drawn = [rng.permutation(second) for _ in range(rounds)]
        return size + np.concatenate([np.zeros(0, np.int64), *drawn])[:size].astype(np.int64, copy=False)
    if size != second:
        raise InputError(
            "Batches of different sizes",
            where=f"pairing={policy!r}",
            got=f"{size} samples, and {second} in the second batch",
            wanted="as many, since every sample is mixed with the one at its own place",
            fix="Take batches of one size, or pairing='cycle', which chooses partners at random.",
        )
    order = np.arange(size, 2 * size, dtype=np.int64)
    return order[::-1].copy() if policy == "flip" else order


PAIRINGS: Mapping[str, Callable[..., IntArray]] = MappingProxyType(
    {
        policy.__name__: policy
        for policy in (
            cycle,
            matching,
            permutation,
            roll,
            flip,
            different_class,
            same_class,
            class_balanced,
        )
    }
)
"""The policies by name, in the order of the documentation."""

CLASS_AWARE = frozenset({"different_class", "same_class", "class_balanced"})
"""Policies that read class ids."""

_IN_ORDER = frozenset({"roll", "flip"})
"""Policies that draw nothing."""

MUTUAL = frozenset({"matching", "flip"})
"""Policies in which the partner of my partner is me."""


@dataclass(frozen=True, repr=False)
class Pairing(Scheduled, fields.Checked, Displayed, ABC):
    """A policy with parameters, in the place of a name."""

    @property
    def name(self) -> str:
        """What it is called in files; a :exc:`TypeError` for a class of the user's own."""
        return fields.kind_name(self, KINDS)

    @property
    @abstractmethod
    def needs(self) -> frozenset[str]:
        """The hints that it reads, as those of a method."""

    @abstractmethod
    def partners(self, size: int, rng: np.random.Generator, hints: Hints, second: int = 0) -> IntArray:
        """The partner of every sample, ``(B,)``.

        Args:
            size: Number of samples ``B``.
            rng: Source of randomness; how many numbers are drawn must not depend on the hints.
            hints: What :attr:`needs` names, of all samples.
            second: Samples ``N`` of a second batch, which come behind the others: where there are any, partners are
                within ``[B, B + N)``. A policy without this argument is refused there.
        """


@fields.documented
@dataclass(frozen=True, repr=False)
class Similar(Pairing):
    """Partners whose numbers to predict are near: ``P(j) ~ exp(-|y_i - y_j|^2 / (2 sigma^2))``, for regression.

    Numbers are those of all targets of kind ``'regression'``, side by side, but weights of samples. The paper draws
    partners from the whole training set, which a batch can only approximate: take large ones. Its official code counts
    in the units of the labels (``units="raw"``, with bandwidths from 0.05 to 20) and lets a sample meet itself
    (``self_pairs=True``), which leaves it unmixed.

    Source: Yao et al., C-Mixup: Improving Generalization in Regression, arXiv:2210.05775.
    """

    sigma: float | Schedule = number(
        MISSING, low=1e-9, high=1e9, doc="Bandwidth: towards 0 partners are the nearest, towards infinity any."
    )
    units: str = fields.choice(
        "standard", ("standard", "raw"), "Of sigma: standard deviations of every number over the batch, or its own."
    )
    self_pairs: bool = fields.flag(False, "Whether a sample may be its own partner, and so stay unmixed.")

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({"values"})

    def partners(self, size: int, rng: np.random.Generator, hints: Hints, second: int = 0) -> IntArray:
        values = _read(self, "values", hints)
        if self.units == "standard":
            deviation = values.std(axis=0) if len(values) else np.ones(values.shape[1])
            values = values / np.where(deviation > 0, deviation, 1.0)
        allowed = _others(size, second) | self.self_pairs
        distance = np.zeros(allowed.shape)
        for column in values.T:  # one after the other: poses have many numbers
            distance += np.square(column[:size, None] - _known(column, size, second)[None])
        # From the nearest that is allowed: its weight is 1, and not lost however small sigma is.
        nearest = np.where(allowed, distance, np.inf).min(axis=1, initial=np.inf, keepdims=True)
        with np.errstate(over="ignore", invalid="ignore"):  # of a sample alone nothing is allowed
            weights = np.exp(-(distance - nearest) / (2.0 * now(self.sigma) ** 2))
        return _weighted(rng, np.where(allowed, weights, 0.0), second)


def _value_name(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError
    return value


@fields.documented
@dataclass(frozen=True, repr=False)
class Within(Pairing):
    """Partners of the same group, such as a site, a scanner or a domain: any other sample of it, all equally likely.

    A sample without another one of its group stays unmixed.
    """

    value: str = fields.parameter(
        MISSING,
        _value_name,
        "the name of a value of the batch",
        "Where the batch says the groups: a value with one number or text a sample.",
        {"type": "string"},
    )

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({f"value:{self.value}"})

    def partners(self, size: int, rng: np.random.Generator, hints: Hints, second: int = 0) -> IntArray:
        groups = _read(self, f"value:{self.value}", hints)
        if groups.ndim != 1:
            raise InputError(
                "No groups",
                where=type(self).__name__,
                got=f"shape {groups.shape} under {self.value!r}",
                wanted=f"one number or text a sample, ({size + second},)",
                fix="Give the group of every sample, such as the number of its site.",
            )
        return same_class(size, rng, groups, second)


@fields.documented
@dataclass(frozen=True, repr=False)
class SimilarShape(Pairing):
    """Partners of similar aspect ratio, for images of unequal sizes: much of each is then inside of the other.

    Samples are sorted by ``height / width``, those of equal ratio at random, and each ``window`` that follow each other
    make a random cycle, in which nobody meets itself; one that is left over joins the last of these. Sizes are those
    before padding. Of volumes and videos it is the ratio of the last two axes that are mixed; of signals the length.
    Of a second batch any of the ``window`` samples with the most similar ratio is the partner.

    Source: NaFlexMixup of timm, which sorts alike and shuffles within windows of 4, before it pairs neighbours.
    """

    window: int = fields.integer(4, low=2, high=2**31 - 1, doc="How many samples that follow each other are a cycle.")

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({"sizes"})

    def partners(self, size: int, rng: np.random.Generator, hints: Hints, second: int = 0) -> IntArray:
        ratio = self._ratios(_read(self, "sizes", hints))
        if second:
            return self._of_second(ratio[:size], ratio[size:], rng)
        ties, tickets = rng.random((2, size))
        order = np.lexsort((ties, ratio))
        cycle = np.arange(size) // self.window
        if size > 1 and size % self.window == 1:  # nobody else is there for the last
            cycle[-1] -= 1
        order = order[np.lexsort((tickets, cycle))]
        following = np.arange(1, size + 1)
        last = np.append(cycle[1:] != cycle[:-1], True)[:size]
        following[last] = np.flatnonzero(np.append(True, last)[:size])  # a cycle begins behind the end of another
        partner = np.empty(size, np.int64)
        partner[order] = order[following]
        return partner

    @staticmethod
    def _ratios(sizes: IntArray) -> FloatArray:
        sides, lengths = sizes.shape[1], np.maximum(sizes, 1).astype(np.float64)
        return lengths[:, -2] / lengths[:, -1] if sides > 1 else lengths[:, -1] if sides else np.ones(len(sizes))

    def _of_second(self, own: FloatArray, others: FloatArray, rng: np.random.Generator) -> IntArray:
        tickets, ties = rng.random(len(own)), rng.random(len(others))
        away = np.abs(np.log(own)[:, None] - np.log(others))
        nearest = np.lexsort((np.broadcast_to(ties, away.shape), away), axis=1)[:, : self.window]
        chosen = (tickets * nearest.shape[1]).astype(np.int64)
        return np.asarray(len(own) + nearest[np.arange(len(own)), chosen])


KINDS: Mapping[str, type[Pairing]] = {cls.__name__: cls for cls in (Similar, Within, SimilarShape)}
"""Every policy with parameters by its name in files."""


def _read(policy: Pairing, name: str, hints: Hints) -> NDArray[Any]:
    """A hint that a policy cannot do without.

    Raises:
        InputError: It is not there: somebody draws without a batch.
    """
    if name not in hints:
        raise InputError(
            f"pairing={policy!r} reads {name!r}",
            where="pairing",
            got="no such hint",
            wanted=f"hints={{{name!r}: ...}}, a row for every sample",
            fix="Hand it over, or have a transform draw, plan(batch), which finds it in the batch.",
        )
    return hints[name]


def pairing_field() -> Any:
    """The ``pairing`` of a method."""
    names: fields.Rule = fields.choice("cycle", tuple(PAIRINGS), "").metadata[fields.RULE]

    def check(value: Any) -> str | Pairing:
        if isinstance(value, Pairing):
            return value
        return fields.of_kind(value, KINDS) if isinstance(value, Mapping) else str(names.check(value))

    forms = [fields.form(cls, kind={"const": name}) for name, cls in KINDS.items()]
    return fields.parameter(
        "cycle",
        check,
        f"{names.wanted}, Similar(sigma), Within(name) or SimilarShape()",
        "How partners are chosen. With per='pair' the default is a random matching.",
        {"anyOf": [names.schema, *forms]},
    )


def needs_of(policy: str | Pairing) -> frozenset[str]:
    """The hints that a policy reads."""
    if isinstance(policy, Pairing):
        return policy.needs
    return frozenset({"classes"} if policy in CLASS_AWARE else ())


def partners(
    policy: str | Pairing,
    size: int,
    rng: np.random.Generator,
    hints: Hints,
    count: int | None = None,
    second: int = 0,
) -> IntArray:
    """The partner of every sample, ``(B,)``; a sample that is its own partner stays unmixed.

    Args:
        policy: A name of :data:`PAIRINGS`, or a policy with parameters.
        size: Number of samples ``B``.
        rng: Source of randomness.
        hints: What :func:`needs_of` names.
        count: How many partners every sample gets, any number, ``(count, B)``. They are drawn one after the other and
            do not know of each other: one sample may be the partner several times, and is where the batch is small.
            Those of ``"roll"`` are the samples before, the nearest first.
        second: Samples ``N`` of a second batch, behind the others, among whom partners are chosen where there are any.
            Policies that read nothing take as many different ones as there are; ``"roll"`` takes the sample at the same
            place, and ``"flip"`` that of the batch reversed.

    Raises:
        InputError: A policy got no hint that it reads, or knows nothing of second batches.
    """
    if count is not None:
        drawn = [partners(policy, size, rng, hints, None, second) for _ in range(count)]
        result = np.array(drawn, np.int64).reshape(count, size)
        first = size if second else 0
        return first + (result - first - np.arange(count)[:, None]) % max(size, 1) if policy == "roll" else result
    if isinstance(policy, Pairing):
        return _of_policy(policy, size, rng, hints, second)
    if policy not in CLASS_AWARE:
        return _of_second(policy, size, rng, second) if second else PAIRINGS[policy](size, rng)
    classes = hints.get("classes")
    if classes is None:
        raise InputError(
            f"pairing={policy!r} reads class labels",
            where="pairing",
            got="a batch without class labels",
            wanted="one class id a sample",
            fix="Pass the labels with the images, or choose a pairing that needs none, such as 'cycle'.",
        )
    return PAIRINGS[policy](size, rng, classes, second)


def _of_policy(policy: Pairing, size: int, rng: np.random.Generator, hints: Hints, second: int) -> IntArray:
    """What a policy with parameters chooses, which may be of the user's own."""
    if not second:
        return policy.partners(size, rng, hints)
    if "second" not in inspect.signature(policy.partners).parameters:
        name = type(policy).__name__
        raise InputError(
            "A pairing that knows nothing of second batches",
            where=f"pairing={policy!r}",
            got=f"{name}.partners(size, rng, hints), and a second batch",
            wanted="an argument for the number of its samples, partners(size, rng, hints, second=0)",
            fix=f"Add it to {name}, and return numbers from size on where it is not 0; or choose another pairing.",
        )
    return policy.partners(size, rng, hints, second)
