"""Processes and threads that mix ready batches: every way in which people start them, with what came out.

Functions stand here and not in a test, since processes that are spawned import them.
"""

import contextlib
import hashlib
import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any

import albumentations as A
import numpy as np
import torch
from torchvision.transforms import v2

import mixtransforms
from mixtransforms import albumentations as al
from mixtransforms import torchvision as tv

SIZE, SIDE, BATCHES, SEED = 4, 12, 8, 5
PHOTOS = np.random.default_rng(3).integers(0, 256, (BATCHES, SIZE, SIDE, SIDE, 3), np.uint8)

FLIPS = {
    "v2": lambda: [v2.RandomHorizontalFlip(), v2.RandomCrop(8)],
    "albumentations": lambda: [A.HorizontalFlip(), A.RandomCrop(8, 8)],
}

PIPELINES: dict[str, Callable[[], Any]] = {
    "neutral": lambda: mixtransforms.CutMix(seed=SEED),
    "v2 mix": lambda: tv.MixUp(alpha=1.0, seed=SEED),
    "v2": lambda: tv.BatchCompose([*FLIPS["v2"](), tv.MixUp(alpha=1.0)], seed=SEED),
    "albumentations": lambda: al.BatchCompose([*FLIPS["albumentations"](), al.CutMix()], seed=SEED),
}


def pipeline(name: str) -> Any:
    made = PIPELINES[name]()
    mixtransforms.set_epoch(made, 2)
    return made


def _images(name: str, number: int) -> Any:
    photos = PHOTOS[number]
    return torch.from_numpy(photos).movedim(-1, 1) if name.startswith("v2") else photos


def mixed(made: Any, name: str, number: int) -> str:
    """What a ready batch becomes, as a digest."""
    images = _images(name, number)
    result = made(images=images)["images"] if name == "albumentations" else made(images)
    return _digest(result)


def of_samples(made: Any, name: str, number: int) -> str:
    """What the list of its samples becomes: that is known by its content wherever it is mixed."""
    images = list(_images(name, number))
    result = made([{"image": image} for image in images])["image"] if name == "albumentations" else made(images)
    return _digest(result)


def _digest(images: Any) -> str:
    return hashlib.sha256(np.ascontiguousarray(images).tobytes()).hexdigest()[:16]


_inherited: dict[str, Any] = {}
"""Pipelines that a forked process finds as its parent left them."""


def by_inheritance(name: str, number: int) -> str:
    return mixed(_inherited[name], name, number)


@contextlib.contextmanager
def inherited(made: Any, name: str) -> Any:
    """While processes are forked."""
    _inherited[name] = made
    yield
    del _inherited[name]


Run = Callable[[Any, str], Sequence[str]]


def _executor(start: str, workers: int, inherit: bool = False) -> Run:
    def run(made: Any, name: str) -> list[str]:
        context = multiprocessing.get_context(start)
        with inherited(made, name), ProcessPoolExecutor(workers, context) as pool:
            if inherit:
                return list(pool.map(by_inheritance, [name] * BATCHES, range(BATCHES)))
            return list(pool.map(mixed, [made] * BATCHES, [name] * BATCHES, range(BATCHES)))

    return run


def _pool(start: str, workers: int, inherit: bool = False) -> Run:
    def run(made: Any, name: str) -> list[str]:
        with inherited(made, name), multiprocessing.get_context(start).Pool(workers) as pool:
            if inherit:
                return pool.starmap(by_inheritance, [(name, number) for number in range(BATCHES)], chunksize=1)
            return pool.starmap(mixed, [(made, name, number) for number in range(BATCHES)], chunksize=1)

    return run


def _initialized(made: Any, name: str) -> None:
    _inherited[name] = made


def _pool_with_an_initializer(made: Any, name: str) -> list[str]:
    """The transform travels once, and every worker keeps it."""
    with multiprocessing.get_context("spawn").Pool(2, _initialized, (made, name)) as pool:
        return pool.starmap(by_inheritance, [(name, number) for number in range(BATCHES)], chunksize=1)


def _threads(workers: int) -> Run:
    def run(made: Any, name: str) -> list[str]:
        with ThreadPool(workers) as pool:
            return pool.starmap(mixed, [(made, name, number) for number in range(BATCHES)], chunksize=1)

    return run


def _thread_executor(made: Any, name: str) -> list[str]:
    with ThreadPoolExecutor(3) as pool:
        return list(pool.map(mixed, [made] * BATCHES, [name] * BATCHES, range(BATCHES)))


def _joblib(backend: str, workers: int) -> Run:
    def run(made: Any, name: str) -> list[str]:
        from joblib import Parallel, delayed  # comes with scikit-learn

        tasks = [delayed(mixed)(made, name, number) for number in range(BATCHES)]
        return list(Parallel(workers, backend=backend)(tasks))

    return run


class Mapped:
    """What torchdata maps over numbers of batches."""

    def __init__(self, made: Any, name: str) -> None:
        self.made, self.name = made, name

    def __call__(self, number: int) -> str:
        return mixed(self.made, self.name, number)


def _nodes(method: str, workers: int) -> Run:
    def run(made: Any, name: str) -> list[str]:
        from torchdata import nodes

        source = nodes.IterableWrapper(range(BATCHES))
        mapper = nodes.ParallelMapper(source, Mapped(made, name), workers, in_order=True, method=method)
        return list(nodes.Loader(mapper))

    return run


def _rank(rank: int, made: Any, name: str, folder: str) -> None:
    """One of two processes that have every second batch."""
    for number in range(rank, BATCHES, 2):
        (Path(folder) / str(number)).write_text(mixed(made, name, number))


def ranks(made: Any, name: str, folder: Path) -> list[str]:
    """Training processes that torch spawns with the transform, and which know no rank."""
    torch.multiprocessing.spawn(_rank, (made, name, str(folder)), nprocs=2)
    return [(folder / str(number)).read_text() for number in range(BATCHES)]


RUNS: dict[str, Run] = {
    "executor, fork, inherited": _executor("fork", 2, inherit=True),
    "executor, fork, travelling": _executor("fork", 3),
    "executor, spawn, travelling": _executor("spawn", 2),
    "pool of 4, fork, inherited": _pool("fork", 4, inherit=True),
    "pool of 4, fork, travelling": _pool("fork", 4),
    "pool of 1, fork, inherited": _pool("fork", 1, inherit=True),
    "pool with an initializer": _pool_with_an_initializer,
    "one thread": _threads(1),
    "four threads": _threads(4),
    "thread executor": _thread_executor,
    "joblib, loky": _joblib("loky", 2),
    "joblib, threads": _joblib("threading", 3),
    "joblib, processes": _joblib("multiprocessing", 2),
    "nodes, threads": _nodes("thread", 3),
    "nodes, processes": _nodes("process", 2),
}
SPAWNING = {"executor, spawn, travelling", "pool with an initializer", "joblib, loky"}
"""Those that start interpreters, which takes seconds."""
