"""Methods: frozen dataclasses of checked fields with one pure function, ``draw``.

A method never sees an array of a batch. It gets a spec, a generator and the hints it asked for, and returns a plan.
"""

# No `from __future__ import annotations`: signatures must show types, not strings.
import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core import fields
from mixtransforms.core.cached import cached_property
from mixtransforms.core.canvas import Canvas
from mixtransforms.core.display import Displayed
from mixtransforms.core.errors import InputError, ParameterError
from mixtransforms.core.layers import Boxes, Region, everyone, freeze
from mixtransforms.methods.laws import Law
from mixtransforms.methods.pairing import MUTUAL, Hints, Pairing, needs_of, pairing_field, partners
from mixtransforms.methods.schedules import Schedule, Scheduled, now, number
from mixtransforms.plan import BatchSpec, Layer, Plan
from mixtransforms.rng.keys import Key, give_back

NO_HINTS: Hints = MappingProxyType({})


class Output(NamedTuple):
    """What the results of a method are painted on.

    Attributes:
        shape: Lengths of their mixed axes; ``None`` is the size of the batch.
        fill: What images have where nothing is painted.
    """

    shape: tuple[int, ...] | None
    fill: float


@dataclass(frozen=True, repr=False)
class Method(Scheduled, fields.Checked, Displayed, ABC):
    """A mixing method: what is drawn, and nothing of how it is applied."""

    @property
    def needs(self) -> frozenset[str]:
        """The hints that :meth:`draw` reads, of :data:`HINTS`, or ``"value:NAME"``, any value of the batch by name."""
        return frozenset()

    @abstractmethod
    def draw(self, spec: BatchSpec, rng: np.random.Generator, hints: Hints = NO_HINTS) -> Plan:
        """Draws the plan of one call.

        Args:
            spec: Size and mixed axes of the batch, and how many samples behind it partners are to be of.
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

    @property
    def sized(self) -> bool:
        """Whether regions that it draws lie inside of samples that are smaller than the batch, which was padded.

        Where there are such, it reads the hint ``"sizes"`` beside those that :attr:`needs` names.
        """
        return False

    @property
    def reads(self) -> frozenset[str]:
        """All hints that it may read, where a batch has them."""
        return self.needs | {"sizes"} if self.sized else self.needs

    @property
    def soft_edged(self) -> bool:
        """Whether it may draw masks that are neither 0 nor 1: weights of label maps then are maps in every batch."""
        return False

    @property
    def scales(self) -> bool:
        """Whether it may multiply what is painted, as only floats can be."""
        return False

    def most_sources(self, axes: int) -> int:
        """How many samples one of the result may be made of, itself among them, where ``axes`` are mixed."""
        return 2

    def most_blended(self, axes: int) -> int:
        """How many samples one place of the result may be a mean of."""
        return self.most_sources(axes) if self.blends else 1

    @property
    def output(self) -> Output | None:
        """What results are painted on, whatever is drawn; ``None`` where they begin as the samples themselves."""
        return None

    def forced(self) -> "Method":
        """The same method with its own gate open, for hosts that have decided already."""
        return self

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
        parts = (Method, Law, Pairing)
        held = [value for value in self._held_values if isinstance(value, parts)]
        bases = [base.__module__ for each in (self, *held) for base in type(each).__mro__ if issubclass(base, parts)]
        inside = (value.is_ours for value in held if isinstance(value, Method))
        return all(module.startswith("mixtransforms.") for module in bases) and all(inside)


HINTS: Mapping[str, str] = MappingProxyType(
    {
        "classes": "class ids, (B,)",
        "values": "numbers to predict, (B, k) float64",
        "masks": "label maps, (B, *shape) int64, -1 where a pixel is of no class: of the id that the mask's own "
        "ignore_index names, or else the transform's, or below 0",
        "instances": "instance masks, a list of B arrays (N, *shape) bool",
        "boxes": "boxes, a list of B arrays (N, 4) float64: x1, y1, x2, y2 in pixels, zeros without an area",
        "images": "images, (B, *shape, C), of any dtype",
        "saliency": "how much every place counts, (B, *shape) float64, finite and from 0 on: what hints= says, else "
        "'contrast', how far the colour of a place is from the mean of its image",
        "sizes": "lengths of the mixed axes of every sample, (B, d) int64, before it was padded at their ends",
    }
)
"""What a transform can tell a method of a batch, as NumPy arrays; ``shape`` is ``spec.shape``."""

VALUE = "value:"
"""What the hint begins with that is a value of the batch, by its name: one number, text or array a sample."""


def check_needs(method: Method) -> None:
    """Refuses a method that asks for what nobody can tell it: it would be drawn without, in silence.

    Raises:
        ParameterError: Names what it asks for.
    """
    unknown = sorted(str(name) for name in method.needs if name not in HINTS and not str(name).startswith(VALUE))
    if unknown:
        raise ParameterError(
            "A method needs hints that are unknown",
            where=f"{type(method).__name__}.needs",
            got=", ".join(map(repr, unknown)),
            wanted="a set of " + ", ".join(map(repr, sorted(HINTS))) + f" or {VALUE + 'NAME'!r}, or an empty one",
            fix="Ask for these alone, or leave needs empty, hand hints of your own to draw, and replay its plan.",
        )


class Pairs(NamedTuple):
    """Who is mixed with whom in one draw.

    Attributes:
        rows: Samples that are mixed, ``(n,)``.
        source: Their partners, ``(n,)``; ``(count, n)`` where each has several.
        leader: ``(B,)``; samples with the same leader share one weight and one region.
    """

    rows: NDArray[np.int64]
    source: NDArray[np.int64]
    leader: NDArray[np.int64]

    @property
    def partner(self) -> NDArray[np.int64]:
        """The partner of every sample, ``(B,)``; an unmixed one is its own."""
        partner = np.arange(len(self.leader), dtype=np.int64)
        partner[self.rows] = self.source
        return partner

    def pick(self, drawn: NDArray[Any]) -> NDArray[Any]:
        """What the mixed samples get, ``(n, ...)``, of what was drawn for everybody who may lead, ``(B, ...)``."""
        if self.rows is self.leader:  # everybody is mixed and leads itself
            return drawn
        if len(drawn) == 1:  # which is everybody's
            return drawn.repeat(len(self.rows), axis=0)
        return drawn[self.leader[self.rows]]


@dataclass(frozen=True, kw_only=True, repr=False)
class SourcesMethod(Method):
    """A method that gives every sample some partners: gate, granularity and pairing in one place."""

    p: float | Schedule = number(
        1.0, low=0, high=1, doc="Chance that a sample, a pair or the batch (see per) is mixed; applied once."
    )
    per: str = fields.choice(
        "sample", ("sample", "batch"), "What is drawn once: for each sample its own, or one for the whole batch."
    )
    pairing: str | Pairing = pairing_field()

    @property
    def needs(self) -> frozenset[str]:
        return needs_of(self.pairing)

    def forced(self) -> "Method":
        return dataclasses.replace(self, p=1.0)

    def groups(self, spec: BatchSpec, rng: np.random.Generator, hints: Hints, count: int) -> Pairs:
        """Draws ``count`` partners for every sample, and the gate. How many numbers are drawn does not depend on ``p``.

        A partner may be the sample itself, where the pairing allows it; whom all are is not mixed.
        """
        itself = np.arange(spec.size, dtype=np.int64)
        partner = partners(self.pairing, spec.size, rng, hints, count, spec.second)
        leader = itself if self.per == "sample" else np.zeros_like(itself)
        gate = rng.random(spec.size)
        rows = np.flatnonzero((gate[leader] < now(self.p)) & (partner != itself).any(axis=0))
        return Pairs(rows, partner[:, rows], leader)

    def draws(self, spec: BatchSpec) -> int:
        """How many of anything :meth:`Pairs.pick` chooses from: one a sample, or one for the batch.

        With a generator that fills arrays number by number, the first of many draws is the one draw.
        """
        return min(1, spec.size) if self.per == "batch" else spec.size

    def paint_layers(self, spec: BatchSpec, layers: Sequence[Layer], canvas: Canvas | None = None) -> Plan:
        """The plan of some layers, in this order.

        Args:
            spec: Of the batch.
            layers: What is painted.
            canvas: What it is painted on; samples that no layer paints on are then shown whole.

        Raises:
            PlanError: Something does not fit; not asked where the whole method is the package's own.
        """
        make = Plan.drawn if self.is_ours and canvas is None else Plan
        return make(spec, tuple([layer for layer in layers if len(layer.rows)]), canvas=canvas)


@dataclass(frozen=True, kw_only=True, repr=False)
class PairMethod(SourcesMethod):
    """A method that gives every sample one partner."""

    per: str = fields.choice(
        "sample",
        ("sample", "pair", "batch"),
        "What shares one weight and one region: each sample has its own, "
        "a sample and its partner share, or one for the whole batch.",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.per == "pair" and (isinstance(self.pairing, Pairing) or self.pairing not in MUTUAL | {"cycle"}):
            raise ParameterError(
                "per='pair' needs a pairing in which two samples are each other's partner",
                where=type(self).__name__,
                got=f"pairing={self.pairing!r}",
                wanted="'matching' or 'flip'",
                fix="Leave pairing at its default, or use per='sample'.",
            )

    def pairs(self, spec: BatchSpec, rng: np.random.Generator, hints: Hints) -> Pairs:
        """Draws partners and gate. How many numbers are drawn does not depend on ``p``."""
        # Only mutual partners can share a weight, and the default cycle has none.
        policy = "matching" if self.per == "pair" and self.pairing == "cycle" else self.pairing
        partner = partners(policy, spec.size, rng, hints, None, spec.second)
        # Methods of the user's own get arrays of their own: they may write into them.
        leader = itself = everyone(spec.size) if self.is_ours else np.arange(spec.size, dtype=np.int64)
        if self.per != "sample":
            # The lower of two leads, and the first of a batch.
            leader = np.minimum(itself, partner) if self.per == "pair" else np.zeros(spec.size, np.int64)
        gate, p = rng.random(spec.size), self.p if isinstance(self.p, float) else now(self.p)
        if p == 1.0 and policy == "cycle" and spec.size > 1 and self.is_ours:  # a cycle leaves nobody out
            return Pairs(itself, partner, leader)
        rows = np.flatnonzero((gate[leader] < p) & (partner != itself))
        return Pairs(rows, partner[rows], leader)

    def paint(
        self,
        spec: BatchSpec,
        pairs: Pairs,
        opacity: NDArray[np.float64],
        region: Region = None,
        declared: NDArray[np.float64] | None = None,
        *,
        crop: Boxes | None = None,
        scale: NDArray[np.float64] | None = None,
    ) -> Plan:
        """The plan in which every mixed sample is painted with its partner, once.

        Args:
            spec: Of the batch.
            pairs: What :meth:`pairs` returned.
            opacity: How much of the partner shows, ``(n,)`` within ``[0, 1]``.
            region: Where, one a mixed sample; ``None`` is everywhere.
            declared: The base weight of labels, ``(n,)``, where it is another one than was painted.
            crop: What of the partner is shown there, one box a mixed sample; ``None`` is the same place.
            scale: What mixed images are multiplied by then, ``(n,)``, by a method that :attr:`scales`.

        Raises:
            PlanError: Something does not fit; not asked where the whole method is the package's own.
        """
        if not self.is_ours:
            plan = pair_plan(spec, Layer(pairs.rows, pairs.source, opacity, region, crop), declared)
            return plan if scale is None else dataclasses.replace(plan, scale=_of_all(scale, spec.size, pairs.rows))
        layer = Layer.drawn(pairs.rows, pairs.source, opacity, region, crop)
        plan = Plan.drawn(spec, (layer,) if len(pairs.rows) else ())
        if scale is not None:
            freeze(plan, scale=_of_all(scale, spec.size, pairs.rows))
        return plan if declared is None else _with_declared(plan, declared)


def require_axes(method: Method, spec: BatchSpec) -> None:
    """Refuses samples without an axis that a region could span.

    Raises:
        InputError: There is none.
    """
    if spec.shape:
        return
    name = type(method).__name__
    raise InputError(
        f"{name} needs axes to cut",
        where=f"{name}.draw",
        got="a batch without mixed axes, such as a table or embeddings",
        wanted="samples with at least one mixed axis",
        fix="Use MixUp, which blends whole samples.",
    )


def required_hint(method: Method, name: str, hints: Hints) -> Any:
    """A hint that a method cannot draw without.

    Raises:
        InputError: It is not there: somebody draws without a batch.
    """
    if name not in hints:
        raise InputError(
            f"{type(method).__name__} reads {name}",
            where=f"{type(method).__name__}.draw",
            got="no such hint",
            wanted=f"hints={{{name!r}: ...}}, {HINTS.get(name, 'a value of the batch')}",
            fix="Hand it over, or have the transform of that name draw, plan(batch), which finds it in the batch.",
        )
    return hints[name]


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


def _of_all(scale: NDArray[np.float64], size: int, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """The scales of all samples, ``(B,)``, from those of the rows that are mixed."""
    every = np.ones(size)
    every[rows] = scale
    return every


def _declared_share(plan: Plan, weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """The shares of labels in a plan of at most one layer, whose rows have a base weight of their own."""
    share = plan.share.copy()
    if plan.layers:
        share[plan.layers[0].rows] = np.stack([weight, 1.0 - weight], axis=1)
    return share
