"""Nodes that both hosts' codecs share: our own transforms, and the checks of every node."""

from __future__ import annotations

import difflib
import inspect
import operator
from collections.abc import Callable, Mapping
from typing import Any

from mixtransforms.core import fields
from mixtransforms.core.errors import ConfigError, ParameterError, UnknownOptionError, explain, nearest
from mixtransforms.core.method import Method
from mixtransforms.core.registry import METHODS
from mixtransforms.transform import MixTransform

OWN = "mixtransforms."

MAX_DEPTH = 14
"""Levels of children; each takes two brackets of the reader's own limit."""

Decode = Callable[[Any, str], Any]


def refuse(what: str, path: str, got: object, wanted: str, fix: str) -> ConfigError:
    """The error for a node, with its JSON path."""
    return ConfigError(explain(what, where=path, got=got, wanted=wanted, fix=fix))


def encode_value(value: Any, path: str) -> Any:
    """A plain argument in JSON's vocabulary.

    Raises:
        ConfigError: It has no JSON form.
    """
    try:
        return fields.encode(value)
    except TypeError as error:
        raise refuse("No JSON form", path, error, "plain values", "Write the argument in plain values.") from None


def encode_mix(transform: MixTransform | Method, path: str) -> dict[str, Any]:
    """The node of one of our transforms, with every parameter."""
    args, inner = {}, []
    for name, value in fields.values(transform).items():
        if _is_methods(value):
            inner = [encode_mix(child, f"{path}.children[{index}]") for index, child in enumerate(value)]
        else:
            args[name] = encode_value(value, f"{path}.args.{name}")
    node: dict[str, Any] = {"type": OWN + _name(transform), "args": args}
    return node | {"children": inner} if inner else node


def decode_mix(node: Mapping[str, Any], door: Any, path: str) -> Any:
    """Our transform of a node, as the class of a door."""
    return _decode(node, lambda name: getattr(door, name), path)


def _decode_child(node: Any, path: str) -> Any:
    check_node(node, path)
    return _decode(node, METHODS.__getitem__, path)


def _decode(node: Mapping[str, Any], class_of: Callable[[str], Any], path: str) -> Any:
    """The object of a node of ours; its children are methods, whatever it is itself."""
    name = node["type"].removeprefix(OWN)
    if name == node["type"] or name not in METHODS:
        raise unknown_type(node["type"], [OWN + known for known in METHODS], path)
    args = dict(node["args"])
    if "children" in node:
        args["transforms"] = children(node, path, _decode_child)
    return build(class_of(name), args, path)


def build(cls: Callable[..., Any], args: Mapping[str, Any], path: str) -> Any:
    """An object from its arguments; unknown ones are refused, where the hosts would warn or ignore them.

    Raises:
        ConfigError: An argument is unknown, missing or out of range.
    """
    known = [name for name in inspect.signature(cls).parameters if name != "self"]
    for name in args:
        if name not in known:
            raise refuse(
                "Unknown argument",
                f"{path}.args.{name}",
                repr(name),
                "one of " + ", ".join(known),
                f"Correct or remove it.{nearest(str(name), known)}",
            )
    try:
        return cls(**args)
    except ConfigError:
        raise
    except (ParameterError, UnknownOptionError, TypeError, ValueError) as error:
        raise ConfigError(f"{path}.args: {error}") from error


def check_equal(
    before: Mapping[str, Any], after: Mapping[str, Any], path: str, same: Callable[[Any, Any], bool] = operator.eq
) -> None:
    """Compares the state of a transform and of its rebuilt twin, so that no argument is lost or bent on the way.

    Raises:
        ConfigError: They differ.
    """
    for name in before.keys() | after.keys():
        if not same(before.get(name), after.get(name)):
            raise refuse(
                "Would not come back equal",
                path,
                f"{name}={after.get(name)!r}",
                f"{name}={before.get(name)!r}",
                "This transform cannot be written; leave it out.",
            )


def children(node: Mapping[str, Any], path: str, decode: Decode) -> list[Any]:
    """The transforms of a node's children."""
    return [decode(child, f"{path}.children[{index}]") for index, child in enumerate(node.get("children", []))]


def check_node(node: Any, path: str) -> None:
    """Refuses what has not the form of a node."""
    wanted = '{"type": name, "args": {...}} and perhaps "children": [...]'
    if not isinstance(node, Mapping) or not {"type", "args"} <= set(node) <= {"type", "args", "children"}:
        got = f"keys {sorted(map(str, node))}" if isinstance(node, Mapping) else type(node).__name__
        raise refuse("Not a node", path, got, wanted, "Write every transform in this form.")
    for key, kind in (("type", str), ("args", Mapping), ("children", list)):
        if key in node and not isinstance(node[key], kind):
            raise refuse("Not a node", f"{path}.{key}", type(node[key]).__name__, wanted, "Correct its type.")
    if "transforms" in node["args"]:
        raise refuse("Not a node", f"{path}.args.transforms", "transforms", wanted, "Write them as children.")
    if path.count(".children[") > MAX_DEPTH:
        raise refuse("Not a node", path, "deeper nesting", f"at most {MAX_DEPTH} levels", "Flatten the pipeline.")


def unknown_type(name: str, known: list[str], path: str) -> ConfigError:
    """The error for a type that is not in the table."""
    full = {item.split(".")[-1]: item for item in known}  # the shared prefix would make all names look alike
    near = difflib.get_close_matches(name.split(".")[-1], full, n=1)
    hint = f" Did you mean {full[near[0]]!r}?" if near else ""
    return refuse(
        "Unknown type",
        f"{path}.type",
        repr(name),
        f"one of {len(known)} covered types",
        f"Only covered types can be read and written.{hint}",
    )


def _is_methods(value: Any) -> bool:
    return isinstance(value, tuple) and bool(value) and all(isinstance(item, Method) for item in value)


def _name(transform: Any) -> str:
    name = type(transform).__name__
    known = METHODS.get(name)
    if known is None or not (type(transform) is known or known in type(transform).__bases__):
        raise refuse("A class of your own", "$", name, "a registered mixing method", "Register the method.")
    return name
