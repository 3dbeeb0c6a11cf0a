"""What methods read of a batch, made up: figures of a method have no batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixtransforms.methods.base import Method
from mixtransforms.methods.pairing import Hints
from mixtransforms.plan import BatchSpec

CLASSES = 10
"""Classes that samples have in turn, where a method reads them."""

_OBJECTS, _CELLS, _SEED = 3, 4, 0


def made_up_hints(method: Method, spec: BatchSpec) -> Hints:
    """The hints that a method asks for, the same ones every time: classes in turn, everything else anywhere alike."""
    return {name: _MADE[name](spec) if name in _MADE else _classes(spec) for name in sorted(method.needs)}


def _classes(spec: BatchSpec) -> NDArray[Any]:
    return np.arange(spec.size) % CLASSES


def _noise(spec: BatchSpec, *more: int) -> NDArray[Any]:
    return np.random.default_rng(_SEED).random((spec.size, *spec.shape, *more))


def _values(spec: BatchSpec) -> NDArray[Any]:
    return np.random.default_rng(_SEED).normal(size=(spec.size, 1))


def _label_maps(spec: BatchSpec) -> NDArray[Any]:
    """Maps of a few large cells."""
    maps = np.random.default_rng(_SEED).integers(0, CLASSES, (spec.size, *[_CELLS] * len(spec.shape)))
    for axis, length in enumerate(spec.shape, start=1):
        maps = maps.take(np.arange(length) * _CELLS // max(length, 1), axis=axis)
    return maps


def _boxes(spec: BatchSpec) -> list[NDArray[Any]]:
    """A few boxes a sample, ``x1, y1, x2, y2``."""
    corners = np.sort(np.random.default_rng(_SEED).random((spec.size, _OBJECTS, 2, 2)), axis=2)
    corners = corners * np.array(spec.shape[::-1]) if len(spec.shape) == 2 else corners
    return list(corners.reshape(spec.size, _OBJECTS, 4))


def _instances(spec: BatchSpec) -> list[NDArray[Any]]:
    """The pixels of the boxes, as masks."""
    masks = np.zeros((spec.size, _OBJECTS, *spec.shape), np.bool_)
    for sample, boxes in enumerate(_boxes(spec)):
        for number, (left, top, right, bottom) in enumerate(np.rint(boxes).astype(int)):
            masks[sample, number, top:bottom, left:right] = True
    return list(masks)


_MADE: Mapping[str, Callable[[BatchSpec], Any]] = {
    "classes": _classes,
    "values": _values,
    "masks": _label_maps,
    "boxes": _boxes,
    "instances": _instances,
    "images": lambda spec: _noise(spec, 3),
    "saliency": _noise,
}
