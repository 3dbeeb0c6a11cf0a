"""Workers of a DataLoader: how many there are, how they were started and who makes which batch changes nothing."""

import copy
import json
import multiprocessing
import pickle
from collections.abc import Callable, Iterator
from functools import cache
from io import BytesIO
from itertools import pairwise
from multiprocessing.reduction import ForkingPickler
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("torchvision", reason="torchvision is not installed")
A = pytest.importorskip("albumentations", reason="albumentations is not installed")

import loaders
import tiers
from loaders import CROWD, EPOCHS, OF_TENSORS, PHOTOS, SIZE, Corners, Everything, Photos, Record, Ruled, Shuffled
from torch.utils.data import DataLoader, Subset
from torchvision.transforms import v2

import mixtransforms
from mixtransforms import albumentations as al
from mixtransforms import torchvision as tv

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning"),  # more workers than cores
    pytest.mark.filterwarnings("ignore:'set_vital' is deprecated:UserWarning"),  # torchdata with the newest torch
]

RANK = 3
"""The rank of the main process, which a spawned worker cannot find out by itself."""

LIBRARIES = ["torch", "torchvision", "albumentations", "mixtransforms.torchvision", "mixtransforms.albumentations"]


@cache
def records(workers: int = 0, start: str | None = None, **options: Any) -> list[list[Record]]:
    """What a loader's batches were, one list an epoch."""
    with patch("mixtransforms.rng.streams.current_rank", lambda *_: RANK):
        return loaders.run(workers, start, **options)


def forked() -> list[list[Record]]:
    """Of two forked workers that go on for all epochs."""
    return records(2, "fork", persistent_workers=True)


def flat(epochs: list[list[Record]]) -> list[Record]:
    return [record for epoch in epochs for record in epoch]


def check_same(found: list[list[Record]], wanted: list[list[Record]], calls: bool = True) -> None:
    for epoch, (some, others) in enumerate(zip(found, wanted, strict=True)):
        for some_record, other in zip(some, others, strict=True):
            assert some_record.same_as(other, calls), f"epoch {epoch}: {some_record} is not {other}"


def check_warned_once(found: list[Record]) -> None:
    assert not [text for record in found for text in record.warned[0]]
    assert len([text for record in found for text in record.warned[1]]) == len(loaders.untold())


@pytest.fixture
def server() -> None:
    """A fork server that imports everything once, if it does not run already."""
    multiprocessing.set_forkserver_preload(LIBRARIES)


# ------------------------------------------------------------------------------------------------------- all batches

FORKED = [
    {"workers": 1},
    {"workers": 2},
    {"workers": 4},
    {"workers": 4, "persistent_workers": True},
    {"workers": 2, "prefetch_factor": 1, "persistent_workers": True},
]


def test_results_differ_from_batch_to_batch_and_from_epoch_to_epoch() -> None:
    alone = flat(records())
    for name in loaders.pipelines():
        assert len({record.digests[name] for record in alone}) == EPOCHS * PHOTOS // SIZE, name
    assert len({record.digests["untold v2 mix"] for record in alone}) == EPOCHS * PHOTOS // SIZE


def test_workers_make_what_the_main_process_makes() -> None:
    check_same(forked(), records(), calls=False)
    assert {record.worker for record in flat(records())} == {None}
    assert {record.worker for record in flat(forked())} == {0, 1}


@pytest.mark.full
@pytest.mark.parametrize("options", FORKED, ids=str)
def test_forked_workers_make_the_same(options: dict[str, Any]) -> None:
    check_same(records(start="fork", **options), forked())


@pytest.mark.full
def test_workers_that_may_overtake_each_other_make_the_same() -> None:
    found = records(2, "fork", in_order=False)
    check_same([in_turn(epoch) for epoch in found], [in_turn(epoch) for epoch in forked()])


def in_turn(epoch: list[Record]) -> list[Record]:
    return sorted(epoch, key=lambda record: record.ids)


@pytest.mark.full
def test_spawned_workers_make_the_same() -> None:
    found = records(2, "spawn", persistent_workers=True)
    check_same(found, forked())
    check_warned_once(flat(found))
    assert all(all(record.shared.values()) for record in flat(found))


@pytest.mark.full
@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("persistent", [False, True])
def test_workers_of_a_fork_server_make_the_same(persistent: bool) -> None:
    found = records(2, "forkserver", persistent_workers=persistent)
    check_same(found, forked())
    check_warned_once(flat(found))
    assert all(all(record.shared.values()) for record in flat(found))


def test_all_draws_are_of_the_rank_and_the_epoch_that_were_told() -> None:
    for epoch, found in enumerate(forked()):
        for name, keys in [item for record in found for item in record.keys.items()]:
            assert {(key.epoch, key.rank) for key in keys} <= {(0 if "untold" in name else epoch, RANK)}, name


def test_calls_are_counted_in_the_main_process_alone() -> None:
    for found in records():
        assert [record.keys["ready"][0].step for record in found] == list(range(PHOTOS // SIZE))
    steps = [record.keys["ready"][0].step for record in flat(forked())]
    assert len(set(steps)) == len(steps)


def test_plans_are_drawn_again_from_their_keys_alone() -> None:
    mix, collate = tv.MixUp(alpha=1.0, num_classes=loaders.CLASSES, seed=2), Everything()
    record = forked()[1][0]
    mixtransforms.set_epoch(list(collate.told.values()), 1, rank=RANK)
    samples = loaders.tensors([Photos()[index] for index in record.ids])
    plan = collate.told["v2 mix"].trace(samples).plans[0]
    assert [plan.key] == record.keys["v2 mix"]
    assert mix.method.redraw(record.keys["v2 mix"][0], plan.spec) == plan


# ------------------------------------------------------------------------------------------------------------ resume


class Rest:
    """A batch sampler without the batches that are done."""

    def __init__(self, done: int, epoch: int) -> None:
        sampler = Shuffled()
        sampler.epoch = epoch
        order = list(sampler)
        self.batches = [order[start : start + SIZE] for start in range(done * SIZE, len(order), SIZE)]

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[list[int]]:
        return iter(self.batches)


def resumed(collate: Everything, epoch: int) -> None:
    """Goes on from what a checkpoint holds of another run, which was in some epoch."""
    before = Everything()
    with patch("mixtransforms.rng.streams.current_rank", lambda *_: RANK):
        mixtransforms.set_epoch(list(before.told.values()), epoch)
        for name, pipeline in before.told.items():
            collate.told[name].load_stream_state(json.loads(json.dumps(pipeline.stream_state())))


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("done", [1, 4])
def test_the_rest_of_an_epoch_is_the_same_without_its_beginning(done: int, workers: int) -> None:
    collate = Everything()
    resumed(collate, 2)
    with patch("mixtransforms.rng.streams.current_rank", lambda *_: RANK):
        rest = list(DataLoader(Photos(), batch_sampler=Rest(done, 2), num_workers=workers, collate_fn=collate))
    check_same([rest], [forked()[2][done:]], calls=workers > 0)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_stateful_loader_goes_on_within_an_epoch(workers: int) -> None:
    stateful = pytest.importorskip("torchdata.stateful_dataloader", reason="torchdata is not installed")

    def loader() -> tuple[Any, Everything]:
        collate, sampler = Everything(), Shuffled()
        sampler.epoch = 1
        resumed(collate, 1)
        options = {"batch_size": SIZE, "sampler": sampler, "num_workers": workers, "collate_fn": collate}
        return stateful.StatefulDataLoader(Photos(), **options), collate

    with patch("mixtransforms.rng.streams.current_rank", lambda *_: RANK):
        first, _ = loader()
        batches = iter(first)
        beginning = [next(batches) for _ in range(2)]
        state = pickle.loads(pickle.dumps(first.state_dict()))
        second, _ = loader()
        second.load_state_dict(state)
        rest = list(second)
    check_same([beginning + rest], [forked()[1]], calls=workers > 0)
    assert len(rest) == PHOTOS // SIZE - 2


@pytest.mark.parametrize("name", loaders.TOLD_BY_CALLS)
def test_calls_with_ready_batches_go_on_where_they_were(name: str) -> None:
    batches = [loaders.ready([Photos()[index] for index in batch]) for batch in Rest(0, 0)]
    first, second = loaders.pipelines()[name], loaders.pipelines()[name]
    mixtransforms.set_epoch(first, 2, rank=5)
    wanted = [loaders.digest(first(*batch)) for batch in batches[:2]]
    second.load_stream_state(json.loads(json.dumps(first.stream_state())))
    wanted += [loaders.digest(first(*batch)) for batch in batches[2:]]
    assert [loaders.digest(second(*batch)) for batch in batches[2:]] == wanted[2:]
    mixtransforms.set_epoch(second, 2, rank=5)
    assert [loaders.digest(second(*batch)) for batch in batches] == wanted


# -------------------------------------------------------------------------------------------------------- duplicates


def cropping(host: str, seed: int | None) -> Corners:
    if host == "torchvision":
        return Corners(tv.BatchCompose([v2.RandomCrop(8), tv.MixUp(p=0)], seed=seed), channels_first=True)
    return Corners(al.BatchCompose([A.RandomCrop(8, 8), al.MixUp(p=0)], seed=seed))


HOSTS = ["torchvision", "albumentations"]


def corners(collate: Any, data: Any, epochs: int = 2, **options: Any) -> list[list[list[tuple[int, int]]]]:
    """Where every sample was cropped, by epochs and batches."""
    torch.manual_seed(0)
    loader = DataLoader(data, batch_size=4, num_workers=2, collate_fn=collate, **options)
    found = []
    for epoch in range(epochs):
        if getattr(collate, "pipeline", None) is not None and collate.pipeline.seed is not None:
            mixtransforms.set_epoch(collate.pipeline, epoch)
        found.append([[corner for _, *corner in batch] for batch in loader])
    return found


class Stock:
    """A transform of one sample, as a data set holds it."""

    def __init__(self, compose: Any) -> None:
        self.compose = compose

    def __call__(self, image: Any) -> Any:
        return self.compose(image=image)["image"]


@pytest.mark.parametrize("seed", [None, 7])
def test_contrast_stock_albumentations_repeats_itself_in_workers_and_epochs(seed: int | None) -> None:
    stock = Stock(A.Compose([A.RandomCrop(8, 8)], seed=seed))
    same = Corners(mixtransforms.torchvision.BatchCompose([]))
    first, second = corners(same, Ruled(stock))
    assert first[0] == first[1], "the first batches of two workers"
    assert first[0] != first[2]
    assert first == second


@tiers.product(host=HOSTS, seed=[None, 7], persistent=[False, True])
def test_neither_workers_nor_epochs_repeat_each_other(host: str, seed: int | None, persistent: bool) -> None:
    epochs = corners(cropping(host, seed), Ruled(), persistent_workers=persistent)
    batches = [tuple(map(tuple, batch)) for epoch in epochs for batch in epoch]
    assert len(set(batches)) == len(batches) == 16
    every = [corner for batch in batches for corner in batch]
    # 64 corners among 57 * 57: two pairs alike are improbable enough, and repetition would make half of them alike.
    assert len(set(every)) >= len(every) - 4


# --------------------------------------------------------------------------------------------------------- schedules

PARTS = [epoch / (EPOCHS - 1) for epoch in range(EPOCHS)]
BATCHES = PHOTOS // SIZE


def by_worker(kind: str, name: str) -> Iterator[tuple[float, int, int]]:
    """The part of the way, how many samples were mixed so, and of how many; for every worker in every epoch."""
    for part, found in zip(PARTS, forked(), strict=True):
        for worker in (0, 1):
            counts = [getattr(record, kind)[name] for record in found if record.worker == worker]
            assert len(counts) == BATCHES // 2
            yield part, sum(counts), len(counts) * CROWD


def check_share(count: int, share: float, total: int) -> None:
    """Within five standard deviations; exactly at both ends, where there are none."""
    assert abs(count - share * total) <= 5 * np.sqrt(share * (1 - share) * total)


def test_every_worker_follows_a_ramp_of_p() -> None:
    for part, blended, total in by_worker("blended", "ramp"):
        check_share(blended, part, total)


def test_every_worker_follows_ramps_of_weights() -> None:
    for part, blended, total in by_worker("blended", "weights"):
        check_share(blended, 1 - part, total)
    for part, pasted, total in by_worker("pasted", "weights"):
        assert pasted <= part * total + 5 * np.sqrt(part * (1 - part) * total)
        assert bool(pasted) == bool(part)


# -------------------------------------------------------------------------------------------------- samples by content


def where(collate: Corners, indices: Any, data: Any = None) -> dict[int, list[tuple[int, int]]]:
    """Where samples are cropped that are collated together."""
    found: dict[int, list[tuple[int, int]]] = {}
    for index, *corner in collate([(data or Ruled())[index] for index in indices]):
        found.setdefault(index, []).append(tuple(corner))
    return found


@pytest.mark.parametrize("host", HOSTS)
def test_place_company_and_size_of_the_batch_change_nothing_for_a_sample(host: str) -> None:
    collate = cropping(host, 7)
    wanted = where(collate, range(32))
    assert len({corner for (corner,) in wanted.values()}) > 28
    for indices in (range(31, -1, -1), [5], [9, 5], [5, 31, 2], np.random.default_rng(0).permutation(32)[:11].tolist()):
        found = where(collate, indices)
        assert found == {index: wanted[index] for index in indices}


@pytest.mark.parametrize("host", HOSTS)
def test_the_worker_changes_nothing_for_a_sample(host: str) -> None:
    collate = cropping(host, 7)
    mixtransforms.set_epoch(collate.pipeline, 1)
    wanted = where(collate, range(32))
    assert wanted != where(cropping(host, 7), range(32)), "the epoch counts"
    assert wanted != where(cropping(host, 8), range(32)), "the seed counts"
    mixtransforms.set_epoch(collate.pipeline, 1, rank=1)
    assert wanted != where(collate, range(32)), "the rank counts"
    for workers, size, rank in ((1, 5, "own"), (2, 3, 0), (3, 7, None)):
        mixtransforms.set_epoch(collate.pipeline, 1, rank=rank)
        loader = DataLoader(Ruled(), batch_size=size, shuffle=True, num_workers=workers, collate_fn=collate)
        assert {index: [tuple(corner)] for batch in loader for index, *corner in batch} == wanted


@pytest.mark.parametrize("host", HOSTS)
def test_a_sample_that_is_there_twice_is_treated_twice(host: str) -> None:
    collate = cropping(host, 7)
    twice = where(collate, [3, 4, 3, 3, 3])[3]
    assert len(set(twice)) == 4
    assert where(collate, [3])[3] == twice[:1]
    assert where(collate, [9, 3, 8, 7, 3])[3] == twice[:2], "the second time is like every second time"


@pytest.mark.parametrize("host", HOSTS)
def test_transforms_of_a_stage_after_a_mix_know_samples_too(host: str) -> None:
    pipeline = (
        tv.BatchCompose([tv.MixUp(p=0), v2.RandomCrop(8)], seed=7)
        if host == "torchvision"
        else al.BatchCompose([al.MixUp(p=0), A.RandomCrop(8, 8)], seed=7)
    )
    collate = Corners(pipeline, host == "torchvision")
    wanted = where(collate, range(16))
    assert len({corner for (corner,) in wanted.values()}) > 13
    assert where(collate, [8, 2, 11]) == {index: wanted[index] for index in (8, 2, 11)}
    assert wanted != where(cropping(host, 7), range(16)), "as other stages do"


# ------------------------------------------------------------------------------------------------------------ memory


def test_images_that_workers_mix_lie_in_shared_memory() -> None:
    assert all(record.shared == dict.fromkeys(OF_TENSORS, True) for record in flat(forked()))
    assert all(record.shared == dict.fromkeys(OF_TENSORS, False) for record in flat(records()))


def test_a_trace_shows_what_the_call_returns() -> None:
    assert all(record.traced_alike for record in flat(forked()) + flat(records()))


def test_neither_samples_nor_batches_that_are_given_are_overwritten() -> None:
    data = Photos()
    for record in flat(forked()) + flat(records()):
        samples = [data[index] for index in record.ids]
        assert record.sources == (loaders.digest(samples), loaders.digest(loaders.given(samples)))


@pytest.mark.parametrize("name", ["v2", "v2 mix"])
def test_batches_arrive_as_they_were_sent(name: str) -> None:
    pipeline = loaders.pipelines()[name]
    mixtransforms.set_epoch(pipeline, 0)
    options = {"batch_size": SIZE, "collate_fn": loaders.Sent(pipeline)}
    sent = list(DataLoader(Photos(), num_workers=2, **options))
    assert all(loaders.digest(batch) == digest for batch, digest in sent), "all of them, after the last was made"
    assert [digest for _, digest in sent] == [digest for _, digest in DataLoader(Photos(), **options)]
    assert all(images.is_shared() for (images, _), _ in sent)


@pytest.mark.parametrize("name", ["v2", "albumentations"])
def test_the_generator_of_the_host_is_left_as_it_was(name: str) -> None:
    pipeline, samples = loaders.pipelines()[name], loaders.FORMS[name]([Photos()[index] for index in range(SIZE)])
    mixtransforms.set_epoch(pipeline, 0)
    before = torch.get_rng_state()
    pipeline(samples)
    assert torch.equal(torch.get_rng_state(), before)


def test_originals_that_are_kept_are_the_originals() -> None:
    mix = tv.MixUp(alpha=1.0, num_classes=loaders.CLASSES, keep_originals=True, seed=2)
    mixtransforms.set_epoch(mix, 0)
    loader = DataLoader(Photos(), batch_size=SIZE, num_workers=2, collate_fn=loaders.Sent(mix))
    for number, ((images, _), _) in enumerate(loader):
        originals = Photos().images[number * SIZE : (number + 1) * SIZE]
        np.testing.assert_array_equal(images[:SIZE].movedim(1, -1).numpy(), originals)
        assert len(images) == 2 * SIZE


# ----------------------------------------------------------------------------------------------------------- pickling


def through_torch(pipeline: Any) -> Any:
    file = BytesIO()
    torch.save(pipeline, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


def through_cloudpickle(pipeline: Any) -> Any:
    cloudpickle = pytest.importorskip("cloudpickle", reason="cloudpickle is not installed")
    return cloudpickle.loads(cloudpickle.dumps(pipeline))


def through_a_worker(pipeline: Any) -> Any:
    return pickle.loads(next(iter(DataLoader([0], num_workers=1, collate_fn=loaders.Pickled(pipeline)))))


TWINS: dict[str, Callable[[Any], Any]] = {
    "pickle": lambda pipeline: pickle.loads(pickle.dumps(pipeline)),
    "deepcopy": copy.deepcopy,
    "cloudpickle": through_cloudpickle,
    "torch.save": through_torch,
    "queue": lambda pipeline: ForkingPickler.loads(ForkingPickler.dumps(pipeline)),
    "worker": through_a_worker,
}


TRAVELLED = [name for name in TWINS if name != "deepcopy"]
KEPT = ["v2", "v2 mix", "ready pipeline", "albumentations", "albumentations mix", "neutral"]


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("name", KEPT)
def test_copies_keep_epoch_and_count_and_share_nothing(name: str, twin: str) -> None:
    pipeline = loaders.pipelines()[name]
    mixtransforms.set_epoch(pipeline, 3, rank=2)
    call(pipeline, name)
    other = TWINS[twin](pipeline)
    seed, state = pipeline.seed, other.stream_state()
    assert state == pipeline.stream_state() == {"seed": seed, "epoch": 3, "step": 1, "rank": 2}
    mixtransforms.set_epoch(pipeline, 4)
    assert other.stream_state() == {"seed": seed, "epoch": 3, "step": 1, "rank": 2}
    mixtransforms.set_epoch(other, 5)
    assert pipeline.stream_state() == {"seed": seed, "epoch": 4, "step": 0, "rank": "own"}


@pytest.mark.parametrize("name", KEPT)
def test_a_deep_copy_goes_on_counting_where_its_original_does(name: str) -> None:
    pipeline = loaders.pipelines()[name]
    mixtransforms.set_epoch(pipeline, 3, rank=2)
    first, other = call(pipeline, name), copy.deepcopy(pipeline)
    assert call(other, name) == call(pipeline, name) != first
    assert other.stream_state() == pipeline.stream_state() == {"seed": pipeline.seed, "epoch": 3, "step": 2, "rank": 2}


@pytest.mark.parametrize("twin", TRAVELLED)
@pytest.mark.parametrize("name", KEPT)
def test_a_copy_that_has_travelled_knows_ready_batches_by_content(name: str, twin: str) -> None:
    pipeline = loaders.pipelines()[name]
    mixtransforms.set_epoch(pipeline, 3, rank=2)
    found = set()
    for _ in range(2):
        call(pipeline, name)  # what the original has counted is nothing to the copy
        other = TWINS[twin](pipeline)
        found |= {call(other, name), call(copy.deepcopy(other), name), call(other, name)}
        assert other.stream_state() == pipeline.stream_state(), "nothing was counted"
    assert len(found) == 1


def call(pipeline: Any, name: str) -> str:
    """What a call with a ready batch gives, which is counted."""
    photos = Photos().images[:SIZE]
    if name.startswith("albumentations"):
        return loaders.digest(pipeline(images=photos, labels=np.arange(SIZE)))
    images = photos if name == "neutral" else torch.from_numpy(photos).movedim(-1, 1)
    return loaders.digest(pipeline(images, np.arange(SIZE) if name == "neutral" else torch.arange(SIZE)))


# ------------------------------------------------------------------------------------------------------------ warning


def test_a_missing_epoch_is_told_once_over_all_workers_and_epochs() -> None:
    check_warned_once(flat(records()))
    check_warned_once(flat(forked()))
    if tiers.everything:  # four workers more
        check_warned_once(flat(records(start="fork", **FORKED[2])))


def test_a_first_batch_alone_is_not_warned_of() -> None:
    collate = Everything()
    mixtransforms.set_epoch(list(collate.told.values()), 0)
    batch = Subset(Photos(), range(SIZE))
    for _ in range(3):
        (record,) = DataLoader(batch, batch_size=SIZE, num_workers=1, collate_fn=collate)
        assert record.warned == ([], [])


def test_every_second_epoch_differs_from_the_one_before() -> None:
    for first, second in pairwise(forked()):
        keys = [
            {str(key) for record in epoch for keys in record.keys.values() for key in keys if key.epoch}
            for epoch in (first, second)
        ]
        assert not keys[0] & keys[1]
