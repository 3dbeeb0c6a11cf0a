"""Older formats, and those of others, brought to the form of today: pure functions from dict to dict."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

FORMAT = "mixtransforms/pipeline"
VERSION = 2
"""The format that is written."""

Data = Mapping[str, Any]


def each_node(node: Any, change: Callable[[Data], Data]) -> Any:
    """A node, and the nodes below it, changed; what is no node stays as it is."""
    if not isinstance(node, Mapping):
        return node
    changed = change(node)
    children = changed.get("children")
    if not isinstance(children, list):
        return changed
    return {**changed, "children": [each_node(child, change) for child in children]}


def _without_tags(value: Any) -> Any:
    """Format 1 told of every value what it was; now the argument says it."""
    if isinstance(value, list):
        return [_without_tags(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    if value.keys() == {"enum", "value"}:
        return value["value"]
    if value.keys() == {"dtype"}:
        return value["dtype"]
    if value.keys() == {"by_type"} and _are_pairs(value["by_type"]):
        return {name: _without_tags(item) for name, item in value["by_type"]}
    return value


def _are_pairs(value: Any) -> bool:
    pairs = isinstance(value, list) and all(isinstance(item, list) and len(item) == 2 for item in value)
    return pairs and all(isinstance(name, str) for name, _ in value)


def _untagged(node: Data) -> Data:
    """Arguments of torchvision's transforms without tags; ours never had any."""
    args = node.get("args")
    if not isinstance(args, Mapping) or not str(node.get("type")).startswith("torchvision."):
        return node
    return {**node, "args": {name: _without_tags(value) for name, value in args.items()}}


def from_1(data: Data) -> Data:
    """Format 1 wrote what modes, dtypes and per-type values are beside each of them."""
    return {**data, "format_version": 2, "pipeline": each_node(data.get("pipeline"), _untagged)}


FORMAT_STEPS: Mapping[int, Callable[[Data], Data]] = {1: from_1}
"""What brings a format to the next one."""


def migrated(data: Data) -> Data:
    """A file of this or an older format in the form of today."""
    while data["format_version"] < VERSION:
        data = FORMAT_STEPS[data["format_version"]](data)
    return data


# ----------------------------------------------------------------------------------------- files of Albumentations

OF_ALBUMENTATIONS = ("__version__", "transform")
"""The keys of its files."""

_LEFT_OUT = {"seed": None, "strict": False, "mask_interpolation": None, "save_applied_params": False}
"""Arguments of a Compose that ``A.save`` never writes."""

_OF_BOXES_LEFT_OUT = {"filter_invalid_bboxes": False}
"""Parameters of boxes that it never writes."""

_COMPOSES = ("Compose", "mixtransforms.BatchCompose")


def is_of_albumentations(data: Any) -> bool:
    """Whether data is what ``A.save`` or ``A.to_dict`` wrote."""
    return isinstance(data, Mapping) and "transform" in data and "format" not in data


def from_albumentations(data: Data) -> Data:
    """What ``A.save`` wrote, as a file of ours. What is not understood in it stays, and is refused later."""
    envelope = {
        "format": FORMAT,
        "format_version": VERSION,
        "host": "albumentations",
        "pipeline": _their_node(data["transform"]),
    }
    return {**envelope, "written_with": {"albumentations": data.get("__version__")}}


def _their_node(transform: Any) -> Any:
    if not isinstance(transform, Mapping):
        return transform
    name = transform.get("__class_fullname__")
    args = {key: value for key, value in transform.items() if key not in ("__class_fullname__", "transforms")}
    if name in _COMPOSES:
        args = {**_LEFT_OUT, **args}
        if isinstance(args.get("bbox_params"), Mapping):
            args["bbox_params"] = {**_OF_BOXES_LEFT_OUT, **args["bbox_params"]}
    node: dict[str, Any] = {"type": _type_name(name), "args": args}
    children = transform.get("transforms")
    if "transforms" not in transform:
        return node
    return node | {"children": [_their_node(child) for child in children] if isinstance(children, list) else children}


def _type_name(name: Any) -> Any:
    """Albumentations writes its own classes by their names alone, and all others with their modules."""
    return f"albumentations.{name}" if isinstance(name, str) and "." not in name else name


_THEIR_NAMES = {r"\.children(?=\[|$)": ".transforms", r"\.args(?=[.[]|$)": "", r"\.type$": ".__class_fullname__"}


def path_in_albumentations(path: str) -> str:
    """Where in a file of ``A.save`` a place of the migrated one is."""
    if path.startswith("$.written_with"):
        return "$.__version__"
    head, marker, rest = path.partition("$.pipeline")
    if head or not marker:
        return path
    for ours, theirs in _THEIR_NAMES.items():
        rest = re.sub(ours, theirs, rest)
    return f"$.transform{rest}"
