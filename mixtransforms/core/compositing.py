"""What every source contributes to every sample, measured by compositing the layers.

Boxes cut every mixed axis of a sample into a few intervals, on whose cells weights are constant: compositing on those
is exact and needs no pixels. Masks need them all. Samples are worked on together, padded to equally many intervals.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core.layers import BoolArray, Boxes, FloatArray, IntArray, Layer, Mask, cells, everyone

AT_ONCE = 1 << 19
"""Weights that are composited at once to measure shares, 4 MB: fewer are slower, and more cost memory alone."""

_NOBODY = np.zeros(0, np.int64)


@dataclass(frozen=True, eq=False)
class Contributions:
    """What sources show in samples: one entry a pair of both, along the last axis of every array.

    It is a sequence of its entries, each of which is again one of these, on a grid of its own.

    Attributes:
        row: The samples of the result, ``(n,)``.
        source: The samples that they come from, ``(n,)``.
        edges: For every mixed axis where it is cut into intervals, ``(cuts, n)``: ascending, from 0 to the length of
            the axis. Of samples that are cut less often than others the last cuts are all at its end.
        weight: Weights of the sources on the cells between the edges, ``(..., n)`` within ``[0, 1]``; 0 on cells
            without volume.
        crop: Start and stop of the boxes of the sources that are shown, ``(2, d, n)``; the whole of them where nothing
            is moved.
        frame: Start and stop of the boxes of the result that they are moved into, and resized where sides differ.
        moved: Which are shown at another place than their own, ``(n,)``.
        objects: Which objects of the source come along, one entry each, ``None`` for all that are seen; ``None`` where
            all do of all.
        flip: Along which axes crops are mirrored, ``(d, n)``, or ``None`` where none is.
    """

    row: IntArray
    source: IntArray
    edges: tuple[IntArray, ...]
    weight: FloatArray
    crop: IntArray
    frame: IntArray
    moved: BoolArray
    objects: tuple[IntArray | None, ...] | None = None
    flip: BoolArray | None = None

    def __len__(self) -> int:
        return len(self.row)

    def __getitem__(self, entry: int) -> Contributions:
        """One entry, without cells that only others have."""
        one = np.array([range(len(self))[entry]])
        cuts = [1 + int((edges[:, entry] < edges[-1, entry]).sum()) for edges in self.edges]
        weight = self.weight[(*(slice(count - 1) for count in cuts), slice(one[0], one[0] + 1))]  # pixels: no copy
        edges = tuple(edges[:count].take(one, axis=1) for edges, count in zip(self.edges, cuts, strict=True))
        crop, frame = self.crop.take(one, axis=-1), self.frame.take(one, axis=-1)
        objects = None if self.objects is None else (self.objects[one[0]],)
        flip = None if self.flip is None else self.flip.take(one, axis=-1)
        return Contributions(
            self.row[one], self.source[one], edges, weight, crop, frame, self.moved[one], objects, flip
        )

    def __iter__(self) -> Iterator[Contributions]:
        return map(self.__getitem__, range(len(self)))

    @property
    def is_base(self) -> BoolArray:
        """Which are the sample itself, at its own place, ``(n,)``."""
        own = np.asarray((self.row == self.source) & ~self.moved)
        if self.objects is not None:
            own &= np.array([chosen is None for chosen in self.objects], np.bool_)
        return own

    @property
    def filled(self) -> BoolArray:
        """Cells that have a volume, ``(..., n)``."""
        return np.moveaxis(_outer_product([cuts[1:] > cuts[:-1] for cuts in self.edges], len(self)), 0, -1)

    def take(self, index: IntArray) -> Contributions:
        """Some of them, in any order and as often as wanted, on the grid of all."""
        return Contributions(
            row=self.row[index],
            source=self.source[index],
            edges=tuple([cuts.take(index, axis=1) for cuts in self.edges]),
            weight=self.weight.take(index, axis=-1),
            crop=self.crop.take(index, axis=-1),
            frame=self.frame.take(index, axis=-1),
            moved=self.moved[index],
            objects=None if self.objects is None else tuple([self.objects[entry] for entry in index.tolist()]),
            flip=None if self.flip is None else self.flip.take(index, axis=-1),
        )


def contributions(row: int, shape: tuple[int, ...], layers: Sequence[Layer], bare: bool = False) -> Contributions:
    """What is seen in one sample: the base sample first, then the layers in painting order; nothing that is hidden.

    Args:
        row: The sample.
        shape: Lengths of the mixed axes of the result.
        layers: What is painted on it.
        bare: Whether it begins as a canvas, which is nobody's, and not as itself: whatever is seen then has been moved.
    """
    return _contributions(np.array([row]), shape, layers, bare)


def all_contributions(
    size: int, shape: tuple[int, ...], layers: Sequence[Layer], bare: bool = False
) -> Iterator[Contributions]:
    """What is seen in every sample, in the order of :func:`contributions`.

    Masks cut a sample into its pixels: samples that are painted through one come alone, after all others together.
    """
    masked = _masked(size, layers)
    if not size or not masked.all():
        yield _contributions(np.flatnonzero(~masked), shape, layers, bare)
    for row in np.flatnonzero(masked):
        yield _contributions(np.array([row]), shape, layers, bare)


def measure(
    size: int, shape: tuple[int, ...], layers: Sequence[Layer], bare: bool = False
) -> tuple[IntArray, FloatArray]:
    """Sources and shares by compositing the layers in painting order.

    Args:
        size: Number of samples.
        shape: Lengths of the mixed axes of the result.
        layers: What is painted.
        bare: Whether samples begin as a canvas, which is nobody's: sources share what is painted on it. What is painted
            of a sample on itself is then in its first column. Who shows nobody is all itself.

    Returns:
        ``(B, S)`` int64 and float64, read-only: the sample itself, then what is painted on it, layer by layer. Samples
        with fewer layers than others name themselves again, with share 0.
    """
    if len(layers) == 1 and len(layers[0]) and not bare:
        return _measure_one(size, shape, layers[0])
    painted = np.concatenate([*(layer.rows for layer in layers), _NOBODY])
    count = np.bincount(painted, minlength=size)
    columns = 1 + int(count.max(initial=0))
    sources = np.empty((size, columns), np.int64)
    sources[...] = np.arange(size)[:, None]
    share = np.zeros((size, columns), np.float64)
    share[:, 0] = 1.0
    for layer in layers:  # one layer hides what its region covers, and needs no compositing
        rows, source = layer.rows, layer.source
        weight = layer.opacity if layer.region is None else layer.coverage(shape)
        if columns > 2:
            single = count[rows] == 1
            rows, source, weight = rows[single], source[single], weight[single]
        sources[rows, 1] = source
        share[rows, 1] = weight
        share[rows, 0] = 1.0 - weight
    for rows in _alike(count, _masked(size, layers), shape) if columns > 2 else ():
        painting = _painting(rows, shape, layers)
        sources[rows, : len(painting.source)] = painting.source.T
        share[rows, : len(painting.source)] = _shares_of_layers(shape, painting).T
    if bare:
        sources, share = _of_painted(sources, share)
    sources.flags.writeable = share.flags.writeable = False
    return sources, share


def _measure_one(size: int, shape: tuple[int, ...], layer: Layer) -> tuple[IntArray, FloatArray]:
    """Sources and shares of one layer: every sample has at most one partner, and nothing is hidden twice."""
    itself, rows, weight = everyone(size), layer.rows, layer.coverage(shape)
    sources, share = np.empty((size, 2), np.int64), np.empty((size, 2))
    sources[:, 0] = itself
    if rows is itself:  # all in their order, as most methods draw
        sources[:, 1], share[:, 1] = layer.source, weight
        np.subtract(1.0, weight, out=share[:, 0])
    else:
        sources[:, 1], share[...] = itself, (1.0, 0.0)
        sources[rows, 1], share[rows, 1] = layer.source, weight
        share[rows, 0] = 1.0 - weight
    sources.flags.writeable = share.flags.writeable = False
    return sources, share


def _of_painted(sources: IntArray, share: FloatArray) -> tuple[IntArray, FloatArray]:
    """Shares of what is painted on canvases, which had the first column; those of the samples themselves go there."""
    own = sources == np.arange(len(sources))[:, None]
    share[:, 0] = 0.0
    total = share.sum(axis=1, keepdims=True)
    share = np.divide(share, total, out=share, where=total > 0)
    share[:, 0] = np.where(total[:, 0] > 0, np.where(own, share, 0.0).sum(axis=1), 1.0)
    own[:, 0] = False
    share[own] = 0.0
    order = own.argsort(axis=1, kind="stable")[:, : 1 + int((~own[:, 1:]).sum(axis=1).max(initial=0))]
    return np.take_along_axis(sources, order, axis=1), np.take_along_axis(share, order, axis=1)


def columns(layers: Sequence[Layer], bare: bool = False) -> int:
    """How many sources :func:`measure` has columns for, without measuring."""
    rows = (layer.rows[layer.rows != layer.source] if bare else layer.rows for layer in layers)
    painted = np.concatenate([*rows, _NOBODY])
    return 1 + int(np.unique(painted, return_counts=True)[1].max(initial=0))


class _Painting(NamedTuple):
    """What is painted on some samples, layer by layer, the sample itself first; ``K`` layers and ``R`` samples.

    Attributes:
        source: The samples painted, ``(K, R)``; the sample itself where it has fewer layers.
        opacity: ``(K, R)``; 0 where a sample has fewer layers.
        box: Start and stop of where they are painted, ``(K, R, 2, d)``.
        crop: Start and stop of what is moved, alike; the whole sample where nothing is.
        frame: Start and stop of where it is moved, alike.
        masks: Where else than in boxes they are painted: by layer samples ``(n,)`` and their masks ``(n, *shape)``.
        objects: Which objects come along, by layer and sample, where not all do.
        flip: Along which axes sources are mirrored, ``(K, R, d)``.
    """

    source: IntArray
    opacity: FloatArray
    box: IntArray
    crop: IntArray
    frame: IntArray
    masks: Mapping[int, list[tuple[IntArray, NDArray[Any]]]]
    objects: Mapping[tuple[int, int], IntArray]
    flip: BoolArray


def _masked(size: int, layers: Sequence[Layer]) -> BoolArray:
    """Which samples are painted through masks, ``(B,)``."""
    masked = np.zeros(size, np.bool_)
    for layer in layers:
        masked[layer.rows] |= isinstance(layer.region, Mask)
    return masked


def _alike(count: IntArray, masked: BoolArray, shape: tuple[int, ...]) -> Iterator[IntArray]:
    """Samples of several layers that are composited at once: on equally many layers, all of pixels or none."""
    kinds = np.where(count > 1, 2 * count + masked, 0)
    for kind in np.unique(kinds[kinds > 0]).tolist():
        layers, pixels = divmod(kind, 2)
        rows = np.flatnonzero(kinds == kind)
        # Every layer cuts an axis twice.
        grid = math.prod(length if pixels else min(length, 2 * layers + 1) for length in shape)
        step = max(1, AT_ONCE // max(1, (1 + layers) * grid))
        yield from (rows[start : start + step] for start in range(0, len(rows), step))


def _contributions(rows: IntArray, shape: tuple[int, ...], layers: Sequence[Layer], bare: bool) -> Contributions:
    """What is seen in some samples, ascending; where one of them is painted through a mask, it must be the only one."""
    painting = _painting(rows, shape, layers, bare)
    edges, weight = _composited(shape, painting)
    mirrored = painting.flip.any(axis=2)
    moved = (painting.crop != painting.frame).any(axis=(2, 3)) | mirrored | bare
    apart = moved.copy()
    for layer_and_row in painting.objects:
        apart[layer_and_row] = True
    # What is moved shows other pixels than its source elsewhere, and what brings some objects has less to tell, so that
    # it has a name of its own, which no sample has.
    _unite(weight, np.where(apart, -1 - np.arange(len(apart))[:, None], painting.source))
    row, layer = np.nonzero((weight.max(axis=tuple(range(2, weight.ndim)), initial=0.0) > 0).T)
    seen = weight[:, 0] if weight.shape[:2] == (len(row), 1) else weight[layer, row]  # masks are not copied
    return Contributions(
        row=rows[row],
        source=painting.source[layer, row],
        edges=tuple([cuts.take(row, axis=1) for cuts in edges]),
        weight=np.moveaxis(seen, 0, -1),
        crop=np.moveaxis(painting.crop[layer, row], 0, -1),
        frame=np.moveaxis(painting.frame[layer, row], 0, -1),
        moved=moved[layer, row],
        objects=tuple(map(painting.objects.get, zip(layer.tolist(), row.tolist(), strict=True)))
        if painting.objects
        else None,
        flip=np.moveaxis(painting.flip[layer, row], 0, -1) if mirrored.any() else None,
    )


def _painting(rows: IntArray, shape: tuple[int, ...], layers: Sequence[Layer], bare: bool = False) -> _Painting:
    """Some samples, ascending, and what layers paint on them in painting order; a canvas hides the samples."""
    found = []
    count = np.zeros(len(rows), np.int64)
    for layer in layers:
        place = np.searchsorted(rows, layer.rows)  # of the few rows that are wanted, not of the whole batch
        index = np.flatnonzero(rows.take(place, mode="clip") == layer.rows)
        row = place[index]
        count[row] += 1
        found.append((layer, index, row, count[row]))
    size = (1 + int(count.max(initial=0)), len(rows))
    box = np.empty((*size, 2, len(shape)), np.int64)
    box[..., 0, :], box[..., 1, :] = 0, shape
    masks: dict[int, list[tuple[IntArray, NDArray[Any]]]] = {}
    objects: dict[tuple[int, int], IntArray] = {}
    flip = np.zeros((*size, len(shape)), np.bool_)
    painting = _Painting(np.tile(rows, (size[0], 1)), np.zeros(size), box, box.copy(), box.copy(), masks, objects, flip)
    painting.opacity[0] = 0.0 if bare else 1.0
    for layer, index, row, number in found:
        painting.source[number, row], painting.opacity[number, row] = layer.source[index], layer.opacity[index]
        if isinstance(layer.region, Boxes):
            painting.box[number, row] = _start_and_stop(layer.region)[index]
        elif isinstance(layer.region, Mask):
            for own in np.unique(number).tolist():
                masks.setdefault(own, []).append((row[number == own], layer.region.values[index[number == own]]))
        if layer.crop is not None:
            crop, frame = _start_and_stop(layer.crop)[index], _start_and_stop(layer.frame(shape))[index]
            moved = (crop != frame).any(axis=(1, 2)) | bare  # where nothing is, a source is seen as a whole
            if layer.flip is not None:
                flip[number, row] = layer.flip[index]
                moved |= layer.flip[index].any(axis=1)
            at = number[moved], row[moved]
            painting.crop[at], painting.frame[at] = crop[moved], frame[moved]
        if layer.objects is not None:
            where = zip(number.tolist(), row.tolist(), strict=True)
            objects |= zip(where, map(layer.objects.__getitem__, index.tolist()), strict=True)
    return painting


def _start_and_stop(boxes: Boxes) -> IntArray:
    """Start and stop of boxes, ``(n, 2, d)``."""
    return np.stack([boxes.start, boxes.stop], axis=1)


def _composited(shape: tuple[int, ...], painting: _Painting) -> tuple[tuple[IntArray, ...], FloatArray]:
    """Edges ``(cuts, R)``, and the weights of layers between them, ``(K, R, ...)``, where later ones hide earlier."""
    pixels = bool(painting.masks)
    edges = tuple([_edges(length, painting.box[..., axis], pixels) for axis, length in enumerate(shape)])
    weights = np.empty((*painting.opacity.shape, *[len(cuts) - 1 for cuts in edges]))
    column = (-1, *(1,) * len(shape))
    for number, (opacity, boxes) in enumerate(zip(painting.opacity, painting.box, strict=True)):
        weight, masks = weights[number], painting.masks.get(number, ())
        if sum([len(rows) for rows, _ in masks]) < len(boxes):  # else masks say all of it
            np.multiply(opacity.reshape(column), _cells_in_boxes(edges, boxes), out=weight)
        for rows, values in masks:
            weight[rows] = opacity[rows].reshape(column) * values
        weights[:number] *= 1.0 - weight
    return edges, weights


def _edges(length: int, boxes: IntArray, pixels: bool) -> IntArray:
    """Where an axis is cut by boxes ``(K, R, 2)``, ``(cuts, R)``; the last ones repeat where others have more."""
    if pixels:
        return np.arange(length + 1)[:, None]
    cuts = np.sort(np.moveaxis(boxes, 1, 2).reshape(2 * len(boxes), boxes.shape[1]), axis=0)
    cuts[1:][cuts[1:] == cuts[:-1]] = length  # a cut that is there twice goes to the end, where it cuts nothing
    cuts.sort(axis=0)
    return np.asarray(cuts[: 1 + int((cuts < length).sum(axis=0).max(initial=0))])


def _cells_in_boxes(edges: Sequence[IntArray], boxes: IntArray) -> BoolArray:
    """Cells with a volume that lie in boxes ``(R, 2, d)``, ``(R, ...)``."""
    sides = [
        (cuts[1:] > cuts[:-1]) & (cuts[:-1] >= boxes[:, 0, axis]) & (cuts[1:] <= boxes[:, 1, axis])
        for axis, cuts in enumerate(edges)
    ]
    return _outer_product(sides, len(boxes))


def _outer_product(sides: Sequence[NDArray[Any]], count: int) -> NDArray[Any]:
    """Volumes of cells ``(count, ...)``, or which are inside, from what holds on each axis, ``(intervals, count)``."""
    result: NDArray[Any] = np.ones(count, np.bool_)
    for axis, side in enumerate(sides):
        result = result[..., None] * side.T.reshape(side.shape[1], *(1,) * axis, side.shape[0])
    return result


def _unite(weights: FloatArray, names: IntArray) -> None:
    """Adds weights ``(K, R, ...)`` of one name to the first of it: a sample painted on itself is seen once."""
    # Pairs of layers, not of samples: there are two or three of them.
    for later in range(1, len(weights)):
        for former in range(later):
            same = names[former] == names[later]
            if same.any():
                weights[former][same] += weights[later][same]
                weights[later][same] = 0.0


def _shares_of_layers(shape: tuple[int, ...], painting: _Painting) -> FloatArray:
    """Shares of samples and of the layers on them, ``(K, R)``: sums of their weights over the volume."""
    edges, weight = _composited(shape, painting)
    grid = tuple(range(2, weight.ndim))
    hidden = weight[0].max(axis=tuple(axis - 1 for axis in grid), initial=0.0) <= 0
    # Volumes are whole numbers, so that shares of pastes are exact.
    weight *= _outer_product([np.diff(cuts, axis=0) for cuts in edges], len(painting.box[0]))
    share = weight.sum(axis=grid) / cells(shape)
    # What is left over, so that rows sum to 1; rounding must not leave a trace of a sample that is wholly hidden.
    share[0] = np.where(hidden, 0.0, np.maximum(0.0, 1.0 - share[1:].sum(axis=0)))
    return np.asarray(share)
