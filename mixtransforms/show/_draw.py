"""Draws tiles with matplotlib's Figure alone: no global state, no window, the same on a server and in a notebook."""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mixtransforms.show import _objects
from mixtransforms.show._tiles import Outline, Part, Sheet, Tile
from mixtransforms.show._washes import color_of

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#8C6D00", "#666666")
"""One for every part of a tile (Okabe and Ito): told apart by colour-blind readers, and dark enough for text."""

_DPI = 100
_COLUMNS = 4
_MARGIN = 0.15
_NARROWEST = 3.6
"""Width of the smallest figure in inches, for the text below it."""
_GAP = 0.08
_TILE_GAP = (0.3, 0.28)
"""Inches between tiles, across and down."""
_MIXED = 1.85
"""Width of a mixed image in inches; its height follows its sides."""
_INSET = 0.85
_MARKED, _MARKED_INSET, _FEW = 2.6, 1.12, 3
"""Widths of a mixed image and of its sources, and tiles in a row, where objects are drawn: the figure is as wide."""
_TITLE, _BAR, _LINE, _HEADING_LINE = 0.26, 0.13, 0.17, 0.24
"""Heights in inches."""
_CHARACTER, _HEADING_CHARACTER = 0.072, 0.115
"""Width of a character of the small text and of the title in inches, on average."""
_SMALL, _NORMAL, _LARGE = 8.5, 9.0, 12.0
"""Sizes of text in points."""


class Picture(Figure):
    """A figure that notebooks draw without pyplot."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=self.dpi)
        return buffer.getvalue()


class _Layout(NamedTuple):
    """Sizes in inches, the same for all tiles of a figure.

    Attributes:
        columns: Tiles in a row.
        image: Width and height of a mixed image.
        inset: Width and height that the insets share; zero where no tile has any.
        across: Parts named in one line below the bar.
        lines: Lines of text below the bar.
    """

    columns: int
    image: tuple[float, float]
    inset: float
    across: int
    lines: int

    @property
    def width(self) -> float:
        return self.image[0] + (_GAP + self.inset if self.inset else 0.0)

    @property
    def height(self) -> float:
        return _TITLE + self.image[1] + ((_GAP + _BAR + 0.03 + self.lines * _LINE) if self.lines else 0.0)


def draw(sheet: Sheet, title: str | None, explanation: str) -> Figure:
    """All tiles in a grid, with a title above and what the reader must know below."""
    layout = _layout(sheet.tiles)
    columns, rows = layout.columns, math.ceil(len(sheet.tiles) / layout.columns)
    width = max(_NARROWEST, 2 * _MARGIN + columns * layout.width + (columns - 1) * _TILE_GAP[0])
    heading = _wrapped([title or ""], width, _HEADING_CHARACTER)
    text = _wrapped([explanation, *sheet.notes], width, _CHARACTER)
    legend = _legend(sheet.classes, width)
    head, foot = 0.1 + len(heading) * _HEADING_LINE, _MARGIN + (len(text) + len(legend)) * _LINE
    height = head + rows * layout.height + max(0, rows - 1) * _TILE_GAP[1] + 0.12 + foot
    figure = Picture(figsize=(width, height), dpi=_DPI, facecolor="white")
    for number, line in enumerate(heading):
        _text(figure, _MARGIN, height - 0.25 - number * _HEADING_LINE, line, _LARGE, "black", weight="bold")
    for number, line in enumerate(reversed(text)):
        _text(figure, _MARGIN, 0.12 + number * _LINE, line, _SMALL, "#444444")
    for number, entries in enumerate(reversed(legend)):
        _draw_legend(figure, entries, 0.12 + (len(text) + number) * _LINE)
    for number, tile in enumerate(sheet.tiles):
        left = _MARGIN + (number % columns) * (layout.width + _TILE_GAP[0])
        top = height - head - (number // columns) * (layout.height + _TILE_GAP[1])
        _draw_tile(figure, tile, layout, left, top)
    return figure


def _layout(tiles: Sequence[Tile]) -> _Layout:
    rows, columns = tiles[0].picture.shape[:2] if tiles else (1, 1)
    tall = min(max(rows / columns, 0.4), 1.6)  # very long pictures get bands, not a figure of their own
    parts = max((len(tile.parts) for tile in tiles), default=0)
    insets = any(part.picture is not None for tile in tiles for part in tile.parts)
    declared = any(part.label_share is not None for tile in tiles for part in tile.parts)
    across = 2 if (insets or parts <= 2) and not declared else 1
    marked = any(tile.marks.things or tile.marks.wash is not None for tile in tiles)
    columns, wide, inset = (_FEW, _MARKED, _MARKED_INSET) if marked else (_COLUMNS, _MIXED, _INSET)
    return _Layout(
        min(columns, max(1, len(tiles))),
        (wide, wide * tall),
        inset if insets else 0.0,
        across,
        math.ceil(parts / across),
    )


def _draw_tile(figure: Figure, tile: Tile, layout: _Layout, left: float, top: float) -> None:
    wide, tall = layout.image
    image_bottom = top - _TITLE - tall
    _text(figure, left, top - _TITLE + 0.07, tile.title, _NORMAL, "black")
    axes = _axes(figure, "mixed", (left, image_bottom, wide, tall))
    _show(axes, tile.picture, "#888888", 0.6)
    for outline in tile.outlines:
        _draw_outline(axes, outline)
    _objects.draw(axes, tile.marks, captions=True)
    pictured = [(number, part) for number, part in enumerate(tile.parts) if part.picture is not None]
    slots = max(2, len(pictured))
    inset = (tall - (slots - 1) * _GAP) / slots
    for slot, (number, part) in enumerate(pictured):
        bottom = image_bottom + tall - inset - slot * (inset + _GAP)
        small = _axes(figure, "source", (left + wide + _GAP, bottom, layout.inset, inset))
        _show(small, part.picture, COLORS[number], 2.2)
        _objects.draw(small, part.marks, captions=False)
        _number(small, str(part.index), COLORS[number])
    if tile.parts:
        _draw_bar(figure, tile.parts, layout, left, image_bottom - _GAP - _BAR)


def _legend(classes: Sequence[tuple[int, str]], width: float) -> list[list[tuple[float, int, str]]]:
    """Lines of places in inches, numbers of colours, and names."""
    lines: list[list[tuple[float, int, str]]] = []
    x = width
    for number, name in classes:
        room = 0.35 + len(name) * _CHARACTER
        if x + room > width - _MARGIN:
            lines.append([])
            x = _MARGIN
        lines[-1].append((x, number, name))
        x += room
    return lines


def _draw_legend(figure: Figure, entries: Sequence[tuple[float, int, str]], bottom: float) -> None:
    width, height = figure.get_size_inches()
    for x, number, name in entries:
        corner, size = (x / width, (bottom - 0.01) / height), (0.12 / width, 0.12 / height)
        figure.add_artist(Rectangle(corner, *size, facecolor=color_of(number), edgecolor="#444444", linewidth=0.5))
        _text(figure, x + 0.17, bottom, name, _SMALL, "#444444")


def _draw_bar(figure: Figure, parts: Sequence[Part], layout: _Layout, left: float, bottom: float) -> None:
    axes = _axes(figure, "shares", (left, bottom, layout.width, _BAR))
    axes.set_xlim(0.0, 1.0)
    axes.set_ylim(0.0, 1.0)
    axes.set_axis_off()
    start = 0.0
    for number, part in enumerate(parts):
        axes.add_patch(Rectangle((start, 0.0), part.share, 1.0, facecolor=COLORS[number], linewidth=0))
        start += part.share
        line, place = divmod(number, layout.across)
        x, align = (left + layout.width, "right") if place else (left, "left")
        room = layout.width / (1 if len(parts) == 1 else layout.across)
        _text(figure, x, bottom + 0.01 - _LINE * (line + 1), _caption(part, room), _SMALL, COLORS[number], align)


def _caption(part: Part, room: float) -> str:
    """Name and share of a part, the name shortened to its room in inches."""
    numbers = percent(part.share)
    if part.label_share is not None:
        numbers += f" (label {percent(part.label_share)})"
    letters = max(4, int(room / _CHARACTER) - len(numbers) - 2)
    name = part.name if len(part.name) <= letters else part.name[: letters - 1] + "…"
    return f"{name}: {numbers}"


def percent(share: float) -> str:
    """A share in whole percent, where "0" and "100" mean exactly that."""
    if 0.0 < share < 0.005:
        return "<1%"
    if 0.995 <= share < 1.0:
        return ">99%"
    return f"{100 * share:.0f}%"


def _show(axes: Axes, picture: Any, color: str, width: float) -> None:
    # Nearest neighbours keep the pixels of small pictures; large ones are averaged down.
    axes.imshow(picture, interpolation="nearest" if max(picture.shape[:2]) < 100 else "antialiased")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_anchor("NW")
    axes.set_autoscale_on(False)
    for spine in axes.spines.values():
        spine.set(color=color, linewidth=width)


def _number(axes: Axes, text: str, color: str) -> None:
    """Which sample a source is, in the corner of its picture."""
    box = {"facecolor": color, "edgecolor": "none", "pad": 1.6}
    axes.text(0.0, 1.0, text, transform=axes.transAxes, fontsize=7, color="white", ha="left", va="top", bbox=box)


def _draw_outline(axes: Axes, outline: Outline) -> None:
    color = COLORS[outline.part]
    if outline.mask is not None:
        if outline.mask.min() < 0.5 < outline.mask.max():
            axes.contour(outline.mask, levels=[0.5], colors=[color], linewidths=2)
        return
    (top, left), (bottom, right) = outline.start, outline.stop
    for shade, width in (("white", 3.6), (color, 2.0)):  # the halo keeps it visible on any picture
        axes.add_patch(
            Rectangle((left - 0.5, top - 0.5), right - left, bottom - top, fill=False, color=shade, lw=width)
        )


def _axes(figure: Figure, label: str, inches: tuple[float, float, float, float]) -> Axes:
    width, height = figure.get_size_inches()
    left, bottom, wide, tall = inches
    return figure.add_axes((left / width, bottom / height, wide / width, tall / height), label=label)


def _text(
    figure: Figure, x: float, y: float, text: str, size: float, color: str, align: str = "left", weight: str = "normal"
) -> None:
    width, height = figure.get_size_inches()
    # Names come from users: a dollar sign in them is no formula.
    options: dict[str, Any] = {
        "fontsize": size,
        "color": color,
        "ha": align,
        "va": "baseline",
        "weight": weight,
        "parse_math": False,
    }
    figure.text(x / width, y / height, text, **options)


def _wrapped(paragraphs: Sequence[str], width: float, character: float) -> list[str]:
    letters = int((width - 2 * _MARGIN) / character)
    return [line for text in paragraphs for line in textwrap.wrap(text, letters, break_long_words=False)]
