"""Imports run one way. The table below is the one of the design; whoever builds a new room writes its line here.

A room is a folder or a module directly under ``mixtransforms``. Every import counts: inside functions, under
``TYPE_CHECKING``, relative ones, and names handed to ``import_module``.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = "mixtransforms"
SOURCE = ROOT / PACKAGE

EVERYWHERE = frozenset({"numpy"})
"""Packages that any module may import when it is loaded, beside the standard library."""


class Room(NamedTuple):
    """What a room may import beside itself: rooms, packages when it is loaded, packages inside functions alone."""

    rooms: str = ""
    packages: str = ""
    lazily: str = ""


BASE = "core rng containers kernels plan methods targets objects batch mixing"
DOORS = f"{BASE} torchvision albumentations"

ROOMS = {
    "_version": Room(),
    "core": Room(),
    "rng": Room("core", "xxhash"),
    "containers": Room("core rng"),
    "kernels": Room("core"),
    "plan": Room("core rng kernels"),
    "authoring": Room(),  # names what it has, and loads it when it is used: methods/ may import it
    "methods": Room("core rng plan authoring"),
    "laws": Room("methods"),  # the public names of methods/laws.py
    "targets": Room("core containers kernels plan"),
    "objects": Room("core containers kernels plan targets"),
    "batch": Room("core rng containers kernels plan targets objects"),
    "mixing": Room("core rng containers kernels plan methods targets objects batch"),
    "torchvision": Room(BASE, "torch torchvision"),
    "albumentations": Room(BASE, "albumentations"),
    "files": Room(f"{BASE} _version"),
    "show": Room(f"{BASE} files"),
    "presets": Room(f"{BASE} files"),
    "cli": Room(
        f"{DOORS} files show presets __init__", "typer", "rich torch torchvision albumentations matplotlib sklearn PIL"
    ),
    "training": Room(BASE, "torch"),
    "tuning": Room(f"{BASE} files"),
    "huggingface": Room(BASE, "", "datasets torch"),
    "lightning": Room(f"{BASE} training", "", "lightning torch"),
    "ray": Room(f"{BASE} training", "", "ray torch"),
    "studies": Room(f"{BASE} files show training tuning"),
    "__main__": Room("cli"),
    "__init__": Room(f"{DOORS} files show _version"),
}

RESERVED = frozenset("presets training tuning huggingface lightning ray studies".split())
"""Rooms whose names are taken before they are built; whoever wants one imports it by its own name."""

EXCEPTIONS = {
    # file: {what it imports beyond its room: why}
    "kernels/torch.py": {"torch": "the backend"},
    "kernels/tensor_painter.py": {"torch": "the backend"},
    "kernels/plan_tensors.py": {"torch": "the backend"},
    "kernels/tensor_types.py": {"torch": "the backend"},
    "kernels/numpy.py": {"cv2": "faster blends where it is installed"},
    "batch/read.py": {"torch": "labels follow the backend of the images"},
    "batch/collate.py": {"torch": "stacks samples that are tensors"},
    "methods/copypaste.py": {"mixtransforms.kernels": "a region of the very pixels that a resize of ids copies"},
    "albumentations/transform.py": {"torch": "tensors after ToTensorV2"},
    "albumentations/compose.py": {
        "torch": "tensors after ToTensorV2",
    },
    "files/parse.py": {"yaml": "reads YAML"},
    "files/yaml_text.py": {"yaml": "writes YAML"},
    "files/hosts/torchvision.py": {
        "torch": "dtypes among the host's arguments",
        "PIL": "pictures among the host's types",
        "torchvision": "the codec's own host",
        "mixtransforms.torchvision": "the codec's own door",
    },
    "files/hosts/albumentations.py": {
        "albumentations": "the codec's own host",
        "mixtransforms.albumentations": "the codec's own door",
    },
    "show/needs.py": {"matplotlib": "asks whether it is there"},
    "show/picture.py": {"matplotlib": "draws"},
    "show/batches/draw.py": {"matplotlib": "draws"},
    "show/batches/draw_annotations.py": {"matplotlib": "draws"},
    "show/batches/pictures.py": {"matplotlib": "colours of spectrograms"},
    "show/methods/charts.py": {"matplotlib": "draws"},
    "show/explorer/controls.py": {"ipywidgets": "the controls"},
    "show/explorer/explore.py": {"ipywidgets": "asks whether it is there"},
    "show/explorer/widget.py": {"ipywidgets": "the controls"},
}

AT_LOAD = frozenset(
    {
        "kernels/torch.py",
        "kernels/tensor_painter.py",
        "kernels/plan_tensors.py",
        "kernels/tensor_types.py",
        "files/hosts/torchvision.py",
        "files/hosts/albumentations.py",
        "show/picture.py",
        "show/batches/draw.py",
        "show/batches/draw_annotations.py",
        "show/methods/charts.py",
        "show/explorer/controls.py",
        "show/explorer/widget.py",
    }
)
"""Files whose exceptions are imported when the file is loaded; all others import theirs inside a function."""

COMPUTED = {
    # file: what the name that it computes may be
    "__init__.py": "the homes of the public names",
    "methods/__init__.py": "the files of its folder",
    "authoring.py": "the homes of what methods are written with",
    "core/display.py": "who shows things as HTML and as code",
    "kernels/__init__.py": "the backends",
    "files/registry.py": "the codecs of the hosts",
    "cli/doctor.py": "the packages that it examines",
}

EAGER = frozenset(BASE.split())
"""Rooms that load with NumPy alone."""


class Import(NamedTuple):
    """One imported module; ``lazy`` unless it is imported together with the file."""

    module: str
    line: int
    lazy: bool


def modules() -> list[str]:
    return sorted(path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py"))


def room_of(file: str) -> str:
    return file.partition("/")[0].removesuffix(".py")


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).removeprefix("typing.") == "TYPE_CHECKING"


def imports_of(file: str, source: str) -> Iterator[Import]:
    """Every import of a module, each name by name."""
    parents = (PACKAGE, *file.split("/")[:-1])

    def visit(node: ast.AST, lazy: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, lazy)
        elif isinstance(node, ast.ImportFrom):
            base = parents[: len(parents) + 1 - node.level] if node.level else ()
            module = ".".join((*base, *([node.module] if node.module else [])))
            for alias in node.names:
                yield Import(f"{module}.{alias.name}", node.lineno, lazy)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            name = node.args[0] if node.args else None
            known = name.value if isinstance(name, ast.Constant) else "<computed>"
            yield Import(str(known), node.lineno, lazy)
        inside = lazy or is_type_checking(node) or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        for child in ast.iter_child_nodes(node):
            yield from visit(child, inside)

    return visit(ast.parse(source), False)


def target_of(module: str) -> str:
    """What the table knows: ``mixtransforms.<room>`` inside the package, the package's name outside."""
    head, *rest = module.split(".")
    if head != PACKAGE:
        return head
    return f"{PACKAGE}.{rest[0]}" if rest and rest[0] in ROOMS else f"{PACKAGE}.__init__"


def allowed(file: str, item: Import) -> bool:
    room, target = room_of(file), target_of(item.module)
    if item.module == "<computed>":
        return file in COMPUTED
    if target in EXCEPTIONS.get(file, ()):
        return item.lazy or file in AT_LOAD
    if target.startswith(f"{PACKAGE}."):
        return target.partition(".")[2] in {room, *ROOMS[room].rooms.split()}
    known = {*EVERYWHERE, *ROOMS[room].packages.split(), *(ROOMS[room].lazily.split() if item.lazy else ())}
    return target in sys.stdlib_module_names or target in known


def wrong_imports(file: str, source: str) -> list[str]:
    return [
        f"{PACKAGE}/{file}:{item.line} imports {item.module}, which the table in tests/test_layers.py does not allow"
        for item in imports_of(file, source)
        if not allowed(file, item)
    ]


def test_every_room_is_in_the_table():
    rooms = {room_of(file) for file in modules()}
    assert rooms <= set(ROOMS), f"write a line into ROOMS for {sorted(rooms - set(ROOMS))}"


@pytest.mark.parametrize("file", modules())
def test_imports_follow_the_table(file):
    wrong = wrong_imports(file, (SOURCE / file).read_text(encoding="utf-8"))
    assert not wrong, "\n".join(wrong)


def test_rooms_depend_on_one_another_in_one_direction():
    rank = {room: index for index, room in enumerate(ROOMS)}
    upward = [(room, other) for room in EAGER for other in ROOMS[room].rooms.split() if rank[other] >= rank[room]]
    assert upward == []


def test_only_the_command_line_and_its_parts_know_both_doors():
    both = {room for room in ROOMS if {"torchvision", "albumentations"} <= set(ROOMS[room].rooms.split())}
    assert both == {"cli", "__init__"}


def test_doors_do_not_know_each_other():
    assert "albumentations" not in ROOMS["torchvision"].rooms.split()
    assert "torchvision" not in ROOMS["albumentations"].rooms.split()


def test_no_public_name_lives_in_a_reserved_room():
    """Names of the package are loaded when they are first used: none of them may bring in a room that trains or tunes."""
    source = ast.walk(ast.parse((SOURCE / "__init__.py").read_text(encoding="utf-8")))
    homes = {
        node.value.partition(".")[0] for node in source if isinstance(node, ast.Constant) and type(node.value) is str
    }
    assert {"plan", "mixing", "files"} <= homes, "homes are written down as text"
    assert homes & RESERVED == set()
    assert set(ROOMS["__init__"].rooms.split()) & RESERVED == set()
    assert set(ROOMS) >= RESERVED


def test_no_exception_outlives_its_reason():
    used = {
        (file, target_of(item.module))
        for file in modules()
        for item in imports_of(file, (SOURCE / file).read_text(encoding="utf-8"))
    }
    listed = {(file, target) for file, targets in EXCEPTIONS.items() for target in targets}
    assert listed - used == set()
    assert {file for file, target in used if target == "<computed>"} == set(COMPUTED)


@pytest.mark.parametrize(
    ("file", "source"),
    [
        pytest.param("methods/cutout.py", "import torch", id="a backend in a method"),
        pytest.param("methods/cutout.py", "def f():\n    import cv2", id="a lazy backend in a method"),
        pytest.param("methods/cutout.py", "from mixtransforms.kernels import numpy", id="a kernel in a method"),
        pytest.param("plan.py", "def f():\n    from mixtransforms.show import html", id="a room above, lazily"),
        pytest.param("batch/batch.py", "def f():\n    import torch", id="another's exception"),
        pytest.param("core/fields.py", "from mixtransforms import MixUp", id="a public name from below"),
        pytest.param("core/fields.py", "from ..mixing import MixUp", id="a relative import"),
        pytest.param("core/fields.py", "from .. import mixing", id="a relative import of a room"),
        pytest.param("kernels/numpy.py", "import cv2", id="OpenCV when loading"),
        pytest.param("kernels/resampling.py", "def f():\n    import cv2", id="OpenCV in another kernel"),
        pytest.param("targets/label.py", "class A:\n    import torch", id="torch in a class body"),
        pytest.param("targets/label.py", "if TYPE_CHECKING:\n    import torch", id="torch for a type checker"),
        pytest.param("targets/label.py", "import_module('torch')", id="torch by name"),
        pytest.param("targets/label.py", "importlib.import_module(name)", id="a computed name"),
        pytest.param("torchvision/compose.py", "def f():\n    import albumentations", id="the other host"),
        pytest.param("torchvision/compose.py", "from mixtransforms import albumentations", id="the other door"),
        pytest.param(
            "albumentations/compose.py", "import mixtransforms.torchvision as door", id="the other door, renamed"
        ),
        pytest.param("albumentations/compose.py", "import torch", id="torch at the other door"),
        pytest.param("files/parse.py", "import mixtransforms.torchvision", id="a door in the neutral reader"),
        pytest.param("targets/label.py", "from mixtransforms.mixing.pipeline import Stage", id="upward"),
        pytest.param("show/batches/panels.py", "def f():\n    import matplotlib", id="matplotlib outside of drawing"),
        pytest.param("show/__init__.py", "import matplotlib", id="matplotlib when loading"),
        pytest.param("cli/demo.py", "import torch", id="a host when the command line loads"),
        pytest.param("cli/main.py", "import rich", id="rich when the command line loads"),
    ],
)
def test_a_wrong_import_is_found(file, source):
    assert len(wrong_imports(file, source)) == 1


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("plan.py", "def f():\n    from mixtransforms.kernels.paint import apply_plan"),
        ("rng/keys.py", "import os, xxhash\nimport numpy as np\nfrom numpy.typing import NDArray"),
        ("targets/mask.py", "from mixtransforms.core import errors\nfrom mixtransforms.kernels import kernel_of"),
        ("torchvision/compose.py", "from torchvision.transforms import v2\nfrom . import transform"),
        ("kernels/torch.py", "import torch"),
    ],
)
def test_a_right_import_is_not(file, source):
    assert wrong_imports(file, source) == []
