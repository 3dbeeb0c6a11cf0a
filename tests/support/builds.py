"""Builds of the project, in a copy so that nothing is left in the tree."""

import importlib.metadata
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from once import once

from mixtransforms.cli.kernel import look

ROOT = Path(__file__).parents[2]

NO_COMPILER = "/bin/false"
"""As ``CC``, a compiler that compiles nothing."""

needs_compiler = pytest.mark.skipif(not look().compiler, reason="there is no C compiler")


def needs_setuptools() -> None:
    """Skips where it is missing or too old, which happens outside of CI's own environments."""
    pytest.importorskip("setuptools")
    version = importlib.metadata.version("setuptools")
    if int(version.partition(".")[0]) < 77:
        pytest.skip(f"setuptools {version} is installed; builds take 77 or newer")


def copy_project(to: Path) -> Path:
    """What builds read, without what builds made."""
    to.mkdir(parents=True, exist_ok=True)
    for name in ("setup.py", "setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, to)
    ignored = shutil.ignore_patterns("__pycache__", "_mix.*")
    shutil.copytree(ROOT / "mixtransforms", to / "mixtransforms", ignore=ignored)
    return to


def run(command: list[str], folder: Path, **environment: str) -> str:
    """What a command prints; it must succeed."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def build(kind: str, project: Path, to: str, **environment: str) -> tuple[Path, str]:
    """A ``"wheel"`` or an ``"sdist"`` of a project, in a folder of it, and what the build printed."""
    code = f"import sys; from setuptools import build_meta; print('built:', build_meta.build_{kind}(sys.argv[1]))"
    log = run([sys.executable, "-c", code, to], project, **environment)
    return project / to / log.rsplit("built: ", 1)[1].strip(), log


def default_wheel(factory: pytest.TempPathFactory) -> Path:
    """The wheel that this machine builds, once for all workers."""
    needs_setuptools()
    return Path(once(factory, "wheel", lambda folder: str(build("wheel", copy_project(folder / "project"), "dist")[0])))


def wheel_without_compiler(factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The wheel that is built where no compiler works, and what its build printed, once for all workers."""
    needs_setuptools()

    def find(folder: Path) -> tuple[str, str]:
        project = copy_project(folder / "project")
        wheel, log = build("wheel", project, "dist", CC=NO_COMPILER)
        return str(wheel), log

    wheel, log = once(factory, "wheel without a compiler", find)
    return Path(wheel), log


def unpacked(wheel: Path, to: Path) -> Path:
    """The folder of a package, out of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(to)
    return to / "mixtransforms"
