"""How a pipeline calls what it is given: transforms of the host, containers of them, and any other callable."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torchvision import tv_tensors
from torchvision.transforms import v2

from mixtransforms.batch.inventory import Finder
from mixtransforms.containers.tree import children, describe, holds_names, is_picture_type, is_typed, leaf_at, spell
from mixtransforms.core.errors import InputError, ParameterError
from mixtransforms.mixing.compose import BatchPipeline
from mixtransforms.mixing.host_stages import nested
from mixtransforms.mixing.pipeline import call_of
from mixtransforms.mixing.transform import MixTransform
from mixtransforms.objects.groups import Group
from mixtransforms.rng.generators import OF_NUMPY, OF_PYTHON, Generator, borrowed, lock_of
from mixtransforms.targets.names import DEFAULT_NAMES, MASK
from mixtransforms.torchvision.filters import FILTERS
from mixtransforms.torchvision.samples import transformed
from mixtransforms.torchvision.whole_numbers import Note

HOST, CHOICE, PIPELINE, CALL = "host", "choice", "pipeline", "call"
"""How something is called: as the host's transforms are, by drawing among its children, as a pipeline inside another
one, and with the sample as it is."""

_CHOICES = (v2.RandomApply, v2.RandomChoice, v2.RandomOrder)
_SEQUENCES = (v2.Compose, torch.nn.Sequential)

_MIX_BEHIND = "or give it to the data set, and mix behind it: DataLoader(..., collate_fn=MixUp(num_classes=...))."
_FOREIGN = {
    "torchvision": "Use torchvision.transforms.v2",
    "timm": f"Use torchvision.transforms.v2, which has RandAugment and RandomErasing too, {_MIX_BEHIND}",
    "albumentations": "Use mixtransforms.albumentations.BatchCompose for transforms of Albumentations.",
    "augrs": f"Use torchvision.transforms.v2, {_MIX_BEHIND}",
}
"""Packages whose transforms look like torchvision's and are called in another way, and what to use instead."""

_OF_TORCH = Generator(
    torch.default_generator.manual_seed, torch.default_generator.get_state, torch.default_generator.set_state
)


class Step(NamedTuple):
    """Something to call on every sample.

    Attributes:
        how: :data:`HOST`, :data:`CHOICE`, :data:`PIPELINE` or :data:`CALL`.
        transforms: Consecutive transforms of the host, or the one thing.
        parts: Whether it takes the parts of a tuple one by one, as ``forward(image, label)`` does.
    """

    how: str
    transforms: tuple[Any, ...]
    parts: bool = False


def check_callable(transform: Any, place: str) -> None:
    """Refuses what could only be called wrongly.

    Args:
        transform: An item of a pipeline's list.
        place: Which one, for the error.

    Raises:
        ParameterError: It, or something in a container of the host, is a transform of another library or of the first
            version of torchvision's, a class, or nothing that can be called.
    """
    for inner in _inside(transform):
        if isinstance(inner, type) or not callable(inner):
            raise ParameterError(
                "No transform",
                where=place,
                got=f"the class {inner.__name__}" if isinstance(inner, type) else f"{inner!r}",
                wanted="transforms, or functions of a sample",
                fix=f"Write {inner.__name__}()." if isinstance(inner, type) else "Leave it out.",
            )
        home = "" if isinstance(inner, MixTransform) else _home(inner)
        package = home.replace("mixtransforms.albumentations", "albumentations").partition(".")[0]
        if package in _FOREIGN and not home.startswith("torchvision.transforms.v2"):
            name = type(inner).__name__
            raise ParameterError(
                "A transform of another kind",
                where=place,
                got=f"{name} of {'torchvision.transforms, version 1' if package == 'torchvision' else package}",
                wanted="transforms of torchvision.transforms.v2, or functions of a sample",
                fix=_FOREIGN[package] + (_replacement(name) if package == "torchvision" else ""),
            )


def _replacement(name: str) -> str:
    if name == "ToTensor":
        return ": v2.ToImage() and, where floats are wanted, v2.ToDtype(torch.float32, scale=True)."
    return f".{name}, which takes the same arguments." if hasattr(v2, name) else "."


def _home(transform: Any) -> str:
    """The module of the class that says how a transform is called; ``""`` for functions."""
    name = "forward" if isinstance(transform, torch.nn.Module) else "__call__"
    return next((cls.__module__ for cls in type(transform).__mro__ if name in vars(cls)), "")


def _inside(transform: Any) -> Iterator[Any]:
    """A transform and everything inside it, in containers of the host; what a user's own class holds is its affair."""
    yield transform
    for child in _children(transform):
        yield from _inside(child)


def _children(transform: Any) -> Sequence[Any]:
    if isinstance(transform, torch.nn.Sequential):
        return tuple(transform)
    known = isinstance(transform, (v2.Compose, *_CHOICES, BatchPipeline))
    return tuple(getattr(transform, "transforms", ())) if known else ()


def steps_of(transforms: Iterable[Any]) -> tuple[Step, ...]:
    """The steps of a stage, with sequences taken apart and neighbours of the host together."""
    steps: list[Step] = []
    for transform in transforms:
        if type(transform) in _SEQUENCES:
            inner = steps_of(_children(transform))
        else:
            how = _how(transform)
            inner = (Step(how, (transform,), how == CALL and _takes_parts(transform)),)
        for step in inner:
            if steps and steps[-1].how == step.how == HOST:
                step = Step(HOST, steps.pop().transforms + step.transforms)
            steps.append(step)
    return tuple(steps)


def _how(transform: Any) -> str:
    if isinstance(transform, BatchPipeline):
        return PIPELINE
    if type(transform) in (*_CHOICES, *_SEQUENCES):
        leaves = [inner for inner in _inside(transform) if type(inner) not in (*_CHOICES, *_SEQUENCES)]
        return HOST if all(_how(leaf) == HOST and not isinstance(leaf, FILTERS) for leaf in leaves) else CHOICE
    if isinstance(transform, v2.Lambda):  # of any values, labels as well, unless it names types of pictures and objects
        typed = all(is_picture_type(kind) or issubclass(kind, tv_tensors.TVTensor) for kind in transform.types)
        return HOST if typed else CALL
    hosts = isinstance(transform, v2.Transform) and _home(transform).startswith("torchvision.transforms.v2")
    return HOST if hosts else CALL


def _takes_parts(transform: Any) -> bool:
    """Whether a callable takes ``(image, label)`` as two arguments, and not as one."""
    call = transform.forward if isinstance(transform, torch.nn.Module) else transform
    try:
        parameters = list(inspect.signature(call).parameters.values())
    except (ValueError, TypeError):  # built in: nothing is known
        return False
    own = [item for item in parameters if item.kind in (item.POSITIONAL_ONLY, item.POSITIONAL_OR_KEYWORD)]
    needed = [item for item in own if item.default is item.empty]
    return len(needed) > 1 or (len(own) > 1 and own[1].name.lower() in DEFAULT_NAMES)


def in_turn(
    sample: Any,
    steps: Iterable[Step],
    finder: Finder,
    groups: tuple[Group, ...] | None = None,
    *,
    note: Note,
    ready: bool = False,
) -> Any:
    """Runs steps on one sample.

    Args:
        sample: One sample in any container.
        steps: In the order they happen.
        finder: Knows what the sample's values are.
        groups: Where it tells of objects; ``None`` has it looked up.
        note: See :func:`~mixtransforms.torchvision.samples.transformed`.
        ready: Whether the sample goes back into a ready batch, and must keep its form.
    """
    for step in steps:
        if step.how == HOST:
            sample = transformed(sample, step.transforms, finder, groups, note=note)
        elif step.how == CALL:
            sample = _called(sample, step, finder, ready)
            groups = groups if ready else None  # it may tell of its objects elsewhere now
        else:  # the host would give a dict of its own to callables and filters inside
            run = _by_choice if step.how == CHOICE else _by_pipeline
            sample = run(sample, step.transforms[0], finder, groups, note, ready)
            groups = groups if ready else None
    return sample


def _by_choice(
    sample: Any, container: Any, finder: Finder, groups: tuple[Group, ...] | None, note: Note, ready: bool
) -> Any:
    """What a container of the host makes of a sample that draws among its children."""
    return in_turn(sample, steps_of(_chosen(container)), finder, groups, note=note, ready=ready)


def _chosen(container: Any) -> Sequence[Any]:
    """The children that a container of the host runs, by the draws that it would make."""
    inside = _children(container)
    if isinstance(container, v2.RandomApply):
        return () if torch.rand(1) >= container.p else inside
    if isinstance(container, v2.RandomChoice):
        return (inside[int(torch.multinomial(torch.tensor(container.p), 1))],)
    return [inside[index] for index in torch.randperm(len(inside)).tolist()]


def _by_pipeline(
    sample: Any, inner: Any, finder: Finder, groups: tuple[Group, ...] | None, note: Note, ready: bool
) -> Any:
    """A pipeline without a mix inside another one, whose values are called what the outer one calls them."""
    steps = steps_of(inner.transforms)
    if inner.seed is None:
        return in_turn(sample, steps, finder, groups, note=note, ready=ready)
    seeds = call_of(inner._stream, inner.seed, [sample], finder, None).seeds(1, 1)
    generators = generators_of(inner.transforms)
    with lock_of(generators), borrowed(generators) as start:
        start(int(seeds[0]))
        return in_turn(sample, steps, finder, groups, note=note, ready=ready)


def _called(sample: Any, step: Step, finder: Finder, ready: bool) -> Any:
    """What a callable makes of a sample, which it gets as ``v2.Compose`` would hand it over."""
    transform = step.transforms[0]
    if isinstance(transform, v2.Transform) and not isinstance(transform, v2.Lambda):
        _check_typed(sample, transform, finder)
    if step.parts and type(sample) not in (tuple, list):
        raise InputError(
            "A transform that takes the parts of a sample",
            where=type(transform).__name__,
            got=f"a sample of type {type(sample).__name__}",
            wanted="tuples such as (image, label)",
            fix="Write it as a function of one argument, the sample.",
        )
    after = transform(*sample) if step.parts else transform(sample)
    if ready and _form(after) != _form(sample):
        raise InputError(
            "A sample of another form",
            where=getattr(transform, "__name__", type(transform).__name__),
            got=describe(after),
            wanted="the form of the sample that it was given, since it goes back into a batch",
            fix="Return the same containers with the same names, or do it before the first mix, to lists of samples.",
        )
    return after


def _form(node: Any) -> Any:
    """The names in a sample; a list of names or of rows may become shorter."""
    inside = children(node)
    if inside is None:
        return None
    if holds_names(node):
        return [(name, _form(value)) for name, value in inside]
    return [_form(value) if holds_names(value) else None for _, value in inside]


def _check_typed(sample: Any, transform: Any, finder: Finder) -> None:
    """The host finds values by their type: plain boxes would stay where they are while the picture moves."""
    parts = finder.sample_parts(sample)
    moved = [path for group in parts.groups for path in (group.boxes, group.instances, group.keypoints) if path]
    for path in [*moved, *(path for path, kind in parts.kinds.items() if kind == MASK)]:
        if not is_typed(leaf_at(sample, path)):
            raise InputError(
                "A plain value beside a transform with a forward of its own",
                where=spell(path),
                got=describe(leaf_at(sample, path)),
                wanted=f"a type by which {type(transform).__name__} finds it",
                fix="Make tv_tensors of boxes, masks and keypoints in the data set, or write transform(inpt, params) "
                "in the place of forward.",
            )


def generators_of(transforms: Sequence[Any]) -> tuple[Generator, ...]:
    """The generators that some transforms may draw from: those of v2 from torch's alone."""
    inner = [type(item) for transform in transforms for item in nested(transform)]
    own = all(kind.__module__.startswith(("torchvision.transforms.v2.", "torch.nn.")) for kind in inner)
    return (_OF_TORCH,) if own and v2.Lambda not in inner else (_OF_TORCH, OF_PYTHON, OF_NUMPY)


def checked(transforms: Sequence[Any], where: str) -> Sequence[Any]:
    """The transforms of a pipeline, all of which can be called.

    Raises:
        ParameterError: See :func:`check_callable`.
    """
    for index, transform in enumerate(transforms):
        if not isinstance(transform, MixTransform):
            check_callable(transform, f"{where}, transform {index}")
    return transforms
