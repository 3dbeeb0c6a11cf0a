"""The notebooks run in a fresh kernel, and print what is stored in them."""

from pathlib import Path

import pytest

for package in ("nbclient", "nbformat", "ipykernel", "torchvision", "albumentations", "matplotlib", "sklearn"):
    pytest.importorskip(package, reason=f"{package} is not installed")

import nbclient
import nbformat

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


def texts(notebook):
    """What every code cell shows as text; pictures and warnings of the machine are left out."""
    shown = []
    for cell in notebook.cells:
        outputs = cell.get("outputs", [])
        streams = [output.text for output in outputs if output.output_type == "stream" and output.name == "stdout"]
        data = [output.data for output in outputs if "data" in output]
        shown.append(streams + [item["text/plain"] for item in data if "image/png" not in item])
    return shown


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
# The kernel's own machinery: sockets closed late, and an event loop that asyncio is about to rename.
@pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
def test_runs_and_prints_what_it_says(path, tmp_path, monkeypatch):
    monkeypatch.setenv("NO_ALBUMENTATIONS_UPDATE", "1")
    stored = nbformat.read(path, as_version=4)
    fresh = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(
        fresh, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    assert texts(fresh) == texts(stored)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_is_small_and_has_its_pictures(path):
    assert path.stat().st_size < 400_000
    notebook = nbformat.read(path, as_version=4)
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    assert any("image/png" in output.get("data", {}) for output in first.outputs)
    assert all(cell.metadata == {} for cell in notebook.cells if cell.cell_type == "code")
