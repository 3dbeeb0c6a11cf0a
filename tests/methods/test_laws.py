"""Laws of the weight in the place of alpha: what they draw, what they leave as it was, and what files make of them."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

import mixtransforms
from mixtransforms import BatchSpec, ConfigError, CutMix, MixUp, OneOf, ParameterError, PlanError, Ramp, Steps
from mixtransforms.files import from_dict, json_schema, to_dict
from mixtransforms.files.describe import describe, parts
from mixtransforms.laws import Beta, Constant, Law, Uniform
from mixtransforms.methods.schedules import Schedule

MANY = 20_000
IMAGES = np.eye(6, dtype=np.float32)[:, None, None, :].repeat(16, 1).repeat(12, 2)
"""Every image shows its number in a channel of its own, so that means of channels are shares."""

LAWS = {
    "Beta": (Beta(2, 5), stats.beta(2, 5)),
    "Beta, favouring itself": (Beta(2, 1), stats.beta(2, 1)),
    "Uniform": (Uniform(0.2, 0.7), stats.uniform(0.2, 0.5)),
    "Uniform, everywhere": (Uniform(), stats.uniform()),
}


@pytest.mark.parametrize(("law", "known"), LAWS.values(), ids=LAWS)
def test_weights_follow_their_law(law: Law, known: Any) -> None:
    """The largest distance between the two distributions is below what one draw of a thousand would have."""
    plan = MixUp(weight=law).method.draw(BatchSpec(MANY), np.random.default_rng(0))
    assert stats.kstest(plan.weight, known.cdf).statistic < 1.95 / np.sqrt(MANY)


def test_a_constant_is_one() -> None:
    images, labels = MixUp(weight=Constant(0.3), num_classes=6, seed=0)(IMAGES, np.arange(6))
    np.testing.assert_allclose(np.diag(labels), 0.3)
    np.testing.assert_allclose(images.mean((1, 2)), labels, atol=1e-5)


@pytest.mark.parametrize("weight", [0.0, 0.25, 0.75, 1.0])
@pytest.mark.parametrize("placement", ["inside", "clip", "uniform"])
def test_cutmix_takes_it_for_the_part_that_stays_before_clipping(placement: str, weight: float) -> None:
    """Of 16 x 12 pixels a quarter is 8 x 6; inside it is never clipped."""
    mix = CutMix(weight=Constant(weight), placement=placement, num_classes=6, seed=1)
    images, labels = mix(IMAGES, np.arange(6))
    np.testing.assert_allclose(images.mean((1, 2)), labels, atol=1e-5)
    sides = np.floor(np.sqrt(1 - weight) * np.array([16, 12]))
    whole = 1 - sides.prod() / (16 * 12)
    kept = np.diag(labels)
    assert (kept >= whole - 1e-6).all() if placement != "inside" else np.allclose(kept, whole)


@pytest.mark.parametrize("method", [MixUp, CutMix])
@pytest.mark.parametrize("per", ["sample", "pair", "batch"])
def test_alpha_is_short_for_a_beta_law(method: Any, per: str) -> None:
    plans = [method(**given, per=per, seed=4).plan(IMAGES) for given in ({"alpha": 0.7}, {"weight": Beta(0.7, 0.7)})]
    assert plans[0] == plans[1]


@pytest.mark.parametrize("law", [Beta(1e-6, 1e6), Uniform(0.1, 0.2), Constant(0.5)], ids=repr)
def test_what_is_drawn_behind_it_does_not_depend_on_the_law(law: Law) -> None:
    """A law may take any number of draws; boxes go where they went."""
    first, second = np.random.default_rng(7), np.random.default_rng(7)
    law.draw(5, first)
    CutMix().method.draw(BatchSpec(5, (8, 8)), second)
    assert law.draw(3, first).shape == (3,)
    rngs = [np.random.default_rng(8) for _ in range(2)]
    law.draw(5, rngs[0])
    Beta(1, 1).draw(50, rngs[1])
    assert rngs[0].random() == rngs[1].random()


def test_schedules_inside_have_their_value_of_the_epoch() -> None:
    mix = MixUp(weight=Constant(Steps({0: 1.0, 3: 0.5})), seed=0)
    assert mix.method.moves
    for epoch, kept in ((0, 1.0), (2, 1.0), (3, 0.5)):
        mixtransforms.set_epoch(mix, epoch)
        np.testing.assert_allclose(mix.plan(IMAGES).weight, kept)
    both = OneOf([MixUp(weight=Uniform(Ramp(0.0, 0.4, 0, 4), 0.5)), CutMix()])
    assert both.method.moves
    assert both.method.at(4).transforms[0].weight == Uniform(0.4, 0.5)
    assert MixUp(weight=Uniform(0.1, 0.2)).method.at(3) == MixUp(weight=Uniform(0.1, 0.2)).method


BAD = {
    "both": (
        lambda: MixUp(0.3, weight=Uniform()),
        r"Two laws of the weight \(MixUp\): got alpha=0\.3 and weight=Uniform",
    ),
    "both of CutMix": (lambda: CutMix(alpha=0.0, weight=Constant(1)), r"Two laws .*Leave alpha out, which stands for"),
    "no law": (lambda: MixUp(weight=0.5), r"'weight'.* got 0\.5; wanted None, or a law such as Beta\(2, 1\)"),
    "another kind": (lambda: MixUp(weight={"kind": "Gauss"}), r"'weight' .*wanted None, or a law"),
    "parameters": (lambda: Beta(0, 1), r"'a' \(Beta\): got 0; wanted a number within \[1e-06, 1e\+06\]"),
    "order": (lambda: Uniform(0.6, 0.4), r"The lowest weight is above the highest \(Uniform\).*low <= high"),
    "order of an epoch": (lambda: Uniform(Ramp(0, 1, 0, 4), 0.6), r"above the highest in epoch 3 \(Uniform\)"),
    "a weight above 1": (lambda: Constant(1.5), r"'value' \(Constant\): got 1\.5"),
    "no weight is drawn": (
        lambda: CutMix(placement="minmax", minmax=(0.1, 0.3), weight=Uniform()),
        r"placement='minmax' draws no weight",
    ),
}


@pytest.mark.parametrize(("make", "match"), BAD.values(), ids=BAD)
def test_what_is_no_law_is_refused(make: Any, match: str) -> None:
    with pytest.raises(ParameterError, match=match):
        make()


class Lopsided(Law):
    """A law of a user's own, which may be wrong."""

    def weights(self, size: int, rng: np.random.Generator) -> Any:
        return rng.random(size) + 0.9


def test_a_law_of_the_users_own_is_checked() -> None:
    mix = MixUp(weight=Lopsided(), seed=0)
    assert not mix.method.is_ours
    with pytest.raises(PlanError, match="opacity"):
        mix.plan(IMAGES)
    with pytest.raises(ConfigError, match=r"\$\.pipeline\.args\.weight.* Cannot be written|Cannot be written"):
        to_dict(mix)


@pytest.mark.parametrize("law", [Beta(2, Ramp(1, 3, 0, 5)), Uniform(0.45, 0.55), Constant(0.5)], ids=repr)
@pytest.mark.parametrize("method", [MixUp, CutMix])
def test_files_hold_a_law(method: Any, law: Law) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    mix = method(weight=law, num_classes=3)
    data = to_dict(mix)
    assert data["pipeline"]["args"]["weight"]["kind"] == type(law).__name__
    jsonschema.Draft202012Validator(json_schema()).validate(data)
    again = from_dict(data)
    assert again.weight == law
    assert eval(repr(mix), {**vars(mixtransforms.laws), method.__name__: method, "Ramp": Ramp}).weight == law
    assert isinstance(getattr(law, "b", 0.0), (Schedule, float))


@pytest.mark.parametrize("name", ["Beta", "Uniform", "Constant"])
def test_a_law_is_described(name: str) -> None:
    (described,) = describe(name)
    assert f'value of `weight`: {{"kind": "{name}"' in described.text
    assert [parameter.name for parameter in described.parameters] == {
        "Beta": ["a", "b"],
        "Uniform": ["low", "high"],
        "Constant": ["value"],
    }[name]
    assert name in [part.name for part in parts()]


def test_files_without_a_law_stay_as_they_were() -> None:
    assert "weight" not in to_dict(MixUp())["pipeline"]["args"]
    assert "weight" not in to_dict(CutMix())["pipeline"]["args"]
