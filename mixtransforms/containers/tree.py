"""Containers: walking, reading and rebuilding whatever structure a batch comes in. Nothing is changed in place."""

from __future__ import annotations

import copy
import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from mixtransforms.core.backends import backend_of, backend_of_type
from mixtransforms.core.errors import InputError

Path = tuple[str | int, ...]
Name = str | int


def spell(path: Path) -> str:
    """A path as people write it: ``batch['views'][0]``, or ``batch`` for the root."""
    return "batch" + "".join(f"[{step!r}]" for step in path)


def children(node: Any) -> list[tuple[Name, Any]] | None:
    """Keys and values of a container, ``None`` for anything else."""
    kind: Any = type(node)
    sort = sort_of(kind)
    if sort is None:
        return None
    if sort == "mapping":
        return list(node.items())
    if sort == "list":
        return list(enumerate(node))
    if sort == "named":
        return list(zip(node._fields, node, strict=True))
    return [(field.name, getattr(node, field.name)) for field in dataclasses.fields(node)]


def columns(nodes: Sequence[Any]) -> list[tuple[Name, list[Any]]] | None:
    """Values of several containers by their common keys, or ``None`` where they have not the same keys."""
    kinds: set[Any] = set(map(type, nodes))
    sort = sort_of(kinds.pop()) if len(kinds) == 1 else None
    if sort == "list":
        same = len(set(map(len, nodes))) == 1
        return list(enumerate(map(list, zip(*nodes, strict=True)))) if same else None
    if sort == "mapping":
        keys = nodes[0].keys()
        return [(key, [node[key] for node in nodes]) for key in keys] if all(n.keys() == keys for n in nodes) else None
    items = [dict(children(node) or ()) for node in nodes]
    if any(children(node) is None for node in nodes) or any(item.keys() != items[0].keys() for item in items):
        return None
    return [(key, [item[key] for item in items]) for key in items[0]]


def is_container(node: Any) -> bool:
    """Whether a value has :func:`children`."""
    kind: Any = type(node)
    return sort_of(kind) is not None


@functools.lru_cache(maxsize=1024)  # asked for every value of every sample
def sort_of(kind: type) -> str | None:
    """Which sort of container a type is: ``"mapping"``, ``"list"``, ``"named"``, ``"fields"``, or ``None``."""
    if issubclass(kind, Mapping):
        return "mapping"
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return "named"
    if kind in (tuple, list):
        return "list"
    return "fields" if dataclasses.is_dataclass(kind) else None


def rebuild(node: Any, values: list[Any]) -> Any:
    """The same container around new values."""
    if isinstance(node, dict):
        result: Any = copy.copy(node)
        result.update(zip(node, values, strict=True))
        return result
    if isinstance(node, Mapping):  # a copy may share its store with the original
        return _rebuild_mapping(node, dict(zip(node, values, strict=True)))
    if isinstance(node, tuple) and hasattr(node, "_fields"):
        return type(node)(*values)
    if isinstance(node, (tuple, list)):
        return type(node)(values)
    result = copy.copy(node)
    for field, value in zip(dataclasses.fields(node), values, strict=True):
        object.__setattr__(result, field.name, value)
    return result


def _rebuild_mapping(node: Mapping[Any, Any], items: dict[Any, Any]) -> Any:
    try:
        return type(node)(items)  # type: ignore[call-arg]
    except TypeError as reason:
        raise InputError(
            "A mapping that cannot be rebuilt",
            where=type(node).__name__,
            got=str(reason),
            wanted="a dict, or a mapping that is built from one",
            fix="Convert it to a dict.",
        ) from None


def is_flat(node: Any) -> bool:
    """A non-empty list or tuple with one value a sample: arrays with equally many axes, numbers, or rows of numbers."""
    if type(node) not in (list, tuple) or not node:
        return False
    kinds: set[Any] = set(map(type, node))
    if all(map(backend_of_type, kinds)):
        return len({len(item.shape) for item in node}) == 1
    if kinds <= _ROWS:
        return len(set(map(len, node))) == 1 and all(map(is_numbers, node))
    return is_numbers(node)


_ROWS = frozenset({list, tuple})


def is_numbers(node: Any) -> bool:
    """A non-empty list or tuple of numbers."""
    kinds: set[Any] = set(map(type, node))
    return bool(kinds) and all(issubclass(kind, (int, float, np.number)) for kind in kinds)


def is_picture(value: Any) -> bool:
    """Whether a value is a PIL image. Imports nothing."""
    kind: Any = type(value)
    return is_picture_type(kind)


@functools.lru_cache(maxsize=1024)
def is_picture_type(kind: type) -> bool:
    """Whether values of a type are PIL images."""
    return kind.__module__.startswith("PIL.")


def is_typed(value: Any) -> bool:
    """Whether a value is a tensor that says its kind by its type, as torchvision's do. Imports nothing."""
    kind: Any = type(value)
    return is_typed_type(kind)


@functools.lru_cache(maxsize=1024)
def is_typed_type(kind: type) -> bool:
    """Whether values of a type are tensors that say their kind by it."""
    return kind.__module__.startswith("torchvision.tv_tensors")


def walk(node: Any, stop: Callable[[Path, Any], bool], path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Leaves in order, with their paths; a node for which ``stop`` says so is a leaf."""
    items = None if stop(path, node) else children(node)
    if items is None:
        yield path, node
        return
    for key, value in items:
        yield from walk(value, stop, (*path, key))


def leaf_at(node: Any, path: Path) -> Any:
    """The value at a path."""
    for step in path:
        kind: Any = type(node)
        node = node[step] if sort_of(kind) in ("list", "mapping") else dict(children(node) or ())[step]
    return node


def replace(node: Any, new: Mapping[Path, Any]) -> Any:
    """The same containers with the values at some paths replaced, and names added to mappings."""
    if () in new:
        return new[()]
    inside: dict[Name, dict[Path, Any]] = {}
    for path, value in new.items():
        inside.setdefault(path[0], {})[path[1:]] = value
    items = children(node) if inside else None
    if items is None:
        return node
    # A name that is not there yet has one step left; longer ones lead nowhere.
    values = []
    for key, value in items:
        parts = inside.pop(key, None)
        values.append(value if parts is None else parts[()] if () in parts else replace(value, parts))
    changed = rebuild(node, values) if items else node
    added = {key: parts[()] for key, parts in inside.items() if () in parts} if inside else {}
    return extended(changed, added) if added else changed


def extended(node: Mapping[Any, Any], added: Mapping[Any, Any]) -> Any:
    """A mapping with more names behind its own."""
    if isinstance(node, dict):
        result = copy.copy(node)
        result.update(added)
        return result
    return _rebuild_mapping(node, {**node, **added})


def takes_names(node: Any) -> bool:
    """Whether a container takes names that it has not yet."""
    return isinstance(node, Mapping) and getattr(node, "takes_names", True)


def holds_names(node: Any) -> bool:
    """Whether a container has names of its own: a mapping, a named tuple or a dataclass."""
    kind: Any = type(node)
    return names_of_type(kind)


@functools.lru_cache(maxsize=1024)
def names_of_type(kind: type) -> bool:
    """Whether containers of a type have names of their own."""
    return sort_of(kind) in ("mapping", "named", "fields")


def depth(value: Any) -> int:
    """Number of axes of an array, or how deep a list is nested; 0 for anything else."""
    if backend_of(value):
        return len(value.shape)
    if type(value) in (list, tuple):
        return 1 + (depth(value[0]) if value else 0)
    return 0


def describe(value: Any) -> str:
    """Type and shape of a value, for errors."""
    if backend_of(value):
        return f"{type(value).__name__} {tuple(value.shape)} {value.dtype}"
    return type(value).__name__ + (f" of length {len(value)}" if hasattr(value, "__len__") else "")
