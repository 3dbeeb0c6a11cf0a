"""Mixing methods as Albumentations transforms."""

# No `from __future__ import annotations`: signatures must show types, not strings.
import random
from collections.abc import Callable
from copy import deepcopy
from dataclasses import FrozenInstanceError
from typing import Any

import albumentations as A
import numpy as np

from mixtransforms.containers.structure import is_samples
from mixtransforms.core import fields
from mixtransforms.core.errors import InputError
from mixtransforms.methods.base import Method
from mixtransforms.mixing.doors import door_classes
from mixtransforms.mixing.options import Options
from mixtransforms.mixing.transform import MixTransform
from mixtransforms.plan import Plan
from mixtransforms.rng.processes import in_worker
from mixtransforms.targets.names import DEFAULT_NAMES

POSITIONAL = "You have to pass data to augmentations as named arguments, for example: aug(images=images, labels=labels)"

_ONE = (("image", 3), ("volume", 4))
"""Names that Albumentations has for one image and one volume, and the axes that these have at most."""


class Transform(MixTransform, A.BasicTransform):
    """A mixing transform of Albumentations: ``transform(images=images, labels=labels)`` on ``(B, H, W, C)`` arrays.

    With ``seed=None`` it draws from the generator of the Compose that holds it. After ``ToTensorV2`` it takes
    tensors ``(B, C, H, W)``; labels are then converted as well.
    """

    _labels_follow = True

    def __post_init__(self) -> None:
        fields.check_fields(self)  # the host asks for `targets` while it is constructed
        given = fields.values(self)
        A.BasicTransform.__init__(self, p=1.0)  # overwrites p and seed with its own
        self.__dict__.update(given)
        super().__post_init__()

    def __setattr__(self, name: str, value: Any) -> None:
        if "_stream" in vars(self) and name in self.__dataclass_fields__:
            raise FrozenInstanceError(f"cannot assign to field {name!r}")
        object.__setattr__(self, name, value)

    def __call__(self, *args: Any, force_apply: bool = False, **data: Any) -> Any:
        """Mixes a batch given by keywords, or collates a list of samples and mixes that.

        Args:
            *args: Nothing, or one list of samples such as ``{"image": ..., "label": ...}``.
            force_apply: Mix every sample, whatever ``p`` is; ``A.OneOf`` calls its choice so.
            **data: The batch: ``images=``, ``labels=`` and other names, see ``kinds`` and ``passthrough``.

        Raises:
            KeyError: Data was passed by position, which Albumentations does not take.
            InputError: The batch cannot be mixed correctly.
        """
        if args:
            if data or len(args) > 1 or not is_samples(args[0]):
                raise KeyError(POSITIONAL)
            return self._run(args[0])
        records = {name: data.pop(name) for name in ("applied_transforms", self.save_key) if name in data}
        if self.replay_mode and not self.applied_in_replay:
            return data | records
        _refuse_one_image(data)
        found = self._find(data)
        plan = (
            Plan.from_dict(self.get_applied_params()["plan"])
            if self.replay_mode
            else self._draw(found, forced=force_apply)
        )
        if not self.replay_mode:
            # A transform shared between threads must not hold its last call; the host reads it only when it records.
            self.params = {"plan": plan.to_dict()} if records else {}
        if self.deterministic and self.save_key in records:
            records[self.save_key][id(self)] = deepcopy(self.params)
        return self._replay(plan, found) | records

    @property
    def targets(self) -> dict[str, Callable[..., Any]]:
        """The keywords that strict pipelines let through."""
        declared = [name for name in (*(self.kinds or ()), *self.passthrough) if isinstance(name, str)]
        return dict.fromkeys((*DEFAULT_NAMES, "images", "labels", *declared), self._run)

    def set_random_seed(self, seed: int | None) -> None:
        """Takes the generator that the host gives; the ``seed`` parameter stays what it was."""
        self.set_random_state(np.random.default_rng(seed), random.Random(seed))

    @classmethod
    def get_class_fullname(cls) -> str:
        """The name in files, which stays when a module moves."""
        return f"mixtransforms.{cls.__name__}"

    def get_transform_init_args(self) -> dict[str, Any]:
        """All parameters, as ``A.to_dict`` writes them."""
        return _arguments(self)

    get_base_init_args = get_transform_init_args

    def get_dict_with_id(self) -> dict[str, Any]:
        """What ``A.ReplayCompose`` records: the options, which are all that replaying a plan needs.

        A choice of methods would look to the host like a container with recorded children.
        """
        options = {name: value for name, value in _arguments(self).items() if hasattr(Options, name)}
        return {"__class_fullname__": "mixtransforms.MixUp", "p": 1.0, "id": id(self)} | options

    def _host_seed(self) -> int:
        return host_seed(self.random_generator)


def host_seed(generator: np.random.Generator) -> int:
    """A seed from the Compose's generator; in a worker from torch, since workers hold equal copies of the former."""
    if not in_worker():
        return int(generator.integers(2**63))
    import torch

    return int(torch.empty((), dtype=torch.int64).random_())


def _arguments(owner: Any) -> dict[str, Any]:
    """Parameters in JSON's vocabulary; child methods as Albumentations writes child transforms."""
    written = {}
    for name, value in fields.values(owner).items():
        if isinstance(value, tuple) and value and all(isinstance(item, Method) for item in value):
            written[name] = [
                {"__class_fullname__": f"mixtransforms.{type(item).__name__}", "p": 1.0} | _arguments(item)
                for item in value
            ]
        else:
            written[name] = fields.encode(value)
    return written


def _refuse_one_image(data: dict[str, Any]) -> None:
    for name, rank in _ONE:
        image = data.get(name)
        if not isinstance(image, np.ndarray) or image.ndim > rank:
            continue
        raise InputError(
            f"One {name}",
            where=f"{name}=",
            got=f"shape {image.shape}",
            wanted="a batch, images= of shape (B, H, W, C)",
            fix="Mixing needs several samples: call it on a batch, or put it into a BatchCompose that gets a list "
            "of samples.",
        )


globals().update(door_classes(Transform, __name__))
