"""Strict JSON: what Python's own reader lets through in silence is an error here."""

from __future__ import annotations

import json
import math
from typing import Any

from mixtransforms.core.errors import ConfigError

MAX_BYTES = 1 << 20
MAX_DEPTH = 32
MAX_DIGITS = 20


def parse(text: str | bytes) -> Any:
    """The value of a JSON text.

    Raises:
        ConfigError: Not UTF-8, no JSON, a duplicate key, a number that is not finite, too large or too deep.
    """
    if not isinstance(text, (str, bytes)):
        raise ConfigError(f"Not JSON text: {type(text).__name__}")
    content = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if len(content) > MAX_BYTES:
        raise ConfigError(f"A pipeline file of {len(content)} bytes; at most {MAX_BYTES} are read")
    try:
        decoded = content.decode("utf-8")
        _check_depth(decoded)
        return json.loads(
            decoded,
            object_pairs_hook=_unique,
            parse_float=_finite,
            parse_int=_short,
            parse_constant=_refused,
        )
    except UnicodeDecodeError as error:
        raise ConfigError(f"Not UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise ConfigError(f"Not JSON: {error}") from None


def _check_depth(text: str) -> None:
    """Counts brackets before the recursive parser sees them."""
    depth, quoted, escaped = 0, False, False
    for character in text:
        if escaped:
            escaped = False
        elif quoted:
            quoted, escaped = character != '"', character == "\\"
        elif character == '"':
            quoted = True
        elif character in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise ConfigError(f"Nested deeper than {MAX_DEPTH}")
        elif character in "]}":
            depth -= 1


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = {}
    for key, value in pairs:
        if key in result:
            raise ConfigError(f"The key {key!r} stands twice in one object")
        result[key] = value
    return result


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ConfigError(f"{digits[:MAX_DIGITS]} is not a finite number")
    return value


def _short(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ConfigError(f"A whole number of {len(digits)} digits; at most {MAX_DIGITS} are read")
    return int(digits)


def _refused(name: str) -> Any:
    raise ConfigError(f"{name} is not JSON")
