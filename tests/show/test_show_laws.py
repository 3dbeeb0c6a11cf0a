"""The laws of methods are what methods draw: against SciPy's Beta, and against painting pixel by pixel."""

import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import oracles
import pytest
from figures import axes, drawn, texts

from mixtransforms import (
    BatchSpec,
    Boxes,
    InputError,
    Layer,
    Mask,
    MissingDependencyError,
    Plan,
    PlanError,
    Ramp,
    Steps,
    methods,
)
from mixtransforms.methods import CutMix, MixUp, OneOf
from mixtransforms.methods.base import PairMethod
from mixtransforms.show import coverage, weights
from mixtransforms.show.methods import statistics

pytest.importorskip("matplotlib")

SHAPE = (7, 9)
WIDE = BatchSpec(64, (224, 224))


@dataclass(frozen=True, repr=False)
class Stripes(PairMethod):
    """Soft and hard masks by turns, of another weight in every column."""

    soft: bool = True

    def draw(self, spec, rng, hints=()):
        rows, source, _ = self.pairs(spec, rng, {})
        values = rng.random((len(rows), *spec.shape))
        return Plan(spec, (Layer(rows, source, np.ones(len(rows)), Mask(values if self.soft else values < 0.3)),))


@dataclass(frozen=True, repr=False)
class Coats(PairMethod):
    """Two pastes that overlap, the second from where the first is from in half of the samples; then a blend."""

    def draw(self, spec, rng, hints=()):
        rows, source, _ = self.pairs(spec, rng, {})
        count = len(rows)
        other = np.where(np.arange(count) % 2, source, (source + 1) % spec.size)

        def boxes():
            start = rng.integers(0, spec.shape, (count, len(spec.shape)))
            return Boxes(start, start + rng.integers(0, np.array(spec.shape) - start + 1))

        pastes = [Layer(rows, one, np.ones(count), boxes()) for one in (source, other)]
        half = rows % 2 == 0
        return Plan(spec, (*pastes, Layer(rows, other, 0.25, boxes()), Layer(rows[half], source[half], 0.3)))


@dataclass(frozen=True, repr=False)
class Itself(PairMethod):
    """Pastes the left columns of a sample over its right ones: nobody else is seen, yet pixels are replaced."""

    def draw(self, spec, rng, hints=()):
        everyone = np.arange(spec.size)
        left, right = ([[0, start]] * spec.size for start in (0, 5))
        ends = [[[spec.shape[0], stop]] * spec.size for stop in (3, 8)]
        return Plan(spec, (Layer(everyone, everyone, 1.0, Boxes(right, ends[1]), Boxes(left, ends[0])),))


@dataclass(frozen=True, repr=False)
class Glass(PairMethod):
    """Blends in a box, and pastes nothing."""

    def draw(self, spec, rng, hints=()):
        rows, source, _ = self.pairs(spec, rng, {})
        start = rng.integers(0, spec.shape, (len(rows), len(spec.shape)))
        return Plan(
            spec, (Layer(rows, source, rng.random(len(rows)), Boxes(start, np.array([spec.shape] * len(rows)))),)
        )


METHODS = {
    "clip": CutMix(),
    "inside": CutMix(0.4, placement="inside"),
    "uniform": CutMix(3.0, placement="uniform", p=0.5),
    "minmax": CutMix(placement="minmax", minmax=(0.2, 0.9)),
    "batch": CutMix(per="batch"),
    "pair": CutMix(per="pair"),
    "declared": CutMix(correct_weight=False),
    "different class": CutMix(pairing="different_class"),
    "mixup": MixUp(0.7),
    "oneof": OneOf([MixUp(0.5), CutMix(), CutMix(placement="inside")], weights=[0.3, 0.3, 0.2], p=0.9),
    "oneof of declared": OneOf([MixUp(), CutMix(correct_weight=False)], per="batch"),
    "soft masks": Stripes(),
    "masks": Stripes(soft=False, p=0.6),
    "coats": Coats(),
    "glass": Glass(),
    "unmixed": CutMix(p=0.0),
}


EFFORT = {name: getattr(statistics, name) for name in ("_ENOUGH", "_LEAST", "_MOST")}


@pytest.fixture(autouse=True)
def _quickly(monkeypatch):
    """Fewer plans than users get, for tests of what figures are made of."""
    for name, count in {"_ENOUGH": 1_000, "_LEAST": 20, "_MOST": 40}.items():
        monkeypatch.setattr(statistics, name, count)


@pytest.fixture
def many(monkeypatch):
    """As many plans as users get."""
    for name, count in EFFORT.items():
        monkeypatch.setattr(statistics, name, count)


@pytest.fixture
def few(monkeypatch):
    """A few plans, for painters that are slow."""
    monkeypatch.setattr(statistics, "_MOST", 8)


def plans_of(method, spec, epoch=0):
    return list(statistics.drawn_plans(method, spec, epoch, "here"))


def spread(text):
    """Text without line breaks."""
    return " ".join(text.split())


# --------------------------------------------------------------------------------------------------- the law


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
@pytest.mark.parametrize("per", ["sample", "batch"])
def test_shares_of_mixup_follow_beta(alpha, per, many):
    stats = pytest.importorskip("scipy.stats")
    law = statistics.weight_stats(MixUp(alpha, per=per), WIDE, 0, "here")
    own = np.unique(law.own[law.mixed]) if per == "batch" else law.own[law.mixed]
    assert stats.kstest(own, stats.beta(alpha, alpha).cdf).pvalue > 0.01
    if per == "sample":  # enough of them to tell one law from the next
        assert stats.kstest(own, stats.beta(alpha * 1.15, alpha * 1.15).cdf).pvalue < 0.01
    assert not law.pasted.any()
    assert law.label is None


def test_folded_shares_are_the_upper_half_of_beta(many):
    stats = pytest.importorskip("scipy.stats")
    law = statistics.weight_stats(MixUp(0.4, fold=True), WIDE, 0, "here")
    assert stats.kstest(law.own, lambda own: 2 * stats.beta(0.4, 0.4).cdf(own) - 1).pvalue > 0.01
    assert np.array_equal(law.largest, law.own)


@pytest.mark.parametrize("alpha", [1e-6, 0.01, 0.2, 0.5, 1.0, 2.0, 30.0, 1e6])
def test_the_beta_law_of_bins_is_that_of_scipy(alpha):
    stats = pytest.importorskip("scipy.stats")
    edges = np.linspace(0, 1, 21)
    found = statistics.beta_shares(edges, alpha)
    assert found == pytest.approx(np.diff(stats.beta(alpha, alpha).cdf(edges)), abs=1e-6)
    assert found.sum() == pytest.approx(1)


@pytest.mark.parametrize("name", METHODS)
def test_shares_and_areas_are_those_of_painted_pixels(name, few):
    spec = BatchSpec(6, SHAPE)
    law = statistics.weight_stats(METHODS[name], spec, 0, "here")
    own, largest, pasted, label = [], [], [], []
    for plan in plans_of(METHODS[name], spec):
        shares = oracles.shares(plan)
        own += np.diag(shares).tolist()
        largest += shares.max(axis=1).tolist()
        pasted += painted_over(plan).tolist()
        declared = shares if plan.label_share is None else oracles.measured(plan, plan.label_share)
        label += np.diag(declared).tolist()
    assert law.own == pytest.approx(own, abs=1e-12)
    assert law.largest == pytest.approx(largest, abs=1e-12)
    assert law.pasted == pytest.approx(pasted, abs=1e-12)
    assert (law.label is None) == ("declared" not in name)
    assert (law.own if law.label is None else law.label) == pytest.approx(label, abs=1e-12)


def painted_over(plan):
    """The part of every sample over which something is pasted in a region, ``(B,)``, pixel by pixel."""
    left = np.ones((plan.size, *plan.spec.shape))
    for layer in plan.layers:
        for index, row in enumerate(layer.rows):
            if layer.opacity[index] < 1 or layer.region is None:
                continue
            if isinstance(layer.region, Mask):
                left[row] *= 1.0 - layer.region.values[index]
            else:
                left[row][layer.region.slices(index)] = 0.0
    return 1.0 - left.mean(axis=(1, 2))


def test_what_is_heavily_mixed_and_what_hardly():
    law = statistics.WeightStats(
        np.array([1.0, 0.5, 0.0, 0.96, 0.75]), None, np.array([1.0, 0.5, 1.0, 0.96, 0.75]), np.zeros(5)
    )
    assert law.mixed.tolist() == [False, True, True, True, True]
    assert law.heavily == pytest.approx(1 / 5)
    assert law.hardly == pytest.approx(3 / 5)


@pytest.mark.parametrize(("epoch", "alpha", "p"), [(0, 0.2, 0.0), (5, 1.1, 0.5), (10, 2.0, 1.0), (99, 2.0, 1.0)])
def test_schedules_have_the_value_of_the_epoch(epoch, alpha, p, many):
    stats = pytest.importorskip("scipy.stats")
    law = statistics.weight_stats(MixUp(Ramp(0.2, 2.0, 0, 10), p=Ramp(0, 1, 0, 10)), WIDE, epoch, "here")
    assert law.mixed.mean() == pytest.approx(p, abs=0.02)
    if p:
        assert stats.kstest(law.own[law.mixed], stats.beta(alpha, alpha).cdf).pvalue > 0.01


def test_the_same_plans_every_time_and_no_global_generator_moves():
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    first, second = (statistics.weight_stats(OneOf([MixUp(), CutMix()]), WIDE, 3, "here") for _ in range(2))
    assert np.array_equal(first.own, second.own)
    assert not np.array_equal(first.own, statistics.weight_stats(OneOf([MixUp(), CutMix()]), WIDE, 4, "here").own)
    assert np.array_equal(np.random.get_state()[1], state)  # noqa: NPY002


@pytest.mark.parametrize(
    ("method", "size", "low", "high"),
    [
        (MixUp(), 64, 400, 500),
        (MixUp(per="batch"), 64, 1200, 1200),  # one weight a batch
        (MixUp(p=0.0), 2, 1200, 1200),
        (MixUp(), 1024, 400, 400),  # a choice of a batch needs many of them
        (MixUp(pairing="different_class"), 1024, 40, 60),  # draws B * B numbers
    ],
)
def test_as_many_plans_as_a_smooth_picture_needs(method, size, low, high, many):
    assert low <= len(plans_of(method, BatchSpec(size, (32, 32)))) <= high


@pytest.mark.parametrize("method", [Stripes(), Coats()])
def test_slow_methods_draw_fewer_plans(method, many):
    assert 5 <= len(plans_of(method, BatchSpec(64, (112, 112)))) <= 200


# --------------------------------------------------------------------------------------------------- the map


@pytest.mark.parametrize("name", METHODS)
def test_the_map_is_the_mean_of_painted_pixels(name, few):
    spec = BatchSpec(6, SHAPE)
    cover = statistics.coverage_map(METHODS[name], spec, 0, "here")
    found = [oracles.paint(plan, oracles.provenance(6, SHAPE)) for plan in plans_of(METHODS[name], spec)]
    own = np.mean([painted[np.arange(6), ..., np.arange(6)] for painted in found], axis=(0, 1))
    assert cover.replaced == pytest.approx(1 - own, abs=1e-12)
    assert cover.samples == 6 * len(found)
    assert cover.blends == any(layer.blends for plan in plans_of(METHODS[name], spec) for layer in plan.layers)
    assert cover.constant == (name in ("mixup", "unmixed"))


@pytest.mark.parametrize("shape", [(11,), (3, 4, 5), (1, 1), (1, 6), (1,)])
@pytest.mark.parametrize("method", [CutMix(), CutMix(per="batch", placement="uniform"), OneOf([MixUp(), CutMix()])])
def test_the_map_of_any_shape(shape, method, few):
    cover = statistics.coverage_map(method, BatchSpec(5, shape), 0, "here")
    own = np.zeros(shape)
    plans = plans_of(method, BatchSpec(5, shape))
    for plan in plans:
        given = np.broadcast_to(np.eye(5).reshape(5, *(1,) * len(shape), 5), (5, *shape, 5)).copy()
        painted = plan.apply(given)
        own += sum(painted[row, ..., row] for row in range(5))
    assert cover.replaced == pytest.approx(1 - own / (5 * len(plans)), abs=1e-12)


def test_a_sample_that_is_moved_replaces_its_own_pixels(few):
    cover = statistics.coverage_map(Itself(), BatchSpec(4, SHAPE), 0, "here")
    expected = np.zeros(SHAPE)
    expected[:, 5:8] = 1
    assert np.array_equal(cover.replaced, expected)
    law = statistics.weight_stats(Itself(), BatchSpec(4, SHAPE), 0, "here")
    assert (law.own == 1).all()
    assert not law.mixed.any()


def test_middle_corners_and_means_along_axes():
    cover = statistics.CoverageMap(np.arange(15.0).reshape(3, 5) / 100, 1, blends=False)
    assert cover.centre == 0.07
    assert cover.corners == pytest.approx((0 + 4 + 10 + 14) / 400)
    assert cover.along(0) == pytest.approx([0.02, 0.07, 0.12])
    assert cover.along(1) == pytest.approx([0.05, 0.06, 0.07, 0.08, 0.09])
    assert not cover.constant


def test_placements_have_maps_of_their_own(many):
    maps = {
        name: statistics.coverage_map(CutMix(placement=name), BatchSpec(64, (40, 40)), 0, "here")
        for name in ("clip", "inside", "uniform")
    }
    assert maps["inside"].centre > 0.8
    assert maps["inside"].corners < 0.03
    assert 0.45 < maps["clip"].centre < 0.55
    assert 0.09 < maps["clip"].corners < 0.16
    assert np.ptp(maps["uniform"].replaced) < 0.02
    assert not maps["uniform"].constant


# --------------------------------------------------------------------------------------------------- figures


def bars(each):
    return np.array([bar.get_height() for bar in each.patches if bar.get_width() == pytest.approx(0.05)])


def test_bars_line_and_numbers_of_mixup(many):
    figure = drawn(weights(MixUp(1.0, p=0.7)))
    (own,) = figure.axes
    assert bars(own) == pytest.approx(np.full(20, 0.7 / 20), abs=0.004)
    (line,) = own.get_lines()
    assert line.get_ydata() == pytest.approx(np.full(20, 0.7 / 20), abs=0.001)
    assert "30% are not mixed" in own.get_title(loc="left")
    assert [text.get_text() for text in own.get_legend().get_texts()] == ["Beta(1, 1)"]
    law = statistics.weight_stats(MixUp(1.0, p=0.7), WIDE, 0, "here")
    below = spread(texts(figure)[1])
    assert below.startswith("On average a sample keeps 65% of itself. 35% of the samples are heavily mixed")
    assert f"Nothing is pasted. Counted on {len(law.own):,} samples in batches of 64." in below
    assert texts(figure)[0] == "MixUp(alpha=1.0, p=0.7)"
    assert figure.alt == f"Histograms of shares for MixUp(alpha=1.0, p=0.7). {below}"


def test_the_line_of_folded_shares_begins_at_half(many):
    (own,) = weights(MixUp(0.4, fold=True)).axes
    line = own.get_lines()[0].get_ydata()
    assert np.isnan(line[:10]).all()
    assert line[10:] == pytest.approx(bars(own)[10:], abs=0.01)
    assert line[10:].sum() == pytest.approx(1)
    assert [text.get_text() for text in own.get_legend().get_texts()] == ["Beta(0.4, 0.4), folded"]


def test_the_line_has_the_alpha_of_the_epoch(many):
    (own,) = weights(MixUp(Ramp(0.2, 2.0, 0, 10)), epoch=5).axes
    assert own.get_lines()[0].get_ydata() == pytest.approx(bars(own), abs=0.01)
    assert [text.get_text() for text in own.get_legend().get_texts()] == ["Beta(1.1, 1.1)"]


@pytest.mark.parametrize("method", [MixUp(alpha=0.0), MixUp(p=0.0), CutMix(p=0), OneOf([CutMix()], weights=[0.0])])
def test_where_nothing_is_mixed_the_figures_say_so(method):
    figure = drawn(weights(method))
    (own,) = figure.axes
    assert [text.get_text() for text in own.texts] == ["No sample is mixed."]
    assert not own.get_lines()
    assert "100% are not mixed" in own.get_title(loc="left")
    assert spread(texts(figure)[1]).startswith("No sample is mixed. Counted on")
    assert spread(texts(drawn(coverage(method)))[1]).startswith("Nothing is replaced. Counted on")


def test_what_is_pasted_has_a_panel(many):
    figure = drawn(weights(OneOf([MixUp(), CutMix()], weights=[0.25, 0.25])))
    own, pasted = figure.axes
    assert "50% are not mixed" in own.get_title(loc="left")
    assert "75% have no paste" in pasted.get_title(loc="left")
    assert bars(own).sum() == pytest.approx(0.5, abs=0.01)
    assert bars(pasted).sum() == pytest.approx(0.25, abs=0.01)
    assert "Where something is pasted, it is 32% of the area on average." in spread(texts(figure)[1])
    assert not own.get_lines()
    assert own.get_legend() is None


def test_declared_shares_have_an_outline(many):
    figure = drawn(weights(CutMix(correct_weight=False)))
    (outline,) = [patch for patch in axes(figure, "own")[0].patches if type(patch).__name__ == "StepPatch"]
    assert outline.get_data().values == pytest.approx(np.full(20, 0.05), abs=0.006)  # Beta(1, 1), as it was drawn
    assert "Labels get the share that the method declares, 50% on average." in spread(texts(figure)[1])


def test_classes_are_given_where_they_are_read():
    figure = weights(CutMix(pairing="same_class"), 20)
    assert "in batches of 20 of 10 classes in turn." in spread(texts(figure)[1])
    assert "are not mixed" not in axes(figure, "own")[0].get_title(loc="left").replace("<1% are not mixed", "")
    assert "of 3 classes in turn." in spread(texts(weights(MixUp(pairing="different_class"), 3))[1])


def test_map_means_and_scale():
    figure = drawn(coverage(CutMix(), (20, 30)))
    cover = statistics.coverage_map(CutMix(), BatchSpec(64, (20, 30)), 0, "here")
    (plane,) = axes(figure, "replaced")
    assert np.array_equal(plane.get_images()[0].get_array(), cover.replaced)
    assert plane.get_images()[0].get_clim() == (0.0, cover.replaced.max())
    for label, axis in (("along x", 1), ("along y", 0)):
        (each,) = axes(figure, label)
        assert each.patches[0].get_data().values == pytest.approx(cover.along(axis))
    assert axes(figure, "along x")[0].get_xlim() == (0, 30)
    assert axes(figure, "along y")[0].get_ylim() == (20, 0)
    numbers = [f"{100 * value:.0f}%" for value in (cover.replaced.mean(), cover.centre, cover.corners)]
    sentence = "A pixel is replaced with a chance of {} on average, {} in the centre, {} in the corners. Counted on"
    assert spread(texts(figure)[1]).startswith(sentence.format(*numbers))
    assert figure.alt.startswith("Map of what is replaced by CutMix(). A pixel")
    box = plane.get_window_extent()
    assert box.width / box.height == pytest.approx(30 / 20, rel=0.01)


def test_signals_have_a_curve():
    figure = drawn(coverage(CutMix(), (100,)))
    (each,) = figure.axes
    cover = statistics.coverage_map(CutMix(), BatchSpec(64, (100,)), 0, "here")
    assert each.patches[0].get_data().values == pytest.approx(cover.replaced)
    assert spread(texts(figure)[1]).startswith(
        f"A step is replaced with a chance of {100 * cover.replaced.mean():.0f}%"
    )
    assert "at the ends" in figure.alt
    assert figure.alt.startswith("Curve of what")


def test_videos_have_the_mean_over_time():
    figure = drawn(coverage(CutMix(), (6, 20, 30)))
    cover = statistics.coverage_map(CutMix(), BatchSpec(64, (6, 20, 30)), 0, "here")
    picture = axes(figure, "replaced")[0].get_images()[0]
    assert np.allclose(picture.get_array(), cover.replaced.mean(axis=0))
    assert picture.get_clim()[1] == pytest.approx(cover.replaced.mean(axis=0).max())
    low, high = (f"{100 * value:.0f}%" for value in (cover.along(0).min(), cover.along(0).max()))
    assert f"the mean over the first axis, along which it goes from {low} to {high}." in spread(texts(figure)[1])


def test_a_blend_is_alike_everywhere_and_the_figure_says_so(many):
    figure = drawn(coverage(MixUp(1.0, p=0.5)))
    assert spread(texts(figure)[1]).startswith(
        "All pixels are alike: 25% of each is replaced on average. Where samples are blended, the weight of the"
    )
    assert axes(figure, "replaced")[0].get_images()[0].get_clim() == (0.0, 1.0)
    assert "blended" not in coverage(CutMix()).alt


@pytest.mark.parametrize("draw", [weights, coverage])
def test_titles_and_epochs(draw):
    moving = MixUp(p=Steps({0: 0.5, 3: 1.0}))
    assert spread(texts(drawn(draw(moving, epoch=2)))[0]) == f"{moving!r}, epoch 2"
    assert texts(drawn(draw(MixUp(), epoch=2)))[0] == "MixUp()"
    figure = drawn(draw(MixUp(), title="costs $5 and $6"))
    assert texts(figure)[0] == "costs $5 and $6"
    assert not figure.texts[0].get_parse_math()
    assert "costs $5 and $6" in figure.alt


@pytest.mark.parametrize("draw", [weights, coverage])
def test_files_say_what_is_on_them(draw, tmp_path):
    image = pytest.importorskip("PIL.Image")
    figure = draw(CutMix(), save=tmp_path / "law.png")
    with image.open(tmp_path / "law.png") as saved:
        assert saved.text["Description"] == figure.alt


@pytest.mark.parametrize("draw", [weights, coverage])
@pytest.mark.parametrize(
    ("shape", "title"),
    [((1, 1), None), ((1, 300), "one_long_word_" * 12), ((2000, 1), "one_long_word_" * 12), ((1,), None)],
)
def test_nothing_written_lies_outside_the_figure(draw, shape, title):
    figure = drawn(draw(OneOf([MixUp(), CutMix()], p=0.9), shape=shape, title=title))
    width, height = figure.get_size_inches()
    boxes = [figure.get_tightbbox()]
    boxes += [text.get_window_extent().transformed(figure.dpi_scale_trans.inverted()) for text in figure.texts]
    for box in boxes:
        assert (box.min >= 0).all()
        assert (box.max <= (width, height)).all()


# --------------------------------------------------------------------------------------------------- what is given


@pytest.mark.parametrize("door", ["mixtransforms", "mixtransforms.torchvision", "mixtransforms.albumentations"])
def test_transforms_of_any_door_are_their_methods(door):
    module = pytest.importorskip(door)
    expected = statistics.weight_stats(OneOf([MixUp(), CutMix()]), WIDE, 0, "here")
    transform = module.OneOf([module.MixUp(), module.CutMix()], num_classes=5)
    figure = weights(transform)
    assert texts(figure)[0] == "OneOf(transforms=(MixUp(), CutMix()))"
    assert bars(figure.axes[0]) == pytest.approx(
        np.histogram(expected.own[expected.mixed], 20, (0, 1))[0] / len(expected.own)
    )
    assert coverage(transform).alt == coverage(methods.OneOf([MixUp(), CutMix()])).alt


@pytest.mark.parametrize("door", ["mixtransforms.torchvision", "mixtransforms.albumentations"])
def test_a_pipeline_stands_for_its_only_mix(door):
    module = pytest.importorskip(door)
    assert weights(module.BatchCompose([module.CutMix(0.5)])).alt == weights(CutMix(0.5)).alt
    with pytest.raises(InputError) as caught:
        coverage(module.BatchCompose([module.MixUp(), module.CutMix()]))
    assert str(caught.value) == (
        "No method to draw (show.coverage): got a BatchCompose with 2 of them; wanted a method or a transform that "
        "mixes. Give one: pipeline.transforms[0] or pipeline.transforms[1]."
    )


@pytest.mark.parametrize("draw", [weights, coverage])
@pytest.mark.parametrize(
    ("given", "got", "fix"),
    [
        ("cutmix", "'cutmix'", "Give the transform that mixes, such as CutMix(alpha=1.0)."),
        (None, "None", "Give the transform that mixes, such as CutMix(alpha=1.0)."),
        (CutMix, "the class CutMix", "Make one: CutMix()."),
        ([CutMix()], "[CutMix()]", "Give the transform that mixes, such as CutMix(alpha=1.0)."),
        (Plan(WIDE), "Plan(size=64, shape=(224, 224), layers=0, mixed=0)", "Give the transform that mixes"),
    ],
)
def test_what_is_no_method_is_refused(draw, given, got, fix):
    with pytest.raises(InputError) as caught:
        draw(given)
    where = f"show.{draw.__name__}"
    assert f"No method to draw ({where}): got {got}; wanted a method or a transform that mixes. {fix}" in str(
        caught.value
    )


@pytest.mark.parametrize(
    ("size", "fix"),
    [
        (1, "A sample that is alone has nobody to be mixed with."),
        (0, "Leave it out for 64."),
        (-3, "Leave it out for 64."),
        (None, "Leave it out for 64."),
        (4097, "Leave it out for 64."),
        (8.0, "Leave it out for 64."),
    ],
)
def test_batches_that_cannot_be_mixed_are_refused(size, fix):
    with pytest.raises(InputError) as caught:
        weights(CutMix(), size)
    assert str(caught.value) == (
        f"No batch to draw for (show.weights): got size={size!r}; wanted a whole number within [2, 4096]. {fix}"
    )


@pytest.mark.parametrize("draw", [weights, coverage])
@pytest.mark.parametrize("epoch", [-1, 1.5, None, 2**32, True])
def test_epochs_that_there_are_not_are_refused(draw, epoch):
    with pytest.raises(InputError) as caught:
        draw(CutMix(), epoch=epoch)
    assert f"No such epoch (show.{draw.__name__}): got epoch={epoch!r}; wanted a whole number from 0" in str(
        caught.value
    )


@pytest.mark.parametrize("draw", [weights, coverage])
@pytest.mark.parametrize("shape", [224, (0, 5), (-1, 5), (2.5, 3), (True, 3), None, "ab", ("4", "4")])
def test_shapes_that_are_none_are_refused(draw, shape):
    with pytest.raises(InputError) as caught:
        draw(CutMix(), shape=shape)
    assert str(caught.value) == (
        f"No shape to draw (show.{draw.__name__}): got shape={shape!r}; wanted the lengths of the mixed axes, whole "
        "numbers from 1 on. Of images it is (height, width), without channels: shape=(224, 224)."
    )


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        ((), "got 0 axes, shape=(); wanted one to three axes. Leave the axes of samples and channels out"),
        ((2, 3, 4, 5), "got 4 axes, shape=(2, 3, 4, 5); wanted one to three axes. Leave the axes of samples"),
        ((5000, 5000), "got 25,000,000 cells, shape=(5000, 5000); wanted at most 16,777,216. A smaller shape with the"),
    ],
)
def test_maps_of_such_shapes_are_refused(shape, text):
    with pytest.raises(InputError) as caught:
        coverage(CutMix(), shape)
    assert text in str(caught.value)


def test_lists_and_tables_are_shapes():
    assert coverage(CutMix(), [8, 8]).alt == coverage(CutMix(), (8, 8)).alt
    assert weights(MixUp(), shape=()).alt == weights(MixUp()).alt
    with pytest.raises(InputError, match="CutMix needs axes to cut"):
        weights(CutMix(), shape=())
    with pytest.raises(InputError, match="wanted at most"):
        weights(MixUp(), shape=(10**9, 10**9))


@dataclass(frozen=True, repr=False)
class Broken(PairMethod):
    """Takes images alone."""

    def draw(self, spec, rng, hints=()):
        if len(spec.shape) == 3:
            return Plan(spec, (Layer([spec.size], [0], [0.5]),))
        _height, _width = spec.shape
        return None


@pytest.mark.parametrize("draw", [weights, coverage])
def test_methods_that_raise_are_named(draw):
    with pytest.raises(InputError) as caught:
        draw(Broken(), shape=(30,))
    assert str(caught.value) == (
        f"Broken draws no plan (show.{draw.__name__}): got ValueError: not enough values to unpack (expected 2, got 1); "
        "wanted a plan for 64 samples of (30,). Give a shape that the method takes, or mend its draw."
    )
    assert isinstance(caught.value.__cause__, ValueError)
    with pytest.raises(InputError, match="AttributeError: 'NoneType'"):
        draw(Broken())
    with pytest.raises(PlanError, match="indices of 64 samples"):
        draw(Broken(), shape=(2, 3, 4))


# --------------------------------------------------------------------------------------------------- matplotlib


@pytest.mark.parametrize("draw", [weights, coverage])
def test_without_matplotlib(draw, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingDependencyError, match="needs matplotlib, which is not installed"):
        draw(CutMix())


def test_matplotlib_is_loaded_when_it_draws_and_pyplot_never():
    code = """
import sys
from mixtransforms.methods import CutMix
from mixtransforms.show import coverage, weights
assert "matplotlib" not in sys.modules
weights(CutMix()), coverage(CutMix())
assert "matplotlib" in sys.modules and "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
