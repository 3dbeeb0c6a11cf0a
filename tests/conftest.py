"""What every test runs under: helpers within reach, quiet hosts, one thread a worker, reproducible property tests."""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "support"))  # spawned processes take it over

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # its import asks the network for a newer release otherwise
os.environ.setdefault("OMP_NUM_THREADS", "1")  # arrays are small, and pytest-xdist already fills the cores

try:
    from hypothesis import HealthCheck, settings
except ImportError:  # the kernel tests also run where nothing but pytest is installed
    pass
else:
    slow_machine = [HealthCheck.too_slow]
    settings.register_profile(
        "ci", derandomize=True, deadline=None, database=None, max_examples=100, suppress_health_check=slow_machine
    )
    settings.register_profile("dev", deadline=None, max_examples=50, suppress_health_check=slow_machine)
    settings.load_profile("ci" if os.environ.get("CI") else "dev")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declares the option of the exhaustive tier."""
    parser.addoption(
        "--full", action="store_true", help="run the exhaustive tier as well: compilers, processes, products"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Tells the helpers which tier runs, before any test is imported."""
    import tiers

    tiers.everything = config.getoption("full")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leaves out files of the exhaustive tier as a whole: their imports alone take seconds in every worker."""
    if collection_path.suffix != ".py" or config.getoption("full"):
        return None
    return (
        True
        if re.search(r"^pytestmark = pytest\.mark\.full$", collection_path.read_text("utf-8"), re.MULTILINE)
        else None
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out the exhaustive tier."""
    if not config.getoption("full"):
        left_out = [item for item in items if item.get_closest_marker("full")]
        items[:] = [item for item in items if not item.get_closest_marker("full")]
        config.hook.pytest_deselected(items=left_out)


@pytest.fixture(params=["batch", "rows", "tensors"])
def way(request: pytest.FixtureRequest) -> Iterator[str]:
    """Runs a test once for each of the ways in which arrays are painted."""
    from forms import painted_by

    with painted_by(request.param):
        yield request.param


@pytest.fixture
def made_up_hints(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests over all methods, whose batches have images and labels alone."""
    from told import make_up_what_is_missing

    make_up_what_is_missing(monkeypatch)
