"""How the cost of a call grows: ``python benchmarks/scaling.py``.

Prints a table for each of batch size, image size, classes, boxes an image and workers. ``--out benchmarks`` writes them
and a plot into ``benchmarks/RESULTS.md``, ``benchmarks/scaling.json`` and ``benchmarks/scaling.png`` instead.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import batches
import collation
import numpy as np
import objects
import peers
import report
import torch
from harness import Contender, Measured, Settings, compare
from torch.utils.data import DataLoader, default_collate

METHODS = batches.METHODS
BATCHES = 8  # of an epoch
PLOT = "scaling.png"
STYLES = {
    "MixUp": ("C0", "-"),
    "MixUp in place": ("C0", "--"),
    "CutMix": ("C3", "-"),
    "CutMix in place": ("C3", "--"),
    "clone": ("0.5", "-"),
    "copy_": ("0.5", "--"),
    "default_collate": ("0.5", "-."),
}
"""Colours and dashes of the lines."""


class Axis(NamedTuple):
    """One thing that grows.

    Attributes:
        title: Of the table and the panel.
        label: What grows, with its unit.
        values: Its values.
        measure: Takes the settings and a value.
        scale: Of the horizontal axis.
    """

    title: str
    label: str
    values: Sequence[int]
    measure: Callable[[Settings, int], Measured]
    scale: str = "log"


def together(measured: Mapping[str, Measured]) -> Measured:
    """MixUp and CutMix as one; the bare copies are those of the first."""
    times = {}
    for method, seen in measured.items():
        for name, seconds in seen.times.items():
            times.setdefault(name.replace("ours", method), seconds)
    return Measured(times)


def call(settings: Settings, value: int, name: str, **fixed: Any) -> Measured:
    """Ready batches; ``name`` is the field of :class:`batches.Work` that grows."""
    work = batches.Work("", peers=(), variants=(("", {}),), **fixed)
    work = work._replace(**{name: value})
    return together({method: batches.measure(settings, work._replace(method=method)) for method in METHODS})


def with_boxes(settings: Settings, count: int) -> Measured:
    """Images with boxes, as detectors take them."""
    targets = objects.with_tensors(settings, count)
    side = settings.size(objects.SIDE, 32)
    images = torch.rand(len(targets["targets"]), 3, side, side)
    scratch = images.clone()
    return together(
        {
            method: compare(
                list(_with_boxes(method, images, scratch, targets)), settings, partial(scratch.copy_, images)
            )
            for method in METHODS
        }
    )


def _with_boxes(method: str, images: Any, scratch: Any, targets: dict[str, Any]) -> Iterator[Contender]:
    import mixtransforms.torchvision as door

    for inplace in (False, True):
        mix = getattr(door, method)(alpha=1.0, inplace=inplace)
        batch = {"images": scratch if inplace else images} | targets
        yield Contender(f"ours{' in place' if inplace else ''}", partial(mix, batch))


def loaded(settings: Settings, workers: int) -> Measured:
    """A DataLoader: time of a batch, over an epoch of warm workers."""
    import mixtransforms.torchvision as door

    samples: Any = collation.tuples(settings) * BATCHES
    collates: dict[str, Callable[[Any], Any]] = {
        method: getattr(door, method)(alpha=1.0, num_classes=collation.CLASSES) for method in METHODS
    }
    collates["default_collate"] = default_collate
    options: dict[str, Any] = {"num_workers": workers, "persistent_workers": workers > 0}
    options["batch_size"] = len(samples) // BATCHES
    loaders = {name: DataLoader(samples, collate_fn=collate, **options) for name, collate in collates.items()}

    def epoch(loader: Any) -> None:
        for _ in loader:
            pass

    seen = compare([Contender(name, partial(epoch, loader)) for name, loader in loaders.items()], settings)
    return Measured({name: [taken / BATCHES for taken in times] for name, times in seen.times.items()})


AXES = [
    Axis("Batch size, 224 x 224", "samples of a batch", (16, 32, 64, 128, 256), partial(call, name="size")),
    Axis("Image size, batches of 64", "side of an image, pixels", (32, 64, 128, 224, 384), partial(call, name="side")),
    Axis(
        "Classes, 128 x 3 x 32 x 32",
        "classes of the labels",
        (10, 100, 1000, 22_000),
        partial(call, name="classes", size=128, side=32),
    ),
    Axis("Boxes, 64 x 3 x 224 x 224", "boxes an image", (0, 5, 20, 50, 100), with_boxes, "linear"),
    Axis("Workers, 64 uint8 samples of 224 x 224 a batch", "workers of the DataLoader", (0, 1, 2), loaded, "linear"),
]


def run(settings: Settings) -> dict[str, dict[int, Measured]]:
    """Measures all axes; the progress goes to stderr."""
    results = {}
    for number, axis in enumerate(AXES, start=1):
        values = axis.values[:2] if settings.short else axis.values
        results[axis.title] = {}
        for value in values:
            print(f"[{number}/{len(AXES)}] {axis.title}: {value}", file=sys.stderr, flush=True)
            results[axis.title][value] = axis.measure(settings, value)
    return results


def plot(results: Mapping[str, Mapping[int, Measured]], path: Path) -> None:
    """A panel an axis, all of them in milliseconds."""
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt
    from matplotlib.ticker import LogLocator
    from PIL import Image

    figure, panels = plt.subplots(2, 3, figsize=(13, 7.5), dpi=90, layout="constrained")
    lines = {}
    for panel, axis in zip(panels.flat, AXES, strict=False):
        seen = results[axis.title]
        for name in report.columns(seen.values()):
            colour, dash = STYLES[name]
            medians = [1e3 * each.median(name) for each in seen.values()]
            lines[name] = panel.plot(list(seen), medians, dash, color=colour, marker="o", markersize=4)[0]
        panel.set(title=axis.title, xlabel=axis.label, ylabel="time of a batch, ms", xscale=axis.scale, yscale="log")
        panel.set_xticks(list(seen), [str(value) for value in seen], minor=False)
        panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=20))
        panel.yaxis.set_major_formatter("{x:g}")
        panel.minorticks_off()
        panel.grid(alpha=0.3)
    panels.flat[-1].axis("off")
    ordered = [name for name in STYLES if name in lines]
    panels.flat[-1].legend([lines[name] for name in ordered], ordered, loc="center", frameon=False, fontsize=12)
    figure.canvas.draw()
    picture = Image.fromarray(np.asarray(figure.canvas.buffer_rgba())).convert("RGB")
    picture.quantize(64).save(path, optimize=True)  # a few colours take a third of the bytes
    plt.close(figure)


def markdown(results: Mapping[str, Mapping[int, Measured]], about: Mapping[str, Any]) -> str:
    """The part of the page."""
    parts = ["## Scaling", report.header(about), "Medians of whole calls, in ms; float32 where nothing else is said.\n"]
    for axis in AXES:
        seen = results[axis.title]
        names = report.columns(seen.values())
        rows = [[str(value), *(f"{1e3 * each.median(name):.3g}" for name in names)] for value, each in seen.items()]
        parts.append(f"### {axis.title}\n\n{report.table([axis.label, *names], rows)}")
    return "\n".join(parts)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="How the cost of mixing grows.")
    parser.add_argument("--out", type=Path, metavar="DIR", help=f"write {report.PAGE}, scaling.json and {PLOT} there")
    parser.add_argument("--short", action="store_true", help="tiny work, one turn: does everything run?")
    parser.add_argument("--turns", type=int, default=15, help="most turns of a point")
    parser.add_argument("--seconds", type=float, default=4.0, help="most seconds of a point, about")
    options = parser.parse_args(arguments)
    peers.quiet()
    settings = Settings(options.turns, options.seconds, options.short)
    before = report.busy()
    results = run(settings)
    about = report.machine(before)
    text = markdown(results, about)
    if options.out is None:
        print(text)
        return
    options.out.mkdir(parents=True, exist_ok=True)
    plot(results, options.out / PLOT)
    text = f"{text}\n![Time of a batch against batch size, image size, classes, boxes and workers]({PLOT})\n"
    points = {
        title: [{"value": value, "contenders": each.records()} for value, each in seen.items()]
        for title, seen in results.items()
    }
    report.save(options.out, "scaling", text, {"machine": about, "axes": points})


if __name__ == "__main__":
    main()
