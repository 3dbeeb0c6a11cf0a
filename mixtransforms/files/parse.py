"""Strict JSON: what Python's own reader lets through in silence is an error here, with its place.

Python's parser does the work. Only where it, or one of the limits, complains is the text read again by
:func:`places`, slowly, to say where.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from mixtransforms.core.errors import ConfigError
from mixtransforms.files.problems import Problem, below, error, told

MAX_BYTES = 1 << 20
MAX_DEPTH = 32
MAX_VALUES = 100_000
MAX_STRING = 4096
MAX_KEY = 256
MAX_DIGITS = 20
"""Limits of a file. They stop accidents and floods; a file within them may still ask for a picture of 10^9 pixels."""


class _Complaint(Exception):  # noqa: N818  never leaves this module
    """What the hooks of Python's parser raise; they do not know where they are."""


def parse(text: str | bytes) -> Any:
    """The value of a JSON text.

    Raises:
        ConfigError: Not UTF-8, no JSON, a key twice, a number that is not finite, or beyond a limit; with its place.
    """
    content = decoded(text)
    _check_limits(content)
    try:
        value = json.loads(
            content, object_pairs_hook=_unique, parse_float=_finite, parse_int=_short, parse_constant=_refused
        )
    except _Complaint as complaint:
        raise error([next(_complaints(content), beyond("$", str(complaint), "strict JSON"))]) from None
    except json.JSONDecodeError as reason:
        place = f"line {reason.lineno}, column {reason.colno}"
        fix = "Correct the text there."
        raise error([Problem(place, "Not JSON", reason.msg, "JSON", fix, reason.lineno)]) from None
    if "\\u" in content:
        _check_surrogates(value)
    return value


def decoded(text: str | bytes) -> str:
    """The text of a file, within the limit of its size.

    Raises:
        ConfigError: Too large, or not UTF-8.
    """
    if not isinstance(text, (str, bytes)):
        raise error([Problem("$", "Not a text", type(text).__name__, "str or bytes", "Read the file first.")])
    if len(text) > MAX_BYTES or (isinstance(text, str) and len(text.encode("utf-8", "replace")) > MAX_BYTES):
        raise error([beyond("$", "a larger one", f"a file of at most {MAX_BYTES} bytes")])
    try:
        return text.decode("utf-8") if isinstance(text, bytes) else text.encode("utf-8").decode("utf-8")
    except UnicodeError as reason:
        at = getattr(reason, "start", 0)
        line = text[:at].count(b"\n") + 1 if isinstance(text, bytes) else None
        fix = "Save the file as UTF-8."
        raise error([Problem(f"byte {at}", "Not UTF-8", "other bytes", "UTF-8", fix, line)]) from None


def plain(data: Any, path: str = "$", depth: int = 0, count: list[int] | None = None) -> Any:
    """A copy of data that was never text, in JSON's vocabulary and within the same limits; tuples become lists.

    Raises:
        ConfigError: It is too deep or too large, or holds what JSON has no form for.
    """
    count = [0] if count is None else count
    count[0] += 1
    if count[0] > MAX_VALUES:
        raise error([beyond(path, "more values", f"at most {MAX_VALUES} values")])
    if isinstance(data, (Mapping, list, tuple)):
        if depth >= MAX_DEPTH:
            raise error([beyond(path, "more levels", f"at most {MAX_DEPTH} levels")])
        if not isinstance(data, Mapping):
            return [plain(item, below(path, index), depth + 1, count) for index, item in enumerate(data)]
        for key in data:
            if not isinstance(key, str):
                raise error([Problem(path, "Not a name", told(key), "strings as keys", "Correct it.")])
            if len(key) > MAX_KEY:
                raise error([beyond(below(path, key), "a longer one", f"a key of at most {MAX_KEY} characters")])
        return {key: plain(item, below(path, key), depth + 1, count) for key, item in data.items()}
    if isinstance(data, str) and len(data) > MAX_STRING:
        raise error([beyond(path, "a longer one", f"a string of at most {MAX_STRING} characters")])
    if isinstance(data, int) and abs(data) >= 10**MAX_DIGITS:
        raise error([beyond(path, "a longer one", f"a whole number of at most {MAX_DIGITS} digits")])
    if data is None or isinstance(data, (bool, int, str)) or (isinstance(data, float) and math.isfinite(data)):
        return data
    raise error([Problem(path, "Not a value of JSON", told(data), "plain, finite values", "Correct it.")])


def beyond(path: str, got: str, wanted: str, line: int | None = None) -> Problem:
    """The problem of a file that is beyond a limit."""
    fix = "Pipelines are far smaller; this file is damaged, or none."
    return Problem(path, "Beyond a limit", got, wanted, fix, line)


_MARKS = re.compile(r'["\\\[\]{},]')


def _check_limits(text: str) -> None:
    """Depth, number of values and length of strings, before the recursive parser sees them."""
    depth, values, start, skipped, more = 0, 1, -1, -1, 0  # `more`: characters that only escape others
    for match in _MARKS.finditer(text):
        mark, at = match[0], match.start()
        if start >= 0:  # in a string
            if at == skipped:
                continue
            if mark == "\\":
                skipped = at + 1
                more += 5 if text.startswith("u", skipped) else 1
            elif mark == '"':
                if at - start - 1 - more > MAX_STRING:
                    raise _beyond_at(text, start, "a longer one", f"a string of at most {MAX_STRING} characters")
                start = -1
        elif mark == '"':
            start, more = at, 0
        elif mark == ",":
            values += 1
        elif mark in "[{":
            depth, values = depth + 1, values + 1
            if depth > MAX_DEPTH:
                raise _beyond_at(text, at, "more levels", f"at most {MAX_DEPTH} levels")
        elif mark in "]}":
            depth -= 1
        if values > MAX_VALUES:
            raise _beyond_at(text, at, "more values", f"at most {MAX_VALUES} values")


def _beyond_at(text: str, at: int, got: str, wanted: str) -> ConfigError:
    return error([beyond(_place(text, at), got, wanted, _line(text, at))])


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise _Complaint("a key twice")
    if any(len(key) > MAX_KEY for key in result):
        raise _Complaint("a long key")
    return result


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise _Complaint("a number that is not finite")
    return value


def _short(digits: str) -> int:
    if len(digits.lstrip("-")) > MAX_DIGITS:
        raise _Complaint("a long number")
    return int(digits)


def _refused(name: str) -> Any:
    raise _Complaint(name)


def _check_surrogates(value: Any) -> None:
    """Halves of characters are no text: nothing could write them again."""
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        fix = "Write the character itself."
        raise error([Problem("$", "Half a character", r"\ud800 to \udfff alone", "whole characters", fix)]) from None


# ------------------------------------------------------------------------------------------------------------ places


class Place(NamedTuple):
    """One value, or one key, of a text.

    Attributes:
        path: Its JSON path; of a key, the path of the entry.
        start: Where it begins in the text.
        token: Its text; of a list or object, the bracket.
        key: Whether it is a key.
    """

    path: str
    start: int
    token: str
    key: bool


_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}:,]|[^\s\[\]{}:,"]+', re.DOTALL)


def places(text: str) -> Iterator[Place]:
    """The values and keys of a JSON text in their order, also of one that is broken further on."""
    stack: list[tuple[str, str | int]] = []  # path of a container; the next index, or the current key
    wants_key = False
    for match in _TOKEN.finditer(text):
        token, start = match[0], match.start()
        if token == ":":
            wants_key = False
        elif token == ",":
            if stack:
                path, step = stack[-1]
                wants_key = isinstance(step, str)
                stack[-1] = (path, step if isinstance(step, str) else step + 1)
        elif token in "]}":
            if stack:
                stack.pop()
            wants_key = False
        elif wants_key and token.startswith('"') and stack:
            path, _ = stack[-1]
            stack[-1] = (path, _unquoted(token))
            yield Place(below(path, stack[-1][1]), start, token, key=True)
        else:
            path = below(*stack[-1]) if stack else "$"
            yield Place(path, start, token, key=False)
            if token in "[{":
                stack.append((path, 0 if token == "[" else ""))
                wants_key = token == "{"


def _unquoted(token: str) -> str:
    try:
        return str(json.loads(token, strict=False))
    except ValueError:
        return token[1:-1]


def _place(text: str, start: int) -> str:
    """The path of the value, or of the key, that begins at a position; of a string, its first characters will do."""
    first = text[start]
    if first == '"':
        first = json.dumps(re.sub(r'["\\].*', "", text[start + 1 : start + 40], flags=re.DOTALL))
    elif first == ",":
        first = ",0"
    return next((place.path for place in places(text[:start] + first) if place.start >= start), "$")


def _complaints(text: str) -> Iterator[Problem]:
    """What the hooks complained of, with its place."""
    seen: set[int] = set()  # hashes: the paths themselves could take a thousand times the text
    for path, start, token, key in places(text):
        if key:
            found = _of_key(path, token, hash(path) in seen)
            seen.add(hash(path))
        else:
            found = _of_number(path, token)
        for problem in found:
            yield replace(problem, line=_line(text, start))


def _of_key(path: str, token: str, seen: bool) -> Iterator[Problem]:
    if seen:
        yield Problem(path, "A key twice", told(_unquoted(token)), "each key once", "Remove one of them.")
    if len(_unquoted(token)) > MAX_KEY:
        yield beyond(path, "a longer one", f"a key of at most {MAX_KEY} characters")


def _of_number(path: str, token: str) -> Iterator[Problem]:
    digits = token.lstrip("-")
    if digits.isdigit():
        if len(digits) > MAX_DIGITS:
            yield beyond(path, f"one of {len(digits)} digits", f"a whole number of at most {MAX_DIGITS} digits")
    elif digits[:1].isdigit() or digits in ("NaN", "Infinity"):
        fix = "JSON has neither infinity nor NaN; write the number that is meant."
        try:
            finite = math.isfinite(float(token))
        except ValueError:
            return  # no number at all, which is not what was complained of
        if not finite:
            yield Problem(path, "Not a finite number", told(token), "a finite number", fix)


def lines(text: str, paths: set[str]) -> dict[str, int]:
    """The line, from 1, on which each of some paths begins. What is not there has the line of what should hold it."""
    found: dict[str, int] = {}
    for place in places(text):
        if place.path in paths and place.path not in found:
            found[place.path] = _line(text, place.start)
    return found
