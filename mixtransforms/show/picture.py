"""The figure that everything here is drawn on: no global state, no window, the same on a server and in a notebook."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

_DESCRIBED = {".png": "Description", ".svg": "Description", ".svgz": "Description", ".pdf": "Subject"}
"""Where file formats keep a description, by their ending."""


class Picture(Figure):
    """A figure that notebooks draw without pyplot, and whose files say in words what is on it."""

    alt = ""
    """What is on it, for those who do not see it."""

    def savefig(self, fname: Any, **options: Any) -> None:
        """Writes the figure, with :attr:`alt` as its description where the format has a place for one.

        Args:
            fname: A path, or a file that is open.
            **options: See ``matplotlib.figure.Figure.savefig``.
        """
        path = Path(fname).suffix if isinstance(fname, (str, os.PathLike)) else ""
        ending = "." + str(options.get("format") or path.removeprefix(".") or "png").lower()
        if self.alt and ending in _DESCRIBED:
            # What the user gives comes last, and wins.
            options["metadata"] = {_DESCRIBED[ending]: self.alt, **(options.get("metadata") or {})}
        super().savefig(fname, **options)

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=self.dpi)
        return buffer.getvalue()


def finished(figure: Picture, alt: str, save: str | os.PathLike[str] | None) -> Picture:
    """A drawn figure with its description, written to a file where one is named."""
    figure.alt = alt
    if save is not None:
        figure.savefig(save)
    return figure
