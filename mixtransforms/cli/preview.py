"""A user's own images through a pipeline file, to one picture or one page."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from html import escape
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mixtransforms.core.errors import InputError, ParameterError, missing
from mixtransforms.mixing.transform import MixTransform

if TYPE_CHECKING:
    from PIL.Image import Image

ENDINGS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
"""Endings of image files, as of torchvision's ImageFolder."""

Track = Callable[[Iterable[int], int], Iterable[int]]
"""Wraps the count of images that are read, to show progress; the second argument is their number."""

PAGES = (".html", ".htm")
"""Endings of pages, which hold the picture, the pipeline as a diagram, and its file."""


@dataclass(frozen=True)
class Folder:
    """Images in one subfolder a class.

    Attributes:
        classes: Names of the subfolders, sorted; the position is the class id, as for ImageFolder.
        files: Paths and class ids, one class after another in turn.
    """

    classes: tuple[str, ...]
    files: tuple[tuple[Path, int], ...]


@dataclass(frozen=True)
class Reading:
    """What was read.

    Attributes:
        images: RGB images and their class ids.
        skipped: Files that could not be read, with the reason.
    """

    images: tuple[tuple[Image, int], ...]
    skipped: tuple[tuple[Path, str], ...]


@dataclass(frozen=True)
class Preview:
    """What :func:`preview` did.

    Attributes:
        output: The picture or the page.
        folder: What was found.
        reading: What was read of it.
    """

    output: Path
    folder: Folder
    reading: Reading


def preview(pipeline: Path, folder: Path, output: Path, batch: int, track: Track | None = None) -> Preview:
    """Runs a pipeline file on images of a folder and draws the result.

    Args:
        pipeline: A file that ``mixtransforms.save`` wrote, for either host.
        folder: One subfolder a class.
        output: The picture or the HTML page to write; its ending says the format.
        batch: Most samples of the batch.
        track: Shows progress while images are read.

    Raises:
        ConfigError: The file is no pipeline.
        InputError: There are no images, or they cannot be mixed by this pipeline.
        ParameterError: The ending is of no format that can be written.
        MissingDependencyError: matplotlib, Pillow or the pipeline's host is not installed.
    """
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # importing it would ask the network for a newer release
    import mixtransforms
    from mixtransforms import show

    _check_ending(output)  # before the long work
    # The file before the folder: it is read in milliseconds, and is the likelier to be wrong.
    loaded = mixtransforms.load(pipeline)
    found = find(folder)
    reading = read(found, batch, track)
    runnable, samples = prepared(loaded, reading)
    title = f"{pipeline.name} on {folder.name}"
    paged = output.suffix.lower() in PAGES
    figure = show.trace(runnable.trace(samples), found.classes, batch, title=None if paged else title)
    if paged:
        output.write_text(_page(title, figure, runnable, pipeline), encoding="utf-8")
    else:
        figure.savefig(output)
    return Preview(output, found, reading)


def find(folder: Path) -> Folder:
    """Finds the classes and images of a folder.

    Raises:
        InputError: It is no folder, or there is no image in any subfolder of it.
    """
    if not folder.is_dir():
        raise _no_images(folder, "no folder")
    # Hidden folders (.ipynb_checkpoints, .cache) are nobody's classes, though ImageFolder takes them.
    classes = sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    if not classes:
        # The most common mistake, told as what it is: images without folders of classes.
        loose = sum(entry.suffix.lower() in ENDINGS for entry in folder.iterdir())
        raise _no_images(folder, f"no subfolders, {loose} images beside them" if loose else "no subfolders")
    # In turn, one of each class: a preview of eight images of the first class would mix like with like.
    columns = [[(path, label) for path in _images_in(folder / name)] for label, name in enumerate(classes)]
    files = [item for row in zip_longest(*columns) for item in row if item is not None]
    if not files:
        raise _no_images(folder, f"{len(classes)} subfolders without images")
    return Folder(tuple(classes), tuple(files))


def read(folder: Folder, count: int, track: Track | None = None) -> Reading:
    """Reads the first images that can be read, the classes in turn.

    Args:
        folder: What was found.
        count: Most images.
        track: Shows progress.

    Raises:
        InputError: None of the files can be read.
    """
    images: list[tuple[Image, int]] = []
    skipped: list[tuple[Path, str]] = []
    # One iterator over all calls below: a file that cannot be read is replaced by the next, and the count stays.
    files = iter(folder.files)
    wanted = min(count, len(folder.files))
    for _ in track(range(wanted), wanted) if track else range(wanted):
        item = _next_readable(files, skipped)
        if item is not None:
            images.append(item)
    if not images:
        raise InputError(
            "No image can be read",
            where=str(folder.files[0][0].parent.parent),
            got=f"{len(skipped)} unreadable files, first {skipped[0][0]}: {skipped[0][1]}",
            wanted="at least one image that Pillow opens",
            fix="Check that the files are images and complete.",
        )
    return Reading(tuple(images), tuple(skipped))


def prepared(pipeline: Any, reading: Reading) -> tuple[Any, list[Any]]:
    """A pipeline that can be traced, and samples in the form that its host takes.

    A stock Compose of a host, or a single mix, is put into a BatchCompose. torchvision gets ``(image, class id)`` with
    Pillow images, as of ImageFolder; where no transform would turn them into tensors, with tensors.
    """
    from mixtransforms.files.registry import host_of

    host = host_of(pipeline)
    # Without a host nothing converts pictures, so arrays are what a plain mix takes.
    if host == "neutral":
        return pipeline, [(np.asarray(image), label) for image, label in reading.images]
    if host == "albumentations":
        return _albumentations(pipeline), [{"image": np.asarray(i), "label": label} for i, label in reading.images]
    compose = _torchvision(pipeline)
    # It expects Pillow images, as ImageFolder gives them, and may have transforms for these before the one that
    # converts.
    if _converts(compose):
        return compose, list(reading.images)
    from torchvision.transforms.v2 import functional

    return compose, [(functional.to_image(image), label) for image, label in reading.images]


def _page(title: str, figure: Any, pipeline: Any, file: Path) -> str:
    """One page that needs no other file: the picture, the pipeline as a diagram, and what its file says."""
    from mixtransforms.show.html import render

    picture = render.Png(figure._repr_png_(), figure.alt)
    diagram = f"<h2>Pipeline</h2>{pipeline._repr_html_()}"
    # Read again as text: a page shows the file that was given, with its order and notes, not what we would write.
    text = escape(file.read_text(encoding="utf-8"), quote=False)
    return render.html_page(
        title, [picture, diagram, f"<details><summary>{escape(file.name)}</summary><pre>{text}</pre></details>"]
    )


def _check_ending(output: Path) -> None:
    try:
        from matplotlib.figure import Figure
    except ImportError as reason:
        raise missing("matplotlib", "show", "mixtransforms preview") from reason
    # Asked of matplotlib, whose list depends on what it was built with.
    known = [*Figure().canvas.get_supported_filetypes(), *(ending.removeprefix(".") for ending in PAGES)]
    if output.suffix.lower().removeprefix(".") not in known:
        raise ParameterError(
            "Neither a picture nor a page",
            where="--output",
            got=repr(str(output)),
            wanted="a name ending in ." + ", .".join(sorted(known)),
            fix="Name it, for example, preview.png or preview.html.",
        )


def _torchvision(pipeline: Any) -> Any:
    from torchvision.transforms import v2

    from mixtransforms.torchvision import BatchCompose

    if isinstance(pipeline, BatchCompose):
        return pipeline
    return BatchCompose(pipeline.transforms if isinstance(pipeline, v2.Compose) else [pipeline])


def _albumentations(pipeline: Any) -> Any:
    import albumentations as A

    from mixtransforms.albumentations import BatchCompose

    if isinstance(pipeline, BatchCompose):
        return pipeline
    return BatchCompose(list(pipeline.transforms) if isinstance(pipeline, A.Compose) else [pipeline])


def _converts(transform: Any) -> bool:
    """Whether a torchvision transform, or one inside it, turns Pillow images into tensors."""
    # A OneOf of ours has children as well, and none of them converts anything.
    if isinstance(transform, MixTransform):
        return False
    children = getattr(transform, "transforms", ())
    return type(transform).__name__ in ("ToImage", "PILToTensor", "ToTensor") or any(map(_converts, children))


def _images_in(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder, followlinks=True):
        # In place, which os.walk goes by: order must not depend on the file system.
        folders.sort()
        yield from (Path(root, name) for name in sorted(names) if name.lower().endswith(ENDINGS))


def _next_readable(files: Iterator[tuple[Path, int]], skipped: list[tuple[Path, str]]) -> tuple[Image, int] | None:
    for path, label in files:
        try:
            return _opened(path), label
        # Pillow's decoders raise all of these for broken files.
        except (OSError, SyntaxError, ValueError, EOFError) as reason:
            skipped.append((path, str(reason) or type(reason).__name__))
    return None


def _opened(path: Path) -> Image:
    try:
        from PIL import Image
    except ImportError as reason:
        raise missing("pillow", "cli", "mixtransforms preview") from reason
    try:
        with Image.open(path) as image:
            # Inside of `with`: Pillow reads the pixels only now. RGB, since palettes, grey and alpha cannot stand in
            # one batch.
            return image.convert("RGB")
    # One of Pillow's own classes, which is no OSError: turned into what a broken file raises.
    except Image.DecompressionBombError as reason:
        raise ValueError(str(reason)) from reason


def _no_images(folder: Path, got: str) -> InputError:
    return InputError(
        "No images found",
        where=str(folder),
        got=got,
        wanted="a folder with one subfolder a class and images in them, such as photos/cat/1.jpg",
        fix="Files ending in " + ", ".join(ENDINGS) + " are images.",
    )
