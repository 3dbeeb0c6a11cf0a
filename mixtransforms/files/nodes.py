"""Nodes ``{"type", "args", "children"}``: written from transforms, examined without building, built, compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np

from mixtransforms.core.errors import nearest
from mixtransforms.files.problems import MOST_PROBLEMS, Problem, below, beyond, one_line, refusal, short_repr
from mixtransforms.files.registry import Argument, Codec, TypeEntry
from mixtransforms.files.schema import fits, in_words, misfit

# Levels of children. Each takes two brackets of the reader's 32; arguments and the envelope need the other four.
MAX_LEVELS = 14

# Of one file. Some take a kilobyte and half a millisecond each to be built: the largest file takes five seconds.
MAX_TRANSFORMS = 10_000

_TOO_DEEP = ("Nested too deep", "more levels", f"at most {MAX_LEVELS}", "Flatten the pipeline.")
_NODE_SHAPE = '{"type": name, "args": {...}, "children": [...]}'
_KEYS = ("type", "args", "children")


def write(codec: Codec, transform: Any, path: str) -> dict[str, Any]:
    """The node of a transform.

    Raises:
        ConfigError: It, or something in it, has no form in a file; names its JSON path.
    """
    if path.count(".children[") > MAX_LEVELS:
        raise refusal(path, *_TOO_DEEP)
    entry = codec.entry_of(transform, path)
    held = codec.held(transform, entry)
    for name in () if codec.may_forget(entry) else entry.arguments.keys() - held.keys():
        where, fix = below(f"{path}.args", name), "Keep every argument of the constructor under its own name."
        raise refusal(where, "An argument cannot be read back", "nothing", "an attribute of its name", fix)
    written = {
        name: _write_argument(argument, held[name], below(f"{path}.args", name))
        for name, argument in entry.arguments.items()
        if name in held
    }
    args = {
        name: value
        for name, value in written.items()
        if not (entry.arguments[name].quiet and has_default(entry.arguments[name], value))
    }
    node: dict[str, Any] = {"type": entry.name, "args": args}
    if entry.children:
        inner = codec.inside(entry)
        node["children"] = [
            write(inner, child, f"{path}.children[{index}]") for index, child in enumerate(codec.children(transform))
        ]
    return node


def without_defaults(codec: Codec, node: Mapping[str, Any]) -> dict[str, Any]:
    """A node without the arguments that have their defaults."""
    entry = codec.entries[node["type"]]
    args = {name: value for name, value in node["args"].items() if not has_default(entry.arguments[name], value)}
    children = [without_defaults(codec.inside(entry), child) for child in node.get("children", [])]
    return {"type": node["type"], **({"args": args} if args else {}), **({"children": children} if children else {})}


def has_default(argument: Argument, value: Any) -> bool:
    """Whether a value in a file is what the constructor takes where nothing is given."""
    # Albumentations holds an empty dict where it was given None.
    nothing = value == {} and argument.default is None
    return not argument.required and (nothing or deep_equal(value, argument.default))


def _write_argument(argument: Argument, value: Any, path: str) -> Any:
    try:
        return argument.codec.write(value)
    except TypeError:
        fix = "Only plain, finite values have a form in a file; functions and objects of your own have none."
        fix = f"{fix} {argument.doc}".rstrip()
        wanted = in_words(argument.codec.schema)
        raise refusal(path, "Cannot be written", short_repr(value), wanted, fix) from None


def examine(codec: Codec, root: Any, path: str) -> Iterator[Problem]:
    """Everything that is wrong with the form of a node and of what it holds. Builds nothing."""
    if _count_nodes(root, MAX_TRANSFORMS) > MAX_TRANSFORMS:
        yield beyond(path, "more transforms", f"at most {MAX_TRANSFORMS} transforms")
    else:
        yield from _examine(codec, root, path, 0)


def _count_nodes(node: Any, most: int) -> int:
    """How many nodes there are in a node and below it; counting stops beyond `most`."""
    children = node.get("children") if isinstance(node, Mapping) else None
    count = 1
    for child in children if isinstance(children, list) else ():
        if count > most:
            break
        count += _count_nodes(child, most - count)
    return count


def _examine(codec: Codec, node: Any, path: str, depth: int) -> Iterator[Problem]:
    if not isinstance(node, Mapping):
        yield Problem(path, "Not a transform", short_repr(node), _NODE_SHAPE, "Write every transform in this form.")
        return
    for key in node.keys() - set(_KEYS):
        fix = f"Correct or remove it; arguments belong into args.{nearest(one_line(str(key)), _KEYS)}"
        yield Problem(below(path, str(key)), "Unknown key", short_repr(key), _NODE_SHAPE, fix)
    kind, args, children = node.get("type"), node.get("args", {}), node.get("children", [])
    if not isinstance(kind, str):
        got = short_repr(kind) if "type" in node else "nothing"
        yield Problem(f"{path}.type", "No type", got, "the name of a type", "`mixtransforms list` shows all names.")
    if not isinstance(args, Mapping):
        yield Problem(f"{path}.args", "No arguments", short_repr(args), "an object", "Write arguments by their names.")
    if not isinstance(children, list):
        fix = "Put the transforms into a list."
        yield Problem(f"{path}.children", "No children", short_repr(children), "a list", fix)
    entry = codec.entries.get(kind) if isinstance(kind, str) else None
    if entry is None:
        if isinstance(kind, str):
            yield codec.unknown(kind, path)
        return
    if isinstance(args, Mapping):
        yield from _examine_args(entry, args, f"{path}.args")
    if isinstance(children, list):
        yield from _examine_children(codec, entry, node, path, depth)


def _examine_args(entry: TypeEntry, args: Mapping[str, Any], path: str) -> Iterator[Problem]:
    known = entry.arguments
    for name, value in args.items():
        argument = known.get(name)
        where = below(path, name)
        if argument is None:
            fix = f"Correct or remove it.{nearest(one_line(name), known)}"
            yield Problem(where, "Unknown argument", short_repr(name), _known_names(known), fix)
        elif not fits(value, argument.codec.schema):
            yield _bad_value(entry, name, value, where)
    for name, argument in known.items():
        if argument.required and name not in args:
            yield Problem(f"{path}.{name}", "Missing argument", "nothing", argument.codec.wanted, "It has no default.")


def _bad_value(entry: TypeEntry, name: str, value: Any, where: str) -> Problem:
    argument = entry.arguments[name]
    schema = argument.codec.schema
    at = misfit(value, {} if isinstance(schema, bool) else schema, where)
    wanted, fix = (argument.codec.wanted, argument.doc) if at.path == where else (at.wanted, at.fix)
    fix = one_line(fix) if fix else f"See `mixtransforms describe {entry.name}`."
    return Problem(at.path, f"Bad value for {name!r}", short_repr(at.value), wanted, fix)


def _known_names(known: Mapping[str, Argument]) -> str:
    return f"one of {', '.join(known)}" if known else "no arguments"


def _examine_children(
    codec: Codec, entry: TypeEntry, node: Mapping[str, Any], path: str, depth: int
) -> Iterator[Problem]:
    if "children" in node and entry.children is None:
        fix = "Only containers have children."
        yield Problem(f"{path}.children", "Children of what is no container", entry.name, "no children", fix)
        return
    children = node.get("children", [])
    if children and depth >= MAX_LEVELS:
        yield Problem(path, *_TOO_DEEP)
        return
    inner = codec.inside(entry)
    for index, child in enumerate(children):
        yield from _examine(inner, child, f"{path}.children[{index}]", depth + 1)


def read_node(codec: Codec, node: Any, path: str) -> tuple[Any, list[Problem]]:
    """The transform of a node, and what is wrong with it. The whole is examined before anything is built."""
    problems = list(islice(examine(codec, node, path), MOST_PROBLEMS))
    transform = None if problems else build(codec, node, path, problems)
    return transform, problems[:MOST_PROBLEMS]


def build(codec: Codec, node: Mapping[str, Any], path: str, problems: list[Problem]) -> Any:
    """The transform of a node that :func:`examine` found nothing wrong with.

    Args:
        codec: The host's codec.
        node: The node.
        path: Its place.
        problems: Gets what constructors refuse; the result is then ``None``.
    """
    entry = codec.entries[node["type"]]
    inner = codec.inside(entry)
    found = len(problems)
    children = [
        build(inner, child, f"{path}.children[{index}]", problems)
        for index, child in enumerate(node.get("children", []))
    ]
    args = {}
    for name, value in node.get("args", {}).items():
        argument = entry.arguments[name]
        try:
            args[name] = argument.codec.read(value)
        except (ValueError, TypeError) as reason:
            where, fix = below(f"{path}.args", name), _reason_text(reason) if str(reason) else argument.doc
            problems.append(Problem(where, f"Bad value for {name!r}", short_repr(value), argument.codec.wanted, fix))
    if len(problems) > found:
        return None
    try:
        return codec.make(entry, args, children)
    except Exception as reason:  # noqa: BLE001  a host's constructor may raise anything; the file is to blame
        fix = f"{_reason_text(reason)} See `mixtransforms describe {entry.name}`."
        got, wanted = short_repr(node.get("args", {})), "arguments that it takes"
        problems.append(Problem(f"{path}.args", f"{entry.name} refuses", got, wanted, fix))
        return None


def _reason_text(reason: Exception) -> str:
    text = " ".join(str(reason).split())
    return one_line(text if text.endswith(".") else f"{text or type(reason).__name__}.")


def require_equal(codec: Codec, before: Any, after: Any, path: str) -> None:
    """Compares a pipeline with its rebuilt twin, so that no argument is lost or bent on the way.

    Raises:
        ConfigError: They differ; names the transform's JSON path.
    """
    entry = codec.entry_of(before, path)
    first, second = codec.state(before), codec.state(after)
    for name in first.keys() | second.keys():
        if name not in first or name not in second or not deep_equal(first[name], second[name]):
            got, wanted = short_repr(second.get(name)), short_repr(first.get(name))
            fix = "Arguments alone must rebuild it: what was set afterwards, or is computed from them, is lost."
            raise refusal(path, f"{entry.name} would not come back equal: {name!r}", got, wanted, fix)
    if entry.children:
        inner = codec.inside(entry)
        pairs = zip(codec.children(before), codec.children(after), strict=True)
        for index, (child, twin) in enumerate(pairs):
            require_equal(inner, child, twin, f"{path}.children[{index}]")


# ---------------------------------------------------------------------------------------------------------- equality


def deep_equal(first: Any, second: Any) -> bool:
    """Whether two values are equal; lists and tuples alike, arrays with their dtype, functions by what they are."""
    if first is second:
        return True
    if isinstance(first, np.generic) or isinstance(second, np.generic):
        return deep_equal(*(value.item() if isinstance(value, np.generic) else value for value in (first, second)))
    if hasattr(first, "dtype") and hasattr(first, "shape"):
        return _equal_arrays(first, second)
    if isinstance(first, Mapping):
        alike = isinstance(second, Mapping) and first.keys() == second.keys()
        return alike and all(deep_equal(first[key], second[key]) for key in first)
    if isinstance(first, (list, tuple, range)):
        alike = isinstance(second, (list, tuple, range)) and len(first) == len(second)
        return alike and all(map(deep_equal, first, second))
    if callable(first) and not isinstance(first, type) and hasattr(first, "__qualname__"):
        return _function_name(first) == _function_name(second)
    if hasattr(first, "__dict__") and type(first).__eq__ in _BY_IDENTITY:
        return type(first) is type(second) and deep_equal(vars(first), vars(second))
    return isinstance(first, bool) == isinstance(second, bool) and bool(first == second)


_BY_IDENTITY: tuple[Any, ...] = (object.__eq__,)


def _equal_arrays(first: Any, second: Any) -> bool:
    alike = all(str(getattr(first, name)) == str(getattr(second, name, None)) for name in ("dtype", "shape"))
    return alike and first.tolist() == second.tolist()


def _function_name(function: Callable[..., Any]) -> tuple[str, str]:
    return getattr(function, "__module__", ""), getattr(function, "__qualname__", repr(function))
