"""The figure of schedules."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from mixtransforms.core.errors import InputError
from mixtransforms.methods.schedules import Schedule
from mixtransforms.show.needs import need_matplotlib

if TYPE_CHECKING:
    from mixtransforms.show.style import Picture


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
        raise InputError(
            "No schedule to draw",
            where="show.schedule",
            got=repr(schedules),
            wanted="a schedule such as Ramp(0, 0.4, 0, 5), or a dict of names and schedules",
            fix="Give the parameter of the transform, such as mix.alpha.",
        )
    last = max(each.last for each in named.values())
    count = shown_epochs(last) if epochs is None else epochs
    if type(count) is not int or count < 1:
        raise InputError(
            "No epochs to draw",
            where="show.schedule",
            got=f"epochs={epochs!r}",
            wanted="a whole number from 1 on",
            fix="Leave it out to see all changes.",
        )
    need_matplotlib()
    from mixtransforms.show.methods.curves import curves
    from mixtransforms.show.style import finished

    return finished(curves(named, count, title), _alt(named, count, title), save)


def shown_epochs(last: int) -> int:
    """How many epochs are drawn of schedules whose last change is in an epoch: a little more."""
    return last + max(last // 4, 2) + 1


def _alt(schedules: Mapping[str, Schedule], epochs: int, title: str | None) -> str:
    """What is on the figure, in words: the first, the middle and the last value."""
    places = sorted({0, epochs // 2, epochs - 1})
    lines = [
        f"{name}: " + ", ".join(f"{schedule(epoch):g} in epoch {epoch}" for epoch in places) + "."
        for name, schedule in schedules.items()
    ]
    return " ".join(([f"{title}."] if title else []) + lines)
