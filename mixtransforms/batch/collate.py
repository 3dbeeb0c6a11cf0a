"""Samples to batches, as default collation has it, with errors that say which sample does not fit."""

from __future__ import annotations

from collections.abc import Collection, MutableMapping, Sequence
from typing import Any

import numpy as np

from mixtransforms.batch.annotations import annotation_lists
from mixtransforms.batch.inventory import Finder
from mixtransforms.containers.tree import (
    Path,
    children,
    columns,
    depth,
    holds_names,
    is_container,
    is_numbers,
    is_typed,
    leaf_at,
    rebuild,
    spell,
    walk,
)
from mixtransforms.core.backends import backend_of, backend_of_type, dtype_name, is_floating, is_masked_type
from mixtransforms.core.errors import InputError
from mixtransforms.kernels import kernel_of
from mixtransforms.rng.processes import in_worker
from mixtransforms.targets.names import DEFAULT_NAMES, FIELDS, IMAGE, LABEL, MASK, OF_EITHER

LARGE_ROW = 1 << 14
"""Bytes of an image from which on its batch is written while it is mixed. Many small ones are stacked at once."""


def ragged(samples: Sequence[Any], finder: Finder, pad: bool = False) -> frozenset[Path]:
    """Where samples have any number of values each, which cannot be stacked.

    These are the boxes, keypoints and instances of a sample with all that is told of them; where they stand in a
    container of their own, beside the images, it is kept as a record. So it is in batches of samples that all lack
    them, where anything says that others have them.

    Args:
        samples: The samples.
        finder: Knows what their values are.
        pad: Whether arrays of unequal sizes are to be padded, and are therefore left as a list, too.

    Arrays that are declared to pass are a list, too, where they cannot be stacked.
    """
    paths: set[Path] = {(name,) for name in finder.metadata}
    shapes: dict[Path, set[Any]] = {}
    every = finder.parts_of_samples(samples)
    for sample, parts, groups in zip(samples, every, finder.groups_of_samples(samples, every), strict=True):
        images = [path for path, kind in parts.kinds.items() if kind == IMAGE]
        for group in groups:
            place = group.place
            apart = place and not any(path[: len(place)] == place for path in images)
            paths |= (
                {place}
                if apart and holds_names(leaf_at(sample, place))
                else {*group.members, *_polygons(sample, place)}
            )
        for path in parts.kinds if pad else ():
            value = leaf_at(sample, path)
            if backend_of(value):
                shapes.setdefault(path, set()).add(tuple(value.shape))
        for path, value in walk(sample, lambda place, _: finder.passes(place)) if finder.passthrough else ():
            if finder.passes(path):
                shapes.setdefault(path, set()).add(_lengths(value))
    if not paths:
        paths |= {place for place in _told_in(samples[0]) if finder.knows_objects or _are_unannotated(samples, place)}
    passing = {path for sample in samples for path in annotation_lists(sample)}  # by declaration, else refused before
    return frozenset(paths | passing | {path for path, seen in shapes.items() if len(seen) > 1})


def _lengths(value: Any) -> tuple[int, ...]:
    """What must agree for values to be stacked: lengths of the axes of an array, or of a list of numbers."""
    if type(value) in (list, tuple):
        return (len(value),) if is_numbers(value) else ()
    return tuple(value.shape) if backend_of(value) else ()


def _polygons(sample: Any, place: Path) -> list[Path]:
    """Where lists of lists stand beside objects: polygons of any number of points, or of none."""
    beside = [(key, value) for key, value in children(leaf_at(sample, place)) or () if type(value) in (list, tuple)]
    return [
        (*place, key)
        for key, value in beside
        if (not value and DEFAULT_NAMES.get(str(key).lower()) == MASK)
        or (depth(value) > 1 and not any(backend_of(leaf) for _, leaf in walk(value, lambda *_: False)))
    ]


def _told_in(sample: Any) -> list[Path]:
    """Where a sample has a container of its own for what is told of it: second, or under a name of labels."""
    parts = children(sample) or ()
    second = type(sample) in (tuple, list)
    named = [key for key, value in parts if holds_names(value)]
    return [(key,) for key in named if (key == 1 if second else DEFAULT_NAMES.get(str(key).lower()) == LABEL)]


def _are_unannotated(samples: Sequence[Any], place: Path) -> bool:
    """Whether all samples are images of a set of annotated ones that have no annotations: an id, and no label."""
    names = [{str(key).lower() for key, _ in children(leaf_at(sample, place)) or ()} for sample in samples]
    return all("image_id" in own and own.isdisjoint(OF_EITHER | FIELDS) for own in names)


def collate(
    samples: Sequence[Any],
    backend: str,
    apart: Collection[Path] = (),
    path: Path = (),
    later: MutableMapping[Path, Any] | None = None,
) -> Any:
    """Stacks samples leaf by leaf.

    Args:
        samples: Samples of equal structure.
        backend: What numbers become, ``"numpy"`` or ``"torch"``; arrays keep their own.
        apart: Paths of a sample whose values become a list instead, see :func:`ragged`.
        path: Where the samples stand, for errors.
        later: Paths of images. Where large ones stand there whose rows can be written one by one, their batch is left
            empty, and the path gets what belongs into it; the other paths go.

    Returns:
        The structure of one sample (tuples become lists) around batches: arrays and numbers stacked, anything else
        as a list. A list of numbers is one value, such as a row of shares, and becomes a row; default collation makes
        columns of it.

    Raises:
        InputError: Samples differ in structure or in shape.
    """
    first = samples[0]
    kinds: set[Any] = set(map(type, samples))
    if path in apart:
        return list(samples)
    if any(map(backend_of_type, kinds)):
        if later is not None and path in later:
            return _reserved(samples, path, later)
        return stack(samples, path)
    if is_numbers(samples) or (kinds == {list} and all(map(is_numbers, samples))):
        return _numbers(samples, backend, path)
    # Nothing in each: COCO's annotations of pictures without objects. Columns of it would have lost the samples.
    if not is_container(first) or (kinds <= {list, tuple} and not any(samples)):
        return list(samples)
    every = columns(samples)
    if every is None:
        raise _other_structure(samples, path)
    collated = [collate(values, backend, apart, (*path, key), later) for key, values in every]
    return rebuild(first, collated) if holds_names(first) else collated


def _other_structure(samples: Sequence[Any], path: Path) -> InputError:
    keys = [None if (items := children(sample)) is None else [key for key, _ in items] for sample in samples]
    index = next(index for index, own in enumerate(keys) if own is None or set(own) != set(keys[0] or ()))
    return InputError(
        "Samples of different structure",
        where=spell(path),
        got=f"sample {index} of type {type(samples[index]).__name__}"
        + ("" if keys[index] is None else f" with {keys[index]}"),
        wanted=f"{type(samples[0]).__name__} with {keys[0]}, as sample 0",
        fix="Return the same structure for every sample.",
    )


def _reserved(samples: Sequence[Any], path: Path, later: MutableMapping[Path, Any]) -> Any:
    """An empty batch for samples that are mixed while they are copied, or their stack, where that is better."""
    del later[path]
    first, kernel = samples[0], kernel_of(str(backend_of(samples[0])))
    same = len({sample.dtype for sample in samples}) == len({sample.shape for sample in samples}) == 1
    same = same and len(set(map(type, samples))) == 1
    large = same and first.nbytes >= LARGE_ROW and dtype_name(first) != "float16"  # halves are blended all at once
    rows = kernel.host_views(samples) if large else None
    if rows is None:
        return stack(samples, path)
    later[path] = rows
    return _typed(kernel.reserved(first, len(samples), in_worker()), samples)


SAME_CHANNELS = "Give all pictures the same channels, for example with v2.RGB(), A.ToRGB() or image.convert('RGB')."


def channels_differ(shapes: Sequence[Any], path: Path) -> bool:
    """Whether some are pictures of one channel and others of several, and nothing else is wrong."""
    pictures = _kind_of(path) in (None, IMAGE)
    if not pictures or any(type(shape) is not tuple or len(shape) != 3 for shape in shapes):
        return False
    first, last = {shape[1:] for shape in shapes}, {shape[:-1] for shape in shapes}
    numbers = {shape[0] for shape in shapes} if len(first) == 1 else {shape[-1] for shape in shapes}
    return min(len(first), len(last)) == 1 and numbers <= {1, 2, 3, 4}


def _name(path: Path) -> Any:
    """The name by which a value is declared; of a sample in a tuple its position."""
    return next((step for step in reversed(path) if isinstance(step, str)), path[0] if path else "image")


def _kind_of(path: Path) -> str | None:
    """What is known by a name, or by a position."""
    name = _name(path)
    return DEFAULT_NAMES.get(name.lower()) if isinstance(name, str) else {0: IMAGE, 1: LABEL}.get(name)


def _of_objects(name: Any) -> str:
    return f"where there is one for every object, list {name!r} in the fields of BoxRules"


def _one_shape(shapes: Sequence[Any], path: Path) -> str:
    """The way out for samples of different shapes: rows of numbers are no pictures, which can be resized."""
    if channels_differ(shapes, path):
        return SAME_CHANNELS
    name, kind, axes = _name(path), _kind_of(path), {len(shape) for shape in shapes if type(shape) is tuple}
    alone = f"leave them alone with passthrough=({name!r},)."
    if len(axes) > 1:
        return f"Give every sample the same, such as a number each, or a row each, or {alone}"
    counted = len({shape[1:] for shape in shapes}) == 1  # they differ by their first axis only
    if path and axes == {1}:
        return f"Give every sample equally many numbers; {_of_objects(name)}; or {alone}"
    if path and axes == {2} and counted and kind in (None, LABEL):
        return f"Say kinds={{{name!r}: 'boxes'}} where each row is a box, or {alone}"
    if axes == {3} and counted and kind == MASK:
        return f"Say kinds={{{name!r}: 'instances'}}, where each is the mask of an object."
    return (
        "Resize or crop to one size before mixing, for example with Resize or RandomCrop, or say pad='max' where whole "
        "images are blended."
    )


def stack(samples: Sequence[Any], path: Path = ()) -> Any:
    """Arrays of one shape and backend as a batch.

    Raises:
        InputError: Shapes or backends differ; names the first sample that does.
    """
    shapes = [tuple(sample.shape) if backend_of(sample) else type(sample).__name__ for sample in samples]
    for index, shape in enumerate(shapes):
        if shape != shapes[0]:
            raise InputError(
                "Samples of different sizes",
                where=spell(path),
                got=f"{shape} in sample {index}, {shapes[0]} in sample 0",
                wanted="one shape for all samples of a batch",
                fix=_one_shape(shapes, path),
            )
    backends = {backend_of(sample) for sample in samples}
    if backends == {"numpy"}:
        _check_dtypes(samples, path)
        masked = any(map(is_masked_type, set(map(type, samples))))
        return np.ma.stack(samples) if masked else np.stack(samples)  # which drops masks
    if len(backends) > 1:
        raise InputError(
            "Samples of different backends",
            where=spell(path),
            got=" and ".join(sorted(map(str, backends))),
            wanted="NumPy arrays or tensors, one of them",
            fix="Convert all samples alike.",
        )
    _check_dtypes(samples, path)
    kernel = kernel_of("torch")
    # Of a worker in shared memory, from which the batch need not be copied again.
    return _typed(kernel.stack_tensors(samples, in_worker()), samples)


def _check_dtypes(samples: Sequence[Any], path: Path) -> None:
    """Refuses whole numbers beside floats, which mean other things: 255 is white beside 1.0, and 1 a class beside 0.9.

    Raises:
        InputError: Names the first sample of another dtype.
    """
    dtypes = {sample.dtype for sample in samples}
    if len(dtypes) == 1 or len(set(map(is_floating, samples))) == 1:
        return
    other = next(index for index, sample in enumerate(samples) if is_floating(sample) != is_floating(samples[0]))
    raise InputError(
        "Samples of different dtypes",
        where=spell(path),
        got=f"{dtype_name(samples[other])} in sample {other}, {dtype_name(samples[0])} in sample 0",
        wanted="whole numbers or floats, one of them",
        fix="Convert all samples alike, pictures for example with v2.ToDtype(torch.float32, scale=True) or "
        "A.ToFloat().",
    )


def _typed(batch: Any, samples: Sequence[Any]) -> Any:
    """A batch with the tensor type of its samples, but images, as default collation has them.

    It makes plain tensors of all; a mask without its type could be anything.
    """
    if type(samples[0]) is np.ndarray or (is_typed(samples[0]) and type(samples[0]).__name__ == "Image"):
        return batch
    return kernel_of(str(backend_of(batch))).wrap_samples(batch, samples)


def _numbers(samples: Sequence[Any], backend: str, path: Path) -> Any:
    """Numbers ``(B,)``, or rows of numbers ``(B, K)``."""
    lengths = {len(sample) for sample in samples} if type(samples[0]) is list else {0}
    if len(lengths) > 1:
        raise InputError(
            "Rows of different lengths",
            where=spell(path),
            got=f"lengths {sorted(set(lengths))}",
            wanted="one length for all samples of a batch",
            fix=f"Return arrays; {_of_objects(_name(path))}; or leave them alone with passthrough=({_name(path)!r},).",
        )
    values = np.array(samples)
    if backend == "numpy":
        return values
    import torch

    return torch.from_numpy(values)
