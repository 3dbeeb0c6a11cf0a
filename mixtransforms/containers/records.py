"""Records: what is told of every sample in a container of its own, read by columns and put together again.

Detection batches come as a list of dicts, one an image. Every rule works on columns, a list of values by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mixtransforms.containers.tree import (
    Path,
    children,
    extended,
    leaf_at,
    names_of_type,
    rebuild,
    replace,
    spell,
    takes_names,
)
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
    return all(map(names_of_type, set(map(type, node))))


def read_columns(records: Sequence[Any], path: Path) -> Columns:
    """Records by columns; where one lacks a name that others have, its value is ``None``.

    Args:
        records: Named containers, one a sample.
        path: Where they stand, for errors.

    Raises:
        InputError: The records have different names, and cannot take more.
    """
    first, columns = records[0], Columns()
    columns.records = records
    if _are_plain(records):
        for name in first:  # the usual case, without a call a record
            columns[name] = [record[name] for record in records]
        return columns
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
    for name in names:  # an image without objects may not tell of any
        columns[name] = [row.get(name) for row in rows]
    return columns


def with_columns(node: Any, places: Sequence[Path]) -> Any:
    """A batch whose records at some places, outermost first, are read by columns."""
    for path in places:
        node = replace(node, {path: read_columns(leaf_at(node, path), path)})
    return node


def as_records(node: Any, places: Sequence[Path]) -> Any:
    """Undoes :func:`with_columns` at the same places; columns that have become longer make more records."""
    for path in reversed(places):
        columns = leaf_at(node, path)
        node = replace(node, {path: _records(columns) if columns else columns.records})
    return node


def _records(columns: Columns) -> Any:
    """Records of the type they had, repeated where the batch has become longer."""
    old = columns.records
    rows = {name: _rows(value) for name, value in columns.items()}
    size = max([len(old), *(len(row) for row in rows.values())])
    plain = _are_plain(old) and bool(old[0]) and {*map(len, rows.values())} == {size}
    records = _plain_records(list(old[0]), rows) if plain else []
    for index in range(len(records), size):
        record = old[index % len(old)]
        told = {name: row[index % len(row)] for name, row in rows.items()}
        own = [told.pop(name) for name, _ in children(record) or ()]
        more = {name: value for name, value in told.items() if value is not None}
        records.append(extended(rebuild(record, own), more) if more else rebuild(record, own))
    return tuple(records) if isinstance(old, tuple) else records


def _plain_records(names: Sequence[Any], rows: Mapping[Any, Sequence[Any]]) -> list[Any]:
    """Dicts of some names, and of those others that they have a value of; without a call a record."""
    records = [dict(zip(names, values, strict=True)) for values in zip(*[rows[name] for name in names], strict=True)]
    for name in [name for name in rows if name not in names]:
        for record, value in zip(records, rows[name], strict=True):
            if value is not None:
                record[name] = value
    return records


def _are_plain(records: Sequence[Any]) -> bool:
    """Whether all records are dicts of the same names in one order."""
    return set(map(type, records)) == {dict} and len(set(map(tuple, records))) == 1


def _rows(column: Any) -> Sequence[Any]:
    """A column record by record; what mixing has made one named tuple, such as a pair of labels, is one in each."""
    if not hasattr(column, "_fields"):
        return column  # type: ignore[no-any-return]
    return [type(column)(*parts) for parts in zip(*map(_rows, column), strict=True)]
