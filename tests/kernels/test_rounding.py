"""Floats are blended by one rule: two products and a sum, each rounded, and halves once more. Whoever paints, any size."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from forms import bits, painted_by
from numpy.typing import NDArray

from mixtransforms import BatchSpec, Boxes, Layer, Mask, Plan
from mixtransforms.kernels.paint import paint

SHAPES = {"small rows": (3, 6, 7), "rows of one block": (3, 70, 90), "rows of two blocks": (2, 150, 111)}
DTYPES = ("float16", "float32", "float64")
SHARES = (0.3, 1 / 3, 0.5, 1e-5, 1 - 1e-9, 0.6180339887)


def values(count: int, dtype: str, seed: int = 0) -> NDArray[Any]:
    """Numbers of all magnitudes and signs, zeros and the least ones among them."""
    rng = np.random.default_rng(seed)
    kind = np.finfo(dtype)
    exponents = rng.integers(-8, 8, count)
    exponents[::7] = kind.minexp + 2
    found = np.ldexp(rng.normal(size=count), exponents).astype(dtype)
    found[::11], found[5::11] = 0.0, -0.0
    found[3::97] = kind.smallest_subnormal
    return found


def rule(base: NDArray[Any], other: NDArray[Any], share: Any) -> NDArray[Any]:
    """The blend by its definition. Products of float32 are exact in float64, and sums there are rounded as if once."""
    wide = np.float64
    single = np.float32
    keep, give = (1.0 - np.asarray(share)).astype(single), np.asarray(share).astype(single)
    products = [
        (part.astype(wide) * weight.astype(wide)).astype(single) for part, weight in ((base, keep), (other, give))
    ]
    return (products[0].astype(wide) + products[1].astype(wide)).astype(single).astype(base.dtype)


def rule_of_doubles(base: float, other: float, share: float) -> float:
    """The same in whole numbers, which Python divides and rounds rightly."""
    products = [float(Fraction(base) * Fraction(1.0 - share)), float(Fraction(other) * Fraction(share))]
    return products[0] + products[1] if 0.0 in products else float(sum(map(Fraction, products)))


def painters(plan: Plan, batch: NDArray[Any], axes: tuple[int, ...] = ()) -> Iterator[tuple[str, NDArray[Any]]]:
    """The batch as everybody paints it."""
    for way in ("batch", "rows"):
        with painted_by(way):
            yield f"numpy, {way}", paint(plan, batch, axes)
            own = batch.copy()
            yield f"numpy, {way}, in place", paint(plan, own, axes, inplace=True)
    yield "numpy", paint(plan, batch, axes)
    yield "numpy, strided", paint(plan, np.repeat(batch, 2, axis=-1)[..., ::2], axes)
    own = np.repeat(batch, 2, axis=-1)[..., ::2]
    yield "numpy, strided, in place", paint(plan, own, axes, inplace=True)
    yield "numpy, other byte order", paint(plan, batch.astype(batch.dtype.newbyteorder(">")), axes).astype(batch.dtype)
    torch = pytest.importorskip("torch", reason="torch is not installed")
    for name, mixed in of_tensors(plan, torch.from_numpy(batch), axes):
        yield name, mixed.detach().numpy()


def of_tensors(plan: Plan, batch: Any, axes: tuple[int, ...] = ()) -> Iterator[tuple[str, Any]]:
    import torch

    from mixtransforms.kernels import tensor_painter

    for way in ("batch", "rows", "tensors"):
        with painted_by(way):
            yield f"torch, {way}", paint(plan, batch, axes)
            yield f"torch, {way}, in place", paint(plan, batch.clone(), axes, inplace=True)
    yield "torch, strided", paint(plan, batch.repeat_interleave(2, -1)[..., ::2], axes)
    yield "torch, of a gradient", paint(plan, batch.clone().requires_grad_(), axes)
    for full in (False, True):
        yield f"tensors, full={full}", tensor_painter.paint(batch, plan.tensors(full=full), axes)
    # What traces a function sees other operations.
    tensors = plan.tensors()
    mapped = torch.func.vmap(lambda one: tensor_painter.paint(one, tensors, axes), in_dims=-1, out_dims=-1)
    yield "tensors, mapped", mapped(batch[..., None])[..., 0]


def mixing(size: int, share: float, region: Any = None, axes: tuple[int, ...] = ()) -> Plan:
    """Every sample but the last with its neighbour over it."""
    rows = np.arange(size - 1)
    return Plan(BatchSpec(size, axes), (Layer(rows, rows + 1, np.full(size - 1, share), region),))


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_painter_follows_the_rule(shape: str, dtype: str, share: float) -> None:
    size, lengths = 3, SHAPES[shape]
    batch = values(size * int(np.prod(lengths)), dtype).reshape(size, *lengths)
    wanted = batch.copy()
    if dtype == "float64":
        some = np.arange(0, batch[0].size, max(1, batch[0].size // 400))
    else:
        wanted[:-1] = rule(batch[:-1], batch[1:], share)
    for name, mixed in painters(mixing(size, share), batch):
        assert mixed.dtype == batch.dtype, name
        if dtype == "float64":
            for row in range(size - 1):
                pairs = zip(batch[row].flat[some], batch[row + 1].flat[some], strict=True)
                found = [rule_of_doubles(float(base), float(other), share) for base, other in pairs]
                assert bits(mixed[row].flat[some]) == bits(np.array(found)), name
            wanted = mixed if name == "numpy, batch" else wanted
        assert bits(mixed) == bits(wanted), name


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("shape", SHAPES)
def test_bfloat16_is_rounded_as_float16_is(shape: str, share: float) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    size, lengths = 3, SHAPES[shape]
    batch = torch.from_numpy(values(size * int(np.prod(lengths)), "float32").reshape(size, *lengths)).bfloat16()
    single = batch.float().numpy()
    blend = rule(single[:-1], single[1:], share).view(np.uint32)
    wanted = ((blend + np.uint32(0x7FFF) + ((blend >> 16) & 1)) >> 16).astype(np.uint16)
    for name, mixed in of_tensors(mixing(size, share), batch):
        assert mixed.dtype == torch.bfloat16, name
        assert bits(mixed[:-1]) == bits(wanted), name
        assert bits(mixed[-1]) == bits(batch[-1]), name


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("region", ["box", "mask", "soft mask"])
def test_boxes_and_masks_follow_the_rule(region: str, dtype: str) -> None:
    size, shape = 3, (9, 13)
    batch = values(size * 2 * 9 * 13, dtype).reshape(size, 2, *shape)
    rng = np.random.default_rng(0)
    field = np.round(rng.random((2, *shape)), 0 if region == "mask" else 9)
    field[:, 0, :3], field[:, 1, :3] = 0.0, 1.0
    where: Any = Mask(field == 1.0 if region == "mask" else field)
    if region == "box":
        field, where = np.zeros((2, *shape)), Boxes([[2, 3]] * 2, [[7, 11]] * 2)
        field[:, 2:7, 3:11] = 1.0
    for share in (0.3, 1.0):
        weight = (share * field)[:, None] * np.ones((1, 2, 1, 1))
        base, other = batch[:-1], batch[1:]
        if dtype == "float64":
            mixed = np.array(
                [rule_of_doubles(*three) for three in zip(base.flat, other.flat, weight.flat, strict=True)]
            )
            mixed = mixed.reshape(base.shape)
        else:
            mixed = rule(base, other, weight)
        wanted = np.concatenate([np.where(weight == 0, base, np.where(weight == 1, other, mixed)), batch[-1:]])
        for name, seen in painters(mixing(size, share, where, shape), batch, (2, 3)):
            assert bits(seen) == bits(wanted), name


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_layers_are_rounded_one_after_the_other(dtype: str, shape: str) -> None:
    """Sums of three and more have an order, and halves are halves between two layers."""
    size, lengths, rng = 4, SHAPES[shape], np.random.default_rng(1)
    batch = values(size * int(np.prod(lengths)), dtype).reshape(size, *lengths)
    layers, wanted = [], batch.copy()
    for share in (0.3, 0.71, 0.123):
        source = rng.permutation(size)
        layers.append(Layer(range(size), source, np.full(size, share)))
        if dtype == "float64":  # of which the rule is shown above
            wanted = wanted * (1.0 - share) + batch[source] * share
        else:
            wanted = rule(wanted, batch[source], share)
    for name, mixed in painters(Plan(BatchSpec(size), tuple(layers)), batch):
        assert bits(mixed) == bits(wanted), name


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_not_finite_follows_it_too(shape: str, dtype: str) -> None:
    """Without a warning; what has no weight leaves no trace."""
    batch = np.ones((4, *SHAPES[shape]), dtype)
    batch[0], batch[1], batch[2, ..., 0] = np.inf, -np.inf, np.nan
    batch[3] = np.finfo(dtype).max
    plan = Plan(BatchSpec(4), (Layer([0, 1, 2, 3], [1, 3, 3, 0], [0.5, 0.0, 1.0, 1e-9]),))
    for name, mixed in painters(plan, batch):
        assert np.isnan(mixed[0]).all(), name
        assert bits(mixed[1:3]) == bits(batch[[1, 3]]), name
        assert (mixed[3] == np.inf).all(), name


@pytest.mark.parametrize("dtype", DTYPES)
def test_labels_are_sums_in_the_order_of_sources(dtype: str) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    from mixtransforms.kernels import numpy, tensor_painter
    from mixtransforms.kernels import torch as of_torch

    rng, size = np.random.default_rng(2), 7
    layers = [Layer(range(size), rng.permutation(size), rng.random(size)) for _ in range(3)]
    plan, rows = Plan(BatchSpec(size), tuple(layers)), values(size * 50, dtype).reshape(size, 50)
    precise = np.result_type(dtype, np.float32)
    total = np.zeros((size, 50), precise)
    for source, share in zip(plan.sources.T, plan.share.T, strict=True):
        total = total + share[:, None].astype(precise) * rows[source].astype(precise)
    for mixed in (
        numpy.combine(rows, plan),
        of_torch.combine(torch.from_numpy(rows), plan).numpy(),
        tensor_painter.combine(torch.from_numpy(rows), plan.tensors()).numpy(),
    ):
        assert mixed.dtype == precise
        np.testing.assert_array_equal(mixed, total)


def test_only_products_and_sums_are_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """An operation that fuses rounds floats once less on some machines, so that no test on another one sees it."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    from torch.utils._python_dispatch import TorchDispatchMode

    class Called(TorchDispatchMode):
        def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            names.add(function.name().removeprefix("aten::").split(".")[0].rstrip("_"))
            assert (kwargs or {}).get("alpha", 1) == 1
            return function(*args, **(kwargs or {}))

    from mixtransforms.kernels import numpy

    class OpenCV:
        def __getattr__(self, name: str) -> Any:
            raise AssertionError(f"{name} of OpenCV blends floats")

    monkeypatch.setattr(numpy, "opencv", OpenCV)
    for dtype in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
        for shape in SHAPES.values():
            names: set[str] = set()
            with Called():
                for _ in of_tensors(mixing(3, 0.3), torch.rand(3, *shape).to(dtype)):
                    pass
            assert names.isdisjoint(
                {"addcmul", "addcdiv", "lerp", "baddbmm", "addmm", "embedding_bag", "_embedding_bag"}
            )
            assert {"mul", "add"} <= names
