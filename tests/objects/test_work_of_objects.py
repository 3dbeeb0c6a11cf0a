"""How much work objects are: calls of the package's functions and bytes, which are counted, and no time."""

from __future__ import annotations

import sys
import tracemalloc
from types import FrameType
from typing import Any

import numpy as np
import pytest

import mixtransforms

ROOM = mixtransforms.__path__[0]


def records(size: int, count: int, typed: bool = False) -> list[dict[str, Any]]:
    """So many records with so many boxes each, in images of 16 x 16."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    rng = np.random.default_rng(0)
    found = []
    for _ in range(size):
        start = rng.random((count, 2)) * 8
        boxes = torch.from_numpy(np.concatenate([start, start + 1 + rng.random((count, 2)) * 6], axis=1))
        if typed:
            tv_tensors = pytest.importorskip("torchvision.tv_tensors", reason="torchvision is not installed")
            boxes = tv_tensors.BoundingBoxes(boxes, format="XYXY", canvas_size=(16, 16))
        found.append({"boxes": boxes, "labels": torch.arange(count)})
    return found


def calls(mix: Any, batch: Any) -> int:
    """How many functions of the package one call runs, the second one of its structure."""
    mix(batch)
    seen = 0

    def count(frame: FrameType, event: str, _: Any) -> None:
        nonlocal seen
        seen += event == "call" and frame.f_code.co_filename.startswith(ROOM)

    former = sys.getprofile()
    sys.setprofile(count)
    try:
        mix(batch)
    finally:
        sys.setprofile(former)
    return seen


@pytest.mark.parametrize("method", ["MixUp", "CutMix", "Mosaic"])
def test_calls_of_a_batch_of_boxes(method: str) -> None:
    """64 images of 20 boxes: what is done is done for all of them at once."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    mix = getattr(mixtransforms, method)(seed=0)

    def counted(size: int, boxes: int, typed: bool = False) -> int:
        images = torch.zeros(size, 3, 16, 16)
        told = {"images": images, "targets": records(size, boxes, typed)}
        return calls(mix, told) - calls(mix, {"images": images})

    whole = counted(64, 20)
    assert whole < 500
    assert whole - counted(8, 20) < 2 * 56, "at most two a record"
    assert abs(counted(64, 100) - whole) < 30, "none a box"
    assert counted(64, 20, typed=True) - whole < 5 * 64, "types are put back one by one"


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64"])
@pytest.mark.parametrize("method", ["CutMix", "MixUp"])
def test_bytes_of_instance_masks(method: str, dtype: str) -> None:
    """Masks are written once; what results shows those of two samples."""
    masks = np.zeros((8, 12, 96, 96), dtype)
    masks[:, :, 20:70, 10:80] = 1
    batch = {
        "images": np.zeros((8, 96, 96, 3), np.float32),
        "targets": [{"instance_masks": own, "labels": np.arange(12)} for own in masks],
    }
    mix = getattr(mixtransforms, method)(seed=0)
    mix(batch)
    tracemalloc.start()
    try:
        mixed = mix(batch)
        most = tracemalloc.get_traced_memory()[1] - mixed["images"].nbytes
    finally:
        tracemalloc.stop()
    written = sum(record["instance_masks"].nbytes for record in mixed["targets"])
    assert written <= 2 * masks.nbytes
    assert most - written < 0.5 * masks.nbytes + (1 << 18), (
        "no copies beside the result, which has at most twice as many"
    )
