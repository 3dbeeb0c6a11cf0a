"""Axes of images: which are mixed, and when they plainly say that they are others."""

from typing import Any

import numpy as np
import pytest

from mixtransforms import CutMix, InputError, MixUp

torch = pytest.importorskip("torch", reason="torch is not installed")


def images(backend: str, *shape: int) -> Any:
    return np.zeros(shape, np.float32) if backend == "numpy" else torch.zeros(shape)


@pytest.mark.parametrize(
    ("backend", "shape", "layout", "mixed"),
    [
        ("numpy", (2, 20, 30, 3), None, (20, 30)),
        ("numpy", (2, 20, 30, 3), "channels_last", (20, 30)),
        ("numpy", (2, 3, 20, 30), "channels_first", (20, 30)),
        ("numpy", (2, 20, 30), None, (20, 30)),
        ("numpy", (2, 20, 30), "channels_last", (20, 30)),
        ("numpy", (2, 1, 1, 3), None, (1, 1)),
        ("numpy", (2, 3, 8, 8), None, (3, 8)),  # tiny: nobody can say what these are
        ("numpy", (2, 20, 30, 200), None, (20, 30)),  # many channels
        ("torch", (2, 3, 20, 30), None, (20, 30)),
        ("torch", (2, 3, 20, 30), "channels_first", (20, 30)),
        ("torch", (2, 20, 30, 3), "channels_last", (20, 30)),
        ("torch", (2, 200, 20, 30), None, (20, 30)),
        ("torch", (2, 3, 1, 1), None, (1, 1)),
        ("torch", (0, 3, 20, 30), None, (20, 30)),
    ],
)
def test_mixed_axes(backend: str, shape: tuple[int, ...], layout: str | None, mixed: tuple[int, int]) -> None:
    plan = CutMix(layout=layout).plan(images(backend, *shape))
    assert plan.spec.shape == mixed
    assert plan.spec.size == shape[0]


@pytest.mark.parametrize(
    ("backend", "shape", "wanted", "fix"),
    [
        ("numpy", (2, 3, 20, 30), "channels last", "channels_first"),
        ("numpy", (2, 1, 28, 28), "channels last", "channels_first"),
        ("torch", (2, 20, 30, 3), "channels first", "channels_last"),
        ("torch", (2, 32, 32, 4), "channels first", "channels_last"),
    ],
)
def test_axes_that_say_otherwise(backend: str, shape: tuple[int, ...], wanted: str, fix: str) -> None:
    given = images(backend, *shape)
    with pytest.raises(
        InputError, match=rf"axes plainly say another layout \(batch\): .* wanted {wanted}.* Say layout='{fix}'"
    ):
        MixUp()(given)
    assert MixUp(layout=fix)(given).shape == given.shape


@pytest.mark.parametrize(
    ("backend", "shape"),
    [
        ("torch", (3, 20, 30)),
        ("torch", (20, 30)),
        ("torch", (2, 5, 3, 20, 30)),
        ("numpy", (2, 5, 20, 30, 3)),
        ("numpy", (7,)),
        ("numpy", (20, 30, 3)),
    ],
)
def test_what_is_no_batch_of_images(backend: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(
        InputError, match=r"Not a batch of images \(batch\): got shape .* wanted \(B, C, H, W\) for tensors"
    ):
        MixUp()(images(backend, *shape))


def test_one_image_is_named_as_such() -> None:
    with pytest.raises(
        InputError, match=r"got shape \(3, 20, 30\), which looks like one image; .* Mix batches, after collation"
    ):
        MixUp()(images("torch", 3, 20, 30))
    with pytest.raises(InputError, match=r"got shape \(224, 224, 3\), which looks like one image"):
        MixUp()(images("numpy", 224, 224, 3))
