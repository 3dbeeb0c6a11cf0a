"""The explorer draws what the transform by hand draws, whatever is chosen, and says so in code and JSON alike."""

import base64
import dataclasses
import html
import json
import re
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from figures import texts

import mixtransforms
from mixtransforms import (
    BoxRules,
    ConfigError,
    CutMix,
    InputError,
    LabelPair,
    MixUp,
    OffAfter,
    OneOf,
    ParameterError,
    Ramp,
    fingerprint,
    from_json,
    set_epoch,
    show,
)
from mixtransforms.methods.registry import METHODS
from mixtransforms.mixing.transform import MixTransform
from mixtransforms.show.batches import figures
from mixtransforms.show.explorer.explore import explore

pytest.importorskip("matplotlib")
widgets = pytest.importorskip("ipywidgets")
IPython = pytest.importorskip("IPython")

NAMES = ["cat", "dog", "owl"]


def images(count=6, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 12, 16, 3), np.uint8)


def batch(count=6):
    return images(count), np.arange(count) % 3


@pytest.fixture
def notebook(monkeypatch):
    """What ipykernel's shell looks like."""
    monkeypatch.setattr(IPython, "get_ipython", lambda: SimpleNamespace(kernel=object()))


@pytest.fixture
def pictures(monkeypatch):
    """The calls of show.batch, which then draws next to nothing."""
    figure, calls = show.batch(images(1)), []

    def draw(*arguments, **options):
        calls.append((arguments, options))
        return figure

    monkeypatch.setattr(figures, "batch", draw)
    return calls


@pytest.fixture
def explorer(notebook, pictures):
    return explore(batch(), NAMES)


def set_all(explorer, values):
    for name, value in values.items():
        explorer.controls[name].value = value


def few(count=4):
    return tuple(part[:count] for part in batch())


def message(explorer):
    return html.unescape(re.sub("<[^>]*>", "", explorer._message.value))


def areas(explorer):
    """The texts to copy, as a browser reads them."""
    return [html.unescape(text) for text in re.findall(r"<textarea[^>]*>(.*?)</textarea>", explorer._texts.value, re.S)]


def run(code):
    """What the code builds, for somebody who has imported the transforms."""
    return eval(code, {name: getattr(mixtransforms, name) for name in METHODS})


# ------------------------------------------------------------------------------------------------ what is drawn

CHOICES = [
    ({}, CutMix(num_classes=3, seed=0)),
    ({"alpha": 0.3, "placement": "inside"}, CutMix(0.3, placement="inside", num_classes=3, seed=0)),
    ({"minmax": (0.25, 0.5), "placement": "minmax"}, CutMix(placement="minmax", minmax=(0.25, 0.5), num_classes=3, seed=0)),
    ({"correct_weight": False, "seed": 9}, CutMix(correct_weight=False, num_classes=3, seed=9)),
    ({"method": "MixUp", "alpha": 2, "fold": True}, MixUp(2, fold=True, num_classes=3, seed=0)),
    ({"method": "MixUp", "per": "pair", "p": 0.5}, MixUp(per="pair", p=0.5, num_classes=3, seed=0)),
    ({"method": "MixUp", "seed": 2**64 - 1}, MixUp(num_classes=3, seed=2**64 - 1)),
    ({"pairing": "different_class"}, CutMix(pairing="different_class", num_classes=3, seed=0)),
    ({"method": "OneOf"}, OneOf([CutMix(), MixUp()], num_classes=3, seed=0)),
    (
        {"method": "OneOf", "transforms": [MixUp(0.9, fold=True)], "weights": [0.5]},
        OneOf([MixUp(0.9, fold=True)], weights=[0.5], num_classes=3, seed=0),
    ),
    (
        {"method": "OneOf", "transforms": [MixUp(1), CutMix(per="batch")], "per": "batch"},
        OneOf([CutMix(per="batch"), MixUp(1)], per="batch", num_classes=3, seed=0),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("chosen", "by_hand"), CHOICES, ids=[repr(by_hand) for _, by_hand in CHOICES])
def test_the_explorer_is_the_transform_by_hand(explorer, pictures, chosen, by_hand):
    set_all(explorer, chosen)
    plan = by_hand.plan(*few())
    assert explorer.plan == plan
    assert message(explorer) == ""
    assert fingerprint(explorer.transform) == fingerprint(by_hand)
    assert explorer.transform.plan(explorer.batch) == plan
    assert explorer.transform.plan(explorer.batch) == plan, "not at its first draw"
    again = from_json(explorer.json)
    assert fingerprint(again) == fingerprint(by_hand)
    assert again.plan(explorer.batch) == plan
    assert areas(explorer) == [repr(explorer.transform), explorer.json]
    assert fingerprint(run(areas(explorer)[0])) == fingerprint(by_hand)
    (drawn, drawn_plan), options = pictures[-1]
    assert drawn is explorer.batch
    assert drawn_plan == plan
    assert options["class_names"] == NAMES


def test_the_picture_is_the_one_of_show_batch(notebook):
    explorer = explore(batch(), NAMES, method="MixUp", max_images=3)
    figure = show.batch(few(3), MixUp(num_classes=3, seed=0).plan(*few(3)), NAMES)
    (png,) = re.findall(r'src="data:image/png;base64,([^"]*)"', explorer._picture.value)
    assert base64.b64decode(png) == figure._repr_png_()
    assert html.unescape(re.findall(r'alt="([^"]*)"', explorer._picture.value)[0]) == figure.alt
    assert explorer._repr_mimebundle_()["image/png"] == png


def test_a_plain_batch_needs_no_number_of_classes(notebook, pictures):
    explorer = explore(batch())
    assert explorer.plan == CutMix(num_classes=3, seed=0).plan(*few())
    assert repr(explorer.transform) == "CutMix(seed=0)"


def test_the_next_draw_is_of_the_next_seed(explorer):
    explorer.controls["seed"].value = 2**64 - 2
    for seed in (2**64 - 1, 0, 1):
        explorer._next.click()
        assert explorer.transform.seed == seed
        assert explorer.plan == CutMix(num_classes=3, seed=seed).plan(*few())


def test_without_a_seed_every_draw_is_another_one(explorer):
    explorer.controls["seed"].value = None
    first = explorer.plan
    explorer._next.click()
    assert explorer.transform.seed is None
    assert explorer.plan != first


@pytest.mark.parametrize("epoch", [0, 3, 5])
def test_a_schedule_is_seen_in_its_epochs(notebook, pictures, epoch):
    by_hand = MixUp(p=Ramp(0, 1, 0, 5), num_classes=3, seed=1)
    explorer = explore(batch(), method=by_hand)
    assert explorer.controls["epoch"].widget.layout.display is None
    explorer.controls["epoch"].value = epoch
    set_epoch(by_hand, epoch)
    assert explorer.plan == by_hand.plan(*few())
    assert explorer.transform.plan(few()) == explorer.plan
    assert explorer.transform.p == by_hand.p


def test_epochs_are_offered_where_something_changes(explorer):
    epoch = explorer.controls["epoch"].widget.layout
    assert epoch.display == "none"
    text = explorer.controls["p"].widget.children[0]
    text.value = '{"kind": "OffAfter", "value": 0.5, "epoch": 3}'  # as files have it
    assert repr(explorer.transform.p) == repr(OffAfter(0.5, 3))
    assert epoch.display is None


# ------------------------------------------------------------------------------------------------ what can be chosen


def options_of(schema):
    """Every value of a parameter that has only a few, read from its schema without the controls."""
    if schema.get("type") == "boolean":
        return [False, True]
    return list(schema.get("enum", ()))


def built(cls, values):
    """Why a transform cannot be built, and the transform."""
    try:
        return "", cls(**values, num_classes=3, seed=0)
    except ParameterError as reason:
        return str(reason), None


EVERY = [
    (name, item.name, option)
    for name, method in METHODS.items()
    for item in dataclasses.fields(method)
    if "rule" in item.metadata
    for option in options_of(item.metadata["rule"].schema)
]


@pytest.mark.parametrize(("name", "parameter", "option"), EVERY)
def test_every_choice_of_every_method_can_be_made(explorer, name, parameter, option):
    explorer.controls["method"].value = name
    control = explorer.controls[parameter]
    shown = dict(control.widget.options).values() if hasattr(control.widget, "options") else [False, True]
    assert option in shown
    control.value = option
    required = {"OneOf": {"transforms": [CutMix(), MixUp()]}, "Remix": {"counts": (3, 2, 1)}}.get(name, {})
    if name == "Remix":
        explorer.controls["counts"].value = required["counts"]
    refused, by_hand = built(getattr(mixtransforms, name), {**required, parameter: option})
    try:
        plan = None if by_hand is None else by_hand.plan(*few())
    except InputError as reason:  # it reads objects, of which there are none
        plan, refused = None, str(reason)
    assert message(explorer) == refused
    if plan is not None:
        assert getattr(explorer.transform, parameter) == option
        assert explorer.plan == plan


@pytest.mark.parametrize("name", list(METHODS))
def test_every_parameter_has_a_control_that_tells_of_it(explorer, name):
    explorer.controls["method"].value = name
    rules = {item.name: item.metadata["rule"] for item in dataclasses.fields(METHODS[name]) if "rule" in item.metadata}
    assert set(explorer.controls) == {*rules, "method", "seed", "epoch"}
    for parameter, rule in rules.items():
        parts = explorer.controls[parameter].parts
        tips = [part.tooltip for part in parts if getattr(part, "tooltip", None)]
        assert any(rule.doc in tip and rule.wanted in tip for tip in tips)


def test_a_new_method_appears_by_existing(notebook, pictures, monkeypatch):
    from mixtransforms.core import fields
    from mixtransforms.methods import registry
    from mixtransforms.mixing import transform

    @dataclasses.dataclass(frozen=True, repr=False)
    class Softer(METHODS["MixUp"]):
        """Blends."""

        side: str = fields.choice("left", ("left", "right"), "Which.")

    monkeypatch.setitem(registry._methods, "Softer", Softer)
    assert "Softer" not in explore(batch()).controls["method"].widget.options  # it has no transform yet
    door = type("Softer", (MixTransform, Softer), {"__module__": transform.__name__})
    monkeypatch.setattr(transform, "Softer", door, raising=False)
    explorer = explore(batch(), NAMES)
    set_all(explorer, {"method": "Softer", "side": "right", "alpha": 0.7})
    assert (explorer.transform.side, explorer.transform.alpha) == ("right", 0.7)
    explorer.controls["method"].value = "OneOf"
    offered = {tick.method for tick in explorer.controls["transforms"]._entries}
    assert offered == {*METHODS.values()} - {METHODS["OneOf"]}
    assert Softer in offered


def test_sliders_and_texts_follow_each_other(explorer, pictures):
    text, slider = explorer.controls["alpha"].widget.children
    before = len(pictures)
    slider.value = 10.0
    assert (text.value, explorer.transform.alpha, len(pictures)) == ("10", 10.0, before + 1)
    text.value = "0.125"
    assert (slider.value, explorer.transform.alpha, len(pictures)) == (0.125, 0.125, before + 2)
    text.value = "1e6"  # further than the slider goes
    assert (slider.value, explorer.transform.alpha, len(pictures)) == (100.0, 1e6, before + 3)
    text.value = "0"
    assert (slider.value, explorer.transform.alpha, len(pictures)) == (pytest.approx(0.01), 0.0, before + 4)
    text.value = '{"kind": "Steps", "values": {"0": 0.5}}'
    assert (slider.value, slider.layout.display) == (pytest.approx(0.01), "none")
    explorer.controls["alpha"].value = 1.5
    assert (text.value, slider.value, slider.layout.display) == ("1.5", pytest.approx(1.5), None)


def test_sliders_wait_until_they_are_let_go(explorer):
    for name in METHODS:
        explorer.controls["method"].value = name
        for control in explorer.controls.values():
            parts = [part for part in control.parts if hasattr(part, "continuous_update")]
            assert not any(part.continuous_update for part in parts)


@pytest.mark.parametrize(
    "chosen",
    [
        {"alpha": 0.3},
        {"minmax": (0.1, 0.9)},
        {"correct_weight": False},
        {"seed": 4},
        {"method": "OneOf"},
        {"method": "MixUp"},
    ],
)
def test_one_change_draws_once(explorer, pictures, chosen):
    before = len(pictures)
    set_all(explorer, chosen)
    assert len(pictures) - before <= 1  # minmax alone is refused before anything is drawn
    assert (len(pictures) == before) == ("minmax" in chosen)
    after = len(pictures)
    set_all(explorer, chosen)
    assert len(pictures) == after


def test_several_methods_are_set_at_once(explorer, pictures):
    explorer.controls["method"].value = "OneOf"
    before = len(pictures)
    explorer.controls["transforms"].value = [MixUp(0.9, fold=True, p=0.5)]
    assert len(pictures) == before + 1
    assert repr(explorer.transform.transforms) == "(MixUp(alpha=0.9, p=0.5, fold=True),)"


def test_children_are_ticked_and_changed_by_their_own_controls(explorer, pictures):
    explorer.controls["method"].value = "OneOf"
    entries = {entry.method.__name__: entry for entry in explorer.controls["transforms"]._entries}
    cutmix, mixup = entries["CutMix"], entries["MixUp"]
    assert [name for name, entry in entries.items() if entry.tick.value] == ["CutMix", "MixUp"]
    cutmix.panel.controls["placement"].value = "uniform"
    assert repr(explorer.transform.transforms) == "(CutMix(placement='uniform'), MixUp())"
    mixup.tick.value = False
    assert repr(explorer.transform.transforms) == "(CutMix(placement='uniform'),)"
    assert mixup.widget.children == (mixup.tick,)
    cutmix.tick.value = False
    assert "wanted a non-empty list of mixing methods" in message(explorer)
    mixup.tick.value = True
    assert message(explorer) == ""


def test_a_method_without_a_place_is_refused(explorer):
    explorer.controls["method"].value = "OneOf"
    wanted = r"No place for a method \(controls\): got MixUp\(\); wanted each of .*CutMix, .*MixUp.* at most once"
    with pytest.raises(ParameterError, match=wanted):
        explorer.controls["transforms"].value = [MixUp(1), MixUp()]


# ------------------------------------------------------------------------------------------------ errors


@pytest.mark.parametrize(
    ("chosen", "mended", "text"),
    [
        ({"per": "pair", "pairing": "roll"}, {"per": "sample"}, "wanted 'matching' or 'flip'"),
        ({"placement": "minmax"}, {"minmax": (0.2, 0.4)}, "placement='minmax' and minmax=(low, high) belong together"),
        ({"alpha": "much"}, {"alpha": 0.5}, "got 'much'; wanted 0 or a number within [1e-06, 1e+06]"),
        ({"p": 2}, {"p": 0}, "Bad value for 'p'"),
        ({"seed": -1}, {"seed": 5}, "Bad value for 'seed'"),
    ],
)
def test_what_cannot_be_is_said_and_the_picture_stays(explorer, chosen, mended, text):
    for name, value in list(chosen.items())[:-1]:
        explorer.controls[name].value = value
    good = explorer.plan, explorer.json, areas(explorer)
    bright = explorer._picture.value
    *_, (name, value) = chosen.items()
    explorer.controls[name].value = value
    assert text in message(explorer)
    assert "role='alert'" in explorer._message.value
    assert explorer._picture.value == bright.replace("opacity:1", "opacity:0.3") != bright
    assert (explorer.plan, explorer.json, areas(explorer)) == good
    set_all(explorer, mended)
    assert message(explorer) == ""
    assert "opacity:1" in explorer._picture.value


def test_errors_of_the_batch_are_said_in_place_too(notebook, pictures):
    explorer = explore(images())
    explorer.controls["pairing"].value = "same_class"
    assert "pairing='same_class' reads class labels" in message(explorer)


def test_texts_are_no_markup(notebook, pictures):
    explorer = explore({"images": images(), "<b>": images()}, kinds={"<b>": "image"})
    assert "<b>" not in explorer._texts.value
    assert all("<b>" in area for area in areas(explorer))


@pytest.mark.parametrize(
    ("given", "options", "error", "text"),
    [
        (batch(), {"method": "CutMax"}, ParameterError, r"No such method \(show.explore\): got 'CutMax'; wanted one of .*'CutMix', .*Did you mean 'CutMix'\?"),
        (batch(), {"method": 3}, ParameterError, "No such method"),
        (batch(), {"max_images": 1}, InputError, r"Too few samples to mix \(max_images\): got 1; wanted a whole number from 2 on"),
        (batch(), {"max_images": True}, InputError, "got True; wanted a whole number from 2 on"),
        (np.arange(6), {}, InputError, "Not a batch of images"),
        ((images(), LabelPair(np.arange(6), np.arange(6), np.ones(6))), {}, InputError, "mixed already"),
        (batch(), {"method": CutMix(pairing="roll", num_classes=2)}, InputError, "Class ids out of range"),
    ],
)  # fmt: skip
def test_what_cannot_be_begun_is_an_error(notebook, given, options, error, text):
    with pytest.raises(error, match=text):
        explore(given, **options)


# ------------------------------------------------------------------------------------------------ batches


def rows(count):
    """Detection targets, one record an image."""
    return [{"boxes": np.array([[1.0, 1, 5 + i % 3, 6]]), "labels": np.array([i])} for i in range(count)]


def same(first, second):
    """Equal values in equal containers."""
    assert type(first) is type(second)
    if isinstance(first, dict):
        assert list(first) == list(second)
        first, second = list(first.values()), list(second.values())
    if isinstance(first, (list, tuple)):
        assert len(first) == len(second)
        for one, other in zip(first, second, strict=True):
            same(one, other)
    else:
        np.testing.assert_array_equal(first, second)


BATCHES = {
    "images": (images(), images()[:4]),
    "tuple": (batch(), few()),
    "list": (list(batch()), list(few())),
    "dict": (
        {"images": images(), "labels": np.arange(6), "names": list("abcdef"), "meta": {"k": 1, "text": "abcdef"}},
        {"images": images()[:4], "labels": np.arange(4), "names": list("abcd"), "meta": {"k": 1, "text": "abcdef"}},
    ),
    "samples": ([(image, 1) for image in images()], [(image, 1) for image in images()[:4]]),
    "named samples": ([{"image": image} for image in images()], [{"image": image} for image in images()[:4]]),
    "records": ((images(), rows(6)), (images()[:4], rows(4))),
    "a list of labels": ((images(), [0, 1, 2, 0, 1, 2]), (images()[:4], [0, 1, 2, 0])),
    "a list of images": ({"images": list(images())}, {"images": list(images()[:4])}),
    "boxes by name": (
        {"images": images(), "boxes": [row["boxes"] for row in rows(6)], "labels": [row["labels"] for row in rows(6)]},
        {
            "images": images()[:4],
            "boxes": [row["boxes"] for row in rows(4)],
            "labels": [row["labels"] for row in rows(4)],
        },
    ),
    "as many views as samples": (
        {f"view{i}": images(6, i) for i in range(6)},
        {f"view{i}": images(6, i)[:4] for i in range(6)},
    ),
    "a tuple of as many": (
        {"images": images(), "pair": tuple(images(6, i) for i in range(6))},
        {"images": images()[:4], "pair": tuple(images(6, i)[:4] for i in range(6))},
    ),
    "small": (few(3), few(3)),
}
TOLD = {
    "as many views as samples": {"kinds": {f"view{i}": "image" for i in range(6)}},
    "a tuple of as many": {"method": MixUp(passthrough="pair")},
}


@pytest.mark.parametrize("name", BATCHES)
def test_the_batch_is_cut_and_mixed_with_itself(notebook, pictures, name):
    given, wanted = BATCHES[name]
    explorer = explore(given, **TOLD.get(name, {}))
    same(explorer.batch, wanted)
    assert explorer.plan.size == (3 if name == "small" else 4)
    assert dataclasses.replace(explorer.transform, labels="pair").plan(wanted) == explorer.plan
    assert pictures[-1][1]["max_images"] == explorer.plan.size


def test_tensors_keep_their_types(notebook, pictures):
    torch = pytest.importorskip("torch")
    tv_tensors = pytest.importorskip("torchvision.tv_tensors")
    from mixtransforms.torchvision import CutMix

    photos = tv_tensors.Image(torch.zeros(6, 3, 12, 16))
    explorer = explore((photos, torch.arange(6)), max_images=5, method=CutMix(num_classes=6))
    assert type(explorer.batch[0]) is tv_tensors.Image
    assert [len(part) for part in explorer.batch] == [5, 5]
    assert type(explorer.transform) is CutMix
    explorer.controls["method"].value = "OneOf"
    assert type(explorer.transform).__module__ == "mixtransforms.torchvision.transform"
    assert explorer.transform.num_classes == 6
    assert explorer.transform(explorer.batch)[1].shape == (5, 6)


def test_the_transform_of_albumentations_keeps_its_library(notebook, pictures):
    pytest.importorskip("albumentations")
    from mixtransforms.albumentations import MixUp

    given = {"images": images(), "labels": np.arange(6)}
    explorer = explore(given, method=MixUp(alpha=0.7, num_classes=6, seed=3))
    assert repr(explorer.transform) == "MixUp(alpha=0.7, num_classes=6, seed=3)"
    wanted = MixUp(alpha=0.7, num_classes=6, seed=3).plan(**{name: part[:4] for name, part in given.items()})
    assert explorer.plan == wanted
    assert json.loads(explorer.json)["host"] == "albumentations"


def test_options_of_the_first_transform_are_those_of_all(notebook, pictures):
    first = CutMix(0.4, num_classes=3, labels="pair", keep_originals=True, seed=8, axes="W", layout="BHWC")
    explorer = explore(batch(), NAMES, method=first)
    assert fingerprint(explorer.transform) == fingerprint(first)
    assert pictures[-1][1] | {"title": None} == {
        "class_names": NAMES, "layout": "BHWC", "axes": "W", "normalized": None, "max_images": 4, "title": None,
    }  # fmt: skip
    explorer.controls["method"].value = "MixUp"
    wanted = MixUp(num_classes=3, labels="pair", keep_originals=True, seed=8, axes="W", layout="BHWC")
    assert fingerprint(explorer.transform) == fingerprint(wanted)


@pytest.mark.parametrize("first", [None, "MixUp", MixUp(layout="channels_first", kinds={"other": "mask"})], ids=repr)
def test_what_is_told_reaches_transform_and_picture(notebook, pictures, first):
    told = {"kinds": {"pixels": "image"}, "layout": "channels_last", "boxes": BoxRules(min_size=3)}
    explorer = explore({"pixels": images()}, method=first, normalized=([0.5], [0.5]), **told)
    assert {name: getattr(explorer.transform, name) for name in told} == told
    assert {name: pictures[-1][1][name] for name in told} == told
    assert pictures[-1][1]["normalized"] == ([0.5], [0.5])


def test_a_pure_method_begins_as_well(notebook, pictures):
    explorer = explore(batch(), NAMES, method=METHODS["CutMix"](0.3))
    assert repr(explorer.transform) == "CutMix(alpha=0.3, num_classes=3, seed=0)"


@pytest.mark.parametrize("methods", [[MixUp(0.1)], [MixUp(0.1), MixUp(3.0)], [MixUp(), CutMix(), MixUp()]], ids=repr)
def test_any_choice_of_methods_can_be_begun_with(notebook, pictures, methods):
    options = {"weights": [0.3] * len(methods), "num_classes": 3, "seed": 2}
    explorer = explore(batch(), method=OneOf(methods, **options))
    assert explorer.plan == OneOf(methods, **options).plan(*few())
    assert fingerprint(explorer.transform) == fingerprint(OneOf(methods, **options))


def test_soft_labels_are_left_their_width(notebook, pictures):
    rows = np.full((6, 5), 0.2, np.float32)
    assert explore((images(), rows), list("abcde")).transform.num_classes is None


def test_the_input_is_left_alone(notebook):
    given = batch()
    kept = [part.copy() for part in given]
    explore(given, NAMES, method=MixUp(num_classes=3, inplace=True)).controls["alpha"].value = 1.0
    for part, before in zip(given, kept, strict=True):
        np.testing.assert_array_equal(part, before)


# ------------------------------------------------------------------------------------------------ where it is shown


def test_a_script_gets_the_figure(monkeypatch):
    monkeypatch.setattr(IPython, "get_ipython", lambda: None)
    from matplotlib.figure import Figure

    figure = explore(batch(), NAMES)
    assert isinstance(figure, Figure)
    wanted = show.batch(few(), CutMix(num_classes=3, seed=0).plan(*few()), NAMES, title=titled(figure))
    assert figure._repr_png_() == wanted._repr_png_()
    assert titled(figure) == 'The controls need a notebook, and python -m pip install "ipywidgets>=8.1"'


def titled(figure):
    """What a figure says of the controls."""
    (text,) = [text for text in texts(figure) if "controls" in text]
    return text


def test_without_ipywidgets_the_figure_says_how_to_get_the_controls(notebook, monkeypatch):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    assert titled(explore(batch(), NAMES)) == 'The controls need ipywidgets: python -m pip install "ipywidgets>=8.1"'


def test_a_page_without_a_kernel_has_the_picture(explorer):
    bundle = explorer._repr_mimebundle_(include=None, exclude=None)
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == explorer.widget.model_id
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    assert bundle["text/plain"] == "<Explorer of CutMix(num_classes=3, seed=0)>"


def test_closing_frees_every_widget(notebook, pictures):
    from ipywidgets.widgets.widget import _instances

    before = set(_instances)
    explorer = explore(batch(), NAMES)
    for name in METHODS:
        explorer.controls["method"].value = name
    explorer.controls["method"].value = "OneOf"
    explorer.controls["transforms"].value = [MixUp()]  # the other one is hidden
    assert len(_instances) > len(before) + 50
    explorer.close()
    assert set(_instances) == before
    assert explorer.plan == explorer.transform.plan(explorer.batch)
    assert set(explorer._repr_mimebundle_()) == {"image/png", "text/plain"}


def test_an_option_without_a_form_in_files_is_told_there(notebook, pictures):
    torch = pytest.importorskip("torch")
    pytest.importorskip("torchvision")
    from mixtransforms.torchvision import CutMix

    given = torch.zeros(6, 3, 12, 16), torch.arange(6)
    explorer = explore(given, method=CutMix(num_classes=6, labels_getter=lambda batch: batch[1]))
    with pytest.raises(ConfigError) as reason:
        _ = explorer.json
    assert areas(explorer)[1] == str(reason.value)


def test_nothing_is_loaded_too_early():
    code = """
import sys
from mixtransforms.show.explorer.explore import explore
import numpy as np
print({"matplotlib", "ipywidgets", "IPython", "torch"} & set(sys.modules))
explore(np.zeros((4, 8, 8, 3), np.uint8))
print({"ipywidgets", "IPython", "torch", "matplotlib.pyplot"} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.split("\n")[:2] == ["set()", "set()"]


@pytest.mark.full
def test_a_notebook_that_ran_holds_the_widget_and_the_picture():
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    cells = [
        "import numpy as np\nfrom mixtransforms.show.explorer.explore import explore\n"
        "explorer = explore(np.zeros((4, 8, 8, 3), np.uint8))\nexplorer",
        "explorer.controls['alpha'].value = 0.5\nexplorer.transform",
    ]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(book, timeout=120, kernel_name="python3").execute()
    shown, chosen = (cell.outputs[0]["data"] for cell in book.cells)
    assert {"application/vnd.jupyter.widget-view+json", "image/png", "text/plain"} == set(shown)
    assert base64.b64decode(shown["image/png"]).startswith(b"\x89PNG")
    assert chosen["text/plain"] == "CutMix(alpha=0.5, seed=0)"
