"""Types of tensors: results take on that of what came in, with everything that such a tensor holds beside its numbers.

Those of torchvision say what they are. Others hold what is told of samples (``MetaTensor`` of MONAI), or have only a
name (``TensorImage`` of fastai). Attributes are copied; what is told of every row follows its row.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mixtransforms.core.errors import InputError


def is_carried(kind: type[Tensor]) -> bool:
    """Whether results take on a type: that of one memory with something told of it.

    What is mixed of a parameter is none; a type that dispatches for itself holds other tensors.
    """
    own = kind is not Tensor and kind.__torch_dispatch__ is Tensor.__torch_dispatch__
    return own and not issubclass(kind, torch.nn.Parameter)


def is_strangers(kind: type[Tensor]) -> bool:
    """Whether a type is neither torch's nor torchvision's, and may tell of every row."""
    return is_carried(kind) and not kind.__module__.startswith("torchvision.tv_tensors")


def with_type(values: Tensor, example: Tensor) -> Tensor:
    """The values with the type of ``example``, and what it holds: format and canvas of boxes, metadata."""
    kind = type(example)
    # A row that a type has taken itself knows better what belongs to it.
    if not is_carried(kind) or (type(values) is kind and vars(values)):
        return values
    return _told(values, kind, vars(example))


def with_types(parts: Sequence[Tensor], examples: Sequence[Tensor]) -> list[Tensor]:
    """Plain tensors with the types of examples, see :func:`with_type`."""
    carried = {kind: is_carried(kind) for kind in set(map(type, examples))}
    return [
        _told(part, type(example), vars(example)) if carried[type(example)] else part
        for part, example in zip(parts, examples, strict=True)
    ]


def join(values: Tensor, parts: Sequence[Tensor]) -> Tensor:
    """The values of several batches, one after the other, with the type of the first, and what is told of all rows."""
    first = parts[0]
    if not is_carried(type(first)):
        return values
    told = [dict(vars(part)) for part in parts]
    rows, batch = [len(part) for part in parts], getattr(first, "is_batch", None)
    return _told(values, type(first), _joined(told, rows, batch))


def collate(batch: Tensor, samples: Sequence[Tensor]) -> Tensor:
    """A batch with the type of its samples, and what every one of them is told of.

    As the type itself has it, where it says anything to torch's default collation; else every attribute becomes a
    list, one entry a sample.

    Raises:
        InputError: The type cannot collate its metadata.
    """
    kind = type(samples[0])
    if not is_strangers(kind):
        return with_type(batch, samples[0])
    # Without their numbers, which are in the batch already.
    empty = [with_type(sample.as_subclass(Tensor)[:0], sample) for sample in samples]
    try:
        told = vars((_collation_of(kind) or torch.utils.data.default_collate)(empty))
    except (TypeError, ValueError, RuntimeError, KeyError) as reason:
        raise InputError(
            "Metadata that does not make a batch",
            where=kind.__name__,
            got=str(reason),
            wanted="what torch's default collation takes",
            fix="Leave out of it what differs between samples, or give sample.as_subclass(torch.Tensor).",
        ) from None
    names = vars(samples[0])
    return _told(batch, kind, told or {name: [vars(sample).get(name) for sample in samples] for name in names})


def _collation_of(kind: type[Tensor]) -> Callable[[Any], Any] | None:
    """The collation that MONAI has for its tensors, which it tells torch of when one of its loaders first collates."""
    theirs = any(cls.__module__ == "monai.data.meta_tensor" for cls in kind.__mro__)
    return getattr(sys.modules.get("monai.data.utils"), "collate_meta_tensor_fn", None) if theirs else None


def take_row(own: Tensor, values: Tensor, index: int) -> Tensor:
    """One row ``own`` of ``values`` with their type, and what they tell of it."""
    kind = type(values)
    if not is_carried(kind) or (type(own) is kind and vars(own)):
        return own
    return _told(own, kind, {name: _of_row(value, index, len(values)) for name, value in vars(values).items()})


def _told(values: Tensor, kind: type[Tensor], told: Mapping[str, Any]) -> Tensor:
    """The values as a tensor of a type, with attributes that nobody else changes."""
    result = values.as_subclass(kind)
    own = vars(result)
    for name, value in told.items():
        own[name] = copy.copy(value) if type(value) in (dict, list) else value
    return result


def _joined(values: Sequence[Any], rows: Sequence[int], batch: bool | None) -> Any:
    """An attribute of several batches as that of one: one after the other where it has an entry for every row.

    Lists are taken for such. Of arrays only the tensor knows, by ``is_batch``: a matrix of four rows may be one of all
    samples.
    """
    first = values[0]
    if any(type(value) is not type(first) for value in values):
        return first
    if isinstance(first, dict):
        return {key: _joined([value.get(key) for value in values], rows, batch) for key in first}
    known = isinstance(first, list) and batch is not False
    if not (known or (batch and isinstance(first, (Tensor, np.ndarray)) and len(first.shape))):
        return first
    if list(map(len, values)) != list(rows):
        return first
    if isinstance(first, list):
        return [item for value in values for item in value]
    return torch.cat(list(values)) if isinstance(first, Tensor) else np.concatenate(values)


def _of_row(value: Any, index: int, size: int) -> Any:
    """What an attribute of a batch says of one row, see :func:`_joined`."""
    if isinstance(value, dict):
        return {key: _of_row(item, index, size) for key, item in value.items()}
    return value[index] if isinstance(value, list) and len(value) == size else value
