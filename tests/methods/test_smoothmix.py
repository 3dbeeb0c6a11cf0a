"""SmoothMix: the partner shows as much as a Gaussian bump says, whose mean is its share."""

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from mixtransforms import BatchSpec, InputError, ParameterError, Plan, SmoothMix

SHAPES = [(8, 8), (7, 5), (33, 31), (1, 9), (16, 32), (12,), (6, 9, 10), (2, 3), (1,), (0, 4)]
SIZES = [0, 1, 2, 5]
STEP = 1 / 65536


def draw(method: Any, shape: tuple[int, ...], size: int = 5, seed: int = 0) -> Plan:
    return method.method.draw(BatchSpec(size, shape), np.random.default_rng(seed))


def shown(plan: Plan) -> np.ndarray:
    """How much of its partner every pixel shows, ``(B, *shape)``, by painting: ones on samples of zeros, one by one."""
    rank = len(plan.spec.shape)
    result = np.zeros((plan.size, *plan.spec.shape))
    for row in range(plan.size):
        if plan.partner[row] != row:
            samples = np.zeros((plan.size, *plan.spec.shape))
            samples[plan.partner[row]] = 1
            result[row] = plan.apply(samples, {1: "BT", 2: "BHW", 3: "BDHW"}[rank])[row]
    return result


@pytest.mark.parametrize("per", ["sample", "pair", "batch"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_labels_get_the_mean_of_what_is_shown(shape: tuple[int, ...], size: int, per: str) -> None:
    for seed in range(3):
        plan = draw(SmoothMix(per=per), shape, size, seed)
        for row, bump in enumerate(shown(plan)):
            if bump.size:
                assert plan.weight[row] + bump.mean() == pytest.approx(1, abs=1e-12)
                assert bump.max() == (plan.partner[row] != row)


@pytest.mark.parametrize("sigma", [(0.25, 0.5), (0.1, 0.1), (0.1, 0.2)])
@pytest.mark.parametrize("shape", [(24, 48), (33, 21), (40,), (9, 14, 12)], ids=str)
def test_the_bump_is_a_gaussian_of_the_sample_s_proportions(shape: tuple[int, ...], sigma: tuple[float, float]) -> None:
    """Its centre and width are read off it: along every axis the same part of the side."""
    plan = draw(SmoothMix(sigma=sigma), shape, 20)
    for bump in shown(plan):
        centre = np.unravel_index(int(bump.argmax()), shape)
        away = np.moveaxis(np.indices(shape), 0, -1) - centre
        parts = []
        for axis, length in enumerate(shape):
            near = list(centre)
            near[axis] += 1 if centre[axis] + 1 < length else -1
            parts.append(math.sqrt(-0.5 / math.log(bump[tuple(near)])) / length)
        part = parts[int(np.argmin(shape))]  # of the steepest side, where rounding matters least
        np.testing.assert_allclose(parts, part, rtol=0.02)
        assert sigma[0] * 0.99 <= part <= sigma[1] * 1.01
        wanted = np.exp(-((away / (part * np.array(shape))) ** 2).sum(axis=-1) / 2)
        np.testing.assert_allclose(bump, wanted, atol=0.02)
        assert (bump * 65536 % 1 == 0).all()


def test_steps_are_rounded_from_the_formula() -> None:
    """Given the same numbers: a width and a pixel an axis for every sample."""
    shape, size = (9, 14), 6
    plan = draw(SmoothMix(pairing="flip"), shape, size, 3)
    rng = np.random.default_rng(3)
    rng.random(size)  # the gate
    numbers = rng.random((size, 3))
    for row, (width, *place) in enumerate(numbers):
        wanted = np.zeros(shape)
        for pixel in np.ndindex(shape):
            terms = [
                (at - math.floor(own * length)) ** 2 / (2 * ((0.25 + 0.25 * width) * length) ** 2)
                for at, own, length in zip(pixel, place, shape, strict=True)
            ]
            wanted[pixel] = math.exp(-sum(terms))
        np.testing.assert_allclose(shown(plan)[row], wanted, atol=0.50001 * STEP)


def test_the_centre_is_any_pixel_and_the_width_any_of_its_range() -> None:
    """A chi-square test over the pixels, and Kolmogorov and Smirnov's, at one false alarm in a thousand each."""
    shape = (6, 10)
    values = draw(SmoothMix(), shape, 3000).layers[0].region.values
    centre = values.reshape(3000, -1).argmax(axis=1)
    assert stats.chisquare(np.bincount(centre, minlength=60)).pvalue > 1e-3
    below = np.take_along_axis(values.reshape(3000, -1), np.where(centre < 50, centre + 10, centre - 10)[:, None], 1)
    part = np.sqrt(-0.5 / np.log(below[:, 0])) / 6
    assert stats.kstest(part, stats.uniform(0.25, 0.25).cdf).pvalue > 1e-3


def test_one_draw_serves_whoever_shares_it() -> None:
    batch = shown(draw(SmoothMix(per="batch"), (8, 8), 6))
    assert (batch == batch[0]).all()
    pair = draw(SmoothMix(per="pair"), (8, 8), 6)
    for row, bump in enumerate(shown(pair)):
        assert (bump == shown(pair)[pair.partner[row]]).all()
    every, some = draw(SmoothMix(), (8, 8), 40), draw(SmoothMix(p=0.5), (8, 8), 40)
    for row in some.layers[0].rows.tolist():
        assert (shown(some)[row] == shown(every)[row]).all()


def test_as_much_is_drawn_whatever_is_mixed() -> None:
    following = set()
    for options in ({}, {"p": 0.1}, {"per": "batch"}, {"sigma": (1, 2)}):
        rng = np.random.default_rng(5)
        SmoothMix(**options).method.draw(BatchSpec(6, (9, 7)), rng)
        following.add(rng.random())
    assert len(following) == 1


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float16, np.float32])
def test_pixels_are_blended_by_the_bump(dtype: Any) -> None:
    rng = np.random.default_rng(1)
    images = (rng.random((4, 9, 7, 3)) * 200).astype(dtype)
    mix = SmoothMix(seed=0)
    plan = mix.plan(images)
    mixed = mix.replay(plan, images)
    bump = shown(plan)[..., None]
    wanted = (1 - bump) * images.astype(np.float64) + bump * images[plan.partner].astype(np.float64)
    assert mixed.dtype == dtype
    tolerance = 0.5 if np.issubdtype(dtype, np.integer) else {2: 0.1, 4: 1e-4}[images.itemsize]
    np.testing.assert_allclose(mixed.astype(np.float64), wanted, atol=tolerance)


WANTED = (
    r"'sigma' \(SmoothMix\): got .*; wanted two numbers \(lowest, highest\) with 0\.001 <= lowest <= highest <= 100"
)
BAD = {
    "turned round": (lambda: SmoothMix(sigma=(0.5, 0.25)), ParameterError, WANTED),
    "no width": (lambda: SmoothMix(sigma=(0, 0.5)), ParameterError, WANTED),
    "one number": (lambda: SmoothMix(sigma=0.5), ParameterError, WANTED),
    "ids": (lambda: SmoothMix()(np.zeros((4, 5, 5), np.int64)), InputError, "These values cannot be blended"),
    "a table": (lambda: SmoothMix(layout="BF")(np.zeros((4, 5))), InputError, "SmoothMix needs axes .*Use MixUp"),
}


@pytest.mark.parametrize(("make", "error", "match"), BAD.values(), ids=BAD)
def test_what_cannot_be_drawn_is_refused(make: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        make()
