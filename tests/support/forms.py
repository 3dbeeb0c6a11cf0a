"""The forms in which a batch of images may come: backend, dtype, layout and memory.

Tests think in plain float64 values ``(B, H, W, C)``; a form builds the array that a user would have and reads it back.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any, TypeVar

import numpy as np
import pytest
from numpy.typing import NDArray

from mixtransforms.kernels import compiled

Values = NDArray[np.float64]
Test = TypeVar("Test", bound=Callable[..., None])

NUMPY_DTYPES = ("uint8", "uint16", "float16", "float32", "float64")
TORCH_DTYPES = ("uint8", "uint16", "float16", "bfloat16", "float32", "float64")
DEFAULT_LAYOUT = {"numpy": "channels_last", "torch": "channels_first"}

# Largest relative error of one rounding to the dtype: half a unit in the last place.
_ROUNDING = {"float16": 2.0**-11, "bfloat16": 2.0**-8, "float32": 2.0**-24, "float64": 2.0**-53}
_WEIGHT_ROUNDING = 0.5 / 65536  # integer images are blended with the weight rounded to 1/65536


@dataclass(frozen=True)
class Form:
    """How a batch of images lies in memory.

    Attributes:
        backend: ``"numpy"`` or ``"torch"``.
        dtype: Name of the dtype.
        layout: ``"channels_first"`` or ``"channels_last"``.
        memory: ``"dense"``; ``"strided"``, every other column of a wider array; or ``"memory_format"``, torch's
            channels-first shape over channels-last strides.
    """

    backend: str
    dtype: str = "float32"
    layout: str = ""
    memory: str = "dense"

    def __post_init__(self) -> None:
        object.__setattr__(self, "layout", self.layout or DEFAULT_LAYOUT[self.backend])

    def __str__(self) -> str:
        return f"{self.backend}-{self.dtype}-{self.layout}-{self.memory}"

    @property
    def full(self) -> float:
        """What stands for 1.0: white."""
        return float(np.iinfo(self.dtype).max) if self.integer else 1.0

    @property
    def integer(self) -> bool:
        return "int" in self.dtype

    @property
    def resolution(self) -> float:
        """The largest error that the dtype forces on a blend of values within [0, 1]."""
        return 0.5 / self.full + _WEIGHT_ROUNDING if self.integer else _ROUNDING[self.dtype]

    @property
    def options(self) -> dict[str, str]:
        """What the transform must be told: the layout, where it is not the backend's own."""
        return {} if self.layout == DEFAULT_LAYOUT[self.backend] else {"layout": self.layout}

    def build(self, values: NDArray[Any]) -> Any:
        """The array of this form that holds ``values (B, H, W, C)``."""
        axes = (0, 3, 1, 2) if self.layout == "channels_first" else (0, 1, 2, 3)
        values = np.ascontiguousarray(np.transpose(values, axes))
        if self.memory == "strided":
            values = np.repeat(values, 2, axis=-1)
        array = values.astype(self.dtype) if self.dtype != "bfloat16" else values.astype(np.float64)
        if self.backend == "torch":
            torch = pytest.importorskip("torch", reason="torch is not installed")
            array = torch.from_numpy(array).to(getattr(torch, self.dtype))
            if self.memory == "memory_format":
                array = array.contiguous(memory_format=torch.channels_last)
        return array[..., ::2] if self.memory == "strided" else array

    def read(self, array: Any) -> Values:
        """The values ``(B, H, W, C)`` of an array of this form."""
        if self.backend == "torch":
            array = array.detach().double().numpy()
        axes = (0, 2, 3, 1) if self.layout == "channels_first" else (0, 1, 2, 3)
        return np.transpose(np.asarray(array, np.float64), axes)

    def own(self, array: NDArray[Any]) -> Any:
        """A NumPy array, such as labels, in this backend."""
        if self.backend == "numpy":
            return array
        torch = pytest.importorskip("torch", reason="torch is not installed")
        return torch.from_numpy(array)


def forms(backend: str, dtypes: tuple[str, ...] | None = None) -> Iterator[Form]:
    """Every form of a backend."""
    memories = ("dense", "strided", "memory_format") if backend == "torch" else ("dense", "strided")
    for dtype in dtypes or (TORCH_DTYPES if backend == "torch" else NUMPY_DTYPES):
        for layout in ("channels_first", "channels_last"):
            for memory in memories:
                if memory != "memory_format" or layout == "channels_first":
                    yield Form(backend, dtype, layout, memory)


def host(array: Any) -> NDArray[Any]:
    """Any array as NumPy, with its own dtype where NumPy has it."""
    if isinstance(array, np.ndarray):
        return array
    array = array.detach()
    return array.float().numpy() if str(array.dtype) == "torch.bfloat16" else array.numpy()


def bits(array: Any) -> bytes:
    """The bytes of an array in the order of its axes: tells NaN from NaN and 0.0 from -0.0."""
    if isinstance(array, np.ndarray):
        return array.tobytes()
    import torch

    plain = array.detach().as_subclass(torch.Tensor).reshape(-1).contiguous()
    return plain.view(torch.uint8).numpy().tobytes() if len(plain) else b""


def memory(array: Any) -> int:
    """Where an array's memory starts, to see whether two arrays share it."""
    if isinstance(array, np.ndarray):
        while isinstance(array.base, np.ndarray):
            array = array.base
        return array.__array_interface__["data"][0]
    return array.untyped_storage().data_ptr()


WAYS = ("batch", "rows", "tensors", *(["compiled"] if compiled.LIBRARY else []))
"""How arrays are painted: small samples in host memory by one operation on the whole batch where there is one, large
ones row by row, and tensors that are on a device or under autograd by torch's own operations; by the kernel in C, where
there is one, what that can paint."""


WAYS_OF = {"numpy": tuple(way for way in WAYS if way != "tensors"), "torch": WAYS}
"""NumPy arrays that are painted as tensors are painted by rows."""


def in_every_way(names: str, rows: Iterable[tuple[Any, ...]]) -> Callable[[Test], Test]:
    """Parametrizes a test with rows of arguments and, for the fixture of this name, a ``way`` at the end of each."""
    rows = list(rows)
    ids = ["-".join(map(str, row)) for row in rows]
    given = pytest.mark.parametrize((*names.split(), "way"), rows, ids=ids, indirect=["way"])
    return lambda test: pytest.mark.usefixtures("way")(given(test))


both_backends = in_every_way("backend", [(backend, way) for backend, ways in WAYS_OF.items() for way in ways])


@contextmanager
def painted_by(numpy: str, torch: str | None = None) -> Iterator[None]:
    """Has even the small images of tests painted in a certain way.

    Args:
        numpy: What NumPy arrays are painted by, one of :data:`WAYS`.
        torch: What tensors are painted by; ``None`` for the same.
    """
    with pytest.MonkeyPatch.context() as patch:
        for backend, way in (("numpy", numpy), ("torch", torch or numpy)):
            if backend == "torch" and not find_spec("torch"):
                continue
            kernel = import_module(f"mixtransforms.kernels.{backend}")
            patch.setattr(kernel, "small_row", lambda dtype, blends, way=way: 1 << 60 if way == "batch" else 0)
            if way != "compiled":
                patch.setattr(kernel, "cells", lambda array: None)
            if backend == "torch" and way == "tensors":
                patch.setattr(kernel, "host_view", lambda array: None)
        yield
