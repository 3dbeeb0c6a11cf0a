"""The verbs on NumPy arrays, with OpenCV and without, against exact arithmetic. Needs neither torch nor scipy."""

import numpy as np
import pytest
from forms import WAYS_OF, bits
from oracles import ulp

from mixtransforms import BatchSpec, Boxes, Layer, Mask, Plan
from mixtransforms.kernels import numpy as kernel

pytestmark = [pytest.mark.usefixtures("way"), pytest.mark.parametrize("way", WAYS_OF["numpy"], indirect=True)]

WEIGHTS = (0.5, 1 / 3, 0.25, 0.9999, 1e-5, 3 / 65536, 0.05, 0.15, 0.35, 0.45, 0.4142135623, 0.6180339887)
STEPS = 65536


@pytest.fixture(params=["opencv", "numpy alone"])
def numpy_with(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Runs a test with OpenCV, where it is installed, and without."""
    if request.param == "opencv":
        if kernel.opencv() is None:
            pytest.skip("OpenCV is not there, or does not load")
    else:
        monkeypatch.setattr(kernel, "opencv", lambda: None)
    return request.param


def over(opacity: float) -> Plan:
    """The first of two samples with the second over it."""
    return Plan(BatchSpec(2), (Layer(np.array([0]), np.array([1]), np.array([opacity])),))


def blend(first: np.ndarray, second: np.ndarray, opacity: float) -> np.ndarray:
    """``first`` with ``second`` over it."""
    return over(opacity).apply(np.stack([first, second]))[0]


def exact(first: np.ndarray, second: np.ndarray, opacity: float) -> np.ndarray:
    """The integer blend in whole numbers: weight to 1/65536, then half to even."""
    share = round(opacity * STEPS)
    total = first.astype(object) * (STEPS - share) + second.astype(object) * share
    down, rest = total // STEPS, total % STEPS
    up = (rest * 2 > STEPS) | ((rest * 2 == STEPS) & (down % 2 == 1))
    return (down + up).astype(first.dtype)


@pytest.mark.parametrize("opacity", WEIGHTS)
def test_every_pair_of_bytes(numpy_with: str, opacity: float) -> None:
    first, second = (grid.astype(np.uint8) for grid in np.meshgrid(np.arange(256), np.arange(256)))
    np.testing.assert_array_equal(blend(first, second, opacity), exact(first, second, opacity))


def test_half_goes_to_even(numpy_with: str) -> None:
    first, second = np.array([0, 1, 2, 253, 254], np.uint8), np.array([1, 2, 3, 254, 255], np.uint8)
    np.testing.assert_array_equal(blend(first, second, 0.5), [0, 2, 2, 254, 254])


@pytest.mark.parametrize("dtype", ["uint16", "int16"])
@pytest.mark.parametrize("opacity", WEIGHTS)
def test_wider_integers(numpy_with: str, dtype: str, opacity: float) -> None:
    limits = np.iinfo(dtype)
    pairs = np.random.default_rng(0).integers(limits.min, limits.max, (2, 4000), dtype, endpoint=True)
    pairs[:, :4] = [[limits.min, limits.max] * 2, [limits.max, limits.min, limits.min, limits.max]]
    np.testing.assert_array_equal(blend(*pairs, opacity), exact(*pairs, opacity))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("opacity", WEIGHTS)
def test_floats_are_within_two_units(numpy_with: str, dtype: str, opacity: float) -> None:
    first, second = np.random.default_rng(1).normal(size=(2, 5000)).astype(dtype) * np.array(100, dtype)
    wide = np.longdouble
    expected = first.astype(wide) * (1 - wide(opacity)) + second.astype(wide) * wide(opacity)
    seen = blend(first, second, opacity)
    assert seen.dtype == dtype
    assert (np.abs(seen.astype(wide) - expected) <= 2 * ulp(first, second, dtype)).all()


def test_half_precision_blends_with_a_float32_weight(numpy_with: str) -> None:
    """Weights near 1 would vanish in float16."""
    first, second = np.full(9, 2048, np.float16), np.zeros(9, np.float16)
    np.testing.assert_array_equal(blend(first, second, 1e-4), np.full(9, 2048, np.float16))
    np.testing.assert_array_equal(blend(first, second, 6e-4), np.full(9, 2047, np.float16))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_infinities_that_meet_are_nan_and_silent(numpy_with: str, dtype: str) -> None:
    """Whatever computes it, with NumPy or OpenCV, no warning is given."""
    first, second = np.full((4, 5, 1), np.inf, dtype), np.full((4, 5, 1), -np.inf, dtype)
    assert np.isnan(blend(first, second, 0.5)).all()
    assert np.isnan(blend(first[:, ::2], second[:, ::2], 0.5)).all()
    soft = Plan(BatchSpec(2, (4, 5)), (Layer(np.array([0]), np.array([1]), np.ones(1), Mask(np.full((1, 4, 5), 0.5))),))
    assert np.isnan(soft.apply(np.stack([first, second]))[0]).all()


@pytest.mark.parametrize("opacity", [0.0, 1.0])
@pytest.mark.parametrize("region", ["everywhere", "bool", "soft"])
def test_zero_and_one_select(numpy_with: str, region: str, opacity: float) -> None:
    batch = np.random.default_rng(2).random((2, 4, 5, 3)).astype(np.float32)
    batch[0, 0], batch[0, 1], batch[1, 2], batch[1, 3] = np.nan, np.inf, -np.inf, np.nan
    batch.view(np.uint32)[0, 0, 0] = 0x7FC12345  # a NaN with something to say
    field = {"everywhere": None, "bool": Mask(np.ones((1, 4, 5), bool)), "soft": Mask(np.ones((1, 4, 5)))}[region]
    plan = Plan(BatchSpec(2, (4, 5)), (Layer(np.array([0]), np.array([1]), np.array([opacity]), field),))
    assert bits(plan.apply(batch)[0]) == bits(batch[int(opacity)])


@pytest.mark.parametrize(
    "dtype",
    [
        "bool",
        "int8",
        "uint8",
        "int16",
        "uint16",
        "int32",
        "uint32",
        "int64",
        "uint64",
        "float16",
        "float64",
        "complex64",
    ],
)
@pytest.mark.parametrize("moved", [False, True])
def test_pastes_copy_any_dtype(dtype: str, moved: bool) -> None:
    raw = np.random.default_rng(3).bytes(3 * 7 * 9 * 2 * np.dtype(dtype).itemsize)
    batch = (np.frombuffer(raw, np.uint8) % 2).astype(bool) if dtype == "bool" else np.frombuffer(raw, dtype)
    batch = batch[: 3 * 7 * 9 * 2].reshape(3, 7, 9, 2)
    region, crop = Boxes([[1, 2]], [[4, 7]]), Boxes([[4, 0]], [[7, 5]])
    plan = Plan(
        BatchSpec(3, (7, 9)), (Layer(np.array([2]), np.array([0]), np.ones(1), region, crop if moved else None),)
    )
    expected = batch.copy()
    expected[2, 1:4, 2:7] = batch[0, 4:7, 0:5] if moved else batch[0, 1:4, 2:7]
    assert bits(plan.apply(batch)) == bits(expected)


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_memory_that_is_not_dense(numpy_with: str, dtype: str) -> None:
    """Channels-first views, every other column, reversed rows, broadcast samples: values decide, not strides."""
    dense = np.rint(np.random.default_rng(4).random((2, 6, 8, 3)) * 255).astype(dtype)
    expected = blend(*dense, 0.3)
    wide = np.repeat(dense, 2, axis=2)
    views = {
        "strided": wide[:, :, ::2],
        "reversed": dense[:, ::-1].copy()[:, ::-1],
        "transposed": np.ascontiguousarray(dense.transpose(0, 3, 2, 1)).transpose(0, 3, 2, 1),
        "fortran": np.asfortranarray(dense),
    }
    for name, view in views.items():
        np.testing.assert_array_equal(view, dense)
        np.testing.assert_array_equal(blend(*view, 0.3), expected, err_msg=name)
    flat = np.broadcast_to(dense[:, :1, :1], dense.shape)
    np.testing.assert_array_equal(blend(*flat, 0.3), np.broadcast_to(expected[:1, :1], expected.shape))


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8", "uint16"])
def test_the_other_byte_order(numpy_with: str, dtype: str) -> None:
    """As files of astronomers and old machines have it."""
    pair = np.rint(np.random.default_rng(4).random((2, 5, 6, 1)) * 200).astype(dtype)
    turned = pair.astype(np.dtype(dtype).newbyteorder(">"))
    mixed = over(0.3).apply(turned)
    assert mixed.dtype == turned.dtype
    np.testing.assert_array_equal(mixed, over(0.3).apply(pair))


def test_read_only_arrays_are_read(numpy_with: str) -> None:
    batch = np.random.default_rng(5).random((2, 4, 4, 3)).astype(np.float32)
    batch.flags.writeable = False
    seen = over(0.5).apply(batch)
    assert seen.flags.writeable
    np.testing.assert_allclose(seen[0], batch.mean(axis=0), rtol=1e-6)


@pytest.mark.parametrize("shape", [(0, 4, 4, 3), (2, 4, 4, 0), (2, 0, 4, 3), (2, 1, 1, 1), (1, 1, 9, 1)])
def test_nothing_much(numpy_with: str, shape: tuple[int, ...]) -> None:
    batch = np.ones(shape, np.uint8)
    rows = np.arange(shape[0])
    plan = Plan(BatchSpec(shape[0]), (Layer(rows, rows[::-1], np.full(shape[0], 0.5)),) if len(rows) else ())
    np.testing.assert_array_equal(plan.apply(batch), batch)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
def test_resizing_keeps_constants(dtype: str) -> None:
    value = {"uint8": 201, "uint16": 60001}.get(dtype, 0.7)
    batch = np.full((2, 9, 13, 2), value, dtype)
    for crop in ((9, 13), (4, 5), (1, 1), (8, 2)):
        for frame in ((9, 13), (3, 11), (1, 1)):
            layer = Layer(np.array([0]), np.array([1]), np.ones(1), Boxes([[0, 0]], [frame]), Boxes([[0, 0]], [crop]))
            seen = Plan(BatchSpec(2, (9, 13)), (layer,)).apply(batch)
            np.testing.assert_allclose(seen, batch, rtol=1e-15 if dtype == "float64" else 0, atol=0)


def test_a_shrunk_picture_is_the_mean_of_its_blocks() -> None:
    """Halving weighs 1, 3, 3, 1: what every antialiased bilinear resize does away from the edges."""
    signal = np.zeros((2, 1, 12, 1))
    signal[1, 0, 6] = 8.0
    layer = Layer(np.array([0]), np.array([1]), np.ones(1), Boxes([[0, 0]], [[1, 6]]), Boxes([[0, 0]], [[1, 12]]))
    seen = Plan(BatchSpec(2, (1, 12)), (layer,)).apply(signal)[0, 0, :, 0]
    np.testing.assert_allclose(seen[:6], [0, 0, 1, 3, 0, 0], atol=1e-3)


def test_shares_of_classes() -> None:
    ids, hot = np.array([2, 0, -1, 1], np.int8), np.array([[0, 0, 1], [1, 0, 0], [0, 0, 0], [0, 1, 0]], np.float32)
    plan = Plan(BatchSpec(4), (Layer(np.array([0, 2, 3]), np.array([1, 3, 0]), np.array([0.75, 0.5, 1])),))
    for mixed in (kernel.soft_labels(ids, 3, -1, plan), kernel.combine(hot, plan)):
        np.testing.assert_array_equal(mixed, [[0.75, 0, 0.25], [1, 0, 0], [0, 0.5, 0], [0, 0, 1]])
        assert mixed.dtype == np.float32


def test_shares_of_one_class_add_up() -> None:
    np.testing.assert_array_equal(kernel.soft_labels(np.array([1, 1]), 2, None, over(0.75)), [[0, 1], [0, 1]])
