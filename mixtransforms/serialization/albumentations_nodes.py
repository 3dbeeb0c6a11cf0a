"""Nodes of Albumentations transforms: what ``A.to_dict`` knows of them, under closed names and with every argument."""

from __future__ import annotations

import inspect
from types import MappingProxyType
from typing import Any

import albumentations as A
from albumentations.core.composition import BaseCompose

import mixtransforms.albumentations as door
from mixtransforms.serialization.nodes import (
    OWN,
    build,
    check_equal,
    check_node,
    children,
    decode_mix,
    encode_mix,
    encode_value,
    unknown_type,
)
from mixtransforms.transform import MixTransform

HOST = "albumentations."

_REFUSED = frozenset(
    {
        "Lambda",
        "ReplayCompose",
        "FDA",
        "HistogramMatching",
        "PixelDistributionAdaptation",
        "TextImage",
        "TemplateTransform",
    }
)
"""Transforms that take functions or paths, or record."""


def _is_covered(cls: Any) -> bool:
    if not (isinstance(cls, type) and issubclass(cls, (A.BasicTransform, BaseCompose))):
        return False
    base = cls is BaseCompose or cls.__module__ == A.BasicTransform.__module__
    own = cls.__module__.startswith("albumentations.") and cls.__name__ not in _REFUSED
    return own and not base and bool(cls.is_serializable())  # type: ignore[attr-defined]


COVERED = MappingProxyType(
    {HOST + name: cls for name, cls in vars(A).items() if _is_covered(cls) and name == cls.__name__}
)
"""The host's public transforms by name. Types are compared by identity."""

_COMPOSE_EXTRA = ("strict", "mask_interpolation", "seed", "save_applied_params")
"""Arguments that ``A.to_dict`` leaves out."""


def encode(transform: Any, path: str) -> dict[str, Any]:
    """The node of a transform or pipeline."""
    if isinstance(transform, MixTransform):
        return encode_mix(transform, path)
    if type(transform) is door.BatchCompose:
        name = OWN + "BatchCompose"
    else:
        name = HOST + type(transform).__name__
        if COVERED.get(name) is not type(transform):
            raise unknown_type(name, list(COVERED), path)
    written = transform.to_dict_private()
    if isinstance(transform, A.Compose):
        written |= {extra: getattr(transform, extra) for extra in _COMPOSE_EXTRA}
    # The host gathers names from all base classes, some of which the class itself does not take.
    known = inspect.signature(type(transform)).parameters.keys() - {"transforms"}
    args = {key: encode_value(value, f"{path}.args.{key}") for key, value in written.items() if key in known}
    node: dict[str, Any] = {"type": name, "args": args}
    if isinstance(transform, BaseCompose):
        node["children"] = [encode(child, f"{path}.children[{i}]") for i, child in enumerate(transform.transforms)]
    else:
        check_equal(_state(transform), _state(decode(node, path)), path)
    return node


def decode(node: Any, path: str) -> Any:
    """The transform or pipeline of a node."""
    check_node(node, path)
    name, args = node["type"], dict(node["args"])
    if name == OWN + "BatchCompose":
        return build(door.BatchCompose, args | {"transforms": children(node, path, decode)}, path)
    if name.startswith(OWN):
        return decode_mix(node, door, path)
    if name not in COVERED:
        raise unknown_type(name, [*COVERED, OWN + "BatchCompose"], path)
    if "children" in node:
        args["transforms"] = children(node, path, decode)
    return build(COVERED[name], args, path)


def _state(transform: Any) -> dict[str, Any]:
    names = inspect.signature(type(transform)).parameters.keys()
    return {name: encode_value(getattr(transform, name, None), name) for name in names}
