"""The host's processors of boxes and keypoints, which also say what has become of every one of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import albumentations as A
import numpy as np
from albumentations.core.bbox_utils import BboxProcessor
from albumentations.core.keypoints_utils import KeypointsProcessor
from albumentations.core.utils import DataProcessor
from numpy.typing import NDArray

from mixtransforms.core.backends import backend_of
from mixtransforms.core.errors import InputError


class Told(NamedTuple):
    """What came in with boxes or keypoints.

    Attributes:
        rows: How many there were.
        labels: Their label fields.
    """

    rows: int
    labels: Mapping[str, Any]


class Follower(DataProcessor):
    """Numbers boxes or keypoints, in a column behind those of their labels, and says which of them are left.

    Transforms that bring others, such as the tiles of a mosaic, have these prepared by the same processor: they are
    numbered after those of the sample.

    Attributes:
        told: What came in, by the name of the values: the sample's own, and then what transforms have brought.
        kept: The numbers of those that are left.
    """

    told: dict[str, list[Told]]
    kept: dict[str, NDArray[np.int64]]

    def begin(self) -> None:
        """Begins with another sample."""
        self.told, self.kept = {}, {}

    def add_label_fields_to_data(self, data: dict[str, Any]) -> dict[str, Any]:
        """Puts labels and numbers into columns."""
        names = [name for name in self.data_fields if name in data]
        fields = self.params.label_fields or ()
        if fields and len(names) > 1:
            raise _labels_of_two(names, fields)
        labels = {field: data[field] for field in fields if field in data}
        data |= {field: _as_column(values) for field, values in labels.items()}
        super().add_label_fields_to_data(data)
        for name in names:
            known = self.told.setdefault(name, [])
            first, rows = sum(told.rows for told in known), data[name]
            known.append(Told(len(rows), labels))
            if rows.size:
                numbers = np.arange(first, first + len(rows), dtype=rows.dtype)
                data[name] = np.concatenate([rows, numbers[:, None]], axis=1)
        return data

    def remove_label_fields_from_data(self, data: dict[str, Any]) -> dict[str, Any]:
        """Takes numbers and labels out again."""
        for name in self.data_fields:
            rows = data.get(name)
            if rows is not None:
                self.kept[name] = np.rint(rows[:, -1]).astype(np.int64) if rows.size else np.zeros(0, np.int64)
                data[name] = rows[:, :-1] if rows.size else rows
        return super().remove_label_fields_from_data(data)  # type: ignore[no-any-return]


class BoxFollower(Follower, BboxProcessor):
    """A processor of boxes that follows them."""


class KeypointFollower(Follower, KeypointsProcessor):
    """A processor of keypoints that follows them."""


def following(compose: A.Compose) -> A.Compose:
    """A pipeline of the host whose processors follow boxes and keypoints."""
    # It hands its processors on to all inside it while it is made, and lets nobody choose their class.
    for processor in compose.processors.values():
        processor.__class__ = BoxFollower if isinstance(processor, BboxProcessor) else KeypointFollower
    return compose


def _as_column(values: Any) -> Any:
    """A label field as the host takes it: it has one number or word a row, and takes tensors for words."""
    if getattr(values, "ndim", 1) > 1:
        return np.arange(len(values))  # results are taken by number, so that it never comes back
    return np.asarray(values) if backend_of(values) == "torch" else values


def _labels_of_two(names: list[str], fields: Any) -> InputError:
    return InputError(
        "Labels of two sets",
        where=", ".join(names),
        got=f"label_fields={list(fields)!r}, of which Albumentations cannot say to which set they belong",
        wanted="label_fields beside one set alone",
        fix="Put labels of the second set into further columns of its rows, and those of the first one as well.",
    )
