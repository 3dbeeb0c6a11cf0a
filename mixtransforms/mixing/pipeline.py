"""What both hosts' BatchCompose share: stages, and the way between a batch and its samples."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mixtransforms.batch.annotations import check_annotations
from mixtransforms.batch.batch import Found, copied
from mixtransforms.batch.collate import stack
from mixtransforms.batch.identity import sample_hashes
from mixtransforms.batch.inventory import Finder
from mixtransforms.batch.read import no_images
from mixtransforms.containers.records import is_records
from mixtransforms.containers.structure import is_samples
from mixtransforms.containers.tree import Path, spell, unpacked, walk
from mixtransforms.containers.tree import replace as replace_leaves
from mixtransforms.core import fields
from mixtransforms.core.backends import backend_of, check_form
from mixtransforms.core.errors import InputError, ParameterError
from mixtransforms.core.layout import Layout
from mixtransforms.kernels import kernel_of
from mixtransforms.mixing.trace import Step
from mixtransforms.mixing.transform import MixTransform
from mixtransforms.objects.boxes import BoxRules, LimitedBoxRules
from mixtransforms.objects.groups import Group
from mixtransforms.objects.keypoints import Keypoints
from mixtransforms.rng.keys import Call, told_apart
from mixtransforms.rng.streams import Stream
from mixtransforms.targets.names import IMAGE, OF_WHOLE_IMAGES

SAMPLE, ALIKE, STILL, MIX = "sample", "alike", "still", "mix"
"""Kinds of stages: on every sample with its own draws, or with those of all samples of the batch, without draws on a
whole batch, and mixing."""


@dataclass(frozen=True)
class Stage:
    """Consecutive transforms of one kind.

    Attributes:
        kind: :data:`SAMPLE`, :data:`ALIKE`, :data:`STILL` or :data:`MIX`.
        transforms: The host's transforms, or mixing ones.
        pasted: For every mix that pastes, the mixes before it in the pipeline that do; nothing for any other.
    """

    kind: str
    transforms: tuple[Any, ...]
    pasted: tuple[tuple[MixTransform, ...], ...] = ()


def stages(
    transforms: Iterable[Any], still: Callable[[Any], bool], alike: Callable[[Any], bool] = lambda _: False
) -> tuple[Stage, ...]:
    """Groups transforms into stages.

    Args:
        transforms: In the order they happen.
        still: Whether a host's transform draws nothing and takes whole batches; used after the first mix only, since
            samples may differ in size before.
        alike: Whether it draws the size of its result, which must be one for a whole batch; used alike.
    """
    grouped: list[tuple[str, list[Any]]] = []
    mixed = False
    for transform in transforms:
        if isinstance(transform, MixTransform):
            kind, mixed = MIX, True
        else:
            kind = SAMPLE if not mixed else STILL if still(transform) else ALIKE if alike(transform) else SAMPLE
        if not grouped or grouped[-1][0] != kind:
            grouped.append((kind, []))
        grouped[-1][1].append(transform)
    pasting: list[MixTransform] = []
    return tuple(Stage(kind, tuple(members), _pasted(kind, members, pasting)) for kind, members in grouped)


def _pasted(kind: str, transforms: Sequence[Any], before: list[MixTransform]) -> tuple[tuple[MixTransform, ...], ...]:
    """What was pasted before each of a stage's mixes that pastes, ``before`` and in the stage, which it adds."""
    found: list[tuple[MixTransform, ...]] = []
    for mix in transforms if kind == MIX else ():
        found.append(tuple(before) if mix.method.cuts else ())
        before.extend([mix] if mix.method.cuts else [])
    return tuple(found)


def adopted(
    transforms: Sequence[Any], door: Any, where: str, seed: int | None, theirs: tuple[type, ...] = ()
) -> list[Any]:
    """The transforms of a pipeline, neutral ones as the door's own.

    Args:
        transforms: What the user gave.
        door: The module of the door's classes.
        where: Name of the pipeline's class, for errors.
        seed: The pipeline's seed.
        theirs: The host's own mixes, which would see one sample at a time.

    Raises:
        ParameterError: A container hides a mix, a mix is the host's own, or it has a seed beside the pipeline's.
    """
    result = []
    for index, transform in enumerate(transforms):
        place = f"{where}, transform {index}"
        _check_inside(transform, door, place, theirs)
        result.append(_owned(transform, door, place, seed) if isinstance(transform, MixTransform) else transform)
    return result


def _check_inside(transform: Any, door: Any, place: str, theirs: tuple[type, ...]) -> None:
    """Refuses mixes that a pipeline could not see or feed: the host's own, and any in a container."""
    for inner in nested(transform):
        if isinstance(inner, theirs):
            name = type(inner).__name__
            raise ParameterError(
                "The host's own mix would see one sample at a time",
                where=place,
                got=f"{type(inner).__module__.partition('.')[0]}'s {name}",
                wanted=f"{_home(door)}.{name}",
                fix="It takes the same parameters.",
            )
        if inner is not transform and isinstance(inner, MixTransform) and not isinstance(transform, MixTransform):
            raise ParameterError(
                "A container around a mix",
                where=place,
                got=f"{type(transform).__name__} with a mixing transform in it",
                wanted="mixing transforms directly in the list",
                fix="Its chance to do nothing would change the form of the labels. Use p= of the mix itself, "
                "and OneOf([...], weights=...) for a choice.",
            )


def _owned(mix: MixTransform, door: Any, place: str, seed: int | None) -> MixTransform:
    """The mix as one of the door's."""
    if mix.seed is not None and seed is not None:
        raise ParameterError(
            "Two seeds",
            where=place,
            got=f"seed={mix.seed} inside, seed={seed} outside",
            wanted="one of them",
            fix="Give the seed to the pipeline alone.",
        )
    if type(mix).__module__ == MixTransform.__module__:
        mix = getattr(door, type(mix).__name__)(**fields.values(mix))
    foreign = not isinstance(mix, door.Transform)
    if foreign:
        raise ParameterError(
            "A mix of another door",
            where=place,
            got=f"{type(mix).__module__}.{type(mix).__name__}",
            wanted=f"a mix of {_home(door)}, or a neutral one",
            fix="Import it from there; derive your own classes from the door's.",
        )
    return mix


def _home(door: Any) -> str:
    """Where users import a door's classes from."""
    return str(door.__name__.rpartition(".")[0])


def nested(transform: Any) -> Iterator[Any]:
    """A transform and everything inside it, in containers of either host and in modules."""
    yield transform
    if isinstance(transform, type):
        return
    listed = transform if isinstance(transform, (list, tuple)) else getattr(transform, "transforms", None)
    modules = getattr(transform, "children", None)
    for child in (*(listed if isinstance(listed, Iterable) else ()), *(modules() if callable(modules) else ())):
        yield from nested(child)


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


def on_samples(batch: Any, finder: Finder, run: Callable[[list[Any], tuple[Group, ...]], Sequence[Any]]) -> Any:
    """Takes a batch apart, runs its samples, and puts it together again.

    Args:
        batch: Arrays and flat lists with one value a sample are divided, anything else is shared.
        finder: Knows the images, whose number is the number of samples.
        run: Samples to samples of the same structure; it is told where they tell of objects, which one sample alone
            may not say: its row of soft labels looks like labels of boxes.

    Raises:
        InputError: Nothing in the batch is known as an image.
    """
    size, parts, listed = _parts(batch, finder)
    if not size:
        return batch
    groups = finder.inventory(batch, by_columns=True, size=size).groups
    samples = [
        replace_leaves(batch, {path: _item(value, index) for path, value in parts.items()}) for index in range(size)
    ]
    columns = [dict(walk(sample, lambda path, _: path in parts)) for sample in run(samples, groups)]
    return replace_leaves(
        batch,
        {path: _restack(whole, [column[path] for column in columns], path in listed) for path, whole in parts.items()},
    )


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


def _restack(whole: Any, values: list[Any], listed: bool) -> Any:
    """One sample's values together: as a list where these are objects, whose number differs."""
    if type(whole) in (list, tuple):
        return type(whole)(values)
    if backend_of(values[0]) and not listed:
        kernel = kernel_of(str(backend_of(values[0])))
        return kernel.wrap_like(stack(values), whole)
    if backend_of(whole) == "numpy" and not listed:
        return np.asarray(values)
    return values


def mix_stage(
    data: Any,
    stage: Stage,
    number: int,
    call: Call | None,
    steps: list[Step] | None,
    finder: Finder,
) -> Any:
    """Mixes a batch with every transform of a stage, one after the other.

    Args:
        data: A batch, or a list of samples, which is collated.
        stage: A stage of kind :data:`MIX`.
        number: Which stage of the pipeline it is, from 1.
        call: What the call is keyed by; ``None`` lets every transform draw for itself.
        steps: Where a traced call writes down what it did, or ``None``.
        finder: The pipeline's, which may know more of boxes and keypoints.
    """
    samples = is_samples(data)
    batch = data
    for index, mix in enumerate(stage.transforms):
        together = _together(finder, mix, moved=number > 1)
        found = dataclasses.replace(mix._find(batch, together), samples=samples)
        if stage.pasted[index]:
            _check_pasted(stage.pasted[index], mix, found)
        given = None if call is None or mix.seed is not None else call.stream(number << 16 | index)
        known = call is not None and call.samples is not None
        plan = mix._draw(found, key=given, known=known, quiet=steps is not None)
        before = None if steps is None else mix._before(found)
        batch = mix._replay(plan, found, drawn=True)
        if steps is not None:
            steps.append(Step(mix, before, plan, copied(batch), together))
    return batch


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
