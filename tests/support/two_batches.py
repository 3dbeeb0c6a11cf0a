"""Batches of numbered pictures with everything that is mixed, and two of them as one."""

from typing import Any

import numpy as np

SHAPE = (13, 10)


def batch(size: int, first: int = 0, shape: tuple[int, int] = SHAPE, dtype: str = "uint8") -> dict[str, Any]:
    """Pictures, a number each from ``first`` on, with labels, masks, boxes and instances."""
    rng = np.random.default_rng(first)
    height, width = shape
    numbers = np.arange(first, first + size).astype(dtype)
    images = np.broadcast_to(numbers[:, None, None, None], (size, *shape, 3)).copy()
    instances = [np.zeros((2, *shape), np.bool_) for _ in range(size)]
    boxes = []
    for own in instances:
        places = [(int(rng.integers(height - 4)), int(rng.integers(width - 4))) for _ in own]
        for mask, (y, x) in zip(own, places, strict=True):
            mask[y : y + 4, x : x + 3] = True
        boxes.append(np.array([[x, y, x + 3, y + 4] for y, x in places], np.float64))
    return {
        "images": images,
        "labels": np.arange(first, first + size) % 10,
        "masks": rng.integers(0, 4, (size, *shape)),
        "objects": {
            "boxes": boxes,
            "class_labels": [np.array([first + row, -first - row]) for row in range(size)],
            "instance_masks": instances,
        },
        "names": [f"{first}-{row}" for row in range(size)],
    }


def joined(first: Any, second: Any) -> Any:
    """Both by hand."""
    if isinstance(first, dict):
        return {name: joined(value, second[name]) for name, value in first.items()}
    if type(first) is tuple:
        return tuple(map(joined, first, second))
    if isinstance(first, list):
        return first + second
    return np.concatenate([first, second])
