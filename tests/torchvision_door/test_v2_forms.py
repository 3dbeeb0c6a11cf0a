"""Forms in which samples and batches come to torchvision's BatchCompose, and what is no batch at all."""

from collections import namedtuple
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("torchvision", reason="torchvision is not installed")

from PIL import Image
from torchvision import tv_tensors
from torchvision.transforms import v2

from mixtransforms import BoxRules, InputError
from mixtransforms.torchvision import BatchCompose, CutMix, MixUp, OneOf

FLIP = v2.RandomHorizontalFlip(1.0)
PIXELS = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3), dtype=np.uint8)
PICTURES = [Image.fromarray(pixels) for pixels in PIXELS]


def pipeline(*first: Any, **options: Any) -> BatchCompose:
    return BatchCompose([*first, v2.ToImage(), v2.RandomHorizontalFlip(), MixUp(num_classes=4, **options)], seed=3)


WANTED = list(zip(PICTURES, range(4), strict=True))
Pair = namedtuple("Pair", "image label")

# ---------------------------------------------------------------------------------------------- pictures by columns


@pytest.mark.parametrize(
    "batch",
    [
        {"image": PICTURES, "label": [0, 1, 2, 3]},
        {"label": np.arange(4), "image": tuple(PICTURES)},
        (PICTURES, [0, 1, 2, 3]),
        (tuple(PICTURES), torch.arange(4)),
        [PICTURES, [0, 1, 2, 3]],
        Pair(PICTURES, [0, 1, 2, 3]),
    ],
    ids=["lists", "array", "tuple", "tensor", "list", "named"],
)
def test_columns_of_pictures_are_samples(batch: Any) -> None:
    """As ``datasets.with_transform`` hands them over; the same draws as for a list of the samples."""
    samples = [
        {"image": image, "label": label} if isinstance(batch, dict) else (image, label) for image, label in WANTED
    ]
    wanted = pipeline()([Pair(*sample) for sample in samples] if isinstance(batch, Pair) else samples)
    out = pipeline()(batch)
    for name in ("image", "label") if isinstance(batch, dict) else (0, 1):
        assert torch.equal(out[name], wanted[name])
    if type(batch) in (dict, tuple, list):
        assert type(out) is type(batch)


def test_columns_with_objects_inside() -> None:
    """A data set of detection, as the hub has it: a dict of columns in a column."""
    boxes = [[[1.0, 1, 9, 9]], [], [[0.0, 0, 4, 4], [2, 2, 8, 8]], [[3.0, 3, 8, 8]]]
    kinds = {"bbox": "boxes"}
    batch = {
        "image": PICTURES,
        "objects": {"bbox": boxes, "category_id": [[1], [], [2, 3], [4]]},
        "image_id": list("abcd"),
    }
    out = BatchCompose([v2.ToImage(), FLIP, CutMix(p=0.0, kinds=kinds)])(batch)
    assert [each["category_id"] for each in out["objects"]] == [[1], [], [2, 3], [4]]
    assert out["objects"][0]["bbox"] == [[7, 1, 15, 9]]
    assert out["image_id"] == list("abcd")


@pytest.mark.parametrize("value", [3, [1, 2], "abcd", None])
def test_columns_of_another_length(value: Any) -> None:
    with pytest.raises(InputError, match=r"A column of another length \(batch\['scale'\]\): .*; wanted 4 values"):
        pipeline()({"image": PICTURES, "scale": value})


# ------------------------------------------------------------------------------------------------------ one picture


@pytest.mark.parametrize(
    "one", [PICTURES[0], (PICTURES[0], 3), {"image": PICTURES[0], "label": 3}], ids=["picture", "tuple", "dict"]
)
def test_one_picture_is_no_batch(one: Any) -> None:
    """As the ``transform`` of a data set it is called with one; the error does not speak of ToImage, which is there."""
    with pytest.raises(InputError, match=r"Not a batch of images .*looks? like one sample|got one PIL image") as caught:
        pipeline()(one)
    assert "collate_fn=pipeline" in caught.value.fix
    loader = torch.utils.data.DataLoader(WANTED, batch_size=4, collate_fn=pipeline())
    assert next(iter(loader))[0].shape == (4, 3, 16, 16), "what it says works"


ONE = torch.from_numpy(PIXELS[0]).movedim(-1, 0)


@pytest.mark.parametrize("mix", [[], [MixUp(num_classes=4)]], ids=["alone", "mixed"])
@pytest.mark.parametrize(
    "one",
    [ONE, tv_tensors.Image(ONE), PIXELS[0], (ONE, 3), (tv_tensors.Image(ONE), 3), {"image": ONE, "label": 3}],
    ids=["tensor", "typed", "array", "tuple", "typed tuple", "dict"],
)
def test_the_channels_of_one_image_are_no_samples(one: Any, mix: list[Any]) -> None:
    """They would have been flipped one by one, and mixed with one another."""
    with pytest.raises(
        InputError, match=r"Not a batch of images \(batch.*\): got shape \(.*\), which looks like one image"
    ):
        BatchCompose([FLIP, *mix])(one)


def test_gray_batches_of_arrays_are_batches() -> None:
    images = PIXELS[..., 0]
    out = BatchCompose([FLIP, MixUp(p=0.0)])(images)
    assert np.array_equal(out[:, 0].numpy(), images[..., ::-1])


# --------------------------------------------------------------------------------------------------------- channels


GRAY, COLOUR = torch.zeros(1, 8, 8), torch.ones(3, 8, 8)
CHANNELS = r"Give all pictures the same channels, for example with v2\.RGB\(\), A\.ToRGB\(\) or image\.convert"


@pytest.mark.parametrize("form", ["torch", "numpy", "dict"])
def test_gray_pictures_among_colours(form: str) -> None:
    own: dict[str, Callable[[Any], Any]] = {
        "torch": lambda image: (image, 0),
        "numpy": lambda image: (image.movedim(0, -1).numpy(), 0),
        "dict": lambda image: {"image": image, "label": 0},
    }
    samples = [own[form](image) for image in (GRAY, COLOUR)]
    with pytest.raises(InputError, match=rf"Samples of different sizes .*{CHANNELS}"):
        BatchCompose([v2.Identity(), MixUp(num_classes=1)])(samples)
    out = BatchCompose([v2.RGB(), MixUp(num_classes=1, p=0.0)])(samples)
    assert (out["image"] if form == "dict" else out[0]).shape == (2, 3, 8, 8)


@pytest.mark.parametrize("form", ["torch", "numpy"])
def test_padding_adds_no_channels(form: str) -> None:
    """A gray picture would have become a red one."""
    images = [GRAY, torch.ones(3, 8, 9)]
    if form == "numpy":
        images = [image.movedim(0, -1).numpy() for image in images]
    with pytest.raises(
        InputError, match=rf"Images with different numbers of channels \(batch\[0\]\[1\]\): got 3, .*{CHANNELS}"
    ):
        MixUp(num_classes=2, pad="max")([(images[0], 0), (images[1], 1)])


def test_sizes_that_differ_are_still_those() -> None:
    for other in (torch.zeros(3, 9, 8), torch.zeros(1, 9, 8)):
        with pytest.raises(InputError, match=r"Resize or crop to one size"):
            MixUp(num_classes=2)([(COLOUR, 0), (other, 1)])


# ------------------------------------------------------------------------------------------- one size for the batch


@pytest.mark.parametrize("seed", [None, 3])
@pytest.mark.parametrize(
    "resize",
    [v2.RandomResize(16, 32), v2.RandomShortestSize([16, 20, 24, 28], 40), v2.ScaleJitter((24, 24))],
    ids=lambda resize: type(resize).__name__,
)
def test_a_drawn_size_behind_a_mix_is_the_batchs(resize: Any, seed: int | None) -> None:
    """Training at several scales: another size for every batch, and one for all of its samples."""
    steps = [OneOf([MixUp(), CutMix()]), v2.RandomHorizontalFlip(), resize, v2.RandomVerticalFlip()]
    stages = BatchCompose(steps, seed=seed)
    torch.manual_seed(0)
    images = torch.rand(6, 3, 24, 24)
    sizes = {tuple(stages(images).shape) for _ in range(12)}
    assert len(sizes) > 2
    assert {shape[:2] for shape in sizes} == {(6, 3)}
    flipped = BatchCompose([MixUp(p=0.0), v2.RandomHorizontalFlip(), resize], seed=seed)(torch.stack([images[0]] * 64))
    assert len({image.numpy().tobytes() for image in flipped}) == 2, "flips are still drawn for every sample"


def test_boxes_go_with_the_size_of_the_batch() -> None:
    target = {"boxes": torch.tensor([[4.0, 4, 20, 20]]), "labels": torch.tensor([1])}
    steps = [MixUp(p=0.0), v2.RandomResize(16, 32)]
    images, targets = BatchCompose(steps, seed=1)([(torch.zeros(3, 24, 24), target)] * 3)
    factor = images.shape[-1] / 24
    for each in targets:
        torch.testing.assert_close(each["boxes"], target["boxes"] * factor)


# ------------------------------------------------------------------------------------------------ records, and COCO


def test_records_that_lack_their_boxes() -> None:
    """A ready batch in which one image has no annotations."""
    full = {"boxes": torch.tensor([[1.0, 1, 9, 9]]), "labels": torch.tensor([1]), "image_id": 1}
    batch = torch.zeros(3, 3, 16, 16), [full, {"image_id": 2}, {"image_id": 3, "boxes": torch.zeros(0, 4)}]
    _, targets = BatchCompose([FLIP, CutMix(p=0.0), FLIP, v2.SanitizeBoundingBoxes()])(*batch)
    assert [len(each["boxes"]) for each in targets] == [1, 0, 0]
    assert targets[0]["boxes"].tolist() == [[1, 1, 9, 9]]
    _, targets = BatchCompose([FLIP, v2.SanitizeBoundingBoxes()])(*batch)
    assert targets[0]["boxes"].tolist() == [[7, 1, 15, 9]]
    assert targets[1] == {"image_id": 2}


def coco(count: int) -> tuple[Any, dict[str, Any]]:
    """As ``wrap_dataset_for_transforms_v2(..., target_keys="all")`` has it."""
    rows = [[1.0, 1, 13 - 8 * (index % 2), 13 - 8 * (index % 2)] for index in range(count)]
    return tv_tensors.Image(torch.zeros(3, 16, 16)), {
        "segmentation": [[[x0, y0, x1, y0, x1, y1]] for x0, y0, x1, y1 in rows],
        "bbox": [[x0, y0, x1 - x0, y1 - y0] for x0, y0, x1, y1 in rows],
        "category_id": list(range(count)),
        "area": [144.0] * count,
        "iscrowd": [0] * count,
        "image_id": 7,
        "boxes": tv_tensors.BoundingBoxes(torch.tensor(rows).reshape(-1, 4), format="XYXY", canvas_size=(16, 16)),
        "labels": torch.arange(count),
    }


def test_polygons_are_no_masks() -> None:
    """``v2.Compose`` leaves them alone; they were resized as if they were pictures."""
    samples = [coco(1), coco(2), coco(0)]
    out = BatchCompose([v2.ToImage(), v2.RandomCrop(12), v2.Resize((8, 8))])(samples)
    assert [each["segmentation"] for each in out[1]] == [target["segmentation"] for _, target in samples]


def test_polygons_leave_with_their_boxes() -> None:
    out = BatchCompose([v2.ToImage(), FLIP, v2.SanitizeBoundingBoxes(min_size=6)])([coco(4), coco(1)])[1][0]
    assert out["labels"].tolist() == out["category_id"] == [0, 2]
    assert out["segmentation"] == [coco(4)[1]["segmentation"][index] for index in (0, 2)]
    assert out["bbox"] == [coco(4)[1]["bbox"][index] for index in (0, 2)]


@pytest.mark.parametrize("count", [1, 2])
def test_polygons_at_a_mix(count: int) -> None:
    """The error names the key, and both ways out lead on."""
    samples = [coco(1), coco(count)]
    first = [v2.ToImage(), v2.Resize((12, 12))]
    with pytest.raises(
        InputError, match=r"Polygons .*\(batch\[1\]\['segmentation'\]\).*fields=\('segmentation',\)"
    ) as told:
        BatchCompose([*first, CutMix()])(samples)
    assert "passthrough=('segmentation',)" in told.value.fix
    carried = CutMix(boxes=BoxRules(fields=("segmentation", "bbox")), p=0.0)
    out = BatchCompose([*first, carried])(samples)[1]
    assert [each["segmentation"] for each in out] == [target["segmentation"] for _, target in samples]
    left = CutMix(passthrough=("segmentation", "bbox"), p=0.0)
    assert len(BatchCompose([*first, left])(samples)[0]) == 2
