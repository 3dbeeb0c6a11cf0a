"""A batch with its targets as arrays, and the way back into its containers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from mixtransforms.containers.records import Columns, as_records
from mixtransforms.containers.tree import Path, children, is_flat, leaf_at, replace, spell, takes_names, walk
from mixtransforms.core.backends import backend_of
from mixtransforms.kernels import kernel_of
from mixtransforms.objects.objects import Objects
from mixtransforms.plan import BatchSpec
from mixtransforms.targets.kind import Mixed, Target
from mixtransforms.targets.names import TABLE


class Places(NamedTuple):
    """Where the targets of batches of one structure are: a :class:`Found` without values."""

    images: tuple[Target, ...]
    others: tuple[Target, ...]
    axes: Mapping[Path, tuple[int, ...]]
    first: bool
    whole: tuple[tuple[int, ...], tuple[int, ...]]
    spec: BatchSpec

    def found(self, batch: Any) -> Found:
        """The targets of another batch."""
        images, others = (
            tuple(target._replace(value=leaf_at(batch, target.path)) for target in targets)
            for targets in (self.images, self.others)
        )
        return Found(batch, batch, images, others, (), self.axes, self.first, self.whole, self.spec)


@dataclass(frozen=True)
class Found:
    """A batch with its targets as arrays.

    Attributes:
        given: The batch as it came, collated where it was a list of samples.
        batch: The same with records read by columns; all paths are of it.
        images: Its images, ``(B, ...)`` arrays of one backend.
        others: Labels, masks and other targets of one array each, of the same backend.
        objects: What is told of the objects of its images.
        axes: Positions of the mixed axes of every image, by path.
        first: Whether channels come before the mixed axes.
        whole: Lengths of all axes of its images but samples and channels, and which of these are mixed.
        spec: Size and mixed axes.
        samples: Whether it was collated from a list of samples.
        padded: Whether images were of unequal sizes.
        rows: Images that are not collated yet: by path, the samples' arrays in host memory. Their batch is an empty
            one, which the painter fills; nobody else looks at it.
    """

    given: Any
    batch: Any
    images: tuple[Target, ...]
    others: tuple[Target, ...]
    objects: tuple[Objects, ...]
    axes: Mapping[Path, tuple[int, ...]]
    first: bool
    whole: tuple[tuple[int, ...], tuple[int, ...]]
    spec: BatchSpec
    samples: bool = False
    padded: bool = False
    rows: Mapping[Path, list[Any]] = field(default_factory=dict)

    @property
    def targets(self) -> tuple[Target, ...]:
        """Images and other arrays."""
        return self.images + self.others

    def content(self) -> list[tuple[str, Any]]:
        """Names and values of what a call is known by: images or tables; no other target changes what is drawn."""
        roots = self.images or tuple(target for target in self.others if target.kind == TABLE)
        return [(spell(target.path), self.rows.get(target.path, target.value)) for target in roots]

    @property
    def places(self) -> Places | None:
        """Where the targets are, for batches of the same structure; ``None`` where they had to be converted."""
        plain = self.batch is self.given and not self.objects and not self.padded
        if not plain or any(target.value is not leaf_at(self.batch, target.path) for target in self.targets):
            return None
        images, others = (tuple(t._replace(value=None) for t in targets) for targets in (self.images, self.others))
        return Places(images, others, self.axes, self.first, self.whole, self.spec)

    def copy(self) -> Any:
        """The batch as it came, with copies of its arrays."""
        return as_records(replace(self.batch, {target.path: self._copy(target) for target in self.targets}))

    def _copy(self, target: Target) -> Any:
        rows, value = self.rows.get(target.path), target.value
        if rows is not None:
            return kernel_of(str(backend_of(value))).from_host(np.stack(rows), value)
        return _copy_of(value)

    def rebuilt(self, new: Mapping[Path, Any]) -> Any:
        """The batch as it came, with new values and more names."""
        return as_records(replace(self.batch, new))

    def was_list(self, target: Target) -> bool:
        """Whether the target came as a list of arrays, one a sample."""
        leaf = leaf_at(self.batch, target.path)  # of samples, only sizes that differ make a list
        return not self.samples and is_flat(leaf) and backend_of(leaf[0]) is not None

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
        return {path: mixed.together(mixed.value, *mixed.beside.values())}

    def rest_twice(self) -> dict[Path, Any]:
        """Everything but the targets that has one value a sample, repeated to stay beside its sample."""
        mixed = {target.path for target in self.targets}.union(*(objects.group.members for objects in self.objects))

        def whole(path: Path, node: Any) -> bool:
            known = path in mixed or is_column(self.batch, path)
            return known or (_length(node) == self.spec.size and not _holds_arrays(node))

        repeated = {}
        for path, node in walk(self.batch, whole):
            if path not in mixed and _length(node) == self.spec.size:
                backend = backend_of(node)
                repeated[path] = node + node if backend is None else kernel_of(backend).concat(node, node)
        return repeated


def copied(batch: Any) -> Any:
    """A batch with arrays of its own, which nobody else overwrites."""
    arrays = [(path, leaf) for path, leaf in walk(batch, lambda *_: False) if backend_of(leaf)]
    return replace(batch, {path: _copy_of(leaf) for path, leaf in arrays})


def _copy_of(array: Any) -> Any:
    return array.clone() if backend_of(array) == "torch" else array.copy()


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
