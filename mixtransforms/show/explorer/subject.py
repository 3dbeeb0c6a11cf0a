"""What an explorer looks at: a batch, the methods that there are for it, and where it begins."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from mixtransforms.core import fields
from mixtransforms.core.errors import ParameterError, nearest
from mixtransforms.methods.registry import METHODS
from mixtransforms.mixing.epochs import set_epoch
from mixtransforms.mixing.transform import MixTransform
from mixtransforms.plan import Plan
from mixtransforms.show.batches import figures
from mixtransforms.show.batches.content import first_samples, has_class_ids
from mixtransforms.show.needs import need_whole_number

if TYPE_CHECKING:
    from mixtransforms.show.picture import Picture

_FIRST = "CutMix"
"""The method that an explorer begins with where nobody has said which."""

_PICTURE_OPTIONS = ("kinds", "layout", "axes", "boxes")
"""Options of transforms that pictures read, too."""


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
        plan = fresh(_for_plans(transform), epoch).plan(self.batch)
        figure = figures.batch(self.batch, plan, max_images=plan.size, title=title, **self.shown)
        return Drawn(transform, epoch, plan, figure)


def fresh(transform: MixTransform, epoch: int) -> MixTransform:
    """The same transform before its first draw in an epoch."""
    new = dataclasses.replace(transform)  # which counts its calls from the beginning
    set_epoch(new, epoch)
    return new


def _for_plans(transform: MixTransform) -> MixTransform:
    """A transform of the same draws that needs no number of classes: a plan mixes no labels."""
    return transform if transform.num_classes is not None else dataclasses.replace(transform, labels="pair")


class StartingPoint(NamedTuple):
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


def starting_point(method: Any, told: Mapping[str, Any]) -> StartingPoint:
    """Where to begin.

    Args:
        method: The name of a method, a transform, or ``None`` for the first method.
        told: Options of the transform that the user gives beside it.

    Raises:
        ParameterError: There is no such method.
    """
    classes = _method_classes(type(method) if isinstance(method, MixTransform) else MixTransform)
    pure = next((cls for cls in type(method).__mro__ if cls in METHODS.values()), None)
    if pure is not None:
        own = {known.name for known in dataclasses.fields(pure)}
        given = fields.values(method)
        values = {key: value for key, value in given.items() if key in own}
        options = {key: value for key, value in fields.changed(method).items() if key not in own}
        seed = options.pop("seed", None)
        # Without a seed an explorer would draw something else whenever a control is touched.
        return StartingPoint(classes, pure.__name__, values, {**options, **told}, seed or 0)
    if method is None or method in classes:
        return StartingPoint(classes, method or _FIRST, {}, told, 0)
    wanted = "one of " + ", ".join(map(repr, classes)) + ", or a transform such as CutMix(alpha=0.5)"
    fix = "Of a pipeline give the mixing transform alone." + nearest(str(method), classes)
    raise ParameterError("No such method", where="show.explore", got=repr(method), wanted=wanted, fix=fix)


def _method_classes(cls: type[MixTransform]) -> dict[str, type[MixTransform]]:
    """The transforms of every method, of the library that a transform is of; a method of the user's own has none."""
    home = next(sys.modules[base.__module__] for base in cls.__mro__ if base.__module__.startswith("mixtransforms."))
    return {name: getattr(home, name) for name in METHODS if hasattr(home, name)}


def subject_of(
    batch: Any, class_names: Sequence[str] | None, max_images: Any, start: StartingPoint, normalized: Any
) -> Subject:
    """The first samples of a batch, and how they are shown.

    Args:
        batch: A batch before mixing, or a list of samples.
        class_names: Names in the order of the class ids, or ``None``.
        max_images: Most samples.
        start: Where the explorer begins.
        normalized: What the images were normalised by.

    Raises:
        InputError: There are less than two samples to mix, or the first transform does not take them.
    """
    usual = "Leave it out for the usual number."
    need_whole_number(max_images, 2, "Too few samples to mix", "max_images", fix=usual)
    first = start.classes[start.name](**{**start.options, **start.values})
    found, few = first_samples(batch, max_images, _for_plans(first)._find)
    options = dict(start.options)
    if class_names is not None and first.num_classes is None and has_class_ids(found):
        options["num_classes"] = len(class_names)
    shown = {name: options[name] for name in _PICTURE_OPTIONS if name in options}
    return Subject(few, start.classes, options, {**shown, "class_names": class_names, "normalized": normalized})
