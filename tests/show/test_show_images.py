"""Every kind of figure looks as it was when somebody looked at it: ``python tests/show/test_show_images.py`` draws them anew.

Words are left out, so that fonts do not matter; what they say is tested elsewhere.
"""

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="matplotlib is not installed")

import matplotlib
from matplotlib.testing.compare import compare_images
from matplotlib.text import Text

from mixtransforms import CutMix, MixUp, OneOf, Ramp, show
from mixtransforms.mixing.trace import Trace
from mixtransforms.plan import BatchSpec, Boxes, Layer, Mask, Plan

PICTURES = Path(__file__).parent / "pictures"

TOLERANCE = 3.0
"""Root mean square difference of 8-bit values: other versions of matplotlib smooth edges otherwise."""

HEIGHT, WIDTH = 24, 32
Y, X = np.mgrid[:HEIGHT, :WIDTH]


def images():
    """Four pictures that nobody mixes up: a gradient, stripes, a disc and a chessboard."""
    gradient = np.stack([8 * X, 10 * Y, 60 + 0 * X], axis=-1)
    stripes = np.where((X // 4 % 2)[..., None], [230, 200, 40], [20, 60, 160])
    disc = np.where(((Y - 12) ** 2 + (X - 16) ** 2 < 80)[..., None], [220, 60, 60], [240, 240, 230])
    board = np.where(((Y // 6 + X // 8) % 2)[..., None], [30, 120, 70], [200, 230, 210])
    return np.stack([gradient, stripes, disc, board]).astype(np.uint8)


def plan():
    """A box, a blend, a mask, and a sample that stays."""
    disc = ((Y - 8) ** 2 + (X - 20) ** 2 < 50)[None]
    layers = (
        Layer([0], [1], [1.0], Boxes([[4, 10]], [[18, 28]])),
        Layer([1], [2], [0.4]),
        Layer([2], [3], [1.0], Mask(disc)),
    )
    return Plan(BatchSpec(4, (HEIGHT, WIDTH)), layers)


def detection():
    boxes = [
        np.array([[2, 3, 14, 20], [18, 5, 30, 22]]),
        np.array([[5, 5, 25, 15]]),
        np.zeros((0, 4)),
        np.array([[1, 1, 31, 23]]),
    ]
    points = [
        np.array([[[8, 8], [10, 15]], [[24, 8], [26, 16]]]),
        np.array([[[10, 8], [20, 12]]]),
        np.zeros((0, 2, 2)),
        np.array([[[4, 4], [28, 20]]]),
    ]
    return {
        "image": images(),
        "bboxes": [each.astype(np.float32) for each in boxes],
        "category_ids": [np.array([0, 2]), np.array([1]), np.zeros(0, int), np.array([3])],
        "keypoints": [each.astype(np.float32) for each in points],
    }


class Later:
    """A transform behind a mix."""


def stages():
    first = MixUp(1.0, num_classes=4, seed=1).trace(images(), np.arange(4))
    second = CutMix(seed=5).trace(*first.after)
    after = (second.after[0][:, ::-1], second.after[1])
    return Trace((*first.steps, *second.steps), after, (*first.transforms, *second.transforms, Later()))


def video():
    return np.stack([np.roll(images(), 3 * step, axis=2) for step in range(6)], axis=1)


def signals():
    time = np.linspace(0, 1, 800)
    return np.stack([np.sin(2 * np.pi * (3 + 5 * number) * time) * np.exp(-number * time) for number in range(4)])


CASES = {
    "batch": lambda: show.batch((images(), np.eye(4, dtype=np.float32) * 0.6 + 0.1)),
    "planned": lambda: show.batch((images(), np.arange(4)), plan()),
    "declared": lambda: show.batch(
        images(), Plan(BatchSpec(4, (HEIGHT, WIDTH)), plan().layers[:1], [[0.9, 0.1], [1, 0], [1, 0], [1, 0]])
    ),
    "stages": lambda: show.trace(stages()),
    "objects": lambda: show.trace(CutMix(seed=4).trace(detection())),
    "masks": lambda: show.batch({"image": images(), "mask": (X // 11)[None].repeat(4, axis=0)}, plan()),
    "video": lambda: show.trace(CutMix(layout="BTHWC", axes="cube", seed=7).trace(video())),
    "signals": lambda: show.trace(CutMix(layout="BT", seed=2).trace(signals())),
    "spectrograms": lambda: show.trace(
        CutMix(layout="BFT", axes="FT", seed=3).trace(images().astype(np.float32).mean(axis=-1))
    ),
    "compared": lambda: show.compare(
        [MixUp(1.0, num_classes=4, seed=1), CutMix(num_classes=4, seed=2)], (images(), np.arange(4))
    ),
    "schedule": lambda: show.schedule({"alpha": Ramp(0, 0.4, 1, 5), "p": Ramp(0, 1, 0, 8)}),
    "weights of a blend": lambda: show.weights(MixUp(alpha=0.4)),
    "weights of a choice": lambda: show.weights(OneOf([MixUp(alpha=0.4), CutMix()], p=0.7)),
    "coverage": lambda: show.coverage(CutMix(), (48, 64)),
    "coverage over time": lambda: show.coverage(CutMix(), (100,)),
}


def written(name, folder):
    """The figure of a case as a small file, without words."""
    figure = CASES[name]()
    figure.draw_without_rendering()  # places of constrained layouts are those with words
    figure.set_layout_engine("none")
    for text in figure.findobj(Text):
        text.set_visible(False)
    path = folder / f"{name}.png"
    figure.savefig(path, dpi=60, metadata={"Software": None, "Description": name})
    return path


@pytest.mark.skipif(
    matplotlib.__version_info__ < (3, 11), reason="the pictures are of matplotlib 3.11, which measures words otherwise"
)
@pytest.mark.parametrize("name", CASES)
def test_looks_as_it_did(name, tmp_path):
    difference = compare_images(str(PICTURES / f"{name}.png"), str(written(name, tmp_path)), tol=TOLERANCE)
    assert difference is None, f"{difference}\nLook at both; where the new one is right, run {__file__}"


def test_every_picture_has_its_case():
    assert {path.stem for path in PICTURES.glob("*.png")} == set(CASES)


def test_a_moved_box_is_a_difference(tmp_path, monkeypatch):
    """The tolerance lets nothing pass that a reader would see."""
    layers = (Layer([0], [1], [1.0], Boxes([[4, 11]], [[18, 29]])), *plan().layers[1:])
    moved = Plan(BatchSpec(4, (HEIGHT, WIDTH)), layers)
    monkeypatch.setitem(CASES, "planned", lambda: show.batch((images(), np.arange(4)), moved))
    assert compare_images(str(PICTURES / "planned.png"), str(written("planned", tmp_path)), tol=TOLERANCE)


if __name__ == "__main__":
    PICTURES.mkdir(exist_ok=True)
    for each in sys.argv[1:] or CASES:
        written(each, PICTURES)
