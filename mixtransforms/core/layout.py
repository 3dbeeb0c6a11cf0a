"""Layouts: which axis of an array is what, and which of them are mixed; named, never guessed from their number."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from mixtransforms.core.backends import backend_of
from mixtransforms.core.errors import InputError

LAYOUTS = ("channels_first", "channels_last")

LETTERS = {
    "B": "samples",
    "C": "channels",
    "T": "time",
    "D": "depth",
    "H": "height",
    "W": "width",
    "F": "frequencies or features",
}
"""What named axes are."""

_CANONICAL = "TDHWFC"

MODES = ("spatial", "temporal", "cube")
"""Names of what is mixed of a video: every frame alike, a span of frames, or a box in time and space."""

_CHANNELS = (1, 3, 4)
"""Numbers of channels that pictures have."""

_COLOURS = (3, 4)

_LONG = 16
"""From this length on an axis can hardly be the channels of a picture; up to it it may be bands."""

_WIDE = 32
"""From this length on two axes beside one of at most :data:`_LONG` are those of a picture, whatever stands first."""

_SLENDER = 4
"""So many times longer than leads is the time of signals, from :data:`_WIDE` on; gray pictures are not so narrow."""


def is_layout(value: Any) -> bool:
    """Whether a value is a layout: one of :data:`LAYOUTS`, or letters of :data:`LETTERS`, once each, the first a B."""
    return isinstance(value, str) and (value in LAYOUTS or _once(value, "B"))


def is_axes(value: Any) -> bool:
    """Whether a value says what is mixed: one of :data:`MODES`, or letters of the axes."""
    return isinstance(value, str) and (value in MODES or (_once(value, "") and not set(value) & set("BC")))


def _once(value: str, start: str) -> bool:
    known = re.fullmatch(f"{start}[{''.join(LETTERS)}]+", value) is not None
    return known and len(set(value)) == len(value)


@dataclass(frozen=True)
class Layout:
    """The axes of a batch's images.

    Attributes:
        name: ``None`` (tensors channels-first, NumPy arrays channels-last), one of :data:`LAYOUTS`, or letters.
        mixed: ``None`` (height, width and depth, or else time), one of :data:`MODES`, or letters.
    """

    name: str | None = None
    mixed: str | None = None

    @property
    def is_table(self) -> bool:
        """Whether samples are rows of columns, which may be numbers or categories."""
        return self.name == "BF" and self.mixed is None

    def axes(self, array: Any, where: str, size: int | None = None) -> tuple[int, ...]:
        """Positions of the axes that are mixed.

        Args:
            array: ``(B, C, H, W)`` or ``(B, H, W, C)``; NumPy also ``(B, H, W)``; torchvision videos
                ``(B, T, C, H, W)``; any array whose axes are named.
            where: Its place, for the error.
            size: Number of samples where others tell it, for the error.

        Raises:
            InputError: The array has another number of axes, or not the axes that are to be mixed; or its lengths
                plainly say that its layout is another one.
        """
        letters = self.letters(array, where, size)
        chosen = self._chosen(letters)
        if any(letter not in letters for letter in chosen):
            raise InputError(
                "No such axis",
                where=where,
                got=f"axes {letters}",
                wanted=f"axes {', '.join(chosen)}, because axes={self.mixed!r}",
                fix="Name all axes with layout, such as layout='BTCHW', or change axes.",
            )
        return tuple(sorted(letters.index(letter) for letter in chosen))

    def check_sample(self, image: Any, where: str) -> None:
        """Asks for the layout of one image as :meth:`axes` does of a batch, for whoever is about to move its axes.

        Args:
            image: ``(C, H, W)`` or ``(H, W, C)``; with other axes nothing is asked.
            where: Its place, for the error.

        Raises:
            InputError: Its lengths say that its layout is another one than that of its back end.
        """
        if self.name is None and len(image.shape) == 3:
            _check_plain(tuple(image.shape), self.first(image), where)

    def rank(self, typed: bool) -> int:
        """Number of axes of one sample's image; ``typed`` says whether its type is that of a video."""
        named = self.name is not None and self.name not in LAYOUTS
        return len(str(self.name)) - 1 if named else 3 + typed

    def whole(self, array: Any, where: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Lengths of all axes but samples and channels, and which of these are mixed."""
        letters = self.letters(array, where)
        mixed = {letters[axis] for axis in self.axes(array, where)}
        kept = [(axis, letter) for axis, letter in enumerate(letters) if letter not in "BC"]
        lengths = tuple(int(array.shape[axis]) for axis, _ in kept)
        return lengths, tuple(place for place, (_, letter) in enumerate(kept) if letter in mixed)

    def first(self, array: Any) -> bool:
        """Whether channels come before the axes of a picture."""
        if self.name in LAYOUTS:
            return self.name == "channels_first"
        if self.name is None or "C" not in self.name:
            return backend_of(array) == "torch"
        return not self.name.endswith("C")

    def canonical(self, rank: int, first: bool) -> tuple[tuple[int, ...], bool]:
        """The order of a sample's axes by which it is known, whatever its layout: time, space, then channels.

        Args:
            rank: How many axes there are, without that of the samples.
            first: Whether channels come first where nothing is named.

        Returns:
            The axes in that order, and whether the channels are among them: a gray picture may have none.
        """
        axes = range(rank)
        if self.name is not None and self.name not in LAYOUTS and len(self.name) == rank + 1:
            letters = self.name[1:]
            return tuple(sorted(axes, key=lambda axis: _CANONICAL.index(letters[axis]))), "C" in letters
        if rank > 2 and (self.name == "channels_first" or (self.name is None and first)):
            return (*(axis for axis in axes if axis != rank - 3), rank - 3), True
        return tuple(axes), rank != 2

    def letters(self, array: Any, where: str, size: int | None = None) -> str:
        """The axes of an array, one letter each.

        Args:
            array: See :meth:`axes`.
            where: See :meth:`axes`.
            size: See :meth:`axes`.

        Raises:
            InputError: See :meth:`axes`.
        """
        if self.name is not None and self.name not in LAYOUTS:
            if len(array.shape) != len(self.name):
                raise InputError(
                    "Another number of axes",
                    where=where,
                    got=f"shape {tuple(array.shape)}",
                    wanted=f"{len(self.name)} axes, because layout={self.name!r}",
                    fix="Correct the layout, or move the axes.",
                )
            return self.name
        return self._pictures(array, where, size)

    def _chosen(self, letters: str) -> str:
        space = "".join(letter for letter in letters if letter in "DHW")
        if self.mixed is None:
            return space or ("T" if "T" in letters else "")
        return {"spatial": space or "HW", "temporal": "T", "cube": "T" + (space or "HW")}.get(self.mixed, self.mixed)

    def _pictures(self, array: Any, where: str, size: int | None) -> str:
        backend, shape = backend_of(array), tuple(array.shape)
        first = self.name == "channels_first" or (self.name is None and backend == "torch")
        video = type(array).__name__ == "Video"
        gray = len(shape) == 3 and backend == "numpy" and not first
        one = len(shape) == 3 and (not gray or (self.name is None and shape[-1] in _COLOURS))
        if one or (len(shape) != 4 + video and not gray):
            raise _no_pictures(shape, one, first, shape[:1] == (size,), where)
        if gray:
            if self.name is None:
                _check_gray(shape, where)
            return "BHW"
        if not video and self.name is None:
            _check_plain(shape, first, where)
        return "B" + "T" * video + ("CHW" if first else "HWC")


def _no_pictures(shape: tuple[int, ...], one: bool, first: bool, batch: bool, where: str) -> InputError:
    coloured = shape[-1:] and shape[-1] in _COLOURS
    signals = _signals(shape)
    # No picture has as many channels; and what has a row for every sample of a batch is no picture either.
    gray = one and not coloured and (batch or shape[0] > _LONG)
    axis = "images[:, None]" if first else "images[..., None]"
    fix = "Name the axes of videos, volumes, signals and tables, such as layout='BTCHW', 'BCT' or 'BF'."
    if len(shape) == 1:
        fix = f"Pass the images first, and what belongs to them behind. {fix}"
    elif gray:
        fix = f"Add the axis of channels, {axis}" + (", or say that it is a 'mask', with kinds." if batch else ".")
    elif one:
        fix = "Mix batches, after collation" + ("." if coloured else f"; to gray images add an axis, {axis}.")
    if one and signals and not coloured:
        fix = f"Say layout={signals!r} for signals. {fix}"
    return InputError(
        "Not a batch of images",
        where=where,
        got=f"shape {shape}"
        + (", images without an axis of channels" if gray else ", which looks like one image" if one else ""),
        wanted="(B, C, H, W) for tensors, (B, H, W, C) or (B, H, W) for NumPy arrays",
        fix=fix,
    )


def _signals(shape: tuple[int, ...]) -> str | None:
    """The layout of signals ``(B, C, T)`` or ``(B, T, C)`` where three axes look like that: few leads, and long.

    Gray digits ``(B, 28, 28)``, tiny pictures ``(B, 8, 8)`` and slices ``(B, 12, 17)`` are far from it.
    """
    if len(shape) != 3 or min(shape[1:]) > _LONG or max(shape[1:]) < max(_SLENDER * min(shape[1:]), _WIDE):
        return None
    return "BCT" if shape[1] < shape[2] else "BTC"


def _check_gray(shape: tuple[int, ...], where: str) -> None:
    """Refuses signals that would be cut apart between their leads, as if these were rows of a picture."""
    layout = _signals(shape)
    if layout is not None:
        raise InputError(
            "Signals or gray images",
            where=where,
            got=f"shape {shape}",
            wanted="the layout, since without one they are gray images, (B, H, W)",
            fix=f"Say layout={layout!r} for signals, which are cut in time, or layout='BHW' for gray images.",
        )


def _check_plain(shape: tuple[int, ...], first: bool, where: str) -> None:
    channels, other = (shape[-3], shape[-1]) if first else (shape[-1], shape[-3])
    middle = shape[-2]
    picture = other in _CHANNELS and min(channels, middle) >= _LONG
    bands = other <= _LONG and min(channels, middle) >= _WIDE
    if picture or bands:
        batch = "B, " if len(shape) == 4 else ""
        raise InputError(
            "The axes plainly say another layout",
            where=where,
            got=f"shape {shape}",
            wanted=f"channels first, ({batch}C, H, W)" if first else f"channels last, ({batch}H, W, C)",
            fix=f"Say layout='{'channels_last' if first else 'channels_first'}', or move the axes.",
        )
