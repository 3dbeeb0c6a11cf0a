"""Given the pairing, weight and box that torchvision drew, our result is torchvision's."""

from typing import Any

import numpy as np
import pytest
from forms import Form
from oracles import ulp

from mixtransforms import BatchSpec, Boxes, Layer, Plan

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("torchvision", reason="torchvision is not installed")

from torchvision import tv_tensors
from torchvision.transforms import v2

import mixtransforms.torchvision as ours

SHAPES = ((4, 3, 8, 8), (5, 3, 13, 29), (3, 1, 1, 9), (2, 3, 32, 32), (1, 3, 8, 8))


class Recorded:
    """torchvision's mix, which keeps what it drew."""

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        self.drawn = super().make_params(flat_inputs)
        return self.drawn


class TheirMixUp(Recorded, v2.MixUp): ...


class TheirCutMix(Recorded, v2.CutMix): ...


def plan_of(drawn: dict[str, Any], images: Any) -> Plan:
    """What torchvision drew as a plan: everybody's partner is the sample before."""
    size, _, height, width = images.shape
    rows = np.arange(size)
    source = (rows - 1) % size
    if "lam" in drawn:
        layer = Layer(rows, source, np.full(size, 1 - drawn["lam"]))
    else:
        left, top, right, bottom = drawn["box"]
        box = Boxes(np.tile([top, left], (size, 1)), np.tile([bottom, right], (size, 1)))
        layer = Layer(rows, source, np.ones(size), box)
    return Plan(BatchSpec(size, (height, width)), (layer,))


def batch(shape: tuple[int, ...], dtype: str = "float32") -> tuple[Any, Any]:
    size, channels, height, width = shape
    values = np.rint(np.random.default_rng(0).random((size, height, width, channels)) * 200)
    return Form("torch", dtype).build(values), torch.arange(size) % 3


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_mixup(dtype: str, shape: tuple[int, ...], seed: int) -> None:
    torch.manual_seed(seed)
    images, labels = batch(shape, dtype)
    theirs = TheirMixUp(num_classes=3)
    their_images, their_labels = theirs(images, labels)
    our_images, our_labels = ours.MixUp(num_classes=3).replay(plan_of(theirs.drawn, images), images, labels)
    slack = torch.from_numpy(ulp(images.numpy(), images.roll(1, 0).numpy(), dtype))
    assert ((our_images.double() - their_images.double()).abs() <= slack).all()
    torch.testing.assert_close(our_labels, their_labels, rtol=0, atol=2**-23)
    assert our_labels.dtype == their_labels.dtype


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float16", "bfloat16", "float32"])
def test_cutmix(dtype: str, shape: tuple[int, ...], seed: int) -> None:
    torch.manual_seed(seed)
    images, labels = batch(shape, dtype)
    theirs = TheirCutMix(num_classes=3)
    their_images, their_labels = theirs(images, labels)
    plan = plan_of(theirs.drawn, images)
    our_images, our_labels = ours.CutMix(num_classes=3).replay(plan, images, labels)
    assert torch.equal(our_images.view(torch.uint8), their_images.view(torch.uint8))
    torch.testing.assert_close(our_labels, their_labels, rtol=0, atol=2**-23)
    np.testing.assert_allclose(plan.weight, theirs.drawn["lam_adjusted"] if shape[0] > 1 else plan.weight, atol=1e-12)


@pytest.mark.parametrize("name", ["MixUp", "CutMix"])
@pytest.mark.parametrize("wrap", [tv_tensors.Image, lambda x: tv_tensors.Video(x[:, None])], ids=["image", "video"])
def test_tv_tensors_and_soft_labels(wrap: Any, name: str) -> None:
    images, labels = batch((4, 3, 8, 8))
    given = {"pixels": wrap(images), "labels": torch.nn.functional.one_hot(labels, 3)}
    theirs = {"MixUp": TheirMixUp, "CutMix": TheirCutMix}[name]()
    expected = theirs(given)
    seen = getattr(ours, name)().replay(plan_of(theirs.drawn, images), given)
    assert type(seen["pixels"]) is type(expected["pixels"])
    torch.testing.assert_close(seen["pixels"], expected["pixels"], rtol=2**-22, atol=2**-15)
    torch.testing.assert_close(seen["labels"], expected["labels"], rtol=0, atol=2**-23)


@pytest.mark.parametrize("name", ["MixUp", "CutMix"])
def test_their_keywords_are_ours(name: str) -> None:
    """Replacing the import is the only change of a published training loop."""
    for options in (
        {},
        {"alpha": 0.3},
        {"alpha": 1.0, "num_classes": 3},
        {"num_classes": 3, "labels_getter": "default"},
    ):
        transform = getattr(ours, name)(**options)
        assert isinstance(transform, v2.Transform)
        assert transform.num_classes == options.get("num_classes")
    images, labels = batch((4, 3, 8, 8))
    for transforms in (v2, ours):
        mix = getattr(transforms, name)(alpha=1.0, num_classes=3, labels_getter=lambda sample: sample["meta"]["klass"])
        mixed = mix({"image": images, "meta": {"klass": labels}})
        assert mixed["meta"]["klass"].shape == (4, 3)


@pytest.mark.parametrize("name", ["MixUp", "CutMix"])
def test_the_same_kind_of_plan(name: str) -> None:
    """``per="batch", pairing="roll"`` is what torchvision does: one weight and one box, the sample before."""
    images, labels = batch((5, 3, 13, 29))
    transform = getattr(ours, name)(alpha=1.0, num_classes=3, per="batch", pairing="roll")
    seen = []
    for seed in range(20):
        torch.manual_seed(seed)
        plan = transform.plan(images, labels)
        np.testing.assert_array_equal(plan.partner, (np.arange(5) - 1) % 5)
        assert len(set(plan.weight.tolist())) == 1
        seen.append(plan.weight[0])
    assert len(set(seen)) > 15
