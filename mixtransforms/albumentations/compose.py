"""BatchCompose for Albumentations: ordinary transforms on every sample, mixing on the batch, one list."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import albumentations as A
import numpy as np

from mixtransforms.albumentations import transform as door
from mixtransforms.albumentations.calls import check_arrays, check_points, check_samples, gathered, refuse_layers
from mixtransforms.albumentations.files import leave_out_refused
from mixtransforms.albumentations.members import check_members, correct_targets
from mixtransforms.albumentations.places import keeps_places
from mixtransforms.albumentations.processors import following
from mixtransforms.albumentations.samples import check_known, transformed
from mixtransforms.albumentations.words import finder_of_host, more_targets
from mixtransforms.batch.inventory import Finder
from mixtransforms.batch.read import collated
from mixtransforms.batch.second import refuse_second
from mixtransforms.containers.structure import is_samples
from mixtransforms.containers.tree import replace as replace_leaves
from mixtransforms.containers.tree import walk
from mixtransforms.core.backends import backend_of
from mixtransforms.core.errors import InputError, ParameterError
from mixtransforms.methods.base import NO_HINTS
from mixtransforms.methods.pairing import Hints
from mixtransforms.mixing.carried import carried, check_values
from mixtransforms.mixing.compose import BatchPipeline
from mixtransforms.mixing.host_stages import OTHERWISE, nested
from mixtransforms.mixing.options import checked_seed
from mixtransforms.mixing.partners import with_told
from mixtransforms.mixing.pipeline import (
    Alone,
    call_of,
    mix_stage,
    on_samples,
    padded,
    ready,
    seeds_of,
)
from mixtransforms.mixing.stages import MIX, adopted, stages
from mixtransforms.mixing.trace import Step, Trace
from mixtransforms.mixing.transform import MixTransform
from mixtransforms.objects.groups import Group
from mixtransforms.objects.scale import check_scales
from mixtransforms.rng.generators import OF_NUMPY, OF_PYTHON, Generator, borrowed, lock_of
from mixtransforms.rng.keys import Call, Key, WordArray
from mixtransforms.rng.streams import Guard, Stream
from mixtransforms.targets.names import IMAGE

_SINGULAR = {"images": "image", "masks": "mask", "volumes": "volume", "masks3d": "mask3d"}
"""Names of a batch's values, and what Albumentations calls them in one sample."""

_PARAMS = {"bboxes": "bbox_params", "keypoints": "keypoint_params"}
"""Names that A.Compose takes only where it is told of them."""


class BatchCompose(BatchPipeline, A.Compose):
    """Runs Albumentations transforms on every sample with its own random parameters, and mixing on the batch.

    Call it with keywords, ``pipeline(images=images, labels=labels)``, with one dict of these, or with a list of
    samples, ``pipeline([{"image": image, "label": 3}, ...])``, which makes it a ``collate_fn``. At the first mixing
    transform, or at the end, samples are collated. Transforms after a mix run on every mixed sample; in
    :class:`Otherwise`, on those that the mix before it has left alone, and in :class:`PerBatch`, with the same draws.

    ``A.to_dict``, ``A.from_dict``, ``A.save`` and ``A.load`` write and read it.

    Args:
        transforms: Albumentations transforms and mixing transforms of this or of the neutral door, in their order.
        bbox_params: As for ``A.Compose``. All thresholds hold for what a mix returns, beside its own ``BoxRules``.
        keypoint_params: As for ``A.Compose``.
        additional_targets: As for ``A.Compose``. Further sets of boxes or single keypoints are mixed like the others,
            with weights of their own, such as ``NAME_weights``.
        p: Must be 1: a pipeline that is skipped would return labels of another form.
        is_check_shapes: As for ``A.Compose``.
        strict: As for ``A.Compose``.
        mask_interpolation: As for ``A.Compose``.
        seed: ``None`` draws from the pipeline's own generator. A number: the same results again for the same samples
            in one epoch, see :func:`mixtransforms.set_epoch`, and for the same calls with ready batches. Elsewhere than
            where it was constructed (in an unpickled copy, a forked process, another thread) a ready batch is known by
            its images, as the list of its samples is: the same result in any process, and equal batches of one epoch
            are mixed alike. Transforms of Albumentations get generators of their own; those of yours that draw from the
            global ones of NumPy or Python share them with all threads.
        save_applied_params: Must be ``False``: samples have parameters of their own. Use :meth:`trace`.

    Raises:
        ParameterError: A container hides a mix, seeds contradict, or an argument cannot be honoured.
    """

    _runtime = BatchPipeline._runtime | {"_guard", "_inner"}

    def __init__(
        self,
        transforms: Sequence[Any],
        bbox_params: Any = None,
        keypoint_params: Any = None,
        additional_targets: dict[str, str] | None = None,
        p: float = 1.0,
        is_check_shapes: bool = True,
        strict: bool = False,
        mask_interpolation: int | None = None,
        seed: int | None = None,
        save_applied_params: bool = False,
    ) -> None:
        _check_honoured(p, save_applied_params)
        options = {
            "bbox_params": bbox_params,
            "keypoint_params": keypoint_params,
            "additional_targets": additional_targets,
            "is_check_shapes": is_check_shapes,
            "mask_interpolation": mask_interpolation,
        }
        seed = checked_seed(seed, "BatchCompose")
        owned = adopted(_listed(transforms), door, "BatchCompose", seed)
        check_members(owned, "BatchCompose")
        correct_targets(owned)
        self._stream = Stream()  # the host gives its seed while it is constructed
        super().__init__(owned, strict=strict, seed=seed, **options)
        self._guard = Guard()
        self._pad = padded(owned)
        self._stages = stages(owned, lambda _: False)
        check_values(self._stages, keeps_places, "BatchCompose")
        self._learn()

    def _learn(self) -> None:
        """Tells the stages what the pipeline knows of boxes, keypoints and additional targets."""
        params = {_PARAMS[name]: processor.params for name, processor in self.processors.items()}
        told = dict(self.additional_targets)
        boxes, points = (params.get(name) for name in _PARAMS.values())
        self._finder = finder_of_host(self._members(), boxes, points, told)
        options = params | {
            "additional_targets": more_targets(self._finder) | told,
            "is_check_shapes": self.is_check_shapes,
            "mask_interpolation": self.mask_interpolation,
        }
        # One host pipeline a stage: boxes, keypoints and shapes are then checked for every sample.
        with warnings.catch_warnings():  # a stage need not have a transform for all that the pipeline knows
            warnings.filterwarnings("ignore", "Got processor for")
            self._inner = [
                None if s.kind == MIX else following(A.Compose(list(s.inside), **options)) for s in self._stages
            ]

    def add_targets(self, additional_targets: dict[str, str] | None) -> None:
        """Learns of further targets, as ``A.Compose`` does: after its construction, or by a Compose around this one."""
        super().add_targets(additional_targets)
        if additional_targets and "_stages" in vars(self):  # the host tells of the first ones while it is constructed
            self._learn()

    def __call__(
        self, *args: Any, force_apply: bool = False, hints: Hints = NO_HINTS, second: Any = ..., **data: Any
    ) -> dict[str, Any]:
        """Transforms a batch given by keywords or as one dict, or a list of samples, into a batch.

        Args:
            *args: The batch as one dict, or a list of samples.
            force_apply: Taken as by ``A.Compose``; nothing here has a chance.
            hints: What mixes read and the batch does not have, such as ``{"saliency": array}``, of the samples as they
                are given: a mix gets it behind no other mix, and label maps and saliency only where the transforms
                before it keep every pixel in its place.
            second: Refused: second batches are given to mixes, behind the pipeline.
            **data: The batch by keywords instead.

        Raises:
            KeyError: Data was passed by position and is neither a dict nor a list of samples.
            InputError: The batch cannot be mixed correctly, or a hint reaches no mix.
        """
        refuse_second(second, "BatchCompose")
        return self._run(self._gathered(args, data), None, hints)

    def trace(self, *args: Any, hints: Hints = NO_HINTS, second: Any = ..., **data: Any) -> Trace:
        """Runs one call and returns what every mix got, drew and made, and the result.

        It is a call like any other: of ready batches it counts, and without a seed it draws from the host's generator.
        """
        refuse_second(second, "BatchCompose")
        steps: list[Step] = []
        after = self._run(self._gathered(args, data), steps, hints)
        return Trace(tuple(steps), after, tuple(self.transforms))

    def set_random_seed(self, seed: int | None) -> None:
        """Starts the draws again from a seed, as for ``A.Compose``.

        Args:
            seed: A number, or ``None``, as a Compose around this one says, for the seed that it has.

        Raises:
            ParameterError: The seed is none.
        """
        seed = checked_seed(seed, "set_random_seed")
        super().set_random_seed(vars(self).get("seed") if seed is None else seed)
        self._stream.restart()

    def set_deterministic(self, flag: bool, save_key: str = "replay") -> None:
        """Refuses recording: every sample has parameters of its own.

        Raises:
            ParameterError: Always, where recording is asked for.
        """
        if flag:
            raise ParameterError(
                "A pipeline of batches cannot be recorded",
                where="A.ReplayCompose",
                got="a BatchCompose inside",
                wanted="a seed",
                fix="Give the BatchCompose a seed, or use its trace.",
            )

    @classmethod
    def get_class_fullname(cls) -> str:
        """The name in files, which stays when a module moves."""
        return "mixtransforms.BatchCompose"

    def to_dict_private(self) -> dict[str, Any]:
        """What ``A.to_dict`` writes, with the arguments that Albumentations itself leaves out."""
        written: dict[str, Any] = super().to_dict_private()
        for transform, part in zip(self.transforms, written["transforms"], strict=True):
            leave_out_refused(transform, part)
        boxes = self.processors.get("bboxes")
        if boxes is not None:
            written["bbox_params"] |= {"filter_invalid_bboxes": boxes.params.filter_invalid_bboxes}
        return written | {
            "strict": self.strict,
            "mask_interpolation": self.mask_interpolation,
            "seed": self.seed,
        }

    def _gathered(self, args: tuple[Any, ...], data: dict[str, Any]) -> Any:
        given = gathered(args, data, self._finder)
        samples = not isinstance(given, dict)
        if samples:
            check_samples(given, self.processors)
        points = self.processors.get("keypoints")
        if points is not None and points.params.remove_invisible and self._stages and self._stages[0].kind == MIX:
            check_points(given, points, self._finder.points.columns)
        if not samples:
            self._check_names(given, "")
            return given
        for index, sample in enumerate(given if self.strict else ()):
            self._check_names(sample, f"sample {index}, ")
            check_arrays(sample, f"sample {index}", self.additional_targets)
        return given

    def _check_names(self, data: Mapping[str, Any], where: str) -> None:
        """In strict mode, what ``A.Compose`` checks as well."""
        unread = _PARAMS.keys() - self.processors.keys()
        for name in data if self.strict else ():
            if name in unread or not self._is_valid_key(name):
                raise InputError(
                    "An unknown name",
                    where=f"{where}{name}=",
                    got="strict=True",
                    wanted="one of " + ", ".join(sorted(self._available_keys - unread)),
                    fix=f"Give {_PARAMS[name]}= to the pipeline, or use strict=False."
                    if name in unread
                    else "Declare it with kinds= or passthrough= of the mix, or use strict=False.",
                )

    def _run(self, data: Any, steps: list[Step] | None, hints: Hints = NO_HINTS) -> dict[str, Any]:
        beside = carried(hints, self._stages, keeps_places, type(self).__name__)
        data = ready(data, self._finder)
        call = self._call(data, type(self).__name__ if steps is None else None)
        for number, (stage, inner) in enumerate(zip(self._stages, self._inner, strict=True), start=1):
            samples = is_samples(data)
            if stage.kind == MIX:
                refuse_layers(data, self._finder, self.additional_targets)
                data, left = mix_stage(data, stage, number, call, steps, self._finder, beside)
            elif samples:
                data = self._each(data, inner, seeds_of(call, stage, len(data)), first=number == 1)
            else:
                alone = Alone(left, stage.transforms[0]) if stage.kind == OTHERWISE else None
                seeds = partial(seeds_of, call, stage, alone=alone)
                data = self._batch(data, inner, seeds, alone, first=number == 1)
        result = _one_backend(collated(data, self._finder, self._pad), self._finder)
        return with_told(result, beside.told) if beside.told else result

    def _call(self, data: Any, where: str | None) -> Call:
        if self.seed is None:
            return Call(Key(door.host_seed(self.random_generator), self._stream.epoch))
        return call_of(self._stream, self.seed, data, self._finder, where)

    def _batch(
        self,
        batch: dict[str, Any],
        inner: A.Compose,
        seeds: Callable[[int], WordArray],
        alone: Alone | None,
        *,
        first: bool,
    ) -> dict[str, Any]:
        """A stage of sample transforms on a ready batch; the host calls one image ``image``."""

        def run(samples: list[Any], groups: tuple[Group, ...]) -> list[dict[str, Any]]:
            told = {path[0] for group in groups for path in group.members}
            films = {name for name in batch if name == "images" and getattr(batch[name], "ndim", 0) > 4}
            single = {name: name if name in told | films else _SINGULAR.get(name, name) for name in batch}
            plural = {own: name for name, own in single.items()}
            named = [{single[name]: value for name, value in sample.items()} for sample in samples]
            after = self._each(named, inner, seeds(len(named)), groups, first=first)
            return [{plural.get(name, name): value for name, value in sample.items()} for sample in after]

        result: dict[str, Any] = on_samples(batch, self._finder, run, alone)
        return result

    def _each(
        self,
        samples: Sequence[Mapping[str, Any]],
        inner: A.Compose,
        seeds: WordArray,
        groups: tuple[Group, ...] | None = None,
        *,
        first: bool,
    ) -> list[dict[str, Any]]:
        """A stage of sample transforms, every sample with draws of its own."""
        parts = self._finder.parts_of_samples(samples)
        told = self._finder.groups_of_samples(samples, parts) if groups is None else [groups] * len(samples)
        for pair in {(id(each), id(own)): (each, own) for each, own in zip(parts, told, strict=True)}.values():
            check_known(*pair, inner, self._finder)  # once for all samples of a structure
        if any(told) and first:  # later stages get what was moved
            check_scales(samples, told, self._finder.boxes, partial(_sizes_of, samples))
        result = []
        generators = _generators(inner)
        # The host's transforms hold their generators.
        with self._guard.lock, lock_of(generators), borrowed(generators) as start:
            bits, python = np.random.Philox(key=np.zeros(2, np.uint64)), random.Random(0)
            inner.set_random_state(np.random.Generator(bits), python)
            begin = bits.state
            for sample, own, seed in zip(samples, told, seeds.tolist(), strict=True):
                begin["state"]["key"][0] = seed
                bits.state = begin
                python.seed(seed)
                start(seed)
                result.append(transformed(sample, inner, own))
        return result


def _sizes_of(samples: Sequence[Mapping[str, Any]]) -> list[tuple[int, int]]:
    """Heights and widths of the samples that have images."""
    images: list[Any] = [sample.get("image") for sample in samples]
    return [image.shape[:2] for image in images if image is not None]


def _generators(inner: A.Compose) -> tuple[Generator, ...]:
    """The global generators that some transforms may draw from: Albumentations' own from none."""
    kinds = [type(item) for item in nested(inner)]
    own = all(kind.__module__.startswith("albumentations.") for kind in kinds)
    return () if own and A.Lambda not in kinds else (OF_PYTHON, OF_NUMPY)


def _listed(transforms: Any) -> list[Any]:
    """The transforms of a list; one transform or container in its place is one stage, as the host takes it."""
    one = isinstance(transforms, (A.BasicTransform, A.BaseCompose, MixTransform)) or not isinstance(
        transforms, Iterable
    )
    return [transforms] if one else list(transforms)


def _check_honoured(p: float, save_applied_params: bool) -> None:
    for name, value, wanted, fix in (
        ("p", p, 1.0, "Labels would have another form in skipped calls; use p= of the mixing transform."),
        ("save_applied_params", save_applied_params, False, "Use pipeline.trace(...) to see what was drawn."),
    ):
        if value != wanted:
            raise ParameterError(
                f"{name!r} cannot be honoured", where="BatchCompose", got=repr(value), wanted=repr(wanted), fix=fix
            )


def _one_backend(batch: dict[str, Any], finder: Finder) -> dict[str, Any]:
    """Arrays beside images that became tensors become tensors too, as in any collated batch."""
    leaves = [
        (path, leaf) for path, leaf in walk(batch, lambda path, _: finder.passes(path)) if not finder.passes(path)
    ]
    if not any(backend_of(leaf) == "torch" for _, leaf in leaves):
        return batch
    if any(isinstance(leaf, np.ndarray) and leaf.ndim > 2 for _, leaf in leaves):  # perhaps these are labels alone
        images = [target.value for target in finder.inventory(batch).targets if target.kind == IMAGE]
        if images and all(isinstance(image, np.ndarray) for image in images):
            return batch
    import torch

    numbers = [(path, leaf) for path, leaf in leaves if isinstance(leaf, np.ndarray) and leaf.dtype.kind in "biuf"]
    arrays = {path: torch.from_numpy(np.array(leaf)) for path, leaf in numbers}
    converted: dict[str, Any] = replace_leaves(batch, arrays)
    return converted
