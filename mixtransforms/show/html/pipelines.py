"""Pipelines as a diagram of their stages, and transforms as chips that open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mixtransforms.methods.schedules import Schedule
from mixtransforms.mixing.host_stages import ALIKE, OTHERWISE
from mixtransforms.mixing.stages import MIX, SAMPLE, STILL, Stage
from mixtransforms.mixing.transform import MixTransform
from mixtransforms.show.html import values
from mixtransforms.show.html.markup import (
    Markup,
    and_more,
    code_text,
    concatenated,
    cut_text,
    faint,
    ordered_list,
    tag,
    tags,
)
from mixtransforms.show.html.svg import sparkline
from mixtransforms.show.words import attempt, display_name, short_repr

# A notebook is stored with what it shows: a pipeline of thousands of transforms stays at about 100 kB.
MOST_CHIPS, MOST_DETAILS = 60_000, 36_000
"""Characters of HTML that all chips of a pipeline may take, and that their tables of parameters may take in all."""

_DEEPEST_CHIP = 8
"""Containers in containers that are opened, which also ends a container that holds itself."""

_MANY = 12
"""Transforms in a row from which on they stand beside each other, since the column would not fit on a screen."""

_LIBRARIES = {"albumentations": "Albumentations", "torch": "torchvision v2"}
"""Names of hosts, by the package of a class that their transforms derive from."""


class Chips:
    """Makes chips until there are enough of them; then only names, then only a count."""

    def __init__(self) -> None:
        self._left, self._details = MOST_CHIPS, MOST_DETAILS
        self.shortened = False

    def column(self, transforms: Sequence[Any], depth: int = 0) -> Markup:
        """The chips of some transforms, in their order."""
        items: list[Markup] = []
        for index, transform in enumerate(transforms):
            if self._left < 0 or depth > _DEEPEST_CHIP:
                self.shortened = True
                items += tags("li", and_more(len(transforms) - index))
                break
            items.append(tag("li", {"class": "mx-chip"}, self.chip(transform, depth=depth)))
        return tag("ol", {"class": "mx-chips mx-many" if len(transforms) > _MANY else "mx-chips"}, *items)

    def chip(self, transform: Any, *, depth: int = 0, kind: str = "") -> Markup:
        """One transform: its name, its parameters on demand, and what is in it; opened where it says its kind."""
        found = values.parameters(transform)
        name = concatenated(code_text(display_name(transform), 40), *([" ", faint(kind)] if kind else []))
        table = _parameter_table(found) if found else Markup()
        if len(table) > self._details:
            self.shortened, table = True, Markup()
        self._details -= len(table)
        top = tag("details", {"open": bool(kind)}, tag("summary", name), table) if table else name
        self._left -= len(top) + 60  # about the element around it
        inner = values.child_transforms(transform)
        return concatenated(top, self.column(inner, depth + 1)) if inner else top


def library_of(owner: Any) -> str:
    """The name of the library whose pipelines run a transform; nothing for those of any arrays."""
    roots = {base.__module__.partition(".")[0] for base in type(owner).__mro__}
    return next((name for root, name in _LIBRARIES.items() if root in roots), "")


def transform_chip(transform: Any) -> Markup:
    """One transform or method alone, opened."""
    kind = "mixing transform" if isinstance(transform, MixTransform) else "mixing method"
    name = library_of(transform)
    chip = Chips().chip(transform, kind=f"{kind} of {name}" if name else kind)
    return tag("div", {"class": "mx-chip mx-alone"}, chip)


def _parameter_table(found: Sequence[values.ShownParameter]) -> Markup:
    """Names and values; what differs from its default first, and in bold."""
    rows = [_parameter_row(each) for each in found[: values.MOST_PARAMETERS]]
    more = [tag("tr", tag("td", {"colspan": 2}, line)) for line in and_more(len(found) - len(rows))]
    return tag("table", {"class": "mx-parts"}, tag("tbody", *rows, *more))


def _parameter_row(parameter: values.ShownParameter) -> Markup:
    name = cut_text(parameter.name, 40)
    named = tag("b", name) if parameter.given else name
    return tag("tr", tag("th", {"scope": "row"}, named), tag("td", value_markup(parameter.value)))


def value_markup(given: Any) -> Markup:
    """A value as text; a schedule with its course, also where it is one of several."""
    if isinstance(given, Schedule):
        return concatenated(attempt(lambda: sparkline(given), Markup()), " ", code_text(short_repr(given)))
    if type(given) in (list, tuple) and len(given) <= _MANY and any(isinstance(item, Schedule) for item in given):
        return ordered_list(map(value_markup, given))
    return code_text(short_repr(given))


# ------------------------------------------------------------------------------------------------ pipelines


def diagram(pipeline: Any) -> Markup:
    """The stages of a BatchCompose, as it runs them."""
    chips = Chips()
    mixed = [any(before.kind == MIX for before in pipeline._stages[:index]) for index in range(len(pipeline._stages))]
    stages = [_stage(stage, after, chips) for stage, after in zip(pipeline._stages, mixed, strict=True)]
    first, last = (tag("li", tag("i", text)) for text in ("samples", "batch"))
    note = "Parameters that are not shown here are in repr(pipeline)."
    return concatenated(
        _pipeline_header(pipeline),
        tag("ol", {"class": "mx-flow"}, first, *stages, last),
        tag("p", faint(note)) if chips.shortened else "",
    )


def _pipeline_header(pipeline: Any) -> Markup:
    seed = "no seed, draws from the host's generator" if pipeline.seed is None else f"seed {pipeline.seed}"
    passed = sorted(map(short_repr, pipeline._finder.passthrough))
    left = f"left alone: {', '.join(passed[:6])}{', …' if len(passed) > 6 else ''}" if passed else ""
    text = "; ".join(part for part in (f"of {library_of(pipeline)}", seed, left) if part)
    own = (values.CHILD_FIELD, "seed")  # these stand in the diagram and beside the name
    given = [each for each in values.parameters(pipeline) if each.given and each.name not in own]
    head = tag("summary", "other arguments")
    options = tag("details", {"class": "mx-options"}, head, _parameter_table(given)) if given else ""
    name = tag("strong", cut_text(display_name(pipeline), 40))
    return concatenated(tag("p", name, " ", cut_text(text, 200)), options)


def _stage(stage: Stage, mixed: bool, chips: Chips) -> Markup:
    title, text = _STAGE_TITLES[stage.kind, mixed]
    head = tag("div", tag("strong", title), " ", faint(text))
    return tag("li", tag("div", {"class": f"mx-stage mx-{stage.kind}"}, head, chips.column(stage.transforms)))


_STAGE_TITLES = {
    (SAMPLE, False): ("every sample", "each with its own draws"),
    (SAMPLE, True): ("every sample of the batch", "each with its own draws, then stacked again"),
    (ALIKE, False): ("every sample", "all with the same draws"),
    (OTHERWISE, True): ("samples left alone by the mix", "each with its own draws, then stacked again"),
    (ALIKE, True): ("every sample of the batch", "all with the same draws, then stacked again"),
    (STILL, True): ("whole batch", "without draws"),
    (MIX, False): ("batch", "samples are collated, then mixed"),
    (MIX, True): ("batch", "mixed again"),
}
"""Names of stages and what happens there, by their kind and by whether something was mixed before."""
