"""What keys and identities cost: ``python benchmarks/keys.py``. Prints medians, ratios and targets.

What is compared runs in turns, and the time of this thread counts, so that a busy machine tells nearly the same. A
ratio is the median of the ratios of single turns.
"""

import argparse
import statistics
import time
import warnings
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import harness
import numpy as np
import xxhash
from harness import Calls, ratio

import mixtransforms
from mixtransforms.batch.identity import identities
from mixtransforms.batch.inventory import Finder
from mixtransforms.rng.keys import Call
from mixtransforms.rng.streams import Stream

SIZE, SIDE = 256, 224
MICROSECOND = 1e-6


class Row(NamedTuple):
    """One line of the table.

    Attributes:
        what: What was measured.
        seconds: The median.
        per: Of how many samples.
        target: The most that it may take, in seconds, or ``None``.
        ratio: How many times as long as what it is compared with, or ``None``.
        most: The most that the ratio may be, or ``None``.
    """

    what: str
    seconds: float
    per: int = 1
    target: float | None = None
    ratio: float | None = None
    most: float | None = None

    def __str__(self) -> str:
        cells = (
            f"{self.seconds / MICROSECOND:10.1f}",
            _cell(self.target and self.target / MICROSECOND, "10.0f"),
            f"{self.seconds / self.per / MICROSECOND:10.2f}" if self.per > 1 else " " * 10,
            _cell(self.ratio, "7.2f"),
            _cell(self.most, "7.0f"),
        )
        return f"{self.what:58} {' '.join(cells)}".rstrip()


def _cell(value: float | None, form: str) -> str:
    return " " * int(form.partition(".")[0]) if value is None else f"{value:{form}}"


taken = partial(harness.taken, clock=time.thread_time)


def keying(repeat: int) -> Iterator[Row]:
    """A ready batch: its key, the generator of a mix, and a seed for each of its samples."""
    stream = Stream()

    def keyed() -> None:
        key = stream.key(137)
        key.generator()
        Call(key).seeds(1, SIZE)

    key, known = stream.key(137), np.arange(SIZE, dtype=np.uint64)
    calls = {
        f"key a ready batch of {SIZE}": keyed,
        "  Stream.key": lambda: stream.key(137),
        "  Key.generator": key.generator,
        "  Call.seeds by place": lambda: Call(key).seeds(1, SIZE),
        "  Call.seeds by content": lambda: Call(key, known).seeds(1, SIZE),
    }
    for name, seconds in taken(calls, repeat, inner=20).items():
        yield Row(name, statistics.median(seconds), target=None if name[0] == " " else 100 * MICROSECOND)


def forms(images: list[Any]) -> dict[str, list[Any]]:
    """The same images as samples of several forms."""
    import torch

    views = [torch.from_numpy(image).movedim(-1, 0) for image in images]
    return {
        "tuples of tensors (C, H, W)": [(view.contiguous(), index) for index, view in enumerate(views)],
        "dicts of arrays (H, W, C)": [{"image": image, "label": index} for index, image in enumerate(images)],
        "tuples of tensors (C, H, W), channels last in memory": [(view, index) for index, view in enumerate(views)],
    }


def hashing(repeat: int) -> Iterator[Row]:
    """Who samples are, against a bare pass over the same bytes."""
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (SIDE, SIDE, 3), np.uint8) for _ in range(SIZE)]
    finder = Finder({}, frozenset())
    for name, samples in forms(images).items():
        arrays = [sample["image"] if isinstance(sample, dict) else sample[0].numpy() for sample in samples]
        plain = arrays[0].flags.c_contiguous
        calls: Calls = {
            "identities": lambda samples=samples: identities(samples, finder),
            "bare": lambda same=arrays if plain else images: [xxhash.xxh3_64_intdigest(array) for array in same],
            "copies": lambda arrays=arrays: [xxhash.xxh3_64_intdigest(np.ascontiguousarray(array)) for array in arrays],
        }
        times = taken(calls, repeat)
        row = Row(name, statistics.median(times["identities"]), SIZE)
        # Tensors are hashed channels last, as arrays are: to bring them there takes several times as long as the hash.
        most = (3 if isinstance(samples[0], dict) else 7) if plain else None
        yield row._replace(ratio=ratio(times, "identities", "bare"), most=most)
        yield Row("  a bare xxh3 pass", statistics.median(times["bare"]), SIZE)
        if not plain:
            row = Row("  copies and xxh3", statistics.median(times["copies"]), SIZE)
            yield row._replace(ratio=ratio(times, "copies", "bare"))


def of_torchvision(**options: Any) -> tuple[Any, list[Any]]:
    import torch
    from torchvision.transforms import v2

    from mixtransforms.torchvision import BatchCompose

    pipeline = BatchCompose([v2.RandomHorizontalFlip(), v2.RandomVerticalFlip()], **options)
    return pipeline, [(torch.full((3, 8, 8), index % 256, dtype=torch.uint8), index) for index in range(SIZE)]


def of_albumentations(**options: Any) -> tuple[Any, list[Any]]:
    import albumentations as A

    from mixtransforms.albumentations import BatchCompose

    pipeline = BatchCompose([A.HorizontalFlip(), A.VerticalFlip()], **options)
    return pipeline, [{"image": np.full((8, 8, 3), index % 256, np.uint8), "label": index} for index in range(SIZE)]


HOSTS = {"torchvision": of_torchvision, "albumentations": of_albumentations}


def stages(host: str, repeat: int) -> Iterator[Row]:
    """Two flips of tiny images, whose seeds are most of what a seed costs."""
    (plain, samples), (seeded, _) = HOSTS[host](), HOSTS[host](seed=3)
    times = taken({"without": lambda: plain(samples), "with": lambda: seeded(samples)}, repeat)
    without, with_seed = (statistics.median(times[name]) for name in ("without", "with"))
    yield Row(f"{host}: two flips without a seed", without, SIZE)
    yield Row(f"{host}: two flips with a seed", with_seed, SIZE, ratio=ratio(times, "with", "without"))
    more = statistics.median(one - other for one, other in zip(times["with"], times["without"], strict=True))
    yield Row(f"{host}: what the seed adds", more, SIZE)


def others(repeat: int) -> Iterator[Row]:
    pipeline, _ = of_torchvision(seed=3)
    mix = mixtransforms.MixUp(seed=3)
    calls = {
        "set_epoch of a transform": lambda: mixtransforms.set_epoch(mix, 3),
        "set_epoch of a pipeline of two": lambda: mixtransforms.set_epoch(pipeline, 3),
        "construct a transform": lambda: mixtransforms.MixUp(seed=3),
        "construct a method": mixtransforms.methods.MixUp,
        "  of which a Stream": Stream,
    }
    for name, seconds in taken(calls, repeat, inner=20).items():
        yield Row(name, statistics.median(seconds))


def main() -> None:
    parser = argparse.ArgumentParser(description="Costs of keys and identities, after all imports.")
    parser.add_argument("--repeat", type=int, default=30, help="turns whose median is told")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print(f"{'what':58} {'median us':>10} {'target us':>10} {'us/sample':>10} {'times':>7} {'at most':>7}")
    for rows in (
        keying(options.repeat),
        hashing(options.repeat),
        *(stages(host, options.repeat) for host in HOSTS),
        others(options.repeat),
    ):
        for row in rows:
            print(row, flush=True)


if __name__ == "__main__":
    main()
