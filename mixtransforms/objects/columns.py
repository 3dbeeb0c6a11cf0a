"""Columns of objects: one value an image, all of one form."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixtransforms.containers.tree import Path, describe, is_typed, spell
from mixtransforms.core.backends import backend_of
from mixtransforms.core.errors import InputError
from mixtransforms.kernels import kernel_of


def items_of(column: Any, sizes: Sequence[tuple[int, int]]) -> Sequence[Any]:
    """The values of a column, one an image, as alike as images with and without objects allow.

    Where an image has no objects, its own value is often of another dtype or type, an empty list, or missing: it
    takes on the form of the others.

    Args:
        column: A list or tuple of arrays or lists, or an array ``(B, N, ...)``; a stacked tensor says its type.
        sizes: Height and width of every image.
    """
    backend = backend_of(column)
    items = column if backend is None else [kernel_of(backend).wrap_like(item, column) for item in column]
    arrays = [item for item in items if backend_of(item) and len(item.shape)]
    alike = len({(type(item), item.dtype, written(item)) for item in arrays}) < 2
    if alike and len(arrays) == len(items):
        return items
    telling = [item for item in arrays if item.shape[0]] or arrays
    empty = all(backend_of(item) or _is_nothing(item) for item in items)
    if not arrays or len({backend_of(item) for item in arrays}) > 1 or not empty:
        return [_listed(item, items) for item in items]
    kernel = kernel_of(str(backend_of(arrays[0])))
    dtype = kernel.common_dtype(telling)
    like = [telling[0][:0] if _is_nothing(item) or not len(item) else item for item in items]
    like = [kernel.wrap_like(item, telling[0] if not len(item) else item) for item in like]
    return [
        _on(kernel.wrap_like(kernel.astype(item, dtype), item), size) for item, size in zip(like, sizes, strict=True)
    ]


def check_forms(path: Path, items: Sequence[Any], *, masks: bool) -> None:
    """Refuses values whose rows do not go into one array.

    Args:
        path: Where the column stands.
        items: One value an image.
        masks: Whether they are instance masks, which may be of unequal sizes before padding.

    Raises:
        InputError: Types, backends, formats or shapes of rows differ.
    """
    backends, shapes, forms = set(), set(), set()
    for index, item in enumerate(items):
        backend = backend_of(item)
        shape = item.shape if backend else ()
        if not shape and type(item) not in (list, tuple):
            raise unlike((*path, index), describe(item), "an array or a list with a row for every object")
        backends.add(backend)
        if shape and shape[0]:
            shapes.add(tuple(shape[1:]))
            forms.add(written(item) or "no format of their own")
    if len(backends) > 1:
        raise unlike(path, "lists, NumPy arrays and tensors side by side", "one of them for all images")
    if len(shapes) > 1 and not masks:
        raise unlike(path, f"rows of shapes {sorted(shapes)}", "rows of one shape for all images")
    if len(forms) > 1:
        raise unlike(path, " and ".join(sorted(forms)), "one format for all images")


def written(item: Any) -> str | None:
    """How the type of boxes says that they are written: ``"XYXY"``, ``"CXCYWH"``, ..., or ``None``."""
    return str(item.format.name) if is_typed(item) and hasattr(item, "format") else None


def reader(items: Sequence[Any]) -> Callable[[Any], NDArray[Any]]:
    """What brings a value of a column to the host, where all have the same backend or none."""
    backend = backend_of(items[0]) if items else None
    return np.asarray if backend is None else kernel_of(backend).to_host


def hosts(items: Sequence[Any]) -> list[NDArray[Any]]:
    """The values of a column on the host."""
    return list(map(reader(items), items))


def joined(items: Sequence[Any]) -> Any:
    """The rows of all images in one array, or in one list; images without any do not count.

    Args:
        items: Arrays of one backend, or lists.
    """
    backend = backend_of(items[0])
    if backend is None:
        return [row for item in items for row in item]
    return kernel_of(backend).concat(*([item for item in items if item.shape[0]] or items[:1]))


def split(values: Any, counts: Sequence[int]) -> list[Any]:
    """Rows in one array or list as one value an image, none of which shares memory with another.

    Args:
        values: ``(N, ...)``.
        counts: Number of rows of every image.
    """
    stops = list(itertools.accumulate(counts))
    parts = [values[stop - count : stop] for stop, count in zip(stops, counts, strict=True)]
    backend = backend_of(values)
    if backend is None:
        return parts
    return [part.clone() for part in parts] if backend == "torch" else [part.copy() for part in parts]


def unlike(path: Path, got: str, wanted: str) -> InputError:
    """The error for objects that cannot be joined."""
    return InputError(
        "Objects of different forms",
        where=spell(path),
        got=got,
        wanted=wanted,
        fix="Give all images the same, empty where there are no objects.",
    )


def _is_nothing(item: Any) -> bool:
    return item is None or (type(item) in (list, tuple) and not item)


def _listed(item: Any, items: Sequence[Any]) -> Any:
    """An empty list where nothing is told and other images have lists."""
    return [] if item is None and any(type(other) in (list, tuple) for other in items) else item


def _on(item: Any, size: tuple[int, int]) -> Any:
    """A typed tensor without rows, on the canvas of its own image."""
    if not len(item) and hasattr(item, "canvas_size"):
        item.canvas_size = tuple(size)
    return item
