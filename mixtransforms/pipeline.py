"""What both hosts' BatchCompose share: stages, and the way between a batch and its samples."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mixtransforms.core.errors import ParameterError, explain
from mixtransforms.core.keys import Key
from mixtransforms.core.plan import Plan
from mixtransforms.kernels import backend_of
from mixtransforms.targets.collate import stack
from mixtransforms.targets.find import IMAGE, Finder, Path, is_flat, walk
from mixtransforms.targets.find import replace as replace_leaves
from mixtransforms.transform import MixTransform

SAMPLE, STILL, MIX = "sample", "still", "mix"
"""Kinds of stages: on every sample with its own draws, without draws on a whole batch, and mixing."""


@dataclass(frozen=True)
class Stage:
    """Consecutive transforms of one kind.

    Attributes:
        kind: :data:`SAMPLE`, :data:`STILL` or :data:`MIX`.
        transforms: The host's transforms, or mixing ones.
    """

    kind: str
    transforms: tuple[Any, ...]


@dataclass
class Record:
    """What a traced call writes down.

    Attributes:
        before: The batch as it came to the first mix.
        plans: The plans so far.
    """

    before: Any = None
    plans: list[Plan] = field(default_factory=list)


def stages(transforms: Iterable[Any], still: Callable[[Any], bool]) -> tuple[Stage, ...]:
    """Groups transforms into stages.

    Args:
        transforms: In the order they happen.
        still: Whether a host's transform draws nothing and takes whole batches; used after the first mix only, since
            samples may differ in size before.
    """
    grouped: list[tuple[str, list[Any]]] = []
    mixed = False
    for transform in transforms:
        if isinstance(transform, MixTransform):
            kind, mixed = MIX, True
        else:
            kind = STILL if mixed and still(transform) else SAMPLE
        if not grouped or grouped[-1][0] != kind:
            grouped.append((kind, []))
        grouped[-1][1].append(transform)
    return tuple(Stage(kind, tuple(members)) for kind, members in grouped)


def adopted(transforms: Sequence[Any], door: Any, where: str, seed: int | None) -> list[Any]:
    """The transforms of a pipeline, neutral ones as the door's own.

    Args:
        transforms: What the user gave.
        door: The module of the door's classes.
        where: Name of the pipeline's class, for errors.
        seed: The pipeline's seed.

    Raises:
        ParameterError: A container hides a mix, or a mix has a seed beside the pipeline's.
    """
    result = []
    for index, transform in enumerate(transforms):
        place = f"{where}, transform {index}"
        if not isinstance(transform, MixTransform):
            if holds_mix(transform):
                raise ParameterError(
                    explain(
                        "A container around a mix",
                        where=place,
                        got=f"{type(transform).__name__} with a mixing transform in it",
                        wanted="mixing transforms directly in the list",
                        fix="Its chance to do nothing would change the form of the labels. Use p= of the mix itself, "
                        "and OneOf([...], weights=...) for a choice.",
                    )
                )
        elif transform.seed is not None and seed is not None:
            raise ParameterError(
                explain(
                    "Two seeds",
                    where=place,
                    got=f"seed={transform.seed} inside, seed={seed} outside",
                    wanted="one of them",
                    fix="Give the seed to the pipeline alone.",
                )
            )
        elif type(transform).__module__ == MixTransform.__module__:
            transform = getattr(door, type(transform).__name__)(**transform.parameters())
        result.append(transform)
    return result


def holds_mix(transform: Any) -> bool:
    """Whether a transform is a mix or a container with one anywhere in it."""
    children = getattr(transform, "transforms", None) or ()
    if isinstance(transform, MixTransform):
        return True
    return isinstance(children, Iterable) and any(holds_mix(child) for child in children)


def finder_of(transforms: Iterable[Any]) -> Finder:
    """What values are called in a pipeline: what its mixes declare, together."""
    mixes = [transform for transform in transforms if isinstance(transform, MixTransform)]
    kinds: dict[Any, str] = {}
    for mix in mixes:
        kinds.update(mix.kinds or {})
    return Finder(kinds, frozenset().union(*(mix.passthrough for mix in mixes)))


def image_paths(batch: Any, finder: Finder) -> list[Path]:
    """Where the images of a batch or of a sample are."""
    return [target.path for target in finder.known(batch) if target.kind == IMAGE]


def on_samples(batch: Any, finder: Finder, run: Callable[[list[Any]], Sequence[Any]]) -> Any:
    """Takes a batch apart, runs its samples, and puts it together again.

    Args:
        batch: Arrays and flat lists with one value a sample are divided, anything else is shared.
        finder: Knows the images, whose number is the number of samples.
        run: Samples to samples of the same structure.
    """
    size, parts = _parts(batch, finder)
    samples = [replace_leaves(batch, {path: value[index] for path, value in parts.items()}) for index in range(size)]
    columns = [dict(walk(sample, lambda path, _: path in parts)) for sample in run(samples)]
    return replace_leaves(
        batch, {path: _restack(whole, [column[path] for column in columns]) for path, whole in parts.items()}
    )


def _parts(batch: Any, finder: Finder) -> tuple[int, dict[Path, Any]]:
    """The number of samples, and the values that have one for each."""
    targets = {target.path: target for target in finder.known(batch)}
    size = next((len(target.value) for target in targets.values() if target.kind == IMAGE), 0)

    def whole(path: Path, node: Any) -> bool:
        # A list of arrays is one value a sample only where it is known to be; elsewhere it is a container.
        return path in targets or backend_of(node) is not None or (is_flat(node) and backend_of(node[0]) is None)

    parts = {}
    for path, leaf in walk(batch, whole):
        length = leaf.shape[0] if backend_of(leaf) and len(leaf.shape) else len(leaf) if is_flat(leaf) else None
        if length == size:
            parts[path] = leaf
    return size, parts


def _restack(whole: Any, values: list[Any]) -> Any:
    if values and backend_of(values[0]):
        return stack(values)
    return np.asarray(values) if backend_of(whole) == "numpy" else values


def keyed(key: Key, stream: int) -> Key:
    """The pipeline's key for one of its streams of draws: a stage, a transform of it, or a sample in it."""
    return dataclasses.replace(key, stream=stream)


def mix_stage(batch: Any, stage: Stage, key: Key | None, record: Record | None) -> Any:
    """Mixes a batch with every transform of a stage, one after the other.

    Args:
        batch: A collated batch.
        stage: A stage of kind :data:`MIX`.
        key: The pipeline's key for this stage; ``None`` lets every transform draw for itself.
        record: Where a traced call writes the plans, or ``None``.
    """
    for index, mix in enumerate(stage.transforms):
        found = mix._find(batch)
        given = None if key is None or mix.seed is not None else keyed(key, key.stream << 16 | index)
        plan = mix._draw(found, key=given)
        if record is not None:
            record.plans.append(plan)
            if record.before is None:
                record.before = found.copy() if mix.inplace else found.batch
        batch = mix._replay(plan, found)
    return batch
