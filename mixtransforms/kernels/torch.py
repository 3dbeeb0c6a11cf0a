"""The verbs on torch tensors.

Those on host memory have NumPy arrays of it; all others are functions of the whole batch that leave their arguments
alone, on any device. There is never one torch operation a sample, and nothing is read back from the device.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mixtransforms.core.backends import SMALL_ROW, column
from mixtransforms.core.layers import BoolArray, FloatArray, IntArray
from mixtransforms.core.mixture import Mixture
from mixtransforms.kernels import numpy as on_host
from mixtransforms.kernels import tensor_painter, tensor_types
from mixtransforms.kernels.compiled_rows import BYTES, DTYPES, Cells
from mixtransforms.kernels.numpy import RowBlend
from mixtransforms.kernels.tensor_painter import FLOAT8, bits, has_tangent, is_traced, viewed
from mixtransforms.kernels.tensor_types import with_type

BFLOAT16 = np.dtype("V2")
"""What NumPy takes values of bfloat16 for: two bytes that it copies and never computes with."""

HALVES = (np.dtype(np.float16), BFLOAT16)

LARGE_PAGES = 1 << 22
"""Bytes from which on NumPy asks for large pages, of which a new batch needs fewer."""

_KINDS = {getattr(torch, name): kind for name, kind in DTYPES.items()}

_NOT_OF_NUMPY = {torch.bfloat16, torch.complex32, *FLOAT8}


def host_view(array: Tensor) -> NDArray[Any] | None:
    """The tensor's memory as a NumPy array where that is all there is to it, else ``None``.

    Tensors on a device, in dtypes that NumPy has not, under autograd, with pending signs or in a traced graph stay
    tensors.
    """
    if array.dtype in _NOT_OF_NUMPY:
        return None
    plain = _in_host_memory(array)
    return None if plain is None else plain.numpy()


def bits_view(array: Tensor) -> NDArray[Any] | None:
    """Like :func:`host_view`, in dtypes that NumPy has not: their bits, as whole numbers; ``None`` in all others.

    Those of bfloat16 are no numbers: they are blended as what they are.
    """
    if array.dtype not in _NOT_OF_NUMPY:
        return None
    plain = _in_host_memory(array)
    if plain is None:
        return None
    values: NDArray[Any] = plain.view(_WHOLE[plain.dtype.itemsize]).numpy()
    return values.view(BFLOAT16) if array.dtype == torch.bfloat16 else values


def cells(array: Tensor) -> Cells | None:
    """The memory of a tensor for the kernel in C, of any dtype, under the conditions of :func:`host_view`."""
    plain = _in_host_memory(array)
    if plain is None:
        return None
    item, kind = plain.itemsize, _KINDS.get(plain.dtype, BYTES)
    strides = [step * item for step in plain.stride()]
    return Cells(plain, plain.data_ptr(), plain.shape, strides, item, kind, plain.is_contiguous())


def empty_like(array: Tensor) -> Tensor:
    """A tensor of the same form, laid out in memory alike, without a type of its own."""
    plain = array if type(array) is Tensor else array.as_subclass(Tensor)
    if plain.nbytes < LARGE_PAGES and plain.is_contiguous() and plain.dtype in _KINDS:
        return torch.empty_like(plain, requires_grad=False)
    return torch.from_numpy(np.empty_like(memory(plain))).view(plain.dtype)


def _in_host_memory(array: Tensor) -> Tensor | None:
    """The tensor without a type of its own, where its memory is all there is to it."""
    if array.requires_grad or not array.is_cpu or is_traced():
        return None
    plain = array if type(array) is Tensor else array.as_subclass(Tensor)
    signs = plain.is_neg() or (plain.is_complex() and plain.is_conj())
    whole = not (plain.is_floating_point() or plain.is_complex())  # which nothing is derived from
    return None if signs or (not whole and has_tangent(plain)) else plain


def host_views(arrays: Sequence[Tensor]) -> list[NDArray[Any]] | None:
    """Like :func:`host_view`, of several tensors of one dtype; ``None`` where one of them has none."""
    views = []
    for array in arrays:
        view = host_view(array)
        if view is None:
            return None
        views.append(view)
    return views


def note_overwritten(array: Tensor) -> None:
    """Tells autograd that the memory was written to behind its back: what was kept for a gradient is not there."""
    torch.autograd.graph.increment_version(array)


def reserved(sample: Tensor, size: int, shared: bool) -> Tensor:
    """An empty batch of ``size`` samples in host memory, which may be shared with other processes."""
    shape = (size, *sample.shape)
    if not shared:  # NumPy asks for large pages, of which a new batch needs fewer
        return torch.from_numpy(np.empty(shape, sample.as_subclass(Tensor).numpy().dtype))
    # As default collation has it.
    memory: torch.UntypedStorage = torch.UntypedStorage._new_shared(size * sample.nbytes)  # type: ignore[no-untyped-call]
    return torch.empty(0, dtype=sample.dtype, device="cpu").set_(memory).view(shape)


def shared_file(batch: Tensor) -> int | None:
    """The file that a :func:`reserved` batch is shared by, if rows are to be written to it.

    One system call a row is faster than the first touch of each of its pages.
    """
    strategy: Any = torch.multiprocessing.get_sharing_strategy
    storage: Any = batch.untyped_storage()
    if not storage.is_shared() or strategy() != "file_descriptor":
        return None
    file: int = storage._share_fd_cpu_()[0]  # the memory's own, which is closed with it
    return file


def row_writer(batch: Tensor) -> Callable[[int, NDArray[Any]], None] | None:
    """What writes a row of a batch to its :func:`shared_file`, or ``None`` where rows are ordinary memory."""
    file = shared_file(batch)
    if file is None:
        return None
    step = batch.nbytes // len(batch)

    def write(row: int, values: NDArray[Any]) -> None:
        left: Any = memoryview(values.reshape(-1).view(np.uint8).data)
        while left:
            left = left[os.pwrite(file, left, (row + 1) * step - len(left)) :]

    return write


def stack_tensors(samples: Sequence[Tensor], shared: bool) -> Tensor:
    """Samples as one batch, which may be shared with other processes."""
    plain = [sample.as_subclass(Tensor) for sample in samples]
    if shared and len({tensor.dtype for tensor in plain}) == 1:
        batch: Tensor = torch.utils.data.default_collate(plain)
        return batch
    return torch.stack(plain)


def small_row(dtype: np.dtype[Any], blends: bool) -> int:
    """See :func:`mixtransforms.kernels.numpy.small_row`."""
    return SMALL_ROW


def from_host(values: NDArray[Any], like: Tensor) -> Tensor:
    """A painted NumPy array as a tensor of the type of ``like``."""
    return typed(torch.from_numpy(values), like)


def from_bits(values: NDArray[Any], like: Tensor) -> Tensor:
    """Painted bits of :func:`bits_view` as a tensor of the dtype and type of ``like``."""
    return typed(torch.from_numpy(values.view(np.int16) if values.dtype == BFLOAT16 else values).view(like.dtype), like)


def typed(tensor: Tensor, like: Tensor) -> Tensor:
    """A painted tensor in the type of ``like``."""
    return tensor if type(like) is Tensor else with_type(tensor, like)


def blender(dtype: np.dtype[Any]) -> RowBlend:
    """See :func:`mixtransforms.kernels.numpy.blender`; halves are converted by torch, which NumPy does in software."""
    return _blend_halves if dtype in HALVES else on_host.blender(dtype)


def blend_all(
    canvas: NDArray[Any], original: NDArray[Any], rows: IntArray, source: IntArray, opacity: FloatArray
) -> None:
    """See :func:`mixtransforms.kernels.numpy.blend_all`."""
    if canvas.dtype in HALVES:
        on_host.blend_parts(canvas, original, rows, source, opacity, _blend_parts)
    else:
        on_host.blend_all(canvas, original, rows, source, opacity)


paste_all = on_host.paste_all


def _blend_halves(out: NDArray[Any], base: NDArray[Any], source: NDArray[Any], share: float) -> None:
    weights = _single(np.float64(share))
    for parts in on_host.blocks(out, base, source):
        to, own, other = parts
        _write_blend(to, own, other, *weights)


def _blend_parts(base: NDArray[Any], source: NDArray[Any], share: FloatArray) -> NDArray[Any]:
    with on_host.silence():
        _write_blend(base, base, source, *_single(share))
    return base


def _single(share: Any) -> tuple[Any, Any]:
    return (1.0 - share).astype(np.float32), share.astype(np.float32)


def _write_blend(out: NDArray[Any], base: NDArray[Any], source: NDArray[Any], keep: Any, give: Any) -> None:
    room = on_host.kept.room(2 * out.size, np.dtype(np.float32))
    total, product = room.reshape(2, *out.shape)
    wide = torch.from_numpy(total)
    wide.copy_(_halves(base))
    torch.from_numpy(product).copy_(_halves(source))
    total *= keep
    product *= give
    total += product
    _halves(out).copy_(wide)


def _halves(values: NDArray[Any]) -> Tensor:
    """The tensor of some halves, of which NumPy may have the bits alone."""
    if values.dtype == np.float16:
        return torch.from_numpy(values)
    return torch.from_numpy(values.view(np.int16)).view(torch.bfloat16)


def paint(
    plan: Mixture, array: Tensor, axes: Sequence[int], ids: bool, inplace: bool, fill: float | None = None
) -> Tensor:
    """Paints a plan by pure functions of the whole batch: on any device, differentiable.

    Nothing is read back from the device, and how many operations there are does not depend on the number of samples.

    Args:
        plan: The plan.
        array: ``(B, ...)``.
        axes: Positions of the mixed axes.
        ids: Whether the values are names of something, which a resize copies and never averages.
        inplace: Overwrite the array.
        fill: What canvases have where nothing is painted; ``None`` is the canvas's own fill.

    Returns:
        A tensor with the strides and the tensor type of the input, or the input itself, overwritten; on canvases with
        the axes in the same order in memory.
    """
    plain = array.as_subclass(Tensor)
    canvas = tensor_painter.paint(plain, plan.tensors(plain.device), axes, ids=ids, fill=fill)
    if inplace:
        array.copy_(canvas)
        return array
    # An expanded or strided input has a result of its strides only where somebody could see them.
    if plan.canvas is None and canvas.stride() != plain.stride() and not is_traced():
        canvas = torch.empty_like(plain, requires_grad=False).copy_(canvas)
    return with_type(canvas, array)


def axes_first(array: Tensor, axes: Sequence[int]) -> Tensor:
    """A view with the mixed axes at 1, 2, ..."""
    return array.movedim(tuple(axes), tuple(range(1, len(axes) + 1)))


def soft_labels(ids: Tensor, classes: int, ignore_index: int | None, plan: Mixture) -> Tensor:
    """See :func:`mixtransforms.kernels.numpy.soft_labels`."""
    memory = host_view(ids)
    if memory is not None:
        return torch.from_numpy(on_host.soft_labels(memory, classes, ignore_index, plan))
    plain = ids.as_subclass(Tensor)
    return tensor_painter.combine_ids(plain, plan.tensors(plain.device), classes, ignore_index)


def pair(values: Tensor, plan: Mixture) -> tuple[Tensor, Tensor, Tensor]:
    """See :func:`mixtransforms.kernels.numpy.pair`."""
    plain = values.as_subclass(Tensor)
    memory = host_view(plain)
    if memory is not None:
        own, partner, weight = map(torch.from_numpy, on_host.pair(memory, plan))
        return own, partner, weight
    tensors, _ = plan.tensors(plain.device), plan.partner  # which raises where there are several
    partner = viewed(bits(plain).index_select(0, tensors.sources[:, 1]), plain.dtype)
    return plain.clone(), partner, tensors.share[:, 0].to(torch.float32)


def astype(values: Tensor, dtype: Any) -> Tensor:
    """The values in another dtype, given by name or as torch has it; they themselves where it is their own."""
    return values.as_subclass(Tensor).to(getattr(torch, dtype) if isinstance(dtype, str) else dtype)


def combine(values: Tensor, plan: Mixture) -> Tensor:
    """See :func:`mixtransforms.kernels.numpy.combine`."""
    plain = values.as_subclass(Tensor)
    memory = host_view(plain)
    if memory is not None:
        return torch.from_numpy(on_host.combine(memory, plan))
    return tensor_painter.combine(plain, plan.tensors(plain.device))


def union(values: Tensor, seen: BoolArray) -> Tensor:
    """The largest of ``values (B, S, ...)`` over ``S`` where they are ``seen (B, S, ...)``; 0 where none is."""
    nothing = torch.zeros((), dtype=values.dtype, device=values.device)
    return torch.where(asarray_like(column(seen, values.ndim), values), values, nothing).amax(dim=1)


def take(values: Tensor, index: IntArray) -> Tensor:
    """``values[index]``, a copy."""
    plain = values.as_subclass(Tensor)
    taken = bits(plain).index_select(0, asarray_like(index.reshape(-1), plain))
    return viewed(taken.reshape(*index.shape, *plain.shape[1:]), plain.dtype)


def concat(*parts: Tensor) -> Tensor:
    """All along the batch axis, with the tensor type of the first; what is told of rows follows them."""
    joined = rows_together(parts)
    return joined if type(parts[0]) is Tensor else tensor_types.join(joined, parts)


def rows_together(parts: Sequence[Tensor]) -> Tensor:
    """All along the batch axis, as a plain tensor."""
    plain = list(parts)
    if set(map(type, plain)) != {Tensor}:
        plain = [part.as_subclass(Tensor) for part in plain]
    dtype = plain[0].dtype
    if bits(plain[0]) is not plain[0]:
        plain = [bits(part) for part in plain]
    return viewed(torch.cat(plain), dtype)


def split(values: Tensor, counts: Sequence[int]) -> list[Tensor]:
    """So many rows each, copied, so that none shares memory with another."""
    copied: Any = torch.split_with_sizes_copy  # whose stub knows only the form with out=
    return list(copied(values, list(counts)))


def wrap_samples(batch: Tensor, samples: Sequence[Tensor]) -> Tensor:
    """A batch in the tensor type of its samples, with what every one of them is told of."""
    first = samples[0]
    if type(first) is Tensor:
        return wrap_like(batch, first)
    return tensor_types.collate(wrap_like(batch, first.as_subclass(Tensor)), samples)


def row(values: Tensor, index: int) -> Tensor:
    """One row with the tensor type of all, and what is told of it."""
    own = values[index]
    return own if type(values) is Tensor else tensor_types.take_row(own, values, index)


def rows_of(batch: Tensor) -> list[Tensor]:
    """All rows, with the tensor type of all, by which those of torchvision tell later transforms what they are."""
    if type(batch) is Tensor:
        return list(batch)
    return [row(batch, index) for index in range(len(batch))]


def from_memory(values: NDArray[Any]) -> Tensor:
    """See :func:`mixtransforms.kernels.numpy.from_memory`."""
    return torch.from_numpy(values)


def wrap_like(values: Tensor, example: Any) -> Tensor:
    """The values with the tensor type and memory format of ``example``, where it is a tensor."""
    if not isinstance(example, Tensor):
        return values
    last = values.ndim == 4 and example.ndim == 4 and example.is_contiguous(memory_format=torch.channels_last)
    if last and not example.is_contiguous():
        values = values.contiguous(memory_format=torch.channels_last)
    return values if type(example) is Tensor else with_type(values, example)


def wrap_each(parts: Sequence[Tensor], examples: Sequence[Any]) -> list[Tensor]:
    """:func:`wrap_like` of several."""
    if {type(part) for part in parts} == {Tensor} and all(part.ndim < 4 for part in parts):
        return tensor_types.with_types(parts, examples)
    return [wrap_like(part, example) for part, example in zip(parts, examples, strict=True)]


def zeros(shape: Sequence[int], other: Tensor) -> Tensor:
    """float32 zeros beside ``other``."""
    return torch.zeros(tuple(shape), dtype=torch.float32, device=other.device)


def padded(values: Tensor, shape: Sequence[int], fill: float) -> Tensor:
    """The values at the start of a tensor of ``shape`` that is ``fill`` elsewhere."""
    plain = values.as_subclass(Tensor)
    result = plain.new_full(tuple(shape), fill)
    result[tuple(slice(length) for length in plain.shape)] = plain
    return with_type(result, values)


def asarray_like(values: NDArray[Any], other: Tensor) -> Tensor:
    """Host values as a tensor beside ``other``."""
    # A copy, since values may be frozen, and what is copied to a device without waiting must not change.
    return torch.from_numpy(np.array(values)).to(other.device, non_blocking=True)


def placed_like(values: NDArray[Any], other: Tensor) -> Tensor:
    """Host values that nobody else holds as a tensor beside ``other``: no copy where that is the host."""
    return torch.from_numpy(values).to(other.device)


def astype_like(values: NDArray[Any], example: Tensor) -> Tensor:
    """Host values in the dtype, type and place of ``example``, rounded where it holds integers."""
    if values.dtype.kind == "f" and not example.is_floating_point():
        values = np.rint(values)
    result = asarray_like(values, example).to(example.dtype)
    return result if type(example) is Tensor else with_type(result, example)


def is_on_host(values: Tensor) -> bool:
    """Whether the host can look at the values without waiting for a device."""
    return values.is_cpu


def assert_async(fine: Tensor, text: str) -> None:
    """Has the device find entries that are not fine, without waiting for it; the assertion fails there."""
    torch._assert_async(fine.as_subclass(Tensor).all(), text)


def to_host(values: Tensor) -> NDArray[Any]:
    """The values as a NumPy array; waits for the device."""
    plain = values if type(values) is Tensor else values.as_subclass(Tensor)
    if plain.dtype in _NOT_OF_NUMPY:
        plain = plain.to(torch.complex64 if plain.is_complex() else torch.float32)
    if plain.is_cpu and not (plain.requires_grad or plain.is_neg() or plain.is_conj()):
        return plain.numpy()  # a quarter of the time
    return plain.numpy(force=True)


def memory(values: Tensor) -> NDArray[Any]:
    """The bits of a tensor in host memory as a NumPy array; as whole numbers where NumPy lacks the dtype."""
    plain = values if type(values) is Tensor else values.as_subclass(Tensor)
    if plain.dtype in _NOT_OF_NUMPY:
        plain = plain.resolve_conj().resolve_neg().detach().view(_WHOLE[plain.dtype.itemsize])
    return plain.numpy(force=True)


_WHOLE = {1: torch.uint8, 2: torch.int16, 4: torch.int32}


def common_dtype(arrays: Sequence[Tensor]) -> Any:
    """The dtype that holds the values of all."""
    return functools.reduce(torch.promote_types, [array.dtype for array in arrays])
