"""Schedules: their values against the formulas written once more without NumPy, and what is refused."""

import copy
import math
import pickle
from collections.abc import Callable, Sequence
from dataclasses import FrozenInstanceError
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mixtransforms
from mixtransforms import Cosine, OffAfter, ParameterError, Ramp, Schedule, Steps, Then
from mixtransforms.methods.schedules import LAST_EPOCH, SCHEDULES, as_schedule

Value = Callable[[int], float]
Case = tuple[Schedule, Value]

HIGHEST = 2**32 - 1
"""The last epoch that a key may have."""

NAMES = {name: getattr(mixtransforms, name) for name in SCHEDULES}


# ------------------------------------------------------------------------------------------------- the formulas, once more


def ramp(start: float, end: float, begin: int, until: int) -> Value:
    def value(epoch: int) -> float:
        if epoch <= begin:
            return start
        if epoch >= until:
            return end
        way = Fraction(end) - Fraction(start)
        return float(Fraction(start) + way * Fraction(epoch - begin, until - begin))

    return value


def cosine(start: float, end: float, begin: int, until: int) -> Value:
    def value(epoch: int) -> float:
        if epoch <= begin:
            return start
        if epoch >= until:
            return end
        return end + (start - end) * (1 + math.cos(math.pi * (epoch - begin) / (until - begin))) / 2

    return value


def steps(at: dict[int, float]) -> Value:
    return lambda epoch: at[max(first for first in at if first <= epoch)]


def off_after(value: float, off: int) -> Value:
    return lambda epoch: value if epoch < off else 0.0


def then(parts: Sequence[Value], at: Sequence[int]) -> Value:
    def value(epoch: int) -> float:
        found = parts[0]
        for part, joint in zip(parts[1:], at, strict=True):
            if epoch >= joint:
                found = part
        return found(epoch)

    return value


def case(cls: type[Schedule], formula: Callable[..., Value], *args: Any) -> Case:
    return cls(*args), formula(*args)


values = st.floats(-1e6, 1e6)
epochs = st.integers(0, 60)
spans = st.tuples(epochs, st.integers(1, 40)).map(lambda pair: (pair[0], sum(pair)))
simple: st.SearchStrategy[Case] = st.one_of(
    st.builds(lambda start, end, span: case(Ramp, ramp, start, end, *span), values, values, spans),
    st.builds(lambda start, end, span: case(Cosine, cosine, start, end, *span), values, values, spans),
    st.builds(lambda first, more: case(Steps, steps, {**more, 0: first}), values, st.dictionaries(epochs, values)),
    st.builds(lambda value, off: case(OffAfter, off_after, value, off), values, epochs),
)


@st.composite
def chains(draw: st.DrawFn, low: int = 1) -> tuple[list[Case], list[int]]:
    """Schedules that follow each other, and the joints between them."""
    parts = draw(st.lists(simple, min_size=low, max_size=5))
    joints = draw(st.sets(st.integers(0, 120), min_size=len(parts) - 1, max_size=len(parts) - 1))
    return parts, sorted(joints)


def chained(chain: tuple[list[Case], list[int]]) -> Case:
    parts, at = chain
    return Then([one for one, _ in parts], at=at), then([value for _, value in parts], at)


any_case: st.SearchStrategy[Case] = st.one_of(simple, chains().map(chained))

TABLE: list[Case] = [
    case(Ramp, ramp, 0, 0.4, 0, 5),
    case(Ramp, ramp, 0.4, 0.1, 3, 4),
    case(Ramp, ramp, 0.1, 0.7, 9_900, LAST_EPOCH),
    case(Ramp, ramp, 0.3, 0.3, 2, 9),
    case(Cosine, cosine, 0.1, 1.3, 2, 9),
    case(Cosine, cosine, 1, 0, 0, 10),
    case(Steps, steps, {0: 0.25}),
    case(Steps, steps, {10: 0.2, 0: 0.5, 20: 0.4, 21: 0.1}),
    case(OffAfter, off_after, 0.3, 7),
    case(OffAfter, off_after, 0.3, 0),
    chained(([case(Ramp, ramp, 0, 1, 0, 9), case(OffAfter, off_after, 0.5, 7)], [4])),
    chained(([case(Steps, steps, {0: 0.5, 3: 0.7}), case(Cosine, cosine, 0, 1, 5, 30)], [20])),
    chained(([case(Steps, steps, {0: value}) for value in (0.1, 0.2, 0.3)], [0, 1])),
]


def interesting(schedule: Schedule) -> list[int]:
    """Before, at and after everything that a schedule names, and far away."""
    last = schedule.last
    near = range(max(0, last - 3), last + 4)
    return sorted({*range(min(last, 60) + 2), *near, 2 * last, LAST_EPOCH, 2**31, HIGHEST})


# -------------------------------------------------------------------------------------------------------------------- values


@pytest.mark.parametrize(
    ("schedule", "formula"), TABLE, ids=lambda item: repr(item) if isinstance(item, Schedule) else ""
)
def test_values_are_those_of_the_formula(schedule: Schedule, formula: Value) -> None:
    for epoch in interesting(schedule):
        assert schedule(epoch) == pytest.approx(formula(epoch), rel=1e-12, abs=1e-15), epoch


@given(any_case)
@settings(max_examples=60, deadline=None)
def test_values_of_any_schedule_are_those_of_the_formula(one: Case) -> None:
    schedule, formula = one
    for epoch in interesting(schedule):
        assert schedule(epoch) == pytest.approx(formula(epoch), rel=1e-9, abs=1e-9), epoch


def test_a_ramp_in_words() -> None:
    assert [Ramp(0, 0.5, 1, 5)(epoch) for epoch in range(7)] == [0, 0, 0.125, 0.25, 0.375, 0.5, 0.5]
    assert [Ramp(1, 0, 0, 2)(epoch) for epoch in range(4)] == [1, 0.5, 0, 0]


def test_a_cosine_in_words() -> None:
    seen = [Cosine(0, 1, 10, 14)(epoch) for epoch in range(9, 16)]
    root = math.sqrt(0.5)
    assert seen == pytest.approx([0, 0, (1 - root) / 2, 0.5, (1 + root) / 2, 1, 1], abs=1e-15)


def test_steps_and_switches_in_words() -> None:
    assert [Steps({0: 0, 2: 0.2, 3: 0.4})(epoch) for epoch in range(5)] == [0, 0, 0.2, 0.4, 0.4]
    assert [OffAfter(0.3, 2)(epoch) for epoch in range(4)] == [0.3, 0.3, 0, 0]
    assert [OffAfter(0.3, 0)(epoch) for epoch in range(2)] == [0, 0]


def test_epochs_of_what_follows_do_not_begin_again() -> None:
    both = Steps({0: 0.5}).then(Ramp(0, 1, 0, 10), 5)
    assert [both(epoch) for epoch in (4, 5, 6, 10, 11)] == [0.5, 0.5, 0.6, 1, 1]


@pytest.mark.parametrize("cls", [Ramp, Cosine])
@given(values, values, spans)
@settings(max_examples=60, deadline=None)
def test_the_way_between_two_values(cls: type[Ramp], start: float, end: float, span: tuple[int, int]) -> None:
    begin, until = span
    seen = [cls(start, end, begin, until)(epoch) for epoch in range(until + 3)]
    assert seen[: begin + 1] == [start] * (begin + 1), "start exactly"
    assert seen[until:] == [end] * 3, "end exactly"
    assert all(min(start, end) <= value <= max(start, end) for value in seen)
    assert seen == sorted(seen, reverse=start > end)


@pytest.mark.parametrize("cls", [Ramp, Cosine])
def test_a_long_way_is_monotone_and_within_its_ends(cls: type[Ramp]) -> None:
    for start, end in ((0.1, 0.3), (0.3, 0.1), (1e-6, 1e6), (-0.7, 0.7)):
        seen = cls(start, end, 0, LAST_EPOCH).values()
        assert (seen[0], seen[-1]) == (start, end)
        assert (np.diff(seen) * np.sign(end - start) >= 0).all()
        assert min(start, end) <= seen.min()
        assert seen.max() <= max(start, end)


@given(any_case)
@settings(max_examples=60, deadline=None)
def test_one_epoch_or_many_are_the_same(one: Case) -> None:
    schedule, _ = one
    asked = interesting(schedule)
    many = schedule.over(np.array(asked))
    assert many.dtype == np.float64
    assert many.tolist() == [schedule(epoch) for epoch in asked]
    assert all(type(schedule(epoch)) is float for epoch in asked[:3])
    assert schedule.over(np.array([asked, asked])).tolist() == [many.tolist()] * 2
    assert schedule.over(np.array([], np.int64)).shape == (0,)


@given(any_case)
@settings(max_examples=60, deadline=None)
def test_nothing_new_comes_after_the_last_epoch(one: Case) -> None:
    schedule, _ = one
    seen = schedule.values()
    assert seen.shape == (schedule.last + 1,)
    assert seen.tolist() == [schedule(epoch) for epoch in range(schedule.last + 1)]
    for later in (schedule.last + 1, schedule.last + 17, LAST_EPOCH, HIGHEST):
        assert schedule(later) == seen[-1]


@pytest.mark.parametrize(
    ("schedule", "last"),
    [
        (Ramp(0, 1, 3, 8), 8),
        (Cosine(0, 1, 3, 8), 8),
        (Steps({0: 1, 9: 2, 4: 3}), 9),
        (Steps({0: 1}), 0),
        (OffAfter(1, 6), 6),
        (Ramp(0, 1, 3, 8).then(0.5, 5), 5),
        (Ramp(0, 1, 3, 8).then(OffAfter(1, 6), 5), 6),
        (Ramp(0, 1, 3, 8).then(OffAfter(1, 6), 20), 20),
        (Then((Ramp(0, 1, 3, 8),), at=()), 8),
    ],
    ids=repr,
)
def test_the_last_epoch_that_matters(schedule: Schedule, last: int) -> None:
    assert schedule.last == last


# ------------------------------------------------------------------------------------------------------ one after another


def grouped(parts: Sequence[Schedule], joints: Sequence[int], split: Callable[[int], int]) -> Schedule:
    """The parts joined by calls of ``then`` in some association."""
    if len(parts) == 1:
        return parts[0]
    left = split(len(parts))
    first, second = grouped(parts[:left], joints[: left - 1], split), grouped(parts[left:], joints[left:], split)
    return first.then(second, joints[left - 1])


@given(chains(low=2), st.data())
@settings(max_examples=60, deadline=None)
def test_then_is_associative(chain: tuple[list[Case], list[int]], data: st.DataObject) -> None:
    expected, _ = chained(chain)
    parts = [one for one, _ in chain[0]]
    seen = grouped(parts, chain[1], lambda count: data.draw(st.integers(1, count - 1)))
    assert seen == expected
    assert seen.values().tolist() == expected.values().tolist()


@pytest.mark.parametrize("number", [0, 1, 0.3, Fraction(1, 4), np.float32(0.5), np.int64(2)])
def test_a_number_may_follow(number: Any) -> None:
    both = Ramp(0, 1, 0, 4).then(number, 2)
    assert [both(epoch) for epoch in (0, 1, 2, 3, HIGHEST)] == [0, 0.25, *[float(number)] * 3]
    assert both == Ramp(0, 1, 0, 4).then(Steps({0: float(number)}), 2)


def test_nothing_is_changed_by_what_follows() -> None:
    first = Ramp(0, 1, 0, 4).then(0.5, 3)
    before = repr(first)
    first.then(Ramp(0, 1, 0, 9).then(0.25, 8), 5)
    assert repr(first) == before


# ------------------------------------------------------------------------------------------------------------- as values

OTHERS: tuple[Schedule, ...] = (
    Ramp(0, 1, 0, 5),
    Ramp(0, 1, 0, 6),
    Ramp(0, 1, 1, 5),
    Ramp(0, 0.5, 0, 5),
    Ramp(0.5, 1, 0, 5),
    Cosine(0, 1, 0, 5),
    Steps({0: 0}),
    Steps({0: 0, 5: 1}),
    OffAfter(1, 5),
    OffAfter(1, 6),
    Ramp(0, 1, 0, 5).then(0, 7),
    Ramp(0, 1, 0, 5).then(0, 8),
    Cosine(0, 1, 0, 5).then(0, 7),
)


@pytest.mark.parametrize("schedule", OTHERS, ids=repr)
def test_schedules_are_values(schedule: Schedule) -> None:
    for twin in (copy.copy(schedule), copy.deepcopy(schedule), pickle.loads(pickle.dumps(schedule))):
        assert twin == schedule
        assert hash(twin) == hash(schedule)
    again = eval(repr(schedule), dict(NAMES))
    assert again == schedule
    assert hash(again) == hash(schedule)
    assert sum(schedule == other for other in OTHERS) == 1
    name = "at" if isinstance(schedule, (Steps, Then)) else next(iter(vars(schedule)))
    with pytest.raises(FrozenInstanceError, match=f"cannot assign to field '{name}'"):
        setattr(schedule, name, 0)


def test_spellings_of_one_schedule_are_equal() -> None:
    assert Steps({5: 1, 0: 0}) == Steps([[0, 0.0], [5, 1.0]]) == Steps(((5, 1), (0, 0)))
    assert hash(Steps({5: 1, 0: 0})) == hash(Steps({0: 0, 5: 1}))
    assert Ramp(0, 1, 0, 5) == Ramp(start=0.0, end=np.float64(1), begin=np.int64(0), until=5)
    assert Then([Ramp(0, 1, 0, 5), Steps({0: 1})], at=[3]) == Ramp(0, 1, 0, 5).then(1, 3)


def test_what_is_given_is_not_held() -> None:
    at, parts, joints = {0: 0.5}, [Ramp(0, 1, 0, 5), Steps({0: 1})], [3]
    held, both = Steps(at), Then(parts, at=joints)
    at[0] = 7.0
    parts.pop()
    joints[0] = 9
    assert held(0) == 0.5
    assert both == Ramp(0, 1, 0, 5).then(1, 3)


def test_steps_stay_as_they_were_checked() -> None:
    held = Steps({0: 0.5})
    with pytest.raises(TypeError, match="assignment"):
        held.at[0] = 7.0  # type: ignore[index]


def test_schedules_of_ones_own_are_not_all_equal() -> None:
    class Own(Schedule):
        def __init__(self, value: float) -> None:
            self.value = value

        @property
        def last(self) -> int:
            return 0

        def over(self, epochs: Any) -> Any:
            return np.full(np.shape(epochs), self.value)

    assert Own(0.1) != Own(0.2)


# --------------------------------------------------------------------------------------------------------- what is refused

EPOCH = r"wanted a whole number within \[0, 10000\]"
NUMBER = r"wanted a number within \[-1e\+06, 1e\+06\]"


@pytest.mark.parametrize(
    "bad", [-1, 0.0, 2.5, True, np.True_, None, "3", math.nan, math.inf, LAST_EPOCH + 1, [3], 10**30]
)
@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("begin", lambda bad: Ramp(0, 1, bad, 5)),
        ("until", lambda bad: Ramp(0, 1, 0, bad)),
        ("begin", lambda bad: Cosine(0, 1, bad, 5)),
        ("until", lambda bad: Cosine(0, 1, 0, bad)),
        ("epoch", lambda bad: OffAfter(1, bad)),
    ],
)
def test_bad_epochs(name: str, make: Callable[[Any], Schedule], bad: Any) -> None:
    with pytest.raises(ParameterError, match=rf"Bad value for '{name}' \((Ramp|Cosine|OffAfter)\): got .*; {EPOCH}"):
        make(bad)


@pytest.mark.parametrize("bad", [-1, 0.0, 2.5, True, None, "3", math.nan, LAST_EPOCH + 1])
def test_bad_epochs_of_steps_and_joints(bad: Any) -> None:
    with pytest.raises(
        ParameterError, match=r"Bad value for 'at' \(Steps\): got .*; wanted a dict of epochs and values"
    ):
        Steps([(0, 1), (bad, 1)])
    with pytest.raises(
        ParameterError, match=r"Bad value for 'at' \(Then\): got .*; wanted whole numbers within \[0, 1"
    ):
        Ramp(0, 1, 0, 5).then(0, bad)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1.1e6, -1.1e6, True, None, "1", 1j, [1]])
@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("start", lambda bad: Ramp(bad, 1, 0, 5)),
        ("end", lambda bad: Cosine(1, bad, 0, 5)),
        ("value", lambda bad: OffAfter(bad, 5)),
    ],
)
def test_bad_values(name: str, make: Callable[[Any], Schedule], bad: Any) -> None:
    with pytest.raises(ParameterError, match=rf"Bad value for '{name}' \((Ramp|Cosine|OffAfter)\): got .*; {NUMBER}"):
        make(bad)
    with pytest.raises(ParameterError, match=r"Bad value for 'at' \(Steps\): got .*that has the epoch 0"):
        Ramp(0, 1, 0, 5).then(bad, 3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Ramp(0, 1, 5, 5), r"The end is not after the beginning \(Ramp\): got Ramp\(.*wanted begin < until"),
        (lambda: Ramp(0, 1, 6, 5), r"The end is not after the beginning \(Ramp\)"),
        (lambda: Cosine(0, 1, 5, 5), r"The end is not after the beginning \(Cosine\): got Cosine\("),
        (lambda: Steps({}), r"'at' \(Steps\): got \{\}; wanted a dict of epochs and values, or pairs of them, that has the epoch 0"),
        (lambda: Steps([]), r"'at' \(Steps\): got \[\]"),
        (lambda: Steps({1: 0.5}), r"'at' \(Steps\): got \{1: 0\.5\}.* has the epoch 0"),
        (lambda: Steps([[0, 1], [5, 1], [5, 2]]), r"'at' \(Steps\): got \[\[0, 1\], \[5, 1\], \[5, 2\]\]"),
        (lambda: Steps([[0, 1], [0, 1]]), r"'at' \(Steps\)"),
        (lambda: Steps([[0, 1, 2]]), r"'at' \(Steps\)"),
        (lambda: Steps({0: Ramp(0, 1, 0, 5)}), r"'at' \(Steps\)"),
        (lambda: Steps(3), r"'at' \(Steps\): got 3"),
        (lambda: Steps("01"), r"'at' \(Steps\): got '01'"),
        (lambda: Ramp(Steps({0: 1}), 1, 0, 5), r"'start' \(Ramp\): got Steps\("),
        (lambda: Then((), at=()), r"'parts' \(Then\): got \(\); wanted a list of schedules, none of them a Then"),
        (lambda: Then(3, at=()), r"'parts' \(Then\): got 3"),
        (lambda: Then((0.5, 0.2), at=(3,)), r"'parts' \(Then\): got \(0\.5, 0\.2\)"),
        (lambda: Then((OffAfter(1, 2), OffAfter(1, 2).then(0.5, 3)), at=(3,)), r"'parts' \(Then\): got \(OffAfter.*none of th"),
        (lambda: Then((OffAfter(1, 2).then(0.5, 3), OffAfter(1, 2)), at=(9,)), r"'parts' \(Then\): got \(Then"),
        (lambda: Then((Ramp(0, 1, 0, 5).then(1, 3),), at=()), r"'parts' \(Then\): got .*none of them a Then"),
        (lambda: Then((Steps({0: 1}),), at=(3,)), r"1 epochs for 1 parts \(Then\).*one epoch for every part but the f"),
        (lambda: Then((Steps({0: 1}),) * 3, at=(3,)), r"1 epochs for 3 parts \(Then\)"),
        (lambda: Then((Steps({0: 1}),) * 3, at=(3, 3)), r"'at' \(Then\): got \(3, 3\).*each higher than the one before"),
        (lambda: Then((Steps({0: 1}),) * 3, at=(4, 3)), r"'at' \(Then\): got \(4, 3\)"),
        (lambda: Steps({0: 1}).then(0, 5).then(1, 5), r"'at' \(Then\): got \(5, 5\)"),
        (lambda: Steps({0: 1}).then(0, 5).then(1, 4), r"'at' \(Then\): got \(5, 4\)"),
        (lambda: Steps({0: 1}).then(Steps({0: 2}).then(3, 4), 10), r"'at' \(Then\): got \(10, 4\)"),
        (lambda: Steps({0: 1}).then("x", 5), r"'at' \(Steps\): got \{0: 'x'\}"),
    ],
)  # fmt: skip
def test_bad_schedules(make: Callable[[], Schedule], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        make()


def test_every_schedule_has_a_case() -> None:
    assert {type(schedule) for schedule, _ in TABLE} == set(SCHEDULES.values())
    assert set(NAMES) == set(SCHEDULES) == {schedule.name for schedule, _ in TABLE}
    assert set(SCHEDULES) | {"Schedule"} <= set(mixtransforms.__all__)


# ------------------------------------------------------------------------------------------------------------- as files have it


@pytest.mark.parametrize(
    "bad", [None, 3, "Ramp", [], {}, {"kind": "Rmp"}, {"kind": None}, {"start": 0}, {"kind": "Schedule"}]
)
def test_what_is_no_schedule(bad: Any) -> None:
    with pytest.raises(ValueError, match=r"^$"):
        as_schedule(bad)


def test_dicts_of_files() -> None:
    assert as_schedule({"kind": "OffAfter", "value": 1, "epoch": 3}) == OffAfter(1, 3)
    parts = [{"kind": "Steps", "at": [[0, 1]]}, {"kind": "Ramp", "start": 0, "end": 1, "begin": 0, "until": 2}]
    assert as_schedule({"kind": "Then", "parts": parts, "at": [3]}) == Steps({0: 1}).then(Ramp(0, 1, 0, 2), 3)
    schedule = Ramp(0, 1, 0, 2)
    assert as_schedule(schedule) is schedule
