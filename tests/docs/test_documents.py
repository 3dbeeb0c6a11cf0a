"""What documents promise about the package is so: versions, limits, names of files, and what CI runs."""

import ast
import os
import re
import subprocess
from pathlib import Path

import pytest

import mixtransforms
from mixtransforms.methods.registry import METHODS

ROOT = Path(__file__).parents[2]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


# ------------------------------------------------------------------------------------------ versions


def wrong_tags(tags: list[str], version: str, changelog: str) -> list[str]:
    """Tags of releases that name another version than the code, or one without a section in the changelog."""
    sections = re.findall(r"^## \[(.+)\] - \d{4}-\d\d-\d\d$", changelog, flags=re.MULTILINE)
    return [tag for tag in tags if tag.startswith("v") and (tag != f"v{version}" or version not in sections)]


@pytest.mark.parametrize(
    ("tag", "version", "heading", "right"),
    [
        ("v0.2.0", "0.2.0", "## [0.2.0] - 2027-01-31", True),
        ("v0.2.0", "0.1.0", "## [0.2.0] - 2027-01-31", False),
        ("v0.2.0", "0.2.0", "## [Unreleased]", False),
        ("v0.2.0", "0.2.0", "## [0.2.0]", False),
        ("nightly", "0.2.0", "## [Unreleased]", True),
    ],
)
def test_tags_are_judged(tag, version, heading, right):
    assert (wrong_tags([tag], version, f"# Changelog\n\n{heading}\n") == []) is right


def test_a_tag_at_this_commit_names_the_version():
    """In CI the tag is the one that was pushed: the tests run on a copy without git."""
    if os.environ.get("GITHUB_REF_TYPE") == "tag":
        tags = [os.environ["GITHUB_REF_NAME"]]
    else:
        command = ["git", "-C", str(ROOT), "tag", "--points-at", "HEAD"]
        tags = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()
    assert wrong_tags(tags, mixtransforms.__version__, read("CHANGELOG.md")) == []


def test_the_citation_is_of_this_version():
    yaml = pytest.importorskip("yaml", reason="yaml is not installed")
    citation = yaml.safe_load(read("CITATION.cff"))
    assert citation["version"] == mixtransforms.__version__
    assert {"cff-version", "message", "title", "authors"} <= set(citation)


# ------------------------------------------------------------------------------------------ security


def pipeline(args: str) -> str:
    outer = '{"format": "mixtransforms/pipeline", "format_version": 2, "host": "neutral", "pipeline": '
    return outer + '{"type": "mixtransforms.MixUp", "args": ' + args + "}}"


@pytest.mark.parametrize(
    ("limit", "within", "beyond"),
    [
        ("1048576 bytes", " " * 2**20, " " * (2**20 + 1)),
        ("32 levels", "[" * 32 + "]" * 32, "[" * 33 + "]" * 33),
        ("100000 values", str([1] * 99_999), str([1] * 100_001)),
        ("4096 characters", '"' + "a" * 4096 + '"', '"' + "a" * 4097 + '"'),
        ("256 characters", '{"' + "a" * 256 + '": 1}', '{"' + "a" * 257 + '": 1}'),
        ("20 digits", "9" * 20, "9" * 21),
    ],
    ids=lambda value: value if len(value) < 20 else "",
)
def test_limits_are_those_that_the_page_names(limit, within, beyond):
    """What is within them is refused for other reasons: none of it is a pipeline."""
    assert limit in read("SECURITY.md")
    with pytest.raises(mixtransforms.ConfigError, match=f"at most {limit}"):
        mixtransforms.from_json(beyond)
    with pytest.raises(mixtransforms.ConfigError, match=rf"^(?!.*at most {limit})"):
        mixtransforms.from_json(within)


@pytest.mark.parametrize("args", ['{"alpha": 0.4, "note": 1}', '{"alpha": NaN}', '{"alpha": 1, "alpha": 2}'])
def test_what_the_page_says_is_refused_is(args):
    assert mixtransforms.from_json(pipeline('{"alpha": 0.4}')).alpha == 0.4
    with pytest.raises(mixtransforms.ConfigError, match=r"alpha|note"):
        mixtransforms.from_json(pipeline(args))


# ------------------------------------------------------------------------------------------ CI


def test_the_workflow_runs_what_people_run():
    yaml = pytest.importorskip("yaml", reason="yaml is not installed")
    text = read(".github/workflows/ci.yml")
    (job,) = yaml.safe_load(text)["jobs"].values()
    supported = re.findall(r"Python :: (3\.\d+)$", read("setup.cfg"), flags=re.MULTILINE)
    assert job["strategy"]["matrix"]["python"] == supported
    assert [step["run"] for step in job["steps"] if "run" in step] == ["bash .ci/run"]
    assert "secrets" not in text.replace("needs no secrets", "")
    assert yaml.safe_load(text)["permissions"] == {"contents": "read"}


# ------------------------------------------------------------------------------------------ names of files


@pytest.mark.parametrize("document", ["CONTRIBUTING.md", "RELEASING.md", "SECURITY.md"])
def test_files_that_are_named_exist(document):
    named = re.findall(r"`((?:[\w.-]+/)+[\w.-]*\w\.(?:py|md|json|yml))`", read(document))
    places = [ROOT, ROOT / "mixtransforms", ROOT / "tests"]
    assert [name for name in named if not any((place / name).exists() for place in places)] == []


def test_terms_of_the_glossary_stand_in_order():
    table = re.search(r"^## Glossary\n(.*?)(?=^## )", read("CONTRIBUTING.md"), flags=re.DOTALL | re.MULTILINE)[1]
    terms = [row.split("|")[1].strip().lower() for row in table.splitlines() if row.startswith("| ")][1:]
    assert len(terms) >= 30
    assert terms == sorted(terms)


def test_classes_of_the_glossary_exist():
    table = re.search(r"^## Glossary\n(.*?)(?=^## )", read("CONTRIBUTING.md"), flags=re.DOTALL | re.MULTILINE)[1]
    trees = [ast.parse(path.read_text("utf-8")) for path in (ROOT / "mixtransforms").rglob("*.py")]
    defined = {
        node.name for tree in trees for node in ast.walk(tree) if isinstance(node, (ast.ClassDef, ast.FunctionDef))
    }
    named = set(re.findall(r"`([A-Z][a-z]\w*)`", table))
    assert named - defined == set()


# ------------------------------------------------------------------------------------------ methods


@pytest.mark.parametrize("name", METHODS)
def test_every_method_has_a_row_and_a_source(name):
    """A method is found by somebody who looks for it by its name, and its paper from its docstring."""
    assert re.search(rf"^\| `{name}` \| [^|]+ \| [^|]+ \| [^|]+ \|$", read("docs/methods.md"), flags=re.MULTILINE)
    assert name == "OneOf" or re.search(r"^    Source: ", METHODS[name].__doc__, flags=re.MULTILINE)
