"""Images: whatever array a plan paints."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core.backends import BLENDABLE_INTEGERS, backend_of, check_form, check_scalable, dtype_name, unmasked
from mixtransforms.core.canvas import Canvas
from mixtransforms.core.errors import InputError, PlanError
from mixtransforms.core.layers import Boxes, Layer
from mixtransforms.core.layout import LAYOUTS, Layout, is_layout
from mixtransforms.core.mixture import Mixture
from mixtransforms.kernels import compiled_rows, kernel_of, rows
from mixtransforms.kernels.numpy import scale_rows


def paint(
    plan: Mixture,
    array: Any,
    axes: Sequence[int],
    *,
    originals: Sequence[NDArray[Any]] | None = None,
    inplace: bool = False,
    ids: bool = False,
    fill: float | None = None,
    where: str = "batch",
) -> Any:
    """Paints the layers of a plan on an array, or on canvases.

    Args:
        plan: The plan.
        array: ``(B, ...)``, NumPy or torch.
        axes: Positions of the plan's mixed axes; of none where no layer has a region.
        originals: What is painted where ``array`` is still empty: samples that were never stacked, as NumPy arrays. It
            may have fewer rows than these, where the others are painted with and not on.
        inplace: Overwrite the array.
        ids: The values are names of something, of which a mean has no meaning: a resize copies the nearest cell, and
            nothing is scaled.
        fill: What canvases have where nothing is painted; ``None`` is the canvas's own fill.
        where: Its place, for the error.

    Returns:
        An array of the same type, dtype and memory layout, and of the same shape but for mixed axes on canvases.

    Raises:
        InputError: A layer computes with pixels, and the dtype holds none; whole numbers are to be scaled; the array
            cannot be overwritten, or has no such value as the fill.
        PlanError: The array is not of the plan's spec.
    """
    _check_fit(plan, array.shape if originals is None else (len(originals), *array.shape[1:]), axes, where)
    if plan.scale is not None and not ids:
        check_scalable(array, where)
    if plan.canvas is not None:
        check_fill(plan.canvas.fill if fill is None else fill, array, where)
        if inplace:
            raise _no_place(where)
    check_paintable(array, where, blends=any(_computes(layer, ids) for layer in plan.layers), inplace=inplace)
    return paint_checked(plan, array, axes, originals=originals, inplace=inplace, ids=ids, fill=fill)


def paint_checked(
    plan: Mixture,
    array: Any,
    axes: Sequence[int],
    *,
    originals: Sequence[NDArray[Any]] | None = None,
    inplace: bool = False,
    ids: bool = False,
    fill: float | None = None,
) -> Any:
    """See :func:`paint`, for an array that is known to fit the plan, and to hold intensities where that computes."""
    if plan.canvas is not None:
        return _paint_canvases(plan, plan.canvas, array, axes, originals, ids, fill)
    if len(array.shape) == 1:  # a row of one number is an array, too
        painted = paint_checked(plan, array[:, None], axes, inplace=inplace, ids=ids)
        return array if inplace else painted[:, 0]
    kernel = kernel_of(str(backend_of(array)))
    if compiled_rows.knows(plan.layers, len(axes)):
        painted = _paint_compiled(kernel, plan, array, axes, originals, ids, inplace)
        if painted is not None:
            return painted
    view = kernel.host_view(array)
    if view is None:
        painted = _paint_bits(kernel, plan, array, axes, ids, inplace)
        return kernel.paint(plan, array, axes, ids, inplace) if painted is None else painted
    if originals is not None:
        rows.paint(plan.layers, originals, view, axes, ids, kernel.row_writer(array), blender=kernel.blender)
        if plan.scale is not None and not ids:
            scale_rows(view, plan.scale[: len(view)])
        return array
    painted = view if inplace else np.empty_like(view)
    _paint_rows(kernel, plan.layers, view, painted, axes, ids)
    if plan.scale is not None and not ids:
        scale_rows(painted, plan.scale)
    if inplace:
        kernel.note_overwritten(array)
    return array if inplace else kernel.from_host(painted, array)


def _paint_compiled(
    kernel: ModuleType,
    plan: Mixture,
    array: Any,
    axes: Sequence[int],
    originals: Sequence[NDArray[Any]] | None,
    ids: bool,
    inplace: bool,
) -> Any | None:
    """See :func:`paint_checked`, by the kernel in C; ``None`` where that does not know the memory."""
    scale = None if ids else plan.scale
    given = kernel.cells(array)
    if given is None or (scale is not None and kernel.host_view(array) is None):
        return None
    file = None if originals is None else kernel.shared_file(array)
    own = inplace or originals is not None
    painted = array if own else kernel.empty_like(array)
    canvas = given if own else kernel.cells(painted)
    read = given if originals is None else originals
    if canvas is None or not compiled_rows.paint(plan.layers, read, canvas, axes, file):
        return None
    if scale is not None:
        scale_rows(kernel.host_view(painted), scale[: len(painted)])
    if inplace:
        kernel.note_overwritten(array)
    return array if own else kernel.typed(painted, array)


def _paint_rows(
    kernel: ModuleType, layers: Sequence[Layer], original: Any, canvas: Any, axes: Sequence[int], ids: bool
) -> None:
    """Paints host memory; in place where both are one array."""
    # Small samples cost more in calls than in pixels. Large ones are painted one by one, each while it is in the cache,
    # and without temporaries as large as the batch.
    if len(layers) != 1 or not _paint_all(kernel, layers[0], original, canvas, axes):
        originals = None if original is canvas else list(original)
        rows.paint(layers, originals, canvas, axes, ids, blender=kernel.blender)


def _paint_bits(
    kernel: ModuleType, plan: Mixture, array: Any, axes: Sequence[int], ids: bool, inplace: bool
) -> Any | None:
    """What is painted in host memory in dtypes that NumPy has not; ``None`` where that cannot be."""
    bits = kernel.bits_view(array)
    if bits is None or (plan.scale is not None and not ids):
        return None
    dtype = dtype_name(array)
    if not all(_needs_no_numbers(layer, dtype, ids) for layer in plan.layers):
        return None
    painted = bits if inplace else np.empty_like(bits)
    _paint_rows(kernel, plan.layers, bits, painted, axes, ids)
    if inplace:
        kernel.note_overwritten(array)
    return array if inplace else kernel.from_bits(painted, array)


def _needs_no_numbers(layer: Layer, dtype: str, ids: bool) -> bool:
    """Whether a layer is painted on bits: it copies them, or blends whole samples, which kernels do of bfloat16."""
    blends = layer.blends and not (layer.whole and dtype == "bfloat16")
    return not blends and (ids or not layer.resizes)


def _paint_canvases(
    plan: Mixture,
    canvas: Canvas,
    array: Any,
    axes: Sequence[int],
    originals: Sequence[NDArray[Any]] | None,
    ids: bool,
    fill: float | None,
) -> Any:
    """What is painted on canvases: an array of another size, of which every row is written once."""
    fill = canvas.fill if fill is None else fill
    kernel = kernel_of(str(backend_of(array)))
    view = kernel.host_view(array)
    if view is None:
        return kernel.paint(plan, array, axes, ids, False, fill)
    shape = list(view.shape)
    for axis, length in zip(axes, canvas.shape, strict=True):
        shape[axis] = length
    painted = np.empty_like(view, shape=tuple(shape))
    layers = plan.layers
    if originals is not None and len(originals) > len(view):  # the others are painted with, and not on
        layers = tuple([layer.take(layer.rows < len(view)) for layer in layers])
    given = list(view) if originals is None else originals
    rows.paint(layers, given, painted, axes, ids, fill=fill, blender=kernel.blender)
    if plan.scale is not None and not ids:
        scale_rows(painted, plan.scale[: len(painted)])
    return kernel.from_host(painted, array)


def _paint_all(kernel: ModuleType, layer: Layer, original: Any, canvas: Any, axes: Sequence[int]) -> bool:
    """Paints small samples, of which few operations on the whole batch beat many on rows; whether there are such."""
    if canvas.nbytes >= kernel.small_row(canvas.dtype, layer.blends) * len(canvas) or layer.crop is not None:
        return False
    order = np.argsort(np.negative(canvas.strides), kind="stable").tolist()
    out = canvas.transpose(order)
    given = out if original is canvas else original.transpose(order)
    if order[0] or not (out.flags.c_contiguous and given.flags.c_contiguous):
        return False
    if layer.region is None:
        out, size = out.reshape(len(out), -1), len(given)
        _blend_all(kernel, layer, out if original is canvas else given.reshape(size, -1), out)
        return True
    if not isinstance(layer.region, Boxes) or layer.blends:
        return False
    opaque = layer.opacity == 1
    seen = layer if opaque.all() else layer.take(opaque)
    kernel.paste_all(out, given, seen.rows, seen.source, seen.region, [order.index(axis) - 1 for axis in axes])
    return True


def _blend_all(kernel: ModuleType, layer: Layer, original: Any, canvas: Any) -> None:
    """Blends whole small samples ``(B, n)``; in place where both are one array."""
    seen = layer.opacity > 0
    painted = layer if seen.all() else layer.take(seen)
    kernel.blend_all(canvas, original, painted.rows, painted.source, painted.opacity)


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


def check_fill(fill: float, array: Any, where: str) -> None:
    """Refuses an array for canvases that has no such value as the fill of these.

    Raises:
        InputError: It is one.
    """
    low, high, whole = _range(dtype_name(array))
    if not low <= fill <= high or (whole and fill != round(fill)):
        raise InputError(
            "A fill that the values cannot have",
            where=where,
            got=f"fill {fill:g}, dtype {dtype_name(array)}",
            wanted=f"{'a whole' if whole else 'a'} number within [{low:g}, {high:g}]",
            fix="Give images a fill, and masks an ignore_index, in their own units, or convert them to a wider dtype.",
        )


def _range(dtype: str) -> tuple[float, float, bool]:
    """The least and the largest finite value of a dtype, and whether all are whole."""
    if dtype == "bool":
        return 0, 1, True
    if "int" in dtype:
        limits = np.iinfo(dtype)
        return limits.min, limits.max, True
    most = float(np.finfo(np.float16 if dtype == "float16" else np.float64).max)
    return -most, most, False


def _no_place(where: str) -> InputError:
    return InputError(
        "A canvas is not painted in place",
        where=where,
        got="inplace=True, and a plan with a canvas",
        wanted="memory of its own, which may be of another size",
        fix="Use inplace=False.",
    )


def share_memory(first: Any, second: Any) -> bool:
    """Whether two arrays may overlap in memory."""
    if backend_of(first) == "numpy":
        return bool(np.may_share_memory(first, second))
    return bool(first.untyped_storage().data_ptr() == second.untyped_storage().data_ptr())


def _computes(layer: Layer, ids: bool) -> bool:
    """Whether the layer needs arithmetic on pixels, or copies them only."""
    return layer.blends or (layer.resizes and not ids)


def apply_plan(plan: Mixture, array: Any, layout: str | None = None) -> Any:
    """See :meth:`mixtransforms.Plan.apply`."""
    if backend_of(array) is None:
        raise InputError(
            "Not an array",
            where="plan.apply",
            got=type(array).__name__,
            wanted="a NumPy array or a torch tensor",
            fix="Convert it first.",
        )
    if layout is not None and not is_layout(layout):
        raise InputError(
            "Unknown layout",
            where="plan.apply",
            got=repr(layout),
            wanted="None, " + ", ".join(LAYOUTS) + ", or named axes such as 'BTCHW'",
            fix="Name the layout.",
        )
    check_form(array, "plan.apply")
    array = unmasked(array, "plan.apply")
    if plan.canvas is None and all(layer.region is None and layer.crop is None for layer in plan.layers):
        return paint(plan, array, ())
    rank = len(plan.spec.shape)
    if layout is not None and layout not in LAYOUTS:
        axes: Sequence[int] = Layout(layout).axes(array, "plan.apply")
    else:
        start = len(array.shape) - rank if Layout(layout).first(array) else 1
        axes = range(start, start + rank)
    return paint(plan, array, axes)


def _check_fit(plan: Mixture, lengths: Sequence[int], axes: Sequence[int], where: str) -> None:
    shape = tuple(lengths)
    wanted = plan.spec.shape if axes else ()
    fits = shape[:1] == (plan.spec.size,) and min(axes, default=1) > 0 and max(axes, default=0) < len(shape)
    if not fits or tuple(map(shape.__getitem__, axes)) != wanted:
        raise PlanError(
            "The plan is for another batch",
            where=where,
            got=f"shape {shape}",
            wanted=f"{plan.spec.size} samples" + (f" with mixed axes {wanted}" if wanted else ""),
            fix="Draw a plan for this batch, name the layout, or take the plan to this size with plan.on(lengths).",
        )


def holds_intensities(array: Any) -> bool:
    """Whether the values of an array may be computed with: floats, and integers that are too narrow for ids."""
    dtype = dtype_name(array)
    return "float" in dtype or dtype in BLENDABLE_INTEGERS


def _check_intensities(array: Any, where: str) -> None:
    if not holds_intensities(array):
        dtype = dtype_name(array)
        raise InputError(
            "These values cannot be blended",
            where=where,
            got=f"dtype {dtype}, as of token ids or class ids",
            wanted="floats or " + ", ".join(sorted(BLENDABLE_INTEGERS)),
            fix="Convert intensities to one of these, mix the embeddings of ids, or paste with CutMix.",
        )


def _check_writable(array: Any, where: str) -> None:
    if backend_of(array) == "numpy":
        reason = "" if array.flags.writeable else "a read-only array"
    elif array.requires_grad and array.is_leaf:
        reason = "a leaf tensor that requires grad"
    elif array.requires_grad and array._base is not None:
        reason = "a view of a tensor that requires grad"
    else:
        reason = "an inference tensor" if array.is_inference() else ""
    if not reason and _overlaps(array):
        reason = "an array whose cells share memory, as those of windows and of expanded tensors do"
    if reason:
        raise InputError(
            "Cannot be overwritten", where=where, got=reason, wanted="memory of its own", fix="Use inplace=False."
        )


def _overlaps(array: Any) -> bool:
    """Whether two cells of an array may be one place in memory: windows, or what was broadcast."""
    torch = backend_of(array) == "torch"
    if array.is_contiguous() if torch else array.flags.c_contiguous:
        return False
    strides, extent = (array.stride(), 1) if torch else (array.strides, array.itemsize)
    if 0 in array.shape:
        return False
    # From the shortest step to the longest: each has to leave what all shorter ones reach behind it.
    for step, length in sorted(zip(map(abs, strides), array.shape, strict=True)):
        if length > 1 and step < extent:
            return True
        extent += step * (length - 1)
    return False
