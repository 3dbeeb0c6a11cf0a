"""What preview makes of folders, pictures and pipelines of every kind, and how it tells what it could not."""

import os
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import mixtransforms
from mixtransforms import CutMix, InputError, MixUp, OffAfter, OneOf, Ramp
from mixtransforms.cli import photos as photos_module
from mixtransforms.cli.photos import find, read

pytest.importorskip("typer")
pytest.importorskip("matplotlib")
PIL = pytest.importorskip("PIL.Image")

import tiers
from commands import failed, run, succeeds


def fails(*words):
    """The error of a command: one line at the end of what it says."""
    said = failed(*words).stderr
    (line,) = [line for line in said.splitlines() if line.startswith("Error")]
    assert said.rstrip().endswith(line)
    return line


def picture(path, size=(24, 24), seed=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    PIL.fromarray(np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)).save(path)
    return path


@pytest.fixture
def photos(tmp_path):
    """Three classes with three images each."""
    for label, name in enumerate(("ant", "bee", "cow")):
        for number in range(3):
            picture(tmp_path / "photos" / name / f"{number}.png", seed=3 * label + number)
    return tmp_path / "photos"


@pytest.fixture
def flat(tmp_path):
    for number in range(4):
        picture(tmp_path / "flat" / f"{number}.jpg", seed=number)
    return tmp_path / "flat"


def saved(folder, pipeline):
    path = folder / "pipeline.json"
    mixtransforms.save(pipeline, path)
    return path


def composed(host, steps=(), mix=None, **options):
    """A BatchCompose: transforms of the host by name and arguments, then a mix."""
    if host == "torchvision":
        pytest.importorskip("torchvision")
        from torchvision.transforms import v2 as library

        from mixtransforms.torchvision import BatchCompose

        first = [library.ToImage()]
    else:
        library = pytest.importorskip("albumentations")
        from mixtransforms.albumentations import BatchCompose

        first = []
    listed = [getattr(library, name)(**arguments) for name, arguments in steps]
    return BatchCompose([*first, *listed, *([] if mix is None else [mix])], seed=1, **options)


HOSTS = ["torchvision", "albumentations"]


# Counts, and epochs.


@pytest.mark.parametrize("host", HOSTS)
def test_a_ramp_is_shown_where_it_mixes_and_counted_where_it_does_not(photos, tmp_path, host):
    mix = OneOf([MixUp(0.2), CutMix(1.0)], num_classes=3, p=Ramp(0, 1, 0, 2))
    file, output = saved(tmp_path, composed(host, mix=mix)), tmp_path / "a.png"
    text = succeeds("preview", file, photos, "-o", output)
    assert text.startswith("8 of 8 images mixed, of 3 classes.\n")
    assert "Shown is epoch 2; schedules change what is mixed, and --epoch shows another." in text
    text = succeeds("preview", file, photos, "-o", output, "--epoch", 0)
    assert text.startswith("None of 8 images mixed, of 3 classes.\n")
    (hint,) = re.findall(r"epoch 0; .* (--epoch 2)\.", text)
    assert succeeds("preview", file, photos, "-o", output, *hint.split()).startswith("8 of 8 images mixed")


@pytest.mark.parametrize(
    ("mix", "epoch"),
    [
        (MixUp(0.2, num_classes=3, p=OffAfter(1, 285)), 0),
        (MixUp(Ramp(0, 0.4, 3, 9), num_classes=3), 9),
        (OneOf([MixUp(Ramp(0, 0.4, 0, 4)), CutMix(1.0, p=Ramp(0, 1, 0, 7))], num_classes=3), 7),
        (MixUp(0.2, num_classes=3, p=Ramp(0, 1, 0, 5).then(0, epoch=25)), 5),
    ],
    ids=["off after", "alpha", "inside a choice", "then"],
)
def test_the_epoch_that_mixes_the_most_is_shown(photos, tmp_path, mix, epoch):
    text = succeeds("preview", saved(tmp_path, mix), photos, "-o", tmp_path / "a.png")
    assert f"Shown is epoch {epoch};" in text
    assert not text.startswith("None")


def test_what_was_mixed_is_counted(photos, tmp_path):
    file = saved(tmp_path, MixUp(0.2, num_classes=3, p=0.4, seed=0))
    trace = mixtransforms.load(file).trace(
        [(np.asarray(photo.image), photo.label) for photo in read(find(photos), 8).photos]
    )
    count = int(trace.plans[0].mixed.sum())
    assert 0 < count < 8
    text = succeeds("preview", file, photos, "-o", tmp_path / "a.png")
    assert text.startswith(f"{count} of 8 images mixed, of 3 classes.\n")
    assert "epoch" not in text


def test_why_nothing_is_mixed(photos, tmp_path):
    output = tmp_path / "a.png"
    text = succeeds("preview", saved(tmp_path, MixUp(num_classes=3)), photos, "-b", 1, "-o", output)
    assert text.startswith("None of 1 image mixed")
    assert "A sample is mixed with others, and there is one" in text
    text = succeeds("preview", saved(tmp_path, MixUp(p=0, num_classes=3)), photos, "-o", output)
    assert "Nothing is mixed here: p=0 in the file" in text
    file = saved(tmp_path, composed("albumentations", [("HorizontalFlip", {"p": 0.5})]))
    text = succeeds("preview", file, photos, "-o", output, "--epoch", 3)
    assert "Nothing in this pipeline mixes." in text


# Failures of a host.


@pytest.mark.parametrize("host", HOSTS)
def test_a_transform_that_a_photo_makes_fail_is_told_in_one_line(photos, tmp_path, host):
    small = picture(photos / "bee" / "1.png", (9, 12), seed=9)
    step = ("RandomCrop", {"size": 20} if host == "torchvision" else {"height": 20, "width": 20})
    mix = CutMix(num_classes=3)
    error = fails("preview", saved(tmp_path, composed(host, [step], mix)), photos, "-o", tmp_path / "a.png")
    assert error.startswith(f"Error: RandomCrop fails ({small}, 12 x 9 pixels): got ")
    assert "20" in error
    assert not (tmp_path / "a.png").exists()
    small.unlink()  # as the hint says
    succeeds("preview", saved(tmp_path, composed(host, [step], mix)), photos, "-o", tmp_path / "a.png")


def test_a_transform_that_every_photo_makes_fail(photos, tmp_path):
    pipeline = composed("albumentations", [("MaskDropout", {"p": 1.0})], CutMix(num_classes=3))
    error = fails("preview", saved(tmp_path, pipeline), photos, "-o", tmp_path / "a.png")
    assert error.startswith(f"Error: MaskDropout fails ({photos / 'ant' / '0.png'}, 24 x 24 pixels): got ValueError: ")
    assert "needs boxes, masks or keypoints has to be left out" in error


def test_a_fault_of_ours_keeps_its_traceback(photos, tmp_path, monkeypatch):
    monkeypatch.setattr(MixUp, "trace", lambda *_: 1 // 0)
    result = run("preview", saved(tmp_path, MixUp(num_classes=3)), photos, "-o", tmp_path / "a.png")
    assert isinstance(result.exception, ZeroDivisionError)


# Pipelines for objects.


def test_a_torchvision_pipeline_for_boxes(photos, tmp_path):
    steps = [
        ("RandomIoUCrop", {}),
        ("Resize", {"size": (16, 16)}),
        ("ClampBoundingBoxes", {}),
        ("SanitizeBoundingBoxes", {}),
    ]
    file = saved(tmp_path, composed("torchvision", steps, OneOf([MixUp(), CutMix()])))
    text = succeeds("preview", file, photos, "-o", tmp_path / "a.png")
    assert text.startswith("8 of 8 images mixed, of 3 classes.\n")
    assert "RandomIoUCrop is left out: photos have no boxes or keypoints.\n" in text
    assert "SanitizeBoundingBoxes is left out: photos have no boxes or keypoints.\n" in text
    assert "ClampBoundingBoxes" not in text


@pytest.mark.parametrize("fields", [["labels"], ["label"], ["label", "target", "y"], None])
def test_an_albumentations_pipeline_for_boxes(photos, tmp_path, fields):
    A = pytest.importorskip("albumentations")
    steps = [("RandomSizedBBoxSafeCrop", {"height": 16, "width": 16}), ("HorizontalFlip", {})]
    boxes = A.BboxParams("pascal_voc", label_fields=fields)
    pipeline = composed("albumentations", steps, CutMix(), bbox_params=boxes, keypoint_params=A.KeypointParams("xy"))
    text = succeeds("preview", saved(tmp_path, pipeline), photos, "-o", tmp_path / "a.png")
    assert text.startswith("8 of 8 images mixed, of 3 classes.\n")
    assert "Photos have no boxes or keypoints: the pipeline runs on empty ones.\n" in text


# Folders without classes, and classes that a pipeline does not know.


@tiers.each(host=[*HOSTS, "neutral"], classes=[None, 10])
def test_images_without_classes_are_mixed_without_labels(flat, tmp_path, host, classes):
    mix = CutMix(num_classes=classes)
    pipeline = replace(mix, seed=0) if host == "neutral" else composed(host, mix=mix)
    text = succeeds("preview", saved(tmp_path, pipeline), flat, "-o", tmp_path / "a.png")
    assert text.startswith("4 of 4 images mixed, without labels.\n")
    assert f"{flat} has no subfolders with images, one a class: its images are mixed without labels." in text


@tiers.each(host=[*HOSTS, "neutral"], mix=[OneOf([MixUp(), CutMix()]), CutMix(labels="pair")])
def test_a_mix_is_told_how_many_classes_the_folder_has(photos, tmp_path, host, mix):
    pipeline = replace(mix, seed=0) if host == "neutral" else composed(host, mix=mix)
    text = succeeds("preview", saved(tmp_path, pipeline), photos, "-o", tmp_path / "a.png")
    assert text.startswith("8 of 8 images mixed, of 3 classes.\n")


def test_images_beside_the_subfolders_are_told(photos):
    picture(photos / "readme.png")
    found = find(photos)
    assert len(found.files) == 9
    assert found.remarks == (f"1 image beside the subfolders of {photos} belong to no class and are left out.",)


def test_subfolders_without_images_beside_images(flat):
    (flat / "thumbnails").mkdir()
    assert [label for _, label in find(flat).files] == [None] * 4


def test_one_folder_too_high_is_told(photos):
    for split in ("train", "val"):
        picture(photos.parent / "top" / split / "ant" / "0.png")
        picture(photos.parent / "top" / split / "bee" / "0.png")
    top = find(photos.parent / "top")
    assert top.classes == ("train", "val")
    (remark,) = top.remarks
    assert "subfolders of train and val, which are taken for classes" in remark
    place = remark.rpartition("preview ")[2].rstrip(".")
    assert find(type(photos)(place)).classes == ("ant", "bee")
    assert find(type(photos)(place)).remarks == ()


# Links, devices and decoders.


def test_a_folder_that_links_to_itself_ends(photos):
    os.symlink(photos / "ant", photos / "ant" / "again")
    os.symlink(photos, photos / "bee" / "up")
    os.symlink(photos / "cow", photos / "bee" / "cows")
    found = find(photos)
    assert len([path for path, label in found.files if label == 0]) == 3
    own = [path.relative_to(photos / "bee").parts for path, label in found.files if label == 1]
    assert len({os.path.realpath(photos / "bee" / os.path.join(*parts)) for parts in own}) == len(own) == 9


def test_what_is_no_file_is_no_image(photos):
    os.mkfifo(photos / "ant" / "pipe.png")
    os.symlink(photos / "nowhere.png", photos / "ant" / "broken.png")
    (photos / "ant" / "folder.png").mkdir()
    assert len([path for path, label in find(photos).files if label == 0]) == 3


@pytest.mark.parametrize("kind", ["GIF", "ICO", "SGI", "PCX", "TGA", "EPS"])
def test_a_file_is_read_by_the_decoders_of_the_endings_alone(tmp_path, kind):
    picture(tmp_path / "a" / "good.png")
    PIL.new("RGB", (8, 8)).save(tmp_path / "a" / "bad.png", format=kind)
    reading = read(find(tmp_path), 8)
    assert [photo.path.name for photo in reading.photos] == ["good.png"]
    ((path, reason),) = reading.skipped
    assert path.name == "bad.png"
    assert "cannot identify image file" in reason


def test_every_ending_has_a_decoder():
    PIL.init()
    assert {PIL.registered_extensions()[ending] for ending in photos_module.ENDINGS} == set(photos_module.DECODERS)


# Pixels of more than eight bits.


RAMP = np.linspace(0.0, 1.0, 256).reshape(16, 16)


@pytest.mark.parametrize(
    ("name", "pixels", "remark"),
    [
        ("a.png", (RAMP * 65535).round().astype(np.uint16), "16-bit pixels, shown from 0 (black) to 65535 (white)."),
        ("a.tif", (RAMP * 65535).round().astype(np.uint16), "16-bit pixels, shown from 0 (black) to 65535 (white)."),
        ("a.tif", (RAMP * (2**31 - 1)).astype(np.int32), "32-bit pixels, shown from 0 (black) to 2.14748e+09 (white)."),
        ("a.tif", RAMP.astype(np.float32), "float pixels, shown from 0 (black) to 1 (white)."),
        ("a.tif", (RAMP * 70 - 20).astype(np.float32), "float pixels, shown from -20 (black) to 50 (white)."),
    ],
)
def test_large_pixels_are_scaled_and_told(tmp_path, name, pixels, remark):
    (tmp_path / "a").mkdir()
    PIL.fromarray(pixels).save(tmp_path / "a" / name)
    reading = read(find(tmp_path), 1)
    shown = np.asarray(reading.photos[0].image)
    assert shown.dtype == np.uint8
    assert np.abs(shown[..., 0].astype(int) - np.arange(256).reshape(16, 16)).max() <= 1
    assert reading.remarks == (f"{tmp_path / 'a' / name}: {remark}",)


def test_an_unsigned_tiff_of_32_bits(tmp_path):
    (tmp_path / "a").mkdir()
    path = tmp_path / "a" / "a.tif"
    PIL.fromarray((RAMP * (2**31 - 1)).astype(np.int32)).save(path)
    entry = b"\x53\x01\x03\x00\x01\x00\x00\x00"  # tag 339, one short; Pillow itself writes 2, signed
    assert path.read_bytes().count(entry + b"\x02") == 1
    path.write_bytes(path.read_bytes().replace(entry + b"\x02", entry + b"\x01"))
    reading = read(find(tmp_path), 1)
    assert "4.29497e+09 (white)" in reading.remarks[0]
    assert np.asarray(reading.photos[0].image).max() in (127, 128)


def test_float_pixels_that_are_not_finite(tmp_path):
    (tmp_path / "a").mkdir()
    pixels = RAMP.astype(np.float32)
    pixels[0, :3] = np.nan, np.inf, -np.inf
    PIL.fromarray(pixels).save(tmp_path / "a" / "a.tif")
    shown = np.asarray(read(find(tmp_path), 1).photos[0].image)
    assert shown[0, :3, 0].tolist() == [0, 255, 0]


def test_pictures_that_exif_turns_are_told(photos, tmp_path):
    image = PIL.new("RGB", (12, 8))
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(tmp_path / "photos" / "ant" / "0.png", exif=exif)
    reading = read(find(photos), 9)
    assert reading.remarks == (
        f"{photos / 'ant' / '0.png'}: EXIF says to turn it; shown as it is stored, as ImageFolder reads it, "
        "while cv2.imread turns it.",
    )
    assert reading.photos[0].image.size == (12, 8)


# Where the picture goes.


def test_an_output_folder_that_is_not_there(photos, tmp_path):
    output = tmp_path / "no" / "a.png"
    error = fails("preview", saved(tmp_path, MixUp(num_classes=3)), photos, "-o", output)
    assert error.startswith(f"Error: No such folder (--output): got {str(output)!r}; ")
    command = error.partition("first: ")[2]
    subprocess.run(command, shell=True, check=True)
    succeeds("preview", saved(tmp_path, MixUp(num_classes=3)), photos, "-o", output)


@pytest.mark.parametrize("ending", ["raw", "rgba", "pgf", "doc"])
def test_endings_that_nobody_opens_are_not_offered(photos, tmp_path, ending):
    error = fails("preview", saved(tmp_path, MixUp(num_classes=3)), photos, "-o", tmp_path / f"a.{ending}")
    assert "Neither a picture nor a page" in error
    offered = error.partition("a name ending in ")[2]
    assert ".png" in offered
    assert not {".raw", ".rgba", ".pgf"} & set(re.findall(r"\.\w+", offered))


def test_nobody_else_is_needed():
    """Pillow is asked for by name where it is missing."""
    code = "import sys; sys.modules['PIL'] = None; from mixtransforms.cli.photos import _opened; _opened(None)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert "needs pillow, which is not installed" in done.stderr


def test_no_photo_at_all(tmp_path):
    with pytest.raises(InputError, match=r"No images found .*got no folder"):
        find(tmp_path / "nothing")
