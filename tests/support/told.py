"""What methods ask of a batch before they draw, made up: every hint that a transform can tell."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from mixtransforms import BatchSpec, InputError
from mixtransforms.methods.base import Method


def _boxes(spec: BatchSpec) -> list[np.ndarray]:
    """Boxes of a quarter of the sample or more, a few a sample and none in the first one; ``(N, 4)`` corners."""
    rng = np.random.default_rng(0)
    height, width = (1, 1, *spec.shape)[-2:]
    start = rng.random((spec.size, 3, 2)) * (width / 3, height / 3)
    stop = start + (0.5 + rng.random(start.shape) / 6) * (width, height)
    return [np.concatenate(both, axis=-1)[: _count(index)] for index, both in enumerate(zip(start, stop, strict=True))]


def _instances(spec: BatchSpec) -> list[np.ndarray]:
    """Masks of objects, a few a sample and none in the first one; ``(N, *shape)`` bool."""
    rng = np.random.default_rng(0)
    return [rng.random((_count(index), *spec.shape)) < 0.2 for index in range(spec.size)]


def _count(sample: int) -> int:
    """How many objects a sample has."""
    return 1 + sample % 3 if sample else 0


MADE: Mapping[str, Callable[[BatchSpec], Any]] = {
    "classes": lambda spec: np.arange(spec.size) % 3,
    "values": lambda spec: np.random.default_rng(0).normal(size=(spec.size, 1)),
    "masks": lambda spec: np.random.default_rng(0).integers(0, 4, (spec.size, *spec.shape)),
    "boxes": _boxes,
    "instances": _instances,
    "images": lambda spec: np.random.default_rng(0).random((spec.size, *spec.shape, 3)),
    "saliency": lambda spec: np.random.default_rng(0).random((spec.size, *spec.shape)),
}


def make_up_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Transforms tell their methods of label maps and objects that are made up, where a batch has none."""
    from mixtransforms.mixing.hints import READERS

    def falling_back(name: str) -> Callable[..., Any]:
        read = READERS[name]

        def reader(found: Any, scene: Any) -> Any:
            try:
                return read(found, scene)
            except InputError:
                return MADE[name](found.spec)

        return reader

    for name in ("masks", "instances", "boxes"):
        monkeypatch.setitem(READERS, name, falling_back(name))  # type: ignore[arg-type]


def suits(method: Method, spec: BatchSpec) -> bool:
    """Whether samples of this form can have what the method asks for: boxes are in images."""
    return "boxes" not in method.needs or len(spec.shape) == 2


def hints(method: Method, spec: BatchSpec) -> dict[str, Any]:
    """What the method asks for, of a batch of this spec."""
    return {name: MADE[name](spec) for name in method.needs}
