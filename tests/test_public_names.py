"""Type checkers and editors see the names that there are.

Nobody lists methods: what has a file in ``methods/`` is a public name and a class of every door. Programs that do not run the
package read stubs instead. ``python tests/test_public_names.py`` writes them, also the line of a new method.
"""

import sys
from pathlib import Path

import pytest

import mixtransforms
from mixtransforms import authoring, methods

PACKAGE = Path(mixtransforms.__file__).parent

HEAD = """\"\"\"{} For type checkers and editors; `python tests/test_public_names.py` writes it.\"\"\"

{}
"""


def public(module: str, name: str) -> str:
    """What makes a name of another module a public one of a stub."""
    return f"from {module} import {name} as {name}"


def module_of(line: str) -> str:
    return line.split()[1]


def door_stub(text: str, base: str, lines: list[str]) -> str:
    """The stub of a door: a class for every method."""
    classes = [f"class {name}({base}, methods.{name}): ...\n" for name in methods.__all__]
    return HEAD.format(text, "\n".join(sorted(lines))) + "\n" + "".join(classes)


def host_stub(host: str, *more: str) -> str:
    room = f"mixtransforms.{host}"
    homes = {"BatchCompose": "compose", "Otherwise": "stages", "PerBatch": "stages", "Transform": "transform"}
    own = [public(f"{room}.{home}", name) for name, home in homes.items()]
    return door_stub(f"The {host} door.", "Transform", ["from mixtransforms import methods", *own, *more])


def stubs() -> dict[str, str]:
    """The text of every stub, by its place in the package."""
    listed = [public(getattr(methods, name).__module__, name) for name in methods.__all__]
    homes = [public(f"mixtransforms.{home}", name) for name, home in mixtransforms._HOME_OF.items()]
    # Constants, classes, functions: the order of ruff.
    tools = sorted(authoring._HOME_OF_TOOL, key=lambda name: (not name.isupper(), name[0].islower(), name))
    tools = sorted((public(f"mixtransforms.{authoring._HOME_OF_TOOL[name]}", name) for name in tools), key=module_of)
    others = [
        "from mixtransforms import methods",
        public("mixtransforms", "show"),
        public("mixtransforms._version", "__version__"),
        "from mixtransforms.mixing.transform import MixTransform",
    ]
    return {
        "__init__.pyi": door_stub("The names of the package.", "MixTransform", [*others, *homes]),
        "authoring.pyi": HEAD.format("What methods are written with.", "\n".join(tools)),
        "methods/__init__.pyi": HEAD.format("The mixing methods.", "\n".join(listed)) + "\n__all__: list[str]\n",
        "torchvision/__init__.pyi": host_stub("torchvision", public("mixtransforms.torchvision", "functional")),
        "albumentations/__init__.pyi": host_stub("albumentations"),
    }


@pytest.mark.parametrize("place", stubs())
def test_stubs_have_every_name(place: str) -> None:
    written, wanted = (PACKAGE / place).read_text(encoding="utf-8"), stubs()[place]
    assert written.splitlines() == wanted.splitlines(), "run `python tests/test_public_names.py`"


def test_no_stub_is_forgotten() -> None:
    assert {path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.pyi")} == set(stubs())


if __name__ == "__main__":
    for place, text in stubs().items():
        (PACKAGE / place).write_text(text, encoding="utf-8")
        sys.stdout.write(f"{PACKAGE / place}\n")
