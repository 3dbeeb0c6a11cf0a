"""Samples of unequal sizes: CutMix where they overlap, and partners of similar shape; every pixel says whose it is."""

import itertools
import json
from collections import Counter
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
from scipy import stats

import mixtransforms
from mixtransforms import (
    BatchSpec,
    Boxes,
    BoxRules,
    CutMix,
    InputError,
    Layer,
    Mask,
    MixUp,
    Mosaic,
    OneOf,
    ParameterError,
    Plan,
    ResizeMix,
    SemanticMask,
    SimilarShape,
    methods,
)
from mixtransforms.authoring import NO_HINTS
from mixtransforms.methods.pairing import partners

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("torchvision", reason="torchvision is not installed")
pytest.importorskip("albumentations", reason="albumentations is not installed")

import albumentations as A

from mixtransforms import albumentations as al
from mixtransforms import torchvision as tv

SIZES = {
    0: [],
    1: [(5, 3)],
    2: [(2, 5), (5, 2)],
    5: [(64, 31), (17, 64), (2, 5), (33, 33), (40, 7)],
    9: [(3, 4), (4, 3), (9, 9), (12, 5), (5, 12), (2, 2), (7, 20), (20, 7), (11, 11)],
}


def picture(owner: int, size: tuple[int, int], backend: str) -> Any:
    """An image that says of every pixel whose it is and where it was: ``(owner + 1, y, x)``."""
    image = np.stack([np.full(size, owner + 1), *np.indices(size)], axis=-1).astype(np.uint8)
    return image if backend == "numpy" else torch.from_numpy(image).movedim(-1, 0)


def pictures(sizes: list[tuple[int, int]], backend: str = "numpy") -> list[Any]:
    return [picture(owner, size, backend) for owner, size in enumerate(sizes)]


def pixels(image: Any) -> np.ndarray:
    """``(H, W, 3)`` int64."""
    return np.asarray(image if isinstance(image, np.ndarray) else image.movedim(0, -1)).astype(np.int64)


def checked(row: int, image: Any, sizes: list[tuple[int, int]]) -> tuple[int, float]:
    """The one partner of a sample and its part of the sample's own pixels; everything else is as it has to be."""
    shown, (height, width) = pixels(image), sizes[row]
    padding = np.ones(shown.shape[:2], bool)
    padding[:height, :width] = False
    assert not shown[padding].any(), "padding stays empty"
    own = shown[:height, :width]
    assert own[..., 0].all(), "nothing of the partner's padding is shown"
    others = set(np.unique(own[..., 0] - 1).tolist()) - {row}
    here = np.stack(np.indices((height, width)), axis=-1)
    mine = own[..., 0] == row + 1
    np.testing.assert_array_equal(own[mine][:, 1:], here[mine])
    if not others:
        return row, 0.0
    (other,) = others
    overlap = np.minimum(sizes[row], sizes[other])
    start, there = (np.array(sizes[row]) - overlap) // 2, (np.array(sizes[other]) - overlap) // 2
    np.testing.assert_array_equal(
        own[~mine][:, 1:] - here[~mine], np.broadcast_to(there - start, own[~mine][:, 1:].shape)
    )
    places = here[~mine]
    low, high = places.min(axis=0), places.max(axis=0) + 1
    assert (high - low).prod() == len(places), "a box"
    assert (low >= start).all(), "in the overlap"
    assert (high <= start + overlap).all(), "in the overlap"
    return other, len(places) / (height * width)


VARIANTS = [
    {},
    {"placement": "inside"},
    {"placement": "uniform"},
    {"placement": "minmax", "minmax": (0.2, 0.9)},
    {"area": 0.5},
    {"per": "batch"},
    {"per": "pair"},
    {"pairing": SimilarShape()},
    {"p": 0.5},
]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("options", VARIANTS, ids=str)
@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_pixels_and_labels(size: int, options: dict[str, Any], backend: str) -> None:
    sizes, pasted = SIZES[size], 0
    if not sizes:  # an empty list has no size at all
        with pytest.raises(InputError, match="A list without images"):
            CutMix(pad="max", **options)({"image": []})
        return
    for seed in range(15):
        mix = CutMix(pad="max", num_classes=size, partner="partner", seed=seed, **options)
        result = mix({"image": pictures(sizes, backend), "label": list(range(size))})
        assert type(result["image"]) is list
        for row, image in enumerate(result["image"]):
            other, part = checked(row, image, sizes)
            wanted = np.eye(size)[row] * (1 - part) + np.eye(size)[other] * part
            np.testing.assert_allclose(np.asarray(result["label"][row]), wanted, atol=1e-6)
            assert int(result["partner"][row]) == other
            pasted += other != row
    assert pasted > (-1 if size < 2 else 5)


@pytest.mark.parametrize("door", [mixtransforms, tv, al])
@pytest.mark.parametrize("form", ["samples", "lists"])
def test_every_door_and_form(door: Any, form: str) -> None:
    sizes = SIZES[5]
    backend = "torch" if door is tv else "numpy"
    images = pictures(sizes, backend)
    samples = [{"image": image, "label": row} for row, image in enumerate(images)]
    batch = samples if form == "samples" else {"image": images, "label": list(range(5))}
    for seed in range(10):
        mix = door.CutMix(pad="max", num_classes=5, seed=seed)
        named = batch if door is not al or form == "samples" else {"images": images, "labels": list(range(5))}
        result = mix(named) if form == "samples" or door is not al else mix(**named)
        pasted, labels = result.get("image", result.get("images")), result.get("label", result.get("labels"))
        for row, image in enumerate(pasted):
            other, part = checked(row, image, sizes)
            assert np.asarray(labels[row])[row] == pytest.approx(1 - part, abs=1e-6)
            assert other == row or np.asarray(labels[row])[other] == pytest.approx(part, abs=1e-6)


def test_pipelines_of_both_doors() -> None:
    sizes = SIZES[5]
    host = al.BatchCompose([A.NoOp(), al.CutMix(pad="max", pairing=SimilarShape())], seed=3)
    result = host([{"image": image} for image in pictures(sizes)])
    assert sum(checked(row, image, sizes)[1] > 0 for row, image in enumerate(result["image"])) > 2
    pipeline = tv.BatchCompose([tv.CutMix(pad="max", pairing=SimilarShape())], seed=3)
    result = pipeline([{"image": image} for image in pictures(sizes, "torch")])
    assert sum(checked(row, image, sizes)[1] > 0 for row, image in enumerate(result["image"])) > 2


def test_bare_lists_pairs_of_labels_and_originals() -> None:
    sizes = SIZES[5]
    mixed = CutMix(pad="max", seed=0)(pictures(sizes, "torch"))
    for row, image in enumerate(mixed):
        checked(row, image, sizes)
    images, (labels, partner, weight) = CutMix(pad="max", labels="pair", seed=0)((pictures(sizes), np.arange(5)))
    for row, image in enumerate(images):
        other, part = checked(row, image, sizes)
        assert labels[row] == row
        assert weight[row] == pytest.approx(1 - part, abs=1e-6)
        assert partner[row] == other or part == 0
    both = CutMix(pad="max", keep_originals=True, seed=0)({"image": pictures(sizes)})["image"]
    for row, image in enumerate(both[:5]):
        assert checked(row, image, sizes) == (row, 0.0)


def test_the_drawn_weight_where_it_is_asked_for() -> None:
    sizes = SIZES[5]
    one, other = (CutMix(pad="max", correct_weight=correct, seed=1) for correct in (True, False))
    batch = {"image": pictures(sizes)}
    drawn, painted = other.plan(batch), one.plan(batch)
    assert drawn.layers == painted.layers
    same = CutMix(seed=1, correct_weight=False).plan({"image": np.zeros((5, 8, 8, 3))})
    np.testing.assert_array_equal(drawn.label_share[:, 0], same.label_share[:, 0])


def test_masks_follow_with_their_ids() -> None:
    sizes = SIZES[9]
    masks = [np.stack([np.full(size, row), np.zeros(size, int)])[0] for row, size in enumerate(sizes)]
    for seed in range(5):
        result = CutMix(pad="max", ignore_index=255, seed=seed)({"image": pictures(sizes), "mask": masks})
        for row, (image, mask) in enumerate(zip(result["image"], result["mask"], strict=True)):
            owner = pixels(image)[..., 0] - 1
            np.testing.assert_array_equal(np.where(owner < 0, 255, owner), mask)
            checked(row, image, sizes)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_boxes_masks_and_keypoints_move_with_the_crop(backend: str) -> None:
    """Of every object what the pixels say: the rectangle of those that are still its own."""
    rng, compared, moved = np.random.default_rng(0), 0, 0
    as_is = torch.from_numpy if backend == "torch" else np.asarray
    rules = BoxRules(occluded="shrink", min_size=0, min_area=0, min_visibility=1e-6)
    for seed in range(25):
        sizes = [tuple(rng.integers(8, 30, 2).tolist()) for _ in range(5)]
        boxes, masks, points = [], [], []
        for height, width in sizes:
            start = rng.integers(0, [width - 2, height - 2], (3, 2))
            stop = rng.integers(start + 1, [width, height], (3, 2))
            boxes.append(np.concatenate([start, stop], axis=1).astype(np.float32))
            grids = np.indices((height, width))[::-1]
            masks.append(
                np.stack(
                    [
                        ((grids >= a[:, None, None]) & (grids < b[:, None, None])).all(axis=0)
                        for a, b in zip(start, stop, strict=True)
                    ]
                )
            )
            points.append((start[:, None] + 0.5).astype(np.float32))
        labels = [np.arange(3) + 10 * row for row in range(5)]
        told: list[Any] = [{"boxes": boxes, "instance_masks": masks}, {"boxes": boxes}, {"keypoints": points}]
        results = []
        for values in told:
            records = [{name: as_is(value[row]) for name, value in values.items()} for row in range(5)]
            records = [{**record, "labels": as_is(labels[row])} for row, record in enumerate(records)]
            results.append(CutMix(pad="max", boxes=rules, seed=seed)((pictures(sizes, backend), records)))
        images, with_masks = results[0]
        for row, image in enumerate(images):
            checked(row, image, sizes)
            shown, left, origins = pixels(image), {}, {}
            for owner, number in itertools.product([row, *{*range(5)} - {row}], range(3)):
                x1, y1, x2, y2 = boxes[owner][number]
                inside = (shown[..., 0] == owner + 1) & (shown[..., 1] >= y1) & (shown[..., 1] < y2)
                inside &= (shown[..., 2] >= x1) & (shown[..., 2] < x2)
                if inside.any():
                    left[owner * 10 + number] = inside
                for y, x in np.argwhere((shown == [owner + 1, int(y1), int(x1)]).all(axis=-1)):
                    origins[owner * 10 + number] = [x + 0.5, y + 0.5]
            record = {name: np.asarray(value) for name, value in with_masks[row].items()}
            assert record["labels"].tolist() == list(left)
            np.testing.assert_array_equal(record["instance_masks"], np.array(list(left.values())))
            bare = {name: np.asarray(value) for name, value in results[1][1][row].items()}
            assert bare["labels"].tolist() == list(left)
            for label, mask, box, alone in zip(left, left.values(), record["boxes"], bare["boxes"], strict=True):
                y, x = np.nonzero(mask)
                assert box.tolist() == alone.tolist() == [x.min(), y.min(), x.max() + 1, y.max() + 1]
                compared, moved = compared + 1, moved + (label // 10 != row)
            seen = {name: np.asarray(value) for name, value in results[2][1][row].items()}
            kept = seen["keypoints_visible"][:, 0]
            assert seen["labels"][kept].tolist() == list(origins)
            assert seen["keypoints"][kept, 0].tolist() == list(origins.values())
    assert compared > 200
    assert moved > 50


def test_videos_and_signals() -> None:
    clips = [
        np.full((t, h, w, 1), row + 1, np.uint8) for row, (t, h, w) in enumerate([(3, 5, 6), (4, 5, 2), (2, 9, 9)])
    ]
    for seed in range(5):
        mix = CutMix(pad="max", layout="BTHWC", axes="cube", num_classes=3, seed=seed)
        mixed, labels = mix((clips, np.arange(3)))
        for row, (clip, label) in enumerate(zip(mixed, labels, strict=True)):
            own = clip[tuple(map(slice, clips[row].shape))]
            assert own.all()
            assert (clip > 0).sum() == own.size
            np.testing.assert_allclose(label, [(own == source + 1).mean() for source in range(3)], atol=1e-6)
    waves = [torch.full((1, length), row + 1.0) for row, length in enumerate((9, 4, 7))]
    mixed, labels = CutMix(pad="max", layout="BCT", num_classes=3, seed=0)((waves, torch.arange(3)))
    for row, wave in enumerate(mixed):
        own = wave[0, : waves[row].shape[1]]
        np.testing.assert_allclose(labels[row], [(own == source + 1).float().mean() for source in range(3)], atol=1e-6)


def test_samples_of_one_size_are_drawn_as_ever() -> None:
    images = np.zeros((5, 9, 14, 3), np.uint8)
    for options in VARIANTS[:7]:
        plan = CutMix(seed=4, **options).plan(images)
        assert plan == CutMix(seed=4, pad="max", **options).plan({"image": list(images)})
        assert plan.label_share is None
        told = CutMix(seed=4, **options).plan(images, hints={"sizes": np.tile((9, 14), (5, 1))})
        assert [layer.region for layer in told.layers] == [layer.region for layer in plan.layers]
        np.testing.assert_allclose(told.label_share, plan.share)


def test_area_is_that_of_the_overlap() -> None:
    """By brute force over the boxes that were drawn, in shapes of every kind."""
    sizes = np.random.default_rng(0).integers(2, 65, (40, 2))
    plan = CutMix(area=0.5, seed=0).plan(np.zeros((40, 64, 64, 1), np.uint8), hints={"sizes": sizes})
    (layer,) = plan.layers
    overlap = np.minimum(sizes[layer.rows], sizes[layer.source])
    assert (abs(layer.region.volume - overlap.prod(axis=1) / 2) <= overlap.min(axis=1) / 2 + 1).all()


def test_plans_go_to_dicts_and_back_and_are_replayed() -> None:
    sizes = SIZES[9]
    for seed, options in enumerate(VARIANTS):
        mix = CutMix(pad="max", num_classes=9, seed=seed, **options)
        batch = {"image": pictures(sizes), "label": np.arange(9)}
        plan = mix.plan(batch)
        again = Plan.from_dict(json.loads(json.dumps(plan.to_dict())))
        assert again == plan
        assert "plan_version" not in plan.to_dict()
        first, second = mix.replay(plan, batch), mixtransforms.MixUp(pad="max", num_classes=9).replay(again, batch)
        for row, (one, other) in enumerate(zip(first["image"], second["image"], strict=True)):
            np.testing.assert_array_equal(one, other)
            _, part = checked(row, one, sizes)
            assert second["label"][row, row] == pytest.approx(1 - part, abs=1e-6)
        assert mix.redraw(plan.key, plan.spec, {"sizes": np.array(sizes)}) == plan


def test_plans_that_reach_into_padding_are_refused() -> None:
    spec, images = BatchSpec(2, (8, 8)), [np.ones((8, 8, 3)), np.ones((4, 8, 3))]
    fits = Layer([0], [1], 1.0, Boxes([[4, 0]], [[8, 4]]), Boxes([[0, 0]], [[4, 4]]))
    share = [[0.75, 0.25], [1.0, 0.0]]
    CutMix(pad="max").replay(Plan(spec, (fits,), share), images)
    for layer, match in (
        (Layer([0], [1], 1.0, Boxes([[4, 0]], [[8, 4]])), r"layers\[0\], which reaches into the padding of rows \[0\]"),
        (Layer([1], [0], 1.0, Boxes([[4, 0]], [[8, 4]])), r"of rows \[1\]"),
        (Layer([0], [1], 1.0, Mask(np.ones((1, 8, 8), bool))), r"of rows \[0\]"),
    ):
        with pytest.raises(InputError, match=match):
            CutMix(pad="max").replay(Plan(spec, (layer,), share), images)
    with pytest.raises(InputError, match="shares of labels by all pixels"):
        CutMix(pad="max").replay(Plan(spec, (fits,)), images)
    canvas = Mosaic(output_size=(8, 8), seed=0).plan(np.ones((2, 8, 8, 3)))
    assert canvas.canvas is not None
    with pytest.raises(InputError, match="a plan with a canvas"):
        CutMix(pad="max").replay(canvas, images)
    CutMix(pad="max").replay(CutMix(pad="max").plan(images), images)  # as the error says


@pytest.mark.parametrize("name", ["ResizeMix", "GridMix", "FMix", "Mosaic", "SaliencyMix", "SmoothMix", "CowMask"])
def test_other_methods_that_cut_stay_refused(name: str) -> None:
    images = [np.ones((8, 8, 3), np.float32), np.ones((4, 8, 3), np.float32)]
    with pytest.raises(InputError, match=rf"got {name}, which pastes.*or use CutMix, which cuts where samples overlap"):
        getattr(mixtransforms, name)(pad="max")(images)
    CutMix(pad="max")(images)  # as the error says
    with pytest.raises(InputError, match="could lie in the padding"):
        OneOf([CutMix(), getattr(mixtransforms, name)()], pad="max")(images)
    assert len(OneOf([CutMix(), MixUp()], pad="max")(images)) == 2


def test_a_choice_of_cutmix_and_mixup() -> None:
    sizes = SIZES[5]
    batch = {"image": [image.astype(np.float32) for image in pictures(sizes)], "label": np.arange(5)}
    for seed in range(5):
        mix = OneOf([MixUp(0.8), CutMix()], pad="max", num_classes=5, seed=seed)
        plan = mix.plan(batch)
        labels = mix.replay(plan, batch)["label"]
        np.testing.assert_allclose(labels.sum(axis=1), 1.0, atol=1e-6)
        for layer in plan.layers:
            if layer.region is not None:
                part = layer.region.volume / np.prod(np.array(sizes)[layer.rows], axis=1)
                np.testing.assert_allclose(labels[layer.rows, layer.source], part, atol=1e-6)


def test_a_class_that_draws_by_itself_is_refused() -> None:
    @dataclass(frozen=True, repr=False)
    class Own(methods.CutMix):
        def draw(self, spec: BatchSpec, rng: np.random.Generator, hints: Any = NO_HINTS) -> Plan:
            return super().draw(spec, rng, NO_HINTS)

    images = [np.ones((8, 8, 3)), np.ones((4, 8, 3))]
    with pytest.raises(InputError, match="could lie in the padding"):
        OneOf([Own()], pad="max")(images)
    OneOf([methods.CutMix()], pad="max")(images)


def test_a_class_that_promises_to_look_at_sizes_is_looked_at() -> None:
    @dataclass(frozen=True, repr=False)
    class Careless(methods.CutMix):
        fits: ClassVar[bool] = False

        @property
        def sized(self) -> bool:
            return True

        def draw(self, spec: BatchSpec, rng: np.random.Generator, hints: Any = NO_HINTS) -> Plan:
            return super().draw(spec, rng, hints if self.fits else NO_HINTS)

    images = [np.ones((8, 8, 3)), np.ones((4, 8, 3)), np.ones((8, 3, 3))]
    with pytest.raises(InputError, match=r"reaches into the padding|shares of labels by all pixels"):
        OneOf([Careless()], pad="max", seed=0)(images)
    Careless.fits = True
    OneOf([Careless()], pad="max", seed=0)(images)


def test_label_maps_of_any_size_are_refused_beside_padding() -> None:
    images, maps = [np.ones((8, 8, 3)), np.ones((4, 8, 3))], [np.ones((16, 16), int), np.ones((16, 16), int)]
    batch = {"image": images, "mask": maps}
    with pytest.raises(InputError, match="Label maps of any size beside padding"):
        CutMix(pad="max", kinds={"mask": SemanticMask(any_size=True)})(batch)
    MixUp(pad="max", kinds={"mask": SemanticMask(any_size=True)})(batch)
    CutMix(pad="max")({"image": images, "mask": [np.ones((8, 8), int), np.ones((4, 8), int)]})


def test_label_maps_at_a_stride_follow() -> None:
    sizes = [(16, 8), (8, 16), (12, 12)]
    masks = [np.full((height // 4, width // 4), row) for row, (height, width) in enumerate(sizes)]
    for seed in range(10):
        result = CutMix(pad="max", ignore_index=9, seed=seed)({"image": pictures(sizes), "mask": masks})
        for row, (mask, image) in enumerate(zip(result["mask"], result["image"], strict=True)):
            other, _ = checked(row, image, sizes)
            own = mask[: sizes[row][0] // 4, : sizes[row][1] // 4]
            assert set(np.unique(own).tolist()) <= {row, other}
            outside = np.delete(np.arange(mask.size), np.ravel_multi_index(np.indices(own.shape), mask.shape))
            assert (mask.ravel()[outside] == 9).all()


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_padding_masks_say_what_is_the_samples_own(backend: str) -> None:
    sizes = SIZES[5]
    real = [np.ones(size, bool) for size in sizes]
    real = real if backend == "numpy" else list(map(torch.from_numpy, real))
    result = CutMix(pad="max", seed=0)({"image": pictures(sizes, backend), "pixel_mask": real})
    for row, (image, mask) in enumerate(zip(result["image"], result["pixel_mask"], strict=True)):
        checked(row, image, sizes)
        np.testing.assert_array_equal(np.asarray(mask), pixels(image)[..., 0] > 0)


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("both", [False, True])
def test_partners_from_a_second_batch(both: bool, swapped: bool) -> None:
    """Padded or not, each of the two: the grid is one, and sizes are every sample's own."""
    sizes = [[(17, 9), (5, 20), (2, 3), (20, 20)], [(20, 7), (9, 20)] if both else [(20, 20), (20, 20)]]
    whole = [*sizes[1], *sizes[0]] if swapped else [*sizes[0], *sizes[1]]
    count = len(sizes[1]) if swapped else len(sizes[0])
    images, labels = pictures(whole), np.arange(6)
    first, second = ({"image": images[part], "label": labels[part]} for part in (slice(count), slice(count, None)))
    pasted = 0
    for seed in range(10):
        mix = CutMix(pad="max", num_classes=6, partner="partner", pairing=SimilarShape(), seed=seed)
        result = mix(first, second=second)
        for row, image in enumerate(result["image"]):
            other, part = checked(row, image, whole)
            assert other == row or other >= count
            assert result["label"][row, row] == pytest.approx(1 - part, abs=1e-6)
            assert int(result["partner"][row]) == other
            pasted += other != row
    assert pasted > 10


def test_what_is_told_to_be_padded_is_not_cut_by_others() -> None:
    images, sizes = np.ones((4, 8, 8, 3)), np.full((4, 2), 8)
    mix = ResizeMix(pairing=SimilarShape())
    mix.plan(images, hints={"sizes": sizes})
    with pytest.raises(InputError, match=r"ResizeMix, which pastes, and samples that are padded"):
        mix.plan(images, hints={"sizes": sizes - [[0, 1]]})
    CutMix(pairing=SimilarShape()).plan(images, hints={"sizes": sizes - [[0, 1]]})  # as the error says
    MixUp(pairing=SimilarShape()).plan(images, hints={"sizes": sizes - [[0, 1]]})


def test_images_of_a_sample_that_differ_are_refused() -> None:
    large, small = np.ones((8, 8, 3)), np.ones((4, 4, 3))
    batch = {"image": [large, small], "images": [small, large]}
    with pytest.raises(InputError, match=r"Images of one sample differ in size .*or use MixUp"):
        CutMix(pad="max")(batch)
    MixUp(pad="max")(batch)
    CutMix(pad="max")({"image": [large, small], "images": [large, small]})


def test_sizes_of_what_came_in_padded() -> None:
    """With the call, or as a value of the batch: as of lists that are padded here."""
    sizes = SIZES[5]
    padded = np.zeros((5, 64, 64, 3), np.uint8)
    for row, image in enumerate(pictures(sizes)):
        padded[row, : len(image), : image.shape[1]] = image
    listed = CutMix(pad="max", seed=2).plan({"image": pictures(sizes)})
    assert CutMix(seed=2).plan(padded, hints={"sizes": np.array(sizes)}) == listed
    mix = CutMix(seed=2, hints={"sizes": "value:real"}, passthrough=("real",))
    assert mix.plan({"image": padded, "real": np.array(sizes)}) == listed
    host = al.BatchCompose([al.CutMix()], seed=2)
    for row, image in enumerate(host(images=padded, hints={"sizes": np.array(sizes)})["images"]):
        checked(row, image, sizes)
    bad = {"(B, d)": np.array(sizes)[:, :1], "float": np.array(sizes) / 2, "large": np.array(sizes) + 9}
    for value in bad.values():
        with pytest.raises(InputError, match="No sizes"):
            CutMix().plan(padded, hints={"sizes": value})
    with pytest.raises(InputError, match="Leave 'sizes' out of hints"):
        CutMix(pad="max").plan(pictures(sizes), hints={"sizes": np.array(sizes)})
    with pytest.raises(InputError, match="A hint that nobody reads"):
        MixUp().plan(padded.astype(np.float32), hints={"sizes": np.array(sizes)})
    with pytest.raises(ParameterError, match="A hint that nobody reads"):
        ResizeMix(hints={"sizes": "value:real"})


# ------------------------------------------------------------------------------------------ partners of similar shape


def windows(sizes: np.ndarray, window: int) -> list[set[float]]:
    """Ratios of the samples that may meet, window by window, from the definition."""
    ratios = sorted(height / width for height, width in sizes)
    parts = [ratios[at : at + window] for at in range(0, len(ratios), window)]
    if len(parts) > 1 and len(parts[-1]) == 1:
        parts[-2:] = [parts[-2] + parts[-1]]
    return [set(part) for part in parts]


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 5, 8, 9, 13, 64])
@pytest.mark.parametrize("window", [2, 3, 4, 100])
def test_partners_are_in_one_window_of_the_order(size: int, window: int) -> None:
    rng = np.random.default_rng(size)
    for seed in range(20):
        sizes = rng.integers(1, 6 if seed % 2 else 600, (size, 2))
        partner = partners(SimilarShape(window), size, np.random.default_rng(seed), {"sizes": sizes})
        assert sorted(partner.tolist()) == list(range(size)), "everybody is somebody's"
        if size > 1:
            assert (partner != np.arange(size)).all(), "nobody meets itself"
        ratio = sizes[:, 0] / sizes[:, 1]
        for own, other in zip(ratio, ratio[partner], strict=True):
            assert any({own, other} <= part for part in windows(sizes, window))


def test_the_cycle_in_a_window_is_random() -> None:
    sizes, rng = np.array([(1, 1), (1, 2), (1, 3), (1, 4), (9, 1), (8, 1)]), np.random.default_rng(5)
    drawn = [partners(SimilarShape(), 6, rng, {"sizes": sizes}) for _ in range(3000)]
    for row in range(4):
        counts = Counter(int(partner[row]) for partner in drawn)
        assert set(counts) == set(range(4)) - {row}
        assert stats.chisquare(list(counts.values())).pvalue > 1e-3
    assert {tuple(partner[4:].tolist()) for partner in drawn} == {(5, 4)}
    alike = [partners(SimilarShape(2), 6, rng, {"sizes": np.full((6, 2), 3)}) for _ in range(3000)]
    counts = Counter(int(partner[0]) for partner in alike)  # ties are broken at random
    assert stats.chisquare([counts[other] for other in range(1, 6)]).pvalue > 1e-3


def test_ratios_are_those_of_the_last_two_axes_and_of_signals_lengths() -> None:
    rng = np.random.default_rng(0)
    volumes = np.array([(1, 2, 4), (99, 4, 2), (50, 8, 16), (2, 6, 3)])
    assert partners(SimilarShape(2), 4, rng, {"sizes": volumes}).tolist() == [2, 3, 0, 1]
    assert partners(SimilarShape(2), 4, rng, {"sizes": np.array([[1], [90], [2], [80]])}).tolist() == [2, 3, 0, 1]
    assert sorted(partners(SimilarShape(2), 4, rng, {"sizes": np.zeros((4, 0), int)}).tolist()) == [0, 1, 2, 3]


def test_mixup_pairs_by_shape_as_well() -> None:
    sizes = [(8, 16), (16, 8), (5, 10), (10, 5)]
    images = [np.ones((*size, 3), np.float32) for size in sizes]
    plan = MixUp(pad="max", pairing=SimilarShape(2), seed=0).plan(images)
    assert plan.partner.tolist() == [2, 3, 0, 1]
    assert sorted(MixUp(pairing=SimilarShape(), seed=0).plan(np.ones((4, 8, 8, 3))).partner.tolist()) == [0, 1, 2, 3]


def test_keys_of_samples_have_their_sizes_in_them() -> None:
    """Images of zeros differ by their sizes alone once they are padded."""
    one, other = [(8, 8), (4, 8), (6, 6)], [(8, 8), (4, 8), (6, 5)]
    keys = []
    for sizes in (one, one, other):
        samples = [{"image": np.zeros((*size, 3), np.uint8)} for size in sizes]
        keys.append(CutMix(pad="max", seed=0).plan(samples).key)
    assert keys[0] == keys[1] != keys[2]


def test_saved_with_its_window() -> None:
    mix = CutMix(pad="max", pairing=SimilarShape(window=6))
    back = mixtransforms.from_dict(json.loads(json.dumps(mixtransforms.to_dict(mix))))
    assert back.pairing == SimilarShape(6)
    for window in (1, 2.5, "4"):
        with pytest.raises(ParameterError, match="window"):
            SimilarShape(window)
    with pytest.raises(InputError, match="reads 'sizes'"):
        partners(SimilarShape(), 4, np.random.default_rng(0), {})
