"""Figures of batches: as they are, as a plan mixes them, and as pipelines do."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mixtransforms.batch.batch import copied
from mixtransforms.core.errors import InputError
from mixtransforms.mixing.trace import Trace
from mixtransforms.objects.boxes import BoxRules
from mixtransforms.plan import Plan
from mixtransforms.show.batches.content import Content, Kinds, Naming, content, reader
from mixtransforms.show.batches.marks import WHOLE
from mixtransforms.show.batches.normalized import normalizations, told
from mixtransforms.show.batches.tiles import (
    UNKNOWN,
    Look,
    Sheet,
    Tile,
    compact,
    percent,
    planned,
    same_pictures,
    thumbnails,
    unplanned,
)
from mixtransforms.show.needs import need_matplotlib
from mixtransforms.targets.label import LabelPair

if TYPE_CHECKING:
    from mixtransforms.show.batches.draw import Section
    from mixtransforms.show.style import Picture

Save = str | os.PathLike[str] | None

_MIXED = (
    "Large: the mixed image, pasted regions outlined. Small: its sources, the sample itself on top. "
    "Bar: the share of each source in the image"
)
_LABELLED = ", and in the label"
_WEIGHTS = "Numbers on objects are their weights, where these are below 1."
_HIDDEN = "Dashed: objects of which a part is hidden."
_ALONE = "Bar: the share of each class in the label."
_ACROSS = "Bar: the share of each source in the image; pasted regions are outlined."


def batch(
    batch: Any,
    plan: Plan | None = None,
    class_names: Sequence[str] | None = None,
    max_images: int = 16,
    *,
    kinds: Kinds | None = None,
    layout: str | None = None,
    axes: str | None = None,
    boxes: BoxRules | None = None,
    normalized: Any = None,
    title: str | None = None,
    save: Save = None,
) -> Picture:
    """Draws a batch; with a plan, what the plan makes of it.

    Boxes, instance masks and keypoints are drawn on the images with the class and the weight of every object, the
    lighter the fainter, and dashed where a part of it is hidden; of semantic masks every class but 0 has a colour. A
    few frames of videos and volumes stand side by side; signals and spectrograms are drawn over time.

    Args:
        batch: A batch in any container that the transforms take, NumPy or torch. With a plan: the batch **before**
            mixing, the one that the plan was drawn for.
        plan: ``None`` draws the batch as it is, mixed or not, with its labels; sources are then unknown.
        class_names: Names in the order of the class ids; ``None`` numbers them.
        max_images: Most tiles, 1 or more.
        kinds: As for the transforms: what values are that have no default name.
        layout: As for the transforms: axes of the images.
        axes: As for the transforms: which axes are mixed.
        boxes: As for the transforms: how boxes are written that do not say so themselves, more fields of theirs, and,
            with a plan, what is kept of them.
        normalized: What the images were normalised by, which the picture undoes: a ``Normalize`` of either host, a
            pipeline with one, or ``(mean, std)``. Float images that are outside of [0, 1] are scaled otherwise.
        title: A line above.
        save: A file to write the figure to; PNG, SVG and PDF files say in words what is on it.

    Returns:
        A figure of its own, known to no global state.

    Raises:
        InputError: There are no images, the batch is mixed already, or class names are missing.
        PlanError: The plan was drawn for another batch.
        MissingDependencyError: matplotlib is not installed.
    """
    _check_drawable(max_images)
    if plan is not None:
        _check_type(plan, Plan, "plan", "transform.plan(batch)")
    found = content(batch, reader(kinds, layout, boxes, axes))
    look = Look(
        Naming(found.labels, _names(class_names)), max_images, reader(kinds, layout, boxes, axes), told(normalized)
    )
    if plan is None:
        return _figure([_section(unplanned(found, look), _labels_alone(found))], title, save)
    if isinstance(found.labels, LabelPair):
        raise InputError(
            "The batch is mixed already",
            where="show.batch",
            got="a LabelPair and a plan",
            wanted="the batch before mixing, on which the plan is painted",
            fix="Give the original batch, or leave the plan out.",
        )
    return _figure([_section(planned(found, plan, look), _mixed(found))], title, save)


def trace(
    trace: Trace,
    class_names: Sequence[str] | None = None,
    max_images: int = 16,
    *,
    kinds: Kinds | None = None,
    layout: str | None = None,
    boxes: BoxRules | None = None,
    title: str | None = None,
    save: Save = None,
) -> Picture:
    """Draws every stage of one call of a pipeline or a transform: ``show.trace(pipeline.trace(batch))``.

    First the samples as they came to the first mix; then, for every mix, the mixed images with the outline of what was
    pasted, their sources beside them, and their shares; at last the result, where later transforms have changed it.
    What ``Normalize`` has done, before a mix or after it, is undone in the pictures.

    Args:
        trace: What ``trace(...)`` of a pipeline or a transform returned.
        class_names: Names in the order of the class ids; ``None`` numbers them.
        max_images: Most tiles of a stage, 1 or more.
        kinds: What values are that neither a default name nor the transform says.
        layout: Axes of the images, where the transform does not say.
        boxes: How boxes are written, where neither they nor the transform say so.
        title: A line above.
        save: A file to write the figure to; PNG, SVG and PDF files say in words what is on it.

    Returns:
        A figure of its own, known to no global state.

    Raises:
        InputError: There are no images, or class names are missing.
        MissingDependencyError: matplotlib is not installed.
    """
    _check_drawable(max_images)
    _check_type(trace, Trace, "trace", "pipeline.trace(batch)")
    told_by_user = {"kinds": kinds, "layout": layout, "boxes": boxes}
    return _figure(list(_stages(trace, class_names, max_images, told_by_user)), title, save)


def compare(
    pipelines: Mapping[str, Any] | Sequence[Any],
    batch: Any,
    class_names: Sequence[str] | None = None,
    max_images: int = 6,
    *,
    kinds: Kinds | None = None,
    layout: str | None = None,
    boxes: BoxRules | None = None,
    title: str | None = None,
    save: Save = None,
) -> Picture:
    """Lays several pipelines over the same samples: one row each, one column a sample.

    Args:
        pipelines: By name, or a list, which is named by what is in them: pipelines and transforms of one host.
        batch: A batch, or a list of samples, that all of them take. It is left alone, and so are the counts of calls of
            seeded pipelines; without a seed, they draw from the host's generator as any call does.
        class_names: Names in the order of the class ids; ``None`` numbers them.
        max_images: Most samples, 1 or more.
        kinds: What values are that neither a default name nor the transforms say.
        layout: Axes of the images, where the transforms do not say.
        boxes: How boxes are written, where neither they nor the transforms say so.
        title: A line above.
        save: A file to write the figure to; PNG, SVG and PDF files say in words what is on it.

    Returns:
        A figure of its own, known to no global state.

    Raises:
        InputError: There is nothing to compare, or what ``batch`` and a pipeline say of themselves does not fit.
        MissingDependencyError: matplotlib is not installed.
    """
    _check_drawable(max_images)
    named = _named(pipelines)
    told_by_user = {"kinds": kinds, "layout": layout, "boxes": boxes}
    sections: list[Section] = []
    for name, pipeline in named.items():
        *_, last = _stages(_traced(pipeline, copied(batch)), class_names, max_images, told_by_user)
        tiles = tuple(compact(tile) for tile in last.sheet.tiles)
        notes = tuple(note for note in last.sheet.notes if note != UNKNOWN)
        sheet = last.sheet._replace(tiles=tiles, notes=notes)
        known = any(part.index is not None for tile in tiles for part in tile.parts)
        text = _ACROSS if known else _ALONE if any(tile.parts for tile in tiles) else ""
        for index, former in enumerate(sections):  # said once, behind the last row that it is said of
            sections[index] = former._replace(text="" if former.text == text else former.text)
        sections.append(last._replace(sheet=sheet, heading=name, row=True, text=text))
    return _figure(sections, title, save)


def _traced(pipeline: Any, batch: Any) -> Trace:
    """A call; a batch of named values is given by keywords, as Albumentations wants it and nobody else minds."""
    named = isinstance(batch, Mapping) and all(isinstance(name, str) for name in batch)
    state = pipeline.stream_state()
    try:
        traced: Trace = pipeline.trace(**batch) if named else pipeline.trace(batch)
    finally:
        pipeline.load_stream_state(state)  # looking does not count
    return traced


def _stages(
    trace: Trace, class_names: Sequence[str] | None, count: int, told_by_user: Mapping[str, Any]
) -> Iterator[Section]:
    """A section for every stage of a call."""
    if not trace.steps:
        read = reader(**told_by_user)
        after = content(trace.after, read)
        look = Look(Naming(after.labels, _names(class_names)), count, read, normalizations(trace.transforms))
        yield _section(unplanned(after, look, "Nothing mixes in this pipeline."), _labels_alone(after))
        return
    place = -1
    sheet: Sheet | None = None
    for number, step in enumerate(trace.steps):
        place = next((i for i, each in enumerate(trace.transforms) if i > place and each is step.mix), place)
        read = reader(**told_by_user, known=step.finder)
        before = content(step.before, read)
        naming = Naming(before.labels, _names(class_names), step.mix.ignore_index)
        look = Look(naming, count, read, normalizations(trace.transforms[: max(place, 0)]))
        if not number:
            heading = _before(trace.transforms[: max(place, 0)])
            yield _section(thumbnails(before, look), heading=heading, small=True, axes="before")
        sheet = planned(before, step.plan, look, content(step.after, read))
        ordinal = f"{number + 1}. " if len(trace.steps) > 1 else ""
        yield _section(sheet, _mixed(before), heading=f"{ordinal}Mixed by {type(step.mix).__name__}")
    later = trace.transforms[place + 1 :]
    if later and sheet is not None:
        yield from _result(trace, sheet, look, [type(transform).__name__ for transform in later], class_names)


def _before(earlier: Sequence[Any]) -> str:
    names = [type(transform).__name__ for transform in earlier if not hasattr(transform, "plan")]
    return "Before the mix" + (f", after {_listed(names)}" if names else "")


def _result(
    trace: Trace, mixed: Sheet, look: Look, later: Sequence[str], class_names: Sequence[str] | None
) -> Iterator[Section]:
    """The result of a pipeline, where transforms behind the last mix have changed its pictures."""
    heading = f"Result, after {_listed(later)}"
    try:
        after = content(trace.after, look.reader)
    except InputError as reason:
        note = f"The result cannot be drawn: {str(reason).splitlines()[0]}"
        yield _section(Sheet((), (note,)), heading=heading, axes="result")
        return
    look = look._replace(naming=Naming(after.labels, _names(class_names)), done=normalizations(trace.transforms))
    size = trace.steps[-1].plan.size
    first = size if after.found.spec.size == 2 * size else 0  # originals come first where they are kept
    sheet = unplanned(after, look, "", first)
    if not same_pictures(sheet, mixed):
        yield _section(sheet, _labels_alone(after), heading=heading, axes="result")


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _named(pipelines: Mapping[str, Any] | Sequence[Any]) -> dict[str, Any]:
    """Pipelines by name; of a list, by what is in them."""
    if isinstance(pipelines, Mapping):
        named = {str(name): pipeline for name, pipeline in pipelines.items()}
    else:
        listed = list(pipelines) if isinstance(pipelines, (list, tuple)) else []
        named = {f"{number}. {_content_of(each)}": each for number, each in enumerate(listed, start=1)}
    if not named or not all(hasattr(pipeline, "stream_state") for pipeline in named.values()):
        raise InputError(
            "Nothing to compare",
            where="show.compare",
            got=", ".join(type(each).__name__ for each in (named.values() or [pipelines])),
            wanted="pipelines or transforms of mixtransforms, in a list or by name",
            fix="Put a host's own Compose into a BatchCompose.",
        )
    return named


def _content_of(pipeline: Any) -> str:
    """What mixes in a pipeline; its name where nothing does."""
    from mixtransforms.mixing.transform import MixTransform

    mixes = [repr(each) for each in getattr(pipeline, "transforms", ()) if isinstance(each, MixTransform)]
    alone = isinstance(pipeline, MixTransform)
    return repr(pipeline) if alone else ", then ".join(mixes) or type(pipeline).__name__


def _mixed(before: Content) -> str:
    return _MIXED + ("" if before.labels is None else _LABELLED) + "."


def _labels_alone(found: Content) -> str:
    return "" if found.labels is None else _ALONE


def _section(sheet: Sheet, text: str = "", **options: Any) -> Section:
    from mixtransforms.show.batches.draw import Section

    things = [thing for tile in sheet.tiles for thing in tile.marks.things]
    weights = _WEIGHTS * any(thing.weight < WHOLE for thing in things)
    hidden = _HIDDEN * any(thing.hidden for thing in things)
    return Section(sheet, " ".join(part for part in (text, weights, hidden) if part), **options)


def _figure(sections: Sequence[Section], title: str | None, save: Save) -> Picture:
    from mixtransforms.show.batches.draw import draw
    from mixtransforms.show.style import finished

    return finished(draw(sections, title), _alt(sections, title), save)


def _alt(sections: Sequence[Section], title: str | None) -> str:
    """What is on a figure, in words."""
    said = [title or ""]
    for section in sections:
        said.append(section.heading)
        said += [_told_of(tile) for tile in section.sheet.tiles]
        said += section.sheet.notes
    return " ".join(part if part.endswith((".", ":")) else f"{part}." for part in said if part)


def _told_of(tile: Tile) -> str:
    shares = ", ".join(f"{part.name} {percent(part.share)}" for part in tile.parts)
    return f"{tile.title} ({shares})" if shares else tile.title


def _names(names: Any) -> Sequence[str] | None:
    """Names of classes, by their ids.

    Raises:
        InputError: They are no sequence.
    """
    if names is None:
        return None
    if isinstance(names, (Sequence, np.ndarray)) and not isinstance(names, str):
        return list(names)
    raise InputError(
        "No names of classes",
        where="class_names",
        got=type(names).__name__,
        wanted="a list of names in the order of the class ids",
        fix="Give a list, such as ['cat', 'dog'].",
    )


def _check_type(value: Any, cls: type, where: str, source: str) -> None:
    if not isinstance(value, cls):
        raise InputError(
            f"Not a {cls.__name__}",
            where=where,
            got=type(value).__name__,
            wanted=f"what {source} returns",
            fix="Name the arguments, such as class_names=[...], where they are not the first.",
        )


def _check_drawable(max_images: int) -> None:
    """Raises where nothing can be drawn, before anything is worked out."""
    number: Any = max_images
    if isinstance(number, bool) or not isinstance(number, (int, np.integer)) or number < 1:
        raise InputError(
            "No number of tiles",
            where="max_images",
            got=repr(max_images),
            wanted="a whole number from 1 on",
            fix="Leave it out for the usual number.",
        )
    need_matplotlib()
