"""The figures of methods: what they do to samples on average, before any image is seen."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mixtransforms.core.errors import InputError
from mixtransforms.methods.base import Method
from mixtransforms.mixing.transform import MixTransform
from mixtransforms.plan import BatchSpec
from mixtransforms.show.methods import statistics
from mixtransforms.show.needs import need_matplotlib, need_whole_number

if TYPE_CHECKING:
    from mixtransforms.show.picture import Picture

_BATCH_SIZE = 64
"""Samples in a batch where nobody says how many."""
_LARGEST_BATCH = 4096
_MOST_CELLS = 2**24
"""Cells of the largest map: 128 MiB of float64."""
_COUNTABLE = 2**53
"""Cells up to which areas are exact in float64."""


def weights(
    method: Method | Mapping[str, Method],
    size: int = _BATCH_SIZE,
    *,
    shape: Sequence[int] = (224, 224),
    epoch: int = 0,
    title: str | None = None,
    save: str | os.PathLike[str] | None = None,
) -> Picture:
    """Draws how much of itself a sample keeps, and how much of its area is pasted.

    Everything is counted on plans that the method draws with a fixed seed, tens of thousands of samples where this is
    quick: the same figure every time, for methods of your own too. Over the bars of ``MixUp`` stands its Beta law,
    worked out apart from them. A method that reads class labels is given 10 classes in turn.

    Args:
        method: A method or a transform of any door, such as ``CutMix(alpha=1.0)``, or a pipeline with one of them; or
            several by name, ``{f"alpha {alpha}": MixUp(alpha) for alpha in (0.1, 0.4, 1.0)}``, as lines in one figure.
        size: Samples in a batch, 2 to 4096.
        shape: Lengths of the mixed axes in pixels or steps, ``(H, W)``, ``(T,)``, ``(T, H, W)``; ``()`` where nothing
            is spatial, as in a table.
        epoch: The epoch of schedules.
        title: A line above; ``None`` names the method.
        save: A file to write the figure to; PNG, SVG and PDF files say in words what is on it.

    Returns:
        A figure of its own, known to no global state.

    Raises:
        InputError: It is no method, it takes no such shape, or there is nobody to mix with.
        MissingDependencyError: matplotlib is not installed.
    """
    where = "show.weights"
    named, pure = _pure_methods(method, where)
    spec = BatchSpec(_checked_size(size, where), _checked_shape(shape, where, axes=None, most=_COUNTABLE))
    epoch = _checked_epoch(epoch, where)
    need_matplotlib()
    from mixtransforms.show.methods import charts

    if named:
        several = {name: statistics.weight_stats(each, spec, epoch, where) for name, each in named.items()}
        return charts.compare_weights(several, spec, title or _title("Shares of the sample itself", named, epoch), save)
    found = statistics.weight_stats(pure, spec, epoch, where)
    return charts.draw_weights(found, pure.at(epoch), spec, title or _default_title(pure, epoch), save)


def coverage(
    method: Method | Mapping[str, Method],
    shape: Sequence[int] = (224, 224),
    *,
    epoch: int = 0,
    title: str | None = None,
    save: str | os.PathLike[str] | None = None,
) -> Picture:
    """Draws the chance of every pixel to be replaced: a map with its means along both axes.

    It is counted on plans for batches of 64 that the method draws with a fixed seed. Where samples are blended, a
    pixel counts by the weight of the others: 30% of another sample everywhere is 30% at every pixel. Where one region
    serves a whole batch (``per="batch"``) fewer regions are seen, and the map is less smooth. A canvas is nobody's:
    where nothing is painted on it, nothing is replaced.

    Args:
        method: A method or a transform of any door, such as ``CutMix(alpha=1.0)``, or a pipeline with one of them; or
            several by name, ``{"CutMix": CutMix(), "FMix": FMix()}``, as small maps side by side on one scale.
        shape: Lengths of the mixed axes in pixels or steps: ``(H, W)``; of ``(T,)`` a curve is drawn, and of
            ``(T, H, W)`` the mean over the first axis.
        epoch: The epoch of schedules.
        title: A line above; ``None`` names the method.
        save: A file to write the figure to; PNG, SVG and PDF files say in words what is on it.

    Returns:
        A figure of its own, known to no global state.

    Raises:
        InputError: It is no method, takes no such shape, or its results are of several sizes.
        MissingDependencyError: matplotlib is not installed.
    """
    where = "show.coverage"
    named, pure = _pure_methods(method, where)
    spec = BatchSpec(_BATCH_SIZE, _checked_shape(shape, where, axes=(1, 2, 3), most=_MOST_CELLS))
    epoch = _checked_epoch(epoch, where)
    need_matplotlib()
    from mixtransforms.show.methods import charts

    if named:
        several = {name: statistics.coverage_map(each, spec, epoch, where) for name, each in named.items()}
        return charts.compare_coverage(several, title or _title("What is replaced", named, epoch), save)
    found = statistics.coverage_map(pure, spec, epoch, where)
    return charts.draw_coverage(found, title or _default_title(pure, epoch), save)


def _pure_methods(given: Any, where: str) -> tuple[dict[str, Method], Method]:
    """Several methods by name, if there are, and the only or first one."""
    if isinstance(given, Mapping) and given:
        named = {str(name): _pure_method(each, where) for name, each in given.items()}
        return named, next(iter(named.values()))
    return {}, _pure_method(given, where)


def _title(about: str, named: Mapping[str, Method], epoch: int) -> str:
    return f"{about}, epoch {epoch}" if any(method.moves for method in named.values()) else about


def _pure_method(given: Any, where: str) -> Method:
    """The method of what is given, without the options of a door."""
    inside = [] if isinstance(given, Method) else _methods_in(given)
    method = inside[0][1] if len(inside) == 1 else given
    if isinstance(method, MixTransform):
        return method.method
    if isinstance(method, Method):
        return method
    if inside:
        places = " or ".join(f"pipeline.transforms[{index}]" for index, _ in inside)
        got, fix = f"a {type(given).__name__} with {len(inside)} of them", f"Give one: {places}."
    elif isinstance(given, type) and issubclass(given, Method):
        got, fix = f"the class {given.__name__}", f"Make one: {given.__name__}()."
    else:
        got, fix = repr(given), "Give the transform that mixes, such as CutMix(alpha=1.0)."
    raise InputError("No method to draw", where=where, got=got, wanted="a method or a transform that mixes", fix=fix)


def _methods_in(pipeline: Any) -> list[tuple[int, Method]]:
    """The methods in a pipeline, and their places."""
    transforms = getattr(pipeline, "transforms", ())
    if not isinstance(transforms, Sequence):
        return []
    return [(index, each) for index, each in enumerate(transforms) if isinstance(each, Method)]


def _default_title(method: Method, epoch: int) -> str:
    return f"{method!r}, epoch {epoch}" if method.moves else repr(method)


def _checked_size(given: Any, where: str) -> int:
    wanted = f"a whole number within [2, {_LARGEST_BATCH}]"
    fix = "A sample that is alone has nobody to be mixed with." if given == 1 else "Leave it out for 64."
    limits: dict[str, Any] = {"name": "size", "high": _LARGEST_BATCH, "wanted": wanted}
    return need_whole_number(given, 2, "No batch to draw for", where, fix=fix, **limits)


def _checked_epoch(given: Any, where: str) -> int:
    wanted, fix = "a whole number from 0 on, below 2**32", "Epochs are counted from 0."
    limits: dict[str, Any] = {"name": "epoch", "high": 2**32 - 1, "wanted": wanted}
    return need_whole_number(given, 0, "No such epoch", where, fix=fix, **limits)


def _checked_shape(given: Any, where: str, *, axes: tuple[int, ...] | None, most: int) -> tuple[int, ...]:
    """A shape of whole numbers from 1 on.

    Args:
        given: What the user gave.
        where: For errors.
        axes: How many axes it may have; ``None`` for any number.
        most: Most cells.
    """
    if not isinstance(given, Sequence) or not all(type(length) is int and length > 0 for length in given):
        got, wanted = f"shape={given!r}", "the lengths of the mixed axes, whole numbers from 1 on"
        fix = "Of images it is (height, width), without channels: shape=(224, 224)."
    elif axes is not None and len(given) not in axes:
        got, wanted = f"{len(given)} axes, shape={tuple(given)}", "one to three axes"
        fix = "Leave the axes of samples and channels out: shape=(224, 224)."
    elif math.prod(given) > most:
        got, wanted = f"{math.prod(given):,} cells, shape={tuple(given)}", f"at most {most:,}"
        fix = "A smaller shape with the same proportions gives the same picture."
    else:
        return tuple(given)
    raise InputError("No shape to draw", where=where, got=got, wanted=wanted, fix=fix)
