"""A dict that stays as it is: what was read from it once, and is remembered, is true for good."""

from __future__ import annotations

from typing import Any, NoReturn


class FrozenDict(dict[Any, Any]):
    """A dict whose items cannot be assigned; copies of it can."""

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("This dict cannot be changed; make a changed transform with dataclasses.replace(...)")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[type[FrozenDict], tuple[dict[Any, Any]]]:
        return FrozenDict, (dict(self),)
