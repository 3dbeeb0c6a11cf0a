"""Strict YAML: the vocabulary of JSON, from the events of a parser that constructs no objects.

Plain words are what JSON would read in them, or else strings: ``1e-3`` is a number, ``no`` and ``010`` are strings.
Tags are refused, and so is an alias of what holds it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from mixtransforms.core.errors import ConfigError, missing
from mixtransforms.files.parse import MAX_DEPTH, MAX_DIGITS, MAX_KEY, MAX_STRING, MAX_VALUES, beyond, decoded
from mixtransforms.files.problems import Problem, below, error, told

_NUMBER = re.compile(
    r"""[-+]? (?: (?P<whole> 0 | [1-9][0-9]*) | (?: 0 | [1-9][0-9]*)? \.[0-9]+ | (?: 0 | [1-9][0-9]*) \. )
        (?P<power> [eE][-+]?[0-9]+)?""",
    re.VERBOSE,
)
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WORDS = {"null": None, "~": None, "": None, "true": True, "false": False}


def parse(text: str | bytes) -> Any:
    """The value of a YAML text of one document.

    Raises:
        ConfigError: Not UTF-8, no YAML, more than JSON could say, or beyond a limit; with its place.
        MissingDependencyError: PyYAML is not installed.
    """
    return _Document(decoded(text)).value


def lines(text: str, paths: set[str]) -> dict[str, int]:
    """The line, from 1, on which each of some paths begins."""
    found = _Document(text).lines
    return {path: found[path] for path in paths if path in found}


class _Document:
    """One document.

    Attributes:
        value: What it says.
        lines: The line on which every value begins, by its path.
    """

    def __init__(self, text: str) -> None:
        try:
            import yaml
        except ImportError:
            raise missing("PyYAML", "yaml", "Reading YAML") from None
        self.lines: dict[str, int] = {}
        self._count = 0
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._events = yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        self._line = 1
        try:
            self.value = self._only_document()
        except ConfigError as reason:
            raise error([replace(problem, line=self._line) for problem in reason.problems]) from None
        except yaml.YAMLError as reason:
            mark = getattr(reason, "problem_mark", None)
            place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "$"
            said = getattr(reason, "problem", None) or "no text of YAML"
            line = mark.line + 1 if mark else None
            raise error([Problem(place, "Not YAML", told(said), "YAML", "Correct the text there.", line)]) from None

    def _only_document(self) -> Any:
        value = None
        for event in self._events:
            if _kind(event) == "DocumentStart":
                if self._count:
                    self._line = _line_of(event)
                    raise error([Problem("$", "A second document", "'---'", "one document", "Use one file each.")])
                value = self._value(next(self._events), "$", 0)
        return value

    def _value(self, event: Any, path: str, depth: int) -> Any:
        kind = _kind(event)
        self.lines[path] = self._line = _line_of(event)
        before = self._count
        self._counted(1, path)
        if kind == "Alias":
            return self._alias(event, path)
        if getattr(event, "tag", None):
            raise error([Problem(path, "A tag", told(event.tag), "plain values", "Remove it; nothing is constructed.")])
        if kind == "Scalar":
            value = _scalar(event, path)
        elif depth >= MAX_DEPTH:
            raise error([beyond(path, "more levels", f"at most {MAX_DEPTH} levels")])
        elif kind == "SequenceStart":
            items = enumerate(self._until("SequenceEnd"))
            value = [self._value(item, below(path, index), depth + 1) for index, item in items]
        else:
            value = self._mapping(path, depth)
        if event.anchor:  # only now: an alias inside would be of what holds it
            self._anchors[event.anchor] = (value, self._count - before)
        return value

    def _mapping(self, path: str, depth: int) -> dict[str, Any]:
        value: dict[str, Any] = {}
        for key in self._until("MappingEnd"):
            self._counted(1, path)
            self._line = _line_of(key)
            if _kind(key) != "Scalar" or key.tag:
                raise error([Problem(path, "Not a name", _kind(key), "plain words as keys", "Correct the key.")])
            name = _short(key.value, path)
            where = below(path, name)
            if len(name) > MAX_KEY:
                raise error([beyond(where, "a longer one", f"a key of at most {MAX_KEY} characters")])
            if name in value:
                raise error([Problem(where, "A key twice", told(name), "each key once", "Remove one of them.")])
            value[name] = self._value(next(self._events), where, depth + 1)
        return value

    def _until(self, end: str) -> Iterator[Any]:
        for event in self._events:
            if _kind(event) == end:
                return
            yield event

    def _alias(self, event: Any, path: str) -> Any:
        if event.anchor not in self._anchors:
            fix = "Write the value there."
            raise error([Problem(path, "An unknown alias", told(event.anchor), "an anchor before it", fix)])
        value, size = self._anchors[event.anchor]
        self._counted(size - 1, path)  # as if it were written there again, so that aliases of aliases end
        return value

    def _counted(self, more: int, path: str) -> None:
        self._count += more
        if self._count > MAX_VALUES:
            raise error([beyond(path, "more values", f"at most {MAX_VALUES} values")])


def _line_of(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _kind(event: Any) -> str:
    return type(event).__name__.removesuffix("Event")


def _short(text: str, path: str) -> str:
    if len(text) > MAX_STRING:
        raise error([beyond(path, "a longer one", f"a string of at most {MAX_STRING} characters")])
    return text


def _scalar(event: Any, path: str) -> Any:
    text = _short(event.value, path)
    if event.style not in (None, ""):  # quoted, or a block
        return text
    if text in _WORDS:
        return _WORDS[text]
    number = _NUMBER.fullmatch(text)
    if number is None and not _NOT_FINITE.fullmatch(text):
        return text
    if number is not None and number["whole"] and not number["power"]:
        if len(number["whole"]) > MAX_DIGITS:
            raise error([beyond(path, f"one of {len(text)} digits", f"a whole number of at most {MAX_DIGITS} digits")])
        return int(text)
    value = float(text) if number else math.inf
    if not math.isfinite(value):
        raise error([Problem(path, "Not a finite number", told(text), "a finite number", "Write the number meant.")])
    return value
