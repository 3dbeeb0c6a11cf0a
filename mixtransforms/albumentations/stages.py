"""Stages of Albumentations transforms that a pipeline writes down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import albumentations as A

from mixtransforms.albumentations.members import check_members
from mixtransforms.core.errors import ParameterError
from mixtransforms.mixing import host_stages


class _Stage(host_stages.HostStage, A.BaseCompose):
    """What both stages have in common."""

    resize = "A.Resize({}, {})"

    def __init__(self, transforms: Sequence[Any], p: float = 1.0) -> None:
        name = type(self).__name__
        if p != 1:
            raise ParameterError(
                "'p' cannot be honoured",
                where=name,
                got=repr(p),
                wanted="1, since a chance is drawn with the transforms inside",
                fix=f"Write {name}([A.Sequential([...], p={p})]).",
            )
        members = host_stages.of_samples(transforms, name)
        check_members(members, name)
        super().__init__(members, p=1.0)

    def __call__(self, *args: Any, force_apply: bool = False, **data: Any) -> dict[str, Any]:
        """Refuses to run on its own.

        Raises:
            ParameterError: Always.
        """
        raise self._outside()

    @classmethod
    def get_class_fullname(cls) -> str:
        """The name in files, which stays when a module moves."""
        return f"mixtransforms.{cls.__name__}"


def _with_p(text: str | None) -> str:
    """The documentation with the parameter that the host's own files have."""
    return (text or "").replace(
        "\n\n    Raises:", "\n        p: Must be 1; a chance stands inside, as that of an A.Sequential.\n\n    Raises:"
    )


class Otherwise(host_stages.Otherwise, _Stage):  # noqa: D101  (the text of every door)
    __doc__ = _with_p(host_stages.Otherwise.__doc__)


class PerBatch(host_stages.PerBatch, _Stage):  # noqa: D101  (the text of every door)
    __doc__ = _with_p(host_stages.PerBatch.__doc__)
