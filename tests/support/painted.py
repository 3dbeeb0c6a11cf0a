"""What becomes of boxes, found by painting them: pixels are counted, no geometry is computed."""

import numpy as np
from numpy.typing import NDArray

from mixtransforms.plan import BatchSpec, Boxes, Layer, Mask, Plan

Values = NDArray[np.float64]
Pixels = NDArray[np.bool_]


def random_boxes(rng: np.random.Generator, count: int, shape: tuple[int, int], beyond: int = 0) -> Values:
    """Boxes of whole pixels, ``(N, 4)``; ``beyond`` is how far they may reach over the canvas."""
    ends = [rng.integers(-beyond, length + beyond, (count, 2)) for length in reversed(shape)]
    start, stop = (np.stack([pick(end, axis=1) for end in ends], axis=1) for pick in (np.min, np.max))
    return np.concatenate([start, stop + 1], axis=1).astype(np.float64)


def inside(boxes: Values, shape: tuple[int, int]) -> Pixels:
    """One image a box, ``(N, H, W)``, painted where the box is."""
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    left, top, right, bottom = (boxes[:, column, None, None] for column in range(4))
    return (x > left) & (x < right) & (y > top) & (y < bottom)


def bounds(pixels: Pixels) -> Values:
    """The smallest boxes around painted pixels, ``(N, 4)``; NaN where there are none."""
    result = np.full((len(pixels), 4), np.nan)
    for number, image in enumerate(pixels):
        rows, cols = image.any(axis=1).nonzero()[0], image.any(axis=0).nonzero()[0]
        if len(rows):
            result[number] = cols[0], rows[0], cols[-1] + 1, rows[-1] + 1
    return result


def pasted(shape: tuple[int, int], *boxes: tuple[int, int, int, int], opacity: float = 1.0) -> Plan:
    """A plan in which sample 0 is painted by 1, then 2, and so on, each inside its ``x1, y1, x2, y2``."""
    layers = [
        Layer([0], [number], opacity, Boxes([[top, left]], [[bottom, right]]))
        for number, (left, top, right, bottom) in enumerate(boxes, 1)
    ]
    return Plan(BatchSpec(len(boxes) + 1, shape), tuple(layers))


def masked(mask: NDArray, opacity: float = 1.0) -> Plan:
    """A plan in which sample 0 is painted by 1 where the mask is."""
    return Plan(BatchSpec(2, mask.shape), (Layer([0], [1], opacity, Mask(mask[None])),))


def moved(shape: tuple[int, int], crop: tuple[int, int, int, int], frame: tuple[int, int, int, int]) -> Plan:
    """A plan in which the ``crop`` of sample 1 is painted into the ``frame`` of sample 0, both ``x1, y1, x2, y2``."""
    source, target = (Boxes([[y1, x1]], [[y2, x2]]) for x1, y1, x2, y2 in (crop, frame))
    return Plan(BatchSpec(2, shape), (Layer([0], [1], 1.0, target, source),))


def random_window(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """A box of whole pixels inside the canvas."""
    left, top, right, bottom = random_boxes(rng, 1, shape)[0].astype(int).tolist()
    return left, top, right, bottom
