"""Cases of detection and segmentation: what boxes and masks add to the pixels of a batch."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from harness import Case, Contender, Measured, Settings, compare

SIZE, SIDE, BOXES, CLASSES = 64, 224, 20, 80
SECTION = f"Boxes and masks beside {SIZE} float32 images of {SIDE} x {SIDE}"


def corners(settings: Settings, count: int = BOXES) -> list[torch.Tensor]:
    """Boxes (N, 4) of every image, XYXY, from a tenth to a half of a side."""
    side = settings.size(SIDE, 32)
    generator = torch.Generator().manual_seed(0)
    found = []
    for _ in range(settings.size(SIZE, 8)):
        size = side * (0.1 + 0.4 * torch.rand(count, 2, generator=generator))
        start = (side - size) * torch.rand(count, 2, generator=generator)
        found.append(torch.cat([start, start + size], dim=1))
    return found


def with_tensors(settings: Settings, count: int = BOXES) -> dict[str, Any]:
    """A dict of boxes and labels an image, as detectors take them."""
    boxes = corners(settings, count)
    return {"targets": [{"boxes": each, "labels": torch.arange(len(each)) % CLASSES} for each in boxes]}


def with_tv_tensors(settings: Settings) -> dict[str, Any]:
    """The same with the boxes as ``tv_tensors.BoundingBoxes``."""
    from torchvision import tv_tensors

    side = settings.size(SIDE, 32)
    records = with_tensors(settings)["targets"]
    wrap = partial(tv_tensors.BoundingBoxes, format="XYXY", canvas_size=(side, side))
    return {"targets": [record | {"boxes": wrap(record["boxes"])} for record in records]}


def with_masks(settings: Settings) -> dict[str, Any]:
    """Masks of class ids, (B, H, W)."""
    side = settings.size(SIDE, 32)
    generator = torch.Generator().manual_seed(0)
    return {"mask": torch.randint(CLASSES, (settings.size(SIZE, 8), side, side), generator=generator)}


MADE = {"boxes": with_tensors, "boxes as tv_tensors": with_tv_tensors, "masks": with_masks}


def contenders(method: str, settings: Settings, images: torch.Tensor, scratch: torch.Tensor) -> Iterator[Contender]:
    """The images alone, and with each kind of target."""
    import mixtransforms.torchvision as door

    for inplace in (False, True):
        mix = getattr(door, method)(alpha=1.0, inplace=inplace)
        base = {"images": scratch if inplace else images}
        kind = " in place" if inplace else ""
        yield Contender(f"ours{kind}", partial(mix, base), limit="copy_" if inplace else "clone")
        for name, make in MADE.items():
            yield Contender(f"ours with {name}{kind}", partial(mix, base | make(settings)), f"ours{kind}")


def measure(settings: Settings, method: str) -> Measured:
    """Tensors at the torchvision door."""
    side = settings.size(SIDE, 32)
    images = torch.rand(settings.size(SIZE, 8), 3, side, side)
    scratch = images.clone()
    copies = [Contender("copy_", partial(scratch.copy_, images)), Contender("clone", images.clone)]
    work = [*copies, *contenders(method, settings, images, scratch)]
    return compare(work, settings, partial(scratch.copy_, images))


def measure_arrays(settings: Settings, method: str) -> Measured:
    """Arrays with the names of Albumentations, at the neutral door, which also works in place."""
    import mixtransforms

    side = settings.size(SIDE, 32)
    images = np.random.default_rng(0).random((settings.size(SIZE, 8), side, side, 3), np.float32)
    scratch = images.copy()
    boxes = [each.numpy() for each in corners(settings)]
    labels = [np.arange(len(each)) % CLASSES for each in boxes]
    records = {"targets": [{"bboxes": box, "labels": label} for box, label in zip(boxes, labels, strict=True)]}
    restore: Callable[[], None] = partial(np.copyto, scratch, images)
    work = [Contender("copy_", restore), Contender("clone", images.copy)]
    for inplace, with_boxes in itertools.product((False, True), (False, True)):
        mix = getattr(mixtransforms, method)(alpha=1.0, inplace=inplace)
        batch = {"images": scratch if inplace else images} | (records if with_boxes else {})
        kind = " in place" if inplace else ""
        name = f"ours with boxes{kind}" if with_boxes else f"ours{kind}"
        base, limit = (f"ours{kind}", None) if with_boxes else (None, "copy_" if inplace else "clone")
        work.append(Contender(name, partial(mix, batch), base, limit))
    return compare(work, settings, restore)


def cases() -> list[Case]:
    """All cases of boxes and masks."""
    found = []
    for method in ("CutMix", "MixUp"):
        tensors, plain = partial(measure, method=method), partial(measure_arrays, method=method)
        found.append(Case(f"objects {method}", SECTION, f"{method}, tensors", tensors))
        found.append(Case(f"objects {method} arrays", SECTION, f"{method}, NumPy arrays", plain))
    return found
