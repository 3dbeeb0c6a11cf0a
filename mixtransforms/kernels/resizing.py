"""Resizes crops by the kernel in C: ``resize.c`` says how, and what is the same as in NumPy."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_AXES = 8
"""Of what is resized."""

DTYPES = {"float32": 0, "float64": 1, "uint8": 2, "uint16": 3, "int16": 4}
"""What the kernel resizes. Halves are read as float32, and rounded here."""

JOB = struct.Struct(f"{9 + 5 * MOST_AXES}q")
"""The struct of the kernel's argument."""


class Resizer:
    """Resizes crops of one dtype, in memory that is kept from one to the next; for one thread."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._call = library.mixtransforms_resize
        self._job = ctypes.create_string_buffer(JOB.size)
        self._work = np.empty(0, np.uint8)

    @staticmethod
    def takes(dtype: np.dtype[Any]) -> bool:
        """Whether crops of a dtype can be resized."""
        return dtype.isnative and (dtype.name in DTYPES or dtype.name == "float16")

    def __call__(self, out: NDArray[Any], values: NDArray[Any], axes: Sequence[int]) -> None:
        """Writes a crop into ``out``, whose memory may be its own, in the sides of this."""
        if not out.size:
            return
        if values.dtype == np.float16 or not out.flags.aligned:
            half = values.dtype == np.float16
            total = np.empty(out.shape, np.float64 if half else out.dtype)
            self(total, values.astype(np.float32) if half else values, axes)
            out[...] = total
            return
        if np.may_share_memory(out, values):
            values = values.copy()
        # As memory of the result is laid out: its innermost axis should be dense in the crop, too.
        order = sorted(range(out.ndim), key=lambda axis: -abs(out.strides[axis]))
        if order != list(range(out.ndim)):
            out, values, axes = out.transpose(order), values.transpose(order), [order.index(axis) for axis in axes]
        if abs(values.strides[-1]) != values.itemsize or not values.flags.aligned:
            values = np.ascontiguousarray(values)
        self._resize(out, values, axes)

    def _resize(self, out: NDArray[Any], values: NDArray[Any], axes: Sequence[int]) -> None:
        lengths, counts, steps, rest = values.shape, out.shape, values.strides, (0,) * (MOST_AXES - out.ndim)
        dtype, given, made = DTYPES[values.dtype.name], address(values), address(out)
        passes = [axis for axis in axes if lengths[axis] != counts[axis] or steps[axis] < 0]
        if not passes:
            out[...] = values
            return
        numbers = (dtype, DTYPES[out.dtype.name], out.ndim, len(axes), len(passes))
        arrays = (*lengths, *rest, *counts, *rest, *steps, *rest, *out.strides, *rest, *passes)
        arrays += (0,) * (MOST_AXES - len(passes))
        while True:
            JOB.pack_into(self._job, 0, given, made, address(self._work), self._work.nbytes, *numbers, *arrays)
            room = self._call(self._job)
            if room <= self._work.nbytes:
                return
            self._work = np.empty(room, np.uint8)


def address(array: NDArray[Any]) -> int:
    """Where its first element is."""
    return int(array.__array_interface__["data"][0])
