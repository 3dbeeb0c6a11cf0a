"""What the BatchCompose of both hosts has from us: how it is shown, and the state of its draws."""

from __future__ import annotations

from typing import Any, ClassVar

from mixtransforms.core.display import Displayed, code_of
from mixtransforms.mixing.epochs import Resumable
from mixtransforms.mixing.pipeline import Stage


class BatchPipeline(Resumable, Displayed):
    """Ordinary transforms on every sample, mixing on the batch; the base of both hosts' BatchCompose."""

    _runtime: ClassVar[frozenset[str]] = frozenset({"_stream", "_stages", "_finder", "_pad", "_steps", "_last"})
    """Attributes that follow from the constructor's arguments or belong to calls: files ignore them."""

    _stages: tuple[Stage, ...]

    def _members(self) -> list[Any]:
        """The transforms that it runs, whatever has become of the list that it was made of."""
        return [member for stage in self._stages for member in stage.transforms]

    def __repr__(self) -> str:
        return str(code_of(self))
