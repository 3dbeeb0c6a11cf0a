"""Reads figures of `mixtransforms.show`: which axes, pictures, outlines, points and texts are in them."""

from typing import Any

import numpy as np


def axes(figure: Any, label: str) -> list[Any]:
    """Axes of one sort: "mixed", "source" or "shares"."""
    return [each for each in figure.axes if each.get_label() == label]


def texts(figure: Any) -> list[str]:
    """Everything written around the pictures."""
    return [text.get_text() for text in figure.texts]


def drawn(figure: Any) -> Any:
    """The figure as pixels; matplotlib's warnings are errors."""
    figure.canvas.draw()
    return figure


def picture(each: Any) -> np.ndarray:
    """The image of axes."""
    return np.asarray(each.get_images()[0].get_array())


def wash(each: Any) -> np.ndarray:
    """The colours of masks that lie over the image, ``(H, W, 4)``."""
    (_, colors) = each.get_images()
    return np.asarray(colors.get_array())


def polygons(each: Any) -> list[Any]:
    """Outlines of objects, without the halo below each of them."""
    found = [patch for patch in each.patches if type(patch).__name__ == "Polygon"]
    return found[1::2]


def corners(each: Any) -> list[list[list[float]]]:
    """Corners of objects in the coordinates of boxes, where pixel ``j`` covers ``[j, j + 1)``."""
    return [(polygon.get_xy()[:-1] + 0.5).round(6).tolist() for polygon in polygons(each)]


def captions(each: Any) -> list[str]:
    """Captions of objects."""
    return [text.get_text() for text in each.texts]


def dots(each: Any) -> list[tuple[list[list[float]], bool]]:
    """Keypoints ``(x, y)``, and whether they are full, for every call that drew some."""
    return [((dot.get_offsets() + 0.5).tolist(), bool(len(dot.get_facecolor()))) for dot in each.collections]
