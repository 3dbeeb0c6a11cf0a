"""Draws tiles: mixed images, their sources, and their shares."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mixtransforms.show.batches import objects
from mixtransforms.show.batches.overlays import color_of
from mixtransforms.show.batches.tiles import Outline, Part, Sheet, Tile, percent
from mixtransforms.show.style import (
    CHARACTER,
    COLORS,
    DPI,
    HEADING_CHARACTER,
    HEADING_LINE,
    LARGE,
    LINE,
    MARGIN,
    NORMAL,
    SMALL,
    Picture,
    wrapped,
)

_COLUMNS = 4
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
_TITLE, _BAR = 0.26, 0.13
"""Heights in inches."""
_HEADING, _SECTION_GAP = 0.3, 0.18
"""Height of the heading of a section, and what is free between two, in inches."""
_THUMB, _THUMB_GAP = 1.0, (0.14, 0.1)
"""Width of a thumbnail, and the gaps between them."""
_ROW = 1.75
"""Width of an image in rows that are compared."""
_STRIP, _WIDE = 3.7, 0.45
"""Width of a picture that is less tall than this part of its width: frames of a video, and very long images."""
_MIDDLE = 10.0
"""Size of headings in points."""


class Section(NamedTuple):
    """A part of a figure: tiles under a heading, and what the reader must know of them.

    Attributes:
        sheet: The tiles.
        text: Explains them.
        heading: What they are; empty where there is one section only.
        small: Whether they are thumbnails.
        row: Whether they stand side by side, to be compared with those of other sections.
        axes: What the axes of the pictures are called.
    """

    sheet: Sheet
    text: str = ""
    heading: str = ""
    small: bool = False
    row: bool = False
    axes: str = "mixed"


class _Layout(NamedTuple):
    """Sizes in inches, the same for all tiles of a section.

    Attributes:
        columns: Tiles in a row.
        image: Width and height of a mixed image.
        inset: Width and height that the insets share; zero where no tile has any.
        across: Parts named in one line below the bar.
        lines: Lines of text below the bar.
        gap: Between tiles, across and down.
    """

    columns: int
    image: tuple[float, float]
    inset: float = 0.0
    across: int = 1
    lines: int = 0
    gap: tuple[float, float] = _TILE_GAP

    @property
    def width(self) -> float:
        return self.image[0] + (_GAP + self.inset if self.inset else 0.0)

    @property
    def height(self) -> float:
        return _TITLE + self.image[1] + ((_GAP + _BAR + 0.03 + self.lines * LINE) if self.lines else 0.0)

    def row(self, tiles: int) -> float:
        """Width of so many tiles side by side."""
        return 2 * MARGIN + tiles * self.width + (tiles - 1) * self.gap[0]

    def rows(self, tiles: int) -> float:
        """Height of so many tiles."""
        rows = math.ceil(tiles / self.columns)
        return rows * self.height + max(0, rows - 1) * self.gap[1]


class _Placed(NamedTuple):
    """A section with its sizes.

    Attributes:
        section: The section.
        layout: Sizes of its tiles.
        text: Lines below them.
        legend: Lines of colours below that, see :func:`_legend`.
    """

    section: Section
    layout: _Layout
    text: list[str]
    legend: list[list[tuple[float, int, str]]]

    @property
    def height(self) -> float:
        head = _HEADING if self.section.heading else 0.0
        foot = 0.12 + (len(self.text) + len(self.legend)) * LINE
        return head + self.layout.rows(len(self.section.sheet.tiles)) + foot


def draw(sections: Sequence[Section], title: str | None) -> Picture:
    """All sections, one below the other, with a title above."""
    layouts = [_layout(section) for section in sections]
    width = max(_NARROWEST, *(layout.row(layout.columns) for layout in layouts))
    placed = [_placed(section, layout, width) for section, layout in zip(sections, layouts, strict=True)]
    heading = wrapped(title or "", width, HEADING_CHARACTER)
    head = 0.1 + len(heading) * HEADING_LINE + (0.08 if title and sections[0].heading else 0.0)
    height = head + sum(each.height for each in placed) + (len(placed) - 1) * _SECTION_GAP + MARGIN
    figure = Picture(figsize=(width, height), dpi=DPI, facecolor="white")
    for number, line in enumerate(heading):
        _text(figure, MARGIN, height - 0.25 - number * HEADING_LINE, line, LARGE, "black", weight="bold")
    top = height - head
    for each in placed:
        _draw_section(figure, each, top)
        top -= each.height + _SECTION_GAP
    return figure


def _placed(section: Section, layout: _Layout, width: float) -> _Placed:
    if section.small:  # as many thumbnails in a row as there is room for
        columns = int((width - 2 * MARGIN + layout.gap[0]) / (layout.width + layout.gap[0]))
        layout = layout._replace(columns=max(layout.columns, columns))
    text = [line for part in (section.text, *section.sheet.notes) for line in wrapped(part, width, CHARACTER)]
    return _Placed(section, layout, text, _legend(section.sheet.classes, width))


def _draw_section(figure: Figure, placed: _Placed, top: float) -> None:
    section, layout, text, legend = placed
    bottom = top - placed.height
    if section.heading:
        _text(figure, MARGIN, top - 0.16, section.heading, _MIDDLE, "black", weight="bold")
        top -= _HEADING
    for number, tile in enumerate(section.sheet.tiles):
        row, column = divmod(number, layout.columns)
        left = MARGIN + column * (layout.width + layout.gap[0])
        _draw_tile(figure, tile, layout, left, top - row * (layout.height + layout.gap[1]), section.axes)
    lines = len(text) + len(legend)
    for number, line in enumerate(text, start=1):
        _text(figure, MARGIN, bottom + (lines - number) * LINE, line, SMALL, "#444444")
    for number, entries in enumerate(legend, start=1 + len(text)):
        _draw_legend(figure, entries, bottom + (lines - number) * LINE)


def _layout(section: Section) -> _Layout:
    tiles = section.sheet.tiles
    rows, columns = tiles[0].picture.shape[:2] if tiles else (1, 1)
    ratio = rows / max(columns, 1)
    if section.small:
        return _Layout(min(2, max(1, len(tiles))), (_THUMB, _THUMB * min(max(ratio, 0.3), 1.0)), gap=_THUMB_GAP)
    parts = max((len(tile.parts) for tile in tiles), default=0)
    insets = any(part.picture is not None for tile in tiles for part in tile.parts)
    declared = any(part.label_share is not None for tile in tiles for part in tile.parts)
    across = 2 if (insets or parts <= 2) and not declared else 1
    marked = any(tile.marks.things or tile.marks.wash is not None for tile in tiles)
    most, wide, inset = (_FEW, _MARKED, _MARKED_INSET) if marked else (_COLUMNS, _MIXED, _INSET)
    if section.row:
        most, wide = max(1, len(tiles)), _ROW
    tall = min(max(ratio, 0.4), 1.6)  # very long pictures get bands, not a figure of their own
    if ratio < _WIDE and not section.row:
        most, wide = 2, _STRIP
        tall = min(max(ratio, 0.2), 1.6)
    return _Layout(
        min(most, max(1, len(tiles))),
        (wide, wide * tall),
        inset if insets else 0.0,
        across,
        math.ceil(parts / across),
    )


def _draw_tile(figure: Figure, tile: Tile, layout: _Layout, left: float, top: float, name: str) -> None:
    wide, tall = layout.image
    image_bottom = top - _TITLE - tall
    _text(figure, left, top - _TITLE + 0.07, _shortened(tile.title, layout.width + layout.gap[0]), NORMAL, "black")
    axes = _axes(figure, name, (left, image_bottom, wide, tall))
    _show(axes, tile.picture, "#888888", 0.6)
    for outline in tile.outlines:
        _draw_outline(axes, outline)
    objects.draw(axes, tile.marks, captions=True)
    pictured = [(number, part) for number, part in enumerate(tile.parts) if part.picture is not None]
    slots = max(2, len(pictured))
    inset = (tall - (slots - 1) * _GAP) / slots
    for slot, (number, part) in enumerate(pictured):
        bottom = image_bottom + tall - inset - slot * (inset + _GAP)
        small = _axes(figure, "source", (left + wide + _GAP, bottom, layout.inset, inset))
        _show(small, part.picture, COLORS[number], 2.2)
        objects.draw(small, part.marks, captions=False)
        _number(small, str(part.index), COLORS[number])
    if tile.parts:
        _draw_bar(figure, tile.parts, layout, left, image_bottom - _GAP - _BAR)


def _legend(classes: Sequence[tuple[int, str]], width: float) -> list[list[tuple[float, int, str]]]:
    """Lines of places in inches, numbers of colours, and names."""
    lines: list[list[tuple[float, int, str]]] = []
    x = width
    for number, name in classes:
        room = 0.35 + len(name) * CHARACTER
        if x + room > width - MARGIN:
            lines.append([])
            x = MARGIN
        lines[-1].append((x, number, name))
        x += room
    return lines


def _draw_legend(figure: Figure, entries: Sequence[tuple[float, int, str]], bottom: float) -> None:
    width, height = figure.get_size_inches()
    for x, number, name in entries:
        corner, size = (x / width, (bottom - 0.01) / height), (0.12 / width, 0.12 / height)
        figure.add_artist(Rectangle(corner, *size, facecolor=color_of(number), edgecolor="#444444", linewidth=0.5))
        _text(figure, x + 0.17, bottom, name, SMALL, "#444444")


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
        _text(figure, x, bottom + 0.01 - LINE * (line + 1), _caption(part, room), SMALL, COLORS[number], align)


def _caption(part: Part, room: float) -> str:
    """Name and share of a part, the name shortened to its room in inches."""
    numbers = percent(part.share)
    if part.label_share is not None:
        numbers += f" (label {percent(part.label_share)})"
    return f"{_shortened(part.name, room - (len(numbers) + 2) * CHARACTER)}: {numbers}"


def _shortened(text: str, room: float) -> str:
    """A text with its end cut off where it is longer than its room in inches."""
    letters = max(4, int(room / CHARACTER))
    return text if len(text) <= letters else text[: letters - 1] + "…"


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
    for top, left, bottom, right in outline.rectangles:
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
