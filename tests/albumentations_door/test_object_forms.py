"""Every form of boxes, labels and keypoints in pipelines of Albumentations: nothing that is told of an object loses it.

Every object is painted in a channel of its own, see ``scenes``, and everything that is told of it carries its number.
"""

import copy
import hashlib
import pickle
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiers
from scenes import Scene, assert_told, scenes
from seen import read_box, write_box

A = pytest.importorskip("albumentations", reason="albumentations is not installed")
torch = pytest.importorskip("torch", reason="torch is not installed")

from albumentations.pytorch import ToTensorV2

from mixtransforms import BoxRules
from mixtransforms.albumentations import BatchCompose, CutMix, MixUp, OneOf

SHAPE, COUNTS = (24, 20), (3, 0, 2, 4, 1, 3)
FORMATS = ("pascal_voc", "coco", "yolo", "albumentations")
SEEN = BoxRules(min_visibility=0, min_size=0, min_area=0)
"""Whatever is seen is kept, so that the picture alone says what must be told."""

forked = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")


def _with_column(boxes: list[list[float]], ids: list[int]) -> list[list[float]]:
    return [[*box, number] for box, number in zip(boxes, ids, strict=True)]


FORMS: Mapping[str, Callable[[list[list[float]], list[int]], Any]] = {
    "lists": lambda boxes, ids: boxes,
    "tuples": lambda boxes, ids: [tuple(box) for box in boxes],
    "float32": lambda boxes, ids: np.array(boxes, np.float32).reshape(-1, 4),
    "float64": lambda boxes, ids: np.array(boxes, np.float64).reshape(-1, 4),
    "columns": _with_column,
    "columns-array": lambda boxes, ids: np.array(_with_column(boxes, ids), np.float32).reshape(-1, 5),
}
"""How the boxes of an image are held; in some, their numbers stand in a column behind the coordinates."""


def sample(scene: Scene, index: int, format: str = "pascal_voc", form: str = "lists", masks: bool = True) -> Any:
    ids = scene.ids.tolist()
    values = {
        "image": scene.image.copy(),
        "bboxes": FORMS[form]([list(write_box(box, format, SHAPE)) for box in scene.boxes], ids),
        "class_labels": [f"class {number}" for number in ids],
        "ids": np.array(ids, np.int64) if "float" in form else ids,
        "masks": scene.masks.astype(np.uint8),
        "keypoints": scene.points[:, 0, :2].copy(),
        "point_ids": ids,
        "name": f"photo {index}",
    }
    left_out = {"class_labels", "ids"} if "columns" in form else set()
    return {name: value for name, value in values.items() if name not in left_out | (set() if masks else {"masks"})}


def samples(seed: int = 0, **how: Any) -> list[Any]:
    return [sample(scene, index, **how) for index, scene in enumerate(scenes(COUNTS, SHAPE, seed))]


def pipeline(
    transforms: list[Any], format: str = "pascal_voc", form: str = "lists", invisible: bool = True, **options: Any
) -> Any:
    fields = [] if "columns" in form else ["class_labels", "ids"]
    no_slivers = {"min_width": 0.5, "min_height": 0.5}
    return BatchCompose(
        transforms,
        bbox_params=A.BboxParams(format=format, label_fields=fields, **no_slivers),
        keypoint_params=A.KeypointParams("xy", label_fields=["point_ids"], remove_invisible=invisible),
        **options,
    )


def assert_true(out: Any, format: str = "pascal_voc", form: str = "lists", **how: Any) -> int:
    """What a batch tells of objects is true of its pictures; the number of objects that it tells of."""
    assert out["name"] == [f"photo {index}" for index in range(len(COUNTS))]
    told_of = 0
    for row, image in enumerate(out["image"]):
        picture = image.numpy().transpose(1, 2, 0) if torch.is_tensor(image) else image
        boxes = np.asarray(out["bboxes"][row], np.float64)
        ids = boxes.reshape(-1, 5)[:, 4].tolist() if "columns" in form else np.asarray(out["ids"][row]).tolist()
        corners = [read_box(box[:4], format, picture.shape[:2]) for box in boxes]
        told = {"ids": ids, "boxes": np.array(corners).reshape(-1, 4), "weights": out["box_weights"][row]}
        if "masks" in out:
            told["masks"] = np.asarray(out["masks"][row])
            assert told["masks"].shape[1:] == picture.shape[:2]
        assert_told(picture, told, **how)
        if "columns" not in form:
            assert list(out["class_labels"][row]) == [f"class {number}" for number in ids]
        told_of += len(ids)
    return told_of


def assert_points(out: Any) -> None:
    """Points are where a pixel of their object is."""
    for image, points, ids in zip(out["image"], out["keypoints"], out["point_ids"], strict=True):
        assert len(points) == len(ids)
        for (x, y), number in zip(np.asarray(points).reshape(-1, 2).tolist(), ids, strict=True):
            assert image[int(y), int(x), int(number)] > 0


# ------------------------------------------------------------------------------------------ what stays together

FLIPS = [A.HorizontalFlip(p=0.5), A.VerticalFlip(p=0.5)]
ORDERS: Mapping[str, tuple[list[Any], list[Any]]] = {
    "alone": ([], []),
    "flips": (FLIPS, FLIPS),
    "random crop": ([A.RandomCrop(20, 18)], FLIPS),
    "centre crop": ([A.CenterCrop(16, 14)], [A.HorizontalFlip(p=1.0)]),
    "turned": ([A.Transpose(p=1.0)], [A.Transpose(p=1.0)]),
    "padded": ([A.PadIfNeeded(26, 24)], [A.PadIfNeeded(30, 28)]),
}


# Formats are numbers and forms are containers: what moves boxes sees neither.
@tiers.each(format=FORMATS, form=FORMS, order=ORDERS)
def test_pasted_objects_stay_with_their_picture(format: str, form: str, order: str) -> None:
    """Sample, paste, sample: boxes are the tight boxes of their pixels, and labels and masks are those of the box."""
    before, after = ORDERS[order]
    for seed, masks in enumerate((True, False)):
        mixed = pipeline([*before, CutMix(boxes=SEEN), *after], format, form, seed=seed)
        out = mixed(samples(seed, format=format, form=form, masks=masks))
        assert assert_true(out, format, form, tight=True) > 5
        assert_points(out)


@tiers.each(format=FORMATS, form=FORMS)
def test_blended_objects_keep_weights(format: str, form: str) -> None:
    """A box's weight is the weight that the picture has in its pixels, after flips as well."""
    weights = []
    for seed in range(2):
        mix = OneOf([MixUp(alpha=1.0), CutMix()], boxes=SEEN)
        out = pipeline([*FLIPS, mix, *FLIPS], format, form, seed=seed)(samples(seed, format=format, form=form))
        assert_true(out, format, form, tight=True)
        weights += [float(weight) for row in out["box_weights"] for weight in row]
    assert any(weight < 0.9 for weight in weights)
    assert any(weight == 1 for weight in weights)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("method", [MixUp, CutMix])
def test_forms_and_types_stay(form: str, method: Any) -> None:
    """Boxes come back in the container they came in, with labels of their own types and all their columns."""
    given = samples(form=form)
    out = pipeline([*FLIPS, method(boxes=SEEN), *FLIPS], form=form, seed=0)(given)
    for name in ("bboxes", "ids", "class_labels", "point_ids", "keypoints", "masks"):
        if name in given[0]:
            assert [type(row) for row in out[name]] == [type(given[0][name])] * len(COUNTS), name
    if isinstance(given[0]["bboxes"], np.ndarray):
        assert len({row.dtype for row in out["bboxes"]}) == 1, "the host itself makes float64 of boxes"
        assert {row.shape[1:] for row in out["bboxes"]} == {given[0]["bboxes"].shape[1:]}
    if form in ("lists", "tuples"):
        assert {type(label) for row in out["class_labels"] for label in row} == {str}
        assert {type(number) for row in out["ids"] for number in row} == {int}
    assert {row.dtype for row in out["masks"]} == {np.dtype(np.uint8)}


@pytest.mark.parametrize("first", ["crop", "mix"])
@pytest.mark.parametrize("crop", ["BBoxSafeRandomCrop", "RandomSizedBBoxSafeCrop"])
def test_crops_that_look_at_boxes(crop: str, first: str) -> None:
    """Crops by the boxes see the boxes of the mix, and every box still holds pixels of its own object."""
    for seed in range(3):
        cut = A.BBoxSafeRandomCrop(p=1.0) if crop.startswith("BBox") else A.RandomSizedBBoxSafeCrop(20, 16, p=1.0)
        nearest = A.Resize(*SHAPE, interpolation=0)
        mix = CutMix(boxes=BoxRules(min_visibility=0, min_size=3))  # pixels are resized to the nearest ones
        steps = [cut, nearest, mix] if first == "crop" else [mix, cut, nearest]
        out = pipeline(steps, seed=seed)(samples(seed, masks=False))
        for image, boxes, ids in zip(out["image"], out["bboxes"], out["ids"], strict=True):
            for box, number in zip(boxes, ids, strict=True):
                left, top, right, bottom = np.rint(box).astype(int).tolist()
                region = image[..., int(number)] > 0.5
                assert region[max(top - 1, 0) : bottom + 1, max(left - 1, 0) : right + 1].any()


@pytest.mark.parametrize("format", FORMATS)
def test_a_crop_after_a_mix_cuts_what_the_mix_tells(format: str) -> None:
    """The batch of a pipeline with a crop at its end is that of the pipeline without it, cropped by hand."""
    given = samples(format=format)
    mix, (height, width) = OneOf([MixUp(alpha=1.0), CutMix()], boxes=SEEN), (12, 14)
    whole = pipeline([*FLIPS, mix], format, seed=3)(given)
    cropped = pipeline([*FLIPS, mix, A.CenterCrop(height, width)], format, seed=3)(given)
    top, left, gone = (SHAPE[0] - height) // 2, (SHAPE[1] - width) // 2, 0
    np.testing.assert_array_equal(cropped["image"], whole["image"][:, top : top + height, left : left + width])
    for row in range(len(COUNTS)):
        corners = np.array([read_box(box, format, SHAPE) for box in whole["bboxes"][row]]).reshape(-1, 4)
        cut = np.clip(corners - [left, top, left, top], 0, [width, height, width, height])
        kept = ((cut[:, 2:] - cut[:, :2]) > 1e-3).all(axis=1)
        now = [read_box(box, format, (height, width)) for box in cropped["bboxes"][row]]
        np.testing.assert_allclose(np.array(now).reshape(-1, 4), cut[kept], atol=1e-3)
        for name in ("ids", "class_labels", "box_weights"):
            expected = [value for value, keep in zip(whole[name][row], kept, strict=True) if keep]
            assert list(cropped[name][row]) == expected, name
        masks = np.asarray(whole["masks"][row])[kept, top : top + height, left : left + width]
        np.testing.assert_array_equal(cropped["masks"][row], masks)
        gone += int((~kept).sum())
    assert gone > 0, "the crop has left some object out"


def test_the_hosts_own_threshold_holds_after_a_mix() -> None:
    """``min_visibility`` of BboxParams drops boxes that a later crop cuts, with their weights, labels and masks."""
    params = A.BboxParams(format="pascal_voc", label_fields=["class_labels", "ids"], min_visibility=0.6)
    given = [{name: value for name, value in one.items() if "point" not in name} for one in samples()]
    out = BatchCompose([CutMix(boxes=SEEN), A.CenterCrop(16, 12)], bbox_params=params, seed=0)(given)
    plain = BatchCompose([CutMix(boxes=SEEN)], bbox_params=params, seed=0)(given)
    dropped = 0
    for row in range(len(COUNTS)):
        corners = np.array(plain["bboxes"][row]).reshape(-1, 4)
        cut = np.clip(corners - [4, 4, 4, 4], 0, [12, 16, 12, 16])
        share = (cut[:, 2:] - cut[:, :2]).prod(axis=1) / (corners[:, 2:] - corners[:, :2]).prod(axis=1)
        expected = [number for number, part in zip(plain["ids"][row], share, strict=True) if part >= 0.6]
        assert out["ids"][row] == expected
        assert {len(out[name][row]) for name in ("bboxes", "class_labels", "box_weights", "masks")} == {len(expected)}
        dropped += len(share) - len(expected)
    assert dropped > 0


# ------------------------------------------------------------------------------------------ nothing to tell


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("masks", [True, False], ids=["masks", "boxes"])
def test_batches_without_any_objects(form: str, masks: bool) -> None:
    """Photos without objects go through with empty values of the usual form, instance masks of the size of the crop."""
    given = [sample(scene, index, form=form, masks=masks) for index, scene in enumerate(scenes((0, 0, 0, 0), SHAPE))]
    given = [one | {"image": np.zeros((*SHAPE, 3), np.uint8)} for one in given]
    out = pipeline([A.HorizontalFlip(), CutMix(), A.RandomCrop(16, 14), A.Normalize(), ToTensorV2()], form=form)(given)
    assert [len(row) for row in out["bboxes"]] == [0] * 4
    assert [len(row) for row in out["box_weights"]] == [0] * 4
    if masks:
        assert [tuple(row.shape) for row in out["masks"]] == [(0, 16, 14)] * 4


# ------------------------------------------------------------------------------------------ points


@pytest.mark.parametrize("invisible", [True, False], ids=["removed", "kept"])
@pytest.mark.parametrize("first", ["crop", "mix"])
def test_invisible_points_are_removed_or_stay(invisible: bool, first: str) -> None:
    """Points that a crop or a paste hides leave with their labels, or all stay, as KeypointParams says."""
    crop, total = A.CenterCrop(16, 12), 0
    transforms = [crop, CutMix(boxes=SEEN)] if first == "crop" else [CutMix(boxes=SEEN), crop]
    out = pipeline(transforms, invisible=invisible, seed=1)(samples())
    for image, points, ids in zip(out["image"], out["keypoints"], out["point_ids"], strict=True):
        assert len(points) == len(ids)
        total += len(ids)
        for (x, y), number in zip(np.asarray(points).reshape(-1, 2).tolist(), ids, strict=True):
            inside = 0 <= x < 12 and 0 <= y < 16
            assert inside or not invisible
            assert not invisible or image[int(y), int(x), int(number)] > 0
    assert total < sum(COUNTS) if invisible else total >= sum(COUNTS)
    assert ("keypoints_visible" in out) != invisible


# ------------------------------------------------------------------------------------------ ways in and out


def test_keyword_batches() -> None:
    """``images=, bboxes=, ...`` is a batch: every value has one item an image and is flipped with it."""
    given = samples()
    batch = {{"image": "images"}.get(name, name): [one[name] for one in given] for name in given[0]}
    batch["images"] = np.stack(batch["images"])
    out = pipeline([*FLIPS, CutMix(boxes=SEEN), *FLIPS], seed=2)(**batch)
    assert list(out)[: len(batch)] == list(batch)
    assert_true(out | {"image": out["images"]}, tight=True)
    assert_points(out | {"image": out["images"]})


@pytest.mark.parametrize("form", ["lists", "columns-array"])
def test_tensors_come_last(form: str) -> None:
    """After Normalize and ToTensorV2 everything still belongs to its picture; a stage without boxes warns of nothing."""
    given = [one | {"image": (one["image"] * 255).astype(np.uint8)} for one in samples(form=form)]
    last = [A.Normalize(mean=(0,) * 13, std=(1,) * 13), ToTensorV2()]
    out = pipeline([A.RandomCrop(20, 18), CutMix(boxes=SEEN), *last], form=form, seed=4)(given)
    assert out["image"].shape == (6, 13, 20, 18)
    assert out["image"].dtype == torch.float32
    assert_true(out, form=form, tight=True)


@pytest.mark.parametrize("method", [MixUp, CutMix])
@pytest.mark.parametrize("named", [False, True], ids=["samples", "keywords"])
def test_masks_go_where_the_picture_goes(method: Any, named: bool) -> None:
    """The picture shows its mask, so that the mixed picture is the blend of mask and partner's, wherever they went."""
    ids = np.random.default_rng(0).integers(0, 200, (5, *SHAPE), dtype=np.uint8)
    pictures = np.repeat(ids[..., None].astype(np.float32), 3, axis=-1)
    for seed in range(3):
        steps = [*FLIPS, method(alpha=1.0), *FLIPS, A.RandomCrop(16, 14), A.PadIfNeeded(18, 18)]
        mixed = BatchCompose(steps, seed=seed)
        if named:
            out = mixed(images=pictures, masks=ids)
            out = {name.replace("images", "image").replace("masks", "mask"): value for name, value in out.items()}
        else:
            out = mixed([{"image": picture, "mask": mask} for picture, mask in zip(pictures, ids, strict=True)])
        shown = out["mask"].astype(np.float64)
        if method is MixUp:
            weight = out["mask_weight"].reshape(-1, 1, 1)
            shown = weight * shown + (1 - weight) * out["mask_partner"]
            assert out["mask_partner"].dtype == np.uint8
        assert out["mask"].dtype == np.uint8
        np.testing.assert_allclose(out["image"][..., 0], shown, atol=1e-3)


@pytest.mark.parametrize("masks", ["dominant", "soft"])
def test_other_forms_of_masks_are_tensors_in_the_end(masks: str) -> None:
    """Shares are cropped with the picture, of which they are the mean class; ids of the heavier source as well."""
    ids = np.random.default_rng(1).integers(0, 4, (5, *SHAPE), dtype=np.uint8)
    given = [{"image": np.repeat(mask[..., None], 3, axis=-1), "mask": mask} for mask in ids]
    mix = MixUp(alpha=1.0, masks=masks, num_classes=4)
    out = BatchCompose([A.HorizontalFlip(), mix, A.VerticalFlip(), A.RandomCrop(16, 14), ToTensorV2()], seed=0)(given)
    assert out["image"].shape == (5, 3, 16, 14)
    if masks == "dominant":
        assert out["mask"].shape == (5, 16, 14)
        assert out["mask"].dtype == torch.uint8
        return
    shares = out["mask"] if out["mask"].shape[1] == 4 else out["mask"].movedim(-1, 1)
    mean = (shares * torch.arange(4.0).reshape(1, 4, 1, 1)).sum(dim=1)
    assert (out["image"][:, 0].float() - mean).abs().max() <= 0.5 + 1e-3
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(5, 16, 14))


# ------------------------------------------------------------------------------------------ seeds and copies


def detector(seed: int | None = 0) -> Any:
    return pipeline([*FLIPS, A.RandomCrop(20, 18), OneOf([MixUp(alpha=1.0), CutMix()]), *FLIPS], seed=seed)


def fingerprint(batches: Any) -> str:
    """Everything that batches hold, byte for byte."""
    digest = hashlib.sha256()
    for batch in batches:
        for name in sorted(batch):
            rows = batch[name].tolist() if hasattr(batch[name], "tolist") else batch[name]
            digest.update(repr([row.tolist() if hasattr(row, "tolist") else row for row in rows]).encode())
    return digest.hexdigest()


@forked
def test_workers_draw_what_one_process_draws() -> None:
    """A seeded pipeline gives the same batches in this process, in a worker and in two; others differ."""
    data = samples() + samples(1)
    loaders = [
        torch.utils.data.DataLoader(data, batch_size=3, collate_fn=detector(), num_workers=count) for count in (0, 1, 2)
    ]
    prints = [fingerprint(loader) for loader in loaders]
    assert prints[0] == prints[1] == prints[2]
    assert len({fingerprint([detector(seed)(data)]) for seed in (0, 1, None, None)}) == 4


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda pipeline: pickle.loads(pickle.dumps(pipeline))])
def test_copies_draw_the_same(copied: Any) -> None:
    """A copy of a pipeline of objects draws what the pipeline itself draws."""
    mixed = detector()
    assert fingerprint([copied(mixed)(samples())]) == fingerprint([mixed(samples())])


@pytest.mark.full
def test_a_fresh_process_draws_the_same() -> None:
    """The seed and the samples alone decide: hashes of strings, addresses and former calls do not."""
    here = Path(__file__).resolve()
    code = "import sys; sys.path[:0] = sys.argv[1:]; import test_object_forms as t; print(t.fingerprint([t.detector()(t.samples())]))"
    args = [sys.executable, "-c", code, str(here.parent), str(here.parents[1] / "support")]
    found = subprocess.run(args, capture_output=True, text=True, check=True, cwd=here.parents[2])
    assert found.stdout.strip() == fingerprint([detector()(samples())])
