"""Mixing as pure functions: equal to the transforms, one graph for all plans, one kernel for a whole preparation."""

import doctest
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from forms import Form
from hosts import torch_compiles_typed
from oracles import ulp

pytest.importorskip("torchvision", reason="torchvision is not installed")

import torch
from torch._dynamo.testing import CompileCounterWithBackend
from torchvision import tv_tensors
from torchvision.transforms import v2

from mixtransforms import BatchSpec, Boxes, LabelPair, Layer, Mask, MultiLabel, Plan
from mixtransforms.core.errors import InputError, PlanError
from mixtransforms.torchvision import CutMix, MixUp, OneOf, ResizeMix, functional

CLASSES = 7

TRANSFORMS: dict[str, Callable[..., Any]] = {
    "mixup": lambda **options: MixUp(1.0, seed=0, **options),
    "some": lambda **options: MixUp(1.0, p=0.5, seed=1, **options),
    "cutmix": lambda **options: CutMix(seed=0, **options),
    "oneof": lambda **options: OneOf([MixUp(1.0), CutMix()], seed=0, **options),
    "nobody": lambda **options: CutMix(p=0.0, seed=0, **options),
}

ALL = TRANSFORMS | {"resizemix": lambda **options: ResizeMix(seed=0, **options)}
"""With one whose plans have a form of their own, so that no graph serves it and the others."""

BACKENDS = ("eager", "aot_eager")


def batch(dtype: str = "uint8", size: int = 6, shape: tuple[int, int] = (12, 17)) -> tuple[Any, Any]:
    values = np.random.default_rng(size).random((size, *shape, 3)) * 255
    return Form("torch", dtype).build(np.rint(values)), torch.arange(size) % CLASSES


def drawn(name: str, size: int = 6, shape: tuple[int, int] = (12, 17)) -> Plan:
    return ALL[name]().plan(batch(size=size, shape=shape)[0])


def assert_near(seen: Any, expected: Any) -> None:
    """Equal integers; floats within a unit in the last place of 255, the largest value, as compilers may round them."""
    assert seen.dtype == expected.dtype
    if not seen.is_floating_point():
        assert torch.equal(seen, expected)
        return
    dtype = str(seen.dtype).removeprefix("torch.")
    unit = 1.0 if dtype == "bfloat16" else ulp(255, 255, dtype)
    assert (seen.double() - expected.double()).abs().max() <= unit


@pytest.fixture(autouse=True)
def _fresh_compiler() -> Iterator[None]:
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


# ------------------------------------------------------------------------------------------ the transforms


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("full", [False, True])
def test_images_are_those_of_the_transform(name: str, dtype: str, full: bool) -> None:
    images, _ = batch(dtype)
    transform = ALL[name]()
    plan = transform.plan(images)
    assert torch.equal(functional.mix(images, plan.tensors(full=full)), transform.replay(plan, images))


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("form", ["int64", "int32", "uint8", "float32", "float16", "bool"])
def test_labels_are_those_of_the_transform(name: str, form: str) -> None:
    images, ids = batch()
    kind = getattr(torch, form)
    labels = ids.to(kind) if "int" in form else torch.nn.functional.one_hot(ids, CLASSES).to(kind)
    transform = ALL[name](num_classes=CLASSES)
    plan = transform.plan(images, labels)
    for full in (False, True):
        seen = functional.mix_labels(labels, plan.tensors(full=full), CLASSES)
        assert seen.dtype == torch.float32
        assert torch.equal(seen, transform.replay(plan, images, labels)[1])


@pytest.mark.parametrize("name", ["mixup", "cutmix", "oneof"])
def test_ignored_labels_carry_no_mass(name: str) -> None:
    images, labels = batch()
    labels[::2] = -1
    transform = TRANSFORMS[name](num_classes=CLASSES, ignore_index=-1)
    plan = transform.plan(images, labels)
    seen = functional.mix_labels(labels, plan.tensors(), CLASSES, ignore_index=-1)
    assert torch.equal(seen, transform.replay(plan, images, labels)[1])


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64, torch.bool, torch.float32])
@pytest.mark.parametrize("channel", [False, True])
def test_masks_are_the_dominant_ones_of_the_transform(name: str, dtype: Any, channel: bool) -> None:
    images, _ = batch()
    masks = torch.randint(3, (6, 1, 12, 17) if channel else (6, 12, 17)).to(dtype)
    transform = ALL[name](masks="dominant")
    content = {"image": images, "mask": masks}
    plan = transform.plan(content)
    for full in (False, True):
        seen = functional.mix_masks(masks, plan.tensors(full=full))
        assert torch.equal(seen, transform.replay(plan, content)["mask"])


def test_channels_last_and_other_types() -> None:
    images, _ = batch()
    tensors = drawn("oneof").tensors()
    expected = functional.mix(images, tensors)
    assert torch.equal(functional.mix(images.permute(0, 2, 3, 1), tensors, axes=(1, 2)), expected.permute(0, 2, 3, 1))
    seen = functional.mix(tv_tensors.Image(images), tensors)
    assert type(seen) is tv_tensors.Image
    assert torch.equal(seen, expected)
    boxed = functional.mix_masks(tv_tensors.Mask(images[:, 0]), tensors)
    assert type(boxed) is tv_tensors.Mask


# ------------------------------------------------------------------------------------------ compiled


# What is traced is the same for both backends; whether values are cast depends on integers or not.
@pytest.mark.parametrize(
    ("backend", "dtype"),
    [
        ("eager", "uint8"),
        ("aot_eager", "float32"),
        *(pytest.param(backend, "float16", marks=pytest.mark.full) for backend in BACKENDS),
        pytest.param("eager", "float32", marks=pytest.mark.full),
        pytest.param("aot_eager", "uint8", marks=pytest.mark.full),
    ],
)
def test_one_graph_serves_every_plan_and_batch(backend: str, dtype: str) -> None:
    counter = CompileCounterWithBackend(backend)

    def step(images: Any, labels: Any, tensors: Any) -> Any:
        return functional.mix(images, tensors), functional.mix_labels(labels, tensors, CLASSES)

    compiled = torch.compile(step, fullgraph=True, dynamic=True, backend=counter)
    for size in (8, 5, 13):
        images, labels = batch(dtype, size)
        for name in TRANSFORMS:
            tensors = drawn(name, size).tensors(full=True)
            mixed, soft = compiled(images, labels, tensors)
            assert torch.equal(mixed, functional.mix(images, tensors))
            assert torch.equal(soft, functional.mix_labels(labels, tensors, CLASSES))
    assert counter.frame_count == 1


def shrinking(size: int, shape: tuple[int, int] = (12, 17)) -> Plan:
    """Whole pictures, shrunk into boxes of their neighbours."""
    sides = np.random.default_rng(size).integers(5, 9, (size, 2))  # means of up to 8 cells
    rows = np.arange(size)
    layer = Layer(rows, (rows + 1) % size, np.ones(size), Boxes(np.zeros_like(sides), sides), Boxes.full(size, shape))
    return Plan(BatchSpec(size, shape), (layer,))


# Seven seconds each; bytes are what is cast there and back.
@pytest.mark.parametrize(
    ("backend", "dtype"),
    [
        ("eager", "uint8"),
        *(
            pytest.param(*each, marks=pytest.mark.full)
            for each in (("aot_eager", "uint8"), *((b, "float32") for b in BACKENDS))
        ),
    ],
)
def test_one_graph_serves_every_plan_that_resizes(backend: str, dtype: str) -> None:
    counter = CompileCounterWithBackend(backend)
    compiled = torch.compile(functional.mix, fullgraph=True, dynamic=True, backend=counter)
    for size in (8, 5, 13):
        images, plan = batch(dtype, size)[0], shrinking(size)
        seen = compiled(images, plan.tensors())
        assert torch.equal(seen, functional.mix(images, plan.tensors()))
        assert torch.equal(seen, plan.apply(images))
    assert counter.frame_count == 1


@pytest.mark.full
def test_inductor_resizes_by_two_sums() -> None:
    """One an axis: a loop over taps would have kernels for each of more than thirty."""
    images, plan = batch("uint8")[0], drawn("resizemix")
    seen, count = kernels(functional.mix, images, plan.tensors())
    assert torch.equal(seen, plan.apply(images))
    assert count <= 24


def test_masks_of_ids_are_resized_by_their_nearest_cells() -> None:
    masks, plan = torch.randint(3, (6, 12, 17)), shrinking(6)
    seen = torch.compile(functional.mix_masks, fullgraph=True, backend="eager")(masks, plan.tensors())
    assert torch.equal(seen, MixUp(masks="dominant").replay(plan, {"image": batch()[0], "mask": masks})["mask"])


def test_a_marked_batch_axis_is_enough() -> None:
    counter = CompileCounterWithBackend("eager")
    compiled = torch.compile(functional.mix, fullgraph=True, backend=counter)
    for size in (8, 5, 13):
        images, tensors = batch(size=size)[0], drawn("oneof", size).tensors(full=True)
        torch._dynamo.mark_dynamic(images, 0)
        for name, axis in {"source": 1, "opacity": 1, "weights": 2, "opaque": 1, "start": 1, "stop": 1,
                           "sources": 0, "share": 0}.items():  # fmt: skip
            torch._dynamo.mark_dynamic(getattr(tensors, name), axis)
        assert torch.equal(compiled(images, tensors), functional.mix(images, tensors))
    assert counter.frame_count == 1


def test_forms_that_leave_something_out_have_graphs_of_their_own() -> None:
    counter = CompileCounterWithBackend("eager")
    compiled = torch.compile(functional.mix, fullgraph=True, dynamic=True, backend=counter)
    for name in ("mixup", "cutmix", "mixup", "cutmix"):
        compiled(batch()[0], drawn(name).tensors())
    assert counter.frame_count == 2


@pytest.mark.parametrize("backend", BACKENDS)
def test_other_targets_compile(backend: str) -> None:
    images, _ = batch("float32")
    masks = torch.randint(3, (6, 12, 17))
    moved = Plan(BatchSpec(6, (12, 17)), (Layer([0], [1], [0.5], Mask(np.random.default_rng(0).random((1, 12, 17)))),))
    for plan in (drawn("oneof"), moved):
        tensors = plan.tensors()
        for function, values in ((functional.mix, images), (functional.mix_masks, masks)):
            seen = torch.compile(function, fullgraph=True, backend=backend)(values, tensors)
            assert torch.equal(seen, function(values, tensors))


@pytest.mark.parametrize("backend", [*BACKENDS, "inductor"])
def test_images_of_torchvision_compile_where_torch_compiles_any(backend: str) -> None:
    """``aot_eager``, which is for debugging, refuses them in some releases of torch, whatever is done with them."""
    images, tensors = batch("float32")[0], drawn("oneof").tensors(full=True)
    compiled = torch.compile(functional.mix, fullgraph=True, backend=backend)
    if backend == "aot_eager" and not torch_compiles_typed(backend):
        with pytest.raises(TypeError, match="Multiple dispatch failed"):
            compiled(tv_tensors.Image(images), tensors)
        return
    seen = compiled(tv_tensors.Image(images), tensors)
    assert type(seen) is torch.Tensor
    assert_near(seen, functional.mix(images, tensors))


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_gradients_go_through_a_graph(backend: str) -> None:
    images, tensors = batch("float32")[0].requires_grad_(), drawn("oneof").tensors(full=True)
    compiled = torch.compile(functional.mix, fullgraph=True, backend=backend)
    (theirs,) = torch.autograd.grad(functional.mix(images, tensors).square().sum(), images)
    (ours,) = torch.autograd.grad(compiled(images, tensors).square().sum(), images)
    torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize(
    ("backend", "dtype"),
    [
        *((None, dtype) for dtype in ("uint8", "float16", "float32", "float64")),
        *(pytest.param("aot_eager", dtype, marks=pytest.mark.full) for dtype in ("uint8", "float16", "float64")),
        ("aot_eager", "float32"),  # what autocast would change first
    ],
)
def test_autocast_changes_nothing(dtype: str, backend: str | None) -> None:
    images, labels = batch(dtype)
    for name in TRANSFORMS:
        tensors = drawn(name).tensors(full=True)
        mix = torch.compile(functional.mix, fullgraph=True, backend=backend) if backend else functional.mix
        with torch.autocast("cpu", torch.bfloat16):
            assert torch.equal(mix(images, tensors), functional.mix(images, tensors))
            soft = functional.mix_labels(labels, tensors, CLASSES)
            rows = functional.mix_labels(torch.eye(CLASSES)[labels], tensors)
        assert torch.equal(soft, functional.mix_labels(labels, tensors, CLASSES))
        assert torch.equal(rows, soft)
        assert torch.equal(functional.mix(images, tensors), functional.mix(images, drawn(name).tensors()))


# ------------------------------------------------------------------------------------------ kernels


def kernels(function: Callable[..., Any], *arguments: Any) -> tuple[Any, int]:
    """What inductor makes of a function, and in how many kernels."""
    from torch._inductor import metrics

    metrics.reset()
    with torch._inductor.config.patch(fx_graph_cache=False):
        result = torch.compile(function, fullgraph=True, dynamic=True)(*arguments)
    return result, metrics.generated_kernel_count


@pytest.mark.full
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float16", "float32"])
def test_inductor_mixes_in_one_kernel(dtype: str) -> None:
    images, _ = batch(dtype)
    compiled = torch.compile(functional.mix, fullgraph=True, dynamic=True)
    _, count = kernels(functional.mix, images, drawn("oneof").tensors(full=True))
    assert count == 1
    for name in TRANSFORMS:
        tensors = drawn(name).tensors(full=True)
        assert_near(compiled(images, tensors), functional.mix(images, tensors))


@pytest.mark.full
def test_bytes_become_normalised_halves_in_one_kernel() -> None:
    finish = v2.Compose([v2.ToDtype(torch.float16, scale=True), v2.Normalize([0.5, 0.4, 0.3], [0.2, 0.3, 0.4])])
    images, _ = batch()
    tensors = drawn("oneof").tensors(full=True)
    seen, count = kernels(lambda batch, plan: finish(functional.mix(batch, plan)), images, tensors)
    assert count == 1
    torch.testing.assert_close(seen, finish(functional.mix(images, tensors)), atol=4e-3, rtol=2e-3)


def test_the_example_runs() -> None:
    runner = doctest.DocTestRunner()
    for example in doctest.DocTestFinder().find(functional):
        # Emptied globals would take from torch what it removes itself when the compiled functions go.
        runner.run(example, clear_globs=False)
    assert runner.tries > 10
    assert runner.failures == 0


# ------------------------------------------------------------------------------------------ errors


def test_ids_out_of_range_fail_where_the_labels_are() -> None:
    labels, tensors = batch()[1], drawn("mixup").tensors()
    compiled = torch.compile(functional.mix_labels, fullgraph=True, backend="aot_eager")
    for mix_labels in (functional.mix_labels, compiled):
        for wrong in (CLASSES, -1):
            bad = labels.clone()
            bad[3] = wrong
            with pytest.raises(RuntimeError, match="out of range"):
                mix_labels(bad, tensors, CLASSES)
    assert functional.mix_labels(bad, tensors, CLASSES, ignore_index=-1).shape == (6, CLASSES)


@pytest.mark.parametrize("labels", [torch.zeros(6), torch.zeros(6, 2, 2), torch.zeros(6, dtype=torch.int64)])
def test_what_is_no_label_is_refused(labels: Any) -> None:
    with pytest.raises(InputError, match="Not class labels"):
        functional.mix_labels(labels, drawn("mixup").tensors(), CLASSES if labels.is_floating_point() else None)


@pytest.mark.parametrize("size", [5, 7])
def test_another_batch_is_refused(size: int) -> None:
    images, labels = batch(size=size)
    tensors = drawn("mixup").tensors()
    for mix in (lambda: functional.mix(images, tensors), lambda: functional.mix_masks(images, tensors),
                lambda: functional.mix_labels(labels, tensors, CLASSES),
                lambda: functional.mix_labels(torch.eye(CLASSES)[labels], tensors)):  # fmt: skip
        with pytest.raises(PlanError, match="another batch"):
            mix()


# ------------------------------------------------------------------------------------------ the transforms themselves

WHOLE = {
    "mixup": lambda **options: MixUp(**options),
    "cutmix": lambda **options: CutMix(**options),
    "oneof": lambda **options: OneOf([MixUp(), CutMix()], **options),
}


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("options", [{}, {"labels": "pair"}, {"keep_originals": True}, {"inplace": True}], ids=str)
@pytest.mark.parametrize("form", ["ids", "one-hot", "soft"])
def test_nothing_is_read_back_from_a_device(name: str, options: dict[str, Any], form: str) -> None:
    """Tensors of the meta device have no values: whoever looks at one fails."""
    images = torch.empty(6, 3, 8, 9, device="meta")
    labels = {
        "ids": torch.empty(6, dtype=torch.int64, device="meta"),
        "one-hot": torch.empty(6, 10, dtype=torch.uint8, device="meta"),
        "soft": torch.empty(6, 10, device="meta"),
    }[form]
    mixed, soft = WHOLE[name](num_classes=10, **options)(images, labels)
    size = 12 if options == {"keep_originals": True} else 6
    assert mixed.shape == (size, 3, 8, 9)
    assert mixed.device.type == "meta"
    assert (mixed is images) == bool(options.get("inplace"))
    assert isinstance(soft, LabelPair) or soft.shape == (size, 10)


def test_several_labels_are_not_read_back_either() -> None:
    images, labels = torch.empty(6, 3, 8, 9, device="meta"), torch.empty(6, 10, device="meta")
    transform = MixUp(kinds={1: MultiLabel(unknown=-1.0)})
    assert transform(images, labels)[1].labels.shape == (6, 10)
