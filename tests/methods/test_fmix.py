"""FMix: regions of the exact area, cut out of noise that is the same everywhere and whose waves fade as said."""

import math
from typing import Any

import numpy as np
import pytest
from owners import whose
from scipy import stats

from mixtransforms import BatchSpec, FMix, InputError, ParameterError, Plan, Ramp
from mixtransforms.laws import Constant, Uniform
from mixtransforms.methods.noise import _noise, frequencies, highest

SHAPES = [(8, 8), (7, 5), (33, 31), (1, 9), (9, 1), (16, 32), (12,), (1,), (6, 9, 10), (5, 1, 4), (2, 3), (0, 4)]
SIZES = [0, 1, 2, 5]


def draw(method: Any, shape: tuple[int, ...], size: int = 5, seed: int = 0) -> Plan:
    return method.method.draw(BatchSpec(size, shape), np.random.default_rng(seed))


@pytest.mark.parametrize("per", ["sample", "pair", "batch"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_pixel_has_one_owner_and_labels_are_their_areas(shape: tuple[int, ...], size: int, per: str) -> None:
    for seed in range(3):
        plan = draw(FMix(per=per), shape, size, seed)
        found = whose(plan)
        assert found.shape == (size, *shape)
        for row in range(size):
            assert set(np.unique(found[row])) <= {row, int(plan.partner[row])}
            if found[row].size:
                assert (found[row] == row).mean() == pytest.approx(plan.weight[row], abs=1e-12)


@pytest.mark.parametrize("weight", [0.0, 1e-9, 0.2, 0.5, 0.77, 1.0])
@pytest.mark.parametrize("shape", [(24, 48), (7, 5), (13,), (4, 5, 6)], ids=str)
def test_a_sample_keeps_as_many_pixels_as_its_weight_says(shape: tuple[int, ...], weight: float) -> None:
    for decay in (0.0, 3.0, 8.0):
        found = whose(draw(FMix(weight=Constant(weight), decay=decay), shape))
        kept = [(row == index).sum() for index, row in enumerate(found)]
        assert kept == [np.rint(weight * math.prod(shape))] * 5


def test_the_share_follows_the_law_of_the_weight() -> None:
    """Kolmogorov and Smirnov, of areas that are rounded to a thousandth."""
    for law, given in ((stats.uniform(), {}), (stats.beta(0.4, 0.4), {"alpha": 0.4}), (stats.uniform(0.2, 0.3), {
        "weight": Uniform(0.2, 0.5)})):  # fmt: skip
        plan = draw(FMix(**given), (32, 32), 2000)
        assert stats.kstest(plan.weight, law.cdf).pvalue > 1e-3


@pytest.mark.parametrize("shape", [(6, 8), (5, 7), (9,), (1, 6), (4, 3, 5)], ids=str)
def test_noise_is_a_sum_of_waves(shape: tuple[int, ...]) -> None:
    """By definition: half of the waves along the last axis, the others their mirror images, and all as strong."""
    amplitude = np.random.default_rng(1).random((*shape[:-1], shape[-1] // 2 + 1))
    waves = np.random.default_rng(2).standard_normal((*amplitude.shape, 2))
    wanted = np.zeros(shape)
    for index in np.ndindex(amplitude.shape):
        turns = sum(np.indices(shape)[axis] * index[axis] / length for axis, length in enumerate(shape))
        real, imaginary = waves[index] * amplitude[index]
        times = math.sqrt(2) if index[-1] == 0 or 2 * index[-1] == shape[-1] else 2
        wanted += times * (real * np.cos(2 * np.pi * turns) - imaginary * np.sin(2 * np.pi * turns))
    got = _noise(shape, amplitude, np.random.default_rng(2))
    np.testing.assert_allclose(got, wanted / math.prod(shape), atol=1e-12)


def test_frequencies_are_turns_a_cell() -> None:
    expected = [[0, 1 / 4, 1 / 2], [1 / 3, math.hypot(1 / 3, 1 / 4), math.hypot(1 / 3, 1 / 2)]]
    np.testing.assert_allclose(frequencies((3, 4))[:2], expected)
    np.testing.assert_allclose(frequencies((5,)), [0, 0.2, 0.4])


def test_of_equal_cells_those_that_come_first_are_chosen() -> None:
    field = np.array([[2.0, 1.0, 2.0], [3.0, 2.0, 0.0]])
    order = [(1, 0), (0, 0), (0, 2), (1, 1), (0, 1), (1, 2)]
    for count in range(7):
        assert set(map(tuple, np.argwhere(highest(field, count)).tolist())) == set(order[:count])


def test_every_pixel_is_as_likely_as_any_other() -> None:
    """Noise is the same everywhere: no border, no middle. The largest of 35 normal deviates."""
    plan = draw(FMix(weight=Constant(0.5)), (5, 7), 4000)
    kept = (whose(plan) == np.arange(4000)[:, None, None]).sum(axis=0)
    share = round(0.5 * 35) / 35
    deviate = (kept - 4000 * share) / math.sqrt(4000 * share * (1 - share))
    assert np.abs(deviate).max() < 4


def agreement(decay: float, **law: Any) -> float:
    own = whose(draw(FMix(decay=decay, **law), (32, 32), 300)) == np.arange(300)[:, None, None]
    return float((own[:, :, 1:] == own[:, :, :-1]).mean())


def test_blobs_hold_together_the_more_waves_fade() -> None:
    assert agreement(0.0, weight=Constant(0.5)) == pytest.approx(0.5, abs=0.01)
    assert agreement(0.0) < agreement(1.0) < agreement(2.0) < agreement(3.0) < agreement(5.0)
    assert agreement(3.0) == pytest.approx(0.962, abs=0.005)  # of 3000 masks by the paper's formula written out


def test_waves_fade_with_their_frequency_and_long_ones_are_alike() -> None:
    """The power of fields of the shape (24, 12): all waves beyond the longest side are as strong as that one."""
    from mixtransforms.methods.fmix import _fading

    amplitude = _fading((24, 12), 3.0)
    rng, power = np.random.default_rng(0), np.zeros((24, 7))
    for _ in range(4000):
        power += np.abs(np.fft.rfftn(_noise((24, 12), amplitude, rng))) ** 2 / 4000
    y, x = np.meshgrid(np.fft.fftfreq(24), np.arange(7) / 12, indexing="ij")
    expected = np.maximum(np.hypot(y, x), 1 / 24) ** -6.0
    ratio = power / expected
    np.testing.assert_allclose(
        ratio / ratio.mean(), 1, atol=7 / math.sqrt(4000)
    )  # some waves are real: twice the variance


def test_one_draw_serves_whoever_shares_it() -> None:
    batch = whose(draw(FMix(per="batch"), (8, 8), 6)) == np.arange(6)[:, None, None]
    assert (batch == batch[0]).all()
    pair = draw(FMix(per="pair"), (8, 8), 6)
    found = whose(pair)
    for row, own in enumerate(found):
        partner = int(pair.partner[row])
        assert ((own == row) == (found[partner] == partner)).all()
    sample = whose(draw(FMix(weight=Constant(0.5)), (8, 8), 6)) == np.arange(6)[:, None, None]
    assert len({own.tobytes() for own in sample}) == 6  # of one area, and each of another form


def test_a_region_does_not_depend_on_who_else_is_mixed() -> None:
    every, some = draw(FMix(), (8, 8), 40), draw(FMix(p=0.5), (8, 8), 40)
    assert 0 < some.mixed.sum() < every.mixed.sum()
    for row in some.layers[0].rows.tolist():
        assert (whose(some)[row] == whose(every)[row]).all()


def test_as_much_is_drawn_whatever_is_mixed() -> None:
    following = set()
    for options in ({}, {"p": 0.1}, {"per": "batch"}, {"weight": Constant(0.3)}, {"decay": 1.0}, {"alpha": 0.0}):
        rng = np.random.default_rng(5)
        FMix(**options).method.draw(BatchSpec(6, (9, 7)), rng)
        following.add(rng.random())
    assert len(following) == 1


def test_a_decay_may_change_over_epochs() -> None:
    mix = FMix(decay=Ramp(0.0, 4.0, 0, 4), weight=Constant(0.5), seed=0)
    spec = BatchSpec(8, (32, 32))
    for epoch in (0, 4):
        wanted = FMix(decay=float(epoch), weight=Constant(0.5)).method
        assert mix.method.at(epoch).draw(spec, np.random.default_rng(0)) == wanted.draw(spec, np.random.default_rng(0))


@pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.float32, np.int64, np.bool_])
def test_pixels_are_copied(dtype: Any) -> None:
    """A paste takes any dtype, and makes no new values."""
    images = (np.arange(3 * 9 * 7 * 3).reshape(3, 9, 7, 3) % 200).astype(dtype)
    mixed = FMix(seed=0)(images)
    assert mixed.dtype == images.dtype
    assert (mixed[:, None] == images[None]).all(axis=-1).any(axis=1).all()


GOLDEN = [
    "00000111",
    "00000111",
    "00000111",
    "10001111",
    "10001111",
    "10001111",
    "11000111",
    "10000011",
    "00001110",
    "10000111",
    "10000111",
    "11000111",
]


def test_a_seed_gives_the_same_regions_in_every_release() -> None:
    """Also by another NumPy: nothing but the order of cells is taken from its transforms."""
    rows = draw(FMix(weight=Constant(0.5)), (6, 8), 2, 7).layers[0].region.values.astype(int).tolist()
    assert ["".join(map(str, row)) for mask in rows for row in mask] == GOLDEN


BAD = {
    "two laws": (lambda: FMix(0.5, weight=Constant(0.5)), ParameterError, "Two laws of the weight"),
    "growing waves": (lambda: FMix(decay=-1), ParameterError, r"'decay' \(FMix\): got -1; wanted .*within \[0, 8\]"),
    "a table": (lambda: FMix(layout="BF")(np.zeros((4, 5))), InputError, "FMix needs axes to cut .*Use MixUp"),
}


@pytest.mark.parametrize(("make", "error", "match"), BAD.values(), ids=BAD)
def test_what_cannot_be_drawn_is_refused(make: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        make()
