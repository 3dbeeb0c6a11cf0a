"""Albumentations: a BatchCompose with a list of one sample in the place of A.Compose."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from adapting import Peer, keep_for_us, reached
from verdicts import Difference

FILES = ("core", "transforms", "bbox", "keypoint", "targets", "serialization")
MORE = ("augmentations", "crop", "mixing", "mosaic", "pytorch", "text")
"""Files beside those in which pipelines stand in some tests.

All run in the order of their names, as they do at the peer's: some change what later ones get.
"""


def adapt() -> None:
    """Puts a BatchCompose of one sample in the place of A.Compose, wherever tests find it."""
    import albumentations as A
    from albumentations.core import composition

    from mixtransforms.albumentations import BatchCompose

    own = A.Compose
    keep_for_us("albumentations", "A")

    class AlsoTheHosts(type(BatchCompose)):  # type: ignore[misc]
        """The host asks whether something is a Compose: its own ones still are."""

        def __instancecheck__(cls, instance: Any) -> bool:
            return isinstance(instance, own)

    class OneSample(BatchCompose, metaclass=AlsoTheHosts):
        """A pipeline that is given one sample, as the host's, and hands it over as a list of one."""

        def __init__(self, transforms: Any, *args: Any, **options: Any) -> None:
            reached()
            listed = [hosts_own(child) for child in transforms] if isinstance(transforms, (list, tuple)) else transforms
            super().__init__(listed, *args, **options)
            self._given = (transforms, args, options)

        def __call__(self, *args: Any, force_apply: bool = False, **sample: Any) -> Any:
            reached()
            if args:
                return super().__call__(*args, force_apply=force_apply, **sample)
            return row(super().__call__([sample], force_apply=force_apply), sample)

    def hosts_own(transform: Any) -> Any:
        """A pipeline inside another one stays what it is: it is the outermost that users exchange."""
        if type(transform) is OneSample:
            transforms, args, options = transform._given
            return own(transforms, *args, **options)
        if isinstance(transform, A.BaseCompose):
            transform.transforms = [hosts_own(child) for child in transform.transforms]
        return transform

    OneSample._runtime = BatchCompose._runtime | {"_given"}
    A.Compose = composition.Compose = OneSample


def row(value: Any, like: Any) -> Any:
    """The one sample of a batch, in the containers that it was given in."""
    if isinstance(value, Mapping):
        given = like if isinstance(like, Mapping) else {}
        return {name: row(item, given.get(name)) for name, item in value.items()}
    if not isinstance(value, Sequence) and not hasattr(value, "shape"):
        return value
    if isinstance(like, (list, tuple)):
        if isinstance(value, (list, tuple)) and len(value) == len(like) and all(map(collated, value, like)):
            return type(like)(row(*pair) for pair in zip(value, like, strict=True))
        return list(value[0])
    return value[0]


def collated(value: Any, like: Any) -> bool:
    """Whether a member of a sample's list has got the axis of samples: lists are collated by their members."""
    if isinstance(value, (Mapping, list)):
        return isinstance(like, type(value)) and len(value) == len(like)
    return np.ndim(value) == np.ndim(like) + 1 and len(value) == 1


DIFFERENCES = (
    Difference("A mock in the list hands back no sample", "test_compose", "KeyError: 'image'"),
    Difference(
        "Every sample has parameters of its own: BatchCompose.trace shows what was drawn",
        "",
        "'save_applied_params' cannot be honoured",
    ),
    Difference(
        "A pipeline that is skipped would return labels of another form",
        "test_compose_probability",
        "'p' cannot be honoured",
    ),
    Difference(
        "Every sample has parameters of its own, which ReplayCompose has no place for",
        "test_single_transform_compose",
        "A pipeline of batches cannot be recorded",
    ),
    Difference(
        "Draws follow the content of images, of which the dtype is a part",
        r"test_augmentations_match_uint8_float32|test_change_image\[(AdvancedBlur|SquareSymmetry|ChannelShuffle|D4)",
        "AssertionError|assert not True",
    ),
    Difference(
        "Fractions under a format of pixels are refused, and boxes that all lie in the first pixel look alike",
        r"test_very_small_bbox|test_augmentations_for_bboxes_serialization",
        "Boxes that look like fractions of the image",
    ),
    Difference("Files name the class and all of its arguments", "test_serialization_v2_to_dict|excludes_strict"),
    Difference(
        "Errors have types and words of our own",
        "test_bbox_params_is_not_set|test_targets_type_check",
        r"An unknown n|No (image|mask) \(sample 0",
    ),
    Difference(
        "One transform in the place of the list is one stage, and nothing to warn of",
        "test_single_transform_compose",
        "DID NOT WARN",
    ),
    Difference(
        "A word in the place of a list is refused where it is written",
        "test_compose_with_keypoint_noop_error_label_fields",
        "Bad value for 'label_fields'",
    ),
)

PEER = Peer(
    (*(f"tests/test_{name}.py" for name in sorted(FILES + MORE)), "tests/transforms3d"),
    adapt,
    DIFFERENCES,
    needs=("albumentations",),
)
