"""The explorer for notebooks: which batch it shows, where it begins, and what it is where there are no controls."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from mixtransforms.batch.batch import Found
from mixtransforms.containers.records import Columns
from mixtransforms.containers.structure import is_samples
from mixtransforms.containers.tree import Path, children, leaf_at, rebuild, walk
from mixtransforms.core import fields
from mixtransforms.core.backends import backend_of, is_integer
from mixtransforms.core.errors import InputError, ParameterError, nearest
from mixtransforms.kernels import kernel_of
from mixtransforms.methods.base import Method
from mixtransforms.methods.registry import METHODS
from mixtransforms.mixing.epochs import set_epoch
from mixtransforms.mixing.transform import MixTransform
from mixtransforms.objects.boxes import BoxRules
from mixtransforms.plan import Plan
from mixtransforms.targets.names import LABEL

if TYPE_CHECKING:
    from mixtransforms.show.explorer.widget import Explorer
    from mixtransforms.show.style import Picture

NO_NOTEBOOK = 'The controls need a notebook, and pip install "mixtransforms[notebook]"'
NO_WIDGETS = 'The controls need ipywidgets: pip install "mixtransforms[notebook]"'

_SHOWN = ("kinds", "layout", "axes", "boxes")
"""Options of transforms that pictures read, too."""


def explore(
    batch: Any,
    class_names: Sequence[str] | None = None,
    *,
    method: str | Method | None = None,
    max_images: int = 4,
    kinds: Mapping[str | int, Any] | None = None,
    layout: str | None = None,
    boxes: BoxRules | None = None,
    normalized: Any = None,
) -> Explorer | Picture:
    """Controls for a notebook: choose a method and its parameters, and see at once what they make of a batch.

    What is chosen can be copied as code and as JSON, and the next cell can go on with it: ``explorer.transform``,
    ``explorer.plan``, ``explorer.json``. A page that is made of the notebook shows the picture, where the notebook does
    not store the state of widgets; where it does, the page needs a network to show them.

    Args:
        batch: A batch before mixing, in any container that the transforms take, or a list of samples; NumPy or torch.
        class_names: Names in the order of the class ids; ``None`` numbers them. Where labels are class ids, they also
            say ``num_classes``.
        method: Where to begin: the name of a method, or a transform, whose options are kept. After a transform of
            torchvision or Albumentations the others are of that library, too.
        max_images: Most samples, 2 or more. The batch is cut to them first, and they are mixed with each other.
        kinds: As for the transforms: what values are that have no default name.
        layout: As for the transforms: axes of the images.
        boxes: As for the transforms: what is kept of boxes, and how they are written.
        normalized: As for ``show.batch``: what the images were normalised by, which the picture undoes.

    Returns:
        The explorer, which a notebook shows. Without ipywidgets, or outside of a notebook, the figure it would begin
        with; its title says how to get the controls.

    Raises:
        InputError: There are no images, the batch is mixed already, or the first transform does not take it.
        ParameterError: There is no such method.
        MissingDependencyError: matplotlib is not installed.
    """
    told = {"kinds": kinds, "layout": layout, "boxes": boxes}
    start = _start(method, {name: value for name, value in told.items() if value is not None})
    subject = _subject(batch, class_names, max_images, start, normalized)
    lacking = _lacking()
    if lacking:
        return subject.draw(subject.transform(start.name, start.values, start.seed), title=lacking).figure
    from mixtransforms.show.explorer.widget import Explorer

    return Explorer(subject, start)


class Drawn(NamedTuple):
    """What one choice makes of the batch.

    Attributes:
        transform: The choice.
        epoch: The epoch it was drawn in.
        plan: What it drew.
        figure: The picture of it.
    """

    transform: MixTransform
    epoch: int
    plan: Plan
    figure: Picture


@dataclass(frozen=True)
class Subject:
    """What is looked at, whatever is chosen.

    Attributes:
        batch: The batch, cut.
        classes: Transforms by the name of their method, all of one library.
        options: Options of every transform.
        shown: Options of the picture.
    """

    batch: Any
    classes: Mapping[str, type[MixTransform]]
    options: Mapping[str, Any]
    shown: Mapping[str, Any]

    def transform(self, name: str, values: Mapping[str, Any], seed: int | None) -> MixTransform:
        """A transform by the name and the parameters of its method.

        Raises:
            ParameterError: A parameter is out of its range, or some contradict each other.
        """
        return self.classes[name](**{**self.options, **values, "seed": seed})

    def draw(self, transform: MixTransform, epoch: int = 0, title: str | None = None) -> Drawn:
        """The first draw of a transform in an epoch, and the picture of it.

        Raises:
            InputError: The transform does not take the batch.
        """
        from mixtransforms.show import batch

        plan = fresh(_for_plans(transform), epoch).plan(self.batch)
        figure = batch(self.batch, plan, max_images=plan.size, title=title, **self.shown)
        return Drawn(transform, epoch, plan, figure)


def fresh(transform: MixTransform, epoch: int) -> MixTransform:
    """The same transform before its first draw in an epoch."""
    new = dataclasses.replace(transform)
    set_epoch(new, epoch)
    return new


def _for_plans(transform: MixTransform) -> MixTransform:
    """A transform of the same draws that needs no number of classes: a plan mixes no labels."""
    return transform if transform.num_classes is not None else dataclasses.replace(transform, labels="pair")


class Start(NamedTuple):
    """Where an explorer begins.

    Attributes:
        classes: Transforms by the name of their method, all of one library.
        name: The method.
        values: Its parameters.
        options: What else the transform was told.
        seed: Its seed.
    """

    classes: Mapping[str, type[MixTransform]]
    name: str
    values: Mapping[str, Any]
    options: Mapping[str, Any]
    seed: int


def _start(method: Any, told: Mapping[str, Any]) -> Start:
    """Where to begin, from what the user gave."""
    classes = _classes(type(method) if isinstance(method, MixTransform) else MixTransform)
    pure = next((cls for cls in type(method).__mro__ if cls in METHODS.values()), None)
    if pure is not None:
        own = {known.name for known in dataclasses.fields(pure)}
        given = fields.values(method)
        values = {key: value for key, value in given.items() if key in own}
        options = {key: value for key, value in fields.changed(method).items() if key not in own}
        seed = options.pop("seed", None)
        return Start(classes, pure.__name__, values, {**options, **told}, seed or 0)
    if method is None or method in classes:
        return Start(classes, method or next(iter(classes)), {}, told, 0)
    raise ParameterError(
        "No such method",
        where="show.explore",
        got=repr(method),
        wanted="one of " + ", ".join(map(repr, classes)) + ", or a transform such as CutMix(alpha=0.5)",
        fix="Of a pipeline give the mixing transform alone." + nearest(str(method), classes),
    )


def _classes(cls: type[MixTransform]) -> dict[str, type[MixTransform]]:
    """The transforms of every method, of the library that a transform is of; a method of the user's own has none."""
    home = next(sys.modules[base.__module__] for base in cls.__mro__ if base.__module__.startswith("mixtransforms."))
    return {name: getattr(home, name) for name in METHODS if hasattr(home, name)}


def _subject(batch: Any, class_names: Sequence[str] | None, max_images: int, start: Start, normalized: Any) -> Subject:
    _check_count(max_images)
    first = start.classes[start.name](**{**start.options, **start.values})
    found, few = _cut(batch, max_images, _for_plans(first)._find)
    options = dict(start.options)
    if class_names is not None and first.num_classes is None and _has_ids(found):
        options["num_classes"] = len(class_names)
    shown = {name: options[name] for name in _SHOWN if name in options}
    return Subject(few, start.classes, options, {**shown, "class_names": class_names, "normalized": normalized})


def _check_count(max_images: Any) -> None:
    if type(max_images) is not int or max_images < 2:
        raise InputError(
            "Too few samples to mix",
            where="max_images",
            got=repr(max_images),
            wanted="a whole number from 2 on",
            fix="Leave it out for the usual number.",
        )


def _has_ids(found: Found) -> bool:
    """Whether the labels are class ids."""
    labels = [target.value for target in found.others if target.kind == LABEL]
    return bool(labels) and len(labels[0].shape) == 1 and is_integer(labels[0])


def _cut(batch: Any, count: int, find: Callable[[Any], Found]) -> tuple[Found, Any]:
    """The first samples of a batch, and what is found in it."""
    if is_samples(batch):
        few = batch[:count]
        return find(few), few
    found = find(batch)
    if found.spec.size <= count:
        return found, batch
    return found, _rows(found.given, (), count, found)


def _rows(node: Any, path: Path, count: int, found: Found) -> Any:
    """The first rows of everything in a container that has one a sample."""
    if _is_by_sample(node, path, found):
        backend = backend_of(node)
        return node[:count] if backend is None else kernel_of(backend).wrap_like(node[:count], node)
    items = children(node)
    return rebuild(node, [_rows(value, (*path, key), count, found) for key, value in items]) if items else node


def _is_by_sample(node: Any, path: Path, found: Found) -> bool:
    """Whether a value has one entry a sample; a list of arrays that nobody knows may as well be several of them."""
    size = found.spec.size
    if backend_of(node):
        return tuple(node.shape[:1]) == (size,)
    if type(node) not in (list, tuple) or len(node) != size:
        return False
    known = {target.path for target in found.targets}.union(*(each.group.members for each in found.objects))
    if path in known or isinstance(leaf_at(found.batch, path), Columns):
        return True
    return not any(backend_of(leaf) for _, leaf in walk(node, lambda *_: False))


def _lacking() -> str | None:
    """Why there can be no controls, or ``None``."""
    python = sys.modules.get("IPython")  # a notebook has loaded it
    if python is None or not hasattr(python.get_ipython(), "kernel"):
        return NO_NOTEBOOK
    try:
        import ipywidgets  # noqa: F401
    except ImportError:
        return NO_WIDGETS
    return None
