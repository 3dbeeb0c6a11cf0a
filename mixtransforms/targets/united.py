"""Sources and shares of whole samples, in equally many columns whatever was drawn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core.errors import PlanError
from mixtransforms.core.layers import FloatArray, IntArray
from mixtransforms.plan import Plan


def united(plan: Plan, count: int) -> tuple[IntArray, NDArray[np.float32]]:
    """Who labels come from and their shares, the sample itself first, which is there once.

    Args:
        plan: The plan.
        count: The number of columns.

    Returns:
        ``(B, count)`` int64 and float32. Columns that are not used name the sample itself, with share 0.

    Raises:
        PlanError: Some sample has more sources.
    """
    sources, share = _itself_once(plan)
    missing = count - sources.shape[1]
    if missing < 0:
        raise PlanError(
            "More sources than the method may give",
            where="Plan",
            got=f"{sources.shape[1]} for some samples",
            wanted=f"at most {count}, so that what comes out has one shape in all batches",
            fix="Say how many there may be in the method's most_sources.",
        )
    base = np.arange(plan.size).repeat(missing).reshape(plan.size, missing)
    nothing = np.zeros((plan.size, missing))
    return np.concatenate([sources, base], axis=1), np.concatenate([share, nothing], axis=1).astype(np.float32)


def most_united(plan: Plan) -> int:
    """The least number of columns that :func:`united` can be asked for."""
    sources, _ = _itself_once(plan)
    return int(sources.shape[1])


def _itself_once(plan: Plan) -> tuple[IntArray, FloatArray]:
    """The plan's sources and shares, where a sample that is painted on itself has one share."""
    sources, share = plan.sources, plan.target_share.copy()
    again = sources == np.arange(plan.size)[:, None]
    again[:, 0] = False
    share[:, 0] += np.where(again, share, 0.0).sum(axis=1)
    share[again] = 0.0
    order = again.argsort(axis=1, kind="stable")
    width = sources.shape[1] - int(again.sum(axis=1).min(initial=sources.shape[1] - 1))
    return np.take_along_axis(sources, order, axis=1)[:, :width], np.take_along_axis(share, order, axis=1)[:, :width]
