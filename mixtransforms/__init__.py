"""Batch-level mixing augmentation (MixUp, CutMix) for torchvision v2, Albumentations, NumPy and torch.

Names are loaded when they are first used; importing the package loads NumPy and nothing heavier.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

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
    from mixtransforms.core.keys import Key
    from mixtransforms.core.plan import BatchSpec, Boxes, Layer, Mask, Plan
    from mixtransforms.core.schedule import Cosine, OffAfter, Ramp, Schedule, Steps, Then
    from mixtransforms.core.streams import EpochWarning
    from mixtransforms.epochs import set_epoch
    from mixtransforms.serialization import (
        fingerprint,
        from_dict,
        from_json,
        json_schema,
        load,
        save,
        to_dict,
        to_json,
    )
    from mixtransforms.targets.boxes import BoxRules
    from mixtransforms.targets.keypoints import Keypoints
    from mixtransforms.targets.labels import Label, LabelPair
    from mixtransforms.targets.masks import MaskPair, SemanticMask
    from mixtransforms.targets.multilabel import KnownLabels, MultiLabel
    from mixtransforms.targets.objects import DegenerateBoxWarning, VisibleKeypoints, WeightedObjects
    from mixtransforms.targets.padding import Padding
    from mixtransforms.targets.regression import Regression
    from mixtransforms.targets.tables import Table
    from mixtransforms.trace import Trace
    from mixtransforms.transform import CutMix, MixUp, OneOf

_HOMES = {
    "trace": ("Trace",),
    "transform": ("MixUp", "CutMix", "OneOf"),
    "epochs": ("set_epoch",),
    "core.keys": ("Key",),
    "core.schedule": ("Schedule", "Ramp", "Cosine", "Steps", "OffAfter", "Then"),
    "core.streams": ("EpochWarning",),
    "core.plan": ("Plan", "Layer", "Boxes", "Mask", "BatchSpec"),
    "targets.boxes": ("BoxRules",),
    "targets.keypoints": ("Keypoints",),
    "targets.labels": ("Label", "LabelPair"),
    "targets.masks": ("MaskPair", "SemanticMask"),
    "targets.multilabel": ("KnownLabels", "MultiLabel"),
    "targets.objects": ("DegenerateBoxWarning", "VisibleKeypoints", "WeightedObjects"),
    "targets.padding": ("Padding",),
    "targets.regression": ("Regression",),
    "targets.tables": ("Table",),
    "core.errors": (
        "ConfigError",
        "InputError",
        "MissingDependencyError",
        "ParameterError",
        "PlanError",
        "UnknownOptionError",
    ),
    "serialization": (
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
