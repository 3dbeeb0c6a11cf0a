"""Array verbs, once for NumPy and once for torch, and the choice between them.

Images in host memory, of either backend, are painted by :mod:`~mixtransforms.kernels.rows`, sample by sample, and
small ones all at once, by two verbs. Tensors on a device, under autograd or in a traced graph are painted by
:mod:`~mixtransforms.kernels.coats`, as pure functions of tensors. Both backends have the same verbs, with the same
results:

===============  ========================================================================================
``host_view``    an array's memory as a NumPy array, where that is all there is to it; ``from_host`` undoes it
``reserved``     an empty batch
``blend_all``    whole small samples: ``(1 - opacity) * base + opacity * source``
``paste_all``    boxes of small samples, copied bit for bit
``resize``       crops of the sources resized into frames
``nearest``      the same by copies of the nearest cells
``soft_labels``  shares of classes, of class ids; ``combine`` of rows; ``pair`` leaves them apart
``astype``       values in another dtype
``union``        the largest of what is seen
``take``         some rows, copied; ``concat`` joins batches
``padded``       an array at the start of a larger one
``cast``         host values in the dtype, type and place of an array; ``like`` in its place alone
``typed``        an array in the type of another one
``to_host``      an array as NumPy's; ``readable`` whether that takes no waiting, ``expect`` checks where it would
===============  ========================================================================================

Weights of 0 and 1 select and never multiply, so that NaN and infinity stay where they are. Integer images are
blended with the weight rounded to 1/65536 and the result rounded half to even, which makes all backends equal bit
for bit; half types are blended in float32; other floats in their own precision.
"""

from __future__ import annotations

import functools
import importlib
from types import ModuleType
from typing import Any

import numpy as np

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


@functools.cache
def kernel_of(backend: str) -> ModuleType:
    """The module of verbs for ``"numpy"`` or ``"torch"``; imports the backend when it is first needed."""
    return importlib.import_module(f"mixtransforms.kernels.{backend}")


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
