"""Cases of ready batches: images (B, 3, H, W) with class ids, mixed in place or not."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from harness import Case, Contender, Measured, Settings, compare
from peers import PEERS, missing, ours

METHODS = ("MixUp", "CutMix")
MOST_BYTES = 1.5e9
"""Larger batches are skipped."""

FEW = ("torchvision", "timm batch")
HEAVY_BYTES = 1e8
"""Above it, peers that take several times the memory of the batch are left out."""


class Work(NamedTuple):
    """A batch and what is done with it.

    Attributes:
        method: ``"MixUp"`` or ``"CutMix"``.
        size: Samples.
        side: Pixels of one side.
        dtype: Of the images.
        memory: ``"contiguous"`` or ``"channels_last"``.
        classes: How many.
        peers: Who else does it.
        variants: Ours: names to options beyond the defaults.
    """

    method: str
    size: int = 64
    side: int = 224
    dtype: str = "float32"
    memory: str = "contiguous"
    classes: int = 10
    peers: tuple[str, ...] = tuple(PEERS)
    variants: tuple[tuple[str, dict[str, Any]], ...] = (("", {}), (" per batch", {"per": "batch"}))

    @property
    def bytes(self) -> int:
        """Of the images."""
        return 3 * self.size * self.side**2 * getattr(torch, self.dtype).itemsize

    @property
    def shape(self) -> str:
        """As it is written in tables."""
        return f"{self.size} x 3 x {self.side} x {self.side}"


def images_of(work: Work) -> torch.Tensor:
    """Random images of every value."""
    dtype = getattr(torch, work.dtype)
    shape = (work.size, 3, work.side, work.side)
    generator = torch.Generator().manual_seed(0)
    if dtype == torch.uint8:
        images = torch.randint(256, shape, dtype=dtype, generator=generator)
    else:
        images = torch.rand(shape, generator=generator).to(dtype)
    layout = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}[work.memory]
    return images.contiguous(memory_format=layout)


def contenders(work: Work, images: torch.Tensor, scratch: torch.Tensor) -> Iterator[Contender]:
    """The two bare copies, ours, and the peers; who works in place has ``scratch``, the others read ``images``."""
    labels = torch.arange(work.size) % work.classes
    yield Contender("copy_", partial(scratch.copy_, images))
    yield Contender("clone", images.clone)
    for (name, options), inplace in itertools.product(work.variants, (False, True)):
        mix = ours(work.method, work.classes, inplace=inplace, **options)
        kind = " in place" if inplace else ""
        limit = "copy_" if inplace else "clone"
        yield Contender(f"ours{name}{kind}", partial(mix, scratch if inplace else images, labels), limit=limit)
    absent = missing()
    for name in work.peers:
        peer = PEERS[name]
        if peer.package not in absent and not (peer.heavy and work.bytes > HEAVY_BYTES):
            call = partial(peer.make(work.method, work.classes), scratch if peer.inplace else images, labels)
            yield Contender(name, call, *(("ours in place", "copy_") if peer.inplace else ("ours", "clone")))


def measure(settings: Settings, work: Work) -> Measured:
    """Times all contenders on one batch. Before each, ``scratch`` is the batch again, and caches are alike."""
    work = work._replace(size=settings.size(work.size, 8), side=settings.size(work.side, 32))
    images = images_of(work)
    scratch = images.clone()
    return compare(list(contenders(work, images, scratch)), settings, partial(scratch.copy_, images))


def _cases(section: str, works: Iterable[tuple[str, str, Work]]) -> list[Case]:
    return [Case(key, section, title, partial(measure, work=work)) for key, title, work in works]


def sizes(batch: Sequence[int] = (16, 64, 256, 1024), sides: Sequence[int] = (32, 224, 512)) -> list[Case]:
    """From small batches to the largest, in float32."""
    works = [Work(*each, peers=FEW) for each in itertools.product(METHODS, batch, sides)]
    named = [(f"size {work.method} {work.shape}", f"{work.method} {work.shape}", work) for work in works]
    return _cases("Batch size and image size, float32", [item for item in named if item[2].bytes <= MOST_BYTES])


def too_large(batch: Sequence[int] = (16, 64, 256, 1024), sides: Sequence[int] = (32, 224, 512)) -> list[str]:
    """The sizes that are skipped."""
    works = [Work("MixUp", *each) for each in itertools.product(batch, sides)]
    return [f"{work.shape} ({work.bytes / 1e9:.1f} GB)" for work in works if work.bytes > MOST_BYTES]


def forms() -> list[Case]:
    """Types of numbers and orders in memory."""
    axes = itertools.product(METHODS, ("float32", "float16", "uint8"), ("contiguous", "channels_last"))
    works = [Work(method, dtype=dtype, memory=memory, peers=FEW) for method, dtype, memory in axes]
    named = [(f"form {work.method} {work.dtype} {work.memory}", work) for work in works]
    return _cases("Dtype and memory format, 64 x 3 x 224 x 224", [(key, key[5:], work) for key, work in named])


def peers() -> list[Case]:
    """Every peer on one batch of photos."""
    works = [(f"photos {method}", method, Work(method)) for method in METHODS]
    return _cases("All peers, float32, 64 x 3 x 224 x 224", works)


def labels() -> list[Case]:
    """Small images, so that the rest of the call is seen; few classes to very many."""
    variants = (*Work("").variants, (" labels='pair'", {"labels": "pair"}))
    works = [
        Work(method, 128, 32, classes=classes, peers=(*FEW, "timm elem"), variants=variants)
        for classes, method in itertools.product((10, 100, 1000, 22_000), METHODS)
    ]
    named = [(f"small {work.method} {work.classes}", f"{work.method}, {work.classes} classes", work) for work in works]
    return _cases("Whole calls with labels, float32, 128 x 3 x 32 x 32", named)


def cases() -> list[Case]:
    """All cases of ready batches."""
    return [*peers(), *labels(), *sizes(), *forms()]
