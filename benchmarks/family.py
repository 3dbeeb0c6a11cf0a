"""Calls of every method beside `clone` and beside MixUp's, on ready batches of photos.

One thread, in one process, in turns, each turn in another order; a ratio is the median of those of single turns. What a
method needs besides images and labels is not given: such methods are left out, and said so. Behind that, methods of
other libraries beside ours with the same law, as far as they are installed: ``benchmarks/family_peers.py`` says what
remains different. With ``--goals`` only what goals are read from is measured, with ``--peers`` only what others have.

    python benchmarks/family.py --peers
"""

from __future__ import annotations

import argparse
import functools
import os
from collections.abc import Callable, Iterator
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import family_peers
import numpy as np
import peers
import report
import torch
from family_peers import Configuration
from goals import Bounds, Goal, Setting, within
from harness import Contender, Measured, Settings, compare, use_threads

import mixtransforms
from mixtransforms.methods.registry import METHODS

SIZE, SIDE, CLASSES = 64, 224, 1000
DTYPES = ("float32", "uint8")


MORE = (
    Configuration("ResizeMix", {"per": "batch"}),
    Configuration("FMix", {"per": "batch"}),
    Configuration("Mosaic", {"fit": "corner"}),
)
"""Beside every method with its defaults; what is not registered is left out."""

GOALS = (
    ("ResizeMix()", "clone", 12.0),
    ("FMix(per='batch')", "MixUp()", 2.0),
    ("FMix()", "MixUp()", 20.0),
    ("Mosaic(fit='corner')", "clone", 1.5),
)
"""What takes at most so many times as long as what."""


def goals() -> list[Goal]:
    """Of float32, as all goals of photos."""
    size = f"float32 {SIZE} x 3 x {SIDE} x {SIDE}"
    return [
        within(f"{ours}, {size}, against {base}", DTYPES[0], ours, base, Bounds(most, most))
        for ours, base, most in GOALS
    ]


def configurations() -> list[Configuration]:
    """Every method with its defaults, and some with options."""
    plain = [Configuration(name, {}) for name in METHODS if name != "OneOf"]
    return [*plain, *(one for one in MORE if one.method in METHODS)]


def contenders(dtype: str, settings: Settings, wanted: frozenset[str] | None) -> Iterator[Contender]:
    """The bare copy, and all configurations, or those that are wanted."""
    size, side = settings.size(SIZE, 6), settings.size(SIDE, 32)
    values = np.random.default_rng(0).random((size, 3, side, side)) * (255 if dtype == "uint8" else 1)
    images, labels = torch.from_numpy(values.astype(dtype)), torch.arange(size) % CLASSES
    yield Contender("clone", images.clone)
    for one in configurations():
        if wanted is None or str(one) in wanted:
            yield Contender(str(one), caller(one, images, labels))


def caller(one: Configuration, images: torch.Tensor, labels: torch.Tensor) -> Callable[[], Any]:
    """A call of a transform that is made by the first one: what either refuses is told alike."""

    @functools.cache
    def transform() -> Any:
        return getattr(mixtransforms, one.method)(**one.options, num_classes=CLASSES, seed=0)

    return lambda: transform()(images, labels)


def table(dtype: str, seen: Measured) -> str:
    """One row a configuration."""
    rows = []
    for name in seen.times:
        ratios = [f"{seen.ratio(name, base):.2f}" for base in ("clone", "MixUp()")]
        rows.append([f"`{name}`", f"{1e3 * seen.median(name):.2f}", *ratios])
    text = f"### {dtype}\n\n" + report.table(["", "ms", "/ `clone`", "/ `MixUp()`"], rows)
    left_out = [f"- `{name}` is left out: {reason}" for name, reason in seen.refused.items()]
    return "\n".join([text.rstrip(), *([""] if left_out else []), *left_out])


def beside(peer: family_peers.Peer, settings: Settings) -> Measured:
    """A method of another library beside ours, on float32 images that are restored before every call."""
    size, side = settings.size(SIZE, 6), settings.size(SIDE, 32)
    kept = torch.from_numpy(np.random.default_rng(0).random((size, 3, side, side), np.float32))
    images, labels = kept.clone(), torch.arange(size) % CLASSES
    ours, theirs = peer.make_ours(CLASSES), functools.cache(functools.partial(peer.make, CLASSES))
    pair = [
        Contender("ours", lambda: ours(images, labels)),
        Contender("peer", lambda: theirs()(images, labels)),  # which refuses at its first call, if at all
    ]
    return compare(pair, settings, lambda: images.copy_(kept), inner=1)


def table_of_peers(settings: Settings) -> str:
    """One row a method of another library, and what is not installed."""
    rows = []
    for peer in filter(family_peers.is_installed, family_peers.PEERS):
        seen = beside(peer, settings)
        ratio = "" if seen.refused else f"{seen.ratio('peer', 'ours'):.2f}"
        theirs = [seen.refused.get("peer") or f"{1e3 * seen.median('peer'):.2f}", ratio]
        name = f"`{peer.ours}`" + (", in place" if peer.inplace else "")
        rows.append([name, peer.package, f"{1e3 * seen.median('ours'):.2f}", *theirs])
    names = ["", "peer", "ours, ms", "peer, ms", "peer / ours"]
    left_out = [f"- {package} is not installed and is left out" for package in family_peers.missing()]
    return "\n".join(["### float32 beside other libraries", "", report.table(names, rows), *left_out])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--goals", action="store_true", help="only what goals are read from")
    parser.add_argument("--peers", action="store_true", help="only beside other libraries")
    parser.add_argument("--short", action="store_true", help="tiny work, one turn: does everything run?")
    parser.add_argument("--turns", type=int, default=11, help="most turns")
    parser.add_argument("--seconds", type=float, default=120.0, help="most seconds of a dtype, about")
    given = parser.parse_args()
    use_threads(1)
    peers.quiet()
    before = report.busy()
    settings = Settings(given.turns, given.seconds, given.short, "thread_time")
    wanted = frozenset({"MixUp()", *(name for name, _, _ in GOALS)}) if given.goals else None
    results = {}
    for dtype in DTYPES[: 0 if given.peers else 1 if given.goals else None]:
        results[dtype] = compare(list(contenders(dtype, settings, wanted)), settings, inner=1)
        print(table(dtype, results[dtype]), end="\n\n", flush=True)
    if not given.peers:
        print(report.of_goals([row for goal in goals() if (row := goal.judged(results, Setting()))]))
    if not given.goals:
        print(table_of_peers(settings), end="\n\n", flush=True)
    print(report.header(report.machine(before)))


if __name__ == "__main__":
    main()
