"""Mosaic: every tile is a slice of its source, labels are areas, and objects are where their pixels are."""

import itertools
from typing import Any

import numpy as np
import pytest
import tiers
import torch
from painted import bounds, inside, random_boxes
from scipy import stats

from mixtransforms import BatchSpec, BoxRules, InputError, Keypoints, Mosaic, ParameterError, Plan
from mixtransforms.laws import Constant, Uniform
from mixtransforms.methods.pairing import PAIRINGS, partners

SHAPES = [(8, 8), (7, 5), (33, 31), (1, 9), (16, 32), (12,), (6, 9, 5), (2, 3)]
SIZES = [0, 1, 2, 5]
LAYOUTS = {1: "BT", 2: "BHW", 3: "BDHW"}
EVERYTHING = BoxRules(min_visibility=0, min_size=0, min_area=0)


def draw(method: Any, shape: tuple[int, ...], size: int = 5, seed: int = 0) -> Plan:
    return method.method.draw(BatchSpec(size, shape), np.random.default_rng(seed))


def numbered(size: int, shape: tuple[int, ...]) -> np.ndarray:
    """Images of which no two pixels are alike."""
    return np.arange(size * int(np.prod(shape))).reshape(size, *shape)


def painted(plan: Plan, images: np.ndarray | None = None) -> np.ndarray:
    images = numbered(plan.size, plan.spec.shape) if images is None else images
    return np.asarray(plan.apply(images, LAYOUTS[len(plan.spec.shape)]))


def tiles(plan: Plan, grid: int) -> np.ndarray:
    """The number of the tile that every pixel lies in, ``(B, *shape)``; 0 in all of a sample that is not mixed."""
    number = np.zeros((plan.size, *plan.spec.shape), np.int64)
    for index, layer in enumerate(plan.layers):
        for n, row in enumerate(layer.rows):
            number[row][layer.region.slices(n)] = index
    assert not plan.layers or len(plan.layers) == grid ** len(plan.spec.shape)
    return number


# ---------------------------------------------------------------------------------------------- pixels and labels


@pytest.mark.parametrize("size", [2, 5])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_mosaic_is_a_window_of_its_sources_side_by_side(shape: tuple[int, ...], size: int) -> None:
    """As the detectors have it: all sources as one large image, and of it the window that has the junction inside."""
    axes = len(shape)
    for seed in range(5):
        plan = draw(Mosaic(), shape, size, seed)
        images, mixed = numbered(size, shape), painted(plan)
        for row in range(size):
            junction = plan.layers[0].region.stop[row]
            sources = np.array([layer.source[row] for layer in plan.layers]).reshape((2,) * axes)
            assert sources.flat[0] == row
            large = np.empty([2 * length for length in shape], images.dtype)
            for place in np.ndindex(*sources.shape):
                at = tuple(slice(p * length, (p + 1) * length) for p, length in zip(place, shape, strict=True))
                large[at] = images[sources[place]]
            window = tuple(slice(n - j, 2 * n - j) for n, j in zip(shape, junction, strict=True))
            np.testing.assert_array_equal(mixed[row], large[window])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("grid", [2, 3])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_labels_are_areas_of_tiles(shape: tuple[int, ...], grid: int, size: int) -> None:
    cells = int(np.prod(shape))
    for seed in range(3):
        plan = draw(Mosaic(grid), shape, size, seed)
        owner = painted(plan) // cells
        share = np.zeros((size, size))
        for column in range(plan.sources.shape[1]):
            share[np.arange(size), plan.sources[:, column]] += plan.share[:, column]
        counted = (owner.reshape(size, 1, cells) == np.arange(size)[:, None]).sum(axis=2)
        np.testing.assert_allclose(share * cells, counted, atol=1e-9)
        assert (plan.mixed == (size > 1)).all() or cells < 4  # a tile may be a whole image of two pixels


@pytest.mark.parametrize("shape", [(9, 13), (31, 17), (10,)], ids=str)
def test_tiles_of_nine_show_their_sources_without_a_gap(shape: tuple[int, ...]) -> None:
    """Of every tile: one slice of one source, from the side that is turned to the middle."""
    images = numbered(6, shape)
    for seed in range(10):
        plan = draw(Mosaic(3), shape, 6, seed)
        mixed, of = painted(plan), tiles(plan, 3)
        for row, (index, place) in itertools.product(
            range(6), enumerate(itertools.product(range(3), repeat=len(shape)))
        ):
            where = [np.flatnonzero((of[row] == index).any(axis=tuple(a for a in range(len(shape)) if a != axis)))
                     for axis in range(len(shape))]  # fmt: skip
            if not all(map(len, where)):
                continue
            sides = [len(steps) for steps in where]
            first = [(0 if p == 2 else n - side if p == 0 else (n - side) // 2)
                     for p, n, side in zip(place, shape, sides, strict=True)]  # fmt: skip
            crop = tuple(slice(start, start + side) for start, side in zip(first, sides, strict=True))
            own = images[plan.layers[index].source[row]][crop]
            np.testing.assert_array_equal(mixed[row][np.ix_(*where)], own)


@pytest.mark.parametrize("grid", [2, 3])
def test_a_squeezed_tile_is_its_whole_source(grid: int) -> None:
    """Against torch's antialiased resize of the whole image."""
    images = np.random.default_rng(0).integers(0, 256, (4, 3, 20, 34), dtype=np.uint8)
    plan = draw(Mosaic(grid, fit="resize"), (20, 34), 4)
    mixed = plan.apply(images, "channels_first")
    for layer in plan.layers:
        for n, row in enumerate(layer.rows):
            at = layer.region.slices(n)
            sides = layer.region.sides[n].tolist()
            if min(sides):
                own = torch.from_numpy(images[layer.source[n]].astype(np.float64))[None]
                wanted = torch.nn.functional.interpolate(own, sides, mode="bilinear", antialias=True)[0]
                assert np.abs(mixed[row][(slice(None), *at)] - wanted.numpy()).max() <= 1


@pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.float32, np.int64, np.bool_])
def test_a_corner_is_copied_whatever_its_dtype(dtype: Any) -> None:
    images = (np.arange(3 * 9 * 7 * 3).reshape(3, 9, 7, 3) % 200).astype(dtype)
    mix = Mosaic(seed=0)
    plan = mix.plan(images)
    mixed = mix.replay(plan, images)
    assert mixed.dtype == images.dtype
    index = np.broadcast_to(numbered(3, (9, 7))[..., None], images.shape)
    np.testing.assert_array_equal(mixed, images.reshape(-1, 3)[plan.apply(index)[..., 0]])


# ------------------------------------------------------------------------------------------------------- laws


def test_the_junction_is_uniform_in_the_middle_half() -> None:
    """A Kolmogorov-Smirnov test an axis, at one false alarm in a thousand."""
    plan = draw(Mosaic(), (100_000, 50_000), 2000)
    for place, length in zip(plan.layers[0].region.stop.T, (100_000, 50_000), strict=True):
        assert stats.kstest(place / length, stats.uniform(0.25, 0.5).cdf).pvalue > 1e-3
    both = plan.layers[0].region.stop / [100_000, 50_000]
    assert abs(np.corrcoef(both.T)[0, 1]) < 0.08  # 3.3 deviations


def test_nine_tiles_are_equally_large_on_average() -> None:
    plan = draw(Mosaic(3), (600, 300), 4000)
    area = np.array([layer.region.volume.mean() for layer in plan.layers]) / 180_000
    np.testing.assert_allclose(area, 1 / 9, atol=0.004)
    first, second = (plan.layers[index].region.stop[:, 1] / 300 for index in (0, 1))
    assert stats.kstest(first, stats.uniform(1 / 6, 1 / 3).cdf).statistic < 0.05
    assert (first <= second).all()


@pytest.mark.parametrize(("law", "cut"), [(Constant(0.5), 10), (Constant(0.0), 0), (Constant(1.0), 20)], ids=str)
def test_another_law_of_the_junction(law: Any, cut: int) -> None:
    plan = draw(Mosaic(junction=law), (20,), 3)
    assert plan.layers[0].region.stop[:, 0].tolist() == [cut] * 3
    np.testing.assert_allclose(plan.share.sum(axis=1), 1)


def test_every_other_sample_is_as_likely_in_every_tile() -> None:
    """A chi-square test a tile, at one false alarm in a thousand; nobody is its own partner."""
    plans = [draw(Mosaic(), (4, 4), 6, seed) for seed in range(300)]
    for tile in (1, 2, 3):
        step = np.array([(plan.layers[tile].source - plan.layers[tile].rows) % 6 for plan in plans])
        counts = np.bincount(step.ravel(), minlength=6)
        assert counts[0] == 0
        assert stats.chisquare(counts[1:]).pvalue > 1e-3
    same = np.mean([(plan.layers[1].source == plan.layers[2].source).mean() for plan in plans])
    assert abs(same - 1 / 5) < 0.04  # with replacement: one in five


def test_one_junction_serves_the_batch_that_shares_it() -> None:
    plan = draw(Mosaic(per="batch"), (40, 30), 6)
    assert len(np.unique(plan.layers[0].region.stop, axis=0)) == 1
    assert (plan.layers[0].region.stop[0] == draw(Mosaic(), (40, 30), 6).layers[0].region.stop[0]).all()
    counts = {int(draw(Mosaic(per="batch", p=0.5), (8, 8), 4, seed).mixed.sum()) for seed in range(20)}
    assert counts == {0, 4}


def test_the_gate_leaves_a_part_of_the_batch_alone() -> None:
    plan, every = (draw(Mosaic(p=p), (8, 8), 2000) for p in (0.3, 1.0))
    assert abs(plan.mixed.mean() - 0.3) < 0.04
    kept = plan.layers[3].rows
    np.testing.assert_array_equal(plan.layers[3].source, every.layers[3].source[kept])
    np.testing.assert_array_equal(plan.layers[3].region.stop, every.layers[3].region.stop[kept])


def test_one_sample_stays_as_it_is() -> None:
    for mix in (Mosaic(seed=0), Mosaic(3, seed=0), Mosaic(fit="resize", seed=0)):
        for size in (0, 1):
            images = np.random.default_rng(0).random((size, 8, 8, 3))
            np.testing.assert_array_equal(mix(images), images)


# ------------------------------------------------------------------------------------------------ several partners


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("policy", list(PAIRINGS))
def test_the_first_of_several_partners_is_the_one_partner(policy: str, size: int) -> None:
    hints = {"classes": np.arange(size) % 2}
    one = partners(policy, size, np.random.default_rng(3), hints)
    for count in (1, 3, 8):  # more than there are samples, too: some come twice
        several = partners(policy, size, np.random.default_rng(3), hints, count=count)
        assert several.shape == (count, size)
        assert several.dtype == np.int64
        np.testing.assert_array_equal(several[0], one)


def test_several_samples_before() -> None:
    several = partners("roll", 5, np.random.default_rng(0), {}, count=3)
    assert several.tolist() == [[4, 0, 1, 2, 3], [3, 4, 0, 1, 2], [2, 3, 4, 0, 1]]


def test_tiles_may_be_of_one_class() -> None:
    classes = np.array([0, 1, 0, 1, 2])
    plan = Mosaic(pairing="same_class").method.draw(
        BatchSpec(5, (8, 8)), np.random.default_rng(0), {"classes": classes}
    )
    assert plan.mixed.tolist() == [True] * 4 + [False]  # nobody else is of the last class
    for layer in plan.layers:
        np.testing.assert_array_equal(classes[layer.source], classes[layer.rows])


# --------------------------------------------------------------------------------------------------- objects


class Painting:
    """A mosaic of images whose pixels say where they come from, and objects told of them."""

    def __init__(self, seed: int, grid: int, fit: str = "corner") -> None:
        self.rng = rng = np.random.default_rng(seed)
        self.shape = tuple(rng.integers(5, 16, 2).tolist())
        self.size = 6
        self.images = numbered(self.size, self.shape)[..., None]
        self.mix = Mosaic(grid, fit=fit, boxes=EVERYTHING, seed=seed)
        self.plan = self.mix.plan(self.images)
        self.of = tiles(self.plan, grid)
        self.owner, pixel = np.divmod(painted(self.plan), self.shape[0] * self.shape[1])
        self.y, self.x = np.divmod(pixel, self.shape[1])

    def replay(self, **told: Any) -> dict[str, Any]:
        return self.mix.replay(self.plan, {"image": self.images, **told})

    def parts(self, row: int) -> Any:
        """Every tile of a sample that has pixels: its source, and which pixels are in it."""
        for index, layer in enumerate(self.plan.layers):
            pixels = self.of[row] == index
            if pixels.any():
                (source,) = np.unique(self.owner[row][pixels])
                assert source == layer.source[row]
                yield int(source), pixels

    def seen(self, pixels: np.ndarray, row: int, masks: np.ndarray) -> np.ndarray:
        """Where masks ``(N, H, W)`` of a source are seen in a tile, ``(N, H, W)``."""
        return masks[:, self.y[row], self.x[row]] & pixels


EACH = 60
RUNS = 100_000 // (4 * 6 * EACH) + 1 if tiers.everything else 8


@pytest.mark.parametrize("grid", [2, 3])
def test_many_boxes_are_where_their_pixels_are(grid: int) -> None:
    checked = 0
    for seed in range(RUNS):
        scene = Painting(seed, grid)
        boxes = [random_boxes(scene.rng, EACH, scene.shape) for _ in range(scene.size)]
        names = [np.arange(EACH) + EACH * row for row in range(scene.size)]
        out = scene.replay(boxes=boxes, labels=names)
        for row in range(scene.size):
            wanted, ids = [], []
            for source, pixels in scene.parts(row):
                shown = scene.seen(pixels, row, inside(boxes[source], scene.shape))
                own = bounds(shown)
                wanted.append(own[~np.isnan(own[:, 0])])
                ids.append(names[source][~np.isnan(own[:, 0])])
                checked += EACH
            np.testing.assert_array_equal(out["labels"][row], np.concatenate(ids))
            np.testing.assert_array_equal(out["boxes"][row], np.concatenate(wanted))
    assert checked >= (100_000 if tiers.everything else 4 * 6 * EACH)


@pytest.mark.parametrize("grid", [2, 3])
def test_many_instances_are_what_is_left_of_their_pixels(grid: int) -> None:
    for seed in range(RUNS // 2):
        scene = Painting(seed, grid)
        masks = [scene.rng.random((EACH, *scene.shape)) < 0.1 for _ in range(scene.size)]
        for own in masks:
            own[:, scene.rng.integers(scene.shape[0]), scene.rng.integers(scene.shape[1])] = True  # none is empty
        boxes = [bounds(own) for own in masks]
        out = scene.replay(boxes=boxes, masks=masks)
        for row in range(scene.size):
            left = np.concatenate([scene.seen(pixels, row, masks[source]) for source, pixels in scene.parts(row)])
            left = left[left.any(axis=(1, 2))]
            np.testing.assert_array_equal(out["masks"][row], left)
            np.testing.assert_array_equal(out["boxes"][row], bounds(left))


@pytest.mark.parametrize("grid", [2, 3])
def test_many_points_are_on_their_pixels(grid: int) -> None:
    """Points in the middle of pixels: a point is there exactly if its pixel is, and lies in the middle of it."""
    for seed in range(RUNS):
        scene = Painting(seed, grid)
        points = [scene.rng.integers(0, scene.shape[::-1], (EACH, 2)) + 0.5 for _ in range(scene.size)]
        batch = {"image": scene.images, "keypoints": points}
        mix = Mosaic(grid, kinds={"keypoints": Keypoints("xy", occluded="drop")})
        out = mix.replay(scene.plan, batch)
        for row in range(scene.size):
            wanted = []
            for source, pixels in scene.parts(row):
                for x, y in points[source] - 0.5:
                    at = pixels & (scene.y[row] == y) & (scene.x[row] == x)
                    wanted += [(place[1] + 0.5, place[0] + 0.5) for place in np.argwhere(at)]
            np.testing.assert_array_equal(np.asarray(out["keypoints"][row]).reshape(-1, 2), np.reshape(wanted, (-1, 2)))


def test_a_second_paste_covers_what_it_covers() -> None:
    """On detection batches a mosaic and CutMix follow one another: boxes still end where their pixels do."""
    albumentations = pytest.importorskip("albumentations")
    from mixtransforms.albumentations import BatchCompose, CutMix
    from mixtransforms.albumentations import Mosaic as AtTheDoor

    rng = np.random.default_rng(0)
    params = albumentations.BboxParams("pascal_voc", label_fields=["labels"])
    rules = BoxRules(min_visibility=0, min_size=0, min_area=0)
    for seed in range(20):
        samples, boxes = [], random_boxes(rng, 6, (20, 24))
        for number, (left, top, right, bottom) in enumerate(boxes.astype(int), 1):
            image = np.zeros((20, 24, 1), np.uint8)
            image[top:bottom, left:right] = number
            samples.append({"image": image, "bboxes": boxes[number - 1 : number], "labels": np.array([number])})
        both = [AtTheDoor(boxes=rules), CutMix(boxes=rules)]
        out = BatchCompose(both, seed=seed, bbox_params=params)(samples)
        for image, own, labels in zip(np.asarray(out["image"])[..., 0], out["bboxes"], out["labels"], strict=True):
            assert {*np.asarray(labels).tolist()} == {*image.ravel().tolist()} - {0}
            for (left, top, right, bottom), label in zip(np.asarray(own).astype(int), labels, strict=True):
                part = image[top:bottom, left:right] == label
                assert all(edge.any() for edge in (part[0], part[-1], part[:, 0], part[:, -1]))


def test_squeezed_objects_are_complete() -> None:
    """Every object of every source is there, by the affine map of the image into its tile."""
    mix = Mosaic(fit="resize", boxes=EVERYTHING, seed=3)
    rng = np.random.default_rng(0)
    images, boxes = np.zeros((5, 24, 36, 3), np.float32), [random_boxes(rng, 7, (24, 36)) for _ in range(5)]
    batch = {"image": images, "boxes": boxes}
    plan = mix.plan(batch)
    out = mix.replay(plan, batch)
    for row in range(5):
        wanted = []
        for layer in plan.layers:
            start, sides = layer.region.start[row][::-1], layer.region.sides[row][::-1]
            scale, move = np.tile(sides / np.array([36, 24]), 2), np.tile(start, 2)
            wanted.append(boxes[layer.source[row]] * scale + move)
        np.testing.assert_allclose(out["boxes"][row], np.concatenate(wanted), atol=1e-4)


@pytest.mark.parametrize("grid", [2, 3])
def test_label_maps_follow_the_pixels(grid: int) -> None:
    rng = np.random.default_rng(0)
    masks = rng.integers(0, 255, (4, 12, 18), dtype=np.uint8)
    images = np.repeat(masks[..., None], 3, axis=-1)
    mixed = Mosaic(grid, seed=1)({"image": images, "mask": masks})
    np.testing.assert_array_equal(mixed["image"][..., 0], mixed["mask"])  # a paste: no partner and no weight beside it
    assert set(mixed) == {"image", "mask"}


def test_tiles_of_a_video_keep_their_time() -> None:
    rng = np.random.default_rng(0)
    video = rng.random((4, 5, 3, 8, 10), dtype=np.float32)
    mix = Mosaic(layout="BTCHW", num_classes=4, seed=0)
    plan = mix.plan(video, np.arange(4))
    clips, labels = mix.replay(plan, video, np.arange(4))
    for frame in range(5):
        np.testing.assert_array_equal(clips[:, frame], plan.apply(video[:, frame], "channels_first"))
    np.testing.assert_allclose(labels.sum(axis=1), 1, atol=1e-6)


# ---------------------------------------------------------------------------------------------------- errors


BAD = {
    "one tile": (lambda: Mosaic(1), ParameterError, r"'grid' \(Mosaic\): got 1; wanted a whole number within \[2, 3\]"),
    "no fit": (lambda: Mosaic(fit="cover"), ParameterError, "'fit'"),
    "pairs": (lambda: Mosaic(per="pair"), ParameterError, "'per'"),
    "a number": (lambda: Mosaic(junction=0.5), ParameterError, "'junction'"),
    "a table": (lambda: Mosaic(layout="BF")(np.zeros((4, 5))), InputError, "Mosaic needs axes to cut .*Use MixUp"),
    "other channels": (
        lambda: Mosaic()([{"image": np.zeros((8, 8, c), np.uint8)} for c in (1, 3)]),
        InputError,
        "shape",
    ),
}


@pytest.mark.parametrize(("make", "error", "match"), BAD.values(), ids=BAD)
def test_what_cannot_be_a_mosaic_is_refused(make: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        make()


def test_a_law_of_the_junction_is_written() -> None:
    mix = Mosaic(junction=Uniform(0.3, 0.7), fit="resize")
    assert repr(mix) == "Mosaic(fit='resize', junction=Uniform(low=0.3, high=0.7))"
