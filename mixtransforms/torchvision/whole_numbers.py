"""Boxes and keypoints that came as whole numbers: floats from the first transform of the host to the last one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from mixtransforms.containers.tree import Path, is_typed, leaf_at, replace, spell
from mixtransforms.core.backends import backend_of, dtype_name, is_integer
from mixtransforms.core.errors import InputError
from mixtransforms.kernels import kernel_of


class Note(dict[Path, Any]):
    """The boxes and keypoints of one sample that are arrays, as they came.

    Attributes:
        whole: Whether any of them are whole numbers.
    """

    whole = False


def as_floats(item: Any, path: Path, note: Note) -> Any:
    """Boxes or keypoints that came as whole numbers as floats; what the user has typed is the host's own affair."""
    if is_typed(item):
        return item
    backend = backend_of(item)
    if backend is None:
        return np.array(item, np.float64).tolist()
    note.setdefault(path, item)
    if not is_integer(item):
        return item
    note.whole = True
    return kernel_of(backend).astype(item, "float64")


def whole_numbers(notes: Iterable[Note]) -> dict[Path, list[Any]]:
    """The arrays of boxes and keypoints of several samples, where there are whole numbers among them."""
    found: dict[Path, list[Any]] = {}
    for note in notes:
        for path, item in note.items():
            found.setdefault(path, []).append(item)
    return {path: items for path, items in found.items() if any(map(is_integer, items))}


def rounded(sample: Any, note: Note, earlier: Mapping[Path, Sequence[Any]]) -> Any:
    """A sample whose boxes and keypoints are whole numbers again, as they came, rounded once.

    Args:
        sample: The sample, behind the last transform of the host.
        note: The arrays that it came as to this stage.
        earlier: The whole numbers that all samples came as to the first one, before they were mixed.

    Raises:
        InputError: The integers that they came as do not hold them.
    """
    own = whole_numbers([note])
    # A mix may have put boxes with their weights into the place of boxes.
    known = {path: own.get(path) or earlier.get(path) or earlier.get(path[:-1]) for path in note}
    return replace(
        sample, {path: _rounded(leaf_at(sample, path), path, given) for path, given in known.items() if given}
    )


def _rounded(values: Any, path: Path, given: Sequence[Any]) -> Any:
    kernel = kernel_of(str(backend_of(values)))
    dtype = kernel.common_dtype([item for item in given if len(item)] or given)  # as a mix joins them
    new = kernel.astype(values[:0], dtype)
    if not is_integer(new):
        return kernel.astype(values, dtype)
    host = kernel.to_host(values)
    with np.errstate(invalid="ignore"):
        new = kernel.astype_like(host, new)
    if not np.array_equal(kernel.to_host(new), np.rint(host)):
        raise InputError(
            "Whole numbers that their dtype does not hold",
            where=spell(path),
            got=f"{dtype_name(new)}, and values from {host.min():g} to {host.max():g}",
            wanted="a signed dtype that is wide enough, or floats",
            fix="Give boxes and keypoints as int64 or float32.",
        )
    return new


def as_tensor(item: Any) -> torch.Tensor:
    """One sample's value as a tensor."""
    return item if backend_of(item) == "torch" else torch.from_numpy(np.array(item))


def in_form_of(values: torch.Tensor, item: Any) -> Any:
    """A tensor in the form of a sample's value."""
    if backend_of(item) is None:
        return values.tolist()
    if backend_of(item) == "numpy":
        return kernel_of("numpy").astype_like(values.numpy(), item)
    return values if is_typed(item) else values.as_subclass(torch.Tensor)
