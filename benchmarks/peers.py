"""Other libraries' MixUp and CutMix, each called as its documentation recommends, with the same law and output.

All draw their weights from Beta(1, 1) and return images with soft labels (B, K). What remains different:

- torchvision and timm's ``batch`` mode draw one weight and one box for the whole batch, and pair neighbours or mirror
  images; the others, and ours by default, draw one for every sample.
- timm works in place. torchvision, kornia and Keras have no such form; kornia and Keras are also compared with ours in
  place, because a loop that can give its batch away is free to choose.
- kornia returns (label, partner, weight); two one-hot tables and a blend make soft labels of it here, which is less
  than 1 % of its time for images of 224 pixels. Its CutMix samples boxes that never leave the image.
- Keras takes one-hot labels, which are made within its time, and computes in float32 whatever comes in. Its images
  are channels first here, as the others' are.
"""

from __future__ import annotations

import importlib.util
import os
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import torch

Mix = Callable[[Any, Any], Any]
"""Takes images (B, 3, H, W) and class ids (B,), returns the mixed ones."""


def ours(method: str, classes: int, **options: Any) -> Mix:
    """Our transform for torchvision."""
    import mixtransforms.torchvision as door

    return getattr(door, method)(alpha=1.0, num_classes=classes, **options)


def torchvision(method: str, classes: int) -> Mix:
    from torchvision.transforms import v2

    return getattr(v2, method)(alpha=1.0, num_classes=classes)


def timm_options(method: str, mode: str, classes: int) -> dict[str, Any]:
    """What timm's ``Mixup`` and ``FastCollateMixup`` take. (Before 0.9 they put labels on the GPU unasked.)"""
    alphas = {"mixup_alpha": float(method == "MixUp"), "cutmix_alpha": float(method == "CutMix")}
    return alphas | {"mode": mode, "label_smoothing": 0.0, "num_classes": classes}


def timm_mode(mode: str) -> Callable[[str, int], Mix]:
    def make(method: str, classes: int) -> Mix:
        from timm.data import Mixup

        return Mixup(**timm_options(method, mode, classes))

    return make


def kornia(method: str, classes: int) -> Mix:
    from kornia.augmentation import RandomCutMixV2, RandomMixUpV2

    keys: Any = ["input", "class"]
    correct: Any = {"use_correct_lambda": True}
    mix = RandomMixUpV2(data_keys=keys) if method == "MixUp" else RandomCutMixV2(data_keys=keys, **correct)

    def call(images: Any, labels: Any) -> Any:
        mixed, drawn = mix(images, labels)
        first, second, weight = drawn.reshape(-1, 3).unbind(-1)
        tables = [torch.nn.functional.one_hot(ids.long(), classes).float() for ids in (first, second)]
        return mixed, torch.lerp(*tables, weight[:, None].float())

    return call


def keras(method: str, classes: int) -> Mix:
    os.environ.setdefault("KERAS_BACKEND", "torch")
    import keras

    if keras.backend.backend() != "torch":
        raise RuntimeError("Keras runs on another backend; set KERAS_BACKEND=torch")
    # One number would be the upper end of a range of alphas, two equal ones are the alpha.
    factor = {"alpha": 1.0} if method == "MixUp" else {"factor": (1.0, 1.0)}
    layer = getattr(keras.layers, method)(**factor, data_format="channels_first")

    def call(images: Any, labels: Any) -> Any:
        mixed = layer({"images": images, "labels": torch.nn.functional.one_hot(labels, classes).float()})
        return mixed["images"], mixed["labels"]

    return call


class Peer(NamedTuple):
    """Another library.

    Attributes:
        package: What must be installed.
        make: Takes the method's name and the number of classes, makes the mix.
        inplace: Whether it overwrites the batch.
        heavy: Whether it takes several times the batch's memory, and is left out for the largest batches.
    """

    package: str
    make: Callable[[str, int], Mix]
    inplace: bool = False
    heavy: bool = False


PEERS = {
    "torchvision": Peer("torchvision", torchvision),
    "timm batch": Peer("timm", timm_mode("batch"), inplace=True),
    "timm pair": Peer("timm", timm_mode("pair"), inplace=True),
    "timm elem": Peer("timm", timm_mode("elem"), inplace=True),
    "kornia": Peer("kornia", kornia, heavy=True),
    "keras": Peer("keras", keras, heavy=True),
}


def missing() -> list[str]:
    """Packages that are not installed and are therefore left out."""
    packages = {peer.package for peer in PEERS.values()} | {"albumentations"}
    return sorted(package for package in packages if importlib.util.find_spec(package) is None)


def quiet() -> None:
    """Keeps the warnings of all libraries out of the tables."""
    warnings.simplefilter("ignore")
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
