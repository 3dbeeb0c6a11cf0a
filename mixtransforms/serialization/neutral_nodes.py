"""Nodes of the neutral door: our transforms alone."""

from __future__ import annotations

from typing import Any

from mixtransforms import transform as door
from mixtransforms.serialization.nodes import check_node, decode_mix, encode_mix


def encode(transform: Any, path: str) -> dict[str, Any]:
    """The node of a transform."""
    return encode_mix(transform, path)


def decode(node: Any, path: str) -> Any:
    """The transform of a node."""
    check_node(node, path)
    return decode_mix(node, door, path)
