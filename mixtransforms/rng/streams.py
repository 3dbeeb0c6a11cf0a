"""Where the draws of a transform stand: epoch, rank and calls so far, also in its copies in worker processes."""

from __future__ import annotations

import os
import secrets
import sys
import threading
import warnings
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from multiprocessing import context
from numbers import Integral
from typing import Any

import numpy as np

from mixtransforms.core.errors import ParameterError, explain
from mixtransforms.core.memo import Memo
from mixtransforms.rng.content import batch_hash
from mixtransforms.rng.keys import Key
from mixtransforms.rng.processes import HIGHEST_RANK, Home, current_rank, in_worker, known_rank, worker_number

HIGHEST_EPOCH = 2**32 - 1
HIGHEST_STEP = 2**63 - 1

OWN_RANK = "own"
"""The rank of the process that draws."""


class EpochWarning(UserWarning):
    """Nobody tells a pipeline the epoch or the rank: schedules stand still, epochs or processes repeat each other."""


class Guard:
    """A lock that may be taken again by its thread, that pickles and copies as a new one, and is open after a fork.

    It is used as ``with guard.lock:``. No line of Python runs between taking the lock and the block that it guards, so
    that an interrupt never leaves it taken.
    """

    def __init__(self) -> None:
        self._locks: dict[int, threading.RLock] = {}  # by process: another thread may have held it in the parent

    @property
    def lock(self) -> threading.RLock:
        """The lock of this process."""
        process = os.getpid()
        # setdefault is atomic: two threads that come first at once get one lock, and the other is thrown away.
        return self._locks.get(process) or self._locks.setdefault(process, threading.RLock())

    def __reduce__(self) -> tuple[type[Guard], tuple[()]]:
        return Guard, ()


class SharedNumbers:
    """Whole numbers that worker processes share with the process that started them: fork, spawn and forkserver.

    Any other copy, of ``copy.deepcopy`` or in a file, gets the numbers as they are and shares nothing.
    """

    def __init__(self, numbers: Sequence[int]) -> None:
        # Raw, without a lock of multiprocessing: such a lock belongs to one start method, and cannot be pickled for
        # others. Draws depend on what the training process writes; workers only note that somebody has warned.
        from multiprocessing.sharedctypes import RawArray  # loads ctypes

        self._memory: Any = RawArray("q", list(numbers))
        self._home = os.getpid()

    def __getitem__(self, index: int) -> int:
        return int(self._memory[index])

    def __setitem__(self, index: int, number: int) -> None:
        self._memory[index] = number

    def own(self) -> SharedNumbers:
        """These, or a copy in a process that is neither the one that made them nor a worker of it.

        Several trainings may be forked with one pipeline: each of them has its own epoch and rank.
        """
        return self if self._home == os.getpid() or in_worker() else SharedNumbers(list(self._memory))

    def __reduce__(self) -> tuple[Callable[..., SharedNumbers], tuple[Any]]:
        # ctypes arrays may be pickled only while a process is started. Copies for anybody else (deepcopy, torch.save)
        # must not fail for that, nor share an epoch with the original.
        if _is_starting_a_process():
            return _attached, (self._memory,)
        return SharedNumbers, (list(self._memory),)


def _is_starting_a_process() -> bool:
    """Whether this thread pickles what a spawned process gets; pickling shared memory for anybody else is an error."""
    starting: Any = context.get_spawning_popen()
    return starting is not None


def _attached(memory: Any) -> SharedNumbers:
    shared = SharedNumbers.__new__(SharedNumbers)
    # No process has the number 0: a worker never takes the numbers for its own, and asks `in_worker` instead.
    shared._memory, shared._home = memory, 0
    return shared


_EPOCH, _RANK, _FOUND_RANK, _FIRST, _STAGE, _CLUSTER_EPOCH = range(_SLOTS := 6)
"""What stands where in the shared numbers. Nobody writes the last two yet: a schedule's stage, and an epoch that a
cluster tells. They have their places now, since the layout is part of what processes exchange."""

# Negative, since epochs, ranks and hashes of 63 bits are not: one number says what is known and what it is.
_UNKNOWN, _NO_RANK, _WARNED = -1, -2, -3

_OF_A_WORKER = 48
"""From this bit on, the step of a batch that a worker counted holds the worker's number."""

_met = Memo()
"""What copies of a stream that came from another process have met in this one, by the stream's name. Every task of a
pool may unpickle a copy of its own, which sees one batch: what they have seen is the process's to know."""


def _meet(name: Hashable, value: Any) -> Any:
    """What was met first under a name, which is this value where nothing was."""
    met = _met.get(name)  # asked once: another thread may empty what is bounded
    if met is None:
        _met[name] = met = value
    return met


class Stream:
    """The draws of one transform or pipeline: which epoch it is, which rank draws, and how many calls there were.

    Epoch and rank are seen by all workers. Ready batches are counted in the process and the thread that constructed it,
    and known by their content wherever else they are drawn for.
    """

    def __init__(self) -> None:
        self._shared = SharedNumbers([_UNKNOWN] * _SLOTS)
        self._step = 0
        self._guard = Guard()
        self._home = Home()
        self._name = secrets.randbits(64)

    def counts(self) -> bool:
        """Whether ready batches are counted here: in the process and the thread where this was constructed.

        Elsewhere, in copies that were unpickled, in forked processes, in other threads and in workers, everybody would
        count for itself, and draw by the same numbers as the others; there they are known by their content.
        """
        return self._home.is_here() and not in_worker()

    @property
    def epoch(self) -> int:
        """The epoch; 0 where none was given."""
        return max(self._shared[_EPOCH], 0)

    @property
    def rank(self) -> int:
        """The rank that draws: the one that was given, 0 where none counts, else that of this process.

        A worker has that of the process that started it, if it was told an epoch.
        """
        given, found = self._shared[_RANK], self._shared[_FOUND_RANK]
        if given != _UNKNOWN:
            return max(given, 0)
        return current_rank(max(found, 0) if in_worker() else 0)

    def begin(self, epoch: int, rank: int | str | None = OWN_RANK, where: str = "set_epoch") -> None:
        """Begins an epoch: calls are counted from 0 again.

        Args:
            epoch: From 0.
            rank: ``"own"``, a number, or ``None`` for the same draws on all ranks.
            where: Who was called, for errors.

        Raises:
            ParameterError: One of them is out of its range.
        """
        epoch = _whole_number(epoch, "epoch", HIGHEST_EPOCH, where=where)
        given = {OWN_RANK: _UNKNOWN, None: _NO_RANK}.get(rank) if rank is None or isinstance(rank, str) else None
        if given is None:
            given = _whole_number(rank, "rank", HIGHEST_RANK, f"{OWN_RANK!r}, None or ", where)
        # Asked here, where the training process is: a spawned worker has neither torch.distributed nor always RANK.
        found = current_rank() if given == _UNKNOWN else _UNKNOWN
        with self._guard.lock:
            # Trainings forked with one pipeline have epochs of their own; workers of this one go on sharing.
            self._shared = self._shared.own()
            self._shared[_RANK], self._shared[_FOUND_RANK], self._shared[_EPOCH] = given, found, epoch
            self._step = 0

    def restart(self) -> None:
        """Counts calls from 0 again."""
        with self._guard.lock:
            self._step = 0

    def key(self, seed: int, content: int | None = None) -> Key:
        """The key of the next call.

        Args:
            seed: The user's seed.
            content: A hash of the batch; ``None`` counts the call instead.
        """
        return Key(seed, self.epoch, self.rank, step=self._count() if content is None else content)

    def key_known(self, seed: int, hashes: Sequence[int], where: str | None) -> Key:
        """The key of a batch that is known by its content.

        Args:
            seed: The user's seed.
            hashes: Of its samples.
            where: The class that draws, for warnings where epochs repeat each other; ``None`` for none.
        """
        content = batch_hash(hashes)
        if where is not None:
            self.warn_of_repetition(content, where)
        return self.key(seed, content)

    def key_unread(self, seed: int, where: str | None) -> Key:
        """The key of the next call with a batch that nobody reads, since it lies on a device: it is always counted.

        Args:
            seed: The user's seed.
            where: The class that draws, for the warning where other processes may draw the same; ``None`` for none.
        """
        key, worker = self.key(seed), worker_number()
        if worker:  # each counts for itself
            return replace(key, step=worker << _OF_A_WORKER | key.step)
        if where is not None and not self._home.is_process() and self._shared[_RANK] == _UNKNOWN:
            self._warn_of_twins(where)
        return key

    def _count(self) -> int:
        with self._guard.lock:
            # Under the lock: two threads must not draw by one key.
            self._step += 1
            return self._step - 1

    def warn_of_repetition(self, content: int, where: str) -> None:
        """Warns where a second batch comes and no epoch was ever given; once, whichever process it is.

        Args:
            content: A hash of the batch.
            where: The class that draws.
        """
        # The place in shared memory is signed; 63 bits tell batches apart as well, and leave room for the flags.
        content >>= 1
        if self._shared[_EPOCH] != _UNKNOWN:
            self._warn_of_a_round(content, where)
            return
        if self._shared[_FIRST] == _UNKNOWN:
            self._shared[_FIRST] = content if self._stays() else _meet(self._name, content)
        # The same batch twice is no second batch: somebody looks at it, or an overfitting test repeats it on purpose.
        if self._shared[_FIRST] != content:
            self._warn("Every epoch will repeat the same draws", "a seed and batches known by their content", where)

    def _stays(self) -> bool:
        """Whether this is where it was constructed, or a worker of that process, which sees what it is told later."""
        return self._home.is_process() or in_worker()

    def _warn_of_a_round(self, content: int, where: str) -> None:
        """Warns where the first batch comes again in one epoch, after others, and nobody here can see it told."""
        if self._stays():
            return
        place = self._name, self._shared[_EPOCH]
        first, others = _meet(place, (content, False))
        if first != content:
            _met[place] = first, True
        elif others:
            _met[place] = _WARNED, True  # no content is negative
            _tell(
                "The epoch stands still",
                where=where,
                got=f"the first batch again in epoch {self.epoch}, in a process that set_epoch does not reach",
                wanted="another epoch for another pass over the data",
                fix="Call mixtransforms.set_epoch(pipeline, epoch) and hand the pipeline over anew for every epoch, or "
                "call set_epoch in the process that mixes.",
            )

    def _warn_of_twins(self, where: str) -> None:
        """Warns, once, where other processes may count as this one does and no rank tells them apart."""
        if known_rank() is not None or (self._name, "twins") in _met:
            return
        _met[self._name, "twins"] = True
        _tell(
            "Processes may repeat each other's draws",
            where=where,
            got="a batch on a device, which is counted, a process that did not construct the transform, and no rank",
            wanted="a rank, which tells processes apart",
            fix="Call mixtransforms.set_epoch(pipeline, epoch, rank=...) in every process, each with its own number.",
        )

    def warn_of_standstill(self, where: str) -> None:
        """Warns where a schedule has no epoch; once, whichever process it is.

        Args:
            where: The class that draws.
        """
        self._warn("A schedule stays at its first value", "a schedule", where)

    def warn_of_batches_ahead(self, where: str) -> None:
        """Warns where workers have drawn for batches of an epoch before it is told.

        Args:
            where: The class that draws.
        """
        _tell(
            "Batches of this epoch are drawn for the one before",
            where=where,
            got="a loader that runs on over the end of an epoch, and has fetched batches ahead",
            wanted="workers that begin after the epoch is told",
            fix="Use a DataLoader with persistent_workers=True, which keeps the workers as well.",
        )

    def _warn(self, what: str, got: str, where: str) -> None:
        if self._shared[_EPOCH] != _UNKNOWN or self._shared[_FIRST] == _WARNED:
            return
        # In shared memory, so that of all workers one warns.
        self._shared[_FIRST] = _WARNED
        if not self._stays():
            _met[self._name] = _WARNED
        wanted = "the epoch, before the loader is iterated over"
        fix = "Call mixtransforms.set_epoch(pipeline, epoch) at the start of every epoch, or once for a single pass."
        _tell(what, where=where, got=f"{got}, but no epoch", wanted=wanted, fix=fix)

    def state(self, seed: int | None) -> dict[str, Any]:
        """Where the draws stand, in JSON's vocabulary."""
        epoch, rank = self._shared[_EPOCH], self._shared[_RANK]
        return {
            "seed": seed,
            "epoch": None if epoch == _UNKNOWN else epoch,
            "step": self._step,
            "rank": {_UNKNOWN: OWN_RANK, _NO_RANK: None}.get(rank, rank),
        }

    def load(self, state: Any, seed: int | None) -> None:
        """Goes on where :meth:`state` was asked.

        Raises:
            ParameterError: The state is of another seed, or is none.
        """
        known, where = ("seed", "epoch", "step", "rank"), "load_stream_state"
        if not isinstance(state, Mapping) or set(state) != set(known):
            got = sorted(map(str, state)) if isinstance(state, Mapping) else type(state).__name__
            raise _bad_state("Not the state of a stream", got, ", ".join(known), "Give what stream_state() returned.")
        # A state of another seed would go on with other draws than those it was saved from, and nobody would see it.
        if state["seed"] != seed:
            fix = "Build the pipeline with that seed, or begin the epoch with set_epoch instead."
            raise _bad_state("The state of another seed", repr(state["seed"]), repr(seed), fix)
        step = _whole_number(state["step"], "step", HIGHEST_STEP, where=where)
        self.begin(0 if state["epoch"] is None else state["epoch"], state["rank"], where)
        with self._guard.lock:
            if state["epoch"] is None:
                self._shared[_EPOCH] = _UNKNOWN
            self._step = step

    def __getstate__(self) -> dict[str, Any]:
        if _is_starting_a_process() and self._shared[_RANK] == _UNKNOWN:
            self._shared = self._shared.own()
            self._shared[_FOUND_RANK] = current_rank()  # a spawned worker knows nothing of torch.distributed
        return vars(self)


def _tell(what: str, *, where: str, got: str, wanted: str, fix: str) -> None:
    """Warns in the words of an error."""
    text = explain(what, where=where, got=got, wanted=wanted, fix=fix)
    warnings.warn(text, EpochWarning, stacklevel=level_of_caller())


def level_of_caller() -> int:
    """How far above whoever asks the package was called, by others than its hosts."""
    # Hosts call us from deep inside their loaders; a warning that points there helps nobody.
    level, frame, own = 1, sys._getframe(1), ("mixtransforms.", "torch.", "albumentations.")
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(own):
        level, frame = level + 1, frame.f_back
    return level


def _whole_number(value: Any, name: str, highest: int, other: str = "", where: str = "set_epoch") -> int:
    if name == "epoch" and isinstance(value, (float, np.floating)) and value.is_integer():
        value = int(value)  # trainers count epochs in fractions
    # True is a whole number to Python, and hardly ever an epoch.
    if not isinstance(value, (bool, np.bool_)) and isinstance(value, Integral) and 0 <= int(value) <= highest:
        return int(value)
    raise ParameterError(
        f"Bad value for {name!r}",
        where=where,
        got=repr(value),
        wanted=f"{other}a whole number within [0, {highest}]",
        fix="Count epochs from 0." if name == "epoch" else "Correct it.",
    )


def _bad_state(what: str, got: object, wanted: str, fix: str) -> ParameterError:
    return ParameterError(what, where="load_stream_state", got=got, wanted=wanted, fix=fix)
