"""Pipeline files: written as a whole or not at all, read by their ending, checked line by line."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from mixtransforms.core.errors import ConfigError
from mixtransforms.files import document, parse, parse_yaml
from mixtransforms.files.document import Allowed
from mixtransforms.files.problems import Problem, error, told

YAML = (".yaml", ".yml")
"""Endings of files that are read as YAML; all others are JSON."""


def save(pipeline: Any, path: str | os.PathLike[str], *, allow: Allowed = (), notes: Any = None) -> None:
    """Writes a pipeline as JSON, as a whole or not at all. See :func:`mixtransforms.to_dict`.

    Args:
        pipeline: A BatchCompose, a Compose of the host, or any single transform that is covered.
        path: The file; it is replaced where it exists, also behind a symbolic link.
        allow: Classes of your own that may be written.
        notes: Free text, or anything that JSON has a form for.

    Raises:
        ConfigError: Something cannot be rebuilt exactly, or the file's ending is that of YAML, which is only read.
        OSError: The file cannot be written.
    """
    target = Path(path)
    if target.suffix.lower() in YAML:
        fix = "Give it a name that ends in .json; load() reads both."
        raise error([Problem("$", "YAML is read, not written", told(target.name), "a JSON file", fix)])
    replace(target, document.to_json(pipeline, allow=allow, notes=notes))


def replace(target: Path, text: str) -> None:
    """Puts a text into a file in one step: whoever reads it sees all of the old or all of the new.

    Raises:
        OSError: There is no such folder, or it cannot be written to.
    """
    target = target.resolve() if target.is_symlink() else target
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), os.fspath(target))
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:100]}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, _mode(target))
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise


def _mode(target: Path) -> int:
    """Who may read and write the file: as it was, or as any new file; mkstemp lets nobody else read."""
    try:
        return target.stat().st_mode & 0o777
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def load(path: str | os.PathLike[str], *, allow: Allowed = ()) -> Any:
    """Reads a pipeline: a file that :func:`save` or ``A.save`` wrote, or one written by hand, JSON or YAML.

    Args:
        path: The file; ``.yaml`` and ``.yml`` are read as YAML, everything else as JSON.
        allow: Classes of your own that the file may name, as ``custom.TheirName``.

    Raises:
        ConfigError: As for :func:`mixtransforms.from_dict` and for text that is not strict; names the file.
        OSError: The file cannot be read.
    """
    try:
        reading = document.read(_parsed(path, _content(path)), allow)
        if reading.problems:
            raise error(reading.problems)
    except ConfigError as reason:
        named = ConfigError(f"{os.fspath(path)}: {reason}")
        named.problems = reason.problems
        raise named from None
    return reading.pipeline


def check(path: str | os.PathLike[str], *, allow: Allowed = ()) -> list[tuple[int | None, str]]:
    """Everything that is wrong with a file: lines, from 1, or ``None``, and what is wrong there. Empty: it loads.

    Args:
        path: The file, as for :func:`load`.
        allow: Classes of your own that the file may name.

    Raises:
        OSError: The file cannot be read.
    """
    content = _content(path)
    try:
        data = _parsed(path, content)
    except ConfigError as reason:  # the readers tell lines themselves, and would stop there again
        return [(problem.line, str(problem)) for problem in reason.problems]
    try:
        problems = document.read(data, allow).problems
    except ConfigError as reason:
        problems = reason.problems
    lines = _lines(path, content, problems)
    found = ((next(lines(problem), None), str(problem)) for problem in problems)
    return sorted(found, key=lambda item: item[0] or 0)


def _lines(
    path: str | os.PathLike[str], content: bytes, problems: Iterable[Problem]
) -> Callable[[Problem], Iterator[int]]:
    """Finds the lines of a problem's place and of what holds it, from the inside out."""
    wanted = {place for problem in problems for place in _enclosing(problem.path)}
    find = parse_yaml.lines if _is_yaml(path) else parse.lines
    lines = find(parse.decoded(content), wanted) if wanted else {}
    return lambda problem: (lines[place] for place in _enclosing(problem.path) if place in lines)


def _content(path: str | os.PathLike[str]) -> bytes:
    """The file, or as much as shows that it is too large."""
    with Path(path).open("rb") as file:
        return file.read(parse.MAX_BYTES + 1)


def _parsed(path: str | os.PathLike[str], content: bytes) -> Any:
    return (parse_yaml if _is_yaml(path) else parse).parse(content)


def _is_yaml(path: str | os.PathLike[str]) -> bool:
    return Path(path).suffix.lower() in YAML


def _enclosing(path: str) -> list[str]:
    """A path and what holds it, from the inside out: what is missing is looked for where it should be."""
    places = [path]
    while path.endswith("]") or "." in path:
        cut = max(path.rfind("."), path.rfind("["))
        path = path[:cut]
        places.append(path)
    return places
