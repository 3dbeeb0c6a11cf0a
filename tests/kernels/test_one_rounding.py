"""Several blends of whole integer images are one weighted sum, rounded once, in every painter alike."""

from typing import Any

import numpy as np
import pytest
from forms import host

from mixtransforms import BatchSpec, Boxes, Layer, Mask, Plan
from mixtransforms.kernels.paint import paint

SIZE, SHAPE = 5, (6, 8)
DTYPES = ("uint8", "uint16", "int16")


def images(dtype: str, seed: int = 0) -> np.ndarray:
    kind = np.iinfo(dtype)
    return np.random.default_rng(seed).integers(kind.min, kind.max + 1, (SIZE, *SHAPE, 3)).astype(dtype)


def weights(plan: Plan) -> np.ndarray:
    """What every sample has of every other one, ``(B, B)``, by the opacities alone."""
    table = np.eye(SIZE)
    for layer in plan.layers:
        for row, source, share in zip(layer.rows, layer.source, layer.opacity, strict=True):
            table[row] = (1 - share) * table[row] + share * np.eye(SIZE)[source]
    return table


def blends(seed: int, count: int, opacities: tuple[float, ...] = (0.0, 0.2, 1 / 3, 0.7, 1.0)) -> Plan:
    rng = np.random.default_rng(seed)
    layers = []
    for _ in range(count):
        rows = np.flatnonzero(rng.random(SIZE) < 0.9)
        layers.append(Layer(rows, rng.integers(0, SIZE, len(rows)), rng.choice(opacities, len(rows))))
    return Plan(BatchSpec(SIZE, SHAPE), tuple(layers))


def painters(plan: Plan, batch: np.ndarray, forms: tuple[bool, ...] = (False, True)) -> dict[str, Any]:
    """The batch painted in all ways that there are, as tensors of the given forms."""
    overwritten = batch.copy()
    paint(plan, overwritten, (1, 2), inplace=True)
    found = {"rows": plan.apply(batch), "in place": overwritten}
    first = np.moveaxis(batch, -1, 1)
    found["strided"] = np.moveaxis(plan.apply(first, "channels_first"), 1, -1)
    torch = pytest.importorskip("torch", reason="torch is not installed")
    from mixtransforms.kernels import tensor_painter

    tensor = torch.from_numpy(batch)
    found["torch"] = host(plan.apply(tensor, "channels_last"))
    for full in forms:
        tensors = plan.tensors("cpu", full=full)
        found[f"tensors {full}"] = host(tensor_painter.paint(tensor, tensors, (1, 2)))
    return found


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("count", [2, 3, 5])
def test_several_blends_are_one_weighted_sum(count: int, dtype: str) -> None:
    for seed in range(6):
        plan, batch = blends(seed, count), images(dtype, seed)
        exact = np.einsum("ij,j...->i...", weights(plan), batch.astype(np.float64))
        all_ways = painters(plan, batch)
        # Half a level by rounding, and what the weights' own rounding to 1/65536 makes of the range.
        most = 0.5 + count * (float(np.iinfo(dtype).max) - np.iinfo(dtype).min) / 65536 / 2 + 1e-6
        for name, got in all_ways.items():
            assert got.dtype == dtype
            assert np.abs(got.astype(np.float64) - exact).max() <= most, name
            np.testing.assert_array_equal(got, all_ways["rows"], err_msg=name)


def test_no_pixel_is_off_by_more_than_rounding() -> None:
    """Layer by layer, one in six was: of four equal parts, weights are whole parts of 65536 and sums exact."""
    layers = tuple(Layer(range(SIZE), (np.arange(SIZE) + step) % SIZE, 1 / 2**step) for step in (1, 2, 3))
    plan, batch = Plan(BatchSpec(SIZE, SHAPE), layers), images("uint8")
    exact = np.einsum("ij,j...->i...", weights(plan), batch.astype(np.float64))
    np.testing.assert_array_equal(plan.apply(batch), np.rint(exact))


@pytest.mark.parametrize("dtype", DTYPES)
def test_painters_agree_where_blends_have_places(dtype: str) -> None:
    """Boxes and masks between blends of whole samples: these are rounded before, in every painter."""
    for seed in range(12):
        rng, layers = np.random.default_rng(seed), list(blends(seed, 4).layers)
        start = rng.integers(0, SHAPE, (SIZE, 2))
        regions: list[Any] = [Boxes(start, rng.integers(start, np.array(SHAPE) + 1))]
        regions += [Mask(rng.random((SIZE, *SHAPE)))] if seed % 2 else []
        for region in regions:
            opacity = rng.choice([0.0, 0.3, 1.0], SIZE)
            layers.insert(rng.integers(5), Layer(range(SIZE), rng.permutation(SIZE), opacity, region))
        plan, batch = Plan(BatchSpec(SIZE, SHAPE), tuple(layers)), images(dtype, seed)
        all_ways = painters(plan, batch)
        for name, got in all_ways.items():
            np.testing.assert_array_equal(got, all_ways["rows"], err_msg=f"{name}, seed {seed}")


def test_large_ids_are_copied() -> None:
    """What only pastes is not computed with, however many layers there are."""
    ids = np.arange(SIZE * 48).reshape(SIZE, *SHAPE) + (1 << 60)
    plan = blends(0, 3, (1.0, 0.0))
    for got in painters(plan, ids, (False,)).values():
        assert set(got.flat) <= set(ids.flat)
