"""Results that are kept because they are asked for again and again, and never travel."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any
from weakref import WeakKeyDictionary

MOST = 256
"""Entries that a memo holds; more are a sign that nothing comes again."""


class Memo(dict[Hashable, Any]):
    """A bounded dict that copies and pickles empty: whatever it holds can be worked out anew."""

    def __setitem__(self, key: Hashable, value: Any) -> None:
        if len(self) >= MOST:
            self.clear()
        super().__setitem__(key, value)

    def __reduce__(self) -> tuple[type[Memo], tuple[()]]:
        return Memo, ()


class WeakMemo(WeakKeyDictionary[Any, Any]):
    """What is known of objects for as long as these live; it copies and pickles empty, as a :class:`Memo` does."""

    def __reduce__(self) -> tuple[type[WeakMemo], tuple[()]]:
        return WeakMemo, ()

    def __copy__(self) -> WeakMemo:
        return WeakMemo()

    def __deepcopy__(self, _: Any) -> WeakMemo:
        return WeakMemo()
