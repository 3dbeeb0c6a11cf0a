"""Records: what is told of every sample in a container of its own, read by columns and put together again.

Detection batches come as a list of dicts, one an image. Every rule works on columns, a list of values by name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mixtransforms.containers.tree import Path, children, extended, holds_names, rebuild, spell, takes_names
from mixtransforms.core.errors import InputError


class Columns(dict[Any, Any]):
    """Records of equal names by column: ``{name: [value of every record]}``.

    Attributes:
        records: The records they were read from.
    """

    records: Sequence[Any]

    @property
    def takes_names(self) -> bool:
        """Whether the records take names that they have not yet."""
        return takes_names(self.records[0])


def is_records(node: Any, size: int | None = None) -> bool:
    """Whether a value is a list or tuple of named containers: of ``size`` ones, where that is given."""
    if type(node) not in (list, tuple) or not node or (size is not None and len(node) != size):
        return False
    return all(holds_names(item) for item in node)


def by_columns(node: Any, size: int, leave: Callable[[Path], bool], path: Path = ()) -> Any:
    """A batch whose lists of one record a sample are read by columns.

    Args:
        node: Any container.
        size: Number of samples.
        leave: Says which paths are left alone.
        path: Where the node stands.

    Raises:
        InputError: The records have different names.
    """
    if leave(path):
        return node
    if path and is_records(node, size):
        return _columns(node, size, leave, path)
    items = children(node)
    if not items:
        return node
    values = [by_columns(value, size, leave, (*path, key)) for key, value in items]
    return node if all(new is old for new, (_, old) in zip(values, items, strict=True)) else rebuild(node, values)


def _columns(records: Sequence[Any], size: int, leave: Callable[[Path], bool], path: Path) -> Columns:
    rows = [dict(children(record) or ()) for record in records]
    names = dict.fromkeys(name for row in rows for name in row)
    for index, row in enumerate(rows):
        if row.keys() != names.keys() and not takes_names(records[index]):
            raise InputError(
                "Records of different names",
                where=spell((*path, index)),
                got=str(list(row)),
                wanted=f"{list(names)}, as in other records",
                fix="Give every image the same names, with empty arrays where it has no objects.",
            )
    columns = Columns()
    columns.records = records
    for name in names:  # an image without objects may not tell of any
        columns[name] = by_columns([row.get(name) for row in rows], size, leave, (*path, name))
    return columns


def as_records(node: Any) -> Any:
    """Undoes :func:`by_columns`; columns that have become longer make more records."""
    items = children(node)
    if not items:
        return node
    values = [as_records(value) for _, value in items]
    if isinstance(node, Columns):
        return _records(node, dict(zip(node, values, strict=True)))
    return node if all(new is old for new, (_, old) in zip(values, items, strict=True)) else rebuild(node, values)


def _records(columns: Columns, values: dict[Any, Any]) -> Any:
    """Records of the type they had, repeated where the batch has become longer."""
    old = columns.records
    rows = {name: _rows(value) for name, value in values.items()}
    records = []
    for index in range(max([len(old), *(len(row) for row in rows.values())])):
        record = old[index % len(old)]
        told = {name: row[index % len(row)] for name, row in rows.items()}
        own = [told.pop(name) for name, _ in children(record) or ()]
        more = {name: value for name, value in told.items() if value is not None}
        records.append(extended(rebuild(record, own), more) if more else rebuild(record, own))
    return tuple(records) if isinstance(old, tuple) else records


def _rows(column: Any) -> Sequence[Any]:
    """A column record by record; what mixing has made one named tuple, such as a pair of labels, is one in each."""
    if not hasattr(column, "_fields"):
        return column  # type: ignore[no-any-return]
    return [type(column)(*parts) for parts in zip(*map(_rows, column), strict=True)]
