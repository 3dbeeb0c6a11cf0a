"""Any configuration on any batch: labels are what is seen, plans replay, and seeds repeat."""

from typing import Any

import numpy as np
import pytest
from forms import NUMPY_DTYPES, TORCH_DTYPES, WAYS, Form, bits, host, painted_by
from hypothesis import given
from hypothesis import strategies as st
from oracles import measured, provenance

from mixtransforms import CutMix, MixUp, OneOf, methods

alphas = st.sampled_from([0.0, 1e-6, 0.2, 1.0]) | st.floats(1e-3, 50)
chances = st.sampled_from([0.0, 0.5, 1.0]) | st.floats(0, 1)


@st.composite
def pairs(draw: st.DrawFn) -> dict[str, Any]:
    """Options of any method of pairs."""
    per = draw(st.sampled_from(["sample", "pair", "batch"]))
    policies = ["cycle", "matching", "flip"] + ([] if per == "pair" else ["permutation", "roll"])
    return {"alpha": draw(alphas), "p": draw(chances), "per": per, "pairing": draw(st.sampled_from(policies))}


@st.composite
def mixups(draw: st.DrawFn) -> methods.MixUp:
    return methods.MixUp(**draw(pairs()), fold=draw(st.booleans()))


@st.composite
def cutmixes(draw: st.DrawFn) -> methods.CutMix:
    placement = draw(st.sampled_from(["clip", "inside", "uniform", "minmax"]))
    fractions = st.tuples(st.floats(0, 1), st.floats(0, 1)).map(lambda two: tuple(sorted(two)))
    minmax = draw(fractions) if placement == "minmax" else None
    return methods.CutMix(**draw(pairs()), placement=placement, minmax=minmax)


@st.composite
def choices(draw: st.DrawFn) -> methods.OneOf:
    children = draw(st.lists(mixups() | cutmixes(), min_size=1, max_size=3))
    weights = draw(st.none() | st.lists(st.floats(0, 1 / 3), min_size=len(children), max_size=len(children)))
    return methods.OneOf(children, weights=weights, p=draw(chances), per=draw(st.sampled_from(["sample", "batch"])))


layouts = st.sampled_from(["channels_first", "channels_last"])
forms = st.builds(Form, st.just("numpy"), st.sampled_from(NUMPY_DTYPES), layouts) | st.builds(
    Form, st.just("torch"), st.sampled_from(TORCH_DTYPES), layouts
)


def transform(method: Any, **options: Any) -> Any:
    """A method at the neutral door."""
    door = {"MixUp": MixUp, "CutMix": CutMix, "OneOf": OneOf}[type(method).__name__]
    return door(**{name: getattr(method, name) for name in method.__dataclass_fields__}, **options)


@given(
    method=mixups() | cutmixes() | choices(), form=forms, size=st.integers(0, 6), height=st.integers(1, 9),
    width=st.integers(1, 9), seed=st.integers(0, 2**64 - 1), way=st.sampled_from(WAYS),
)  # fmt: skip
def test_labels_are_what_is_seen(
    method: Any, form: Form, size: int, height: int, width: int, seed: int, way: str
) -> None:
    images = form.build(provenance(size, (height, width)) * form.full)
    before, ids = bits(images), form.own(np.arange(size))
    mix = transform(method, seed=seed, num_classes=max(1, size), **form.options)
    with painted_by(way):
        mixed, labels = mix(images, ids)
    assert bits(images) == before
    assert mixed.dtype == images.dtype
    seen = form.read(mixed).mean(axis=(1, 2)) / form.full
    np.testing.assert_allclose(seen, host(labels)[:, :size], rtol=0, atol=1e-6 + form.resolution)
    plan = transform(method, seed=seed, num_classes=max(1, size), **form.options).plan(images, ids)
    np.testing.assert_allclose(measured(plan), host(labels)[:, :size], rtol=0, atol=1e-6)
    with painted_by(way):
        again, rows = mix.replay(plan, images, ids)
    assert bits(again) == bits(mixed)
    assert bits(rows) == bits(labels)
    np.testing.assert_allclose(plan.share.sum(axis=1), 1, atol=1e-12)


FOUR_FORMS = (
    Form("numpy"), Form("torch"), Form("numpy", "uint8", "channels_first"), Form("torch", memory="memory_format"),
)  # fmt: skip


@pytest.mark.parametrize("form", FOUR_FORMS, ids=str)
def test_there_is_nothing_to_overwrite_in_an_empty_batch(form: Form) -> None:
    images = form.build(np.zeros((0, 5, 6, 3)))
    assert MixUp(inplace=True, **form.options)(images).shape == images.shape


@given(method=mixups() | cutmixes() | choices(), size=st.integers(1, 6), seed=st.integers(0, 99))
def test_inplace_is_out_of_place(method: Any, size: int, seed: int) -> None:
    for form in FOUR_FORMS:
        values = np.rint(np.random.default_rng(seed).random((size, 5, 6, 3)) * form.full * 100) / 100
        for way in WAYS:
            images = form.build(values)
            with painted_by(way):
                expected = transform(method, seed=seed, **form.options)(form.build(values))
                mixed = transform(method, seed=seed, inplace=True, **form.options)(images)
            assert bits(mixed) == bits(expected)
            assert bits(images) == bits(expected)
