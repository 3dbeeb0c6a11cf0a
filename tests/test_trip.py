"""The measures of the house count what their page says, on a package of a few files, and run on this one."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
sys.path.append(str(BENCHMARKS))

import trip

sys.path.remove(str(BENCHMARKS))

FILES = {
    "__init__.py": "from mixtransforms.core.a import A",
    "core/a.py": '''"""A docstring
of two lines."""

from typing import TYPE_CHECKING

import numpy as np  # a comment

if TYPE_CHECKING:
    from mixtransforms.show.c import draw

# Another one.
class A:
    """Short."""
    x = 1
    """Of an attribute."""
''',
    "core/b.py": "def _draw():\n    from mixtransforms.core import a\n",
    "show/c.py": "from ..core.b import _draw as d\n\nLIMIT = 3\n\ndef draw():\n    return d\n",
    "show/html/d.py": "import mixtransforms.core.a\nfrom mixtransforms import A\nLIMIT: int = 4\n",
}


def test_rooms_are_folders():
    assert trip.room_sizes(FILES) == {"core": 2, ".": 1, "show": 1, "show/html": 1}


def test_imports_of_every_form_are_arrows():
    assert trip.graph_of(FILES) == {
        "__init__.py": {"core/a.py"},
        "core/a.py": {"show/c.py"},
        "core/b.py": {"core/a.py"},
        "show/c.py": {"core/b.py"},
        "show/html/d.py": {"core/a.py", "__init__.py"},
    }
    assert trip.graph_of(FILES, types=False)["core/a.py"] == set()


def test_what_runs_up_is_told():
    order = {"core": 0, "show": 1, "__init__": 2}
    graph = trip.graph_of(FILES)
    # The face of the package imports core alone, and so stands below show.
    assert trip.upward(graph, order) == ["core -> show"]
    assert trip.upward(graph | {"core/b.py": {"__init__.py"}}, order) == ["core -> __init__", "core -> show"]


def test_circles_are_found():
    assert trip.largest_circle(trip.graph_of(FILES)) == ["core/a.py", "core/b.py", "show/c.py"]
    assert trip.largest_circle(trip.graph_of(FILES, types=False)) == []


def test_names_of_several_files_are_found():
    assert trip.names_twice(FILES, trip.functions_and_classes) == {"draw": ["core/b.py", "show/c.py"]}
    assert trip.names_twice(FILES, trip.constants) == {"LIMIT": ["show/c.py", "show/html/d.py"]}


def test_lines_are_counted():
    assert trip.lines_of(FILES["core/a.py"]) == (6, 2)
    assert trip.lines_of("x = '''a\n\n# no comment'''\n") == (2, 0)


def test_calls_are_counted(tmp_path):
    path = tmp_path / "module.py"
    path.write_text("def f():\n    return [g() for _ in range(3)]\n\ndef g():\n    return len('')\n")
    namespace = {}
    exec(compile(path.read_text(), str(path), "exec"), namespace)
    comprehension = sys.version_info < (3, 12)  # later ones are no calls
    found = trip.travelled(namespace["f"], tmp_path)
    assert found == {"calls": 4 + comprehension, "functions": 2 + comprehension, "files": 1}
    assert trip.travelled(lambda: namespace["g"], tmp_path)["calls"] == 0


@pytest.mark.parametrize("name", trip.TRIPS)
def test_trips_are_taken(name):
    pytest.importorskip("torchvision", reason="torchvision is not installed")
    found = trip.one_trip(name)
    assert found["calls"] > found["functions"] > found["files"] > 5


@pytest.mark.full
def test_a_trip_in_a_process_of_its_own_is_told():
    pytest.importorskip("torchvision", reason="torchvision is not installed")
    command = [sys.executable, str(BENCHMARKS / "trip.py"), "--trip", "first plain call"]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=200).stdout)
    assert found["calls"] > trip.one_trip("warm plain call")["calls"]


@pytest.mark.full
def test_this_house_is_read():
    found = trip.house(trip.package_folder())
    assert found["modules"] == sum(found["rooms"].values()) > 100
    assert found["upward"] == []
    assert found["code"] > 5_000
