"""MixUp: the law of its weight, and what shares one."""

import numpy as np
import pytest
from scipy import stats

from mixtransforms import BatchSpec, Plan
from mixtransforms.methods import MixUp

SAMPLES = 5000
THRESHOLD = 1.95 / np.sqrt(SAMPLES)
"""Of the Kolmogorov-Smirnov statistic, at about one false alarm in a thousand."""


def draw(method: MixUp, size: int, seed: int = 0) -> Plan:
    return method.draw(BatchSpec(size, (8, 8)), np.random.default_rng(seed))


@pytest.mark.parametrize("alpha", [0.1, 0.2, 0.4, 1.0, 8.0, 32.0])
def test_weights_follow_the_beta_law(alpha: float) -> None:
    weight = draw(MixUp(alpha), SAMPLES).weight
    assert stats.kstest(weight, stats.beta(alpha, alpha).cdf).statistic < THRESHOLD
    assert abs(weight.mean() - 0.5) < 4 * weight.std() / np.sqrt(SAMPLES)
    np.testing.assert_allclose(weight.var(), 1 / (4 * (2 * alpha + 1)), rtol=0.1)


def test_the_default_is_a_fifth() -> None:
    weight = draw(MixUp(), SAMPLES).weight
    assert stats.kstest(weight, stats.beta(0.2, 0.2).cdf).statistic < THRESHOLD


def test_tiny_alpha_is_all_or_nothing_and_not_one_half() -> None:
    """torch's Beta collapses to 0.5 here."""
    weight = draw(MixUp(1e-3), SAMPLES).weight
    assert ((weight < 1e-9) | (weight > 1 - 1e-9)).mean() > 0.95
    assert abs(weight.mean() - 0.5) < 4 * 0.5 / np.sqrt(SAMPLES)


@pytest.mark.parametrize("alpha", [1e-6, 1e6])
def test_the_limits_are_finite(alpha: float) -> None:
    weight = draw(MixUp(alpha), 100).weight
    assert ((weight >= 0) & (weight <= 1)).all()


@pytest.mark.parametrize("per", ["sample", "pair", "batch"])
def test_alpha_zero_switches_off(per: str) -> None:
    plan = draw(MixUp(0.0, per=per), 8)
    np.testing.assert_array_equal(plan.weight, 1)
    assert not plan.mixed.any()


@pytest.mark.parametrize("alpha", [0.2, 1.0])
def test_fold_keeps_the_sample_itself_dominant(alpha: float) -> None:
    plain, folded = draw(MixUp(alpha), SAMPLES), draw(MixUp(alpha, fold=True), SAMPLES)
    assert (folded.weight >= 0.5).all()
    np.testing.assert_array_equal(folded.partner, plain.partner)
    np.testing.assert_allclose(folded.weight, np.maximum(plain.weight, 1 - plain.weight), atol=1e-15)
    law = stats.beta(alpha, alpha)
    assert stats.kstest(folded.weight, lambda w: law.cdf(w) - law.cdf(1 - w)).statistic < THRESHOLD


def test_per_sample_weights_are_independent() -> None:
    plan = draw(MixUp(1.0), SAMPLES)
    assert len(set(plan.weight.tolist())) == SAMPLES
    assert abs(np.corrcoef(plan.weight, plan.weight[plan.partner])[0, 1]) < 4 / np.sqrt(SAMPLES)


@pytest.mark.parametrize("size", [2, 5, 8])
def test_per_pair_a_sample_and_its_partner_share(size: int) -> None:
    for seed in range(20):
        plan = draw(MixUp(1.0, per="pair"), size, seed)
        np.testing.assert_array_equal(plan.partner[plan.partner], np.arange(size))
        np.testing.assert_array_equal(plan.weight[plan.partner], plan.weight)
        assert len(set(plan.weight.tolist())) == (size + 1) // 2, "one weight a pair, and 1 for who is alone"
        assert (plan.partner == np.arange(size)).sum() == size % 2


def test_per_batch_all_share() -> None:
    weights = []
    for seed in range(500):
        plan = draw(MixUp(1.0, per="batch"), 6, seed)
        assert len(set(plan.weight.tolist())) == 1
        weights.append(plan.weight[0])
    assert stats.kstest(weights, "uniform").statistic < 1.95 / np.sqrt(500)


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_the_gate_is_applied_once(p: float) -> None:
    """The mixed fraction is p, not its square."""
    count = 20_000
    mixed = draw(MixUp(1.0, p=p), count).mixed.mean()
    assert abs(mixed - p) <= 4 * np.sqrt(p * (1 - p) / count)


def test_the_gate_of_pairs_opens_for_both() -> None:
    count = 20_000
    plan = draw(MixUp(1.0, p=0.3, per="pair"), count)
    np.testing.assert_array_equal(plan.mixed[plan.partner], plan.mixed)
    assert abs(plan.mixed.mean() - 0.3) < 4 * np.sqrt(0.21 / (count / 2))


def test_the_gate_of_batches_opens_for_all() -> None:
    gates = [draw(MixUp(1.0, p=0.3, per="batch"), 5, seed).mixed for seed in range(3000)]
    assert all(gate.all() or not gate.any() for gate in gates)
    assert abs(np.mean(gates) - 0.3) < 4 * np.sqrt(0.21 / 3000)


@pytest.mark.parametrize("per", ["sample", "pair", "batch"])
def test_how_much_is_drawn_does_not_depend_on_the_gate(per: str) -> None:
    """A schedule of p must not move later draws; who is mixed gets what it would have got."""
    always, often = draw(MixUp(1.0, per=per), 50), draw(MixUp(1.0, per=per, p=0.5), 50)
    mixed = often.mixed
    np.testing.assert_array_equal(often.weight[mixed], always.weight[mixed])
    np.testing.assert_array_equal(often.partner[mixed], always.partner[mixed])


def test_unmixed_samples_are_no_rows() -> None:
    plan = draw(MixUp(1.0, p=0.5), 50)
    assert len(plan.layers[0]) == plan.mixed.sum()
    np.testing.assert_array_equal(plan.partner[~plan.mixed], np.flatnonzero(~plan.mixed))
    np.testing.assert_array_equal(plan.weight[~plan.mixed], 1)


@pytest.mark.parametrize("shape", [(), (30,), (8, 8), (4, 8, 8)])
def test_the_shape_of_samples_does_not_matter(shape: tuple[int, ...]) -> None:
    plan = MixUp(1.0).draw(BatchSpec(5, shape), np.random.default_rng(0))
    np.testing.assert_array_equal(plan.weight, draw(MixUp(1.0), 5).weight)
