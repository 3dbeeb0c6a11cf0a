"""Samples to batches, as default collation has it, with errors that say which sample does not fit."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from mixtransforms.core.errors import InputError, explain
from mixtransforms.core.processes import in_worker
from mixtransforms.kernels import backend_of, kernel_of
from mixtransforms.targets.containers import (
    Path,
    children,
    holds_names,
    is_container,
    is_flat,
    is_numbers,
    is_picture,
    leaf_at,
    rebuild,
    spell,
)
from mixtransforms.targets.find import Finder
from mixtransforms.targets.names import IMAGE
from mixtransforms.targets.records import is_records


def is_samples(batch: Any) -> bool:
    """Whether a value is a list of samples: tuples, dicts, dataclasses or unbatched images.

    A list of two flat lists is a batch, ``[images, labels]``, of which default collation makes lists as well; so is
    ``[images, targets]`` with a record an image.
    """
    if type(batch) is tuple and batch:
        return all(isinstance(item, Mapping) for item in batch)
    if type(batch) is not list or not batch:
        return False
    if all(backend_of(item) for item in batch):
        return all(len(item.shape) == 3 for item in batch)
    if all(is_picture(item) for item in batch):
        return True
    if is_flat(batch[0]) and any(is_records(item) and len(item) == len(batch[0]) for item in batch[1:]):
        return False
    return all(is_container(item) and not (type(item) is list and is_flat(item)) for item in batch)


def ragged(samples: Sequence[Any], finder: Finder, pad: bool = False) -> frozenset[Path]:
    """Where samples have any number of values each, which cannot be stacked.

    These are the boxes, keypoints and instances of a sample with all that is told of them; where they stand in a
    container of their own, beside the images, it is kept as a record.

    Args:
        samples: The samples.
        finder: Knows what their values are.
        pad: Whether arrays of unequal sizes are to be padded, and are therefore left as a list, too.
    """
    paths = _unequal(samples, finder) if pad else set()
    for sample in samples:
        images = [target.path for target in finder.known(sample, batched=False) if target.kind == IMAGE]
        for group in finder.groups(sample, batched=False):
            place = group.place
            apart = place and not any(path[: len(place)] == place for path in images)
            paths |= {place} if apart and holds_names(leaf_at(sample, place)) else set(group.members)
    return frozenset(paths)


def _unequal(samples: Sequence[Any], finder: Finder) -> set[Path]:
    shapes: dict[Path, set[Any]] = {}
    for sample in samples:
        for target in finder.known(sample, batched=False):
            if backend_of(target.value):
                shapes.setdefault(target.path, set()).add(tuple(target.value.shape))
    return {path for path, seen in shapes.items() if len(seen) > 1}


def collate(samples: Sequence[Any], backend: str, apart: Collection[Path] = (), path: Path = ()) -> Any:
    """Stacks samples leaf by leaf.

    Args:
        samples: Samples of equal structure.
        backend: What numbers become, ``"numpy"`` or ``"torch"``; arrays keep their own.
        apart: Paths of a sample whose values become a list instead, see :func:`ragged`.
        path: Where the samples stand, for errors.

    Returns:
        The structure of one sample (tuples become lists) around batches: arrays and numbers stacked, anything else
        as a list. A list of numbers is one value, such as a row of shares, and becomes a row; default collation makes
        columns of it.

    Raises:
        InputError: Samples differ in structure or in shape.
    """
    first = samples[0]
    if path in apart:
        return list(samples)
    if any(backend_of(sample) for sample in samples):
        return stack(samples, path)
    if is_numbers(samples) or all(type(sample) is list and is_numbers(sample) for sample in samples):
        return _numbers(samples, backend, path)
    items = children(first)
    if items is None:
        return list(samples)
    every = [children(sample) for sample in samples]
    for index, other in enumerate(every):
        if other is None or {key for key, _ in other} != {key for key, _ in items}:
            raise InputError(
                explain(
                    "Samples of different structure",
                    where=spell(path),
                    got=f"sample {index} of type {type(samples[index]).__name__}"
                    + ("" if other is None else f" with {[key for key, _ in other]}"),
                    wanted=f"{type(first).__name__} with {[key for key, _ in items]}, as sample 0",
                    fix="Return the same structure for every sample.",
                )
            )
    columns = [collate([dict(sample or ())[key] for sample in every], backend, apart, (*path, key)) for key, _ in items]
    return rebuild(first, columns) if holds_names(first) else columns


def stack(samples: Sequence[Any], path: Path = ()) -> Any:
    """Arrays of one shape and backend as a batch.

    Raises:
        InputError: Shapes or backends differ; names the first sample that does.
    """
    shapes = [tuple(sample.shape) if backend_of(sample) else type(sample).__name__ for sample in samples]
    for index, shape in enumerate(shapes):
        if shape != shapes[0]:
            raise InputError(
                explain(
                    "Samples of different sizes",
                    where=spell(path),
                    got=f"{shape} in sample {index}, {shapes[0]} in sample 0",
                    wanted="one shape for all samples of a batch",
                    fix="Resize or crop to one size before mixing, for example with Resize or RandomCrop, or say "
                    "pad='max' where whole images are blended.",
                )
            )
    backends = {backend_of(sample) for sample in samples}
    if backends == {"numpy"}:
        return np.stack(samples)
    if len(backends) > 1:
        raise InputError(
            explain(
                "Samples of different backends",
                where=spell(path),
                got=" and ".join(sorted(map(str, backends))),
                wanted="NumPy arrays or tensors, one of them",
                fix="Convert all samples alike.",
            )
        )
    import torch

    plain = [sample.as_subclass(torch.Tensor) for sample in samples]
    # In a worker default collation writes into shared memory, from which the batch need not be copied again.
    shared = in_worker() and len({tensor.dtype for tensor in plain}) == 1
    stacked = torch.utils.data.default_collate(plain) if shared else torch.stack(plain)
    # Default collation makes plain tensors of all; a mask without its type could be anything.
    return stacked if type(samples[0]).__name__ == "Image" else kernel_of("torch").typed(stacked, samples[0])


def _numbers(samples: Sequence[Any], backend: str, path: Path) -> Any:
    """Numbers ``(B,)``, or rows of numbers ``(B, K)``."""
    lengths = [len(sample) if isinstance(sample, Sequence) else 0 for sample in samples]
    if len(set(lengths)) > 1:
        raise InputError(
            explain(
                "Rows of different lengths",
                where=spell(path),
                got=f"lengths {sorted(set(lengths))}",
                wanted="one length for all samples of a batch",
                fix="Pad them, or return arrays or strings.",
            )
        )
    values = np.array(samples)
    if backend == "numpy":
        return values
    import torch

    return torch.from_numpy(values)
