"""Annotations of COCO and VOC: for every image a list, with a dict an object. No rule reads them: they are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mixtransforms.containers.records import is_records
from mixtransforms.containers.tree import Path, children, is_flat, spell, walk
from mixtransforms.core.errors import InputError


def annotation_lists(node: Any) -> list[Path]:
    """Where a container has lists of annotations, a dict an object."""
    leaves = walk(node, lambda _, value: is_flat(value) or _lists_annotations(value))
    return [path for path, value in leaves if _lists_annotations(value)]


def check_annotations(node: Any, passes: Callable[[Path], bool], *, batched: bool) -> None:
    """Refuses lists of annotations, which would stay as they are beside mixed images.

    Args:
        node: A batch, or one sample.
        passes: Whether what stands at a path is declared to be left alone.
        batched: Whether it is a batch, in which such a list may have one dict an image, which are records.

    Raises:
        InputError: There is one, and it is not declared.
    """
    for path in annotation_lists(node):
        of_one_image = not batched or any(isinstance(step, int) for step in path[1:])
        if of_one_image and not passes(path):
            raise _object_by_object(path)


def _lists_annotations(value: Any) -> bool:
    return is_records(value) and all(not _BOX.isdisjoint(dict(children(item) or ())) for item in value)


_BOX = frozenset({"bbox", "bndbox"})
"""What COCO and VOC call the box of an object."""


def _object_by_object(path: Path) -> InputError:
    # Inside a list of all images, the name before it is what declares it.
    name = next((step for step in reversed(path) if isinstance(step, str)), path[0])
    return InputError(
        "Annotations object by object",
        where=spell(path),
        got="a list of dicts for every image, one an object, as CocoDetection and VOCDetection return them",
        wanted="one dict an image, with boxes and labels of all its objects",
        fix="Wrap the data set: torchvision.datasets.wrap_dataset_for_transforms_v2(dataset); or return "
        "{'boxes': [each['bbox'] for each in annotations], 'labels': [...]} and say boxes=BoxRules(format='coco'); or "
        f"leave them alone with passthrough=({name!r},).",
    )
