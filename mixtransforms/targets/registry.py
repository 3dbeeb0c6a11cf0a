"""Every kind that is one array, by the name it is declared by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mixtransforms.batch.inventory import Target
from mixtransforms.core.fields import form
from mixtransforms.objects.keypoints import Keypoints
from mixtransforms.targets.kind import Kind
from mixtransforms.targets.label import Label
from mixtransforms.targets.mask import SemanticMask
from mixtransforms.targets.multilabel import MultiLabel
from mixtransforms.targets.names import KINDS
from mixtransforms.targets.padding import Padding
from mixtransforms.targets.regression import Regression
from mixtransforms.targets.table import Table

RULES: Mapping[str, type[Kind]] = {
    kind.name: kind for kind in (Label, MultiLabel, Regression, SemanticMask, Table, Padding)
}

DECLARABLE: Mapping[str, type] = {**RULES, Keypoints.name: Keypoints}
"""Kinds with parameters of their own."""

FORM = {"anyOf": [{"enum": list(KINDS)}, *(form(cls, kind={"const": name}) for name, cls in DECLARABLE.items())]}
"""How files declare a kind, as :func:`declared` reads it."""


def rule_of(target: Target, options: Any) -> Kind:
    """The rules of a target, completed by a transform's options."""
    rule = target.rule if isinstance(target.rule, Kind) else RULES[target.kind]()
    return rule.within(options)


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
