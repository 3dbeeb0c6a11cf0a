"""What a batch holds that a picture shows: images, labels, and the names of samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from mixtransforms.core.errors import InputError, explain
from mixtransforms.kernels import backend_of, kernel_of
from mixtransforms.targets.collate import stack
from mixtransforms.targets.containers import is_flat, spell, walk
from mixtransforms.targets.find import Finder
from mixtransforms.targets.labels import LabelPair
from mixtransforms.targets.names import IMAGE, LABEL

Kinds = Mapping[str | int, str]


class Content(NamedTuple):
    """What a batch holds.

    Attributes:
        images: As they are in the batch.
        where: Their place, for errors.
        labels: ``(B,)`` or ``(B, K)`` on the host, a :class:`LabelPair` of these, or ``None``.
    """

    images: Any
    where: str
    labels: Any


class Naming(NamedTuple):
    """How samples are named.

    Attributes:
        labels: As in :class:`Content`.
        names: Names of the classes, or ``None``.
    """

    labels: Any
    names: Sequence[str] | None

    def sample(self, index: int) -> str:
        """The class of a sample; the sample itself where there are no labels."""
        if self.labels is None or isinstance(self.labels, LabelPair):
            return f"sample {index}"
        return self.row(self.labels[index])

    def row(self, label: Any) -> str:
        """The class of one label, an id or a row of the share of every class."""
        if np.ndim(label) == 0:
            return self.of(int(label))
        name, top = self.of(int(np.argmax(label))), float(np.max(label))
        return name if top > 0.995 else f"{name} ({top:.2f})"

    def of(self, class_id: int) -> str:
        """The name of a class."""
        if self.names is None or class_id < 0:  # negative ids mark unlabelled samples
            return f"class {class_id}"
        if class_id >= len(self.names):
            raise InputError(
                explain(
                    "Too few class names",
                    where="class_names",
                    got=f"{len(self.names)} names and class {class_id}",
                    wanted="a name for every class",
                    fix="Give all names, in the order of the class ids.",
                )
            )
        return str(self.names[class_id])


def content(batch: Any, kinds: Kinds | None) -> Content:
    """The first images and the first labels of a batch in any container.

    Raises:
        InputError: There are no images in it.
    """
    pairs = [
        leaf for _, leaf in walk(batch, lambda _, node: isinstance(node, LabelPair)) if isinstance(leaf, LabelPair)
    ]
    known = Finder(kinds or {}, ()).known(batch)
    images = [target for target in known if target.kind == IMAGE]
    if not images:
        raise InputError(
            explain(
                "Nothing to show",
                where="batch",
                got=f"{type(batch).__name__} without images",
                wanted="a batch of images, as an array, as (images, labels), or by name",
                fix="Say which value it is with kinds={'name': 'image'}.",
            )
        )
    labels = [_host(target.value) for target in known if target.kind == LABEL]
    found = LabelPair(*map(_host, pairs[0])) if pairs else labels[0] if labels else None
    value = images[0].value
    return Content(stack(list(value)) if is_flat(value) else value, spell(images[0].path), found)


def _host(value: Any) -> Any:
    backend = backend_of(value)
    return np.asarray(value) if backend is None else kernel_of(backend).to_host(value)
