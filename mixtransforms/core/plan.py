"""Specs and plans: everything random about one call, drawn once, from which every target is derived.

A plan is a painter's model. Every sample starts as itself; each layer then paints, on some rows of the batch,
the *original* samples of other rows. What share of a sample's result comes from which source is measured from
the layers, never assumed.

The convention, everywhere: ``weight`` belongs to the base sample ``i``; its partner gets ``1 - weight``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core.errors import PlanError, explain
from mixtransforms.core.keys import Key

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class BatchSpec:
    """What a method may know of a batch.

    Attributes:
        size: Number of samples ``B``.
        shape: Lengths of the mixed axes in pixels or steps: ``(H, W)``, ``(T,)``, ``(T, H, W)``, ``(D, H, W)`` or
            ``()`` where nothing is spatial.
    """

    size: int
    shape: tuple[int, ...] = ()


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
        _freeze(self, start=_integers(self.start), stop=_integers(self.stop))
        if self.start.ndim != 2 or self.start.shape != self.stop.shape:
            raise PlanError(
                explain(
                    "Box corners disagree",
                    where="Boxes",
                    got=f"start {self.start.shape}, stop {self.stop.shape}",
                    wanted="two arrays of the same shape (n, d)",
                    fix="Give one row a box and one column a mixed axis.",
                )
            )

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
        volume: IntArray = np.prod(self.sides, axis=1, dtype=np.int64)
        return volume

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
        return Boxes(self.start[keep], self.stop[keep])


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
                    explain(
                        "Mask values out of range",
                        where="Mask",
                        got=f"[{array.min()}, {array.max()}]",
                        wanted="bool, or floats within [0, 1]",
                        fix="Clip or normalise the mask.",
                    )
                )
        _freeze(self, values=array)

    def __len__(self) -> int:
        return len(self.values)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mask):
            return NotImplemented
        return self.values.dtype == other.values.dtype and np.array_equal(self.values, other.values)

    __hash__ = None  # type: ignore[assignment]

    def take(self, keep: BoolArray) -> Mask:
        """The masks where ``keep`` is true."""
        return Mask(self.values[keep])


Region = Boxes | Mask | None


@dataclass(frozen=True, eq=False)
class Layer:
    """One coat of paint: on the samples ``rows``, the original samples ``source``.

    Attributes:
        rows: Samples painted on, ``(n,)`` int64, each at most once.
        source: Samples painted, ``(n,)`` int64.
        opacity: How much of the source shows inside the region, ``(n,)`` float64 within ``[0, 1]``; 1 is a paste.
        region: Where: ``None`` is everywhere, else :class:`Boxes` or :class:`Mask`.
        crop: ``None`` paints the source at its own place. Boxes of the source are moved into the region's box, and
            resized where the sides differ; the box of a mask or of ``None`` is the whole sample.
    """

    rows: IntArray
    source: IntArray
    opacity: FloatArray
    region: Region = None
    crop: Boxes | None = None

    def __post_init__(self) -> None:
        rows = _integers(self.rows)
        opacity = np.array(np.broadcast_to(np.asarray(self.opacity, np.float64), rows.shape))
        _freeze(self, rows=rows, source=_integers(self.source), opacity=opacity)

    def __len__(self) -> int:
        return len(self.rows)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Layer):
            return NotImplemented
        arrays = all(np.array_equal(getattr(self, n), getattr(other, n)) for n in ("rows", "source", "opacity"))
        return arrays and self.region == other.region and self.crop == other.crop

    __hash__ = None  # type: ignore[assignment]

    def frame(self, shape: Sequence[int]) -> Boxes:
        """The boxes of the sample that ``crop`` is fitted into."""
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
            return self.opacity * self.region.volume / _cells(shape)
        inside: FloatArray = self.region.values.reshape(len(self), -1).sum(axis=1, dtype=np.float64)
        return self.opacity * inside / _cells(shape)

    def take(self, keep: BoolArray) -> Layer:
        """The rows of the layer where ``keep`` (``(n,)`` bool) is true."""
        return Layer(
            self.rows[keep],
            self.source[keep],
            self.opacity[keep],
            None if self.region is None else self.region.take(keep),
            None if self.crop is None else self.crop.take(keep),
        )


@dataclass(frozen=True, eq=False)
class Plan:
    """One draw of a method for one batch; replayable on any batch of the same spec.

    Attributes:
        spec: The batch it was made for.
        layers: Painted in this order.
        label_share: ``(B, S)``, beside :attr:`sources`: the share that labels get where a method declares another one
            than was painted; ``None`` where labels get the measured share.
        key: What the draw was keyed by, or ``None``. It does not take part in comparison.

    Raises:
        PlanError: The layers do not fit the spec or themselves.
    """

    spec: BatchSpec
    layers: tuple[Layer, ...] = ()
    label_share: FloatArray | None = None
    key: Key | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))
        for number, layer in enumerate(self.layers):
            _check_layer(layer, self.spec, f"layers[{number}]")
        if self.label_share is not None:
            _freeze(self, label_share=np.array(self.label_share, np.float64))
            if self.label_share.shape != self.sources.shape:
                raise PlanError(
                    explain(
                        "Declared label shares do not fit",
                        where="label_share",
                        got=self.label_share.shape,
                        wanted=f"{self.sources.shape}, one column a source",
                        fix="Give a share for every column of plan.sources.",
                    )
                )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Plan):
            return NotImplemented
        if self.spec != other.spec or self.layers != other.layers:
            return False
        if self.label_share is None or other.label_share is None:
            return self.label_share is other.label_share
        return np.array_equal(self.label_share, other.label_share)

    __hash__ = None  # type: ignore[assignment]

    @property
    def size(self) -> int:
        """Number of samples ``B``."""
        return self.spec.size

    @cached_property
    def shares(self) -> tuple[IntArray, FloatArray]:
        """Sources and their measured shares, ``(B, S)`` int64 and ``(B, S)`` float64.

        Column 0 is the base sample itself; unused columns name it again with share 0. Rows of shares sum to 1.
        """
        return _measure(self.spec, self.layers)

    @property
    def sources(self) -> IntArray:
        """Where every column of :attr:`shares` comes from, ``(B, S)``."""
        return self.shares[0]

    @property
    def share(self) -> FloatArray:
        """What was painted, ``(B, S)``: the mean over the sample of every source's weight."""
        return self.shares[1]

    @property
    def target_share(self) -> FloatArray:
        """What labels are mixed by, ``(B, S)``: the declared share where there is one, else the measured."""
        return self.share if self.label_share is None else self.label_share

    @property
    def partner(self) -> IntArray:
        """The one partner of every sample, ``(B,)``; an unmixed sample is its own.

        Raises:
            PlanError: Some sample has more than one partner.
        """
        self._one_partner()
        return self.sources[:, -1]

    @property
    def weight(self) -> FloatArray:
        """Measured share of the base sample, ``(B,)``; its partner has ``1 - weight``.

        Raises:
            PlanError: Some sample has more than one partner.
        """
        self._one_partner()
        return self.share[:, 0]

    @property
    def mixed(self) -> BoolArray:
        """Samples that show something of another one, ``(B,)``."""
        return np.asarray((self.share[:, 1:] > 0).any(axis=1))

    def _one_partner(self) -> None:
        if self.sources.shape[1] > 2:
            raise PlanError(
                explain(
                    "No single partner",
                    where="Plan",
                    got=f"{self.sources.shape[1] - 1} partners for some samples",
                    wanted="at most one",
                    fix="Read plan.sources and plan.share.",
                )
            )

    def where(self, keep: BoolArray) -> Plan:
        """The plan on the samples where ``keep`` (``(B,)`` bool) is true; the others stay unmixed."""
        layers = tuple(layer.take(keep[layer.rows]) for layer in self.layers)
        plan = Plan(self.spec, tuple(layer for layer in layers if len(layer)), key=self.key)
        if self.label_share is None:
            return plan
        kept = self.label_share[:, : plan.sources.shape[1]]
        unmixed = np.eye(1, kept.shape[1])
        return replace(plan, label_share=np.where(keep[:, None], kept, unmixed))

    def apply(self, array: Any, layout: str | None = None) -> Any:
        """Paints any array of ``B`` samples: features, embeddings, audio, tables.

        Args:
            array: ``(B, ...)``, NumPy or torch. A plan with regions needs its mixed axes, ``spec.shape``, in it.
            layout: ``None`` (tensors channels-first, NumPy arrays channels-last), ``"channels_first"`` or
                ``"channels_last"``.

        Returns:
            A new array of the same type, shape and dtype.
        """
        from mixtransforms.targets.images import apply_plan  # the one call upward: plans are useful on their own

        return apply_plan(self, array, layout)

    def to_dict(self) -> dict[str, Any]:
        """The plan in JSON's vocabulary; :meth:`from_dict` gives an equal plan."""
        result: dict[str, Any] = {
            "size": self.spec.size,
            "shape": list(self.spec.shape),
            "layers": [_layer_to_dict(layer) for layer in self.layers],
        }
        if self.label_share is not None:
            result["label_share"] = self.label_share.tolist()
        if self.key is not None:
            result["key"] = self.key.to_dict()
        return result

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Plan:
        """The plan that :meth:`to_dict` wrote.

        Raises:
            PlanError: Something is missing, unknown or inconsistent.
        """
        unknown = set(data) - {"size", "shape", "layers", "label_share", "key"}
        if unknown or not {"size", "shape", "layers"} <= set(data):
            raise PlanError(
                explain(
                    "Not a plan",
                    where="Plan.from_dict",
                    got=f"keys {sorted(data)}",
                    wanted="size, shape, layers, and perhaps label_share and key",
                    fix="Give what Plan.to_dict returned.",
                )
            )
        share = data.get("label_share")
        key = data.get("key")
        return cls(
            BatchSpec(int(data["size"]), tuple(int(length) for length in data["shape"])),
            tuple(_layer_from_dict(layer) for layer in data["layers"]),
            None if share is None else np.asarray(share, np.float64),
            None if key is None else Key(**key),
        )

    def __repr__(self) -> str:
        mixed = int(self.mixed.sum())
        return f"Plan(size={self.size}, shape={self.spec.shape}, layers={len(self.layers)}, mixed={mixed})"

    def __str__(self) -> str:
        lines = [repr(self)]
        for row, (sources, shares) in enumerate(zip(self.sources.tolist(), self.share.tolist(), strict=True)):
            parts = [f"{share:.3f} of {source}" for source, share in zip(sources, shares, strict=True) if share > 0]
            lines.append(f"  {row}: " + " + ".join(parts))
        return "\n".join(lines)


def _freeze(owner: object, **arrays: NDArray[Any]) -> None:
    for name, array in arrays.items():
        array.flags.writeable = False
        object.__setattr__(owner, name, array)


def _integers(values: Any) -> IntArray:
    array = np.array(values)
    if array.size and array.dtype.kind not in "iu":
        raise PlanError(
            explain(
                "Not whole numbers",
                where="plan",
                got=f"dtype {array.dtype}",
                wanted="integers",
                fix="Rows, sources and boxes are integer indices.",
            )
        )
    return array.astype(np.int64)


def _cells(shape: Sequence[int]) -> int:
    return max(1, int(np.prod(shape, dtype=np.int64)))


def _check_layer(layer: Layer, spec: BatchSpec, where: str) -> None:
    """A layer that would paint outside the batch or the sample is refused before anything is painted."""
    count, rank = len(layer), len(spec.shape)
    problems: list[tuple[bool, str, object, str]] = [
        (layer.rows.ndim != 1, "rows", layer.rows.shape, "shape (n,)"),
        (layer.source.shape != layer.rows.shape, "source", layer.source.shape, f"one a row, {layer.rows.shape}"),
        (not _within(layer.rows, spec.size), "rows", layer.rows, f"indices of {spec.size} samples"),
        (not _within(layer.source, spec.size), "source", layer.source, f"indices of {spec.size} samples"),
        (len(np.unique(layer.rows)) != count, "rows", layer.rows, "each sample at most once; use another layer"),
        (not ((layer.opacity >= 0) & (layer.opacity <= 1)).all(), "opacity", layer.opacity, "within [0, 1]"),
    ]
    for name, boxes in (("region", layer.region), ("crop", layer.crop)):
        if isinstance(boxes, Boxes):
            fits = boxes.start.shape == (count, rank)
            problems.append((not fits, name, boxes.start.shape, f"shape {(count, rank)}"))
            inside = (boxes.start >= 0) & (boxes.start <= boxes.stop) & (boxes.stop <= spec.shape) if fits else None
            ordered = inside is None or bool(inside.all())
            problems.append((not ordered, name, boxes, f"boxes inside {spec.shape}"))
    if isinstance(layer.region, Mask):
        wanted = (count, *spec.shape)
        problems.append((layer.region.values.shape != wanted, "region", layer.region.values.shape, f"shape {wanted}"))
    for wrong, name, got, wish in problems:
        if wrong:
            raise PlanError(
                explain(
                    f"Bad {name!r}", where=where, got=got, wanted=wish, fix="A plan must fit the batch it is drawn for."
                )
            )
    if layer.crop is not None:
        empty = (layer.crop.volume == 0) & (layer.frame(spec.shape).volume > 0)
        if empty.any():
            raise PlanError(
                explain(
                    "Empty crop",
                    where=where,
                    got=f"rows {layer.rows[empty].tolist()}",
                    wanted="at least one pixel wherever something is painted",
                    fix="Clamp the crop to one pixel, or leave the row out.",
                )
            )


def _within(index: IntArray, size: int) -> bool:
    return bool(((index >= 0) & (index < size)).all())


def _measure(spec: BatchSpec, layers: Sequence[Layer]) -> tuple[IntArray, FloatArray]:
    """Sources and shares by compositing the layers in painting order."""
    touched: list[list[tuple[Layer, int]]] = [[] for _ in range(spec.size)]
    coats = np.zeros(spec.size, np.int64)
    for layer in layers:
        coats[layer.rows] += 1
    columns = 1 + int(coats.max(initial=0))
    sources = np.tile(np.arange(spec.size)[:, None], (1, columns))
    share = np.zeros((spec.size, columns), np.float64)
    share[:, 0] = 1.0
    for layer in layers:
        single = coats[layer.rows] == 1
        rows = layer.rows[single]
        sources[rows, 1] = layer.source[single]
        share[rows, 1] = layer.coverage(spec.shape)[single]
        share[rows, 0] = 1.0 - share[rows, 1]
        for index in np.flatnonzero(~single).tolist():
            touched[int(layer.rows[index])].append((layer, index))
    for row, painted in enumerate(touched):
        if painted:
            measured = _composite(spec.shape, painted)
            sources[row, 1 : len(painted) + 1] = [int(layer.source[index]) for layer, index in painted]
            share[row, : len(measured)] = measured
    sources.flags.writeable = share.flags.writeable = False
    return sources, share


def _composite(shape: tuple[int, ...], painted: Sequence[tuple[Layer, int]]) -> FloatArray:
    """Shares of the base and of every layer on one sample, where later layers hide earlier ones.

    Boxes cut every axis into a few intervals; compositing on those is exact and needs no pixels. Masks need them all.
    """
    edges = [_edges(axis, length, painted) for axis, length in enumerate(shape)]
    cells = np.ones((1,) * len(shape))
    for axis, cut in enumerate(edges):
        cells = cells * np.diff(cut).reshape(tuple(-1 if a == axis else 1 for a in range(len(shape))))
    weights = [np.ones(cells.shape)]
    for layer, index in painted:
        field = _field_on(edges, layer, index)
        weights = [weight * (1.0 - field) for weight in weights]
        weights.append(field)
    shares = np.array([float((weight * cells).sum()) for weight in weights]) / _cells(shape)
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


def _layer_to_dict(layer: Layer) -> dict[str, Any]:
    result: dict[str, Any] = {
        "rows": layer.rows.tolist(),
        "source": layer.source.tolist(),
        "opacity": layer.opacity.tolist(),
    }
    if isinstance(layer.region, Boxes):
        result["boxes"] = _boxes_to_dict(layer.region)
    elif isinstance(layer.region, Mask):
        result["mask"] = layer.region.values.tolist()
    if layer.crop is not None:
        result["crop"] = _boxes_to_dict(layer.crop)
    return result


def _layer_from_dict(data: Mapping[str, Any]) -> Layer:
    region: Region = None
    if "boxes" in data:
        region = _boxes_from_dict(data["boxes"])
    elif "mask" in data:
        region = Mask(np.asarray(data["mask"]))
    crop = _boxes_from_dict(data["crop"]) if "crop" in data else None
    return Layer(
        np.asarray(data["rows"], np.int64),
        np.asarray(data["source"], np.int64),
        np.asarray(data["opacity"], np.float64),
        region,
        crop,
    )


def _boxes_to_dict(boxes: Boxes) -> dict[str, Any]:
    return {"start": boxes.start.tolist(), "stop": boxes.stop.tolist()}


def _boxes_from_dict(data: Mapping[str, Any]) -> Boxes:
    return Boxes(np.asarray(data["start"], np.int64), np.asarray(data["stop"], np.int64))
