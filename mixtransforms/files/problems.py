"""What is wrong with a file: one problem, its place in the file, and the error that tells it."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Sequence
from dataclasses import dataclass

from mixtransforms.core.errors import ConfigError, explain

# Problems of one file that are told: more than anybody mends at once, where a hostile file could have 100,000.
MOST_PROBLEMS = 100

# Characters of a value, a path or a reason that are told: four lines of a terminal, where a path may have 8 KB.
LONGEST_TEXT = 300


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
        return explain(self.what, where=one_line(self.path), got=self.got, wanted=self.wanted, fix=self.fix)


def config_error(problems: Sequence[Problem], file: str = "") -> ConfigError:
    """The error that tells the first of some problems, and how many more there are.

    Args:
        problems: At least one. The first one's parts become those of the error, its path the error's ``where``.
        file: The name of the file, which the text then begins with.
    """
    first, more = problems[0], len(problems) - 1
    # Whoever found the problems stopped at the limit, so that how many there are is unknown then.
    count = more if more < MOST_PROBLEMS - 1 else "many"
    rest = f" ({count} more; `mixtransforms validate` lists them.)" if more else ""
    error = ConfigError(f"{file}: {first}{rest}" if file else f"{first}{rest}")
    error.what, error.where, error.fix = first.what, first.path, first.fix
    error.got, error.wanted = first.got, first.wanted
    error.problems = tuple(problems)
    return error


def beyond(path: str, got: str, wanted: str, line: int | None = None) -> Problem:
    """The problem of a file that is beyond a limit."""
    fix = "Pipelines are far smaller; this file is damaged, or none."
    return Problem(path, "Beyond a limit", got, wanted, fix, line)


def refusal(path: str, what: str, got: str, wanted: str, fix: str, line: int | None = None) -> ConfigError:
    """The error of one problem alone."""
    return config_error([Problem(path, what, got, wanted, fix, line)])


def below(path: str, step: str | int) -> str:
    """The path of an item or entry. Names that are no plain words are quoted and escaped."""
    if isinstance(step, int):
        return f"{path}[{step}]"
    return f"{path}.{step}" if step.isidentifier() and step.isascii() else f"{path}[{json.dumps(step)}]"


def short_repr(value: object) -> str:
    """A value of a file as text: short, in one line, and without control characters."""
    return one_line(_SHORT.repr(value))


def one_line(text: str) -> str:
    """A text from a file without control characters, which could rewrite a terminal, and cut where it is too long."""
    printable = "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)
    return printable if len(printable) <= LONGEST_TEXT else printable[: LONGEST_TEXT - 4] + " ..."


_SHORT = reprlib.Repr()
# A repr of the whole could take as long as the file is large, and a list of lists grows with the power of its levels.
_SHORT.maxstring = _SHORT.maxother = 80
_SHORT.maxlist = _SHORT.maxtuple = _SHORT.maxdict = 8
_SHORT.maxlevel = 4
