"""Stages of a pipeline: which of its transforms run together, on what, and with whose draws."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mixtransforms.core import fields
from mixtransforms.core.cached import cached_property
from mixtransforms.core.errors import ParameterError
from mixtransforms.mixing.host_stages import ALIKE, OTHERWISE, HostStage, Otherwise, nested
from mixtransforms.mixing.transform import MixTransform

SAMPLE, STILL, MIX = "sample", "still", "mix"
"""Further kinds of stages: on every sample with its own draws, without draws on a whole batch, and mixing."""

_BESIDE_MIXES = 1 << 15
"""Added to the number of a mix for the draws of what follows it: no stage has as many mixes."""


@dataclass(frozen=True)
class Stage:
    """Consecutive transforms of one kind.

    Attributes:
        kind: :data:`SAMPLE`, :data:`ALIKE`, :data:`OTHERWISE`, :data:`STILL` or :data:`MIX`.
        transforms: The host's transforms, or mixing ones, as the user's list has them.
        stream: What its draws are numbered; those of a mix follow each other.
        pasted: For every mix that pastes, the mixes before it in the pipeline that do; nothing for any other.
    """

    kind: str
    transforms: tuple[Any, ...]
    stream: int
    pasted: tuple[tuple[MixTransform, ...], ...] = ()

    @cached_property
    def inside(self) -> tuple[Any, ...]:
        """The transforms that run, without what is written around them."""
        opened = (item.transforms if isinstance(item, HostStage) else (item,) for item in self.transforms)
        return tuple(transform for transforms in opened for transform in transforms)


def stages(
    transforms: Iterable[Any], still: Callable[[Any], bool], alike: Callable[[Any], bool] = lambda _: False
) -> tuple[Stage, ...]:
    """Groups transforms into stages.

    Args:
        transforms: In the order they happen.
        still: Whether a host's transform draws nothing and takes whole batches; used after the first mix only, since
            samples may differ in size before.
        alike: Whether it draws the size of its result, which must be one for a whole batch; used alike.

    Raises:
        ParameterError: An :class:`Otherwise` does not follow a mix.
    """
    grouped: list[tuple[str, list[Any]]] = []
    before, mixed = None, False
    for index, transform in enumerate(transforms):
        if isinstance(transform, MixTransform):
            kind, mixed = MIX, True
        elif isinstance(transform, HostStage):
            kind = transform.kind
            if kind == OTHERWISE and not isinstance(before, MixTransform):
                raise _no_mix_before(transform, before, f"BatchCompose, transform {index}")
        else:
            kind = SAMPLE if not mixed else STILL if still(transform) else ALIKE if alike(transform) else SAMPLE
        if not grouped or grouped[-1][0] != kind:
            grouped.append((kind, []))
        grouped[-1][1].append(transform)
        before = transform
    pasting: list[MixTransform] = []
    return tuple(
        Stage(kind, tuple(members), stream, _pasted(kind, members, pasting))
        for (kind, members), stream in zip(grouped, _streams(grouped), strict=True)
    )


def _no_mix_before(stage: Any, before: Any, place: str) -> ParameterError:
    name = type(stage).__name__
    twice = isinstance(before, Otherwise)
    return ParameterError(
        f"{name} without a mix before it",
        where=place,
        got="the first transform of the list" if before is None else f"{type(before).__name__} before it",
        wanted="a mix directly before it, whose other samples it transforms",
        fix=f"Put the transforms of both into one {name}([...])."
        if twice
        else f"Move it behind the mix: [..., CutMix(p=0.5), {name}([...]), ...].",
    )


def _streams(grouped: Iterable[tuple[str, Sequence[Any]]]) -> Iterator[int]:
    """The numbers of stages, from 1; with an :class:`Otherwise` or without it, everything else draws the same."""
    number, mixes, before = 0, 0, ""
    for kind, members in grouped:
        if kind == OTHERWISE:
            yield number << 16 | _BESIDE_MIXES | mixes
        elif kind == MIX:
            number, mixes = (number, mixes) if before == OTHERWISE else (number + 1, 0)
            yield number << 16 | mixes
            mixes += len(members)
        else:
            number += 1
            yield number
        before = kind


def _pasted(kind: str, transforms: Sequence[Any], before: list[MixTransform]) -> tuple[tuple[MixTransform, ...], ...]:
    """What was pasted before each of a stage's mixes that pastes, ``before`` and in the stage, which it adds."""
    found: list[tuple[MixTransform, ...]] = []
    for mix in transforms if kind == MIX else ():
        found.append(tuple(before) if mix.method.cuts else ())
        before.extend([mix] if mix.method.cuts else [])
    return tuple(found)


def adopted(
    transforms: Sequence[Any], door: Any, where: str, seed: int | None, theirs: tuple[type, ...] = ()
) -> list[Any]:
    """The transforms of a pipeline, neutral ones as the door's own.

    Args:
        transforms: What the user gave.
        door: The module of the door's classes.
        where: Name of the pipeline's class, for errors.
        seed: The pipeline's seed.
        theirs: The host's own mixes, which would see one sample at a time.

    Raises:
        ParameterError: A container hides a mix, a mix is the host's own, or it has a seed beside the pipeline's.
    """
    result = []
    for index, transform in enumerate(transforms):
        place = f"{where}, transform {index}"
        _check_inside(transform, door, place, theirs)
        result.append(_owned(transform, door, place, seed) if isinstance(transform, MixTransform) else transform)
    return result


def _check_inside(transform: Any, door: Any, place: str, theirs: tuple[type, ...]) -> None:
    """Refuses mixes that a pipeline could not see or feed: the host's own, and any in a container."""
    for inner in nested(transform):
        if isinstance(inner, theirs):
            name = type(inner).__name__
            raise ParameterError(
                "The host's own mix would see one sample at a time",
                where=place,
                got=f"{type(inner).__module__.partition('.')[0]}'s {name}",
                wanted=f"{_home(door)}.{name}",
                fix="It takes the same parameters.",
            )
        if inner is not transform and isinstance(inner, HostStage):
            name = type(inner).__name__
            raise ParameterError(
                "A container around a stage",
                where=place,
                got=f"{type(transform).__name__} with {name} in it",
                wanted=f"{name} directly in the list",
                fix=f"Write [..., {name}([...]), ...]; a choice or a chance stands inside of {name}.",
            )
        if inner is not transform and isinstance(inner, MixTransform) and not isinstance(transform, MixTransform):
            raise ParameterError(
                "A container around a mix",
                where=place,
                got=f"{type(transform).__name__} with a mixing transform in it",
                wanted="mixing transforms directly in the list",
                fix="Its chance to do nothing would change the form of the labels. Use p= of the mix itself, "
                "and OneOf([...], weights=...) for a choice.",
            )


def _owned(mix: MixTransform, door: Any, place: str, seed: int | None) -> MixTransform:
    """The mix as one of the door's."""
    if mix.seed is not None and seed is not None:
        raise ParameterError(
            "Two seeds",
            where=place,
            got=f"seed={mix.seed} inside, seed={seed} outside",
            wanted="one of them",
            fix="Give the seed to the pipeline alone.",
        )
    if type(mix).__module__ == MixTransform.__module__:
        mix = getattr(door, type(mix).__name__)(**fields.values(mix))
    foreign = not isinstance(mix, door.Transform)
    if foreign:
        raise ParameterError(
            "A mix of another door",
            where=place,
            got=f"{type(mix).__module__}.{type(mix).__name__}",
            wanted=f"a mix of {_home(door)}, or a neutral one",
            fix="Import it from there; derive your own classes from the door's.",
        )
    return mix


def _home(door: Any) -> str:
    """Where users import a door's classes from."""
    return str(door.__name__.rpartition(".")[0])
