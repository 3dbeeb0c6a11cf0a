"""The steps of a call on a batch that was read: check it, give the method its hints, paint the plan, put it back.

What is the same for all batches of one structure is bound once, in a :class:`Recipe`: the rule of every target, its
place as errors spell it, the axes of images. A call then runs through short lists; it neither searches nor decides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from mixtransforms.batch.batch import Found, Slot, Template
from mixtransforms.containers.tree import Path, spell
from mixtransforms.core.backends import backend_of, check_scalable
from mixtransforms.core.errors import InputError, PlanError
from mixtransforms.kernels import kernel_of
from mixtransforms.kernels.paint import check_paintable, holds_intensities, paint, paint_checked, share_memory
from mixtransforms.methods.base import Method
from mixtransforms.mixing.hints import Reader, readers_of
from mixtransforms.mixing.options import Options
from mixtransforms.mixing.unequal import check_cuts, check_within
from mixtransforms.plan import BatchSpec, Plan
from mixtransforms.targets.kind import Kind, Mixed, Scene
from mixtransforms.targets.label import Label
from mixtransforms.targets.names import LABEL, MASK, MULTILABEL, OF_NO_CLASS
from mixtransforms.targets.pastes import most_blended
from mixtransforms.targets.registry import DEFAULTS
from mixtransforms.targets.strides import same_view
from mixtransforms.targets.united import most_united


class ImageStep(NamedTuple):
    """How one image of a batch is mixed.

    Attributes:
        path: Where it is.
        where: The same, for errors.
        axes: Positions of the mixed axes.
        listed: The type of the list that it comes as, or ``None``.
        lengths: Lengths of the mixed axes where they are others than those of the first image; else ``None``.
        fixed: Whether type and dtype follow from the structure.
    """

    path: Path
    where: str
    axes: tuple[int, ...]
    listed: type | None
    lengths: tuple[int, ...] | None
    fixed: bool


class TargetStep(NamedTuple):
    """How one other array is mixed.

    Attributes:
        path: Where it is.
        where: The same, for errors.
        rule: What checks and mixes it, completed by the transform's options.
        listed: For masks, the type of the list that they come as, or ``None``.
        fixed: Whether type, dtype and shape follow from the structure.
        check: What refuses bad values: the rule's :meth:`~mixtransforms.targets.kind.Kind.check`, or
            :meth:`~mixtransforms.targets.kind.Kind.check_again`.
    """

    path: Path
    where: str
    rule: Kind
    listed: type | None
    fixed: bool
    check: Callable[[Any, str, Scene], None]


@dataclass(frozen=True, eq=False)
class Recipe:
    """The bound steps of a transform on batches of one structure.

    Attributes:
        images: The images, in the order of the batch.
        targets: Labels, masks and other arrays, alike.
        scene: What rules may know of the call.
        varies: Whether the method has a schedule.
        hints: Where what the method asks for is found.
        unlabelled: Whether ``num_classes`` promises labels, or classes are to be smoothed, and nothing could be any.
        smooths: Whether labels are smoothed.
        scales: Whether images may be multiplied.
        computes: Whether the method may compute with pixels: it blends, or what it does not mix is resized to a canvas.
        ours: Whether the method is the package's own.
        passed: Whether a batch of the structure has passed all checks: of others, what may differ is looked at alone.
    """

    images: tuple[ImageStep, ...]
    targets: tuple[TargetStep, ...]
    scene: Scene
    varies: bool
    hints: tuple[Reader, ...]
    unlabelled: bool
    smooths: bool = False
    scales: bool = False
    computes: bool = True
    ours: bool = False
    passed: bool = False


def recipe_of(template: Template, options: Options, method: Method) -> Recipe:
    """Binds the steps of a transform for batches of one structure.

    Args:
        template: What the batches have in common.
        options: The transform's.
        method: Its method.

    Raises:
        InputError: Images are padded, and a region of the method could lie in the padding; or they are of other
            sizes, and something has no place in some of them.
    """
    if template.padded and method.cuts:
        check_cuts(template, type(options).__name__, method)
    _check_sizes(template, cuts=method.cuts)
    rank = len(template.spec.shape)
    scene = Scene(
        template.spec.shape,
        template.first,
        method.blends,
        *template.whole,
        cuts=method.cuts,
        sources=method.most_sources(rank),
        blended=method.most_blended(rank),
        soft_edged=method.soft_edged,
    )
    hints = readers_of(template, scene, method, options.hints, _ignored_id(template, options))
    images = tuple([_image_step(slot, template) for slot in template.images])
    targets = tuple([_target_step(slot, template, options) for slot in template.others])
    smooths = any(isinstance(step.rule, Label) and step.rule.smoothing for step in targets)
    unlabelled = options.num_classes is not None and not _has_labels(template)
    unlabelled |= bool(options.smoothing) and not any(slot.target.kind == LABEL for slot in template.others)
    computes = method.blends or method.output is not None
    ours = method.is_ours
    return Recipe(images, targets, scene, method.moves, hints, unlabelled, smooths, method.scales, computes, ours)


def _ignored_id(template: Template, options: Options) -> int | None:
    """The id of pixels that are of no class: the first mask's own, or else the transform's."""
    rule = next((slot.target.rule for slot in template.others if slot.target.kind == MASK), None)
    own: int | None = getattr(rule, "ignore_index", None)
    return options.ignore_index if own is None else own


def unsmoothed(recipe: Recipe) -> Recipe:
    """The recipe for batches that are not trained on, whose labels are as they came."""
    steps = [
        step._replace(rule=replace(step.rule, smoothing=0.0)) if isinstance(step.rule, Label) else step
        for step in recipe.targets
    ]
    return replace(recipe, targets=tuple(steps))


def once_passed(recipe: Recipe) -> Recipe:
    """The recipe for more batches of a structure of which one has passed all checks, with mixing switched on."""
    targets = [step._replace(check=step.rule.check_again) if step.fixed else step for step in recipe.targets]
    return replace(recipe, targets=tuple(targets), passed=True)


def _has_labels(template: Template) -> bool:
    """Whether a batch has labels of any kind: of samples, of pixels or of objects."""
    fields = (str(path[-1]).lower() for group in template.groups for path in group.fields)
    return any(slot.target.kind in _LABELS for slot in template.others) or not OF_NO_CLASS.issuperset(fields)


_LABELS = frozenset({LABEL, MULTILABEL, MASK})


def _image_step(slot: Slot, template: Template) -> ImageStep:
    path, lengths = slot.target.path, template.lengths(slot.target.path)
    other = None if lengths == template.spec.shape else lengths
    return ImageStep(path, spell(path), template.axes[path], slot.listed, other, _is_fixed(slot, template))


def _target_step(slot: Slot, template: Template, options: Options) -> TargetStep:
    target = slot.target
    rule = (target.rule or DEFAULTS[target.kind]).within(options)
    listed, fixed = slot.listed if target.kind == MASK else None, _is_fixed(slot, template)
    return TargetStep(target.path, spell(target.path), rule, listed, fixed, rule.check)


def _is_fixed(slot: Slot, template: Template) -> bool:
    """Whether the structure has the type, the dtype and the shape of a value: that of one array, as it came."""
    return template.settled and slot.convert is None


def check(recipe: Recipe, found: Found, *, inplace: bool, off: Callable[[], bool]) -> None:
    """Refuses what could only be mixed wrongly.

    Args:
        recipe: The steps for this structure.
        found: The batch.
        inplace: Whether images may be overwritten.
        off: Whether mixing is switched off, in which case any dtype may pass.

    Raises:
        InputError: Names the first value that does not fit.
    """
    for step, target in zip(recipe.targets, found.others, strict=True):
        step.check(target.value, step.where, recipe.scene)
    for objects in found.objects:
        objects.check()
    for image, target in zip(recipe.images, found.images, strict=True):
        own = inplace and (found.samples or image.listed is None)  # a list is stacked anew
        known = recipe.passed and image.fixed
        odd = recipe.computes and not known and not holds_intensities(target.value)
        if own or odd:
            check_paintable(target.value, image.where, blends=odd and not off(), inplace=own)
        if recipe.scales and not known and not off():
            check_scalable(target.value, image.where)
    if inplace:
        check_apart([(target.path, target.value) for target in found.images])


def no_labels(options: Options) -> InputError:
    """The error for a batch without the labels that ``num_classes`` or ``smoothing`` promises."""
    getter = ", or say labels_getter=None" if hasattr(options, "labels_getter") else ""
    name = "smoothing" if options.smoothing else "num_classes"
    return InputError(
        "No labels found",
        where=spell(()),
        got=f"{name}={getattr(options, name)}, and no value that is known as labels" + " of classes" * (name[0] == "s"),
        wanted=f"the labels that {name} promises: pixels would be mixed, and nothing would say with what",
        fix=f"Pass them with the images, as numbers, or leave {name} out{getter}.",
    )


def is_idle(method: Method) -> bool:
    """Whether a method never mixes: its chance or its alpha is 0, or that of all methods it chooses from."""
    own = [getattr(method, name, 1.0) for name in ("p", "alpha")]
    inside = getattr(method, "transforms", ())
    return 0.0 in own or (bool(inside) and all(map(is_idle, inside)))


def replayed(recipe: Recipe, plan: Plan, found: Found, *, keep_originals: bool, inplace: bool, checked: bool) -> Any:
    """The batch as it came, around mixed values.

    Args:
        recipe: The steps for this structure.
        plan: Drawn for this spec.
        found: The batch, checked.
        keep_originals: Whether the originals come first, and the mixed samples behind them.
        inplace: Whether images may be overwritten.
        checked: Whether the plan is one that :func:`check` was told of, so that no dtype need be looked at again.
    """
    if keep_originals and plan.output_shape != plan.spec.shape:
        raise _two_sizes(plan)
    base = found.parts[0] if found.parts else found
    if found.parts and any(layer.rows.max(initial=0) >= base.spec.size for layer in plan.layers):
        # Somebody else's plan, which mixes the second batch as well.
        plan = plan.where(np.arange(plan.size) < base.spec.size)
    new = base.rest_twice() if keep_originals else {}
    mixed = _mixed(recipe, plan, found)
    if keep_originals:
        kept = _mixed(recipe, Plan(plan.spec), found)
        mixed = {path: _behind(kept[path], value) for path, value in mixed.items()}
    for path, value in mixed.items():
        new |= found.placed(path, value) if value.beside else {path: value.value}
    for step, target, given in zip(recipe.images, found.images, base.images, strict=True):
        listed = None if found.samples else step.listed
        originals = found.rows.get(step.path) if found.rows else None
        own = inplace and listed is None and not found.parts
        image = painted(recipe, step, plan, target.value, originals=originals, inplace=own, checked=checked)
        if found.parts and step.path not in found.rows:  # the second batch is behind it
            image = kernel_of(str(backend_of(image))).wrap_like(image[: base.spec.size], image)
        if keep_originals:
            image = kernel_of(str(backend_of(image))).concat(given.value, image)
        new[step.path] = image if listed is None else listed(kernel_of(str(backend_of(image))).rows_of(image))
    return found.rebuilt(new)


def painted(
    recipe: Recipe,
    step: ImageStep,
    plan: Plan,
    value: Any,
    *,
    originals: Sequence[Any] | None = None,
    inplace: bool,
    checked: bool,
) -> Any:
    """One image, painted. See :func:`replayed` and :func:`~mixtransforms.kernels.paint.paint`."""
    drawn = plan if step.lengths is None else plan.on(step.lengths)
    # A method that only pastes may still resize, and one of the user's own may blend for all that.
    pastes = recipe.ours and all(layer.crop is None for layer in plan.layers)
    if checked and plan.canvas is None and (recipe.scene.blends or pastes):
        return paint_checked(drawn, value, step.axes, originals=originals, inplace=inplace)
    return paint(drawn, value, step.axes, originals=originals, inplace=inplace, where=step.where)


def _two_sizes(plan: Plan) -> PlanError:
    return PlanError(
        "Originals and results of two sizes",
        where="keep_originals",
        got=f"samples of {plan.spec.shape}, and a canvas of {plan.output_shape}",
        wanted="results of the size of the samples, since both come in one batch",
        fix="Use keep_originals=False, or results of the samples' own size.",
    )


def _mixed(recipe: Recipe, plan: Plan, found: Found) -> dict[Path, Mixed]:
    """Everything but images, mixed."""
    mixed = {}
    for step, target in zip(recipe.targets, found.others, strict=True):
        result = step.rule.mix(plan, target.value, recipe.scene)
        mixed[step.path] = result if found.samples or step.listed is None else _listed(result, step.listed)
    if len(found.objects) > 1:
        _check_one_set(plan, found)
    for objects in found.objects:
        mixed.update(objects.mix(plan))
    if not found.parts:
        return mixed
    size = found.parts[0].spec.size
    return {path: _first_rows(value, size) for path, value in mixed.items()}


def _check_one_set(plan: Plan, found: Found) -> None:
    """Refuses a plan that chooses objects where it could be read as of two sets of them."""
    sets = [spell(objects.group.anchor) for objects in found.objects if objects.are_chosen]
    if len(sets) > 1 and any(layer.objects is not None for layer in plan.layers):
        raise PlanError(
            "Whose objects the plan chooses is not known",
            where=sets[1],
            got=f"objects in {' and in '.join(sets)}",
            wanted="one set of boxes or instances beside a plan that chooses some",
            fix="Put what is told of the same objects into one container, or leave all sets but one alone with "
            "passthrough.",
        )


def _listed(mixed: Mixed, kind: type) -> Mixed:
    """Masks as a list where a list of arrays has come in."""
    rows = kernel_of(str(backend_of(mixed.value))).rows_of
    beside = {name: kind(rows(value)) if name == "_partner" else value for name, value in mixed.beside.items()}
    return mixed._replace(value=kind(rows(mixed.value)), beside=beside)


def _first_rows(mixed: Mixed, size: int) -> Mixed:
    """Mixed values without those of a second batch, which are behind them."""
    beside = {name: _some_rows(value, size) for name, value in mixed.beside.items()}
    return mixed._replace(value=_some_rows(mixed.value, size), beside=beside)


def _some_rows(value: Any, size: int) -> Any:
    """The first rows of a value; a copy, since a view would be saved with all of it."""
    if hasattr(value, "_fields"):
        return type(value)(*[_some_rows(part, size) for part in value])
    backend = backend_of(value)
    if backend is None:
        return value[:size]
    kernel = kernel_of(backend)
    return kernel.wrap_like(kernel.take(value, np.arange(size)), value)


def _behind(first: Mixed, second: Mixed) -> Mixed:
    """Mixed values of two batches as of one, with everything beside them."""
    beside = {name: _joined(_as_map(first.beside[name], value), value) for name, value in second.beside.items()}
    return second._replace(value=_joined(first.value, second.value), beside=beside)


def _as_map(weights: Any, other: Any) -> Any:
    """Weights of samples as maps where ``other`` has a weight at every place; other values as they are."""
    backend, missing = backend_of(weights), len(getattr(other, "shape", ())) - len(getattr(weights, "shape", ()))
    if backend is None or not missing:
        return weights
    return kernel_of(backend).wrap_like(weights.reshape(*weights.shape, *[1] * missing) + 0 * other, other)


def _joined(first: Any, second: Any) -> Any:
    if hasattr(first, "_fields"):
        return type(first)(*map(_joined, first, second))
    backend = backend_of(first)
    return first + second if backend is None else kernel_of(backend).concat(first, second)


def recipe_for(recipe: Recipe, plan: Plan, found: Found, where: str) -> Recipe:
    """The recipe for a plan that may be of another method.

    Of what that blends, rules must not think that it is pasted; of what it cuts, not that samples are whole.

    Args:
        recipe: The transform's own.
        plan: Any plan.
        found: The batch.
        where: The transform, for errors.

    Raises:
        PlanError: The plan was made for another batch.
        InputError: It has regions that could lie in the padding of images; or it scales, and images are whole numbers.
    """
    if plan.spec != found.spec:
        raise PlanError(
            "The plan is for another batch",
            where=where,
            got=f"{found.spec.size} samples of {found.spec.shape}",
            wanted=f"{plan.spec.size} samples of {plan.spec.shape}",
            fix="Draw a plan for this batch, and replay it with the same second batch where it was drawn with one.",
        )
    cuts = any(layer.region is not None or layer.crop is not None for layer in plan.layers)
    if found.template.padded and (cuts or plan.canvas is not None):
        check_cuts(found.template, where)
        check_within(plan, found.template.sizes, where)
    _check_sizes(found.template, cuts=cuts)
    for image, target in zip(recipe.images, found.images, strict=True) if plan.scale is not None else ():
        check_scalable(target.value, image.where)
    known = recipe.scene
    scene = known._replace(
        blends=known.blends or any(layer.blends for layer in plan.layers),
        cuts=known.cuts or cuts,
        sources=max(known.sources, most_united(plan)),
        blended=max(known.blended, most_blended(plan)),
    )
    if scene == known:
        return recipe
    for step, target in zip(recipe.targets, found.others, strict=True):
        step.rule.check(target.value, step.where, scene)
    return replace(recipe, scene=scene)


def of_both(plan: Plan, where: str) -> Plan:
    """A plan that was drawn for a batch and a second one, as of all their samples.

    Args:
        plan: What the method drew; its spec says how many samples are of the second batch.
        where: The transform, for errors.

    Raises:
        InputError: The method has chosen partners of the batch itself.
    """
    size, second = plan.spec.size, plan.spec.second
    for layer in plan.layers:
        own = (layer.source < size) & (layer.source != layer.rows)
        if own.any():
            raise InputError(
                "A method that takes no partners from a second batch",
                where=where,
                got=f"sample {int(layer.source[own][0])} of the batch itself as a partner",
                wanted=f"partners from {size} on, since spec.second is {second}",
                fix="Mix without a second batch, or have the method choose partners by self.pairs(spec, rng, hints).",
            )
    share = plan.label_share
    if share is not None:
        share = np.concatenate([share, np.eye(1, share.shape[1]).repeat(second, axis=0)])
    scale = None if plan.scale is None else np.append(plan.scale, np.ones(second))
    spec = BatchSpec(size + second, plan.spec.shape)
    whole = Plan.drawn(spec, plan.layers, share, plan.key, plan.label_mass, scale, plan.canvas)
    return whole if plan.canvas is None else whole.where(np.ones(spec.size, np.bool_))  # all are shown on a canvas


def _check_sizes(template: Template, *, cuts: bool) -> None:
    """Refuses images of different sizes where something that has a place in one of them has none in another."""
    for slot in template.images[1:]:
        path, shape = slot.target.path, template.spec.shape
        own = template.lengths(path)
        if own != shape and (template.groups or (cuts and not same_view(shape, own))):
            reason = ", beside boxes or other objects" if template.groups else ", and a method that pastes"
            raise InputError(
                "Images of different sizes",
                where=spell(path),
                got=f"shape {template.shapes[path]}{reason}",
                wanted=f"height and width {shape}, as in {spell(template.images[0].target.path)}"
                + ("" if template.groups else ", or these times one number, so that a region has its place"),
                fix="Resize them alike, or mix them in separate calls, by one plan: plan.on(lengths).apply(images).",
            )


def check_apart(images: Sequence[tuple[Path, Any]]) -> None:
    """Refuses to overwrite memory twice.

    Raises:
        InputError: Two of the images, which are given with their paths, may overlap in memory.
    """
    for index, (path, second) in enumerate(images):
        for other, first in images[:index]:
            if share_memory(first, second):
                raise InputError(
                    "Two names for one memory",
                    where=spell(path),
                    got=f"an array that overlaps with {spell(other)}",
                    wanted="memory of its own, since it is overwritten",
                    fix="Use inplace=False, or pass it once.",
                )
