"""Whole numbers from uniform ones, at the very end of their range, and boxes from these."""

import numpy as np
import pytest

from mixtransforms.methods.placing import placed, whole_below

LAST = np.nextafter(1.0, 0.0)
"""The largest number that a generator gives."""


def test_no_product_is_rounded_up_to_the_count():
    counts = np.unique(np.concatenate([np.arange(1, 200_000), 2 ** np.arange(1, 53), 2 ** np.arange(2, 53) - 1]))
    np.testing.assert_array_equal(whole_below(np.full(len(counts), LAST), counts), counts - 1)
    assert (whole_below(np.zeros(len(counts)), counts) == 0).all()


@pytest.mark.parametrize("placement", ["clip", "uniform", "inside"])
def test_boxes_stay_in_their_sample(placement):
    shape = np.array([7, 1, 0])
    for side in np.ndindex(8, 2, 1):
        for place in (0.0, 0.5, LAST):
            start, stop = placed(placement, np.array([side]), np.full((1, 3), place), shape)
            assert (start >= 0).all()
            assert (start <= stop).all()
            assert (stop <= shape).all()
