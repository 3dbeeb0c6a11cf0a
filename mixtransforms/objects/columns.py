"""Columns: one value an image, whose rows are the objects of that image, in whatever form they are written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mixtransforms.containers.tree import Path, describe, is_typed, is_typed_type, spell
from mixtransforms.core.backends import backend_of, backend_of_type
from mixtransforms.core.errors import InputError
from mixtransforms.kernels import kernel_of
from mixtransforms.objects.boxes import BoxRules

CanvasSize = tuple[int, int]

Shapes = list[tuple[int, ...]]


class Column(NamedTuple):
    """The values of a column, which are looked at once.

    Attributes:
        items: One value an image.
        shapes: Their shapes, where they are arrays with rows, all of one type, dtype and format; else ``None``.
    """

    items: Sequence[Any]
    shapes: Shapes | None

    @property
    def counts(self) -> list[int]:
        """How many rows every image has."""
        return list(map(len, self.items)) if self.shapes is None else [shape[0] for shape in self.shapes]

    @property
    def filled(self) -> list[Any]:
        """The values that have rows."""
        return [item for item, count in zip(self.items, self.counts, strict=True) if count]


def column_of(items: Sequence[Any]) -> Column:
    """Values, one an image, as they are."""
    return Column(items, _shapes(items))


def read_column(column: Any, sizes: Sequence[CanvasSize]) -> Column:
    """The values of a column, one an image, as alike as images with and without objects allow.

    Where an image has no objects, its own value is often of another dtype or type, an empty list, or missing: it
    takes on the form of the others.

    Args:
        column: A list or tuple of arrays or lists, or an array ``(B, N, ...)``; a stacked tensor says its type.
        sizes: Height and width of every image.
    """
    backend = backend_of(column)
    items = column if backend is None else list(column)
    if backend is not None and is_typed(column):
        items = [kernel_of(backend).wrap_like(item, column) for item in items]
    shapes = _shapes(items)
    return column_of(_made_alike(items, sizes)) if shapes is None else Column(items, shapes)


def items_of(column: Any, sizes: Sequence[CanvasSize]) -> Sequence[Any]:
    """The values of :func:`read_column`."""
    return read_column(column, sizes).items


def check_forms(path: Path, column: Column, *, masks: bool) -> None:
    """Refuses values whose rows do not go into one array.

    Args:
        path: Where the column stands.
        column: One value an image.
        masks: Whether they are instance masks, which may be of unequal sizes before padding.

    Raises:
        InputError: Types, backends, formats or shapes of rows differ.
    """
    items, forms, backends = column.items, set[str | None](), {}
    if column.shapes is None:
        backends = _backends(items)
        for index, item in enumerate(items):
            if type(item) not in (list, tuple) and not (backends[type(item)] and len(item.shape)):
                raise unlike((*path, index), describe(item), "an array or a list with a row for every object")
        filled = [item for item in items if backends[type(item)] and item.shape[0]]
        shapes, forms = {tuple(item.shape[1:]) for item in filled}, _written_formats(filled)
    else:
        shapes = {tuple(shape)[1:] for shape in set(column.shapes) if shape[0]}
    if len(set(backends.values())) > 1:
        raise unlike(path, "lists, NumPy arrays and tensors side by side", "one of them for all images")
    if len(shapes) > 1 and not masks:
        raise unlike(path, f"rows of shapes {sorted(shapes)}", "rows of one shape for all images")
    if len(forms) > 1:
        names = sorted(form or "no format of their own" for form in forms)
        raise unlike(path, " and ".join(names), "one format for all images")


def host_reader(items: Sequence[Any]) -> Callable[[Any], NDArray[Any]]:
    """What brings a value of a column to the host, where all have the same backend or none."""
    backend = backend_of(items[0]) if items else None
    return np.asarray if backend is None else kernel_of(backend).to_host


def hosts(items: Sequence[Any]) -> list[NDArray[Any]]:
    """The values of a column on the host."""
    return list(map(host_reader(items), items))


def any_typed(items: Sequence[Any]) -> bool:
    """Whether any value is a tensor that says its kind by its type; types are asked once, and not once an image."""
    return any(map(is_typed_type, set(map(type, items))))


def unlike(path: Path, got: str, wanted: str) -> InputError:
    """The error for objects that cannot be joined."""
    return InputError(
        "Objects of different forms",
        where=spell(path),
        got=got,
        wanted=wanted,
        fix="Give all images the same, empty where there are no objects.",
    )


def format_of(item: Any, rules: BoxRules) -> str:
    """How the boxes of one image are written: as their type says, as declared, or as corners in pixels."""
    own = getattr(item, "format", None)
    return str(own.name).lower() if own is not None else rules.format or "xyxy"


def _shapes(items: Sequence[Any]) -> Shapes | None:
    """See :attr:`Column.shapes`."""
    kinds: set[Any] = set(map(type, items))
    kind = next(iter(kinds), None)
    if len(kinds) != 1 or not backend_of_type(kind):
        return None
    shapes = [item.shape for item in items]
    alike = all(shapes) and len({item.dtype for item in items}) == 1
    return shapes if alike and (not is_typed_type(kind) or len(_written_formats(items)) == 1) else None


def _made_alike(items: Sequence[Any], sizes: Sequence[CanvasSize]) -> Sequence[Any]:
    """Values that are not alike as they came, see :func:`read_column`."""
    backends = _backends(items)
    arrays = [item for item in items if backends[type(item)] and len(item.shape)]
    alike = len({(type(item), item.dtype) for item in arrays}) < 2 and len(_written_formats(arrays)) < 2
    if alike and len(arrays) == len(items):
        return items
    # An empty array is often made by another line of the dataset, and has the default dtype: it does not count.
    telling = [item for item in arrays if item.shape[0]] or arrays
    empty = all(backends[type(item)] or _is_nothing(item) for item in items)
    if not arrays or len({backends[type(item)] for item in arrays}) > 1 or not empty:
        return [_empty_list(item, items) for item in items]
    kernel = kernel_of(str(backend_of(arrays[0])))
    dtype = kernel.common_dtype(telling)
    nobody = kernel.wrap_like(telling[0][:0], telling[0])
    like = [nobody if _is_nothing(item) or not len(item) else item for item in items]
    typed = [kernel.wrap_like(kernel.astype(item, dtype), item) for item in like]
    return [_on(item, size) for item, size in zip(typed, sizes, strict=True)]


def _backends(items: Sequence[Any]) -> dict[type, str | None]:
    """The backends of values by their types: of many images there are one or two."""
    return {kind: backend_of_type(kind) for kind in set(map(type, items))}


def _written_formats(items: Sequence[Any]) -> set[str | None]:
    """How the types of boxes say that they are written: ``"XYXY"``, ``"CXCYWH"``, ..., or ``None``."""
    if not any_typed(items):
        return {None} if items else set()
    # Formats are members of an enumeration, whose names are dear.
    typed = {kind: is_typed_type(kind) for kind in set(map(type, items))}
    forms = {getattr(item, "format", None) if typed[type(item)] else None for item in items}
    return {None if form is None else str(form.name) for form in forms}


def _is_nothing(item: Any) -> bool:
    return item is None or (type(item) in (list, tuple) and not item)


def _empty_list(item: Any, items: Sequence[Any]) -> Any:
    """An empty list where nothing is told and other images have lists."""
    return [] if item is None and any(type(other) in (list, tuple) for other in items) else item


def _on(item: Any, size: CanvasSize) -> Any:
    """A typed tensor without rows, on the canvas of its own image."""
    if not len(item) and hasattr(item, "canvas_size"):
        item.canvas_size = tuple(size)
    return item
