"""Copy-Paste: painted objects say whose every pixel is, and everything told of objects says the same."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import tiers
from doors import DOORS, Door
from owners import moves, owners
from scipy import stats

from mixtransforms import BatchSpec, CutMix, InputError, Plan
from mixtransforms.methods import CopyPaste as Method

SHAPE = (13, 17)
SCENES = 60 if tiers.everything else 3
OBJECTS = 40
SIZE = 8


class Scene:
    """Images on which every object is painted in a colour of its own, and the sample itself in one more.

    A pixel of two objects belongs to both masks, and has the colour of the later one.
    """

    def __init__(self, rng: np.random.Generator, size: int = SIZE, most: int = OBJECTS) -> None:
        counts = rng.integers(0, most + 1, size)
        self.masks = [self._blobs(rng, count) for count in counts.tolist()]
        self.boxes = [np.array([_around(mask) for mask in own], np.float64).reshape(-1, 4) for own in self.masks]
        self.names = [100 * (1 + image) + np.arange(len(own)) for image, own in enumerate(self.masks)]
        self.image = np.empty((size, *SHAPE), np.int64)
        for image, own in enumerate(self.masks):
            self.image[image] = -1 - image
            for name, mask in zip(self.names[image], own, strict=True):
                self.image[image][mask] = name

    def _blobs(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Ellipses with holes, of a pixel at least."""
        y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
        masks = np.zeros((count, *SHAPE), np.bool_)
        for mask in masks:
            centre, radius = rng.random(2) * SHAPE, 1 + rng.random(2) * 4
            mask[...] = ((y - centre[0]) / radius[0]) ** 2 + ((x - centre[1]) / radius[1]) ** 2 <= 1
            mask &= rng.random(SHAPE) < 0.9
            mask[int(centre[0]), int(centre[1])] = True
        return masks

    def batch(self, backend: str) -> dict[str, Any]:
        values: dict[str, Any] = {"instance_masks": self.masks, "boxes": self.boxes, "ids": self.names}
        if backend == "numpy":
            return {"image": self.image[..., None].astype(np.int32), "labels": self.names, **values}
        torch = pytest.importorskip("torch")
        tensors = {name: [torch.from_numpy(item) for item in own] for name, own in values.items()}
        return {
            "image": torch.from_numpy(self.image[:, None].astype(np.int32)),
            "labels": [torch.from_numpy(own) for own in self.names],
            **tensors,
        }


def _around(mask: np.ndarray) -> tuple[int, int, int, int]:
    ys, xs = np.nonzero(mask)
    return int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1


def drawn(scene: Scene, seed: int, **options: Any) -> Plan:
    return Method(**options).draw(
        BatchSpec(len(scene.masks), SHAPE), np.random.default_rng(seed), {"instances": scene.masks}
    )


def chosen(plan: Plan, row: int) -> Sequence[int]:
    """The places of the objects that a sample gets."""
    for layer in plan.layers:
        for index in np.flatnonzero(layer.rows == row).tolist():
            return (layer.objects or ())[index].tolist()
    return []


@pytest.mark.parametrize("first", [0, 1000, 2000, 3000])
@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_pixels_masks_boxes_and_fields_are_of_the_same_objects(backend: str, first: int) -> None:
    """Over 100,000 painted objects in the exhaustive tier, all cases together."""
    painted = 0
    for seed in range(first, first + SCENES):
        scene = Scene(np.random.default_rng(seed))
        plan = drawn(scene, seed)
        out = CutMix().replay(plan, scene.batch(backend))
        image = np.asarray(out["image"]).reshape(SIZE, *SHAPE)
        for row in range(SIZE):
            partner, taken = int(plan.partner[row]), chosen(plan, row)
            alpha = scene.masks[partner][taken].any(axis=0)
            assert (image[row] == np.where(alpha, scene.image[partner], scene.image[row])).all()
            expected: dict[int, tuple[np.ndarray, Any]] = {}
            for number, mask in enumerate(scene.masks[row]):
                left = mask & ~alpha
                if left.sum() >= max(1, 0.1 * mask.sum()):
                    box = scene.boxes[row][number] if left.sum() == mask.sum() else _around(left)
                    expected[int(scene.names[row][number])] = (left, box)
            for number in taken:
                expected[int(scene.names[partner][number])] = (
                    scene.masks[partner][number],
                    scene.boxes[partner][number],
                )
            names = np.asarray(out["labels"][row]).tolist()
            assert names == list(expected)
            for place, (mask, box) in enumerate(expected.values()):
                np.testing.assert_array_equal(np.asarray(out["instance_masks"][row][place]), mask)
                np.testing.assert_array_equal(np.asarray(out["boxes"][row][place]), box)
            own = [mask for name, (mask, _) in expected.items() if name // 100 == row + 1]
            assert not (np.array(own, bool).reshape(-1, *SHAPE) & alpha).any()  # what is pasted hides what is there
            painted += len(scene.masks[row]) + len(taken)
    assert painted > 210 * SCENES


@pytest.mark.parametrize("options", [{"flip": 1.0}, {"jitter": "standard"}, {"jitter": "large", "flip": 0.5}], ids=str)
@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_so_they_are_where_the_donor_is_mirrored_and_resized(options: dict[str, Any], backend: str) -> None:
    """Of every pasted pixel the owner is worked out with fractions."""
    pasted = 0
    for seed in range(6):
        scene = Scene(np.random.default_rng(seed), most=6)
        plan = drawn(scene, seed, **options)
        batch = scene.batch(backend) | {"mask": scene.batch(backend)["image"]}
        batch["image"] = np.zeros((SIZE, *SHAPE, 3), np.uint8)
        if backend == "torch":
            batch["image"] = pytest.importorskip("torch").zeros(SIZE, 3, *SHAPE)
        out = CutMix().replay(plan, batch)
        for row in range(SIZE):
            partner, taken, found = int(plan.partner[row]), chosen(plan, row), owners(plan, row)
            alpha, (y, x) = found[..., 0] > 0, (found[..., 1], found[..., 2])
            mask = np.where(alpha, scene.image[partner][y, x], scene.image[row])
            assert (np.asarray(out["mask"][row]).reshape(SHAPE) == mask).all()
            moved = {int(scene.names[partner][n]): alpha & scene.masks[partner][n][y, x] for n in taken}
            assert all(mask.any() for mask in moved.values())
            assert (np.any([np.zeros(SHAPE, bool), *moved.values()], axis=0) == alpha).all()
            told = {int(name): place for place, name in enumerate(np.asarray(out["labels"][row])) if name in moved}
            crop = tuple(slice(*ends) for ends in cropped(plan, row))
            for name, shown in moved.items():
                whole = scene.masks[partner][name % 100]
                if whole[crop].sum() < 0.1 * whole.sum():  # most of it lies beyond
                    assert name not in told
                    continue
                place, pasted = told.pop(name), pasted + 1
                np.testing.assert_array_equal(np.asarray(out["instance_masks"][row][place]), shown)
                np.testing.assert_array_equal(np.asarray(out["boxes"][row][place]), _around(shown))
            assert not told
    assert pasted > 60


def cropped(plan: Plan, row: int) -> list[tuple[int, int]]:
    """What of its partner a sample gets, a start and a stop an axis."""
    for layer in plan.layers:
        for index in np.flatnonzero(layer.rows == row).tolist():
            return moves(layer, index, plan.spec.shape)[0]
    return [(0, length) for length in SHAPE]


@pytest.mark.parametrize(("jitter", "low", "high"), [("standard", 0.8, 1.25), ("large", 0.1, 2.0)])
def test_scales_are_uniform_and_places_inside(jitter: str, low: float, high: float) -> None:
    masks = [np.ones((1, 1000, 1), bool)] * 500
    plan = Method(jitter=jitter, flip=0.5, pairing="roll").draw(
        BatchSpec(500, (1000, 1)), np.random.default_rng(0), {"instances": masks}
    )
    (layer,) = plan.layers
    assert layer.crop is not None
    assert layer.into is not None
    assert layer.flip is not None
    scale = (layer.into.sides / layer.crop.sides)[:, 0]
    assert stats.kstest(scale, stats.uniform(low, high - low).cdf).pvalue > 1e-3
    assert not layer.flip[:, 0].any()
    assert stats.binomtest(int(layer.flip[:, 1].sum()), 500, 0.5).pvalue > 1e-3
    for boxes in (layer.crop, layer.into):
        room = 1000 - boxes.sides[:, 0]
        at = boxes.start[room > 50, 0] / room[room > 50]
        assert stats.kstest(at, "uniform").pvalue > 1e-3
    assert Plan(plan.spec, plan.layers) == plan


def test_each_object_is_taken_with_its_chance_and_one_at_least() -> None:
    masks = [np.eye(4, dtype=bool)[:, None] for _ in range(40)]
    counts = np.zeros(5)
    for seed in range(50):
        plan = Method(pairing="roll").draw(BatchSpec(40, (1, 4)), np.random.default_rng(seed), {"instances": masks})
        for row in range(40):
            counts[len(chosen(plan, row))] += 1
    law = stats.binom(4, 0.5).pmf(np.arange(5))
    law[1], law[0] = law[1] + law[0], 0
    assert counts[0] == 0
    assert stats.chisquare(counts[1:], 2000 * law[1:]).pvalue > 1e-3


@pytest.mark.parametrize(("chance", "count"), [(0.0, 1), (1.0, 5)])
def test_chances_at_their_ends(chance: float, count: int) -> None:
    masks = [np.eye(5, dtype=bool)[:, None] for _ in range(4)]
    plan = Method(chance=chance).draw(BatchSpec(4, (1, 5)), np.random.default_rng(0), {"instances": masks})
    assert [len(chosen(plan, row)) for row in range(4)] == [count] * 4


@pytest.mark.parametrize("size", [0, 1, 2, 5])
def test_donors_without_objects_leave_samples_as_they_are(size: int) -> None:
    none = [np.zeros((0, *SHAPE), bool)] * size
    plan = Method().draw(BatchSpec(size, SHAPE), np.random.default_rng(0), {"instances": none})
    assert not plan.layers
    empty = [np.zeros((3, *SHAPE), bool)] * size  # objects without a pixel cannot be taken either
    assert not Method().draw(BatchSpec(size, SHAPE), np.random.default_rng(0), {"instances": empty}).layers


def test_only_samples_whose_partner_has_objects_are_painted() -> None:
    masks = [np.ones((1, 2, 2), bool), np.zeros((0, 2, 2), bool), np.zeros((0, 2, 2), bool)]
    plan = Method(pairing="roll").draw(BatchSpec(3, (2, 2)), np.random.default_rng(0), {"instances": masks})
    assert plan.mixed.tolist() == [False, True, False]


def test_a_sample_draws_the_same_whoever_else_is_mixed() -> None:
    scene = Scene(np.random.default_rng(1), size=30)
    every, some = (drawn(scene, 3, p=p, pairing="roll") for p in (1.0, 0.5))
    assert 0 < some.mixed.sum() < every.mixed.sum()
    for row in np.flatnonzero(some.mixed).tolist():
        assert chosen(some, row) == chosen(every, row)


def test_a_draw_without_instances_is_refused() -> None:
    with pytest.raises(InputError, match="CopyPaste reads instances"):
        Method().draw(BatchSpec(2, (3, 3)), np.random.default_rng(0))


@pytest.mark.parametrize("name", ["CopyPaste", "CopyBlend", "ClassMix"])
@pytest.mark.parametrize("door", DOORS, ids=str)
def test_doors_draw_from_what_the_batch_tells(door: Door, name: str) -> None:
    scene = Scene(np.random.default_rng(0))
    maps = np.random.default_rng(1).integers(0, 5, (SIZE, *SHAPE))
    batch = scene.batch("numpy" if door.named else "torch") | {"mask": maps}
    batch["image"] = np.zeros((SIZE, *SHAPE, 3), np.uint8)
    if not door.named:
        torch = pytest.importorskip("torch")
        batch |= {"mask": torch.from_numpy(maps), "image": torch.zeros(SIZE, 3, *SHAPE)}
    options = {"seed": 3, "masks": "soft", "num_classes": 5, "layout": "channels_last" if door.named else None}
    options |= {"min_area": 9.0} if name == "CopyBlend" else {}
    args, named = ((), batch) if door.named else ((batch,), {})
    plan = door.transform(name, **options).plan(*args, **named)
    hints = {"instances": scene.masks, "boxes": scene.boxes, "masks": maps}
    method = door.transform(name, **options).method
    assert method.redraw(plan.key, plan.spec, {need: hints[need] for need in method.needs}) == plan
    assert plan.mixed.sum() > SIZE / 2
    out = door.transform(name, **options)(*args, **named)
    again = door.transform(name, **options).replay(plan, *args, **named)
    for first, second in zip(out["labels"], again["labels"], strict=True):
        np.testing.assert_array_equal(np.asarray(first), np.asarray(second))
    np.testing.assert_array_equal(np.asarray(out["mask"]), np.asarray(again["mask"]))
