"""BatchCompose for torchvision v2: ordinary transforms on every sample, mixing on the batch, one list."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torchvision.transforms import v2

from mixtransforms.core.keys import Key, Steps
from mixtransforms.options import checked_seed
from mixtransforms.pipeline import (
    MIX,
    SAMPLE,
    Record,
    Stage,
    adopted,
    content,
    finder_of,
    keyed,
    mix_stage,
    on_samples,
    padded,
    stages,
)
from mixtransforms.targets.collate import collate, is_samples, ragged
from mixtransforms.targets.groups import Group
from mixtransforms.torchvision import transform as door
from mixtransforms.torchvision.samples import transformed
from mixtransforms.transform import Trace, call_key, gather

_STILL = (v2.Normalize, v2.ToDtype, v2.ToImage, v2.ToPureTensor, v2.Identity, v2.ConvertImageDtype)
"""Transforms that draw nothing and treat every image of a batch alike."""

_default_generator = threading.RLock()
"""Held while torch's default generator is borrowed."""


class BatchCompose(v2.Transform):
    """Runs v2 transforms on every sample with its own random parameters, and mixing transforms on the batch.

    At the first mixing transform, or at the end, samples are collated. Transforms after a mix run on every mixed
    sample again, or on the whole batch where they draw nothing (``Normalize``, ``ToDtype``). Given a list of samples
    it is a ``collate_fn``; given a batch it returns a batch.

    Args:
        transforms: v2 transforms and mixing transforms of this or of the neutral door, in the order they happen.
        seed: ``None`` draws from torch's default generator. A number: the same results again for the same samples,
            and for the same calls with ready batches; torch's default generator is left as it was.

    Raises:
        ParameterError: A container hides a mix, torchvision's own mix is in the list, or seeds contradict.
    """

    def __init__(self, transforms: Sequence[Callable[..., Any]], *, seed: int | None = None) -> None:
        super().__init__()
        self.transforms = adopted(transforms, door, "BatchCompose", seed, (v2.MixUp, v2.CutMix))
        self.seed = checked_seed(seed, "BatchCompose")
        self._steps = Steps()
        self._stages = stages(self.transforms, lambda transform: type(transform) in _STILL)
        self._finder = finder_of(self.transforms)
        self._pad = padded(self.transforms)

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def forward(self, *batch: Any, **named: Any) -> Any:
        """Transforms a list of samples, or a batch, into a batch."""
        return self._run(gather(batch, named), None)

    def trace(self, *batch: Any, **named: Any) -> Trace:
        """Runs one call and returns the batch before the first mix, the plans, and the result."""
        record = Record()
        after = self._run(gather(batch, named), record)
        return Trace(record.before, tuple(record.plans), after)

    def train(self, mode: bool = True) -> BatchCompose:
        """Hands the mode to the children: ``.eval()`` switches mixing off."""
        super().train(mode)
        for transform in self.transforms:
            if isinstance(transform, torch.nn.Module):
                transform.train(mode)
        return self

    def __repr__(self) -> str:
        from mixtransforms.serialization.source import source

        return source(self)

    def _run(self, data: Any, record: Record | None) -> Any:
        call = self._key(data)
        for stream, stage in enumerate(self._stages, start=1):
            key = None if call is None else keyed(call, stream)
            samples = is_samples(data)
            if stage.kind == MIX:
                data = mix_stage(data, stage, key, record, self._finder)
            elif samples:
                data = self._each(data, stage=stage, key=key)
            elif stage.kind == SAMPLE:
                data = on_samples(data, self._finder, partial(self._each, stage=stage, key=key))
            else:
                data = transformed(data, stage.transforms, self._finder, batched=True)
        return collate(data, "torch", ragged(data, self._finder, self._pad)) if is_samples(data) else data

    def _key(self, data: Any) -> Key | None:
        if self.seed is None:
            return None
        return call_key(self.seed, self._steps, content(data, self._finder), is_samples(data))

    def _each(
        self, samples: Sequence[Any], groups: tuple[Group, ...] | None = None, *, stage: Stage, key: Key | None
    ) -> list[Any]:
        if key is None:
            return [transformed(sample, stage.transforms, self._finder, groups) for sample in samples]
        seeds = key.generator().integers(2**63, size=len(samples)).tolist()
        with _borrowed() as generator:
            result = []
            for sample, seed in zip(samples, seeds, strict=True):
                generator.manual_seed(seed)
                result.append(transformed(sample, stage.transforms, self._finder, groups))
            return result


@contextmanager
def _borrowed() -> Iterator[torch.Generator]:
    """torch's default generator, put back as it was."""
    with _default_generator:
        state = torch.default_generator.get_state()
        try:
            yield torch.default_generator
        finally:
            torch.default_generator.set_state(state)
