"""Draws the pictures of the README by its own code and the demo's: ``python notebooks/pictures.py``.

Needs both hosts, matplotlib, scikit-learn and Pillow.
"""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

FOLDER = Path(__file__).parent / "pictures"
README = FOLDER.parents[1] / "README.md"
QUALITY = 88


def digits() -> list[tuple[Image.Image, int]]:
    """Samples as the README speaks of: pictures of digits with their classes."""
    from sklearn.datasets import load_digits

    data = load_digits()
    pairs = zip(data.images[:16], data.target[:16], strict=True)
    return [
        (Image.fromarray((digit * 15).astype(np.uint8)).convert("RGB").resize((32, 32)), int(label))
        for digit, label in pairs
    ]


def of_the_readme() -> list[Any]:
    """The figures of all calls of ``show.trace`` in the README, whose code runs in its order."""
    from mixtransforms import show

    figures, trace = [], show.trace
    namespace: dict[str, Any] = {"__name__": "readme"}

    def recorded(*args: Any, **options: Any) -> Any:
        figures.append(trace(*args, **options))
        return figures[-1]

    home = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        show.trace = recorded
        try:
            os.chdir(folder)  # the code writes pipeline files, and reads a folder of photos
            for number, (image, label) in enumerate(digits() * 3):
                place = Path("photos", ("cat", "dog")[label % 2])
                place.mkdir(parents=True, exist_ok=True)
                image.save(place / f"{number}.png")
            for code in re.findall(r"^```python\n(.*?)^```$", README.read_text("utf-8"), re.DOTALL | re.MULTILINE):
                code = code.replace("num_workers=2, persistent_workers=True", "num_workers=0")
                exec(compile(code, "README.md", "exec"), namespace)
        finally:
            os.chdir(home)
            show.trace = trace
    return figures


def of_the_demo(folder: Path) -> Path:
    """The picture of the demo's torchvision pipeline."""
    from mixtransforms.cli import demo

    demo.run(folder, lambda _: None)
    return folder / "torchvision.png"


def pictures(folder: Path) -> dict[str, Path]:
    """All pictures as PNG files in a folder, by their names in the README."""
    *_, detection, segmentation = of_the_readme()
    paths = {name: folder / f"{name}.png" for name in ("detection", "segmentation")}
    detection.savefig(paths["detection"])
    segmentation.savefig(paths["segmentation"])
    return {"demo-torchvision": of_the_demo(folder)} | paths


if __name__ == "__main__":
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # its import asks the network for a newer release otherwise
    with tempfile.TemporaryDirectory() as temporary:
        for name, path in pictures(Path(temporary)).items():
            with Image.open(path) as opened:
                opened.convert("RGB").save(FOLDER / f"{name}.jpg", quality=QUALITY, optimize=True)
            print(f"{name}: {(FOLDER / f'{name}.jpg').stat().st_size / 1000:.0f} KB")
