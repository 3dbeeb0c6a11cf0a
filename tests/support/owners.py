"""Whose pixel every pixel of a mixed sample is, painted one pixel after the other; and plans to try that on."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from math import floor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixtransforms.plan import BatchSpec, Boxes, Layer, Mask, Plan

Owners = NDArray[np.int64]
Span = tuple[int, int]


def owners(plan: Plan, row: int) -> Owners:
    """``(H, W, 3)``: who painted a pixel (0 the sample, ``k + 1`` the k-th layer on it), and its own ``y, x``."""
    height, width = plan.spec.shape
    out = np.zeros((height, width, 3), np.int64)
    out[..., 1], out[..., 2] = np.mgrid[:height, :width]
    number = 0
    for layer in plan.layers:
        for index in np.flatnonzero(layer.rows == row):
            number += 1
            crop, frame = moves(layer, index, plan.spec.shape)
            for y, x in product(range(height), range(width)):
                if layer.opacity[index] and covers(layer, index, y, x):
                    flips = (False, False) if layer.flip is None else layer.flip[index].tolist()
                    where = [source(at, *both) for at, *both in zip((y, x), crop, frame, strict=True)]
                    where = [
                        sum(ends) - 1 - at if flip else at for at, ends, flip in zip(where, crop, flips, strict=True)
                    ]
                    out[y, x] = (number, *where)
    return out


def whose(plan: Plan) -> Owners:
    """``(B, *shape)``: who is seen at every place, painted on samples that are their own number; of pastes alone."""
    rank = len(plan.spec.shape)
    samples = np.broadcast_to(np.arange(plan.size).reshape(-1, *[1] * rank), (plan.size, *plan.spec.shape))
    return np.asarray(plan.apply(samples.copy(), {1: "BT", 2: "BHW", 3: "BDHW"}[rank]))


def moves(layer: Layer, index: int, shape: tuple[int, ...]) -> tuple[list[Span], list[Span]]:
    """The box of the source and the box of the sample that it is fitted into, a ``(start, stop)`` an axis."""
    whole = [(0, length) for length in shape]
    if layer.crop is None:
        return whole, whole
    frame = layer.region if layer.into is None else layer.into
    return _spans(layer.crop, index), _spans(frame, index) if isinstance(frame, Boxes) else whole


def _spans(boxes: Boxes, index: int) -> list[Span]:
    return list(zip(boxes.start[index].tolist(), boxes.stop[index].tolist(), strict=True))


def covers(layer: Layer, index: int, y: int, x: int) -> bool:
    """Whether a pixel is inside the layer's region."""
    if isinstance(layer.region, Mask):
        return bool(layer.region.values[index, y, x])
    if isinstance(layer.region, Boxes):
        (top, bottom), (left, right) = _spans(layer.region, index)
        return top <= y < bottom and left <= x < right
    return True


def source(pixel: int, crop: Span, frame: Span) -> int:
    """The nearest pixel of the crop to the middle of a pixel of the frame."""
    middle = (pixel - frame[0] + Fraction(1, 2)) * Fraction(crop[1] - crop[0], frame[1] - frame[0])
    return crop[0] + floor(middle)


def target(at: float, crop: Span, frame: Span) -> Fraction:
    """Where a coordinate of the source is in the sample, exactly."""
    return (Fraction(at) - crop[0]) * Fraction(frame[1] - frame[0], crop[1] - crop[0]) + frame[0]


def parts(plan: Plan, row: int) -> Iterator[tuple[int, Any]]:
    """What is seen of whom, each with the number it has in :func:`owners`."""
    numbers = np.unique(owners(plan, row)[..., 0]).tolist()
    yield from zip(numbers, plan.contributions(row), strict=True)


def layer_of(plan: Plan, number: int) -> Layer:
    """The layer that has a number in :func:`owners`; every layer of :func:`pastes` has one row."""
    return plan.layers[number - 1]


def pastes(rng: np.random.Generator, shape: tuple[int, int] = (8, 6), kinds: str = "bmnr") -> Plan:
    """One to three layers of copies on sample 0.

    Args:
        rng: Drawn from.
        shape: Height and width.
        kinds: What layers may be: ``b`` a box, ``m`` a mask, ``n`` a box moved, ``r`` a box resized, ``w`` the whole
            sample from a crop, ``s`` a mask from a crop.
    """
    layers = [_paste(rng, shape, rng.choice(list(kinds)), 1 + number) for number in range(rng.integers(1, 4))]
    return Plan(BatchSpec(4, shape), tuple(layers))


def _paste(rng: np.random.Generator, shape: tuple[int, int], kind: str, other: int) -> Layer:
    rows, box = np.array([0]), random_box(rng, shape)
    region = Mask(rng.random((1, *shape)) < rng.random()) if kind in "ms" else None if kind == "w" else box
    crop = None
    if kind in "rws":
        crop = random_box(rng, shape)
    elif kind == "n":
        start = rng.integers(0, np.array(shape) - box.sides + 1)
        crop = Boxes(start, start + box.sides)
    return Layer(rows, np.array([other]), np.array([1.0]), region, crop)


def random_box(rng: np.random.Generator, shape: tuple[int, int]) -> Boxes:
    """A box of at least one pixel."""
    start = np.array([[rng.integers(0, length) for length in shape]])
    return Boxes(start, rng.integers(start + 1, np.array(shape) + 1))
