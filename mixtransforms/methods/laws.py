"""Laws of weights: how much of itself a sample keeps, wherever ``alpha`` says it by the usual law."""

# No `from __future__ import annotations`: signatures must show types, not strings.
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import MISSING, dataclass
from typing import Any

import numpy as np

from mixtransforms.core import fields
from mixtransforms.core.display import Displayed
from mixtransforms.core.errors import ParameterError
from mixtransforms.core.layers import FloatArray
from mixtransforms.methods.schedules import Schedule, Scheduled, now, number
from mixtransforms.rng.keys import give_back, lend

# Beyond them nothing changes any more: weights are 0 or 1 below, and 0.5 to three digits above.
LOWEST_ALPHA, HIGHEST_ALPHA = 1e-6, 1e6


@dataclass(frozen=True, repr=False)
class Law(Scheduled, fields.Checked, Displayed, ABC):
    """A law on ``[0, 1]`` that weights are drawn from."""

    @property
    def name(self) -> str:
        """What it is called in files; a :exc:`TypeError` for a class of the user's own."""
        return fields.kind_name(self, LAWS)

    @abstractmethod
    def weights(self, size: int, rng: np.random.Generator) -> FloatArray:
        """Some weights.

        Args:
            size: How many.
            rng: The only source of randomness; nobody else draws from it, so that any number of draws may be taken.

        Returns:
            Weights within ``[0, 1]``, ``(size,)`` in float64.
        """

    def draw(self, size: int, rng: np.random.Generator) -> FloatArray:
        """``size`` weights, by a generator of their own: what ``rng`` draws afterwards does not depend on the law."""
        words: Any = rng.bit_generator.random_raw(2)
        own = lend(tuple(words.tolist()))
        weights = self.weights(size, own)
        give_back(own)
        return weights


@fields.documented
@dataclass(frozen=True, repr=False)
class Beta(Law):
    """The law of MixUp, and of its relatives with two different parameters: the mean is ``a / (a + b)``.

    ``Beta(alpha, alpha)`` is what ``alpha`` stands for. ``Beta(alpha + 1, alpha)``, which favours the sample itself, is
    that of Harris et al., FMix: Enhancing Mixed Sample Data Augmentation, arXiv:2002.12047.
    """

    a: float | Schedule = number(MISSING, low=LOWEST_ALPHA, high=HIGHEST_ALPHA, doc="Draws weights towards 1.")
    b: float | Schedule = number(MISSING, low=LOWEST_ALPHA, high=HIGHEST_ALPHA, doc="Draws weights towards 0.")

    def weights(self, size: int, rng: np.random.Generator) -> FloatArray:
        return rng.beta(now(self.a), now(self.b), size)


@fields.documented
@dataclass(frozen=True, repr=False)
class Uniform(Law):
    """All weights of a range are equally likely: ``Uniform(0.45, 0.55)`` is nearly half and half.

    As Huang et al., DEIM: DETR with Improved Matching for Fast Convergence, arXiv:2412.04234, mix detection batches.
    """

    low: float | Schedule = number(0.0, low=0, high=1, doc="The lowest weight.")
    high: float | Schedule = number(1.0, low=0, high=1, doc="The highest weight; not below the lowest.")

    def __post_init__(self) -> None:
        super().__post_init__()
        last = max((end.last for end in (self.low, self.high) if isinstance(end, Schedule)), default=0)
        low, high = (_over(end, np.arange(last + 1)) for end in (self.low, self.high))
        if (low > high).any():
            epoch = f" in epoch {int(np.argmax(low > high))}" if last else ""
            raise fields.mismatch(self, f"The lowest weight is above the highest{epoch}", "low <= high")

    def weights(self, size: int, rng: np.random.Generator) -> FloatArray:
        low, high = now(self.low), now(self.high)
        return np.clip(low + (high - low) * rng.random(size), low, high)  # a sum may be rounded beyond an end


@fields.documented
@dataclass(frozen=True, repr=False)
class Constant(Law):
    """Always the same weight: of CutMix, boxes of one area."""

    value: float | Schedule = number(MISSING, low=0, high=1, doc="The weight of the sample itself.")

    def weights(self, size: int, rng: np.random.Generator) -> FloatArray:
        return np.full(size, now(self.value))


def _over(value: float | Schedule, epochs: Any) -> FloatArray:
    """The values of a parameter in some epochs."""
    return value.over(epochs) if isinstance(value, Schedule) else np.full(len(epochs), value)


LAWS: Mapping[str, type[Law]] = {cls.__name__: cls for cls in (Beta, Uniform, Constant)}
"""Every law by its name in files."""


def _as_law(value: Any) -> Law | None:
    """A law, or the one that a file describes."""
    return value if value is None or isinstance(value, Law) else fields.of_kind(value, LAWS)


def alpha_field(default: float, source: str) -> Any:
    """The ``alpha`` of a Beta law."""
    return number(
        default,
        low=LOWEST_ALPHA,
        high=HIGHEST_ALPHA,
        also=(0.0,),
        doc=f"Both parameters of the Beta law of the weight; 0 switches mixing off. {source}",
    )


_LAW_IN_WORDS = "a law such as Beta(2, 1), Uniform(0.45, 0.55) or Constant(0.5) of mixtransforms.laws"

_LAW_FORM: fields.Schema = {"anyOf": [fields.form(cls, kind={"const": name}) for name, cls in LAWS.items()]}


def weight_field(doc: str) -> Any:
    """A law that may stand in the place of ``alpha``."""
    form = fields.optional(_LAW_FORM)
    return fields.parameter(None, _as_law, f"None, or {_LAW_IN_WORDS}", doc, form, quiet=True)


def law_field(default: Law, doc: str) -> Any:
    """A law of something else than weights, which is always there."""

    def check(value: Any) -> Law:
        law = _as_law(value)
        if law is None:
            raise ValueError
        return law

    return fields.parameter(default, check, _LAW_IN_WORDS, doc, _LAW_FORM)


def _as_part(value: Any) -> Law | None:
    """A law, or the one that always gives a number or what a schedule says."""
    kind = value.get("kind") if isinstance(value, Mapping) else None
    return _as_law(value) if value is None or isinstance(value, Law) or kind in LAWS else Constant(value)


def part_field(doc: str) -> Any:
    """A part of a whole that is drawn: a law, or the number that it always is."""
    numbers = number(0.0, low=0, high=1, doc="").metadata[fields.RULE].schema["anyOf"]
    form = fields.optional({"anyOf": [*numbers, *_LAW_FORM["anyOf"]]})
    return fields.parameter(None, _as_part, f"None, a number within [0, 1], or {_LAW_IN_WORDS}", doc, form, quiet=True)


def check_alone(owner: Any) -> None:
    """Refuses a method that was given both ``alpha`` and ``weight``.

    Raises:
        ParameterError: It was.
    """
    if owner.weight is None or "alpha" not in fields.changed(owner):
        return
    raise ParameterError(
        "Two laws of the weight",
        where=type(owner).__name__,
        got=f"alpha={owner.alpha!r} and weight={owner.weight!r}",
        wanted="one of them",
        fix="Leave alpha out, which stands for weight=Beta(alpha, alpha).",
    )


def beta_weights(alpha: float | Schedule, size: int, rng: np.random.Generator, law: Law | None = None) -> FloatArray:
    """``size`` draws from Beta(alpha, alpha) in float64, all 1 (no mixing) for ``alpha=0``; or from another law.

    Beta rejects some numbers, how many depends on alpha; with a generator of its own nothing else that is drawn
    depends on the law.
    """
    if law is not None:
        return law.draw(size, rng)
    words: Any = rng.bit_generator.random_raw(2)
    alpha = alpha if isinstance(alpha, float) else now(alpha)
    if not alpha:
        return np.ones(size)
    own = lend(tuple(words.tolist()))
    weights = own.beta(alpha, alpha, size)  # NumPy's, not torch's, which collapses to 0.5 for small alpha
    give_back(own)
    return weights
