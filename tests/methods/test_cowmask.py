"""CowMask: spots of the exact area, cut out of noise that is as smooth as a blur by the drawn sigma makes it."""

import math
from typing import Any

import numpy as np
import pytest
from owners import whose
from scipy import ndimage, stats

from mixtransforms import BatchSpec, CowMask, FMix, InputError, ParameterError, Plan
from mixtransforms.laws import Constant, Uniform
from mixtransforms.methods.cowmask import _blurred
from mixtransforms.methods.noise import _noise

SHAPES = [
    (8, 8),
    (8, 4),
    (7, 5),
    (33, 31),
    (1, 9),
    (9, 1),
    (64, 32),
    (12,),
    (1,),
    (6, 9, 10),
    (5, 1, 4),
    (2, 3),
    (0, 4),
]
SIZES = [0, 1, 2, 5]


def draw(method: Any, shape: tuple[int, ...], size: int = 5, seed: int = 0) -> Plan:
    return method.method.draw(BatchSpec(size, shape), np.random.default_rng(seed))


@pytest.mark.parametrize("per", ["sample", "pair", "batch"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_half_of_every_sample_is_its_own(shape: tuple[int, ...], size: int, per: str) -> None:
    for seed in range(3):
        plan = draw(CowMask(per=per), shape, size, seed)
        found = whose(plan)
        assert found.shape == (size, *shape)
        for row in range(size):
            assert set(np.unique(found[row])) <= {row, int(plan.partner[row])}
            if found[row].size and plan.partner[row] != row:
                assert (found[row] == row).sum() == np.rint(0.5 * found[row].size)
                assert (found[row] == row).mean() == pytest.approx(plan.weight[row], abs=1e-12)


@pytest.mark.parametrize("weight", [0.0, 0.2, 0.77, 1.0])
@pytest.mark.parametrize("sigma", [(0.01, 0.01), (2, 3), (500, 1000)])
@pytest.mark.parametrize("shape", [(24, 48), (7, 5), (13,), (4, 5, 6)], ids=str)
def test_a_sample_keeps_as_many_pixels_as_its_weight_says(
    shape: tuple[int, ...], sigma: tuple[float, float], weight: float
) -> None:
    found = whose(draw(CowMask(weight=Constant(weight), sigma=sigma), shape))
    kept = [(row == index).sum() for index, row in enumerate(found)]
    assert kept == [np.rint(weight * math.prod(shape))] * 5


def test_the_share_follows_another_law() -> None:
    plan = draw(CowMask(weight=Uniform(0.2, 0.8)), (32, 32), 1000)
    assert stats.kstest(plan.weight, stats.uniform(0.2, 0.6).cdf).pvalue > 1e-3


def test_the_logarithm_of_sigma_is_uniform() -> None:
    rng = np.random.default_rng(0)
    drawn = np.log([CowMask(sigma=(2, 50)).method._drawn_sigma(rng) for _ in range(2000)])
    assert stats.kstest(drawn, stats.uniform(math.log(2), math.log(25)).cdf).pvalue > 1e-3
    assert {CowMask(sigma=(3, 3)).method._drawn_sigma(rng) for _ in range(5)} == {3.0}


def alike(fields: np.ndarray) -> np.ndarray:
    """How alike cells are over a distance, ``(H, W)``: the correlation over all of some fields, less their means."""
    power = np.abs(np.fft.fft2(fields - fields.mean(axis=(1, 2), keepdims=True))) ** 2
    correlation = np.fft.ifft2(power.sum(axis=0)).real
    return np.asarray(correlation / correlation[0, 0])


@pytest.mark.parametrize("sigma", [1.0, 2.0])
def test_noise_is_as_smooth_as_scipy_blurs_it(sigma: float) -> None:
    """Around the edges, as SciPy does it with ``mode="wrap"``, on a shape that is not square."""
    rng = np.random.default_rng(0)
    ours = np.stack([_noise((24, 18), _blurred((24, 18), sigma), rng) for _ in range(6000)])
    white = rng.standard_normal((6000, 24, 18))
    scipys = ndimage.gaussian_filter(white, (0, sigma, sigma), mode="wrap", truncate=8)
    np.testing.assert_allclose(alike(ours), alike(scipys), atol=0.02)
    other = ndimage.gaussian_filter(white, (0, sigma, 1.2 * sigma), mode="wrap", truncate=8)
    assert np.abs(alike(ours) - alike(other)).max() > 0.04


def test_every_pixel_is_as_likely_as_any_other() -> None:
    """Noise is the same everywhere: no border, no middle. The largest of 48 normal deviates."""
    plan = draw(CowMask(sigma=(1, 4)), (6, 8), 4000)
    kept = (whose(plan) == np.arange(4000)[:, None, None]).sum(axis=0)
    assert np.abs((kept - 2000) / math.sqrt(1000)).max() < 4


def test_spots_grow_with_sigma() -> None:
    def agreement(sigma: float) -> float:
        own = whose(draw(CowMask(sigma=(sigma, sigma)), (64, 64), 40)) == np.arange(40)[:, None, None]
        return float((own[:, :, 1:] == own[:, :, :-1]).mean())

    assert agreement(0.01) == pytest.approx(0.5, abs=0.01)
    # Of Gaussian noise cut at its median: two cells agree but for arccos of their correlation.
    for sigma in (2.0, 4.0):
        assert agreement(sigma) == pytest.approx(1 - math.acos(math.exp(-1 / (4 * sigma**2))) / math.pi, abs=0.01)


def test_a_blur_that_leaves_one_wave_still_decides() -> None:
    """Along the shorter axis nothing is left: cells that were equal would be chosen by rounding errors."""
    first = draw(CowMask(sigma=(900, 900)), (16, 4), 50)
    spread = np.ptp([_noise((16, 4), _blurred((16, 4), 900.0), np.random.default_rng(s)) for s in range(9)], axis=2)
    assert spread.min() > 1e-12
    assert (first.weight == 0.5).all()


def test_spots_do_not_depend_on_who_else_is_mixed_and_are_shared() -> None:
    every, some = draw(CowMask(), (8, 8), 40), draw(CowMask(p=0.5), (8, 8), 40)
    assert 0 < some.mixed.sum() < every.mixed.sum()
    for row in some.layers[0].rows.tolist():
        assert (whose(some)[row] == whose(every)[row]).all()
    batch = whose(draw(CowMask(per="batch"), (8, 8), 6)) == np.arange(6)[:, None, None]
    assert (batch == batch[0]).all()


def test_as_much_is_drawn_whatever_is_mixed() -> None:
    following = set()
    for options in ({}, {"p": 0.1}, {"per": "batch"}, {"weight": Uniform(0, 1)}, {"sigma": (1, 2)}):
        rng = np.random.default_rng(5)
        CowMask(**options).method.draw(BatchSpec(6, (9, 7)), rng)
        following.add(rng.random())
    assert len(following) == 1


def test_it_pairs_as_others_do() -> None:
    for per in ("sample", "pair", "batch"):
        plans = [draw(cls(per=per, p=0.5), (8, 8), 7, 3) for cls in (CowMask, FMix)]
        assert (plans[0].layers[0].rows == plans[1].layers[0].rows).all()
        assert (plans[0].layers[0].source == plans[1].layers[0].source).all()


WANTED = r"'sigma' \(CowMask\): got .*; wanted two numbers \(lowest, highest\) with 0\.01 <= lowest <= highest <= 65536"
BAD = {
    "turned round": (lambda: CowMask(sigma=(32, 8)), ParameterError, WANTED),
    "no blur": (lambda: CowMask(sigma=(0, 8)), ParameterError, WANTED),
    "not a number": (lambda: CowMask(sigma=(1, math.nan)), ParameterError, WANTED),
    "one number": (lambda: CowMask(sigma=8), ParameterError, WANTED),
    "three": (lambda: CowMask(sigma=(1, 2, 3)), ParameterError, WANTED),
    "words": (lambda: CowMask(sigma=("1", "2")), ParameterError, WANTED),
    "bools": (lambda: CowMask(sigma=(True, True)), ParameterError, WANTED),
    "a table": (lambda: CowMask(layout="BF")(np.zeros((4, 5))), InputError, "CowMask needs axes to cut .*Use MixUp"),
}


@pytest.mark.parametrize(("make", "error", "match"), BAD.values(), ids=BAD)
def test_what_cannot_be_drawn_is_refused(make: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        make()
