"""What notebooks show of transforms, pipelines, plans and schedules: HTML that needs nothing else.

No scripts, nothing from elsewhere, no rule for anything outside; without the style sheet it still reads in order.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mixtransforms.core.display import html_of
from mixtransforms.core.errors import InputError
from mixtransforms.methods.base import Method
from mixtransforms.methods.schedules import Schedule, Then
from mixtransforms.mixing.compose import BatchPipeline
from mixtransforms.mixing.transform import MixTransform
from mixtransforms.plan import Plan
from mixtransforms.show.html import pipelines, plans, svg
from mixtransforms.show.html.markup import Markup, code_text, concatenated, faint, ordered_list, shown, tag
from mixtransforms.show.words import attempt, short_repr

_MOST_SCHEDULES = 20
"""Schedules of one that is composed which are told, a line each."""


@html_of.register(BatchPipeline)  # type: ignore[untyped-decorator]
def pipeline_html(pipeline: Any) -> str:
    """A BatchCompose of either host: a diagram of its stages."""
    return shown(pipelines.diagram(pipeline))


@html_of.register(Method)  # type: ignore[untyped-decorator]
@html_of.register(MixTransform)  # type: ignore[untyped-decorator]
def transform_html(transform: Any) -> str:
    """One transform or method: its parameters, and what is in it."""
    return shown(pipelines.transform_chip(transform))


@html_of.register(Plan)  # type: ignore[untyped-decorator]
def plan_html(plan: Plan) -> str:
    """A plan: what it is for, and what it does to the first samples."""
    return shown(plans.plan_table(plan))


@html_of.register(Schedule)  # type: ignore[untyped-decorator]
def schedule_html(schedule: Schedule) -> str:
    """A schedule: its text, and its values over the epochs."""
    text = short_repr(schedule)
    drawn = attempt(lambda: svg.schedule_chart(schedule, text[:200]), Markup())
    return shown(tag("p", code_text(text, 200)), drawn, _composed_of(schedule))


def _composed_of(schedule: Schedule) -> Markup:
    """Of a composed schedule, what it is made of."""
    if not isinstance(schedule, Then):
        return Markup()
    items = [
        concatenated(faint(f"from epoch {epoch}: "), code_text(short_repr(part)))
        for epoch, part in zip((0, *schedule.at), schedule.parts, strict=True)
    ]
    return ordered_list(items[:_MOST_SCHEDULES], len(items) - _MOST_SCHEDULES)


# ------------------------------------------------------------------------------------------------ pages

_PNG = b"\x89PNG\r\n\x1a\n"

_PAGE_STYLE = Markup(
    """<style>
:root { color-scheme: light dark; }
body { margin: 0; background: #fff; color: #1b1b1b; font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1100px; margin: 0 auto; padding: 24px 16px 48px; }
h1 { font-size: 22px; margin: 0 0 16px; overflow-wrap: anywhere; }
h2 { font-size: 17px; margin: 0 0 10px; }
pre { font-size: 13px; overflow-x: auto; }
section { margin: 0 0 28px; }
figure { margin: 0; }
img { display: block; max-width: 100%; height: auto; background: #fff; border-radius: 6px; }
@media (prefers-color-scheme: dark) { body { background: #111; color: #e8e8e8; } }
</style>"""
)


@dataclass(frozen=True)
class Png:
    """A picture on a page.

    Attributes:
        data: The bytes of a PNG file.
        alt: What is on it, for those who do not see it.

    Raises:
        InputError: The bytes are no PNG.
    """

    data: bytes
    alt: str

    def __post_init__(self) -> None:
        if self.data[:8] != _PNG or len(self.data) < 24:
            got, wanted = f"{len(self.data)} bytes that begin with {self.data[:8]!r}", "the bytes of a PNG file"
            fix = 'Write the figure with figure.savefig(buffer, format="png").'
            raise InputError("Not a picture for a page", where="Png.data", got=got, wanted=wanted, fix=fix)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, as the file says."""
        width, height = struct.unpack(">II", self.data[16:24])
        return int(width), int(height)


def html_page(title: str, parts: Sequence[str | Png]) -> str:
    """One HTML page that needs no other file, in light and dark colours.

    Args:
        title: What it is called, plain text.
        parts: In their order; text is HTML that is taken as it is, such as :func:`pipeline_html` returns.
    """
    head = [
        tag("meta", {"charset": "utf-8"}),
        tag("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}),
        tag("title", title),
        _PAGE_STYLE,
    ]
    main = tag("main", tag("h1", title), *map(_page_section, parts))
    whole = tag("html", {"lang": "en"}, tag("head", *head), tag("body", main))
    return f"<!doctype html>\n{whole}\n"


def _page_section(part: str | Png) -> Markup:
    if isinstance(part, str):
        return tag("section", Markup(part))
    width, height = part.size
    source = f"data:image/png;base64,{base64.b64encode(part.data).decode('ascii')}"
    picture = tag("img", {"src": source, "alt": part.alt, "width": width, "height": height})
    return tag("section", tag("figure", picture))


__all__ = ["Png", "html_page", "pipeline_html", "plan_html", "schedule_html", "transform_html"]
