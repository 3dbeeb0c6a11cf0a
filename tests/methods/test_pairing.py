"""Who is mixed with whom: the laws of every pairing policy."""

import tracemalloc

import numpy as np
import pytest
from scipy import stats

from mixtransforms import BatchSpec, InputError, MixUp, methods
from mixtransforms.methods.pairing import CLASS_AWARE, MUTUAL, PAIRINGS, partners

SIZES = (0, 1, 2, 3, 4, 5, 8, 33)


def draw(policy: str, size: int, seed: int = 0, classes: np.ndarray | None = None) -> np.ndarray:
    hints = {} if classes is None else {"classes": classes}
    return partners(policy, size, np.random.default_rng(seed), hints)


def many(policy: str, size: int, count: int, classes: np.ndarray | None = None) -> np.ndarray:
    """Partners of many draws, ``(count, B)``."""
    rng = np.random.default_rng(99)
    hints = {} if classes is None else {"classes": classes}
    return np.array([partners(policy, size, rng, hints) for _ in range(count)])


def uniform_partners(drawn: np.ndarray, allowed: np.ndarray, level: float = 1e-3) -> bool:
    """Whether every sample gets each of its allowed partners equally often, by chi-square."""
    size = drawn.shape[1]
    for row in range(size):
        counts = np.bincount(drawn[:, row], minlength=size)
        assert not counts[~allowed[row]].any()
        if allowed[row].sum() > 1 and stats.chisquare(counts[allowed[row]]).pvalue < level / size:
            return False
    return True


@pytest.mark.parametrize("policy", PAIRINGS)
@pytest.mark.parametrize("size", SIZES)
def test_every_size_is_legal(policy: str, size: int) -> None:
    partner = draw(policy, size, classes=np.arange(size) % 3)
    assert partner.shape == (size,)
    assert partner.dtype == np.int64
    assert ((partner >= 0) & (partner < max(size, 1))).all()


@pytest.mark.parametrize("size", [size for size in SIZES if size > 1])
def test_cycle_is_one_cycle_through_all(size: int) -> None:
    partner, at, seen = draw("cycle", size), 0, []
    for _ in range(size):
        at = int(partner[at])
        seen.append(at)
    assert sorted(seen) == list(range(size))
    assert not (partner == np.arange(size)).any()


def test_cycle_partners_are_uniform() -> None:
    assert uniform_partners(many("cycle", 6, 6000), ~np.eye(6, dtype=bool))


@pytest.mark.parametrize("size", SIZES)
def test_matching_is_mutual(size: int) -> None:
    partner = draw("matching", size)
    np.testing.assert_array_equal(partner[partner], np.arange(size))
    assert (partner == np.arange(size)).sum() == size % 2, "of an odd batch one stays alone"


def test_matching_partners_are_uniform() -> None:
    assert uniform_partners(many("matching", 6, 6000), ~np.eye(6, dtype=bool))
    drawn = many("matching", 5, 6000)
    alone = (drawn == np.arange(5)).sum(axis=0)
    assert stats.chisquare(alone).pvalue > 1e-3
    assert uniform_partners(drawn, np.ones((5, 5), bool)), "in an odd batch everybody, oneself included, is as likely"


def test_permutation_has_one_fixed_point_on_average() -> None:
    drawn = many("permutation", 8, 8000)
    assert (np.sort(drawn, axis=1) == np.arange(8)).all()
    fixed = (drawn == np.arange(8)).sum(axis=1)
    assert abs(fixed.mean() - 1) < 4 / np.sqrt(8000)
    assert uniform_partners(drawn, np.ones((8, 8), bool))


@pytest.mark.parametrize("size", SIZES)
def test_roll_is_torch_roll(size: int) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    np.testing.assert_array_equal(draw("roll", size), torch.arange(size).roll(1, 0).numpy())


@pytest.mark.parametrize("size", SIZES)
def test_flip_is_the_batch_reversed(size: int) -> None:
    partner = draw("flip", size)
    np.testing.assert_array_equal(partner, np.arange(size)[::-1])
    np.testing.assert_array_equal(partner[partner], np.arange(size))


def test_class_aware_partners_are_uniform() -> None:
    classes = np.array([0, 0, 1, 1, 1, 2, 7])
    other = classes[:, None] != classes
    assert uniform_partners(many("different_class", 7, 4000, classes), other)
    drawn = many("same_class", 7, 4000, classes)
    same = ~other & ~np.eye(7, dtype=bool)
    same[5, 5] = same[6, 6] = True  # nobody else has these classes: they stay unmixed
    assert uniform_partners(drawn, same)


GROUPS = {
    "whole numbers": np.array([3, 1, 3, 3, 0, 1, 9, 1, 3]),
    "one of all": np.zeros(9, np.int64),
    "texts": np.array(list("cabbcacad")),
    "of no order": np.array([None, "x", 2.5, "x", None, 7, "x", 2.5, None], object),
    "not a number": np.array([1.0, np.nan, 1.0, np.nan, 2.0, 1.0, np.nan, 2.0, 3.0]),
}


@pytest.mark.parametrize("second", [0, 1, 4])
@pytest.mark.parametrize("groups", GROUPS.values(), ids=GROUPS)
@pytest.mark.parametrize("policy", ["different_class", "same_class"])
def test_partners_by_class_are_those_of_a_table(policy: str, groups: np.ndarray, second: int) -> None:
    """Every permitted partner, and nobody else, equally likely: those that a table of all pairs permits."""
    size = len(groups) - second
    alike = groups[:size, None] == (groups[size:] if second else groups)[None]
    allowed = alike if policy == "same_class" else ~alike
    if not second:
        allowed &= ~np.eye(size, dtype=bool)
    else:
        allowed = np.concatenate([np.zeros((size, size), bool), allowed], axis=1)
    alone = np.flatnonzero(~allowed.any(axis=1))
    allowed[alone, alone] = True
    rng = np.random.default_rng(5)
    drawn = np.array([PAIRINGS[policy](size, rng, groups, second) for _ in range(2000)])
    wide = np.zeros((size + second, size + second), bool)
    wide[:size] = np.pad(allowed, [(0, 0), (0, size + second - allowed.shape[1])])
    padded = np.concatenate([drawn, np.zeros((2000, second), np.int64)], axis=1)
    wide[size:, 0] = True
    assert uniform_partners(padded, wide, 1e-4)


@pytest.mark.parametrize("policy", ["different_class", "same_class"])
def test_partners_of_large_batches_need_no_table_of_pairs(policy: str) -> None:
    """A table of 4096 x 4096 has 16 MB even of bools."""
    classes = np.random.default_rng(0).integers(0, 100, 4096)
    tracemalloc.start()
    try:
        draw(policy, 4096, classes=classes)
        assert tracemalloc.get_traced_memory()[1] < 200 * 4096
    finally:
        tracemalloc.stop()


def test_without_a_candidate_nobody_is_mixed() -> None:
    np.testing.assert_array_equal(draw("different_class", 4, classes=np.full(4, 3)), np.arange(4))
    np.testing.assert_array_equal(draw("same_class", 4, classes=np.arange(4)), np.arange(4))
    plan = methods.MixUp(pairing="different_class").draw(
        BatchSpec(4), np.random.default_rng(0), {"classes": np.full(4, 3)}
    )
    assert not plan.mixed.any()


def test_the_same_numbers_are_drawn_whatever_the_classes() -> None:
    """Adding a label must not move later draws."""
    rngs = [np.random.default_rng(0), np.random.default_rng(0)]
    for rng, classes in zip(rngs, (np.zeros(5), np.arange(5)), strict=True):
        partners("different_class", 5, rng, {"classes": classes})
    assert rngs[0].random() == rngs[1].random()


@pytest.mark.parametrize("policy", sorted(CLASS_AWARE))
def test_class_aware_policies_read_the_labels_of_the_batch(policy: str) -> None:
    images, ids = np.zeros((6, 4, 4, 3), np.float32), np.array([0, 0, 1, 1, 2, 2])
    of_known = {"same_class": {True}, "different_class": {False}}.get(policy, {True, False})
    drawn = []
    for labels in (ids, np.eye(3)[ids], np.eye(3)[ids] * 0.5 + 0.1, ids.tolist()):
        transform = MixUp(alpha=1.0, pairing=policy, num_classes=3, seed=0)
        plans = [transform.plan(images, labels) for _ in range(10)]
        assert {bool(same) for plan in plans for same in ids[plan.partner] == ids} == of_known
        drawn.append(plans)
    assert all(plans == drawn[0] for plans in drawn)
    with pytest.raises(InputError, match=f"pairing='{policy}' reads class labels .* got a batch without class labels"):
        MixUp(alpha=1.0, pairing=policy).plan(images)


def test_mutual_policies_are() -> None:
    for policy in sorted(MUTUAL):
        partner = draw(policy, 9)
        np.testing.assert_array_equal(partner[partner], np.arange(9))
