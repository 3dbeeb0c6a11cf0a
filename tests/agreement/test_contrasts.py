"""What peers do with hard input, beside what this package does: it mixes correctly or raises an error that says why.

Every test first shows the peer's behaviour, so that a reader sees what the difference is worth, and so that a peer that
mends its ways is noticed. R1 to R9 are the rows of the survey that this package was designed from.
"""

from typing import Any

import numpy as np
import pytest

import mixtransforms
from mixtransforms import InputError, ParameterError, UnknownOptionError

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("torchvision", reason="torchvision is not installed")

from torchvision.transforms import v2

import mixtransforms.torchvision as ours

SIZE, CLASSES = 4, 3
IDS = torch.tensor([0, 1, 2, 1])
ONE_HOT = torch.eye(CLASSES)[IDS]


def floats() -> Any:
    return torch.rand(SIZE, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def bytes_() -> Any:
    return (floats() * 255).to(torch.uint8)


def shares(plan: Any) -> Any:
    """``(B, B)``: result by source."""
    table = torch.diag(torch.from_numpy(plan.weight.copy()))
    table[torch.arange(SIZE), torch.from_numpy(plan.partner.copy())] += torch.from_numpy(1 - plan.weight)
    return table.float()


def test_r1_numpy_images_with_tensor_labels_mixup() -> None:
    images = floats().movedim(1, -1).numpy()
    theirs, labels = v2.MixUp(num_classes=CLASSES)(images, IDS)
    assert theirs is images, "torchvision leaves the images and mixes the labels"
    assert labels.dtype.is_floating_point
    mixed, rows = ours.MixUp(num_classes=CLASSES, alpha=1.0, seed=1)(images, IDS)
    wanted, own = ours.MixUp(num_classes=CLASSES, alpha=1.0, seed=1)(images, IDS.numpy())
    assert not np.array_equal(mixed, images)
    np.testing.assert_array_equal(mixed, wanted)
    assert isinstance(rows, np.ndarray)
    np.testing.assert_array_equal(rows, own)


def test_r2_numpy_images_with_tensor_labels_cutmix() -> None:
    images = floats().movedim(1, -1).numpy()
    with pytest.raises(TypeError, match="Input tensor should have at least two dimensions, but got 1"):
        v2.CutMix(num_classes=CLASSES)(images, IDS)
    mixed, rows = ours.CutMix(num_classes=CLASSES, seed=1)(images, IDS)
    wanted, own = ours.CutMix(num_classes=CLASSES, seed=1)(images, IDS.numpy())
    np.testing.assert_array_equal(mixed, wanted)
    np.testing.assert_array_equal(rows, own)


def test_r3_uint8_mixup() -> None:
    with pytest.raises(RuntimeError, match="can't be cast"):
        v2.MixUp(num_classes=CLASSES)(bytes_(), IDS)
    assert v2.CutMix(num_classes=CLASSES)(bytes_(), IDS)[0].dtype == torch.uint8
    transform = ours.MixUp(alpha=1.0, num_classes=CLASSES)
    plan = transform.plan(bytes_(), IDS)
    mixed, labels = transform.replay(plan, bytes_(), IDS)
    assert mixed.dtype == torch.uint8
    expected = torch.einsum("ij,jchw->ichw", shares(plan), bytes_().float())
    assert (mixed.float() - expected).abs().max() <= 0.51
    torch.testing.assert_close(labels, shares(plan) @ ONE_HOT)


def test_r4_two_images() -> None:
    batch = {"left": floats(), "right": floats(), "labels": IDS}
    theirs = v2.MixUp(num_classes=CLASSES)(batch)
    assert not torch.equal(theirs["left"], batch["left"])
    assert torch.equal(theirs["right"], batch["right"]), "torchvision mixes the first image alone"
    with pytest.raises(
        InputError, match=r"neither known nor declared \(batch\['left'\]\): .* kinds=\{'left': 'image'\}"
    ):
        ours.MixUp(num_classes=CLASSES)(batch)
    mixed = ours.MixUp(alpha=1.0, num_classes=CLASSES, kinds={"left": "image", "right": "image"})(batch)
    assert torch.equal(mixed["left"], mixed["right"])
    assert not torch.equal(mixed["left"], batch["left"])


def test_r5_a_vector_before_the_image() -> None:
    batch = {"id": torch.arange(SIZE), "image": floats(), "labels": IDS}
    with pytest.raises(ValueError, match="4 dims"):
        v2.MixUp(num_classes=CLASSES)(batch)
    with pytest.raises(InputError, match=r"neither known nor declared \(batch\['id'\]\): .* passthrough=\('id',\)"):
        ours.MixUp(num_classes=CLASSES)(batch)
    mixed = ours.MixUp(alpha=1.0, num_classes=CLASSES, passthrough="id")(batch)
    assert mixed["id"] is batch["id"]
    assert not torch.equal(mixed["image"], batch["image"])


def test_r6_int32_labels() -> None:
    with pytest.raises(RuntimeError, match="one_hot"):
        v2.MixUp(num_classes=CLASSES)(floats(), IDS.int())
    transform = ours.MixUp(num_classes=CLASSES)
    plan = transform.plan(floats(), IDS.int())
    torch.testing.assert_close(transform.replay(plan, floats(), IDS.int())[1], shares(plan) @ ONE_HOT)


def test_r6_unlabelled_samples() -> None:
    unlabelled = torch.tensor([0, -1, 2, -1])
    with pytest.raises(RuntimeError, match="non-negative"):
        v2.MixUp(num_classes=CLASSES)(floats(), unlabelled)
    with pytest.raises(
        InputError,
        match=r"Class ids out of range \(batch\[1\]\): got \[-1\] at \[1, 3\]; wanted ids from 0 .*ignore_index",
    ):
        ours.MixUp(num_classes=CLASSES)(floats(), unlabelled)
    transform = ours.MixUp(num_classes=CLASSES, ignore_index=-1)
    plan = transform.plan(floats(), unlabelled)
    rows = torch.tensor([[1.0, 0, 0], [0, 0, 0], [0, 0, 1], [0, 0, 0]])
    torch.testing.assert_close(transform.replay(plan, floats(), unlabelled)[1], shares(plan) @ rows)


def test_r6_label_maps() -> None:
    maps = torch.zeros(SIZE, 8, 8, dtype=torch.int64)
    with pytest.raises(ValueError, match="labels should be index based"):
        v2.MixUp(num_classes=CLASSES)(floats(), maps)
    with pytest.raises(
        InputError, match=r"Not class labels \(batch\[1\]\): got shape \(4, 8, 8\) .*; wanted integer ids \(B,\), or"
    ):
        ours.MixUp(num_classes=CLASSES)(floats(), maps)


def test_r6_alpha_zero() -> None:
    with pytest.raises(ValueError, match="concentration"):
        v2.MixUp(alpha=0, num_classes=CLASSES)
    mixed, labels = ours.MixUp(alpha=0, num_classes=CLASSES)(floats(), IDS)
    assert torch.equal(mixed, floats()), "0 switches mixing off, and labels keep their form"
    assert torch.equal(labels, ONE_HOT)


def test_r6_a_seed() -> None:
    with pytest.raises(TypeError, match="generator"):
        v2.MixUp(num_classes=CLASSES, generator=torch.Generator())
    with pytest.raises(UnknownOptionError, match=r"MixUp has no option 'generator'\. .*Options: alpha, .*seed"):
        ours.MixUp(num_classes=CLASSES, generator=torch.Generator())
    first, second = (ours.MixUp(num_classes=CLASSES, seed=7)(floats(), IDS) for _ in range(2))
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])


@pytest.fixture
def timm() -> Any:
    return pytest.importorskip("timm.data.mixup", reason="timm is not installed")


def test_r7_one_hot_labels(timm: Any) -> None:
    rows = torch.eye(4)
    target = timm.Mixup(num_classes=10)(floats(), rows)[1]
    assert target.shape == (16, 10), "timm takes every entry for a label"
    with pytest.raises(
        InputError,
        match=r"Label rows of another width \(batch\[1\]\): got shape \(4, 4\); wanted \(B, 10\), because",
    ):
        ours.MixUp(num_classes=10)(floats(), rows)
    transform = ours.MixUp()
    plan = transform.plan(floats(), rows)
    torch.testing.assert_close(transform.replay(plan, floats(), rows)[1], shares(plan))


def test_r8_unknown_modes(timm: Any) -> None:
    assert timm.Mixup(mode="nope", num_classes=CLASSES)(floats(), IDS)[0].shape == (SIZE, 3, 8, 8), "taken for 'batch'"
    with pytest.raises(
        ParameterError, match=r"Bad value for 'per' \(MixUp\): got 'nope'; wanted one of 'sample', 'pair', 'batch'"
    ):
        ours.MixUp(per="nope")


@pytest.mark.parametrize("per", ["sample", "pair", "batch"])
def test_r8_odd_batches(per: str, timm: Any) -> None:
    with pytest.raises(AssertionError, match="Batch size should be even"):
        timm.Mixup(num_classes=CLASSES)(floats()[:3], IDS[:3])
    for size in (1, 3):
        images, labels = ours.MixUp(per=per, num_classes=CLASSES)(floats()[:size], IDS[:size])
        assert images.shape == (size, 3, 8, 8)
        torch.testing.assert_close(labels.sum(dim=1), torch.ones(size))


def test_r8_dicts(timm: Any) -> None:
    batch = {"image": floats(), "label": IDS, "name": list("abc")}
    with pytest.raises(AssertionError, match="Batch size should be even"):
        timm.Mixup(num_classes=CLASSES)(batch, IDS)
    mixed = ours.MixUp(num_classes=CLASSES)(batch)
    assert mixed["image"].shape == (SIZE, 3, 8, 8)
    assert mixed["label"].shape == (SIZE, CLASSES)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_r9_collating_floats(backend: str, timm: Any) -> None:
    images = floats().numpy() if backend == "numpy" else floats()
    samples = [(image, int(label)) for image, label in zip(images, IDS, strict=True)]
    theirs, _ = timm.FastCollateMixup(num_classes=CLASSES)(samples)
    assert theirs.dtype == torch.uint8
    assert len(theirs.unique()) <= 2, "all values between 0 and 1 are lost"
    transform = mixtransforms.MixUp(alpha=1.0, num_classes=CLASSES, layout="channels_first")
    mixed, labels = transform(samples)
    assert str(mixed.dtype).endswith("float32")
    assert float(mixed.std()) > 0.1
    np.testing.assert_allclose(np.asarray(labels.sum(axis=1)), 1, atol=1e-6)
