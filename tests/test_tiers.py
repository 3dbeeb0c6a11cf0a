"""The first tier covers what the second runs: every pair of values, and nothing that starts compilers or many processes."""

import itertools
from pathlib import Path

import pytest
import tiers
from hypothesis import given
from hypothesis import strategies as st
from once import once
from tiers import cover, each, product, some


def pairs(rows):
    return {pair for row in rows for pair in itertools.combinations(enumerate(row), 2)}


tables = st.integers(2, 5).flatmap(lambda width: st.lists(st.tuples(*[st.integers(0, 4)] * width), max_size=60))


@given(tables)
def test_a_cover_has_every_pair_that_occurs(rows):
    chosen = cover(rows)
    assert pairs(chosen) == pairs(rows)
    assert chosen == [row for row in rows if row in chosen][: len(chosen)] or len(set(rows)) < len(rows)
    rest = iter(rows)
    assert all(row in rest for row in chosen), "in their order"


@pytest.mark.parametrize("lengths", [(3, 4), (4, 4, 4), (11, 5, 3, 2), (2,) * 12])
def test_a_cover_is_small(lengths):
    """No cover is smaller than the product of the two longest axes; a greedy one is not much larger."""
    rows = list(itertools.product(*map(range, lengths)))
    first, second = sorted(lengths)[-2:]
    assert pairs(cover(rows)) == pairs(rows)
    assert first * second <= len(cover(rows)) <= 2 * first * second + 4


def test_what_must_occur_by_itself_does():
    rows = list(itertools.product(range(3), range(3), range(3)))
    chosen = cover(rows, lambda row: row[:2], lambda row: (row[2], row))
    assert chosen == rows
    assert {row[2] for row in cover(rows, lambda row: row[:2], lambda row: row[2:])} == {0, 1, 2}


def test_rows_are_what_their_factors_say():
    rows = [{"a": a, "b": b, "c": c} for a, b, c in itertools.product(range(3), range(3), range(3))]
    chosen = cover(rows, lambda row: (row["a"], row["b"]))
    assert len(chosen) == 9
    assert pairs(tuple(row.values())[:2] for row in chosen) == pairs(itertools.product(range(3), range(3)))


@pytest.mark.parametrize("everything", [False, True])
def test_the_full_tier_has_every_row(everything, monkeypatch):
    monkeypatch.setattr(tiers, "everything", everything)
    rows = list(itertools.product(range(3), range(3), range(3)))
    assert (some(rows) == rows) == everything
    mark = product(a="abc", b=[{}, []], c=range(5)).mark  # of values that have no hash as well
    assert mark.args[0] == ("a", "b", "c")
    assert (len(mark.args[1]) == 30) == everything


@pytest.mark.parametrize("everything", [False, True])
def test_each_has_every_value(everything, monkeypatch):
    monkeypatch.setattr(tiers, "everything", everything)
    names, rows = each(a="abc", b=[{}, []], c=range(5)).mark.args
    assert names == ("a", "b", "c")
    assert len(rows) == (30 if everything else 5)
    assert {row[0] for row in rows} == set("abc")
    assert {row[2] for row in rows} == set(range(5))
    assert {} in [row[1] for row in rows]
    assert [] in [row[1] for row in rows]


def test_who_finds_it_out_first_finds_it_out_for_all(tmp_path_factory):
    asked = []

    def find(folder: Path):
        asked.append(folder)
        if len(asked) == 1:
            raise RuntimeError("not yet")
        (folder / "more").touch()
        return [1, "two", None]

    with pytest.raises(RuntimeError, match="not yet"):
        once(tmp_path_factory, "of test_tiers", find)
    for _ in range(2):
        assert once(tmp_path_factory, "of test_tiers", find) == [1, "two", None]
    assert len(asked) == 2
    assert (asked[0] / "more").exists()


def test_the_exhaustive_tier_runs_where_it_is_asked_for(request):
    assert tiers.everything == request.config.getoption("full")
