"""Undoes Normalize in pictures: what a pipeline has done to the values of its images."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core.backends import backend_of
from mixtransforms.core.errors import InputError
from mixtransforms.core.layers import FloatArray
from mixtransforms.mixing.host_stages import nested

_IN_ORDER = ("BatchCompose", "Compose", "PerBatch", "Sequential")
"""Containers that run all that is in them, one after the other."""

_ACROSS_CHANNELS = frozenset(
    "Grayscale RandomGrayscale RandomChannelPermutation ToGray ToRGB ToSepia ChannelShuffle ChannelDropout".split()
)
"""Transforms that make channels of other channels."""


class Normalization(NamedTuple):
    """``(values - mean) / std``, an entry a channel, or one for all.

    Attributes:
        mean: ``(C,)`` or ``(1,)``.
        std: Alike.
        told: Whether the user says so; what a pipeline holds may be of channels that a later transform has changed.
    """

    mean: FloatArray
    std: FloatArray
    told: bool = False


def normalizations(transforms: Any) -> tuple[Normalization, ...]:
    """What some transforms, or those of a pipeline, subtract and divide by, in their order.

    Only transforms that always run are read, and only those with a mean and a deviation of their own: a container
    that chooses, or a chance below 1, leaves open what was done.
    """
    return tuple(_always_done(transforms))


def normalizations_given(value: Any) -> tuple[Normalization, ...]:
    """What the user says of it: a transform, a pipeline, or ``(mean, std)``.

    Raises:
        InputError: There is no Normalize in it.
    """
    if value is None:
        return ()
    pair = isinstance(value, (tuple, list)) or (backend_of(value) and value.ndim == 2)
    numbers = pair and len(value) == 2 and all(map(_are_numbers, value))
    found = tuple(each._replace(told=True) for each in ((_from_pair(*value),) if numbers else normalizations(value)))
    if not found:
        got = type(value).__name__ + " without a Normalize that always runs"
        wanted = "v2.Normalize(...), A.Normalize(...), a pipeline with one, or (mean, std)"
        fix = "Give the numbers, such as ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])."
        raise InputError("Nothing to undo", where="normalized", got=got, wanted=wanted, fix=fix)
    return found


def undone(array: NDArray[Any], done: Sequence[Normalization], where: str) -> NDArray[Any]:
    """Values ``(..., C)`` as they were before; integers were never normalised.

    Raises:
        InputError: The numbers are of another number of channels.
    """
    if array.dtype.kind != "f":  # a Normalize makes floats, so that integers came before it
        return array
    given = array
    for step in reversed(done):  # the last one was done to the result of the others
        if len(step.mean) not in (1, array.shape[-1]) or len(step.std) not in (1, array.shape[-1]):
            if not step.told:
                return given
            got = f"{array.shape[-1]} channels, a mean of {len(step.mean)} and a deviation of {len(step.std)}"
            wanted, fix = "one number a channel, or one for all", "Give normalized=(mean, std) of these images."
            raise InputError("A Normalize of other channels", where=where, got=got, wanted=wanted, fix=fix)
        array = array * step.std + step.mean
    return array


def _always_done(transforms: Any) -> list[Normalization]:
    found: list[Normalization] = []
    runs = type(transforms).__name__ in _IN_ORDER and getattr(transforms, "p", 1.0) >= 1.0
    for transform in getattr(transforms, "transforms", transforms) if runs or _is_list(transforms) else ():
        if not _ACROSS_CHANNELS.isdisjoint(type(inner).__name__ for inner in nested(transform)):
            found.clear()  # what was done to every channel cannot be told any more
        found += [_from_pair(transform.mean, transform.std)] if _is_certain(transform) else _always_done(transform)
    return [_from_pair(transforms.mean, transforms.std)] if _is_certain(transforms) else found


def _is_list(transforms: Any) -> bool:
    return isinstance(transforms, (list, tuple))


def _is_certain(transform: Any) -> bool:
    """Whether it is a Normalize of either host that always does the same."""
    known = type(transform).__name__ == "Normalize" and hasattr(transform, "mean") and hasattr(transform, "std")
    usual = getattr(transform, "normalization", "standard") == "standard"  # others measure every image
    return known and usual and getattr(transform, "p", 1.0) >= 1.0


def _are_numbers(value: Any) -> bool:
    if backend_of(value):
        return value.ndim < 2 and len(value.reshape(-1)) > 0
    items = value if isinstance(value, (list, tuple)) else [value]
    return len(items) > 0 and all(isinstance(item, (Real, np.generic)) for item in items)


def _from_pair(mean: Any, std: Any) -> Normalization:
    return Normalization(_as_vector(mean), _as_vector(std))


def _as_vector(values: Any) -> FloatArray:
    listed = values.reshape(-1).tolist() if backend_of(values) else values if isinstance(values, Iterable) else [values]
    return np.array([float(value) for value in listed])
