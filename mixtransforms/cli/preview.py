"""A user's own images through a pipeline file, to one picture or one page."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from html import escape
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from mixtransforms.cli.adapt import adapted
from mixtransforms.cli.photos import Folder, Photo, Reading, Track, find, read
from mixtransforms.core.errors import ExplainedError, InputError, ParameterError, missing
from mixtransforms.files.storage import require_file
from mixtransforms.methods.base import Method
from mixtransforms.methods.schedules import Schedule
from mixtransforms.mixing.epochs import set_epoch
from mixtransforms.mixing.host_stages import nested
from mixtransforms.mixing.trace import Trace
from mixtransforms.mixing.transform import MixTransform

PAGES = (".html", ".htm")
"""Endings of pages, which hold the picture, the pipeline as a diagram, and its file."""

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".svg", ".pdf", ".eps", ".tif", ".tiff")
"""Endings of pictures that people open; matplotlib also writes raw pixels and sources of LaTeX."""


@dataclass(frozen=True)
class Preview:
    """What :func:`preview` did.

    Attributes:
        output: The picture or the page.
        folder: What was found.
        reading: What was read of it.
        mixed: How many of the images were mixed.
        epoch: The epoch that was shown; ``None`` where nothing depends on it and none was asked for.
        remarks: What is otherwise than it may be thought, in sentences.
    """

    output: Path
    folder: Folder
    reading: Reading
    mixed: int
    epoch: int | None
    remarks: tuple[str, ...]


def preview(
    pipeline: Path, folder: Path, output: Path, batch: int, track: Track | None = None, epoch: int | None = None
) -> Preview:
    """Runs a pipeline file on images of a folder and draws the result.

    Args:
        pipeline: A file that ``mixtransforms.save`` wrote, for either host.
        folder: One subfolder a class, or images alone.
        output: The picture or the HTML page to write; its ending says the format.
        batch: Most samples of the batch.
        track: Shows progress while images are read.
        epoch: Whose values schedules have; ``None`` takes the first one in which they mix the most.

    Raises:
        ConfigError: The file is no pipeline, or what is to be written is there and no file.
        InputError: There are no images, or they cannot be mixed by this pipeline.
        ParameterError: The ending is of no format that can be written, or there is no folder for it.
        MissingDependencyError: matplotlib, Pillow or the pipeline's host is not installed.
    """
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # importing it would ask the network for a newer release
    import mixtransforms
    from mixtransforms import show

    _check_output(output)  # before the long work
    # The file before the folder: it is read in milliseconds, and is the likelier to be wrong.
    loaded = mixtransforms.load(pipeline)
    found = find(folder)
    reading = read(found, batch, track)
    runnable, samples, remarks = adapted(loaded, reading.photos, len(found.classes))
    mixes = [each for each in nested(runnable) if isinstance(each, MixTransform)]
    busiest = _busiest_epoch(mixes)
    epoch = busiest if epoch is None else epoch
    if epoch is not None and mixes:
        set_epoch(runnable, epoch)
    trace = _traced(runnable, samples, reading.photos)
    title = f"{pipeline.name} on {folder.name}" + ("" if epoch is None else f", epoch {epoch}")
    paged = output.suffix.lower() in PAGES
    figure = show.trace(trace, found.classes or None, batch, title=None if paged else title)
    if paged:
        output.write_text(_page(title, figure, runnable, pipeline), encoding="utf-8")
    else:
        figure.savefig(output)
    mixed = sum(map(any, zip(*(plan.mixed.tolist() for plan in trace.plans), strict=True)))
    told = (*found.remarks, *reading.remarks, *remarks, *_why_unmixed(mixed, mixes, len(samples), epoch, busiest))
    return Preview(output, found, reading, mixed, epoch, told)


# ------------------------------------------------------------------------------------------------ epochs


def _busiest_epoch(mixes: Sequence[Any]) -> int | None:
    """The first epoch in which schedules mix the most; ``None`` where there are none of these."""
    schedules = [schedule for mix in mixes for schedule in _schedules(mix.method)]
    if not schedules:
        return None
    epochs = np.arange(max(schedule.last for schedule in schedules) + 1)
    values = np.stack([schedule.over(epochs) for schedule in schedules])
    # Each as a part of its own highest value: an alpha of 8 would outweigh every p.
    return int((values / np.maximum(values.max(axis=1, keepdims=True), 1e-9)).sum(axis=0).argmax())


def _schedules(method: Method) -> Iterator[Schedule]:
    """Schedules of how much a method mixes, also inside of a choice."""
    for item in fields(method):
        value = getattr(method, item.name)
        if isinstance(value, Schedule) and item.name in ("p", "alpha"):
            yield value
        for inner in value if isinstance(value, tuple) else ():
            if isinstance(inner, Method):
                yield from _schedules(inner)


def _why_unmixed(mixed: int, mixes: Sequence[Any], count: int, epoch: int | None, busiest: int | None) -> Iterator[str]:
    """The reason where nothing is mixed, and the way out; the epoch where there is a choice."""
    if not mixes:
        yield "Nothing in this pipeline mixes."
    elif count == 1:
        yield "A sample is mixed with others, and there is one: give more images."
    elif busiest is not None and epoch != busiest and not mixed:
        yield f"Nothing is mixed in epoch {epoch}; schedules mix the most from epoch {busiest} on: --epoch {busiest}."
    elif busiest is not None:
        yield f"Shown is epoch {epoch}; schedules change what is mixed, and --epoch shows another."
    elif not mixed:
        chances = ", ".join(f"p={mix.method.p:g}" for mix in mixes)
        yield f"Nothing is mixed here: {chances} in the file, which says how many samples are."


# ------------------------------------------------------------------------------------------------ failures of a host


def _traced(runnable: Any, samples: Sequence[Any], photos: Sequence[Photo]) -> Trace:
    """One call.

    Raises:
        InputError: A transform of the host fails; names it, and the photo where one alone makes it fail.
    """
    try:
        trace: Trace = runnable.trace(list(samples))
    except ExplainedError:
        raise
    except Exception as reason:
        name = _failing(reason.__traceback__)
        if name is None:  # a fault of ours, which keeps its traceback
            raise
        culprit = next((photo for photo, each in zip(photos, samples, strict=True) if _fails(runnable, each)), None)
        raise _failed(name, reason, culprit) from reason
    return trace


def _failing(traceback: TracebackType | None) -> str | None:
    """The transform of a host that an error comes from: the innermost whose method was running."""
    name = None
    while traceback is not None:
        owner = traceback.tb_frame.f_locals.get("self")
        kind = type(owner)
        inside = kind.__module__.split(".")[0] in ("torchvision", "albumentations") and callable(owner)
        name = kind.__name__ if inside else name
        traceback = traceback.tb_next
    return name


def _fails(runnable: Any, sample: Any) -> bool:
    # Draws follow from the content where there is a seed: what failed among others fails alone.
    try:
        runnable.trace([sample])
    except Exception:  # noqa: BLE001  whatever a host raises
        return True
    return False


def _failed(name: str, reason: Exception, photo: Photo | None) -> InputError:
    width, height = photo.image.size if photo else (0, 0)
    return InputError(
        f"{name} fails",
        where=f"{photo.path}, {width} x {height} pixels" if photo else "on these photos",
        got=f"{type(reason).__name__}: {' '.join(str(reason).split())}",
        wanted="photos that it takes",
        fix="Put a step before it that makes them fit, such as a Resize, or leave the file out. Photos come with their "
        "class alone: a step that needs boxes, masks or keypoints has to be left out of a copy of the pipeline.",
    )


# ------------------------------------------------------------------------------------------------ what is written


def _page(title: str, figure: Any, pipeline: Any, file: Path) -> str:
    """One page that needs no other file: the picture, the pipeline as a diagram, and what its file says."""
    from mixtransforms.show.html import render

    picture = render.Png(figure._repr_png_(), figure.alt)
    diagram = f"<h2>Pipeline</h2>{pipeline._repr_html_()}"
    # Read again as text: a page shows the file that was given, with its order and notes, not what we would write.
    text = escape(file.read_text(encoding="utf-8-sig"), quote=False)
    return render.html_page(
        title, [picture, diagram, f"<details><summary>{escape(file.name)}</summary><pre>{text}</pre></details>"]
    )


def _check_output(output: Path) -> None:
    try:
        from matplotlib.figure import Figure
    except ImportError as reason:
        raise missing("matplotlib", "show", "mixtransforms preview") from reason
    # Asked of matplotlib, whose list depends on what it was built with.
    written = Figure().canvas.get_supported_filetypes()
    known = (*(ending for ending in PICTURES if ending.removeprefix(".") in written), *PAGES)
    if output.suffix.lower() not in known:
        raise ParameterError(
            "Neither a picture nor a page",
            where="--output",
            got=repr(str(output)),
            wanted="a name ending in " + ", ".join(known),
            fix="Name it, for example, preview.png or preview.html.",
        )
    require_file(output, "Give a name that is free, or that of a file.")
    if not output.parent.is_dir():
        raise ParameterError(
            "No such folder",
            where="--output",
            got=repr(str(output)),
            wanted="a file in a folder that is there",
            fix=f'Make it first: mkdir -p "{output.parent}"',
        )
