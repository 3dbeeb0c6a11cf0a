"""What the host's parameters say of the values of a batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import albumentations as A
import numpy as np

from mixtransforms.albumentations.samples import HOST_NAMES, KIND_OF
from mixtransforms.batch.inventory import Finder
from mixtransforms.core.errors import ParameterError
from mixtransforms.mixing.host_stages import nested
from mixtransforms.mixing.pipeline import finder_of
from mixtransforms.objects.boxes import BoxRules, LimitedBoxRules, Limits
from mixtransforms.objects.keypoints import Keypoints
from mixtransforms.targets.names import DEFAULT_NAMES, IMAGE, MASK, OF_OBJECTS

_FORMATS = {
    "bbox_params": ("coco", "pascal_voc", "albumentations", "yolo"),
    "keypoint_params": ("xy", "yx", "xya", "xys", "xyas", "xysa", "xyz", "albumentations"),
}
"""Forms that the host knows."""

_COLUMNS = {"albumentations": "xyzas"}
"""Forms of keypoints whose name does not say what their numbers are."""

_MASKS = ("mask", "masks", "segmentation")
"""Names of masks where nothing is declared."""


def finder_of_host(
    transforms: Sequence[Any], bbox_params: Any, keypoint_params: Any, additional_targets: Mapping[str, str]
) -> Finder:
    """Knows what a pipeline of the host and its mixes call the values of a batch.

    Args:
        transforms: The pipeline's.
        bbox_params: As for ``A.Compose``.
        keypoint_params: As for ``A.Compose``.
        additional_targets: As for ``A.Compose``.

    Raises:
        ParameterError: Label fields are no list of names.
    """
    kinds, further = told_kinds(additional_targets)
    rules = _rules(bbox_params), _points(keypoint_params)
    return finder_of(transforms, *rules, kinds=kinds, metadata=_metadata(transforms), further=further)


def told_kinds(additional_targets: Mapping[str, str]) -> tuple[dict[str | int, Any], tuple[tuple[str, str], ...]]:
    """Kinds of additional targets that are one array, and of those that are further sets of objects."""
    kinds = {name: KIND_OF[like] for name, like in additional_targets.items() if like in KIND_OF}
    arrays: dict[str | int, Any] = {name: kind for name, kind in kinds.items() if kind not in OF_OBJECTS}
    return arrays, tuple((name, kind) for name, kind in kinds.items() if kind in OF_OBJECTS)


def more_targets(finder: Finder) -> dict[str, str]:
    """Images and masks that the host has no name for: declared ones, and what a mix puts beside masks."""
    declared = {name: kind for name, kind in finder.kinds.items() if isinstance(name, str)}
    named = {name: getattr(kind, "name", kind) for name, kind in declared.items()}
    known = {**dict.fromkeys(_MASKS, MASK), **{name: kind for name, kind in named.items() if kind in (IMAGE, MASK)}}
    partners = {f"{name}_partner": MASK for name, kind in known.items() if kind == MASK}
    return {name: kind for name, kind in {**known, **partners}.items() if name not in HOST_NAMES}


def _metadata(transforms: Sequence[Any]) -> frozenset[str]:
    """Names of what transforms read beside a sample: what has a name of its own is part of the sample."""
    own = {*DEFAULT_NAMES, *HOST_NAMES}
    reading = [inner for transform in transforms for inner in nested(transform) if isinstance(inner, A.BasicTransform)]
    return frozenset(name for inner in reading for name in inner.targets_as_params if name not in own)


def _rules(bbox_params: Any) -> BoxRules:
    """What the host's parameters say of boxes."""
    if not bbox_params:
        return BoxRules()
    params = A.BboxParams(**bbox_params) if isinstance(bbox_params, Mapping) else bbox_params
    limits = Limits(
        params.min_visibility,
        params.min_width,
        params.min_height,
        params.min_area,
        np.inf if params.max_accept_ratio is None else params.max_accept_ratio,
        params.clip,
        params.filter_invalid_bboxes,
    )
    fields = _fields(params, "bbox_params")
    with _format_of("bbox_params", params.format):
        return LimitedBoxRules(format=params.format, fields=fields, limits=limits)


def _points(keypoint_params: Any) -> Keypoints:
    """What the host's parameters say of keypoints."""
    if not keypoint_params:
        return Keypoints()
    params = A.KeypointParams(**keypoint_params) if isinstance(keypoint_params, Mapping) else keypoint_params
    occluded = None if params.remove_invisible else "hide"
    fields = _fields(params, "keypoint_params")
    with _format_of("keypoint_params", params.format):
        return Keypoints(_COLUMNS.get(params.format, params.format), occluded, 1, fields)


@contextmanager
def _format_of(where: str, written: Any) -> Iterator[None]:
    """Names a bad format by the host's words."""
    try:
        yield
    except ParameterError:
        raise ParameterError(
            "Bad value for 'format'",
            where=where,
            got=repr(written),
            wanted="one of " + ", ".join(map(repr, _FORMATS[where])),
            fix="Give them in one of these forms.",
        ) from None


def _fields(params: Any, where: str) -> tuple[str, ...]:
    if isinstance(params.label_fields, str):  # the host would look for fields of one letter each
        raise ParameterError(
            "Bad value for 'label_fields'",
            where=where,
            got=repr(params.label_fields),
            wanted="a list of names",
            fix=f"Write label_fields=[{params.label_fields!r}].",
        )
    return tuple(params.label_fields or ())
