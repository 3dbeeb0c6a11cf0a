"""Tensors without a cell for every index end in an error of ours, in every form of a batch; so do lists of nothing."""

import importlib
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mixtransforms import CutMix, InputError, MixUp

torch = pytest.importorskip("torch", reason="torch is not installed")


class Holder(torch.Tensor):
    """Holds another tensor and dispatches for itself, as a distributed one does."""

    @staticmethod
    def __new__(cls, inner: Any) -> "Holder":
        made: Holder = torch.Tensor._make_wrapper_subclass(cls, inner.shape, dtype=inner.dtype)
        made.inner = inner
        return made

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise RuntimeError("nobody may compute with it")


def quiet(make: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """torch warns of what is a prototype or on its way out."""

    def made(values: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return make(values)

    return made


ODD: dict[str, tuple[Callable[[Any], Any], str, Callable[[Any], Any]]] = {
    "sparse": (
        lambda x: x.to_sparse(),
        r"a tensor of layout torch\.sparse_coo; .*tensor\.to_dense\(\)",
        lambda x: x.to_dense(),
    ),
    "nested": (
        quiet(lambda x: torch.nested.nested_tensor(list(x))),
        r"a nested tensor; .*torch\.nested\.to_padded_tensor\(tensor, 0\.0\)",
        lambda x: torch.nested.to_padded_tensor(x, 0.0),
    ),
    "quantized": (
        quiet(lambda x: torch.quantize_per_tensor(x, 0.1, 0, torch.quint8)),
        r"a quantized tensor; .*tensor\.dequantize\(\)",
        lambda x: x.dequantize(),
    ),
    "holder": (Holder, r"a tensor that holds others; .*plain tensor", lambda x: x.inner),
}

X, LARGE = torch.rand(4, 3, 8, 8), torch.rand(4, 3, 96, 96)

FORMS: dict[str, Callable[[Callable[[Any], Any]], Any]] = {
    "alone": lambda odd: odd(X),
    "dict": lambda odd: {"image": odd(X)},
    "list": lambda odd: {"image": list(map(odd, X))},
    "samples": lambda odd: list(map(odd, X)),
    "large samples": lambda odd: [{"image": odd(x)} for x in LARGE],
    "labels": lambda odd: (X, odd(torch.eye(4))),
    "masks": lambda odd: {"image": X, "mask": odd(torch.ones(4, 8, 8))},
    "boxes": lambda odd: {"image": X, "boxes": [odd(torch.ones(2, 4))] * 4},
    "stacked boxes": lambda odd: {"image": X, "boxes": odd(torch.ones(4, 2, 4))},
    "records": lambda odd: (X, [{"boxes": odd(torch.ones(2, 4))}] * 4),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ODD)
def test_tensors_without_a_cell_for_every_index(name: str, form: str) -> None:
    """Also where a dense batch of the same shapes was mixed before."""
    odd, message, _ = ODD[name]
    for method in (MixUp, CutMix):
        mix = method()
        if form not in ("boxes", "stacked boxes", "records"):
            mix(FORMS[form](lambda x: x))
        for _ in range(2):
            with pytest.raises(InputError, match=rf"Not one cell for every index \(.+\): got {message}"):
                mix(FORMS[form](odd))


@pytest.mark.parametrize("name", ODD)
def test_plans_refuse_them_and_the_step_leads_on(name: str) -> None:
    odd, message, dense = ODD[name]
    plan = MixUp(alpha=1.0, seed=0).plan(X)
    with pytest.raises(InputError, match=rf"\(plan\.apply\): got {message}"):
        plan.apply(odd(X))
    if name != "nested":  # of which only some of a shape can be padded
        assert plan.apply(dense(odd(X))).shape == X.shape
    assert MixUp()(dense(odd(X))).shape == X.shape


@pytest.mark.parametrize("name", ODD)
def test_what_is_declared_passes(name: str) -> None:
    other = ODD[name][0](X)
    assert MixUp(passthrough="other")({"image": X, "other": other})["other"] is other


@pytest.mark.parametrize("door", ["mixtransforms", "mixtransforms.torchvision", "mixtransforms.albumentations"])
@pytest.mark.parametrize("labels", [{}, {"labels": []}])
def test_lists_without_images(door: str, labels: dict[str, Any]) -> None:
    module = pytest.importorskip(door)
    with pytest.raises(
        InputError, match=r"A list without images \(batch\['images'\]\): .* np\.zeros\(\(0, 224, 224, 3\)\)"
    ):
        module.MixUp(num_classes=3)(images=[], **labels)
    assert module.MixUp(num_classes=3)(images=np.zeros((0, 224, 224, 3)), labels=[])["labels"].shape == (0, 3)


@pytest.mark.parametrize("value", [np.array(1.0), torch.tensor(1.0)], ids=["numpy", "torch"])
def test_arrays_without_axes(value: Any) -> None:
    images = X if isinstance(value, torch.Tensor) else X.numpy().transpose(0, 2, 3, 1)
    for batch, message in (
        (value, r"Not a batch of images \(batch\): got shape \(\)"),
        ((images, value), r"Batch sizes disagree \(batch\[1\]\)"),
        ({"image": images, "mask": value}, r"Batch sizes disagree \(batch\['mask'\]\)"),
        ({"image": images, "boxes": value}, r"batch\['boxes'\]"),
        ({"image": images, "epoch": value}, r"neither known nor declared \(batch\['epoch'\]\)"),
    ):
        with pytest.raises(InputError, match=message):
            MixUp()(batch)


@pytest.mark.parametrize("seed", [0, None])
@pytest.mark.parametrize("place", ["images", "boxes"])
@pytest.mark.parametrize("name", [*ODD, "0-d"])
def test_a_pipeline_refuses_them_before_its_host_sees_them(name: str, place: str, seed: int | None) -> None:
    v2 = pytest.importorskip("torchvision.transforms.v2", reason="torchvision is not installed")
    door = importlib.import_module("mixtransforms.torchvision")
    make, text = (lambda x: torch.tensor(3.0), "an array without axes") if name == "0-d" else ODD[name][:2]
    value = make(X[0])
    sample = {"image": value} if place == "images" else {"image": X[0], "boxes": value, "labels": torch.tensor([1])}
    with pytest.raises(InputError, match=text):
        door.BatchCompose([v2.RandomHorizontalFlip(1.0), door.CutMix()], seed=seed)([sample, dict(sample)])
