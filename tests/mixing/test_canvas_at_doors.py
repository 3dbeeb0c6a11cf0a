"""Results of another size than the samples at both doors, in pipelines and in workers: boxes stay on their pixels."""

from typing import Any

import albumentations as A
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader
from torchvision import tv_tensors
from torchvision.transforms import v2

from mixtransforms import albumentations as of_albumentations
from mixtransforms import torchvision as of_torchvision
from mixtransforms.torchvision import functional

SIZE, OUT = (24, 36), (48, 70)


def painted(number: int) -> tuple[np.ndarray, list[int]]:
    """An image with one painted object of a colour of its own, and its box."""
    rng = np.random.default_rng(number)
    x, y, w, h = rng.integers((0, 0, 6, 6), (14, 8, 20, 14)).tolist()
    image = np.zeros((*SIZE, 3), np.uint8)
    image[y : y + h, x : x + w] = 50 + 10 * number
    return image, [x, y, x + w, y + h]


def tensors(number: int) -> Any:
    image, box = painted(number)
    told = {
        "boxes": tv_tensors.BoundingBoxes(torch.tensor([box]).float(), format="XYXY", canvas_size=SIZE),
        "labels": torch.tensor([number]),
        "masks": tv_tensors.Mask(torch.from_numpy((image[..., 0] > 0).astype(np.uint8))[None]),
    }
    return tv_tensors.Image(torch.from_numpy(image).movedim(-1, 0)), told


def arrays(number: int) -> dict[str, Any]:
    image, box = painted(number)
    return {
        "image": image,
        "mask": (image[..., 0] > 0).astype(np.uint8),
        "bboxes": np.array([box], float),
        "labels": np.array([number]),
    }


def check_boxes(image: np.ndarray, boxes: np.ndarray, labels: np.ndarray, *, slack: int = 0) -> None:
    """Every box holds pixels of its colour alone, and reaches all of its edges."""
    for (left, top, right, bottom), label in zip(np.rint(boxes).astype(int), labels.tolist(), strict=True):
        part = image[top:bottom, left:right]
        inner = part[slack : len(part) - slack, slack : part.shape[1] - slack]
        assert (inner == 50 + 10 * label).all()


@pytest.mark.parametrize("fit", ["corner", "resize", "contain"])
@pytest.mark.parametrize("after", [False, True], ids=["alone", "with later stages"])
def test_torchvision_moves_all_onto_the_canvas(fit: str, after: bool) -> None:
    mix = of_torchvision.Mosaic(fit=fit, output_size=OUT, fill=7, p=0.8, ignore_index=255)
    later = [v2.RandomHorizontalFlip(1.0), v2.RandomCrop((40, 60)), v2.ClampBoundingBoxes()] if after else []
    for seed in range(5):
        pipeline = of_torchvision.BatchCompose([v2.RandomVerticalFlip(1.0), mix, *later], seed=seed)
        images, told = pipeline([tensors(number) for number in range(6)])
        size = (40, 60) if after else OUT
        assert images.shape == (6, 3, *size)
        for image, own in zip(images, told, strict=True):
            assert type(own["boxes"]) is tv_tensors.BoundingBoxes
            assert own["boxes"].canvas_size == size
            assert own["masks"].shape[1:] == size
            wide = (own["boxes"][:, 2:] - own["boxes"][:, :2]).amin(dim=1) > 4  # who is not mixed is resized
            check_boxes(image[0].numpy(), own["boxes"][wide].numpy(), own["labels"][wide], slack=2)


@pytest.mark.parametrize("form", ["pascal_voc", "coco", "yolo", "albumentations"])
def test_albumentations_moves_all_onto_the_canvas(form: str) -> None:
    mix = of_albumentations.Mosaic(output_size=OUT, fill=7)
    params = A.BboxParams(form, label_fields=["labels"])
    samples = [arrays(number) for number in range(6)]
    scale = np.array([SIZE[1], SIZE[0]] * 2)
    for sample in samples:
        x1, y1, x2, y2 = sample["bboxes"][0]
        if form in ("coco", "yolo"):
            start = [x1, y1] if form == "coco" else [(x1 + x2) / 2, (y1 + y2) / 2]
            sample["bboxes"] = np.array([[*start, x2 - x1, y2 - y1]])
        if form in ("yolo", "albumentations"):
            sample["bboxes"] = sample["bboxes"] / scale
    for seed in range(4):
        pipeline = of_albumentations.BatchCompose([mix, A.HorizontalFlip(p=1)], seed=seed, bbox_params=params)
        out = pipeline(samples)
        assert out["image"].shape == (6, *OUT, 3)
        assert out["mask"].shape == (6, *OUT)
        for image, boxes, labels in zip(out["image"], out["bboxes"], out["labels"], strict=True):
            own = np.asarray(boxes, float)
            if form in ("yolo", "albumentations"):
                own = own * np.array([OUT[1], OUT[0]] * 2)
            if form == "yolo":
                own = np.concatenate([own[:, :2] - own[:, 2:] / 2, own[:, :2] + own[:, 2:] / 2], axis=1)
            elif form == "coco":
                own = np.concatenate([own[:, :2], own[:, :2] + own[:, 2:]], axis=1)
            check_boxes(np.asarray(image)[..., 0], own, np.asarray(labels))


def test_host_pipelines_see_the_new_size() -> None:
    images = np.stack([painted(number)[0] for number in range(4)])
    masks = (images[..., 0] > 0).astype(np.uint8)
    mixed = A.Compose([of_albumentations.Mosaic(output_size=OUT), A.HorizontalFlip(p=1)], seed=0)(
        images=images, masks=masks
    )
    assert mixed["images"].shape == (4, *OUT, 3)
    np.testing.assert_array_equal(mixed["masks"] > 0, mixed["images"][..., 0] > 0)
    recorder = A.ReplayCompose([of_albumentations.Mosaic(output_size=OUT, seed=0)])
    first = recorder(images=images)
    again = A.ReplayCompose.replay(first["replay"], images=images)
    np.testing.assert_array_equal(first["images"], again["images"])
    batch = torch.from_numpy(images).movedim(-1, 1)
    assert v2.Compose([of_torchvision.Mosaic(output_size=OUT), v2.Resize((10, 12))])(batch).shape == (4, 3, 10, 12)


def test_who_is_in_no_mosaic_may_be_transformed_otherwise() -> None:
    samples = [tensors(number) for number in range(8)]
    stages = [of_torchvision.Mosaic(output_size=OUT, p=0.5), of_torchvision.Otherwise([v2.RandomInvert(1.0)])]
    images, _ = of_torchvision.BatchCompose(stages, seed=0)(samples)
    plain, _ = of_torchvision.BatchCompose(stages[:1], seed=0)(samples)
    inverted = [bool((image == 255 - before).all()) for image, before in zip(images, plain, strict=True)]
    alike = [bool((image == before).all()) for image, before in zip(images, plain, strict=True)]
    assert all(one != other for one, other in zip(inverted, alike, strict=True))
    assert 0 < sum(inverted) < 8


class Samples(torch.utils.data.Dataset):
    def __len__(self) -> int:
        return 12

    def __getitem__(self, index: int) -> Any:
        return torch.from_numpy(painted(index % 6)[0]).movedim(-1, 0).float(), index % 6


@pytest.mark.parametrize("workers", [0, 2])
def test_workers_collate_onto_the_canvas(workers: int) -> None:
    mix = of_torchvision.Mosaic(output_size=OUT, num_classes=6, seed=3)
    loader = DataLoader(Samples(), batch_size=6, num_workers=workers, collate_fn=mix)
    samples = [Samples()[index] for index in range(6)]
    wanted = mix(samples)
    for images, labels in loader:
        assert torch.equal(images, wanted[0])
        torch.testing.assert_close(labels, wanted[1])


def test_validation_batches_are_as_they_came() -> None:
    images = torch.zeros(3, 3, *SIZE)
    assert of_torchvision.Mosaic(output_size=OUT).eval()(images).shape == images.shape


@pytest.mark.parametrize("fit", ["corner", "contain"])
def test_compiled_functions_paint_canvases(fit: str) -> None:
    images = torch.randint(0, 255, (3, 3, *SIZE), dtype=torch.uint8)
    mix = of_torchvision.Mosaic(fit=fit, output_size=OUT, fill=114, masks="dominant", ignore_index=255, seed=0)
    plan = mix.plan(images)
    assert torch.equal(functional.mix(images, plan.tensors()), mix.replay(plan, images))
    if fit == "corner":
        compiled = torch.compile(functional.mix, fullgraph=True, backend="eager")
        assert torch.equal(compiled(images, plan.tensors()), mix.replay(plan, images))
    batch = mix.replay(plan, {"image": images, "mask": images[:, 0]})
    assert torch.equal(functional.mix_masks(images[:, 0], plan.tensors(), fill=255), batch["mask"])
