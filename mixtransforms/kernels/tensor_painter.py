"""Painting as a pure function of tensors: on any device, traced, compiled or differentiated.

Results are those of host memory, bit for bit. Only compilers may round floats once less, where they make one
instruction of a product and a sum, as those for CUDA do.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.autograd import forward_ad

from mixtransforms.core.backends import BLENDABLE_INTEGERS, check_scalable, column, dtype_name, is_floating
from mixtransforms.core.errors import InputError, PlanError
from mixtransforms.kernels.blending import integer_weight
from mixtransforms.kernels.resampling import linear_taps, nearest_cells

if TYPE_CHECKING:
    from mixtransforms.kernels.plan_tensors import PlanTensors

FLOAT8 = frozenset(getattr(torch, name) for name in dir(torch) if name.startswith("float8_"))

_BITS = {
    torch.uint16: torch.int16,
    torch.uint32: torch.int32,
    torch.uint64: torch.int64,
    **dict.fromkeys(FLOAT8, torch.uint8),
}
"""Dtypes that torch hardly indexes, and those of the same width that it does."""


def paint(
    array: Tensor,
    tensors: PlanTensors,
    axes: Sequence[int],
    *,
    dominant: bool = False,
    ids: bool = False,
    fill: float | None = None,
) -> Tensor:
    """Paints the layers of a plan on a tensor: a pure function, without a look at any value.

    Args:
        array: ``(B, ...)``, on the device of ``tensors``.
        tensors: The plan's.
        axes: Positions of the mixed axes; not read where the tensors have no regions.
        dominant: The values are ids, of which a mean has no meaning: every one is that of the heavier source.
        ids: A resize copies the nearest cells, as it does where ``dominant``; blends are still means.
        fill: What canvases have where nothing is painted; ``None`` is the plan's own fill.

    Returns:
        A new tensor of the same dtype, and of the same shape but for mixed axes on canvases, laid out in memory in the
        same order of axes.

    Raises:
        InputError: Layers may blend or resize, and the dtype holds no intensities; or whole numbers are to be scaled.
        PlanError: The array has another shape than the plan was drawn for.
    """
    axes = [axis % array.ndim for axis in axes] if tensors.has_regions else []
    resizes = tensors.taps > 0 and not (dominant or ids)
    _check_array(array, tensors, axes, computes=resizes or (tensors.blends and not dominant))
    if tensors.scale is not None and not (dominant or ids):
        check_scalable(array, "tensors")
    order = _order(array)
    original = array.permute(order)
    places = [order.index(axis) for axis in axes]
    joins = tensors.joined is not None and not (dominant or original.is_floating_point())
    canvas = original.to(torch.float64) if joins else original
    if tensors.canvas is not None:
        canvas = _empty_canvas(original, tensors.canvas, places, tensors.fill if fill is None else fill)
    for number in range(tensors.source.shape[0]):
        other = _shown_source(original, canvas.shape, tensors, number, places, resizes)
        with_layer = _with_integers if joins else _with_layer
        canvas = with_layer(canvas, other, tensors, number, places, dominant)
    if tensors.scale is not None and not (dominant or ids):
        canvas = _scaled(canvas, tensors.scale)
    return canvas.to(original.dtype).permute([order.index(axis) for axis in range(array.ndim)])


def _empty_canvas(original: Tensor, lengths: Sequence[int], axes: Sequence[int], fill: float) -> Tensor:
    """A batch of canvases that nothing is painted on, all one number in memory."""
    shape = list(original.shape)
    for axis, length in zip(axes, lengths, strict=True):
        shape[axis] = length
    # Some dtypes are made from others alone.
    value = torch.full([1] * original.ndim, fill, dtype=torch.float64, device=original.device).to(original.dtype)
    return value.expand(shape)


def _scaled(canvas: Tensor, scale: Tensor) -> Tensor:
    """Samples of floats times numbers, as :func:`mixtransforms.kernels.numpy.scale_rows` rounds them."""
    precise = _precise(canvas)
    scaled: Tensor = canvas.to(precise) * column(scale.to(precise), canvas.ndim)
    return scaled.to(canvas.dtype)


def is_traced() -> bool:
    """Whether operations are recorded into a graph or seen by a transform of functions, such as ``torch.vmap``."""
    recorded = torch.compiler.is_compiling() or bool(torch._C._is_tracing())
    return recorded or torch._C._functorch.maybe_current_level() is not None


def _with_layer(
    canvas: Tensor, other: Tensor, tensors: PlanTensors, number: int, axes: Sequence[int], dominant: bool
) -> Tensor:
    """The canvas with one layer more."""
    if tensors.field is not None:
        return _by_field(canvas, other, _over(tensors.field[number], canvas.ndim, axes), dominant)
    painted = other
    if tensors.opacity is not None and dominant:
        painted = where(column(tensors.opacity[number] > 0.5, canvas.ndim), other, canvas)
    elif tensors.opacity is not None:
        keep, give = (column(weight, canvas.ndim) for weight in _packed_weights(tensors, number, canvas))
        painted = blend_tensors(canvas, other, keep, give, spare=tensors.opaque is None)
        if tensors.opaque is not None and canvas.is_floating_point():
            painted = where(column(tensors.opaque[number], canvas.ndim), other, painted)
    if tensors.start is None or tensors.stop is None or not axes:
        return painted
    return where(cells_inside(canvas.shape, tensors.start[number], tensors.stop[number], axes), painted, canvas)


def _with_integers(
    canvas: Tensor, other: Tensor, tensors: PlanTensors, number: int, axes: Sequence[int], dominant: bool
) -> Tensor:
    """The canvas, integers in float64, with one layer more; rounded where the next one is not blended with it."""
    assert tensors.joined is not None
    if tensors.field is not None:
        share = _over(tensors.field[number], canvas.ndim, axes).to(torch.float64)
    else:
        assert tensors.opacity is not None
        share = column(tensors.opacity[number], canvas.ndim)
        if tensors.start is not None and tensors.stop is not None and axes:
            share = share * cells_inside(canvas.shape, tensors.start[number], tensors.stop[number], axes)
    share = integer_weight(share)
    total = canvas * (1.0 - share) + other.to(torch.float64) * share
    return torch.where(column(tensors.joined[number], canvas.ndim), total, total.round())


def _by_field(canvas: Tensor, other: Tensor, field: Tensor, dominant: bool) -> Tensor:
    """The canvas with a layer that has a weight at every cell."""
    if dominant or field.dtype == torch.bool:
        return where(field > 0.5, other, canvas)
    painted = blend_tensors(canvas, other, *blend_weights(field, canvas))
    if not canvas.is_floating_point():
        return painted
    return where(field == 0, canvas, where(field == 1, other, painted))


def _packed_weights(tensors: PlanTensors, number: int, canvas: Tensor) -> tuple[Tensor, Tensor]:
    """:func:`blend_weights` of a layer, ``(B,)``; packed with the plan, which is one launch instead of four."""
    assert tensors.weights is not None
    assert tensors.opacity is not None
    if canvas.dtype == torch.float64:
        return blend_weights(tensors.opacity[number], canvas)
    first = 0 if canvas.is_floating_point() else 2
    keep, give = tensors.weights[first : first + 2, number].to(_precise(canvas))
    return keep, give


def blend_weights(share: Tensor, canvas: Tensor) -> tuple[Tensor, Tensor]:
    """Weights of the canvas and of the source, of the source's in float64, in the precision of a blend."""
    share = share if canvas.is_floating_point() else integer_weight(share)
    return (1.0 - share).to(_precise(canvas)), share.to(_precise(canvas))


def _precise(canvas: Tensor) -> torch.dtype:
    """What a blend is worked out in; for integers, what holds every sum of products exactly."""
    wide = canvas.dtype == torch.float64 if canvas.is_floating_point() else canvas.dtype.itemsize > 1
    return torch.float64 if wide else torch.float32


def blend_tensors(
    base: Tensor, other: Tensor, keep: Tensor, give: Tensor, *, spare: bool = False, out: Tensor | None = None
) -> Tensor:
    """``keep * base + give * other`` by the rule of :mod:`~mixtransforms.kernels.blending`.

    Args:
        base: What is there.
        other: What is painted.
        keep: Its weight, of :func:`blend_weights`.
        give: The other weight.
        spare: ``other`` is not read any more, and may be overwritten.
        out: Where the result is written, if it has the dtype of the weights.
    """
    first, second = (base, other) if base.dtype not in FLOAT8 else (base.to(_precise(base)), other.to(_precise(base)))
    # Of the weights' dtype: promoted on the way, without a wider copy of the operands.
    total = first * keep if out is None else torch.mul(first, keep, out=out)
    traced = is_traced()
    if not base.is_floating_point():  # exact, so that it may be fused
        total = torch.addcmul(total, second, give) if traced else total.addcmul_(second, give)
        return total.round_().to(base.dtype)
    product = second.mul_(give) if spare and second.dtype == give.dtype and not traced else second * give
    if traced:
        return (total + product).to(base.dtype)
    if total.dtype != base.dtype == first.dtype and not _is_followed(base, other):
        return torch.add(total, product, out=torch.empty_like(total, dtype=base.dtype))
    total += product
    return total.to(base.dtype)


def _is_followed(*operands: Tensor) -> bool:
    """Whether somebody records what is computed, which forbids ``out=``."""
    recorded = torch.is_grad_enabled() and any(part.requires_grad for part in operands)
    return is_traced() or recorded or any(map(has_tangent, operands))


def has_tangent(array: Tensor) -> bool:
    """Whether forward-mode differentiation follows a tensor."""
    unpacked: Any = forward_ad.unpack_dual(array)  # type: ignore[no-untyped-call]
    return unpacked.tangent is not None


def _shown_source(
    original: Tensor, shape: Sequence[int], tensors: PlanTensors, number: int, axes: Sequence[int], resizes: bool
) -> Tensor:
    """What a layer shows of its sources, for every row at every cell of results of a shape."""
    source, rank = tensors.source[number], len(axes)
    if tensors.shift is None and tensors.crop is None:
        return viewed(bits(original).index_select(0, source), original.dtype)
    spans = (
        None if tensors.crop is None or tensors.frame is None else _spans(tensors.crop[number], tensors.frame[number])
    )
    flip = None if tensors.flip is None else tensors.flip[number]
    first = bits(original).movedim(tuple(axes), tuple(range(1, rank + 1)))
    lengths = [shape[axis] for axis in axes]
    place = [column(source, rank + 1)]
    for axis in range(rank):
        cell: Any = _axis_indices((0, *lengths), axis + 1, rank + 1, source.device)
        if tensors.shift is not None:
            cell = cell + column(tensors.shift[number, :, axis], rank + 1)
        elif spans is not None:
            start, crop, before, frame = (column(part[:, axis], rank + 1) for part in spans)
            cell = nearest_cells(cell - before, crop, frame)
            cell = start + (cell if flip is None else _mirrored(cell, crop, column(flip[:, axis], rank + 1)))
        place.append(cell.clamp(0, first.shape[axis + 1] - 1))
    moved = viewed(first[tuple(place)].movedim(tuple(range(1, rank + 1)), tuple(axes)), original.dtype)
    if spans is None or not resizes:
        return moved
    same = (spans[1] == spans[3]).all(dim=1)  # what is as large as its frame is copied, with all its bits
    return where(column(same, moved.ndim), moved, _resized(original, lengths, source, spans, flip, axes, tensors.taps))


def _mirrored(cell: Tensor, crop: Tensor, flip: Tensor) -> Tensor:
    """Cells of crops of some lengths, counted from the other end where they are mirrored."""
    return torch.where(flip, crop - 1 - cell, cell)


def _spans(crop: Tensor, frame: Tensor) -> tuple[Tensor, ...]:
    """Starts and lengths of crops and of frames ``(B, 2, d)``, ``(B, d)`` each; no length is 0."""
    return tuple(
        part for start, stop in (crop.unbind(1), frame.unbind(1)) for part in (start, (stop - start).clamp(min=1))
    )


def _resized(
    original: Tensor,
    lengths: Sequence[int],
    source: Tensor,
    spans: tuple[Tensor, ...],
    flip: Tensor | None,
    axes: Sequence[int],
    taps: int,
) -> Tensor:
    """Crops of the sources in their frames, by the same sums in the same order as in host memory."""
    values, device = original.to(torch.float64), source.device
    for number, axis in enumerate(axes):
        cells = values.movedim(axis, 1)
        start, crop, before, frame = (column(part[:, number], 3) for part in spans)
        steps = _axis_indices((0, lengths[number]), 1, 3, device) - before
        tap = torch.arange(taps, dtype=torch.float64, device=device)
        first, weight = linear_taps(steps, tap, crop, frame, len(axes))
        places = first + tap.long()
        if flip is not None:
            places = _mirrored(places, crop, column(flip[:, number], 3))
        places = (start + places).clamp(0, cells.shape[1] - 1)
        if torch.compiler.is_compiling():
            total = _weighed(cells[column(source, 3), places], weight).sum(2)  # one kernel, and a graph of any taps
        else:
            # One tap after the other: a batch of gathered cells would be as many times as large as the batch, a matrix
            # product would not add up in order, and would spread what is not finite.
            total = torch.zeros((), dtype=torch.float64, device=device)
            for place, share in zip(places.unbind(2), weight.unbind(2), strict=True):
                total = total + _weighed(cells[column(source, 2), place], share)
        values, source = total.movedim(1, axis), torch.arange(source.shape[0], device=device)
    return (values if original.is_floating_point() else values.round()).to(original.dtype)


def cells_inside(shape: Sequence[int], start: Tensor, stop: Tensor, axes: Sequence[int]) -> Tensor:
    """Which cells the boxes ``(B, d)`` on some axes cover, over all axes of a shape."""
    inside = []
    for number, axis in enumerate(axes):
        steps = _axis_indices(shape, axis, len(shape), start.device)
        low, high = (column(corner[:, number], len(shape)) for corner in (start, stop))
        inside.append((steps >= low) & (steps < high))
    covered: Tensor = functools.reduce(torch.bitwise_and, inside)
    return covered


def _axis_indices(shape: Sequence[int], axis: int, rank: int, device: Any = None) -> Tensor:
    """The indices of an axis, int32, along this axis of ``rank``."""
    steps = torch.arange(shape[axis], dtype=torch.int32, device=device)
    return steps.view(tuple(-1 if other == axis else 1 for other in range(rank)))


def _over(field: Tensor, rank: int, axes: Sequence[int]) -> Tensor:
    """Values of cells, ``(B, *shape)``, over the axes of an array of ``rank``."""
    ordered = field.permute(0, *(1 + axes.index(axis) for axis in sorted(axes)))
    lengths = iter(ordered.shape[1:])
    return ordered.reshape(ordered.shape[0], *(next(lengths) if axis in axes else 1 for axis in range(1, rank)))


def _order(array: Tensor) -> list[int]:
    """The axes of an array in the order in which they lie in memory, the batch first."""
    if array.is_contiguous():
        return list(range(array.ndim))
    strides = array.stride()
    return [0, *sorted(range(1, array.ndim), key=lambda axis: -strides[axis])]


def bits(array: Tensor) -> Tensor:
    """The same bits in a dtype that torch can index."""
    return viewed(array, _BITS.get(array.dtype, array.dtype))


def viewed(array: Tensor, dtype: torch.dtype) -> Tensor:
    """The same bits as another dtype; no view where it is the same one, which autograd would not follow."""
    return array if array.dtype == dtype else array.view(dtype)


def where(condition: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """The first values where the condition holds, else the second, of any dtype."""
    return viewed(torch.where(condition, bits(first), bits(second)), first.dtype)


# ------------------------------------------------------------------------------------------ labels


def combine(values: Tensor, tensors: PlanTensors) -> Tensor:
    """Sums of ``share[:, s] * values[sources[:, s]]`` over ``s``, ``(B, ...)``, in float64 or float32."""
    _check_size(values, tensors)
    values = values.to(torch.float64 if values.dtype == torch.float64 else torch.float32)
    own, *others = tensors.share.to(values.dtype).unbind(1)
    total = _weighed(values, own)
    for rows, weight in zip(tensors.sources.unbind(1)[1:], others, strict=True):
        total = total + _weighed(values.index_select(0, rows), weight)
    return total


def _weighed(values: Tensor, weight: Tensor) -> Tensor:
    """Rows or cells times their weights; those of weight 0 leave no trace: ``0 * inf`` is NaN."""
    weight = column(weight, values.ndim)
    return torch.where(weight == 0, 0, weight * values)


def combine_ids(ids: Tensor, tensors: PlanTensors, classes: int, ignore_index: int | None) -> Tensor:
    """What :func:`combine` makes of one-hot rows of ids ``(B,)``, ``(B, classes)`` float32; no rows are made.

    Ids outside of ``[0, classes)``, and ``ignore_index``, carry no mass.
    """
    _check_size(ids, tensors)
    ids, names = ids.long(), torch.arange(classes, device=ids.device)
    share = tensors.share.to(torch.float32)
    chosen = ids.index_select(0, tensors.sources.flatten()).view_as(tensors.sources)
    if ignore_index is not None:
        share = torch.where(chosen == ignore_index, 0, share)
    parts = [
        (column[:, None] == names) * weight[:, None]
        for column, weight in zip(chosen.unbind(1), share.unbind(1), strict=True)
    ]
    return functools.reduce(torch.add, parts)


# ------------------------------------------------------------------------------------------ checks


def known_ids(ids: Tensor, classes: int, ignore_index: int | None) -> Tensor:
    """Which ids are within ``[0, classes)``, or are ignored."""
    ids = ids.long()
    known = (ids >= 0) & (ids < classes)
    return known if ignore_index is None else known | (ids == ignore_index)


def _check_array(array: Tensor, tensors: PlanTensors, axes: Sequence[int], *, computes: bool) -> None:
    """Refuses what could only be painted wrongly; only shapes and dtypes are looked at."""
    _check_size(array, tensors)
    wanted = tensors.shape if tensors.has_regions else ()
    if 0 in axes or tuple(array.shape[axis] for axis in axes) != wanted:
        raise _unfit(array, f"mixed axes {wanted} behind the batch")
    if computes and not (is_floating(array) or dtype_name(array) in BLENDABLE_INTEGERS):
        raise InputError(
            "These values cannot be blended",
            where="tensors",
            got=f"dtype {dtype_name(array)}, as of token ids or class ids",
            wanted="floats or " + ", ".join(sorted(BLENDABLE_INTEGERS)),
            fix="Mix ids as masks, or use plan.tensors() of a plan that only pastes.",
        )


def _check_size(values: Tensor, tensors: PlanTensors) -> None:
    if values.shape[0] != tensors.size:
        raise _unfit(values, f"{tensors.size} samples")


def _unfit(values: Tensor, wanted: str) -> PlanError:
    return PlanError(
        "The plan is for another batch",
        where="tensors",
        got=f"shape {tuple(values.shape)}",
        wanted=wanted,
        fix="Draw a plan for this batch, or say which axes are mixed.",
    )
