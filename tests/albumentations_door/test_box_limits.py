"""What ``A.BboxParams`` asks of boxes holds for those that a mix returns: the thresholds of the host itself.

The oracle for what is seen is the picture, in which every sample has a value of its own; for sizes it is the stock
``A.Compose`` on the same boxes.
"""

import warnings
from typing import Any

import numpy as np
import pytest

A = pytest.importorskip("albumentations", reason="albumentations is not installed")

from mixtransforms import BoxRules
from mixtransforms.albumentations import BatchCompose, CutMix, MixUp

SIDE = 64
OWN = np.array([[8, 8, 40, 40.0]])
MANY = np.array([[0, 0, 30, 10], [0, 0, 10, 30], [2, 2, 42, 42], [20, 20, 25, 24], [10, 40, 62, 60]], np.float64)
LIMITS: dict[str, dict[str, Any]] = {
    "width": {"min_width": 20},
    "height": {"min_height": 20},
    "area": {"min_area": 400},
    "ratio": {"max_accept_ratio": 2.5},
    "all": {"min_width": 10, "min_height": 12, "min_area": 301, "max_accept_ratio": 2.8},
}


def painted(masks: bool = False) -> list[dict[str, Any]]:
    """Two samples of one box, whose picture has a value of its own."""
    told = {"masks": np.zeros((1, SIDE, SIDE), np.uint8)} if masks else {}
    for mask in told.values():
        mask[0, 8:40, 8:40] = 1
    return [
        {"image": np.full((SIDE, SIDE, 3), i * 100, np.uint8), "bboxes": OWN.copy(), "cls": [i], **told} for i in (0, 1)
    ]


@pytest.mark.parametrize("masks", [False, True], ids=["boxes", "masks"])
@pytest.mark.parametrize("form", ["object", "dict", "file"])
def test_hidden_boxes_leave(form: str, masks: bool, tmp_path: Any) -> None:
    """Of 60 seeds, no own box stays of which less than half is seen, or fewer than 400 pixels."""
    told = {"format": "pascal_voc", "label_fields": ["cls"], "min_visibility": 0.5, "min_area": 400}
    params = told if form == "dict" else A.BboxParams(**told)
    kept = gone = 0
    for seed in range(60):
        pipeline = BatchCompose([CutMix(1.0, boxes=BoxRules(min_visibility=0))], bbox_params=params, seed=seed)
        if form == "file":
            A.save(pipeline, tmp_path / "pipeline.json")
            pipeline = A.load(tmp_path / "pipeline.json")
        out = pipeline(painted(masks))
        for i in (0, 1):
            seen = (out["image"][i, 8:40, 8:40, 0] == i * 100).mean()
            assert (i in out["cls"][i]) == (seen >= 0.5)
            assert {len(out[name][i]) for name in ("bboxes", "box_weights", "cls")} == {len(out["cls"][i])}
            kept, gone = kept + int(seen >= 0.5), gone + int(seen < 0.5)
    assert min(kept, gone) > 20


def test_the_stricter_rule_decides() -> None:
    """Rules of the mix and parameters of the pipeline hold together."""
    counts = {}
    for own, of_host in ((0.7, 0.0), (0.0, 0.7), (0.0, 0.0)):
        params = A.BboxParams("pascal_voc", label_fields=["cls"], min_visibility=of_host)
        mix = CutMix(1.0, boxes=BoxRules(min_visibility=own))
        outs = [BatchCompose([mix], bbox_params=params, seed=seed)(painted()) for seed in range(30)]
        counts[own, of_host] = [[list(row) for row in out["cls"]] for out in outs]
    assert counts[0.7, 0.0] == counts[0.0, 0.7] != counts[0.0, 0.0]


@pytest.mark.parametrize("format", ["pascal_voc", "coco", "yolo", "albumentations"])
@pytest.mark.parametrize("limits", LIMITS.values(), ids=LIMITS)
@pytest.mark.parametrize("mix", [CutMix(1.0, p=0.0), MixUp(1.0, p=0.0)], ids=["CutMix", "MixUp"])
def test_sizes_are_those_of_the_stock_compose(mix: Any, limits: dict[str, Any], format: str) -> None:
    """Also boxes that mixing leaves alone must be as large as the host asks."""
    boxes = MANY.copy()
    if format in ("coco", "yolo"):
        boxes[:, 2:] -= boxes[:, :2]
    if format == "yolo":
        boxes[:, :2] += boxes[:, 2:] / 2
    if format in ("yolo", "albumentations"):
        boxes /= SIDE
    sample = {"image": np.zeros((SIDE, SIDE, 3), np.uint8), "bboxes": boxes, "cls": [0, 1, 2, 3, 4]}
    params = A.BboxParams(format, label_fields=["cls"], **limits)
    expected = A.Compose([A.NoOp()], bbox_params=params)(**sample)
    out = BatchCompose([mix], bbox_params=params, seed=0)([sample, sample])
    for row in (0, 1):
        assert list(out["cls"][row]) == list(expected["cls"])
        np.testing.assert_allclose(out["bboxes"][row], expected["bboxes"], atol=1e-4)
    assert 0 < len(expected["cls"]) < len(boxes)


@pytest.mark.parametrize("method", [CutMix, MixUp])
def test_clipped_boxes(method: Any) -> None:
    """``clip=True`` cuts boxes to the picture, in a pipeline that begins with a mix as well."""
    sample = {"image": np.zeros((SIDE, SIDE, 3), np.uint8), "bboxes": np.array([[-6, 10, 30, 70.0]]), "cls": [1]}
    params = A.BboxParams("pascal_voc", label_fields=["cls"], clip=True, min_width=30)
    expected = A.Compose([A.NoOp()], bbox_params=params)(**sample)["bboxes"]
    for steps in ([], [A.NoOp()]):
        out = BatchCompose([*steps, method(1.0, p=0.0)], bbox_params=params)([sample, sample])
        np.testing.assert_allclose(out["bboxes"][0], expected, atol=1e-4)
        np.testing.assert_array_equal(expected, [[0, 10, 30, 64]])


def test_invalid_boxes_leave_without_a_word() -> None:
    """``filter_invalid_bboxes=True`` has asked for it."""
    boxes = np.array([[5, 5, 5, 9], [2, 2, 20, 20], [9, 9, 4, 12.0]])
    sample = {"image": np.zeros((SIDE, SIDE, 3), np.uint8), "bboxes": boxes, "cls": [1, 2, 3]}
    params = A.BboxParams("pascal_voc", label_fields=["cls"], filter_invalid_bboxes=True)
    for steps in ([], [A.NoOp()]):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            out = BatchCompose([*steps, CutMix(1.0, p=0.0)], bbox_params=params)([sample, sample])
        assert [list(row) for row in out["cls"]] == [[2], [2]]
