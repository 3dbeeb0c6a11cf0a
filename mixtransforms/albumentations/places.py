"""Which transforms of Albumentations leave every pixel in its place: maps of the images then fit those behind."""

from __future__ import annotations

from typing import Any

import albumentations as A

from mixtransforms.mixing.host_stages import nested

# Transforms of the image alone would leave its masks and boxes wrong if they moved anything.
_KEEPING = (A.ImageOnlyTransform, A.BaseCompose, A.ToTensorV2, A.ToTensor3D)


def keeps_places(transform: Any) -> bool:
    """Whether a transform, or all in a container, leave every pixel in its place."""
    return all(
        isinstance(inner, (list, tuple, *_KEEPING)) or type(inner) is A.NoOp  # A.Lambda is one as well, of functions
        for inner in nested(transform)
    )
