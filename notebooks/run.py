"""Runs the notebooks in fresh kernels and stores what they show: ``python notebooks/run.py [NAME ...]``.

Needs nbclient, nbformat, ipykernel and Pillow. Pictures get as few colours as keep a notebook small; what a kernel
writes to its error stream is left out. A cell that fails ends the run, and its notebook stays as it was.
"""

from __future__ import annotations

import base64
import io
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbclient
import nbformat
from PIL import Image
from PIL.PngImagePlugin import PngInfo

FOLDER = Path(__file__).parent
LARGEST, LARGEST_PICTURE = 390_000, 155_000
"""Characters of a notebook and of one picture in it, above which the largest pictures get fewer colours."""

COLOURS = (160, 128, 96, 64, 48, 32)


def run(path: Path) -> None:
    """Executes one notebook and writes it in its place."""
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        options: dict[str, Any] = {"kernel_name": "python3", "resources": {"metadata": {"path": folder}}}
        nbclient.NotebookClient(notebook, timeout=300, record_timing=False, **options).execute()
    for number, cell in enumerate(notebook.cells):
        cell["id"], cell["metadata"] = f"cell-{number:02d}", {}
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    shrink(notebook)
    nbformat.write(notebook, path)


def shrink(notebook: Any) -> None:
    """Fewer colours for all pictures, and still fewer for the largest while the notebook is too large."""
    pictures = [
        output.data
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    originals = [data["image/png"] for data in pictures]
    steps = [0] * len(pictures)
    for data, original in zip(pictures, originals, strict=True):
        data["image/png"] = reduced(original, COLOURS[0])
    while left := [index for index, step in enumerate(steps) if step < len(COLOURS) - 1]:
        index = max(left, key=lambda each: len(pictures[each]["image/png"]))
        if len(nbformat.writes(notebook)) <= LARGEST and len(pictures[index]["image/png"]) <= LARGEST_PICTURE:
            return
        steps[index] += 1
        pictures[index]["image/png"] = reduced(originals[index], COLOURS[steps[index]])


def reduced(png: str, colours: int) -> str:
    """A PNG in base64 with so many colours, and with the words that describe it."""
    words = PngInfo()
    with Image.open(io.BytesIO(base64.b64decode(png))) as opened:
        few = opened.convert("RGB").quantize(  # a method that keeps rare colours, such as those of outlines
            colours, method=Image.Quantize.MAXCOVERAGE, kmeans=2, dither=Image.Dither.NONE
        )
        if "Description" in opened.info:
            words.add_text("Description", opened.info["Description"])
    buffer = io.BytesIO()
    few.save(buffer, format="png", optimize=True, pnginfo=words)
    return base64.b64encode(buffer.getvalue()).decode()


if __name__ == "__main__":
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # its import asks the network for a newer release otherwise
    named = {path.stem: path for path in sorted(FOLDER.glob("*.ipynb"))}
    for name in sys.argv[1:] or named:
        run(named[name])
        print(f"{name}: {named[name].stat().st_size / 1000:.0f} KB")
