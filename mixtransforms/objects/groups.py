"""Groups: what is told of the objects of an image stands together in one container, and is filtered together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from mixtransforms.containers.mixed import MixedObjects
from mixtransforms.containers.records import Columns
from mixtransforms.containers.tree import Name, Path, depth, spell
from mixtransforms.core.backends import backend_of, is_floating
from mixtransforms.core.errors import InputError
from mixtransforms.objects.boxes import BoxRules
from mixtransforms.objects.either import are_of_sample, holds_floats
from mixtransforms.objects.keypoints import Keypoints
from mixtransforms.targets.names import (
    BOXES,
    DEFAULT_NAMES,
    FIELDS,
    INSTANCES,
    KEYPOINTS,
    MASK,
    OF_EITHER,
    OF_OBJECTS,
    spellings,
    typed_kind,
)

_POINT_FIELDS = frozenset({"keypoint_weights", "keypoints_visible"})
"""Names, in lower case, of what is told of every single keypoint."""


_ANY_BOXES, _ANY_POINTS = BoxRules(), Keypoints()


class Group(NamedTuple):
    """What is told of the objects of every image in one container: values whose rows belong together.

    Attributes:
        place: The container.
        points: What the keypoints are declared to be.
        boxes: Where the boxes are, or ``None``.
        instances: Where the instance masks are, or ``None``.
        keypoints: Where the keypoints are, or ``None``.
        fields: Everything else that has a row for every object.
        single: Whether every keypoint is an object of its own.
        undecided: Floats of one sample that its objects have, or it has itself: only a whole batch tells.
        certain: Whether the structure alone says which values are fields; where it does not, their values do.
        further: Whether it is one more set of boxes or keypoints beside others, of which nothing else is told.
        moved: Whether transforms have moved them that knew their format: see :attr:`ObjectFinder.moved`.
    """

    place: Path
    points: Keypoints
    boxes: Path | None = None
    instances: Path | None = None
    keypoints: Path | None = None
    fields: tuple[Path, ...] = ()
    single: bool = False
    undecided: tuple[Path, ...] = ()
    certain: bool = True
    further: bool = False
    moved: bool = False

    @property
    def anchor(self) -> Path:
        """The value that says how many objects there are."""
        return self.boxes or self.instances or self.keypoints or self.place

    @property
    def members(self) -> tuple[Path, ...]:
        """Every value of the group."""
        return tuple(path for path in (self.boxes, self.instances, self.keypoints) if path) + self.fields


@dataclass(frozen=True)
class ObjectFinder:
    """Finds what is told of objects.

    Attributes:
        kinds: Declared names, positions or dotted paths and their kinds.
        passthrough: Declared names, positions or dotted paths that are left alone.
        boxes: Names more fields of boxes.
        points: What keypoints are where they are not declared.
        metadata: Names of what transforms of a pipeline read, one value a sample, which passes as well.
        further: Names and kinds of sets of boxes and single keypoints beside those that all other fields belong to.
        moved: Whether transforms of a pipeline have moved the objects. Their boxes were looked at before that: of a
            picture that was made small, one may well lie in the first pixel.
    """

    kinds: Mapping[Name, Any]
    passthrough: Collection[Name]
    boxes: BoxRules = _ANY_BOXES
    points: Keypoints = _ANY_POINTS
    metadata: frozenset[str] = frozenset()
    further: tuple[tuple[str, str], ...] = ()
    moved: bool = False

    def passes(self, path: Path) -> bool:
        """Whether a path is declared to pass."""
        if path and path[0] in self.metadata:
            return True
        return bool(self.passthrough) and any(name in self.passthrough for name in spellings(path))

    def declared(self, path: Path) -> Any:
        """What a path is declared to be, or ``None``."""
        if not self.kinds:
            return None
        own = path[-1] if path else ""
        names: Iterable[Name] = spellings(path)
        if isinstance(own, str) and own.lower() in FIELDS:  # told of every object, whatever they are declared to be
            names = (".".join(map(str, path)), own)
        return next((self.kinds[name] for name in names if name in self.kinds), None)

    def groups_of(self, path: Path, values: Mapping[Path, Any], batched: bool) -> Iterator[Group]:
        """What one container tells of objects.

        Single keypoints are a group of their own; everything else belongs to the boxes or to the instances.

        Args:
            path: The container.
            values: What is in it, by path.
            batched: Whether values have one item a sample, or are those of one sample.

        Raises:
            InputError: It has two sets of boxes, instances or keypoints.
        """
        if self.further and not path:
            sets = tuple(self._further(values))
            yield from sets
            values = {place: value for place, value in values.items() if not any(place in one.members for one in sets)}
        roles = self._roles(values, batched)
        if not roles:
            return
        boxes, instances, points = roles.get(BOXES), roles.get(INSTANCES), roles.get(KEYPOINTS)
        rule = self.declared(points) if points else None
        rule = rule if isinstance(rule, Keypoints) else self.points
        left = {place: value for place, value in values.items() if place not in roles.values()}
        if points and _items_depth(values[points], batched) < 3:
            fields = self._fields(left, values[points], (*rule.fields, *_mark_names(points)), _POINT_FIELDS, batched)
            yield Group(path, rule, keypoints=points, fields=fields, single=True)
            points, left = None, {place: value for place, value in left.items() if place not in fields}
        anchor = boxes or instances or points
        if anchor:
            declared = (*self.boxes.fields, *(rule.fields if points else ()), *_mark_names(points))
            fields = self._fields(left, values[anchor], declared, FIELDS, batched)
            either = self._either(left, values[anchor], declared, batched)
            unclear = [place for place in either if holds_floats(left[place])]
            if batched:
                either = [p for p in either if p not in unclear or not are_of_sample(p, left[p], values[anchor])]
            else:
                either = [place for place in either if place not in unclear]
            known = Group(
                path, rule, boxes, instances, points, (*fields, *either), certain=not unclear, moved=self.moved
            )
            yield known if batched else known._replace(undecided=tuple(unclear))

    def _further(self, values: Mapping[Path, Any]) -> Iterator[Group]:
        """The sets that are told of by themselves, with what an earlier mix has put beside them."""
        for name, kind in self.further:
            if (name,) in values and not self.passes((name,)):
                beside = tuple((own,) for own in (f"{name}_weights", f"{name}_visible") if (own,) in values)
                own: Any = {kind: (name,)}
                yield Group(
                    (), self.points, **own, fields=beside, single=kind == KEYPOINTS, further=True, moved=self.moved
                )

    def _roles(self, values: Mapping[Path, Any], batched: bool) -> dict[str, Path]:
        """Where a container has boxes, instances and keypoints."""
        kinds = {path: self._kind_of_objects(path, value) for path, value in values.items()}
        beside = BOXES in kinds.values()
        roles: dict[str, Path] = {}
        for path, kind in kinds.items():
            if kind == MASK and beside and self._one_an_object(path, values[path], batched):
                kind = INSTANCES
            if kind not in OF_OBJECTS:
                continue
            if kind in roles:
                raise _two(kind, roles[kind], path)
            roles[kind] = path
        return roles

    def _kind_of_objects(self, path: Path, value: Any) -> str | None:
        if self.passes(path) or not (backend_of(value) or type(value) in (list, tuple)):
            return None
        kind = self.declared(path) or typed_kind(value)
        name = path[-2] if path[-1] == "objects" and len(path) > 1 else path[-1]
        if kind is None and isinstance(name, str):
            kind = DEFAULT_NAMES.get(name.lower())
        return kind if kind is None or isinstance(kind, str) else str(kind.name)

    def _one_an_object(self, path: Path, value: Any, batched: bool) -> bool:
        """Whether masks beside boxes are one an object: ``masks`` of every image with three axes."""
        own = path[-1]
        if self.declared(path) is not None or (isinstance(own, str) and own.lower() != "masks"):
            return False
        items = value if batched else [value]
        if type(items) not in (list, tuple) or not items:
            return False
        told = [item for item in items if item is not None and not (type(item) in (list, tuple) and not item)]
        return (bool(told) or not all(item is None for item in items)) and all(depth(item) == 3 for item in told)

    def _fields(
        self, values: Mapping[Path, Any], anchor: Any, declared: Collection[Name], usual: Collection[str], batched: bool
    ) -> tuple[Path, ...]:
        """Values with a row for every object, and not one for the sample as an array of labels ``(B, K)`` has."""
        named = [path for path in values if self._is_field(path, declared, usual)]
        return tuple(path for path in named if may_have_rows(values[path], anchor, batched))

    def _either(self, values: Mapping[Path, Any], anchor: Any, declared: Collection[Name], batched: bool) -> list[Path]:
        """Values with several entries a sample whose names are those of labels, of an object or of the sample."""
        return [
            path
            for path, value in values.items()
            if self._is_field(path, (), OF_EITHER)
            and not any(name in declared for name in spellings(path))
            and may_have_rows(value, anchor, batched)
        ]

    def _is_field(self, path: Path, declared: Collection[Name], usual: Collection[str]) -> bool:
        if self.passes(path) or self.declared(path) is not None:
            return False
        own = path[-1]
        return any(name in declared for name in spellings(path)) or (isinstance(own, str) and own.lower() in usual)


def may_have_rows(value: Any, anchor: Any, batched: bool = True) -> bool:
    """Whether a value may be told of every object, by its form alone.

    Args:
        value: What stands beside the objects.
        anchor: The value that says how many objects there are.
        batched: Whether both have one item a sample, or are those of one sample.
    """
    if _items_depth(value, batched) < 1:
        return False
    return not (batched and not backend_of(anchor) and _is_soft(value))


def is_opened(value: Any) -> bool:
    """Whether a value, or every record of a column, is boxes with weights or keypoints with marks."""
    return isinstance(value.records[0] if isinstance(value, Columns) else value, MixedObjects)


def _mark_names(points: Path | None) -> tuple[Name, ...]:
    """What an earlier mix calls the marks of keypoints that are seen."""
    return (f"{points[-1]}_visible",) if points else ()


def _is_soft(value: Any) -> bool:
    """Whether an array may hold a row of shares for every sample."""
    return backend_of(value) is not None and is_floating(value)


def _items_depth(value: Any, batched: bool) -> int:
    """Axes of one sample's value: the most that any has, since empty lists do not say."""
    if not batched:
        return depth(value)
    if backend_of(value):
        return depth(value) - 1
    return max((depth(item) for item in value), default=1) if type(value) in (list, tuple) else 0


def _two(kind: str, first: Path, second: Path) -> InputError:
    return InputError(
        f"Two sets of {kind} in one container",
        where=spell(second),
        got=f"another one at {spell(first)}",
        wanted="one, so that labels and other fields belong to it",
        fix="Put them into dicts of their own, or mix one and leave the other alone with passthrough.",
    )
