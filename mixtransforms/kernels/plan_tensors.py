"""Plans as tensors: what a plan paints, on one device, copied there at once.

A layer of a plan paints some rows. As tensors, layers are stacked, each on the whole batch: the last one of a row is
the last that paints it, the one before it the one before that, and rows with fewer layers than others begin with layers
of themselves. So a sample that is mixed by MixUp and its neighbour by CutMix need one layer, and no shape depends on
who is mixed with whom.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mixtransforms.core.backends import dtype_name
from mixtransforms.core.errors import PlanError
from mixtransforms.core.layers import BoolArray, Boxes, IntArray, Layer, Mask
from mixtransforms.kernels.blending import integer_weight
from mixtransforms.kernels.resampling import most_taps

if TYPE_CHECKING:
    from mixtransforms.core.mixture import Mixture

_ALIGNMENT = 8  # bytes of the widest dtype, int64 or float64: every part of the buffer can be viewed as any of them


class PlanTensors(NamedTuple):
    """What a plan paints, as tensors on one device: ``B`` samples, ``K`` layers, ``d`` mixed axes, ``S`` sources.

    A pytree, to be handed to compiled functions. Fields are ``None`` where no layer needs them, so that nothing is
    computed in vain; :meth:`mixtransforms.Plan.tensors` with ``full=True`` gives the same form to all plans of MixUp,
    CutMix and OneOf, and so the same graph.

    Attributes:
        shape: Lengths of the mixed axes, Python integers.
        taps: How many cells of a source one of the result may be a mean of, a Python integer: a loop of as many turns
            has a graph of its own. 0 where nothing is resized.
        source: Samples painted, ``(K, B)`` int64; the row itself where a layer changes nothing.
        opacity: How much of the source shows, ``(K, B)`` float64; ``None`` where every layer copies.
        weights: ``(4, K, B)`` float32: the weights of what is there and of the source that floats are blended with, and
            the same two for integers, in steps of 1/65536. ``None`` together with ``opacity``.
        opaque: Which rows a layer copies to, ``(K, B)`` bool; ``None`` where there are none, or no others.
        start: First cells inside the layers' boxes, ``(K, B, d)`` int32; ``None`` where every layer covers its sample.
        stop: First cells outside, alike.
        shift: From a cell to the one of the source that is shown there, ``(K, B, d)`` int64; ``None`` where nothing is
            moved, or something is resized or mirrored.
        crop: Start and stop of the boxes of the sources, ``(K, B, 2, d)`` int64; ``None`` where nothing is resized or
            mirrored.
        frame: Start and stop of the boxes that they are resized into, alike.
        flip: Along which axes crops are mirrored, ``(K, B, d)`` bool, together with ``crop``; ``None`` where none is.
        field: Weight of the source at every cell, ``(K, B, *shape)`` bool or float64, in place of opacities and boxes
            where a plan has masks; else ``None``.
        joined: Whether a layer is one of several blends of whole samples and not the last, so that integers are not yet
            rounded, ``(K, B)`` bool; ``None`` where every one is rounded.
        sources: :attr:`mixtransforms.Plan.sources`, ``(B, S)`` int64, with at least two columns.
        share: :attr:`mixtransforms.Plan.target_share`, ``(B, S)`` float64, alike.
        scale: :attr:`mixtransforms.Plan.scale`, ``(B,)`` float64; ``None`` where the plan has none, also with ``full``.
        canvas: Lengths of the mixed axes of the result where it is painted on a canvas, Python integers; else ``None``.
        fill: What images have where nothing is painted on it, a Python number.
    """

    shape: tuple[int, ...]
    taps: int
    source: Tensor
    opacity: Tensor | None
    weights: Tensor | None
    opaque: Tensor | None
    start: Tensor | None
    stop: Tensor | None
    shift: Tensor | None
    crop: Tensor | None
    frame: Tensor | None
    flip: Tensor | None
    field: Tensor | None
    joined: Tensor | None
    sources: Tensor
    share: Tensor
    scale: Tensor | None = None
    canvas: tuple[int, ...] | None = None
    fill: float = 0.0

    @property
    def size(self) -> int:
        """Number of samples ``B``."""
        return self.source.shape[1]

    @property
    def has_regions(self) -> bool:
        """Whether some layer may leave a part of its sample out, or be moved; else mixed axes are of no interest."""
        return self.start is not None or self.field is not None or self.crop is not None

    @property
    def blends(self) -> bool:
        """Whether some value may be a mean of two samples."""
        return self.opacity is not None or (self.field is not None and self.field.dtype != torch.bool)

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
        return {"shape": self.shape, "taps": self.taps, "canvas": self.canvas, "fill": self.fill} | parts


# ------------------------------------------------------------------------------------------ from a plan


def exact_device(device: Any) -> torch.device:
    """A device with its number; ``None`` is torch's default device."""
    return torch.empty(0, device=device).device


@torch.compiler.disable  # type: ignore[untyped-decorator]  # it is NumPy's work, done once a plan
def plan_tensors(plan: Mixture, device: torch.device, *, full: bool = False) -> PlanTensors:
    """See :meth:`mixtransforms.Plan.tensors`, which keeps what this one makes."""
    taps, parts = _tables(plan, full)
    parts["sources"], parts["share"] = _label_shares(plan)
    parts["scale"] = plan.scale
    needed = {name: values for name, values in parts.items() if values is not None}
    with torch.inference_mode(False):  # the plan may be replayed outside of it, where such tensors are of no use
        there = _packed(needed, device)
    tensors: dict[str, Any] = dict.fromkeys(PlanTensors._fields[2:]) | there
    tensors |= {"canvas": None, "fill": 0.0}
    if plan.canvas is not None:
        tensors |= {"canvas": plan.canvas.shape, "fill": plan.canvas.fill}
    return PlanTensors(plan.spec.shape, taps, **tensors)


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


TableIndex = tuple[IntArray, IntArray]
"""Indices of the tables ``(K, B)``: which layer of the stack, and which row."""


class LayerStack(NamedTuple):
    """The layers that paint something, aligned at the last one of every row.

    Attributes:
        table: ``(K, B)``.
        layers: Every layer, and where in the table it is.
        joined: :attr:`PlanTensors.joined`.
    """

    table: tuple[int, int]
    layers: list[tuple[Layer, TableIndex]]
    joined: BoolArray


def _stack_layers(plan: Mixture) -> LayerStack:
    taken = [(layer.take(paints), run[paints]) for layer, run in _runs(plan) for paints in (_paints(layer),)]
    taken = [(layer, run) for layer, run in taken if len(layer)]
    counts = np.bincount(
        np.concatenate([np.zeros(0, np.int64), *(layer.rows for layer, _ in taken)]), minlength=plan.spec.size
    )
    depth = max(1, int(counts.max(initial=0)))
    number, placed, runs = depth - counts, [], np.zeros((depth + 1, plan.spec.size), np.int64)
    for layer, run in taken:
        at = number[layer.rows], layer.rows
        placed.append((layer, at))
        runs[at] = run
        number[layer.rows] += 1
    return LayerStack((depth, plan.spec.size), placed, (runs[:-1] == runs[1:]) & (runs[1:] > 0))


def _runs(plan: Mixture) -> Iterator[tuple[Layer, IntArray]]:
    """Every layer, and in which run of layers of whole samples it is on its rows, ``(n,)`` from 1; 0 is in none."""
    run, inside = np.zeros(plan.spec.size, np.int64), np.zeros(plan.spec.size, np.bool_)
    for layer in plan.layers:
        run[layer.rows] += ~inside[layer.rows]
        inside[layer.rows] = layer.whole
        yield layer, run[layer.rows] * layer.whole


def _paints(layer: Layer) -> BoolArray:
    seen = layer.opacity > 0
    return seen & (layer.region.volume > 0) if isinstance(layer.region, Boxes) else seen


def _tables(plan: Mixture, full: bool) -> tuple[int, dict[str, NDArray[Any] | None]]:
    """The number of taps and the fields of the layers, on the host."""
    shape, (table, layers, joined) = plan.output_shape, _stack_layers(plan)
    source, opacity = np.broadcast_to(np.arange(plan.spec.size), table).copy(), np.ones(table)
    for layer, at in layers:
        source[at], opacity[at] = layer.source, layer.opacity
    # Rows with fewer layers begin with layers of themselves, which on canvases paint nothing.
    default = shape if plan.canvas is None else (0,) * len(shape)
    taps, moves = _moved_boxes(table, shape, default, layers)
    parts: dict[str, NDArray[Any] | None] = {"source": source, **moves}
    if joined.any() and (opacity < 1).any():  # what only copies is not rounded
        parts["joined"] = joined
    if any(isinstance(layer.region, Mask) for layer, _ in layers):
        return taps, parts | {"field": _field(table, shape, layers, float(plan.canvas is None))}
    if full or plan.canvas is not None or any(layer.region is not None for layer, _ in layers):
        corners = _corners(table, default, [(_region(layer, shape), at) for layer, at in layers])
        parts["start"], parts["stop"] = np.moveaxis(corners, 2, 0).astype(np.int32)
    if full or (opacity < 1).any():
        opaque, rounded = opacity == 1, integer_weight(opacity)
        weights = np.stack([1.0 - opacity, opacity, 1.0 - rounded, rounded]).astype(np.float32)
        parts |= {"opacity": opacity, "weights": weights, "opaque": opaque if full or opaque.any() else None}
    return taps, parts


def _moved_boxes(
    table: tuple[int, int],
    shape: Sequence[int],
    default: Sequence[int],
    layers: Sequence[tuple[Layer, TableIndex]],
) -> tuple[int, dict[str, NDArray[Any] | None]]:
    """From where to where sources are moved; by one number an axis and without taps, where none is resized."""
    crop = _corners(table, default, [(layer.crop, at) for layer, at in layers])
    frame = _corners(table, default, [(None if layer.crop is None else layer.frame(shape), at) for layer, at in layers])
    cells, count = (np.diff(part, axis=2) for part in (crop, frame))
    flip = _flips((*table, len(shape)), layers)
    resized = not np.array_equal(cells, count)
    if not resized and flip is None:
        shift = (crop - frame)[:, :, 0]
        return 0, {"shift": shift if shift.any() or default is not shape else None}
    if not resized:
        return 0, {"crop": crop, "frame": frame, "flip": flip}
    most = max(map(most_taps, cells.ravel().tolist(), np.maximum(count, 1).ravel().tolist()))
    # A power of two, so that plans of one method are of few forms, each of which is compiled.
    return 1 << (most - 1).bit_length(), {"crop": crop, "frame": frame, "flip": flip}


def _region(layer: Layer, shape: Sequence[int]) -> Boxes | Mask:
    return Boxes.full(len(layer), shape) if layer.region is None else layer.region


def _flips(shape: tuple[int, ...], layers: Sequence[tuple[Layer, TableIndex]]) -> BoolArray | None:
    """Along which axes layers are mirrored, ``(K, B, d)``."""
    flip = np.zeros(shape, np.bool_)
    for layer, at in layers:
        if layer.flip is not None:
            flip[at] = layer.flip
    return flip if flip.any() else None


def _corners(table: tuple[int, int], shape: Sequence[int], boxes: Sequence[tuple[object, TableIndex]]) -> IntArray:
    """Start and stop of boxes, ``(K, B, 2, d)``; those of a sample of this shape where there are none."""
    corners = np.zeros((*table, 2, len(shape)), np.int64)
    corners[:, :, 1] = shape
    for box, at in boxes:
        if isinstance(box, Boxes):
            corners[at] = np.stack([box.start, box.stop], axis=1)
    return corners


def _field(
    table: tuple[int, int], shape: Sequence[int], layers: Sequence[tuple[Layer, TableIndex]], rest: float
) -> NDArray[Any]:
    """Weights of layers, and ``rest`` where there are none; of those that select, bools, an eighth of the memory."""
    field: NDArray[Any] = np.full(
        (*table, *shape), rest, np.float64 if any(layer.blends for layer, _ in layers) else np.bool_
    )
    for layer, at in layers:
        field[at] = layer.field(shape)
    selects = ((field == 0) | (field == 1)).all()
    return field.astype(np.bool_, copy=False) if selects else field


def _label_shares(plan: Mixture) -> tuple[IntArray, NDArray[np.float64]]:
    """Sources and shares of labels, with columns for at least one partner."""
    sources, share = plan.sources, plan.target_share
    if sources.shape[1] > 1:
        return sources, share
    return np.repeat(sources, 2, axis=1), np.concatenate([share, np.zeros_like(share)], axis=1)
