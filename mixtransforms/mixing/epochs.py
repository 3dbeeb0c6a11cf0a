"""Which epoch it is: told to pipelines before they are iterated over, and known to their workers."""

# No `from __future__ import annotations`: the signature of set_epoch must show types, not strings.
import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from mixtransforms.batch.earlier import Earlier
from mixtransforms.core.errors import ParameterError
from mixtransforms.mixing.host_stages import nested
from mixtransforms.rng.streams import OWN_RANK, Stream


def set_epoch(pipeline: Any, epoch: int | float, *, rank: int | str | None = OWN_RANK) -> None:
    """Begins an epoch: other draws than in the last one, and the values that schedules have now.

    Call it before the loader is iterated over: workers begin at once with the first batches. Workers of a DataLoader
    that are running see it too, however they were started (fork, spawn or forkserver). Batches that were fetched ahead
    are drawn already: a loader that runs on over the end of an epoch, as timm's ``MultiEpochsDataLoader`` does, has
    some of each epoch drawn for the one before.

    Nobody else sees it: a copy of the pipeline that has travelled to another process (a Ray task, a process pool) keeps
    the epoch that it left with. Tell the epoch before the pipeline is handed over, and hand it over anew in every
    epoch, or call this where it mixes.

    Args:
        pipeline: A BatchCompose or a mixing transform, or what holds some: ``v2.Compose``, ``A.Compose``, any module,
            a list, a loader whose ``collate_fn`` or whose dataset's ``transform`` it is.
        epoch: Counted from 0; a whole float, as trainers have it, is taken as well.
        rank: Whose draws they are, for distributed training: ``"own"`` asks torch.distributed, or the environment's
            ``RANK``; a number says it; ``None`` gives all ranks the same draws.

    Raises:
        ParameterError: The epoch or the rank is no whole number in its range, or nothing here mixes.
    """
    owners = _owners(_held(pipeline))
    if not owners:
        raise ParameterError(
            "Nothing to tell the epoch",
            where="set_epoch",
            got=type(pipeline).__name__,
            wanted="a BatchCompose, a mixing transform, or a container or loader with one in it",
            fix="Pass the pipeline itself, not a function around it.",
        )
    if _runs_on(pipeline):
        _warn_of_batches_ahead(owners, epoch)
    for owner in owners:
        owner._stream.begin(epoch, rank)


@contextmanager
def looking(pipeline: Any) -> Iterator[None]:
    """While it lasts, calls do not count, and no bank keeps their samples, also where they fail.

    Args:
        pipeline: A BatchCompose or a mixing transform.
    """
    state = pipeline.stream_state()
    banks = [(bank, copy.deepcopy(bank)) for bank in _banks(pipeline)]
    try:
        yield
    finally:
        pipeline.load_stream_state(state)
        for bank, before in banks:
            vars(bank).update(vars(before))


_HOLDING = ("collate_fn", "loader", "dataset", "datasets", "transform", "transforms", "target_transform")
"""Attributes by which loaders and datasets hold what they call: torch's, and those of whoever looks like them."""

_DEEPEST = 8
"""So many holders may stand around each other; what answers to every name would go on for ever."""


def _held(holder: Any, depth: int = 0) -> list[Any]:
    """Something, and all that it holds as loaders and datasets hold their transforms."""
    if isinstance(holder, (list, tuple)):
        return [holder, *(inner for item in holder for inner in _held(item, depth))]
    if holder is None or depth > _DEEPEST or hasattr(holder, "shape"):  # a dataset may be an array
        return []
    found = [holder]
    for name in _HOLDING:
        value = getattr(holder, name, None)
        # A dataset that is a list has samples, of which there may be millions.
        if name != "dataset" or not isinstance(value, (list, tuple)):
            found += _held(value, depth + 1)
    return found


def _runs_on(loader: Any) -> bool:
    """Whether a loader has one iterator for all epochs, whose workers have begun with the next one."""
    # torch's own loaders begin an iterator anew where an epoch is left in the middle, and throw away what it fetched.
    return bool(getattr(getattr(loader, "iterator", None), "_tasks_outstanding", 0))


def _warn_of_batches_ahead(owners: list[Any], epoch: Any) -> None:
    for owner in owners:
        if owner._stream.epoch != epoch:
            owner._stream.warn_of_batches_ahead(type(owner).__name__)
            return


class Resumable:
    """What the pipelines of both hosts do with the state of their draws."""

    _stream: Stream
    seed: int | None

    def stream_state(self) -> dict[str, Any]:
        """Where the draws of a seeded pipeline stand, as plain data: seed, epoch, number of calls in it, rank as told.

        It belongs beside a checkpoint of the model, for training loops that mix ready batches: these are counted, in
        the process and the thread that constructed the pipeline. A pipeline that collates samples, or was constructed
        elsewhere, needs its epoch alone, and a sampler that goes on where it was. Mixes with a seed
        of their own are in it, too; the draws of ``seed=None`` are the host's, and are not. No samples are in it: an
        :class:`EarlierSamples` bank fills anew, and nothing is mixed until it is full.
        """
        inner = [mix._stream.state(mix.seed) for mix in _seeded(self)]
        return {**self._stream.state(self.seed), **({"inner": inner} if inner else {})}

    def load_stream_state(self, state: Mapping[str, Any]) -> None:
        """Goes on where :meth:`stream_state` was asked.

        It tells epoch, rank and count, and not whether calls are counted: that is decided by where the pipeline was
        constructed. A training that is resumed constructs it anew.

        Raises:
            ParameterError: The state is of another seed or of another pipeline, or is none.
        """
        seeded = _seeded(self)
        own, inner = _divided(state)
        if not isinstance(inner, list) or len(inner) != len(seeded):
            raise ParameterError(
                "The state of another pipeline",
                where="load_stream_state",
                got=f"states of {len(inner)} inner mixes" if isinstance(inner, list) else repr(inner),
                wanted=f"{len(seeded)}, one for every mix with a seed of its own",
                fix="Build the pipeline as it was when its state was asked.",
            )
        for mix, known in zip(seeded, inner, strict=True):
            Stream().load(known, mix.seed)  # raises before anything has changed
        self._stream.load(own, self.seed)
        for bank in _banks(self):
            bank.forget()
        for owner in _owners(self):
            if owner is not self and own["epoch"] is not None:
                owner._stream.begin(own["epoch"], own["rank"])
        for mix, known in zip(seeded, inner, strict=True):
            mix._stream.load(known, mix.seed)


def _divided(state: Any) -> tuple[Any, Any]:
    """The state of a pipeline's own draws, and those of its mixes."""
    if not isinstance(state, Mapping):
        return state, []
    return {name: value for name, value in state.items() if name != "inner"}, state.get("inner", [])


def _seeded(pipeline: Any) -> list[Any]:
    """What is inside a pipeline and has a seed, and a count of calls, of its own."""
    return [owner for owner in _owners(pipeline) if owner is not pipeline and owner.seed is not None]


def _banks(pipeline: Any) -> list[Earlier]:
    """What the mixes of a pipeline keep of earlier samples."""
    kept = [getattr(owner, "_earlier", None) for owner in _owners(pipeline)]
    return [bank for bank in kept if bank is not None]


def _owners(pipeline: Any) -> list[Any]:
    """Everything that draws in a pipeline or in several, once each."""
    found = {id(inner): inner for inner in nested(pipeline)}
    return [owner for owner in found.values() if isinstance(getattr(owner, "_stream", None), Stream)]
