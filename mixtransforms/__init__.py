"""Batch-level mixing augmentation (MixUp, CutMix) for torchvision v2, Albumentations, NumPy and torch.

Names are loaded when they are first used; importing the package loads NumPy and nothing heavier.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from mixtransforms._version import __version__

if TYPE_CHECKING:
    from mixtransforms import show
    from mixtransforms.core.errors import (
        ConfigError,
        InputError,
        MissingDependencyError,
        ParameterError,
        PlanError,
        UnknownOptionError,
    )
    from mixtransforms.files import fingerprint, from_dict, from_json, json_schema, load, save, to_dict, to_json
    from mixtransforms.methods.schedules import Cosine, OffAfter, Ramp, Schedule, Steps, Then
    from mixtransforms.mixing.epochs import set_epoch
    from mixtransforms.mixing.trace import Trace
    from mixtransforms.mixing.transform import CutMix, MixUp, OneOf
    from mixtransforms.objects.boxes import BoxRules
    from mixtransforms.objects.keypoints import Keypoints
    from mixtransforms.objects.objects import DegenerateBoxWarning, VisibleKeypoints, WeightedObjects
    from mixtransforms.plan import BatchSpec, Boxes, Layer, Mask, Plan
    from mixtransforms.rng.keys import Key
    from mixtransforms.rng.streams import EpochWarning
    from mixtransforms.targets.label import Label, LabelPair
    from mixtransforms.targets.mask import MaskPair, SemanticMask
    from mixtransforms.targets.multilabel import KnownLabels, MultiLabel
    from mixtransforms.targets.padding import Padding
    from mixtransforms.targets.regression import Regression
    from mixtransforms.targets.table import Table

_HOMES = {
    "mixing.trace": ("Trace",),
    "mixing.transform": ("MixUp", "CutMix", "OneOf"),
    "mixing.epochs": ("set_epoch",),
    "rng.keys": ("Key",),
    "methods.schedules": ("Schedule", "Ramp", "Cosine", "Steps", "OffAfter", "Then"),
    "rng.streams": ("EpochWarning",),
    "plan": ("Plan", "Layer", "Boxes", "Mask", "BatchSpec"),
    "objects.boxes": ("BoxRules",),
    "objects.keypoints": ("Keypoints",),
    "targets.label": ("Label", "LabelPair"),
    "targets.mask": ("MaskPair", "SemanticMask"),
    "targets.multilabel": ("KnownLabels", "MultiLabel"),
    "objects.objects": ("DegenerateBoxWarning", "VisibleKeypoints", "WeightedObjects"),
    "targets.padding": ("Padding",),
    "targets.regression": ("Regression",),
    "targets.table": ("Table",),
    "core.errors": (
        "ConfigError",
        "InputError",
        "MissingDependencyError",
        "ParameterError",
        "PlanError",
        "UnknownOptionError",
    ),
    "files": (
        "save",
        "load",
        "to_json",
        "from_json",
        "to_dict",
        "from_dict",
        "json_schema",
        "fingerprint",
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "BatchSpec",
    "BoxRules",
    "Boxes",
    "ConfigError",
    "Cosine",
    "CutMix",
    "DegenerateBoxWarning",
    "EpochWarning",
    "InputError",
    "Key",
    "Keypoints",
    "KnownLabels",
    "Label",
    "LabelPair",
    "Layer",
    "Mask",
    "MaskPair",
    "MissingDependencyError",
    "MixUp",
    "MultiLabel",
    "OffAfter",
    "OneOf",
    "Padding",
    "ParameterError",
    "Plan",
    "PlanError",
    "Ramp",
    "Regression",
    "Schedule",
    "SemanticMask",
    "Steps",
    "Table",
    "Then",
    "Trace",
    "UnknownOptionError",
    "VisibleKeypoints",
    "WeightedObjects",
    "__version__",
    "fingerprint",
    "from_dict",
    "from_json",
    "json_schema",
    "load",
    "save",
    "set_epoch",
    "show",
    "to_dict",
    "to_json",
]


def __getattr__(name: str) -> Any:
    if name == "show":
        return importlib.import_module("mixtransforms.show")
    if name not in _HOME_OF:
        raise AttributeError(f"module 'mixtransforms' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"mixtransforms.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
