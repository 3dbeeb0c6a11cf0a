"""What stands beside boxes under names that labels of samples have as well, and boxes written as fractions."""

import warnings
from typing import Any

import albumentations as A
import numpy as np
import pytest
import torch
from doors import DOORS, Door
from torchvision import tv_tensors
from torchvision.transforms import v2

from mixtransforms import BoxRules, CutMix, DegenerateBoxWarning, InputError, MixUp
from mixtransforms.albumentations import BatchCompose as AlbumentationsBatchCompose
from mixtransforms.albumentations import CutMix as AlbumentationsCutMix
from mixtransforms.objects.box_formats import FORMATS
from mixtransforms.torchvision import BatchCompose
from mixtransforms.torchvision import CutMix as TorchCutMix

NAMES = ("classes", "class", "label", "labels", "target", "targets", "y", "cls", "category", "class_ids", "Target")
BOXES = [[0, 0, 20, 20.0], [10, 10, 30, 30.0]]
IDS = [[0, 1], [1, 1], [1, 0]]
BOTH = r"Labels of the boxes or of the sample \(batch.*\): got floats within \[0, 1\], as many as there are boxes"


def stacked(name: str, values: Any, backend: str = "torch") -> dict[str, Any]:
    make = torch.tensor if backend == "torch" else np.array
    images = torch.zeros(3, 3, 64, 64) if backend == "torch" else np.zeros((3, 64, 64, 3), np.float32)
    return {"image": images, "boxes": make([BOXES] * 3), name: values if backend is None else make(values)}


def listed(batch: dict[str, Any], name: str, kind: str) -> Any:
    """The same batch with objects as lists, or in records, or as samples."""
    images, boxes, values = batch["image"], batch["boxes"], batch[name]
    if kind == "stacked":
        return batch
    if kind == "lists":
        return {"image": images, "boxes": list(boxes), name: list(values)}
    if kind == "plain lists":
        return {"image": images, "boxes": boxes.tolist(), name: values.tolist()}
    records = [{"boxes": own, name: each} for own, each in zip(boxes, values, strict=True)]
    if kind == "records":
        return images, records
    return list(zip(images, records, strict=True))


def told(result: Any, name: str) -> list[list[float]]:
    column = result[name] if isinstance(result, dict) else [record[name] for record in result[1]]
    return [np.asarray(each).tolist() for each in column]


@pytest.mark.parametrize("kind", ["stacked", "lists", "plain lists", "records", "samples"])
@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("name", NAMES)
def test_a_row_for_every_box_belongs_to_the_boxes(name: str, backend: str, kind: str) -> None:
    result = CutMix(1.0, seed=0)(listed(stacked(name, IDS, backend), name, kind))
    known = CutMix(1.0, seed=0)(listed(stacked("class_labels", IDS, backend), "class_labels", kind))
    assert told(result, name) == told(known, "class_labels")
    assert told(result, name) == [[0, 1], [1, 1, 0], [1, 0]] or kind == "samples"


@pytest.mark.parametrize("method", [CutMix, MixUp])
def test_padded_rows_of_floats_belong_to_the_boxes(method: type) -> None:
    batch = stacked("classes", [[3.0, -1], [4, 2], [5, -1]])
    batch["boxes"][0, 1] = batch["boxes"][2, 1] = -1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = method(1.0, seed=0)(batch)
        known = method(1.0, seed=0)({("class_labels" if k == "classes" else k): v for k, v in batch.items()})
    assert told(result, "classes") == told(known, "class_labels")
    assert all(-1 not in row for row in told(result, "classes"))


def test_texts_belong_to_the_boxes() -> None:
    result = CutMix(1.0, seed=0)(stacked("classes", IDS) | {"classes": [["a", "b"], ["c", "d"], ["e", "f"]]})
    known = CutMix(1.0, seed=0)(stacked("classes", [[0, 1], [2, 3], [4, 5]]))
    assert result["classes"] == [["abcdef"[i] for i in row] for row in told(known, "classes")]


@pytest.mark.parametrize("name", ["classes", "label", "target", "y"])
@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_one_value_a_sample_stays_the_samples(name: str, backend: str) -> None:
    result = CutMix(1.0, seed=0, num_classes=2)(stacked(name, [1, 0, 1], backend))
    assert tuple(result[name].shape) == (3, 2)
    batch = stacked(name, [1, 0, 1], backend)
    samples = [{key: value[i] for key, value in batch.items()} for i in range(3)]
    assert tuple(CutMix(1.0, seed=0, num_classes=2)(samples)[name].shape) == (3, 2)


@pytest.mark.parametrize("kind", ["stacked", "lists", "plain lists", "records", "samples"])
@pytest.mark.parametrize("name", sorted({*NAMES} - {"labels"}))
def test_floats_within_one_may_be_both(name: str, kind: str) -> None:
    batch = listed(stacked(name, [[0.25, 0.75], [1, 0], [0.5, 0.5]]), name, kind)
    with pytest.raises(InputError, match=BOTH) as error:
        CutMix(1.0, seed=0)(batch)
    assert f"kinds={{{name!r}: 'label'}}" in error.value.fix
    assert f"boxes=BoxRules(fields=({name!r},))" in error.value.fix
    shares = CutMix(1.0, seed=0, kinds={name: "label"})(batch)
    assert np.allclose(np.sum(told(shares, name), axis=1), 1)
    rows = CutMix(1.0, seed=0, boxes=BoxRules(fields=(name,)))(batch)
    boxes = rows["boxes"] if isinstance(rows, dict) else [record["boxes"] for record in rows[1]]
    assert list(map(len, told(rows, name))) == list(map(len, boxes))


def test_rows_of_labels_are_of_the_boxes_also_within_one() -> None:
    result = CutMix(1.0, seed=0)(stacked("labels", [[0.25, 0.75], [1, 0], [0.5, 0.5]]))
    assert list(map(len, result["labels"])) == list(map(len, result["boxes"]))


@pytest.mark.parametrize("name", ["label", "target"])
def test_rows_of_another_width_are_the_samples(name: str) -> None:
    rows = [[0.25, 0.75, 0, 0], [1, 0, 0, 0], [0, 0.5, 0.5, 0]]
    for kind in ("stacked", "lists", "samples", "records"):
        result = CutMix(1.0, seed=0)(listed(stacked(name, rows), name, kind))
        assert np.asarray(told(result, name)).shape == (3, 4)


def test_a_known_structure_is_not_read_by_the_values_of_another_batch() -> None:
    """The same types, names, shapes: whether floats are shares is asked again."""
    mix = CutMix(1.0, seed=0)
    for _ in range(2):
        assert list(map(len, mix(stacked("classes", [[2.0, 3], [4, 2], [5, 6]]))["classes"])) != [3, 3, 3]
        with pytest.raises(InputError, match=BOTH):
            mix(stacked("classes", [[0.0, 1], [1, 1], [1, 0]]))
    records = listed(stacked("target", [[0.25, 0.75, 0]] * 3), "target", "records")
    assert np.asarray(told(mix(records), "target")).shape == (3, 3)
    for record in records[1]:
        record["boxes"] = torch.tensor([*BOXES, [1, 1, 9, 9.0]])
    with pytest.raises(InputError, match=BOTH):
        mix(records)


def test_one_sample_with_as_many_boxes_as_classes_decides_nothing() -> None:
    """Soft labels of two classes beside one, two and no boxes, through host transforms and mixing."""
    counts = (2, 1, 0, 3)
    samples = [
        {
            "image": tv_tensors.Image(torch.rand(3, 32, 32)),
            "boxes": torch.tensor([[1.0, 1, 30, 30]] * n).reshape(n, 4),
            "label": torch.tensor([0.25, 0.75]),
        }
        for n in counts
    ]
    result = BatchCompose([v2.RandomHorizontalFlip(), TorchCutMix(1.0), v2.RandomHorizontalFlip()], seed=0)(samples)
    assert tuple(result["label"].shape) == (4, 2)
    assert torch.allclose(result["label"][:, 0], torch.full((4,), 0.25))


def test_the_detection_preset_of_torchvision() -> None:
    """``label`` with a number a box, however many there are."""

    def sample(n: int) -> dict[str, Any]:
        boxes = tv_tensors.BoundingBoxes(
            torch.tensor([[1, 1, 9, 9]] * n).reshape(n, 4), format="XYXY", canvas_size=(50, 50)
        )
        return {"image": tv_tensors.Image(torch.rand(3, 50, 50)), "label": torch.arange(n), "boxes": boxes}

    for counts in ((5, 5), (5, 3), (2, 0)):
        result = BatchCompose([v2.RandomHorizontalFlip(p=1.0), TorchCutMix(1.0)], seed=1)([*map(sample, counts)])
        assert list(map(len, result["label"])) == list(map(len, result["boxes"]))


def test_labels_of_another_number_than_boxes_lead_on() -> None:
    batch = stacked("labels", [[1.0, 0, 0]] * 3)
    with pytest.raises(InputError, match=r"Objects of different number .* say kinds=\{'labels': 'label'\}"):
        CutMix(1.0)(batch)
    assert CutMix(1.0, kinds={"labels": "label"})(batch)["labels"].shape == (3, 3)


def rows_beside(form: str, backend: str, *, rows: bool) -> Any:
    """A batch with boxes and an unknown array, with or without a row for every box."""
    make: Any = torch.tensor if backend == "torch" else np.array
    images = torch.zeros(3, 3, 8, 8) if backend == "torch" else np.zeros((3, 8, 8, 3), np.float32)
    counts = (2, 2, 2) if form == "stacked" else (1, 2, 0)
    boxes = [make([[1.0, 1, 5, 5]] * n).reshape(n, 4) for n in counts]
    colours = [make([7] * (n if rows else 4)) for n in counts]
    if form == "records":
        return images, [{"boxes": box, "colours": colour} for box, colour in zip(boxes, colours, strict=True)]
    if form == "stacked":
        join: Any = torch.stack if backend == "torch" else np.stack
        return {"image": images, "boxes": join(boxes), "colours": join(colours)}
    return {"image": images, "boxes": boxes, "colours": colours}


@pytest.mark.parametrize("form", ["lists", "stacked", "records"])
@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_rows_of_boxes_are_not_sent_past(form: str, backend: str) -> None:
    """Whoever followed such a hint would have rows that stay behind while their boxes leave."""
    with pytest.raises(InputError, match=r"BoxRules\(fields=\('colours',\)\)") as error:
        CutMix(1.0)(rows_beside(form, backend, rows=True))
    assert "passthrough" not in error.value.fix
    CutMix(1.0, boxes=BoxRules(fields=("colours",)))(rows_beside(form, backend, rows=True))
    with pytest.raises(InputError, match=r"leave it alone with passthrough=\('colours',\)"):
        CutMix(1.0)(rows_beside(form, backend, rows=False))
    CutMix(1.0, passthrough=("colours",))(rows_beside(form, backend, rows=False))


# ------------------------------------------------------------------------------------------ pixels or fractions

FRACTIONS = [[0.25, 0.25, 0.5, 0.75], [0.5, 0.5, 1.0, 1.0]]
UNTOLD = r"Boxes that look like fractions of the image \(batch.*\): got all numbers within \[0, 1\], and no format; .*"
UNTOLD += r"BoxRules\(format='normalized_xyxy'\) or 'normalized_cxcywh'"
PIXELS = r"Boxes in pixels under a format of fractions \(batch.*\): got values up to 24, and format='{}'"


def boxed(door: Door, boxes: Any, backend: str, side: int = 32) -> dict[str, Any]:
    shape = (2, 3, side, side) if backend == "torch" else (2, side, side, 3)
    images = torch.zeros(shape) if backend == "torch" else np.zeros(shape, np.float32)
    return {"images": images, "bboxes" if door.named else "boxes": boxes}


@pytest.mark.parametrize(("door", "backend"), [(door, b) for door in DOORS for b in door.backends], ids=str)
@pytest.mark.parametrize("method", ["CutMix", "MixUp"])
def test_fractions_need_a_format(door: Door, backend: str, method: str) -> None:
    make: Any = torch.tensor if backend == "torch" else np.array
    forms = [make([FRACTIONS] * 2), [make(FRACTIONS), make(FRACTIONS)[:0]], [FRACTIONS, []]]
    for boxes in forms:
        with pytest.raises(InputError, match=UNTOLD):
            door.transform(method, alpha=1.0)(**boxed(door, boxes, backend))
        for form in ("normalized_xyxy", "normalized_cxcywh", "xyxy", "XYXYN"):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                door.transform(method, alpha=1.0, boxes=BoxRules(format=form))(**boxed(door, boxes, backend))


def test_what_is_no_batch_of_fractions() -> None:
    """Nothing is said of no boxes, padding, tiny images, and where one box reaches beyond the first pixel."""
    mix = CutMix(1.0, seed=0)
    images = torch.zeros(2, 3, 32, 32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mix(images, [{"boxes": torch.zeros(0, 4)}] * 2)
        mix({"image": images, "boxes": torch.zeros(2, 3, 4)})
        mix({"image": images, "boxes": torch.full((2, 3, 4), -1.0)})
        mix({"image": images, "boxes": torch.full((2, 3, 4), torch.nan)})
        mix({"image": torch.zeros(2, 3, 7, 32), "boxes": torch.tensor([FRACTIONS] * 2)})
        mix({"image": images, "boxes": [torch.tensor(FRACTIONS), torch.tensor([[0, 0, 1.5, 1]])]})
        typed = tv_tensors.BoundingBoxes(torch.tensor([[0, 0, 1.0, 1]]), format="XYXY", canvas_size=(32, 32))
        mix({"image": images, "boxes": [typed, typed]})  # what a crop has left in the first pixel
    padded = torch.tensor([[*FRACTIONS, [-1, -1, -1, -1]]] * 2)
    with pytest.raises(InputError, match=UNTOLD):
        mix({"image": images, "boxes": padded})


@pytest.mark.parametrize("form", sorted(name for name, known in FORMATS.items() if known.relative))
def test_pixels_under_a_format_of_fractions(form: str) -> None:
    batch = {"image": torch.zeros(2, 3, 32, 32), "boxes": torch.tensor([[[4, 8, 16, 24.0]]] * 2)}
    with pytest.raises(InputError, match=PIXELS.format(form)) as error:
        CutMix(1.0, boxes=BoxRules(format=form))(batch)
    other = error.value.fix.split("'")[1]
    assert not FORMATS[other].relative
    CutMix(1.0, boxes=BoxRules(format=other))(batch)
    overhanging = {**batch, "boxes": torch.tensor([[[0.5, 0.5, 1.75, 0.75]]] * 2)}
    CutMix(1.0, boxes=BoxRules(format=form))(overhanging)


def test_host_transforms_do_not_move_fractions_as_pixels() -> None:
    """A flip makes numbers of them that look like pixels: they are refused before, with a mix in the list or without."""

    def samples(boxes: Any) -> list[Any]:
        return [(torch.zeros(3, 32, 32), {"boxes": torch.tensor(boxes), "labels": torch.tensor([1, 2])})] * 2

    flip = v2.RandomHorizontalFlip(p=1.0)
    for steps in ([flip], [flip, TorchCutMix(1.0)]):
        with pytest.raises(InputError, match=UNTOLD):
            BatchCompose(steps)(samples(FRACTIONS))
        images, records = zip(*samples(FRACTIONS), strict=True)
        with pytest.raises(InputError, match=UNTOLD):
            BatchCompose(steps)((torch.stack(images), list(records)))
    told = TorchCutMix(1.0, p=0.0, boxes=BoxRules(format="xyxyn"))
    flipped = BatchCompose([flip, told])(samples(FRACTIONS))[1][0]["boxes"]
    assert torch.allclose(flipped, torch.tensor([[0.5, 0.25, 0.75, 0.75], [0, 0.5, 0.5, 1]]))
    with pytest.raises(InputError, match=PIXELS.format("xyxyn")):
        BatchCompose([flip, told])(samples([[4, 8, 16, 24.0], [0, 0, 4, 4]]))


@pytest.mark.parametrize("form", ["XYXY", "CXCYWH", "XYWH", "CXCYWHR"])
@pytest.mark.parametrize("host", [(), (v2.RandomHorizontalFlip(1.0),)], ids=["mix", "flip"])
def test_fractions_in_typed_boxes(form: str, host: tuple[Any, ...]) -> None:
    """Their type says pixels, whatever numbers it was given; a declared format of pixels is a word on the numbers."""
    numbers = torch.tensor([[0.23, 0.27, 0.28, 0.34, *[0.0] * form.count("R")]])

    def batch(numbers: Any, size: int = 32) -> list[Any]:
        boxes = tv_tensors.BoundingBoxes(numbers, format=form, canvas_size=(size, size))
        return [(tv_tensors.Image(torch.zeros(3, size, size)), {"boxes": boxes})] * 2

    message = rf"all numbers within \[0, 1\], and the format {form}, .* Multiply them by the canvas size"
    for rules in (BoxRules(), BoxRules(format="yolo")):
        with pytest.raises(InputError, match=message):
            BatchCompose([*host, TorchCutMix(1.0, boxes=rules)])(batch(numbers))
    if host:
        with pytest.raises(InputError, match=message):
            BatchCompose(host)(batch(numbers))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        BatchCompose([*host, TorchCutMix(1.0)])(batch(numbers, 7))
    BatchCompose([*host, TorchCutMix(1.0)])(batch(numbers * torch.tensor([32.0] * 4 + [1.0] * form.count("R"))))
    BatchCompose([*host, TorchCutMix(1.0, boxes=BoxRules(format="xyxy"))])(batch(numbers))


@pytest.mark.parametrize(("form", "plain"), [("pascal_voc", "xyxy"), ("coco", "xywh")])
@pytest.mark.parametrize("host", [(), (A.HorizontalFlip(p=1.0),)], ids=["mix", "flip"])
@pytest.mark.parametrize("ready", [False, True], ids=["samples", "ready"])
def test_fractions_under_bbox_params(form: str, plain: str, host: tuple[Any, ...], ready: bool) -> None:
    """Formats of pixels in a host's pipeline; every step that the hint names leads on."""
    boxes, image = np.array([[0.23, 0.27, 0.28, 0.34]]), np.zeros((32, 32, 3), np.uint8)
    samples: Any = [{"image": image, "bboxes": boxes, "ids": [1]}] * 2
    if ready:
        samples = {"images": np.stack([image] * 2), "bboxes": [boxes] * 2, "ids": [[1]] * 2}

    def run(form: str, *mixes: Any) -> Any:
        params = A.BboxParams(form, label_fields=["ids"])
        return AlbumentationsBatchCompose([*host, *mixes], bbox_params=params)(samples)

    message = (
        rf"all numbers within \[0, 1\], and the format {form}, .* Say format='albumentations' .* or 'yolo' .*'{plain}'"
    )
    for mixes in ((AlbumentationsCutMix(1.0),), ())[: 1 + bool(host)]:
        with pytest.raises(InputError, match=message):
            run(form, *mixes)
    run("albumentations", AlbumentationsCutMix(1.0))
    run("yolo", AlbumentationsCutMix(1.0))
    run(form, AlbumentationsCutMix(1.0, boxes=BoxRules(format=plain)))


def test_the_same_boxes_under_every_name_of_a_format() -> None:
    images = torch.zeros(4, 3, 32, 32)
    corners = np.array([[4.0, 8, 16, 24]])
    writings = {
        ("xyxyn", "normalized_xyxy", "rel_xyxy", "albumentations"): [[0.125, 0.25, 0.5, 0.75]],
        ("cxcywhn", "normalized_cxcywh", "yolo"): [[0.3125, 0.5, 0.375, 0.5]],
        ("normalized_xywh", "rel_xywh"): [[0.125, 0.25, 0.375, 0.5]],
        ("cxcywh", "center_xywh"): [[10.0, 16, 12, 16]],
    }
    for names, values in writings.items():
        for name in names:
            assert np.allclose(FORMATS[name].decode(np.array(values) * (32 if FORMATS[name].relative else 1)), corners)
            boxes = [torch.tensor(values, dtype=torch.float64)] * 4
            result = CutMix(1.0, seed=3, boxes=BoxRules(format=name))({"image": images, "boxes": boxes})
            plain = [torch.from_numpy(corners)] * 4
            known = CutMix(1.0, seed=3)({"image": images, "boxes": plain})
            for got, wanted in zip(result["boxes"], known["boxes"], strict=True):
                scale = 32 if FORMATS[name].relative else 1
                assert np.allclose(FORMATS[name].decode(got.numpy() * scale), wanted.numpy())


@pytest.mark.parametrize("name", ["labels", "area", "scores"])
@pytest.mark.parametrize("form", ["lists", "records", "samples"])
def test_fields_cannot_pass(form: str, name: str) -> None:
    """They would be those of other boxes, and of another number of them."""
    images, counts = np.zeros((3, 16, 16, 3), np.float32), (2, 1, 3)
    boxes = [np.array([[1.0, 1, 9, 9]] * count) for count in counts]
    told = [np.arange(count) for count in counts]
    records = [{"boxes": own, name: rows} for own, rows in zip(boxes, told, strict=True)]
    batch: Any = {
        "lists": {"image": images, "boxes": boxes, name: told},
        "records": (images, records),
        "samples": list(zip(images, records, strict=True)),
    }[form]
    with pytest.raises(InputError, match=rf"Fields of objects that would stay behind .*Leave '{name}' out of passth"):
        CutMix(1.0, passthrough=(name,))(batch)
    CutMix(1.0)(batch)


def test_labels_of_samples_beside_boxes_may_pass() -> None:
    boxes, labels = [np.array([[1.0, 1, 9, 9]])] * 3, np.arange(3)
    batch = {"image": np.zeros((3, 16, 16, 3), np.float32), "boxes": boxes, "labels": labels}
    assert CutMix(1.0, passthrough=("labels",))(batch)["labels"] is labels


PAIR = torch.tensor([[2.0, 2, 12, 12], [20, 20, 36, 36]])


def boxes_of(count: int) -> Any:
    return tv_tensors.BoundingBoxes(PAIR[:count], format="XYXY", canvas_size=(40, 40))


def picture(index: int) -> Any:
    return tv_tensors.Image(torch.full((3, 40, 40), float(index)))


ELSEWHERE: dict[str, Any] = {
    "before the boxes": lambda i, ids, boxes: (picture(i), ids, boxes),
    "outside their dict": lambda i, ids, boxes: {"image": picture(i), "labels": ids, "annotations": {"boxes": boxes}},
    "beside keypoints": lambda i, ids, boxes: {
        "image": picture(i),
        "keypoints": boxes.as_subclass(torch.Tensor)[:, :2],
        "labels": ids,
    },
    "beside masks": lambda i, ids, boxes: {
        "image": picture(i),
        "masks": torch.ones(len(ids), 40, 40).bool(),
        "labels": ids,
    },
}


@pytest.mark.parametrize("ids", [(1, 1), (0, 1), (1, 2)], ids=str)
@pytest.mark.parametrize("make", ELSEWHERE.values(), ids=ELSEWHERE)
def test_ids_of_objects_never_pass_for_rows_of_several_labels(make: Any, ids: tuple[int, ...]) -> None:
    """Of one class, or of the classes 0 and 1, the ids of equally many objects look like multi-hot rows."""
    samples = [make(index, torch.tensor(ids), boxes_of(2)) for index in range(4)]
    for mix in (TorchCutMix(), BatchCompose([v2.RandomHorizontalFlip(), TorchCutMix()])):
        with pytest.raises(InputError, match=r"(Labels|Masks) of (the )?objects or of|Masks of objects, or of classes"):
            mix(samples)


@pytest.mark.parametrize("make", [list, tuple, np.array, torch.tensor], ids=lambda make: make.__name__)
def test_ids_of_objects_in_a_ready_batch_are_known_in_any_container(make: Any) -> None:
    images, boxes = torch.stack([picture(index) for index in range(4)]), [{"boxes": boxes_of(2)}] * 4
    ids = make([[0, 1]] * 4) if make in (np.array, torch.tensor) else make(make([0, 1]) for _ in range(4))
    with pytest.raises(InputError, match=r"Labels of the objects or of the sample \(batch\[1\]\)"):
        TorchCutMix()((images, ids, boxes))
    flags = torch.tensor([[False, True]] * 4)
    assert torch.equal(TorchCutMix()((images, flags, boxes))[1], flags.float()), "bools are no ids"


def test_who_says_that_they_are_the_samples_own_is_believed() -> None:
    samples = [(picture(index), torch.tensor([0, 1]), boxes_of(2)) for index in range(4)]
    _, labels, _ = TorchCutMix(kinds={1: "label"})(samples)
    assert torch.equal(labels, torch.tensor([[0.0, 1.0]] * 4))


@pytest.mark.parametrize("counts", [(2, 2, 2, 2), (2, 1, 2, 1)], ids=str)
def test_ids_before_the_boxes_are_fields_where_they_are_declared(counts: tuple[int, ...]) -> None:
    """Each object has the id of its picture, which its label goes on saying."""
    samples = [(picture(i), torch.full((count,), i), boxes_of(count)) for i, count in enumerate(counts)]
    images, ids, boxes = TorchCutMix(1.0, seed=3, boxes=BoxRules(fields=(1,)))(samples)
    assert [len(own) for own in ids] == [len(own.objects) for own in boxes]
    for image, own, objects in zip(images, ids, boxes, strict=True):
        for number, (left, top, right, bottom) in zip(own.tolist(), objects.objects.int().tolist(), strict=True):
            assert (image[0, top:bottom, left:right] == number).any()


def test_ids_that_pass_are_refused_once_they_say_whose_they_are() -> None:
    """Of two for every image nobody knows; of as many as there are objects in each, they are the objects'."""
    mix = TorchCutMix(passthrough=("track",))

    def records(counts: tuple[int, ...]) -> list[Any]:
        return [
            (picture(i), {"boxes": boxes_of(count), "track": torch.arange(count)}) for i, count in enumerate(counts)
        ]

    mix(records((2, 2)))
    with pytest.raises(InputError, match=r"stay behind \(batch\[1\]\['track'\]\).* list it in the fields of BoxRules"):
        mix(records((2, 1)))
    out = TorchCutMix(1.0, seed=0, boxes=BoxRules(fields=("track",)))(records((2, 1)))
    assert all(len(record["track"]) == len(record["boxes"]) for record in out[1])


def test_corners_out_of_order_are_of_another_format() -> None:
    boxes = [torch.tensor([[30.0, 30, 10, 10], [20, 40, 30, 5]])] * 2
    batch = {"image": torch.zeros(2, 3, 64, 64), "boxes": boxes}
    with pytest.raises(InputError, match=r"Boxes whose corners are out of order \(batch\['boxes'\]\).*format='coco'"):
        TorchCutMix()(batch)
    assert all(len(own) >= 2 for own in TorchCutMix(0.0, boxes=BoxRules(format="coco"))(batch)["boxes"])
    few = [torch.tensor([[1.0, 1, 10, 10], [2, 2, 30, 30], [20, 40, 10, 50]])] * 2
    with pytest.warns(DegenerateBoxWarning, match="2 without"):
        TorchCutMix(0.0)(batch | {"boxes": few})


@pytest.mark.parametrize("after", [False, True], ids=["the mix last", "a flip last"])
def test_boxes_that_a_pipeline_has_made_small_are_pixels(after: bool) -> None:
    """They were looked at as they came: on a picture of 16 pixels, one may well lie in the first."""
    params = A.BboxParams(format="pascal_voc", label_fields=["ids"])
    sample = {"image": np.zeros((1000, 1000, 3), np.uint8), "bboxes": np.array([[10.0, 10, 40, 40]]), "ids": [1]}
    steps = [A.Resize(16, 16), AlbumentationsCutMix(), *[A.VerticalFlip(p=0.0)] * after]
    result = AlbumentationsBatchCompose(steps, bbox_params=params, seed=1)([sample] * 2)
    np.testing.assert_allclose(result["bboxes"][0], [[0.16, 0.16, 0.64, 0.64]], atol=1e-6)
    canvas = (1000, 1000)
    boxes = tv_tensors.BoundingBoxes([[10.0, 10, 40, 40]], format="XYXY", canvas_size=canvas)
    steps = [v2.Resize((16, 16)), TorchCutMix(), *[v2.RandomVerticalFlip(p=0.0)] * after]
    _, records = BatchCompose(steps, seed=1)(
        [(torch.zeros(3, *canvas), {"boxes": boxes, "labels": torch.tensor([1])})] * 2
    )
    torch.testing.assert_close(records[0]["boxes"].as_subclass(torch.Tensor), torch.tensor([[0.16, 0.16, 0.64, 0.64]]))
