"""Columns of objects: one value an image, all of one form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mixtransforms.core.errors import InputError, explain
from mixtransforms.kernels import backend_of, kernel_of
from mixtransforms.targets.containers import Path, describe, is_typed, spell


def items_of(column: Any, sizes: Sequence[tuple[int, int]]) -> Sequence[Any]:
    """The values of a column, one an image, as alike as images with and without objects allow.

    Where an image has no objects, its own value is often of another dtype or type, an empty list, or missing: it
    takes on the form of the others.

    Args:
        column: A list or tuple of arrays or lists, or an array ``(B, N, ...)``; a stacked tensor says its type.
        sizes: Height and width of every image.
    """
    backend = backend_of(column)
    items = column if backend is None else [kernel_of(backend).typed(item, column) for item in column]
    arrays = [item for item in items if backend_of(item) and len(item.shape)]
    telling = [item for item in arrays if len(item)] or arrays
    empty = all(backend_of(item) or _is_nothing(item) for item in items)
    if not arrays or len({backend_of(item) for item in arrays}) > 1 or not empty:
        return [_listed(item, items) for item in items]
    if len(arrays) == len(items) and len({(type(item), str(item.dtype)) for item in arrays}) < 2:
        return items
    kernel = kernel_of(str(backend_of(arrays[0])))
    dtype = kernel.common_dtype(telling)
    like = [telling[0][:0] if _is_nothing(item) or not len(item) else item for item in items]
    like = [kernel.typed(item, telling[0] if not len(item) else item) for item in like]
    return [_on(kernel.typed(kernel.astype(item, dtype), item), size) for item, size in zip(like, sizes, strict=True)]


def check_forms(path: Path, items: Sequence[Any], *, masks: bool) -> None:
    """Refuses values whose rows do not go into one array.

    Args:
        path: Where the column stands.
        items: One value an image.
        masks: Whether they are instance masks, which may be of unequal sizes before padding.

    Raises:
        InputError: Types, backends, formats or shapes of rows differ.
    """
    backends, shapes, written = set(), set(), set()
    for index, item in enumerate(items):
        if not (backend_of(item) and len(item.shape)) and type(item) not in (list, tuple):
            raise unlike((*path, index), describe(item), "an array or a list with a row for every object")
        backends.add(backend_of(item))
        if backend_of(item) and len(item):
            shapes.add(tuple(item.shape[1:]))
            written.add(item.format.name if is_typed(item) and hasattr(item, "format") else "no format of their own")
    if len(backends) > 1:
        raise unlike(path, "lists, NumPy arrays and tensors side by side", "one of them for all images")
    if len(shapes) > 1 and not masks:
        raise unlike(path, f"rows of shapes {sorted(shapes)}", "rows of one shape for all images")
    if len(written) > 1:
        raise unlike(path, " and ".join(sorted(written)), "one format for all images")


def unlike(path: Path, got: str, wanted: str) -> InputError:
    """The error for objects that cannot be joined."""
    return InputError(
        explain(
            "Objects of different forms",
            where=spell(path),
            got=got,
            wanted=wanted,
            fix="Give all images the same, empty where there are no objects.",
        )
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
