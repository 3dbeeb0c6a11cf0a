"""The verbs on tensors: the same results as on NumPy arrays, differentiable, on any device."""

from typing import Any

import numpy as np
import pytest
from forms import Form, bits, painted_by

from mixtransforms import BatchSpec, Boxes, Layer, Mask, Plan, methods

torch = pytest.importorskip("torch", reason="torch is not installed")

pytestmark = pytest.mark.usefixtures("way")

WEIGHTS = (0.5, 1 / 3, 0.25, 0.9999, 1e-5, 3 / 65536, 0.05, 0.15, 0.35, 0.45, 0.4142135623, 0.6180339887)
DTYPES = ("uint8", "uint16", "float16", "bfloat16", "float32", "float64")


def blend(batch: Any, opacity: float) -> Any:
    """The first of two samples with the second over it."""
    return Plan(BatchSpec(2), (Layer(np.array([0]), np.array([1]), np.array([opacity])),)).apply(batch)


@pytest.mark.parametrize("opacity", WEIGHTS)
def test_every_pair_of_bytes_is_numpys(opacity: float) -> None:
    pairs = np.stack([grid.astype(np.uint8) for grid in np.meshgrid(np.arange(256), np.arange(256))])
    np.testing.assert_array_equal(blend(torch.from_numpy(pairs), opacity).numpy(), blend(pairs, opacity))


@pytest.mark.parametrize("dtype", ["uint16", "int16"])
@pytest.mark.parametrize("opacity", WEIGHTS)
def test_wider_integers_are_numpys(dtype: str, opacity: float) -> None:
    limits = np.iinfo(dtype)
    pairs = np.random.default_rng(0).integers(limits.min, limits.max, (2, 4000), dtype, endpoint=True)
    pairs[:, :4] = [[limits.min, limits.max] * 2, [limits.max, limits.min, limits.min, limits.max]]
    np.testing.assert_array_equal(blend(torch.from_numpy(pairs), opacity).numpy(), blend(pairs, opacity))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("opacity", WEIGHTS)
def test_floats_are_numpys(dtype: str, opacity: float) -> None:
    pairs = np.random.default_rng(1).normal(size=(2, 5000)).astype(dtype) * np.array(100, dtype)
    assert bits(blend(torch.from_numpy(pairs), opacity)) == bits(blend(pairs, opacity))


@pytest.mark.parametrize("opacity", WEIGHTS)
def test_bfloat16_is_the_float32_blend_rounded(opacity: float) -> None:
    pairs = torch.randn(2, 5000, generator=torch.Generator().manual_seed(0)).bfloat16()
    seen, wide = blend(pairs, opacity)[0], blend(pairs.float(), opacity)[0]
    assert seen.dtype == torch.bfloat16
    assert torch.equal(seen, wide.bfloat16())


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
        "bfloat16",
        "complex64",
    ],
)
@pytest.mark.parametrize("moved", [False, True])
def test_pastes_copy_any_dtype(dtype: str, moved: bool) -> None:
    kind = getattr(torch, dtype)
    raw = torch.randint(0, 256, (3, 2, 7, 9 * kind.itemsize), dtype=torch.uint8)
    batch = (raw % 2).bool() if dtype == "bool" else raw.view(kind)
    region, crop = Boxes([[1, 2]], [[4, 7]]), Boxes([[4, 0]], [[7, 5]])
    plan = Plan(
        BatchSpec(3, (7, 9)), (Layer(np.array([2]), np.array([0]), np.ones(1), region, crop if moved else None),)
    )
    expected = batch.clone()
    expected[2, :, 1:4, 2:7] = batch[0, :, 4:7, 0:5] if moved else batch[0, :, 1:4, 2:7]
    seen = plan.apply(batch)
    assert seen.dtype == kind
    assert bits(seen) == bits(expected)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
@pytest.mark.parametrize("crop", [(9, 13), (4, 5), (1, 1), (8, 2)])
def test_resizes_are_numpys(dtype: str, crop: tuple[int, int]) -> None:
    theirs, ours = Form("torch", dtype), Form("numpy", dtype)
    values = np.rint(np.random.default_rng(2).random((2, 9, 13, 2)) * 255)
    for frame in ((9, 13), (3, 11), (1, 1)):
        layer = Layer(np.array([0]), np.array([1]), np.ones(1), Boxes([[0, 0]], [frame]), Boxes([[0, 0]], [crop]))
        plan = Plan(BatchSpec(2, (9, 13)), (layer,))
        left, right = ours.read(plan.apply(ours.build(values))), theirs.read(plan.apply(theirs.build(values)))
        np.testing.assert_allclose(left, right, rtol=0, atol=0 if ours.integer else 255 * 2.0**-23)


@pytest.mark.parametrize("make", ["float8", "conjugate", "negative"])
def test_tensors_that_numpy_cannot_see_are_pasted(make: str) -> None:
    batch = torch.randn(3, 2, 7, 9, generator=torch.Generator().manual_seed(0))
    if make == "float8":
        batch = batch.to(torch.float8_e4m3fn)
    else:
        batch = torch.complex(batch, batch).conj()
        batch = batch.imag if make == "negative" else batch
    plan = Plan(BatchSpec(3, (7, 9)), (Layer(np.array([2]), np.array([0]), np.ones(1), Boxes([[1, 2]], [[4, 7]])),))
    expected = batch.clone()
    expected[2, :, 1:4, 2:7] = batch[0, :, 1:4, 2:7]
    seen = plan.apply(batch)
    assert seen.dtype == batch.dtype
    assert bits(seen.resolve_conj().resolve_neg()) == bits(expected.resolve_conj().resolve_neg())


@pytest.mark.parametrize("dtype", DTYPES)
def test_expanded_tensors_are_read(dtype: str) -> None:
    form = Form("torch", dtype)
    one = form.build(np.rint(np.random.default_rng(3).random((2, 1, 1, 3)) * 200))
    seen, expected = (form.read(blend(wide, 0.3)) for wide in (one.expand(2, 3, 5, 7), one))
    assert seen.shape == (2, 5, 7, 3)
    assert (seen == expected).all()
    same = Form("torch", dtype).build(np.ones((1, 4, 4, 3))).expand(6, 3, 4, 4)
    for method in (methods.MixUp(), methods.CutMix()):
        plan = method.draw(BatchSpec(6, (4, 4)), np.random.default_rng(0))
        assert torch.equal(plan.apply(same).float(), same.float())


@pytest.mark.parametrize("region", ["everywhere", "boxes", "bool", "soft"])
@pytest.mark.parametrize("opacity", [1.0, 0.25])
def test_gradients_are_the_weights(region: str, opacity: float) -> None:
    """A leaf that requires grad is legal, and its gradient is how much of it is seen."""
    box, field = Boxes([[1, 1], [0, 0]], [[3, 4], [5, 3]]), np.random.default_rng(4).random((2, 5, 6))
    where = {"everywhere": None, "boxes": box, "bool": Mask(field < 0.5), "soft": Mask(field)}[region]
    plan = Plan(BatchSpec(3, (5, 6)), (Layer(np.array([0, 1]), np.array([1, 2]), np.full(2, opacity), where),))
    images = torch.randn(3, 2, 5, 6, dtype=torch.float64, requires_grad=True)
    mixed = plan.apply(images)
    assert mixed.requires_grad
    assert not mixed.is_leaf
    mixed.sum().backward()
    seen = np.zeros(3)
    np.add.at(seen, plan.sources, plan.share)
    np.testing.assert_allclose(images.grad.sum(dim=(1, 2, 3)) / 60, seen, atol=1e-12)


def test_gradients_without_a_mix() -> None:
    images = torch.ones(2, 3, 4, 4, requires_grad=True)
    mixed = Plan(BatchSpec(2, (4, 4))).apply(images)
    assert mixed.data_ptr() != images.data_ptr()
    mixed.sum().backward()
    assert (images.grad == 1).all()


def test_nothing_is_left_of_the_torch_generator() -> None:
    torch.manual_seed(0)
    before = torch.default_generator.get_state()
    methods.CutMix().draw(BatchSpec(4, (8, 8)), np.random.default_rng(0)).apply(torch.zeros(4, 3, 8, 8))
    assert torch.equal(before, torch.default_generator.get_state())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("method", [methods.MixUp(alpha=1.0), methods.CutMix()], ids=repr)
def test_cuda_is_the_cpu(method: Any, dtype: str) -> None:
    form = Form("torch", dtype)
    images = form.build(np.rint(np.random.default_rng(5).random((6, 9, 11, 3)) * 255))
    plan = method.draw(BatchSpec(6, (9, 11)), np.random.default_rng(1))
    there = plan.apply(images.cuda())
    assert there.device.type == "cuda"
    assert there.dtype == images.dtype
    assert bits(there.cpu()) == bits(plan.apply(images))


@pytest.mark.parametrize("inplace", [False, True])
@pytest.mark.parametrize("dtype", ["float16", "uint8", "uint16"])
def test_parts_of_a_batch_read_the_originals(dtype: str, inplace: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blends in another precision go a few rows at a time; in place, rows of earlier parts are sources of later ones."""
    from mixtransforms.kernels import numpy as kernel
    from mixtransforms.kernels.paint import paint

    size = 6
    plan = Plan(BatchSpec(size), (Layer(np.arange(size), (np.arange(size) - 1) % size, np.full(size, 0.25)),))
    batch = Form("torch", dtype).build(np.rint(np.random.default_rng(5).random((size, 4, 5, 3)) * 200))
    with painted_by("batch"):
        wanted = paint(plan, batch.clone(), ())
        monkeypatch.setattr(kernel, "PART", 1)
        seen = paint(plan, batch, (), inplace=inplace)
    assert bits(seen) == bits(wanted)
    assert (seen is batch) == inplace


def test_a_row_is_written_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system may write fewer bytes than it is given."""
    from mixtransforms.kernels import torch as kernel

    real = kernel.os.pwrite
    monkeypatch.setattr(kernel.os, "pwrite", lambda file, values, offset: real(file, values[:7], offset))
    rows = np.random.default_rng(0).random((3, 2, 5), np.float32)
    batch = kernel.reserved(torch.from_numpy(rows[0]), 3, True)
    write = kernel.row_writer(batch)
    assert write is not None
    for row in (2, 0, 1):
        write(row, rows[row])
    np.testing.assert_array_equal(batch.numpy(), rows)
