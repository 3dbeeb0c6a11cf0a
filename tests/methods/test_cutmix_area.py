"""CutMix(area=...): boxes of a wanted area, of any aspect ratio, wholly inside."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from mixtransforms import BatchSpec, CutMix, OneOf, ParameterError, Plan, Ramp, fingerprint
from mixtransforms.files import from_dict, to_dict
from mixtransforms.laws import Beta, Constant, Uniform

SHAPES = [(32, 32), (33, 31), (9, 100), (1, 9), (2, 3), (1, 1), (17,), (6, 9, 10), (5, 7, 1)]
AREAS = [0.0, 0.01, 0.3, 0.5, 0.9, 1.0]


def draw(method: Any, shape: tuple[int, ...], size: int = 200, seed: int = 0) -> Plan:
    return method.method.draw(BatchSpec(size, shape), np.random.default_rng(seed))


@pytest.mark.parametrize("area", AREAS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_box_covers_the_wanted_part(shape: tuple[int, ...], area: float) -> None:
    """To half a step of the longest axis: counted on painted pixels, of which every one knows whose it is."""
    plan = draw(CutMix(area=area), shape)
    numbers = np.arange(plan.size).reshape(-1, *[1] * len(shape))
    images = np.broadcast_to(numbers, (plan.size, *shape)).copy()
    painted = plan.apply(images, {1: "BT", 2: "BHW", 3: "BDHW"}[len(shape)])
    pasted = (painted != images).reshape(plan.size, -1).mean(axis=1)
    assert (np.abs(pasted - area) <= 0.5 / max(shape) + 1e-12).all()
    np.testing.assert_allclose(plan.weight, 1 - pasted)
    if area not in (0.0, 1.0):
        region: Any = plan.layers[0].region
        assert (region.start >= 0).all()
        assert (region.stop <= shape).all()


@pytest.mark.parametrize("size", [0, 1, 2])
def test_small_batches(size: int) -> None:
    assert draw(CutMix(area=0.5), (8, 6), size).mixed.sum() == (size if size > 1 else 0)


def test_axes_share_the_area_alike() -> None:
    """Of two axes the logarithm of a side is uniform; of three, divided as a Dirichlet law of ones divides a whole."""
    for shape, law in (((997, 1499), stats.uniform()), ((499, 401, 503), stats.beta(1, 2))):
        region: Any = draw(CutMix(area=0.5), shape, 2000).layers[0].region
        for axis, length in enumerate(shape):
            part = np.log(region.sides[:, axis] / length) / np.log(0.5)
            assert stats.kstest(part, law.cdf).statistic < 1.95 / np.sqrt(2000) + 3 / length


def test_all_places_inside_are_equally_likely() -> None:
    region: Any = draw(CutMix(area=Constant(0.25)), (64, 96), 5000).layers[0].region
    for axis, length in enumerate((64, 96)):
        free = length - region.sides[:, axis]
        place = (region.start[:, axis] + np.random.default_rng(1).random(5000)) / (free + 1)
        assert stats.kstest(place, "uniform").statistic < 1.95 / np.sqrt(5000)


def test_a_law_draws_the_part_that_is_pasted() -> None:
    plan = draw(CutMix(area=Beta(5, 2)), (512, 512), 4000)
    assert stats.kstest(1 - plan.weight, stats.beta(5, 2).cdf).statistic < 1.95 / np.sqrt(4000) + 1e-3


def test_one_box_serves_whoever_shares_it() -> None:
    region: Any = draw(CutMix(area=0.5, per="batch"), (16, 24), 6).layers[0].region
    assert (region.start == region.start[0]).all()
    assert (region.stop == region.stop[0]).all()
    alone: Any = draw(CutMix(area=0.5), (16, 24), 6).layers[0].region
    assert (alone.stop[0] == region.stop[0]).all(), "the first of many draws is the one draw"


def test_partners_and_gates_are_those_of_alpha() -> None:
    for per in ("sample", "pair", "batch"):
        with_area, without = (draw(CutMix(per=per, p=0.5, **more), (8, 8), 7) for more in ({"area": 0.5}, {}))
        rows = [np.concatenate([np.zeros(0), *(layer.rows for layer in plan.layers)]) for plan in (with_area, without)]
        assert (rows[0] == rows[1]).all()


def test_a_schedule_has_its_value_of_the_epoch() -> None:
    mix = CutMix(area=Ramp(0.0, 0.5, 0, 2))
    assert mix.area == Constant(Ramp(0.0, 0.5, 0, 2))
    for epoch, area in ((0, 0.0), (1, 0.25), (2, 0.5)):
        plan = mix.method.at(epoch).draw(BatchSpec(4, (16, 16)), np.random.default_rng(0))
        np.testing.assert_allclose(1 - plan.weight, area, atol=0.5 / 16)


def test_files_hold_it_where_it_is_used() -> None:
    given = CutMix(area=0.5)
    assert "area" not in to_dict(CutMix())["pipeline"]["args"]
    assert to_dict(given)["pipeline"]["args"]["area"] == {"kind": "Constant", "value": 0.5}
    by_hand = to_dict(given)
    by_hand["pipeline"]["args"]["area"] = 0.5
    assert fingerprint(from_dict(by_hand)) == fingerprint(given)
    again = from_dict(to_dict(OneOf([CutMix(area=Uniform(0.2, Ramp(0.3, 0.5, 0, 3)))])))
    assert again.transforms[0].area == Uniform(0.2, Ramp(0.3, 0.5, 0, 3))


BESIDE = {
    "alpha": {"alpha": 0.5},
    "weight": {"weight": Constant(0.5)},
    "minmax": {"minmax": (0.2, 0.5), "placement": "minmax"},
    "correct_weight": {"correct_weight": False},
    "placement='uniform'": {"placement": "uniform"},
}


@pytest.mark.parametrize(("name", "given"), BESIDE.items(), ids=BESIDE)
def test_nothing_else_may_say_what_the_box_is(name: str, given: dict[str, Any]) -> None:
    with pytest.raises(ParameterError, match=f"area says all of what a box is, and {name}.*wanted area without {name}"):
        CutMix(area=0.5, **given)


@pytest.mark.parametrize("area", [1.5, -0.1, np.nan, True, "half", [0.5], {"kind": "Nothing"}], ids=repr)
def test_other_values_are_refused(area: Any) -> None:
    with pytest.raises(ParameterError, match=r"Bad value for 'area'.*wanted None, a number within \[0, 1\], or a law"):
        CutMix(area=area)
