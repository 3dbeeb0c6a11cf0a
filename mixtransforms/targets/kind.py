"""Kinds of targets: what a value is, and by which rules it is mixed. The rules of every kind are one file."""

# No `from __future__ import annotations`: signatures must show types, not strings.
import copy
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

from mixtransforms.containers.tree import Path
from mixtransforms.core import fields
from mixtransforms.plan import Plan

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Target(NamedTuple):
    """A value to mix.

    Attributes:
        path: Keys and positions from the root of the batch.
        kind: One of :data:`~mixtransforms.targets.names.KINDS`.
        value: An array, or a flat list of arrays or numbers, one a sample.
        rule: The declared kind with its own parameters, or ``None``.
    """

    path: Path
    kind: str
    value: Any
    rule: Any = None


class Scene(NamedTuple):
    """What a target may know of the call it is mixed in.

    Attributes:
        shape: Lengths of the plan's mixed axes, such as ``(H, W)``.
        first: Whether channels come before the mixed axes, as in torch, or behind them.
        blends: Whether the method computes mixtures; a method that only pastes does not.
        whole: Lengths of all axes of the images but samples and channels, where some are not mixed, such as the
            ``(T, H, W)`` of a video of which ``(H, W)`` are mixed.
        mixed: Which of these are mixed.
        cuts: Whether the method may draw regions; without any, samples have no places that could be told apart.
        sources: How many samples one of the result may be made of, itself among them.
        blended: How many samples one place of the result may be a mean of.
        soft_edged: Whether the method may draw masks that are neither 0 nor 1.
    """

    shape: tuple[int, ...]
    first: bool
    blends: bool
    whole: tuple[int, ...] | None = None
    mixed: tuple[int, ...] = ()
    cuts: bool = True
    sources: int = 2
    blended: int = 2
    soft_edged: bool = False

    @property
    def lengths(self) -> tuple[int, ...]:
        """Lengths of all axes but samples and channels."""
        return self.shape if self.whole is None else self.whole

    @property
    def axes(self) -> tuple[int, ...]:
        """Positions of the mixed ones among :attr:`lengths`."""
        return tuple(range(len(self.shape))) if self.whole is None else self.mixed

    def on(self, lengths: tuple[int, ...]) -> "Scene":
        """The scene of a target whose own :attr:`lengths` are others than those of the images."""
        return self._replace(shape=tuple([lengths[axis] for axis in self.axes]), whole=lengths, mixed=self.axes)


class Mixed(NamedTuple):
    """A mixed target.

    Attributes:
        value: What takes its place.
        beside: What appears beside it, by name; a name that starts with ``_`` goes on from that of the value:
            ``{"_weight": ...}`` beside ``tags`` is ``tags_weight``.
        together: Makes one value of ``value`` and those beside it, for containers that cannot take more names.
    """

    value: Any
    beside: Mapping[str, Any] = NOTHING
    together: Any = None


def class_count(doc: str = "Number of classes; needed only to turn integer labels into soft ones.") -> Any:
    """The field of a number of classes, of a kind or of a transform."""
    return fields.optional_integer(low=1, high=2**31 - 1, doc=doc)


def ignored_id(doc: str = "Class id that carries no mass, such as -1 for unlabelled samples.") -> Any:
    """The field of a class id that counts for nothing, within the range of classes or not."""
    return fields.optional_integer(low=-(2**31), high=2**31 - 1, doc=doc)


@dataclass(frozen=True, repr=False)
class Kind(fields.Checked):
    """A kind of target that is one array, with its rules."""

    name: ClassVar[str]
    """What it is called where kinds are declared."""

    inherits: ClassVar[Mapping[str, str]] = NOTHING
    """Fields that are taken from the transform's option of that name where they are ``None``."""

    def within(self, options: Any) -> "Kind":
        """The kind with what it inherits from a transform's options, which were checked when that was made."""
        # None means "not said": what a user gave to the kind itself is stronger than the option of the transform.
        named = {name: option for name, option in self.inherits.items() if getattr(self, name) is None}
        if not named:
            return self
        completed = copy.copy(self)
        vars(completed).update({name: getattr(options, option) for name, option in named.items()})
        return completed

    def check(self, value: Any, where: str, scene: Scene) -> None:
        """Refuses a value that could only be mixed wrongly.

        Args:
            value: An array ``(B, ...)``, NumPy or torch.
            where: Its place, for the error.
            scene: The call.

        Raises:
            InputError: The value is of another shape or dtype, or out of range.
        """
        raise NotImplementedError

    def check_again(self, value: Any, where: str, scene: Scene) -> None:
        """See :meth:`check`, of which it may leave out what follows from the form.

        Args:
            value: An array of the type, dtype and shape of one that :meth:`check` has let pass.
            where: Its place, for the error.
            scene: The same as then.
        """
        self.check(value, where, scene)

    def mix(self, plan: Plan, value: Any, scene: Scene) -> Mixed:
        """The value that :meth:`check` has let pass, mixed by the plan; the value itself is left alone."""
        raise NotImplementedError
