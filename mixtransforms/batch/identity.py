"""What samples are known by, wherever they are met: their images, or their tables. No other target changes it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from mixtransforms.batch.batch import Found
from mixtransforms.batch.inventory import REST, TARGET, Finder
from mixtransforms.containers.structure import common_key, is_samples
from mixtransforms.containers.tree import Path, is_picture, leaf_at, spell, walk
from mixtransforms.core.backends import backend_of
from mixtransforms.kernels import kernel_of
from mixtransforms.rng.keys import WordArray, content_hash, told_apart
from mixtransforms.targets.names import IMAGE, TABLE


def content_of(found: Found) -> int:
    """A hash of a batch whose targets are found."""
    return content_hash((name, value if isinstance(value, list) else on_host(value)) for name, value in found.content())


def identities(data: Any, finder: Finder) -> WordArray:
    """Who every sample is, ``(B,)``: a hash of its content, and of how often this was in the batch before.

    Args:
        data: A batch, or a list of samples.
        finder: Knows the images.
    """
    hashes = _of_samples(data, finder) if is_samples(data) else _of_batch(data, finder)
    return told_apart(list(hashes))


def _of_samples(samples: Sequence[Any], finder: Finder) -> Iterator[int]:
    places: dict[Any, list[tuple[str, Path]]] = {}  # finding takes far longer than hashing a small image
    for sample in samples:
        key = common_key([sample], exact=False)
        if key is None or key not in places:
            places[key] = [(spell(path), path) for path in _roots(sample, finder, batched=False)]
        yield content_hash(leaf for name, path in places[key] for leaf in _parts(name, leaf_at(sample, path)))


def _of_batch(batch: Any, finder: Finder) -> Iterator[int]:
    leaves = [(spell(path), leaf_at(batch, path)) for path in _roots(batch, finder, batched=True)]
    values = [(name, leaf if isinstance(leaf, (list, tuple)) else on_host(leaf)) for name, leaf in leaves]
    columns = [(name, each) for name, each in values if isinstance(each, (list, tuple)) or np.ndim(each)]
    for index in range(min((len(each) for _, each in columns), default=0)):
        yield content_hash(part for name, each in columns for part in _parts(name, each[index]))


def _parts(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """A value by its name, or everything in a list of arrays or numbers."""
    if type(value) not in (list, tuple):
        yield name, on_host(value)
        return
    for index, item in enumerate(value):
        yield from _parts(f"{name}[{index}]", item)


def _roots(node: Any, finder: Finder, *, batched: bool) -> list[Path]:
    """Where the images of a sample or of a batch are, else its tables; where there are none, everything counts."""
    found: dict[Any, list[Path]] = {IMAGE: [], TABLE: []}
    entries = finder.inventory(node, batched=batched).entries
    for entry in entries:
        kind = getattr(entry.kind, "name", entry.kind)
        if entry.role == REST and is_picture(entry.value):
            kind = finder.named_kind(node, entry.path, entry.parent) if entry.path else IMAGE
        if kind in found:
            found[kind].append(entry.path)
    targets = {entry.path for entry in entries if entry.role == TARGET}
    return found[IMAGE] or found[TABLE] or [path for path, _ in walk(node, lambda path, _: path in targets)]


def on_host(value: Any) -> Any:
    """A value as a NumPy array, where it is a picture or an array."""
    if is_picture(value):
        return np.asarray(value)
    backend = backend_of(value)
    if backend == "torch":
        value = value.contiguous()  # channels that lie last are copied faster than by NumPy
    return value if backend is None else kernel_of(backend).to_host(value)
