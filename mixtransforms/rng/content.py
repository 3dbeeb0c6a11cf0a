"""What samples are known by: hashes of their arrays that no name, container, back end or order in memory changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from mixtransforms.rng.keys import PLAIN

PART = 1 << 18
"""Bytes that are brought into their canonical order at once: they stay in the cache until they are hashed."""

FEW = 4
"""Channels up to which every one is copied by itself, which is three times as fast as all of them together."""


Write = Callable[[NDArray[Any], NDArray[Any]], None]
"""Copies an array of few channels to another one."""

_IN_ORDER = attrgetter("flags.c_contiguous")


def header(dtype: str, shape: Sequence[int]) -> bytes:
    """What is hashed before the bytes of an array, so that equal bytes of other numbers or lengths are told apart.

    Args:
        dtype: Its name, without an order of bytes.
        shape: Its lengths, in the canonical order of its axes.
    """
    return f"{dtype}|{tuple(map(int, shape))}|".encode()


def row_hashes(rows: Any, head: bytes, before: Sequence[int] | None = None, write: Write | None = None) -> list[int]:
    """A hash of every row of an array, or of every one of several arrays of one shape and dtype.

    Args:
        rows: An array ``(B, ...)``, or a list of arrays; their axes in canonical order, any strides and order of bytes.
        head: The :func:`header` of each.
        before: What every row's sample is known by so far, ``(B,)``: an array that comes after others of the sample.
        write: Copies an image ``(H, W, C)`` of few channels to dense memory; ``None`` does so channel by channel.
    """
    if before is None:
        seeds = [xxhash.xxh3_64_intdigest(head)] * len(rows)
    else:
        seeds = [xxhash.xxh3_64_intdigest(head, hash_) for hash_ in before]
    digest: Any = xxhash.xxh3_64_intdigest
    return [hash_ for some, part in _parts(rows, write) for hash_ in map(digest, part, seeds[some])]


def _parts(rows: Any, write: Write | None) -> Iterator[tuple[slice, Iterable[Any]]]:
    """The bytes of all rows in little endian, some rows at a time; xxhash reads memory as it lies."""
    if not len(rows):
        return
    first = rows[0]
    if first.dtype.hasobject:  # addresses, which no run repeats
        yield slice(None), [np.zeros(0, np.uint8)] * len(rows)
        return
    dtype, every = first.dtype.newbyteorder("<"), isinstance(rows, np.ndarray) and rows.flags.c_contiguous
    if first.dtype == dtype and dtype.kind in "biufc" and (every or all(map(_IN_ORDER, rows))):
        yield slice(None), rows
        return
    step = min(len(rows), max(1, PART // max(1, first.nbytes)))
    room = np.empty((step, *first.shape), dtype)  # one for all parts: new memory takes longer than to fill it
    for start in range(0, len(rows), step):
        some = slice(start, start + step)
        yield some, _dense(rows[some], room, write)


def _dense(rows: Any, room: NDArray[Any], write: Write | None) -> NDArray[np.uint8]:
    """The bytes of some rows, copied to where they lie in order, ``(B, bytes)``."""
    dense = room[: len(rows)]
    few = dense.ndim > 1 and dense.shape[-1] <= FEW
    if few and write is not None and dense.ndim == 4:
        for row, own in zip(rows, dense, strict=True):
            write(row, own)
    else:
        for row, own in [(rows, dense)] if isinstance(rows, np.ndarray) else zip(rows, dense, strict=True):
            _by_channels(row, own) if few else np.copyto(own, row)
    return dense.reshape(len(rows), int(np.prod(dense.shape[1:]))).view(np.uint8)


def _by_channels(row: NDArray[Any], own: NDArray[Any]) -> None:
    for channel in range(own.shape[-1]):
        own[..., channel] = row[..., channel]


def plain_hash(value: Any, before: int = 0) -> int:
    """A hash of a value that is no array, by its type and text."""
    # Of other values only the type counts: their text may hold an address, which no run repeats.
    text = repr(value) if isinstance(value, PLAIN) else ""
    return xxhash.xxh3_64_intdigest(f"{type(value).__name__}|{text}|".encode(), before)


def batch_hash(samples: Sequence[int]) -> int:
    """What a batch is known by: the hashes of its samples, in their order."""
    return xxhash.xxh3_64_intdigest(np.array(samples, "<u8").tobytes())
