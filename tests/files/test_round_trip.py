"""Pipelines of both hosts to JSON and back: equal objects, equal batches, also in a fresh process."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import mixtransforms


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


@pytest.mark.full
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
    from mixtransforms.files.registry import codec_of

    tried = 0
    for entry in codec_of("albumentations").entries.values():
        try:
            transform = entry.cls()
        except (TypeError, ValueError):
            continue  # needs arguments
        text = mixtransforms.to_json(transform)
        assert mixtransforms.to_json(mixtransforms.from_json(text)) == text
        tried += 1
    assert tried >= 95


def batch_and_stock(host):
    """A BatchCompose, and the host's own Compose of the same transforms."""
    door = pytest.importorskip(f"mixtransforms.{host}", reason=f"{host} is not installed", exc_type=ImportError)
    if host == "torchvision":
        from torchvision.transforms import v2

        transforms, compose = [v2.RandomHorizontalFlip()], v2.Compose
    else:
        import albumentations as A

        transforms, compose = [A.HorizontalFlip()], A.Compose
    return door.BatchCompose([*transforms, door.MixUp(pad="max")], seed=1), compose(transforms)


@pytest.mark.parametrize("host", ["torchvision", "albumentations"])
def test_every_attribute_of_a_pipeline_is_the_hosts_or_an_argument_or_named_as_passing(host):
    from mixtransforms.files.registry import codec_of

    pipeline, stock = batch_and_stock(host)
    codec, passing = codec_of(host), type(pipeline)._runtime

    def unexplained():
        return vars(pipeline).keys() - vars(stock).keys() - codec.entry_of(pipeline, "$").arguments.keys() - passing

    assert unexplained() == set()
    assert passing <= vars(pipeline).keys()
    assert not passing & codec.state(pipeline).keys()
    pipeline._new = object()  # whoever adds one learns here that it must be named, or be compared
    assert unexplained() == {"_new"}
    with pytest.raises(mixtransforms.ConfigError, match="'_new'"):
        mixtransforms.to_dict(pipeline)


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


def test_what_cannot_be_written_is_refused_at_save(tmp_path):
    pytest.importorskip("torchvision", reason="torchvision is not installed")
    from torchvision.transforms import v2

    from mixtransforms.torchvision import BatchCompose, MixUp

    path = tmp_path / "pipeline.json"
    with pytest.raises(mixtransforms.ConfigError, match=r"\$\.pipeline\.children\[1\]\.type.*\.Lambda;.*A function"):
        mixtransforms.save(BatchCompose([v2.Identity(), v2.Lambda(len)]), path)
    with pytest.raises(mixtransforms.ConfigError, match=r"\$\.pipeline\.args\.labels_getter.*'default', null"):
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


def test_a_symbolic_link_stays_one(tmp_path):
    target, link = tmp_path / "target.json", tmp_path / "link.json"
    mixtransforms.save(mixtransforms.MixUp(), target)
    try:
        link.symlink_to(target)
    except OSError:
        pytest.skip("no symbolic links here")
    mixtransforms.save(mixtransforms.CutMix(), link)
    assert link.is_symlink()
    assert type(mixtransforms.load(target)) is mixtransforms.CutMix


def test_errors_of_the_system_name_the_file(tmp_path):
    path = tmp_path / "missing" / "pipeline.json"
    with pytest.raises(FileNotFoundError) as caught:
        mixtransforms.save(mixtransforms.MixUp(), path)
    assert caught.value.filename == str(path)


def test_the_hosts_own_files_of_our_pipeline_keep_what_the_host_drops(tmp_path):
    A = pytest.importorskip("albumentations", reason="albumentations is not installed")
    from mixtransforms.albumentations import BatchCompose

    params = A.BboxParams("coco", label_fields=["c"], filter_invalid_bboxes=True)
    pipeline = BatchCompose([A.HorizontalFlip()], bbox_params=params, strict=True, seed=3)
    path = tmp_path / "theirs.json"
    A.save(pipeline, str(path))
    assert mixtransforms.to_json(mixtransforms.load(path)) == mixtransforms.to_json(pipeline)
