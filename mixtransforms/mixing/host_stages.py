"""Stages that are written down: transforms of a host for samples that were not mixed, or with one draw for a batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar

from mixtransforms.core.display import code_of
from mixtransforms.core.errors import ParameterError
from mixtransforms.rng.streams import Stream

ALIKE, OTHERWISE = "alike", "otherwise"
"""Kinds of stages: on every sample with the draws of all, and on those that the mix before it has left alone."""


class HostStage:
    """Transforms of a host that make a stage of their own; the base of what each door has.

    Attributes:
        kind: :data:`OTHERWISE` or :data:`ALIKE`.
        resize: The host's resize to a height and a width, to be filled in, for errors.
        transforms: The host's transforms.
    """

    kind: ClassVar[str]
    resize: ClassVar[str]
    transforms: tuple[Any, ...]

    def __repr__(self) -> str:
        return str(code_of(self))

    @classmethod
    def _outside(cls) -> ParameterError:
        """The error where it is called as a transform, by anything but a pipeline of ours."""
        name = cls.__name__
        return ParameterError(
            "A stage outside of its pipeline",
            where=name,
            got="a call of it, by itself or in a container of the host",
            wanted=f"{name}([...]) in the list of a BatchCompose, which knows the batch",
            fix=f"Write BatchCompose([..., {name}([...]), ...]).",
        )


class Otherwise(HostStage):
    """Transforms for the samples that the mix directly before has left alone; the others pass as they are.

    In ``BatchCompose([..., CutMix(p=0.5), Otherwise([...])])`` every sample is either mixed or transformed, as recipes
    of detectors have it, which enlarge or crop pictures only where no mosaic was made. A sample is left alone if the
    plan of that one mix has no layer for it: its gate (``p``, which schedules may change) was closed, mixing is
    switched off, as by ``.eval()``, or it is one of the originals that ``keep_originals=True`` puts before the mixed
    ones. Each draws for itself, and the same whoever else was mixed.

    Samples come back as large, and of the same dtype, as they went in, since they are stacked with the mixed ones:
    transforms that change sizes are followed by a resize inside.

    Args:
        transforms: Transforms of the host, for one sample; no mixes.

    Raises:
        ParameterError: There are none, or one of them is no transform of a sample.
    """

    kind = OTHERWISE


class PerBatch(HostStage):
    """Transforms that draw once for the whole batch, as mixes with ``per="batch"`` do.

    Behind a mix all samples have to have one size: ``PerBatch([...])`` around transforms that draw a size, or around a
    choice of several resizes, trains at several scales, with another one for every batch. Boxes, masks and keypoints
    follow. All samples start from the same draws, so that transforms which draw as much for every sample do the same to
    all of them.

    Args:
        transforms: Transforms of the host, for one sample; no mixes.

    Raises:
        ParameterError: There are none, or one of them is no transform of a sample.
    """

    kind = ALIKE


def of_samples(transforms: Any, where: str, theirs: tuple[type, ...] = ()) -> tuple[Any, ...]:
    """The transforms of a :class:`HostStage`, all of which are for one sample.

    Args:
        transforms: What the user gave.
        where: Name of the stage's class, for errors.
        theirs: The host's own mixes.

    Raises:
        ParameterError: It is no list, an empty one, or a mix or another stage is in it.
    """
    if not isinstance(transforms, Sequence) or isinstance(transforms, str) or not len(transforms):
        raise ParameterError(
            "No list of transforms",
            where=where,
            got=f"an empty {type(transforms).__name__}" if hasattr(transforms, "__len__") else repr(transforms),
            wanted="transforms of the host in a list",
            fix=f"Write {where}([...]) with one at least, or leave it out.",
        )
    for index, transform in enumerate(transforms):
        for inner in nested(transform):
            keyed = isinstance(getattr(inner, "_stream", None), Stream)  # a mix, or a pipeline of its own
            if keyed or isinstance(inner, (HostStage, *theirs)):
                name = type(inner).__name__
                raise ParameterError(
                    "What is for a batch inside of a stage for samples",
                    where=f"{where}, transform {index}",
                    got=name,
                    wanted="transforms of one sample",
                    fix=f"Take {name} out, and give it, or what is in it, to the BatchCompose around {where}.",
                )
    return tuple(transforms)


def nested(transform: Any) -> Iterator[Any]:
    """A transform and everything inside it, in containers of either host and in modules."""
    yield transform
    if isinstance(transform, type):
        return
    listed = transform if isinstance(transform, (list, tuple)) else getattr(transform, "transforms", None)
    modules = getattr(transform, "children", None)
    for child in (*(listed if isinstance(listed, Iterable) else ()), *(modules() if callable(modules) else ())):
        yield from nested(child)
