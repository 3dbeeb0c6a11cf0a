"""Padding of sequences: where a sample has tokens, as attention needs to know."""

# No `from __future__ import annotations`: signatures must show types, not strings.
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from mixtransforms.core import fields
from mixtransforms.core.backends import backend_of, dtype_name, is_integer
from mixtransforms.core.compositing import Contributions, all_contributions
from mixtransforms.core.errors import InputError
from mixtransforms.core.layers import BoolArray, IntArray
from mixtransforms.kernels import kernel_of
from mixtransforms.kernels.resampling import nearest_cells
from mixtransforms.plan import BatchSpec, Plan
from mixtransforms.targets.kind import Kind, Mixed, Scene
from mixtransforms.targets.label import offending


@fields.documented
@dataclass(frozen=True, repr=False)
class Padding(Kind):
    """Where samples have tokens, ``(B, T)``: bool, or integers 0 and 1; the dtype is kept.

    A place of the result has a token where any source that is seen there has one: where samples are blended, their
    tokens are united; where they are pasted, padding is pasted with them.
    """

    inverted: bool = fields.flag(
        False, "Ones mark padding instead of tokens, as key_padding_mask of torch's attention has it."
    )

    name: ClassVar[str] = "padding"

    def check(self, value: Any, where: str, scene: Scene) -> None:
        """Refuses a mask that does not fit the sequences. See :meth:`Kind.check`.

        Raises:
            InputError: The mask is of another shape or dtype than ``(B, T)`` bool or integers, ``T`` is not the one
                mixed axis, or there are other values than zeros and ones.
        """
        shape, boolean = tuple(value.shape), dtype_name(value) == "bool"
        if len(shape) != 2 or not (boolean or is_integer(value)):
            raise InputError(
                "Not a padding mask",
                where=where,
                got=f"shape {shape} {value.dtype}",
                wanted="(B, T), bool or integers",
                fix="Give zeros and ones, one a token, or leave the array alone with passthrough.",
            )
        # Without mixed axes (a blend of whole sequences) any length does.
        if scene.shape not in ((), shape[1:]):
            raise InputError(
                "The padding is of other sequences",
                where=where,
                got=f"shape {shape} beside mixed axes {scene.shape}",
                wanted="(B, T), where T is the one mixed axis",
                fix="Give the mask of the sequences that are mixed, or leave it alone with passthrough.",
            )
        if not boolean:
            _check_binary(value, where)

    def mix(self, plan: Plan, value: Any, scene: Scene) -> Mixed:
        """The mixed mask, ``(B, T)`` of the same dtype.

        Raises:
            PlanError: The plan has regions on other axes.
        """
        kernel = kernel_of(str(backend_of(value)))
        place, seen = _places(plan, value.shape[1])
        # The largest of what is seen: a place has a token where any source has one, since its embedding is in the
        # sum.
        tokens = kernel.union(kernel.take(self._turned(kernel.astype(value, "bool")).reshape(-1), place), seen)
        return Mixed(kernel.astype(self._turned(tokens), value.dtype))

    def _turned(self, mask: Any) -> Any:
        return ~mask if self.inverted else mask


def _check_binary(value: Any, where: str) -> None:
    mask = kernel_of(str(backend_of(value))).to_host(value)
    wrong = (mask != 0) & (mask != 1)
    if wrong.any():
        raise InputError(
            "Other numbers than zeros and ones",
            where=where,
            got=offending(mask, wrong),
            wanted="1 where there is a token and 0 where there is padding, or the other way round",
            fix="Give the padding as a mask, not as ids of tokens or lengths.",
        )


def _places(plan: Plan, steps: int) -> tuple[IntArray, BoolArray]:
    """What is seen at every step: cells of all the samples in a line, and whether they are seen, ``(B, S, steps)``."""
    # A plan without mixed axes has no regions, and is the same plan on any axis.
    plan = replace(plan, spec=BatchSpec(plan.size, (steps,)))
    rows: list[list[Contributions]] = [[] for _ in range(plan.size)]
    for several in all_contributions(plan.size, plan.spec.shape, plan.layers):
        for part in several:
            rows[int(part.row[0])].append(part)
    shape = (plan.size, max([1, *map(len, rows)]), steps)
    place, seen = np.zeros(shape, np.int64), np.zeros(shape, np.bool_)
    for row, parts in enumerate(rows):
        for column, part in enumerate(parts):
            place[row, column] = part.source * steps + _cells(part, steps)
            seen[row, column] = np.repeat(part.weight[:, 0] > 0, np.diff(part.edges[0][:, 0]))
    return place, seen


def _cells(part: Contributions, steps: int) -> IntArray:
    """Which step of its source one contribution shows at every step, ``(steps,)``."""
    start, stop = int(part.crop[0][0, 0]), int(part.crop[1][0, 0])
    first, last = int(part.frame[0][0, 0]), int(part.frame[1][0, 0])
    # The nearest step, as for ids: half a token is none.
    cells: IntArray = start + nearest_cells(np.arange(steps) - first, stop - start, max(last - first, 1))
    return np.clip(cells, 0, steps - 1)  # outside of the frame any: nobody looks there
