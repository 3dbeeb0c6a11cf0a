"""Containers: walking, reading and rebuilding whatever structure a batch comes in. Nothing is changed in place."""

from __future__ import annotations

import copy
import dataclasses
import functools
import inspect
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import FunctionType, MemberDescriptorType, ModuleType
from typing import Any

import numpy as np

from mixtransforms.containers.mixed import is_mixed
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
        if not isinstance(nodes[0], dict):  # a view of a stranger's keys may be equal to nothing
            keys = dict.fromkeys(keys).keys()
            same = all(dict.fromkeys(node.keys()).keys() == keys for node in nodes)
        else:
            same = all([node.keys() == keys for node in nodes])  # noqa: C419 (a call a node is what takes time here)
        return [(key, [node[key] for node in nodes]) for key in keys] if same else None
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
    if type(node) is dict:
        return dict(zip(node, values, strict=True))
    if isinstance(node, dict):
        return _filled(node, dict(zip(node, values, strict=True)))
    if isinstance(node, Mapping):  # a copy may share its store with the original
        return _rebuild_mapping(node, dict(zip(node.keys(), values, strict=True)))  # iterated, some give rows
    if isinstance(node, tuple) and hasattr(node, "_fields"):
        return _made(node, values)
    if isinstance(node, (tuple, list)):
        return type(node)(values)
    return _with_fields(node, values)


def _made(node: Any, values: list[Any]) -> Any:
    """A named tuple of new values."""
    try:
        return type(node)(*values)
    except Exception as reason:  # noqa: BLE001 (whatever a stranger's class refuses)
        raise _refused(node, "", values, reason) from None


def _with_fields(node: Any, values: list[Any]) -> Any:
    """A copy of a dataclass with new values, which it may check."""
    try:
        result: Any = copy.copy(node)
    except Exception as reason:  # noqa: BLE001 (whatever a stranger's class refuses)
        raise _not_rebuilt(node, reason, "A class that cannot be copied") from None
    for field, value in zip(dataclasses.fields(node), values, strict=True):
        try:
            object.__setattr__(result, field.name, value)
        except Exception as reason:  # noqa: BLE001
            raise _refused(node, field.name, [value], reason) from None
    return result


def _filled(node: dict[Any, Any], items: Mapping[Any, Any]) -> Any:
    """A copy of a dict of a class of its own, with new values and names."""
    try:
        return _written(copy.copy(node), items)
    except Exception as reason:  # noqa: BLE001 (whatever a stranger's class refuses)
        raise _not_rebuilt(node, reason) from None


def _written(result: Any, items: Mapping[Any, Any]) -> Any:
    """The dict itself, with new values and names."""
    try:
        result.update(items)
    except Exception:  # noqa: BLE001 (ModelOutput of transformers refuses it, whose items are attributes as well)
        for name, value in items.items():
            result[name] = value
    return result


def _rebuild_mapping(node: Mapping[Any, Any], items: dict[Any, Any]) -> Any:
    kind: Any = type(node)
    try:
        rows = hasattr(node, "batch_size") and hasattr(node, "device")
        return _with_rows(node, items) if rows else kind(items)
    except Exception as reason:  # noqa: BLE001 (whatever a stranger's class refuses)
        raise _not_rebuilt(node, reason) from None


def _with_rows(node: Any, items: dict[Any, Any]) -> Any:
    """A mapping that knows its number of rows, as ``TensorDict`` of tensordict, and built anew would forget it."""
    size, lengths = list(node.batch_size), {len(value) for value in items.values() if backend_of(value)}
    if size and len(lengths) == 1:
        size[0] = lengths.pop()
    return type(node)(items, batch_size=size, device=node.device)


def _not_rebuilt(node: Any, reason: Exception, what: str = "A mapping that cannot be rebuilt") -> InputError:
    return InputError(
        what,
        where=type(node).__name__,
        got=str(reason) or type(reason).__name__,  # an assertion may say nothing
        wanted="a dict, or a mapping that is built from one",
        fix="Convert it to a dict.",
    )


def _refused(node: Any, name: str, values: Sequence[Any], reason: Exception) -> InputError:
    """The error for a class that checks its values, and takes none of those that it gets."""
    pairs = any(map(is_mixed, values))
    one = "masks='dominant'" if "mask" in name.lower() else "labels='soft' and masks='dominant'" if pairs else ""
    return InputError(
        "A class that refuses its new values",
        where=f"{type(node).__name__}.{name}" if name else type(node).__name__,
        got=str(reason) or type(reason).__name__,
        wanted="a class that takes what mixing makes of its values" + (", such as pairs" if pairs else ""),
        fix=f"{f'Have one value made of two, with {one}, or convert' if one else 'Convert'} it to a dict.",
    )


def is_flat(node: Any) -> bool:
    """A non-empty list or tuple with one value a sample: arrays with equally many axes, numbers, or rows of numbers."""
    if type(node) not in (list, tuple) or not node:
        return False
    kinds: set[Any] = set(map(type, node))
    if all(map(backend_of_type, kinds)):
        return len(axes_of(node)) == 1
    if kinds <= _ROWS:
        return len(set(map(len, node))) == 1 and all(map(is_numbers, node))
    return is_numbers(node)


def axes_of(arrays: Iterable[Any]) -> set[int]:
    """Numbers of axes that arrays have; none where one of them is a nested tensor, which has no shape."""
    try:
        return {len(array.shape) for array in arrays}
    except RuntimeError:
        return set()


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


def is_foreign(value: Any) -> bool:
    """Whether a value is an array of neither back end: it converts itself to one, or has a shape."""
    kind: Any = type(value)
    return _is_foreign_type(kind) or (not _is_known_type(kind) and "shape" in getattr(value, "__dict__", ()))


@functools.lru_cache(maxsize=1024)
def _is_foreign_type(kind: type) -> bool:
    # As pandas, polars, pyarrow, JAX and TensorFlow have them.
    return not _is_known_type(kind) and any(hasattr(kind, name) for name in ("__array__", "__dlpack__", "shape"))


@functools.lru_cache(maxsize=1024)
def _is_known_type(kind: type) -> bool:
    """Whether values of a type are arrays, containers that are walked, pictures, numbers, or types themselves."""
    array = backend_of_type(kind) is not None or sort_of(kind) is not None or is_picture_type(kind)
    return array or issubclass(kind, (str, bytes, int, float, complex, np.generic, np.dtype, type))


_LISTED = (list, tuple, set, frozenset, deque)

_DEEP = 4
"""How far into objects of unknown types arrays are looked for."""


def hides_arrays(value: Any, deep: int = _DEEP) -> bool:
    """Whether a value that is not walked has arrays in it: in its items, or in the attributes of an object."""
    kind: Any = type(value)
    if is_foreign(value) or backend_of_type(kind):
        return True
    if not deep or is_picture_type(kind) or isinstance(value, (str, bytes, type, ModuleType, FunctionType)):
        return False
    items = children(value)
    if items is not None:
        parts: Iterable[Any] = [item for _, item in items]
    elif isinstance(value, _LISTED):
        parts = value
    else:
        parts = _attributes(value)
    return any(hides_arrays(part, deep - 1) for part in parts)


def _attributes(value: Any) -> list[Any]:
    """What an object of an unknown type holds, as far as it can be seen without running its code."""
    own = getattr(value, "__dict__", None)
    held = list(own.values()) if isinstance(own, dict) else []
    slots = [vars(cls).get("__slots__", ()) for cls in type(value).__mro__]
    for names in slots:
        for name in [names] if isinstance(names, str) else names:
            member = inspect.getattr_static(type(value), name, None)
            if isinstance(member, MemberDescriptorType) and hasattr(value, name):
                held.append(getattr(value, name))
    return held


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


def unpacked(node: Any, keeps: Callable[[Path], bool]) -> Any:
    """The same containers with lists in the place of arrays of objects that are arrays, numbers or containers.

    Data sets have columns of unequal rows in this form. Arrays of texts and dates are as good as lists of them.

    Args:
        node: Any container, or one array.
        keeps: Whether what stands at a path is left alone.
    """
    new = {
        path: leaf.tolist()
        for path, leaf in walk(node, lambda path, _: keeps(path))
        if type(leaf) is np.ndarray and leaf.dtype == object and not keeps(path) and any(map(_holds_numbers, leaf.flat))
    }
    return replace(node, new) if new else node


def _holds_numbers(value: Any) -> bool:
    kind: Any = type(value)
    return backend_of_type(kind) is not None or sort_of(kind) is not None or issubclass(kind, (int, float, np.number))


def holds_text(value: Any) -> bool:
    """Whether a value is an array of texts, bytes, dates or objects, none of which can be mixed."""
    return isinstance(value, np.ndarray) and value.dtype.kind in "SUTmMO"


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
    if type(node) in _FLAT and max(map(len, new), default=0) == 1:  # as most batches are
        return _replaced(node, {path[0]: value for path, value in new.items()})
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


_FLAT = frozenset({dict, list, tuple})


def _replaced(node: Any, items: Mapping[Any, Any]) -> Any:
    """A dict, list or tuple with some of its values replaced; a dict also with more."""
    if type(node) is dict:
        return {**node, **items}
    values = list(node)
    for index, value in items.items():
        values[index] = value
    return values if type(node) is list else tuple(values)


def extended(node: Mapping[Any, Any], added: Mapping[Any, Any]) -> Any:
    """A mapping with more names behind its own."""
    if type(node) is dict:
        return {**node, **added}
    return _filled(node, added) if isinstance(node, dict) else _rebuild_mapping(node, {**node, **added})


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
        return -1 if getattr(value, "is_nested", False) else len(value.shape)  # a nested tensor has no axes
    if type(value) in (list, tuple):
        return 1 + (depth(value[0]) if value else 0)
    return 0


def describe(value: Any) -> str:
    """Type and shape of a value, for errors."""
    if backend_of(value):
        shape = "" if getattr(value, "is_nested", False) else f" {tuple(value.shape)}"  # some have none
        return f"{type(value).__name__}{shape} {value.dtype}"
    return type(value).__name__ + (f" of length {len(value)}" if hasattr(value, "__len__") else "")
