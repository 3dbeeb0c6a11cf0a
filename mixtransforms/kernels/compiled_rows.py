"""Paints host memory by the kernel in C, where that is installed and where it can: blends and boxes on dense rows."""

from __future__ import annotations

import ctypes
import functools
import math
import struct
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
"""Bytes of a batch that several threads share: handing a part to another one takes 30 us."""

PIECE = 1 << 10
"""Bytes of a row that a thread has at least: processors read ahead where memory is read on and on."""

KEPT = 1 << 22
"""Bytes of memory that is kept for the next call; what is more, is given back at once."""

MOST_ROWS = 1 << 31
"""How many the kernel counts."""


class _Workspace:
    """Memory that is kept for further calls: what they are told of a job, and room for rows that are put aside."""

    def __init__(self) -> None:
        self.numbers = np.empty(0, np.int64)
        self.reals = self.numbers.view(np.float64)  # the same memory
        self.address = 0
        self.scratch = np.empty(0, np.uint8)
        self.scratch_address = 0

    def reserve(self, numbers: int, scratch: int) -> None:
        """Has room for so many numbers, and for so many bytes of rows; what was in it is lost."""
        if len(self.numbers) < numbers:
            self.numbers = np.empty(numbers, np.int64)
            self.reals = self.numbers.view(np.float64)
            self.address = address_of(self.numbers)
        if len(self.scratch) < scratch:
            self.scratch = np.empty(scratch, np.uint8)
            self.scratch_address = address_of(self.scratch)


_spaces: list[_Workspace] = []
"""Those that nobody uses now: as many as there were calls at the same time."""

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
    read = None if order is None else _read(originals, canvas, order)
    if read is None or order is None:
        return False
    space = _workspace()
    painted = _paint(space, layers, read, canvas, order, axes, file)
    # Where something is raised, nobody gets it again: another thread may still be at work with it.
    if max(space.numbers.nbytes, space.scratch.nbytes) <= KEPT:
        _spaces.append(space)
    return painted


_RANKS = range(2, 2 + MOST_AXES)


def _workspace() -> _Workspace:
    """Memory that nobody uses."""
    try:  # asked first, another thread could take the last one in between
        return _spaces.pop()
    except IndexError:
        return _Workspace()


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


class _Read(NamedTuple):
    """Rows that are painted.

    Attributes:
        owner: What holds their memory.
        known: Their number.
        address: Where the first one begins; 0 where they are no one array.
        step: How many bytes further the next one does.
        samples: Where each one begins, where they are no one array.
    """

    owner: Any
    known: int
    address: int = 0
    step: int = 0
    samples: Sequence[int] = ()


def _read(originals: Cells | Sequence[Array], canvas: Cells, order: Sequence[int]) -> _Read | None:
    """What is painted, if it lies as what is painted on does."""
    if isinstance(originals, Cells):
        if not (originals.ordered and canvas.ordered) and not _have_dense_rows(originals, order):
            return None
        return _Read(originals, originals.shape[0], originals.address, originals.strides[0])
    dtype, form, samples = originals[0].dtype, (tuple(canvas.shape[1:]), canvas.item), []
    for row in originals:
        dense = row.flags.c_contiguous and row.flags.aligned
        if row.dtype != dtype or (row.shape, row.itemsize) != form or not dense or not canvas.ordered:
            return None
        samples.append(address_of(row))
    return _Read(originals, len(originals), samples=samples)


def address_of(array: Array) -> int:
    """Where an array begins in memory."""
    if array.size and array.flags.carray:  # NumPy takes three times as long to tell
        buffer: Any = array
        return ctypes.addressof(ctypes.c_char.from_buffer(buffer))
    return int(array.ctypes.data)


def _paint(
    space: _Workspace,
    layers: Sequence[Layer],
    read: _Read,
    canvas: Cells,
    order: Sequence[int],
    axes: Sequence[int],
    file: int | None,
) -> bool:
    """Tells the kernel what is to be done, and has it done."""
    size, *lengths = [canvas.shape[axis] for axis in order]
    row, count, rank = math.prod(lengths) * canvas.item, 0, 0
    for layer in layers:
        count += len(layer.rows)
        rank = rank if layer.region is None else len(axes)
    inplace = canvas.address == read.address
    overlap = inplace and size > 1 and canvas.strides[0] < row
    if overlap or size + read.known + count >= MOST_ROWS:
        return False
    alone = file is not None or size * row < LARGE
    # The least that is shared is halved: with many threads, handing out smaller parts would take longer than the work.
    most = 2 * size * row // max(LARGE, 1)
    parts = 1 if alone else max(1, min(thread_count(), row // PIECE, most))
    lengths += [order.index(axis) - 1 for axis in axes[:rank]]
    job = _job_of(len(lengths))
    told = job.size // 8 + len(read.samples)
    notes = told + count * (3 + 2 * rank)
    rows = (size, read.known, len(read.samples) > 0, canvas.strides[0], read.step)
    form = (count, canvas.item, len(order) - 1, rank, canvas.kind)
    slots = int(inplace or file is not None)  # in place, one is enough where layers do not overlap
    while slots >= 0:
        space.reserve(notes + parts * (1 + 2 * size + read.known + count // 2), slots * row)
        cells = space.numbers
        own = (slots, parts, -1 if file is None else file)
        job.pack_into(cells.data, 0, canvas.address, read.address, space.scratch_address, *rows, *form, *own, *lengths)
        if read.samples:
            cells[job.size // 8 : told] = read.samples
        _tell(layers, cells[told:notes], space.reals[told:notes], count, rank)
        slots = _done(space.address, parts, (space, canvas, read))
        if not slots:
            return True
    return False


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
