"""What a batch holds that a picture shows. Nothing else here knows how batches are read and found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from mixtransforms.batch.batch import Found, copied
from mixtransforms.batch.inventory import Finder
from mixtransforms.batch.read import collated, find_batch
from mixtransforms.containers.records import Columns
from mixtransforms.containers.structure import is_samples
from mixtransforms.containers.tree import Path, children, is_picture, leaf_at, rebuild, spell, walk
from mixtransforms.core.backends import backend_of, is_integer
from mixtransforms.core.errors import InputError
from mixtransforms.core.layout import Layout
from mixtransforms.kernels import kernel_of
from mixtransforms.kernels.paint import paint
from mixtransforms.mixing.trace import Step
from mixtransforms.objects.boxes import BoxRules
from mixtransforms.objects.objects import Objects
from mixtransforms.plan import Plan
from mixtransforms.targets.kind import Target
from mixtransforms.targets.label import APART
from mixtransforms.targets.names import IMAGE, LABEL, MASK

Kinds = Mapping[str | int, Any]


class Content(NamedTuple):
    """What a batch holds.

    Attributes:
        images: One array; padded where they were of unequal sizes.
        where: Their place, for errors.
        labels: ``(B,)`` or ``(B, K)`` on the host, one of :data:`APART` of these, or ``None``.
        masks: Semantic masks, and masks of instances that stand alone.
        objects: Boxes, instance masks and keypoints, by what they belong together with.
        size: Number of samples.
        shape: Lengths of the mixed axes.
        channels_first: Whether channels stand before the mixed axes.
        found: Everything, as it is found for mixing.
    """

    images: Any
    where: str
    labels: Any
    masks: tuple[Target, ...]
    objects: tuple[Objects, ...]
    size: int
    shape: tuple[int, ...]
    channels_first: bool
    found: Found

    def container(self, path: Path) -> Any:
        """The container in which a value stands; ``None`` where it is the batch itself."""
        return leaf_at(self.found.batch, path[:-1]) if path else None

    def siblings(self, path: Path) -> dict[Any, Any]:
        """What stands in the same container as a value, by key."""
        return dict(children(self.container(path)) or ())

    def with_mixed_objects(self, plan: Plan) -> Any:
        """The batch with what a plan makes of its objects; on canvases also of its images, whose size objects have."""
        new = {target.path: target.value for target in self.found.targets}
        for target in self.found.images if plan.canvas is not None else ():
            new[target.path] = paint(plan, target.value, self.found.axes[target.path])
        for objects in self.found.objects:
            for path, mixed in objects.mix(plan).items():
                new |= self.found.placed(path, mixed)
        return self.found.rebuilt(new)


def known_finder(
    kinds: Kinds | None = None,
    layout: str | None = None,
    boxes: BoxRules | None = None,
    axes: str | None = None,
    step: Step | None = None,
) -> Finder:
    """What values are called, as the user says, and where he says nothing, as a transform knew it.

    Args:
        kinds: What values are that have no default name.
        layout: Axes of the images.
        boxes: How boxes are written that do not say so themselves.
        axes: Which axes are mixed.
        step: A mix, whose transform knew more.
    """
    told = step.finder if step else Finder({}, (), BoxRules())
    own = Layout(layout or told.layout.name, axes or told.layout.mixed)
    kinds = {**told.kinds, **(kinds or {})}
    # A mix must refuse what it does not know; a picture need not show everything.
    return Finder(kinds, told.passthrough, boxes or told.boxes, told.points, strict=False, layout=own)


def read_content(batch: Any, finder: Finder) -> Content:
    """The first images and the first labels of a batch in any container, and what stands beside them.

    Raises:
        InputError: There are no images in it, or what is told of them does not belong together.
    """
    batch = collated(batch, finder, True)
    # A pair hides its labels from the finder, which must not mix them a second time; a picture shows them.
    nodes = walk(batch, lambda _, node: isinstance(node, APART))
    pairs = [leaf for _, leaf in nodes if isinstance(leaf, APART)]
    if finder.layout.is_table or not any(target.kind == IMAGE for target in finder.inventory(batch).targets):
        pictures = any(is_picture(leaf) for _, leaf in walk(batch, lambda *_: False))
        got, fix = "without images", "Say which value it is with kinds={'name': 'image'}."
        if pictures:
            got, fix = "with PIL images, which are no arrays", "Convert them first, for example with v2.ToImage()."
        wanted, got = "a batch of images, as an array, as (images, labels), or by name", f"{type(batch).__name__} {got}"
        raise InputError("Nothing to show", where="batch", got=got, wanted=wanted, fix=fix)
    # Unequal sizes are padded, since all panels have one size; labels may be of another backend, as lists are.
    found = find_batch(batch, finder, pad=True, labels_follow=True)
    labels = [as_host_array(target.value) for target in found.others if target.kind == LABEL]
    labels = [each for each in labels if each.ndim > 1 or each.dtype.kind in "iub"]  # numbers are no classes
    known = type(pairs[0])(*map(as_host_array, pairs[0])) if pairs else labels[0] if labels else None
    # Those of several sources, which have their shares beside them, would be taken for maps of classes.
    places = {path for path, _ in walk(found.batch, lambda *_: False)}
    masks = [target for target in found.others if target.kind == MASK]
    masks = [mask for mask in masks if not mask.path or (*mask.path[:-1], f"{mask.path[-1]}_share") not in places]
    images, spec = found.images[0], found.spec
    where = spell(images.path)
    return Content(
        images.value, where, known, tuple(masks), found.objects, spec.size, spec.shape, found.template.first, found
    )


def as_host_array(value: Any) -> Any:
    """An array, a list or a number on the host."""
    backend = backend_of(value)
    return np.asarray(value) if backend is None else kernel_of(backend).to_host(value)


def own_copy(batch: Any) -> Any:
    """A batch with arrays of its own, which a call may overwrite."""
    return copied(batch)


# ------------------------------------------------------------------------------------------------ a few samples of it


def has_class_ids(found: Found) -> bool:
    """Whether the labels are class ids."""
    labels = [target.value for target in found.others if target.kind == LABEL]
    return bool(labels) and len(labels[0].shape) == 1 and is_integer(labels[0])


def first_samples(batch: Any, count: int, find: Callable[[Any], Found]) -> tuple[Found, Any]:
    """The first samples of a batch, and what is found in it.

    Args:
        batch: A batch, or a list of samples.
        count: How many.
        find: Finds what is in a batch.
    """
    if is_samples(batch):
        few = batch[:count]
        return find(few), few
    found = find(batch)
    # A batch that is small enough stays the very object, which a transform may know by its structure.
    return found, batch if found.spec.size <= count else _first_rows(found.given, (), count, found)


def _first_rows(node: Any, path: Path, count: int, found: Found) -> Any:
    """The first rows of everything in a container that has one a sample."""
    if _is_by_sample(node, path, found):
        backend = backend_of(node)
        return node[:count] if backend is None else kernel_of(backend).wrap_like(node[:count], node)
    items = children(node)
    return rebuild(node, [_first_rows(item, (*path, key), count, found) for key, item in items]) if items else node


def _is_by_sample(node: Any, path: Path, found: Found) -> bool:
    """Whether a value has one entry a sample; a list of arrays that nobody knows may as well be several of them."""
    size = found.spec.size
    if backend_of(node):
        return tuple(node.shape[:1]) == (size,)
    if type(node) not in (list, tuple) or len(node) != size:
        return False
    known = {target.path for target in found.targets}.union(*(each.group.members for each in found.objects))
    if path in known or isinstance(leaf_at(found.batch, path), Columns):
        return True
    return not any(backend_of(leaf) for _, leaf in walk(node, lambda *_: False))
