"""Batches between the arrays that tests think in and those that a door takes, and how results are compared."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from forms import bits, host

PICTURES = ("images", "image", "mask", "mask_partner", "mask_weight")
"""Names of arrays ``(B, H, W, C)``, of which torch has the channels first."""


def given(batch: Mapping[str, Any], backend: str, typed: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A batch of NumPy arrays in a backend.

    Args:
        batch: Arrays, or lists of one array an image; pictures with channels last.
        backend: ``"numpy"`` or ``"torch"``.
        typed: Format of boxes by their name, which are then ``BoundingBoxes`` where they are tensors.
    """
    if backend == "numpy":
        return {name: _copied(value) for name, value in batch.items()}
    pytest.importorskip("torch", reason="torch is not installed")
    made = {name: _tensors(value, name) for name, value in batch.items()}
    for name, form in (typed or {}).items():
        boxes = pytest.importorskip("torchvision.tv_tensors", reason="torchvision is not installed").BoundingBoxes
        canvas = batch["images"].shape[1:3]
        made[name] = [boxes(item, format=form.upper(), canvas_size=canvas) for item in made[name]]
    return made


def read(result: Any, name: str = "", one: bool = False) -> Any:
    """A result as NumPy arrays, pictures with channels last.

    Args:
        result: Anything that a door returns.
        name: What it is called there.
        one: Whether it belongs to one sample.
    """
    if isinstance(result, Mapping):
        return {own: read(value, own) for own, value in result.items()}
    if isinstance(result, tuple) and hasattr(result, "_fields"):
        return type(result)(*(read(value, name, one) for value in result))
    if isinstance(result, (list, tuple)):
        return [read(value, name, one=True) for value in result]
    if isinstance(result, (np.ndarray, np.generic)) or not hasattr(result, "shape"):
        return np.asarray(result) if isinstance(result, np.generic) else result
    array = host(result)
    return np.moveaxis(array, -3, -1) if name in PICTURES and array.ndim == 4 - one else array


def agree(got: Any, expected: Any, where: str = "") -> None:
    """Equal dtypes and shapes; equal whole numbers, and floats up to the rounding of float32."""
    if expected is None:
        assert got is None, where
        return
    if isinstance(expected, tuple) and hasattr(expected, "_fields"):
        assert type(got) is type(expected), where
    if isinstance(expected, (list, tuple)):
        assert len(got) == len(expected), where
        for index, (one, other) in enumerate(zip(got, expected, strict=True)):
            agree(one, other, f"{where}[{index}]")
        return
    assert got.dtype == expected.dtype, where
    if where == "mask_weight" and got.ndim > expected.ndim:  # by place, of methods that may have soft edges
        expected = np.broadcast_to(expected.reshape(*expected.shape, *[1] * (got.ndim - expected.ndim)), got.shape)
    assert got.shape == expected.shape, where
    if expected.dtype.kind == "f":
        np.testing.assert_allclose(got, expected, rtol=2e-6, atol=2e-6, err_msg=where)
    else:
        np.testing.assert_array_equal(got, expected, err_msg=where)


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Everything in a container with its place, whatever the container is."""
    if isinstance(value, Mapping):
        items = list(value.items())
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        items = list(zip(value._fields, value, strict=True))
    elif isinstance(value, (list, tuple)):
        items = list(enumerate(value))
    elif dataclasses.is_dataclass(value):
        items = list(vars(value).items())
    else:
        yield path, value
        return
    yield path, (type(value), [name for name, _ in items])
    for name, inner in items:
        yield from leaves(inner, f"{path}[{name!r}]")


def content(value: Any) -> list[tuple[str, Any]]:
    """Everything about a container, byte for byte, to see whether it has been touched."""
    return [(path, _content(leaf)) for path, leaf in leaves(value)]


def form(value: Any) -> list[tuple[str, Any]]:
    """Names, types, dtypes, and shapes but for the number of objects of an image."""
    return [(path, _form(leaf, listed="[" in path[1:])) for path, leaf in leaves(value)]


def _content(leaf: Any) -> Any:
    if not hasattr(leaf, "shape"):
        return leaf
    more = (getattr(leaf, "format", None), getattr(leaf, "canvas_size", None))
    array = np.asarray(leaf) if isinstance(leaf, np.generic) else leaf
    return type(leaf), str(leaf.dtype), tuple(leaf.shape), bits(array), *more


def _form(leaf: Any, listed: bool) -> Any:
    if not hasattr(leaf, "shape"):
        return leaf if isinstance(leaf, tuple) else type(leaf)
    more = (getattr(leaf, "format", None), getattr(leaf, "canvas_size", None))
    return type(leaf), str(leaf.dtype), tuple(leaf.shape)[listed:], *more


def _copied(value: Any) -> Any:
    return [item.copy() for item in value] if isinstance(value, list) else value.copy()


def _tensors(value: Any, name: str) -> Any:
    if isinstance(value, list):
        return [_tensors(item, "") for item in value]
    import torch

    array = np.moveaxis(value, -1, 1) if name in PICTURES and value.ndim == 4 else value
    return torch.from_numpy(np.array(array, order="C"))  # a copy
