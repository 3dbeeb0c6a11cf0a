"""Batch-level mixing augmentation (MixUp, CutMix) for torchvision v2, Albumentations, NumPy and torch.

Names are loaded when they are first used; importing the package loads NumPy and nothing heavier. Type checkers and
editors read them in ``__init__.pyi``.
"""

from __future__ import annotations

import importlib
from typing import Any

from mixtransforms._version import __version__  # noqa: F401  (__all__ is worked out when somebody asks)

_HOMES = {
    "core.errors": "ConfigError InputError MissingDependencyError ParameterError PlanError UnknownOptionError",
    "files": "fingerprint from_dict from_json json_schema load save to_dict to_json",
    "methods.pairing": "Similar SimilarShape Within",
    "methods.schedules": "Cosine OffAfter Ramp Schedule Steps Then",
    "mixing.banks": "EarlierSamples SampleBank",
    "mixing.epochs": "set_epoch",
    "mixing.hints": "register_hint",
    "mixing.relabel": "attention_shares relabel",
    "mixing.trace": "Trace",
    "objects.boxes": "BoxRules",
    "objects.keypoints": "Keypoints",
    "objects.objects": "DegenerateBoxWarning VisibleKeypoints WeightedObjects",
    "plan": "BatchSpec Boxes Canvas Layer Mask Plan",
    "rng.keys": "Key",
    "rng.streams": "EpochWarning",
    "targets.label": "Label LabelMix LabelPair",
    "targets.mask": "MaskMix MaskPair SemanticMask",
    "targets.multilabel": "KnownLabels MultiLabel",
    "targets.padding": "Lengths Padding",
    "targets.regression": "Regression",
    "targets.table": "Table",
}
"""Where public names are defined. The transforms are not among them: every method has one, in ``mixing.transform``."""

_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name == "__all__":
        value: Any = sorted([*_HOME_OF, *_method_names(), "__version__", "show"])
    elif name == "show":
        return importlib.import_module("mixtransforms.show")
    elif name in _HOME_OF or (name[:1].isupper() and name in _method_names()):  # submodules are asked for here, too
        home = _HOME_OF.get(name, "mixing.transform")
        value = getattr(importlib.import_module(f"mixtransforms.{home}"), name)
    else:
        raise AttributeError(f"module 'mixtransforms' has no attribute {name!r}")
    globals()[name] = value
    return value


def _method_names() -> list[str]:
    return list(importlib.import_module("mixtransforms.methods").__all__)


def __dir__() -> list[str]:
    return list(__getattr__("__all__"))
