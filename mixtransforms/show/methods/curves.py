"""Draws schedules: a step for every epoch."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.ticker import MaxNLocator

from mixtransforms.methods.schedules import Schedule
from mixtransforms.show.style import COLORS, DPI, Picture

_MOST_DOTS = 60
"""Epochs up to which every one has a dot."""


def curves(schedules: Mapping[str, Schedule], epochs: int, title: str | None) -> Picture:
    """A figure of schedules over the epochs 0 to ``epochs - 1``."""
    figure = Picture(figsize=(6.4, 2.8), dpi=DPI, layout="constrained")
    axes = figure.add_subplot(label="schedule")
    count = np.arange(epochs)
    for index, (name, schedule) in enumerate(schedules.items()):
        values = schedule.over(count)
        color = COLORS[index % len(COLORS)]
        axes.step(count, values, where="mid", color=color, label=name, linestyle=("-", "--", ":")[index % 3])
        if epochs <= _MOST_DOTS:
            axes.plot(count, values, ".", color=color)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
    if len(schedules) == 1:
        axes.set_ylabel(next(iter(schedules)))
    else:
        axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))  # beside: curves go everywhere
    if title:
        axes.set_title(title, loc="left")
    return figure
