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
from mixtransforms.targets.strides import is_at_stride


@fields.documented
@dataclass(frozen=True, repr=False)
class Regression(LossTarget):
    """Numbers to predict, ``(B,)`` or ``(B, ...)``: ``weight * y_i + (1 - weight) * y_j``; weights of samples alike.

    They belong to whole samples, such as an age, a pose ``(B, M)`` or landmarks ``(B, 68, 2)``, also where only a part
    is pasted. Maps, which have a number for every place, are pasted with it: as ``'mask'``, or as ``'image'``.

    Mixed numbers keep the precision of floats and have at least that of float32, which integers get too; a mean of
    half types or integers would be rounded otherwise. Pairs keep what came in.
    """

    name: ClassVar[str] = "regression"

    def soften(self, kernel: ModuleType, plan: Plan, value: Any) -> Mixed:
        """Mixed numbers, ``(B, ...)``."""
        return Mixed(kernel.combine(value, plan))

    def check(self, value: Any, where: str, scene: Scene) -> None:
        """Refuses what are no numbers of whole samples. See :meth:`Kind.check`.

        Raises:
            InputError: The array has no axis of samples, or a dtype that has no means; or it is a map of the images,
                beside a method that draws regions.
        """
        # Bools are refused: their mean is a number, and whoever has them means labels.
        if not len(value.shape) or not (is_floating(value) or is_integer(value)):
            raise InputError(
                "Not numbers to predict",
                where=where,
                got=f"shape {tuple(value.shape)} {value.dtype}",
                wanted="floats or integers, (B,) or (B, ...)",
                fix="Convert bools to floats, or declare rows of them, (B, K), as MultiLabel; or leave the array alone "
                "with passthrough.",
            )
        if scene.cuts and scene.shape and _is_map(tuple(value.shape), scene):
            raise InputError(
                "Numbers that have places in the images",
                where=where,
                got=f"shape {tuple(value.shape)} beside axes {scene.lengths}, of which a region is pasted",
                wanted="numbers of whole samples",
                fix="Declare maps as 'mask', or as 'image' where they have its axes; give numbers without a place as "
                "rows (B, M), such as values.reshape(len(values), -1).",
            )

    def check_again(self, value: Any, where: str, scene: Scene) -> None:
        """See the base: any numbers will do."""
        if type(self).check is not Regression.check:  # a class of the user's own may look at values
            self.check(value, where, scene)


def _is_map(shape: tuple[int, ...], scene: Scene) -> bool:
    """Whether an array has the axes of the images, behind the samples or at its end, or these at a stride."""
    rank = len(scene.lengths)
    for own in (shape[1:][:rank], shape[1:][-rank:]):
        # Rows of numbers (B, M) may divide the length of a sound by chance; they must be as many.
        if len(own) == rank and (own == scene.lengths or (len(shape) > 2 and is_at_stride(own, scene))):
            return True
    return False
