"""Specs and plans: everything random about one call, drawn once, from which every target is derived.

A plan is a painter's model. Every sample starts as itself; each layer then paints, on some rows of the batch,
the *original* samples of other rows. What share of a sample's result comes from which source is measured from
the layers, never assumed.

The convention, everywhere: ``weight`` belongs to the base sample ``i``; its partner gets ``1 - weight``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mixtransforms.core.cached import cached_property
from mixtransforms.core.canvas import Canvas, shown_whole
from mixtransforms.core.compositing import Contributions, columns, contributions, measure
from mixtransforms.core.display import Displayed
from mixtransforms.core.errors import PlanError
from mixtransforms.core.layers import (
    LAYER_NAMES,
    BoolArray,
    Boxes,
    FloatArray,
    IntArray,
    Layer,
    Mask,
    check_layer,
    freeze,
)
from mixtransforms.core.memo import Memo
from mixtransforms.core.mixture import BatchSpec, check_spec
from mixtransforms.core.packing import MOST_UNPACKED, check_room
from mixtransforms.core.reading import check_names, listed, numbers, version_of, whole_number
from mixtransforms.rng.keys import Key

if TYPE_CHECKING:
    from mixtransforms.kernels.plan_tensors import PlanTensors

__all__ = ["BatchSpec", "Boxes", "Canvas", "Layer", "Mask", "Plan"]

MASSES = ("one", "free")
"""What the labels of one sample may weigh together: a whole, or any finite number from 0 on."""

MOST_SAMPLES = 1 << 24
"""More than any batch has: whoever reads a plan of so many need not find out by running out of memory."""

VERSION = 2
"""Of plan dicts. A dict says it where it holds what version 1 had not, which says nothing of itself."""

_NAMES = {
    "plan_version": 1,
    "size": 1,
    "shape": 1,
    "layers": 1,
    "label_share": 1,
    "label_mass": 1,
    "key": 1,
    "scale": 2,
    "canvas": 2,
}
"""What the dict of a plan may hold, each with the version that brought it; see also :data:`LAYER_NAMES`."""

_NEEDED = {"size", "shape", "layers"}

_ROUNDING = 1e-6
"""How far from 1 the sum of declared shares may be."""


@dataclass(frozen=True, eq=False)
class Plan(Displayed):
    """One draw of a method for one batch; replayable on any batch of the same spec.

    Attributes:
        spec: The batch it was made for.
        layers: Painted in this order; layers without rows are left out.
        label_share: ``(B, S)``, beside :attr:`sources`: the share that labels get where a method declares another one
            than was painted, within ``[0, 1]``; rows sum to 1. ``None`` where labels get the measured share.
        key: What the draw was keyed by, or ``None``. It does not take part in comparison.
        label_mass: ``"one"``, or ``"free"`` where labels may weigh less or more than a whole: declared shares are then
            any finite numbers from 0 on.
        scale: ``(B,)``: what images are multiplied by when all layers are painted, finite and above 0; 1 where nothing
            is painted. ``None`` where images are what is painted. Labels, masks and objects know nothing of it.
        canvas: What is painted on, where that is not the sample itself: the result then has its size, and is filled
            where nothing is painted. Regions are boxes or masks of the canvas, crops are boxes of the sources, and
            every layer has one. Samples that no layer paints on are shown whole, with their proportions, in the
            middle. The fill is nobody's: labels are mixed by what is painted.

    Raises:
        PlanError: The spec is none, the layers do not fit it or themselves, declared shares are none, or a sample shows
            nothing but a canvas.
    """

    spec: BatchSpec
    layers: tuple[Layer, ...] = ()
    label_share: FloatArray | None = None
    key: Key | None = None
    label_mass: str = "one"
    scale: FloatArray | None = None
    canvas: Canvas | None = None

    def __post_init__(self) -> None:
        check_spec(self.spec)
        if self.canvas is not None:
            _check_canvas(self.canvas, self.spec)
        on = None if self.canvas is None else self.canvas.shape
        for number, layer in enumerate(self.layers):
            check_layer(layer, self.spec.size, self.spec.shape, f"layers[{number}]", self.spec.second, on)
        object.__setattr__(self, "layers", tuple(layer for layer in self.layers if len(layer)))
        if self.canvas is not None:
            object.__setattr__(self, "layers", self.layers_for_all)
            _check_shown(self)
        if self.label_mass not in MASSES:
            raise _no_mass(self.label_mass)
        if self.label_share is not None:
            freeze(self, label_share=np.array(self.label_share, np.float64))
            shape = (self.size, columns(self.layers, self.canvas is not None))
            check_label_share(self.label_share, shape, self.label_mass)
        if self.scale is not None:
            freeze(self, scale=np.array(self.scale, np.float64))
            _check_scale(self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Plan):
            return NotImplemented
        if (self.spec, self.layers, self.label_mass) != (other.spec, other.layers, other.label_mass):
            return False
        if self.canvas != other.canvas:
            return False
        # Shares that are measured follow from the layers.
        return _same(self.label_share, other.label_share) and _same(self.scale, other.scale)

    __hash__ = None  # type: ignore[assignment]

    @classmethod
    def drawn(
        cls,
        spec: BatchSpec,
        layers: tuple[Layer, ...],
        label_share: FloatArray | None = None,
        key: Key | None = None,
        label_mass: str = "one",
        scale: FloatArray | None = None,
        canvas: Canvas | None = None,
    ) -> Plan:
        """A plan of layers that have rows and fit the spec because the package has just drawn them: no copy, no check.

        On a canvas, layers are those for all samples. What users give, also in files, and what their own methods draw
        goes through the constructor.
        """
        plan = object.__new__(cls)
        if label_share is not None:
            label_share.flags.writeable = False
        if scale is not None:
            scale.flags.writeable = False
            vars(plan)["scale"] = scale
        vars(plan).update(spec=spec, layers=layers, label_share=label_share, key=key, label_mass=label_mass)
        vars(plan)["canvas"] = canvas
        return plan

    def keyed(self, key: Key) -> Plan:
        """The same plan with what it was keyed by."""
        return Plan.drawn(self.spec, self.layers, self.label_share, key, self.label_mass, self.scale, self.canvas)

    @cached_property
    def output_shape(self) -> tuple[int, ...]:
        """Lengths of the mixed axes of the result: those of the canvas, or of the samples."""
        return self.spec.shape if self.canvas is None else self.canvas.shape

    @property
    def layers_for_all(self) -> tuple[Layer, ...]:
        """The layers; on a canvas with one more, which shows the samples that no other paints on."""
        if self.canvas is None:
            return self.layers
        painted = np.zeros(self.size, np.bool_)
        for layer in self.layers:
            painted[layer.rows] = True
        rows = np.flatnonzero(~painted)
        return (*self.layers, shown_whole(rows, self.spec.shape, self.canvas)) if len(rows) else self.layers

    @property
    def size(self) -> int:
        """Number of samples ``B``."""
        return self.spec.size

    @cached_property
    def shares(self) -> tuple[IntArray, FloatArray]:
        """Sources and their measured shares, ``(B, S)`` int64 and ``(B, S)`` float64.

        Column 0 is the base sample itself; unused columns name it again with share 0. Rows of shares sum to 1: of a
        canvas only what is painted counts.
        """
        return measure(self.spec.size, self.output_shape, self.layers, self.canvas is not None)

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
        return self.shares[1] if self.label_share is None else self.label_share

    @property
    def measured(self) -> Plan:
        """The same plan, whose labels get what is painted."""
        if self.label_share is None:
            return self
        return Plan.drawn(self.spec, self.layers, key=self.key, scale=self.scale, canvas=self.canvas)

    @property
    def unscaled(self) -> Plan:
        """The same plan, whose images are what is painted."""
        return self if self.scale is None else replace(self, scale=None)

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
                "No single partner",
                where="Plan",
                got=f"{self.sources.shape[1] - 1} partners for some samples",
                wanted="at most one",
                fix="Read plan.sources and plan.share.",
            )

    def contributions(self, row: int) -> Contributions:
        """What is seen of which source in the sample ``row``, and where: a sequence, the sample itself first."""
        return contributions(row, self.output_shape, self.layers, self.canvas is not None)

    def where(self, keep: BoolArray) -> Plan:
        """The plan on the samples where ``keep`` (``(B,)`` bool) is true; the others stay unmixed."""
        kept = self.only(keep)
        return kept if self.canvas is None else kept._on(kept.layers_for_all)

    def only(self, keep: BoolArray) -> Plan:
        """Like :meth:`where`, for a part of a plan: the other samples are not even shown on a canvas."""
        layers = [layer.take(keep[layer.rows]) for layer in self.layers]
        if keep.dtype != np.bool_:  # indices could name a row twice
            layers = list(Plan(self.spec, tuple(layers), canvas=self.canvas).layers)
        scale = None if self.scale is None else np.where(keep, self.scale, 1.0)
        layers = [layer for layer in layers if len(layer.rows)]
        plan = Plan.drawn(self.spec, tuple(layers), key=self.key, scale=scale, canvas=self.canvas)
        if self.label_share is None:
            return plan
        kept = self.label_share[:, : plan.sources.shape[1]]
        unmixed = np.eye(1, kept.shape[1])
        share = np.where(keep[:, None], kept, unmixed)
        return Plan.drawn(self.spec, plan.layers, share, self.key, self.label_mass, scale, self.canvas)

    def _on(self, layers: tuple[Layer, ...]) -> Plan:
        """The same plan of other layers, of equally many sources."""
        return Plan.drawn(self.spec, layers, self.label_share, self.key, self.label_mass, self.scale, self.canvas)

    def on(self, shape: Sequence[int]) -> Plan:
        """The same plan on another grid: for label maps at a stride, frames at another rate, views of other sizes.

        Edges of boxes are multiplied by the ratio of the lengths, axis by axis, and rounded half to even; bool masks
        take the cell at the centre of each new one, soft masks the mean over its area. A region that is smaller than a
        cell may vanish. A canvas is of as many times the lengths as before, rounded alike. Labels get the shares of
        this plan's own grid, whatever is rounded.

        Args:
            shape: Lengths of the mixed axes, as many as :attr:`spec` has; any where nothing has a place.

        Raises:
            PlanError: There is another number of axes, or none of their lengths can be multiplied.

        Example:
            >>> plan = Plan(BatchSpec(2, (8, 8)), (Layer([0], [1], [1.0], Boxes([[2, 4]], [[8, 8]])),))
            >>> plan.on((4, 4)).layers[0].region.slices(0)
            (slice(1, 4, None), slice(2, 4, None))
        """
        from mixtransforms.kernels.grids import (
            regrid,
            regrid_canvas,
        )  # loaded when it is used: images of one size need no other grid

        spec, old = BatchSpec(self.size, tuple(shape)), self.spec.shape
        if spec == self.spec:
            return self
        check_spec(spec)
        placed = any(layer.region is not None or layer.crop is not None for layer in self.layers)
        if placed and (len(spec.shape) != len(old) or 0 in old):
            raise PlanError(
                "No such grid",
                where="plan.on",
                got=f"lengths {spec.shape}, from {old}",
                wanted=f"{len(old)} lengths, one a mixed axis" + (", from none that is 0" if 0 in old else ""),
                fix="Give the lengths of the mixed axes alone, in their order, without samples and channels.",
            )
        canvas = None if self.canvas is None else regrid_canvas(self.canvas, old, spec.shape)
        out = None if self.canvas is None or canvas is None else (self.canvas.shape, canvas.shape)
        layers = tuple([regrid(layer, old, spec.shape, out) for layer in self.layers]) if placed else self.layers
        return Plan.drawn(spec, layers, self.target_share, self.key, self.label_mass, self.scale, canvas)

    def apply(self, array: Any, layout: str | None = None) -> Any:
        """Paints any array of ``B`` samples: features, embeddings, audio, tables.

        Args:
            array: ``(B, ...)``, NumPy or torch. A plan with regions needs its mixed axes, ``spec.shape``, in it.
            layout: ``None`` (tensors channels-first, NumPy arrays channels-last), ``"channels_first"`` or
                ``"channels_last"``.

        Returns:
            A new array of the same type, shape and dtype; on a canvas the mixed axes have its lengths.
        """
        from mixtransforms.kernels.paint import apply_plan  # loaded when it is used: drawing needs no kernel

        return apply_plan(self, array, layout)

    def tensors(self, device: Any = None, *, full: bool = False) -> PlanTensors:
        """The plan as tensors, for pure functions of tensors, such as :func:`mixtransforms.torchvision.functional.mix`.

        All numbers are in one buffer, copied to the device once, from pinned memory and without waiting where that is
        CUDA. The plan keeps it: asking again for the same device copies nothing.

        Args:
            device: A torch device or its name; ``None`` is torch's default device.
            full: Leave no field out that plans of MixUp, CutMix and OneOf may need. Their tensors are then all of the
                same form, and one compiled graph serves them all; else a form has what the plan needs and no more.
        """
        from mixtransforms.kernels.plan_tensors import exact_device, plan_tensors

        there = exact_device(device)
        tensors: PlanTensors | None = self._placed.get((there, full))
        if tensors is None:
            self._placed[there, full] = tensors = plan_tensors(self, there, full=full)
        return tensors

    @cached_property
    def _placed(self) -> Memo:
        return Memo()

    def to_dict(self) -> dict[str, Any]:
        """The plan in JSON's vocabulary; :meth:`from_dict` gives an equal plan.

        Masks are compressed where all of them together are 256 MB at most, which is what is read back.
        """
        masks = sum(layer.region.values.nbytes for layer in self.layers if isinstance(layer.region, Mask))
        layers = [layer.to_dict(packed=masks <= MOST_UNPACKED) for layer in self.layers]
        result: dict[str, Any] = {"size": self.spec.size, "shape": list(self.spec.shape), "layers": layers}
        if self.label_share is not None:
            result["label_share"] = self.label_share.tolist()
        if self.label_mass != "one":
            result["label_mass"] = self.label_mass
        if self.scale is not None:
            result["scale"] = self.scale.tolist()
        if self.key is not None:
            result["key"] = self.key.to_dict()
        if self.canvas is not None:
            result["canvas"] = self.canvas.to_dict()
        version = max(version_of(result, _NAMES), *(version_of(layer, LAYER_NAMES) for layer in layers), 1)
        return result if version == 1 else {"plan_version": version, **result}

    @classmethod
    def from_dict(cls, data: Any) -> Plan:
        """The plan that :meth:`to_dict` wrote, now or in an earlier release.

        What is read takes no more memory than what is given; compressed masks take what the spec says, 256 MB at most.

        Raises:
            PlanError: Something is missing, unknown, inconsistent, or no number that it may be.
        """
        if not isinstance(data, Mapping) or not _NEEDED <= set(data) <= set(_NAMES):
            raise PlanError(
                "Not a plan",
                where="Plan.from_dict",
                got=f"keys {sorted(map(str, data))}" if isinstance(data, Mapping) else type(data).__name__,
                wanted="size, shape, layers, and perhaps label_share, label_mass, scale, key, canvas and plan_version",
                fix="Give what Plan.to_dict returned.",
            )
        try:
            return _read(data)
        except PlanError:
            raise
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as reason:
            raise PlanError(
                "Not a plan",
                where="Plan.from_dict",
                got=f"{type(reason).__name__}: {reason}",
                wanted="the values that Plan.to_dict returned",
                fix="Give them unchanged.",
            ) from reason

    def __repr__(self) -> str:
        mixed = int(self.mixed.sum())
        canvas = "" if self.canvas is None else f", canvas={self.canvas.shape}"
        return f"Plan(size={self.size}, shape={self.spec.shape}{canvas}, layers={len(self.layers)}, mixed={mixed})"

    def __str__(self) -> str:
        lines = [repr(self)]
        for row, (sources, shares) in enumerate(zip(self.sources.tolist(), self.share.tolist(), strict=True)):
            parts = [f"{share:.3f} of {source}" for source, share in zip(sources, shares, strict=True) if share > 0]
            times = "" if self.scale is None or self.scale[row] == 1 else f", times {self.scale[row]:.3f}"
            lines.append(f"  {row}: " + " + ".join(parts) + times)
        return "\n".join(lines)


def _read(data: Mapping[str, Any]) -> Plan:
    """The plan in a dict; what it holds that no plan has ends in any error."""
    version = whole_number(data.get("plan_version", 1))
    if not 1 <= version <= VERSION:
        raise PlanError(
            "Unknown version of a plan",
            where="Plan.from_dict",
            got=f"plan_version {version}",
            wanted=f"a whole number from 1 to {VERSION}",
            fix="Read it with the release of mixtransforms that wrote it, or a later one.",
        )
    layers, share, key = listed(data["layers"]), data.get("label_share"), data.get("key")
    for given, since in ((data, _NAMES), *((layer, LAYER_NAMES) for layer in layers)):
        check_names(given, since, version)
    spec = BatchSpec(whole_number(data["size"], MOST_SAMPLES), tuple(map(whole_number, listed(data["shape"]))))
    canvas = None if data.get("canvas") is None else Canvas.from_dict(data["canvas"])
    if canvas is not None and sum(len(layer["rows"]) for layer in layers) < spec.size:
        raise ValueError(f"{spec.size} samples, of which some are not on the canvas")  # none is left out when written
    shape = spec.shape if canvas is None else canvas.shape
    check_room([(len(layer["rows"]), layer["packed"]) for layer in layers if "packed" in layer], shape)
    return Plan(
        spec,
        tuple(map(Layer.from_dict, layers)),
        None if share is None else numbers(share),
        None if key is None else Key(**{name: whole_number(value, _most(name)) for name, value in key.items()}),
        data.get("label_mass", "one"),
        None if data.get("scale") is None else numbers(data["scale"]),
        canvas,
    )


def _check_canvas(canvas: Canvas, spec: BatchSpec) -> None:
    """Refuses a canvas of other axes than the samples, and samples of which it could show nothing.

    Raises:
        PlanError: It is one.
    """
    given: Any = canvas
    if not isinstance(given, Canvas) or len(canvas.shape) != len(spec.shape) or 0 in spec.shape:
        raise PlanError(
            "No canvas for these samples",
            where="canvas",
            got=f"{canvas!r}, for samples of {spec.shape}",
            wanted=f"a Canvas of {len(spec.shape)} lengths, one a mixed axis, and samples of at least one cell",
            fix="Give the lengths of the mixed axes alone, in their order, without samples and channels.",
        )


def _check_shown(plan: Plan) -> None:
    """Refuses samples of which nothing but the canvas is seen: nobody knows what their label is.

    Raises:
        PlanError: There are some.
    """
    shown = np.zeros(plan.size, np.bool_)
    for layer in plan.layers:  # what is painted last is seen, and what it hides is hidden by somebody
        shown[layer.rows[layer.coverage(plan.output_shape) > 0]] = True
    if not shown.all():
        raise PlanError(
            "Samples that show nothing",
            where="layers",
            got=f"rows {np.flatnonzero(~shown)[:5].tolist()}",
            wanted="something of a sample on every canvas",
            fix="Leave these rows out of all layers, and they are shown whole.",
        )


def _same(first: FloatArray | None, second: FloatArray | None) -> bool:
    """Whether two arrays are equal, or both are not there."""
    return first is second if first is None or second is None else np.array_equal(first, second)


def _check_scale(plan: Plan) -> None:
    """Refuses scales that would make images which are none, or change what is not mixed.

    Raises:
        PlanError: The shape is another one, a number is no scale, or nothing is painted on a sample that has one.
    """
    scale = plan.scale
    assert scale is not None
    if scale.shape != (plan.size,):
        raise PlanError(
            "Scales do not fit",
            where="scale",
            got=scale.shape,
            wanted=f"({plan.size},), one number a sample",
            fix="Give a number for every sample of the batch, 1 where it is not mixed.",
        )
    alone = np.ones(plan.size, np.bool_)
    for layer in plan.layers:
        alone[layer.rows] = False
    fine = np.isfinite(scale) & (scale > 0) & ((scale == 1) | ~alone)
    if not fine.all():
        row = int(np.flatnonzero(~fine)[0])
        raise PlanError(
            "Scales are none",
            where="scale",
            got=f"{scale[row]:g} in row {row}" + (", on which nothing is painted" if alone[row] else ""),
            wanted="1" if alone[row] else "finite numbers above 0",
            fix="Give 1 where a sample is not to be scaled.",
        )


def check_label_share(share: FloatArray, shape: tuple[int, int], mass: str) -> None:
    """Refuses declared shares that would make labels which are none.

    Args:
        share: The shares, float64.
        shape: One row a sample, one column a source.
        mass: One of :data:`MASSES`.

    Raises:
        PlanError: The shape is another one, or a number is no share.
    """
    if share.shape != shape:
        raise PlanError(
            "Declared label shares do not fit",
            where="label_share",
            got=share.shape,
            wanted=f"{shape}, one column a source",
            fix="Give a share for every column of plan.sources.",
        )
    free, total = mass == "free", share.sum(axis=1)
    fine = np.isfinite(total) & (share >= 0).all(axis=1)  # NaN and infinity are in the sum, too
    if not free:
        fine &= (share <= 1).all(axis=1) & (np.abs(total - 1) <= _ROUNDING)
    if not fine.all():
        row = int(np.flatnonzero(~fine)[0])
        raise PlanError(
            "Declared label shares are none",
            where="label_share",
            got=f"{share[row].tolist()} in row {row}",
            wanted="finite numbers, not negative" if free else "numbers within [0, 1] that sum to 1",
            fix="Correct them." if free else "Correct them, or say label_mass='free' where labels may weigh otherwise.",
        )


def _most(name: str) -> int:
    """The largest number in a part of a key."""
    return (1 << (32 if name in ("epoch", "rank") else 64)) - 1


def _no_mass(got: object) -> PlanError:
    return PlanError(
        "Unknown mass of labels",
        where="label_mass",
        got=repr(got),
        wanted=" or ".join(map(repr, MASSES)),
        fix="Leave it out where the shares of every sample sum to 1.",
    )
