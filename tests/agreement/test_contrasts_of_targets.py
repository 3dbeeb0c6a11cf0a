"""What peers do with masks, boxes, one-hot labels and workers, beside what this package does.

Every test first shows the peer's behaviour, so that a reader sees what the difference is worth. Peers that are not
among the requirements of the tests are re-enacted by the formula in their source; such tests say so.
"""

from typing import Any

import numpy as np
import pytest
from scenes import assert_told, scenes

import mixtransforms
from mixtransforms import BoxRules, CutMix, MixUp, OneOf, Plan

torch = pytest.importorskip("torch", reason="torch is not installed")

pytestmark = pytest.mark.filterwarnings("ignore:RandomCutMixV2 currently uses:DeprecationWarning")

SIZE = 4
IDS = torch.tensor([0, 1, 2, 1])
IMAGES = torch.rand(SIZE, 3, 8, 8, generator=torch.Generator().manual_seed(0))
MASKS = torch.randint(0, 5, (SIZE, 8, 8), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
BOXES = torch.tensor([[[0.0, 0.0, 4.0, 4.0]]] * SIZE)

forked = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")


def shares(plan: Plan, rows: Any) -> Any:
    """Rows mixed by what every source has of a sample's pixels, counted on lit pictures."""
    lit = [
        plan.apply(np.eye(SIZE)[:, source, None, None] * np.ones((SIZE, *plan.spec.shape))) for source in range(SIZE)
    ]
    return np.stack([picture.mean(axis=(1, 2)) for picture in lit], axis=1) @ rows


@pytest.fixture
def kornia() -> Any:
    return pytest.importorskip("kornia.augmentation", reason="kornia is not installed")


KORNIA = {"RandomMixUpV2": MixUp, "RandomCutMixV2": CutMix}


@pytest.mark.parametrize("name", KORNIA)
def test_r11_bytes(name: str, kornia: Any) -> None:
    given = (IMAGES * 255).to(torch.uint8)
    with pytest.raises(TypeError, match=r"Expected input of .*Got torch\.uint8"):
        getattr(kornia, name)(data_keys=["input"])(given)
    transform = KORNIA[name](alpha=1.0)
    plan = transform.plan(given)
    mixed = transform.replay(plan, given)
    assert mixed.dtype == torch.uint8
    assert np.abs(mixed.double().numpy() - plan.apply(given.double()).numpy()).max() <= 0.51


@pytest.mark.parametrize("name", KORNIA)
def test_r11_one_hot_labels(name: str, kornia: Any) -> None:
    rows = torch.eye(SIZE)
    with pytest.raises(RuntimeError, match="stack expects each tensor to be equal size"):
        getattr(kornia, name)(data_keys=["input", "class"], p=1.0)(IMAGES, rows)
    transform = KORNIA[name](alpha=1.0)
    plan = transform.plan(IMAGES, rows)
    np.testing.assert_allclose(transform.replay(plan, IMAGES, rows)[1], shares(plan, rows.numpy()), atol=1e-6)


@pytest.mark.parametrize("name", KORNIA)
def test_r11_masks(name: str, kornia: Any) -> None:
    with pytest.raises(NotImplementedError):
        getattr(kornia, name)(data_keys=["input", "mask"], p=1.0)(IMAGES, MASKS[:, None].float())
    shown = MASKS[:, None].float().expand(-1, 3, -1, -1)
    out = KORNIA[name](alpha=1.0)({"image": shown, "mask": MASKS})
    if name == "RandomCutMixV2":
        assert torch.equal(out["mask"].float(), out["image"][:, 0])
        return
    weight = out["mask_weight"][:, None, None]
    blend = weight * out["mask"].float() + (1 - weight) * out["mask_partner"].float()
    torch.testing.assert_close(out["image"][:, 0], blend, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", KORNIA)
def test_r11_boxes(name: str, kornia: Any) -> None:
    with pytest.raises(NotImplementedError):
        getattr(kornia, name)(data_keys=["input", "bbox_xyxy"], p=1.0)(IMAGES, BOXES)
    given = scenes((2, 1, 0, 3), (16, 16))
    batch = {
        "image": torch.from_numpy(np.stack([scene.image.transpose(2, 0, 1) for scene in given])),
        "boxes": [torch.from_numpy(scene.boxes) for scene in given],
        "ids": [torch.from_numpy(scene.ids) for scene in given],
    }
    out = KORNIA[name](alpha=1.0, boxes=BoxRules(0, min_size=0, min_area=0))(batch)
    for row, image in enumerate(out["image"].numpy()):
        told = {"ids": out["ids"][row], "boxes": out["boxes"][row], "weights": out["box_weights"][row]}
        assert_told(image.transpose(1, 2, 0), {key: value.numpy() for key, value in told.items()}, tight=True)


def test_r12_a_flip_before_labels_are_mixed(kornia: Any) -> None:
    theirs = kornia.AugmentationSequential(
        kornia.RandomHorizontalFlip(p=1.0), kornia.RandomMixUpV2(p=1.0), data_keys=["input", "class"]
    )
    with pytest.raises(NotImplementedError, match=r"class labels .* not yet supported"):
        theirs(IMAGES, IDS)
    v2 = pytest.importorskip("torchvision.transforms.v2", reason="torchvision is not installed")
    from mixtransforms import torchvision as ours

    pipeline = ours.BatchCompose([v2.RandomHorizontalFlip(1.0), ours.MixUp(alpha=1.0, num_classes=3)], seed=1)
    (before, _), (plan,), (mixed, labels) = pipeline.trace(IMAGES, IDS)
    assert torch.equal(before, IMAGES.flip(-1))
    assert torch.equal(mixed, plan.apply(IMAGES.flip(-1)))
    np.testing.assert_allclose(labels, shares(plan, np.eye(3)[IDS]), atol=1e-6)


def test_r13_two_mixes(kornia: Any) -> None:
    theirs = kornia.AugmentationSequential(
        kornia.RandomMixUpV2(p=1.0), kornia.RandomCutMixV2(p=1.0), data_keys=["input"]
    )
    with pytest.raises(ValueError, match="Multiple mix augmentation is prohibited"):
        theirs(IMAGES)
    both = OneOf([MixUp(alpha=1.0), CutMix()], num_classes=3)
    plan = both.plan(IMAGES, IDS)
    np.testing.assert_allclose(both.replay(plan, IMAGES, IDS)[1], shares(plan, np.eye(3)[IDS]), atol=1e-6)
    first, second = MixUp(alpha=1.0, num_classes=SIZE), CutMix()
    plans = first.plan(IMAGES, torch.arange(SIZE)), second.plan(IMAGES)
    images, labels = first.replay(plans[0], IMAGES, torch.arange(SIZE))
    _, rows = second.replay(plans[1], images, labels)
    np.testing.assert_allclose(rows, shares(plans[1], shares(plans[0], np.eye(SIZE))), atol=1e-6)


def monai_cutmix(data: Any, partner: Any, start: Any, stop: Any) -> Any:
    """MONAI's ``CutMix.apply``: a box of zeros in a mask over all axes behind the channels, of which labels have none."""
    mask = np.ones_like(data)
    for row in range(len(data)):
        box = tuple(slice(*ends) for ends in zip(start[row], stop[row], strict=True))[: data.ndim - 2]
        mask[(row, slice(None), *box)] = 0
    return mask * data + (1 - mask) * data[partner]


def test_r14_one_hot_labels_of_a_paste() -> None:
    """MONAI, re-enacted: the labels are the partner's alone, whatever the box is."""
    plan = CutMix(seed=1).plan(IMAGES.numpy().transpose(0, 2, 3, 1), np.eye(SIZE))
    (layer,) = plan.layers
    start, stop = np.zeros((SIZE, 2), int), np.zeros((SIZE, 2), int)
    start[layer.rows], stop[layer.rows] = layer.region.start, layer.region.stop
    theirs = monai_cutmix(np.eye(SIZE), plan.partner, start, stop)
    np.testing.assert_array_equal(theirs, np.eye(SIZE)[plan.partner])
    ours = CutMix().replay(plan, IMAGES.numpy().transpose(0, 2, 3, 1), np.eye(SIZE))[1]
    np.testing.assert_allclose(ours, shares(plan, np.eye(SIZE)), atol=1e-6)
    assert not np.allclose(ours, theirs, atol=0.05)


def monai_weights(weights: Any, data: Any, batch_size: int) -> Any:
    """MONAI's ``Mixer`` and ``MixUp``: the batch is of one size, and weights are shaped for images or volumes alone."""
    if len(data) != batch_size:
        raise ValueError(f"Expected a batch with {batch_size} samples, but got {len(data)}")
    if data.ndim not in (4, 5):
        raise ValueError("Unexpected number of dimensions")
    return weights.reshape(-1, *[1] * (data.ndim - 1))


def test_r15_labels_and_short_batches_of_a_blend() -> None:
    """MONAI, re-enacted: one-hot labels, and the last batch of an epoch, end in an error."""
    with pytest.raises(ValueError, match="Unexpected number of dimensions"):
        monai_weights(np.ones(SIZE), np.eye(SIZE), SIZE)
    with pytest.raises(ValueError, match="Expected a batch with 4 samples, but got 3"):
        monai_weights(np.ones(SIZE), IMAGES[:3], SIZE)
    transform = MixUp(alpha=1.0)
    for size in (SIZE, 3, 1):
        images, rows = IMAGES[:size], torch.eye(SIZE)[:size]
        plan = transform.plan(images, rows)
        seen = transform.replay(plan, images, rows)[1]
        expected = plan.weight[:, None] * rows.numpy() + (1 - plan.weight)[:, None] * rows.numpy()[plan.partner]
        np.testing.assert_allclose(seen, expected, atol=1e-6)


class Ramp:
    """A data set of the host's own kind: every sample is the same picture, augmented in the worker."""

    def __init__(self, transform: Any) -> None:
        self.transform = transform

    def __len__(self) -> int:
        return 32

    def __getitem__(self, index: int) -> Any:
        image = np.arange(64 * 3, dtype=np.uint8).reshape(8, 8, 3)
        return self.transform(image=image)["image"] if self.transform else {"image": image}


@forked
@pytest.mark.parametrize("seed", [137, None])
def test_r16_workers(seed: int | None) -> None:
    """Albumentations gives every worker the same sequence; ours differ from worker to worker, and repeat when seeded."""
    A = pytest.importorskip("albumentations", reason="albumentations is not installed")
    from torch.utils.data import DataLoader

    from mixtransforms.albumentations import BatchCompose

    steps = [A.RandomBrightnessContrast(p=1.0), A.HorizontalFlip()]
    theirs = Ramp(A.Compose(steps, seed=seed))
    batches = [batch.numpy() for batch in DataLoader(theirs, batch_size=8, num_workers=2)]
    np.testing.assert_array_equal(batches[0], batches[1])
    np.testing.assert_array_equal(batches[2], batches[3])

    def epoch(pipeline: Any) -> list[Any]:
        loader = DataLoader(Ramp(None), batch_size=8, num_workers=2, collate_fn=pipeline)
        return [batch["image"] for batch in loader]

    if seed is None:
        seen = [image.tobytes() for _ in range(2) for image in epoch(BatchCompose([*steps, mixtransforms.MixUp()]))]
        assert len(set(seen)) == len(seen)
        return
    # Equal samples are equally transformed by a seed; every sample of a batch has draws of its own all the same.
    first, second = (epoch(BatchCompose([*steps, mixtransforms.MixUp()], seed=seed)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert len({image.tobytes() for image in first[0]}) > 4


def composer_box(length: float, side: int, centre: tuple[int, int]) -> int:
    """Composer's ``cutmix_batch(length=...)``: the length goes through the square root that is meant for a weight."""
    cut = int(side * np.sqrt(1 - length)) if length < 1 else int(length)
    low = [max(at - cut // 2, 0) for at in centre]
    high = [min(at + cut // 2, side) for at in centre]
    return int(np.prod(np.subtract(high, low)))


def test_r17_how_much_is_pasted() -> None:
    """Composer, re-enacted: a quarter of the side is asked for, 64 pixels, and up to 729 and more are pasted."""
    asked = (0.25 * 32) ** 2
    assert max(composer_box(0.25, 32, (y, x)) for y in range(32) for x in range(32)) > 10 * asked
    images = np.zeros((64, 32, 32, 1), np.float32)
    plan = CutMix(placement="minmax", minmax=(0.25, 0.25), seed=1).plan(images)
    np.testing.assert_allclose((1 - plan.weight) * 32 * 32, asked)


def keras_mixup(masks: Any, boxes: Any, labels: Any, order: Any) -> tuple[Any, Any, Any]:
    """Keras 3.15: masks are taken without an axis, boxes joined along the second axis and their labels along the first."""
    return np.take(masks, order), np.concatenate([boxes, boxes[order]], axis=1), np.concatenate([labels, labels[order]])


def test_r18_shapes_of_masks_and_boxes() -> None:
    """Keras, re-enacted: masks lose their pixels, and there is a label for every second box."""
    order = np.array([1, 2, 3, 0])
    masks, boxes, labels = MASKS.numpy()[..., None], np.repeat(BOXES.numpy(), 2, axis=1), np.arange(8).reshape(4, 2)
    picked, joined, named = keras_mixup(masks, boxes, labels, order)
    assert (masks + picked).shape == (4, 8, 8, 4)
    assert (joined.shape, named.shape) == ((4, 4, 4), (8, 2))
    batch = {"images": IMAGES.numpy().transpose(0, 2, 3, 1), "mask": masks, "boxes": boxes, "labels": labels}
    transform = MixUp(alpha=1.0)
    plan = transform.plan(batch)
    out = transform.replay(plan, batch)
    assert out["mask"].shape == out["mask_partner"].shape == masks.shape
    for row, partner in enumerate(plan.partner):
        np.testing.assert_array_equal(out["mask_partner"][row], masks[partner])
        np.testing.assert_array_equal(out["labels"][row], [*labels[row], *labels[partner]])
        np.testing.assert_array_equal(out["boxes"][row], [*boxes[row], *boxes[partner]])
