"""Draws of different transforms, samples, epochs, ranks, steps and seeds have nothing to do with each other.

Seeds are fixed, so nothing here happens by chance; bounds are at five standard deviations, or one in a million.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations, pairwise, product
from typing import Any

import numpy as np
import pytest
from doors import EXAMPLES, reads_images_alone
from numpy.typing import NDArray
from oracles import expected_area
from scipy import stats

import mixtransforms
from mixtransforms import BatchSpec, Plan, methods
from mixtransforms.methods.base import Method
from mixtransforms.methods.registry import METHODS
from mixtransforms.rng.keys import Call, Key, _scattered, told_apart

pytestmark = pytest.mark.usefixtures("made_up_hints")

Words = NDArray[np.uint64]
COUNT = 4000
RARE = 1e-6


def unrelated(first: Any, second: Any) -> bool:
    """Whether the correlation is within five standard deviations of none."""
    return abs(np.corrcoef(np.ravel(first), np.ravel(second))[0, 1]) < 5 / np.sqrt(np.size(first))


def even(values: Any, kinds: int) -> bool:
    """Whether whole numbers below ``kinds`` are equally frequent, by chi-square."""
    return stats.chisquare(np.bincount(np.ravel(values), minlength=kinds)).pvalue > RARE


def apart(first: Any, second: Any) -> bool:
    """Whether bits say nothing of other bits: their four combinations are equally frequent."""
    return even(2 * np.asarray(first, int) + np.asarray(second, int), 4)


def fractions(words: Words) -> NDArray[np.float64]:
    return (words >> np.uint64(11)) / 2.0**53


def bits(words: Words) -> NDArray[np.uint8]:
    """``(..., 64)``"""
    return np.unpackbits(np.ascontiguousarray(words)[..., None].view(np.uint8), axis=-1)


def random_looking(words: Words) -> bool:
    """Every bit and every byte evenly, neighbours unrelated, nothing twice."""
    ones = bits(words).reshape(-1, 64).mean(axis=0)
    by_byte = words.reshape(-1)[:, None].view(np.uint8)
    values = fractions(words.reshape(-1))
    return (
        bool((np.abs(ones - 0.5) < 6 * 0.5 / np.sqrt(words.size)).all())
        and all(even(by_byte[:, index], 256) for index in range(8))
        and all(unrelated(values[:-lag], values[lag:]) for lag in (1, 2, 3))
        and len(np.unique(words)) == words.size
    )


# ---------------------------------------------------------------------------------------------------------- keys


RUNS = {
    "seed": range(COUNT),
    "high seed": range(2**64 - COUNT, 2**64),
    "epoch": range(COUNT),
    "rank": range(COUNT),
    "stream": range(COUNT),
    "stage": range(0, COUNT << 16, 1 << 16),
    "step": range(COUNT),
    "high step": range(2**64 - COUNT, 2**64),
}
PARTS = {"high seed": "seed", "stage": "stream", "high step": "step"}


@pytest.mark.parametrize("run", RUNS)
def test_neighbouring_keys_draw_unrelated_numbers(run: str) -> None:
    keys = [replace(Key(5), **{PARTS.get(run, run): value}) for value in RUNS[run]]
    words = np.array([key.generator().integers(2**64, size=4, dtype=np.uint64) for key in keys])
    assert random_looking(words[:, 0])
    assert len(np.unique(words)) == words.size
    for first, second in combinations(range(4), 2):
        assert unrelated(fractions(words[:, first]), fractions(words[:, second]))
        assert unrelated(fractions(words[:-1, first]), fractions(words[1:, second])), "shifted by one"


def test_no_two_keys_meet() -> None:
    """All combinations of small numbers, of which the parts could be mistaken for each other or cancel out."""
    numbers = (0, 1, 2, 1 << 16)
    seen = [Key(*parts).generator().integers(2**64, dtype=np.uint64) for parts in product(numbers, repeat=5)]
    assert len(set(seen)) == len(numbers) ** 5


def test_a_key_has_room_for_many_draws_before_the_next_one_begins() -> None:
    drawn = [replace(Key(5), **part).generator().random(100_000) for part in ({}, {"step": 1}, {"stream": 1})]
    assert len(np.unique(np.concatenate(drawn))) == 300_000


# ------------------------------------------------------------------------------------------------- seeds of samples

MILLION = 1_000_000
CONTENTS = {
    "consecutive": np.arange(MILLION, dtype=np.uint64),
    "high bits alone": np.arange(MILLION, dtype=np.uint64) << np.uint64(44),
    "hashes": np.random.default_rng(0).integers(2**64, size=MILLION, dtype=np.uint64),
}


def seeds(contents: Words, stream: int = 1, **key: int) -> Words:
    return Call(Key(**{"seed": 7, **key}), contents).seeds(stream, len(contents))


def test_words_are_scattered_as_published() -> None:
    """SplitMix64 from the state 1234567, as its published numbers are."""
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    states = np.uint64(1234567) + np.uint64(0x9E3779B97F4A7C15) * np.arange(1, 5, dtype=np.uint64)
    assert _scattered(states).tolist() == published


@pytest.mark.parametrize("contents", CONTENTS)
def test_seeds_of_a_million_samples(contents: str) -> None:
    assert random_looking(seeds(CONTENTS[contents]))


def flipped(contents: Words, bit: int) -> Words:
    return contents ^ (np.uint64(1) << np.uint64(bit))


def avalanche(first: Words, second: Words) -> NDArray[np.float64]:
    """How often every bit of two rows of seeds differs, in standard deviations from half."""
    return (bits(first ^ second).mean(axis=0) - 0.5) * 2 * np.sqrt(len(first))


@pytest.mark.parametrize("contents", ["hashes", "consecutive"])
def test_one_bit_of_the_content_changes_half_of_the_seed(contents: str) -> None:
    some = CONTENTS[contents][:COUNT]
    told = np.array([avalanche(seeds(some), seeds(flipped(some, bit))) for bit in range(64)])
    assert np.abs(told).max() < 6, "of 4096 numbers"


BITS = [*(("seed", bit) for bit in range(64)), *(("epoch", bit) for bit in range(32))]


@pytest.mark.parametrize(("part", "bit"), [*BITS[::7], ("seed", 63), ("epoch", 31)])
def test_one_bit_of_seed_or_epoch_changes_half_of_the_seeds(part: str, bit: int) -> None:
    """Over the keys: of one key, the same bits of the seeds of all samples might change."""
    some, base = CONTENTS["hashes"][:16], {"seed": 0, "epoch": 0}
    for start in range(64):
        numbers = base | {part: start}
        both = seeds(some, **numbers), seeds(some, **{part: start ^ 1 << bit})
        assert 0.35 < bits(both[0] ^ both[1]).mean() < 0.65
    assert np.abs(avalanche(seeds(CONTENTS["hashes"][:COUNT]), seeds(CONTENTS["hashes"][:COUNT], **{part: 1 << bit}))).max() < 6  # fmt: skip


def grid(run: str, count: int = 60) -> Words:
    """Seeds of 500 samples under neighbouring stages, epochs or seeds, ``(count, 500)``."""
    some = CONTENTS["hashes"][:500]
    keyed: dict[str, Callable[[int], Words]] = {
        "stage": lambda index: seeds(some, stream=index),
        "epoch": lambda index: seeds(some, epoch=index),
        "seed": lambda index: seeds(some, seed=index),
    }
    return np.array([keyed[run](index) for index in range(count)])


@pytest.mark.parametrize("run", ["stage", "epoch", "seed"])
def test_one_sample_under_neighbouring_keys(run: str) -> None:
    words = grid(run)
    assert random_looking(words)
    assert random_looking(words.T), "one sample after the other"
    for first, second in pairwise(words):
        assert np.abs(avalanche(first, second)).max() < 6
        assert unrelated(fractions(first), fractions(second))
        assert unrelated(np.argsort(first), np.argsort(second)), "in another order"


@pytest.mark.parametrize("run", ["stage", "epoch", "seed"])
def test_differences_between_samples_change_with_the_key(run: str) -> None:
    """A key that were only added, or only mixed in by XOR, would keep them."""
    words = grid(run, 4)
    for first, second in pairwise(words):
        assert not np.isin(first[1:] - first[:-1], second[1:] - second[:-1]).any()
        assert not np.isin(first[1:] ^ first[:-1], second[1:] ^ second[:-1]).any()


def test_occurrences_of_a_sample_are_unrelated() -> None:
    words = told_apart([hash_ for hash_ in range(COUNT) for _ in range(3)]).reshape(COUNT, 3)
    assert len(np.unique(words)) == words.size
    of_each = seeds(words.reshape(-1)).reshape(words.shape)
    for first, second in combinations(range(3), 2):
        assert np.abs(avalanche(of_each[:, first], of_each[:, second])).max() < 6
        assert unrelated(fractions(of_each[:, first]), fractions(of_each[:, second]))


CALLS = {"counted": Call(Key(7, 1, 2, 0, 4)), "by content": Call(Key(7, 1, 2, 0, 4), CONTENTS["hashes"][:COUNT])}


@pytest.mark.parametrize("call", CALLS)
def test_a_batch_behind_its_originals_has_seeds_of_its_own(call: str) -> None:
    once, twice = CALLS[call].seeds(3, COUNT), CALLS[call].seeds(3, 2 * COUNT)
    np.testing.assert_array_equal(twice[:COUNT], once)
    assert random_looking(twice)
    assert np.abs(avalanche(once, twice[COUNT:])).max() < 6
    assert unrelated(fractions(once), fractions(twice[COUNT:]))


def counted(stage: int = 1, **parts: int) -> Words:
    return Call(Key(**{"seed": 7, **parts})).seeds(stage, 64)


@pytest.mark.parametrize("part", ["step", "epoch", "rank", "seed", "stage"])
def test_counted_batches_have_new_seeds_at_every_place(part: str) -> None:
    words = np.array([counted(**{part: index}) for index in range(500)])
    assert random_looking(words)
    assert random_looking(words.T)
    assert unrelated(fractions(words[:-1]), fractions(words[1:]))


@pytest.mark.parametrize(("part", "counts"), [("seed", True), ("epoch", True), ("rank", True), ("step", False)])
def test_what_the_seed_of_a_known_sample_depends_on(part: str, counts: bool) -> None:
    some = CONTENTS["hashes"][:64]
    assert not np.isin(counted(), counted(**{part: 1})).any()
    same = np.isin(seeds(some), seeds(some, **{part: 1}))
    assert not same.any() if counts else same.all()
    np.testing.assert_array_equal(seeds(some[::-1]), seeds(some)[::-1])


# ------------------------------------------------------------------------------------- flips of both hosts' transforms

CORNERS = np.array([200, 210, 220, 230], np.uint8)


@dataclass(frozen=True)
class Host:
    """A host's flips, and what they have done to a picture.

    Attributes:
        name: Its module.
        flips: Makes its two flips, and one transform more of two outcomes.
    """

    name: str
    flips: Callable[[], list[Any]]

    def __str__(self) -> str:
        return self.name

    def pipeline(self, transforms: list[Any], seed: int = 3, epoch: int = 0, rank: int = 0) -> Any:
        pipeline = self.module.BatchCompose(transforms, seed=seed)
        mixtransforms.set_epoch(pipeline, epoch, rank=rank)
        return pipeline

    @property
    def module(self) -> Any:
        pytest.importorskip(self.name, reason=f"{self.name} is not installed")
        return pytest.importorskip(f"mixtransforms.{self.name}")

    def batch(self, numbers: Any) -> Any:
        """Pictures of some samples, each known by its number, with their corners marked."""
        images = np.zeros((len(numbers), 4, 4, 3), np.uint8)
        images[:, 1, 1:3] = np.asarray(numbers, np.uint32).view(np.uint8).reshape(-1, 4)[:, None, :3]
        images[:, ::3, ::3, 0] = CORNERS.reshape(2, 2)
        if self.name == "albumentations":
            return images
        import torch

        return torch.from_numpy(images.transpose(0, 3, 1, 2).copy())

    def samples(self, numbers: Any) -> list[Any]:
        return [{"image": image} for image in self.batch(numbers)]

    def outcome(self, images: Any) -> NDArray[np.int64]:
        """What has happened to pictures: one number of 8 for the three flips, ``(B,)``."""
        first = images[..., 0] if self.name == "albumentations" else images[:, 0].numpy()
        if self.name == "torchvision":  # the third one inverts
            inverted = first[:, 0, 0] < 100
            first = np.where(inverted[:, None, None], 255 - first, first)
            return 4 * inverted + np.searchsorted(CORNERS, first[:, 0, 0])
        corner, beside = np.searchsorted(CORNERS, first[:, 0, 0]), np.searchsorted(CORNERS, first[:, 0, 3])
        return 4 * ((corner ^ beside) == 2) + corner

    def flipped(self, pipeline: Any, numbers: Any, size: int = 500) -> NDArray[np.int64]:
        """Outcomes of samples that come in batches."""
        parts = [numbers[start : start + size] for start in range(0, len(numbers), size)]
        return np.concatenate([self.outcome(pipeline(self.samples(part))["image"]) for part in parts])


def of_torchvision() -> list[Any]:
    from torchvision.transforms import v2

    return [v2.RandomHorizontalFlip(), v2.RandomVerticalFlip(), v2.RandomInvert()]


def of_albumentations() -> list[Any]:
    import albumentations as A

    return [A.HorizontalFlip(), A.VerticalFlip(), A.Transpose()]


HOSTS = (Host("torchvision", of_torchvision), Host("albumentations", of_albumentations))
NUMBERS = np.arange(3000)

both = pytest.mark.parametrize("host", HOSTS, ids=str)


@both
def test_children_flip_independently(host: Host) -> None:
    """Identical children of Albumentations would otherwise all flip, or none."""
    outcome = host.flipped(host.pipeline(host.flips()), NUMBERS)
    assert even(outcome, 8)
    for first, second in combinations(range(3), 2):
        assert apart(outcome >> first & 1, outcome >> second & 1)
    for bit in range(3):
        assert apart(outcome[:-1] >> bit & 1, outcome[1:] >> bit & 1), "and neighbours in a batch"


@pytest.mark.parametrize("container", ["Sequential", "SomeOf", "OneOf"])
def test_children_of_containers_flip_independently(container: str) -> None:
    A = pytest.importorskip("albumentations", reason="albumentations is not installed")
    host = HOSTS[1]
    first, second, third = host.flips()
    inner = {
        "Sequential": lambda: A.Sequential([second, third], p=1.0),
        "SomeOf": lambda: A.SomeOf([second, third], n=2, replace=False, p=1.0),
        "OneOf": lambda: A.OneOf([A.VerticalFlip(p=1.0), A.NoOp(p=1.0)], p=1.0),
    }[container]()
    outcome = host.flipped(host.pipeline([first, inner]), NUMBERS)
    assert apart(outcome & 1, outcome >> 1 & 1)


@both
def test_other_epochs_and_neighbouring_seeds_flip_anew(host: Host) -> None:
    base = host.flipped(host.pipeline(host.flips()), NUMBERS)
    others = {"epoch": host.pipeline(host.flips(), epoch=1), "seed": host.pipeline(host.flips(), seed=4)}
    for other in others.values():
        outcome = host.flipped(other, NUMBERS)
        assert even(8 * base + outcome, 64)


@both
def test_one_sample_flips_evenly_over_epochs(host: Host) -> None:
    pipeline, outcome = host.pipeline(host.flips()), []
    for epoch in range(1000):
        mixtransforms.set_epoch(pipeline, epoch)
        outcome += [host.flipped(pipeline, NUMBERS[:2])]
    one, other = np.array(outcome).T
    assert even(one, 8)
    assert even(8 * one[:-1] + one[1:], 64)
    assert even(8 * one + other, 64)


@both
@pytest.mark.parametrize("ready", [False, True], ids=["samples", "ready batch"])
def test_stages_before_and_after_a_mix_flip_independently(host: Host, ready: bool) -> None:
    horizontal, vertical, _ = host.flips()
    mix = host.module.MixUp(alpha=0, keep_originals=True)
    pipeline = host.pipeline([horizontal, mix, vertical])
    result = pipeline(image=host.batch(NUMBERS)) if ready else pipeline(host.samples(NUMBERS))
    outcome = host.outcome(result["image"]).reshape(2, -1)
    np.testing.assert_array_equal(outcome[0] & 1, outcome[1] & 1)
    first, (original, copy) = outcome[0] & 1, outcome >> 1
    assert apart(first, original)
    assert apart(first, copy)
    assert apart(original, copy), "a sample and its copy behind the originals"


@both
def test_places_and_calls_of_ready_batches_flip_independently(host: Host) -> None:
    """All pictures are the same one, so that only their place and the count of calls tell them apart."""
    pipeline, same = host.pipeline(host.flips()), np.zeros(100, int)
    images = [pipeline(image=host.batch(same))["image"] for _ in range(20)]
    outcome = np.array([host.outcome(image) for image in images])
    assert even(outcome, 8)
    assert even(8 * outcome[:, :-1] + outcome[:, 1:], 64)
    assert even(8 * outcome[:-1] + outcome[1:], 64)


@both
def test_the_same_picture_flips_independently_in_one_batch(host: Host) -> None:
    outcome = host.outcome(host.pipeline(host.flips())(host.samples(np.zeros(2000, int)))["image"])
    assert even(outcome, 8)
    assert even(8 * outcome[:-1] + outcome[1:], 64)


def traced(host: Host, transforms: list[Any], batches: int = 30, **options: int) -> tuple[NDArray[np.int64], list[Any]]:
    """Flips before the mix, and the plans, of batches of 64 samples."""
    pipeline = host.pipeline(transforms, **options)
    traces = [pipeline.trace(host.samples(np.arange(64) + 64 * index)) for index in range(batches)]
    return np.concatenate([host.outcome(trace.before["image"]) for trace in traces]), [t.plans for t in traces]


@both
def test_flips_and_mixes_know_nothing_of_each_other(host: Host) -> None:
    outcome, plans = traced(host, [*host.flips(), host.module.MixUp(alpha=1.0), host.module.MixUp(alpha=1.0)])
    (weight, partner), (later, chosen) = (
        (np.concatenate([plan[index].weight for plan in plans]), np.array([plan[index].partner for plan in plans]))
        for index in (0, 1)
    )
    for bit in range(3):
        assert unrelated(outcome >> bit & 1, weight)
        assert unrelated(outcome >> bit & 1, partner.ravel())
        assert stats.ks_2samp(weight[outcome >> bit & 1 == 0], weight[outcome >> bit & 1 == 1]).pvalue > RARE
    assert unrelated(weight, partner.ravel())
    assert unrelated(weight, later)
    assert unrelated(partner, chosen)
    assert (partner == chosen).mean() < 0.03, "two mixes in one pipeline choose anew"


@both
@pytest.mark.parametrize("other", [{"seed": 4}, {"epoch": 1}, {"rank": 1}], ids=str)
def test_mixes_of_other_epochs_ranks_and_neighbouring_seeds(host: Host, other: dict[str, int]) -> None:
    transforms = [host.module.MixUp(alpha=1.0)]
    drawn = [[plan for (plan,) in traced(host, transforms, **options)[1]] for options in ({}, other)]
    assert_unrelated(*drawn)


# --------------------------------------------------------------------------------------------- laws of keyed plans


def assert_unrelated(first: list[Plan], second: list[Plan]) -> None:
    """Weights and partners of two runs of one method agree no more often than by chance."""
    weights, partners = (
        [np.array([getattr(plan, name) for plan in run]) for run in (first, second)] for name in ("weight", "partner")
    )
    assert unrelated(*weights)
    assert stats.kstest(np.ravel(weights), "uniform").pvalue > RARE
    size = first[0].size
    chance = 1 / (size - 1)
    agreed = np.mean(partners[0] == partners[1])
    assert abs(agreed - chance) < 5 * np.sqrt(chance / np.size(partners[0])) + 1e-9


def plans(method: Method, part: str = "step", count: int = 400, size: int = 16, **parts: int) -> list[Plan]:
    spec = BatchSpec(size, (12, 9))
    return [method.redraw(Key(**{"seed": 5, **parts, part: index}), spec) for index in range(count)]


@pytest.mark.parametrize("other", [{"rank": 1}, {"epoch": 1}, {"stream": 1}, {"seed": 6}], ids=str)
def test_ranks_epochs_streams_and_seeds_draw_other_mixes(other: dict[str, int]) -> None:
    method = methods.MixUp(alpha=1.0)
    assert_unrelated(plans(method), plans(method, **other))


def driven(method: Method, by: str, size: int = 16, count: int = 400) -> list[Plan]:
    """Plans of many calls of a transform, counted or by the content of samples, at the neutral door."""
    transform = getattr(mixtransforms, type(method).__name__)(**{**vars(method), "seed": 5})
    mixtransforms.set_epoch(transform, 2)
    batches: Iterator[Any] = (np.full((size, 12, 9, 1), index, np.uint16) for index in range(count))
    return [transform.plan(batch if by == "count" else list(batch)) for batch in batches]


def own_shares(plan: Plan) -> np.ndarray:
    """What samples keep of themselves; alike in every draw of methods whose areas are given."""
    return plan.share[:, 0]


def places(plan: Plan) -> np.ndarray:
    """Where samples show others: the mean of the numbers of their cells, by weight."""
    numbers, mean = np.arange(12 * 9).reshape(12, 9) / (12 * 9), np.zeros(plan.size)
    for layer in plan.layers:
        mean[layer.rows] += (layer.field((12, 9)) * numbers).mean(axis=(1, 2))
    return mean


def nearest_sources(plan: Plan) -> np.ndarray:
    """Whom samples show, the last one painted."""
    return plan.sources[:, -1].astype(float)


KEYED = pytest.mark.parametrize("by", ["count", "content"])


@KEYED
@pytest.mark.parametrize("name", [*filter(reads_images_alone, METHODS)])
def test_calls_of_every_method_are_unrelated(name: str, by: str) -> None:
    for options in EXAMPLES.get(name, ({},)):
        drawn = driven(METHODS[name](**options), by, count=200)
        keys = {plan.key for plan in drawn}
        assert len(keys) == 200
        told = [np.array([amount(plan) for plan in drawn]) for amount in (own_shares, places, nearest_sources)]
        varying = [values[:, row] for values in told for row in range(16) if np.ptp(values[:, row]) > 1e-9]
        assert len(varying) >= 16
        for values in varying:
            assert unrelated(values[:-1], values[1:])
        mixed = [plan for plan in drawn if plan.mixed.any()]
        assert len({plan.share.tobytes() + plan.sources.tobytes() for plan in mixed}) == len(mixed) > 100


@KEYED
@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_weights_follow_the_beta_law(by: str, alpha: float) -> None:
    for method in (methods.MixUp(alpha), methods.CutMix(alpha, correct_weight=False)):
        weight = np.concatenate([plan.target_share[:, 0] for plan in driven(method, by)])
        assert stats.kstest(weight, stats.beta(alpha, alpha).cdf).pvalue > RARE


@KEYED
@pytest.mark.parametrize("options", EXAMPLES["CutMix"], ids=str)
def test_the_mean_area_is_the_exact_sum(by: str, options: dict[str, Any]) -> None:
    method = methods.CutMix(**options | {"per": "sample", "p": 1.0})
    area = np.concatenate([1 - plan.weight for plan in driven(method, by)])
    expected = expected_area(method.placement, (12, 9), method.alpha, method.minmax or (0, 1))
    assert abs(area.mean() - expected) < 5 * area.std() / np.sqrt(area.size)


@KEYED
@pytest.mark.parametrize("per", ["sample", "pair", "batch"])
def test_gates_open_by_their_chance(by: str, per: str) -> None:
    """Also over the calls: places of a batch that always open would have the right mean."""
    opened = np.array([plan.mixed for plan in driven(methods.MixUp(1.0, p=0.3, per=per), by)])
    independent = {"sample": opened.size, "pair": opened.size / 2, "batch": len(opened)}[per]
    assert abs(opened.mean() - 0.3) < 5 * np.sqrt(0.21 / independent)
    assert (np.abs(opened.mean(axis=0) - 0.3) < 5 * np.sqrt(0.21 / len(opened))).all()
    assert unrelated(opened[:-1], opened[1:])


@KEYED
@pytest.mark.parametrize("pairing", ["cycle", "matching"])
def test_partners_are_uniform_over_the_others(by: str, pairing: str) -> None:
    partner = np.array([plan.partner for plan in driven(methods.MixUp(1.0, pairing=pairing), by, size=6, count=1200)])
    for row, chosen in enumerate(partner.T):
        counts = np.bincount(chosen, minlength=6)
        assert counts[row] == 0
        assert stats.chisquare(np.delete(counts, row)).pvalue > RARE
    assert even(5 * (partner[:-1, 0] - 1) + partner[1:, 0] - 1, 25)


CHANCES = np.array([0.2, 0.5, 0.3])
"""Of nothing, a blend and a box."""


@KEYED
@pytest.mark.parametrize("per", ["sample", "batch"])
def test_choices_are_made_by_their_chances(by: str, per: str) -> None:
    whole = methods.CutMix(placement="minmax", minmax=(0.5, 0.5))
    drawn = driven(methods.OneOf([methods.MixUp(1.0), whole], weights=(0.5, 0.3), per=per), by, count=600)
    chosen = np.zeros((len(drawn), 16), int)
    for row, plan in zip(chosen, drawn, strict=True):
        for layer in plan.layers:
            row[layer.rows] = 1 if layer.region is None else 2
    for seen in chosen.T if per == "sample" else chosen.T[:1]:
        assert as_expected(seen, CHANCES)
        assert as_expected(3 * seen[:-1] + seen[1:], np.outer(CHANCES, CHANCES)), "from call to call"
    for first, second in pairwise(chosen.T):
        together = np.outer(CHANCES, CHANCES) if per == "sample" else np.diag(CHANCES)
        assert as_expected(3 * first + second, together), "of neighbours in one call"


def as_expected(values: Any, chances: Any) -> bool:
    """Whether whole numbers are as frequent as their chances say, by chi-square."""
    chances = np.ravel(chances)
    counts, possible = np.bincount(values, minlength=len(chances)), chances > 0
    expected = chances[possible] * len(values)
    return not counts[~possible].any() and stats.chisquare(counts[possible], expected).pvalue > RARE
