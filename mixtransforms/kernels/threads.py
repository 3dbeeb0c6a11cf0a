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

_lock = threading.Lock()
_pool: ThreadPoolExecutor | None = None


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
    pool = _opened()
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


def _opened() -> ThreadPoolExecutor:
    """The pool, which starts threads when they are needed."""
    from concurrent.futures import ThreadPoolExecutor

    global _pool
    with _lock:
        if _pool is None:
            _pool = ThreadPoolExecutor(os.cpu_count(), "mixtransforms")
        return _pool


def _close() -> None:
    """Ends all threads: a child would not have them, and would wait for them."""
    global _pool
    with _lock:
        pool, _pool = _pool, None
    if pool is not None:
        pool.shutdown()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_close)
