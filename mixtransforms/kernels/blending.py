"""The one rule of blends, ``keep * base + give * other``, and of what its weights are.

All who paint follow it, whatever the size, the layout, the backend and the device: their results are equal bit for bit;
of NaN, that it is NaN.

- **Integers** are blended with the weight rounded to 1/65536. A product has then at most 16 bits of a pixel and 16 of a
  weight, so that products and their sum are exact in float64 (of uint8 in float32, too), whether a processor fuses them
  or not, and the only rounding is the last one: half to even, as OpenCV, NumPy and torch all round.
- **Several blends of whole samples, one after the other,** are one weighted sum: integers are rounded behind the last.
- **Floats** are blended in a precision ``T``: float32 for halves and float32, float64 for float64. The weights are
  rounded to it, ``keep = T(1 - share)`` and ``give = T(share)``, of a share in float64; then ``keep * base``,
  ``give * other`` and their sum are each rounded to ``T``, and halves once more, to themselves. Nothing is fused: no
  ``lerp``, no ``addcmul``, no ``addWeighted``, which round once less, on some processors, in some releases, or at some
  places in memory.
- **Layers of floats** are blends one after the other, each rounded to the dtype, as if the next began with it.
- **Masks** have a share at every cell, ``opacity * value`` in float64, that is treated as any other.
- **Labels** are sums over sources in their order, of products of values and shares rounded to the values' precision, at
  least float32; each product and each sum is rounded.
- **Weights of 0 and 1 select**, where values may be infinite or NaN: ``0 * inf`` is NaN, and no sample may show where
  it has no weight. Integers need no selection: they come out as they are.
"""

from __future__ import annotations

from typing import Any

from mixtransforms.core.backends import WEIGHT_STEPS


def integer_weight(weight: Any) -> Any:
    """A weight, or an array of either backend, rounded to 1/65536: what integers are blended with."""
    return (weight * WEIGHT_STEPS).round() / WEIGHT_STEPS
