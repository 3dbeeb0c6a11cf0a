"""Plans that only copy, made of plans that blend: for ids, of which a mean has no meaning."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from mixtransforms.core.backends import column
from mixtransforms.core.errors import PlanError
from mixtransforms.core.layers import BoolArray, FloatArray, IntArray, Layer, Mask
from mixtransforms.plan import Plan


def pastes(plan: Plan, chosen: Callable[[FloatArray], BoolArray]) -> Plan:
    """The plan that pastes wherever the weight of a layer is chosen, and paints nothing elsewhere.

    Args:
        plan: A plan.
        chosen: Of weights of any shape, which are chosen. Those of 1 always are, those of 0 never.
    """
    return _with_layers(plan, [_paste(layer, chosen(_strength(layer, plan.output_shape))) for layer in plan.layers])


def _with_layers(plan: Plan, layers: Sequence[Layer]) -> Plan:
    """A plan of other layers on what a plan is painted on; canvases that nothing is left on stay empty."""
    return Plan.drawn(plan.spec, tuple(layer for layer in layers if len(layer)), canvas=plan.canvas)


def halves(plan: Plan) -> Plan:
    """The plan with a half in place of every weight between 0 and 1.

    What it paints of zeros and ones is above 0 wherever a source is seen that has a one, however faint it is: rounding
    takes no half away.
    """
    layers = []
    for layer in plan.layers:
        strength = _strength(layer, plan.output_shape)
        half = np.where((strength > 0) & (strength < 1), 0.5, strength)
        changed = {"opacity": np.ones(len(layer)), "region": Mask(half)} if layer.soft_edged else {"opacity": half}
        layers.append(dataclasses.replace(layer, **changed))
    return _with_layers(plan, layers)


def with_blend(plan: Plan, number: int) -> Plan:
    """The plan that pastes what is opaque, and of what blends into a sample only one layer: the ``number``-th, from 1.

    Args:
        plan: A plan.
        number: Which of the blends; 0 is none of them.
    """
    layers = []
    for layer, own in zip(plan.layers, blend_numbers(plan), strict=True):
        strength = _strength(layer, plan.output_shape)
        chosen = column(own == number, strength.ndim) if number else np.False_
        layers.append(_paste(layer, (strength == 1) | (chosen & (strength > 0))))
    return _with_layers(plan, layers)


def blend_numbers(plan: Plan) -> list[IntArray]:
    """Of every layer, the how-manieth blend of its rows it is, ``(n,)`` from 1; 0 where it only pastes."""
    count, numbers = np.zeros(plan.size, np.int64), []
    for layer in plan.layers:
        blends = _blends(layer, plan.output_shape)
        count[layer.rows] += blends
        numbers.append(np.where(blends, count[layer.rows], 0))
    return numbers


def most_blended(plan: Plan) -> int:
    """How many samples one place of the result may be a mean of."""
    return 1 + max((int(number.max(initial=0)) for number in blend_numbers(plan)), default=0)


def blending(plan: Plan) -> None:
    """Refuses a plan of which two masks and a weight cannot tell.

    Raises:
        PlanError: A sample is blended twice.
    """
    # Layers that only paste may be many: they are in both masks.
    twice = [layer.rows[number > 1] for layer, number in zip(plan.layers, blend_numbers(plan), strict=True)]
    rows = np.unique(np.concatenate([np.zeros(0, np.int64), *twice]))
    if len(rows):
        raise PlanError(
            "Several layers blend into one sample",
            where="mask",
            got=f"rows {rows.tolist()}",
            wanted="at most one blend a sample, which two masks and a weight can tell",
            fix="Use masks='mix' or masks='soft', which tell of any number of them.",
        )


def _strength(layer: Layer, shape: tuple[int, ...]) -> FloatArray:
    """Weight of the source inside the region, ``(n,)``; at every cell, ``(n, *shape)``, where it may vary."""
    # A field is as large as the image; one number a row where nothing varies saves it.
    return layer.field(shape) if layer.soft_edged else layer.opacity


def _blends(layer: Layer, shape: tuple[int, ...]) -> BoolArray:
    strength = _strength(layer, shape)
    return _anywhere((strength > 0) & (strength < 1))


def _paste(layer: Layer, chosen: BoolArray) -> Layer:
    region = Mask(chosen) if layer.soft_edged else layer.region
    return dataclasses.replace(layer, opacity=np.ones(len(layer)), region=region).take(_anywhere(chosen))


def _anywhere(cells: BoolArray) -> BoolArray:
    """Whether any cell of a row is true, ``(n,)``."""
    return np.asarray(cells.reshape(len(cells), -1).any(axis=1))
