"""What notebooks show: HTML that is sound, says what the objects say, and takes anything that users put into them."""

import base64
import functools
import pickle
import re
import struct
import subprocess
import sys
import zlib
from dataclasses import dataclass, field
from html.parser import HTMLParser

import numpy as np
import pytest

from mixtransforms import (
    BatchSpec,
    Boxes,
    Cosine,
    CutMix,
    InputError,
    Layer,
    Mask,
    MixUp,
    OffAfter,
    OneOf,
    Plan,
    Ramp,
    Steps,
)
from mixtransforms.methods import CutMix as PureCutMix
from mixtransforms.methods import MixUp as PureMixUp
from mixtransforms.methods import OneOf as PureOneOf
from mixtransforms.methods.schedules import Schedule
from mixtransforms.rng.keys import Key
from mixtransforms.show import style
from mixtransforms.show.html import render, svg
from mixtransforms.show.html.markup import SCOPE, STYLE, tag
from mixtransforms.show.words import short_repr

# ------------------------------------------------------------------------------------------------ the reader


@dataclass
class Element:
    """One element; ``inside`` holds elements and texts in their order."""

    name: str
    attributes: dict = field(default_factory=dict)
    inside: list = field(default_factory=list)

    @property
    def text(self):
        return "".join(each if isinstance(each, str) else each.text for each in self.inside)

    def all(self, name=None, cls=None):
        found = []
        for each in self.inside:
            if isinstance(each, Element):
                classes = (each.attributes.get("class") or "").split()
                if (name is None or each.name == name) and (cls is None or cls in classes):
                    found.append(each)
                found += each.all(name, cls)
        return found


class Reader(HTMLParser):
    """Reads strictly: every element ends where it should, no attribute stands twice."""

    def __init__(self):
        super().__init__()
        self.open = [Element("")]

    def handle_starttag(self, name, attributes):
        assert len(dict(attributes)) == len(attributes)
        element = Element(name, dict(attributes))
        self.open[-1].inside.append(element)
        if name not in ("img", "meta"):
            self.open.append(element)

    def handle_endtag(self, name):
        assert self.open.pop().name == name

    def handle_data(self, data):
        self.open[-1].inside.append(data)


def read(html):
    """The tree of an HTML text, checked for what no output may have."""
    reader = Reader()
    reader.feed(html)
    reader.close()
    (root,) = reader.open
    for element in root.all():
        assert element.name not in ("script", "iframe", "link", "object", "embed")
        for name, value in element.attributes.items():
            assert not name.startswith("on")
            assert "http" not in (value or "") or name == "title"
            assert name != "src" or value.startswith("data:image/png;base64,")
        if element.name == "svg":
            assert element.attributes["role"] == "img"
            assert element.attributes["aria-label"]
    html.encode("utf-8")  # which lone surrogates would refuse
    return root


def shown(thing):
    return read(thing._repr_html_())


def names(root):
    """Names of chips in the order in which they stand."""
    chips = root.all(cls="mx-chip")
    return [chip.all("code")[0].text for chip in chips]


def table(chip):
    """Parameters of a chip, without those of its children: name to text, and the names in bold."""
    rows = chip.all("table", "mx-parts")[0].all("tr")
    values = {row.all("th")[0].text: row.all("td")[0].text.strip() for row in rows}
    return values, [row.all("th")[0].text for row in rows if row.all("b")]


def rows_of(root):
    return root.all("table", "mx-rows")[0].all("tbody")[0].all("tr")


def cells(row):
    return [each for each in row.inside if isinstance(each, Element)]


def boxes_in(drawing):
    """Rectangles of a thumbnail but the frame: x, y, width and height as they are written."""
    return [[rect.attributes[key] for key in ("x", "y", "width", "height")] for rect in drawing.all("rect")[1:]]


# ------------------------------------------------------------------------------------------------ plans


def plan_of(shape=(20, 30), **more):
    """Sample 0 gets a box of 1, sample 1 is blended with 2, 2 gets a mask, a box and itself, 3 stays."""
    mask = np.zeros((1, *shape), bool)
    mask[..., : shape[-1] // 2] = True
    start, stop = [length // 4 for length in shape], [length // 2 + 1 for length in shape]
    layers = (
        Layer([0], [1], [1.0], Boxes([start], [stop])),
        Layer([1, 2], [2, 0], [0.3, 0.5]),
        Layer([2], [1], [0.8], Mask(mask)),
        Layer([2], [3], [0.6], Boxes([start], [stop])),
        Layer([2], [0], [0.25]),
    )
    return Plan(BatchSpec(4, shape), layers, **more)


def by_source(plan, shares, row):
    """What a sample has of which source, from the plan alone."""
    sums = {}
    for source, share in zip(plan.sources[row].tolist(), shares[row].tolist(), strict=True):
        sums[source] = sums.get(source, 0.0) + share
    return {source: share for source, share in sums.items() if share}


def read_shares(cell, row):
    """Shares of one cell by source: as numbers in words, and as widths of the bar."""
    told = [line.text.split("\u25a0 ")[1].split(" ", 1) for line in cell.all("div", "mx-number")]
    words = {row if who == "itself" else int(who.removeprefix("sample ")): number for number, who in told}
    widths = [float(rect.attributes["width"]) for rect in cell.all("rect")]
    starts = [float(rect.attributes["x"]) for rect in cell.all("rect")]
    assert starts == pytest.approx(np.cumsum([0.0, *widths])[:-1], abs=1e-5)
    return words, dict(zip(words, widths, strict=True))


@pytest.mark.parametrize("shape", [(20, 30), (40,), (6, 8, 10), (2, 4, 6, 8)])
def test_shares_are_those_of_the_plan(shape):
    plan = plan_of(shape)
    for number, row in enumerate(rows_of(shown(plan))):
        wanted = by_source(plan, plan.share, number)
        words, widths = read_shares(cells(row)[2], number)
        assert widths == pytest.approx(wanted, abs=1e-5)
        assert {source: float(text) for source, text in words.items()} == pytest.approx(wanted, abs=5.1e-4)


def test_declared_shares_stand_beside_the_measured():
    measured = plan_of()
    declared = np.tile([0.4, 0.3, 0.2, 0.1, 0.0], (4, 1))[:, : measured.sources.shape[1]]
    plan = plan_of(label_share=declared)
    root = shown(plan)
    heads = [head.text for head in root.all("thead")[0].all("th")]
    assert heads == ["sample", "what happened", "share of the image", "share of the label", "where"]
    for number, row in enumerate(rows_of(root)):
        assert read_shares(cells(row)[2], number)[1] == pytest.approx(by_source(plan, plan.share, number), abs=1e-5)
        assert read_shares(cells(row)[3], number)[1] == pytest.approx(by_source(plan, declared, number), abs=1e-5)


@pytest.mark.parametrize(
    ("share", "text"), [(0.0004, "<0.001"), (0.9999, ">0.999"), (1.0, "1.000"), (0.125, "0.125"), (0.9995, ">0.999")]
)
def test_a_share_is_never_rounded_to_nothing_or_to_all(share, text):
    plan = Plan(BatchSpec(2, (2, 2)), (Layer([0], [1], [share]),))
    words, _ = read_shares(cells(rows_of(shown(plan))[0])[2], 0)
    assert words[1] == text


def test_boxes_are_drawn_exactly():
    plan = Plan(
        BatchSpec(3, (31, 57)), (Layer([0, 2], [1, 0], [1.0, 0.5], Boxes([[3, 5], [0, 8]], [[17, 50], [31, 9]])),)
    )
    drawings = [cells(row)[3].all("svg") for row in rows_of(shown(plan))]
    assert [len(each) for each in drawings] == [1, 0, 1]
    assert drawings[0][0].attributes["viewbox"] == "0 0 57 31"
    assert boxes_in(drawings[0][0]) == [["5", "3", "45", "14"]]
    assert boxes_in(drawings[2][0]) == [["8", "0", "1", "31"]]


def test_boxes_of_other_ranks_are_projected():
    line = Plan(BatchSpec(2, (100,)), (Layer([0], [1], [1.0], Boxes([[10]], [[60]])),))
    (drawing,) = shown(line).all("td")[2].all("svg")
    assert drawing.attributes["viewbox"] == "0 0 100 1"
    assert boxes_in(drawing) == [["10", "0", "50", "1"]]
    volume = Plan(BatchSpec(2, (16, 20, 30)), (Layer([0], [1], [1.0], Boxes([[2, 5, 6]], [[9, 15, 26]])),))
    last, first = shown(volume).all("td")[2].all("svg")
    assert (last.attributes["viewbox"], first.attributes["viewbox"]) == ("0 0 30 20", "0 0 16 1")
    assert boxes_in(last) == [["6", "5", "20", "10"]]
    assert boxes_in(first) == [["2", "0", "7", "1"]]
    table_plan = Plan(BatchSpec(2, ()), (Layer([0], [1], [0.3]),))
    (drawing,) = shown(table_plan).all("td")[2].all("svg")
    assert boxes_in(drawing) == [["0", "0", "100%", "100%"]]


def painted(drawing):
    """Area of the paths of a thumbnail, by their opacity."""
    areas = {}
    for path in drawing.all("path"):
        sides = re.findall(r"h([\d.]+)v([\d.]+)h-", path.attributes["d"])
        areas[float(path.attributes["fill-opacity"])] = sum(float(width) * float(height) for width, height in sides)
    return areas


@pytest.mark.parametrize("shape", [(40, 80), (37, 53), (7, 5), (300, 600)])
def test_masks_are_drawn_coarsely(shape):
    half = np.zeros((1, *shape), bool)
    half[:, :, : shape[1] // 2] = True
    plan = Plan(BatchSpec(2, shape), (Layer([0], [1], [1.0], Mask(half)),))
    (drawing,) = shown(plan).all("td")[2].all("svg")
    drawn = sum(area * opacity / 0.9 for opacity, area in painted(drawing).items())
    assert drawn == pytest.approx(half.sum(), rel=0.15)
    full = Plan(BatchSpec(2, shape), (Layer([0], [1], [1.0], Mask(np.ones((1, *shape)))),))
    (drawing,) = shown(full).all("td")[2].all("svg")
    assert painted(drawing) == {0.9: pytest.approx(shape[0] * shape[1], rel=1e-4)}
    empty = Plan(BatchSpec(2, shape), (Layer([0], [1], [1.0], Mask(np.zeros((1, *shape)))),))
    assert painted(shown(empty).all("td")[2].all("svg")[0]) == {}


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (Layer([0], [1], [1.0]), "replaced by sample 1"),
        (Layer([0], [1], [0.25]), "blended with 25% of sample 1"),
        (Layer([0], [1], [0.0]), "nothing of sample 1: the opacity is 0"),
        (Layer([0], [0], [0.5]), "blended with 50% of the sample itself"),
        (Layer([0], [1], [1.0], Boxes([[1, 2]], [[3, 4]])), "sample 1 pasted at y 1:3, x 2:4"),
        (Layer([0], [1], [0.5], Boxes([[1, 2]], [[3, 4]])), "50% of sample 1 blended in at y 1:3, x 2:4"),
        (Layer([0], [1], [1.0], Boxes([[1, 2]], [[1, 4]])), "nothing of sample 1: the box is empty"),
        (Layer([0], [1], [1.0], Mask(np.ones((1, 4, 4)))), "sample 1 pasted through a mask"),
        (Layer([0], [1], [0.5], Mask(np.ones((1, 4, 4)))), "50% of sample 1 blended in through a mask"),
        (
            Layer([0], [1], [1.0], Boxes([[1, 2]], [[3, 4]]), Boxes([[0, 0]], [[4, 4]])),
            "sample 1 pasted at y 1:3, x 2:4, from y 0:4, x 0:4 of it",
        ),
    ],
)
def test_words_say_what_happened(layer, text):
    first, second = rows_of(shown(Plan(BatchSpec(2, (4, 4)), (layer,))))
    assert cells(first)[1].text == text
    assert cells(second)[1].text == "left as it is"


def test_words_of_other_ranks():
    line = Plan(BatchSpec(2, (9,)), (Layer([0], [1], [1.0], Boxes([[1]], [[4]])),))
    assert shown(line).all("td")[0].text == "sample 1 pasted at 1:4"
    volume = Plan(BatchSpec(2, (9, 9, 9)), (Layer([0], [1], [1.0], Boxes([[1, 2, 3]], [[4, 5, 6]])),))
    assert shown(volume).all("td")[0].text == "sample 1 pasted at [1:4, 2:5, 3:6]"
    point = Plan(BatchSpec(2, ()), (Layer([0], [1], [1.0], Boxes(np.zeros((1, 0), int), np.zeros((1, 0), int))),))
    assert "sample 1 pasted" in shown(point).all("td")[0].text


def test_several_layers_are_told_in_painting_order():
    plan = Plan(BatchSpec(8, (4, 4)), tuple(Layer([0], [source], [0.5]) for source in range(1, 8)))
    first = rows_of(shown(plan))[0]
    items = [item.text for item in cells(first)[1].all("li")]
    assert items == [f"blended with 50% of sample {source}" for source in range(1, 5)] + ["and 3 more layers"]
    numbers = [line.text for line in cells(first)[2].all("div", "mx-number")]
    shares = sorted(plan.share[0], reverse=True)
    assert [float(text.split()[1]) for text in numbers[:6]] == pytest.approx(shares[:6], abs=5.1e-4)
    assert numbers[6:] == [f"{sum(shares[6:]):.3f} of 2 more"]
    widths = [float(rect.attributes["width"]) for rect in cells(first)[2].all("rect")]
    assert widths == pytest.approx([*shares[:6], sum(shares[6:])], abs=1e-5)


@pytest.mark.parametrize(
    ("plan", "text"),
    [
        (Plan(BatchSpec(0, (4, 4))), "Plan 0 samples of 4 \u00d7 4, 0 layers, nothing is mixed"),
        (Plan(BatchSpec(1)), "Plan 1 sample, 0 layers, nothing is mixed"),
        (plan_of(), "Plan 4 samples of 20 \u00d7 30, 5 layers, 3 of 4 painted on"),
    ],
)
def test_the_head_says_what_the_plan_is_for(plan, text):
    root = shown(plan)
    assert root.all("p")[0].text == text
    assert len(root.all("table")) == (plan.size > 0)


def test_the_key_is_told():
    plan = CutMix(seed=5).plan(np.zeros((4, 8, 8, 3), np.uint8))
    assert plan.key == Key(5)
    assert "seed 5, epoch 0, rank 0, stream 0, step 0" in shown(plan).text


def large(layers=3, count=10_000, shape=(32, 32)):
    everyone = np.arange(count)
    start, stop = np.full((count, 2), 3), np.full((count, 2), 20)
    return Plan(
        BatchSpec(count, shape),
        tuple(
            Layer(everyone, (everyone + 1 + index) % count, 0.7, Boxes(start + index % 10, stop + index % 10))
            for index in range(layers)
        ),
    )


def test_a_large_plan_is_not_measured_as_a_whole():
    plan = large()
    html = plan._repr_html_()
    assert "shares" not in vars(plan)
    assert len(html) < 100_000
    root = read(html)
    assert len(rows_of(root)) == 16
    assert root.all("p")[-1].text == "and 9984 more samples"
    small = Plan(BatchSpec(40, (32, 32)), tuple(layer.take(layer.rows < 30) for layer in large(count=40).layers))
    told = [read_shares(cells(row)[2], number)[1] for number, row in enumerate(rows_of(shown(small)))]
    assert told == [pytest.approx(by_source(small, small.share, number), abs=1e-5) for number in range(16)]


def test_what_takes_long_is_not_measured_unless_it_is_known():
    plan = large(60, 70, (64, 64))
    assert "too much to measure here, see plan.share" in shown(plan).text
    assert len(plan._repr_html_()) < 100_000
    assert len(large(60, 70)._repr_html_()) < 100_000
    few = plan_of()
    before = few._repr_html_()
    few.share  # noqa: B018  known from now on
    assert few._repr_html_() == before


def test_many_masks_stay_small():
    checks = np.indices((20, 10, 10)).sum(axis=0) % 2 == 0
    layers = tuple(
        Layer(np.arange(20), np.arange(20) - index - 1 + 20 * (np.arange(20) <= index), 0.5, Mask(checks))
        for index in range(6)
    )
    assert len(Plan(BatchSpec(20, (10, 10)), layers)._repr_html_()) < 110_000


# ------------------------------------------------------------------------------------------------ transforms


@pytest.mark.parametrize("cls", [MixUp, CutMix, PureMixUp, PureCutMix])
def test_a_transform_alone_shows_all_its_parameters(cls):
    transform = cls(p=0.5, per="batch")
    root = shown(transform)
    assert names(root) == [cls.__name__]
    values, bold = table(root)
    assert bold == ["p", "per"]
    assert list(values)[:2] == bold
    fields = transform.__dataclass_fields__
    assert values == {name: repr(getattr(transform, name)) for name in fields if not name.startswith("_")}
    assert "open" in root.all("details")[0].attributes


def test_a_choice_shows_what_is_in_it():
    choice = OneOf([MixUp(0.3), CutMix()], weights=[0.5, 0.25], num_classes=3)
    root = shown(choice)
    assert names(root) == ["OneOf", "MixUp", "CutMix"]
    values, bold = table(root)
    assert bold == ["weights", "num_classes"]
    assert values["weights"] == "(0.5, 0.25)"
    assert "transforms" not in values
    pure = shown(PureOneOf([PureMixUp(), PureOneOf([PureCutMix()])]))
    assert names(pure) == ["OneOf", "MixUp", "OneOf", "CutMix"]
    assert "mixing method" in pure.text
    assert "mixing transform" in root.text


def test_schedules_in_parameters_are_drawn():
    ramp, off = Ramp(0, 0.4, 0, 5), OffAfter(0.5, 9)
    root = shown(OneOf([MixUp(ramp), CutMix()], weights=[0.5, off]))
    labels = [drawing.attributes["aria-label"] for drawing in root.all("svg")]
    assert labels == ["from 0.5 to 0 over 12 epochs", "from 0 to 0.4 over 8 epochs"]
    assert repr(ramp) in root.text
    assert repr(off) in root.text


# ------------------------------------------------------------------------------------------------ pipelines


def of_torchvision():
    torch = pytest.importorskip("torch")
    v2 = pytest.importorskip("torchvision.transforms.v2")
    from mixtransforms.torchvision import BatchCompose

    return BatchCompose(
        [
            v2.ToImage(),
            v2.RandomApply([v2.ColorJitter(0.2), v2.RandomOrder([v2.GaussianBlur(3)])], p=0.3),
            MixUp(Ramp(0, 0.4, 0, 5), num_classes=10, passthrough=("meta", "<b>")),
            CutMix(num_classes=10),
            v2.RandomErasing(p=0.1),
            v2.ToDtype(torch.float32, scale=True),
        ],
        seed=3,
    )


TORCHVISION_STAGES = [
    ("every sample", ["ToImage", "RandomApply", "ColorJitter", "RandomOrder", "GaussianBlur"]),
    ("batch", ["MixUp", "CutMix"]),
    ("every sample of the batch", ["RandomErasing"]),
    ("whole batch", ["ToDtype"]),
]


def of_albumentations():
    A = pytest.importorskip("albumentations")
    from mixtransforms.albumentations import BatchCompose

    return BatchCompose(
        [
            A.RandomCrop(8, 8),
            A.OneOf([A.HorizontalFlip(), A.Sequential([A.VerticalFlip(), A.Rotate(30)])], p=0.5),
            A.ColorJitter(),
            OneOf([MixUp(0.4), CutMix()], num_classes=10),
            A.Normalize(),
        ],
        bbox_params=A.BboxParams("coco"),
    )


ALBUMENTATIONS_STAGES = [
    ("every sample", ["RandomCrop", "OneOf", "HorizontalFlip", "Sequential", "VerticalFlip", "Rotate", "ColorJitter"]),
    ("batch", ["OneOf", "MixUp", "CutMix"]),
    ("every sample of the batch", ["Normalize"]),
]


@pytest.mark.parametrize(
    ("make", "stages", "head"),
    [
        (of_torchvision, TORCHVISION_STAGES, "BatchCompose of torchvision v2; seed 3; left alone: '<b>', 'meta'"),
        (
            of_albumentations,
            ALBUMENTATIONS_STAGES,
            "BatchCompose of Albumentations; no seed, draws from the host's generator",
        ),
    ],
)
def test_a_pipeline_is_shown_as_it_runs(make, stages, head):
    root = shown(make())
    assert root.all("p")[0].text == head
    found = [(stage.all("strong")[0].text, names(stage)) for stage in root.all(cls="mx-stage")]
    assert found == stages
    ends = [each.text for each in root.all("i")]
    assert ends == ["samples", "batch"]


def test_a_second_mix_is_told_from_the_first():
    v2 = pytest.importorskip("torchvision.transforms.v2")
    from mixtransforms.torchvision import BatchCompose

    pipeline = BatchCompose([CutMix(num_classes=3), v2.RandomErasing(), MixUp(num_classes=3)])
    texts = [stage.all(cls="mx-faint")[0].text for stage in shown(pipeline).all(cls="mx-stage")]
    assert texts == ["samples are collated, then mixed", "each with its own draws, then stacked again", "mixed again"]


def test_parameters_of_the_hosts_are_those_that_were_given():
    chips = shown(of_torchvision()).all(cls="mx-chip")
    jitter = next(chip for chip in chips if names_of(chip) == "ColorJitter")
    values, bold = table(jitter)
    assert bold == ["brightness"]
    assert values == {"brightness": "(0.8, 1.2)", "contrast": "None", "saturation": "None", "hue": "None"}
    root = shown(of_albumentations())
    crop = next(chip for chip in root.all(cls="mx-chip") if names_of(chip) == "RandomCrop")
    assert table(crop)[1] == ["height", "width"]
    assert table(crop)[0]["height"] == "8"
    assert "bbox_params" in root.all("details", "mx-options")[0].text


def names_of(chip):
    return chip.all("code")[0].text


def test_a_pipeline_of_many_transforms_stays_small_and_names_all():
    v2 = pytest.importorskip("torchvision.transforms.v2")
    from mixtransforms.torchvision import BatchCompose

    html = BatchCompose([v2.RandomAffine(index % 90) for index in range(200)])._repr_html_()
    root = read(html)
    assert len(html) < 100_000
    assert names(root) == ["RandomAffine"] * 200
    assert root.all("p")[-1].text == "Parameters that are not shown here are in repr(pipeline)."
    endless = BatchCompose([v2.Identity() for _ in range(5000)])._repr_html_()
    assert len(endless) < 100_000
    shown_ones = names(read(endless))
    assert f"and {5000 - len(shown_ones)} more" in read(endless).text


def nested_deeply(v2):
    inner = v2.Identity()
    for _ in range(50):
        inner = v2.RandomApply([inner])
    return inner


class Loud:
    """A parameter that cannot be told."""

    def __repr__(self):
        raise RuntimeError("no repr")


HOSTILE = "<script>alert('x')</script> & \"quoted\" \u202e \u4f60\u597d \x00 \ud800\nnext line"


def foreign(v2):
    """Transforms of users, each broken in its own way."""

    class Broken(v2.Transform):
        def __init__(self, strength=1, table=()):
            super().__init__()
            self.table = table

        @property
        def strength(self):
            raise RuntimeError("not now")

        def __repr__(self):
            raise RuntimeError("no repr")

    class Signless(v2.Transform):
        __signature__ = "none"

    hostile = type("N<b>&\"'" + "x" * 500, (v2.Transform,), {"__init__": lambda self, text=0: _held(self, v2, text)})
    return Broken, Signless, hostile


def _held(self, v2, text):
    v2.Transform.__init__(self)
    self.text = text


def test_foreign_transforms_never_break_the_display():
    v2 = pytest.importorskip("torchvision.transforms.v2")
    from mixtransforms.torchvision import BatchCompose

    Broken, Signless, hostile = foreign(v2)
    several = [
        Broken(table=Loud()),
        Signless(),
        hostile(HOSTILE),
        nested_deeply(v2),
        v2.Lambda(lambda image: image),
        print,
        functools.partial(print, 3),
        Broken(table=list(range(10_000))),
        Broken(table=np.zeros(10_000)),
        v2.Identity(),
    ]
    html = BatchCompose(several)._repr_html_()
    root = read(html)
    found = names(root)
    assert found[0] == found[-3] == "Broken"
    assert found[1] == "Signless"
    assert found[2].startswith("N<b>&\"'xxx")
    assert found[-5:-3] == ["print", "partial of print"]
    assert found[-1] == "Identity"
    assert "Loud, whose repr fails" in root.text
    assert "[0, 1, 2, 3, 4, 5, \u2026 10000 in all]" in root.text
    assert "<script" not in html.lower()
    assert "at 0x" not in html
    assert len(html) < 100_000


def test_long_names_are_whole_under_the_pointer():
    v2 = pytest.importorskip("torchvision.transforms.v2")
    cls = type("Long" * 40, (v2.Transform,), {})
    from mixtransforms.torchvision import BatchCompose

    (span,) = shown(BatchCompose([cls()])).all("span", None)[-1:]
    assert span.attributes["title"] == "Long" * 40
    assert span.text == ("Long" * 40)[:40] + "\u2026"


# ------------------------------------------------------------------------------------------------ values


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "3"),
        ("a'b", '"a\'b"'),
        ((1,), "(1,)"),
        ([1, "b"], "[1, 'b']"),
        ({"b": 1, "a": (2, 3)}, "{'b': 1, 'a': (2, 3)}"),
        ({"b", "a", "c"}, "{'a', 'b', 'c'}"),
        (list(range(10)), "[0, 1, 2, 3, 4, 5, \u2026 10 in all]"),
        (set(range(2000)), "{\u2026 2000 in all}"),
        (print, "print"),
        (Plan, "Plan"),
        (lambda: 0, "<lambda>"),
        (functools.partial(max, 3), "partial of max"),
        (object(), "<object>"),
        (Loud(), "Loud, whose repr fails"),
        ([[[[[[[1]]]]]]], "[[[[[\u2026]]]]]"),
    ],
)
def test_values_are_told_shortly_and_alike_in_every_run(value, text):
    assert short_repr(value).replace("test_values_are_told_shortly_and_alike_in_every_run.<locals>.", "") == text


def test_values_are_never_long():
    assert short_repr([10**5000]) == "[int, whose repr fails]"
    circle = []
    circle.append(circle)
    for value in ("x" * 10**6, b"x" * 10**6, np.zeros((1000, 10)), [["y" * 500] * 100] * 100, circle):
        assert len(short_repr(value)) < 20_000


@pytest.mark.parametrize("make", [plan_of, lambda: MixUp(kinds={"a": "image"}), of_torchvision, of_albumentations])
def test_equal_objects_are_shown_alike(make):
    assert make()._repr_html_() == make()._repr_html_()


@pytest.mark.parametrize("make", [MixUp, plan_of, of_torchvision, lambda: Ramp(0, 1, 0, 3)])
def test_showing_changes_nothing(make):
    thing = make()
    before = repr(thing)
    thing._repr_html_()
    assert repr(thing) == before
    assert repr(pickle.loads(pickle.dumps(thing))) == before


# ------------------------------------------------------------------------------------------------ schedules


SCHEDULES = [
    Ramp(0, 0.4, 0, 5),
    Cosine(0.1, 1, 5, 80),
    Steps({0: -1e6, 10: 0.2, 20: 1e6}),
    Steps({0: 0.0}),
    Steps({0: 3.0, 9000: 0.5}),
    OffAfter(0.3, 10_000),
    Ramp(0, 1, 0, 20).then(Ramp(1, 0.2, 20, 25), 20).then(0.1, 30),
]


def curve_of(root):
    """The corners of the curve in the drawing's units, and what its axes say: places and numbers."""
    (path,) = root.all("path")
    x, _, *rest = re.findall(r"[MVH ]([-\d.]+)", path.attributes["d"])
    steps = [(float(up), float(on)) for up, on in zip(rest[::2], rest[1::2], strict=True)]
    texts = [text for text in root.all("text") if text.text != "epoch"]
    vertical = [
        (float(each.attributes["y"]) - 4, float(each.text)) for each in texts if each.attributes["text-anchor"] == "end"
    ]
    across = [
        (float(each.attributes["x"]), float(each.text)) for each in texts if each.attributes["text-anchor"] == "middle"
    ]
    return float(x), steps, vertical, across


def scale(points):
    """The straight line through the ticks of an axis."""
    places, numbers = zip(*points, strict=True)
    return np.polyfit(places, numbers, 1) if len(points) > 1 else None


@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
def test_curves_show_the_values(schedule):
    root = shown(schedule)
    assert root.all("code")[0].text == repr(schedule)[:200] + "\u2026" * (len(repr(schedule)) > 200)
    start, steps, vertical, across = curve_of(root)
    assert len(vertical) >= 2
    assert len(across) >= 2
    slope, offset = scale(vertical)
    wide, left = scale(across)
    largest = max(abs(schedule.values()).max(), 1e-9)
    begin = start
    for y, end in steps:
        first, last = round(wide * begin + left + 0.5), round(wide * end + left - 0.5)
        values = schedule.over(np.arange(first, max(first, last) + 1))
        gap = abs(values - (slope * y + offset)).min()
        assert gap < 1e-3 * largest + 0.5 * (last - first > 3) * (values.max() - values.min())
        begin = end
    assert len(schedule._repr_html_()) < 20_000


def test_every_extreme_of_a_long_schedule_is_drawn():
    schedule = Steps({0: 0.0, 4321: 1.0, 4322: 0.0, 6543: -1.0, 6544: 0.0, 9999: 0.5})
    _, steps, vertical, _ = curve_of(shown(schedule))
    slope, offset = scale(vertical)
    values = [slope * y + offset for y, _ in steps]
    assert (min(values), max(values)) == pytest.approx((-1.0, 1.0), abs=0.01)


def test_a_composed_schedule_names_its_parts():
    root = shown(SCHEDULES[-1])
    items = [item.text for item in root.all("li")]
    assert items == [
        "from epoch 0: Ramp(start=0.0, end=1.0, begin=0, until=20)",
        "from epoch 20: Ramp(start=1.0, end=0.2, begin=20, until=25)",
        "from epoch 30: Steps(at=((0, 0.1),))",
    ]
    dashed = [line for line in root.all("line") if "stroke-dasharray" in line.attributes]
    wide, left = scale(curve_of(root)[3])
    assert [wide * float(line.attributes["x1"]) + left + 0.5 for line in dashed] == pytest.approx([20, 30], abs=0.05)
    many = Ramp(0, 1, 0, 2)
    for epoch in range(10, 400, 5):
        many = many.then(Ramp(0, 1, epoch, epoch + 4), epoch)
    assert len(many._repr_html_()) < 30_000
    assert shown(many).all("li")[-1].text == "and 59 more"


class Wild(Schedule):
    """A user's own schedule, which does not keep to the rules."""

    def __init__(self, last, values):
        vars(self).update(told=last, given=values)

    @property
    def last(self):
        return self.told

    def over(self, epochs):
        return self.given(epochs)

    def __repr__(self):
        return "Wild()"


@pytest.mark.parametrize(
    "wild",
    [
        Wild(3, lambda epochs: 1 / 0),
        Wild(3, lambda epochs: np.full(epochs.shape, np.nan)),
        Wild(10**15, lambda epochs: epochs),
        Wild(None, lambda epochs: epochs),
        Wild(3, lambda epochs: np.zeros(2)),
    ],
)
def test_a_schedule_that_fails_is_told_in_words(wild):
    root = shown(wild)
    assert root.text.endswith("Wild()")
    assert not root.all("svg")
    mix = PureMixUp(0.3)
    object.__setattr__(mix, "alpha", wild)
    assert "Wild()" in shown(mix).text


@pytest.mark.parametrize(
    ("low", "high", "whole", "wanted"),
    [
        (0.0, 1.0, False, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0.0, 0.4, False, [0, 0.1, 0.2, 0.3, 0.4]),
        (0, 3, True, [0, 1, 2, 3]),
        (0, 2, True, [0, 1, 2]),
        (-0.1, 0.4, False, [-0.1, 0, 0.1, 0.2, 0.3, 0.4]),
        (0, 12500, True, [0, 5000, 10000]),
    ],
)
def test_ticks_are_round(low, high, whole, wanted):
    assert svg.round_ticks(low, high, whole=whole) == pytest.approx(wanted)


# ------------------------------------------------------------------------------------------------ looks


def luminance(color):
    channels = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return np.dot(linear, [0.2126, 0.7152, 0.0722])


def contrast(one, other):
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("paper", ["#ffffff", "#111111"])
def test_accents_are_seen_on_light_and_on_dark_paper(paper):
    used = {*style.SOURCE_ACCENTS, style.ACCENT_OF_REST, *re.findall(r"#[0-9A-F]{6}", STYLE)}
    assert min(contrast(color, paper) for color in used) >= 3
    ink = 0 if paper == "#ffffff" else 255  # of what is drawn in the colour of the text, on either paper
    mixed = round(svg.FAINT * ink + (1 - svg.FAINT) * int(paper[1:3], 16))
    assert contrast("#" + f"{mixed:02x}" * 3, paper) >= 3


def test_no_text_has_a_colour_of_its_own():
    for rule in re.findall(r"(?<![-\w])color: ([^;}]+)", STYLE):
        assert rule.strip() == "inherit"
    for thing in (plan_of(), SCHEDULES[0]):
        assert {text.attributes["fill"] for text in shown(thing).all("text")} <= {"currentColor"}


def test_every_rule_is_for_what_is_inside():
    lines = STYLE.removeprefix("<style>\n").removesuffix("\n</style>").split("\n")
    assert all(line.startswith(f".{SCOPE}.{SCOPE}") and line.count("{") == line.count("}") == 1 for line in lines)
    assert "@" not in STYLE
    assert "url(" not in STYLE


def test_markup_is_escaped_once():
    assert tag("p", {"title": '<"&>', "hidden": True, "id": None}, "a<b", tag("b", {}, "&")) == (
        '<p title="&lt;&quot;&amp;&gt;" hidden>a&lt;b<b>&amp;</b></p>'
    )
    assert tag("p", {}, HOSTILE) == (
        "<p>&lt;script&gt;alert('x')&lt;/script&gt; &amp; \"quoted\" \ufffd \u4f60\u597d \ufffd \ufffd next line</p>"
    )


def test_hosts_and_matplotlib_are_not_loaded():
    code = (
        "import sys, mixtransforms as m\n"
        "for thing in (m.MixUp(m.Ramp(0, 1, 0, 3)), m.Ramp(0, 1, 0, 3), m.Plan(m.BatchSpec(2, (4, 4)))):\n"
        "    assert thing._repr_html_()\n"
        "print({'matplotlib', 'torch', 'torchvision', 'albumentations', 'cv2'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "set()"


# ------------------------------------------------------------------------------------------------ pages


def png(width=3, height=2):
    """A file of one grey, written by hand."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\x00" + b"\x80" * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_a_page_holds_all_its_parts():
    data = png()
    html = render.html_page("A & <B>", [plan_of()._repr_html_(), render.Png(data, 'two "cats"'), "<p>end</p>"])
    assert html.startswith('<!doctype html>\n<html lang="en"><head><meta charset="utf-8">')
    root = read(html)
    assert root.all("title")[0].text == root.all("h1")[0].text == "A & <B>"
    sections = root.all("section")
    assert len(sections) == 3
    assert sections[0].all("table")
    (picture,) = sections[1].all("img")
    assert base64.b64decode(picture.attributes["src"].partition(",")[2]) == data
    assert {key: picture.attributes[key] for key in ("alt", "width", "height")} == {
        "alt": 'two "cats"',
        "width": "3",
        "height": "2",
    }
    assert sections[2].text == "end"
    assert read(render.html_page("nothing", [])).all("section") == []


@pytest.mark.parametrize("data", [b"", b"GIF89a", png()[:20]])
def test_a_picture_must_be_a_png(data):
    with pytest.raises(InputError, match=r"Not a picture for a page \(Png.data\): got \d+ bytes .*figure.savefig"):
        render.Png(data, "")


def test_titles_of_pages_are_plain_text():
    root = read(render.html_page(HOSTILE, []))
    assert root.all("h1")[0].text == root.all("title")[0].text
    assert "<script>" in root.all("h1")[0].text


# ------------------------------------------------------------------------------------------------ all of it


@pytest.mark.parametrize(
    "make",
    [plan_of, large, of_torchvision, of_albumentations, lambda: MixUp(kinds={HOSTILE: "image"}), lambda: SCHEDULES[-1]],
)
def test_html_is_sound_and_bounded(make):
    html = make()._repr_html_()
    (whole,) = [each for each in read(html).inside if isinstance(each, Element)]
    assert whole.attributes == {"class": SCOPE}
    assert len(html) < 100_000
