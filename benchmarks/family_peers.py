"""Other libraries' methods of the family, each with the law of ours that stands beside it.

What remains different:

- ``mixup`` and ``mlxops-aug`` draw one weight, one box or one mask for the batch; ours does so here, too, but where a
  peer finds a place for every sample. kornia draws for every sample.
- ``mixup`` takes one-hot labels, which are made within its time. Its ResizeMix shrinks without antialiasing, and draws
  sides from the root of a uniform number: ``Beta(2, 1)``. Of its SaliencyMix labels are (B, 1, B, K), which is wrong.
- ``mlxops-aug`` overwrites the images, as ours does here, but for Remix. Its ResizeMix copies the nearest pixels; its
  SaliencyMix looks for one place, by the fine-grained saliency of OpenCV's contributed modules, where ours looks at all
  samples. (Its MixUp and CutMix are torchvision's.)
- kornia's Mosaic leaves labels as they are. Its MixUp and CutMix return partners and weights, of which
  ``benchmarks/peers.py`` makes soft labels.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
from collections.abc import Callable
from typing import Any, NamedTuple

import peers
import torch

import mixtransforms
from mixtransforms.laws import Beta

FREQUENT = 100
"""How many samples the first half of all classes has, where the others have one: what Remix reads."""


def mixup(name: str) -> Callable[[int], peers.Mix]:
    """A class of ``mixup``, with its defaults."""

    def make(classes: int) -> peers.Mix:
        import mixup

        mix = getattr(mixup, name)(alpha=1.0)
        return lambda images, labels: mix(images, torch.nn.functional.one_hot(labels, classes).float())

    return make


def mlxops(name: str) -> Callable[[int], peers.Mix]:
    """A class of ``mlxops-aug``, which is always to be applied."""

    def make(classes: int) -> peers.Mix:
        with contextlib.redirect_stdout(io.StringIO()):  # it prints what it lacks
            import mlxops_aug

        mix: Any = getattr(mlxops_aug, name)(num_classes=classes, config={"prob": 1.0})
        mix.cls_num_list = counts(classes)

        def call(images: Any, labels: Any) -> Any:
            made = mix(images, labels)
            return made.augmented_x, made.augmented_y

        return call

    return make


def kornia(name: str) -> Callable[[int], peers.Mix]:
    return lambda classes: peers.kornia(name, classes)


def kornia_mosaic(classes: int) -> peers.Mix:
    from kornia.augmentation import RandomMosaic

    mix = RandomMosaic(start_ratio_range=(0.25, 0.75), p=1.0)
    return lambda images, labels: (mix(images), labels)


def counts(classes: int) -> list[int]:
    """How many samples every class has."""
    return [FREQUENT if number < classes // 2 else 1 for number in range(classes)]


class Configuration(NamedTuple):
    """A method with options.

    Attributes:
        method: Its name.
        options: Of its constructor.
    """

    method: str
    options: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.method}({', '.join(f'{name}={value!r}' for name, value in self.options.items())})"


class Peer(NamedTuple):
    """A method of another library, and ours that does the same.

    Attributes:
        package: What must be installed.
        make: Takes the number of classes, makes the mix.
        ours: The method that stands beside it.
        inplace: Whether both overwrite the batch.
    """

    package: str
    make: Callable[[int], peers.Mix]
    ours: Configuration
    inplace: bool = False

    def make_ours(self, classes: int) -> peers.Mix:
        """Our transform."""
        options = self.ours.options | ({"counts": counts(classes)} if self.ours.method == "Remix" else {})
        options |= {"num_classes": classes, "seed": 0, "inplace": self.inplace}
        mix: peers.Mix = getattr(mixtransforms, self.ours.method)(**options)
        return mix


BATCH = {"per": "batch"}

PEERS = (
    Peer("mixup", mixup("VanillaMixUp"), Configuration("MixUp", {"alpha": 1.0, **BATCH})),
    Peer("kornia", kornia("MixUp"), Configuration("MixUp", {"alpha": 1.0})),
    Peer("mixup", mixup("CutMix"), Configuration("CutMix", BATCH)),
    Peer("kornia", kornia("CutMix"), Configuration("CutMix", {})),
    Peer("mixup", mixup("ResizeMix"), Configuration("ResizeMix", {"scale": Beta(2.0, 1.0), **BATCH})),
    Peer("mlxops-aug", mlxops("ResizeMix"), Configuration("ResizeMix", {"placement": "squeeze", **BATCH}), True),
    Peer("mixup", mixup("FMix"), Configuration("FMix", BATCH)),
    Peer("mixup", mixup("SaliencyMix"), Configuration("SaliencyMix", {})),
    Peer("mlxops-aug", mlxops("SaliencyMix"), Configuration("SaliencyMix", BATCH), True),
    Peer("mlxops-aug", mlxops("ReMix"), Configuration("Remix", BATCH)),
    Peer("kornia", kornia_mosaic, Configuration("Mosaic", {})),
)


def is_installed(peer: Peer) -> bool:
    return importlib.util.find_spec(peer.package.replace("-", "_")) is not None


def missing() -> list[str]:
    """Packages that are not installed and are therefore left out."""
    return sorted({peer.package for peer in PEERS if not is_installed(peer)})
