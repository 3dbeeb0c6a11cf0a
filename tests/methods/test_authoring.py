"""Methods that are written with ``mixtransforms.authoring`` alone."""

import doctest
import inspect
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import mixtransforms
from mixtransforms import authoring
from mixtransforms.authoring import (
    NO_HINTS,
    BatchSpec,
    Boxes,
    FloatArray,
    Hints,
    InputError,
    Layer,
    Mask,
    Method,
    PairMethod,
    Plan,
    Schedule,
    alpha_field,
    beta_weights,
    choice,
    mismatch,
    now,
    number,
    pair_plan,
    register,
)
from mixtransforms.methods import registry
from mixtransforms.mixing.transform import MixTransform
from mixtransforms.rng.keys import Key

SPEC = BatchSpec(16, (12, 20))


@dataclass(frozen=True, repr=False)
class ResizeLike(PairMethod):
    """Pastes the whole partner, made smaller; as Qin et al., ResizeMix, arXiv:2012.11101."""

    low: float | Schedule = number(0.1, low=0, high=1, doc="Smallest side, as a fraction.")
    high: float | Schedule = number(0.8, low=0, high=1, doc="Largest side, as a fraction.")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.low, Schedule) and not isinstance(self.high, Schedule) and self.low > self.high:
            raise mismatch(self, "The smallest side is larger than the largest", "low <= high")

    def draw(self, spec: BatchSpec, rng: np.random.Generator, hints: Hints = NO_HINTS) -> Plan:
        if not spec.shape:
            raise InputError(
                "No axes to cut", where="ResizeLike.draw", got="a table", wanted="images", fix="Use MixUp."
            )
        pairs = self.pairs(spec, rng, hints)
        shape, count = np.array(spec.shape), self.draws(spec)
        fraction, place = rng.random(spec.size)[:count], rng.random((spec.size, len(shape)))[:count]
        scale = now(self.low) + (now(self.high) - now(self.low)) * fraction
        side = np.maximum(1, (scale[:, None] * shape).astype(np.int64))
        start = pairs.pick((place * (shape - side + 1)).astype(np.int64))
        region = Boxes(start, start + pairs.pick(side))
        ones, whole = np.ones(len(pairs.rows)), Boxes.full(len(pairs.rows), spec.shape)
        return pair_plan(spec, Layer(pairs.rows, pairs.source, ones, region, whole))


@dataclass(frozen=True, repr=False)
class HalfLike(PairMethod):
    """Takes a half from the partner, blended by a weight of Beta's."""

    alpha: float | Schedule = alpha_field(1.0, "1 draws every weight equally often.")
    side: str = choice("right", ("right", "lower"), "Which half.")

    def draw(self, spec: BatchSpec, rng: np.random.Generator, hints: Hints = NO_HINTS) -> Plan:
        pairs = self.pairs(spec, rng, hints)
        weight: FloatArray = pairs.pick(beta_weights(self.alpha, self.draws(spec), rng))
        full = Boxes.full(len(pairs.rows), spec.shape)
        across = np.array([0, 1] if self.side == "right" else [1, 0])
        return self.paint(spec, pairs, 1 - weight, Boxes(full.start + across * np.array(spec.shape) // 2, full.stop))


@dataclass(frozen=True, repr=False)
class LoneLike(Method):
    """Paints a corner of the next sample, through a mask; not even a pair method."""

    def draw(self, spec: BatchSpec, rng: np.random.Generator, hints: Hints = NO_HINTS) -> Plan:
        mask = np.zeros((spec.size, *spec.shape), np.bool_)
        mask[:, :3, :4] = True
        rows = np.arange(spec.size)
        return Plan(spec, (Layer(rows, np.roll(rows, 1), np.ones(spec.size), Mask(mask)),))


@dataclass(frozen=True, repr=False)
class Asking(Method):
    """Blends with the next sample, and asks for hints."""

    asks: str = choice("classes", ("classes", "depth", "nothing"), "For what.")
    declared: float = 0.5

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({self.asks} - {"nothing"})

    def draw(self, spec: BatchSpec, rng: np.random.Generator, hints: Hints = NO_HINTS) -> Plan:
        rows = np.arange(spec.size)
        layer = Layer(rows, np.roll(rows, 1), np.full(spec.size, 0.25 * (1 + hints.get("more", 0))))
        return pair_plan(spec, layer, None if self.declared == 0.5 else np.full(spec.size, self.declared))


TOYS = [
    ResizeLike(),
    ResizeLike(per="batch", p=0.5),
    ResizeLike(per="pair"),
    HalfLike(0.4),
    HalfLike(per="batch"),
    LoneLike(),
]


@pytest.fixture(scope="module", autouse=True)
def registered() -> Iterator[None]:
    """While these tests run, and no longer: other tests look at all methods that there are."""
    toys = [register(toy) for toy in (ResizeLike, HalfLike, LoneLike, Asking)]
    yield
    for toy in toys:
        registry._methods.pop(toy.__name__)


@pytest.mark.parametrize("method", TOYS, ids=repr)
def test_toys_draw_what_pixels_say(method: Method) -> None:
    plan = method.redraw(Key(3), SPEC)
    assert plan == method.draw(SPEC, Key(3).generator())
    ids = np.broadcast_to(np.arange(16.0)[:, None, None, None], (16, *SPEC.shape, 1))
    painted = plan.apply(np.eye(16)[:, None, None, :] * np.ones((1, *SPEC.shape, 1)))  # a channel for every sample
    shares = np.zeros((16, 16))
    np.add.at(shares, (np.arange(16)[:, None], plan.sources), plan.share)
    np.testing.assert_allclose(painted.mean(axis=(1, 2)), shares, atol=1e-12)
    assert plan.apply(ids).shape == ids.shape


def test_one_draw_for_a_batch_is_the_first_of_many() -> None:
    one, many = ResizeLike(per="batch").redraw(Key(3), SPEC), ResizeLike().redraw(Key(3), SPEC)
    np.testing.assert_array_equal(one.layers[0].region.sides, np.tile(many.layers[0].region.sides[:1], (16, 1)))
    assert (HalfLike(per="batch").redraw(Key(3), SPEC).weight == HalfLike().redraw(Key(3), SPEC).weight[0]).all()


def test_toys_are_transforms_with_everything_that_follows() -> None:
    Door = type("ResizeLike", (MixTransform, ResizeLike), {})
    transform = Door(low=mixtransforms.Ramp(0, 0.5, 0, 5), num_classes=16, seed=1)
    assert repr(transform) == "ResizeLike(low=Ramp(start=0.0, end=0.5, begin=0, until=5), num_classes=16, seed=1)"
    images, labels = transform(np.zeros((16, 12, 20, 3), np.uint8), np.arange(16))
    assert images.shape == (16, 12, 20, 3)
    np.testing.assert_allclose(labels.sum(axis=1), 1, atol=1e-6)
    choice = mixtransforms.OneOf([HalfLike(side="lower"), mixtransforms.MixUp()])
    assert repr(mixtransforms.from_json(mixtransforms.to_json(choice))) == repr(choice)
    with pytest.raises(mixtransforms.ParameterError, match="The smallest side is larger than the largest"):
        ResizeLike(0.9, 0.2)
    with pytest.raises(InputError, match="No axes to cut"):
        ResizeLike().draw(BatchSpec(4), Key(3).generator())


def test_an_unknown_need_is_an_error_and_not_silence() -> None:
    Door = type("Asking", (MixTransform, Asking), {})
    message = (
        r"A method needs hints that are unknown \(Asking\.needs\): got 'depth'; wanted a set of 'boxes', 'classes', "
    )
    with pytest.raises(mixtransforms.ParameterError, match=message):
        Door(asks="depth", num_classes=4)
    with pytest.raises(mixtransforms.ParameterError, match=r"hints that are unknown \(OneOf\.needs\)"):
        mixtransforms.OneOf([Asking(asks="depth"), mixtransforms.MixUp()])
    # What the error says: no needs, hints by hand, and the plan replayed.
    plan = Asking(asks="nothing").draw(BatchSpec(4, (5, 6)), Key(3).generator(), {"more": np.array(1)})
    labels = Door(asks="nothing", num_classes=4).replay(plan, (np.zeros((4, 5, 6, 3)), np.arange(4)))[1]
    np.testing.assert_allclose(labels, 0.5 * np.eye(4) + 0.5 * np.roll(np.eye(4), 1, axis=0))


def test_classes_that_a_method_needs_and_nobody_has_are_an_error() -> None:
    mix, images = type("Asking", (MixTransform, Asking), {})(labels="pair"), np.zeros((4, 5, 6, 3))
    with pytest.raises(InputError, match=r"The method reads class labels \(needs\): got a batch without class labels"):
        mix({"image": images})
    assert mix({"image": images, "label": np.arange(4)})["label"].partner.tolist() == [3, 0, 1, 2]  # what it says


@pytest.mark.parametrize("weight", [np.nan, -0.1, 1.1])
def test_declared_weights_of_a_users_method_are_checked(weight: float) -> None:
    with pytest.raises(mixtransforms.PlanError, match="Declared label shares are none"):
        Asking(declared=weight).redraw(Key(3), BatchSpec(4, (5, 6)))


def test_every_name_is_documented_or_plain() -> None:
    for name in authoring.__all__:
        value = getattr(authoring, name)
        assert getattr(authoring, name) is value
        if inspect.isfunction(value) or (inspect.isclass(value) and value.__module__.startswith("mixtransforms.")):
            assert inspect.getdoc(value), name
    assert dir(authoring) == authoring.__all__
    with pytest.raises(AttributeError, match="has no attribute 'Mixer'"):
        authoring.Mixer  # noqa: B018


def test_the_example_runs() -> None:
    results = doctest.testmod(authoring)
    assert (results.attempted > 4, results.failed) == (True, 0)


@pytest.mark.parametrize(
    "first", ["mixtransforms.authoring", "mixtransforms.methods", "mixtransforms.methods.registry"]
)
def test_it_may_be_imported_first(first: str) -> None:
    code = f"import {first}; from mixtransforms.authoring import PairMethod; import mixtransforms.methods as m; m.MixUp"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
