"""Pictures show what stands beside images where it is: boxes, instance masks, keypoints and semantic masks."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from figures import axes, captions, corners, dots, drawn, picture, polygons, texts, wash

from mixtransforms import (
    BatchSpec,
    BoxRules,
    CutMix,
    InputError,
    Keypoints,
    Layer,
    MixUp,
    Mosaic,
    OneOf,
    Plan,
    Trace,
    show,
)
from mixtransforms import Boxes as Region
from mixtransforms.mixing.trace import Step

pytest.importorskip("matplotlib")

HEIGHT, WIDTH = 20, 30
NAMES = ["cat", "dog", "owl"]
COLORS = {0: (255, 217, 46), 1: (255, 79, 163), 2: (53, 217, 91)}
"""Of classes, as they are documented for readers of the pictures: yellow, pink, green."""


def images(count=2):
    return np.random.default_rng(0).integers(0, 256, (count, HEIGHT, WIDTH, 3), np.uint8)


def rectangle(x1, y1, x2, y2):
    return [[x1, y1], [x2, y1], [x2, y2], [x1, y2]]


def rgb(patch):
    return tuple(round(255 * value) for value in patch.get_edgecolor()[:3])


def mixed(figure, row=0):
    return axes(figure, "mixed")[row]


def paste(box=(0, 0, HEIGHT, 15)):
    """Sample 0 gets a region ``(y1, x1, y2, x2)`` of sample 1."""
    return Plan(BatchSpec(2, (HEIGHT, WIDTH)), (Layer([0], [1], [1.0], Region([box[:2]], [box[2:]])),))


def blend(weight=0.25):
    """Sample 0 gets sample 1 by a weight."""
    return Plan(BatchSpec(2, (HEIGHT, WIDTH)), (Layer([0], [1], [weight]),))


def detection(**more):
    boxes = [np.array([[2, 3, 10, 12], [12.5, 4, 28, 20]]), np.array([[1.0, 1, 9, 9]])]
    return {"image": images(), "bboxes": boxes, "labels": [np.array([0, 2]), np.array([1])], **more}


# ------------------------------------------------------------------------------------------------ boxes


def test_boxes_are_drawn_where_they_are_with_their_class():
    figure = drawn(show.batch(detection(), class_names=NAMES))
    assert corners(mixed(figure)) == [rectangle(2, 3, 10, 12), rectangle(12.5, 4, 28, 20)]
    assert captions(mixed(figure)) == ["cat", "owl"]
    assert [rgb(polygon) for polygon in polygons(mixed(figure))] == [COLORS[0], COLORS[2]]
    assert captions(mixed(figure, 1)) == ["dog"]
    np.testing.assert_array_equal(picture(mixed(figure)), images()[0])


def test_a_caption_stands_at_the_corner_of_its_box_inside_the_picture():
    batch = detection(bboxes=[np.array([[-5, -5, 10, 12], [12, 4, 40, 20]]), np.array([[30.0, 20, 35, 25]])])
    figure = drawn(show.batch(batch))
    assert [text.get_position() for text in mixed(figure).texts] == [(-0.5, -0.5), (11.5, 3.5)]
    assert mixed(figure).get_xlim() == (-0.5, WIDTH - 0.5)  # boxes outside do not widen the picture
    assert mixed(figure).get_ylim() == (HEIGHT - 0.5, -0.5)


@pytest.mark.parametrize(
    ("form", "box", "wanted"),
    [
        ("pascal_voc", [3, 4, 9, 10], rectangle(3, 4, 9, 10)),
        ("coco", [3, 4, 6, 6], rectangle(3, 4, 9, 10)),
        ("yolo", [0.2, 0.35, 0.2, 0.3], rectangle(3, 4, 9, 10)),
        ("albumentations", [0.1, 0.2, 0.3, 0.5], rectangle(3, 4, 9, 10)),
        ("cxcywh", [6, 7, 6, 6], rectangle(3, 4, 9, 10)),
        ("xyxyxyxy", [3, 8, 8, 3, 11, 6, 6, 11], [[3, 8], [8, 3], [11, 6], [6, 11]]),
        ("cxcywhr", [10, 10, 8, 4, 90], [[8, 14], [8, 6], [12, 6], [12, 14]]),
    ],
)
def test_formats_of_boxes(form, box, wanted):
    """The same rules as the transforms take say how boxes are written; rotated ones are polygons."""
    batch = {"image": images(1), "bboxes": [np.array([box], np.float64)]}
    figure = drawn(show.batch(batch, boxes=BoxRules(format=form)))
    np.testing.assert_allclose(corners(mixed(figure)), [wanted], atol=1e-5)


def test_typed_boxes_of_torchvision_say_their_format_themselves():
    torch = pytest.importorskip("torch")
    tv_tensors = pytest.importorskip("torchvision.tv_tensors")
    canvas = {"canvas_size": (HEIGHT, WIDTH)}
    targets = [
        {"boxes": tv_tensors.BoundingBoxes([[3, 4, 6, 6]], format="XYWH", **canvas), "labels": torch.tensor([1])},
        {
            "boxes": tv_tensors.BoundingBoxes(torch.zeros(0, 4), format="XYWH", **canvas),
            "labels": torch.zeros(0).long(),
        },
    ]
    figure = drawn(show.batch((torch.rand(2, 3, HEIGHT, WIDTH), targets), class_names=NAMES))
    assert corners(mixed(figure)) == [rectangle(3, 4, 9, 10)]
    assert captions(mixed(figure)) == ["dog"]
    assert not polygons(mixed(figure, 1))


@pytest.mark.parametrize(
    ("labels", "options", "wanted"),
    [
        ({"labels": [[0, 2], [1]]}, {}, ["cat", "owl"]),
        ({"class_labels": [["zebu", "ape"], ["owl"]]}, {}, ["zebu", "ape"]),
        ({"category_ids": [np.array([1, 1]), np.array([0])]}, {}, ["dog", "dog"]),
        ({"species": [[2, 0], [1]]}, {"boxes": BoxRules(fields=("species",))}, ["owl", "cat"]),
        ({"labels": [np.array([[0.1, 0.9, 0], [1, 0, 0]]), np.eye(3)[:1]]}, {}, ["dog (0.90)", "cat"]),
        ({"scores": [[0.9, 0.8], [0.7]]}, {}, []),
    ],
    ids=["labels", "words", "ids", "declared", "soft", "none"],
)
def test_where_classes_of_objects_stand(labels, options, wanted):
    batch = {key: value for key, value in detection().items() if key != "labels"} | labels
    assert captions(mixed(drawn(show.batch(batch, class_names=NAMES, **options)))) == wanted


def test_words_have_colours_in_the_order_of_the_alphabet():
    batch = detection(labels=[["zebu", "ape"], ["owl"]])
    figure = show.batch(batch)
    assert [rgb(polygon) for polygon in polygons(mixed(figure))] == [COLORS[2], COLORS[0]]
    assert [rgb(polygon) for polygon in polygons(mixed(figure, 1))] == [COLORS[1]]


def test_a_class_behind_the_box_in_its_row():
    batch = {"image": images(1), "bboxes": [np.array([[2, 3, 10, 12, 1], [5, 6, 7, 8, 2]], np.float64)]}
    assert captions(mixed(show.batch(batch, class_names=NAMES))) == ["dog", "owl"]


def test_weights_below_1_are_written_and_make_lines_fainter():
    batch = detection(box_weights=[np.array([1.0, 0.3], np.float32), np.array([0.0], np.float32)])
    figure = drawn(show.batch(batch, class_names=NAMES))
    assert sorted(captions(mixed(figure))) == ["cat", "owl 0.30"]
    full, faint = (polygon.get_alpha() for polygon in polygons(mixed(figure)))
    assert (full, faint) == (1.0, pytest.approx(0.3 + 0.7 * 0.3))
    assert polygons(mixed(figure, 1))[0].get_alpha() == pytest.approx(0.3)  # still to be seen
    assert any("Numbers on objects are their weights" in text for text in texts(figure))


def test_the_heaviest_caption_lies_on_top():
    batch = detection(box_weights=[np.array([0.9, 0.1], np.float32), np.array([1.0], np.float32)])
    assert captions(mixed(show.batch(batch, class_names=NAMES))) == ["owl 0.10", "cat 0.90"]


def test_no_words_about_weights_where_all_are_1():
    assert not any("weights" in text for text in texts(show.batch(detection())))


def test_boxes_that_are_not_finite_are_not_drawn():
    batch = detection(bboxes=[np.array([[np.nan, 3, 10, 12], [12.5, 4, 28, 20]]), np.array([[1.0, 1, 9, 9]])])
    assert corners(mixed(drawn(show.batch(batch)))) == [rectangle(12.5, 4, 28, 20)]


def test_images_without_objects_between_others():
    batch = detection(bboxes=[np.zeros((0, 4)), np.array([[1.0, 1, 9, 9]])], labels=[[], [1]])
    figure = drawn(show.batch(batch, class_names=NAMES))
    assert not polygons(mixed(figure))
    assert corners(mixed(figure, 1)) == [rectangle(1, 1, 9, 9)]


def test_images_with_objects_are_larger_in_a_figure_of_the_same_width():
    plain = show.batch(images(8), MixUp().plan(images(8)))
    batch = {"image": images(8), "bboxes": [np.array([[1.0, 1, 9, 9]])] * 8}
    marked = show.batch(batch, MixUp().plan(images(8)))
    assert mixed(marked).get_window_extent().width > 1.3 * mixed(plain).get_window_extent().width
    assert marked.get_size_inches()[0] == pytest.approx(plain.get_size_inches()[0], abs=0.2)


# ------------------------------------------------------------------------------------------------ what a plan makes


def test_a_paste_cuts_boxes_and_its_sources_keep_theirs():
    """The right half of sample 0 stays; of sample 1 the left half is shown."""
    figure = drawn(show.batch(detection(), paste(), NAMES))
    assert corners(mixed(figure)) == [rectangle(15, 4, 28, 20), rectangle(1, 1, 9, 9)]
    assert captions(mixed(figure)) == ["owl", "dog"]
    own, partner = axes(figure, "source")[:2]
    assert corners(own) == [rectangle(2, 3, 10, 12), rectangle(12.5, 4, 28, 20)]
    assert corners(partner) == [rectangle(1, 1, 9, 9)]
    assert captions(own) == ["0"]  # the number of the sample alone


def test_a_blend_weighs_boxes():
    figure = drawn(show.batch(detection(), blend(0.25), NAMES))
    assert sorted(captions(mixed(figure))) == ["cat 0.75", "dog 0.25", "owl 0.75"]


def test_rules_say_what_is_kept():
    figure = show.batch(detection(), paste((0, 0, HEIGHT, 6)), boxes=BoxRules(occluded="keep", min_visibility=0.9))
    assert corners(mixed(figure)) == [rectangle(12.5, 4, 28, 20)]
    assert captions(mixed(figure)) == ["class 2"]


def test_words_stay_with_their_boxes():
    figure = show.batch(detection(labels=[["cat", "owl"], ["dog"]]), paste())
    assert captions(mixed(figure)) == ["owl", "dog"]


@pytest.mark.parametrize("container", ["dict", "records"])
def test_a_trace_shows_the_objects_of_its_result(container):
    """Also those that only the transform's own rules keep, which the picture is not told."""
    batch = detection()
    if container == "records":
        records = [{"boxes": box, "labels": label} for box, label in zip(batch["bboxes"], batch["labels"], strict=True)]
        batch = (batch["image"], records)
    transform = OneOf([MixUp(1.0), CutMix()], boxes=BoxRules(min_visibility=0.8), seed=5)
    trace = transform.trace(batch)
    figure = drawn(show.trace(trace, NAMES))
    result = trace.after["bboxes"] if container == "dict" else [record["boxes"] for record in trace.after[1]]
    for each, boxes in zip(axes(figure, "mixed"), result, strict=True):
        np.testing.assert_allclose(corners(each), [rectangle(*box) for box in boxes], atol=1e-6)


@pytest.mark.parametrize("fit", ["corner", "resize", "contain"])
def test_objects_and_masks_lie_on_a_canvas_as_in_the_result(fit):
    """Whether a transform has made the result or the picture works it out; what is filled has no colour of a class."""
    maps, instances = np.zeros((2, HEIGHT, WIDTH), np.uint8), np.zeros((1, HEIGHT, WIDTH), np.bool_)
    maps[:, 3:12, 2:10], instances[:, 4:9, 5:9] = 1, True
    records = [{"boxes": np.array([[5.0, 4, 9, 9]]), "labels": np.array([1]), "masks": instances} for _ in range(2)]
    batch = {"image": images(), "mask": maps, "objects": records}
    rules = BoxRules(format="xyxy")
    trace = Mosaic(fit=fit, output_size=(50, 44), fill=200, boxes=rules, seed=3).trace(batch)
    worked_out = drawn(show.batch(trace.before, trace.plans[0], NAMES, boxes=rules))
    made = drawn(show.trace(trace, NAMES))
    for row in range(2):
        first, second = mixed(worked_out, row), mixed(made, row)
        assert picture(first).shape[:2] == (50, 44)
        np.testing.assert_array_equal(picture(first), picture(second))
        np.testing.assert_allclose(corners(first), corners(second), atol=1e-6)
        np.testing.assert_array_equal(wash(first), wash(second))
        bare = (trace.after["mask"][row] == 0) & ~np.any(trace.after["objects"][row]["masks"], axis=0)
        assert len(corners(first)) > 0
        assert bare.any()
        assert not wash(first)[bare][:, 3].any()


@pytest.mark.parametrize("seed", range(4))
def test_strict_rules_of_the_transform_are_seen_in_its_trace(seed):
    transform = CutMix(boxes=BoxRules(min_visibility=1.0), seed=seed)
    trace = transform.trace(detection())
    figure = show.trace(trace)
    assert [len(corners(each)) for each in axes(figure, "mixed")] == [len(boxes) for boxes in trace.after["bboxes"]]


def test_kept_originals_are_not_taken_for_the_mixed_samples():
    trace = CutMix(seed=1, keep_originals=True).trace(detection())
    figure = drawn(show.trace(trace))
    for each, boxes in zip(axes(figure, "mixed"), trace.after["bboxes"][2:], strict=True):
        np.testing.assert_allclose(corners(each), [rectangle(*box) for box in boxes], atol=1e-6)


def test_boxes_that_later_transforms_have_moved_are_shown_twice():
    trace = MixUp(1.0, seed=1).trace(detection())
    flipped = {**trace.after, "image": trace.after["image"][:, :, ::-1]}
    flipped["bboxes"] = [
        boxes[:, [2, 1, 0, 3]] * [-1, 1, -1, 1] + [WIDTH, 0, WIDTH, 0] for boxes in trace.after["bboxes"]
    ]
    figure = drawn(show.trace(Trace(trace.steps, flipped, (*trace.transforms, "a flip"))))
    np.testing.assert_allclose(corners(mixed(figure)), [rectangle(*box) for box in trace.after["bboxes"][0]])
    (result, _) = axes(figure, "result")
    np.testing.assert_allclose(corners(result), [rectangle(*box) for box in flipped["bboxes"][0]])


def test_every_mix_shows_its_own_objects():
    first = CutMix(seed=1).trace(detection())
    second = MixUp(1.0, seed=2).trace(first.after)
    both = Trace((*first.steps, *second.steps), second.after, (*first.transforms, *second.transforms))
    shown = axes(drawn(show.trace(both)), "mixed")
    boxes = [*first.after["bboxes"], *second.after["bboxes"]]
    for each, own in zip(shown, boxes, strict=True):
        np.testing.assert_allclose(corners(each), [rectangle(*box) for box in own], atol=1e-6)


def dashed(each):
    """Whether the outlines of objects are dashed."""
    return [polygon.get_linestyle() != "solid" and polygon.get_linestyle() != "-" for polygon in polygons(each)]


@pytest.mark.parametrize("trace", [True, False])
def test_objects_of_which_a_part_is_hidden_are_dashed(trace):
    """A box of sample 1 covers a corner of the first object, the second is whole, and the new one is cut."""
    batch = detection()
    batch["bboxes"][1] = np.array([[1.0, 1, 9, 9], [2, 2, 4, 4]])
    batch["labels"][1] = np.array([1, 3])
    paste = Plan(BatchSpec(2, (HEIGHT, WIDTH)), (Layer([0], [1], [1.0], Region([[0, 0]], [[6, 6]])),))
    mix = CutMix(seed=1)
    step = Step(mix, batch, paste, mix.replay(paste, batch), mix._finder)
    shown = show.trace(Trace((step,), step.after, (mix,))) if trace else show.batch(batch, paste)
    inside = np.zeros((HEIGHT, WIDTH), bool)
    inside[:6, :6] = True
    wanted = []
    for boxes, seen in ((batch["bboxes"][0], ~inside), (batch["bboxes"][1], inside)):
        for x1, y1, x2, y2 in boxes.round().astype(int):
            wanted.append(not seen[y1:y2, x1:x2].all())
    assert wanted == [True, False, True, False]
    assert dashed(mixed(drawn(shown))) == wanted
    assert "Dashed: objects of which a part is hidden." in " ".join(texts(shown))


def test_objects_of_a_blend_are_all_seen():
    figure = drawn(show.trace(MixUp(1.0, seed=1).trace(detection())))
    assert not any(flag for each in axes(figure, "mixed") for flag in dashed(each))
    assert "Dashed" not in " ".join(texts(figure))


def test_objects_that_are_shown_smaller_are_whole():
    trace = Mosaic(fit="resize", seed=3).trace(detection())
    outlines = [flag for each in axes(drawn(show.trace(trace)), "mixed") for flag in dashed(each)]
    assert len(outlines) > 4
    assert not any(outlines)


def test_nothing_is_dashed_where_no_plan_tells():
    assert not any(dashed(mixed(drawn(show.batch(detection())))))


# ------------------------------------------------------------------------------------------------ keypoints, instances


@pytest.mark.parametrize("single", [False, True], ids=["instances", "single"])
def test_seen_keypoints_are_full_and_hidden_ones_hollow(single):
    points = np.array([[4, 5, 2], [9, 5, 1], [20, 8, 0]], np.float64)
    batch = {"image": images(1), "keypoints": [points if single else points[None]]}
    (seen, hidden) = dots(mixed(drawn(show.batch(batch))))
    assert seen == ([[4, 5]], True)
    assert hidden == ([[9, 5]], False)  # and what nobody marked is not drawn


def test_covered_keypoints_without_a_column_for_it_are_hollow():
    batch = {"image": images(), "keypoints": [np.array([[[4.0, 5], [20, 5]]]), np.zeros((0, 2, 2))]}
    figure = drawn(show.batch(batch, paste()))
    assert dots(mixed(figure)) == [([[20, 5]], True), ([[4, 5]], False)]


def test_keypoints_that_either_of_two_mixes_covers_are_hollow():
    batch = {"image": images(), "keypoints": [np.array([[[4.0, 5], [12, 5], [25, 5]]]), np.zeros((0, 3, 2))]}
    for plan in (paste((0, 0, HEIGHT, 8)), paste((0, 8, HEIGHT, 16))):
        batch = CutMix().replay(plan, batch)
    assert dots(mixed(show.batch(batch))) == [([[25, 5]], True), ([[4, 5], [12, 5]], False)]


def test_keypoints_outside_do_not_widen_the_picture():
    figure = drawn(show.batch({"image": images(1), "keypoints": [np.array([[90.0, 4], [-20, 50]])]}))
    assert mixed(figure).get_xlim() == (-0.5, WIDTH - 0.5)
    assert mixed(figure).get_ylim() == (HEIGHT - 0.5, -0.5)


def test_declared_columns_of_keypoints():
    batch = {"image": images(1), "pose": [np.array([[[90.0, 4, 5], [0, np.nan, 7]]])]}
    figure = drawn(show.batch(batch, kinds={"pose": Keypoints("ayx")}))
    assert dots(mixed(figure)) == [([[5, 4]], True)]


def test_instances_are_tinted_with_a_line_at_their_edge():
    masks = np.zeros((2, HEIGHT, WIDTH), np.uint8)
    masks[0, 2:9, 3:10], masks[1, 12:18, 15:25] = 1, 1
    batch = {
        "image": images(1),
        "instance_masks": [masks],
        "labels": [np.array([1, 2])],
        "instance_weights": [np.array([1.0, 0.5], np.float32)],
    }
    colors = wash(mixed(drawn(show.batch(batch))))
    assert tuple(colors[2, 3]) == (*COLORS[1], 255)
    np.testing.assert_allclose(colors[5, 6], (*COLORS[1], 255 * 0.35), atol=1)
    np.testing.assert_allclose(colors[12, 20], (*COLORS[2], 255 * 0.5), atol=1)  # as faint as its weight
    assert not colors[..., 3][masks.sum(axis=0) == 0].any()


def test_instance_masks_beside_boxes():
    masks = [np.zeros((2, HEIGHT, WIDTH), bool), np.zeros((1, HEIGHT, WIDTH), bool)]
    masks[0][0, 3:12, 2:10] = True
    figure = drawn(show.batch(detection(masks=masks), class_names=NAMES))
    colors = wash(mixed(figure))
    np.testing.assert_array_equal(colors[..., 3] > 0, masks[0][0])
    assert captions(mixed(figure)) == ["cat", "owl"]


def test_the_last_of_instances_lies_on_top():
    batch = {"image": images(1), "instance_masks": [np.ones((2, HEIGHT, WIDTH), bool)], "labels": [np.array([1, 2])]}
    red, green, blue, opacity = wash(mixed(show.batch(batch)))[10, 15].tolist()
    upper, lower = 0.35, 0.35 * 0.65
    wanted = (upper * np.array(COLORS[2]) + lower * np.array(COLORS[1])) / (upper + lower)
    np.testing.assert_allclose((red, green, blue, opacity), (*wanted, 255 * (upper + lower)), atol=1)


# ------------------------------------------------------------------------------------------------ semantic masks


def halves():
    """Sample 0 has class 1 in its left half, sample 1 has class 2 everywhere."""
    masks = np.zeros((2, HEIGHT, WIDTH), np.uint8)
    masks[0, :, :15], masks[1] = 1, 2
    return masks


OPAQUE = 255 * 0.55
"""Opacity of a class: the picture below is still to be seen."""


def full(number):
    return (*COLORS[number], OPAQUE)


@dataclass(frozen=True)
class Form:
    """How semantic masks are written."""

    name: str
    write: Any
    backend: str = "numpy"

    def __str__(self):
        return self.name


FORMS = [
    Form("ids", lambda ids: ids),
    Form("one channel", lambda ids: ids[..., None]),
    Form("maps", lambda ids: np.eye(3, dtype=np.float32)[ids]),
    Form("list", lambda ids: list(ids)),
    Form("ids", lambda ids: ids, "torch"),
    Form("one channel", lambda ids: ids[:, None], "torch"),
    Form("maps", lambda ids: np.moveaxis(np.eye(3, dtype=np.float32)[ids], -1, 1).copy(), "torch"),
]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form}-{form.backend}")
def test_masks_have_a_colour_for_every_class_but_the_background(form):
    batch = {"image": images(), "mask": form.write(halves())}
    if form.backend == "torch":
        torch = pytest.importorskip("torch")
        batch = {name: torch.from_numpy(value) for name, value in batch.items()}
        batch["image"] = batch["image"].permute(0, 3, 1, 2)
    figure = drawn(show.batch(batch, class_names=["background", "road", "sky"]))
    colors = wash(mixed(figure))
    np.testing.assert_allclose(colors[3, 3], full(1), atol=1)
    assert colors[3, 20, 3] == 0
    np.testing.assert_allclose(wash(mixed(figure, 1))[3, 20], full(2), atol=1)
    assert {"road", "sky"} <= set(texts(figure))
    assert "background" not in texts(figure)


def test_ids_without_a_name_are_numbered():
    masks = halves()
    masks[1, 0, 0] = 255
    written = texts(drawn(show.batch({"image": images(), "mask": masks}, class_names=["background", "road", "sky"])))
    assert {"road", "sky", "class 255"} <= set(written)


@pytest.mark.parametrize("form", ["pair", "soft", "dominant"])
def test_blended_masks_by_their_weight(form):
    """Both are there, by their weight; the heavier one alone where only its ids are kept."""
    transform = MixUp(masks=form, num_classes=3)
    figure = drawn(show.batch(transform.replay(blend(0.25), {"image": images(), "mask": halves()})))
    left, right = wash(mixed(figure))[3, 3], wash(mixed(figure))[3, 20]
    if form == "dominant":
        np.testing.assert_allclose(left, full(1), atol=1)
        assert right[3] == 0
    else:
        weights = 0.75 * np.array(COLORS[1]) + 0.25 * np.array(COLORS[2])
        np.testing.assert_allclose(left, (*weights, OPAQUE), atol=1)
        np.testing.assert_allclose(right, (*COLORS[2], OPAQUE / 4), atol=1)


def test_a_pair_of_masks_in_a_tuple():
    batch = MixUp(kinds={1: "mask"}).replay(blend(0.25), (images(), halves()))
    figure = drawn(show.batch(batch, kinds={1: "mask"}))
    np.testing.assert_allclose(wash(mixed(figure))[3, 20], (*COLORS[2], OPAQUE / 4), atol=1)


def test_pairs_of_masks_in_records():
    batch = (images(), [{"mask": mask} for mask in halves()])
    figure = drawn(show.batch(MixUp().replay(blend(0.25), batch)))
    np.testing.assert_allclose(wash(mixed(figure))[3, 20], (*COLORS[2], OPAQUE / 4), atol=1)


@pytest.mark.parametrize("method", [MixUp(1.0, seed=3), CutMix(seed=3)], ids=["MixUp", "CutMix"])
def test_a_plan_paints_colours_as_it_paints_images(method):
    batch = {"image": images(), "mask": halves()}
    trace = method.trace(batch)
    ahead, seen = show.batch(batch, trace.plans[0]), show.trace(trace)
    for row in range(2):
        result = wash(mixed(seen, row)).astype(int)
        shown = result[..., 3] > 0  # a colour without opacity is none
        np.testing.assert_allclose(wash(mixed(ahead, row))[shown], result[shown], atol=2)
        assert not wash(mixed(ahead, row))[~shown][:, 3].any()


# ------------------------------------------------------------------------------------------------ the hosts


def test_detection_with_torchvision():
    torch = pytest.importorskip("torch")
    tv_tensors = pytest.importorskip("torchvision.tv_tensors")
    from torchvision.transforms import v2

    from mixtransforms.torchvision import BatchCompose
    from mixtransforms.torchvision import CutMix as Mix

    boxes = tv_tensors.BoundingBoxes([[2.0, 3, 10, 12]], format="XYXY", canvas_size=(HEIGHT, WIDTH))
    samples = [
        (tv_tensors.Image(image.transpose(2, 0, 1)), {"boxes": boxes, "labels": torch.tensor([index])})
        for index, image in enumerate(images(3))
    ]
    pipe = BatchCompose([v2.RandomHorizontalFlip(), Mix(), v2.ToDtype(torch.float32, scale=True)], seed=3)
    trace = pipe.trace(samples)
    figure = drawn(show.trace(trace, NAMES))
    for each, target in zip(axes(figure, "mixed"), trace.after[1], strict=True):
        np.testing.assert_allclose(corners(each), [rectangle(*box) for box in target["boxes"].tolist()], atol=1e-5)


def test_detection_with_albumentations():
    A = pytest.importorskip("albumentations")
    from mixtransforms.albumentations import BatchCompose
    from mixtransforms.albumentations import MixUp as Mix

    samples = [{"image": image, "bboxes": np.array([[2, 3, 8, 9.0]]), "names": ["cat"]} for image in images(3)]
    pipe = BatchCompose(
        [A.HorizontalFlip(p=1.0), Mix(), A.Normalize(), A.ToTensorV2()],
        bbox_params=A.BboxParams("coco", label_fields=["names"]),
        seed=0,
    )
    figure = drawn(show.trace(pipe.trace(samples), boxes=BoxRules(format="coco", fields=("names",))))
    np.testing.assert_allclose(corners(mixed(figure)), [rectangle(20, 3, 28, 12)] * 2, atol=1e-4)
    assert all(caption.startswith("cat 0.") for caption in captions(mixed(figure)))


def test_images_of_unequal_sizes_are_padded():
    """Boxes are fractions of the image as it came, and of the padded one once they are mixed."""
    batch = [
        {"image": image, "bboxes": np.array([[0.0, 0, 0.5, 0.5]])} for image in (images()[0], images()[1, :10, :12])
    ]
    rules = BoxRules(format="albumentations")
    trace = MixUp(1.0, pad="max", boxes=rules, seed=1).trace(batch)
    for figure in (drawn(show.trace(trace, boxes=rules)), show.batch(batch, trace.plans[0], boxes=rules)):
        assert picture(mixed(figure, 1)).shape == (HEIGHT, WIDTH, 3)
        assert corners(mixed(figure, 1)) == [rectangle(0, 0, 6, 5), rectangle(0, 0, 15, 10)]
        assert corners(axes(figure, "source")[2]) == [rectangle(0, 0, 6, 5)]


def test_a_trace_of_two_batches_says_how_to_show_them():
    first, second = images(), images()
    trace = CutMix(seed=0).trace(first, second=second)
    with pytest.raises(InputError, match=r"No picture of two batches .*show\.batch\(both, trace\.plans\[0\]\)"):
        show.trace(trace)
    show.batch(np.concatenate([first, second]), trace.plans[0])  # as it says
    show.batch(trace.after)
