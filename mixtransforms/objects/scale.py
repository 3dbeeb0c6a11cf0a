"""Pixels or fractions of the image: boxes that plainly say the other one than they are read as."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixtransforms.containers.tree import Path, spell
from mixtransforms.core.errors import InputError
from mixtransforms.objects.box_formats import FORMATS
from mixtransforms.objects.boxes import BoxRules

LEAST_SIDE = 8
"""Pixels; of smaller images a box may well lie in the first pixel."""

ROUNDING = 1e-3
"""How far fractions in half precision may exceed 1."""

MOST = 2.0
"""A fraction beyond this is of no box that is cut by the border of its image."""


def check_scale(
    boxes: NDArray[Any], rules: BoxRules, canvases: Callable[[], Iterable[tuple[int, int]]], path: Path
) -> None:
    """Refuses fractions that would be read as pixels, and pixels that would be read as fractions.

    Args:
        boxes: Those of all images, as they are written, ``(N, 4+)``; none whose type says its format.
        rules: What is declared of them.
        canvases: Finds heights and widths of the images, where these are needed.
        path: Where they stand, for errors.

    Raises:
        InputError: No format is told and all boxes lie within [0, 1], though images are larger; or the format is a
            relative one, and there are values above 2.
    """
    numbers = np.asarray(boxes)[:, :4]  # of masked arrays their data
    most = numbers.max(initial=0, where=np.isfinite(numbers))
    if rules.format is None:
        if most <= 1 + ROUNDING and _are_within(numbers) and min(map(min, canvases()), default=0) >= LEAST_SIDE:
            raise _fractions(path)
    elif most > MOST and FORMATS[rules.format].relative:
        raise _pixels(float(most), rules.format, path)


def _are_within(numbers: NDArray[Any]) -> bool:
    """Whether there are boxes, and none has a negative number; rows without a positive one are padding."""
    positive = (numbers > 0).any(axis=1)
    return bool(positive.any()) and bool((numbers[positive] >= 0).all())


def _fractions(path: Path) -> InputError:
    return InputError(
        "Boxes that look like fractions of the image",
        where=spell(path),
        got="all numbers within [0, 1], and no format",
        wanted="the format, since without one they are corners in pixels",
        fix="Say boxes=BoxRules(format='normalized_xyxy') or 'normalized_cxcywh' (which 'yolo' is, too), or "
        "boxes=BoxRules(format='xyxy') where they are pixels after all.",
    )


def _pixels(most: float, form: str, path: Path) -> InputError:
    pixels = {"normalized_cxcywh": "cxcywh", "cxcywhn": "cxcywh", "yolo": "cxcywh", "normalized_xywh": "xywh"}
    return InputError(
        "Boxes in pixels under a format of fractions",
        where=spell(path),
        got=f"values up to {most:g}, and format={form!r}",
        wanted="fractions of the image's width and height",
        fix=f"Say boxes=BoxRules(format={pixels.get(form, 'xyxy')!r}), or divide them.",
    )
