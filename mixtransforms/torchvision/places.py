"""Which transforms of torchvision leave every pixel in its place: maps of the images then fit those behind."""

from __future__ import annotations

from typing import Any

from torch import nn
from torchvision.transforms import v2

from mixtransforms.mixing.host_stages import nested
from mixtransforms.torchvision.samples import STILL

_CONTAINERS = (v2.Compose, v2.RandomApply, v2.RandomChoice, v2.RandomOrder)

# The host does not say it of its transforms. Whatever is not named here may move pixels, functions of users included.
_OF_COLOURS = (
    v2.ClampBoundingBoxes,
    v2.ColorJitter,
    v2.ConvertBoundingBoxFormat,
    v2.GaussianBlur,
    v2.GaussianNoise,
    v2.Grayscale,
    v2.JPEG,
    v2.PILToTensor,
    v2.RGB,
    v2.RandomAdjustSharpness,
    v2.RandomAutocontrast,
    v2.RandomChannelPermutation,
    v2.RandomEqualize,
    v2.RandomErasing,
    v2.RandomGrayscale,
    v2.RandomInvert,
    v2.RandomPhotometricDistort,
    v2.RandomPosterize,
    v2.RandomSolarize,
    v2.SanitizeBoundingBoxes,
)

_KEEPING = frozenset((*STILL, *_CONTAINERS, *_OF_COLOURS))


def keeps_places(transform: Any) -> bool:
    """Whether a transform, or all in a container, leave every pixel in its place."""
    return all(
        isinstance(inner, (list, tuple, nn.ModuleList)) or type(inner) in _KEEPING for inner in nested(transform)
    )
