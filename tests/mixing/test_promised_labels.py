"""``num_classes`` promises labels: where there are none, pixels would be mixed and nothing would say with what."""

from typing import Any

import numpy as np
import pytest
import torch
from doors import DOORS, TORCHVISION, Door

from mixtransforms import InputError, OffAfter, Ramp, set_epoch

SIZE = 4
MISSING = r"No labels found \(batch\): got num_classes=10, and no value that is known as labels; wanted the labels that"


def pictures(backend: str) -> Any:
    return torch.rand(SIZE, 3, 8, 8) if backend == "torch" else np.random.default_rng(0).random((SIZE, 8, 8, 3))


UNLABELLED = {
    "images alone": {},
    "texts": {"class_name": list("abcd")},
    "a number": {"Nothing_else": 3},
    "another target": {"sample_weight": np.ones(SIZE, np.float32)},
    "boxes without classes": {"bboxes": [np.array([[1, 1, 7, 7.0]])] * SIZE},
    "boxes and their areas": {"bboxes": [np.array([[1, 1, 7, 7.0]])] * SIZE, "area": [np.array([36.0])] * SIZE},
}
LABELLED: dict[str, dict[str, Any]] = {
    "ids": {"label": np.arange(SIZE)},
    "rows": {"y": np.eye(10, dtype=np.float32)[:SIZE]},
    "masks": {"mask": np.zeros((SIZE, 8, 8), np.int64)},
    "classes of boxes": {"bboxes": [np.array([[1, 1, 7, 7.0]])] * SIZE, "labels": [np.array([1])] * SIZE},
    "names of boxes": {"bboxes": [np.array([[1, 1, 7, 7.0]])] * SIZE, "classes": [["a"]] * SIZE},
}


@pytest.mark.parametrize("name", UNLABELLED)
@pytest.mark.parametrize("door", DOORS, ids=str)
@pytest.mark.parametrize("method", ["MixUp", "CutMix", "OneOf"])
def test_promised_labels_that_are_missing(method: str, door: Door, name: str) -> None:
    batch = {"images": pictures("numpy"), **UNLABELLED[name]}
    own: dict[str, Any] = {"transforms": [door.load().MixUp(), door.load().CutMix()]} if method == "OneOf" else {}
    own["kinds"] = {"bboxes": "boxes"}
    for call in ("__call__", "plan", "trace"):
        with pytest.raises(InputError, match=MISSING):
            getattr(door.transform(method, num_classes=10, **own), call)(**batch)
    door.transform(method, **own)(**batch)
    door.transform(method, num_classes=10, **own, p=0.0)(**batch)


@pytest.mark.parametrize("name", LABELLED)
@pytest.mark.parametrize("door", DOORS, ids=str)
def test_labels_of_any_kind_keep_the_promise(door: Door, name: str) -> None:
    door.transform("CutMix", num_classes=10)(**{"images": pictures("numpy"), **LABELLED[name]})


def test_samples_and_pipelines_keep_it_too() -> None:
    from mixtransforms.torchvision import BatchCompose, MixUp

    samples = [{"image": image, "class_name": "a"} for image in pictures("torch")]
    for mix in (MixUp(num_classes=10), BatchCompose([MixUp(num_classes=10)])):
        with pytest.raises(InputError, match=MISSING):
            mix(samples)
    assert len(BatchCompose([MixUp(num_classes=10)]).eval()(samples)["image"]) == SIZE


@pytest.mark.parametrize("door", DOORS, ids=str)
def test_where_mixing_is_off_nothing_is_missing(door: Door) -> None:
    """Switched off for good by p or alpha, in this epoch by a schedule, or for validation."""
    images = pictures("numpy")
    for options in ({"p": 0.0}, {"alpha": 0.0}):
        door.transform("MixUp", num_classes=10, **options)(images=images)
    off = door.load().MixUp(alpha=0.0)
    door.transform("OneOf", transforms=[off, off], num_classes=10)(images=images)
    ramp, last = (door.transform("MixUp", num_classes=10, p=p, seed=0) for p in (Ramp(0, 1, 1, 5), OffAfter(1.0, 3)))
    ramp(images=images)
    with pytest.raises(InputError, match=MISSING):
        last(images=images)
    set_epoch([ramp, last], 4)
    last(images=images)
    with pytest.raises(InputError, match=MISSING):
        ramp(images=images)
    if door is TORCHVISION:
        door.transform("MixUp", num_classes=10).eval()(images)
        door.transform("MixUp", num_classes=10, labels_getter=None)(images)


@pytest.mark.parametrize("door", DOORS, ids=str)
def test_every_way_out_leads_on(door: Door) -> None:
    images, tags = pictures("numpy"), np.arange(SIZE)
    with pytest.raises(InputError, match=MISSING + ".*Pass them with the images, as numbers, or leave num_classes out"):
        door.transform("MixUp", num_classes=10)(images=images, class_name=list("abcd"))
    door.transform("MixUp", num_classes=10)(images=images, class_name=list("abcd"), label=tags)
    door.transform("MixUp", num_classes=10, kinds={"tag": "label"})(images=images, tag=tags)
    door.transform("MixUp")(images=images, class_name=list("abcd"))


def test_a_getter_that_finds_nothing() -> None:
    from mixtransforms.torchvision import MixUp

    batch = torch.rand(4, 3, 8, 8), torch.arange(4)
    for options in ({"num_classes": 4}, {"labels": "pair"}):
        with pytest.raises(
            InputError, match=r"No labels found \(labels_getter\): got None; .* labels_getter=None where"
        ):
            MixUp(**options, labels_getter=lambda _: None)(batch)
    assert MixUp(num_classes=4, labels_getter="default")(batch)[1].shape == (4, 4)
    assert MixUp(num_classes=4, labels_getter=None, passthrough=(1,))(batch)[1] is batch[1]
