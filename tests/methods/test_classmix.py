"""ClassMix: half of the partner's classes are pasted, each of them wholly, and labels are their areas."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

import mixtransforms
from mixtransforms import BatchSpec, CutMix, InputError, MixUp, Plan, SemanticMask
from mixtransforms.methods import ClassMix as Method

SHAPES = [(8, 8), (7, 5), (1, 9), (12,), (3, 4, 5)]
SIZES = [0, 1, 2, 5]


def maps(shape: tuple[int, ...], size: int, classes: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, classes, (size, *shape))


def draw(label_maps: np.ndarray, seed: int = 0, **options: Any) -> Plan:
    spec = BatchSpec(len(label_maps), label_maps.shape[1:])
    return Method(**options).draw(spec, np.random.default_rng(seed), {"masks": label_maps})


def pasted(plan: Plan, row: int) -> np.ndarray:
    """Where the partner is seen in a sample."""
    layout = {1: "BT", 2: "BHW", 3: "BDHW"}[len(plan.spec.shape)]
    numbers = np.arange(plan.size).reshape(-1, *[1] * len(plan.spec.shape))
    return np.asarray(plan.apply(np.broadcast_to(numbers, (plan.size, *plan.spec.shape)).copy(), layout)[row] != row)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("unlabelled", [False, True])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_half_of_the_classes_are_pasted_wholly(shape: tuple[int, ...], unlabelled: bool, size: int) -> None:
    for seed in range(10):
        label_maps = maps(shape, size, 1 + seed, seed)
        if unlabelled:
            label_maps[np.random.default_rng(seed).random(label_maps.shape) < 0.2] = -1
        plan = draw(label_maps, seed)
        for row in range(size):
            region, partner = pasted(plan, row), int(plan.partner[row])
            if partner == row:
                assert not region.any()
                continue
            classes = set(np.unique(label_maps[partner]).tolist()) - {-1}
            chosen = set(np.unique(label_maps[partner][region]).tolist())
            assert len(chosen) == (max(1, len(classes) // 2) if classes else 0)
            assert chosen <= classes
            assert (region == np.isin(label_maps[partner], list(chosen))).all()
            assert plan.weight[row] == pytest.approx(1 - region.mean(), abs=1e-12)


def test_every_class_is_as_likely_as_any_other() -> None:
    label_maps = np.tile(np.arange(6), (50, 1))
    seen = np.zeros(6)
    for seed in range(20):
        plan = draw(label_maps, seed)
        seen += sum(pasted(plan, row) for row in range(50))
    assert seen.sum() == 3 * 1000
    assert stats.chisquare(seen).pvalue > 1e-3  # without replacement counts vary less: an upper bound


def test_a_sample_draws_the_same_whoever_else_is_mixed() -> None:
    label_maps = maps((6, 6), 12, 8)
    every, some = draw(label_maps, p=1.0, pairing="roll"), draw(label_maps, p=0.5, pairing="roll")
    assert 0 < some.mixed.sum() < 12
    for row in np.flatnonzero(some.mixed).tolist():
        assert (pasted(every, row) == pasted(some, row)).all()


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_masks_and_boxes_follow(backend: str) -> None:
    label_maps = maps((8, 6), 4, 5)
    images: Any = np.repeat(np.arange(4, dtype=np.float32), 3 * 48).reshape(4, 8, 6, 3)
    masks: Any = label_maps
    if backend == "torch":
        torch = pytest.importorskip("torch")
        images, masks = torch.from_numpy(images).movedim(-1, 1), torch.from_numpy(label_maps)
    plan = draw(label_maps)
    out = CutMix().replay(plan, {"image": images, "mask": masks})
    image = np.asarray(out["image"]) if backend == "numpy" else np.asarray(out["image"].movedim(1, -1))
    for row in range(4):
        region, partner = pasted(plan, row), int(plan.partner[row])
        assert (image[row, ..., 0] == np.where(region, partner, row)).all()
        assert (np.asarray(out["mask"])[row] == np.where(region, label_maps[partner], label_maps[row])).all()


def test_a_draw_without_label_maps_is_refused_and_the_fix_works() -> None:
    spec, rng = BatchSpec(2, (3, 3)), np.random.default_rng(0)
    with pytest.raises(InputError, match=r"ClassMix reads masks .*hints={'masks': ...}.*Hand it over"):
        Method().draw(spec, rng)
    assert len(Method().draw(spec, rng, {"masks": maps((3, 3), 2, 3)}).layers) == 1


def test_samples_without_places_are_refused() -> None:
    with pytest.raises(InputError, match="ClassMix needs axes to cut"):
        Method().draw(BatchSpec(2, ()), np.random.default_rng(0), {"masks": np.zeros(2, int)})


IGNORING: dict[str, Any] = {
    "the mask": {"kinds": {"mask": SemanticMask(ignore_index=255)}},
    "the transform": {"ignore_index": 255},
    "the mask before the transform": {"kinds": {"mask": SemanticMask(ignore_index=255)}, "ignore_index": 1},
}


@pytest.mark.parametrize("door", ["neutral", "torch", "samples", "torchvision", "albumentations", "OneOf"])
@pytest.mark.parametrize("options", list(IGNORING.values()), ids=list(IGNORING))
@pytest.mark.parametrize("teacher", [None, "call", "option"])
def test_pixels_of_the_ignored_id_are_never_pasted(teacher: str | None, options: dict[str, Any], door: str) -> None:
    made: Any = mixtransforms.ClassMix
    if door in ("torchvision", "albumentations"):
        pytest.importorskip(door)
        made = __import__(f"mixtransforms.{door}", fromlist=["ClassMix"]).ClassMix
    masks = np.random.default_rng(0).choice(np.array([1, 2, 255], np.uint8), (6, 8, 5))
    masks[2] = 255  # has no labelled pixel, and gives nothing
    own = np.full_like(masks, 7) if teacher else masks
    batch: dict[str, Any] = {"image": np.repeat(masks[..., None], 3, axis=-1), "mask": own}
    more = {}
    if teacher == "call":
        more = {"hints": {"masks": masks}}
    elif teacher == "option":
        options = options | {"hints": {"masks": "value:teacher"}, "passthrough": ("teacher",)}
        batch["teacher"] = masks
    seen = 0
    for seed in range(4):
        if door == "OneOf":
            mix = mixtransforms.OneOf([Method(), MixUp(1.0)], weights=[1, 0], seed=seed, **options)
        else:
            mix = made(seed=seed, **options)
        given = dict(batch)
        if door in ("torch", "torchvision"):
            torch = pytest.importorskip("torch")
            given = {name: torch.from_numpy(value) for name, value in batch.items()}
            given["image"] = given["image"].movedim(-1, 1)
        whole = (
            [{name: value[row] for name, value in given.items()} for row in range(6)] if door == "samples" else given
        )
        plan = mix.plan(**whole, **more) if door == "albumentations" else mix.plan(whole, **more)
        for row in range(6):
            region, partner = pasted(plan, row), int(plan.partner[row])
            shown = set(np.unique(masks[partner][region]).tolist())
            assert shown <= {1, 2}
            assert len(shown) == (partner not in (row, 2))
            seen += len(shown)
    assert seen


def test_an_id_of_pixels_takes_nothing_from_labels() -> None:
    masks = np.stack([np.tile([0, 0, 1, 1], (4, 1)), np.tile([2, 255, 3, 3], (4, 1))])
    mix = mixtransforms.ClassMix(num_classes=1000, kinds={"mask": SemanticMask(ignore_index=255)}, seed=1)
    out = mix({"image": np.zeros((2, 4, 4, 3), np.uint8), "mask": masks, "label": np.array([7, 255])})
    assert out["label"].sum(axis=1).tolist() == [1, 1]


@pytest.mark.parametrize("dtype", [np.uint8, bool, np.float32])
def test_pixels_that_no_map_has_anything_of_are_of_no_class(dtype: Any) -> None:
    ids = maps((6, 4), 3, 3)
    ids[ids == 2] = -1
    one_hot = (ids[..., None] == np.arange(2)).astype(dtype)
    images = np.zeros((3, 6, 4, 3), np.uint8)
    assert mixtransforms.ClassMix(seed=0).plan({"image": images, "mask": one_hot}) == mixtransforms.ClassMix(
        seed=0
    ).plan({"image": images, "mask": ids})
