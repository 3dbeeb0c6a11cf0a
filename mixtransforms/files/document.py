"""The outermost part of a pipeline file, and what is written into it and read from it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any, NamedTuple

from mixtransforms._version import __version__
from mixtransforms.files import migrations, nodes
from mixtransforms.files.migrations import FORMAT, VERSION
from mixtransforms.files.parse import parse, plain_copy
from mixtransforms.files.problems import MOST_PROBLEMS, Problem, below, config_error, short_repr
from mixtransforms.files.registry import FILE_HOSTS, ROOT, Allowed, Codec, classes_of, codec_of, host_of

_REQUIRED = ("format", "format_version", "host", "pipeline")
_OPTIONAL = ("written_with", "notes", "$schema")


class ReadResult(NamedTuple):
    """What came of reading a file.

    Attributes:
        pipeline: The pipeline; ``None`` where there are problems.
        problems: Everything that is wrong, at most :data:`~mixtransforms.files.problems.MOST_PROBLEMS`.
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
    twin, problems = nodes.read_node(codec, node, ROOT)
    if problems:
        raise config_error(problems)
    nodes.require_equal(codec, pipeline, twin, ROOT)
    return {
        "format": FORMAT,
        "format_version": VERSION,
        "host": host,
        "written_with": _writer_versions(codec),
        **({} if notes is None else {"notes": plain_copy(notes, "$.notes")}),
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
    return _sound_pipeline(read_data(plain_copy(data), allow))


def to_json(pipeline: Any, *, allow: Allowed = (), notes: Any = None) -> str:
    """A pipeline as JSON text; equal pipelines give equal text. See :func:`to_dict`.

    What could not be read again, being too deep or too large, is refused here.

    Raises:
        ConfigError: As for :func:`to_dict`.
    """
    # Reading it once costs a tenth of building, and is the only way to be sure that no limit is in the way later.
    text = formatted(to_dict(pipeline, allow=allow, notes=notes))
    parse(text)
    return text


def from_json(text: str | bytes, *, allow: Allowed = ()) -> Any:
    """The pipeline in a JSON text. See :func:`from_dict`.

    Raises:
        ConfigError: As for :func:`from_dict`, and for text that is not strict JSON.
    """
    return _sound_pipeline(read_data(parse(text), allow))


def _sound_pipeline(reading: ReadResult) -> Any:
    if reading.problems:
        raise config_error(reading.problems)
    return reading.pipeline


def read_data(data: Any, allow: Allowed = ()) -> ReadResult:
    """The pipeline in data, and everything that is wrong with it.

    The whole is examined before anything is built, so that a file with a problem constructs nothing.

    Args:
        data: What the strict reader, or :func:`plain_copy`, returned.
        allow: Classes of your own that the data may name.
    """
    if migrations.is_of_albumentations(data):
        wanted, fix = "only what A.save writes", "Remove it."
        foreign = [key for key in data if key not in migrations.OF_ALBUMENTATIONS]
        if foreign:
            problems = (
                Problem(below("$", key), "Not a file of Albumentations", short_repr(key), wanted, fix)
                for key in foreign
            )
            return ReadResult(None, tuple(islice(problems, MOST_PROBLEMS)))
        data = migrations.from_albumentations(data)
        pipeline = migrations.each_node(data["pipeline"], codec_of(data["host"]).without_echoes)
        reading = _read_ours({**data, "pipeline": pipeline}, classes_of(allow))
        moved = (replace(problem, path=migrations.path_in_albumentations(problem.path)) for problem in reading.problems)
        return reading._replace(problems=tuple(moved))
    return _read_ours(data, classes_of(allow))


def _read_ours(data: Any, allow: tuple[type, ...]) -> ReadResult:
    problems = list(islice(_examine_envelope(data), MOST_PROBLEMS))
    if problems:
        return ReadResult(None, tuple(problems))
    data = migrations.migrated(data)
    codec = codec_of(data["host"]).allowing(allow)
    pipeline, problems = nodes.read_node(codec, data["pipeline"], ROOT)
    if problems:
        return ReadResult(None, tuple(_versioned(problem, data, codec) for problem in problems))
    changes = list(islice(_changes(codec, data, pipeline), MOST_PROBLEMS))
    return ReadResult(None if changes else pipeline, tuple(changes))


def _examine_envelope(data: Any) -> Iterator[Problem]:
    what = "Not a pipeline file of this version"
    give = "Give a file that mixtransforms.save wrote, or A.save."
    if not isinstance(data, Mapping) or data.get("format") != FORMAT:
        got = short_repr(data.get("format")) if isinstance(data, Mapping) else f"{type(data).__name__} without one"
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
        yield Problem("$.format_version", what, short_repr(version), f"1 to {VERSION}", fix)
    if host not in FILE_HOSTS:
        yield Problem("$.host", what, short_repr(host), "one of " + ", ".join(FILE_HOSTS), "Correct it.")
    if not isinstance(data.get("$schema", ""), str):
        yield Problem('$["$schema"]', what, short_repr(data["$schema"]), "the address of a schema", "Correct it.")
    yield from _examine_versions(data.get("written_with", {}), what)


def _examine_versions(versions: Any, what: str) -> Iterator[Problem]:
    if not isinstance(versions, Mapping):
        yield Problem("$.written_with", what, short_repr(versions), "versions of packages", "Correct or remove it.")
        return
    for package, version in versions.items():
        if not isinstance(version, str):
            yield Problem(
                below("$.written_with", package), what, short_repr(version), "a version", "Correct or remove it."
            )


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
    return replace(problem, fix=f"{problem.fix} {_both_versions(codec, version)}")


def _both_versions(codec: Codec, version: str) -> str:
    return f"The file was written with {codec.package} {short_repr(version)}; {codec.version} is installed."


def _changes(codec: Codec, data: Mapping[str, Any], pipeline: Any) -> Iterator[Problem]:
    """What a file that another version of the host wrote would mean now, where that is not what it says."""
    version = _written_by_another(data, codec)
    if version is not None:
        fix = f"Install that version, or correct the file and remove 'written_with'. {_both_versions(codec, version)}"
        yield from _differences(data["pipeline"], nodes.write(codec, pipeline, ROOT), ROOT, fix)


def _differences(node: Any, now: Any, path: str, fix: str) -> Iterator[Problem]:
    yield from _changed_values(node.get("args", {}), now["args"], f"{path}.args", fix)
    for index, (child, twin) in enumerate(zip(node.get("children", []), now.get("children", []), strict=True)):
        yield from _differences(child, twin, f"{path}.children[{index}]", fix)


def _changed_values(given: Any, now: Any, path: str, fix: str) -> Iterator[Problem]:
    what = "Would mean something else with the installed version"
    if not isinstance(given, Mapping) or not isinstance(now, Mapping):
        if given != now:
            yield Problem(path, what, f"{short_repr(given)}, which is {short_repr(now)} now", "the same value", fix)
        return
    for name, value in now.items():
        if name in given:
            yield from _changed_values(given[name], value, below(path, name), fix)
        elif not isinstance(value, (list, dict)):  # empty ones are left out by the host itself
            yield Problem(below(path, name), what, f"nothing, which is {short_repr(value)} now", "a value", fix)


def _writer_versions(codec: Codec) -> dict[str, str]:
    own = {"mixtransforms": __version__}
    return own if codec.package is None else {**own, codec.package: str(codec.version)}


# -------------------------------------------------------------------------------------------------------------- text

# Characters of a line: most transforms fit into one, and so does a line into the window of a review.
JSON_WIDTH = 110


def formatted(value: Any) -> str:
    """JSON text for people: what fits into a line stands in one, keys keep their order, numbers are exact.

    Equal values give equal text, which ends in a newline.
    """
    return _json_text(value, "", 0) + "\n"


def _json_text(value: Any, indent: str, used: int) -> str:
    """A value, the first line of which has used some characters already."""
    single = json.dumps(value, ensure_ascii=False, allow_nan=False)
    fits = bool(indent) and len(indent) + used + len(single) <= JSON_WIDTH  # the outermost is never in one line
    if not isinstance(value, (Mapping, list)) or not value or fits:
        return single
    deeper = indent + "  "
    if isinstance(value, list):
        items = [deeper + _json_text(item, deeper, 1) for item in value]
        return "[\n" + ",\n".join(items) + f"\n{indent}]"
    entries = []
    for key, item in value.items():
        name = f"{json.dumps(key, ensure_ascii=False)}: "
        entries.append(deeper + name + _json_text(item, deeper, len(name) + 1))
    return "{\n" + ",\n".join(entries) + f"\n{indent}}}"
