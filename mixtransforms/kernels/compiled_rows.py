"""Paints host memory by the kernel in C, where that is installed and where it can: blends and boxes on dense rows."""

from __future__ import annotations

import ctypes
import functools
import math
import struct
import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core.layers import Boxes, FloatArray, IntArray, Layer
from mixtransforms.kernels import compiled
from mixtransforms.kernels.threads import shared_out, thread_count

Array = NDArray[Any]

DTYPES = {"float32": 0, "float64": 1, "float16": 2, "bfloat16": 3, "uint8": 4, "uint16": 5, "int16": 6}
"""What the kernel computes with, by its own numbers."""

BYTES = 7
"""Its number for all that it only copies."""

MOST_AXES = 8
"""Axes that a row may have."""

LARGE = 1 << 22
"""Bytes of a batch from which on several threads are faster than one."""

KEPT = 1 << 22
"""Bytes that a thread keeps for its next call; what is more, it gives back at once."""


class _Workspace(threading.local):
    """What a thread keeps for its calls: what they are told of a job, and room for rows that are put aside."""

    def __init__(self) -> None:
        self.numbers = np.empty(0, np.int64)
        self.reals = self.numbers.view(np.float64)  # the same memory
        self.address = 0
        self.scratch = np.empty(0, np.uint8)
        self.scratch_address = 0

    def reserve(self, numbers: int, scratch: int) -> None:
        """Has room for so many numbers, and for so many bytes of rows; what is in it may be lost."""
        if not scratch <= len(self.scratch) <= max(scratch, KEPT):
            self.scratch = np.empty(scratch, np.uint8)
            self.scratch_address = address_of(self.scratch)
        if not 8 * numbers <= self.numbers.nbytes <= max(8 * numbers, KEPT):
            self.numbers = np.empty(numbers, np.int64)
            self.reals = self.numbers.view(np.float64)
            self.address = address_of(self.numbers)

    def release(self) -> None:
        """Gives back what is too much to keep."""
        if max(self.numbers.nbytes, self.scratch.nbytes) > KEPT:
            self.reserve(0, 0)


_workspace = _Workspace()

_job_of = functools.cache(lambda axes: struct.Struct(f"3P13q{axes}q"))
"""How a job is told to the kernel, with so many lengths and places of axes; see ``mix.c``."""


class Cells(NamedTuple):
    """An array in host memory, as the kernel sees it.

    Attributes:
        owner: What holds the memory.
        address: Where it begins; 0 where there is none.
        shape: Lengths of its axes, the batch first.
        strides: Of these, in bytes.
        item: Bytes of a cell.
        kind: What is in it, of :data:`DTYPES`, or :data:`BYTES`.
        ordered: Whether all lies one behind the other, in the order of the axes.
        writable: Whether it may be overwritten.
    """

    owner: Any
    address: int
    shape: Sequence[int]
    strides: Sequence[int]
    item: int
    kind: int
    ordered: bool
    writable: bool = True


def knows(layers: Sequence[Layer], rank: int) -> bool:
    """Whether there is a kernel, and it paints such layers, on so many mixed axes."""
    for layer in layers:
        boxes = isinstance(layer.region, Boxes) and layer.region.start.shape[1] == rank > 0
        if layer.crop is not None or not (layer.region is None or boxes):
            return False
    return compiled.LIBRARY is not None


def paint(
    layers: Sequence[Layer],
    originals: Cells | Sequence[Array],
    canvas: Cells,
    axes: Sequence[int],
    file: int | None = None,
) -> bool:
    """Paints layers that the kernel :func:`knows`, if it knows the memory as well.

    Args:
        layers: In painting order.
        originals: What is painted, an array ``(B, ...)``, which is painted in place if it is ``canvas`` itself; or a
            NumPy array of the same dtype for each row.
        canvas: ``(B, ...)``, what is painted on.
        axes: Positions of the mixed axes.
        file: What the rows of an empty canvas are written to, one behind the other, instead of on its memory.

    Returns:
        Whether all is painted; else nothing is, and it has to be done in another way.
    """
    if not (canvas.writable and canvas.address and 0 not in canvas.shape and len(canvas.shape) in _RANKS):
        return False
    order = range(len(canvas.shape)) if canvas.ordered else _order(canvas)
    if order is None:
        return False
    if isinstance(originals, Cells):
        if not (originals.ordered and canvas.ordered) and not _have_dense_rows(originals, order):
            return False
        return _paint(layers, originals, None, canvas, order, axes, file)
    samples = _addresses(originals, canvas)
    return samples is not None and _paint(layers, originals, samples, canvas, order, axes, file)


_RANKS = range(2, 2 + MOST_AXES)


def _order(canvas: Cells) -> Sequence[int] | None:
    """The axes in the order in which they lie in memory, the batch first; ``None`` where no row is dense."""
    order = [0, *sorted(range(1, len(canvas.shape)), key=lambda axis: -canvas.strides[axis])]
    return order if _have_dense_rows(canvas, order) else None


def _have_dense_rows(cells: Cells, order: Sequence[int]) -> bool:
    """Whether the cells of a row lie one behind the other, the axes in this order."""
    step = cells.item
    for axis in order[:0:-1]:
        if cells.strides[axis] != step and cells.shape[axis] != 1:
            return False
        step *= cells.shape[axis]
    return True


def _addresses(samples: Sequence[Array], canvas: Cells) -> list[int] | None:
    """Where samples begin, if they lie as rows of the canvas do."""
    dtype, form, addresses = samples[0].dtype, (tuple(canvas.shape[1:]), canvas.item), []
    for row in samples:
        dense = row.flags.c_contiguous and row.flags.aligned
        if row.dtype != dtype or (row.shape, row.itemsize) != form or not dense or not canvas.ordered:
            return None
        addresses.append(address_of(row))
    return addresses


def address_of(array: Array) -> int:
    """Where an array begins in memory."""
    if array.size and array.flags.carray:  # NumPy takes three times as long to tell
        buffer: Any = array
        return ctypes.addressof(ctypes.c_char.from_buffer(buffer))
    return int(array.ctypes.data)


def _paint(
    layers: Sequence[Layer],
    originals: Cells | Sequence[Array],
    samples: Sequence[int] | None,
    canvas: Cells,
    order: Sequence[int],
    axes: Sequence[int],
    file: int | None,
) -> bool:
    """Tells the kernel what is to be done, and has it done."""
    size, *lengths = [canvas.shape[axis] for axis in order]
    known, given, step = size, 0, 0
    if samples is not None:
        known = len(samples)
    elif isinstance(originals, Cells):
        known, given, step = originals.shape[0], originals.address, originals.strides[0]
    row, count, rank = math.prod(lengths) * canvas.item, 0, 0
    for layer in layers:
        count += len(layer.rows)
        rank = rank if layer.region is None else len(axes)
    # In place, one row is put aside where layers do not overlap; one is painted before it is written to a file.
    slots = int(canvas.address == given or file is not None)
    if canvas.address == given and size > 1 and canvas.strides[0] < row:
        return False  # rows that overlap, or lie backwards
    lengths += [order.index(axis) - 1 for axis in axes[:rank]]
    parts = thread_count() if size * row >= LARGE and file is None else 1
    job, space = _job_of(len(lengths)), _workspace
    told = job.size // 8 + (0 if samples is None else known)
    notes = told + count * (3 + 2 * rank)
    figures = (size, known, samples is not None, canvas.strides[0], step, count, canvas.item, len(order) - 1, rank)
    while slots >= 0:
        space.reserve(notes + parts * (1 + 2 * size + known + count // 2), slots * row)
        cells = space.numbers
        own = (canvas.kind, slots, parts, -1 if file is None else file)
        job.pack_into(cells.data, 0, canvas.address, given, space.scratch_address, *figures, *own, *lengths)
        if samples is not None:
            cells[told - known : told] = samples
        _tell(layers, cells[told:notes], space.reals[told:notes], count, rank)
        slots = _done(space.address, parts, (cells, space.scratch, canvas.owner, originals))
        if not slots:
            break
    space.release()
    return slots == 0


def _tell(layers: Sequence[Layer], cells: IntArray, reals: FloatArray, count: int, rank: int) -> None:
    """Writes what layers say: rows, sources, opacities, and corners of boxes, each of all layers in painting order."""
    at = 0
    for layer in layers:
        end = at + len(layer.rows)
        cells[at:end] = layer.rows
        cells[count + at : count + end] = layer.source
        reals[2 * count + at : 2 * count + end] = layer.opacity
        if rank:
            starts, stops = cells[3 * count :].reshape(2, count, rank)
            boxes = layer.region if isinstance(layer.region, Boxes) else None
            starts[at:end], stops[at:end] = (-1, -1) if boxes is None else (boxes.start, boxes.stop)
        at = end


def _done(job: int, parts: int, held: object) -> int:
    """Has the kernel do a job.

    Args:
        job: Its address.
        parts: How many threads do it.
        held: What it points to: whatever becomes of the caller, a thread that is at work holds it.

    Returns:
        What the kernel says, which is the same of all parts.
    """
    paint: Callable[[int, int], int] = compiled.LIBRARY.mixtransforms_paint  # type: ignore[union-attr]
    if parts == 1:
        return paint(job, 0)
    return shared_out([functools.partial(_part, paint, job, part, held) for part in range(parts)])[0]


def _part(paint: Callable[[int, int], int], job: int, part: int, held: object) -> int:
    return paint(job, part)
