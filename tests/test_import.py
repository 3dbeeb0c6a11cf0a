"""What is loaded when, and what a missing package says. Every fact is asked of a fresh interpreter."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import mixtransforms
from mixtransforms.core.errors import EXTRAS, install

ROOT = Path(__file__).parents[1]

LOADED = """
import json, sys
before = set(sys.modules)
{statement}
names = {{name.partition(".")[0] for name in set(sys.modules) - before}} - sys.stdlib_module_names
print(json.dumps(sorted(name for name in names if not name.startswith(("_", "cython")))))
"""

BLOCKED = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {packages}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Blocker())
import mixtransforms
try:
    {statement}
except mixtransforms.MissingDependencyError as error:
    print(error)
"""


def fresh(code: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def loaded(statement: str) -> set[str]:
    """The packages outside the standard library that a statement loads."""
    return set(json.loads(fresh(LOADED.format(statement=statement))))


@pytest.mark.parametrize(
    ("statement", "packages"),
    [
        ("import mixtransforms", {"mixtransforms", "numpy"}),
        ("import mixtransforms; dir(mixtransforms)", {"mixtransforms", "numpy"}),
        ("from mixtransforms import BatchSpec, CutMix, MixUp, OneOf, Plan", {"mixtransforms", "numpy", "xxhash"}),
        ("from mixtransforms import load, save", {"mixtransforms", "numpy", "xxhash"}),
        ("import mixtransforms.mixing.pipeline, mixtransforms.show", {"mixtransforms", "numpy", "xxhash"}),
        (
            "import numpy as np, mixtransforms as m; "
            "m.MixUp(num_classes=2)(np.zeros((2, 4, 4, 3), np.float16), np.array([0, 1]))",
            {"mixtransforms", "numpy", "xxhash"},
        ),
    ],
)
def test_nothing_heavy_is_loaded(statement, packages):
    assert loaded(statement) <= packages


@pytest.mark.full
@pytest.mark.parametrize(
    ("door", "others"),
    [
        ("torchvision", {"albumentations", "cv2", "matplotlib", "typer"}),
        ("albumentations", {"torchvision", "matplotlib", "typer"}),
    ],
)
def test_a_door_loads_its_own_host_alone(door, others):
    pytest.importorskip(door)
    packages = loaded(f"import mixtransforms.{door}")
    assert door in packages
    assert packages & others == set()


@pytest.mark.full
def test_functional_is_loaded_when_it_is_first_used():
    pytest.importorskip("torchvision")
    name = "mixtransforms.torchvision.functional"
    code = f"import sys, mixtransforms.torchvision as door; print({name!r} in sys.modules, door.functional.__name__)"
    assert fresh(code) == f"False {name}"


def test_the_import_takes_less_than_300_ms():
    code = "import time; t = time.perf_counter(); import mixtransforms; print(time.perf_counter() - t)"
    assert min(float(fresh(code)) for _ in range(3)) < 0.3


@pytest.mark.parametrize("name", mixtransforms.__all__)
def test_every_public_name_resolves(name):
    assert getattr(mixtransforms, name) is getattr(mixtransforms, name)
    assert name in dir(mixtransforms)


def test_type_checkers_see_the_same_names():
    tree = ast.parse(Path(mixtransforms.__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    classes = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    imported = [alias for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    assert classes | {alias.name for alias in imported if alias.asname == alias.name} == set(mixtransforms.__all__)
    assert len(set(mixtransforms.__all__)) == len(mixtransforms.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'mixtransforms' has no attribute 'MixDown'"):
        mixtransforms.MixDown  # noqa: B018


@pytest.mark.parametrize(
    ("packages", "statement", "package", "extra"),
    [
        ({"torchvision"}, "import mixtransforms.torchvision", "torchvision", "torchvision"),
        ({"torch"}, "import mixtransforms.torchvision", "torchvision", "torchvision"),
        ({"albumentations"}, "import mixtransforms.albumentations", "albumentations", "albumentations"),
        (
            {"matplotlib"},
            "import numpy, mixtransforms.show; mixtransforms.show.batch(numpy.zeros((1, 2, 2, 3)))",
            "matplotlib",
            "show",
        ),
    ],
)
def test_a_missing_package_names_the_command_that_installs_it(packages, statement, package, extra):
    text = fresh(BLOCKED.format(packages=packages, statement=statement))
    assert f"needs {package}, which is not installed" in text
    assert f"Install it with: {install(*EXTRAS[extra])}" in text


def test_mixing_works_without_any_optional_package():
    code = """
import numpy as np
images = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)
mixed, labels = mixtransforms.MixUp(num_classes=3, seed=1)(images, np.array([0, 1, 2, 0]))
print(mixed.shape, labels.sum(1).round(6).tolist())
"""
    packages = {"torch", "torchvision", "albumentations", "cv2", "matplotlib", "typer", "rich", "sklearn", "PIL"}
    assert fresh(BLOCKED.format(packages=packages, statement="pass") + code) == "(4, 8, 8, 3) [1.0, 1.0, 1.0, 1.0]"
