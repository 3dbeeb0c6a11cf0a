"""Paints host memory by the kernel in C, where that is installed and where it can: blends and boxes on dense rows."""

from __future__ import annotations

import ctypes
import functools
import struct
import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core.layers import Boxes, IntArray, Layer
from mixtransforms.kernels import compiled
from mixtransforms.kernels.threads import shared_out, thread_count

Array = NDArray[Any]

DTYPES = {"float32": 0, "float64": 1, "float16": 2, "bfloat16": 3, "uint8": 4, "uint16": 5, "int16": 6}
"""What the kernel computes with, by its own numbers."""

BYTES = 7
"""Its number for all that it only copies."""

MOST_AXES = 8
"""Axes that a row may have."""

JOB = struct.Struct(f"10P13q{2 * MOST_AXES}q")
"""A job as the kernel reads it, see ``mix.c``."""

LINE = 64
"""Parts of rows for several threads begin at multiples of so many bytes: of lines of a cache, and of whole values."""

LARGE = 1 << 22
"""Bytes of a batch from which on several threads are faster than one."""

KEPT = 1 << 22
"""Bytes that a thread keeps for its next call; what is more, it gives back at once."""

_NUMBERS = {np.dtype(name): number for name, number in DTYPES.items() if name != "bfloat16"}


class _Memory:
    """Memory that grows when it is needed, and its address."""

    def __init__(self, dtype: type) -> None:
        self.cells: Array = np.empty(0, dtype)
        self.address = 0

    def reserve(self, count: int) -> None:
        """Has room for so many cells."""
        if len(self.cells) < count:
            self.cells = np.empty(count, self.cells.dtype)
            self.address = _address(self.cells)

    def release(self) -> None:
        """Gives back what is too much to keep."""
        if self.cells.nbytes > KEPT:
            self.cells = np.empty(0, self.cells.dtype)


class _Workspace(threading.local):
    """What a thread keeps for its calls: jobs with all that they point to, and room for rows that are put aside."""

    def __init__(self) -> None:
        self.numbers, self.scratch = _Memory(np.int64), _Memory(np.uint8)


_workspace = _Workspace()


class _Given(NamedTuple):
    """Rows that are read.

    Attributes:
        rows: The rows.
        number: How many.
        address: Where the first one begins.
        step: How many bytes further the next one does.
        samples: Where each one begins, where they are no one array.
    """

    rows: Sequence[Array] | Array
    number: int
    address: int = 0
    step: int = 0
    samples: Sequence[int] = ()


def is_there() -> bool:
    """Whether the kernel is installed, and not switched off."""
    return compiled.LIBRARY is not None


def paint(
    layers: Sequence[Layer], originals: Sequence[Array] | Array, canvas: Array, axes: Sequence[int], dtype: str = ""
) -> bool:
    """Paints all layers, if the kernel can.

    Args:
        layers: In painting order.
        originals: What is painted, ``(B, ...)``, or one array a row; ``canvas`` itself is painted in place.
        canvas: ``(B, ...)``, what is painted on.
        axes: Positions of the mixed axes.
        dtype: The name of the values, where NumPy has their bits alone.

    Returns:
        Whether all is painted; else nothing is, and it has to be done in another way.
    """
    if not is_there():
        return False
    kind = DTYPES.get(dtype, BYTES) if dtype else _NUMBERS.get(canvas.dtype, BYTES)
    order = _order(canvas)
    if not (_is_fit(canvas, order, kind) and _are_known(layers, len(axes))):
        return False
    given = _given(originals, canvas, order)
    if given is None:
        return False
    places = axes if isinstance(order, range) else [order.index(axis) for axis in axes]
    return _paint(layers, given, canvas, [place - 1 for place in places], order, kind)


def _order(array: Array) -> Sequence[int]:
    """The axes in the order in which they lie in memory, the batch first."""
    if array.flags.c_contiguous:
        return range(array.ndim)
    return [0, *sorted(range(1, array.ndim), key=lambda axis: -array.strides[axis])]


def _is_fit(canvas: Array, order: Sequence[int], kind: int) -> bool:
    """Whether the kernel can write on the rows of an array."""
    return (
        type(canvas) is np.ndarray
        and canvas.size > 0
        and 1 < canvas.ndim <= 1 + MOST_AXES
        and (kind != BYTES or canvas.dtype.kind in "biufc")  # no objects, which are counted
        and canvas.flags.writeable
        and _is_dense(canvas, order)
        and (len(canvas) == 1 or canvas.strides[0] >= canvas.nbytes // len(canvas))
    )


def _is_dense(array: Array, order: Sequence[int]) -> bool:
    """Whether the rows lie in one piece each, their axes in this order."""
    if not array.flags.aligned:
        return False
    step = array.itemsize
    for axis in order[:0:-1]:
        if array.strides[axis] != step and array.shape[axis] != 1:
            return False
        step *= array.shape[axis]
    return True


def _are_known(layers: Sequence[Layer], rank: int) -> bool:
    """Whether the kernel paints such layers."""
    for layer in layers:
        boxes = isinstance(layer.region, Boxes) and layer.region.start.shape[1] == rank > 0
        if layer.crop is not None or not (layer.region is None or boxes):
            return False
    return True


def _given(originals: Sequence[Array] | Array, canvas: Array, order: Sequence[int]) -> _Given | None:
    """What is read, if it lies as what is written does."""
    if isinstance(originals, np.ndarray):
        fine = originals is canvas or (type(originals) is np.ndarray and _is_dense(originals, order))
        return _Given(originals, len(originals), _address(originals), originals.strides[0]) if fine else None
    form, samples = (canvas.shape[1:], canvas.dtype), []
    for row in originals:
        if (row.shape, row.dtype) != form or not row.flags.c_contiguous or not row.flags.aligned:
            return None
        samples.append(_address(row))
    return _Given(originals, len(originals), samples=samples) if isinstance(order, range) else None


def _address(array: Array) -> int:
    """Where an array begins in memory."""
    if array.size and array.flags.carray:  # NumPy takes three times as long to tell
        buffer: Any = array
        return ctypes.addressof(ctypes.c_char.from_buffer(buffer))
    return int(array.ctypes.data)


def _paint(
    layers: Sequence[Layer], given: _Given, canvas: Array, places: Sequence[int], order: Sequence[int], kind: int
) -> bool:
    """Writes down what is to be done, and has it done."""
    size, count, rank = len(canvas), 0, 0
    for layer in layers:
        count += len(layer.rows)
        rank = rank if layer.region is None else len(places)
    row = canvas.nbytes // size
    parts = max(1, min(thread_count(), row // LINE)) if canvas.nbytes >= LARGE else 1
    # Where things are among the numbers: jobs, addresses of samples, what layers say, and what each part notes down.
    samples = parts * JOB.size // 8
    told = samples + len(given.samples)
    notes = told + count * (3 + 2 * rank)
    note = (4 * size + 2 * given.number + count) // 2 + 2
    numbers, scratch = _workspace.numbers, _workspace.scratch
    numbers.reserve(notes + parts * note)
    if given.samples:
        numbers.cells[samples:told] = given.samples
    _tell(layers, numbers.cells[told:notes], count, rank)
    base, out = numbers.address, _address(canvas)
    first = base + 8 * told
    addresses = [out, given.address, base + 8 * samples if given.samples else 0]
    addresses += [first, first + 8 * count, first + 16 * count]
    addresses += [first + 24 * count, first + 8 * (3 + rank) * count] if rank else [0, 0]
    figures = [size, given.number, canvas.strides[0], given.step, count, row]
    figures += [canvas.itemsize, len(order) - 1, rank, kind]
    lengths = [*[canvas.shape[axis] for axis in order[1:]], *[0] * (MOST_AXES + 1 - len(order))]
    lengths += [*places, *[0] * (MOST_AXES - len(places))]
    slots = int(out == given.address)  # in place, one row is put aside where layers do not overlap
    while True:
        scratch.reserve(slots * row)
        for part in range(parts):
            own = (base + 8 * (notes + part * note), scratch.address)
            cut = (slots, _edge(row, part, parts), _edge(row, part + 1, parts))
            JOB.pack_into(numbers.cells.data, part * JOB.size, *addresses, *own, *figures, *cut, *lengths)
        jobs = [base + part * JOB.size for part in range(parts)]
        slots = _done(jobs, (numbers.cells, scratch.cells, canvas, given.rows))
        if slots <= 0:
            numbers.release()
            scratch.release()
            return slots == 0


def _edge(row: int, part: int, parts: int) -> int:
    """Where a part of a row begins, or where the last one ends."""
    return row if part == parts else row * part // parts // LINE * LINE


def _tell(layers: Sequence[Layer], cells: IntArray, count: int, rank: int) -> None:
    """Writes what layers say: rows, sources, opacities, and corners of boxes, each of all layers in painting order."""
    rows, source, opacity = (cells[column * count : (column + 1) * count] for column in range(3))
    starts, stops = cells[3 * count :].reshape(2, count, rank) if rank else (cells, cells)
    at = 0
    for layer in layers:
        some = slice(at, at + len(layer.rows))
        rows[some], source[some] = layer.rows, layer.source
        opacity.view(np.float64)[some] = layer.opacity
        if rank:
            boxes = layer.region if isinstance(layer.region, Boxes) else None
            starts[some], stops[some] = (-1, -1) if boxes is None else (boxes.start, boxes.stop)
        at = some.stop


def _done(jobs: Sequence[int], held: object) -> int:
    """Has the kernel do the parts of a job.

    Args:
        jobs: Where they lie.
        held: What they point to: whatever becomes of the caller, a thread that is at work holds it.

    Returns:
        What the kernel says, which is the same of all parts.
    """
    paint: Callable[[int], int] = compiled.LIBRARY.mixtransforms_paint  # type: ignore[union-attr]
    if len(jobs) == 1:
        return paint(jobs[0])
    return shared_out([functools.partial(_part, paint, job, held) for job in jobs])[0]


def _part(paint: Callable[[int], int], job: int, held: object) -> int:
    return paint(job)
