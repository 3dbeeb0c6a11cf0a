"""Resizes crops by the kernel in C: ``resize.c`` says how, and what is the same as in NumPy."""

from __future__ import annotations

import ctypes
import functools
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixtransforms.kernels.compiled_rows import address_of

MOST_AXES = 8
"""Of what is resized."""

DTYPES = {"f": 0, "d": 1, "B": 2, "H": 3, "h": 4}
"""What the kernel resizes, by the letter that NumPy has for it. Halves are resized as float32, and rounded here."""


@functools.cache
def job_of(rank: int) -> struct.Struct:
    """The struct of the kernel's argument: eight numbers, and five for each axis."""
    return struct.Struct(f"{8 + 5 * rank}q")


class Resizer:
    """Resizes crops of one dtype, in memory that is kept from one to the next; for one thread."""

    def __init__(self, library: ctypes.CDLL, dtype: np.dtype[Any]) -> None:
        self._call = library.mixtransforms_resize
        self._half = dtype.char == "e"
        self._dtype = DTYPES["f" if self._half else dtype.char]
        self._job = ctypes.create_string_buffer(job_of(MOST_AXES).size)
        self._work, self._room = 0, 0

    @staticmethod
    def takes(dtype: np.dtype[Any], rank: int) -> bool:
        """Whether crops of a dtype and so many axes can be resized."""
        return dtype.isnative and (dtype.char in DTYPES or dtype.char == "e") and rank <= MOST_AXES

    def __call__(self, out: NDArray[Any], values: NDArray[Any], axes: Sequence[int]) -> None:
        """Writes a crop into ``out``, whose memory may be its own, in the sides of this."""
        if self._half:
            total = np.empty_like(out, np.float32)
            self._write(total, values.astype(np.float32), axes)
            out[...] = total
        elif out.flags.aligned:
            self._write(out, values, axes)
        else:
            aligned = np.empty(out.shape, out.dtype)
            self._write(aligned, values, axes)
            out[...] = aligned

    def _write(self, out: NDArray[Any], values: NDArray[Any], axes: Sequence[int]) -> None:
        if np.may_share_memory(out, values):
            values = values.copy()
        order = descending(out.strides)
        if order is not None:
            out, values, axes = out.transpose(order), values.transpose(order), [order.index(axis) for axis in axes]
        if abs(values.strides[-1]) != values.itemsize or not values.flags.aligned:
            values = np.ascontiguousarray(values)  # the innermost axis of the result should be dense in the crop, too
        lengths, counts, steps = values.shape, out.shape, values.strides
        passes = [axis for axis in axes if lengths[axis] != counts[axis] or steps[axis] < 0]
        if not passes or not out.size:
            out[...] = values
            return
        rank = len(counts)
        numbers = (self._dtype, rank, len(axes), len(passes), *lengths, *counts, *steps, *out.strides, *passes)
        numbers += (0,) * (rank - len(passes))
        while True:
            job_of(rank).pack_into(self._job, 0, address_of(values), address_of(out), self._work, self._room, *numbers)
            room = self._call(self._job)
            if room <= self._room:
                return
            self._memory = np.empty(room, np.uint8)
            self._work, self._room = address_of(self._memory), room


@functools.lru_cache(maxsize=1024)
def descending(strides: tuple[int, ...]) -> list[int] | None:
    """The order of axes from the outermost to the innermost one in memory; ``None`` where that is theirs."""
    order = sorted(range(len(strides)), key=lambda axis: -abs(strides[axis]))
    return None if order == list(range(len(strides))) else order
