"""Data sets and collate functions that worker processes import, however they are started, and what they report.

A collate function here returns records, digests above all: what a worker saw is compared in the main process.
"""

import hashlib
import pickle
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import albumentations as A
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler, default_collate, get_worker_info
from torchvision.transforms import v2

import mixtransforms
from mixtransforms import albumentations as al
from mixtransforms import torchvision as tv

SIDE, CROP, CLASSES = 16, 12, 4
PHOTOS, SIZE, EPOCHS = 18, 3, 6
CROWD = 200
"""How many small samples a batch has where frequencies are measured."""


def digest(value: Any) -> str:
    """A digest of everything in a value: containers, types, dtypes, shapes and bytes."""
    found = hashlib.blake2b(digest_size=12)
    for part in _parts(value):
        found.update(part)
    return found.hexdigest()


def _parts(value: Any) -> Iterator[bytes]:
    yield type(value).__name__.encode()
    if isinstance(value, dict):
        value = sorted(value.items())
    if isinstance(value, (list, tuple)):
        yield str(len(value)).encode()
        for item in value:
            yield from _parts(item)
    elif isinstance(value, (np.ndarray, torch.Tensor)):
        array = np.ascontiguousarray(value)
        yield f"{array.dtype.str}{array.shape}".encode()
        yield array.tobytes()
    else:
        yield repr(value).encode()


def digest_of_trace(trace: Any) -> str:
    """A digest of a batch before the first mix, of the plans, and of the result."""
    return digest([trace.before, [plan.to_dict() for plan in trace.plans], trace.after])


def worker() -> int | None:
    """The number of the worker that asks; ``None`` in the main process."""
    info = get_worker_info()
    return None if info is None else info.id


class Photos(Dataset):
    """Numbers, pictures that are views of one array, and labels."""

    def __init__(self, count: int = PHOTOS) -> None:
        self.images = np.random.default_rng(0).integers(0, 256, (count, SIDE, SIDE, 3), np.uint8)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[int, Any, int]:
        return index, self.images[index], index % CLASSES


def tensors(samples: Sequence[Any]) -> list[Any]:
    """Samples as torchvision has them; the tensors share the arrays' memory."""
    return [(torch.from_numpy(image).movedim(-1, 0), label) for _, image, label in samples]


def named(samples: Sequence[Any]) -> list[Any]:
    """Samples as Albumentations has them."""
    return [{"image": image, "label": label, "name": f"photo {index}"} for index, image, label in samples]


def crowd(samples: Sequence[Any]) -> list[Any]:
    """Many small samples, which depend on nothing but the numbers of these."""
    rng = np.random.default_rng([index for index, _, _ in samples])
    return [{"image": image} for image in rng.integers(0, 256, (CROWD, 2, 2, 3), np.uint8)]


def ready(samples: Sequence[Any]) -> Any:
    """A batch of default collation."""
    return default_collate(tensors(samples))


FORMS: dict[str, Callable[[Sequence[Any]], Any]] = {
    "v2": tensors,
    "v2 mix": tensors,
    "albumentations": named,
    "albumentations tensors": named,
    "albumentations mix": named,
    "neutral": named,
    "ready": ready,
    "ready pipeline": ready,
    "ramp": crowd,
    "weights": crowd,
}
"""What every pipeline is called with."""

OF_TENSORS = ("v2", "v2 mix", "albumentations tensors")
"""Whose mixed images are tensors that were collated here."""

TOLD_BY_CALLS = ("ready", "ready pipeline")
"""Those that count calls in the main process, and know batches by their content in workers alone."""


def pipelines() -> dict[str, Any]:
    """One pipeline of every form that may stand in a collate function."""
    jitter, classes = (0.4, 0.4, 0.4, 0.1), {"num_classes": CLASSES}
    rising, falling = mixtransforms.Ramp(0, 1, 0, EPOCHS - 1), mixtransforms.Ramp(1, 0, 0, EPOCHS - 1)
    before = [v2.RandomHorizontalFlip(), v2.ColorJitter(*jitter), v2.RandomResizedCrop(CROP, antialias=True)]
    theirs = [A.HorizontalFlip(), A.ColorJitter(*jitter, p=1), A.RandomResizedCrop((CROP, CROP))]
    either = [mixtransforms.MixUp(alpha=1.0), mixtransforms.CutMix()]
    return {
        "v2": tv.BatchCompose([*before, tv.MixUp(alpha=1.0, **classes), v2.RandomVerticalFlip()], seed=1),
        "v2 mix": tv.MixUp(alpha=1.0, **classes, seed=2),
        "albumentations": al.BatchCompose([*theirs, al.MixUp(alpha=1.0, **classes), A.VerticalFlip()], seed=3),
        "albumentations tensors": al.BatchCompose([A.VerticalFlip(), A.ToTensorV2(), al.CutMix(**classes)], seed=4),
        "albumentations mix": al.CutMix(**classes, seed=5),
        "neutral": mixtransforms.OneOf(either, **classes, seed=6),
        "ready": tv.OneOf(either, **classes, seed=7),
        "ready pipeline": tv.BatchCompose([tv.CutMix(**classes), v2.RandomVerticalFlip()], seed=8),
        "ramp": mixtransforms.MixUp(p=rising, seed=9),
        "weights": mixtransforms.OneOf(either, weights=[falling, rising], seed=10),
    }


def untold() -> dict[str, Any]:
    """Pipelines that nobody tells an epoch."""
    return {
        "v2": tv.BatchCompose([v2.RandomHorizontalFlip()], seed=11),
        "v2 mix": tv.MixUp(num_classes=CLASSES, seed=12),
        "albumentations": al.BatchCompose([A.HorizontalFlip(), al.MixUp(num_classes=CLASSES)], seed=13),
    }


@dataclass(frozen=True)
class Record:
    """What became of one batch.

    Attributes:
        ids: Numbers of its samples.
        worker: Who made it.
        digests: Of the batches before the mixes, the plans, and the results.
        keys: Of all plans.
        blended: Whole samples that were blended, where they are counted.
        pasted: Samples that a region was pasted into, where they are counted.
        traced_alike: Whether tracing a call has shown what the call itself returns.
        shared: Whether mixed images lie in shared memory.
        sources: Digests of the samples, and of what the pipelines were called with, afterwards.
        warned: Of an epoch that was not told: those that were told it, and those that were not.
    """

    ids: tuple[int, ...]
    worker: int | None
    digests: dict[str, str]
    keys: dict[str, list[Any]]
    blended: dict[str, int]
    pasted: dict[str, int]
    traced_alike: bool
    shared: dict[str, bool]
    sources: tuple[str, str]
    warned: tuple[list[str], list[str]]

    def same_as(self, other: "Record", calls: bool = True) -> bool:
        """Whether it holds the same, whoever made it.

        Args:
            other: Of the same samples.
            calls: Also of pipelines that count calls in the main process.
        """
        return self._essence(calls) == other._essence(calls)

    def _essence(self, calls: bool) -> Any:
        left_out = () if calls else TOLD_BY_CALLS
        digests, keys = ({k: v for k, v in of.items() if k not in left_out} for of in (self.digests, self.keys))
        return self.ids, digests, keys, self.blended, self.pasted, self.traced_alike, self.sources


class Everything:
    """A collate function that runs all pipelines on the samples, and records what came of it."""

    def __init__(self) -> None:
        self.told, self.untold = pipelines(), untold()

    def __call__(self, samples: list[Any]) -> Record:
        data = given(samples)
        first, told = traced(self.told, data)
        second, _ = traced(self.untold, data)
        others = warned(self.untold, data)
        traces = first | {f"untold {name}": trace for name, trace in second.items()}
        results = {name: self.told[name](data[name]) for name in FORMS if name not in TOLD_BY_CALLS}
        counted = {name: first[name].plans[0].layers for name in ("ramp", "weights")}
        return Record(
            ids=tuple(index for index, _, _ in samples),
            worker=worker(),
            digests={name: digest_of_trace(trace) for name, trace in traces.items()},
            keys={name: [plan.key for plan in trace.plans] for name, trace in traces.items()},
            blended={name: sum(len(x) for x in layers if x.region is None) for name, layers in counted.items()},
            pasted={name: sum(len(x) for x in layers if x.region is not None) for name, layers in counted.items()},
            traced_alike=all(digest(result) == digest(first[name].after) for name, result in results.items()),
            shared={name: images(results[name]).is_shared() for name in OF_TENSORS},
            sources=(digest(samples), digest(data)),
            warned=(told, others),
        )


def given(samples: list[Any]) -> dict[str, Any]:
    """What every pipeline is called with."""
    return {name: form(samples) for name, form in FORMS.items()}


def traced(pipelines: dict[str, Any], data: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Traces of one call of each, and whom they warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        # A ready batch comes in parts, as of `lambda samples: mix(*default_collate(samples))`.
        traces = {
            name: pipeline.trace(*data[name]) if name in TOLD_BY_CALLS else pipeline.trace(data[name])
            for name, pipeline in pipelines.items()
        }
    return traces, [str(item.message) for item in caught if item.category is mixtransforms.EpochWarning]


def warned(pipelines: dict[str, Any], data: dict[str, Any]) -> list[str]:
    """Whom a call of each warned of, which a trace does not do."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for name, pipeline in pipelines.items():
            pipeline(*data[name]) if name in TOLD_BY_CALLS else pipeline(data[name])
    return [str(item.message) for item in caught if item.category is mixtransforms.EpochWarning]


def images(batch: Any) -> Any:
    """The images of a batch."""
    return batch["image"] if isinstance(batch, dict) else batch[0]


class Shuffled(Sampler):
    """Every index once, in an order that depends on nothing but the epoch."""

    def __init__(self, count: int = PHOTOS) -> None:
        self.count, self.epoch = count, 0

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[int]:
        return iter(np.random.default_rng([137, self.epoch]).permutation(self.count).tolist())


def run(workers: int = 0, start: str | None = None, epochs: int = EPOCHS, **options: Any) -> list[list[Record]]:
    """The records of some epochs of one loader."""
    collate, sampler = Everything(), Shuffled()
    loader = DataLoader(
        Photos(),
        batch_size=SIZE,
        sampler=sampler,
        collate_fn=collate,
        num_workers=workers,
        multiprocessing_context=start if workers else None,
        **options,
    )
    records = []
    for sampler.epoch in range(epochs):
        mixtransforms.set_epoch(list(collate.told.values()), sampler.epoch)
        records.append(list(loader))
    return records


class Ruled(Dataset):
    """Pictures that say where they were cropped: rows in one channel, columns in the next, their number in the last.

    Args:
        own: What the data set itself does with every sample.
    """

    def __init__(self, own: Callable[[Any], Any] | None = None, count: int = 32) -> None:
        self.own, self.count = own, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, Any]:
        image = np.zeros((64, 64, 3), np.uint8)
        image[..., 0], image[..., 1], image[..., 2] = np.arange(64)[:, None], np.arange(64), index
        return {"image": image if self.own is None else self.own(image)}


class Corners:
    """A collate function that reads where a pipeline has cropped: lists of index, row and column."""

    def __init__(self, pipeline: Any, channels_first: bool = False) -> None:
        self.pipeline, self.channels_first = pipeline, channels_first

    def __call__(self, samples: list[Any]) -> list[tuple[int, int, int]]:
        if self.channels_first:
            samples = [{"image": torch.from_numpy(sample["image"]).movedim(-1, 0)} for sample in samples]
        images = self.pipeline(samples)["image"]
        found = images[:, :, 0, 0] if self.channels_first else images[:, 0, 0]
        return [(index, row, column) for row, column, index in np.asarray(found).tolist()]


class Sent:
    """A collate function that sends a batch, and the digest that it had."""

    def __init__(self, pipeline: Any) -> None:
        self.pipeline = pipeline

    def __call__(self, samples: list[Any]) -> tuple[Any, str]:
        batch = self.pipeline(tensors(samples))
        return batch, digest(batch)


class Pickled:
    """A collate function that sends its pipeline as a file would hold it."""

    def __init__(self, pipeline: Any) -> None:
        self.pipeline = pipeline

    def __call__(self, _: list[Any]) -> bytes:
        return pickle.dumps(self.pipeline)


def every_combination(epochs: int = 3) -> Iterator[tuple[str, bool]]:
    """How workers may be started and kept, and whether they make what the main process makes."""
    wanted = [sorted(records, key=lambda record: record.ids) for records in run(epochs=epochs)]
    for start, workers, persistent, in_order in product(
        ("fork", "forkserver", "spawn"), (1, 2, 4), (False, True), (True, False)
    ):
        found = run(workers, start, epochs, persistent_workers=persistent, in_order=in_order)
        same = all(
            some.same_as(other, calls=False)
            for records, others in zip(found, wanted, strict=True)
            for some, other in zip(sorted(records, key=lambda record: record.ids), others, strict=True)
        )
        yield f"{workers} by {start}, persistent_workers={persistent}, in_order={in_order}", same


if __name__ == "__main__":
    # The tests start few processes, which take seconds each; `python tests/support/loaders.py` starts them all.
    warnings.simplefilter("ignore")
    others = 0
    for told, same in every_combination():
        others += not same
        sys.stdout.write(f"{told}: {'the same batches' if same else 'OTHER BATCHES'}\n")
        sys.stdout.flush()
    sys.exit(f"{others} combinations make other batches" if others else 0)
