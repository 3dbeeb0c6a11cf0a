"""Objects that transforms bring along, further sets of them, and their labels of any type.

The oracle is the stock ``A.Compose`` with the same draws, and the picture itself.
"""

from typing import Any

import numpy as np
import pytest

A = pytest.importorskip("albumentations", reason="albumentations is not installed")
torch = pytest.importorskip("torch", reason="torch is not installed")
import tiers

import mixtransforms
from mixtransforms import BoxRules
from mixtransforms.albumentations import BatchCompose, CutMix, MixUp

SIDE = 32
SEEN = BoxRules(min_visibility=0, min_size=0, min_area=0)


def image(value: int = 0) -> Any:
    return np.full((SIDE, SIDE, 3), value, np.uint8)


# ------------------------------------------------------------------------------------------ objects brought along


def tile(value: int, labels: Any, **more: Any) -> dict[str, Any]:
    """A picture with one box around a square of its value."""
    picture = image()
    picture[8:24, 8:24] = value
    return {"image": picture, "bboxes": np.array([[8, 8, 24, 24.0]]), "labels": labels([value]), **more}


def with_tiles(value: int, labels: Any) -> dict[str, Any]:
    return tile(value, labels) | {"mosaic_metadata": [tile(value + number, labels) for number in (1, 2, 3)]}


MOSAIC = A.Mosaic(target_size=(SIDE, SIDE), cell_shape=(SIDE, SIDE), p=1.0)
LABELS: dict[str, Any] = {
    "list": list,
    "array": np.array,
    "tensor": torch.tensor,
    "words": lambda values: [f"class {value}" for value in values],
}


def number(label: Any) -> int:
    return int(label.split()[1]) if isinstance(label, str) else int(label)


@tiers.each(labels=LABELS, mixed=[True, False])
def test_a_mosaic_brings_boxes_and_their_labels(mixed: bool, labels: str) -> None:
    """Every box lies on pixels of its label, whichever tile it comes from; labels keep their type."""
    params = A.BboxParams("pascal_voc", label_fields=["labels"], min_width=3, min_height=3)
    brought = 0
    for seed in range(12):
        steps = [MOSAIC, CutMix(1.0, boxes=SEEN)] if mixed else [MOSAIC]
        out = BatchCompose(steps, bbox_params=params, seed=seed)(
            [with_tiles(40, LABELS[labels]), with_tiles(80, LABELS[labels])]
        )
        for picture, boxes, named in zip(out["image"], out["bboxes"], out["labels"], strict=True):
            assert len(boxes) == len(named)
            for (left, top, right, bottom), label in zip(np.rint(boxes).astype(int).tolist(), named, strict=True):
                shown = picture[top:bottom, left:right] == number(label)
                assert shown.any() if mixed else shown.mean() > 0.7  # a paste may leave a corner alone
                brought += number(label) not in (40, 80)
        assert [type(row) for row in out["labels"]] == [type(LABELS[labels]([1]))] * 2
    assert brought > 12


def test_a_mosaic_without_labels_is_that_of_the_stock_compose() -> None:
    """Tiles may have boxes alone."""
    sample = {name: value for name, value in with_tiles(40, list).items() if name != "labels"}
    sample["mosaic_metadata"] = [
        {name: value for name, value in one.items() if name != "labels"} for one in sample["mosaic_metadata"]
    ]
    for seed in range(12):
        params = A.BboxParams("pascal_voc")
        out = BatchCompose([MOSAIC, CutMix(p=0.0)], bbox_params=params, seed=seed)([sample] * 2)
        stock = A.Compose([MOSAIC], bbox_params=params, seed=seed)(**sample)
        assert {type(row) for row in out["bboxes"]} == {type(stock["bboxes"])}
        assert {row.shape[1] for row in out["bboxes"]} == {4}


def test_a_ready_batch_has_metadata_a_sample() -> None:
    """One list for every picture; each gets its own."""
    params = A.BboxParams("pascal_voc", label_fields=["labels"])
    samples = [with_tiles(40, list), with_tiles(80, list)]
    batch: dict[str, Any] = {name: [one[name] for one in samples] for name in samples[0]}
    batch["images"] = np.stack(batch.pop("image"))
    for seed in range(5):
        out = BatchCompose([MOSAIC, CutMix(p=0.0)], bbox_params=params, seed=seed)(**batch)
        assert {*out["labels"][0]} <= {40, 41, 42, 43}
        assert {*out["labels"][1]} <= {80, 81, 82, 83}
        assert len({*out["labels"][0]}) > 1
        assert out["mosaic_metadata"] == batch["mosaic_metadata"]


@pytest.mark.parametrize("given", [False, True], ids=["missing", "given"])
def test_what_is_told_of_objects_is_told_of_those_brought(given: bool) -> None:
    """An area has to be told in the metadata as well, as the error says."""
    extra = {"area": [256.0]}
    sample = tile(40, list, **extra) | {"mosaic_metadata": [tile(50, list, **extra)]}
    params = A.BboxParams("pascal_voc", label_fields=["labels", "area"] if given else ["labels"])
    pipeline = BatchCompose([MOSAIC, MixUp(p=0.0)], bbox_params=params, seed=0)
    if given:
        out = pipeline([sample] * 2)
        assert [len(row) for row in out["area"]] == [len(row) for row in out["labels"]]
    else:
        with pytest.raises(
            mixtransforms.InputError,
            match=r"too little is told \(batch\['area'\]\).*'area'.*label_fields of bbox_params",
        ):
            pipeline([sample] * 2)


def test_boxes_brought_after_a_mix_weigh_one() -> None:
    params = A.BboxParams("pascal_voc", label_fields=["labels"])
    samples = [with_tiles(40, list), with_tiles(80, list)]
    for seed in range(5):
        out = BatchCompose([MixUp(1.0), MOSAIC], bbox_params=params, seed=seed)(samples)
        for labels, weights in zip(out["labels"], out["box_weights"], strict=True):
            assert all(weight == 1 for label, weight in zip(labels, weights, strict=True) if label not in (40, 80))
            assert len(weights) == len(labels)


# ------------------------------------------------------------------------------------------ what transforms read

READERS: dict[str, tuple[Any, str, Any]] = {
    "mosaic": (MOSAIC, "mosaic_metadata", [{"image": image(9)}]),
    "overlay": (A.OverlayElements(p=1.0), "overlay_metadata", [{"image": np.ones((5, 5, 3), np.uint8)}]),
    "histogram": (A.HistogramMatching(p=1.0), "hm_metadata", [np.arange(48, dtype=np.uint8).reshape(4, 4, 3)]),
    "another name": (A.HistogramMatching(metadata_key="photos", p=1.0), "photos", [image(3)]),
    "near": (A.RandomCropNearBBox(p=1.0), "cropping_bbox", [4, 4, 20, 20]),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("mixed", [True, False], ids=["mixed", "alone"])
@pytest.mark.parametrize("inside", [False, True], ids=["plain", "inside"])
def test_what_transforms_read_needs_no_declaration(reader: str, mixed: bool, inside: bool) -> None:
    """Names in ``targets_as_params`` pass, one value a sample, whatever it is."""
    transform, name, value = READERS[reader]
    step = A.OneOf([transform], p=1.0) if inside else transform
    rest = [A.Resize(16, 16), CutMix(1.0, num_classes=3)] if mixed else [A.Resize(16, 16)]
    given = [{"image": image(i * 40), "label": i, name: value} for i in range(3)]
    out = BatchCompose([step, *rest], seed=0)(given)
    assert out["image"].shape == (3, 16, 16, 3)
    assert len(out[name]) == 3
    assert all(one is value for one in out[name])


def test_what_is_declared_is_mixed_although_it_is_read() -> None:
    """A kind of the user's stands above."""
    given = [{"image": image(), "other": image(i * 40)} for i in range(2)]
    steps = [A.HistogramMatching(metadata_key="other", p=0.0), MixUp(1.0, kinds={"other": "image"})]
    assert BatchCompose(steps, seed=0)(given)["other"].shape == (2, SIDE, SIDE, 3)


# ------------------------------------------------------------------------------------------ further sets


def test_further_sets_move_as_in_the_stock_compose() -> None:
    """Values of Albumentations 2.0.8."""
    keypoints = BatchCompose(
        [A.HorizontalFlip(p=1)], keypoint_params=A.KeypointParams("xy"), additional_targets={"kp1": "keypoints"}
    )([{"image": image(), "keypoints": np.array([[8, 8.0]]), "kp1": np.array([[20, 20.0]])}] * 2)
    np.testing.assert_array_equal(keypoints["kp1"], [[[11, 20]]] * 2)
    boxes = BatchCompose(
        [A.HorizontalFlip(p=1)], bbox_params=A.BboxParams("pascal_voc"), additional_targets={"bb2": "bboxes"}
    )([{"image": image(), "bboxes": np.array([[8, 8, 12, 12, 1.0]]), "bb2": np.array([[2, 2, 6, 6, 0.0]])}] * 2)
    np.testing.assert_array_equal(boxes["bb2"], [[[26, 2, 30, 6, 0]]] * 2)


@pytest.mark.parametrize("listed", [False, True], ids=["arrays", "lists"])
@pytest.mark.parametrize("method", [CutMix, MixUp])
def test_further_sets_are_mixed(method: Any, listed: bool) -> None:
    """A set under another name becomes what the same boxes become as ``bboxes``; points and weights alike."""
    generator = np.random.default_rng(0)
    given = []
    for row in range(4):
        first, size = generator.integers(0, 14, (row, 2)), generator.integers(4, 16, (row, 2))
        boxes = np.concatenate([first, first + size, np.full((row, 1), row)], axis=1).astype(np.float64)
        points = generator.integers(0, SIDE, (row, 2)).astype(np.float32)
        told = {"bboxes": boxes, "keypoints": points, "more": boxes, "spots": points}
        given.append({"image": image(row), **{n: v.tolist() if listed else v for n, v in told.items()}})
    for seed in range(5):
        out = BatchCompose(
            [A.HorizontalFlip(), method(1.0), A.VerticalFlip(), A.RandomCrop(20, 24)],
            bbox_params=A.BboxParams("pascal_voc"),
            keypoint_params=A.KeypointParams("xy", remove_invisible=False),
            additional_targets={"more": "bboxes", "spots": "keypoints"},
            seed=seed,
        )(given)
        for further, own in (
            ("more", "bboxes"),
            ("more_weights", "box_weights"),
            ("spots", "keypoints"),
            ("spots_weights", "keypoint_weights"),
            ("spots_visible", "keypoints_visible"),
        ):
            assert len(out[further]) == 4
            for a, b in zip(out[further], out[own], strict=True):
                np.testing.assert_array_equal(a, b)
                assert type(a) is type(b)


def test_further_sets_need_parameters() -> None:
    """Without them Albumentations would take pixels for fractions."""
    pipeline = BatchCompose([A.HorizontalFlip(p=1)], additional_targets={"more": "bboxes"})
    with pytest.raises(mixtransforms.InputError, match=r"leave behind \(batch\['more'\]\).*bbox_params"):
        pipeline([{"image": image(), "more": np.array([[8, 8, 12, 12.0]])}] * 2)


def test_label_fields_of_two_sets_are_refused() -> None:
    """Albumentations itself ends in a KeyError; the way out works."""
    one = {"image": image(), "bboxes": [[8, 8, 12, 12, 7]], "more": [[1, 1, 9, 9, 3]], "labels": [7]}
    targets = {"more": "bboxes"}
    params = A.BboxParams("pascal_voc", label_fields=["labels"])
    with pytest.raises(mixtransforms.InputError, match=r"Labels of two sets \(bboxes, more\).*further columns"):
        BatchCompose([A.HorizontalFlip(p=1)], bbox_params=params, additional_targets=targets)([one] * 2)
    out = BatchCompose([A.HorizontalFlip(p=1)], bbox_params=A.BboxParams("pascal_voc"), additional_targets=targets)(
        [{name: value for name, value in one.items() if name != "labels"}] * 2
    )
    assert [rows[0][4] for rows in (out["bboxes"][0], out["more"][0])] == [7, 3]


# ------------------------------------------------------------------------------------------ labels


@pytest.mark.parametrize("make", [np.array, torch.tensor])
def test_rows_as_labels(make: Any) -> None:
    """Shares of classes for every box, which the host has no place for, stay with it."""
    shares = make([[0.125, 0.875], [0.75, 0.25]])
    one = {"image": image(), "bboxes": np.array([[0, 0, 4, 4], [20, 20, 30, 30.0]]), "shares": shares}
    params = A.BboxParams("pascal_voc", label_fields=["shares"])
    out = BatchCompose([A.Crop(16, 16, 32, 32), CutMix(p=0.0)], bbox_params=params)([one] * 2)
    assert [row.tolist() for row in out["shares"]] == [[[0.75, 0.25]]] * 2


@pytest.mark.parametrize("method", [CutMix, MixUp])
def test_tensors_as_labels(method: Any) -> None:
    """They come back as tensors, filtered with their boxes, and the pictures as they are."""
    one = {
        "image": image(),
        "bboxes": np.array([[0, 0, 4, 4], [20, 20, 30, 30.0]]),
        "labels": torch.tensor([3, 9]),
        "keypoints": np.array([[1, 1], [25, 25.0]]),
        "names": torch.tensor([1, 2]),
    }
    out = BatchCompose(
        [A.Crop(16, 16, 32, 32), method(1.0, p=0.0)],
        bbox_params=A.BboxParams("pascal_voc", label_fields=["labels"]),
        keypoint_params=A.KeypointParams("xy", label_fields=["names"]),
    )([one] * 2)
    assert isinstance(out["image"], np.ndarray)
    for name, left in (("labels", 9), ("names", 2)):
        assert [row.tolist() for row in out[name]] == [[left]] * 2
        assert {row.dtype for row in out[name]} == {torch.int64}
