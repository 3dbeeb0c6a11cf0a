"""CutMix: the laws of its boxes, and that labels get the area which was pasted."""

import numpy as np
import pytest
from oracles import expected_area
from scipy import special, stats

from mixtransforms import BatchSpec, Plan
from mixtransforms.methods import CutMix

SAMPLES = 200_000
PLACEMENTS = {
    "clip": CutMix(),
    "inside": CutMix(placement="inside"),
    "uniform": CutMix(placement="uniform"),
    "minmax": CutMix(placement="minmax", minmax=(0.25, 0.8)),
}


def draw(method: CutMix, size: int, shape: tuple[int, ...], seed: int = 0) -> Plan:
    return method.draw(BatchSpec(size, shape), np.random.default_rng(seed))


def area(plan: Plan) -> np.ndarray:
    """Share of the partner, of every sample."""
    return 1 - plan.weight


@pytest.mark.parametrize("shape", [(8, 8), (32, 32), (7, 20), (33, 5)], ids=str)
@pytest.mark.parametrize("placement", PLACEMENTS)
def test_the_mean_area_is_the_exact_sum(placement: str, shape: tuple[int, int]) -> None:
    method = PLACEMENTS[placement]
    seen = area(draw(method, SAMPLES, shape))
    expected = expected_area(placement, shape, method.alpha, method.minmax or (0, 1))
    assert abs(seen.mean() - expected) < 4 * seen.std() / np.sqrt(SAMPLES)


@pytest.mark.parametrize("placement", ["clip", "inside", "uniform"])
@pytest.mark.parametrize("alpha", [0.2, 2.0])
def test_the_mean_area_for_other_laws(placement: str, alpha: float) -> None:
    seen = area(draw(CutMix(alpha, placement=placement), SAMPLES, (12, 9)))
    assert abs(seen.mean() - expected_area(placement, (12, 9), alpha)) < 4 * seen.std() / np.sqrt(SAMPLES)


def continuous_clip(alpha: float) -> float:
    """``E[(r - r^2/4)^2]`` for the side fraction ``r``: of small pixels, a clipped side has ``r - r^2/4``."""

    def moment(k: float) -> float:
        return float(special.beta(alpha + k, alpha) / special.beta(alpha, alpha))

    return moment(1) - moment(1.5) / 2 + moment(2) / 16


@pytest.mark.parametrize(("alpha", "published"), [(0.2, 0.29855), (0.5, 0.31123), (1.0, 0.32083), (2.0, 0.32827)])
def test_the_continuous_law_of_clip(alpha: float, published: float) -> None:
    """At 224 px, up to what rounding down the sides takes away, which is less than a pixel a side."""
    assert continuous_clip(alpha) == pytest.approx(published, abs=1e-5)
    seen = area(draw(CutMix(alpha), SAMPLES, (224, 224))).mean()
    assert published - 2 / 224 < seen < published + 0.002
    assert seen == pytest.approx(expected_area("clip", (224, 224), alpha), abs=0.003)


@pytest.mark.parametrize(("placement", "law"), [("inside", 0.5), ("uniform", 2 * (3 * np.log(2) - 2))])
def test_the_continuous_laws_of_the_others(placement: str, law: float) -> None:
    seen = area(draw(PLACEMENTS[placement], SAMPLES, (224, 224))).mean()
    assert law - 2 / 224 < seen < law + 0.003


@pytest.mark.parametrize(("shape", "law"), [((400,), 5 / 12), ((64, 64, 64), 0.2438)], ids=["signal", "volume"])
def test_other_numbers_of_axes(shape: tuple[int, ...], law: float) -> None:
    seen = area(draw(CutMix(), 50_000, shape)).mean()
    assert seen == pytest.approx(law, abs=0.008)


@pytest.mark.parametrize("side", [8, 16])
def test_how_often_nothing_is_pasted(side: int) -> None:
    """The patch rounds to nothing once in n^2, not four times as often as with halves rounded down."""
    count = 400_000
    nothing = (area(draw(CutMix(), count, (side, side))) == 0).mean()
    assert abs(nothing - 1 / side**2) < 4 * np.sqrt(1 / side**2 / count)


@pytest.mark.parametrize("placement", PLACEMENTS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 3), (31, 17)], ids=str)
def test_boxes_lie_inside(placement: str, shape: tuple[int, int]) -> None:
    box = draw(PLACEMENTS[placement], 3000, shape).layers[0].region
    assert (box.start >= 0).all()
    assert (box.start <= box.stop).all()
    assert (box.stop <= shape).all()


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_the_weight_is_the_area_left(placement: str) -> None:
    shape = (13, 29)
    plan = draw(PLACEMENTS[placement], 500, shape)
    pixels = (1 - plan.weight) * np.prod(shape)
    np.testing.assert_allclose(pixels, np.rint(pixels), atol=1e-9)
    box = plan.layers[0].region
    np.testing.assert_allclose(pixels, [np.prod(box.stop[i] - box.start[i]) for i in range(500)], atol=1e-9)
    assert plan.label_share is None


def drawn_weight(plan: Plan) -> np.ndarray:
    """The weight before rounding and clipping, which labels get without correction."""
    return plan.label_share[:, 0]


@pytest.mark.parametrize("alpha", [0.3, 1.0, 4.0])
def test_drawn_weights_follow_the_beta_law(alpha: float) -> None:
    plan = draw(CutMix(alpha, correct_weight=False), 5000, (32, 32))
    assert stats.kstest(drawn_weight(plan), stats.beta(alpha, alpha).cdf).statistic < 1.95 / np.sqrt(5000)


@pytest.mark.parametrize("placement", ["clip", "inside", "uniform"])
@pytest.mark.parametrize("shape", [(13, 29), (32, 32)], ids=str)
def test_sides_are_those_of_the_drawn_weight(placement: str, shape: tuple[int, int]) -> None:
    """``floor(H * r)`` rows and ``floor(W * r)`` columns, odd ones too, wherever nothing was clipped."""
    plan = draw(CutMix(correct_weight=False, placement=placement), 4000, shape)
    box = plan.layers[0].region
    expected = np.floor(np.sqrt(1 - drawn_weight(plan))[:, None] * shape)
    free = (box.start > 0) & (box.stop < shape)
    if placement == "inside":
        free[:] = True
    sides = box.stop - box.start
    np.testing.assert_array_equal(sides[free], expected[free])
    assert (sides <= expected).all()
    assert (sides[free] % 2 == 1).any()
    assert (sides[free] % 2 == 0).any()


@pytest.mark.parametrize("shape", [(13, 29), (8, 8)], ids=str)
def test_the_centre_of_clip_is_on_any_pixel(shape: tuple[int, int]) -> None:
    plan = draw(CutMix(correct_weight=False), 100_000, shape)
    box = plan.layers[0].region
    sides = np.floor(np.sqrt(1 - drawn_weight(plan))[:, None] * shape).astype(int)
    for axis, length in enumerate(shape):
        # Boxes of one side length whose start was not clipped show their centre.
        side = sides[:, axis] == 2
        start = box.start[side & (box.start[:, axis] > 0), axis]
        assert set(start) == set(range(1, length - 1)), "centres from 2 to the last pixel"
        assert stats.chisquare(np.bincount(start)[1:]).pvalue > 1e-4


@pytest.mark.parametrize(("low", "high"), [(0.25, 0.8), (0.0, 1.0), (0.5, 0.5), (0.3, 0.3)])
def test_minmax_sides_are_uniform_and_reach_their_limits(low: float, high: float) -> None:
    shape = (20, 12)
    box = draw(CutMix(placement="minmax", minmax=(low, high)), 40_000, shape).layers[0].region
    for axis, length in enumerate(shape):
        first, last = int(low * length), int(high * length)
        counts = np.bincount((box.stop - box.start)[:, axis], minlength=last + 1)
        assert len(counts) == last + 1
        assert not counts[:first].any()
        if last > first:
            assert stats.chisquare(counts[first:]).pvalue > 1e-4


def coverage(method: CutMix, shape: tuple[int, int], count: int = 60_000) -> np.ndarray:
    """How often every pixel is pasted."""
    box = draw(method, count, shape).layers[0].region
    edges = np.zeros((shape[0] + 1, shape[1] + 1))
    for rows, columns, sign in (
        ("start", "start", 1),
        ("start", "stop", -1),
        ("stop", "start", -1),
        ("stop", "stop", 1),
    ):
        np.add.at(edges, (getattr(box, rows)[:, 0], getattr(box, columns)[:, 1]), sign)
    return edges.cumsum(axis=0).cumsum(axis=1)[:-1, :-1] / count


def test_uniform_placement_covers_every_pixel_alike() -> None:
    seen = coverage(CutMix(placement="uniform"), (11, 16))
    assert np.abs(seen - seen.mean()).max() < 5 * np.sqrt(seen.mean() / 60_000)


def test_clip_covers_the_centre_most() -> None:
    seen = coverage(CutMix(), (32, 32))
    assert seen[16, 16] == pytest.approx(0.475, abs=0.015)
    assert seen[0, 16] == pytest.approx(0.257, abs=0.015)
    assert seen[0, 0] == pytest.approx(0.132, abs=0.015)


@pytest.mark.parametrize("placement", ["inside", "minmax"])
def test_inside_touches_every_edge(placement: str) -> None:
    seen = coverage(PLACEMENTS[placement], (9, 9))
    assert seen.min() > 0
    np.testing.assert_allclose(seen, seen[::-1, ::-1], atol=0.02)
    np.testing.assert_allclose(seen, seen.T, atol=0.02)


def test_rows_use_the_height_and_columns_the_width() -> None:
    box = draw(CutMix(placement="inside"), 2000, (10, 40)).layers[0].region
    sides = (box.stop - box.start).max(axis=0)
    np.testing.assert_array_equal(sides, [9, 39])
    assert box.stop.max(axis=0).tolist() == [10, 40]


@pytest.mark.parametrize("size", [2, 7, 8])
def test_per_pair_a_sample_and_its_partner_share_the_box(size: int) -> None:
    for seed in range(20):
        plan = draw(CutMix(per="pair"), size, (16, 24), seed)
        layer = plan.layers[0]
        corners = {row: (*layer.region.start[i], *layer.region.stop[i]) for i, row in enumerate(layer.rows.tolist())}
        for row, corner in corners.items():
            assert corners[int(plan.partner[row])] == corner
        assert len(set(corners.values())) == size // 2


def test_per_batch_all_share_the_box() -> None:
    for seed in range(20):
        box = draw(CutMix(per="batch"), 6, (16, 24), seed).layers[0].region
        assert (box.start == box.start[0]).all()
        assert (box.stop == box.stop[0]).all()
    boxes = [draw(CutMix(), 6, (16, 24), seed).layers[0].region for seed in range(5)]
    assert all(len(np.unique(box.start, axis=0)) > 1 for box in boxes)


def test_labels_without_correction_get_the_drawn_weight() -> None:
    corrected, drawn = draw(CutMix(), 50, (9, 9)), draw(CutMix(correct_weight=False), 50, (9, 9))
    assert corrected.layers == drawn.layers
    np.testing.assert_array_equal(corrected.weight, drawn.weight)
    assert drawn.target_share is drawn.label_share
    np.testing.assert_allclose(drawn.label_share.sum(axis=1), 1, atol=1e-15)
    assert (drawn.label_share[:, 0] < drawn.weight - 0.01).any(), "clipped boxes are smaller than drawn"
    half = draw(CutMix(correct_weight=False, p=0.5), 50, (9, 9))
    np.testing.assert_array_equal(half.label_share[half.partner == np.arange(50)][:, 0], 1)


def test_alpha_zero_switches_off() -> None:
    plan = draw(CutMix(0.0), 8, (16, 16))
    np.testing.assert_array_equal(plan.weight, 1)


def test_all_of_the_partner_may_be_pasted() -> None:
    plan = draw(CutMix(placement="minmax", minmax=(1, 1)), 4, (5, 6))
    np.testing.assert_array_equal(plan.weight, 0)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_the_gate_is_applied_once(p: float) -> None:
    plan = draw(CutMix(placement="minmax", minmax=(0.5, 0.5), p=p), 20_000, (8, 8))
    assert abs(plan.mixed.mean() - p) < 4 * np.sqrt(p * (1 - p) / 20_000)


def test_without_mixed_axes_there_is_no_box() -> None:
    """A table or an embedding has no area: pasting all of the partner, whatever the weight, would be silently wrong."""
    with pytest.raises(ValueError, match="axes"):
        draw(CutMix(), 4, ())
