"""Cases of collation: 64 samples of uint8 images become one mixed batch with soft labels.

In the main process the batch goes into ordinary memory. glibc hands the memory of the last batch out again as soon as
that is free; with ``fresh`` it asks the system for every large block anew, as where earlier batches are still in use.
Every case has a process of its own, since what ran before leaves blocks behind that glibc hands out whatever it was
told; the page faults of a call say what was really fresh.
A worker of a DataLoader must get the batch into shared memory. There the time runs until it is: default collation and
ours write into it, what others return in ordinary memory is moved as the loader's queue does it.
"""

from __future__ import annotations

import ctypes
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch
from harness import Case, Contender, Measured, Settings, apart, compare
from peers import missing, timm_options
from torch.utils.data import DataLoader, default_collate

import mixtransforms

SIZE, SIDE, CLASSES = 64, 224, 10
METHODS = ("MixUp", "CutMix")
SECTION = f"Collation of {SIZE} uint8 samples, {SIDE} x {SIDE}, with soft labels"
LIMIT = "default_collate"

M_MMAP_THRESHOLD = -3  # of glibc's malloc.h
LARGE, LARGEST = 4 << 20, 32 << 20
"""Bytes. Batches are larger than the first, one image in float32 is not; the second is where glibc itself ends."""


def arrays(settings: Settings) -> list[np.ndarray]:
    """Images (H, W, 3)."""
    rng = np.random.default_rng(0)
    side = settings.size(SIDE, 32)
    return [rng.integers(0, 256, (side, side, 3), np.uint8) for _ in range(settings.size(SIZE, 8))]


def tuples(settings: Settings) -> list[Any]:
    """Samples (tensor (3, H, W), class)."""
    tensors = [torch.from_numpy(array).permute(2, 0, 1).contiguous() for array in arrays(settings)]
    return [(tensor, index % CLASSES) for index, tensor in enumerate(tensors)]


def dicts(settings: Settings) -> list[Any]:
    """Samples {"image": array (H, W, 3), "label": class}."""
    return [{"image": array, "label": index % CLASSES} for index, array in enumerate(arrays(settings))]


def ours(door: Any) -> Iterator[tuple[str, Callable[[Any], Any]]]:
    """Our transforms as collate functions, without a seed and keyed by content."""
    for method in METHODS:
        for name, seed in (("", None), (" seeded", 0)):
            mix = getattr(door, method)(alpha=1.0, num_classes=CLASSES, seed=seed)
            mixtransforms.set_epoch(mix, 0)
            yield f"ours {method}{name}", mix


def theirs(samples: list[Any]) -> Iterator[tuple[str, str, Callable[[Any], Any]]]:
    """Peers, what each is compared with, and their calls; timm gets tensors, and the arrays that it recommends."""
    absent = missing()
    if "torchvision" not in absent:
        from torchvision.transforms import v2

        for method in METHODS:
            mix = getattr(v2, method)(alpha=1.0, num_classes=CLASSES)
            yield f"torchvision {method}", f"ours {method}", lambda samples, mix=mix: mix(*default_collate(samples))
    if "timm" not in absent:
        from timm.data import FastCollateMixup

        plain = [(image.numpy(), label) for image, label in samples]
        for method in METHODS:
            for mode in ("batch", "elem"):
                collate = FastCollateMixup(**timm_options(method, mode, CLASSES))
                yield f"timm {method} {mode}", f"ours {method}", collate
                yield f"timm {method} {mode}, arrays", f"ours {method}", lambda _, collate=collate: collate(plain)


def contenders(samples: list[Any], finish: Callable[[Any], Any]) -> Iterator[Contender]:
    """Default collation, ours and, of tuples, the peers."""
    yield Contender(LIMIT, lambda: finish(default_collate(samples)))
    if isinstance(samples[0], dict):
        import mixtransforms.albumentations as door
    else:
        import mixtransforms.torchvision as door
    for name, mix in ours(door):
        yield Contender(name, lambda mix=mix: finish(mix(samples)), limit=LIMIT)
    if not isinstance(samples[0], dict):
        for name, base, collate in theirs(samples):
            yield Contender(name, lambda collate=collate: finish(collate(samples)), base, LIMIT)


def shared(batch: Any) -> Any:
    """Moves the tensors and arrays of a batch to shared memory, unless they lie there."""
    if isinstance(batch, dict):
        return shared(list(batch.values()))
    if isinstance(batch, list | tuple):
        return [shared(item) for item in batch]
    return (torch.from_numpy(batch) if isinstance(batch, np.ndarray) else batch).share_memory_()


@contextmanager
def fresh_memory() -> Iterator[None]:
    """Every block of ``LARGE`` bytes or more comes from the system and goes back to it."""
    libc = ctypes.CDLL(None)
    libc.mallopt(M_MMAP_THRESHOLD, LARGE)
    libc.malloc_trim(0)
    try:
        yield
    finally:
        libc.mallopt(M_MMAP_THRESHOLD, LARGEST)


def in_main(settings: Settings, make: Callable[[Settings], list[Any]], fresh: bool) -> Measured:
    """Into ordinary memory of this process."""
    work = list(contenders(make(settings), lambda batch: batch))
    if not fresh:
        return compare(work, settings)
    with fresh_memory():
        return compare(work, settings)


def _compared(samples: list[Any], settings: Settings) -> Measured:
    return compare(list(contenders(samples, shared)), settings)


def in_worker(settings: Settings, make: Callable[[Settings], list[Any]]) -> Measured:
    """Into shared memory, measured by a collate function that runs in a worker."""
    samples: Any = make(settings)
    collate = partial(_compared, settings=settings)
    return next(iter(DataLoader(samples, batch_size=len(samples), num_workers=1, collate_fn=collate)))


def cases() -> list[Case]:
    """All cases of collation."""
    found = []
    makes = [tuples]
    if "albumentations" not in missing():
        makes.append(dicts)
    for make in makes:
        name = {"tuples": "tuples of tensors (3, H, W)", "dicts": "dicts of arrays (H, W, 3)"}[make.__name__]
        ways: dict[str, Callable[[Settings], Measured]] = {
            "memory used again": partial(in_main, make=make, fresh=False)
        }
        if platform.libc_ver()[0] == "glibc":
            ways["fresh memory"] = partial(in_main, make=make, fresh=True)
        ways["worker, shared memory"] = partial(in_worker, make=make)
        key = make.__name__
        found += [
            Case(f"collate {key} {way}", SECTION, f"{name}; {way}", apart(measure)) for way, measure in ways.items()
        ]
    return found
