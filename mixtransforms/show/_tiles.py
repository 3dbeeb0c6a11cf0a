"""What a picture of a batch says, before anything is drawn: tiles, their sources, shares and outlines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core.layers import Boxes, FloatArray, Layer, Mask
from mixtransforms.core.plan import Plan
from mixtransforms.kernels import backend_of, kernel_of
from mixtransforms.show._content import Content, Naming, Told, content
from mixtransforms.show._marks import NOTHING, Marks, marks
from mixtransforms.show._pictures import Pictures, Range, channel_note, channels_last, drawable, range_of
from mixtransforms.show._washes import washes
from mixtransforms.targets.labels import LabelPair

PARTS = 5
"""Most sources that a tile names; the rest is summed up as "others"."""

UNKNOWN = "Sources are unknown without a plan; show.trace(pipeline.trace(batch)) shows them."
LATER = "Transforms after the mix are not shown."
WITHOUT = "Boxes and the like are not shown: several mixes and later transforms have changed them."


@dataclass(frozen=True, eq=False)
class Part:
    """One source of a mixed image, or one class of a mixed label.

    Attributes:
        name: Its class, or the sample where classes are unknown.
        share: Of the image, within [0, 1].
        label_share: Of the label, where a plan declares another one.
        index: The sample it is, or ``None`` where that is unknown.
        picture: ``(H, W, C)`` uint8, or ``None``.
        marks: What is drawn on it.
    """

    name: str
    share: float
    label_share: float | None = None
    index: int | None = None
    picture: Pictures | None = None
    marks: Marks = NOTHING


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
        marks: What is drawn on the picture.
    """

    title: str
    picture: Pictures
    parts: tuple[Part, ...] = ()
    outlines: tuple[Outline, ...] = ()
    marks: Marks = NOTHING


class Sheet(NamedTuple):
    """All tiles, and what the reader must know of them.

    Attributes:
        tiles: In the order of the batch.
        notes: Sentences.
        classes: Numbers of the colours and names of the classes that semantic masks show.
    """

    tiles: tuple[Tile, ...]
    notes: tuple[str, ...]
    classes: tuple[tuple[int, str], ...] = ()


class Result(NamedTuple):
    """What a call returned.

    Attributes:
        content: The batch.
        images: Its images, ``(B, H, W, C)``.
    """

    content: Content
    images: NDArray[Any]


def unplanned(batch: Content, naming: Naming, count: int, told: Told) -> Sheet:
    """Tiles of a batch of which nothing is known but what it holds."""
    array = channels_last(batch.images, told.layout, batch.where)[:count]
    limits = range_of([array])
    pictures = drawable(array, limits)
    wash, classes = washes(batch)
    drawn = marks(batch, naming, range(len(pictures)), wash)
    tiles = tuple(
        Tile(f"Sample {row}", picture, _label_parts(naming, row), marks=drawn[row])
        for row, picture in enumerate(pictures)
    )
    return Sheet(tiles, _notes(UNKNOWN, limits.note, channel_note(array)), _named(classes, naming))


def planned(
    before: Content,
    plans: Sequence[Plan],
    naming: Naming,
    count: int,
    told: Told,
    after: Result | None = None,
    traced: bool = False,
) -> Sheet:
    """Tiles of a batch and of what plans make of it.

    The large picture is what the plans painted: later transforms may flip or normalise the result, and outlines and
    shares would no longer fit it.

    Args:
        before: The batch before the first plan.
        plans: In the order they were painted.
        naming: Of the samples of ``before``.
        count: How many tiles, at most.
        told: What the user says of the batch.
        after: The result; ``None`` where it is not known, or is no batch of images.
        traced: Whether there is a result, so that the reader must know where it is not what is shown.
    """
    source = channels_last(before.images, told.layout, before.where)
    painted = channels_last(_painted(before.images, plans, told.layout), told.layout, before.where)
    limits = range_of([source])
    shares, label_shares = _composed(plans, "share"), _composed(plans, "target_share")
    mixed, small = drawable(painted[:count], limits), drawable(source, limits)
    same = after is not None and _same(after, source, mixed, plans[-1].size, limits)
    wash, classes = washes(before)
    own = marks(before, naming, range(len(source)), wash)
    drawn = (
        _of_result(after.content, naming, len(mixed), plans[-1].size)
        if after is not None and same
        else _of_plans(before, plans, naming, len(mixed), told, wash)
    )
    tiles = []
    for row, picture in enumerate(mixed):
        parts = _parts(row % len(source), shares[row], label_shares[row], naming, small, own)
        outlines = tuple(_outlines(plans[-1], row, parts)) if len(plans) == 1 else ()
        shown = NOTHING if drawn is None else drawn[row]
        tiles.append(Tile(_title(row, parts, outlines), picture, parts, outlines, shown))
    notes = _notes(LATER * (traced and not same), WITHOUT * (drawn is None), limits.note, channel_note(source))
    return Sheet(tuple(tiles), notes, _named(classes, naming))


def _of_result(after: Content, naming: Naming, count: int, size: int) -> list[Marks]:
    """What stands beside the images of a result; originals come first where they are kept."""
    first = size if after.found.spec.size == 2 * size else 0
    return marks(after, naming, range(first, first + count), washes(after)[0])


def _of_plans(
    before: Content, plans: Sequence[Plan], naming: Naming, count: int, told: Told, wash: FloatArray | None
) -> list[Marks] | None:
    """What the plans make of what stands beside the images; ``None`` for objects that were mixed more than once."""
    if before.found.objects and len(plans) > 1:
        return None
    found, new = before.found, {target.path: target.value for target in before.found.targets}
    for objects in found.objects:
        for path, mixed in objects.mix(plans[0]).items():
            new |= found.placed(path, mixed)
    result = content(found.rebuilt(new), told) if found.objects else before
    return marks(result, naming, range(count), None if wash is None else _painted(wash, plans, None))


def _named(classes: Sequence[int], naming: Naming) -> tuple[tuple[int, str], ...]:
    return tuple((number, naming.of_mask(number)) for number in classes)


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


def _parts(
    own: int, share: FloatArray, label: FloatArray, naming: Naming, pictures: Pictures, drawn: Sequence[Marks]
) -> tuple[Part, ...]:
    """The sample itself, then its sources, the largest share first."""
    order = [own, *(index for index in np.argsort(-share, kind="stable").tolist() if index != own)]
    seen = [index for index in order if index == own or share[index] > 0]
    declared = label if not np.allclose(share, label) else None
    return _shortened(
        seen, share, declared, lambda index: Part(naming.sample(index), 0.0, None, index, pictures[index], drawn[index])
    )


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
    return _shortened(seen, shares, None, lambda index: Part(naming.of(index), 0.0))


def _shortened(
    seen: Sequence[int], share: FloatArray, label: FloatArray | None, describe: Callable[[int], Part]
) -> tuple[Part, ...]:
    """The first parts one by one, and what is too much for a tile as one."""
    shown = seen if len(seen) <= PARTS else seen[: PARTS - 1]
    parts = []
    for index in shown:
        declared = None if label is None else float(label[index])
        parts.append(replace(describe(index), share=float(share[index]), label_share=declared))
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


def _same(after: Result, source: NDArray[Any], mixed: Pictures, size: int, limits: Range) -> bool:
    """Whether the result of a pipeline still looks like what its plans painted.

    Args:
        after: The result.
        source: The images before, ``(B, H, W, C)``.
        mixed: What was painted, of the first samples.
        size: How many samples the last plan mixed.
        limits: The range of the batch before, which holds for a result of the same dtype.
    """
    images = after.images[size:] if len(after.images) == 2 * size else after.images  # originals come first
    own = limits if images.dtype == source.dtype else range_of([images])
    if own is not limits and own.note:  # normalised
        return False
    shown = drawable(images[: len(mixed)], own)
    return shown.shape == mixed.shape and bool((np.abs(shown.astype(np.int16) - mixed) <= 1).all())
