"""Plans drawn on the host are replayed on CUDA tensors, seen without a GPU: on fakes, which have a device, a shape and a dtype.

A value that is read back from the device raises there, and so does an operation on tensors of two devices.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from doors import NEUTRAL, TORCHVISION, Case, cases
from target_forms import given, leaves
from target_table import MASKS, SINGLE, TargetKind
from tiers import some

torch = pytest.importorskip("torch", reason="torch is not installed")

from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from mixtransforms import Plan
from mixtransforms.core import backends
from mixtransforms.core.layers import Layer
from mixtransforms.kernels import plan_tensors

DTYPES = ("float32", "float16", "bfloat16", "uint8")
PLAIN = TargetKind("images", lambda rng: {}, lambda plan, batch, blends: {})


class Counted(TorchDispatchMode):
    """Counts the operations inside that work on the device: views and new memory are no launches."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: Counter[str] = Counter()

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if not function.is_view and not str(function).startswith(("prim.", "aten.empty", "aten.set_", "aten.detach")):
            self.operations[str(function)] += 1
        return function(*args, **(kwargs or {}))


@contextmanager
def fakes() -> Iterator[None]:
    """Tensors inside are fakes, which pass for plain ones; also those of plans, which come from pinned memory otherwise."""

    def packed(parts: Mapping[str, Any], device: Any) -> dict[str, Any]:
        return {
            name: torch.empty(v.shape, dtype=getattr(torch, v.dtype.name), device=device) for name, v in parts.items()
        }

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan_tensors, "_packed", packed)
        patch.setattr(backends, "holds_others", lambda kind: False)
        with FakeTensorMode(allow_non_fake_inputs=True):
            yield


def on_cuda(value: Any) -> Any:
    """Tensors as fakes on the device; only where :func:`fakes` are made."""
    if isinstance(value, dict):
        return {name: on_cuda(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [on_cuda(inner) for inner in value]
    return torch.empty_strided(value.shape, value.stride(), dtype=value.dtype, device="cuda")


def shapes(result: Any) -> list[tuple[str, Any]]:
    """Places, devices, dtypes and shapes of all tensors."""
    return [
        (path, (leaf.device.type, leaf.dtype, tuple(leaf.shape)) if hasattr(leaf, "device") else leaf)
        for path, leaf in leaves(result)
    ]


def on_device(places: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """The same places, on the device."""
    return [
        (path, ("cuda", *leaf[1:]) if isinstance(leaf, tuple) and leaf[0] == "cpu" else leaf) for path, leaf in places
    ]


Row = tuple[TargetKind, Case, str]

KINDS = (PLAIN, *SINGLE, *MASKS)
"""What lies on the device. How many objects an image keeps is known by the values alone; they stay on the host."""


def rows() -> list[Row]:
    return [
        (kind, case, dtype)
        for case in cases(NEUTRAL, TORCHVISION)
        for kind in KINDS
        for dtype in DTYPES
        if fits(kind, case)
    ]


def fits(kind: TargetKind, case: Case) -> bool:
    """Whether the method takes the kind."""
    method = case.make().method
    pairs = "pair" in kind.options.values() or kind.name == "heads"
    return method.needs <= {"images", "saliency"} and not (pairs and method.most_sources(2) > 2)


def alone(row: Row) -> tuple[str, ...]:
    """What occurs in any case: what a plan is made of, what is painted with it, and what computes on it."""
    kind, case, dtype = row
    return kind.name, str(case.door), case.configured, f"{case.method} {dtype}"


every = pytest.mark.parametrize(("kind", "case", "dtype"), some(rows(), lambda row: (), alone), ids=str)


def batch_of(kind: TargetKind, dtype: str, times: int = 1) -> dict[str, Any]:
    """Images of a dtype and the target, several times behind each other."""
    rows = {name: np.concatenate([value] * times) for name, value in kind.batch().items()}
    batch = given(rows, "torch", kind.typed)
    return {name: value.to(getattr(torch, dtype)) if name == "images" else value for name, value in batch.items()}


@every
def test_plans_are_replayed_on_cuda(kind: TargetKind, case: Case, dtype: str) -> None:
    """Nothing is read back, devices never meet, and dtypes and shapes are those of the same call on the host."""
    transform, batch = case.make(seed=0, **kind.options), batch_of(kind, dtype)
    plan = transform.plan(**batch)
    expected = transform.replay(plan, **{name: value.clone() for name, value in batch.items()})
    with fakes():
        result = transform.replay(plan, **on_cuda(batch))
    assert shapes(result) == on_device(shapes(expected))


@pytest.mark.parametrize("options", [{"inplace": True}, {"keep_originals": True}, {"ignore_index": 1}], ids=str)
@pytest.mark.parametrize("method", ["MixUp", "CutMix", "ResizeMix"])
def test_options_are_kept_on_cuda(method: str, options: dict[str, Any]) -> None:
    transform = Case(NEUTRAL, method, {}).make(num_classes=4, **options)
    batch = {"images": torch.rand(6, 3, 8, 16), "labels": torch.arange(6) % 4}
    plan = transform.plan(**batch)
    expected = transform.replay(plan, **{name: value.clone() for name, value in batch.items()})
    with fakes():
        there = on_cuda(batch)
        result = transform.replay(plan, **there)
    assert (result["images"] is there["images"]) == ("inplace" in options)
    assert shapes(result) == on_device(shapes(expected))


@every
def test_launches_do_not_depend_on_the_size(kind: TargetKind, case: Case, dtype: str) -> None:
    """Five samples and two hundred take the same operations, of which nothing is per sample."""
    transform = case.make(seed=0, **kind.options)
    plan = transform.plan(**batch_of(kind, dtype))
    assert launches(transform, plan, kind, dtype, 1) == launches(transform, plan, kind, dtype, 40) != {}


def launches(transform: Any, plan: Plan, kind: TargetKind, dtype: str, times: int) -> Counter[str]:
    """The operations of a plan replayed on a batch that is there several times, every time mixed alike."""
    batch = batch_of(kind, dtype, times)
    with fakes(), Counted() as counted:
        transform.replay(repeated(plan, times), **on_cuda(batch))
    return counted.operations


def repeated(plan: Plan, times: int) -> Plan:
    """The plan for its batch several times behind itself."""

    def several(layer: Layer) -> Layer:
        every = layer.take(np.tile(np.arange(len(layer)), times))
        behind = np.repeat(np.arange(times) * plan.size, len(layer))
        return replace(every, rows=every.rows + behind, source=every.source + behind)

    scale = None if plan.scale is None else np.tile(plan.scale, times)
    share = None if plan.label_share is None else np.tile(plan.label_share, times)
    spec = replace(plan.spec, size=plan.size * times)
    return replace(plan, spec=spec, layers=tuple(map(several, plan.layers)), scale=scale, label_share=share)
