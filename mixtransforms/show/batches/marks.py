"""What stands beside images, ready to be drawn on them: boxes, instance masks, keypoints and semantic masks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mixtransforms.containers.tree import Path, children, leaf_at
from mixtransforms.core.backends import backend_of
from mixtransforms.core.layers import BoolArray, FloatArray
from mixtransforms.kernels import kernel_of
from mixtransforms.objects import box_formats
from mixtransforms.objects.keypoints import HIDDEN, UNLABELLED
from mixtransforms.objects.objects import Objects
from mixtransforms.objects.parse import Told, format_of, read
from mixtransforms.show.batches.content import Content, Naming, host
from mixtransforms.show.batches.overlays import composed, solid

_LABELS = ("labels", "class_labels", "category_id", "category_ids")
_WEIGHTS = ("box_weights", "instance_weights", "keypoint_weights")


class Thing(NamedTuple):
    """One object.

    Attributes:
        color: Number of its colour.
        caption: Its class and its weight; no weight where that is 1.
        weight: Its weight, within [0, 1].
        outline: Corners ``(V, 2)`` as ``(x, y)``, where pixel ``j`` covers ``[j, j + 1)``, or ``None``.
        points: Labelled keypoints ``(K, 2)``, alike.
        seen: Which of them are seen, ``(K,)``.
        share: What share of its own area it still has, within [0, 1].
    """

    color: int
    caption: str
    weight: float
    outline: FloatArray | None
    points: FloatArray
    seen: BoolArray
    share: float = 1.0

    @property
    def hidden(self) -> bool:
        """Whether a part of it is not seen."""
        return self.share < WHOLE


class Marks(NamedTuple):
    """What is drawn on one image.

    Attributes:
        wash: Colours of masks, ``(H, W, 4)`` uint8, or ``None``.
        things: Its objects.
    """

    wash: NDArray[np.uint8] | None = None
    things: tuple[Thing, ...] = ()


NOTHING = Marks()

WHOLE = 0.995
"""From this weight on an object counts as all there: it would be written as 1.00."""


Shares = Sequence[Sequence[FloatArray]]
"""What share of its own area every object still has: by container, and in it by sample."""


def marks(
    content: Content, naming: Naming, rows: Sequence[int], washes: FloatArray | None, shares: Shares = ()
) -> list[Marks]:
    """What is drawn on every image of a batch.

    Args:
        content: The batch.
        naming: Names of the classes.
        rows: The samples.
        washes: Colours of semantic masks of all samples, premultiplied ``(B, H, W, 4)``, or ``None``.
        shares: Of the objects of ``rows``, where a plan tells.
    """
    if not content.found.objects and washes is None:
        return [NOTHING for _ in rows]
    numbers = _words(content.found.objects)
    return [
        _of_row(content, naming, numbers, row, None if washes is None else washes[row], [own[place] for own in shares])
        for place, row in enumerate(rows)
    ]


def _of_row(
    content: Content,
    naming: Naming,
    numbers: Mapping[str, int],
    row: int,
    wash: FloatArray | None,
    shares: Sequence[FloatArray],
) -> Marks:
    things: list[Thing] = []
    for place, objects in enumerate(content.found.objects):
        group = _read(content, objects, row)
        own = list(_things(group, naming, numbers))
        if place < len(shares) and len(shares[place]) == len(own):
            own = [thing._replace(share=float(share)) for thing, share in zip(own, shares[place], strict=True)]
        for mask, thing in zip(() if group.told.masks is None else group.told.masks, own, strict=False):
            clear = np.zeros((*mask.shape, 4)) if wash is None else wash
            wash = composed(clear, mask != 0, thing.color, thing.weight)
        things += own
    return Marks(None if wash is None else solid(wash), tuple(things))


def same_marks(first: Marks, second: Marks) -> bool:
    """Whether the same is drawn, but for rounding."""
    pairs = zip(first.things, second.things, strict=False)
    return (
        len(first.things) == len(second.things)
        and _near(first.wash, second.wash, 1.0)
        and all(_same_thing(*pair) for pair in pairs)
    )


def _same_thing(first: Thing, second: Thing) -> bool:
    same = (first.color, first.caption, first.seen.tolist()) == (second.color, second.caption, second.seen.tolist())
    return same and _near(first.outline, second.outline, 0.01) and _near(first.points, second.points, 0.01)


def _near(first: NDArray[Any] | None, second: NDArray[Any] | None, most: float) -> bool:
    if first is None or second is None:
        return first is second
    return first.shape == second.shape and bool((np.abs(np.subtract(first, second, dtype=np.float64)) <= most).all())


class _Group(NamedTuple):
    """The objects of one image in one container, as they are read.

    Attributes:
        told: Boxes, masks and keypoints.
        labels: The class of every object, or ``None``.
        weights: The weight of every object.
        visible: Which keypoints are seen, ``(N, K)``, or ``None`` where the keypoints say so themselves.
        columns: The letter of every number of a keypoint.
    """

    told: Told
    labels: Sequence[Any] | None
    weights: FloatArray
    visible: BoolArray | None
    columns: str


def _read(content: Content, objects: Objects, row: int) -> _Group:
    group, found = objects.group, content.found
    items = {path: _item(objects.columns[path], row) for path in group.members}
    shape = (found.spec.shape[0], found.spec.shape[1])
    told = read(group, items, row, objects.sizes[row], shape, objects.rules)
    fields = {str(path[-1]).lower(): items[path] for path in group.fields}
    weights = next((host(fields[name]) for name in _WEIGHTS if name in fields), np.ones(told.number))
    visible, columns = None, ""
    if group.keypoints and told.points is not None and told.points.size:
        beside = _beside(found.batch, group.keypoints, "_visible")
        visible = None if beside is None else host(_item(beside, row)).reshape(told.points.shape[:2]).astype(np.bool_)
        columns = group.points.settled(told.points.shape[-1], group.single).columns
    return _Group(told, _labels(objects, fields, items, told), weights, visible, columns)


def _labels(objects: Objects, fields: Mapping[str, Any], items: Mapping[Path, Any], told: Told) -> Any:
    """The class of every object: a field of its name, a declared one, or what stands behind the box in its row."""
    usual = [name for name in _LABELS if name in fields]
    declared = [str(name).lower() for name in objects.rules.fields if str(name).lower() in fields]
    for name in (*usual, *(name for name in declared if name not in _WEIGHTS)):
        return fields[name] if backend_of(fields[name]) is None else host(fields[name])
    if objects.group.boxes and told.boxes is not None:
        width = box_formats.columns(format_of(items[objects.group.boxes], objects.rules))
        if told.boxes.shape[1] > width:
            return told.boxes[:, width].astype(np.int64)
    return None


def _things(group: _Group, naming: Naming, numbers: Mapping[str, int]) -> Iterator[Thing]:
    told = group.told
    for index in range(told.number):
        color, name = (0, "") if group.labels is None else _class(group.labels[index], naming, numbers)
        weight = float(np.clip(group.weights[index], 0.0, 1.0))
        caption = " ".join(part for part in (name, f"{weight:.2f}" if weight < WHOLE else "") if part)
        points, seen = _points(group, index)
        outline = None if told.corners is None else _polygon(told.corners[index])
        yield Thing(color, caption, weight, outline, points, seen)


def _class(label: Any, naming: Naming, numbers: Mapping[str, int]) -> tuple[int, str]:
    """Number of the colour, and the name, of one label: a word, an id, or the share of every class."""
    if isinstance(label, str):
        return numbers[label], label
    number = int(np.argmax(label)) if np.ndim(label) else int(label)
    return max(number, 0), naming.row(label)


def _words(groups: Iterable[Objects]) -> dict[str, int]:
    """A number for every class that is given as a word, in the order of the alphabet."""
    columns = [column for objects in groups for path, column in objects.columns.items() if path in objects.group.fields]
    rows = [row for column in columns for row in column if backend_of(row) != "torch"]
    words = sorted({str(word) for row in rows for word in np.ravel(row) if isinstance(word, str)})
    return {word: number for number, word in enumerate(words)}


def _polygon(corners: FloatArray) -> FloatArray | None:
    if not np.isfinite(corners).all():
        return None
    if corners.ndim == 2:
        return corners
    x1, y1, x2, y2 = corners
    return np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]])


def _points(group: _Group, index: int) -> tuple[FloatArray, BoolArray]:
    """Labelled keypoints of one object, and which of them are seen."""
    if group.told.points is None or not group.columns:
        return np.zeros((0, 2)), np.zeros(0, np.bool_)
    points, v = group.told.points[index], group.columns.find("v")
    xy = points[:, [group.columns.index("x"), group.columns.index("y")]]
    drawn = np.isfinite(xy).all(axis=1) & (points[:, v] > UNLABELLED if v >= 0 else True)
    seen = points[:, v] > HIDDEN if v >= 0 else np.ones(len(points), np.bool_)
    if group.visible is not None:
        seen = seen & group.visible[index]
    return xy[drawn], seen[drawn]


def _item(column: Any, row: int) -> Any:
    """One image's value; of a stacked tensor it keeps the type."""
    backend = backend_of(column)
    return column[row] if backend is None else kernel_of(backend).wrap_like(column[row], column)


def _beside(batch: Any, path: Path, suffix: str) -> Any:
    """What stands beside a value under its name with a suffix, or ``None``."""
    return dict(children(leaf_at(batch, path[:-1])) or ()).get(f"{path[-1]}{suffix}")
