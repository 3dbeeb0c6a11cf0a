"""The two tiers of tests: what runs always, and what ``--full`` adds.

Whatever starts compilers or many processes bears the mark ``full``. Of a product of cases the first tier runs a cover, in
which every pair of values occurs that occurs in the product at all: what is broken by one value, or by two together, is found
by it; ``--full`` runs the product. Where a case is dear, every value occurs once.
"""

import itertools
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from heapq import heapify, heappop, heappush
from typing import Any, TypeVar

import pytest

Row = TypeVar("Row")

everything = False
"""Whether the exhaustive tier runs as well; conftest sets it before it imports tests."""


Factors = Callable[[Row], Sequence[Hashable]]


def cover(rows: Iterable[Row], factors: Factors = tuple, also: Factors = lambda row: ()) -> list[Row]:
    """Rows, in their order, that have every pair of factors which any of the given ones has.

    Args:
        rows: Cases.
        factors: What a case is made of; values are told apart by their place.
        also: What must occur by itself, such as three values together.
    """
    rows = list(rows)
    pairs = [{*itertools.combinations(enumerate(factors(row)), 2), *enumerate(also(row))} for row in rows]
    missing = set().union(*pairs)
    # Greedy; what a row adds only falls, so that a row which still adds as much as it was put down for is the best one.
    heap = [(-len(own), index) for index, own in enumerate(pairs)]
    heapify(heap)
    chosen = []
    while missing:
        expected, index = heappop(heap)
        added = len(pairs[index] & missing)
        if added == -expected:
            chosen.append(index)
            missing -= pairs[index]
        elif added:
            heappush(heap, (-added, index))
    return [rows[index] for index in sorted(chosen)]


def some(rows: Iterable[Row], factors: Factors = tuple, also: Factors = lambda row: ()) -> list[Row]:
    """A cover of the rows, or all of them under ``--full``."""
    return list(rows) if everything else cover(rows, factors, also)


def product(**axes: Iterable[Any]) -> pytest.MarkDecorator:
    """Parametrizes a test with every combination of arguments, or with a cover of their pairs."""
    return _parametrized(axes, tuple, lambda row: ())


def each(**axes: Iterable[Any]) -> pytest.MarkDecorator:
    """Parametrizes a test with every combination of arguments, or with so many that every value of each occurs."""
    return _parametrized(axes, lambda row: (), tuple)


def _parametrized(axes: Mapping[str, Iterable[Any]], factors: Factors, also: Factors) -> pytest.MarkDecorator:
    values = [list(axis) for axis in axes.values()]
    rows = some(itertools.product(*(range(len(axis)) for axis in values)), factors, also)
    return pytest.mark.parametrize(
        tuple(axes), [tuple(axis[at] for axis, at in zip(values, row, strict=True)) for row in rows]
    )
