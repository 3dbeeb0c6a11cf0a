"""Draws panels: mixed images, their sources, and their shares. All sizes are worked out before anything is drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mixtransforms.show import style, words
from mixtransforms.show.batches.draw_annotations import draw_annotation
from mixtransforms.show.batches.panels import Panel, PastedRegion, Section, SourcePart
from mixtransforms.show.picture import Picture
from mixtransforms.show.style import CHARACTER, LINE, MARGIN, SOURCE_COLORS

# Lengths are inches. A mixed image is wide enough to see what was pasted, and four of them with their sources beside
# them are as wide as a page of a notebook; objects have captions, so that three larger ones fill that width.
_PLAIN, _ANNOTATED = (4, 1.85, 0.85), (3, 2.6, 1.12)
"""Panels in a row, width of a mixed image, whose height follows its sides, and width of its sources."""
_LEAST_WIDTH = 3.6
"""Width of the smallest figure, for the text below it."""
_INSET_GAP, _PANEL_GAP = 0.08, (0.3, 0.28)
"""Between an image and its sources, and between panels, across and down."""
_TITLE_HEIGHT, _BAR_HEIGHT = 0.26, 0.13
_HEADING_HEIGHT, _SECTION_GAP = 0.3, 0.18
"""Height of the heading of a section, and what is free between two."""
_HEADING_CHARACTER = style.HEADING_CHARACTER * style.MIDDLE / style.LARGE
"""Width of a character of it, on average."""
_TITLE_GAP = 0.1
"""Between the title of a panel and the next."""
_THUMBNAIL_WIDTH, _THUMBNAIL_GAP = 1.0, (0.14, 0.1)
_COMPARED_WIDTH = 1.75
"""Width of an image in rows that are compared."""
_STRIP_WIDTH, _STRIP_RATIO = 3.7, 0.45
"""Width of a picture that is less tall than this part of its width: frames of a video, and very long images."""
_PIXELATED = 100
"""Pixels of a side below which every pixel of a picture is seen; from there on the screen has hardly more."""


class _Grid(NamedTuple):
    """Sizes in inches, the same for all panels of a section.

    Attributes:
        columns: Panels in a row.
        image: Width and height of a mixed image.
        inset: Width and height that the insets share; zero where no panel has any.
        across: Parts named in one line below the bar.
        lines: Lines of text below the bar.
        gap: Between panels, across and down.
    """

    columns: int
    image: tuple[float, float]
    inset: float = 0.0
    across: int = 1
    lines: int = 0
    gap: tuple[float, float] = _PANEL_GAP

    @property
    def width(self) -> float:
        return self.image[0] + (_INSET_GAP + self.inset if self.inset else 0.0)

    @property
    def height(self) -> float:
        return (
            _TITLE_HEIGHT
            + self.image[1]
            + ((_INSET_GAP + _BAR_HEIGHT + 0.03 + self.lines * LINE) if self.lines else 0.0)
        )

    def row(self, panels: int) -> float:
        """Width of so many panels side by side."""
        return 2 * MARGIN + panels * self.width + (panels - 1) * self.gap[0]

    def rows(self, panels: int) -> float:
        """Height of so many panels."""
        rows = math.ceil(panels / self.columns)
        return rows * self.height + max(0, rows - 1) * self.gap[1]


class _PlacedSection(NamedTuple):
    """A section with its sizes.

    Attributes:
        section: The section.
        grid: Sizes of its panels.
        heading: Lines above them.
        text: Lines below them.
        legend: Lines of colours below that, see :func:`_legend`.
    """

    section: Section
    grid: _Grid
    heading: list[str]
    text: list[str]
    legend: list[list[tuple[float, int, str]]]

    @property
    def height(self) -> float:
        foot = 0.12 + (len(self.text) + len(self.legend)) * LINE
        return self.head + self.grid.rows(len(self.section.data.panels)) + foot

    @property
    def head(self) -> float:
        """Height of the heading."""
        return _HEADING_HEIGHT + (len(self.heading) - 1) * LINE if self.heading else 0.0


def draw_sections(sections: Sequence[Section], title: str | None) -> Picture:
    """All sections, one below the other, with a title above."""
    grids = [_grid(section) for section in sections]
    width = max(_LEAST_WIDTH, *(grid.row(grid.columns) for grid in grids))
    placed = [_place_section(section, grid, width) for section, grid in zip(sections, grids, strict=True)]
    heading = words.wrapped_lines(title or "", width, style.HEADING_CHARACTER)
    head = 0.1 + len(heading) * style.HEADING_LINE + (0.08 if title and sections[0].heading else 0.0)
    height = head + sum(each.height for each in placed) + (len(placed) - 1) * _SECTION_GAP + MARGIN
    figure = Picture(figsize=(width, height), dpi=style.DPI, facecolor="white")
    for number, line in enumerate(heading):
        _write_text(
            figure, MARGIN, height - 0.25 - number * style.HEADING_LINE, line, style.LARGE, "black", weight="bold"
        )
    top = height - head
    for each in placed:
        _draw_section(figure, each, top)
        top -= each.height + _SECTION_GAP
    return figure


def _place_section(section: Section, grid: _Grid, width: float) -> _PlacedSection:
    if section.small:  # as many thumbnails in a row as there is room for
        columns = int((width - 2 * MARGIN + grid.gap[0]) / (grid.width + grid.gap[0]))
        grid = grid._replace(columns=max(grid.columns, columns))
    text = [line for part in (section.text, *section.data.notes) for line in words.wrapped_lines(part, width)]
    heading = words.wrapped_lines(section.heading, width, _HEADING_CHARACTER)
    return _PlacedSection(section, grid, heading, text, _legend(section.data.classes, width))


def _draw_section(figure: Figure, placed: _PlacedSection, top: float) -> None:
    section, grid, heading, text, legend = placed
    bottom = top - placed.height
    for number, line in enumerate(heading):
        _write_text(figure, MARGIN, top - 0.16 - number * LINE, line, style.MIDDLE, "black", weight="bold")
    top -= placed.head
    for number, panel in enumerate(section.data.panels):
        row, column = divmod(number, grid.columns)
        left = MARGIN + column * (grid.width + grid.gap[0])
        _draw_panel(figure, panel, grid, left, top - row * (grid.height + grid.gap[1]), section.axes)
    lines = len(text) + len(legend)
    for number, line in enumerate(text, start=1):
        _write_text(figure, MARGIN, bottom + (lines - number) * LINE, line, style.SMALL, style.NOTE_COLOR)
    for number, entries in enumerate(legend, start=1 + len(text)):
        _draw_legend(figure, entries, bottom + (lines - number) * LINE)


def _grid(section: Section) -> _Grid:
    panels = section.data.panels
    count = max(1, len(panels))
    rows, columns = panels[0].picture.shape[:2] if panels else (1, 1)
    ratio = rows / max(columns, 1)
    if section.small:
        tall = min(max(ratio, 0.3), 1.0)  # a tall picture gets a narrow place: thumbnails are for recognising only
        return _Grid(min(2, count), (_THUMBNAIL_WIDTH, _THUMBNAIL_WIDTH * tall), gap=_THUMBNAIL_GAP)
    parts = max((len(panel.parts) for panel in panels), default=0)
    insets = any(part.picture is not None for panel in panels for part in panel.parts)
    declared = any(part.label_share is not None for panel in panels for part in panel.parts)
    across = 2 if (insets or parts <= 2) and not declared else 1  # two shares of a part need the whole line
    annotated = any(panel.annotation.objects or panel.annotation.overlay is not None for panel in panels)
    most, wide, inset = _ANNOTATED if annotated else _PLAIN
    lowest = 0.4  # very long pictures get bands, not a figure of their own
    if section.row:
        most, wide = count, _COMPARED_WIDTH
    elif ratio < _STRIP_RATIO:
        most, wide, lowest = 2, _STRIP_WIDTH, 0.2
    size = (wide, wide * min(max(ratio, lowest), 1.6))
    return _Grid(min(most, count), size, inset if insets else 0.0, across, math.ceil(parts / across))


def _draw_panel(figure: Figure, panel: Panel, grid: _Grid, left: float, top: float, name: str) -> None:
    wide, tall = grid.image
    image_bottom = top - _TITLE_HEIGHT - tall
    room = grid.width + grid.gap[0] - _TITLE_GAP
    title = words.cut_to_room(panel.title, room * style.SMALL / style.NORMAL)  # which counts small letters
    _write_text(figure, left, top - _TITLE_HEIGHT + 0.07, title, style.NORMAL, "black")
    axes = _add_axes(figure, name, (left, image_bottom, wide, tall))
    _show_picture(axes, panel.picture, style.FRAME_COLOR, 0.6)
    for region in panel.regions:
        _draw_region(axes, region)
    draw_annotation(axes, panel.annotation, captions=True)
    pictured = [(number, part) for number, part in enumerate(panel.parts) if part.picture is not None]
    slots = max(2, len(pictured))  # a sample that is alone has no larger inset than one of two
    inset = (tall - (slots - 1) * _INSET_GAP) / slots
    for slot, (number, part) in enumerate(pictured):
        bottom = image_bottom + tall - inset - slot * (inset + _INSET_GAP)
        small = _add_axes(figure, "source", (left + wide + _INSET_GAP, bottom, grid.inset, inset))
        _show_picture(small, part.picture, SOURCE_COLORS[number], 2.2)
        draw_annotation(small, part.annotation, captions=False)
        _write_number(small, str(part.index), SOURCE_COLORS[number])
    if panel.parts:
        _draw_bar(figure, panel.parts, grid, left, image_bottom - _INSET_GAP - _BAR_HEIGHT)


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
        color: dict[str, Any] = {"facecolor": style.class_color(number), "edgecolor": style.NOTE_COLOR}
        figure.add_artist(Rectangle(corner, *size, linewidth=0.5, **color))
        _write_text(figure, x + 0.17, bottom, name, style.SMALL, style.NOTE_COLOR)


def _draw_bar(figure: Figure, parts: Sequence[SourcePart], grid: _Grid, left: float, bottom: float) -> None:
    axes = _add_axes(figure, "shares", (left, bottom, grid.width, _BAR_HEIGHT))
    axes.set_xlim(0.0, 1.0)
    axes.set_ylim(0.0, 1.0)
    axes.set_axis_off()
    start = 0.0
    for number, part in enumerate(parts):
        axes.add_patch(Rectangle((start, 0.0), part.share, 1.0, facecolor=SOURCE_COLORS[number], linewidth=0))
        start += part.share
        line, place = divmod(number, grid.across)
        x, align = (left + grid.width, "right") if place else (left, "left")
        room = grid.width / (1 if len(parts) == 1 else grid.across)
        y, color = bottom + 0.01 - LINE * (line + 1), SOURCE_COLORS[number]
        _write_text(figure, x, y, _caption(part, room), style.SMALL, color, align)


def _caption(part: SourcePart, room: float) -> str:
    """Name and share of a part, the name shortened to its room in inches."""
    numbers = words.percent(part.share)
    if part.label_share is not None:
        numbers += f" (label {words.percent(part.label_share)})"
    return f"{words.cut_to_room(part.name, room - (len(numbers) + 2) * CHARACTER)}: {numbers}"


def _show_picture(axes: Axes, picture: Any, color: str, width: float) -> None:
    # Nearest neighbours keep the pixels of small pictures; large ones are averaged down.
    axes.imshow(picture, interpolation="nearest" if max(picture.shape[:2]) < _PIXELATED else "antialiased")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_anchor("NW")  # pictures of other proportions than the first stand under their title
    axes.set_autoscale_on(False)  # boxes and points may lie outside, and must not shrink the picture
    for spine in axes.spines.values():
        spine.set(color=color, linewidth=width)


def _write_number(axes: Axes, text: str, color: str) -> None:
    """Which sample a source is, in the corner of its picture."""
    box = {"facecolor": color, "edgecolor": "none", "pad": 1.6}
    axes.text(0.0, 1.0, text, transform=axes.transAxes, fontsize=7, color="white", ha="left", va="top", bbox=box)


def _draw_region(axes: Axes, region: PastedRegion) -> None:
    color = SOURCE_COLORS[region.part]
    if region.mask is not None:
        if region.mask.min() < 0.5 < region.mask.max():  # else there is no edge, of which matplotlib would warn
            axes.contour(region.mask, levels=[0.5], colors=[color], linewidths=2)
        return
    for top, left, bottom, right in region.rectangles:
        corner, wide, tall = (left - 0.5, top - 0.5), right - left, bottom - top
        for shade, width in (("white", 3.6), (color, 2.0)):  # the halo keeps it visible on any picture
            axes.add_patch(Rectangle(corner, wide, tall, fill=False, color=shade, linewidth=width))


def _add_axes(figure: Figure, label: str, inches: tuple[float, float, float, float]) -> Axes:
    width, height = figure.get_size_inches()
    left, bottom, wide, tall = inches
    return figure.add_axes((left / width, bottom / height, wide / width, tall / height), label=label)


def _write_text(
    figure: Figure, x: float, y: float, text: str, size: float, color: str, align: str = "left", weight: str = "normal"
) -> None:
    width, height = figure.get_size_inches()
    place: dict[str, Any] = {"ha": align, "va": "baseline", "weight": weight}
    # Names come from users: a dollar sign in them is no formula.
    figure.text(x / width, y / height, text, fontsize=size, color=color, parse_math=False, **place)
