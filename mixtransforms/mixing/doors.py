"""The classes of the doors: of every mixing method and a host's transform one class, made from the registry.

A door is where a host's users come in. Its classes differ in their bases alone, so nobody writes them: a method that
has a file in ``methods/`` is there.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from mixtransforms import methods
from mixtransforms.core.errors import UnknownOptionError, nearest
from mixtransforms.core.fields import documentation
from mixtransforms.methods.base import Method
from mixtransforms.methods.registry import METHODS

TransformClass = TypeVar("TransformClass", bound=type)


def door_classes(transform: type, module: str) -> dict[str, type]:
    """The classes of a door, one a method of the package.

    Args:
        transform: What all transforms of the door derive from.
        module: Where they are found again by pickles, which hold names and no classes.
    """
    return {name: type(name, (transform, METHODS[name]), {"__module__": module}) for name in methods.__all__}


def as_transform(cls: TransformClass) -> TransformClass:
    """Makes a transform of a class that derives a door's transform and a method: its constructor, text and freezing.

    The constructor takes the fields of both, and names the nearest one where an option is unknown.
    """
    cls.__doc__ = vars(cls).get("__doc__") or documentation(cls, method_of(cls).__doc__ or "")
    dataclass(frozen=True, eq=False, repr=False)(cls)
    # Hosts set attributes of their own, as `training`; the fields stay frozen by the bases.
    del cls.__setattr__, cls.__delattr__
    cls.__init__ = _refusing_unknown(cls.__init__)  # type: ignore[misc]
    return cls


def method_of(cls: type) -> type[Method]:
    """The registered method that a transform derives."""
    return next(base for base in cls.__mro__ if base in METHODS.values())


def _refusing_unknown(init: Callable[..., None]) -> Callable[..., None]:
    """The constructor, with an error for unknown options that offers the nearest known one."""
    known = [name for name in inspect.signature(init).parameters if name != "self"]

    @functools.wraps(init)
    def checked_init(self: Any, *args: Any, **options: Any) -> None:
        for name in options:
            if name not in known:
                raise UnknownOptionError(
                    f"{type(self).__name__} has no option {name!r}.{nearest(name, known)} Options: {', '.join(known)}"
                )
        init(self, *args, **options)

    return checked_init
