"""Pipelines as a diagram of their stages, and transforms as chips that open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mixtransforms.methods.schedules import Schedule
from mixtransforms.mixing.pipeline import MIX, SAMPLE, STILL, Stage
from mixtransforms.mixing.transform import MixTransform
from mixtransforms.show.html.markup import NO_ATTRIBUTES, Markup, code, cut, faint, joined, tag
from mixtransforms.show.html.svg import course, sparkline
from mixtransforms.show.html.values import (
    CHILDREN,
    MOST_PARAMETERS,
    Parameter,
    asked,
    called,
    children,
    parameters,
    said,
)

MOST_CHIPS = 60_000
MOST_DETAILS = 36_000
"""Characters of HTML that all chips of a pipeline may take, and that their tables of parameters may take in all."""

_DEEPEST = 8
_MANY = 12
"""Transforms in a row from which on they stand beside each other."""

_POINTS = 24

_HOSTS = {"albumentations": "Albumentations", "torch": "torchvision v2"}
"""Names of hosts, by the package of a class that their transforms derive from."""


class Chips:
    """Makes chips until there are enough of them; then only names, then only a count."""

    def __init__(self) -> None:
        self._left, self._details = MOST_CHIPS, MOST_DETAILS
        self.shortened = False

    def listed(self, transforms: Sequence[Any], depth: int = 0) -> Markup:
        """The chips of some transforms, in their order."""
        items: list[Markup] = []
        for index, transform in enumerate(transforms):
            if self._left < 0 or depth > _DEEPEST:
                self.shortened = True
                items.append(tag("li", NO_ATTRIBUTES, faint(f"and {len(transforms) - index} more")))
                break
            items.append(tag("li", {"class": "mx-chip"}, self.chip(transform, depth=depth)))
        return tag("ol", {"class": "mx-chips mx-many" if len(transforms) > _MANY else "mx-chips"}, *items)

    def chip(self, transform: Any, *, depth: int = 0, kind: str = "") -> Markup:
        """One transform: its name, its parameters on demand, and what is in it; opened where it says its kind."""
        found = parameters(transform)
        name = joined([code(called(transform), 40), *([" ", faint(kind)] if kind else [])])
        table = _table(found) if found else Markup()
        if len(table) > self._details:
            self.shortened, table = True, Markup()
        self._details -= len(table)
        top = tag("details", {"open": bool(kind)}, tag("summary", NO_ATTRIBUTES, name), table) if table else name
        self._left -= len(top) + 60
        inner = children(transform)
        return joined([top, self.listed(inner, depth + 1)]) if inner else top


def host(owner: Any) -> str:
    """The name of the library whose pipelines run a transform; nothing for those of any arrays."""
    roots = {base.__module__.partition(".")[0] for base in type(owner).__mro__}
    return next((name for root, name in _HOSTS.items() if root in roots), "")


def single(transform: Any) -> Markup:
    """One transform or method alone, opened."""
    kind = "mixing transform" if isinstance(transform, MixTransform) else "mixing method"
    name = host(transform)
    chip = Chips().chip(transform, kind=f"{kind} of {name}" if name else kind)
    return tag("div", {"class": "mx-chip mx-alone"}, chip)


def _table(found: Sequence[Parameter]) -> Markup:
    """Names and values; what differs from its default first, and in bold."""
    rows = [_row(each) for each in found[:MOST_PARAMETERS]]
    rest = len(found) - len(rows)
    more = [tag("tr", NO_ATTRIBUTES, tag("td", {"colspan": 2}, faint(f"and {rest} more")))] if rest else []
    return tag("table", {"class": "mx-parts"}, tag("tbody", NO_ATTRIBUTES, *rows, *more))


def _row(parameter: Parameter) -> Markup:
    name = cut(parameter.name, 40)
    named = tag("b", NO_ATTRIBUTES, name) if parameter.given else name
    return tag(
        "tr", NO_ATTRIBUTES, tag("th", {"scope": "row"}, named), tag("td", NO_ATTRIBUTES, value(parameter.value))
    )


def value(given: Any) -> Markup:
    """A value as text; a schedule with its course, also where it is one of several."""
    if isinstance(given, Schedule):
        found = asked(lambda: sparkline(course(given, _POINTS)), Markup())
        return joined([found, " ", code(said(given))])
    if type(given) in (list, tuple) and len(given) <= _MANY and any(isinstance(item, Schedule) for item in given):
        return tag("ol", NO_ATTRIBUTES, *(tag("li", NO_ATTRIBUTES, value(item)) for item in given))
    return code(said(given))


# ------------------------------------------------------------------------------------------------ pipelines


def diagram(pipeline: Any) -> Markup:
    """The stages of a BatchCompose, as it runs them."""
    chips = Chips()
    mixed = [any(before.kind == MIX for before in pipeline._stages[:index]) for index in range(len(pipeline._stages))]
    stages = [_stage(stage, after, chips) for stage, after in zip(pipeline._stages, mixed, strict=True)]
    ends = [tag("li", NO_ATTRIBUTES, tag("i", NO_ATTRIBUTES, text)) for text in ("samples", "batch")]
    note = "Parameters that are not shown here are in repr(pipeline)."
    return joined(
        [
            _header(pipeline),
            tag("ol", {"class": "mx-flow"}, ends[0], *stages, ends[1]),
            tag("p", NO_ATTRIBUTES, faint(note)) if chips.shortened else "",
        ]
    )


def _header(pipeline: Any) -> Markup:
    seed = "no seed, draws from the host's generator" if pipeline.seed is None else f"seed {pipeline.seed}"
    passed = sorted(map(said, pipeline._finder.passthrough))
    left = f"left alone: {', '.join(passed[:6])}{', …' if len(passed) > 6 else ''}" if passed else ""
    text = "; ".join(part for part in (f"of {host(pipeline)}", seed, left) if part)
    given = [each for each in parameters(pipeline) if each.given and each.name not in (CHILDREN, "seed")]
    head = tag("summary", NO_ATTRIBUTES, "other arguments")
    options = tag("details", {"class": "mx-options"}, head, _table(given)) if given else ""
    return joined(
        [tag("p", NO_ATTRIBUTES, tag("strong", NO_ATTRIBUTES, cut(called(pipeline), 40)), " ", cut(text, 200)), options]
    )


def _stage(stage: Stage, mixed: bool, chips: Chips) -> Markup:
    title, text = _TITLES[stage.kind, mixed]
    shown = tag("div", NO_ATTRIBUTES, tag("strong", NO_ATTRIBUTES, title), " ", faint(text))
    return tag(
        "li", NO_ATTRIBUTES, tag("div", {"class": f"mx-stage mx-{stage.kind}"}, shown, chips.listed(stage.transforms))
    )


_TITLES = {
    (SAMPLE, False): ("every sample", "each with its own draws"),
    (SAMPLE, True): ("every sample of the batch", "each with its own draws, then stacked again"),
    (STILL, True): ("whole batch", "without draws"),
    (MIX, False): ("batch", "samples are collated, then mixed"),
    (MIX, True): ("batch", "mixed again"),
}
"""Names of stages and what happens there, by their kind and by whether something was mixed before."""
