"""What Albumentations writes of transforms, as their constructors read it."""

from __future__ import annotations

import inspect
from typing import Any

import albumentations as A

from mixtransforms.mixing.transform import MixTransform


def leave_out_refused(transform: Any, written: dict[str, Any]) -> None:
    """Takes out of a transform's file what its constructor refuses, there and in all transforms inside it.

    The host writes all that the classes take which a transform derives from; what the transform itself does not take
    says nothing, costs a warning where the file is read, and an error where a pipeline is strict.

    Args:
        transform: One of the host's.
        written: What the host has written of it.
    """
    for child, part in zip(getattr(transform, "transforms", ()), written.get("transforms", ()), strict=False):
        leave_out_refused(child, part)
    if not isinstance(transform, A.BasicTransform) or isinstance(transform, MixTransform):
        return
    taken = inspect.signature(type(transform).__init__).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in taken.values()):
        return
    for name in {*transform.get_transform_init_args_names()} - taken.keys() - {"p"}:
        written.pop(name, None)
