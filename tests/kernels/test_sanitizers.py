"""The tests of the kernel in C once more, on one that watches every address and every number it works out."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from builds import ROOT, copy_project, needs_compiler, run

from mixtransforms.kernels.compiled import PATH, sources

pytestmark = pytest.mark.full

FLAGS = "-std=c99 -O1 -fPIC -shared -ffp-contract=off -fno-strict-aliasing".split()
"""Nearly those of setup.py, whose optimization takes the compiler minutes here."""

SANITIZERS = "-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer".split()

_WHOLE = re.compile(r"^pytestmark = pytest\.mark\.skipif\(\s*compiled\.LIBRARY is None", re.MULTILINE)

FILES = sorted(path for path in Path(__file__).parent.glob("test_*.py") if _WHOLE.search(path.read_text("utf-8")))
"""Those that are of the kernel as a whole."""


COMPILER = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0]


def runtime(project: Path) -> str:
    """The library that has to be there before all others, since Python itself is not watched."""
    found = run([COMPILER, "-print-file-name=libasan.so"], project).strip()
    if not Path(found).is_absolute():
        pytest.skip(f"{COMPILER} has no sanitizers")
    return found


@pytest.fixture(scope="module")
def watched(tmp_path_factory) -> tuple[Path, dict[str, str]]:
    """A project with such a kernel, and the environment of a process that loads it."""
    if sys.platform != "linux":
        pytest.skip("the sanitizers are loaded as on Linux")
    project = copy_project(tmp_path_factory.mktemp("watched"))
    # pytest puts its folder on the path: the tests come along, and what is above them does not.
    shutil.copytree(ROOT / "tests" / "support", project / "tests" / "support")
    (project / "tests" / "kernels").mkdir()
    shutil.copy(ROOT / "tests" / "conftest.py", project / "tests")
    for path in FILES:
        shutil.copy(path, project / "tests" / "kernels")
    first, kernels = runtime(project), project / "mixtransforms" / "kernels"
    number = f"-DMIXTRANSFORMS_SOURCES={sources(kernels)}u"
    files = [str(path) for path in kernels.glob("*.c")]
    run([COMPILER, *FLAGS, *SANITIZERS, number, "-o", str(kernels / PATH.name), *files, "-lm"], project)
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
    assert {path.name for path in FILES} == {
        "test_compiled_rows.py",
        "test_compiled_jobs.py",
        "test_compiled_resize.py",
    }
