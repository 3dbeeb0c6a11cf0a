"""Filters of torchvision: objects leave with everything that is told of them, and with what a filter is told of."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from torchvision.transforms import v2

from mixtransforms.batch.inventory import REST, Finder
from mixtransforms.containers.tree import Path, children, describe, leaf_at, spell
from mixtransforms.core.backends import backend_of
from mixtransforms.core.errors import InputError
from mixtransforms.torchvision.objects import SampleObjects

FILTERS = (v2.SanitizeBoundingBoxes, v2.SanitizeKeyPoints)
"""Transforms of the host that drop objects, and with them whatever their ``labels_getter`` names."""

_COCO = ("segmentation", "bbox")
"""What COCO's annotations tell of every object besides what the package knows by name; lists beside the boxes."""


def filter_objects(
    transform: Any, sample: Any, finder: Finder, objects: Collection[SampleObjects], current: Callable[[], Any]
) -> None:
    """Filters objects as the host would, and whatever its filter is told of with them; where there are none, nothing.

    Args:
        transform: One of :data:`FILTERS`.
        sample: The sample as it came.
        finder: Knows what its values are.
        objects: What is told of its objects.
        current: Makes the sample as it is now, for a ``labels_getter`` of the user's own.
    """
    wanted = "boxes" if isinstance(transform, v2.SanitizeBoundingBoxes) else "points"
    filtered = [item for item in objects if wanted in item.now]
    if not objects:
        _check_bare(sample, finder, "boxes" if wanted == "boxes" else "keypoints")
    named = _named(transform, sample, current) if filtered else {}
    own = {path for item in filtered for path in item.items}
    for item in filtered:
        place = item.group.place
        more = {path: value for path, value in named.items() if path not in own and _beside(path, place, filtered)}
        item.filter(transform, wanted, more | _annotations(sample, item))


def _check_bare(sample: Any, finder: Finder, wanted: str) -> None:
    """Refuses to take a sample for one without objects that may have them under a name that nobody knows."""
    for entry in finder.inventory(sample, batched=False).entries:
        if entry.role == REST and backend_of(entry.value) and len(entry.value.shape) > 1:
            name = entry.path[-1] if entry.path else 0
            raise InputError(
                f"No {wanted} to filter, and an array that may be some",
                where=spell(entry.path),
                got=describe(entry.value),
                wanted=f"{wanted} by their type or name, or a sample without any",
                fix=f"Tell a mix what it is with kinds={{{name!r}: {wanted!r}}} or passthrough=({name!r},), or make it "
                f"tv_tensors.{'BoundingBoxes' if wanted == 'boxes' else 'KeyPoints'}.",
            )


def _beside(path: Path, place: Path, objects: Sequence[SampleObjects]) -> bool:
    """Whether a value belongs to the objects of a container: it stands in it, or there are no other objects."""
    return len(objects) == 1 or path[: len(place)] == place


def _annotations(sample: Any, item: SampleObjects) -> dict[Path, Any]:
    """COCO's own annotations beside boxes, which nobody has to name."""
    beside = dict(children(leaf_at(sample, item.group.place)) or ())
    found = {(*item.group.place, name): beside[name] for name in _COCO if type(beside.get(name)) is list}
    return {path: value for path, value in found.items() if path not in item.items and len(value) == item.count}


def _named(transform: Any, sample: Any, current: Callable[[], Any]) -> dict[Path, Any]:
    """What the ``labels_getter`` of a filter names, by place.

    Raises:
        InputError: It names something that is no value of the sample, which could not be filtered.
    """
    getter = transform.labels_getter
    if getter is None:
        return {}
    if callable(getter):
        sample = current()
        labels = getter(sample)
        return {} if labels is None else _places(labels, sample)
    try:  # by the host's own rule, which takes the first key that has "label" in it
        labels = transform._labels_getter(sample)
    except (ValueError, LookupError, AttributeError, TypeError):  # a sample without labels, or of another form
        return {}
    return _places(labels, sample) if backend_of(labels) and len(labels.shape) else {}


def _places(labels: Any, sample: Any) -> dict[Path, Any]:
    """Where values of a sample stand in it, as they themselves are found there."""
    places = {id(value): path for path, value in _nodes(sample) if hasattr(value, "__len__")}
    named = [labels] if id(labels) in places or type(labels) not in (list, tuple) else labels
    for value in named:
        if id(value) not in places:
            raise InputError(
                "A filter is told of something that is no value of the sample",
                where="labels_getter",
                got=describe(value),
                wanted="values of the sample, themselves, each with a row for every object",
                fix="Return them as they are: labels_getter=lambda sample: (sample[1]['labels'], sample[1]['area']).",
            )
    return {places[id(value)]: value for value in named}


def _nodes(node: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value in a sample, containers as well."""
    yield path, node
    for key, value in children(node) or ():
        yield from _nodes(value, (*path, key))
