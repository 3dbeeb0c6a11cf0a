"""What both hosts' BatchCompose share: stages, and the way between a batch and its samples."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mixtransforms.batch.annotations import check_annotations
from mixtransforms.batch.batch import Found, copied
from mixtransforms.batch.collate import stack
from mixtransforms.batch.identity import sample_hashes
from mixtransforms.batch.inventory import Finder
from mixtransforms.batch.read import no_images
from mixtransforms.containers.records import is_records
from mixtransforms.containers.structure import is_samples
from mixtransforms.containers.tree import Path, describe, spell, unpacked, walk
from mixtransforms.containers.tree import replace as replace_leaves
from mixtransforms.core import fields
from mixtransforms.core.backends import backend_of, check_form, dtype_name
from mixtransforms.core.errors import InputError
from mixtransforms.core.layout import Layout
from mixtransforms.kernels import kernel_of
from mixtransforms.mixing.carried import Carried
from mixtransforms.mixing.host_stages import ALIKE, HostStage
from mixtransforms.mixing.stages import Stage
from mixtransforms.mixing.trace import Step
from mixtransforms.mixing.transform import MixTransform
from mixtransforms.objects.boxes import BoxRules, LimitedBoxRules
from mixtransforms.objects.groups import Group
from mixtransforms.objects.keypoints import Keypoints
from mixtransforms.plan import Plan
from mixtransforms.rng.keys import Call, WordArray, told_apart
from mixtransforms.rng.streams import Stream
from mixtransforms.targets.names import IMAGE, OF_WHOLE_IMAGES


class Alone(NamedTuple):
    """The samples that a mix has left alone.

    Attributes:
        rows: Which samples of the mixed batch these are, ``(B,)``; of one with its originals, ``(2 B,)``.
        stage: What transforms them.
    """

    rows: NDArray[np.bool_]
    stage: HostStage


def left_alone(mix: MixTransform, plan: Plan, size: int) -> NDArray[np.bool_]:
    """The samples of a mixed batch of ``size`` that have no layer of a plan, as originals that are kept have none.

    On a canvas these are the samples that no other is painted beside.
    """
    rows = np.ones(size * (2 if mix.keep_originals else 1), np.bool_)
    for layer in plan.layers:
        painted = layer.rows if plan.canvas is None else layer.rows[layer.rows != layer.source]
        rows[painted - size] = False  # from the end: originals come first
    return rows


def seeds_of(call: Call, stage: Stage, size: int, alone: Alone | None = None) -> WordArray:
    """The seed of every sample that a stage transforms, ``(size,)``.

    Args:
        call: What the call is keyed by.
        stage: The stage, whose samples have one seed if they are to have the same draws.
        size: How many samples it transforms.
        alone: Which these are of the batch, whatever the others; ``None`` for all.
    """
    seeds = call.seeds(stage.stream, size if alone is None else len(alone.rows))
    if stage.kind == ALIKE:
        return np.resize(seeds[:1], size)
    return seeds if alone is None else seeds[alone.rows]


def finder_of(
    transforms: Iterable[Any],
    boxes: BoxRules | None = None,
    points: Keypoints | None = None,
    kinds: Mapping[Any, Any] | None = None,
    metadata: frozenset[str] = frozenset(),
    further: tuple[tuple[str, str], ...] = (),
    filters: bool = False,
) -> Finder:
    """What values are called in a pipeline: what its mixes declare, together.

    Args:
        transforms: The pipeline's.
        boxes: What the pipeline itself knows of boxes.
        points: What it knows of keypoints.
        kinds: What it declares itself.
        metadata: Names of what its transforms read beside the samples.
        further: Names and kinds of further sets of objects.
        filters: Whether one of its transforms filters objects.
    """
    boxes, points = boxes or BoxRules(), points or Keypoints()
    mixes = [transform for transform in transforms if isinstance(transform, MixTransform)]
    declared = dict(kinds or {})
    for mix in mixes:
        declared.update(mix.kinds or {})
        boxes = joined(boxes, mix.boxes)
    passthrough = frozenset().union(*(mix.passthrough for mix in mixes))
    layout = mixes[0]._finder.layout if mixes else Layout()
    names = metadata.difference(declared)
    return Finder(declared, passthrough, boxes, points, names, further, filters=filters, layout=layout)


def joined(first: BoxRules, second: BoxRules) -> BoxRules:
    """The second rules with what the first say of the form and the fields of boxes, and of a host's limits."""
    names = (*second.fields, *(name for name in first.fields if name not in second.fields))
    both = dataclasses.replace(second, format=second.format or first.format, fields=names)
    return dataclasses.replace(first, **fields.values(both)) if isinstance(first, LimitedBoxRules) else both


def call_of(stream: Stream, seed: int, data: Any, finder: Finder, where: str | None) -> Call:
    """What one call of a seeded pipeline is keyed by.

    A ready batch counts the calls, in the process and thread that constructed the pipeline. A list of samples is known
    by its images, and so is any batch elsewhere, where everybody would count for itself.

    Args:
        stream: The pipeline's.
        seed: The pipeline's.
        data: A batch, or a list of samples.
        finder: Knows the images.
        where: The pipeline's class, for the warning where no epoch was ever given; ``None`` for none.
    """
    if not is_samples(data) and stream.counts():
        return Call(stream.key(seed))
    hashes = sample_hashes(data, finder)
    if hashes is None:
        return Call(stream.key_unread(seed, where))
    return Call(stream.key_known(seed, hashes, where), told_apart(hashes))


def padded(transforms: Iterable[Any]) -> bool:
    """Whether a pipeline's mixes pad images of unequal sizes."""
    return any(isinstance(transform, MixTransform) and transform.pad is not None for transform in transforms)


def ready(data: Any, finder: Finder) -> Any:
    """A ready batch with lists in the place of arrays of objects, and a list of samples as it is."""
    listed = type(data) is list and np.ndarray not in map(type, data)
    return data if listed else unpacked(data, finder.passes)


def on_samples(
    batch: Any,
    finder: Finder,
    run: Callable[[list[Any], tuple[Group, ...]], Sequence[Any]],
    alone: Alone | None = None,
) -> Any:
    """Takes a batch apart, runs its samples, and puts it together again.

    Args:
        batch: Arrays and flat lists with one value a sample are divided, anything else is shared.
        finder: Knows the images, whose number is the number of samples.
        run: Samples to samples of the same structure; it is told where they tell of objects, which one sample alone
            may not say: its row of soft labels looks like labels of boxes.
        alone: Which samples to run, where the others stay as they are; ``None`` for all.

    Raises:
        InputError: Nothing in the batch is known as an image, or samples cannot be stacked again.
    """
    size, parts, listed = _parts(batch, finder)
    if not size:
        return batch
    groups = finder.inventory(batch, by_columns=True, size=size).groups
    samples = [
        replace_leaves(batch, {path: _item(value, index) for path, value in parts.items()}) for index in range(size)
    ]
    rows = range(size) if alone is None else np.flatnonzero(alone.rows).tolist()
    after = dict(zip(rows, run([samples[row] for row in rows], groups), strict=True))
    columns = [dict(walk(after.get(row, sample), lambda path, _: path in parts)) for row, sample in enumerate(samples)]
    for path, whole in parts.items():
        if alone is not None and path not in listed:
            _check_as_before(whole, {row: columns[row][path] for row in rows}, path, alone.stage)
    return replace_leaves(
        batch,
        {
            path: _restack(whole, [column[path] for column in columns], path, path in listed)
            for path, whole in parts.items()
        },
    )


def _check_as_before(whole: Any, after: Mapping[int, Any], path: Path, stage: HostStage) -> None:
    """Raises where samples could not stand beside those that were mixed, also in batches where none was by chance."""
    name = type(stage).__name__
    for row, value in after.items():
        before = _item(whole, row)
        if not backend_of(before) or _form_of(before) == _form_of(value):
            continue
        resized = backend_of(value) == backend_of(before) and dtype_name(value) == dtype_name(before)
        resized = resized and len(value.shape) == len(before.shape) and _size(value) != _size(before)
        got, wanted = (_in_words(each) for each in (value, before))
        raise InputError(
            f"{name} has changed the {'size' if resized else 'form'} of a sample",
            where=spell(path),
            got=f"{got} in sample {row}",
            wanted=f"{wanted}, as before, since it is stacked with those that were mixed",
            fix=f"Put {stage.resize.format(*_size(before))} last into {name}([...])."
            if resized
            else f"Do this to all samples: take it out of {name}, and put it before the mix or behind {name}.",
        )


def _form_of(value: Any) -> tuple[Any, ...]:
    backend = backend_of(value)
    return (backend, tuple(value.shape), dtype_name(value)) if backend else (type(value),)


def _in_words(value: Any) -> str:
    return f"{backend_of(value)} {tuple(value.shape)} {dtype_name(value)}" if backend_of(value) else describe(value)


def _size(value: Any) -> tuple[int, ...]:
    """Height and width of one sample: NumPy arrays have their channels last, and masks may have none."""
    last = backend_of(value) == "numpy" and len(value.shape) > 2
    return tuple(value.shape[-3:-1] if last else value.shape[-2:])


def _parts(batch: Any, finder: Finder) -> tuple[int, dict[Path, Any], frozenset[Path]]:
    """The number of samples, the values that have one for each, and where objects are told of."""
    check_annotations(batch, finder.passes, batched=True)
    inventory = finder.inventory(batch)
    targets, members = {target.path: target for target in inventory.targets}, inventory.members
    images = [target for target in targets.values() if target.kind == IMAGE]
    for target in images:
        check_form(target.value, spell(target.path))
        # Perhaps one image, whose rows are no samples, or one number.
        if backend_of(target.value) and len(target.value.shape) in (0, 3):
            finder.layout.letters(target.value, spell(target.path))
    sizes = [len(target.value) for target in images]
    if not sizes:
        raise no_images(batch)
    size = sizes[0]

    def whole(path: Path, node: Any) -> bool:
        # A list of arrays is one value a sample only where it is known to be; elsewhere it is a container. A list of
        # anything else is, where it has a name of its own: boxes of every image, names, or dicts.
        if is_records(node, size) or _is_metadata(path, finder):
            return True
        known = path in targets or path in members or backend_of(node) is not None
        return known or (len(path) == 1 and _has_one_a_sample(node, size))

    parts = {}
    for path, leaf in walk(batch, whole):
        arrays = backend_of(leaf) and len(leaf.shape) and leaf.shape[0] == size
        read = _is_metadata(path, finder) and type(leaf) in (list, tuple) and len(leaf) == size
        if arrays or read or path in targets or path in members or _has_one_a_sample(leaf, size):
            parts[path] = leaf
    return size, parts, members


def _is_metadata(path: Path, finder: Finder) -> bool:
    return len(path) == 1 and path[0] in finder.metadata


def _has_one_a_sample(node: Any, size: int) -> bool:
    return type(node) in (list, tuple) and len(node) == size and not any(backend_of(item) for item in node)


def _item(values: Any, index: int) -> Any:
    """One sample's value; a tensor that says its kind by its type goes on doing so."""
    backend = backend_of(values)
    return values[index] if backend is None else kernel_of(backend).row(values, index)


def _restack(whole: Any, values: list[Any], path: Path, listed: bool) -> Any:
    """One sample's values together: as a list where these are objects, whose number differs."""
    if type(whole) in (list, tuple):
        return type(whole)(values)
    if backend_of(values[0]) and not listed:
        _check_one_size(values, path)
        kernel = kernel_of(str(backend_of(values[0])))
        return kernel.wrap_like(stack(values), whole)
    if backend_of(whole) == "numpy" and not listed:
        return np.asarray(values)
    return values


def _check_one_size(values: Sequence[Any], path: Path) -> None:
    shapes = [tuple(getattr(value, "shape", ())) for value in values]
    other = next((index for index, shape in enumerate(shapes) if shape != shapes[0]), None)
    if other is not None:
        raise InputError(
            "Samples of a batch have got different sizes",
            where=spell(path),
            got=f"{shapes[other]} in sample {other}, {shapes[0]} in sample 0",
            wanted="one size for all samples of a batch, which are stacked again",
            fix="Put what draws the size into PerBatch([...]), which draws once for the batch; put a resize to one "
            "size behind what depends on the picture.",
        )


def mix_stage(
    data: Any,
    stage: Stage,
    number: int,
    call: Call | None,
    steps: list[Step] | None,
    finder: Finder,
    beside: Carried,
) -> tuple[Any, NDArray[np.bool_]]:
    """Mixes a batch with every transform of a stage, one after the other.

    Args:
        data: A batch, or a list of samples, which is collated.
        stage: A stage of kind :data:`MIX`.
        number: Which stage of the pipeline it is, from 1.
        call: What the call is keyed by; ``None`` lets every transform draw for itself.
        steps: Where a traced call writes down what it did, or ``None``.
        finder: The pipeline's, which may know more of boxes and keypoints.
        beside: What the call carries.

    Returns:
        The mixed batch, and which of its samples the last transform has left alone.
    """
    samples = is_samples(data)
    batch, alone = data, np.zeros(0, np.bool_)
    for index, mix in enumerate(stage.transforms):
        together = _together(finder, mix, moved=number > 1)
        found = dataclasses.replace(mix._find(batch, together), samples=samples)
        if stage.pasted[index]:
            _check_pasted(stage.pasted[index], mix, found)
        given = None if call is None or mix.seed is not None else call.stream(stage.stream + index)
        known = call is not None and call.samples is not None
        hints = beside.hints_of(mix) if beside.hints else beside.hints
        quiet = steps is not None
        if mix.bank is not None:
            found, given, known = mix._with_partners(
                found, finder=together, key=given, given=hints, known=known, quiet=quiet
            )
        plan = mix._draw(found, key=given, known=known, quiet=quiet, given=hints)
        before = None if steps is None else mix._before(found)
        batch = mix._replay(plan, found, drawn=True, told=beside.told)
        alone = left_alone(mix, plan, found.drawn_spec.size)
        if steps is not None:
            steps.append(Step(mix, before, plan, copied(batch), together))
    return batch, alone


def _check_pasted(earlier: tuple[MixTransform, ...], mix: MixTransform, found: Found) -> None:
    """Refuses a second paste of a batch whose targets have one value for a whole image.

    Their shares do not say where in the picture a source is, so what the second paste covers is not known. Masks and
    objects have their places. Mixing that this epoch's schedules switch off pastes nothing.

    Raises:
        InputError: Two mixes may paste in this call, and there are such targets.
    """
    whole = [target for target in found.others if target.kind in OF_WHOLE_IMAGES]
    pasting = [one for one in (*earlier, mix) if not one._is_idle()]
    if whole and len(pasting) > 1:
        raise InputError(
            "Two mixes that paste",
            where=spell(whole[0].path),
            got=f"{whole[0].kind} of whole images, and " + " and ".join(type(one).__name__ for one in pasting),
            wanted="one of them, since nothing says where in an image the first has pasted",
            fix="Choose between them with OneOf([...]), which mixes once; MixUp may stand beside one that pastes.",
        )


def _together(finder: Finder, mix: MixTransform, *, moved: bool) -> Finder:
    """What values are called in a pipeline and by one of its mixes; the same one in every call, for what it has met."""
    known = finder.memo.get(id(mix))
    if known is None or known[0] is not mix:
        own = dataclasses.replace(
            mix._finder,
            kinds={**finder.kinds, **mix._finder.kinds},
            boxes=joined(finder.boxes, mix.boxes),
            points=finder.points,
            metadata=finder.metadata,
            further=finder.further,
            filters=finder.filters,
            moved=moved,
        )
        known = finder.memo[id(mix)] = mix, own
    return known[1]
