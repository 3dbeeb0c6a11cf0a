"""What every test runs under: helpers within reach, quiet hosts, one thread a worker, reproducible property tests."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # doors, forms, oracles, checks

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


@pytest.fixture(params=["batch", "rows", "tensors"])
def way(request: pytest.FixtureRequest) -> Iterator[str]:
    """Runs a test once for each of the ways in which arrays are painted."""
    from forms import painted_by

    with painted_by(request.param):
        yield request.param


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what another case tests.

    NumPy arrays painted as tensors are painted by rows. Doors do not paint: what small batches are painted by is tested
    at the neutral one.
    """
    kept, twice = [], []
    for item in items:
        (twice if _is_twice(item) else kept).append(item)
    items[:] = kept
    config.hook.pytest_deselected(items=twice)


def _is_twice(item: pytest.Item) -> bool:
    params = item.callspec.params if hasattr(item, "callspec") else {}
    numpy = getattr(params.get("form"), "backend", params.get("backend")) == "numpy"
    if params.get("way") == "batch":
        door = getattr(params.get("case"), "door", None)
        return door is not None and door.name != "neutral"
    return params.get("way") == "tensors" and (numpy or item.path.name == "test_numpy_blends.py")
