"""Arrays of objects: columns of unequal rows are lists, and arrays of texts and dates pass as lists of them do."""

import array
import collections
import datetime
from typing import Any

import numpy as np
import pytest
import torch

from mixtransforms import BoxRules, CutMix, InputError, MixUp
from mixtransforms.albumentations import BatchCompose as AlbumentationsCompose
from mixtransforms.albumentations import CutMix as AlbumentationsCutMix
from mixtransforms.torchvision import BatchCompose
from mixtransforms.torchvision import CutMix as TorchCutMix

X = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), np.uint8)
BOXES = [np.array([[0, 0, 9, 9.0]]), np.array([[0, 0, 9, 9.0], [3, 3, 9, 9]]), np.zeros((0, 4))]
NONE = np.array([], object)


def ragged(items: Any) -> Any:
    column = np.empty(len(items), object)
    column[:] = items
    return column


def column(*ids: Any) -> list[Any]:
    return [np.array(ids[: len(boxes)]) for boxes in BOXES]


def leaves(value: Any) -> list[Any]:
    return [np.asarray(item).tolist() for item in value]


@pytest.mark.parametrize("name", ["labels", "class_labels", "classes", "scores", "area", "track"])
@pytest.mark.parametrize("method", [CutMix, MixUp])
def test_columns_of_objects_are_lists(method: type, name: str) -> None:
    for values in (column(1, 2), column(0.5, 2.5), column("a", "b")):
        if name == "area" and values[0].dtype.kind == "U":
            continue
        lists = {"image": X.astype(np.float32), "boxes": BOXES, name: values}
        arrays = {key: ragged(value) if type(value) is list else value for key, value in lists.items()}
        rules = BoxRules(fields=("track",))
        known = method(1.0, seed=0, boxes=rules)(lists)
        for given in (arrays, arrays | {"boxes": BOXES}, lists | {"boxes": ragged(BOXES)}):
            result = method(1.0, seed=0, boxes=rules)(given)
            assert result.keys() == known.keys()
            assert all(leaves(result[key]) == leaves(known[key]) for key in known)


def test_images_without_boxes_may_be_empty_arrays_of_objects() -> None:
    full = {"image": X, "boxes": ragged(BOXES), "labels": ragged(column(1, 2))}
    known = CutMix(1.0, seed=0)(full)
    result = CutMix(1.0, seed=0)(
        full | {"boxes": ragged([*BOXES[:2], NONE]), "labels": ragged([*column(1, 2)[:2], NONE])}
    )
    assert all(leaves(result[key]) == leaves(known[key]) for key in known)
    alone = {"image": X, "boxes": ragged([NONE] * 3), "labels": ragged([NONE] * 3)}
    assert [len(each) for each in CutMix(1.0, seed=0)(alone)["labels"]] == [0, 0, 0]


def test_images_of_unequal_and_of_equal_sizes() -> None:
    unequal = [np.full((8, 8 + index, 3), index, np.float32) for index in range(3)]
    for images, options in ((unequal, {"pad": "max"}), (list(X.astype(np.float32)), {})):
        for make in (lambda value: {"image": value}, lambda value: {"a": {"image": value}}):
            known = MixUp(1.0, seed=0, **options)(make(images))
            result = MixUp(1.0, seed=0, **options)(make(ragged(images)))
            while isinstance(known, dict):
                known, result = next(iter(known.values())), next(iter(result.values()))
            assert leaves(result) == leaves(known)
        assert len(MixUp(1.0, seed=0, **options)(ragged(images))) == 3


def test_pipelines_read_them_and_draw_the_same_for_them() -> None:
    import albumentations as A
    from torchvision.transforms import v2

    lists = {"boxes": BOXES, "labels": column(1, 2)}
    arrays = {name: ragged(value) for name, value in lists.items()}
    pipeline = BatchCompose([v2.RandomHorizontalFlip(), TorchCutMix(1.0), v2.RandomVerticalFlip()], seed=0)
    for images in (X, ragged(list(X))):
        results = [pipeline({"image": images, **told}) for told in (lists, arrays)]
        pipeline = BatchCompose(pipeline.transforms, seed=0)
        assert leaves(results[1]["labels"])
    fresh = [BatchCompose([v2.RandomHorizontalFlip(), TorchCutMix(1.0)], seed=0) for _ in range(2)]
    first, second = (one({"image": X, **told}) for one, told in zip(fresh, (lists, arrays), strict=True))
    assert all(leaves(first[name]) == leaves(second[name]) for name in first)
    params = A.BboxParams("pascal_voc", label_fields=["labels"])
    made = [
        AlbumentationsCompose([A.HorizontalFlip(), AlbumentationsCutMix(1.0)], bbox_params=params, seed=0)
        for _ in range(2)
    ]
    first, second = (
        one(images=X, bboxes=told["boxes"], labels=told["labels"])
        for one, told in zip(made, (lists, arrays), strict=True)
    )
    assert all(leaves(first[name]) == leaves(second[name]) for name in first)


def test_numbers_in_arrays_of_objects_are_no_secret() -> None:
    assert CutMix(1.0, num_classes=3)({"image": X, "label": ragged([0, 1, 2])})["label"].shape == (3, 3)
    for values in ([0, 1, 2], column(1, 2), [{"a": np.ones(1)}] * 3):
        with pytest.raises(InputError, match="neither known nor declared"):
            CutMix(1.0)({"image": X, "tag": ragged(values)})
        kept = ragged(values)
        assert CutMix(1.0, passthrough="tag")({"image": X, "tag": kept})["tag"] is kept


TEXTS = {
    "texts": np.array(["a", "b", "c"]),
    "bytes": np.array([b"a", b"b", b"c"]),
    "rows of texts": np.array([["a", "b"], ["c", "d"], ["e", "f"]]),
    "dates": np.array(["2020-01-01"] * 3, "M8[D]"),
    "durations": np.array([1, 2, 3], "m8[s]"),
    "objects": ragged(["a", None, datetime.date(2020, 1, 1)]),
}


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("method", [CutMix, MixUp])
def test_texts_and_dates_pass(method: type, name: str) -> None:
    value = TEXTS[name]
    batch = {"image": X, "path": value}
    assert method(1.0)(batch)["path"] is value
    twice = method(1.0, keep_originals=True)(batch)["path"]
    assert twice.tolist() == value.tolist() * 2
    nested = method(1.0)({"image": X, "meta": {"path": value}})
    assert nested["meta"]["path"] is value


def test_texts_are_no_labels() -> None:
    with pytest.raises(InputError, match="Not class labels"):
        CutMix(1.0)({"image": X, "label": TEXTS["texts"]})


@pytest.mark.parametrize("kind", [None, "label", "regression", "multilabel"])
@pytest.mark.parametrize("dtype", ["U", "S", "M8[D]", "m8[s]"])
@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_labels_that_are_texts_or_dates_are_refused_beside_either_backend(backend: str, dtype: str, kind: Any) -> None:
    images = X.astype(np.float32) if backend == "numpy" else torch.from_numpy(X).movedim(-1, 1).float()
    labels = np.array([1, 2, 0]).astype(dtype)
    mix = MixUp(num_classes=3, kinds=None if kind is None or kind == "label" else {"label": kind})
    with pytest.raises(InputError, match=r"\(batch\['label'\]\)"):
        mix({"image": images, "label": labels})


@pytest.mark.parametrize("numbers", [array.array("f", [1, 2, 3]), range(3), collections.deque([1, 2, 3])], ids=repr)
def test_a_number_a_sample_does_not_pass_unmixed(numbers: Any) -> None:
    """Whatever holds it: a list of the same numbers is refused."""
    with pytest.raises(
        InputError, match=r"neither known nor declared \(batch\['weight'\]\).*passthrough=\('weight',\)"
    ):
        MixUp()({"image": X, "weight": numbers})
    assert MixUp(passthrough=("weight",))({"image": X, "weight": numbers})["weight"] is numbers
