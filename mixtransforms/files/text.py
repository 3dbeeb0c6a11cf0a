"""JSON text for people: what fits into a line stands in one, keys keep their order, numbers are exact."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

WIDTH = 110


def formatted(value: Any) -> str:
    """The text of a value, ending in a newline. Equal values give equal text."""
    return _lines(value, "", 0) + "\n"


def _lines(value: Any, indent: str, used: int) -> str:
    single = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if not isinstance(value, (Mapping, list)) or not value or (len(indent) + used + len(single) <= WIDTH and indent):
        return single
    deeper = indent + "  "
    if isinstance(value, list):
        items = [deeper + _lines(item, deeper, 1) for item in value]
        return "[\n" + ",\n".join(items) + f"\n{indent}]"
    entries = []
    for key, item in value.items():
        name = f"{json.dumps(key, ensure_ascii=False)}: "
        entries.append(deeper + name + _lines(item, deeper, len(name) + 1))
    return "{\n" + ",\n".join(entries) + f"\n{indent}}}"
