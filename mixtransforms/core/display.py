"""How things are shown in notebooks, and as code: by rooms above, which register what they can show.

A plan cannot import what draws it, since that stands on plans. It asks these two functions instead; the first one that
has no answer loads the room that knows.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import Any


def _shown_by(provider: str) -> Any:
    """A function of one argument, whose cases are registered when the module ``provider`` is imported."""

    @functools.singledispatch
    def shown(thing: Any) -> str:
        importlib.import_module(provider)
        found: Callable[[Any], str] = shown.dispatch(type(thing))
        if found is shown.dispatch(object):
            raise TypeError(f"{provider} cannot show {type(thing).__name__}")
        return found(thing)

    return shown


html_of = _shown_by("mixtransforms.show.html.render")
"""HTML of a transform, a pipeline, a plan or a schedule."""

code_of = _shown_by("mixtransforms.files.source")
"""Constructor code of a pipeline."""


class Displayed:
    """What notebooks show as HTML."""

    def _repr_html_(self) -> str:
        return str(html_of(self))
