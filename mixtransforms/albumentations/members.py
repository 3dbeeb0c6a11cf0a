"""What may stand in a pipeline of Albumentations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import albumentations as A

from mixtransforms.albumentations.samples import KIND_OF
from mixtransforms.core.errors import ParameterError
from mixtransforms.mixing.compose import BatchPipeline
from mixtransforms.mixing.host_stages import nested

_CALLED = {"ToImage": "ToTensorV2", "ToTensor": "ToTensorV2", "Pad": "PadIfNeeded", "RandomRotation": "Rotate"}
"""What Albumentations calls transforms of other libraries that have other names there."""


def check_members(transforms: Sequence[Any], where: str) -> None:
    """Refuses what Albumentations cannot run on a sample.

    Args:
        transforms: What the user gave.
        where: Name of the pipeline's class, for errors.

    Raises:
        ParameterError: A transform is of another library, is a class, or is a pipeline of batches.
    """
    for index, transform in enumerate(transforms):
        place = f"{where}, transform {index}"
        if isinstance(transform, type) or not hasattr(transform, "available_keys"):
            raise _foreign(transform, place)
        if any(isinstance(inner, BatchPipeline) for inner in nested(transform)):
            raise ParameterError(
                "A pipeline of batches inside another",
                where=place,
                got=type(transform).__name__,
                wanted="transforms of one sample, and mixing transforms",
                fix="Put its transforms directly into the list, [*inner.transforms, ...], or use A.Compose(...).",
            )


def correct_targets(transforms: Sequence[Any]) -> None:
    """Has transforms name only targets that they have, for which additional ones may be declared.

    Args:
        transforms: The pipeline's. Some of the host's say that they take images and masks, and take volumes alone:
            whatever a pipeline declares beside them then ends in a KeyError.
    """
    for inner in (inner for transform in transforms for inner in nested(transform)):
        if isinstance(inner, A.BasicTransform):
            inner.available_keys.difference_update(KIND_OF.keys() - inner.targets.keys())


def _foreign(transform: Any, place: str) -> ParameterError:
    kind = transform if isinstance(transform, type) else type(transform)
    if kind is transform and issubclass(kind, A.BasicTransform):
        got, fix = f"the class {kind.__name__}", f"Make one, with its parameters: {kind.__name__}(...)."
    else:
        got, fix = f"{kind.__name__} of {kind.__module__}", _replacement(kind.__name__)
    return ParameterError(
        "No transform of Albumentations", where=place, got=got, wanted="an A.BasicTransform or A.Compose", fix=fix
    )


def _replacement(name: str) -> str:
    """What to use instead of a transform of another library."""
    for known in (name, _CALLED.get(name, ""), name.removeprefix("Random")):
        if isinstance(getattr(A, known, None), type):
            return f"Use albumentations.{known}; parameters may differ."
    return "Use one of Albumentations, A.Compose for a list of them, or A.Lambda(image=function) for a function."
