"""Objects of a layer: which of a source's objects come along with its pixels."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from owners import random_box
from seen import objects_left

from mixtransforms import BatchSpec, Boxes, Layer, Mask, MixUp, Plan, PlanError

Values = NDArray[Any]

SHAPE = (9, 7)
SIZE = 4
TRIALS = 60


def told(rng: np.random.Generator, *names: str) -> dict[str, list[Values]]:
    """Some objects of every image, from none to four."""
    counts = rng.integers(0, 5, SIZE)
    values: dict[str, list[Values]] = {"boxes": [], "masks": [], "labels": [], "keypoints": []}
    for count in counts.tolist():
        boxes = [random_box(rng, SHAPE) for _ in range(count)]
        corners = [np.concatenate([box.start[0, ::-1], box.stop[0, ::-1]]) for box in boxes]
        values["boxes"].append(np.array(corners, np.float64).reshape(-1, 4))
        values["masks"].append(np.array([box.inside(SHAPE)[0] for box in boxes], np.bool_).reshape(-1, *SHAPE))
        values["labels"].append(rng.integers(0, 100, count))
        values["keypoints"].append(np.array([box[:2] + 0.5 for box in values["boxes"][-1]]).reshape(-1, 1, 2))
    return {name: values[name] for name in names}


def choosing(rng: np.random.Generator, counts: Sequence[int], kinds: str) -> Plan:
    """Layers on random samples, of which most choose objects of their sources."""
    layers = []
    for _ in range(rng.integers(1, 4)):
        rows = np.flatnonzero(rng.random(SIZE) < 0.7)
        source = rng.integers(0, SIZE, len(rows))
        boxes = [random_box(rng, SHAPE) for _ in rows]
        region: Any = Boxes([*(box.start[0] for box in boxes)], [*(box.stop[0] for box in boxes)]) if boxes else None
        crop = None
        kind = rng.choice(list(kinds))
        if kind == "m":
            region = Mask(rng.random((len(rows), *SHAPE)) < rng.random())
        elif kind == "r" and boxes:
            crops = [random_box(rng, SHAPE) for _ in rows]
            crop = Boxes([box.start[0] for box in crops], [box.stop[0] for box in crops])
        opacity = rng.choice([0.25, 1.0], len(rows))
        chosen = [np.flatnonzero(rng.random(counts[sample]) < 0.5) for sample in source.tolist()]
        layers.append(Layer(rows, source, opacity, region, crop, tuple(chosen) if rng.random() < 0.8 else None))
    return Plan(BatchSpec(SIZE, SHAPE), tuple(layers))


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize(
    ("names", "kinds"),
    [(("boxes", "labels"), "bmr"), (("boxes", "masks", "labels"), "bm"), (("boxes", "keypoints"), "bmr")],
    ids=["boxes", "instances", "keypoints"],
)
def test_the_chosen_objects_of_a_source_come_along_and_no_others(
    names: tuple[str, ...], kinds: str, backend: str
) -> None:
    rng = np.random.default_rng(7)
    for _ in range(TRIALS):
        values = told(rng, *names)
        plan = choosing(rng, [len(own) for own in values["boxes"]], kinds)
        plan = Plan.from_dict(json.loads(json.dumps(plan.to_dict())))
        expected = objects_left(plan, values)
        given = {"instance_masks" if name == "masks" else name: own for name, own in values.items()}
        image: Any = np.zeros((SIZE, *SHAPE, 3), np.float32)
        if backend == "torch":
            image = torch.zeros(SIZE, 3, *SHAPE)
            given = {name: [torch.from_numpy(item) for item in own] for name, own in given.items()}
        mixed = MixUp().replay(plan, {"image": image, **given})
        for name, items in expected.items():
            for found, wanted in zip(mixed["instance_masks" if name == "masks" else name], items, strict=True):
                np.testing.assert_allclose(np.asarray(found, wanted.dtype), wanted, err_msg=name, rtol=1e-6)


def chosen_plan(*objects: Sequence[int]) -> Plan:
    """The upper halves of both samples, each with the objects of the other one that are chosen."""
    half = Boxes([(0, 0), (0, 0)], [(4, 8), (4, 8)])
    return Plan(BatchSpec(2, (8, 8)), (Layer([0, 1], [1, 0], 1.0, half, objects=objects),))  # type: ignore[arg-type]


def test_objects_are_given_as_places_in_any_order_or_as_bools() -> None:
    plan = chosen_plan([2, 0], [])
    assert plan == chosen_plan([0, 2, 2], [])
    assert plan == chosen_plan([True, False, True], [False])
    assert plan != chosen_plan([0], []) != chosen_plan([], [])
    assert plan != Plan(plan.spec, (Layer([0, 1], [1, 0], 1.0, plan.layers[0].region),))


def test_objects_follow_the_rows_of_a_layer() -> None:
    plan = chosen_plan([0, 2], [1])
    (layer,) = plan.where(np.array([False, True])).layers
    assert [places.tolist() for places in layer.objects or ()] == [[1]]
    assert [places.tolist() for places in plan.on((4, 4)).layers[0].objects or ()] == [[0, 2], [1]]


def test_a_plan_that_chooses_objects_is_of_the_second_version() -> None:
    assert chosen_plan([0], []).to_dict()["plan_version"] == 2
    assert "plan_version" not in Plan(BatchSpec(2, (8, 8)), (Layer([0], [1], 1.0),)).to_dict()


def test_objects_cannot_be_changed() -> None:
    (layer,) = chosen_plan([0, 2], []).layers
    with pytest.raises(ValueError, match="read-only"):
        (layer.objects or ())[0][0] = 1


@pytest.mark.parametrize(
    ("objects", "message"),
    [
        ([[0]], "Bad 'objects'.*one a row, 2"),
        ([[-1], []], "Bad 'objects'.*from 0 on"),
        ([[[0]], []], "Bad 'objects'.*an empty one where no object comes along"),
        ([[0.5], []], "Not whole numbers"),
    ],
)
def test_objects_that_are_none_are_refused(objects: Any, message: str) -> None:
    with pytest.raises(PlanError, match=message):
        chosen_plan(*objects)


@pytest.mark.parametrize("places", ["01", [["0"]], [0, 1], [[True], []], {"0": [0]}])
def test_files_with_other_things_than_lists_of_places_are_refused(places: Any) -> None:
    data = chosen_plan([0], []).to_dict()
    data["layers"][0]["objects"] = places
    with pytest.raises(PlanError, match=r"Not a plan|Bad 'objects'"):
        Plan.from_dict(data)


def test_objects_that_a_sample_does_not_have_are_refused() -> None:
    images, boxes = np.zeros((2, 8, 8, 3), np.uint8), [np.array([[0.0, 0, 2, 2]])] * 2
    with pytest.raises(PlanError, match="object 1 of sample 1, which has 1"):
        MixUp().replay(chosen_plan([0, 1], []), {"image": images, "boxes": boxes})


def test_points_that_are_objects_of_their_own_follow_their_pixels() -> None:
    images = np.zeros((2, 8, 8, 3), np.uint8)
    points = [np.array([[1.0, 6.0]]), np.array([[1.0, 1.0], [2.0, 7.0]])]
    mixed = MixUp().replay(chosen_plan([], []), {"image": images, "keypoints": points})
    assert mixed["keypoints"][0].tolist() == [[1.0, 6.0], [1.0, 1.0]]


def test_a_sample_that_is_painted_on_itself_brings_what_is_chosen() -> None:
    boxes = [np.array([[0.0, 0, 4, 4], [4, 4, 8, 8]])]
    layer = Layer([0], [0], 1.0, Boxes([(0, 0)], [(4, 8)]), Boxes([(4, 0)], [(8, 8)]), objects=[[1]])  # type: ignore[arg-type]
    mixed = MixUp().replay(
        Plan(BatchSpec(1, (8, 8)), (layer,)), {"image": np.zeros((1, 8, 8, 3), np.uint8), "boxes": boxes}
    )
    assert mixed["boxes"][0].tolist() == [[4, 4, 8, 8], [4, 0, 8, 4]]


def test_degenerate_boxes_count_as_places() -> None:
    images, boxes = np.zeros((2, 8, 8, 3), np.uint8), [np.zeros((0, 4)), np.array([[3.0, 3, 3, 3], [0, 0, 2, 2]])]
    with pytest.warns(UserWarning, match="Boxes without an area"):
        mixed = MixUp().replay(chosen_plan([1], []), {"image": images, "boxes": boxes})
    assert mixed["boxes"][0].tolist() == [[0, 0, 2, 2]]
