"""How everything here looks: colours of figures and of HTML, sizes of text and of figures. It needs no package."""

from __future__ import annotations

VERMILLION, GREEN = "#D55E00", "#009E73"

SOURCE_COLORS = ("#0072B2", VERMILLION, GREEN, "#CC79A7", "#8C6D00", "#666666")
"""One for every part of a drawing (Okabe and Ito): told apart by colour-blind readers, and dark enough for text."""

SOURCE_ACCENTS = ("#3B82C4", VERMILLION, GREEN, "#B86A94", "#9A7800")
"""The same hues for HTML, which stands on white paper or on dark: each has a contrast of 3 and more on white and on
#111, where figures bring their white paper with them."""
# Three hues differ from those of figures, since they need one contrast on both papers: on #111 the blue of figures has
# 3.6 instead of 4.7 and the ochre 3.9 instead of 4.6; on white the pink has 3.1 instead of 3.8.

ACCENT_OF_REST = "#7A7A7A"
"""Of sources that HTML sums up; its contrast is the same on white and on #111."""

CLASS_COLORS = ("#FFD92E", "#FF4FA3", "#35D95B", "#4AA8FF", "#B07CFF", "#FF9A2E", "#FFFFFF", "#D2B48C")
"""Colours of classes by their ids, again and again: bright, unlike those of sources, which are dark."""

FRAME_COLOR, NOTE_COLOR, CHECK_COLOR, HALO_COLOR = "#888888", "#444444", "#222222", "#202020"
"""Of edges of pictures, of text below them, of a law worked out apart from what was drawn, and around bright lines."""

WAVE_INK = (0, 90, 140)
"""Of signals, on white, as RGB."""

DPI = 100

MARGIN = 0.15
"""Inches between text and the edge of a figure."""

SMALL, NORMAL, MIDDLE, LARGE = 8.5, 9.0, 10.0, 12.0
"""Sizes of text in points: below pictures, at them, of headings, and of titles."""

# Measured on DejaVu Sans, which matplotlib brings with it: text is laid out before anything is drawn, so that the
# figure can be as tall as its lines need.
CHARACTER, HEADING_CHARACTER = 0.072, 0.115
"""Width of a character of the small text and of the title in inches, on average."""

LINE, HEADING_LINE = 0.17, 0.24
"""Height of a line of the small text and of the title in inches."""


def class_color(number: int) -> str:
    """The colour of a class."""
    return CLASS_COLORS[number % len(CLASS_COLORS)]


def to_rgb(color: str) -> tuple[float, float, float]:
    """Red, green and blue of a colour such as ``"#D55E00"``, within [0, 1]."""
    red, green, blue = (int(color[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return red, green, blue
