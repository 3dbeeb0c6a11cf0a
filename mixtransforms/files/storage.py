"""Pipeline files: written as a whole or not at all, read by their ending, checked line by line."""

from __future__ import annotations

import errno
import json
import os
import stat
import tempfile
from pathlib import Path
from typing import Any

from mixtransforms.core.errors import ConfigError
from mixtransforms.files import document
from mixtransforms.files.document import ReadResult
from mixtransforms.files.parse import MAX_BYTES, Parsed, parse, parse_with_places
from mixtransforms.files.problems import config_error, refusal
from mixtransforms.files.registry import Allowed
from mixtransforms.files.yaml_text import yaml_text

YAML = (".yaml", ".yml")
"""Endings of files that are written and read as YAML; all others are read as JSON."""

_WRITTEN = (".json", *YAML, "")
"""Endings of files that are written: what stands in a file should be what its name says."""


def save(
    pipeline: Any, path: str | os.PathLike[str], *, allow: Allowed = (), notes: Any = None, defaults: bool = True
) -> None:
    """Writes a pipeline as JSON or YAML, as a whole or not at all. See :func:`mixtransforms.to_dict`.

    Args:
        pipeline: A BatchCompose, a Compose of the host, or any single transform that is covered.
        path: The file; ``.yaml`` and ``.yml`` are written as YAML, ``.json`` and names without an ending as JSON. It is
            replaced where it exists, also behind a symbolic link.
        allow: Classes of your own that may be written.
        notes: Free text, or anything that JSON has a form for.
        defaults: Whether arguments that have their defaults are written as well. Without them the file is short; it is
            refused under another version of the host, whose defaults may mean something else.

    Raises:
        ConfigError: Something cannot be rebuilt exactly, or the file's ending is that of another format.
        MissingDependencyError: The ending is that of YAML, and PyYAML is not installed.
        OSError: The file cannot be written.
    """
    target = Path(path)
    ending = target.suffix.lower()
    if ending not in _WRITTEN:
        fix = "Give it a name that ends in .json or .yaml."
        raise refusal(os.fspath(target), "The ending of another format", repr(ending), ".json, .yaml or .yml", fix)
    text = document.to_json(pipeline, allow=allow, notes=notes, defaults=defaults)
    write_atomically(target, _as_yaml(text) if ending in YAML else text)


def _as_yaml(text: str) -> str:
    """The YAML of a JSON text."""
    written = yaml_text(parse(text))
    # As for JSON: what the reader would not take, or would take for something else, is found now.
    assert json.dumps(parse(written, yaml=True)) == json.dumps(parse(text))
    return written


def write_atomically(target: Path, text: str) -> None:
    """Puts a text into a file in one step: whoever reads it sees all of the old or all of the new.

    Raises:
        ConfigError: The target is there and is no file: renaming would put one in the place of a device or a pipe.
        OSError: There is no such folder, or it cannot be written to.
    """
    target = target.resolve() if target.is_symlink() else target
    require_file(target, "Give a name that is free, or that of a file.")
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), os.fspath(target))
    # Beside the file, since a file cannot be renamed onto another disk; of its name no more than names may have.
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{_beginning(target.name)}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            # Otherwise the new name may reach the disk before the content, and a crash leaves an empty file.
            os.fsync(file.fileno())
        os.chmod(name, _file_mode(target))
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise


def _beginning(name: str) -> str:
    """A part of a name that leaves room for more: names are limited in bytes, of which a character may have four."""
    return os.fsencode(name)[:100].decode("utf-8", "ignore")


_SORTS = {stat.S_ISFIFO: "a named pipe", stat.S_ISSOCK: "a socket", stat.S_ISCHR: "a device", stat.S_ISBLK: "a device"}


def require_file(path: Path, fix: str) -> None:
    """Refuses what is there and is neither a file nor a folder, of which the system says so itself.

    Raises:
        ConfigError: It is a device, a pipe or a socket: reading may wait for ever, and writing is no replacing.
    """
    try:
        mode = path.stat().st_mode
    except OSError:  # told by whoever opens it
        return
    for is_sort, sort in _SORTS.items():
        if is_sort(mode):
            raise refusal(os.fspath(path), "Not a file", sort, "a file", fix)


def _file_mode(target: Path) -> int:
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
    result, _ = _loaded(path, allow)
    if result.problems:
        raise config_error(result.problems, os.fspath(path))
    return result.pipeline


def check(path: str | os.PathLike[str], *, allow: Allowed = ()) -> list[tuple[int | None, str]]:
    """Everything that is wrong with a file: lines, from 1, or ``None``, and what is wrong there. Empty: it loads.

    Args:
        path: The file, as for :func:`load`.
        allow: Classes of your own that the file may name.

    Raises:
        OSError: The file cannot be read.
    """
    result, parsed = _loaded(path, allow)
    places = [_enclosing(problem.path) for problem in result.problems]
    lines = parsed.lines({place for inside_out in places for place in inside_out}) if parsed is not None else {}
    found = [
        (next((lines[place] for place in inside_out if place in lines), problem.line), str(problem))
        for problem, inside_out in zip(result.problems, places, strict=True)
    ]
    return sorted(found, key=lambda item: item[0] or 0)


def _loaded(path: str | os.PathLike[str], allow: Allowed) -> tuple[ReadResult, Parsed | None]:
    """What came of reading a file, and what its text says where it could be read. No more than the limit is read."""
    parsed = None
    try:
        require_file(Path(path), "Give the name of a file.")
        with Path(path).open("rb") as file:
            parsed = parse_with_places(file.read(MAX_BYTES + 1), yaml=Path(path).suffix.lower() in YAML)
        return document.read_data(parsed.value, allow), parsed
    except ConfigError as reason:  # of the text, or of a class that is allowed
        return ReadResult(None, reason.problems), parsed


def _enclosing(path: str) -> list[str]:
    """A path and what holds it, from the inside out: what is missing is looked for where it should be.

    Cutting at every dot and bracket, also those in quoted names, gives some that are no paths, which nothing has.
    """
    places = [path]
    while "." in path or "[" in path:
        path = path[: max(path.rfind("."), path.rfind("["))]
        places.append(path)
    return places
