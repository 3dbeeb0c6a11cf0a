"""Finds the targets of a batch in any container, and rebuilds the container around new values.

A target is known by its type, by a declared name, position or path, by a default name, or as the first two items of
a tuple or list, ``(images, labels)``. An array that is none of these is an error: nothing is passed over in silence.
"""

from __future__ import annotations

import copy
import dataclasses
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from mixtransforms.core.errors import InputError, explain, nearest
from mixtransforms.kernels import backend_of

Path = tuple[str | int, ...]
Name = str | int

IMAGE, LABEL = "image", "label"
KINDS = (IMAGE, LABEL)
"""The kinds of targets that are mixed."""

DEFAULT_NAMES: Mapping[str, str] = {
    **dict.fromkeys("image images img imgs pixel_values video volume audio waveform inputs x".split(), IMAGE),
    **dict.fromkeys("label labels target targets class classes y".split(), LABEL),
}
"""Names, in lower case, that say what a value is."""

UNMIXED_NAMES = frozenset("mask masks segmentation boxes bboxes keypoints instance_masks".split())
"""Names, in lower case, of targets that are not mixed: they raise an error, whatever their value."""

_TV_KINDS = {"Image": IMAGE, "Video": IMAGE}


class Target(NamedTuple):
    """A value to mix.

    Attributes:
        path: Keys and positions from the root of the batch.
        kind: One of :data:`KINDS`.
        value: An array, or a flat list of arrays or numbers, one a sample.
    """

    path: Path
    kind: str
    value: Any


def spell(path: Path) -> str:
    """A path as people write it: ``batch['views'][0]``, or ``batch`` for the root."""
    return "batch" + "".join(f"[{step!r}]" for step in path)


def children(node: Any) -> list[tuple[Name, Any]] | None:
    """Keys and values of a container, ``None`` for anything else."""
    if isinstance(node, Mapping):
        return list(node.items())
    if isinstance(node, tuple) and hasattr(node, "_fields"):
        return list(zip(node._fields, node, strict=True))
    if type(node) in (tuple, list):
        return list(enumerate(node))
    if dataclasses.is_dataclass(node) and not isinstance(node, type):
        return [(field.name, getattr(node, field.name)) for field in dataclasses.fields(node)]
    return None


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
            explain(
                "A mapping that cannot be rebuilt",
                where=type(node).__name__,
                got=str(reason),
                wanted="a dict, or a mapping that is built from one",
                fix="Convert it to a dict.",
            )
        ) from None


def is_flat(node: Any) -> bool:
    """A non-empty list or tuple with one value a sample: arrays with equally many axes, numbers, or rows of numbers."""
    if type(node) not in (list, tuple) or not node:
        return False
    if all(backend_of(item) for item in node):
        return len({len(item.shape) for item in node}) == 1
    rows = all(type(item) in (list, tuple) and len(item) == len(node[0]) and is_numbers(item) for item in node)
    return rows or is_numbers(node)


def is_numbers(node: Any) -> bool:
    """A non-empty list or tuple of numbers."""
    return bool(node) and all(isinstance(item, (int, float, np.number)) for item in node)


def is_picture(value: Any) -> bool:
    """Whether a value is a PIL image. Imports nothing."""
    return type(value).__module__.startswith("PIL.")


def is_typed(value: Any) -> bool:
    """Whether a value is a tensor that says its kind by its type, as torchvision's do. Imports nothing."""
    return type(value).__module__.startswith("torchvision.tv_tensors")


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
        node = dict(children(node) or ())[step]
    return node


def replace(node: Any, new: Mapping[Path, Any], path: Path = ()) -> Any:
    """The same containers with the values at some paths replaced; nothing is changed in place."""
    if path in new:
        return new[path]
    items = children(node)
    if not items or not any(known[: len(path)] == path for known in new):
        return node
    return rebuild(node, [replace(value, new, (*path, key)) for key, value in items])


@dataclasses.dataclass(frozen=True)
class Finder:
    """What a batch's values are called.

    Attributes:
        kinds: Declared names, positions or dotted paths and their kinds.
        passthrough: Declared names, positions or dotted paths that are left alone.
        labelled: Whether labels are known by default names and positions, too.
    """

    kinds: Mapping[Name, str]
    passthrough: Collection[Name]
    labelled: bool = True

    def find(self, batch: Any, labels: Any = None) -> list[Target]:
        """The targets of a batch, in its order.

        Args:
            batch: Any container.
            labels: The one leaf of it that is known to be the labels, or ``None``.

        Raises:
            InputError: An array is neither known nor declared, or the labels are no value of the batch.
        """
        found = []
        leaves = list(self._leaves(batch, labels))
        if labels is not None and not any(leaf is labels for _, leaf, _ in leaves):
            raise InputError(
                explain(
                    "The labels are no value of the batch",
                    where="labels_getter",
                    got=_describe(labels),
                    wanted="one of the values that were passed, itself",
                    fix="Return the value as it is, or name it with kinds={...: 'label'}.",
                )
            )
        others = []
        for path, leaf, kind in leaves:
            if kind is not None:
                found.append(Target(path, kind, leaf))
            elif leaf is not None and not self.passes(path):
                if backend_of(leaf):
                    raise self._unknown(path, leaf)
                others.append((path, leaf))
        finder = self if labels is None else dataclasses.replace(self, labelled=False)
        images = [target for target in found if target.kind == IMAGE]
        for path, leaf in others if images else ():
            finder._refuse(batch, path, leaf)
        for image in images[:1]:
            self._refuse_numbers(batch, len(image.value))
        return found

    def _refuse_numbers(self, batch: Any, size: int) -> None:
        """Raises for a list of numbers under an unknown name that has one for every sample: perhaps misspelt labels."""
        for path, node in walk(batch, lambda path, node: self.passes(path) or is_flat(node)):
            listed = path and is_flat(node) and not backend_of(node[0]) and len(node) == size
            if listed and not self.passes(path) and self._kind(batch, path, node) is None:
                raise self._unknown(path, node)

    def _refuse(self, batch: Any, path: Path, leaf: Any) -> None:
        """Raises where something that is no array would pass beside images, and should have been mixed with them."""
        name = next((step for step in reversed(path) if isinstance(step, str)), None)
        if name is not None and name.lower() in UNMIXED_NAMES and name not in self.kinds:
            raise self._unmixed(path, leaf)
        if self._named_kind(batch, path) is not None or _hides_arrays(leaf):
            raise InputError(
                explain(
                    "No array",
                    where=spell(path),
                    got=_describe(leaf),
                    wanted="an array, or a list or tuple with one array or number a sample",
                    fix=f"Convert it, or leave it alone with passthrough=({path[0] if path else 0!r},).",
                )
            )

    def known(self, batch: Any) -> list[Target]:
        """The targets that are known, of a batch or of one sample; anything else is nobody's business here."""
        return [Target(path, kind, leaf) for path, leaf, kind in self._leaves(batch, None) if kind is not None]

    def _leaves(self, batch: Any, labels: Any) -> Iterator[tuple[Path, Any, str | None]]:
        def kind_of(path: Path, node: Any) -> str | None:
            if self.passes(path):
                return None
            return LABEL if labels is not None and node is labels else self._kind(batch, path, node)

        for path, leaf in walk(batch, lambda path, node: self.passes(path) or kind_of(path, node) is not None):
            yield path, leaf, kind_of(path, leaf)

    def passes(self, path: Path) -> bool:
        """Whether a path is declared to pass."""
        return any(name in self.passthrough for name in _names(path))

    def _kind(self, batch: Any, path: Path, node: Any) -> str | None:
        if not (backend_of(node) or is_flat(node) or (type(node) in (list, tuple) and not node)):
            return None
        for name in _names(path):
            if name in self.kinds:
                return self.kinds[name]
        if is_typed(node):
            return self._tensor_kind(path, node)
        if path == () and backend_of(node):
            return IMAGE
        return self._named_kind(batch, path) if len(path) == 1 or _has_name(path) else None

    def _named_kind(self, batch: Any, path: Path) -> str | None:
        """What a path is called, whatever stands there."""
        kind = None
        declared = [self.kinds[name] for name in _names(path) if name in self.kinds]
        if declared:
            return declared[0]
        if _has_name(path):  # a position has no name of its own: a list of views has its parent's
            kind = DEFAULT_NAMES.get(next(step for step in reversed(path) if isinstance(step, str)).lower())
        elif path and type(batch) in (tuple, list) and path[0] in (0, 1):
            kind = KINDS[int(path[0])]
        return kind if self.labelled or kind != LABEL else None

    def _tensor_kind(self, path: Path, node: Any) -> str:
        kind = _TV_KINDS.get(type(node).__name__)
        if kind is None:
            raise self._unmixed(path, node)
        return kind

    def _unmixed(self, path: Path, leaf: Any) -> InputError:
        name = next((step for step in reversed(path) if isinstance(step, str)), path[-1] if path else 0)
        return InputError(
            explain(
                f"{type(leaf).__name__ if backend_of(leaf) else name} cannot be mixed",
                where=spell(path),
                got=_describe(leaf),
                wanted="images and class labels",
                fix=f"Leave it as it is with passthrough=({name!r},).",
            )
        )

    def _unknown(self, path: Path, leaf: Any) -> InputError:
        name = path[-1] if path else 0
        hint = nearest(name.lower(), DEFAULT_NAMES) if isinstance(name, str) else ""
        return InputError(
            explain(
                "An array that is neither known nor declared",
                where=spell(path),
                got=_describe(leaf),
                wanted="a known name, a declared kind, or a declared passthrough",
                fix=f"Say what it is with kinds={{{name!r}: 'image'}} or kinds={{{name!r}: 'label'}}, "
                f"or leave it alone with passthrough=({name!r},).{hint}",
            )
        )


def _names(path: Path) -> Iterator[Name]:
    """How a path may be declared: dotted from the root, by its last name, or by a name on its way."""
    if path:
        yield ".".join(map(str, path))
        yield from reversed(path)


def _has_name(path: Path) -> bool:
    return any(isinstance(step, str) for step in path)


def _hides_arrays(leaf: Any) -> bool:
    """Whether a container that is not walked holds arrays."""
    containers = (list, tuple, set, frozenset, deque)
    return isinstance(leaf, containers) and any(backend_of(item) for item in leaf)


def _describe(value: Any) -> str:
    if backend_of(value):
        return f"{type(value).__name__} {tuple(value.shape)} {value.dtype}"
    return type(value).__name__ + (f" of length {len(value)}" if hasattr(value, "__len__") else "")
