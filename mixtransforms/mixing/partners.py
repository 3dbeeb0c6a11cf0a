"""Partners and sources as values of the batch: for captions, ids and losses, which no rule could mix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from mixtransforms.containers.records import is_records
from mixtransforms.containers.tree import children, extended, holds_names, replace, spell, takes_names, walk
from mixtransforms.core.backends import backend_of
from mixtransforms.core.errors import InputError, ParameterError, PlanError
from mixtransforms.core.layers import IntArray
from mixtransforms.kernels import kernel_of
from mixtransforms.methods.base import Method
from mixtransforms.mixing.options import Options
from mixtransforms.plan import Plan
from mixtransforms.targets.united import most_united, united


class Told(NamedTuple):
    """Indices that appear in the batch that comes out.

    Attributes:
        name: Under which they appear, where anything has names.
        rows: One a row of the batch, ``(rows,)``, or all sources of it, ``(rows, S)``.
        alone: Whether the batch is one value, and no container that takes more.
        option: What of which transform asked for them, for errors.
    """

    name: str
    rows: IntArray
    alone: bool
    option: str


def check_telling(options: Options, method: Method) -> None:
    """Refuses what could not be told in every batch.

    Raises:
        ParameterError: A sample may have several partners where one is asked for; or two things have one name.
    """
    if options.partner is None:
        return
    where, most = type(options).__name__, method.most_sources(2)
    if most > 2:
        raise ParameterError(
            "No single partner",
            where=f"{where}.partner",
            got=f"partner={options.partner!r}, and up to {most} sources",
            wanted="sources=, which tells of any number",
            fix=f"Say sources={options.partner!r} in place of partner.",
        )
    if options.partner == options.sources:
        raise ParameterError(
            "Two values of one name",
            where=f"{where}.sources",
            got=f"{options.sources!r}, which is that of the partner as well",
            wanted="another name, or one of the two options",
            fix="Leave sources out: of two sources the other one is the partner.",
        )


def told_of(options: Options, plan: Plan, sources: int, size: int, *, alone: bool) -> list[Told]:
    """What a transform tells of a plan.

    Args:
        options: The transform's.
        plan: The plan.
        sources: How many sources a sample may have, itself among them.
        size: How many samples come back; the others of the plan are of a second batch.
        alone: See :class:`Told`.

    Raises:
        PlanError: A partner is asked for, and a sample has several.
    """
    told = []
    where, own = type(options).__name__, np.arange(size)
    if options.partner is not None:
        if most_united(plan) > 2:
            raise _several(f"{where}.partner", plan, options.partner)
        told.append(Told(options.partner, _seen(plan, 2)[:size, 1], alone, f"{where}.partner"))
    if options.sources is not None:
        told.append(Told(options.sources, _seen(plan, sources)[:size], alone, f"{where}.sources"))
    if not options.keep_originals:
        return told
    # Originals come first and are their own; what was mixed is of them, so that their numbers stay what they are.
    first = [np.broadcast_to(own[(..., *[None] * (each.rows.ndim - 1))], each.rows.shape) for each in told]
    both = zip(told, first, strict=True)
    return [each._replace(rows=np.concatenate([originals, each.rows])) for each, originals in both]


def _seen(plan: Plan, count: int) -> IntArray:
    """The sources of every sample, ``(B, count)``: the sample itself in the place of any that has no share at all."""
    sources, share = united(plan, count)
    shown = (share > 0) | (united(plan.measured, count)[1] > 0)
    return np.where(shown, sources, np.arange(plan.size)[:, None])


def _several(where: str, plan: Plan, name: str) -> PlanError:
    return PlanError(
        "No single partner",
        where=where,
        got=f"a plan with {most_united(plan)} sources for some samples",
        wanted="at most one partner a sample",
        fix=f"Replay it with a transform that says sources={name!r} in place of partner.",
    )


def twice(told: Sequence[Told]) -> list[Told]:
    """What was told of a batch whose originals a later mix has kept, and so repeated."""
    return [each._replace(rows=np.concatenate([each.rows, each.rows])) for each in told]


def with_told(batch: Any, told: Sequence[Told]) -> Any:
    """The batch with indices in it, int64, of its back end and on its device.

    They are under their name in a dict; in one field of every record, where it has a list of records; and else behind
    the last value of a tuple or list. An array alone becomes a tuple.

    Raises:
        InputError: The name is taken, or a container has no place for it.
    """
    arrays = [leaf for _, leaf in walk(batch, lambda *_: False) if backend_of(leaf)]
    example = max(arrays, key=lambda array: len(array.shape), default=np.zeros(0))  # images have the most axes
    kernel = kernel_of(str(backend_of(example)))
    for count, each in enumerate(told):
        index = kernel.asarray_like(each.rows, example)
        batch = _with(batch, each, index, kernel.rows_of(index), alone=each.alone and not count)
    return batch


def check_room(batch: Any, told: Sequence[Told], size: int) -> None:
    """Refuses a batch of ``size`` samples in which indices have no place, before anything is overwritten.

    Raises:
        InputError: See :func:`with_told`.
    """
    with_told(batch, [each._replace(rows=each.rows[:size]) for each in told])


def _with(batch: Any, told: Told, index: Any, rows: Sequence[Any], *, alone: bool) -> Any:
    if alone:
        return batch, index
    if holds_names(batch):
        return _named(batch, told, index, ())
    items = list(children(batch) or ())
    for key, node in items:
        if is_records(node, len(rows)):
            own = [
                _named(record, told, row, (key, number))
                for number, (record, row) in enumerate(zip(node, rows, strict=True))
            ]
            return type(batch)([type(node)(own) if key == other else value for other, value in items])
    return type(batch)([*batch, index])


def _named(container: Any, told: Told, value: Any, path: tuple[Any, ...]) -> Any:
    """A container with names and one more value in it; a class of few names has it already, as ``None``."""
    names = dict(children(container) or ())
    if names.get(told.name) is not None:
        raise InputError(
            "A name that is taken",
            where=spell((*path, told.name)),
            got=f"a value of the batch, and {told.option}={told.name!r}",
            wanted="a name that the batch does not have",
            fix=f"Say another one, such as {told.option.rpartition('.')[-1]}={told.name + '_index'!r}.",
        )
    if told.name in names:
        return replace(container, {(told.name,): value})
    if takes_names(container):
        return extended(container, {told.name: value})
    raise InputError(
        "No room for the index of partners",
        where=spell(path),
        got=f"{type(container).__name__} with {list(names)}",
        wanted=f"a place for {told.name}",
        fix=f"Add to the class {told.name}: Any = None, or pass dicts.",
    )
