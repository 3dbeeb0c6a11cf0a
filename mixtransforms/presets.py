"""Mixing of published training recipes, as ordinary transforms: ``presets.deit(1000)``.

Every preset is a function of a number of classes that returns a transform of this package, as if it had been written
out: it is shown, saved and changed like any other (``dataclasses.replace``). What a recipe has beside its mix is not in
it: crops, erasing and losses are the host's and the trainer's.

Options of transforms may be added, such as ``seed`` or ``kinds``; ``host`` says at which door it is made,
``"neutral"``, ``"torchvision"`` or ``"albumentations"``. ``mixtransforms preset NAME`` writes one as a file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal

from mixtransforms import methods
from mixtransforms.core.errors import ParameterError
from mixtransforms.files import from_dict, to_dict
from mixtransforms.mixing import transform

__all__ = ["PRESETS", "deit", "regmixup", "rsb", "videomix"]

Host = Literal["neutral", "torchvision", "albumentations"]

HOSTS = ("neutral", "torchvision", "albumentations")

VARIANTS = MappingProxyType({"A1": (0.2, 0.1), "A2": (0.1, 0.0), "A3": (0.1, 0.0)})
"""Of the recipes of :func:`rsb`: alpha of MixUp, and smoothing."""


def deit(num_classes: int, *, host: Host = "neutral", **options: Any) -> Any:
    """MixUp 0.8 or CutMix 1.0 for the whole batch, and smoothing 0.1: the recipe of most vision transformers.

    Labels are soft, for a cross entropy that takes them. Every sample's partner is at the mirrored place of the batch,
    as timm has it: use an even batch, or the one in the middle stays unmixed.

    Source: Touvron et al., Training data-efficient image transformers & distillation through attention,
    arXiv:2012.12877, table 9. Swin (arXiv:2103.14030) and ConvNeXt (arXiv:2201.03545) mix alike.
    """
    return _timm(num_classes, 0.8, 0.1, host, options)


def rsb(num_classes: int, *, variant: str = "A2", host: Host = "neutral", **options: Any) -> Any:
    """MixUp 0.1 or CutMix 1.0 for the whole batch, of ResNet strikes back; with variant A1 MixUp 0.2 and smoothing 0.1.

    Labels are soft, for a binary cross entropy: the recipe sets every class above 0.2 to 1 there, which is the loss's.
    Partners are as in :func:`deit`.

    Source: Wightman, Touvron and Jégou, ResNet strikes back: An improved training procedure in timm, arXiv:2110.00476,
    table 2; variants A1, A2 and A3.
    """
    if variant not in VARIANTS:
        raise ParameterError(
            "No such variant",
            where="presets.rsb",
            got=repr(variant),
            wanted="one of " + ", ".join(map(repr, VARIANTS)),
            fix="A1 is the longest training, A3 the shortest.",
        )
    alpha, smoothing = VARIANTS[variant]
    return _timm(num_classes, alpha, smoothing, host, options)


def regmixup(num_classes: int, *, host: Host = "neutral", **options: Any) -> Any:
    """Clean samples followed by their MixUp 20, which is nearly half and half: twice the batch, in one forward pass.

    The mean of one loss over all is the loss of the paper with equal parts.

    Source: Pinto et al., RegMixup: Mixup as a Regularizer Can Surprisingly Improve Accuracy and Out Distribution
    Robustness, arXiv:2206.14502.
    """
    own = {"alpha": 20.0, "per": "batch", "pairing": "permutation", "keep_originals": True}
    return _made("MixUp", own, num_classes, host, options)


def videomix(
    num_classes: int, *, mode: str = "spatial", layout: str = "BCTHW", host: Host = "neutral", **options: Any
) -> Any:
    """CutMix of videos: the same box of every frame, a span of frames (temporal), or a box in time and space (cube).

    Boxes of frames are the paper's default, and ``alpha`` is that of CutMix, 1. Labels are shares of all voxels.

    Args:
        num_classes: Number of classes.
        mode: ``"spatial"``, ``"temporal"`` or ``"cube"``.
        layout: Axes of the videos, ``"BTCHW"`` for those of torchvision.
        host: See above.
        **options: See above.

    Source: Yun et al., VideoMix: Rethinking Data Augmentation for Video Classification, arXiv:2012.03457.
    """
    return _made("CutMix", {"layout": layout, "axes": mode}, num_classes, host, options)


def _timm(num_classes: int, alpha: float, smoothing: float, host: str, options: Mapping[str, Any]) -> Any:
    """What timm's ``Mixup`` does in its mode for batches, with an even chance of both."""
    both = [methods.MixUp(alpha, per="batch", pairing="flip"), methods.CutMix(1.0, per="batch", pairing="flip")]
    own = {"transforms": both, "per": "batch", "smoothing": smoothing}
    return _made("OneOf", own, num_classes, host, options)


def _made(name: str, own: Mapping[str, Any], num_classes: int, host: str, options: Mapping[str, Any]) -> Any:
    """A transform at a door. All doors write the same into a file, but their own names."""
    if host not in HOSTS:
        raise ParameterError(
            "No such host",
            where="presets",
            got=repr(host),
            wanted="one of " + ", ".join(map(repr, HOSTS)),
            fix="Leave it out for batches of any arrays or tensors.",
        )
    made = getattr(transform, name)(**{"num_classes": num_classes, **own, **options})
    return made if host == "neutral" else from_dict({**to_dict(made), "host": host})


PRESETS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {preset.__name__: preset for preset in (deit, regmixup, rsb, videomix)}
)
"""Every preset by its name."""
