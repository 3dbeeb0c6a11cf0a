"""Pixels or fractions of the image: boxes that plainly say the other one than they are read as."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixtransforms.containers.tree import Path, is_typed, leaf_at, spell
from mixtransforms.core.backends import backend_of
from mixtransforms.core.errors import InputError
from mixtransforms.kernels import kernel_of
from mixtransforms.objects.box_formats import FORMATS
from mixtransforms.objects.boxes import BoxRules, LimitedBoxRules
from mixtransforms.objects.groups import Group

LEAST_SIDE = 8
"""Pixels; of smaller images a box may well lie in the first pixel."""

ROUNDING = 1e-3
"""How far fractions in half precision may exceed 1."""

MOST = 2.0
"""A fraction beyond this is of no box that is cut by the border of its image."""

_OF_HOST = {"pascal_voc": "xyxy", "coco": "xywh"}
"""Formats in pixels that pipelines of Albumentations are made with, and their plain names."""


def check_scale(
    boxes: NDArray[Any],
    rules: BoxRules,
    canvases: Callable[[], Iterable[tuple[int, int]]],
    path: Path,
    own: str | None = None,
) -> None:
    """Refuses fractions that would be read as pixels, and pixels that would be read as fractions.

    Args:
        boxes: Those of all images, as they are written, ``(N, 4+)``.
        rules: What is declared of them.
        canvases: Finds heights and widths of the images, where these are needed.
        path: Where they stand, for errors.
        own: The format, in pixels, that the type of the boxes says.

    Raises:
        InputError: No format of pixels is declared for these boxes themselves and all lie within [0, 1], though images
            are larger; or the format is a relative one, and there are values above 2; or none is declared, and the
            corners of most boxes are out of order.
    """
    numbers = np.asarray(boxes)[:, :4]  # of masked arrays their data
    most = numbers.max(initial=0, where=np.isfinite(numbers))
    relative = rules.format is not None and FORMATS[rules.format].relative
    # What a type or a host's pipeline says by habit is no word on these boxes; rules of a mix are.
    habit = own or (rules.format if isinstance(rules, LimitedBoxRules) and rules.format in _OF_HOST else None)
    if rules.format is None or (own and relative) or (habit and not own):
        # Whole numbers under a format are what a crop leaves of boxes in the first pixel.
        plain = most <= 1 + ROUNDING and _are_within(numbers) and not (habit and _are_whole(numbers))
        if plain and min(map(min, canvases()), default=0) >= LEAST_SIDE:
            raise _fractions(path, own, habit)
    elif relative and not own and most > MOST:
        raise _pixels(float(most), str(rules.format), path)
    if rules.format is None and own is None and _are_out_of_order(numbers):
        raise _out_of_order(path)


def _are_out_of_order(boxes: NDArray[Any]) -> bool:
    """Whether the last corner of half of the boxes or more is left of the first or above it: these are no corners."""
    return 0 < len(boxes) <= 2 * int((boxes[:, 2:] < boxes[:, :2]).any(axis=1).sum())


def _out_of_order(path: Path) -> InputError:
    return InputError(
        "Boxes whose corners are out of order",
        where=spell(path),
        got="half of them or more with x2 < x1 or y2 < y1, and no format",
        wanted="x1, y1, x2, y2 in pixels, or another format that is declared",
        fix="Say boxes=BoxRules(format='coco') where they are x, y, width and height, format='cxcywh' where they begin "
        "with the centre, or format='xyxy' where they are corners after all, some without an area.",
    )


def check_scales(
    samples: Sequence[Any],
    groups: Sequence[Sequence[Group]],
    rules: BoxRules,
    canvases: Callable[[], Iterable[tuple[int, int]]],
) -> None:
    """Refuses boxes that are fractions of images and would be moved as pixels, or the other way round.

    One sample may have its only box in the first pixel; a whole batch has not.

    Args:
        samples: All that one stage of a pipeline gets.
        groups: Where each of them tells of objects.
        rules: See :func:`check_scale`.
        canvases: See :func:`check_scale`.

    Raises:
        InputError: See :func:`check_scale`.
    """
    found: dict[str | None, tuple[Path, list[NDArray[Any]]]] = {}
    for sample, own in zip(samples, groups, strict=True):
        for path in (group.boxes for group in own if group.boxes):
            item = leaf_at(sample, path)
            if item is None or not len(item):
                continue
            backend = backend_of(item)
            rows = np.asarray(item) if backend is None else kernel_of(backend).to_host(item)
            if rows.ndim == 2:
                found.setdefault(own_format(item), (path, []))[1].append(rows[:, :4].astype(np.float64))
    for own_name, (path, boxes) in found.items():
        check_scale(np.concatenate(boxes), rules, canvases, path, own_name)


def own_format(item: Any) -> str | None:
    """The format of boxes that their type says, all of them in pixels."""
    form = getattr(item, "format", None) if is_typed(item) else None
    return None if form is None else str(form.name)


def _are_within(numbers: NDArray[Any]) -> bool:
    """Whether there are boxes, and none has a negative number; rows without a positive one are padding."""
    positive = (numbers > 0).any(axis=1)
    return bool(positive.any()) and bool((numbers[positive] >= 0).all())


def _are_whole(numbers: NDArray[Any]) -> bool:
    return bool((numbers == np.rint(numbers)).all())


def _fractions(path: Path, own: str | None, habit: str | None) -> InputError:
    wanted = "pixels" if habit else "the format, since without one they are corners in pixels"
    if own:
        fix = "Multiply them by the canvas size, x and widths by its width, y and heights by its height, or say "
        fix += "boxes=BoxRules(format='xyxy') where they are pixels after all."
    elif habit:
        fix = "Say format='albumentations' (corners) or 'yolo' (centers) in bbox_params, or "
        fix += f"boxes=BoxRules(format={_OF_HOST[habit]!r}) of the mix where they are pixels after all."
    else:
        fix = "Say boxes=BoxRules(format='normalized_xyxy') or 'normalized_cxcywh' (which 'yolo' is, too), or "
        fix += "boxes=BoxRules(format='xyxy') where they are pixels after all."
    return InputError(
        "Boxes that look like fractions of the image",
        where=spell(path),
        got="all numbers within [0, 1], and " + (f"the format {habit}, which is in pixels" if habit else "no format"),
        wanted=wanted,
        fix=fix,
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
