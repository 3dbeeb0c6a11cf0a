"""The command line: what is printed, what is written, and the exit status."""

import base64
import html
import io
import re
import subprocess
import sys

import numpy as np
import pytest

import mixtransforms
from mixtransforms import CutMix, InputError, MissingDependencyError
from mixtransforms.cli import demo as demo_module
from mixtransforms.cli import doctor
from mixtransforms.cli import photos as photos_module

pytest.importorskip("typer")
PIL = pytest.importorskip("PIL.Image")

from commands import fails, run, succeeds


@pytest.fixture
def photos(tmp_path):
    """Three classes with three images each, sizes alike."""
    rng = np.random.default_rng(0)
    for name in ("ant", "bee", "cow"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(3):
            image = PIL.fromarray(rng.integers(0, 256, (24, 32, 3), np.uint8))
            image.save(tmp_path / "photos" / name / f"{number}.png")
    return tmp_path / "photos"


def pipeline_file(folder, host, classes=3, **options):
    """A pipeline file of a host: crop, then CutMix."""
    if host == "neutral":
        pipeline = CutMix(num_classes=classes, seed=1)
    elif host == "torchvision":
        pytest.importorskip("torchvision")
        from torchvision.transforms import v2

        from mixtransforms import torchvision as door

        pipeline = door.BatchCompose(
            [v2.RandomCrop(16), v2.ToImage(), door.CutMix(num_classes=classes, **options)], seed=1
        )
    else:
        A = pytest.importorskip("albumentations")
        from mixtransforms import albumentations as door

        pipeline = door.BatchCompose([A.RandomCrop(16, 16), door.CutMix(num_classes=classes, **options)], seed=1)
    path = folder / f"{host}.json"
    mixtransforms.save(pipeline, path)
    return path


# ------------------------------------------------------------------------------------------------ the whole


def test_version():
    assert succeeds("--version") == f"mixtransforms {mixtransforms.__version__}\n"


def test_help_names_the_commands():
    text = succeeds("--help")
    assert all(command in text for command in ("demo", "preview", "doctor", "--version"))


def test_as_a_module_and_fast_help():
    """Nothing heavy is loaded to print the help."""
    code = (
        "import runpy, sys; sys.argv = ['mixtransforms', '--help']\n"
        "try: runpy.run_module('mixtransforms', run_name='__main__')\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "heavy = {'torch', 'albumentations', 'cv2', 'matplotlib', 'sklearn', 'PIL'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "preview" in done.stdout


def test_without_typer():
    code = "import sys; sys.modules['typer'] = None; from mixtransforms.cli.main import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        "The command line needs typer, which is not installed. "
        'Install it with: python -m pip install "typer>=0.16" "rich>=13" "pillow>=10"\n'
        "`mixtransforms doctor` works without it.\n"
    )


# ------------------------------------------------------------------------------------------------ demo


@pytest.mark.full
def test_demo(monkeypatch, tmp_path):
    pytest.importorskip("sklearn")
    pytest.importorskip("matplotlib")
    pytest.importorskip("torchvision")
    text = succeeds("demo", "--output", tmp_path / "out")
    assert (tmp_path / "out" / "torchvision.png").is_file()
    assert f"All files are in {(tmp_path / 'out').resolve()}" in text


def test_demo_without_a_package(monkeypatch, tmp_path):
    def run(output, say):
        raise MissingDependencyError('Install it with: python -m pip install "scikit-learn>=1.4"')

    monkeypatch.setattr(demo_module, "run", run)
    text = fails("demo", "--output", tmp_path)
    assert text == 'Error: Install it with: python -m pip install "scikit-learn>=1.4"\n'


def test_demo_into_a_file(tmp_path):
    pytest.importorskip("sklearn")
    (tmp_path / "taken").write_text("")
    assert f"Error: {tmp_path / 'taken'}: File exists" in fails("demo", "-o", tmp_path / "taken")


# ------------------------------------------------------------------------------------------------ preview


@pytest.mark.parametrize("host", ["torchvision", "albumentations"])
def test_preview(photos, tmp_path, host):
    pytest.importorskip("matplotlib")
    file, output = pipeline_file(tmp_path, host), tmp_path / "picture.png"
    text = succeeds("preview", file, photos, "--output", output)
    assert text == f"8 of 8 images mixed, of 3 classes.\npicture: {output}\n"
    with PIL.open(output) as picture:
        assert picture.format == "PNG"


@pytest.mark.parametrize("host", ["torchvision", "albumentations", "neutral"])
def test_preview_on_one_page(photos, tmp_path, host):
    pytest.importorskip("matplotlib")
    file, output = pipeline_file(tmp_path, host), tmp_path / "page.HTML"
    assert f"page: {output}\n" in succeeds("preview", file, photos, "--output", output)
    text = output.read_text(encoding="utf-8")
    (picture,) = re.findall(r'<img src="data:image/png;base64,([^"]+)" alt="([^"]+)"', text)
    with PIL.open(io.BytesIO(base64.b64decode(picture[0]))) as opened:
        assert opened.text["Description"] == html.unescape(picture[1])
    (written,) = re.findall(r"<pre>(.*)</pre>", text, re.DOTALL)
    assert html.unescape(written) == file.read_text()
    assert "CutMix" in re.sub(r"<pre>.*</pre>", "", text, flags=re.DOTALL)
    assert not re.findall(r"<script|<link|https?://|\bon\w+=", text)


def test_preview_of_a_single_mix(photos, tmp_path):
    pytest.importorskip("matplotlib")
    succeeds("preview", pipeline_file(tmp_path, "neutral"), photos, "-o", tmp_path / "picture.png", "-b", 2)


def test_preview_tells_progress_on_the_error_stream(photos, tmp_path):
    pytest.importorskip("matplotlib")
    result = run("preview", pipeline_file(tmp_path, "neutral"), photos, "-o", tmp_path / "picture.png")
    assert "Reading images" in result.stderr
    assert "100%" in result.stderr


def test_unreadable_files_are_named_and_skipped(photos, tmp_path):
    pytest.importorskip("matplotlib")
    (photos / "ant" / "0.png").write_bytes(b"not an image")
    truncated = (photos / "bee" / "0.png").read_bytes()[:200]
    (photos / "bee" / "0.png").write_bytes(truncated)
    text = succeeds("preview", pipeline_file(tmp_path, "neutral"), photos, "-o", tmp_path / "picture.png")
    assert f"skipped {photos / 'ant' / '0.png'}: cannot identify image file" in text
    assert f"skipped {photos / 'bee' / '0.png'}: " in text
    assert "7 of 7 images mixed, of 3 classes; 2 unreadable files skipped." in text
    assert "The batch has 7 images, not 8: there are no more images." in text.replace("samples", "images")


@pytest.mark.parametrize("host", ["torchvision", "albumentations"])
def test_more_classes_than_the_pipeline_knows(photos, tmp_path, host):
    pytest.importorskip("matplotlib")
    text = fails("preview", pipeline_file(tmp_path, host, classes=2), photos, "-o", tmp_path / "picture.png")
    assert "Error: Class ids out of range" in text
    assert "num_classes=2" in text
    assert not (tmp_path / "picture.png").exists()


@pytest.mark.parametrize(
    ("arrange", "got"),
    [
        (lambda folder: None, "no folder"),
        (lambda folder: folder.mkdir(), "no subfolders and no images;"),
        (lambda folder: (folder / ".cache").mkdir(parents=True), "no subfolders and no images;"),
        (lambda folder: (folder / "a").mkdir(parents=True), "1 subfolders without images"),
    ],
)
def test_a_folder_without_images(tmp_path, arrange, got):
    pytest.importorskip("matplotlib")
    arrange(tmp_path / "photos")
    text = fails("preview", pipeline_file(tmp_path, "neutral"), tmp_path / "photos")
    assert f"Error: No images found ({tmp_path / 'photos'}): got {got}" in text
    assert "one subfolder a class" in text


def test_only_unreadable_files(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.jpg").write_bytes(b"")
    found = photos_module.find(tmp_path)
    with pytest.raises(InputError, match=r"No image can be read .*1 unreadable files, first .*x\.jpg"):
        photos_module.read(found, 8)


def test_a_file_that_is_no_pipeline(photos, tmp_path):
    pytest.importorskip("matplotlib")
    (tmp_path / "bad.json").write_text("{}")
    assert f"Error: {tmp_path / 'bad.json'}: Not a pipeline file" in fails("preview", tmp_path / "bad.json", photos)
    assert f"Error: {tmp_path / 'no.json'}: No such file" in fails("preview", tmp_path / "no.json", photos)


def test_a_picture_of_no_known_format(photos, tmp_path):
    pytest.importorskip("matplotlib")
    text = fails("preview", pipeline_file(tmp_path, "neutral"), photos, "-o", tmp_path / "picture.doc")
    assert "Error: Neither a picture nor a page" in text
    assert ".png" in text
    assert ".html" in text
    assert "Reading images" not in text


def test_a_batch_of_none(photos, tmp_path):
    assert run("preview", pipeline_file(tmp_path, "neutral"), photos, "--batch", 0).exit_code == 2


def test_classes_and_ids_are_those_of_image_folder(photos):
    datasets = pytest.importorskip("torchvision.datasets")
    (photos / "ant" / "deeper").mkdir()
    (photos / "ant" / "0.png").rename(photos / "ant" / "deeper" / "A.PNG")
    (photos / "ant" / "notes.txt").write_text("no image")
    theirs = datasets.ImageFolder(photos)
    ours = photos_module.find(photos)
    assert list(ours.classes) == theirs.classes
    assert sorted((str(path), label) for path, label in ours.files) == sorted(theirs.samples)


def test_classes_take_turns(photos):
    assert [label for _, label in photos_module.find(photos).files] == [0, 1, 2] * 3


def test_images_that_are_not_rgb(tmp_path):
    (tmp_path / "a").mkdir()
    PIL.new("L", (8, 8), 7).save(tmp_path / "a" / "gray.png")
    PIL.new("RGBA", (8, 8), (1, 2, 3, 0)).save(tmp_path / "a" / "transparent.png")
    reading = photos_module.read(photos_module.find(tmp_path), 8)
    assert [photo.image.mode for photo in reading.photos] == ["RGB", "RGB"]


@pytest.mark.parametrize("kind", ["stock Compose", "one transform", "without ToImage"])
def test_other_torchvision_pipelines(photos, tmp_path, kind):
    pytest.importorskip("matplotlib")
    pytest.importorskip("torchvision")
    from torchvision.transforms import v2

    from mixtransforms import torchvision as door

    mix = door.CutMix(num_classes=3, seed=2)
    pipeline = {
        "stock Compose": v2.Compose([v2.Compose([v2.ToImage()]), mix]),
        "one transform": mix,
        "without ToImage": door.BatchCompose([v2.RandomHorizontalFlip(), mix]),
    }[kind]
    mixtransforms.save(pipeline, tmp_path / "pipeline.json")
    succeeds("preview", tmp_path / "pipeline.json", photos, "-o", tmp_path / "picture.png")


@pytest.mark.parametrize("kind", ["stock Compose", "one transform"])
def test_other_albumentations_pipelines(photos, tmp_path, kind):
    pytest.importorskip("matplotlib")
    A = pytest.importorskip("albumentations")
    from mixtransforms import albumentations as door

    mix = door.CutMix(num_classes=3, seed=2)
    pipeline = A.Compose([A.HorizontalFlip(p=0.5), mix]) if kind == "stock Compose" else mix
    mixtransforms.save(pipeline, tmp_path / "pipeline.json")
    succeeds("preview", tmp_path / "pipeline.json", photos, "-o", tmp_path / "picture.png")


def test_an_albumentations_pipeline_needs_no_torchvision(photos, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    file = pipeline_file(tmp_path, "albumentations")
    monkeypatch.setitem(sys.modules, "torchvision", None)
    succeeds("preview", file, photos, "-o", tmp_path / "picture.png")


# ------------------------------------------------------------------------------------------------ doctor


def test_doctor_prints_findings_and_their_commands(monkeypatch):
    versions = {"mixtransforms": "0.1.0", "numpy": "2.0.0", "opencv-python": "5.0", "opencv-python-headless": "5.0"}
    environment = doctor.Environment("3.12.1", "Linux x86_64", versions, {}, ('matplotlib>=3.8; extra == "show"',))
    monkeypatch.setattr(doctor, "survey", lambda: environment)
    result = run("doctor")
    assert result.exit_code == 1
    assert "Python 3.12.1, Linux x86_64" in result.stdout
    assert "problem: OpenCV: 2 wheels own the same cv2 folder" in result.stdout
    assert "  python -m pip uninstall -y opencv-python opencv-python-headless && " in result.stdout
    assert '  python -m pip install "matplotlib>=3.8"\n' in result.stdout
    assert result.stdout.endswith("\n1 problem found.\n")


def test_doctor_without_problems(monkeypatch):
    versions = {"mixtransforms": "0.1.0", "numpy": "2.0.0"}
    monkeypatch.setattr(doctor, "survey", lambda: doctor.Environment("3.12.1", "Linux", versions, {}, ("numpy>=1.26",)))
    text = succeeds("doctor")
    assert text.endswith("\nNo problems found.\n")
    assert "not installed" in text


def test_doctor_looks_at_this_installation():
    result = run("doctor")
    problems = sum(finding.level == doctor.PROBLEM for finding in doctor.examine(doctor.survey()))
    assert result.exit_code == (1 if problems else 0)
    assert np.__version__ in result.stdout
