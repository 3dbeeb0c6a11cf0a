"""``Otherwise`` for the samples that a mix has left alone, and ``PerBatch`` for one draw a batch.

The oracle of ``Otherwise`` is the host's own ``A.Compose`` on one sample, with generators at the same place; that of mixed
samples is the pipeline without it.
"""

import copy
import pickle
import random
from typing import Any

import numpy as np
import pytest

A = pytest.importorskip("albumentations", reason="albumentations is not installed")

from mixtransforms import InputError, ParameterError, Steps, set_epoch
from mixtransforms.albumentations import BatchCompose, CutMix, MixUp, Otherwise, PerBatch

SIZE = (33, 47)
PARAMS = A.BboxParams("pascal_voc", label_fields=["labels"], min_area=4)
DETR = [
    A.RandomScale((-0.4, 0.4), interpolation=0, p=0.8),
    A.RandomSizedBBoxSafeCrop(*SIZE, interpolation=0, p=0.7),
    A.HorizontalFlip(),
    A.Resize(*SIZE, interpolation=0),
]
FLIP = A.HorizontalFlip(p=1.0)


def painted(index: int, size: tuple[int, int] = SIZE) -> dict[str, Any]:
    """A sample with two boxes, each painted in a colour of its own: its label."""
    image, (height, width) = np.zeros((*size, 3), np.uint8), size
    boxes, labels = [], []
    for part in range(2):
        x0, y0 = part * width // 2 + 1 + index % 3, 3 + index % 5
        x1, y1 = x0 + width // 2 - 6, height - 4 - index % 4
        image[y0:y1, x0:x1] = 20 + 2 * index + part
        boxes.append([x0, y0, x1, y1])
        labels.append(20 + 2 * index + part)
    return {"image": image, "bboxes": np.array(boxes, np.float32), "labels": np.array(labels)}


def samples(count: int, size: tuple[int, int] | None = SIZE) -> list[Any]:
    """``size=None``: another one for every sample."""
    return [painted(index, size or (40 + 3 * index, 61 - 4 * index)) for index in range(count)]


def made(*steps: Any, seed: int | None = 3, **options: Any) -> Any:
    return BatchCompose(list(steps), bbox_params=PARAMS, seed=seed, **options)


def unmixed(pipeline: Any, *data: Any, **named: Any) -> list[int]:
    """Rows that the first mix of a copy of a pipeline leaves alone."""
    plan = copy.deepcopy(pipeline).trace(*data, **named).plans[0]
    return sorted(set(range(plan.spec.size)) - {int(row) for layer in plan.layers for row in layer.rows})


def row_of(batch: dict[str, Any], row: int) -> dict[str, Any]:
    return {name: value[row] for name, value in batch.items()}


def equal(first: Any, second: Any) -> bool:
    return first.keys() == second.keys() and all(
        np.asarray(first[name]).dtype == np.asarray(second[name]).dtype and np.array_equal(first[name], second[name])
        for name in first
    )


# ------------------------------------------------------------------------------------------------ the DETR recipe


@pytest.mark.parametrize("size", [SIZE, None], ids=["one size", "different sizes"])
@pytest.mark.parametrize("count", [1, 2, 5, 12])
def test_every_sample_is_mixed_or_transformed_as_by_the_host_alone(count: int, size: Any) -> None:
    """Mixed ones are those of the pipeline without it; others, what A.Compose makes of them from the same seed."""
    data, both = samples(count, size), set()
    before = [] if size else [A.Resize(*SIZE, interpolation=0)]
    host = A.Compose(DETR, bbox_params=PARAMS)
    for seed in range(4):
        pipeline = made(*before, CutMix(p=0.5), Otherwise(DETR), seed=seed)
        rows = unmixed(pipeline, data)
        after, without = pipeline(data), made(*before, CutMix(p=0.5), seed=seed)(data)
        seeds = pipeline._call(data, None).seeds(pipeline._stages[-1].stream, count).tolist()
        for row in range(count):
            wanted = row_of(without, row)
            if row in rows:
                key = np.array([seeds[row], 0], np.uint64)
                host.set_random_state(np.random.Generator(np.random.Philox(key=key)), random.Random(seeds[row]))
                weights = wanted.pop("box_weights")
                wanted = host(**wanted)
                wanted["box_weights"] = weights[: len(wanted["bboxes"])]
                wanted["labels"] = np.array(wanted["labels"], without["labels"][row].dtype)
            assert equal(row_of(after, row), {name: wanted[name] for name in after})
            both.add(row in rows)
    assert both == ({True, False} if count > 1 else {True})


def test_boxes_lie_where_they_are_painted() -> None:
    data, boxes, pipeline = samples(12), 0, made(CutMix(p=0.5), Otherwise(DETR))
    for epoch in range(6):
        set_epoch(pipeline, epoch)
        rows = unmixed(pipeline, data)
        after = pipeline(data)
        for row in rows:
            for box, label in zip(after["bboxes"][row], after["labels"][row], strict=True):
                y, x = np.nonzero(after["image"][row][..., 0] == label)
                if len(x):
                    assert np.abs(box - [x.min(), y.min(), x.max() + 1, y.max() + 1]).max() <= 3.0
                    boxes += 1
    assert boxes > 20


@pytest.mark.parametrize("seed", [None, 3])
def test_ready_batches(seed: int | None) -> None:
    images = np.random.default_rng(0).integers(0, 256, (8, *SIZE, 3), np.uint8)
    masks = images[..., 0] // 2
    pipeline = BatchCompose([CutMix(p=0.5), Otherwise([FLIP])], seed=seed)
    traced = pipeline.trace(images=images, masks=masks, labels=np.eye(8, dtype=np.float32))
    mixed, after = traced.steps[0].after, traced.after
    rows = set(range(8)) - {int(row) for layer in traced.plans[0].layers for row in layer.rows}
    assert 0 < len(rows) < 8
    for row in range(8):
        step = -1 if row in rows else 1
        assert np.array_equal(after["images"][row], mixed["images"][row][:, ::step])
        assert np.array_equal(after["masks"][row], mixed["masks"][row][:, ::step])
        assert np.array_equal(after["labels"][row], mixed["labels"][row])


# ------------------------------------------------------------------------------------------------ whose draws


def test_a_samples_draws_do_not_depend_on_who_else_is_mixed() -> None:
    data = samples(9)
    some, everyone = made(CutMix(p=0.5), Otherwise(DETR)), made(CutMix(p=0.0), Otherwise(DETR))
    rows = unmixed(some, data)
    first, second = some(data), everyone(data)
    assert 0 < len(rows) < 9
    assert all(equal(row_of(first, row), row_of(second, row)) for row in rows)


def test_workers_copies_and_traces_do_not_matter() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    digests = []
    for workers in (0, 1, 2):
        pipeline = made(A.HorizontalFlip(), CutMix(p=0.5), Otherwise(DETR), PerBatch([A.RandomScale((-0.5, 0.5))]))
        loader = torch.utils.data.DataLoader(samples(8), batch_size=4, num_workers=workers, collate_fn=pipeline)
        digests.append([batch["image"].tobytes() for batch in loader])
    assert digests[0] == digests[1] == digests[2]
    data = samples(8)[:4]
    for other in (pickle.loads(pickle.dumps(pipeline)), copy.deepcopy(pipeline)):
        assert other(data)["image"].tobytes() == digests[0][0]
        assert other.trace(data).after["image"].tobytes() == digests[0][0]


def test_everything_else_draws_as_without_it() -> None:
    data, behind = samples(8), [MixUp(p=0.4), A.HorizontalFlip()]
    with_it = made(CutMix(p=0.5), Otherwise([A.VerticalFlip(p=1.0)]), *behind).trace(data)
    without = made(CutMix(p=0.5), *behind).trace(data)
    assert [plan.to_dict() for plan in with_it.plans] == [plan.to_dict() for plan in without.plans]
    cut, blended = with_it.plans
    untouched = [row for row in range(8) if cut.partner[row] != row and not blended.mixed[row]]
    assert untouched
    assert all(equal(row_of(with_it.after, row), row_of(without.after, row)) for row in untouched)


# ------------------------------------------------------------------------------------------- when it runs, and on what


def test_schedules_say_on_how_many() -> None:
    images = np.random.default_rng(0).integers(0, 256, (4, 5, 7, 3), np.uint8)
    pipeline = BatchCompose([CutMix(p=Steps({0: 0.0, 1: 1.0})), Otherwise([FLIP])], seed=0)
    for epoch, step in ((0, -1), (1, 1)):
        set_epoch(pipeline, epoch)
        traced = pipeline.trace(images=images)
        assert np.array_equal(traced.after["images"], traced.steps[0].after["images"][:, :, ::step])


def test_originals_are_left_alone() -> None:
    images = np.arange(4 * 3 * 5 * 7, dtype=np.uint8).reshape(4, 5, 7, 3)
    mix = CutMix(p=0.5, keep_originals=True)
    pipeline = BatchCompose([mix, Otherwise([FLIP])], seed=7)
    rows, after = unmixed(pipeline, images=images), pipeline(images=images)["images"]
    without = BatchCompose([mix], seed=7)(images=images)["images"]
    assert 0 < len(rows) < 4
    assert np.array_equal(after[:4], images[:, :, ::-1])
    assert all(np.array_equal(after[4 + row], without[4 + row][:, :: -1 if row in rows else 1]) for row in range(4))


# ------------------------------------------------------------------------------------------------ what is refused


@pytest.mark.parametrize("p", [0.0, 0.5])
def test_sizes_and_forms_that_differ_afterwards_are_refused(p: float) -> None:
    images = np.zeros((6, 9, 12, 3), np.uint8)
    mix, larger = CutMix(p=p), A.Resize(18, 24)
    with pytest.raises(
        InputError, match=r"size of a sample \(batch\['images'\]\): .* Put A\.Resize\(9, 12\) last into"
    ):
        BatchCompose([mix, Otherwise([larger])], seed=0)(images=images)
    pipeline = BatchCompose([mix, Otherwise([larger, A.Resize(9, 12)])], seed=0)
    assert pipeline(images=images)["images"].shape == images.shape
    with pytest.raises(InputError, match=r"form of a sample .* got numpy \(9, 12, 3\) float32 .* behind Otherwise\."):
        BatchCompose([mix, Otherwise([A.Normalize()])], seed=0)(images=images)
    pipeline = BatchCompose([mix, Otherwise([FLIP]), A.Normalize()], seed=0)
    assert pipeline(images=images)["images"].dtype == np.float32


MIX = CutMix(num_classes=2)
STAGES = {
    "first": (lambda: [Otherwise([FLIP]), MIX], r"Otherwise without a mix .*transform 0\): got the first transform .*"),
    "after the host's": (lambda: [MIX, FLIP, Otherwise([FLIP])], r"transform 2\): got HorizontalFlip before it"),
    "twice": (lambda: [MIX, Otherwise([FLIP]), Otherwise([FLIP])], r"got Otherwise before it; .* both into one"),
    "in Compose": (lambda: [MIX, A.Compose([Otherwise([FLIP])])], r"container around a stage .* got Compose with Oth"),
    "by chance": (lambda: [A.OneOf([PerBatch([FLIP])]), MIX], r"container around a stage .* got OneOf with PerBatch"),
    "in itself": (lambda: [MIX, Otherwise([Otherwise([FLIP])])], r"for a batch inside .*Otherwise, transform 0\)"),
    "a mix inside": (
        lambda: [MIX, Otherwise([FLIP, MIX])],
        r"transform 1\): got CutMix; .*Take CutMix out, and give it",
    ),
    "a pipeline": (lambda: [MIX, Otherwise([BatchCompose([FLIP])])], r"transform 0\): got BatchCompose"),
    "empty": (lambda: [MIX, Otherwise([])], r"No list of transforms \(Otherwise\): got an empty list"),
    "no list": (lambda: [MIX, PerBatch(FLIP)], r"No list of transforms \(PerBatch\): .* Write PerBatch\(\[\.\.\.\]\)"),
    "a class": (lambda: [MIX, Otherwise([A.Blur])], r"No transform of Albumentations \(Otherwise, transform 0\)"),
    "a chance": (lambda: [MIX, PerBatch([FLIP], p=0.5)], r"got 0\.5; .* PerBatch\(\[A\.Sequential\(\[\.\.\.\], p=0\.5"),
}


@pytest.mark.parametrize("case", STAGES)
def test_stages_at_other_places_are_refused(case: str) -> None:
    make, message = STAGES[case]
    with pytest.raises(ParameterError, match=message):
        BatchCompose(make())


@pytest.mark.parametrize("stage", [Otherwise([FLIP]), PerBatch([FLIP])], ids=["Otherwise", "PerBatch"])
def test_a_call_by_anybody_else_is_refused(stage: Any) -> None:
    with pytest.raises(ParameterError, match=rf"outside of its pipeline \({type(stage).__name__}\)"):
        A.Compose([MIX, stage])(images=np.zeros((4, 5, 7, 3), np.uint8), labels=np.arange(4) % 2)


# ------------------------------------------------------------------------------------------------ one draw a batch

RESIZES = {
    "drawn": [A.RandomScale((-0.5, 0.5), p=1.0)],
    "chosen": [A.OneOf([A.Resize(size, size + 9) for size in range(16, 32)], p=1.0)],
    "by chance": [A.Sequential([A.Resize(20, 30)], p=0.5), A.RandomScale(0.3)],
}


@pytest.mark.parametrize("seed", [None, 3])
@pytest.mark.parametrize("case", RESIZES)
def test_sizes_are_drawn_once_a_batch_and_objects_follow(case: str, seed: int | None) -> None:
    data = samples(6)
    for sample in data:
        sample["mask"] = sample["image"][..., 0]
        sample["keypoints"] = np.array([[5.0, 7.0]], np.float32)
    pipeline = BatchCompose(
        [MixUp(p=0.0), PerBatch(RESIZES[case]), A.HorizontalFlip()],
        bbox_params=PARAMS,
        keypoint_params=A.KeypointParams("xy"),
        seed=seed,
    )
    sizes, flips = set(), set()
    for epoch in range(12):
        set_epoch(pipeline, epoch)
        after = pipeline(copy.deepcopy(data))
        height, width = after["image"].shape[1:3]
        sizes.add((height, width))
        assert after["mask"].shape == (6, height, width)
        for row in range(6):
            scaled = data[row]["bboxes"] * np.tile([width / SIZE[1], height / SIZE[0]], 2)
            point = np.array([5 * width / SIZE[1], 7 * height / SIZE[0]])
            flipped = after["keypoints"][row][0][0] > width / 2
            flips.add(bool(flipped))
            if flipped:
                scaled = np.stack([width - scaled[:, 2], scaled[:, 1], width - scaled[:, 0], scaled[:, 3]], 1)
                point[0] = width - point[0]
            np.testing.assert_allclose(after["bboxes"][row], scaled, atol=0.01)
            np.testing.assert_allclose(after["keypoints"][row][0], point, atol=1.5)
    assert len(sizes) > 1
    assert flips == {True, False}, "flips are still drawn for every sample"


def test_it_may_stand_before_a_mix() -> None:
    """All pictures of a batch are flipped, or none."""
    image = np.zeros((5, 12, 3), np.uint8)
    image[:, :6] = 9
    data = [{"image": image + index} for index in range(4)]
    pipeline = BatchCompose([PerBatch([A.HorizontalFlip()]), MixUp(p=0.0)], seed=0)
    flipped = set()
    for epoch in range(12):
        set_epoch(pipeline, epoch)
        flipped.add(tuple((pipeline(data)["image"][:, 0, 0, 0] < 9).tolist()))
    assert flipped == {(True,) * 4, (False,) * 4}


def test_a_size_of_every_sample_behind_a_mix_leads_here() -> None:
    images, drawn = np.zeros((6, *SIZE, 3), np.uint8), A.RandomScale((-0.5, 0.5), p=1.0)
    with pytest.raises(InputError, match=r"have got different sizes \(batch\['images'\]\): .* PerBatch\("):
        BatchCompose([MixUp(), drawn], seed=0)(images=images)
    assert len(BatchCompose([MixUp(), PerBatch([drawn])], seed=0)(images=images)["images"]) == 6
