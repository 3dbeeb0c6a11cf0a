"""Pipelines of both hosts to JSON and back: equal objects, equal batches, also in a fresh process."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import mixtransforms
from mixtransforms.serialization import reader


@pytest.fixture
def torchvision_pipeline():
    pytest.importorskip("torchvision", reason="torchvision is not installed")
    import torch
    from torchvision import tv_tensors
    from torchvision.transforms import v2

    from mixtransforms.torchvision import BatchCompose, CutMix, MixUp, OneOf

    return BatchCompose(
        [
            v2.RandomResizedCrop(16, interpolation=v2.InterpolationMode.BICUBIC),
            v2.RandomHorizontalFlip(),
            v2.RandomRotation(15, fill=3),
            v2.RandomApply([v2.ColorJitter(0.2, 0.2, 0.2, 0.1)], p=0.5),
            v2.RandomCrop(12, padding=[1, 2]),
            v2.ToDtype({tv_tensors.Image: torch.float32, "others": None}, scale=True),
            OneOf([MixUp(0.3), CutMix(placement="minmax", minmax=(0.1, 0.5))], weights=[0.4, 0.5], num_classes=4),
            v2.RandomErasing(value="random"),
            v2.Normalize([0.5] * 3, [0.2] * 3),
        ],
        seed=3,
    )


@pytest.fixture
def albumentations_pipeline():
    A = pytest.importorskip("albumentations", reason="albumentations is not installed")
    from mixtransforms.albumentations import BatchCompose, CutMix, MixUp, OneOf

    return BatchCompose(
        [
            A.RandomResizedCrop((16, 16)),
            A.HorizontalFlip(),
            A.Rotate(15),
            A.OneOf([A.Blur(), A.GaussNoise()], p=0.3),
            A.ColorJitter(),
            OneOf([MixUp(0.3), CutMix()], weights=[0.4, 0.5], num_classes=4),
            A.Normalize(),
        ],
        seed=3,
        bbox_params=None,
    )


HOSTS = ("torchvision_pipeline", "albumentations_pipeline")

RUN = """
import hashlib, sys
import numpy as np
import mixtransforms

pipeline = mixtransforms.load(sys.argv[1])
images = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3), dtype=np.uint8)
if "torchvision" in sys.argv[2]:
    import torch
    batch = pipeline(torch.from_numpy(images.transpose(0, 3, 1, 2).copy()), torch.arange(8) % 4)
else:
    batch = list(pipeline(images=images, labels=np.arange(8) % 4).values())
print(hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in batch)).hexdigest())
"""


@pytest.mark.parametrize("name", HOSTS)
def test_text_is_stable_and_comes_back_equal(name, request):
    text = mixtransforms.to_json(request.getfixturevalue(name))
    again = mixtransforms.from_json(text)
    assert mixtransforms.to_json(again) == text
    assert json.loads(text)["host"] == name.removesuffix("_pipeline")


@pytest.mark.parametrize("name", HOSTS)
def test_a_fresh_process_gives_equal_batches(name, request, tmp_path):
    path = tmp_path / "pipeline.json"
    mixtransforms.save(request.getfixturevalue(name), path)
    digests = {
        subprocess.run(
            [sys.executable, "-c", RUN, str(path), name],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "NO_ALBUMENTATIONS_UPDATE": "1"},
        ).stdout
        for _ in range(2)
    }
    namespace = {"__name__": "here"}
    code = (
        RUN.replace("sys.argv[1]", repr(str(path)))
        .replace("sys.argv[2]", repr(name))
        .replace("print(", "digest = str(")
    )
    exec(code, namespace)  # the same code in this process
    assert digests == {namespace["digest"] + "\n"}


def test_neutral_transforms():
    pipeline = mixtransforms.OneOf([mixtransforms.MixUp(), mixtransforms.CutMix(0.5)], kinds={"a.b": "image"}, seed=1)
    again = mixtransforms.from_json(mixtransforms.to_json(pipeline))
    assert type(again) is mixtransforms.OneOf
    assert repr(again) == repr(pipeline)


@pytest.mark.parametrize("name", HOSTS)
def test_stock_compose(name, request):
    own = request.getfixturevalue(name)
    if name.startswith("torchvision"):
        from torchvision.transforms import v2

        stock = v2.Compose(own.transforms)
    else:
        import albumentations as A

        stock = A.Compose(own.transforms, seed=8, strict=True)
    again = mixtransforms.from_dict(mixtransforms.to_dict(stock))
    assert type(again) is type(stock)
    assert mixtransforms.to_dict(again) == mixtransforms.to_dict(stock)


@pytest.mark.filterwarnings("ignore")  # some of the host's own classes warn on construction
def test_every_covered_albumentations_class_with_defaults():
    pytest.importorskip("albumentations", reason="albumentations is not installed")
    from mixtransforms.serialization.albumentations_nodes import COVERED

    tried = 0
    for cls in COVERED.values():
        try:
            transform = cls()
        except (TypeError, ValueError):
            continue  # needs arguments
        text = mixtransforms.to_json(transform)
        assert mixtransforms.to_json(mixtransforms.from_json(text)) == text
        tried += 1
    assert tried >= 95


TORCHVISION_CASES = [
    "v2.RandomCrop(8, padding=[1, 2, 3, 4])",
    "v2.RandomErasing(value=[1.0, 2.0, 3.0])",
    "v2.RandomErasing(value='random')",
    "v2.Resize((8, 9), interpolation=v2.InterpolationMode.NEAREST)",
    "v2.Pad([1, 2], fill={tv_tensors.Image: 3, 'others': 0})",
    "v2.ToDtype({tv_tensors.Image: torch.float32, 'others': None}, scale=True)",
    "v2.AutoAugment(v2.AutoAugmentPolicy.CIFAR10)",
    "v2.RandomChoice([v2.Identity(), v2.RandomHorizontalFlip()], p=[1, 3])",
    "v2.RandomOrder([v2.RandomInvert(), v2.RandomPosterize(3)])",
    "v2.RandomAffine(10, translate=(0.1, 0.2), scale=(0.8, 1.1), shear=[1, 2, 3, 4])",
    "v2.ElasticTransform(alpha=[10.0, 20.0])",
    "v2.GaussianBlur((3, 5), sigma=(0.1, 1.0))",
]


@pytest.mark.parametrize("case", TORCHVISION_CASES)
def test_torchvision_arguments_that_are_stored_otherwise(case):
    pytest.importorskip("torchvision", reason="torchvision is not installed")
    import torch
    from torchvision import tv_tensors
    from torchvision.transforms import v2

    transform = eval(case, {"v2": v2, "tv_tensors": tv_tensors, "torch": torch})
    again = mixtransforms.from_json(mixtransforms.to_json(transform))
    image = tv_tensors.Image(torch.randint(0, 256, (3, 48, 48), dtype=torch.uint8))
    torch.manual_seed(0)
    expected = transform(image)
    torch.manual_seed(0)
    assert torch.equal(expected, again(image))


def test_every_covered_torchvision_class_is_exported():
    pytest.importorskip("torchvision", reason="torchvision is not installed")
    from torchvision.transforms import v2

    from mixtransforms.serialization.torchvision_nodes import COVERED

    for name, cls in COVERED.items():
        assert getattr(v2, name.removeprefix("torchvision.")) is cls


def test_what_cannot_be_written_is_refused_at_save(tmp_path):
    pytest.importorskip("torchvision", reason="torchvision is not installed")
    from torchvision.transforms import v2

    from mixtransforms.torchvision import BatchCompose, MixUp

    path = tmp_path / "pipeline.json"
    with pytest.raises(mixtransforms.ConfigError, match=r"\$\.pipeline\.children\[1\]\.type.*torchvision\.Lambda"):
        mixtransforms.save(BatchCompose([v2.Identity(), v2.Lambda(len)]), path)
    with pytest.raises(mixtransforms.ConfigError, match=r"\$\.pipeline\.args\.labels_getter.*kinds="):
        mixtransforms.save(MixUp(labels_getter=len), path)
    assert list(tmp_path.iterdir()) == []


def test_saving_is_all_or_nothing(tmp_path, monkeypatch):
    path = tmp_path / "pipeline.json"
    mixtransforms.save(mixtransforms.MixUp(), path)
    before = path.read_bytes()

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        mixtransforms.save(mixtransforms.CutMix(), path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["pipeline.json"]


ENVELOPE = mixtransforms.to_dict(mixtransforms.OneOf([mixtransforms.MixUp(), mixtransforms.CutMix()]))


def changed(**changes):
    return ENVELOPE | changes


def node(**changes):
    return changed(pipeline=ENVELOPE["pipeline"] | changes)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], r"\$\.format.*got list"),
        (changed(format="other"), r"\$\.format.*got 'other'"),
        (changed(format_version=2), r"\$\.format_version.*got 2; wanted 1 to 1.*newer mixtransforms"),
        (changed(format_version=True), r"\$\.format_version.*got True"),
        (changed(format_version=0), r"\$\.format_version.*got 0"),
        (changed(host="keras"), r"\$\.host.*'keras'"),
        (changed(extra=1), r"\$\.extra.*'notes'"),
        ({k: v for k, v in ENVELOPE.items() if k != "pipeline"}, r"\$\.pipeline.*got nothing"),
        (node(type="mixtransforms.CutMx"), r"\$\.pipeline\.type.*CutMx.*Did you mean 'mixtransforms\.CutMix'"),
        (node(type="os.system"), r"\$\.pipeline\.type.*os\.system"),
        (node(type="OneOf"), r"\$\.pipeline\.type.*got 'OneOf'.*Did you mean 'mixtransforms\.OneOf'"),
        (node(children=[{"type": "MixUp", "args": {}}]), r"\$\.pipeline\.children\[0\]\.type.*got 'MixUp'"),
        (node(type=3), r"\$\.pipeline\.type: got|\(\$\.pipeline\.type\): got int"),
        (node(args={"wieghts": None}), r"\$\.pipeline\.args\.wieghts.*Did you mean 'weights'"),
        (node(args={"p": 2}), r"\$\.pipeline\.args: Bad value for 'p' \(OneOf\): got 2"),
        (node(args=[]), r"\$\.pipeline\.args.*got list"),
        (node(children=[{"type": "mixtransforms.MixUp"}]), r"\$\.pipeline\.children\[0\]"),
        (node(children=[]), r"\$\.pipeline\.args: .*'transforms'"),
        (node(more=1), r"\$\.pipeline\).*keys"),
    ],
)
def test_bad_files_name_the_place(data, message):
    with pytest.raises(mixtransforms.ConfigError, match=message):
        mixtransforms.from_dict(data)


def test_free_text_under_notes():
    assert repr(mixtransforms.from_dict(changed(notes={"run": 7}))) == repr(mixtransforms.from_dict(ENVELOPE))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1, "a": 2}', "'a' stands twice"),
        ("[NaN]", "NaN is not JSON"),
        ("[Infinity]", "Infinity is not JSON"),
        ("[1e999]", "1e999 is not a finite number"),
        ("[" * 40 + "]" * 40, "deeper than 32"),
        ("[" + "1" * 5000 + "]", "5000 digits"),
        (b"\xff", "Not UTF-8 at byte 0"),
        ("{", "Not JSON: .*line 1"),
        (" " * (reader.MAX_BYTES + 1), "at most 1048576"),
    ],
)
def test_strict_reader(text, message):
    with pytest.raises(mixtransforms.ConfigError, match=message):
        mixtransforms.from_json(text)


def test_brackets_in_strings_are_no_depth():
    assert reader.parse(json.dumps("[" * 100 + '"\\')) == "[" * 100 + '"\\'


def test_load_names_the_file(tmp_path):
    path = tmp_path / "broken.json"
    path.write_text("{")
    with pytest.raises(mixtransforms.ConfigError, match=r"broken\.json: Not JSON"):
        mixtransforms.load(path)


def test_not_a_pipeline():
    with pytest.raises(mixtransforms.ConfigError, match=r"got int.*BatchCompose"):
        mixtransforms.to_dict(3)


def test_numbers_survive_exactly():
    alpha = float(np.nextafter(0.3, 1))
    assert mixtransforms.from_json(mixtransforms.to_json(mixtransforms.MixUp(alpha))).alpha == alpha
