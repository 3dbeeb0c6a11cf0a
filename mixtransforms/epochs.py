"""Which epoch it is: told to pipelines before they are iterated over, and known to their workers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mixtransforms.core.errors import ParameterError, explain
from mixtransforms.core.streams import OWN_RANK, Stream
from mixtransforms.pipeline import nested


def set_epoch(pipeline: Any, epoch: int, *, rank: int | str | None = OWN_RANK) -> None:
    """Begins an epoch: other draws than in the last one, and the values that schedules have now.

    Call it before the loader is iterated over: workers begin at once with the first batches. Workers that are running
    see it too, however they were started (fork, spawn or forkserver).

    Args:
        pipeline: A BatchCompose or a mixing transform, or what holds some: ``v2.Compose``, ``A.Compose``, any module,
            a list.
        epoch: Counted from 0.
        rank: Whose draws they are, for distributed training: ``"own"`` asks torch.distributed, or the environment's
            ``RANK``; a number says it; ``None`` gives all ranks the same plans. Flips and crops of a sample that is
            known by its content never depend on the rank.

    Raises:
        ParameterError: The epoch or the rank is no whole number in its range, or nothing here mixes.
    """
    owners = _owners(pipeline)
    if not owners:
        raise ParameterError(
            explain(
                "Nothing to tell the epoch",
                where="set_epoch",
                got=type(pipeline).__name__,
                wanted="a BatchCompose, a mixing transform, or a container with one in it",
                fix="Pass the pipeline itself, not the loader or a function around it.",
            )
        )
    for owner in owners:
        owner._stream.begin(epoch, rank)


def state_of(pipeline: Any) -> dict[str, Any]:
    """Where the draws of a pipeline stand, and those of mixes in it that have a seed of their own."""
    inner = [mix._stream.state(mix.seed) for mix in _seeded(pipeline)]
    return {**pipeline._stream.state(pipeline.seed), **({"inner": inner} if inner else {})}


def resume(pipeline: Any, state: Any) -> None:
    """Goes on where the state of a pipeline was asked.

    Raises:
        ParameterError: The state is of another seed or of another pipeline, or is none.
    """
    seeded = _seeded(pipeline)
    inner: Any = []
    if isinstance(state, Mapping):
        state = dict(state)
        inner = state.pop("inner", [])
    if not isinstance(inner, list) or len(inner) != len(seeded):
        raise ParameterError(
            explain(
                "The state of another pipeline",
                where="load_stream_state",
                got=f"states of {len(inner)} inner mixes" if isinstance(inner, list) else repr(inner),
                wanted=f"{len(seeded)}, one for every mix with a seed of its own",
                fix="Build the pipeline as it was when its state was asked.",
            )
        )
    for mix, known in zip(seeded, inner, strict=True):
        Stream().load(known, mix.seed)  # raises before anything has changed
    pipeline._stream.load(state, pipeline.seed)
    for owner in _owners(pipeline):
        if owner is not pipeline and state["epoch"] is not None:
            owner._stream.begin(state["epoch"], state["rank"])
    for mix, known in zip(seeded, inner, strict=True):
        mix._stream.load(known, mix.seed)


def _seeded(pipeline: Any) -> list[Any]:
    """What is inside a pipeline and has a seed, and a count of calls, of its own."""
    return [owner for owner in _owners(pipeline) if owner is not pipeline and owner.seed is not None]


def _owners(pipeline: Any) -> list[Any]:
    """Everything that draws in a pipeline or in several, once each."""
    found = {id(inner): inner for inner in nested(pipeline)}
    return [owner for owner in found.values() if isinstance(getattr(owner, "_stream", None), Stream)]
