"""Masks in few characters: compressed, and read back into no more memory than a plan of these samples needs."""

from __future__ import annotations

import base64
import math
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core.reading import listed, whole_number

MOST_UNPACKED = 1 << 28
"""Bytes that all masks of a plan may have to be packed: a thousandth of them may be all that a document shows."""

_BYTES = {"bits": 1, "numbers": 8}
"""How masks are packed, and how many bytes a cell of them takes: bools, and floats in eight bytes, the lowest first."""


def pack(values: NDArray[Any]) -> dict[str, Any]:
    """An array of bools or of float64 in JSON's vocabulary."""
    soft = values.dtype != np.bool_
    content = values.astype("<f8", copy=False) if soft else np.packbits(values)
    text = base64.b64encode(zlib.compress(content.tobytes())).decode("ascii")
    return {"shape": list(values.shape), "numbers" if soft else "bits": text}


def unpack(data: Mapping[str, Any]) -> NDArray[Any]:
    """What :func:`pack` was given.

    Raises:
        ValueError: It is packed otherwise, or unpacks to another size than it says, of which no more is unpacked.
    """
    shape, form, room = _promised(data)
    count = math.prod(shape)
    size = room if form == "numbers" else -(-count // 8)
    if room > MOST_UNPACKED:
        raise _too_large(room)
    inflating = zlib.decompressobj()
    try:  # one byte more than promised shows that there are more, and that there are no more lets it come to its end
        content = inflating.decompress(base64.b64decode(data[form], validate=True), size + 1)
    except zlib.error as reason:
        raise ValueError(f"packed masks that are damaged: {reason}") from reason
    if len(content) != size or not inflating.eof:
        raise ValueError(f"packed masks that are none of shape {shape}")
    cells = np.frombuffer(content, "<f8" if form == "numbers" else np.uint8)
    return (cells if form == "numbers" else np.unpackbits(cells, count=count).view(np.bool_)).reshape(shape)


def check_room(packed: Iterable[tuple[int, Any]], shape: tuple[int, ...]) -> None:
    """Refuses the masks of a plan before any of them is unpacked.

    Args:
        packed: How many rows a layer has, and what is packed of it.
        shape: Lengths of the mixed axes.

    Raises:
        ValueError: One has another shape, or all of them together would take too much memory.
    """
    total = 0
    for rows, data in packed:
        own, _, room = _promised(data)
        if own != (rows, *shape):
            raise ValueError(f"packed masks of shape {own} for {rows} rows of {shape}")
        total += room
    if total > MOST_UNPACKED:
        raise _too_large(total)


def _promised(data: Mapping[str, Any]) -> tuple[tuple[int, ...], str, int]:
    """The shape of what was packed, how it was, and the bytes that it unpacks to."""
    shape = tuple(map(whole_number, listed(data["shape"])))
    (form,) = set(data) - {"shape"}
    return shape, form, math.prod(shape) * _BYTES[form]


def _too_large(size: int) -> ValueError:
    return ValueError(f"packed masks of {size} bytes, more than {MOST_UNPACKED}")
