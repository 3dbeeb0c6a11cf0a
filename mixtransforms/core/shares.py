"""What share of every sample comes from which source, measured by compositing the layers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from mixtransforms.core.layers import FloatArray, IntArray, Layer, Mask, cells


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
    """Shares of the base and of every layer on one sample, where later layers hide earlier ones.

    Boxes cut every axis into a few intervals; compositing on those is exact and needs no pixels. Masks need them all.
    """
    edges = [_edges(axis, length, painted) for axis, length in enumerate(shape)]
    volume = np.ones((1,) * len(shape))
    for axis, cut in enumerate(edges):
        volume = volume * np.diff(cut).reshape(tuple(-1 if a == axis else 1 for a in range(len(shape))))
    weights = [np.ones(volume.shape)]
    for layer, index in painted:
        field = _field_on(edges, layer, index)
        weights = [weight * (1.0 - field) for weight in weights]
        weights.append(field)
    shares = np.array([float((weight * volume).sum()) for weight in weights]) / cells(shape)
    shares[0] = max(0.0, 1.0 - shares[1:].sum())
    return shares


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
