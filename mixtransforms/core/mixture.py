"""What painters may know of a plan. Kernels stand below plans, so that a plan can paint by itself."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral
from typing import Any, Protocol

from mixtransforms.core.canvas import Canvas
from mixtransforms.core.errors import PlanError
from mixtransforms.core.layers import FloatArray, IntArray, Layer


@dataclass(frozen=True)
class BatchSpec:
    """What a method may know of a batch.

    Attributes:
        size: Number of samples ``B``.
        shape: Lengths of the mixed axes in pixels or steps: ``(H, W)``, ``(T,)``, ``(T, H, W)``, ``(D, H, W)`` or
            ``()`` where nothing is spatial.
        second: Samples of a second batch, numbered from ``size`` on: partners of the others, and not mixed themselves.
            0 where there is none.
    """

    size: int
    shape: tuple[int, ...] = ()
    second: int = 0


def check_spec(spec: BatchSpec) -> None:
    """Refuses a spec that no batch has.

    Raises:
        PlanError: A length is no whole number, negative, or too large to be counted with.
    """
    lengths = (spec.size, *spec.shape, spec.second)
    fine = all(isinstance(length, Integral) and length >= 0 for length in lengths)
    if not fine or math.prod(map(int, spec.shape)) >= 1 << 53:
        raise PlanError(
            "Not a batch",
            where="spec",
            got=f"{spec.size} samples of {spec.shape}",
            wanted="whole numbers from 0 on",
            fix="Give the number of samples and the lengths of the mixed axes.",
        )


class Mixture(Protocol):
    """The side of a :class:`mixtransforms.Plan` that kernels see; the plan documents every name."""

    @property
    def spec(self) -> BatchSpec:
        """The batch it was made for."""

    @property
    def layers(self) -> tuple[Layer, ...]:
        """What is painted, in this order."""

    @property
    def canvas(self) -> Canvas | None:
        """What it is painted on, where that is not the sample itself."""

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Lengths of the mixed axes of the result."""

    @property
    def label_share(self) -> FloatArray | None:
        """What labels are mixed by, where that is declared; ``None`` where it is what was painted."""

    @property
    def sources(self) -> IntArray:
        """``(B, S)`` samples that labels come from."""

    @property
    def target_share(self) -> FloatArray:
        """``(B, S)`` shares of these in labels."""

    @property
    def scale(self) -> FloatArray | None:
        """``(B,)``, what images are multiplied by behind all layers; ``None`` is nothing."""

    @property
    def partner(self) -> IntArray:
        """``(B,)``, the one partner of every sample."""

    def tensors(self, device: Any = None) -> Any:
        """The plan as tensors, kept for every device."""
