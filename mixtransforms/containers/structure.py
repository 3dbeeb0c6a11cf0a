"""What a batch is built of, without its values: batches of equal structure have their targets at the same places."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from mixtransforms.containers.tree import children, columns, sort_of
from mixtransforms.core.backends import backend_of
from mixtransforms.rng.keys import PLAIN

LONGEST = 16
"""Items of the longest list that is looked into; what has more has an item for every sample."""


def structure(node: Any) -> Hashable | None:
    """Types, names, shapes and dtypes of a batch of few arrays, or ``None`` for any other.

    Args:
        node: Any container.
    """
    kind: Any = type(node)
    if backend_of(node):
        return kind, node.shape, node.dtype
    if sort_of(kind) is None or len(items := children(node) or ()) > LONGEST:
        return kind if issubclass(kind, PLAIN) else None
    parts = []
    for name, value in items:
        part = structure(value)
        if part is None:
            return None
        parts.append((type(name), name, part))  # 1 and True are equal, but not alike
    return kind, tuple(parts)


def common_structure(values: Sequence[Any]) -> Hashable | None:
    """The structure that all samples have in common, or ``None`` where they have none.

    Arrays at one place have one dtype and equally many axes; where their shapes differ, the structure says so.

    Args:
        values: Samples, or what stands at one place of them.
    """
    kinds: set[Any] = set(map(type, values))
    if len(kinds) != 1:
        return None
    kind = kinds.pop()
    if backend_of(values[0]):
        shapes, dtypes = {value.shape for value in values}, {value.dtype for value in values}
        ranks = {len(shape) for shape in shapes}
        one = len(dtypes) == len(ranks) == 1
        return (kind, *dtypes, *(shapes if len(shapes) == 1 else (None, *ranks))) if one else None
    sort = sort_of(kind)
    if sort is None:
        return kind if issubclass(kind, PLAIN) else None
    if len(children(values[0]) or ()) > LONGEST:
        return None
    parts = []
    for name, column in columns(values) or ():
        part = common_structure(column)
        if part is None:
            return None
        parts.append((type(name), name, part))
    return (kind, tuple(parts)) if parts else None
