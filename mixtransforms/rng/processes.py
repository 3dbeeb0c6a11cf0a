"""Where the code runs: which of several training processes this is, and whether it is a worker of a DataLoader.

Asks torch only where somebody else has imported it.
"""

from __future__ import annotations

import os
import sys

from mixtransforms.core.errors import ParameterError

HIGHEST_RANK = 2**32 - 1


def current_rank(otherwise: int = 0) -> int:
    """The distributed rank of this process: torch.distributed's, else the environment's ``RANK``.

    Args:
        otherwise: What it is where neither tells it.

    Raises:
        ParameterError: ``RANK`` is no rank.
    """
    # Never imported for this: whoever has initialized a group has imported it, and for others torch takes a second.
    distributed = sys.modules.get("torch.distributed")
    if distributed is not None and distributed.is_available() and distributed.is_initialized():
        return int(distributed.get_rank())
    # torchrun and accelerate set it before a group exists, which is when pipelines are built and first told an epoch.
    text = os.environ.get("RANK") or str(otherwise)
    # isdigit alone takes "²", and int() a thousand digits.
    if len(text) <= 10 and text.isascii() and text.isdigit() and int(text) <= HIGHEST_RANK:
        return int(text)
    raise ParameterError(
        "No distributed rank",
        where="the environment variable RANK",
        got=repr(text),
        wanted=f"a whole number within [0, {HIGHEST_RANK}]",
        fix="Correct it, or unset it where there is one process only.",
    )


def in_worker() -> bool:
    """Whether this process is a worker of a torch ``DataLoader``."""
    # A process that has not imported it cannot be a worker of its DataLoader.
    data = sys.modules.get("torch.utils.data")
    return data is not None and data.get_worker_info() is not None
