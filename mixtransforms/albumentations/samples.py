"""One sample on its way through a pipeline of Albumentations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import albumentations as A
import numpy as np
from numpy.typing import NDArray

from mixtransforms.batch.inventory import Finder, SampleParts
from mixtransforms.containers.tree import spell
from mixtransforms.core.errors import InputError
from mixtransforms.objects.assemble import take_rows
from mixtransforms.objects.groups import Group
from mixtransforms.targets.names import IMAGE, MASK

MASKS = "masks"
"""What the host calls the masks of objects."""

HOST_NAMES = frozenset({"image", "images", "mask", "masks", "volume", "volumes", "mask3d", "masks3d"})
"""Names of images and masks that the host has itself."""

BOX_INDEX, KEYPOINT_INDEX = "_box_index", "_keypoint_index"
"""Label fields by which the host says which boxes and keypoints it has kept."""


def transformed(
    sample: Mapping[str, Any], inner: A.Compose, finder: Finder, groups: Sequence[Group] | None = None
) -> dict[str, Any]:
    """Runs a pipeline of the host on one sample; what is told of an object stays with it, or leaves with it.

    The host removes the labels of boxes that it drops, and nothing else; and it makes floats of them. It gets them
    all the same, for transforms that read them.

    Args:
        sample: One sample.
        inner: The host's pipeline, whose boxes and keypoints have an index among their labels.
        finder: Knows what the sample's values are.
        groups: Where it tells of objects; ``None`` has it looked up.
    """
    parts = finder.sample_parts(sample)
    found = parts.groups if groups is None else groups
    _check_known(parts, found, inner)
    followed = _followed([group for group in found if group.boxes or group.single], inner)
    masks = next((str(group.instances[-1]) for group in found if group.instances), None)
    host = {MASKS if name == masks else name: value for name, value in sample.items()}
    if masks is not None:
        host[MASKS] = _some(np.asarray(sample[masks]), sample)
    for name in _indices(inner):  # the host wants its label fields even where there are no boxes
        host[name] = np.arange(len(sample[str(followed[name].anchor[-1])]) if name in followed else 0)
    result = dict(inner(**host))
    if masks is not None:
        result[masks] = result.pop(MASKS)[: len(sample[masks])]
    for name in _indices(inner):
        kept = np.asarray(result.pop(name, ()), np.int64).reshape(-1)
        if name in followed:
            result |= _kept(followed[name], kept, sample, result)
    return {name: result[name] for name in (*sample, *(set(result) - set(sample)))}


def _check_known(parts: SampleParts, groups: Sequence[Group], inner: A.Compose) -> None:
    """Raises where the host would move the image, and leave behind what it has no name for."""
    if not any(_moves(transform) for transform in inner.transforms):
        return
    handled = HOST_NAMES | set(inner._additional_targets) | set(inner.processors)
    dense = [path for path, kind in parts.kinds.items() if kind in (IMAGE, MASK)]
    placed = [path for group in groups for path in (group.boxes, group.keypoints) if path]
    joined = [group.keypoints for group in groups if group.keypoints and not group.single]
    for path in [*dense, *placed]:
        if len(path) != 1 or path[0] not in handled or path in joined:
            raise InputError(
                "A value that Albumentations would leave behind",
                where=spell(path),
                got="no name that it knows in this pipeline",
                wanted="image, mask, masks, bboxes with bbox_params, or keypoints (P, 2) with keypoint_params",
                fix="Rename it, say what it is with additional_targets, or give bbox_params or keypoint_params.",
            )


def _moves(transform: Any) -> bool:
    """Whether a transform, or one inside it, may change more than the values of pixels."""
    inside = getattr(transform, "transforms", None)
    if inside:
        return any(_moves(child) for child in inside)
    return not isinstance(transform, (A.ImageOnlyTransform, A.ToTensorV2, A.NoOp))


def _some(masks: NDArray[Any], sample: Mapping[str, Any]) -> NDArray[Any]:
    """Masks of objects, and an empty one where there are no objects: the host cannot stack none."""
    return masks if len(masks) else np.zeros((1, *sample["image"].shape[:2]), masks.dtype)


def _kept(group: Group, kept: NDArray[np.int64], before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """What is told of the objects that the host has kept; it has filtered boxes and keypoints alone."""
    told = {}
    for path in group.members:
        name = str(path[-1])
        if path != group.anchor:
            told[name] = take_rows((after if path == group.instances else before)[name], kept)
    return told


def _followed(groups: list[Group], inner: A.Compose) -> dict[str, Group]:
    """The groups that the host's processors follow, by the label field of their index."""
    named = {BOX_INDEX if group.boxes else KEYPOINT_INDEX: group for group in groups}
    return {name: group for name, group in named.items() if name in _indices(inner)}


def _indices(inner: A.Compose) -> list[str]:
    """The label fields of indices that the host's processors know."""
    fields = {"bboxes": BOX_INDEX, "keypoints": KEYPOINT_INDEX}
    return [field for name, field in fields.items() if name in inner.processors]
