"""The part of JSON Schema that the codecs of arguments are made of, checked as the standard says, and put into words.

Reading checks values with the very schemas that editors get, so that both accept the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from mixtransforms.core.errors import nearest
from mixtransforms.core.fields import Schema
from mixtransforms.files.problems import below, one_line

TELLING = frozenset({"description", "default", "title"})
"""Keywords that say something and check nothing."""

# Of what there is to choose from; the longest lists are those of dtypes, with some 40.
_MOST_NAMES = 12


def closed_object(properties: Schema, required: Iterable[str]) -> dict[str, Any]:
    """The schema of an object without other entries than these."""
    needed = list(required)
    known = {"properties": dict(properties), **({"required": needed} if needed else {})}
    return {"type": "object", **known, "additionalProperties": False}


def fits(value: Any, schema: Schema | bool) -> bool:
    """Whether a value of JSON's vocabulary is of the form that a schema says."""
    if isinstance(schema, bool):
        return schema
    return all(_CHECKS[key](value, rule, schema) for key, rule in schema.items() if key not in TELLING)


class Misfit(NamedTuple):
    """The innermost part of a value that does not fit.

    Attributes:
        path: Its place.
        value: What is there.
        wanted: What is accepted there, in words.
        fix: What the part does, where the schema says so.
    """

    path: str
    value: Any
    wanted: str
    fix: str


def misfit(value: Any, schema: Schema, path: str) -> Misfit:
    """Where a value that does not fit goes wrong: as deep inside as the schema leaves no choice."""
    if "anyOf" in schema:
        near = [part for part in schema["anyOf"] if _is_meant(value, part)]
        return misfit(value, near[0], path) if len(near) == 1 else _whole_misfit(value, schema, path)
    if isinstance(value, list) and _has_type(value, schema.get("type", []), schema):
        for index, item in enumerate(value):
            if not fits(item, schema.get("items", True)):
                return misfit(item, schema["items"], below(path, index))
    if isinstance(value, Mapping) and _has_type(value, schema.get("type", []), schema):
        known, other = schema.get("properties", {}), schema.get("additionalProperties", True)
        for name, item in value.items():
            if name not in known and other is False:
                wanted = f"one of {', '.join(known)}"
                return Misfit(below(path, name), item, wanted, f"Correct or remove it.{nearest(one_line(name), known)}")
            if not fits(item, known.get(name, other)):
                return misfit(item, known.get(name, other), below(path, name))
        for name in schema.get("required", []):
            if name not in value:
                return Misfit(below(path, name), value, in_words(known.get(name, True)), "It has no default.")
    return _whole_misfit(value, schema, path)


def _whole_misfit(value: Any, schema: Schema, path: str) -> Misfit:
    return Misfit(path, value, in_words(schema), schema.get("description", ""))


def _is_meant(value: Any, schema: Schema) -> bool:
    """Whether a part of a choice is of the value's type, and of the kind that it names."""
    if "type" not in schema or not _has_type(value, schema["type"], schema) or not isinstance(value, (list, Mapping)):
        return False
    named = {name: part for name, part in schema.get("properties", {}).items() if "const" in part}
    return all(fits(value[name], part) for name, part in named.items() if name in value)


def in_words(schema: Schema | bool) -> str:
    """What a schema accepts: ``a number within [0, 1] or null``."""
    if isinstance(schema, bool):
        return "anything" if schema else "nothing that a file could hold"
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(in_words(part) for part in schema["anyOf"]))
    if "enum" in schema:
        return _choice_words(schema["enum"])
    if "const" in schema:
        return _literal(schema["const"])
    kinds = schema.get("type", [])
    listed = [kinds] if isinstance(kinds, str) else kinds
    words = [_TYPE_WORDS[kind](schema) for kind in listed]
    return " or ".join(words) if words else "anything"


def _has_type(value: Any, kinds: str | list[str], _: Schema) -> bool:
    if isinstance(kinds, str):
        return _TYPE_CHECKS[kinds](value)
    return any(_TYPE_CHECKS[kind](value) for kind in kinds)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_TYPE_CHECKS: Mapping[str, Callable[[Any], bool]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: _is_number(value) and value == value // 1,
    "number": _is_number,
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, Mapping),
}


def _is_equal(value: Any, other: Any) -> bool:
    return bool(value == other) and isinstance(value, bool) == isinstance(other, bool)


def _additional(value: Any, rule: Schema | bool, schema: Schema) -> bool:
    known = schema.get("properties", {})
    return not isinstance(value, Mapping) or all(fits(item, rule) for name, item in value.items() if name not in known)


def _properties(value: Any, rules: Mapping[str, Schema], _: Schema) -> bool:
    return not isinstance(value, Mapping) or all(fits(value[name], rules[name]) for name in rules.keys() & value.keys())


# The standard: a keyword says nothing about values of another type than its own.
_CHECKS: Mapping[str, Callable[[Any, Any, Schema], bool]] = {
    "type": _has_type,
    "enum": lambda value, options, _: any(_is_equal(value, option) for option in options),
    "const": lambda value, other, _: _is_equal(value, other),
    "anyOf": lambda value, parts, _: any(fits(value, part) for part in parts),
    "minimum": lambda value, low, _: not _is_number(value) or value >= low,
    "maximum": lambda value, high, _: not _is_number(value) or value <= high,
    "exclusiveMinimum": lambda value, low, _: not _is_number(value) or value > low,
    "exclusiveMaximum": lambda value, high, _: not _is_number(value) or value < high,
    "pattern": lambda value, pattern, _: not isinstance(value, str) or re.search(pattern, value) is not None,
    "minLength": lambda value, low, _: not isinstance(value, str) or len(value) >= low,
    "items": lambda value, rule, _: not isinstance(value, list) or all(fits(item, rule) for item in value),
    "minItems": lambda value, low, _: not isinstance(value, list) or len(value) >= low,
    "maxItems": lambda value, high, _: not isinstance(value, list) or len(value) <= high,
    "properties": _properties,
    "required": lambda value, names, _: not isinstance(value, Mapping) or all(name in value for name in names),
    "additionalProperties": _additional,
}


def _literal(value: Any) -> str:
    return json.dumps(value) if value is None or isinstance(value, bool) else repr(value)


def _choice_words(options: list[Any]) -> str:
    if len(options) == 1:
        return _literal(options[0])
    shown = ", ".join(_literal(option) for option in options[:_MOST_NAMES])
    return f"one of {shown}{', ...' if len(options) > _MOST_NAMES else ''}"


def _bounds(schema: Schema) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f" within [{_bound(low)}, {_bound(high)}]"
    told = (f"{words} {_bound(schema[key])}" for key, words in _BOUNDS.items() if key in schema)
    return "".join(f", {bound}" for bound in told)


_BOUNDS = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}


def _bound(number: Any) -> str:
    return f"{number:g}" if isinstance(number, float) else str(number)


def _array(schema: Schema) -> str:
    low, high = schema.get("minItems", 0), schema.get("maxItems")
    count = f"{low} items" if low == high else f"at least {low}" if low else ""
    items = in_words(schema["items"]) if schema.get("items", True) is not True else ""
    told = ", ".join(part for part in (count, f"each {items}" if items else "") if part)
    return f"a list ({told})" if told else "a list"


def _object(schema: Schema) -> str:
    names = list(schema.get("properties", {}))
    return f"an object of {', '.join(map(repr, names[:_MOST_NAMES]))}" if names else "an object"


_TYPE_WORDS: Mapping[str, Callable[[Schema], str]] = {
    "null": lambda _: "null",
    "boolean": lambda _: "true or false",
    "integer": lambda schema: "a whole number" + _bounds(schema),
    "number": lambda schema: "a number" + _bounds(schema),
    "string": lambda _: "a string",
    "array": _array,
    "object": _object,
}
