"""Images: whatever array a plan paints."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np

from mixtransforms.core.errors import InputError, PlanError, explain
from mixtransforms.core.layers import Boxes, Layer
from mixtransforms.core.plan import Plan
from mixtransforms.kernels import BLENDABLE_INTEGERS, backend_of, dtype_name, is_floating, kernel_of
from mixtransforms.targets.layouts import LAYOUTS, Layout, is_layout
from mixtransforms.targets.pastes import soft_edged


def paint(
    plan: Plan,
    array: Any,
    axes: Sequence[int],
    *,
    inplace: bool = False,
    ids: bool = False,
    where: str = "batch",
) -> Any:
    """Paints the layers of a plan on an array.

    Args:
        plan: The plan.
        array: ``(B, ...)``, NumPy or torch.
        axes: Positions of the plan's mixed axes; of none where no layer has a region.
        inplace: Overwrite the array.
        ids: The values are names of something, of which a mean has no meaning: a resize copies the nearest cell.
        where: Its place, for the error.

    Returns:
        An array of the same type, shape, dtype and memory layout.

    Raises:
        InputError: A layer computes with pixels, and the dtype holds none; or the array cannot be overwritten.
        PlanError: The array is not of the plan's spec.
    """
    _check_fit(plan, array, axes, where)
    check_paintable(array, where, blends=any(_computes(layer, ids) for layer in plan.layers), inplace=inplace)
    kernel = kernel_of(str(backend_of(array)))
    view = kernel.host_view(array)
    if view is not None and view is not array:  # rows of a tensor in host memory are painted fastest as NumPy's
        painted = _paint(kernel_of("numpy"), plan, view, axes, inplace, ids)
        return array if inplace else kernel.from_host(painted, array)
    return _paint(kernel, plan, array, axes, inplace, ids)


def _paint(kernel: ModuleType, plan: Plan, array: Any, axes: Sequence[int], inplace: bool, ids: bool) -> Any:
    canvas, original = kernel.begin(array, inplace)
    if plan.layers:
        view, source = kernel.front(canvas, axes), kernel.front(original, axes)
        for layer in plan.layers:
            view = _paint_layer(kernel, view, source, layer, ids)
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


def _paint_layer(kernel: ModuleType, view: Any, original: Any, layer: Layer, ids: bool) -> Any:
    """One layer; boxes and whole rows stay what they are, everything else becomes a weight for every cell."""
    if layer.region is None and layer.crop is None:
        return kernel.blend(view, original, layer.rows, layer.source, layer.opacity)
    if isinstance(layer.region, Boxes) and not (_blends(layer) or _resizes(layer)):
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
        fit = kernel.nearest if ids else kernel.resize
        moved = fit(original, layer.source, layer.crop, layer.frame(shape))
    return kernel.select(view, moved, layer.rows, layer.field(shape))


def _rank(layer: Layer) -> int:
    return layer.region.start.shape[1] if isinstance(layer.region, Boxes) else layer.region.values.ndim - 1  # type: ignore[union-attr]


def _computes(layer: Layer, ids: bool) -> bool:
    """Whether the layer needs arithmetic on pixels, or copies them only."""
    return _blends(layer) or (_resizes(layer) and not ids)


def _blends(layer: Layer) -> bool:
    """Whether a pixel may be a mean of two samples."""
    return soft_edged(layer) or bool(((layer.opacity > 0) & (layer.opacity < 1)).any())


def _resizes(layer: Layer) -> bool:
    """Whether the crop may be of another size than the frame that it is fitted into."""
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
    if layout is not None and not is_layout(layout):
        raise InputError(
            explain(
                "Unknown layout",
                where="plan.apply",
                got=repr(layout),
                wanted="None, " + ", ".join(LAYOUTS) + ", or named axes such as 'BTCHW'",
                fix="Name the layout.",
            )
        )
    if all(layer.region is None and layer.crop is None for layer in plan.layers):
        return paint(plan, array, ())
    rank = len(plan.spec.shape)
    if layout is not None and layout not in LAYOUTS:
        axes: Sequence[int] = Layout(layout).axes(array, "plan.apply")
    else:
        start = len(array.shape) - rank if Layout(layout).first(array) else 1
        axes = range(start, start + rank)
    return paint(plan, array, axes)


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
