"""What a call of a pipeline carries beside its batch: hints on the way in, indices of partners on the way out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from mixtransforms.core.errors import InputError, ParameterError
from mixtransforms.methods.base import VALUE
from mixtransforms.methods.pairing import Hints
from mixtransforms.mixing.hints import CHECKS, by_name
from mixtransforms.mixing.partners import Told
from mixtransforms.mixing.stages import MIX, Stage
from mixtransforms.mixing.transform import MixTransform

KeepsPlaces = Callable[[Any], bool]
"""Whether a host's transform leaves every pixel of a sample where it is."""

_OF_PLACES = frozenset({"masks", "saliency", "sizes"})
"""Hints that tell of places in samples, and so of nothing any more where these are moved."""


class Carried(NamedTuple):
    """What one call of a pipeline carries beside its batch.

    Attributes:
        hints: What was given with the call, for the mixes that read it.
        told: What the mixes so far have told of partners, which is put into the result.
    """

    hints: Hints
    told: list[Told]

    def hints_of(self, mix: MixTransform) -> Hints:
        """Those that one mix reads."""
        return {name: value for name, value in self.hints.items() if name in mix.method.reads}


def carried(hints: Hints, stages: Iterable[Stage], keeps_places: KeepsPlaces, where: str) -> Carried:
    """Begins a call of a pipeline.

    Hints are of the samples as they are given: label maps and saliency reach a mix behind transforms that keep every
    pixel in its place, others one behind any transforms of samples, and none a mix behind another one.

    Args:
        hints: What was given with the call.
        stages: The pipeline's.
        keeps_places: Knows its transforms.
        where: The pipeline's class, for errors.

    Raises:
        InputError: No mix reads a hint; or one reads it that gets other samples than those it tells of.
    """
    hints = by_name(hints, where)
    for name in hints:
        _check_hint(name, tuple(stages), keeps_places, where)
    return Carried(hints, [])


def check_values(stages: Iterable[Stage], keeps_places: KeepsPlaces, where: str) -> None:
    """Refuses mixes that are to read places from a value of the batch which the transforms before do not take along.

    Sizes never follow; label maps and saliency do, but where they are passed through.

    Args:
        stages: The pipeline's.
        keeps_places: Knows its transforms.
        where: The pipeline's class, for errors.

    Raises:
        ParameterError: The samples have other places by then.
    """
    moving: Any = None
    for stage in stages:
        for transform in stage.inside:
            if not isinstance(transform, MixTransform):
                moving = transform if moving is None and not keeps_places(transform) else moving
                continue
            for name, source in (transform.hints or {}).items():
                value = source.removeprefix(VALUE) if isinstance(source, str) and source.startswith(VALUE) else None
                left = name == "sizes" or value in transform.passthrough
                if moving is not None and value is not None and name in _OF_PLACES and left:
                    raise _left_behind(name, str(source), moving, transform, where)


def _left_behind(name: str, source: str, before: Any, mix: MixTransform, where: str) -> ParameterError:
    reader, earlier = type(mix).__name__, getattr(before, "__name__", type(before).__name__)
    value = source.removeprefix(VALUE)
    ways = {"sizes": f"Give samples of unequal sizes to {reader}(pad='max') instead, which knows how it pads them"}
    return ParameterError(
        "A value that tells of other places than those that are mixed",
        where=f"{where}, {reader}",
        got=f"hints={{{name!r}: {source!r}}}, and {earlier} before it, which does not take {value!r} along",
        wanted="transforms before it that keep every pixel in its place",
        fix=ways.get(name, f"Declare it as a mask, kinds={{{value!r}: 'mask'}}, and not as passthrough")
        + f"; or put {reader} before {earlier}.",
    )


def _check_hint(name: str, stages: tuple[Stage, ...], keeps_places: KeepsPlaces, where: str) -> None:
    before: list[Any] = []
    read = False
    for stage in stages:
        for transform in stage.inside:
            if stage.kind == MIX and name in transform.method.reads and name in CHECKS:
                other = next((each for each in before if _changes(name, each, keeps_places)), None)
                if other is not None:
                    raise _of_others(name, other, transform, where)
                read = True
            before.append(transform)
    if not read:
        asked = sorted({need for one in before if isinstance(one, MixTransform) for need in one.method.reads})
        given = ", ".join(repr(need) for need in asked if need in CHECKS)
        raise InputError(
            "A hint that nobody reads",
            where=where,
            got=f"hints={{{name!r}: ...}} with the call",
            wanted=f"hints that its mixes ask for: {given}" if given else "no hints, since no mix of it asks for one",
            fix=f"Leave {name!r} out of hints.",
        )


def _changes(name: str, transform: Any, keeps_places: KeepsPlaces) -> bool:
    """Whether a hint of the samples as they were given tells nothing of what a transform makes of them."""
    return isinstance(transform, MixTransform) or (name in _OF_PLACES and not keeps_places(transform))


def _of_others(name: str, before: Any, mix: MixTransform, where: str) -> InputError:
    reader, earlier = type(mix).__name__, getattr(type(before), "__name__", "")
    earlier = getattr(before, "__name__", earlier)
    mixed = isinstance(before, MixTransform)
    ways = {
        "masks": "Leave it out, and pass the label maps with the batch, as masks, which every transform takes along.",
        "saliency": f"Give {reader} a function in its place, {reader}(hints={{'saliency': function}}): it gets the "
        "images as they are mixed.",
        "sizes": f"Put {reader} before {earlier}; or leave it out, and give samples of unequal sizes to "
        f"{reader}(pad='max'), which knows how it pads them.",
    }
    return InputError(
        "A hint of other samples than those that are mixed",
        where=where,
        got=f"hints={{{name!r}: ...}} with the call, and {earlier} before {reader}",
        wanted=f"{reader} before any other mix" if mixed else "transforms before it that keep every pixel in its place",
        fix=ways.get(name, f"Leave it out, and pass it with the batch; or put {reader} before {earlier}."),
    )
