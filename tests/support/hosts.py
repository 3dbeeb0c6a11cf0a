"""What the installed hosts themselves can do: tests ask them, rather than compare the numbers of releases."""

from functools import cache
from typing import Any

import numpy as np


@cache
def opencv_takes_booleans() -> bool:
    """Whether OpenCV, by which Albumentations flips and counts, takes boolean masks."""
    import cv2

    try:
        cv2.flip(np.ones((2, 2), bool), 1)
    except cv2.error:
        return False
    return True


@cache
def torchvision_mode(word: str) -> Any:
    """A mode of interpolation by its word, where torchvision takes words, else as the member of its enum."""
    from torchvision.transforms import v2

    try:
        v2.TrivialAugmentWide(interpolation=word)
    except ValueError:
        return v2.InterpolationMode(word)
    return word


@cache
def torchvision_bends_outside() -> bool:
    """Whether ``ElasticTransform`` takes boxes that leave the image, rather than fail with an index error."""
    import torch
    from torchvision import tv_tensors
    from torchvision.transforms.v2 import functional

    boxes = tv_tensors.BoundingBoxes(torch.tensor([[2.0, 2.0, 12.0, 6.0]]), format="XYXY", canvas_size=(8, 8))
    try:
        functional.elastic(boxes, torch.zeros(1, 8, 8, 2))
    except IndexError:
        return False
    return True


@cache
def torch_compiles_typed(backend: str) -> bool:
    """Whether a backend of ``torch.compile`` takes arithmetic on tensors of torchvision's types."""
    import torch
    from torchvision import tv_tensors

    try:
        torch.compile(lambda image: image * 2, fullgraph=True, backend=backend)(tv_tensors.Image(torch.ones(1, 2, 2)))
    except TypeError:
        return False
    return True
