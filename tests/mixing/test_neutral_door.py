"""The neutral door: plain callables without a host."""

import copy
import dataclasses
import pickle
import threading
from typing import Any

import numpy as np
import pytest

import mixtransforms
from mixtransforms import CutMix, MixUp, OneOf, ParameterError, Trace, methods
from mixtransforms.core import fields

TRANSFORMS = (
    MixUp(0.4, p=0.5, num_classes=3, passthrough="index"), CutMix(placement="minmax", minmax=(0.1, 0.4), labels="pair"),
    OneOf([MixUp(), CutMix(0.5)], weights=(0.5, 0.2), kinds={"a.b": "image", 0: "label"}, seed=4),
)  # fmt: skip

IMAGES = np.random.default_rng(0).random((5, 8, 9, 3))


def test_every_public_name_is_there() -> None:
    for name in mixtransforms.__all__:
        assert getattr(mixtransforms, name) is not None
    assert set(mixtransforms.__all__) <= set(dir(mixtransforms))
    with pytest.raises(AttributeError, match="module 'mixtransforms' has no attribute 'MixDown'"):
        _ = mixtransforms.MixDown


def test_without_a_seed_every_call_and_process_differs() -> None:
    transform = MixUp(1.0)
    weights = {tuple(transform.plan(IMAGES).weight) for _ in range(10)}
    weights |= {tuple(MixUp(1.0).plan(IMAGES).weight) for _ in range(10)}
    assert len(weights) == 20


def test_global_generators_are_left_alone() -> None:
    import random

    np.random.seed(0)  # noqa: NPY002 -- to see that it is left alone
    random.seed(0)
    before = np.random.get_state()[1].tolist(), random.getstate()  # noqa: NPY002
    for transform in (MixUp(), CutMix(seed=1), OneOf([MixUp(), CutMix()])):
        transform(IMAGES)
    assert before == (np.random.get_state()[1].tolist(), random.getstate())  # noqa: NPY002


def test_a_plan_without_a_seed_can_be_drawn_again_from_its_key() -> None:
    plan = MixUp(1.0).plan(IMAGES)
    assert MixUp(1.0).method.draw(plan.spec, plan.key.generator()) == plan


@pytest.mark.parametrize("transform", TRANSFORMS, ids=repr)
def test_copies(transform: Any) -> None:
    names = {"MixUp": MixUp, "CutMix": CutMix, "OneOf": OneOf}
    for twin in (copy.deepcopy(transform), pickle.loads(pickle.dumps(transform)), eval(repr(transform), names)):
        assert fields.values(twin) == fields.values(transform)
        assert twin.method == transform.method
        assert twin != transform, "transforms compare by identity"
    assert len({transform, copy.deepcopy(transform)}) == 2
    assert fields.values(dataclasses.replace(transform, p=0.25)) == {**fields.values(transform), "p": 0.25}


def test_a_changed_copy_counts_for_itself() -> None:
    transform = MixUp(1.0, seed=3)
    first = transform.plan(IMAGES)
    assert dataclasses.replace(transform).plan(IMAGES) == first
    assert transform.plan(IMAGES) != first
    follower = copy.deepcopy(transform)
    assert follower.plan(IMAGES) == transform.plan(IMAGES), "a copy goes on where the original is"
    travelled = pickle.loads(pickle.dumps(transform))
    assert travelled.plan(IMAGES) == travelled.plan(IMAGES), "a pickle may be anywhere, and goes by content"


@pytest.mark.parametrize("transform", TRANSFORMS, ids=repr)
def test_parameters_cannot_be_assigned(transform: Any) -> None:
    for field in ("p", "num_classes", "seed"):
        with pytest.raises(dataclasses.FrozenInstanceError, match=f"cannot assign to field '{field}'"):
            setattr(transform, field, 1)


def test_the_method_alone() -> None:
    assert MixUp(0.4, p=0.5, num_classes=3).method == methods.MixUp(0.4, p=0.5)
    assert OneOf([MixUp(0.4), methods.CutMix()]).method == methods.OneOf([methods.MixUp(0.4), methods.CutMix()])
    assert OneOf([MixUp(0.4)]).transforms == (methods.MixUp(0.4),)


def test_trace() -> None:
    images = IMAGES.copy()
    trace = CutMix(seed=2, num_classes=5, inplace=True).trace({"image": images, "label": np.arange(5)})
    assert type(trace) is Trace
    np.testing.assert_array_equal(trace.before["image"], IMAGES)
    np.testing.assert_array_equal(trace.before["label"], np.arange(5))
    np.testing.assert_array_equal(trace.after["image"], trace.plans[0].apply(IMAGES))
    assert np.shares_memory(trace.after["image"], images)


def test_any_plan_replays_on_any_transform() -> None:
    """Partner, weight and region come from the plan, whatever transform plays it."""
    plan = methods.CutMix().draw(mixtransforms.BatchSpec(5, (8, 9)), np.random.default_rng(0))
    np.testing.assert_array_equal(MixUp().replay(plan, IMAGES), CutMix().replay(plan, IMAGES))


def test_a_replay_draws_nothing() -> None:
    transform = MixUp(1.0, seed=5)
    plan = transform.plan(IMAGES)
    for _ in range(3):
        transform.replay(plan, IMAGES)
    assert transform.plan(IMAGES).key.step == 1


def test_threads() -> None:
    transform, keys = MixUp(1.0, seed=5), []

    def run() -> None:
        keys.extend(transform.plan(IMAGES).key.step for _ in range(20))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(keys) == {transform.plan(list(IMAGES)).key.step}, "whichever thread it is, the same as for its samples"
    assert transform.plan(IMAGES).key.step == 0, "and nothing was counted"


def test_one_weight_for_the_batch_keeps_its_mean() -> None:
    mixed = MixUp(1.0, per="batch", pairing="permutation")(IMAGES)
    np.testing.assert_allclose(mixed.mean(axis=0), IMAGES.mean(axis=0), atol=1e-14)


@pytest.mark.parametrize("name", ["MixUp", "CutMix", "OneOf"])
def test_help_lists_every_parameter(name: str) -> None:
    door = getattr(mixtransforms, name)
    made = door([MixUp()]) if name == "OneOf" else door()
    for parameter in fields.values(made):
        assert f"\n    {parameter}: " in door.__doc__
    assert "arXiv:" in door.__doc__ or name == "OneOf"


def test_declared_kinds_cannot_be_changed_behind_the_back_of_a_transform() -> None:
    """What a transform has met is remembered: a kind that is declared later would be read in some batches only."""
    import copy
    import dataclasses
    import pickle

    mix = MixUp(kinds={"a": "label"})
    for change in (
        lambda kinds: kinds.update(b="mask"), lambda kinds: kinds.__setitem__("b", "mask"), lambda kinds: kinds.clear(),
        lambda kinds: kinds.pop("a"), lambda kinds: kinds.__delitem__("a"), lambda kinds: kinds.setdefault("b", "mask"),
    ):  # fmt: skip
        with pytest.raises(TypeError, match=r"cannot be changed; make a changed transform with dataclasses.replace"):
            change(mix.kinds)
    assert mix.kinds == copy.deepcopy(mix).kinds == pickle.loads(pickle.dumps(mix)).kinds == {"a": "label"}
    assert dataclasses.replace(mix, kinds={**(mix.kinds or {}), "b": "mask"}).kinds == {"a": "label", "b": "mask"}


OPTIONS = {"num_classes": 6, "kinds": {"scan": "image"}, "labels": "pair", "passthrough": ("id",), "seed": 3}


@pytest.mark.parametrize("door", ["mixtransforms", "mixtransforms.torchvision", "mixtransforms.albumentations"])
@pytest.mark.parametrize("option", OPTIONS)
def test_what_all_children_give_alike_is_the_choices(option: str, door: str) -> None:
    """As ``RandomChoice([MixUp(num_classes=6), CutMix(num_classes=6)])`` is written elsewhere."""
    there = pytest.importorskip(door, reason="a host is not installed", exc_type=ImportError)
    value = OPTIONS[option]
    given = {option: value}
    choice = there.OneOf([there.MixUp(**given), there.CutMix(**given)], p=0.5)
    assert getattr(choice, option) == value
    assert repr(choice) == repr(there.OneOf([there.MixUp(), there.CutMix()], p=0.5, **given))
    nested = there.OneOf([choice, there.CutMix(**given)])
    assert getattr(nested, option) == value
    again = there.OneOf([there.MixUp(**given), there.CutMix(**given)], **given)
    assert getattr(again, option) == value


def test_what_only_some_children_give_is_not() -> None:
    for children in ([MixUp(num_classes=6), CutMix()], [MixUp(num_classes=6), CutMix(num_classes=5)]):
        with pytest.raises(
            ParameterError, match=r"A child's 'num_classes' differs .* to OneOf alone, OneOf\(\[\.\.\.\], num"
        ) as error:
            OneOf(children)
        assert "num_classes=6), and to none of its methods" in error.value.fix
    assert OneOf([MixUp(), CutMix()], num_classes=6).num_classes == 6, "what the hint says"
    with pytest.raises(
        ParameterError, match=r"A child's 'num_classes' differs .*got num_classes=6 in MixUp, 5 outside"
    ):
        OneOf([MixUp(num_classes=6), CutMix(num_classes=6)], num_classes=5)
    with pytest.raises(ParameterError, match="would overwrite the originals"):
        OneOf([MixUp(inplace=True), CutMix(inplace=True)], keep_originals=True)
