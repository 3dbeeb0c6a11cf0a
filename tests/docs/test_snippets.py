"""Every line of Python in docs/ runs, page by page, from top to bottom; links and names of files lead somewhere."""

import os
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))
DOCUMENTS = [*PAGES, *sorted(path.name for path in ROOT.glob("*.md"))]


class Block(NamedTuple):
    """Code of a page; ``needs`` is what the comment ``<!-- needs: ... -->`` right above says."""

    line: int
    code: str
    needs: str


def has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


NEEDS = {"a GPU": has_gpu}
"""What a page may ask for, and whether it is there."""


def blocks(page: str) -> list[Block]:
    text = (ROOT / page).read_text(encoding="utf-8")
    found = re.finditer(r"^(?:<!-- needs: (.+) -->\n)?```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [Block(text.count("\n", 0, match.start(2)) + 1, match[2], match[1] or "") for match in found]


def run(page: str, block: Block, namespace: dict[str, Any]) -> None:
    """Runs a block with the lines that it has on its page, so that an error points there."""
    exec(compile("\n" * (block.line - 1) + block.code, page, "exec"), namespace)


WITH_CODE = [page for page in PAGES if blocks(page)]
WITH_NEEDS = [(page, block) for page in PAGES for block in blocks(page) if block.needs]


@pytest.mark.parametrize("page", WITH_CODE)
def test_a_page_runs(page, tmp_path, monkeypatch):
    for package in ("torchvision", "albumentations", "matplotlib"):
        pytest.importorskip(package, reason=f"{package} is not installed")
    monkeypatch.chdir(tmp_path)  # pages write files
    namespace: dict[str, Any] = {"__name__": "page"}
    for block in blocks(page):
        if not block.needs:
            run(page, block, namespace)


@pytest.mark.parametrize(
    ("page", "block"), [pytest.param(*case, id=f"{case[0]}:{case[1].line}") for case in WITH_NEEDS]
)
def test_what_needs_more_runs_where_it_can(page, block, tmp_path, monkeypatch):
    code = compile(block.code, page, "exec")
    assert code.co_names
    pytest.importorskip("torch", reason="torch is not installed")
    if not NEEDS[block.needs]():
        pytest.skip(f"needs {block.needs}")
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {"__name__": "page"}
    for other in blocks(page):
        if not other.needs or other == block:
            run(page, other, namespace)


def test_pages_have_code():
    assert {"docs/detection.md", "docs/files.md", "docs/methods.md", "docs/pictures.md"} <= set(WITH_CODE)
    assert {"docs/pipelines.md", "docs/reproducibility.md", "docs/speed.md"} <= set(WITH_CODE)
    assert all("```py\n" not in (ROOT / page).read_text(encoding="utf-8") for page in PAGES)  # would not be run


def anchors(text: str) -> set[str]:
    """The names that GitHub gives to headings."""
    titles = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document):
    for link in re.findall(r"\]\(([^)\s]+)\)", (ROOT / document).read_text(encoding="utf-8")):
        if not link.startswith(("https://", "mailto:")):
            target, _, anchor = link.partition("#")
            path = Path(os.path.normpath(ROOT / Path(document).parent / target)) if target else ROOT / document
            assert path.exists(), link
            assert not anchor or anchor in anchors(path.read_text(encoding="utf-8")), link


@pytest.mark.parametrize("page", [page for page in PAGES if page != "docs/README.md"])
def test_every_page_is_linked(page):
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    assert f"]({page.removeprefix('docs/')})" in index
