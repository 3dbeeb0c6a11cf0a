"""How much Python a call takes: calls of the package's own functions are counted, never time.

Of small batches, these are what a call costs. The first calls of a structure may take any number; later ones have a
bound with a little room. Kernels are left out, since these are others where a compiled one is there. Whoever needs more
raises a bound, knowingly.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import albumentations as A
import numpy as np
import pytest
import torch
from torchvision.transforms import v2

import mixtransforms
import mixtransforms.albumentations as for_albumentations
import mixtransforms.torchvision as for_torchvision

INSIDE, KERNELS = f"{Path(mixtransforms.__file__).parent}/", "kernels/"


def images(size: int) -> Any:
    return torch.rand(size, 3, 8, 8)


def ids(size: int) -> Any:
    return torch.arange(size) % 4


def arrays(size: int) -> dict[str, Any]:
    return {"images": np.zeros((size, 8, 8, 3), np.float32), "labels": np.arange(size) % 4}


def maps(size: int) -> dict[str, Any]:
    return {"image": images(size), "mask": torch.zeros(size, 8, 8, dtype=torch.int64)}


def rows(size: int) -> dict[str, Any]:
    return {"image": images(size), "label": torch.eye(4)[ids(size)], "name": ["a"] * size}


def records(size: int) -> Any:
    boxes = torch.tensor([[1.0, 1.0, 6.0, 6.0], [2.0, 0.0, 5.0, 7.0]])
    return images(size), [{"boxes": boxes.clone(), "labels": torch.tensor([1, 2])} for _ in range(size)]


def samples(size: int) -> list[Any]:
    return [(torch.rand(3, 8, 8), index % 4) for index in range(size)]


def named_samples(size: int) -> list[Any]:
    return [{"image": np.zeros((8, 8, 3), np.uint8), "label": index % 4} for index in range(size)]


def v2_pipeline() -> Any:
    return for_torchvision.BatchCompose([v2.RandomHorizontalFlip(), for_torchvision.MixUp(num_classes=4)], seed=0)


def albumentations_pipeline() -> Any:
    mixup = for_albumentations.MixUp(num_classes=4)
    return for_albumentations.BatchCompose([A.HorizontalFlip(), mixup], seed=0)


CASES: dict[str, tuple[Any, Callable[[int], Any], int, int]] = {
    # name: the transform, a batch of some samples, calls whatever the size, and calls for every sample
    "ids": (for_torchvision.MixUp(num_classes=4), lambda size: (images(size), ids(size)), 58, 0),
    "ids, pasted": (for_torchvision.CutMix(num_classes=4), lambda size: (images(size), ids(size)), 69, 0),
    "ids, seeded": (for_torchvision.MixUp(num_classes=4, seed=0), lambda size: (images(size), ids(size)), 70, 0),
    "in place": (
        for_torchvision.MixUp(num_classes=4, inplace=True),
        lambda size: (images(size), ids(size)),
        64,
        0,
    ),
    "arrays by name": (for_albumentations.MixUp(num_classes=4), arrays, 70, 0),
    "rows beside texts": (for_torchvision.MixUp(), rows, 74, 0),
    "pairs": (for_torchvision.MixUp(labels="pair"), lambda size: (images(size), ids(size)), 70, 0),
    "label maps": (for_torchvision.CutMix(), maps, 84, 0),
    "records": (for_torchvision.CutMix(), records, 392, 0),
    "samples": (for_torchvision.MixUp(num_classes=4), samples, 130, 2),
    "a pipeline of torchvision": (v2_pipeline(), samples, 350, 28),
    "a pipeline of Albumentations": (albumentations_pipeline(), named_samples, 420, 16),
}


def calls_of(call: Callable[[], Any]) -> int:
    count = 0

    def hook(frame: Any, event: str, _: Any) -> None:
        nonlocal count
        name = frame.f_code.co_filename
        count += event == "call" and name.startswith(INSIDE) and not name.startswith(INSIDE + KERNELS)

    before = sys.getprofile()
    sys.setprofile(hook)
    try:
        call()
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("case", CASES)
def test_later_calls_take_no_more_calls_than_before(case):
    transform, batch, fixed, each = CASES[case]
    for size in (8, 32):
        torch.manual_seed(0)
        given = batch(size)
        call = (
            (lambda given=given: transform(**given))
            if case == "arrays by name"
            else lambda given=given: transform(given)
        )
        call(), call()
        taken = calls_of(call)
        assert taken <= fixed + each * size, f"{taken} calls for {size} samples"
