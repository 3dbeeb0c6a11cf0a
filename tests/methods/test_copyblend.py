"""CopyBlend: objects at random places, blended with what is around them; all else stays as it is."""

from typing import Any

import numpy as np
import pytest
from oracles import paint
from scipy import stats

import mixtransforms
from mixtransforms import BatchSpec, Boxes, InputError, Layer, MixUp, ParameterError, Plan, SemanticMask
from mixtransforms.laws import Constant, Uniform
from mixtransforms.methods import CopyBlend

SHAPE = (23, 31)
SIZE = 5


def boxes_of(rng: np.random.Generator, size: int = SIZE, most: int = 4) -> list[np.ndarray]:
    """From none to a few boxes a sample, as ``x1, y1, x2, y2``, of any fractions of pixels."""
    found = []
    for count in rng.integers(0, most + 1, size).tolist():
        start = rng.random((count, 2)) * (SHAPE[1] - 3, SHAPE[0] - 3)
        stop = np.minimum(start + 2 + rng.random((count, 2)) * 18, (SHAPE[1], SHAPE[0]))
        found.append(np.concatenate([start, stop], axis=1))
    return found


def draw(boxes: list[np.ndarray], seed: int = 0, shape: tuple[int, int] = SHAPE, **options: Any) -> Plan:
    method = CopyBlend(**{"min_area": 0.0, **options})
    return method.draw(BatchSpec(len(boxes), shape), np.random.default_rng(seed), {"boxes": boxes})


def copies(plan: Plan) -> list[list[tuple[Layer, int]]]:
    """The layers on every sample, each with the sample's place in it."""
    return [
        [(layer, n) for layer in plan.layers for n in np.flatnonzero(layer.rows == row).tolist()]
        for row in range(plan.size)
    ]


def corners(boxes: Any, index: int) -> np.ndarray:
    """``x1, y1, x2, y2`` of a box of a layer."""
    return np.concatenate([boxes.start[index, ::-1], boxes.stop[index, ::-1]])


@pytest.mark.parametrize("donors", ["batch", "partner"])
@pytest.mark.parametrize("count", [1, 3, 7])
def test_every_copy_is_one_object_in_its_own_size_with_its_margin(count: int, donors: str) -> None:
    for seed in range(30):
        boxes = boxes_of(np.random.default_rng(seed))
        plan = draw(boxes, seed, count=count, donors=donors, pairing="roll", margin=Uniform(0.1, 0.25))
        pool = {(sample, place) for sample, own in enumerate(boxes) for place in range(len(own))}
        for row, found in enumerate(copies(plan)):
            allowed = {each for each in pool if donors == "batch" or each[0] == (row - 1) % SIZE}
            taken = [(int(layer.source[n]), int((layer.objects or ())[n][0])) for layer, n in found]
            assert set(taken) <= allowed
            assert len(set(taken)) == len(taken) == min(count, len(allowed))
            for (layer, n), (source, place) in zip(found, taken, strict=True):
                assert isinstance(layer.region, Boxes)
                assert isinstance(layer.crop, Boxes)
                box, crop, region = boxes[source][place], corners(layer.crop, n), corners(layer.region, n)
                outer = np.concatenate([np.floor(box[:2]), np.ceil(box[2:])])
                side = np.tile(outer[2:] - outer[:2], 2)
                grown = np.abs(crop - outer)
                assert (crop[:2] <= outer[:2]).all()
                assert (crop[2:] >= outer[2:]).all()
                assert (grown <= np.floor(0.25 * side)).all()
                assert ((crop[2:] - crop[:2]) == (region[2:] - region[:2])).all()
                # Less than a tenth only where one of the images ends.
                least, size = np.floor(0.1 * side), np.array([SHAPE[1], SHAPE[0]])
                for edge in range(4):
                    end = 0 if edge < 2 else size[edge - 2]
                    assert grown[edge] >= least[edge] or crop[edge] == end or region[edge] == end


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_images_and_boxes_tell_of_the_same_objects(backend: str) -> None:
    for seed in range(15):
        rng = np.random.default_rng(seed)
        boxes = boxes_of(rng)
        plan = draw(boxes, seed)
        names = [100 * sample + np.arange(len(own)) for sample, own in enumerate(boxes)]
        images: Any = rng.random((SIZE, *SHAPE, 3))
        expected, given = paint(plan, images), {"boxes": boxes, "labels": names}
        if backend == "torch":
            torch = pytest.importorskip("torch")
            images = torch.from_numpy(images).movedim(-1, 1)
            given = {name: [torch.from_numpy(item) for item in own] for name, own in given.items()}  # type: ignore[misc]
        out = MixUp().replay(plan, {"image": images, **given})
        image = np.asarray(out["image"]) if backend == "numpy" else np.asarray(out["image"].movedim(1, -1))
        np.testing.assert_allclose(image, expected, atol=1e-12)
        for row, found in enumerate(copies(plan)):
            told = np.asarray(out["labels"][row]).tolist()
            own = len(boxes[row])
            assert told[:own] == names[row].tolist()  # boxes of the sample stay
            np.testing.assert_array_equal(np.asarray(out["boxes"][row])[:own], boxes[row])
            assert len(told) == own + len(found)
            for place, (layer, n) in enumerate(found, own):
                source, number = int(layer.source[n]), int((layer.objects or ())[n][0])
                assert told[place] == names[source][number]
                shift = corners(layer.region, n) - corners(layer.crop, n)
                np.testing.assert_allclose(np.asarray(out["boxes"][row][place]), boxes[source][number] + shift)
            if found:  # the last one is covered by none
                assert np.asarray(out["box_weights"][row])[-1] == np.float32(found[-1][0].opacity[found[-1][1]])


def test_a_paste_weighs_all_of_its_pixels() -> None:
    plan = draw([np.array([[0.0, 0, 12, 12]])] * 2, count=1, weight=Constant(0.0))
    assert [layer.opacity.tolist() for layer in plan.layers] == [[1.0, 1.0]]


def test_weights_are_of_their_law_and_one_a_sample() -> None:
    plan = draw([np.array([[0.0, 0, 9, 9], [9, 9, 20, 20]])] * 400, count=2, pairing="roll")
    first, second = plan.layers
    assert (first.opacity == second.opacity).all()
    assert stats.kstest(first.opacity, stats.uniform(0.45, 0.1).cdf).pvalue > 1e-3
    batch = draw([np.array([[0.0, 0, 9, 9]])] * 7, count=1, per="batch", p=0.9)
    assert len(set(batch.layers[0].opacity.tolist())) == 1


def test_every_place_inside_is_as_likely_as_any_other() -> None:
    plan = draw([np.array([[0.0, 0, 4, 2]])] * 3000, shape=(5, 6), count=1, margin=Constant(0.0))
    start = plan.layers[0].region.start  # type: ignore[union-attr]
    assert start.max(axis=0).tolist() == [3, 2]
    assert stats.chisquare(np.bincount(start[:, 0])).pvalue > 1e-3
    assert stats.chisquare(np.bincount(start[:, 1])).pvalue > 1e-3


def test_small_objects_and_those_outside_are_not_taken() -> None:
    boxes = [np.array([[0.0, 0, 9.9, 10], [0, 0, 10, 10], [-20, 0, -5, 20], [25, 0, 60, 10], [0, 0, 0, 0]])] * 2
    for seed in range(10):
        plan = draw(boxes, seed, min_area=100.0, count=5)
        assert [sorted((layer.objects or ())[n][0] for layer, n in found) for found in copies(plan)] == [[1, 1]] * 2


@pytest.mark.parametrize("size", [0, 1, 2, 5])
def test_batches_without_objects_stay_as_they_are(size: int) -> None:
    assert not draw([np.zeros((0, 4))] * size).layers
    assert not draw([np.zeros((2, 4))] * size).layers


def test_an_object_as_large_as_the_image_stays_at_its_place() -> None:
    plan = draw([np.array([[0.0, 0, 31, 23]])] * 2, count=1)
    assert plan.layers[0].region == plan.layers[0].crop == Boxes.full(2, SHAPE)


def test_a_sample_draws_the_same_whoever_else_is_mixed() -> None:
    boxes = boxes_of(np.random.default_rng(1), 30)
    every, some = (draw(boxes, 3, p=p, pairing="roll") for p in (1.0, 0.5))
    assert 0 < some.mixed.sum() < every.mixed.sum()
    for row in np.flatnonzero(some.mixed).tolist():
        for (layer, n), (other, m) in zip(copies(some)[row], copies(every)[row], strict=True):
            assert layer.take(layer.rows == layer.rows[n]) == other.take(other.rows == other.rows[m])


def test_what_cannot_be_blended_is_refused() -> None:
    with pytest.raises(InputError, match="CopyBlend reads boxes"):
        CopyBlend().draw(BatchSpec(2, SHAPE), np.random.default_rng(0))
    with pytest.raises(InputError, match="CopyBlend needs boxes in images"):
        CopyBlend().draw(BatchSpec(2, (9,)), np.random.default_rng(0), {"boxes": [np.zeros((0, 4))] * 2})
    for count in (0, 65, 1.5, True, None):
        with pytest.raises(ParameterError, match=r"'count' .*wanted a whole number within \[1, 64\]"):
            CopyBlend(count=count)  # type: ignore[arg-type]


def test_masks_tell_of_several_blends_by_another_form_than_pairs() -> None:
    boxes, masks = boxes_of(np.random.default_rng(4)), np.random.default_rng(0).integers(0, 3, (SIZE, *SHAPE))
    batch = {"image": np.zeros((SIZE, *SHAPE, 3), np.uint8), "boxes": boxes, "mask": masks}
    for options in ({}, {"p": 0.0}, {"min_area": 1e6}, {"masks": "dominant"}):  # whatever is drawn
        with pytest.raises(InputError, match=r"Several samples may be blended .*up to 4 .*masks='mix' or masks='soft'"):
            mixtransforms.CopyBlend(seed=0, **options)(batch)
    declared = mixtransforms.CopyBlend(min_area=4, kinds={"mask": SemanticMask(form="dominant")})
    with pytest.raises(InputError, match=r"masks='dominant', .*kinds={'mask': SemanticMask\(form='mix'\)}"):
        declared(batch)
    mixtransforms.CopyBlend(min_area=4, kinds={"mask": SemanticMask(form="mix")})(batch)
    mixtransforms.CopyBlend(min_area=4, count=1)(batch)
    mixed = mixtransforms.CopyBlend(min_area=4, seed=0, masks="mix")(batch)
    assert mixed["mask"].shape == (SIZE, 4, *SHAPE)
    soft = mixtransforms.CopyBlend(min_area=4, seed=0, masks="soft", num_classes=3)(batch)["mask"]
    np.testing.assert_allclose(soft.sum(axis=-1), 1, atol=1e-6)
    with pytest.raises(ParameterError, match=r"Pairs tell of two sources .*up to 4"):
        mixtransforms.CopyBlend(labels="pair")
