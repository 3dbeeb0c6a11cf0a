"""A batch with its targets as arrays, and the way back into its containers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from mixtransforms.containers.records import Columns, as_records, with_columns
from mixtransforms.containers.tree import (
    Path,
    children,
    describe,
    holds_names,
    is_foreign,
    leaf_at,
    replace,
    spell,
    takes_names,
    walk,
)
from mixtransforms.core.backends import backend_of
from mixtransforms.core.errors import InputError
from mixtransforms.kernels import kernel_of
from mixtransforms.objects.boxes import BoxRules
from mixtransforms.objects.columns import hosts
from mixtransforms.objects.groups import Group
from mixtransforms.objects.objects import Objects
from mixtransforms.plan import BatchSpec
from mixtransforms.targets.kind import Mixed, Target
from mixtransforms.targets.names import TABLE

NO_ROWS: Mapping[Path, list[Any]] = MappingProxyType({})

Convert = Callable[[Target], Any]
"""Makes the value of a target an array of the batch's backend."""


class Slot(NamedTuple):
    """Where the targets of batches of one structure are: a :class:`Target` without its value.

    Attributes:
        target: The target, with ``None`` as its value.
        convert: What makes its value an array; ``None`` where it is one.
        listed: The type of the list that it comes as, one array a sample; ``None`` where it is no such list.
    """

    target: Target
    convert: Convert | None
    listed: type | None


def _filled(slots: tuple[Slot, ...], batch: Any) -> tuple[Target, ...]:
    """The targets of a batch, with their values as arrays."""
    targets = []
    for (path, kind, _, rule), convert, _ in slots:
        value = batch[path[0]] if len(path) == 1 and type(batch) in _INDEXED else leaf_at(batch, path)
        target = Target(path, kind, value, rule)
        targets.append(target if convert is None else target._replace(value=convert(target)))
    return tuple(targets)


_INDEXED = frozenset({dict, list, tuple})
"""Containers whose values a path's step finds by itself."""


@dataclass(frozen=True, eq=False)  # by identity: recipes are kept by it
class Template:
    """What is the same of all batches of one structure: where their targets are, and how these are read.

    Attributes:
        records: Where records of the samples are read by columns, outermost first.
        images: Where images are.
        others: Where labels, masks and other targets of one array are.
        groups: Where objects are told of.
        rules: How boxes are mixed.
        axes: Positions of the mixed axes of every image, by path.
        shapes: Shapes of the images, alike.
        first: Whether channels come before the mixed axes.
        whole: Lengths of all axes of its images but samples and channels, and which of these are mixed.
        spec: Size and mixed axes.
        sizes: Lengths of the mixed axes of the first images that were padded, sample by sample as they came.
        alike: Whether all images of a sample had these.
        settled: Whether the structure alone decided all this, so that it is right for every batch of it.
    """

    records: tuple[Path, ...]
    images: tuple[Slot, ...]
    others: tuple[Slot, ...]
    groups: tuple[Group, ...]
    rules: BoxRules
    axes: Mapping[Path, tuple[int, ...]]
    shapes: Mapping[Path, tuple[int, ...]]
    first: bool
    whole: tuple[tuple[int, ...], tuple[int, ...]]
    spec: BatchSpec
    sizes: tuple[tuple[int, ...], ...] = ()
    alike: bool = True
    settled: bool = True

    def lengths(self, path: Path) -> tuple[int, ...]:
        """Lengths of the mixed axes of an image; :attr:`spec` has those of the first."""
        return tuple([self.shapes[path][axis] for axis in self.axes[path]])

    @property
    def padded(self) -> bool:
        """Whether images were of unequal sizes."""
        return len(set(self.sizes)) > 1

    def read(self, given: Any, *, samples: bool = False, rows: Mapping[Path, list[Any]] = NO_ROWS) -> Found:
        """The targets of another batch of the structure.

        Args:
            given: The batch.
            samples: See :attr:`Found.samples`.
            rows: See :attr:`Found.rows`.
        """
        batch = with_columns(given, self.records) if self.records else given
        images, others = _filled(self.images, batch), _filled(self.others, batch)
        return self.found(given, batch, images, others, samples, rows)

    def found(
        self,
        given: Any,
        batch: Any,
        images: tuple[Target, ...],
        others: tuple[Target, ...],
        samples: bool,
        rows: Mapping[Path, list[Any]],
    ) -> Found:
        """A batch of the structure whose targets are arrays already."""
        objects = tuple([self._objects(group, batch) for group in self.groups]) if self.groups else ()
        return Found(given, batch, images, others, objects, self, samples, rows)

    def _objects(self, group: Group, batch: Any) -> Objects:
        shape = self.spec.shape
        canvases: list[Any] = [shape] * self.spec.size if len(shape) == 2 else []
        if self.sizes:
            canvases = [(size[0], size[1]) for size in self.sizes if len(size) == 2]
        columns = {path: leaf_at(batch, path) for path in group.members}
        return Objects(group, columns, canvases, self.spec, self.rules)


@dataclass(frozen=True)
class Found:
    """A batch with its targets as arrays.

    Attributes:
        given: The batch as it came, collated where it was a list of samples.
        batch: The same with records read by columns; all paths are of it.
        images: Its images, ``(B, ...)`` arrays of one backend.
        others: Labels, masks and other targets of one array each, of the same backend.
        objects: What is told of the objects of its images.
        template: What it has in common with other batches of its structure.
        samples: Whether it was collated from a list of samples.
        rows: Images that are not collated yet: by path, the samples' arrays in host memory. Their batch is an empty
            one, which the painter fills; nobody else looks at it.
        parts: Where partners are of a second batch, the batch that is mixed and that one; this one is both, the second
            behind the first, and everything but its targets is the first one's. Else nothing.
    """

    given: Any
    batch: Any
    images: tuple[Target, ...]
    others: tuple[Target, ...]
    objects: tuple[Objects, ...]
    template: Template
    samples: bool
    rows: Mapping[Path, list[Any]]
    parts: tuple[Found, ...] = ()

    @property
    def axes(self) -> Mapping[Path, tuple[int, ...]]:
        """Positions of the mixed axes of every image, by path."""
        return self.template.axes

    @property
    def spec(self) -> BatchSpec:
        """Size and mixed axes."""
        return self.template.spec

    @property
    def targets(self) -> tuple[Target, ...]:
        """Images and other arrays."""
        return self.images + self.others

    @property
    def drawn_spec(self) -> BatchSpec:
        """What a method may know of the batch."""
        if not self.parts:
            return self.spec
        first, second = self.parts
        return BatchSpec(first.spec.size, first.spec.shape, second.spec.size)

    def stacked(self, target: Target) -> Any:
        """The value of an image, also where it is not collated yet."""
        rows, value = self.rows.get(target.path), target.value
        if rows is None:
            return value
        return kernel_of(str(backend_of(value))).from_host(np.stack(rows), value)

    def content(self) -> list[tuple[str, Any]]:
        """Names and values of what a call is known by: images or tables; no other target changes what is drawn."""
        roots = self.images or tuple(target for target in self.others if target.kind == TABLE)
        return [(spell(target.path), self.rows.get(target.path, target.value)) for target in roots]

    def copy(self) -> Any:
        """The batch as it came, with copies of its arrays."""
        return self.rebuilt({target.path: self._copy(target) for target in self.targets})

    def _copy(self, target: Target) -> Any:
        return self.stacked(target) if target.path in self.rows else _copy_of(target.value)

    def rebuilt(self, new: Mapping[Path, Any]) -> Any:
        """The batch as it came, with new values and more names."""
        if not self.template.records:
            return replace(self.batch, new)
        columns = {path for path in new if path and isinstance(leaf_at(self.batch, path[:-1]), Columns)}
        typed = {path: _typed_rows(value) if path in columns else value for path, value in new.items()}
        return as_records(replace(self.batch, typed), self.template.records)

    def placed(self, path: Path, mixed: Mixed) -> dict[Path, Any]:
        """Where a mixed value and what appears beside it go.

        Names that the container does not take make one named tuple in the place of the value.
        """
        if not mixed.beside:
            return {path: mixed.value}
        place, own = path[:-1], path[-1] if path else 0
        parent = leaf_at(self.batch, place) if path else None
        names = {
            (*place, f"{own}{name}" if name.startswith("_") else name): value for name, value in mixed.beside.items()
        }
        known = {key for key, _ in children(parent) or ()}
        if isinstance(own, str) and (takes_names(parent) or all(name[-1] in known for name in names)):
            return {path: mixed.value, **names}
        if holds_names(parent) and any(path in objects.group.members for objects in self.objects):
            # Boxes that are something else now would be read as boxes by whoever knows the class.
            missing = [name for name in names if name[-1] not in known]
            if any(_tells_something(names[name]) for name in missing):
                raise _no_room(path, parent, [str(name[-1]) for name in missing])
            return {path: mixed.value, **{name: value for name, value in names.items() if name not in missing}}
        return {path: mixed.together(mixed.value, *mixed.beside.values())}

    def rest_twice(self) -> dict[Path, Any]:
        """Everything but the targets that has one value a sample, repeated to stay beside its sample."""
        mixed = {target.path for target in self.targets}.union(*(objects.group.members for objects in self.objects))

        def whole(path: Path, node: Any) -> bool:
            known = path in mixed or is_column(self.batch, path)
            return known or (_length(node) == self.spec.size and not _holds_arrays(node))

        repeated = {}
        for path, node in walk(self.batch, whole):
            if is_foreign(node) and hasattr(node, "__len__") and len(node) == self.spec.size:
                raise _not_repeated(path, node)
            if path not in mixed and _length(node) == self.spec.size:
                backend = backend_of(node)
                repeated[path] = node + node if backend is None else kernel_of(backend).concat(node, node)
        return repeated


def _not_repeated(path: Path, node: Any) -> InputError:
    return InputError(
        "Cannot be repeated beside its samples",
        where=spell(path),
        got=describe(node),
        wanted="an array, a list or a tuple, because keep_originals=True",
        fix="Convert it, np.asarray(...) or list(...), or leave it out.",
    )


def _tells_something(column: Sequence[Any]) -> bool:
    """Whether weights are not all 1, or marks not all true."""
    return not all((values == 1).all() for values in hosts(column))


def _no_room(path: Path, parent: Any, names: Sequence[str]) -> InputError:
    kind = type(parent.records[0] if isinstance(parent, Columns) else parent).__name__
    known, missing = [key for key, _ in children(parent) or ()], ", ".join(f"{name}: Any = None" for name in names)
    ones = ", say boxes=BoxRules(weight='ones') where all count alike" if "box_weights" in names else ""
    return InputError(
        "No room for what mixing tells of objects",
        where=spell(path),
        got=f"{kind} with {known}",
        wanted=f"a place for {' and '.join(names)} beside it",
        fix=f"Add to the class {missing}{ones}, or return dicts.",
    )


def copied(batch: Any) -> Any:
    """A batch with arrays of its own, which nobody else overwrites."""
    arrays = [(path, leaf) for path, leaf in walk(batch, lambda *_: False) if backend_of(leaf)]
    return replace(batch, {path: _copy_of(leaf) for path, leaf in arrays})


def _typed_rows(column: Any) -> Any:
    """A column of records whose rows have its tensor type, by which later transforms know what they are."""
    if hasattr(column, "_fields"):
        return type(column)(*map(_typed_rows, column))
    typed = backend_of(column) == "torch" and type(column).__name__ != "Tensor"
    return kernel_of("torch").rows_of(column) if typed else column


def _copy_of(array: Any) -> Any:
    return kernel_of("torch").wrap_like(array.clone(), array) if backend_of(array) == "torch" else array.copy()


def is_column(batch: Any, path: Path) -> bool:
    """Whether a value was read from records, one a sample."""
    return bool(path) and isinstance(leaf_at(batch, path[:-1]), Columns)


def _holds_arrays(node: Any) -> bool:
    """Whether a list has arrays anywhere in it, which then are walked one by one."""
    return type(node) in (list, tuple) and any(backend_of(leaf) for _, leaf in walk(node, lambda *_: False))


def _length(node: Any) -> int | None:
    if backend_of(node):
        return int(node.shape[0]) if len(node.shape) else None
    return len(node) if type(node) in (list, tuple) else None
