"""A few threads that stay, for the parts of a piece of work that release the lock of the interpreter."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

Result = TypeVar("Result")


class _Pool:
    """Threads that start when they are needed, and end before the process forks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._threads: ThreadPoolExecutor | None = None

    def opened(self) -> ThreadPoolExecutor:
        """The threads."""
        from concurrent.futures import ThreadPoolExecutor

        with self._lock:
            if self._threads is None:
                self._threads = ThreadPoolExecutor(os.cpu_count(), "mixtransforms")
            return self._threads

    def close(self) -> None:
        """Ends all: a child would not have them, and would wait for them."""
        with self._lock:
            threads, self._threads = self._threads, None
        if threads is not None:
            threads.shutdown()


_pool = _Pool()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_pool.close)


def thread_count() -> int:
    """How many threads work on one batch: as many as torch is set to, which is one in the workers of its loaders.

    It is one where nobody has imported torch, as for NumPy's own operations: whoever has several processes without
    torch would not look for threads here.
    """
    count: Any = getattr(sys.modules.get("torch"), "get_num_threads", None)  # not yet there while torch is imported
    return 1 if count is None else int(count())


def shared_out(tasks: Sequence[Callable[[], Result]]) -> list[Result]:
    """Results of tasks, each of which has a thread, the first one that of the caller.

    Nothing runs any more when this has returned or raised.

    Args:
        tasks: Functions that release the lock of the interpreter, and share nothing out themselves.

    Returns:
        Their results, in any order.
    """
    from concurrent.futures import wait

    others: list[Future[Result]] = []
    own = [tasks[0]]
    pool = _pool.opened()
    for task in tasks[1:]:
        try:
            others.append(pool.submit(task))
        except RuntimeError:  # the interpreter ends, or another thread forks: there are no threads to be had
            own.append(task)
    try:
        results = [task() for task in own]
    finally:
        wait(others)
    return results + [other.result() for other in others]
