"""How long resizing crops takes, beside torch's antialiased bilinear interpolation of the same crops.

One thread, in one process, in turns; a ratio is the median of those of single turns. Where OpenCV is installed its area
filter is a second mark: another filter in fixed point, for the order of magnitude.

    python benchmarks/resize.py
"""

from __future__ import annotations

import argparse
import os
import statistics
from collections.abc import Callable, Iterator
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import torch
from harness import ratio, taken

from mixtransforms import BatchSpec, Boxes, Layer, Plan
from mixtransforms.kernels.numpy import resize_linear

SIDE = 224
CASES = ("shrunk", "enlarged", "any")


def spans(rng: np.random.Generator, count: int, side: int) -> Boxes:
    """Boxes whose sides are 0.1 to 0.8 of the picture's."""
    sides = np.rint(rng.uniform(0.1, 0.8, (count, 2)) * side).astype(int)
    start = rng.integers(0, side - sides + 1)
    return Boxes(start, start + sides)


def boxes_of(case: str, count: int, side: int) -> tuple[Boxes, Boxes]:
    """Crops and frames: whole pictures shrunk into boxes, boxes enlarged to whole pictures, and boxes into boxes."""
    rng = np.random.default_rng(0)
    some, others, whole = spans(rng, count, side), spans(rng, count, side), Boxes.full(count, (side, side))
    return {"shrunk": (whole, some), "enlarged": (some, whole), "any": (some, others)}[case]


def contenders(case: str, count: int, side: int, dtype: str) -> dict[str, Callable[[], Any]]:
    """The same crops resized by everybody, and a whole plan of them."""
    crop, frame = boxes_of(case, count, side)
    values = np.random.default_rng(1).random((count, 3, side, side)) * (255 if dtype == "uint8" else 1)
    images = values.astype(dtype)
    crops = [image[(slice(None), *crop.slices(n))] for n, image in enumerate(images)]
    tensors = [torch.from_numpy(part)[None] for part in crops]
    sides = frame.sides.tolist()
    interpolate = torch.nn.functional.interpolate
    plan = Plan(
        BatchSpec(count, (side, side)), (Layer(np.arange(count), np.arange(count), np.ones(count), frame, crop),)
    )
    batch = torch.from_numpy(images)
    calls: dict[str, Callable[[], Any]] = {
        "torch": lambda: [
            interpolate(tensor, own, mode="bilinear", antialias=True)
            for tensor, own in zip(tensors, sides, strict=True)
        ],
        "ours": lambda: [resize_linear(part, own, (1, 2)) for part, own in zip(crops, sides, strict=True)],
        "ours, plan": lambda: plan.apply(batch),
    }
    try:
        import cv2
    except ImportError:
        return calls
    cv2.setNumThreads(1)
    last = [np.ascontiguousarray(part.transpose(1, 2, 0)) for part in crops]
    calls["OpenCV"] = lambda: [
        cv2.resize(part, own[::-1], interpolation=cv2.INTER_AREA) for part, own in zip(last, sides, strict=True)
    ]
    return calls


def lines(turns: int, count: int, side: int) -> Iterator[str]:
    yield "| crops | dtype | " + " | ".join(("torch, ms", "ours / torch", "plan / torch", "OpenCV / torch")) + " |"
    yield "| --- | --- | ---: | ---: | ---: | ---: |"
    for case in CASES:
        for dtype in ("float32", "uint8"):
            times = taken(contenders(case, count, side, dtype), turns)
            cells = [f"{1e3 * statistics.median(times['torch']):.2f}"]
            cells += [
                f"{ratio(times, name, 'torch'):.2f}" if name in times else ""
                for name in ("ours", "ours, plan", "OpenCV")
            ]
            yield f"| {case} | {dtype} | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--side", type=int, default=SIDE)
    given = parser.parse_args()
    torch.set_num_threads(1)
    for line in lines(given.turns, given.size, given.side):
        print(line, flush=True)


if __name__ == "__main__":
    main()
