"""Attributes that are worked out when they are first asked for, without a lock."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, TypeVar

Value = TypeVar("Value")


class cached_property(functools.cached_property[Value]):  # noqa: N801  (it stands where its base stood)
    """Like ``functools.cached_property``, for objects that threads share and processes are forked with.

    Until Python 3.12 that one has a lock for all instances of a class: a process that is forked while another thread
    works out a value waits for ever. Here two threads that come first at once both work it out, which changes nothing.
    """

    def __init__(self, work_out: Callable[[Any], Value]) -> None:
        super().__init__(work_out)
        self.lock = nullcontext()
