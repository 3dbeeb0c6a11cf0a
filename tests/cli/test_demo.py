"""The demo writes files that load, and tells the truth about what it mixed."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from once import once

import mixtransforms
from mixtransforms import BatchSpec, Boxes, ConfigError, Layer, MissingDependencyError, Plan
from mixtransforms.cli import demo

pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")
PIL = pytest.importorskip("PIL.Image")


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """One run with both hosts: the folder, and what was told."""
    pytest.importorskip("torchvision")
    pytest.importorskip("albumentations")

    def find(place):
        told = []
        written = demo.run(place / "made" / "by demo", told.append)
        return [str(path) for path in written], str(place / "made" / "by demo"), told

    written, folder, told = once(tmp_path_factory, "demo", find)
    return [Path(path) for path in written], Path(folder), told


def host_named(name):
    pytest.importorskip(name)
    return next(host for host in demo.HOSTS if host.name == name)


def test_files(done):
    written, folder, _ = done
    names = ["albumentations.json", "albumentations.png", "digits.png", "torchvision.json", "torchvision.png"]
    assert sorted(path.name for path in written) == names
    assert sorted(path.name for path in folder.iterdir()) == names


@pytest.mark.parametrize("name", ["torchvision.png", "albumentations.png", "digits.png"])
def test_pictures_fit_a_page(done, name):
    with PIL.open(done[1] / name) as picture:
        width, height = picture.size
        assert 1000 <= width <= 1300
        assert 500 <= height <= 1000
        assert len(np.unique(np.asarray(picture.convert("L")))) > 100


@pytest.mark.parametrize("name", ["torchvision", "albumentations"])
def test_pipeline_files_load_and_give_what_was_told(done, name):
    _, folder, told = done
    host = host_named(name)
    pipeline = mixtransforms.load(folder / f"{name}.json")
    crops = demo.photo_crops()
    (plan,) = pipeline.trace(host.samples(crops)).plans
    start = next(number for number, line in enumerate(told) if line.startswith(f"\n{host.title}"))
    for row in range(3):
        numbers = [float(number) for number in re.findall(r"([\d.]+)%", told[start + 1 + row])]
        np.testing.assert_allclose(numbers, 100 * plan.share[row][plan.share[row] > 0], atol=0.051)


@pytest.mark.parametrize("name", ["torchvision", "albumentations"])
def test_a_pipeline_has_what_a_newcomer_looks_for(name):
    """Crop, flip, rotation and colour jitter, then a choice of MixUp and CutMix; and both in the first batch."""
    host = host_named(name)
    pipeline = host.pipeline()
    nodes = mixtransforms.to_dict(pipeline)["pipeline"]["children"]
    types = " ".join(node["type"] for node in nodes)
    assert all(word in types for word in ("Crop", "Flip", "Rotat", "ColorJitter", "mixtransforms.OneOf"))
    (plan,) = pipeline.trace(host.samples(demo.photo_crops())).plans
    assert sorted(layer.region is None for layer in plan.layers) == [False, True]
    visible = np.minimum(plan.weight, 1 - plan.weight) > 0.1
    assert visible.sum() >= 6
    assert visible[0]


def test_it_tells_where_everything_is(done):
    written, folder, told = done
    text = "\n".join(told)
    for path in written:
        assert str(path) in text
    assert str(folder.resolve()) in text
    assert text.count("loaded again: it gives an equal batch") == 2


@pytest.mark.full
def test_it_is_deterministic(done, tmp_path):
    written, folder, told = done
    again = []
    demo.run(tmp_path, again.append)
    assert [line.replace(str(tmp_path), str(folder)) for line in again] == told
    for path in written:
        if path.suffix == ".json":
            assert json.loads(path.read_text()) == json.loads((tmp_path / path.name).read_text())
        else:
            assert path.read_bytes() == (tmp_path / path.name).read_bytes()


def test_samples_overlap_and_alternate():
    crops = demo.photo_crops()
    assert [label for _, label in crops] == [0, 1] * 4
    assert {image.shape for image, _ in crops} == {(360, 360, 3)}
    assert len({image.tobytes() for image, _ in crops}) == 8


def test_digits():
    images, labels = demo.digits()
    assert images.shape == (8, 64, 64)
    assert images.dtype == np.float32
    assert 0 <= images.min() < images.max() <= 1
    np.testing.assert_array_equal(labels, np.arange(8))


def test_a_sample_in_words():
    layers = (Layer([0], [1], [1.0], Boxes([[0, 0]], [[1, 1]])), Layer([1], [2], [0.4]))
    plan = Plan(BatchSpec(3, (2, 2)), layers)
    names = ["cat", "dog", "owl"]
    assert demo.described(plan, 0, names) == "sample 0 is a paste: 75.0% cat (sample 0) + 25.0% dog (sample 1)"
    assert demo.described(plan, 1, names) == "sample 1 is a blend: 60.0% dog (sample 1) + 40.0% owl (sample 2)"
    assert demo.described(plan, 2, names) == "sample 2 is not mixed: 100.0% owl (sample 2)"


def without(monkeypatch, *hosts):
    """Hosts that are not installed."""

    def missing():
        raise MissingDependencyError("Install it with: python -m pip install host")

    changed = [
        demo.Host(host.name, host.title, missing if host.name in hosts else host.pipeline, host.samples)
        for host in demo.HOSTS
    ]
    monkeypatch.setattr(demo, "HOSTS", changed)


@pytest.mark.full
def test_one_host_is_enough(monkeypatch, tmp_path):
    pytest.importorskip("albumentations")
    without(monkeypatch, "torchvision")
    told = []
    written = demo.run(tmp_path, told.append)
    assert "torchvision.json" not in [path.name for path in written]
    assert any("torchvision v2: skipped. Install it with: python -m pip" in line for line in told)


def test_no_host_at_all(monkeypatch, tmp_path):
    without(monkeypatch, "torchvision", "albumentations")
    with pytest.raises(MissingDependencyError, match=r'pip install "torchvision>=0\.26"'):
        demo.run(tmp_path, lambda _: None)


def test_without_scikit_learn(monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "sklearn", None)
    with pytest.raises(MissingDependencyError, match=r'scikit-learn.*pip install "scikit-learn>='):
        demo.run(tmp_path, lambda _: None)


def test_a_pipeline_that_comes_back_different_is_an_error(monkeypatch, tmp_path):
    pytest.importorskip("albumentations")
    without(monkeypatch, "torchvision")
    host = host_named("albumentations")
    monkeypatch.setitem(demo._SEEDS, "albumentations", 1)
    other = host.pipeline()
    monkeypatch.setitem(demo._SEEDS, "albumentations", 2)
    monkeypatch.setattr(mixtransforms, "load", lambda path: other)
    with pytest.raises(ConfigError, match=r"came back from its file and gives another batch.*albumentations\.json"):
        demo.run(tmp_path, lambda _: None)
