"""``Otherwise`` for the samples that a mix has left alone, and ``PerBatch`` for one draw a batch.

The oracle of ``Otherwise`` is torchvision's own ``v2.Compose`` on one sample, with the draws that the generator has at
that place; that of mixed samples is the pipeline without it.
"""

import copy
import pickle
import random
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("torchvision", reason="torchvision is not installed")

from torchvision import tv_tensors
from torchvision.transforms import v2

from mixtransforms import BoxRules, InputError, ParameterError, Steps, set_epoch
from mixtransforms.torchvision import BatchCompose, CutMix, MixUp, OneOf, Otherwise, PerBatch

SIZE = (33, 47)
DETR = [
    v2.RandomZoomOut(side_range=(1.2, 2.0), p=0.7),
    v2.RandomIoUCrop(min_scale=0.5),
    v2.SanitizeBoundingBoxes(min_size=2),
    v2.Resize(SIZE, interpolation=v2.InterpolationMode.NEAREST, antialias=False),
]
FLIP, NEVER = v2.RandomHorizontalFlip(1.0), MixUp(p=0.0)


def painted(index: int, size: tuple[int, int] = SIZE) -> tuple[Any, dict[str, Any]]:
    """A sample with two boxes, each painted in a colour of its own: its label."""
    image, (height, width) = torch.zeros(3, *size, dtype=torch.uint8), size
    rows, labels = [], []
    for part in range(2):
        x0, y0 = part * width // 2 + 1 + index % 3, 3 + index % 5
        x1, y1 = x0 + width // 2 - 6, height - 4 - index % 4
        image[:, y0:y1, x0:x1] = 20 + 2 * index + part
        rows.append([x0, y0, x1, y1])
        labels.append(20 + 2 * index + part)
    boxes = tv_tensors.BoundingBoxes(torch.tensor(rows).float(), format="XYXY", canvas_size=size)
    return tv_tensors.Image(image), {"boxes": boxes, "labels": torch.tensor(labels)}


def samples(count: int, size: tuple[int, int] | None = SIZE) -> list[Any]:
    """``size=None``: another one for every sample."""
    return [painted(index, size or (40 + 3 * index, 61 - 4 * index)) for index in range(count)]


def ready(count: int) -> Any:
    listed = samples(count)
    return torch.stack([image for image, _ in listed]), [target for _, target in listed]


def unmixed(pipeline: Any, *data: Any) -> list[int]:
    """Rows that the first mix of a copy of a pipeline leaves alone."""
    plan = copy.deepcopy(pipeline).trace(*data).plans[0]
    return sorted(set(range(plan.spec.size)) - {int(row) for layer in plan.layers for row in layer.rows})


def equal(first: Any, second: Any) -> bool:
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(equal(first[name], second[name]) for name in first)
    return first.dtype == second.dtype and torch.equal(first, second)


def seen(image: Any, colour: int) -> Any:
    """The box of a colour in a picture."""
    y, x = torch.nonzero(image[0] == colour).T
    return torch.stack([x.min(), y.min(), x.max() + 1, y.max() + 1]).float()


# ------------------------------------------------------------------------------------------------ the DETR recipe


@pytest.mark.parametrize("form", ["samples", "batch"])
@pytest.mark.parametrize("count", [1, 2, 5, 12])
def test_every_sample_is_mixed_or_transformed_as_by_the_host_alone(count: int, form: str) -> None:
    """Mixed ones are those of the pipeline without it; others, what v2.Compose makes of them with the same draws."""
    data = (samples(count),) if form == "samples" else ready(count)
    both = set()
    for seed in range(4):
        torch.manual_seed(seed)
        images, targets = BatchCompose([CutMix(p=0.5), Otherwise(DETR)])(*copy.deepcopy(data))
        torch.manual_seed(seed)
        pipeline = BatchCompose([CutMix(p=0.5)])
        state = torch.get_rng_state()
        rows = unmixed(pipeline, *data)
        torch.set_rng_state(state)
        without, others = pipeline(*copy.deepcopy(data))
        assert tuple(images.shape) == (count, 3, *SIZE)
        for row in range(count):
            target = others[row]
            wanted = without[row], target
            if row in rows:  # the generator goes on where the mix has left it
                wanted = v2.Compose(DETR)(tv_tensors.Image(without[row]), {**target, "order": torch.arange(2)})
                kept = wanted[1].pop("order")[: len(wanted[1]["boxes"])]
                wanted[1]["box_weights"] = target["box_weights"][kept]
            assert equal(images[row], torch.Tensor(wanted[0]).to(torch.uint8))
            assert equal(targets[row]["boxes"], wanted[1]["boxes"])
            assert len(targets[row]["box_weights"]) == len(targets[row]["labels"]) == len(targets[row]["boxes"])
            both.add(row in rows)
    assert both == ({True, False} if count > 1 else {True})


def test_an_empty_batch() -> None:
    steps = [CutMix(p=0.5, num_classes=2), Otherwise([FLIP]), PerBatch([v2.RandomResize(4, 9)])]
    images, labels = BatchCompose(steps, seed=0)(torch.zeros(0, 3, 5, 7), torch.zeros(0, dtype=torch.int64))
    assert images.shape == (0, 3, 5, 7)
    assert labels.shape == (0, 2)


def test_boxes_lie_where_they_are_painted() -> None:
    data, boxes = samples(12), 0
    for epoch in range(6):
        pipeline = BatchCompose([CutMix(p=0.5), Otherwise(DETR)], seed=3)
        set_epoch(pipeline, epoch)
        rows = unmixed(pipeline, data)
        images, targets = pipeline(data)
        for row in rows:
            for box, label in zip(targets[row]["boxes"], targets[row]["labels"].tolist(), strict=True):
                if (images[row][0] == label).any():
                    assert torch.as_tensor(box - seen(images[row], label)).abs().max() <= 2.0
                    boxes += 1
    assert boxes > 20


@pytest.mark.parametrize("seed", [None, 5])
@pytest.mark.parametrize("resized", [v2.Resize(SIZE), v2.Compose([v2.Resize((40, 40)), v2.RandomCrop(SIZE, 20)])])
def test_samples_of_different_sizes(resized: Any, seed: int | None) -> None:
    """They have one size where they are mixed, and the other stages draw what they draw without Otherwise."""
    data = samples(7, None)
    torch.manual_seed(1)
    images, targets = BatchCompose([resized, CutMix(p=0.5), Otherwise(DETR)], seed=seed)(data)
    torch.manual_seed(1)
    pipeline = BatchCompose([resized, CutMix(p=0.5)], seed=seed)
    rows = unmixed(pipeline, data) if seed else None
    without, others = pipeline(data)
    same = [equal(images[row], without[row]) and equal(targets[row], others[row]) for row in range(7)]
    assert not all(same)
    assert any(same)
    if rows is not None:
        assert all(same[row] for row in set(range(7)) - set(rows))
        assert not all(same[row] for row in rows)


def test_images_padded_to_one_size() -> None:
    """A mix that pads makes them as large as the largest one, and the others are transformed so."""
    data = [(torch.full((3, 8 + index, 12 - index), 9 + index, dtype=torch.uint8), index) for index in range(6)]
    mix = MixUp(p=0.5, pad="max", num_classes=6)
    pipeline = BatchCompose([mix, Otherwise([FLIP])], seed=1)
    rows = unmixed(pipeline, data)
    without = BatchCompose([mix], seed=1)(data)
    after = pipeline(data)
    assert 0 < len(rows) < 6
    for row in range(6):
        assert equal(after[0][row], without[0][row].flip(-1) if row in rows else without[0][row])
        assert equal(after[1][row], without[1][row])


# ------------------------------------------------------------------------------------------------ whose draws


def digest(data: Any) -> list[Any]:
    images, targets = data
    return [images.numpy().tobytes(), *(target["boxes"].numpy().tobytes() for target in targets)]


class Collated:
    """Pickable: a loader with workers."""

    def __init__(self, pipeline: Any) -> None:
        self.collate_fn = pipeline


@pytest.mark.parametrize("steps", [[Otherwise(DETR)], [Otherwise(DETR), PerBatch([v2.RandomResize(16, 40)])]])
def test_workers_do_not_matter(steps: list[Any]) -> None:
    digests = []
    for workers in (0, 1, 2):
        pipeline = BatchCompose([v2.RandomHorizontalFlip(), CutMix(p=0.5), *steps], seed=7)
        loader = torch.utils.data.DataLoader(samples(12), batch_size=4, num_workers=workers, collate_fn=pipeline)
        digests.append([digest(batch) for batch in loader])
    assert digests[0] == digests[1] == digests[2]


def test_a_samples_draws_do_not_depend_on_who_else_is_mixed() -> None:
    data = samples(9)
    some = BatchCompose([CutMix(p=0.5), Otherwise(DETR)], seed=2)
    everyone = BatchCompose([CutMix(p=0.0), Otherwise(DETR)], seed=2)
    rows = unmixed(some, data)
    first, second = some(data), everyone(data)
    assert 0 < len(rows) < 9
    assert all(equal(first[0][row], second[0][row]) and equal(first[1][row], second[1][row]) for row in rows)


@pytest.mark.parametrize("form", ["samples", "batch"])
def test_a_trace_and_a_copy_show_the_call(form: str) -> None:
    data = (samples(6),) if form == "samples" else ready(6)
    pipeline = BatchCompose([CutMix(p=0.5), Otherwise(DETR), PerBatch([v2.RandomResize(16, 40)])], seed=2)
    traced = copy.deepcopy(pipeline).trace(*data).after
    assert digest(traced) == digest(copy.deepcopy(pipeline)(*data)) == digest(pipeline(*data))
    if form == "samples":
        assert digest(pickle.loads(pickle.dumps(pipeline))(*data)) == digest(traced)


def test_everything_else_draws_as_without_it() -> None:
    """Mixes and stages behind it have the numbers that they have without it."""
    data = torch.rand(8, 3, *SIZE), torch.arange(8)
    before, behind = [v2.RandomHorizontalFlip(), CutMix(p=0.5, num_classes=8)], [MixUp(p=0.4), v2.RandomErasing(1.0)]
    own = [Otherwise([v2.RandomVerticalFlip()])]
    with_it, without = BatchCompose([*before, *own, *behind], seed=1), BatchCompose([*before, *behind], seed=1)
    first, second = copy.deepcopy(with_it).trace(*data), copy.deepcopy(without).trace(*data)
    assert first.plans[0].to_dict() == second.plans[0].to_dict()
    assert first.plans[1].to_dict() == second.plans[1].to_dict()
    cut, blended = first.plans
    untouched = [row for row in range(8) if cut.partner[row] != row and not blended.mixed[row]]
    assert untouched
    assert all(equal(first.after[0][row], second.after[0][row]) for row in untouched)
    streams = [stage.stream for stage in with_it._stages]
    assert len(set(streams)) == len(streams) == 5


# ------------------------------------------------------------------------------------------- when it runs, and on what


def test_originals_are_left_alone() -> None:
    images = torch.arange(4 * 3 * 5 * 7, dtype=torch.uint8).reshape(4, 3, 5, 7)
    pipeline = BatchCompose([CutMix(p=0.5, num_classes=4, keep_originals=True), Otherwise([FLIP])], seed=6)
    rows = unmixed(pipeline, images, torch.arange(4))
    without = BatchCompose(pipeline.transforms[:1], seed=6)(images, torch.arange(4))[0]
    after = pipeline(images, torch.arange(4))[0]
    assert 0 < len(rows) < 4
    assert torch.equal(after[:4], images.flip(-1))
    assert all(torch.equal(after[4 + row], without[4 + row].flip(-1 if row in rows else ())) for row in range(4))


def test_in_eval_it_runs_on_all() -> None:
    """Nothing is mixed, and torchvision's own transforms go on; modules inside are told."""

    class Told(v2.Transform):
        def transform(self, inpt: Any, params: Any) -> Any:
            modes.append(self.training)
            return inpt

    modes: list[bool] = []
    images = torch.rand(3, 3, 5, 7)
    pipeline = BatchCompose([CutMix(p=1.0, num_classes=3), Otherwise([FLIP, Told()])], seed=0)
    assert torch.equal(pipeline.eval()(images, torch.arange(3))[0], images.flip(-1))
    assert modes == [False] * 3
    pipeline.train()(images, torch.arange(3))
    assert modes == [False] * 3, "all are mixed"
    assert pipeline.transforms[1].transforms[1].training


def test_schedules_say_on_how_many() -> None:
    images = torch.rand(4, 3, 5, 7)
    pipeline = BatchCompose([CutMix(p=Steps({0: 0.0, 1: 1.0}), num_classes=4), Otherwise([FLIP])], seed=0)
    for epoch, wanted in ((0, [True] * 4), (1, [False] * 4)):
        set_epoch(pipeline, epoch)
        traced = pipeline.trace(images, torch.arange(4))
        before = traced.steps[0].after[0]
        assert [torch.equal(traced.after[0][row], before[row].flip(-1)) for row in range(4)] == wanted


def test_the_mix_directly_before_it_counts() -> None:
    images, labels = torch.rand(6, 3, 5, 7), torch.arange(6)
    pipeline = BatchCompose([MixUp(p=1.0, num_classes=6), CutMix(p=0.0), Otherwise([FLIP])], seed=0)
    traced = pipeline.trace(images, labels)
    assert torch.equal(traced.after[0], traced.steps[0].after[0].flip(-1))
    choice = OneOf([MixUp(), CutMix()], weights=[0.3, 0.3], num_classes=6)
    traced = BatchCompose([choice, Otherwise([FLIP])], seed=0).trace(images, labels)
    rows = set(range(6)) - {row for layer in traced.plans[0].layers for row in layer.rows.tolist()}
    mixed = traced.steps[0].after[0]
    assert 0 < len(rows) < 6
    assert all(torch.equal(traced.after[0][row], mixed[row].flip(-1 if row in rows else ())) for row in range(6))


@pytest.mark.parametrize("behind", [[], [v2.RandomHorizontalFlip(0.0)]], ids=["last", "not last"])
@pytest.mark.parametrize("before", [[], [FLIP]], ids=["first", "not first"])
def test_whole_numbers_stay_whole(before: list[Any], behind: list[Any]) -> None:
    """Boxes and keypoints of mixed samples are those without it, and others come back in their dtype, rounded once."""
    rows = torch.tensor([[2, 3, 9, 8]])
    targets = [{"boxes": rows + index, "labels": torch.tensor([index])} for index in range(6)]
    images = torch.zeros(6, 3, 16, 16)
    steps = [*before, CutMix(p=0.5, boxes=BoxRules(format="xyxy"))]
    resized = [v2.Resize((5, 5)), v2.Resize((16, 16))]
    pipeline = BatchCompose([*steps, Otherwise(resized), *behind], seed=0)
    _, out = pipeline(images, targets)
    _, without = BatchCompose([*steps, *behind], seed=0)(images, targets)
    assert {target["boxes"].dtype for target in out} == {torch.int64}
    assert all(equal(one["boxes"], other["boxes"]) for one, other in zip(out, without, strict=True))


def test_masks_instances_and_keypoints_go_along() -> None:
    masks = torch.zeros(6, 2, 9, 11, dtype=torch.uint8)
    masks[:, 0, 1:4, 1:5] = masks[:, 1, 5:8, 6:10] = 1
    boxes = torch.tensor([[1.0, 1, 5, 4], [6, 5, 10, 8]])
    points = torch.tensor([[[2.0, 2, 2]], [[7, 6, 2]]])
    targets = [
        {"boxes": boxes, "labels": torch.tensor([1, 2]), "masks": masks[0], "keypoints": points} for _ in range(6)
    ]
    batch = {"image": torch.rand(6, 3, 9, 11), "mask": masks[:, 0] * 3, "target": targets}
    pipeline = BatchCompose([CutMix(p=0.5), Otherwise([FLIP])], seed=2)
    rows = unmixed(pipeline, batch)
    out, without = pipeline(batch), BatchCompose([CutMix(p=0.5)], seed=2)(batch)
    assert 0 < len(rows) < 6
    for row in range(6):
        if row not in rows:
            assert equal(out["target"][row], without["target"][row])
            assert torch.equal(out["mask"][row], without["mask"][row])
            continue
        assert torch.equal(out["mask"][row], batch["mask"][row].flip(-1))
        assert torch.equal(out["target"][row]["masks"], masks[0].flip(-1))
        assert out["target"][row]["boxes"].tolist() == [[6, 1, 10, 4], [1, 5, 5, 8]]
        assert out["target"][row]["keypoints"][:, 0, 0].tolist() == [8, 3]


# ------------------------------------------------------------------------------------------------ what is refused


@pytest.mark.parametrize("p", [0.0, 0.5])
def test_sizes_that_differ_afterwards_are_refused_with_the_resize_that_is_missing(p: float) -> None:
    """Also in batches of which no sample was mixed: it would be found out by chance."""
    batch = torch.rand(6, 3, 9, 12), torch.arange(6)
    mix, larger = CutMix(p=p, num_classes=6), v2.Resize((18, 24))
    with pytest.raises(
        InputError,
        match=r"Otherwise has changed the size of a sample \(batch\[0\]\): got torch \(3, 18, 24\) float32 in sample \d; "
        r"wanted torch \(3, 9, 12\) .* Put v2\.Resize\(\(9, 12\)\) last into Otherwise\(\[\.\.\.\]\)\.",
    ):
        BatchCompose([mix, Otherwise([larger])], seed=0)(*batch)
    assert BatchCompose([mix, Otherwise([larger, v2.Resize((9, 12))])], seed=0)(*batch)[0].shape == (6, 3, 9, 12)


def test_forms_that_differ_afterwards_are_refused() -> None:
    batch = torch.zeros(6, 3, 9, 12, dtype=torch.uint8), torch.arange(6)
    scaled, mix = v2.ToDtype(torch.float32, scale=True), CutMix(p=0.5, num_classes=6)
    with pytest.raises(InputError, match=r"changed the form .* got torch \(3, 9, 12\) float32 .* behind Otherwise\."):
        BatchCompose([mix, Otherwise([FLIP, scaled])], seed=0)(*batch)
    assert BatchCompose([mix, Otherwise([FLIP]), scaled], seed=0)(*batch)[0].dtype == torch.float32
    arrays = [(np.zeros((9, 12, 3), np.uint8), index) for index in range(6)]
    with pytest.raises(InputError, match=r"changed the form .* got torch .*; wanted numpy .* put it before the mix"):
        BatchCompose([mix, Otherwise([v2.ToImage(), FLIP])], seed=0)(arrays)
    assert BatchCompose([v2.ToImage(), mix, Otherwise([FLIP])], seed=0)(arrays)[0].shape == (6, 3, 9, 12)


MIX = CutMix(num_classes=2)
STAGES = {
    "first": (lambda: [Otherwise([FLIP]), MIX], r"Otherwise without a mix .*transform 0\): got the first transform .*"),
    "after the host's": (lambda: [MIX, FLIP, Otherwise([FLIP])], r"transform 2\): got RandomHorizontalFlip before it"),
    "after PerBatch": (
        lambda: [MIX, PerBatch([FLIP]), Otherwise([FLIP])],
        r"transform 2\): got PerBatch before it; .*",
    ),
    "twice": (lambda: [MIX, Otherwise([FLIP]), Otherwise([FLIP])], r"got Otherwise before it; .* both into one"),
    "in Compose": (lambda: [MIX, v2.Compose([Otherwise([FLIP])])], r"container around a stage .* got Compose with Oth"),
    "by chance": (lambda: [v2.RandomApply([PerBatch([FLIP])]), MIX], r"container around a stage .* PerBatch in it"),
    "in a pipeline": (
        lambda: [BatchCompose([PerBatch([FLIP])]), MIX],
        r"container around a stage .* BatchCompose with",
    ),
    "in itself": (lambda: [MIX, Otherwise([Otherwise([FLIP])])], r"for a batch inside .*Otherwise, transform 0\)"),
    "in the other": (lambda: [MIX, PerBatch([FLIP, Otherwise([FLIP])])], r"PerBatch, transform 1\): got Otherwise; "),
    "deeper": (lambda: [MIX, Otherwise([v2.Compose([PerBatch([FLIP])])])], r"Otherwise, transform 0\): got PerBatch; "),
    "a mix inside": (
        lambda: [MIX, Otherwise([FLIP, MIX])],
        r"transform 1\): got CutMix; .*Take CutMix out, and give it",
    ),
    "the host's mix": (lambda: [MIX, Otherwise([v2.MixUp(num_classes=2)])], r"transform 0\): got MixUp; "),
    "a seed inside": (
        lambda: [PerBatch([BatchCompose([FLIP], seed=1)]), MIX],
        r"got BatchCompose; wanted .* one sample",
    ),
    "empty": (lambda: [MIX, Otherwise([])], r"No list of transforms \(Otherwise\): got an empty list"),
    "no list": (lambda: [MIX, PerBatch(FLIP)], r"No list of transforms \(PerBatch\): .* Write PerBatch\(\[\.\.\.\]\)"),
    "text": (lambda: [MIX, PerBatch("FLIP")], r"No list of transforms \(PerBatch\)"),
    "a class": (lambda: [MIX, Otherwise([v2.RandomCrop])], r"No transform \(Otherwise, transform 0\): got the class"),
}


@pytest.mark.parametrize("case", STAGES)
def test_stages_at_other_places_are_refused(case: str) -> None:
    make, message = STAGES[case]
    with pytest.raises(ParameterError, match=message):
        BatchCompose(make())


def test_the_ways_out_of_a_wrong_place() -> None:
    batch = torch.rand(4, 3, 5, 7), torch.arange(4) % 2
    for steps in ([MIX, Otherwise([FLIP]), FLIP], [MIX, Otherwise([FLIP, FLIP])], [MIX, Otherwise([FLIP]), MIX.method]):
        given = [MixUp() if step is MIX.method else step for step in steps]
        assert BatchCompose(given, seed=0)(*batch)[0].shape == batch[0].shape


@pytest.mark.parametrize("stage", [Otherwise([FLIP]), PerBatch([FLIP])], ids=["Otherwise", "PerBatch"])
def test_a_call_by_anybody_else_is_refused(stage: Any) -> None:
    name = type(stage).__name__
    with pytest.raises(ParameterError, match=rf"outside of its pipeline \({name}\).* BatchCompose\(\[\.\.\., {name}"):
        v2.Compose([MIX, stage])(torch.rand(4, 3, 5, 7), torch.arange(4) % 2)


# ------------------------------------------------------------------------------------------------ one draw a batch

RESIZES = {
    "drawn": lambda: [v2.Compose([v2.RandomResize(16, 60), v2.RandomHorizontalFlip()])],
    "chosen": lambda: [v2.RandomChoice([v2.Resize((size, size + 9)) for size in range(16, 32)])],
    "by chance": lambda: [v2.RandomApply([v2.Resize((20, 30))]), v2.RandomApply([v2.Resize((24, 38))])],
    "by a function": lambda: [lambda sample: (v2.functional.resize(sample[0], random.randint(9, 40)), *sample[1:])],
    "by NumPy": lambda: [lambda sample: (v2.functional.resize(sample[0], np.random.randint(9, 40)), *sample[1:])],  # noqa: NPY002
}


@pytest.mark.parametrize("seed", [None, 3])
@pytest.mark.parametrize("case", RESIZES)
def test_sizes_are_drawn_once_a_batch(case: str, seed: int | None) -> None:
    torch.manual_seed(0)
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002
    batch = torch.rand(6, 3, *SIZE), torch.arange(6)
    flip = v2.RandomVerticalFlip()
    pipeline = BatchCompose([flip, MixUp(num_classes=6), flip, PerBatch(RESIZES[case]()), flip], seed=seed)
    sizes = {tuple(pipeline(*batch)[0].shape) for _ in range(16)}
    assert {shape[:2] for shape in sizes} == {(6, 3)}
    assert len(sizes) > 2


def test_boxes_and_masks_follow_the_size_of_the_batch() -> None:
    target = {"boxes": torch.tensor([[4.0, 4, 20, 16]]), "labels": torch.tensor([1])}
    masks = torch.zeros(4, 24, 36, dtype=torch.uint8)
    masks[:, 4:16, 4:20] = 7
    batch = {"image": torch.zeros(4, 3, 24, 36), "mask": masks, "target": [target] * 4}
    pipeline = BatchCompose([CutMix(p=0.0), PerBatch([v2.RandomChoice([v2.Resize((48, 72)), v2.Resize((12, 18))])])])
    torch.manual_seed(2)
    scales = set()
    for _ in range(8):
        out = pipeline(batch)
        scale = out["image"].shape[-1] / 36
        scales.add(scale)
        assert out["mask"].shape == out["image"].shape[:1] + out["image"].shape[2:]
        assert all(torch.equal(each["boxes"], target["boxes"] * scale) for each in out["target"])
        ys, xs = torch.nonzero(out["mask"][0]).T
        assert [int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1] == [
            int(side * scale) for side in (4, 4, 20, 16)
        ]
    assert scales == {2.0, 0.5}


def test_it_may_stand_before_a_mix() -> None:
    """All pictures of a batch are flipped, or none: also those of a list, of different sizes."""
    data = [(torch.arange(12.0).expand(3, 5 + index, 12).contiguous(), index) for index in range(4)]
    pipeline = BatchCompose([PerBatch([v2.RandomHorizontalFlip()]), v2.Resize((5, 12)), MixUp(p=0.0, num_classes=4)])
    torch.manual_seed(0)
    flipped = {tuple((image[0, 0, 0] > 5).item() for image in pipeline(data)[0]) for _ in range(12)}
    assert flipped == {(True,) * 4, (False,) * 4}


def test_a_size_of_every_sample_behind_a_mix_leads_here() -> None:
    batch = torch.rand(6, 3, *SIZE), torch.arange(6)
    drawn = v2.Compose([v2.RandomResize(16, 60)])
    mix = MixUp(num_classes=6)
    with pytest.raises(InputError, match=r"have got different sizes \(batch\[0\]\): .* draws the size into PerBatch\("):
        BatchCompose([mix, drawn], seed=0)(*batch)
    assert len(BatchCompose([mix, PerBatch([drawn])], seed=0)(*batch)[0]) == 6
