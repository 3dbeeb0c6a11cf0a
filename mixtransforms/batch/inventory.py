"""Finds the targets of a batch in any container.

A target is known by its type, by a declared name, position or path, by a default name, or as the first two items of
a tuple or list, ``(images, labels)``. An array that is none of these is an error: nothing is passed over in silence.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Collection, Iterator
from typing import Any

from mixtransforms.containers.records import Columns
from mixtransforms.containers.tree import Path, children, depth, describe, is_flat, is_mixed, leaf_at, spell, walk
from mixtransforms.core.backends import backend_of
from mixtransforms.core.errors import InputError, nearest
from mixtransforms.core.layout import Layout
from mixtransforms.core.memo import Memo
from mixtransforms.objects.groups import Group, ObjectFinder
from mixtransforms.targets.kind import Target
from mixtransforms.targets.names import DEFAULT_NAMES, FIELDS, IMAGE, LABEL, MASK, has_name, is_of_sample, typed_kind


@dataclasses.dataclass(frozen=True)
class Finder(ObjectFinder):
    """What a batch's values are called.

    Attributes:
        labelled: Whether labels are known by default names and positions, too.
        layout: Axes of images, which tell a list of images from a list of views, each of which is a batch.
        memo: What was found in batches, by their structure.
    """

    labelled: bool = True
    layout: Layout = dataclasses.field(default_factory=Layout)
    memo: Memo = dataclasses.field(default_factory=Memo, init=False, repr=False, compare=False)

    def find(self, batch: Any, labels: Any = None) -> list[Target]:
        """The targets of a batch that are one array each, in its order.

        Args:
            batch: Any container.
            labels: The one leaf of it that is known to be the labels, or ``None``.

        Raises:
            InputError: An array is neither known nor declared, or the labels are no value of the batch.
        """
        groups = self.groups(batch)
        members = frozenset(path for group in groups for path in group.members)
        self._refuse_mixed(batch)
        for group in groups:
            self._refuse_beside(batch, group, members)
        leaves = list(self._leaves(batch, labels, members))
        if labels is not None and not any(leaf is labels for _, leaf, _ in leaves):
            raise _foreign_labels(labels)
        found = [self._target(path, kind, leaf) for path, leaf, kind in leaves if kind is not None]
        rest = [(path, leaf) for path, leaf, kind in leaves if kind is None and leaf is not None]
        others = [(path, leaf) for path, leaf in rest if not self.passes(path) and path not in members]
        self._refuse_unknown(batch, [(path, leaf) for path, leaf in others if not is_of_sample(path)], members)
        finder = self if labels is None else dataclasses.replace(self, labelled=False)
        images = [target for target in found if target.kind == IMAGE]
        for path, leaf in others if images else ():
            finder._refuse(batch, path, leaf)
        for image in images[:1]:
            self._refuse_numbers(batch, len(image.value), members)
        return found

    def known(self, batch: Any, batched: bool = True) -> list[Target]:
        """The targets that are known, of a batch or of one sample; anything else is nobody's business here."""
        leaves = self._leaves(batch, None, self.members(batch, batched), batched)
        return [self._target(path, kind, leaf) for path, leaf, kind in leaves if kind is not None]

    def _target(self, path: Path, kind: Any, leaf: Any) -> Target:
        return Target(path, kind, leaf) if isinstance(kind, str) else Target(path, kind.name, leaf, kind)

    def _leaves(
        self, batch: Any, labels: Any, members: Collection[Path], batched: bool = True
    ) -> Iterator[tuple[Path, Any, Any]]:
        def kind_of(path: Path, node: Any) -> Any:
            if path in members or self.passes(path):
                return None
            return LABEL if labels is not None and node is labels else self._kind(batch, path, node, batched)

        def whole(path: Path, node: Any) -> bool:
            return path in members or self.passes(path) or kind_of(path, node) is not None

        for path, leaf in walk(batch, whole):
            yield path, leaf, kind_of(path, leaf)

    def _kind(self, batch: Any, path: Path, node: Any, batched: bool = True) -> Any:
        """The kind of a value that is one array; boxes and the like are found by :meth:`groups`."""
        if not (backend_of(node) or is_flat(node) or (type(node) in (list, tuple) and not node)):
            return None
        if self._is_views(node, batched) or self._declared_inside(path):
            return None
        if path and is_mixed(leaf_at(batch, path[:-1])):
            return self.named_kind(batch, path)
        declared = self.declared(path)
        if declared is not None:
            return declared
        typed = typed_kind(node)
        if typed is not None:
            return typed
        if path == () and (backend_of(node) or (batched and depth(node) == 4)):  # one array, or unequal sizes
            return IMAGE
        if len(path) == 1 or has_name(path):
            return self.named_kind(batch, path)
        view = len(path) == 2 and path[0] == 0 and self._is_views(leaf_at(batch, path[:1]), batched)
        return IMAGE if view else None

    def _declared_inside(self, path: Path) -> bool:
        """Whether something further inside is declared by its dotted path."""
        start = ".".join(map(str, path)) + "."
        return bool(path) and any(isinstance(name, str) and name.startswith(start) for name in self.kinds)

    def _is_views(self, node: Any, batched: bool = True) -> bool:
        """Whether a list holds several batches of images, or images of one sample, and not one image a sample."""
        if type(node) not in (list, tuple) or not node or not all(backend_of(item) for item in node):
            return False
        return depth(node[0]) >= self.layout.rank(type(node[0]).__name__ == "Video") + batched

    def named_kind(self, batch: Any, path: Path) -> Any:
        """What a path is called, whatever stands there."""
        above = leaf_at(batch, path[:-1]) if path else None
        if is_mixed(above):
            return MASK if type(above).__name__ == "MaskPair" and path[-1] in ("mask", "partner") else None
        kind = self.declared(path)
        if kind is not None:
            return kind
        if has_name(path):  # a position has no name of its own: a list of views has its parent's
            name = next(step for step in reversed(path) if isinstance(step, str)).lower()
            kind = MASK if self._of_mask(batch, path) else DEFAULT_NAMES.get(name)
        elif path and type(batch) in (tuple, list) and path[0] in (0, 1):
            kind = (IMAGE, LABEL)[int(path[0])]
        return kind if self.labelled or kind != LABEL else None

    def _of_mask(self, batch: Any, path: Path) -> bool:
        """Whether a name is that of a mask's partner, which an earlier mix has put beside it."""
        stem = str(path[-1]).removesuffix("_partner")
        known = DEFAULT_NAMES.get(stem.lower()) == MASK or self.declared((*path[:-1], stem)) is not None
        return stem != path[-1] and known and stem in dict(children(leaf_at(batch, path[:-1])) or ())

    def _refuse_numbers(self, batch: Any, size: int, members: Collection[Path]) -> None:
        """Raises for a list of numbers under an unknown name that has one for every sample: perhaps misspelt labels."""

        def whole(path: Path, node: Any) -> bool:
            return path in members or self.passes(path) or is_flat(node)

        for path, node in walk(batch, whole):
            if path and isinstance(leaf_at(batch, path[:-1]), Columns):
                continue  # plain numbers in a record say something of the sample: its size, or where it comes from
            listed = path and path not in members and is_flat(node) and not backend_of(node[0]) and len(node) == size
            if listed and not self.passes(path) and not is_of_sample(path) and self._kind(batch, path, node) is None:
                raise self._unknown(path, node)

    @staticmethod
    def _refuse_mixed(batch: Any) -> None:
        """Raises where a batch holds what an earlier mix has made of values of two sources."""
        for path, node in walk(batch, lambda _, node: is_mixed(node)):
            if is_mixed(node):
                raise _mixed_already(path, type(node).__name__)

    def _refuse_unknown(self, batch: Any, leaves: list[tuple[Path, Any]], members: Collection[Path]) -> None:
        """Raises for an array that is neither known nor declared."""
        for path, leaf in leaves:
            if backend_of(leaf) and _is_mask_weight(batch, path):
                raise _mixed_already(path, "the weight of a mask and its partner's")
            if backend_of(leaf):
                raise self._unknown(path, leaf, self._beside(path, members))

    @staticmethod
    def _beside(path: Path, members: Collection[Path]) -> bool:
        """Whether a value stands in one container with what is told of objects."""
        return any(path[: len(member) - 1] == member[:-1] for member in members)

    def _refuse_beside(self, batch: Any, group: Group, members: Collection[Path]) -> None:
        """Raises for lists beside objects that have an entry for each of them, and would not be filtered with them."""
        counts = [len(item) for item in leaf_at(batch, group.anchor) if hasattr(item, "__len__")]
        for key, value in children(leaf_at(batch, group.place)) or ():
            path = (*group.place, key)
            if path in group.members or self.passes(path) or type(value) not in (list, tuple):
                continue
            if self.named_kind(batch, path) == MASK and depth(value) > 1 and not _has_arrays(value):
                raise _polygons(path)
            lists = bool(value) and all(type(item) in (list, tuple) for item in value)
            told = lists and any(counts) and [len(item) for item in value] == counts
            if told and path not in members and self.declared(path) is None:
                raise self._unknown(path, value, True)

    def _refuse(self, batch: Any, path: Path, leaf: Any) -> None:
        """Raises where something that is no array would pass beside images, and should have been mixed with them."""
        if self.named_kind(batch, path) is not None or _hides_arrays(leaf):
            raise InputError(
                "No array",
                where=spell(path),
                got=describe(leaf),
                wanted="an array, or a list or tuple with one array or number a sample",
                fix=f"Convert it, or leave it alone with passthrough=({path[0] if path else 0!r},).",
            )

    def _unknown(self, path: Path, leaf: Any, beside: bool = False) -> InputError:
        name = next((step for step in reversed(path) if isinstance(step, str)), path[0] if path else 0)
        hint = nearest(name.lower(), {**DEFAULT_NAMES, **dict.fromkeys(FIELDS)}) if isinstance(name, str) else ""
        among = f"with boxes=BoxRules(fields=({name!r},)) where it has a row for every box, " if beside else ""
        return InputError(
            "An array that is neither known nor declared",
            where=spell(path),
            got=describe(leaf),
            wanted="a known name, a declared kind, or a declared passthrough",
            fix=f"Say what it is with kinds={{{name!r}: 'image'}} or kinds={{{name!r}: 'label'}}, {among}"
            f"or leave it alone with passthrough=({name!r},).{hint}",
        )


def _has_arrays(value: Any) -> bool:
    return any(backend_of(leaf) for _, leaf in walk(value, lambda *_: False))


def _polygons(path: Path) -> InputError:
    return InputError(
        "Polygons cannot be pasted",
        where=spell(path),
        got="lists of numbers",
        wanted="one mask an object, (N, H, W)",
        fix=f"Draw them into masks, or leave them alone with passthrough=({path[-1]!r},).",
    )


def _is_mask_weight(batch: Any, path: Path) -> bool:
    """Whether a value is the weight that an earlier mix has put beside a mask and its partner."""
    stem = str(path[-1]).removesuffix("_weight") if path else ""
    return bool(path) and stem != path[-1] and f"{stem}_partner" in dict(children(leaf_at(batch, path[:-1])) or ())


def _foreign_labels(labels: Any) -> InputError:
    return InputError(
        "The labels are no value of the batch",
        where="labels_getter",
        got=describe(labels),
        wanted="one of the values that were passed, itself",
        fix="Return the value as it is, or name it with kinds={...: 'label'}.",
    )


def _mixed_already(path: Path, got: str) -> InputError:
    return InputError(
        "Values that are mixed already",
        where=spell(path),
        got=got,
        wanted="values of one source each",
        fix="Mix once, with OneOf([MixUp(...), CutMix(...)]), or choose labels='soft' and masks='dominant' in the "
        "first mix.",
    )


def _hides_arrays(leaf: Any) -> bool:
    """Whether a container that is not walked holds arrays."""
    containers = (list, tuple, set, frozenset, deque)
    return isinstance(leaf, containers) and any(backend_of(item) for item in leaf)
