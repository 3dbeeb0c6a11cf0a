"""The types of torchvision v2, which has no serialization of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, Literal

import numpy as np
import PIL.Image
import torch
from torchvision import tv_tensors
from torchvision.transforms import v2
from torchvision.transforms.functional import pil_modes_mapping
from torchvision.transforms.v2._utils import _parse_labels_getter

import mixtransforms.torchvision as door
from mixtransforms.core import fields
from mixtransforms.files import registry
from mixtransforms.files.forms import ArgumentCodec, Vocabulary, objects_by_name
from mixtransforms.files.registry import Codec, TypeEntry
from mixtransforms.files.schema import closed_object
from mixtransforms.mixing.transform import MixTransform

# Numbers of a tensor in a file. A LinearTransformation has one for every pair of values of its patch: 4,096 are those
# of 64 values, while a picture of CIFAR, with 9.4 million of them, belongs into a file of its own.
MOST_NUMBERS = 4096


def _interpolation(value: Any) -> v2.InterpolationMode:
    """What constructors take for a mode: itself, its name, or the number that PIL has for it."""
    numbers = {number: mode for mode, number in reversed(pil_modes_mapping.items())}  # the first of two with one number
    if isinstance(value, int) and value in numbers:
        return numbers[value]
    return v2.InterpolationMode(value)


def _box_format(value: Any) -> Any:
    return tv_tensors.BoundingBoxFormat[value.upper()] if isinstance(value, str) else value


def _tensor_codec() -> ArgumentCodec:
    floating = [name for name, dtype in _DTYPES.items() if dtype.is_floating_point and dtype.itemsize > 1]
    values = {"type": "array", "items": {"type": ["number", "array"]}}
    schema = closed_object({"dtype": {"enum": floating}, "values": values}, ("dtype", "values"))

    def write(value: Any) -> dict[str, Any]:
        if not isinstance(value, torch.Tensor) or _torch_name(value.dtype) not in floating:
            raise TypeError(value)
        if value.numel() > MOST_NUMBERS or not value.isfinite().all():
            raise TypeError(value)
        return {"dtype": _torch_name(value.dtype), "values": fields.encode(value.tolist())}

    def read(value: Mapping[str, Any]) -> torch.Tensor:
        numbers = np.array(value["values"], np.float64)  # which refuses rows of unequal lengths, and words
        tensor = torch.from_numpy(numbers).to(_DTYPES[value["dtype"]])
        if tensor.numel() > MOST_NUMBERS or not tensor.isfinite().all():
            raise ValueError(f"{tensor.numel()} numbers, not all of them finite in {value['dtype']}")
        return tensor

    wanted = f"a tensor of at most {MOST_NUMBERS} finite numbers, with its dtype"
    return ArgumentCodec(schema, write, read, wanted)


def _torch_name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


_DTYPES = {_torch_name(value): value for value in vars(torch).values() if isinstance(value, torch.dtype)}

_KEY_TYPES = {
    name: getattr(tv_tensors, name) for name in ("Image", "Video", "Mask", "BoundingBoxes", "KeyPoints", "TVTensor")
}
_KEY_TYPES |= {"Tensor": torch.Tensor, "PIL": PIL.Image.Image, "others": "others"}

_TORCHVISION_VOCABULARY = Vocabulary(
    leaves={
        v2.InterpolationMode: objects_by_name({mode.value: mode for mode in v2.InterpolationMode}, _interpolation),
        v2.AutoAugmentPolicy: objects_by_name(
            {policy.value: policy for policy in v2.AutoAugmentPolicy}, v2.AutoAugmentPolicy
        ),
        tv_tensors.BoundingBoxFormat: objects_by_name(dict(tv_tensors.BoundingBoxFormat.__members__), _box_format),
        torch.dtype: objects_by_name(_DTYPES),
        torch.Tensor: _tensor_codec(),
    },
    types=_KEY_TYPES,
)
"""What constructors take beside plain values."""

_Getter = Literal["default"] | None
_Positive = Annotated[float, {"minimum": 1e-37}]  # held as float32, of which it must not be 0

_MENDED: Mapping[str, Mapping[str, Any]] = {
    "CutMix": {"labels_getter": _Getter, "alpha": _Positive},
    "MixUp": {"labels_getter": _Getter, "alpha": _Positive},
    "SanitizeBoundingBoxes": {"labels_getter": _Getter},
    "SanitizeKeyPoints": {"labels_getter": _Getter},
    "GaussianNoise": {"clip": bool},
    "RandomErasing": {"value": float | list[float] | Literal["random"]},
}
"""Annotations that are missing, or say less or more than a file can hold."""

_HELD_AS = ((v2.RandomIoUCrop, "sampler_options", "options"),)
"""Arguments that are held under another name, beside those with an underscore before it."""


def _torchvision_entry(name: str, cls: type) -> TypeEntry:
    """The entry of a class of the host, or of one derived from it, with its annotations mended."""
    theirs = [base.__name__ for base in reversed(cls.__mro__) if base.__module__.startswith("torchvision.")]
    mended = {argument: annotation for base in theirs for argument, annotation in _MENDED.get(base, {}).items()}
    return registry.host_entry(name, cls, _TORCHVISION_VOCABULARY, mended)


def _torchvision_entries() -> list[TypeEntry]:
    public = {
        name: cls
        for name, cls in vars(v2).items()
        if isinstance(cls, type) and issubclass(cls, v2.Transform) and cls not in (v2.Transform, v2.Lambda)
    }
    ours = registry.with_seed(registry.host_entry(registry.BATCH_COMPOSE, door.BatchCompose, _TORCHVISION_VOCABULARY))
    stages = (registry.host_entry(name, cls, _TORCHVISION_VOCABULARY) for name, cls in registry.stages_of(door))
    theirs = (_torchvision_entry(f"torchvision.{name}", cls) for name, cls in public.items())
    return [*registry.own_entries(door), ours, *stages, *theirs]


class TorchvisionCodec(Codec):
    """torchvision v2 and our transforms for it."""

    host = "torchvision"
    package = "torchvision"
    hints = MappingProxyType(
        {"torchvision.Lambda": "A function cannot be written. Write a v2.Transform, and give it with allow=[...]."}
    )

    def runs(self, cls: type) -> bool:
        """Whether a class is a module."""
        return issubclass(cls, torch.nn.Module)

    def custom_entry(self, name: str, cls: type) -> TypeEntry:
        """The entry of a caller's own module."""
        return super().custom_entry(name, cls) if issubclass(cls, MixTransform) else _torchvision_entry(name, cls)

    def held(self, transform: Any, entry: TypeEntry) -> Mapping[str, Any]:
        """Arguments from the attributes that hold them, put right where these differ from what was given."""
        if isinstance(transform, MixTransform):
            return super().held(transform, entry)
        places = {name: _attribute(transform, name) for name in entry.arguments}
        held = {name: getattr(transform, place) for name, place in places.items() if place is not None}
        if "labels_getter" in held:
            held["labels_getter"] = _given_getter(held["labels_getter"])
        if isinstance(transform, v2.RandomCrop) and transform.padding is not None:
            left, right, top, bottom = transform.padding  # given as left, top, right, bottom
            held["padding"] = [left, top, right, bottom]
        if isinstance(transform, v2.RandomErasing) and transform.value is None:
            held["value"] = "random"
        if isinstance(transform, v2.RandomChoice):
            held["p"] = _given_weights(transform.p)
        return held

    def state(self, transform: Any) -> Mapping[str, Any]:
        """All attributes; modes and the like by their names, however they were given."""
        if isinstance(transform, MixTransform):
            return super().state(transform)
        # Children are compared one by one; .train() and .eval() are no part of a pipeline.
        entry = self.entry_of(transform, "$")
        spelled = {_attribute(transform, name): argument.codec for name, argument in entry.arguments.items()}
        return {
            name: spelled[name].write(value) if name in spelled and spelled[name].names else value
            for name, value in vars(transform).items()
            if name not in (registry.CHILDREN_PARAMETER, "training", *registry.runtime_attributes(transform))
            and not (name == "_modules" and entry.children)
        }


def _attribute(transform: Any, name: str) -> str | None:
    """The attribute that holds an argument."""
    others = (held for cls, argument, held in _HELD_AS if argument == name and isinstance(transform, cls))
    return next((spelling for spelling in (name, f"_{name}", *others) if hasattr(transform, spelling)), None)


def _given_weights(chances: Sequence[float]) -> list[float]:
    """Weights that torchvision divides into exactly these chances; theirs need not add up to 1 to the last bit.

    Whoever gave weights most likely gave them in few digits, with a sum of few digits.
    """
    scaled = ([round(chance * total, 9) for chance in chances] for total in (len(chances), *_TOTALS))
    for weights in (list(chances), *scaled):
        if sum(weights) > 0 and [weight / sum(weights) for weight in weights] == list(chances):
            return weights
    return list(chances)


_TOTALS = tuple(tenths / 10 for tenths in range(1, 101))


def _given_getter(getter: Any) -> Any:
    """``labels_getter`` as it was given; what torchvision makes of ``None`` is a function of its own."""
    if getter is _parse_labels_getter("default"):
        return "default"
    nothing = _parse_labels_getter(None)
    return None if getattr(getter, "__code__", 0) is nothing.__code__ else getter


registry.add_codec(TorchvisionCodec(_torchvision_entries()))
