"""The types of Albumentations, with every argument: its own files leave some out, and it only warns of wrong ones."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Annotated, Any, Literal

import albumentations as A
from albumentations.core.composition import BaseCompose
from albumentations.core.keypoints_utils import keypoint_formats

import mixtransforms.albumentations as door
from mixtransforms.files import registry
from mixtransforms.files.forms import ArgumentCodec, Vocabulary, keyword_object
from mixtransforms.files.registry import Codec, TypeEntry
from mixtransforms.mixing.transform import MixTransform

_REFUSED = {
    "Lambda": "A function cannot be written. Write a transform of your own, and give it with allow=[...].",
    "TextImage": "It opens a file that the pipeline names. Give it with allow=[A.TextImage] if you trust the file.",
    **dict.fromkeys(
        ("FDA", "HistogramMatching", "PixelDistributionAdaptation"),
        "It is made of images that Albumentations does not write either; load them in code.",
    ),
}
"""Transforms that no file may name, and why."""


def _object_parameters(cls: type) -> ArgumentCodec:
    """The codec of ``BboxParams`` or ``KeypointParams``."""
    parameters = inspect.signature(cls).parameters
    types = registry.resolved_annotations(parameters, cls)
    if cls is A.KeypointParams:  # which would find out when it is first used
        types["format"] = Literal[tuple(sorted(keypoint_formats))]
    codecs = {name: Vocabulary().codec(annotation) for name, annotation in types.items()}
    required = [name for name, parameter in parameters.items() if parameter.default is parameter.empty]
    return keyword_object(codecs, cls, required)


_ALBUMENTATIONS_VOCABULARY = Vocabulary({cls: _object_parameters(cls) for cls in (A.BboxParams, A.KeypointParams)})
"""What constructors take beside plain values."""

_PARAMETER_ANNOTATIONS = {"bbox_params": A.BboxParams | None, "keypoint_params": A.KeypointParams | None}
_HELD_BY = {"bbox_params": "bboxes", "keypoint_params": "keypoints"}
"""Arguments of a Compose, and the processors that hold them."""

_PASSING = frozenset(
    "transforms params processors random_generator py_random check_each_transform invalid_args "
    "_key2func _available_keys _images_was_list _masks_was_list stain_extractor".split()
)
"""Attributes that follow from others, or belong to one call."""

_GIVEN_BY_PIPELINE = frozenset(
    "seed _strict _additional_targets mask_interpolation replay_mode save_applied_params".split()
)
"""Attributes that the last Compose around a transform has set, where its own constructor does not take them."""


def _is_public(name: str, cls: Any) -> bool:
    if not (isinstance(cls, type) and issubclass(cls, (A.BasicTransform, BaseCompose))):
        return False
    base = cls is BaseCompose or cls.__module__ == A.BasicTransform.__module__
    known = cls.__module__.startswith("albumentations.") and cls.__name__ == name and name not in _REFUSED
    return known and (not base or cls is A.NoOp)


def _mended_entry(name: str, cls: type) -> TypeEntry:
    mended = _PARAMETER_ANNOTATIONS if issubclass(cls, A.Compose) else _checked(cls)
    entry = registry.host_entry(name, cls, _ALBUMENTATIONS_VOCABULARY, mended)
    # Children stand in one place.
    left = {key: argument for key, argument in entry.arguments.items() if key not in ("first", "second")}
    return replace(entry, arguments=MappingProxyType(left)) if issubclass(cls, BaseCompose) else entry


def _checked(cls: type) -> dict[str, Any]:
    """Annotations by which the host checks what its constructors get; those of the constructors themselves say less."""
    checked = getattr(getattr(cls, "InitSchema", None), "model_fields", {})
    found = {}
    for name, field in checked.items():
        bounds = _keywords(field.metadata) if field.annotation in (int, float) else {}
        found[name] = Annotated[field.annotation, bounds] if bounds else field.annotation
    return found


_KEYWORDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}


def _keywords(rules: Iterable[Any]) -> dict[str, Any]:
    return {word: getattr(rule, key) for rule in rules for key, word in _KEYWORDS.items() if hasattr(rule, key)}


def _of_bases(cls: type) -> set[str]:
    """Names that the constructors of a transform's bases take."""
    constructors = (vars(base)["__init__"] for base in cls.__mro__[1:-1] if "__init__" in vars(base))
    return {name for constructor in constructors for name in inspect.signature(constructor).parameters} - {"self"}


class AlbumentationsCodec(Codec):
    """Albumentations and our transforms for it."""

    host = "albumentations"
    package = "albumentations"
    hints = MappingProxyType({f"albumentations.{name}": reason for name, reason in _REFUSED.items()})

    def runs(self, cls: type) -> bool:
        """Whether a class is a transform or a composition."""
        return issubclass(cls, (A.BasicTransform, BaseCompose))

    def custom_entry(self, name: str, cls: type) -> TypeEntry:
        """The entry of a caller's own transform."""
        return super().custom_entry(name, cls) if issubclass(cls, MixTransform) else _mended_entry(name, cls)

    def held(self, transform: Any, entry: TypeEntry) -> Mapping[str, Any]:
        """Arguments as the host tells them, with those that it leaves out."""
        if isinstance(transform, MixTransform):
            return super().held(transform, entry)
        own = {name: getattr(transform, name) for name in entry.arguments if hasattr(transform, name)}
        if not isinstance(transform, BaseCompose):
            return {**own, **transform.get_base_init_args(), **transform.get_transform_init_args()}
        processors = {name: transform.processors.get(key) for name, key in _HELD_BY.items() if name in entry.arguments}
        return own | {name: found and found.params for name, found in processors.items()}

    def may_forget(self, entry: TypeEntry) -> bool:
        """The host's own do, of arguments that stand for others or that nothing uses."""
        return not entry.name.startswith(registry.CUSTOM_PREFIX)

    def without_echoes(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        """Without the arguments of base classes, as of ``Pad`` in ``PadIfNeeded``; the host itself skips them."""
        args, entry = node.get("args"), self.entries.get(str(node.get("type")))
        if entry is None or not isinstance(args, Mapping):
            return node
        echoes = _of_bases(entry.cls) - entry.arguments.keys()
        return {**node, "args": {name: value for name, value in args.items() if name not in echoes}}

    def state(self, transform: Any) -> Mapping[str, Any]:
        """All attributes but random generators and what follows from others."""
        if isinstance(transform, MixTransform):
            return super().state(transform)
        own = self.entry_of(transform, "$").arguments
        held = {
            name: value
            for name, value in vars(transform).items()
            if name not in _PASSING | registry.runtime_attributes(transform)
            and (name not in _GIVEN_BY_PIPELINE or name.lstrip("_") in own)
        }
        if isinstance(transform, A.Compose):
            held |= {name: processor.params for name, processor in transform.processors.items()}
        return held


def _entries() -> list[TypeEntry]:
    public = {name: cls for name, cls in vars(A).items() if _is_public(name, cls)}
    ours = registry.with_seed(_mended_entry(registry.BATCH_COMPOSE, door.BatchCompose))
    return [
        *registry.own_entries(door),
        ours,
        *(_mended_entry(name, cls) for name, cls in registry.stages_of(door)),
        *(_mended_entry(f"albumentations.{name}", cls) for name, cls in public.items()),
    ]


registry.add_codec(AlbumentationsCodec(_entries()))
