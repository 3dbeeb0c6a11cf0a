"""HTML, built so that nothing is ever unescaped: text becomes markup in :func:`tag` alone."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping

from mixtransforms.show.style import GREEN, SOURCE_ACCENTS, VERMILLION, to_rgb

SCOPE = "mixtransforms"
"""The class of everything that is shown; every rule of :data:`STYLE` begins with it."""

MOST_SHOWN, MOST_HOVERED = 80, 300
"""Characters of a text that are shown, a line of a page, and that are shown under the pointer where it is longer."""

_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
"""Characters that HTML does not have, or that would turn the direction of what follows."""

_SPACE = re.compile(r"\s+")

_VOID = frozenset({"img", "meta"})
"""Elements that have no end."""

_BORDER = "var(--jp-border-color1, var(--vscode-widget-border, rgba(128, 128, 128, 0.5)))"

_MIX_RGB = ", ".join(f"{255 * part:.0f}" for part in to_rgb(VERMILLION))

_STYLE_RULES = {
    "": "color: inherit; font-size: 13px; line-height: 1.45; max-width: 100%; overflow-x: auto; padding: 2px",
    "p": "margin: 0 0 6px",
    "code": "color: inherit; background: none; padding: 0; font-size: 12px; overflow-wrap: anywhere; "
    "white-space: normal",
    "svg": "vertical-align: middle; max-width: 100%; overflow: visible",
    "ol": "margin: 0; padding: 0; list-style: none",
    "li": "margin: 0",
    "summary": "cursor: pointer",
    "table": "border-collapse: collapse; margin: 4px 0; width: auto; table-layout: auto; font-size: 12px; "
    "color: inherit; border: none",
    "tr": "background: none; border: none",
    "tbody tr:nth-child(n)": "background: none",
    "tbody tr:nth-child(n):hover": "background: none",
    "th": "text-align: left; vertical-align: top; padding: 2px 12px 2px 0; font-weight: normal; border: none; "
    "max-width: none; white-space: nowrap",
    "td": "text-align: left; vertical-align: top; padding: 2px 12px 2px 0; border: none; max-width: 34em; "
    "white-space: normal",
    ".mx-given": "font-weight: bold",
    ".mx-faint": "opacity: 0.75",
    ".mx-rows > * > tr > *": f"padding: 5px 16px 5px 0; border-top: 1px solid {_BORDER}",
    ".mx-rows > thead > tr > *": "border-top: none; font-weight: bold",
    ".mx-number": "font-variant-numeric: tabular-nums; white-space: nowrap",
    ".mx-flow": "display: flex; flex-wrap: wrap; gap: 10px 0; align-items: flex-start",
    ".mx-flow > li": "display: flex; align-items: flex-start; max-width: 100%",
    ".mx-flow > li + li::before": "content: '\\2192'; padding: 6px 10px 0 12px; font-size: 16px",
    ".mx-flow > li > i": "padding: 7px 0",
    ".mx-options": "margin: 0 0 8px",
    ".mx-stage": f"border: 1px solid {_BORDER}; border-top-width: 4px; border-radius: 6px; padding: 5px 10px 9px; "
    "margin: 0 8px 8px 0; min-width: 0",
    ".mx-sample": f"border-top-color: {SOURCE_ACCENTS[0]}; box-shadow: 4px 4px 0 rgba(128, 128, 128, 0.3), "
    "8px 8px 0 rgba(128, 128, 128, 0.15)",
    ".mx-mix": f"border-top-color: {VERMILLION}; background: rgba({_MIX_RGB}, 0.09)",
    ".mx-still": f"border-top-color: {GREEN}",
    ".mx-chips": "display: flex; flex-direction: column; align-items: flex-start; gap: 5px; margin-top: 5px",
    ".mx-many": "flex-direction: row; flex-wrap: wrap",
    ".mx-chip": f"border: 1px solid {_BORDER}; border-radius: 5px; padding: 2px 8px; background: rgba(128, 128, 128, "
    "0.08); max-width: 100%; box-sizing: border-box",
    ".mx-alone": "display: inline-block; padding-bottom: 6px",
    ".mx-parts": "margin: 2px 0 4px 10px",
}


def _scoped(rules: Mapping[str, str]) -> str:
    """The rules for what is inside the scope alone; its class thrice, to come before those of notebooks for tables."""
    scope = f".{SCOPE}" * 3
    return "\n".join(f"{scope} {selector} {{ {rule} }}".replace("  ", " ") for selector, rule in rules.items())


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


STYLE = Markup(f"<style>\n{_scoped(_STYLE_RULES)}\n</style>")
"""The style sheet. Without it, which some viewers strip, lists, tables and headings say the same."""


def printable(text: str) -> str:
    """A text in one line, without characters that HTML does not have."""
    return _UNSEEN.sub("\ufffd", _SPACE.sub(" ", text))


def concatenated(*parts: str) -> Markup:
    """Parts one after the other; those that are no markup are escaped."""
    return Markup("".join(part if isinstance(part, Markup) else html.escape(printable(part), False) for part in parts))


def tag(name: str, *inside: str | Mapping[str, object]) -> Markup:
    """An element.

    Args:
        name: Such as ``"td"``.
        *inside: Markup, or text, which is escaped. Mappings among them are attributes by their names, whose values are
            escaped; ``True`` has no value, ``None`` and ``False`` leave it out.
    """
    attributes = [item for part in inside if isinstance(part, Mapping) for item in part.items()]
    given = [
        f" {key}" if value is True else f' {key}="{html.escape(printable(str(value)))}"'
        for key, value in attributes
        if value is not None and value is not False
    ]
    end = "" if name in _VOID else f"{concatenated(*(part for part in inside if isinstance(part, str)))}</{name}>"
    return Markup(f"<{name}{''.join(given)}>{end}")


def tags(name: str, parts: Iterable[str]) -> list[Markup]:
    """An element around each part."""
    return [tag(name, part) for part in parts]


def ordered_list(items: Iterable[str], rest: int = 0, what: str = "more") -> Markup:
    """An ordered list; below it how many there are that it leaves out."""
    return tag("ol", *tags("li", items), *tags("li", and_more(rest, what)))


def and_more(rest: int, what: str = "more") -> list[Markup]:
    """A line about what is left out, if anything is."""
    return [faint(f"and {rest} {what}")] if rest > 0 else []


def cut_text(text: str, most: int = MOST_SHOWN) -> Markup:
    """A text of one line; a long one shortened, with more of it under the pointer."""
    line = printable(text)  # before it is measured: what is replaced may be longer or shorter
    if len(line) <= most:
        return concatenated(line)
    hovered = line if len(line) <= MOST_HOVERED else line[:MOST_HOVERED] + "…"
    return tag("span", {"title": hovered}, line[:most] + "…")


def code_text(text: str, most: int = MOST_SHOWN) -> Markup:
    """A name or a piece of code, shortened as by :func:`cut_text`."""
    return tag("code", cut_text(text, most))


def faint(*inside: str) -> Markup:
    """What matters less."""
    return tag("span", {"class": "mx-faint"}, *inside)


def shown(*inside: str) -> str:
    """What a notebook gets: parts with the style sheet, in the element that it is for."""
    return tag("div", {"class": SCOPE}, STYLE, *inside)
