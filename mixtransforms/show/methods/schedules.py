"""The figure of schedules."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from mixtransforms.core.errors import InputError
from mixtransforms.methods.schedules import Schedule
from mixtransforms.show.methods.sampling import shown_epochs
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
