"""The outermost part of a pipeline file, and what is written into it and read from it."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any, NamedTuple

from mixtransforms._version import __version__
from mixtransforms.files import migrations, nodes
from mixtransforms.files.codec import Codec, OwnCodec
from mixtransforms.files.migrations import FORMAT, VERSION
from mixtransforms.files.parse import parse, plain
from mixtransforms.files.problems import MOST, Problem, below, error, told
from mixtransforms.files.text import formatted

ROOT = "$.pipeline"

HOSTS = ("torchvision", "albumentations", "neutral")

_REQUIRED = ("format", "format_version", "host", "pipeline")
_OPTIONAL = ("written_with", "notes", "$schema")

Allowed = Iterable[type]
"""A caller's own classes."""


def classes_of(allow: Any) -> tuple[Any, ...]:
    """What a caller allows; a class may stand alone."""
    return (allow,) if isinstance(allow, type) else tuple(allow)


class Reading(NamedTuple):
    """What came of reading a file.

    Attributes:
        pipeline: The pipeline; ``None`` where there are problems.
        problems: Everything that is wrong, at most :data:`~mixtransforms.files.problems.MOST`.
    """

    pipeline: Any
    problems: tuple[Problem, ...]


def to_dict(pipeline: Any, *, allow: Allowed = (), notes: Any = None) -> dict[str, Any]:
    """A pipeline of either host, or one mixing transform, in JSON's vocabulary.

    It is rebuilt and compared first: what would not come back equal is refused. Devices, ``.eval()`` and the state of
    random generators are no part of a pipeline.

    Args:
        pipeline: A BatchCompose, a Compose of the host, or any single transform that is covered.
        allow: Classes of your own that may be written; reading the file needs them too. Every argument of their
            constructor must be an attribute of the same name.
        notes: Free text, or anything that JSON has a form for. Nothing ever reads it.

    Raises:
        ConfigError: Something in it cannot be rebuilt exactly; names its JSON path.
    """
    allow = classes_of(allow)
    host = host_of(pipeline)
    codec = codec_of(host).allowing(allow)
    node = nodes.write(codec, pipeline, ROOT)
    twin = _built(codec, node)
    nodes.compare(codec, pipeline, twin, ROOT)
    return {
        "format": FORMAT,
        "format_version": VERSION,
        "host": host,
        "written_with": _versions(codec),
        **({} if notes is None else {"notes": plain(notes, "$.notes")}),
        "pipeline": nodes.write(codec, twin, ROOT),  # hosts turn 0 into 0.0; saved twice, files are the same
    }


def from_dict(data: Mapping[str, Any], *, allow: Allowed = ()) -> Any:
    """The pipeline that :func:`to_dict` or ``A.to_dict`` wrote.

    Args:
        data: What was written.
        allow: Classes of your own that the data may name, as ``custom.TheirName``.

    Raises:
        ConfigError: The data is no pipeline, of a newer format, would mean something else in the installed versions, or
            holds anything unknown; names its JSON path.
    """
    return _pipeline(read(plain(data), allow))


def to_json(pipeline: Any, *, allow: Allowed = (), notes: Any = None) -> str:
    """A pipeline as JSON text; equal pipelines give equal text. See :func:`to_dict`.

    What could not be read again, being too deep or too large, is refused here.

    Raises:
        ConfigError: As for :func:`to_dict`.
    """
    text = formatted(to_dict(pipeline, allow=allow, notes=notes))
    parse(text)
    return text


def from_json(text: str | bytes, *, allow: Allowed = ()) -> Any:
    """The pipeline in a JSON text. See :func:`from_dict`.

    Raises:
        ConfigError: As for :func:`from_dict`, and for text that is not strict JSON.
    """
    return _pipeline(read(parse(text), allow))


def _pipeline(reading: Reading) -> Any:
    if reading.problems:
        raise error(reading.problems)
    return reading.pipeline


def read(data: Any, allow: Allowed = ()) -> Reading:
    """The pipeline in data, and everything that is wrong with it.

    The whole is examined before anything is built, so that a file with a problem constructs nothing.

    Args:
        data: What the strict reader, or :func:`plain`, returned.
        allow: Classes of your own that the data may name.
    """
    if migrations.is_of_albumentations(data):
        wanted, fix = "only what A.save writes", "Remove it."
        foreign = [key for key in data if key not in migrations.OF_ALBUMENTATIONS]
        if foreign:
            problems = (
                Problem(below("$", key), "Not a file of Albumentations", told(key), wanted, fix) for key in foreign
            )
            return Reading(None, tuple(islice(problems, MOST)))
        data = migrations.from_albumentations(data)
        pipeline = migrations.each_node(data["pipeline"], codec_of(data["host"]).without_echoes)
        reading = _read({**data, "pipeline": pipeline}, classes_of(allow))
        moved = (replace(problem, path=migrations.path_in_albumentations(problem.path)) for problem in reading.problems)
        return reading._replace(problems=tuple(moved))
    return _read(data, classes_of(allow))


def _read(data: Any, allow: tuple[type, ...]) -> Reading:
    problems = list(islice(_examine_envelope(data), MOST))
    if problems:
        return Reading(None, tuple(problems))
    data = migrations.migrated(data)
    codec = codec_of(data["host"]).allowing(allow)
    problems = list(islice(nodes.examine(codec, data["pipeline"], ROOT), MOST))
    pipeline = None if problems else nodes.build(codec, data["pipeline"], ROOT, problems)
    if problems:
        return Reading(None, tuple(_versioned(problem, data, codec) for problem in problems[:MOST]))
    changes = list(islice(_changes(codec, data, pipeline), MOST))
    return Reading(None if changes else pipeline, tuple(changes))


def _examine_envelope(data: Any) -> Iterator[Problem]:
    what = "Not a pipeline file of this version"
    give = "Give a file that mixtransforms.save wrote, or A.save."
    if not isinstance(data, Mapping) or data.get("format") != FORMAT:
        got = told(data.get("format")) if isinstance(data, Mapping) else f"{type(data).__name__} without one"
        yield Problem("$.format", what, got, repr(FORMAT), give)
        return
    for key in data:
        if key not in _REQUIRED + _OPTIONAL:
            yield Problem(below("$", key), what, "an unknown key", "only known keys", "Put free text under 'notes'.")
    for key in _REQUIRED:
        if key not in data:
            yield Problem(f"$.{key}", what, "nothing", "a value", give)
    version, host = data.get("format_version", VERSION), data.get("host", "neutral")
    if isinstance(version, bool) or not isinstance(version, int) or not 1 <= version <= VERSION:
        newer = type(version) is int and version > VERSION
        fix = "It was written by a newer mixtransforms; upgrade." if newer else "Correct it."
        yield Problem("$.format_version", what, told(version), f"1 to {VERSION}", fix)
    if host not in HOSTS:
        yield Problem("$.host", what, told(host), "one of " + ", ".join(HOSTS), "Correct it.")
    if not isinstance(data.get("$schema", ""), str):
        yield Problem('$["$schema"]', what, told(data["$schema"]), "the address of a schema", "Correct it.")
    yield from _examine_versions(data.get("written_with", {}), what)


def _examine_versions(versions: Any, what: str) -> Iterator[Problem]:
    if not isinstance(versions, Mapping):
        yield Problem("$.written_with", what, told(versions), "versions of packages", "Correct or remove it.")
        return
    for package, version in versions.items():
        if not isinstance(version, str):
            yield Problem(below("$.written_with", package), what, told(version), "a version", "Correct or remove it.")


def _built(codec: Codec, node: Mapping[str, Any]) -> Any:
    problems = list(islice(nodes.examine(codec, node, ROOT), MOST))
    twin = None if problems else nodes.build(codec, node, ROOT, problems)
    if problems:
        raise error(problems)
    return twin


# --------------------------------------------------------------------------------------------- versions of the host


def _written_by_another(data: Mapping[str, Any], codec: Codec) -> str | None:
    """The version of the host that wrote a file, where it is not the installed one."""
    if codec.package is None:
        return None
    version = data.get("written_with", {}).get(codec.package)
    return None if version == codec.version else version


def _versioned(problem: Problem, data: Mapping[str, Any], codec: Codec) -> Problem:
    """A problem, with the versions where they may be its reason."""
    version = _written_by_another(data, codec)
    if version is None:
        return problem
    return replace(problem, fix=f"{problem.fix} {_both(codec, version)}")


def _both(codec: Codec, version: str) -> str:
    return f"The file was written with {codec.package} {told(version)}; {codec.version} is installed."


def _changes(codec: Codec, data: Mapping[str, Any], pipeline: Any) -> Iterator[Problem]:
    """What a file that another version of the host wrote would mean now, where that is not what it says."""
    version = _written_by_another(data, codec)
    if version is not None:
        fix = f"Install that version, or correct the file and remove 'written_with'. {_both(codec, version)}"
        yield from _differences(data["pipeline"], nodes.write(codec, pipeline, ROOT), ROOT, fix)


def _differences(node: Any, now: Any, path: str, fix: str) -> Iterator[Problem]:
    yield from _changed(node.get("args", {}), now["args"], f"{path}.args", fix)
    for index, (child, twin) in enumerate(zip(node.get("children", []), now.get("children", []), strict=True)):
        yield from _differences(child, twin, f"{path}.children[{index}]", fix)


def _changed(given: Any, now: Any, path: str, fix: str) -> Iterator[Problem]:
    what = "Would mean something else with the installed version"
    if not isinstance(given, Mapping) or not isinstance(now, Mapping):
        if given != now:
            yield Problem(path, what, f"{told(given)}, which is {told(now)} now", "the same value", fix)
        return
    for name, value in now.items():
        if name in given:
            yield from _changed(given[name], value, below(path, name), fix)
        elif not isinstance(value, (list, dict)):  # empty ones are left out by the host itself
            yield Problem(below(path, name), what, f"nothing, which is {told(value)} now", "a value", fix)


# ------------------------------------------------------------------------------------------------------------- hosts


def host_of(pipeline: Any) -> str:
    """``"torchvision"``, ``"albumentations"`` or ``"neutral"``, by the type of a pipeline.

    Raises:
        ConfigError: It is of neither.
    """
    modules = [cls.__module__ for cls in type(pipeline).__mro__]
    roots = {module.split(".")[0] for module in modules}
    if "albumentations" in roots:
        return "albumentations"
    if "torch" in roots:
        return "torchvision"
    if "mixtransforms.mixing.transform" in modules:
        return "neutral"
    wanted = "a transform of torchvision v2, of Albumentations or of mixtransforms"
    fix = "Put the transforms into a BatchCompose."
    raise error([Problem(ROOT, "Not a pipeline", type(pipeline).__name__, wanted, fix)])


@functools.cache
def codec_of(host: str) -> Codec:
    """The codec of a host.

    Raises:
        MissingDependencyError: The host is not installed.
    """
    assert host in HOSTS  # a name from a file has been looked up by now
    if host == "neutral":
        return OwnCodec(importlib.import_module("mixtransforms.mixing.transform"))
    importlib.import_module(f"mixtransforms.{host}")  # which says how to install what is missing
    codec: Codec = importlib.import_module(f"mixtransforms.files.hosts.{host}").CODEC
    return codec


def _versions(codec: Codec) -> dict[str, str]:
    own = {"mixtransforms": __version__}
    return own if codec.package is None else {**own, codec.package: str(codec.version)}
