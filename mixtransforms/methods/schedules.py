"""Schedules: parameters that change from epoch to epoch.

A schedule is a pure function of the epoch. Methods never see one: :meth:`mixtransforms.methods.base.Method.at` puts the
value of an epoch in its place before anything is drawn.
"""

# No `from __future__ import annotations`: signatures must show types, not strings.
import dataclasses
import functools
import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass
from typing import Any, Self

import numpy as np

from mixtransforms.core import fields
from mixtransforms.core.cached import cached_property
from mixtransforms.core.display import Displayed
from mixtransforms.core.errors import ParameterError
from mixtransforms.core.layers import FloatArray, IntArray

LAST_EPOCH = 10_000
"""The highest epoch that a schedule may name: every value up to there is checked when it is constructed."""


@dataclass(frozen=True, eq=False, repr=False)
class Schedule(fields.Checked, Displayed, ABC):
    """A number for every epoch, counted from 0: ``schedule(epoch)``."""

    @property
    def name(self) -> str:
        """What it is called in files; a :exc:`TypeError` for a class of the user's own."""
        return fields.kind_name(self, SCHEDULES)

    @property
    @abstractmethod
    def last(self) -> int:
        """The epoch from which on the value stays as it is."""

    @abstractmethod
    def over(self, epochs: IntArray) -> FloatArray:
        """The values of some epochs, of the same shape."""

    def __call__(self, epoch: int) -> float:
        """The value of one epoch."""
        return float(self.over(np.array([epoch]))[0])

    def values(self) -> FloatArray:
        """The values of the epochs 0 to :attr:`last`, which are all that it ever has."""
        return self.over(np.arange(self.last + 1))

    @property
    def moves(self) -> bool:
        """Whether it ever changes."""
        values = self.values()
        return bool(values.min() < values.max())

    def then(self, following: "Schedule | float", epoch: int) -> "Then":
        """This schedule before an epoch, and another one from that epoch on.

        Args:
            following: What follows, in the same epochs, which do not begin again: up to the twentieth epoch and down in
                the next five is ``Ramp(0, 1, 0, 20).then(Ramp(1, 0, 20, 25), 20)``. A number stays.
            epoch: The first epoch of what follows.
        """
        if not isinstance(following, Schedule):
            following = Steps({0: following})
        first = (self.parts, self.at) if isinstance(self, Then) else ((self,), ())
        more = (following.parts, following.at) if isinstance(following, Then) else ((following,), ())
        return Then((*first[0], *more[0]), at=(*first[1], epoch, *more[1]))


def _value_field(default: Any, doc: str) -> Any:
    return fields.number(default, low=-1e6, high=1e6, doc=doc)


def _epoch_field(default: Any, doc: str) -> Any:
    field: Any = fields.optional_integer(low=0, high=LAST_EPOCH, doc=doc)
    rule: fields.Rule = field.metadata[fields.RULE]

    def check(value: Any) -> int:
        if value is None:
            raise ValueError
        return int(rule.check(value))

    whole = {"type": "integer", "minimum": 0, "maximum": LAST_EPOCH}
    return fields.parameter(default, check, f"a whole number within [0, {LAST_EPOCH}]", doc, whole)


@fields.documented
@dataclass(frozen=True, repr=False)
class Ramp(Schedule):
    """From one value to another in equal steps, to introduce mixing gradually.

    ``Ramp(0, 0.4, 0, 5)`` is 0 in epoch 0, which is not mixed at all, 0.08 in epoch 1, and 0.4 from epoch 5 on.
    """

    start: float = _value_field(MISSING, "The value up to and including epoch `begin`.")
    end: float = _value_field(MISSING, "The value from epoch `until` on.")
    begin: int = _epoch_field(MISSING, "The last epoch of `start`.")
    until: int = _epoch_field(MISSING, "The first epoch of `end`; after `begin`.")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.begin < self.until:
            raise fields.mismatch(self, "The end is not after the beginning", "begin < until")

    @property
    def last(self) -> int:
        return self.until

    def over(self, epochs: IntArray) -> FloatArray:
        return self._between(np.clip((epochs - self.begin) / (self.until - self.begin), 0.0, 1.0))

    def _between(self, part: FloatArray) -> FloatArray:
        """The way from start to end; both ends exactly, and nothing beyond them."""
        low, high = sorted((self.start, self.end))
        return np.clip(np.where(part < 1, self.start + (self.end - self.start) * part, self.end), low, high)


@fields.documented
@dataclass(frozen=True, repr=False)
class Cosine(Ramp):
    """From one value to another along half a wave of the cosine: slow at both ends, fast between.

    Source: Loshchilov and Hutter, SGDR, arXiv:1608.03983, equation 5, without restarts.
    """

    def over(self, epochs: IntArray) -> FloatArray:
        part = np.clip((epochs - self.begin) / (self.until - self.begin), 0.0, 1.0)
        return self._between((1.0 - np.cos(np.pi * part)) / 2.0)


def _checked_steps(value: Any) -> tuple[tuple[int, float], ...]:
    pairs = list(value.items()) if isinstance(value, Mapping) else [tuple(pair) for pair in value]
    known = {_EPOCH.check(epoch): _VALUE.check(number) for epoch, number in pairs}
    if 0 not in known or len(known) != len(pairs):
        raise ValueError
    return tuple(sorted(known.items()))


_EPOCH: fields.Rule = _epoch_field(0, "").metadata[fields.RULE]
_VALUE: fields.Rule = _value_field(0.0, "").metadata[fields.RULE]


@fields.documented
@dataclass(frozen=True, repr=False)
class Steps(Schedule):
    """A value from an epoch on, until the next one: ``Steps({0: 0.0, 10: 0.2, 20: 0.4})``."""

    at: Mapping[int, float] | Sequence[tuple[int, float]] = fields.parameter(
        MISSING,
        _checked_steps,
        "a dict of epochs and values, or pairs of them, that has the epoch 0",
        "The first epoch of every value, and the value.",
        fields.listed(fields.listed({"type": "number"}, low=2, high=2), low=1),
    )

    @property
    def last(self) -> int:
        return int(self._arrays()[0][-1])

    def over(self, epochs: IntArray) -> FloatArray:
        starts, values = self._arrays()
        return values[np.searchsorted(starts, np.maximum(epochs, 0), side="right") - 1]

    def _arrays(self) -> tuple[IntArray, FloatArray]:
        starts, values = zip(*self.at, strict=True)
        return np.array(starts, np.int64), np.array(values, np.float64)


@fields.documented
@dataclass(frozen=True, repr=False)
class OffAfter(Schedule):
    """A value before an epoch, and 0 from there on: the last epochs of a training without mixing.

    As detectors have it; Ge et al., YOLOX: Exceeding YOLO Series in 2021, arXiv:2107.08430, train the last 15 of 300
    epochs without.
    """

    value: float = _value_field(MISSING, "The value before.")
    epoch: int = _epoch_field(MISSING, "The first epoch of 0.")

    @property
    def last(self) -> int:
        return self.epoch

    def over(self, epochs: IntArray) -> FloatArray:
        return np.where(epochs < self.epoch, self.value, 0.0)


def _checked_parts(value: Any) -> tuple[Schedule, ...]:
    parts = tuple(as_schedule(item) for item in value)
    if any(isinstance(part, Then) for part in parts) or not parts:
        raise ValueError
    return parts


def _checked_joints(value: Any) -> tuple[int, ...]:
    found = tuple(_EPOCH.check(epoch) for epoch in value)
    if any(first >= second for first, second in itertools.pairwise(found)):
        raise ValueError
    return found


SIMPLE: Mapping[str, type[Schedule]] = {cls.__name__: cls for cls in (Ramp, Cosine, Steps, OffAfter)}

_SIMPLE_FORM: fields.Schema = {"anyOf": [fields.form(cls, kind={"const": name}) for name, cls in SIMPLE.items()]}


@fields.documented
@dataclass(frozen=True, repr=False)
class Then(Schedule):
    """Several schedules, each from an epoch on; ``first.then(second, epoch)`` makes it."""

    parts: Sequence[Schedule] = fields.parameter(
        MISSING,
        _checked_parts,
        "a list of schedules, none of them a Then",
        "The schedules in their order.",
        fields.listed(_SIMPLE_FORM, low=1, high=100),
    )
    _: fields.KW_ONLY
    at: Sequence[int] = fields.parameter(
        MISSING,
        _checked_joints,
        f"whole numbers within [0, {LAST_EPOCH}], each higher than the one before",
        "The first epoch of every part but the first.",
        fields.listed(_EPOCH.schema, high=99),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.at) != len(self.parts) - 1:
            what = f"{len(self.at)} epochs for {len(self.parts)} parts"
            raise fields.mismatch(self, what, "one epoch for every part but the first")

    @property
    def last(self) -> int:
        return max((self.parts[-1].last, *self.at))

    def over(self, epochs: IntArray) -> FloatArray:
        found = np.searchsorted(self.at, epochs, side="right")
        values = np.empty(np.shape(epochs))
        for index, part in enumerate(self.parts):
            values[found == index] = part.over(epochs[found == index])
        return values


SCHEDULES: Mapping[str, type[Schedule]] = {**SIMPLE, "Then": Then}
"""Every schedule by its name in files."""

SCHEDULE_FORM: fields.Schema = {"anyOf": [fields.form(cls, kind={"const": name}) for name, cls in SCHEDULES.items()]}
"""The form of a schedule in a file."""


def as_schedule(value: Any) -> Schedule:
    """A schedule, or the one that a file describes.

    Raises:
        ValueError: It is none.
        ParameterError: It is of a known kind and has a bad parameter.
    """
    return value if isinstance(value, Schedule) else fields.of_kind(value, SCHEDULES)


def number(default: Any, *, low: float, high: float, doc: str, also: tuple[float, ...] = ()) -> Any:
    """A finite real number within ``[low, high]``, or one of ``also``; or a schedule of such numbers."""
    field: Any = fields.number(default, low=low, high=high, doc=doc, also=also)
    rule: fields.Rule = field.metadata[fields.RULE]

    def check(value: Any) -> float | Schedule:
        if not isinstance(value, (Schedule, Mapping)):
            return float(rule.check(value))
        schedule = as_schedule(value)
        ours = type(schedule) in SCHEDULES.values()  # others may not be hashable
        find = _first_beyond if ours else _first_beyond.__wrapped__
        bad = find(schedule, low, high, also)
        if bad is not None:
            raise ValueError(f"In epoch {bad} it would be {schedule(bad):g}.")
        return schedule

    schema: fields.Schema = {"anyOf": [*rule.schema.get("anyOf", [rule.schema]), *SCHEDULE_FORM["anyOf"]]}
    return fields.parameter(default, check, f"{rule.wanted}, or a schedule of such numbers", doc, schema)


@functools.lru_cache(maxsize=256)  # a method is checked whenever it is made, which may be in every call
def _first_beyond(schedule: Schedule, low: float, high: float, also: tuple[float, ...]) -> int | None:
    """The first epoch whose value is neither within ``[low, high]`` nor one of ``also``."""
    values = schedule.values()
    good = ((low <= values) & (values <= high)) | np.isin(values, also)
    return None if good.all() else int(good.argmin())


def now(value: float | Schedule) -> float:
    """A parameter that is a number by now.

    Raises:
        ParameterError: It is still a schedule.
    """
    if isinstance(value, Schedule):
        raise ParameterError(
            "A schedule where a number is needed",
            where="draw",
            got=repr(value),
            wanted="the value of an epoch",
            fix="Draw with method.at(epoch).draw(...).",
        )
    return value


@dataclass(frozen=True, repr=False)
class Scheduled:
    """What has fields that may be schedules, or hold what has some."""

    def at(self, epoch: int) -> Self:
        """The same with the values of an epoch in place of schedules."""
        if not self._has_schedules:
            return self
        given = {known.name: getattr(self, known.name) for known in dataclasses.fields(self)}
        found = {name: _at_epoch(value, epoch) for name, value in given.items()}
        changed = {name: value for name, value in found.items() if value is not given[name]}
        return dataclasses.replace(self, **changed) if changed else self

    @property
    def _held_values(self) -> Iterator[Any]:
        """Values of all fields; of tuples, such as those of weights and of methods, each one."""
        return _leaves(tuple(getattr(self, known.name) for known in dataclasses.fields(self)))

    @cached_property
    def _has_schedules(self) -> bool:
        inside = (isinstance(value, Scheduled) and value._has_schedules for value in self._held_values)
        return any(inside) or any(isinstance(value, Schedule) for value in self._held_values)

    @cached_property
    def moves(self) -> bool:
        """Whether a parameter is a schedule that changes."""
        return any(isinstance(value, (Scheduled, Schedule)) and value.moves for value in self._held_values)


def _leaves(value: Any) -> Iterator[Any]:
    if not isinstance(value, tuple):
        yield value
    else:
        for item in value:
            yield from _leaves(item)


def _at_epoch(value: Any, epoch: int) -> Any:
    """A parameter in one epoch; the same object where no schedule is in it."""
    if isinstance(value, tuple):
        found = tuple(_at_epoch(item, epoch) for item in value)
        return found if any(new is not old for new, old in zip(found, value, strict=True)) else value
    if isinstance(value, Scheduled):
        return value.at(epoch)
    return value(epoch) if isinstance(value, Schedule) else value
