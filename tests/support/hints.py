"""Reads the way out of an error as its reader would: the keywords that it names are given, literally."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import mixtransforms

KEYWORD = re.compile(r"\b([a-z_]+)=(?=[\[({'\"A-Z0-9-])")
OPENING, CLOSING = "([{", ")]}"


def keywords(fix: str) -> Iterator[dict[str, Any]]:
    """Every keyword with a value that can be typed as it stands; ``num_classes=...`` leaves the value to the reader.

    Args:
        fix: The last part of an error's text.
    """
    ends = 0
    for match in KEYWORD.finditer(fix):
        if match.start() < ends:  # a keyword of a constructor that is the value of another one
            continue
        text = _value(fix[match.end() :])
        ends = match.end() + len(text)
        if "..." in text:  # for the reader to fill in
            continue
        names = {name: getattr(mixtransforms, name) for name in mixtransforms.__all__}
        yield {match[1]: eval(text, names)}


def _value(text: str) -> str:
    """The first expression of a text: up to where its brackets and quotes are closed."""
    depth, quote = 0, ""
    for index, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter in OPENING:
            depth += 1
        elif letter in CLOSING:
            depth -= 1
        after = text[index + 1 : index + 2]
        ended = depth == 0 and not quote and (letter in CLOSING + "'\"" or not _goes_on(after))
        if ended and after not in tuple(OPENING):
            return text[: index + 1]
    return text


def _goes_on(letter: str) -> bool:
    return letter.isalnum() or letter in ("_", *OPENING)


def given(options: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Options with what a hint says added to them: declarations to those that are there, anything else in its place."""
    result = dict(options)
    for name, value in more.items():
        if isinstance(value, dict):
            result[name] = {**result.get(name, {}), **value}
        elif name == "passthrough":
            result[name] = (*result.get(name, ()), *value)
        else:
            result[name] = value
    return result
