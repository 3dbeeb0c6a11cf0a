"""What a batch holds that a picture shows: images, labels, what stands beside them, and the names of samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from mixtransforms.batch.batch import Found
from mixtransforms.batch.inventory import Finder
from mixtransforms.batch.read import collated, find_batch
from mixtransforms.containers.tree import is_picture, spell, walk
from mixtransforms.core.backends import backend_of
from mixtransforms.core.errors import InputError
from mixtransforms.core.layout import Layout
from mixtransforms.kernels import kernel_of
from mixtransforms.objects.boxes import BoxRules
from mixtransforms.targets.label import LabelPair
from mixtransforms.targets.names import IMAGE, LABEL

Kinds = Mapping[str | int, Any]

SEVERAL = 1.005
"""A row of labels that sums to more names several classes of one sample."""


class Content(NamedTuple):
    """What a batch holds.

    Attributes:
        images: One array; padded where they were of unequal sizes.
        where: Their place, for errors.
        labels: ``(B,)`` or ``(B, K)`` on the host, a :class:`LabelPair` of these, or ``None``.
        found: Everything, as it is found for mixing.
    """

    images: Any
    where: str
    labels: Any
    found: Found


def reader(
    kinds: Kinds | None = None,
    layout: str | None = None,
    boxes: BoxRules | None = None,
    axes: str | None = None,
    known: Finder | None = None,
) -> Finder:
    """What values are called, as the user says, and where he says nothing, as a transform knew it.

    Args:
        kinds: What values are that have no default name.
        layout: Axes of the images.
        boxes: How boxes are written that do not say so themselves.
        axes: Which axes are mixed.
        known: What a transform knew.
    """
    known = known or Finder({}, (), BoxRules())
    return Finder(
        {**known.kinds, **(kinds or {})},
        known.passthrough,
        boxes or known.boxes,
        known.points,
        strict=False,
        layout=Layout(layout or known.layout.name, axes or known.layout.mixed),
    )


class Naming(NamedTuple):
    """How samples are named.

    Attributes:
        labels: As in :class:`Content`.
        names: Names of the classes, or ``None``.
        ignored: The id of samples without a class, or ``None``.
    """

    labels: Any
    names: Sequence[str] | None
    ignored: int | None = None

    def sample(self, index: int) -> str:
        """The class of a sample; the sample itself where there are no labels."""
        if self.labels is None or isinstance(self.labels, LabelPair):
            return f"sample {index}"
        return self.row(self.labels[index])

    def row(self, label: Any) -> str:
        """The class of one label, an id or a row of the share of every class."""
        if np.ndim(label) == 0:
            return self.of(int(label))
        if np.sum(label) > SEVERAL:
            return ", ".join(self.of(number) for number in np.flatnonzero(label).tolist())
        name, top = self.of(int(np.argmax(label))), float(np.max(label))
        return name if top > 0.995 else f"{name} ({top:.2f})"

    def of(self, class_id: int) -> str:
        """The name of a class."""
        if class_id == self.ignored:
            return "no class"
        if self.names is None or class_id < 0:  # negative ids mark unlabelled samples
            return f"class {class_id}"
        if class_id >= len(self.names):
            raise InputError(
                "Too few class names",
                where="class_names",
                got=f"{len(self.names)} names and class {class_id}",
                wanted="a name for every class",
                fix="Give all names, in the order of the class ids.",
            )
        return str(self.names[class_id])

    def of_mask(self, class_id: int) -> str:
        """The name of a class of masks, where ids beyond the names mark pixels without a class, such as 255."""
        return f"class {class_id}" if self.names is None or class_id >= len(self.names) else self.of(class_id)


def content(batch: Any, finder: Finder) -> Content:
    """The first images and the first labels of a batch in any container, and what stands beside them.

    Raises:
        InputError: There are no images in it, or what is told of them does not belong together.
    """
    batch = collated(batch, finder, True)
    pairs = [
        leaf for _, leaf in walk(batch, lambda _, node: isinstance(node, LabelPair)) if isinstance(leaf, LabelPair)
    ]
    if finder.layout.is_table or not any(target.kind == IMAGE for target in finder.inventory(batch).targets):
        pictures = any(is_picture(leaf) for _, leaf in walk(batch, lambda *_: False))
        raise InputError(
            "Nothing to show",
            where="batch",
            got=f"{type(batch).__name__} " + ("with PIL images, which are no arrays" if pictures else "without images"),
            wanted="a batch of images, as an array, as (images, labels), or by name",
            fix="Convert them first, for example with v2.ToImage()."
            if pictures
            else "Say which value it is with kinds={'name': 'image'}.",
        )
    found = find_batch(batch, finder, pad=True, labels_follow=True)
    labels = [host(target.value) for target in found.others if target.kind == LABEL]
    labels = [each for each in labels if each.ndim > 1 or each.dtype.kind in "iub"]  # numbers are no classes
    known = LabelPair(*map(host, pairs[0])) if pairs else labels[0] if labels else None
    return Content(found.images[0].value, spell(found.images[0].path), known, found)


def host(value: Any) -> Any:
    """An array, a list or a number on the host."""
    backend = backend_of(value)
    return np.asarray(value) if backend is None else kernel_of(backend).to_host(value)
