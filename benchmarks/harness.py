"""Times of calls that do the same work: in turns, in one process, told as medians and as ratios of single turns."""

from __future__ import annotations

import importlib.util
import multiprocessing
import random
import statistics
import time
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

try:
    import resource
except ImportError:  # Windows, which tells no page faults
    resource = None  # type: ignore[assignment]

Calls = Mapping[str, Callable[[], Any]]

LEAST_TURNS = 5
SHORTEST = 2e-3
"""Seconds; of what is over sooner, several calls in a row are timed together."""

REST = 1e-2
"""Seconds; threads of OpenMP wait actively for some milliseconds, which would slow down the next contender's."""


class Settings(NamedTuple):
    """How long to measure.

    Attributes:
        turns: Most turns of one case.
        seconds: After so many seconds a case takes no further turn, but never fewer than ``LEAST_TURNS``.
        short: Tiny work and one turn, to see that everything runs; the figures mean nothing.
        clock: Of the module ``time``; ``"thread_time"`` where there is one thread, which tells nearly the same on a
            busy machine.
        threads: Of torch and OpenCV; ``None`` is what they choose.
        rest: Seconds before each contender, for the threads of the last one to come to rest.
    """

    turns: int = 31
    seconds: float = 8.0
    short: bool = False
    clock: str = "perf_counter"
    threads: int | None = None
    rest: float = REST

    def size(self, number: int, short: int) -> int:
        """A size of the work, or a small one in a short run."""
        return min(number, short) if self.short else number


def nothing() -> None:
    """Prepares nothing."""


def faults() -> int:
    """How often this process has touched a page of memory that it had not got yet."""
    return 0 if resource is None else resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def inner_of(call: Callable[[], Any], clock: Callable[[], float] = time.perf_counter) -> int:
    """How many calls in a row take long enough to be timed."""
    start = clock()
    call()
    return max(1, round(SHORTEST / max(clock() - start, 1e-7)))


def taken(
    calls: Calls,
    turns: int,
    *,
    inner: int | None = 1,
    seconds: float | None = None,
    prepare: Callable[[], Any] = nothing,
    rest: float | None = None,
    clock: Callable[[], float] = time.perf_counter,
    touched: dict[str, list[float]] | None = None,
) -> dict[str, list[float]]:
    """Seconds of every call, turn by turn, each turn in another order.

    Args:
        calls: What to time, by name. What a call returns is freed within its time.
        turns: How many times each is timed, behind one call that warms up.
        inner: Calls in a row that are timed together; ``None`` finds out for each.
        seconds: After this time no further turn begins, but for the first ``LEAST_TURNS``.
        prepare: Runs before everything that is timed, and is not timed itself.
        rest: Seconds before each call that warms up, and is not timed, as another contender has had its turn; ``None``
            leaves that call out.
        clock: What time it is.
        touched: Gets the page faults of every call, turn by turn.
    """
    rounds = {}
    for name, call in calls.items():
        prepare()
        call()
        rounds[name] = inner or inner_of(call, clock)
    times: dict[str, list[float]] = {name: [] for name in calls}
    begin = time.monotonic()
    for turn in range(turns):
        if seconds is not None and turn >= LEAST_TURNS and time.monotonic() - begin > seconds:
            break
        for name in random.Random(turn).sample(list(calls), len(calls)):
            call = calls[name]
            if rest is not None:
                if rest:
                    time.sleep(rest)
                prepare()
                call()  # not timed: caches are as in a loop again
            prepare()
            pages, start = faults(), clock()
            for _ in range(rounds[name]):
                call()
            times[name].append((clock() - start) / rounds[name])
            if touched is not None:
                touched.setdefault(name, []).append((faults() - pages) / rounds[name])
    return times


def ratios(times: Mapping[str, list[float]], name: str, base: str) -> list[float]:
    """How many times as long as the base one took, turn by turn."""
    return [one / other for one, other in zip(times[name], times[base], strict=True)]


def ratio(times: Mapping[str, list[float]], name: str, base: str) -> float:
    """The median of the ratios of single turns."""
    return statistics.median(ratios(times, name, base))


@dataclass(frozen=True)
class Contender:
    """One way to do the work of a case.

    Attributes:
        name: Of a column.
        call: Does the work once.
        base: The contender that it is compared with, or ``None``.
        limit: The bare copy that it could at best be as fast as, or ``None``.
    """

    name: str
    call: Callable[[], Any]
    base: str | None = None
    limit: str | None = None


@dataclass
class Measured:
    """The times of one case.

    Attributes:
        times: Seconds, turn by turn.
        bases: What a contender is compared with.
        limits: The bare copy that it could at best be as fast as.
        refused: Who cannot do the work, and what it said.
        faults: Pages of memory that a call touches for the first time, turn by turn.
    """

    times: dict[str, list[float]]
    bases: dict[str, str | None] = field(default_factory=dict)
    limits: dict[str, str | None] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    faults: dict[str, list[float]] = field(default_factory=dict)

    def median(self, name: str) -> float:
        """Seconds."""
        return statistics.median(self.times[name])

    def ratio(self, name: str, base: str) -> float:
        """How many times as long as the base it took."""
        return ratio(self.times, name, base)

    def records(self) -> list[dict[str, Any]]:
        """Plain data, one dict a contender."""
        return [self._record(name) for name in self.times]

    def _record(self, name: str) -> dict[str, Any]:
        record: dict[str, Any] = {
            "contender": name,
            "median_ms": 1e3 * self.median(name),
            "turns": len(self.times[name]),
        }
        if name in self.faults:
            record["page_faults"] = statistics.median(self.faults[name])
        base, limit = self.bases.get(name), self.limits.get(name)
        if base in self.times:
            quartiles = statistics.quantiles(ratios(self.times, name, base), n=4) if record["turns"] > 1 else []
            record |= {"base": base, "ratio": self.ratio(name, base), "ratio_quartiles": quartiles}
        if limit in self.times:
            record |= {"limit": limit, "share_of_limit": self.ratio(limit, name)}
        return record


def compare(
    contenders: list[Contender], settings: Settings, prepare: Callable[[], Any] = nothing, *, inner: int | None = None
) -> Measured:
    """Times all contenders that can do the work; the errors of the others are told."""
    able, refused = [], {}
    for contender in contenders:
        prepare()
        try:
            contender.call()
        except (ImportError, RuntimeError, TypeError, ValueError, AssertionError) as error:
            if contender.name.startswith("ours"):
                raise
            refused[contender.name] = f"{type(error).__name__}: {error}".splitlines()[0]
        else:
            able.append(contender)
    touched: dict[str, list[float]] = {}
    times = taken(
        {one.name: one.call for one in able},
        1 if settings.short else settings.turns,
        inner=1 if settings.short else inner,
        seconds=settings.seconds,
        prepare=prepare,
        rest=None if settings.short else settings.rest,
        clock=getattr(time, settings.clock),
        touched=touched,
    )
    bases, limits = ({one.name: getattr(one, name) for one in able} for name in ("base", "limit"))
    return Measured(times, bases, limits, refused, touched)


def apart(measure: Callable[[Settings], Any]) -> Callable[[Settings], Any]:
    """The measure in a process of its own: what ran before leaves memory behind that is handed out again."""
    return partial(_in_another_process, measure)


def _in_another_process(measure: Callable[[Settings], Any], settings: Settings) -> Any:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_measured_there, measure, settings).result()


def _measured_there(measure: Callable[[Settings], Any], settings: Settings) -> Any:
    use_threads(settings.threads)
    warnings.simplefilter("ignore")
    return measure(settings)


def use_threads(count: int | None) -> None:
    """Has torch and OpenCV use so many threads; ``None`` leaves them alone."""
    if count is None:
        return
    import torch

    torch.set_num_threads(count)
    if importlib.util.find_spec("cv2"):
        import cv2

        cv2.setNumThreads(count)


class Case(NamedTuple):
    """A row of a table: work that all contenders do.

    Attributes:
        key: What goals call it.
        section: The table.
        title: The row.
        measure: Measures it.
    """

    key: str
    section: str
    title: str
    measure: Callable[[Settings], Any]
