"""The straight way of a call: ready batches of arrays, of a structure of which one was mixed before.

It takes the steps of :mod:`~mixtransforms.mixing.engine`, in the same order, and keeps no account of what was found:
for small batches that takes longer than to mix them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, NamedTuple

from mixtransforms.batch.batch import Template
from mixtransforms.containers.tree import Path, leaf_at, replace
from mixtransforms.core.backends import backend_of
from mixtransforms.kernels import kernel_of
from mixtransforms.kernels.paint import check_paintable
from mixtransforms.mixing.engine import Recipe, TargetStep, check_apart, painted
from mixtransforms.plan import BatchSpec, Plan
from mixtransforms.targets.label import makes_soft


class _Other(NamedTuple):
    """A target that is no image.

    Attributes:
        step: How it is mixed.
        kernel: Of class ids that become soft labels, the verbs of their backend: in host memory NumPy reads them, once
            for the check and the mix. ``None`` for all others.
    """

    step: TargetStep
    kernel: ModuleType | None


@dataclass(frozen=True, eq=False)
class Straight:
    """The steps for batches of one structure.

    It does not hold the template: it is kept for as long as that lives.

    Attributes:
        recipe: Of the transform, once a batch has passed.
        others: Targets that are no images.
    """

    recipe: Recipe
    others: tuple[_Other, ...]

    def mixed(self, batch: Any, template: Template, draw: Callable[[BatchSpec], Plan], inplace: bool) -> Any:
        """The batch around mixed values.

        Args:
            batch: Of the structure.
            template: Of the structure.
            draw: Draws the plan, by a method of the package's own; called once everything is checked.
            inplace: Whether images are overwritten.

        Raises:
            InputError: See :func:`~mixtransforms.mixing.engine.check`.
        """
        scene, values = self.recipe.scene, []
        for step, kernel in self.others:
            value, undo = leaf_at(batch, step.path), None
            memory = None if kernel is None else kernel.host_view(value)
            if kernel is not None and memory is not None:
                value, undo = memory, kernel.from_memory
            step.check(value, step.where, scene)
            values.append((value, undo))
        images = [leaf_at(batch, step.path) for step in self.recipe.images]
        if inplace:
            self._check_memory(images)
        plan = draw(template.spec)
        new: dict[Path, Any] = {}
        for (step, _), (value, undo) in zip(self.others, values, strict=True):
            result = step.rule.mix(plan, value, scene)
            if result.beside:
                new |= template.read(batch).placed(step.path, result)
            else:
                new[step.path] = result.value if undo is None else undo(result.value)
        for image, value in zip(self.recipe.images, images, strict=True):
            new[image.path] = painted(self.recipe, image, plan, value, inplace=inplace, checked=True)
        return replace(batch, new)

    def _check_memory(self, images: list[Any]) -> None:
        steps = self.recipe.images
        for step, value in zip(steps, images, strict=True):
            check_paintable(value, step.where, blends=False, inplace=True)
        check_apart([(step.path, value) for step, value in zip(steps, images, strict=True)])


def straight_of(template: Template, recipe: Recipe, batch: Any) -> Straight | None:
    """Binds the straight way for a structure; ``None`` where it has none: of objects, records and lists of arrays.

    Args:
        template: Of the structure.
        recipe: Of the transform, once a batch has passed.
        batch: One of the structure.
    """
    fixed = all(image.fixed for image in recipe.images) and all(step.fixed for step in recipe.targets)
    if template.groups or template.records or recipe.hints or not fixed:
        return None
    return Straight(recipe, tuple([_other(step, leaf_at(batch, step.path)) for step in recipe.targets]))


def _other(step: TargetStep, value: Any) -> _Other:
    return _Other(step, kernel_of(str(backend_of(value))) if makes_soft(step.rule, value) else None)
