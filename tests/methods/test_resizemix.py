"""ResizeMix: the whole partner is there, shrunk; labels are its area, and its objects are where its pixels are."""

import math
from typing import Any

import numpy as np
import oracles
import pytest
from forms import painted_by
from painted import bounds
from scipy import stats

from mixtransforms import BatchSpec, BoxRules, CutMix, InputError, MixUp, OneOf, ParameterError, Plan, Ramp, ResizeMix
from mixtransforms.files import from_dict, to_dict
from mixtransforms.laws import Beta, Constant, Uniform

SHAPES = [(8, 8), (7, 5), (33, 31), (1, 9), (16, 32), (12,), (6, 9, 10), (2, 3), (1, 1)]
SIZES = [0, 1, 2, 5]
LAYOUTS = {1: "BT", 2: "BHW", 3: "BDHW"}


def draw(method: Any, shape: tuple[int, ...], size: int = 5, seed: int = 0) -> Plan:
    plan = method.method.draw(BatchSpec(size, shape), np.random.default_rng(seed))
    Plan(plan.spec, plan.layers)  # which checks that layers fit
    return plan


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("placement", ["inside", "squeeze"])
@pytest.mark.parametrize("scale", [Uniform(0.1, 0.8), Constant(0.0), Constant(0.31), Constant(1.0)], ids=repr)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_one_box_has_one_owner_and_labels_are_its_area(
    shape: tuple[int, ...], scale: Any, placement: str, size: int
) -> None:
    """Images are their own number, which no resize changes: pixels say whose they are."""
    numbers = np.arange(size, dtype=np.float64).reshape(-1, *[1] * len(shape))
    for seed in range(3):
        plan = draw(ResizeMix(scale, placement=placement), shape, size, seed)
        found = plan.apply(np.broadcast_to(numbers, (size, *shape)).copy(), LAYOUTS[len(shape)])
        for row in range(size):
            for source, share in zip(plan.sources[row], plan.share[row], strict=True):
                if share:
                    assert math.isclose((found[row] == source).mean(), share, abs_tol=1e-12)
            assert set(np.unique(found[row])) <= set(plan.sources[row])
        for layer in plan.layers:
            assert (layer.opacity == 1).all()
            assert (layer.crop.start == 0).all()
            assert (layer.crop.stop == shape).all()
            assert (layer.region.sides >= 1).all()


@pytest.mark.parametrize("shape", [(8, 8), (5, 30), (1, 9), (224, 160), (17,)], ids=str)
@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.25, 0.5, 0.77, 0.999, 1.0])
def test_sides_are_rounded_down_and_never_nothing(fraction: float, shape: tuple[int, ...]) -> None:
    layer = draw(ResizeMix(Constant(fraction)), shape).layers[0]
    assert (layer.region.sides == [max(1, math.floor(fraction * length)) for length in shape]).all()


def test_ten_thousand_small_samples() -> None:
    """Where public code crashes: a side of less than one pixel."""
    layer = draw(ResizeMix(), (8, 8), 10_000).layers[0]
    assert layer.region.sides.min() == 1
    assert layer.region.sides.max() == 6
    assert (layer.region.sides[:, 0] == layer.region.sides[:, 1]).all()


def test_shares_follow_their_law() -> None:
    """The mean of tau squared over (0.1, 0.8) is 0.2433, and of every side the law is uniform; seeded."""
    count, side = 20_000, 4096
    plan = draw(ResizeMix(), (side, side), count)
    partner = 1 - plan.weight
    assert abs(partner.mean() - (0.8**3 - 0.1**3) / 2.1) < 4 * partner.std() / math.sqrt(count) + 1 / side
    assert stats.kstest(plan.layers[0].region.sides[:, 0] / side, stats.uniform(0.1, 0.7).cdf).statistic < 0.015


def test_a_squeezed_partner_is_what_is_left_of_a_clipped_box() -> None:
    """By the sum over all places of the centre, for every side that is drawn; the mean is near 0.176."""
    length, count = 64, 20_000
    plan = draw(ResizeMix(placement="squeeze"), (length, length), count)
    sides = np.floor(np.linspace(0.1, 0.8, 20_001) * length)

    def seen(side: float) -> float:
        starts = np.arange(length) - side // 2
        return float((np.minimum(starts + side, length) - np.maximum(starts, 0)).mean() / length)

    known = {side: seen(side) ** 2 for side in np.unique(sides)}
    expected = np.mean([known[side] for side in sides])
    partner = 1 - plan.weight
    assert abs(partner.mean() - expected) < 4 * partner.std() / math.sqrt(count)
    assert abs(expected - 0.176) < 0.01
    box = plan.layers[0].region
    assert (box.sides[:, 0] != box.sides[:, 1]).any()


def test_every_place_is_equally_likely() -> None:
    """A chi-square test over the 36 places of a box of 3 x 4 in 8 x 9, at one false alarm in a thousand."""
    plan = draw(ResizeMix(Constant(0.45)), (8, 9), 20_000)
    start = plan.layers[0].region.start
    assert (plan.layers[0].region.sides == [3, 4]).all()
    counts = np.zeros((6, 6))
    np.add.at(counts, tuple(start.T), 1)
    assert stats.chisquare(counts.ravel()).pvalue > 1e-3


def test_one_draw_serves_whoever_shares_it() -> None:
    batch = draw(ResizeMix(per="batch"), (32, 30), 6).layers[0].region
    assert (batch.start == batch.start[0]).all()
    assert (batch.stop == batch.stop[0]).all()
    pair = draw(ResizeMix(per="pair"), (32, 30), 6)
    box = pair.layers[0].region
    for row in range(6):
        assert (box.start[row] == box.start[pair.partner[row]]).all()
        assert (box.stop[row] == box.stop[pair.partner[row]]).all()


def test_draws_of_other_methods_have_not_moved() -> None:
    """What both draw first is the same: partners and gate."""
    for per in ("sample", "pair", "batch"):
        resized, cut = (
            cls(per=per, p=0.5).method.draw(BatchSpec(7, (8, 8)), np.random.default_rng(3))
            for cls in (ResizeMix, CutMix)
        )
        assert (resized.layers[0].rows == cut.layers[0].rows).all()
        assert (resized.layers[0].source == cut.layers[0].source).all()


def test_the_scale_may_change_over_epochs() -> None:
    mix = ResizeMix(Uniform(Ramp(0.1, 0.5, 0, 4), Ramp(0.2, 0.5, 0, 4)), seed=0)
    assert mix.method.moves
    for epoch, low, high in ((0, 10, 20), (2, 30, 35), (4, 50, 50), (9, 50, 50)):
        layer = mix.method.at(epoch).draw(BatchSpec(500, (100, 100)), np.random.default_rng(0)).layers[0]
        assert (layer.region.sides.min(), layer.region.sides.max()) in {(low, high), (low, high - 1)}
    assert from_dict(to_dict(mix)).method == mix.method


# ------------------------------------------------------------------------------------------ pixels


@pytest.mark.parametrize("backend", ["numpy", "rows", "tensors"])
@pytest.mark.parametrize("shape", [(32, 32), (37, 61), (224, 160), (9, 5)], ids=str)
def test_the_patch_is_torchs_antialiased_one(shape: tuple[int, int], backend: str) -> None:
    """Within one level of 256, on both backends, in both layouts; whatever else there is stays as it was."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    images = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (5, 3, *shape), np.uint8))
    plan = draw(ResizeMix(), shape)
    if backend == "numpy":
        mixed = torch.from_numpy(plan.apply(images.permute(0, 2, 3, 1).numpy())).permute(0, 3, 1, 2)
    else:
        with painted_by(backend):
            mixed = plan.apply(images)
    box = plan.layers[0].region
    for row, partner in enumerate(plan.partner.tolist()):
        place = (slice(None), *box.slices(row))
        partners = images[partner]
        sides = box.sides[row].tolist()
        # Of bytes: of floats, torch 2.14 repeats the first row where the result is one pixel wide.
        theirs = torch.nn.functional.interpolate(partners[None], sides, mode="bilinear", antialias=True)[0]
        assert (mixed[row][place].int() - theirs.int()).abs().max() <= 1
        exact = oracles.resize(partners.permute(1, 2, 0).double().numpy(), *sides)
        off = np.abs(mixed[row][place].permute(1, 2, 0).numpy() - exact).max()
        assert off <= 0.51  # half a level, and weights of 16 bits
        rest = torch.ones(images[row].shape, dtype=torch.bool)
        rest[place] = False
        assert (mixed[row] == images[row])[rest].all()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "uint16", "int16"])
def test_pixels_are_the_triangle_weighted_means(dtype: str) -> None:
    images = (np.random.default_rng(1).random((4, 21, 13, 2)) * 1000).astype(dtype)
    plan = draw(ResizeMix(), (21, 13), 4)
    mixed = plan.apply(images)
    assert mixed.dtype == images.dtype
    wanted = oracles.paint(plan, images.astype(np.float64))
    np.testing.assert_allclose(
        mixed, wanted, rtol=1e-3 if dtype == "float16" else 1e-6, atol=0.52 if "int" in dtype else 0.02
    )


def test_a_video_is_shrunk_in_the_axes_that_are_mixed() -> None:
    """Frames alone: every frame gets its own frame of the partner."""
    video = np.random.default_rng(2).random((3, 4, 2, 12, 10)).astype(np.float32)
    mix = ResizeMix(layout="BTCHW", axes="spatial", seed=3)
    plan = mix.plan(video)
    mixed = mix.replay(plan, video)
    for frame in range(4):
        own = np.moveaxis(video[:, frame], 1, -1).astype(np.float64)
        np.testing.assert_allclose(np.moveaxis(mixed[:, frame], 1, -1), oracles.paint(plan, own), atol=1e-4)
    cube = ResizeMix(layout="BTCHW", axes="cube", seed=3)
    assert cube.plan(video).spec.shape == (4, 12, 10)
    still = np.broadcast_to(np.arange(3, dtype=np.float32).reshape(3, 1, 1, 1, 1), video.shape).copy()
    assert set(np.unique(cube(still))) == {0.0, 1.0, 2.0}


def test_ids_are_copied_from_the_nearest_pixels() -> None:
    masks = np.random.default_rng(3).integers(0, 1000, (4, 19, 23))
    batch = {"image": np.zeros((4, 19, 23, 3), np.uint8), "mask": masks}
    mix = ResizeMix(seed=4)
    plan = mix.plan(batch)
    mixed = mix.replay(plan, batch)["mask"]
    box = plan.layers[0].region
    assert mixed.dtype == masks.dtype
    for row, partner in enumerate(plan.partner.tolist()):
        wanted = masks[row].copy()
        wanted[box.slices(row)] = oracles.nearest(masks[partner], box.sides[row].tolist())
        np.testing.assert_array_equal(mixed[row], wanted)


# ------------------------------------------------------------------------------------------ objects

CANVAS = (48, 40)


def objects(rng: np.random.Generator) -> dict[str, Any]:
    """Boxes, instances, points and ids; every object is a rectangle of its own number, and no two touch."""
    batch: dict[str, Any] = {name: [] for name in ("boxes", "masks", "keypoints", "labels")}
    batch["image"] = np.zeros((4, *CANVAS, 1), np.float32)
    for sample in range(4):
        corners, painted = [], []
        for number in range(4):
            top, left = 24 * (number // 2), 20 * (number % 2)
            start = np.array([top, left]) + rng.integers(1, 8, 2)
            stop = start + rng.integers(4, 11, 2)
            picture = np.zeros(CANVAS, np.uint8)
            picture[start[0] : stop[0], start[1] : stop[1]] = 1
            batch["image"][sample, picture > 0] = 1 + 4 * sample + number
            corners.append([*start[::-1], *stop[::-1]])
            painted.append(picture)
        box = np.array(corners, np.float64)
        batch["boxes"].append(box)
        batch["masks"].append(np.stack(painted))
        middle = (box[:, :2] + box[:, 2:]) / 2
        batch["keypoints"].append(
            np.concatenate([np.stack([box[:, :2] + 0.5, middle], 1), np.full((4, 2, 1), 2.0)], -1)
        )
        batch["labels"].append(1 + 4 * sample + np.arange(4))
    return batch


@pytest.mark.parametrize("placement", ["inside", "squeeze"])
def test_every_object_of_the_partner_comes_along(placement: str) -> None:
    """Its box and its points by the affine map of the whole picture into the patch."""
    rules = BoxRules(min_visibility=0, min_size=0, min_area=0)
    met = 0
    for seed in range(20):
        batch = objects(np.random.default_rng(seed))
        del batch["masks"]
        mix = ResizeMix(placement=placement, boxes=rules, seed=seed)
        plan = mix.plan(batch)
        out = mix.replay(plan, batch)
        box = plan.layers[0].region
        for row, partner in enumerate(plan.partner.tolist()):
            found = dict(
                zip(
                    out["labels"][row].tolist(), zip(out["boxes"][row], out["keypoints"][row], strict=True), strict=True
                )
            )
            scale, shift = box.sides[row][::-1] / CANVAS[::-1], box.start[row][::-1]
            for number, (corners, points) in zip(
                batch["labels"][partner].tolist(),
                zip(batch["boxes"][partner], batch["keypoints"][partner], strict=True),
                strict=True,
            ):
                seen, placed = found.pop(number)
                np.testing.assert_allclose(seen.reshape(2, 2), corners.reshape(2, 2) * scale + shift, atol=1e-5)
                np.testing.assert_allclose(placed[:, :2], points[:, :2] * scale + shift, atol=1e-5)
                assert (placed[:, 2] == 2).all()
                met += 1
            assert set(found) <= set(batch["labels"][row].tolist())
    assert met == 20 * 4 * 4


def test_objects_are_where_their_pixels_are() -> None:
    """Of the base, what is covered is gone, and instances are the pixels that ids of the same picture have."""
    rules = BoxRules(min_visibility=0, min_size=0, min_area=0)
    for seed in range(20):
        batch = objects(np.random.default_rng(seed))
        del batch["keypoints"]
        ids = batch["image"][..., 0].astype(np.int64)
        mix = ResizeMix(Uniform(0.3, 0.9), boxes=rules, seed=seed)
        plan = mix.plan(batch)
        out = mix.replay(plan, batch)
        painted = mix.replay(plan, {"image": batch["image"], "mask": ids})["mask"]
        for row in range(4):
            for number, mask, box in zip(out["labels"][row], out["masks"][row], out["boxes"][row], strict=True):
                np.testing.assert_array_equal(mask > 0, painted[row] == number)
                np.testing.assert_allclose(box, bounds((painted[row] == number)[None])[0], atol=1.0)
            assert set(np.unique(painted[row]).tolist()) - {0} == set(np.asarray(out["labels"][row]).tolist())


# ------------------------------------------------------------------------------------------ errors

BAD = {
    "a number": (lambda: ResizeMix(0.5), ParameterError, r"'scale' \(ResizeMix\): got 0.5; wanted a law such as"),
    "no law": (lambda: ResizeMix(None), ParameterError, r"'scale' \(ResizeMix\): got None; wanted a law such as"),
    "a law of files": (lambda: ResizeMix({"kind": "Normal"}), ParameterError, "wanted a law such as"),
    "a placement": (lambda: ResizeMix(placement="clip"), ParameterError, "wanted one of 'inside', 'squeeze'"),
    "a table": (
        lambda: ResizeMix(layout="BF")(np.zeros((4, 5))),
        InputError,
        "ResizeMix needs axes to cut .*Use MixUp",
    ),
    "ids": (
        lambda: ResizeMix(seed=0)(np.zeros((4, 8, 8, 3), np.int64)),
        InputError,
        r"cannot be blended .* got dtype int64.* paste with CutMix",
    ),
}


@pytest.mark.parametrize(("make", "error", "match"), BAD.values(), ids=BAD)
def test_what_cannot_be_shrunk_is_refused(make: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        make()


def test_it_is_one_choice_of_several() -> None:
    """Beside a blend, with labels that are the shares of what is seen."""
    images = oracles.provenance(6, (20, 24)).astype(np.float32)
    mix = OneOf([ResizeMix(Beta(2, 2)), MixUp(), CutMix()], num_classes=6, seed=1)
    for _ in range(5):
        mixed, labels = mix(images, np.arange(6))
        np.testing.assert_allclose(mixed.mean((1, 2)), labels, atol=1e-5)
