"""OneOf: who gets which method, and how often."""

import numpy as np
import pytest

from mixtransforms import BatchSpec, Layer, Plan
from mixtransforms.methods import CutMix, MixUp, OneOf
from mixtransforms.methods.oneof import merge

SPEC = BatchSpec(20_000, (8, 8))
WHOLE = CutMix(placement="minmax", minmax=(0.5, 0.5))
"""Mixes everybody it gets, by the same quarter of the area."""


def draw(method: OneOf, spec: BatchSpec = SPEC, seed: int = 0) -> Plan:
    return method.draw(spec, np.random.default_rng(seed))


def chosen(plan: Plan) -> np.ndarray:
    """0 unmixed, 1 blended, 2 pasted: what happened to every sample."""
    result = np.zeros(plan.size, int)
    for layer in plan.layers:
        result[layer.rows] = 1 if layer.region is None else 2
    return result


def fractions(plan: Plan) -> np.ndarray:
    return np.bincount(chosen(plan), minlength=3) / plan.size


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, (0, 0.5, 0.5)),
        ({"weights": (0.8, 0.2)}, (0, 0.8, 0.2)),
        ({"weights": (0.3, 0.5)}, (0.2, 0.3, 0.5)),
        ({"weights": (0, 1)}, (0, 0, 1)),
        ({"weights": (1, 0)}, (0, 1, 0)),
        ({"weights": (0, 0)}, (1, 0, 0)),
        ({"p": 0.4}, (0.6, 0.2, 0.2)),
        ({"p": 0.5, "weights": (0.2, 0.4)}, (0.7, 0.1, 0.2)),
        ({"p": 0.0}, (1, 0, 0)),
    ],
)
def test_chances(options: dict, expected: tuple[float, float, float]) -> None:
    seen = fractions(draw(OneOf([MixUp(1.0), WHOLE], **options)))
    for fraction, chance in zip(seen, expected, strict=True):
        assert abs(fraction - chance) <= 4 * np.sqrt(chance * (1 - chance) / SPEC.size)


def test_chances_per_batch() -> None:
    spec, seen = BatchSpec(4, (8, 8)), []
    for seed in range(3000):
        fate = chosen(draw(OneOf([MixUp(1.0), WHOLE], weights=(0.5, 0.3), per="batch"), spec, seed))
        assert len(set(fate.tolist())) == 1
        seen.append(fate[0])
    for kind, chance in enumerate((0.2, 0.5, 0.3)):
        assert abs(np.mean(np.array(seen) == kind) - chance) < 4 * np.sqrt(chance * (1 - chance) / 3000)


def test_a_third_of_three() -> None:
    """Thirds do not add up to 1 in floating point; nobody may fall into the gap."""
    plan = draw(OneOf([MixUp(1.0), WHOLE, MixUp(8.0)]))
    assert fractions(plan)[0] == 0
    assert len(plan.layers) == 3


def test_a_childs_gate_counts() -> None:
    plan = draw(OneOf([MixUp(1.0, p=0.5), WHOLE]))
    np.testing.assert_allclose(fractions(plan), (0.25, 0.25, 0.5), atol=0.015)


def test_partners_come_from_the_whole_batch() -> None:
    plan = draw(OneOf([MixUp(1.0), WHOLE]))
    fate = chosen(plan)
    for kind in (1, 2):
        partners = fate[plan.partner[fate == kind]]
        assert abs((partners == kind).mean() - 0.5) < 0.03


def test_every_method_draws_the_same_whatever_is_chosen() -> None:
    first = draw(OneOf([MixUp(1.0), WHOLE], weights=(1, 0)), BatchSpec(50, (8, 8)))
    some = draw(OneOf([MixUp(1.0), WHOLE], weights=(0.5, 0)), BatchSpec(50, (8, 8)))
    blended = chosen(some) == 1
    assert 0 < blended.sum() < 50
    np.testing.assert_array_equal(some.weight[blended], first.weight[blended])
    np.testing.assert_array_equal(some.partner[blended], first.partner[blended])


def test_rows_are_disjoint_and_shares_measured() -> None:
    plan = draw(OneOf([MixUp(1.0), CutMix()]), BatchSpec(64, (9, 7)))
    rows = np.concatenate([layer.rows for layer in plan.layers])
    assert len(set(rows.tolist())) == len(rows) == 64
    np.testing.assert_array_equal(plan.partner[plan.layers[0].rows], plan.layers[0].source)
    np.testing.assert_allclose(plan.weight[plan.layers[0].rows], 1 - plan.layers[0].opacity, atol=1e-15)


def test_declared_shares_stay_with_their_samples() -> None:
    spec = BatchSpec(64, (9, 7))
    plan = draw(OneOf([MixUp(1.0), CutMix(correct_weight=False)], weights=(0.4, 0.4)), spec)
    fate = chosen(plan)
    assert set(fate.tolist()) == {0, 1, 2}
    np.testing.assert_array_equal(plan.label_share[fate != 2], plan.share[fate != 2])
    assert (np.abs(plan.label_share - plan.share)[fate == 2] > 1e-3).any()
    np.testing.assert_allclose(plan.label_share.sum(axis=1), 1, atol=1e-12)


def test_choices_nest() -> None:
    plan = draw(OneOf([OneOf([MixUp(1.0), WHOLE]), WHOLE]))
    np.testing.assert_allclose(fractions(plan), (0, 0.25, 0.75), atol=0.015)


def test_hints_reach_the_children() -> None:
    method = OneOf([MixUp(pairing="same_class"), CutMix()])
    assert method.needs == frozenset({"classes"})
    classes = np.arange(40) % 4
    plan = method.draw(BatchSpec(40, (8, 8)), np.random.default_rng(0), {"classes": classes})
    blended = plan.layers[0]
    np.testing.assert_array_equal(classes[blended.rows], classes[blended.source])


def test_labels_of_free_mass_stay_free() -> None:
    spec, rows = BatchSpec(3, (4, 4)), np.array([0])
    free = Plan(spec, (Layer(rows, rows + 1, 0.5),), [[0.5, 1.0], [1, 0], [1, 0]], label_mass="free")
    plain = Plan(spec, (Layer(rows + 1, rows, 0.5),))
    for make in (Plan, Plan.drawn):
        merged = merge(spec, [free, plain], make)
        assert merged.label_mass == "free"
        np.testing.assert_array_equal(merged.label_share, [[0.5, 1.0], [0.5, 0.5], [1, 0]])
        assert merge(spec, [free.measured, plain], make).label_mass == "one"
