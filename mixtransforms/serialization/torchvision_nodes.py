"""Nodes of torchvision v2 transforms, which have no serialization of their own."""

from __future__ import annotations

import enum
import inspect
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import torch
from torchvision import tv_tensors
from torchvision.transforms import v2

import mixtransforms.torchvision as door
from mixtransforms.serialization.nodes import (
    OWN,
    build,
    check_equal,
    check_node,
    children,
    decode_mix,
    encode_mix,
    encode_value,
    refuse,
    unknown_type,
)
from mixtransforms.transform import MixTransform

HOST = "torchvision."

CONTAINERS = ("Compose", "RandomApply", "RandomChoice", "RandomOrder")

COVERED = MappingProxyType(
    {
        HOST + name: getattr(v2, name)
        for name in (
            *CONTAINERS,
            "AugMix",
            "AutoAugment",
            "CenterCrop",
            "ColorJitter",
            "ElasticTransform",
            "GaussianBlur",
            "GaussianNoise",
            "Grayscale",
            "Identity",
            "Normalize",
            "PILToTensor",
            "Pad",
            "RandAugment",
            "RandomAdjustSharpness",
            "RandomAffine",
            "RandomAutocontrast",
            "RandomChannelPermutation",
            "RandomCrop",
            "RandomEqualize",
            "RandomErasing",
            "RandomGrayscale",
            "RandomHorizontalFlip",
            "RandomInvert",
            "RandomPerspective",
            "RandomPhotometricDistort",
            "RandomPosterize",
            "RandomResize",
            "RandomResizedCrop",
            "RandomRotation",
            "RandomShortestSize",
            "RandomSolarize",
            "RandomVerticalFlip",
            "RandomZoomOut",
            "Resize",
            "RGB",
            "ScaleJitter",
            "ToDtype",
            "ToImage",
            "ToPILImage",
            "ToPureTensor",
            "TrivialAugmentWide",
        )
    }
)
"""The host's transforms that can be rebuilt exactly. Types are compared by identity."""

_ENUMS = {"InterpolationMode": v2.InterpolationMode, "AutoAugmentPolicy": v2.AutoAugmentPolicy}
_TYPES = {name: getattr(tv_tensors, name) for name in ("Image", "Video", "Mask", "BoundingBoxes", "KeyPoints")}
_TYPES["Tensor"] = torch.Tensor
_DTYPES = {str(value).removeprefix("torch."): value for value in vars(torch).values() if isinstance(value, torch.dtype)}


def encode(transform: Any, path: str) -> dict[str, Any]:
    """The node of a transform or pipeline."""
    if isinstance(transform, MixTransform):
        if callable(getattr(transform, "labels_getter", None)):
            raise refuse(
                "A callable cannot be written",
                f"{path}.args.labels_getter",
                "a function",
                "'default' or None",
                "Name the labels with kinds={...: 'label'} instead.",
            )
        return encode_mix(transform, path)
    if type(transform) is door.BatchCompose:
        return {
            "type": OWN + "BatchCompose",
            "args": {"seed": transform.seed},
            "children": [encode(child, f"{path}.children[{i}]") for i, child in enumerate(transform.transforms)],
        }
    name = HOST + type(transform).__name__
    if COVERED.get(name) is not type(transform):
        raise unknown_type(name, list(COVERED), path)
    args = _arguments(transform, path)
    node: dict[str, Any] = {"type": name, "args": {}}
    if "transforms" in args:
        inner = args.pop("transforms")
        node["children"] = [encode(child, f"{path}.children[{i}]") for i, child in enumerate(inner)]
    node["args"] = {key: _encode(value, f"{path}.args.{key}") for key, value in args.items()}
    check_equal(_state(transform), _state(decode(node, path)), path, _same)
    return node


def decode(node: Any, path: str) -> Any:
    """The transform or pipeline of a node."""
    check_node(node, path)
    name = node["type"]
    if name == OWN + "BatchCompose":
        return build(door.BatchCompose, dict(node["args"]) | {"transforms": children(node, path, decode)}, path)
    if name.startswith(OWN):
        return decode_mix(node, door, path)
    if name not in COVERED:
        raise unknown_type(name, [*COVERED, OWN + "BatchCompose"], path)
    args = {key: _decode(value, f"{path}.args.{key}") for key, value in node["args"].items()}
    if "children" in node:
        args["transforms"] = children(node, path, decode)
    return build(COVERED[name], args, path)


def _arguments(transform: Any, path: str) -> dict[str, Any]:
    """Constructor arguments, from the attributes that hold them."""
    args = {}
    for name in inspect.signature(type(transform)).parameters:
        held = next((attribute for attribute in (name, f"_{name}") if hasattr(transform, attribute)), None)
        if held is None:
            raise refuse(
                "An argument cannot be read back",
                f"{path}.args.{name}",
                type(transform).__name__,
                "an attribute of the same name",
                "This version of torchvision is not covered; leave the transform out.",
            )
        args[name] = getattr(transform, held)
    if type(transform) is v2.RandomCrop and transform.padding is not None:
        left, right, top, bottom = transform.padding  # stored in another order than the constructor takes
        args["padding"] = [left, top, right, bottom]
    if type(transform) is v2.RandomErasing and transform.value is None:
        args["value"] = "random"
    return args


def _encode(value: Any, path: str) -> Any:
    if isinstance(value, enum.Enum):
        return {"enum": type(value).__name__, "value": value.value}
    if isinstance(value, torch.dtype):
        return {"dtype": str(value).removeprefix("torch.")}
    if isinstance(value, Mapping):  # per-type values: keys are tensor types or "others"
        pairs = [[key if isinstance(key, str) else key.__name__, _encode(item, path)] for key, item in value.items()]
        return {"by_type": pairs}
    if isinstance(value, (list, tuple)):
        return [_encode(item, path) for item in value]
    return encode_value(value, path)


def _decode(value: Any, path: str) -> Any:
    if isinstance(value, list):
        return [_decode(item, path) for item in value]
    if not isinstance(value, Mapping):
        return value
    try:
        if set(value) == {"enum", "value"}:
            return _ENUMS[value["enum"]](value["value"])
        if set(value) == {"dtype"}:
            return _DTYPES[value["dtype"]]
        if set(value) == {"by_type"}:
            return {key if key == "others" else _TYPES[key]: _decode(item, path) for key, item in value["by_type"]}
    except (KeyError, ValueError, TypeError):
        pass
    raise refuse("Unknown value", path, value, "a plain value, an enum, a dtype or a by_type list", "Correct it.")


def _state(transform: Any) -> dict[str, Any]:
    return {key: v for key, v in vars(transform).items() if key not in ("_modules", "transforms", "training")}


def _same(first: Any, second: Any) -> bool:
    if isinstance(first, torch.Tensor):
        return isinstance(second, torch.Tensor) and torch.equal(first, second)
    if isinstance(first, Mapping):
        return (
            isinstance(second, Mapping)
            and list(first) == list(second)
            and all(_same(first[k], second[k]) for k in first)
        )
    if isinstance(first, (list, tuple)):
        return isinstance(second, (list, tuple)) and len(first) == len(second) and all(map(_same, first, second))
    if callable(first) and not isinstance(first, type):
        return type(first) is type(second)
    return bool(first == second)
