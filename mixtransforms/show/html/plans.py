"""A plan as a table: what happened to every sample, its shares, and where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from mixtransforms.core.compositing import measure
from mixtransforms.core.layers import Boxes, FloatArray, IntArray, Layer, Mask, cells
from mixtransforms.plan import Plan
from mixtransforms.show import words
from mixtransforms.show.html.markup import Markup, and_more, code_text, concatenated, faint, ordered_list, tag, tags
from mixtransforms.show.html.svg import FAINT, ITSELF, LayerArea, bar, thumbnail
from mixtransforms.show.style import ACCENT_OF_REST, SOURCE_ACCENTS

# A notebook is stored with what it shows: 16 rows of 4 layers and 6 sources are about 100 kB at most, and two pages.
MOST_ROWS, _MOST_LAYERS, _MOST_SOURCES = 16, 4, 6

_MOST_MEASURED = 10_000_000
"""Cells times layers squared up to which one sample is measured for display alone: a repr must come at once."""


class _SourceShare(NamedTuple):
    """One source of a sample: its number, its colour, its share, and that of the label."""

    source: int
    color: str
    share: float
    label: float


def plan_table(plan: Plan) -> Markup:
    """The plan, its first samples row by row."""
    count = min(plan.size, MOST_ROWS)
    head = _plan_header(plan)
    if not count:
        return head
    layers = [layer.take(layer.rows < count) for layer in plan.layers]
    shares = _measured_shares(plan, layers, count)
    parts = [None if shares is None else _source_shares(plan, shares, row) for row in range(count)]
    rows = [_sample_row(plan, layers, row, part) for row, part in enumerate(parts)]
    titles = ["sample", "what happened", "share of the image" if len(plan.spec.shape) > 1 else "share of the sample"]
    titles += ["share of the label"] if plan.label_share is not None else []
    titles += ["where"] if plan.layers else []
    heads = [tag("th", {"scope": "col"}, title) for title in titles]
    body = tag("table", {"class": "mx-rows"}, tag("thead", tag("tr", *heads)), tag("tbody", *rows))
    return concatenated(head, body, *tags("p", and_more(plan.size - count, "more samples")))


def _plan_header(plan: Plan) -> Markup:
    shape = " \u00d7 ".join(map(str, plan.spec.shape))
    samples = words.count_of(plan.size, "sample") + (f" of {shape}" if shape else "")
    said = [samples, words.count_of(len(plan.layers), "layer")]
    if plan.canvas is not None:
        said.append("on canvases of " + " \u00d7 ".join(map(str, plan.canvas.shape)))
    if plan.layers:
        painted = len(np.unique(np.concatenate([layer.rows for layer in plan.layers])))
        said.append(f"{painted} of {plan.size} painted on")
    else:
        said.append("nothing is mixed")
    key = "" if plan.key is None else ", ".join(f"{name} {value}" for name, value in plan.key.to_dict().items())
    drawn = tag("p", faint("drawn by the key "), code_text(key, 200)) if key else ""
    return concatenated(tag("p", tag("strong", "Plan"), " ", ", ".join(said)), drawn)


# ------------------------------------------------------------------------------------------------ numbers


def _measured_shares(plan: Plan, layers: Sequence[Layer], count: int) -> tuple[IntArray, FloatArray] | None:
    """Sources and shares of the first samples; none where nobody has asked for them and it would take long."""
    if "shares" in vars(plan):  # somebody has asked already, and they are kept
        return plan.sources[:count], plan.share[:count]
    painted = np.bincount(np.concatenate([np.arange(0), *(layer.rows for layer in layers)]), minlength=count)
    deepest = int(painted.max(initial=0))
    masked = any(isinstance(layer.region, Mask) for layer in layers)
    # Boxes are measured on the grid of their edges, of which every layer adds two along each axis.
    shape = plan.output_shape
    whole = cells(shape) if masked else min(cells(shape), (2 * deepest + 1) ** len(shape))
    if deepest > 1 and deepest**2 * whole > _MOST_MEASURED:
        return None
    return measure(count, shape, layers, plan.canvas is not None)


def _source_shares(plan: Plan, shares: tuple[IntArray, FloatArray], row: int) -> list[_SourceShare]:
    """The sources of a sample, itself first; one that is painted several times has the sum."""
    labels = shares[1] if plan.label_share is None else plan.label_share
    sums: dict[int, tuple[float, float]] = {}
    for source, share, label in zip(*(column[row].tolist() for column in (*shares, labels)), strict=True):
        before = sums.get(source, (0.0, 0.0))
        sums[source] = before[0] + share, before[1] + label
    colors = _colors(row, sums)
    return [_SourceShare(source, colors[source], *both) for source, both in sums.items() if any(both)]


def _colors(row: int, sources: Iterable[int]) -> dict[int, str]:
    """A colour for every source, in the order in which they are painted."""
    others = list(dict.fromkeys(source for source in sources if source != row))
    return {row: ITSELF} | {source: SOURCE_ACCENTS[index % len(SOURCE_ACCENTS)] for index, source in enumerate(others)}


# ------------------------------------------------------------------------------------------------ rows


def _sample_row(plan: Plan, layers: Sequence[Layer], row: int, parts: Sequence[_SourceShare] | None) -> Markup:
    found = [(layer, int(index)) for layer in layers for index in np.flatnonzero(layer.rows == row)]
    told = [words.layer_effect(layer, index) for layer, index in found]
    cells = [tag("th", {"scope": "row", "class": "mx-number"}, str(row)), tag("td", _happened(told))]
    if parts is None:
        cells.append(tag("td", faint("too much to measure here, see plan.share")))
    else:
        cells.append(tag("td", _bar_and_numbers(row, [(part, part.share) for part in parts])))
        if plan.label_share is not None:
            cells.append(tag("td", _bar_and_numbers(row, [(part, part.label) for part in parts])))
    if plan.layers:
        cells.append(tag("td", _areas_of_sample(plan.output_shape, row, found, told)))
    return tag("tr", *cells)


def _happened(told: Sequence[str]) -> Markup:
    if len(told) < 2:
        return concatenated(*(told or [faint("left as it is")]))
    return ordered_list(told[:_MOST_LAYERS], len(told) - _MOST_LAYERS, "more layers")


def _bar_and_numbers(row: int, parts: Sequence[tuple[_SourceShare, float]]) -> Markup:
    """A bar and its numbers; a colour stands beside every number. Of many sources the largest are told."""
    seen = [(part, share) for part, share in parts if share]
    if len(seen) > _MOST_SOURCES:
        seen.sort(key=lambda each: each[1], reverse=True)
    told, rest = seen[:_MOST_SOURCES], seen[_MOST_SOURCES:]
    names = ["itself" if part.source == row else f"sample {part.source}" for part, _ in told]
    texts = [f"{words.three_digits(share)} {name}" for (_, share), name in zip(told, names, strict=True)]
    lines = [concatenated(_swatch(part), f" {text}") for (part, _), text in zip(told, texts, strict=True)]
    segments = [(part.color, share) for part, share in told]
    if rest:
        left = sum(share for _, share in rest)
        segments.append((ACCENT_OF_REST, left))
        lines.append(faint(f"{words.three_digits(left)} of {len(rest)} more"))
    drawn = bar(segments, "shares: " + ", ".join(texts))
    return concatenated(drawn, *(tag("div", {"class": "mx-number"}, line) for line in lines))


def _swatch(part: _SourceShare) -> Markup:
    faded = f"; opacity: {FAINT}" if part.color == ITSELF else ""
    return tag("span", {"style": f"color: {part.color}{faded}", "aria-hidden": "true"}, "■")


def _areas_of_sample(
    shape: tuple[int, ...], row: int, found: Sequence[tuple[Layer, int]], told: Sequence[str]
) -> Markup:
    if not found:
        return Markup()
    colors = _colors(row, [int(layer.source[index]) for layer, index in found])
    areas = [_layer_area(layer, index, colors[int(layer.source[index])]) for layer, index in found[:_MOST_LAYERS]]
    return thumbnail(shape, areas, f"sample {row}: " + "; ".join(told[:_MOST_LAYERS]))


def _layer_area(layer: Layer, index: int, color: str) -> LayerArea:
    opacity = float(layer.opacity[index])
    if isinstance(layer.region, Boxes):
        return LayerArea(color, opacity, layer.region.start[index], layer.region.stop[index])
    return LayerArea(color, opacity, mask=None if layer.region is None else layer.region.values[index])
