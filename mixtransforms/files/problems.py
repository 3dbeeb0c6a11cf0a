"""What is wrong with a file: one problem, its place in the file, and the error that tells it."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mixtransforms.core.errors import ConfigError, explain

MOST = 100
"""Problems of one file that are told; a hostile one could have as many as values."""

LONGEST = 300
"""Characters of a value, or of a reason, that are told."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a file.

    Attributes:
        path: Its place, as a JSON path such as ``$.pipeline.children[2].args.alpha``.
        what: What is wrong.
        got: What the file has.
        wanted: What is accepted there.
        fix: The way out.
        line: Its line, from 1, where whoever found it knows it.
    """

    path: str
    what: str
    got: str
    wanted: str
    fix: str
    line: int | None = None

    def __str__(self) -> str:
        return explain(self.what, where=shortened(self.path), got=self.got, wanted=self.wanted, fix=self.fix)


def error(problems: Sequence[Problem]) -> ConfigError:
    """The error that tells the first of some problems, and how many more there are."""
    more = len(problems) - 1
    rest = f" ({more if more < MOST - 1 else 'many'} more; `mixtransforms validate` lists them.)" if more else ""
    made = ConfigError(f"{problems[0]}{rest}")
    made.problems = tuple(problems)
    return made


def below(path: str, step: str | int) -> str:
    """The path of an item or entry. Names that are no plain words are quoted and escaped."""
    if isinstance(step, int):
        return f"{path}[{step}]"
    return f"{path}.{step}" if step.isidentifier() and step.isascii() else f"{path}[{json.dumps(step)}]"


def told(value: Any) -> str:
    """A value of a file as text: short, in one line, and without control characters."""
    return shortened(_REPR.repr(value))


def shortened(text: str) -> str:
    """A text from a file, cut where it is too long to be read."""
    printable = "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)
    return printable if len(printable) <= LONGEST else printable[: LONGEST - 4] + " ..."


_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = 80
_REPR.maxlist = _REPR.maxtuple = _REPR.maxdict = 8
_REPR.maxlevel = 4
