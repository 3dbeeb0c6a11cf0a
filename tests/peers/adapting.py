"""What the adapters of all peers share: who was called, the host as it was, errors and names."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from verdicts import Difference


@dataclass(frozen=True)
class Peer:
    """A peer whose tests run on our classes.

    Attributes:
        files: Its files of tests, from the root of its repository.
        adapt: Puts our classes in the place of its own, before its tests are imported.
        differences: What we do otherwise on purpose.
        chosen: What pytest's ``-k`` takes of these files, as long as nobody says more.
        options: What else pytest is told.
        environment: Variables that it reads when it is imported.
        prepare: What its tests cannot be imported without, with our classes and without.
        needs: Names of the modules that have to be installed.
    """

    files: tuple[str, ...]
    adapt: Callable[[], None]
    differences: tuple[Difference, ...] = ()
    chosen: str = ""
    options: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[], None] = lambda: None
    needs: tuple[str, ...] = ()


class Calls:
    """How often our classes were called."""

    count = 0


def reached() -> None:
    """Notes that a test came to one of our classes."""
    Calls.count += 1


def keep_for_us(name: str, alias: str) -> None:
    """Hands our modules a copy of the host as it is: what takes the place of its classes is built upon them.

    Args:
        name: The host's module.
        alias: What our modules call it.
    """
    host = sys.modules[name]
    copy = ModuleType(name)
    vars(copy).update(vars(host))
    for own in [module for key, module in sys.modules.items() if key.startswith("mixtransforms")]:
        if vars(own).get(alias) is host:
            setattr(own, alias, copy)


def any_words() -> None:
    """Lets a test ask for a type of error only: ours have words of their own."""
    import pytest

    raises = pytest.raises

    def of_type(expected: Any, *args: Any, match: Any = None, **options: Any) -> Any:
        return raises(expected, *args, **options)

    pytest.raises = of_type  # type: ignore[assignment]


def found_by_name(made: type, name: str) -> type:
    """A class made in a function, under the name of what it stands for, where pickle finds it."""
    made.__name__ = made.__qualname__ = name
    setattr(sys.modules[made.__module__], name, made)
    return made


def on_path() -> None:
    """Takes the peer from its checkout: it need not be installed."""
    sys.path.insert(0, str(Path.cwd()))
