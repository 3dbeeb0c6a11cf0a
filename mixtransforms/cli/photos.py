"""Photos of a folder: found with their classes, and read as what preview shows."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mixtransforms.core.errors import InputError, missing

if TYPE_CHECKING:
    from PIL.Image import Image

ENDINGS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
"""Endings of image files, as of torchvision's ImageFolder."""

DECODERS = ("JPEG", "PNG", "PPM", "BMP", "TIFF", "WEBP")
"""Pillow's names of the formats with these endings: a file is read by no other, whatever is in it."""

Track = Callable[[Iterable[int], int], Iterable[int]]
"""Wraps the count of images that are read, to show progress; the second argument is their number."""

_ORIENTATION, _UPRIGHT = 0x0112, 1
"""The EXIF tag that says how a picture is to be turned, and its value where it is not."""

_SAMPLE_FORMAT, _UNSIGNED = 339, 1
"""The TIFF tag that says what the numbers are."""


@dataclass(frozen=True)
class Folder:
    """Images in one subfolder a class, or images alone.

    Attributes:
        classes: Names of the subfolders, sorted; the position is the class id, as for ImageFolder. None where the
            images lie in the folder itself.
        files: Paths and class ids, one class after another in turn; without classes, no ids.
        remarks: What may not be as it was meant, in sentences.
    """

    classes: tuple[str, ...]
    files: tuple[tuple[Path, int | None], ...]
    remarks: tuple[str, ...] = ()


class Photo(NamedTuple):
    """An image that was read.

    Attributes:
        image: RGB, 8 bits.
        label: Its class id, or ``None`` where there are no classes.
        path: Its file.
    """

    image: Image
    label: int | None
    path: Path


@dataclass(frozen=True)
class Reading:
    """What was read.

    Attributes:
        photos: The images.
        skipped: Files that could not be read, with the reason.
        remarks: Where an image is shown otherwise than some loaders read it, in sentences.
    """

    photos: tuple[Photo, ...]
    skipped: tuple[tuple[Path, str], ...]
    remarks: tuple[str, ...] = ()


def find(folder: Path) -> Folder:
    """Finds the images of a folder, and their classes where it has subfolders.

    Raises:
        InputError: It is no folder, or there is no image in it.
    """
    if not folder.is_dir():
        raise _no_images(folder, "no folder")
    loose = [entry for entry in sorted(folder.iterdir()) if _is_image(entry.name) and entry.is_file()]
    # Hidden folders (.ipynb_checkpoints, .cache) are nobody's classes, though ImageFolder takes them.
    classes = sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    # In turn, one of each class: a preview of eight images of the first class would mix like with like.
    columns = [[(path, label) for path in _images_in(folder / name)] for label, name in enumerate(classes)]
    files = [item for row in zip_longest(*columns) for item in row if item is not None]
    if files:
        return Folder(tuple(classes), tuple(files), tuple(_remarks(folder, classes, columns, len(loose))))
    if loose:
        remark = f"{folder} has no subfolders with images, one a class: its images are mixed without labels."
        return Folder((), tuple((path, None) for path in loose), (remark,))
    raise _no_images(folder, f"{len(classes)} subfolders without images" if classes else "no subfolders and no images")


def _remarks(folder: Path, classes: list[str], columns: list[list[tuple[Path, int]]], loose: int) -> Iterator[str]:
    """What a user may have meant otherwise."""
    if loose:
        yield f"{loose} image{'s' * (loose > 1)} beside the subfolders of {folder} belong to no class and are left out."
    deeper = [column[0][0] for column in columns if column]
    # Every image a folder deeper: train and val, say, are taken for classes.
    if all(path.parent != folder / name for (name, column) in zip(classes, columns, strict=True) for path, _ in column):
        inner = deeper[0].relative_to(folder).parts[0]
        yield (
            f"All images lie in subfolders of {' and '.join(classes[:3])}{' ...' * (len(classes) > 3)}, which are "
            f"taken for classes. If the classes are one folder deeper, preview {folder / inner}."
        )


def read(folder: Folder, count: int, track: Track | None = None) -> Reading:
    """Reads the first images that can be read, the classes in turn.

    Args:
        folder: What was found.
        count: Most images.
        track: Shows progress.

    Raises:
        InputError: None of the files can be read.
    """
    photos: list[Photo] = []
    skipped: list[tuple[Path, str]] = []
    remarks: list[str] = []
    # One iterator over all calls below: a file that cannot be read is replaced by the next, and the count stays.
    files = iter(folder.files)
    wanted = min(count, len(folder.files))
    for _ in track(range(wanted), wanted) if track else range(wanted):
        photo = _next_readable(files, skipped, remarks)
        if photo is not None:
            photos.append(photo)
    if not photos:
        raise InputError(
            "No image can be read",
            where=str(folder.files[0][0].parent.parent),
            got=f"{len(skipped)} unreadable files, first {skipped[0][0]}: {skipped[0][1]}",
            wanted="at least one image that Pillow opens",
            fix="Check that the files are images and complete.",
        )
    return Reading(tuple(photos), tuple(skipped), tuple(remarks))


def _images_in(folder: Path) -> Iterator[Path]:
    visited: set[str] = set()
    for root, folders, names in os.walk(folder, followlinks=True):
        # Links may lead back: every folder is looked through once, under the first name it is met by.
        visited.add(os.path.realpath(root))
        # In place, which os.walk goes by: order must not depend on the file system.
        folders[:] = [name for name in sorted(folders) if not _seen(os.path.join(root, name), visited)]
        yield from (Path(root, name) for name in sorted(names) if _is_image(name) and os.path.isfile(Path(root, name)))


def _seen(folder: str, visited: set[str]) -> bool:
    place = os.path.realpath(folder)
    known = place in visited
    visited.add(place)
    return known


def _is_image(name: str) -> bool:
    return name.lower().endswith(ENDINGS)


def _next_readable(
    files: Iterator[tuple[Path, int | None]], skipped: list[tuple[Path, str]], remarks: list[str]
) -> Photo | None:
    for path, label in files:
        try:
            image, remark = _opened(path)
        # Pillow's decoders raise all of these for broken files.
        except (OSError, SyntaxError, ValueError, EOFError) as reason:
            skipped.append((path, str(reason) or type(reason).__name__))
            continue
        remarks += [f"{path}: {remark}"] if remark else []
        return Photo(image, label, path)
    return None


def _opened(path: Path) -> tuple[Image, str]:
    """The picture as preview shows it, and what is to be said of that."""
    try:
        from PIL import Image
    except ImportError as reason:
        raise missing("pillow", "cli", "mixtransforms preview") from reason
    try:
        with Image.open(path, formats=DECODERS) as image:
            # Inside of `with`: Pillow reads the pixels only now. RGB, since palettes, grey and alpha cannot stand in
            # one batch.
            scaled, remark = _in_bytes(image)
            turned = image.getexif().get(_ORIENTATION, _UPRIGHT) != _UPRIGHT
            told = "EXIF says to turn it; shown as it is stored, as ImageFolder reads it, while cv2.imread turns it."
            return scaled.convert("RGB"), " ".join(part for part in (remark, told * turned) if part)
    # One of Pillow's own classes, which is no OSError: turned into what a broken file raises.
    except Image.DecompressionBombError as reason:
        raise ValueError(str(reason)) from reason


def _in_bytes(image: Any) -> tuple[Any, str]:
    """A picture whose pixels are no bytes, scaled to bytes: Pillow would cut off what is above 255."""
    from PIL import Image

    if not image.mode.startswith(("I", "F")):
        return image, ""
    pixels = np.asarray(image)
    if image.mode == "F":
        name, (low, high) = "float", _ends(pixels)
        low, high = (0.0, 1.0) if 0 <= low <= high <= 1 else (low, high)
    else:
        name, pixels, high = _whole(image, pixels)
        low = 0.0
    scaled = (np.nan_to_num(pixels, posinf=high, neginf=low).astype(np.float64) - low) / ((high - low) or 1.0)
    remark = f"{name} pixels, shown from {low:g} (black) to {high:g} (white)."
    return Image.fromarray((scaled.clip(0, 1) * 255).round().astype(np.uint8)), remark


def _whole(image: Any, pixels: Any) -> tuple[str, Any, float]:
    """The numbers of a grey picture with more than 8 bits, and the largest that its type has."""
    # Pillow opens some PNG and PPM files of 16 bits in 32; neither format has more.
    if image.mode.startswith("I;16") or image.format in ("PNG", "PPM"):
        return "16-bit", pixels, 65535.0
    if getattr(image, "tag_v2", {}).get(_SAMPLE_FORMAT, (_UNSIGNED,))[0] == _UNSIGNED:
        return "32-bit", pixels.view(np.uint32), 2.0**32 - 1
    return "32-bit", pixels, 2.0**31 - 1


def _ends(pixels: Any) -> tuple[float, float]:
    finite = pixels[np.isfinite(pixels)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)


def _no_images(folder: Path, got: str) -> InputError:
    return InputError(
        "No images found",
        where=str(folder),
        got=got,
        wanted="a folder with one subfolder a class and images in them, such as photos/cat/1.jpg, or images alone",
        fix="Files ending in " + ", ".join(ENDINGS) + " are images.",
    )
