"""Pictures of mixed batches: what was mixed, from what, and in which shares. Needs matplotlib, loaded on first use.

All functions but ``explore`` return a ``matplotlib.figure.Figure``, which notebooks draw; ``save="a.png"`` writes it.
"""

from mixtransforms.show._batches import batch, compare, trace
from mixtransforms.show._explore import explore
from mixtransforms.show._methods import coverage, weights
from mixtransforms.show._schedules import schedule

__all__ = ["batch", "compare", "coverage", "explore", "schedule", "trace", "weights"]
