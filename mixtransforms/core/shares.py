"""What every source contributes to every sample, measured by compositing the layers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from mixtransforms.core.layers import FloatArray, IntArray, Layer, Mask, cells


class Contribution(NamedTuple):
    """What one source shows in one sample of the result.

    Attributes:
        source: The sample it comes from.
        edges: For every mixed axis, where it is cut into intervals: ascending, from 0 to the length of the axis.
        weight: Weight of the source on the cells between the edges, one axis a mixed axis, within ``[0, 1]``.
        crop: Start and stop ``(d,)`` of the box of the source that is shown; the whole of it where nothing is moved.
        frame: Start and stop ``(d,)`` of the box of the result that it is moved into, and resized where sides differ.
    """

    source: int
    edges: tuple[IntArray, ...]
    weight: FloatArray
    crop: tuple[IntArray, IntArray]
    frame: tuple[IntArray, IntArray]

    @property
    def moved(self) -> bool:
        """Whether the source is shown at another place than its own."""
        return not all(np.array_equal(a, b) for a, b in zip(self.crop, self.frame, strict=True))


def contributions(row: int, shape: tuple[int, ...], layers: Sequence[Layer]) -> tuple[Contribution, ...]:
    """What is seen in one sample: the base sample first, then the layers in painting order; nothing that is hidden."""
    painted = [(layer, int(index)) for layer in layers for index in np.flatnonzero(layer.rows == row)]
    edges, weights = _weights(shape, painted)
    whole = (np.zeros(len(shape), np.int64), np.asarray(shape, np.int64))
    seen = [Contribution(row, edges, weights[0], whole, whole)]
    for (layer, index), weight in zip(painted, weights[1:], strict=True):
        frame = crop = whole
        if layer.crop is not None:
            box = layer.frame(shape)
            frame = (box.start[index], box.stop[index])
            crop = (layer.crop.start[index], layer.crop.stop[index])
        seen.append(Contribution(int(layer.source[index]), edges, weight, crop, frame))
    return tuple(part for part in _together(seen) if (part.weight > 0).any())


def _together(parts: Sequence[Contribution]) -> list[Contribution]:
    """Unmoved parts of one source as one: a sample painted on itself is still seen once."""
    joined: dict[object, Contribution] = {}
    for number, part in enumerate(parts):
        name = number if part.moved else f"source {part.source}"
        former = joined.get(name)
        joined[name] = part if former is None else part._replace(weight=former.weight + part.weight)
    return list(joined.values())


def measure(size: int, shape: tuple[int, ...], layers: Sequence[Layer]) -> tuple[IntArray, FloatArray]:
    """Sources and shares by compositing the layers in painting order."""
    touched: list[list[tuple[Layer, int]]] = [[] for _ in range(size)]
    coats = np.zeros(size, np.int64)
    for layer in layers:
        coats[layer.rows] += 1
    columns = 1 + int(coats.max(initial=0))
    sources = np.tile(np.arange(size)[:, None], (1, columns))
    share = np.zeros((size, columns), np.float64)
    share[:, 0] = 1.0
    for layer in layers:
        single = coats[layer.rows] == 1
        rows = layer.rows[single]
        sources[rows, 1] = layer.source[single]
        share[rows, 1] = layer.coverage(shape)[single]
        share[rows, 0] = 1.0 - share[rows, 1]
        for index in np.flatnonzero(~single).tolist():
            touched[int(layer.rows[index])].append((layer, index))
    for row, painted in enumerate(touched):
        if painted:
            measured = _composite(shape, painted)
            sources[row, 1 : len(painted) + 1] = [int(layer.source[index]) for layer, index in painted]
            share[row, : len(measured)] = measured
    sources.flags.writeable = share.flags.writeable = False
    return sources, share


def _composite(shape: tuple[int, ...], painted: Sequence[tuple[Layer, int]]) -> FloatArray:
    """Shares of the base and of every layer on one sample."""
    edges, weights = _weights(shape, painted)
    volume = np.ones((1,) * len(shape))
    for axis, cut in enumerate(edges):
        volume = volume * np.diff(cut).reshape(tuple(-1 if a == axis else 1 for a in range(len(shape))))
    shares = np.array([float((weight * volume).sum()) for weight in weights]) / cells(shape)
    # What is left over, so that rows sum to 1; rounding must not leave a trace of a sample that is wholly hidden.
    shares[0] = max(0.0, 1.0 - shares[1:].sum()) if (weights[0] > 0).any() else 0.0
    return shares


def _weights(
    shape: tuple[int, ...], painted: Sequence[tuple[Layer, int]]
) -> tuple[tuple[IntArray, ...], list[FloatArray]]:
    """Edges, and the weights of the base and of every layer between them, where later layers hide earlier ones.

    Boxes cut every axis into a few intervals; compositing on those is exact and needs no pixels. Masks need them all.
    """
    edges = tuple(_edges(axis, length, painted) for axis, length in enumerate(shape))
    weights = [np.ones(tuple(len(cut) - 1 for cut in edges))]
    for layer, index in painted:
        field = _field_on(edges, layer, index)
        weights = [weight * (1.0 - field) for weight in weights]
        weights.append(field)
    return edges, weights


def _edges(axis: int, length: int, painted: Iterable[tuple[Layer, int]]) -> IntArray:
    cuts = {0, length}
    for layer, index in painted:
        if isinstance(layer.region, Mask):
            return np.arange(length + 1)
        if layer.region is not None:
            cuts |= {int(layer.region.start[index, axis]), int(layer.region.stop[index, axis])}
    return np.array(sorted(cuts))


def _field_on(edges: Sequence[IntArray], layer: Layer, index: int) -> FloatArray:
    """The layer's weight on the cells between ``edges``."""
    opacity = float(layer.opacity[index])
    if isinstance(layer.region, Mask):
        return np.asarray(opacity * layer.region.values[index])
    field = np.full(tuple(len(cut) - 1 for cut in edges), opacity)
    if layer.region is not None:
        for axis, cut in enumerate(edges):
            inside = (cut[:-1] >= layer.region.start[index, axis]) & (cut[1:] <= layer.region.stop[index, axis])
            field = field * inside.reshape(tuple(-1 if a == axis else 1 for a in range(len(edges))))
    return field
