"""OneOf: a choice between methods, for every sample or for the whole batch."""

# No `from __future__ import annotations`: signatures must show types, not strings.
import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass
from typing import Any

import numpy as np

from mixtransforms.core import fields
from mixtransforms.core.cached import cached_property
from mixtransforms.core.canvas import Canvas
from mixtransforms.methods.base import NO_HINTS, Method, Output
from mixtransforms.methods.pairing import Hints
from mixtransforms.methods.registry import register
from mixtransforms.methods.schedules import Schedule, now, number
from mixtransforms.plan import BatchSpec, Plan

SUM_TOLERANCE = 1e-9
"""How far the sum of weights may be beyond 1, or short of it, and still be 1."""

_WEIGHT: fields.Rule = number(0.0, low=0, high=1, doc="").metadata[fields.RULE]


def _checked_methods(value: Any) -> tuple[Method, ...]:
    if not isinstance(value, Sequence) or not value:
        raise ValueError
    if not all(isinstance(item, Method) for item in value):
        raise ValueError
    return tuple(value)


def _checked_weights(value: Any) -> tuple[float | Schedule, ...] | None:
    if value is None:
        return None
    weights = tuple(_WEIGHT.check(weight) for weight in value)
    epochs = np.arange(max((weight.last for weight in weights if isinstance(weight, Schedule)), default=0) + 1)
    total = sum(weight.over(epochs) if isinstance(weight, Schedule) else weight for weight in weights) + 0.0 * epochs
    worst = int(np.argmax(total))
    if total[worst] > 1 + SUM_TOLERANCE:
        raise ValueError(f"Their sum would be {total[worst]:g} in epoch {worst}." if len(epochs) > 1 else "")
    return weights


@register
@dataclass(frozen=True, repr=False)
class OneOf(Method):
    """Mixes every sample, or the whole batch, with one of several methods.

    Partners are drawn over the whole batch, whichever method a sample gets.
    """

    transforms: Sequence[Method] = fields.parameter(
        MISSING,
        _checked_methods,
        "a non-empty list of mixing methods",
        "The methods to choose from.",
        fields.listed({"type": "object"}, low=1),
    )
    _: fields.KW_ONLY
    weights: Sequence[float | Schedule] | None = fields.parameter(
        None,
        _checked_weights,
        "None or one chance a method, each within [0, 1] or a schedule of such, together at most 1",
        "Chance of every method; what is missing to 1 stays unmixed. None: all equally likely.",
        fields.optional(fields.listed(_WEIGHT.schema, low=1)),
    )
    p: float | Schedule = number(
        1.0, low=0, high=1, doc="Chance that a sample, or the batch (see per), is mixed at all."
    )
    per: str = fields.choice("sample", ("sample", "batch"), "Choose for every sample, or once for the batch.")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.weights is not None and len(self.weights) != len(self.transforms):
            raise fields.mismatch(
                self, f"{len(self.weights)} weights for {len(self.transforms)} methods", "one weight a method"
            )
        outputs = {method.output for method in self.transforms}
        if self.per == "sample" and len(outputs) > 1:
            raise fields.mismatch(
                self,
                "A choice for every sample, between results of other sizes or fills",
                "methods with one output_size and fill, or per='batch'",
            )

    @property
    def needs(self) -> frozenset[str]:
        return frozenset().union(*(method.needs for method in self.transforms))

    @property
    def blends(self) -> bool:
        return any(method.blends for method in self.transforms)

    @property
    def cuts(self) -> bool:
        return any(method.cuts for method in self.transforms)

    @property
    def sized(self) -> bool:
        return any(method.sized for method in self.transforms) and all(
            method.sized or not method.cuts for method in self.transforms
        )

    @property
    def soft_edged(self) -> bool:
        return any(method.soft_edged for method in self.transforms)

    @property
    def scales(self) -> bool:
        return any(method.scales for method in self.transforms)

    def most_sources(self, axes: int) -> int:
        return max(method.most_sources(axes) for method in self.transforms)

    def most_blended(self, axes: int) -> int:
        return max(method.most_blended(axes) for method in self.transforms)

    @cached_property
    def output(self) -> Output | None:
        return next((method.output for method in self.transforms if method.output is not None), None)

    def forced(self) -> Method:
        return dataclasses.replace(self, p=1.0)

    def draw(self, spec: BatchSpec, rng: np.random.Generator, hints: Hints = NO_HINTS) -> Plan:
        weights = self.weights or (1.0 / len(self.transforms),) * len(self.transforms)
        bounds = np.cumsum([now(weight) for weight in weights]) * now(self.p)
        if bounds[-1] > 1.0 - SUM_TOLERANCE:  # rounding must not leave a gap for "unmixed"
            bounds[-1] = 1.0
        ticket = rng.random(spec.size)  # also where one of them decides, so that the methods' draws stay as they are
        if self.per == "batch":
            ticket = np.broadcast_to(ticket[:1], ticket.shape)
        # On the right side: a method of weight 0 is not chosen by a ticket of 0 either.
        chosen = np.searchsorted(bounds, ticket, side="right")
        # Every method draws for the whole batch, so that the draws of one do not depend on the choice.
        plans = [method.draw(spec, rng, hints).only(chosen == index) for index, method in enumerate(self.transforms)]
        return merge(spec, plans, Plan.drawn if self.is_ours and self.output is None else Plan)


def _common(plans: Sequence[Plan]) -> Canvas | None:
    """The canvas of the one method of a batch; where none is chosen, that of all of them, if it is one."""
    canvases = {plan.canvas for plan in plans if plan.layers} or {plan.canvas for plan in plans}
    return canvases.pop() if len(canvases) == 1 else None


def merge(spec: BatchSpec, plans: Sequence[Plan], make: Callable[..., Plan] = Plan) -> Plan:
    """One plan from plans that mix different samples; ``make`` is how plans are made, checked or not."""
    canvases = [plan.canvas for plan in plans]
    canvas = _common(plans) if any(canvases) else None
    scales = [plan.scale for plan in plans if plan.scale is not None]
    scale = np.prod(scales, axis=0) if scales else None  # whom a plan does not mix it does not scale
    merged = make(spec, tuple(layer for plan in plans for layer in plan.layers), scale=scale, canvas=canvas)
    if all(plan.label_share is None for plan in plans):
        return merged
    share = np.zeros(merged.sources.shape)
    share[:, 0] = 1.0  # whom no method mixes is all itself
    for plan in plans:
        mixed = np.unique(np.concatenate([np.arange(0), *(layer.rows for layer in plan.layers)]))
        columns = plan.target_share.shape[1]
        own = plan.target_share[mixed]
        share[mixed, :columns] = own if plan.label_mass == "free" else np.minimum(own, 1.0)  # sums may be rounded up
    mass = "free" if any(plan.label_mass == "free" for plan in plans) else "one"
    return make(spec, merged.layers, share, label_mass=mass, scale=scale, canvas=canvas)
