"""Stages of torchvision transforms that a pipeline writes down."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torchvision.transforms import v2

from mixtransforms.mixing import host_stages
from mixtransforms.torchvision.steps import checked

MIXES = (v2.MixUp, v2.CutMix)
"""The host's own mixes, which would see one sample at a time."""


def set_mode(transforms: Iterable[Any], mode: bool) -> None:
    """Hands ``.train()`` or ``.eval()`` to the modules of a list, of which a module that holds it knows nothing."""
    for transform in transforms:
        if isinstance(transform, torch.nn.Module):
            transform.train(mode)


class _Stage(host_stages.HostStage, v2.Transform):
    """What both stages have in common."""

    resize = "v2.Resize(({}, {}))"

    def __init__(self, transforms: Sequence[Callable[..., Any]]) -> None:
        super().__init__()
        name = type(self).__name__
        self.transforms = tuple(checked(host_stages.of_samples(transforms, name, MIXES), name))

    def train(self, mode: bool = True) -> _Stage:
        """Hands the mode to the transforms inside."""
        super().train(mode)
        set_mode(self.transforms, mode)
        return self

    def forward(self, *batch: Any) -> Any:
        """Refuses to run on its own.

        Raises:
            ParameterError: Always.
        """
        raise self._outside()


class Otherwise(host_stages.Otherwise, _Stage):  # noqa: D101  (the same text at every door)
    __doc__ = host_stages.Otherwise.__doc__


class PerBatch(host_stages.PerBatch, _Stage):  # noqa: D101  (the same text at every door)
    __doc__ = host_stages.PerBatch.__doc__
