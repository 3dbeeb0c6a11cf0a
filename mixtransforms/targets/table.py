"""Tables of features: numeric columns are mixed by the plan's shares, categorical ones follow the larger part."""

# No `from __future__ import annotations`: signatures must show types, not strings.
import numbers
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mixtransforms.core import fields
from mixtransforms.core.backends import backend_of, dtype_name, is_floating, is_integer
from mixtransforms.core.errors import InputError
from mixtransforms.core.layers import IntArray
from mixtransforms.kernels import kernel_of
from mixtransforms.plan import Plan
from mixtransforms.targets.kind import Kind, Mixed, Scene


def _columns(value: Any) -> tuple[int, ...]:
    columns = list(value)
    if not all(isinstance(column, numbers.Integral) and not isinstance(column, bool) for column in columns):
        raise ValueError
    if any(column < 0 for column in columns):
        raise ValueError
    # Negative positions are refused above: in a file nobody sees how wide the table is that they count from.
    return tuple(sorted({int(column) for column in columns}))


@fields.documented
@dataclass(frozen=True, repr=False)
class Table(Kind):
    """Features of samples, ``(B, F)``; the dtype is kept.

    Numeric columns are floats, mixed by :attr:`~mixtransforms.Plan.share`; half types in float32. Of categorical
    columns there is no mean: they are those of the source with the largest share, of equal ones the sample itself.
    """

    categorical: tuple[int, ...] = fields.parameter(
        (),
        _columns,
        "positions of columns, from 0",
        "Columns that hold categories; of them there is no mean.",
        fields.listed({"type": "integer", "minimum": 0}),
    )

    name: ClassVar[str] = "table"

    def check(self, value: Any, where: str, scene: Scene) -> None:
        """Refuses a table that could only be mixed wrongly. See :meth:`Kind.check`.

        Raises:
            InputError: The table is of another shape or dtype, has no such columns, or holds whole numbers in columns
                that are not declared categorical.
        """
        shape = tuple(value.shape)
        if len(shape) != 2 or not (is_floating(value) or is_integer(value) or dtype_name(value) == "bool"):
            raise InputError(
                "Not a table",
                where=where,
                got=f"shape {shape} {value.dtype}",
                wanted="(B, F), floats, or integers or bools in categorical columns",
                fix="Give one row a sample, or leave the array alone with passthrough.",
            )
        missing = [column for column in self.categorical if column >= shape[1]]
        if missing:
            raise InputError(
                "Categorical columns that are not there",
                where=where,
                got=f"categorical columns {missing[:5]}, shape {shape}",
                wanted=f"positions below {shape[1]}",
                fix="Correct Table(categorical=...).",
            )
        self._check_numeric(value, where)

    def _check_numeric(self, value: Any, where: str) -> None:
        numeric = sorted(set(range(value.shape[1])) - set(self.categorical))
        if numeric and not is_floating(value):
            raise InputError(
                "Columns without means",
                where=where,
                got=f"{value.dtype} in columns {numeric[:5]}{' ...' if len(numeric) > 5 else ''}",
                wanted="floats, or columns that are declared categorical",
                fix=f"Say Table(categorical=range({value.shape[1]})) if all are categories, or convert to floats.",
            )

    def mix(self, plan: Plan, value: Any, scene: Scene) -> Mixed:
        """The mixed table, ``(B, F)`` of the same dtype."""
        kernel = kernel_of(str(backend_of(value)))
        # Of categories there is no mean; a coin thrown by the share would be a draw outside of the plan.
        chosen = kernel.take(value, _dominant(plan))
        if not is_floating(value):
            return Mixed(chosen)
        # By the share that was painted, also where labels get another one: a table is an input, like an image.
        mixed = kernel.astype(kernel.combine(value, plan.measured), value.dtype)
        columns = list(self.categorical)
        mixed[:, columns] = chosen[:, columns]
        return Mixed(mixed)


def _dominant(plan: Plan) -> IntArray:
    """The source that has the largest share in every sample, ``(B,)``; what it has in several layers adds up."""
    # One source may paint in several layers; its shares count together before they are compared.
    same = plan.sources[:, :, None] == plan.sources[:, None, :]
    total = (same * plan.share[:, None, :]).sum(axis=2)
    # argmax takes the first of equals, which is the sample itself.
    dominant: IntArray = plan.sources[np.arange(plan.size), total.argmax(axis=1)]
    return dominant
