"""ColumnSwap: every entry is its row's or its partner's, and labels follow how many are."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from mixtransforms import BatchSpec, ColumnSwap, CutMix, InputError, ParameterError, Plan, Ramp, Regression

TABLE = {"layout": "BF", "axes": "F"}


def draw(method: Any, shape: tuple[int, ...], size: int = 5, seed: int = 0) -> Plan:
    return method.method.draw(BatchSpec(size, shape), np.random.default_rng(seed))


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint8", "bool"])
@pytest.mark.parametrize("size", [0, 1, 2, 5, 40])
@pytest.mark.parametrize("columns", [1, 2, 7])
def test_entries_are_copied_and_labels_are_their_parts(columns: int, size: int, dtype: str, backend: str) -> None:
    """Entries are one number a row, as far as the dtype can tell rows apart."""
    table: Any = np.broadcast_to(np.arange(size)[:, None], (size, columns)).astype(dtype)
    values: Any = np.arange(size, dtype=np.float64) ** 2
    labels: Any = np.arange(size) % 3
    mix = ColumnSwap(0.4, num_classes=3, seed=1, kinds={"y": Regression()}, **TABLE)
    batch = {"image": table.copy(), "label": labels, "y": values}
    if backend == "torch":
        torch = pytest.importorskip("torch")
        batch = {name: torch.from_numpy(value) for name, value in batch.items()}
    plan = mix.plan(batch)
    out = {name: np.asarray(value) for name, value in mix.replay(plan, batch).items()}
    assert out["image"].dtype == table.dtype
    numbers = plan.apply(np.broadcast_to(np.arange(size)[:, None], (size, columns)).copy(), "BF")
    assert (out["image"] == (numbers != 0 if dtype == "bool" else numbers)).all()
    for row in range(size):
        assert set(numbers[row]) <= {row, int(plan.partner[row])}
        kept = np.mean(numbers[row] == row)
        soft = kept * np.eye(3)[labels[row]] + (1 - kept) * np.eye(3)[labels[plan.partner[row]]]
        np.testing.assert_allclose(out["label"][row], soft, atol=1e-6)
        np.testing.assert_allclose(out["y"][row], kept * values[row] + (1 - kept) * values[plan.partner[row]])


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.3, 0.5, 1.0])
def test_how_many_are_taken_is_binomial(rate: float) -> None:
    plan = draw(ColumnSwap(rate), (12,), 4000)
    taken = np.rint(12 * (1 - plan.weight)).astype(int)
    assert abs(taken.mean() - 12 * rate) <= 4 * np.sqrt(12 * rate * (1 - rate) / 4000)
    if 0 < rate < 1:
        found, wanted = np.bincount(taken, minlength=13), 4000 * stats.binom(12, rate).pmf(np.arange(13))
        often = wanted >= 5
        tails = [np.append(some[often], some[~often].sum()) for some in (found, wanted)]
        assert stats.chisquare(tails[0], tails[1] * tails[0].sum() / tails[1].sum()).pvalue > 1e-3


def test_columns_are_independent() -> None:
    region: Any = draw(ColumnSwap(0.5), (6,), 4000).layers[0].region
    correlation = np.corrcoef(region.values.T) - np.eye(6)
    assert np.abs(correlation).max() < 4 / np.sqrt(4000)


def test_one_draw_serves_whoever_shares_it() -> None:
    region: Any = draw(ColumnSwap(0.5, per="batch"), (16,), 6).layers[0].region
    assert (region.values == region.values[0]).all()
    plan = draw(ColumnSwap(0.5, per="pair"), (16,), 6)
    region = plan.layers[0].region
    assert (region.values == region.values[plan.partner]).all()


def test_partners_and_gates_are_those_of_other_methods() -> None:
    for per in ("sample", "pair", "batch"):
        swap, cut = (draw(cls(per=per, p=0.5), (9,), 7, 3) for cls in (ColumnSwap, CutMix))
        assert [layer.rows.tolist() for layer in swap.layers] == [layer.rows.tolist() for layer in cut.layers]


def test_cells_of_more_axes() -> None:
    plan = draw(ColumnSwap(0.5), (5, 7), 3)
    numbers = plan.apply(np.broadcast_to(np.arange(3)[:, None, None], (3, 5, 7)).copy(), "BHW")
    np.testing.assert_allclose((numbers == np.arange(3)[:, None, None]).mean(axis=(1, 2)), plan.weight)
    assert 0.2 < plan.weight.mean() < 0.8


@pytest.mark.parametrize("shape", [(0,), (0, 3)])
def test_nothing_to_take(shape: tuple[int, ...]) -> None:
    assert not draw(ColumnSwap(), shape).mixed.any()


def test_a_schedule_has_its_value_of_the_epoch() -> None:
    mix = ColumnSwap(Ramp(0.0, 1.0, 0, 2), **TABLE)
    assert [draw_at(mix, epoch) for epoch in (0, 2)] == [1.0, 0.0]


def draw_at(mix: Any, epoch: int) -> float:
    return float(mix.method.at(epoch).draw(BatchSpec(4, (8,)), np.random.default_rng(0)).weight.mean())


def test_what_is_refused_and_the_way_out() -> None:
    table = np.zeros((4, 5))
    with pytest.raises(InputError, match=r"ColumnSwap needs an axis of columns .*Say layout='BF' and axes='F'"):
        ColumnSwap(layout="BF")(table)
    ColumnSwap(layout="BF", axes="F")(table)
    with pytest.raises(ParameterError, match=r"Bad value for 'rate' .*within \[0, 1\]"):
        ColumnSwap(1.5)
