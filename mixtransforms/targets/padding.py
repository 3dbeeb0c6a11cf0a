"""Padding: where a sample has tokens or pixels, as attention needs to know; and how long sequences are."""

# No `from __future__ import annotations`: signatures must show types, not strings.
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mixtransforms.core import fields
from mixtransforms.core.backends import backend_of, dtype_name, is_integer
from mixtransforms.core.errors import InputError
from mixtransforms.kernels import kernel_of
from mixtransforms.kernels.paint import paint
from mixtransforms.plan import Plan
from mixtransforms.targets.kind import Kind, Mixed, Scene
from mixtransforms.targets.label import offending
from mixtransforms.targets.pastes import halves


@fields.documented
@dataclass(frozen=True, repr=False)
class Padding(Kind):
    """Where samples have tokens ``(B, T)`` or pixels ``(B, H, W)``: bool, or integers 0 and 1; the dtype is kept.

    A place of the result has a token where any source that is seen there has one: where samples are blended, their
    tokens are united; where they are pasted, padding is pasted with them. Shares of labels are those of the whole plan:
    a pasted region counts by its size, padding in it included. Where nothing is painted on a canvas, there is padding.
    """

    inverted: bool = fields.flag(
        False, "Ones mark padding instead of tokens, as key_padding_mask of torch's attention has it."
    )

    name: ClassVar[str] = "padding"

    def check(self, value: Any, where: str, scene: Scene) -> None:
        """Refuses a mask that does not fit the samples. See :meth:`Kind.check`.

        Raises:
            InputError: The mask is of another shape or dtype than samples and the mixed axes, or all axes but those of
                channels, bool or integers; or there are other values than zeros and ones.
        """
        shape, boolean = tuple(value.shape), dtype_name(value) == "bool"
        if len(shape) < 2 or not (boolean or is_integer(value)):
            raise InputError(
                "Not a padding mask",
                where=where,
                got=f"shape {shape} {value.dtype}",
                wanted="(B, T), or (B, H, W) of images, bool or integers",
                fix="Give zeros and ones, one a token or pixel, or leave the array alone with passthrough.",
            )
        # Without mixed axes (a blend of whole sequences) any length does.
        if scene.shape and shape[1:] not in (scene.shape, scene.lengths):
            raise InputError(
                "The padding is of other sequences",
                where=where,
                got=f"shape {shape} beside mixed axes {scene.shape}",
                wanted="samples and the mixed axes, (B, T) or (B, H, W)",
                fix="Give the mask of what is mixed, at its own size, or leave it alone with passthrough.",
            )
        if not boolean:
            _check_binary(value, where)

    def mix(self, plan: Plan, value: Any, scene: Scene) -> Mixed:
        """The mixed mask, of the same shape and dtype.

        Raises:
            PlanError: The plan has regions on other axes.
        """
        kernel = kernel_of(str(backend_of(value)))
        tokens = kernel.astype(self._turned(kernel.astype(value, "bool")), "float32")
        # A place has a token where any source has one, since its embedding is in the sum.
        seen = paint(halves(plan), tokens, _mixed_axes(plan, value, scene), ids=True, fill=0, where="padding") > 0
        return Mixed(kernel.astype(self._turned(seen), value.dtype))

    def _turned(self, mask: Any) -> Any:
        return ~mask if self.inverted else mask


def _mixed_axes(plan: Plan, value: Any, scene: Scene) -> list[int]:
    """Positions of the plan's axes in a mask of all axes, or of the mixed ones alone."""
    every = len(value.shape) == 1 + len(scene.lengths)
    return [1 + axis for axis in (scene.axes if every and scene.shape else range(len(plan.spec.shape)))]


def _check_binary(value: Any, where: str) -> None:
    mask = kernel_of(str(backend_of(value))).to_host(value)
    wrong = (mask != 0) & (mask != 1)
    if wrong.any():
        rows = mask.reshape(len(mask), -1)
        raise InputError(
            "Other numbers than zeros and ones",
            where=where,
            got=offending(rows, wrong.reshape(rows.shape)),
            wanted="1 where there is a token and 0 where there is padding, or the other way round",
            fix="Give the padding as a mask, not as ids of tokens or lengths.",
        )


@fields.documented
@dataclass(frozen=True, repr=False)
class Lengths(Kind):
    """How many steps of padded sequences are theirs, ``(B,)`` integers; the dtype is kept.

    A blend is as long as the longest of its sources, whatever their shares; so they need a method that blends whole
    samples. What a paste leaves of padding between tokens is no length: :class:`Padding` can tell it.
    """

    name: ClassVar[str] = "lengths"

    def check(self, value: Any, where: str, scene: Scene) -> None:
        """Refuses what are no lengths of the sequences, or could be none of a mixed one. See :meth:`Kind.check`.

        Raises:
            InputError: The array is of another shape or dtype, the method draws regions, or a length is negative or
                larger than the one mixed axis.
        """
        shape = tuple(value.shape)
        if len(shape) != 1 or not is_integer(value):
            raise InputError(
                "Not lengths",
                where=where,
                got=f"shape {shape} {value.dtype}",
                wanted="(B,) integers, numbers of steps",
                fix="Multiply relative lengths by the number of steps and round them, or leave the array alone with "
                "passthrough.",
            )
        if scene.cuts and scene.shape:
            raise InputError(
                "Lengths beside a method that pastes",
                where=where,
                got=f"lengths {shape}, and regions that may lie in the padding",
                wanted="a method that blends whole samples, or the padding as a mask",
                fix="Use MixUp, or give attention_mask = steps < lengths[:, None] instead, (B, T), which is pasted.",
            )
        self._check_range(value, where, scene.shape[0] if len(scene.shape) == 1 else None)

    def _check_range(self, value: Any, where: str, most: int | None) -> None:
        kernel = kernel_of(str(backend_of(value)))
        lengths = kernel.to_host(value) if kernel.is_on_host(value) else value
        fine = (lengths >= 0) if most is None else (lengths >= 0) & (lengths <= most)
        if not kernel.is_on_host(value):
            kernel.assert_async(fine, f"Lengths out of range: wanted 0 to {most}")
        elif not fine.all():
            raise InputError(
                "Lengths out of range",
                where=where,
                got=f"{lengths[~fine][:5].tolist()} in rows {np.flatnonzero(~fine)[:5].tolist()}",
                wanted="numbers of steps from 0" + ("" if most is None else f" to {most}, the length of the batch"),
                fix="Give the lengths of the sequences that are mixed, in steps.",
            )

    def mix(self, plan: Plan, value: Any, scene: Scene) -> Mixed:
        """The largest length of the sources that have a share, ``(B,)`` of the same dtype."""
        kernel = kernel_of(str(backend_of(value)))
        longest = kernel.union(kernel.take(kernel.astype(value, "int64"), plan.sources), plan.share > 0)
        return Mixed(kernel.astype(longest, value.dtype))
