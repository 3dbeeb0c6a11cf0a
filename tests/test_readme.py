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


def folder_of_photos(folder):
    """What the reader has: two classes, photos of unequal sizes, and some that are not RGB."""
    from PIL import Image

    rng = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (folder / name).mkdir(parents=True)
        for number in range(20):
            photo = Image.fromarray(rng.integers(0, 256, (30 + number, 40, 3), dtype=np.uint8))
            photo.convert(("RGB", "L")[number % 2]).save(folder / name / f"{number}.png")


def test_python(tmp_path, monkeypatch):
    for package in ("torchvision", "albumentations", "sklearn", "matplotlib"):
        pytest.importorskip(package, reason=f"{package} is not installed")
    import torch

    monkeypatch.chdir(tmp_path)
    folder_of_photos(tmp_path / "photos")
    namespace = {"__name__": "readme"}
    for code in blocks("python"):
        # Workers of some systems import what they run, which this text is not.
        code = code.replace("num_workers=2, persistent_workers=True", "num_workers=0")
        exec(compile(code, "README.md", "exec"), namespace)
    assert set(namespace["batch"]) == {"image", "label"}
    assert namespace["images"].shape[0] == namespace["labels"].shape[0]
    assert namespace["labels"].shape[1] == 10
    torch.testing.assert_close(namespace["labels"].sum(1), torch.ones(len(namespace["labels"])))
    assert 0 <= namespace["credit"] <= namespace["perfect"] <= 1
    assert all(set(target) == {"boxes", "labels", "box_weights"} for target in namespace["targets"])
    assert set(namespace["mixed"]) == {"image", "mask", "mask_partner", "mask_weight"}
    assert namespace["loss"].isfinite()
    assert mixtransforms.to_json(namespace["again"]) == mixtransforms.to_json(namespace["pipeline"])


def test_what_torchvisions_own_take_and_ours_refuse():
    """The claims beside the change of the import, and the way out of each."""
    pytest.importorskip("torchvision", reason="torchvision is not installed")
    import torch
    from torchvision.transforms import v2

    from mixtransforms.torchvision import CutMix, MixUp

    images, ids = torch.rand(4, 3, 8, 8), torch.arange(4)
    named = {"image": images, "label": ids}
    for ours, theirs in ((MixUp, v2.MixUp), (CutMix, v2.CutMix)):
        for batch, way_out in (
            ((images, ids, ids), {"passthrough": (2,)}),
            (named | {"index": ids}, {"passthrough": ("index",)}),
            ({"image": images, "fine_label": ids}, {"kinds": {"fine_label": "label"}}),
            ({"my_pixels": images, "label": ids}, {"kinds": {"my_pixels": "image"}}),
        ):
            theirs(num_classes=10)(batch)
            with pytest.raises(mixtransforms.InputError):
                ours(num_classes=10)(batch)
            ours(num_classes=10, **way_out)(batch)
        ours(num_classes=10)(images, ids.int())
        with pytest.raises(RuntimeError, match="one_hot"):
            theirs(num_classes=10)(images, ids.int())
    MixUp(num_classes=10)((images * 255).byte(), ids)
    with pytest.raises(RuntimeError, match="Byte"):
        v2.MixUp(num_classes=10)((images * 255).byte(), ids)


def test_what_is_named_in_place_of_other_libraries_is_there():
    """The right column of the table: code that makes what it says."""
    pytest.importorskip("torch", reason="torch is not installed")
    import torch

    from mixtransforms import CutMix, MixUp, OffAfter, OneOf

    table = TEXT.partition("## Coming from another library\n")[2].partition("\n## ")[0]
    cells = [row.split(" | ")[1] for row in table.splitlines() if row.startswith("| ")][1:]
    code = [piece for cell in cells for piece in re.findall(r"`([^`]+)`", cell) if "(" in piece]
    assert len(code) == len(cells) == 8
    known = {"CutMix": CutMix, "MixUp": MixUp, "OneOf": OneOf, "OffAfter": OffAfter, "torch": torch}
    assert all(callable(eval(piece, known)) for piece in code)


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
