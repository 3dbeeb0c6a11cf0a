"""Crops that are mirrored, and crops behind masks that fill a part of the sample: painted, and told of objects."""

import json
from typing import Any

import numpy as np
import pytest
import tiers
from oracles import paint
from owners import owners, random_box

from mixtransforms import BatchSpec, Boxes, CutMix, Layer, Mask, Plan, PlanError

torch = pytest.importorskip("torch", reason="torch is not installed")

from mixtransforms.kernels import tensor_painter

SHAPE = (9, 7)
SIZE = 3
TRIALS = 40


def mirrored(rng: np.random.Generator, kind: str, *, same: bool = False, opacity: Any = 1.0) -> Plan:
    """One layer on every sample but the last, mirrored at random.

    Args:
        rng: Drawn from.
        kind: ``b`` a box, ``m`` a mask, ``i`` a mask in a box, ``w`` everywhere.
        same: Whether nothing is resized.
        opacity: Of the layer.
    """
    frames = [random_box(rng, SHAPE) if kind in "bi" else Boxes.full(1, SHAPE) for _ in range(SIZE - 1)]
    crops = [random_box(rng, SHAPE) for _ in frames]
    if same:
        start = [rng.integers(0, np.array(SHAPE) - frame.sides[0] + 1) for frame in frames]
        crops = [Boxes([low], [low + frame.sides[0]]) for low, frame in zip(start, frames, strict=True)]
    frame, crop = (Boxes([box.start[0] for box in own], [box.stop[0] for box in own]) for own in (frames, crops))
    region: Any = frame if kind == "b" else None
    if kind in "mi":
        region = Mask((rng.random((SIZE - 1, *SHAPE)) < 0.6) & frame.inside(SHAPE))
    layer = Layer(
        np.arange(SIZE - 1), 1 + np.arange(SIZE - 1), opacity, region, crop, None,
        rng.random((SIZE - 1, 2)) < 0.6, frame if kind == "i" else None,
    )  # fmt: skip
    return Plan(BatchSpec(SIZE, SHAPE), (layer,))


def as_tensors(plan: Plan, images: np.ndarray, **options: Any) -> np.ndarray:
    tensor = torch.from_numpy(images).movedim(-1, 1)
    return np.asarray(tensor_painter.paint(tensor, plan.tensors(), (2, 3), **options).movedim(1, -1))


@tiers.product(kind="bmiw", same=[False, True], opacity=[1.0, 0.25])
def test_images_are_painted_as_pixel_by_pixel(kind: str, same: bool, opacity: float) -> None:
    rng = np.random.default_rng(0)
    for _ in range(TRIALS):
        plan, images = mirrored(rng, kind, same=same, opacity=opacity), rng.random((SIZE, *SHAPE, 2))
        expected = paint(plan, images)
        # Weights of a resize are binary fractions of 18 bits.
        np.testing.assert_allclose(plan.apply(images), expected, atol=1e-12 if same else 2e-5)
        np.testing.assert_allclose(as_tensors(plan, images), plan.apply(images), atol=1e-15)
        pixels = (images * 255).astype(np.uint8)
        np.testing.assert_array_equal(as_tensors(plan, pixels), plan.apply(pixels))
        if same and opacity == 1:
            np.testing.assert_array_equal(plan.apply(images), expected)


@pytest.mark.parametrize("kind", "bmiw")
def test_ids_are_copied_from_the_pixel_that_owns_them(kind: str) -> None:
    rng = np.random.default_rng(1)
    for _ in range(TRIALS):
        plan, ids = mirrored(rng, kind), rng.integers(0, 1000, (SIZE, *SHAPE))
        mixed = CutMix().replay(plan, {"image": np.zeros((SIZE, *SHAPE, 3), np.uint8), "mask": ids})["mask"]
        np.testing.assert_array_equal(as_tensors(plan, ids[..., None], ids=True)[..., 0], mixed)
        for row in range(SIZE):
            found = owners(plan, row)
            source = np.where(found[..., 0] > 0, row + 1, row)
            np.testing.assert_array_equal(mixed[row], ids[source, found[..., 1], found[..., 2]])


@pytest.mark.parametrize("kind", "bmiw")
def test_in_place_is_the_same(kind: str) -> None:
    rng = np.random.default_rng(2)
    for _ in range(TRIALS):
        plan, images = mirrored(rng, kind), rng.random((SIZE, *SHAPE, 2)).astype(np.float32)
        expected = plan.apply(images)
        CutMix(inplace=True).replay(plan, images)
        np.testing.assert_array_equal(images, expected)


@pytest.mark.parametrize("kind", "bmiw")
def test_instances_and_points_are_where_their_pixels_are(kind: str) -> None:
    """A point in a pixel of its own and an instance of random pixels, found again by the owners of pixels."""
    rng = np.random.default_rng(3)
    seen = 0
    for _ in range(TRIALS):
        plan = mirrored(rng, kind, same=True)
        points = [rng.integers(0, np.array(SHAPE[::-1]) * 2, (4, 1, 2)) / 2 for _ in range(SIZE)]
        masks = [rng.random((4, *SHAPE)) < 0.4 for _ in range(SIZE)]
        names = [10 * sample + np.arange(4) for sample in range(SIZE)]
        image = np.zeros((SIZE, *SHAPE, 3), np.uint8)
        dots = CutMix().replay(plan, {"image": image, "keypoints": points, "labels": names})
        shapes = CutMix().replay(plan, {"image": image, "instance_masks": masks, "labels": names})
        for row in range(SIZE):
            found = owners(plan, row)
            for name, point in zip(dots["labels"][row].tolist(), dots["keypoints"][row][:, 0], strict=True):
                x, y = np.floor(point).astype(int).tolist()
                number, top, left = found[y, x].tolist()
                if (number > 0) == (name // 10 != row):
                    assert [left, top] == np.floor(points[name // 10][name % 10, 0]).tolist()
                    seen += name // 10 != row
            for name, mask in zip(shapes["labels"][row].tolist(), shapes["instance_masks"][row], strict=True):
                own = (found[..., 0] > 0) == (name // 10 != row)
                np.testing.assert_array_equal(mask, own & masks[name // 10][name % 10][found[..., 1], found[..., 2]])
                seen += name // 10 != row
    assert seen > 2 * TRIALS


@pytest.mark.parametrize("form", ["xyxy", "cxcywhr", "xyxyxyxy"])
def test_boxes_are_where_their_pixels_are(form: str) -> None:
    """Boxes of whole pixels, wholly shown: corners are mirrored, and go on around rotated ones the same way."""
    from mixtransforms import BoxRules

    boxes = {
        "xyxy": [[1.0, 2, 4, 7]],
        "cxcywhr": [[2.5, 4.5, 3, 5, 0]],
        "xyxyxyxy": [[1.0, 2, 4, 2, 4, 7, 1, 7]],
    }[form]
    expected = {
        (False, True): {"xyxy": [3, 2, 6, 7], "xyxyxyxy": [3, 2, 6, 2, 6, 7, 3, 7]},
        (True, False): {"xyxy": [1, 2, 4, 7], "xyxyxyxy": [4, 7, 1, 7, 1, 2, 4, 2]},
        (True, True): {"xyxy": [3, 2, 6, 7], "xyxyxyxy": [6, 7, 3, 7, 3, 2, 6, 2]},
    }
    for flips, wanted in expected.items():
        whole = Boxes.full(1, SHAPE)
        plan = Plan(BatchSpec(2, SHAPE), (Layer([0], [1], 1.0, None, whole, flip=[flips]),))  # type: ignore[arg-type]
        given = {"image": np.zeros((2, *SHAPE, 3), np.uint8), "boxes": [np.zeros((0, len(boxes[0]))), np.array(boxes)]}
        (found,) = CutMix(boxes=BoxRules(format=form)).replay(plan, given)["boxes"][0].tolist()
        if form == "cxcywhr":
            x1, _, x2, _ = wanted["xyxy"]
            np.testing.assert_allclose(found[:4], [(x1 + x2) / 2, 4.5, 3, 5])
            assert abs(found[4]) % 180 == pytest.approx(0)
        else:
            np.testing.assert_allclose(found, wanted[form])


def test_points_on_whole_numbers_stay_in_their_pixel() -> None:
    plan = Plan(BatchSpec(2, (4, 6)), (Layer([0], [1], 1.0, None, Boxes.full(1, (4, 6)), flip=[(False, True)]),))  # type: ignore[arg-type]
    points = [np.zeros((0, 2)), np.array([[0.0, 0], [5, 3], [0.5, 1.5], [5.75, 2]])]
    mixed = CutMix().replay(plan, {"image": np.zeros((2, 4, 6, 3), np.uint8), "keypoints": points})
    assert mixed["keypoints"][0].tolist() == [[5, 0], [0, 3], [5.5, 1.5], [0.25, 2]]


@pytest.mark.parametrize("kind", "bmiw")
def test_files_and_other_grids(kind: str) -> None:
    rng = np.random.default_rng(4)
    for _ in range(TRIALS):
        plan = mirrored(rng, kind)
        data = plan.to_dict()
        assert data["plan_version"] == 2
        assert Plan.from_dict(json.loads(json.dumps(data))) == plan
        kept = plan.where(np.array([True, False, False]))
        assert kept.layers == (plan.layers[0].take(np.array([True, False])),)
        for shape in ((18, 14), (5, 4), (27, 3)):
            other = plan.on(shape)  # checked again: nothing is painted outside of what crops are fitted into
            assert Plan(other.spec, other.layers).layers == other.layers
        fine = plan.on((18, 14))
        ids = rng.integers(0, 1000, (SIZE, *SHAPE))
        large = ids.repeat(2, axis=1).repeat(2, axis=2)
        image = np.zeros((SIZE, 18, 14, 3), np.uint8)
        mixed = CutMix().replay(fine, {"image": image, "mask": large})["mask"]
        if all(not layer.resizes for layer in plan.layers):
            np.testing.assert_array_equal(mixed[:, ::2, ::2], plan.apply(ids))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"flip": [(True,), (True,)]}, "Bad 'flip'"),
        ({"flip": [(1, 0), (0, 0)]}, "Bad 'flip'.*wanted bools"),
        ({"flip": [(True, False)] * 2, "crop": None}, "Bad 'flip'.*crops to mirror"),
        ({"into": Boxes.full(2, (4, 4))}, "Bad 'into'.*a crop, behind a mask"),
        ({"into": Boxes([(0, 0)] * 2, [(3, 9)] * 2)}, "Bad 'into'"),
        ({"into": Boxes.full(2, (2, 4)), "region": Mask(np.ones((2, 4, 4), bool))}, "Bad 'into'.*0 outside"),
    ],
)
def test_what_cannot_be_painted_is_refused(change: dict[str, Any], message: str) -> None:
    given = {"region": Boxes.full(2, (4, 4)), "crop": Boxes.full(2, (4, 4)), **change}
    with pytest.raises(PlanError, match=message):
        Plan(BatchSpec(2, (4, 4)), (Layer([0, 1], [1, 0], 1.0, **given),))  # type: ignore[arg-type]
