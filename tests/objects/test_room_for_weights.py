"""Named tuples and dataclasses that have no field for what mixing tells of objects keep their boxes plain."""

import dataclasses
from collections import namedtuple
from typing import Any

import numpy as np
import pytest
import torch

from mixtransforms import BoxRules, CutMix, InputError, MixUp, WeightedObjects

Pair = namedtuple("Pair", "boxes labels")
Roomy = namedtuple("Roomy", "boxes labels box_weights", defaults=(None,))


@dataclasses.dataclass
class Target:
    boxes: Any
    labels: Any


@dataclasses.dataclass
class RoomyTarget(Target):
    box_weights: Any = None


@dataclasses.dataclass
class Instances:
    instance_masks: Any
    labels: Any


@dataclasses.dataclass
class People:
    keypoints: Any
    boxes: Any
    box_weights: Any = None


NO_ROOM = (
    r"No room for what mixing tells of objects \(batch\[1\]\['boxes'\]\): got {} with \['boxes', 'labels'\]; wanted"
)
IMAGES = torch.zeros(2, 3, 32, 32)


def boxes(count: int) -> Any:
    return torch.tensor([[1.0, 1, 28, 28]] * count)


@pytest.mark.parametrize("kind", [Pair, Target])
@pytest.mark.parametrize(
    "mix", [CutMix(1.0, seed=0), MixUp(1.0, p=0.0, seed=0), MixUp(1.0, boxes=BoxRules(weight="ones"), seed=0)], ids=repr
)
def test_where_all_weights_are_one_boxes_stay_plain(mix: Any, kind: Any) -> None:
    """As in dicts, but for the weights."""
    counts = (3, 1)
    _, plain = dataclasses.replace(mix)(IMAGES, [{"boxes": boxes(n), "labels": torch.arange(n)} for n in counts])
    _, targets = dataclasses.replace(mix)(IMAGES, [kind(boxes(n), torch.arange(n)) for n in counts])
    for target, known in zip(targets, plain, strict=True):
        assert type(target) is kind
        assert type(target.boxes) is torch.Tensor
        assert torch.equal(target.boxes, known["boxes"])
        assert torch.equal(target.labels, known["labels"])
    stacked = kind(torch.stack([boxes(2)] * 2), torch.zeros(2, 2, dtype=torch.int64))
    result = mix((IMAGES, stacked))[1]
    assert all(type(each) is torch.Tensor for each in result.boxes)


@pytest.mark.parametrize(("kind", "roomy"), [(Pair, Roomy), (Target, RoomyTarget)])
def test_where_they_are_not_a_field_is_asked_for(kind: Any, roomy: Any) -> None:
    def targets(made: Any) -> Any:
        return IMAGES, [made(boxes(n), torch.arange(n)) for n in (3, 1)]

    with pytest.raises(InputError, match=NO_ROOM.format(kind.__name__)) as error:
        MixUp(1.0, seed=0)(targets(kind))
    assert error.value.fix.startswith("Add to the class box_weights: Any = None, say boxes=BoxRules(weight='ones')")
    known = MixUp(1.0, seed=0)(IMAGES, [{"boxes": boxes(n), "labels": torch.arange(n)} for n in (3, 1)])[1]
    for target, own in zip(MixUp(1.0, seed=0)(targets(roomy))[1], known, strict=True):
        assert torch.equal(target.box_weights, own["box_weights"])
    MixUp(1.0, seed=0, boxes=BoxRules(weight="ones"))(targets(kind))
    with pytest.raises(InputError, match="No room"):
        MixUp(1.0, seed=0)([(image, target) for image, target in zip(*targets(kind), strict=True)])


def test_instances_and_keypoints_are_asked_alike() -> None:
    masks = np.ones((1, 32, 32), bool)
    images = np.zeros((2, 32, 32, 3), np.uint8)
    records = [Instances(masks, np.array([1]))] * 2
    result = CutMix(1.0, seed=0)(images, records)[1]
    assert all(type(record.instance_masks) is np.ndarray for record in result)
    with pytest.raises(InputError, match=r"No room .* instance_weights: Any = None, or return dicts"):
        MixUp(1.0, seed=0)(images.astype(np.float32), records)
    points = np.mgrid[1:31:4, 1:31:4].reshape(1, 2, -1).swapaxes(1, 2).astype(float)
    people = [People(points, np.array([[1.0, 1, 31, 31]]))] * 2
    unmixed = CutMix(1.0, p=0.0)(images, people)[1]
    assert all(type(person.keypoints) is np.ndarray and person.box_weights.tolist() == [1] for person in unmixed)
    with pytest.raises(InputError, match=r"No room .* keypoints_visible: Any = None, or return dicts"):
        CutMix(1.0, seed=0)(images, people)


def test_positions_have_no_names_and_hold_pairs() -> None:
    result = CutMix(1.0, seed=0, kinds={1: "boxes"})((IMAGES, [boxes(3), boxes(1)]))
    assert all(type(each) is WeightedObjects for each in result[1])
