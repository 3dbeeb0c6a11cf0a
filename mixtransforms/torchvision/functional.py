"""Mixing as pure functions of tensors: for compiled steps, CUDA graphs and models that mix inside.

A plan is drawn on the host, as ever, and handed over as tensors; nothing here draws, waits for a device or looks at a
value. One graph serves every plan whose tensors are of one form, which ``plan.tensors(full=True)`` sees to:

    >>> import torch
    >>> from torchvision.transforms import v2
    >>> from mixtransforms.torchvision import CutMix, MixUp, OneOf, functional
    >>> transform = OneOf([MixUp(0.2), CutMix(1.0)])
    >>> to_half = v2.Compose([v2.ToDtype(torch.float16, scale=True), v2.Normalize([0.5] * 3, [0.5] * 3)])
    >>> @torch.compile(fullgraph=True)
    ... def prepare(images, labels, tensors):
    ...     return to_half(functional.mix(images, tensors)), functional.mix_labels(labels, tensors, num_classes=10)
    >>> images, labels = torch.randint(256, (8, 3, 32, 32), dtype=torch.uint8), torch.randint(10, (8,))
    >>> tensors = transform.plan(images).tensors(images.device, full=True)
    >>> mixed, soft = prepare(images, labels, tensors)
    >>> mixed.dtype, soft.shape
    (torch.float16, torch.Size([8, 10]))

``prepare`` reads bytes and writes normalised halves: mixing and what follows it are one kernel. Compiled code takes
``tv_tensors`` as well and returns plain tensors (under torch's debugging backend ``aot_eager``, some releases of torch
compile plain tensors alone).

A CUDA graph reads the memory that it was captured with. Capture it with a copy of some plan's tensors, and fill that:

    >>> static = tensors.clone()
    >>> static is static.copy_(transform.plan(images).tensors(images.device, full=True))
    True
"""

# No `from __future__ import annotations`: signatures must show types, not strings.
from collections.abc import Sequence

import torch
from torch import Tensor
from torchvision import tv_tensors

from mixtransforms.core.errors import InputError
from mixtransforms.kernels.paint import check_fill
from mixtransforms.kernels.plan_tensors import PlanTensors
from mixtransforms.kernels.tensor_painter import combine, combine_ids, known_ids, paint

__all__ = ["PlanTensors", "mix", "mix_labels", "mix_masks"]


def mix(images: Tensor, tensors: PlanTensors, *, axes: Sequence[int] | None = None) -> Tensor:
    """Images mixed by a plan; the same as ``transform.replay(plan, images)``.

    Args:
        images: ``(B, C, H, W)``, or ``(B, ...)`` with the mixed axes last, on the device of ``tensors``. Any dtype
            where the plan only pastes; where it may blend (``full=True`` always may), floats, uint8, uint16 or int16.
        tensors: ``plan.tensors(images.device)``.
        axes: Positions of the mixed axes where they are not the last: ``(1, 2)`` for ``(B, H, W, C)``.

    Returns:
        New images of the same type, dtype and shape, or of the size of the plan's canvas; plain tensors in compiled
        code. They are those of the transform bit for bit; a compiler may round floats once less, where it fuses a
        product and a sum, or leaves halves in float32 between two layers. Gradients flow to the images.

    Raises:
        InputError: The dtype cannot be blended, or has no such value as the fill of a canvas.
        PlanError: The plan is for another batch.
    """
    return _painted(images, tensors, axes, tensors.fill, dominant=False)


def mix_masks(masks: Tensor, tensors: PlanTensors, *, axes: Sequence[int] | None = None, fill: int = 0) -> Tensor:
    """Masks of class ids mixed by a plan; the same as a transform with ``masks="dominant"``.

    Args:
        masks: ``(B, H, W)``, ``(B, 1, H, W)``, or ``(B, ...)`` with the mixed axes last, of any dtype.
        tensors: ``plan.tensors(masks.device)``.
        axes: Positions of the mixed axes where they are not the last.
        fill: The id of pixels of a canvas that nothing is painted on, such as an ``ignore_index``.

    Returns:
        New masks alike: what is pasted is copied, and where images are blended stand the ids of the heavier one.

    Raises:
        PlanError: The plan is for another batch.
    """
    return _painted(masks, tensors, axes, fill, dominant=True)


def mix_labels(
    labels: Tensor, tensors: PlanTensors, num_classes: int | None = None, *, ignore_index: int | None = None
) -> Tensor:
    """Soft labels by the shares of a plan; the same as the labels of ``transform.replay(plan, images, labels)``.

    Args:
        labels: Class ids ``(B,)`` of any integer dtype, or one-hot or soft rows ``(B, K)``, on the device of
            ``tensors``.
        tensors: ``plan.tensors(labels.device)``.
        num_classes: ``K``, needed for ids.
        ignore_index: The id that carries no mass.

    Returns:
        ``(B, K)`` float32. Ids out of range are found without waiting for the device: the assertion fails there, as
        that of a loss does which is given such ids.

    Raises:
        InputError: Ids without ``num_classes``, or labels of another shape.
        PlanError: The plan is for another batch.
    """
    if labels.ndim == 2:
        return combine(labels.to(torch.float32), tensors)
    if labels.ndim != 1 or num_classes is None or labels.is_floating_point():
        raise InputError(
            "Not class labels",
            where="mix_labels",
            got=f"shape {tuple(labels.shape)} {labels.dtype}, num_classes={num_classes}",
            wanted="integer ids (B,) with num_classes, or rows (B, K)",
            fix="Give num_classes=..., or one-hot or soft rows.",
        )
    known = known_ids(labels, num_classes, ignore_index)
    torch._assert_async(known.all(), f"Class ids out of range: wanted 0 to {num_classes - 1}, or the ignore_index")
    return combine_ids(labels, tensors, num_classes, ignore_index)


def _painted(array: Tensor, tensors: PlanTensors, axes: Sequence[int] | None, fill: float, *, dominant: bool) -> Tensor:
    if tensors.canvas is not None:
        check_fill(fill, array, "masks" if dominant else "images")
    plain = array.view_as(array) if isinstance(array, tv_tensors.TVTensor) else array  # dynamo has no as_subclass
    if axes is None:
        axes = range(-len(tensors.shape), 0)
    painted = paint(plain, tensors, axes, dominant=dominant, fill=fill)
    return painted if plain is array or torch.compiler.is_compiling() else tv_tensors.wrap(painted, like=array)
