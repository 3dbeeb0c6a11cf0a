"""What the package wants to reach, as rows that are read from the same run: ``python benchmarks/mixing.py --goals``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from harness import Measured

LEAST, MOST = "at least", "at most"

Results = Mapping[str, Any]
"""What was measured, by the keys of cases."""


class Bounds(NamedTuple):
    """What is wanted.

    Attributes:
        compiled: With the compiled kernel.
        plain: Without it.
        threads: With two threads and the kernel; ``None`` where that is not asked.
    """

    compiled: float
    plain: float
    threads: float | None = None


class Setting(NamedTuple):
    """What a run is of.

    Attributes:
        compiled: Whether the kernel is there.
        threads: How many there are.
    """

    compiled: bool = True
    threads: int = 1

    def of(self, bounds: Bounds) -> float | None:
        """The bound that counts, or ``None``."""
        if self.threads > 1:
            return bounds.threads if self.compiled else None
        return bounds.compiled if self.compiled else bounds.plain


@dataclass(frozen=True)
class Goal:
    """One goal.

    Attributes:
        text: What is to be reached.
        case: The key of the case that tells.
        figure: Reads the figure from what was measured.
        bound: ``"at least"`` or ``"at most"``.
        bounds: Of the figure.
        unit: Of the figure.
    """

    text: str
    case: str
    figure: Callable[[Any], float]
    bound: str
    bounds: Bounds
    unit: str = "times"

    def judged(self, results: Results, setting: Setting) -> dict[str, Any] | None:
        """The row of the table, ``met`` being ``None`` where a contender is missing; ``None`` without a bound."""
        value = setting.of(self.bounds)
        if value is None:
            return None
        row: dict[str, Any] = {"goal": self.text, "wanted": f"{self.bound} {value:g} {self.unit}", "met": None}
        try:
            figure = self.figure(results[self.case])
        except KeyError as missing:
            return row | {"figure": None, "verdict": f"not measured: no {missing.args[0]}"}
        met = figure >= value if self.bound == LEAST else figure <= value
        missed = value / figure if self.bound == LEAST else figure / value
        shown = f"{figure:.2f} {self.unit}"
        return row | {
            "figure": figure,
            "shown": shown,
            "met": met,
            "verdict": "met" if met else f"missed by {missed:.2f}x",
        }


def faster(text: str, case: str, ours: str, peers: Sequence[str], bounds: Bounds) -> Goal:
    """So many times as fast as the fastest of some peers, by medians."""
    return Goal(
        text, case, lambda seen: min(map(seen.median, peers)) / seen.median(ours), LEAST, bounds, "times as fast"
    )


def within(text: str, case: str, ours: str, limit: str, bounds: Bounds) -> Goal:
    """So many times as long as something else at the most, by medians."""
    return Goal(text, case, lambda seen: seen.median(ours) / seen.median(limit), MOST, bounds, "times as long")


def small() -> Iterator[Goal]:
    """Small images, where everything but pixels counts."""
    start = "128 x 3 x 32 x 32, 10 classes"
    rows = {
        "MixUp": (Bounds(1.5, 0.6, 1.0), Bounds(1.5, 0.6, 1.0), Bounds(1.9, 0.8, 1.0), Bounds(15, 7)),
        "CutMix": (Bounds(1.4, 0.8, 1.0), Bounds(1.2, 0.4, 1.0), Bounds(1.6, 0.9, 1.0), Bounds(20, 7)),
    }
    for method, (batch, sample, apart, each) in rows.items():
        case, text = f"small {method}", f"{method} {start}"
        yield faster(
            f"{text}, per batch, in place, against timm batch", case, "ours per batch in place", ["timm batch"], batch
        )
        yield faster(f"{text}, per sample, in place, against timm batch", case, "ours in place", ["timm batch"], sample)
        yield faster(
            f"{text}, per batch, out of place, against torchvision", case, "ours per batch", ["torchvision"], apart
        )
        yield faster(f"{text}, per sample, in place, against timm elem", case, "ours in place", ["timm elem"], each)
    microseconds: Callable[[Any], float] = lambda seen: 1e6 * seen.median("ours")  # noqa: E731
    yield Goal("A call without pixels, one array of ids", "without pixels", microseconds, MOST, Bounds(70, 110), "us")


def large() -> Iterator[Goal]:
    """Photos, halves, and many small samples."""
    text = "MixUp float32 64 x 3 x 224 x 224, in place"
    timm = ["timm batch", "timm pair"]
    yield faster(f"{text}, against timm", "photos", "ours in place", timm, Bounds(9, 7, 6))
    yield within(f"{text}, against `copy_`", "photos", "ours in place", "copy_", Bounds(0.9, 1.1, 1.2))
    for dtype in ("float16", "bfloat16"):
        text = f"MixUp {dtype} 64 x 3 x 224 x 224, out of place, against torchvision"
        yield faster(text, dtype, "ours", ["torchvision"], Bounds(2.5, 0.8))
    for method in ("MixUp", "CutMix"):
        text = f"{method} float32 4096 x 3 x 32 x 32, in place"
        yield within(f"{text}, against `copy_`", f"many {method}", "ours in place", "copy_", Bounds(1.2, 3))
        rows: Callable[[Any], float] = lambda seen, method=method: seen.of[method].rest  # noqa: E731
        yield Goal(f"{text}, extra memory", "extra rows", rows, MOST, Bounds(1, 128), "samples")


def collated() -> Iterator[Goal]:
    """Samples of uint8 in fresh memory, and in memory that a worker shares."""
    text, start = "64 uint8 samples of 224 x 224", "collate and mix"
    yield within(
        f"CutMix, {start} {text}, against default_collate",
        "fresh",
        "ours CutMix",
        "default_collate",
        Bounds(0.55, 0.65),
    )
    timm = ["timm MixUp batch", "timm MixUp batch, arrays"]
    yield faster(f"MixUp, {start} {text}, against timm", "fresh", "ours MixUp", timm, Bounds(3.4, 3))
    for method in ("MixUp", "CutMix"):
        name = f"{method}, {start} {text} in a worker, against default_collate"
        yield within(name, "worker", f"ours {method}", "default_collate", Bounds(1.0, 1.05))


def objects() -> Iterator[Goal]:
    """Boxes and masks of instances."""

    def an_image(seen: Measured) -> float:
        return 1e6 * (seen.median("0 boxes") - seen.median("images")) / 64

    def a_box(seen: Measured) -> float:
        return 1e6 * (seen.median("100 boxes") - seen.median("0 boxes")) / 6400

    def masks(seen: Measured) -> float:
        return (seen.median("ours") - seen.median("images")) / seen.median("copy")

    yield Goal("Records of boxes, an image", "records", an_image, MOST, Bounds(25, 35), "us")
    yield Goal("Records of boxes, a box", "records", a_box, MOST, Bounds(0.2, 0.3), "us")
    text = "50 instance masks an image, against a copy of them"
    yield Goal(text, "instances", masks, MOST, Bounds(2, 3), "times as long")


def resized() -> Iterator[Goal]:
    """Crops of donors."""
    for dtype in ("float32", "uint8"):
        case = f"resize {dtype}"
        yield within(f"Resizing {dtype} against torch's, antialiased", case, "ours", "torch", Bounds(1.5, 8))
        text = f"ResizeMix {dtype} 64 x 3 x 224 x 224, against clone"
        yield within(text, case, "ResizeMix", "clone", Bounds(4, 12))


def pipelines() -> Iterator[Goal]:
    """Whole pipelines."""
    text = "BatchCompose of 64 samples of 256 x 256, against the host's own loop with the same mix"
    yield within(text, "samples", "ours", "loop", Bounds(1.05, 1.05))


def goals() -> list[Goal]:
    """All goals."""
    return [*small(), *large(), *collated(), *objects(), *resized(), *pipelines()]


def judged(results: Results, setting: Setting) -> list[dict[str, Any]]:
    """The rows of the table."""
    return [row for goal in goals() if (row := goal.judged(results, setting)) is not None]
