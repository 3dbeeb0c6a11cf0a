"""Where the code runs: in which process and thread, with which rank, and whether in a worker of a DataLoader.

Asks torch only where somebody else has imported it.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from typing import Any

from mixtransforms.core.errors import ParameterError

HIGHEST_RANK = 2**32 - 1


class Home:
    """The process and the thread in which something was constructed.

    Copies that stay there have the same home. What a process was forked with has its home in another process, and what
    is unpickled has none.
    """

    def __init__(self) -> None:
        self._process = os.getpid()
        self._thread: threading.Thread | None = threading.current_thread()

    def is_process(self) -> bool:
        """Whether this is its process."""
        return self._process == os.getpid()

    def is_here(self) -> bool:
        """Whether this is its process, and its thread."""
        # Numbers of threads are used again; the object that stands for one is not, and lives on in a forked process.
        return self._thread is threading.current_thread() and self._process == os.getpid()

    def __copy__(self) -> Home:
        return self

    def __deepcopy__(self, _: Any) -> Home:
        return self

    def __reduce__(self) -> tuple[Callable[[], Home], tuple[()]]:
        return _nowhere, ()


def _nowhere() -> Home:
    home = Home()
    home._process, home._thread = 0, None  # no process has the number 0
    return home


def known_rank() -> int | None:
    """The distributed rank of this process: torch.distributed's, else the environment's ``RANK``, else ``None``.

    Raises:
        ParameterError: ``RANK`` is no rank.
    """
    # Never imported for this: whoever has initialized a group has imported it, and for others torch takes a second.
    distributed = sys.modules.get("torch.distributed")
    if distributed is not None and distributed.is_available() and distributed.is_initialized():
        return int(distributed.get_rank())
    # torchrun and accelerate set it before a group exists, which is when pipelines are built and first told an epoch.
    text = os.environ.get("RANK")
    if not text:
        return None
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


def current_rank(otherwise: int = 0) -> int:
    """The distributed rank of this process.

    Args:
        otherwise: What it is where it is not known.

    Raises:
        ParameterError: ``RANK`` is no rank.
    """
    known = known_rank()
    return otherwise if known is None else known


def in_worker() -> bool:
    """Whether this process is a worker of a torch ``DataLoader``."""
    # A process that has not imported it cannot be a worker of its DataLoader.
    data = sys.modules.get("torch.utils.data")
    return data is not None and data.get_worker_info() is not None


def worker_number() -> int:
    """Which worker of a torch ``DataLoader`` this process is, from 1; 0 where it is none."""
    data = sys.modules.get("torch.utils.data")
    worker: Any = None if data is None else data.get_worker_info()
    return 0 if worker is None else int(worker.id) + 1
