"""Whether the compiled kernel is used, and the command that brings it where it is not.

Of the standard library alone, beside our own modules that need nothing else.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mixtransforms.core.errors import ParameterError


@dataclass(frozen=True)
class Kernel:
    """What is known of the kernel.

    Attributes:
        absence: Why it is not used; empty where it is.
        broken: Whether there is one that cannot be used.
        error: The text of the error that every use of mixtransforms raises, if the environment asks for nonsense.
        switch: The variable of the environment that is the reason, if one is.
        source: What the package is installed from, a folder or an archive; empty where that is not there any more.
        editable: Whether it runs from that folder.
        compiler: Whether a C compiler is found.
    """

    absence: str = ""
    broken: bool = False
    error: str = ""
    switch: str = ""
    source: str = ""
    editable: bool = False
    compiler: bool = True

    def told(self) -> str:
        """Whether it is used, and why not, in one line."""
        if self.error or not self.absence:
            return self.error or "the compiled one is used."
        lacking = "" if self.switch or self.compiler else ", which takes a C compiler, and none is found"
        way = "" if self.switch or self.source else " Install mixtransforms from its sources to get it."
        return f"the compiled one is not used: {self.absence}{lacking}. Results are the same, but take longer.{way}"

    def command(self) -> str:
        """The command that brings it, or an empty string."""
        if self.switch:
            return f"set {self.switch}=" if sys.platform == "win32" else f"unset {self.switch}"
        if not self.absence or not self.source:
            return ""
        # A wheel that pip built of the same archive before, and keeps, has no kernel either.
        again = "-e" if self.editable else "--force-reinstall --no-deps --no-cache-dir"
        return " && ".join([*_install_compiler(self.compiler), f'python -m pip install {again} "{self.source}"'])


def look() -> Kernel:
    """The kernel of this installation."""
    try:
        from mixtransforms.kernels.compiled import ABSENCE, NOT_BUILT, SWITCH, SWITCHED_OFF
    except ParameterError as error:
        return Kernel(error=str(error), switch=error.where)
    source, editable = _source()
    return Kernel(
        ABSENCE,
        broken=ABSENCE not in ("", SWITCHED_OFF, NOT_BUILT),
        switch=SWITCH if ABSENCE == SWITCHED_OFF else "",
        source=source,
        editable=editable,
        compiler=_compiler(),
    )


def _source() -> tuple[str, bool]:
    """What the package is installed from, if it is still there, and whether it runs from there."""
    clone = Path(__file__).parents[2]
    if (clone / "setup.cfg").is_file():
        return str(clone), True
    path = _installed_from()
    return (str(path), False) if path is not None and path.exists() and path.suffix != ".whl" else ("", False)


def _installed_from() -> Path | None:
    """The folder or archive that pip was given, of which it keeps a record."""
    try:
        record = importlib.metadata.distribution("mixtransforms").read_text("direct_url.json")
    except importlib.metadata.PackageNotFoundError:
        return None
    url = urlsplit(json.loads(record)["url"]) if record else None
    if url is None or url.scheme != "file":
        return None
    return Path(unquote(url.path).lstrip("/") if sys.platform == "win32" else unquote(url.path))


def _compiler() -> bool:
    """Whether the compiler is there that a build would start; Windows keeps its own where only a build finds it."""
    command = os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"
    return sys.platform == "win32" or shutil.which(command.split()[0]) is not None


def _install_compiler(there: bool) -> list[str]:
    """The command that brings a C compiler, where one is needed and there is such a command."""
    if there:
        return []
    if sys.platform == "darwin":
        return ["xcode-select --install"]
    return ["apt-get install -y gcc libc6-dev"] if shutil.which("apt-get") else []
