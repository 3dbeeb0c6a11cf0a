"""Filters of torchvision in pipelines: whatever their ``labels_getter`` names leaves with the objects."""

import dataclasses
from collections import OrderedDict, namedtuple
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("torchvision", reason="torchvision is not installed")

from torchvision import tv_tensors
from torchvision.transforms import v2

from mixtransforms import BoxRules, InputError
from mixtransforms.torchvision import BatchCompose, CutMix, MixUp

ROWS = [[1.0, 1, 20, 20], [2, 2, 4, 4], [3, 3, 30, 30]]
FORMS = {"typed": None, "tensors": torch.tensor, "numpy": np.array, "lists": list}


def target(form: str = "typed", **more: Any) -> dict[str, Any]:
    """Three boxes, the second of which is small, with what is told of them."""
    boxes = (
        tv_tensors.BoundingBoxes(ROWS, format="XYXY", canvas_size=(32, 32)) if form == "typed" else FORMS[form](ROWS)
    )
    make = torch.tensor if form == "typed" else FORMS[form]
    told = {name: make(values) for name, values in more.items()}
    return {"boxes": boxes, "labels": make([8, 7, 9]), **told}


def sample(form: str = "typed", **more: Any) -> tuple[Any, dict[str, Any]]:
    return torch.zeros(3, 32, 32), target(form, **more)


def numbers(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else list(value)


def both(s: Any) -> Any:
    return s[1]["labels"], s[1]["difficult"]


STEPS: dict[str, Callable[[Any], list[Any]]] = {
    "directly": lambda filter: [filter],
    "after a flip": lambda filter: [v2.RandomHorizontalFlip(1.0), filter],
    "twice": lambda filter: [filter, v2.RandomHorizontalFlip(1.0), filter],
}


@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize("form", FORMS)
def test_what_a_getter_names_is_filtered(form: str, steps: str) -> None:
    filter = v2.SanitizeBoundingBoxes(min_size=5, labels_getter=both)
    given = sample(form, difficult=[1, 1, 0])
    out = BatchCompose(STEPS[steps](filter))([given] * 2)[1][0]
    assert len(out["boxes"]) == 2
    assert numbers(out["labels"]) == [8, 9]
    assert numbers(out["difficult"]) == [1, 0]
    assert type(out["difficult"]) is type(given[1]["difficult"])
    if form == "typed":
        image = tv_tensors.Image(given[0])
        theirs = v2.Compose(STEPS[steps](filter))((image, given[1]))[1]
        assert all(torch.equal(out[name], theirs[name]) for name in theirs)


@pytest.mark.parametrize("key", ["gt_labels", "box_label", "Labels_3d"])
def test_what_the_host_takes_for_labels_is_filtered(key: str) -> None:
    """Its rule is any key that has "label" in it."""
    given = torch.zeros(3, 32, 32), {"boxes": target()["boxes"], key: torch.tensor([8, 7, 9])}
    filter = v2.SanitizeBoundingBoxes(min_size=5)
    theirs = v2.Compose([filter])((tv_tensors.Image(given[0]), given[1]))[1]
    out = BatchCompose([filter])([given])[1][0]
    assert torch.equal(out[key], theirs[key])
    assert out[key].tolist() == [8, 9]


def test_points_with_their_names() -> None:
    points = tv_tensors.KeyPoints([[40.0, 5], [5, 5], [5, 40]], canvas_size=(32, 32))
    given = {"image": torch.zeros(3, 32, 32), "keypoints": points, "names": torch.tensor([1, 2, 3])}
    for getter in (lambda s: s["names"], lambda s: [s["names"]]):
        filter = v2.SanitizeKeyPoints(labels_getter=getter)
        out = BatchCompose([filter])([given])
        theirs = v2.Compose([filter])(given | {"image": tv_tensors.Image(given["image"])})
        assert out["names"][0].tolist() == theirs["names"].tolist() == [2]
        assert out["keypoints"][0].tolist() == theirs["keypoints"].tolist()


def test_a_getter_sees_the_sample_as_it_is() -> None:
    seen = []

    def getter(s: Any) -> Any:
        seen.append((tuple(s[0].shape), s[1]["boxes"].canvas_size, s[1]["boxes"].shape))
        return None

    filter = v2.SanitizeBoundingBoxes(min_size=5, labels_getter=getter)
    BatchCompose([v2.Resize((64, 48)), filter, filter])([sample()])
    assert seen == [((3, 64, 48), (64, 48), (3, 4)), ((3, 64, 48), (64, 48), (2, 4))]


Named = namedtuple("Named", "image target")


@dataclasses.dataclass
class Record:
    image: Any
    target: Any


def records_of(batch: Any) -> Any:
    """What a batch tells of objects, image by image or all at once."""
    if isinstance(batch, (Named, Record)):
        return batch.target
    return batch.get("target", [batch]) if isinstance(batch, dict) else batch[1]


@pytest.mark.parametrize(
    ("wrap", "getter"),
    [
        (lambda image, own: (image, own), lambda s: s[1]["difficult"]),
        (lambda image, own: {"image": image, **own}, lambda s: s["difficult"]),
        (lambda image, own: OrderedDict(image=image, target=own), lambda s: s["target"]["difficult"]),
        (Named, lambda s: s.target["difficult"]),
        (Record, lambda s: s.target["difficult"]),
    ],
    ids=["tuple", "dict", "ordered", "named", "dataclass"],
)
def test_every_container(wrap: Any, getter: Any) -> None:
    filter = v2.SanitizeBoundingBoxes(min_size=5, labels_getter=getter)
    given = wrap(torch.zeros(3, 32, 32), target(difficult=[1, 1, 0]))
    out = BatchCompose([filter, v2.RandomHorizontalFlip()])([given] * 2)
    values = [each["difficult"] for each in records_of(out)]
    assert torch.stack([value.reshape(-1, 2) for value in values]).reshape(-1, 2).tolist() == [[1, 0]] * 2


def test_behind_a_mix() -> None:
    """What a mix is told to join is filtered behind it as well, and so is what is left alone."""
    filter = v2.SanitizeBoundingBoxes(min_size=5, labels_getter=both)
    mix = MixUp(1.0, boxes=BoxRules(fields=("difficult",)), p=0.0)
    out = BatchCompose([mix, v2.RandomHorizontalFlip(), filter])([sample(difficult=[1, 1, 0])] * 2)[1][0]
    assert (out["labels"].tolist(), out["difficult"].tolist()) == ([8, 9], [1, 0])
    kept = CutMix(p=0.0, passthrough=("difficult",))
    out = BatchCompose([kept, v2.RandomHorizontalFlip(), filter])([sample(difficult=[1, 1, 0])] * 2)[1][0]
    assert (out["labels"].tolist(), out["difficult"].tolist()) == ([8, 9], [1, 0])


@pytest.mark.parametrize(
    ("getter", "match"),
    [
        (lambda s: s[1]["labels"] + 0, r"no value of the sample \(labels_getter\): got Tensor \(3,\)"),
        (lambda s: (s[1]["labels"], 3), r"no value of the sample \(labels_getter\): got int"),
        (lambda s: s[1]["short"], r"Objects of different number \(batch\[1\]\['short'\]\): got 2 rows; wanted 3"),
    ],
)
def test_what_cannot_be_filtered_is_refused(getter: Any, match: str) -> None:
    with pytest.raises(InputError, match=match):
        BatchCompose([v2.SanitizeBoundingBoxes(labels_getter=getter)])([sample(short=[1, 0])])


def test_rows_that_are_missing_are_refused() -> None:
    """A flip alone would have cut the third label off, or ended in an index error."""
    for labels in ([1, 2, 3, 4], [1]):
        given = torch.zeros(3, 32, 32), target() | {"labels": torch.tensor(labels)}
        with pytest.raises(InputError, match=r"Objects of different number \(batch\[1\]\['labels'\]\): got \d rows"):
            BatchCompose([v2.RandomHorizontalFlip()])([given])


class Dropping(v2.Transform):
    """A user's own filter of boxes, which knows nothing of labels."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        if not isinstance(inpt, tv_tensors.BoundingBoxes):
            return inpt
        return tv_tensors.wrap(inpt[1:], like=inpt)


def test_boxes_do_not_leave_alone() -> None:
    with pytest.raises(InputError, match=r"A transform has dropped objects \(batch\[1\]\['boxes'\]\): got 2 rows"):
        BatchCompose([Dropping()])([sample()])


# ------------------------------------------------------------------------------------------------- without any boxes


@pytest.mark.parametrize("getter", ["default", None, both])
def test_images_without_annotations(getter: Any) -> None:
    """``wrap_dataset_for_transforms_v2`` leaves boxes and labels out where there are none."""
    filter = v2.SanitizeBoundingBoxes(min_size=5, labels_getter=getter)
    bare = torch.zeros(3, 32, 32), {"image_id": 3}
    full = sample(difficult=[1, 1, 0])
    out = BatchCompose([v2.RandomHorizontalFlip(), filter])([full, bare])
    assert len(out[1][0]["boxes"]) == 2
    assert out[1][1] == {"image_id": 3}
    mixed = BatchCompose([v2.RandomHorizontalFlip(), filter, CutMix(boxes=BoxRules(fields=("difficult",)))], seed=1)
    assert len(mixed([full, bare])[0]) == 2


def test_boxes_that_nobody_knows_are_no_absence() -> None:
    with pytest.raises(InputError, match=r"No boxes .*\(batch\[1\]\['boxs'\]\).*kinds=\{'boxs': 'boxes'\}"):
        BatchCompose([v2.SanitizeBoundingBoxes()])([(torch.zeros(3, 32, 32), {"boxs": torch.tensor(ROWS)})])
    mix = CutMix(kinds={"boxs": "boxes"}, p=0.0)
    out = BatchCompose([v2.SanitizeBoundingBoxes(min_size=5), mix])(
        [(torch.zeros(3, 32, 32), {"boxs": torch.tensor(ROWS)})] * 2
    )
    assert [len(each["boxs"]) for each in out[1]] == [2, 2]
