"""The registry: the types that files of a host may name, their arguments, and the way from transforms to these.

Tables are filled by code and never change; data only looks things up in them, and types are compared by identity.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import importlib
import importlib.metadata
import importlib.util
import inspect
import re
import sys
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass
from types import MappingProxyType
from typing import Any

from mixtransforms.core import fields
from mixtransforms.core.cached import cached_property
from mixtransforms.core.fields import Rule, Schema
from mixtransforms.files.forms import ArgumentCodec, Vocabulary
from mixtransforms.files.problems import Problem, config_error, one_line, refusal, short_repr
from mixtransforms.methods import registry as methods
from mixtransforms.mixing import transform as neutral_door
from mixtransforms.mixing.compose import BatchPipeline
from mixtransforms.mixing.host_stages import HostStage
from mixtransforms.mixing.options import SEED
from mixtransforms.mixing.transform import MixTransform

FILE_HOSTS = ("torchvision", "albumentations", "neutral")
"""Whose pipelines files hold; a single mixing transform without a host is neutral."""

OWN_PREFIX = "mixtransforms."
CUSTOM_PREFIX = "custom."
"""First parts of names: of what is ours, and of what a caller has allowed."""

BATCH_COMPOSE = f"{OWN_PREFIX}BatchCompose"

CHILDREN_PARAMETER = "transforms"
"""The parameter that takes the transforms of a container; files call them children."""

OF_METHODS, OF_TRANSFORMS = "methods", "transforms"
"""What the children of a container are: mixing methods, or transforms of its host."""

_ALLOW = "A class of your own is written and read with allow=[TheClass]."

ROOT = "$.pipeline"
"""The path of the outermost transform."""

Allowed = Iterable[type]
"""A caller's own classes."""


def classes_of(allow: Any) -> tuple[Any, ...]:
    """What a caller allows; a class may stand alone."""
    return (allow,) if isinstance(allow, type) else tuple(allow)


# ----------------------------------------------------------------------------------------------------------- entries


@dataclass(frozen=True)
class Argument:
    """One argument of a type.

    Attributes:
        codec: What it is in a file.
        default: Its default in JSON's vocabulary; ``MISSING`` where there is none, or none that a file could hold.
        required: Whether it must be given.
        doc: What it does.
        quiet: Whether it is not written where it has its default.
    """

    codec: ArgumentCodec
    default: Any = MISSING
    required: bool = False
    doc: str = ""
    quiet: bool = False

    @property
    def schema(self) -> Schema:
        """Its JSON Schema, with what editors show."""
        accepted = self.codec.schema
        if isinstance(accepted, bool):  # which has no room for a description
            accepted = {} if accepted else {"not": {}}
        described = {"description": self.doc} if self.doc else {}
        return {**described, **accepted, **({} if self.default is MISSING else {"default": self.default})}


@dataclass(frozen=True)
class TypeEntry:
    """A type that files may name.

    Attributes:
        name: Its name in files.
        cls: The class, which is compared by identity.
        arguments: What its constructor takes, without children.
        children: :data:`OF_METHODS`, :data:`OF_TRANSFORMS`, or ``None`` for what is no container.
    """

    name: str
    cls: type
    arguments: Mapping[str, Argument]
    children: str | None = None

    @property
    def is_own(self) -> bool:
        """Whether it is a class of ours."""
        return self.name.startswith(OWN_PREFIX)

    @property
    def summary(self) -> str:
        """What it does, in the first sentence of its documentation."""
        text = inspect.cleandoc(self.cls.__doc__ or "").split("\n\n")[0]
        return re.sub(r"^\[\w+\]\s*", "", " ".join(text.split()))  # Albumentations begins with "[Boxes]" or the like


@functools.cache
def own_entry(name: str, cls: type) -> TypeEntry:
    """The entry of a class of checked fields: one of our transforms or methods."""
    ordered = sorted(dataclasses.fields(cls), key=lambda item: item.kw_only is True)
    arguments = {
        item.name: rule_argument(item.metadata[fields.RULE], item.default)
        for item in ordered
        if fields.RULE in item.metadata
    }
    children = OF_METHODS if arguments.pop(CHILDREN_PARAMETER, None) else None
    return TypeEntry(name, cls, MappingProxyType(arguments), children)


def rule_argument(rule: Rule, default: Any) -> Argument:
    """The argument of a checked field."""
    codec = ArgumentCodec(rule.schema, fields.encode, rule.check, rule.wanted)
    required = default is MISSING
    return Argument(codec, MISSING if required else fields.encode(default), required, rule.doc, rule.quiet)


def with_seed(entry: TypeEntry) -> TypeEntry:
    """The entry of a BatchCompose: its seed is a checked field of ours, and not what its annotation says."""
    arguments = {**entry.arguments, "seed": rule_argument(SEED, None)}
    return dataclasses.replace(entry, arguments=MappingProxyType(arguments))


def host_entry(
    name: str, cls: type, vocabulary: Vocabulary, mended: Mapping[str, Any] = MappingProxyType({})
) -> TypeEntry:
    """The entry of a host's class, from the annotations of its constructor.

    Args:
        name: Its name in files.
        cls: The class.
        vocabulary: Codecs of the host's own types.
        mended: Annotations of arguments whose own is missing, or says less than the constructor takes.
    """
    parameters = {
        parameter.name: parameter
        for parameter in inspect.signature(cls).parameters.values()
        if parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
    }
    annotations = {**resolved_annotations(parameters, cls), **mended}
    docs = _documented_arguments(cls)
    arguments = {}
    for key, parameter in parameters.items():
        codec = vocabulary.codec(annotations.get(key, Any))
        required = parameter.default is parameter.empty
        default = MISSING if required else _default_in_files(codec, parameter.default)
        arguments[key] = Argument(codec, default, required, docs.get(key, ""))
    children = OF_TRANSFORMS if arguments.pop(CHILDREN_PARAMETER, None) else None
    return TypeEntry(name, cls, MappingProxyType(arguments), children)


def resolved_annotations(parameters: Mapping[str, inspect.Parameter], owner: type) -> dict[str, Any]:
    """The annotations of parameters with their strings resolved, as the module of their class reads them.

    ``inspect.signature(eval_str=True)`` cannot do it for classes whose metaclass wraps the constructor.
    """
    known = vars(sys.modules[owner.__module__])
    given = {name: item.annotation for name, item in parameters.items() if item.annotation is not item.empty}
    return {name: _resolved(annotation, known) for name, annotation in given.items()}


def _resolved(annotation: Any, known: dict[str, Any]) -> Any:
    holder = type("Annotations", (), {"__annotations__": {"it": annotation}})
    try:
        return typing.get_type_hints(holder, known)["it"]
    except NameError:  # imported for type checkers alone, or local to a function
        return Any


def _documented_arguments(cls: type) -> dict[str, str]:
    """What a Google-style docstring says of each argument."""
    section = re.search(r"^Args:\n(.*?)(?=^\S|\Z)", inspect.cleandoc(cls.__doc__ or ""), re.DOTALL | re.MULTILINE)
    if section is None:
        return {}
    found = (
        re.match(r"(\w+)[^:\n]*:(.*)", part, re.DOTALL) for part in re.split(r"^ {4}(?=\w)", section[1], flags=re.M)
    )
    return {match[1]: " ".join(match[2].split()) for match in found if match}


def _default_in_files(codec: ArgumentCodec, default: Any) -> Any:
    try:
        return codec.write(default)
    except TypeError:  # a function, say
        return MISSING


# ------------------------------------------------------------------------------------------------------------ codecs


class Codec:
    """The types of one host; this class alone is that of our neutral transforms.

    Args:
        entries: The types that files may name.
    """

    host = "neutral"
    """The host's name in files."""

    package: str | None = None
    """The package whose version decides what arguments mean."""

    hints: Mapping[str, str] = MappingProxyType(
        dict.fromkeys((BATCH_COMPOSE, "BatchCompose"), 'Write "host": "torchvision" or "host": "albumentations".')
    )
    """Why a type is not covered, by its name."""

    def __init__(self, entries: Iterable[TypeEntry]) -> None:
        self.entries = MappingProxyType({entry.name: entry for entry in entries})
        self._by_class = {entry.cls: entry for entry in self.entries.values()}

    @cached_property
    def version(self) -> str | None:
        """The installed version of the package that decides what arguments mean."""
        return self.package and importlib.metadata.version(self.package)

    def runs(self, cls: type) -> bool:
        """Whether objects of a class are transforms of this host."""
        return issubclass(cls, MixTransform)

    def custom_entry(self, name: str, cls: type) -> TypeEntry:
        """The entry of a caller's own class, which the host runs."""
        return own_entry(name, cls)

    def held(self, transform: Any, entry: TypeEntry) -> Mapping[str, Any]:
        """The constructor's arguments, as the object holds them."""
        return fields.values(transform)

    def state(self, transform: Any) -> Mapping[str, Any]:
        """Everything in an object that decides what it does, without its children."""
        held = fields.values(transform)
        return {name: fields.encode(value) for name, value in held.items() if name != CHILDREN_PARAMETER}

    def may_forget(self, entry: TypeEntry) -> bool:
        """Whether objects of a type need not hold every argument of their constructor."""
        return False

    def without_echoes(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        """A node that the host's own files made, without arguments that it writes and does not take."""
        return node

    def children(self, transform: Any) -> Sequence[Any]:
        """The transforms in a container.

        Raises:
            ConfigError: A BatchCompose does not run the transforms that it now lists.
        """
        listed = list(getattr(transform, CHILDREN_PARAMETER))
        if isinstance(transform, BatchPipeline):
            run = transform._members()
            if len(run) != len(listed) or any(one is not other for one, other in zip(run, listed, strict=True)):
                fix = "Make a new BatchCompose of the changed list."
                got, wanted = "other transforms than it was made of", "those that it runs"
                what = "A list changed behind its pipeline"
                raise refusal(f"{ROOT}.children", what, got, wanted, fix)
        return listed

    def make(self, entry: TypeEntry, args: Mapping[str, Any], children: Sequence[Any]) -> Any:
        """An object from its arguments; may raise whatever its constructor raises."""
        return entry.cls(**args, **({CHILDREN_PARAMETER: list(children)} if entry.children else {}))

    def allowing(self, classes: Iterable[Any]) -> Codec:
        """A codec that also knows a caller's own classes, as ``custom.Name``.

        Raises:
            ConfigError: Two have one name, or one is no transform of this host.
        """
        own: dict[str, TypeEntry] = {}
        for cls in classes:
            if not isinstance(cls, type) or not self.runs(cls):
                got = _full_name(cls) if isinstance(cls, type) else type(cls).__name__
                wanted, fix = f"classes of transforms for {self.host}", "Give classes, not objects or names."
                raise refusal("allow=", "Not a transform of this pipeline's host", got, wanted, fix)
            name = CUSTOM_PREFIX + cls.__name__
            if name in own and own[name].cls is not cls:
                raise refusal("allow=", "Two classes of one name", name, "one class a name", "Rename one.")
            own[name] = self.custom_entry(name, cls)
        return type(self)([*self.entries.values(), *own.values()]) if own else self

    @cached_property
    def short_names(self) -> Mapping[str, str]:
        """Last parts of names, which files may have instead, and the names; ours come first, a caller's have none."""
        shared = [name for name in self.entries if not name.startswith(CUSTOM_PREFIX)]
        return {name.partition(".")[2]: name for name in sorted(shared, key=lambda name: name.startswith(OWN_PREFIX))}

    def with_full_name(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        """A node of a file with the whole name of its type."""
        name = node.get("type")
        full = self.short_names.get(name) if isinstance(name, str) else None
        return node if full is None else {**node, "type": full}

    def inside(self, entry: TypeEntry) -> Codec:
        """The codec of a container's children."""
        return method_codec() if entry.children == OF_METHODS else self

    def entry_of(self, transform: Any, path: str) -> TypeEntry:
        """The entry of an object.

        Raises:
            ConfigError: Its class is not covered.
        """
        entry = self._by_class.get(type(transform))
        if entry is None:
            raise config_error([self._not_covered(type(transform), path)])
        return entry

    def unknown(self, name: str, path: str) -> Problem:
        """The problem of a name that is not in the table."""
        last = {known.split(".")[-1]: known for known in self.entries}  # a shared prefix makes all names look alike
        near = difflib.get_close_matches(one_line(name).split(".")[-1], last, n=1)
        hint = self.hints.get(name) or (f"Did you mean {last[near[0]]!r}?" if near else _ALLOW)
        return Problem(f"{path}.type", "Unknown type", short_repr(name), self._known, hint)

    def _not_covered(self, cls: type, path: str) -> Problem:
        near = self.entries.get(OWN_PREFIX + cls.__name__) if issubclass(cls, MixTransform) else None
        hint = self.hints.get(f"{self.host}.{cls.__name__}", _ALLOW)
        if near:
            hint = f"Use {_full_name(near.cls)} in a pipeline of {self.host}."
        return Problem(f"{path}.type", "Not a type that can be written", _full_name(cls), self._known, hint)

    @property
    def _known(self) -> str:
        return f"one of the {len(self.entries)} types that `mixtransforms list` shows"


def runtime_attributes(transform: Any) -> frozenset[str]:
    """Attributes of an object that no file holds and nothing compares: those that a BatchCompose names."""
    return transform._runtime if isinstance(transform, BatchPipeline) else frozenset()


def _full_name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def own_entries(door: Any) -> list[TypeEntry]:
    """The entries of our transforms, as the classes of one door."""
    known = [name for name in methods.METHODS if hasattr(door, name)]
    return [own_entry(OWN_PREFIX + name, getattr(door, name)) for name in known]


def stages_of(door: Any) -> list[tuple[str, type]]:
    """The stages that pipelines of a door write down, by their names in files."""
    return [
        (OWN_PREFIX + name, cls)
        for name, cls in vars(door).items()
        if isinstance(cls, type) and issubclass(cls, HostStage)
    ]


def method_codec() -> Codec:
    """Mixing methods without target options: the children of a choice."""
    return _method_codec(tuple(methods.METHODS.items()))  # more may be registered at any time


@functools.lru_cache(maxsize=1)
def _method_codec(known: tuple[tuple[str, type], ...]) -> Codec:
    return Codec([own_entry(OWN_PREFIX + name, cls) for name, cls in known])


# ------------------------------------------------------------------------------------------------------------- hosts

_codecs: dict[str, Codec] = {}


def add_codec(codec: Codec) -> None:
    """Makes a host's types known; the modules of ``hosts/`` do it when they are imported."""
    _codecs[codec.host] = codec


def codec_of(host: str) -> Codec:
    """The codec of a host.

    Raises:
        MissingDependencyError: The host is not installed.
    """
    assert host in FILE_HOSTS  # a name from a file has been looked up by now
    if host not in _codecs:
        if host == "neutral":
            add_codec(Codec(own_entries(neutral_door)))
        else:
            importlib.import_module(f"mixtransforms.{host}")  # which says how to install what is missing
            importlib.import_module(f"mixtransforms.files.hosts.{host}")
    return _codecs[host]


def installed_codecs() -> dict[str, Codec]:
    """The codecs of the hosts that are installed."""
    return {host: codec_of(host) for host in FILE_HOSTS if host == "neutral" or importlib.util.find_spec(host)}


def host_of(pipeline: Any) -> str:
    """``"torchvision"``, ``"albumentations"`` or ``"neutral"``, by the type of a pipeline.

    Raises:
        ConfigError: It is of neither.
    """
    roots = {cls.__module__.split(".")[0] for cls in type(pipeline).__mro__}
    if "albumentations" in roots:
        return "albumentations"
    if "torch" in roots:
        return "torchvision"
    if isinstance(pipeline, MixTransform):
        return "neutral"
    wanted = "a transform of torchvision v2, of Albumentations or of mixtransforms"
    fix = "Put the transforms into a BatchCompose."
    raise refusal(ROOT, "Not a pipeline", type(pipeline).__name__, wanted, fix)
