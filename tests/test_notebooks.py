"""The notebooks run in a fresh kernel, and print what is stored in them; what is stored is small and says the same anywhere."""

import ast
import base64
import io
import re
from pathlib import Path

import pytest

for package in ("nbclient", "nbformat", "ipykernel", "torchvision", "albumentations", "matplotlib", "sklearn", "yaml"):
    pytest.importorskip(package, reason=f"{package} is not installed")

import nbclient
import nbformat
from PIL import Image

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))

LARGEST = 400_000
"""Bytes of a notebook: what a page of code hosts still draws at once."""

LARGEST_PICTURE = 120_000

MOST_LINES = 15
"""Lines that one cell prints; more are not read."""

OF_THE_MACHINE = re.compile(r"0x[0-9a-f]{6,}|/tmp/|/home/|/root/|site-packages|\d+(\.\d+)? ?(ms|µs)\b|it/s")
"""Addresses, folders and timings, which are others in every run."""

of_the_kernel = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
"""The kernel's own machinery: sockets closed late, and an event loop that asyncio is about to rename."""

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path):
    return nbformat.read(path, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def pictures(cell):
    return [output.data["image/png"] for output in cell.outputs if "image/png" in output.get("data", {})]


def printed(cell):
    """What a code cell shows as text, in one; of a picture, that it is there. What the kernel warns of is left out."""
    return "".join(map(shown, cell.outputs))


def shown(output):
    if output.output_type == "stream":
        return output.text if output.name == "stdout" else ""
    if "image/png" in output.get("data", {}):
        return "(picture)\n"
    return output.data["text/plain"] + "\n" if "data" in output else f"({output.output_type})\n"


@pytest.mark.full
@each_notebook
@of_the_kernel
def test_runs_and_prints_what_it_says(path, tmp_path, monkeypatch):
    monkeypatch.setenv("NO_ALBUMENTATIONS_UPDATE", "1")
    fresh = read(path)
    nbclient.NotebookClient(
        fresh, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    assert [printed(cell) for cell in code_cells(fresh)] == [printed(cell) for cell in code_cells(read(path))]


@each_notebook
def test_is_small_and_has_its_pictures(path):
    assert path.stat().st_size < LARGEST
    found = [picture for cell in code_cells(read(path)) for picture in pictures(cell)]
    assert all(len(base64.b64decode(picture)) < LARGEST_PICTURE for picture in found)
    for picture in found:
        with Image.open(io.BytesIO(base64.b64decode(picture))) as opened:
            opened.load()  # raises where it is cut off
            assert min(opened.size) > 100


@each_notebook
def test_shows_before_it_explains(path):
    assert pictures(code_cells(read(path))[0])


@each_notebook
def test_is_stored_as_one_run_left_it(path):
    notebook = read(path)
    nbformat.validate(notebook)
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert all(cell.metadata == {} for cell in notebook.cells)


@each_notebook
def test_stores_no_warnings_and_no_failures(path):
    outputs = [output for cell in code_cells(read(path)) for output in cell.outputs]
    assert {output.get("name", "stdout") for output in outputs} <= {"stdout"}
    assert "error" not in {output.output_type for output in outputs}


@each_notebook
def test_is_the_same_on_every_machine_and_short(path):
    for cell in code_cells(read(path)):
        text = printed(cell)
        assert not OF_THE_MACHINE.search(text), text
        assert len(text.rstrip().splitlines()) <= MOST_LINES, text


@each_notebook
def test_says_something_between_its_parts(path):
    """It begins with a title, and no headline stands without words below it."""
    notes = [cell.source for cell in read(path).cells if cell.cell_type == "markdown"]
    assert notes[0].startswith("# ")
    assert all(re.sub(r"^#+ .*$", "", note, flags=re.MULTILINE).strip() for note in notes)
    assert not any(dash in note for note in notes for dash in "\u2013\u2014")


@each_notebook
def test_names_what_it_uses_of_the_package(path):
    """What is imported of the package is used: a reader looks for it."""
    source = "\n".join(cell.source for cell in code_cells(read(path)))
    names = [
        alias.asname or alias.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mixtransforms")
        for alias in node.names
    ]
    assert names
    assert all(len(re.findall(rf"\b{name}\b", source)) > 1 for name in names)


def test_there_are_as_many_as_the_readme_names():
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"notebooks/(\w+)\.ipynb", readme)) == {path.stem for path in NOTEBOOKS}
