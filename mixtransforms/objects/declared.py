"""Kinds as users and files declare them: by name, as an object, or as a dict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mixtransforms.core.fields import form
from mixtransforms.objects.keypoints import Keypoints
from mixtransforms.targets.names import KINDS
from mixtransforms.targets.registry import RULES

DECLARABLE: Mapping[str, type] = {**RULES, Keypoints.name: Keypoints}
"""Kinds with parameters of their own."""

FORM = {"anyOf": [{"enum": list(KINDS)}, *(form(cls, kind={"const": name}) for name, cls in DECLARABLE.items())]}
"""How files declare a kind, as :func:`declared` reads it."""


def declared(kind: Any) -> Any:
    """A kind as users and files declare it: its name, an object, or a dict of its name and parameters.

    Raises:
        ValueError: There is no such kind.
    """
    if isinstance(kind, str) and kind in KINDS:
        return kind
    if isinstance(kind, tuple(DECLARABLE.values())):
        return kind
    if isinstance(kind, Mapping) and kind.get("kind") in DECLARABLE:
        return DECLARABLE[kind["kind"]](**{name: value for name, value in kind.items() if name != "kind"})
    raise ValueError(f"Kinds are {', '.join(map(repr, KINDS))}, or one of their classes, such as Label(100).")
