"""Every line of Python in the README runs, in its order, on real images."""

import json
import re
import runpy
import textwrap
from pathlib import Path

import numpy as np
import pytest

import mixtransforms

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


def test_python(tmp_path, monkeypatch):
    for package in ("torchvision", "albumentations", "sklearn", "matplotlib"):
        pytest.importorskip(package, reason=f"{package} is not installed")
    import torch
    from PIL import Image
    from sklearn.datasets import load_digits

    monkeypatch.chdir(tmp_path)
    digits = load_digits()
    samples = [
        (Image.fromarray((digit * 15).astype(np.uint8)).convert("RGB").resize((32, 32)), int(label))
        for digit, label in zip(digits.images[:16], digits.target[:16], strict=True)
    ]
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.LazyLinear(10))
    namespace = {"samples": samples, "model": model, "np": np}
    for code in blocks("python"):
        exec(compile(code, "README.md", "exec"), namespace)
    assert namespace["images"].shape[0] == namespace["labels"].shape[0]
    assert namespace["labels"].shape[1] == 10
    torch.testing.assert_close(namespace["labels"].sum(1), torch.ones(len(namespace["labels"])))
    assert namespace["batch"]["label"].shape == (16, 10)
    assert all(set(target) == {"boxes", "labels", "box_weights"} for target in namespace["targets"])
    assert set(namespace["mixed"]) == {"image", "mask", "mask_partner", "mask_weight"}
    assert namespace["loss"].isfinite()
    assert mixtransforms.to_json(namespace["again"]) == mixtransforms.to_json(namespace["pipeline"])


def test_the_pipeline_file_loads_and_fits_the_schema():
    pytest.importorskip("torchvision", reason="torchvision is not installed")
    from jsonschema import Draft202012Validator

    (text,) = blocks("json")
    assert len(mixtransforms.from_json(text).transforms) == 3
    Draft202012Validator(mixtransforms.json_schema()).validate(json.loads(text))


@pytest.mark.full
def test_pictures_are_those_that_the_code_draws(tmp_path):
    """``python notebooks/pictures.py`` draws them anew."""
    for package in ("torchvision", "albumentations", "sklearn", "matplotlib"):
        pytest.importorskip(package, reason=f"{package} is not installed")
    from PIL import Image

    folder = ROOT / "notebooks" / "pictures"
    drawn = runpy.run_path(str(folder.parent / "pictures.py"))["pictures"](tmp_path)
    assert {path.stem for path in folder.iterdir()} == set(drawn)
    for name, path in drawn.items():
        stored, fresh = Image.open(folder / f"{name}.jpg"), Image.open(path)
        assert stored.size == fresh.size, name
        # Small, since fonts and edges may differ a little: what is where counts, and in which colour.
        few = [np.asarray(each.convert("RGB").resize((160, 120)), np.float64) for each in (stored, fresh)]
        assert np.abs(few[0] - few[1]).mean() < 2.0, name


def test_links_and_pictures_exist():
    for target in re.findall(r"\]\(([^)#]+)\)", TEXT):
        if not target.startswith("https://"):
            assert (ROOT / target).exists(), target


def test_the_example_method_of_the_contributors_guide():
    """The file that CONTRIBUTING.md shows is a method: it draws plans that measure what it says."""
    from mixtransforms.methods import registry

    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^( *)```python\n(.*?)^\1```$", guide, re.DOTALL | re.MULTILINE)
    namespace = {"__name__": "halfmix"}
    try:
        exec(compile(textwrap.dedent(block[1]), "CONTRIBUTING.md", "exec"), namespace)
        plan = namespace["HalfMix"]().draw(mixtransforms.BatchSpec(5, (4, 10)), np.random.default_rng(0))
    finally:
        registry._methods.pop("HalfMix", None)
    assert plan.mixed.all()
    np.testing.assert_array_equal(plan.weight, 0.5)
