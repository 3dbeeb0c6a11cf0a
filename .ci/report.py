"""Reads pytest's JUnit report and fails where a backend was not tested at all, or a package was missing.

A test belongs to a backend that its file, its name or its parameters name. ``python .ci/report.py report.xml numpy
torch`` wants one test of each that ran; ``--complete`` also refuses any skip for want of a package.
"""

import argparse
import re
import sys
import xml.etree.ElementTree as ET
from collections import Counter

MISSING = re.compile(r"could not import|not installed|No module named", re.IGNORECASE)
SLOW = 600.0


def main() -> int:
    """Prints what was skipped and what is wrong; returns how many things are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report")
    parser.add_argument("backends", nargs="+")
    parser.add_argument("--complete", action="store_true")
    options = parser.parse_args()

    suites = ET.parse(options.report).getroot().iter("testsuite")
    seconds, cases = 0.0, []
    for suite in suites:
        seconds += float(suite.get("time", 0))
        cases += [
            (f"{case.get('classname')} {case.get('name')}", case.find("skipped")) for case in suite.iter("testcase")
        ]

    skips = Counter(skip.get("message", "") for _, skip in cases if skip is not None)
    for reason, count in skips.most_common():
        print(f"skipped {count}: {reason}")
    wrong = [f"skipped for want of a package: {r}" for r in skips if options.complete and MISSING.search(r)]
    for backend in options.backends:
        word = re.compile(rf"(?<![a-zA-Z]){backend}(?![a-zA-Z])")
        named = [skip for name, skip in cases if word.search(name)]
        ran = sum(skip is None for skip in named)
        print(f"{backend}: {ran} of {len(named)} tests ran")
        if not ran:
            wrong.append(f"no test of {backend} ran")
    print(f"{len(cases)} tests in {seconds:.0f} s")
    if seconds > SLOW:
        print(f"WARNING: the suite is meant to stay below {SLOW:.0f} s")
    for line in wrong:
        print(f"ERROR: {line}", file=sys.stderr)
    return len(wrong)


if __name__ == "__main__":
    sys.exit(main())
