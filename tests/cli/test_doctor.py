"""Every finding of the doctor, from faked installations; and a look at this one."""

import dataclasses
import importlib.metadata
import json
import os
import subprocess
import sys
import sysconfig
import types
from pathlib import Path

import pytest
from builds import NO_COMPILER, copy_project, needs_compiler, needs_setuptools, run

from mixtransforms.cli import doctor, kernel
from mixtransforms.cli.doctor import INFO, OK, PROBLEM, Environment, examine
from mixtransforms.cli.kernel import Kernel

REQUIRES = (
    "numpy>=1.26",
    "xxhash>=3.4",
    'torchvision>=0.26; extra == "torchvision"',
    'albumentations<2.1,>=2.0.8; extra == "albumentations"',
    'opencv-python>=4.9; extra == "opencv"',
    'matplotlib>=3.8; extra == "show"',
    'mixtransforms[show]; extra == "notebook"',
    'ipywidgets>=8.1; extra == "notebook"',
    'typer>=0.15; extra == "cli"',
    'rich>=13; extra == "cli"',
    'pillow>=10; extra == "cli"',
    'scikit-learn>=1.4; extra == "demo"',
    'mixtransforms[albumentations,cli,demo,notebook,show,torchvision]; extra == "all"',
    'timm>=1.0.31; extra == "test"',
)
VERSIONS = {
    "mixtransforms": "0.1.0",
    "numpy": "2.4.0",
    "xxhash": "3.5.0",
    "torch": "2.9.0",
    "torchvision": "0.26.0",
    "albumentations": "2.0.8",
    "opencv-python-headless": "4.12.0.88",
    "matplotlib": "3.10.0",
    "scikit-learn": "1.7.0",
    "ipywidgets": "8.1.8",
    "typer": "0.20.0",
    "rich": "14.0",
    "pillow": "11.0.0",
}


def environment(failures=None, without=(), requires=REQUIRES, cv2=True, **versions):
    """A healthy installation, changed."""
    given = {name.replace("_", "-"): version for name, version in versions.items()}
    kept = {name: version for name, version in (VERSIONS | given).items() if name not in without}
    return Environment("3.12.1", "Linux x86_64", kept, failures or {}, requires, cv2)


def problems(findings):
    return [finding for finding in findings if finding.level == PROBLEM]


def the_problem(*args, **kwargs):
    (problem,) = problems(examine(environment(*args, **kwargs)))
    return problem


def test_a_healthy_installation():
    findings = examine(environment())
    assert {finding.level for finding in findings} == {OK}
    assert [finding.subject for finding in findings] == [
        "OpenCV",
        "kernel",
        "mixtransforms.torchvision",
        "mixtransforms.albumentations",
    ]


@pytest.mark.parametrize(
    ("wheels", "albumentations", "keep"),
    [
        (["opencv-python"], True, "opencv-python-headless"),
        (["opencv-contrib-python-headless"], True, "opencv-python-headless"),
        (["opencv-python", "opencv-contrib-python"], False, "opencv-python"),
    ],
)
def test_more_than_one_opencv_wheel(wheels, albumentations, keep):
    without = () if albumentations else ("albumentations",)
    problem = the_problem(without=without, **{wheel.replace("-", "_"): "5.0.0.93" for wheel in wheels})
    assert problem.subject == "OpenCV"
    assert f"{len(wheels) + 1} wheels own the same cv2 folder" in problem.text
    removal, repair = problem.fix.split(" && ")
    assert removal.startswith("python -m pip uninstall -y ")
    assert {*wheels, "opencv-python-headless"} == set(removal.split()[5:])
    assert repair == f"python -m pip install {keep}"


@pytest.mark.parametrize(
    "failure", ["ModuleNotFoundError: No module named 'cv2'", "ImportError: the cv2 folder is empty"]
)
def test_a_wheel_that_lost_its_files(failure):
    problem = the_problem({"cv2": failure})
    assert problem.text == f"opencv-python-headless is installed, but cv2 cannot be imported: {failure}"
    assert problem.fix == "python -m pip install --force-reinstall --no-deps opencv-python-headless"


@pytest.mark.parametrize("wheel", ["opencv-python", "opencv-contrib-python"])
def test_a_desktop_wheel_without_the_systems_graphics(wheel):
    failure = "ImportError: libGL.so.1: cannot open shared object file: No such file or directory"
    versions = {wheel.replace("-", "_"): "5.0.0.93"}
    problem = the_problem({"cv2": failure}, ("opencv-python-headless", "albumentations"), **versions)
    assert problem.fix == f"python -m pip uninstall -y {wheel} && python -m pip install {wheel}-headless"


@pytest.mark.parametrize(("cv2", "level"), [(True, OK), (False, INFO)])
def test_no_opencv_wheel_is_no_problem(cv2, level):
    findings = examine(environment(without=("opencv-python-headless", "albumentations"), cv2=cv2))
    assert [finding.level for finding in findings if finding.subject == "OpenCV"] == [level]
    assert not problems(findings)


@pytest.mark.parametrize("version", ["2.0.7", "1.4.24", "2.1.0", "2.1", "3.0.0"])
def test_albumentations_out_of_range(version):
    problem = the_problem(albumentations=version)
    assert problem.subject == "albumentations"
    assert problem.text == f"version {version} is installed; mixtransforms needs <2.1,>=2.0.8."
    assert problem.fix == 'python -m pip install "albumentations<2.1,>=2.0.8"'


@pytest.mark.parametrize("version", ["2.0.8", "2.0.8.post1", "2.0.10"])
def test_albumentations_in_range(version):
    assert not problems(examine(environment(albumentations=version)))


@pytest.mark.parametrize("without", [(), ("albumentations",)])
def test_albumentations_x(without):
    problem = the_problem(without=without, albumentationsx="2.5.1")
    assert problem.subject == "AlbumentationsX"
    assert "albumentationsx 2.5.1 is installed" in problem.text
    assert problem.fix == (
        "python -m pip uninstall -y albumentationsx albumentations && "
        'python -m pip install "albumentations>=2.0.8,<2.1"'
    )


@pytest.mark.parametrize(
    ("name", "version", "fix"),
    [
        ("numpy", "1.25.2", 'python -m pip install "numpy>=1.26"'),
        ("torchvision", "0.25.0+cpu", 'python -m pip install "torchvision>=0.26"'),
        ("matplotlib", "3.7", 'python -m pip install "matplotlib>=3.8"'),
        ("opencv-python", "4.8.0.1", 'python -m pip install "opencv-python>=4.9"'),
    ],
)
def test_a_package_that_is_too_old(name, version, fix):
    without = ("opencv-python-headless", "albumentations") if name == "opencv-python" else ()
    problem = the_problem(without=without, **{name.replace("-", "_"): version})
    assert (problem.subject, problem.fix) == (name, fix)
    assert f"version {version} is installed" in problem.text


@pytest.mark.parametrize(("name", "module"), [("torch", "torch"), ("scikit-learn", "sklearn"), ("pillow", "PIL")])
def test_a_package_that_cannot_be_imported(name, module):
    problem = the_problem({module: "OSError: libcudart.so.12: cannot open shared object file"})
    assert problem.subject == name
    assert "cannot be imported: OSError: libcudart.so.12" in problem.text
    assert problem.fix == f"python -m pip install --force-reinstall {name}=={VERSIONS[name]}"


@pytest.mark.parametrize(
    ("host", "bounds"), [("torchvision", "torchvision>=0.26"), ("albumentations", "albumentations>=2.0.8,<2.1")]
)
def test_a_door_that_cannot_be_imported(host, bounds):
    problem = the_problem({f"mixtransforms.{host}": "ImportError: something changed"})
    assert problem == doctor.Finding(
        PROBLEM,
        f"mixtransforms.{host}",
        "cannot be imported: ImportError: something changed",
        f'python -m pip install "{bounds}"',
    )


@pytest.mark.parametrize("host", ["torchvision", "albumentations"])
def test_a_broken_host_is_told_once(host):
    failures = {host: "RuntimeError: operator does not exist", f"mixtransforms.{host}": "RuntimeError: operator"}
    assert the_problem(failures).subject == host


@pytest.mark.parametrize(
    ("without", "extra", "text", "named"),
    [
        (["torchvision", "torch"], "torchvision", "not installed: torchvision.", '"torchvision>=0.26"'),
        (["albumentations"], "albumentations", "not installed: albumentations.", '"albumentations<2.1,>=2.0.8"'),
        (["matplotlib"], "show", "not installed: matplotlib.", '"matplotlib>=3.8"'),
        (["typer", "rich"], "cli", "not installed: typer, rich.", '"typer>=0.15" "rich>=13"'),
        (["scikit-learn"], "demo", "not installed: scikit-learn.", '"scikit-learn>=1.4"'),
    ],
)
def test_what_is_missing_is_information_with_the_command(without, extra, text, named):
    findings = examine(environment(without=without))
    (missing,) = [finding for finding in findings if finding.level == INFO]
    assert missing == doctor.Finding(INFO, f"extra {extra}", text, f"python -m pip install {named}")
    assert not problems(findings)


def test_nothing_optional_at_all():
    optional = set(VERSIONS) - {"mixtransforms", "numpy", "xxhash"}
    findings = examine(environment(without=optional, cv2=False))
    assert {finding.level for finding in findings if finding.subject != "kernel"} == {INFO}
    subjects = [finding.subject.removeprefix("extra ") for finding in findings if finding.level == INFO]
    assert subjects == ["OpenCV", "torchvision", "albumentations", "show", "notebook", "cli", "demo"]


def test_a_package_that_is_not_installed_itself():
    (finding,) = [each for each in examine(environment(requires=())) if "without being installed" in each.text]
    assert finding.level == INFO
    assert finding.fix == f'python -m pip install -e "{Path(doctor.__file__).parents[2]}"'


def test_no_command_names_this_package():
    """There is no release of it, so pip would find nothing: packages are named themselves."""
    lines = [line for line in REQUIRES if "extra" in line and not line.startswith("mixtransforms")]
    lacking = environment(without={name for name, _, _ in doctor._requirements(lines)})
    assert "mixtransforms[" not in " ".join(finding.fix for finding in examine(lacking))


# ------------------------------------------------------------------------------------------ the kernel


def the_kernel(kernel: Kernel) -> doctor.Finding:
    (finding,) = [
        each for each in examine(dataclasses.replace(environment(), kernel=kernel)) if each.subject == "kernel"
    ]
    return finding


def test_a_kernel_that_is_used():
    assert the_kernel(Kernel(source="/src", editable=True)) == doctor.Finding(OK, "kernel", "the compiled one is used.")


def test_a_kernel_that_is_switched_off():
    finding = the_kernel(Kernel("NAME=0 switches it off", switch="NAME", source="/src", compiler=False))
    assert finding.level == INFO
    assert (
        finding.text == "the compiled one is not used: NAME=0 switches it off. Results are the same, but take longer."
    )
    assert finding.fix == ("set NAME=" if sys.platform == "win32" else "unset NAME")


def test_a_switch_that_says_nothing():
    finding = the_kernel(Kernel(error="It is neither on nor off.", switch="NAME"))
    assert (finding.level, finding.text) == (PROBLEM, "It is neither on nor off.")
    assert finding.fix == ("set NAME=" if sys.platform == "win32" else "unset NAME")


@pytest.mark.parametrize(("broken", "level"), [(False, INFO), (True, PROBLEM)])
@pytest.mark.parametrize(
    ("source", "editable", "fix"),
    [
        ("/src dir", True, 'python -m pip install -e "/src dir"'),
        ("/src dir", False, 'python -m pip install --force-reinstall --no-deps --no-cache-dir "/src dir"'),
        ("", False, ""),
    ],
)
def test_a_kernel_that_is_not_there_or_broken(broken, level, source, editable, fix):
    finding = the_kernel(Kernel("of a reason", broken=broken, source=source, editable=editable))
    assert (finding.level, finding.fix) == (level, fix)
    text = "the compiled one is not used: of a reason. Results are the same, but take longer."
    assert finding.text == text + ("" if source else " Install mixtransforms from its sources to get it.")
    assert "\n" not in finding.text


@pytest.mark.parametrize(
    ("platform", "installer", "first"),
    [
        ("linux", "/usr/bin/apt-get", "apt-get install -y gcc libc6-dev && "),
        ("linux", None, ""),
        ("darwin", None, "xcode-select --install && "),
    ],
)
def test_no_compiler(monkeypatch, platform, installer, first):
    monkeypatch.setattr(kernel.sys, "platform", platform)
    monkeypatch.setattr(kernel.shutil, "which", lambda name: installer)
    finding = the_kernel(Kernel("it was not built", source="/src", editable=True, compiler=False))
    assert finding.text.startswith(
        "the compiled one is not used: it was not built, which takes a C compiler, and none is found. "
    )
    assert finding.fix == f'{first}python -m pip install -e "/src"'


def test_a_compiler_that_is_not_found(monkeypatch):
    monkeypatch.setenv("CC", "a-compiler-that-nobody-has -O2")
    assert not kernel.look().compiler


@pytest.mark.parametrize("value", ["0", "off"])
def test_the_switch_is_looked_at(value):
    code = "from mixtransforms.cli.kernel import look; print(look())"
    variables = {**os.environ, "MIXTRANSFORMS_KERNEL": value}
    done = subprocess.run([sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=True)
    assert "switch='MIXTRANSFORMS_KERNEL'" in done.stdout
    assert ("error=''" in done.stdout) == (value == "0")


@pytest.mark.parametrize(
    ("record", "found"),
    [
        ({"url": "{folder}", "dir_info": {}}, True),
        ({"url": "{folder}/gone", "dir_info": {}}, False),
        ({"url": "{folder}/some.whl", "archive_info": {}}, False),
        ({"url": "https://example.org/archive.tar.gz", "archive_info": {}}, False),
        (None, False),
    ],
)
def test_what_it_was_installed_from(monkeypatch, tmp_path, record, found):
    source = tmp_path / "my folder"
    source.mkdir()
    (source / "some.whl").touch()
    text = record and json.dumps({**record, "url": record["url"].format(folder=source.as_uri())})
    monkeypatch.setattr(kernel, "__file__", str(tmp_path / "site-packages" / "mixtransforms" / "cli" / "kernel.py"))
    distribution = types.SimpleNamespace(read_text=lambda name: {"direct_url.json": text}[name])
    monkeypatch.setattr(importlib.metadata, "distribution", lambda name: distribution)
    assert kernel.look().source == (str(source) if found else "")
    assert not kernel.look().editable


def _told(python: Path, folder: Path) -> list[str]:
    """What the doctor of an environment says of the kernel, and what it says to do; it looks at nothing else."""
    code = "from mixtransforms.cli.kernel import look; print(look().told(), look().command(), sep='\\n')"
    return run([str(python), "-I", "-c", code], folder, MIXTRANSFORMS_KERNEL="").splitlines()


@pytest.mark.full
@needs_compiler
@pytest.mark.parametrize("editable", [False, True])
def test_whoever_follows_the_doctor_gets_the_kernel(editable, tmp_path, monkeypatch):
    """Without an index: the environment sees this one's packages, and builds with its setuptools."""
    needs_setuptools()
    project = copy_project(tmp_path / "the project")
    run([sys.executable, "-m", "venv", str(tmp_path / "env")], tmp_path)
    binaries = tmp_path / "env" / ("Scripts" if sys.platform == "win32" else "bin")
    python = binaries / "python"
    packages = run([str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], tmp_path).strip()
    Path(packages, "these.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    run([str(python), "-m", "pip", "uninstall", "-y", "setuptools"], tmp_path)  # its own is too old
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.setenv("PATH", f"{binaries}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_NO_BUILD_ISOLATION", "0")  # pip's own way to say that there is none
    install = [str(python), "-m", "pip", "install", "--no-deps", *(["-e"] if editable else []), str(project)]
    run(install, tmp_path, CC=NO_COMPILER)
    line, command = _told(python, tmp_path)
    assert line.startswith("the compiled one is not used: it was not built when mixtransforms was installed. ")
    run(["bash", "-c", command], tmp_path)
    assert _told(python, tmp_path)[0] == "the compiled one is used."


# ------------------------------------------------------------------------------------------ the machine


def test_the_machine_is_told(monkeypatch):
    told = []
    found = dataclasses.replace(environment(), machine={"processors": "8", "CUDA": "13.0, NVIDIA H200"})
    monkeypatch.setattr(doctor, "survey", lambda: found)
    assert doctor.report(told.append) == 0
    assert told[0] == "Python 3.12.1, Linux x86_64"
    assert any(line.split() == ["CUDA", "13.0,", "NVIDIA", "H200"] for line in told)
    assert any(line.split() == ["torch", "2.9.0"] for line in told)


def test_this_machine_is_looked_at():
    machine = doctor.survey().machine
    assert machine["processors"].startswith(str(os.cpu_count()))
    torch = sys.modules.get("torch")
    assert (torch is not None) == (len(machine) == 2)
    if torch is not None and not torch.cuda.is_available():
        assert set(machine) <= {"processors", "CUDA", "MPS"}


def test_devices(monkeypatch):
    def torch(cuda=False, mps=False, version="13.0"):
        backends = types.SimpleNamespace(mps=types.SimpleNamespace(is_available=lambda: mps))
        cuda = types.SimpleNamespace(
            is_available=lambda cuda=cuda: cuda, device_count=lambda: 2, get_device_name="NVIDIA {}".format
        )
        return types.SimpleNamespace(cuda=cuda, backends=backends, version=types.SimpleNamespace(cuda=version))

    for module, wanted in (
        (torch(cuda=True), {"CUDA": "13.0, NVIDIA 0, NVIDIA 1"}),
        (torch(mps=True), {"MPS": "available"}),
        (torch(), {"CUDA": "no device"}),
        (torch(version=None), {"CUDA": "none: torch is built without it"}),
        (None, {}),
    ):
        monkeypatch.setitem(sys.modules, "torch", module)
        assert doctor._devices() == wanted


def test_the_standard_library_is_enough():
    """After a plain `pip install .` nothing but NumPy and xxhash is there; not even these are needed."""
    code = (
        "import sys\n"
        "for name in ('numpy', 'xxhash', 'typer', 'rich', 'click', 'torch', 'cv2'): sys.modules[name] = None\n"
        "sys.argv = ['mixtransforms', 'doctor']\n"
        "from mixtransforms.cli.main import main\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    assert done.stdout.startswith("Python 3.")
    assert " found." in done.stdout.splitlines()[-1]
    assert done.returncode == (done.stdout.splitlines()[-1] != "No problems found.")


def test_problems_come_first():
    findings = examine(environment(without=["matplotlib"], albumentations="2.1", opencv_python="5.0"))
    levels = [finding.level for finding in findings]
    assert levels == sorted(levels, key=[PROBLEM, INFO, OK].index)
    assert len(problems(findings)) == 2


# ------------------------------------------------------------------------------------------------ looking


def test_survey_reads_the_metadata(monkeypatch):
    versions = {"numpy": "9.9", "opencv-python": "1.0", "opencv-python-headless": "2.0", "torch": "3.0"}

    def version(name):
        try:
            return versions[name]
        except KeyError:
            raise importlib.metadata.PackageNotFoundError(name) from None

    monkeypatch.setattr(importlib.metadata, "version", version)
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: ["numpy>=1.26"])
    monkeypatch.setattr(doctor, "_failure", lambda module: f"OSError: {module} is broken")
    found = doctor.survey()
    assert found.versions == versions
    assert found.requires == ("numpy>=1.26",)
    assert found.failures == {"torch": "OSError: torch is broken", "cv2": "OSError: cv2 is broken"}


def test_any_failure_of_an_import_is_told_in_one_line(monkeypatch, tmp_path):
    (tmp_path / "a_broken_module.py").write_text("raise OSError('libGL.so.1: cannot open\\nin many lines')")
    monkeypatch.syspath_prepend(tmp_path)
    assert doctor._failure("a_broken_module") == "OSError: libGL.so.1: cannot open"
    assert doctor._failure("a_missing_module") == "ModuleNotFoundError: No module named 'a_missing_module'"
    assert doctor._failure("json") == ""


def test_a_cv2_folder_that_was_left_behind(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", types.ModuleType("cv2"))
    assert doctor._failure("cv2") == "ImportError: the cv2 folder is empty"


def test_metadata_that_is_not_there(monkeypatch):
    def nothing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", nothing)
    monkeypatch.setattr(importlib.metadata, "requires", nothing)
    found = doctor.survey()
    assert (found.versions, found.requires, found.failures) == ({}, (), {})


def test_this_installation_is_judged_as_it_is():
    found = doctor.survey()
    wheels = [name for name in doctor.WHEELS if name in found.versions]
    subjects = [finding.subject for finding in problems(examine(found))]
    assert ("OpenCV" in subjects) == (len(wheels) > 1 or "cv2" in found.failures)
    assert found.versions["numpy"] == importlib.metadata.version("numpy")


def test_the_doctor_knows_the_extras_of_the_package():
    """Metadata is read, not repeated; what is repeated here must exist there."""
    extras = {extra for _, _, extra in doctor._requirements(doctor.survey().requires)}
    assert set(doctor._OPTIONAL_EXTRAS) <= extras
    assert set(doctor.DOORS) <= extras


def test_findings_and_environments_are_data():
    assert all(map(dataclasses.is_dataclass, (doctor.Finding, Environment)))
    assert examine(environment()) == examine(environment())
