"""What results must be, worked out the slow and obvious way: no code of the package computes anything here."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise, product
from math import floor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixtransforms import Boxes, Layer, Mask, Plan

Values = NDArray[np.float64]


def provenance(size: int, shape: Sequence[int]) -> Values:
    """Images ``(B, H, W, B)``: sample ``i`` is 1 in channel ``i``, so that a mixed pixel lists its sources' shares."""
    return np.broadcast_to(np.eye(size)[:, None, None, :], (size, *shape, size)).copy()


def positions(size: int, shape: Sequence[int], channels: int = 1) -> Values:
    """Images ``(B, H, W, C)`` whose values say where they come from: ``sample * H * W + pixel``."""
    cells = int(np.prod(shape))
    values = np.arange(size * cells, dtype=np.float64).reshape(size, *shape, 1)
    return np.repeat(values, channels, axis=-1)


def paint(plan: Plan, images: Values) -> Values:
    """The plan painted on images ``(B, H, W, C)``, one pixel after the other."""
    out = images.copy()
    height, width = plan.spec.shape
    for layer in plan.layers:
        for index, (row, source, opacity) in enumerate(zip(layer.rows, layer.source, layer.opacity, strict=True)):
            moved = images[source] if layer.crop is None else _fitted(images[source], layer, index)
            for y, x in product(range(height), range(width)):
                weight = opacity * _inside(layer, index, y, x)
                if weight == 1:
                    out[row, y, x] = moved[y, x]
                elif weight > 0:
                    out[row, y, x] = (1 - weight) * out[row, y, x] + weight * moved[y, x]
    return out


def shares(plan: Plan) -> Values:
    """Who contributes how much to whom, ``(B, B)``: result by source, averaged over every pixel."""
    return paint(plan, provenance(plan.size, plan.spec.shape)).mean(axis=(1, 2))


def composited(plan: Plan) -> Values:
    """The shares of every sample and of the layers on it, ``(B, S)``: one sample after the other, on its own cuts."""
    counts = [sum(int((layer.rows == row).sum()) for layer in plan.layers) for row in range(plan.size)]
    result = np.zeros((plan.size, 1 + max(counts, default=0)))
    for row in range(plan.size):
        painted = [(layer, int(n)) for layer in plan.layers for n in np.flatnonzero(layer.rows == row)]
        edges = [_cuts(painted, axis, length) for axis, length in enumerate(plan.spec.shape)]
        weights = [np.ones([len(cuts) - 1 for cuts in edges])]
        for layer, n in painted:
            field = _field(layer, n, edges)
            weights = [*(weight * (1.0 - field) for weight in weights), field]
        volume: Values = np.ones(())
        for cuts in edges:
            volume = np.multiply.outer(volume, np.diff(cuts))
        shares = np.array([(weight * volume).sum() for weight in weights]) / volume.sum()
        shares[0] = max(0.0, 1.0 - shares[1:].sum()) if (weights[0] > 0).any() else 0.0
        result[row, : len(shares)] = shares
    return result


def _cuts(painted: Sequence[tuple[Layer, int]], axis: int, length: int) -> Values:
    """Where an axis is cut by boxes; masks cut it everywhere."""
    cuts = {0, length}
    for layer, n in painted:
        if isinstance(layer.region, Mask):
            return np.arange(length + 1)
        if layer.region is not None:
            cuts |= {int(layer.region.start[n, axis]), int(layer.region.stop[n, axis])}
    return np.array(sorted(cuts))


def _field(layer: Layer, n: int, edges: Sequence[Values]) -> Values:
    """Weight of what one layer paints on one sample, between the cuts."""
    if isinstance(layer.region, Mask):
        return layer.opacity[n] * layer.region.values[n]
    field: Values = layer.opacity[n].copy()
    for axis, cuts in enumerate(edges):
        start, stop = (
            (0, cuts[-1]) if layer.region is None else (layer.region.start[n, axis], layer.region.stop[n, axis])
        )
        field = np.multiply.outer(field, (cuts[:-1] >= start) & (cuts[1:] <= stop))
    return field


def measured(plan: Plan, share: Values | None = None) -> Values:
    """The plan's own shares (or another table beside its sources) in the form of :func:`shares`."""
    matrix = np.zeros((plan.size, plan.size))
    rows = np.broadcast_to(np.arange(plan.size)[:, None], plan.sources.shape)
    np.add.at(matrix, (rows, plan.sources), plan.share if share is None else share)
    return matrix


def copies_only(plan: Plan) -> bool:
    """Whether every pixel of the result is somebody's pixel, moved or not, and nothing is computed."""
    return all(_copies(layer) for layer in plan.layers)


def _copies(layer: Layer) -> bool:
    if not set(layer.opacity.tolist()) <= {0.0, 1.0}:
        return False
    if isinstance(layer.region, Mask) and layer.region.values.dtype != bool:
        return False
    if layer.crop is None:
        return True
    frame = layer.region if layer.into is None else layer.into
    return isinstance(frame, Boxes) and np.array_equal(layer.crop.stop - layer.crop.start, frame.stop - frame.start)


def _inside(layer: Layer, index: int, y: int, x: int) -> float:
    if layer.region is None:
        return 1.0
    if isinstance(layer.region, Mask):
        return float(layer.region.values[index, y, x])
    (top, left), (bottom, right) = layer.region.start[index], layer.region.stop[index]
    return float(top <= y < bottom and left <= x < right)


def _fitted(image: Values, layer: Layer, index: int) -> Values:
    """The source with its crop moved or resized into the layer's frame; NaN where nothing may be taken from."""
    out = np.full_like(image, np.nan)
    frame = [(0, length) for length in image.shape[:2]]
    box = layer.region if layer.into is None else layer.into
    if isinstance(box, Boxes):
        frame = list(zip(box.start[index].tolist(), box.stop[index].tolist(), strict=True))
    crop = list(zip(layer.crop.start[index].tolist(), layer.crop.stop[index].tolist(), strict=True))
    (top, bottom), (left, right) = frame
    (crop_top, crop_bottom), (crop_left, crop_right) = crop
    if top < bottom and left < right:
        shown = image[crop_top:crop_bottom, crop_left:crop_right]
        for axis in (0, 1):
            if layer.flip is not None and layer.flip[index, axis]:
                shown = np.array([*shown][::-1]) if axis == 0 else np.array([[*row][::-1] for row in shown])
        out[top:bottom, left:right] = resize(shown, bottom - top, right - left)
    return out


def resize(image: Values, height: int, width: int) -> Values:
    """Bilinear resize with antialiasing of ``(H, W, C)``: every output pixel is a triangle-weighted mean."""
    if image.shape[:2] == (height, width):
        return image
    down = np.array([_triangle(image.shape[0], height, y) for y in range(height)])
    across = np.array([_triangle(image.shape[1], width, x) for x in range(width)])
    return np.einsum("yi,xj,ijc->yxc", down, across, image, optimize=True)


def nearest(image: NDArray[Any], sides: Sequence[int]) -> NDArray[Any]:
    """A picture of any dtype in other sides, of copies of its nearest cells: counted with fractions."""
    cells = [
        [floor((Fraction(k) + Fraction(1, 2)) * length / count) for k in range(count)]
        for length, count in zip(image.shape, sides, strict=False)
    ]
    return image[np.ix_(*(np.array(own, int) for own in cells))]


def _triangle(source: int, target: int, index: int) -> list[float]:
    scale = source / target
    reach = max(1.0, scale)
    centre = (index + 0.5) * scale
    weights = [max(0.0, 1.0 - abs(cell + 0.5 - centre) / reach) for cell in range(source)]
    return [weight / sum(weights) for weight in weights]


def ulp(first: Any, second: Any, dtype: str) -> Values:
    """One unit in the last place of ``max(|a|, |b|)``, for every element."""
    largest = np.maximum(np.abs(first), np.abs(second)).astype(np.float64)
    mantissa = {"float16": 10, "bfloat16": 7, "float32": 23, "float64": 52}[dtype]
    lowest = {"float16": -14, "bfloat16": -126, "float32": -126, "float64": -1022}[dtype]
    exponent = np.maximum(np.floor(np.log2(np.maximum(largest, 2.0**lowest))), lowest)
    return 2.0 ** (exponent - mantissa)


def expected_area(
    placement: str, shape: tuple[int, int], alpha: float, minmax: tuple[float, float] = (0.0, 1.0)
) -> float:
    """The exact mean share of the pasted box: the sum over all whole sides and positions, weighted by the Beta law."""
    from scipy import stats

    if placement == "minmax":
        sides = [_minmax_sides(length, minmax) for length in shape]
        return float(np.prod([np.mean(side) / length for side, length in zip(sides, shape, strict=True)]))
    # Sides change where the side fraction r = sqrt(1 - weight) passes a multiple of 1/H or 1/W.
    cuts = sorted({step / length for length in shape for step in range(length + 1)})
    law = stats.beta(alpha, alpha)
    total = 0.0
    for low, high in pairwise(cuts):
        chance = law.cdf(1 - low**2) - law.cdf(1 - high**2)
        middle = (low + high) / 2
        total += chance * np.prod([_mean_side(placement, n, int(middle * n)) / n for n in shape])
    return float(total)


def _minmax_sides(length: int, minmax: tuple[float, float]) -> range:
    return range(int(minmax[0] * length), int(minmax[1] * length) + 1)


def _mean_side(placement: str, length: int, side: int) -> float:
    """The mean visible side over every position that a placement allows, by counting."""
    if placement == "inside":
        starts = range(length - side + 1)
    elif placement == "clip":  # the centre on any pixel
        starts = range(-(side // 2), length - side // 2)
    else:  # the centre as far outside as the box still touches the sample
        starts = range(-side, length)
    return float(np.mean([max(0, min(start + side, length) - max(start, 0)) for start in starts]))
