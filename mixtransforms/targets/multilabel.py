"""Several labels at once: rows of zeros and ones, or of shares, where every column is a question of its own."""

# No `from __future__ import annotations`: signatures must show types, not strings.
import math
import numbers
from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar, NamedTuple

import numpy as np

from mixtransforms.containers.mixed import MixedValue, of_one_iterable
from mixtransforms.core import fields
from mixtransforms.core.backends import backend_of, dtype_name, is_floating, is_integer
from mixtransforms.core.errors import InputError
from mixtransforms.kernels import kernel_of
from mixtransforms.plan import Plan
from mixtransforms.targets.kind import Mixed, Scene
from mixtransforms.targets.label import LossTarget, offending

# Shares of a mix before this one add up to 1 in float64 and are rounded to float32, whose unit at 1 is 1.2e-7; a few
# of these may come together, and nothing that means more than 1 lies so near.
_ROUNDING = 1e-6
"""How far above 1 the float32 sum of an earlier mix may be."""


@MixedValue.register
@of_one_iterable
class KnownLabels(NamedTuple):
    """Labels of which some are not known, for a loss that takes weights: ``(weight * loss(labels)).sum()``.

    Attributes:
        labels: Mixed labels of what is known, ``(B, K)`` float32; 0 where nothing is.
        weight: How much is known, ``(B, K)`` float32 within ``[0, 1]``.
    """

    labels: Any
    weight: Any


def _unknown(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real) or not math.isfinite(value):
        raise ValueError
    return float(value)


@fields.documented
@dataclass(frozen=True, repr=False)
class MultiLabel(LossTarget):
    """Several labels at once, ``(B, K)``: bool, integers 0 and 1, or floats within ``[0, 1]``.

    Mixed rows are float32: by shares, or with ``union`` the largest entry of every source that labels have a share of,
    as for sounds that are all heard. Entries that nobody knows have no part in them; how much is known is a weight
    beside them, ``(B, K)`` float32. Pairs keep what came in, unknown entries too.
    """

    union: bool = fields.flag(False, "Labels of all sources count in full, instead of by their shares.")
    unknown: float | None = fields.parameter(
        None,
        _unknown,
        "None or a finite number",
        "Marks entries that nobody knows, such as -1; a weight then appears beside the labels.",
        fields.optional({"type": "number"}),
    )

    name: ClassVar[str] = "multilabel"

    def soften(self, kernel: ModuleType, plan: Plan, value: Any) -> Mixed:
        """Mixed rows ``(B, K)`` float32; with ``unknown`` also their weights, alike."""
        if self.unknown is None:
            return Mixed(self._rows(kernel, plan, kernel.astype(value, "float32")))
        # Unknown entries count as 0 in the sum and are divided out by what is known, so that they pull nowhere.
        known = value != self.unknown
        share = kernel.combine(known, plan)
        rows = self._rows(kernel, plan, kernel.astype(value, "float32") * known + 0.0)  # no -0.0
        if self.union:
            # One source that is known to be positive settles it, whatever the others are.
            settled, total = rows == 1, plan.target_share.sum(axis=1, keepdims=True).astype(np.float32)
            share = settled * kernel.asarray_like(total, value) + ~settled * share
        else:
            rows = rows / (share + (share == 0))  # 0 / 1 where nothing is known
        return Mixed(rows, {"_weight": share}, KnownLabels)

    def _rows(self, kernel: ModuleType, plan: Plan, rows: Any) -> Any:
        if self.union:
            return kernel.union(kernel.take(rows, plan.sources), plan.target_share > 0)
        return kernel.combine(rows, plan)

    def check(self, value: Any, where: str, scene: Scene) -> None:
        """Refuses rows that could only be mixed wrongly. See :meth:`Kind.check`.

        Raises:
            InputError: The rows are of another shape or dtype, or hold something else than zeros, ones, shares and
                the mark of unknown entries.
        """
        # Bools need no look at their values; everything else is read once.
        boolean = dtype_name(value) == "bool"
        if len(value.shape) != 2 or not (boolean or is_integer(value) or is_floating(value)):
            raise InputError(
                "Not rows of several labels",
                where=where,
                got=f"shape {tuple(value.shape)} {value.dtype}",
                wanted="(B, K), one column a label, bool, integers or floats",
                fix="Declare class ids as Label, or leave the array alone with passthrough.",
            )
        if not boolean:
            self._check_values(value, where)

    def _check_values(self, value: Any, where: str) -> None:
        kernel = kernel_of(str(backend_of(value)))
        rows = kernel.to_host(value) if kernel.is_on_host(value) else value
        fine = (rows >= 0) & (rows <= 1 + _ROUNDING)  # NaN is neither
        if self.unknown is not None:
            fine = fine | (rows == self.unknown)
        if not kernel.is_on_host(value):
            kernel.assert_async(fine, "Entries that are no labels: wanted numbers within [0, 1], or the unknown one")
        elif not fine.all():
            plain = "zeros and ones" if is_integer(value) else "numbers within [0, 1]"
            raise InputError(
                "Entries that are no labels",
                where=where,
                got=offending(rows, ~fine),
                wanted=plain if self.unknown is None else f"{plain}, or unknown={self.unknown:g}",
                fix="Name the mark of unknown entries, MultiLabel(unknown=...), or declare numbers as Regression.",
            )
