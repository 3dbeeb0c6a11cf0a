"""What the BatchCompose of both hosts has from us: how it is shown, and the state of its draws."""

from __future__ import annotations

from mixtransforms.core.display import Displayed, code_of
from mixtransforms.mixing.epochs import Resumable


class BatchPipeline(Resumable, Displayed):
    """Ordinary transforms on every sample, mixing on the batch; the base of both hosts' BatchCompose."""

    def __repr__(self) -> str:
        return str(code_of(self))
