"""A default device of torch changes no draw: what a seed decides is drawn and indexed on the host.

``meta`` stands for every device: it has no values, so whoever reads one of it fails.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
v2 = pytest.importorskip("torchvision.transforms.v2", reason="torchvision is not installed")
A = pytest.importorskip("albumentations", reason="albumentations is not installed")

import mixtransforms
from mixtransforms import albumentations as al
from mixtransforms import torchvision as tv

SIZE, CLASSES = 4, 4
PHOTOS = np.random.default_rng(0).integers(0, 256, (SIZE, 32, 32, 3), np.uint8)
IMAGES, LABELS = torch.from_numpy(PHOTOS).movedim(-1, 1), torch.arange(SIZE)
BOXES = [[1.0, 1, 20, 20], [3, 3, 9, 9]]


def boxed(listed: bool) -> list[Any]:
    boxes, labels = (BOXES, [1, 2]) if listed else (torch.tensor(BOXES), torch.tensor([1, 2]))
    return [{"image": image, "boxes": boxes, "labels": labels} for image in IMAGES]


def composed() -> Any:
    stages = [v2.RandomHorizontalFlip(), v2.RandomCrop(16), v2.ColorJitter(0.3, 0.3)]
    return tv.BatchCompose([*stages, tv.CutMix(num_classes=CLASSES), v2.RandomVerticalFlip()], seed=0)


def with_objects() -> Any:
    return tv.BatchCompose([v2.RandomHorizontalFlip(), v2.SanitizeBoundingBoxes(), tv.CutMix(), v2.RandomVerticalFlip()], seed=0)  # fmt: skip


def of_albumentations() -> Any:
    return al.BatchCompose([A.HorizontalFlip(), A.ToTensorV2(), al.MixUp(num_classes=CLASSES)], seed=0)


CALLS: dict[str, tuple[Callable[[], Any], tuple[Any, ...]]] = {
    "mix": (lambda: tv.MixUp(num_classes=CLASSES, seed=1), (IMAGES, LABELS)),
    "mix without a seed": (lambda: tv.MixUp(num_classes=CLASSES), (IMAGES, LABELS)),
    "neutral": (lambda: mixtransforms.CutMix(num_classes=CLASSES, seed=1), (IMAGES, LABELS)),
    "ready batch": (composed, (IMAGES, LABELS)),
    "samples": (composed, (list(zip(IMAGES, LABELS.tolist(), strict=True)),)),
    "boxes": (with_objects, (boxed(False),)),
    "lists of boxes": (with_objects, (boxed(True),)),
    "albumentations": (of_albumentations, ([{"image": image, "label": 1} for image in PHOTOS],)),
}


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, (dict, list, tuple)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from leaves(item)
    else:
        yield np.asarray(value)


@pytest.mark.parametrize("name", CALLS)
def test_a_default_device_changes_nothing(name: str) -> None:
    make, given = CALLS[name]
    wanted, found = make(), make()
    for made in (wanted, found):
        mixtransforms.set_epoch(made, 0)
    torch.manual_seed(3)
    expected = list(leaves(wanted(*given)))
    torch.manual_seed(3)
    torch.set_default_device("meta")
    try:
        result = found(*given)
    finally:
        torch.set_default_device(None)
    for one, other in zip(leaves(result), expected, strict=True):
        np.testing.assert_array_equal(one, other)
