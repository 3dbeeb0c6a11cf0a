"""What a batch is built of, without its values: batches of equal structure have their targets at the same places."""

from __future__ import annotations

import functools
from collections.abc import Hashable, Sequence
from typing import Any

from mixtransforms.containers.records import is_records
from mixtransforms.containers.tree import (
    axes_of,
    children,
    columns,
    is_flat,
    is_picture,
    is_picture_type,
    names_of_type,
    sort_of,
)
from mixtransforms.core.backends import backend_of_type, holds_others, is_masked_type
from mixtransforms.rng.keys import PLAIN

LONGEST = 16
"""Items of the longest list whose items may differ; what has more has an item for every sample, and must be alike."""

FEW = 3
"""Items of a list that are looked at one by one, as images with their labels are: cheaper than what they share."""


@functools.lru_cache(maxsize=1024)  # asked for every value of every sample
def _is_opaque(kind: Any) -> bool:
    """Whether values of a type say by their type alone that there is no array in them."""
    return issubclass(kind, PLAIN) or is_picture_type(kind)


def is_samples(batch: Any) -> bool:
    """Whether a value is a list of samples: tuples, dicts, dataclasses or unbatched images.

    A list of two flat lists is a batch, ``[images, labels]``, of which default collation makes lists as well; so is
    ``[images, targets]`` with a record an image.
    """
    if type(batch) not in (list, tuple) or not batch:
        return False
    kinds: set[Any] = set(map(type, batch))
    if type(batch) is tuple:
        return {*map(sort_of, kinds)} == {"mapping"}
    if all(map(backend_of_type, kinds)):
        return axes_of(batch) == {3}
    if all(map(is_picture, batch)):
        return True
    if is_flat(batch[0]) and any(is_records(item) and len(item) == len(batch[0]) for item in batch[1:]):
        return False
    return all(map(sort_of, kinds)) and not (list in kinds and any(type(i) is list and is_flat(i) for i in batch))


def batch_key(node: Any) -> Hashable | None:
    """Types, names, shapes and dtypes of a batch, or ``None`` where these do not settle what its values are.

    Of masked arrays they never do: some have all their values, others have not. Nested tensors have no shape.
    Of one record a sample the lengths are left out: images have any number of objects.

    Args:
        node: Any container.
    """
    kind: Any = type(node)
    if backend_of_type(kind):
        if is_masked_type(kind) or holds_others(kind) or getattr(node, "is_nested", False) or node.dtype == object:
            return None
        return kind, node.shape, node.dtype, getattr(node, "layout", None)
    sort = sort_of(kind)
    if sort is None:
        return kind if _is_opaque(kind) else None
    if sort == "list":
        kinds: set[Any] = set(map(type, node))
        if all(map(_is_opaque, kinds)):  # where they differ, their order counts: a position may be declared
            return kind, len(node), frozenset(kinds) if len(kinds) == 1 else tuple(map(type, node))
        only = next(iter(kinds))
        if len(kinds) == 1 and only not in (list, tuple) and (len(node) > FEW or names_of_type(only)):
            common = common_key(node, exact=backend_of_type(only) is not None, lists=False)
            if common is not None:
                return kind, len(node), common
        if len(node) > LONGEST:
            return None
    parts: list[Any] = []
    for name, value in enumerate(node) if sort == "list" else children(node) or ():
        part = batch_key(value)
        if part is None:
            return None
        parts += (type(name), name, part)  # 1 and True are equal, but not alike
    return kind, tuple(parts)


def common_key(values: Sequence[Any], *, exact: bool, lists: bool = True) -> Hashable | None:
    """The structure that all values have in common, or ``None`` where they have none.

    Args:
        values: Samples, records, or what stands at one place of them.
        exact: Whether shapes count, and not only the number of axes; the first axis may differ all the same.
        lists: Whether lists are looked into. Beside the objects of records they are not: whether such a list has an
            entry for every object depends on lengths.
    """
    kinds: set[Any] = set(map(type, values))
    if all(map(_is_opaque, kinds)):
        return frozenset(kinds)
    if len(kinds) != 1:
        return None
    kind = kinds.pop()
    if backend_of_type(kind):
        return None if is_masked_type(kind) or holds_others(kind) else _array_key(kind, values, exact)
    if sort_of(kind) is None or (sort_of(kind) == "list" and (not lists or len(values[0]) > LONGEST)):
        return None
    parts: list[Any] = []
    for name, column in columns(values) or ():
        part = common_key(column, exact=exact, lists=lists)
        if part is None:
            return None
        parts += (type(name), name, part)
    return (kind, tuple(parts)) if parts else None


def keys_of_each(values: Sequence[Any]) -> list[Hashable | None]:
    """The structure of every value, as :func:`common_key` has it of this value alone, whose shape does not count.

    Where all are alike they are looked at together, which is several times as fast.
    """
    first = common_key(values[:1], exact=False) if len(values) else None
    if first is not None and common_key(values, exact=False) == first:
        return [first] * len(values)
    return [common_key([value], exact=False) for value in values]


def _array_key(kind: Any, values: Sequence[Any], exact: bool) -> Hashable | None:
    layouts = {getattr(value, "layout", None) for value in values}
    try:
        shapes, dtypes = {value.shape for value in values}, {value.dtype for value in values}
    except RuntimeError:  # a nested tensor has no shape
        return None
    ranks = set(map(len, shapes))
    if len(dtypes) != 1 or len(ranks) != 1 or len(layouts) != 1 or object in dtypes:
        return None
    layout = layouts.pop()
    if not exact:
        return kind, dtypes.pop(), *ranks, layout
    # Arrays that differ in their first axis alone belong to objects, or are refused: no image is known by its length.
    tails = {shape[1:] for shape in shapes}
    known = shapes if len(shapes) == 1 else tails
    return (kind, dtypes.pop(), len(shapes) == 1, *known, layout) if len(tails) == 1 else None
