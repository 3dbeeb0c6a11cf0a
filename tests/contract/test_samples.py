"""What a seeded call on samples draws depends on their images, and on nothing that stands beside them."""

from typing import Any

import numpy as np
import pytest
from doors import ALBUMENTATIONS, DOORS, TORCHVISION, Door
from forms import host

SIDE, SIZE = 12, 4
IMAGES = np.random.default_rng(0).integers(0, 256, (SIZE, SIDE, SIDE, 3), np.uint8)


def beside(index: int) -> dict[str, Any]:
    """Targets of one sample."""
    return {
        "label": index,
        "mask": IMAGES[index, ..., 0] % 3,
        "bboxes": np.array([[1.0, 2.0, 9.0, 8.0]] * index).reshape(-1, 4),
        "labels": np.arange(index),
    }


@pytest.mark.parametrize("method", ["MixUp", "CutMix"])
@pytest.mark.parametrize("door", DOORS, ids=str)
def test_a_target_changes_nothing_that_is_drawn(door: Door, method: str) -> None:
    transform, bare = (door.transform(method, seed=5, **more) for more in ({"num_classes": SIZE}, {}))
    alone = bare([{"image": image} for image in IMAGES])["image"]
    together = transform([{"image": image} | beside(index) for index, image in enumerate(IMAGES)])
    np.testing.assert_array_equal(host(together["image"]), host(alone))
    assert len(together["bboxes"]) == SIZE
    other = bare([{"image": image[::-1].copy()} for image in IMAGES])["image"]
    assert not np.array_equal(host(other)[:, ::-1], host(alone)), "other images are drawn for anew"


@pytest.mark.parametrize("door", [TORCHVISION, ALBUMENTATIONS], ids=str)
def test_nor_what_a_pipeline_draws_for_each_sample(door: Door) -> None:
    module = door.load()
    if door is TORCHVISION:
        from torchvision.transforms import v2

        transforms, params = [v2.ToImage(), v2.RandomHorizontalFlip(), v2.RandomCrop(8)], {}
    else:
        import albumentations as A

        transforms, params = [A.HorizontalFlip(), A.RandomCrop(8, 8)], {"bbox_params": A.BboxParams("pascal_voc")}
    mixes = module.CutMix(), module.CutMix(num_classes=SIZE)
    bare, pipeline = (module.BatchCompose([*transforms, mix], seed=5, **params) for mix in mixes)
    alone = bare([{"image": image} for image in IMAGES])["image"]
    told = [{"image": image} | beside(index) for index, image in enumerate(IMAGES)]
    np.testing.assert_array_equal(host(pipeline(told)["image"]), host(alone))
