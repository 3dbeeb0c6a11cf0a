"""What a picture of a batch says, before anything is drawn: tiles, their sources, shares and outlines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core.layers import Boxes, FloatArray, Layer, Mask
from mixtransforms.core.plan import Plan
from mixtransforms.kernels import backend_of, kernel_of
from mixtransforms.show._content import Content, Naming
from mixtransforms.show._pictures import Pictures, Range, channel_note, channels_last, drawable, range_of
from mixtransforms.targets.labels import LabelPair

PARTS = 5
"""Most sources that a tile names; the rest is summed up as "others"."""

UNKNOWN = "Sources are unknown without a plan; show.trace(pipeline.trace(batch)) shows them."
LATER = "Transforms after the mix are not shown."


@dataclass(frozen=True, eq=False)
class Part:
    """One source of a mixed image, or one class of a mixed label.

    Attributes:
        name: Its class, or the sample where classes are unknown.
        share: Of the image, within [0, 1].
        label_share: Of the label, where a plan declares another one.
        index: The sample it is, or ``None`` where that is unknown.
        picture: ``(H, W, C)`` uint8, or ``None``.
    """

    name: str
    share: float
    label_share: float | None = None
    index: int | None = None
    picture: Pictures | None = None


@dataclass(frozen=True, eq=False)
class Outline:
    """Where a source was pasted.

    Attributes:
        part: Position of the source among the parts of its tile.
        start: First pixel inside, ``(y, x)``.
        stop: First pixel outside, ``(y, x)``.
        mask: ``(H, W)`` where the region is no box.
    """

    part: int
    start: tuple[int, int]
    stop: tuple[int, int]
    mask: NDArray[Any] | None = None


@dataclass(frozen=True, eq=False)
class Tile:
    """One mixed image and what it is made of.

    Attributes:
        title: What happened to it, in words.
        picture: ``(H, W, C)`` uint8.
        parts: The sample itself first.
        outlines: Pasted regions.
    """

    title: str
    picture: Pictures
    parts: tuple[Part, ...] = ()
    outlines: tuple[Outline, ...] = ()


class Sheet(NamedTuple):
    """All tiles, and what the reader must know of them."""

    tiles: tuple[Tile, ...]
    notes: tuple[str, ...]


def unplanned(batch: Content, naming: Naming, count: int, layout: str | None) -> Sheet:
    """Tiles of a batch of which nothing is known but what it holds."""
    array = channels_last(batch.images, layout, batch.where)[:count]
    limits = range_of([array])
    pictures = drawable(array, limits)
    tiles = tuple(Tile(f"Sample {row}", pictures[row], _label_parts(naming, row)) for row in range(len(pictures)))
    return Sheet(tiles, _notes(UNKNOWN, limits.note, channel_note(array)))


def planned(
    before: Content, plans: Sequence[Plan], naming: Naming, count: int, layout: str | None, after: NDArray[Any] | None
) -> Sheet:
    """Tiles of a batch and of what plans make of it.

    The large picture is what the plans painted: later transforms may flip or normalise the result, and outlines and
    shares would no longer fit it.

    Args:
        before: The batch before the first plan.
        plans: In the order they were painted.
        naming: Of the samples of ``before``.
        count: How many tiles, at most.
        layout: Of the images.
        after: Images of the result, ``(B, H, W, C)``; ``None`` where they are not known.
    """
    source = channels_last(before.images, layout, before.where)
    painted = channels_last(_painted(before.images, plans, layout), layout, before.where)
    limits = range_of([source])
    shares, label_shares = _composed(plans, "share"), _composed(plans, "target_share")
    mixed, small = drawable(painted[:count], limits), drawable(source, limits)
    tiles = []
    for row, picture in enumerate(mixed):
        parts = _parts(row % len(source), shares[row], label_shares[row], naming, small)
        outlines = tuple(_outlines(plans[-1], row, parts)) if len(plans) == 1 else ()
        tiles.append(Tile(_title(row, parts, outlines), picture, parts, outlines))
    own_range = after is not None and after.dtype != source.dtype
    same = after is None or _shows(after, mixed, plans[-1].size, None if own_range else limits)
    later = "" if same else LATER
    return Sheet(tuple(tiles), _notes(later, limits.note, channel_note(source)))


def _notes(*notes: str) -> tuple[str, ...]:
    return tuple(note for note in notes if note)


def _painted(images: Any, plans: Sequence[Plan], layout: str | None) -> Any:
    """What the plans make of the images; a plan for twice as many follows one that kept the originals."""
    for number, plan in enumerate(plans):
        mixed = plan.apply(images, layout)
        kept = number + 1 < len(plans) and plans[number + 1].size == 2 * plan.size
        images = kernel_of(str(backend_of(mixed))).concat(images, mixed) if kept else mixed
    return images


def _composed(plans: Sequence[Plan], attribute: str) -> FloatArray:
    """Share of every original sample in every result, ``(B, originals)``, through all plans."""
    result = np.eye(plans[0].size)
    for number, plan in enumerate(plans):
        step = np.zeros((plan.size, plan.size))
        np.add.at(step, (np.arange(plan.size)[:, None], plan.sources), getattr(plan, attribute))
        mixed = step @ result
        kept = number + 1 < len(plans) and plans[number + 1].size == 2 * plan.size
        result = np.concatenate([result, mixed]) if kept else mixed
    return result


def _parts(own: int, share: FloatArray, label: FloatArray, naming: Naming, pictures: Pictures) -> tuple[Part, ...]:
    """The sample itself, then its sources, the largest share first."""
    order = [own, *(index for index in np.argsort(-share, kind="stable").tolist() if index != own)]
    seen = [index for index in order if index == own or share[index] > 0]
    declared = label if not np.allclose(share, label) else None
    return _shortened(seen, share, declared, lambda index: (naming.sample(index), index, pictures[index]))


def _label_parts(naming: Naming, row: int) -> tuple[Part, ...]:
    """What the label alone tells: the share of every class, the largest first."""
    labels = naming.labels
    if labels is None:
        return ()
    if isinstance(labels, LabelPair):
        weight = float(labels.weight[row])
        return (
            Part(naming.row(labels.label[row]), weight),
            Part(naming.row(labels.partner[row]), 1.0 - weight),
        )
    if labels.ndim == 1:
        return (Part(naming.row(labels[row]), 1.0),)
    shares = labels[row].astype(np.float64)
    seen = [index for index in np.argsort(-shares, kind="stable").tolist() if shares[index] > 0]
    return _shortened(seen, shares, None, lambda index: (naming.of(index), None, None))


def _shortened(
    seen: Sequence[int], share: FloatArray, label: FloatArray | None, describe: Callable[[int], tuple[str, Any, Any]]
) -> tuple[Part, ...]:
    """The first parts one by one, and what is too much for a tile as one."""
    shown = seen if len(seen) <= PARTS else seen[: PARTS - 1]
    parts = []
    for index in shown:
        name, sample, picture = describe(index)
        parts.append(Part(name, float(share[index]), None if label is None else float(label[index]), sample, picture))
    rest = list(seen[len(shown) :])
    if rest:
        total = None if label is None else float(label[rest].sum())
        parts.append(Part(f"{len(rest)} others", float(share[rest].sum()), total))
    return tuple(parts)


def _outlines(plan: Plan, row: int, parts: Sequence[Part]) -> list[Outline]:
    """The regions of a sample, each with the part that was pasted there."""
    position = {part.index: number for number, part in enumerate(parts)}
    outlines = []
    for layer in plan.layers:
        for index in np.flatnonzero(layer.rows == row).tolist():
            outline = _outline(layer, index, position.get(int(layer.source[index]), len(parts) - 1))
            if outline is not None:
                outlines.append(outline)
    return outlines


def _outline(layer: Layer, index: int, part: int) -> Outline | None:
    if isinstance(layer.region, Boxes):
        if layer.region.sides.shape[1] != 2 or not layer.region.volume[index]:
            return None
        (top, left), (bottom, right) = layer.region.start[index].tolist(), layer.region.stop[index].tolist()
        return Outline(part, (top, left), (bottom, right))
    if isinstance(layer.region, Mask) and layer.region.values.ndim == 3:
        mask = layer.region.values[index]
        return Outline(part, (0, 0), (mask.shape[0], mask.shape[1]), mask)
    return None


def _title(row: int, parts: Sequence[Part], outlines: Sequence[Outline]) -> str:
    partners = [part.index for part in parts[1:] if part.index is not None]
    if not partners:
        return f"Sample {row}: not mixed"
    if len(partners) > 1:
        many = "samples " + ", ".join(map(str, partners)) if len(partners) < 4 else f"{len(partners)} samples"
        return f"Sample {row}: mixed with {many}"
    if not outlines:
        return f"Sample {row}: blended with sample {partners[0]}"
    return f"Sample {row}: {'box' if outlines[0].mask is None else 'part'} of sample {partners[0]} pasted"


def _shows(after: NDArray[Any], mixed: Pictures, size: int, limits: Range | None) -> bool:
    """Whether the result of a pipeline still looks like what its plans painted.

    Args:
        after: The result, ``(B, H, W, C)``.
        mixed: What was painted, of the first samples.
        size: How many samples the last plan mixed.
        limits: The range of the batch before; ``None`` where the result is of another dtype.
    """
    after = after[size:] if len(after) == 2 * size else after  # originals come first where they are kept
    own = limits or range_of([after])
    if limits is None and own.note:  # normalised
        return False
    shown = drawable(after[: len(mixed)], own)
    return shown.shape == mixed.shape and bool((np.abs(shown.astype(np.int16) - mixed) <= 1).all())
