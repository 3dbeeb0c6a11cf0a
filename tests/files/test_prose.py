"""Documentation as plain text says what its markup says, formulas included."""

import re

import pytest

from mixtransforms.files.prose import paragraphs, plain, prose
from mixtransforms.methods.registry import METHODS


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a **strong word** and **another one**.", "a strong word and another one."),
        ("``sqrt(p ** 2 + (1 - p) ** 2)``", "sqrt(p ** 2 + (1 - p) ** 2)"),
        ("``0 <= seed < 2**64`` and ``rank < 2**32``", "0 <= seed < 2**64 and rank < 2**32"),
    ],
)
def test_what_is_strong_and_what_is_a_power(text: str, wanted: str) -> None:
    assert plain(text) == wanted


@pytest.mark.parametrize("name", METHODS)
def test_formulas_of_methods_are_told_as_they_are(name: str) -> None:
    text = prose(METHODS[name])
    told = " ".join(paragraphs(text).split())
    for literal in re.findall(r"``(.+?)``", " ".join(text.split())):
        assert literal in told
