"""Layers: what a plan paints, where, and from where."""

from __future__ import annotations

import base64
import functools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core.cached import cached_property
from mixtransforms.core.errors import PlanError
from mixtransforms.core.packing import pack, unpack
from mixtransforms.core.reading import check_names, listed, numbers, whole_number

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


@functools.lru_cache(maxsize=16)  # batches of a training have one size, or two
def everyone(size: int) -> IntArray:
    """All samples of a batch in their order, ``(size,)``, read-only: one array for all batches of a size."""
    samples = np.arange(size, dtype=np.int64)
    samples.flags.writeable = False
    return samples


@functools.lru_cache(maxsize=16)
def opaque(count: int) -> FloatArray:
    """The opacity of pastes, ``(count,)`` ones, read-only: one array for all layers of as many rows."""
    ones = np.ones(count)
    ones.flags.writeable = False
    return ones


@dataclass(frozen=True, eq=False)
class Boxes:
    """Half-open integer boxes, one a row, in the order of the mixed axes (``y, x`` for images).

    Attributes:
        start: First index inside, ``(n, d)`` int64.
        stop: First index outside, ``(n, d)`` int64; ``stop == start`` on any axis is an empty box.
    """

    start: IntArray
    stop: IntArray

    def __post_init__(self) -> None:
        freeze(self, start=_integers(self.start), stop=_integers(self.stop))
        if self.start.ndim != 2 or self.start.shape != self.stop.shape:
            raise PlanError(
                "Box corners disagree",
                where="Boxes",
                got=f"start {self.start.shape}, stop {self.stop.shape}",
                wanted="two arrays of the same shape (n, d)",
                fix="Give one row a box and one column a mixed axis.",
            )

    @classmethod
    def drawn(cls, start: IntArray, stop: IntArray) -> Boxes:
        """Boxes of int64 arrays ``(n, d)`` that the package has just made and nobody else holds: no copy, no check."""
        boxes = object.__new__(cls)
        start.flags.writeable = stop.flags.writeable = False
        vars(boxes).update(start=start, stop=stop)
        return boxes

    def __len__(self) -> int:
        return len(self.start)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Boxes):
            return NotImplemented
        return np.array_equal(self.start, other.start) and np.array_equal(self.stop, other.stop)

    __hash__ = None  # type: ignore[assignment]

    @classmethod
    def full(cls, count: int, shape: Sequence[int]) -> Boxes:
        """``count`` boxes that cover the whole of ``shape``."""
        return cls(np.zeros((count, len(shape)), np.int64), np.tile(np.asarray(shape, np.int64), (count, 1)))

    @property
    def sides(self) -> IntArray:
        """Lengths of the sides, ``(n, d)``."""
        return self.stop - self.start

    @property
    def volume(self) -> IntArray:
        """Number of cells (pixels) inside, ``(n,)``."""
        first, *others = self.sides.T if self.start.shape[1] else [np.ones(len(self), np.int64)]
        for side in others:  # as quick as it gets: np.prod along a short axis takes four times as long
            first = first * side
        return first

    def slices(self, index: int) -> tuple[slice, ...]:
        """The box of row ``index`` as slices of the mixed axes."""
        return tuple(slice(a, b) for a, b in zip(self.start[index].tolist(), self.stop[index].tolist(), strict=True))

    def inside(self, shape: Sequence[int]) -> BoolArray:
        """The boxes as masks, ``(n, *shape)`` bool."""
        result = np.ones((len(self), *shape), np.bool_)
        for axis, length in enumerate(shape):
            steps = np.arange(length)
            within = (steps >= self.start[:, axis, None]) & (steps < self.stop[:, axis, None])
            result &= within.reshape(len(self), *(length if a == axis else 1 for a in range(len(shape))))
        return result

    def take(self, keep: BoolArray) -> Boxes:
        """The boxes where ``keep`` is true."""
        return Boxes.drawn(self.start[keep], self.stop[keep])

    def to_dict(self) -> dict[str, Any]:
        """The boxes in JSON's vocabulary."""
        return {"start": self.start.tolist(), "stop": self.stop.tolist()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Boxes:
        """The boxes that :meth:`to_dict` wrote."""
        corners = [numbers(data[name]) for name in ("start", "stop")]
        return cls(*(array.reshape(len(array), -1) if array.size else array for array in corners))


@dataclass(frozen=True, eq=False)
class Mask:
    """Where a layer paints, one mask a row.

    Attributes:
        values: ``(n, *shape)``; bool, or float within ``[0, 1]`` for a soft edge.
    """

    values: NDArray[Any]

    def __post_init__(self) -> None:
        array = np.array(self.values)
        if array.dtype != np.bool_:
            array = array.astype(np.float64)
            if array.size and not (array.min() >= 0.0 and array.max() <= 1.0):  # also refuses NaN
                raise PlanError(
                    "Mask values out of range",
                    where="Mask",
                    got=f"[{array.min()}, {array.max()}]",
                    wanted="bool, or floats within [0, 1]",
                    fix="Clip or normalise the mask.",
                )
        freeze(self, values=array)

    @classmethod
    def drawn(cls, values: NDArray[Any]) -> Mask:
        """Masks of bools, or of float64 within ``[0, 1]``, that the package has just made: no copy, no check."""
        mask = object.__new__(cls)
        freeze(mask, values=values)
        return mask

    def __len__(self) -> int:
        return len(self.values)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mask):
            return NotImplemented
        return self.values.dtype == other.values.dtype and np.array_equal(self.values, other.values)

    __hash__ = None  # type: ignore[assignment]

    @property
    def soft(self) -> bool:
        """Whether weights may vary from cell to cell."""
        return self.values.dtype != np.bool_

    @property
    def area(self) -> FloatArray:
        """Sums of the weights of all cells, ``(n,)``; of bools exact."""
        if self.soft:
            return np.asarray(self.values.reshape(len(self), -1).sum(axis=1, dtype=np.float64))
        return np.array(list(map(np.count_nonzero, self.values)), np.float64)  # many times as quick as sums

    def take(self, keep: BoolArray) -> Mask:
        """The masks where ``keep`` is true."""
        return Mask.drawn(self.values[keep])

    def to_dict(self) -> Any:
        """The masks in JSON's vocabulary: numbers, or eight cells of bools in a byte."""
        if self.soft:
            return self.values.tolist()
        bits = base64.b64encode(np.packbits(self.values).tobytes()).decode("ascii")
        return {"shape": list(self.values.shape), "bits": bits}

    @classmethod
    def from_dict(cls, data: Any) -> Mask:
        """The masks that :meth:`to_dict` wrote; also bools in lists, as it once did."""
        if not isinstance(data, Mapping):
            return cls(numbers(data, "biuf"))
        shape = [whole_number(length) for length in listed(data["shape"])]
        packed = np.frombuffer(base64.b64decode(data["bits"], validate=True), np.uint8)
        count = math.prod(shape)
        if set(data) != {"shape", "bits"} or len(packed) != -(-count // 8):  # before any cell is unpacked
            raise ValueError(f"{len(packed)} bytes for a mask of shape {shape}")
        return cls(np.unpackbits(packed, count=count).astype(np.bool_).reshape(shape))


Region = Boxes | Mask | None

LAYER_NAMES: Mapping[str, int] = {
    "rows": 1,
    "source": 1,
    "opacity": 1,
    "boxes": 1,
    "mask": 1,
    "crop": 1,
    "packed": 2,
    "objects": 2,
    "flip": 2,
    "into": 2,
}
"""What the dict of a layer may hold, each with the version of plan dicts that brought it.

A new field of layers is named here and written where it is used: the version of the whole dict follows.
"""

_REGIONS = {"boxes", "mask", "packed"}


@dataclass(frozen=True, eq=False)
class Layer:
    """What one layer paints: on the samples ``rows``, the original samples ``source``.

    Attributes:
        rows: Samples painted on, ``(n,)`` int64, each at most once.
        source: Samples painted, ``(n,)`` int64.
        opacity: How much of the source shows inside the region, ``(n,)`` float64 within ``[0, 1]``; 1 is a paste.
        region: Where: ``None`` is everywhere, else :class:`Boxes` or :class:`Mask`.
        crop: ``None`` paints the source at its own place. Boxes of the source are moved into the region's box, and
            resized where the sides differ; the box of a mask or of ``None`` is the whole sample.
        objects: Which objects of the source come along, one array of their places ``(k,)`` a row, ascending, among the
            boxes or instances of the source as they came; bools, one an object, are taken as well. ``None``: all that
            are seen by the rules.
        flip: Along which axes crops are mirrored, ``(n, d)`` bool; ``None``: along none. It comes with a crop.
        into: The boxes of the sample that crops behind masks are fitted into, where these are not the whole of it; a
            mask must be 0 outside. Of a crop that would reach beyond its source it is the part that has something to
            show.
    """

    rows: IntArray
    source: IntArray
    opacity: FloatArray
    region: Region = None
    crop: Boxes | None = None
    objects: tuple[IntArray, ...] | None = None
    flip: BoolArray | None = None
    into: Boxes | None = None

    def __post_init__(self) -> None:
        rows = _integers(self.rows)
        opacity = np.empty(rows.shape)
        opacity[...] = self.opacity
        freeze(self, rows=rows, source=_integers(self.source), opacity=opacity)
        if self.objects is not None:
            object.__setattr__(self, "objects", tuple(map(_places, self.objects)))
        if self.flip is not None:
            freeze(self, flip=_bools(self.flip))

    @classmethod
    def drawn(
        cls,
        rows: IntArray,
        source: IntArray,
        opacity: FloatArray,
        region: Region = None,
        crop: Boxes | None = None,
        objects: tuple[IntArray, ...] | None = None,
        flip: BoolArray | None = None,
        into: Boxes | None = None,
    ) -> Layer:
        """A layer of int64 and float64 arrays that the package has just made: no copy, no check.

        Half of the time of a draw went into copies and checks of what cannot be wrong. What users give goes through the
        constructor.
        """
        layer = object.__new__(cls)
        rows.flags.writeable = source.flags.writeable = opacity.flags.writeable = False
        for places in objects or ():
            places.flags.writeable = False
        if flip is not None:
            flip.flags.writeable = False
        vars(layer).update(rows=rows, source=source, opacity=opacity, region=region, crop=crop)
        vars(layer).update(objects=objects, flip=flip, into=into)
        return layer

    def __len__(self) -> int:
        return len(self.rows)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Layer):
            return NotImplemented
        arrays = all(np.array_equal(getattr(self, n), getattr(other, n)) for n in ("rows", "source", "opacity"))
        return arrays and self.region == other.region and self.crop == other.crop and _alike(self, other)

    __hash__ = None  # type: ignore[assignment]

    @property
    def soft_edged(self) -> bool:
        """Whether the weight may vary over the place."""
        return isinstance(self.region, Mask) and self.region.soft

    @cached_property
    def blends(self) -> bool:
        """Whether a pixel may be a mean of two samples."""
        soft = self.region is not None and self.soft_edged
        return soft or bool(((self.opacity > 0) & (self.opacity < 1)).any())

    @property
    def whole(self) -> bool:
        """Whether it paints all of its samples, from all of its sources."""
        return self.region is None and self.crop is None

    @property
    def resizes(self) -> bool:
        """Whether the crop may be of another size than the frame that it is fitted into."""
        if self.crop is None:
            return False
        frame = self.region if self.into is None else self.into
        return not isinstance(frame, Boxes) or not np.array_equal(self.crop.sides, frame.sides)

    def frame(self, shape: Sequence[int]) -> Boxes:
        """The boxes of the sample that ``crop`` is fitted into."""
        if self.into is not None:
            return self.into
        return self.region if isinstance(self.region, Boxes) else Boxes.full(len(self), shape)

    def field(self, shape: Sequence[int]) -> FloatArray:
        """Weight of the source at every cell, ``(n, *shape)`` float64: opacity inside the region, 0 outside."""
        opacity = self.opacity.reshape(-1, *(1,) * len(shape))
        if self.region is None:
            return np.broadcast_to(opacity, (len(self), *shape))
        inside = self.region.inside(shape) if isinstance(self.region, Boxes) else self.region.values
        return np.asarray(opacity * inside)

    def coverage(self, shape: Sequence[int]) -> FloatArray:
        """Mean of :meth:`field` over the sample, ``(n,)``, without building it for boxes."""
        if self.region is None:
            return self.opacity
        if isinstance(self.region, Boxes):
            return self.opacity * self.region.volume / cells(shape)
        return self.opacity * self.region.area / cells(shape)

    def take(self, keep: BoolArray) -> Layer:
        """The rows of the layer where ``keep`` (``(n,)`` bool) is true."""
        return Layer.drawn(
            self.rows[keep],
            self.source[keep],
            self.opacity[keep],
            None if self.region is None else self.region.take(keep),
            None if self.crop is None else self.crop.take(keep),
            None if self.objects is None else tuple(self.objects[n] for n in np.arange(len(self))[keep].tolist()),
            None if self.flip is None else self.flip[keep],
            None if self.into is None else self.into.take(keep),
        )

    def to_dict(self, *, packed: bool = True) -> dict[str, Any]:
        """The layer in JSON's vocabulary.

        Args:
            packed: Compress masks; else they take as much as they hold.
        """
        result: dict[str, Any] = {
            "rows": self.rows.tolist(),
            "source": self.source.tolist(),
            "opacity": self.opacity.tolist(),
        }
        if isinstance(self.region, Boxes):
            result["boxes"] = self.region.to_dict()
        elif isinstance(self.region, Mask):
            result |= {"packed": pack(self.region.values)} if packed else {"mask": self.region.to_dict()}
        if self.crop is not None:
            result["crop"] = self.crop.to_dict()
        if self.objects is not None:
            result["objects"] = [places.tolist() for places in self.objects]
        if self.flip is not None:
            result["flip"] = self.flip.tolist()
        if self.into is not None:
            result["into"] = self.into.to_dict()
        return result

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Layer:
        """The layer that :meth:`to_dict` wrote.

        Raises:
            KeyError: A name is missing or unknown.
            ValueError: There are two regions, or something is no number that it may be.
        """
        check_names(data, LAYER_NAMES)
        if len(_REGIONS & set(data)) > 1:
            raise ValueError(f"several regions: {sorted(_REGIONS & set(data))}")
        region: Region = None
        if "boxes" in data:
            region = Boxes.from_dict(data["boxes"])
        elif "mask" in data:
            region = Mask.from_dict(data["mask"])
        elif "packed" in data:
            region = Mask(unpack(data["packed"]))
        crop = Boxes.from_dict(data["crop"]) if "crop" in data else None
        rows, source, opacity = (numbers(data[name]) for name in ("rows", "source", "opacity"))
        objects = tuple(map(numbers, listed(data["objects"]))) if "objects" in data else None
        flip = numbers(data["flip"], "b") if "flip" in data else None
        into = Boxes.from_dict(data["into"]) if "into" in data else None
        return cls(rows, source, opacity, region, crop, objects, flip, into)


def check_layer(
    layer: Layer,
    size: int,
    shape: tuple[int, ...],
    where: str,
    second: int = 0,
    canvas: tuple[int, ...] | None = None,
) -> None:
    """Refuses a layer that would paint outside the batch or the sample, before anything is painted.

    Args:
        layer: The layer.
        size: Number of samples.
        shape: Lengths of their mixed axes.
        where: Which layer it is, for the error.
        second: Samples of a second batch, which are painted and not painted on.
        canvas: Those of the result, where it is painted on a canvas; layers then say which crop they show.

    Raises:
        PlanError: Names the first thing that does not fit.
    """
    for name, got, wanted in _problems(layer, size, size + second, shape, canvas):
        raise PlanError(
            f"Bad {name!r}", where=where, got=got, wanted=wanted, fix="A plan must fit the batch it is drawn for."
        )
    if layer.crop is not None:
        empty = (layer.crop.volume == 0) & (layer.frame(canvas or shape).volume > 0)
        if empty.any():
            raise PlanError(
                "Empty crop",
                where=where,
                got=f"rows {layer.rows[empty].tolist()}",
                wanted="at least one pixel wherever something is painted",
                fix="Clamp the crop to one pixel, or leave the row out.",
            )


def _problems(
    layer: Layer, size: int, every: int, source: tuple[int, ...], canvas: tuple[int, ...] | None
) -> Iterator[tuple[str, object, str]]:
    """What does not fit: its name, what it is, and what it should be."""
    count, rank, shape = len(layer), len(source), canvas or source
    if layer.rows.ndim != 1:
        yield "rows", layer.rows.shape, "shape (n,)"
    if layer.source.shape != layer.rows.shape:
        yield "source", layer.source.shape, f"one a row, {layer.rows.shape}"
    for name, index, known in (("rows", layer.rows, size), ("source", layer.source, every)):
        if count and not (index.min() >= 0 and index.max() < known):
            yield name, index, f"indices of {known} samples"
    if len(np.unique(layer.rows)) < count:
        yield "rows", layer.rows, "each sample at most once; use another layer"
    if count and not (layer.opacity.min() >= 0 and layer.opacity.max() <= 1):  # also refuses NaN
        yield "opacity", layer.opacity, "within [0, 1]"
    if canvas is not None and layer.crop is None:
        yield "crop", None, f"boxes inside {source}, since a canvas shows no source at its own place"
    for name, boxes, within in (
        ("region", layer.region, shape),
        ("crop", layer.crop, source),
        ("into", layer.into, shape),
    ):
        if not isinstance(boxes, Boxes):
            continue
        if boxes.start.shape != (count, rank):
            yield name, boxes.start.shape, f"shape {(count, rank)}"
        elif not ((boxes.start >= 0) & (boxes.start <= boxes.stop) & (boxes.stop <= within)).all():
            yield name, boxes, f"boxes inside {within}"
    if isinstance(layer.region, Mask) and layer.region.values.shape != (count, *shape):
        yield "region", layer.region.values.shape, f"shape {(count, *shape)}"
    if layer.flip is not None and (layer.flip.shape != (count, rank) or layer.crop is None):
        crops = "no crops" if layer.crop is None else "crops"
        yield "flip", f"shape {layer.flip.shape}, {crops}", f"shape {(count, rank)}, and crops to mirror"
    if layer.into is not None:
        yield from _bad_into(layer, shape)
    if layer.objects is not None and len(layer.objects) != count:
        yield "objects", f"{len(layer.objects)} lists", f"one a row, {count}"


def _bad_into(layer: Layer, shape: tuple[int, ...]) -> Iterator[tuple[str, object, str]]:
    """What is wrong with the boxes that crops behind masks are fitted into."""
    if layer.crop is None or not isinstance(layer.region, Mask):
        crops = "no crop" if layer.crop is None else "a crop"
        yield "into", f"{crops}, and a region of {type(layer.region).__name__}", "a crop, behind a mask"
    elif layer.into is not None and (layer.region.values * ~layer.into.inside(shape)).any():
        yield "into", "a mask that is not 0 outside", "masks that are 0 outside of the boxes"


def freeze(owner: object, **arrays: NDArray[Any]) -> None:
    """Sets read-only arrays on a frozen dataclass."""
    # Plans are kept, replayed and compared: nobody may change one that somebody else holds.
    for name, array in arrays.items():
        array.flags.writeable = False
        object.__setattr__(owner, name, array)


def _alike(first: Layer, second: Layer) -> bool:
    """Whether the same objects come along with two layers of as many rows, into the same boxes, equally mirrored."""
    if first.into != second.into or (first.flip is None) != (second.flip is None):
        return False
    if first.flip is not None and not np.array_equal(first.flip, second.flip):  # type: ignore[arg-type]
        return False
    if first.objects is None or second.objects is None:
        return first.objects is second.objects
    return all(map(np.array_equal, first.objects, second.objects))


def _places(values: Any) -> IntArray:
    """Places of objects in the list of a source, ascending and read-only, from places or bools."""
    array = np.array(values)
    places = np.unique(np.flatnonzero(array) if array.dtype == np.bool_ else _integers(array))
    if array.ndim != 1 or (len(places) and places[0] < 0):
        raise PlanError(
            "Bad 'objects'",
            where="Layer",
            got=repr(values),
            wanted="for every row a list of places, from 0 on, or of bools, one an object",
            fix="Give one list a row, an empty one where no object comes along; leave objects out where all do.",
        )
    places.flags.writeable = False
    return places


def _bools(values: Any) -> BoolArray:
    array = np.array(values)
    if array.size and array.dtype != np.bool_:
        raise PlanError(
            "Bad 'flip'",
            where="Layer",
            got=f"dtype {array.dtype}",
            wanted="bools, one a row and mixed axis",
            fix="Give True for every axis along which the crop is mirrored.",
        )
    return array.astype(np.bool_)


def _integers(values: Any) -> IntArray:
    array = np.array(values)
    if array.size and array.dtype.kind not in "iu":
        raise PlanError(
            "Not whole numbers",
            where="plan",
            got=f"dtype {array.dtype}",
            wanted="integers",
            fix="Rows, sources and boxes are integer indices.",
        )
    return array.astype(np.int64, copy=False)


def cells(shape: Sequence[int]) -> int:
    """Number of cells (pixels) of a sample; 1 where nothing is spatial."""
    return max(1, math.prod(shape))
