"""``inplace=True`` on memory of which one cell is seen at several places: refused; otherwise any strides do."""

from typing import Any

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided, sliding_window_view

from mixtransforms import CutMix, InputError, MixUp
from mixtransforms.kernels import compiled
from mixtransforms.kernels.paint import paint

torch = pytest.importorskip("torch", reason="torch is not installed")

LINE = np.arange(4 * 8 * 8 * 3, dtype=np.float32)
STEP = LINE.itemsize

SHARED = {
    "windows of torch": lambda: (torch.arange(100.0).unfold(0, 10, 5), {"layout": "BT"}),
    "windows of NumPy": lambda: (sliding_window_view(LINE.copy(), 16, writeable=True), {"layout": "BT"}),
    "rows that overlap": lambda: (as_strided(LINE.copy(), (4, 8, 8, 3), (96 * STEP, 24 * STEP, 3 * STEP, STEP)), {}),
    "one row": lambda: (as_strided(LINE.copy(), (4, 8, 8, 3), (0, 24 * STEP, 3 * STEP, STEP)), {}),
    "cells of a row": lambda: (as_strided(LINE.copy(), (4, 8, 8, 3), (192 * STEP, 4 * STEP, STEP, STEP)), {}),
    "expanded": lambda: (torch.rand(1, 3, 8, 8).expand(4, 3, 8, 8), {}),
    "backwards": lambda: (as_strided(LINE.copy(), (4, 8, 8, 3), (96 * STEP, 24 * STEP, 3 * STEP, STEP))[::-1], {}),
}

OWN = {
    "Fortran": lambda: (np.asfortranarray(LINE.copy().reshape(4, 8, 8, 3)), {}),
    "samples last": lambda: (np.moveaxis(LINE.copy().reshape(8, 8, 3, 4), -1, 0), {}),
    "every other": lambda: (LINE.copy().reshape(4, 8, 8, 3)[::2, :, ::-1], {}),
    "windows side by side": lambda: (torch.arange(100.0).unfold(0, 10, 10), {"layout": "BT"}),
    "channels last": lambda: (torch.rand(4, 3, 8, 8).contiguous(memory_format=torch.channels_last), {}),
    "one sample": lambda: (torch.rand(1, 3, 8, 8).expand(1, 3, 8, 8), {}),
    "no samples": lambda: (torch.rand(0, 3, 8, 8).expand(0, 3, 8, 8), {}),
    "one column": lambda: (torch.rand(4, 3, 8, 1).expand(4, 3, 8, 1), {}),
    "bands of a picture": lambda: (LINE.copy().reshape(8, 4, 8, 3).transpose(1, 0, 2, 3), {}),
}


@pytest.mark.parametrize("name", SHARED)
@pytest.mark.parametrize("method", [MixUp, CutMix])
def test_shared_memory_is_not_overwritten(method: Any, name: str) -> None:
    given, options = SHARED[name]()
    before = np.asarray(given).copy()
    with pytest.raises(InputError, match=r"Cannot be overwritten .*cells share memory.* Use inplace=False"):
        method(inplace=True, **options)(given)
    np.testing.assert_array_equal(np.asarray(given), before)
    assert method(**options)(given).shape == given.shape, "the step that is named leads on"


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("method", [MixUp, CutMix])
def test_any_other_memory_is(method: Any, name: str) -> None:
    given, options = OWN[name]()
    wanted = method(alpha=1.0, seed=0, **options)(np.array(given) if isinstance(given, np.ndarray) else given.clone())
    got = method(alpha=1.0, seed=0, inplace=True, **options)(given)
    assert got is given
    np.testing.assert_array_equal(np.asarray(got), np.asarray(wanted))


@pytest.mark.parametrize("images", [torch.rand(4, 3, 8, 8), torch.rand(4, 3, 8, 8).bfloat16(), torch.rand(4)])
@pytest.mark.parametrize("kernel", [True, False])
def test_autograd_knows_what_was_overwritten(images: Any, kernel: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not kernel:
        monkeypatch.setattr(compiled, "LIBRARY", None)
    weight, images = torch.ones(1, requires_grad=True), images.clone()
    loss = (weight * images).sum()  # whose gradient needs the images as they are now
    paint(MixUp(1.0, seed=0).plan(torch.rand(4, 3, 8, 8)), images, (), inplace=True)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()
