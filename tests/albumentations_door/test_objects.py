"""Boxes, masks, keypoints and all that is told of objects, on their way through pipelines of Albumentations.

Every object is painted in a channel of its own, see ``scenes``: whatever a pipeline does, what it tells of an object
must be true of the picture that it returns.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import tiers
from hosts import opencv_takes_booleans
from scenes import Scene, assert_told, scenes

A = pytest.importorskip("albumentations", reason="albumentations is not installed")

import mixtransforms
from mixtransforms import BoxRules
from mixtransforms.albumentations import BatchCompose, CutMix, MixUp, OneOf

SIDE, COUNTS = 24, (3, 1, 0, 4)
CLASSES = 3
EVERY = BoxRules(min_visibility=0, min_size=0, min_area=0)
MIXES: Mapping[str, Callable[..., Any]] = {
    "MixUp": lambda **options: MixUp(alpha=1.0, **options),
    "CutMix": lambda **options: CutMix(**options),
    "OneOf": lambda **options: OneOf([MixUp(alpha=1.0), CutMix()], **options),
}
FORMATS = ("pascal_voc", "coco", "yolo", "albumentations")

forked = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")


def written(corners: Any, format: str, height: int = SIDE, width: int = SIDE) -> Any:
    """Corners in pixels as the host's formats have them."""
    boxes = np.asarray(corners, np.float64).reshape(-1, 4)
    first, size = boxes[:, :2], boxes[:, 2:] - boxes[:, :2]
    if format == "coco":
        return np.concatenate([first, size], axis=1)
    if format == "yolo":
        return np.concatenate([first + size / 2, size], axis=1) / [width, height, width, height]
    return boxes / [width, height, width, height] if format == "albumentations" else boxes


def corners(boxes: Any, format: str, height: int, width: int) -> Any:
    """The host's formats as corners in pixels."""
    boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
    if format in ("yolo", "albumentations"):
        boxes = boxes * [width, height, width, height]
    first, second = boxes[:, :2], boxes[:, 2:]
    if format == "yolo":
        first = first - second / 2
    return np.concatenate([first, first + second if format in ("yolo", "coco") else second], axis=1)


def sample(scene: Scene, format: str, lists: bool = False, number: int = 0) -> dict[str, Any]:
    """One sample, as users of the host have it; ``spots`` are told of every keypoint."""
    told = {
        "bboxes": written(scene.boxes, format).astype(np.float32),
        "class_labels": scene.ids % CLASSES,
        "ids": scene.ids,
        "keypoints": scene.points[:, 0, :2],
        "spots": scene.ids.copy(),
    }
    return {
        "image": scene.image,
        "mask": painted(scene.image),
        "masks": scene.masks.astype(np.uint8),
        **({name: value.tolist() for name, value in told.items()} if lists else told),
        "label": number % CLASSES,
    }


def painted(image: Any) -> Any:
    """A semantic mask: the last channel that is lit, ``(H, W)``, from 1."""
    return ((image > 0) * np.arange(1, image.shape[-1] + 1)).max(axis=-1).astype(np.uint8)


def samples(format: str, lists: bool = False, counts: tuple[int, ...] = COUNTS, seed: int = 0) -> list[dict[str, Any]]:
    given = scenes(counts, (SIDE, SIDE), seed)
    return [sample(scene, format, lists, number) for number, scene in enumerate(given)]


def pipeline(transforms: list[Any], format: str, seed: int | None = 0) -> BatchCompose:
    boxes = A.BboxParams(format, label_fields=["class_labels", "ids"], min_width=0.5, min_height=0.5)
    return BatchCompose(
        transforms, bbox_params=boxes, keypoint_params=A.KeypointParams("xy", label_fields=["spots"]), seed=seed
    )


def assert_true(batch: Mapping[str, Any], format: str, **how: Any) -> None:
    """What a batch tells of objects and points is true of its pictures."""
    images = [np.asarray(image) for image in batch.get("image", batch.get("images", ()))]
    images = [image.transpose(1, 2, 0) if len(image) == sum(COUNTS) else image for image in images]
    for row, image in enumerate(images):
        told = {
            "ids": batch["ids"][row],
            "boxes": corners(batch["bboxes"][row], format, *image.shape[:2]),
            "weights": batch["box_weights"][row],
            "classes": batch["class_labels"][row],
        }
        if "masks" in batch:
            told["masks"] = batch["masks"][row]
        assert_told(image, told, **how)
        assert (np.asarray(told["ids"]) % CLASSES == np.asarray(told["classes"])).all()
        points = np.asarray(batch["keypoints"][row]).reshape(-1, 2).astype(int)
        spots, weights = np.asarray(batch["spots"][row], int), np.asarray(batch["keypoint_weights"][row])
        assert len(points) == len(spots) == len(weights)
        np.testing.assert_allclose(image[points[:, 1], points[:, 0], spots], weights, atol=1e-5)


TIGHT = {"tight": True}
LATER: Mapping[str, tuple[list[Any], dict[str, Any]]] = {
    "nothing": ([], TIGHT),
    "flips": ([A.HorizontalFlip(), A.VerticalFlip()], TIGHT),
    "turned": ([A.D4(p=1.0)], TIGHT),
    "padded": ([A.PadIfNeeded(30, 30)], TIGHT),
    "resized": ([A.Resize(48, 48, interpolation=0)], TIGHT),
    "centre": ([A.CenterCrop(16, 14)], {}),
    "cropped": ([A.RandomCrop(16, 14), A.HorizontalFlip(p=1.0)], {}),
}


# The host never sees a method, and a mix knows a format only as what it has read: pairs tell everything.
@tiers.product(format=FORMATS, method=MIXES, later=LATER, first=["mix", "host"])
def test_objects_stay_with_their_picture(format: str, method: str, later: str, first: str) -> None:
    """Samples, a mix, and samples again, in either order; arrays or lists; images without objects are among them."""
    transforms, how = LATER[later]
    mix = MIXES[method](boxes=EVERY, num_classes=CLASSES)
    order = [mix, *transforms] if first == "mix" else [*transforms, mix]
    for seed, lists in enumerate((False, True, False)):
        out = pipeline(order, format, seed)(samples(format, lists, seed=seed))
        assert_true(out, format, **how)
        np.testing.assert_allclose(out["label"].sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("method", MIXES)
def test_tensors_at_the_end(method: str) -> None:
    transforms = [A.HorizontalFlip(), MIXES[method](boxes=EVERY, num_classes=CLASSES), A.VerticalFlip(), A.ToTensorV2()]
    out = pipeline(transforms, "coco", 3)(samples("coco"))
    assert type(out["image"]).__name__ == type(out["mask"]).__name__ == "Tensor"
    assert_true(out, "coco", tight=True)


@pytest.mark.parametrize("method", MIXES)
@pytest.mark.parametrize("format", ["pascal_voc", "yolo"])
def test_ready_batches(format: str, method: str) -> None:
    """A batch by keywords: images in one array, and of what is told of objects a list with an item an image."""
    given = samples(format)
    names = ("masks", "bboxes", "class_labels", "ids", "keypoints", "spots")
    batch = {name: [one[name] for one in given] for name in names}
    images, labels = np.stack([one["image"] for one in given]), np.arange(4) % CLASSES
    mix = MIXES[method](boxes=EVERY, num_classes=CLASSES)
    out = pipeline([A.HorizontalFlip(), mix, A.CenterCrop(18, 16)], format, 2)(images=images, labels=labels, **batch)
    assert_true(out, format)
    assert out["images"].shape == (4, 18, 16, 8)
    assert out["labels"].shape == (4, CLASSES)
    assert "box_weights" not in batch


def test_the_partners_mask_is_cropped_like_the_mask() -> None:
    """The picture shows its mask, so that a blend of pictures is the blend of both masks, wherever they have gone."""
    ids = np.random.default_rng(0).integers(0, 5, (4, 24, 20), dtype=np.uint8)
    given = [{"image": np.repeat(mask[..., None] / np.float32(8), 3, axis=2), "mask": mask} for mask in ids]
    steps = [A.VerticalFlip(), MixUp(alpha=1.0), A.HorizontalFlip(), A.RandomCrop(16, 14)]
    ready = {"images": np.stack([one["image"] for one in given]), "masks": ids}
    for out, image, mask in (
        (BatchCompose(steps, seed=3)(given), "image", "mask"),
        (BatchCompose(steps, seed=3)(**ready), "images", "masks"),
    ):
        weight = out[f"{mask}_weight"][:, None, None]
        shown = weight * out[mask] + (1 - weight) * out[f"{mask}_partner"]
        np.testing.assert_allclose(out[image][..., 0] * 8, shown, atol=1e-5)
        assert out[f"{mask}_partner"].shape == (4, 16, 14)
        assert out[f"{mask}_partner"].dtype == np.uint8


@pytest.mark.parametrize("format", FORMATS)
def test_rounded_edges_are_whole_pixels(format: str) -> None:
    """The host computes with fractions in float32: what a paste covers up to such an edge, it covers entirely."""
    for seed in range(6):
        given = [{name: value for name, value in one.items() if name != "masks"} for one in samples(format, seed=seed)]
        mix = CutMix(boxes=EVERY, num_classes=CLASSES)
        out = pipeline([A.HorizontalFlip(p=1.0), mix, A.VerticalFlip(p=1.0)], format, seed)(given)
        assert_true(out, format, tight=True)


def same(first: Any, second: Any) -> bool:
    if isinstance(first, Mapping):
        return list(first) == list(second) and all(same(first[name], second[name]) for name in first)
    if isinstance(first, (list, tuple)):
        return len(first) == len(second) and all(map(same, first, second))
    return np.array_equal(np.asarray(first), np.asarray(second))


@forked
def test_workers_change_nothing() -> None:
    """A seed gives the same batches in this process and in any number of workers."""
    data = pytest.importorskip("torch.utils.data", reason="torch is not installed")
    given = samples("coco", counts=(3, 1, 0, 4, 2, 2, 1, 3))
    both = OneOf([MixUp(1.0), CutMix()], num_classes=CLASSES)
    steps = pipeline([A.HorizontalFlip(), both, A.RandomCrop(16, 14)], "coco", 4)
    runs = [
        list(data.DataLoader(given, batch_size=4, collate_fn=steps, num_workers=workers)) for workers in (0, 1, 2)
    ]  # fmt: skip
    assert same(runs[0], runs[1])
    assert same(runs[0], runs[2])
    assert not same(runs[0][0], runs[0][1])


def test_what_the_host_says_of_boxes_is_known_to_the_mix() -> None:
    """Format and label fields are the pipeline's; a mix alone is told them by ``BoxRules``."""
    given = [{name: value for name, value in one.items() if name != "label"} for one in samples("coco")]
    for one in given:
        one["tags"] = [f"tag {number}" for number in one["ids"]]
    params = A.BboxParams("coco", label_fields=["class_labels", "ids", "tags"])
    points = A.KeypointParams("xy", label_fields=["spots"])
    out = BatchCompose([CutMix(boxes=EVERY)], bbox_params=params, keypoint_params=points, seed=1)(given)
    assert_true(out, "coco", tight=True)
    for ids, tags in zip(out["ids"], out["tags"], strict=True):
        assert tags == [f"tag {number}" for number in ids]
    fields = ("class_labels", "ids", "tags")
    alone = CutMix(
        boxes=BoxRules(0, min_size=0, min_area=0, format="coco", fields=fields),
        kinds={"keypoints": mixtransforms.Keypoints(fields=["spots"])},
    )(given)
    assert_true(alone, "coco", tight=True)


LEFT_BEHIND: Mapping[str, Callable[[Scene], Any]] = {
    "img": lambda scene: scene.image,
    "target": lambda scene: {"mask": painted(scene.image)},
    "boxes": lambda scene: scene.boxes,
    "bboxes": lambda scene: scene.boxes,
}


@pytest.mark.parametrize("name", LEFT_BEHIND)
def test_what_the_host_would_leave_behind_is_refused(name: str) -> None:
    """The host moves what it knows by its own names: nothing that a mix would mix may stay where the image was."""
    of_objects = name in ("boxes", "bboxes")
    given = [
        {"image": scene.image, name: LEFT_BEHIND[name](scene)} | ({"ids": scene.ids} if of_objects else {})
        for scene in scenes((2, 1, 3, 2), (SIDE, SIDE))
    ]
    with pytest.raises(mixtransforms.InputError, match=rf"batch\['{name}'\]"):
        BatchCompose([A.HorizontalFlip(p=1.0), MixUp(boxes=EVERY)])(given)
    with pytest.raises(mixtransforms.InputError, match=rf"batch\['{name}'\]"):
        BatchCompose([MixUp(boxes=EVERY), A.HorizontalFlip(p=1.0)])(given)
    assert len(BatchCompose([MixUp(boxes=EVERY), A.Normalize()])(given)["image"]) == 4, "which moves nothing"


def test_masks_of_objects_go_with_the_picture_without_boxes() -> None:
    """Under their own name, which the host does not have."""
    dtype = bool if opencv_takes_booleans() else np.uint8  # it is the host that flips them
    given = [
        {"image": one.image, "instance_masks": one.masks.astype(dtype), "ids": one.ids}
        for one in scenes((2, 1), (SIDE, SIDE))
    ]
    for transforms in ([A.HorizontalFlip(p=1.0), CutMix(boxes=EVERY)], [CutMix(boxes=EVERY), A.HorizontalFlip(p=1.0)]):
        out = BatchCompose(transforms, seed=0)(given)
        for image, ids, masks in zip(out["image"], out["ids"], out["instance_masks"], strict=True):
            assert_told(image, {"ids": ids, "masks": masks})


def test_flat_points_need_their_params() -> None:
    """Without ``keypoint_params`` the host fails over points with an index error; a pipeline says what is missing."""
    given = [{"image": scene.image, "keypoints": scene.points[:, 0, :2]} for scene in scenes((2, 1), (SIDE, SIDE))]
    with pytest.raises(mixtransforms.InputError, match="keypoint_params"):
        BatchCompose([A.HorizontalFlip(p=1.0), MixUp()])(given)


def test_points_of_instances_are_not_the_hosts() -> None:
    """``(N, K, 3)`` beside boxes is no form of the host: such points are refused rather than left where they were."""
    given = [
        {"image": scene.image, "bboxes": scene.boxes, "ids": scene.ids, "keypoints": scene.points}
        for scene in scenes((2, 1), (SIDE, SIDE))
    ]
    params = A.BboxParams("pascal_voc", label_fields=["ids"])
    with pytest.raises(mixtransforms.InputError, match="keypoints"):
        BatchCompose([A.HorizontalFlip(p=1.0), MixUp()], bbox_params=params)(given)
