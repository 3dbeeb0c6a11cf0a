"""Columns of mixed objects, assembled from those of all sources: one value an image, in the form it came in."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixtransforms.containers.tree import Path
from mixtransforms.core.backends import backend_of
from mixtransforms.core.layers import IntArray
from mixtransforms.kernels import kernel_of
from mixtransforms.objects import box_formats
from mixtransforms.objects.boxes import BoxRules
from mixtransforms.objects.columns import Column, any_typed, format_of, hosts
from mixtransforms.objects.groups import Group
from mixtransforms.objects.instance_masks import Cut, write_mask
from mixtransforms.objects.keypoints import Keypoints
from mixtransforms.objects.parse import Annotations
from mixtransforms.objects.visible import Surviving

Writer = Callable[[Surviving, Sequence[int], Column], list[Any]]
"""Writes a column from the objects that survive, how many of them every sample has, and the column as it came."""

ShownMask = tuple[NDArray[Any], Cut | None]
"""A mask as it came, or where it is shown, and what is cut from it."""

NO_ROWS = np.zeros(0, np.int64)

NOTHING = Column((), None)


class Assembler:
    """Assembles the columns of a group.

    Attributes:
        weights: Where the weights of the objects are, or appear.
        marks: Where the marks of visible keypoints are, or appear, or ``None``: where keypoints cannot say it.
        writers: What writes the column at a path.
    """

    def __init__(
        self,
        group: Group,
        columns: Mapping[Path, Column],
        annotations: Annotations,
        rules: BoxRules,
        points: Keypoints | None,
        shape: tuple[int, int],
    ) -> None:
        """Finds who writes what.

        Args:
            group: Which values these are.
            columns: The values as they came in, by path.
            annotations: The objects of all samples as they were read.
            rules: How boxes are written.
            points: The settled rules of keypoints, where there are any.
            shape: Height and width of all images of the result.
        """
        self._columns, self._annotations, self._rules, self._shape = columns, annotations, rules, shape
        self._single, self._anchor = group.single, group.anchor
        name = "box_weights" if group.boxes else "instance_weights" if group.instances else "keypoint_weights"
        if group.further:
            name = f"{group.anchor[-1]}_weights"
        former = [path for path in group.fields if path[-1] == name]
        self.weights: Path = former[0] if former else (*self._anchor[:-1], name)
        self.marks: Path | None = None
        # Later ones win: weights and marks of an earlier mix stand among the fields.
        areas = [path for path in group.fields if str(path[-1]).lower() in ("area", "areas")]
        self.writers: dict[Path, Writer] = dict.fromkeys(group.fields, _write_rows)
        self.writers |= dict.fromkeys(areas, _write_areas)
        if group.keypoints:
            self.writers[group.keypoints] = self._points
        if group.instances:
            self.writers[group.instances] = self._masks
        if group.boxes:
            self.writers[group.boxes] = self._boxes
        if group.keypoints and points and "v" not in points.columns and points.occluded != "drop":
            self._marked = group.keypoints
            self.marks = (*group.keypoints[:-1], f"{group.keypoints[-1]}_visible")
            self.writers[self.marks] = self._marks
        self.writers[self.weights] = self._weights

    def column(self, path: Path, objects: Surviving, counts: Sequence[int]) -> list[Any]:
        """One value of every sample of the result.

        Args:
            path: A member of the group, :attr:`weights` or :attr:`marks`.
            objects: What survives.
            counts: How many of them every sample has.
        """
        return self.writers[path](objects, counts, self._columns.get(path, NOTHING))

    def _boxes(self, objects: Surviving, counts: Sequence[int], column: Column) -> list[Any]:
        form = format_of(column.items[0] if column.items else None, self._rules)
        width = box_formats.column_count(form)
        if self._annotations.boxes is None or objects.corners is None:
            raise KeyError("boxes")
        values = self._annotations.boxes[objects.chosen]
        if objects.changed.any():  # others keep every digit that they came with
            corners = box_formats.from_plan(objects.corners[objects.changed])
            values[objects.changed, :width] = box_formats.encode(corners, form, self._shape)

        def empty(shape: tuple[int, ...]) -> tuple[int, ...]:
            return (0, max(width, shape[1] if len(shape) == 2 else 0))

        return self._on_canvas(_write_numbers(values, counts, column, empty))

    def _masks(self, objects: Surviving, counts: Sequence[int], column: Column) -> list[Any]:
        """Instance masks in the form that they came in."""
        items = column.items
        example = next((item[0] for item in items if len(item)), None)
        return [
            _list_masks(part, example) if backend_of(item) is None else _stack_masks(part, item, self._shape)
            for part, item in zip(_split_rows(objects.masks or (), counts), items, strict=True)
        ]

    def _points(self, objects: Surviving, counts: Sequence[int], column: Column) -> list[Any]:
        if objects.points is None:
            raise KeyError("keypoints")
        values = objects.points[:, 0] if self._single else objects.points
        return self._on_canvas(_write_numbers(values, counts, column, lambda shape: (0, *shape[1:])))

    def _on_canvas(self, values: list[Any]) -> list[Any]:
        """Typed tensors, told the size of the padded images."""
        for value in values if any_typed(values) else ():
            if getattr(value, "canvas_size", self._shape) != self._shape:
                value.canvas_size = self._shape
        return values

    def _weights(self, objects: Surviving, counts: Sequence[int], column: Column) -> list[Any]:
        """Weights; those of an earlier mix are multiplied by the new ones."""
        former = self.weights in self._columns
        weights = _former_values(column, objects) * objects.weight if former else objects.weight
        return _new_column(weights.astype(np.float32), counts, column if former else self._columns[self._anchor])

    def _marks(self, objects: Surviving, counts: Sequence[int], column: Column) -> list[Any]:
        """Which keypoints are seen, and were seen before where an earlier mix has marked them."""
        marks: Any = objects.visible[:, 0] if self._single and objects.visible is not None else objects.visible
        if self.marks in self._columns and len(marks):
            marks = marks & _former_values(column, objects).astype(np.bool_)
        return _new_column(marks, counts, self._columns[self._marked])


def take_rows(item: Any, index: IntArray) -> Any:
    """Some rows of one image's value, copied."""
    backend = backend_of(item)
    if backend is None:
        return type(item)([item[row] for row in index.tolist()])
    kernel = kernel_of(backend)
    return kernel.wrap_like(kernel.take(item, index), item)


def _former_values(column: Column, objects: Surviving) -> NDArray[Any]:
    """A field of the objects that survive, as it came in, on the host."""
    filled = column.filled
    if not filled:
        return np.zeros(0)
    if column.shapes is None:
        return np.concatenate(hosts(filled))[objects.chosen]
    kernel = kernel_of(str(backend_of(filled[0])))
    values: NDArray[Any] = kernel.to_host(kernel.rows_together(filled))
    return values[objects.chosen]


def _split_rows(values: Any, counts: Sequence[int]) -> list[Any]:
    """Rows in one array or list as one value an image, none of which shares memory with another."""
    backend = backend_of(values)
    if backend is not None:
        # Views of one array would change together, and each would be saved with all of it.
        parts: list[Any] = kernel_of(backend).split(values, counts)
        return parts
    stops = itertools.accumulate(counts)
    return [values[stop - count : stop] for stop, count in zip(stops, counts, strict=True)]


def _retyped(parts: list[Any], items: Sequence[Any]) -> list[Any]:
    """Arrays with the types and memory formats of the values of a column; plain ones are asked once, not each."""
    if not any_typed(items) and max([part.ndim for part in parts]) < 4:  # pictures may have channels last in memory
        return parts
    kernel = kernel_of(str(backend_of(items[0])))
    wrapped: list[Any] = kernel.wrap_each(parts, items)
    return wrapped


def _write_numbers(
    values: NDArray[Any], counts: Sequence[int], column: Column, empty: Callable[[tuple[int, ...]], tuple[int, ...]]
) -> list[Any]:
    """Host values in the type, dtype and place of the values of a column.

    Args:
        values: Of all samples, ``(N, ...)``.
        counts: How many every sample has.
        column: The column.
        empty: The shape of no objects, from the shape of the sample's own value.
    """
    items = column.items
    backend = backend_of(items[0]) if items else None
    if backend is None:
        return _split_rows(values.tolist(), counts)
    kernel = kernel_of(backend)
    plain = kernel.take(items[0], NO_ROWS)  # the dtype and the place, without the canvas of the first image
    parts, nobody = _split_rows(kernel.astype_like(values, plain), counts), (0, *values.shape[1:])
    for index in [index for index, count in enumerate(counts) if not count]:
        shape = empty(tuple(items[index].shape if column.shapes is None else column.shapes[index]))
        if shape != nobody:
            parts[index] = kernel.astype_like(np.zeros(shape), plain)
    return _retyped(parts, items)


def _new_column(values: NDArray[Any], counts: Sequence[int], column: Column) -> list[Any]:
    """Host values in their own dtype, beside the values of a column."""
    items = column.items
    backend = backend_of(items[0]) if items else None
    return _split_rows(
        values.tolist() if backend is None else kernel_of(backend).asarray_like(values, items[0]), counts
    )


def _stack_masks(masks: Sequence[ShownMask], item: Any, shape: tuple[int, int]) -> Any:
    """Instance masks of one image as an array."""
    kernel = kernel_of(str(backend_of(item)))
    if not masks:
        none = take_rows(item, NO_ROWS)
        own = tuple(none.shape[1:])
        return none if len(own) < 2 or own == shape else kernel.wrap_like(none.reshape(0, *shape), item)
    first = masks[0][0]
    stacked = np.empty((len(masks), *first.shape), np.result_type(*{mask.dtype for mask, _ in masks}))
    for out, (mask, cut) in zip(stacked, masks, strict=True):
        write_mask(out, mask, cut)
    return kernel.wrap_like(kernel.astype(kernel.placed_like(stacked, item), item.dtype), item)


def _list_masks(masks: Sequence[ShownMask], example: Any) -> list[Any]:
    """Instance masks of one image as a list of arrays; of rows of numbers where fractions came as such."""
    backend, written = backend_of(example), []
    for mask, cut in masks:
        own = np.empty_like(mask)
        write_mask(own, mask, cut)
        written.append(own)
    if backend is not None:
        kernel = kernel_of(backend)
        return [kernel.astype(kernel.placed_like(own, example), example.dtype) for own in written]
    return [own.tolist() if own.dtype == np.float64 else own for own in written]


def _write_rows(objects: Surviving, counts: Sequence[int], column: Column) -> list[Any]:
    """Rows of several images, each as it is."""
    items = column.items
    backend = backend_of(items[0]) if items else None
    if backend is None:
        every = list(itertools.chain.from_iterable(items))
        parts = _split_rows([every[number] for number in objects.chosen.tolist()], counts)
        return [type(item)(part) for part, item in zip(parts, items, strict=True)]
    kernel = kernel_of(backend)
    # Images without any objects may have rows of another shape, which would not go into one array.
    every = kernel.rows_together(column.filled or items[:1])
    parts = _retyped(_split_rows(kernel.take(every, objects.chosen), counts), items)
    for index in [index for index, count in enumerate(counts) if not count]:
        item = items[index]
        if column.shapes is None or tuple(column.shapes[index])[1:] != tuple(every.shape[1:]):
            parts[index] = take_rows(item, NO_ROWS)
    return parts


def _write_areas(objects: Surviving, counts: Sequence[int], column: Column) -> list[Any]:
    """Areas: the pixels that are left of an instance mask, else what share of the object is seen."""
    left = _former_values(column, objects) * (objects.share * objects.times)
    values = np.where(np.isnan(objects.area), left, objects.area)
    return _write_numbers(values, counts, column, lambda shape: (0,))
