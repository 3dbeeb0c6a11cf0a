"""The kernel in C, where it is installed: a library without any header of Python, that is called with addresses.

Nobody needs it. What it does the other kernels do as well, bit for bit, and slower. A library that cannot be loaded, or
that was built from other sources than those beside it, is not used; :data:`ABSENCE` says why, and ``mixtransforms
doctor`` how to get it.
"""

from __future__ import annotations

import binascii
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mixtransforms.core.errors import ParameterError

if TYPE_CHECKING:
    import ctypes

SWITCH = "MIXTRANSFORMS_KERNEL"
"""The variable of the environment that switches the kernel off, with 0."""

PATH = Path(__file__).with_name("_mix.dll" if sys.platform == "win32" else "_mix.so")
"""Where the library is, if there is one."""

SWITCHED_OFF = f"{SWITCH}=0 switches it off"
NOT_BUILT = "it was not built when mixtransforms was installed"
"""The two reasons for which the kernel is not used although nothing is wrong."""


def sources(folder: Path) -> int:
    """A number for the C sources of a folder, which is also in the library that was built from them."""
    return binascii.crc32(b"".join(path.read_bytes() for path in sorted(folder.glob("*.[ch]"))))


def switched_on(value: str) -> bool:
    """Whether a value of :data:`SWITCH` leaves the kernel on.

    Raises:
        ParameterError: If it is neither 0 nor 1, nor empty.
    """
    if value not in ("", "0", "1"):
        raise ParameterError(
            "The compiled kernel is neither switched on nor off",
            where=SWITCH,
            got=repr(value),
            wanted="0 or 1",
            fix=f"Set {SWITCH}=0 to work without the kernel, or unset it to use the kernel where it is installed.",
        )
    return value != "0"


def load(path: Path) -> tuple[ctypes.CDLL | None, str]:
    """The library of a path, with its functions declared; or ``None``, and why it is not used."""
    if not path.exists():
        return None, NOT_BUILT
    try:
        import ctypes  # some builds of Python lack it

        library = ctypes.CDLL(str(path))
        if ctypes.c_uint32.in_dll(library, "mixtransforms_sources").value != sources(path.parent):
            return None, f"{path} was built from other sources than those beside it"
        library.mixtransforms_paint.argtypes = [ctypes.c_void_p, ctypes.c_int64]
        library.mixtransforms_paint.restype = ctypes.c_int64
        library.mixtransforms_resize.argtypes = [ctypes.c_void_p]
        library.mixtransforms_resize.restype = ctypes.c_int64
    # ctypes' own errors: no library of this machine, no such number, no such function.
    except (ImportError, OSError, ValueError, AttributeError) as reason:
        return None, f"it cannot be loaded: {reason}"
    return library, ""


def _found() -> tuple[ctypes.CDLL | None, str]:
    return load(PATH) if switched_on(os.environ.get(SWITCH, "")) else (None, SWITCHED_OFF)


LIBRARY, ABSENCE = _found()
"""The library, or ``None``, and why there is none. Calls of it let other threads run."""
