"""Cases that goals are read from: few contenders each, and every call timed by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import collation
import memory
import numpy as np
import resize
import torch
from batches import Work, images_of
from harness import Case, Contender, Measured, Settings, apart, compare
from peers import PEERS, missing, ours

SECTION = "Goals"
SMALL = {"size": 128, "side": 32}
MANY = {"size": 4096, "side": 32}


def on_one_batch(work: Work, kinds: tuple[str, ...], peers: tuple[str, ...]) -> Callable[[Settings], Measured]:
    """Ours and others on a ready batch, which is restored before every call.

    Args:
        work: The batch.
        kinds: Of ours: ``"ours"``, with ``" per batch"`` and ``" in place"`` behind it.
        peers: The others.
    """
    return partial(_on_one_batch, work, kinds, peers)


def _on_one_batch(work: Work, kinds: tuple[str, ...], peers: tuple[str, ...], settings: Settings) -> Measured:
    work = work._replace(size=settings.size(work.size, 8), side=settings.size(work.side, 32))
    images, labels = images_of(work), torch.arange(work.size) % work.classes
    scratch = images.clone()
    found = [Contender("copy_", partial(scratch.copy_, images)), Contender("clone", images.clone)]
    for kind in kinds:
        options = {"inplace": "in place" in kind, "per": "batch" if "per batch" in kind else "sample"}
        mix = ours(work.method, work.classes, **options)
        found.append(Contender(kind, partial(mix, scratch if options["inplace"] else images, labels)))
    for name in peers:
        if PEERS[name].package not in missing():
            mix = PEERS[name].make(work.method, work.classes)
            found.append(Contender(name, partial(mix, scratch if PEERS[name].inplace else images, labels)))
    return compare(found, settings, partial(scratch.copy_, images), inner=1)


def without_pixels(settings: Settings) -> Measured:
    """A call on samples of three numbers, behind a copy of as much memory as small images have."""
    mix, images, labels = ours("MixUp", 10), torch.rand(128, 3, 1, 1), torch.arange(128) % 10
    source, target = torch.rand(2, 128, 3, 32, 32)
    return compare([Contender("ours", partial(mix, images, labels))], settings, partial(target.copy_, source), inner=1)


def extra_rows(settings: Settings) -> memory.Peaks:
    """Memory of a call in place beyond the same call's on samples of three numbers, in a process of its own."""
    size, side = settings.size(MANY["size"], 64), MANY["side"]
    labels = torch.arange(size) % 10
    found = {}
    for method in ("MixUp", "CutMix"):
        mix = ours(method, 10, inplace=True)
        large, little = torch.rand(size, 3, side, side), torch.rand(size, 3, 1, 1)
        extra, rest = (memory.peak(partial(mix, images, labels)) for images in (large, little))
        found[method] = memory.Peak(method, extra, rest, large[0].nbytes, 1)
    return memory.Peaks(found)


def records(settings: Settings) -> Measured:
    """CutMix of 64 small images alone, and with records of no, twenty and a hundred boxes each."""
    import mixtransforms.torchvision as door

    mix, images = door.CutMix(), torch.rand(64, 3, 16, 16)
    found = [Contender("images", partial(mix, {"images": images}))]
    rng = np.random.default_rng(0)
    for count in (0, 20, 100):
        targets = []
        for _ in range(len(images)):
            start = rng.uniform(0, 8, (count, 2))
            boxes = np.concatenate([start, start + rng.uniform(2, 8, (count, 2))], 1).astype(np.float32)
            targets.append({"boxes": torch.from_numpy(boxes), "labels": torch.arange(count) % 80})
        found.append(Contender(f"{count} boxes", partial(mix, {"images": images, "targets": targets})))
    return compare(found, settings, inner=1)


def instances(settings: Settings) -> Measured:
    """CutMix of 16 images with fifty round instances each, and a copy of their masks; the images alone beside them."""
    import mixtransforms.torchvision as door

    side, count = settings.size(224, 32), settings.size(50, 5)
    images, rng, targets = torch.rand(16, 3, side, side), np.random.default_rng(0), []
    grid = np.indices((side, side)) + 0.5
    for _ in images:
        radius = rng.uniform(0.05, 0.25, count) * side
        centre = rng.uniform(radius, side - radius, (2, count))
        boxes = np.stack([*(centre - radius)[::-1], *(centre + radius)[::-1]], 1)
        inside = ((grid[:, None] - centre[:, :, None, None]) ** 2).sum(0) < radius[:, None, None] ** 2
        masks = torch.from_numpy(inside)
        targets.append({"boxes": torch.from_numpy(boxes), "labels": torch.arange(count), "masks": masks})
    mix = door.CutMix()
    found = [
        Contender("images", partial(mix, {"images": images})),
        Contender("ours", partial(mix, {"images": images, "targets": targets})),
        Contender("copy", lambda: [target["masks"].clone() for target in targets]),
    ]
    return compare(found, settings, inner=1)


def crops(settings: Settings, dtype: str) -> Measured:
    """Crops of any size resized to any other, by ours and by torch; and ResizeMix beside a copy of the batch."""
    import mixtransforms.torchvision as door

    size, side = settings.size(64, 8), settings.size(224, 32)
    calls = resize.contenders("any", size, side, dtype)
    images = images_of(Work("ResizeMix", size, side, dtype))
    found = [Contender(name, calls[name]) for name in ("torch", "ours")]
    found += [Contender("clone", images.clone), Contender("ResizeMix", partial(door.ResizeMix(), images))]
    return compare(found, settings, inner=1)


def samples(settings: Settings) -> Measured:
    """A pipeline of Albumentations on samples, and the mix behind it: ours, and their loop with the same mix on it."""
    import albumentations as A

    import mixtransforms.albumentations as door

    side, size = settings.size(256, 48), settings.size(64, 8)
    rng = np.random.default_rng(0)
    batch = [{"image": rng.integers(0, 256, (side, side, 3), np.uint8), "label": number % 10} for number in range(size)]
    stages = [A.HorizontalFlip(p=0.5), A.RandomCrop(side - 32, side - 32), A.RandomBrightnessContrast(p=1.0)]
    pipeline, host = door.BatchCompose([*stages, door.CutMix(num_classes=10)]), A.Compose(stages)
    mix = door.CutMix(num_classes=10)
    found = [
        Contender("ours", lambda: pipeline(batch)),
        Contender("loop", lambda: mix([host(image=one["image"]) | {"label": one["label"]} for one in batch])),
    ]
    return compare(found, settings, inner=1)


def collated(settings: Settings, *, shared: bool) -> Measured:
    """Samples of uint8 into memory that is fresh, of this process or shared with another one."""
    work = collation.tuples(settings)
    names = ("default_collate", "ours MixUp", "ours CutMix", "timm MixUp batch", "timm MixUp batch, arrays")
    if shared:
        found = list(collation.contenders(work, collation.shared))
    else:
        found = list(collation.contenders(work, lambda batch: batch))
    found = [one for one in found if one.name in names]
    if shared:
        return compare(found, settings, inner=1)
    with collation.fresh_memory():
        return compare(found, settings, inner=1)


def in_worker(settings: Settings) -> Measured:
    """The same in a worker of a DataLoader."""
    samples: Any = collation.tuples(settings)
    collate = partial(_in_worker, settings=settings)
    loader = torch.utils.data.DataLoader(samples, batch_size=len(samples), num_workers=1, collate_fn=collate)
    return next(iter(loader))


def _in_worker(_: Any, settings: Settings) -> Measured:
    return collated(settings, shared=True)


KINDS = ("ours", "ours in place", "ours per batch", "ours per batch in place")


def cases() -> Iterator[Case]:
    """All cases, those of few milliseconds with many turns."""
    yield Case("without pixels", SECTION, "a call without pixels", without_pixels)
    for method in ("MixUp", "CutMix"):
        work = Work(method, **SMALL)
        measure = on_one_batch(work, KINDS, ("torchvision", "timm batch", "timm elem"))
        yield Case(f"small {method}", SECTION, f"{method} {work.shape}", measure)
    photos = on_one_batch(Work("MixUp"), ("ours in place",), ("timm batch", "timm pair"))
    yield Case("photos", SECTION, "MixUp 64 x 3 x 224 x 224", photos)
    for dtype in ("float16", "bfloat16"):
        halves = on_one_batch(Work("MixUp", dtype=dtype), ("ours",), ("torchvision",))
        yield Case(dtype, SECTION, f"MixUp 64 x 3 x 224 x 224 {dtype}", halves)
    for method in ("MixUp", "CutMix"):
        many = on_one_batch(Work(method, **MANY), ("ours in place",), ())
        yield Case(f"many {method}", SECTION, f"{method} 4096 x 3 x 32 x 32", many)
    if memory.RESET.exists():
        yield Case("extra rows", SECTION, "memory of 4096 x 3 x 32 x 32 in place", apart(extra_rows))
    yield Case("fresh", SECTION, "collation, fresh memory", apart(partial(collated, shared=False)))
    yield Case("worker", SECTION, "collation in a worker, shared memory", apart(in_worker))
    yield Case("records", SECTION, "CutMix, records of boxes beside 64 small images", records)
    yield Case("instances", SECTION, "CutMix, 50 instance masks an image", instances)
    for dtype in ("float32", "uint8"):
        yield Case(f"resize {dtype}", SECTION, f"resizing, {dtype}", partial(crops, dtype=dtype))
    if "albumentations" not in missing():
        yield Case("samples", SECTION, "BatchCompose of samples at the door of Albumentations", samples)
