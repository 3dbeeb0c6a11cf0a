"""Processes and threads beside torch's DataLoader: as many plans as batches, and the same ones however many there are."""

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("torchvision", reason="torchvision is not installed")
pytest.importorskip("albumentations", reason="albumentations is not installed")

import pools
import tiers
from pools import BATCHES, PIPELINES, RUNS, SPAWNING

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:'set_vital' is deprecated:UserWarning"),  # torchdata with the newest torch
]

FIRST_TIER = [
    *((run, name) for run in RUNS for name in PIPELINES if run not in SPAWNING and name in ("neutral", "v2")),
    ("executor, spawn, travelling", "v2"),
    ("four threads", "albumentations"),
    ("executor, fork, inherited", "albumentations"),
]
CASES = [(run, name) for run in RUNS for name in PIPELINES] if tiers.everything else FIRST_TIER


def expected(name: str) -> list[str]:
    """What the lists of the batches' samples become in this process."""
    made = pools.pipeline(name)
    return [pools.of_samples(made, name, number) for number in range(BATCHES)]


@pytest.mark.parametrize(("run", "name"), CASES, ids=[f"{name}-{run}" for run, name in CASES])
def test_every_batch_has_its_own_draws_and_the_same_in_any_process(run: str, name: str) -> None:
    wanted = expected(name)
    assert len(set(wanted)) == BATCHES
    made = pools.pipeline(name)
    pools.mixed(made, name, 0)  # what was counted here before is nothing to others
    assert list(RUNS[run](made, name)) == wanted
    assert made.stream_state()["step"] == 1, "nor is what others do counted here"


@pytest.mark.full
@pytest.mark.parametrize("name", PIPELINES)
def test_ranks_that_torch_spawns_draw_by_content(name: str, tmp_path: Path) -> None:
    assert pools.ranks(pools.pipeline(name), name, tmp_path) == expected(name)


def test_where_it_was_constructed_ready_batches_are_counted(name: str = "neutral") -> None:
    made: Any = pools.pipeline(name)
    assert len({pools.mixed(made, name, 0) for _ in range(5)}) == 5
