"""What is checked before anything is worked out: a package that the rest does not need, and whole numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from mixtransforms.core.errors import InputError, missing


def need_matplotlib() -> None:
    """Says in words where matplotlib is not installed.

    Raises:
        MissingDependencyError: It is not.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError as reason:
        raise missing("matplotlib", "show", "mixtransforms.show") from reason


def need_whole_number(
    given: Any, low: int, what: str, where: str, *, name: str = "", high: int | None = None, wanted: str = "", fix: str
) -> int:
    """A whole number that a user gave.

    Args:
        given: What he gave; a number of NumPy counts as well.
        low: The least that makes sense.
        what: What is wrong otherwise.
        where: The argument or the function.
        name: The argument, where that is not ``where``.
        high: The most that makes sense, or ``None``.
        wanted: What may be given, where it is not any number from ``low`` on.
        fix: The way out.

    Raises:
        InputError: It is no such number.
    """
    whole = isinstance(given, (int, np.integer)) and not isinstance(given, bool)
    if whole and low <= given and (high is None or given <= high):
        return int(given)
    got = f"{name}={given!r}" if name else repr(given)
    raise InputError(what, where=where, got=got, wanted=wanted or f"a whole number from {low} on", fix=fix)
