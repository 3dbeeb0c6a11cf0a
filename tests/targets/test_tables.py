"""Tables of features: numeric columns are mixed, categorical ones chosen."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from forms import bits, host
from oracles import shares
from plans import BACKENDS, BLEND, INTEGERS, PLANS, SCENE, given, mixed

from mixtransforms.core.errors import InputError, ParameterError
from mixtransforms.plan import BatchSpec, Layer, Plan
from mixtransforms.targets.table import Table


def table(size: int) -> Any:
    return np.random.default_rng(0).normal(size=(size, 5))


def expected(plan: Plan, rows: Any, categorical: tuple[int, ...] = ()) -> Any:
    """Entry by entry, by what is painted, whatever labels follow."""
    share = shares(plan) if plan.size else np.zeros((0, 0))
    result = share @ rows
    for row, column in product(range(plan.size), categorical):
        largest = row
        for source in range(plan.size):
            if share[row, source] > share[row, largest]:
                largest = source
        result[row, column] = rows[largest, column]
    return result


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("categorical", [(), (1,), (0, 4), (0, 1, 2, 3, 4)])
@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_columns(plan: Plan, categorical: tuple[int, ...], backend: str) -> None:
    rows = table(plan.size)
    value = given(rows, "float64", backend)
    result, beside, _ = mixed(Table(categorical), plan, value)
    np.testing.assert_allclose(host(result), expected(plan, rows, categorical), rtol=0, atol=1e-14)
    chosen = list(categorical)
    np.testing.assert_array_equal(host(result)[:, chosen], expected(plan, rows, categorical)[:, chosen])
    assert type(result) is type(value)
    assert not beside


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_each_source_gets_the_share_that_is_painted(plan: Plan, backend: str) -> None:
    result = mixed(Table(), plan, given(np.eye(plan.size), "float64", backend)).value
    np.testing.assert_allclose(host(result), shares(plan) if plan.size else np.zeros((0, 0)), atol=1e-14)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("dtype", "step"), [("float16", 2**-11), ("float32", 2**-23), ("float64", 2**-52)])
def test_the_dtype_is_kept(dtype: str, step: float, backend: str) -> None:
    """Halves are computed in float32, so that the one rounding at the end is all that is lost."""
    plan = PLANS["coats"]
    value = given(table(4), dtype, backend)
    result = mixed(Table((2,)), plan, value).value
    assert result.dtype == value.dtype
    exact = expected(plan, host(value).astype(np.float64), (2,))
    np.testing.assert_allclose(host(result), exact, rtol=step, atol=step)


def test_halves_are_rounded_once() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    value = given(table(4), "bfloat16")
    result = mixed(Table(), PLANS["coats"], value).value
    assert result.dtype == torch.bfloat16
    exact = torch.from_numpy(expected(PLANS["coats"], value.double().numpy())).to(torch.bfloat16)
    assert bits(result) == bits(exact)


def test_the_other_byte_order_is_kept() -> None:
    value = table(4).astype(">f4")
    result = mixed(Table((1,)), BLEND, value).value
    assert result.dtype == value.dtype
    np.testing.assert_allclose(result, expected(BLEND, value.astype(float), (1,)), atol=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", ["bool", *INTEGERS])
def test_integers_are_categories(dtype: str, backend: str) -> None:
    value = given([[1, 0], [0, 1], [1, 1], [0, 0]], dtype, backend)
    result = mixed(Table(range(2)), BLEND, value).value
    assert result.dtype == value.dtype
    np.testing.assert_array_equal(host(result), host(value)[[0, 1, 2, 0]])


def test_large_codes_are_exact() -> None:
    codes = np.array([[2**53 + 1], [2**53 + 3], [5], [7]])
    np.testing.assert_array_equal(mixed(Table((0,)), BLEND, codes).value, codes[[0, 1, 2, 0]])


def test_equal_shares_are_the_sample_s_own() -> None:
    """And of the others, those that were painted first."""
    half = Plan(BatchSpec(2), (Layer([0, 1], [1, 0], [0.5, 0.5]),))
    np.testing.assert_array_equal(mixed(Table((0,)), half, np.array([[3.0], [4.0]])).value, [[3], [4]])
    thirds = Plan(BatchSpec(3), (Layer([0], [2], [0.75]), Layer([0], [1], [0.5])))
    np.testing.assert_array_equal(thirds.share[0], [0.125, 0.375, 0.5])
    np.testing.assert_array_equal(mixed(Table((0,)), thirds, np.array([[3], [4], [5]])).value, [[4], [4], [5]])
    level = Plan(BatchSpec(3), (Layer([0], [2], [1.0]), Layer([0], [1], [0.5])))
    np.testing.assert_array_equal(mixed(Table((0,)), level, np.array([[3], [4], [5]])).value, [[5], [4], [5]])


def test_shares_of_one_source_add_up() -> None:
    """Sample 1 is painted twice, and neither coat alone is the largest."""
    coats = tuple(Layer([0], [source], [opacity]) for source, opacity in ((1, 0.5), (2, 0.4), (1, 0.375)))
    plan = Plan(BatchSpec(3), coats)
    assert plan.share[0].argmax() == 3
    largest = Plan(BatchSpec(3), (Layer([0], [1], [0.375]), Layer([0], [1], [0.375])))
    assert largest.share[0].argmax() == 0
    for either in (plan, largest):
        np.testing.assert_array_equal(mixed(Table((0,)), either, np.array([[3], [4], [5]])).value[0], [4])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("hole", [np.nan, np.inf])
def test_holes_spread_with_their_share_alone(hole: float, dtype: str, backend: str) -> None:
    rows = np.array([[1.0, 2.0], [hole, 4.0], [8.0, 16.0], [hole, hole]])
    result = mixed(Table(), BLEND, given(rows, dtype, backend)).value
    np.testing.assert_array_equal(host(result), [[hole, 2.5], [hole, 10], [8, 16], [1, 2]])
    chosen = mixed(Table((0, 1)), BLEND, given(rows, dtype, backend)).value
    np.testing.assert_array_equal(host(chosen), rows[[0, 1, 2, 0]])


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_backends_agree_bit_for_bit(dtype: str, plan: Plan) -> None:
    first, second = (
        mixed(Table((1,)), plan, given(table(plan.size) * 100, dtype, backend)).value for backend in BACKENDS
    )
    assert bits(first) == bits(second)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_what_comes_in_is_left_alone(plan: Plan, backend: str) -> None:
    value = given(table(plan.size), "float64", backend)
    before = bits(value)
    mixed(Table((1,)), plan, value).value[...] = 7
    assert bits(value) == before


def test_gradients_reach_the_table() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    value = torch.rand(4, 2, dtype=torch.float64, requires_grad=True)
    mixed(Table((1,)), BLEND, value).value.sum().backward()
    np.testing.assert_allclose(value.grad, np.stack([shares(BLEND).sum(axis=0), [2, 1, 1, 0]], axis=1))


def test_fields() -> None:
    assert Table(np.array([3, 1, 3])) == Table((1, 3))
    assert repr(Table([2])) == "Table(categorical=(2,))"
    assert Table.name == "table"
    assert Table((1,)).within(None) == Table((1,))


@pytest.mark.parametrize("columns", [(-1,), (0.5,), "age", ("age",), (True,), 3, None])
def test_columns_that_are_refused(columns: Any) -> None:
    with pytest.raises(
        ParameterError, match=r"Bad value for 'categorical' \(Table\): got .*; wanted positions of columns"
    ):
        Table(columns)


REFUSED = [
    ((), (4,), "float32", r"Not a table \(batch\['y'\]\): got shape \(4,\) .*float32; wanted \(B, F\), floats, or int"),
    ((), (4, 2, 2), "float32", r"Not a table .*: got shape \(4, 2, 2\) "),
    ((), (4, 2), "complex64", r"Not a table .*: got shape \(4, 2\) .*complex64"),
    (
        (0, 2, 9),
        (4, 2),
        "float32",
        r"Categorical columns that are not there .*: got categorical columns \[2, 9\], shape \(4",
    ),
    (
        (1,),
        (4, 3),
        "int64",
        r"Columns without means .*: got .*int64 in columns \[0, 2\]; wanted floats, or columns that",
    ),
    (
        (1,),
        (4, 9),
        "uint8",
        r"Columns without .*: got .*uint8 in columns \[0, 2, 3, 4, 5\] \.\.\.; .*categorical=range\(9\)\)",
    ),
    ((), (4, 2), "bool", r"Columns without means .*: got .*bool in columns \[0, 1\]; "),
]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("blends", [False, True])
@pytest.mark.parametrize(("categorical", "shape", "dtype", "text"), REFUSED)
def test_tables_that_are_refused(
    categorical: Any, shape: Any, dtype: str, text: str, blends: bool, backend: str
) -> None:
    """Under methods that only paste too: numbers are mixed by the area there."""
    with pytest.raises(InputError, match=text):
        Table(categorical).check(given(np.zeros(shape), dtype, backend), "batch['y']", SCENE._replace(blends=blends))
