"""Other shares for the labels of a plan, as known after a forward pass: by attention, by saliency, by a teacher."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core.backends import backend_of
from mixtransforms.core.compositing import Contributions, all_contributions
from mixtransforms.core.errors import InputError, PlanError
from mixtransforms.core.layers import FloatArray
from mixtransforms.kernels import kernel_of
from mixtransforms.plan import Plan


def relabel(plan: Plan, shares: Any, *, label_mass: str = "one") -> Plan:
    """The same plan, whose labels get other shares than were painted.

    Pixels, masks and objects stay as they are. Shares are taken as numbers, without a gradient; of a tensor on a device
    they are waited for.

    Args:
        plan: What the images were mixed by.
        shares: ``(B,)``, the share of the sample itself, whose one partner gets the rest; or ``(B, S)`` beside
            ``plan.sources``. NumPy, torch, or lists, within ``[0, 1]``; rows sum to 1.
        label_mass: ``"free"`` where labels may weigh less or more than a whole: shares ``(B, S)`` are then any finite
            numbers from 0 on.

    Raises:
        PlanError: The shares do not fit the plan, or are none; or there is one a sample, and several partners.

    Example:
        TransMix (Chen et al., arXiv:2111.09833), whose labels are halfway between area and attention. After a forward
        pass there is an attention map of the class token, ``(B, *grid)``:

        >>> import numpy as np
        >>> from mixtransforms import CutMix, attention_shares, relabel
        >>> from mixtransforms.laws import Constant
        >>> images, labels = np.zeros((2, 8, 8, 3), np.float32), np.array([0, 1])
        >>> mix = CutMix(weight=Constant(0.75), placement="inside", num_classes=2, seed=0)
        >>> plan = mix.plan(images, labels)
        >>> attention = np.ones((2, 4, 4))  # of model(mix.replay(plan, images, labels)[0])
        >>> plan = relabel(plan, 0.5 * plan.share + 0.5 * attention_shares(plan, attention))
        >>> mix.replay(plan, images, labels)[1]
        array([[0.75, 0.25],
               [0.25, 0.75]], dtype=float32)

        In a loop on a device, where the images are mixed already, soft labels come from
        ``functional.mix_labels(labels, plan.tensors(device), num_classes)`` of the torchvision door. For a loss of two
        labels the weight is ``plan.target_share[:, 0]``, beside ``labels`` and ``labels[plan.partner]``.
    """
    values = _numbers(shares)
    if values.shape == (plan.size,):
        if plan.sources.shape[1] > 2:
            raise PlanError(
                "No single partner, whose share would be the rest",
                where="relabel",
                got=f"shares {values.shape}, and {plan.sources.shape[1] - 1} partners for some samples",
                wanted=f"shares {plan.sources.shape}, one column a source",
                fix="Give a share for every column of plan.sources.",
            )
        # Where nobody has a partner there is nothing to share.
        values = np.stack([values, 1.0 - values], axis=1) if plan.sources.shape[1] > 1 else np.ones((plan.size, 1))
    return dataclasses.replace(plan, label_share=values, label_mass=label_mass)


def _numbers(values: Any) -> FloatArray:
    """Shares on the host, float64."""
    backend = backend_of(values)
    try:
        return np.array(values if backend is None else kernel_of(backend).to_host(values), np.float64)
    except (TypeError, ValueError):
        raise PlanError(
            "Declared label shares are none",
            where="relabel",
            got=type(values).__name__,
            wanted="numbers, (B,) or (B, S)",
            fix="Give an array, a tensor or lists of equal lengths.",
        ) from None


def attention_shares(plan: Plan, attention: Any) -> FloatArray:
    """How much of an attention map every source has, ``(B, S)`` beside ``plan.sources``; rows sum to 1.

    Within a cell of the map attention is the same everywhere, so that a source gets of it what it has of the cell's
    area: a uniform map gives ``plan.share``, whatever its size.

    Args:
        plan: What the images were mixed by.
        attention: ``(B, *grid)`` over the mixed images, with as many axes as are mixed and any lengths, such as
            ``(B, 14, 14)``; finite, not negative, NumPy or torch. Its sum does not matter.

    Raises:
        InputError: The map is of another shape, has other numbers, or is 0 everywhere in a sample.

    Source: Chen et al., TransMix: Attend to Mix for Vision Transformers, arXiv:2111.09833, equation 4, where a cell
        belongs to one sample as a whole.
    """
    values = _checked(plan, attention)
    shares = np.zeros(plan.sources.shape)
    for part in all_contributions(plan.size, plan.output_shape, plan.layers, plan.canvas is not None):
        # A source that is painted twice has all of its share in its first column.
        column = (plan.sources[part.row] == part.source[:, None]).argmax(axis=1)
        np.add.at(shares, (part.row, column), _seen(part, values[part.row], plan.output_shape))
    total = shares.sum(axis=1, keepdims=True)
    if not (total > 0).all():
        raise _no_share(shares, int((total <= 0).argmax()))
    result: FloatArray = shares / total
    return result


def _checked(plan: Plan, attention: Any) -> FloatArray:
    backend, dimensions = backend_of(attention), len(plan.spec.shape)
    values: NDArray[Any] = np.asarray(attention if backend is None else kernel_of(backend).to_host(attention))
    fine = values.ndim == 1 + dimensions and len(values) == plan.size and values.dtype.kind in "fiub"
    if not fine or 0 in values.shape[1:] or 0 in plan.spec.shape:
        raise InputError(
            "An attention map that does not fit the plan",
            where="attention_shares",
            got=f"shape {values.shape} {values.dtype}, for samples of {plan.spec.shape}",
            wanted=f"numbers ({', '.join([str(plan.size), *['cells'] * dimensions])})",
            fix="Average over heads, leave out the tokens that have no place, and reshape to the grid.",
        )
    values = values.astype(np.float64)
    mass = values.reshape(plan.size, math.prod(values.shape[1:]))
    wrong = ~((mass >= 0).all(axis=1) & np.isfinite(mass.sum(axis=1)) & (mass.sum(axis=1) > 0))
    if wrong.any():
        raise _no_share(mass, int(wrong.argmax()))
    return values


def _no_share(mass: FloatArray, row: int) -> InputError:
    return InputError(
        "An attention map without a share for anybody",
        where="attention_shares",
        got=f"values from {mass[row].min():g} to {mass[row].max():g} in row {row}",
        wanted="finite numbers, not negative, not all 0 where samples are shown",
        fix="Give weights after the softmax; where there are none, plan.share is the share by area.",
    )


def _seen(part: Contributions, attention: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """The attention on what is seen of sources, ``(n,)``, from maps ``(n, *grid)``."""
    for edges, length in zip(part.edges, shape, strict=True):
        count = attention.shape[1]  # the next axis comes first, once those before it went to the end
        cut = (edges * count / length).T[:, None, :]
        cell = np.arange(count)[:, None]
        overlap = np.minimum(cut[..., 1:], cell + 1) - np.maximum(cut[..., :-1], cell)
        attention = np.moveaxis(attention, 1, -1)
        others = attention.shape[:-1]
        # A sum over cells of one axis, whatever the other axes are; -1 is no length where there is nothing.
        flat = attention.reshape(len(part), math.prod(others[1:]), count)
        attention = (flat @ np.maximum(overlap, 0.0)).reshape(*others, cut.shape[2] - 1)
    weighted = attention * np.moveaxis(part.weight, -1, 0)
    seen: FloatArray = weighted.sum(axis=tuple(range(1, weighted.ndim)))
    return seen
