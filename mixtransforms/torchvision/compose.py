"""BatchCompose for torchvision v2: ordinary transforms on every sample, mixing on the batch, one list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import torch
from torchvision.transforms import v2

from mixtransforms.batch.collate import collate, ragged
from mixtransforms.batch.second import refuse_second
from mixtransforms.containers.structure import is_samples
from mixtransforms.methods.base import NO_HINTS
from mixtransforms.methods.pairing import Hints
from mixtransforms.mixing.carried import carried, check_values
from mixtransforms.mixing.compose import BatchPipeline, as_samples
from mixtransforms.mixing.host_stages import ALIKE, OTHERWISE, nested
from mixtransforms.mixing.options import checked_seed
from mixtransforms.mixing.partners import with_told
from mixtransforms.mixing.pipeline import (
    Alone,
    call_of,
    finder_of,
    mix_stage,
    on_samples,
    padded,
    ready,
    seeds_of,
)
from mixtransforms.mixing.stages import MIX, SAMPLE, Stage, adopted, stages
from mixtransforms.mixing.trace import Step as TraceStep
from mixtransforms.mixing.trace import Trace
from mixtransforms.mixing.transform import MixTransform, gather
from mixtransforms.objects.groups import Group
from mixtransforms.objects.scale import check_scales
from mixtransforms.rng.generators import borrowed, lock_of, restore
from mixtransforms.rng.keys import Call
from mixtransforms.rng.streams import Stream
from mixtransforms.torchvision import transform as door
from mixtransforms.torchvision.filters import FILTERS
from mixtransforms.torchvision.places import keeps_places
from mixtransforms.torchvision.samples import STILL, dense_of_each, present, sizes_of, transformed
from mixtransforms.torchvision.stages import MIXES, set_mode
from mixtransforms.torchvision.steps import HOST, Step, checked, generators_of, in_turn, steps_of
from mixtransforms.torchvision.whole_numbers import Note, rounded, whole_numbers

_SIZES = (v2.RandomResize, v2.RandomShortestSize, v2.ScaleJitter)
"""Transforms that draw the size of their result, of which all samples of a mixed batch get one: they are stacked."""

_EACH = (SAMPLE, ALIKE)


class BatchCompose(BatchPipeline, v2.Transform):
    """Runs v2 transforms on every sample with its own random parameters, and mixing transforms on the batch.

    At the first mixing transform, or at the end, samples are collated. Transforms after a mix run on every mixed
    sample again, or on the whole batch where they draw nothing (``Normalize``, ``ToDtype``); those that draw a size
    (``RandomResize``, ``RandomShortestSize``, ``ScaleJitter``) draw one for the batch, and so does what stands in
    :class:`PerBatch`. :class:`Otherwise` transforms the samples that a mix has left alone. Given a list of samples
    it is a ``collate_fn``; given a batch it returns a batch.

    Args:
        transforms: v2 transforms and mixing transforms of this or of the neutral door, in the order they happen, and
            functions of a sample, which get it as ``v2.Compose`` would hand it over: with its label, as it is.
            ``v2.RandomChoice`` of mixes is ``OneOf(..., per="batch")``.
        seed: ``None`` draws from torch's default generator. A number: the same results again for the same samples
            in one epoch, see :func:`mixtransforms.set_epoch`, and for the same calls with ready batches; no global
            generator moves. Elsewhere than where it was constructed (in an unpickled copy, a forked process, another
            thread) a ready batch is known by its images, as the list of its samples is: the same result in any process,
            and equal batches of one epoch are mixed alike. (What torchvision draws on another device, such as the noise
            of ``GaussianNoise`` on CUDA images, is that device's own. Its transforms draw from torch's one default
            generator, which is borrowed for every sample and put back: a thread that draws from it at the same time
            changes results, and has its own draws rewound. Draw from a ``torch.Generator`` there.)

    Raises:
        ParameterError: A container hides a mix, torchvision's own mix or a transform of another library or of
            ``torchvision.transforms`` (without ``v2``) is in the list, or seeds contradict.
    """

    _runtime = BatchPipeline._runtime | {"_steps", "_last"}

    def __init__(self, transforms: Sequence[Callable[..., Any]], *, seed: int | None = None) -> None:
        super().__init__()
        given = [_choice(transform) for transform in checked(transforms, "BatchCompose")]
        self.transforms = adopted(given, door, "BatchCompose", seed, MIXES)
        self.seed = checked_seed(seed, "BatchCompose")
        self._stream = Stream()
        self._stages = stages(
            self.transforms, lambda transform: type(transform) in STILL, lambda transform: type(transform) in _SIZES
        )
        check_values(self._stages, keeps_places, "BatchCompose")
        filters = any(isinstance(inner, FILTERS) for transform in self.transforms for inner in nested(transform))
        self._finder = finder_of(self.transforms, filters=filters)
        self._pad = padded(self.transforms)
        self._steps = [_special(stage) for stage in self._stages]
        self._last = max((n for n, stage in enumerate(self._stages, start=1) if stage.kind in _EACH), default=0)

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def forward(self, *batch: Any, hints: Hints = NO_HINTS, second: Any = ..., **named: Any) -> Any:
        """Transforms a list of samples, or a batch, into a batch.

        Args:
            *batch: The batch, or its parts, or a list of samples.
            hints: What mixes read and the batch does not have, such as ``{"saliency": array}``, of the samples as they
                are given: a mix gets it behind no other mix, and label maps and saliency only where the transforms
                before it keep every pixel in its place.
            second: Refused: second batches are given to mixes, behind the pipeline.
            **named: The parts by name instead.

        Raises:
            InputError: The batch cannot be mixed correctly, or a hint reaches no mix.
        """
        refuse_second(second, "BatchCompose")
        return self._run(gather(batch, named), None, hints)

    def trace(self, *batch: Any, hints: Hints = NO_HINTS, second: Any = ..., **named: Any) -> Trace:
        """Runs one call and returns what every mix got, drew and made, and the result.

        It is a call like any other: of ready batches it counts, and without a seed it draws from the host's generator.
        """
        refuse_second(second, "BatchCompose")
        steps: list[TraceStep] = []
        after = self._run(gather(batch, named), steps, hints)
        return Trace(tuple(steps), after, tuple(self.transforms))

    def train(self, mode: bool = True) -> BatchCompose:
        """Hands the mode to the children: ``.eval()`` switches mixing off."""
        super().train(mode)
        set_mode(self.transforms, mode)
        return self

    def _run(self, data: Any, steps: list[TraceStep] | None, hints: Hints = NO_HINTS) -> Any:
        if not is_samples(data) and (parts := as_samples(data)) is not None:
            samples = self._run(parts, steps, hints)
            return tuple(samples) if type(data) is tuple else samples
        beside = carried(hints, self._stages, keeps_places, type(self).__name__)
        call, data = None, ready(data, self._finder)
        if self.seed is not None:
            quiet = steps is not None or not self.training  # one look, or validation, which should repeat
            call = call_of(self._stream, self.seed, data, self._finder, None if quiet else type(self).__name__)
        notes: list[Note] = []
        for number, stage in enumerate(self._stages, start=1):
            samples = is_samples(data)
            each = partial(self._each, stage=stage, number=number, call=call, notes=notes)
            if stage.kind == MIX:
                data, left = mix_stage(data, stage, number, call, steps, self._finder, beside)
            elif stage.kind == OTHERWISE:
                alone = Alone(left, stage.transforms[0])
                data = on_samples(data, self._finder, partial(each, notes=[], alone=alone), alone)
            elif samples:
                data = each(data)
            elif stage.kind in _EACH:
                data = on_samples(data, self._finder, each)
            else:
                data = transformed(data, stage.transforms, self._finder, batched=True)
        result = collate(data, "torch", ragged(data, self._finder, self._pad)) if is_samples(data) else data
        return with_told(result, beside.told) if beside.told else result

    def _each(
        self,
        samples: Sequence[Any],
        groups: tuple[Group, ...] | None = None,
        *,
        stage: Stage,
        number: int,
        call: Call | None,
        notes: list[Note],
        alone: Alone | None = None,
    ) -> list[Any]:
        """A stage of sample transforms, every sample with draws of its own.

        Args:
            samples: The samples.
            groups: Where they tell of objects; ``None`` has it looked up.
            stage: The stage.
            number: Its number, from 1.
            call: What the call is keyed by; ``None`` draws from torch's default generator.
            notes: The boxes and keypoints of earlier stages as they came. They are rounded in the last stage.
            alone: Which samples of the batch these are, where a mix has left them alone: they go back beside the
                others as they came, and their whole numbers are rounded at once.
        """
        last, steps = alone is not None or number == self._last, self._steps[number - 1]
        earlier = whole_numbers(notes) if last and notes else {}
        if groups is None:
            told = self._finder.groups_of_samples(samples)
        else:
            told = [present(sample, groups) for sample in samples]
        if any(told) and number == 1:  # later ones get what was moved
            check_scales(samples, told, self._finder.boxes, lambda: sizes_of(samples, self._finder))
        result = []
        drawing = () if call is None and stage.kind != ALIKE else generators_of(stage.inside)
        generators = () if call is None else drawing
        seeds = [None] * len(samples) if call is None else seeds_of(call, stage, len(samples), alone).tolist()
        start: Callable[[Any], Any]
        with lock_of(generators), _drawing_on_host(call), borrowed(generators) as start:
            if stage.kind == ALIKE and call is None:
                start, seeds = partial(restore, drawing), [[each.state() for each in drawing]] * len(samples)
            dense = dense_of_each(samples, self._finder, told) if steps is None else [None] * len(samples)
            for sample, own, seed, parts in zip(samples, told, seeds, dense, strict=True):
                if seed is not None:
                    start(seed)
                note = Note()
                if steps is None:
                    after = transformed(sample, stage.inside, self._finder, own, note=note, dense=parts)
                else:
                    after = in_turn(sample, steps, self._finder, own, note=note, ready=groups is not None)
                notes.append(note)
                result.append(rounded(after, note, earlier) if last and (note.whole or earlier) else after)
        return result


def _choice(transform: Any) -> Any:
    """``v2.RandomChoice`` of mixes as the choice that it is among batches, and anything else as it is."""
    if type(transform) is not v2.RandomChoice:
        return transform
    mixes = [_choice(child) for child in transform.transforms]
    if not all(isinstance(mix, MixTransform) for mix in mixes):
        return transform
    weights = transform.p if len(set(transform.p)) > 1 else None
    return door.OneOf(mixes, weights=weights, per="batch")  # type: ignore[attr-defined]


def _special(stage: Stage) -> tuple[Step, ...] | None:
    """The steps of a stage; ``None`` where all are transforms of the host, which run at once."""
    steps = () if stage.kind == MIX else steps_of(stage.inside)
    plain = all(step.how == HOST for step in steps) and [step.transforms for step in steps] in ([], [stage.inside])
    return None if plain else steps


def _drawing_on_host(call: Call | None) -> AbstractContextManager[Any]:
    """While it lasts, transforms draw from the generators that were started; a default device has one of its own."""
    return nullcontext() if call is None or torch.get_default_device().type == "cpu" else torch.device("cpu")
