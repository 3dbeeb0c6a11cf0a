"""The kinds of targets, and the names by which values are known where nothing is declared."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any

from mixtransforms.containers.tree import Name, Path, is_typed_type

IMAGE, LABEL, MULTILABEL, REGRESSION = "image", "label", "multilabel", "regression"
MASK, TABLE, PADDING, LENGTHS = "mask", "table", "padding", "lengths"
BOXES, INSTANCES, KEYPOINTS = "boxes", "instances", "keypoints"

KINDS = (IMAGE, LABEL, MULTILABEL, REGRESSION, MASK, BOXES, KEYPOINTS, INSTANCES, TABLE, PADDING, LENGTHS)
"""The kinds of targets that are mixed."""

OF_WHOLE_IMAGES = frozenset({LABEL, MULTILABEL, REGRESSION})
"""Kinds that have one value, or one row, for a whole image."""

OF_OBJECTS = frozenset({BOXES, INSTANCES, KEYPOINTS})
"""Kinds that have any number of values for a sample."""

# What the hosts, Hugging Face, Lightning and papers call them. A name that means different things to different people
# (`weight`, `id`, `meta`, `text`) is left out: it has to be declared, since a wrong guess would be silent.
DEFAULT_NAMES: Mapping[str, str] = {
    **dict.fromkeys("image images img imgs pixel_values video volume volumes audio waveform inputs x".split(), IMAGE),
    **dict.fromkeys("label labels target targets class classes y".split(), LABEL),
    **dict.fromkeys("mask masks mask3d masks3d segmentation".split(), MASK),
    **dict.fromkeys("sample_weight sample_weights".split(), REGRESSION),
    **dict.fromkeys("boxes bboxes".split(), BOXES),
    "keypoints": KEYPOINTS,
    "instance_masks": INSTANCES,
    **dict.fromkeys("attention_mask pixel_mask".split(), PADDING),
    "lengths": LENGTHS,
}
"""Names, in lower case, that say what a value is."""

# Closed on purpose: what happens to have as many rows as there are boxes is no field of theirs. More of them are
# declared, BoxRules(fields=...).
FIELDS = frozenset(
    "labels class_labels category_id category_ids area areas iscrowd scores ids "
    "box_weights instance_weights keypoint_weights keypoints_visible".split()
)
"""Names, in lower case, of what is told of every object, where they stand beside boxes, instances or keypoints."""

OF_NO_CLASS = FIELDS - {"labels", "class_labels", "category_id", "category_ids"}
"""Those that do not say what class an object is of."""

# Beside boxes they say what every box is; elsewhere, and with one value a sample, what the sample is.
OF_EITHER = frozenset(
    "class class_id class_ids class_name class_names classes cls category categories category_name category_names "
    "label label_id label_ids target targets y".split()
)
"""Names, in lower case, of labels that are each box's where they have a row for every box."""

# COCO and torchvision put these beside boxes; with two boxes an `orig_size` of two numbers looks like a field.
OF_SAMPLES = frozenset({"image_id", "image_ids", "orig_size", "size"})
"""Names, in lower case, of what belongs to the sample itself and stays with it."""

# By the name of the class: this room must not import torchvision to ask.
_TV_KINDS = {"Image": IMAGE, "Video": IMAGE, "Mask": MASK, "BoundingBoxes": BOXES, "KeyPoints": KEYPOINTS}
"""Kinds of tensors that say it by their type."""


def typed_kind(node: Any) -> str | None:
    """The kind that a tensor says by its type, also in a list."""
    # One look is enough: a list of unlike types is refused later, with its place.
    first = node[0] if type(node) in (list, tuple) and node else node
    kind: Any = type(first)
    return _kind_of_type(kind)


@functools.lru_cache(maxsize=1024)  # asked for every value of every sample
def _kind_of_type(kind: type) -> str | None:
    return _TV_KINDS.get(kind.__name__) if is_typed_type(kind) else None


def spellings(path: Path) -> Iterator[Name]:
    """How a path may be declared: dotted from the root, by its last name, or by a name on its way."""
    if path:
        # From the most to the least specific, and the first that is declared wins.
        yield ".".join(map(str, path))
        yield from reversed(path)


def has_name(path: Path) -> bool:
    """Whether there is a name on the way; positions are none."""
    return any(isinstance(step, str) for step in path)


def is_of_sample(path: Path) -> bool:
    """Whether a value belongs to the sample itself and stays with it."""
    name = next((step for step in reversed(path) if isinstance(step, str)), "")
    return name.lower() in OF_SAMPLES
