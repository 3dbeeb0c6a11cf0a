"""The form of a batch of samples with a dict each never depends on what these samples happen to lack."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from hints import keywords
from torchvision import tv_tensors
from torchvision.transforms import v2

from mixtransforms import BoxRules, CutMix, InputError
from mixtransforms.torchvision import BatchCompose
from mixtransforms.torchvision import CutMix as TorchCutMix
from mixtransforms.torchvision import MixUp as TorchMixUp

FLIP = v2.RandomHorizontalFlip()


def image(value: float = 0.0) -> Any:
    return tv_tensors.Image(torch.full((3, 16, 16), value))


def annotated(index: int) -> dict[str, Any]:
    boxes = tv_tensors.BoundingBoxes([[1.0, 1, 9, 9]], format="XYXY", canvas_size=(16, 16))
    return {"image_id": index, "boxes": boxes, "labels": torch.tensor([1])}


@dataclasses.dataclass
class Sample:
    image: Any
    target: Any


PIPELINES = {
    "alone": lambda: TorchCutMix(1.0),
    "with transforms": lambda: BatchCompose([FLIP, TorchCutMix(1.0)]),
    "transforms after": lambda: BatchCompose([FLIP, TorchMixUp(1.0), FLIP]),
    "without a mix": lambda: BatchCompose([FLIP]),
}


@pytest.mark.parametrize("pipeline", PIPELINES.values(), ids=PIPELINES)
@pytest.mark.parametrize("holder", [lambda i, t: (i, t), lambda i, t: {"image": i, "target": t}, Sample])
def test_unannotated_images_come_as_records_as_beside_annotated_ones(holder: Any, pipeline: Any) -> None:
    lacking = [{"image_id": 0, "path": "a"}, {"image_id": 1, "path": "b"}]
    mixed = [{"image_id": 0, "path": "a"}, annotated(1) | {"path": "b"}]
    for targets in (lacking, mixed, mixed[::-1]):
        result = pipeline()([holder(image(), target) for target in targets])
        read = {tuple: lambda r: r[1], list: lambda r: r[1], dict: lambda r: r["target"]}.get(type(result))
        found = read(result) if read else result.target
        assert type(found) is list
        assert [record["image_id"] for record in found] == [target["image_id"] for target in targets]
        assert [record["path"] for record in found] == [target["path"] for target in targets]


DECLARED = {
    "boxes": [TorchCutMix(1.0, boxes=BoxRules(format="coco"))],
    "fields": [TorchCutMix(1.0, boxes=BoxRules(fields=("track",)))],
    "a kind": [TorchCutMix(1.0, kinds={"polys": "instances"})],
    "a filter": [v2.SanitizeBoundingBoxes(labels_getter=None), TorchCutMix(1.0)],
    "a filter in a container": [v2.RandomOrder([FLIP, v2.SanitizeBoundingBoxes(labels_getter=None)]), TorchCutMix(1.0)],
}


@pytest.mark.parametrize("steps", DECLARED.values(), ids=DECLARED)
def test_whoever_declares_objects_gets_records(steps: list[Any]) -> None:
    """Without an ``image_id``, of which the others know that objects may be missing."""
    for targets in ([{"split": "train"}] * 2, [{"split": "train"}, annotated(1) | {"split": "train"}]):
        result = BatchCompose(steps)([(image(), target) for target in targets])
        assert [record["split"] for record in result[1]] == ["train"] * 2


@pytest.mark.parametrize("pipeline", PIPELINES.values(), ids=PIPELINES)
def test_dicts_of_classification_stay_columns(pipeline: Any) -> None:
    """With an id of the image or without one."""
    for more in ({}, {"image_id": 7}):
        result = pipeline()([(image(), {"label": torch.eye(3)[i], "path": str(i), **more}) for i in range(3)])
        assert tuple(result[1]["label"].shape) == (3, 3)
        assert result[1]["path"] == ["0", "1", "2"]
        assert "image_id" not in more or result[1]["image_id"].tolist() == [7, 7, 7]


def test_dicts_that_tell_nothing_known_stay_columns() -> None:
    result = CutMix(1.0)([(image().as_subclass(torch.Tensor), {"path": "a"})] * 2)
    assert result[1] == {"path": ["a", "a"]}


@pytest.mark.parametrize("method", [TorchCutMix, TorchMixUp])
@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("size", [2, 3, 4])
def test_masks_of_objects_beside_an_image_without_annotations(size: int, order: int, method: type) -> None:
    """As torchvision's wrapper of COCO leaves out what an image has not."""

    def target(index: int) -> dict[str, Any]:
        masks = tv_tensors.Mask(torch.ones(1, 16, 16, dtype=torch.uint8))
        return annotated(index) | {"masks": masks} if index else {"image_id": 0}

    targets = [target(index) for index in range(size)][::order]
    images = torch.rand(size, 3, 16, 16)
    ready = method(1.0, seed=0)(images, targets)[1]
    declared = method(1.0, seed=0, kinds={"masks": "instances"})(images, targets)[1]
    samples = BatchCompose([method(1.0)], seed=0)(list(zip(map(tv_tensors.Image, images), targets, strict=True)))[1]
    for record, known in zip(ready, declared, strict=True):
        assert record.keys() == known.keys()
        assert all(torch.equal(torch.as_tensor(record[name]), torch.as_tensor(known[name])) for name in known)
    for record in (*ready, *samples):
        count = len(record["boxes"])
        assert tuple(record["boxes"].shape) == (count, 4)
        assert tuple(record["masks"].shape) == (count, 16, 16)
        assert tuple(record["labels"].shape) == (count,)


@pytest.mark.parametrize("empty", [{}, {"b": {}}, [], ()], ids=str)
@pytest.mark.parametrize("keep", [False, True])
def test_empty_containers_in_every_record(empty: Any, keep: bool) -> None:
    records = [{"boxes": torch.tensor([[1.0, 1, 28, 28]]), "labels": torch.tensor([1]), "attributes": empty}] * 2
    mix = CutMix(1.0, seed=0, keep_originals=keep)
    result = mix(torch.zeros(2, 3, 32, 32), records)[1]
    assert [record["attributes"] for record in result] == [empty] * (2 + 2 * keep)
    samples = [(torch.zeros(3, 32, 32), record) for record in records]
    assert [record["attributes"] for record in mix(samples)[1]] == [empty] * (2 + 2 * keep)

    @dataclasses.dataclass
    class Detections:
        boxes: Any
        labels: Any
        box_weights: Any
        data: dict[str, Any]
        metadata: dict[str, Any]

    one = Detections(torch.tensor([[1.0, 1, 28, 28]]), torch.tensor([1]), None, {}, {})
    result = CutMix(1.0, seed=0)(torch.zeros(2, 3, 32, 32), [one] * 2)[1]
    assert [(record.data, record.metadata) for record in result] == [({}, {})] * 2


def annotations(count: int) -> list[dict[str, Any]]:
    """Of one image, as CocoDetection without its wrapper has them."""
    told = {"bbox": [1.0, 1, 7, 6], "category_id": 1, "segmentation": [[1.0, 1, 8, 1, 8, 7]], "iscrowd": 0}
    return [told] * count


RAW = {
    "samples": lambda told: [(image(), each) for each in told],
    "samples by name": lambda told: [{"image": image(), "told": each} for each in told],
    "records of samples": lambda told: [(image(), {"image_id": 1, "told": each}) for each in told],
    "a ready batch": lambda told: (torch.zeros(len(told), 3, 16, 16), told),
    "a ready batch by name": lambda told: {"image": torch.zeros(len(told), 3, 16, 16), "told": told},
    "ready records": lambda told: (torch.zeros(len(told), 3, 16, 16), [{"image_id": 1, "told": each} for each in told]),
}
OBJECT_BY_OBJECT = r"Annotations object by object \(batch\[.*wrap_dataset_for_transforms_v2"


@pytest.mark.parametrize("counts", [(1, 2, 0), (2, 2), (0, 1), (3, 3, 3)])
@pytest.mark.parametrize("form", RAW.values(), ids=RAW)
@pytest.mark.parametrize("pipeline", PIPELINES.values(), ids=PIPELINES)
def test_annotations_object_by_object_are_known(pipeline: Any, form: Any, counts: tuple[int, ...]) -> None:
    """They would stay as they are beside mixed or turned images."""
    with pytest.raises(InputError, match=OBJECT_BY_OBJECT):
        pipeline()(form([annotations(count) for count in counts]))


@pytest.mark.parametrize("pipeline", PIPELINES.values(), ids=PIPELINES)
def test_pictures_without_annotations_have_a_list_each(pipeline: Any) -> None:
    _, told = pipeline()([(image(), []), (image(), [])])
    assert told == [[], []]


@pytest.mark.parametrize("counts", [(1, 2, 1), (2, 2)], ids=str)
@pytest.mark.parametrize("form", RAW.values(), ids=RAW)
@pytest.mark.parametrize("pipeline", PIPELINES.values(), ids=PIPELINES)
def test_annotations_of_voc_are_known_alike(pipeline: Any, form: Any, counts: tuple[int, ...]) -> None:
    box = {"xmin": "2", "ymin": "2", "xmax": "12", "ymax": "12"}
    told = [{"annotation": {"object": [{"name": "dog", "bndbox": box}] * count}} for count in counts]
    with pytest.raises(InputError, match=OBJECT_BY_OBJECT):
        pipeline()(form(told))


@pytest.mark.parametrize("form", RAW.values(), ids=RAW)
@pytest.mark.parametrize("first", [[], [FLIP]], ids=["alone", "with transforms"])
def test_declared_boxes_of_such_annotations_are_refused_alike(first: list[Any], form: Any) -> None:
    rules = {"kinds": {"bbox": "boxes"}, "boxes": BoxRules(format="coco", fields=("category_id",))}
    for counts in ((1, 2, 0), (3, 3, 3)):
        with pytest.raises(InputError, match=OBJECT_BY_OBJECT):
            BatchCompose([*first, TorchCutMix(1.0, **rules)])(form([annotations(count) for count in counts]))


@pytest.mark.parametrize("form", RAW.values(), ids=RAW)
@pytest.mark.parametrize("first", [[], [FLIP]], ids=["alone", "with transforms"])
def test_the_ways_out_of_annotations_object_by_object_lead_on(first: list[Any], form: Any) -> None:
    told = [annotations(count) for count in (1, 2, 0)]
    with pytest.raises(InputError) as error:
        BatchCompose([*first, TorchCutMix(1.0)])(form(told))
    (declared,) = keywords(error.value.fix.split("; or")[-1])
    result = BatchCompose([*first, TorchCutMix(1.0, **declared)])(form(told))
    assert str(told) in str(result) or all(str({"image_id": 1, "told": each}) in str(result) for each in told)
    ours = [{"boxes": [each["bbox"] for each in own], "labels": [1] * len(own)} for own in told]
    result = CutMix(1.0, boxes=BoxRules(format="coco"))((torch.zeros(3, 3, 16, 16), ours))
    assert all(len(record["boxes"]) == len(record["labels"]) for record in result[1])


def test_an_annotation_an_image_is_a_record() -> None:
    """A dict an image with all its boxes is read by columns, whatever they are called."""
    rules = {"kinds": {"bbox": "boxes"}, "boxes": BoxRules(format="coco", fields=("category_id",))}
    told = [{"bbox": [[1.0, 1, 7, 6]] * count, "category_id": [1] * count} for count in (1, 2, 0)]
    result = TorchCutMix(1.0, seed=0, **rules)(torch.zeros(3, 3, 16, 16), told)[1]
    assert all(len(record["bbox"]) == len(record["category_id"]) for record in result)


POLYGONS = {
    "columns": lambda told: (
        {"image": torch.zeros(len(told), 3, 16, 16)} | {k: [each[k] for each in told] for k in told[0]}
    ),
    "records": lambda told: (torch.zeros(len(told), 3, 16, 16), told),
    "samples": lambda told: [{"image": torch.zeros(3, 16, 16), **each} for each in told],
    "samples with records": lambda told: [(torch.zeros(3, 16, 16), each) for each in told],
}


@pytest.mark.parametrize("counts", [(1, 2, 0), (2, 2), (0, 0), (3, 3, 3)])
@pytest.mark.parametrize("form", POLYGONS.values(), ids=POLYGONS)
@pytest.mark.parametrize("mix", [CutMix, TorchCutMix])
def test_ways_out_of_polygons_lead_on_in_every_form(mix: Any, form: Any, counts: tuple[int, ...]) -> None:
    told = [
        {
            "boxes": torch.tensor([[1.0 + number, 1, 9, 9] for number in range(count)]).reshape(-1, 4),
            "segmentation": [[[1.0, 1, 5, 1, 5, 5][: 6 - 2 * (number % 2)]] for number in range(count)],
        }
        for count in counts
    ]
    with pytest.raises(InputError, match="Polygons cannot be pasted") as error:
        mix(p=0.0)(form(told))
    ways = list(keywords(error.value.fix))
    assert len(ways) == 2
    for way in ways:
        assert "segmentation" in str(mix(p=0.0, **way)(form(told)))
    carried = mix(1.0, seed=1, **ways[0])(form(told))
    found = carried if isinstance(carried, dict) else {k: [each[k] for each in carried[1]] for k in carried[1][0]}
    assert list(map(len, found["segmentation"])) == list(map(len, found["boxes"]))


def of_objects(counts: Sequence[int]) -> dict[str, Any]:
    """Masks and whole numbers, one for every object."""
    return {
        "image": torch.stack([image()] * len(counts)),
        "masks": [torch.ones((count, 16, 16), dtype=torch.bool) for count in counts],
        "labels": [torch.arange(count) for count in counts],
    }


@pytest.mark.parametrize("counts", [(2, 2, 2), (1, 1), (2, 1, 3)], ids=str)
@pytest.mark.parametrize("form", ["columns", "stacked", "records"])
def test_masks_of_objects_or_of_classes_have_to_be_declared(counts: Sequence[int], form: str) -> None:
    """A batch of other objects would be read otherwise, or not at all: two of classes 0 and 1 look like one-hot rows."""
    batch: Any = of_objects(counts)
    if form == "stacked":
        batch = batch | {name: torch.stack([batch[name][0]] * len(counts)) for name in ("masks", "labels")}
    elif form == "records":
        columns = zip(*batch.values(), strict=True)
        batch = [(picture, {"masks": masks, "labels": labels}) for picture, masks, labels in columns]
    if form != "records" or len(set(counts)) == 1:
        with pytest.raises(InputError, match=r"Masks of objects, or of classes \(batch.*\['masks'\]\)"):
            CutMix(1.0)(batch)
    out = CutMix(1.0, kinds={"masks": "instances"}, seed=0)(batch)
    joined = [record["labels"] for record in out[1]] if form == "records" else out["labels"]
    assert sum(map(len, joined)) > sum(counts), "objects of both pictures"


def test_what_was_remembered_does_not_pass() -> None:
    """Three masks beside two columns of labels are of classes, and two beside two may be of objects."""
    mix, batch = CutMix(1.0), of_objects((2, 2, 2))
    mix(batch | {"masks": [torch.zeros((3, 16, 16), dtype=torch.bool)] * 3, "labels": [torch.eye(2)[0]] * 3})
    mix(batch | {"masks": [torch.zeros((3, 16, 16), dtype=torch.bool)] * 3, "labels": [torch.tensor([0, 1])] * 3})
    with pytest.raises(InputError, match="Masks of objects, or of classes"):
        mix(batch)
