"""The three doors as one table, so that a test may be written once for all of them."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import pytest

from mixtransforms import Plan, methods
from mixtransforms.methods.registry import METHODS


@dataclass(frozen=True)
class Door:
    """How transforms of a door are made and called.

    Attributes:
        name: What tests call it.
        module: Where its transforms are.
        hosts: Packages that it needs.
        backends: What its batches are made of.
        named: Whether batches are passed by keyword and come back as a dict.
        own: Transforms that are not in the module, by name.
    """

    name: str
    module: str
    hosts: tuple[str, ...]
    backends: tuple[str, ...]
    named: bool = False
    own: Mapping[str, type] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name

    def load(self) -> ModuleType:
        """The module of the door; skips the test where a host is missing."""
        for host in self.hosts:
            pytest.importorskip(host, reason=f"{host} is not installed")
        return importlib.import_module(self.module)

    def transform(self, name: str, **options: Any) -> Any:
        """A transform of this door."""
        module = self.load()
        return (self.own.get(name) or getattr(module, name))(**options)

    def arguments(self, images: Any, labels: Any = None) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Positional and keyword arguments of a call."""
        if self.named:
            return (), {"images": images} if labels is None else {"images": images, "labels": labels}
        return ((images,) if labels is None else (images, labels)), {}

    def parts(self, result: Any, *, labelled: bool) -> tuple[Any, Any]:
        """Images and labels of a result."""
        if self.named:
            return result["images"], result.get("labels")
        return result if labelled else (result, None)

    def call(self, transform: Any, images: Any, labels: Any = None) -> tuple[Any, Any]:
        """Mixes a batch."""
        args, named = self.arguments(images, labels)
        return self.parts(transform(*args, **named), labelled=labels is not None)

    def plan(self, transform: Any, images: Any, labels: Any = None) -> Plan:
        """Draws a plan for a batch."""
        args, named = self.arguments(images, labels)
        return transform.plan(*args, **named)

    def replay(self, transform: Any, plan: Plan, images: Any, labels: Any = None) -> tuple[Any, Any]:
        """Replays a plan on a batch."""
        args, named = self.arguments(images, labels)
        return self.parts(transform.replay(plan, *args, **named), labelled=labels is not None)


NEUTRAL = Door("neutral", "mixtransforms", (), ("numpy", "torch"))
TORCHVISION = Door("torchvision", "mixtransforms.torchvision", ("torchvision",), ("torch",))
ALBUMENTATIONS = Door(
    "albumentations", "mixtransforms.albumentations", ("albumentations",), ("numpy", "torch"), named=True
)
DOORS = (NEUTRAL, TORCHVISION, ALBUMENTATIONS)

EXAMPLES: Mapping[str, tuple[dict[str, Any], ...]] = {
    "MixUp": (
        {},
        {"alpha": 1.0, "fold": True},
        {"alpha": 1.0, "per": "pair"},
        {"alpha": 1.0, "per": "batch", "pairing": "roll"},
        {"alpha": 1.0, "p": 0.5, "pairing": "permutation"},
    ),
    "CutMix": (
        {},
        {"placement": "inside", "pairing": "matching"},
        {"placement": "uniform", "per": "batch"},
        {"placement": "minmax", "minmax": (0.2, 0.9), "per": "pair", "p": 0.5},
    ),
    "CopyBlend": (
        {"min_area": 4.0, "donors": "partner", "count": 1},
        {"min_area": 4.0, "donors": "partner", "count": 1, "per": "pair", "p": 0.5},
    ),
    "CopyPaste": ({}, {"flip": 0.8}, {"jitter": "large", "flip": 0.8, "per": "pair"}),
    "Remix": ({"counts": (90, 30, 10, 3, 1, 7, 2, 50, 20, 5)}, {"counts": (5,) * 10, "kappa": 1.0, "per": "pair"}),
    "ResizeMix": ({}, {"placement": "squeeze", "per": "pair", "p": 0.5}),
    "OneOf": (
        {"transforms": (methods.MixUp(alpha=1.0), methods.CutMix())},
        {"transforms": (methods.CutMix(placement="inside"), methods.MixUp()), "weights": (0.5, 0.3), "per": "batch"},
    ),
}
"""Configurations that stand for a method; a method that is not listed stands for itself with its defaults."""


@dataclass(frozen=True)
class Case:
    """One method, configured, at one door.

    Attributes:
        door: The door.
        method: Name of the method.
        options: Arguments of its constructor.
    """

    door: Door
    method: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.door}-{self.configured}"

    @property
    def configured(self) -> str:
        """The method with its options."""
        return "-".join([self.method, *(f"{name}={_word(value)}" for name, value in self.options.items())])

    def make(self, **more: Any) -> Any:
        """The transform."""
        return self.door.transform(self.method, **{**self.options, **more})


def _word(value: Any) -> str:
    if isinstance(value, tuple):
        return "+".join(str(item) if isinstance(item, float) else type(item).__name__ for item in value)
    return str(value)


def examples(method: str) -> tuple[dict[str, Any], ...]:
    """Configurations of a method."""
    return EXAMPLES.get(method, ({},))


def reads_images_alone(method: str) -> bool:
    """Whether a batch of bare images tells a method all that it asks for, once label maps and objects are made up.

    Tests of such methods use the fixture ``made_up_hints``; others are tested by themselves.
    """
    told = {"images", "saliency", "masks", "instances", "boxes"}
    return all(METHODS[method](**options).needs <= told for options in examples(method))


def cases(*doors: Door, first: bool = False) -> list[Case]:
    """Every method that reads images alone in all its configurations, or in its first one, at some doors or at all."""
    return [
        Case(door, name, options)
        for door in doors or DOORS
        for name in filter(reads_images_alone, METHODS)
        for options in examples(name)[: 1 if first else None]
    ]
