"""Plans as values: equality, immutability, text, JSON, and what they refuse to be."""

import copy
import json
import pickle
import sys
import tracemalloc
from dataclasses import FrozenInstanceError, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from oracles import composited

import mixtransforms
from mixtransforms import BatchSpec, Boxes, Layer, Mask, Plan, PlanError, methods
from mixtransforms.rng.keys import Key

PACKAGE = str(Path(mixtransforms.__file__).parent)
SPEC = BatchSpec(3, (4, 6))
ONE, TWO = np.array([0]), np.array([1])


def boxes(*corners: tuple[int, ...]) -> Boxes:
    """Boxes from ``(top, left, bottom, right)``."""
    table = np.array(corners)
    half = table.shape[1] // 2
    return Boxes(table[:, :half], table[:, half:])


def a_plan() -> Plan:
    """Sample 0 gets a quarter of sample 1, sample 1 half of sample 2 under a box."""
    layers = (
        Layer(ONE, TWO, np.array([0.25])),
        Layer(TWO, np.array([2]), np.array([0.5]), boxes((0, 0, 4, 3)), boxes((0, 3, 4, 6))),
    )
    return Plan(SPEC, layers, key=Key(7, step=3))


def test_shares_partner_weight() -> None:
    plan = a_plan()
    np.testing.assert_array_equal(plan.sources, [[0, 1], [1, 2], [2, 2]])
    np.testing.assert_array_equal(plan.share, [[0.75, 0.25], [0.75, 0.25], [1, 0]])
    np.testing.assert_array_equal(plan.partner, [1, 2, 2])
    np.testing.assert_array_equal(plan.weight, [0.75, 0.75, 1])
    np.testing.assert_array_equal(plan.mixed, [True, True, False])
    assert plan.target_share is plan.share
    assert plan.size == 3


def test_a_plan_without_layers_is_the_identity() -> None:
    plan = Plan(SPEC)
    np.testing.assert_array_equal(plan.partner, np.arange(3))
    np.testing.assert_array_equal(plan.weight, np.ones(3))
    np.testing.assert_array_equal(plan.sources, [[0], [1], [2]])
    assert not plan.mixed.any()
    assert Plan(BatchSpec(0, (4, 6))).share.shape == (0, 1)


def random_layers(rng: np.random.Generator, size: int, shape: tuple[int, ...], regions: tuple[str, ...]) -> Plan:
    """Layers on some of the samples, over each other, on themselves, from crops, of every opacity."""
    layers = []
    for kind in regions:
        rows = np.flatnonzero(rng.random(size) < 0.8)
        start, stop = np.sort(rng.integers(0, np.array(shape) + 1, (2, len(rows), len(shape))), axis=0)
        values = rng.random((len(rows), *shape))
        region: Any = {"none": None, "boxes": Boxes(start, stop), "mask": Mask(values < 0.5), "soft": Mask(values)}[
            kind
        ]
        crop = Boxes.full(len(rows), shape) if rng.random() < 0.3 else None
        opacity = rng.choice([0.0, 0.3, 0.75, 1.0, 1.0], len(rows))
        layers.append(Layer(rows, rng.integers(0, size, len(rows)), opacity, region, crop))
    return Plan(BatchSpec(size, shape), tuple(layers))


@pytest.mark.parametrize("shape", [(), (9,), (7, 9), (3, 4, 5), (1, 1)], ids=str)
@pytest.mark.parametrize("at_once", [1, 500, 1 << 19])
def test_shares_are_those_of_one_sample_after_the_other(
    shape: tuple[int, ...], at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of any number of layers, whatever is composited at once; sums of many cells may be rounded otherwise."""
    monkeypatch.setattr("mixtransforms.core.compositing.AT_ONCE", at_once)
    rng = np.random.default_rng(len(shape))
    for _ in range(40):
        kinds = rng.choice(["none", "boxes", "boxes", "mask", "soft"], rng.integers(0, 6)).tolist()
        plan = random_layers(rng, int(rng.integers(1, 9)), shape, tuple(kinds))
        np.testing.assert_allclose(plan.share, composited(plan), rtol=0, atol=2.3e-16)
        np.testing.assert_allclose(plan.share.sum(axis=1), 1.0, rtol=0, atol=4.5e-16)
        for layer in plan.layers:
            if layer.region is None:  # rounding leaves no trace of what is wholly hidden
                assert not plan.share[layer.rows[layer.opacity == 1], 0].any()
        for row, (sources, share) in enumerate(zip(plan.sources, plan.share, strict=True)):
            painted = [layer.source[layer.rows == row] for layer in plan.layers if row in layer.rows]
            used = [row, *np.concatenate([[], *painted]).astype(int).tolist()]
            assert sources.tolist() == used + [row] * (len(sources) - len(used))
            assert not share[len(used) :].any()


def test_shares_of_many_samples_take_no_more_calls_than_those_of_few() -> None:
    def calls(size: int) -> int:
        plan, count = random_layers(np.random.default_rng(0), size, (32, 32), ("boxes",) * 3), 0
        plan = Plan(plan.spec, tuple(replace(layer, crop=None) for layer in plan.layers))

        def count_calls(frame: Any, event: str, argument: Any) -> None:
            nonlocal count
            count += event == "call" and frame.f_code.co_filename.startswith(PACKAGE)

        sys.setprofile(count_calls)
        try:
            _ = plan.shares
        finally:
            sys.setprofile(None)
        return count

    assert calls(1000) == calls(100) < 200


def test_text() -> None:
    assert repr(a_plan()) == "Plan(size=3, shape=(4, 6), layers=2, mixed=2)"
    assert str(a_plan()).splitlines()[1:] == [
        "  0: 0.750 of 0 + 0.250 of 1",
        "  1: 0.750 of 1 + 0.250 of 2",
        "  2: 1.000 of 2",
    ]


def test_equality_is_by_value() -> None:
    plan = a_plan()
    assert plan == a_plan()
    assert plan == replace(plan, key=None), "what a plan was keyed by is no part of it"
    others = [
        replace(plan, spec=BatchSpec(3, (4, 7))),
        replace(plan, layers=plan.layers[:1]),
        replace(plan, layers=plan.layers[::-1]),
        replace(plan, layers=(replace(plan.layers[0], opacity=np.array([0.26])), plan.layers[1])),
        replace(plan, layers=(plan.layers[0], replace(plan.layers[1], crop=None))),
        replace(plan, layers=(plan.layers[0], replace(plan.layers[1], region=boxes((0, 0, 4, 2))))),
        replace(plan, layers=(plan.layers[0], replace(plan.layers[1], region=Mask(np.ones((1, 4, 6)))))),
        replace(plan, label_share=plan.share),
        replace(plan, label_share=np.full((3, 2), 0.5)),
        replace(plan, label_share=plan.share, label_mass="free"),
    ]
    for other in others:
        assert plan != other
    assert plan != "a plan"
    assert Mask(np.ones((1, 2), bool)) != Mask(np.ones((1, 2)))
    assert boxes((0, 0, 4, 3)) != boxes((0, 0, 4, 2))


@pytest.mark.parametrize("value", [a_plan(), a_plan().layers[0], boxes((0, 0, 1, 1)), Mask(np.ones((1, 2)))], ids=type)
def test_array_values_are_not_hashable(value: Any) -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(value)


@pytest.mark.parametrize("twin", [copy.copy, copy.deepcopy, lambda plan: pickle.loads(pickle.dumps(plan))])
def test_copies_are_equal(twin: Any) -> None:
    plan = a_plan()
    _ = plan.shares
    assert twin(plan) == plan
    np.testing.assert_array_equal(twin(plan).share, plan.share)


def test_a_plan_cannot_be_changed() -> None:
    rows, mask = np.array([0]), np.ones((1, 4, 6))
    plan = Plan(SPEC, (Layer(rows, TWO, np.ones(1), Mask(mask)),), label_share=np.tile([0.0, 1.0], (3, 1)))
    rows[0], mask[:] = 2, 0.5  # what was passed in is copied
    np.testing.assert_array_equal(plan.layers[0].rows, [0])
    np.testing.assert_array_equal(plan.weight, [0, 1, 1])
    layer = plan.layers[0]
    for array in (layer.rows, layer.source, layer.opacity, layer.region.values, plan.label_share, *plan.shares):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    box = boxes((0, 0, 1, 1))
    for array in (box.start, box.stop):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    for owner, name in (
        (plan, "layers"),
        (layer, "rows"),
        (layer.region, "values"),
        (box, "start"),
        (plan.spec, "size"),
    ):
        with pytest.raises(FrozenInstanceError, match=name):
            setattr(owner, name, None)


def test_json() -> None:
    plan = a_plan()
    written = json.loads(json.dumps(plan.to_dict()))
    assert written["size"] == 3
    assert written["shape"] == [4, 6]
    assert written["layers"][1]["boxes"] == {"start": [[0, 0]], "stop": [[4, 3]]}
    again = Plan.from_dict(written)
    assert again == plan
    assert again.key == plan.key == Key(7, step=3)


@pytest.mark.parametrize("method", [methods.CutMix(correct_weight=False), methods.MixUp(), methods.CutMix()], ids=repr)
def test_json_keeps_every_bit(method: Any) -> None:
    plan = method.draw(BatchSpec(32, (31, 17)), Key(5).generator())
    again = Plan.from_dict(json.loads(json.dumps(plan.to_dict())))
    assert again == plan
    np.testing.assert_array_equal(again.target_share, plan.target_share)


@pytest.mark.parametrize("values", [np.eye(4, 6)[None] > 0, np.eye(4, 6)[None] * 0.5], ids=["bool", "soft"])
def test_json_keeps_masks(values: np.ndarray) -> None:
    plan = Plan(SPEC, (Layer(ONE, TWO, np.ones(1), Mask(values)),))
    again = Plan.from_dict(json.loads(json.dumps(plan.to_dict())))
    assert again == plan
    assert again.layers[0].region.values.dtype == plan.layers[0].region.values.dtype


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sise": 3}, r"Not a plan \(Plan\.from_dict\): got keys \[.*'sise'.*\]; wanted size, shape, layers"),
        ({"size": None}, r"Plan\.from_dict"),
        ({"layers": [{}]}, r"rows"),
        ({"layers": [{"rows": [0], "source": [1], "opacity": [1.0], "box": 1}]}, r"box"),
        ({"layers": [{"rows": [0], "source": [7], "opacity": [1.0]}]}, r"Bad 'source' \(layers\[0\]\): got \[7\]"),
        ({"layers": [{"rows": [0.5], "source": [1], "opacity": [1.0]}]}, r"Not whole numbers"),
        ({"key": {"seed": 1, "nope": 2}}, r"nope|key"),
    ],
    ids=["unknown name", "no size", "empty layer", "unknown layer name", "source", "half a row", "key"],
)
def test_bad_json_is_refused(change: dict[str, Any], message: str) -> None:
    data = {**a_plan().to_dict(), **change}
    with pytest.raises(PlanError, match=message):
        Plan.from_dict(data)


def test_missing_names_are_refused() -> None:
    data = a_plan().to_dict()
    del data["layers"]
    with pytest.raises(PlanError, match=r"Not a plan .* Give what Plan\.to_dict returned"):
        Plan.from_dict(data)


def layer(**change: Any) -> Layer:
    """A good layer with something changed."""
    return Layer(**{"rows": [0, 1], "source": [1, 2], "opacity": [1.0, 0.5], **change})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rows": [0, 3]}, r"Bad 'rows' \(layers\[0\]\): got \[0 3\]; wanted indices of 3 samples\. A plan must fit"),
        ({"rows": [-1, 0]}, r"Bad 'rows' .* got \[-1  0\]; wanted indices of 3 samples"),
        ({"rows": [1, 1]}, r"Bad 'rows' .* wanted each sample at most once; use another layer"),
        ({"source": [0, 3]}, r"Bad 'source' .* got \[0 3\]; wanted indices of 3 samples"),
        ({"source": [0]}, r"Bad 'source' .* got \(1,\); wanted one a row, \(2,\)"),
        ({"opacity": [0.5, 1.1]}, r"Bad 'opacity' .* wanted within \[0, 1\]"),
        ({"opacity": [0.5, -0.1]}, r"Bad 'opacity' .* wanted within \[0, 1\]"),
        ({"opacity": [0.5, np.nan]}, r"Bad 'opacity' .* wanted within \[0, 1\]"),
        ({"region": boxes((0, 0, 4, 6))}, r"Bad 'region' .* got \(1, 2\); wanted shape \(2, 2\)"),
        ({"region": boxes((0, 4), (0, 4))}, r"Bad 'region' .* got \(2, 1\); wanted shape \(2, 2\)"),
        ({"region": boxes((0, 0, 4, 6), (0, 0, 4, 7))}, r"(?s)Bad 'region' .* wanted boxes inside \(4, 6\)"),
        ({"region": boxes((0, 0, 4, 6), (-1, 0, 4, 6))}, r"(?s)Bad 'region' .* wanted boxes inside \(4, 6\)"),
        ({"region": boxes((0, 0, 4, 6), (3, 0, 2, 6))}, r"(?s)Bad 'region' .* wanted boxes inside \(4, 6\)"),
        ({"crop": boxes((0, 0, 4, 6), (0, 0, 5, 6))}, r"(?s)Bad 'crop' .* wanted boxes inside \(4, 6\)"),
        (
            {"crop": boxes((0, 0, 4, 6), (2, 0, 2, 6))},
            r"Empty crop \(layers\[0\]\): got rows \[1\]; wanted at least one",
        ),
        ({"region": Mask(np.ones((2, 6, 4)))}, r"Bad 'region' .* got \(2, 6, 4\); wanted shape \(2, 4, 6\)"),
    ],
)
def test_layers_that_do_not_fit_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(PlanError, match=message):
        Plan(SPEC, (layer(**change),))


def test_values_that_are_no_plan_are_refused() -> None:
    with pytest.raises(PlanError, match=r"Not whole numbers \(plan\): got dtype float64; wanted integers"):
        layer(rows=[0.0, 1.0])
    with pytest.raises(PlanError, match=r"Not whole numbers .* dtype bool"):
        layer(source=[True, False])
    with pytest.raises(PlanError, match=r"Box corners disagree \(Boxes\): got start \(1, 2\), stop \(2, 2\)"):
        Boxes(np.zeros((1, 2), int), np.zeros((2, 2), int))
    for bad in (1.1, -0.1, np.nan):
        with pytest.raises(PlanError, match=r"Mask values out of range .* wanted bool, or floats within \[0, 1\]"):
            Mask(np.full((1, 4, 6), bad))
    with pytest.raises(
        PlanError, match=r"Declared label shares do not fit \(label_share\): got \(3, 1\); wanted \(3, 2\)"
    ):
        Plan(SPEC, (layer(),), label_share=np.ones((3, 1)))


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize("row", [[NAN, 0.4], [INF, 0.4], [1.4, -0.4], [-0.1, 1.1], [0.5, 0.4], [0.0, 0.0], [1.0, 2e-6]])
def test_declared_shares_are_shares(row: list[float]) -> None:
    good = Plan(SPEC, (layer(),), label_share=[[0.25, 0.75], [1, 0], [0.5, 0.5 + 5e-7]])
    bad = [[0.25, 0.75], row, [0.5, 0.5]]
    with pytest.raises(
        PlanError, match=r"Declared label shares are none \(label_share\): got \[.*\] in row 1; wanted num"
    ):
        replace(good, label_share=bad)
    with pytest.raises(PlanError, match=r"Declared label shares are none"):
        Plan.from_dict({**good.to_dict(), "label_share": bad})


@pytest.mark.parametrize("row", [[0.0, 0.0], [1.0, 1.0], [0.3, 0.3], [7.0, 0.0]])
def test_labels_of_free_mass_may_weigh_less_or_more(row: list[float]) -> None:
    share = [row, [1, 0], [0.5, 0.5]]
    with pytest.raises(PlanError, match=r"say label_mass='free' where labels may weigh otherwise"):
        Plan(SPEC, (layer(),), label_share=share)
    plan = Plan(SPEC, (layer(),), label_share=share, label_mass="free")  # what the error says
    again = Plan.from_dict(json.loads(json.dumps(plan.to_dict())))
    assert plan.to_dict()["label_mass"] == "free"
    assert again == plan
    assert plan.keyed(Key(3)).label_mass == plan.where(np.ones(3, bool)).label_mass == "free"
    labels = mixtransforms.MixUp(num_classes=3).replay(plan, (np.zeros((3, 4, 6, 1)), np.arange(3)))[1]
    np.testing.assert_allclose(labels[0], [row[0], row[1], 0])
    np.testing.assert_allclose(plan.measured.share.sum(axis=1), 1)


def test_mass_is_off_by_default() -> None:
    assert "label_mass" not in Plan(SPEC, (layer(),), label_share=[[1, 0], [0, 1], [1, 0]]).to_dict()
    for row in ([NAN, 0.4], [INF, 0.4], [-0.1, 1.1]):
        with pytest.raises(PlanError, match=r"wanted finite numbers, not negative"):
            Plan(SPEC, (layer(),), label_share=[row] * 3, label_mass="free")
    for mass in ("half", None, 1, []):
        with pytest.raises(PlanError, match=r"Unknown mass of labels \(label_mass\): got .*; wanted 'one' or 'free'"):
            Plan(SPEC, (layer(),), label_mass=mass)


@pytest.mark.parametrize(
    "spec", [BatchSpec(-1), BatchSpec(3, (-4, 6)), BatchSpec(3, (1 << 30, 1 << 30)), BatchSpec(2.5)]
)
def test_a_spec_that_no_batch_has_is_refused(spec: BatchSpec) -> None:
    with pytest.raises(PlanError, match=r"Not a batch \(spec\): got .*; wanted whole numbers from 0 on"):
        Plan(spec)


NASTY: list[Any] = [
    *(
        None,
        True,
        -1,
        0,
        7,
        10**12,
        2**63,
        10**400,
        0.5,
        -0.25,
        1.5,
        1e308,
        NAN,
        INF,
        "0.5",
        "x",
        "",
        [],
        {},
        [[]],
        [NAN],
    ),
    *([1, "2"], {"start": 1}, [[1, 2], [3]], [[[[1]]]], 2**24 + 1, "AAAA"),
]


def tampered(data: Any, rng: np.random.Generator) -> Any:
    """A document with one thing in it changed, left out or said twice."""
    if isinstance(data, (dict, list)) and data and rng.random() < 0.85:
        keys = list(data) if isinstance(data, dict) else list(range(len(data)))
        key = keys[rng.integers(len(keys))]
        changed = data.copy()
        fate = rng.random()
        if fate < 0.1:
            del changed[key]
        elif fate < 0.2 and isinstance(data, list):
            changed.append(changed[key])
        elif fate < 0.25 and isinstance(data, dict):
            changed[str(key) + "s"] = changed[key]
        else:
            changed[key] = tampered(changed[key], rng)
        return changed
    return NASTY[rng.integers(len(NASTY))]


def test_tampered_plans_are_refused_or_plans() -> None:
    """Whatever is changed in a document: our own error before much is allocated, or a plan like any other."""
    rng, refused = np.random.default_rng(5), 0
    values = rng.random((2, 4, 6))
    share = [[0.25, 0.75], [1, 0], [0.5, 0.5]]
    plans = [
        a_plan(),
        Plan(SPEC, (layer(region=Mask(values < 0.5)), layer(source=[2, 0], region=Mask(values)))),
        Plan(SPEC, (layer(),), label_share=share, key=Key(1, 2, 3, 4, 5)),
        Plan(SPEC, (layer(),), label_share=np.multiply(share, 3), label_mass="free"),
        Plan(BatchSpec(3), (layer(),)),
    ]
    documents = [json.loads(json.dumps(plan.to_dict())) for plan in plans]
    tracemalloc.start()
    for number in range(2000):
        document = tampered(documents[number % len(documents)], rng)
        tracemalloc.reset_peak()
        try:
            plan = Plan.from_dict(document)
        except PlanError:
            refused += 1
            continue
        finally:
            assert tracemalloc.get_traced_memory()[1] < 5e6, document
        assert Plan.from_dict(json.loads(json.dumps(plan.to_dict(), allow_nan=False))) == plan
        if plan.size < 100:
            for shares in (plan.share, plan.target_share):
                assert np.isfinite(shares).all()
                assert (shares >= 0).all()
                if plan.label_mass == "one":
                    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-6)
            if plan.key is not None:
                plan.key.generator()
    tracemalloc.stop()
    assert 1000 < refused < 2000


def test_an_empty_crop_is_fine_where_nothing_is_painted() -> None:
    nothing, full = boxes((0, 0, 4, 6), (2, 0, 2, 6)), boxes((0, 0, 4, 6), (1, 0, 1, 6))
    plan = Plan(SPEC, (layer(region=full, crop=nothing),))
    images = np.random.default_rng(0).random((3, 4, 6, 1))
    np.testing.assert_array_equal(plan.apply(images)[1], images[1])


def test_two_partners_have_no_single_weight() -> None:
    plan = Plan(SPEC, (layer(), layer(source=[2, 0])))
    assert plan.sources.shape == (3, 3)
    for name in ("partner", "weight"):
        with pytest.raises(PlanError, match=r"No single partner \(Plan\): got 2 partners .* Read plan\.sources"):
            getattr(plan, name)


def test_where_keeps_declared_shares() -> None:
    plan = methods.CutMix(correct_weight=False).draw(BatchSpec(6, (9, 9)), Key(1).generator())
    keep = np.array([True, False, True, True, False, False])
    kept = plan.where(keep)
    np.testing.assert_array_equal(kept.label_share[keep], plan.label_share[keep])
    np.testing.assert_array_equal(kept.label_share[~keep], [[1, 0]] * 3)
    np.testing.assert_array_equal(kept.weight[~keep], 1)
    nobody = plan.where(np.zeros(6, bool))
    assert nobody.layers == ()
    np.testing.assert_array_equal(nobody.target_share, np.ones((6, 1)))


def test_apply_paints_any_array() -> None:
    plan = methods.MixUp(alpha=1.0).draw(BatchSpec(5, (8, 8)), Key(2).generator())
    weight = plan.weight
    for shape in ((5,), (5, 3), (5, 2, 7, 3), (5, 4, 1, 2, 2, 2)):
        values = np.random.default_rng(1).random(shape)
        share = weight.reshape(-1, *(1,) * (len(shape) - 1))
        np.testing.assert_allclose(plan.apply(values), share * values + (1 - share) * values[plan.partner], atol=1e-15)


def test_apply_paints_regions_where_the_mixed_axes_are() -> None:
    plan = methods.CutMix().draw(BatchSpec(4, (6, 8)), Key(3).generator())
    values = np.random.default_rng(1).random((4, 6, 8, 2))
    first = np.moveaxis(values, -1, 1)
    np.testing.assert_array_equal(np.moveaxis(plan.apply(first, "channels_first"), 1, -1), plan.apply(values))
    video = np.stack([values, values + 1], axis=3)  # (B, H, W, T, C)
    np.testing.assert_array_equal(plan.apply(video)[:, :, :, 1], plan.apply(values) + 1)
    signal = methods.CutMix().draw(BatchSpec(4, (30,)), Key(3).generator())
    wave = np.random.default_rng(1).random((4, 30))
    inside = signal.layers[0].region.inside((30,))
    np.testing.assert_array_equal(signal.apply(wave), np.where(inside, wave[signal.partner], wave))


@pytest.mark.parametrize(
    ("array", "layout", "message"),
    [
        (np.zeros((4, 4, 6, 1)), None, r"The plan is for another batch .* got shape \(4, 4, 6, 1\); wanted 3 samples"),
        (np.zeros((3, 6, 4, 1)), None, r"another batch .* wanted 3 samples with mixed axes \(4, 6\)"),
        (np.zeros((3, 4)), None, r"another batch .* got shape \(3, 4\)"),
        (
            np.zeros((3, 4, 6, 1)),
            "HWC",
            r"Unknown layout \(plan\.apply\): got 'HWC'; wanted None, channels_first",
        ),
        ([1, 2, 3], None, r"Not an array \(plan\.apply\): got list; wanted a NumPy array or a torch tensor"),
    ],
)
def test_apply_refuses_what_does_not_fit(array: Any, layout: str | None, message: str) -> None:
    plan = Plan(SPEC, (layer(opacity=[1.0, 1.0], region=boxes((0, 0, 2, 2), (0, 0, 2, 2))),))
    with pytest.raises((PlanError, ValueError), match=message):
        plan.apply(array, layout)


def test_boxes() -> None:
    two = boxes((0, 1, 2, 4), (3, 3, 3, 6))
    assert len(two) == 2
    np.testing.assert_array_equal(two.sides, [[2, 3], [0, 3]])
    np.testing.assert_array_equal(two.volume, [6, 0])
    assert two.slices(0) == (slice(0, 2), slice(1, 4))
    inside = two.inside((4, 6))
    assert inside.shape == (2, 4, 6)
    assert inside[0, 0:2, 1:4].all()
    assert inside.sum() == 6
    np.testing.assert_array_equal(Boxes.full(2, (4, 6)).volume, [24, 24])
