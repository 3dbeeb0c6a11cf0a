"""Strict JSON and strict YAML in one pass: what other readers let through in silence is an error here, with its place.

A reader hands what it finds, one event after the other, to a :class:`_Builder`. That makes the value, remembers where
every part of it stood, and keeps all limits, so that a flood is refused where it begins and before it is in memory.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Container, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

from mixtransforms.core.errors import ConfigError, missing
from mixtransforms.files.problems import below, beyond, config_error, refusal, short_repr

# Limits of a file. They stop accidents and floods; a file within them may still ask for a picture of 10^9 pixels.

# A pipeline of 30 transforms takes 5 KB, and one of 10,000 half a megabyte.
MAX_BYTES = 1 << 20

# Brackets in brackets. Nodes take two a level, arguments and envelope a few more; Python's own stack has 1,000 levels.
MAX_DEPTH = 32

# Ten a transform. A megabyte of "[],[],..." would otherwise become 60 MB of lists and their places.
MAX_VALUES = 100_000

# Notes are the longest texts; names of types have at most 60 characters.
MAX_STRING = 4096

# Paths are made of keys: 32 levels of these make 8 KB, which can still be made and cut for every one of 100 problems.
MAX_KEY = 256

# As many as 2^64 has. Reading a number takes time that grows with the square of its length, and so does showing it.
MAX_DIGITS = 20

PlaceTree: TypeAlias = "int | list[Any]"
"""Where a value begins; for a list or object a list of that, and of the same for each of what it holds.

No paths: 100,000 of them could take a thousand times the memory of their file.
"""


class Parsed(NamedTuple):
    """What a text says, and where.

    Attributes:
        value: The value, in JSON's vocabulary.
        places: Where it and its parts begin; empty for a text of YAML without a document, whose value is ``None``.
        line_of: The line, from 1, of a place.
    """

    value: Any
    places: list[PlaceTree]
    line_of: Callable[[int], int]

    def lines(self, paths: Container[str]) -> dict[str, int]:
        """The lines, from 1, on which the values of some paths begin; entries of JSON begin with their key.

        Args:
            paths: JSON paths. What lies below a path that is not among them is not looked at.
        """
        found = (pair for places in self.places for pair in _places_below(self.value, places, "$", paths))
        return {path: self.line_of(start) for path, start in found}


def _places_below(value: Any, places: PlaceTree, path: str, wanted: Container[str]) -> Iterator[tuple[str, int]]:
    if isinstance(places, int):  # a plain value, or an alias, which has no text of its own
        yield path, places
        return
    yield path, places[0]
    # Below what nobody asked for there is nothing to find: a problem in the last of 10,000 transforms costs one level.
    steps = value if isinstance(value, dict) else range(len(value))
    for step, inner in zip(steps, places[1:], strict=True):
        where = below(path, step)
        if where in wanted:
            yield from _places_below(value[step], inner, where, wanted)


def parse(text: str | bytes, *, yaml: bool = False) -> Any:
    """The value of a text. See :func:`parse_with_places`."""
    return parse_with_places(text, yaml=yaml).value


def parse_with_places(text: str | bytes, *, yaml: bool = False) -> Parsed:
    """The value of a text, with the places of its parts.

    Args:
        text: The content of a file.
        yaml: Whether it is YAML, of one document and without tags, instead of JSON.

    Raises:
        ConfigError: Not UTF-8, neither JSON nor YAML, a key twice, a number that is not finite, more than JSON could
            say, or beyond a limit; with its place.
        MissingDependencyError: PyYAML is not installed.
    """
    content = _decoded(text)
    return _read_yaml(content) if yaml else _JsonReader(content).read()


def _decoded(text: str | bytes) -> str:
    """The text of a file, within the limit of its size."""
    if not isinstance(text, (str, bytes)):
        raise refusal("$", "Not a text", type(text).__name__, "str or bytes", "Read the file first.")
    # Characters are counted before bytes, which a text of a gigabyte would have to be copied for.
    if len(text) > MAX_BYTES or (isinstance(text, str) and len(text.encode("utf-8", "replace")) > MAX_BYTES):
        raise config_error([beyond("$", "a larger one", f"a file of at most {MAX_BYTES} bytes")])
    try:  # a str may hold halves of characters, which UTF-8 has no bytes for
        content = text.decode("utf-8") if isinstance(text, bytes) else text.encode("utf-8").decode("utf-8")
        return content.removeprefix("\ufeff")  # the mark that editors on Windows begin files with
    except UnicodeError as reason:
        at = getattr(reason, "start", 0)
        line = text[:at].count(b"\n") + 1 if isinstance(text, bytes) else None
        raise refusal(f"byte {at}", "Not UTF-8", "other bytes", "UTF-8", "Save the file as UTF-8.", line) from None


def plain_copy(data: Any, path: str = "$") -> Any:
    """A copy of data that was never text, in JSON's vocabulary and within the same limits; tuples become lists.

    Raises:
        ConfigError: It is too deep or too large, or holds what JSON has no form for.
    """
    builder = _Builder(lambda _: None, path)
    _feed(builder, data)
    return builder.results[0]


def _feed(builder: _Builder, data: Any) -> None:
    builder.count()
    if isinstance(data, Mapping):
        builder.open({}, 0)
        for key, item in data.items():
            if not isinstance(key, str):
                raise builder.error("Not a name", short_repr(key), "strings as keys", "Correct it.", inside=False)
            builder.key(key)
            _feed(builder, item)
        builder.close()
    elif isinstance(data, (list, tuple)):
        builder.open([], 0)
        for item in data:
            _feed(builder, item)
        builder.close()
    elif isinstance(data, str):
        builder.text(data, len(data), 0)
    elif isinstance(data, int) and abs(data) >= 10**MAX_DIGITS:  # compared, since a long one may not become a text
        raise builder.beyond("a longer one", _SHORT_NUMBER)
    elif data is None or isinstance(data, int) or (isinstance(data, float) and math.isfinite(data)):
        builder.add(data, 0)
    else:
        raise builder.error("Not a value of JSON", short_repr(data), "plain, finite values", "Correct it.")


# ----------------------------------------------------------------------------------------------------------- builder

_TOLD_OF_KEY = 39  # characters in the path of a key that is too long for one: as many as fit into a line of a terminal
_SHORT_STRING = f"a string of at most {MAX_STRING} characters"
_SHORT_NUMBER = f"a whole number of at most {MAX_DIGITS} digits"


class _Builder:
    """A value that grows with the events of a reader, the places of its parts, and the limits.

    Args:
        line_of: The line of a place; ``None`` where there is no text.
        root: The path of the value.

    Attributes:
        at: The place of the event, which errors tell. Readers set it.
        size: How many values there are. Readers count them as their syntax makes it easy: JSON by commas and brackets.
        results: What was read: one value, where the text is sound.
        places: Where it and its parts begin.
    """

    def __init__(self, line_of: Callable[[int], int | None], root: str = "$") -> None:
        self.at = self.size = 0
        self.results: list[Any] = []
        self.places: list[PlaceTree] = []
        self._line_of, self._root = line_of, root
        # What is open, from the outside in: containers, where they and their items begin, and the last key of each.
        # The first container only holds the value itself. An open one is put into what holds it when it is closed:
        # until then the length of a list is the index of what comes next, and no stack of steps is needed for paths.
        self._containers: list[Any] = [self.results]
        self._places = [self.places]
        self._keys = [""]

    def count(self, more: int = 1, *, key: bool = False) -> None:
        """Counts values before they are made, or keys, which are not known yet."""
        self.size += more
        if self.size > MAX_VALUES:
            raise self.beyond("more values", f"at most {MAX_VALUES} values", inside=not key)

    def key(self, name: str, length: int = 0) -> None:
        """The key of what comes next, and how many characters it is written with."""
        self._keys[-1] = name if length <= MAX_STRING else name[:_TOLD_OF_KEY]
        if length > MAX_STRING:
            raise self.beyond("a longer one", _SHORT_STRING)
        if name in self._containers[-1]:
            raise self.error("A key twice", short_repr(name), "each key once", "Remove one of them.")
        if len(name) > MAX_KEY:
            raise self.beyond("a longer one", f"a key of at most {MAX_KEY} characters")

    def open(self, container: list[Any] | dict[str, Any], place: int) -> None:
        """Begins a list or an object."""
        if len(self._containers) > MAX_DEPTH:
            raise self.beyond("more levels", f"at most {MAX_DEPTH} levels")
        self._containers.append(container)
        self._places.append([place])
        self._keys.append("")

    def close(self) -> Any:
        """Ends the innermost list or object, and returns it."""
        self._keys.pop()
        return self.add(self._containers.pop(), self._places.pop())

    def text(self, value: str, length: int, place: int) -> str:
        """A string that is written with so many characters."""
        if length > MAX_STRING:
            raise self.beyond("a longer one", _SHORT_STRING)
        self.add(value, place)
        return value

    def number(self, written: str, place: int, fix: str) -> int | float:
        """A number as it is written; ``fix`` is the way out where it is not finite."""
        digits = written.lstrip("+-")
        if not digits.isdigit():
            value = float(written)
            if not math.isfinite(value):
                raise self.not_finite(written, fix)
        elif len(digits) > MAX_DIGITS:
            raise self.beyond(f"one of {len(digits)} digits", _SHORT_NUMBER)
        else:
            value = int(written)
        self.add(value, place)
        return value

    def add(self, value: Any, place: PlaceTree) -> Any:
        """Any value as it is."""
        container = self._containers[-1]
        if type(container) is list:
            container.append(value)
        else:
            container[self._keys[-1]] = value
        self._places[-1].append(place)
        return value

    def path(self, *, inside: bool = True) -> str:
        """The path of what comes next, in an object that of its last key; or of the innermost open container."""
        path = self._root
        containers = self._containers[1:] if inside else self._containers[1:-1]
        for container, key in zip(containers, self._keys[1:], strict=False):
            path = below(path, len(container) if type(container) is list else key)
        return path

    def error(self, what: str, got: str, wanted: str, fix: str, *, inside: bool = True) -> ConfigError:
        """The error of what comes next, or of the innermost open container."""
        return refusal(self.path(inside=inside), what, got, wanted, fix, self._line_of(self.at))

    def beyond(self, got: str, wanted: str, *, inside: bool = True) -> ConfigError:
        """The error of what is beyond a limit."""
        return config_error([beyond(self.path(inside=inside), got, wanted, self._line_of(self.at))])

    def not_finite(self, written: str, fix: str) -> ConfigError:
        """The error of infinity and NaN."""
        return self.error("Not a finite number", short_repr(written), "a finite number", fix)


# -------------------------------------------------------------------------------------------------------------- JSON

# The four that JSON allows; \s would take those of Unicode as well.
_BLANK = r"[ \t\n\r]*"
_PLAIN_STRING = r'"[^"\\\x00-\x1f]*"'  # all others are left to Python, whose reader knows every escape

_JSON_VALUE = re.compile(
    rf"""{_BLANK} (?: (?P<string> {_PLAIN_STRING}) | (?P<escaped> ")
    | (?P<empty> \[ {_BLANK} \] | {{ {_BLANK} }} ) | (?P<bracket> [\[{{])
    | (?P<number> -?(?: 0 | [1-9][0-9]*)(?: \.[0-9]+)?(?: [eE][-+]?[0-9]+)? | NaN | -?Infinity)
    | (?P<word> null | true | false) | (?P<nothing> (?=,)) )""",
    re.VERBOSE,
)
_JSON_KEY = re.compile(rf"""{_BLANK} (?: (?P<string> {_PLAIN_STRING}) {_BLANK} : | (?P<escaped> ") )""", re.VERBOSE)
_COLON = re.compile(rf"{_BLANK}:")
_MARK = re.compile(rf"{_BLANK}([,\]}}]?)")
_CONSTANTS = {"null": None, "true": True, "false": False}

# One escape is one character, as JSON counts: a character beyond 2^16 is written with two of them.
_ESCAPED = re.compile(r"\\(?:u.{4}|.)", re.DOTALL)
_HALF = re.compile("[\ud800-\udfff]")
_DECODER = json.JSONDecoder()


class _JsonReader:
    """Reads JSON. Of what is none, Python's own reader says where and why, in the words that everybody knows."""

    def __init__(self, text: str) -> None:
        self._text, self._end = text, 0
        self._builder = _Builder(self._line)
        # What is no JSON is read on where that is easy, so that a flood of commas or of brackets is called a flood.
        self._broken = self._has_halves = False

    def _line(self, at: int) -> int:
        return self._text.count("\n", 0, at) + 1

    def read(self) -> Parsed:
        """The whole text."""
        builder = self._builder
        builder.count()  # the value itself; all others are counted by the bracket or the comma before them
        self._items("")
        if self._broken or len(builder.results) > 1 or self._end < len(self._text):
            raise self._not_json()
        if self._has_halves:  # which are no text: nothing could write them again
            got, fix = r"\ud800 to \udfff alone", "Write the character itself."
            raise refusal("$", "Half a character", got, "whole characters", fix)
        return Parsed(builder.results[0], builder.places, self._line)

    def _items(self, end: str) -> None:
        """Values with commas between them, and the bracket that ends them, or the end of the text."""
        builder = self._builder
        self._value(self._key() if end == "}" else None)
        while (mark := self._next(_MARK)[1]) == ",":
            builder.at = self._end - 1
            builder.count()
            self._value(self._key() if end == "}" else None)
        if mark != end:
            raise self._not_json()

    def _value(self, key: int | None) -> None:
        """One value; ``key`` is where its key begins."""
        match = self._next(_JSON_VALUE)
        kind = match.lastgroup or ""
        token, start, builder = match[kind], match.start(kind), self._builder
        builder.at = start
        place = start if key is None else key
        if kind == "string":
            builder.text(token[1:-1], len(token) - 2, place)
        elif kind == "number":
            builder.number(token, place, "JSON has neither infinity nor NaN; write the number that is meant.")
        elif kind == "word":
            builder.add(_CONSTANTS[token], place)
        elif kind == "escaped":
            builder.text(*self._escaped(start), place)
        elif kind == "nothing":
            self._broken = True
            builder.add(None, place)
        else:
            builder.count()
            builder.open([] if token[0] == "[" else {}, place)
            if kind == "bracket":
                self._items("]" if token == "[" else "}")
            builder.close()

    def _key(self) -> int:
        """A key and its colon; returns where it begins."""
        match = self._next(_JSON_KEY)
        start = match.start(match.lastindex or 0)
        self._builder.at = start
        if match["string"]:
            key = match["string"][1:-1]
            self._builder.key(key, len(key))
        else:
            key, length = self._escaped(start)
            self._next(_COLON)  # which belongs to the token of a plain key
            self._builder.key(key, length)
        return start

    def _escaped(self, start: int) -> tuple[str, int]:
        """A string with escapes, and how many characters it has, halves of characters counted alone."""
        try:
            value, self._end = _DECODER.raw_decode(self._text, start)
        except json.JSONDecodeError:
            raise self._not_json() from None
        self._has_halves |= _HALF.search(value) is not None
        length = self._end - start - 2
        if length > MAX_STRING:
            length = len(_ESCAPED.sub("_", self._text[start + 1 : self._end - 1]))
        return value, length

    def _next(self, token: re.Pattern[str]) -> re.Match[str]:
        match = token.match(self._text, self._end)
        if match is None:
            raise self._not_json()
        self._end = match.end()
        return match

    def _not_json(self) -> ConfigError:
        try:
            json.loads(self._text)  # comes no farther than this reader, and so neither too deep nor to long numbers
        except json.JSONDecodeError as reason:
            place = f"line {reason.lineno}, column {reason.colno}"
            return refusal(place, "Not JSON", reason.msg, "JSON", "Correct the text there.", reason.lineno)
        raise AssertionError(f"Python reads what is no JSON at character {self._end}")


# -------------------------------------------------------------------------------------------------------------- YAML

_YAML_NUMBER = re.compile(
    r"""[-+]? (?: (?: 0 | [1-9][0-9]*) | (?: 0 | [1-9][0-9]*)? \.[0-9]+ | (?: 0 | [1-9][0-9]*) \. )
        (?: [eE][-+]?[0-9]+)?""",
    re.VERBOSE,
)
_YAML_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
# Words of JSON, and what stands for nothing: YAML 1.1 would also take yes, no, on and off for truth.
_YAML_CONSTANTS = {**_CONSTANTS, "~": None, "": None}


def _read_yaml(text: str) -> Parsed:
    try:
        import yaml
    except ImportError:
        raise missing("PyYAML", "yaml", "Reading YAML") from None
    # libyaml where PyYAML has it, ten times as fast. Of the safe loaders only the parser is used: it makes no objects.
    reader = _YamlReader(yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    try:
        return reader.read()
    except yaml.YAMLError as reason:
        mark = getattr(reason, "problem_mark", None)
        line = mark.line + 1 if mark else None
        place = f"line {line}, column {mark.column + 1}" if mark else "$"
        got = short_repr(getattr(reason, "problem", None) or "no text of YAML")
        raise refusal(place, "Not YAML", got, "YAML", "Correct the text there.", line) from None


class _YamlReader:
    """Reads YAML in the vocabulary of JSON, from the events of a parser that constructs no objects.

    Plain words are what JSON would read in them, or else strings: ``1e-3`` is a number, ``no`` and ``010`` are strings.
    Tags are refused, and so is an alias of what holds it.

    Args:
        events: What PyYAML found.
    """

    def __init__(self, events: Iterator[Any]) -> None:
        self._events = events
        self._builder = _Builder(lambda line: line)
        self._anchors: dict[str, tuple[Any, int]] = {}

    def read(self) -> Parsed:
        """The only document; ``None`` where there is none."""
        builder = self._builder
        for event in self._events:
            if _kind(event) == "DocumentStart":
                if builder.results:
                    got, wanted = "'---'", "one document"
                    raise refusal("$", "A second document", got, wanted, "Use one file each.", _line_of(event))
                self._value(next(self._events))
        return Parsed(next(iter(builder.results), None), builder.places, int)

    def _value(self, event: Any) -> None:
        builder, kind = self._builder, _kind(event)
        builder.at = place = _line_of(event)
        before = builder.size
        builder.count()
        if kind == "Alias":
            self._alias(event)
            return
        if event.tag:
            raise builder.error("A tag", short_repr(event.tag), "plain values", "Remove it; nothing is constructed.")
        if kind == "Scalar":
            value = self._scalar(event)
        elif kind == "SequenceStart":
            builder.open([], place)
            for item in self._until("SequenceEnd"):
                self._value(item)
            value = builder.close()
        else:
            builder.open({}, place)
            for key in self._until("MappingEnd"):
                self._key(key)
                self._value(next(self._events))
            value = builder.close()
        if event.anchor:  # only now: an alias inside would be of what holds it
            self._anchors[event.anchor] = (value, builder.size - before)

    def _key(self, event: Any) -> None:
        builder = self._builder
        builder.count(key=True)  # keys count in YAML, where they may be long and many without a single comma
        builder.at = _line_of(event)
        if _kind(event) != "Scalar" or event.tag:
            got = _kind(event)
            raise builder.error("Not a name", got, "plain words as keys", "Correct the key.", inside=False)
        if len(event.value) > MAX_STRING:
            raise builder.beyond("a longer one", _SHORT_STRING, inside=False)
        builder.key(event.value)

    def _until(self, end: str) -> Iterator[Any]:
        for event in self._events:
            if _kind(event) == end:
                return
            yield event

    def _alias(self, event: Any) -> None:
        if event.anchor not in self._anchors:
            got, fix = short_repr(event.anchor), "Write the value there."
            raise self._builder.error("An unknown alias", got, "an anchor before it", fix)
        value, size = self._anchors[event.anchor]
        self._builder.count(size - 1)  # as if it were written there again, so that aliases of aliases end
        self._builder.add(value, self._builder.at)

    def _scalar(self, event: Any) -> Any:
        builder, text, place = self._builder, event.value, self._builder.at
        if len(text) > MAX_STRING or event.style not in (None, ""):  # quoted, or a block
            return builder.text(text, len(text), place)
        if text in _YAML_CONSTANTS:
            return builder.add(_YAML_CONSTANTS[text], place)
        if _YAML_NUMBER.fullmatch(text):
            return builder.number(text, place, "Write the number meant.")
        if _YAML_NOT_FINITE.fullmatch(text):
            raise builder.not_finite(text, "Write the number meant.")
        return builder.text(text, len(text), place)


def _line_of(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _kind(event: Any) -> str:
    return type(event).__name__.removesuffix("Event")
