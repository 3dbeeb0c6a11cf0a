"""Pictures of mixed batches: what was mixed, from what, and in which shares. Needs matplotlib, loaded on first use.

Both functions return a ``matplotlib.figure.Figure``; notebooks draw it, and ``figure.savefig("batch.png")`` writes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core.errors import InputError, PlanError, explain, missing
from mixtransforms.core.plan import Plan
from mixtransforms.show import _content, _tiles
from mixtransforms.show._pictures import channels_last
from mixtransforms.targets.labels import LabelPair

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mixtransforms.transform import Trace

__all__ = ["batch", "trace"]

_MIXED = (
    "Large: the mixed image, pasted regions outlined. Small: its sources, the sample itself on top. "
    "Bar: the share of each source in the image, and in the label."
)
_ALONE = "Bar: the share of each class in the label."


def batch(
    batch: Any,
    plan: Plan | None = None,
    class_names: Sequence[str] | None = None,
    max_images: int = 16,
    *,
    kinds: Mapping[str | int, str] | None = None,
    layout: str | None = None,
    title: str | None = None,
) -> Figure:
    """Draws a batch; with a plan, what the plan makes of it.

    Args:
        batch: A batch in any container that the transforms take, NumPy or torch. With a plan: the batch **before**
            mixing, the one that the plan was drawn for.
        plan: ``None`` draws the batch as it is, mixed or not, with its labels; sources are then unknown.
        class_names: Names in the order of the class ids; ``None`` numbers them.
        max_images: Most tiles.
        kinds: As for the transforms: what values are that have no default name.
        layout: As for the transforms: axes of the images.
        title: A line above.

    Returns:
        A figure of its own, known to no global state.

    Raises:
        InputError: There are no images, the batch is mixed already, or class names are missing.
        PlanError: The plan was drawn for another batch.
        MissingDependencyError: matplotlib is not installed.
    """
    drawing = _drawing()
    content = _content.content(batch, kinds)
    naming = _content.Naming(content.labels, class_names)
    if plan is None:
        sheet = _tiles.unplanned(content, naming, max_images, layout)
        return drawing.draw(sheet, title, _ALONE if content.labels is not None else "")  # type: ignore[no-any-return]
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
    sheet = _tiles.planned(content, (plan,), naming, max_images, layout, None)
    return drawing.draw(sheet, title, _MIXED)  # type: ignore[no-any-return]


def trace(
    trace: Trace,
    class_names: Sequence[str] | None = None,
    max_images: int = 16,
    *,
    kinds: Mapping[str | int, str] | None = None,
    layout: str | None = None,
    title: str | None = None,
) -> Figure:
    """Draws what one call of a pipeline or a transform mixed: ``show.trace(pipeline.trace(batch))``.

    Every tile shows the mixed image with the outline of what was pasted, its sources beside it, and their shares.
    Where later transforms change the result, such as ``Normalize``, the picture shows it as it was mixed.

    Args:
        trace: What ``trace(...)`` of a pipeline returned.
        class_names: Names in the order of the class ids; ``None`` numbers them.
        max_images: Most tiles.
        kinds: As for the transforms: what values are that have no default name.
        layout: As for the transforms: axes of the images.
        title: A line above.

    Returns:
        A figure of its own, known to no global state.

    Raises:
        InputError: There are no images, or class names are missing.
        MissingDependencyError: matplotlib is not installed.
    """
    drawing = _drawing()
    if not trace.plans:
        return batch(trace.after, None, class_names, max_images, kinds=kinds, layout=layout, title=title)
    before = _content.content(trace.before, kinds)
    naming = _content.Naming(before.labels, class_names)
    try:
        sheet = _tiles.planned(before, trace.plans, naming, max_images, layout, _result(trace.after, kinds, layout))
    except PlanError:  # something between two mixes changed the size of the images
        return batch(trace.after, None, class_names, max_images, kinds=kinds, layout=layout, title=title)
    return drawing.draw(sheet, title, _MIXED)  # type: ignore[no-any-return]


def _result(after: Any, kinds: Mapping[str | int, str] | None, layout: str | None) -> NDArray[Any]:
    """Images of the result, ``(B, H, W, C)``; none where later transforms made something else of them."""
    try:
        content = _content.content(after, kinds)
        return channels_last(content.images, layout, content.where)
    except InputError:
        return np.zeros((0, 1, 1, 3), np.uint8)


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
