"""What is installed, what is wrong with it, and the command that mends it.

Of the standard library alone, beside our own errors: it is asked where other packages are missing.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
import platform
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mixtransforms.cli.kernel import Kernel, look
from mixtransforms.core.errors import EXTRAS, install

OK, INFO, PROBLEM = "ok", "info", "problem"
"""Levels of findings; something optional that is not installed is information."""

WHEELS = (
    "opencv-python",
    "opencv-python-headless",
    "opencv-contrib-python",
    "opencv-contrib-python-headless",
)
"""Packages that all own the same ``cv2`` folder; whichever was installed last has written it."""

PACKAGES = (
    "mixtransforms",
    "numpy",
    "xxhash",
    "torch",
    "torchvision",
    "albumentations",
    *WHEELS,
    "matplotlib",
    "ipywidgets",
    "scikit-learn",
    "pyyaml",
    "typer",
    "rich",
    "pillow",
)
"""Packages whose versions are told."""

MODULES = {
    "torch": "torch",
    "torchvision": "torchvision",
    "albumentations": "albumentations",
    "matplotlib": "matplotlib",
    "scikit-learn": "sklearn",
    "pillow": "PIL",
}
"""Modules that are tried, by the package that brings them."""

DOORS = {"torchvision": "mixtransforms.torchvision", "albumentations": "mixtransforms.albumentations"}

ALBUMENTATIONS_X = "albumentationsx"
"""It installs over the same folder as albumentations, under another licence and with another interface."""

_OPTIONAL_EXTRAS = ("torchvision", "albumentations", "show", "notebook", "cli", "demo")
"""Extras whose absence is told, in this order; the others are for developers or choose between OpenCV builds."""

# The requirements of our own metadata, which setuptools has written: no need for `packaging`, which may be missing.
_REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*([^;]*?)\s*(?:;.*extra\s*==\s*['\"]([\w-]+)['\"].*)?$")
_BOUND = re.compile(r"(>=|<=|==|<|>)\s*([0-9][\w.]*)")


@dataclass(frozen=True)
class Finding:
    """One thing about an installation.

    Attributes:
        level: :data:`OK`, :data:`INFO` or :data:`PROBLEM`.
        subject: What it is about.
        text: What was found.
        fix: The command that mends it, or an empty string.
    """

    level: str
    subject: str
    text: str
    fix: str = ""


@dataclass(frozen=True)
class Environment:
    """What :func:`examine` judges.

    Attributes:
        python: Version of Python.
        system: Name of the operating system and machine.
        versions: Versions of the installed distributions, by name in lower case.
        failures: Why modules could not be imported, by module; modules that were not tried or work are left out.
        requires: Requirements of mixtransforms, as in its metadata.
        cv2: Whether there is a ``cv2`` module at all, from wherever.
        machine: What computes: processors, and the devices that torch finds, by what they are.
        kernel: What is known of the compiled kernel.
    """

    python: str
    system: str
    versions: Mapping[str, str]
    failures: Mapping[str, str] = field(default_factory=dict)
    requires: Sequence[str] = ()
    cv2: bool = False
    machine: Mapping[str, str] = field(default_factory=dict)
    kernel: Kernel = field(default_factory=Kernel)


def report(say: Callable[[str], None]) -> int:
    """Examines this installation and tells what was found, line by line.

    Args:
        say: Takes every line.

    Returns:
        How many problems there are.
    """
    environment = survey()
    findings = examine(environment)
    for line in (*_facts(environment), *_told(findings)):
        say(line)
    count = sum(finding.level == PROBLEM for finding in findings)
    say(f"\n{count or 'No'} problem{'' if count == 1 else 's'} found.")
    return count


def _facts(environment: Environment) -> Iterator[str]:
    yield f"Python {environment.python}, {environment.system}"
    # Of four builds of OpenCV one is wanted: the other three are not missing.
    shown = {name: environment.versions.get(name, "") for name in PACKAGES}
    rows = {name: version or "not installed" for name, version in shown.items() if version or name not in WHEELS}
    rows |= environment.machine
    width = max(map(len, rows))
    yield from (f"  {name:{width}}  {value}" for name, value in rows.items())


def _told(findings: Sequence[Finding]) -> Iterator[str]:
    for finding in findings:
        yield f"\n{finding.level}: {finding.subject}: {finding.text}"
        if finding.fix:
            yield f"  {finding.fix}"


def survey() -> Environment:
    """Looks at this Python: reads metadata and tries imports."""
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # importing it would ask the network for a newer release
    versions = {name: version for name in (*PACKAGES, ALBUMENTATIONS_X) if (version := _version(name)) is not None}
    modules = [module for package, module in MODULES.items() if package in versions]
    # Without a wheel there may still be a cv2 of conda; it is not tried, since nobody can say how to mend it.
    if any(wheel in versions for wheel in WHEELS):
        modules.append("cv2")
    modules += [door for host, door in DOORS.items() if host in versions]
    failures = {module: failure for module in modules if (failure := _failure(module))}
    found = importlib.util.find_spec("cv2") is not None
    system = f"{platform.system()} {platform.machine()}"
    requires, machine = tuple(_requires()), {"processors": _processors(), **_devices()}
    return Environment(platform.python_version(), system, versions, failures, requires, found, machine, look())


def _processors() -> str:
    """How many there are, and how many of them this process may use, which containers limit."""
    count = os.cpu_count() or 1
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else count
    return str(count) if usable == count else f"{count}, of which this process may use {usable}"


def _devices() -> dict[str, str]:
    """The devices that torch finds; nothing where it was not imported."""
    torch = sys.modules.get("torch")
    if torch is None or not hasattr(torch, "cuda"):
        return {}
    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
        return {"CUDA": f"{torch.version.cuda}, {', '.join(names)}"}
    if torch.backends.mps.is_available():
        return {"MPS": "available"}
    return {"CUDA": "no device" if torch.version.cuda else "none: torch is built without it"}


def examine(environment: Environment) -> list[Finding]:
    """Judges an installation.

    Args:
        environment: From :func:`survey`.

    Returns:
        Problems first, then information, then what is in order.
    """
    found = [
        *_opencv(environment),
        *_albumentations(environment),
        *_ranges(environment),
        *_imports(environment),
        *_kernel(environment.kernel),
        *_doors(environment),
        *_lacking(environment),
    ]
    # Sorting is stable: within a level, causes (OpenCV, other packages in our place) stand before what follows from
    # them.
    order = (PROBLEM, INFO, OK)
    return sorted(found, key=lambda finding: order.index(finding.level))


def _opencv(environment: Environment) -> Iterator[Finding]:
    wheels = [wheel for wheel in WHEELS if wheel in environment.versions]
    keep = _wheel_to_keep(environment, wheels)
    if len(wheels) > 1:
        yield Finding(
            PROBLEM,
            "OpenCV",
            f"{len(wheels)} wheels own the same cv2 folder: {', '.join(wheels)}. The one installed last has "
            "overwritten the others, and removing any of them breaks the rest.",
            f"{_pip('uninstall', '-y', *wheels)} && {install(keep)}",
        )
    elif wheels and "cv2" in environment.failures:
        reason = environment.failures["cv2"]
        text = f"{wheels[0]} is installed, but cv2 cannot be imported: {reason}"
        yield Finding(PROBLEM, "OpenCV", text, _repair(wheels[0], reason))
    elif wheels:
        yield Finding(OK, "OpenCV", f"one wheel, {wheels[0]} {environment.versions[wheels[0]]}; cv2 can be imported.")
    elif environment.cv2:
        yield Finding(OK, "OpenCV", "cv2 was not installed by pip, but by conda or the system.")
    else:
        yield Finding(
            INFO,
            "OpenCV",
            "not installed. NumPy images are mixed without it, with the same result and more slowly.",
            install("opencv-python-headless"),
        )


def _wheel_to_keep(environment: Environment, wheels: Sequence[str]) -> str:
    """The headless build where Albumentations asks for it, since pip would bring it back; else the first one."""
    # Removing the headless build would last until the next `pip install`, which brings it back.
    if "albumentations" in environment.versions or not wheels:
        return "opencv-python-headless"
    return wheels[0]


def _repair(wheel: str, reason: str) -> str:
    """The desktop build without the system's graphics libraries gives way to the headless one; else files are lost."""
    # The libraries that servers and containers lack; any other failure is a matter of files, which a reinstall mends.
    if not wheel.endswith("headless") and re.search(r"lib(GL|gthread|X|xcb)", reason):
        return f"{_pip('uninstall', '-y', wheel)} && {install(f'{wheel}-headless')}"
    # --no-deps: NumPy is fine, and another version of it could break torch.
    return _pip("install", "--force-reinstall", "--no-deps", wheel)


def _albumentations(environment: Environment) -> Iterator[Finding]:
    if ALBUMENTATIONS_X in environment.versions:
        yield Finding(
            PROBLEM,
            "AlbumentationsX",
            f"albumentationsx {environment.versions[ALBUMENTATIONS_X]} is installed. It takes the place of the "
            "albumentations package; mixtransforms works with Albumentations.",
            f"{_pip('uninstall', '-y', ALBUMENTATIONS_X, 'albumentations')} && {install(*EXTRAS['albumentations'])}",
        )


def _ranges(environment: Environment) -> Iterator[Finding]:
    """Installed packages outside the versions that mixtransforms is made for."""
    for name, bounds, _ in _requirements(environment.requires):
        version = environment.versions.get(name)
        if version is not None and not _within(version, bounds):
            text = f"version {version} is installed; mixtransforms needs {bounds}."
            yield Finding(PROBLEM, name, text, install(f"{name}{bounds}"))
    # Run from a clone by PYTHONPATH: that is no fault, but then there is nothing to compare with.
    if not environment.requires:
        yield Finding(
            INFO,
            "mixtransforms",
            "runs without being installed, so that versions cannot be checked.",
            _install_clone(),
        )


def _imports(environment: Environment) -> Iterator[Finding]:
    for package, module in MODULES.items():
        if module in environment.failures:
            yield Finding(
                PROBLEM,
                package,
                f"{environment.versions[package]} is installed, but cannot be imported: {environment.failures[module]}",
                _pip("install", "--force-reinstall", f"{package}=={environment.versions[package]}"),
            )


def _kernel(kernel: Kernel) -> Iterator[Finding]:
    level = PROBLEM if kernel.error or kernel.broken else INFO if kernel.absence else OK
    yield Finding(level, "kernel", kernel.told(), kernel.command())


def _doors(environment: Environment) -> Iterator[Finding]:
    for host, door in DOORS.items():
        if host not in environment.versions:
            continue
        failure = environment.failures.get(door)
        if failure is None:
            yield Finding(OK, door, f"can be imported, with {host} {environment.versions[host]}.")
        elif host not in environment.failures:  # else the host itself was reported
            yield Finding(PROBLEM, door, f"cannot be imported: {failure}", install(*EXTRAS[host]))


def _lacking(environment: Environment) -> Iterator[Finding]:
    """Extras that are not there, or in part."""
    for extra in _OPTIONAL_EXTRAS:
        needed = {name: name + bounds for name, bounds, of in _requirements(environment.requires) if of == extra}
        lacking = {name: line for name, line in needed.items() if name not in environment.versions}
        if lacking:
            text = f"not installed: {', '.join(lacking)}."
            yield Finding(INFO, f"extra {extra}", text, install(*lacking.values()))


def _requirements(requires: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Name, bounds and extra of every requirement on another package; the extra is empty for what is always needed."""
    for line in requires:
        match = _REQUIREMENT.match(line)
        if match is not None and match[1].lower() != "mixtransforms":
            yield match[1].lower(), match[2].strip("() "), match[3] or ""


def _within(version: str, bounds: str) -> bool:
    """Whether a version is inside bounds such as ``>=2.0.8,<2.1``; pre-releases count as their release."""
    have = _release(version)
    for sign, bound in _BOUND.findall(bounds):
        wanted = _release(bound)
        # 2.1 and 2.1.0 are one version.
        width = max(len(have), len(wanted))
        left, right = (numbers + (0,) * (width - len(numbers)) for numbers in (have, wanted))
        holds = {">=": left >= right, "<=": left <= right, "==": left == right, "<": left < right, ">": left > right}
        if not holds[sign]:
            return False
    return True


def _release(version: str) -> tuple[int, ...]:
    # What comes behind the numbers (rc1, .post2, +cu130) does not decide whether a build works with us.
    match = re.match(r"\d+(\.\d+)*", version)
    return tuple(map(int, match[0].split("."))) if match else ()


def _pip(*words: str) -> str:
    return " ".join(("python -m pip", *words))


def _install_clone() -> str:
    """The command that installs the clone that this code runs from; nothing where it is none."""
    root = Path(__file__).parents[2]
    return f'{_pip("install", "-e")} "{root}"' if (root / "setup.cfg").is_file() else ""


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _requires() -> Sequence[str]:
    try:
        return importlib.metadata.requires("mixtransforms") or ()
    except importlib.metadata.PackageNotFoundError:
        return ()


def _failure(module: str) -> str:
    """Why a module cannot be imported; empty where it can."""
    try:
        imported = importlib.import_module(module)
    except Exception as reason:  # noqa: BLE001 - a broken installation may raise anything
        return f"{type(reason).__name__}: {reason}".splitlines()[0]
    # A folder that an uninstalled wheel left behind can be imported, and has nothing in it.
    if module == "cv2" and not hasattr(imported, "__version__"):
        sys.modules.pop("cv2", None)
        return "ImportError: the cv2 folder is empty"
    return ""
