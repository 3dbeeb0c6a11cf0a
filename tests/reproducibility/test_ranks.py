"""Ranks: other plans on every process of a distributed training, unless they are told to be equal; stages as they are.

Two processes that join through ``torch.distributed`` run this file once, and write down what they drew.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xxhash
from once import once

torch = pytest.importorskip("torch", reason="torch is not installed")
A = pytest.importorskip("albumentations", reason="albumentations is not installed")
v2 = pytest.importorskip("torchvision.transforms.v2", reason="torchvision is not installed")

from torch.utils.data import DataLoader, get_worker_info

import mixtransforms
from mixtransforms import ParameterError, set_epoch
from mixtransforms import albumentations as al
from mixtransforms import torchvision as tv

SEED, SIZE, SIDE, CROP, EPOCH = 11, 6, 12, 8, 3
PHOTOS = np.random.default_rng(0).integers(0, 256, (SIZE, SIDE, SIDE, 3), np.uint8)
BATCH = torch.from_numpy(PHOTOS).movedim(-1, 1)

NAMES = ("neutral", "v2", "v2 BatchCompose", "albumentations", "albumentations BatchCompose")
COMPOSED = tuple(name for name in NAMES if "Compose" in name)
RANKS = {"not told": None, "own": {}, "all alike": {"rank": None}, "both the fifth": {"rank": 5}}
"""What the pipelines are told: nothing at all, or an epoch and a rank."""


def pipeline(name: str) -> Any:
    return {
        "neutral": lambda: mixtransforms.MixUp(alpha=1.0, seed=SEED),
        "v2": lambda: tv.MixUp(alpha=1.0, seed=SEED),
        "v2 BatchCompose": lambda: tv.BatchCompose([v2.RandomCrop(CROP), tv.MixUp(alpha=1.0)], seed=SEED),
        "albumentations": lambda: al.MixUp(alpha=1.0, seed=SEED),
        "albumentations BatchCompose": lambda: al.BatchCompose([A.RandomCrop(CROP, CROP), al.MixUp(alpha=1.0)], seed=SEED),
    }[name]()  # fmt: skip


def told(name: str, rank: str) -> Any:
    """A pipeline that knows the epoch, and whose rank counts."""
    made, given = pipeline(name), RANKS[rank]
    if given is not None:
        set_epoch(made, EPOCH, **given)
    return made


def trace(made: Any, samples: bool = False) -> dict[str, Any]:
    """What one call drew: the key of the plan, the plan, and what the stages before it made of the samples."""
    if isinstance(made, (al.BatchCompose, al.MixUp)):
        batch = [{"image": image} for image in PHOTOS]
        args, named = ([batch], {}) if samples else ([], {"images": PHOTOS})
    else:
        args, named = [list(BATCH) if samples else BATCH], {}
    before, (plan,), _ = made.trace(*args, **named)
    images = before if not isinstance(before, dict) else next(iter(before.values()))
    seen = xxhash.xxh3_64_hexdigest(np.ascontiguousarray(images).tobytes())
    drawn = plan.to_dict()
    return {"key": drawn.pop("key"), "plan": drawn, "stages": seen, "worker": get_worker_info() is not None}


class Reporting:
    """A collate function that says what every pipeline drew in a worker, for a ready batch and for samples."""

    def __init__(self, pipelines: dict[str, Any]) -> None:
        self.pipelines = pipelines

    def __call__(self, _: Any) -> dict[str, Any]:
        return {name: [trace(made), trace(made, samples=True)] for name, made in self.pipelines.items()}


def in_worker(pipelines: dict[str, Any], method: str) -> dict[str, Any]:
    """What the pipelines draw in one worker."""
    loader = DataLoader([0], num_workers=1, collate_fn=Reporting(pipelines), multiprocessing_context=method)
    (reported,) = loader
    return reported


def every(names: tuple[str, ...] = NAMES) -> dict[str, Any]:
    return {f"{name}, {rank}": told(name, rank) for name in names for rank in RANKS}


def main(rank: int, folder: Path) -> None:
    """What one process of the pair does."""
    torch.set_num_threads(1)
    early = told("neutral", "own")  # before anything is known of ranks
    before = trace(pipeline("neutral"))
    store = torch.distributed.FileStore(str(folder / "store"), 2)
    torch.distributed.init_process_group("gloo", store=store, rank=rank, world_size=2)
    found = {
        "before": before,
        "main": {name: [trace(made), trace(made), trace(made, samples=True)] for name, made in every().items()},
        "fork": in_worker(every(), "fork"),
        "spawn": in_worker(every(("neutral", "v2 BatchCompose")), "spawn"),
        "early in a worker": in_worker({"early": early}, "fork")["early"],
        "early": trace(early),
    }
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()
    (folder / f"{rank}.json").write_text(json.dumps(found))


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    """What two ranks drew; nothing but ``torch.distributed`` tells them which they are."""
    return tuple(once(tmp_path_factory, "ranks", both_ranks))


def both_ranks(folder: Path) -> list[dict[str, Any]]:
    """Runs both processes, which write into the folder."""
    paths = [str(Path(mixtransforms.__file__).parents[1]), *sys.path]  # where the helpers of tests are, too
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "PYTHONWARNINGS": "ignore"}
    environment.pop("RANK", None)
    commands = [[sys.executable, __file__, str(rank), str(folder)] for rank in range(2)]
    running = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for command in commands
    ]
    try:
        said = [process.communicate(timeout=200)[0] for process in running]
    finally:
        for process in running:
            process.kill()
    assert [process.returncode for process in running] == [0, 0], "\n".join(said)
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(2)]


PLACES = [("main", name) for name in NAMES] + [("fork", name) for name in NAMES]
PLACES += [("spawn", "neutral"), ("spawn", "v2 BatchCompose")]
everywhere = pytest.mark.parametrize(("place", "name"), PLACES, ids=[f"{name}-{place}" for place, name in PLACES])


def drawn(pair: Any, place: str, name: str, rank: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Every call of both ranks."""
    first, second = (found[place][f"{name}, {rank}"] for found in pair)
    assert all(call["worker"] == (place != "main") for call in (*first, *second))
    return zip(first, second, strict=True)


@pytest.mark.full
@everywhere
@pytest.mark.parametrize("rank", ["not told", "own"])
def test_ranks_draw_other_plans_of_the_same_batch(pair: Any, place: str, name: str, rank: str) -> None:
    for first, second in drawn(pair, place, name, rank):
        assert (first["key"]["rank"], second["key"]["rank"]) == (0, 1)
        assert first["key"] | {"rank": 1} == second["key"], "nothing else tells them apart"
        assert first["plan"] != second["plan"]


@pytest.mark.full
@everywhere
@pytest.mark.parametrize(("rank", "number"), [("all alike", 0), ("both the fifth", 5)])
def test_ranks_draw_the_same_where_they_are_told_to(pair: Any, place: str, name: str, rank: str, number: int) -> None:
    for first, second in drawn(pair, place, name, rank):
        assert first["key"]["rank"] == number
        assert first["key"]["epoch"] == EPOCH
        assert first == second


@pytest.mark.full
@pytest.mark.parametrize("name", NAMES)
def test_a_rank_that_is_told_is_another_one(pair: Any, name: str) -> None:
    (first, _), *_ = drawn(pair, "main", name, "both the fifth")
    (other, _), *_ = drawn(pair, "main", name, "all alike")
    assert first["plan"] != other["plan"]


@pytest.mark.full
@everywhere
def test_stages_of_known_samples_follow_the_rank(pair: Any, place: str, name: str) -> None:
    for rank in RANKS:
        *ready, samples = drawn(pair, place, name, rank)
        known = [samples] if place == "main" else [*ready, samples]
        alike = rank in ("all alike", "both the fifth") or name not in COMPOSED  # others have no stages
        assert all((first["stages"] == second["stages"]) == alike for first, second in known)


@pytest.mark.full
@pytest.mark.parametrize("name", COMPOSED)
def test_stages_of_counted_batches_follow_the_rank(pair: Any, name: str) -> None:
    first, second, _ = drawn(pair, "main", name, "own")
    assert first[0]["stages"] != first[1]["stages"]
    assert len({call["stages"] for call in (*first, *second)}) == 4, "every call of every rank is another"


@pytest.mark.full
@pytest.mark.parametrize("name", NAMES)
def test_a_rank_never_changes_what_the_key_says(pair: Any, name: str) -> None:
    """Another process, another library, the same draws: the key of a plan is all there is."""
    set_epoch(again := pipeline(name), EPOCH, rank=1)
    assert [trace(again), trace(again)] == [second for _, second in drawn(pair, "main", name, "own")][:2]


@pytest.mark.full
def test_without_distribution_it_is_the_first_rank(pair: Any) -> None:
    assert [found["before"]["key"]["rank"] for found in pair] == [0, 0]
    assert pair[0]["before"] == pair[1]["before"]


@pytest.mark.full
def test_a_rank_that_is_known_later_counts_in_the_main_process(pair: Any) -> None:
    assert [found["early"]["key"]["rank"] for found in pair] == [0, 1]


@pytest.mark.full
def test_a_rank_that_is_known_later_counts_in_workers(pair: Any) -> None:
    assert [found["early in a worker"][0]["key"]["rank"] for found in pair] == [0, 1]


# -------------------------------------------------------------------------------------------------- the environment


@contextmanager
def rank_of_environment(text: str | None) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("RANK", raising=False)
        if text is not None:
            patch.setenv("RANK", text)
        yield


@pytest.mark.parametrize(("text", "rank"), [(None, 0), ("", 0), ("0", 0), ("1", 1), ("4294967295", 2**32 - 1)])
@pytest.mark.parametrize("name", NAMES)
def test_the_environment_says_the_rank(name: str, text: str | None, rank: int) -> None:
    with rank_of_environment(text):
        for made in (told(name, "not told"), told(name, "own")):
            assert trace(made)["key"]["rank"] == rank
            assert trace(made, samples=True)["key"]["rank"] == rank
        for given, wanted in (("all alike", 0), ("both the fifth", 5)):
            assert trace(told(name, given))["key"]["rank"] == wanted
    set_epoch(other := pipeline(name), EPOCH, rank=rank)
    with rank_of_environment(text):
        assert trace(told(name, "own")) == trace(other)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")
def test_workers_have_the_rank_of_the_environment() -> None:
    with rank_of_environment("1"):
        ready, samples = in_worker({"own": told("v2 BatchCompose", "own")}, "fork")["own"]
        assert ready["key"]["rank"] == samples["key"]["rank"] == 1
        assert samples == trace(told("v2 BatchCompose", "own"), samples=True) | {"worker": True}


@pytest.mark.parametrize("text", ["-1", "one", "1.0", "1 2", "0x1", "4294967296", "\N{SUPERSCRIPT TWO}"])
@pytest.mark.parametrize("name", NAMES)
def test_a_bad_rank_is_told(name: str, text: str) -> None:
    wanted = r"No distributed rank \(the environment variable RANK\): got '.+'; wanted a whole number within \[0, 42949"
    made = told(name, "not told")
    with rank_of_environment(text):
        for act in (lambda: trace(made), lambda: set_epoch(made, 1)):
            with pytest.raises(ParameterError, match=wanted + r"67295\]\. Correct it, or unset it where there is one"):
                act()
    assert trace(made)["key"]["step"] == 0, "a call that failed does not count"
    assert made.stream_state()["epoch"] is None


@pytest.mark.parametrize("rank", ["all alike", "both the fifth"])
def test_a_bad_rank_does_not_matter_where_it_is_told(rank: str) -> None:
    with rank_of_environment("one"):
        trace(told("neutral", rank))


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
