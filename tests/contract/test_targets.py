"""Every kind of target is mixed by every method at every door as its plan says, and touches nothing else."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
import tiers
from doors import DOORS, NEUTRAL, TORCHVISION, Case, Door, cases
from forms import bits, memory
from seen import ROTATED, Sight, sights
from target_forms import agree, content, form, given, leaves, read
from target_table import BOXES, INSTANCES, KINDS, MASKS, POINTS, SEQUENCES, SHAPE, SINGLE, SIZE, TargetKind
from tiers import some
from told import hints

from mixtransforms import BatchSpec, Plan, methods
from mixtransforms.core import fields

SEEDS = (0, 1)
FIRST = cases(first=True)
FEW = tuple(kind for kind in KINDS if kind not in BOXES or kind.name in ("boxes-yolo", "boxes-tv-cxcywhr"))
"""All kinds, but boxes in few formats, for methods in all their configurations."""

IMAGES = ("images", "inputs")


Row = tuple[TargetKind, Case, str]


def taken(*doors: Door, first: bool = False, free: bool = False) -> list[Row]:
    """Every kind with every method in all its configurations, at every door with everything that it takes.

    Args:
        *doors: Whose, if not those of all.
        first: One configuration of every method.
        free: Methods alone that draw the same without a target.
    """
    return [
        (kind, case, backend)
        for case in cases(*doors, first=first)
        for known in [followed(case, free)]
        for backend in case.door.backends
        for kind in (KINDS if case in FIRST else FEW)
        if (backend == "torch" or not kind.typed) and known(kind)
    ]


def followed(case: Case, free: bool) -> Callable[[TargetKind], bool]:
    """Whether a method takes a kind: it finds what it reads, and gives no more sources than the kind can tell of."""
    method = case.make().method
    several = method.most_sources(2) > 2
    asked = method.needs - {"images", "saliency", "classes"}

    def known(kind: TargetKind) -> bool:
        pairs = "pair" in kind.options.values() or kind.name == "heads"
        finds = not asked if free else asked <= told_by(kind)
        return finds and not (several and pairs)

    return known


def told_by(kind: TargetKind) -> set[str]:
    """What a method may read of a batch with a target."""
    upright = kind in BOXES and not any(form in kind.name for form in ROTATED)
    found = {"boxes": upright, "instances": kind in INSTANCES, "masks": kind in MASKS}
    return {name for name, there in found.items() if there}


GROUPS = {"values": SINGLE, "masks": MASKS, "points": POINTS, "instances": INSTANCES, "sequences": SEQUENCES}


def group(kind: TargetKind) -> str:
    """Kinds of one room, which read plans by the same functions."""
    found = next((name for name, kinds in GROUPS.items() if kind in kinds), "boxes")
    return "rotated boxes" if found == "boxes" and any(form in kind.name for form in ROTATED) else found


@cache
def sort(configured: str) -> str:
    """What plans of a method are made of, by the names that layers have for it; a kind knows a method by that alone."""
    method = next(case for case in cases(NEUTRAL) if case.configured == configured).make().method
    spec, found = BatchSpec(SIZE, SHAPE), set()
    for seed in range(3):
        plan = method.draw(spec, np.random.default_rng(seed), hints(method, spec))
        found |= {"several"} if len(plan.layers) > 1 else set()
        for layer in plan.layers:
            whole = layer.opacity.min(initial=1) == 1
            held = {"paste": whole, "blend": not whole, "soft": layer.soft_edged, type(layer.region).__name__: True}
            held |= {name: getattr(layer, name) is not None for name in ("crop", "into", "flip", "objects")}
            found |= {name for name, there in held.items() if there}
    return " ".join(sorted(found))


def parts(row: Row) -> tuple[tuple[str, str], ...]:
    """What may be broken together: a kind by a sort of plans or where it is mixed, a group of kinds by a method.

    What has one value a sample costs next to nothing, and is mixed by every method: shares may be none by chance.
    """
    kind, case, backend = row
    name, door, method = kind.name, str(case.door), case.configured
    mixed = name if kind in SINGLE and case in FIRST else group(kind)
    doors = (name, door), (name, backend), (method, door), (method, backend)
    return (name, sort(method)), (mixed, method), *doors


def families(row: Row) -> tuple[tuple[str, str], ...]:
    """The same of groups, for what no kind has a say in."""
    kind, case, backend = row
    name, door, method = group(kind), str(case.door), case.configured
    return (name, sort(method)), (name, f"{door} {backend}"), (method, ""), (kind.name, backend)


def cover(rows: list[Row], factors: Callable[[Row], tuple[tuple[str, str], ...]]) -> list[Row]:
    return some(rows, lambda row: (), factors)


def every(*doors: Door) -> pytest.MarkDecorator:
    """A cover of them, of one configuration a method."""
    return _rows(cover(taken(*doors, first=True, free=True), families))


def _rows(rows: list[Row]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("kind", "case", "backend"), rows, ids=str)


FOLLOWING = cover(taken(), parts)


def seeds(case: Case) -> tuple[int, ...]:
    """Other numbers are another plan, and plans are the neutral door's as well; few cases have objects to choose from."""
    return SEEDS if case.door is NEUTRAL or tiers.everything or "instances" in case.make().method.needs else SEEDS[:1]


def targets(result: Any) -> dict[str, Any]:
    """What is no image."""
    return {name: value for name, value in result.items() if name not in IMAGES}


@_rows(FOLLOWING)
def test_targets_follow_the_plan(kind: TargetKind, case: Case, backend: str) -> None:
    """A target becomes what the plan alone says, worked out pixel by pixel; a call is its plan replayed."""
    for seed in seeds(case):
        batch = kind.batch(seed)
        transform = case.make(seed=seed, **kind.options)
        plan = transform.plan(**given(batch, backend, kind.typed))
        result = transform.replay(plan, **given(batch, backend, kind.typed))
        expected = kind.expect(plan, targets(batch), transform.method.blends)
        mixed = targets(read(result))
        assert mixed.keys() == expected.keys()
        for name, value in expected.items():
            agree(mixed[name], value, name)
        called = case.make(seed=seed, **kind.options)(**given(batch, backend, kind.typed))
        assert content(called) == content(result)


@pytest.mark.parametrize("kind", INSTANCES, ids=str)
def test_plans_of_objects_have_all_that_layers_may_hold(kind: TargetKind) -> None:
    """What no plan shows would be tested by none: crops, both ways to resize, mirrors, and a choice of objects."""
    found = set()
    for case, backend in [row[1:] for row in FOLLOWING if row[0] is kind]:
        for seed in seeds(case):
            batch = kind.batch(seed)
            plan = case.make(seed=seed, **kind.options).plan(**given(batch, backend, kind.typed))
            found |= {name for row in range(SIZE) for sight in sights(plan, row) for name in _held(sight, plan)}
    assert found == {"cut", "moved", "shrunk", "enlarged", "mirrored", "mirrored and resized", "chosen"}


def _held(sight: Sight, plan: Plan) -> set[str]:
    resized = sight.magnified != 1
    held = {
        "cut": sight.crop != [(0, length) for length in plan.spec.shape],
        "moved": sight.crop != sight.frame and not resized,
        "shrunk": sight.magnified < 1,
        "enlarged": sight.magnified > 1,
        "mirrored": any(sight.flips),
        "mirrored and resized": any(sight.flips) and resized,
        "chosen": sight.chosen is not None,
    }
    return {name for name, there in held.items() if there}


@every()
def test_a_target_changes_nothing_else(kind: TargetKind, case: Case, backend: str) -> None:
    """With a target or without it, the plan of a seed is the same, and so are the images and the other targets."""
    batch = given(kind.batch(), backend, kind.typed)
    images = {name: batch[name] for name in IMAGES if name in batch}
    other = images | given({"sample_weight": np.arange(SIZE) / 8}, backend)
    bare = {name: value for name, value in kind.options.items() if name != "num_classes"}  # which promises labels
    for seed in range(5):
        made = [case.make(seed=seed, **options) for options in (bare, kind.options, bare, kind.options)]
        plans = [mix.plan(**one) for mix, one in zip(made, (images, batch, other, batch | other), strict=True)]
        assert all(plan == plans[0] and plan.key == plans[0].key for plan in plans)
    transform = case.make(**kind.options)
    whole = transform.replay(plans[0], **batch | other)
    part = case.make(**bare).replay(plans[0], **other)
    assert content({name: whole[name] for name in other}) == content(part)
    alone = transform.replay(plans[0], **batch)
    assert content({name: whole[name] for name in alone}) == content(alone)


@every()
def test_inputs_stay_as_they_are(kind: TargetKind, case: Case, backend: str) -> None:
    """Nothing that is passed in is written to, and no image or target of the result is memory that came in."""
    options = [{}, {"keep_originals": True}, {"p": 0.0}]
    for more in options[: 2 + ("p" in fields.values(case.make()))]:
        batch = given(kind.batch(2), backend, kind.typed)
        before = content(batch)
        result = case.make(seed=2, **{**kind.options, **more})(**batch)
        assert content(batch) == before
        theirs = {memory(leaf) for _, leaf in _arrays(batch)}
        assert not [path for path, leaf in _arrays(result) if leaf.shape[0] and memory(leaf) in theirs]


def _arrays(value: Any) -> list[tuple[str, Any]]:
    return [(path, leaf) for path, leaf in leaves(value) if hasattr(leaf, "shape")]


BOTH = [row for row in taken(NEUTRAL) if row[2] == "torch" and not row[0].typed]


@pytest.mark.parametrize(
    ("kind", "case"),
    [row[:2] for row in cover(BOTH, families)],
    ids=str,
)
def test_numpy_and_torch_agree(kind: TargetKind, case: Case) -> None:
    """One plan does the same to NumPy arrays and to tensors, bit for bit."""
    batch = kind.batch(3)
    transform = case.make(seed=3, **kind.options)
    plan = transform.plan(**given(batch, "numpy"))
    first, second = (targets(read(transform.replay(plan, **given(batch, own)))) for own in ("numpy", "torch"))
    assert first.keys() == second.keys()
    for (path, one), (_, other) in zip(_arrays(first), _arrays(second), strict=True):
        assert one.dtype == other.dtype, path
        assert bits(np.ascontiguousarray(one)) == bits(np.ascontiguousarray(other)), path


"""Kinds whose rows are taken over, and never averaged."""


@every()
def test_originals_are_kept(kind: TargetKind, case: Case, backend: str) -> None:
    """``keep_originals``: first every sample unmixed, with the whole weight, then what would have come without it."""
    batch = kind.batch(4)
    mixed = case.make(seed=4, **kind.options)(**given(batch, backend, kind.typed))
    transform = case.make(seed=4, keep_originals=True, **kind.options)
    spec = transform.plan(**given(batch, backend, kind.typed)).spec
    both = case.make(seed=4, keep_originals=True, **kind.options)(**given(batch, backend, kind.typed))
    assert form(_part(both, slice(SIZE, None))) == form(mixed)
    assert content(_part(both, slice(SIZE, None))) == content(mixed)
    originals = read(_part(both, slice(None, SIZE)))
    expected = kind.expect(Plan(spec), targets(batch), transform.method.blends)
    for name, value in expected.items():
        agree(originals[name], value, name)
    for name in set(IMAGES) & set(batch):
        assert bits(np.ascontiguousarray(originals[name])) == bits(batch[name])


def _part(value: Any, part: slice) -> Any:
    """The first or the second half of a batch."""
    if isinstance(value, dict):
        return {name: _part(inner, part) for name, inner in value.items()}
    if hasattr(value, "_fields"):
        return type(value)(*(_part(inner, part) for inner in value))
    return value[part]


@every()
def test_inplace_overwrites_images_alone(kind: TargetKind, case: Case, backend: str) -> None:
    """``inplace`` gives the same result in the memory of the images, and leaves the targets that came in alone."""
    batch = given(kind.batch(5), backend, kind.typed)
    expected = case.make(seed=5, **kind.options)(**given(kind.batch(5), backend, kind.typed))
    before = content(targets(batch))
    result = case.make(seed=5, inplace=True, **kind.options)(**batch)
    assert content(result) == content(expected)
    assert content(targets(batch)) == before
    for name in set(IMAGES) & set(batch):
        assert memory(result[name]) == memory(batch[name])


@every()
def test_unmixed_targets_have_the_form_of_mixed_ones(kind: TargetKind, case: Case, backend: str) -> None:
    """With ``p=0`` values are those of unmixed samples; names, types, dtypes and shapes are those of mixed ones."""
    if "p" not in fields.values(case.make()):
        return
    _check_off(kind, case.make(seed=6, **{**kind.options, "p": 0.0}), case.make(seed=6, **kind.options), backend)


@every(TORCHVISION)
def test_eval_has_the_form_of_training(kind: TargetKind, case: Case, backend: str) -> None:
    """After ``.eval()`` values are those of unmixed samples, in the same form."""
    _check_off(kind, case.make(seed=6, **kind.options).eval(), case.make(seed=6, **kind.options), backend)


def _check_off(kind: TargetKind, off: Any, mixing: Any, backend: str) -> None:
    batch = kind.batch(6)
    spec = off.plan(**given(batch, backend, kind.typed)).spec
    kept = off(**given(batch, backend, kind.typed))
    for name, value in kind.expect(Plan(spec), targets(batch), off.method.blends).items():
        agree(read(kept)[name], value, name)
    assert form(kept) == form(mixing(**given(batch, backend, kind.typed)))
    for name in set(IMAGES) & set(batch):
        assert bits(np.ascontiguousarray(read(kept)[name])) == bits(batch[name])


CHOICES = {
    "sample": {"transforms": (methods.MixUp(alpha=1.0), methods.CutMix())},
    "batch": {"transforms": (methods.CutMix(), methods.MixUp()), "weights": (0.4, 0.3), "per": "batch"},
    "pastes": {"transforms": (methods.CutMix(), methods.CutMix(placement="inside")), "p": 0.5},
}


CHANCES = [(kind, name) for kind in KINDS for name in CHOICES]


@pytest.mark.parametrize(
    ("kind", "chance"),
    some(CHANCES, lambda row: (row[0].name.partition("-")[0], row[1]), lambda row: (row[0].name,)),
    ids=str,
)
def test_the_form_never_depends_on_chance(kind: TargetKind, chance: str) -> None:
    """Whatever a choice of methods draws, results have the same names, types, dtypes and shapes."""
    batch = given(kind.batch(7), "torch", kind.typed)
    transforms = [door.transform("OneOf", **{**CHOICES[chance], **kind.options}, seed=0) for door in DOORS]
    forms = [form(transforms[call % len(DOORS)](**batch)) for call in range(40 if tiers.everything else 12)]
    assert all(other == forms[0] for other in forms)
