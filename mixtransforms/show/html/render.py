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
from mixtransforms.show.html.markup import NO_ATTRIBUTES, Markup, code, faint, shown, tag
from mixtransforms.show.html.values import asked, said

_MOST_POINTS = 120
_MOST_PARTS = 20


@html_of.register(BatchPipeline)  # type: ignore[untyped-decorator]
def pipeline(pipeline: Any) -> str:
    """A BatchCompose of either host: a diagram of its stages."""
    return shown(pipelines.diagram(pipeline))


@html_of.register(Method)  # type: ignore[untyped-decorator]
@html_of.register(MixTransform)  # type: ignore[untyped-decorator]
def transform(transform: Any) -> str:
    """One transform or method: its parameters, and what is in it."""
    return shown(pipelines.single(transform))


@html_of.register(Plan)  # type: ignore[untyped-decorator]
def plan(plan: Plan) -> str:
    """A plan: what it is for, and what it does to the first samples."""
    return shown(plans.table(plan))


@html_of.register(Schedule)  # type: ignore[untyped-decorator]
def schedule(schedule: Schedule) -> str:
    """A schedule: its text, and its values over the epochs."""
    text = said(schedule)
    joints = svg.joints(schedule)
    drawn = asked(lambda: svg.curve(svg.course(schedule, _MOST_POINTS), text[:200], joints), Markup())
    return shown(tag("p", NO_ATTRIBUTES, code(text, 200)), drawn, _parts(schedule))


def _parts(schedule: Schedule) -> Markup:
    """Of a composed schedule, what it is made of."""
    if not isinstance(schedule, Then):
        return Markup()
    items = [
        tag("li", NO_ATTRIBUTES, faint(f"from epoch {epoch}: "), code(said(part)))
        for epoch, part in zip((0, *schedule.at), schedule.parts, strict=True)
    ]
    more = len(items) - _MOST_PARTS
    rest = [tag("li", NO_ATTRIBUTES, faint(f"and {more} more"))] if more > 0 else []
    return tag("ol", NO_ATTRIBUTES, *items[:_MOST_PARTS], *rest)


# ------------------------------------------------------------------------------------------------ pages

_PNG = b"\x89PNG\r\n\x1a\n"

_PAGE = Markup(
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
            raise InputError(
                "Not a picture for a page",
                where="Png.data",
                got=f"{len(self.data)} bytes that begin with {self.data[:8]!r}",
                wanted="the bytes of a PNG file",
                fix='Write the figure with figure.savefig(buffer, format="png").',
            )

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, as the file says."""
        width, height = struct.unpack(">II", self.data[16:24])
        return int(width), int(height)


def page(title: str, parts: Sequence[str | Png]) -> str:
    """One HTML page that needs no other file, in light and dark colours.

    Args:
        title: What it is called, plain text.
        parts: In their order; text is HTML that is taken as it is, such as :func:`pipeline` returns.
    """
    head = [
        tag("meta", {"charset": "utf-8"}),
        tag("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}),
        tag("title", NO_ATTRIBUTES, title),
        _PAGE,
    ]
    main = tag("main", NO_ATTRIBUTES, tag("h1", NO_ATTRIBUTES, title), *map(_section, parts))
    whole = tag("html", {"lang": "en"}, tag("head", NO_ATTRIBUTES, *head), tag("body", NO_ATTRIBUTES, main))
    return f"<!doctype html>\n{whole}\n"


def _section(part: str | Png) -> Markup:
    if isinstance(part, str):
        return tag("section", NO_ATTRIBUTES, Markup(part))
    width, height = part.size
    source = f"data:image/png;base64,{base64.b64encode(part.data).decode('ascii')}"
    picture = tag("img", {"src": source, "alt": part.alt, "width": width, "height": height})
    return tag("section", NO_ATTRIBUTES, tag("figure", NO_ATTRIBUTES, picture))


__all__ = ["Png", "page", "pipeline", "plan", "schedule", "transform"]
