"""Mixed batches as models take them: losses are finite, gradients flow, and weights mean what they say."""

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("torchvision", reason="torchvision is not installed")

from torch.nn import functional as F
from torchvision.models import detection
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.transforms import v2

from mixtransforms import MixUp as Neutral
from mixtransforms.torchvision import BatchCompose, CutMix, MixUp, OneOf

CLASSES, SIDE = 3, 64


def samples(counts: tuple[int, ...] = (2, 1, 0, 3)) -> list[Any]:
    generator = torch.Generator().manual_seed(0)
    result = []
    for number, count in enumerate(counts):
        start = torch.randint(0, SIDE - 32, (count, 2), generator=generator).float()
        boxes = torch.cat([start, start + torch.randint(16, 32, (count, 2), generator=generator)], dim=1)
        y, x = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
        left, top, right, bottom = (boxes[:, column, None, None] for column in range(4))
        centre = (boxes[:, :2] + boxes[:, 2:]) / 2
        target = {
            "boxes": boxes,
            "labels": torch.randint(1, CLASSES, (count,), generator=generator),
            "masks": ((left <= x) & (x < right) & (top <= y) & (y < bottom)).to(torch.uint8),
            "keypoints": torch.cat([centre, torch.full((count, 1), 2.0)], dim=1)[:, None],
            "area": (boxes[:, 2:] - boxes[:, :2]).prod(dim=1),
            "iscrowd": torch.zeros(count, dtype=torch.int64),
            "image_id": number,
        }
        result.append((torch.rand(3, SIDE, SIDE, generator=generator), target))
    return result


class Backbone(torch.nn.Module):
    """One map of features, a quarter of the image a side."""

    out_channels = 8

    def __init__(self) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 8, stride=8), torch.nn.ReLU())

    def forward(self, images: Any) -> Any:
        return self.layers(images)


def model(name: str) -> Any:
    torch.manual_seed(0)
    anchors = AnchorGenerator(((16, 32),), ((1.0,),))
    options: dict[str, Any] = {"min_size": SIDE, "max_size": SIDE}
    if name == "RetinaNet":
        return detection.RetinaNet(Backbone(), CLASSES, anchor_generator=anchors, **options)
    if name == "FasterRCNN":
        options["box_roi_pool"] = pool(4)
        return detection.FasterRCNN(Backbone(), CLASSES, rpn_anchor_generator=anchors, **options)
    if name == "MaskRCNN":
        options |= {"box_roi_pool": pool(4), "mask_roi_pool": pool(4)}
        return detection.MaskRCNN(Backbone(), CLASSES, rpn_anchor_generator=anchors, **options)
    options |= {"box_roi_pool": pool(4), "keypoint_roi_pool": pool(4), "num_keypoints": 1}
    return detection.KeypointRCNN(Backbone(), CLASSES, rpn_anchor_generator=anchors, **options)


def pool(size: int) -> Any:
    from torchvision.ops import MultiScaleRoIAlign

    return MultiScaleRoIAlign(featmap_names=["0"], output_size=size, sampling_ratio=1)


@pytest.mark.parametrize("listed", [False, True], ids=["samples", "lists"])
@pytest.mark.parametrize("name", ["RetinaNet", "FasterRCNN", "MaskRCNN", "KeypointRCNN"])
def test_detectors_take_what_comes_out(name: str, listed: bool) -> None:
    """As it comes, images without objects included; the tensor of images is a list of them to a detector."""
    pipeline = BatchCompose([v2.RandomHorizontalFlip(), OneOf([MixUp(alpha=1.0), CutMix()])], seed=2)
    given = samples()
    if listed:
        images, targets = pipeline([image for image, _ in given], [target for _, target in given])
    else:
        images, targets = pipeline(given)
    detector = model(name)
    losses = detector(list(images), targets)
    total = sum(losses.values())
    assert torch.isfinite(total)
    total.backward()
    gradients = [parameter.grad for parameter in detector.parameters() if parameter.grad is not None]
    assert gradients
    assert all(torch.isfinite(gradient).all() for gradient in gradients)


def segmentation() -> tuple[Any, Any, Any]:
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(4, 3, 16, 16, generator=generator)
    masks = torch.randint(0, CLASSES, (4, 16, 16), generator=generator)
    masks[:, :2] = 255
    torch.manual_seed(0)
    return images, masks, torch.nn.Conv2d(3, CLASSES, 3, padding=1)


def step(net: Any, loss: Any) -> None:
    assert torch.isfinite(loss)
    loss.backward()
    assert all(
        torch.isfinite(parameter.grad).all() and parameter.grad.abs().sum() > 0 for parameter in net.parameters()
    )


OPTIONS: dict[str, Any] = {"alpha": 1.0, "seed": 1, "num_classes": CLASSES, "ignore_index": 255}


def each(logits: Any, mask: Any) -> Any:
    """Sum of the losses of a sample's labelled pixels, and how many these are."""
    losses = F.cross_entropy(logits, mask.long(), ignore_index=255, reduction="none")
    return losses.sum(dim=(1, 2)), (mask != 255).sum(dim=(1, 2))


def test_pairs_and_soft_masks_are_one_loss() -> None:
    """``weight * sum(mask) + (1 - weight) * sum(partner)`` over its mass is the loss of soft maps over theirs."""
    images, masks, net = segmentation()
    pair = MixUp(masks="pair", **OPTIONS)({"image": images, "mask": masks})
    soft = MixUp(masks="soft", **OPTIONS)({"image": images, "mask": masks})
    assert torch.equal(pair["image"], soft["image"])
    logits = net(pair["image"]).double()
    (own, own_mass), (other, other_mass) = each(logits, pair["mask"]), each(logits, pair["mask_partner"])
    weight = pair["mask_weight"].double()
    of_pairs = (weight * own + (1 - weight) * other).sum() / (weight * own_mass + (1 - weight) * other_mass).sum()
    maps = soft["mask"].double()
    of_maps = -(maps * F.log_softmax(logits, dim=1)).sum() / maps.sum()
    torch.testing.assert_close(of_pairs, of_maps, rtol=1e-6, atol=1e-6)
    step(net, of_pairs)


@pytest.mark.parametrize("method", [MixUp, CutMix])
def test_dominant_masks_are_plain_masks(method: Any) -> None:
    images, masks, net = segmentation()
    out = method(masks="dominant", **OPTIONS)({"image": images, "mask": masks})
    assert out["mask"].dtype == masks.dtype
    step(net, F.cross_entropy(net(out["image"]), out["mask"], ignore_index=255))


def test_a_network_of_torchvision_takes_soft_masks() -> None:
    from torchvision.models.segmentation import lraspp_mobilenet_v3_large

    torch.manual_seed(0)
    net = lraspp_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=CLASSES)
    masks = torch.randint(0, CLASSES, (2, 64, 64))
    out = MixUp(masks="soft", **OPTIONS)({"image": torch.rand(2, 3, 64, 64), "mask": masks})
    loss = F.cross_entropy(net(out["image"])["out"], out["mask"])
    assert torch.isfinite(loss)
    loss.backward()


def weighted(logits: Any, targets: list[dict[str, Any]], weights: list[Any]) -> Any:
    """A loss of boxes that are matched already: every box counts by its weight."""
    labels = torch.cat([target["labels"] for target in targets])
    weight = torch.cat(weights)
    return (weight * F.cross_entropy(logits[: len(labels)], labels, reduction="none")).sum() / weight.sum()


def test_weights_of_boxes_change_a_loss() -> None:
    """Weights of one are no weights; the weights of a blend pull the loss to the heavier source's boxes."""
    _, targets = BatchCompose([MixUp(alpha=1.0)], seed=3)(samples((2, 1, 1, 3)))
    logits = torch.randn(32, CLASSES, generator=torch.Generator().manual_seed(0), requires_grad=True)
    weights = [target["box_weights"] for target in targets]
    labels = torch.cat([target["labels"] for target in targets])
    plain = F.cross_entropy(logits[: len(labels)], labels)
    even = weighted(logits, targets, [torch.ones_like(weight) for weight in weights])
    uneven = weighted(logits, targets, weights)
    torch.testing.assert_close(even, plain)
    assert abs(float(uneven.detach() - plain.detach())) > 1e-3
    expected = np.average(
        F.cross_entropy(logits[: len(labels)], labels, reduction="none").detach().numpy(), weights=torch.cat(weights)
    )
    assert float(uneven.detach()) == pytest.approx(expected, rel=1e-5)
    uneven.backward()
    size = logits.grad[: len(labels)].abs().sum(dim=1) / torch.cat(weights)
    assert (size > 0).all()


def test_ones_where_a_loss_takes_no_weights() -> None:
    from mixtransforms import BoxRules

    images, targets = zip(*samples((2, 1, 1, 3)), strict=True)
    out = Neutral(alpha=1.0, boxes=BoxRules(weight="ones"))((torch.stack(images), list(targets)))
    assert all((target["box_weights"] == 1).all() for target in out[1])
