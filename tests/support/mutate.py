"""Breaks the package in many small places, one at a time, and tells which breaks no test notices.

``python tests/support/mutate.py --seed 1 --count 300 --rooms core kernels targets objects -- tests/kernels tests/targets``

Everything behind ``--`` goes to pytest. Work is done on a copy of the tree; what was found out is kept in ``--out``, and a
command that is given again goes on where it was. A mutant that runs out of time counts as killed.
"""

import argparse
import ast
import copy
import itertools
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PACKAGE = "mixtransforms"

OTHER: dict[type[ast.AST], tuple[type[ast.AST], ...]] = {
    # at the limit, and beyond it
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
    ast.Add: (ast.Sub,), ast.Sub: (ast.Add,), ast.Mult: (ast.Div,), ast.Div: (ast.Mult,), ast.FloorDiv: (ast.Mult,),
    ast.Mod: (ast.Mult,), ast.Pow: (ast.Mult,), ast.LShift: (ast.RShift,), ast.RShift: (ast.LShift,),
    ast.BitAnd: (ast.BitOr,), ast.BitOr: (ast.BitAnd,), ast.BitXor: (ast.BitAnd,), ast.MatMult: (ast.Mult,),
    ast.And: (ast.Or,), ast.Or: (ast.And,),
}  # fmt: skip
"""What stands in for an operator."""


@dataclass(frozen=True)
class Mutant:
    """One change of one file.

    Attributes:
        file: From the root of the tree.
        line: Where it begins, from 1.
        begin: First byte of what is replaced.
        end: The byte after it.
        text: What stands there instead.
        change: The change in words.
    """

    file: str
    line: int
    begin: int
    end: int
    text: str
    change: str

    def applied(self, source: bytes) -> bytes:
        return source[: self.begin] + self.text.encode() + source[self.end :]


def mutants(file: str, source: bytes) -> Iterator[Mutant]:
    """Every mutant of a file; some may be no code at all, or the same code, see :func:`is_another`."""
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for node in _running(ast.parse(source)):
        begin = starts[node.lineno - 1] + node.col_offset
        end = starts[node.end_lineno - 1] + node.end_col_offset
        for text, change in _changes(node):
            yield Mutant(file, node.lineno, begin, end, text, change)


def is_another(mutant: Mutant, source: bytes) -> bool:
    """Whether a mutant is code, and another than the file is."""
    try:
        return ast.dump(ast.parse(mutant.applied(source))) != ast.dump(ast.parse(source))
    except SyntaxError:  # such as an expression where a pattern takes a number alone
        return False


def _running(node: ast.AST) -> Iterator[Any]:
    """Expressions and statements that run: no annotations, no docstrings, nothing for type checkers.

    Parts of f-strings have no places of their own before Python 3.12; they are words of messages anyway.
    """
    skipped: tuple[Any, ...] = ()
    if isinstance(node, ast.AnnAssign):
        skipped = (node.annotation,)
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        skipped = (node.returns, *node.decorator_list)
    elif isinstance(node, ast.arg):
        skipped = (node.annotation,)
    elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        skipped = (node.test, *node.body)
    for child in ast.iter_child_nodes(node):
        if any(child is one for one in skipped) or isinstance(child, (ast.JoinedStr, ast.Import, ast.ImportFrom)):
            continue
        if hasattr(child, "lineno"):
            yield child
        yield from _running(child)


def _changes(node: ast.AST) -> Iterator[tuple[str, str]]:
    """What may stand there instead, and the change in words."""

    def instead(new: ast.AST) -> tuple[str, str]:
        text = ast.unparse(new)
        return f"({text})" if isinstance(node, ast.expr) else text, f"{_short(node)} -> {_short(new)}"

    if isinstance(node, ast.Compare):
        for index, operator in enumerate(node.ops):
            for other in OTHER[type(operator)]:
                yield instead(_with(node, lambda new, index=index, other=other: new.ops.__setitem__(index, other())))
    elif isinstance(node, (ast.BinOp, ast.BoolOp, ast.AugAssign)):
        for other in OTHER[type(node.op)]:
            yield instead(_with(node, lambda new, other=other: setattr(new, "op", other())))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.USub)):
        yield instead(node.operand)
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
        for value in (node.value + 1, node.value - 1):
            yield instead(ast.Constant(value))
    elif isinstance(node, ast.Constant) and type(node.value) is bool:
        yield instead(ast.Constant(not node.value))
    elif isinstance(node, ast.IfExp):
        yield instead(_with(node, lambda new: setattr(new, "test", ast.UnaryOp(ast.Not(), new.test))))
    elif (
        isinstance(node, ast.Call) and len(node.args) > 1 and not any(isinstance(a, ast.Starred) for a in node.args[:2])
    ):
        yield instead(_with(node, lambda new: new.args.__setitem__(slice(2), new.args[1::-1])))
    if isinstance(node, (ast.AugAssign, ast.Raise, ast.Continue, ast.Break)) or _has_effect(node):
        yield "pass", f"{_short(node)} -> pass"
    elif isinstance(node, ast.Return) and node.value is not None:
        yield "return None", f"{_short(node)} -> return None"


def _has_effect(node: ast.AST) -> bool:
    """Whether a statement does something and can be left out; a name that is missing would be noticed by anything."""
    if isinstance(node, ast.Assign):
        return all(isinstance(target, (ast.Attribute, ast.Subscript)) for target in node.targets)
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)


def _with(node: ast.AST, change: Callable[[Any], object]) -> ast.AST:
    new = copy.deepcopy(node)
    change(new)
    return new


def _short(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 70 else f"{text[:67]}..."


# ------------------------------------------------------------------------------------------ runs


def files_of(rooms: list[str]) -> list[Path]:
    """The modules of rooms, which are folders or modules of the package, or of paths from the root."""
    found: list[Path] = []
    for room in rooms:
        places = (ROOT / PACKAGE / room, ROOT / PACKAGE / f"{room}.py", ROOT / room)
        place = next((place for place in places if place.exists()), None)
        if place is None:
            sys.exit(f"There is no {room} in {PACKAGE}/")
        found += sorted(place.rglob("*.py")) if place.is_dir() else [place]
    return found


def chosen(rooms: list[str], seed: int, count: int) -> list[Mutant]:
    """Some of all mutants, the same ones for a seed, in an order of its own."""
    sources = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in files_of(rooms)}
    every = [mutant for file, source in sources.items() for mutant in mutants(file, source)]
    random.Random(seed).shuffle(every)
    return list(itertools.islice((mutant for mutant in every if is_another(mutant, sources[mutant.file])), count))


def copied(folder: Path) -> Path:
    """A copy of the tree as it lies, without what git ignores."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    tree = folder / "tree"
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name)
    return tree


def verdict(tree: Path, arguments: list[str], limit: float) -> tuple[str, str]:
    """``killed``, ``survived`` or ``timeout``, and by which test."""
    command = [sys.executable, "-m", "pytest", "-x", "-n0", "-q", "-p", "no:cacheprovider", *arguments]
    # Written bytecode is told apart by seconds and sizes, which two mutants may share.
    environment = os.environ | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1", "CI": "true"}
    process = subprocess.Popen(
        command, cwd=tree, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        said, _ = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)  # its own workers as well
        process.communicate()
        return "timeout", ""
    if process.returncode == 0:
        return "survived", ""
    if process.returncode in (4, 5):  # wrong arguments, or no tests
        sys.exit(f"pytest runs no tests:\n{said[-2000:]}")
    failed = [line for line in said.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    return "killed", failed[0].split(" ", 1)[1].split(" - ")[0] if failed else f"exit status {process.returncode}"


def examine(found: list[Mutant], arguments: list[str], limit: float, out: Path) -> dict[Mutant, dict[str, Any]]:
    """Verdicts of mutants; those that ``out`` has are taken from there."""
    lines = out.read_text("utf-8").splitlines() if out.exists() else []
    known = {Mutant(**line["mutant"]): line for line in map(json.loads, lines) if line["arguments"] == arguments}
    left = [mutant for mutant in found if mutant not in known]
    with tempfile.TemporaryDirectory() as folder:
        tree = copied(Path(folder))
        if left and (said := verdict(tree, arguments, 10 * limit))[0] != "survived":
            sys.exit(f"Without any change the tests do not pass: {said}")
        for number, mutant in enumerate(left, len(found) - len(left) + 1):
            path, start = tree / mutant.file, time.monotonic()
            source = path.read_bytes()
            path.write_bytes(mutant.applied(source))
            try:
                result, by = verdict(tree, arguments, limit)
            finally:
                path.write_bytes(source)
            seconds = round(time.monotonic() - start, 1)
            line = {"mutant": asdict(mutant), "arguments": arguments, "result": result, "by": by, "seconds": seconds}
            with out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
            known[mutant] = line
            sys.stdout.write(f"{number}/{len(found)} {result} {mutant.file}:{mutant.line} {mutant.change}\n")
            sys.stdout.flush()
    return {mutant: known[mutant] for mutant in found}


def table(results: dict[Mutant, dict[str, Any]]) -> str:
    """A page in Markdown, survivors first."""
    counts = Counter(line["result"] for line in results.values())
    rows = sorted(results, key=lambda mutant: (results[mutant]["result"] != "survived", mutant.file, mutant.begin))
    cells = [
        (results[m]["result"], f"{m.file}:{m.line}", f"`{m.change}`".replace("|", "\\|"), results[m]["by"])
        for m in rows
    ]
    lines = [f"| {' | '.join(row)} |" for row in [("result", "place", "change", "by"), ("---",) * 4, *cells]]
    killed = counts["killed"] + counts["timeout"]
    return "\n".join([f"{killed} of {len(results)} killed ({counts['timeout']} by time)", "", *lines])


def main(words: list[str]) -> int:
    """The command; returns how many survived, or 1 at most."""
    at = words.index("--") if "--" in words else len(words)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--rooms", nargs="+", required=True, help="folders or modules of the package, or paths")
    parser.add_argument("--timeout", type=float, default=300, help="seconds that the tests of one mutant may take")
    parser.add_argument("--out", type=Path, default=Path("mutants.jsonl"), help="where results are kept")
    options = parser.parse_args(words[:at])
    found = chosen(options.rooms, options.seed, options.count)
    results = examine(found, words[at + 1 :], options.timeout, options.out)
    sys.stdout.write(table(results) + "\n")
    return int(any(line["result"] == "survived" for line in results.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
