"""The plugin of pytest that runs in the process of a peer's tests: it adapts the peer and writes what became of the tests.

``run.py`` starts it; the environment says which peer is adapted and where results go.
"""

import importlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from adapting import Calls, Peer
from verdicts import Outcome

OUTCOMES: list[Outcome] = []
MESSAGE = 2_000
"""Characters of an error that are kept."""


def peer(name: str) -> Peer:
    """The adapter of a peer."""
    found: Peer = importlib.import_module(f"of_{name}").PEER
    return found


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Adapts the peer, before any of its tests is imported."""
    adapter = peer(os.environ["MIXTRANSFORMS_PEER"])
    adapter.prepare()
    if os.environ["MIXTRANSFORMS_ADAPTED"] == "yes":
        adapter.adapt()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves the tests that are asked for: some by name, or a sample."""
    only = set(Path(os.environ["MIXTRANSFORMS_ONLY"]).read_text("utf-8").splitlines())
    kept = [item for item in items if item.nodeid in only] if only else items[:: int(os.environ["MIXTRANSFORMS_EVERY"])]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
    items[:] = kept


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[Any]:
    """Notes whether a test comes to our classes."""
    before = Calls.count
    result = yield
    if OUTCOMES and OUTCOMES[-1].test == item.nodeid:
        OUTCOMES[-1] = Outcome(**asdict(OUTCOMES[-1]) | {"reached": Calls.count > before})
    return result


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keeps the outcome of a test: of its call, or of what kept it from being called."""
    if report.when == "call" or report.outcome != "passed":
        known = OUTCOMES and OUTCOMES[-1].test == report.nodeid
        outcome = Outcome(report.nodeid, report.outcome, False, message(report))
        OUTCOMES[-1 if known else len(OUTCOMES) :] = [outcome]


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Notes files that cannot be imported: whatever they test is not tested."""
    if report.failed:
        OUTCOMES.append(Outcome(report.nodeid, "not imported", False, str(report.longrepr)[-MESSAGE:]))


def message(report: pytest.TestReport) -> str:
    """What a test failed with, or why it was skipped."""
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[-1])
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(getattr(crash, "message", report.longrepr or ""))[:MESSAGE]


def pytest_sessionfinish() -> None:
    """Writes the outcomes."""
    Path(os.environ["MIXTRANSFORMS_OUTCOMES"]).write_text(
        json.dumps([asdict(outcome) for outcome in OUTCOMES]), "utf-8"
    )
