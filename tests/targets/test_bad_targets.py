"""Targets that could only be mixed wrongly: refused by a message with a way out, and left as they were."""

import copy
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from mixtransforms import (
    BoxRules,
    CutMix,
    DegenerateBoxWarning,
    InputError,
    Keypoints,
    MixUp,
    ParameterError,
    ResizeMix,
    SemanticMask,
    Table,
)

X = np.random.default_rng(0).random((3, 8, 8, 3)).astype(np.float32)
UNEQUAL = [X[0], X[1][:6], X[2][:, :5]]


def rows(*boxes: tuple[float, ...]) -> Any:
    return np.array(boxes, np.float32).reshape(-1, 4)


ONE, TWO, NONE = rows((1, 1, 5, 5)), rows((1, 1, 5, 5), (2, 2, 7, 7)), rows()
BROKEN = rows((5, 5, 1, 1), (1, 1, 1, 5), (np.nan, 0, 2, 2), (0, 0, np.inf, 2), (0, 0, 4, 4))


@dataclass(frozen=True)
class Bad:
    """A batch and what is said of it.

    Attributes:
        more: What stands beside the images, or the whole batch.
        message: A regular expression of the message.
        options: Of the transform.
        method: The transform.
    """

    more: Any
    message: str
    options: dict[str, Any] = field(default_factory=dict)
    method: Callable[..., Any] = MixUp

    @property
    def batch(self) -> Any:
        return {"images": X, **self.more} if isinstance(self.more, dict) else self.more


def points(width: int) -> list[Any]:
    return [np.ones((1, 2, width), np.float32)] * 3


BAD: dict[str, Bad] = {
    "labels of another number": Bad(
        {"boxes": [ONE, TWO, ONE], "labels": [np.array([1])] * 3},
        r"Objects of different number \(batch\['labels'\]\[1\]\): got 1 rows; wanted 2, as in batch\['boxes'\]\[1\]\. "
        r"Give one row for every object, or another name if it is not of objects\.$",
    ),
    "no area, strictly": Bad(
        {"boxes": [ONE, BROKEN, NONE]},
        r"Boxes without an area \(batch\['boxes'\]\): got 4 without width or height, .* not finite; wanted x1 < x2 and "
        r"y1 < y2\. Remove them",
        {"boxes": BoxRules(strict=True)},
    ),
    "three numbers a box": Bad(
        {"boxes": [np.ones((1, 3), np.float32)] * 3},
        r"Boxes of another form \(batch\['boxes'\]\[0\]\): got shape \(1, 3\); wanted \(N, 4\), xyxy\. .*BoxRules\(format",
    ),
    "instances of another size": Bad(
        {"boxes": [ONE] * 3, "masks": [np.ones((1, 8, 7), np.uint8)] * 3},
        r"Instance masks of another size \(batch\['masks'\]\[0\]\): got shape \(1, 8, 7\); wanted \(N, 8, 8\), as the image",
    ),
    "a mask of another size": Bad(
        {"mask": np.zeros((3, 8, 7), int)},
        r"The mask is of another size than the images \(batch\['mask'\]\): got shape \(3, 8, 7\); wanted .*\(8, 8\).*Resize",
    ),
    "soft masks of how many classes": Bad(
        {"mask": np.zeros((3, 8, 8), int)},
        r"The number of classes is not known \(batch\['mask'\]\): got masks of ids without num_classes; wanted .*"
        r"Give num_classes=.* or masks='pair'",
        {"masks": "soft"},
    ),
    "soft masks out of range": Bad(
        {"mask": np.full((3, 8, 8), 5)},
        r"Class ids out of range \(batch\['mask'\]\): got \[5\]; wanted ids from 0 and below num_classes=2\. Correct",
        {"masks": "soft", "num_classes": 2},
    ),
    "soft masks of floats": Bad(
        {"mask": np.zeros((3, 8, 8))},
        r"Floats in one channel are not class ids \(batch\['mask'\]\): .* wanted integer ids, or maps",
        {"masks": "soft", "num_classes": 2},
    ),
    "unlabel without v": Bad(
        {"keypoints": points(2)},
        r"No visibility to unlabel covered keypoints by \(batch\['keypoints'\]\): got columns 'xy' .*; wanted a column v\. "
        r"Give points as x, y, v",
        {"kinds": {"keypoints": Keypoints(occluded="unlabel")}},
    ),
    "drop points of instances": Bad(
        {"keypoints": points(3)},
        r"Points of instances cannot be dropped one by one \(batch\['keypoints'\]\): .* Choose occluded='hide'",
        {"kinds": {"keypoints": Keypoints(occluded="drop")}},
    ),
    "numbers of a point": Bad(
        {"keypoints": points(4)},
        r"Keypoints of another width \(batch\['keypoints'\]\): got 4 numbers a point; wanted 2 \(x, y\) or 3 .*Keypoints\(",
    ),
    "two sets of boxes": Bad(
        {"boxes": [ONE] * 3, "bboxes": [ONE] * 3},
        r"Two sets of boxes in one container \(batch\['bboxes'\]\): got another one at batch\['boxes'\]; wanted one, .*"
        r"Put them into dicts of their own",
    ),
    "boxes of another number of images": Bad(
        {"boxes": [ONE, ONE]},
        r"Batch sizes disagree \(batch\['boxes'\]\): got 2 values; wanted 3, one for every image\. .*empty where",
    ),
    "records of different names": Bad(
        (X, [{"boxes": ONE}, {"boxes": ONE, "labels": np.array([1])}, {"boxes": ONE}]),
        r"(Records of different names|Objects of different number) \(batch\[1\].*Give (every image the same names|one row)",
    ),
    "boxes of other things than arrays": Bad(
        {"boxes": [3.5, ONE, ONE]},
        r"Objects of different forms \(batch\['boxes'\]\[0\]\): got float; wanted an array or a list",
    ),
    "an unknown field beside boxes": Bad(
        {"boxes": [ONE] * 3, "speed": [np.ones(1)] * 3},
        r"neither known nor declared \(batch\['speed'\]\[0\]\): .*kinds=\{'speed': .*BoxRules\(fields=\('speed',\)\)",
    ),
    "whole numbers in a table": Bad(
        {"table": np.zeros((3, 4), np.int64)},
        r"Columns without means \(batch\['table'\]\): got int64 in columns \[0, 1, 2, 3\]; .*Table\(categorical=range\(4\)\)",
        {"kinds": {"table": "table"}},
    ),
    "columns that are not there": Bad(
        {"table": np.zeros((3, 4))},
        r"Categorical columns that are not there \(batch\['table'\]\): got categorical columns \[7\], shape \(3, 4\)",
        {"kinds": {"table": Table(categorical=(1, 7))}},
    ),
    "unequal sizes": Bad(
        {"images": UNEQUAL},
        r"Samples of different sizes \(batch\['images'\]\): got \(6, 8, 3\) in sample 1, \(8, 8, 3\) in sample 0; .*pad='max'",
    ),
    "padding under pastes": Bad(
        {"images": UNEQUAL},
        r"Images of different sizes \(ResizeMix\): got ResizeMix, which pastes, with pad='max'; wanted images of one size, .*MixUp",
        {"pad": "max"},
        ResizeMix,
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_refused_is_left_alone(name: str) -> None:
    bad = BAD[name]
    before = copy.deepcopy(bad.batch)
    transform = bad.method(**bad.options)
    for call in (transform, transform.plan, transform.trace):
        with pytest.raises(InputError, match=bad.message):
            call(bad.batch)
    np.testing.assert_equal(bad.batch, before)


@pytest.mark.parametrize("axes", ["temporal", "cube"])
def test_boxes_of_videos_need_pictures(axes: str) -> None:
    """A span of frames is no place in a picture: nothing says what becomes of boxes."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    batch = {"video": torch.rand(3, 4, 3, 8, 8), "boxes": [torch.from_numpy(ONE)] * 3}
    with pytest.raises(
        InputError, match=r"Objects without images \(batch\['boxes'\]\): got samples with mixed axes \(4"
    ):
        CutMix(layout="BTCHW", axes=axes)(batch)
    assert all(len(boxes) for boxes in CutMix(layout="BTCHW", seed=0)(batch)["boxes"]), "every frame alike"


def test_boxes_of_volumes_are_refused() -> None:
    batch = {"volume": np.zeros((3, 1, 4, 8, 8)), "boxes": [ONE] * 3}
    with pytest.raises(InputError, match=r"Objects without images \(batch\['boxes'\]\): .*\(4, 8, 8\)"):
        MixUp(layout="BCDHW")(batch)


def test_canvases_must_be_that_of_the_image() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    tv_tensors = pytest.importorskip("torchvision.tv_tensors", reason="torchvision is not installed")
    given = [
        tv_tensors.BoundingBoxes(torch.from_numpy(ONE), format="XYXY", canvas_size=size)
        for size in ((8, 8), (9, 8), (8, 8))
    ]
    batch = {"images": torch.from_numpy(X).movedim(-1, 1), "boxes": given}
    with pytest.raises(
        InputError, match=r"Canvas sizes disagree \(batch\['boxes'\]\[1\]\): got canvas_size=\(9, 8\); wanted \(8, 8\)"
    ):
        MixUp()(batch)
    empty = tv_tensors.BoundingBoxes(torch.zeros(0, 4), format="XYXY", canvas_size=(9, 8))
    mixed = MixUp()(batch | {"boxes": [given[0], empty, given[2]]})
    assert {tuple(boxes.canvas_size) for boxes in mixed["boxes"]} == {(8, 8)}, "hosts do not turn what is empty"


def test_boxes_without_an_area_are_counted_and_dropped_everywhere() -> None:
    """Inverted, empty, NaN and infinite ones, with all that is told of them, and nothing else."""
    batch = {
        "images": X,
        "boxes": [ONE, BROKEN, NONE],
        "labels": [np.array([9]), np.arange(5), np.arange(0)],
        "instance_masks": [np.ones((n, 8, 8), np.uint8) for n in (1, 5, 0)],
        "keypoints": [np.ones((n, 1, 3), np.float32) for n in (1, 5, 0)],
    }
    before = copy.deepcopy(batch)
    with pytest.warns(DegenerateBoxWarning, match=r"\(batch\['boxes'\]\): got 4 without .* They are dropped"):
        out = MixUp(seed=0)(batch)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        MixUp(seed=0)(batch | {"boxes": [ONE, np.repeat(ONE, 5, axis=0), NONE]})
    assert sorted(np.concatenate(out["labels"]).tolist()) == [4, 4, 9, 9]
    for row in range(3):
        assert len({len(out[name][row]) for name in (*list(batch)[1:], "box_weights")}) == 1
    np.testing.assert_equal(batch, before)


@pytest.mark.parametrize("method", [MixUp, CutMix])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint8"])
def test_images_without_objects_are_legal(method: Callable[..., Any], dtype: str) -> None:
    """On either side and on both: shapes and dtypes stay, nothing is NaN, nobody warns."""
    for counts in ((0, 0, 0), (2, 0, 0), (1, 0, 2)):
        batch = {
            "images": X,
            "boxes": [np.tile([0, 0, 8, 8], (n, 1)).astype(dtype) for n in counts],
            "labels": [np.arange(n, dtype=np.int16) for n in counts],
            "masks": [np.ones((n, 8, 8), bool) for n in counts],
        }
        out = method(seed=1)(batch)
        for row in range(3):
            count = len(out["boxes"][row])
            assert out["boxes"][row].shape == (count, 4)
            assert out["boxes"][row].dtype == dtype
            assert out["labels"][row].dtype == np.int16
            assert (out["masks"][row].shape, out["masks"][row].dtype) == ((count, 8, 8), bool)
            assert (out["box_weights"][row].shape, out["box_weights"][row].dtype) == ((count,), np.float32)
            assert np.isfinite(out["boxes"][row]).all()


def padded(values: list[Any], **options: Any) -> Any:
    return MixUp(pad="max", p=0.0, **options)({"images": UNEQUAL, **options.pop("more", {}), "boxes": values})


def test_padding_leaves_pixels_and_rewrites_fractions() -> None:
    """Boxes in pixels stay bit by bit; fractions are of the larger canvas; images are padded with zeros."""
    odd = rows((1.1, 1.3, 3.7, 4))
    out = padded([odd] * 3)
    for row, image in enumerate(UNEQUAL):
        np.testing.assert_array_equal(out["boxes"][row], odd)
        np.testing.assert_array_equal(out["images"][row][: image.shape[0], : image.shape[1]], image)
        assert float(np.abs(out["images"][row]).sum()) == pytest.approx(float(np.abs(image).sum()), rel=1e-6)
    quarter = rows((0.25, 0.25, 0.5, 0.5))
    out = padded([quarter] * 3, boxes=BoxRules(format="albumentations"))
    for row, (height, width) in enumerate(image.shape[:2] for image in UNEQUAL):
        scale = [width / 8, height / 8] * 2
        np.testing.assert_allclose(out["boxes"][row], quarter * scale, atol=1e-6)


def test_padding_tells_the_new_canvas() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    tv_tensors = pytest.importorskip("torchvision.tv_tensors", reason="torchvision is not installed")
    images = [torch.from_numpy(image).movedim(-1, 0) for image in UNEQUAL]
    boxes = [
        tv_tensors.BoundingBoxes(torch.from_numpy(ONE), format="XYXY", canvas_size=tuple(image.shape[1:]))
        for image in images
    ]
    out = MixUp(pad="max")({"images": images, "boxes": boxes})
    assert {tuple(item.canvas_size) for item in out["boxes"]} == {(8, 8)}
    assert [tuple(item.canvas_size) for item in boxes] == [(8, 8), (6, 8), (8, 5)]


MASKS = [np.ones(image.shape[:2], np.uint8) for image in UNEQUAL]


@pytest.mark.parametrize(
    "options",
    [{"ignore_index": 255}, {"kinds": {"mask": SemanticMask(ignore_index=255)}}],
    ids=["transform", "kind"],
)
def test_padding_of_masks_is_ignored(options: dict[str, Any]) -> None:
    """Wherever the id of ignored pixels is declared, padded pixels have it."""
    out = MixUp(pad="max", p=0.0, **options)({"images": UNEQUAL, "mask": MASKS})
    for mask, given in zip(out["mask"], MASKS, strict=True):
        inside = np.zeros((8, 8), bool)
        inside[: given.shape[0], : given.shape[1]] = True
        assert (mask[inside] == 1).all()
        assert (mask[~inside] == 255).all()


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_an_ignored_id_that_masks_cannot_hold(backend: str) -> None:
    """-1 in unsigned bytes would be 255, which may be a class."""
    images, masks = UNEQUAL, MASKS
    if backend == "torch":
        torch = pytest.importorskip("torch", reason="torch is not installed")
        images = [torch.from_numpy(image).movedim(-1, 0) for image in UNEQUAL]
        masks = [torch.from_numpy(mask) for mask in MASKS]
    with pytest.raises(InputError, match=r"batch\['mask'\].*ignore_index=-1"):
        MixUp(pad="max", ignore_index=-1)({"images": images, "mask": masks})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: BoxRules(format="xxyy"),
            r"Bad value for 'format' \(BoxRules\): got 'xxyy'; wanted None or one of 'xyxy'",
        ),
        (lambda: BoxRules(min_visibility=2), r"'min_visibility' \(BoxRules\): got 2; wanted a number within \[0, 1\]"),
        (lambda: BoxRules(occluded="hide"), r"'occluded' \(BoxRules\): got 'hide'; wanted one of 'shrink', 'keep'"),
        (lambda: BoxRules(weight=1), r"'weight' \(BoxRules\): got 1; wanted one of 'mix', 'visibility', 'ones'"),
        (lambda: Keypoints("xx"), r"'columns' \(Keypoints\): got 'xx'"),
        (lambda: Keypoints(min_visible=-1), r"'min_visible' \(Keypoints\): got -1; wanted a whole number"),
        (lambda: SemanticMask(form="both"), r"'form' \(SemanticMask\): got 'both'"),
        (lambda: Table(categorical=(-1,)), r"'categorical' \(Table\): got \(-1,\)"),
        (
            lambda: MixUp(masks="hard"),
            r"'masks' \(MixUp\): got 'hard'; wanted one of 'pair', 'mix', 'soft', 'dominant'",
        ),
        (lambda: MixUp(boxes="xyxy"), r"'boxes' \(MixUp\): got 'xyxy'; wanted BoxRules"),
        (lambda: MixUp(pad="min"), r"'pad' \(MixUp\): got 'min'; wanted None or .*'max'"),
    ],
    ids=range(11),
)
def test_rules_are_checked(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        make()
