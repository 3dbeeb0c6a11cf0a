"""Rows of floats beside boxes under a name such as ``target``: a number for every box, or shares of classes.

Whole numbers and texts are each box's. Floats within [0, 1] may be both, and where there are as many of them as there
are boxes nothing tells: another batch, with as many boxes as there are classes, must not be read otherwise.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mixtransforms.containers.tree import Path, depth, spell
from mixtransforms.core.backends import backend_of, is_floating
from mixtransforms.core.errors import InputError
from mixtransforms.kernels import kernel_of


def holds_floats(value: Any) -> bool:
    """Whether a value is a floating array, or a list in which there are floats or such arrays."""
    if backend_of(value):
        return is_floating(value)
    if type(value) in (list, tuple):
        return any(map(holds_floats, value))
    return isinstance(value, (float, np.floating))


def are_of_sample(path: Path, rows: Any, objects: Any) -> bool:
    """Whether floats beside objects tell of the samples: whether they are rows of one width, and not one an object.

    Args:
        path: Where they stand.
        rows: One row a sample.
        objects: The boxes, or what else says how many objects there are, alike.

    Raises:
        InputError: They may be both.
    """
    if max(map(depth, rows), default=1) > 1:  # shares of every box
        return False
    lengths, counts = _lengths(rows), _lengths(objects)
    if lengths != counts or not any(counts):
        return len(set(lengths)) == 1 and lengths[0] > 0
    if all(row is None or _may_be_shares(row) for row in rows):
        raise InputError(
            "Labels of the boxes or of the sample",
            where=spell(path),
            got="floats within [0, 1], as many as there are boxes",
            wanted="to know whether they are one a box, or the shares of the sample's classes",
            fix=f"Say kinds={{{path[-1]!r}: 'label'}} where they are the sample's, and "
            f"boxes=BoxRules(fields=({path[-1]!r},)) where they are the boxes'.",
        )
    return False


def _lengths(items: Any) -> list[int]:
    """Number of entries of every sample; of one that tells nothing, none."""
    if backend_of(items):
        return [int(items.shape[1])] * int(items.shape[0])
    return [0 if item is None else len(item) for item in items]


def _may_be_shares(row: Any) -> bool:
    backend = backend_of(row)
    values = np.asarray(row) if backend is None else kernel_of(backend).to_host(row)
    return values.dtype.kind in "biuf" and bool(((values >= 0) & (values <= 1)).all())
