"""Typed errors, and the one shape of their text: what, where, got, wanted, and the way out."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any


class ExplainedError(Exception):
    """An error whose parts can be read one by one: by an IDE, by the command line, by a test.

    Its text alone rebuilds it, since ``DataLoader`` workers make an exception anew from its message; the parts are then
    empty.

    Attributes:
        what: What is wrong, in a few words.
        where: The parameter, the place in the batch or in the file.
        got: What was found there.
        wanted: What may be there.
        fix: The way out.
    """

    def __init__(self, what: str, *, where: str = "", got: object = "", wanted: str = "", fix: str = "") -> None:
        super().__init__(explain(what, where=where, got=got, wanted=wanted, fix=fix) if where or fix else what)
        self.what, self.where, self.got, self.wanted, self.fix = what, where, str(got), wanted, fix


class InputError(ExplainedError, ValueError):
    """A batch that cannot be mixed correctly. The input is left untouched."""


class ParameterError(ExplainedError, ValueError):
    """A parameter of a transform or a method that is out of its range."""


class UnknownOptionError(ExplainedError, TypeError):
    """A transform was given an option that it does not have."""


class PlanError(ExplainedError, ValueError):
    """A plan that contradicts itself, or that is replayed on a batch it was not made for."""


class ConfigError(ExplainedError, ValueError):
    """A pipeline that cannot be written to a file, or a file that cannot be read; names the JSON path.

    Attributes:
        problems: Everything that is wrong, where that is known; the text tells the first.
    """

    problems: tuple[Any, ...] = ()


class MissingDependencyError(ImportError):
    """An optional package is not installed; the text has the command that installs it."""


def explain(what: str, *, where: str, got: object, wanted: str, fix: str) -> str:
    """The one shape of a text that says what is wrong, and how to go on."""
    return f"{what} ({where}): got {got}; wanted {wanted}. {fix}"


ALIKE, MISSPELT = 0.6, 0.75
"""How like a name must be to be asked about, and to be taken for the other one with letters swapped or missing."""


def nearest(name: str, known: Iterable[str], least: float = ALIKE) -> str:
    """``" Did you mean 'alpha'?"``, or nothing where no known name is near."""
    match = difflib.get_close_matches(name, list(known), n=1, cutoff=least)
    return f" Did you mean {match[0]!r}?" if match else ""


EXTRAS = {
    "torchvision": ("torchvision>=0.26",),
    "albumentations": ("albumentations>=2.0.8,<2.1",),
    "yaml": ("pyyaml>=6.0.1",),
    "show": ("matplotlib>=3.8",),
    "notebook": ("ipywidgets>=8.1",),
    "cli": ("typer>=0.16", "rich>=13", "pillow>=10"),
    "demo": ("scikit-learn>=1.4",),
}
"""What the extras bring, as in ``setup.cfg``: our own metadata is not there where the package runs from a clone."""


def install(*requirements: str) -> str:
    """The command that installs packages.

    It names them, and not an extra of this package: how that is written depends on where the package came from, and pip
    takes neither form everywhere.
    """
    # Bounds in quotes, which shells would take for redirections.
    quoted = [f'"{each}"' if set(each) & set("<>=[") else each for each in requirements]
    return " ".join(["python -m pip install", *quoted])


def missing(package: str, extra: str, purpose: str) -> MissingDependencyError:
    """The error for an optional package that is not there; the extra is one that brings it."""
    return MissingDependencyError(
        f"{purpose} needs {package}, which is not installed. Install it with: {install(*EXTRAS[extra])}"
    )
