"""Methods: frozen dataclasses of checked fields with one pure function, ``draw``.

A method never sees an array of a batch. It gets a spec, a generator and the hints it asked for, and returns a plan.
"""

# No `from __future__ import annotations`: signatures must show types, not strings.
import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core import fields
from mixtransforms.core.cached import cached_property
from mixtransforms.core.display import Displayed
from mixtransforms.core.errors import ParameterError
from mixtransforms.core.layers import Region, freeze
from mixtransforms.methods.pairing import CLASS_AWARE, MUTUAL, PAIRINGS, Hints, partners
from mixtransforms.methods.schedules import Schedule, now, number
from mixtransforms.plan import BatchSpec, Layer, Plan
from mixtransforms.rng.keys import Key, give_back, lend

NO_HINTS: Hints = MappingProxyType({})

# Beyond them nothing changes any more: weights are 0 or 1 below, and 0.5 to three digits above.
LOWEST_ALPHA, HIGHEST_ALPHA = 1e-6, 1e6


@dataclass(frozen=True, repr=False)
class Method(fields.Checked, Displayed, ABC):
    """A mixing method: what is drawn, and nothing of how it is applied."""

    @property
    def needs(self) -> frozenset[str]:
        """The hints that :meth:`draw` reads: ``"classes"`` (class ids, ``(B,)``) or none."""
        return frozenset()

    @abstractmethod
    def draw(self, spec: BatchSpec, rng: np.random.Generator, hints: Hints = NO_HINTS) -> Plan:
        """Draws the plan of one call.

        Args:
            spec: Size and mixed axes of the batch.
            rng: The only source of randomness.
            hints: What :attr:`needs` asks for, as NumPy arrays.
        """

    @property
    def blends(self) -> bool:
        """Whether it may compute with pixels, whatever is drawn; a method that only copies takes any dtype."""
        return True

    @property
    def cuts(self) -> bool:
        """Whether it may draw regions; a method that only treats whole samples takes any shape."""
        return True

    def forced(self) -> "Method":
        """The same method with its own gate open, for hosts that have decided already."""
        return self

    def at(self, epoch: int) -> "Method":
        """The same method with the values of an epoch in place of schedules."""
        if not self._has_schedules:
            return self
        given = {known.name: getattr(self, known.name) for known in dataclasses.fields(self)}
        found = {name: _at_epoch(value, epoch) for name, value in given.items()}
        changed = {name: value for name, value in found.items() if value is not given[name]}
        return dataclasses.replace(self, **changed) if changed else self

    @property
    def _held_values(self) -> Iterator[Any]:
        """Values of all fields; of tuples, such as those of weights and of methods, each one."""
        return _leaves(tuple(getattr(self, known.name) for known in dataclasses.fields(self)))

    @cached_property
    def _has_schedules(self) -> bool:
        inside = (isinstance(value, Method) and value._has_schedules for value in self._held_values)
        return any(inside) or any(isinstance(value, Schedule) for value in self._held_values)

    @cached_property
    def moves(self) -> bool:
        """Whether a parameter is a schedule that changes."""
        return any(isinstance(value, (Method, Schedule)) and value.moves for value in self._held_values)

    def redraw(self, key: Key, spec: BatchSpec, hints: Hints = NO_HINTS) -> Plan:
        """The plan that a recorded key once gave, without the data.

        Where a host has opened the gate, as ``A.OneOf`` does, ask :meth:`forced` instead.

        Args:
            key: ``plan.key``.
            spec: ``plan.spec``.
            hints: What :attr:`needs` asks for, as it was then.
        """
        method = self.at(key.epoch) if self._has_schedules else self
        if not self.is_ours:  # which may keep its generator
            return method.draw(spec, key.generator(), hints).keyed(key)
        rng = key.lend()
        plan = method.draw(spec, rng, hints)
        give_back(rng)  # after an error nobody has it any more
        object.__setattr__(plan, "key", key)  # nobody else has seen the plan yet
        return plan

    @cached_property
    def is_ours(self) -> bool:
        """Whether it and the methods in it are the package's own, so that nobody has to check what they draw.

        A class of the user's own may derive one of ours and override any part of it.
        """
        bases = (base.__module__ for base in type(self).__mro__ if issubclass(base, Method))
        inside = (value.is_ours for value in self._held_values if isinstance(value, Method))
        return all(module.startswith("mixtransforms.") for module in bases) and all(inside)


HINTS = frozenset({"classes"})
"""What a transform can tell a method of a batch."""


def check_needs(method: Method) -> None:
    """Refuses a method that asks for what nobody can tell it: it would be drawn without, in silence.

    Raises:
        ParameterError: Names what it asks for.
    """
    unknown = sorted(map(str, set(method.needs) - HINTS))
    if unknown:
        raise ParameterError(
            "A method needs hints that are unknown",
            where=f"{type(method).__name__}.needs",
            got=", ".join(map(repr, unknown)),
            wanted="a set of " + ", ".join(map(repr, sorted(HINTS))) + ", or an empty one",
            fix="Ask for these alone, or leave needs empty, hand hints of your own to draw, and replay its plan.",
        )


def _leaves(value: Any) -> Iterator[Any]:
    if not isinstance(value, tuple):
        yield value
    else:
        for item in value:
            yield from _leaves(item)


def _at_epoch(value: Any, epoch: int) -> Any:
    """A parameter in one epoch; the same object where no schedule is in it."""
    if isinstance(value, tuple):
        found = tuple(_at_epoch(item, epoch) for item in value)
        return found if any(new is not old for new, old in zip(found, value, strict=True)) else value
    if isinstance(value, Method):
        return value.at(epoch)
    return value(epoch) if isinstance(value, Schedule) else value


class Pairs(NamedTuple):
    """Who is mixed with whom in one draw.

    Attributes:
        rows: Samples that are mixed, ``(n,)``.
        source: Their partners, ``(n,)``.
        leader: ``(B,)``; samples with the same leader share one weight and one region.
    """

    rows: NDArray[np.int64]
    source: NDArray[np.int64]
    leader: NDArray[np.int64]

    def pick(self, drawn: NDArray[Any]) -> NDArray[Any]:
        """What the mixed samples get, ``(n, ...)``, of what was drawn for everybody who may lead, ``(B, ...)``."""
        if self.rows is self.leader:  # everybody is mixed and leads itself
            return drawn
        return drawn[self.leader[self.rows]]


@dataclass(frozen=True, kw_only=True, repr=False)
class PairMethod(Method):
    """A method that gives every sample one partner: gate, granularity and pairing in one place."""

    p: float | Schedule = number(
        1.0, low=0, high=1, doc="Chance that a sample, a pair or the batch (see per) is mixed; applied once."
    )
    per: str = fields.choice(
        "sample",
        ("sample", "pair", "batch"),
        "What shares one weight and one region: each sample has its own, "
        "a sample and its partner share, or one for the whole batch.",
    )
    pairing: str = fields.choice(
        "cycle", tuple(PAIRINGS), "How partners are chosen. With per='pair' the default is a random matching."
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.per == "pair" and self.pairing not in MUTUAL | {"cycle"}:
            raise ParameterError(
                "per='pair' needs a pairing in which two samples are each other's partner",
                where=type(self).__name__,
                got=f"pairing={self.pairing!r}",
                wanted="'matching' or 'flip'",
                fix="Leave pairing at its default, or use per='sample'.",
            )

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({"classes"} if self.pairing in CLASS_AWARE else ())

    def forced(self) -> "Method":
        return dataclasses.replace(self, p=1.0)

    def pairs(self, spec: BatchSpec, rng: np.random.Generator, hints: Hints) -> Pairs:
        """Draws partners and gate. How many numbers are drawn does not depend on ``p``."""
        # Only mutual partners can share a weight, and the default cycle has none.
        policy = "matching" if self.per == "pair" and self.pairing == "cycle" else self.pairing
        everyone = np.arange(spec.size, dtype=np.int64)
        partner = partners(policy, spec.size, rng, hints)
        leader = everyone
        if self.per != "sample":
            # The lower of two leads, and the first of a batch.
            leader = np.minimum(everyone, partner) if self.per == "pair" else np.zeros_like(everyone)
        gate, p = rng.random(spec.size), self.p if isinstance(self.p, float) else now(self.p)
        # A cycle leaves nobody out. Methods of the user's own get arrays of their own: they may write into them.
        if p == 1.0 and policy == "cycle" and spec.size > 1 and self.is_ours:
            return Pairs(everyone, partner, leader)
        rows = np.flatnonzero((gate[leader] < p) & (partner != everyone))
        return Pairs(rows, partner[rows], leader)

    def draws(self, spec: BatchSpec) -> int:
        """How many weights and regions :meth:`Pairs.pick` chooses from: one a sample, or one for the batch.

        With a generator that fills arrays number by number, the first of many draws is the one draw.
        """
        return 1 if self.per == "batch" else spec.size

    def paint(
        self,
        spec: BatchSpec,
        pairs: Pairs,
        opacity: NDArray[np.float64],
        region: Region = None,
        declared: NDArray[np.float64] | None = None,
    ) -> Plan:
        """The plan in which every mixed sample is painted with its partner, once.

        Args:
            spec: Of the batch.
            pairs: What :meth:`pairs` returned.
            opacity: How much of the partner shows, ``(n,)`` within ``[0, 1]``.
            region: Where, one a mixed sample; ``None`` is everywhere.
            declared: The base weight of labels, ``(n,)``, where it is another one than was painted.

        Raises:
            PlanError: Something does not fit; not asked where the whole method is the package's own.
        """
        if not self.is_ours:
            return pair_plan(spec, Layer(pairs.rows, pairs.source, opacity, region), declared)
        layer = Layer.drawn(pairs.rows, pairs.source, opacity, region)
        plan = Plan.drawn(spec, (layer,) if len(pairs.rows) else ())
        return plan if declared is None else _with_declared(plan, declared)


def beta_weights(alpha: float | Schedule, size: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """``size`` draws from Beta(alpha, alpha) in float64; all 1 (no mixing) for ``alpha=0``.

    NumPy's generator, not torch's, whose Beta collapses to 0.5 for small alpha. It rejects some numbers, how many
    depends on alpha; with a generator of its own nothing else that is drawn depends on alpha.
    """
    words: Any = rng.bit_generator.random_raw(2)
    alpha = alpha if isinstance(alpha, float) else now(alpha)
    if not alpha:
        return np.ones(size)
    own = lend(tuple(words.tolist()))
    weights = own.beta(alpha, alpha, size)
    give_back(own)
    return weights


def alpha_field(default: float, source: str) -> Any:
    """The ``alpha`` of a Beta law."""
    return number(
        default,
        low=LOWEST_ALPHA,
        high=HIGHEST_ALPHA,
        also=(0.0,),
        doc=f"Both parameters of the Beta law of the weight; 0 switches mixing off. {source}",
    )


def pair_plan(spec: BatchSpec, layer: Layer, declared: NDArray[np.float64] | None = None) -> Plan:
    """A plan of one layer; ``declared`` gives labels another base weight ``(n,)`` than was painted.

    Raises:
        PlanError: Something does not fit, or a declared weight is not within ``[0, 1]``.
    """
    plan = Plan(spec, (layer,))
    return plan if declared is None else dataclasses.replace(plan, label_share=_declared_share(plan, declared))


def _with_declared(plan: Plan, weight: NDArray[np.float64]) -> Plan:
    """A plan that has just been made, with a base weight for the labels of the samples that are painted on."""
    if plan.layers:
        freeze(plan, label_share=_declared_share(plan, weight))
    return plan


def _declared_share(plan: Plan, weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """The shares of labels in a plan of at most one layer, whose rows have a base weight of their own."""
    share = plan.share.copy()
    if plan.layers:
        share[plan.layers[0].rows] = np.stack([weight, 1.0 - weight], axis=1)
    return share
