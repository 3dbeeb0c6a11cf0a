"""Every kind that is one array, by the name it is declared by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mixtransforms.targets.kind import Kind, Target
from mixtransforms.targets.label import Label
from mixtransforms.targets.mask import SemanticMask
from mixtransforms.targets.multilabel import MultiLabel
from mixtransforms.targets.padding import Padding
from mixtransforms.targets.regression import Regression
from mixtransforms.targets.table import Table

RULES: Mapping[str, type[Kind]] = {
    kind.name: kind for kind in (Label, MultiLabel, Regression, SemanticMask, Table, Padding)
}


def rule_of(target: Target, options: Any) -> Kind:
    """The rules of a target, completed by a transform's options."""
    rule = target.rule if isinstance(target.rule, Kind) else RULES[target.kind]()
    return rule.within(options)
