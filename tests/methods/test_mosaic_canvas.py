"""Mosaics on canvases: of other sizes than their samples, or with sources that are shown whole."""

from typing import Any

import numpy as np
import pytest
import tiers
import torch
from painted import bounds, inside, random_boxes

import mixtransforms
from mixtransforms import (
    BatchSpec,
    BoxRules,
    Canvas,
    CutMix,
    InputError,
    Keypoints,
    MixUp,
    Mosaic,
    OneOf,
    ParameterError,
    Plan,
    Steps,
)
from mixtransforms.laws import Constant
from mixtransforms.show.methods import statistics
from mixtransforms.targets.united import united

SHAPES = [((8, 8), (16, 16)), ((7, 5), (9, 31)), ((9, 13), (4, 6)), ((6,), (15,)), ((3, 4, 5), (7, 3, 11))]
SIZES = [0, 1, 2, 5]
EVERYTHING = BoxRules(min_visibility=0, min_size=0, min_area=0)
FITS = ["corner", "resize", "contain"]


def draw(method: Any, shape: tuple[int, ...], size: int = 5, seed: int = 0) -> Plan:
    return method.method.draw(BatchSpec(size, shape), np.random.default_rng(seed))


def numbered(size: int, shape: tuple[int, ...]) -> np.ndarray:
    """Images of which no two pixels are alike."""
    return np.arange(size * float(np.prod(shape))).reshape(size, *shape)


def owners(plan: Plan) -> np.ndarray:
    """Whose every pixel is, ``(B, *shape)``, seen by colours; -1 is the canvas."""
    size, shape = plan.size, plan.spec.shape
    colours = np.zeros((size, *shape, size), np.float32)
    for sample in range(size):
        colours[sample, ..., sample] = 1
    mixed = plan.apply(colours, {1: "BTC", 2: "BHWC", 3: "BDHWC"}[len(shape)])
    own = mixed.argmax(axis=-1) if size else np.zeros(mixed.shape[:-1], np.int64)
    return np.where(mixed.max(axis=-1, initial=0) > 0.5, own, -1)


# ---------------------------------------------------------------------------------------------- pixels and labels


@pytest.mark.parametrize(("shape", "out"), SHAPES, ids=str)
def test_a_mosaic_is_a_window_of_its_sources_around_the_junction(shape: tuple[int, ...], out: tuple[int, ...]) -> None:
    """As the detectors have it: sources side by side on an endless canvas, of which the result is a window."""
    axes = len(shape)
    for seed in range(20):
        plan = draw(Mosaic(output_size=out, fill=-1), shape, seed=seed)
        images = numbered(5, shape)
        mixed = plan.apply(images[..., None], {1: "BTC", 2: "BHWC", 3: "BDHWC"}[axes])[..., 0]
        assert mixed.shape == (5, *out)
        reach = [max(pair) for pair in zip(shape, out, strict=True)]
        for row in range(5):
            junction = plan.layers[0].region.stop[row]
            assert all(0.25 * side - 0.5 <= j <= 0.75 * side + 0.5 for j, side in zip(junction, out, strict=True))
            sources = np.array([layer.source[row] for layer in plan.layers]).reshape((2,) * axes)
            assert sources.flat[0] == row
            large = np.full([2 * length for length in reach], -1.0)
            for place in np.ndindex(*sources.shape):
                at = tuple(slice(r - n, r) if p == 0 else slice(r, r + n)
                           for p, r, n in zip(place, reach, shape, strict=True))  # fmt: skip
                large[at] = images[sources[place]]
            window = tuple(slice(r - j, r - j + n) for r, j, n in zip(reach, junction, out, strict=True))
            np.testing.assert_array_equal(mixed[row], large[window])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("grid", [2, 3])
@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize(("shape", "out"), SHAPES, ids=str)
def test_labels_are_areas_of_what_is_shown(
    shape: tuple[int, ...], out: tuple[int, ...], fit: str, grid: int, size: int
) -> None:
    for seed in range(3):
        plan = draw(Mosaic(grid, fit=fit, output_size=out), shape, size, seed)
        assert plan.output_shape == out
        owner = owners(plan)
        counted = (owner.reshape(size, 1, int(np.prod(out))) == np.arange(size)[:, None]).sum(axis=2).astype(float)
        counted /= np.maximum(counted.sum(axis=1, keepdims=True), 1)
        share = np.zeros((size, size))
        np.add.at(share, (np.arange(size)[:, None], plan.sources), plan.share)
        np.testing.assert_allclose(share, counted, atol=1e-12)
        again = Plan.from_dict(plan.to_dict())  # also checks all layers
        assert again == plan


@pytest.mark.parametrize("grid", [2, 3])
@pytest.mark.parametrize("out", [None, (40, 30), (13, 50)], ids=str)
@pytest.mark.parametrize("shape", [(8, 8), (30, 11), (5, 24)], ids=str)
def test_a_contained_source_is_whole_with_its_proportions(
    shape: tuple[int, int], out: tuple[int, int] | None, grid: int
) -> None:
    """Between the edges of its tile, which are found from the law of a constant junction."""
    plan = draw(Mosaic(grid, fit="contain", output_size=out, junction=Constant(0.5)), shape)
    lengths = out or shape
    assert plan.canvas == Canvas(lengths)
    cuts = [np.rint(np.linspace(0, length, grid + 1)).astype(int) for length in lengths]
    for layer, place in zip(plan.layers, np.ndindex(grid, grid), strict=True):
        tile = [(edges[p], edges[p + 1]) for edges, p in zip(cuts, place, strict=True)]
        for row in range(5):
            start, stop = layer.region.start[row], layer.region.stop[row]
            assert layer.crop.start[row].tolist() == [0, 0]
            assert layer.crop.stop[row].tolist() == list(shape)
            sides, room = stop - start, np.array([last - first for first, last in tile])
            scale = (room / shape).min()
            assert (np.abs(sides - np.maximum(1, scale * np.array(shape))) <= 0.5).all()
            assert (sides == room).any()
            for axis, p in enumerate(place):
                before, after = start[axis] - tile[axis][0], tile[axis][1] - stop[axis]
                assert min(before, after) >= 0
                turned = {0: after, grid - 1: before}.get(p)
                assert turned == 0 if turned is not None else abs(before - after) <= 1


@pytest.mark.parametrize("grid", [2, 3])
def test_a_contained_tile_is_its_resized_source(grid: int) -> None:
    """Against torch's antialiased resize of the whole image; what no tile shows is the fill."""
    images = np.random.default_rng(0).integers(0, 256, (4, 3, 20, 34), dtype=np.uint8)
    plan = draw(Mosaic(grid, fit="contain", output_size=(64, 64), fill=114), (20, 34), 4)
    mixed = plan.apply(images, "channels_first")
    rest = np.ones((4, 64, 64), bool)
    for layer in plan.layers:
        for n, row in enumerate(layer.rows):
            at = layer.region.slices(n)
            rest[row][at] = False
            own = torch.from_numpy(images[layer.source[n]].astype(np.float64))[None]
            sides = layer.region.sides[n].tolist()
            wanted = torch.nn.functional.interpolate(own, sides, mode="bilinear", antialias=True)[0]
            assert np.abs(mixed[row][(slice(None), *at)] - wanted.numpy()).max() <= 1
    assert (np.moveaxis(mixed, 1, -1)[rest] == 114).all()


def test_as_many_colours_as_sources() -> None:
    """Images of one colour: four of them and the canvas are there, and no other."""
    images = np.zeros((6, 10, 10, 1), np.uint8) + (10 + 10 * np.arange(6, dtype=np.uint8)).reshape(6, 1, 1, 1)
    for fit in FITS:
        mix = Mosaic(fit=fit, output_size=(40, 40), fill=114, pairing="roll", seed=0)
        mixed = mix(images)
        for row in range(6):
            own = {10 + 10 * ((row - back) % 6) for back in range(4)}
            assert set(np.unique(mixed[row]).tolist()) == own | ({114} if fit != "resize" else set())


@pytest.mark.parametrize("fit", ["corner", "resize"])
@pytest.mark.parametrize("shape", [(9, 13), (12,), (4, 5, 6)], ids=str)
def test_an_output_of_the_size_of_the_samples_is_the_mosaic(shape: tuple[int, ...], fit: str) -> None:
    plain, sized = draw(Mosaic(fit=fit), shape), draw(Mosaic(fit=fit, output_size=shape), shape)
    assert plain.canvas is None
    images = numbered(5, shape)[..., None]
    layout = {1: "BTC", 2: "BHWC", 3: "BDHWC"}[len(shape)]
    np.testing.assert_array_equal(plain.apply(images, layout), sized.apply(images, layout))
    for first, second in zip(united(plain, 8), united(sized, 8), strict=True):
        np.testing.assert_allclose(first, second, atol=1e-7)


@pytest.mark.parametrize("fit", FITS)
def test_draws_do_not_depend_on_the_canvas(fit: str) -> None:
    plain, sized = draw(Mosaic(), (20, 30)), draw(Mosaic(fit=fit, output_size=(40, 60)), (20, 30))
    for first, second in zip(plain.layers, sized.layers, strict=True):
        np.testing.assert_array_equal(first.source, second.source)


# ---------------------------------------------------------------------------------------------- who is not mixed


@pytest.mark.parametrize("fit", FITS)
def test_who_is_not_mixed_is_shown_whole(fit: str) -> None:
    images = np.random.default_rng(0).integers(0, 256, (40, 10, 20, 3), dtype=np.uint8)
    boxes = [np.array([[2.0, 1, 20, 10]])] * 40
    mix = Mosaic(fit=fit, output_size=(40, 40), p=0.4, fill=9, seed=0)
    batch = {"image": images, "boxes": boxes}
    plan = mix.plan(batch)
    out = mix.replay(plan, batch)
    assert 5 < plan.mixed.sum() < 30
    whole = torch.nn.functional.interpolate(
        torch.from_numpy(images).double().movedim(-1, 1), (20, 40), mode="bilinear", antialias=True
    )
    for row in np.flatnonzero(~plan.mixed):
        assert (out["image"][row, :10] == 9).all()
        assert (out["image"][row, 30:] == 9).all()
        assert np.abs(out["image"][row, 10:30] - whole[row].movedim(0, -1).numpy()).max() <= 1
        np.testing.assert_allclose(out["boxes"][row], [[4, 12, 40, 30]])


def test_a_mosaic_that_is_closed_keeps_the_size_of_its_results() -> None:
    mix = Mosaic(output_size=(16, 12), p=Steps({0: 1.0, 3: 0.0}), seed=0)
    images = np.ones((4, 8, 6, 3), np.float32)
    assert mix(images).shape == (4, 16, 12, 3)
    mixtransforms.set_epoch(mix, 3)
    np.testing.assert_array_equal(mix(images), np.ones((4, 16, 12, 3)))


def test_a_batch_of_one_or_none() -> None:
    for fit in FITS:
        mix = Mosaic(fit=fit, output_size=(16, 12), seed=0)
        np.testing.assert_array_equal(mix(np.ones((1, 8, 6, 3))), np.ones((1, 16, 12, 3)))
        assert mix(np.ones((0, 8, 6, 3))).shape == (0, 16, 12, 3)


# --------------------------------------------------------------------------------------------------- objects


class Painting:
    """A mosaic of images whose pixels say where they come from, and objects told of them."""

    def __init__(self, seed: int, grid: int, fit: str = "corner") -> None:
        self.rng = rng = np.random.default_rng(seed)
        self.shape = tuple(rng.integers(5, 16, 2).tolist())
        self.out = tuple(rng.integers(4, 40, 2).tolist())
        self.size = 6
        numbers = numbered(self.size, self.shape)
        self.images = numbers[..., None]
        self.mix = Mosaic(grid, fit=fit, output_size=self.out, fill=-1, boxes=EVERYTHING, seed=seed, ignore_index=-1)
        self.plan = self.mix.plan(self.images)
        # Label maps are resized by nearest cells, so that every pixel of theirs is one of a source.
        told = self.mix.replay(self.plan, {"image": self.images, "mask": numbers.astype(np.int64)})
        self.number = told["mask"]
        self.owner, pixel = np.divmod(np.maximum(self.number, 0), self.shape[0] * self.shape[1])
        self.y, self.x = np.divmod(pixel, self.shape[1])

    def replay(self, **told: Any) -> dict[str, Any]:
        return self.mix.replay(self.plan, {"image": self.images, **told})

    def parts(self, row: int) -> Any:
        """Every tile of a sample that shows something: its source, and which pixels show it."""
        for layer in self.plan.layers:
            (index,) = np.flatnonzero(layer.rows == row)
            pixels = np.zeros(self.out, bool)
            pixels[layer.region.slices(index)] = True
            if pixels.any():
                (source,) = np.unique(self.owner[row][pixels])
                assert (self.number[row][pixels] >= 0).all()
                yield int(source), pixels

    def seen(self, pixels: np.ndarray, row: int, masks: np.ndarray) -> np.ndarray:
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
        fractions = [own / np.tile(scene.shape[::-1], 2) for own in boxes]
        out = scene.replay(boxes=boxes, labels=names)
        mix = Mosaic(grid, output_size=scene.out, boxes=BoxRules(0, "shrink", 0, 0, format="albumentations"))
        relative = mix.replay(scene.plan, {"image": scene.images, "boxes": fractions})
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
            scaled = relative["boxes"][row] * np.tile(scene.out[::-1], 2)
            np.testing.assert_allclose(scaled, out["boxes"][row], atol=1e-9)
    assert checked >= (100_000 if tiers.everything else 10_000)


@pytest.mark.parametrize("fit", FITS)
def test_many_instances_are_what_is_left_of_their_pixels(fit: str) -> None:
    for seed in range(RUNS // 2):
        scene = Painting(seed, 2, fit)
        masks = [scene.rng.random((EACH, *scene.shape)) < 0.1 for _ in range(scene.size)]
        for own in masks:
            own[:, scene.rng.integers(scene.shape[0]), scene.rng.integers(scene.shape[1])] = True  # none is empty
        out = scene.replay(boxes=[bounds(own) for own in masks], masks=masks)
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
        mix = Mosaic(grid, output_size=scene.out, kinds={"keypoints": Keypoints("xy", occluded="drop")})
        out = mix.replay(scene.plan, {"image": scene.images, "keypoints": points})
        for row in range(scene.size):
            wanted = []
            for source, pixels in scene.parts(row):
                for x, y in points[source] - 0.5:
                    at = pixels & (scene.y[row] == y) & (scene.x[row] == x)
                    wanted += [(place[1] + 0.5, place[0] + 0.5) for place in np.argwhere(at)]
            np.testing.assert_array_equal(np.asarray(out["keypoints"][row]).reshape(-1, 2), np.reshape(wanted, (-1, 2)))


@pytest.mark.parametrize("fit", ["resize", "contain"])
def test_squeezed_objects_are_complete(fit: str) -> None:
    """Every object of every source is there, by the affine map of the image to where its colour is."""
    for seed in range(3):
        scene = Painting(seed, 2, fit)
        boxes = [random_boxes(scene.rng, EACH, scene.shape) for _ in range(scene.size)]
        turned = [np.stack([own[:, 0], own[:, 1], own[:, 2] - own[:, 0], own[:, 3] - own[:, 1], 0 * own[:, 0]], axis=1)
                  for own in boxes]  # fmt: skip
        points = [own[:, None, :2] for own in boxes]
        out = scene.replay(boxes=boxes, keypoints=points)
        mix = Mosaic(output_size=scene.out, boxes=BoxRules(0, "shrink", 0, 0, format="xywhr"))
        rotated = mix.replay(scene.plan, {"image": scene.images, "boxes": turned})
        for row in range(scene.size):
            wanted = []
            for source, pixels in scene.parts(row):
                ((left, top, right, bottom),) = bounds(pixels[None])
                scale = np.array([right - left, bottom - top]) / scene.shape[::-1]
                wanted.append(boxes[source] * np.tile(scale, 2) + [left, top, left, top])
            wanted = np.concatenate(wanted)
            np.testing.assert_allclose(out["boxes"][row], wanted, atol=1e-9)
            np.testing.assert_allclose(out["keypoints"][row][:, 0], wanted[:, :2], atol=1e-9)
            corners = np.concatenate([rotated["boxes"][row][:, :2], np.sum([rotated["boxes"][row][:, :2],
                                      rotated["boxes"][row][:, 2:4]], axis=0)], axis=1)  # fmt: skip
            np.testing.assert_allclose(corners, wanted, atol=1e-9)


def test_no_objects_have_the_size_of_the_canvas() -> None:
    mix = Mosaic(output_size=(12, 20), seed=0)
    for kind in (np.asarray, torch.from_numpy):
        images = kind(np.zeros((3, 3, 8, 8) if kind is torch.from_numpy else (3, 8, 8, 3)))
        masks = [kind(np.zeros((0, 8, 8), np.uint8)) for _ in range(3)]
        out = mix({"image": images, "boxes": [kind(np.zeros((0, 4)))] * 3, "masks": masks})
        assert [tuple(own.shape) for own in out["masks"]] == [(0, 12, 20)] * 3


def test_areas_grow_with_their_objects() -> None:
    mix = Mosaic(fit="contain", output_size=(32, 32), junction=Constant(0.5), seed=0)
    batch = {"image": np.zeros((2, 8, 8, 3)), "boxes": [np.array([[0.0, 0, 8, 8]])] * 2, "area": [np.array([50.0])] * 2}
    assert mix(batch)["area"][0].tolist() == [200.0] * 4


# ------------------------------------------------------------------------------------------------------- methods


def test_a_choice_of_mosaics_of_one_size() -> None:
    chosen = OneOf([Mosaic(output_size=(16, 16)), Mosaic(fit="contain", output_size=(16, 16))], p=0.7, seed=0)
    images = numbered(200, (8, 10))[..., None]
    plan = chosen.plan(images)
    assert plan.output_shape == (16, 16)
    assert 0.6 < plan.mixed.mean() < 0.8
    assert len(plan.layers) == 4 + 4 + 1
    assert Plan.from_dict(plan.to_dict()) == plan
    assert chosen.replay(plan, images).shape == (200, 16, 16, 1)


def test_a_choice_for_the_batch_has_the_size_of_what_was_chosen() -> None:
    chosen = OneOf([Mosaic(output_size=(16, 16)), MixUp(), CutMix()], weights=[0.4, 0.3, 0.1], per="batch")
    sizes = {draw(chosen, (8, 10), seed=seed).output_shape for seed in range(40)}
    assert sizes == {(16, 16), (8, 10)}
    assert draw(chosen, (8, 10), size=0).output_shape == (8, 10)


BAD = {
    "no axis": (lambda: Mosaic(output_size=()), ParameterError, "'output_size'"),
    "one number": (lambda: Mosaic(output_size=640), ParameterError, "'output_size'"),
    "nothing": (lambda: Mosaic(output_size=(0, 8)), ParameterError, "'output_size'"),
    "fractions": (lambda: Mosaic(output_size=(8.5, 8)), ParameterError, "'output_size'"),
    "no fill": (lambda: Mosaic(output_size=(8, 8), fill=None), ParameterError, "'fill'"),
    "no finite fill": (lambda: Mosaic(output_size=(8, 8), fill=np.inf), ParameterError, "'fill'"),
    "in place": (lambda: Mosaic(output_size=(8, 8), inplace=True), ParameterError, "inplace=False"),
    "contained in place": (lambda: Mosaic(fit="contain", inplace=True), ParameterError, "inplace=False"),
    "originals": (lambda: Mosaic(output_size=(8, 8), keep_originals=True), ParameterError, "size of the originals"),
    "a choice": (lambda: OneOf([Mosaic(output_size=(8, 8)), MixUp()]), ParameterError, "per='batch'"),
    "a choice of sizes": (
        lambda: OneOf([Mosaic(output_size=(8, 8)), Mosaic(output_size=(8, 9))]),
        ParameterError,
        "one output_size and fill",
    ),
    "a choice in place": (
        lambda: OneOf([Mosaic(output_size=(8, 8)), MixUp()], per="batch", inplace=True),
        ParameterError,
        "inplace=False",
    ),
    "other axes": (lambda: Mosaic(output_size=(8,))(np.zeros((4, 5, 5, 3))), InputError, "2 lengths, one a mixed axis"),
    "empty samples": (lambda: Mosaic(fit="contain")(np.zeros((4, 0, 5, 3))), InputError, "at least one cell"),
    "ids": (lambda: Mosaic(output_size=(8, 8))(np.zeros((4, 5, 5, 3), np.int64)), InputError, "cannot be blended"),
    "a fill": (lambda: Mosaic(output_size=(8, 8), fill=-1)(np.zeros((4, 5, 5, 3), np.uint8)), InputError, "fill -1"),
}


@pytest.mark.parametrize(("make", "error", "match"), BAD.values(), ids=BAD)
def test_what_is_refused(make: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        make()


def test_originals_come_with_contained_samples_of_their_size() -> None:
    images = np.random.default_rng(0).random((4, 8, 10, 3))
    out, labels = Mosaic(fit="contain", keep_originals=True, num_classes=4, seed=0)(images, np.arange(4))
    assert out.shape == (8, 8, 10, 3)
    np.testing.assert_array_equal(out[:4], images)
    np.testing.assert_allclose(labels.sum(axis=1), 1, atol=1e-6)


def test_new_options_are_written_only_where_they_are_used() -> None:
    written = mixtransforms.to_json(Mosaic(fit="resize"))
    assert "output_size" not in written
    assert "fill" not in written
    mix = Mosaic(3, fit="contain", output_size=[12, 20], fill=114)
    assert mix.output_size == (12, 20)
    assert repr(mixtransforms.from_json(mixtransforms.to_json(mix))) == repr(mix)
    assert repr(mix) == "Mosaic(grid=3, fit='contain', output_size=(12, 20), fill=114.0)"


def test_the_map_of_what_is_replaced_is_that_of_the_pixels() -> None:
    """Counted on images of one colour a sample, painted by the very plans; the canvas is nobody's."""
    method, spec = Mosaic(fit="contain", output_size=(9, 14), p=0.8).method, BatchSpec(8, (5, 6))
    replaced, plans = np.zeros((9, 14)), 0
    for plan in statistics.drawn_plans(method, spec, 0, "here"):
        owner, itself = owners(plan), np.arange(8)[:, None, None]
        replaced += ((owner >= 0) & (owner != itself)).mean(axis=0)
        plans += 1
    found = statistics.coverage_map(method, spec, 0, "here")
    np.testing.assert_allclose(found.replaced, replaced / plans, atol=1e-9)
    assert 0.1 < found.replaced.mean() < 0.9


def test_no_map_of_results_of_several_sizes() -> None:
    chosen = OneOf([Mosaic(output_size=(9, 14)), MixUp()], per="batch").method
    with pytest.raises(InputError, match=r"show.coverage\): got results of"):
        statistics.coverage_map(chosen, BatchSpec(8, (5, 6)), 0, "show.coverage")
