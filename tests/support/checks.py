"""What every method must do at every door: plain functions of a case and a form, each one fact.

``test_contract.py`` runs them on all that is registered, ``test_toy_method.py`` on a method of its own.
"""

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from doors import Case, Door
from forms import Form, bits, host, memory
from oracles import copies_only, measured, paint, positions, provenance, shares, ulp

from mixtransforms import Layer, Mask, Plan
from mixtransforms.core import fields

Check = Callable[[Case, Form], None]

SIZE, SHAPE = 5, (7, 9)
SEEDS = range(3)


def pictures(form: Form, size: int = SIZE, shape: tuple[int, ...] = SHAPE, channels: int = 3) -> Any:
    """Random images of a form."""
    values = np.random.default_rng(7).random((size, *shape, channels))
    return form.build(np.rint(values * form.full) if form.integer else values)


def soft_labels(form: Form, size: int = SIZE) -> Any:
    """Every sample of a class of its own."""
    return form.own(np.eye(size, dtype=np.float32))


def provenance_is_the_label(case: Case, form: Form) -> None:
    """What share of the pixels comes from which sample is what the labels say."""
    images = form.build(provenance(SIZE, SHAPE) * form.full)
    for seed in SEEDS:
        transform = case.make(seed=seed, **form.options)
        mixed, labels = case.door.call(transform, images, soft_labels(form))
        seen = form.read(mixed).mean(axis=(1, 2)) / form.full
        np.testing.assert_allclose(seen, host(labels), rtol=0, atol=1e-6 + form.resolution)


def every_pixel_is_the_painters(case: Case, form: Form) -> None:
    """The result is the plan painted pixel by pixel; a paste leaves every pixel at its place, bit for bit."""
    values = positions(4, SHAPE)  # up to 251: exact in every dtype
    for seed in SEEDS:
        transform = case.make(seed=seed, **form.options)
        plan = case.door.plan(transform, form.build(values))
        mixed, _ = case.door.replay(transform, plan, form.build(values))
        seen, expected = form.read(mixed), paint(plan, values)
        rounded = 1.0 if form.integer else 3 * form.resolution * values.max()  # weights, products, sum
        if any(layer.resizes for layer in plan.layers):
            rounded += values.max() / 2**16  # of all weights of a resize, on both axes
        tolerance = 0 if copies_only(plan) else rounded
        np.testing.assert_allclose(seen, expected, rtol=0, atol=tolerance)
        np.testing.assert_allclose(measured(plan), shares(plan), rtol=0, atol=1e-12)
        if copies_only(plan) and all(layer.crop is None for layer in plan.layers):
            np.testing.assert_array_equal(seen % np.prod(SHAPE), values[0] % np.prod(SHAPE) + 0 * seen)


def labels_keep_their_mass(case: Case, form: Form) -> None:
    """Rows of labels keep their mass, stay positive, and name nobody's class but their sources'."""
    rng = np.random.default_rng(3)
    rows = rng.random((SIZE, 4)) * (rng.random((SIZE, 4)) < 0.5)
    rows[1] = 0  # an unlabelled sample
    for seed in SEEDS:
        transform = case.make(seed=seed, **form.options)
        plan = case.door.plan(transform, pictures(form))
        _, labels = case.door.replay(transform, plan, pictures(form), form.own(rows))
        table = measured(plan, plan.target_share)
        seen = host(labels)
        assert seen.dtype == np.float32
        np.testing.assert_allclose(seen.sum(axis=1), table @ rows.sum(axis=1), atol=1e-6)
        assert (seen >= 0).all()
        assert not seen[(table @ (rows > 0)) == 0].any()
        np.testing.assert_allclose(table.sum(axis=1), 1, atol=1e-12)


def extremes_select(case: Case, form: Form) -> None:
    """Weights of exactly 0 and 1 copy bit for bit, whatever NaN or infinity the other sample holds."""
    assert not form.integer
    values = np.random.default_rng(5).random((4, *SHAPE, 3))
    values[0, ::2], values[1, :, ::2], values[2, 1::3] = np.nan, np.inf, -np.inf
    images, rows, source = form.build(values), np.arange(4), np.array([1, 2, 3, 0])
    transform = case.make(**form.options)
    spec = case.door.plan(transform, form.build(np.zeros_like(values))).spec  # saliencies are made of finite numbers
    everywhere = np.ones((4, *SHAPE))
    for region in (None, Mask(everywhere), Mask(everywhere.astype(bool))):
        for opacity in ([0, 0, 0, 0], [1, 1, 1, 1], [0, 1, 0, 1]):
            plan = Plan(spec, (Layer(rows, source, np.array(opacity, float), region),))
            mixed, _ = case.door.replay(transform, plan, images)
            owner = np.where(np.array(opacity) == 1, source, rows)
            assert bits(mixed) == bits(images[owner])
    for region in (None, Mask(everywhere)):
        plan = Plan(spec, (Layer(rows, source, np.array([0, 1, 0.5, 0.25]), region),))
        mixed, _ = case.door.replay(transform, plan, images)
        assert bits(mixed[:2]) == bits(images[[0, 2]]), "though others of the batch are blended"
    field = np.zeros((4, *SHAPE))
    field[:, :2], field[:, 2:4] = 1, 0.5  # rows of the partner, of both, and of the sample itself
    plan = Plan(spec, (Layer(rows, source, np.ones(4), Mask(field)),))
    seen, values = form.read(case.door.replay(transform, plan, images)[0]), form.read(images)
    np.testing.assert_array_equal(seen[:, :2], values[source][:, :2])
    np.testing.assert_array_equal(seen[:, 4:], values[:, 4:])


def own_extremes_are_silent(case: Case, form: Form) -> None:
    """With an alpha so small that every weight is 0 or 1, NaN stays in its own sample."""
    if "alpha" not in fields.values(case.make()) or "saliency" in case.make().method.needs:  # which refuses NaN
        return
    values = np.random.default_rng(5).random((8, *SHAPE, 3))
    values[0] = np.nan
    images = form.build(values)
    transform = case.make(seed=0, **form.options | {"alpha": 1e-6})
    plan = case.door.plan(transform, images)
    mixed, _ = case.door.replay(transform, plan, images)
    clean = measured(plan)[:, 0] == 0
    assert np.isfinite(form.read(mixed)[clean]).all()


def inputs_stay_as_they_are(case: Case, form: Form) -> None:
    """Nothing that was passed in is written to, and nothing that comes out shares its memory."""
    for more in ({}, {"p": 0.0}, {"alpha": 0.0}, {"keep_originals": True}):
        if not more.keys() <= fields.values(case.make()).keys():
            continue
        images, labels = pictures(form), soft_labels(form)
        before = bits(images), bits(labels)
        mixed, rows = case.door.call(case.make(seed=1, **form.options | more), images, labels)
        assert (bits(images), bits(labels)) == before
        assert memory(mixed) != memory(images), more
        assert memory(rows) != memory(labels), more


def type_and_layout_stay(case: Case, form: Form) -> None:
    """The result has the type, dtype, shape and order of axes in memory of what came in."""
    images = pictures(form)
    mixed, _ = case.door.call(case.make(seed=1, **form.options), images)
    assert type(mixed) is type(images)
    assert mixed.dtype == images.dtype
    assert tuple(mixed.shape) == tuple(images.shape)
    if form.memory == "memory_format":
        import torch

        assert mixed.is_contiguous(memory_format=torch.channels_last)
    elif form.memory == "dense" and form.backend == "torch":
        assert mixed.is_contiguous()


def order_of_the_batch_does_not_matter(case: Case, form: Form) -> None:
    """Permuting the batch and renaming the plan's samples permutes the result."""
    order = np.random.default_rng(2).permutation(SIZE)
    place = np.argsort(order)  # where a sample of the old batch is in the new one
    transform = case.make(seed=4, **form.options)
    images = pictures(form)
    plan = case.door.plan(transform, images)
    layers = tuple(replace(layer, rows=place[layer.rows], source=place[layer.source]) for layer in plan.layers)
    mixed, labels = case.door.replay(transform, plan, images, soft_labels(form))
    shuffled = replace(plan, layers=layers, label_share=None if plan.label_share is None else plan.label_share[order])
    permuted, rows = case.door.replay(transform, shuffled, images[order], soft_labels(form)[order])
    assert bits(permuted) == bits(mixed[order])
    np.testing.assert_array_equal(host(rows), host(labels)[order])


def same_seed_same_plan(case: Case, form: Form) -> None:
    """A seed fixes the plan; labels have no part in it, nor have channels and dtype where no method reads the images."""
    images = pictures(form)
    plan = case.door.plan(case.make(seed=11, **form.options), images)
    assert case.door.plan(case.make(seed=11, **form.options), images) == plan
    assert case.door.plan(case.make(seed=11, **form.options), images, soft_labels(form)) == plan
    if not case.make().needs & {"images", "saliency"}:
        assert case.door.plan(case.make(seed=11, **form.options), pictures(form, channels=1), soft_labels(form)) == plan
        other = replace(form, dtype="uint8" if form.dtype != "uint8" else "float32")
        assert case.door.plan(case.make(seed=11, **other.options), pictures(other)) == plan
    drawn = [case.door.plan(case.make(seed=seed, **form.options), images).to_dict()["layers"] for seed in range(8)]
    assert any(layers != drawn[0] for layers in drawn)


def a_call_is_its_plan_replayed(case: Case, form: Form) -> None:
    """``transform(batch)`` is ``transform.replay(transform.plan(batch), batch)``, call after call."""
    whole, halves = case.make(seed=9, **form.options), case.make(seed=9, **form.options)
    images, labels = pictures(form), soft_labels(form)
    drawn = []
    for _ in range(3):
        mixed, rows = case.door.call(whole, images, labels)
        drawn.append(case.door.plan(halves, images, labels))
        again, same = case.door.replay(halves, drawn[-1], images, labels)
        assert bits(mixed) == bits(again)
        assert bits(rows) == bits(same)
    assert len({str(plan.to_dict()["layers"]) for plan in drawn}) > 1, "a seed must not repeat the same plan"


def values_stay_in_range(case: Case, form: Form) -> None:
    """Every pixel lies between the pixels it is made of, up to one unit in the last place."""
    images = pictures(form)
    for seed in SEEDS:
        transform = case.make(seed=seed, **form.options)
        plan = case.door.plan(transform, images)
        if any(layer.crop is not None for layer in plan.layers):
            continue
        mixed, _ = case.door.replay(transform, plan, images)
        seen, values = form.read(mixed), form.read(images)
        every = np.stack([values, *(values[plan.sources[:, column]] for column in range(plan.sources.shape[1]))])
        slack = 0.5 if form.integer else ulp(every.max(axis=0), every.min(axis=0), form.dtype)
        assert (seen >= every.min(axis=0) - slack).all()
        assert (seen <= every.max(axis=0) + slack).all()


def any_shape_is_legal(case: Case, form: Form) -> None:
    """Batches of 0, 1, 2 and odd; sides of 1; no channels at all."""
    for size in (0, 1, 2, 3):
        for shape, channels in (((7, 9), 3), ((1, 9), 3), ((7, 1), 1), ((1, 1), 3), ((4, 4), 0)):
            images = pictures(form, size, shape, channels)
            mixed, labels = case.door.call(case.make(seed=2, **form.options), images, soft_labels(form, size))
            assert tuple(mixed.shape) == tuple(images.shape)
            assert mixed.dtype == images.dtype
            assert tuple(labels.shape) == (size, size)
            if size == 1:
                assert bits(mixed) == bits(images)
                np.testing.assert_array_equal(host(labels), [[1.0]])


def unmixed_has_the_same_form(case: Case, form: Form) -> None:
    """With ``p=0`` values stay, and types, dtypes and shapes are those of mixed ones."""
    if "p" not in fields.values(case.make()):
        return
    images, ids = pictures(form), form.own(np.arange(SIZE))
    for options in ({"num_classes": SIZE}, {"labels": form_of_several(case)}):
        more = {**form.options, **options}
        mixed, rows = case.door.call(case.make(seed=1, **more, p=1.0), images, ids)
        kept, same = case.door.call(case.make(seed=1, **more, p=0.0), images, ids)
        assert bits(kept) == bits(images)
        for first, second in zip(_flat(mixed, rows), _flat(kept, same), strict=True):
            assert type(first) is type(second)
            assert first.dtype == second.dtype
            assert tuple(first.shape) == tuple(second.shape)
        if options.get("labels") == "pair":
            np.testing.assert_array_equal(host(same.label), np.arange(SIZE))
            np.testing.assert_array_equal(host(same.partner), np.arange(SIZE))
            np.testing.assert_array_equal(host(same.weight), 1)
        elif options.get("labels") == "mix":
            np.testing.assert_array_equal(host(same.labels).T, [np.arange(SIZE)] * same.labels.shape[1])
            np.testing.assert_array_equal(host(same.share), np.eye(1, same.labels.shape[1]).repeat(SIZE, axis=0))
        else:
            np.testing.assert_array_equal(host(same), np.eye(SIZE))


def form_of_several(case: Case) -> str:
    """The form of labels that keeps them apart: pairs, where no sample has more than two sources."""
    return "pair" if case.make().method.most_sources(2) == 2 else "mix"


def pairs_say_what_soft_labels_say(case: Case, form: Form) -> None:
    """``weight * onehot(label) + (1 - weight) * onehot(partner)`` is the soft label, and so is the sum of a mix."""
    images, ids = pictures(form), form.own(np.arange(SIZE))
    for seed in SEEDS:
        _, soft = case.door.call(case.make(seed=seed, num_classes=SIZE, **form.options), images, ids)
        _, mix = case.door.call(case.make(seed=seed, labels="mix", **form.options), images, ids)
        assert host(mix.share).dtype == np.float32
        several = (host(mix.share)[..., None] * np.eye(SIZE)[host(mix.labels)]).sum(axis=1)
        np.testing.assert_allclose(host(soft), several, atol=1e-6)
        if form_of_several(case) == "mix":
            continue
        _, pair = case.door.call(case.make(seed=seed, labels="pair", **form.options), images, ids)
        weight = host(pair.weight)[:, None]
        assert weight.dtype == np.float32
        expected = weight * np.eye(SIZE)[host(pair.label)] + (1 - weight) * np.eye(SIZE)[host(pair.partner)]
        np.testing.assert_allclose(host(soft), expected, atol=1e-6)


def originals_are_kept(case: Case, form: Form) -> None:
    """``keep_originals`` gives 2B samples: the originals bit for bit, then what would have come without it."""
    images, ids = pictures(form), form.own(np.arange(SIZE))
    for options in ({"num_classes": SIZE}, {"labels": form_of_several(case)}):
        more = {**form.options, **options}
        mixed, rows = case.door.call(case.make(seed=6, **more), images, ids)
        both, doubled = case.door.call(case.make(seed=6, keep_originals=True, **more), images, ids)
        assert type(both) is type(images)
        assert both.dtype == images.dtype
        assert len(both) == 2 * SIZE
        assert bits(both[:SIZE]) == bits(images)
        assert bits(both[SIZE:]) == bits(mixed)
        for first, second in zip(_flat(doubled), _flat(rows), strict=True):
            assert bits(first[SIZE:]) == bits(second)
        if options.get("labels") == "pair":
            np.testing.assert_array_equal(host(doubled.label)[:SIZE], np.arange(SIZE))
            np.testing.assert_array_equal(host(doubled.weight)[:SIZE], 1)
        elif options.get("labels") == "mix":
            np.testing.assert_array_equal(host(doubled.labels)[:SIZE, 0], np.arange(SIZE))
            np.testing.assert_array_equal(host(doubled.share)[:SIZE, 0], 1)
        else:
            np.testing.assert_array_equal(host(doubled)[:SIZE], np.eye(SIZE))


def inplace_overwrites(case: Case, form: Form) -> None:
    """``inplace`` gives the same values in the memory that came in."""
    images = pictures(form)
    expected, _ = case.door.call(case.make(seed=8, **form.options), copy.deepcopy(images))
    mixed, _ = case.door.call(case.make(seed=8, inplace=True, **form.options), images)
    assert memory(mixed) == memory(images)
    assert bits(mixed) == bits(expected)
    assert bits(images) == bits(expected)


def backends_agree(case: Case, form: Form) -> None:
    """One plan gives the same result on NumPy and on torch."""
    if "numpy" not in case.door.backends or form.dtype == "bfloat16":
        return
    ours = replace(form, backend="numpy", memory="dense")
    theirs = replace(form, backend="torch")
    transform = case.make(seed=3, **ours.options)
    other = case.make(seed=3, **theirs.options)
    plan = case.door.plan(transform, pictures(ours))
    left, left_labels = case.door.replay(transform, plan, pictures(ours), soft_labels(ours))
    right, right_labels = case.door.replay(other, plan, pictures(theirs), soft_labels(theirs))
    np.testing.assert_array_equal(ours.read(left), theirs.read(right))
    np.testing.assert_array_equal(host(left_labels), host(right_labels))


FOR_ALL_FORMS: tuple[Check, ...] = (
    provenance_is_the_label, every_pixel_is_the_painters, type_and_layout_stay, inputs_stay_as_they_are,
)  # fmt: skip
"""Facts about memory and arithmetic, for which every form matters."""

FOR_FLOATS: tuple[Check, ...] = (extremes_select, own_extremes_are_silent)
"""Facts about values that integers do not have."""

FOR_SOME_FORMS: tuple[Check, ...] = (
    labels_keep_their_mass, order_of_the_batch_does_not_matter, same_seed_same_plan, a_call_is_its_plan_replayed,
    values_stay_in_range, any_shape_is_legal, unmixed_has_the_same_form, pairs_say_what_soft_labels_say,
    originals_are_kept, inplace_overwrites,
)  # fmt: skip
"""Facts about meaning, for which one form a backend and kind of dtype is enough."""

CHECKS = FOR_ALL_FORMS + FOR_FLOATS + FOR_SOME_FORMS + (backends_agree,)


def assert_all(checks: Iterable[Check], case: Case, form: Form) -> None:
    """Makes checks one after the other, and says which of them failed."""
    for check in checks:
        try:
            check(case, form)
        except Exception as error:
            raise AssertionError(f"{check.__name__}({case}, {form}): {error}") from error


def doors_agree(method: str, options: Mapping[str, Any], doors: tuple[Door, ...]) -> None:
    """The same seed gives the same plan at every door."""
    form = Form("torch")
    plans = {}
    for door in doors:
        transform = Case(door, method, options).make(seed=21)
        plans[door.name] = [door.plan(transform, pictures(form)) for _ in range(3)]
    first = next(iter(plans.values()))
    assert all(drawn == first for drawn in plans.values()), plans


def _flat(*values: Any) -> list[Any]:
    return [item for value in values for item in (value if isinstance(value, tuple) else (value,))]
