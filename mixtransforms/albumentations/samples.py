"""One sample on its way through a pipeline of Albumentations."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import albumentations as A
import numpy as np
from numpy.typing import NDArray

from mixtransforms.albumentations.processors import Follower, Told
from mixtransforms.albumentations.wide import WIDE, narrowed, widened
from mixtransforms.batch.collate import stack
from mixtransforms.batch.inventory import Finder, SampleParts
from mixtransforms.containers.tree import Path, spell
from mixtransforms.core.backends import backend_of
from mixtransforms.core.errors import InputError
from mixtransforms.kernels import kernel_of
from mixtransforms.objects.assemble import take_rows
from mixtransforms.objects.groups import Group
from mixtransforms.targets.names import BOXES, IMAGE, KEYPOINTS, MASK

MASKS = "masks"
"""What the host calls the masks of objects."""

HOST_NAMES = frozenset({"image", "images", "mask", "masks", "volume", "volumes", "mask3d", "masks3d"})
"""Names of images and masks that the host has itself."""

KIND_OF: Mapping[str, str] = {
    **dict.fromkeys(HOST_NAMES, IMAGE),
    **dict.fromkeys(("mask", "masks", "mask3d", "masks3d"), MASK),
    "bboxes": BOXES,
    "keypoints": KEYPOINTS,
}
"""Kinds of the host's names, by which it says what additional targets are like."""

FRAMES = frozenset({"images", "masks", "volumes", "masks3d"})
"""Names under which the host has several images or masks of one sample, in a list or an array."""


def transformed(sample: Mapping[str, Any], inner: A.Compose, groups: Sequence[Group]) -> dict[str, Any]:
    """Runs a pipeline of the host on one sample; what is told of an object stays with it, or leaves with it.

    The host removes the labels of boxes that it drops, and nothing else; and it makes floats of them. It gets them
    all the same, for transforms that read them.

    Args:
        sample: One sample, of which nothing is left behind, see :func:`check_known`.
        inner: The host's pipeline, whose processors follow boxes and keypoints.
        groups: Where it tells of objects.
    """
    host, masks = _as_of_host(sample, groups, inner)
    for processor in inner.processors.values():
        processor.begin()
    wide = {}
    for name, value in host.items():  # OpenCV cuts the dtype that labels of pixels usually have
        if getattr(value, "dtype", None) in WIDE and (name in HOST_NAMES or name in inner._additional_targets):
            host[name], wide[name] = narrowed(value)
    result = dict(inner(**host))
    for name, before in wide.items():
        result[name] = widened(result[name], before)
    if masks is not None:
        result[masks] = result.pop(MASKS)[: len(sample[masks])]
    for group in groups:
        follower = inner.processors.get("bboxes" if group.boxes else "keypoints")
        if follower is not None and str(group.anchor[-1]) in follower.kept:
            result |= _kept(group, follower, sample, result)
    return {name: result[name] for name in (*sample, *(set(result) - set(sample)))}


def _as_of_host(
    sample: Mapping[str, Any], groups: Sequence[Group], inner: A.Compose
) -> tuple[dict[str, Any], str | None]:
    """The sample as the host takes it, and what the masks of its objects are called."""
    masks = next((str(group.instances[-1]) for group in groups if group.instances), None)
    host = {MASKS if name == masks else name: value for name, value in sample.items()}
    if masks is not None:
        host[MASKS] = _some(np.asarray(sample[masks]), sample)
    for name, value in host.items():
        if type(value) in (list, tuple) and value and inner._additional_targets.get(name, name) in FRAMES:
            host[name] = stack(value, (name,))
    return host, masks


def check_known(parts: SampleParts, groups: Sequence[Group], inner: A.Compose, finder: Finder) -> None:
    """Refuses samples of which the host would move the image, and leave behind what it has no name for.

    Args:
        parts: What such a sample has where.
        groups: Where it tells of objects.
        inner: The host's pipeline.
        finder: Knows what values are called.

    Raises:
        InputError: Names what would be left behind.
    """
    if not any(_moves(transform) for transform in inner.transforms):
        return
    named = HOST_NAMES | set(inner._additional_targets)
    followed = frozenset(name for processor in inner.processors.values() for name in processor.data_fields)
    places = [(path, named) for path, kind in parts.kinds.items() if kind in (IMAGE, MASK)]
    places += [(path, followed) for group in groups for path in (group.boxes, group.keypoints) if path]
    joined = [group.keypoints for group in groups if group.keypoints and not group.single]
    for path, handled in places:
        known = inner._additional_targets.get(path[0], path[0]) in FRAMES or (len(path) == 1 and path[0] in handled)
        if (not known or path in joined) and path[0] not in finder.metadata:
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


def _kept(group: Group, follower: Follower, before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """What is told of the objects that the host has kept, or brought; it has filtered boxes and keypoints alone."""
    anchor = str(group.anchor[-1])
    kept, (_, *others) = follower.kept[anchor], follower.told[anchor]
    others = [told for told in others if told.rows]
    result = {anchor: _as_came(after[anchor], before[anchor])}
    for path in group.members:
        name = str(path[-1])
        if path == group.anchor:
            continue
        own = (after if path == group.instances else before)[name]
        result[name] = take_rows(_extended(path, own, others) if others else own, kept)
    return result


def _as_came(rows: Any, before: Any) -> Any:
    """Boxes or keypoints in the container they came in: the host remembers that of what it has read last."""
    if isinstance(before, np.ndarray):
        return np.asarray(rows)
    return rows.tolist() if isinstance(rows, np.ndarray) and type(before) in (list, tuple) else rows


def _extended(path: Path, own: Any, others: Sequence[Told]) -> Any:
    """What is told of a sample's own objects, and of those that transforms have brought."""
    name = str(path[-1])
    if name.endswith("_weights"):  # an earlier mix has weighted the others alone
        more: list[Any] = [np.ones(told.rows, np.float32) for told in others]
    elif all(name in told.labels for told in others):
        more = [told.labels[name] for told in others]
    else:
        raise InputError(
            "Objects of which too little is told",
            where=spell(path),
            got="objects that a transform has taken from its metadata",
            wanted="what is told of those of the sample",
            fix=f"Give {name!r} there as well, and name it in label_fields of bbox_params or keypoint_params.",
        )
    backend = backend_of(own)
    if backend is None:
        return type(own)([*own, *itertools.chain.from_iterable(more)])
    kernel = kernel_of(backend)
    return kernel.concat(own, *[kernel.asarray_like(np.asarray(values), own) for values in more])
