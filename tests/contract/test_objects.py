"""Objects end to end: boxes that are painted into images come back where their pixels are, with all that is theirs."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import tiers
from doors import DOORS, Door
from forms import host
from painted import bounds
from random_batches import HOLDERS
from scenes import Scene, assert_told, scenes
from seen import read_box, write_box
from target_forms import given, read

from mixtransforms import (
    BatchSpec,
    BoxRules,
    InputError,
    Keypoints,
    KnownLabels,
    LabelPair,
    Layer,
    MixUp,
    MultiLabel,
    Plan,
)
from mixtransforms.objects.box_formats import FORMATS

SIZE, SHAPE = 6, (13, 17)
PLACEMENTS = ("clip", "inside", "uniform", "minmax")

FORMS = tuple(name for name in FORMATS if FORMATS[name].columns == 4)
DOORS_AND_BACKENDS = [(door, backend) for door in DOORS for backend in door.backends]


def painted(rng: np.random.Generator, form: str) -> tuple[dict[str, Any], Any]:
    """Images whose pixels say which object they belong to, 0 to none; and what is told of the objects.

    Objects are whole pixels, wherever they are not hidden by a later one of their own image; of these, nothing is
    told but what is seen of them.
    """
    index = np.zeros((SIZE, *SHAPE, 1), np.float32)
    told: dict[str, Any] = {"boxes": [], "labels": [], "area": [], "scores": [], "track": []}
    number = 0
    for image in index:
        first = number
        for _ in range(rng.integers(0, 5)):
            number += 1
            start = rng.integers(0, np.array(SHAPE) - 1)
            stop = rng.integers(start + 1, np.array(SHAPE) + 1)
            image[start[0] : stop[0], start[1] : stop[1]] = number
        ids = [n for n in range(first + 1, number + 1) if (image == n).any() and _is_box(image[..., 0] == n)]
        boxes = bounds(np.array([image[..., 0] == n for n in ids]).reshape(-1, *SHAPE))
        told["boxes"].append(np.array([write_box(box, form, SHAPE) for box in boxes]).reshape(-1, 4))
        told["labels"].append(np.array(ids, np.int64))
        told["area"].append(np.array([(image == n).sum() for n in ids], np.float64))
        told["scores"].append(np.array(ids, np.float32) / 128)
        told["track"].append(np.stack([ids, np.negative(ids)], axis=1).astype(np.int32).reshape(-1, 2))
    return told, index


def _is_box(pixels: Any) -> bool:
    left, top, right, bottom = bounds(pixels[None])[0]
    return bool((right - left) * (bottom - top) == pixels.sum())


# Formats are read before a box is cut, placements are the method's, and doors hand both over: no three of them meet.
@tiers.product(place=DOORS_AND_BACKENDS, form=FORMS, placement=PLACEMENTS)
def test_boxes_are_where_their_pixels_are(place: tuple[Door, str], form: str, placement: str) -> None:
    """After a paste, the objects of an image are those that are seen in it, and their boxes those of their pixels."""
    door, backend = place
    rules = BoxRules(format=form, fields=("track",), min_visibility=0, min_size=0, min_area=0)
    minmax = (0.3, 0.9) if placement == "minmax" else None
    seen = 0
    for seed in range(6):
        told, index = painted(np.random.default_rng(seed), form)
        batch = given({"images": index} | told, backend)
        transform = door.transform("CutMix", placement=placement, minmax=minmax, boxes=rules, seed=seed)
        result = read(transform(**batch))
        known = set(np.concatenate(told["labels"]).tolist())
        for row in range(SIZE):
            pixels, ids = result["images"][row, ..., 0], result["labels"][row]
            assert set(ids.tolist()) == set(np.unique(pixels).astype(int).tolist()) & known
            assert len(set(ids.tolist())) == len(ids)
            corners = [read_box(box, form, SHAPE) for box in result["boxes"][row]]
            expected = bounds(np.array([pixels == n for n in ids]).reshape(-1, *SHAPE))
            np.testing.assert_allclose(np.array(corners).reshape(-1, 4), expected, atol=1e-9)
            np.testing.assert_array_equal(result["scores"][row], ids.astype(np.float32) / 128)
            np.testing.assert_array_equal(result["track"][row], np.stack([ids, -ids], axis=1).reshape(-1, 2))
            np.testing.assert_allclose(result["area"][row], [(pixels == n).sum() for n in ids], atol=1e-9)
            np.testing.assert_array_equal(result["box_weights"][row], np.ones(len(ids), np.float32))
            seen += len(ids)
    assert seen > 30


THROUGH_MASKS = ("GridMix", "FMix", "CowMask")
"""Methods whose region is any set of pixels."""

KEEP_ALL: dict[str, Any] = {
    "boxes": BoxRules(min_visibility=0, min_size=0, min_area=0),
    "kinds": {"keypoints": Keypoints(min_visible=0)},
}
COUNTS = (3, 0, 2, 4, 1, 3)


def told(pictures: list[Scene]) -> dict[str, Any]:
    return {
        "images": np.stack([each.image for each in pictures]),
        "boxes": [each.boxes for each in pictures],
        "labels": [each.ids for each in pictures],
        "masks": [each.masks.astype(np.uint8) for each in pictures],
        "keypoints": [each.points for each in pictures],
    }


def mixed_scenes(door: Door, backend: str, method: str, **options: Any) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Scenes of odd sides, mixed a few times: every image, and what is told of its objects."""
    for seed in range(3):
        batch = told(scenes(COUNTS, (23, 30), seed))
        transform = door.transform(method, seed=seed, **KEEP_ALL, **options)
        result = read(transform(**given(batch, backend)))
        for row, image in enumerate(result.pop("images")):
            yield image, {name: values[row] for name, values in result.items()}


@pytest.mark.parametrize("per", ["sample", "batch"])
@pytest.mark.parametrize("method", THROUGH_MASKS)
@pytest.mark.parametrize(("door", "backend"), DOORS_AND_BACKENDS, ids=str)
def test_objects_seen_through_masks_are_those_of_the_picture(door: Door, backend: str, method: str, per: str) -> None:
    """Boxes are the least around what is seen, instance masks are that, points are seen where their pixel is."""
    seen = 0
    for image, own in mixed_scenes(door, backend, method, per=per):
        names = {"labels": "ids", "keypoints": "points", "box_weights": "weights"}
        assert_told(image, {names.get(name, name): value for name, value in own.items()}, tight=True)
        seen += len(own["labels"])
    assert seen > 40


@pytest.mark.parametrize(("door", "backend"), DOORS_AND_BACKENDS, ids=str)
def test_objects_under_a_soft_bump_weigh_what_their_pixels_do(door: Door, backend: str) -> None:
    """They keep boxes and masks; a weight is the mean over the object; of a point, half or more has to be seen."""
    every = {
        int(number): (each, index) for each in scenes(COUNTS, (23, 30), 0) for index, number in enumerate(each.ids)
    }
    seen = 0
    for image, own in itertools.islice(mixed_scenes(door, backend, "SmoothMix"), len(COUNTS)):  # those of one seed
        assert sorted(own["labels"].tolist()) == np.flatnonzero((image > 0).any(axis=(0, 1))).tolist()
        for row, number in enumerate(own["labels"].tolist()):
            scene, index = every[number]
            channel, inside = image[..., number], scene.masks[index]
            assert not channel[~inside].any()
            np.testing.assert_array_equal(own["boxes"][row], scene.boxes[index])
            np.testing.assert_array_equal(own["masks"][row] != 0, inside)
            np.testing.assert_allclose(own["box_weights"][row], channel[inside].mean(), atol=1e-5)
            weights = [channel[int(y), int(x)] for x, y, _ in scene.points[index]]
            for mark, weight in zip(own["keypoints"][row][:, 2], weights, strict=True):
                assert abs(weight - 0.5) < 1e-6 or (mark == 2) == (weight > 0.5)
            seen += 1
    assert seen > 15


# ------------------------------------------------------------------------------------------ records

HALF = Plan(BatchSpec(3, (6, 8)), (Layer([0, 1, 2], [1, 2, 0], [0.25, 0.5, 0.75]),))
IMAGES = np.arange(3 * 6 * 8 * 3, dtype=np.float32).reshape(3, 6, 8, 3)
BOXES = [np.array([[0.5, 0.5, 3.5, 3.5]]), np.zeros((0, 4)), np.array([[1.0, 1.0, 5.0, 5.0], [2.0, 2.0, 3.0, 3.0]])]


def records(holder: Callable[..., Any], **columns: Any) -> dict[str, Any]:
    return {
        "images": IMAGES,
        "targets": [holder({name: values[n] for name, values in columns.items()}) for n in range(3)],
    }


def column(result: Any, name: str) -> list[Any]:
    rows = result["targets"]
    return [row[name] if isinstance(row, dict) else getattr(row, name) for row in rows]


@pytest.mark.parametrize("holder", HOLDERS.values(), ids=HOLDERS)
@pytest.mark.parametrize("keep", [False, True])
def test_a_pair_of_labels_is_one_a_record(holder: Callable[..., Any], keep: bool) -> None:
    """Every record gets its own label, partner and weight."""
    batch = records(holder, label=[5, 6, 7], boxes=BOXES)
    mix = MixUp(labels="pair", keep_originals=keep, boxes=BoxRules(weight="ones"))  # so that no record needs more names
    pairs = column(mix.replay(HALF, batch), "label")
    expected = [(5, 6, 0.75), (6, 7, 0.5), (7, 5, 0.25)]
    assert all(type(pair) is LabelPair for pair in pairs)
    assert [tuple(map(float, pair)) for pair in pairs] == [(5, 5, 1), (6, 6, 1), (7, 7, 1)] * keep + expected


@pytest.mark.parametrize("holder", HOLDERS.values(), ids=HOLDERS)
def test_what_stands_beside_a_value_is_one_a_record(holder: Callable[..., Any]) -> None:
    """Records that take no more names get a named tuple of their own row."""
    tags = np.array([[1, -1], [0, 1], [-1, 1]])
    batch = records(holder, tags=tags, mask=np.arange(3 * 48).reshape(3, 6, 8))
    result = MixUp(kinds={"tags": MultiLabel(unknown=-1)}).replay(HALF, batch)
    if holder is dict:
        weights, partners = column(result, "tags_weight"), column(result, "mask_partner")
    else:
        assert all(type(row) is KnownLabels for row in column(result, "tags"))
        weights, partners = [row.weight for row in column(result, "tags")], [m.partner for m in column(result, "mask")]
    np.testing.assert_allclose(weights, [[1, 0.25], [0.5, 1], [0.75, 0.25]])
    np.testing.assert_array_equal(partners, np.arange(3 * 48).reshape(3, 6, 8)[[1, 2, 0]])


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_rows_of_records_are_no_columns(backend: str) -> None:
    """As many records as classes: every row belongs to its record, since no collation has turned them."""
    rows = [{"label": row, "boxes": boxes} for row, boxes in zip(np.eye(3), BOXES, strict=True)]
    batch: dict[str, Any] = {"images": IMAGES, "targets": rows}
    if backend == "torch":
        torch = pytest.importorskip("torch")
        batch = {
            "images": torch.from_numpy(IMAGES).movedim(-1, 1),
            "targets": [{name: torch.from_numpy(value) for name, value in row.items()} for row in rows],
        }
    mixed = [host(row) for row in column(MixUp().replay(HALF, batch), "label")]
    np.testing.assert_allclose(mixed, [[0.75, 0.25, 0], [0, 0.5, 0.5], [0.75, 0, 0.25]])


# ------------------------------------------------------------------------------------------ images without objects

EMPTY = ("float32", "float64", "int32", "int64", "uint8", "bool")


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("dtype", EMPTY)
@pytest.mark.parametrize("name", ["boxes", "labels", "scores", "area", "iscrowd", "keypoints", "masks"])
def test_the_dtype_of_an_image_without_objects_says_nothing(name: str, dtype: str, backend: str) -> None:
    """What is told of no object may have any dtype: what joins it keeps its own values."""
    full = {
        "boxes": np.array([[0.5, 0.5, 3.5, 3.5]]), "labels": np.array([7]), "scores": np.array([0.7], np.float32),
        "area": np.array([9.5], np.float32), "iscrowd": np.array([True]),
        "keypoints": np.array([[[1.5, 2.5]]], np.float32), "masks": np.full((1, 6, 8), 300, np.int32),
    }  # fmt: skip
    told = {own: [value[:0], value, value[:0]] for own, value in full.items()}
    told[name] = [value.astype(dtype) if not len(value) else value for value in told[name]]
    transform = MixUp()
    result = read(transform.replay(HALF, **given({"images": IMAGES} | told, backend)))
    for own, value in full.items():
        np.testing.assert_array_equal(result[own][0], value)
        np.testing.assert_array_equal(result[own][1], value)
        assert len(result[own][2]) == 0


@pytest.mark.parametrize("width", [2, 3])
@pytest.mark.parametrize("empty", [(0,), (0, None), (0, 4, None)], ids=str)
def test_empty_keypoints_of_any_shape(empty: tuple[Any, ...], width: int) -> None:
    """Images without persons may have no axes of points at all; the form of the result stays the same."""
    nothing = np.zeros([width if length is None else length for length in empty], np.float32)
    points = np.ones((2, 4, width), np.float32)
    results = [
        MixUp().replay(HALF, {"images": IMAGES, "keypoints": list(told)})
        for told in ((points, points, points), (nothing, points, nothing), (nothing, nothing, points))
    ]
    assert [set(result) for result in results] == [set(results[0])] * 3
    assert [len(row) for row in results[1]["keypoints"]] == [2, 2, 0]


def test_a_batch_without_any_keypoints_has_the_form_of_others() -> None:
    """Keypoints with visibility get no marks beside them, whether there are any or not."""
    some = MixUp().replay(HALF, {"images": IMAGES, "keypoints": [np.ones((1, 2, 3))] * 3})
    none = MixUp().replay(HALF, {"images": IMAGES, "keypoints": [np.ones((0, 2, 3))] * 3})
    assert set(none) == set(some) == {"images", "keypoints", "keypoint_weights"}


@pytest.mark.parametrize(
    "told",
    [
        {"boxes": [BOXES[0], np.array([[1.0, 1.0, 5.0, 5.0, 9.0]]), BOXES[2]]},
        {"boxes": BOXES, "track": [np.ones((1, 2)), np.ones((0, 2)), np.ones((2, 3))]},
        {"boxes": BOXES, "labels": [[1.0], np.ones(0), np.ones(2)]},
        {"boxes": [7, BOXES[1], BOXES[2]]},
        {"keypoints": [np.ones((1, 2, 2)), np.ones((1, 3, 2)), np.ones((1, 2, 2))]},
        {"keypoints": [np.ones((1, 2)), np.ones((1, 3)), np.ones((1, 2))]},
    ],
    ids=[
        "widths of boxes",
        "widths of a field",
        "lists and arrays",
        "a number",
        "numbers of points",
        "widths of points",
    ],
)
def test_what_does_not_fit_together_is_refused(told: dict[str, Any]) -> None:
    """Values that cannot be joined are an error that names them, not one from inside."""
    with pytest.raises(InputError, match=r"\(batch\['\w+'\]"):
        MixUp(boxes=BoxRules(fields="track")).replay(HALF, {"images": IMAGES} | told)
