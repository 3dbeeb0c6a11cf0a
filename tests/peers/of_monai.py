"""MONAI: it draws weights, orders and corners, and our plans paint them on images and volumes."""

import importlib
from math import ceil, sqrt
from typing import Any

from adapting import Peer, reached


def adapt() -> None:
    """Lets MixUp and CutMix paint by our plans."""
    import numpy as np

    array = importlib.import_module("monai.transforms.regularization.array")
    from painting import blend, paste

    own = array.MixUp.apply, array.CutMix.apply

    def mixed_up(self: Any, data: Any) -> Any:
        weight, order, _ = self._params
        if len(data) != len(weight) or data.ndim not in (4, 5):
            return own[0](self, data)  # its own error
        reached()
        return blend(order, weight, data.shape[2:]).apply(data)

    def cut(self: Any, data: Any) -> Any:
        weights, order, corners = self._params
        if len(data) != len(weights):
            return own[1](self, data)
        reached()
        shape = data.shape[2:]
        start = np.tile([int(corner) for corner in corners], (len(data), 1))
        lengths = [[side * sqrt(1 - float(weight)) for side in shape] for weight in weights]
        stop = [
            [ceil(a + length) for a, length in zip(row, sides, strict=True)]
            for row, sides in zip(start, lengths, strict=True)
        ]
        return paste([order], [start], [stop], shape).apply(data)

    array.MixUp.apply, array.CutMix.apply = mixed_up, cut


PEER = Peer(("tests/transforms/test_regularization.py",), adapt, chosen="Mix or mix", needs=("monai",))
