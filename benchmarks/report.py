"""Tables in Markdown, the same as JSON, and the page that holds them."""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import os
import platform
import re
import shlex
import statistics
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness import Case, Measured
from memory import Peaks

PACKAGES = (
    "mixtransforms numpy torch torchvision albumentations opencv-python-headless opencv-python timm kornia keras "
    "mixup mlxops-aug"
).split()
PAGE = "RESULTS.md"
MOST_BY_OTHERS = 0.05
MANY_PAGES = 100
"""Page faults of a call that are told: so many cost about 0.1 ms."""

ABOUT = """# Measured

Between the marks is what the commands wrote; writing it again replaces it. What stands outside of them is written by
hand and stays.

## Remarks

"""


def processor() -> str:
    """The model of the CPU."""
    info = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*: (.+)", info.read_text()) if info.exists() else []
    return names[0] if names else platform.processor() or platform.machine()


def cores() -> int:
    """That this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def busy() -> tuple[float, float, float]:
    """The time, and the seconds that all cores were busy, by anybody and by this process with its children."""
    stat = Path("/proc/stat")
    own = sum(os.times()[:4])
    if not stat.exists():
        return time.monotonic(), own, own
    user, nice, system, _, _, irq, softirq, *_ = map(int, stat.read_text().split()[1:11])
    return time.monotonic(), (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK"), own


def taken_by_others(before: tuple[float, float, float]) -> float:
    """The share of the cores that other processes took since :func:`busy` was asked."""
    past, all_past, own_past = before
    now, all_now, own_now = busy()
    return max(0.0, (all_now - all_past) - (own_now - own_past)) / max(now - past, 1e-9) / cores()


def machine(before: tuple[float, float, float]) -> dict[str, Any]:
    """Where and with what was measured, between ``before``, when :func:`busy` was asked, and now."""
    import torch

    installed = {each.metadata["Name"].lower(): each.version for each in importlib.metadata.distributions()}
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "cpu": processor(),
        "cores": cores(),
        "threads": torch.get_num_threads(),
        "others": taken_by_others(before),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: installed[name] for name in PACKAGES if name in installed},
        "command": shlex.join(["python", os.path.relpath(sys.argv[0]), *sys.argv[1:]]),
    }


def header(about: Mapping[str, Any]) -> str:
    """The machine in a few lines."""
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    others = f"Other processes took {about['others']:.0%} of the cores meanwhile."
    if about["others"] > MOST_BY_OTHERS and about["threads"] > 1:
        others = f"**{others} That favours whoever needs one thread alone: measure again on an idle machine.**"
    return (
        f"`{about['command']}`, {about['date']}\n\n"
        f"{about['cpu']}, {about['cores']} cores, threads of torch: {about['threads']}; {about['system']}; "
        f"Python {about['python']}; {versions}.\n\n{others}\n"
    )


def table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown; the first column is text, the others are figures."""
    lines = [names, ["---", *["---:"] * (len(names) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def milliseconds(seconds: float) -> str:
    """Three digits."""
    value = 1e3 * seconds
    return f"{value:.0f} ms" if value >= 100 else f"{value:.3g} ms"


def cell(seen: Measured, name: str) -> str:
    """A median; behind it how many times as long as its base, or how many times as long as the bare copy."""
    if name in seen.refused:
        return "refuses"
    if name not in seen.times:
        return ""
    shown = milliseconds(seen.median(name))
    pages = statistics.median(seen.faults.get(name, [0]))
    if pages > MANY_PAGES:
        shown += f", {pages:.0f} pages"
    base, limit = seen.bases.get(name), seen.limits.get(name)
    if base in seen.times:
        return f"{shown} ({seen.ratio(name, str(base)):.2f}x)"
    return f"{shown} ({seen.ratio(str(limit), name):.0%})" if limit in seen.times else shown


def columns(measured: Iterable[Measured]) -> list[str]:
    """Everybody that takes part in some of the cases, in their order."""
    return list(dict.fromkeys(name for seen in measured for name in (*seen.times, *seen.refused)))


def section(title: str, rows: Sequence[tuple[Case, Any]]) -> str:
    """One table; of few cases with a line a contender, of many with a line a case."""
    if isinstance(rows[0][1], Peaks):
        return f"### {title}\n\n{_of_peaks(rows[0][1])}"
    names = columns(seen for _, seen in rows)
    if len(names) > 8:
        lines = [[name, *(cell(seen, name) for _, seen in rows)] for name in names]
        written = table(["", *(case.title for case, _ in rows)], lines)
    else:
        written = table(["", *names], [[case.title, *(cell(seen, name) for name in names)] for case, seen in rows])
    refusals = dict.fromkeys(f"- {name} refuses: `{said}`\n" for _, seen in rows for name, said in seen.refused.items())
    return f"### {title}\n\n{written}\n{''.join(refusals)}"


def _of_peaks(peaks: Peaks) -> str:
    names = ["", "peak, MB", "of which output, MB", "the rest, samples a thread"]
    lines = [
        [one.name, f"{one.extra / 1e6:.1f}", f"{one.output / 1e6:.1f}", f"{one.rest:.2f}"] for one in peaks.of.values()
    ]
    return table(names, lines)


def of_goals(judged: Sequence[Mapping[str, Any]]) -> str:
    """The goals, with what was measured in the same run."""
    lines = [[row["goal"], row["wanted"], row.get("shown", ""), row["verdict"]] for row in judged]
    met = sum(row["met"] is True for row in judged)
    return f"### {met} of {len(judged)} met\n\n" + table(["goal", "wanted", "measured", ""], lines)


def put(page: Path, name: str, text: str) -> None:
    """Writes a marked part of a page, and leaves everything else of it as it is."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    part = f"{begin}\n{text.strip()}\n{end}"
    old = page.read_text(encoding="utf-8") if page.exists() else ABOUT
    if begin in old and end in old.split(begin)[1]:
        before, rest = old.split(begin, 1)
        new = before + part + rest.split(end, 1)[1]
    else:
        new = f"{old.rstrip()}\n\n{part}\n"
    page.write_text(new, encoding="utf-8")


def save(folder: Path, name: str, text: str, data: Mapping[str, Any]) -> None:
    """A part of the page, and its figures beside it as JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    put(folder / PAGE, name, text)
    written = json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False)
    (folder / f"{name}.json").write_text(f"{written}\n", encoding="utf-8")
