"""Keys: the same key gives the same draws, another key others, and what was drawn once is drawn for ever."""

import hashlib
import json
import pickle
import threading

import numpy as np
import pytest

from mixtransforms import BatchSpec, methods
from mixtransforms.core.keys import Key, Steps, content_hash, current_rank
from mixtransforms.core.method import Method

MIXUP, CUTMIX = methods.MixUp(), methods.CutMix()
GOLDEN: tuple[tuple[Method, str], ...] = (
    (MIXUP, "6acd38e61fbd94ab"),
    (methods.MixUp(alpha=1.0, fold=True, per="pair"), "a8f4f2d09f65a6d7"),
    (methods.MixUp(alpha=0.4, p=0.5, per="batch", pairing="permutation"), "0e25a17d74ff4a36"),
    (CUTMIX, "afc456d83894ebb8"),
    (methods.CutMix(placement="inside", pairing="roll"), "37e0ec608da52c66"),
    (methods.CutMix(placement="uniform", correct_weight=False), "37553b2d06a7ddec"),
    (methods.CutMix(placement="minmax", minmax=(0.2, 0.9), per="pair", pairing="flip"), "624c4b7ad074b19a"),
    (methods.OneOf([MIXUP, CUTMIX]), "a85c3893deb7854c"),
    (methods.OneOf([MIXUP, CUTMIX], weights=(0.5, 0.25), per="batch"), "243231dccc331880"),
)
"""Digests of plans for ``Key(137, epoch=2, rank=1, stream=3, step=4)``; a change breaks everybody's seeds."""


def digest(method: Method) -> str:
    """A short digest of a plan; floats to ten digits, since the last ones depend on the machine's mathematics."""
    plan = method.draw(BatchSpec(7, (13, 18)), Key(137, 2, 1, 3, 4).generator())
    rounded = json.loads(json.dumps(plan.to_dict()), parse_float=lambda text: f"{float(text):.10g}")
    return hashlib.sha256(json.dumps(rounded, sort_keys=True).encode()).hexdigest()[:16]


@pytest.mark.parametrize(("method", "expected"), GOLDEN, ids=repr)
def test_plans_of_a_key_never_change(method: Method, expected: str) -> None:
    assert digest(method) == expected


def test_values_of_a_key_never_change() -> None:
    plan = methods.MixUp(alpha=1.0).draw(BatchSpec(4, (8, 8)), Key(137).generator())
    np.testing.assert_array_equal(plan.partner, [2, 3, 1, 0])
    expected = [0.3140432747774481, 0.6613742798598221, 0.5515071013207578, 0.1770623873013949]
    np.testing.assert_allclose(plan.weight, expected, rtol=1e-12)
    plan = methods.CutMix().draw(BatchSpec(2, (32, 24)), Key(137, step=1).generator())
    np.testing.assert_array_equal(plan.layers[0].region.start, [[1, 0], [0, 0]])
    np.testing.assert_array_equal(plan.layers[0].region.stop, [[13, 9], [20, 18]])


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


def test_steps_count_across_threads_and_copies() -> None:
    steps, seen = Steps(), []
    threads = [threading.Thread(target=lambda: seen.extend(steps.next() for _ in range(200))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == list(range(800))
    assert pickle.loads(pickle.dumps(steps)).next() == 800


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
