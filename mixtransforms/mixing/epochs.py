"""Which epoch it is: told to pipelines before they are iterated over, and known to their workers."""

# No `from __future__ import annotations`: the signature of set_epoch must show types, not strings.
from collections.abc import Mapping
from typing import Any

from mixtransforms.core.errors import ParameterError
from mixtransforms.mixing.pipeline import nested
from mixtransforms.rng.streams import OWN_RANK, Stream


def set_epoch(pipeline: Any, epoch: int, *, rank: int | str | None = OWN_RANK) -> None:
    """Begins an epoch: other draws than in the last one, and the values that schedules have now.

    Call it before the loader is iterated over: workers begin at once with the first batches. Workers that are running
    see it too, however they were started (fork, spawn or forkserver).

    Args:
        pipeline: A BatchCompose or a mixing transform, or what holds some: ``v2.Compose``, ``A.Compose``, any module,
            a list.
        epoch: Counted from 0.
        rank: Whose draws they are, for distributed training: ``"own"`` asks torch.distributed, or the environment's
            ``RANK``; a number says it; ``None`` gives all ranks the same draws.

    Raises:
        ParameterError: The epoch or the rank is no whole number in its range, or nothing here mixes.
    """
    owners = _owners(pipeline)
    if not owners:
        raise ParameterError(
            "Nothing to tell the epoch",
            where="set_epoch",
            got=type(pipeline).__name__,
            wanted="a BatchCompose, a mixing transform, or a container with one in it",
            fix="Pass the pipeline itself, not the loader or a function around it.",
        )
    for owner in owners:
        owner._stream.begin(epoch, rank)


class Resumable:
    """What the pipelines of both hosts do with the state of their draws."""

    _stream: Stream
    seed: int | None

    def stream_state(self) -> dict[str, Any]:
        """Where the draws of a seeded pipeline stand, as plain data: seed, epoch, number of calls in it, rank as told.

        It belongs beside a checkpoint of the model, for training loops that mix ready batches: these are counted. A
        pipeline that collates samples needs its epoch alone, and a sampler that goes on where it was. Mixes with a seed
        of their own are in it, too; the draws of ``seed=None`` are the host's, and are not.
        """
        inner = [mix._stream.state(mix.seed) for mix in _seeded(self)]
        return {**self._stream.state(self.seed), **({"inner": inner} if inner else {})}

    def load_stream_state(self, state: Mapping[str, Any]) -> None:
        """Goes on where :meth:`stream_state` was asked.

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


def _owners(pipeline: Any) -> list[Any]:
    """Everything that draws in a pipeline or in several, once each."""
    found = {id(inner): inner for inner in nested(pipeline)}
    return [owner for owner in found.values() if isinstance(getattr(owner, "_stream", None), Stream)]
