"""The explorer for notebooks, and the figure where there are no controls."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mixtransforms.core.errors import EXTRAS, install
from mixtransforms.methods.base import Method
from mixtransforms.objects.boxes import BoxRules
from mixtransforms.show.explorer.subject import starting_point, subject_of

if TYPE_CHECKING:
    from mixtransforms.show.explorer.widget import Explorer
    from mixtransforms.show.picture import Picture

NO_NOTEBOOK = f"The controls need a notebook, and {install(*EXTRAS['notebook'])}"
NO_WIDGETS = f"The controls need ipywidgets: {install(*EXTRAS['notebook'])}"


def explore(
    batch: Any,
    class_names: Sequence[str] | None = None,
    *,
    method: str | Method | None = None,
    max_images: int = 4,
    kinds: Mapping[str | int, Any] | None = None,
    layout: str | None = None,
    boxes: BoxRules | None = None,
    normalized: Any = None,
) -> Explorer | Picture:
    """Controls for a notebook: choose a method and its parameters, and see at once what they make of a batch.

    What is chosen can be copied as code and as JSON, and the next cell can go on with it: ``explorer.transform``,
    ``explorer.plan``, ``explorer.json``. A page that is made of the notebook shows the picture, where the notebook does
    not store the state of widgets; where it does, the page needs a network to show them.

    Args:
        batch: A batch before mixing, in any container that the transforms take, or a list of samples; NumPy or torch.
        class_names: Names in the order of the class ids; ``None`` numbers them. Where labels are class ids, they also
            say ``num_classes``.
        method: Where to begin: the name of a method, or a transform, whose options are kept. After a transform of
            torchvision or Albumentations the others are of that library, too.
        max_images: Most samples, 2 or more. The batch is cut to them first, and they are mixed with each other.
        kinds: As for the transforms: what values are that have no default name.
        layout: As for the transforms: axes of the images.
        boxes: As for the transforms: what is kept of boxes, and how they are written.
        normalized: As for ``show.batch``: what the images were normalised by, which the picture undoes.

    Returns:
        The explorer, which a notebook shows. Without ipywidgets, or outside of a notebook, the figure it would begin
        with; its title says how to get the controls.

    Raises:
        InputError: There are no images, the batch is mixed already, or the first transform does not take it.
        ParameterError: There is no such method.
        MissingDependencyError: matplotlib is not installed.
    """
    told = {"kinds": kinds, "layout": layout, "boxes": boxes}
    start = starting_point(method, {name: value for name, value in told.items() if value is not None})
    subject = subject_of(batch, class_names, max_images, start, normalized)
    lacking = _why_no_controls()
    if lacking:
        return subject.draw(subject.transform(start.name, start.values, start.seed), title=lacking).figure
    from mixtransforms.show.explorer.widget import Explorer  # needs ipywidgets, which are there now

    return Explorer(subject, start)


def _why_no_controls() -> str | None:
    """Why there can be no controls, or ``None``."""
    python = sys.modules.get("IPython")  # a notebook has loaded it
    if python is None or not hasattr(python.get_ipython(), "kernel"):
        return NO_NOTEBOOK
    try:
        import ipywidgets  # noqa: F401
    except ImportError:
        return NO_WIDGETS
    return None
