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
        self._renew()
        self._minds_forks = False

    def _renew(self) -> None:
        self._lock = threading.Lock()
        self._threads: ThreadPoolExecutor | None = None

    def opened(self) -> ThreadPoolExecutor:
        """The threads."""
        from concurrent.futures import ThreadPoolExecutor

        with self._lock:
            if not self._minds_forks and hasattr(os, "register_at_fork"):
                # Behind what the module above does, which is then done in between: it takes a lock that `submit` needs.
                os.register_at_fork(before=self._close, after_in_parent=self._reopen, after_in_child=self._renew)
                self._minds_forks = True
            if self._threads is None:
                self._threads = ThreadPoolExecutor(os.cpu_count(), "mixtransforms")
            return self._threads

    def _close(self) -> None:
        """Ends all, and lets none start until the process has forked: a child would lack them, and wait for them."""
        self._lock.acquire()
        threads, self._threads = self._threads, None
        if threads is not None:
            threads.shutdown()

    def _reopen(self) -> None:
        self._lock.release()


_pool = _Pool()


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
    others: list[Future[Result]] = []
    own = [tasks[0]]
    pool = _pool.opened()
    try:
        for task in tasks[1:]:
            try:
                others.append(pool.submit(task))
            except RuntimeError:  # the interpreter ends, or another thread forks: there are no threads to be had
                own.append(task)
        results = [task() for task in own]
    finally:
        _wait_for(others)
    return results + [other.result() for other in others]


def _wait_for(others: Sequence[Future[Any]]) -> None:
    """Waits until all have ended; what the handler of a signal raises meanwhile is raised then."""
    from concurrent.futures import wait

    try:
        wait(others)
    except BaseException:
        _wait_for(others)
        raise
