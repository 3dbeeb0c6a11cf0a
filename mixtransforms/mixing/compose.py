"""What the BatchCompose of both hosts has from us: how it is shown, and the state of its draws."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from mixtransforms.containers.tree import Path, children, describe, is_picture, rebuild, spell
from mixtransforms.core.backends import backend_of
from mixtransforms.core.display import Displayed, code_of
from mixtransforms.core.errors import InputError
from mixtransforms.mixing.epochs import Resumable
from mixtransforms.mixing.stages import Stage


class BatchPipeline(Resumable, Displayed):
    """Ordinary transforms on every sample, mixing on the batch; the base of both hosts' BatchCompose."""

    _runtime: ClassVar[frozenset[str]] = frozenset({"_stream", "_stages", "_finder", "_pad"})
    """Attributes that follow from the constructor's arguments or belong to calls: files ignore them."""

    _stages: tuple[Stage, ...]

    def _members(self) -> list[Any]:
        """The transforms that it runs, whatever has become of the list that it was made of."""
        return [member for stage in self._stages for member in stage.transforms]

    def __repr__(self) -> str:
        return str(code_of(self))


def as_samples(batch: Any) -> list[Any] | None:
    """The samples of a batch by columns whose images are lists of PIL images, or ``None`` where it is none.

    Datasets of Hugging Face hand over ``{"image": [picture, ...], "label": [3, ...]}``, and a collate function that
    only turns samples into columns gives ``((picture, ...), (3, ...))``. Pictures have to be transformed one by one.

    Raises:
        InputError: It is one sample, or a column is of another length.
    """
    columns = children(batch) or []
    if is_picture(batch) or any(is_picture(value) for _, value in columns):
        raise InputError(
            "Not a batch of images",
            where="batch",
            got=f"{type(batch).__name__}, which looks like one sample" if columns else "one PIL image",
            wanted="a list of samples, or a batch",
            fix="Give the pipeline to the loader, DataLoader(..., collate_fn=pipeline), and not to the data set.",
        )
    sizes = [
        len(value) for _, value in columns if type(value) in (list, tuple) and value and all(map(is_picture, value))
    ]
    return [_row(batch, (), index, sizes[0]) for index in range(sizes[0])] if sizes else None


def _row(node: Any, path: Path, index: int, size: int) -> Any:
    """One item of every column, in containers of one sample."""
    if path and (backend_of(node) or type(node) in (list, tuple)):
        if len(node) == size:
            return node[index]
    elif columns := children(node):
        values = [_row(value, (*path, key), index, size) for key, value in columns]
        return dict(zip(dict(columns), values, strict=True)) if isinstance(node, Mapping) else rebuild(node, values)
    raise InputError(
        "A column of another length",
        where=spell(path),
        got=describe(node),
        wanted=f"{size} values, one for every picture",
        fix="Leave it out, or give one value for every picture.",
    )
