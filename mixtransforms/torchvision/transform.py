"""Mixing methods as torchvision v2 transforms."""

# No `from __future__ import annotations`: signatures must show types, not strings.
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torchvision.transforms import v2

from mixtransforms.core import fields
from mixtransforms.methods.base import NO_HINTS
from mixtransforms.methods.pairing import Hints
from mixtransforms.mixing.doors import door_classes
from mixtransforms.mixing.transform import MixTransform, gather


class _Kept(threading.local):
    """The tensor of this thread that seeds are drawn into: to make one takes three times as long as to draw."""

    number: torch.Tensor | None = None


_kept = _Kept()


def _getter(value: Any) -> Any:
    if not (value == "default" or value is None or callable(value)):
        raise ValueError
    return value


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Transform(MixTransform, v2.Transform):
    """A mixing transform of torchvision v2: an ``nn.Module`` on batches.

    With ``seed=None`` it draws from torch's default generator, which ``torch.manual_seed`` governs. ``.eval()``
    switches mixing off and keeps the form of the labels.
    """

    _: fields.KW_ONLY  # kw_only=True says the same at run time; this line says it to type checkers
    labels_getter: str | Callable[[Any], Any] | None = fields.parameter(
        "default",
        _getter,
        "'default', None or a callable",
        "How labels are found: by name or position, not at all, or by a callable that takes the batch and returns "
        "them, as in v2.MixUp.",
        {"enum": ["default", None]},
    )

    def __post_init__(self) -> None:
        v2.Transform.__init__(self)
        super().__post_init__()

    __call__ = v2.Transform.__call__

    def forward(self, *batch: Any, hints: Hints = NO_HINTS, second: Any = ..., **named: Any) -> Any:
        """See :meth:`mixtransforms.mixing.transform.MixTransform.__call__`."""
        run = self._run_untraced if torch.compiler.is_compiling() else self._run
        return run(gather(batch, named), hints, second)

    # Drawing is NumPy's; a compiled model calls it as it is.
    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def _run_untraced(self, batch: Any, hints: Hints = NO_HINTS, second: Any = ...) -> Any:
        return self._run(batch, hints, second)

    def _host_seed(self) -> int:
        number = _kept.number
        if number is None:
            number = torch.empty((), dtype=torch.int64, device="cpu")
            if type(number) is torch.Tensor and not number.is_inference():  # which others could not draw into
                _kept.number = number
        return int(number.random_().item())

    def _off(self) -> bool:
        return not self.training

    @property
    def _labelled(self) -> bool:  # type: ignore[override]
        return self.labels_getter is not None

    @property
    def _find_labels(self) -> Callable[[Any], Any] | None:  # type: ignore[override]
        return self.labels_getter if callable(self.labels_getter) else None


globals().update(door_classes(Transform, __name__))
