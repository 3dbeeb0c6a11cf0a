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
from mixtransforms.containers.structure import is_samples, keys_of_each
from mixtransforms.containers.tree import Path, is_flat, is_picture, leaf_at, spell, walk
from mixtransforms.core.backends import backend_of, check_form, dtype_name
from mixtransforms.core.layout import Layout
from mixtransforms.kernels import kernel_of
from mixtransforms.rng.content import header, plain_hash, row_hashes
from mixtransforms.rng.keys import WordArray, content_hash, told_apart
from mixtransforms.targets.kind import Target
from mixtransforms.targets.names import IMAGE, TABLE

_AS_IT_IS = Layout("channels_last")
"""The layout of what has its channels last, or none: pictures of PIL, and rows of tables."""

WOVEN = 48 << 10
"""Bytes of an image of bytes from which on OpenCV brings its channels together faster than NumPy copies them, by up to
half. Smaller images, and floats, take longer so."""


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
        rows = found.rows.get(target.path)
        if found.template.padded and target.kind == IMAGE:
            hashes = _of_values(_unpadded(found, target), own, hashes)
        elif rows is None:
            hashes = _of_values(target.value, own, hashes)
        else:  # the memory of samples, whatever their back end
            hashes = _of_arrays(rows, dtype_name(rows[0]), own, backend_of(target.value) == "torch", hashes)
    return hashes


def _unpadded(found: Found, target: Target) -> list[Any]:
    """The images of samples as they came, before they were padded."""
    axes, unpadded = found.axes[target.path], []
    for row, size in zip(target.value, found.template.sizes, strict=True):
        stops = dict(zip(axes, size, strict=True))
        unpadded.append(row[tuple(slice(stops.get(axis)) for axis in range(1, len(target.value.shape)))])
    return unpadded


def sample_hashes(data: Any, finder: Finder) -> list[int] | None:
    """A hash of every sample, ``(B,)``; ``None`` where a ready batch lies on a device, which nobody waits for.

    Args:
        data: A batch, or a list of samples.
        finder: Knows the images.
    """
    return _of_samples(data, finder) if is_samples(data) else _of_batch(data, finder)


def identities(data: Any, finder: Finder) -> WordArray:
    """Who every sample is, ``(B,)``: a hash of its content, and of how often this was in the batch before.

    Args:
        data: A batch in host memory, or a list of samples.
        finder: Knows the images.
    """
    return told_apart(sample_hashes(data, finder) or [])


def _of_samples(samples: Sequence[Any], finder: Finder) -> list[int]:
    alike: dict[Any, list[int]] = {}  # finding takes far longer than hashing a small image
    for index, key in enumerate(keys_of_each(samples)):
        alike.setdefault(("alone", index) if key is None else key, []).append(index)
    hashes = [0] * len(samples)
    for indices in alike.values():
        some = [samples[index] for index in indices]
        roots = _roots(some[0], finder, batched=False)
        for root in roots:
            check_form(leaf_at(some[0], root.path), f"a sample, {spell(root.path)}")
        own = _of_columns([(root, [leaf_at(sample, root.path) for sample in some]) for root in roots], len(some))
        for index, hash_ in zip(indices, own, strict=True):
            hashes[index] = hash_
    return hashes


def _of_batch(batch: Any, finder: Finder) -> list[int] | None:
    leaves = [(root, leaf_at(batch, root.path)) for root in _roots(batch, finder, batched=True)]
    if not all(_is_on_host(leaf) for _, leaf in leaves):
        return None
    columns = [(root, leaf) for root, leaf in leaves if isinstance(leaf, (list, tuple)) or np.ndim(leaf)]
    size = min((len(each) for _, each in columns), default=0)
    return _of_columns([(root, each[:size]) for root, each in columns], size)


def _of_columns(columns: Sequence[tuple[Root, Any]], size: int) -> list[int]:
    """A hash of every sample, of columns with a value for each."""
    if any(root.layout is None for root, _ in columns):
        named = [(spell(root.path), on_host(column)) for root, column in columns]
        return [content_hash(part for name, column in named for part in _leaves(name, column[i])) for i in range(size)]
    hashes: list[int] | None = None
    for root, column in columns:
        hashes = _of_values(column, root.layout or _AS_IT_IS, hashes)
    return [plain_hash(None)] * size if hashes is None else hashes


def _of_values(values: Any, layout: Layout, before: Sequence[int] | None) -> list[int]:
    """A hash of every image of a column: of the rows of an array, or of the items of a list."""
    whole, first = backend_of(values), values[0] if len(values) else None
    backend = whole or backend_of(first)
    if whole or (backend and len({*map(_same, values)}) == 1):
        memory = kernel_of(str(backend)).memory
        rows = memory(values) if whole else [memory(item) for item in values]
        return _of_arrays(rows, dtype_name(values if whole else first), layout, backend == "torch", before)
    return [_of_value(item, layout, hash_) for item, hash_ in zip(values, before or [0] * len(values), strict=True)]


def _same(item: Any) -> tuple[Any, ...]:
    """What arrays have in common that are hashed together."""
    return type(item), getattr(item, "dtype", None), getattr(item, "shape", None)


def _of_value(value: Any, layout: Layout, before: int) -> int:
    """A hash of an image: of an array, a picture, numbers, or of all in a list of these."""
    if backend_of(value):
        return _of_values([value], layout, [before])[0]
    if is_picture(value) or (is_flat(value) and not backend_of(value[0])):
        return _of_values([np.asarray(value)], _AS_IT_IS, [before])[0]
    if type(value) not in (list, tuple):
        return plain_hash(value, before)
    for item in value:
        before = _of_value(item, layout, before)
    return before


@functools.lru_cache(maxsize=256)
def _form(shape: tuple[int, ...], dtype: str, layout: Layout, first: bool) -> tuple[tuple[int, ...], bytes]:
    """The canonical order of an image's axes, and what is hashed before its bytes."""
    order, channels = ((*range(len(shape)),), True) if layout.is_table else layout.canonical(len(shape), first)
    return order, header(dtype, [*(shape[axis] for axis in order), *([] if channels else [1])])


def _of_arrays(rows: Any, dtype: str, layout: Layout, first: bool, before: Sequence[int] | None) -> list[int]:
    """A hash of every row of an array, or of every one of several arrays of one shape.

    Args:
        rows: NumPy's.
        dtype: The name of their dtype, which NumPy may not have.
        layout: Of the images.
        first: Whether channels come first where the layout does not say it.
        before: See :func:`row_hashes`.
    """
    whole = isinstance(rows, np.ndarray)
    order, head = _form(rows.shape[1:] if whole else rows[0].shape, dtype, layout, first)
    if order != (*range(len(order)),):
        rows = rows.transpose(0, *(axis + 1 for axis in order)) if whole else [row.transpose(order) for row in rows]
    woven = dtype == "uint8" and len(rows) and rows[0].nbytes >= WOVEN
    return row_hashes(rows, head, before, kernel_of("numpy").write_channels if woven else None)


def _leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """A value by its name, or everything in a list of arrays or numbers."""
    if type(value) not in (list, tuple):
        yield name, on_host(value)
        return
    for index, item in enumerate(value):
        yield from _leaves(f"{name}[{index}]", item)


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
