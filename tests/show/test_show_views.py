"""Pictures of videos, volumes, signals and spectrograms; Normalize undone; pipelines side by side; files."""

import sys

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="matplotlib is not installed")

from figures import axes, drawn, picture, texts

from mixtransforms import CutMix, MixUp, OneOf, show
from mixtransforms.core.errors import InputError
from mixtransforms.mixing.trace import Step, Trace
from mixtransforms.plan import BatchSpec, Boxes, Layer, Plan

RNG = np.random.default_rng(0)


def rectangles(each):
    """Outlines without their halos: left, top, right, bottom edge in pixels."""
    found = [patch for patch in each.patches if type(patch).__name__ == "Rectangle"][1::2]
    return [
        (p.get_x() + 0.5, p.get_y() + 0.5, p.get_x() + p.get_width() + 0.5, p.get_y() + p.get_height() + 0.5)
        for p in found
    ]


def pasted(shape, start, stop):
    """A plan for two samples that pastes the second into the first."""
    return Plan(BatchSpec(2, shape), (Layer([0], [1], [1.0], Boxes([start], [stop])),))


# ------------------------------------------------------------------------------------------------ videos, volumes


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 12])
def test_frames_of_a_video_stand_side_by_side(count):
    video = RNG.integers(0, 256, (2, count, 6, 5, 3), np.uint8)
    figure = drawn(show.batch(video, layout="BTHWC"))
    seen = picture(axes(figure, "mixed")[0])
    shown = min(count, 4)
    assert seen.shape == (6, 5 * shown + 2 * (shown - 1), 3)
    numbers = np.unique(np.linspace(0, count - 1, shown).round().astype(int))
    for place, number in enumerate(numbers):
        np.testing.assert_array_equal(seen[:, 7 * place : 7 * place + 5], video[0, number])
    assert {0, count - 1} <= set(numbers.tolist())
    assert any(f"{shown} of {count} frames are shown" in text for text in texts(figure))


def test_volumes_show_slices():
    figure = drawn(show.batch(RNG.random((2, 9, 6, 5)), layout="BDHW"))
    assert any("4 of 9 slices are shown" in text for text in texts(figure))


def test_typed_videos_need_no_layout():
    torch = pytest.importorskip("torch")
    tv_tensors = pytest.importorskip("torchvision.tv_tensors")
    video = tv_tensors.Video(torch.randint(0, 256, (2, 5, 3, 8, 6), dtype=torch.uint8))
    seen = picture(axes(drawn(show.batch(video)), "mixed")[1])
    np.testing.assert_array_equal(seen[:, :6], video[1, 0].numpy().transpose(1, 2, 0))
    np.testing.assert_array_equal(seen[:, -6:], video[1, -1].numpy().transpose(1, 2, 0))


def test_a_box_in_space_is_outlined_on_every_frame():
    video = RNG.integers(0, 256, (2, 4, 20, 30, 3), np.uint8)
    figure = show.batch(video, pasted((20, 30), (3, 5), (9, 25)), layout="BTHWC")
    assert rectangles(axes(figure, "mixed")[0]) == [(5 + 32 * k, 3, 25 + 32 * k, 9) for k in range(4)]


def test_a_box_in_time_is_outlined_on_the_frames_that_it_reaches():
    video = RNG.integers(0, 256, (2, 4, 20, 30, 3), np.uint8)
    plan = pasted((4, 20, 30), (1, 3, 5), (3, 9, 25))
    figure = drawn(show.batch(video, plan, layout="BTHWC", axes="cube"))
    assert rectangles(axes(figure, "mixed")[0]) == [(5 + 32 * k, 3, 25 + 32 * k, 9) for k in (1, 2)]
    seen = picture(axes(figure, "mixed")[0])
    for frame in range(4):  # the strip is what was painted
        want = video[0, frame].copy()
        if frame in (1, 2):
            want[3:9, 5:25] = video[1, frame, 3:9, 5:25]
        np.testing.assert_array_equal(seen[:, 32 * frame : 32 * frame + 30], want)


def test_a_trace_knows_layout_and_axes_of_its_transform():
    video = RNG.integers(0, 256, (3, 4, 20, 30, 3), np.uint8)
    trace = CutMix(layout="BTHWC", axes="temporal", seed=1).trace(video)
    figure = drawn(show.trace(trace))
    layer = trace.plans[0].layers[0]
    for row, start, stop in zip(layer.rows, layer.region.start[:, 0], layer.region.stop[:, 0], strict=True):
        wanted = [(32 * k, 0, 32 * k + 30, 20) for k in range(start, stop)]
        assert rectangles(axes(figure, "mixed")[row]) == wanted


def test_masks_and_boxes_of_videos_are_left_out_and_that_is_said():
    torch = pytest.importorskip("torch")
    tv_tensors = pytest.importorskip("torchvision.tv_tensors")
    video = tv_tensors.Video(torch.zeros(2, 5, 3, 8, 8))
    batch = {"video": video, "mask": tv_tensors.Mask(torch.ones(2, 5, 8, 8, dtype=torch.uint8))}
    assert any("drawn on images only" in text for text in texts(drawn(show.batch(batch))))


@pytest.mark.parametrize(("shape", "layout"), [((2, 3, 4, 5, 6), "BTDHW"), ((2, 5, 6), "BFC"), ((2, 5, 6, 7), "BFHW")])
def test_axes_of_which_there_is_no_picture(shape, layout):
    with pytest.raises(InputError, match=rf"Not pictures \(batch\): got shape .*axes {layout}; wanted images, videos"):
        show.batch(np.zeros(shape), layout=layout, axes=layout[2])


# ------------------------------------------------------------------------------------------------ signals, spectrograms


def inked(seen):
    """Which pixels of a signal's picture are not white."""
    return (seen != 255).any(axis=-1)


@pytest.mark.parametrize("length", [1, 7, 192, 5000])
def test_a_signal_is_drawn_from_its_lowest_to_its_highest_value(length):
    signal = np.sin(np.linspace(0, 20, length))[None].repeat(2, axis=0)
    signal[1] = -signal[0]
    figure = drawn(show.batch(signal, layout="BT"))
    for row in range(2):
        ink = inked(picture(axes(figure, "mixed")[row]))
        low, high = signal.min(), signal.max()
        for x in range(192):
            part = signal[row, x * length // 192 : max(x * length // 192 + 1, (x + 1) * length // 192)]
            rows = np.rint(95 * (1 - (part - low) / ((high - low) or 1)))
            drawn_rows = np.flatnonzero(ink[:, x])
            assert drawn_rows.min() <= rows.min()
            assert drawn_rows.max() >= rows.max()
            if x == 0:
                assert (drawn_rows.min(), drawn_rows.max()) == (rows.min(), rows.max())
    if length > 1:
        assert "are shown from the bottom to the top" in " ".join(texts(figure))


def test_channels_of_a_signal_have_lanes_and_too_many_are_averaged():
    signal = np.zeros((1, 2, 50))
    signal[0, 0], signal[0, 1] = 1.0, 0.0
    ink = inked(picture(axes(drawn(show.batch(signal, layout="BCT")), "mixed")[0]))
    assert np.flatnonzero(ink.any(axis=1)).tolist() == [0, 95], "the first at the top of its lane, the second below"
    figure = drawn(show.batch(np.zeros((1, 5, 50)), layout="BCT"))
    assert any("5 channels are shown as their mean." in text for text in texts(figure))


def test_a_span_of_a_signal_is_outlined():
    figure = drawn(show.batch(RNG.random((2, 384)), pasted((384,), (96,), (192,)), layout="BT"))
    assert rectangles(axes(figure, "mixed")[0]) == [(48, 0, 96, 96)]


def test_spectrograms_have_low_frequencies_at_the_bottom():
    sound = np.zeros((2, 10, 40))
    sound[0, 1] = 1.0
    seen = picture(axes(drawn(show.batch(sound, layout="BFT")), "mixed")[0])
    assert seen.shape == (10, 40, 3)
    brightest = seen.sum(axis=(1, 2)).argmax()
    assert brightest == 8, "the second from below"
    assert len(np.unique(seen.reshape(-1, 3), axis=0)) == 2


def test_a_box_of_time_and_frequency_is_outlined():
    plan = pasted((10, 40), (1, 4), (3, 20))
    figure = drawn(show.batch(RNG.random((2, 10, 40)), plan, layout="BFT", axes="FT"))
    assert rectangles(axes(figure, "mixed")[0]) == [(4, 7, 20, 9)]


# ------------------------------------------------------------------------------------------------ Normalize


MEAN, STD = (0.5, 0.4, 0.3), (0.2, 0.25, 0.3)


def images(count=4):
    return np.random.default_rng(1).integers(0, 256, (count, 20, 30, 3), np.uint8)


def normal(batch):
    return ((batch / 255 - MEAN) / STD).astype(np.float32)


class Normalize:
    """What both hosts call it."""

    def __init__(self, mean=MEAN, std=STD, **more):
        self.mean, self.std = mean, std
        vars(self).update(more)


class Compose:
    def __init__(self, *transforms):
        self.transforms = transforms


class RandomApply(Compose):
    """Leaves open what it has done."""


@pytest.mark.parametrize(
    "normalized",
    [
        (MEAN, STD),
        [list(MEAN), np.array(STD)],
        Normalize(),
        Compose("a flip", Compose(Normalize())),
        ["a flip", Normalize(), "a crop"],
        Normalize(p=1.0, normalization="standard"),
    ],
)
def test_what_normalize_did_is_undone(normalized):
    figure = drawn(show.batch(normal(images()), normalized=normalized))
    for row in range(4):
        np.testing.assert_allclose(picture(axes(figure, "mixed")[row]), images()[row], atol=1)
    written = " ".join(texts(figure))
    assert "Normalize is undone in the picture." in written
    assert "are shown from black to white" not in written


def test_with_a_plan_too():
    plan = MixUp(1.0, seed=1).plan(images())
    figure = drawn(show.batch(normal(images()), plan, normalized=(MEAN, STD)))
    for row in range(4):
        np.testing.assert_allclose(picture(axes(figure, "mixed")[row]), plan.apply(images())[row], atol=1)
        np.testing.assert_allclose(picture(axes(figure, "source")[2 * row]), images()[row], atol=1)


def test_one_number_for_all_channels():
    figure = drawn(show.batch(images() / 51 - 2, normalized=(0.4, 0.2)))
    np.testing.assert_allclose(picture(axes(figure, "mixed")[0]), images()[0], atol=1)


def test_integers_were_never_normalised():
    figure = drawn(show.batch(images(), normalized=(MEAN, STD)))
    np.testing.assert_array_equal(picture(axes(figure, "mixed")[0]), images()[0])
    assert not any("undone" in text for text in texts(figure))


@pytest.mark.parametrize(
    "normalized",
    [
        "imagenet",
        [],
        RandomApply(Normalize()),
        Normalize(p=0.5),
        Normalize(normalization="min_max"),
        Compose("a flip", "a crop"),
        ["a flip", "a crop"],
        ("mean", "std"),
    ],
)
def test_nothing_to_undo(normalized):
    with pytest.raises(
        InputError, match=r"Nothing to undo \(normalized\): got .* without a Normalize that always runs"
    ):
        show.batch(normal(images()), normalized=normalized)


def test_a_normalize_of_other_channels():
    with pytest.raises(InputError, match=r"A Normalize of other channels \(batch\): got 3 channels, a mean of 2"):
        show.batch(normal(images()), normalized=((0.5, 0.5), (1.0, 1.0)))


@pytest.mark.parametrize("host", ["torchvision", "albumentations"])
@pytest.mark.parametrize("first", [False, True], ids=["behind the mix", "before the mix"])
def test_a_trace_undoes_the_normalize_of_its_pipeline(host, first):
    pytest.importorskip(host)
    if host == "torchvision":
        import torch
        from torchvision.transforms import v2

        from mixtransforms.torchvision import BatchCompose
        from mixtransforms.torchvision import CutMix as Mix

        convert, normalize = v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)
        samples = [torch.from_numpy(image).permute(2, 0, 1) for image in images()]
        steps = [convert, normalize, Mix(seed=3)] if first else [Mix(seed=3), convert, normalize]
    else:
        import albumentations as A

        from mixtransforms.albumentations import BatchCompose
        from mixtransforms.albumentations import CutMix as Mix

        samples = [{"image": image} for image in images()]
        normalize = A.Normalize(MEAN, STD)
        steps = [normalize, Mix(seed=3)] if first else [Mix(seed=3), normalize]
    trace = BatchCompose(steps).trace(samples)
    figure = drawn(show.trace(trace))
    mixed = trace.plans[0].apply(images())
    for row in range(4):
        np.testing.assert_allclose(picture(axes(figure, "mixed")[row]), mixed[row], atol=1)
        np.testing.assert_allclose(picture(axes(figure, "before")[row]), images()[row], atol=1)
    assert not axes(figure, "result"), "but for Normalize it is what was mixed"
    assert any("Normalize is undone" in text for text in texts(figure)) == first


def test_two_normalizes_are_undone_in_turn():
    batch = (normal(images()) - 0.5) / 2.0
    figure = drawn(show.batch(batch, normalized=[Normalize(), Normalize((0.5,), (2.0,))]))
    np.testing.assert_allclose(picture(axes(figure, "mixed")[0]), images()[0], atol=1)


# ------------------------------------------------------------------------------------------------ how much is smoothed


def sentence(figure):
    (found,) = [text for text in " ".join(texts(figure)).split(". ") if "heavily mixed" in text]
    return found


def test_smoothing_is_that_of_the_labels():
    plan = Plan(BatchSpec(4, (20, 30)), (Layer([0, 1, 2], [1, 0, 3], [0.5, 0.25, 0.3]),))
    figure = show.batch((images(), np.array([0, 1, 2, 2])), plan, title="A figure")
    # Samples 2 and 3 are of one class, sample 1 has 75 % of its own.
    said = sentence(figure)
    assert "1 of 4 samples is heavily mixed, with less than 75% of any one class" in said


def test_smoothing_without_labels_is_that_of_the_samples():
    plan = Plan(BatchSpec(4, (20, 30)), (Layer([0, 1, 2], [1, 0, 3], [0.5, 0.25, 0.3]),))
    said = sentence(show.batch(images(), plan))
    assert "2 of 4 samples are heavily mixed, with less than 75% of any one sample" in said


def test_smoothing_of_soft_labels_alone():
    soft = np.array([[1, 0, 0], [0.5, 0.5, 0], [0, 0.25, 0.75], [0, 0, 0]])
    said = sentence(show.batch((images(), soft)))
    assert "2 of 4 samples are heavily mixed" in said  # a row without a class has none of 75%


# ------------------------------------------------------------------------------------------------ side by side


def pipelines():
    return {"soft": MixUp(1.0, num_classes=4, seed=1), "hard": CutMix(num_classes=4, seed=2)}


def test_pipelines_are_laid_over_the_same_samples():
    batch = (images(), np.arange(4))
    figure = drawn(show.compare(pipelines(), batch, max_images=3, title="Two ways"))
    assert {"soft", "hard", "Two ways"} <= set(texts(figure))
    shown = axes(figure, "mixed")
    assert len(shown) == 6
    places = [each.get_position() for each in shown]
    assert [round(place.x0, 6) for place in places[:3]] == [round(place.x0, 6) for place in places[3:]]
    for number, pipeline in enumerate(pipelines().values()):
        mixed = pipeline(batch)[0]
        for row in range(3):
            np.testing.assert_array_equal(picture(shown[3 * number + row]), mixed[row])
    assert not axes(figure, "source")
    np.testing.assert_array_equal(batch[0], images())


def test_pipelines_that_work_in_place_leave_the_samples_alone():
    batch = images()
    ways = [MixUp(1.0, seed=1, inplace=True), MixUp(1.0, seed=1)]
    first, second = np.split(np.array([picture(each) for each in axes(show.compare(ways, batch), "mixed")]), 2)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(batch, images())


def test_a_list_is_named_by_what_is_in_it():
    figure = show.compare([MixUp(1.0, seed=1), OneOf([MixUp(), CutMix()], seed=2)], images())
    assert {"1. MixUp(alpha=1.0, seed=1)", "2. OneOf(transforms=(MixUp(), CutMix()), seed=2)"} <= set(texts(figure))


def test_named_values_are_compared_in_albumentations_too():
    door = pytest.importorskip("mixtransforms.albumentations", exc_type=ImportError)
    batch = {"images": images(), "labels": np.arange(4)}
    figure = show.compare([door.MixUp(num_classes=4, seed=1), MixUp(num_classes=4, seed=1)], batch)
    first, second = np.split(np.array([picture(each) for each in axes(figure, "mixed")]), 2)
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("given", [{}, [], MixUp(), "soft", [MixUp(), "soft"], {"soft": 3}, [np.eye(2)]])
def test_nothing_to_compare(given):
    with pytest.raises(
        InputError, match=r"Nothing to compare \(show\.compare\): got .*; wanted pipelines or transforms"
    ):
        show.compare(given, images())


# ------------------------------------------------------------------------------------------------ files and words


def test_save_writes_the_figure(tmp_path):
    plan = MixUp(1.0, seed=1).plan(images())
    figure = show.batch(images(), plan, save=tmp_path / "batch.png")
    assert (tmp_path / "batch.png").read_bytes() == figure._repr_png_()
    show.trace(MixUp(1.0).trace(images()), save=str(tmp_path / "trace.svg"))
    show.compare([MixUp(seed=1)], images(), save=tmp_path / "compare.pdf")
    assert all((tmp_path / name).stat().st_size for name in ("trace.svg", "compare.pdf"))


def test_pictures_say_in_words_what_is_on_them(tmp_path):
    Image = pytest.importorskip("PIL.Image")
    plan = pasted((20, 30), (0, 0), (10, 30))
    figure = show.batch((images(2), np.array([1, 0])), plan, ["a café", "b"], save=tmp_path / "a.png", title="Title")
    with Image.open(tmp_path / "a.png") as opened:
        said = opened.text["Description"]
    assert said == figure.alt
    assert said.startswith("Title. Sample 0: box of sample 1 pasted (b 50%, a café 50%). Sample 1: not mixed")
    figure.savefig(tmp_path / "a.svg")
    assert "box of sample 1 pasted" in (tmp_path / "a.svg").read_text()
    figure.savefig(tmp_path / "b.png", metadata={"Author": "me"})
    with Image.open(tmp_path / "b.png") as opened:
        assert (opened.text["Author"], opened.text["Description"]) == ("me", said)


def test_words_are_the_users_own_where_he_gives_some(tmp_path):
    Image = pytest.importorskip("PIL.Image")
    show.batch(images()).savefig(tmp_path / "a.png", metadata={"Description": "mine"})
    with Image.open(tmp_path / "a.png") as opened:
        assert opened.text["Description"] == "mine"


def test_a_trace_is_put_into_words():
    trace = MixUp(1.0, seed=1).trace(images())
    assert repr(Trace(trace.steps, trace.after, ("a flip", *trace.transforms))) == (
        "Trace(str, MixUp; 1 mixed: before, plans, after)"
    )
    before, (plan,), after = trace
    assert isinstance(trace.steps[0], Step)
    assert (before is trace.before, plan is trace.plans[0], after is trace.after) == (True, True, True)


def test_nothing_of_pyplot_is_loaded():
    show.batch(images())
    assert "matplotlib.pyplot" not in sys.modules


# ------------------------------------------------------------------------------------------------ what a reader must not miss


class Flip:
    """A transform behind a mix."""


def then(trace, after, *later):
    return Trace(trace.steps, after, (*trace.transforms, *later))


class Sequential(Compose):
    """Albumentations' own runs half of the time where nobody says otherwise."""

    def __init__(self, *transforms, p=1.0):
        super().__init__(*transforms)
        self.p = p


class Grayscale:
    """Makes channels of other channels."""


@pytest.mark.parametrize(
    "container",
    [
        Sequential(Normalize(), p=0.5),
        Compose(Normalize(), Grayscale()),
        Compose(Normalize(), RandomApply(Compose(Grayscale()))),
    ],
)
def test_what_may_not_have_run_or_cannot_be_told_is_not_undone(container):
    with pytest.raises(InputError, match="Nothing to undo"):
        show.batch(normal(images()), normalized=container)


def test_a_normalize_that_always_runs_in_a_container():
    figure = drawn(show.batch(normal(images()), normalized=Sequential(Normalize(), p=1.0)))
    np.testing.assert_allclose(picture(axes(figure, "mixed")[0]), images()[0], atol=1)


def test_what_stands_behind_a_change_of_channels_is_undone():
    batch = normal(images())
    figure = drawn(show.batch(batch, normalized=[Normalize((9.0,), (9.0,)), Compose(Grayscale(), Normalize())]))
    np.testing.assert_allclose(picture(axes(figure, "mixed")[0]), images()[0], atol=1)


def test_a_float_mix_in_front_of_its_normalize_is_drawn_as_it_is():
    batch = (images() / 255).astype(np.float32)
    trace = MixUp(1.0, seed=1).trace(batch)
    figure = drawn(show.trace(then(trace, ((trace.after - MEAN) / STD).astype(np.float32), Normalize())))
    mixed = trace.plans[0].apply(batch)
    for row in range(4):
        np.testing.assert_allclose(picture(axes(figure, "mixed")[row]), 255 * mixed[row], atol=1)
    assert not axes(figure, "result")


def test_a_mix_that_stands_twice_knows_what_is_between():
    mix = MixUp(1.0, seed=1)
    first = mix.trace((images() / 255).astype(np.float32))
    second = mix.trace(((first.after - MEAN) / STD).astype(np.float32))
    figure = drawn(show.trace(Trace((*first.steps, *second.steps), second.after, (mix, Normalize(), mix))))
    wanted = second.after * STD + MEAN
    for row in range(4):
        np.testing.assert_allclose(picture(axes(figure, "mixed")[4 + row]), 255 * wanted[row], atol=1)
    assert not axes(figure, "result")


def test_channels_that_a_later_transform_has_changed_are_left_alone():
    """A pipeline's own Normalize of three channels is no reason to refuse one."""
    trace = MixUp(1.0, seed=1).trace(images()[..., :1].astype(np.float32) / 255)
    drawn(show.trace(Trace(trace.steps, trace.after, (Normalize(), *trace.transforms))))


def test_a_missing_scale_is_a_result_of_its_own():
    batch = images()
    batch[:, 0, 0], batch[:, 0, 1] = 0, 255  # so that the pictures are equal
    trace = MixUp(1.0, seed=1).trace(batch)
    figure = drawn(show.trace(then(trace, trace.after.astype(np.float32), Flip())))
    assert len(axes(figure, "result")) == 4
    assert "Values from" in " ".join(texts(figure))


def test_boxes_that_a_later_transform_drops_are_a_result_of_their_own():
    boxes = [np.array([[2.0, 3, 10, 12], [12, 4, 14, 6]])] * 4
    trace = MixUp(1.0, seed=1).trace({"image": images(), "bboxes": boxes, "labels": [np.array([0, 1])] * 4})
    kept = {**trace.after}
    for name in ("bboxes", "labels", "box_weights"):
        kept[name] = [each[:1] for each in trace.after[name]]
    assert len(axes(drawn(show.trace(then(trace, kept, Flip()))), "result")) == 4
    assert not axes(drawn(show.trace(then(trace, trace.after, Flip()))), "result")


def test_sources_stand_in_the_order_of_their_shares():
    parts = [(1, 0, 6), (2, 6, 18), (3, 18, 21)]
    layers = tuple(Layer([0], [s], [1.0], Boxes([[0, left]], [[20, right]])) for s, left, right in parts)
    figure = drawn(show.batch(images(), Plan(BatchSpec(4, (20, 30)), layers), max_images=1))
    widths = [patch.get_width() for patch in axes(figure, "shares")[0].patches]
    np.testing.assert_allclose(widths, [0.3, 0.4, 0.2, 0.1])
    assert "Sample 0: mixed with samples 2, 1, 3" in texts(figure)
    edges = axes(figure, "mixed")[0].patches[1::2]
    sources = axes(figure, "source")
    colors = [each.spines["left"].get_edgecolor() for each in sources]
    assert [edge.get_edgecolor() for edge in edges] == [colors[2], colors[1], colors[3]]


def test_several_classes_of_one_sample_are_named_and_not_called_smoothed():
    figure = drawn(show.batch((images(2), np.array([[1.0, 0, 1], [0, 1, 0]])), class_names=["a", "b", "c"]))
    assert {"a, c: 100%", "b: 100%"} <= set(texts(figure))
    assert "heavily mixed" not in " ".join(texts(figure))


def test_samples_without_a_class():
    trace = MixUp(1.0, num_classes=4, ignore_index=255, seed=1).trace(images(), np.array([255, 0, 1, 2]))
    figure = drawn(show.trace(trace, ["a", "b", "c", "d"]))
    assert "0: no class" in texts(figure)
    soft = trace.after[1]
    share = soft / soft.sum(axis=1, keepdims=True)
    assert f"{(share.max(axis=1) < 0.75).sum()} of 4 samples" in sentence(figure)


def test_numbers_are_no_classes():
    figure = drawn(show.batch((images(2), np.array([0.2, 1.7]))))
    assert not axes(figure, "shares")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_black_and_that_is_said(value):
    batch = np.full((2, 20, 30, 3), 0.5, np.float32)
    batch[0, 3, 4] = value
    figure = drawn(show.batch(batch))
    assert picture(axes(figure, "mixed")[0])[3, 4].tolist() == [0, 0, 0]
    assert "3 values are not finite" in " ".join(texts(figure))


def test_nothing_of_an_unmixed_batch_is_heavily_mixed():
    assert "None of 4 samples are heavily mixed" in sentence(show.batch((images(), np.eye(4))))


def test_a_joined_line_goes_both_ways():
    """A signal that jumps is drawn as one line, whichever way it jumps."""
    for signal in ([0.0, 1.0], [1.0, 0.0]):
        ink = inked(picture(axes(drawn(show.batch(np.array([signal]), layout="BT")), "mixed")[0]))
        assert ink[:, 96].all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: show.batch(images(), ["a", "b"]), r"Not a Plan \(plan\): got list; wanted what transform\.plan"),
        (lambda: show.trace((images(), 3)), r"Not a Trace \(trace\): got tuple; wanted what pipeline\.trace"),
        (lambda: show.batch(images(), class_names="ab"), r"No names of classes \(class_names\): got str"),
        (lambda: show.batch(images(), class_names={"a", "b"}), r"No names of classes \(class_names\): got set"),
        (lambda: show.batch(normal(images()), normalized=((0.5,) * 3, (1.0,) * 2)), "a mean of 3 and a deviation of 2"),
    ],
)
def test_mistakes_are_told(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_pillow_images_are_no_arrays():
    Image = pytest.importorskip("PIL.Image")
    with pytest.raises(InputError, match=r"Nothing to show .*PIL images, which are no arrays.*v2\.ToImage"):
        show.batch([(Image.fromarray(image), 1) for image in images()])


def test_nothing_to_lay_side_by_side():
    drawn(show.compare([MixUp()], np.zeros((0, 8, 8, 3), np.uint8)))


def test_looking_does_not_count():
    pipelines = {"a": MixUp(1.0, seed=1), "b": CutMix(seed=2)}
    before = {name: each.stream_state() for name, each in pipelines.items()}
    show.compare(pipelines, images())
    assert {name: each.stream_state() for name, each in pipelines.items()} == before


def test_a_trace_is_not_changed_by_what_comes_later():
    batch = images()
    trace = MixUp(1.0, seed=1).trace(batch)
    batch[:] = 0
    np.testing.assert_array_equal(trace.before, images())


def test_rows_that_are_compared_say_what_their_bars_are():
    door = pytest.importorskip("mixtransforms.torchvision", exc_type=ImportError)
    import torch
    from torchvision.transforms import v2

    flipped = door.BatchCompose([door.MixUp(num_classes=4), v2.RandomVerticalFlip(p=1.0)], seed=1)
    batch = [(torch.from_numpy(image).permute(2, 0, 1), row) for row, image in enumerate(images())]
    written = " ".join(texts(show.compare([flipped, door.MixUp(num_classes=4, seed=1)], batch)))
    assert "Bar: the share of each class in the label." in written
    assert "Bar: the share of each source in the image" in written
