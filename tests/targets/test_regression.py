"""Numbers to predict, and weights of samples."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from forms import bits, host
from plans import BACKENDS, BLEND, INTEGERS, PLANS, SCENE, follow, given, mixed

from mixtransforms import BatchSpec, CutMix, Layer, MixUp, MultiLabel, OneOf, Plan
from mixtransforms.core.errors import InputError
from mixtransforms.targets.label import LabelPair
from mixtransforms.targets.regression import Regression

NUMBERS = np.array([8.0, -4.0, 100.0, 2.0])
SHAPES = [(), (1,), (3,), (5, 2), (2, 3, 5)]


def numbers(size: int, *more: int) -> Any:
    return np.random.default_rng(0).normal(size=(size, *more))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", *INTEGERS])
def test_precision(dtype: str, backend: str) -> None:
    """Means of halves and of whole numbers need more than they have."""
    value = given(np.abs(NUMBERS), dtype, backend)
    result, beside, together = mixed(Regression(), BLEND, value)
    np.testing.assert_array_equal(host(result), follow(BLEND) @ np.abs(NUMBERS))
    assert host(result).dtype == (np.float64 if dtype == "float64" else np.float32)
    assert type(result) is type(value)
    assert not beside
    assert together is None


def test_bfloat16() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    result = mixed(Regression(), BLEND, given([257, 256, 2, 1], "bfloat16")).value
    assert result.dtype == torch.float32
    np.testing.assert_array_equal(result, follow(BLEND) @ [256, 256, 2, 1])


def test_wide_floats_keep_their_precision() -> None:
    value = np.array([1, 1 + 2**-20, 0, 0], np.longdouble)
    result = mixed(Regression(), BLEND, value).value
    assert result.dtype == value.dtype
    assert result[0] == 1 + np.longdouble(2) ** -22


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("more", SHAPES)
@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_means_by_the_shares(plan: Any, more: tuple[int, ...], backend: str) -> None:
    value = numbers(plan.size, *more)
    result = mixed(Regression(), plan, given(value, "float64", backend)).value
    np.testing.assert_allclose(host(result), np.tensordot(follow(plan), value, 1), rtol=0, atol=1e-14)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_each_source_gets_its_share(plan: Any, backend: str) -> None:
    result = mixed(Regression(), plan, given(np.eye(plan.size), "float32", backend)).value
    np.testing.assert_allclose(host(result), follow(plan), atol=1e-7)


@pytest.mark.parametrize("more", SHAPES)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int32"])
@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_backends_agree_bit_for_bit(plan: Any, dtype: str, more: tuple[int, ...]) -> None:
    value = numbers(plan.size, *more) * 100
    first, second = (mixed(Regression(), plan, given(value, dtype, backend)).value for backend in BACKENDS)
    assert bits(first) == bits(second)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("trace", [np.nan, np.inf, -np.inf])
def test_a_source_without_weight_leaves_no_trace(trace: float, backend: str) -> None:
    """Sample 3 becomes sample 0 altogether, and is nobody's partner."""
    result = mixed(Regression(), BLEND, given([8, -4, 100, trace], "float32", backend)).value
    np.testing.assert_array_equal(host(result), follow(BLEND) @ NUMBERS)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_source_with_weight_does(backend: str) -> None:
    result = mixed(Regression(), BLEND, given([8, np.nan, 100, 0], "float64", backend)).value
    np.testing.assert_array_equal(host(result), [np.nan, np.nan, 100, 8])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("form", ["soft", "pair"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_comes_in_is_left_alone(dtype: str, form: str, backend: str) -> None:
    value = given(NUMBERS, dtype, backend)
    before = bits(value)
    result = mixed(Regression(form=form), BLEND, value).value
    for part in result if form == "pair" else (result,):
        part[...] = 7
    assert bits(value) == before


@pytest.mark.parametrize("backend", BACKENDS)
def test_pairs_keep_what_came(backend: str) -> None:
    value = given(NUMBERS, "float16", backend)
    pair = mixed(Regression(form="pair"), BLEND, value).value
    assert type(pair) is LabelPair
    assert pair.label.dtype == pair.partner.dtype == value.dtype
    np.testing.assert_array_equal(host(pair.label), NUMBERS)
    np.testing.assert_array_equal(host(pair.partner), NUMBERS[[1, 2, 2, 0]])
    np.testing.assert_array_equal(host(pair.weight), np.array([0.75, 0.5, 1, 0], np.float32))


def test_what_is_not_said_is_the_transform_s() -> None:
    assert Regression().within(SimpleNamespace(labels="pair")) == Regression(form="pair")
    assert repr(Regression()) == "Regression()"
    assert Regression.name == "regression"


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("shape", "dtype"), [((4,), "bool"), ((4, 2), "bool"), ((4,), "complex64"), ((4, 3, 2), "bool"), ((), "float32")]
)
def test_what_is_refused(shape: tuple[int, ...], dtype: str, backend: str) -> None:
    shown = str(shape).replace("(", r"\(").replace(")", r"\)")
    text = (
        rf"Not numbers to predict \(batch\['y'\]\): got shape {shown} .*{dtype}; wanted floats or integers, \(B,\) or"
    )
    with pytest.raises(InputError, match=text):
        Regression().check(given(np.zeros(shape), dtype, backend), "batch['y']", SCENE)


def test_the_hint_for_bools_leads_on() -> None:
    """Bools of samples become floats; rows of them are several labels."""
    seen, images = np.array([True, False, True]), np.zeros((3, 8, 8, 3))
    plan = Plan(BatchSpec(3, (8, 8)), (Layer([0], [1], [0.25]),))
    with pytest.raises(InputError, match=r"Convert bools to floats, or declare rows of them, \(B, K\), as MultiLabel"):
        MixUp(kinds={1: "regression"}).replay(plan, (images, seen))
    got = MixUp(kinds={1: "regression"}).replay(plan, (images, seen.astype(float)))[1]
    np.testing.assert_array_equal(got, [0.75, 0, 1])
    got = MixUp(kinds={1: MultiLabel()}).replay(plan, (images, seen[:, None]))[1]
    np.testing.assert_array_equal(got, [[0.75], [0], [1]])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("method", [MixUp, CutMix])
@pytest.mark.parametrize("shape", [(5, 2), (68, 2), (3, 3), (17, 3, 2), (2,), ()])
def test_landmarks_belong_to_whole_samples(shape: tuple[int, ...], method: Any, backend: str) -> None:
    """By the share of labels, as all numbers to predict, whatever their rank; pairs keep them apart."""
    values = np.random.default_rng(0).normal(size=(4, *shape))
    batch = {"image": given(np.zeros((4, 3, 40, 56)), "float32", backend), "marks": given(values, "float64", backend)}
    mix = method(1.0, seed=1, layout="channels_first", kinds={"marks": "regression"})
    plan = mix.plan(batch)
    weight = plan.weight.reshape(-1, *(1,) * len(shape))
    wanted = weight * values + (1 - weight) * values[plan.partner]
    np.testing.assert_allclose(host(mix.replay(plan, batch)["marks"]), wanted, atol=1e-12)
    pair = replace(mix, labels="pair").replay(plan, batch)["marks"]
    np.testing.assert_array_equal(host(pair.partner), values[plan.partner])


MAPS = [(40, 56), (1, 40, 56), (40, 56, 1), (20, 28), (1, 10, 14), (10, 14, 2), (2, 5, 7)]


@pytest.mark.parametrize("shape", MAPS)
def test_maps_of_numbers_are_not_mixed_by_shares_where_images_are_pasted(shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(0).normal(size=(4, *shape))
    batch = {"image": np.zeros((4, 3, 40, 56)), "depth": values}
    declared: Any = {"seed": 1, "layout": "channels_first", "kinds": {"depth": "regression"}}
    for method in (CutMix(1.0, **declared), OneOf([MixUp(), CutMix()], **declared)):
        with pytest.raises(
            InputError, match=r"Numbers that have places in the images \(batch\['depth'\]\): .*Declare maps as 'm"
        ):
            method(batch)
    # What the error says: rows are numbers without a place, a mask is pasted; and a blend of whole samples has no places.
    rows = CutMix(1.0, **declared)({**batch, "depth": values.reshape(4, -1)})["depth"]
    assert rows.shape == (4, values[0].size)
    mix = MixUp(1.0, **declared)
    plan = mix.plan(batch)
    weight = plan.weight.reshape(-1, *(1,) * len(shape))
    np.testing.assert_allclose(
        mix.replay(plan, batch)["depth"], weight * values + (1 - weight) * values[plan.partner], atol=1e-12
    )
    with pytest.raises(InputError, match="Numbers that have places"):
        mix.replay(CutMix(1.0, seed=1, layout="channels_first").plan(batch["image"]), batch)
    if shape[-2:] in ((40, 56), (20, 28), (10, 14), (5, 7)):
        paste = CutMix(1.0, seed=1, layout="channels_first", kinds={"depth": "mask"})
        own, plan = values if values.ndim == 4 else values[:, None], paste.plan(batch)
        pasted = paste.replay(plan, batch)["depth"].reshape(own.shape)
        np.testing.assert_array_equal(pasted, plan.on(shape[-2:]).apply(own, "channels_first"))


def test_numbers_of_every_step_are_a_map() -> None:
    sound, steps = np.zeros((4, 1, 100)), np.random.default_rng(0).normal(size=(4, 100))
    mix = CutMix(1.0, layout="BCT", kinds={"pitch": "regression"})
    with pytest.raises(InputError, match="Numbers that have places"):
        mix({"audio": sound, "pitch": steps})
    mix({"audio": sound, "pitch": steps[:, :50]})  # rows that are shorter are numbers of whole samples
