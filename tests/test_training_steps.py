"""Mixed batches as they come go into models and losses: one step of training with every kind of target."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from scenes import scenes

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("torchvision", reason="torchvision is not installed")

from torch.nn import functional as F
from torchvision import tv_tensors
from torchvision.models import detection
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.ops import MultiScaleRoIAlign
from torchvision.transforms import v2

from mixtransforms import BoxRules
from mixtransforms.torchvision import BatchCompose, CutMix, MixUp, OneOf

SHAPE, CLASSES = (48, 40), 5


# ------------------------------------------------------------------------------------------ detection


class Backbone(torch.nn.Sequential):
    """Two convolutions to a quarter of the size."""

    out_channels = 32

    def __init__(self) -> None:
        layers = torch.nn.Conv2d(3, 8, 3, stride=2, padding=1), torch.nn.ReLU(), torch.nn.Conv2d(8, 32, 3, 2, 1)
        super().__init__(*layers)


def samples(counts: tuple[int, ...] = (2, 0, 3, 1), seed: int = 0) -> list[Any]:
    """Photos with boxes, classes, instance masks and keypoints, as a dataset of torchvision has them; one has none."""
    rng = np.random.default_rng(seed)
    given = []
    for scene in scenes(counts, SHAPE, seed):
        picture = rng.integers(0, 256, (3, *SHAPE), dtype=np.uint8)
        points = torch.from_numpy(scene.points)
        target = {
            "boxes": tv_tensors.BoundingBoxes(scene.boxes, format="XYXY", canvas_size=SHAPE),
            "labels": torch.from_numpy(scene.ids % (CLASSES - 1) + 1),
            "masks": tv_tensors.Mask(torch.from_numpy(scene.masks.astype(np.uint8))),
            "keypoints": torch.cat([points, points[:, :1]], dim=1),
        }
        given.append((tv_tensors.Image(torch.from_numpy(picture)), target))
    return given


def mixed(*mix: Any, counts: tuple[int, ...] = (2, 0, 3, 1), seed: int = 0) -> Any:
    """A batch of a pipeline as it comes."""
    steps = [v2.RandomHorizontalFlip(), *mix, v2.RandomVerticalFlip(), v2.ToDtype(torch.float32, scale=True)]
    return BatchCompose([*steps, v2.ToPureTensor()], seed=seed)(samples(counts, seed))


def two_stages(model: Any, classes: int = CLASSES, **own: Any) -> torch.nn.Module:
    """A model that looks at regions, as small as it can be."""
    anchors = AnchorGenerator(((8,),), ((1.0,),))
    pool = MultiScaleRoIAlign(["0"], 3, 2)
    few = {"rpn_pre_nms_top_n_train": 20, "rpn_post_nms_top_n_train": 10, "box_roi_pool": pool}
    return model(Backbone(), classes, rpn_anchor_generator=anchors, **SIZES, **few, **own)


def one_stage(model: Any, size: int) -> torch.nn.Module:
    """A model that looks at every place."""
    return model(Backbone(), CLASSES, anchor_generator=AnchorGenerator(((size,),), ((1.0,),)), **SIZES)


SIZES = {"min_size": 40, "max_size": 48}
MODELS: Mapping[str, Any] = {
    "faster": lambda: two_stages(detection.FasterRCNN),
    "mask": lambda: two_stages(detection.MaskRCNN, mask_roi_pool=MultiScaleRoIAlign(["0"], 6, 2)),
    "keypoint": lambda: two_stages(
        detection.KeypointRCNN, 2, num_keypoints=3, keypoint_roi_pool=MultiScaleRoIAlign(["0"], 6, 2)
    ),
    "retinanet": lambda: one_stage(detection.RetinaNet, 8),
    "fcos": lambda: one_stage(detection.FCOS, 4),
}


def step(model: torch.nn.Module, images: Any, targets: Any) -> dict[str, float]:
    """Losses of one step of training, and whether anything has been learnt from them."""
    losses = model.train()(images, targets)
    sum(losses.values()).backward()
    gradients = [weight.grad for weight in model.parameters() if weight.grad is not None]
    assert all(torch.isfinite(gradient).all() for gradient in gradients)
    assert any(gradient.abs().sum() > 0 for gradient in gradients)
    return {name: float(loss.detach()) for name, loss in losses.items()}


@pytest.mark.parametrize("listed", [True, False], ids=["list", "tensor"])
@pytest.mark.parametrize("name", MODELS)
def test_detection_models_take_mixed_batches(name: str, listed: bool) -> None:
    """A model of torchvision learns from a batch as it comes, whatever is told beside what it reads."""
    torch.manual_seed(0)
    images, targets = mixed(OneOf([MixUp(alpha=1.0), CutMix()], boxes=BoxRules(min_size=2)))
    if name == "keypoint":  # the host's model knows one kind of object
        targets = [target | {"labels": torch.ones_like(target["labels"])} for target in targets]
    losses = step(MODELS[name](), list(images) if listed else images, targets)
    assert all(np.isfinite(loss) for loss in losses.values()), losses


@pytest.mark.parametrize("counts", [(0, 3, 0, 0), (0, 0, 0, 0)], ids=str)
@pytest.mark.parametrize("name", ["faster", "mask", "retinanet"])
def test_images_without_boxes_are_learnt_from(name: str, counts: tuple[int, ...]) -> None:
    """Pictures of which nothing is told, before the mix or after it, have boxes of the form that models want."""
    torch.manual_seed(0)
    images, targets = mixed(CutMix(), counts=counts)
    assert all(target["boxes"].shape[1:] == (4,) for target in targets)
    assert any(not len(target["boxes"]) for target in targets)
    losses = step(MODELS[name](), images, targets)
    assert all(np.isfinite(loss) for loss in losses.values()), losses


def box_loss(outputs: Any, targets: Any, weighted: bool) -> Any:
    """Class and position of every box, each by its weight: what a detector learns from boxes that it has matched."""
    total, amount = torch.zeros(()), torch.zeros(())
    for (logits, positions), target in zip(outputs, targets, strict=True):
        own = target["box_weights"] if weighted else torch.ones(len(target["labels"]))
        losses = F.cross_entropy(logits, target["labels"], reduction="none")
        losses = losses + F.smooth_l1_loss(positions, target["boxes"], reduction="none").mean(dim=1)
        total, amount = total + (own * losses).sum(), amount + own.sum()
    return total / amount


@pytest.mark.parametrize("method", [MixUp, CutMix])
def test_weights_of_boxes_go_into_a_loss(method: Any) -> None:
    """Weights change what is learnt under a blend, and change nothing under a paste, where all of them are 1."""
    torch.manual_seed(0)
    _, targets = mixed(method(alpha=1.0), seed=1)
    outputs = [(torch.randn(len(target["labels"]), CLASSES, requires_grad=True), torch.rand(len(target["labels"]), 4))
               for target in targets]  # fmt: skip
    weighted, plain = box_loss(outputs, targets, weighted=True), box_loss(outputs, targets, weighted=False)
    weights = torch.cat([target["box_weights"] for target in targets])
    weighted.backward()
    for (logits, _), target in zip(outputs, targets, strict=True):
        expected = F.softmax(logits.detach(), dim=1) - F.one_hot(target["labels"], CLASSES)
        scaled = expected * target["box_weights"][:, None] / weights.sum()
        torch.testing.assert_close(logits.grad, scaled)
    if method is CutMix:
        assert (weights == 1).all()
        torch.testing.assert_close(weighted, plain)
    else:
        assert not torch.isclose(weighted, plain)


@pytest.mark.parametrize("masks", [True, False], ids=["masks", "boxes"])
def test_ones_make_the_weighted_loss_the_usual_one(masks: bool) -> None:
    """``weight="ones"`` is for models that have no use for weights."""
    given = [
        (image, {name: value for name, value in target.items() if masks or name != "masks"})
        for image, target in samples()
    ]
    _, targets = BatchCompose([MixUp(alpha=1.0, boxes=BoxRules(weight="ones"))], seed=1)(given)
    outputs = [
        (torch.randn(len(target["labels"]), CLASSES), torch.rand(len(target["labels"]), 4)) for target in targets
    ]
    assert torch.equal(box_loss(outputs, targets, weighted=True), box_loss(outputs, targets, weighted=False))


# ------------------------------------------------------------------------------------------ segmentation

IGNORED = 255


def segmented() -> list[Any]:
    """Photos with masks of class ids, some pixels unlabelled."""
    generator = torch.Generator().manual_seed(0)
    given = []
    for _ in range(4):
        mask = torch.randint(0, CLASSES, SHAPE, generator=generator)
        mask[::5] = IGNORED
        picture = torch.rand(3, *SHAPE, generator=generator)
        given.append({"image": tv_tensors.Image(picture), "mask": tv_tensors.Mask(mask)})
    return given


def pixels(logits: Any, mask: Any) -> Any:
    """Cross entropy of every pixel, 0 where it is unlabelled."""
    return F.cross_entropy(logits, mask.long(), reduction="none", ignore_index=IGNORED)


def pair_loss(logits: Any, batch: Mapping[str, Any]) -> Any:
    """Both masks, each by its weight, over what is labelled in them."""
    weight = batch["mask_weight"][:, None, None]
    total, amount = torch.zeros(()), torch.zeros(())
    for own, mask in ((weight, batch["mask"]), (1 - weight, batch["mask_partner"])):
        total, amount = total + (own * pixels(logits, mask)).sum(), amount + (own * (mask != IGNORED)).sum()
    return total / amount


def soft_loss(logits: Any, batch: Mapping[str, Any]) -> Any:
    """Cross entropy with shares, over the mass that is labelled."""
    shares = batch["mask"].as_subclass(torch.Tensor)
    return -(shares * F.log_softmax(logits, dim=1)).sum() / shares.sum()


def dominant_loss(logits: Any, batch: Mapping[str, Any]) -> Any:
    """The usual loss."""
    return F.cross_entropy(logits, batch["mask"].as_subclass(torch.Tensor).long(), ignore_index=IGNORED)


LOSSES = {"pair": pair_loss, "soft": soft_loss, "dominant": dominant_loss}


def segmentation(masks: str) -> Any:
    mix = OneOf([MixUp(alpha=1.0), CutMix()], masks=masks, num_classes=CLASSES, ignore_index=IGNORED)
    steps = [v2.RandomHorizontalFlip(), mix, v2.RandomVerticalFlip(), v2.RandomCrop((24, 20)), v2.ToPureTensor()]
    return BatchCompose(steps, seed=2)(segmented())


@pytest.mark.parametrize("masks", LOSSES)
def test_every_form_of_masks_is_learnt_from(masks: str) -> None:
    """A step of the optimiser on two convolutions makes the loss of its own batch smaller."""
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3, padding=1), torch.nn.ReLU(), torch.nn.Conv2d(8, CLASSES, 1))
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1)
    batch, losses = segmentation(masks), []
    assert batch["image"].shape == (4, 3, 24, 20)
    for _ in range(2):
        loss = LOSSES[masks](net(batch["image"]), batch)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert np.isfinite(losses).all()
    assert losses[1] < losses[0]


def test_pairs_and_shares_are_one_loss() -> None:
    """The loss of a mask and its partner's is that of the shares, unlabelled pixels included."""
    logits = torch.randn(4, CLASSES, 24, 20, generator=torch.Generator().manual_seed(3))
    pair, soft = segmentation("pair"), segmentation("soft")
    assert torch.equal(pair["image"], soft["image"])
    assert (pair["mask"] == IGNORED).any()
    torch.testing.assert_close(pair_loss(logits, pair), soft_loss(logits, soft))
    assert not torch.isclose(dominant_loss(logits, segmentation("dominant")), soft_loss(logits, soft))
