"""What figures and HTML say in words: shares, values, what happened to samples, and descriptions of pictures."""

from __future__ import annotations

import enum
import functools
import inspect
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

import numpy as np

from mixtransforms.core.layers import Boxes, FloatArray, Layer, Mask
from mixtransforms.methods.schedules import Schedule
from mixtransforms.show.methods.statistics import HARDLY, HEAVY, CoverageMap, WeightStats
from mixtransforms.show.style import CHARACTER, MARGIN

Answer = TypeVar("Answer")

SEVERAL = 1.005
"""A row of labels that sums to more names several classes of one sample; below are rounding and float16."""

WHOLE = 0.995
"""From this share on something counts as all there: it would be written as 1.00."""

# Enough to recognise a value; what a user needs in full is in repr(pipeline). The characters bound the time that a
# foreign repr can cost afterwards, the depth ends a list that holds itself.
_MOST_ITEMS, _MOST_CHARACTERS, _DEEPEST_VALUE = 6, 1000, 4

_MOST_SORTED = 1000
"""Items up to which a set is sorted, which costs the reprs of all of them."""

_ADDRESS = re.compile(r" (?:object )?at 0x[0-9a-fA-F]+")
"""Where an object lies in memory, which no run repeats."""


# ------------------------------------------------------------------------------------------------ shares and counts


def percent(share: float) -> str:
    """A share in whole percent, where "0" and "100" mean exactly that."""
    if 0.0 < share < 0.005:
        return "<1%"
    return ">99%" if WHOLE <= share < 1.0 else f"{100 * share:.0f}%"


def three_digits(share: float) -> str:
    """A share in three digits, and never 0 or 1 for what is only near."""
    text = f"{share:.3f}"
    if text == "0.000" and share > 0:
        return "<0.001"
    return ">0.999" if text == "1.000" and share < 1 else text


def count_of(count: int, what: str) -> str:
    """A number of things, such as "1 layer" and "2 layers"."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def enumerated(names: Sequence[str]) -> str:
    """Names one after the other, with an "and" before the last."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def sentences(parts: Iterable[str]) -> str:
    """All parts that are not empty, each with a full stop where it has none."""
    return " ".join(part if part.endswith((".", ":")) else f"{part}." for part in parts if part)


def with_shares(title: str, shares: Iterable[tuple[str, float]]) -> str:
    """What something is, and the names and shares of what it is made of."""
    told = ", ".join(f"{name} {percent(share)}" for name, share in shares)
    return f"{title} ({told})" if told else title


def wrapped_lines(text: str, width: float, character: float = CHARACTER) -> list[str]:
    """The lines of a text on a figure.

    Args:
        text: What it says.
        width: Of the figure in inches.
        character: Of a character in inches, on average.
    """
    return textwrap.wrap(text, int((width - 2 * MARGIN) / character))


def cut_to_room(text: str, room: float) -> str:
    """A text with its end cut off where it is longer than its room in inches; a few letters always stay."""
    letters = max(4, int(room / CHARACTER))
    return text if len(text) <= letters else text[: letters - 1] + "…"


# ------------------------------------------------------------------------------------------------ values


def attempt(question: Callable[[], Answer], otherwise: Answer) -> Answer:
    """The answer to a question that foreign code answers; something else where that code fails."""
    try:
        return question()
    except Exception:  # noqa: BLE001  a transform whose repr or property is broken must not hide the whole pipeline
        return otherwise


def short_repr(value: Any, depth: int = 0) -> str:
    """A value as short text, the same in every run: long lists shortened, functions by their names."""
    kind = type(value)
    if depth > _DEEPEST_VALUE:
        return "…"
    if kind in (list, tuple, set, frozenset):
        return _short_list(value, depth)
    if kind is dict:
        items = islice(value.items(), _MOST_ITEMS)
        inside = [f"{short_repr(key, depth + 1)}: {short_repr(item, depth + 1)}" for key, item in items]
        return "{" + ", ".join([*inside, *_how_many(len(value))]) + "}"
    if kind in (str, bytes):
        return repr(value[:_MOST_CHARACTERS])
    if isinstance(value, enum.Enum):
        return f"{kind.__name__}.{value.name}"
    if isinstance(value, type) or inspect.isroutine(value) or isinstance(value, functools.partial):
        return display_name(value)
    text = attempt(lambda: str(repr(value)), f"{kind.__name__}, whose repr fails")
    return _ADDRESS.sub("", text[:_MOST_CHARACTERS])


def _short_list(value: Any, depth: int) -> str:
    if isinstance(value, (set, frozenset)):  # which have another order in every run
        items = sorted(short_repr(item, depth + 1) for item in value) if len(value) <= _MOST_SORTED else []
        return "{" + ", ".join([*items[:_MOST_ITEMS], *_how_many(len(value))]) + "}"
    items = [short_repr(item, depth + 1) for item in islice(value, _MOST_ITEMS)]
    inside = ", ".join([*items, *_how_many(len(value))])
    if isinstance(value, tuple):
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    return f"[{inside}]"


def _how_many(count: int) -> list[str]:
    return [f"… {count} in all"] if count > _MOST_ITEMS else []


def display_name(value: Any) -> str:
    """The name of a transform: that of its class, or its own where it is a function."""
    if isinstance(value, functools.partial):
        return f"partial of {display_name(value.func)}"
    own = isinstance(value, type) or inspect.isroutine(value)
    name = attempt(lambda: value.__qualname__, None) if own else None
    return name if isinstance(name, str) else type(value).__name__


# ------------------------------------------------------------------------------------------------ what happened


def sample_title(row: int, partners: Sequence[int], count: int, pasted: str) -> str:
    """What happened to a sample, for the line above its picture.

    Args:
        row: The sample.
        partners: The other samples in it that have a name of their own.
        count: How many others there are.
        pasted: What of a partner was pasted, such as ``"box"``; empty where it was blended.
    """
    if not partners:
        return f"Sample {row}: not mixed"
    if count > 1:
        many = "samples " + ", ".join(map(str, partners)) if count == len(partners) < 4 else f"{count} samples"
        return f"Sample {row}: mixed with {many}"
    partner = f"sample {partners[0]}"
    return f"Sample {row}: " + (f"{pasted} of {partner} pasted" if pasted else f"blended with {partner}")


def layer_effect(layer: Layer, index: int) -> str:
    """What one layer does to one sample.

    Args:
        layer: The layer.
        index: The sample's place among the rows of the layer.
    """
    source, opacity = int(layer.source[index]), float(layer.opacity[index])
    name = "the sample itself" if source == int(layer.rows[index]) else f"sample {source}"
    some = name if opacity == 1 else f"{100 * opacity:.3g}% of {name}"
    verb = "pasted" if opacity == 1 else "blended in"
    if layer.region is None:
        text = f"replaced by {name}" if opacity == 1 else f"blended with {some}"
    elif isinstance(layer.region, Mask):
        text = f"{some} {verb} through a mask"
    elif not layer.region.volume[index]:
        return f"nothing of {name}: the box is empty"
    else:
        text = f"{some} {verb} at {_box_in_words(layer.region, index)}"
    if opacity == 0:
        return f"nothing of {name}: the opacity is 0"
    if layer.crop is not None:
        text += f", from {_box_in_words(layer.crop, index)} of it"
    if layer.flip is not None and layer.flip[index].any():
        text += ", mirrored"
    return text if layer.objects is None else f"{text}, with {count_of(len(layer.objects[index]), 'object')} of it"


def _box_in_words(boxes: Boxes, index: int) -> str:
    """A box in words, half-open as everywhere."""
    ends = zip(boxes.start[index].tolist(), boxes.stop[index].tolist(), strict=True)
    sides = [f"{start}:{stop}" for start, stop in ends]
    if len(sides) == 2:
        return f"y {sides[0]}, x {sides[1]}"
    return sides[0] if len(sides) == 1 else f"[{', '.join(sides)}]"


def smoothing(spread: FloatArray, of: str) -> str:
    """How many samples are heavily mixed, by classes or by each other, in a sentence.

    Args:
        spread: Share of every class, or of every sample, in every mixed sample, ``(B, N)``.
        of: ``"class"`` or ``"sample"``.
    """
    total = spread.sum(axis=1, keepdims=True)
    share = np.divide(spread, total, out=np.zeros_like(spread), where=total > 0)
    if not len(share) or (total > SEVERAL).any():
        return ""  # nothing is mixed, or a sample has several classes
    heavy = int((share.max(axis=1, initial=0.0) < HEAVY).sum())
    told = f"{heavy or 'None'} of {len(share)} samples {'is' if heavy == 1 else 'are'} heavily mixed"
    return f"{told}, with less than {HEAVY:.0%} of any one {of}."


# ------------------------------------------------------------------------------------------------ explanations

UNKNOWN_SOURCES = "Sources are unknown without a plan; show.trace(pipeline.trace(batch)) shows them."
NOT_ANNOTATED = "Boxes, masks and keypoints are drawn on images only."
NORMALIZE_UNDONE = "Normalize is undone in the picture."
NOTHING_MIXES = "Nothing mixes in this pipeline."

OBJECT_WEIGHTS = "Numbers on objects are their weights, where these are below 1."
HIDDEN_OBJECTS = "Dashed: objects of which a part is hidden."
BARS_OF_LABELS = "Bar: the share of each class in the label."
BARS_OF_SOURCES = "Bar: the share of each source in the image; pasted regions are outlined."


def mixed_panels(labelled: bool) -> str:
    """What is to be seen of mixed samples and their sources."""
    return (
        "Large: the mixed image, pasted regions outlined. Small: its sources, the sample itself on top. "
        f"Bar: the share of each source in the image{', and so in the label' if labelled else ''}."
    )


def weights_text(stats: WeightStats, size: int, classes: int | None, made_up: Sequence[str] = ()) -> str:
    """The numbers that matter of shares and areas, and how they were found.

    Args:
        stats: What was counted.
        size: Samples in a batch.
        classes: How many classes the samples had, where the method reads them.
        made_up: What else the method reads, which no batch has said here.
    """
    where = f"Counted on {len(stats.own):,} samples in batches of {size}"
    where += "" if classes is None else f" of {classes} classes in turn"
    where += f", with made-up {' and '.join(made_up)}." if made_up else "."
    if not stats.mixed.any():
        return f"No sample is mixed. {where}"
    some = stats.pasted > 0
    said = [
        f"On average a sample keeps {percent(stats.own.mean())} of itself.",
        f"{percent(stats.heavily)} of the samples are heavily mixed (no source above {percent(HEAVY)}), "
        f"{percent(stats.hardly)} hardly or not at all (one source above {percent(HARDLY)}).",
        f"Where something is pasted, it is {percent(stats.pasted[some].mean())} of the area on average."
        if some.any()
        else "Nothing is pasted.",
    ]
    if stats.label is not None:
        said.append(f"Labels get the share that the method declares, {percent(stats.label.mean())} on average.")
    return " ".join([*said, where])


def compared_weights_text(stats: Mapping[str, WeightStats], size: int) -> str:
    """The numbers that matter of several methods, and how they were found."""
    told = [
        f"{name}: a sample keeps {percent(each.own.mean())} of itself on average, {percent(each.heavily)} are heavily "
        f"mixed (no source above {percent(HEAVY)}), {percent(1.0 - each.mixed.mean())} not at all."
        for name, each in stats.items()
    ]
    count = min(len(each.own) for each in stats.values())
    return " ".join([*told, f"Counted on {count:,} samples each, in batches of {size}."])


def coverage_text(coverage: CoverageMap) -> str:
    """The numbers that matter of what is replaced, and how they were found."""
    mean = percent(coverage.replaced.mean())
    cell, ends = ("step", "at the ends") if coverage.replaced.ndim == 1 else ("pixel", "in the corners")
    if not coverage.replaced.any():
        said = ["Nothing is replaced."]
    elif coverage.constant:
        said = [f"All {cell}s are alike: {mean} of each is replaced on average."]
    else:
        said = [
            f"A {cell} is replaced with a chance of {mean} on average, {percent(coverage.centre)} in the centre, "
            f"{percent(coverage.corners)} {ends}."
        ]
    if coverage.blends:
        said.append("Where samples are blended, the weight of the others counts.")
    if coverage.replaced.ndim == 3:
        low, high = map(percent, (coverage.along(0).min(), coverage.along(0).max()))
        said.append(f"Shown is the mean over the first axis, along which it goes from {low} to {high}.")
    return " ".join([*said, f"Counted on {coverage.samples:,} samples."])


def compared_coverage_text(covers: Mapping[str, CoverageMap]) -> str:
    """What several methods replace on average, and in the centre where that is another number."""
    means = [(name, percent(cover.replaced.mean()), percent(cover.centre)) for name, cover in covers.items()]
    said = [f"{name} {mean}" + ("" if centre == mean else f" ({centre} in the centre)") for name, mean, centre in means]
    samples = sorted({cover.samples for cover in covers.values()})
    counted = f"{samples[0]:,}" if len(samples) == 1 else f"{samples[0]:,} to {samples[-1]:,}"
    return f"Replaced on average: {', '.join(said)}. Counted on {counted} samples each."


def schedules_alt(schedules: Mapping[str, Schedule], epochs: int, title: str | None) -> str:
    """What is on a figure of schedules: the first, the middle and the last value of each."""
    places = sorted({0, epochs // 2, epochs - 1})
    lines = [
        f"{name}: " + ", ".join(f"{schedule(epoch):g} in epoch {epoch}" for epoch in places) + "."
        for name, schedule in schedules.items()
    ]
    return " ".join(([f"{title}."] if title else []) + lines)
