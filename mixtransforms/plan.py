"""Specs and plans: everything random about one call, drawn once, from which every target is derived.

A plan is a painter's model. Every sample starts as itself; each layer then paints, on some rows of the batch,
the *original* samples of other rows. What share of a sample's result comes from which source is measured from
the layers, never assumed.

The convention, everywhere: ``weight`` belongs to the base sample ``i``; its partner gets ``1 - weight``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from mixtransforms.core.compositing import Contributions, contributions, measure
from mixtransforms.core.display import Displayed
from mixtransforms.core.errors import PlanError
from mixtransforms.core.layers import BoolArray, Boxes, FloatArray, IntArray, Layer, Mask, check_layer, freeze
from mixtransforms.core.memo import Memo
from mixtransforms.core.mixture import BatchSpec
from mixtransforms.rng.keys import Key

if TYPE_CHECKING:
    from mixtransforms.kernels.plan_tensors import PlanTensors

__all__ = ["BatchSpec", "Boxes", "Layer", "Mask", "Plan"]


@dataclass(frozen=True, eq=False)
class Plan(Displayed):
    """One draw of a method for one batch; replayable on any batch of the same spec.

    Attributes:
        spec: The batch it was made for.
        layers: Painted in this order; layers without rows are left out.
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
        for number, layer in enumerate(self.layers):
            check_layer(layer, self.spec.size, self.spec.shape, f"layers[{number}]")
        object.__setattr__(self, "layers", tuple(layer for layer in self.layers if len(layer)))
        if self.label_share is not None:
            freeze(self, label_share=np.array(self.label_share, np.float64))
            if self.label_share.shape != self.sources.shape:
                raise PlanError(
                    "Declared label shares do not fit",
                    where="label_share",
                    got=self.label_share.shape,
                    wanted=f"{self.sources.shape}, one column a source",
                    fix="Give a share for every column of plan.sources.",
                )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Plan):
            return NotImplemented
        if self.spec != other.spec or self.layers != other.layers:
            return False
        if self.label_share is None or other.label_share is None:
            return self.label_share is other.label_share
        return np.array_equal(self.label_share, other.label_share)  # shares that are measured follow from the layers

    __hash__ = None  # type: ignore[assignment]

    @classmethod
    def drawn(
        cls,
        spec: BatchSpec,
        layers: tuple[Layer, ...],
        label_share: FloatArray | None = None,
        key: Key | None = None,
    ) -> Plan:
        """A plan of layers that have rows and fit the spec because the package has just drawn them: no copy, no check.

        What users give, also in files, and what their own methods draw goes through the constructor.
        """
        plan = object.__new__(cls)
        if label_share is not None:
            label_share.flags.writeable = False
        vars(plan).update(spec=spec, layers=layers, label_share=label_share, key=key)
        return plan

    def keyed(self, key: Key) -> Plan:
        """The same plan with what it was keyed by."""
        return Plan.drawn(self.spec, self.layers, self.label_share, key)

    @property
    def size(self) -> int:
        """Number of samples ``B``."""
        return self.spec.size

    @cached_property
    def shares(self) -> tuple[IntArray, FloatArray]:
        """Sources and their measured shares, ``(B, S)`` int64 and ``(B, S)`` float64.

        Column 0 is the base sample itself; unused columns name it again with share 0. Rows of shares sum to 1.
        """
        return measure(self.spec.size, self.spec.shape, self.layers)

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
        return self if self.label_share is None else Plan.drawn(self.spec, self.layers, key=self.key)

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
        return contributions(row, self.spec.shape, self.layers)

    def where(self, keep: BoolArray) -> Plan:
        """The plan on the samples where ``keep`` (``(B,)`` bool) is true; the others stay unmixed."""
        layers = [layer.take(keep[layer.rows]) for layer in self.layers]
        if keep.dtype != np.bool_:  # indices could name a row twice
            layers = list(Plan(self.spec, tuple(layers)).layers)
        plan = Plan.drawn(self.spec, tuple(layer for layer in layers if len(layer.rows)), key=self.key)
        if self.label_share is None:
            return plan
        kept = self.label_share[:, : plan.sources.shape[1]]
        unmixed = np.eye(1, kept.shape[1])
        freeze(plan, label_share=np.where(keep[:, None], kept, unmixed))
        return plan

    def apply(self, array: Any, layout: str | None = None) -> Any:
        """Paints any array of ``B`` samples: features, embeddings, audio, tables.

        Args:
            array: ``(B, ...)``, NumPy or torch. A plan with regions needs its mixed axes, ``spec.shape``, in it.
            layout: ``None`` (tensors channels-first, NumPy arrays channels-last), ``"channels_first"`` or
                ``"channels_last"``.

        Returns:
            A new array of the same type, shape and dtype.
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
        """The plan in JSON's vocabulary; :meth:`from_dict` gives an equal plan."""
        result: dict[str, Any] = {
            "size": self.spec.size,
            "shape": list(self.spec.shape),
            "layers": [layer.to_dict() for layer in self.layers],
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
                "Not a plan",
                where="Plan.from_dict",
                got=f"keys {sorted(data)}",
                wanted="size, shape, layers, and perhaps label_share and key",
                fix="Give what Plan.to_dict returned.",
            )
        share, key = data.get("label_share"), data.get("key")
        try:
            return cls(
                BatchSpec(int(data["size"]), tuple(int(length) for length in data["shape"])),
                tuple(Layer.from_dict(layer) for layer in data["layers"]),
                None if share is None else np.asarray(share, np.float64),
                None if key is None else Key(**key),
            )
        except PlanError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError) as reason:
            raise PlanError(
                "Not a plan",
                where="Plan.from_dict",
                got=f"{type(reason).__name__}: {reason}",
                wanted="the values that Plan.to_dict returned",
                fix="Give them unchanged.",
            ) from reason

    def __repr__(self) -> str:
        mixed = int(self.mixed.sum())
        return f"Plan(size={self.size}, shape={self.spec.shape}, layers={len(self.layers)}, mixed={mixed})"

    def __str__(self) -> str:
        lines = [repr(self)]
        for row, (sources, shares) in enumerate(zip(self.sources.tolist(), self.share.tolist(), strict=True)):
            parts = [f"{share:.3f} of {source}" for source, share in zip(sources, shares, strict=True) if share > 0]
            lines.append(f"  {row}: " + " + ".join(parts))
        return "\n".join(lines)
