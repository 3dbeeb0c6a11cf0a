"""What is shipped and what the documents promise: metadata, extras, the wheel, the README's commands."""

import ast
import configparser
import importlib.metadata
import re
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from builds import default_wheel

import mixtransforms
from mixtransforms.core.errors import EXTRAS

ROOT = Path(__file__).parents[1]
COMMANDS = (
    'python -m pip install ".[all]" && python -m mixtransforms demo',
    'python -m pip install -e ".[all,test]" && python -m pytest',
)
OPENCV = {
    "opencv-python", "opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless",
}  # fmt: skip


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def setup_cfg() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(read("setup.cfg"))
    return parser


@pytest.fixture(scope="module")
def extras(setup_cfg) -> dict[str, list[str]]:
    """The requirement lines of every extra, as written."""
    return {name: value.split() for name, value in setup_cfg["options.extras_require"].items()}


def name_of(requirement: str) -> str:
    return re.match(r"[A-Za-z0-9._-]+", requirement)[0].lower()


def expanded(extra: str, extras: dict[str, list[str]]) -> set[str]:
    """The packages of an extra, with those of the extras that it names."""
    names = set()
    for requirement in extras[extra]:
        inner = re.fullmatch(r"mixtransforms\[(.+)\]", requirement)
        names |= set().union(*(expanded(e, extras) for e in inner[1].split(","))) if inner else {name_of(requirement)}
    return names


def test_extras_are_those_of_the_design(extras):
    promised = {"torchvision", "albumentations", "opencv", "show", "cli", "ray", "huggingface", "lightning"}
    assert promised | {"test", "bench", "dev", "all"} <= set(extras)
    assert {"torchvision", "albumentations", "matplotlib", "typer", "scikit-learn"} <= expanded("all", extras)
    assert expanded("all", extras) | {"pytest", "ruff", "mypy", "pre-commit"} <= expanded("dev", extras)


def test_the_base_needs_numpy_and_xxhash_alone(setup_cfg):
    lines = setup_cfg["options"]["install_requires"].split()
    assert {name_of(line) for line in lines} == {"numpy", "xxhash"}


def test_no_extra_but_opencv_names_an_opencv_build(extras):
    named = {extra: expanded(extra, extras) & OPENCV for extra in extras}
    assert {extra: builds for extra, builds in named.items() if builds} == {"opencv": {"opencv-python"}}


def test_all_brings_one_opencv_build():
    pytest.importorskip("albumentations")
    brought = set()
    for package in ("albumentations", "albucore"):
        brought |= {name_of(line) for line in importlib.metadata.requires(package) or () if "extra ==" not in line}
    assert brought & OPENCV == {"opencv-python-headless"}


def test_ci_runs_the_oldest_releases_that_users_may_have(setup_cfg, extras):
    pins = dict(line.split("==") for line in read(".ci/oldest.txt").splitlines() if not line.startswith("#"))
    pins["opencv-python"] = pins["opencv-python-headless"]  # the same releases, built otherwise
    wanted = expanded("all", extras) | expanded("opencv", extras)
    lines = {line for extra in extras.values() for line in extra if name_of(line) in wanted and ">=" in line}
    lines |= set(setup_cfg["options"]["install_requires"].split())
    floors = {name_of(line): re.search(r">=([\d.]+)", line)[1] for line in lines}
    assert set(floors) == wanted | {"numpy", "xxhash"}
    assert [name for name, floor in floors.items() if not f"{pins[name]}.".startswith(f"{floor}.")] == []


def test_an_error_names_an_extra_that_has_the_package(extras):
    """``missing(package, extra, purpose)`` promises that the extra brings the package."""
    calls = [
        [argument.value for argument in node.args[:2]]
        for path in (ROOT / "mixtransforms").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("missing")
        if all(isinstance(argument, ast.Constant) for argument in node.args[:2])
    ]
    assert len(calls) >= 3
    # Where either of two will do, the extra brings one of them.
    wrong = [call for call in calls if not set(call[0].lower().split(" or ")) & expanded(call[1], extras)]
    assert wrong == []


def test_what_errors_tell_to_install_is_what_the_extras_ask_for(extras):
    """Releases are named in setup.cfg alone; where the package runs from a clone, it has no metadata to read."""
    own = {extra: tuple(line for line in lines if "mixtransforms[" not in line) for extra, lines in extras.items()}
    assert {extra: own[extra] for extra in EXTRAS} == EXTRAS


@pytest.mark.parametrize(
    "document", ["README.md", "CONTRIBUTING.md", *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))]
)
def test_no_document_installs_a_release_that_does_not_exist(document):
    """Nothing of this name is on an index: pip takes a folder with its extras, or other packages by their names."""
    assert re.findall(r"pip install \S*mixtransforms\S*", read(document)) == []


def test_no_text_of_the_package_installs_a_release_that_does_not_exist():
    texts = [
        node.value
        for path in (ROOT / "mixtransforms").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert [text for text in texts if re.search(r"install[^.]*mixtransforms\[", text)] == []


def test_setup_py_and_pyproject_hold_no_metadata():
    call = ast.parse(read("setup.py")).body[-1].value
    assert [ast.unparse(call.func), *(each.arg for each in call.keywords)] == ["setup", "ext_modules", "cmdclass"]
    tables = re.findall(r"^\[+([\w.-]+)", read("pyproject.toml"), flags=re.MULTILINE)
    assert {table.partition(".")[0] for table in tables} == {"build-system", "tool"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Iterator[zipfile.ZipFile]:
    with zipfile.ZipFile(default_wheel(tmp_path_factory)) as archive:
        yield archive


def test_the_wheel_has_every_module_and_the_type_marker(wheel):
    tree = ROOT / "mixtransforms"
    files = (*(path for ending in ("py", "pyi", "c", "h") for path in tree.rglob(f"*.{ending}")), tree / "py.typed")
    wanted = {path.relative_to(ROOT).as_posix() for path in files}
    shipped = {name for name in wheel.namelist() if ".dist-info/" not in name and "/_mix." not in name}
    assert shipped == wanted


def test_the_wheel_says_what_it_is(wheel, extras):
    info = f"mixtransforms-{mixtransforms.__version__}.dist-info"
    metadata = wheel.read(f"{info}/METADATA").decode()
    assert "License: MIT" in metadata or "License-Expression: MIT" in metadata
    assert "Requires-Python: >=3.10" in metadata
    assert set(re.findall(r"^Provides-Extra: (.+)$", metadata, flags=re.MULTILINE)) == set(extras)
    assert f"{info}/licenses/LICENSE" in wheel.namelist()
    assert "mixtransforms = mixtransforms.cli.main:main" in wheel.read(f"{info}/entry_points.txt").decode()


def test_the_entry_point_exists():
    cli = pytest.importorskip("mixtransforms.cli.main", exc_type=mixtransforms.MissingDependencyError)
    assert callable(cli.main)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_readme_has_the_commands_word_for_word(command):
    assert read("README.md").splitlines().count(command) == 1
    ending = command.partition(" && ")[2]
    found = subprocess.run(
        [sys.executable, ROOT / ".ci" / "readme.py", ending], capture_output=True, text=True, check=False
    )
    assert found.stdout.strip() == command, found.stderr


def test_a_command_that_is_not_in_the_readme_is_an_error():
    found = subprocess.run(
        [sys.executable, ROOT / ".ci" / "readme.py", "python -m fortune"], capture_output=True, text=True, check=False
    )
    assert found.returncode != 0
    assert "README.md has 0 commands that install the package and end with 'python -m fortune'" in found.stderr


def test_documents_that_belong_to_the_package():
    assert "Copyright (c) 2026 The mixtransforms authors" in read("LICENSE")
    assert re.search(r"^## \[?Unreleased\]?", read("CHANGELOG.md"), flags=re.MULTILINE)
    assert ".ci/run" in read("CONTRIBUTING.md")


def test_the_example_of_contributing_is_a_method():
    example = re.search(r"^ *```python\n(.*?)```", read("CONTRIBUTING.md"), flags=re.MULTILINE | re.DOTALL)[1]
    use = "print(HalfMix().draw(BatchSpec(4, (6, 8)), np.random.default_rng(0)).weight.tolist())"
    code = f"{textwrap.dedent(example)}\n{use}"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[0.5, 0.5, 0.5, 0.5]", done.stderr


REPORT = """<testsuites><testsuite time="1.5">
<testcase classname="tests.kernels.test_blends" name="test_blend[numpy-uint8]"/>
<testcase classname="tests.kernels.test_blends" name="test_blend[torch-uint8]">{torch}</testcase>
<testcase classname="tests.test_layers" name="test_imports[kernels/torch.py]"/>
</testsuite></testsuites>"""


@pytest.mark.parametrize(
    ("torch", "options", "errors"),
    [
        ("", ["--complete", "numpy", "torch"], []),
        ('<skipped message="no CUDA device"/>', ["numpy"], []),
        ('<skipped message="no CUDA device"/>', ["numpy", "torch"], ["torch was not tested: 0 of 1 tests ran"]),
        ("", ["torchvision"], ["torchvision was not tested: 0 of 0 tests ran"]),
        (
            """<skipped message="collection skipped">('a.py', 1, "Skipped: could not import 'x'")</skipped>""",
            ["--complete", "numpy"],
            ["skipped for want of a package: could not import 'x"],
        ),
    ],
)
def test_ci_notices_a_backend_that_was_not_tested(tmp_path, torch, options, errors):
    (tmp_path / "report.xml").write_text(REPORT.format(torch=torch), encoding="utf-8")
    command = [sys.executable, ROOT / ".ci" / "report.py", tmp_path / "report.xml", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr.splitlines() == [f"ERROR: {error}" for error in errors]
    assert done.returncode == len(errors)
