"""What a pipeline shows is code that builds it again; what it is called in a log is the same for equal pipelines alone."""

import contextlib
import functools
import importlib
import json
import os
import re
import subprocess
import sys
import warnings

import pytest
from host_cases import DEPRECATED, EVERY, HOSTS, built

import mixtransforms
from mixtransforms import fingerprint, to_dict
from mixtransforms.files.source import source

pytestmark = DEPRECATED

OURS = ("BatchCompose", "MixUp", "CutMix", "OneOf")
OPTIONS = "BoxRules Keypoints KnownLabels Label LabelPair Lengths MaskPair MultiLabel Padding Regression SemanticMask Table".split()


@functools.cache
def names(host):
    """What the code that is shown is written with: modules by the names of their documentation, and our classes."""
    known = {name: getattr(mixtransforms, name) for name in OPTIONS}
    if host == "neutral":
        return known | {name: getattr(mixtransforms, name) for name in OURS[1:]}
    door = importlib.import_module(f"mixtransforms.{host}")
    known |= {name: getattr(door, name) for name in OURS}
    if host == "albumentations":
        return known | {"A": importlib.import_module("albumentations")}
    modules = {
        "torch": "torch",
        "PIL": "PIL",
        "v2": "torchvision.transforms.v2",
        "tv_tensors": "torchvision.tv_tensors",
    }
    importlib.import_module("PIL.Image")
    return known | {name: importlib.import_module(module) for name, module in modules.items()}


def shown(host, transform):
    """A transform's code inside a pipeline of ours, or alone where such a pipeline does not take it."""
    try:
        pipeline = names(host)["BatchCompose"]([transform], seed=7)
    except mixtransforms.ParameterError:
        return transform, source(transform)
    return pipeline, repr(pipeline)


def evaluated(host, code):
    return eval(code, dict(names(host)))


def plain(data):
    return {key: value for key, value in data.items() if key != "written_with"}


# The code.


@pytest.mark.parametrize(("host", "case"), EVERY)
def test_the_code_builds_an_equal_pipeline(host, case):
    pipeline, code = shown(host, built(host, case))
    again = evaluated(host, code)
    assert type(again) is type(pipeline)
    assert to_dict(again) == to_dict(pipeline)
    assert code == source(pipeline)


MIXES = [
    "MixUp()",
    "MixUp(0.5, p=0.25, per='batch', pairing='roll', fold=True, num_classes=4, seed=3)",
    "CutMix(placement='minmax', minmax=(0.1, 0.5), masks='dominant', ignore_index=255, pad='max', layout='BCHW')",
    "OneOf([MixUp(0.25), CutMix()], weights=[0.25, 0.5], labels='pair', passthrough=('id', 3), keep_originals=True)",
    "OneOf([MixUp(), OneOf([CutMix()], p=0.5)], kinds={'a.b': 'image', 'seg': SemanticMask(num_classes=3)})",
    "MixUp(boxes=BoxRules(min_visibility=0.25), axes='spatial', inplace=True)",
]


@pytest.mark.parametrize("host", ["neutral", *HOSTS])
@pytest.mark.parametrize("case", MIXES)
def test_the_code_of_mixes(host, case):
    if host != "neutral":
        pytest.importorskip(host, reason=f"{host} is not installed")
    mix = evaluated(host, case)
    assert to_dict(evaluated(host, source(mix))) == to_dict(mix)
    if host != "neutral" and mix.seed is None:
        pipeline, code = shown(host, mix)
        assert code.startswith("BatchCompose(")
        assert to_dict(evaluated(host, code)) == to_dict(pipeline)


def test_defaults_are_left_out_and_enums_have_their_names():
    pytest.importorskip("torchvision")
    from torchvision.transforms import v2

    door = importlib.import_module("mixtransforms.torchvision")
    pipeline = door.BatchCompose(
        [v2.Resize((8, 9), interpolation="bicubic"), v2.RandomApply([v2.RandomInvert()], p=0.5)]
    )
    assert repr(pipeline) == (
        "BatchCompose([\n"
        "    v2.Resize(size=[8, 9], interpolation=v2.InterpolationMode.BICUBIC),\n"
        "    v2.RandomApply([v2.RandomInvert()]),\n"
        "])"
    )


def test_what_has_no_code_is_shown_all_the_same():
    pytest.importorskip("torchvision")
    import torch
    from torchvision.transforms import v2

    class Own(torch.nn.Module):
        def __init__(self, level=1, function=None):
            super().__init__()
            self.function = function

    class Silent(torch.nn.Module):
        def __init__(self, hidden):
            super().__init__()

    door = importlib.import_module("mixtransforms.torchvision")
    strange = [
        v2.Lambda(len),
        v2.Lambda(lambda image: image, torch.Tensor),
        Own(function=len),
        Silent(3),
        v2.SanitizeBoundingBoxes(labels_getter=lambda sample: sample["labels"]),
        v2.LinearTransformation(torch.eye(2) / 0, torch.zeros(2)),
        torch.nn.Identity(),
        v2.Pad(1, fill={torch.Tensor: 1, str: 2}),
        v2.Normalize([float("nan")], [float("inf")]),
    ]
    nested = v2.Compose([v2.RandomApply([v2.RandomChoice([v2.Identity(), transform])]) for transform in strange])
    for transform in [*strange, nested]:
        text = repr(door.BatchCompose([transform]))
        assert type(transform).__name__ in text
        assert text.startswith("BatchCompose([")
    text = repr(door.BatchCompose([nested]))
    for transform in strange:
        assert type(transform).__name__ in text
    assert "v2.Identity()" in text


@pytest.mark.filterwarnings("ignore:Using lambda is incompatible")
def test_what_has_no_code_is_shown_all_the_same_by_albumentations():
    A = pytest.importorskip("albumentations")
    import numpy as np

    class Own(A.ImageOnlyTransform):
        def __init__(self, function=None, p=0.5):
            super().__init__(p=p)
            self.function = function

        def apply(self, img, **params):
            return img

    door = importlib.import_module("mixtransforms.albumentations")
    strange = [
        A.Lambda(image=lambda image, **kwargs: image, name="x"),
        A.Equalize(mask=np.ones((4, 4), np.uint8)),
        Own(function=len),
    ]
    for transform in [*strange, A.OneOf([A.Sequential([transform]) for transform in strange])]:
        text = repr(door.BatchCompose([transform]))
        assert type(transform).__name__ in text
        assert text.startswith("BatchCompose([")


# The fingerprint.


def number(value):
    """A value with whole numbers as such, written our own way."""
    if isinstance(value, float) and value == int(value):
        return int(value)
    if isinstance(value, list):
        return [number(item) for item in value]
    return {key: number(item) for key, item in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize("host", HOSTS)
def test_fingerprints_differ_where_anything_does(host):
    pytest.importorskip(host, reason=f"{host} is not installed")
    by_text, by_print = {}, {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for case in HOSTS[host].CASES:
            with contextlib.suppress(mixtransforms.ConfigError):  # of which its own test complains
                transform = built(host, case)
                text = json.dumps(number(to_dict(transform)["pipeline"]), sort_keys=True)
                short = fingerprint(transform)
                assert re.fullmatch("[0-9a-f]{16}", short)
                assert by_text.setdefault(text, short) == short, case
                assert by_print.setdefault(short, text) == text, case
    assert len(by_text) == len(by_print) > 100


VARIED = [
    "MixUp({})",
    "MixUp({}alpha=0.5)",
    "MixUp({}p=0.5)",
    "MixUp({}per='batch')",
    "MixUp({}per='pair')",
    "MixUp({}pairing='roll')",
    "MixUp({}fold=True)",
    "MixUp({}num_classes=4)",
    "MixUp({}num_classes=5)",
    "MixUp({}labels='pair')",
    "MixUp({}ignore_index=255)",
    "MixUp({}masks='dominant')",
    "MixUp({}boxes=BoxRules(min_visibility=0.25))",
    "MixUp({}kinds={{'a': 'image'}})",
    "MixUp({}kinds={{'a': 'mask'}})",
    "MixUp({}layout='BCHW')",
    "MixUp({}axes='spatial')",
    "MixUp({}pad='max')",
    "MixUp({}passthrough='id')",
    "MixUp({}keep_originals=True)",
    "MixUp({}inplace=True)",
    "MixUp({}seed=0)",
    "MixUp({}seed=1)",
    "CutMix({})",
    "CutMix({}alpha=0.5)",
    "CutMix({}placement='inside')",
    "CutMix({}placement='minmax', minmax=(0.1, 0.5))",
    "CutMix({}placement='minmax', minmax=(0.1, 0.25))",
    "CutMix({}correct_weight=False)",
    "OneOf([MixUp()]{})",
    "OneOf([CutMix()]{})",
    "OneOf([MixUp(), CutMix()]{})",
    "OneOf([CutMix(), MixUp()]{})",
    "OneOf([MixUp(), CutMix()], weights=[0.25, 0.5]{})",
    "OneOf([MixUp(), CutMix()], weights=[0.5, 0.25]{})",
    "OneOf([MixUp(), CutMix()], per='batch'{})",
    "OneOf([MixUp(0.5), CutMix()]{})",
    "OneOf([MixUp(), CutMix(0.5)]{})",
]


@pytest.mark.parametrize("host", ["neutral", *HOSTS])
def test_fingerprints_of_mixes_differ_in_every_parameter(host):
    if host != "neutral":
        pytest.importorskip(host, reason=f"{host} is not installed")
    prints = {case: fingerprint(evaluated(host, case.format(""))) for case in VARIED}
    assert len(set(prints.values())) == len(VARIED)
    given = {name for case in VARIED for name in re.findall(r"(\w+)=", case)} | {"labels_getter"}
    node = to_dict(evaluated(host, "CutMix()"))["pipeline"]
    assert set(node["args"]) | set(to_dict(evaluated(host, "MixUp()"))["pipeline"]["args"]) <= given


def test_fingerprints_of_pipelines_differ_in_hosts_seeds_and_order():
    pytest.importorskip("torchvision")
    pytest.importorskip("albumentations")
    codes = {
        "torchvision": [
            "BatchCompose([v2.RandomInvert(), v2.RandomEqualize()])",
            "BatchCompose([v2.RandomEqualize(), v2.RandomInvert()])",
            "BatchCompose([v2.RandomEqualize(), v2.RandomInvert()], seed=0)",
            "BatchCompose([v2.Compose([v2.RandomEqualize()]), v2.RandomInvert()])",
            "BatchCompose([v2.Compose([v2.RandomEqualize(), v2.RandomInvert()])])",
            "v2.Compose([v2.RandomEqualize(), v2.RandomInvert()])",
            "BatchCompose([MixUp()])",
            "MixUp()",
        ],
        "albumentations": [
            "BatchCompose([MixUp()])",
            "MixUp()",
            "BatchCompose([MixUp()], strict=True)",
            "A.Compose([])",
        ],
        "neutral": ["MixUp()"],
    }
    prints = [fingerprint(evaluated(host, code)) for host, listed in codes.items() for code in listed]
    assert len(set(prints)) == len(prints)


EQUAL = {
    "torchvision": [
        ("v2.Resize([8, 9])", "v2.Resize((8, 9))"),
        ("v2.RandomInvert(p=1)", "v2.RandomInvert(p=1.0)"),
        ("v2.RandomInvert()", "v2.RandomInvert(p=0.5)"),
        ("v2.Resize(8, interpolation='bicubic')", "v2.Resize([8], interpolation=v2.InterpolationMode.BICUBIC)"),
        ("v2.Resize(8, interpolation=3)", "v2.Resize(8, v2.InterpolationMode.BICUBIC, antialias=True)"),
        ("v2.RandomRotation(15)", "v2.RandomRotation((-15.0, 15))"),
        ("v2.Pad(1, fill=3)", "v2.Pad(padding=1, fill=3.0, padding_mode='constant')"),
        ("v2.Compose([v2.RandomInvert()])", "v2.Compose((v2.RandomInvert(),))"),
        ("BatchCompose([MixUp()])", "BatchCompose((MixUp(alpha=0.2, p=1, labels_getter='default'),), seed=None)"),
    ],
    "albumentations": [
        ("A.Blur(blur_limit=(3, 5))", "A.Blur(blur_limit=[3, 5])"),
        ("A.HorizontalFlip(p=1)", "A.HorizontalFlip(p=1.0)"),
        ("A.Rotate(15)", "A.Rotate(limit=(-15, 15.0), p=0.5)"),
        ("A.Compose([A.Blur()])", "A.Compose([A.Blur(p=0.5)], p=1)"),
        ("A.Compose([A.D4()], A.BboxParams('coco'))", "A.Compose([A.D4()], bbox_params={'format': 'coco'})"),
        ("BatchCompose([A.Blur()])", "BatchCompose([A.Blur()], p=1.0, bbox_params=None, is_check_shapes=True)"),
    ],
    "neutral": [
        ("MixUp()", "MixUp(0.2, num_classes=None)"),
        ("MixUp(1)", "MixUp(alpha=1.0)"),
        ("OneOf([MixUp(), CutMix()], weights=[0, 1])", "OneOf((MixUp(), CutMix(1)), weights=(0.0, 1.0))"),
        ("MixUp(passthrough='id')", "MixUp(passthrough=['id'])"),
    ],
}


@pytest.mark.parametrize(("host", "one", "other"), [(host, *pair) for host, pairs in EQUAL.items() for pair in pairs])
def test_equal_pipelines_have_equal_fingerprints(host, one, other):
    if host != "neutral":
        pytest.importorskip(host, reason=f"{host} is not installed")
    assert fingerprint(evaluated(host, one)) == fingerprint(evaluated(host, other))


FIXED = {
    "torchvision": "BatchCompose([v2.RandomHorizontalFlip(0.25), v2.RandomInvert(1), CutMix(0.5, num_classes=10)], seed=7)",
    "albumentations": "BatchCompose([A.HorizontalFlip(0.25), A.Transpose(p=1), CutMix(0.5, num_classes=10)], seed=7)",
    "neutral": "OneOf([MixUp(0.5), CutMix()], weights=[0.25, 0.75], num_classes=10, seed=7)",
}

GOLDEN = {
    "torchvision": "6e91d49994ef16ae",
    "albumentations": "7ad18ac17f1c7558",
    "neutral": "db80831134abcbf5",
}
"""Written into training logs: no release may change them."""


@pytest.mark.parametrize("host", FIXED)
def test_fingerprints_never_change(host):
    if host != "neutral":
        pytest.importorskip(host, reason=f"{host} is not installed")
    assert fingerprint(evaluated(host, FIXED[host])) == GOLDEN[host]


@pytest.mark.parametrize("host", FIXED)
def test_neither_notes_nor_versions_count(host, monkeypatch):
    if host != "neutral":
        pytest.importorskip(host, reason=f"{host} is not installed")
    pipeline = evaluated(host, FIXED[host])
    data = to_dict(pipeline, notes="Some notes.") | {"$schema": "pipeline.schema.json"}
    assert fingerprint(mixtransforms.from_dict(data)) == fingerprint(pipeline)
    before = fingerprint(pipeline)
    monkeypatch.setattr("mixtransforms.files.document.__version__", "99.0")
    assert to_dict(pipeline)["written_with"]["mixtransforms"] == "99.0"
    assert fingerprint(pipeline) == before
    other = data | {"written_with": {"mixtransforms": "0.0.1", host: "0.0.1"}}
    assert fingerprint(mixtransforms.from_dict(other)) == before


CODE = """
import json, sys, warnings
warnings.simplefilter("ignore")
import mixtransforms
print(json.dumps([mixtransforms.fingerprint(mixtransforms.from_json(text)) for text in json.load(sys.stdin)]))
"""


# A process that loads a host takes five seconds; what could differ, such as the order of sets, is the writer's own.
@pytest.mark.parametrize(
    "host", [name if name == "neutral" else pytest.param(name, marks=pytest.mark.full) for name in FIXED]
)
def test_fresh_processes_give_the_same(host):
    codes = [FIXED[host], *(code for pair in EQUAL[host] for code in pair)]
    if host != "neutral":
        pytest.importorskip(host, reason=f"{host} is not installed")
    pipelines = [evaluated(host, code) for code in codes]
    texts = json.dumps([mixtransforms.to_json(pipeline) for pipeline in pipelines])
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", CODE],
            input=texts,
            capture_output=True,
            text=True,
            check=True,
            env={
                **os.environ,
                "PYTHONHASHSEED": seed,
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                "NO_ALBUMENTATIONS_UPDATE": "1",
            },
        )
        assert json.loads(done.stdout) == [fingerprint(pipeline) for pipeline in pipelines]


def test_own_classes_count_with_their_arguments():
    pytest.importorskip("torchvision")
    import torch

    class Noise(torch.nn.Module):
        def __init__(self, level: float = 0.5) -> None:
            super().__init__()
            self.level = level

    prints = [fingerprint(Noise(level), allow=[Noise]) for level in (0.5, 1, 1.0)]
    assert prints[1] == prints[2] != prints[0]
    with pytest.raises(mixtransforms.ConfigError, match="allow="):
        fingerprint(Noise())
