"""The measures of the house: how far a call travels, how rooms hang together, how much is written in them.

``python benchmarks/trip.py`` prints a table; ``--names`` adds the names that are defined in several files,
``--json`` prints plain data instead. What is measured is the package that Python finds (``PYTHONPATH`` chooses
another tree); its order of rooms is that of ``tests/test_layers.py`` beside it.

How each figure is counted:

**Trips.** A hook of ``sys.setprofile`` counts ``call`` events whose code lies in a file of the package: functions,
properties, generators and comprehensions (each time they are entered or resumed), and modules that are loaded on
the way. *calls* is the number of events, *functions* of distinct qualified names (two comprehensions of a function
are one), *files* of distinct files. Every trip has a process of its own; *warm* is the second call of the same
object in it. torch is seeded: other draws may take other ways.

**Rooms.** A room is a folder, and a folder in it is a room of its own; its size is its number of modules
(``*.py``), ``__init__.py`` included. An *upward import* is an arrow from one room of the table to another that
comes later there, whether it is imported at once, in a function or for type checkers alone; the package's own
``__init__`` counts as standing just above the rooms that it imports. A *circle* is a strongly connected component
of the graph of files; an import of a name counts for the file that the name is taken from, not for the packages
around that file, and that of a public name of the whole package for no file.

**Names.** Functions and classes at the top level of a module, without leading underscores; dunders are left out, as
is what stands under ``if``. Told is how many are defined in more than one file; constants are told beside them.

**Lines.** *Code* is every line of a file but docstrings, comment-only lines and blank ones. *Comments* are the
comment tokens of Python, on lines of their own or behind code, for every 100 lines of code.
"""

from __future__ import annotations

import argparse
import ast
import importlib.util
import io
import json
import subprocess
import sys
import tokenize
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

PACKAGE = "mixtransforms"

Graph = Mapping[str, set[str]]
Call = Callable[[], Any]

# ------------------------------------------------------------------------------------------ trips


def plain() -> Call:
    import torch

    from mixtransforms import MixUp

    mixup = MixUp(num_classes=10)
    images, labels = torch.rand(16, 3, 32, 32), torch.randint(10, (16,))
    return lambda: mixup(images, labels)


def boxes() -> Call:
    import torch

    from mixtransforms import CutMix

    cutmix = CutMix()
    images = torch.rand(8, 3, 32, 32)
    corners = torch.rand(8, 20, 2) * 16
    rows = torch.cat([corners, corners + 8], 2)
    targets = [{"boxes": each, "labels": torch.randint(10, (20,))} for each in rows]
    return lambda: cutmix(images, targets)


def compose() -> Call:
    import torch
    from torchvision.transforms import v2

    from mixtransforms.torchvision import BatchCompose, MixUp

    # With a seed, as it is trained with: draws are keyed by content, which is part of the way.
    pipeline = BatchCompose([v2.RandomHorizontalFlip(), MixUp(num_classes=10)], seed=0)
    samples = [(torch.rand(3, 32, 32), index) for index in range(8)]
    return lambda: pipeline(samples)


TRIPS: dict[str, tuple[Callable[[], Call], int]] = {
    # name: what prepares the call, and how many calls come before the one that counts
    "first plain call": (plain, 0),
    "warm plain call": (plain, 1),
    "warm call with boxes": (boxes, 1),
    "warm BatchCompose": (compose, 1),
}


def travelled(call: Call, root: Path) -> dict[str, int]:
    """How many calls, functions and files of the package one call takes."""
    inside = f"{root}/"
    seen: list[Any] = []

    def hook(frame: Any, event: str, _: Any) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(inside):
            seen.append(frame.f_code)

    sys.setprofile(hook)
    try:
        call()
    finally:
        sys.setprofile(None)
    # Python 3.10 has no qualified names in code objects; the line where one begins tells them apart there.
    functions = {(code.co_filename, getattr(code, "co_qualname", code.co_firstlineno)) for code in seen}
    return {"calls": len(seen), "functions": len(functions), "files": len({code.co_filename for code in seen})}


def one_trip(name: str) -> dict[str, int]:
    """Takes a trip in this process."""
    import torch

    torch.manual_seed(0)
    prepare, before = TRIPS[name]
    call = prepare()
    for _ in range(before):
        call()
    torch.manual_seed(0)
    return travelled(call, package_folder())


def trips() -> dict[str, dict[str, int]]:
    """Every trip in a process of its own."""
    command = [sys.executable, "-W", "ignore", __file__, "--json", "--trip"]
    return {name: json.loads(subprocess.check_output([*command, name], text=True)) for name in TRIPS}


# ------------------------------------------------------------------------------------------ files


def package_folder() -> Path:
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        sys.exit(f"{PACKAGE} is not found; install it, or set PYTHONPATH")
    return Path(spec.origin).parent


def sources(root: Path) -> dict[str, str]:
    """Module by path, in the order of names."""
    return {path.relative_to(root).as_posix(): path.read_text("utf-8") for path in sorted(root.rglob("*.py"))}


def room_of(file: str) -> str:
    """The room of the table: the outermost folder, or a module beside these."""
    return file.partition("/")[0].removesuffix(".py")


def room_sizes(files: Iterable[str]) -> dict[str, int]:
    return dict(Counter(file.rpartition("/")[0] or "." for file in files).most_common())


def rank_of_rooms(root: Path) -> dict[str, int]:
    """The order of rooms: keys of ``ROOMS`` in the layer test beside the package, lowest first."""
    (table,) = (root.parent / "tests").rglob("test_layers.py")
    for node in ast.parse(table.read_text("utf-8")).body:
        if (
            isinstance(node, ast.Assign)
            and ast.unparse(node.targets[0]) == "ROOMS"
            and isinstance(node.value, ast.Dict)
        ):
            return {ast.literal_eval(key): rank for rank, key in enumerate(node.value.keys) if key is not None}
    sys.exit(f"{table} has no table ROOMS")


def imported(file: str, tree: ast.AST, types: bool) -> Iterator[str]:
    """Dotted names of all imports, lazy ones included; those for type checkers alone where ``types`` says so."""
    parents = (PACKAGE, *file.split("/")[:-1])
    if isinstance(tree, ast.If) and "TYPE_CHECKING" in ast.unparse(tree.test) and not types:
        return
    if isinstance(tree, ast.Import):
        yield from (alias.name for alias in tree.names)
    if isinstance(tree, ast.ImportFrom):
        base = ".".join(parents[: len(parents) + 1 - tree.level]) + "." if tree.level else ""
        yield from (f"{base}{tree.module or ''}.{alias.name}".replace("..", ".") for alias in tree.names)
    if isinstance(tree, ast.Call) and ast.unparse(tree.func).endswith("import_module") and tree.args:
        yield from (node.value for node in tree.args[:1] if isinstance(node, ast.Constant))
    for child in ast.iter_child_nodes(tree):
        yield from imported(file, child, types)


def graph_of(files: Mapping[str, str], types: bool = True) -> dict[str, set[str]]:
    """Which file imports which."""
    homes = {
        ".".join((PACKAGE, *file.removesuffix(".py").split("/"))).removesuffix(".__init__"): file for file in files
    }
    graph: dict[str, set[str]] = {}
    for file, text in files.items():
        names = [name for name in imported(file, ast.parse(text), types) if name.split(".")[0] == PACKAGE]
        graph[file] = {homes.get(name) or homes[name.rpartition(".")[0]] for name in names} - {file}
    return graph


def upward(graph: Graph, order: Mapping[str, int]) -> list[str]:
    """Arrows between rooms that run against their order, as ``"room -> room"``."""
    arrows = {(room_of(file), room_of(other)) for file, others in graph.items() for other in others}
    face = max((order[other] for room, other in arrows if room == "__init__"), default=0)
    ranks = {**order, "__init__": face + 0.5}
    return sorted(f"{room} -> {other}" for room, other in arrows if ranks[room] < ranks[other])


def reached(graph: Graph, start: str) -> set[str]:
    """What can be come to from a file, itself only where there is a way back."""
    found: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            waiting += graph[file]
    return found


def largest_circle(graph: Graph) -> list[str]:
    """The most files that all import one another, on some way."""
    inner = {file: others - {"__init__.py"} for file, others in graph.items()}
    far = {file: reached(inner, file) for file in inner}
    circles = ([other for other in far[file] if file in far[other]] for file in inner)
    return sorted(max(circles, key=len))


def functions_and_classes(tree: ast.Module) -> set[str]:
    return {node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))}


def constants(tree: ast.Module) -> set[str]:
    plain = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    typed = [node.target for node in tree.body if isinstance(node, ast.AnnAssign)]
    return {target.id for target in (*plain, *typed) if isinstance(target, ast.Name)}


def names_twice(files: Mapping[str, str], names: Callable[[ast.Module], set[str]]) -> dict[str, list[str]]:
    """Top-level names that several files define, leading underscores taken off, most files first."""
    homes: dict[str, list[str]] = defaultdict(list)
    for file, text in files.items():
        for name in {name.lstrip("_") for name in names(ast.parse(text)) if not name.startswith("__")}:
            homes[name].append(file)
    twice = {name: where for name, where in homes.items() if len(where) > 1}
    return dict(sorted(twice.items(), key=lambda item: (-len(item[1]), item[0])))


def docstring_lines(tree: ast.AST) -> set[int]:
    """Lines of strings that stand as statements: docstrings, also those of attributes."""
    texts = [node for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)]
    return {
        line for node in texts if isinstance(node.value.value, str) for line in range(node.lineno, node.end_lineno + 1)
    }


def lines_of(text: str) -> tuple[int, int]:
    """Lines of code, and comments."""
    tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    alone = {
        token.start[0] for token in tokens if token.type == tokenize.COMMENT and token.line.lstrip().startswith("#")
    }
    comments = sum(token.type == tokenize.COMMENT for token in tokens)
    blank = {number for number, line in enumerate(text.splitlines(), 1) if not line.strip()}
    return len(text.splitlines()) - len(docstring_lines(ast.parse(text)) | alone | blank), comments


def house(root: Path) -> dict[str, Any]:
    """Everything that is read from the files alone."""
    files = sources(root)
    graph, lines = graph_of(files), [lines_of(text) for text in files.values()]
    code, comments = map(sum, zip(*lines, strict=True))
    return {
        "modules": len(files),
        "rooms": room_sizes(files),
        "upward": upward(graph, rank_of_rooms(root)),
        "circle": largest_circle(graph),
        "circle without types": largest_circle(graph_of(files, types=False)),
        "names": names_twice(files, functions_and_classes),
        "constants": names_twice(files, constants),
        "code": code,
        "comments per 100": round(100 * comments / code, 2),
    }


# ------------------------------------------------------------------------------------------ output


def table(travels: Mapping[str, Mapping[str, int]], found: Mapping[str, Any]) -> Iterator[str]:
    yield f"{'':24}{'calls':>8}{'functions':>11}{'files':>7}"
    for name, trip in travels.items():
        yield f"{name:24}{trip['calls']:8,}{trip['functions']:11,}{trip['files']:7,}"
    room, size = next(iter(found["rooms"].items()))
    rows = {
        "modules": found["modules"],
        "largest room": f"{size} ({room})",
        "upward imports": f"{len(found['upward'])} ({', '.join(found['upward'])})" if found["upward"] else 0,
        "files in a circle": f"{len(found['circle'])} (without types: {len(found['circle without types'])})",
        "names in several files": f"{len(found['names'])} (constants besides: {len(found['constants'])})",
        "lines of code": f"{found['code']:,}",
        "comments per 100 lines": found["comments per 100"],
    }
    yield ""
    yield from (f"{name:24}{value}" for name, value in rows.items())
    yield ""
    yield "rooms: " + ", ".join(f"{room} {size}" for room, size in found["rooms"].items())


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="plain data instead of a table")
    parser.add_argument("--names", action="store_true", help="also the names that are defined in several files")
    parser.add_argument("--trip", choices=TRIPS, help="one trip alone, in this process, as plain data")
    options = parser.parse_args()
    if options.trip:
        print(json.dumps(one_trip(options.trip)))
        return
    travels, found = trips(), house(package_folder())
    if options.json:
        print(json.dumps({"trips": travels, **found}, indent=1))
        return
    print(*table(travels, found), sep="\n")
    if options.names:
        print(
            "",
            *(f"{name}: {', '.join(where)}" for name, where in (found["names"] | found["constants"]).items()),
            sep="\n",
        )


if __name__ == "__main__":
    main()
