"""Boxes, masks, keypoints and all that is told of objects, on their way through pipelines of torchvision.

Every object is painted in a channel of its own, see ``scenes``: whatever a pipeline does, what it tells of an object
must be true of the picture that it returns.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import tiers
from scenes import Scene, assert_told, scenes

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("torchvision", reason="torchvision is not installed")

from torch.utils.data import DataLoader
from torchvision import tv_tensors
from torchvision.transforms import v2

from mixtransforms import BoxRules, Keypoints
from mixtransforms.torchvision import BatchCompose, CutMix, MixUp, OneOf

SHAPE, COUNTS = (24, 20), (3, 1, 0, 4)
NEAREST = v2.InterpolationMode.NEAREST
ALL = {
    "boxes": BoxRules(min_visibility=0, min_size=0, min_area=0),
    "kinds": {"keypoints": Keypoints(min_visible=0)},
}
"""Options by which every object stays of which one pixel is seen."""

MIXES: Mapping[str, Callable[..., Any]] = {
    "MixUp": lambda **options: MixUp(alpha=1.0, **options),
    "CutMix": lambda **options: CutMix(**options),
    "OneOf": lambda **options: OneOf([MixUp(alpha=1.0), CutMix()], **options),
}
FORMS = ("typed", "tensors", "numpy", "lists")
NAMES = ("boxes", "labels", "area", "iscrowd", "image_id", "masks", "keypoints")

forked = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")


def sample(scene: Scene, form: str, number: int = 0) -> tuple[Any, dict[str, Any]]:
    """A picture and what is told of it, as detection data sets of torchvision have it."""
    image = torch.from_numpy(scene.image.transpose(2, 0, 1).copy())
    values = {
        "boxes": scene.boxes,
        "labels": scene.ids,
        "area": scene.masks.sum(axis=(1, 2)).astype(np.float32),
        "iscrowd": scene.ids % 2,
        "image_id": number,
        "masks": scene.masks.astype(np.uint8),
        "keypoints": scene.points,
    }
    arrays = {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
    if form == "lists":
        return image, values | {name: value.tolist() for name, value in arrays.items()}
    if form == "numpy":
        return image, values
    target = values | {name: torch.from_numpy(value.copy()) for name, value in arrays.items()}
    if form == "typed":
        target["boxes"] = tv_tensors.BoundingBoxes(target["boxes"], format="XYXY", canvas_size=SHAPE)
        target["masks"] = tv_tensors.Mask(target["masks"])
        image = tv_tensors.Image(image)
    return image, target


def samples(form: str, counts: tuple[int, ...] = COUNTS, seed: int = 0) -> list[Any]:
    return [sample(scene, form, number) for number, scene in enumerate(scenes(counts, SHAPE, seed))]


def host(value: Any) -> Any:
    return value.as_subclass(torch.Tensor).numpy() if torch.is_tensor(value) else np.asarray(value)


def assert_true(batch: Any, points: bool = True, **how: Any) -> None:
    """What a batch tells of objects is true of its pictures, and everything has a row for each of them."""
    images, targets = batch
    assert len(images) == len(targets)
    for image, target in zip(images, targets, strict=True):
        told = {
            "ids": host(target["labels"]),
            "boxes": host(target["boxes"]).reshape(-1, 4),
            "weights": host(target["box_weights"]),
            "areas": host(target["area"]),
            "crowds": host(target["iscrowd"]),
        }
        if "masks" in target:
            told["masks"] = host(target["masks"])
        if points:
            told["points"] = host(target["keypoints"])
        assert_told(host(image).transpose(1, 2, 0), told, **how)
        assert (host(target["iscrowd"]) == host(target["labels"]) % 2).all()


SANITIZED = v2.SanitizeBoundingBoxes()
LATER: Mapping[str, tuple[list[Any], dict[str, Any]]] = {
    "nothing": ([], {"tight": True}),
    "flips": ([v2.RandomHorizontalFlip(), v2.RandomVerticalFlip()], {"tight": True}),
    "turned": ([v2.RandomRotation((90, 90), expand=True)], {"points": False, "tight": True}),
    "padded": ([v2.Pad([1, 2, 3, 4])], {"tight": True}),
    "resized": ([v2.Resize((48, 40), interpolation=NEAREST)], {"tight": True}),
    "plain": ([v2.RandomHorizontalFlip(), v2.ToPureTensor()], {"tight": True}),
    "cropped": ([v2.RandomCrop((16, 14)), SANITIZED], {"points": False}),
    "by no labels": ([v2.RandomCrop((16, 14)), v2.SanitizeBoundingBoxes(labels_getter=None)], {"points": False}),
    "by a callable": (
        [v2.RandomCrop((16, 14)), v2.SanitizeBoundingBoxes(labels_getter=lambda sample: sample[1]["labels"])],
        {"points": False},
    ),
    "filtered, then moved": (
        [v2.RandomCrop((16, 14)), SANITIZED, v2.RandomHorizontalFlip(1.0), v2.Pad(1)],
        {"points": False},
    ),
}


# The host never sees a method, and a mix knows a form only as what it has read: pairs tell everything.
@tiers.product(form=FORMS, method=MIXES, later=LATER, first=["mix", "host"])
def test_objects_stay_with_their_picture(form: str, method: str, later: str, first: str) -> None:
    """Samples, a mix, and samples again, in either order; images without objects are among them."""
    transforms, how = LATER[later]
    mix = MIXES[method](**ALL)
    for seed in range(3):
        pipeline = BatchCompose([mix, *transforms] if first == "mix" else [*transforms, mix], seed=seed)
        out = pipeline(samples(form, seed=seed))
        assert_true(out, **{**how, "tight": how.get("tight", False)})
        assert [target["image_id"] for target in out[1]] == [0, 1, 2, 3]


@pytest.mark.parametrize("method", MIXES)
@pytest.mark.parametrize("form", FORMS)
def test_boxes_alone(form: str, method: str) -> None:
    """Without masks of objects, boxes are cut by the pasted rectangle itself."""
    for seed in range(6):
        given = [
            (image, {name: value for name, value in target.items() if name not in ("masks", "keypoints")})
            for image, target in samples(form, seed=seed)
        ]
        steps = [v2.RandomHorizontalFlip(), MIXES[method](**ALL), v2.RandomVerticalFlip()]
        assert_true(BatchCompose(steps, seed=seed)(given), points=False, tight=True)


@pytest.mark.parametrize("form", ["typed", "tensors"])
def test_a_crop_that_looks_at_boxes(form: str) -> None:
    """``RandomIoUCrop`` marks boxes by making them empty; what stands beside them must go with them."""
    crop = [v2.RandomIoUCrop(), SANITIZED, v2.Resize(SHAPE, interpolation=NEAREST)]
    dropped = 0
    for seed in range(12):
        out = BatchCompose([*crop, MIXES["MixUp"](**ALL)], seed=seed)(samples(form, (3, 1, 2, 4), seed))
        assert_true(out, points=False, whole=False, slack=2.0)
        after = BatchCompose([MIXES["MixUp"](**ALL), *crop], seed=seed)(samples(form, (3, 1, 2, 4), seed))
        assert_true(after, points=False, whole=False, slack=2.0)
        dropped += 20 - sum(len(target["labels"]) for target in out[1])
    assert dropped > 0, "some crop has lost a box"


@pytest.mark.parametrize("form", ["typed", "tensors", "numpy"])
def test_points_that_a_crop_leaves_out_are_not_seen(form: str) -> None:
    """The host moves points and knows nothing of their visibility: outside the picture nothing is visible."""
    crop = [v2.RandomCrop((12, 10)), SANITIZED]
    for transforms in ([*crop, MixUp(**ALL)], [MixUp(**ALL), *crop]):
        out = BatchCompose(transforms, seed=1)(samples(form, (3, 1, 2, 4)))
        points = np.concatenate([host(target["keypoints"]).reshape(-1, 3) for target in out[1]])
        outside = (points[:, :2] < 0).any(axis=1) | (points[:, 0] >= 10) | (points[:, 1] >= 12)
        assert outside.any()
        assert (points[outside, 2] == 0).all()
        assert (points[~outside, 2] == 2).all()


def test_marks_of_points_follow_a_crop() -> None:
    """``keypoints_visible`` says what the picture shows in the end, not what the mix has shown."""
    given = [(image, target | {"keypoints": target["keypoints"][..., :2]}) for image, target in samples("tensors")]
    _, targets = BatchCompose([CutMix(**ALL), v2.RandomCrop((12, 10))], seed=1)(given)
    for target in targets:
        x, y = target["keypoints"][..., 0], target["keypoints"][..., 1]
        inside = (x >= 0) & (x < 10) & (y >= 0) & (y < 12)
        assert not (target["keypoints_visible"] & ~inside).any()


@pytest.mark.parametrize("format", ["XYXY", "XYWH", "CXCYWH"])
@pytest.mark.parametrize("method", MIXES)
def test_types_formats_and_dtypes_stay(method: str, format: str) -> None:
    given = []
    for image, target in samples("typed"):
        boxes = v2.functional.convert_bounding_box_format(target["boxes"], new_format=format)
        points = tv_tensors.KeyPoints(target["keypoints"][..., :2], canvas_size=SHAPE)
        given.append((image, target | {"boxes": boxes, "keypoints": points}))
    pipeline = BatchCompose(
        [v2.RandomHorizontalFlip(), MIXES[method](**ALL), v2.RandomCrop((20, 18)), SANITIZED, v2.RandomVerticalFlip()],
        seed=5,
    )
    images, targets = pipeline(given)
    assert type(images) in (torch.Tensor, tv_tensors.Image)
    for target in targets:
        assert type(target["boxes"]) is tv_tensors.BoundingBoxes
        assert target["boxes"].format is tv_tensors.BoundingBoxFormat[format]
        assert target["boxes"].canvas_size == target["keypoints"].canvas_size == (20, 18)
        assert type(target["keypoints"]) is tv_tensors.KeyPoints
        assert type(target["masks"]) is tv_tensors.Mask
        assert [target[name].dtype for name in ("boxes", "labels", "masks", "box_weights", "keypoints_visible")] == [
            torch.float32, torch.int64, torch.uint8, torch.float32, torch.bool,
        ]  # fmt: skip
        assert list(target)[: len(NAMES)] == list(NAMES)
        assert {len(target[name]) for name in NAMES if name != "image_id"} == {len(target["box_weights"])}
    corners = [
        target | {"boxes": v2.functional.convert_bounding_box_format(target["boxes"], new_format="XYXY")}
        for target in targets
    ]
    assert_true((images, corners), points=False)


@pytest.mark.parametrize("stacked", [False, True], ids=["list", "tensor"])
@pytest.mark.parametrize("method", MIXES)
def test_ready_batches(method: str, stacked: bool) -> None:
    """A list of images and a list of targets, as detection models take them, is a batch already."""
    given = samples("tensors")
    images, targets = [image for image, _ in given], [target for _, target in given]
    pipeline = BatchCompose(
        [v2.RandomHorizontalFlip(), MIXES[method](**ALL), v2.RandomCrop((16, 14)), SANITIZED], seed=2
    )
    before = [{name: torch.as_tensor(value).clone() for name, value in target.items()} for target in targets]
    out = pipeline(torch.stack(images) if stacked else images, targets)
    assert type(out[1]) is list
    assert torch.is_tensor(out[0]) == stacked
    assert_true(out, points=False)
    for target, old in zip(targets, before, strict=True):
        assert "box_weights" not in target
        assert all(torch.equal(torch.as_tensor(target[name]), value) for name, value in old.items())


@pytest.mark.parametrize("typed", [False, True])
def test_the_partners_mask_is_cropped_like_the_mask(typed: bool) -> None:
    """The picture shows its mask, so that a blend of pictures is the blend of both masks, wherever they have gone."""
    ids = torch.randint(0, 5, (4, 24, 20), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    wrap = tv_tensors.Mask if typed else torch.Tensor.clone
    given = [{"image": (mask[None] / 8).expand(3, -1, -1), "mask": wrap(mask)} for mask in ids]
    pipeline = BatchCompose(
        [v2.RandomVerticalFlip(), MixUp(alpha=1.0), v2.RandomHorizontalFlip(), v2.RandomCrop((16, 14)), v2.Pad(1)],
        seed=3,
    )
    batch = tuple([sample[name] for sample in given] for name in ("image", "mask"))
    for out in (pipeline(given), pipeline({"image": torch.stack(batch[0]), "mask": torch.stack([*ids])})):
        assert list(out) == ["image", "mask", "mask_partner", "mask_weight"]
        weight = out["mask_weight"][:, None, None]
        shown = weight * out["mask"].float() + (1 - weight) * out["mask_partner"].float()
        torch.testing.assert_close(out["image"][:, 0] * 8, shown.as_subclass(torch.Tensor), rtol=0, atol=1e-5)
        assert out["mask_partner"].dtype == torch.uint8
        assert out["mask_partner"].shape == (4, 18, 16)


def same(first: Any, second: Any) -> bool:
    if isinstance(first, Mapping):
        return list(first) == list(second) and all(same(first[name], second[name]) for name in first)
    if isinstance(first, (list, tuple)):
        return len(first) == len(second) and all(map(same, first, second))
    return torch.equal(first, second) if torch.is_tensor(first) else np.array_equal(first, second)


@forked
@pytest.mark.parametrize("form", ["typed", "numpy"])
def test_workers_change_nothing(form: str) -> None:
    """A seed gives the same batches in this process and in any number of workers."""
    data = samples(form, (3, 1, 0, 4, 2, 2, 1, 3))
    pipeline = BatchCompose([v2.RandomHorizontalFlip(), OneOf([MixUp(1.0), CutMix()]), v2.RandomCrop((16, 14))], seed=4)
    runs = [
        list(DataLoader(data, batch_size=4, collate_fn=pipeline, num_workers=workers)) for workers in (0, 1, 2)
    ]  # fmt: skip
    assert same(runs[0], runs[1])
    assert same(runs[0], runs[2])
    assert not same(runs[0][0], runs[0][1])


def test_calls_of_ready_batches_count() -> None:
    given = samples("tensors")
    batch = torch.stack([image for image, _ in given]), [target for _, target in given]
    first, second = (BatchCompose([v2.RandomHorizontalFlip(), CutMix()], seed=6) for _ in range(2))
    runs = [[pipeline(*batch) for _ in range(2)] for pipeline in (first, second)]
    assert same(runs[0], runs[1])
    assert not same(runs[0][0], runs[0][1])


def test_a_trace_tells_what_was_mixed() -> None:
    pipeline = BatchCompose([v2.RandomHorizontalFlip(), CutMix(**ALL), v2.RandomVerticalFlip(1.0)], seed=7)
    before, (plan,), after = pipeline.trace(samples("tensors"))
    assert "box_weights" not in before[1][0]
    assert torch.equal(after[0], plan.apply(before[0]).flip(-2))
    assert_true(after, tight=True)


@pytest.mark.parametrize("inside", [False, True], ids=["alone", "in a container"])
@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 3, 32, 32), (2, 3, 32, 32)], ids=str)
def test_crops_by_boxes_take_plain_tensors_of_any_rank(shape: tuple[int, ...], inside: bool) -> None:
    """As ``v2.Compose`` does: a plain tensor with an axis more is still a picture to the host."""
    crop = v2.RandomIoUCrop(min_scale=0.5, sampler_options=[0.0])
    steps = [v2.RandomApply([crop], p=1.0)] if inside else [crop]
    boxes = tv_tensors.BoundingBoxes([[1.0, 1, 20, 20]], format="XYXY", canvas_size=(32, 32))
    torch.manual_seed(0)
    out = BatchCompose(steps)([{"image": torch.rand(shape), "boxes": boxes, "labels": torch.tensor([1])}])
    assert type(out["image"]) is torch.Tensor
    assert out["image"].shape[1:-2] == shape[:-2]
    torch.manual_seed(0)
    image, wanted = v2.Compose(steps)(torch.rand(shape), boxes)
    assert out["image"].shape[1:] == image.shape
    torch.testing.assert_close(out["boxes"][0].as_subclass(torch.Tensor), wanted.as_subclass(torch.Tensor))
