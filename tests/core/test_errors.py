"""Errors carry their parts, and survive the ways in which workers hand them over."""

import pickle

import numpy as np
import pytest

from mixtransforms import ConfigError, InputError, MixUp, ParameterError, PlanError, UnknownOptionError

KINDS = (InputError, ParameterError, PlanError, ConfigError, UnknownOptionError)
PARTS = {"where": "images", "got": 3, "wanted": "four", "fix": "Add one."}


@pytest.mark.parametrize("kind", KINDS)
def test_the_parts_make_the_text(kind):
    error = kind("Too few", **PARTS)
    assert str(error) == "Too few (images): got 3; wanted four. Add one."
    assert (error.what, error.where, error.got, error.wanted, error.fix) == (
        "Too few",
        "images",
        "3",
        "four",
        "Add one.",
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_copy_through_a_pipe_keeps_them(kind):
    error = pickle.loads(pickle.dumps(kind("Too few", **PARTS)))
    assert type(error) is kind
    assert (str(error), error.where, error.fix) == (str(kind("Too few", **PARTS)), "images", "Add one.")


@pytest.mark.parametrize("kind", KINDS)
def test_the_text_alone_rebuilds_it(kind):
    text = str(kind("Too few", **PARTS))
    again = kind(text)  # as a DataLoader does with what its worker raised
    assert str(again) == text
    assert again.where == again.fix == ""


def test_what_a_user_sees_has_parts():
    with pytest.raises(InputError) as caught:
        MixUp()(np.zeros((4, 8, 8, 3), np.float32), np.zeros(3, np.float32))
    assert caught.value.where
    assert caught.value.fix
    assert caught.value.fix in str(caught.value)
