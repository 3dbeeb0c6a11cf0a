"""BatchCompose for torchvision v2: ordinary transforms on every sample, mixing on the batch, one list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torchvision.transforms import v2

from mixtransforms.batch.collate import collate, ragged
from mixtransforms.containers.structure import is_samples
from mixtransforms.mixing.compose import BatchPipeline
from mixtransforms.mixing.options import checked_seed
from mixtransforms.mixing.pipeline import (
    MIX,
    SAMPLE,
    Stage,
    adopted,
    call_of,
    finder_of,
    mix_stage,
    nested,
    on_samples,
    padded,
    stages,
)
from mixtransforms.mixing.trace import Step, Trace
from mixtransforms.mixing.transform import gather
from mixtransforms.objects.groups import Group
from mixtransforms.rng.generators import OF_NUMPY, OF_PYTHON, Generator, borrowed, lock_of
from mixtransforms.rng.keys import Call
from mixtransforms.rng.streams import Stream
from mixtransforms.torchvision import transform as door
from mixtransforms.torchvision.samples import transformed

_STILL = (v2.Normalize, v2.ToDtype, v2.ToImage, v2.ToPureTensor, v2.Identity, v2.ConvertImageDtype)
"""Transforms that draw nothing and treat every image of a batch alike."""


_of_torch = Generator(
    torch.default_generator.manual_seed, torch.default_generator.get_state, torch.default_generator.set_state
)


class BatchCompose(BatchPipeline, v2.Transform):
    """Runs v2 transforms on every sample with its own random parameters, and mixing transforms on the batch.

    At the first mixing transform, or at the end, samples are collated. Transforms after a mix run on every mixed
    sample again, or on the whole batch where they draw nothing (``Normalize``, ``ToDtype``). Given a list of samples
    it is a ``collate_fn``; given a batch it returns a batch.

    Args:
        transforms: v2 transforms and mixing transforms of this or of the neutral door, in the order they happen.
        seed: ``None`` draws from torch's default generator. A number: the same results again for the same samples
            in one epoch, see :func:`mixtransforms.set_epoch`, and for the same calls with ready batches; no global
            generator moves. (What torchvision draws on another device, such as the noise of ``GaussianNoise`` on CUDA
            images, is that device's own.)

    Raises:
        ParameterError: A container hides a mix, torchvision's own mix is in the list, or seeds contradict.
    """

    def __init__(self, transforms: Sequence[Callable[..., Any]], *, seed: int | None = None) -> None:
        super().__init__()
        self.transforms = adopted(transforms, door, "BatchCompose", seed, (v2.MixUp, v2.CutMix))
        self.seed = checked_seed(seed, "BatchCompose")
        self._stream = Stream()
        self._stages = stages(self.transforms, lambda transform: type(transform) in _STILL)
        self._finder = finder_of(self.transforms)
        self._pad = padded(self.transforms)

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def forward(self, *batch: Any, **named: Any) -> Any:
        """Transforms a list of samples, or a batch, into a batch."""
        return self._run(gather(batch, named), None)

    def trace(self, *batch: Any, **named: Any) -> Trace:
        """Runs one call and returns what every mix got, drew and made, and the result.

        It is a call like any other: of ready batches it counts, and without a seed it draws from the host's generator.
        """
        steps: list[Step] = []
        after = self._run(gather(batch, named), steps)
        return Trace(tuple(steps), after, tuple(self.transforms))

    def train(self, mode: bool = True) -> BatchCompose:
        """Hands the mode to the children: ``.eval()`` switches mixing off."""
        super().train(mode)
        for transform in self.transforms:
            if isinstance(transform, torch.nn.Module):
                transform.train(mode)
        return self

    def _run(self, data: Any, steps: list[Step] | None) -> Any:
        call = None
        if self.seed is not None:
            quiet = steps is not None or not self.training  # one look, or validation, which should repeat
            call = call_of(self._stream, self.seed, data, self._finder, None if quiet else type(self).__name__)
        for number, stage in enumerate(self._stages, start=1):
            samples = is_samples(data)
            each = partial(self._each, stage=stage, number=number, call=call)
            if stage.kind == MIX:
                data = mix_stage(data, stage, number, call, steps, self._finder)
            elif samples:
                data = each(data)
            elif stage.kind == SAMPLE:
                data = on_samples(data, self._finder, each)
            else:
                data = transformed(data, stage.transforms, self._finder, batched=True)
        return collate(data, "torch", ragged(data, self._finder, self._pad)) if is_samples(data) else data

    def _each(
        self,
        samples: Sequence[Any],
        groups: tuple[Group, ...] | None = None,
        *,
        stage: Stage,
        number: int,
        call: Call | None,
    ) -> list[Any]:
        if call is None:
            return [transformed(sample, stage.transforms, self._finder, groups) for sample in samples]
        seeds = call.seeds(number, len(samples)).tolist()
        result, generators = [], _generators(stage.transforms)
        with lock_of(generators), borrowed(generators) as start:
            for sample, seed in zip(samples, seeds, strict=True):
                start(seed)
                result.append(transformed(sample, stage.transforms, self._finder, groups))
            return result


def _generators(transforms: Sequence[Any]) -> tuple[Generator, ...]:
    """The generators that some transforms may draw from: those of v2 from torch's alone."""
    inner = [type(item) for transform in transforms for item in nested(transform)]
    own = all(kind.__module__.startswith(("torchvision.transforms.v2.", "torch.nn.")) for kind in inner)
    return (_of_torch,) if own and v2.Lambda not in inner else (_of_torch, OF_PYTHON, OF_NUMPY)
