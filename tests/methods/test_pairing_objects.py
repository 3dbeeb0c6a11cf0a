"""Policies with parameters: partners of similar numbers, of the same group, and of every class alike."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from scipy import stats

import mixtransforms
from mixtransforms import BatchSpec, CutMix, InputError, MixUp, OneOf, ParameterError, Ramp, Similar, Within
from mixtransforms.files.registry import own_entry
from mixtransforms.files.schema import fits
from mixtransforms.methods.pairing import KINDS, Hints, Pairing, needs_of, partners

IMAGES = np.random.default_rng(0).integers(0, 256, (8, 6, 5, 3), np.uint8)
AGES = np.array([3.0, 1, 4, 1, 5, 9, 2, 6])
REGRESSION = {"age": "regression"}


def many(policy: Any, hints: dict[str, Any], size: int, count: int = 4000) -> np.ndarray:
    """Partners of many draws, ``(count, B)``."""
    rng = np.random.default_rng(99)
    return np.array([partners(policy, size, rng, hints) for _ in range(count)])


def agrees(drawn: np.ndarray, chances: np.ndarray, level: float = 1e-3) -> bool:
    """Whether partners follow the chances ``(B, B)``, by chi-square; those of chance 0 never come."""
    for row, chance in enumerate(chances):
        counts = np.bincount(drawn[:, row], minlength=len(chances))
        some = chance * len(drawn) > 5
        if counts[chance == 0].any():
            return False
        rare, other = counts[~some].sum(), chance[~some].sum() * len(drawn)
        seen, wanted = np.append(counts[some], rare), np.append(chance[some] * len(drawn), other)
        keep = wanted > 0
        if keep.sum() > 1 and stats.chisquare(seen[keep], wanted[keep]).pvalue < level / len(chances):
            return False
    return True


def softmax_chances(values: np.ndarray, sigma: float, self_pairs: bool) -> np.ndarray:
    """The law as the paper writes it, by loops."""
    size = len(values)
    chances = np.zeros((size, size))
    for i in range(size):
        for j in range(size):
            if i != j or self_pairs:
                chances[i, j] = np.exp(-((values[i] - values[j]) ** 2).sum() / (2 * sigma**2))
    return chances / chances.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("self_pairs", [False, True])
@pytest.mark.parametrize("sigma", [0.5, 2.0, 1e6])
def test_similar_partners_follow_the_law(sigma: float, self_pairs: bool) -> None:
    values = np.random.default_rng(0).normal(size=(6, 2)) * 2
    drawn = many(Similar(sigma, units="raw", self_pairs=self_pairs), {"values": values}, 6)
    assert agrees(drawn, softmax_chances(values, sigma, self_pairs))
    assert not agrees(drawn, softmax_chances(values, sigma * 3 + 3, self_pairs)) or sigma == 1e6


def test_standard_units_are_those_of_the_batch() -> None:
    values = np.random.default_rng(1).normal(size=(6, 2)) * [1000.0, 0.01]
    standard = values / values.std(axis=0)
    assert agrees(many(Similar(0.7), {"values": values}, 6), softmax_chances(standard, 0.7, False))
    one = np.concatenate([values[:, :1], np.full((6, 1), 7.0)], axis=1)  # a number that is the same everywhere
    assert agrees(many(Similar(0.7), {"values": one}, 6), softmax_chances(standard[:, :1], 0.7, False))


@pytest.mark.parametrize("units", ["raw", "standard"])
def test_towards_0_partners_are_the_nearest(units: str) -> None:
    values = np.array([[0.0], [1], [10], [12], [100]])
    found = many(Similar(1e-9, units=units), {"values": values}, 5, 50)
    assert (found == [1, 0, 3, 2, 3]).all()
    alike = many(Similar(1e-9, units=units), {"values": np.zeros((4, 1))}, 4)
    assert agrees(alike, (1 - np.eye(4)) / 3)
    assert (many(Similar(1e-9, units=units, self_pairs=True), {"values": values}, 5, 50) == np.arange(5)).all()


@pytest.mark.parametrize("size", [0, 1, 2, 3, 33])
@pytest.mark.parametrize(
    "policy", [Similar(0.3), Similar(3, units="raw", self_pairs=True), Within("site"), "class_balanced"], ids=repr
)
def test_every_size_is_legal_and_takes_as_many_numbers_whatever_the_data(policy: Any, size: int) -> None:
    ends = set()
    for seed in range(3):
        data = np.random.default_rng(seed)
        hints = {
            "values": data.normal(size=(size, 1)),
            "value:site": data.integers(0, 3, size),
            "classes": data.integers(0, 3, size),
        }
        rng = np.random.default_rng(5)
        partner = partners(policy, size, rng, hints)
        assert partner.shape == (size,)
        assert partner.dtype == np.int64
        assert ((partner >= 0) & (partner < max(size, 1))).all()
        ends.add(rng.random())
    assert len(ends) == 1


def test_within_a_group_all_others_are_as_likely() -> None:
    groups = np.array(["a", "b", "a", "a", "c", "b"])
    allowed = (groups[:, None] == groups[None]) & ~np.eye(6, dtype=bool)
    chances = allowed / np.maximum(allowed.sum(axis=1, keepdims=True), 1)
    chances[4, 4] = 1.0  # alone: itself, unmixed
    assert agrees(many(Within("site"), {"value:site": groups}, 6), chances)


def test_partners_of_every_class_come_as_often() -> None:
    classes = np.array([0, 0, 0, 0, 0, 1, 1, 2])
    chances = np.zeros((8, 8))
    for i in range(8):
        for j in range(8):
            there = [k for k in range(8) if k != i and classes[k] == classes[j]]
            chances[i, j] = 0 if i == j else 1 / len(there)
    chances /= chances.sum(axis=1, keepdims=True)
    drawn = many("class_balanced", {"classes": classes}, 8)
    assert agrees(drawn, chances)
    shares = np.bincount(classes[drawn[:, :5]].ravel(), minlength=3) / drawn[:, :5].size
    np.testing.assert_allclose(shares, 1 / 3, atol=0.02)


# ------------------------------------------------------------------------------------------ in a batch


def test_numbers_of_the_batch_decide() -> None:
    mix = MixUp(pairing=Similar(1e-6, units="raw"), kinds=REGRESSION, seed=0)
    values = np.array([0.0, 10, 0.1, 10.1, 20, 20.1, 30, 30.1])
    plan = mix.plan({"image": IMAGES, "age": values})
    assert plan.partner.tolist() == [2, 3, 0, 1, 5, 4, 7, 6]
    assert mix({"image": IMAGES, "age": values})["age"].shape == (8,)


@pytest.mark.parametrize("form", ["array", "texts", "samples"])
def test_groups_of_the_batch_decide(form: str) -> None:
    sites = np.array([0, 1, 0, 1, 2, 3, 2, 3])
    mix = CutMix(pairing=Within("site"), passthrough=("site",), seed=0)
    told: Any = [f"site {number}" for number in sites] if form == "texts" else sites
    batch: Any = {"image": IMAGES, "site": told}
    if form == "samples":
        batch = [{"image": image, "site": int(site)} for image, site in zip(IMAGES, sites, strict=True)]
    plan = mix.plan(batch)
    assert plan.partner.tolist() == [2, 3, 0, 1, 6, 7, 4, 5]


def test_a_choice_asks_for_what_its_methods_ask() -> None:
    mix = OneOf([MixUp(pairing=Similar(0.1)), CutMix(pairing=Within("site"))], kinds=REGRESSION, passthrough=("site",))
    assert mix.needs == {"values", "value:site"}
    assert mix.plan({"image": IMAGES, "age": AGES, "site": np.zeros(8)}).size == 8


def test_the_key_has_the_numbers() -> None:
    def plan(pairing: Any, ages: Any) -> Any:
        mix = MixUp(pairing=pairing, kinds=REGRESSION, seed=0)
        return mix.plan([{"image": image, "age": age} for image, age in zip(IMAGES, ages, strict=True)])

    assert plan(Similar(1.0), AGES) == plan(Similar(1.0), AGES)
    assert plan(Similar(1.0), AGES).key != plan(Similar(1.0), AGES + 1).key
    assert plan("cycle", AGES).key == plan("cycle", AGES + 1).key


def test_a_bandwidth_may_be_a_schedule() -> None:
    mix = MixUp(pairing=Similar(Ramp(1e-6, 1e6, 0, 9), units="raw"), kinds=REGRESSION, seed=0)
    batch = {"image": IMAGES, "age": np.array([0.0, 10, 0.1, 10.1, 20, 20.1, 30, 30.1])}
    mixtransforms.set_epoch(mix, 0)
    assert mix.plan(batch).partner.tolist() == [2, 3, 0, 1, 5, 4, 7, 6]
    mixtransforms.set_epoch(mix, 9)
    far = [mix.plan(batch).partner.tolist() for _ in range(10)]
    assert any(each != [2, 3, 0, 1, 5, 4, 7, 6] for each in far)


# ------------------------------------------------------------------------------------------ files


@pytest.mark.parametrize(
    ("pairing", "form"),
    [
        (Similar(0.5), {"kind": "Similar", "sigma": 0.5}),
        (
            Similar(2, units="raw", self_pairs=True),
            {"kind": "Similar", "sigma": 2.0, "units": "raw", "self_pairs": True},
        ),
        (Within("site"), {"kind": "Within", "value": "site"}),
        ("class_balanced", "class_balanced"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("door", ["mixtransforms", "mixtransforms.torchvision", "mixtransforms.albumentations"])
def test_files_hold_them(door: str, pairing: Any, form: Any) -> None:
    module: Any = pytest.importorskip(door)
    mix = module.MixUp(0.4, pairing=pairing)
    data = mixtransforms.to_dict(mix)
    assert data["pipeline"]["args"]["pairing"] == form
    again: Any = mixtransforms.from_dict(data)
    assert again.pairing == pairing
    assert mixtransforms.fingerprint(again) == mixtransforms.fingerprint(mix)
    assert repr(again) == repr(mix)
    argument = own_entry("mixtransforms.MixUp", type(mix)).arguments["pairing"]
    assert fits(form, argument.schema)
    assert not fits({**form, "more": 1} if isinstance(form, dict) else "near", argument.schema)


def test_files_of_names_stay_as_they_were() -> None:
    assert mixtransforms.to_dict(MixUp(pairing="roll"))["pipeline"]["args"]["pairing"] == "roll"
    data = mixtransforms.to_dict(MixUp(pairing="roll"))
    data["pipeline"]["args"]["pairing"] = {"kind": "Near"}
    with pytest.raises(mixtransforms.ConfigError, match=r"args\.pairing"):
        mixtransforms.from_dict(data)


def test_describe_says_them() -> None:
    assert "Similar(sigma), Within(name) or SimilarShape()" in str(MixUp.__doc__)


# ------------------------------------------------------------------------------------------ what is refused


BAD = {
    "no numbers": (
        lambda: MixUp(pairing=Similar(1.0))(IMAGES),
        InputError,
        "The method reads numbers to predict.*kinds={'name': 'regression'}",
    ),
    "no batch": (
        lambda: MixUp(pairing=Similar(1.0)).method.draw(BatchSpec(2, (3,)), np.random.default_rng(0)),
        InputError,
        r"pairing=Similar\(sigma=1.0\) reads 'values'.*plan\(batch\)",
    ),
    "no groups": (lambda: MixUp(pairing=Within("site"))(IMAGES), InputError, r"'site'.*passthrough=\('site',\)"),
    "rows for groups": (
        lambda: MixUp(pairing=Within("site"), passthrough=("site",))({"image": IMAGES, "site": np.zeros((8, 2))}),
        InputError,
        r"No groups \(Within\): got shape \(8, 2\) under 'site'",
    ),
    "no bandwidth": (lambda: Similar(0.0), ParameterError, r"'sigma' \(Similar\): got 0\.0"),
    "no name": (lambda: Within(""), ParameterError, r"'value' \(Within\)"),
    "no pairing": (
        lambda: MixUp(pairing=3),
        ParameterError,
        r"'pairing' .*Similar\(sigma\), Within\(name\) or SimilarShape\(\)",
    ),
    "pairs": (lambda: MixUp(per="pair", pairing=Similar(1.0)), ParameterError, "per='pair' needs a pairing"),
}


@pytest.mark.parametrize(("make", "error", "match"), BAD.values(), ids=BAD)
def test_what_is_refused(make: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        make()


@dataclass(frozen=True, repr=False)
class Next(Pairing):
    """A policy of the user's own, which may paint anything."""

    beyond: int = 0

    @property
    def needs(self) -> frozenset[str]:
        return frozenset()

    def partners(self, size: int, rng: np.random.Generator, hints: Hints) -> np.ndarray:
        return np.roll(np.arange(size), -1) + self.beyond


def test_a_users_own_policy_is_used_checked_and_not_written() -> None:
    assert MixUp(pairing=Next()).plan(IMAGES).partner.tolist() == [1, 2, 3, 4, 5, 6, 7, 0]
    with pytest.raises(mixtransforms.PlanError):
        MixUp(pairing=Next(100)).plan(IMAGES)
    with pytest.raises(mixtransforms.ConfigError, match=r"args\.pairing"):
        mixtransforms.to_dict(MixUp(pairing=Next()))
    assert set(KINDS) == {"Similar", "Within", "SimilarShape"}
    assert needs_of("class_balanced") == {"classes"}
