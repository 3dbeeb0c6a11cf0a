"""What every source contributes to every sample, measured by compositing the layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core.layers import BoolArray, Boxes, FloatArray, IntArray, Layer, Mask, cells


class Contribution(NamedTuple):
    """What one source shows in one sample of the result.

    Attributes:
        row: The sample of the result.
        source: The sample that it comes from.
        edges: For every mixed axis, where it is cut into intervals: ascending, from 0 to the length of the axis.
        weight: Weight of the source on the cells between the edges, one axis a mixed axis, within ``[0, 1]``.
        crop: Start and stop ``(d,)`` of the box of the source that is shown; the whole of it where nothing is moved.
        frame: Start and stop ``(d,)`` of the box of the result that it is moved into, and resized where sides differ.
    """

    row: int
    source: int
    edges: tuple[IntArray, ...]
    weight: FloatArray
    crop: tuple[IntArray, IntArray]
    frame: tuple[IntArray, IntArray]

    @property
    def moved(self) -> bool:
        """Whether the source is shown at another place than its own."""
        return not all(np.array_equal(a, b) for a, b in zip(self.crop, self.frame, strict=True))


class Contributions(NamedTuple):
    """What several sources show in several samples: one entry a pair of both, along the last axis of every array.

    Attributes:
        row: The samples of the result, ``(n,)``.
        source: The samples that they come from, ``(n,)``.
        edges: For every mixed axis where it is cut, ``(cuts, n)``. Of samples that are cut less often than others the
            last cuts are all at the end of the axis.
        weight: Weights on the cells between the edges, ``(..., n)``; 0 on cells without volume.
        crop: Start and stop, ``(d, n)``, or ``(d, 1)`` where nothing at all is moved.
        frame: Start and stop, alike.
        moved: Which are shown at another place than their own, ``(n,)``.
    """

    row: IntArray
    source: IntArray
    edges: tuple[IntArray, ...]
    weight: FloatArray
    crop: tuple[IntArray, IntArray]
    frame: tuple[IntArray, IntArray]
    moved: BoolArray

    @property
    def own(self) -> BoolArray:
        """Which are the sample itself, at its own place, ``(n,)``."""
        return np.asarray((self.row == self.source) & ~self.moved)

    @property
    def filled(self) -> BoolArray:
        """Cells that have a volume, ``(..., n)``."""
        return np.moveaxis(_product([cuts[1:] > cuts[:-1] for cuts in self.edges], len(self.moved)), 0, -1)

    def take(self, index: IntArray) -> Contributions:
        """Some of them, in any order and as often as wanted."""
        return Contributions(
            row=self.row[index],
            source=self.source[index],
            edges=tuple(cuts.take(index, axis=1) for cuts in self.edges),
            weight=self.weight.take(index, axis=-1),
            crop=_taken(self.crop, index),
            frame=_taken(self.frame, index),
            moved=self.moved[index],
        )

    def apart(self) -> Iterator[Contribution]:
        """One after the other, each on a grid of its own."""
        counts = [(cuts < cuts[-1]).sum(axis=0).tolist() for cuts in self.edges]
        for number, (row, source) in enumerate(zip(self.row.tolist(), self.source.tolist(), strict=True)):
            sides: list[Any] = [slice(count[number]) for count in counts]
            edges = tuple(cuts[: side.stop + 1, number] for cuts, side in zip(self.edges, sides, strict=True))
            at = number if self.crop[0].shape[1] > 1 else 0
            crop, frame = ((start[:, at], stop[:, at]) for start, stop in (self.crop, self.frame))
            yield Contribution(row, source, edges, self.weight[(*sides, number)], crop, frame)


def side_by_side(part: Contribution | Contributions) -> Contributions:
    """A single contribution as one that broadcasts against any number of objects; several as they are."""
    if isinstance(part, Contributions):
        return part
    crop, frame = ((start[:, None], stop[:, None]) for start, stop in (part.crop, part.frame))
    edges = tuple(cuts[:, None] for cuts in part.edges)
    row, source = (np.array([number], np.int64) for number in (part.row, part.source))
    return Contributions(row, source, edges, part.weight[..., None], crop, frame, np.array([part.moved]))


def contributions(row: int, shape: tuple[int, ...], layers: Sequence[Layer]) -> tuple[Contribution, ...]:
    """What is seen in one sample: the base sample first, then the layers in painting order; nothing that is hidden."""
    return tuple(_contributions(np.array([row]), shape, layers).apart())


def all_contributions(size: int, shape: tuple[int, ...], layers: Sequence[Layer]) -> Iterator[Contributions]:
    """What is seen in every sample, in the order of :func:`contributions`.

    Masks cut a sample into its pixels: samples that are painted through one come alone, after all others together.
    """
    masked = np.zeros(size, np.bool_)
    for layer in layers:
        masked[layer.rows] |= isinstance(layer.region, Mask)
    if not size or not masked.all():
        yield _contributions(np.flatnonzero(~masked), shape, layers)
    for row in np.flatnonzero(masked):
        yield _contributions(np.array([row]), shape, layers)


class _Coats(NamedTuple):
    """What is painted on some samples: coat by coat, the sample itself first; ``K`` coats and ``R`` samples.

    Attributes:
        source: The samples painted, ``(K, R)``; -1 where a sample has fewer coats.
        opacity: ``(K, R)``; 0 where a sample has fewer coats.
        box: Start and stop of where they are painted, ``(K, R, 2, d)``.
        crop: Start and stop of what is moved, alike; the whole sample where nothing is.
        frame: Start and stop of where it is moved, alike.
        masks: Where else than in boxes a single sample is painted, by coat.
    """

    source: IntArray
    opacity: FloatArray
    box: IntArray
    crop: IntArray
    frame: IntArray
    masks: Mapping[int, NDArray[Any]]


def _contributions(rows: IntArray, shape: tuple[int, ...], layers: Sequence[Layer]) -> Contributions:
    """What is seen in some samples, ascending; where one of them is painted through a mask, it must be the only one."""
    coats = _coats(rows, shape, layers)
    edges, weight = _composited(shape, coats)
    moved = (coats.crop != coats.frame).any(axis=(2, 3))
    # What is moved has a name of its own, which no sample has and which is not that of a missing coat.
    _unite(weight, np.where(moved, -2 - np.arange(len(moved))[:, None], coats.source))
    row, coat = np.nonzero((weight.max(axis=tuple(range(2, weight.ndim)), initial=0.0) > 0).T)
    at = (coat, row) if moved.any() else (0, slice(1))
    seen = weight[:, 0] if weight.shape[:2] == (len(row), 1) else weight[coat, row]  # masks are not copied
    return Contributions(
        row=rows[row],
        source=coats.source[coat, row],
        edges=tuple(cuts.take(row, axis=1) for cuts in edges),
        weight=np.moveaxis(seen, 0, -1),
        crop=_ends(coats.crop[at]),
        frame=_ends(coats.frame[at]),
        moved=moved[coat, row],
    )


def _coats(rows: IntArray, shape: tuple[int, ...], layers: Sequence[Layer]) -> _Coats:
    """The samples themselves, and what layers paint on them in painting order."""
    found = []
    number = np.zeros(len(rows), np.int64)
    for layer in layers:
        place = np.searchsorted(rows, layer.rows)
        index = np.flatnonzero(rows.take(place, mode="clip") == layer.rows)
        number[place[index]] += 1
        found.append((layer, index, place[index], number[place[index]]))
    size = (1 + int(number.max(initial=0)), len(rows))
    whole = np.broadcast_to(np.array([(0,) * len(shape), shape], np.int64), (*size, 2, len(shape)))
    masks: dict[int, NDArray[Any]] = {}
    coats = _Coats(np.full(size, -1), np.zeros(size), whole.copy(), whole.copy(), whole.copy(), masks)
    coats.source[0], coats.opacity[0] = rows, 1.0
    for layer, index, row, coat in found:
        coats.source[coat, row], coats.opacity[coat, row] = layer.source[index], layer.opacity[index]
        if isinstance(layer.region, Boxes):
            coats.box[coat, row] = _both(layer.region)[index]
        elif isinstance(layer.region, Mask):
            masks.update(zip(coat.tolist(), layer.region.values[index], strict=True))
        if layer.crop is not None:
            crop, frame = _both(layer.crop)[index], _both(layer.frame(shape))[index]
            moved = (crop != frame).any(axis=(1, 2))
            coats.crop[coat[moved], row[moved]], coats.frame[coat[moved], row[moved]] = crop[moved], frame[moved]
    return coats


def _taken(ends: tuple[IntArray, IntArray], index: IntArray) -> tuple[IntArray, IntArray]:
    """Some columns of start and stop; both themselves where there is one column for all."""
    start, stop = ends
    return ends if start.shape[1] == 1 else (start.take(index, axis=1), stop.take(index, axis=1))


def _both(boxes: Boxes) -> IntArray:
    """Start and stop of boxes, ``(n, 2, d)``."""
    return np.stack([boxes.start, boxes.stop], axis=1)


def _ends(boxes: IntArray) -> tuple[IntArray, IntArray]:
    """Start and stop ``(d, n)`` of boxes ``(n, 2, d)``."""
    return boxes[:, 0].T, boxes[:, 1].T


def _unite(weights: FloatArray, names: IntArray) -> None:
    """Adds weights ``(K, R, ...)`` of one name to the first of it: a sample painted on itself is seen once."""
    for later in range(1, len(weights)):
        for former in range(later):
            same = names[former] == names[later]
            if same.any():
                weights[former][same] += weights[later][same]
                weights[later][same] = 0.0


def measure(size: int, shape: tuple[int, ...], layers: Sequence[Layer]) -> tuple[IntArray, FloatArray]:
    """Sources and shares by compositing the layers in painting order."""
    coats = np.bincount(np.concatenate([layer.rows for layer in layers]), minlength=size) if layers else np.zeros(1)
    columns = 1 + int(coats.max(initial=0))
    sources = np.empty((size, columns), np.int64)
    sources[...] = np.arange(size)[:, None]
    share = np.zeros((size, columns), np.float64)
    share[:, 0] = 1.0
    touched: dict[int, list[tuple[Layer, int]]] = {}
    for layer in layers:
        rows, source, weight = layer.rows, layer.source, layer.coverage(shape)
        if columns > 2:
            single = coats[layer.rows] == 1
            for index in np.flatnonzero(~single).tolist():
                touched.setdefault(int(layer.rows[index]), []).append((layer, index))
            rows, source, weight = rows[single], source[single], weight[single]
        sources[rows, 1] = source
        share[rows, 1] = weight
        share[rows, 0] = 1.0 - weight
    for row, painted in touched.items():
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
    """Edges, and the weights of one sample and of the layers on it between them."""
    layer, index = painted[0]
    coats = _coats(layer.rows[index : index + 1], shape, [layer for layer, _ in painted])
    edges, weights = _composited(shape, coats)
    return tuple(cuts[:, 0] for cuts in edges), list(weights[:, 0])


def _composited(shape: tuple[int, ...], coats: _Coats) -> tuple[tuple[IntArray, ...], FloatArray]:
    """Edges ``(cuts, R)``, and the weights of coats between them, ``(K, R, ...)``, where later ones hide earlier ones.

    Boxes cut every axis into a few intervals; compositing on those is exact and needs no pixels. Masks need them all.
    """
    edges = tuple(_edges(length, coats.box[..., axis], bool(coats.masks)) for axis, length in enumerate(shape))
    weights = np.empty((*coats.opacity.shape, *(len(cuts) - 1 for cuts in edges)))
    column = (-1, *(1,) * len(shape))
    for coat, (opacity, boxes) in enumerate(zip(coats.opacity, coats.box, strict=True)):
        mask = coats.masks.get(coat)
        np.multiply(opacity.reshape(column), _inside(edges, boxes) if mask is None else mask, out=weights[coat])
        weights[:coat] *= 1.0 - weights[coat]
    return edges, weights


def _edges(length: int, boxes: IntArray, pixels: bool) -> IntArray:
    """Where an axis is cut by boxes ``(K, R, 2)``, ``(cuts, R)``; the last ones repeat where others have more."""
    if pixels:
        return np.arange(length + 1)[:, None]
    cuts = np.sort(np.moveaxis(boxes, 1, 2).reshape(2 * len(boxes), boxes.shape[1]), axis=0)
    cuts[1:][cuts[1:] == cuts[:-1]] = length
    cuts.sort(axis=0)
    return np.asarray(cuts[: 1 + int((cuts < length).sum(axis=0).max(initial=0))])


def _inside(edges: Sequence[IntArray], boxes: IntArray) -> BoolArray:
    """Cells with a volume that lie in boxes ``(R, 2, d)``, ``(R, ...)``."""
    sides = [
        (cuts[1:] > cuts[:-1]) & (cuts[:-1] >= boxes[:, 0, axis]) & (cuts[1:] <= boxes[:, 1, axis])
        for axis, cuts in enumerate(edges)
    ]
    return _product(sides, len(boxes))


def _product(sides: Sequence[BoolArray], count: int) -> BoolArray:
    """Cells ``(count, ...)`` that are inside on every axis, ``(intervals, count)`` each."""
    result = np.ones(count, np.bool_)
    for axis, side in enumerate(sides):
        result = result[..., None] & side.T.reshape(side.shape[1], *(1,) * axis, side.shape[0])
    return result
