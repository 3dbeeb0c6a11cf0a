"""The points through which every drawing of a schedule goes, and how far it goes: the same in figures and in HTML."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mixtransforms.core.layers import FloatArray, IntArray
from mixtransforms.methods.schedules import LAST_EPOCH, Schedule


class SampledSchedule(NamedTuple):
    """The values of a schedule that are drawn.

    Attributes:
        epochs: ``(n,)``, ascending; all of them, or as many as a drawing can show.
        values: ``(n,)``.
        total: How many epochs there are.
    """

    epochs: IntArray
    values: FloatArray
    total: int


def shown_epochs(last: int) -> int:
    """How many epochs are drawn of schedules whose last change is in an epoch: a little more, to see that it stays."""
    return last + max(last // 4, 2) + 1


def sampled(schedule: Schedule, total: int | None = None, most: int | None = None) -> SampledSchedule:
    """The values of a schedule, from the first epoch on.

    Args:
        schedule: Any.
        total: How many epochs there are; ``None`` goes to a little after the last change.
        most: How many are drawn; of more, the lowest and the highest ones of neighbours. ``None`` draws all.

    Raises:
        ValueError: It is a class of the user's own whose last epoch is none.
    """
    if total is None and not 0 <= schedule.last <= LAST_EPOCH:
        raise ValueError(schedule.last)
    count = shown_epochs(schedule.last) if total is None else total
    epochs = np.arange(count)
    values = np.asarray(schedule.over(epochs), np.float64)
    if most is not None and count > most:
        groups = np.array_split(epochs, most // 2)
        ends = [{int(group[values[group].argmin()]), int(group[values[group].argmax()])} for group in groups]
        epochs = np.array(sorted({0, count - 1}.union(*ends)))
    return SampledSchedule(epochs, values[epochs], count)
