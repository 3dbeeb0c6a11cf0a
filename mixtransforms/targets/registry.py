"""Every kind that is one array, by the name it is declared by."""

from __future__ import annotations

from collections.abc import Mapping

from mixtransforms.targets.kind import Kind
from mixtransforms.targets.label import Label
from mixtransforms.targets.mask import SemanticMask
from mixtransforms.targets.multilabel import MultiLabel
from mixtransforms.targets.padding import Lengths, Padding
from mixtransforms.targets.regression import Regression
from mixtransforms.targets.table import Table

RULES: Mapping[str, type[Kind]] = {
    kind.name: kind for kind in (Label, MultiLabel, Regression, SemanticMask, Table, Padding, Lengths)
}

DEFAULTS: Mapping[str, Kind] = {name: kind() for name, kind in RULES.items()}
"""The rules of targets that are known by their name alone."""
