"""Small plans made by hand, and what labels must follow under them: no method draws anything here."""

from dataclasses import replace
from typing import Any

import numpy as np
from forms import Form
from numpy.typing import NDArray
from oracles import shares

from mixtransforms.plan import BatchSpec, Boxes, Layer, Mask, Plan
from mixtransforms.targets.kind import Kind, Mixed, Scene

SCENE = Scene((4, 4), first=True, blends=True)
BACKENDS = ("numpy", "torch")
INTEGERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")

BLEND = Plan(BatchSpec(4, (4, 4)), (Layer([0, 1, 3], [1, 2, 0], [0.25, 0.5, 1.0]),))
"""Sample 0 keeps 3/4, 1 keeps half, 2 is itself, 3 becomes 0."""

COATS = Plan(
    BatchSpec(4, (4, 4)),
    (
        Layer([0, 1, 2], [1, 2, 0], [0.5, 1.0, 0.25]),
        Layer([0, 1], [2, 2], [1.0, 1.0], Boxes([[0, 0], [1, 1]], [[2, 4], [3, 4]])),
        Layer([0, 3], [3, 1], [0.5, 0.75], Mask(np.arange(32).reshape(2, 4, 4) % 3 == 0)),
    ),
)
"""Several sources in a row, one of them twice, one hidden."""

PLANS = {
    "blend": BLEND,
    "coats": COATS,
    "declared": replace(BLEND, label_share=[[0.5, 0.5], [0.125, 0.875], [1, 0], [0.25, 0.75]]),
    "not one in sum": replace(BLEND, label_share=[[0.5, 0.25], [0.75, 0.75], [1, 0], [0, 0]], label_mass="free"),
    "unmixed": Plan(BatchSpec(4, (4, 4))),
    "empty": Plan(BatchSpec(0, (4, 4))),
}


def follow(plan: Plan) -> NDArray[np.float64]:
    """What share labels have of which source, ``(B, B)``: painted pixel by pixel, or as it is declared."""
    if plan.label_share is None:
        return shares(plan) if plan.size else np.zeros((0, 0))
    table = np.zeros((plan.size, plan.size))
    for row in range(plan.size):
        for source, share in zip(plan.sources[row], plan.label_share[row], strict=True):
            table[row, source] += share
    return table


def given(values: Any, dtype: str, backend: str = "numpy") -> Any:
    """An array of a backend; ``bfloat16`` is torch's alone."""
    if dtype != "bfloat16":
        return Form(backend).own(np.asarray(values).astype(dtype))
    import torch

    return torch.as_tensor(np.asarray(values, np.float32)).to(torch.bfloat16)


def mixed(kind: Kind, plan: Plan, value: Any, scene: Scene = SCENE) -> Mixed:
    """The value, checked and mixed."""
    kind.check(value, "batch['y']", scene)
    return kind.mix(plan, value, scene)
