"""Samples of pipelines whose pictures say where every object is, in the forms that datasets give, and how they are read.

Everything that is told of an object carries its number: labels, a field of its own, and where its pixels are.
"""

import dataclasses
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from forms import host
from numpy.typing import NDArray
from scenes import LEAST, Scene, assert_told

from mixtransforms import BoxRules, Keypoints

Values = NDArray[Any]

COUNTS = (3, 0, 2, 4, 1, 3)
"""Objects of the images of a batch; one image has none."""

SHAPE = (24, 20)

RULES: dict[str, Any] = {
    "boxes": BoxRules(min_visibility=0, min_size=0, min_area=0, fields=("track",)),
    "kinds": {"keypoints": Keypoints(min_visible=0)},
}
"""What is seen at all is kept, so that the picture alone says what must be told."""


class Record(typing.NamedTuple):
    """What is told of one image, under names that are not to become more."""

    boxes: Any
    labels: Any
    area: Any
    iscrowd: Any
    track: Any
    image_id: Any
    keypoints: Any = None
    masks: Any = None


class RecordWithRoom(typing.NamedTuple):
    """The same with names for what a mix puts beside the others."""

    boxes: Any
    labels: Any
    area: Any
    iscrowd: Any
    track: Any
    image_id: Any
    keypoints: Any
    masks: Any
    box_weights: Any
    keypoints_visible: Any


@dataclasses.dataclass
class Annotation:
    """The same as a dataclass."""

    boxes: Any
    labels: Any
    area: Any
    iscrowd: Any
    track: Any
    image_id: Any
    keypoints: Any = None
    masks: Any = None


Whole = dataclasses.make_dataclass("Whole", ["image", *(field.name for field in dataclasses.fields(Annotation))])
"""A sample that is one dataclass, its image included."""


def told(scene: Scene, index: int) -> dict[str, Any]:
    """What is told of one image, as NumPy arrays."""
    return {
        "boxes": scene.boxes,
        "labels": scene.ids.astype(np.int64),
        "area": scene.masks.sum(axis=(1, 2)).astype(np.float32),
        "iscrowd": np.zeros(len(scene.ids), np.int64),
        "track": np.stack([scene.ids, -scene.ids], axis=1).astype(np.int32),
        "image_id": index,
        "keypoints": scene.points,
        "masks": scene.masks.astype(np.uint8),
    }


def _typed(values: dict[str, Any]) -> dict[str, Any]:
    from torchvision import tv_tensors

    values = _tensors(values)
    boxes = tv_tensors.BoundingBoxes(values["boxes"], format="XYXY", canvas_size=SHAPE)
    points = tv_tensors.KeyPoints(values["keypoints"][..., :2], canvas_size=SHAPE)
    return values | {"boxes": boxes, "masks": tv_tensors.Mask(values["masks"]), "keypoints": points}


def _tensors(values: dict[str, Any]) -> dict[str, Any]:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    return {name: torch.tensor(value) for name, value in values.items()}


def _lists(values: dict[str, Any]) -> dict[str, Any]:
    """Lists of numbers; of masks nobody makes any."""
    return {name: value.tolist() if hasattr(value, "tolist") else value for name, value in values.items()} | {
        "masks": values["masks"]
    }


FORMS: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "typed": _typed,
    "plain": _tensors,
    "numpy": dict,
    "lists": _lists,
}
"""What the targets of torchvision's datasets are made of."""


def _with_room(image: Any, values: dict[str, Any]) -> Any:
    import torch

    count = len(values["labels"])
    return image, RecordWithRoom(**values, box_weights=torch.ones(count), keypoints_visible=torch.ones(count, 2) > 0)


HOLDERS: Mapping[str, Callable[[Any, dict[str, Any]], Any]] = {
    "tuple": lambda image, values: (image, values),
    "dict": lambda image, values: {"image": image, **values},
    "with-room": _with_room,
    "namedtuple": lambda image, values: (image, Record(**values)),
    "dataclass": lambda image, values: (image, Annotation(**values)),
    "one-dataclass": lambda image, values: Whole(image, **values),
}
"""Containers of a sample."""

ROOMY = ("tuple", "dict", "with-room")
"""Those that take or have names for weights."""


def detection(scenes: Sequence[Scene], form: str, holder: str) -> list[Any]:
    """Samples of a detection dataset of torchvision."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    tv_tensors = pytest.importorskip("torchvision.tv_tensors", reason="torchvision is not installed")
    samples = []
    for index, scene in enumerate(scenes):
        image = torch.from_numpy(scene.image.transpose(2, 0, 1).copy())
        image = tv_tensors.Image(image) if form == "typed" else image
        samples.append(HOLDERS[holder](image, FORMS[form](told(scene, index))))
    return samples


def read(batch: Any) -> Iterator[tuple[Values, dict[str, Any]]]:
    """Every image of a result, channels last, with what is told of it by name."""
    whole = isinstance(batch, dict) or dataclasses.is_dataclass(batch)
    names = _names(batch) if whole else {}
    images = names.pop("image", None) if whole else batch[0]
    for row, image in enumerate(images):
        values = {name: value[row] for name, value in names.items()} if whole else _names(batch[1][row])
        yield host(image).transpose(1, 2, 0), _unfolded(values)


def _names(record: Any) -> dict[str, Any]:
    return dict(
        record._asdict() if hasattr(record, "_asdict") else record if isinstance(record, dict) else vars(record)
    )


def _unfolded(values: dict[str, Any]) -> dict[str, Any]:
    """Boxes and keypoints that hold what had no name in their record, beside it."""
    for name in ("boxes", "keypoints"):
        held = values.get(name)
        if hasattr(held, "_asdict"):
            values[name], *more = held
            values |= dict(zip(held._fields[1:], more, strict=True))
    return {name: value for name, value in values.items() if value is not None}


def assert_all_told(image: Values, values: Mapping[str, Any], tight: bool = True, whole: bool = True) -> int:
    """Everything that is told of an object belongs to it, and what is seen is told of.

    Args:
        image: ``(H, W, C)``.
        values: What is told of it.
        tight: Whether boxes are the smallest around what is seen.
        whole: Whether everything that is seen is told of.

    Returns:
        The number of objects.
    """
    ids = _plain(values["labels"]).astype(int).reshape(-1)
    # Classes without room for weights get none where all are 1.
    weights = _plain(values["box_weights"]) if "box_weights" in values else np.ones(len(ids))
    own = {"ids": ids, "boxes": _plain(values["boxes"]).reshape(-1, 4), "weights": weights}
    if "masks" in values:
        own["masks"] = _plain(values["masks"])
        assert own["masks"].shape[1:] == image.shape[:2]
    assert_told(image, own, tight=tight, whole=whole)
    np.testing.assert_array_equal(_plain(values["track"]).reshape(-1, 2), np.stack([ids, -ids], axis=1))
    for name in ("area", "iscrowd"):
        assert len(values[name]) == len(ids), name
    if "keypoints" in values:
        _assert_points(image, ids, _plain(values["keypoints"]), values.get("keypoints_visible"))
    return len(ids)


def _assert_points(image: Values, ids: Values, points: Values, visible: Any) -> None:
    """A point inside the picture is marked as seen where a pixel of its object is."""
    assert len(points) == len(ids)
    marks = points[..., 2] == 2 if points.shape[-1] == 3 else _plain(visible).astype(bool)
    for number, own, seen in zip(ids, points, marks, strict=True):
        for (x, y), mark in zip(own[:, :2].tolist(), seen.tolist(), strict=True):
            if 0 <= x < image.shape[1] and 0 <= y < image.shape[0]:
                assert mark == bool(image[int(y), int(x), number] > LEAST), (number, x, y)


def _plain(values: Any) -> Values:
    return host(values) if hasattr(values, "shape") else np.asarray(values if values is not None else [])
