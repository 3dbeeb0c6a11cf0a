"""What samples are known by: hashes of their arrays that no name, container, back end or order in memory changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from mixtransforms.rng.keys import PLAIN

PART = 1 << 20
"""Bytes that are brought into their canonical order at once: they stay in the cache until they are hashed."""

FEW = 4
"""Channels up to which every one is copied by itself, which is three times as fast as all of them together."""


def header(dtype: str, shape: Sequence[int]) -> bytes:
    """What is hashed before the bytes of an array, so that equal bytes of other numbers or lengths are told apart.

    Args:
        dtype: Its name, without an order of bytes.
        shape: Its lengths, in the canonical order of its axes.
    """
    return f"{dtype}|{tuple(map(int, shape))}|".encode()


def row_hashes(rows: NDArray[Any], head: bytes, before: Sequence[int] | None = None) -> list[int]:
    """A hash of every row of an array.

    Args:
        rows: ``(B, ...)``, the axes in their canonical order; any strides and order of bytes.
        head: The :func:`header` of a row.
        before: What every row's sample is known by so far, ``(B,)``: an array that comes after others of the sample.
    """
    if before is None:
        seeds = [xxhash.xxh3_64_intdigest(head)] * len(rows)
    else:
        seeds = [xxhash.xxh3_64_intdigest(head, hash_) for hash_ in before]
    step = max(1, PART // max(1, rows[:1].nbytes))
    hashes: list[int] = []
    for start in range(0, len(rows), step):
        some = slice(start, start + step)
        hashes += map(xxhash.xxh3_64_intdigest, _dense(rows[some]), seeds[some])
    return hashes


def array_hash(array: NDArray[Any], head: bytes, before: int | None = None) -> int:
    """A hash of one array, as of a row of several."""
    return row_hashes(array[None], head, None if before is None else [before])[0]


def _dense(rows: NDArray[Any]) -> NDArray[np.uint8]:
    """The bytes of every row in little endian, ``(B, bytes)``; xxhash reads memory as it lies."""
    if rows.dtype.hasobject:  # addresses, which no run repeats
        return np.zeros((len(rows), 0), np.uint8)
    dtype = rows.dtype.newbyteorder("<")
    if rows.dtype != dtype or not rows.flags.c_contiguous:
        rows = _copied(rows, dtype)
    return rows.reshape(len(rows), int(np.prod(rows.shape[1:]))).view(np.uint8)


def _copied(rows: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    if rows.ndim < 2 or rows.shape[-1] > FEW:
        return np.ascontiguousarray(rows, dtype)
    dense = np.empty(rows.shape, dtype)
    for channel in range(rows.shape[-1]):
        dense[..., channel] = rows[..., channel]
    return dense


def plain_hash(value: Any, before: int | None = None) -> int:
    """A hash of a value that is no array, by its type and text."""
    # Of other values only the type counts: their text may hold an address, which no run repeats.
    text = repr(value) if isinstance(value, PLAIN) else ""
    return xxhash.xxh3_64_intdigest(f"{type(value).__name__}|{text}|".encode(), before or 0)


def batch_hash(samples: Sequence[int]) -> int:
    """What a batch is known by: the hashes of its samples, in their order."""
    return xxhash.xxh3_64_intdigest(np.array(samples, "<u8").tobytes())
