"""Processes and threads beside torch's DataLoader: as many plans as batches, and the same ones however many there are."""

import itertools
import pickle
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("torchvision", reason="torchvision is not installed")
pytest.importorskip("albumentations", reason="albumentations is not installed")

import pools
import tiers
from pools import BATCHES, PIPELINES, RUNS, SPAWNING

import mixtransforms
from mixtransforms import EpochWarning, set_epoch
from mixtransforms import torchvision as tv

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:'set_vital' is deprecated:UserWarning"),  # torchdata with the newest torch
]

FIRST_TIER = [
    *zip([run for run in RUNS if run not in SPAWNING], itertools.cycle(["neutral", "v2", "v2 mix"]), strict=False),
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


def test_where_it_was_constructed_ready_batches_are_counted() -> None:
    made: Any = pools.pipeline("neutral")
    assert len({pools.mixed(made, "neutral", 0) for _ in range(5)}) == 5


# ----------------------------------------------------------------------------------------------------------- warnings


def warned(act: Callable[[], Any]) -> list[str]:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        act()
    assert all(item.category is EpochWarning for item in seen)
    return [str(item.message) for item in seen]


def by_tasks(made: Any, name: str, numbers: Iterable[int]) -> None:
    """Every batch by a copy of its own, as a pool hands it to its tasks; all in one process."""
    for number in numbers:
        pools.mixed(pickle.loads(pickle.dumps(made)), name, number)


EVERY = pytest.mark.parametrize("name", PIPELINES)


@EVERY
def test_a_missing_epoch_is_told_once_in_a_process_of_a_pool(name: str) -> None:
    made = PIPELINES[name]()
    assert warned(lambda: by_tasks(made, name, [0, 0, 0])) == [], "one batch shows nothing of epochs"
    (text,) = warned(lambda: by_tasks(made, name, [1, 2, 0, 1]))
    assert text.startswith(
        f"Every epoch will repeat the same draws ({type(made).__name__}): got a seed and batches known"
    )
    assert warned(lambda: by_tasks(made, name, [3, 4])) == []


@EVERY
def test_an_epoch_that_does_not_arrive_is_told_once(name: str) -> None:
    made = pools.pipeline(name)
    assert warned(lambda: by_tasks(made, name, [0, 0, 1, 2, 3])) == [], "one pass"
    (text,) = warned(lambda: by_tasks(made, name, [0, 1, 2, 3, 0]))
    assert text.startswith(
        f"The epoch stands still ({type(made).__name__}): got the first batch again in epoch 2, in a"
    )
    assert text.endswith("for every epoch, or call set_epoch in the process that mixes.")
    set_epoch(made, 3)  # as it says: told, and handed over anew
    assert warned(lambda: by_tasks(made, name, [0, 1, 2, 3])) == []


@EVERY
def test_where_the_epoch_is_told_batches_may_come_again(name: str) -> None:
    made = pools.pipeline(name)
    assert warned(lambda: [pools.mixed(made, name, number) for number in [0, 1, 0, 1]]) == []
    copy_of_file = pickle.loads(pickle.dumps(made))
    assert warned(lambda: [(set_epoch(copy_of_file, epoch), by_tasks(copy_of_file, name, [0, 1])) for epoch in range(5, 8)]) == []  # fmt: skip


# ---------------------------------------------------------------------------------------------------------- on devices

ON_DEVICE = torch.empty(4, 3, 8, 8, device="meta")
"""``meta`` stands for every device: whoever reads it fails."""

MIXES: dict[str, Callable[[], Any]] = {
    "neutral": lambda: mixtransforms.MixUp(seed=3),
    "v2": lambda: tv.CutMix(seed=3),
    "pipeline": lambda: tv.BatchCompose([tv.MixUp(), tv.CutMix()], seed=3),
}


def steps(made: Any, count: int) -> list[int]:
    return [made.trace(ON_DEVICE).plans[0].key.step for _ in range(count)]


@pytest.mark.parametrize("name", MIXES)
def test_a_batch_on_a_device_is_counted_everywhere(name: str) -> None:
    made = MIXES[name]()
    travelled = pickle.loads(pickle.dumps(made))
    assert steps(made, 3) == steps(travelled, 3) == [0, 1, 2]
    assert warned(lambda: made(ON_DEVICE)) == [], "where it was constructed, nobody else draws"
    with ThreadPoolExecutor(1) as thread:
        assert warned(lambda: thread.submit(made, ON_DEVICE).result()) == []
    assert steps(made, 1) == [5]


@pytest.mark.parametrize("name", MIXES)
def test_processes_that_may_repeat_each_other_are_told_once(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RANK", raising=False)
    made = MIXES[name]()

    def travelled(rank: int | str | None = None, *, told: bool = False) -> Any:
        other = pickle.loads(pickle.dumps(made))
        if told:
            set_epoch(other, 1, rank=rank)
        return other

    (text,) = warned(lambda: [travelled()(ON_DEVICE) for _ in range(3)])
    assert text.startswith(
        f"Processes may repeat each other's draws ({type(made).__name__}): got a batch on a device, wh"
    )
    assert text.endswith("set_epoch(pipeline, epoch, rank=...) in every process, each with its own number.")
    for rank in (0, 5, None):
        made = MIXES[name]()
        assert warned(lambda rank=rank: travelled(rank, told=True)(ON_DEVICE)) == []
    made = MIXES[name]()
    monkeypatch.setenv("RANK", "1")
    assert warned(lambda: travelled()(ON_DEVICE)) == []


@pytest.mark.parametrize("name", MIXES)
def test_workers_that_count_have_numbers_of_their_own(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for number in (1, 2, 3):
        monkeypatch.setattr("mixtransforms.rng.streams.worker_number", lambda number=number: number)
        monkeypatch.setattr("mixtransforms.rng.streams.in_worker", lambda: True)
        made = pickle.loads(pickle.dumps(MIXES[name]()))
        found += steps(made, 2)
        assert warned(lambda made=made: made(ON_DEVICE)) == []
    assert len(set(found)) == 6


# ------------------------------------------------------------------------------------------------ properties and forks

FORKED_INSIDE = """
import os, signal, threading
from mixtransforms.core.cached import cached_property

inside, done = threading.Event(), threading.Event()

class Slow:
    def __init__(self, waits):
        self.waits = waits

    @cached_property
    def value(self):
        if self.waits:
            inside.set()
            done.wait(60)
        return [1]

slow = Slow(True)
thread = threading.Thread(target=lambda: slow.value)
thread.start()
inside.wait(60)
child = os.fork()
if child == 0:
    signal.alarm(2)
    other = Slow(False)
    os._exit(0 if other.value is other.value and other.value == [1] else 3)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
done.set()
thread.join()
assert status == 0, status
"""


def test_a_process_that_is_forked_inside_a_property_goes_on() -> None:
    root = Path(mixtransforms.__file__).parents[1]
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKED_INSIDE]
    run = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr


FIRST_CALL = """
import sys
import torch, mixtransforms.torchvision as door

mix = door.CutMix(num_classes=4, seed=0)
images, labels = torch.rand(4, 3, 8, 8), torch.arange(4)
before = set(sys.modules)
mix(images, labels)
loaded = set(sys.modules) - before
assert not loaded, loaded
"""


def test_a_first_call_imports_nothing() -> None:
    """A child that is forked meanwhile would wait for ever for the lock of what is being imported."""
    root = Path(mixtransforms.__file__).parents[1]
    run = subprocess.run(
        [sys.executable, "-c", FIRST_CALL], cwd=root, capture_output=True, text=True, timeout=120, check=False
    )
    assert run.returncode == 0, run.stderr


def test_no_property_of_the_package_has_a_lock() -> None:
    for path in Path(mixtransforms.__file__).parent.rglob("*.py"):
        if path.name != "cached.py":
            text = path.read_text()
            assert "functools.cached_property" not in text, path
            assert "functools import cached_property" not in text, path
