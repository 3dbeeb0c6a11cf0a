"""Batches that are painted on themselves without a copy of them: the order of rows, parts of a batch, and the memory."""

import tracemalloc
from typing import Any

import numpy as np
import pytest
from forms import Form, bits, painted_by

from mixtransforms import BatchSpec, Boxes, Layer, Plan
from mixtransforms.kernels import compiled, numpy, rows
from mixtransforms.kernels.inplace import paths
from mixtransforms.kernels.paint import paint


@pytest.fixture(autouse=True)
def _without_the_kernel_in_c(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "LIBRARY", None)


def maps(seed: int, size: int) -> tuple[list[int], list[int]]:
    """Some rows and their partners: several readers of one, rows of themselves, circles, and chains that end."""
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(size)[: rng.integers(0, size + 1)] if seed % 3 else rng.permutation(size)
    source = rng.permutation(size)[: len(chosen)] if seed % 2 else rng.integers(0, size, len(chosen))
    return chosen.tolist(), source.tolist()


# ------------------------------------------------------------------------------------------ the order


@pytest.mark.parametrize("size", [0, 1, 2, 3, 5, 8])
def test_every_row_is_read_before_it_is_painted(size: int) -> None:
    for seed in range(60):
        chosen, source = maps(seed, size)
        done: list[int] = []
        for numbers, closed in paths(chosen, source, size):
            first = chosen[numbers[0]]
            for number in numbers:
                other = source[number]
                aside = closed and number == numbers[-1]
                assert (other == first) if aside else (other not in done or other == chosen[number])
                done.append(chosen[number])
        assert sorted(done) == sorted(chosen)


def test_a_circle_is_one_path() -> None:
    assert paths([0, 1, 2], [1, 2, 0], 3) == [([0, 1, 2], True)]
    assert paths([2, 0, 1], [0, 1, 2], 3) == [([0, 1, 2], True)]
    assert paths([0, 1], [1, 2], 3) == [([0, 1], False)]
    assert paths([1, 0], [1, 1], 3) == [([1, 0], False)], "1 is painted with itself, when 0 has read it"


# ------------------------------------------------------------------------------------------ values


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("part", [1, 40, 1 << 16])
@pytest.mark.parametrize("least", [0, 1 << 11])
def test_small_samples_are_painted_as_large_ones(dtype: str, part: int, least: int, monkeypatch: Any) -> None:
    """Whichever rows make up a part, and whoever reads them; of none, and in place."""
    monkeypatch.setattr(numpy, "PART", part)
    monkeypatch.setattr(numpy, "LEAST_ROW", least)
    form = Form("numpy" if dtype == "int16" else "torch", dtype)
    for seed in range(30):
        rng, size = np.random.default_rng(seed), 1 + seed % 9
        chosen, source = maps(seed, size)
        opacity = rng.choice([0.0, 0.25, 0.3, 0.9, 1.0], len(chosen))
        start, stop = np.sort(rng.integers(0, 5, (2, len(chosen), 2)), axis=0)
        batch = form.build(np.rint(rng.normal(size=(size, 4, 5, 3)) * 50) % 127)
        for region, shares in ((None, opacity), (Boxes(start, stop), np.rint(opacity))):
            plan = Plan(BatchSpec(size, (4, 5)), (Layer(chosen, source, shares, region),))
            axes = (2, 3) if form.layout == "channels_first" else (1, 2)
            with painted_by("rows"):
                wanted = paint(plan, batch, axes)
            own = batch.clone() if form.backend == "torch" else batch.copy()
            with painted_by("batch"):
                assert bits(paint(plan, batch, axes)) == bits(wanted), seed
                assert paint(plan, own, axes, inplace=True) is own
            assert bits(own) == bits(wanted), seed


# ------------------------------------------------------------------------------------------ memory

SIZE, SHAPE = 512, (3, 32, 32)
MATCHES = {
    "a circle": np.roll(np.arange(SIZE), 1),
    "a random circle": None,
    "pairs": np.arange(SIZE) ^ 1,
    "one for all": np.zeros(SIZE, np.int64),
}


def plan_of(kind: str, match: str) -> Plan:
    rng, source = np.random.default_rng(0), MATCHES[match]
    if source is None:
        order = rng.permutation(SIZE)
        source = np.empty(SIZE, np.int64)
        source[order] = np.roll(order, 1)
    region = Boxes(np.full((SIZE, 2), 3), np.full((SIZE, 2), 12)) if kind == "paste" else None
    shares = {"paste": np.ones(SIZE), "blend": rng.random(SIZE), "some": rng.choice([0.0, 0.3, 1.0], SIZE)}[kind]
    return Plan(BatchSpec(SIZE, SHAPE[1:]), (Layer(np.arange(SIZE), source, shares, region),))


@pytest.mark.parametrize("match", MATCHES)
@pytest.mark.parametrize("kind", ["paste", "blend", "some"])
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64", "float16", "bfloat16"])
def test_many_small_samples_need_room_for_few(dtype: str, kind: str, match: str) -> None:
    """In place: 128 of them, and what any call keeps, whatever the batch. (What torch allocates is not seen here.)"""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    images, plan = torch.zeros(SIZE, *SHAPE).to(getattr(torch, dtype)), plan_of(kind, match)
    paint(plan, images, (2, 3), inplace=True)  # who is the first one imports, and fills what is kept
    tracemalloc.start()
    try:
        paint(plan, images, (2, 3), inplace=True)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    objects = 1000 * SIZE  # rows as arrays, their order, the slices of a box
    assert peak < 128 * images[0].nbytes + objects


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "uint8"])
def test_a_thread_keeps_little(dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it has painted."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    monkeypatch.setattr(numpy.kept, "bytes", np.empty(0, np.uint8))
    for shape in ((3, 3, 256, 256), (4096, 64), (2, 1 << 20)):
        images = torch.zeros(*shape).to(getattr(torch, dtype))
        for inplace in (False, True):
            paint(Plan(BatchSpec(shape[0]), (Layer([0, 1], [1, 0], [0.3, 0.4]),)), images, (), inplace=inplace)
    assert numpy.kept.bytes.nbytes <= 1 << 20


# ------------------------------------------------------------------------------------------ bfloat16


def test_bfloat16_in_host_memory_is_painted_by_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """As bits that NumPy copies; only what computes with parts of samples needs the whole batch as tensors."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    from mixtransforms.kernels import torch as kernel

    images, turn = torch.randn(4, 3, 6, 8).bfloat16(), np.array([1, 2, 3, 0])
    box, crop = Boxes([[1, 2]] * 4, [[5, 7]] * 4), Boxes([[0, 1]] * 4, [[4, 6]] * 4)
    blend = Layer(range(4), turn, [0.3, 1.0, 0.2, 0.0])
    bits_enough = (
        (blend,),
        (Layer(range(4), turn, np.ones(4), box),),
        (Layer(range(4), turn, np.ones(4), box, crop),),
        (blend, Layer([1, 3], [2, 2], np.ones(2), box.take(np.array([1, 0, 1, 0], bool)))),
    )
    numbers_needed = (
        (Layer(range(4), turn, np.full(4, 0.5), box),),
        (Layer(range(4), turn, np.ones(4), box, Boxes.full(4, (6, 8))),),
    )
    for layers in (*bits_enough, *numbers_needed):
        plan = Plan(BatchSpec(4, (6, 8)), layers)
        with painted_by("tensors"), pytest.MonkeyPatch.context() as patch:
            patch.setattr(kernel, "bits_view", lambda array: None)
            wanted = paint(plan, images, (2, 3))
        assert bits(plan.apply(images)) == bits(wanted)
        assert bits(plan.apply(images.to(memory_format=torch.channels_last))) == bits(wanted)
    called: list[Any] = []
    monkeypatch.setattr(kernel, "paint", lambda *arguments: called.append(arguments))
    for layers in bits_enough:
        Plan(BatchSpec(4, (6, 8)), layers).apply(images)
    assert not called
    for layers in numbers_needed:
        Plan(BatchSpec(4, (6, 8)), layers).apply(images)
    assert len(called) == len(numbers_needed)


def test_every_row_of_a_large_batch_is_kept_only_while_it_is_read() -> None:
    """Rows of samples that were never stacked, and of several layers, go by :mod:`mixtransforms.kernels.rows`."""
    images = np.random.default_rng(0).random((6, 200, 30)).astype(np.float32)
    layers = (Layer(range(6), np.roll(range(6), 1), np.full(6, 0.3)), Layer([1, 3], [2, 2], [0.4, 1.0]))
    wanted = np.empty_like(images)
    rows.paint(layers, list(images), wanted, (), False)
    rows.paint(layers, None, images, (), False)
    assert bits(images) == bits(wanted)
