"""Mixing methods as Albumentations transforms."""

# No `from __future__ import annotations`: signatures must show types, not strings.
import random
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import FrozenInstanceError, replace
from types import MappingProxyType
from typing import Any

import albumentations as A
import numpy as np

from mixtransforms.albumentations.calls import gathered
from mixtransforms.albumentations.words import told_kinds
from mixtransforms.batch.inventory import Finder
from mixtransforms.containers.structure import is_samples
from mixtransforms.core import fields
from mixtransforms.core.cached import cached_property
from mixtransforms.methods.base import NO_HINTS, Method
from mixtransforms.methods.pairing import Hints
from mixtransforms.mixing.doors import door_classes
from mixtransforms.mixing.options import Options
from mixtransforms.mixing.transform import MixTransform
from mixtransforms.plan import Plan
from mixtransforms.rng.processes import in_worker
from mixtransforms.targets.names import DEFAULT_NAMES


class Transform(MixTransform, A.BasicTransform):
    """A mixing transform of Albumentations: ``transform(images=images, labels=labels)`` on ``(B, H, W, C)`` arrays.

    With ``seed=None`` it draws from the generator of the Compose that holds it. After ``ToTensorV2`` it takes
    tensors ``(B, C, H, W)``; labels are then converted as well.
    """

    _labels_follow = True
    _told: Mapping[str, str] = MappingProxyType({})

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

    def __call__(
        self, *args: Any, force_apply: bool = False, hints: Hints = NO_HINTS, second: Any = ..., **data: Any
    ) -> Any:
        """Mixes a batch given by keywords, or collates a list of samples and mixes that.

        Args:
            *args: Nothing, or one batch as a dict, or one list of samples such as ``{"image": ..., "label": ...}``.
            force_apply: Mix every sample, whatever ``p`` is; ``A.OneOf`` calls its choice so.
            hints: What the method reads and the batch does not have, such as ``{"saliency": array}``.
            second: A batch that all partners are of, such as unlabelled samples: a dict, or a list of samples.
            **data: The batch: ``images=``, ``labels=`` and other names, see ``kinds`` and ``passthrough``.

        Raises:
            KeyError: Something else was passed by position, which Albumentations does not take.
            InputError: The batch cannot be mixed correctly.
        """
        if args:
            given = gathered(args, data, self._finder)
            if not isinstance(given, dict):
                return self._run(given, hints, second)
            data = given
        records = {name: data.pop(name) for name in ("applied_transforms", self.save_key) if name in data}
        if self.replay_mode and not self.applied_in_replay:
            return data | records
        data = data if args else gathered((), data, self._finder)
        if not (self.replay_mode or force_apply or records):
            self.params = {}
            return self._run(data, hints, second)
        found = self._find(data)
        if self.replay_mode:
            plan = Plan.from_dict(self.get_applied_params()["plan"])
            found = found if second is ... else self._behind(found, second)
        else:
            found, key, known = self._with_partners(found, second, given=hints, forced=force_apply)
            plan = self._draw(found, key=key, known=known, forced=force_apply, given=hints)
        if not self.replay_mode:
            # A transform shared between threads must not hold its last call; the host reads it only when it records.
            self.params = {"plan": plan.to_dict()} if records else {}
        if self.deterministic and self.save_key in records:
            records[self.save_key][id(self)] = deepcopy(self.params)
        return self._replay(plan, found) | records

    def _as_batch(self, second: Any) -> Any:
        """See the base; a second batch is given as one argument, as a batch may be."""
        return gathered((second,), {}, self._finder) if isinstance(second, Mapping) or is_samples(second) else second

    @property
    def targets(self) -> dict[str, Callable[..., Any]]:
        """The keywords that strict pipelines let through."""
        declared = [name for name in (*(self.kinds or ()), *self.passthrough) if isinstance(name, str)]
        return dict.fromkeys((*DEFAULT_NAMES, "images", "labels", "second", *declared), self._run)

    def add_targets(self, additional_targets: dict[str, str]) -> None:
        """Learns from a Compose what further values of a batch are: images, masks, boxes or keypoints."""
        super().add_targets(additional_targets)
        self.__dict__["_told"] = {**self._told, **additional_targets}
        self.__dict__.pop("_finder", None)

    @cached_property
    def _finder(self) -> Finder:
        """Knows what the user has declared, and what a Compose has."""
        own: Finder = super()._finder
        kinds, further = told_kinds(self._told)
        return replace(own, kinds={**kinds, **own.kinds}, further=further) if self._told else own

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
        given = {name: value for name, value in fields.values(self).items() if hasattr(Options, name)}
        options = {name: fields.encode(value) for name, value in given.items() if name not in _OF_DRAWS}
        return {"__class_fullname__": "mixtransforms.MixUp", "p": 1.0, "id": id(self)} | options

    def _host_seed(self) -> int:
        return host_seed(self.random_generator)


_OF_DRAWS = frozenset({"hints", "bank"})
"""Options that a plan needs no more."""


def host_seed(generator: np.random.Generator) -> int:
    """A seed from the Compose's generator; in a worker from torch, since workers hold equal copies of the former."""
    if not in_worker():
        return int(generator.integers(2**63))
    import torch

    return int(torch.empty((), dtype=torch.int64, device="cpu").random_())


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


globals().update(door_classes(Transform, __name__))
