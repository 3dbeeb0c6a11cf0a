"""Images: whatever array a plan paints."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np

from mixtransforms.core.errors import InputError, PlanError, explain
from mixtransforms.core.layers import Boxes, Layer, Mask
from mixtransforms.core.plan import Plan
from mixtransforms.kernels import BLENDABLE_INTEGERS, backend_of, dtype_name, is_floating, kernel_of

LAYOUTS = ("channels_first", "channels_last")

_CHANNELS = (1, 3, 4)
"""Numbers of channels that pictures have."""

_COLOURS = (3, 4)

_LONG = 16
"""From this length on an axis can hardly be the channels of a picture."""


def mixed_axes(array: Any, layout: str | None, where: str) -> tuple[int, ...]:
    """Positions of the height and width axes of a batch of images.

    Args:
        array: ``(B, C, H, W)`` or ``(B, H, W, C)``; NumPy also ``(B, H, W)``; torchvision videos ``(B, T, C, H, W)``.
        layout: ``None``: tensors are channels-first, NumPy arrays channels-last.
        where: Its place, for the error.

    Raises:
        InputError: The array has another number of axes, or its lengths plainly say that its layout is another one.
    """
    backend, shape = backend_of(array), tuple(array.shape)
    first = layout == "channels_first" or (layout is None and backend == "torch")
    video = type(array).__name__ == "Video"
    gray = len(shape) == 3 and backend == "numpy" and not first
    one = len(shape) == 3 and (not gray or (layout is None and shape[-1] in _COLOURS))
    if one or (len(shape) != 4 + video and not gray):
        raise InputError(
            explain(
                "Not a batch of images",
                where=where,
                got=f"shape {shape}" + (", which looks like one image" if one else ""),
                wanted="(B, C, H, W) for tensors, (B, H, W, C) or (B, H, W) for NumPy arrays",
                fix="Mix batches, after collation." if one else "Draw a plan and use plan.apply for other arrays.",
            )
        )
    channels, other = (shape[-3], shape[-1]) if first else (shape[-1], shape[1])
    lengths = sorted(shape[1:])
    if layout is None and not gray and not video and other in _CHANNELS and channels >= _LONG and lengths[1] >= _LONG:
        raise InputError(
            explain(
                "The axes plainly say another layout",
                where=where,
                got=f"shape {shape}",
                wanted="channels first, (B, C, H, W)" if first else "channels last, (B, H, W, C)",
                fix=f"Say layout='{'channels_last' if first else 'channels_first'}', or move the axes.",
            )
        )
    if gray:
        return (1, 2)
    rank = len(shape)
    return (rank - 2, rank - 1) if first else (1, 2)


def paint(plan: Plan, array: Any, axes: Sequence[int], *, inplace: bool = False, where: str = "batch") -> Any:
    """Paints the layers of a plan on an array.

    Args:
        plan: The plan.
        array: ``(B, ...)``, NumPy or torch.
        axes: Positions of the plan's mixed axes; of none where no layer has a region.
        inplace: Overwrite the array.
        where: Its place, for the error.

    Returns:
        An array of the same type, shape, dtype and memory layout.

    Raises:
        InputError: A layer computes with pixels, and the dtype holds none; or the array cannot be overwritten.
        PlanError: The array is not of the plan's spec.
    """
    _check_fit(plan, array, axes, where)
    check_paintable(array, where, blends=any(_computes(layer) for layer in plan.layers), inplace=inplace)
    kernel = kernel_of(str(backend_of(array)))
    view = kernel.host_view(array)
    if view is not None and view is not array:  # rows of a tensor in host memory are painted fastest as NumPy's
        painted = _paint(kernel_of("numpy"), plan, view, axes, inplace)
        return array if inplace else kernel.from_host(painted, array)
    return _paint(kernel, plan, array, axes, inplace)


def _paint(kernel: ModuleType, plan: Plan, array: Any, axes: Sequence[int], inplace: bool) -> Any:
    canvas, original = kernel.begin(array, inplace)
    if plan.layers:
        view, source = kernel.front(canvas, axes), kernel.front(original, axes)
        for layer in plan.layers:
            view = _paint_layer(kernel, view, source, layer)
        canvas = kernel.back(view, axes)
    return kernel.finish(array, canvas, inplace)


def check_paintable(array: Any, where: str, *, blends: bool, inplace: bool) -> None:
    """Refuses an array that could only be painted wrongly, or that may not be overwritten.

    Args:
        array: ``(B, ...)``.
        where: Its place, for the error.
        blends: Whether its values are computed with; else they are only copied.
        inplace: Whether it is overwritten.

    Raises:
        InputError: The dtype holds no intensities, or the array cannot be overwritten.
    """
    if blends:
        _check_intensities(array, where)
    if inplace:
        _check_writable(array, where)


def share_memory(first: Any, second: Any) -> bool:
    """Whether two arrays may overlap in memory."""
    if backend_of(first) == "numpy":
        return bool(np.may_share_memory(first, second))
    return bool(first.untyped_storage().data_ptr() == second.untyped_storage().data_ptr())


def _paint_layer(kernel: ModuleType, view: Any, original: Any, layer: Layer) -> Any:
    """One layer; boxes and whole rows stay what they are, everything else becomes a weight for every cell."""
    if layer.region is None and layer.crop is None:
        return kernel.blend(view, original, layer.rows, layer.source, layer.opacity)
    if isinstance(layer.region, Boxes) and not _computes(layer):
        keep = (layer.opacity == 1) & (layer.region.volume > 0)
        seen = layer if keep.all() else layer.take(keep)
        if not len(seen):
            return view
        return kernel.paste(view, original, seen.rows, seen.source, seen.region, seen.crop)
    rank = layer.crop.start.shape[1] if layer.crop is not None else _rank(layer)
    shape = tuple(view.shape[1 : rank + 1])
    if layer.crop is None:
        moved = kernel.sources(original, layer.source)
    else:
        moved = kernel.resize(original, layer.source, layer.crop, layer.frame(shape))
    return kernel.select(view, moved, layer.rows, layer.field(shape))


def _rank(layer: Layer) -> int:
    return layer.region.start.shape[1] if isinstance(layer.region, Boxes) else layer.region.values.ndim - 1  # type: ignore[union-attr]


def _computes(layer: Layer) -> bool:
    """Whether the layer needs arithmetic on pixels, or copies them only."""
    if ((layer.opacity > 0) & (layer.opacity < 1)).any():
        return True
    if isinstance(layer.region, Mask) and layer.region.values.dtype != np.bool_:
        return True
    if layer.crop is None:
        return False
    return not isinstance(layer.region, Boxes) or not np.array_equal(layer.crop.sides, layer.region.sides)


def apply_plan(plan: Plan, array: Any, layout: str | None = None) -> Any:
    """See :meth:`mixtransforms.Plan.apply`."""
    if backend_of(array) is None:
        raise InputError(
            explain(
                "Not an array",
                where="plan.apply",
                got=type(array).__name__,
                wanted="a NumPy array or a torch tensor",
                fix="Convert it first.",
            )
        )
    if layout is not None and layout not in LAYOUTS:
        raise InputError(
            explain(
                "Unknown layout",
                where="plan.apply",
                got=repr(layout),
                wanted="None or one of " + ", ".join(LAYOUTS),
                fix="Name the layout.",
            )
        )
    if all(layer.region is None and layer.crop is None for layer in plan.layers):
        return paint(plan, array, ())
    rank = len(plan.spec.shape)
    first = layout == "channels_first" or (layout is None and backend_of(array) == "torch")
    start = len(array.shape) - rank if first else 1
    return paint(plan, array, range(start, start + rank))


def _check_fit(plan: Plan, array: Any, axes: Sequence[int], where: str) -> None:
    shape = tuple(array.shape)
    wanted = plan.spec.shape if axes else ()
    fits = shape[:1] == (plan.size,) and all(0 < axis < len(shape) for axis in axes)
    if not fits or tuple(shape[axis] for axis in axes) != wanted:
        raise PlanError(
            explain(
                "The plan is for another batch",
                where=where,
                got=f"shape {shape}",
                wanted=f"{plan.size} samples" + (f" with mixed axes {wanted}" if wanted else ""),
                fix="Draw a plan for this batch, or name the layout.",
            )
        )


def _check_intensities(array: Any, where: str) -> None:
    dtype = dtype_name(array)
    if not is_floating(array) and dtype not in BLENDABLE_INTEGERS:
        raise InputError(
            explain(
                "These values cannot be blended",
                where=where,
                got=f"dtype {dtype}, as of token ids or class ids",
                wanted="floats or " + ", ".join(sorted(BLENDABLE_INTEGERS)),
                fix="Convert intensities to one of these, mix the embeddings of ids, or paste with CutMix.",
            )
        )


def _check_writable(array: Any, where: str) -> None:
    if backend_of(array) == "numpy":
        reason = "" if array.flags.writeable else "a read-only array"
    elif array.requires_grad and array.is_leaf:
        reason = "a leaf tensor that requires grad"
    elif array.requires_grad and array._base is not None:
        reason = "a view of a tensor that requires grad"
    elif array.is_inference():
        reason = "an inference tensor"
    else:
        shared = any(step == 0 and length > 1 for step, length in zip(array.stride(), array.shape, strict=True))
        shared = shared and array.numel() > 0
        reason = "an expanded tensor, whose samples share memory" if shared else ""
    if reason:
        raise InputError(
            explain(
                "Cannot be overwritten", where=where, got=reason, wanted="memory of its own", fix="Use inplace=False."
            )
        )
