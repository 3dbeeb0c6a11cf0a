"""What samples are known by, wherever they are met: their images, or their tables. No other target changes it.

An image counts by its values alone, in canonical axes (channels last) and order of bytes, dtype as it is. Its name, its
container, its back end and how it lies in memory do not: a ready batch is known by what its samples are known by.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from mixtransforms.batch.batch import Found
from mixtransforms.batch.inventory import REST, TARGET, Finder
from mixtransforms.containers.structure import common_key, is_samples
from mixtransforms.containers.tree import Path, is_flat, is_picture, leaf_at, spell, walk
from mixtransforms.core.backends import backend_of, dtype_name
from mixtransforms.core.layout import Layout
from mixtransforms.kernels import kernel_of
from mixtransforms.rng.content import array_hash, header, plain_hash, row_hashes
from mixtransforms.rng.keys import WordArray, content_hash, told_apart
from mixtransforms.targets.kind import Target
from mixtransforms.targets.names import IMAGE, TABLE

_AS_IT_IS = Layout("channels_last")
"""The layout of what has its channels last, or none: pictures of PIL, and rows of tables."""


class Root(NamedTuple):
    """Where a sample or a batch has something that it is known by.

    Attributes:
        path: Where.
        layout: The layout of an image; ``None`` where there is neither image nor table, and everything counts by name.
    """

    path: Path
    layout: Layout | None


def hashes_of(found: Found, layout: Layout) -> list[int] | None:
    """A hash of every sample of a batch whose targets are found; ``None`` where it lies on a device.

    Args:
        found: The batch.
        layout: Of its images.
    """
    roots = found.images or tuple(target for target in found.others if target.kind == TABLE)
    if not all(map(_is_on_host, (target.value for target in roots))):
        return None
    hashes: list[int] | None = None
    for target in roots:
        own = layout if target.kind == IMAGE else _AS_IT_IS
        rows = found.rows.get(target.path) or _unpadded(found, target)
        if rows is None:
            hashes = _of_rows(target.value, own, hashes)
            continue
        first, dtype = backend_of(target.value) == "torch", dtype_name(target.value)
        before: Sequence[int | None] = hashes or [None] * len(rows)
        hashes = [_of_array(row, own, first, hash_, dtype) for row, hash_ in zip(rows, before, strict=True)]
    return hashes


def _unpadded(found: Found, target: Target) -> list[Any] | None:
    """The images of samples as they came, where they were padded."""
    if target.kind != IMAGE or not found.template.padded:
        return None
    rows, axes = kernel_of(str(backend_of(target.value))).memory(target.value), found.axes[target.path]
    unpadded = []
    for row, size in zip(rows, found.template.sizes, strict=True):
        stops = dict(zip(axes, size, strict=True))
        unpadded.append(row[tuple(slice(stops.get(axis)) for axis in range(1, rows.ndim))])
    return unpadded


def sample_hashes(data: Any, finder: Finder) -> list[int] | None:
    """A hash of every sample, ``(B,)``; ``None`` where a ready batch lies on a device, which nobody waits for.

    Args:
        data: A batch, or a list of samples.
        finder: Knows the images.
    """
    return list(_of_samples(data, finder)) if is_samples(data) else _of_batch(data, finder)


def identities(data: Any, finder: Finder) -> WordArray:
    """Who every sample is, ``(B,)``: a hash of its content, and of how often this was in the batch before.

    Args:
        data: A batch in host memory, or a list of samples.
        finder: Knows the images.
    """
    return told_apart(sample_hashes(data, finder) or [])


def _of_samples(samples: Sequence[Any], finder: Finder) -> Iterator[int]:
    places: dict[Any, list[Root]] = {}  # finding takes far longer than hashing a small image
    for sample in samples:
        key = common_key([sample], exact=False)
        if key is None or key not in places:
            places[key] = _roots(sample, finder, batched=False)
        yield _of_sample([(root, leaf_at(sample, root.path)) for root in places[key]])


def _of_batch(batch: Any, finder: Finder) -> list[int] | None:
    roots = _roots(batch, finder, batched=True)
    leaves = [(root, leaf_at(batch, root.path)) for root in roots]
    if not all(_is_on_host(leaf) for _, leaf in leaves):
        return None
    if leaves and all(root.layout is not None and backend_of(leaf) and len(leaf.shape) for root, leaf in leaves):
        hashes: list[int] | None = None
        for root, leaf in leaves:
            hashes = _of_rows(leaf, root.layout or _AS_IT_IS, hashes)
        return hashes
    columns = [(root, leaf) for root, leaf in leaves if isinstance(leaf, (list, tuple)) or np.ndim(leaf)]
    size = min((len(each) for _, each in columns), default=0)
    return [_of_sample([(root, each[index]) for root, each in columns]) for index in range(size)]


def _of_sample(leaves: Sequence[tuple[Root, Any]]) -> int:
    if any(root.layout is None for root, _ in leaves):
        return content_hash(part for root, leaf in leaves for part in _parts(spell(root.path), leaf))
    hash_: int | None = None
    for root, leaf in leaves:
        hash_ = _of_value(leaf, root.layout or _AS_IT_IS, hash_)
    return plain_hash(None) if hash_ is None else hash_


def _of_value(value: Any, layout: Layout, before: int | None) -> int | None:
    """A hash of an image: of an array, a picture, numbers, or of all in a list of these."""
    backend = backend_of(value)
    if backend is not None:
        return _of_array(kernel_of(backend).memory(value), layout, backend == "torch", before, dtype_name(value))
    if is_picture(value):
        return _of_array(np.asarray(value), _AS_IT_IS, False, before)
    if type(value) not in (list, tuple):
        return plain_hash(value, before)
    if is_flat(value) and not backend_of(value[0]):
        return _of_array(np.array(value), _AS_IT_IS, False, before)
    for item in value:
        before = _of_value(item, layout, before)
    return before


@functools.lru_cache(maxsize=256)
def _form(shape: tuple[int, ...], dtype: str, layout: Layout, first: bool) -> tuple[tuple[int, ...], bytes]:
    """The canonical order of an image's axes, and what is hashed before its bytes."""
    order, channels = ((*range(len(shape)),), True) if layout.is_table else layout.canonical(len(shape), first)
    return order, header(dtype, [*(shape[axis] for axis in order), *([] if channels else [1])])


def _of_rows(batch: Any, layout: Layout, before: list[int] | None) -> list[int]:
    """A hash of every row of an array of images."""
    backend = str(backend_of(batch))
    rows = kernel_of(backend).memory(batch)
    order, head = _form(tuple(batch.shape[1:]), dtype_name(batch), layout, backend == "torch")
    return row_hashes(rows.transpose(0, *(axis + 1 for axis in order)), head, before)


def _of_array(array: Any, layout: Layout, first: bool, before: int | None, dtype: str = "") -> int:
    order, head = _form(array.shape, dtype or dtype_name(array), layout, first)
    return array_hash(array.transpose(order), head, before)


def _parts(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """A value by its name, or everything in a list of arrays or numbers."""
    if type(value) not in (list, tuple):
        yield name, on_host(value)
        return
    for index, item in enumerate(value):
        yield from _parts(f"{name}[{index}]", item)


def _roots(node: Any, finder: Finder, *, batched: bool) -> list[Root]:
    """Where the images of a sample or of a batch are, else its tables; where there are none, everything counts."""
    found: dict[Any, list[Root]] = {IMAGE: [], TABLE: []}
    entries = finder.inventory(node, batched=batched).entries
    for entry in entries:
        kind = getattr(entry.kind, "name", entry.kind)
        if entry.role == REST and is_picture(entry.value):
            kind = finder.named_kind(node, entry.path, entry.parent) if entry.path else IMAGE
        if kind in found:
            found[kind].append(Root(entry.path, finder.layout if kind == IMAGE else _AS_IT_IS))
    targets = {entry.path for entry in entries if entry.role == TARGET}
    everything = [Root(path, None) for path, _ in walk(node, lambda path, _: path in targets)]
    return found[IMAGE] or found[TABLE] or everything


def _is_on_host(value: Any) -> bool:
    if type(value) in (list, tuple):
        return all(map(_is_on_host, value))
    backend = backend_of(value)
    return backend is None or bool(kernel_of(backend).is_on_host(value))


def on_host(value: Any) -> Any:
    """A value as a NumPy array, where it is a picture or an array."""
    if is_picture(value):
        return np.asarray(value)
    backend = backend_of(value)
    if backend == "torch":
        value = value.contiguous()  # channels that lie last are copied faster than by NumPy
    return value if backend is None else kernel_of(backend).to_host(value)
