"""Pictures say what the plan says: structure, shares, outlines; and they draw for every kind of batch."""

import inspect
import subprocess
import sys

import numpy as np
import pytest
from figures import axes, drawn, picture, texts

from mixtransforms import (
    BatchSpec,
    Boxes,
    CutMix,
    InputError,
    LabelMix,
    LabelPair,
    Layer,
    Mask,
    MissingDependencyError,
    MixUp,
    OffAfter,
    OneOf,
    Plan,
    PlanError,
    Ramp,
    Trace,
    show,
)

pytest.importorskip("matplotlib")

NAMES = ["cat", "dog", "owl", "fox"]


def images(count=4, height=20, width=30, channels=3, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, height, width, channels), np.uint8)


def labels(count=4):
    return np.arange(count) % 4


def one_paste_one_blend(shape=(20, 30)):
    """Sample 0 gets a box of 1, sample 1 is blended with 2, samples 2 and 3 stay."""
    paste = Layer([0], [1], [1.0], Boxes([[5, 10]], [[15, 25]]))
    blend = Layer([1], [2], [0.3])
    return Plan(BatchSpec(4, shape), (paste, blend))


# ------------------------------------------------------------------------------------------------ what a tile says


def test_tiles_sources_and_bars_are_complete():
    figure = drawn(show.batch((images(), labels()), one_paste_one_blend(), NAMES))
    assert len(axes(figure, "mixed")) == 4
    assert len(axes(figure, "source")) == 2 + 2 + 1 + 1
    assert len(axes(figure, "shares")) == 4
    assert len(figure.axes) == 4 + 6 + 4
    assert not axes(figure, "result")


def test_the_words_below_name_labels_where_there_are_some():
    for batch, named in (((images(), labels()), True), (images(), False)):
        below = " ".join(texts(show.batch(batch, one_paste_one_blend())))
        assert "the share of each source in the image" in below
        assert ("and so in the label" in below) == named


def test_the_large_picture_is_what_the_plan_paints():
    batch, plan = images(), one_paste_one_blend()
    figure = show.batch((batch, labels()), plan)
    for each, wanted in zip(axes(figure, "mixed"), plan.apply(batch), strict=True):
        np.testing.assert_array_equal(picture(each), wanted)


def test_the_small_pictures_are_the_sources():
    batch = images()
    figure = show.batch((batch, labels()), one_paste_one_blend())
    for each, source in zip(axes(figure, "source"), [0, 1, 1, 2, 2, 3], strict=True):
        np.testing.assert_array_equal(picture(each), batch[source])
        assert each.texts[0].get_text() == str(source)


@pytest.mark.parametrize("method", [MixUp(alpha=1.0), CutMix(), OneOf([MixUp(alpha=1.0), CutMix()])], ids=repr)
def test_bars_and_percents_are_the_plans_shares(method):
    batch = (images(8), np.arange(8))
    plan = method.method.draw(BatchSpec(8, (20, 30)), np.random.default_rng(3))
    figure = drawn(show.batch(batch, plan))
    for row, each in enumerate(axes(figure, "shares")):
        shares = [patch.get_width() for patch in each.patches]
        wanted = plan.share[row][: len(shares)]
        np.testing.assert_allclose(shares, wanted, atol=1e-12)
        assert sum(shares) == pytest.approx(1)
    written = texts(figure)
    for row in range(8):
        for source, share in zip(plan.sources[row], plan.share[row], strict=True):
            if share > 0:
                assert any(text.startswith(f"class {source}: ") for text in written)
                assert f"class {source}: {percent(share)}" in written


def percent(share):
    return "<1%" if share < 0.005 else ">99%" if 0.995 <= share < 1 else f"{100 * share:.0f}%"


@pytest.mark.parametrize(
    ("share", "text"), [(0, "0%"), (0.001, "<1%"), (0.25, "25%"), (0.999, ">99%"), (1, "100%"), (0.006, "1%")]
)
def test_0_and_100_percent_mean_exactly_that(share, text):
    from mixtransforms.show import words

    assert words.percent(share) == text


@pytest.mark.parametrize("draw", [show.batch, show.trace, show.compare, show.explore, show.weights, show.schedule])
def test_every_argument_is_documented_once_and_before_what_is_returned(draw):
    arguments, _, rest = inspect.getdoc(draw).partition("\nReturns:\n")
    for name in inspect.signature(draw).parameters:
        assert arguments.count(f"\n    {name}: ") == 1
    assert "Raises:\n" in rest


def test_the_outline_is_the_box():
    figure = drawn(show.batch((images(), labels()), one_paste_one_blend()))
    outlines = [each.patches for each in axes(figure, "mixed")]
    assert [len(patches) for patches in outlines] == [2, 0, 0, 0]  # the box and its halo
    for patch in outlines[0]:
        # Pixel centres are whole numbers, so that a box from pixel 10 starts at 9.5.
        assert (patch.get_x(), patch.get_y(), patch.get_width(), patch.get_height()) == (9.5, 4.5, 15, 10)


def test_titles_say_what_happened():
    titles = texts(show.batch((images(), labels()), one_paste_one_blend()))
    for title in ("Sample 0: box of sample 1 pasted", "Sample 1: blended with sample 2", "Sample 2: not mixed"):
        assert title in titles


@pytest.mark.parametrize(
    ("batch", "names", "wanted"),
    [
        (lambda: (images(), labels()), NAMES, "dog: 70%"),
        (lambda: (images(), labels()), None, "class 1: 70%"),
        (lambda: (images(), np.eye(4, dtype=np.float32)), NAMES, "dog: 70%"),
        (lambda: (images(), 0.8 * np.eye(4, dtype=np.float32) + 0.05), NAMES, "dog (0.85): 70%"),
        (lambda: {"image": images(), "label": [0, 1, 2, 3]}, NAMES, "dog: 70%"),
        (lambda: (images(), np.array([0, -1, 2, 3])), NAMES, "class -1: 70%"),
        (lambda: images(), NAMES, "sample 1: 70%"),
    ],
)
def test_sources_are_named_by_their_class(batch, names, wanted):
    assert wanted in texts(show.batch(batch(), one_paste_one_blend(), names))


def test_too_few_class_names():
    with pytest.raises(InputError, match=r"Too few class names \(class_names\): got 2 names and class 2"):
        show.batch((images(), labels()), one_paste_one_blend(), NAMES[:2])


def test_names_are_shortened_to_their_place_and_never_read_as_formulas():
    names = ["Cardigan Welsh corgi, a dog that is not a Pembroke Welsh corgi", "$x^2$", "owl", "fox"]
    written = texts(drawn(show.batch((images(), labels()), one_paste_one_blend(), names)))
    assert any(text.startswith("Cardigan") and text.endswith("…: 75%") for text in written)
    assert "$x^2$: 70%" in written


def test_another_share_for_labels_is_told():
    plan = Plan(BatchSpec(2, (20, 30)), (Layer([0], [1], [0.5]),), np.array([[0.9, 0.1], [1.0, 0.0]]))
    written = texts(show.batch((images(2), labels(2)), plan, NAMES))
    assert "cat: 50% (label 90%)" in written
    assert "dog: 50% (label 10%)" in written


def test_many_sources_are_summed_up():
    layers = [Layer([0], [source], [1.0], Boxes([[0, source]], [[20, source + 1]])) for source in range(1, 8)]
    figure = drawn(show.batch((images(8), np.arange(8)), Plan(BatchSpec(8, (20, 30)), tuple(layers)), max_images=1))
    written = texts(figure)
    assert "Sample 0: mixed with 7 samples" in written
    assert any(text.startswith("4 others: ") for text in written)
    assert len(axes(figure, "source")) == 4
    assert sum(patch.get_width() for patch in axes(figure, "shares")[0].patches) == pytest.approx(1)


def test_a_mask_is_outlined():
    mask = np.zeros((1, 20, 30), bool)
    mask[0, 5:12, 3:9] = True
    plan = Plan(BatchSpec(2, (20, 30)), (Layer([0], [1], [1.0], Mask(mask)),))
    figure = drawn(show.batch((images(2), labels(2)), plan))
    (contour,) = axes(figure, "mixed")[0].collections
    np.testing.assert_allclose(contour.get_paths()[0].get_extents().extents, [2.5, 4.5, 8.5, 11.5])


@pytest.mark.parametrize("values", [np.zeros((1, 20, 30), bool), np.ones((1, 20, 30))])
def test_a_mask_without_an_edge_has_no_outline(values):
    plan = Plan(BatchSpec(2, (20, 30)), (Layer([0], [1], [0.5], Mask(values)),))
    assert not axes(drawn(show.batch(images(2), plan)), "mixed")[0].collections


def test_an_empty_box_is_not_outlined():
    plan = Plan(BatchSpec(2, (20, 30)), (Layer([0], [1], [1.0], Boxes([[3, 3]], [[3, 9]])),))
    figure = show.batch(images(2), plan)
    assert not axes(figure, "mixed")[0].patches
    assert "Sample 0: not mixed" in texts(figure)


# ------------------------------------------------------------------------------------------------ batches of all kinds


def tensors(batch):
    torch = pytest.importorskip("torch")
    return torch.from_numpy(np.ascontiguousarray(batch.transpose(0, 3, 1, 2)))


@pytest.mark.parametrize(
    "convert",
    [
        pytest.param(lambda x: x, id="uint8 HWC"),
        pytest.param(lambda x: (x / 255).astype(np.float32), id="float HWC"),
        pytest.param(lambda x: x.astype(np.uint16) * 257, id="uint16 HWC"),
        pytest.param(tensors, id="uint8 CHW"),
        pytest.param(lambda x: tensors(x).float() / 255, id="float CHW"),
        pytest.param(lambda x: (tensors(x).double() / 255).requires_grad_(), id="float64 CHW with gradients"),
    ],
)
def test_dtypes_and_layouts_look_alike(convert):
    plan = Plan(BatchSpec(4, (20, 30)), (Layer([0], [1], [1.0], Boxes([[5, 10]], [[15, 25]])),))
    wanted = plan.apply(images())
    figure = drawn(show.batch(convert(images()), plan))
    for each, mixed in zip(axes(figure, "mixed"), wanted, strict=True):
        np.testing.assert_array_equal(picture(each), mixed)


def test_half_types_are_drawn():
    torch = pytest.importorskip("torch")
    figure = drawn(show.batch(tensors(images()).to(torch.bfloat16) / 255, one_paste_one_blend()))
    assert len(axes(figure, "mixed")) == 4


def test_channels_last_tensors_by_layout():
    torch = pytest.importorskip("torch")
    plan = one_paste_one_blend()
    figure = show.batch(torch.from_numpy(images()), plan, layout="channels_last")
    np.testing.assert_array_equal(picture(axes(figure, "mixed")[0]), plan.apply(images())[0])


@pytest.mark.parametrize("channels", [1, 2, 4, 5])
def test_other_numbers_of_channels(channels):
    figure = drawn(show.batch(images(channels=channels), one_paste_one_blend()))
    assert picture(axes(figure, "mixed")[0]).shape == (20, 30, 4 if channels == 4 else 3)
    assert any(f"{channels} channels are shown as their mean" in text for text in texts(figure)) == (channels in (2, 5))


def test_images_without_channels():
    gray = images()[..., 0]
    figure = drawn(show.batch(gray, one_paste_one_blend()))
    np.testing.assert_array_equal(picture(axes(figure, "source")[0])[..., 1], gray[0])


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (7, 300)])
def test_odd_sizes(shape):
    figure = drawn(show.batch((images(3, *shape), labels(3)), CutMix(num_classes=4).plan(images(3, *shape), labels(3))))
    assert len(axes(figure, "mixed")) == 3


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_odd_counts(count):
    batch = (images(count), labels(count))
    figure = drawn(show.trace(MixUp(num_classes=4).trace(*batch), NAMES))
    assert len(axes(figure, "mixed")) == count


def test_values_outside_of_0_to_1_are_scaled_and_that_is_said():
    batch = images() / 100.0 - 1.0
    figure = drawn(show.batch(batch, one_paste_one_blend()))
    assert any("Values from -1 to 1.55 are shown from black to white." in text for text in texts(figure))
    scaled = np.rint(255 * (batch[3] - batch.min()) / (batch.max() - batch.min()))
    np.testing.assert_allclose(picture(axes(figure, "mixed")[3]), scaled, atol=1)


@pytest.mark.parametrize("value", [0.5, 7.0, np.nan, np.inf])
def test_constant_and_not_finite_images_are_drawn(value):
    drawn(show.batch(np.full((4, 20, 30, 3), value), one_paste_one_blend()))


def test_max_images():
    figure = show.batch((images(40), labels(40)), MixUp(num_classes=4).plan(images(40), labels(40)))
    assert len(axes(figure, "mixed")) == 16
    figure = show.batch((images(40), labels(40)), MixUp(num_classes=4).plan(images(40), labels(40)), max_images=3)
    assert len(axes(figure, "mixed")) == 3


def test_eight_tiles_are_as_wide_as_a_page():
    width, height = show.batch(images(8), MixUp().plan(images(8))).get_size_inches() * 100
    assert 1100 <= width <= 1300
    assert height <= 700


@pytest.mark.parametrize("value", [0, -1, 2.5, True, "8", None])
def test_no_number_of_tiles(value):
    with pytest.raises(InputError, match=r"No number of tiles \(max_images\): got .*; wanted a whole number from 1 on"):
        show.batch(images(), max_images=value)


def test_nothing_to_show():
    with pytest.raises(InputError, match="Nothing to show"):
        show.batch({"label": labels()})


def test_declared_names():
    figure = show.batch(
        {"front": images(), "id": labels()}, one_paste_one_blend(), kinds={"front": "image", "id": "label"}
    )
    assert "class 1: 70%" in texts(figure)


# ------------------------------------------------------------------------------------------------ without a plan


def test_without_a_plan_sources_are_unknown_and_the_label_is_shown():
    soft = np.array([[0.25, 0.75, 0, 0], [1, 0, 0, 0], [0, 0, 0.5, 0.5], [0.1, 0.2, 0.3, 0.4]], np.float32)
    figure = drawn(show.batch((images(), soft), class_names=NAMES))
    written = texts(figure)
    assert "Sources are unknown without a plan" in " ".join(written)
    assert {"dog: 75%", "cat: 25%", "cat: 100%", "fox: 40%"} <= set(written)
    assert not axes(figure, "source")


def test_a_label_pair_is_shown():
    pair = LabelPair(labels(), labels()[::-1].copy(), np.full(4, 0.75, np.float32))
    assert {"cat: 75%", "fox: 25%"} <= set(texts(show.batch((images(), pair), class_names=NAMES)))


def test_a_label_mix_is_shown():
    mix = LabelMix(np.stack([labels(), labels()[::-1]], axis=1), np.full((4, 2), [0.75, 0.25], np.float32))
    assert {"cat: 75%", "dog: 75%"} <= set(texts(drawn(show.batch((images(), mix), class_names=NAMES))))


def test_masks_of_several_sources_are_no_maps_of_classes():
    batch = {"image": images(), "mask": np.zeros(images().shape[:3], np.uint8)}
    batch["mask"][:, :2] = 1
    assert all(len(each.get_images()) == 2 for each in drawn(show.batch(batch)).axes)
    mixed = MixUp(masks="mix", seed=0)(batch)
    assert all(len(each.get_images()) == 1 for each in drawn(show.batch(mixed)).axes)


def test_more_classes_than_a_tile_holds():
    written = texts(drawn(show.batch((images(1), np.full((1, 10_000), 1e-4, np.float32)))))
    assert "9996 others: >99%" in written


def test_a_batch_without_labels_has_no_bars():
    figure = drawn(show.batch(images()))
    assert len(figure.axes) == 4


def test_a_mixed_batch_with_its_plan_is_refused():
    batch = (images(), LabelPair(labels(), labels(), np.ones(4, np.float32)))
    with pytest.raises(InputError, match="mixed already"):
        show.batch(batch, one_paste_one_blend())


def test_the_plan_of_another_batch():
    with pytest.raises(PlanError, match="another batch"):
        show.batch(images(5), one_paste_one_blend())


# ------------------------------------------------------------------------------------------------ traces


@pytest.mark.parametrize("options", [{}, {"inplace": True}, {"keep_originals": True}, {"labels": "pair"}])
def test_a_trace_shows_its_mix(options):
    batch = images()
    wanted = batch.copy()
    trace = CutMix(num_classes=4, seed=3, **options).trace(batch, labels())
    figure = drawn(show.trace(trace, NAMES, title="A title"))
    for each, mixed in zip(axes(figure, "mixed"), trace.plans[0].apply(wanted), strict=True):
        np.testing.assert_array_equal(picture(each), mixed)
    assert "A title" in texts(figure)
    assert not axes(figure, "result")


def test_the_samples_before_the_mix_come_first():
    trace = CutMix(num_classes=4, seed=3).trace(images(), labels())
    figure = drawn(show.trace(trace, NAMES))
    for row, each in enumerate(axes(figure, "before")):
        np.testing.assert_array_equal(picture(each), images()[row])
    assert [text for text in texts(figure) if text in ("0: cat", "1: dog", "2: owl", "3: fox")] == [
        "0: cat",
        "1: dog",
        "2: owl",
        "3: fox",
    ]
    assert {"Before the mix", "Mixed by CutMix"} <= set(texts(figure))


class Later:
    """A transform behind a mix."""


def then(trace, after):
    """The call of a pipeline that goes on behind a mix."""
    return Trace(trace.steps, after, (*trace.transforms, Later()))


def together(first, second):
    """The call of a pipeline of two mixes."""
    return Trace((*first.steps, *second.steps), second.after, (*first.transforms, *second.transforms))


@pytest.mark.parametrize(
    "change", [lambda mixed: mixed[:, :, ::-1], lambda mixed: mixed[:, ::2], lambda mixed: mixed // 2]
)
def test_what_later_transforms_make_of_the_images_is_shown_last(change):
    trace = CutMix(num_classes=4, seed=3).trace(images(), labels())
    mixed, soft = trace.after
    figure = drawn(show.trace(then(trace, (change(mixed), soft)), NAMES))
    assert "Result, after Later" in texts(figure)
    for row in range(4):
        np.testing.assert_array_equal(picture(axes(figure, "mixed")[row]), mixed[row])
        np.testing.assert_array_equal(picture(axes(figure, "result")[row]), change(mixed)[row])


def test_originals_that_are_kept_are_not_taken_for_the_result():
    trace = MixUp(1.0, num_classes=4, seed=3, keep_originals=True).trace(images(), labels())
    after, soft = trace.after
    figure = drawn(show.trace(then(trace, (after[:, ::-1], soft)), NAMES))
    shown = axes(figure, "result")
    assert len(shown) == 4
    for row, each in enumerate(shown):
        np.testing.assert_array_equal(picture(each), after[4 + row, ::-1])
    bars = axes(figure, "shares")[4:]
    widths = [sorted(patch.get_width() for patch in bar.patches) for bar in bars]
    np.testing.assert_allclose(widths, [sorted(row[row > 0]) for row in soft[4:]])
    said = " ".join(texts(figure)).split("Result, after Later")[1]
    assert f"{(soft[4:].max(axis=1) < 0.75).sum()} of 4 samples are heavily mixed" in said


def test_a_result_that_is_no_picture_any_more():
    trace = CutMix(num_classes=4, seed=3).trace(images(), labels())
    figure = drawn(show.trace(then(trace, (np.zeros((4, 10)), trace.after[1]))))
    assert any("The result cannot be drawn" in text for text in texts(figure))
    assert len(axes(figure, "mixed")) == 4


@pytest.mark.parametrize("change", [lambda mixed: (mixed / 255).astype(np.float32), lambda mixed: mixed])
def test_a_conversion_is_not_shown_again(change):
    trace = CutMix(num_classes=4, seed=3).trace(images(), labels())
    figure = show.trace(then(trace, (change(trace.after[0]), trace.after[1])))
    assert not axes(figure, "result")


def test_every_mix_is_a_stage():
    first = MixUp(1.0, num_classes=4, seed=1).trace(images(), labels())
    second = CutMix(seed=2).trace(*first.after)
    figure = drawn(show.trace(together(first, second), NAMES))
    assert {"1. Mixed by MixUp", "2. Mixed by CutMix"} <= set(texts(figure))
    shown, bars = axes(figure, "mixed"), axes(figure, "shares")
    for number, trace in enumerate((first, second)):
        for row in range(4):
            np.testing.assert_array_equal(picture(shown[4 * number + row]), trace.after[0][row])
            shares = [patch.get_width() for patch in bars[4 * number + row].patches]
            share = trace.plans[0].share[row]
            np.testing.assert_allclose(shares, share[share > 0])
    sources = axes(figure, "source")
    np.testing.assert_array_equal(
        picture(sources[-2]), first.after[0][3], "the second mix starts with what the first made"
    )


def test_one_transform_may_stand_twice_in_a_pipeline():
    mix = MixUp(1.0, num_classes=4, seed=1)
    first = mix.trace(images(), labels())
    second = mix.trace(*first.after)
    assert not axes(drawn(show.trace(together(first, second))), "result")


def test_a_mix_of_originals_and_mixed_samples():
    first = MixUp(num_classes=4, seed=1, keep_originals=True).trace(images(), labels())
    second = CutMix(seed=2).trace(*first.after)
    figure = drawn(show.trace(together(first, second), NAMES))
    assert len(axes(figure, "mixed")) == 4 + 8
    np.testing.assert_array_equal(picture(axes(figure, "mixed")[11]), second.after[0][7])


def test_a_pipeline_without_a_mix():
    figure = drawn(show.trace(Trace((), (images(), labels())), NAMES))
    assert "cat: 100%" in texts(figure)
    assert any("Nothing mixes in this pipeline." in text for text in texts(figure))


def test_later_steps_do_not_change_what_a_trace_holds():
    torch = pytest.importorskip("torch")
    pytest.importorskip("torchvision")
    from torchvision.transforms import v2

    from mixtransforms import torchvision as door

    steps = [v2.ToDtype(torch.float32, scale=True), door.MixUp(1.0), door.CutMix(inplace=True)]
    pipe = door.BatchCompose([*steps, v2.Normalize([0.5], [0.1], inplace=True)], seed=1)
    trace = pipe.trace(list(tensors(images())))
    replayed = trace.steps[0].before
    for step in trace.steps:
        np.testing.assert_array_equal(step.before, replayed)
        replayed = step.plan.apply(step.before)
        np.testing.assert_array_equal(step.after, replayed)
    np.testing.assert_allclose(trace.after, (replayed - 0.5) / 0.1, rtol=1e-5, atol=1e-5)


def test_the_torchvision_door():
    torch = pytest.importorskip("torch")
    pytest.importorskip("torchvision")
    from torchvision.transforms import v2

    from mixtransforms.torchvision import BatchCompose
    from mixtransforms.torchvision import CutMix as Mix

    pipe = BatchCompose([v2.RandomCrop(16), Mix(num_classes=4), v2.ToDtype(torch.float32, scale=True)], seed=3)
    trace = pipe.trace([(image, int(label)) for image, label in zip(tensors(images()), labels(), strict=True)])
    figure = drawn(show.trace(trace, NAMES))
    mixed = trace.plans[0].apply(trace.before[0]).numpy().transpose(0, 2, 3, 1)
    np.testing.assert_array_equal(picture(axes(figure, "mixed")[2]), mixed[2])
    assert not axes(figure, "result")


def test_the_albumentations_door():
    A = pytest.importorskip("albumentations")
    from mixtransforms.albumentations import BatchCompose
    from mixtransforms.albumentations import CutMix as Mix

    pipe = BatchCompose([A.RandomCrop(16, 16), Mix(num_classes=4), A.Normalize()], seed=3)
    samples = [{"image": image, "label": int(label)} for image, label in zip(images(), labels(), strict=True)]
    trace = pipe.trace(samples)
    figure = drawn(show.trace(trace, NAMES))
    np.testing.assert_array_equal(picture(axes(figure, "mixed")[2]), trace.plans[0].apply(trace.before["image"])[2])
    assert not axes(figure, "result"), "Normalize is undone, and nothing else is new"


# ------------------------------------------------------------------------------------------------ matplotlib


def test_notebooks_get_a_png():
    figure = show.batch(images(), one_paste_one_blend())
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_files_are_equal_from_run_to_run(tmp_path):
    for name in ("a.png", "b.png"):
        show.batch((images(), labels()), one_paste_one_blend(), NAMES).savefig(tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_matplotlib_is_loaded_when_it_draws_and_pyplot_never():
    code = """
import sys, numpy as np
from mixtransforms import MixUp, show
assert "matplotlib" not in sys.modules
images = np.zeros((2, 8, 8, 3), np.uint8)
show.batch(images, MixUp().plan(images)).canvas.draw()
assert "matplotlib" in sys.modules and "matplotlib.pyplot" not in sys.modules
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


@pytest.mark.parametrize("draw", [lambda: show.batch(images()), lambda: show.trace(Trace((), images()))])
def test_without_matplotlib(monkeypatch, draw):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingDependencyError, match=r'pip install "matplotlib>=3\.8"'):
        draw()


def curve(figure, name):
    """The dots of one schedule."""
    (found,) = axes(figure, "schedule")
    color = {line.get_label(): line.get_color() for line in found.lines}[name]
    (dots,) = [line for line in found.lines if line.get_marker() == "." and line.get_color() == color]
    return dots.get_xdata().tolist(), dots.get_ydata().tolist()


def test_schedules_are_drawn_epoch_by_epoch():
    ramp, off = Ramp(0, 0.4, 1, 5), OffAfter(1, 3)
    figure = drawn(show.schedule({"alpha": ramp, "p": off}, epochs=9, title="How much"))
    epochs = list(range(9))
    assert curve(figure, "alpha") == (epochs, [ramp(epoch) for epoch in epochs])
    assert curve(figure, "p") == (epochs, [off(epoch) for epoch in epochs])
    (found,) = axes(figure, "schedule")
    assert [text.get_text() for text in found.get_legend().get_texts()] == ["alpha", "p"]
    assert found.get_title(loc="left") == "How much"


def test_a_schedule_is_drawn_to_its_end():
    epochs, values = curve(drawn(show.schedule(Ramp(0, 1, 0, 8))), "value")
    assert epochs == list(range(11))
    assert values[8:] == [1, 1, 1]
    (found,) = axes(drawn(show.schedule(Ramp(0, 1, 0, 5000))), "schedule")
    assert len(found.lines) == 1, "thousands of dots are a line"


@pytest.mark.parametrize("given", [{}, 0.4, MixUp(), {"alpha": 0.4}])
def test_no_schedule_to_draw(given):
    with pytest.raises(InputError, match=r"No schedule to draw \(show\.schedule\).*Ramp\(0, 0\.4, 0, 5\)"):
        show.schedule(given)


@pytest.mark.parametrize("epochs", [0, -1, 2.0, True])
def test_no_epochs_to_draw(epochs):
    with pytest.raises(InputError, match=rf"No epochs to draw \(show\.schedule\): got epochs={epochs}"):
        show.schedule(Ramp(0, 1, 0, 5), epochs)
