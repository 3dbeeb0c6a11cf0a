"""What the package draws by itself is not checked again; what users' own methods draw is, whatever they derive."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from doors import examples
from told import hints, suits

from mixtransforms import BatchSpec, Boxes, Layer, Plan, PlanError, Ramp, Schedule, methods
from mixtransforms.methods import CutMix, MixUp, OneOf
from mixtransforms.methods.base import Method, PairMethod, Pairs
from mixtransforms.methods.registry import METHODS
from mixtransforms.rng.keys import Key

SPEC = BatchSpec(8, (6, 9))
OURS = [
    MixUp(1.0, p=0.5),
    MixUp(1.0, per="batch"),
    CutMix(correct_weight=False),
    CutMix(per="pair", placement="inside"),
    CutMix(per="batch", placement="uniform"),
    CutMix(placement="minmax", minmax=(0.2, 0.9)),
    *(METHODS[name](**examples(name)[0]) for name in methods.__all__ if issubclass(METHODS[name], PairMethod)),
    OneOf([MixUp(), CutMix(correct_weight=False)], weights=[0.5, 0.3]),
]


@pytest.mark.parametrize(
    "spec", [SPEC, BatchSpec(0, (6, 9)), BatchSpec(1, (6, 9)), BatchSpec(2, (0, 5)), BatchSpec(40, (1,))], ids=str
)
@pytest.mark.parametrize("method", OURS, ids=repr)
def test_a_drawn_plan_is_as_read_only_and_as_sound_as_one_that_was_checked(method: Method, spec: BatchSpec) -> None:
    if not suits(method, spec):
        pytest.skip("boxes are in images")
    plan = method.redraw(Key(3), spec, hints(method, spec))
    checked = Plan(plan.spec, plan.layers, plan.label_share)
    assert plan == checked
    assert plan.key == Key(3)
    np.testing.assert_array_equal(plan.target_share, checked.target_share)
    for layer in plan.layers:
        assert (layer.rows.dtype, layer.source.dtype, layer.opacity.dtype) == (np.int64, np.int64, np.float64)
        regions = [
            array for region in (layer.region, layer.crop) if region is not None for array in vars(region).values()
        ]
        for array in (layer.rows, layer.source, layer.opacity, *regions, plan.target_share):
            assert not array.flags.writeable


@dataclass(frozen=True, repr=False)
class Beyond(MixUp):
    """Paints a sample that the batch has not."""

    def pairs(self, *given: Any) -> Pairs:
        pairs = super().pairs(*given)
        return pairs._replace(source=pairs.source + 100)


@dataclass(frozen=True, repr=False)
class Lists(MixUp):
    """Says in lists who is mixed with whom."""

    def pairs(self, *given: Any) -> Pairs:
        rows, source, leader = super().pairs(*given)
        return Pairs(rows.tolist(), source.tolist(), leader)  # type: ignore[arg-type]


@dataclass(frozen=True, repr=False)
class OfAnother(PairMethod):
    """Draws for larger samples than those that it is asked for."""

    def draw(self, spec: BatchSpec, *_: Any) -> Plan:
        rows, larger = np.arange(spec.size), tuple(2 * length for length in spec.shape)
        layer = Layer(rows, rows[::-1], np.ones(len(rows)), Boxes.full(len(rows), larger))
        return Plan(BatchSpec(spec.size, larger), (layer,))


@dataclass(frozen=True, repr=False)
class Keeping(MixUp):
    """Keeps what it draws from, as a method of the user's own may."""

    def draw(self, spec: BatchSpec, rng: np.random.Generator, *hints: Any) -> Plan:
        vars(self).setdefault("kept", []).append(rng)
        return super().draw(spec, rng, *hints)


def test_classes_that_derive_ours_are_checked() -> None:
    with pytest.raises(PlanError, match=r"Bad 'source' \(layers\[0\]\)"):
        Beyond().redraw(Key(3), SPEC)
    with pytest.raises(PlanError, match=r"Bad 'source' \(layers\[0\]\)"):
        OneOf([MixUp(), Beyond()]).redraw(Key(3), SPEC)
    assert Lists(1.0).redraw(Key(3), SPEC) == MixUp(1.0).redraw(Key(3), SPEC)


def test_a_choice_checks_what_its_own_children_cannot_vouch_for() -> None:
    with pytest.raises(PlanError, match=r"boxes inside \(6, 9\)"):
        OneOf([OfAnother(), MixUp()], weights=[1.0, 0.0]).redraw(Key(3), SPEC)


@pytest.mark.parametrize("outside", [lambda method: method, lambda method: OneOf([MixUp(), method])], ids=["", "OneOf"])
def test_generators_that_a_method_keeps_go_on_where_they_stood(outside: Any) -> None:
    method = Keeping(1.0)
    for step in range(3):
        outside(method).redraw(Key(3, step=step), SPEC)
    after = []
    for step in range(3):
        twin = Keeping(1.0)
        outside(twin).draw(SPEC, Key(3, step=step).generator())
        after.append(vars(twin)["kept"][0].random(5))
    np.testing.assert_array_equal([rng.random(5) for rng in vars(method)["kept"]], after)


def test_where_refuses_indices_that_name_a_row_twice() -> None:
    plan = CutMix().redraw(Key(3), SPEC)
    assert plan.where(np.arange(8) < 3) == Plan(SPEC, tuple(layer.take(layer.rows < 3) for layer in plan.layers))
    with pytest.raises(PlanError, match="at most once"):
        plan.where(np.zeros(8, np.int64))


def test_schedules_are_found_however_deep_they_stand() -> None:
    """Beside what is ours, a method of the user's own may hold tables of schedules."""

    @dataclass(frozen=True, repr=False)
    class Tabled(MixUp):
        table: tuple[tuple[float | Schedule, ...], ...] = ((0.5, Ramp(0, 1, 0, 4)), (0.1,))

    assert Tabled().moves
    assert Tabled().at(2).table == ((0.5, 0.5), (0.1,))
    assert not Tabled(table=((0.5,),)).moves
    assert OneOf([MixUp(), OneOf([Tabled()])]).moves
