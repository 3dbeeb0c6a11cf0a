"""What the package wants to reach, as rows that are read from the same run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

METHODS = ("MixUp", "CutMix")
LEAST, MOST = "at least", "at most"

Results = Mapping[str, Any]
"""What was measured, by the keys of cases."""


@dataclass(frozen=True)
class Goal:
    """One goal.

    Attributes:
        text: What is to be reached.
        case: The key of the case that tells.
        figure: Reads the figure from what was measured.
        bound: ``"at least"`` or ``"at most"``.
        value: The bound of the figure.
        unit: Of the figure.
    """

    text: str
    case: str
    figure: Callable[[Any], float]
    bound: str
    value: float
    unit: str = "times"

    def judged(self, results: Results) -> dict[str, Any]:
        """The row of the table as plain data; ``met`` is ``None`` where a contender is missing."""
        row: dict[str, Any] = {"goal": self.text, "wanted": f"{self.bound} {self.value:g} {self.unit}", "met": None}
        try:
            figure = self.figure(results[self.case])
        except KeyError as missing:
            return row | {"figure": None, "verdict": f"not measured: no {missing.args[0]}"}
        met = figure >= self.value if self.bound == LEAST else figure <= self.value
        missed = self.value / figure if self.bound == LEAST else figure / self.value
        shown = f"{figure:.2f} {self.unit}"
        return row | {
            "figure": figure,
            "shown": shown,
            "met": met,
            "verdict": "met" if met else f"missed by {missed:.2f}x",
        }


def faster(text: str, case: str, ours: str, peers: tuple[str, ...], least: float) -> Goal:
    """So many times as fast as the fastest of some peers."""
    return Goal(text, case, lambda seen: min(seen.ratio(peer, ours) for peer in peers), LEAST, least, "times as fast")


def within(text: str, case: str, ours: str, limit: str, most: float) -> Goal:
    """So many times as long as a bare copy at the most."""
    return Goal(text, case, lambda seen: seen.ratio(ours, limit), MOST, most, "times as long")


def photos() -> list[Goal]:
    """Ready batches of photos."""
    size = "float32 64 x 3 x 224 x 224"
    timm = ("timm batch", "timm pair", "timm elem")
    goals = []
    for method in METHODS:
        case = f"photos {method}"
        start = f"{method}, {size}"
        goals.append(faster(f"{start}, in place, against timm", case, "ours in place", timm, 5))
        if method == "MixUp":
            goals.append(within(f"{start}, in place, against `copy_`", case, "ours in place", "copy_", 1.5))
        goals.append(faster(f"{start}, out of place, against torchvision", case, "ours", ("torchvision",), 1.7))
        goals.append(within(f"{start}, out of place, against `clone`", case, "ours", "clone", 1.3))
        for peer in ("kornia", "keras"):
            goals.append(faster(f"{start}, in place, against {peer}", case, "ours in place", (peer,), 10))
            goals.append(faster(f"{start}, out of place, against {peer}", case, "ours", (peer,), 4))
    return goals


def small() -> list[Goal]:
    """Ready batches of small images, where everything but pixels counts."""
    goals = []
    for classes in (10, 1000):
        for method in METHODS:
            case = f"small {method} {classes}"
            start = f"{method}, 128 x 3 x 32 x 32, {classes} classes"
            batch, sample = f"{start}, per='batch'", f"{start}, per='sample', in place"
            goals += [
                faster(f"{batch}, against torchvision", case, "ours per batch", ("torchvision",), 2),
                faster(f"{batch}, in place, against timm batch", case, "ours per batch in place", ("timm batch",), 1.5),
                faster(f"{sample}, against timm batch", case, "ours in place", ("timm batch",), 1),
                faster(f"{sample}, against timm elem", case, "ours in place", ("timm elem",), 10),
            ]
    return goals


def collation() -> list[Goal]:
    """Samples of uint8; without a seed, and keyed by content beside it."""
    goals = []
    for seed in ("", " seeded"):
        for way, least in (("fresh memory", 3), ("worker, shared memory", 4)):
            case, start = f"collate tuples {way}", f"collate and mix uint8{seed}, {way}"
            # The modes that draw one weight for all, and the two kinds of samples that timm takes.
            timm = ("timm MixUp batch", "timm MixUp batch, arrays")
            goals += [
                faster(f"MixUp, {start}, against timm's FastCollateMixup", case, f"ours MixUp{seed}", timm, least),
                within(f"CutMix, {start}, against default_collate", case, f"ours CutMix{seed}", "default_collate", 1.5),
            ]
    return goals


def objects() -> list[Goal]:
    """What 20 boxes an image add to the pixels, as a share of the time for the pixels alone."""
    goals = []
    for kind, place in (("", "out of place"), (" in place", "in place")):
        for case, form in (("objects CutMix", "tensors"), ("objects CutMix arrays", "NumPy arrays")):
            text = f"CutMix, 20 boxes an image, 64 x 3 x 224 x 224, {form}, {place}: what the boxes add"
            ours, base = f"ours with boxes{kind}", f"ours{kind}"
            figure: Callable[[Any], float] = lambda seen, ours=ours, base=base: seen.ratio(ours, base) - 1  # noqa: E731
            goals.append(Goal(text, case, figure, MOST, 1, "of the pixels' time"))
    return goals


def memory() -> list[Goal]:
    """What is taken beyond the output."""
    goals = []
    for method in METHODS:
        for form in ("ours", "ours, arrays"):
            for kind, place in (("", "out of place, beyond the output"), (" in place", "in place")):
                text = f"{method}, peak extra memory, {'NumPy' if 'arrays' in form else 'tensors'}, {place}"
                figure: Callable[[Any], float] = lambda seen, name=f"{method}: {form}{kind}": seen.of[name].rest  # noqa: E731
                goals.append(Goal(text, "memory", figure, MOST, 1, "samples a thread"))
    return goals


def goals() -> list[Goal]:
    """All goals."""
    return [*photos(), *small(), *collation(), *objects(), *memory()]
