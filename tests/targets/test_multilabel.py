"""Several labels at once: by shares or united, with entries that nobody knows, as pairs."""

from itertools import product
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from forms import bits, host
from plans import BACKENDS, BLEND, COATS, INTEGERS, PLANS, SCENE, follow, given, mixed

from mixtransforms.core.errors import InputError, ParameterError
from mixtransforms.targets.label import LabelPair
from mixtransforms.targets.multilabel import KnownLabels, MultiLabel

BITS = np.array([[1, 0, 0, 1], [0, 0, 1, 1], [0, 1, 0, 1], [1, 1, 0, 0]])
MARKED = np.array([[1, 0, -1, -1, 1], [-1, 0, 1, -1, -1], [0, -1, -1, -1, 0], [1, 1, 0, -1, -1]])
"""-1 is unknown; nobody knows column 3."""


def rows_of(plan: Any, rows: Any) -> Any:
    return rows[: plan.size]


def united(plan: Any, rows: Any) -> Any:
    """The largest entry of every source with a share, one entry after the other; 0 where there is none."""
    share, result = follow(plan), np.zeros((plan.size, rows.shape[1]))
    for row, source, column in product(range(plan.size), range(plan.size), range(rows.shape[1])):
        if share[row, source] > 0:
            result[row, column] = max(result[row, column], rows[source, column])
    return result


def weighed(plan: Any, rows: Any, union: bool) -> tuple[Any, Any]:
    """Labels and weights of marked rows, one entry after the other."""
    share = follow(plan)
    labels, weights = np.zeros((2, plan.size, rows.shape[1]))
    for row, column in product(range(plan.size), range(rows.shape[1])):
        known = [source for source in range(plan.size) if share[row, source] > 0 and rows[source, column] != -1]
        weight = sum(share[row, source] for source in known)
        if union and any(rows[source, column] == 1 for source in known):
            labels[row, column], weights[row, column] = 1, share[row].sum()
        elif weight > 0:
            mean = sum(share[row, source] * rows[source, column] for source in known) / weight
            labels[row, column] = max(rows[source, column] for source in known) if union else mean
            weights[row, column] = weight
    return labels, weights


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", ["bool", "float16", "float32", "float64", *INTEGERS])
@pytest.mark.parametrize("union", [False, True])
def test_rows_of_any_dtype(union: bool, dtype: str, backend: str) -> None:
    value = given(BITS, dtype, backend)
    rows, beside, together = mixed(MultiLabel(union), BLEND, value)
    np.testing.assert_array_equal(host(rows), united(BLEND, BITS) if union else follow(BLEND) @ BITS)
    assert host(rows).dtype == np.float32
    assert type(rows) is type(value)
    assert not beside
    assert together is None


@pytest.mark.parametrize("union", [False, True])
def test_bfloat16_rows(union: bool) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    rows = mixed(MultiLabel(union, -1), BLEND, given(MARKED, "bfloat16")).value
    np.testing.assert_array_equal(host(rows), weighed(BLEND, MARKED, union)[0])
    assert rows.dtype == torch.float32


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_each_source_gets_its_share(plan: Any, backend: str) -> None:
    own = given(np.eye(plan.size), "float32", backend)
    np.testing.assert_allclose(host(mixed(MultiLabel(), plan, own).value), follow(plan), atol=1e-7)
    np.testing.assert_array_equal(host(mixed(MultiLabel(union=True), plan, own).value), follow(plan) > 0)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_shares_within_0_and_1(plan: Any, backend: str) -> None:
    rows = np.random.default_rng(0).random((plan.size, 6))
    value = given(rows, "float64", backend)
    np.testing.assert_allclose(host(mixed(MultiLabel(), plan, value).value), follow(plan) @ rows, atol=1e-6)
    seen = host(mixed(MultiLabel(union=True), plan, value).value)
    np.testing.assert_array_equal(seen, united(plan, rows.astype(np.float32)))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", ["int8", "int64", "float16", "float32", "float64"])
@pytest.mark.parametrize("union", [False, True])
@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_unknown_entries_have_no_part(plan: Any, union: bool, dtype: str, backend: str) -> None:
    value = given(rows_of(plan, MARKED), dtype, backend)
    rows, beside, together = mixed(MultiLabel(union, unknown=-1), plan, value)
    labels, weights = weighed(plan, rows_of(plan, MARKED), union)
    np.testing.assert_allclose(host(rows), labels, atol=1e-6)
    np.testing.assert_allclose(host(beside["_weight"]), weights, atol=1e-6)
    assert list(beside) == ["_weight"]
    assert host(rows).dtype == host(beside["_weight"]).dtype == np.float32
    known = together(rows, *beside.values())
    assert type(known) is KnownLabels
    assert known.labels is rows
    assert known.weight is beside["_weight"]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("mark", [255, 9])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float16"])
def test_marks_of_unsigned_dtypes(dtype: str, mark: int, backend: str) -> None:
    value = given(np.where(MARKED == -1, mark, MARKED), dtype, backend)
    rows, beside, _ = mixed(MultiLabel(unknown=mark), BLEND, value)
    labels, weights = weighed(BLEND, MARKED, False)
    np.testing.assert_array_equal(host(rows), labels)
    np.testing.assert_array_equal(host(beside["_weight"]), weights)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("union", [False, True])
def test_soft_rows_with_unknown_entries(union: bool, backend: str) -> None:
    rows = np.where(MARKED == 1, 0.75, MARKED)
    seen, beside, _ = mixed(MultiLabel(union, unknown=-1), BLEND, given(rows, "float32", backend))
    labels, weights = weighed(BLEND, rows, union)
    np.testing.assert_allclose(host(seen), labels, atol=1e-7)
    np.testing.assert_array_equal(host(beside["_weight"]), weights)


def test_what_is_positive_for_certain_counts_in_full() -> None:
    """Positive or unknown is positive; negative or unknown is not known."""
    rows, beside, _ = mixed(MultiLabel(union=True, unknown=-1), BLEND, np.array([[1, 0], [-1, -1], [0, 0], [0, 0]]))
    np.testing.assert_array_equal(rows[0], [1, 0])
    np.testing.assert_array_equal(beside["_weight"][0], [1, 0.75])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("union", [False, True])
def test_weights_of_what_is_all_known(union: bool, backend: str) -> None:
    """Whatever is drawn and whatever is known, the weight is there."""
    rows, beside, _ = mixed(MultiLabel(union, unknown=-1), COATS, given(BITS, "bool", backend))
    np.testing.assert_allclose(host(rows), united(COATS, BITS) if union else follow(COATS) @ BITS, atol=1e-6)
    np.testing.assert_allclose(host(beside["_weight"]), 1, atol=1e-6)


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
@pytest.mark.parametrize("unknown", [None, -1])
@pytest.mark.parametrize("union", [False, True])
def test_backends_agree_bit_for_bit(union: bool, unknown: float | None, plan: Any) -> None:
    rows = np.random.default_rng(1).random((plan.size, 5))
    rows = np.where(rows < 0.3, 0.1 if unknown is None else -1, rows)
    first, second = (mixed(MultiLabel(union, unknown), plan, given(rows, "float32", backend)) for backend in BACKENDS)
    assert bits(first.value) == bits(second.value)
    for name, weight in first.beside.items():
        assert bits(weight) == bits(second.beside[name])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("fields", [{}, {"union": True}, {"unknown": -1}, {"unknown": -1, "union": True}])
def test_what_comes_in_is_left_alone(fields: dict[str, Any], backend: str) -> None:
    value = given(BITS, "float32", backend)
    before = bits(value)
    mixed(MultiLabel(**fields), BLEND, value).value[...] = 7
    assert bits(value) == before


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("union", [False, True])
def test_pairs_are_the_rows_as_they_came(union: bool, backend: str) -> None:
    value = given(MARKED, "int8", backend)
    pair, beside, _ = mixed(MultiLabel(union, -1, form="pair"), BLEND, value)
    assert type(pair) is LabelPair
    assert pair.label.dtype == pair.partner.dtype == value.dtype
    np.testing.assert_array_equal(host(pair.label), MARKED)
    np.testing.assert_array_equal(host(pair.partner), MARKED[[1, 2, 2, 0]])
    np.testing.assert_array_equal(host(pair.weight), np.array([0.75, 0.5, 1, 0], np.float32))
    assert not beside


def test_the_rounding_of_an_earlier_mix_is_no_error() -> None:
    MultiLabel().check(np.array([[np.nextafter(np.float32(1), np.float32(2)), 0]]), "y", SCENE)
    with pytest.raises(InputError, match=r"got \[1\.01\] in rows \[0\]"):
        MultiLabel().check(np.array([[1.01, 0]]), "y", SCENE)


def test_what_is_not_said_is_the_transform_s() -> None:
    assert MultiLabel(True).within(SimpleNamespace(labels="pair")) == MultiLabel(True, form="pair")
    assert repr(MultiLabel(True, unknown=-1)) == "MultiLabel(union=True, unknown=-1.0)"
    assert MultiLabel.name == "multilabel"


REFUSED = [
    (
        {},
        [1, 0, 1, 0],
        "int64",
        r"Not rows of several labels \(batch\['y'\]\): got shape \(4,\) .*int64; wanted \(B, K\), ",
    ),
    ({}, [[[1]]], "bool", r"Not rows of several labels .*: got shape \(1, 1, 1\) .*bool"),
    ({}, [[1]], "complex64", r"Not rows of several labels .*: got shape \(1, 1\) .*complex64"),
    (
        {},
        MARKED,
        "int64",
        r"Entries that are no labels .*: got \[-1\] in rows \[0, 1, 2, 3\]; wanted zeros and ones\. Name",
    ),
    ({}, [[0, 1], [2, 0]], "uint8", r"got \[2\] in rows \[1\]; wanted zeros and ones\. "),
    ({}, [[0, 1], [1.5, -0.5]], "float32", r"got \[-0\.5, 1\.5\] in rows \[1\]; wanted numbers within \[0, 1\]\. "),
    (
        {"unknown": -1},
        [[0, 1], [-2, 3]],
        "int64",
        r"got \[-2, 3\] in rows \[1\]; wanted zeros and ones, or unknown=-1\. ",
    ),
    (
        {"unknown": -1},
        [[np.nan, 1]],
        "float64",
        r"got \[nan\] in rows \[0\]; wanted numbers .*, or unknown=-1\. Name the",
    ),
    ({}, [[0, np.inf]], "float64", r"got \[inf\] in rows \[0\]"),
]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("fields", "values", "dtype", "text"), REFUSED)
def test_rows_that_are_refused(fields: dict[str, Any], values: Any, dtype: str, text: str, backend: str) -> None:
    with pytest.raises(InputError, match=text):
        MultiLabel(**fields).check(given(values, dtype, backend), "batch['y']", SCENE)


@pytest.mark.parametrize("unknown", [np.nan, np.inf, "x", True])
def test_marks_that_are_refused(unknown: Any) -> None:
    with pytest.raises(
        ParameterError, match=r"Bad value for 'unknown' \(MultiLabel\): got .*; wanted None or a finite num"
    ):
        MultiLabel(unknown=unknown)
