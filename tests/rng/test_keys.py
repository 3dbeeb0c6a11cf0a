"""Keys: the same key gives the same draws, another key others, and what was drawn once is drawn for ever."""

import hashlib
import json
import pickle
import threading

import numpy as np
import pytest

from mixtransforms import BatchSpec, methods
from mixtransforms.methods.base import Method
from mixtransforms.rng.keys import Key, content_hash
from mixtransforms.rng.processes import current_rank
from mixtransforms.rng.streams import Stream

MIXUP, CUTMIX = methods.MixUp(), methods.CutMix()
GOLDEN: tuple[tuple[Method, str], ...] = (
    (MIXUP, "5777ce17fe02d9ea"),
    (methods.MixUp(alpha=1.0, fold=True, per="pair"), "77e4214d93626309"),
    (methods.MixUp(alpha=0.4, p=0.5, per="batch", pairing="permutation"), "59b222da047e4768"),
    (CUTMIX, "8ee4f56400b857a5"),
    (methods.CutMix(placement="inside", pairing="roll"), "5fac215b9fe4b452"),
    (methods.CutMix(placement="uniform", correct_weight=False), "0c276728ac51dd5e"),
    (methods.CutMix(placement="minmax", minmax=(0.2, 0.9), per="pair", pairing="flip"), "ea19d2d35b157e9d"),
    (methods.OneOf([MIXUP, CUTMIX]), "fb2c956c753b41da"),
    (methods.OneOf([MIXUP, CUTMIX], weights=(0.5, 0.25), per="batch"), "7a0541bc32f191cf"),
)
"""Digests of plans for ``Key(137, epoch=2, rank=1, stream=3, step=4)``; a change breaks everybody's seeds."""


def digest(method: Method) -> str:
    """A short digest of a plan; floats to ten digits, since the last ones depend on the machine's mathematics."""
    plan = method.draw(BatchSpec(7, (13, 18)), Key(137, 2, 1, 3, 4).generator())
    rounded = json.loads(json.dumps(plan.to_dict()), parse_float=lambda text: f"{float(text):.10g}")
    return hashlib.sha256(json.dumps(rounded, sort_keys=True).encode()).hexdigest()[:16]


MOVED = (
    f"NumPy {np.__version__} draws {{}} otherwise than before, so seeds give other plans. Say so in the changelog; plans "
    "that were saved with an experiment, plan.to_dict(), are replayed as they were."
)


def test_numpy_draws_as_it_did() -> None:
    """NumPy promises no stream across its releases; where one moves, this names it, and what follows fails as well."""
    rng = np.random.Generator(np.random.Philox(key=[137, 2]))
    drawn = {
        "beta": [*rng.beta(0.2, 0.2, 2), *rng.beta(1.5, 1.5, 2)],
        "random": [*rng.random(2)],
        "integers": [*rng.integers(1000, size=3)],
        "permutation": [*rng.permutation(6)],
    }
    expected = {
        "beta": [0.0003461069681979997, 0.0027050845254523235, 0.11714212159324536, 0.21790808343847423],
        "random": [0.5145698212559847, 0.3661259681523992],
        "integers": [875, 756, 261],
        "permutation": [3, 4, 1, 0, 2, 5],
    }
    for name, values in drawn.items():
        assert values == pytest.approx(expected[name], rel=1e-12), MOVED.format(f"Generator.{name}")


@pytest.mark.parametrize(("method", "expected"), GOLDEN, ids=repr)
def test_plans_of_a_key_never_change(method: Method, expected: str) -> None:
    assert digest(method) == expected, MOVED.format(repr(method))


def test_values_of_a_key_never_change() -> None:
    plan = methods.MixUp(alpha=1.0).draw(BatchSpec(4, (8, 8)), Key(137).generator())
    np.testing.assert_array_equal(plan.partner, [2, 3, 1, 0])
    expected = [0.45002358504750406, 0.9808914107935784, 0.43311651384385796, 0.8631651929482463]
    np.testing.assert_allclose(plan.weight, expected, rtol=1e-12)
    plan = methods.CutMix().draw(BatchSpec(2, (32, 24)), Key(137, step=1).generator())
    np.testing.assert_array_equal(plan.layers[0].region.start, [[10, 7], [0, 0]])
    np.testing.assert_array_equal(plan.layers[0].region.stop, [[32, 24], [19, 13]])


def test_a_key_starts_over() -> None:
    key = Key(5, epoch=1, rank=2, stream=3, step=2**64 - 1)
    assert key.generator().random() == key.generator().random()


@pytest.mark.parametrize("other", [Key(6), Key(5, epoch=1), Key(5, rank=1), Key(5, stream=1), Key(5, step=1)], ids=repr)
def test_every_part_of_a_key_counts(other: Key) -> None:
    first, second = Key(5).generator().random(1000), other.generator().random(1000)
    assert not np.intersect1d(first, second).size


def test_epoch_and_rank_do_not_meet() -> None:
    assert Key(5, epoch=1, rank=0).generator().random() != Key(5, epoch=0, rank=1).generator().random()
    assert Key(2**64 - 1, epoch=2**32 - 1, rank=2**32 - 1).generator().random() < 1


def test_neighbouring_keys_are_independent() -> None:
    steps = np.array([Key(0, step=step).generator().random(2) for step in range(4000)])
    assert abs(np.corrcoef(steps[:-1, 0], steps[1:, 0])[0, 1]) < 4 / np.sqrt(4000)
    assert abs(steps.mean() - 0.5) < 4 * np.sqrt(1 / 12 / 8000)


def test_calls_are_counted_across_threads_and_copies() -> None:
    stream, seen = Stream(), []
    threads = [threading.Thread(target=lambda: seen.extend(stream.key(5).step for _ in range(200))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == list(range(800))
    assert pickle.loads(pickle.dumps(stream)).key(5).step == 800


def test_content() -> None:
    image = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    first = content_hash([("image", image), ("label", 3)])
    assert first == content_hash([("image", image.copy()), ("label", 3)])
    assert first == content_hash([("image", np.repeat(image, 2, axis=2)[:, :, ::2]), ("label", 3)]), (
        "strides do not count"
    )
    for other in (
        [("img", image), ("label", 3)],
        [("image", image.reshape(3, 2, 4)), ("label", 3)],
        [("image", image.view(np.int8)), ("label", 3)],
        [("image", image + 1), ("label", 3)],
        [("image", image), ("label", 4)],
        [("image", image), ("label", "3")],
        [("label", 3), ("image", image)],
    ):
        assert content_hash(other) != first
    assert content_hash([("empty", np.zeros((0, 3)))]) != content_hash([("empty", np.zeros((3, 0)))])


def test_rank_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RANK", raising=False)
    assert current_rank() == 0
    monkeypatch.setenv("RANK", "3")
    assert current_rank() == 3
