"""What a picture of a batch says, before anything is drawn: panels, their sources, shares and pasted regions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core.layers import Boxes, FloatArray, Mask
from mixtransforms.kernels.paint import paint
from mixtransforms.plan import Plan
from mixtransforms.show import words
from mixtransforms.show.batches.annotations import UNANNOTATED, ImageAnnotation, annotations_of, same_annotation
from mixtransforms.show.batches.content import Content, read_content
from mixtransforms.show.batches.normalized import undone
from mixtransforms.show.batches.options import ClassNames, ViewedBatch, unlabelled
from mixtransforms.show.batches.overlays import mask_overlay
from mixtransforms.show.batches.pictures import Pictures, PictureView, PixelBox, ValueRange, value_range
from mixtransforms.targets.label import LabelMix, LabelPair

MOST_PARTS = 5
"""Most sources that a panel names, a line of text and a colour each; the rest is summed up as "others"."""


@dataclass(frozen=True, eq=False)
class SourcePart:
    """One source of a mixed image, or one class of a mixed label.

    Attributes:
        name: Its class, or the sample where classes are unknown.
        share: Of the image, within [0, 1].
        label_share: Of the label, where a plan declares another one.
        index: The sample it is, or ``None`` where that is unknown.
        picture: ``(H, W, C)`` uint8, or ``None``.
        annotation: What is drawn on it.
    """

    name: str
    share: float
    label_share: float | None = None
    index: int | None = None
    picture: Pictures | None = None
    annotation: ImageAnnotation = UNANNOTATED


@dataclass(frozen=True, eq=False)
class PastedRegion:
    """Where a source was pasted.

    Attributes:
        part: Position of the source among the parts of its panel.
        rectangles: On the picture; of a strip, one on every frame that is reached.
        mask: ``(H, W)`` where the region is no box.
    """

    part: int
    rectangles: tuple[PixelBox, ...] = ()
    mask: NDArray[Any] | None = None


@dataclass(frozen=True, eq=False)
class Panel:
    """One mixed image and what it is made of.

    Attributes:
        title: What happened to it, in words.
        picture: ``(H, W, C)`` uint8.
        parts: The sample itself first.
        regions: Pasted regions.
        annotation: What is drawn on the picture.
    """

    title: str
    picture: Pictures
    parts: tuple[SourcePart, ...] = ()
    regions: tuple[PastedRegion, ...] = ()
    annotation: ImageAnnotation = UNANNOTATED


class FigureData(NamedTuple):
    """All panels, and what the reader must know of them.

    Attributes:
        panels: In the order of the batch.
        notes: Sentences.
        classes: Numbers of the colours and names of the classes that semantic masks show.
        scaled: Whether values were brought to the range of pictures, which may hide that a pipeline did not.
    """

    panels: tuple[Panel, ...]
    notes: tuple[str, ...]
    classes: tuple[tuple[int, str], ...] = ()
    scaled: bool = False


class Section(NamedTuple):
    """A part of a figure: panels under a heading, and what the reader must know of them.

    Attributes:
        data: The panels.
        text: Explains them.
        heading: What they are; empty where there is one section only.
        small: Whether they are thumbnails.
        row: Whether they stand side by side, to be compared with those of other sections.
        axes: What the axes of the pictures are called.
    """

    data: FigureData
    text: str = ""
    heading: str = ""
    small: bool = False
    row: bool = False
    axes: str = "mixed"


def thumbnails(viewed: ViewedBatch) -> FigureData:
    """Panels of samples as they came to a mix: pictures and their classes, and nothing else."""
    pictures, labels = _Pictured.of(viewed).pictures, viewed.content.labels
    rows = range(len(pictures))
    titles = [f"{row}" if labels is None else f"{row}: {viewed.names.of_sample(labels, row)}" for row in rows]
    return FigureData(tuple(map(Panel, titles, pictures)), ())


def unplanned(viewed: ViewedBatch, note: str = words.UNKNOWN_SOURCES, first: int = 0) -> FigureData:
    """Panels of a batch of which nothing is known but what it holds.

    Args:
        viewed: The batch.
        note: What the reader must know.
        first: The sample that is called 0, behind the originals that are kept.
    """
    pictured, labels, names = _Pictured.of(viewed, first), viewed.content.labels, viewed.names
    overlay, classes = pictured.overlay()
    annotations = pictured.annotations(range(first, first + len(pictured.pictures)), overlay)
    panels = tuple(
        Panel(f"Sample {row}", picture, _parts_of_label(labels, names, first + row), annotation=annotations[row])
        for row, picture in enumerate(pictured.pictures)
    )
    spread = "" if unlabelled(labels) else words.smoothing(_class_shares(labels, names)[first:], "class")
    return pictured.data(panels, classes, spread, note)


def planned(viewed: ViewedBatch, plan: Plan, after: Content | None = None) -> FigureData:
    """Panels of a batch and of what a plan makes of it.

    Args:
        viewed: The batch that the plan was drawn for.
        plan: The plan.
        after: What a transform made of it by the plan; ``None`` works it out.
    """
    before, names, most, finder, undo = viewed
    source = _Pictured.of(viewed, None)
    # The whole batch is painted, and not only what is shown: any sample may be a source, and plans fit whole batches.
    images = paint(plan, before.images, finder.layout.axes(before.images, before.where))
    values = undone(source.form.array(images[:most]), undo, before.where)
    mixed = source.form.pictures(values, source.limits)
    overlay, classes = source.overlay()
    own = source.annotations(range(len(source.pictures)), overlay)
    annotations = _annotations_of_mixed(source, plan, overlay, after, range(len(mixed)))

    def part(index: int) -> SourcePart:
        name = names.of_sample(before.labels, index)
        return SourcePart(name, 0.0, None, index, source.pictures[index], own[index])

    panels = []
    for row, picture in enumerate(mixed):
        parts, others = _parts_of_plan(plan, row, part)
        regions = tuple(_pasted_regions(plan, row, parts, source.form))
        pasted = "" if not regions else "box" if regions[0].mask is None else "part"
        partners = [each.index for each in parts[1:] if each.index is not None]
        title = words.sample_title(row, partners, others, pasted)
        panels.append(Panel(title, picture, parts, regions, annotations[row]))
    return source.data(tuple(panels), classes, _smoothing_of_plan(plan, before.labels, names))


def compact(panel: Panel) -> Panel:
    """A panel without its sources beside it, and with a short title."""
    # Rows are compared by what was chosen; names of the partners are in the line below.
    known = [str(part.index) for part in panel.parts if part.index is not None]
    known += ["…"] if known and len(known) < len(panel.parts) else []
    parts = tuple(replace(part, picture=None) for part in panel.parts)
    return replace(panel, title=" + ".join(known) or panel.title, parts=parts)


def same_pictures(first: FigureData, second: FigureData) -> bool:
    """Whether two figures show the same images with the same annotations, but for rounding."""
    alike = len(first.panels) == len(second.panels) and first.scaled == second.scaled
    return alike and all(
        one.picture.shape == other.picture.shape
        and bool((np.abs(one.picture.astype(np.int16) - other.picture) <= 1).all())  # one step of 8 bits
        and same_annotation(one.annotation, other.annotation)
        for one, other in zip(first.panels, second.panels, strict=True)
    )


# ------------------------------------------------------------------------------------------------ pictures


class _Pictured(NamedTuple):
    """A batch whose images are ready to be drawn.

    Attributes:
        viewed: The batch.
        form: How its images become pictures.
        pictures: ``(B, H, W, C)``.
        limits: The values that are drawn black and white.
        notes: What the reader must know.
    """

    viewed: ViewedBatch
    form: PictureView
    pictures: Pictures
    limits: ValueRange
    notes: tuple[str, ...]

    @classmethod
    def of(cls, viewed: ViewedBatch, first: int | None = 0) -> _Pictured:
        """Some images of a batch, from one on; all of them, which may be sources, where that is ``None``."""
        batch = viewed.content
        form = PictureView.of(batch.images, viewed.finder.layout, batch.where)
        array = form.array(batch.images if first is None else batch.images[first : first + viewed.most])
        values = undone(array, viewed.undo, batch.where)
        limits = value_range(values)
        undo = words.NORMALIZE_UNDONE if values is not array else ""
        beside = words.NOT_ANNOTATED if (batch.objects or batch.masks) and not form.is_image else ""
        notes = (*form.notes(limits), undo, _not_finite(values), beside)
        return cls(viewed, form, form.pictures(values, limits), limits, notes)

    def overlay(self) -> tuple[FloatArray | None, tuple[int, ...]]:
        """Colours of masks and the classes in them; none on pictures that are no images."""
        return mask_overlay(self.viewed.content) if self.form.is_image else (None, ())

    def annotations(self, rows: range, overlay: FloatArray | None) -> Sequence[ImageAnnotation]:
        """What is drawn on some samples; nothing on pictures that are no images."""
        if not self.form.is_image:
            return [UNANNOTATED] * len(rows)
        return annotations_of(self.viewed.content, self.viewed.names, rows, overlay)

    def data(self, panels: tuple[Panel, ...], classes: tuple[int, ...], *notes: str) -> FigureData:
        """Panels, and what the reader must know of them."""
        named = tuple((number, self.viewed.names.of_mask(number)) for number in classes)
        return FigureData(panels, tuple(filter(None, (*notes, *self.notes))), named, self.limits.scaled)


def _not_finite(values: NDArray[Any]) -> str:
    count = 0 if values.dtype.kind != "f" else int(values.size - np.isfinite(values).sum())
    return f"{count} values are not finite, and drawn as the lowest." if count else ""


def _annotations_of_mixed(
    source: _Pictured, plan: Plan, overlay: FloatArray | None, after: Content | None, rows: range
) -> Sequence[ImageAnnotation]:
    """What is drawn on mixed samples: what a transform has made, or else what the plan makes of it."""
    form, before, names = source.form, source.viewed.content, source.viewed.names
    if not form.is_image:
        return [UNANNOTATED] * len(rows)
    shares = [objects.shares(plan) for objects in before.objects]
    if after is not None:
        first = first_mixed(after, plan.size)
        return annotations_of(after, names, range(first, first + len(rows)), mask_overlay(after)[0], shares)
    after = read_content(before.with_mixed_objects(plan), source.viewed.finder) if before.objects else before
    if overlay is not None:
        # As label maps are resized: a colour between two classes is of none.
        overlay = paint(plan, overlay, [1 + "HW".index(letter) for letter in form.mixed], ids=True, fill=0)
    return annotations_of(after, names, rows, overlay, shares)


def first_mixed(after: Content, size: int) -> int:
    """Where the mixed samples of a result begin: behind the originals, where a transform keeps them.

    Args:
        after: The result.
        size: How many samples were mixed.
    """
    return size if after.size == 2 * size else 0


# ------------------------------------------------------------------------------------------------ shares


def _smoothing_of_plan(plan: Plan, labels: Any, names: ClassNames) -> str:
    """See :func:`words.smoothing`: over the classes of mixed labels; over samples where classes are not known."""
    own = np.eye(plan.size) if unlabelled(labels) else _class_shares(labels, names)
    spread = np.zeros_like(own)
    for sources, share in zip(plan.sources.T, plan.target_share.T, strict=True):
        spread += share[:, None] * own[sources]
    return words.smoothing(spread, "sample" if unlabelled(labels) else "class")


def _class_shares(labels: Any, names: ClassNames) -> FloatArray:
    """Share of every class that there is, ``(B, N)``."""
    if labels.ndim > 1:
        return np.asarray(labels, np.float64)
    present, place = np.unique(labels, return_inverse=True)
    known = np.array([number != names.ignored for number in present.tolist()], np.float64)
    return (np.eye(len(present)) * known)[place]


def _parts_of_plan(plan: Plan, row: int, describe: Callable[[int], SourcePart]) -> tuple[tuple[SourcePart, ...], int]:
    """The sample itself, then its sources, the largest share first; and how many others are in it."""
    # A source that is painted several times has the sum.
    share, label = (
        np.bincount(plan.sources[row], of[row], plan.size).astype(np.float64) for of in (plan.share, plan.target_share)
    )
    others = [index for index in np.argsort(-share, kind="stable").tolist() if index != row and share[index] > 0]
    # Shares are measured and may differ from declared ones by rounding, which no reader wants to see twice.
    declared = label if not np.allclose(share, label) else None
    return _summed_up([row, *others], share, declared, describe), len(others)


def _parts_of_label(labels: Any, names: ClassNames, row: int) -> tuple[SourcePart, ...]:
    """What the label alone tells: the share of every class, the largest first."""
    if labels is None:
        return ()
    if isinstance(labels, LabelPair):
        weight = float(labels.weight[row])
        both = ((labels.label[row], weight), (labels.partner[row], 1.0 - weight))
        return tuple(SourcePart(names.of_label(label), share) for label, share in both if share > 0)
    if isinstance(labels, LabelMix):
        every = zip(labels.labels[row], labels.share[row].tolist(), strict=True)
        return tuple(SourcePart(names.of_label(label), share) for label, share in every if share > 0)
    shares = np.asarray(labels[row], np.float64)
    if not shares.ndim or shares.sum() > words.SEVERAL:
        return (SourcePart(names.of_label(labels[row]), 1.0),)
    seen = [index for index in np.argsort(-shares, kind="stable").tolist() if shares[index] > 0]
    return _summed_up(seen, shares, None, lambda index: SourcePart(names.of_class(index), 0.0))


def _summed_up(
    seen: Sequence[int], share: FloatArray, label: FloatArray | None, describe: Callable[[int], SourcePart]
) -> tuple[SourcePart, ...]:
    """The first parts one by one, and what is too much for a panel as one."""
    shown = seen if len(seen) <= MOST_PARTS else seen[: MOST_PARTS - 1]
    parts = []
    for index in shown:
        declared = None if label is None else float(label[index])
        parts.append(replace(describe(index), share=float(share[index]), label_share=declared))
    rest = list(seen[len(shown) :])
    if rest:
        total = None if label is None else float(label[rest].sum())
        parts.append(SourcePart(f"{len(rest)} others", float(share[rest].sum()), total))
    return tuple(parts)


# ------------------------------------------------------------------------------------------------ regions


def _pasted_regions(plan: Plan, row: int, parts: Sequence[SourcePart], form: PictureView) -> Iterator[PastedRegion]:
    """The regions of a sample, each with the part that was pasted there."""
    position = {part.index: number for number, part in enumerate(parts)}
    for layer in plan.layers:
        for index in np.flatnonzero(layer.rows == row).tolist():
            part, region = position.get(int(layer.source[index]), len(parts) - 1), layer.region
            if isinstance(region, Boxes) and region.volume[index]:
                inside = form.rectangles(region.start[index].tolist(), region.stop[index].tolist())
                yield PastedRegion(part, tuple(inside))
            elif isinstance(region, Mask) and form.is_image and form.mixed == "HW":
                yield PastedRegion(part, mask=region.values[index])
