"""Generators that are lent have their state set; they draw what constructed ones draw, also where draws nest."""

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from mixtransforms import BatchSpec, Plan
from mixtransforms.methods import CutMix, MixUp, OneOf
from mixtransforms.methods.base import Method
from mixtransforms.methods.laws import beta_weights
from mixtransforms.rng.keys import Key, give_back, lend, philox

HIGHEST = 2**64 - 1
KEYS = [
    Key(0),
    Key(HIGHEST, 2**32 - 1, 2**32 - 1, HIGHEST, HIGHEST),
    Key(2**63, 1, 2, 2**63 + 1, 5),
    *(Key(7, step=step) for step in range(4)),
]
DRAWS = [
    lambda rng: rng.random(3),
    lambda rng: rng.integers(7, size=5, dtype=np.int32),  # leaves half a word behind
    lambda rng: rng.beta(0.2, 0.2, 3),
    lambda rng: rng.permutation(6),
    lambda rng: rng.standard_normal(2),
]


@contextmanager
def borrowed(rng: np.random.Generator) -> Iterator[np.random.Generator]:
    """A generator that is given back, whatever happens."""
    try:
        yield rng
    finally:
        give_back(rng)


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_a_lent_generator_draws_what_a_constructed_one_draws(key: Key) -> None:
    for before in DRAWS:  # whatever its last borrower left behind
        with borrowed(Key(1).lend()) as rng:
            before(rng)
        constructed = key.generator()
        with borrowed(key.lend()) as rng:
            for draw in DRAWS:
                np.testing.assert_array_equal(draw(rng), draw(constructed))


def test_generators_in_use_draw_in_turns() -> None:
    constructed = [key.generator() for key in KEYS]
    with ExitStack() as blocks:
        taken = [blocks.enter_context(borrowed(key.lend())) for key in KEYS]
        assert len(set(map(id, taken))) == len(KEYS)
        for _ in range(3):
            for draw in DRAWS:
                for mine, theirs in zip(taken, constructed, strict=True):
                    np.testing.assert_array_equal(draw(mine), draw(theirs))


def test_the_draws_of_beta_leave_their_surroundings_alone() -> None:
    rng, twin = Key(5).generator(), Key(5).generator()
    with borrowed(Key(5).lend()) as mine:
        for alpha in (0.2, 1.0, 0.0, 3.0):
            words = twin.bit_generator.random_raw(2)
            expected = philox(words).beta(alpha, alpha, 4) if alpha else np.ones(4)
            np.testing.assert_array_equal(beta_weights(alpha, 4, rng), expected)
            np.testing.assert_array_equal(beta_weights(alpha, 4, mine), expected)
            assert rng.random() == mine.random() == twin.random()


CHOICE = OneOf([MixUp(0.3), OneOf([CutMix(), MixUp(2.0, per="pair")]), CutMix(0.1)])


def plans(method: Method) -> list[Plan]:
    return [method.redraw(key, BatchSpec(9, (6, 7))) for key in KEYS]


def test_draws_within_draws() -> None:
    assert plans(CHOICE) == [CHOICE.draw(BatchSpec(9, (6, 7)), key.generator()) for key in KEYS]


def test_a_generator_comes_back_after_an_error() -> None:
    def fails() -> None:
        with borrowed(Key(3).lend()) as rng:
            rng.random(3)
            raise KeyError("on purpose")

    for _ in range(3):
        with pytest.raises(KeyError, match="on purpose"):
            fails()
    with borrowed(Key(3).lend()) as rng, borrowed(Key(3).lend()) as other:
        assert rng.random() == other.random() == Key(3).generator().random()


def test_threads_have_generators_of_their_own() -> None:
    expected = plans(CHOICE)
    with ThreadPoolExecutor(4) as pool:
        assert all(found == expected for found in pool.map(lambda _: plans(CHOICE), range(24)))


def _in_a_child(queue: Any) -> None:
    queue.put([plan.to_dict() for plan in plans(CHOICE)])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_child_that_was_forked_in_the_middle_of_a_draw() -> None:
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    with borrowed(lend((1, 2))) as rng:
        rng.random(5)
        child = context.Process(target=_in_a_child, args=(queue,))
        child.start()
        found = queue.get(timeout=60)
        child.join()
        twin = philox(np.array([1, 2], np.uint64))
        twin.random(5)
        assert rng.random() == twin.random()
    assert found == [plan.to_dict() for plan in plans(CHOICE)]


@dataclass(frozen=True, repr=False)
class Looking(MixUp):
    """Looks at its generator."""

    def draw(self, spec: BatchSpec, rng: np.random.Generator, *hints: Any) -> Plan:
        vars(self)["seen"] = rng
        return super().draw(spec, rng, *hints)


@pytest.mark.parametrize("inside", [False, True])
def test_methods_of_the_users_own_get_a_generator_that_nobody_else_sets(inside: bool) -> None:
    method = Looking()
    (OneOf([MixUp(), method]) if inside else method).redraw(Key(3), BatchSpec(4, (2, 2)))
    kept = vars(method)["seen"]
    stands = kept.bit_generator.state["state"]["key"].tolist()
    plans(CHOICE)
    assert kept.bit_generator.state["state"]["key"].tolist() == stands == [3, 0]
