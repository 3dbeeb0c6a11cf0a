"""Samples of earlier batches, kept as a second batch that partners are of."""

from __future__ import annotations

import copy
import dataclasses
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixtransforms.batch.batch import Found, copied
from mixtransforms.batch.second import BANK, check_alike, object_pairs
from mixtransforms.containers.tree import Path
from mixtransforms.core.backends import backend_of
from mixtransforms.core.errors import InputError
from mixtransforms.kernels import kernel_of
from mixtransforms.objects.columns import check_forms, column_of, items_of
from mixtransforms.objects.objects import Objects
from mixtransforms.plan import BatchSpec
from mixtransforms.rng.keys import Key


class Earlier:
    """The last samples that a transform was given, copied as they came, the oldest first.

    A batch joins the others when the next one comes: until then, whoever replays a plan finds what it was drawn with.
    It pickles empty, and its copies share what it has, which nobody writes into.

    Attributes:
        key: Of the last draw; ``None`` before any.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self.forget()

    def forget(self) -> None:
        """Begins anew."""
        self.key: Key | None = None
        self._kept: deque[Sequence[Any]] = deque(maxlen=self._size)
        self._last: Sequence[Sequence[Any]] = ()
        self._form: Found | None = None

    def check(self, found: Found) -> None:
        """Refuses a batch that is of another form than the samples here.

        Raises:
            InputError: Names the first value that is.
        """
        if self._form is None:
            return
        try:
            check_alike(found, self._form, BANK)
            for one, other in object_pairs(self._form, found):
                for path, known in one.columns.items():
                    items = [*known, *items_of(other.columns[path], other.sizes)]
                    check_forms(path, column_of(items), masks=path == one.group.instances)
        except InputError as error:
            raise InputError(
                "Earlier samples of another form",
                where=error.where,
                got=error.got,
                wanted=error.wanted,
                fix="Bring all batches into one form before they are mixed, or mix each form by a transform of its own "
                "with a bank of its own.",
            ) from None

    def follow(self, found: Found, named: Mapping[str, NDArray[Any]], key: Key) -> None:
        """Takes in the batch before, and holds a copy of this one ready.

        Args:
            found: A batch that was checked here.
            named: Further values of it that are read by name, one item a sample.
            key: Of its draw.
        """
        if self._form is None:
            self._form = _form_of(found, named, self._size)
        self._kept.extend(self._last)
        self.key, self._last = key, _samples(found, named, self._form)

    def batch(self) -> Found | None:
        """The samples without those of the last draw; ``None`` as long as they are too few."""
        form = self._form
        if form is None or len(self._kept) < self._size:
            return None
        columns = iter(list(map(list, zip(*self._kept, strict=True))))
        images, rows = [], {}
        for target in form.images:
            column, axes = next(columns), len(target.value.shape)
            if all(len(row.shape) < axes for row in column):  # the painter reads them where they are
                rows[target.path] = column
            else:
                kernel = kernel_of(str(backend_of(target.value)))
                column = [r if len(r.shape) == axes else kernel.from_host(r[None], target.value) for r in column]
                target = target._replace(value=_joined(column))
            images.append(target)
        others = [target._replace(value=_joined(next(columns))) for target in form.others]
        objects = [
            dataclasses.replace(each, columns={path: next(columns) for path in each.columns}, sizes=next(columns))
            for each in form.objects
        ]
        named = {name: np.concatenate(next(columns)) for name in form.batch}
        whole = dataclasses.replace(form, batch=named, images=tuple(images), others=tuple(others))
        return dataclasses.replace(whole, objects=tuple(objects), rows=rows)

    def __deepcopy__(self, _: Any) -> Earlier:
        twin = Earlier(self._size)
        vars(twin).update(vars(self), _kept=self._kept.copy())
        return twin

    def __reduce__(self) -> tuple[type[Earlier], tuple[int]]:
        return Earlier, (self._size,)


def _form_of(found: Found, named: Mapping[str, Any], size: int) -> Found:
    """What all batches have in common, as one of ``size`` samples whose values are empty."""
    images, others = (
        tuple(target._replace(value=_copied(target.value, 0)) for target in targets)
        for targets in (found.images, found.others)
    )
    spec = BatchSpec(size, found.spec.shape)
    objects = tuple(
        dataclasses.replace(each, columns={path: _telling(each, path) for path in each.columns}, sizes=(), spec=spec)
        for each in found.objects
    )
    template = dataclasses.replace(found.template, spec=spec)
    return Found(None, dict.fromkeys(named), images, others, objects, template, False, {})


def _telling(objects: Objects, path: Path) -> list[Any]:
    """One value of a column that says of what form its rows are, if there is any."""
    items = items_of(objects.columns[path], objects.sizes)
    telling = next((item for item in items if len(item)), None)
    return [] if telling is None else [_own(telling)]


def _samples(found: Found, named: Mapping[str, NDArray[Any]], form: Found) -> list[tuple[Any, ...]]:
    """The last samples of a batch, as many as a form has, one by one: every value, and the rest of it as long as 1."""
    size = form.spec.size
    values = {target.path: target.value for target in found.targets}
    columns = [_image_rows(values[target.path], size) for target in form.images]
    columns += [_rows(values[target.path], size) for target in form.others]
    for one, other in object_pairs(form, found):
        columns += [list(map(_own, items_of(other.columns[path], other.sizes)[-size:])) for path in one.columns]
        columns.append(list(other.sizes[-size:]))
    columns += [_rows(named[name], size) for name in form.batch]
    return list(zip(*columns, strict=True))


def _image_rows(values: Any, size: int) -> list[Any]:
    """The last images, copied, as NumPy's arrays where these are all there is to them, else like other rows."""
    backend = str(backend_of(values))
    views = kernel_of(backend).host_views([values.detach() if backend == "torch" else values])
    return _rows(values, size) if views is None else list(np.array(views[0][-size:]))


def _rows(values: Any, size: int) -> list[Any]:
    """The last rows of an array as batches of one, which nobody else writes into."""
    own = _copied(values, size)
    return [own[index : index + 1] for index in range(len(own))]


def _copied(values: Any, size: int) -> Any:
    """The last rows of an array, copied, without the type and the history of a tensor."""
    backend = str(backend_of(values))
    own = kernel_of(backend).take(values, np.arange(max(len(values) - size, 0), len(values)))
    return own.detach() if backend == "torch" else own


def _own(item: Any) -> Any:
    """What is told of the objects of one image, as nobody else changes it."""
    return copied(item) if backend_of(item) else copy.deepcopy(item)


def _joined(rows: Sequence[Any]) -> Any:
    return kernel_of(str(backend_of(rows[0]))).concat(*rows)
