"""What is found out once for all workers of pytest-xdist, since every one of them sets up its own module fixtures."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

try:
    import fcntl
except ImportError:  # not POSIX: every worker finds it out for itself
    fcntl = None  # type: ignore[assignment]


def once(factory: pytest.TempPathFactory, name: str, find: Callable[[Path], Any]) -> Any:
    """What ``find`` returned to the first worker that asked; others wait for it.

    Args:
        factory: pytest's ``tmp_path_factory``.
        name: Of a folder, which ``find`` may fill and which stays for the tests.
        find: Returns what JSON can hold; where it fails, the next worker tries again.
    """
    base = factory.getbasetemp()
    if fcntl and "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder = base / name
    folder.mkdir(parents=True, exist_ok=True)
    found = folder / "found.once"
    with (folder / "lock.once").open("w") as lock:
        if fcntl:
            fcntl.flock(lock, fcntl.LOCK_EX)
        if not found.exists():
            found.write_text(json.dumps(find(folder)), encoding="utf-8")
    return json.loads(found.read_text(encoding="utf-8"))
