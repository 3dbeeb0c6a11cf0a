"""A short name for what a pipeline does, to be written into a training log."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import MISSING
from typing import Any

from mixtransforms.files.document import to_dict
from mixtransforms.files.registry import Allowed, Codec, classes_of, codec_of

# Hexadecimal, 64 bits: among a billion pipelines two share one with a chance of 3 %, among a million with 3 in 10^8.
DIGITS = 16


def fingerprint(pipeline: Any, *, allow: Allowed = ()) -> str:
    """A short content id: equal pipelines have the same one, in every process and on every platform.

    It is made of what :func:`mixtransforms.to_dict` writes, without versions and notes. Whole numbers count alike
    whether they are written as ``1`` or ``1.0``. Parameters of our own transforms that have their defaults are left
    out, so that later ones do not change it.

    Args:
        pipeline: As for :func:`mixtransforms.to_dict`.
        allow: Classes of your own in it.

    Returns:
        16 hexadecimal digits.

    Raises:
        ConfigError: As for :func:`mixtransforms.to_dict`.
    """
    allow = classes_of(allow)
    written = to_dict(pipeline, allow=allow)
    codec = codec_of(written["host"]).allowing(allow)
    canonical = [written["host"], _canonical(codec, written["pipeline"])]
    text = json.dumps(canonical, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:DIGITS]


def _canonical(codec: Codec, node: Mapping[str, Any]) -> dict[str, Any]:
    entry = codec.entries[node["type"]]
    args = {name: _canonical_number(value) for name, value in node["args"].items()}
    # Hosts change what their defaults mean, so that theirs count; ours keep their meaning, and new ones may be added.
    if entry.is_own:
        args = {
            name: value
            for name, value in args.items()
            if entry.arguments[name].default is MISSING or value != _canonical_number(entry.arguments[name].default)
        }
    children = [_canonical(codec.inside(entry), child) for child in node.get("children", [])]
    return {"type": entry.name, "args": args, "children": children}


def _canonical_number(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_canonical_number(item) for item in value]
    if isinstance(value, Mapping):
        return {name: _canonical_number(item) for name, item in value.items()}
    return value
