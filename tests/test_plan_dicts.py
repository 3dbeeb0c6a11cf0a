"""Plan dicts: those of earlier releases are read, packed masks are small, and unpack to no more than they may."""

import base64
import json
import tracemalloc
import zlib
from typing import Any

import numpy as np
import pytest

from mixtransforms import BatchSpec, Boxes, Layer, Mask, Plan, PlanError
from mixtransforms.core import packing
from mixtransforms.methods.registry import METHODS
from mixtransforms.rng.keys import Key

SPEC = BatchSpec(3, (4, 6))
VALUES = np.arange(48).reshape(2, 4, 6) % 5 < 2
WHOLE = {"size": 3, "shape": [4, 6]}
TWO_ROWS = {"rows": [0, 1], "source": [1, 2], "opacity": [1.0, 0.5]}
CORNERS = {"start": [[0, 1], [2, 0]], "stop": [[2, 5], [4, 6]]}

Dict = dict[str, Any]


def painted(region: Any, crop: Boxes | None = None, spec: BatchSpec = SPEC) -> Plan:
    return Plan(spec, (Layer([0, 1], [1, 2], [1.0, 0.5], region, crop),))


def there_and_back(plan: Plan) -> Dict:
    written: Dict = json.loads(json.dumps(plan.to_dict(), allow_nan=False))
    assert Plan.from_dict(written) == plan
    return written


FIRST: dict[str, tuple[Dict, Plan]] = {
    "everywhere": (WHOLE | {"layers": [TWO_ROWS]}, painted(None)),
    "boxes": (WHOLE | {"layers": [TWO_ROWS | {"boxes": CORNERS}]}, painted(Boxes(CORNERS["start"], CORNERS["stop"]))),
    "crop": (
        WHOLE | {"layers": [TWO_ROWS | {"boxes": CORNERS, "crop": CORNERS}]},
        painted(Boxes(CORNERS["start"], CORNERS["stop"]), Boxes(CORNERS["start"], CORNERS["stop"])),
    ),
    "label share": (
        WHOLE | {"layers": [], "label_share": [[2.0], [3.0], [0.5]], "label_mass": "free",
                 "key": {"seed": 1, "epoch": 2, "rank": 3, "stream": 4, "step": 5}},
        Plan(SPEC, (), np.array([[2.0], [3.0], [0.5]]), Key(1, 2, 3, 4, 5), "free"),
    ),
}  # fmt: skip
"""Dicts as the first version wrote them, and still does."""

BITS = {"shape": [2, 4, 6], "bits": base64.b64encode(np.packbits(VALUES).tobytes()).decode()}


@pytest.mark.parametrize(("written", "plan"), FIRST.values(), ids=FIRST)
def test_what_is_not_new_is_written_as_it_was(written: Dict, plan: Plan) -> None:
    assert plan.to_dict() == written
    assert list(plan.to_dict()) == list(written)
    assert Plan.from_dict(written) == plan
    for version in (1, 2):
        assert Plan.from_dict({"plan_version": version, **written}) == plan


@pytest.mark.parametrize("mask", [VALUES.tolist(), BITS, VALUES.astype(float).tolist()], ids=["list", "bits", "floats"])
def test_masks_are_read_as_they_were_written(mask: Any) -> None:
    values = VALUES if mask is BITS or isinstance(mask[0][0][0], bool) else VALUES.astype(np.float64)
    assert Plan.from_dict(WHOLE | {"layers": [TWO_ROWS | {"mask": mask}]}) == painted(Mask(values))


SHAPES = [(4, 6), (1, 1), (7,), (2, 3, 5), (0, 4), (33, 31)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("soft", [False, True])
def test_packed_masks_come_back_cell_by_cell(shape: tuple[int, ...], soft: bool) -> None:
    values = np.random.default_rng(0).random((2, *shape))
    written = there_and_back(painted(Mask(values if soft else values < 0.5), spec=BatchSpec(3, shape)))
    assert written["plan_version"] == 2
    assert set(written["layers"][0]) == {"rows", "source", "opacity", "packed"}


@pytest.mark.parametrize("name", ["FMix", "CowMask", "GridMix"])
def test_a_mask_of_a_photo_takes_two_kilobytes(name: str) -> None:
    for seed in range(5):
        for per in ("sample", "batch"):
            plan = METHODS[name](per=per).draw(BatchSpec(8, (224, 224)), np.random.default_rng(seed))
            assert len(json.dumps(there_and_back(plan))) < 8 * 2048


def test_soft_masks_take_less_than_their_numbers() -> None:
    values = np.random.default_rng(0).random((2, 40, 60))
    plan = painted(Mask(values), spec=BatchSpec(3, (40, 60)))
    assert len(json.dumps(plan.to_dict())) < 0.7 * len(json.dumps(values.tolist()))


def packed(**changes: Any) -> Dict:
    """A plan of one packed mask, the layer changed."""
    plan = painted(Mask(VALUES)).to_dict()
    return plan | {"layers": [{**plan["layers"][0], **changes}]}


@pytest.mark.parametrize("version", [0, 3, 10**30, -1, 2.0, "2", True, None, [2]], ids=repr)
def test_another_version_is_refused(version: Any) -> None:
    match = r"Unknown version of a plan \(Plan\.from_dict\): got plan_version [03]; wanted a whole number from 1 to 2\. Read it"
    with pytest.raises(PlanError, match=match if version in (0, 3) and version is not True else r"Not a plan"):
        Plan.from_dict({**FIRST["boxes"][0], "plan_version": version})


def test_a_version_has_no_names_of_a_later_one() -> None:
    written = packed()
    assert Plan.from_dict(written) == painted(Mask(VALUES))
    for old in ({**written, "plan_version": 1}, {name: written[name] for name in written if name != "plan_version"}):
        with pytest.raises(PlanError, match=r"Not a plan .* got KeyError: 'packed'"):
            Plan.from_dict(old)


def test_one_region_a_layer() -> None:
    for more in ({"boxes": CORNERS}, {"mask": BITS}):
        with pytest.raises(PlanError, match=r"several regions: \['.*', 'packed'\]"):
            Plan.from_dict(packed(**more))


def bits(content: bytes, shape: Any = (2, 4, 6), name: str = "bits") -> Dict:
    return {"shape": list(shape), name: base64.b64encode(content).decode()}


GOOD = zlib.compress(np.packbits(VALUES).tobytes())
ZEROS = zlib.compress(bytes(50_000_000))
WRONG: dict[str, Any] = {
    "more than was promised": bits(ZEROS),
    "more numbers than were promised": bits(ZEROS, name="numbers"),
    "one byte more": bits(zlib.compress(np.packbits(VALUES).tobytes() + b"\0")),
    "one byte less": bits(zlib.compress(np.packbits(VALUES).tobytes()[:-1])),
    "cut off": bits(GOOD[:-1]),
    "damaged": bits(GOOD[:-1] + b"?"),
    "not compressed": bits(np.packbits(VALUES).tobytes()),
    "nothing": bits(b""),
    "of another shape": bits(ZEROS, (2, 4000, 50000)),
    "of more rows": bits(GOOD, (3, 4, 6)),
    "of a longer shape": bits(GOOD, (2, 4, 6, 1)),
    "no base64": {"shape": [2, 4, 6], "bits": "?"},
    "no text": {"shape": [2, 4, 6], "bits": 3},
    "no shape": {"bits": bits(GOOD)["bits"]},
    "no content": {"shape": [2, 4, 6]},
    "two contents": {**bits(GOOD), "numbers": bits(GOOD)["bits"]},
    "of an unknown form": bits(GOOD, name="runs"),
    "no numbers": bits(zlib.compress(np.full((2, 4, 6), np.nan).tobytes()), name="numbers"),
    "numbers beyond 1": bits(zlib.compress(np.full((2, 4, 6), 1.5).tobytes()), name="numbers"),
    "no mapping": [[1]],
    "a number": 7,
}  # fmt: skip


def refused(written: Any, match: str = "") -> None:
    """Refused, before more memory is taken than a plan of these samples would need."""
    tracemalloc.start()
    try:
        with pytest.raises(PlanError, match=match or r"^(Not a plan|Mask values out of range) "):
            Plan.from_dict(written)
        assert tracemalloc.get_traced_memory()[1] < 1e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_packed_masks_that_are_none_are_refused(wrong: Any) -> None:
    refused(packed(packed=wrong))


def test_a_plan_does_not_promise_more_than_anybody_has() -> None:
    """Specs are read from the same document: they may promise anything, too."""
    for shape in ([1 << 14, 1 << 14], [1 << 50], [1 << 53, 1 << 53]):
        huge = packed(packed=bits(ZEROS, (2, *shape))) | {"shape": shape}
        refused(huge, r"packed masks of \d+ bytes, more than 268435456")
    many = packed(packed=bits(ZEROS, (2, 4096, 8192))) | {"shape": [4096, 8192]}
    many["layers"] *= 5
    refused(many, r"packed masks of 335544320 bytes")


def test_masks_that_are_too_large_to_be_packed_are_written_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = painted(Mask(VALUES))
    for module in ("mixtransforms.plan", "mixtransforms.core.packing"):
        monkeypatch.setattr(f"{module}.MOST_UNPACKED", VALUES.nbytes)
    assert "packed" in there_and_back(plan)["layers"][0]
    two = Plan(SPEC, (plan.layers[0], plan.layers[0]))
    written = there_and_back(two)
    assert written == WHOLE | {"layers": [TWO_ROWS | {"mask": BITS}] * 2}


def test_layers_alone_are_read_within_the_same_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = painted(Mask(VALUES)).layers[0]
    assert Layer.from_dict(layer.to_dict()) == layer
    assert Layer.from_dict(layer.to_dict(packed=False)) == layer
    monkeypatch.setattr(packing, "MOST_UNPACKED", VALUES.nbytes - 1)
    with pytest.raises(ValueError, match="packed masks of 48 bytes, more than 47"):
        Layer.from_dict(layer.to_dict())


def test_a_new_name_raises_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a later version brings is one line in a table, in which dicts that have none of it stay as they are."""
    from mixtransforms import plan as module

    monkeypatch.setitem(module.LAYER_NAMES, "crop", 2)
    assert "plan_version" not in FIRST["boxes"][1].to_dict()
    assert FIRST["crop"][1].to_dict() == {"plan_version": 2, **FIRST["crop"][0]}
    with pytest.raises(PlanError, match="KeyError: 'crop'"):
        Plan.from_dict(FIRST["crop"][0])
