"""Methods with schedules: what they are in an epoch, what they draw, and what becomes of them at the doors."""

import copy
import itertools
import pickle
import warnings
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
import tiers
from doors import ALBUMENTATIONS, DOORS, NEUTRAL, TORCHVISION, Door, examples
from forms import host
from told import hints, suits

import mixtransforms
from mixtransforms import BatchSpec, Boxes, Cosine, Key, Mask, OffAfter, ParameterError, Plan, Ramp, Schedule, Steps
from mixtransforms.methods import CutMix, MixUp, OneOf
from mixtransforms.methods.base import Method, PairMethod
from mixtransforms.methods.pairing import MUTUAL, PAIRINGS
from mixtransforms.methods.registry import METHODS

SPEC = BatchSpec(13, (17, 23))
EPOCHS = (0, 1, 2, 3, 4, 5, 9, 10, 11, 10_000, 2**32 - 1)

UP, DOWN = Ramp(0, 0.5, 0, 10), Cosine(1, 0, 2, 9)


# ----------------------------------------------------------------------------------------------------- what is accepted

ALPHA = r"wanted 0 or a number within \[1e-06, 1e\+06\], or a schedule of such numbers\. "
CHANCE = r"wanted a number within \[0, 1\], or a schedule of such numbers\. "


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MixUp(alpha=Ramp(0, 1e-7, 0, 3)), rf"'alpha' \(MixUp\): got Ramp\(.*{ALPHA}.*In epoch 1 it would be 3\.3"),
        (lambda: CutMix(alpha=Ramp(1e-7, 1, 2, 3)), rf"'alpha' \(CutMix\): got Ramp\(.*{ALPHA}.*In epoch 0 it would be 1e-"),
        (lambda: MixUp(alpha=Ramp(0, 0.005, 0, 10**4)), r"'alpha' .*In epoch 1 it would be 5e-07\."),
        (lambda: MixUp(alpha=Ramp(0.005, 0, 0, 10**4)), r"'alpha' .*In epoch 9999 it would be 5e-07\."),
        (lambda: MixUp(alpha=Cosine(0, 0.2, 0, 1000)), r"'alpha' .*In epoch 1 it would be 4\.9348e-07\."),
        (lambda: MixUp(alpha=Steps({0: 0.2, 7: -0.1})), r"'alpha' .*In epoch 7 it would be -0\.1\."),
        (lambda: MixUp(alpha=OffAfter(1e-9, 3)), r"'alpha' .*In epoch 0 it would be 1e-09\."),
        (lambda: MixUp(alpha=Ramp(-1, 1, 0, 2)), r"'alpha' .*In epoch 0 it would be -1\."),
        (lambda: MixUp(p=Ramp(0, 1.2, 0, 3)), rf"'p' \(MixUp\): got Ramp\(.*{CHANCE}.*In epoch 3 it would be 1\.2\."),
        (lambda: MixUp(p=Ramp(0, 1.2, 0, 12)), r"'p' \(MixUp\).*In epoch 11 it would be 1\.1\."),
        (lambda: CutMix(p=Steps({0: -0.1})), r"'p' \(CutMix\).*In epoch 0 it would be -0\.1\."),
        (lambda: OneOf([MixUp()], p=Steps({0: 1, 8: 2})), r"'p' \(OneOf\): got Steps.*In epoch 8 it would be 2\."),
        (lambda: OneOf([MixUp()], p=UP.then(3, 8)), r"'p' \(OneOf\): got Then.*In epoch 8 it would be 3\."),
        (lambda: OneOf([MixUp()], weights=[Ramp(0, 2, 0, 8)]), r"'weights' \(OneOf\).*In epoch 5 it would be 1\.25\."),
        (lambda: OneOf([MixUp()], weights=UP), r"'weights' \(OneOf\): got Ramp\("),
        (lambda: OneOf([MixUp(), CutMix()], weights=[UP]), r"1 weights for 2 methods \(OneOf\)"),
        (lambda: replace(MixUp(), p=Steps({0: 2})), r"'p' \(MixUp\).*In epoch 0 it would be 2\."),
    ],
)  # fmt: skip
def test_a_bad_value_in_any_epoch_is_refused_at_once(make: Callable[[], Method], message: str) -> None:
    with pytest.raises(ParameterError, match=f"Bad value for {message}" if message.startswith("'") else message):
        make()


@pytest.mark.parametrize(
    "alpha",
    [
        Ramp(0, 1, 0, 10**4),
        Ramp(0, 0.011, 0, 10**4),
        Ramp(0, 1e-6, 0, 1),
        Ramp(1e-6, 1e6, 0, 7),
        Cosine(0, 0.2, 0, 300),
        OffAfter(1e-6, 4),
        Steps({0: 0, 5: 1e-6}),
        Ramp(-1, 1, 0, 4).then(0.2, 0),
        Ramp(0.5, -1, 3, 9).then(0, 4),
    ],
    ids=repr,
)
def test_good_values_in_every_epoch_are_taken(alpha: Schedule) -> None:
    assert MixUp(alpha=alpha).alpha is alpha
    assert MixUp(alpha=alpha).at(2).alpha == alpha(2)


def total(weights: Any, epoch: int) -> float:
    return sum(one(epoch) if isinstance(one, Schedule) else one for one in weights)


@pytest.mark.parametrize(
    "weights",
    [
        (Cosine(0, 1, 0, 10), Ramp(1, 0, 0, 10)),
        (Ramp(0, 0.9, 0, 20), OffAfter(0.5, 15)),
        (Ramp(0, 0.9, 0, 20), 0.2),
        (0.6, Steps({0: 0.1, 30: 0.5, 31: 0.1})),
        (0.4, Steps({0: 0.1, 30: 0.7})),
    ],
    ids=repr,
)
def test_weights_beyond_one_in_any_epoch_are_refused(weights: Any) -> None:
    epoch = max(range(60), key=lambda epoch: total(weights, epoch))
    told = rf"Their sum would be {total(weights, epoch):g} in epoch {epoch}\."
    with pytest.raises(ParameterError, match=rf"Bad value for 'weights' \(OneOf\): .* {told}"):
        OneOf([MixUp(), CutMix()], weights=weights)


@pytest.mark.parametrize(
    "weights",
    [
        (Ramp(0, 1, 0, 7), Ramp(1, 0, 0, 7)),
        (Cosine(0.1, 0.7, 3, 30), Cosine(0.9, 0.3, 3, 30)),
        (Ramp(0.3, 0.6, 0, 11), 0.4),
        (OffAfter(1, 5), Steps({0: 0, 5: 1})),
        (0, Ramp(0, 1, 0, 7)),
    ],
    ids=repr,
)
def test_weights_that_share_one_are_taken(weights: Any) -> None:
    method = OneOf([MixUp(), CutMix()], weights=weights)
    for epoch in range(40):
        assert sum(method.at(epoch).weights) == pytest.approx(total(weights, epoch))


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: mixtransforms.MixUp(num_classes=UP), "num_classes"),
        (lambda: mixtransforms.MixUp(seed=UP), "seed"),
        (lambda: mixtransforms.MixUp(ignore_index=UP), "ignore_index"),
        (lambda: mixtransforms.MixUp(keep_originals=UP), "keep_originals"),
        (lambda: MixUp(fold=UP), "fold"),
        (lambda: MixUp(per=UP), "per"),
        (lambda: MixUp(pairing=UP), "pairing"),
        (lambda: CutMix(placement=UP), "placement"),
        (lambda: CutMix(correct_weight=UP), "correct_weight"),
        (lambda: CutMix(placement="minmax", minmax=UP), "minmax"),
        (lambda: CutMix(placement="minmax", minmax=(UP, 1)), "minmax"),
        (lambda: OneOf(UP), "transforms"),
        (lambda: OneOf([UP]), "transforms"),
    ],
)
def test_a_schedule_where_none_is_taken(make: Callable[[], Any], name: str) -> None:
    with pytest.raises(ParameterError, match=rf"Bad value for '{name}' \(\w+\): got .*Ramp\(start=0\.0, end=0\.5"):
        make()


# ------------------------------------------------------------------------------------------------- methods of an epoch

SCHEDULED: tuple[Method, ...] = (
    MixUp(alpha=Ramp(0.1, 0.4, 0, 5)),
    MixUp(p=DOWN, per="pair", fold=True),
    MixUp(Steps({0: 0, 3: 1}), p=OffAfter(0.5, 9)),
    CutMix(alpha=Cosine(1, 2, 1, 4), p=UP, placement="inside"),
    CutMix(placement="minmax", minmax=(0.1, 0.5), p=DOWN.then(UP, 9)),
    OneOf([MixUp(), CutMix()], weights=[UP, 0.5]),
    OneOf([MixUp(p=UP), CutMix()], p=DOWN),
    OneOf([MixUp(), OneOf([CutMix(alpha=Ramp(1, 2, 0, 5)), MixUp(p=DOWN)], weights=(UP, 0.25), per="batch")]),
)
NAMES = {name: getattr(mixtransforms, name) for name in ("Ramp", "Cosine", "Steps", "OffAfter", "Then")}
NAMES |= {"MixUp": MixUp, "CutMix": CutMix, "OneOf": OneOf}


def by_hand(method: Method, epoch: int) -> Method:
    """The method of an epoch, written out."""

    def number(value: Any) -> Any:
        return value(epoch) if isinstance(value, Schedule) else value

    given = {known.name: getattr(method, known.name) for known in fields(method)}
    if isinstance(method, OneOf):
        given["transforms"] = [by_hand(child, epoch) for child in method.transforms]
        given["weights"] = method.weights and [number(weight) for weight in method.weights]
    return type(method)(**{name: number(value) for name, value in given.items()})


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, (Method, tuple)):
        inner = value if isinstance(value, tuple) else [getattr(value, known.name) for known in fields(value)]
        yield from itertools.chain.from_iterable(leaves(item) for item in inner)
    else:
        yield value


@pytest.mark.parametrize("method", SCHEDULED, ids=repr)
def test_the_method_of_an_epoch_has_plain_numbers(method: Method) -> None:
    assert any(isinstance(leaf, Schedule) for leaf in leaves(method))
    for epoch in EPOCHS:
        now = method.at(epoch)
        assert now == by_hand(method, epoch)
        assert type(now) is type(method)
        assert not any(isinstance(leaf, Schedule) for leaf in leaves(now))
        assert now.at(epoch + 1) is now


@pytest.mark.parametrize(
    "method", [MixUp(), CutMix(placement="minmax", minmax=(0, 1)), OneOf([MixUp(), OneOf([CutMix()])], weights=[0, 1])]
)
def test_a_method_without_schedules_is_its_own(method: Method) -> None:
    assert all(method.at(epoch) is method for epoch in EPOCHS)


def test_what_has_no_schedule_is_not_made_again() -> None:
    plain = CutMix(0.5)
    choice = OneOf([plain, MixUp(p=UP)])
    assert choice.at(3).transforms[0] is plain
    assert choice.at(3) == OneOf([plain, MixUp(p=UP(3))])


@pytest.mark.parametrize("method", SCHEDULED, ids=repr)
def test_scheduled_methods_are_values(method: Method) -> None:
    for twin in (copy.deepcopy(method), pickle.loads(pickle.dumps(method)), replace(method), eval(repr(method), NAMES)):
        assert twin == method
        assert hash(twin) == hash(method)
    assert sum(method == other for other in SCHEDULED) == 1
    assert method != method.at(0)
    assert method.forced() == replace(method, p=1.0)
    assert method.needs == method.at(3).needs
    assert (method.blends, method.cuts) == (method.at(3).blends, method.at(3).cuts)


@pytest.mark.parametrize("method", SCHEDULED, ids=repr)
def test_drawing_without_an_epoch_is_refused(method: Method) -> None:
    message = (
        r"A schedule where a number is needed \(draw\): got \w+\(.*the value of an epoch.*method\.at\(epoch\)\.draw"
    )
    with pytest.raises(ParameterError, match=message):
        method.draw(SPEC, np.random.default_rng(0))


@pytest.mark.parametrize("method", SCHEDULED, ids=repr)
def test_a_key_tells_the_epoch(method: Method) -> None:
    for epoch in (0, 4, 10, 2**32 - 1):
        key = Key(5, epoch, 1, 2, 3)
        plan = method.redraw(key, SPEC)
        assert plan == by_hand(method, epoch).draw(SPEC, key.generator())
        assert plan.key == key


# ------------------------------------------------------------------------------ schedules change values, and nothing else

ALPHAS = (0.0, 1e-6, 0.2, 1.0, 8.0, 1e6)
CHANCES = (0.0, 0.1, 0.5, 0.9, 1.0)

PLAIN: tuple[Method, ...] = (
    *(MixUp(per=per, pairing=pairing) for per in ("sample", "batch") for pairing in PAIRINGS),
    *(MixUp(per="pair", pairing=pairing) for pairing in ("cycle", *sorted(MUTUAL))),
    MixUp(fold=True),
    *(CutMix(placement=place, per=per) for place in ("clip", "inside", "uniform") for per in ("sample", "pair", "batch")),
    *(CutMix(placement="minmax", minmax=(0.2, 0.9), per=per) for per in ("sample", "pair", "batch")),
    *(CutMix(pairing=pairing, correct_weight=False) for pairing in PAIRINGS),
    *(method(**examples(name)[0] | {"per": per}) for name, method in METHODS.items() for per in ("sample", "pair", "batch")
      if issubclass(method, PairMethod) and method not in (MixUp, CutMix)),
)  # fmt: skip
"""Every way in which a method of pairs draws."""


def drawn(method: Method, spec: BatchSpec = SPEC, seed: int = 0) -> tuple[Plan, str]:
    """A plan, and the state in which it leaves the generator."""
    rng = Key(seed).generator()
    plan = method.draw(spec, rng, hints(method, spec))
    return plan, repr(rng.bit_generator.state)


def of_alpha(method: Method) -> list[Method]:
    """The method with every alpha, where it has one."""
    return [replace(method, alpha=alpha) for alpha in ALPHAS] if hasattr(method, "alpha") else [method]


def variants(method: Method) -> list[Method]:
    return [replace(variant, p=p) for variant in of_alpha(method) for p in CHANCES]


@pytest.mark.parametrize("method", PLAIN, ids=repr)
def test_as_many_numbers_are_drawn_for_every_value(method: Method) -> None:
    for spec in (SPEC, BatchSpec(1, (4, 4)), BatchSpec(2, (5,)), BatchSpec(0, (4, 4))):
        if suits(method, spec):
            assert len({drawn(variant, spec)[1] for variant in variants(method)}) == 1


@pytest.mark.parametrize("per", ["sample", "batch"])
def test_as_many_numbers_are_drawn_whatever_is_chosen(per: str) -> None:
    states = set()
    for weights in (None, (1, 0, 0), (0, 0, 1), (0, 0, 0), (0.2, 0.3, 0.5), (0.1, 0.1, 0.1)):
        for p, alpha in itertools.product(CHANCES, ALPHAS):
            children = [MixUp(alpha, p=p), CutMix(alpha, p=1 - p), OneOf([CutMix(), MixUp(alpha)], weights=[p, 1 - p])]
            states.add(drawn(OneOf(children, weights=weights, p=p, per=per))[1])
    assert len(states) == 1


def mixed(plan: Plan) -> dict[int, int]:
    """Whose partner is who."""
    return {
        row: source
        for layer in plan.layers
        for row, source in zip(layer.rows.tolist(), layer.source.tolist(), strict=True)
    }


def amounts(plan: Plan) -> dict[int, Any]:
    """How much, and where, every mixed sample is mixed."""
    found = {}
    for layer in plan.layers:
        region = layer.region
        for index, row in enumerate(layer.rows.tolist()):
            where: Any = None
            if isinstance(region, Boxes):
                where = (*region.start[index].tolist(), *region.stop[index].tolist())
            elif isinstance(region, Mask):
                where = region.values[index].tobytes()
            found[row] = (float(layer.opacity[index]), where)
    return found


@pytest.mark.parametrize("method", PLAIN, ids=repr)
def test_partners_are_the_same_for_every_value(method: Method) -> None:
    everyone = mixed(drawn(replace(method, p=1.0))[0])
    assert len(everyone) >= SPEC.size - 4
    for variant in variants(method):
        assert mixed(drawn(variant)[0]).items() <= everyone.items()


@pytest.mark.parametrize("method", PLAIN, ids=repr)
def test_gates_are_the_same_for_every_alpha_and_only_open(method: Method) -> None:
    opened = []
    for p in CHANCES:
        rows = {frozenset(mixed(drawn(replace(one, p=p), seed=2)[0])) for one in of_alpha(method)}
        assert len(rows) == 1
        opened.append(rows.pop())
    assert not opened[0]
    assert all(fewer <= more for fewer, more in itertools.pairwise(opened))
    assert method.per == "batch" or len(set(opened)) > 2, "some tickets lie between"


@pytest.mark.parametrize("method", PLAIN, ids=repr)
def test_weights_and_boxes_are_the_same_for_every_chance(method: Method) -> None:
    for one in of_alpha(method):
        full = amounts(drawn(replace(one, p=1.0))[0])
        for p in CHANCES:
            assert amounts(drawn(replace(one, p=p))[0]).items() <= full.items()


def places(plan: Plan, placement: str) -> dict[tuple[int, int], tuple[float, float]]:
    """Between which two numbers the uniform one lies that placed a side, where the overhang hides nothing."""
    found = {}
    (layer,) = plan.layers
    for row, start, stop in zip(
        layer.rows.tolist(), layer.region.start.tolist(), layer.region.stop.tolist(), strict=True
    ):
        for axis, (low, high, length) in enumerate(zip(start, stop, plan.spec.shape, strict=True)):
            side = high - low
            whole = low > 0 and high < length
            if placement == "clip" and whole:
                at, count = low + side // 2, length
            elif placement == "inside":
                at, count = low, length - side + 1
            elif placement == "uniform" and whole:
                at, count = low + side, length + side
            else:
                continue
            found[row, axis] = (at / count, (at + 1) / count)
    return found


@pytest.mark.parametrize("per", ["sample", "pair", "batch"])
@pytest.mark.parametrize("placement", ["clip", "inside", "uniform"])
def test_boxes_have_their_place_for_every_alpha(placement: str, per: str) -> None:
    """One uniform number a side fits the boxes of all alphas."""
    spec = BatchSpec(40, (97, 64))
    seen: dict[tuple[int, ...], list[tuple[float, float]]] = {}
    for seed, alpha in itertools.product(range(1 if per == "sample" else 12), (0.1, 0.3, 1.0, 3.0, 100.0)):
        plan, _ = drawn(CutMix(alpha, placement=placement, per=per), spec, seed)
        for side, between in places(plan, placement).items():
            seen.setdefault((seed, *side), []).append(between)
    assert sum(len(between) > 1 for between in seen.values()) > 20
    for between in seen.values():
        assert max(low for low, _ in between) < min(high for _, high in between)


def test_boxes_between_two_sizes_ask_no_alpha() -> None:
    plans = [drawn(CutMix(alpha, placement="minmax", minmax=(0.2, 0.9)))[0] for alpha in ALPHAS]
    assert all(plan == plans[0] for plan in plans)


@pytest.mark.parametrize("method", [MixUp(), CutMix()], ids=repr)
def test_alpha_does_matter(method: Method) -> None:
    """Against tests that could not fail."""
    assert len({str(amounts(drawn(replace(method, alpha=alpha))[0])) for alpha in ALPHAS}) == len(ALPHAS)


@pytest.mark.parametrize("per", ["sample", "batch"])
def test_choices_give_every_sample_what_the_child_alone_would(per: str) -> None:
    children = (MixUp(1.0), CutMix())
    alone = [amounts(drawn(OneOf(children, weights=weights, per=per))[0]) for weights in ((1, 0), (0, 1))]
    chosen = []
    for first in np.linspace(0, 1, 9):
        plan, _ = drawn(OneOf(children, weights=(first, 1 - first), per=per))
        found = amounts(plan)
        assert all(found[row] in (alone[0][row], alone[1][row]) for row in found)
        chosen.append({row for row in found if found[row] == alone[0][row]})
    assert all(fewer <= more for fewer, more in itertools.pairwise(chosen))
    assert (len(chosen[0]), len(chosen[-1])) == (0, SPEC.size)


def test_every_method_and_pairing_is_tried() -> None:
    pairs = {name for name, method in METHODS.items() if issubclass(method, PairMethod)}
    assert {type(method).__name__ for method in PLAIN} == pairs
    assert {method.pairing for method in PLAIN} == set(PAIRINGS)


# ------------------------------------------------------------------------------------------------------------- the doors

SIDE, SIZE = 16, 4
IMAGES = np.random.default_rng(0).integers(0, 256, (SIZE, SIDE, SIDE, 3), np.uint8)

HALF = 1e6
"""An alpha with which everybody keeps half."""

WHOLE = {"placement": "minmax", "minmax": (1, 1)}
"""A CutMix after which nobody keeps anything."""

FOLLOWED: dict[str, tuple[Callable[[Any], Any], tuple[float, ...]]] = {
    "alpha": (lambda door: door.MixUp(alpha=Steps({0: HALF, 2: 0, 3: HALF}), num_classes=SIZE), (0.5, 0.5, 1, 0.5)),
    "alpha of CutMix": (
        lambda door: door.CutMix(Steps({0: 0, 1: HALF}), placement="inside", num_classes=SIZE),
        (1, 1 - 121 / 256, 1 - 121 / 256, 1 - 121 / 256),
    ),
    "p": (lambda door: door.MixUp(HALF, p=OffAfter(1, 2), num_classes=SIZE), (0.5, 0.5, 1, 1)),
    "p of CutMix": (lambda door: door.CutMix(p=Steps({0: 0, 1: 1}), **WHOLE, num_classes=SIZE), (1, 0, 0, 0)),
    "p of OneOf": (lambda door: door.OneOf([door.MixUp(HALF)], p=OffAfter(1, 3), num_classes=SIZE), (0.5, 0.5, 0.5, 1)),
    "weights": (
        lambda door: door.OneOf(
            [door.MixUp(HALF), door.CutMix(**WHOLE)], weights=[OffAfter(1, 2), Steps({0: 0, 3: 1})], num_classes=SIZE
        ),
        (0.5, 0.5, 1, 0),
    ),
    "children": (
        lambda door: door.OneOf(
            [door.MixUp(Steps({0: 0, 1: HALF}).then(0, 2)), door.CutMix(p=OffAfter(1, 1), **WHOLE)],
            weights=[Steps({0: 0, 1: 1}), OffAfter(1, 1)],
            num_classes=SIZE,
        ),
        (0, 0.5, 1, 1),
    ),
}
"""Transforms, and the share of every sample in itself that they leave in the epochs 0 to 3."""


def stock(door: Door) -> Any:
    """The host's own container."""
    name = "torchvision.transforms.v2" if door is TORCHVISION else "albumentations"
    return pytest.importorskip(name, reason=f"{door} is not installed").Compose


def contained(door: Door, container: str, make: Callable[[Any], Any], seed: int | None) -> Any:
    """A transform alone, or in a pipeline; the seed is given where it belongs."""
    module = door.load()
    if container == "BatchCompose":
        return module.BatchCompose([make(module)], seed=seed)
    transform = replace(make(module), seed=seed)
    return transform if container == "alone" else stock(door)([transform])


def arrays(door: Door) -> tuple[Any, Any]:
    """Images and labels as the door has them."""
    if door is not TORCHVISION:
        return IMAGES, np.arange(SIZE)
    torch = pytest.importorskip("torch", reason="torch is not installed")
    return torch.from_numpy(IMAGES.transpose(0, 3, 1, 2).copy()), torch.arange(SIZE)


def labels_of(door: Door, pipeline: Any, form: str = "ready") -> Any:
    """The labels of one call."""
    images, labels = arrays(door)
    if form == "samples":
        return pipeline([{"image": image, "label": index} for index, image in enumerate(images)])["label"]
    return door.call(pipeline, images, labels)[1]


PLACES = [
    (door, container, form)
    for door in DOORS
    for container in (("alone",) if door is NEUTRAL else ("alone", "BatchCompose", "Compose"))
    for form in ("ready", "samples")
    if (door, container, form) != (ALBUMENTATIONS, "Compose", "samples")  # which A.Compose does not take
]


# A method is what it is in an epoch before a place or a seed has a part in it.
@tiers.product(place=PLACES, case=FOLLOWED, seed=[None, 5])
def test_every_door_follows_the_epoch(place: tuple[Door, str, str], case: str, seed: int | None) -> None:
    (door, container, form), (make, shares) = place, FOLLOWED[case]
    pipeline = contained(door, container, make, seed)
    first = host(labels_of(door, pipeline, form))
    np.testing.assert_allclose(np.diag(first), shares[0], atol=0.01, err_msg="without an epoch, the first")
    for epoch in (*range(len(shares)), 1000, 2**32 - 1, 1, 0):
        mixtransforms.set_epoch(pipeline, epoch)
        labels = host(labels_of(door, pipeline, form))
        np.testing.assert_allclose(np.diag(labels), shares[min(epoch, 3)], atol=0.01, err_msg=f"epoch {epoch}")
        assert labels.shape == first.shape == (SIZE, SIZE)
        assert labels.dtype == first.dtype
        np.testing.assert_allclose(labels.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("case", FOLLOWED)
@pytest.mark.parametrize("door", DOORS, ids=str)
def test_pairs_of_labels_keep_their_form_in_every_epoch(door: Door, case: str) -> None:
    make, shares = FOLLOWED[case]
    transform = replace(make(door.load()), labels="pair", num_classes=None)
    for epoch, share in enumerate(shares):
        mixtransforms.set_epoch(transform, epoch)
        pair = labels_of(door, transform)
        assert type(pair).__name__ == "LabelPair"
        assert [host(part).shape for part in pair] == [(SIZE,)] * 3
        np.testing.assert_allclose(host(pair.weight), share, atol=0.01)


@pytest.mark.parametrize("door", DOORS, ids=str)
def test_plans_of_a_door_are_those_of_the_method_in_that_epoch(door: Door) -> None:
    transform = door.transform("MixUp", alpha=Ramp(0.1, 3, 0, 9), p=Cosine(0.2, 1, 1, 5), seed=7)
    images, _ = arrays(door)
    for epoch in (0, 3, 9, 40):
        mixtransforms.set_epoch(transform, epoch)
        for step in range(2):
            plan = door.plan(transform, images)
            assert plan.key == Key(7, epoch, step=step)
            assert plan == transform.method.redraw(plan.key, plan.spec)
            alone = MixUp(transform.alpha(epoch), p=transform.p(epoch))
            assert plan == alone.draw(plan.spec, plan.key.generator())


@pytest.mark.parametrize(("door", "container"), [place[:2] for place in PLACES if place[2] == "ready"], ids=str)
def test_a_schedule_changes_nothing_that_it_need_not(door: Door, container: str) -> None:
    """One seed, one epoch: what has one value by a schedule is drawn as if it were written so."""
    for epoch in (0, 2, 5):
        results = []
        for alpha, p in ((Ramp(0.1, 2, 0, 4), OffAfter(0.7, 9)), (Ramp(0.1, 2, 0, 4)(epoch), 0.7)):
            pipeline = contained(
                door, container, lambda module, a=alpha, p=p: module.MixUp(a, p=p, num_classes=SIZE), 3
            )
            mixtransforms.set_epoch(pipeline, epoch)
            results.append(host(labels_of(door, pipeline)))
        np.testing.assert_array_equal(*results)


@pytest.mark.parametrize("door", DOORS, ids=str)
def test_copies_of_scheduled_transforms(door: Door) -> None:
    make, shares = FOLLOWED["weights"]
    transform = make(door.load())
    mixtransforms.set_epoch(transform, 3)
    for twin in (copy.deepcopy(transform), pickle.loads(pickle.dumps(transform))):
        assert twin.method == transform.method
        assert np.diag(host(labels_of(door, twin)))[0] == shares[3], "with the epoch"
        mixtransforms.set_epoch(twin, 0)
        assert np.diag(host(labels_of(door, transform)))[0] == shares[3], "sharing nothing"
    other = replace(transform, weights=[0.25, OffAfter(0.5, 1)])
    assert other.method == replace(transform.method, weights=[0.25, OffAfter(0.5, 1)])
    with pytest.raises(ParameterError, match=r"'weights' \(OneOf\).*sum would be 1\.5 in epoch 1"):
        replace(transform, weights=[Steps({0: 0, 1: 1}), 0.5])


# ---------------------------------------------------------------------------------------------------------- Albumentations


@pytest.fixture
def albu() -> Any:
    return pytest.importorskip("albumentations", reason="albumentations is not installed")


@pytest.fixture
def ours() -> Any:
    return ALBUMENTATIONS.load()


def scheduled(ours: Any) -> list[Any]:
    children = [ours.MixUp(p=DOWN), ours.CutMix(alpha=Ramp(1, 2, 0, 5).then(0.5, 4))]
    return [
        ours.MixUp(alpha=Ramp(0.1, 0.4, 0, 5), p=OffAfter(1, 3), num_classes=SIZE),
        ours.OneOf(children, weights=[UP, 0.5], p=Steps({0: 0, 3: 1}), num_classes=SIZE),
    ]


def methods_of(compose: Any) -> list[Method]:
    return [transform.method for transform in compose.transforms]


def test_the_hosts_own_choice_adds_the_chances_up(albu: Any, ours: Any) -> None:
    """``A.OneOf`` weighs its children by ``p`` when it is made, which no schedule can be."""
    with pytest.raises(TypeError, match="unsupported operand"):
        albu.OneOf([ours.MixUp(p=OffAfter(1, 3)), ours.CutMix()])
    chosen = albu.OneOf([ours.MixUp(alpha=Steps({0: HALF, 1: 0}), num_classes=SIZE)], p=1)
    for epoch, share in ((0, 0.5), (1, 1)):
        mixtransforms.set_epoch(chosen, epoch)
        labels = chosen(images=IMAGES, labels=np.arange(SIZE))["labels"]
        np.testing.assert_allclose(np.diag(labels), share, atol=0.01)


@pytest.mark.parametrize("name", ["Compose", "Sequential", "SomeOf", "RandomOrder"])
def test_containers_of_albumentations_run_schedules(albu: Any, ours: Any, name: str) -> None:
    more = {"n": 2, "replace": False} if name in ("SomeOf", "RandomOrder") else {}
    mixes = [ours.MixUp(HALF, p=OffAfter(1, epoch), num_classes=SIZE) for epoch in (1, 1)]
    pipeline = getattr(albu, name)(mixes, p=1, **more)
    for epoch, unmixed in ((0, False), (1, True)):
        mixtransforms.set_epoch(pipeline, epoch)
        labels = pipeline(images=IMAGES, labels=np.arange(SIZE))["labels"]
        assert (np.diag(labels) == 1).all() == unmixed
        assert labels.shape == (SIZE, SIZE)


def test_albumentations_writes_and_reads_schedules(albu: Any, ours: Any, tmp_path: Any) -> None:
    pipeline = albu.Compose(scheduled(ours))
    twins = [albu.from_dict(albu.to_dict(pipeline)), copy.deepcopy(pipeline)]
    for kind in ("json", "yaml"):
        albu.save(pipeline, str(tmp_path / f"pipeline.{kind}"), data_format=kind)
        twins.append(albu.load(str(tmp_path / f"pipeline.{kind}"), data_format=kind))
        twins.append(mixtransforms.load(tmp_path / f"pipeline.{kind}"))
    for twin in twins:
        assert methods_of(twin) == methods_of(pipeline)
        assert albu.to_dict(twin) == albu.to_dict(pipeline)


def test_replayed_plans_need_no_epoch(albu: Any, ours: Any) -> None:
    pipeline = albu.ReplayCompose(scheduled(ours))
    batch = {"images": IMAGES, "labels": np.arange(SIZE)}
    for epoch in (1, 4):
        mixtransforms.set_epoch(pipeline, epoch)
        out = pipeline(**batch)
        plans = [made["params"]["plan"] for made in out["replay"]["transforms"]]
        assert [plan["key"]["epoch"] for plan in plans] == [epoch] * 2
        mixtransforms.set_epoch(pipeline, 0)
        again = albu.ReplayCompose.replay(out["replay"], **batch)
        np.testing.assert_array_equal(again["images"], out["images"])
        np.testing.assert_array_equal(again["labels"], out["labels"])


def test_a_schedule_without_an_epoch_says_so_once() -> None:
    images, mix = np.zeros((4, 8, 8, 3), np.uint8), mixtransforms.MixUp(Ramp(0, 0.4, 0, 5))
    with pytest.warns(mixtransforms.EpochWarning, match=r"A schedule stays at its first value \(MixUp\).*set_epoch"):
        mix(images)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mix(images)
        told = mixtransforms.MixUp(Ramp(0, 0.4, 0, 5))
        mixtransforms.set_epoch(told, 0)
        told(images)
        mixtransforms.MixUp(0.4)(images)
