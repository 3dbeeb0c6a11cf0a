"""Which arrays of another size than the images show the same: those at a stride, one cell for several of theirs."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from mixtransforms.targets.kind import Scene

Lengths = Sequence[int]


def stride(lengths: Lengths, own: Lengths) -> int | None:
    """How many cells of the images one of the target spans, the same whole number along every axis; else ``None``.

    Args:
        lengths: Of axes of the images.
        own: Of the same axes of the target.
    """
    if tuple(lengths) == tuple(own):
        return 1
    # One cell for a whole axis is no map: most likely it is an axis that was kept for broadcasting.
    found = {whole // part if part > 1 and whole % part == 0 else 0 for whole, part in zip(lengths, own, strict=True)}
    return found.pop() or None if len(found) == 1 else None


def same_view(lengths: Lengths, own: Lengths) -> bool:
    """Whether lengths are those of one picture at two sizes: of one ratio, but for what rounding makes of it."""
    if tuple(lengths) == tuple(own) or not (all(lengths) and all(own)):
        return tuple(lengths) == tuple(own)
    low, high = (
        pick(Fraction(2 * part + half, 2 * whole) for whole, part in zip(lengths, own, strict=True))
        for pick, half in ((max, -1), (min, 1))
    )
    return low < high


def is_at_stride(own: Lengths, scene: Scene) -> bool:
    """Whether lengths are those of the images, or these at a stride.

    Mixed axes have one stride together, and the others one of their own: frames of a video may be fewer, and smaller.
    """
    rest = [axis for axis in range(len(own)) if axis not in scene.axes]
    return all(
        stride([scene.lengths[axis] for axis in some], [own[axis] for axis in some]) for some in (scene.axes, rest)
    )


def is_turned(own: Lengths, scene: Scene) -> bool:
    """Whether lengths have height and width the wrong way round, of the images or at a stride."""
    if len(scene.shape) != 2 or is_at_stride(own, scene):
        return False
    turned, (first, second) = list(own), scene.axes
    turned[first], turned[second] = own[second], own[first]
    return is_at_stride(turned, scene)
