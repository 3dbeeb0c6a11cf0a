"""A batch and a second one behind it, whose samples are partners of the first one's and are not mixed themselves."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np

from mixtransforms.batch.batch import Found, Template
from mixtransforms.containers.tree import Path, spell
from mixtransforms.core.backends import backend_of, dtype_name
from mixtransforms.core.errors import InputError
from mixtransforms.core.memo import Memo
from mixtransforms.kernels import kernel_of
from mixtransforms.objects.columns import check_forms, column_of, items_of
from mixtransforms.objects.objects import Objects
from mixtransforms.plan import BatchSpec
from mixtransforms.targets.kind import Target
from mixtransforms.targets.names import LABEL, MASK, MULTILABEL

SECOND, BANK = "second", "bank"
"""By what a second batch is given, in errors: with the call, or by an option of the transform."""

_MIXED_WITH = {
    SECOND: "Give second= the parts that the batch has, in the same containers and under the same names; of a batch "
    "that is given in parts, a tuple or a dict of them. A value that is only called 'second' goes into a dict with the "
    "others, transform({...}).",
    BANK: "Have the data set of the bank return samples as the mix gets them, under the names that the batch has: it "
    "does whatever a pipeline does before the mix.",
}


def behind(first: Found, second: Found, memo: Memo, name: str = SECOND) -> Found:
    """Two batches as one of ``B + N`` samples, of which :func:`~mixtransforms.mixing.engine.replayed` returns ``B``.

    Images in host memory are not copied: the painter reads both batches where they are, as it reads samples that were
    never stacked. Everything else is joined along the axis of samples. Values that are no targets are the first one's.

    Args:
        first: The batch that is mixed, checked.
        second: The batch that its partners are of, checked.
        memo: Of the finder of both, for what is the same of all pairs of these structures.
        name: By what the second was given, for errors.

    Raises:
        InputError: They do not belong together.
    """
    check_alike(first, second, name)
    rows: dict[Path, list[Any]] = {}
    images = tuple(_images(one, other, first, second, rows) for one, other in _pairs(first.images, second.images))
    others = tuple(
        one._replace(value=_joined(one.value, other.value)) for one, other in _pairs(first.others, second.others)
    )
    template = _template(first.template, second.template, memo)
    objects = tuple(_objects(one, other, template.spec) for one, other in object_pairs(first, second))
    parts = first, second
    return Found(first.given, first.batch, images, others, objects, template, first.samples, rows, parts)


def no_batch() -> InputError:
    """The error for ``None`` in the place of a second batch."""
    return InputError(
        "No second batch",
        where=SECOND,
        got="None",
        wanted="a batch",
        fix=f"Leave {SECOND} out where there is none. A value that is only called {SECOND!r} goes into a dict with the "
        "others, transform({...}).",
    )


def refuse_second(second: Any, where: str) -> None:
    """Refuses a second batch where nobody would know which transforms it goes through.

    Args:
        second: What was given, or ``...``.
        where: Who was called.

    Raises:
        InputError: There is one.
    """
    if second is not ...:
        raise InputError(
            "A second batch for a pipeline",
            where=f"{where}, {SECOND}",
            got="a batch that samples would be mixed with behind other transforms",
            wanted="one that is prepared already, for a mix alone",
            fix=f"Mix behind the pipeline, mix(batch, {SECOND}=...), with both batches prepared by it. A value that is "
            f"only called {SECOND!r} goes into a dict with the others, pipeline({{...}}).",
        )


@contextmanager
def telling_which(name: str) -> Iterator[None]:
    """While it lasts, errors of batches say that they are of the second one, which was given by ``name``."""
    try:
        yield
    except InputError as error:
        if error.where.startswith(name):
            raise
        where = error.where.removeprefix("batch")
        where = name + (where if where != error.where else f", {where}")
        raise InputError(error.what, where=where, got=error.got, wanted=error.wanted, fix=error.fix) from None


def _pairs(first: tuple[Target, ...], second: tuple[Target, ...]) -> Iterator[tuple[Target, Target]]:
    """Every target, and that of the second batch at the same place."""
    there = {target.path: target for target in second}
    return ((target, there[target.path]) for target in first)


def object_pairs(first: Found, second: Found) -> Iterator[tuple[Objects, Objects]]:
    """All that is told of objects, and what the second batch tells at the same place."""
    there = {each.group.anchor: each for each in second.objects}
    return ((each, there[each.group.anchor]) for each in first.objects)


def _images(one: Target, other: Target, first: Found, second: Found, rows: dict[Path, list[Any]]) -> Target:
    """The images of both: what the painter reads, where it can, goes into ``rows``, and it fills the value."""
    kernel, reserved = kernel_of(str(backend_of(one.value))), one.path in first.rows
    both = _memory(first, one), _memory(second, other)
    if both[0] is None or both[1] is None or not (reserved or _are_large(kernel, both[0])):
        return one._replace(value=kernel.concat(first.stacked(one), second.stacked(other)))
    rows[one.path] = [*both[0], *both[1]]
    if reserved:
        return one  # which is empty already
    return one._replace(value=kernel.from_host(np.empty_like(kernel.host_view(one.value)), one.value))


def _memory(found: Found, target: Target) -> list[Any] | None:
    """The images of a batch one by one, as NumPy arrays; ``None`` where these are not all there is to them."""
    if target.path in found.rows:
        return found.rows[target.path]
    view = kernel_of(str(backend_of(target.value))).host_view(target.value)
    return None if view is None else list(view)


def _are_large(kernel: ModuleType, rows: list[Any]) -> bool:
    """Whether samples are painted one by one in any batch: many small ones are quicker all at once."""
    least = max(kernel.small_row(rows[0].dtype, blends) for blends in (True, False)) if rows else 0
    return bool(rows) and rows[0].nbytes >= least


def _joined(first: Any, second: Any) -> Any:
    return kernel_of(str(backend_of(first))).concat(first, second)


def _template(first: Template, second: Template, memo: Memo) -> Template:
    """What is the same of all pairs of two structures: one object, by which recipes are known."""
    known: Template | None = memo.get((SECOND, first, second))
    if known is None:
        spec = BatchSpec(first.spec.size + second.spec.size, first.spec.shape)
        sizes = (*_sizes(first), *_sizes(second)) if first.sizes or second.sizes else ()
        known = dataclasses.replace(first, spec=spec, sizes=sizes, alike=first.alike and second.alike)
        if first.settled and second.settled:
            memo[SECOND, first, second] = known
    return known


def _sizes(template: Template) -> tuple[tuple[int, ...], ...]:
    """Lengths of the mixed axes of every sample; those of a batch that was not padded are its own."""
    return template.sizes or (template.spec.shape,) * template.spec.size


def _objects(one: Objects, other: Objects, spec: BatchSpec) -> Objects:
    columns = {}
    for path, column in one.columns.items():
        items = [*items_of(column, one.sizes), *items_of(other.columns[path], other.sizes)]
        check_forms(path, column_of(items), masks=path == one.group.instances)
        columns[path] = tuple(items) if type(column) is tuple else items
    return Objects(one.group, columns, [*one.sizes, *other.sizes], spec, one.rules)


# ------------------------------------------------------------------------------------------ what belongs together


def check_alike(first: Found, second: Found, name: str) -> None:
    """Refuses a second batch of which something is missing, or of another form.

    Raises:
        InputError: Names the first value, and says how both are told apart by ``name``.
    """
    _check_places(first, second, name)
    for one, other in (*_pairs(first.images, second.images), *_pairs(first.others, second.others)):
        got, wanted = _form(second, other), _form(first, one)
        if got != wanted:
            raise InputError(
                "A second batch of another form",
                where=_where(one.path, name),
                got=_in_words(got),
                wanted=f"{_in_words(wanted)}, as in the batch itself, whatever the number of samples",
                fix=_way_out(got, wanted),
            )
    if first.spec.size and not second.spec.size:
        raise InputError(
            "No partners",
            where=name,
            got="a second batch without samples",
            wanted="one sample at least",
            fix=f"Leave {name} out where there are none: partners are then of the batch itself.",
        )


def _check_places(first: Found, second: Found, name: str) -> None:
    """Refuses a second batch whose targets are not where those of the first are."""
    one, other = _places(first), _places(second)
    missing, more = [path for path in one if path not in other], [path for path in other if path not in one]
    if missing and missing[0] in {target.path for target in first.others}:
        raise _missing(missing[0], one[missing[0]], name)
    odd = next((path for path in (*missing, *more, *one) if one.get(path) != other.get(path)), None)
    if odd is not None:
        raise InputError(
            "A second batch of another structure",
            where=_where(odd, name),
            got=other.get(odd, "nothing that is mixed"),
            wanted=f"{one[odd]}, as in the batch" if odd in one else "nothing that is mixed, as in the batch",
            fix=_MIXED_WITH[name],
        )


def _places(found: Found) -> dict[Path, str]:
    """What is mixed of a batch, by its place."""
    objects = {path: "objects" for each in found.objects for path in each.group.members}
    return {target.path: target.kind for target in found.targets} | objects


def _missing(path: Path, kind: str, name: str) -> InputError:
    own = path[-1] if path else "label"
    unlabelled = {
        LABEL: "Give every sample of it the id of no class, such as -1 with ignore_index=-1 of the transform",
        MULTILABEL: "Give every sample of it a row of zeros",
        MASK: "Give every sample of it a mask full of the id of no class, such as 255 with ignore_index=255 of the "
        "transform",
    }.get(kind, f"Give it a {kind} as well")
    return InputError(
        "Nothing to mix with",
        where=_where(path, name),
        got="nothing there",
        wanted=f"a {kind}, which mixing takes from both",
        fix=f"{unlabelled}; or leave those of the batch alone with passthrough=({own!r},).",
    )


def _where(path: Path, name: str) -> str:
    return name + spell(path).removeprefix("batch")


def _form(found: Found, target: Target) -> tuple[Any, ...]:
    """What must be the same: back end, dtype, lengths but the number of samples, and device."""
    value = found.rows[target.path][0] if target.path in found.rows else target.value
    shape = tuple(target.value.shape[1:])
    return backend_of(target.value), dtype_name(value), shape, str(getattr(target.value, "device", "cpu"))


def _in_words(form: tuple[Any, ...]) -> str:
    backend, dtype, shape, device = form
    return f"{backend} {dtype} of shape (N, {', '.join(map(str, shape))})".replace(", )", ",)") + (
        "" if device == "cpu" else f" on {device}"
    )


def _way_out(got: tuple[Any, ...], wanted: tuple[Any, ...]) -> str:
    backend, dtype, shape, _ = (one != other for one, other in zip(got, wanted, strict=True))
    if backend:
        return "Convert one of them: torch.from_numpy(array) or tensor.numpy()."
    if shape:
        return "Bring both to one size, with as many channels and classes, before they are mixed."
    return "Convert one of them to the dtype of the other." if dtype else "Bring both to one device."
