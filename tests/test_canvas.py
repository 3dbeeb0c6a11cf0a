"""Plans on a canvas: results of another size than the samples, and a fill that is nobody's."""

import json
import tracemalloc
from typing import Any

import numpy as np
import pytest
import torch

from mixtransforms import BatchSpec, Boxes, Canvas, InputError, Layer, Mask, MixUp, Plan, PlanError, SemanticMask
from mixtransforms.core.compositing import all_contributions
from mixtransforms.kernels import tensor_painter
from mixtransforms.kernels.paint import paint
from mixtransforms.torchvision import functional

LAYOUTS = {1: "BTC", 2: "BHWC", 3: "BDHWC"}


def some_boxes(rng: np.random.Generator, count: int, shape: tuple[int, ...]) -> Boxes:
    """Boxes of at least one cell."""
    start = np.stack([rng.integers(0, length, count) for length in shape], axis=1)
    sides = np.stack([rng.integers(1, length - start[:, a] + 1) for a, length in enumerate(shape)], axis=1)
    return Boxes(start, start + sides)


def some_plan(seed: int, *, masks: bool = False, soft: bool = False, same: bool = False, fill: float = 7) -> Plan:
    """A plan of three layers on a canvas, with boxes or masks; some of its samples may be in no layer.

    With ``same``, all are painted on, from crops as large as their frames.
    """
    rng = np.random.default_rng(seed)
    axes, size = int(rng.integers(1, 4)), int(rng.choice([1, 2, 5]))
    shape, out = (tuple(rng.integers(1, most, axes).tolist()) for most in (9, 12))
    layers = []
    for number in range(3):
        rows = np.flatnonzero(rng.random(size) < (2 if same else 0.7))
        count = len(rows)
        region: Any = some_boxes(rng, count, out)
        if soft or (masks and number == 1):
            region = Mask(rng.random((count, *out)) if soft else rng.random((count, *out)) < 0.6)
        opacity = rng.choice([0.25, 1.0], count) if number == 2 else np.ones(count)
        flip = rng.random((count, axes)) < 0.5 if number == 1 else None
        crop = some_boxes(rng, count, shape)
        if same:
            sides = np.minimum(crop.sides, region.sides)
            region, crop = (Boxes(boxes.start, boxes.start + sides) for boxes in (region, crop))
        layers.append(Layer(rows, rng.integers(0, size, count), opacity, region, crop, flip=flip))
    try:
        return Plan(BatchSpec(size, shape), tuple(layers), canvas=Canvas(out, fill))
    except PlanError:  # nothing of some sample is shown
        return some_plan(seed + 1000, masks=masks, soft=soft, same=same, fill=fill)


REGIONS = {"boxes": {}, "masks": {"masks": True}, "soft masks": {"soft": True}}
SEEDS = range(25)


# ---------------------------------------------------------------------------------------------- pixels and shares


@pytest.mark.parametrize("regions", REGIONS)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_canvas_is_painted_cell_by_cell(seed: int, regions: str) -> None:
    """Against loops over cells, of crops that are as large as their frames or shown by nearest cells."""
    plan = some_plan(seed, **REGIONS[regions])
    shape, out = plan.spec.shape, plan.output_shape
    rng = np.random.default_rng(seed)
    images = rng.random((plan.size, *shape))
    wanted = np.full((plan.size, *out), 7.0)
    for layer in plan.layers:
        for n, (row, source) in enumerate(zip(layer.rows, layer.source, strict=True)):
            frame = layer.frame(out)
            for cell in np.ndindex(*out):
                inside = all(a <= c < b for a, b, c in zip(frame.start[n], frame.stop[n], cell, strict=True))
                if not inside:
                    continue
                place = []
                for axis, at in enumerate(cell):
                    first, last = layer.crop.start[n, axis], layer.crop.stop[n, axis]
                    side = frame.sides[n, axis]
                    step = (2 * (at - frame.start[n, axis]) + 1) * (last - first) // (2 * side)
                    mirrored = layer.flip is not None and layer.flip[n, axis]
                    place.append(last - 1 - step if mirrored else first + step)
                weight = layer.field(out)[n][cell]
                wanted[row][cell] = (1 - weight) * wanted[row][cell] + weight * images[source][tuple(place)]
    axes = range(1, 1 + len(shape))
    for given in (images, torch.from_numpy(images)):
        painted = np.asarray(paint(plan, given, axes, ids=True))
        np.testing.assert_allclose(painted, wanted, atol=1e-12)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float16", "float32", "float64"])
@pytest.mark.parametrize("regions", REGIONS)
@pytest.mark.parametrize("seed", range(6))
def test_both_back_ends_paint_alike(seed: int, regions: str, dtype: str) -> None:
    plan = some_plan(seed, **REGIONS[regions])
    layout = LAYOUTS[len(plan.spec.shape)]
    images = (np.random.default_rng(seed).random((plan.size, *plan.spec.shape, 3)) * 200).astype(dtype)
    first = plan.apply(images, layout)
    assert first.shape == (plan.size, *plan.output_shape, 3)
    assert first.dtype == dtype
    tensor = torch.from_numpy(np.moveaxis(images, -1, 1).copy())
    second = plan.apply(tensor)
    third = tensor_painter.paint(tensor, plan.tensors(), range(2, tensor.ndim))
    np.testing.assert_array_equal(np.moveaxis(first, -1, 1), second)
    assert third.dtype == tensor.dtype
    assert torch.equal(third, second)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float8_e4m3fn, torch.uint16])
def test_dtypes_that_numpy_has_not(dtype: torch.dtype) -> None:
    plan = some_plan(3)
    shape = (plan.size, 1, *plan.spec.shape)
    images = torch.from_numpy(np.random.default_rng(0).integers(0, 8, shape).astype(np.float32)).to(dtype)
    painted = plan.apply(images)
    assert painted.dtype == dtype
    wanted = plan.apply(images.double())
    assert float((painted.double() - wanted).abs().max()) <= 0.5


def test_gradients_flow_through_what_is_shown() -> None:
    plan = some_plan(4)
    images = torch.zeros(plan.size, 1, *plan.spec.shape, dtype=torch.float64, requires_grad=True)
    plan.apply(images).sum().backward()
    ones = np.ones((plan.size, 1, *plan.spec.shape))
    seen = Plan(plan.spec, plan.layers, canvas=Canvas(plan.output_shape, 0)).apply(ones, "channels_first").sum()
    assert float(images.grad.sum()) == pytest.approx(seen)


@pytest.mark.parametrize("regions", REGIONS)
@pytest.mark.parametrize("seed", SEEDS)
def test_shares_are_those_of_what_shows_somebody(seed: int, regions: str) -> None:
    """Counted on images of one colour a sample: the fill has none of them."""
    plan = some_plan(seed, fill=0, **REGIONS[regions])
    size, shape = plan.size, plan.spec.shape
    colours = np.zeros((size, *shape, size))
    for sample in range(size):
        colours[sample, ..., sample] = 1.0
    counted = plan.apply(colours, LAYOUTS[len(shape)]).reshape(size, -1, size).sum(axis=1)
    counted /= counted.sum(axis=1, keepdims=True)
    share = np.zeros((size, size))
    np.add.at(share, (np.arange(size)[:, None], plan.sources), plan.share)
    np.testing.assert_allclose(share, counted, atol=1e-12)
    np.testing.assert_allclose(plan.share.sum(axis=1), 1.0, atol=1e-12)
    assert (plan.sources[:, 0] == np.arange(size)).all()
    np.testing.assert_array_equal(plan.mixed, (counted * (1 - np.eye(size))).sum(axis=1) > 0)
    seen = np.zeros((size, size))
    for part in all_contributions(size, plan.output_shape, plan.layers, True):
        assert part.moved.all()
        np.add.at(seen, (part.row, part.source), 1)
    assert ((seen > 0) == (counted > 0)).all()


# -------------------------------------------------------------------------------------------------- who is in no layer


@pytest.mark.parametrize(
    ("shape", "out", "box"),
    [
        ((4, 8), (8, 8), [[2, 0], [6, 8]]),
        ((8, 4), (9, 9), [[0, 2], [9, 7]]),  # 4.5 columns are 5
        ((5, 5), (3, 9), [[0, 3], [3, 6]]),
        ((1, 100), (10, 10), [[4, 0], [5, 10]]),  # no side is less than a cell
        ((6,), (4,), [[0], [4]]),
        ((2, 4, 6), (5, 5, 6), [[1, 0, 0], [3, 4, 6]]),
    ],
    ids=str,
)
def test_who_is_in_no_layer_is_shown_whole(shape: tuple[int, ...], out: tuple[int, ...], box: Any) -> None:
    plan = Plan(BatchSpec(2, shape), canvas=Canvas(out))
    (layer,) = plan.layers
    assert layer.rows.tolist() == layer.source.tolist() == [0, 1]
    assert [layer.region.start[0].tolist(), layer.region.stop[0].tolist()] == box
    assert layer.crop == Boxes.full(2, shape)
    assert not plan.mixed.any()
    assert plan.partner.tolist() == [0, 1]
    assert plan.weight.tolist() == [1.0, 1.0]
    assert Plan.from_dict(plan.to_dict()) == plan


@pytest.mark.parametrize("seed", SEEDS)
def test_a_part_of_a_plan_shows_the_others_whole(seed: int) -> None:
    plan = some_plan(seed)
    keep = np.random.default_rng(seed).random(plan.size) < 0.5
    part = plan.where(keep)
    whole = Plan(plan.spec, canvas=plan.canvas)
    images = np.random.default_rng(0).random((plan.size, *plan.spec.shape, 1))
    layout = LAYOUTS[len(plan.spec.shape)]
    results = [each.apply(images, layout) for each in (part, plan, whole)]
    np.testing.assert_array_equal(results[0][keep], results[1][keep])
    np.testing.assert_array_equal(results[0][~keep], results[2][~keep])
    assert not part.mixed[~keep].any()


def test_of_one_partner_beside_the_sample_itself_labels_are_pairs() -> None:
    full = Boxes.full(2, (4, 4))
    left, right = Boxes([[0, 0]] * 2, [[4, 4]] * 2), Boxes([[0, 4]] * 2, [[4, 6]] * 2)
    layers = (Layer([0, 1], [0, 1], [1, 1], left, full), Layer([0, 1], [1, 0], [1, 1], right, full))
    plan = Plan(BatchSpec(2, (4, 4)), layers, canvas=Canvas((5, 6)))
    assert plan.partner.tolist() == [1, 0]
    np.testing.assert_allclose(plan.weight, 2 / 3)
    images, labels = np.zeros((2, 4, 4, 1)), np.array([0, 1])
    out, (own, partner, weight) = MixUp(labels="pair").replay(plan, images, labels)
    assert out.shape == (2, 5, 6, 1)
    assert (own.tolist(), partner.tolist()) == ([0, 1], [1, 0])
    np.testing.assert_allclose(weight, 2 / 3)


def test_shares_may_be_declared() -> None:
    full = Boxes.full(2, (4, 4))
    layers = (Layer([0, 1], [1, 0], [1, 1], Boxes([[0, 0]] * 2, [[2, 2]] * 2), full),)
    plan = Plan(BatchSpec(2, (4, 4)), layers, np.array([[0.5, 0.5]] * 2), canvas=Canvas((3, 3)))
    kept = plan.where(np.array([True, False]))
    assert kept.target_share.tolist() == [[0.5, 0.5], [1, 0]]
    assert plan.measured.target_share.tolist() == [[0, 1]] * 2
    assert plan.measured.canvas == plan.canvas
    assert Plan.from_dict(plan.to_dict()) == plan


# -------------------------------------------------------------------------------------------------- another grid


@pytest.mark.parametrize("seed", SEEDS)
def test_a_plan_on_a_grid_of_more_cells_shows_the_same(seed: int) -> None:
    plan = some_plan(seed, same=True)
    shape, axes = plan.spec.shape, range(1, 1 + len(plan.spec.shape))
    finer = plan.on(tuple(3 * length for length in shape))
    assert finer.output_shape == tuple(3 * length for length in plan.output_shape)
    assert finer.canvas.fill == 7
    np.testing.assert_array_equal(finer.target_share, plan.target_share)
    images = np.random.default_rng(seed).random((plan.size, *shape))
    large = images
    for axis in axes:
        large = large.repeat(3, axis)
    wanted = np.asarray(paint(plan, images, axes, ids=True))
    for axis in axes:
        wanted = wanted.repeat(3, axis)
    np.testing.assert_allclose(paint(finer, large, axes, ids=True), wanted, atol=1e-12)


# -------------------------------------------------------------------------------------------------- dicts


def test_only_dicts_with_a_canvas_say_so() -> None:
    plan = some_plan(0)
    data = json.loads(json.dumps(plan.to_dict()))
    assert data["plan_version"] == 2
    assert data["canvas"] == {"shape": list(plan.output_shape), "fill": 7.0}
    assert Plan.from_dict(data) == plan
    plain = Plan(BatchSpec(2, (4, 4))).to_dict()
    assert "canvas" not in plain
    assert "plan_version" not in plain
    assert Plan.from_dict(data) != Plan.from_dict({**data, "canvas": {**data["canvas"], "fill": 8}})


FULL = {"start": [[0, 0]], "stop": [[2, 2]]}
LAYER = {"rows": [0], "source": [0], "opacity": [1.0], "boxes": FULL, "crop": FULL}
GOOD = {"plan_version": 2, "size": 1, "shape": [2, 2], "layers": [LAYER], "canvas": {"shape": [3, 3], "fill": 0}}
HOSTILE: dict[str, dict[str, Any]] = {
    "no shape": {"canvas": {"fill": 0}},
    "more": {"canvas": {"shape": [3, 3], "fill": 0, "colour": 1}},
    "a number": {"canvas": 3},
    "text": {"canvas": {"shape": "33", "fill": 0}},
    "fractions": {"canvas": {"shape": [3.5, 3], "fill": 0}},
    "bools": {"canvas": {"shape": [True, True], "fill": 0}},
    "nothing": {"canvas": {"shape": [0, 3], "fill": 0}},
    "negative": {"canvas": {"shape": [-3, 3], "fill": 0}},
    "other axes": {"canvas": {"shape": [3], "fill": 0}},
    "a fill of text": {"canvas": {"shape": [3, 3], "fill": "0"}},
    "no number": {"canvas": {"shape": [3, 3], "fill": float("nan")}},
    "infinite": {"canvas": {"shape": [3, 3], "fill": float("inf")}},
    "too large a fill": {"canvas": {"shape": [3, 3], "fill": 10**400}},
    "uncountable": {"canvas": {"shape": [2**40, 2**40], "fill": 0}},
    "version 1": {"plan_version": 1},
    "samples in no layer": {"size": 2**24, "layers": []},
    "some samples in no layer": {"size": 2},
    "outside of the canvas": {"layers": [{**LAYER, "boxes": {"start": [[0, 0]], "stop": [[4, 3]]}}]},
    "outside of the source": {"layers": [{**LAYER, "crop": {"start": [[0, 0]], "stop": [[3, 3]]}}]},
    "no crop": {"layers": [{name: value for name, value in LAYER.items() if name != "crop"}]},
    "nothing shown": {"layers": [{**LAYER, "opacity": [0.0]}]},
    "an empty box": {"layers": [{**LAYER, "boxes": {"start": [[0, 0]], "stop": [[0, 3]]}}]},
    "a large mask": {
        "canvas": {"shape": [1 << 15, 1 << 15], "fill": 0},
        "layers": [{**{k: v for k, v in LAYER.items() if k != "boxes"}, "packed": {"shape": [1], "bits": "AAAA"}}],
    },
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE)
def test_dicts_that_no_plan_has_written(change: dict[str, Any]) -> None:
    assert Plan.from_dict(GOOD).output_shape == (3, 3)
    tracemalloc.start()
    with pytest.raises(PlanError, match=r".+"):
        Plan.from_dict({**GOOD, **change})
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 4e6


def test_a_large_canvas_takes_no_memory_until_it_is_painted() -> None:
    tracemalloc.start()
    plan = Plan.from_dict({**GOOD, "canvas": {"shape": [1 << 15, 1 << 15], "fill": 0}})
    assert plan.share.tolist() == [[1.0]]
    assert repr(plan) == "Plan(size=1, shape=(2, 2), canvas=(32768, 32768), layers=1, mixed=0)"
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 1e6


# -------------------------------------------------------------------------------------------------- what is refused


def whole(size: int = 2, shape: tuple[int, ...] = (4, 4), out: tuple[int, ...] = (6, 6), fill: float = 0) -> Plan:
    return Plan(BatchSpec(size, shape), canvas=Canvas(out, fill))


BAD = {
    "no lengths": (lambda: Canvas(()), PlanError, "Not a canvas"),
    "one length": (lambda: Canvas(8), PlanError, "Not a canvas"),
    "a dict": (lambda: Plan(BatchSpec(2, (4, 4)), canvas={"shape": (8, 8)}), PlanError, "No canvas for these samples"),
    "a table": (lambda: Plan(BatchSpec(2, ()), canvas=Canvas((8,))), PlanError, "No canvas for these samples"),
    "empty samples": (lambda: whole(shape=(0, 4)), PlanError, "samples of at least one cell"),
    "a fill out of range": (lambda: whole(fill=300).apply(np.zeros((2, 4, 4, 3), np.uint8)), InputError, "fill 300"),
    "half a level": (lambda: whole(fill=0.5).apply(np.zeros((2, 4, 4, 3), np.uint8)), InputError, "a whole number"),
    "a fill beyond halves": (
        lambda: whole(fill=1e6).apply(np.zeros((2, 4, 4, 3), np.float16)),
        InputError,
        "within .-65504, 65504",
    ),
    "in place": (lambda: MixUp(inplace=True).replay(whole(), np.zeros((2, 4, 4, 3))), InputError, "inplace=False"),
    "originals": (
        lambda: MixUp(keep_originals=True).replay(whole(), np.zeros((2, 4, 4, 3))),
        PlanError,
        "two sizes",
    ),
    "ids of tokens": (lambda: whole().apply(np.zeros((2, 4, 4, 3), np.int64)), InputError, "cannot be blended"),
    "an ignored id that bytes have not": (
        lambda: MixUp(ignore_index=-1, masks="dominant").replay(
            whole(), {"image": np.zeros((2, 4, 4, 3)), "mask": np.zeros((2, 4, 4), np.uint8)}
        ),
        InputError,
        "fill -1, dtype uint8",
    ),
    "masks at a stride": (
        lambda: MixUp(masks="dominant").replay(
            whole(out=(6, 7)), {"image": np.zeros((2, 4, 4, 3)), "mask": np.zeros((2, 2, 2), np.uint8)}
        ),
        PlanError,
        "no whole number of cells",
    ),
    "a fill in a graph": (
        lambda: functional.mix(torch.zeros(2, 3, 4, 4, dtype=torch.uint8), whole(fill=-1).tensors()),
        InputError,
        "fill -1",
    ),
}


@pytest.mark.parametrize(("make", "error", "match"), BAD.values(), ids=BAD)
def test_what_is_refused(make: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        make()


def test_ways_out() -> None:
    bytes_of = np.zeros((2, 4, 4, 3), np.uint8)
    assert whole(out=(6, 10), fill=255).apply(bytes_of).max() == 255
    batch = {"image": bytes_of, "mask": np.zeros((2, 2, 2), np.int16)}
    assert MixUp(masks="dominant", ignore_index=-1).replay(whole(out=(6, 10)), batch)["mask"].min() == -1
    rounded = MixUp(masks="dominant", kinds={"mask": SemanticMask(any_size=True)}).replay(whole(out=(6, 7)), batch)
    assert rounded["mask"].shape == (2, 3, 4)
    same = MixUp(keep_originals=True).replay(whole(out=(4, 4)), bytes_of)
    assert same.shape == (4, 4, 4, 3)


# -------------------------------------------------------------------------------------------------- targets


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_label_maps_have_the_ignored_id_where_nobody_is_shown(backend: str) -> None:
    ids = np.full((2, 4, 8), 3)
    batch: dict[str, Any] = {"image": np.zeros((2, 4, 8, 1)), "mask": ids, "pixel_mask": np.ones((2, 4, 8), np.int64)}
    if backend == "torch":
        batch = {name: torch.from_numpy(value) for name, value in batch.items()}
        batch["image"] = batch["image"].movedim(-1, 1)
    plan = Plan(BatchSpec(2, (4, 8)), canvas=Canvas((8, 8)))
    shown = np.zeros((8, 8), bool)
    shown[2:6] = True
    for ignored, filled in ((None, 0), (255, 255)):
        mix = MixUp(masks="dominant", ignore_index=ignored)
        out = mix.replay(plan, batch)
        for sample in range(2):
            np.testing.assert_array_equal(out["mask"][sample], np.where(shown, 3, filled))
            np.testing.assert_array_equal(out["pixel_mask"][sample], shown)
        soft = np.asarray(
            MixUp(masks="soft", num_classes=5, ignore_index=ignored, kinds={"mask": SemanticMask(5)}).replay(
                plan, {**batch, "label": batch["mask"][:, 0, 0]}
            )["mask"]
        )
        maps = np.moveaxis(soft, -1 if backend == "numpy" else 1, 1)
        np.testing.assert_array_equal(maps[0, 3], shown)
        np.testing.assert_array_equal(maps[0, 0], ~shown & (ignored is None))
        np.testing.assert_array_equal(maps.sum(axis=1)[0], shown | (ignored is None))


def test_a_blend_over_a_canvas_is_told_by_pairs_and_maps() -> None:
    """Half of a sample over nothing: half of its ids, and half of the ignored one."""
    full = Boxes.full(1, (2, 2))
    plan = Plan(BatchSpec(1, (2, 2)), (Layer([0], [0], [0.5], full, full),), canvas=Canvas((3, 2), 9))
    batch = {"image": np.full((1, 2, 2, 1), 5.0), "mask": np.full((1, 2, 2), 2)}
    out = MixUp(ignore_index=255).replay(plan, batch)
    np.testing.assert_array_equal(out["image"][0, ..., 0], [[7, 7], [7, 7], [9, 9]])
    assert (out["mask"] == 255).all()
    np.testing.assert_array_equal(out["mask_partner"][0], [[2, 2], [2, 2], [255, 255]])
    assert out["mask_weight"].tolist() == [0.5]
    assert plan.share.tolist() == [[1.0]]


@pytest.mark.parametrize("out", [(6, 5), (3, 2)], ids=str)
def test_a_source_that_keeps_its_place_is_still_on_a_canvas(out: tuple[int, int]) -> None:
    """A crop at the same place as its frame: pixels, and instances as large as their images."""
    sides = np.minimum(out, (4, 4))
    box = Boxes([[0, 0]], [sides])
    plan = Plan(BatchSpec(1, (4, 4)), (Layer([0], [0], [1.0], box, box),), canvas=Canvas(out, 99))
    image = np.arange(16.0).reshape(1, 4, 4)
    wanted = np.full((1, *out), 99.0)
    wanted[0, : sides[0], : sides[1]] = image[0, : sides[0], : sides[1]]
    np.testing.assert_array_equal(plan.apply(image, "BHW"), wanted)
    tensor = torch.from_numpy(image)[:, None]
    np.testing.assert_array_equal(tensor_painter.paint(tensor, plan.tensors(), (2, 3))[:, 0], wanted)
    batch = {
        "image": image[..., None],
        "boxes": [np.array([[0.0, 0, 4, 4]])],
        "masks": [image % 3 == 0],
    }
    told = MixUp().replay(plan, batch)
    np.testing.assert_array_equal(told["masks"][0][0], (wanted[0] != 99) & (wanted[0] % 3 == 0))
