"""Pictures of mixed batches: what was mixed, from what, and in which shares. Needs matplotlib, loaded on first use.

All functions but ``explore`` return a ``matplotlib.figure.Figure``, which notebooks draw; ``save="a.png"`` writes it.
"""

from mixtransforms.show.batches.figures import batch, compare, trace
from mixtransforms.show.explorer.explore import explore
from mixtransforms.show.methods.figures import coverage, weights
from mixtransforms.show.methods.schedules import schedule

__all__ = ["batch", "compare", "coverage", "explore", "schedule", "trace", "weights"]
