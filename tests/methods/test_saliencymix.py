"""SaliencyMix: the pasted box is around the partner's most salient pixel, and labels are its area."""

import math
import re
from typing import Any

import numpy as np
import pytest
from salient import delta_maps, owners

import mixtransforms
from mixtransforms import BatchSpec, CutMix, InputError, ParameterError, Plan, SaliencyMix
from mixtransforms.laws import Constant
from mixtransforms.mixing.saliency import contrast

SHAPES = [(8, 8), (7, 5), (33, 31), (1, 9), (16, 32), (12,), (6, 9, 10)]
SIZES = [0, 1, 2, 5]


def draw(method: Any, shape: tuple[int, ...], size: int = 5, seed: int = 0) -> tuple[Plan, np.ndarray]:
    saliency, peaks = delta_maps(shape, size, seed)
    plan = method.method.draw(BatchSpec(size, shape), np.random.default_rng(seed), {"saliency": saliency})
    return plan, peaks


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_box_is_around_the_partners_peak(shape: tuple[int, ...], size: int) -> None:
    """By brute force: what is pasted is every pixel within half a side of the peak."""
    for seed in range(5):
        plan, peaks = draw(SaliencyMix(weight=Constant(0.6)), shape, size, seed)
        sides = np.floor(0.4 ** (1 / len(shape)) * np.array(shape)).astype(int)
        for row, found in enumerate(owners(plan)):
            peak = peaks[plan.partner[row]]
            for pixel in np.ndindex(*shape):
                offset = np.array(pixel) - peak + sides // 2
                inside = ((offset >= 0) & (offset < sides)).all()
                assert found[pixel] == (plan.partner[row] if inside else row)
            assert math.isclose(plan.weight[row], (found == row).mean())


@pytest.mark.parametrize("shape", [(9, 7), (32, 48)], ids=str)
def test_boxes_contain_the_peak_and_differ_from_sample_to_sample(shape: tuple[int, ...]) -> None:
    plan, peaks = draw(SaliencyMix(), shape, 40)
    layer = plan.layers[0]
    sides = layer.region.stop - layer.region.start
    some = (sides > 0).all(axis=1)
    at = peaks[layer.source]
    assert ((layer.region.start <= at) & (at < layer.region.stop))[some].all()
    assert len(np.unique(layer.region.start, axis=0)) > 20


def test_weights_are_those_of_cutmix() -> None:
    """The same draws make boxes of the same size as CutMix does before it clips them."""
    saliency = np.zeros((64, 101, 101))
    saliency[:, 50, 50] = 1  # in the middle nothing is clipped
    spec = BatchSpec(64, (101, 101))
    plan = SaliencyMix().method.draw(spec, np.random.default_rng(3), {"saliency": saliency})
    inside = CutMix(placement="inside").method.draw(spec, np.random.default_rng(3))
    assert (plan.partner == inside.partner).all()
    np.testing.assert_array_equal(plan.weight, inside.weight)


@pytest.mark.parametrize("per", ["pair", "batch"])
def test_a_shared_box_is_that_of_the_first(per: str) -> None:
    plan, peaks = draw(SaliencyMix(per=per, weight=Constant(0.7)), (20, 30), 6)
    layer = plan.layers[0]
    for row, start, stop in zip(layer.rows, layer.region.start, layer.region.stop, strict=True):
        leader = 0 if per == "batch" else min(row, plan.partner[row])
        peak = peaks[plan.partner[leader]]
        assert ((start <= peak) & (peak < stop)).all()


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_by_itself_it_finds_what_differs_in_colour(backend: str) -> None:
    images = np.full((6, 40, 30, 3), 90, np.uint8)
    rng = np.random.default_rng(0)
    images += rng.integers(0, 8, images.shape, np.uint8)
    corners = np.stack([rng.integers(0, 36, 6), rng.integers(0, 26, 6)], axis=1)
    for image, (y, x) in zip(images, corners, strict=True):
        image[y : y + 5, x : x + 5] = [250, 20, 20]
    batch: Any = images
    if backend == "torch":
        batch = pytest.importorskip("torch").from_numpy(images).movedim(-1, 1)
    plan = SaliencyMix(weight=Constant(0.8), seed=0).plan(batch)
    layer = plan.layers[0]
    middle = corners[layer.source] + 2
    assert ((layer.region.start <= middle) & (middle < layer.region.stop)).all()
    assert plan == SaliencyMix(weight=Constant(0.8), seed=0).plan(images)
    assert plan == SaliencyMix(weight=Constant(0.8), seed=0, hints={"saliency": "contrast"}).plan(images)


def test_a_saliency_that_is_given_decides() -> None:
    images = np.random.default_rng(0).integers(0, 256, (4, 12, 10, 3), np.uint8)
    saliency, peaks = delta_maps((12, 10), 4)
    given = SaliencyMix(weight=Constant(0.9), seed=0).plan(images, hints={"saliency": saliency})
    told = SaliencyMix(weight=Constant(0.9), seed=0, hints={"saliency": lambda _: saliency}).plan(images)
    layer = given.layers[0]
    assert given == told
    assert ((layer.region.start <= peaks[layer.source]) & (peaks[layer.source] < layer.region.stop)).all()


def test_pixels_labels_and_boxes_agree() -> None:
    """A painted object at the peak comes along whole, and the label is the area that was pasted."""
    images = np.zeros((4, 16, 12, 3), np.uint8)
    saliency = np.zeros((4, 16, 12))
    boxes = []
    for index in range(4):
        y, x = 3 + 2 * index, 2 + 2 * index
        images[index] = index
        images[index, y : y + 2, x : x + 2] = 100 + index
        saliency[index, y, x] = 1
        boxes.append(np.array([[x, y, x + 2.0, y + 2]]))
    batch = {"image": images, "boxes": boxes, "labels": [np.array([index]) for index in range(4)]}
    mix = SaliencyMix(weight=Constant(0.6), seed=1)
    plan = mix.plan(batch, hints={"saliency": saliency})
    out = mix.replay(plan, batch)
    for row in range(4):
        partner = int(plan.partner[row])
        assert partner in out["labels"][row]
        ours = (out["image"][row] % 100 == partner).all(axis=-1)
        assert math.isclose(ours.mean(), 1 - plan.weight[row])
        box = out["boxes"][row][list(out["labels"][row]).index(partner)].astype(int)
        assert (out["image"][row, box[1] : box[3], box[0] : box[2], 0] == 100 + partner).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float16, np.int64, np.bool_])
def test_any_dtype_is_copied(dtype: Any) -> None:
    images = (np.arange(3 * 9 * 7 * 3).reshape(3, 9, 7, 3) % 200).astype(dtype)
    mixed = SaliencyMix(seed=0)(images)
    assert mixed.dtype == images.dtype
    assert (mixed[:, None] == images[None]).all(axis=-1).any(axis=1).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30])
@pytest.mark.parametrize("hints", [None, {"saliency": "contrast"}, {"saliency": contrast}])
@pytest.mark.parametrize("method", [SaliencyMix, mixtransforms.AttentiveCutMix])
@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_images_without_a_contrast_are_refused_and_the_fix_works(
    backend: str, method: Any, hints: Any, bad: float
) -> None:
    images: Any = np.zeros((2, 16, 16, 3), np.float32)
    images[:, 10:13, 10:13] = 1
    fine = images.copy()
    images[1, 2, 8, 0] = bad
    xp: Any = np
    if backend == "torch":
        xp = pytest.importorskip("torch")
        images, fine = (xp.from_numpy(each).movedim(-1, 1) for each in (images, fine))
    got = "numbers up to 1e+30" if bad == 1e30 else "1 of 1536 numbers not finite"
    for options in ({}, {"p": 0.0}):  # whatever is drawn
        with pytest.raises(InputError, match=re.escape(f"Images that have no contrast (batch['x']): got {got}")):
            method(seed=0, hints=hints, kinds={"x": "image"}, **options)({"x": images})
    mended = xp.where(xp.isfinite(images), images, 0) if bad != 1e30 else fine
    assert method(seed=0, hints=hints).plan(mended) == method(seed=0).plan(fine)
    own = method(seed=0, hints={"saliency": lambda images: np.isfinite(images).all(axis=-1)})
    assert own.plan(images).size == 2


def test_how_many_numbers_are_drawn_does_not_depend_on_the_saliency() -> None:
    spec = BatchSpec(5, (8, 6))
    ends = []
    for seed in range(3):
        rng = np.random.default_rng(0)
        SaliencyMix().method.draw(spec, rng, {"saliency": delta_maps((8, 6), 5, seed)[0]})
        ends.append(rng.random())
    assert len(set(ends)) == 1


def test_what_is_refused() -> None:
    with pytest.raises(ParameterError, match="Two laws of the weight"):
        SaliencyMix(0.5, weight=Constant(0.5))
    with pytest.raises(InputError, match=r"SaliencyMix reads saliency.*no such hint.*plan\(batch\)"):
        SaliencyMix().method.draw(BatchSpec(2, (4, 4)), np.random.default_rng(0))
    with pytest.raises(InputError, match="SaliencyMix needs axes to cut"):
        SaliencyMix(layout="BF")(np.zeros((4, 5)))


def test_workers_and_samples_draw_alike() -> None:
    images = np.random.default_rng(0).integers(0, 256, (4, 12, 10, 3), np.uint8)
    torch = pytest.importorskip("torch")
    by_samples = SaliencyMix(seed=3).plan(list(images))
    by_tensors = SaliencyMix(seed=3).plan([torch.from_numpy(image).movedim(-1, 0) for image in images])
    assert by_samples == by_tensors
    assert by_samples.key == by_tensors.key == CutMix(seed=3).plan(list(images)).key


def test_a_choice_draws_it() -> None:
    images = np.random.default_rng(0).integers(0, 256, (8, 12, 10, 3), np.uint8)
    mix = mixtransforms.OneOf([SaliencyMix(), CutMix()], hints={"saliency": "contrast"}, seed=0)
    assert mixtransforms.from_json(mixtransforms.to_json(mix)).plan(images) == mix.plan(images)
