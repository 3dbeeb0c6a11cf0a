"""The figure of schedules, and what every drawing of one has in common: how far it goes, and through which points."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mixtransforms.core.errors import InputError
from mixtransforms.core.layers import FloatArray, IntArray
from mixtransforms.methods.schedules import LAST_EPOCH, Schedule
from mixtransforms.show.needs import need_matplotlib, need_whole_number
from mixtransforms.show.words import schedules_alt

if TYPE_CHECKING:
    from mixtransforms.show.picture import Picture


def schedule(
    schedules: Schedule | Mapping[str, Schedule],
    epochs: int | None = None,
    *,
    title: str | None = None,
    save: str | os.PathLike[str] | None = None,
) -> Picture:
    """Draws the values of schedules over the epochs of a training.

    Args:
        schedules: One, or several by the names of what they set: ``{"alpha": Ramp(0, 0.4, 0, 5)}``.
        epochs: How many epochs; ``None`` goes a little further than the last change.
        title: A line above.
        save: A file to write the figure to; PNG, SVG and PDF files say in words what is on it.

    Returns:
        A figure of its own, known to no global state.

    Raises:
        InputError: There is no schedule, or the number of epochs is not a whole one from 1 on.
        MissingDependencyError: matplotlib is not installed.
    """
    named = schedules if isinstance(schedules, Mapping) else {"value": schedules}
    if not named or not all(isinstance(each, Schedule) for each in named.values()):
        wanted = "a schedule such as Ramp(0, 0.4, 0, 5), or a dict of names and schedules"
        got, fix = repr(schedules), "Give the parameter of the transform, such as mix.alpha."
        raise InputError("No schedule to draw", where="show.schedule", got=got, wanted=wanted, fix=fix)
    last = max(each.last for each in named.values())
    count = shown_epochs(last) if epochs is None else epochs
    all_of_them = "Leave it out to see all changes."
    need_whole_number(count, 1, "No epochs to draw", "show.schedule", name="epochs", fix=all_of_them)
    need_matplotlib()
    from mixtransforms.show.methods.charts import schedule_curves
    from mixtransforms.show.picture import finished

    return finished(schedule_curves(named, count, title), schedules_alt(named, count, title), save)


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
