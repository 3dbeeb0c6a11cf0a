"""Adding a method takes one class; it then passes the contract as it is."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest
from checks import CHECKS, FOR_FLOATS, assert_all, doors_agree
from doors import ALBUMENTATIONS, DOORS, TORCHVISION, Case, Door
from forms import Form

from mixtransforms import BatchSpec, Layer, Mask, Plan
from mixtransforms.core import fields
from mixtransforms.methods import registry
from mixtransforms.methods.base import NO_HINTS, PairMethod, pair_plan
from mixtransforms.methods.pairing import Hints
from mixtransforms.mixing.transform import MixTransform

TOY_FORMS = (
    Form("numpy", "uint8"), Form("numpy", "float64", memory="strided"), Form("numpy", "float16"),
    Form("torch", "uint8", "channels_last"), Form("torch", memory="memory_format"), Form("torch", "bfloat16"),
)  # fmt: skip


def stripes() -> type:
    """The partner in every other row or column of pixels, as strong as ``strength``."""

    @registry.register
    @dataclass(frozen=True, repr=False)
    class Stripes(PairMethod):
        strength: float = fields.number(1.0, low=0, high=1, doc="Opacity of a stripe.")

        def draw(self, spec: BatchSpec, rng: np.random.Generator, hints: Hints = NO_HINTS) -> Plan:
            rows, source, leader = self.pairs(spec, rng, hints)
            across = rng.random(spec.size)[leader[rows], None, None] < 0.5
            y, x = np.indices(spec.shape)
            layer = Layer(
                rows, source, np.full(len(rows), self.strength), Mask(np.where(across, x % 2 == 1, y % 2 == 1))
            )
            return pair_plan(spec, layer)

    return Stripes


@pytest.fixture(scope="module")
def doors() -> Iterator[dict[str, Door]]:
    """The three doors with a line for the toy each; it is forgotten afterwards."""
    method = stripes()
    own = {
        "neutral": type("Stripes", (MixTransform, method), {}),
        "torchvision": type("Stripes", (TORCHVISION.load().Transform, method), {}),
        "albumentations": type("Stripes", (ALBUMENTATIONS.load().Transform, method), {}),
    }
    yield {door.name: replace(door, own={"Stripes": own[door.name]}) for door in DOORS}
    registry._methods.pop("Stripes")


TAKEN = [
    (door.name, form, strength)
    for door in DOORS
    for form in TOY_FORMS
    for strength in (1.0, 0.3)
    if form.backend in door.backends
]


@pytest.mark.parametrize(("door", "form", "strength"), TAKEN, ids=str)
def test_contract(doors: dict[str, Door], door: str, form: Form, strength: float) -> None:
    checks = [check for check in CHECKS if not (form.integer and check in FOR_FLOATS)]
    assert_all(checks, Case(doors[door], "Stripes", {"strength": strength}), form)


def test_doors_agree(doors: dict[str, Door]) -> None:
    doors_agree("Stripes", {"per": "pair"}, tuple(doors.values()))


def test_everything_follows_from_the_fields(doors: dict[str, Door]) -> None:
    transform = doors["torchvision"].transform("Stripes", strength=0.5, num_classes=3)
    assert repr(transform) == "Stripes(strength=0.5, num_classes=3)"
    assert "strength: Opacity of a stripe. Accepts a number within [0, 1]." in type(transform).__doc__
    with pytest.raises(
        ValueError, match=r"Bad value for 'strength' \(Stripes\): got 2; wanted a number within \[0, 1\]"
    ):
        doors["neutral"].transform("Stripes", strength=2)
