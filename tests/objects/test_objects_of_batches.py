"""Objects of whole batches: what all of them become together is what each of them becomes by itself."""

import warnings
from typing import Any

import numpy as np
import pytest
import tiers
from forms import memory
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from reference_objects import mixed, parts
from target_forms import content, leaves, read

from mixtransforms import BatchSpec, Boxes, BoxRules, DegenerateBoxWarning, Keypoints, Layer, Mask, MixUp, Plan
from mixtransforms.core.compositing import all_contributions
from mixtransforms.objects.box_formats import FORMATS, column_count, encode, is_rotated
from mixtransforms.objects.columns import column_of
from mixtransforms.objects.groups import Group
from mixtransforms.objects.parse import parse_annotations

CONTAINERS = ("numpy", "records", "torch", "typed", "lists")
TYPED = ("xyxy", "xywh", "cxcywh", "xywhr", "cxcywhr", "xyxyxyxy")
REGIONS = ("none", "boxes", "boxes", "boxes", "mask", "soft")

# ------------------------------------------------------------------------------------------ what is drawn


def boxes_in(rng: np.random.Generator, count: int, shape: tuple[int, ...], least: int) -> Boxes:
    start = np.stack([rng.integers(0, length, count) for length in shape], axis=1)
    return Boxes(start, np.minimum(start + rng.integers(least, np.array(shape) + 1, start.shape), shape))


@st.composite
def plans(draw: st.DrawFn, regions: tuple[str, ...] = REGIONS, most: int = 4) -> Plan:
    """Layers over each other on any of the samples; crops of any size, also where nothing is painted."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    size, shape = draw(st.integers(1, 5)), (draw(st.integers(1, 12)), draw(st.integers(1, 12)))
    layers = []
    for kind in draw(st.lists(st.sampled_from(regions), max_size=most)):
        rows = np.flatnonzero(rng.random(size) < 0.8)
        count = len(rows)
        region: Any = {
            "none": lambda n: None,
            "boxes": lambda n: boxes_in(rng, n, shape, 0),
            "mask": lambda n: Mask(rng.random((n, *shape)) < 0.6),
            "soft": lambda n: Mask(rng.random((n, *shape))),
        }[kind](count)
        crop = boxes_in(rng, count, shape, 1) if draw(st.integers(0, 3)) == 0 else None
        crop = region if kind == "boxes" and draw(st.integers(0, 7)) == 0 else crop
        opacity = rng.choice([0.0, 0.25, 0.6, 1.0, 1.0, 1.0], count)
        layers.append(Layer(rows, rng.integers(0, size, count), opacity, region, crop))
    try:
        return Plan(BatchSpec(size, shape), tuple(layers))
    except ValueError:  # nothing of a source is fitted into a box
        return Plan(BatchSpec(size, shape), tuple(layer for layer in layers if layer.crop is None))


@st.composite
def rules(draw: st.DrawFn, form: str | None = None) -> BoxRules:
    return BoxRules(
        min_visibility=draw(st.sampled_from([0.0, 0.1, 0.5])),
        min_size=draw(st.sampled_from([0.0, 1.0, 3.0])),
        min_area=draw(st.sampled_from([0.0, 1.0, 6.0])),
        occluded=draw(st.sampled_from(["shrink", "keep"])),
        weight=draw(st.sampled_from(["mix", "visibility", "ones"])),
        rotated=draw(st.sampled_from(["keep", "refit"])),
        format=form,
    )


def written(rng: np.random.Generator, count: int, form: str, shape: tuple[int, ...], degenerate: bool) -> Any:
    """Boxes that may reach beyond the image, on parts of pixels; some have no area, or no corners at all."""
    sides = np.array(shape[::-1])
    start = rng.integers(-8, 4 * sides, (count, 2)) / 4 + rng.choice([0.0, 0.1], (count, 1))
    size = rng.integers(1, 4 * sides + 4, (count, 2)) / 4
    if is_rotated(form):
        numbers = np.concatenate([start, size, rng.integers(-180, 181, (count, 1))], axis=1)
        return numbers if form != "xyxyxyxy" else encode(FORMATS["xywhr"].decode(numbers), form, (shape[0], shape[1]))
    if FORMATS[form].relative:  # more than twice the image is refused as pixels
        size = np.minimum(size, sides)
    size = np.where(degenerate & (rng.random((count, 1)) < 0.3), 0.0, size)
    values = encode(np.concatenate([start, start + size], axis=1), form, (shape[0], shape[1]))
    values[degenerate & (rng.random(count) < 0.1)] = rng.choice([np.nan, np.inf])
    return values


@st.composite
def tellings(draw: st.DrawFn, plan: Plan, forms: tuple[str, ...]) -> tuple[dict[str, Any], str]:
    """Columns of what is told of objects, and the format of the boxes."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    counts, form = [draw(st.integers(0, 4)) for _ in range(plan.size)], draw(st.sampled_from(forms))
    which = draw(st.sampled_from(["b", "b", "b", "bk", "bm", "k", "m", "bmk"]))
    told: dict[str, Any] = {}
    if "b" in which:
        dtype, broken = draw(st.sampled_from(["float32", "float64"])), draw(st.booleans())
        more = draw(st.integers(0, 1))
        told["boxes"] = [
            np.concatenate([written(rng, n, form, plan.spec.shape, broken), np.full((n, more), 7)], axis=1).astype(
                dtype
            )
            for n in counts
        ]
        told["area"] = [rng.integers(1, 99, n).astype("float32") for n in counts]
    if "m" in which:
        dtype = draw(st.sampled_from(["bool", "uint8", "float32"]))
        told["masks"] = [(rng.random((n, *plan.spec.shape)) < rng.random((n, 1, 1))).astype(dtype) for n in counts]
    if "k" in which:
        height, width = plan.spec.shape
        told["keypoints"] = [
            np.stack(
                [
                    rng.integers(-4, 4 * side + 4, (n, 3)) / 4 + rng.choice([0.0, 0.1], (n, 3))
                    for side in (width, height)
                ]
                + [rng.integers(0, 3, (n, 3))],
                -1,
            )
            for n in counts
        ]
    told["labels"] = [rng.integers(0, 99, n) for n in counts]
    return told, form


def put(told: dict[str, Any], plan: Plan, container: str, form: str) -> dict[str, Any]:
    """A batch of images with what is told of their objects."""
    images = np.zeros((plan.size, *plan.spec.shape, 3), np.float32)
    if container == "numpy":
        return {"images": images, **told}
    if container == "lists":
        as_lists = {name: [item.tolist() for item in items] for name, items in told.items() if name != "masks"}
        return {"images": images, **told, **as_lists}
    rows = [dict(zip(told, values, strict=True)) for values in zip(*told.values(), strict=True)]
    if container == "records":
        return {"images": images, "targets": rows}
    torch = pytest.importorskip("torch")
    rows = [{name: torch.from_numpy(value.copy()) for name, value in row.items()} for row in rows]
    if container == "typed":
        tv_tensors = pytest.importorskip("torchvision.tv_tensors")
        for row in rows:
            row |= {"boxes": tv_tensors.BoundingBoxes(row["boxes"], format=form.upper(), canvas_size=plan.spec.shape)}
    return {"images": torch.from_numpy(images).movedim(3, 1), "targets": rows}


def columns_of(result: Any) -> dict[str, list[Any]]:
    found = read(result)
    if "targets" not in found:
        return {name: items for name, items in found.items() if name != "images"}
    return {name: [row[name] for row in found["targets"]] for name in found["targets"][0]}


# ------------------------------------------------------------------------------------------ what they become


def check(got: dict[str, Any], expected: dict[str, Any], told: dict[str, Any], form: str, container: str) -> None:
    """Corners, masks, points and fields are equal bit for bit; sums of areas may be rounded otherwise."""
    anchor = "boxes" if "boxes" in told else "masks" if "masks" in told else "keypoints"
    weights = {"boxes": "box_weights", "masks": "instance_weights", "keypoints": "keypoint_weights"}[anchor]
    for row, expected_weights in enumerate(expected["weights"]):
        np.testing.assert_allclose(np.array(got[weights][row]), expected_weights, rtol=2e-7, err_msg=weights)
        for name, items in told.items():
            dtype, wanted = items[row].dtype, expected[name][row]
            value = np.array(got[name][row])
            assert container == "lists" or value.dtype == dtype, name
            if not len(wanted):
                assert len(value) == 0
            elif name == "area":
                np.testing.assert_allclose(value, wanted, rtol=2e-7)
            elif name == "boxes" and is_rotated(form):
                np.testing.assert_allclose(value, wanted, rtol=1e-6, atol=1e-6 * max(1.0, np.abs(wanted).max()))
            else:
                np.testing.assert_array_equal(value.astype(dtype), wanted.astype(dtype), err_msg=name)


@settings(max_examples=300 if tiers.everything else 60)
@given(data=st.data(), plan=plans(), container=st.sampled_from(CONTAINERS))
def test_objects_become_what_each_becomes_by_itself(data: st.DataObject, plan: Plan, container: str) -> None:
    told, form = data.draw(tellings(plan, TYPED if container == "typed" else tuple(FORMATS)))
    if container == "typed" and "boxes" in told:
        told["boxes"] = [item[:, : column_count(form)] for item in told["boxes"]]
    elif container == "typed":
        container = "torch"
    assume(container != "lists" or any(map(len, told["labels"])))  # lists of nothing do not say of what
    names = {"boxes": "boxes", "masks": "instances", "keypoints": Keypoints("xyv")}
    transform = MixUp(boxes=data.draw(rules(form)), kinds={name: kind for name, kind in names.items() if name in told})
    batch = put(told, plan, container, form)
    before = content(batch)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DegenerateBoxWarning)
        result = transform.replay(plan, batch)
        expected = mixed(plan, told, transform.boxes, form)
    check(columns_of(result), expected, told, form, container)
    assert content(batch) == before


# ------------------------------------------------------------------------------------------ what is seen


@settings(max_examples=200 if tiers.everything else 60)
@given(plan=plans())
def test_what_is_seen_together_is_what_is_seen_alone(plan: Plan) -> None:
    """The same sources, grids and weights, bit for bit; cells that only others have are never seen."""
    together: dict[int, list[Any]] = {row: [] for row in range(plan.size)}
    for several in all_contributions(plan.size, plan.spec.shape, plan.layers):
        assert not several.weight[~several.filled].any()
        np.testing.assert_array_equal(several.is_base, (several.row == several.source) & ~several.moved)
        for part in several:
            together[int(part.row[0])].append(part)
    for row, found in together.items():
        for got, alone, expected in zip(found, plan.contributions(row), parts(plan, row), strict=True):
            assert (got.source, got.moved) == (alone.source, alone.moved) == (expected.source, expected.moved)
            for part in (got, alone):
                for cuts, wanted in zip(part.edges, expected.edges, strict=True):
                    np.testing.assert_array_equal(cuts, wanted[:, None])
                np.testing.assert_array_equal(part.weight, expected.weight[..., None])
                if expected.moved:
                    np.testing.assert_array_equal(part.crop, expected.crop[..., None])
                    np.testing.assert_array_equal(part.frame, expected.frame[..., None])


# ------------------------------------------------------------------------------------------ what is read


@pytest.mark.parametrize("form", FORMATS)
def test_images_are_read_together_as_each_by_itself(form: str) -> None:
    """Of unequal sizes, with and without objects."""
    rng, shape = np.random.default_rng(0), (9, 12)
    canvases = [(9, 12), (4, 7), (6, 6), (9, 5)]
    boxes, points = ("boxes",), ("keypoints",)
    group = Group((), Keypoints("xyv"), boxes=boxes, keypoints=points)
    items: dict[tuple[str, ...], Any] = {
        boxes: [written(rng, n, form, canvas, True) for n, canvas in zip((3, 0, 2, 4), canvases, strict=True)],
        points: [rng.random((n, 5, 3)) for n in (3, 0, 2, 4)],
    }
    columns = {path: column_of(column) for path, column in items.items()}
    together = parse_annotations(group, columns, canvases, shape, BoxRules(format=form))
    assert together.width == 3
    for index, (stop, count) in enumerate(zip(np.cumsum(together.counts), together.counts, strict=True)):
        own = {path: column_of(column[index : index + 1]) for path, column in items.items()}
        alone = parse_annotations(group, own, canvases[index : index + 1], shape, BoxRules(format=form), index)
        assert (alone.counts.tolist(), alone.masks) == ([count], together.masks)
        for name in ("boxes", "corners", "points", "valid", "rewritten"):
            part = getattr(together, name)[stop - count : stop]
            np.testing.assert_array_equal(part, getattr(alone, name).reshape(part.shape))
        entry, numbers = together.of(np.array([1, index]))
        valid = np.flatnonzero(together.valid[stop - count : stop]) + stop - count
        np.testing.assert_array_equal(numbers, valid)
        np.testing.assert_array_equal(entry, np.ones(len(valid)))


@pytest.mark.parametrize("container", ["torch", "typed"])
def test_images_without_boxes_take_the_format_of_the_others(container: str) -> None:
    """An empty value that says another format than the others tells of nothing."""
    tv_tensors, torch = pytest.importorskip("torchvision.tv_tensors"), pytest.importorskip("torch")
    plan = Plan(BatchSpec(2, (8, 8)), (Layer([0, 1], [1, 0], 1.0, Boxes([[0, 0], [0, 0]], [[8, 4], [8, 4]])),))
    told = {"boxes": [np.zeros((0, 4)), np.array([[2.0, 2.0, 6.0, 6.0]])], "labels": [np.zeros(0), np.zeros(1)]}
    batch = put(told, plan, container, "xyxy")
    other = torch.zeros((0, 4), dtype=torch.float64)
    batch["targets"][0]["boxes"] = tv_tensors.BoundingBoxes(other, format="CXCYWH", canvas_size=(8, 8))
    first, second = MixUp(boxes=BoxRules(occluded="shrink")).replay(plan, batch)["targets"]
    np.testing.assert_array_equal(first["boxes"], [[2, 2, 4, 6]])
    np.testing.assert_array_equal(second["boxes"], [[4, 2, 6, 6]])
    if container == "typed":
        assert first["boxes"].format == second["boxes"].format == tv_tensors.BoundingBoxFormat.XYXY


# ------------------------------------------------------------------------------------------ memory


@pytest.mark.parametrize("container", [name for name in CONTAINERS if name != "lists"])
@pytest.mark.parametrize("opacity", [0.0, 0.5, 1.0])
def test_no_two_values_share_memory(container: str, opacity: float) -> None:
    """A value can be changed in place, or written to a file, by itself."""
    rng = np.random.default_rng(0)
    plan = Plan(BatchSpec(3, (8, 8)), (Layer([0, 1, 2], [1, 2, 0], opacity, Boxes.full(3, (8, 8))),))
    told = {
        "boxes": [written(rng, n, "xyxy", (8, 8), False).astype(np.float32) for n in (2, 3, 1)],
        "masks": [np.ones((n, 8, 8), np.uint8) for n in (2, 3, 1)],
        "keypoints": [rng.integers(0, 8, (n, 3, 2)).astype(np.float32) for n in (2, 3, 1)],
        "labels": [np.arange(n) for n in (2, 3, 1)],
        "area": [np.ones(n, np.float32) for n in (2, 3, 1)],
    }
    batch = put(told, plan, container, "xyxy")
    rule = BoxRules(min_visibility=0)
    result = MixUp(boxes=rule, kinds={"masks": "instances", "keypoints": "keypoints"}).replay(plan, batch)
    values = [value for container_ in (batch, result) for _, value in leaves(container_)]
    found = [memory(value) for value in values if hasattr(value, "shape")]
    assert len(set(found)) == len(found)
