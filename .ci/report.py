"""Reads pytest's JUnit report and fails where a backend was not tested at all, or a package was missing.

A test belongs to a backend that its file, its name or its parameters name. ``python .ci/report.py report.xml numpy
torch`` wants one test of each that ran; ``--complete`` wants more than half of them, and no skip for want of a package.
"""

import argparse
import re
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from typing import NamedTuple

MISSING = re.compile(r"could not import|not installed|No module named|required is", re.IGNORECASE)
ABOUT_FILES = re.compile(r"^tests\.test_(layers|import|packaging)\b")
"""Tests that name backends without running them."""

SLOW = 215.0
"""Seconds that the README's command may take on two cores; ``--slow`` says how many other runs may."""


class Case(NamedTuple):
    """One test: its full name, and why it was skipped."""

    name: str
    skipped: str | None


def cases(report: ET.Element) -> list[Case]:
    """Every test of a report."""
    return [
        Case(f"{case.get('classname')} {case.get('name')}", reason(case.find("skipped")))
        for case in report.iter("testcase")
    ]


def reason(skipped: ET.Element | None) -> str | None:
    """Why a test was skipped; for whole files pytest writes it beside a message that says nothing."""
    if skipped is None:
        return None
    message = skipped.get("message", "")
    whole = (skipped.text or "").rpartition("Skipped: ")[2].strip("()\"'")
    return whole if message == "collection skipped" else message


def main() -> int:
    """Prints what was skipped and what is wrong; returns how many things are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report")
    parser.add_argument("backends", nargs="+")
    parser.add_argument("--complete", action="store_true")
    parser.add_argument("--tally", help="a file to which the number of tests that passed is added")
    parser.add_argument("--slow", type=float, default=SLOW, help="seconds beyond which the run is told to be slow")
    options = parser.parse_args()

    report = ET.parse(options.report).getroot()
    every = cases(report)
    skips = Counter(case.skipped for case in every if case.skipped is not None)
    for text, count in skips.most_common():
        print(f"skipped {count}: {text}")
    wrong = [f"skipped for want of a package: {text}" for text in skips if options.complete and MISSING.search(text)]
    for backend in options.backends:
        word = re.compile(rf"(?<![a-zA-Z]){backend}(?![a-zA-Z])")
        named = [case for case in every if word.search(case.name) and not ABOUT_FILES.search(case.name)]
        ran = sum(case.skipped is None for case in named)
        print(f"{backend}: {ran} of {len(named)} tests ran")
        if ran <= (len(named) / 2 if options.complete else 0):
            wrong.append(f"{backend} was not tested: {ran} of {len(named)} tests ran")
    seconds = sum(float(suite.get("time", 0)) for suite in report.iter("testsuite"))
    print(f"{len(every)} tests in {seconds:.0f} s")
    if options.tally:
        with open(options.tally, "a", encoding="utf-8") as tally:
            tally.write(f"{sum(case.skipped is None for case in every)}\n")
    if seconds > options.slow:
        print(f"WARNING: these tests are meant to stay below {options.slow:.0f} s")
    for line in wrong:
        print(f"ERROR: {line}", file=sys.stderr)
    return len(wrong)


if __name__ == "__main__":
    sys.exit(main())
