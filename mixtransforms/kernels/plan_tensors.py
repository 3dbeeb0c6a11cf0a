"""Plans as tensors: what a plan paints, on one device, copied there at once.

A layer paints some rows. As tensors, layers become *coats*, each on the whole batch: the last coat of a row is its last
layer, the one before it the layer before that, and rows with fewer layers than others begin with coats of themselves.
So a sample that is mixed by MixUp and its neighbour by CutMix need one coat, and no shape depends on who is mixed with
whom.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mixtransforms.core.backends import WEIGHT_STEPS, dtype_name
from mixtransforms.core.errors import PlanError
from mixtransforms.core.layers import BoolArray, Boxes, IntArray, Layer, Mask

if TYPE_CHECKING:
    from mixtransforms.core.mixture import Mixture

_ALIGNMENT = 8


class PlanTensors(NamedTuple):
    """What a plan paints, as tensors on one device: ``B`` samples, ``K`` coats, ``d`` mixed axes, ``S`` sources.

    A pytree, to be handed to compiled functions. Fields are ``None`` where no coat needs them, so that nothing is
    computed in vain; :meth:`mixtransforms.Plan.tensors` with ``full=True`` gives the same form to all plans of MixUp,
    CutMix and OneOf, and so the same graph.

    Attributes:
        shape: Lengths of the mixed axes, Python integers.
        source: Samples painted, ``(K, B)`` int64; the row itself where a coat changes nothing.
        opacity: How much of the source shows, ``(K, B)`` float64; ``None`` where every coat copies.
        weights: ``(4, K, B)`` float32: the weights of what is there and of the source that floats are blended with, and
            the same two for integers, in steps of 1/65536. ``None`` together with ``opacity``.
        opaque: Which rows a coat copies to, ``(K, B)`` bool; ``None`` where there are none, or no others.
        start: First cells inside the coats' boxes, ``(K, B, d)`` int32; ``None`` where every coat covers its sample.
        stop: First cells outside, alike.
        shift: From a cell to the one of the source that is shown there, ``(K, B, d)`` int64; ``None`` where nothing is
            moved.
        field: Weight of the source at every cell, ``(K, B, *shape)`` bool or float64, in place of opacities and boxes
            where a plan has masks; else ``None``.
        sources: :attr:`mixtransforms.Plan.sources`, ``(B, S)`` int64, with at least two columns.
        share: :attr:`mixtransforms.Plan.target_share`, ``(B, S)`` float64, alike.
    """

    shape: tuple[int, ...]
    source: Tensor
    opacity: Tensor | None
    weights: Tensor | None
    opaque: Tensor | None
    start: Tensor | None
    stop: Tensor | None
    shift: Tensor | None
    field: Tensor | None
    sources: Tensor
    share: Tensor

    @property
    def size(self) -> int:
        """Number of samples ``B``."""
        return self.source.shape[1]

    @property
    def has_regions(self) -> bool:
        """Whether some coat may leave a part of its sample out, or be moved; else mixed axes are of no interest."""
        return self.start is not None or self.field is not None

    def clone(self) -> PlanTensors:
        """A copy in memory of its own: the static inputs of a CUDA graph, which :meth:`copy_` then fills."""
        copies: dict[str, Any] = {name: part.clone() for name, part in self._tensors().items()}
        return self._replace(**copies)

    def copy_(self, other: PlanTensors) -> PlanTensors:
        """Overwrites these tensors with those of another plan for the same batch, from any device.

        What :meth:`mixtransforms.Plan.tensors` returned belongs to its plan: overwrite a :meth:`clone`.

        Args:
            other: Tensors of the same form and shapes.

        Returns:
            These tensors.

        Raises:
            PlanError: The forms or shapes differ.
        """
        if self._form() != other._form():
            raise PlanError(
                "Plans of different forms",
                where="PlanTensors.copy_",
                got=other._form(),
                wanted=str(self._form()),
                fix="Use plan.tensors(full=True), and batches of one size.",
            )
        torch._foreach_copy_([*self._tensors().values()], [*other._tensors().values()], non_blocking=True)
        return self

    def _tensors(self) -> dict[str, Tensor]:
        return {name: part for name, part in self._asdict().items() if isinstance(part, Tensor)}

    def _form(self) -> dict[str, Any]:
        parts = {name: (dtype_name(part), *part.shape) for name, part in self._tensors().items()}
        return {"shape": self.shape} | parts


# ------------------------------------------------------------------------------------------ from a plan


def place(device: Any) -> torch.device:
    """A device with its number; ``None`` is torch's default device."""
    return torch.empty(0, device=device).device


@torch.compiler.disable  # type: ignore[untyped-decorator]  # it is NumPy's work, done once a plan
def plan_tensors(plan: Mixture, device: torch.device, *, full: bool = False) -> PlanTensors:
    """See :meth:`mixtransforms.Plan.tensors`, which keeps what this one makes."""
    parts: dict[str, NDArray[Any] | None] = dict.fromkeys(PlanTensors._fields[1:])
    parts |= _tables(plan, full)
    parts["sources"], parts["share"] = _shares(plan)
    needed = {name: values for name, values in parts.items() if values is not None}
    with torch.inference_mode(False):  # the plan may be replayed outside of it, where such tensors are of no use
        there = _packed(needed, device)
    return PlanTensors(plan.spec.shape, **{name: there.get(name) for name in parts})  # type: ignore[arg-type]


def _packed(parts: Mapping[str, NDArray[Any]], device: torch.device) -> dict[str, Tensor]:
    """Arrays as tensors on a device: views of one buffer, which is copied once, without waiting for it."""
    starts, size = [], 0
    for values in parts.values():
        starts.append(size)
        size += -(-values.nbytes // _ALIGNMENT) * _ALIGNMENT
    buffer = torch.empty(size, dtype=torch.uint8, device="cpu", pin_memory=device.type == "cuda")
    memory = buffer.numpy()
    for start, values in zip(starts, parts.values(), strict=True):
        memory[start : start + values.nbytes] = np.ascontiguousarray(values).reshape(-1).view(np.uint8)
    there = buffer.to(device, non_blocking=True).untyped_storage()
    return {
        name: _slice(there, start, values, device) for start, (name, values) in zip(starts, parts.items(), strict=True)
    }


def _slice(there: torch.UntypedStorage, start: int, values: NDArray[Any], device: torch.device) -> Tensor:
    """A part of a buffer; no view of it as far as torch knows, which compiled code would guard as one more input."""
    dtype = getattr(torch, values.dtype.name)
    steps = [step // values.itemsize for step in np.ascontiguousarray(values).strides]
    return torch.empty(0, dtype=dtype, device=device).set_(there, start // values.itemsize, values.shape, steps)


def _tables(plan: Mixture, full: bool) -> dict[str, NDArray[Any] | None]:
    """The fields of the coats, on the host."""
    shape, (count, coats) = plan.spec.shape, _coats(plan)
    table = (count, plan.spec.size)
    source = np.broadcast_to(np.arange(plan.spec.size), table).copy()
    opacity, shift = np.ones(table), np.zeros((*table, len(shape)), np.int64)
    for layer, at in coats:
        source[at], opacity[at] = layer.source, layer.opacity
        if layer.crop is not None:
            shift[at] = _shift(layer, shape)
    layers = [layer for layer, _ in coats]
    parts: dict[str, NDArray[Any] | None] = {"source": source, "shift": shift if shift.any() else None}
    if any(isinstance(layer.region, Mask) for layer in layers):
        return parts | {"field": _field(table, shape, coats)}
    if full or any(layer.region is not None for layer in layers):
        parts["start"], parts["stop"] = _corners(table, shape, coats)
    if full or (opacity < 1).any():
        steps = np.rint(opacity * WEIGHT_STEPS) / WEIGHT_STEPS
        opaque = opacity == 1
        weights = np.stack([1.0 - opacity, opacity, 1.0 - steps, steps]).astype(np.float32)
        parts |= {"opacity": opacity, "weights": weights, "opaque": opaque if full or opaque.any() else None}
    return parts


_Coat = tuple[Layer, tuple[IntArray, IntArray]]
"""A layer, and the indices of its rows in a table ``(K, B)``."""


def _coats(plan: Mixture) -> tuple[int, list[_Coat]]:
    """The number of coats, and every layer that paints something with its places among them."""
    layers = [layer for layer in (layer.take(_paints(layer)) for layer in plan.layers) if len(layer)]
    coats = np.zeros(plan.spec.size, np.int64)
    for layer in layers:
        coats[layer.rows] += 1
    count = max(1, int(coats.max(initial=0)))
    coat, placed = count - coats, []
    for layer in layers:
        placed.append((layer, (coat[layer.rows], layer.rows)))
        coat[layer.rows] += 1
    return count, placed


def _paints(layer: Layer) -> BoolArray:
    seen = layer.opacity > 0
    return seen & (layer.region.volume > 0) if isinstance(layer.region, Boxes) else seen


def _corners(table: tuple[int, int], shape: Sequence[int], coats: Sequence[_Coat]) -> tuple[NDArray[Any], ...]:
    start, stop = np.zeros((*table, len(shape)), np.int32), np.empty((*table, len(shape)), np.int32)
    stop[...] = shape
    for layer, at in coats:
        if isinstance(layer.region, Boxes):
            start[at], stop[at] = layer.region.start, layer.region.stop
    return start, stop


def _field(table: tuple[int, int], shape: Sequence[int], coats: Sequence[_Coat]) -> NDArray[Any]:
    field = np.ones((*table, *shape))
    for layer, at in coats:
        field[at] = layer.field(shape)
    selects = ((field == 0) | (field == 1)).all()
    return field.astype(np.bool_) if selects else field


def _shift(layer: Layer, shape: Sequence[int]) -> IntArray:
    if layer.resizes:
        raise PlanError(
            "Resized crops are no tensors",
            where="plan.tensors",
            got="a layer whose crop may have other sides than the region",
            wanted="crops that are moved at most",
            fix="Resizes are worked out on the host: use the transform itself, or plan.apply.",
        )
    assert layer.crop is not None
    return layer.crop.start - layer.frame(shape).start


def _shares(plan: Mixture) -> tuple[IntArray, NDArray[np.float64]]:
    """Sources and shares of labels, with columns for at least one partner."""
    sources, share = plan.sources, plan.target_share
    if sources.shape[1] > 1:
        return sources, share
    return np.repeat(sources, 2, axis=1), np.concatenate([share, np.zeros_like(share)], axis=1)
