"""Plans as tensors: what is painted is what the verbs on NumPy arrays paint, without a look at any value."""

import copy
import pickle
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import pytest
import tiers
from forms import Form, bits, host

from mixtransforms import BatchSpec, Boxes, CutMix, Layer, Mask, MixUp, OneOf, Plan, methods
from mixtransforms.core.errors import InputError, PlanError

torch = pytest.importorskip("torch", reason="torch is not installed")

from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from mixtransforms.kernels import plan_tensors, tensor_painter

SPEC = BatchSpec(5, (7, 9))
AXES = (2, 3)

METHODS = {
    "mixup": methods.MixUp(alpha=1.0),
    "some": methods.MixUp(alpha=1.0, p=0.5),
    "cutmix": methods.CutMix(),
    "oneof": methods.OneOf([methods.MixUp(alpha=1.0), methods.CutMix()]),
    "nobody": methods.MixUp(p=0.0),
}

PRIVATE = {"_local_scalar_dense", "item", "nonzero", "equal", "is_nonzero", "masked_select", "unique_dim", "_unique2"}
"""Operations that read values from a device."""


class Launches(TorchDispatchMode):
    """Counts operations that are no views; those that would wait for a device are an error."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = function.name().removeprefix("aten::").split(".")[0]
        assert name not in PRIVATE, f"{name} waits for the device"
        moved = (kwargs or {}).get("device")
        result = function(*args, **(kwargs or {}))
        if name == "_to_copy" and moved is not None:
            self.names.append(f"to {moved}")
        elif not function.is_view:
            self.names.append(name)
        return result


@contextmanager
def launches() -> Iterator[list[str]]:
    with Launches() as mode:
        yield mode.names


def draw(name: str, size: int = 6, shape: tuple[int, ...] = (7, 9), seed: int = 0) -> Plan:
    return METHODS[name].draw(BatchSpec(size, shape), np.random.default_rng(seed))


def random_plan(seed: int) -> Plan:
    """Up to three layers of any kind; every third plan has masks."""
    rng = np.random.default_rng(seed)
    kinds = ["everywhere", "boxes", "moved"] + (["bool", "soft"] if seed % 3 == 0 else [])
    return Plan(SPEC, tuple(random_layer(rng, rng.choice(kinds)) for _ in range(rng.integers(0, 4))))


def random_layer(rng: np.random.Generator, kind: str) -> Layer:
    count, lengths = int(rng.integers(1, SPEC.size + 1)), np.array(SPEC.shape)
    rows, source = rng.permutation(SPEC.size)[:count], rng.integers(0, SPEC.size, count)
    opacity = np.where(rng.random(count) < 0.5, rng.integers(0, 2, count), rng.random(count))
    if kind in ("bool", "soft"):
        field = rng.random((count, *SPEC.shape))
        return Layer(rows, source, opacity, Mask(field < 0.5 if kind == "bool" else np.clip(2 * field - 0.5, 0, 1)))
    if kind == "everywhere":
        return Layer(rows, source, opacity)
    start, stop = np.sort(rng.integers(0, lengths + 1, (2, count, 2)), axis=0)
    place = rng.integers(0, lengths - (stop - start) + 1)
    return Layer(
        rows, source, opacity, Boxes(start, stop), Boxes(place, place + stop - start) if kind == "moved" else None
    )


def resized(size: int = 5, shape: tuple[int, int] = (7, 9), opacity: float = 1.0) -> Plan:
    """Whole pictures in the upper left corner of their neighbours: the second one shrunk, the third one moved."""
    frame = np.array(shape) // [[1, 1], [2, 3], [1, 1]]
    crop = Boxes([[0, 0], [0, 0], [0, 1]], [[4, 5], shape, [shape[0], shape[1]]])
    frame[2] -= [0, 1]
    layer = Layer([0, 1, 2], [1, 2, 0], [opacity] * 3, Boxes(np.zeros((3, 2), int), frame), crop)
    return Plan(BatchSpec(size, shape), (layer,))


def images(dtype: str, size: int = SPEC.size, shape: tuple[int, ...] = SPEC.shape, seed: int = 0) -> Any:
    form = Form("torch", dtype)
    values = np.random.default_rng(seed).random((size, *shape, 3)) * 400 - (0 if dtype.startswith("u") else 200)
    return form.build(np.rint(values * form.full / 400) if form.integer else values)


def paint(array: Any, plan: Plan, axes: tuple[int, ...] = AXES, *, full: bool = False, dominant: bool = False) -> Any:
    return tensor_painter.paint(array, plan.tensors(full=full), axes, dominant=dominant)


def painted_by_numpy(array: Any, plan: Plan) -> Any:
    return plan.apply(array.numpy(), "channels_first")


# ------------------------------------------------------------------------------------------ values


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float16", "float32", "float64"])
@pytest.mark.parametrize("full", [False, True])
def test_any_plan_is_painted_as_on_arrays(dtype: str, full: bool) -> None:
    array = images(dtype)
    for seed in range(60):
        plan = random_plan(seed)
        seen, expected = paint(array, plan, full=full).numpy(), painted_by_numpy(array, plan)
        assert seen.dtype == expected.dtype
        assert bits(seen) == bits(expected), f"seed {seed}"


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("full", [False, True])
def test_bfloat16_is_the_float32_blend_rounded(name: str, full: bool) -> None:
    array, plan = images("bfloat16", 6), draw(name)
    assert torch.equal(paint(array, plan, full=full), paint(array.float(), plan, full=full).bfloat16())


@pytest.mark.parametrize("opacity", [0.5, 1 / 3, 0.9999, 1e-5, 3 / 65536, 1 - 1e-9, 1e-9, 0.25 / 65536])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float16", "float32", "float64"])
def test_every_weight_is_numpys(dtype: str, opacity: float) -> None:
    limits = np.iinfo(dtype) if "int" in dtype else None
    rng = np.random.default_rng(1)
    if limits is None:
        pairs = (rng.normal(size=(2, 5000)) * 100).astype(dtype)
    else:
        pairs = rng.integers(limits.min, limits.max, (2, 5000), dtype, endpoint=True)
        pairs[:, :4] = [[limits.min, limits.max] * 2, [limits.max, limits.min, limits.min, limits.max]]
    plan = Plan(BatchSpec(2), (Layer([0], [1], [opacity]),))
    seen, expected = paint(torch.from_numpy(pairs), plan, ()).numpy(), plan.apply(pairs)
    assert bits(seen) == bits(expected)


def test_every_pair_of_bytes_is_numpys() -> None:
    pairs = np.stack([grid.astype(np.uint8) for grid in np.meshgrid(np.arange(256), np.arange(256))])
    for opacity in np.random.default_rng(0).random(20):
        plan = Plan(BatchSpec(2), (Layer([0], [1], [opacity]),))
        np.testing.assert_array_equal(paint(torch.from_numpy(pairs), plan, ()).numpy(), plan.apply(pairs))


@pytest.mark.parametrize(
    "dtype",
    "bool int8 uint8 int16 uint16 int32 uint32 int64 uint64 float8_e4m3fn float8_e5m2 float16 bfloat16 complex64".split(),
)
@pytest.mark.parametrize("moved", [False, True])
def test_pastes_copy_any_dtype(dtype: str, moved: bool) -> None:
    kind = getattr(torch, dtype)
    raw = torch.randint(0, 256, (3, 2, 7, 9 * kind.itemsize), dtype=torch.uint8)
    batch = (raw % 2).bool() if dtype == "bool" else raw.view(kind)
    region, crop = Boxes([[1, 2]], [[4, 7]]), Boxes([[4, 0]], [[7, 5]])
    plan = Plan(BatchSpec(3, (7, 9)), (Layer([2], [0], [1.0], region, crop if moved else None),))
    expected = batch.clone()
    expected[2, :, 1:4, 2:7] = batch[0, :, 4:7, 0:5] if moved else batch[0, :, 1:4, 2:7]
    assert bits(paint(batch, plan)) == bits(expected)


def test_float8_blends_in_float32() -> None:
    batch, plan = images("float32", 6).to(torch.float8_e4m3fn), draw("mixup")
    seen = paint(batch, plan)
    assert torch.equal(seen.float(), paint(batch.float(), plan).to(torch.float8_e4m3fn).float())


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("region", ["everywhere", "boxes", "soft"])
def test_weights_of_zero_and_one_select(region: str, full: bool, dtype: str) -> None:
    """Rows 0 to 2 hold what multiplication would spoil: infinity, NaN and its payload, the smallest number."""
    kind = getattr(torch, dtype)
    batch = torch.full((4, 1, 2, 2), float("inf"), dtype=kind)
    batch[1] = float("nan")
    batch[2].view(getattr(torch, f"int{8 * kind.itemsize}")).fill_(1)
    batch[3] = 0.5
    where = {
        "everywhere": None,
        "boxes": Boxes.full(4, (2, 2)),
        "soft": Mask(np.array([1.0, 1.0, 0.0, 1.0])[:, None, None] * np.ones((4, 2, 2))),
    }[region]
    opacity = [1.0, 1.0, 1.0 if region == "soft" else 0.0, 0.5]
    plan = Plan(BatchSpec(4, (2, 2)), (Layer([0, 1, 2, 3], [1, 2, 0, 3], opacity, where),))
    assert bits(paint(batch, plan, full=full)) == bits(batch[[1, 2, 2, 3]])


def test_cells_outside_of_a_blended_box_are_left_alone() -> None:
    batch = torch.full((2, 1, 3, 4), float("inf"))
    batch[1] = float("nan")
    plan = Plan(BatchSpec(2, (3, 4)), (Layer([0], [1], [0.5], Boxes([[0, 1]], [[2, 3]])),))
    seen = paint(batch, plan)[0, 0]
    assert seen[:2, 1:3].isnan().all()
    assert seen[2].isinf().all()
    assert seen[:, [0, 3]].isinf().all()


@pytest.mark.parametrize("opacity", [1.0, 0.5])
def test_coats_read_the_originals(opacity: float) -> None:
    """A chain 0 <- 1 <- 2 <- 3 in three layers; row 0 is also painted last by 3."""
    layers = [Layer([row], [row + 1], [opacity], Boxes([[0, 0]], [[7, 5]])) for row in (2, 1, 0)]
    plan = Plan(SPEC, (*layers, Layer([0], [3], [opacity], Boxes([[2, 3]], [[7, 9]]))))
    array = images("uint8")
    assert plan.tensors().source.tolist() == [[1, 1, 2, 3, 4], [3, 2, 3, 3, 4]]
    np.testing.assert_array_equal(paint(array, plan).numpy(), painted_by_numpy(array, plan))


def test_ids_are_those_of_the_heavier_source() -> None:
    ids = torch.arange(4)[:, None, None].expand(4, 2, 2)
    plan = Plan(
        BatchSpec(4, (2, 2)),
        (Layer([0, 1, 2, 3], [1, 2, 3, 0], [0.4, 0.6, 0.5, 1.0], Boxes([[0, 0]] * 4, [[1, 2]] * 4)),),
    )
    seen = paint(ids, plan, (1, 2), dominant=True)
    assert seen.dtype == torch.int64
    assert seen[:, 0].tolist() == [[0, 0], [2, 2], [2, 2], [0, 0]]
    assert torch.equal(seen[:, 1], ids[:, 1])
    soft = Plan(BatchSpec(4, (2, 2)), (Layer([0], [1], [1.0], Mask([[[0.4, 0.6], [0.5, 1.0]]])),))
    assert paint(ids, soft, (1, 2), dominant=True)[0].tolist() == [[0, 1], [0, 1]]


# ------------------------------------------------------------------------------------------ axes and memory


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (0, 2, 3, 1), (0, 3, 2, 1), (0, 3, 1, 2)])
@pytest.mark.parametrize("dense", ["as listed", "as stored", "strided"])
@pytest.mark.parametrize("seed", [0, 1, 4, 6])
def test_mixed_axes_may_stand_anywhere(order: tuple[int, ...], dense: str, seed: int) -> None:
    array, plan = images("uint8"), random_plan(seed)
    expected = paint(array, plan).permute(order)
    moved = array.permute(order)
    moved = {"as listed": moved.contiguous(), "as stored": moved, "strided": moved.repeat_interleave(2, 3)[..., ::2]}[
        dense
    ]
    axes = (order.index(2), order.index(3))
    assert torch.equal(paint(moved, plan, axes), expected)
    assert torch.equal(paint(moved, plan, (axes[0] - 4, axes[1] - 4)), expected)


@pytest.mark.parametrize("name", METHODS)
def test_memory_is_laid_out_as_it_came(name: str) -> None:
    array = images("float32", 6).contiguous(memory_format=torch.channels_last)
    assert paint(array, draw(name)).stride() == array.stride()


def test_a_result_is_new_memory() -> None:
    array = images("uint8", 6)
    for name in METHODS:
        before = bits(array)
        paint(array, draw(name)).zero_()
        assert bits(array) == before


@pytest.mark.parametrize("shape", [(11,), (3, 4, 5)])
def test_signals_and_volumes(shape: tuple[int, ...]) -> None:
    plan = draw("oneof", 4, shape)
    array = torch.randint(256, (4, 2, *shape), dtype=torch.uint8)
    seen = paint(array, plan, tuple(range(2, 2 + len(shape))))
    np.testing.assert_array_equal(seen.numpy(), painted_by_numpy(array, plan))


def test_tables_have_no_mixed_axes() -> None:
    plan, table = draw("mixup", 4, ()), torch.randn(4, 6, dtype=torch.float64)
    for full in (False, True):
        np.testing.assert_array_equal(paint(table, plan, (), full=full), plan.apply(table.numpy()))


@pytest.mark.parametrize("name", METHODS)
def test_an_empty_batch(name: str) -> None:
    empty = torch.zeros(0, 3, 7, 9)
    for full in (False, True):
        assert paint(empty, draw(name, 0), full=full).shape == empty.shape


# ------------------------------------------------------------------------------------------ gradients


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")  # torch's own, in forward mode
@pytest.mark.parametrize("seed", range(6 if tiers.everything else 2))
@pytest.mark.parametrize("full", [False, True])
def test_gradients(seed: int, full: bool) -> None:
    array = torch.randn(5, 1, 7, 9, dtype=torch.float64, requires_grad=True)
    plan = random_plan(seed)
    assert torch.autograd.gradcheck(lambda x: paint(x, plan, full=full), array, check_forward_ad=True)


@pytest.mark.full
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")  # torch's own, in forward mode
def test_gradients_of_resized_crops() -> None:
    array = torch.randn(5, 1, 7, 9, dtype=torch.float64, requires_grad=True)
    plan = resized(opacity=0.75)
    assert torch.autograd.gradcheck(lambda x: paint(x, plan), array, check_forward_ad=True)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_gradients_are_the_weights(dtype: str) -> None:
    plan = draw("oneof")
    array = images(dtype, 6).requires_grad_()
    paint(array, plan).sum().backward()
    seen = np.zeros(6)
    np.add.at(seen, plan.sources, plan.share)
    assert array.grad.dtype == array.dtype
    np.testing.assert_allclose(array.grad.double().mean((1, 2, 3)), seen, atol=6 * Form("torch", dtype).resolution)


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:FutureWarning")  # torch's own forward mode
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_transforms_of_functions_go_through(dtype: Any) -> None:
    array, plan = torch.randn(6, 3, 7, 9).to(dtype), draw("mixup")
    tensors = plan.tensors()
    each = torch.func.vmap(lambda one: tensor_painter.paint(one, tensors, (1, 2)), in_dims=1, out_dims=1)(array)
    assert torch.equal(each, paint(array, plan))
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(array, torch.ones_like(array))
        tangent = torch.autograd.forward_ad.unpack_dual(tensor_painter.paint(dual, tensors, AXES)).tangent
    assert torch.allclose(tangent, torch.ones_like(array), atol=1e-3)


# ------------------------------------------------------------------------------------------ launches


MOST = {"mixup": (4, 6), "some": (5, 6), "cutmix": (11, 11), "oneof": (15, 16), "nobody": (1, 1)}
"""Launches for float32 and for uint8."""


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("dtype", ["uint8", "float16", "float32", "int16"])
def test_launches_are_few_and_the_same_for_any_batch(name: str, dtype: str) -> None:
    counts = []
    for size in (8, 64):
        tensors, array = draw(name, size).tensors(), images(dtype, size)
        with launches() as names:
            tensor_painter.paint(array, tensors, AXES)
        assert not [name for name in names if name.startswith("to ")]
        counts.append(len(names))
    assert counts[0] == counts[1]
    assert counts[0] <= MOST[name][dtype != "float32"] + (dtype == "int16")


def test_resizes_launch_as_much_for_any_batch() -> None:
    counts = []
    for size in (8, 64):
        tensors, array = resized(size).tensors(), images("uint8", size)
        with launches() as names:
            tensor_painter.paint(array, tensors, AXES)
        assert not [name for name in names if name.startswith("to ")]
        counts.append(len(names))
    assert counts[0] == counts[1]


def test_pastes_do_no_arithmetic() -> None:
    with launches() as names:
        paint(images("float32", 6), draw("cutmix"))
    assert {"mul", "addcmul_", "addcmul", "add"}.isdisjoint(names)


def test_halves_have_a_wide_temporary_for_each_product() -> None:
    """And none for the sum, nor for what is multiplied."""
    array, tensors = images("float16", 6), draw("mixup").tensors()
    with launches() as names:
        tensor_painter.paint(array, tensors, AXES)
    assert names == ["index_select", "mul", "mul", "empty_like", "add"]


@pytest.mark.parametrize("dtype", ["uint8", "float16", "float64"])
def test_nothing_is_read(dtype: str) -> None:
    """Fake tensors have shapes and no values."""
    for plan in [*map(draw, METHODS), resized(6)]:
        tensors, array = plan.tensors(full=True), images(dtype, 6)
        with FakeTensorMode() as mode:
            fakes = tensors._replace(
                **{key: mode.from_tensor(part) for key, part in tensors._asdict().items() if torch.is_tensor(part)}
            )
            seen = tensor_painter.paint(mode.from_tensor(array), fakes, AXES)
            soft = tensor_painter.combine_ids(mode.from_tensor(torch.arange(6)), fakes, 10, -1)
        assert (seen.shape, seen.dtype, soft.shape) == (array.shape, array.dtype, (6, 10))


# ------------------------------------------------------------------------------------------ tensors of a plan


@pytest.mark.parametrize("name", METHODS)
def test_all_numbers_travel_together(name: str) -> None:
    with launches() as names:
        draw(name).tensors("meta")
    assert [name for name in names if name.startswith(("to ", "copy_"))] == ["to meta"]


def test_memory_is_pinned_for_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, empty = [], torch.empty

    def recorded(*shape: Any, pin_memory: bool = False, **options: Any) -> Any:
        asked.append(pin_memory)
        return empty(*shape, **options)

    monkeypatch.setattr(torch, "empty", recorded)
    with suppress(RuntimeError, AssertionError):  # where there is no such device
        plan_tensors.plan_tensors(draw("mixup"), torch.device("cuda"))
    assert asked[0]


def test_the_tensors_are_aligned_views_of_one_buffer() -> None:
    parts = [part for part in draw("oneof", 5).tensors(full=True) if torch.is_tensor(part)]
    assert len({part.untyped_storage().data_ptr() for part in parts}) == 1
    assert all(part.data_ptr() % 8 == 0 and part.is_contiguous() for part in parts)


def test_a_plan_is_packed_once_for_a_device() -> None:
    plan = draw("oneof")
    first = plan.tensors()
    assert plan.tensors("cpu") is first
    assert plan.tensors(torch.device("cpu")) is first
    assert plan.tensors("meta") is not first
    assert plan.tensors(full=True) is plan.tensors(full=True)
    assert plan.tensors(full=True) is not first


def test_tensors_stay_with_their_process() -> None:
    plan = draw("oneof")
    bare = len(pickle.dumps(plan))
    plan.shares  # noqa: B018
    measured = len(pickle.dumps(plan))
    plan.tensors()
    assert len(pickle.dumps(plan)) < measured + 200
    assert bare <= measured
    for again in (pickle.loads(pickle.dumps(plan)), copy.deepcopy(plan)):
        assert again == plan
        assert again.tensors() is not plan.tensors()
        assert torch.equal(again.tensors().source, plan.tensors().source)


def test_tensors_made_in_inference_mode_serve_training() -> None:
    plan, array = draw("mixup"), images("float32", 6).requires_grad_()
    with torch.inference_mode():
        plan.tensors()
    paint(array, plan).sum().backward()
    assert array.grad is not None


def names_of(tensors: Any) -> set[str]:
    return {name for name, part in tensors._asdict().items() if torch.is_tensor(part)}


ALWAYS = {"source", "sources", "share"}
BLEND, BOXES = {"opacity", "weights"}, {"start", "stop"}


def test_a_form_has_what_the_plan_needs() -> None:
    assert names_of(draw("nobody").tensors()) == ALWAYS
    assert names_of(draw("mixup").tensors()) == ALWAYS | BLEND
    assert names_of(draw("some", seed=1).tensors()) == ALWAYS | BLEND | {"opaque"}
    assert names_of(draw("cutmix").tensors()) == ALWAYS | BOXES
    assert names_of(draw("oneof").tensors()) == ALWAYS | BLEND | BOXES | {"opaque"}
    box = Boxes([[0, 0]], [[3, 3]])
    moved = Plan(SPEC, (Layer([0], [1], [1.0], box, Boxes([[1, 0]], [[4, 3]])),))
    assert names_of(moved.tensors()) == ALWAYS | BOXES | {"shift"}
    assert names_of(Plan(SPEC, (Layer([0], [1], [1.0], box, box),)).tensors()) == ALWAYS | BOXES
    assert names_of(resized().tensors()) == ALWAYS | BOXES | {"crop", "frame"}
    whole = Plan(SPEC, (Layer([0], [1], [1.0], None, Boxes([[0, 0]], [[7, 8]])),))
    assert names_of(whole.tensors()) == ALWAYS | {"crop", "frame"}
    assert names_of(Plan(SPEC, (Layer([0], [1], [0.0], box, Boxes.full(1, (7, 9))),)).tensors()) == ALWAYS
    masked = Plan(SPEC, (Layer([0], [1], [1.0], Mask(np.ones((1, 7, 9), bool))), Layer([1], [2], [1.0], box)))
    assert names_of(masked.tensors()) == ALWAYS | {"field"}
    assert masked.tensors().field.dtype == torch.bool


@pytest.mark.parametrize("full", [False, True])
def test_plans_that_resize_are_of_few_forms(full: bool) -> None:
    """As many cells as one is a mean of, rounded up, which is all that depends on the boxes."""
    rng, forms = np.random.default_rng(0), set()
    for _ in range(200):
        sides = rng.integers(1, [8, 10], (5, 2))
        layer = Layer(range(5), rng.permutation(5), np.ones(5), Boxes([[0, 0]] * 5, sides), Boxes.full(5, (7, 9)))
        tensors = Plan(SPEC, (layer,)).tensors(full=full)
        forms.add((tensors.taps, *sorted(names_of(tensors))))
    assert len(forms) <= 4


def test_full_forms_are_all_alike() -> None:
    forms = {str([(name, p.shape) for name, p in draw(m).tensors(full=True)._asdict().items() if torch.is_tensor(p)])
             for m in METHODS}  # fmt: skip
    assert len(forms) == 1
    assert names_of(draw("nobody").tensors(full=True)) == ALWAYS | BLEND | BOXES | {"opaque"}


def test_rows_with_fewer_layers_begin_with_themselves() -> None:
    plan = Plan(
        SPEC,
        (
            Layer([0, 1], [1, 2], [0.5, 0.0]),
            Layer([0, 3], [2, 4], [1.0, 1.0], Boxes([[0, 0], [2, 2]], [[3, 3], [2, 5]])),
        ),
    )
    tensors = plan.tensors()
    assert tensors.source.tolist() == [[1, 1, 2, 3, 4], [2, 1, 2, 3, 4]], "what paints nothing is no coat"
    assert tensors.opacity.tolist() == [[0.5, 1, 1, 1, 1], [1, 1, 1, 1, 1]]
    assert tensors.stop[1].tolist() == [[3, 3]] + [[7, 9]] * 4


def test_declared_shares_are_labels() -> None:
    declared = methods.CutMix(correct_weight=False).draw(SPEC, np.random.default_rng(0))
    np.testing.assert_array_equal(declared.tensors().share, declared.label_share)
    assert declared.tensors().share.dtype == torch.float64
    nobody = draw("nobody").tensors()
    assert nobody.sources.tolist() == [[row, row] for row in range(6)]
    assert nobody.share.tolist() == [[1.0, 0.0]] * 6


def test_other_plans_fill_static_tensors() -> None:
    first, second, array = draw("cutmix", seed=1), draw("mixup", seed=2), images("uint8", 6)
    static = first.tensors(full=True).clone()
    addresses = [part.data_ptr() for part in static if torch.is_tensor(part)]
    assert static.copy_(second.tensors(full=True)) is static
    assert [part.data_ptr() for part in static if torch.is_tensor(part)] == addresses
    assert torch.equal(tensor_painter.paint(array, static, AXES), paint(array, second, full=True))
    np.testing.assert_array_equal(paint(array, first, full=True).numpy(), painted_by_numpy(array, first))
    for other in (
        second.tensors(),
        draw("mixup", 5).tensors(full=True),
        draw("mixup", shape=(7, 8)).tensors(full=True),
    ):
        with pytest.raises(PlanError, match="different forms"):
            static.copy_(other)
    static = resized().tensors().clone()
    other = Plan(SPEC, (Layer([3], [1], [1.0], Boxes([[0, 0]], [[2, 3]]), Boxes([[1, 0]], [[7, 9]])),))
    static.copy_(other.tensors())
    array = images("uint8")
    np.testing.assert_array_equal(tensor_painter.paint(array, static, AXES).numpy(), painted_by_numpy(array, other))
    hard, soft = (
        Plan(SPEC, (Layer([0], [1], [share], Mask(np.ones((1, 7, 9), bool))),)).tensors() for share in (1, 0.5)
    )
    with pytest.raises(PlanError, match="different forms"):
        hard.clone().copy_(soft)


# ------------------------------------------------------------------------------------------ labels


@pytest.mark.parametrize("name", [*METHODS, "three"])
def test_ids_are_mixed_as_their_rows(name: str) -> None:
    plan = Plan(BatchSpec(6, (7, 9)), tuple(Layer([0, i], [i, 5], [0.3, 0.6]) for i in (1, 2))) if name == "three" else draw(name)  # fmt: skip
    ids = torch.tensor([0, 3, 3, -1, 2, 9])
    rows = (ids[:, None] == torch.arange(5)).float()
    expected = torch.from_numpy(
        sum(plan.target_share[:, [s]].astype(np.float32) * rows.numpy()[plan.sources[:, s]] for s in range(plan.sources.shape[1]))
    )  # fmt: skip
    assert torch.equal(tensor_painter.combine_ids(ids, plan.tensors(), 5, -1), expected)
    assert torch.equal(tensor_painter.combine(rows, plan.tensors()), expected)
    ignored = tensor_painter.combine_ids(ids, plan.tensors(), 5, 3)
    assert torch.equal(ignored, torch.where(torch.arange(5) == 3, 0, expected))


def test_no_weight_no_trace() -> None:
    values = torch.tensor([[1.0], [float("inf")], [float("nan")]], dtype=torch.float64)
    plan = Plan(BatchSpec(3), (Layer([0, 1], [1, 0], [0.0, 1.0]),))
    seen = tensor_painter.combine(values, plan.tensors())
    assert seen.dtype == torch.float64
    assert seen[:2].tolist() == [[1.0], [1.0]]
    assert seen[2].isnan()


# ------------------------------------------------------------------------------------------ errors


@pytest.mark.parametrize("dtype", [torch.int64, torch.int8, torch.bool, torch.complex64])
def test_what_is_no_intensity_is_not_blended(dtype: Any) -> None:
    array = torch.zeros(6, 3, 7, 9).to(dtype)
    soft = Plan(BatchSpec(6, (7, 9)), (Layer([0], [1], [1.0], Mask(np.full((1, 7, 9), 0.5))),))
    for plan, full in ((draw("mixup"), False), (draw("cutmix"), True), (soft, False)):
        with pytest.raises(InputError, match="cannot be blended"):
            paint(array, plan, full=full)
        assert paint(array, plan, full=full, dominant=True).dtype == dtype


def test_another_batch_is_refused() -> None:
    for array, axes in (
        (images("uint8", 5), AXES),
        (images("uint8", 6, (7, 8)), AXES),
        (images("uint8", 6, (9, 7)), AXES),
        (images("uint8", 6), ()),
        (images("uint8", 6), (2,)),
    ):
        with pytest.raises(PlanError, match="another batch"):
            paint(array, draw("cutmix"), axes)
    with pytest.raises(PlanError, match="behind the batch"):
        paint(torch.zeros(6, 9, 3), draw("cutmix", 6, (6, 9)), (0, 1))
    with pytest.raises(PlanError, match="another batch"):
        paint(images("uint8", 5), draw("mixup"))
    features = torch.randn(6, 4)
    assert paint(features, draw("mixup"), ()).shape == features.shape, "blends of whole samples need no axes"


def test_both_public_homes_of_a_plan_have_tensors() -> None:
    for transform in (MixUp(seed=0), CutMix(seed=0), OneOf([MixUp(), CutMix()], seed=0)):
        plan = transform.plan(images("uint8", 6))
        expected = host(transform.replay(plan, images("uint8", 6)))
        np.testing.assert_array_equal(paint(images("uint8", 6), plan).numpy(), expected)


# ------------------------------------------------------------------------------------------ plans that are applied


@pytest.mark.filterwarnings("ignore:Dynamo detected a call to a `functools.lru_cache`:UserWarning")
@pytest.mark.full
def test_a_plan_is_applied_in_compiled_code() -> None:
    array, plan = torch.rand(4, 3, 70, 70), draw("oneof", 4, (70, 70))
    compiled = torch.compile(lambda x: plan.apply(x * 2) + 1, backend="eager")
    assert torch.allclose(compiled(array), plan.apply(array * 2) + 1)


@pytest.mark.filterwarnings("ignore:.torch.jit.:FutureWarning")  # torch's own forward mode, and what it says of tracing
@pytest.mark.filterwarnings("ignore:.torch.jit.:DeprecationWarning", "ignore::torch.jit.TracerWarning")
@pytest.mark.parametrize("name", METHODS)
def test_whoever_follows_an_applied_plan_sees_it(name: str) -> None:
    plan = draw(name)
    array, other = (torch.randn(plan.size, 3, *plan.spec.shape) for _ in range(2))
    wanted = plan.apply(other)
    each = torch.func.vmap(lambda one: plan.apply(one[:, None], "channels_first"), in_dims=1)(other)
    assert torch.allclose(each[:, :, 0].movedim(0, 1), wanted, atol=1e-5)
    _, tangent = torch.func.jvp(plan.apply, (array,), (other,))
    assert torch.allclose(tangent, wanted, atol=1e-5)
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(array, other)
        tangent = torch.autograd.forward_ad.unpack_dual(plan.apply(dual)).tangent
        assert torch.allclose(tangent, wanted, atol=1e-5)
    assert torch.allclose(torch.jit.trace(plan.apply, array, check_trace=False)(other), wanted, atol=1e-5)


@pytest.mark.filterwarnings("ignore:ComplexHalf support is experimental:UserWarning")
def test_pastes_of_what_numpy_has_not() -> None:
    plan = draw("cutmix")
    values = torch.randn(plan.size, 3, *plan.spec.shape, dtype=torch.complex64)
    wanted = plan.apply(values.to(torch.complex32).to(torch.complex64))
    assert torch.equal(plan.apply(values.to(torch.complex32)).to(torch.complex64), wanted)


def test_a_shared_batch_is_in_host_memory() -> None:
    from mixtransforms.kernels import kernel_of

    sample = torch.zeros(3, 4)
    with torch.device("meta"):
        batch = kernel_of("torch").reserved(sample, 5, True)
    assert batch.is_shared()
    assert batch.device.type == "cpu"
    assert batch.shape == (5, 3, 4)


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_several_partners_are_no_pair(device: str) -> None:
    from mixtransforms.kernels import kernel_of

    plan = Plan(BatchSpec(3), (Layer([0], [1], [0.5]), Layer([0], [2], [0.5])))
    with pytest.raises(PlanError, match="No single partner"):
        kernel_of("torch").pair(torch.zeros(3, dtype=torch.int64, device=device), plan)
