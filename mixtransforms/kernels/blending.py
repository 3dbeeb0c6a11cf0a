"""The one rule of blends, ``keep * base + give * other``, and of what its weights are; both backends follow it.

- **Integers** are blended with the weight rounded to 1/65536. A product has then at most 16 bits of a pixel and 16 of a
  weight, so that products and their sum are exact in float64 (of uint8 in float32, too), whether a processor fuses them
  or not, and the only rounding is the last one: half to even, as OpenCV, NumPy and torch all round.
- **Several blends of whole samples, one after the other,** are one weighted sum: integers are rounded behind the last.
- **Floats** are blended in their own precision, halves in float32. Two products and a sum are rounded one by one, or
  fused where a backend does it so, which is one unit in the last place apart.
- **Weights of 0 and 1 select**, where values may be infinite or NaN: ``0 * inf`` is NaN, and no sample may show where
  it has no weight. Integers need no selection: they come out as they are.
"""

from __future__ import annotations

from typing import Any

from mixtransforms.core.backends import WEIGHT_STEPS


def integer_weight(weight: Any) -> Any:
    """A weight, or an array of either backend, rounded to 1/65536: what integers are blended with."""
    return (weight * WEIGHT_STEPS).round() / WEIGHT_STEPS
