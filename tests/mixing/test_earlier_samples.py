"""Partners from the batches before: the same as of a queue that a list keeps, where calls are counted and nowhere else."""

import copy
import functools
import json
import multiprocessing
import os
import pickle
import threading
import tracemalloc
from typing import Any

import numpy as np
import pytest
from doors import examples
from two_batches import batch, joined

import mixtransforms
from mixtransforms import (
    CutMix,
    EarlierSamples,
    InputError,
    MixUp,
    Mosaic,
    ParameterError,
    PlanError,
    SampleBank,
    Similar,
    Within,
)
from mixtransforms.containers.tree import walk
from mixtransforms.methods.registry import METHODS

SIZES = [3, 2, 5, 0, 1, 7, 4, 4]
"""Of the batches of a run; a bank of six has its first six samples with the third, and mixes from the fourth on."""


def run(size: int = 6, shape: tuple[int, int] = (13, 10), sizes: Any = SIZES, steps: int = 8) -> list[Any]:
    """Batches whose samples are numbered through, and what an ideal queue holds when each of them comes."""
    batches, earlier, first = [], [], 0
    for count in (sizes * steps)[:steps]:
        own = batch(count, first, shape)
        held = functools.reduce(joined, earlier[-size:]) if len(earlier) >= size else None
        batches.append((own, held))
        earlier += [batch_of(own, row) for row in range(count)]
        first += count
    return batches


def batch_of(whole: Any, row: int) -> Any:
    """One sample, as a batch, copied."""
    if isinstance(whole, dict):
        return {name: batch_of(value, row) for name, value in whole.items()}
    return copy.deepcopy(whole[row : row + 1])


def as_tensors(value: Any) -> Any:
    import torch

    if isinstance(value, dict):
        return {name: as_tensors(item) for name, item in value.items()}
    if isinstance(value, list):
        return list(map(as_tensors, value))
    if isinstance(value, np.ndarray):
        tensor = torch.from_numpy(value.copy())
        return tensor.movedim(-1, 1).contiguous() if tensor.ndim == 4 and tensor.shape[-1] == 3 else tensor
    return value


def assert_same(got: Any, wanted: Any) -> None:
    places, others = list(walk(got, lambda *_: False)), list(walk(wanted, lambda *_: False))
    assert [path for path, _ in places] == [path for path, _ in others]
    for (path, value), (_, other) in zip(places, others, strict=True):
        assert type(value) is type(other), path
        np.testing.assert_array_equal(value, other, err_msg=str(path))


# ------------------------------------------------------------------------------------------ whose partners they are


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("shape", [(13, 10), (160, 170)], ids=str)
@pytest.mark.parametrize("method", METHODS)
def test_every_method_mixes_with_what_a_queue_holds(method: str, shape: tuple[int, int], backend: str) -> None:
    if backend == "torch":
        pytest.importorskip("torch", reason="torch is not installed")
    form = as_tensors if backend == "torch" else copy.deepcopy
    for number, configuration in enumerate(examples(method)):
        rolls = configuration.get("pairing") == "roll"  # which takes batches of one size
        sizes, size = ([3], 3) if rolls else (SIZES, 6)
        options = {**configuration, "seed": number, "num_classes": 10, "labels": "mix", "masks": "mix"}
        mix = getattr(mixtransforms, method)(**options, bank=EarlierSamples(size))
        plain, never = (getattr(mixtransforms, method)(**options) for _ in range(2))
        mixed = 0
        for own, held in run(size, shape, sizes, 4 if rolls else 7):
            if held is None or not len(own["images"]):
                drawn = plain.plan(form(own))  # which counts alike
                wanted = never.replay(drawn.where(np.zeros(drawn.size, bool)), form(own))
            else:
                wanted = plain(form(own), second=form(held))
                mixed += 1
            assert_same(mix(form(own)), wanted)
        assert mixed


def test_painted_numbers_are_of_the_last_samples_alone() -> None:
    mix, seen = CutMix(num_classes=10, seed=3, bank=EarlierSamples(10)), set()
    for step in range(60):
        own = batch(4, 4 * step % 240)
        earlier = {number % 240 for number in range(4 * step - 10, 4 * step)}
        for row, image in enumerate(mix(own)["images"]):
            shown = set(np.unique(image).tolist()) - {4 * step % 240 + row}
            assert not shown or (step >= 3 and shown <= earlier)
            seen |= {(4 * step - number) % 240 for number in shown}
    assert seen == set(range(1, 11))  # everyone of the queue comes


@pytest.mark.parametrize("count", [1, 2, 6])
def test_a_bank_smaller_than_a_batch_has_its_last_samples(count: int) -> None:
    mix = CutMix(seed=0, num_classes=10, bank=EarlierSamples(count), partner="who")
    mix(batch(5, 0))
    mix(batch(5, 5))
    partners = mix(batch(5, 10))["who"]
    assert set(partners[partners >= 5].tolist()) <= set(range(5, 5 + count))
    shown = set(np.unique(mix(batch(5, 15))["images"]).tolist()) - set(range(15, 20))
    assert shown
    assert shown <= set(range(15 - count, 15))


def test_values_that_are_read_by_name_are_kept() -> None:
    def groups(first: int) -> dict[str, Any]:
        return {**batch(4, first), "site": [("a", "b")[number % 2] for number in range(first, first + 4)]}

    mix, shown = CutMix(seed=1, num_classes=10, pairing=Within("site"), bank=EarlierSamples(8)), 0
    for step in range(8):
        for row, image in enumerate(mix(groups(4 * step))["images"]):
            assert {number % 2 for number in np.unique(image).tolist()} == {row % 2}
            shown += len(np.unique(image)) > 1
    assert shown > 12  # of 24
    with pytest.raises(InputError, match="without 'site'"):
        mix(batch(4, 0))


def test_partners_by_number_are_looked_for_in_the_whole_bank() -> None:
    mix = MixUp(
        seed=1, pairing=Similar(0.1, units="raw"), bank=EarlierSamples(6), partner="who", kinds={"y": "regression"}
    )
    for _ in range(4):
        after = mix(images=batch(2, 0)["images"], y=np.array([0.0, 5.0], np.float32))
    assert set(after["who"].tolist()[:1]) <= {2, 4, 6}
    assert set(after["who"].tolist()[1:]) <= {1, 3, 5, 7}


# ------------------------------------------------------------------------------------------ which calls mix


def test_a_run_that_is_resumed_refills_and_goes_on_as_if_nothing_had_been() -> None:
    batches = [own for own, _ in run(steps=12)]
    through = CutMix(num_classes=10, seed=7, bank=EarlierSamples(6))
    whole = [through(copy.deepcopy(own)) for own in batches]
    first = CutMix(num_classes=10, seed=7, bank=EarlierSamples(6))
    for own in batches[:4]:
        first(copy.deepcopy(own))
    state = json.loads(json.dumps(first.stream_state()))
    assert len(json.dumps(state)) < 100
    assert state == CutMix(num_classes=10, seed=7).stream_state() | {"step": 4}
    for resumed in (CutMix(num_classes=10, seed=7, bank=EarlierSamples(6)), first):
        resumed.load_stream_state(state)
        for step, own in enumerate(batches[4:], start=4):
            after = resumed(copy.deepcopy(own))
            if step < 6:  # one and seven samples
                np.testing.assert_array_equal(after["images"], own["images"])
            else:
                assert_same(after, whole[step])
    assert any((after["images"] != own["images"]).any() for after, own in zip(whole[6:], batches[6:], strict=True))


def test_off_neither_fills_nor_mixes_and_a_chance_of_0_fills() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    door = pytest.importorskip("mixtransforms.torchvision", reason="torchvision is not installed")
    images, labels = torch.zeros(4, 3, 8, 7), torch.arange(4)
    mix = door.CutMix(num_classes=10, seed=0, bank=EarlierSamples(4))
    mix(images, labels)
    mix.eval()
    for _ in range(3):
        assert torch.equal(mix(images + 5, labels)[0], images + 5)
    mix.train()
    assert mix(images + 1, labels)[0].unique().tolist() == [0.0, 1.0]
    assert mix(images + 2, labels)[0].unique().tolist() == [1.0, 2.0]
    late = door.CutMix(num_classes=10, seed=0, p=mixtransforms.Steps({0: 0.0, 1: 1.0}), bank=EarlierSamples(4))
    mixtransforms.set_epoch(late, 0)
    for value in range(3):
        assert torch.equal(late(images + value, labels)[0], images + value)
    mixtransforms.set_epoch(late, 1)
    assert late(images + 9, labels)[0].unique().tolist() == [2.0, 9.0]


def test_calls_count_whether_they_mix_or_not_and_a_second_batch_leaves_the_bank_alone() -> None:
    mix, plain = (MixUp(num_classes=10, seed=2, **bank) for bank in ({"bank": EarlierSamples(8)}, {}))
    for step in range(3):
        mix(batch(4, 4 * step))
        plain(batch(4, 4 * step))
    assert mix.stream_state() == plain.stream_state()
    second = batch(3, 200)
    assert_same(mix(batch(4, 12), second=second), plain(batch(4, 12), second=second))
    assert_same(mix(batch(4, 16)), plain(batch(4, 16), second=joined(batch(4, 4), batch(4, 8))))


def test_a_canvas_is_a_canvas_from_the_first_call_on() -> None:
    mix = Mosaic(num_classes=10, seed=0, output_size=(20, 22), bank=EarlierSamples(6))
    assert {mix(own)["images"].shape[1:] for own, _ in run()} == {(20, 22, 3)}


# ------------------------------------------------------------------------------------------ whose memory it is


@pytest.mark.parametrize("form", ["arrays", "tensors", "list"])
def test_what_is_written_into_a_batch_later_changes_nothing(form: str) -> None:
    def of(first: int) -> Any:
        own = batch(4, first)
        if form == "tensors":
            return as_tensors(own)
        return {**own, "images": list(own["images"])} if form == "list" else own

    def spoil(value: Any) -> None:
        for _, leaf in walk(value, lambda *_: False):
            if hasattr(leaf, "shape"):
                leaf[...] = 0

    if form == "tensors":
        pytest.importorskip("torch", reason="torch is not installed")
    options = {"num_classes": 10, "seed": 5, "bank": EarlierSamples(6)}
    kept, written = CutMix(**options), CutMix(**options, inplace=form != "list")
    for step in range(4):
        own = of(4 * step)
        assert_same(after := written(own), kept(of(4 * step)))
        spoil(own)
        spoil(after)


def test_gradients_end_at_the_bank() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    mix = MixUp(seed=0, bank=EarlierSamples(3))
    for _ in range(3):
        features = torch.rand(3, 4, 5, 5, requires_grad=True)
        images = features * 2
        after = mix(images)
    after.sum().backward()
    assert 0 < features.grad.min() < 2
    assert not mix._earlier.batch().images[0].value.requires_grad


def test_memory_of_all_sorts_side_by_side() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    mix, mixed = CutMix(seed=0, bank=EarlierSamples(8)), set()
    for step in range(20):
        images = torch.full((4, 3, 6, 5), -float(step))
        if step % 3 == 1:
            images = torch.complex(images, -images).conj().imag  # whose signs are pending
            assert images.is_neg()
        if step % 3 == 2:
            images = images.contiguous(memory_format=torch.channels_last).requires_grad_()
        after = mix(images).detach().unique().tolist()
        assert set(after) <= {-float(max(step - back, 0)) for back in range(3)}
        mixed |= {step % 3} if step > 1 and len(after) > 1 else set()
    assert mixed == {0, 1, 2}


def test_memory_is_that_of_the_samples_and_of_two_batches() -> None:
    images = np.zeros((8, 100, 100, 3), np.uint8)
    mix = MixUp(seed=0, bank=EarlierSamples(64))
    tracemalloc.start()
    try:
        for _ in range(40):
            mix(images)
        held = tracemalloc.get_traced_memory()[0] / images[0].nbytes
    finally:
        tracemalloc.stop()
    assert 64 <= held < 64 + 2 * 8 + 2


# ------------------------------------------------------------------------------------------ where it is refused

WAY_OUT = r"Use bank=SampleBank\(dataset, size\).*works anywhere"
SAMPLES = [(np.full((8, 7, 3), number, np.uint8), number % 10) for number in range(12)]


@pytest.mark.parametrize("seed", [0, None])
def test_lists_of_samples_are_refused_and_the_way_out_takes_them(seed: int | None) -> None:
    mix = CutMix(num_classes=10, seed=seed, bank=EarlierSamples(4))
    with pytest.raises(InputError, match=f"CutMix.bank.*a list of samples.*{WAY_OUT}"):
        mix(SAMPLES[:4])
    CutMix(num_classes=10, seed=seed, bank=SampleBank(SAMPLES, 4))(SAMPLES[:4])


def test_workers_are_refused_and_the_way_out_works_there() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    from torch.utils.data import DataLoader, default_collate

    def loaded(mix: Any) -> list[Any]:
        collate = functools.partial(ready, mix, default_collate)
        data = [(torch.from_numpy(image), label) for image, label in SAMPLES]
        return list(DataLoader(data, batch_size=4, collate_fn=collate, num_workers=1, multiprocessing_context="fork"))

    with pytest.raises(InputError, match=f"a worker of a DataLoader.*{WAY_OUT}"):
        loaded(CutMix(num_classes=10, seed=0, layout="channels_last", bank=EarlierSamples(4)))
    data = [(torch.from_numpy(image), label) for image, label in SAMPLES]
    assert len(loaded(CutMix(num_classes=10, seed=0, layout="channels_last", bank=SampleBank(data, 4)))) == 3


def ready(mix: Any, collate: Any, samples: Any) -> Any:
    return mix(*collate(samples))


def refusal(mix: Any, results: Any = None) -> str:
    try:
        mix(batch(3, 0))
    except InputError as error:
        results.append(str(error)) if results is not None else None
        return str(error)
    return ""


def test_copies_and_threads_where_nobody_counts_are_refused() -> None:
    mix = CutMix(num_classes=10, seed=0, bank=EarlierSamples(4))
    for _ in range(3):
        mix(batch(3, 0, (90, 80)))
    told: list[str] = []
    thread = threading.Thread(target=refusal, args=(mix, told))
    thread.start()
    thread.join()
    content = pickle.dumps(mix)
    assert len(content) < 3000  # a picture has more
    for text in (*told, refusal(pickle.loads(content))):
        assert "another process or thread than that of its construction" in text
        assert "Use bank=SampleBank(dataset, size)" in text
    assert len(told) == 1
    if hasattr(os, "fork"):
        with multiprocessing.get_context("fork").Pool(1) as pool:
            assert "another process" in pool.apply(refusal, (mix,))
    assert mix(batch(3, 0, (90, 80))).keys()  # here it goes on


def test_a_copy_in_its_place_goes_on_as_its_original_does() -> None:
    mix = CutMix(num_classes=10, seed=0, bank=EarlierSamples(4))
    batches = [own for own, _ in run()]
    for own in batches[:3]:
        mix(copy.deepcopy(own))
    twin = copy.deepcopy(mix)
    first = [mix(copy.deepcopy(own)) for own in batches[3:]]
    for own, wanted in zip(batches[3:], first, strict=True):
        assert_same(twin(copy.deepcopy(own)), wanted)


# ------------------------------------------------------------------------------------------ bad input

OWN = {"images": np.zeros((3, 8, 7, 3), np.uint8), "labels": np.arange(3)}


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (
            {"images": np.zeros((3, 7, 8, 3), np.uint8)},
            r"of another form \(bank\['images'\]\): got .*8, 7, 3",
        ),
        ({"images": np.zeros((3, 8, 7, 3), np.float32)}, r"of another form \(.*'images'\]\): got numpy uint8"),
        ({"labels": np.eye(10, dtype=np.float32)[:3]}, r"of another form \(.*'labels'\]\)"),
        ({"labels": None}, r"of another form \(.*'labels'\]\)"),
        ({"masks": np.zeros((3, 8, 7), np.uint8)}, r"of another form \(.*'masks'\]\): got nothing there"),
    ],
    ids=["size", "dtype", "labels", "without labels", "more"],
)
@pytest.mark.parametrize("calls", [1, 4])
def test_batches_of_another_form_are_refused_from_the_second_on(change: Any, match: str, calls: int) -> None:
    mix, like = (CutMix(labels="mix", seed=0, bank=EarlierSamples(6)) for _ in range(2))
    for _ in range(calls):
        mix(OWN)
        like(OWN)
    other = {name: value for name, value in {**OWN, **change}.items() if value is not None}
    with pytest.raises(InputError, match=f"Earlier samples {match}.*\n?.*a transform of its own"):
        mix(other)
    assert_same(mix(OWN), like(OWN))  # it did not count
    CutMix(labels="mix", seed=0, bank=EarlierSamples(6))(other)  # as the way out says


@pytest.mark.parametrize(("known", "other"), [(list, np.array), (np.array, list)], ids=["arrays", "lists"])
def test_objects_of_another_form_are_refused(known: Any, other: Any) -> None:
    images = np.zeros((3, 20, 20, 3), np.uint8)
    first, second = ({"images": images, "boxes": [form([[1.0, 1.0, 9.0, 9.0]])] * 3} for form in (known, other))
    mix = CutMix(seed=0, bank=EarlierSamples(6))
    mix(first)
    with pytest.raises(
        InputError, match=r"Earlier samples of another form \(batch\['boxes'\]\).*a transform of its own"
    ):
        mix(second)
    for _ in range(3):
        mix(first)


@pytest.mark.parametrize("size", [0, -1, True, 2.5, None, "4"])
def test_what_is_no_size_is_refused(size: Any) -> None:
    with pytest.raises(ParameterError, match=r"'size' \(EarlierSamples\)"):
        EarlierSamples(size)
    with pytest.raises(ParameterError, match=r"bank.*None, SampleBank\(dataset, size\) or EarlierSamples\(size\)"):
        MixUp(bank=4)


@pytest.mark.parametrize("bank", [EarlierSamples(3), SampleBank(SAMPLES, 3)], ids=["earlier", "data set"])
def test_hints_with_a_call_know_nothing_of_a_bank(bank: Any) -> None:
    images, labels = np.stack([image for image, _ in SAMPLES]), np.arange(12) % 10
    saliency = np.ones((12, 8, 7))
    mix = mixtransforms.SaliencyMix(num_classes=10, seed=0, bank=bank)
    with pytest.raises(InputError, match=r"Hints that know nothing of a bank \(SaliencyMix\).*of the transform"):
        mix(images, labels, hints={"saliency": saliency})
    # as the way out says
    source = {"saliency": lambda images: np.ones(images.shape[:3])}
    following = mixtransforms.SaliencyMix(num_classes=10, seed=0, bank=bank, hints=source)
    given = {"saliency": np.ones((24, 8, 7))}
    for _ in range(2):
        following(images, labels)
        mix(images, labels, hints=given, second=(images, labels))


# ------------------------------------------------------------------------------------------ plans, traces, pictures


def test_a_plan_is_replayed_with_what_it_was_drawn_with() -> None:
    mix, twin = (CutMix(num_classes=10, seed=4, bank=EarlierSamples(6)) for _ in range(2))
    last = []
    for own, held in run():
        plan = mix.plan(copy.deepcopy(own))
        wanted = twin(copy.deepcopy(own))
        for _ in range(2):
            assert_same(mix.replay(plan, copy.deepcopy(own)), wanted)
        if held is not None and len(own["images"]):
            last.append((plan, own, held, wanted))
    plan, own, held, wanted = last[0]
    with pytest.raises(PlanError, match="replay it with the same second batch"):
        mix.replay(plan, own)
    assert_same(mix.replay(plan, own, second=held), wanted)


def test_a_trace_is_a_call() -> None:
    mix, twin = (CutMix(num_classes=10, seed=4, bank=EarlierSamples(6)) for _ in range(2))
    for own, _ in run():
        trace = mix.trace(copy.deepcopy(own))
        assert_same(trace.after, twin(copy.deepcopy(own)))
        assert_same(trace.before, own)


def test_looking_keeps_nothing() -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    from mixtransforms import show

    mix, twin = (CutMix(num_classes=10, seed=4, bank=EarlierSamples(6)) for _ in range(2))
    for number, (own, held) in enumerate(run()):
        other = {**batch(5, 200), "names": None}
        if number < 2:
            show.compare({"mix": mix}, other)
        elif held is not None:
            with pytest.raises(InputError, match="No picture of two batches"):
                show.compare({"mix": mix}, other)
        assert_same(mix(copy.deepcopy(own)), twin(copy.deepcopy(own)))


# ------------------------------------------------------------------------------------------ hosts, choices, files


def test_choices_have_one_bank_for_all_their_methods() -> None:
    children = [[MixUp(**bank), CutMix(**bank)] for bank in ({"bank": EarlierSamples(6)}, {})]
    mix, plain = (mixtransforms.OneOf(inside, num_classes=10, seed=0, masks="mix") for inside in children)
    assert mix.bank == EarlierSamples(6)
    for own, held in run():
        if held is None:
            plain.plan(own)
            np.testing.assert_array_equal(mix(own)["images"], own["images"])
        else:
            assert_same(mix(own), plain(own, second=held))


def painted(number: int, size: int = 4) -> Any:
    return np.full((size, 8, 7, 3), number, np.uint8)


def test_pipelines_of_torchvision() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    door = pytest.importorskip("mixtransforms.torchvision", reason="torchvision is not installed")
    from torchvision.transforms import v2

    def pipeline() -> Any:
        inside = [
            v2.RandomHorizontalFlip(),
            CutMix(num_classes=10, bank=EarlierSamples(8)),
            door.Otherwise([v2.Lambda(lambda value: value)]),
            v2.ToDtype({"images": torch.float32, "others": None}),
        ]
        return door.BatchCompose(inside, seed=1)

    def at(number: int) -> Any:
        return {"images": torch.from_numpy(painted(number)).movedim(-1, 1), "labels": torch.arange(4)}

    compose = pipeline()
    whole = [compose(at(number)) for number in range(6)]
    assert [after["images"].unique().tolist() for after in whole[:2]] == [[0.0], [1.0]]
    for number, after in enumerate(whole[2:], start=2):
        assert set(after["images"].unique().tolist()) <= {number - 2.0, number - 1.0, float(number)}
        assert len(after["images"].unique()) > 1
    resumed = pipeline()
    for number in range(2):
        resumed(at(number))
    state = resumed.stream_state()
    for fresh in (pipeline(), resumed):
        fresh.load_stream_state(state)
        after = [fresh(at(number)) for number in range(2, 6)]
        assert [len(each["images"].unique()) for each in after[:2]] == [1, 1]
        assert_same(after[2:], whole[4:])
    with pytest.raises(InputError, match=f"a list of samples.*{WAY_OUT}"):
        compose([({"images": image}, 1) for image in torch.zeros(4, 3, 8, 7)])
    with pytest.raises(InputError, match="another process or thread"):
        pickle.loads(pickle.dumps(door.BatchCompose([door.CutMix(num_classes=10, bank=EarlierSamples(2))], seed=0)))(
            at(0)
        )


def test_pipelines_of_albumentations() -> None:
    door = pytest.importorskip("mixtransforms.albumentations", reason="albumentations is not installed")
    import albumentations as A

    inside = [A.HorizontalFlip(), door.CutMix(num_classes=10, bank=EarlierSamples(8))]
    pipelines = [
        door.BatchCompose(inside, seed=1),
        A.Compose([door.CutMix(num_classes=10, bank=EarlierSamples(8))], seed=1),
        A.Compose([A.OneOf([door.CutMix(p=0.1, num_classes=10, bank=EarlierSamples(8))], p=1.0)], seed=1),
        functools.partial(door.CutMix(p=0.0, num_classes=10, bank=EarlierSamples(8), seed=1), force_apply=True),
    ]
    for compose in pipelines:
        for number in range(6):
            shown = set(np.unique(compose(images=painted(number), labels=np.arange(4))["images"]).tolist())
            assert shown == {number} if number < 2 else shown <= {number - 2, number - 1, number} and len(shown) > 1
    with pytest.raises(InputError, match=f"a list of samples.*{WAY_OUT}"):
        pipelines[0]([{"image": painted(0)[0], "label": 1}] * 4)


def test_recorded_calls_are_replayed_with_the_samples_that_they_had() -> None:
    door = pytest.importorskip("mixtransforms.albumentations", reason="albumentations is not installed")
    import albumentations as A

    record = A.ReplayCompose([door.CutMix(num_classes=10, seed=0, bank=EarlierSamples(4))])
    for number in range(2):
        after = record(images=painted(number), labels=np.arange(4))
    second = {"images": painted(0), "labels": np.arange(4)}
    again = A.ReplayCompose.replay(after["replay"], images=painted(1), labels=np.arange(4), second=second)
    np.testing.assert_array_equal(again["images"], after["images"])


@pytest.mark.parametrize("door", ["", ".torchvision", ".albumentations"])
def test_files_hold_it(door: str) -> None:
    import importlib

    home = pytest.importorskip(f"mixtransforms{door}", reason="the host is not installed")
    assert importlib.import_module(f"mixtransforms{door}") is home
    mix = home.CutMix(num_classes=10, bank=EarlierSamples(256))
    text = mixtransforms.to_json(mix)
    assert '"bank": {"size": 256}' in text
    assert mixtransforms.from_json(text).bank == EarlierSamples(256)
    assert "bank" not in mixtransforms.to_json(home.CutMix(num_classes=10))
    assert "bank=EarlierSamples(size=256)" in repr(mix)
