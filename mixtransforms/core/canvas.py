"""Canvases: results of another size than the samples, filled where nobody is shown."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from mixtransforms.core.errors import PlanError
from mixtransforms.core.layers import Boxes, IntArray, Layer
from mixtransforms.core.reading import listed, whole_number


@dataclass(frozen=True)
class Canvas:
    """What samples of the result are painted on, where that is not the sample itself.

    Attributes:
        shape: Lengths of the mixed axes of the result, each at least 1.
        fill: What images have where nothing is painted, a finite number in their own units, in all channels.

    Raises:
        PlanError: A length is no whole number from 1 on, they are too large to be counted with, or the fill is no
            finite number.
    """

    shape: tuple[int, ...]
    fill: float = 0.0

    def __post_init__(self) -> None:
        lengths: Any = self.shape
        fill: Any = self.fill
        if not (isinstance(lengths, Sequence) and lengths and all(map(_is_length, lengths))):
            raise _no_canvas(f"shape {lengths}", "lengths of the mixed axes of the result, whole numbers from 1 on")
        if math.prod(map(int, lengths)) >= 1 << 53:
            raise _no_canvas(f"shape {lengths}", "lengths that can be counted with")
        number = isinstance(fill, Real) and not isinstance(fill, bool)
        if not (number and abs(fill) <= sys.float_info.max):  # also refuses NaN
            raise _no_canvas(f"fill {fill!r}", "a finite number")
        object.__setattr__(self, "shape", tuple(map(int, lengths)))
        object.__setattr__(self, "fill", float(fill))

    def to_dict(self) -> dict[str, Any]:
        """The canvas in JSON's vocabulary."""
        return {"shape": list(self.shape), "fill": self.fill}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Canvas:
        """The canvas that :meth:`to_dict` wrote.

        Raises:
            KeyError: A name is missing or unknown.
        """
        if set(data) != {"shape", "fill"}:
            raise KeyError(*sorted(map(str, data)))
        return cls(tuple(map(whole_number, listed(data["shape"]))), data["fill"])


def contained(shape: Sequence[int], frames: IntArray) -> IntArray:
    """Sides of the largest boxes that have the proportions of samples and fit into frames, ``(n, d)``.

    Sides are rounded to whole cells, of which there is at least one wherever a frame has one.

    Args:
        shape: Lengths of the mixed axes of the samples, none of them 0.
        frames: Sides of the frames, ``(n, d)``.
    """
    lengths = np.asarray(shape, np.int64)
    tightest = (frames / lengths).argmin(axis=1)[:, None]  # the axis along which a sample fills its frame
    side = np.take_along_axis(frames, tightest, axis=1)
    whole = lengths[tightest]
    return np.asarray(np.minimum(np.maximum((2 * lengths * side + whole) // (2 * whole), 1), frames))


def shown_whole(rows: IntArray, shape: Sequence[int], canvas: Canvas) -> Layer:
    """The layer in which samples are shown whole, with their proportions, in the middle of the canvas."""
    frames = np.tile(np.asarray(canvas.shape, np.int64), (len(rows), 1))
    sides = contained(shape, frames)
    start = (frames - sides) // 2
    crop = Boxes.full(len(rows), shape)
    return Layer.drawn(rows, rows.copy(), np.ones(len(rows)), Boxes.drawn(start, start + sides), crop)


def _is_length(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and bool(value >= 1)


def _no_canvas(got: str, wanted: str) -> PlanError:
    return PlanError(
        "Not a canvas",
        where="Canvas",
        got=got,
        wanted=wanted,
        fix="Give the lengths of the mixed axes alone, such as Canvas((1280, 1280)), and one fill for all channels.",
    )
