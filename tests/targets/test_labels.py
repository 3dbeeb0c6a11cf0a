"""Class labels: ids of any width, one-hot and soft rows, pairs, and what carries no mass."""

import re
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from forms import bits, host
from plans import BACKENDS, BLEND, COATS, INTEGERS, PLANS, SCENE, follow, given, mixed

from mixtransforms import CutMix, MixUp
from mixtransforms.core.errors import InputError, ParameterError, PlanError
from mixtransforms.plan import BatchSpec, Plan
from mixtransforms.targets.kind import Scene
from mixtransforms.targets.label import Label, LabelPair, class_ids
from mixtransforms.targets.multilabel import MultiLabel
from mixtransforms.targets.padding import Padding
from mixtransforms.targets.regression import Regression
from mixtransforms.targets.table import Table

TABLE = follow(BLEND)
IDS = np.array([2, 0, 2, 1])
NOWHERE = Scene((), first=True, blends=True)


def mix(value: Any, plan: Any = BLEND, **fields: Any) -> Any:
    return mixed(Label(**fields), plan, value).value


def unseen(value: Any) -> Any:
    """Mixed without a check of the values."""
    return Label().mix(BLEND, value, SCENE).value


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", INTEGERS)
def test_ids_of_any_width(dtype: str, backend: str) -> None:
    ids = given(IDS, dtype, backend)
    soft = mix(ids, num_classes=3)
    np.testing.assert_array_equal(host(soft), TABLE @ np.eye(3)[IDS])
    assert host(soft).dtype == np.float32
    assert type(soft) is type(ids)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("dtype", "classes"), [("int8", 256), ("int8", 300), ("int16", 1 << 16), ("int16", 70_000)])
def test_ids_below_zero_are_none_of_many_classes(dtype: str, classes: int, backend: str) -> None:
    """Without their sign they would be numbers that there are classes of; in a later call as in the first."""
    mixup, images = MixUp(num_classes=classes), given(np.zeros((4, 3, 2, 2)), "float32", backend)
    fine, wrong = (given(np.array(ids), dtype, backend) for ids in ([3, 1, 5, 7], [3, -1, 5, 7]))
    for _ in range(2):
        with pytest.raises(InputError, match=r"Class ids out of range .*\[-1\] at \[1\]"):
            mixup(images, wrong)
        assert mixup(images, fine)[1].shape == (4, classes)


@pytest.mark.parametrize("backend", BACKENDS)
def test_more_classes_than_the_dtype_of_ids_can_count(backend: str) -> None:
    soft = mix(given([127, 0, 3, 3], "int8", backend), num_classes=300)
    np.testing.assert_array_equal(host(soft), TABLE @ np.eye(300)[[127, 0, 3, 3]])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", ["bool", "int64", "uint8", "uint16", "float16", "float32", "float64"])
@pytest.mark.parametrize("classes", [None, 3])
def test_one_hot_rows(dtype: str, classes: int | None, backend: str) -> None:
    soft = mix(given(np.eye(3)[IDS], dtype, backend), num_classes=classes)
    np.testing.assert_array_equal(host(soft), TABLE @ np.eye(3)[IDS])
    assert host(soft).dtype == np.float32


def test_bfloat16_rows() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    soft = mix(given(np.eye(3)[IDS], "bfloat16"))
    np.testing.assert_array_equal(host(soft), TABLE @ np.eye(3)[IDS])
    assert soft.dtype == torch.float32


@pytest.mark.parametrize("backend", BACKENDS)
def test_soft_rows_of_any_mass(backend: str) -> None:
    """Smoothed rows, several labels at once, and rows without a label."""
    rows = np.array([[0.9, 0.05, 0.05], [1, 1, 0], [0, 0, 0], [0.2, 0, 0.8]])
    np.testing.assert_allclose(host(mix(given(rows, "float64", backend))), TABLE @ rows, atol=1e-7)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_each_source_gets_its_share(plan: Any, backend: str) -> None:
    """One class a sample: the labels are the shares, as they are painted or declared."""
    soft = host(mix(given(np.arange(plan.size), "int64", backend), plan, num_classes=max(plan.size, 1)))
    np.testing.assert_allclose(soft[:, : plan.size], follow(plan), atol=1e-7)
    rows = host(mix(given(np.eye(plan.size), "float32", backend), plan))
    assert rows.dtype == soft.dtype == np.float32
    assert rows.tobytes() == soft[:, : plan.size].tobytes()


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8"])
def test_backends_agree_bit_for_bit(dtype: str, plan: Any) -> None:
    rows = np.random.default_rng(0).random((plan.size, 5)) if "float" in dtype else np.eye(plan.size, 5)
    first, second = (mix(given(rows, dtype, backend), plan) for backend in BACKENDS)
    assert bits(first) == bits(second)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("form", ["soft", "pair"])
@pytest.mark.parametrize("values", [IDS, np.eye(3, dtype=np.float32)[IDS]], ids=["ids", "rows"])
def test_what_comes_in_is_left_alone(values: Any, form: str, backend: str) -> None:
    labels = given(values, values.dtype.name, backend)
    before = bits(labels)
    result = mix(labels, num_classes=3, form=form)
    for part in result if form == "pair" else (result,):
        part[...] = 1
    assert bits(labels) == before


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_label_without_weight_leaves_no_trace(value: float, backend: str) -> None:
    """Sample 3 becomes sample 0 altogether, and is nobody's partner. On a device, where nobody looks at values."""
    rows = np.eye(4)
    rows[3] = value
    np.testing.assert_array_equal(host(unseen(given(rows, "float64", backend))), TABLE @ np.eye(4))


@pytest.mark.parametrize("backend", BACKENDS)
def test_infinities_that_meet_and_overflows_are_quiet(backend: str) -> None:
    rows = given([[np.inf, 1e300], [-np.inf, 0], [0, 0], [0, 0]], "float64", backend)
    np.testing.assert_array_equal(host(unseen(rows))[0], [np.nan, np.inf])


FLOATS = ("float16", "float32", "float64")


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("form", ["soft", "pair"])
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf, 1.5, -0.25, 30.5])
def test_rows_of_floats_that_are_no_shares(wrong: float, form: str, dtype: str, backend: str) -> None:
    """Boxes, numbers to predict and missing values are mixed as labels no more."""
    for rows in (np.eye(4), np.zeros((4, 1))):
        rows[2, 0] = wrong
        value = re.escape(str(float(wrong)))
        message = rf"no shares of classes .*\[{value}\] in rows \[2\]; .* 'regression' for numbers .* or 'boxes'"
        with pytest.raises(InputError, match=message):
            mix(given(rows, dtype, backend), form=form)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", FLOATS)
def test_rows_of_floats_that_are_shares(dtype: str, backend: str) -> None:
    """Also of several classes at once, without any, of one column, none, and what is off by a rounding."""
    for rows in (np.ones((4, 3)), np.zeros((4, 3)), np.full((4, 1), 0.5), np.zeros((4, 0)), np.full((4, 2), 1.0005)):
        np.testing.assert_allclose(host(mix(given(rows, dtype, backend))), TABLE @ rows, atol=1e-3)


def test_the_steps_that_are_named_for_numbers_lead_on() -> None:
    images, age = np.zeros((4, 8, 8, 3), np.float32), np.array([[30.5], [61], [7], [2]], np.float32)
    with pytest.raises(
        InputError, match=r"no shares of classes \(batch\[1\]\): got shape \(4, 1\), .* with kinds, such as"
    ):
        MixUp()(images, age)
    assert MixUp(kinds={1: "regression"})(images, age)[1].shape == (4, 1)
    assert MixUp(passthrough=(1,))(images, age)[1] is age
    boxes = np.array([[0, 0, 5, 5.0]] * 4)
    with pytest.raises(InputError, match=r"no shares of classes .* or 'boxes'"):
        MixUp()({"image": images, "target": boxes})
    stacked = MixUp(kinds={"target": "boxes"})({"image": images, "target": boxes[:, None]})
    assert len(stacked["target"]) == 4


def test_every_call_looks_at_its_rows() -> None:
    """Also at those of a structure that was met before."""
    images, transform = np.zeros((4, 8, 8, 3), np.float32), CutMix()
    for _ in range(2):
        transform(images, np.eye(4))
        with pytest.raises(InputError, match="no shares of classes"):
            transform(images, 2 * np.eye(4))


def test_rows_on_a_device_are_not_looked_at() -> None:
    """Which would wait for it."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    Label().check(torch.full((4, 3), 7.0, device="meta"), "batch", SCENE)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("ignore", [-1, -100, 255, 1])
def test_ignored_ids_carry_no_mass(ignore: int, backend: str) -> None:
    ids = np.array([ignore, 0, 2, ignore])
    soft = host(mix(given(ids, "int64", backend), num_classes=3, ignore_index=ignore))
    rows = np.eye(3)[np.where(ids == ignore, 0, ids)] * (ids != ignore)[:, None]
    np.testing.assert_array_equal(soft, TABLE @ rows)
    np.testing.assert_array_equal(soft.sum(axis=1), [0.25, 1, 1, 0])


def test_an_ignored_id_of_an_unsigned_dtype() -> None:
    soft = mix(given([255, 0, 2, 255], "uint8"), num_classes=3, ignore_index=255)
    np.testing.assert_array_equal(soft.sum(axis=1), [0.25, 1, 1, 0])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("classes", [None, 3])
@pytest.mark.parametrize("dtype", INTEGERS)
def test_pairs(dtype: str, classes: int | None, backend: str) -> None:
    ids = given(IDS, dtype, backend)
    pair = mix(ids, form="pair", num_classes=classes)
    assert type(pair) is LabelPair
    label, partner, weight = pair
    assert label.dtype == partner.dtype == ids.dtype
    np.testing.assert_array_equal(host(label), IDS)
    np.testing.assert_array_equal(host(partner), IDS[[1, 2, 2, 0]])
    np.testing.assert_array_equal(host(weight), np.array([0.75, 0.5, 1, 0], np.float32))
    assert host(weight).dtype == np.float32


@pytest.mark.parametrize("backend", BACKENDS)
def test_pairs_of_rows(backend: str) -> None:
    rows = np.random.default_rng(0).random((4, 3))
    pair = mix(given(rows, "float64", backend), form="pair")
    np.testing.assert_array_equal(host(pair.label), rows)
    np.testing.assert_array_equal(host(pair.partner), rows[[1, 2, 2, 0]])


def test_pairs_keep_ignored_ids() -> None:
    """The loss knows what to do with them."""
    pair = mix(np.array([-1, 0, 2, 1]), form="pair", ignore_index=-1)
    np.testing.assert_array_equal(pair.label, [-1, 0, 2, 1])
    np.testing.assert_array_equal(pair.partner, [0, 2, 2, -1])


def test_pairs_weigh_by_the_declared_share() -> None:
    np.testing.assert_array_equal(mix(IDS, PLANS["declared"], form="pair").weight, [0.5, 0.125, 1, 0.25])


def test_pairs_are_the_loss_of_soft_labels() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    logits = torch.randn(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    loss = torch.nn.functional.cross_entropy
    ids = given(IDS, "int64", "torch")
    label, partner, weight = mix(ids, form="pair")
    weight = weight.double()
    pairs = weight * loss(logits, label, reduction="none") + (1 - weight) * loss(logits, partner, reduction="none")
    soft = loss(logits, mix(ids, num_classes=3).double(), reduction="none")
    np.testing.assert_allclose(pairs, soft, atol=1e-12)


def test_pairs_of_several_sources() -> None:
    """Soft labels take any number of partners; pairs do not."""
    with pytest.raises(
        PlanError, match=r"No single partner \(Plan\): got 3 partners for some samples; wanted at most one"
    ):
        mix(IDS, COATS, form="pair")


def test_gradients_reach_soft_rows() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    rows = torch.rand(4, 3, requires_grad=True)
    mix(rows, COATS).sum().backward()
    np.testing.assert_allclose(rows.grad, np.repeat(follow(COATS).sum(axis=0)[:, None], 3, axis=1), atol=1e-6)


def test_what_is_not_said_is_the_transform_s() -> None:
    options = SimpleNamespace(num_classes=7, ignore_index=-1, labels="pair", smoothing=0.25)
    assert Label().within(options) == Label(7, -1, 0.25, form="pair")
    assert Label(100, smoothing=0.0, form="soft").within(options) == Label(100, -1, 0.0, form="soft")
    assert repr(Label(100, form="soft")) == "Label(num_classes=100, form='soft')"
    assert Label.name == "label"


REFUSED = [
    (
        {"form": "soft"},
        IDS,
        r"The number of classes is not known \(batch\['y'\]\): got integer labels without num_classes",
    ),
    ({}, IDS, r"The number of classes is not known"),
    ({"num_classes": 2}, IDS, r"Class ids out of range .*: got \[2\] at \[0, 2\]; wanted ids from 0 and below num_cl"),
    ({"num_classes": 3}, IDS - 1, r"got \[-1\] at \[1\]; wanted ids from 0 and below num_classes=3\. Correct num_cl"),
    ({"form": "pair"}, IDS - 1, r"got \[-1\] at \[1\]; wanted ids from 0\. "),
    ({"form": "pair", "ignore_index": -1}, IDS - 2, r"got \[-2\] at \[1\]; wanted ids from 0, or ignore_index=-1\. "),
    ({}, np.zeros((4, 2, 2)), r"Not class labels .*: got shape \(4, 2, 2\) float64; wanted integer ids \(B,\), or one"),
    ({}, np.zeros(4), r"Not class labels .*: got shape \(4,\) float64"),
    ({}, np.zeros((4, 2), complex), r"Not class labels .*: got shape \(4, 2\) complex128"),
    (
        {"num_classes": 4},
        np.eye(4, 3),
        r"Label rows of another width .*: got shape \(4, 3\); wanted \(B, 4\), because num",
    ),
    ({}, np.full((4, 2), 2), r"Whole numbers in rows that are not one-hot .*: got shape \(4, 2\), values \[2\]"),
    ({}, np.ones((4, 1), int), r"Whole numbers in rows that are not one-hot .*: got shape \(4, 1\), values \[1\]"),
]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("fields", "values", "text"), REFUSED)
def test_labels_that_are_refused(fields: dict[str, Any], values: Any, text: str, backend: str) -> None:
    labels = given(values, values.dtype.name, backend)
    with pytest.raises(InputError, match=text.replace(" float64", ".*float64").replace(" complex128", ".*complex128")):
        Label(**fields).check(labels, "batch['y']", SCENE)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        (
            {"form": "hard"},
            r"Bad value for 'form' \(Label\): got 'hard'; wanted None or one of 'soft', 'pair', 'mix'\. 'soft', ",
        ),
        ({"form": ["soft"]}, r"Bad value for 'form' \(Label\): got \['soft'\]"),
        (
            {"num_classes": 0},
            r"Bad value for 'num_classes' \(Label\): got 0; wanted None or a whole number within \[1, ",
        ),
        ({"ignore_index": 0.5}, r"Bad value for 'ignore_index' \(Label\): got 0\.5"),
    ],
)
def test_fields_that_are_refused(fields: dict[str, Any], text: str) -> None:
    with pytest.raises(ParameterError, match=text):
        Label(**fields)


@pytest.mark.parametrize("backend", BACKENDS)
def test_ids_of_labels(backend: str) -> None:
    np.testing.assert_array_equal(class_ids(given(IDS, "int64", backend)), IDS)
    np.testing.assert_array_equal(class_ids(given(np.eye(3)[IDS], "float32", backend)), IDS)


EVERY_KIND = [
    (Label(3), IDS),
    (Label(form="pair"), IDS),
    (MultiLabel(unknown=-1), np.where(np.eye(4) == 1, 0, -1).astype(np.int8)),
    (MultiLabel(union=True, unknown=7), np.where(np.eye(4) == 1, 7, 1).astype(np.uint16)),
    (Regression(), np.linspace(0, 1, 4)),
    (Table((1,)), np.random.default_rng(0).random((4, 3), np.float32)),
    (Padding(inverted=True), np.eye(4, dtype=np.bool_)),
]


@pytest.mark.parametrize(("kind", "values"), EVERY_KIND, ids=[repr(kind) for kind, _ in EVERY_KIND])
def test_tensors_stay_on_their_device(kind: Any, values: Any) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    plan = Plan(BatchSpec(4), BLEND.layers)
    here, there = (mixed(kind, plan, torch.from_numpy(values).to(where), NOWHERE) for where in ("cpu", "cuda"))
    parts = zip(_arrays(here), _arrays(there), strict=True)
    assert all(b.device.type == "cuda" and bits(a) == bits(b.cpu()) for a, b in parts)


def _arrays(result: Any) -> list[Any]:
    return [*(result.value if isinstance(result.value, LabelPair) else [result.value]), *result.beside.values()]
