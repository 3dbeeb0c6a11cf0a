"""The tests of the kernel in C once more, on one that watches every address and every number it works out."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from builds import ROOT, copy_project, needs_compiler, needs_setuptools, run

pytestmark = pytest.mark.full

SANITIZERS = "-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer"

MODULES = ["test_hostile_jobs", "test_compiled_rows"]
"""Tests of the kernel, which need NumPy and nothing heavier."""


def runtime(project: Path) -> str:
    """The library that has to be there before all others, since Python itself is not watched."""
    compiler = (os.environ.get("CC") or sysconfig.get_config_var("CC")).split()[0]
    found = run([compiler, "-print-file-name=libasan.so"], project).strip()
    if not Path(found).is_absolute():
        pytest.skip(f"{compiler} has no sanitizers")
    return found


@pytest.fixture(scope="module")
def watched(tmp_path_factory) -> tuple[Path, dict[str, str]]:
    """A project with such a kernel, and the environment of a process that loads it."""
    needs_setuptools()
    if sys.platform != "linux":
        pytest.skip("the sanitizers are loaded as on Linux")
    project = copy_project(tmp_path_factory.mktemp("watched"))
    # pytest puts its folder on the path: the tests come along, and what is above them does not.
    shutil.copytree(ROOT / "tests" / "support", project / "tests" / "support")
    (project / "tests" / "kernels").mkdir()
    for name in ("conftest.py", *(f"kernels/{module}.py" for module in MODULES)):
        shutil.copy(ROOT / "tests" / name, project / "tests" / name)
    first = runtime(project)
    run([sys.executable, "setup.py", "build_ext", "--inplace"], project, CFLAGS=f"{SANITIZERS} -O1", LDFLAGS=SANITIZERS)
    return project, {
        "LD_PRELOAD": first,
        "ASAN_OPTIONS": "detect_leaks=0",  # Python keeps much until its end
        "UBSAN_OPTIONS": "print_stacktrace=1",
        "PYTHONPATH": str(project),
        "PYTHONMALLOC": "malloc",
        "MIXTRANSFORMS_KERNEL": "",
    }


@needs_compiler
def test_they_watch(watched):
    """A job that begins below 0 is of nobody's memory, and ends the process."""
    project, environment = watched
    code = (
        "import ctypes; from mixtransforms.kernels.compiled import LIBRARY, ABSENCE; assert LIBRARY, ABSENCE\n"
        "job = ctypes.create_string_buffer(8); LIBRARY.mixtransforms_paint(ctypes.addressof(job))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project, env={**os.environ, **environment}, capture_output=True, check=False
    )
    assert done.returncode != 0
    assert b"AddressSanitizer: heap-buffer-overflow" in done.stderr


@needs_compiler
@pytest.mark.parametrize("module", MODULES)
def test_nothing_is_found(module, watched):
    project, environment = watched
    told = run(
        [sys.executable, "-m", "pytest", "-n0", "-q", "-p", "no:cacheprovider", f"tests/kernels/{module}.py"],
        project,
        **environment,
    )
    assert " passed" in told
    assert " skipped" not in told
