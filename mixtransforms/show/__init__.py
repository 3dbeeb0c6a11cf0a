"""Pictures of mixed batches: what was mixed, from what, and in which shares. Needs matplotlib, loaded on first use.

All functions return a ``matplotlib.figure.Figure``; notebooks draw it, and ``figure.savefig("batch.png")`` writes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

from mixtransforms.core.errors import InputError, PlanError, explain, missing
from mixtransforms.core.plan import Plan
from mixtransforms.core.schedule import Schedule
from mixtransforms.show import _content, _tiles
from mixtransforms.show._pictures import channels_last
from mixtransforms.targets.boxes import BoxRules
from mixtransforms.targets.labels import LabelPair

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mixtransforms.transform import Trace

__all__ = ["batch", "schedule", "trace"]

_MIXED = (
    "Large: the mixed image, pasted regions outlined. Small: its sources, the sample itself on top. "
    "Bar: the share of each source in the image"
)
_LABELLED = ", and in the label"
_WEIGHTS = "Numbers on objects are their weights, where these are below 1."
_ALONE = "Bar: the share of each class in the label."


def batch(
    batch: Any,
    plan: Plan | None = None,
    class_names: Sequence[str] | None = None,
    max_images: int = 16,
    *,
    kinds: Mapping[str | int, Any] | None = None,
    layout: str | None = None,
    boxes: BoxRules | None = None,
    title: str | None = None,
) -> Figure:
    """Draws a batch; with a plan, what the plan makes of it.

    Boxes, instance masks and keypoints are drawn on the images with the class and the weight of every object, the
    lighter the fainter; of semantic masks every class but 0 has a colour.

    Args:
        batch: A batch in any container that the transforms take, NumPy or torch. With a plan: the batch **before**
            mixing, the one that the plan was drawn for.
        plan: ``None`` draws the batch as it is, mixed or not, with its labels; sources are then unknown.
        class_names: Names in the order of the class ids; ``None`` numbers them.
        max_images: Most tiles.
        kinds: As for the transforms: what values are that have no default name.
        layout: As for the transforms: axes of the images.
        boxes: As for the transforms: how boxes are written that do not say so themselves, more fields of theirs, and,
            with a plan, what is kept of them.
        title: A line above.

    Returns:
        A figure of its own, known to no global state.

    Raises:
        InputError: There are no images, the batch is mixed already, or class names are missing.
        PlanError: The plan was drawn for another batch.
        MissingDependencyError: matplotlib is not installed.
    """
    drawing = _drawing()
    told = _content.Told(kinds, layout, boxes)
    content = _content.content(batch, told)
    naming = _content.Naming(content.labels, class_names)
    if plan is None:
        sheet = _tiles.unplanned(content, naming, max_images, told)
        return drawing.draw(sheet, title, _explained(sheet, _ALONE if content.labels is not None else ""))  # type: ignore[no-any-return]
    if isinstance(content.labels, LabelPair):
        raise InputError(
            explain(
                "The batch is mixed already",
                where="show.batch",
                got="a LabelPair and a plan",
                wanted="the batch before mixing, on which the plan is painted",
                fix="Give the original batch, or leave the plan out.",
            )
        )
    sheet = _tiles.planned(content, (plan,), naming, max_images, told)
    return drawing.draw(sheet, title, _explained(sheet, _mixed(content)))  # type: ignore[no-any-return]


def trace(
    trace: Trace,
    class_names: Sequence[str] | None = None,
    max_images: int = 16,
    *,
    kinds: Mapping[str | int, Any] | None = None,
    layout: str | None = None,
    boxes: BoxRules | None = None,
    title: str | None = None,
) -> Figure:
    """Draws what one call of a pipeline or a transform mixed: ``show.trace(pipeline.trace(batch))``.

    Every tile shows the mixed image with the outline of what was pasted, its sources beside it, and their shares.
    Boxes, masks and keypoints are those of the result. Where later transforms change the images, such as
    ``Normalize``, the picture shows them as they were mixed, with what ``boxes`` keeps of the objects.

    Args:
        trace: What ``trace(...)`` of a pipeline returned.
        class_names: Names in the order of the class ids; ``None`` numbers them.
        max_images: Most tiles.
        kinds: As for the transforms: what values are that have no default name.
        layout: As for the transforms: axes of the images.
        boxes: As for the transforms: how boxes are written that do not say so themselves, more fields of theirs, and
            what is kept of them.
        title: A line above.

    Returns:
        A figure of its own, known to no global state.

    Raises:
        InputError: There are no images, or class names are missing.
        MissingDependencyError: matplotlib is not installed.
    """
    drawing = _drawing()
    options: dict[str, Any] = {"kinds": kinds, "layout": layout, "boxes": boxes, "title": title}
    if not trace.plans:
        return batch(trace.after, None, class_names, max_images, **options)
    told = _content.Told(kinds, layout, boxes)
    before = _content.content(trace.before, told)
    naming = _content.Naming(before.labels, class_names)
    try:
        sheet = _tiles.planned(before, trace.plans, naming, max_images, told, _result(trace.after, told), traced=True)
    except PlanError:  # something between two mixes changed the size of the images
        return batch(trace.after, None, class_names, max_images, **options)
    return drawing.draw(sheet, title, _explained(sheet, _mixed(before)))  # type: ignore[no-any-return]


def schedule(
    schedules: Schedule | Mapping[str, Schedule], epochs: int | None = None, *, title: str | None = None
) -> Figure:
    """Draws the values of schedules over the epochs of a training.

    Args:
        schedules: One, or several by the names of what they set: ``{"alpha": Ramp(0, 0.4, 0, 5)}``.
        epochs: How many epochs; ``None`` goes a little further than the last change.
        title: A line above.

    Returns:
        A figure of its own, known to no global state.

    Raises:
        InputError: There is no schedule, or the number of epochs is not a whole one from 1 on.
        MissingDependencyError: matplotlib is not installed.
    """
    named = schedules if isinstance(schedules, Mapping) else {"value": schedules}
    if not named or not all(isinstance(each, Schedule) for each in named.values()):
        raise InputError(
            explain(
                "No schedule to draw",
                where="show.schedule",
                got=repr(schedules),
                wanted="a schedule such as Ramp(0, 0.4, 0, 5), or a dict of names and schedules",
                fix="Give the parameter of the transform, such as mix.alpha.",
            )
        )
    last = max(each.last for each in named.values())
    count = last + max(last // 4, 2) + 1 if epochs is None else epochs
    if type(count) is not int or count < 1:
        raise InputError(
            explain(
                "No epochs to draw",
                where="show.schedule",
                got=f"epochs={epochs!r}",
                wanted="a whole number from 1 on",
                fix="Leave it out to see all changes.",
            )
        )
    _drawing()
    from mixtransforms.show import _curves

    return _curves.curves(named, count, title)


def _mixed(before: _content.Content) -> str:
    return _MIXED + ("" if before.labels is None else _LABELLED) + "."


def _explained(sheet: _tiles.Sheet, text: str) -> str:
    """What the reader must know of the picture, the weights of objects included where there are any."""
    weighted = any(thing.weight < 1 for tile in sheet.tiles for thing in tile.marks.things)
    return " ".join(part for part in (text, _WEIGHTS * weighted) if part)


def _result(after: Any, told: _content.Told) -> _tiles.Result | None:
    """The result of a pipeline; none where later transforms made something else of its images."""
    try:
        content = _content.content(after, told)
        return _tiles.Result(content, channels_last(content.images, told.layout, content.where))
    except InputError:
        return None


def _drawing() -> ModuleType:
    """The module that draws.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError as reason:
        raise missing("matplotlib", "show", "mixtransforms.show") from reason
    from mixtransforms.show import _draw

    return _draw
