"""What the result of a peer's test says of us: passed, failed, different by design, or nothing at all."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

PASSED, FAILED, BY_DESIGN, NOT_APPLICABLE = "passed", "failed", "different by design", "not applicable"
VERDICTS = (PASSED, FAILED, BY_DESIGN, NOT_APPLICABLE)


@dataclass(frozen=True)
class Outcome:
    """What became of one test.

    Attributes:
        test: Its node id, or the name of a file.
        outcome: ``passed``, ``failed``, ``skipped``, or ``not imported`` for a whole file.
        reached: Whether it ever called one of our classes.
        message: The error, or why it was skipped.
    """

    test: str
    outcome: str
    reached: bool
    message: str = ""


@dataclass(frozen=True)
class Difference:
    """Tests that we fail on purpose.

    Attributes:
        reason: Why another result is right for us.
        tests: Pattern that the node id contains.
        message: Pattern that the error contains: a test that fails otherwise is a failure.
    """

    reason: str
    tests: str
    message: str = ""

    def covers(self, outcome: Outcome) -> bool:
        """Whether a failure is the expected one."""
        return bool(re.search(self.tests, outcome.test) and re.search(self.message, outcome.message, re.DOTALL))


def verdict(outcome: Outcome, differences: Iterable[Difference], alone: Mapping[str, Outcome]) -> tuple[str, str]:
    """What a result says of us, and why.

    Args:
        outcome: The result with our classes in the place of the peer's.
        differences: What we do otherwise on purpose.
        alone: Results of the tests that failed, by node id, with the peer's own classes.
    """
    if outcome.outcome == "not imported":
        return FAILED, outcome.message
    if outcome.outcome == "skipped":
        return NOT_APPLICABLE, outcome.message
    if outcome.outcome == "passed":
        return (PASSED, "") if outcome.reached else (NOT_APPLICABLE, "it never calls our classes")
    own = alone.get(outcome.test)
    if own is not None and own.outcome != "passed":
        return NOT_APPLICABLE, "it fails with the peer's own classes as well"
    for difference in differences:
        if difference.covers(outcome):
            return BY_DESIGN, difference.reason
    return FAILED, outcome.message


@dataclass(frozen=True)
class Tally:
    """The verdicts of a run.

    Attributes:
        counts: How many tests have which verdict.
        reasons: How many tests differ for which reason, or say nothing for which.
        failures: The unexpected failures.
        idle: Differences that no test has shown.
    """

    counts: Mapping[str, int]
    reasons: Mapping[tuple[str, str], int]
    failures: tuple[Outcome, ...]
    idle: tuple[Difference, ...]


def tally(outcomes: Sequence[Outcome], differences: Sequence[Difference], alone: Mapping[str, Outcome]) -> Tally:
    """Counts the verdicts of a run."""
    judged = [(outcome, *verdict(outcome, differences, alone)) for outcome in outcomes]
    counts = Counter(kind for _, kind, _ in judged)
    shown = {why for _, kind, why in judged if kind == BY_DESIGN}
    return Tally(
        {kind: counts[kind] for kind in VERDICTS},
        Counter((kind, why) for _, kind, why in judged if kind in (BY_DESIGN, NOT_APPLICABLE)),
        tuple(outcome for outcome, kind, _ in judged if kind == FAILED),
        tuple(difference for difference in differences if difference.reason not in shown),
    )
