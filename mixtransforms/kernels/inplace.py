"""In which order rows are painted on themselves, where each is painted with one other.

No row is copied before, but one of each circle.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Path(NamedTuple):
    """Rows that are painted one after the other.

    Attributes:
        numbers: Where in the layer they are. Each row is painted with the next one, which is then not read any more.
        closed: Whether the last one is painted with the first one, as it was before.
    """

    numbers: list[int]
    closed: bool


def paths(rows: Sequence[int], source: Sequence[int], size: int) -> list[Path]:
    """The rows of a layer in such an order that each is read by all others before it is painted.

    Args:
        rows: The rows, each once.
        source: Their partners.
        size: Samples of the batch.
    """
    number_of, readers = [-1] * size, [0] * size
    for number, (row, other) in enumerate(zip(rows, source, strict=True)):
        number_of[row] = number
        readers[other] += row != other
    found = []
    # First those that nobody reads, and whoever is then not read any more; what is left are circles.
    for closed in (False, True):
        for first in rows:
            row, numbers = first, []
            while number_of[row] >= 0 and (closed or not readers[row]):
                numbers.append(number_of[row])
                number_of[row] = -1
                row = source[numbers[-1]]
                readers[row] -= 1
            if numbers:
                found.append(Path(numbers, closed))
    return found
