"""Batches of any backend, layout and dtype as pictures that a screen can show.

Images are pictures already. Of videos and volumes a few frames stand side by side; signals are drawn over time;
spectrograms have their lowest frequency at the bottom.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core.backends import backend_of, is_floating
from mixtransforms.core.errors import InputError
from mixtransforms.core.layout import Layout
from mixtransforms.kernels import kernel_of
from mixtransforms.show.style import WAVE_INK

Pictures = NDArray[np.uint8]
"""``(B, H, W, 3)``, or ``(B, H, W, 4)`` with transparency."""

PixelBox = tuple[float, float, float, float]
"""Top, left, bottom and right edge on a picture, in pixels."""

MOST_FRAMES = 4
"""Frames of a strip: more would be too small to be told apart at the width of a panel."""

_FRAME_GAP = 2
"""White pixels between two frames."""

_WAVE_SIZE = (96, 192)
"""Height and width of the picture of a signal, about the pixels that a panel has on a screen."""

_LANES = 4
"""Most channels of a signal that are drawn one below the other; 24 pixels of height each are the least to read."""

_FLOAT_ROUNDING = 1e-3
"""Floats this far outside [0, 1] come from rounding, as of a resize, and are clipped without a word: it is a quarter
of the step between two 8-bit values."""

_FULL = {"uint8": 255.0, "uint16": 65535.0, "bool": 1.0}
"""What white is in dtypes that say so."""


class ValueRange(NamedTuple):
    """Which values are drawn black and white.

    Attributes:
        low: Drawn black; of a signal, at the bottom.
        high: Drawn white; of a signal, at the top.
        scaled: Whether the reader must know of it, since the values are not those of a usual image.
    """

    low: float
    high: float
    scaled: bool = False


@dataclass(frozen=True)
class PictureView:
    """How the arrays of a batch become pictures.

    Attributes:
        letters: Their axes, see :data:`~mixtransforms.core.layout.LETTERS`.
        mixed: Which of them a plan's regions speak of, in the order of the axes.
        shape: Their lengths.
    """

    letters: str
    mixed: str
    shape: tuple[int, ...]

    @classmethod
    def of(cls, images: Any, layout: Layout, where: str) -> PictureView:
        """The view of a batch.

        Args:
            images: ``(B, ...)``, NumPy or torch.
            layout: Its axes, and which are mixed.
            where: Its place, for errors.

        Raises:
            InputError: It has axes of which there is no picture.
        """
        letters = layout.letters(images, where)
        view = cls(letters, "".join(letters[axis] for axis in layout.axes(images, where)), tuple(images.shape))
        if view._kept not in ("HW", "THW", "DHW", "T", "FT"):
            wanted = "images, videos (T, H, W), volumes (D, H, W), signals (T) or spectrograms (F, T)"
            fix = "Name the axes with layout, or show a part of each sample, such as volume[:, 0]."
            got = f"shape {view.shape}, axes {letters}"
            raise InputError("Not pictures", where=where, got=got, wanted=wanted, fix=fix)
        return view

    @property
    def is_image(self) -> bool:
        """Whether a picture is the image itself, so that boxes and masks can be drawn on it."""
        return self._kept == "HW"

    @property
    def _kept(self) -> str:
        """The axes that a picture shows, in the order of :meth:`array`."""
        return "".join(letter for letter in "FTDHW" if letter in self.letters)

    def length(self, letter: str) -> int:
        """The length of an axis."""
        return self.shape[self.letters.index(letter)]

    @property
    def frames(self) -> list[int]:
        """Which frames are shown: a few of all, the first and the last among them."""
        count = self.length(self._kept[0])
        return (
            np.unique(np.linspace(0, count - 1, min(count, MOST_FRAMES)).round().astype(int)).tolist() if count else []
        )

    def array(self, images: Any) -> NDArray[Any]:
        """A batch of this view with its channels last, ``(B, ..., C)`` NumPy, values as they are."""
        if backend_of(images) == "torch" and is_floating(images):
            images = images.detach().float()  # NumPy has no bfloat16
        array: NDArray[Any] = kernel_of(str(backend_of(images))).to_host(images)
        order = [letter for letter in f"B{self._kept}C" if letter in self.letters]
        array = array.transpose([self.letters.index(letter) for letter in order])
        return array if "C" in self.letters else array[..., None]

    def pictures(self, array: NDArray[Any], limits: ValueRange) -> Pictures:
        """What :meth:`array` returned, as pictures.

        Args:
            array: ``(B, ..., C)``.
            limits: What is drawn black and white.
        """
        if self._kept == "T":
            return _wave_pictures(array, limits)
        if self._kept == "FT":
            return _heat_map(array[:, ::-1], limits)
        if self.is_image:
            return to_pixels(array, limits)
        frames = [to_pixels(array[:, number], limits) for number in self.frames]
        gap = np.full((*frames[0].shape[:2], _FRAME_GAP, frames[0].shape[-1]), 255, np.uint8)
        return np.asarray(np.concatenate([part for frame in frames for part in (frame, gap)][:-1], axis=2))

    def rectangles(self, start: Sequence[int], stop: Sequence[int]) -> list[PixelBox]:
        """Where a box of a plan is on a picture: once, or on every frame that it reaches.

        Args:
            start: First index inside, an entry a mixed axis.
            stop: First index outside.
        """
        inside = {letter: (0, self.length(letter)) for letter in self._kept}
        inside |= dict(zip(self.mixed, zip(start, stop, strict=True), strict=True))
        if self._kept == "T":
            left, right = (edge * _WAVE_SIZE[1] / self.length("T") for edge in inside["T"])
            return [(0, left, _WAVE_SIZE[0], right)]
        if self._kept == "FT":
            (low, high), (left, right) = inside["F"], inside["T"]
            return [(self.length("F") - high, left, self.length("F") - low, right)]
        (top, bottom), (left, right) = inside["H"], inside["W"]
        if self.is_image:
            return [(top, left, bottom, right)]
        first, last = inside[self._kept[0]]
        pitch = self.length("W") + _FRAME_GAP
        places = [place * pitch for place, frame in enumerate(self.frames) if first <= frame < last]
        return [(top, left + place, bottom, right + place) for place in places]

    def notes(self, limits: ValueRange) -> list[str]:
        """What the reader must know of axes, values and channels: sentences, or none for usual images."""
        sort, channels = self._kept, self.length("C") if "C" in self.letters else 1
        notes = []
        if sort in ("THW", "DHW"):
            what = "frames" if sort == "THW" else "slices"
            notes.append(f"{len(self.frames)} of {self.length(sort[0])} {what} are shown, the first to the last.")
        if sort == "FT":
            notes.append("Time goes to the right, frequency upwards.")
        if limits.scaled:
            ends = "the bottom to the top" if sort == "T" else "dark to bright" if sort == "FT" else "black to white"
            notes.append(f"Values from {limits.low:.3g} to {limits.high:.3g} are shown from {ends}.")
        if channels > (_LANES if sort == "T" else 1) and (sort in ("T", "FT") or channels not in (3, 4)):
            notes.append(f"{channels} channels are shown as their mean.")
        return notes


def value_range(array: NDArray[Any]) -> ValueRange:
    """The range that is drawn, one for all images, so that pictures of it can be compared.

    Args:
        array: ``(B, ..., C)``.
    """
    full = _FULL.get(array.dtype.name)
    if full is not None:
        return ValueRange(0.0, full)
    finite = array[np.isfinite(array)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if low >= -_FLOAT_ROUNDING and high <= 1.0 + _FLOAT_ROUNDING:
        return ValueRange(0.0, 1.0)
    return ValueRange(low, high, scaled=True)


def to_pixels(array: NDArray[Any], limits: ValueRange) -> Pictures:
    """``(B, H, W, C)`` of any values as 8-bit RGB or RGBA; a number of channels that no screen has, as their mean.

    Values that are not finite are drawn black.
    """
    if array.shape[-1] not in (1, 3, 4):
        array = array.mean(axis=-1, keepdims=True, dtype=np.float64)
    pictures = np.rint(255.0 * _to_unit(array, limits)).astype(np.uint8)
    return np.asarray(pictures.repeat(3, axis=-1) if pictures.shape[-1] == 1 else pictures)


def _to_unit(array: NDArray[Any], limits: ValueRange) -> NDArray[np.float32]:
    """Values within [0, 1]; those that are not finite are 0."""
    span = (limits.high - limits.low) or 1.0  # of a constant batch, which is then black
    finite = np.nan_to_num(array.astype(np.float32), nan=limits.low, posinf=limits.low, neginf=limits.low)
    return np.asarray(((finite - limits.low) / span).clip(0.0, 1.0))


def _heat_map(array: NDArray[Any], limits: ValueRange) -> Pictures:
    """``(B, F, T, C)`` in colours that grow brighter with the value, for every reader and in grey."""
    from matplotlib import colormaps

    # viridis has a lightness that only grows, so that it reads in grey and for colour-blind readers.
    unit = _to_unit(array.mean(axis=-1, dtype=np.float64), limits)
    return np.asarray(colormaps["viridis"](unit, bytes=True)[..., :3])


def _wave_pictures(array: NDArray[Any], limits: ValueRange) -> Pictures:
    """Signals ``(B, T, C)``: in every column of the picture a line from the lowest to the highest value of its time."""
    if array.shape[-1] > _LANES:
        array = array.mean(axis=-1, keepdims=True, dtype=np.float64)
    height, width = _WAVE_SIZE[0] // array.shape[-1], _WAVE_SIZE[1]
    pictures = np.full((len(array), _WAVE_SIZE[0], width, 3), 255, np.uint8)
    if not array.shape[1]:
        return pictures
    level = (height - 1) * (1.0 - _to_unit(array, limits))
    # Lowest and highest value of a column, and no mean: a mean would hide what oscillates faster than a pixel.
    start = np.arange(width) * array.shape[1] // width
    top, bottom = (end.reduceat(level, start, axis=1) for end in (np.minimum, np.maximum))
    upper, lower = top.copy(), bottom.copy()
    upper[:, 1:] = np.minimum(top[:, 1:], bottom[:, :-1])  # a column joins the one before
    lower[:, 1:] = np.maximum(bottom[:, 1:], top[:, :-1])
    rows = np.arange(height)[:, None]
    for lane in range(array.shape[-1]):
        inked = (rows >= np.rint(upper[:, None, :, lane])) & (rows <= np.rint(lower[:, None, :, lane]))
        pictures[:, lane * height : (lane + 1) * height][inked] = WAVE_INK
    return pictures
