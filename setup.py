"""All metadata is in setup.cfg; here is how the optional kernel in C is built.

It is a plain library and no module of Python: nothing of Python goes in, so that any Python loads what one has built.
Where it cannot be built, the package is installed without it.
"""

import os
import sys
import zlib
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

FILES = sorted(Path("mixtransforms/kernels").glob("*.[ch]"))
# The library knows what it was built from: mixtransforms/kernels/compiled.py uses it beside these very files alone.
SOURCES = zlib.crc32(b"".join(path.read_bytes() for path in FILES))

# Products and sums are rounded one by one: no fused multiply-add, and nothing that assumes otherwise, whatever CFLAGS
# say. Only what is marked for it is seen from outside.
EXACT = ["-fno-fast-math", "-ffp-contract=off"]
FLAGS = {
    "msvc": ["/O2", "/fp:precise"],
    "other": ["-std=c99", "-O3", "-g0", "-fno-strict-aliasing", "-fvisibility=hidden", *EXACT],
}

KERNEL = Extension(
    "mixtransforms.kernels._mix",
    [path.as_posix() for path in FILES if path.suffix == ".c"],
    depends=[path.as_posix() for path in FILES],
    define_macros=[("MIXTRANSFORMS_SOURCES", f"{SOURCES}u")],
    optional=True,
)


class BuildLibrary(build_ext):
    """Builds a plain library, or says in one line that it is not there."""

    def finalize_options(self) -> None:
        super().finalize_options()
        self.force = True  # files may be newer than what they were copied or checked out over

    def run(self) -> None:
        try:
            self._remove_libraries()
            super().run()
        except Exception as reason:  # noqa: BLE001 - whatever the lack of a compiler raises, Python does the work
            self.warn(str(reason))
        # Commands that follow collect what was built.
        self.extensions = [each for each in self.extensions if self._library_of(each).exists()]
        if not self.extensions:
            self.warn(
                "mixtransforms is installed without its compiled kernel, which needs a C compiler. Results are the "
                "same; small batches take longer. `mixtransforms doctor` says how to get it."
            )

    def _remove_libraries(self) -> None:
        for each in self.extensions:
            self._library_of(each).unlink(missing_ok=True)

    def _library_of(self, extension: Extension) -> Path:
        return Path(self.get_ext_fullpath(extension.name))

    def build_extension(self, ext: Extension) -> None:
        self._remove_libraries()  # in the folder of builds as well, where it is copied from
        msvc = self.compiler.compiler_type == "msvc"
        ext.extra_compile_args = FLAGS["msvc" if msvc else "other"]
        # CFLAGS are handed to the linker too, which would bring code along that changes how the processor rounds.
        ext.extra_link_args = [] if msvc else EXACT
        ext.libraries = [] if sys.platform == "win32" else ["m"]
        super().build_extension(ext)

    def get_ext_filename(self, fullname: str) -> str:
        return os.path.join(*fullname.split(".")) + (".dll" if sys.platform == "win32" else ".so")

    def get_export_symbols(self, ext: Extension) -> list[str]:
        return ext.export_symbols  # no function that makes a module

    def get_libraries(self, ext: Extension) -> list[str]:
        return ext.libraries  # and no library of Python


class AnyPython(bdist_wheel):
    """Tags a wheel by what is in it: a library for this system, which any Python loads, or Python alone."""

    def get_tag(self) -> tuple[str, str, str]:
        platform = super().get_tag()[2]
        # It is asked after the files were laid out, which is the same for both.
        self.root_is_pure = not any(map(os.path.exists, self.get_finalized_command("build_ext").get_outputs()))
        return "py3", "none", "any" if self.root_is_pure else platform


setup(ext_modules=[KERNEL], cmdclass={"build_ext": BuildLibrary, "bdist_wheel": AnyPython})
