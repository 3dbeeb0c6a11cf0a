"""The tests of the kernel in C once more, on one that watches every address and every number it works out."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from builds import ROOT, copy_project, needs_compiler, needs_setuptools, run

pytestmark = pytest.mark.full

SANITIZERS = "-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer"

_WHOLE = re.compile(r"^pytestmark = pytest\.mark\.skipif\(compiled\.LIBRARY is None", re.MULTILINE)

FILES = sorted(path for path in Path(__file__).parent.glob("test_*.py") if _WHOLE.search(path.read_text("utf-8")))
"""Those that are of the kernel as a whole."""


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
    shutil.copy(ROOT / "tests" / "conftest.py", project / "tests")
    for path in FILES:
        shutil.copy(path, project / "tests" / "kernels")
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
    """A job of fewer bytes than the kernel reads ends the process."""
    project, environment = watched
    code = (
        "import ctypes; from mixtransforms.kernels.compiled import LIBRARY, ABSENCE; assert LIBRARY, ABSENCE\n"
        "job = ctypes.create_string_buffer(8); LIBRARY.mixtransforms_paint(ctypes.addressof(job), 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project, env={**os.environ, **environment}, capture_output=True, check=False
    )
    assert done.returncode != 0
    assert b"ERROR: AddressSanitizer" in done.stderr


@needs_compiler
@pytest.mark.parametrize("name", [path.name for path in FILES])
def test_nothing_is_found(name, watched):
    project, environment = watched
    # Without `-s` the report of the sanitizers, which ends the process, would be lost.
    pytest_options = ["-m", "pytest", "-n0", "-q", "-s", "-p", "no:cacheprovider"]
    told = run([sys.executable, *pytest_options, f"tests/kernels/{name}"], project, **environment)
    assert " passed" in told
    assert " skipped" not in told


def test_the_files_are_found():
    assert {"test_compiled_rows.py", "test_compiled_jobs.py"} <= {path.name for path in FILES}
