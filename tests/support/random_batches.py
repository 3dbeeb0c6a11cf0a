"""Random batches: any targets in any container, as one batch, as a list of samples, or with a record an image."""

import dataclasses
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from mixtransforms import KnownLabels, MaskPair, MultiLabel

CLASSES, TAGS = 4, 3

Entries = dict[str, Any]

# ------------------------------------------------------------------------------------------ what is in them


@dataclass(frozen=True)
class Contents:
    """Images and targets of a random batch.

    Attributes:
        entries: NumPy arrays by name, of objects a list with one array an image; pictures with channels last.
        objects: Names of what is told of objects.
        form: Format of boxes.
    """

    entries: Entries
    objects: tuple[str, ...]
    form: str

    @property
    def size(self) -> int:
        return len(self.entries["image"])

    @property
    def looks_like_fields(self) -> bool:
        """Whether every row of soft labels has as many numbers as there are objects."""
        label = self.entries.get("label")
        soft = label is not None and np.ndim(label) == 2
        return soft and any({*map(len, self.entries[name])} == {CLASSES} for name in self.objects)


KINDS = {"tags": MultiLabel(unknown=-1), "age": "regression"}


@st.composite
def contents(draw: st.DrawFn, least: int = 0) -> Contents:
    """Random images with some targets of every kind."""
    size, shape = draw(st.integers(least, 5)), (draw(st.integers(1, 9)), draw(st.integers(1, 9)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    dtype = draw(st.sampled_from(["uint8", "float32", "float64"]))
    images = rng.random((size, *shape, draw(st.sampled_from([1, 3]))))
    entries: Entries = {"image": np.rint(images * 255).astype(dtype) if dtype == "uint8" else images.astype(dtype)}
    possible = {
        "label": lambda: _labels(draw, rng, size),
        "mask": lambda: rng.integers(0, CLASSES, (size, *shape)).astype(draw(st.sampled_from(["uint8", "int64"]))),
        "tags": lambda: rng.integers(-1, 2, (size, TAGS)).astype(draw(st.sampled_from(["int64", "float32"]))),
        "age": lambda: rng.random(size).astype(draw(st.sampled_from(["float32", "float64"]))),
    }
    for name, build in possible.items():
        if draw(st.booleans()):
            entries[name] = build()
    form = draw(st.sampled_from(["xyxy", "xywh", "cxcywh"]))
    told = _objects(draw, rng, size, shape, form)
    return Contents(entries | told, tuple(told), form)


def _labels(draw: st.DrawFn, rng: np.random.Generator, size: int) -> Any:
    if draw(st.booleans()):
        return rng.integers(0, CLASSES, size).astype(draw(st.sampled_from(["int32", "int64", "uint8"])))
    return rng.dirichlet(np.ones(CLASSES), size).astype(np.float32)


def _objects(draw: st.DrawFn, rng: np.random.Generator, size: int, shape: tuple[int, int], form: str) -> Entries:
    """Boxes, instance masks and keypoints with fields, or any part of these; all numbers are quarters of pixels."""
    which = draw(st.sampled_from(["", "b", "b", "m", "k", "bm", "bk", "mk", "bmk", "p", "bp"]))
    counts = [draw(st.integers(0, 4)) for _ in range(size)]
    told: Entries = {}
    if "b" in which:
        dtype = draw(st.sampled_from(["float32", "float64"]))
        told["boxes"] = [_boxes(rng, count, shape, form).astype(dtype) for count in counts]
    if "m" in which:
        told["masks" if "b" in which else "instance_masks"] = [
            (rng.random((count, *shape)) < rng.random((count, 1, 1))).astype(np.uint8) for count in counts
        ]
    if "k" in which:
        width, points = draw(st.sampled_from([2, 3])), draw(st.integers(1, 3))
        told["keypoints"] = [_points(rng, (count, points, width), shape) for count in counts]
    if which and which != "p" and draw(st.booleans()):
        told["labels"] = [rng.integers(0, 99, count) for count in counts]
        told["area"] = [rng.integers(0, 99, count) / 4 for count in counts]
    if "p" in which:
        width = draw(st.sampled_from([2, 3]))
        told["keypoints"] = [_points(rng, (int(rng.integers(0, 4)), width), shape) for _ in counts]
    return told if size else {}


def _boxes(rng: np.random.Generator, count: int, shape: tuple[int, int], form: str) -> Any:
    """Boxes that may reach over the image, in quarters of pixels, or eighths where they are told by their centre."""
    sides = np.array(shape[::-1])
    start = rng.integers(-4, 4 * sides - 1, (count, 2)) / 4
    stop = np.maximum(start, 0) + rng.integers(1, 4 * sides + 1, (count, 2)) / 4
    return {
        "xyxy": np.concatenate([start, stop], 1),
        "xywh": np.concatenate([start, stop - start], 1),
        "cxcywh": np.concatenate([(start + stop) / 2, stop - start], 1),
    }[form]


def _points(rng: np.random.Generator, count: tuple[int, ...], shape: tuple[int, int]) -> Any:
    points = np.zeros(count, np.float32)
    points[..., 0] = rng.integers(-4, 4 * shape[1] + 4, count[:-1]) / 4
    points[..., 1] = rng.integers(-4, 4 * shape[0] + 4, count[:-1]) / 4
    points[..., 2:] = rng.integers(0, 3, (*count[:-1], count[-1] - 2))
    return points


# ------------------------------------------------------------------------------------------ containers

Holder = Callable[[Mapping[str, Any]], Any]


def as_named_tuple(values: Mapping[str, Any]) -> Any:
    return _named_tuple(tuple(values))(**values)


def as_dataclass(values: Mapping[str, Any]) -> Any:
    return _dataclass(tuple(values))(**values)


_made: dict[Any, Any] = {}


def _named_tuple(names: tuple[str, ...]) -> Any:
    return _made.setdefault(("named tuple", names), namedtuple("Sample", names))


def _dataclass(names: tuple[str, ...]) -> Any:
    return _made.setdefault(("dataclass", names), dataclasses.make_dataclass("Item", names, eq=False))


HOLDERS: Mapping[str, Holder] = {"dict": dict, "namedtuple": as_named_tuple, "dataclass": as_dataclass}


@dataclass(frozen=True)
class Shape:
    """How contents are put into a container and found in a result.

    Attributes:
        kind: ``"flat"`` ({image, ...}), ``"nested"`` ({image, more: {deep: {...}}}) or ``"beside"`` (image, {...}).
        holder: What holds names.
        by: ``"batch"``, ``"records"`` (a list of records beside the images) or ``"samples"`` (a list of samples).
        outer: What holds image and the rest, ``tuple`` or ``list``, for ``"beside"``.
    """

    kind: str
    holder: str
    by: str
    outer: type = tuple

    @property
    def takes_names(self) -> bool:
        return self.holder == "dict"

    def build(self, entries: Mapping[str, Any]) -> Any:
        """The batch, or the list of samples; ``entries`` are of the backend already."""
        size = len(entries["image"])
        if self.by == "records" and len(entries) == 1:
            return self._one(entries)
        if self.by == "samples":
            return [self._one(_row(entries, index)) for index in range(size)]
        if self.by == "records":
            rest = {name: value for name, value in entries.items() if name != "image"}
            records = [HOLDERS[self.holder](_row(rest, index)) for index in range(size)]
            return self.outer([entries["image"], records]) if self.kind == "beside" else {
                "image": entries["image"], "targets": records,
            }  # fmt: skip
        return self._one(entries)

    def _one(self, entries: Mapping[str, Any]) -> Any:
        rest = {name: value for name, value in entries.items() if name != "image"}
        holder = HOLDERS[self.holder]
        if self.kind == "flat" or not rest:
            return holder(entries)
        if self.kind == "nested":
            return {"image": entries["image"], "more": {"deep": holder(rest)}}
        return self.outer([entries["image"], holder(rest)])

    def rest(self, result: Any) -> Any:
        """Where a result has everything but the images, where that is apart; a list of records, or what holds names."""
        for step in ("targets", "more", "deep"):
            result = _value(result, step) if _has(result, step) else result
        return result[1] if type(result) is tuple or (type(result) is list and not _holds(result[0])) else result

    def find(self, result: Any, names: Sequence[str]) -> Entries:
        """The values of a result by name, of records one after the other."""
        apart = type(result) in (tuple, list)
        found, rest = {"image": result[0] if apart else _value(result, "image")}, self.rest(result)
        for name in names:
            found[name] = [_value(record, name) for record in rest] if type(rest) is list else _value(rest, name)
        return found

    def check_types(self, batch: Any, result: Any) -> None:
        """Containers are of the types that came in; of a list of samples, of the types of one, tuples made lists."""
        one = batch[0] if self.by == "samples" else batch
        assert type(result) is (list if self.by == "samples" and type(one) is tuple else type(one))
        before, after = self.rest(one), self.rest(result)
        if type(after) is list and type(before) is not list:  # what is told of objects stays a record
            assert all(type(record) is type(before) for record in after)
        elif type(after) is list:
            assert [type(record) for record in after[: len(before)]] == [type(record) for record in before]
        else:
            assert type(after) is type(before)


def _holds(node: Any) -> bool:
    return isinstance(node, Mapping) or hasattr(node, "_fields") or dataclasses.is_dataclass(node)


def _has(node: Any, name: str) -> bool:
    return name in node if isinstance(node, Mapping) else hasattr(node, name)


def _value(node: Any, name: str) -> Any:
    if isinstance(node, Mapping):
        return node[name]
    return getattr(node, name, None)


def _row(entries: Mapping[str, Any], index: int) -> Entries:
    return {name: value[index] for name, value in entries.items()}


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    by = draw(st.sampled_from(["batch", "records", "samples"]))
    kinds = ["nested", "beside"] if by == "records" else ["flat", "nested", "beside"]
    return Shape(
        draw(st.sampled_from(kinds)), draw(st.sampled_from(list(HOLDERS))), by, draw(st.sampled_from([tuple, list]))
    )


BESIDE = frozenset({"box_weights", "instance_weights", "keypoint_weights", "keypoints_visible"})
"""What a mix puts beside objects."""


def needs_room(expected: Entries) -> bool:
    """Whether anything told beside objects says more than that all of them are whole and seen."""
    return any(not np.all(np.asarray(item) == 1) for name in BESIDE & expected.keys() for item in expected[name])


def folded(expected: Entries) -> Entries:
    """What stands beside a value, in one named tuple with it, as in containers that take no more names."""
    new = dict(expected)
    if "mask_partner" in new:
        new["mask"] = MaskPair(new.pop("mask"), new.pop("mask_partner"), new.pop("mask_weight"))
    if "tags_weight" in new:
        new["tags"] = KnownLabels(new.pop("tags"), new.pop("tags_weight"))
    for name in BESIDE & new.keys():  # left out where they say nothing, and refused elsewhere
        new.pop(name)
    return new
