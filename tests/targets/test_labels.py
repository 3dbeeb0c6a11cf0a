"""Class labels: ids of any width, one-hot and soft rows, pairs, and what carries no mass."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from forms import Form, host

from mixtransforms import BatchSpec, CutMix, InputError, LabelPair, Layer, MixUp, Plan, methods

PLAN = Plan(BatchSpec(4, (4, 4)), (Layer(np.array([0, 1, 3]), np.array([1, 2, 0]), np.array([0.25, 0.5, 1.0])),))
"""Sample 0 keeps 3/4, 1 keeps half, 2 is itself, 3 becomes 0."""

TABLE = np.array([[0.75, 0.25, 0, 0], [0, 0.5, 0.5, 0], [0, 0, 1, 0], [1, 0, 0, 0]])
IDS = np.array([2, 0, 2, 1])
BACKENDS = ("numpy", "torch")
INTEGERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")


def mix(given: Any, backend: str = "numpy", **options: Any) -> Any:
    """The labels, mixed by the plan beside images of a backend."""
    form = Form(backend)
    return MixUp(**options).replay(PLAN, form.build(np.zeros((4, 4, 4, 1))), given)[1]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", INTEGERS)
def test_ids_of_any_width(dtype: str, backend: str) -> None:
    mixed = mix(Form(backend).own(IDS.astype(dtype)), backend, num_classes=3)
    np.testing.assert_array_equal(host(mixed), TABLE @ np.eye(3)[IDS])
    assert host(mixed).dtype == np.float32
    assert type(mixed) is type(Form(backend).build(np.zeros((1, 1, 1, 1))))


@pytest.mark.parametrize("backend", BACKENDS)
def test_more_classes_than_the_dtype_of_ids_can_count(backend: str) -> None:
    mixed = mix(Form(backend).own(np.array([127, 0, 3, 3], np.int8)), backend, num_classes=300)
    np.testing.assert_array_equal(host(mixed), TABLE @ np.eye(300)[[127, 0, 3, 3]])


def test_ids_above_what_bfloat16_can_count() -> None:
    """Labels never take the dtype of the images."""
    images = Form("torch", "bfloat16").build(np.zeros((4, 4, 4, 1)))
    mixed = MixUp(num_classes=300).replay(PLAN, images, Form("torch").own(np.array([257, 256, 2, 1])))[1]
    np.testing.assert_array_equal(host(mixed)[0, [256, 257]], [0.25, 0.75])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", ["bool", "int64", "uint8", "float16", "float32", "float64"])
@pytest.mark.parametrize("classes", [None, 3])
def test_one_hot_rows(dtype: str, classes: int | None, backend: str) -> None:
    rows = np.eye(3)[IDS].astype(dtype)
    mixed = mix(Form(backend).own(rows), backend, num_classes=classes)
    np.testing.assert_array_equal(host(mixed), TABLE @ rows.astype(float))
    assert host(mixed).dtype == np.float32


def test_bfloat16_rows() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    rows = torch.eye(3, dtype=torch.bfloat16)[torch.from_numpy(IDS)]
    mixed = mix(rows, "torch")
    np.testing.assert_array_equal(host(mixed), TABLE @ np.eye(3)[IDS])


@pytest.mark.parametrize("backend", BACKENDS)
def test_soft_rows_of_any_mass(backend: str) -> None:
    """Smoothed rows, several labels at once, and rows without a label."""
    rows = np.array([[0.9, 0.05, 0.05], [1, 1, 0], [0, 0, 0], [0.2, 0, 0.8]])
    np.testing.assert_allclose(host(mix(Form(backend).own(rows), backend)), TABLE @ rows, atol=1e-7)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_label_without_weight_leaves_no_trace(value: float, backend: str) -> None:
    """Sample 3 becomes sample 0 altogether, and is nobody's partner."""
    rows = np.eye(4)
    rows[3] = value
    np.testing.assert_array_equal(host(mix(Form(backend).own(rows), backend)), TABLE @ np.eye(4))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("ignore", [-1, -100, 255, 1])
def test_ignored_ids_carry_no_mass(ignore: int, backend: str) -> None:
    ids = np.array([ignore, 0, 2, ignore])
    mixed = host(mix(Form(backend).own(ids), backend, num_classes=3, ignore_index=ignore))
    rows = np.eye(3)[np.where(ids == ignore, 0, ids)] * (ids != ignore)[:, None]
    np.testing.assert_array_equal(mixed, TABLE @ rows)
    np.testing.assert_array_equal(mixed.sum(axis=1), [0.25, 1, 1, 0])


def test_an_ignored_id_of_an_unsigned_dtype() -> None:
    mixed = mix(np.array([255, 0, 2, 255], np.uint8), num_classes=3, ignore_index=255)
    np.testing.assert_array_equal(mixed.sum(axis=1), [0.25, 1, 1, 0])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("classes", [None, 3])
@pytest.mark.parametrize("dtype", INTEGERS)
def test_pairs(dtype: str, classes: int | None, backend: str) -> None:
    ids = Form(backend).own(IDS.astype(dtype))
    pair = mix(ids, backend, labels="pair", num_classes=classes)
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
    pair = mix(Form(backend).own(rows), backend, labels="pair")
    np.testing.assert_array_equal(host(pair.label), rows)
    np.testing.assert_array_equal(host(pair.partner), rows[[1, 2, 2, 0]])


def test_pairs_keep_ignored_ids() -> None:
    """The loss knows what to do with them."""
    pair = mix(np.array([-1, 0, 2, 1]), labels="pair", ignore_index=-1)
    np.testing.assert_array_equal(pair.label, [-1, 0, 2, 1])
    np.testing.assert_array_equal(pair.partner, [0, 2, 2, -1])


def test_pairs_are_the_loss_of_soft_labels() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    logits = torch.randn(4, 3, dtype=torch.float64)
    loss = torch.nn.functional.cross_entropy
    ids = Form("torch").own(IDS)
    label, partner, weight = mix(ids, "torch", labels="pair")
    weight = weight.double()
    pairs = weight * loss(logits, label, reduction="none") + (1 - weight) * loss(logits, partner, reduction="none")
    soft = loss(logits, mix(ids, "torch", num_classes=3).double(), reduction="none")
    np.testing.assert_allclose(pairs, soft, atol=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("make", [list, tuple])
@pytest.mark.parametrize("number", [int, np.int64])
def test_plain_numbers_become_the_images_backend(number: Callable[[int], Any], make: type, backend: str) -> None:
    mixed = mix(make(number(value) for value in IDS.tolist()), backend, num_classes=3)
    np.testing.assert_array_equal(host(mixed), TABLE @ np.eye(3)[IDS])
    assert type(mixed) is type(Form(backend).build(np.zeros((1, 1, 1, 1))))


@pytest.mark.parametrize("batch", [lambda x, y: (x, y), lambda x, y: {"image": x, "label": y}], ids=["tuple", "dict"])
def test_rows_as_nested_lists_are_never_passed_over(batch: Callable[[Any, Any], Any]) -> None:
    """Mixed images beside labels that were left as they came would be silently wrong."""
    rows = [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]
    try:
        mixed = MixUp().replay(PLAN, batch(np.zeros((4, 4, 4, 1)), rows))
    except InputError:
        return
    labels = mixed["label"] if isinstance(mixed, dict) else mixed[1]
    np.testing.assert_array_equal(labels, TABLE @ np.array(rows))


def test_an_empty_list_of_labels() -> None:
    empty = Plan(BatchSpec(0, (4, 4)))
    labels = MixUp(num_classes=3).replay(empty, np.zeros((0, 4, 4, 1)), [])[1]
    assert np.shape(labels) == (0, 3)


@pytest.mark.parametrize("form", ["soft", "pair"])
def test_labels_get_the_declared_share(form: str) -> None:
    """``correct_weight=False``: the weight that was drawn, not the area."""
    plan = methods.CutMix(correct_weight=False).draw(BatchSpec(6, (9, 9)), np.random.default_rng(0))
    labels = CutMix(labels=form, num_classes=6).replay(plan, np.zeros((6, 9, 9, 1)), np.arange(6))[1]
    seen = labels.weight if form == "pair" else labels[np.arange(6), np.arange(6)]
    np.testing.assert_allclose(seen, plan.label_share[:, 0], atol=1e-7)
    assert (np.abs(plan.label_share - plan.share) > 1e-3).any()


def test_several_sources() -> None:
    """Soft labels take any number of partners; pairs do not."""
    layers = tuple(Layer(np.array([0]), np.array([source]), np.array([0.5])) for source in (1, 2))
    plan, images = Plan(BatchSpec(3, (4, 4)), layers), np.zeros((3, 4, 4, 1))
    mixed = MixUp(num_classes=3).replay(plan, images, np.arange(3))[1]
    np.testing.assert_array_equal(mixed, [[0.25, 0.25, 0.5], [0, 1, 0], [0, 0, 1]])
    with pytest.raises(
        ValueError, match=r"No single partner \(Plan\): got 2 partners for some samples; wanted at most one"
    ):
        MixUp(labels="pair").replay(plan, images, np.arange(3))


def test_several_labels() -> None:
    batch = {"image": np.zeros((4, 4, 4, 1)), "label": IDS, "target": np.eye(3)[IDS]}
    mixed = MixUp(num_classes=3).replay(PLAN, batch)
    np.testing.assert_array_equal(mixed["label"], mixed["target"])


@pytest.mark.parametrize("backend", BACKENDS)
def test_originals_are_kept_with_their_labels(backend: str) -> None:
    form = Form(backend)
    images = form.build(np.zeros((4, 4, 4, 1)))
    rows = MixUp(num_classes=3, keep_originals=True).replay(PLAN, images, form.own(IDS))[1]
    np.testing.assert_array_equal(host(rows), np.concatenate([np.eye(3)[IDS], TABLE @ np.eye(3)[IDS]]))
    pair = MixUp(labels="pair", keep_originals=True).replay(PLAN, images, form.own(IDS))[1]
    np.testing.assert_array_equal(host(pair.label), [*IDS, *IDS])
    np.testing.assert_array_equal(host(pair.partner), [*IDS, *IDS[[1, 2, 2, 0]]])
    np.testing.assert_array_equal(host(pair.weight), [1, 1, 1, 1, 0.75, 0.5, 1, 0])
