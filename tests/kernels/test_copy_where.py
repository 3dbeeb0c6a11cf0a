"""Cells that are copied where a mask is, in every layout, against a loop over them."""

from typing import Any

import numpy as np
import pytest

from mixtransforms.kernels.numpy import copy_where

LAYOUTS = {
    "channels last": lambda array: array,
    "channels first": lambda array: np.moveaxis(np.moveaxis(array, -1, 0).copy(), 0, -1),
    "every other row": lambda array: np.repeat(array, 2, axis=0)[::2],
    "turned": lambda array: array[::-1, ::-1].copy()[::-1, ::-1],
    "as Fortran has it": np.asfortranarray,
}


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float16, np.float32, np.float64, np.complex128, np.bool_])
@pytest.mark.parametrize("channels", [(), (1,), (3,), (2, 5)], ids=str)
@pytest.mark.parametrize("to", LAYOUTS)
@pytest.mark.parametrize("given", LAYOUTS)
def test_cells_are_copied_with_all_they_hold(given: str, to: str, channels: tuple[int, ...], dtype: Any) -> None:
    rng = np.random.default_rng(0)
    shape = (5, 7, *channels)
    start, source = (LAYOUTS[layout]((rng.random(shape) * 250).astype(dtype)) for layout in (to, given))
    inside = rng.random((5, 7)) < 0.4
    out = start.copy(order="K") if to != "every other row" else start
    wanted = out.copy()
    for cell in np.ndindex(inside.shape):
        if inside[cell]:
            wanted[cell] = source[cell]
    copy_where(out, source, inside)
    np.testing.assert_array_equal(out, wanted)


def test_all_bits_are_copied_and_memory_may_overlap() -> None:
    """NaN keeps what it carries; what is painted may be another part of what is painted on."""
    odd = np.array([0x7FC01234, 0xFF800001], np.uint32).view(np.float32)
    out, source = np.zeros((2, 3, 2), np.float32), np.broadcast_to(odd, (2, 3, 2)).copy()
    copy_where(out, source, np.ones((2, 3), np.bool_))
    np.testing.assert_array_equal(out.view(np.uint32), source.view(np.uint32))
    line = np.arange(12.0).reshape(6, 2)
    copy_where(line[1:], line[:-1], np.ones(5, np.bool_))
    np.testing.assert_array_equal(line[:, 0], [0, 0, 2, 4, 6, 8])


@pytest.mark.parametrize("shape", [(0, 4, 3), (4, 0, 3), (4, 4, 0)], ids=str)
def test_nothing_is_copied_of_nothing(shape: tuple[int, ...]) -> None:
    copy_where(np.zeros(shape), np.ones(shape), np.ones(shape[:2], np.bool_))
