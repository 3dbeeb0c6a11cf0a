"""Our mixing beside every peer's, on the same work: ``python benchmarks/mixing.py``.

Prints tables in Markdown: of every case or, with ``--goals``, of what is to be reached and what was. ``--out
benchmarks`` writes them into ``benchmarks/RESULTS.md`` instead, and the figures as JSON beside it.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import batches
import collation
import goal_cases
import goals
import memory
import objects
import peers
import report
from harness import Case, Settings, use_threads

from mixtransforms.kernels import compiled

GOALS = Settings(turns=300, seconds=4.0, threads=1, rest=0.0)
"""Of goals: single calls are timed, most of which are short."""

READING = """All contenders of a case take turns in one process, each turn in another order; before each, threads come
to rest, one call warms up, and the batch is restored. Told is the median. Behind a figure of ours, a percentage says
what share of it a bare copy takes (`copy_` into existing memory in place, `clone` out of place, `default_collate` for
collation); behind another, the median of the ratios of single turns to ours of the same kind, in place or not: `3.00x`
took three times as long. What is not comparable is said in `benchmarks/peers.py` and `benchmarks/collation.py`.
"""


READING_GOALS = """Wall time of single calls; all contenders of a case take turns, each turn in another order, behind a
call that warms up and with the batch restored. Figures are ratios of medians. Collation, workers and memory have
processes of their own.
"""


def all_cases() -> list[Case]:
    """Every case, tables in the order of the page."""
    return [*batches.cases(), *collation.cases(), *objects.cases(), *memory.cases()]


def chosen(options: argparse.Namespace) -> list[Case]:
    """The cases that were asked for."""
    cases = list(goal_cases.cases()) if options.goals else all_cases()
    if options.only:
        cases = [case for case in cases if any(word in f"{case.section} {case.key}" for word in options.only)]
    return cases


def run(cases: Sequence[Case], settings: Settings) -> dict[str, Any]:
    """Measures all cases; the progress goes to stderr, and so do errors, after which the others are measured."""
    results = {}
    start = time.monotonic()
    for number, case in enumerate(cases, start=1):
        print(f"[{number}/{len(cases)}, {time.monotonic() - start:.0f} s] {case.key}", file=sys.stderr, flush=True)
        try:
            results[case.key] = case.measure(settings)
        except Exception:  # noqa: BLE001 -- a quarter of an hour of figures is not lost for one case
            traceback.print_exc()
    return results


def notes(settings: Settings) -> str:
    """Who is left out, and what else is to be known of a run."""
    lines = [f"- {package} is not installed and is left out\n" for package in peers.missing()]
    if settings.clock == "thread_time":
        lines.append("- all with one thread of torch and OpenCV, whose CPU time is told\n")
    if settings.short:
        lines.append("- **a short run: the figures mean nothing**\n")
    return "".join(lines)


def skipped() -> str:
    """Which batches are left out, and by whom, because they are large."""
    large, heavy = f"{batches.MOST_BYTES / 1e9:g} GB", f"{batches.HEAVY_BYTES / 1e6:.0f} MB"
    return (
        f"- skipped, above {large} a batch: {', '.join(batches.too_large())}\n"
        f"- kornia and Keras, which take several times the memory, take part up to batches of {heavy}\n"
    )


def markdown(cases: Sequence[Case], results: dict[str, Any], about: dict[str, Any], settings: Settings) -> str:
    """The part of the page."""
    parts = ["## Mixing", report.header(about), READING, skipped() + notes(settings)]
    for title, group in itertools.groupby(cases, key=lambda case: case.section):
        parts.append(report.section(title, [(case, results[case.key]) for case in group]))
    return "\n".join(parts)


def markdown_of_goals(
    judged: Sequence[Mapping[str, Any]], about: dict[str, Any], settings: Settings, setting: goals.Setting
) -> str:
    """The part of the page that goals have."""
    kernel = "with the compiled kernel" if setting.compiled else "without the compiled kernel"
    threads = f"{setting.threads} thread" + "s" * (setting.threads > 1)
    parts = [f"## Goals {kernel}, {threads}", report.header(about), READING_GOALS, notes(settings)]
    return "\n".join([*parts, report.of_goals(judged)])


def data(cases: Sequence[Case], results: dict[str, Any], about: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """The same as plain data."""
    rows = [
        {"case": case.key, "section": case.section, "title": case.title}
        | {"contenders": results[case.key].records(), "refused": getattr(results[case.key], "refused", {})}
        for case in cases
    ]
    return {"machine": about, "settings": settings._asdict(), "missing": peers.missing(), "cases": rows}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Our mixing beside other libraries', on the same work.")
    parser.add_argument("--out", type=Path, metavar="DIR", help=f"write {report.PAGE} and mixing.json there")
    parser.add_argument("--goals", action="store_true", help="only what goals are read from, in three minutes")
    parser.add_argument("--only", action="append", metavar="WORD", help="only cases with this word; may be given twice")
    parser.add_argument("--short", action="store_true", help="tiny work, one turn: does everything run?")
    parser.add_argument("--turns", type=int, help="most turns of a case")
    parser.add_argument("--seconds", type=float, help="most seconds of a case, about")
    parser.add_argument("--threads", type=int, help="of torch and OpenCV; of goals 1 where nothing is said")
    parser.add_argument(
        "--one-thread", action="store_true", help="as a worker has; its own CPU time counts, also on a busy machine"
    )
    options = parser.parse_args(arguments)
    peers.quiet()
    settings = settings_of(options)
    use_threads(settings.threads)
    before = report.busy()
    cases = chosen(options)
    results = run(cases, settings)
    failed = [case.key for case in cases if case.key not in results]
    cases = [case for case in cases if case.key in results]
    about = report.machine(before)
    name, told = "mixing", data(cases, results, about, settings)
    if options.goals:
        setting = goals.Setting(compiled.LIBRARY is not None, settings.threads or 1)
        judged = goals.judged(results, setting)
        text = markdown_of_goals(judged, about, settings, setting)
        name = "goals" + "-python" * (not setting.compiled) + f"-{setting.threads}-threads" * (setting.threads > 1)
        told["goals"] = judged
    else:
        text = markdown(cases, results, about, settings)
    if options.out is None:
        print(text)
    else:
        report.save(options.out, name, text, told)
    if failed:
        raise SystemExit(f"Could not be measured: {', '.join(failed)}")


def settings_of(options: argparse.Namespace) -> Settings:
    """How long to measure, and by what clock."""
    usual = GOALS if options.goals else Settings()
    return usual._replace(
        turns=options.turns or usual.turns,
        seconds=usual.seconds if options.seconds is None else options.seconds,
        short=options.short,
        clock="thread_time" if options.one_thread else "perf_counter",
        threads=1 if options.one_thread else options.threads or usual.threads,
    )


if __name__ == "__main__":
    main()
