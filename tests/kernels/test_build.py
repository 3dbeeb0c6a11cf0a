"""The kernel in C is built where there is a compiler, belongs to no Python, and nobody needs it."""

import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
from builds import (
    NO_COMPILER,
    build,
    copy_project,
    default_wheel,
    needs_compiler,
    needs_setuptools,
    run,
    unpacked,
    wheel_without_compiler,
)

from mixtransforms import ParameterError
from mixtransforms.kernels import compiled
from mixtransforms.kernels.compiled import NOT_BUILT, PATH, SWITCH, SWITCHED_OFF, load

MIX = """
import numpy as np
from mixtransforms import MixUp
from mixtransforms.kernels import compiled
MixUp(num_classes=3)({"images": np.zeros((4, 8, 8, 3), np.float32), "labels": np.array([0, 1, 2, 1])})
print(compiled.LIBRARY is not None, compiled.ABSENCE)
"""
"""A call, and whether it had the kernel."""


@pytest.fixture
def library(tmp_path_factory, tmp_path) -> Path:
    """The library of a wheel, beside its sources."""
    return unpacked(default_wheel(tmp_path_factory), tmp_path / "wheel") / "kernels" / PATH.name


@pytest.fixture
def package(tmp_path_factory, tmp_path) -> Path:
    """The package as it is installed where there is no compiler."""
    return unpacked(wheel_without_compiler(tmp_path_factory)[0], tmp_path / "package")


def symbols(library: Path, *options: str) -> list[str]:
    """What a library has (``--defined-only``) or wants (``-u``), by the system's own tool."""
    nm = shutil.which("nm")
    if nm is None:
        pytest.skip("there is no nm")
    lines = subprocess.run([nm, "-D", *options, library], capture_output=True, text=True, check=True).stdout
    return [line.split()[-1].partition("@")[0] for line in lines.splitlines()]


# ------------------------------------------------------------------------------------------ wheels


@needs_compiler
def test_a_wheel_with_the_kernel_is_of_its_system_and_of_any_python(tmp_path_factory):
    wheel = default_wheel(tmp_path_factory)
    system = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    assert wheel.name.endswith(f"-py3-none-{system}.whl") or sys.platform == "darwin"
    assert re.search(r"-py3-none-(?!any)\w+\.whl$", wheel.name)
    with zipfile.ZipFile(wheel) as archive:
        (info,) = [name for name in archive.namelist() if name.endswith(".dist-info/WHEEL")]
        assert "Root-Is-Purelib: false" in archive.read(info).decode()
        assert [name for name in archive.namelist() if "/_mix." in name] == [f"mixtransforms/kernels/{PATH.name}"]


def test_a_wheel_without_the_kernel_is_of_any_system(tmp_path_factory):
    wheel, log = wheel_without_compiler(tmp_path_factory)
    assert wheel.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        (info,) = [name for name in archive.namelist() if name.endswith(".dist-info/WHEEL")]
        assert "Root-Is-Purelib: true" in archive.read(info).decode()
        assert [name for name in archive.namelist() if "/_mix." in name] == []
    (line,) = [line for line in log.splitlines() if "without its compiled kernel" in line]
    assert "`mixtransforms doctor` says how to get it" in line


@needs_compiler
def test_the_library_has_nothing_of_python(library):
    exported = symbols(library, "--defined-only")
    assert {"mixtransforms_paint", "mixtransforms_sources"} <= set(exported)
    assert [name for name in exported if not name.startswith("mixtransforms_")] == []
    assert [name for name in symbols(library, "-u") if re.match(r"_?Py", name)] == []
    if shutil.which("ldd"):
        assert "python" not in subprocess.run(["ldd", library], capture_output=True, text=True, check=True).stdout


# ------------------------------------------------------------------------------------------ loading


@needs_compiler
def test_a_library_is_loaded_beside_its_own_sources_alone(library):
    loaded, absence = load(library)
    assert loaded is not None
    assert loaded.mixtransforms_paint.argtypes is not None
    assert absence == ""
    with (library.parent / "mix.c").open("a", encoding="utf-8") as source:
        source.write("/* one more comment */\n")
    assert load(library) == (None, f"{library} was built from other sources than those beside it")
    for path in library.parent.glob("*.[ch]"):
        path.unlink()
    assert load(library) == (None, f"{library} was built from other sources than those beside it")


def test_where_there_is_none_nothing_is_wrong(tmp_path):
    assert load(tmp_path / PATH.name) == (None, NOT_BUILT)


@pytest.mark.parametrize("content", [b"", b"no library at all\n" * 1000, b"\x7fELF" + bytes(4096), b"MZ" + bytes(4096)])
def test_what_is_no_library_is_not_loaded(content, tmp_path):
    path = tmp_path / PATH.name
    path.write_bytes(content)
    library, absence = load(path)
    assert library is None
    assert absence.startswith("it cannot be loaded: ")
    assert "\n" not in absence


@needs_compiler
@pytest.mark.skipif(sys.platform != "linux", reason="patches the header of an ELF file")
def test_a_library_of_another_machine_is_not_loaded(library):
    content = bytearray(library.read_bytes())
    content[18:20] = (0xF3 if platform.machine() != "riscv64" else 0x3E).to_bytes(2, sys.byteorder)  # e_machine
    library.write_bytes(content)
    loaded, absence = load(library)
    assert loaded is None
    assert absence.startswith("it cannot be loaded: ")


@needs_compiler
def test_a_library_that_was_built_by_hand_is_not_loaded(library, tmp_path):
    """The number of its sources is put in by setup.py; without it nobody knows what the library is."""
    compiler = (os.environ.get("CC") or sysconfig.get_config_var("CC")).split()
    (tmp_path / "other.c").write_text("int other;", encoding="utf-8")
    reasons = ("was built from other sources", "it cannot be loaded: ")
    for source, reason in zip((library.parent / "mix.c", tmp_path / "other.c"), reasons, strict=True):
        by_hand = library.with_name(f"{source.stem}.so")
        run([*compiler, "-shared", "-fPIC", "-O0", "-o", str(by_hand), str(source)], tmp_path)
        loaded, absence = load(by_hand)
        assert loaded is None
        assert reason in absence


def test_a_corrupt_library_breaks_nothing(package):
    (package / "kernels" / PATH.name).write_text("no library", encoding="utf-8")
    told = run([sys.executable, "-c", MIX], package.parent, PYTHONPATH=str(package.parent), **{SWITCH: ""})
    assert told.startswith("False it cannot be loaded: ")


def test_nothing_is_imported_for_it():
    code = "import sys; from mixtransforms.kernels import compiled; print(*({'numpy', 'torch'} & set(sys.modules)))"
    assert run([sys.executable, "-c", code], Path.cwd()).strip() == ""


# ------------------------------------------------------------------------------------------ the switch


@pytest.fixture
def switch(monkeypatch) -> pytest.MonkeyPatch:
    monkeypatch.delenv(SWITCH, raising=False)
    return monkeypatch


@pytest.mark.parametrize("value", ["", "1", None])
def test_it_is_on_unless_it_is_switched_off(switch, value):
    if value is not None:
        switch.setenv(SWITCH, value)
    library, absence = compiled._found()
    assert (library is not None) == PATH.exists()
    assert absence == ("" if PATH.exists() else NOT_BUILT)


def test_it_is_switched_off(switch):
    switch.setenv(SWITCH, "0")
    assert compiled._found() == (None, SWITCHED_OFF)


@pytest.mark.parametrize("value", ["off", "false", "2", " 0", "no"])
def test_it_is_on_or_off(switch, value):
    switch.setenv(SWITCH, value)
    with pytest.raises(ParameterError, match=rf"\({SWITCH}\): got '{value}'; wanted 0 or 1\. Set {SWITCH}=0 to work"):
        compiled._found()


def test_a_process_without_it_mixes(package):
    told = run([sys.executable, "-c", MIX], package.parent, PYTHONPATH=str(package.parent), **{SWITCH: "0"})
    assert told.strip() == f"False {SWITCHED_OFF}"


# ------------------------------------------------------------------------------------------ ways to install it


@pytest.mark.full
@needs_compiler
def test_a_source_archive_has_all_that_a_wheel_is_built_from(tmp_path):
    needs_setuptools()
    archive, _ = build("sdist", copy_project(tmp_path / "project"), "dist")
    shutil.unpack_archive(archive, tmp_path / "archive")
    (project,) = (tmp_path / "archive").iterdir()
    wheel, _ = build("wheel", project, "dist")
    assert re.search(r"-py3-none-(?!any)\w+\.whl$", wheel.name)


@pytest.mark.full
@needs_compiler
def test_a_build_in_place_is_used_and_one_that_fails_leaves_none(tmp_path):
    """Not even the one of an earlier build, in the tree or in the folder of builds."""
    needs_setuptools()
    project = copy_project(tmp_path)
    command = [sys.executable, "setup.py", "build_ext", "--inplace"]
    library = project / "mixtransforms" / "kernels" / PATH.name
    run(command, project)
    assert load(library)[1] == ""
    assert "without its compiled kernel" in run(command, project, CC=NO_COMPILER)
    assert not library.exists()
    wheel, _ = build("wheel", project, "dist")
    assert "-py3-none-any" not in wheel.name
    wheel, _ = build("wheel", project, "dist", CC=NO_COMPILER)
    assert wheel.name.endswith("-py3-none-any.whl")
    shutil.rmtree(project / "build")
    with zipfile.ZipFile(wheel) as archive:
        assert [name for name in archive.namelist() if "/_mix." in name] == []


def pythons() -> list[Path]:
    """Other Pythons of this machine, of other versions that the package supports."""
    named = [shutil.which(f"python3.{minor}") for minor in range(10, 20)]
    kept = Path.home().glob(".pyenv/versions/3.*/bin/python")
    found = {}
    for path in map(str, filter(None, [*named, *kept])):
        done = subprocess.run(
            [path, "-c", "import sys; print(*sys.version_info[:2])"], capture_output=True, text=True, check=False
        )
        version = tuple(map(int, done.stdout.split())) if done.returncode == 0 else (0, 0)
        if version >= (3, 10) and version != sys.version_info[:2]:
            found[version] = Path(path)
    return list(found.values())


@pytest.mark.full
@needs_compiler
def test_other_pythons_load_it(library):
    others = pythons()
    if not others:
        pytest.skip("there is no other Python from 3.10 on")
    code = "from mixtransforms.kernels import compiled as c; assert c.LIBRARY.mixtransforms_paint, c.ABSENCE; print(c.PATH)"
    for python in others:
        told = run([str(python), "-c", code], library.parents[2], PYTHONPATH=str(library.parents[2]), **{SWITCH: ""})
        assert told.strip() == str(library), python
