"""One pass over a batch: where every value is, what it is, and why.

A value is known by its type, by a declared name, position or path, by a default name, or as one of the first two items
of a tuple or list, ``(images, labels)``. An array that is none of these is an error: nothing is passed over in silence.
Whoever looks for images, labels or objects selects from the inventory.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import Any, NamedTuple

from mixtransforms.batch.annotations import check_annotations
from mixtransforms.containers.mixed import is_mixed
from mixtransforms.containers.records import Columns, is_records, read_columns
from mixtransforms.containers.structure import keys_of_each
from mixtransforms.containers.tree import (
    Name,
    Path,
    children,
    depth,
    is_container,
    is_flat,
    is_foreign,
    leaf_at,
    replace,
    sort_of,
    spell,
    walk,
)
from mixtransforms.core.backends import backend_of, backend_of_type, check_form
from mixtransforms.core.cached import cached_property
from mixtransforms.core.errors import InputError
from mixtransforms.core.layout import Layout
from mixtransforms.core.memo import Memo
from mixtransforms.objects.boxes import BoxRules
from mixtransforms.objects.either import are_of_sample
from mixtransforms.objects.groups import Group, ObjectFinder, is_opened
from mixtransforms.objects.keypoints import Keypoints
from mixtransforms.targets.kind import Target
from mixtransforms.targets.mask import MaskPair
from mixtransforms.targets.names import (
    DEFAULT_NAMES,
    IMAGE,
    LABEL,
    MASK,
    MULTILABEL,
    OF_OBJECTS,
    REGRESSION,
    TABLE,
    has_name,
    typed_kind,
)

TARGET, OBJECT, PASSED, REST, INNER = "target", "object", "passed", "rest", "inner"
"""Roles of values: mixed as one array; told of the objects of images; left alone because that was declared; anything
else; and a container that is looked into, and listed because it may have to be refused as a whole."""


class Entry(NamedTuple):
    """One value of a batch.

    Attributes:
        path: Keys and positions from the root.
        value: What stands there.
        role: :data:`TARGET`, :data:`OBJECT`, :data:`PASSED`, :data:`REST` or :data:`INNER`.
        kind: Of a target, the name of its kind, or the kind with parameters of its own.
        parent: The container that it stands in.
        beside: The groups of objects in that container.
    """

    path: Path
    value: Any
    role: str
    kind: Any = None
    parent: Any = None
    beside: tuple[Group, ...] = ()


@dataclasses.dataclass(frozen=True)
class Inventory:
    """Every value of a batch, in its order.

    Attributes:
        finder: Who knew the values.
        batch: The batch, with the records of its samples read by columns where that was asked for.
        entries: Its values, and the containers that may have to be refused.
        groups: What is told of objects, by container.
        records: Where records were read by columns, outermost first.
        size: Number of samples, where records made it needed.
    """

    finder: Finder
    batch: Any
    entries: tuple[Entry, ...]
    groups: tuple[Group, ...]
    records: tuple[Path, ...] = ()
    size: int | None = None

    @property
    def targets(self) -> list[Target]:
        """The values that are mixed as one array each."""
        return [_target(entry) for entry in self.entries if entry.role == TARGET]

    @property
    def members(self) -> frozenset[Path]:
        """Where anything is told of objects."""
        return frozenset(path for group in self.groups for path in group.members)

    @cached_property
    def count(self) -> int | None:
        """Number of samples by the first images or table, or ``None`` where there are none."""
        roots = (e for e in self.entries if e.role == TARGET and getattr(e.kind, "name", e.kind) in (IMAGE, TABLE))
        return next((len(entry.value) for entry in roots), None)

    @property
    def images_in_records(self) -> bool:
        """Whether images stand in records, which are read by columns."""
        images = [e.path for e in self.entries if e.role == TARGET and e.kind == IMAGE]
        return any(path[: len(place)] == place for path in images for place in self.records)

    @property
    def counts_decide(self) -> bool:
        """Whether more than the structure has decided, see :func:`may_list_objects` and :attr:`Group.certain`."""
        undecided = not all(group.certain for group in self.groups) or any(map(may_list_objects, self.entries))
        return undecided or self._passes_rows

    @property
    def _passes_rows(self) -> bool:
        """Whether something passes that has as many rows as there are objects: another batch may tell whose it is."""
        passed = [rows_of_each(entry.value) for entry in self.entries if entry.role == PASSED] if self.groups else []
        return bool(passed) and any(rows_of_each(leaf_at(self.batch, group.anchor)) in passed for group in self.groups)


def _check_axes(value: Any, path: Path, kind: str | None) -> None:
    """Refuses what a host could not even move: tensors without a cell for every index, and numbers without axes."""
    where = f"a sample, {spell(path)}"
    check_form(value, where)
    if kind in (None, IMAGE) and backend_of(value) and depth(value) == 0:
        raise InputError(
            "One number for an image" if kind else "One number for all objects",
            where=where,
            got="an array without axes",
            wanted="an array of pixels" if kind else "a row for every object, and none where there are no objects",
            fix="Return whole arrays for every sample, or numbers under the name of labels.",
        )


def may_be_mixed(node: Any) -> bool:
    """Whether a value is a named tuple at all, which is asked first: a class is looked up in a register of others."""
    kind: Any = type(node)
    return sort_of(kind) == "named"


def _target(entry: Entry) -> Target:
    kind = entry.kind
    if isinstance(kind, str):
        return Target(entry.path, kind, entry.value)
    return Target(entry.path, kind.name, entry.value, kind)


class SampleParts(NamedTuple):
    """Where one sample, and any other of its structure, has what: an inventory without values.

    Attributes:
        kinds: Targets by their place, and their kinds.
        groups: What is told of objects.
        members: Where that is.
    """

    kinds: Mapping[Path, str]
    groups: tuple[Group, ...]
    members: frozenset[Path]


@dataclasses.dataclass(frozen=True)
class Finder(ObjectFinder):
    """What a batch's values are called.

    Attributes:
        labelled: Whether labels are known by default names and positions, too.
        filters: Whether a transform of the pipeline filters objects.
        strict: Whether what is not known is refused; a picture need not show everything.
        layout: Axes of images, which tell a list of images from a list of views, each of which is a batch.
        memo: What was decided about batches and samples, by their structure.
    """

    labelled: bool = True
    filters: bool = False
    strict: bool = True
    layout: Layout = dataclasses.field(default_factory=Layout)
    memo: Memo = dataclasses.field(default_factory=Memo, init=False, repr=False, compare=False)

    def inventory(
        self, batch: Any, labels: Any = None, *, batched: bool = True, by_columns: bool = False, size: int | None = None
    ) -> Inventory:
        """Every value of a batch or of one sample, with what it is.

        Args:
            batch: Any container.
            labels: The one leaf of it that is known to be the labels, or ``None``.
            batched: Whether it is a batch, whose values have one item a sample, or one sample.
            by_columns: Whether lists of one record a sample are read by columns.
            size: Number of samples; ``None`` has it found where there are records.

        Raises:
            InputError: One container has two sets of objects, or records have different names.
        """
        taking = _Pass(self, batch, labels, batched, by_columns, size)
        taking.visit((), batch, None, frozenset(), ())
        read = replace(batch, taking.read) if taking.read else batch
        known = self if labels is None else dataclasses.replace(self, labelled=False)  # there are no other labels
        return Inventory(known, read, tuple(taking.entries), tuple(taking.groups), tuple(taking.records), taking.size)

    @cached_property
    def knows_objects(self) -> bool:
        """Whether samples have objects, even where those of one batch happen to have none: that was declared."""
        kinds = {getattr(kind, "name", kind) for kind in self.kinds.values()}
        declared = self.boxes != BoxRules() or self.points != Keypoints() or bool(self.further)
        return self.filters or declared or not OF_OBJECTS.isdisjoint(kinds)

    def sample_parts(self, sample: Any) -> SampleParts:
        """Where one sample has what; samples of one structure are looked at once.

        Raises:
            InputError: It has a list of annotations, a dict an object, or two sets of objects in one container; or
                what is mixed is no array with a cell for every index.
        """
        return self.parts_of_samples([sample])[0]

    def parts_of_samples(self, samples: Sequence[Any]) -> list[SampleParts]:
        """Where every sample has what, see :meth:`sample_parts`."""
        keys = keys_of_each(samples)
        if len(keys) > 1 and keys[0] is not None and len({*map(id, keys)}) == 1:
            return [self._parts(samples[0], keys[0])] * len(samples)
        return [self._parts(sample, key) for sample, key in zip(samples, keys, strict=True)]

    def _parts(self, sample: Any, key: Hashable | None) -> SampleParts:
        known: SampleParts | None = self.memo.get(("sample", key))
        if key is None or known is None:
            if self.strict:
                check_annotations(sample, self.passes, batched=False)
            inventory = self.inventory(sample, batched=False)
            kinds = {target.path: target.kind for target in inventory.targets}
            for path in (*kinds, *inventory.members) if self.strict else ():
                _check_axes(leaf_at(sample, path), path, kinds.get(path))
            known = SampleParts(kinds, inventory.groups, inventory.members)
            if key is not None:
                self.memo["sample", key] = known
        return known

    def groups_of_samples(
        self, samples: Sequence[Any], parts: Sequence[SampleParts] | None = None
    ) -> list[tuple[Group, ...]]:
        """Where every sample tells of objects, decided for all of them together.

        Args:
            samples: The samples.
            parts: Theirs, where somebody has asked for them already.

        Raises:
            InputError: Floats may be a number for every box, or the sample's own.
        """
        groups = [own.groups for own in parts or self.parts_of_samples(samples)]
        some = groups[:1] if len({*map(id, groups)}) == 1 else set(groups)
        undecided = {path for own in some for group in own for path in group.undecided}
        for path in undecided:
            telling = [(index, g) for index, own in enumerate(groups) for g in own if path in g.undecided]
            rows = [leaf_at(samples[index], path) for index, _ in telling]
            if not are_of_sample(path, rows, [leaf_at(samples[index], group.anchor) for index, group in telling]):
                for index, group in telling:
                    more = group._replace(fields=(*group.fields, path))
                    groups[index] = tuple(more if other is group else other for other in groups[index])
        return groups

    def kind_of(self, root: Any, path: Path, node: Any, parent: Any, batched: bool, flat: bool) -> Any:
        """The kind of a value that is one array, or ``None``; boxes and the like are told of in groups.

        Args:
            root: The batch.
            path: Where the value stands in it.
            node: The value.
            parent: The container around it.
            batched: Whether the root is a batch, or one sample.
            flat: Whether the value is a list with one array or number a sample.
        """
        array = backend_of(node) is not None
        if not (array or flat or (type(node) in (list, tuple) and not node)):
            return self._foreign_kind(root, path, parent) if is_foreign(node) else None
        if (not array and self.is_views(node, batched)) or (self.kinds and self._declared_inside(path)):
            return None
        if may_be_mixed(parent) and is_mixed(parent):
            return self.named_kind(root, path, parent)
        kind = (self.declared(path) if self.kinds else None) or typed_kind(node)
        if kind is not None:
            return kind
        if not path:  # one array, or a list of unequal sizes
            return IMAGE if array or (batched and depth(node) == 4) else None
        if len(path) == 1 or has_name(path):
            return self.named_kind(root, path, parent)
        return IMAGE if len(path) == 2 and path[0] == 0 and self.is_views(parent, batched) else None

    def _foreign_kind(self, root: Any, path: Path, parent: Any) -> Any:
        """The kind of an array of another library: it is converted where it is a few numbers a sample."""
        if len(path) > 1 and not isinstance(path[-1], str):
            return None  # one of a list, with values of one sample
        kind = self.named_kind(root, path, parent)
        return kind if getattr(kind, "name", kind) in (LABEL, MULTILABEL, REGRESSION) else None

    def named_kind(self, root: Any, path: Path, parent: Any) -> Any:
        """What a path is called, whatever stands there."""
        if may_be_mixed(parent) and is_mixed(parent):
            return MASK if isinstance(parent, MaskPair) and path[-1] in ("mask", "partner") else None
        kind = self.declared(path) if self.kinds else None
        if kind is not None:
            return kind
        if has_name(path):  # a position has no name of its own: a list of views has its parent's
            name = next(step for step in reversed(path) if isinstance(step, str)).lower()
            kind = MASK if self._is_partner(path, parent) else DEFAULT_NAMES.get(name)
        elif path and type(root) in (tuple, list) and path[0] in (0, 1):
            kind = (IMAGE, LABEL)[int(path[0])]
        return kind if self.labelled or kind != LABEL else None

    def _is_partner(self, path: Path, parent: Any) -> bool:
        """Whether a name is that of a mask's partner, which an earlier mix has put beside it."""
        stem = str(path[-1]).removesuffix("_partner")
        if stem == path[-1]:
            return False
        known = DEFAULT_NAMES.get(stem.lower()) == MASK or self.declared((*path[:-1], stem)) is not None
        return known and stem in dict(children(parent) or ())

    def _declared_inside(self, path: Path) -> bool:
        """Whether something further inside is declared by its dotted path."""
        start = ".".join(map(str, path)) + "."
        return bool(path) and any(isinstance(name, str) and name.startswith(start) for name in self.kinds)

    def is_views(self, node: Any, batched: bool) -> bool:
        """Whether a list holds several batches of images, or images of one sample, and not one image a sample."""
        if type(node) not in (list, tuple) or not node or not all(map(backend_of_type, set(map(type, node)))):
            return False
        return depth(node[0]) >= self.layout.rank(type(node[0]).__name__ == "Video") + batched


class _Pass:
    """The state of one pass: what was seen, and what the rest of it needs to know."""

    def __init__(
        self, finder: Finder, root: Any, labels: Any, batched: bool, by_columns: bool, size: int | None
    ) -> None:
        self.finder = finder
        self.root, self.labels, self.batched, self.by_columns, self.size = root, labels, batched, by_columns, size
        self.entries: list[Entry] = []
        self.groups: list[Group] = []
        self.read: dict[Path, Columns] = {}
        self.records: list[Path] = []

    def visit(
        self,
        path: Path,
        node: Any,
        parent: Any,
        members: Collection[Path],
        beside: tuple[Group, ...],
        opened: bool = False,
    ) -> None:
        """Lists one value, or what is in it.

        Args:
            path: Where it stands.
            node: The value.
            parent: The container around it.
            members: Where anything is told of objects, in that container.
            beside: The groups of that container.
            opened: Whether its own parts count among the values of that container.
        """
        if path in members:
            self._list(path, node, OBJECT, None, parent)
            return
        if (self.finder.passthrough or self.finder.metadata) and self.finder.passes(path):
            self._list(path, node, PASSED, None, parent)
            self._list_mixed(path, node)
            return
        flat = type(node) in (list, tuple) and is_flat(node)
        numbers = flat and backend_of(node[0]) is None
        if self.labels is not None and node is self.labels:
            kind: Any = LABEL
        else:
            kind = self.finder.kind_of(self.root, path, node, parent, self.batched, flat)
        if kind is not None:
            self._list(path, node, TARGET, kind, parent, beside)
            return
        items = children(node)
        if items is None:
            self._list(path, node, REST, None, parent)
            return
        if flat or beside or (may_be_mixed(node) and is_mixed(node)) or (self.by_columns and path and is_records(node)):
            self._list(path, node, INNER, None, parent, beside)
        if opened:
            for key, value in items:
                self.visit((*path, key), value, node, members, beside)
        elif flat:  # one value a sample: whatever it is, it tells of no objects; numbers are no values of their own
            for key, value in () if numbers and not self.finder.kinds else items:
                self.visit((*path, key), value, node, frozenset(), ())
        else:
            self._open(path, node, items)

    def _open(self, path: Path, node: Any, items: list[tuple[Name, Any]]) -> None:
        """Lists what is in a container, with what is told of objects there."""
        if self.by_columns:
            items = [(key, self._columns((*path, key), value)) for key, value in items]
        values: dict[Path, Any] = {}
        opened = set()
        for key, value in items:  # what a mix has made one value with its weights stands beside the other fields
            if is_container(value) and is_opened(value):
                opened.add(key)
                values |= {(*path, key, own): part for own, part in children(value) or ()}
            else:
                values |= {(*path, key): value}
        groups = tuple(self.finder.groups_of(path, values, self.batched)) if self._may_tell(values) else ()
        self.groups += groups
        members = frozenset(member for group in groups for member in group.members)
        for key, value in items:
            self.visit((*path, key), value, node, members, groups, key in opened)

    def _may_tell(self, values: Mapping[Path, Any]) -> bool:
        """Whether values may tell of objects: they have names, types that say so, or are declared; positions do not."""
        if self.finder.kinds:
            return True
        return str in {type(path[-1]) for path in values} or any(map(typed_kind, values.values()))

    def _columns(self, path: Path, node: Any) -> Any:
        """Records of the samples by columns, and any other value as it is."""
        if type(node) not in (list, tuple) or not is_records(node) or self.finder.passes(path):
            return node
        if self.size is None:
            self.size = _size(self.root, self.finder)
        if len(node) != self.size:
            return node
        columns = read_columns(node, path)
        outer = next((known for known in self.read if path[: len(known)] == known), None)
        if outer is None:
            self.read[path] = columns
        else:
            self.read[outer] = replace(self.read[outer], {path[len(outer) :]: columns})
        self.records.append(path)
        return columns

    def _list(self, path: Path, node: Any, role: str, kind: Any, parent: Any, beside: tuple[Group, ...] = ()) -> None:
        self.entries.append(Entry(path, node, role, kind, parent, beside))

    def _list_mixed(self, path: Path, node: Any) -> None:
        """Values of two sources are refused also where they would only pass: the mix would not know them."""
        for place, value in walk(node, lambda _, value: is_mixed(value), path):
            if is_mixed(value):
                self._list(place, value, INNER, None, None)


def _size(batch: Any, finder: Finder) -> int | None:
    """Number of samples: of the first images or tables that do not stand in records."""
    leaves = walk(batch, lambda path, node: bool(path) and is_records(node))
    records = [path for path, node in leaves if path and is_records(node)]
    for target in finder.inventory(replace(batch, dict.fromkeys(records))).targets:
        if target.kind in (IMAGE, TABLE):
            return len(target.value)
    return None


def rows_of_each(column: Any) -> list[int]:
    """Number of rows of every sample."""
    return [len(item) if depth(item) > 0 else 0 for item in column] if depth(column) > 0 else []


def may_list_objects(entry: Entry) -> bool:
    """Whether a value beside objects is a list of lists, which may have an entry for each of them."""
    lists = entry.value if entry.beside and type(entry.value) in (list, tuple) else ()
    return bool(lists) and all(type(item) in (list, tuple) for item in lists)
