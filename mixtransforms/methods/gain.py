"""Laws of gain: by which amplitudes two sounds are added whose labels are mixed by a weight."""

# No `from __future__ import annotations`: signatures must show types, not strings.
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core import fields
from mixtransforms.core.errors import InputError
from mixtransforms.core.layers import FloatArray

GAINS = ("linear", "power", "pressure")

SILENT = 1e-4
"""Of the amplitude of its partner, what counts as no sound: 80 dB below, the range that the official code measures."""


def gain_field() -> Any:
    """By which law the weight of labels becomes amplitudes."""

    def check(value: Any) -> str:
        if not isinstance(value, str) or value not in GAINS:
            raise ValueError
        return value

    return fields.parameter(
        "linear",
        check,
        "one of " + ", ".join(map(repr, GAINS)),
        "Amplitudes of a sample and its partner, of sounds: their weights ('linear'), the square roots of these "
        "('power'), or those with which both are heard by their weights, at one power together ('pressure').",
        {"enum": list(GAINS)},
        quiet=True,
    )


def amplitudes(gain: str, weight: FloatArray, own: FloatArray, partner: FloatArray) -> tuple[FloatArray, FloatArray]:
    """What samples and their partners are multiplied by before they are added, ``(n,)`` each, not both 0.

    Args:
        gain: ``"power"`` or ``"pressure"``.
        weight: Share of the sample in the label, ``(n,)``.
        own: Root mean square of the sample, ``(n,)``; not read for ``"power"``.
        partner: That of its partner, alike.
    """
    if gain == "power":
        return np.sqrt(weight), np.sqrt(1.0 - weight)
    # A ratio of 0 or infinity has no decibels; sounds of which one is silent are added as if they were equally loud.
    silent = (own <= SILENT * partner) | (partner <= SILENT * own)
    loud = np.where(silent, 1.0, partner) * weight, np.where(silent, 1.0, own) * (1.0 - weight)
    share = loud[0] / (loud[0] + loud[1])
    norm = np.hypot(share, 1.0 - share)
    return share / norm, (1.0 - share) / norm


def root_mean_square(images: NDArray[Any]) -> FloatArray:
    """The level of every sample as an amplitude, ``(B,)``, over all that it holds.

    Raises:
        InputError: One has none.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        power = np.array([np.square(row, dtype=np.float64).sum() / max(1, row.size) for row in images], np.float64)
    wrong = ~np.isfinite(power)
    if wrong.any():
        raise InputError(
            "Sounds that have no level",
            where="MixUp.draw",
            got=f"numbers in rows {np.flatnonzero(wrong)[:5].tolist()} whose mean square is not finite",
            wanted="finite numbers below 1e150",
            fix="Replace the others, as where(isfinite(sounds), sounds, 0) does, or take gain='power'.",
        )
    return np.sqrt(power)
