"""A codec: the types of one host that files may name, and the way from a transform to its arguments and back."""

from __future__ import annotations

import difflib
import functools
import importlib.metadata
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from mixtransforms.core import fields
from mixtransforms.files.entries import CHILDREN, METHODS, Entry, own_entry, table_of
from mixtransforms.files.problems import Problem, error, shortened, told
from mixtransforms.methods.base import Method
from mixtransforms.methods.registry import METHODS as KNOWN_METHODS
from mixtransforms.mixing.transform import MixTransform

OWN = "mixtransforms."
CUSTOM = "custom."
"""First parts of names: of what is ours, and of what a caller has allowed."""


ALLOW = "A class of your own is written and read with allow=[TheClass]."


class Codec(ABC):
    """The types of one host.

    Tables are filled by code and never change; data only looks things up in them. Types are compared by identity.

    Args:
        entries: The types that files may name.
    """

    host: str
    """The host's name in files."""

    package: str | None = None
    """The package whose version decides what arguments mean."""

    hints: Mapping[str, str] = MappingProxyType({})
    """Why a type is not covered, by its name."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = table_of(entries)
        self._by_class = {entry.cls: entry for entry in self.entries.values()}

    @functools.cached_property
    def version(self) -> str | None:
        """The installed version of the package that decides what arguments mean."""
        return self.package and importlib.metadata.version(self.package)

    @abstractmethod
    def runs(self, cls: type) -> bool:
        """Whether objects of a class are transforms of this host."""

    @abstractmethod
    def custom_entry(self, name: str, cls: type) -> Entry:
        """The entry of a caller's own class, which the host runs."""

    @abstractmethod
    def held(self, transform: Any, entry: Entry) -> Mapping[str, Any]:
        """The constructor's arguments, as the object holds them."""

    @abstractmethod
    def state(self, transform: Any) -> Mapping[str, Any]:
        """Everything in an object that decides what it does, without its children."""

    def may_forget(self, entry: Entry) -> bool:
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
        listed = list(getattr(transform, CHILDREN))
        stages = vars(transform).get("_stages")
        if stages is not None:
            run = [member for stage in stages for member in stage.transforms]
            if len(run) != len(listed) or any(one is not other for one, other in zip(run, listed, strict=True)):
                fix = "Make a new BatchCompose of the changed list."
                got, wanted = "other transforms than it was made of", "those that it runs"
                raise error([Problem("$.pipeline.children", "A list changed behind its pipeline", got, wanted, fix)])
        return listed

    def make(self, entry: Entry, args: Mapping[str, Any], children: Sequence[Any]) -> Any:
        """An object from its arguments; may raise whatever its constructor raises."""
        return entry.cls(**args, **({CHILDREN: list(children)} if entry.children else {}))

    def allowing(self, classes: Iterable[Any]) -> Codec:
        """A codec that also knows a caller's own classes, as ``custom.Name``.

        Raises:
            ConfigError: Two have one name, or one is no transform of this host.
        """
        own: dict[str, Entry] = {}
        for cls in classes:
            if not isinstance(cls, type) or not self.runs(cls):
                got = _full_name(cls) if isinstance(cls, type) else type(cls).__name__
                wanted, fix = f"classes of transforms for {self.host}", "Give classes, not objects or names."
                raise error([Problem("allow=", "Not a transform of this pipeline's host", got, wanted, fix)])
            name = CUSTOM + cls.__name__
            if name in own and own[name].cls is not cls:
                raise error([Problem("allow=", "Two classes of one name", name, "one class a name", "Rename one.")])
            own[name] = self.custom_entry(name, cls)
        return type(self)._with([*self.entries.values(), *own.values()]) if own else self

    @classmethod
    def _with(cls, entries: Iterable[Entry]) -> Codec:
        extended = cls.__new__(cls)
        Codec.__init__(extended, entries)
        return extended

    def inside(self, entry: Entry) -> Codec:
        """The codec of a container's children."""
        return MethodCodec() if entry.children == METHODS else self

    def entry_of(self, transform: Any, path: str) -> Entry:
        """The entry of an object.

        Raises:
            ConfigError: Its class is not covered.
        """
        entry = self._by_class.get(type(transform))
        if entry is None:
            raise error([self._not_covered(type(transform), path)])
        return entry

    def unknown(self, name: str, path: str) -> Problem:
        """The problem of a name that is not in the table."""
        last = {known.split(".")[-1]: known for known in self.entries}  # a shared prefix makes all names look alike
        near = difflib.get_close_matches(shortened(name).split(".")[-1], last, n=1)
        hint = self.hints.get(name) or (f"Did you mean {last[near[0]]!r}?" if near else ALLOW)
        return Problem(f"{path}.type", "Unknown type", told(name), self._known, hint)

    def _not_covered(self, cls: type, path: str) -> Problem:
        near = self.entries.get(OWN + cls.__name__) if issubclass(cls, MixTransform) else None
        hint = self.hints.get(f"{self.host}.{cls.__name__}", ALLOW)
        if near:
            hint = f"Use {_full_name(near.cls)} in a pipeline of {self.host}."
        return Problem(f"{path}.type", "Not a type that can be written", _full_name(cls), self._known, hint)

    @property
    def _known(self) -> str:
        return f"one of the {len(self.entries)} types that `mixtransforms list` shows"


class OwnCodec(Codec):
    """Our own transforms, as the classes of one door.

    Args:
        door: The module or table that has the classes.
        more: Further types.
    """

    host = "neutral"

    def __init__(self, door: Any, more: Iterable[Entry] = ()) -> None:
        ours = [own_entry(OWN + name, getattr(door, name)) for name in KNOWN_METHODS if hasattr(door, name)]
        super().__init__([*ours, *more])

    def runs(self, cls: type) -> bool:
        """Whether a class is a mixing transform."""
        return issubclass(cls, MixTransform)

    def custom_entry(self, name: str, cls: type) -> Entry:
        """The entry of a caller's own mixing transform."""
        return own_entry(name, cls)

    def held(self, transform: Any, entry: Entry) -> Mapping[str, Any]:
        """The fields of a transform or method."""
        return fields.values(transform)

    def state(self, transform: Any) -> Mapping[str, Any]:
        """The fields, in JSON's vocabulary."""
        return {name: fields.encode(value) for name, value in fields.values(transform).items() if name != CHILDREN}


class MethodCodec(OwnCodec):
    """Mixing methods without target options: the children of a choice."""

    def __init__(self) -> None:
        Codec.__init__(self, [own_entry(OWN + name, cls) for name, cls in KNOWN_METHODS.items()])

    def entry_of(self, transform: Any, path: str) -> Entry:
        """The entry of a method. See :meth:`Codec.entry_of`."""
        assert isinstance(transform, Method)
        return super().entry_of(transform, path)


def _full_name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
