"""Images with one bright place each, and maps of it: what a saliency finds is known."""

import math

import numpy as np


def delta_maps(shape: tuple[int, ...], size: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Maps ``(B, *shape)`` that are 1 at one pixel and 0 elsewhere, and these pixels ``(B, d)``."""
    at = np.random.default_rng(seed).integers(0, math.prod(shape), size)
    maps = np.zeros((size, math.prod(shape)))
    maps[np.arange(size), at] = 1.0
    return maps.reshape(size, *shape), np.stack(np.unravel_index(at, shape), axis=1)


def owners(plan) -> np.ndarray:  # type: ignore[no-untyped-def]
    """Whose every pixel is, painted on images that are their own number; ``(B, *shape)``."""
    numbers = np.arange(plan.size).reshape(-1, *[1] * len(plan.spec.shape))
    images = np.broadcast_to(numbers, (plan.size, *plan.spec.shape)).copy()
    return np.asarray(plan.apply(images, {1: "BT", 2: "BHW", 3: "BDHW"}[len(plan.spec.shape)]))
