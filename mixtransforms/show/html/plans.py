"""A plan as a table: what happened to every sample, its shares, and where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from mixtransforms.core.compositing import measure
from mixtransforms.core.layers import Boxes, FloatArray, IntArray, Layer, Mask, cells
from mixtransforms.plan import Plan
from mixtransforms.show.html.markup import NO_ATTRIBUTES, Markup, code, faint, joined, tag
from mixtransforms.show.html.svg import ACCENTS, FAINT, ITSELF, Coat, bar, thumbnail

MOST_ROWS = 16
_MOST_COATS = 4
_MOST_SOURCES = 6
_REST = "#7A7A7A"

_MOST_WORK = 10_000_000
"""Cells times layers squared up to which one sample is measured for display alone."""


class _Part(NamedTuple):
    """One source of a sample: its number, its colour, its share, and that of the label."""

    source: int
    color: str
    share: float
    label: float


def table(plan: Plan) -> Markup:
    """The plan, its first samples row by row."""
    count = min(plan.size, MOST_ROWS)
    head = _header(plan)
    if not count:
        return head
    layers = [layer.take(layer.rows < count) for layer in plan.layers]
    shares = _shares(plan, layers, count)
    rows = [_row(plan, layers, row, None if shares is None else _parts(plan, shares, row)) for row in range(count)]
    titles = ["sample", "what happened", "share of the image" if len(plan.spec.shape) > 1 else "share of the sample"]
    titles += ["share of the label"] if plan.label_share is not None else []
    titles += ["where"] if plan.layers else []
    heads = [tag("th", {"scope": "col"}, title) for title in titles]
    body = tag(
        "table",
        {"class": "mx-rows"},
        tag("thead", NO_ATTRIBUTES, tag("tr", NO_ATTRIBUTES, *heads)),
        tag("tbody", NO_ATTRIBUTES, *rows),
    )
    rest = plan.size - count
    return joined([head, body, tag("p", NO_ATTRIBUTES, faint(f"and {rest} more samples")) if rest else ""])


def _header(plan: Plan) -> Markup:
    shape = " \u00d7 ".join(map(str, plan.spec.shape))
    said = [_counted(plan.size, "sample") + (f" of {shape}" if shape else ""), _counted(len(plan.layers), "layer")]
    if plan.layers:
        painted = len(np.unique(np.concatenate([layer.rows for layer in plan.layers])))
        said.append(f"{painted} of {plan.size} painted on")
    else:
        said.append("nothing is mixed")
    key = "" if plan.key is None else ", ".join(f"{name} {value}" for name, value in plan.key.to_dict().items())
    return joined(
        [
            tag("p", NO_ATTRIBUTES, tag("strong", NO_ATTRIBUTES, "Plan"), " ", ", ".join(said)),
            tag("p", NO_ATTRIBUTES, faint("drawn by the key "), code(key, 200)) if key else "",
        ]
    )


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


# ------------------------------------------------------------------------------------------------ numbers


def _shares(plan: Plan, layers: Sequence[Layer], count: int) -> tuple[IntArray, FloatArray] | None:
    """Sources and shares of the first samples; none where nobody has asked for them and it would take long."""
    if "shares" in vars(plan):
        return plan.sources[:count], plan.share[:count]
    coats = np.bincount(np.concatenate([np.arange(0), *(layer.rows for layer in layers)]), minlength=count)
    deepest = int(coats.max(initial=0))
    masked = any(isinstance(layer.region, Mask) for layer in layers)
    whole = cells(plan.spec.shape) if masked else min(cells(plan.spec.shape), (2 * deepest + 1) ** len(plan.spec.shape))
    if deepest > 1 and deepest**2 * whole > _MOST_WORK:
        return None
    return measure(count, plan.spec.shape, layers)


def _parts(plan: Plan, shares: tuple[IntArray, FloatArray], row: int) -> list[_Part]:
    """The sources of a sample, itself first; one that is painted several times has the sum."""
    labels = shares[1] if plan.label_share is None else plan.label_share
    sums: dict[int, tuple[float, float]] = {}
    for source, share, label in zip(
        shares[0][row].tolist(), shares[1][row].tolist(), labels[row].tolist(), strict=True
    ):
        before = sums.get(source, (0.0, 0.0))
        sums[source] = before[0] + share, before[1] + label
    colors = _colors(row, sums)
    return [_Part(source, colors[source], *both) for source, both in sums.items() if any(both)]


def _colors(row: int, sources: Iterable[int]) -> dict[int, str]:
    """A colour for every source, in the order in which they are painted."""
    others = list(dict.fromkeys(source for source in sources if source != row))
    return {row: ITSELF} | {source: ACCENTS[index % len(ACCENTS)] for index, source in enumerate(others)}


def _number(share: float) -> str:
    """Three digits, and never 0 or 1 for what is only near."""
    text = f"{share:.3f}"
    if text == "0.000" and share > 0:
        return "<0.001"
    return ">0.999" if text == "1.000" and share < 1 else text


# ------------------------------------------------------------------------------------------------ rows


def _row(plan: Plan, layers: Sequence[Layer], row: int, parts: Sequence[_Part] | None) -> Markup:
    found = [(layer, int(index)) for layer in layers for index in np.flatnonzero(layer.rows == row)]
    told = [_words(layer, index, plan.spec.shape) for layer, index in found]
    cells = [tag("th", {"scope": "row", "class": "mx-number"}, str(row)), tag("td", NO_ATTRIBUTES, _happened(told))]
    if parts is None:
        cells.append(tag("td", NO_ATTRIBUTES, faint("too much to measure here, see plan.share")))
    else:
        cells.append(tag("td", NO_ATTRIBUTES, _numbers(row, [(part, part.share) for part in parts])))
        if plan.label_share is not None:
            cells.append(tag("td", NO_ATTRIBUTES, _numbers(row, [(part, part.label) for part in parts])))
    if plan.layers:
        cells.append(tag("td", NO_ATTRIBUTES, _thumbnail(plan.spec.shape, row, found, told)))
    return tag("tr", NO_ATTRIBUTES, *cells)


def _happened(told: Sequence[str]) -> Markup:
    if len(told) < 2:
        return joined(told or [faint("left as it is")])
    more = len(told) - _MOST_COATS
    items = [tag("li", NO_ATTRIBUTES, text) for text in told[:_MOST_COATS]]
    return tag(
        "ol", NO_ATTRIBUTES, *items, *([tag("li", NO_ATTRIBUTES, faint(f"and {more} more layers"))] if more > 0 else [])
    )


def _words(layer: Layer, index: int, shape: tuple[int, ...]) -> str:
    """What one layer does to one sample."""
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
        text = f"{some} {verb} at {_place(layer.region, index)}"
    if opacity == 0:
        return f"nothing of {name}: the opacity is 0"
    return text if layer.crop is None else f"{text}, from {_place(layer.crop, index)} of it"


def _place(boxes: Boxes, index: int) -> str:
    """A box in words, half-open as everywhere."""
    ends = zip(boxes.start[index].tolist(), boxes.stop[index].tolist(), strict=True)
    sides = [f"{start}:{stop}" for start, stop in ends]
    if len(sides) == 2:
        return f"y {sides[0]}, x {sides[1]}"
    return sides[0] if len(sides) == 1 else f"[{', '.join(sides)}]"


def _numbers(row: int, parts: Sequence[tuple[_Part, float]]) -> Markup:
    """A bar and its numbers; a colour stands beside every number. Of many sources the largest are told."""
    seen = [(part, share) for part, share in parts if share]
    if len(seen) > _MOST_SOURCES:
        seen.sort(key=lambda each: each[1], reverse=True)
    told, rest = seen[:_MOST_SOURCES], seen[_MOST_SOURCES:]
    texts = [f"{_number(share)} {'itself' if part.source == row else f'sample {part.source}'}" for part, share in told]
    lines = [joined([_swatch(part), f" {text}"]) for (part, _), text in zip(told, texts, strict=True)]
    segments = [(part.color, share) for part, share in told]
    if rest:
        left = sum(share for _, share in rest)
        segments.append((_REST, left))
        lines.append(faint(f"{_number(left)} of {len(rest)} more"))
    drawn = bar(segments, "shares: " + ", ".join(texts))
    return joined([drawn, *(tag("div", {"class": "mx-number"}, line) for line in lines)])


def _swatch(part: _Part) -> Markup:
    faded = f"; opacity: {FAINT}" if part.color == ITSELF else ""
    return tag("span", {"style": f"color: {part.color}{faded}", "aria-hidden": "true"}, "■")


def _thumbnail(shape: tuple[int, ...], row: int, found: Sequence[tuple[Layer, int]], told: Sequence[str]) -> Markup:
    if not found:
        return Markup()
    colors = _colors(row, [int(layer.source[index]) for layer, index in found])
    coats = [_coat(layer, index, colors[int(layer.source[index])]) for layer, index in found[:_MOST_COATS]]
    return thumbnail(shape, coats, f"sample {row}: " + "; ".join(told[:_MOST_COATS]))


def _coat(layer: Layer, index: int, color: str) -> Coat:
    opacity = float(layer.opacity[index])
    if isinstance(layer.region, Boxes):
        return Coat(color, opacity, layer.region.start[index], layer.region.stop[index])
    return Coat(color, opacity, mask=None if layer.region is None else layer.region.values[index])
