"""The kernel in C is handed random layers whose numbers may be anything: it paints what is right, and touches nothing else.

Plans are checked when they are made, so that no user brings such layers here. Addresses are worked out of these numbers all
the same, and the kernel looks at every one of them before it reads or writes a byte.
"""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import oracles
import pytest
import tiers

from mixtransforms import Boxes, Layer
from mixtransforms.kernels import compiled, compiled_rows
from mixtransforms.kernels.paint import paint_checked

pytestmark = pytest.mark.skipif(compiled.LIBRARY is None, reason=f"no kernel in C: {compiled.ABSENCE}")

CASES = 4000 if tiers.everything else 150

FAR = [-(2**63), -(2**32), -(2**31), -2, -1, 2**31 - 1, 2**31, 2**32, 2**32 + 1, 2**62, 2**63 - 1]
NO_SHARES = [np.nan, np.inf, -np.inf, -1e-9, 1 + 1e-9, -1.0, 2.0, 1e308]


class RefusedError(Exception):
    """What the test raises in the place of painting in another way."""


@pytest.fixture(params=[1, 3], ids="{} threads".format)
def watched(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What the kernel answered; one that was refused ends the call. Batches of every size are shared out."""
    kernel, answers = compiled.LIBRARY, []

    def paint(*job: int) -> int:
        answers.append(kernel.mixtransforms_paint(*job))
        if answers[-1] < 0:
            raise RefusedError
        return answers[-1]

    monkeypatch.setattr(compiled, "LIBRARY", SimpleNamespace(mixtransforms_paint=paint))
    monkeypatch.setattr(compiled_rows, "LARGE", 0)
    monkeypatch.setattr(compiled_rows, "PIECE", 1)
    monkeypatch.setattr(compiled_rows, "thread_count", lambda: request.param)
    return answers


def numbers(rng: np.random.Generator, size: int, shape: Sequence[int]) -> dict[str, Any]:
    """Those of a layer that is in order."""
    count = int(rng.integers(1, size + 1))
    corners = np.sort(rng.integers(0, np.array(shape) + 1, (2, count, len(shape))), axis=0)
    return {
        "rows": rng.permutation(size)[:count],
        "source": rng.integers(0, size, count),
        "opacity": rng.choice([0.0, 0.25, 0.5, 1.0], count),
        "start": corners[0],
        "stop": corners[1],
    }


def damage(rng: np.random.Generator, layer: dict[str, Any], size: int, shape: Sequence[int]) -> None:
    """Replaces one number of a layer; often by one that is as good."""
    name = str(rng.choice(list(layer)))
    if name == "opacity":
        layer[name].flat[rng.integers(layer[name].size)] = rng.choice(NO_SHARES)
    else:
        limit = size if name in ("rows", "source") else max(shape)
        layer[name].flat[rng.integers(layer[name].size)] = rng.choice([*FAR, *range(limit + 2)])


def is_right(layer: dict[str, Any], size: int, shape: Sequence[int]) -> bool:
    """Whether all it says is inside of the batch."""
    inside = all(0 <= index < size for name in ("rows", "source") for index in layer[name].tolist())
    boxes = zip(layer["start"].tolist(), layer["stop"].tolist(), strict=True)
    corners = all(
        0 <= a <= b <= length for start, stop in boxes for a, b, length in zip(start, stop, shape, strict=True)
    )
    return inside and corners and all(0 <= share <= 1 for share in layer["opacity"].tolist())


def as_layer(layer: dict[str, Any], boxed: bool) -> Layer:
    return Layer(
        *(layer[name] for name in ("rows", "source", "opacity")),
        (boxed and Boxes(layer["start"], layer["stop"])) or None,
    )


@pytest.mark.parametrize("way", ["apart", "in place", "samples"])
def test_numbers_of_any_size(way, watched):
    rng = np.random.default_rng(len(way))
    outcomes = {True: 0, False: 0}
    for _ in range(CASES):
        size, shape = int(rng.integers(1, 7)), rng.integers(1, 9, 2).tolist()
        layers = [numbers(rng, size, shape) for _ in range(rng.integers(1, 3))]
        boxed = [bool(rng.random() < 0.7) for _ in layers]
        if rng.random() < 0.7:
            damage(rng, layers[rng.integers(len(layers))], size, shape)
        for layer, has_boxes in zip(layers, boxed, strict=True):
            if not has_boxes:
                layer["start"], layer["stop"] = np.zeros_like(layer["start"]), np.zeros_like(layer["stop"])
        if any((layer["start"][:, 0] < 0).any() for layer in layers):
            continue  # by a first number below 0 a job says that there is no box; plans have none such
        right = all(is_right(layer, size, shape) for layer in layers)
        outcomes[right] += 1
        plan: Any = SimpleNamespace(
            layers=tuple(map(as_layer, layers, boxed)), spec=SimpleNamespace(shape=shape), canvas=None, scale=None
        )
        batch = rng.integers(0, 1 << 12, (size, *shape, 3)).astype(rng.choice([np.float32, np.float64]))
        assert_painted(plan, batch, way, oracles.paint(plan, batch) if right else None)
        assert (watched[-1] >= 0) == right
    assert min(outcomes.values()) > CASES / 5, outcomes


def assert_painted(plan: Any, batch: Any, way: str, wanted: Any) -> None:
    """The result, or where nothing is wanted, that nothing is written."""
    given, out = batch.copy(), np.full_like(batch, -1)
    axes = [1, 2]
    try:
        if way == "samples":
            painted = paint_checked(plan, out, axes, originals=list(given))
        else:
            painted = paint_checked(plan, given, axes, inplace=way == "in place")
    except RefusedError:
        assert wanted is None
        np.testing.assert_array_equal(given, batch)
        np.testing.assert_array_equal(out, -1)
    else:
        np.testing.assert_array_equal(painted, wanted)
