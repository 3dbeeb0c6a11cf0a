"""What every room may ask of an array of either backend, without importing one."""

from __future__ import annotations

import functools
import sys
from typing import Any

import numpy as np

from mixtransforms.core.errors import InputError

WEIGHT_STEPS = 65536
"""Weights of integer blends are multiples of 1/65536: products and sums are then exact in every formula."""

SMALL_ROW = 1 << 16
"""Bytes of a sample below which a few operations on the whole batch beat one on every row."""

BLENDABLE_INTEGERS = frozenset({"uint8", "uint16", "int16"})
"""Integer dtypes that hold intensities. Wider ones hold ids, of which a mean has no meaning."""

_INTEGERS = frozenset(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))


def backend_of(value: Any) -> str | None:
    """``"numpy"``, ``"torch"`` or ``None`` for what is no array. Imports nothing."""
    kind: Any = type(value)
    return backend_of_type(kind)


@functools.lru_cache(maxsize=1024)  # asked for every value of every sample
def backend_of_type(kind: type) -> str | None:
    """The backend of arrays of a type, see :func:`backend_of`."""
    if issubclass(kind, np.ndarray):
        return "numpy"
    for cls in kind.__mro__:
        if cls.__module__ == "torch" and cls.__name__ == "Tensor":
            return "torch"
    return None


@functools.lru_cache(maxsize=1024)  # asked for every value of every sample
def is_masked_type(kind: type) -> bool:
    """Whether arrays of a type may have values that are missing."""
    # NumPy loads this module when somebody asks for it, under a lock that a child forked meanwhile would wait for.
    masked = sys.modules.get("numpy.ma")
    return masked is not None and issubclass(kind, masked.MaskedArray)


def unmasked(array: Any, where: str) -> Any:
    """The data of a masked array in which nothing is masked; any other array as it is.

    Raises:
        InputError: Something is masked: a mean of what is missing is no number.
    """
    kind: Any = type(array)
    if not is_masked_type(kind):
        return array
    if np.ma.is_masked(array):
        raise InputError(
            "Masked values cannot be mixed",
            where=where,
            got=f"{int(np.ma.getmaskarray(array).sum())} of {array.size} values masked",
            wanted="values that are all there",
            fix="Fill them, array.filled(0), class ids with that of ignore_index, or leave the array alone with "
            "passthrough.",
        )
    return array.data


def check_form(array: Any, where: str) -> None:
    """Refuses tensors that have no cell for every index: sparse, nested, quantized, distributed.

    Raises:
        InputError: The tensor is one of these.
    """
    odd = _odd_form(array)
    if odd is not None:
        raise InputError(
            "Not one cell for every index", where=where, got=odd[0], wanted="an array, or a dense tensor", fix=odd[1]
        )


@functools.lru_cache(maxsize=1024)  # asked for every value of every sample
def holds_others(kind: type) -> bool:
    """Whether tensors of a type are no memory of their own: they dispatch for themselves, as distributed ones do."""
    base: Any = next(
        (cls for cls in kind.__mro__ if backend_of_type(cls) == "torch" and cls.__name__ == "Tensor"), None
    )
    own: Any = kind
    return base is not None and own.__torch_dispatch__ is not base.__torch_dispatch__


def _odd_form(array: Any) -> tuple[str, str] | None:
    """What an array is that has no cell for every index, and how it becomes one that has; ``None`` where it does."""
    if backend_of(array) != "torch":
        return None
    if array.is_nested:
        return "a nested tensor", "Pad it, torch.nested.to_padded_tensor(tensor, 0.0)."
    if str(array.layout) != "torch.strided":
        return f"a tensor of layout {array.layout}", "Make it dense, tensor.to_dense()."
    if array.is_quantized:
        return "a quantized tensor", "Give its numbers, tensor.dequantize(), or its integers, tensor.int_repr()."
    kind: Any = type(array)
    if holds_others(kind):
        return "a tensor that holds others", "Give a plain tensor, such as tensor.to_local() of a distributed one."
    return None


def dtype_name(array: Any) -> str:
    """``"uint8"``, ``"bfloat16"``, ... of an array of either backend."""
    dtype = array.dtype  # no cache: compilers that trace this refuse one
    return dtype.name if isinstance(dtype, np.dtype) else str(dtype).rpartition(".")[2]


def is_floating(array: Any) -> bool:
    """Whether the dtype of an array of either backend is a floating one."""
    return "float" in dtype_name(array)


def is_integer(array: Any) -> bool:
    """Whether the dtype of an array of either backend is one of whole numbers."""
    return dtype_name(array) in _INTEGERS


def column(values: Any, rank: int) -> Any:
    """Values of samples, ``(B, ...)`` of either backend, with as many axes of length 1 behind as make ``rank``."""
    return values.reshape(values.shape + (1,) * (rank - len(values.shape)))


def check_scalable(array: Any, where: str) -> None:
    """Refuses an array whose values cannot be multiplied by any number: whole ones, that have ends.

    Raises:
        InputError: The dtype is none of floats.
    """
    if is_floating(array):
        return
    raise InputError(
        "These values cannot be scaled",
        where=where,
        got=f"dtype {dtype_name(array)}, and a mix whose gains together are above 1",
        wanted="floats",
        fix="Convert them to float32 first, 16-bit sound by images / 32768; or mix with gain='linear'.",
    )
