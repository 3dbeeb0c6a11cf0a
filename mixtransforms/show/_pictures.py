"""Batches of any backend, layout and dtype as pictures that a screen can show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core.errors import InputError, explain
from mixtransforms.kernels import backend_of, is_floating, kernel_of
from mixtransforms.targets.layouts import Layout

Pictures = NDArray[np.uint8]
"""``(B, H, W, 3)``, or ``(B, H, W, 4)`` with transparency."""

_ROUNDING = 1e-3
"""Floats this far outside [0, 1] come from rounding, and are clipped without a word."""

_FULL = {"uint8": 255.0, "uint16": 65535.0, "bool": 1.0}
"""What white is in dtypes that say so."""


class Range(NamedTuple):
    """Which values are drawn black and white.

    Attributes:
        low: Drawn black.
        high: Drawn white.
        note: What the reader must know of it; empty where the values are those of a usual image.
    """

    low: float
    high: float
    note: str = ""


def channels_last(images: Any, layout: str | None, where: str) -> NDArray[Any]:
    """A batch of images as ``(B, H, W, C)`` NumPy, values as they are.

    Args:
        images: ``(B, C, H, W)``, ``(B, H, W, C)`` or, NumPy alone, ``(B, H, W)``.
        layout: As for the transforms.
        where: Its place, for errors.

    Raises:
        InputError: It is no batch of images, or has more axes than a picture.
    """
    axes = Layout(layout).axes(images, where)
    if len(images.shape) > 4 or len(axes) != 2:
        raise InputError(
            explain(
                "Not pictures",
                where=where,
                got=f"shape {tuple(images.shape)}",
                wanted="a batch of images, (B, C, H, W) or (B, H, W, C)",
                fix="Show one frame of each sample, such as video[:, 0].",
            )
        )
    height, width = axes
    if backend_of(images) == "torch" and is_floating(images):
        images = images.detach().float()  # NumPy has no bfloat16
    array: NDArray[Any] = kernel_of(str(backend_of(images))).to_host(images)
    return array[..., None] if array.ndim == 3 else np.moveaxis(array, (height, width), (1, 2))


def range_of(arrays: Sequence[NDArray[Any]]) -> Range:
    """The range that is drawn, one for all arrays, so that pictures of it can be compared.

    Args:
        arrays: ``(B, H, W, C)`` of one dtype, or of floats and integers where a pipeline converted them.
    """
    full = _FULL.get(arrays[0].dtype.name)
    if full is not None:
        return Range(0.0, full)
    finite = [array[np.isfinite(array)] for array in arrays]
    low = min((float(values.min()) for values in finite if values.size), default=0.0)
    high = max((float(values.max()) for values in finite if values.size), default=1.0)
    if low >= -_ROUNDING and high <= 1.0 + _ROUNDING:
        return Range(0.0, 1.0)
    return Range(low, high, f"Values from {low:.3g} to {high:.3g} are shown from black to white.")


def drawable(array: NDArray[Any], limits: Range) -> Pictures:
    """``(B, H, W, C)`` of any values as 8-bit RGB or RGBA; a number of channels that no screen has, as their mean.

    Values that are not finite are drawn black.
    """
    if array.shape[-1] not in (1, 3, 4):
        array = array.mean(axis=-1, keepdims=True, dtype=np.float64)
    span = (limits.high - limits.low) or 1.0
    unit = (np.nan_to_num(array.astype(np.float32), nan=limits.low) - limits.low) / span
    pictures = np.rint(255.0 * unit.clip(0.0, 1.0)).astype(np.uint8)
    return pictures.repeat(3, axis=-1) if pictures.shape[-1] == 1 else pictures


def channel_note(array: NDArray[Any]) -> str:
    """What the reader must know of the channels, or nothing."""
    channels = array.shape[-1]
    return "" if channels in (1, 3, 4) else f"{channels} channels are shown as their mean."
