"""Class labels as they stand in batches: plain numbers, nested lists, several of them, originals kept."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from forms import Form, host
from plans import BACKENDS, BLEND

from mixtransforms import BatchSpec, CutMix, InputError, MixUp, Plan, methods

TABLE = np.array([[0.75, 0.25, 0, 0], [0, 0.5, 0.5, 0], [0, 0, 1, 0], [1, 0, 0, 0]])
IDS = np.array([2, 0, 2, 1])


def mix(given: Any, backend: str = "numpy", **options: Any) -> Any:
    """The labels, mixed by the plan beside images of a backend."""
    form = Form(backend)
    return MixUp(**options).replay(BLEND, form.build(np.zeros((4, 4, 4, 1))), given)[1]


def test_ids_above_what_bfloat16_can_count() -> None:
    """Labels never take the dtype of the images."""
    images = Form("torch", "bfloat16").build(np.zeros((4, 4, 4, 1)))
    mixed = MixUp(num_classes=300).replay(BLEND, images, Form("torch").own(np.array([257, 256, 2, 1])))[1]
    np.testing.assert_array_equal(host(mixed)[0, [256, 257]], [0.25, 0.75])


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
        mixed = MixUp().replay(BLEND, batch(np.zeros((4, 4, 4, 1)), rows))
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


def test_several_labels() -> None:
    batch = {"image": np.zeros((4, 4, 4, 1)), "label": IDS, "target": np.eye(3)[IDS]}
    mixed = MixUp(num_classes=3).replay(BLEND, batch)
    np.testing.assert_array_equal(mixed["label"], mixed["target"])


@pytest.mark.parametrize("backend", BACKENDS)
def test_originals_are_kept_with_their_labels(backend: str) -> None:
    form = Form(backend)
    images = form.build(np.zeros((4, 4, 4, 1)))
    rows = MixUp(num_classes=3, keep_originals=True).replay(BLEND, images, form.own(IDS))[1]
    np.testing.assert_array_equal(host(rows), np.concatenate([np.eye(3)[IDS], TABLE @ np.eye(3)[IDS]]))
    pair = MixUp(labels="pair", keep_originals=True).replay(BLEND, images, form.own(IDS))[1]
    np.testing.assert_array_equal(host(pair.label), [*IDS, *IDS])
    np.testing.assert_array_equal(host(pair.partner), [*IDS, *IDS[[1, 2, 2, 0]]])
    np.testing.assert_array_equal(host(pair.weight), [1, 1, 1, 1, 0.75, 0.5, 1, 0])
