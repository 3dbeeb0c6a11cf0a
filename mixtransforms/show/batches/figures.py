"""Figures of batches: as they are, as a plan mixes them, and as pipelines do."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mixtransforms.core.errors import InputError
from mixtransforms.mixing.epochs import looking
from mixtransforms.mixing.trace import Step, Trace
from mixtransforms.mixing.transform import MixTransform
from mixtransforms.objects.boxes import BoxRules
from mixtransforms.plan import Plan
from mixtransforms.show import words
from mixtransforms.show.batches import panels
from mixtransforms.show.batches.content import Kinds, own_copy, read_content
from mixtransforms.show.batches.normalized import normalizations, normalizations_given
from mixtransforms.show.batches.options import ViewedBatch, ViewOptions, with_shared_arguments
from mixtransforms.show.batches.panels import FigureData, Section
from mixtransforms.targets.label import APART

if TYPE_CHECKING:
    from mixtransforms.show.picture import Picture

Save = str | os.PathLike[str] | None


@with_shared_arguments
def batch(  # noqa: D417  what it shares with others is added to its documentation
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

    Returns:
        A figure of its own, known to no global state.

    Raises:
        InputError: There are no images, the batch is mixed already, or class names are missing.
        PlanError: The plan was drawn for another batch.
        MissingDependencyError: matplotlib is not installed.
    """
    options = ViewOptions(class_names, max_images, kinds, layout, boxes, title, save, axes, normalized)
    if plan is not None:
        _check_type(plan, Plan, "plan", "transform.plan(batch)")
    viewed = options.read(batch, normalizations_given(normalized))
    if plan is None:
        return _figure([_section(panels.unplanned(viewed), _bars_of_labels(viewed))], options)
    if isinstance(viewed.content.labels, APART):
        got, wanted = (
            f"a {type(viewed.content.labels).__name__} and a plan",
            "the batch before mixing, on which the plan is painted",
        )
        fix = "Give the original batch, or leave the plan out."
        raise InputError("The batch is mixed already", where="show.batch", got=got, wanted=wanted, fix=fix)
    return _figure([_section(panels.planned(viewed, plan), _explained(viewed))], options)


@with_shared_arguments
def trace(  # noqa: D417  what it shares with others is added to its documentation
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

    Returns:
        A figure of its own, known to no global state.

    Raises:
        InputError: There are no images, or class names are missing.
        MissingDependencyError: matplotlib is not installed.
    """
    options = ViewOptions(class_names, max_images, kinds, layout, boxes, title, save)
    _check_type(trace, Trace, "trace", "pipeline.trace(batch)")
    return _figure(list(_stage_sections(trace, options)), options)


@with_shared_arguments
def compare(  # noqa: D417  what it shares with others is added to its documentation
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

    Returns:
        A figure of its own, known to no global state.

    Raises:
        InputError: There is nothing to compare, or what ``batch`` and a pipeline say of themselves does not fit.
        MissingDependencyError: matplotlib is not installed.
    """
    options = ViewOptions(class_names, max_images, kinds, layout, boxes, title, save)
    sections: list[Section] = []
    for name, pipeline in _named_pipelines(pipelines).items():
        *_, last = _stage_sections(_traced(pipeline, own_copy(batch)), options)
        row = tuple(map(panels.compact, last.data.panels))
        notes = tuple(note for note in last.data.notes if note != words.UNKNOWN_SOURCES)
        known = any(part.index is not None for panel in row for part in panel.parts)
        text = words.BARS_OF_SOURCES if known else words.BARS_OF_LABELS if any(panel.parts for panel in row) else ""
        for index, former in enumerate(sections):  # said once, behind the last row that it is said of
            sections[index] = former._replace(text="" if former.text == text else former.text)
        data = last.data._replace(panels=row, notes=notes)
        sections.append(last._replace(data=data, heading=name, row=True, text=text))
    return _figure(sections, options)


def _traced(pipeline: Any, batch: Any) -> Trace:
    """A call; a batch of named values is given by keywords, as Albumentations wants it and nobody else minds."""
    named = isinstance(batch, Mapping) and all(isinstance(name, str) for name in batch)
    with looking(pipeline):  # which may train in another cell
        traced: Trace = pipeline.trace(**batch) if named else pipeline.trace(batch)
    return traced


def _stage_sections(trace: Trace, options: ViewOptions) -> Iterator[Section]:
    """A section for every stage of a call."""
    if not trace.steps:
        after = options.read(trace.after, normalizations(trace.transforms))
        yield _section(panels.unplanned(after, words.NOTHING_MIXES), _bars_of_labels(after))
        return
    place = -1
    for number, step in enumerate(trace.steps):
        # The same object may stand in a pipeline twice: its second step is behind the first.
        place = next((i for i, each in enumerate(trace.transforms) if i > place and each is step.mix), place)
        earlier = trace.transforms[: max(place, 0)]
        before = options.read(step.before, normalizations(earlier), step, step.mix.ignore_index)
        if step.plan.size > before.content.size:
            raise _no_picture_of_two(step)
        if not number:
            heading = "Before the mix" + _after([each for each in earlier if not hasattr(each, "plan")])
            yield _section(panels.thumbnails(before), heading=heading, small=True, axes="before")
        mixed = panels.planned(before, step.plan, read_content(step.after, before.finder))
        ordinal = f"{number + 1}. " if len(trace.steps) > 1 else ""
        yield _section(mixed, _explained(before), heading=f"{ordinal}Mixed by {_mix_in_words(step)}")
    later = trace.transforms[place + 1 :]
    if later:
        yield from _result(trace, mixed, options, f"Result{_after(later)}")


def _no_picture_of_two(step: Step) -> InputError:
    return InputError(
        "No picture of two batches",
        where="show",
        got=f"{type(step.mix).__name__} with partners of a second batch or a bank, which its trace does not hold",
        wanted="a mix within one batch",
        fix="Show the result, show.batch(trace.after); or the samples of both in one batch by the plan, "
        "show.batch(both, trace.plans[0]).",
    )


def _mix_in_words(step: Step) -> str:
    """What mixes: the methods that a choice chooses from, and the epoch where it changes anything."""
    inside = getattr(step.mix, "transforms", None) or [step.mix]
    names = list(dict.fromkeys(type(each).__name__ for each in inside))
    key = step.plan.key
    when = f", epoch {key.epoch or 0}" if step.mix.method.moves and key is not None else ""
    return f"{' or '.join(names)}{when}"


def _after(transforms: Sequence[Any]) -> str:
    names = [type(transform).__name__ for transform in transforms]
    return f", after {words.enumerated(names)}" if names else ""


def _result(trace: Trace, mixed: FigureData, options: ViewOptions, heading: str) -> Iterator[Section]:
    """The result of a pipeline, where transforms behind the last mix have changed its pictures."""
    last = trace.steps[-1]
    try:
        after = options.read(trace.after, normalizations(trace.transforms), last)
    except InputError as reason:
        note = f"The result cannot be drawn: {str(reason).splitlines()[0]}"
        yield _section(FigureData((), (note,)), heading=heading, axes="result")
        return
    data = panels.unplanned(after, "", panels.first_mixed(after.content, last.plan.size))
    if not panels.same_pictures(data, mixed):
        yield _section(data, _bars_of_labels(after), heading=heading, axes="result")


def _named_pipelines(pipelines: Mapping[str, Any] | Sequence[Any]) -> dict[str, Any]:
    """Pipelines by name; of a list, by what is in them."""
    if isinstance(pipelines, Mapping):
        named = {str(name): pipeline for name, pipeline in pipelines.items()}
    else:
        listed = list(pipelines) if isinstance(pipelines, (list, tuple)) else []
        named = {f"{number}. {_mixes_in(each)}": each for number, each in enumerate(listed, start=1)}
    if not named or not all(hasattr(pipeline, "stream_state") for pipeline in named.values()):
        got = ", ".join(type(each).__name__ for each in (named.values() or [pipelines]))
        wanted = "pipelines or transforms of mixtransforms, in a list or by name"
        fix = "Put a host's own Compose into a BatchCompose."
        raise InputError("Nothing to compare", where="show.compare", got=got, wanted=wanted, fix=fix)
    return named


def _mixes_in(pipeline: Any) -> str:
    """What mixes in a pipeline; its name where nothing does."""
    mixes = [repr(each) for each in getattr(pipeline, "transforms", ()) if isinstance(each, MixTransform)]
    alone = isinstance(pipeline, MixTransform)
    return repr(pipeline) if alone else ", then ".join(mixes) or type(pipeline).__name__


def _explained(before: ViewedBatch) -> str:
    return words.mixed_panels(before.content.labels is not None)


def _bars_of_labels(viewed: ViewedBatch) -> str:
    return "" if viewed.content.labels is None else words.BARS_OF_LABELS


def _section(data: FigureData, text: str = "", **options: Any) -> Section:
    drawn = [each for panel in data.panels for each in panel.annotation.objects]
    weights = words.OBJECT_WEIGHTS * any(each.weight < words.WHOLE for each in drawn)
    hidden = words.HIDDEN_OBJECTS * any(each.hidden for each in drawn)
    return Section(data, " ".join(part for part in (text, weights, hidden) if part), **options)


def _figure(sections: Sequence[Section], options: ViewOptions) -> Picture:
    from mixtransforms.show.batches.draw import draw_sections
    from mixtransforms.show.picture import finished

    return finished(draw_sections(sections, options.title), _alt_text(sections, options.title), options.save)


def _alt_text(sections: Sequence[Section], title: str | None) -> str:
    """What is on a figure, in words."""
    said = [title or ""]
    for section in sections:
        told = [
            words.with_shares(each.title, [(part.name, part.share) for part in each.parts])
            for each in section.data.panels
        ]
        said += [section.heading, *told, *section.data.notes]
    return words.sentences(said)


def _check_type(value: Any, cls: type, where: str, source: str) -> None:
    if not isinstance(value, cls):
        got, wanted = type(value).__name__, f"what {source} returns"
        fix = "Name the arguments, such as class_names=[...], where they are not the first."
        raise InputError(f"Not a {cls.__name__}", where=where, got=got, wanted=wanted, fix=fix)
