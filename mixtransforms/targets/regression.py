"""Numbers to predict, and numbers that weigh samples: mixed by the plan's shares."""

# No `from __future__ import annotations`: signatures must show types, not strings.
from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar

from mixtransforms.core import fields
from mixtransforms.core.backends import is_floating, is_integer
from mixtransforms.core.errors import InputError
from mixtransforms.plan import Plan
from mixtransforms.targets.kind import Mixed, Scene
from mixtransforms.targets.label import LossTarget


@fields.documented
@dataclass(frozen=True, repr=False)
class Regression(LossTarget):
    """Numbers to predict, ``(B,)`` or ``(B, M)``: ``weight * y_i + (1 - weight) * y_j``; weights of samples alike.

    Mixed numbers keep the precision of floats and have at least that of float32, which integers get too; a mean of
    half types or integers would be rounded otherwise. Pairs keep what came in.
    """

    name: ClassVar[str] = "regression"

    def soften(self, kernel: ModuleType, plan: Plan, value: Any) -> Mixed:
        """Mixed numbers, ``(B,)`` or ``(B, M)``."""
        return Mixed(kernel.combine(value, plan))

    def check(self, value: Any, where: str, scene: Scene) -> None:
        """Refuses what are no numbers. See :meth:`Kind.check`.

        Raises:
            InputError: The array has more axes than two, or a dtype that has no means.
        """
        # Bools are refused: their mean is a number, and whoever has them means labels.
        if len(value.shape) not in (1, 2) or not (is_floating(value) or is_integer(value)):
            raise InputError(
                "Not numbers to predict",
                where=where,
                got=f"shape {tuple(value.shape)} {value.dtype}",
                wanted="floats or integers, (B,) or (B, M)",
                fix="Declare bools as MultiLabel or convert them, or leave the array alone with passthrough.",
            )
