"""What a call did, kept for looking and logging."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from mixtransforms.batch.inventory import Finder
from mixtransforms.plan import Plan


class Step(NamedTuple):
    """One mix of a traced call.

    Attributes:
        mix: The transform.
        before: The batch as it came to it.
        plan: What it drew.
        after: What it made of the batch, before any later transform.
        finder: What the values of the batch are called, as it knew them.
    """

    mix: Any
    before: Any
    plan: Plan
    after: Any
    finder: Finder


@dataclass(frozen=True, eq=False)
class Trace:
    """What one call did, for looking and logging: ``before, plans, after = pipeline.trace(batch)``.

    Attributes:
        steps: Every mix, in the order they happened.
        after: The result.
        transforms: Everything that ran, mixes and others, in their order.
    """

    steps: tuple[Step, ...]
    after: Any
    transforms: tuple[Any, ...] = ()

    @property
    def before(self) -> Any:
        """The batch as it came to the first mix; ``None`` where there is none."""
        return self.steps[0].before if self.steps else None

    @property
    def plans(self) -> tuple[Plan, ...]:
        """The plans, in the order they were painted."""
        return tuple(step.plan for step in self.steps)

    def __iter__(self) -> Iterator[Any]:
        return iter((self.before, self.plans, self.after))

    def __repr__(self) -> str:
        ran = [type(transform).__name__ for transform in self.transforms]
        return f"Trace({', '.join(ran)}; {len(self.steps)} mixed: before, plans, after)"
