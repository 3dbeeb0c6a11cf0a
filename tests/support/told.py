"""What methods ask of a batch before they draw, made up: every hint that a transform can tell."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from mixtransforms import BatchSpec
from mixtransforms.methods.base import Method


def _boxes(spec: BatchSpec) -> list[np.ndarray]:
    """Boxes with at least a pixel, a few a sample and none in the first one; ``(N, 4)`` corners."""
    rng = np.random.default_rng(0)
    height, width = spec.shape[-2:]
    start = rng.random((spec.size, 3, 2)) * (width - 1, height - 1)
    stop = np.minimum(start + 1 + rng.random(start.shape) * (width / 2, height / 2), (width, height))
    return [np.concatenate(both, axis=-1)[: index % 4] for index, both in enumerate(zip(start, stop, strict=True))]


def _instances(spec: BatchSpec) -> list[np.ndarray]:
    """Masks of objects, a few a sample and none in the first one; ``(N, *shape)`` bool."""
    rng = np.random.default_rng(0)
    return [rng.random((index % 4, *spec.shape)) < 0.2 for index in range(spec.size)]


MADE: Mapping[str, Callable[[BatchSpec], Any]] = {
    "classes": lambda spec: np.arange(spec.size) % 3,
    "values": lambda spec: np.random.default_rng(0).normal(size=(spec.size, 1)),
    "masks": lambda spec: np.random.default_rng(0).integers(0, 4, (spec.size, *spec.shape)),
    "boxes": _boxes,
    "instances": _instances,
    "images": lambda spec: np.random.default_rng(0).random((spec.size, *spec.shape, 3)),
    "saliency": lambda spec: np.random.default_rng(0).random((spec.size, *spec.shape)),
}


def hints(method: Method, spec: BatchSpec) -> dict[str, Any]:
    """What the method asks for, of a batch of this spec."""
    return {name: MADE[name](spec) for name in method.needs}
