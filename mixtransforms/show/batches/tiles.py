"""What a picture of a batch says, before anything is drawn: tiles, their sources, shares and outlines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mixtransforms.batch.inventory import Finder
from mixtransforms.core.layers import Boxes, FloatArray, Layer, Mask
from mixtransforms.kernels.paint import paint
from mixtransforms.plan import Plan
from mixtransforms.show.batches.content import SEVERAL, Content, Naming, content
from mixtransforms.show.batches.marks import NOTHING, Marks, marks, same_marks
from mixtransforms.show.batches.normalized import UNDONE, Normalization, undone
from mixtransforms.show.batches.overlays import washes
from mixtransforms.show.batches.pictures import Pictures, Range, Rectangle, View, range_of
from mixtransforms.targets.label import LabelPair
from mixtransforms.targets.names import MASK

PARTS = 5
"""Most sources that a tile names; the rest is summed up as "others"."""

UNKNOWN = "Sources are unknown without a plan; show.trace(pipeline.trace(batch)) shows them."
WITHOUT = "Boxes, masks and keypoints are drawn on images only."

HEAVY = 0.75
"""Below this share of its largest class or source, a sample counts as heavily mixed."""


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
        rectangles: On the picture; of a strip, one on every frame that is reached.
        mask: ``(H, W)`` where the region is no box.
    """

    part: int
    rectangles: tuple[Rectangle, ...] = ()
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
        scaled: Whether values were brought to the range of pictures, which may hide that a pipeline did not.
    """

    tiles: tuple[Tile, ...]
    notes: tuple[str, ...]
    classes: tuple[tuple[int, str], ...] = ()
    scaled: bool = False


class Look(NamedTuple):
    """How batches are looked at.

    Attributes:
        naming: Names of samples and classes.
        most: Most tiles.
        reader: What values are called.
        done: What is undone before the images are drawn.
    """

    naming: Naming
    most: int
    reader: Finder
    done: tuple[Normalization, ...] = ()


def thumbnails(batch: Content, look: Look) -> Sheet:
    """Tiles of samples as they came to a mix: pictures and their classes, and nothing else."""
    seen = _seen(batch, look)
    titles = [
        f"{row}" if batch.labels is None else f"{row}: {look.naming.sample(row)}" for row in range(len(seen.pictures))
    ]
    tiles = tuple(Tile(title, picture) for title, picture in zip(titles, seen.pictures, strict=True))
    return Sheet(tiles, ())


def unplanned(batch: Content, look: Look, note: str = UNKNOWN, first: int = 0) -> Sheet:
    """Tiles of a batch of which nothing is known but what it holds.

    Args:
        batch: The batch.
        look: How it is looked at.
        note: What the reader must know.
        first: The sample that is called 0, behind the originals that are kept.
    """
    seen, naming = _seen(batch, look, first), look.naming
    wash, classes = washes(batch) if seen.view.is_image else (None, ())
    drawn = _marks(batch, naming, range(first, first + len(seen.pictures)), wash, seen.view)
    tiles = tuple(
        Tile(f"Sample {row}", picture, _label_parts(naming, first + row), marks=drawn[row])
        for row, picture in enumerate(seen.pictures)
    )
    spread = "" if _unknown(naming) else smoothing(_classes(naming)[first:], "class")
    notes = _notes(spread, note, *seen.notes)
    return Sheet(tiles, notes, _named(classes, naming), seen.limits.scaled)


def planned(before: Content, plan: Plan, look: Look, after: Content | None = None) -> Sheet:
    """Tiles of a batch and of what a plan makes of it.

    Args:
        before: The batch that the plan was drawn for.
        plan: The plan.
        look: How it is looked at; names are of the samples of ``before``.
        after: What a transform made of it by the plan; ``None`` works it out.
    """
    naming = look.naming
    source = _seen(before, look, None)
    view = source.view
    images = paint(plan, before.images, look.reader.layout.axes(before.images, before.where))
    mixed = view.pictures(undone(view.array(images[: look.most]), look.done, before.where), source.limits)
    wash, classes = washes(before) if view.is_image else (None, ())
    own = _marks(before, naming, range(len(source.pictures)), wash, view)
    drawn: Sequence[Marks] = [NOTHING] * len(mixed)
    if view.is_image:
        shares = [objects.shares(plan) for objects in before.found.objects]
        made = _of_plan(before, plan, look.reader, wash, view) if after is None else _of_result(after, plan.size)
        result, first, painted = made
        drawn = marks(result, naming, range(first, first + len(mixed)), painted, shares)
    tiles = []
    for row, picture in enumerate(mixed):
        parts = _parts(row, plan, naming, source.pictures, own)
        outlines = tuple(_outlines(plan, row, parts, view))
        tiles.append(Tile(_title(row, parts, outlines, _partners(plan, row)), picture, parts, outlines, drawn[row]))
    notes = _notes(_smoothed(plan, naming), *source.notes)
    return Sheet(tuple(tiles), notes, _named(classes, naming), source.limits.scaled)


def compact(tile: Tile) -> Tile:
    """A tile without its sources beside it, and with a short title."""
    known = [str(part.index) for part in tile.parts if part.index is not None]
    known += ["…"] if known and len(known) < len(tile.parts) else []
    parts = tuple(replace(part, picture=None) for part in tile.parts)
    return replace(tile, title=" + ".join(known) or tile.title, parts=parts)


def same_pictures(first: Sheet, second: Sheet) -> bool:
    """Whether two sheets show the same images with the same marks, but for rounding."""
    alike = len(first.tiles) == len(second.tiles) and first.scaled == second.scaled
    return alike and all(
        one.picture.shape == other.picture.shape
        and bool((np.abs(one.picture.astype(np.int16) - other.picture) <= 1).all())
        and same_marks(one.marks, other.marks)
        for one, other in zip(first.tiles, second.tiles, strict=True)
    )


def percent(share: float) -> str:
    """A share in whole percent, where "0" and "100" mean exactly that."""
    if 0.0 < share < 0.005:
        return "<1%"
    if 0.995 <= share < 1.0:
        return ">99%"
    return f"{100 * share:.0f}%"


def smoothing(spread: FloatArray, of: str) -> str:
    """How much samples are smoothed over classes, or over each other, in a sentence.

    Args:
        spread: Share of every class, or of every sample, in every mixed sample, ``(B, N)``.
        of: ``"class"`` or ``"sample"``.
    """
    total = spread.sum(axis=1, keepdims=True)
    share = np.divide(spread, total, out=np.zeros_like(spread), where=total > 0)
    if not len(share) or (total > SEVERAL).any():
        return ""  # nothing is mixed, or a sample has several classes
    bits = -(share * np.log2(np.where(share > 0, share, 1.0))).sum(axis=1).mean()
    entropy = max(0.0, float(bits))  # never -0.00
    heavy = int((share.max(axis=1, initial=0.0) < HEAVY).sum())
    return (
        f"{'Labels' if of == 'class' else 'Shares'} have {entropy:.2f} bits of entropy on average (two equal shares: 1 "
        f"bit); {heavy} of {len(share)} samples {'is' if heavy == 1 else 'are'} heavily mixed, with less than "
        f"{HEAVY:.0%} of any one {of}."
    )


class _Seen(NamedTuple):
    """Images that are ready to be drawn.

    Attributes:
        view: How they become pictures.
        pictures: ``(B, H, W, C)``.
        limits: The values that are drawn black and white.
        notes: What the reader must know.
    """

    view: View
    pictures: Pictures
    limits: Range
    notes: tuple[str, ...]


def _seen(batch: Content, look: Look, first: int | None = 0) -> _Seen:
    """Some images of a batch, from one on; all of them, which may be sources, where that is ``None``."""
    view = View.of(batch.images, look.reader.layout, batch.where)
    array = view.array(batch.images if first is None else batch.images[first : first + look.most])
    values = undone(array, look.done, batch.where)
    limits = range_of([values])
    others = batch.found.objects or any(target.kind == MASK for target in batch.found.others)
    notes = (
        *view.notes(limits),
        UNDONE if values is not array else "",
        _not_finite(values),
        WITHOUT if others and not view.is_image else "",
    )
    return _Seen(view, view.pictures(values, limits), limits, _notes(*notes))


def _not_finite(values: NDArray[Any]) -> str:
    count = 0 if values.dtype.kind != "f" else int(values.size - np.isfinite(values).sum())
    return f"{count} values are not finite, and drawn as the lowest." if count else ""


def _marks(content: Content, naming: Naming, rows: range, wash: FloatArray | None, view: View) -> Sequence[Marks]:
    return marks(content, naming, rows, wash) if view.is_image else [NOTHING] * len(rows)


def _of_result(after: Content, size: int) -> tuple[Content, int, FloatArray | None]:
    """A result, where its mixed samples begin, behind originals that are kept, and the colours of its masks."""
    return after, size if after.found.spec.size == 2 * size else 0, washes(after)[0]


def _of_plan(
    before: Content, plan: Plan, reader: Finder, wash: FloatArray | None, view: View
) -> tuple[Content, int, FloatArray | None]:
    """What the plan makes of what stands beside the images, alike."""
    found, new = before.found, {target.path: target.value for target in before.found.targets}
    for objects in found.objects:
        for path, mixed in objects.mix(plan).items():
            new |= found.placed(path, mixed)
    result = content(found.rebuilt(new), reader) if found.objects else before
    painted = None if wash is None else paint(plan, wash, [1 + "HW".index(letter) for letter in view.mixed])
    return result, 0, painted


def _smoothed(plan: Plan, naming: Naming) -> str:
    """See :func:`smoothing`: over the classes of mixed labels; over samples where classes are not known."""
    own = np.eye(plan.size) if _unknown(naming) else _classes(naming)
    spread = np.zeros_like(own)
    for sources, share in zip(plan.sources.T, plan.target_share.T, strict=True):
        spread += share[:, None] * own[sources]
    return smoothing(spread, "sample" if _unknown(naming) else "class")


def _unknown(naming: Naming) -> bool:
    return naming.labels is None or isinstance(naming.labels, LabelPair)


def _classes(naming: Naming) -> FloatArray:
    """Share of every class that there is, ``(B, N)``."""
    if naming.labels.ndim > 1:
        return np.asarray(naming.labels, np.float64)
    present, place = np.unique(naming.labels, return_inverse=True)
    known = np.array([number != naming.ignored for number in present.tolist()], np.float64)
    return (np.eye(len(present)) * known)[place]


def _named(classes: Sequence[int], naming: Naming) -> tuple[tuple[int, str], ...]:
    return tuple((number, naming.of_mask(number)) for number in classes)


def _notes(*notes: str) -> tuple[str, ...]:
    return tuple(note for note in notes if note)


def _parts(row: int, plan: Plan, naming: Naming, pictures: Pictures, drawn: Sequence[Marks]) -> tuple[Part, ...]:
    """The sample itself, then its sources, the largest share first."""
    share, label = (_by_source(plan, weights[row], row) for weights in (plan.share, plan.target_share))
    order = [row, *(index for index in np.argsort(-share, kind="stable").tolist() if index != row)]
    seen = [index for index in order if index == row or share[index] > 0]
    declared = label if not np.allclose(share, label) else None
    return _shortened(
        seen, share, declared, lambda index: Part(naming.sample(index), 0.0, None, index, pictures[index], drawn[index])
    )


def _by_source(plan: Plan, weights: FloatArray, row: int) -> FloatArray:
    """What every sample of the batch gives to one, ``(B,)``."""
    return np.asarray(np.bincount(plan.sources[row], weights, plan.size), np.float64)


def _partners(plan: Plan, row: int) -> int:
    """How many others are in a sample."""
    return len(np.setdiff1d(plan.sources[row][plan.share[row] > 0], [row]))


def _label_parts(naming: Naming, row: int) -> tuple[Part, ...]:
    """What the label alone tells: the share of every class, the largest first."""
    labels = naming.labels
    if labels is None:
        return ()
    if isinstance(labels, LabelPair):
        weight = float(labels.weight[row])
        both = Part(naming.row(labels.label[row]), weight), Part(naming.row(labels.partner[row]), 1.0 - weight)
        return tuple(part for part in both if part.share > 0)
    if labels.ndim == 1:
        return (Part(naming.row(labels[row]), 1.0),)
    shares = labels[row].astype(np.float64)
    if shares.sum() > SEVERAL:
        return (Part(naming.row(labels[row]), 1.0),)
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


def _outlines(plan: Plan, row: int, parts: Sequence[Part], view: View) -> list[Outline]:
    """The regions of a sample, each with the part that was pasted there."""
    position = {part.index: number for number, part in enumerate(parts)}
    outlines = []
    for layer in plan.layers:
        for index in np.flatnonzero(layer.rows == row).tolist():
            outline = _outline(layer, index, position.get(int(layer.source[index]), len(parts) - 1), view)
            if outline is not None:
                outlines.append(outline)
    return outlines


def _outline(layer: Layer, index: int, part: int, view: View) -> Outline | None:
    if isinstance(layer.region, Boxes):
        if not layer.region.volume[index]:
            return None
        start, stop = layer.region.start[index].tolist(), layer.region.stop[index].tolist()
        return Outline(part, tuple(view.rectangles(start, stop)))
    if isinstance(layer.region, Mask) and view.is_image and view.mixed == "HW":
        return Outline(part, mask=layer.region.values[index])
    return None


def _title(row: int, parts: Sequence[Part], outlines: Sequence[Outline], count: int) -> str:
    partners = [part.index for part in parts[1:] if part.index is not None]
    if not partners:
        return f"Sample {row}: not mixed"
    if count > 1:
        many = "samples " + ", ".join(map(str, partners)) if count == len(partners) < 4 else f"{count} samples"
        return f"Sample {row}: mixed with {many}"
    if not outlines:
        return f"Sample {row}: blended with sample {partners[0]}"
    return f"Sample {row}: {'box' if outlines[0].mask is None else 'part'} of sample {partners[0]} pasted"
