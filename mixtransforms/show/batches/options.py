"""What figures of batches are told: one record of the arguments that they share, and one text of each."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import numpy as np

from mixtransforms.batch.inventory import Finder
from mixtransforms.core.errors import InputError
from mixtransforms.mixing.trace import Step
from mixtransforms.objects.boxes import BoxRules
from mixtransforms.show.batches.content import Content, Kinds, known_finder, read_content
from mixtransforms.show.batches.normalized import Normalization
from mixtransforms.show.needs import need_matplotlib, need_whole_number
from mixtransforms.show.words import SEVERAL, WHOLE
from mixtransforms.targets.label import APART

Drawing = TypeVar("Drawing", bound=Callable[..., Any])


class ClassNames(NamedTuple):
    """How classes are called, and samples by their classes.

    Attributes:
        names: In the order of the class ids, or ``None``.
        ignored: The id of samples without a class, or ``None``.
    """

    names: Sequence[str] | None
    ignored: int | None = None

    def of_sample(self, labels: Any, index: int) -> str:
        """The class of a sample; the sample itself where no class is known, see :func:`unlabelled`."""
        return f"sample {index}" if unlabelled(labels) else self.of_label(labels[index])

    def of_label(self, label: Any) -> str:
        """The class of one label, an id or a row of the share of every class."""
        if np.ndim(label) == 0:
            return self.of_class(int(label))
        if np.sum(label) > SEVERAL:  # multi-hot: every class that is there, without shares, which would not sum to 1
            return ", ".join(self.of_class(number) for number in np.flatnonzero(label).tolist())
        name, top = self.of_class(int(np.argmax(label))), float(np.max(label))
        return name if top > WHOLE else f"{name} ({top:.2f})"

    def of_class(self, class_id: int) -> str:
        """The name of a class."""
        if class_id == self.ignored:
            return "no class"
        if self.names is None or class_id < 0:  # negative ids mark unlabelled samples
            return f"class {class_id}"
        if class_id >= len(self.names):
            got, fix = f"{len(self.names)} names and class {class_id}", "Give all names, in the order of the class ids."
            wanted = "a name for every class"
            raise InputError("Too few class names", where="class_names", got=got, wanted=wanted, fix=fix)
        return str(self.names[class_id])

    def of_mask(self, class_id: int) -> str:
        """The name of a class of masks, where ids beyond the names mark pixels without a class, such as 255."""
        known = self.names is not None and class_id < len(self.names)
        return self.of_class(class_id) if known else f"class {class_id}"


class ViewedBatch(NamedTuple):
    """A batch, and how it is looked at.

    Attributes:
        content: What it holds.
        names: Names of the classes.
        most: Most panels.
        finder: What values are called.
        undo: What is undone before the images are drawn.
    """

    content: Content
    names: ClassNames
    most: int
    finder: Finder
    undo: tuple[Normalization, ...]


@dataclass(frozen=True)
class ViewOptions:
    """What :func:`~mixtransforms.show.batch`, ``trace`` and ``compare`` are told alike.

    Attributes:
        class_names: Names in the order of the class ids; ``None`` numbers them.
        max_images: Most samples that are drawn, of every stage, 1 or more.
        kinds: As for the transforms: what values are that have no default name. What a drawn
            transform was told of values, axes and boxes need not be said again.
        layout: As for the transforms: axes of the images.
        boxes: As for the transforms: how boxes are written that do not say so themselves, more fields of theirs, and,
            with a plan, what is kept of them.
        title: A line above.
        save: A file to write the figure to; PNG, SVG and PDF files say in words what is on it.
        axes: As for the transforms: which axes are mixed.
        normalized: What the images were normalised by, which the picture undoes: a ``Normalize`` of either host, a
            pipeline with one, or ``(mean, std)``. Float images that are outside of [0, 1] are scaled otherwise.

    Raises:
        InputError: ``max_images`` is no whole number from 1 on.
        MissingDependencyError: matplotlib is not installed.
    """

    class_names: Any
    max_images: int
    kinds: Kinds | None
    layout: str | None
    boxes: BoxRules | None
    title: str | None
    save: str | os.PathLike[str] | None
    axes: str | None = None
    normalized: Any = None

    def __post_init__(self) -> None:
        """Raises where nothing can be drawn, before anything is worked out."""
        usual = "Leave it out for the usual number."
        need_whole_number(self.max_images, 1, "No number of tiles", "max_images", fix=usual)
        need_matplotlib()

    def read(
        self, batch: Any, undo: tuple[Normalization, ...], step: Step | None = None, ignored: int | None = None
    ) -> ViewedBatch:
        """A batch as it is looked at.

        Args:
            batch: In any container.
            undo: What is undone before its images are drawn.
            step: The mix that it came to or from, whose transform knew more of it.
            ignored: The id of samples without a class.

        Raises:
            InputError: There are no images, or the names of the classes are no sequence.
        """
        finder, names = known_finder(self.kinds, self.layout, self.boxes, self.axes, step), self.class_names
        content = read_content(batch, finder)
        if names is not None and (isinstance(names, str) or not isinstance(names, (Sequence, np.ndarray))):
            wanted, fix = "a list of names in the order of the class ids", "Give a list, such as ['cat', 'dog']."
            got = type(names).__name__
            raise InputError("No names of classes", where="class_names", got=got, wanted=wanted, fix=fix)
        named = ClassNames(None if names is None else list(names), ignored)
        return ViewedBatch(content, named, self.max_images, finder, undo)


def with_shared_arguments(drawing: Drawing) -> Drawing:
    """Completes the documentation of a function by what :class:`ViewOptions` says of its arguments.

    Every argument of the signature that the function does not explain itself is explained in their order.
    """
    # At run time, as matplotlib does it: help() and notebooks show one text a figure, and no figure says it otherwise.
    # getdoc, since Python 3.13 takes the indentation away and others do not; python -OO has no documentation.
    text, shared = inspect.getdoc(drawing) or "", inspect.getdoc(ViewOptions) or ""
    entries = re.split(r"\n    (?=\w+: )", shared.partition("\n\nRaises:")[0])[1:]
    known = {entry.partition(":")[0]: entry for entry in entries}
    names = inspect.signature(drawing).parameters
    missing = [known[name] for name in names if name in known and f"\n    {name}: " not in text]
    head, end, rest = text.partition("\n\nReturns:")
    drawing.__doc__ = "".join([head, *(f"\n    {entry}" for entry in missing), end, rest]) or None
    return drawing


def unlabelled(labels: Any) -> bool:
    """Whether labels of a batch tell no class of a sample; those of several sources are told as shares."""
    return labels is None or isinstance(labels, APART)
