"""What a call is given: a batch by keywords or as one dict, or a list of samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from albumentations.core.utils import DataProcessor
from numpy.typing import NDArray

from mixtransforms.albumentations.samples import MASKS
from mixtransforms.batch.inventory import Finder
from mixtransforms.containers.structure import is_samples
from mixtransforms.containers.tree import describe, is_flat, is_picture, is_picture_type, spell
from mixtransforms.core.backends import backend_of, backend_of_type
from mixtransforms.core.errors import InputError
from mixtransforms.targets.names import MASK

POSITIONAL = "You have to pass data to augmentations as named arguments, for example: aug(images=images, labels=labels)"

_ONE = (("image", 3), ("volume", 4))
"""Names that Albumentations has for one image and one volume, and the axes that these have at most."""

_SINGLE = frozenset({"image", "mask"})
"""What a strict pipeline of Albumentations takes as arrays alone, under whatever name."""


def gathered(args: tuple[Any, ...], data: dict[str, Any], finder: Finder) -> Any:
    """The batch of a call as a dict, or the list of its samples; PIL images as arrays.

    Args:
        args: What was passed by position.
        data: What was passed by keyword.
        finder: Knows what values are called.

    Raises:
        KeyError: Something was passed by position that is neither a dict nor a list of samples.
        InputError: There is one image instead of a batch, or no sample at all.
    """
    if args and (data or len(args) > 1):
        raise KeyError(POSITIONAL)
    if not args or isinstance(args[0], Mapping):
        batch = dict(args[0]) if args else data
        _refuse_one_image(batch)
        return _without_pictures(batch, finder)
    given = args[0]
    if type(given) in (list, tuple) and not given:
        raise InputError(
            "No samples",
            where="batch",
            got=f"an empty {type(given).__name__}",
            wanted='samples such as {"image": image, "label": 3}',
            fix="Pass one at least, and leave out batches that are empty.",
        )
    if not is_samples(given):
        raise KeyError(POSITIONAL)
    if any(isinstance(sample, Mapping) for sample in given):
        return [_without_pictures(one, finder) if isinstance(one, Mapping) else one for one in given]
    return given


def check_samples(samples: Sequence[Any], processors: Mapping[str, DataProcessor]) -> None:
    """Refuses samples that are no samples of Albumentations.

    Args:
        samples: What the dataset has returned.
        processors: The host's, of boxes and of keypoints, by the name of these.

    Raises:
        InputError: A sample has no names, no image under its name, or lacks a label field.
    """
    if not all(isinstance(sample, Mapping) for sample in samples):
        raise _nameless(samples)
    kinds: set[Any] = {type(sample["image"]) for sample in samples if "image" in sample}
    for kind in kinds:
        if backend_of_type(kind) is None:
            raise _no_image(samples, kind)
    for name, processor in processors.items():
        fields = set(processor.params.label_fields or ())
        for index, sample in enumerate(samples if fields else ()):
            if name in sample and not fields.issubset(sample):
                raise _no_field(f"sample {index}", name, sorted(fields.difference(sample)))


def check_arrays(sample: Mapping[str, Any], where: str, more: Mapping[str, str]) -> None:
    """Refuses what is no array under the names of images and masks, as a strict pipeline of the host does.

    Args:
        sample: A sample.
        where: Which one, for the error.
        more: The pipeline's additional targets.

    Raises:
        InputError: There is none.
    """
    for name, value in sample.items():
        kind = more.get(name, name)
        if kind in _SINGLE and backend_of(value) is None:
            raise InputError(
                f"No {kind}",
                where=f"{where}, {spell((name,))}",
                got=f"{describe(value)}, with strict=True",
                wanted="an array",
                fix="Leave the name out where there is none, or use strict=False.",
            )


def check_points(data: Any, processor: DataProcessor, columns: str) -> None:
    """Refuses points outside of their image, where a pipeline is to remove these and begins with a mix.

    The host refuses them before its first transform. A mix leaves a sample's own points that it does not cover alone.

    Args:
        data: Samples, or a batch by name.
        processor: The host's, of keypoints.
        columns: What the numbers of a point are, a letter each.

    Raises:
        InputError: A point is outside.
    """
    yx = [columns.index(letter) for letter in "yx"]
    for name in processor.data_fields:
        if isinstance(data, Mapping):
            rows: Any = zip(data.get("image", data.get("images", ())), data.get(name, ()), strict=False)
        else:
            rows = ((sample.get("image"), sample.get(name)) for sample in data)
        for index, (image, points) in enumerate(rows):
            if getattr(image, "ndim", 4) > 3 or not (backend_of(points) or is_flat(points)):
                continue  # another error's affair, or films and volumes
            size = np.array(image.shape[:2] if isinstance(image, np.ndarray) else image.shape[-2:])
            points = np.asarray(points, np.float64)
            at = points[:, yx] if points.ndim == 2 and len(points) else np.zeros((0, 2))
            outside = ~((at >= 0) & (at < size)).all(axis=1)
            if outside.any():
                raise _outside(f"sample {index}, {spell((name,))}", at[outside][0], size)


def _outside(where: str, point: NDArray[np.float64], size: NDArray[np.int64]) -> InputError:
    (y, x), (height, width) = point, size
    return InputError(
        "A point outside of the image",
        where=where,
        got=f"x={x:g}, y={y:g} in an image of {width} x {height} pixels, with remove_invisible=True",
        wanted="points that the image shows",
        fix="Leave it out, or keep such points with remove_invisible=False of keypoint_params.",
    )


def refuse_layers(samples: Any, finder: Finder, more: Mapping[str, str]) -> None:
    """Refuses ``masks`` of a sample that are no masks of objects: no mix knows them by the axis they are stacked along.

    Args:
        samples: What is mixed next; anything but a list of samples passes.
        finder: Knows what values are called.
        more: The pipeline's additional targets.
    """
    first = samples[0] if type(samples) is list and samples and isinstance(samples[0], Mapping) else {}
    if "image" not in first:
        return
    known = {path[0]: kind for path, kind in finder.sample_parts(first).kinds.items()}  # lists by their members
    names = [MASKS] if MASKS not in finder.kinds else []
    for name in (*names, *(name for name, like in more.items() if like == MASKS)):
        masks: Any = first.get(name)
        several = getattr(masks, "ndim", 3 if type(masks) in (list, tuple) and masks else 0) >= 3
        if several and known.get(name) == MASK:
            raise _layers(name, len(masks))


def _layers(name: str, count: int) -> InputError:
    return InputError(
        "Several masks of one sample",
        where=f"sample 0, {spell((name,))}",
        got=f"{count} masks",
        wanted="a mask, (H, W) or (H, W, K), or one of every box",
        fix="Join them along the last axis, as mask=numpy.dstack(masks) or what additional_targets says is like it, or "
        f"say that each is an object's with kinds={{{name!r}: 'instances'}} of the mix.",
    )


def _nameless(samples: Sequence[Any]) -> InputError:
    index = next(index for index, sample in enumerate(samples) if not isinstance(sample, Mapping))
    return InputError(
        "A sample without names",
        where=f"sample {index}",
        got=type(samples[index]).__name__,
        wanted='a dict such as {"image": image, "label": 3}',
        fix="Return dicts from the dataset, as Albumentations itself does.",
    )


def _no_image(samples: Sequence[Any], kind: type) -> InputError:
    index = next(index for index, sample in enumerate(samples) if type(sample.get("image")) is kind)
    return InputError(
        "No image",
        where=f"sample {index}, {spell(('image',))}",
        got=describe(samples[index]["image"]),
        wanted="an array (H, W, C)",
        fix="Open it, for example with cv2.imread or PIL.Image.open; leave out samples that have none.",
    )


def _no_field(where: str, name: str, missing: Sequence[str]) -> InputError:
    params = "bbox_params" if name == "bboxes" else "keypoint_params"
    return InputError(
        "Label fields are missing",
        where=where,
        got=f"{name} without " + ", ".join(missing),
        wanted=f"every name in label_fields of {params}",
        fix=f"Give every sample that has {name} these as well, or leave them out of label_fields.",
    )


def _without_pictures(values: Any, finder: Finder) -> Any:
    """A batch or a sample with arrays in the place of PIL images."""
    kinds: set[Any] = {type(one[0]) if type(one) in (list, tuple) and one else type(one) for one in values.values()}
    if not any(map(is_picture_type, kinds)):
        return values
    return {name: _as_array(name, value, finder) for name, value in values.items()}


def _as_array(name: str, value: Any, finder: Finder) -> Any:
    if type(value) in (list, tuple):
        return type(value)([_as_array(name, item, finder) for item in value])
    if not is_picture(value):
        return value
    kind = finder.named_kind({}, (name,), None)
    if value.mode == "P" and getattr(kind, "name", kind) != MASK and name not in finder.metadata:
        raise InputError(
            "Places in a palette",
            where=spell((name,)),
            got="a picture of mode 'P', whose numbers are no colours",
            wanted="colours or gray values",
            fix="Convert it with image.convert('RGB').",
        )
    return np.array(value)


def _refuse_one_image(data: Mapping[str, Any]) -> None:
    for name, rank in _ONE:
        image: Any = data.get(name)
        if getattr(image, "ndim", rank + 1) > rank and not is_picture(image):
            continue
        raise InputError(
            f"One {name}",
            where=f"{name}=",
            got=f"shape {tuple(image.shape)}" if hasattr(image, "shape") else type(image).__name__,
            wanted="a batch, images= of shape (B, H, W, C)",
            fix="Mixing needs several samples: call it on a batch, or put it into a BatchCompose that gets a list "
            "of samples.",
        )
