"""A pipeline file of any use, made to run on photos that have a class each, or nothing at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from mixtransforms.cli.photos import Photo
from mixtransforms.files import document
from mixtransforms.files.migrations import each_node
from mixtransforms.files.registry import OWN_PREFIX, host_of
from mixtransforms.mixing.transform import MixTransform
from mixtransforms.targets.names import DEFAULT_NAMES, FIELDS, LABEL

_NEED_OBJECTS = ("torchvision.SanitizeBoundingBoxes", "torchvision.SanitizeKeyPoints", "torchvision.RandomIoUCrop")
"""Steps that fail where there are no boxes or keypoints; without them, pictures come out as before."""


class Adapted(NamedTuple):
    """What is run.

    Attributes:
        pipeline: A BatchCompose of the host, or a neutral mix.
        samples: In the form that it takes.
        remarks: What is otherwise than in the file, in sentences.
    """

    pipeline: Any
    samples: list[Any]
    remarks: tuple[str, ...]


def adapted(pipeline: Any, photos: Sequence[Photo], classes: int) -> Adapted:
    """A pipeline that can be traced, and photos in the form that its host takes.

    A stock Compose of a host, or a single mix, is put into a BatchCompose. torchvision gets ``(image, class id)`` with
    Pillow images, as of ImageFolder; where no transform would turn them into tensors, with tensors. Labels are those of
    the folder: a mix that does not know their number is told it; where there are none, it forgets it.

    Args:
        pipeline: What a file held.
        photos: The photos.
        classes: How many classes they are of; 0 where they have no labels.
    """
    host = host_of(pipeline)
    fitted, left_out = _fitted(pipeline, classes)
    remarks = tuple(f"{name} is left out: photos have no boxes or keypoints." for name in left_out)
    # Without a host nothing converts pictures, so arrays are what a plain mix takes.
    if host == "neutral":
        return Adapted(fitted, [_sample(np.asarray(photo.image), photo.label) for photo in photos], remarks)
    if host == "albumentations":
        return _for_albumentations(fitted, photos, remarks)
    return _for_torchvision(fitted, photos, remarks)


def _fitted(pipeline: Any, classes: int) -> tuple[Any, list[str]]:
    """The pipeline for photos of some classes, and the names of the steps that it does without."""
    data = document.to_dict(pipeline)
    left_out: list[str] = []

    def fitted(node: Mapping[str, Any]) -> Mapping[str, Any]:
        children = node.get("children", [])
        kept = [child for child in children if child["type"] not in _NEED_OBJECTS]
        left_out.extend(child["type"].partition(".")[2] for child in children if child not in kept)
        args = (
            node["args"] | _class_count(node["args"], classes) if node["type"].startswith(OWN_PREFIX) else node["args"]
        )
        return {**node, "args": args, **({"children": kept} if children else {})}

    changed = {**data, "pipeline": each_node(data["pipeline"], fitted)}
    # As it was loaded, where nothing is to be changed: what was set afterwards is in no file.
    return (pipeline if changed == data else document.from_dict(changed)), left_out


def _class_count(args: Mapping[str, Any], classes: int) -> dict[str, Any]:
    """What a mix is told of the number of classes; nothing where it is a method in a choice, or knows it."""
    if "num_classes" not in args:
        return {}
    if not classes:
        return {"num_classes": None}
    return {"num_classes": classes} if args["num_classes"] is None and args["labels"] == "soft" else {}


def _sample(image: Any, label: int | None) -> Any:
    return image if label is None else (image, label)


def _for_torchvision(pipeline: Any, photos: Sequence[Photo], remarks: tuple[str, ...]) -> Adapted:
    from torchvision.transforms import v2
    from torchvision.transforms.v2 import functional

    from mixtransforms.torchvision import BatchCompose

    if not isinstance(pipeline, BatchCompose):
        pipeline = BatchCompose(pipeline.transforms if isinstance(pipeline, v2.Compose) else [pipeline])
    # It expects Pillow images, as ImageFolder gives them, and may have transforms for these before the one that
    # converts.
    form = (lambda image: image) if _converts(pipeline) else functional.to_image
    return Adapted(pipeline, [_sample(form(photo.image), photo.label) for photo in photos], remarks)


def _converts(transform: Any) -> bool:
    """Whether a torchvision transform, or one inside it, turns Pillow images into tensors."""
    # A OneOf of ours has children as well, and none of them converts anything.
    if isinstance(transform, MixTransform):
        return False
    children = getattr(transform, "transforms", ())
    return type(transform).__name__ in ("ToImage", "PILToTensor", "ToTensor") or any(map(_converts, children))


def _for_albumentations(pipeline: Any, photos: Sequence[Photo], remarks: tuple[str, ...]) -> Adapted:
    import albumentations as A

    from mixtransforms.albumentations import BatchCompose

    if not isinstance(pipeline, BatchCompose):
        listed = list(pipeline.transforms) if isinstance(pipeline, A.Compose) else [pipeline]
        pipeline = BatchCompose(listed, **_object_params(pipeline))
    objects = _no_objects(pipeline)
    if objects:
        remarks = (*remarks, "Photos have no boxes or keypoints: the pipeline runs on empty ones.")
    # Beside boxes, the name of the labels may be that of the boxes' own.
    label = next(name for name in _LABEL_NAMES if name not in objects)
    return Adapted(
        pipeline,
        [
            {"image": np.asarray(photo.image), **({} if photo.label is None else {label: photo.label}), **objects}
            for photo in photos
        ],
        remarks,
    )


_LABEL_NAMES = tuple(name for name, kind in DEFAULT_NAMES.items() if kind == LABEL and name not in FIELDS)


_OF_OBJECTS = {"bboxes": ("bbox_params", 4), "keypoints": ("keypoint_params", 2)}
"""Names of objects in samples; the argument that says how they are written, and how many numbers one has at least."""


def _object_params(pipeline: Any) -> dict[str, Any]:
    """How a stock Compose knows of boxes and keypoints."""
    processors = getattr(pipeline, "processors", {})
    return {argument: processors[name].params for name, (argument, _) in _OF_OBJECTS.items() if name in processors}


def _no_objects(pipeline: Any) -> dict[str, Any]:
    """What the pipeline's parameters of boxes and keypoints ask every sample for, without any objects."""
    found: dict[str, Any] = {}
    for name, (_, columns) in _OF_OBJECTS.items():
        processor = pipeline.processors.get(name)
        if processor is not None:
            found |= {name: np.zeros((0, columns), np.float32)}
            found |= {field: [] for field in processor.params.label_fields or ()}
    return found
