"""The demo: real photos and digits through one pipeline per host, to pictures, to JSON files and back. No network."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixtransforms.containers.tree import walk
from mixtransforms.core.backends import backend_of
from mixtransforms.core.errors import ConfigError, MissingDependencyError, missing
from mixtransforms.kernels import kernel_of
from mixtransforms.mixing.trace import Trace
from mixtransforms.plan import Plan

PHOTOS = ("china", "flower")
"""The two photos that come with scikit-learn; each is a class."""

_SIDE = 360
"""Side of the crops that are the samples: overlapping squares of a 427 x 640 photo."""

_CORNERS = (((0, 0), (10, 60)), ((20, 30), (40, 130)), ((45, 15), (67, 180)), ((67, 60), (25, 220)))
"""Top left corners ``(y, x)`` of the crops of both photos, chosen around the building and the flower."""

_SEEDS = {"torchvision": 13, "albumentations": 4, "digits": 140}
"""Seeds whose first batch shows blends and pastes of all sizes."""

_PAIRING = "different_class"
"""Two crops of one photo, mixed, look as if nothing had happened. Alphas of 2 make blends of which both are seen."""

_TOLD = 3
"""How many samples are put into words."""

Say = Callable[[str], None]
Images = NDArray[np.uint8]


@dataclass(frozen=True)
class Host:
    """One host's half of the demo.

    Attributes:
        name: As in the names of files.
        title: As people call it.
        pipeline: Builds the pipeline.
        samples: The samples, in the form that the host takes, from crops ``(360, 360, 3)`` and class ids.
    """

    name: str
    title: str
    pipeline: Callable[[], Any]
    samples: Callable[[list[tuple[Images, int]]], list[Any]]


def torchvision_pipeline() -> Any:
    """Crop, flip, rotation and colour jitter for every sample, then MixUp or CutMix, in torchvision v2."""
    # Hosts are imported inside: each half of the demo runs where only its own host is installed.
    import torch
    from torchvision.transforms import v2

    from mixtransforms.torchvision import BatchCompose, CutMix, MixUp, OneOf

    return BatchCompose(
        [
            v2.RandomRotation(10),
            v2.CenterCrop(304),  # what a turn by 10 degrees leaves without black corners
            # Cropped to one size before the mix: samples of a batch must fit on one another.
            v2.RandomResizedCrop(224, scale=(0.5, 1.0)),
            v2.RandomHorizontalFlip(),
            v2.ColorJitter(brightness=0.2, contrast=0.2, saturation=0.2, hue=0.02),
            v2.ToImage(),
            OneOf([MixUp(alpha=2.0, pairing=_PAIRING), CutMix(alpha=1.0, pairing=_PAIRING)], num_classes=len(PHOTOS)),
            # After the mix: bytes are a quarter of the memory to mix, and come out the same on every back end.
            v2.ToDtype(torch.float32, scale=True),
        ],
        seed=_SEEDS["torchvision"],
    )


def albumentations_pipeline() -> Any:
    """Crop, flip, rotation and colour jitter for every sample, then MixUp or CutMix, in Albumentations."""
    import albumentations as A

    from mixtransforms.albumentations import BatchCompose, CutMix, MixUp, OneOf

    return BatchCompose(
        [
            A.Rotate(limit=10, p=1.0),
            A.CenterCrop(304, 304),
            A.RandomResizedCrop(size=(224, 224), scale=(0.5, 1.0)),
            A.HorizontalFlip(p=0.5),
            A.ColorJitter(brightness=(0.8, 1.2), contrast=(0.8, 1.2), saturation=(0.8, 1.2), hue=(-0.02, 0.02), p=1.0),
            OneOf([MixUp(alpha=2.0, pairing=_PAIRING), CutMix(alpha=1.0, pairing=_PAIRING)], num_classes=len(PHOTOS)),
        ],
        seed=_SEEDS["albumentations"],
    )


def photo_crops() -> list[tuple[Images, int]]:
    """Overlapping crops of both photos with their classes, in turn."""
    datasets = _datasets()
    # Two photos of 427 x 640 are too few for a batch; overlapping crops are samples that differ and still show both.
    photos = [np.asarray(photo, np.uint8) for photo in datasets.load_sample_images().images]
    return [
        (np.ascontiguousarray(photos[photo][top : top + _SIDE, left : left + _SIDE]), photo)
        for corners in _CORNERS
        for photo, (top, left) in enumerate(corners)
    ]


def digits(count: int = 8) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Handwritten digits, enlarged: ``(count, 64, 64)`` float32 within [0, 1], and their classes."""
    from PIL import Image

    data = _datasets().load_digits()
    small = (data.images[:count] / 16.0).astype(np.float32)  # of 8 x 8 pixels, from 0 to 16
    images = [Image.fromarray(image).resize((64, 64), Image.Resampling.BICUBIC) for image in small]
    # Bicubic enlarging overshoots at edges.
    return np.stack([np.asarray(image) for image in images]).clip(0.0, 1.0), data.target[:count].astype(np.int64)


def run(output: Path, say: Say) -> list[Path]:
    """Runs the demo.

    Args:
        output: Folder for the files; it is made, and files of an earlier run are replaced.
        say: Takes every line of what is told.

    Returns:
        The files that were written.

    Raises:
        MissingDependencyError: scikit-learn, matplotlib, or both hosts are not installed.
        ConfigError: A pipeline came back from its file and gave another batch.
    """
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # importing it would ask the network for a newer release
    say("Loading photos and libraries, which takes some seconds ...")
    crops = photo_crops()
    output.mkdir(parents=True, exist_ok=True)
    say(f"{len(crops)} samples: overlapping crops of two photos, {' and '.join(PHOTOS)}; each photo is a class.")
    written: list[Path] = []
    for host in HOSTS:
        try:
            written += _run_host(host, crops, output, say)
        # One host is enough for a demo; with none it fails below.
        except MissingDependencyError as error:
            say(f"\n{host.title}: skipped. {error}")
    if not written:
        raise missing("torchvision or Albumentations", "torchvision", "mixtransforms demo")
    written.append(_run_digits(output, say))
    say("\nAll files are in " + str(output.resolve()))
    return written


def _run_host(host: Host, crops: list[tuple[Images, int]], output: Path, say: Say) -> list[Path]:
    import mixtransforms
    from mixtransforms import show

    pipeline = host.pipeline()
    samples = host.samples(crops)
    trace = pipeline.trace(samples)
    file, picture = output / f"{host.name}.json", output / f"{host.name}.png"
    say(f"\n{host.title}: crop, flip, rotation and colour jitter for every sample, then MixUp or CutMix")
    _tell(trace, [PHOTOS[label] for _, label in crops], say)
    mixtransforms.save(pipeline, file)
    # The promise of files, kept where people look first: same seed, same batch, from the file alone.
    _check_equal(trace.after, mixtransforms.load(file)(samples), file)
    say(f"  pipeline: {file} (loaded again: it gives an equal batch)")
    title = f"{host.title}: crop, flip, rotation, colour jitter, then MixUp or CutMix"
    show.trace(trace, PHOTOS, title=title).savefig(picture)
    say(f"  picture:  {picture}")
    return [file, picture]


def _run_digits(output: Path, say: Say) -> Path:
    from mixtransforms import CutMix, MixUp, OneOf, show

    images, labels = digits()
    mix = OneOf([MixUp(alpha=2.0), CutMix(alpha=1.0)], num_classes=10, seed=_SEEDS["digits"])
    trace = mix.trace(images, labels)
    picture = output / "digits.png"
    say("\nDigits, plain NumPy arrays: MixUp or CutMix without a host")
    _tell(trace, [f"digit {label}" for label in labels.tolist()], say)
    names = [f"digit {label}" for label in range(10)]
    show.trace(trace, names, title="NumPy arrays: MixUp or CutMix").savefig(picture)
    say(f"  picture:  {picture}")
    return picture


def _tell(trace: Trace, classes: list[str], say: Say) -> None:
    """The first samples in words."""
    for plan in trace.plans:
        for row in range(min(_TOLD, plan.size)):
            say("  " + described(plan, row, classes))
        if plan.size > _TOLD:
            say(f"  and {plan.size - _TOLD} more")


def described(plan: Plan, row: int, classes: list[str]) -> str:
    """One sample of a plan in words, with the class of every source."""
    pairs = zip(plan.sources[row].tolist(), plan.share[row].tolist(), strict=True)
    parts = [f"{100 * share:.1f}% {classes[source]} (sample {source})" for source, share in pairs if share > 0]
    if len(parts) == 1:
        return f"sample {row} is not mixed: {parts[0]}"
    # A region means a paste, also in a row that a OneOf might have blended.
    pasted = any(layer.region is not None and row in layer.rows for layer in plan.layers)
    return f"sample {row} is a {'paste' if pasted else 'blend'}: " + " + ".join(parts)


def _check_equal(first: Any, second: Any, file: Path) -> None:
    # Bit by bit: both are seeded and the same code ran, so anything else is a bug of ours and not noise.
    for (path, one), (_, other) in zip(_arrays(first), _arrays(second), strict=True):
        if not np.array_equal(one, other):
            raise ConfigError(
                "The pipeline came back from its file and gives another batch",
                where=f"{file}, {path}",
                got="other values",
                wanted="equal batches for equal seeds",
                fix="Please report this as a bug of mixtransforms.",
            )


def _arrays(batch: Any) -> Iterable[tuple[tuple[str | int, ...], NDArray[Any]]]:
    for path, leaf in walk(batch, lambda *_: False):
        backend = backend_of(leaf)
        if backend is not None:
            yield path, kernel_of(backend).to_host(leaf)


def _pillow_samples(crops: list[tuple[Images, int]]) -> list[Any]:
    from PIL import Image

    return [(Image.fromarray(image), label) for image, label in crops]


def _named_samples(crops: list[tuple[Images, int]]) -> list[Any]:
    return [{"image": image, "label": label} for image, label in crops]


def _datasets() -> Any:
    try:
        from sklearn import datasets
    except ImportError as reason:
        raise missing("scikit-learn", "demo", "mixtransforms demo") from reason
    return datasets


HOSTS = (
    Host("torchvision", "torchvision v2", torchvision_pipeline, _pillow_samples),
    Host("albumentations", "Albumentations", albumentations_pipeline, _named_samples),
)
