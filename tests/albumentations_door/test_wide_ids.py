"""Ids of 64 bits stay what they are: OpenCV, inside the host, would cut them to 32 bits.

The oracle is the same pipeline on small ids of 32 bits, which OpenCV takes as they are.
"""

import copy
from typing import Any

import numpy as np
import pytest

A = pytest.importorskip("albumentations", reason="albumentations is not installed")
torch = pytest.importorskip("torch", reason="torch is not installed")
import tiers

from mixtransforms.albumentations import BatchCompose, CutMix

IDS = {
    "small": np.arange(5),
    "beyond 32 bits": np.array([0, 2**33, 2**33 + 1, 2**31, 2**31 - 1]),
    "negative": np.array([0, -(2**40), -1, 2**40, 7]),
}
STEPS: dict[str, Any] = {
    "flip": A.HorizontalFlip(p=0.5),
    "turn": A.D4(p=1.0),
    "resize": A.Resize(12, 12),
    "rotate": A.Rotate(p=1.0),
    "pad": A.PadIfNeeded(30, 30),
    "crop": A.RandomCrop(9, 9),
}
NAMES = {"mask": {}, "segments": {"segments": "mask"}}


def samples(name: str, table: Any) -> list[dict[str, Any]]:
    places = np.random.default_rng(0).integers(0, 5, (2, 16, 16))
    return [{"image": np.repeat(np.uint8(place[..., None]), 3, 2), name: table[place]} for place in places]


@tiers.product(name=NAMES, step=STEPS, ids=IDS, dtype=["<i8", ">i8", "u8"])
def test_masks_keep_their_ids_and_their_dtype(name: str, step: str, ids: str, dtype: str) -> None:
    table = IDS[ids].astype(dtype)
    for seed in range(4):
        steps = [STEPS[step], CutMix(1.0), A.HorizontalFlip(p=0.5)]
        pipeline = BatchCompose(copy.deepcopy(steps), seed=seed, additional_targets=NAMES[name])
        wide, narrow = pipeline(samples(name, table)), pipeline(samples(name, np.arange(5, dtype=np.int32)))
        assert wide[name].dtype == np.dtype(dtype).newbyteorder("=")
        np.testing.assert_array_equal(wide[name], table[narrow[name]])


@pytest.mark.parametrize("ids", IDS)
def test_tensors_keep_them_too(ids: str) -> None:
    """``cross_entropy`` takes int64 alone."""
    for seed in range(10):
        out = BatchCompose([A.HorizontalFlip(p=0.5), CutMix(1.0), A.VerticalFlip(p=0.5), A.ToTensorV2()], seed=seed)(
            samples("mask", IDS[ids])
        )
        assert out["mask"].dtype == torch.int64
        assert set(out["mask"].unique().tolist()) <= set(IDS[ids].tolist())


@pytest.mark.parametrize("listed", [False, True], ids=["array", "list"])
def test_masks_of_objects(listed: bool) -> None:
    mask = np.zeros((2, 16, 16), np.int64)
    mask[0, :8], mask[1, 8:] = 2**33, 1
    one = {
        "image": np.zeros((16, 16, 3), np.uint8),
        "bboxes": np.array([[0, 0, 16, 8], [0, 8, 16, 16.0]]),
        "masks": list(mask) if listed else mask,
    }
    for p in (0, 1):
        params = A.BboxParams("pascal_voc")
        out = BatchCompose([A.HorizontalFlip(p=p), CutMix(1.0, p=0.0)], bbox_params=params, seed=0)([one, one])
        assert {item.dtype for row in out["masks"] for item in row} == {np.dtype(np.int64)}
        np.testing.assert_array_equal(np.asarray(out["masks"][0]), mask)


def test_floats_stay_floats() -> None:
    """What a transform has made floats of, on purpose, is no id any more."""
    image = np.full((8, 8, 3), 100, np.int64)
    out = BatchCompose([A.Normalize(p=1.0)], seed=0)([{"image": image}] * 2)
    assert out["image"].dtype == np.float32
