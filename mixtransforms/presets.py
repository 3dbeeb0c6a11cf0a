"""Mixing of published training recipes, as ordinary transforms: ``presets.deit(1000)``.

Every preset is a function of a number of classes that returns a transform of this package, or a pipeline of some, as if
it had been written out: it is shown, saved and changed like any other (``dataclasses.replace``). What a recipe has
beside its mix is not in it: crops, erasing and losses are the host's and the trainer's.

Options of transforms may be added, such as ``seed`` or ``kinds``; ``host`` says at which door it is made,
``"neutral"``, ``"torchvision"`` or ``"albumentations"``. ``mixtransforms preset NAME`` writes one as a file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from mixtransforms import methods
from mixtransforms.core.errors import ParameterError
from mixtransforms.files import from_dict, to_dict
from mixtransforms.methods.laws import Constant, Uniform
from mixtransforms.methods.schedules import Steps
from mixtransforms.mixing import transform

__all__ = ["PRESETS", "deim", "deit", "regmixup", "rsb", "videomix"]

Host = Literal["neutral", "torchvision", "albumentations"]

HOSTS = ("neutral", "torchvision", "albumentations")

VARIANTS = MappingProxyType({"A1": (0.2, 0.1), "A2": (0.1, 0.0), "A3": (0.1, 0.0)})
"""Of the recipes of :func:`rsb`: alpha of MixUp, and smoothing."""


class Epochs(NamedTuple):
    """When a model of :func:`deim` is trained on what, in epochs from 0.

    Attributes:
        start: The first with mosaics, and with what is done to batches.
        flat: The first without mosaics and MixUp.
        mosaic: Chance of a sample to become a mosaic in between.
        mixup: Chance of a batch to be blended in between.
        copies: Chance of a batch that is not blended to get copies of objects, from ``start`` on.
        stop: The first without copies.
    """

    start: int
    flat: int
    mosaic: float = 0.5
    mixup: float = 0.5
    copies: float = 0.0
    stop: int = 0


_SMALLEST = Epochs(4, 250, mixup=0.0)

DEIM: Mapping[int, Mapping[str, Epochs]] = MappingProxyType(
    {
        1: MappingProxyType(
            {
                "X": Epochs(4, 29),
                "L": Epochs(4, 29),
                "M": Epochs(4, 49),
                "S": Epochs(4, 64),
                "N": Epochs(4, 78),
                "X-Objects365": Epochs(2, 12),
                "R18": Epochs(4, 64),
                "R34": Epochs(4, 64),
                "R50": Epochs(4, 34),
                "R101": Epochs(4, 34),
            }
        ),
        2: MappingProxyType(
            {
                "X": Epochs(4, 29, copies=0.5, stop=50),
                "L": Epochs(4, 34, copies=0.5, stop=60),
                "M": Epochs(4, 49, copies=0.5, stop=90),
                "S": Epochs(4, 64, copies=0.5, stop=120),
                "N": Epochs(4, 78, copies=0.4, stop=78),
                "Pico": _SMALLEST,
                "Femto": _SMALLEST,
                "Atto": _SMALLEST._replace(mosaic=0.3),
            }
        ),
    }
)
"""Of every version and size of :func:`deim`, as the configurations of both repositories have it."""


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
    table 2; variants A1, A2 and A3. The numbers are also those of MMPretrain's configurations of the three.
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

    The mean of one loss over all is the loss of the paper with equal parts. One weight and one permutation are drawn
    for the batch, which may leave a sample with itself, as in the authors' code (FrancescoPinto/RegMixup). That trains
    on CIFAR-10 with 20, as here, and on CIFAR-100 with 10: ``regmixup(100, alpha=10.0)``.

    Source: Pinto et al., RegMixup: Mixup as a Regularizer Can Surprisingly Improve Accuracy and Out Distribution
    Robustness, arXiv:2206.14502.
    """
    own = {"alpha": 20.0, "per": "batch", "pairing": "permutation", "keep_originals": True}
    return _made("MixUp", own, num_classes, host, options)


def videomix(
    num_classes: int, *, mode: str = "spatial", layout: str = "BCTHW", host: Host = "neutral", **options: Any
) -> Any:
    """CutMix of videos: the same box of every frame, a span of frames (temporal), or a box in time and space (cube).

    Labels are shares of all voxels. ``alpha`` is that of CutMix, 1, and every sample is mixed. The authors' own numbers
    could not be checked; an independent code (jayChung0302/videomix) has ``alpha=8.0, p=0.5, per="batch"``, which are
    options here.

    Args:
        num_classes: Number of classes.
        mode: ``"spatial"``, ``"temporal"`` or ``"cube"``.
        layout: Axes of the videos, ``"BTCHW"`` for those of torchvision.
        host: See above.
        **options: See above.

    Source: Yun et al., VideoMix: Rethinking Data Augmentation for Video Classification, arXiv:2012.03457.
    """
    return _made("CutMix", {"layout": layout, "axes": mode}, num_classes, host, options)


def deim(
    num_classes: int | None = None, *, size: str = "L", version: int = 1, host: Host = "torchvision", **options: Any
) -> Any:
    """Mosaic, MixUp and copies of objects by epochs, for boxes: the schedule of DEIM's detection transformers.

    A pipeline: within the model's epochs every sample becomes a mosaic with a chance of 0.5, and every batch is blended
    with itself rolled by one with a chance of 0.5. In version 2, a batch that is not blended gets copies of objects
    with a chance of 0.5, or 0.4 of size N, and does so longer. Epochs are told by ``set_epoch``.

    What a sample is made of comes from its batch; the recipe's mosaics draw from the last 50 pictures. Their four tiles
    are whole pictures here, too, at half their size, which is theirs where all are of one shape. The weight of copies
    is drawn for every sample and not once a batch. The rest is the host's: rotation, shift and scale of mosaics,
    colours, zooming out and cropping, and other sizes for every batch. In ``BatchCompose([mosaic, Otherwise([...]),
    blend])`` samples without a mosaic alone are zoomed and cropped; ``BatchCompose`` takes the list of this one's
    ``transforms``.

    Args:
        num_classes: Number of classes, where there are labels of samples; boxes need none.
        size: Of version 1 ``"X"``, ``"L"``, ``"M"``, ``"S"`` or ``"N"``, ``"X-Objects365"`` for the fine-tuning on
            COCO, or of RT-DETRv2 ``"R18"``, ``"R34"``, ``"R50"`` or ``"R101"``. Of version 2 ``"X"`` to ``"N"``,
            ``"Pico"``, ``"Femto"`` or ``"Atto"``, the last three of which are trained on mosaics alone.
        version: 1 for DEIM, 2 for DEIMv2.
        host: See above; a pipeline belongs to ``"torchvision"`` or ``"albumentations"``.
        **options: ``seed`` of the pipeline, and those that all its mixes get.

    Source: Huang et al., DEIM: DETR with Improved Matching for Fast Convergence, arXiv:2412.04234; and Real-Time Object
    Detection Meets DINOv3, arXiv:2509.20787. Epochs and chances are those of the configurations in
    Intellindust-AI-Lab/DEIM and Intellindust-AI-Lab/DEIMv2.
    """
    epochs = _deim_epochs(size, version)
    seed = options.pop("seed", None)
    mosaic = {"fit": "resize", "junction": Constant(0.5), "p": _steps((epochs.start, epochs.mosaic), (epochs.flat, 0))}
    blend: Mapping[str, Any] = {"weight": Uniform(0.45, 0.55), "per": "batch", "pairing": "roll"}
    blended = _steps((epochs.start, epochs.mixup), (epochs.flat, 0))
    copied = _steps((epochs.start, (1 - epochs.mixup) * epochs.copies), (epochs.flat, epochs.copies), (epochs.stop, 0))
    mixes = [("Mosaic", mosaic)]
    if epochs.copies:
        both = [methods.MixUp(**blend), methods.CopyBlend()]
        mixes.append(("OneOf", {"transforms": both, "weights": [blended, copied], "per": "batch"}))
    elif epochs.mixup:
        mixes.append(("MixUp", {**blend, "p": blended}))
    made = [getattr(transform, name)(num_classes=num_classes, **own, **options) for name, own in mixes]
    _check_host(host, HOSTS[1:])
    documents = [to_dict(each) for each in made]
    whole = {
        "type": "mixtransforms.BatchCompose",
        "args": {"seed": seed},
        "children": [document["pipeline"] for document in documents],
    }
    return from_dict({**documents[0], "host": host, "pipeline": whole})


def _deim_epochs(size: str, version: int) -> Epochs:
    known = DEIM.get(version, {}) if type(version) is int else {}
    if size not in tuple(known):  # of a list, too, which no table may be asked for
        versions = "; ".join(f"of version {number} {', '.join(map(repr, sizes))}" for number, sizes in DEIM.items())
        raise ParameterError(
            "No such model",
            where="presets.deim",
            got=f"size={size!r}, version={version!r}",
            wanted=versions,
            fix="Leave both out for DEIM-L, which is trained for 58 epochs, or take one that is trained for as long as "
            "yours.",
        )
    return known[size]


def _steps(*at: tuple[int, float]) -> Steps:
    """Nothing before the first of some epochs; of two values for one epoch the last."""
    return Steps({0: 0.0, **dict(at)})


def _timm(num_classes: int, alpha: float, smoothing: float, host: str, options: Mapping[str, Any]) -> Any:
    """What timm's ``Mixup`` does in its mode for batches, with an even chance of both."""
    both = [methods.MixUp(alpha, per="batch", pairing="flip"), methods.CutMix(1.0, per="batch", pairing="flip")]
    own = {"transforms": both, "per": "batch", "smoothing": smoothing}
    return _made("OneOf", own, num_classes, host, options)


def _made(name: str, own: Mapping[str, Any], num_classes: int, host: str, options: Mapping[str, Any]) -> Any:
    """A transform at a door. All doors write the same into a file, but their own names."""
    _check_host(host, HOSTS)
    made = getattr(transform, name)(**{"num_classes": num_classes, **own, **options})
    return made if host == "neutral" else from_dict({**to_dict(made), "host": host})


def _check_host(host: str, known: Sequence[str]) -> None:
    if host not in known:
        raise ParameterError(
            "No such host",
            where="presets",
            got=repr(host),
            wanted="one of " + ", ".join(map(repr, known)),
            fix="Leave it out for batches of any arrays or tensors."
            if known == HOSTS
            else "Leave it out for a pipeline of torchvision; the transforms in it are at every door by themselves.",
        )


PRESETS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {preset.__name__: preset for preset in (deim, deit, regmixup, rsb, videomix)}
)
"""Every preset by its name."""
