"""Partners from a data set: read by the key of a call, and so the same wherever it runs."""

import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import mixtransforms
from mixtransforms import ConfigError, CutMix, InputError, Key, MixUp, ParameterError, SampleBank
from mixtransforms.methods.registry import METHODS


class Pictures:
    """Pictures that are their own index, 100 and more."""

    def __init__(self, size: int = 9, shape: tuple[int, int] = (8, 7)) -> None:
        self.size, self.shape, self.read = size, shape, 0

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> tuple[Any, int]:
        self.read += 1
        return np.full((*self.shape, 3), 100 + index, np.uint8), index % 10


class Stream:
    def __iter__(self) -> Iterator[int]:
        return iter(range(3))


IMAGES = np.broadcast_to(np.arange(4, dtype=np.uint8)[:, None, None, None], (4, 8, 7, 3)).copy()
LABELS = np.arange(4)


def test_samples_are_drawn_by_the_key_and_all_different() -> None:
    bank = SampleBank(Pictures(9), 4)
    draws = np.array([bank.indices(Key(3, step=step)) for step in range(3000)])
    assert all(len(set(draw)) == 4 for draw in draws.tolist())
    assert bank.indices(Key(3, step=5)) == draws[5].tolist()
    counts, expected = np.bincount(draws.ravel(), minlength=9), 3000 * 4 / 9
    assert ((counts - expected) ** 2 / expected).sum() < 40  # of 8 degrees of freedom, one in 300,000
    assert set(np.bincount(SampleBank(Pictures(3), 7).indices(Key(0))).tolist()) == {2, 3}


@pytest.mark.parametrize("method", ["MixUp", "CutMix", "Mosaic", "FMix"])
def test_partners_are_samples_of_the_data_set(method: str) -> None:
    bank = SampleBank(Pictures(), 6)
    mix = getattr(mixtransforms, method)(num_classes=10, seed=1, bank=bank)
    plan = mix.plan(IMAGES, LABELS)
    assert plan.size == 10
    again = getattr(mixtransforms, method)(num_classes=10, seed=1, bank=bank)
    images, soft = again(IMAGES, LABELS)
    samples = bank.samples(plan.key)
    wanted, labels = again.replay(plan, IMAGES, LABELS, second=samples)
    np.testing.assert_array_equal(images, wanted)
    np.testing.assert_array_equal(soft, labels)
    np.testing.assert_array_equal(again.replay(plan, IMAGES, LABELS)[0], wanted)  # the key says which they were
    if method != "MixUp":
        assert all(set(np.unique(image)) <= {row, *range(100, 109)} for row, image in enumerate(images))
        assert (images >= 100).any()


def test_draws_without_a_bank_have_not_moved_and_a_second_batch_stands_in_its_place() -> None:
    bank = SampleBank(Pictures(), 6)
    assert MixUp(seed=1).plan(IMAGES) == MixUp(seed=1, bank=None).plan(IMAGES)
    plan = MixUp(seed=1, num_classes=10, bank=bank).plan(IMAGES, LABELS, second=(IMAGES[:2], LABELS[:2]))
    assert plan.size == 6
    assert bank.dataset.read == 0


def test_nothing_is_read_where_nothing_is_mixed() -> None:
    bank = SampleBank(Pictures(), 6)
    images, _ = MixUp(p=0.0, num_classes=10, bank=bank)(IMAGES, LABELS)
    np.testing.assert_array_equal(images, IMAGES)
    MixUp(num_classes=10, bank=bank)(IMAGES[:0], LABELS[:0])
    assert bank.dataset.read == 0


@pytest.mark.parametrize("method", METHODS)
def test_every_method_takes_a_bank_and_no_file_holds_one(method: str) -> None:
    from doors import examples

    mix = getattr(mixtransforms, method)(**examples(method)[0], bank=SampleBank(Pictures(), 6))
    copy = pickle.loads(pickle.dumps(mix))
    assert copy.bank.indices(Key(1)) == mix.bank.indices(Key(1))
    assert "bank=SampleBank(Pictures, 6)" in repr(mix)
    with pytest.raises(ConfigError, match="bank"):
        mixtransforms.to_json(mix)


def test_choices_take_the_bank_of_their_children() -> None:
    bank = SampleBank(Pictures(), 6)
    mix = mixtransforms.OneOf([MixUp(bank=bank), CutMix(bank=bank)], num_classes=10)
    assert mix.bank is bank


def digests(pipeline: Any, dataset: Any, workers: int, epoch: int) -> list[bytes]:
    from torch.utils.data import DataLoader

    mixtransforms.set_epoch(pipeline, epoch)
    loader = DataLoader(dataset, batch_size=4, collate_fn=pipeline, num_workers=workers)
    return [np.asarray(value).tobytes() for batch in loader for value in batch]


@pytest.mark.parametrize("composed", [False, True])
def test_any_number_of_workers_reads_the_same_samples(composed: bool) -> None:
    pytest.importorskip("torch", reason="torch is not installed")
    door = pytest.importorskip("mixtransforms.torchvision", reason="torchvision is not installed")
    import torch
    from torch.utils.data import TensorDataset

    torch.manual_seed(0)
    labelled = TensorDataset(torch.randint(100, (11, 3, 70, 60), dtype=torch.uint8), torch.arange(11) % 10)
    others = TensorDataset(torch.randint(100, 200, (30, 3, 70, 60), dtype=torch.uint8), torch.arange(30) % 10)
    mix = door.CutMix(num_classes=10, bank=SampleBank(others, 8), **({} if composed else {"seed": 5}))
    pipeline = door.BatchCompose([mix], seed=5) if composed else mix
    first = digests(pipeline, labelled, 0, 0)
    assert digests(pipeline, labelled, 1, 0) == first
    assert digests(pipeline, labelled, 2, 0) == first
    other = digests(pipeline, labelled, 0, 1)
    assert all(one != two for one, two in zip(first, other, strict=True))


def test_pipelines_mix_with_the_bank_behind_transforms_of_samples() -> None:
    door = pytest.importorskip("mixtransforms.albumentations", reason="albumentations is not installed")
    import albumentations as A

    others = [{"image": np.full((8, 7, 3), 100 + index, np.uint8), "label": index} for index in range(5)]
    samples = [{"image": image, "label": index} for index, image in enumerate(IMAGES)]
    pipeline = door.BatchCompose(
        [A.HorizontalFlip(), door.CutMix(num_classes=10, bank=SampleBank(others, 5)), door.Otherwise([A.NoOp()])],
        seed=3,
    )
    trace = pipeline.trace(samples)
    (plan,) = trace.plans
    assert plan.size == 9
    assert trace.before["image"].shape == IMAGES.shape
    for row, image in enumerate(trace.after["image"]):
        assert set(np.unique(image)) <= {row, *range(100, 105)}


@pytest.mark.parametrize(
    ("dataset", "size", "match"),
    [
        (Stream(), 4, r"Not a map-style data set \(SampleBank\): got Stream, without indices.*list\(dataset\)"),
        ({1, 2}, 4, "Not a map-style data set"),
        ([], 4, "An empty data set"),
        (Pictures(), 0, "Bad value for 'size'"),
        (Pictures(), True, "Bad value for 'size'"),
        (Pictures(), 2.5, "Bad value for 'size'"),
    ],
)
def test_what_is_no_bank_is_refused(dataset: Any, size: Any, match: str) -> None:
    with pytest.raises(ParameterError, match=match):
        SampleBank(dataset, size)
    assert len(SampleBank(list(Stream()), 2).indices(Key(0))) == 2  # as the way out says
    with pytest.raises(ParameterError, match=r"bank.*None, SampleBank\(dataset, size\) or"):
        MixUp(bank=Pictures())


def test_iterable_data_sets_of_torch_are_refused_though_they_have_a_method_for_indices() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")

    class Endless(torch.utils.data.IterableDataset):
        def __len__(self) -> int:
            return 5

        def __iter__(self) -> Iterator[int]:
            return iter(range(5))

    with pytest.raises(ParameterError, match="got Endless, without indices"):
        SampleBank(Endless(), 2)


@pytest.mark.parametrize(
    ("dataset", "match"),
    [
        (Pictures(shape=(7, 8)), r"of another form \(bank\[0\]\)"),
        (
            [picture for picture, _ in map(Pictures().__getitem__, range(3))],
            r"\(bank\[0\]\).*data set of the bank return",
        ),
        ([{"image": IMAGES[0], "label": 1}] * 3, r"\(bank\[0\]\).*data set of the bank return"),
        ([(IMAGES[0].astype(np.float32), 1)] * 3, r"of another form \(bank\[0\]\): got numpy float32"),
        ([1, 2, 3], "bank"),
    ],
)
def test_samples_that_are_others_than_those_of_the_batch(dataset: Any, match: str) -> None:
    with pytest.raises(InputError, match=match):
        MixUp(num_classes=10, seed=0, bank=SampleBank(dataset, 3))(IMAGES, LABELS)


def test_recorded_calls_are_replayed_with_the_samples_that_they_had() -> None:
    door = pytest.importorskip("mixtransforms.albumentations", reason="albumentations is not installed")
    import albumentations as A

    bank = SampleBank([{"images": np.full((8, 7, 3), 100 + index, np.uint8), "labels": index} for index in range(5)], 3)
    after = A.ReplayCompose([door.CutMix(num_classes=10, seed=0, bank=bank)])(images=IMAGES, labels=LABELS)
    samples = bank.samples(door.CutMix(num_classes=10, seed=0, bank=bank).plan(images=IMAGES, labels=LABELS).key)
    again = A.ReplayCompose.replay(after["replay"], images=IMAGES, labels=LABELS, second=samples)
    np.testing.assert_array_equal(again["images"], after["images"])
    with pytest.raises(mixtransforms.PlanError, match="replay it with the same second batch"):
        A.ReplayCompose.replay(after["replay"], images=IMAGES, labels=LABELS)


def test_padding_knows_nothing_of_a_bank() -> None:
    with pytest.raises(mixtransforms.ParameterError, match=r"bank.*one of the two"):
        CutMix(pad="max", num_classes=10, bank=SampleBank(Pictures(), 3))
