"""Parameters stated once: a dataclass field that carries its check, its range in words, and its text.

Constructor, signature, JSON, JSON Schema, command line and documentation all read the same field.
"""

# No `from __future__ import annotations` in modules that define fields: signatures must show types, not strings.
import dataclasses
import inspect
import math
import numbers
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, MISSING, dataclass
from typing import Any, TypeVar

import numpy as np

from mixtransforms.core.errors import ParameterError

__all__ = [
    "KW_ONLY",
    "Checked",
    "Rule",
    "changed",
    "check_fields",
    "choice",
    "constructor",
    "documentation",
    "documented",
    "encode",
    "flag",
    "form",
    "integer",
    "kind_name",
    "listed",
    "mismatch",
    "names",
    "number",
    "of_kind",
    "optional",
    "optional_choice",
    "optional_integer",
    "optional_number",
    "parameter",
    "values",
]

RULE = "rule"

Schema = Mapping[str, Any]
"""A part of a JSON Schema (draft 2020-12)."""


@dataclass(frozen=True)
class Rule:
    """What a field accepts.

    Attributes:
        check: Returns the value in its canonical type, or raises ``ValueError`` where it is not accepted.
        wanted: The accepted values, in words.
        doc: What the parameter does.
        schema: The form of the value in a file. It may let through what ``check`` refuses, never the other way round.
        quiet: Whether files leave it out where it has its default: those of before it was there stay as they are.
    """

    check: Callable[[Any], Any]
    wanted: str
    doc: str
    schema: Schema
    quiet: bool = False


def parameter(
    default: Any, check: Callable[[Any], Any], wanted: str, doc: str, schema: Schema, *, quiet: bool = False
) -> Any:
    """A checked dataclass field; ``dataclasses.MISSING`` as default makes it required."""
    return dataclasses.field(default=default, metadata={RULE: Rule(check, wanted, doc, schema, quiet)})


def optional(schema: Schema) -> Schema:
    """``None``, or what a schema says."""
    return {"anyOf": [{"type": "null"}, schema]}


def listed(items: Schema, *, low: int = 0, high: int | None = None) -> Schema:
    """A list of ``low`` to ``high`` items."""
    return {"type": "array", "items": items, "minItems": low} | ({} if high is None else {"maxItems": high})


def number(
    default: float, *, low: float, high: float, doc: str, also: tuple[float, ...] = (), quiet: bool = False
) -> Any:
    """A finite real number within ``[low, high]``, or one of ``also``."""

    def check(value: Any) -> float:
        if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
            raise ValueError
        try:
            result = float(value)
        except OverflowError:  # a whole number beyond all floats
            raise ValueError from None
        if not math.isfinite(result) or not (low <= result <= high or result in also):
            raise ValueError
        return result

    extra = "".join(f"{value:g} or " for value in also)
    within: Schema = {"type": "number", "minimum": low, "maximum": high}
    schema = {"anyOf": [*({"const": value} for value in also), within]} if also else within
    return parameter(default, check, f"{extra}a number within [{low:g}, {high:g}]", doc, schema, quiet=quiet)


def optional_number(*, low: float, high: float, doc: str) -> Any:
    """``None`` or a finite real number within ``[low, high]``."""
    rule: Rule = number(0.0, low=low, high=high, doc=doc).metadata[RULE]

    def check(value: Any) -> float | None:
        return None if value is None else float(rule.check(value))

    return parameter(None, check, f"None or {rule.wanted}", doc, optional(rule.schema))


def interval(default: tuple[float, float], *, low: float, high: float, doc: str) -> Any:
    """Two finite real numbers within ``[low, high]``, the second not below the first; they may be equal."""
    wanted = f"two numbers (lowest, highest) with {low:g} <= lowest <= highest <= {high:g}"
    schema = listed({"type": "number", "minimum": low, "maximum": high}, low=2, high=2)
    return parameter(default, lambda value: in_order(value, low, high), wanted, doc, schema)


def in_order(value: Any, low: float, high: float) -> tuple[float, float]:
    """Two numbers as floats.

    Raises:
        ValueError: They are none, not within ``[low, high]``, or the second is below the first.
    """
    first, second = value
    if not all(isinstance(end, numbers.Real) and not isinstance(end, (bool, np.bool_)) for end in (first, second)):
        raise ValueError
    if not low <= first <= second <= high:  # also refuses NaN
        raise ValueError
    return float(first), float(second)


def choice(default: str, options: Sequence[str], doc: str) -> Any:
    """One of a few strings."""

    def check(value: Any) -> str:
        if not isinstance(value, str) or value not in options:
            raise ValueError
        return value

    return parameter(default, check, "one of " + ", ".join(map(repr, options)), doc, {"enum": list(options)})


def flag(default: bool, doc: str) -> Any:
    """``True`` or ``False``."""

    def check(value: Any) -> bool:
        if not isinstance(value, (bool, np.bool_)):
            raise ValueError
        return bool(value)

    return parameter(default, check, "True or False", doc, {"type": "boolean"})


def integer(default: Any, *, low: int, high: int, doc: str) -> Any:
    """A whole number within ``[low, high]``."""

    def check(value: Any) -> int:
        if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Integral):
            raise ValueError
        if not low <= int(value) <= high:
            raise ValueError
        return int(value)

    schema = {"type": "integer", "minimum": low, "maximum": high}
    return parameter(default, check, f"a whole number within [{low}, {high}]", doc, schema)


def optional_integer(*, low: int, high: int, doc: str) -> Any:
    """``None`` or a whole number within ``[low, high]``."""
    rule: Rule = integer(None, low=low, high=high, doc=doc).metadata[RULE]

    def check(value: Any) -> int | None:
        return None if value is None else int(rule.check(value))

    return parameter(None, check, f"None or {rule.wanted}", doc, optional(rule.schema))


def optional_choice(options: Sequence[str], doc: str) -> Any:
    """``None`` or one of a few strings."""

    def check(value: Any) -> str | None:
        if value is not None and (not isinstance(value, str) or value not in options):
            raise ValueError
        return value

    schema = {"enum": [None, *options]}
    return parameter(None, check, "None or one of " + ", ".join(map(repr, options)), doc, schema)


def names(wanted: str, doc: str, kinds: tuple[type, ...] = (str,)) -> Any:
    """Any number of names of some types; a single one may stand alone."""

    def check(value: Any) -> tuple[Any, ...]:
        found = (value,) if isinstance(value, kinds) else tuple(value)
        if not all(isinstance(name, kinds) and not isinstance(name, bool) for name in found):
            raise ValueError
        return found

    single: Schema = {"type": [_JSON_TYPES[kind] for kind in kinds]}
    return parameter((), check, wanted, doc, {"anyOf": [single, listed(single)]})


_JSON_TYPES = {str: "string", int: "integer"}


def form(cls: type, **more: Schema) -> Schema:
    """The form of an object of checked fields in a file: a dict of its parameters, which may lack those with a default.

    Args:
        cls: A dataclass.
        **more: Further entries, which must be there.
    """
    rules = {item.name: item.metadata[RULE] for item in dataclasses.fields(cls) if RULE in item.metadata}
    known = {name: {"description": rule.doc, **rule.schema} for name, rule in rules.items()}
    needed = [item.name for item in dataclasses.fields(cls) if item.name in rules and item.default is MISSING]
    return {
        "type": "object",
        "properties": {**more, **known},
        "required": [*more, *needed],
        "additionalProperties": False,
    }


def documentation(cls: type, text: str) -> str:
    """A docstring with every parameter of a class, from its field.

    Args:
        cls: A dataclass, or a class whose bases are.
        text: What the docstring says before.
    """
    known: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        known.update(getattr(base, "__dataclass_fields__", {}))
    lines = []
    for item in sorted(known.values(), key=lambda item: item.kw_only is True):  # as in the signature
        rule = item.metadata.get(RULE)
        if rule is not None:
            told = f"{item.name}: {rule.doc} Accepts {rule.wanted}."
            lines += textwrap.wrap(told, 110, initial_indent="    ", subsequent_indent="        ")
    return "\n".join([inspect.cleandoc(text), "", "Args:", *lines])


Documented = TypeVar("Documented", bound=type)
Kind = TypeVar("Kind")


def documented(cls: Documented) -> Documented:
    """Writes the parameters of a dataclass into its docstring."""
    cls.__doc__ = documentation(cls, cls.__doc__ or "")
    return cls


def check_fields(owner: Any) -> None:
    """Checks every field of a dataclass instance and stores its canonical value.

    Raises:
        ParameterError: Names the class, the field, the value and the accepted values.
    """
    for field in dataclasses.fields(owner):
        rule: Rule | None = field.metadata.get(RULE)
        if rule is None:
            continue
        value = getattr(owner, field.name)
        try:
            checked = rule.check(value)
        except (ValueError, TypeError) as reason:
            detail = f" {reason}" if reason.args else ""
            raise ParameterError(
                f"Bad value for {field.name!r}",
                where=type(owner).__name__,
                got=repr(value),
                wanted=rule.wanted,
                fix=f"{rule.doc}{detail}",
            ) from None
        object.__setattr__(owner, field.name, checked)


class Checked:
    """A dataclass that checks its fields when it is made, and is shown as the call that makes it.

    Derived classes are dataclasses with ``repr=False``.
    """

    def __post_init__(self) -> None:
        check_fields(self)

    def __repr__(self) -> str:
        return constructor(self)


def mismatch(owner: object, what: str, wanted: str) -> ParameterError:
    """The error for parameters that contradict each other."""
    return ParameterError(
        what, where=type(owner).__name__, got=constructor(owner), wanted=wanted, fix="Change one of them."
    )


def values(owner: Any) -> dict[str, Any]:
    """Field names and values, in the order of the signature."""
    ordered = sorted(dataclasses.fields(owner), key=lambda field: field.kw_only is True)
    return {field.name: getattr(owner, field.name) for field in ordered if field.init}


def changed(owner: Any) -> dict[str, Any]:
    """The fields that differ from their default, in the order of the signature."""
    defaults = {field.name: field.default for field in dataclasses.fields(owner)}
    return {name: value for name, value in values(owner).items() if value != defaults[name]}


def constructor(owner: Any) -> str:
    """Python code that builds an equal object: ``CutMix(alpha=0.5, num_classes=10)``."""
    return f"{type(owner).__name__}({', '.join(f'{name}={value!r}' for name, value in changed(owner).items())})"


def kind_name(owner: object, known: Mapping[str, type]) -> str:
    """What the kind of an object is called in files.

    Raises:
        TypeError: It is a class of the user's own, which files cannot name.
    """
    name = type(owner).__name__
    if known.get(name) is not type(owner):
        raise TypeError(f"{name} has no form in a file")
    return name


def of_kind(value: Any, known: Mapping[str, type[Kind]]) -> Kind:
    """The object that a file describes: its kind, and its parameters.

    Raises:
        ValueError: It is of no known kind.
        ParameterError: It is, and has a bad parameter.
    """
    if not isinstance(value, Mapping) or value.get("kind") not in known:
        raise ValueError
    return known[value["kind"]](**{name: item for name, item in value.items() if name != "kind"})


def encode(value: Any) -> Any:
    """A field's value in JSON's vocabulary; the field's check turns it back.

    Tuples become lists, and objects of checked fields a dict of what differs from their defaults, with the name of
    their kind where they have one.
    """
    if isinstance(value, (tuple, list)):
        return [encode(item) for item in value]
    if isinstance(value, Mapping):
        if all(isinstance(key, str) for key in value):
            return {key: encode(item) for key, item in value.items()}
        return [[key, encode(item)] for key, item in value.items()]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        own = {name: encode(item) for name, item in changed(value).items()}
        return {"kind": value.name, **own} if hasattr(value, "name") else own
    if isinstance(value, float) and not math.isfinite(value):
        raise TypeError(f"{value} is not finite")
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"{value!r} of type {type(value).__name__} has no JSON form")
