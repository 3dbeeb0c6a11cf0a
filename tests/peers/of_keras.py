"""Keras: it hands over what was drawn, and our plans paint it on images and masks and mix labels by it."""

import importlib.util
import sys
from types import ModuleType
from typing import Any

from adapting import Peer, reached

FOLDER = "keras/src/layers/preprocessing/image_preprocessing"


class Nothing(ModuleType):
    """A module whose names are classes that nothing is an instance of."""

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


def prepare() -> None:
    """A tensorflow with nothing in it, where there is none: the files import it for some of their tests."""
    importlib.import_module("keras.src.testing")  # before there is a tensorflow
    if importlib.util.find_spec("tensorflow") is None:
        module = Nothing("tensorflow")
        vars(module).update(data=Nothing("tensorflow.data"), executing_eagerly=lambda: True)
        sys.modules["tensorflow"] = module


def adapt() -> None:
    """Lets the MixUp and CutMix layers paint by our plans."""
    import torch

    layers = importlib.import_module("keras.src.layers")
    from painting import blend, paste

    def tensor(value: Any) -> Any:
        return torch.as_tensor(value).cpu()

    def mixed_up(self: Any, images: Any, transformation: Any = None, training: bool = True) -> Any:
        if not training:
            return images
        reached()
        images = tensor(images).to(torch.float32)
        order, weight = tensor(transformation["permutation_order"]), tensor(transformation["mix_weight"])
        batch = images if images.ndim == 4 else images[None]
        return blend(order, weight, batch.shape[1:]).apply(batch[:, None])[:, 0]

    def labels_of_mixup(self: Any, labels: Any, transformation: Any, training: bool = True) -> Any:
        if not training:
            return labels
        reached()
        labels = tensor(labels).to(torch.float32)
        return blend(
            tensor(transformation["permutation_order"]), tensor(transformation["mix_weight"]), labels.shape[1:]
        ).apply(labels[:, None])[:, 0]

    def cut(self: Any, images: Any, transformation: Any = None, training: bool = True) -> Any:
        images = tensor(images).to(torch.float32)
        return pasted(images, transformation) if training and transformation is not None else images

    def cut_masks(self: Any, masks: Any, transformation: Any, training: bool = True) -> Any:
        return pasted(tensor(masks), transformation) if training and transformation is not None else masks

    def pasted(images: Any, transformation: Any) -> Any:
        reached()
        start, stop = edges(tensor(transformation["batch_masks"]))
        order = tensor(transformation["permutation_order"])
        return paste([order], [start], [stop], images.shape[1:]).apply(images[:, None])[:, 0]

    layers.MixUp.transform_images, layers.MixUp.transform_labels = mixed_up, labels_of_mixup
    layers.CutMix.transform_images, layers.CutMix.transform_segmentation_masks = cut, cut_masks


def edges(inside: Any) -> tuple[Any, Any]:
    """The boxes that masks ``(B, ...)`` are true in, as their edges."""
    import numpy as np

    start, stop = np.zeros((2, len(inside), inside.ndim - 1), np.int64)
    for number, mask in enumerate(inside.numpy()):
        for axis in range(mask.ndim):
            seen = np.flatnonzero(mask.any(axis=tuple(other for other in range(mask.ndim) if other != axis)))
            if len(seen):
                start[number, axis], stop[number, axis] = seen[0], seen[-1] + 1
    return start, stop


PEER = Peer(
    (f"{FOLDER}/mix_up_test.py", f"{FOLDER}/cut_mix_test.py"),
    adapt,
    environment={"KERAS_BACKEND": "torch"},
    prepare=prepare,
    needs=("keras",),
)
