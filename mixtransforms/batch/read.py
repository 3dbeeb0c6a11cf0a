"""From a batch to its targets as arrays: one backend, one number of samples, one size of images."""

from __future__ import annotations

import operator
from collections.abc import Hashable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from mixtransforms.batch.annotations import check_annotations
from mixtransforms.batch.batch import Convert, Found, Slot, Template, is_column
from mixtransforms.batch.collate import collate, ragged, stack
from mixtransforms.batch.inventory import Finder
from mixtransforms.batch.padding import padded, sizes_alike
from mixtransforms.batch.refusals import check_inventory
from mixtransforms.containers.structure import batch_key, common_key, is_samples
from mixtransforms.containers.tree import (
    Path,
    describe,
    hides_arrays,
    is_flat,
    is_foreign,
    is_picture,
    leaf_at,
    spell,
    unpacked,
    walk,
)
from mixtransforms.core.backends import backend_of, unmasked
from mixtransforms.core.errors import InputError
from mixtransforms.kernels import kernel_of
from mixtransforms.plan import BatchSpec
from mixtransforms.targets.kind import Target
from mixtransforms.targets.names import DEFAULT_NAMES, IMAGE, LABEL, MASK, MULTILABEL, REGRESSION, TABLE

FOLLOWING = frozenset({LABEL, MULTILABEL, REGRESSION})
"""Kinds that are converted to the back end of the images. Masks are not: their axes may lie otherwise there."""


def find_batch(
    batch: Any,
    finder: Finder,
    *,
    pad: bool = False,
    fill: int = 0,
    labels: Any = None,
    labels_follow: bool = False,
    reserve: bool = False,
    key: Hashable | None = None,
) -> Found:
    """Finds the targets of a batch or of a list of samples, and makes them arrays that belong together.

    Batches of a structure that was found before are not searched again.

    Args:
        batch: Any container, or a list of samples.
        finder: Knows what values are called, and the axes of images.
        pad: Whether images of unequal sizes are padded to the largest, at their right and lower edges.
        fill: Value of padded pixels of masks.
        labels: Finds the one leaf of a batch that is known to be the labels; ``None`` where nothing is.
        labels_follow: Convert whatever is of another backend to the images', and not labels and numbers alone.
        reserve: Whether large images of samples may be left for the painter to collate, see :attr:`Found.rows`.
        key: What the structure of a ready batch is known by, where somebody has asked for that already.

    Raises:
        InputError: There are no images, an array is unknown, or targets do not belong together.
    """
    samples = key is None and is_samples(batch)
    rows: dict[Path, list[Any]] = {}
    reserve = samples and reserve and labels is None and not finder.layout.is_table
    given = _collated(batch, finder, pad, rows if reserve else None) if samples else batch
    if key is None and labels is None:
        key = batch_key(given)
    if key is None:
        given = unpacked(given, finder.passes)
    own = None if labels is None else _found_labels(labels(given))
    template: Template | None = None if key is None else finder.memo.get(key)
    if template is not None:
        found = template.read(given, samples=samples, rows=rows)
    else:
        found = _first(given, finder, fill if pad else None, own, labels_follow, samples, rows)
        if key is not None and found.template.settled:
            finder.memo[key] = found.template
    if rows and not rows.keys() <= {target.path for target in found.images}:  # they stand where no painter sees them
        return find_batch(batch, finder, pad=pad, fill=fill, labels=labels, labels_follow=labels_follow)
    return found


def _found_labels(labels: Any) -> Any:
    """What a ``labels_getter`` has returned: nothing is no answer, since labels would be looked for by name instead."""
    if labels is not None:
        return labels
    raise InputError(
        "No labels found",
        where="labels_getter",
        got="None",
        wanted="the labels of the batch",
        fix="Return them, or say labels_getter=None where there are none, or 'default' to have them found by name.",
    )


def _first(
    given: Any,
    finder: Finder,
    fill: int | None,
    labels: Any,
    labels_follow: bool,
    samples: bool,
    rows: Mapping[Path, list[Any]],
) -> Found:
    """A batch of a structure that was not met before."""
    if finder.strict:
        check_annotations(given, finder.passes, batched=True)
    inventory, layout = finder.inventory(given, labels, by_columns=True), finder.layout
    if finder.strict:
        check_inventory(inventory, labels)
    batch, found = inventory.batch, inventory.targets
    if layout.is_table:
        found = [target._replace(kind=TABLE) if target.kind == IMAGE else target for target in found]
    unpadded = found
    sizes, found = ((), unpadded) if fill is None else padded(unpadded, layout, fill)
    empty = next((target for target in found if target.kind == IMAGE and not backend_of(target.value)), None)
    if empty is not None and not empty.value:
        raise _no_samples(empty)
    images = [target._replace(value=_as_array(target)) for target in found if target.kind == IMAGE]
    roots = images or [target for target in found if target.kind == TABLE]
    if not roots:
        raise no_images(given)
    for target in roots:
        if not backend_of(target.value):
            raise _no_array(target.path, target.value)
    backend = _one_backend(roots)
    rest = [target for target in found if target.kind != IMAGE]
    convert = {
        target.path: partial(
            _following, backend, labels_follow or target.kind in FOLLOWING, is_column(batch, target.path)
        )
        for target in rest
    }
    others = [target._replace(value=convert[target.path](target)) for target in rest]
    size = next((len(target.value) for target in images if len(target.value.shape) > 3), None)
    axes = {target.path: layout.axes(target.value, spell(target.path), size) for target in images}
    template = Template(
        inventory.records,
        tuple(_slot(target, batch, _as_array) for target in images),
        tuple(_slot(target, batch, convert[target.path]) for target in others),
        inventory.groups,
        finder.boxes,
        axes,
        {target.path: tuple(target.value.shape) for target in images},
        layout.first(images[0].value) if images else backend == "torch",
        layout.whole(images[0].value, spell(images[0].path)) if images else ((), ()),
        _one_spec(images + others, axes),
        sizes,
        not sizes or sizes_alike(unpadded, layout, sizes),
        # Padding looks at the sizes of values, and of records the structure leaves out the lengths of their arrays.
        settled=not (inventory.counts_decide or inventory.images_in_records)
        and all(map(operator.is_, found, unpadded)),
    )
    return template.found(given, batch, tuple(images), tuple(others), samples, rows)


def _slot(target: Target, batch: Any, convert: Convert) -> Slot:
    """Where a target is that had to be converted, or not."""
    leaf = leaf_at(batch, target.path)
    listed = type(leaf) if is_flat(leaf) and backend_of(leaf[0]) else None
    return Slot(target._replace(value=None), None if target.value is leaf else convert, listed)


def collated(batch: Any, finder: Finder, pad: bool = False) -> Any:
    """A list of samples as a batch, whose numbers become tensors where there are tensors; a batch as it is.

    Args:
        batch: Any container, or a list of samples.
        finder: Knows what values are called.
        pad: Whether images of unequal sizes are allowed, and stay lists.
    """
    return _collated(batch, finder, pad, None) if is_samples(batch) else batch


def _collated(batch: Any, finder: Finder, pad: bool, rows: dict[Path, list[Any]] | None) -> Any:
    """See :func:`collated`; ``rows`` gets the images that are left to be collated, see :attr:`Found.rows`."""
    form = None if pad else common_key(batch, exact=True)
    known = finder.memo.get(("samples", form))
    if form is None:
        batch = unpacked(batch, lambda path: finder.passes(path[1:]))
    if form is None or known is None:
        finder.parts_of_samples(batch)  # refuses what could not even be stacked
        targets = finder.inventory(batch[0], batched=False).targets
        _check_bundles(targets)
        tensors = any(backend_of(leaf) == "torch" for _, leaf in walk(batch[0], lambda *_: False))
        images = [target.path for target in targets if target.kind == IMAGE]
        known = "torch" if tensors else "numpy", ragged(batch, finder, pad), images
        if form is not None and all(group.certain for group in finder.sample_parts(batch[0]).groups):
            finder.memo["samples", form] = known
    backend, apart, images = known
    if rows is None:
        return collate(batch, backend, apart)
    rows.update((path, []) for path in images)
    result = collate(batch, backend, apart, later=rows)
    for path in [path for path, own in rows.items() if not own]:  # images of unequal sizes stay a list
        del rows[path]
    return result


def _check_bundles(targets: Sequence[Target]) -> None:
    """Raises for a list of masks a sample: neither one mask of ids, nor, without boxes, one mask an object."""
    for target in targets:
        listed = type(target.value) in (list, tuple) and target.value
        # Numbers further inside are COCO's polygons, which are refused where they stand beside their boxes.
        if target.kind == MASK and listed and (type(target.path[-1]) is str or backend_of(target.value[0])):
            raise InputError(
                "A list of masks for one sample",
                where=f"sample 0, {spell(target.path)}",
                got=f"{len(target.value)} masks",
                wanted="one array, (H, W) or a channel for every class",
                fix="Stack them along the axis of channels, or say that each is an object's with "
                f"kinds={{{target.path[-1]!r}: 'instances'}}.",
            )


def _is_called_image(path: Path) -> bool:
    return DEFAULT_NAMES.get(str(path[-1]).lower()) == IMAGE


def _no_array(path: Path, value: Any) -> InputError:
    return InputError(
        "No array",
        where=spell(path),
        got=describe(value),
        wanted="an array, or a list or tuple with one array a sample",
        fix="Convert it, for example with list(...) or numpy.asarray(...).",
    )


def no_images(batch: Any) -> InputError:
    """The error for a batch in which nothing is known as an image."""
    leaves = list(walk(batch, lambda *_: False))
    opaque = next((place for place in leaves if not backend_of(place[1]) and hides_arrays(place[1])), None)
    got, fix = (
        f"{type(batch).__name__} without images",
        "Pass images with it, or say which value they are with kinds={...: 'image'}.",
    )
    if not leaves:
        got = f"an empty {type(batch).__name__}"
        fix = "Pass one sample or more; an empty batch is an array of images, such as torch.zeros(0, 3, 224, 224)."
    elif any(is_picture(leaf) for _, leaf in leaves):
        got = f"{type(batch).__name__} with PIL images, which are no arrays"
        fix = "Convert them first, for example with v2.ToImage()."
    elif opaque is not None:
        got = f"{type(opaque[1]).__name__} at {spell(opaque[0])}, a type that is not looked into"
        fix = "Convert it to an array, np.asarray(...), or to a dict of arrays."
    else:
        named = [(path, leaf) for path, leaf in leaves if path and leaf is not None and _is_called_image(path)]
        if named:
            return _no_array(*named[0])
    return InputError(
        "Nothing to mix",
        where="batch",
        got=got,
        wanted="a batch of images, as an array, as (images, labels), or by name",
        fix=fix,
    )


def _no_samples(target: Target) -> InputError:
    return InputError(
        "A list without images",
        where=spell(target.path),
        got="an empty list, which does not say how large images are",
        wanted="images of at least one sample, or an array (0, ...)",
        fix="Leave empty batches out, or give an array, np.zeros((0, 224, 224, 3)).",
    )


def _as_array(target: Target) -> Any:
    value = target.value
    if not is_flat(value):
        return unmasked(value, spell(target.path))
    if not backend_of(value[0]):
        return np.asarray(value)
    return unmasked(stack(value, target.path), spell(target.path))


def _one_backend(images: list[Target]) -> str:
    backend = str(backend_of(images[0].value))
    for target in images:
        if backend_of(target.value) != backend:
            raise _two_backends(target.path, str(backend_of(target.value)), backend)
    return backend


def _two_backends(path: Path, got: str, wanted: str) -> InputError:
    names = {"numpy": "a NumPy array", "torch": "a torch tensor"}
    return InputError(
        "NumPy and torch in one batch",
        where=spell(path),
        got=names[got],
        wanted=f"{names[wanted]}, as the images are",
        fix="Convert one of them: torch.from_numpy(array) or tensor.numpy().",
    )


def _following(backend: str, follow: bool, column: bool, target: Target) -> Any:
    """Labels and the like as an array of the images' backend; plain numbers always follow it."""
    if is_flat(target.value) and backend_of(target.value[0]):
        target = target._replace(value=stack(target.value, target.path) if column else _rows(target))
    numbers = backend_of(target.value) is None
    value = _numbers(target) if numbers else unmasked(target.value, spell(target.path))
    own = str(backend_of(value))
    if own == backend:
        return value
    if not (follow or numbers):
        raise _two_backends(target.path, own, backend)
    if own == "numpy" and value.dtype.kind not in "biufc":
        raise _not_numbers(target, describe(value))
    return _convert(value, backend)


def _numbers(target: Target) -> Any:
    """Plain numbers, or an array of another library, as a NumPy array."""
    given = target.value
    if not is_foreign(given):
        return np.array(given, None if given else np.int64)
    try:
        values = np.asarray(given)
    except Exception as reason:  # noqa: BLE001 (whatever a library raises, as for memory on a device)
        raise _not_numbers(target, str(reason)) from None
    if values.dtype.kind not in "biuf":
        raise _not_numbers(target, f"{describe(given)} of dtype {values.dtype}")
    return values


def _not_numbers(target: Target, got: str) -> InputError:
    return InputError(
        "Not numbers",
        where=spell(target.path),
        got=got,
        wanted="bools, integers or floats that np.asarray(...) makes an array of",
        fix="Convert it to a NumPy array or a tensor of numbers, or leave it alone with passthrough.",
    )


def _rows(target: Target) -> Any:
    """A list of values, one array a sample; default collation makes lists of columns, which look alike if square."""
    shape = tuple(target.value[0].shape)
    if len(shape) == 1 and shape[0] == len(target.value):
        raise InputError(
            "Rows or columns",
            where=spell(target.path),
            got=f"{len(target.value)} arrays of shape {shape}",
            wanted="one array of labels, (B,) or (B, K)",
            fix="Stack them along the right axis, or return arrays instead of lists from the dataset.",
        )
    return stack(target.value, target.path)


def _convert(value: Any, backend: str) -> Any:
    if backend == "numpy":
        return kernel_of("torch").to_host(value)
    import torch

    return torch.from_numpy(np.array(value))  # a copy: torch warns of read-only memory


def _one_spec(targets: list[Target], axes: Mapping[Path, tuple[int, ...]]) -> BatchSpec:
    first = targets[0]
    shape = tuple(first.value.shape[axis] for axis in axes.get(first.path, ()))
    for target in targets:
        size = target.value.shape[0] if len(target.value.shape) else None
        if size != first.value.shape[0]:
            raise InputError(
                "Batch sizes disagree",
                where=spell(target.path),
                got=f"{size} values",
                wanted=f"{first.value.shape[0]}, as in {spell(first.path)}",
                fix="Give one value for every sample.",
            )
    return BatchSpec(int(first.value.shape[0]), shape)
