"""The outermost part of a pipeline file, and what is written into it and read from it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain, islice
from typing import Any, NamedTuple

from mixtransforms._version import __version__
from mixtransforms.files import migrations, nodes
from mixtransforms.files.migrations import FORMAT, VERSION
from mixtransforms.files.parse import parse, plain_copy
from mixtransforms.files.problems import MOST_PROBLEMS, Problem, below, config_error, short_repr
from mixtransforms.files.registry import (
    BATCH_COMPOSE,
    FILE_HOSTS,
    OWN_PREFIX,
    ROOT,
    Allowed,
    Codec,
    classes_of,
    codec_of,
    host_of,
    installed_codecs,
)

_REQUIRED = ("format", "format_version", "host", "pipeline")
_OPTIONAL = ("written_with", "notes", "$schema")
_OF_PIPELINES = {"pipeline", "type", "children"}
"""Keys of which a file that lacks its header has one at least."""


class ReadResult(NamedTuple):
    """What came of reading a file.

    Attributes:
        pipeline: The pipeline; ``None`` where there are problems.
        problems: Everything that is wrong, at most :data:`~mixtransforms.files.problems.MOST_PROBLEMS`.
    """

    pipeline: Any
    problems: tuple[Problem, ...]


def to_dict(pipeline: Any, *, allow: Allowed = (), notes: Any = None, defaults: bool = True) -> dict[str, Any]:
    """A pipeline of either host, or one mixing transform, in JSON's vocabulary.

    It is rebuilt and compared first: what would not come back equal is refused. Devices, ``.eval()`` and the state of
    random generators are no part of a pipeline.

    Args:
        pipeline: A BatchCompose, a Compose of the host, or any single transform that is covered.
        allow: Classes of your own that may be written; reading the file needs them too. Every argument of their
            constructor must be an attribute of the same name.
        notes: Free text, or anything that JSON has a form for. Nothing ever reads it.
        defaults: Whether arguments that have their defaults are written as well. Without them the data is short, and
            what the host's defaults mean is for its version to say: under another one it is refused where one is
            missing. Defaults of ours keep their meaning.

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
    node = nodes.write(codec, twin, ROOT)  # hosts turn 0 into 0.0; saved twice, files are the same
    if not defaults:
        node = nodes.without_defaults(codec, node)
        nodes.require_equal(codec, pipeline, nodes.read_node(codec, node, ROOT)[0], ROOT)
    return {
        "format": FORMAT,
        "format_version": VERSION,
        "host": host,
        "written_with": _writer_versions(codec),
        **({} if notes is None else {"notes": plain_copy(notes, "$.notes")}),
        "pipeline": node,
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


def to_json(pipeline: Any, *, allow: Allowed = (), notes: Any = None, defaults: bool = True) -> str:
    """A pipeline as JSON text; equal pipelines give equal text. See :func:`to_dict`.

    What could not be read again, being too deep or too large, is refused here.

    Raises:
        ConfigError: As for :func:`to_dict`.
    """
    # Reading it once costs a tenth of building, and is the only way to be sure that no limit is in the way later.
    text = formatted(to_dict(pipeline, allow=allow, notes=notes, defaults=defaults))
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
        # What is in the pipeline is told as well, where it can be known what was meant.
        inside = _examine_meant(data, allow) if isinstance(data, Mapping) else ()
        return ReadResult(None, tuple(islice(chain(problems, inside), MOST_PROBLEMS)))
    data = migrations.migrated(data)
    codec = codec_of(data["host"]).allowing(allow)
    data = {**data, "pipeline": migrations.each_node(data["pipeline"], codec.with_full_name)}
    foreign = _of_another_host(data["pipeline"], codec)
    if foreign is not None:
        what, fix = "Types of another host", f'Write "host": {json.dumps(foreign)}.'
        problem = Problem("$.host", what, short_repr(data["host"]), f"{foreign!r}, whose types these are", fix)
        inside = _examine_meant({**data, "host": foreign}, allow)
        return ReadResult(None, (problem, *islice(inside, MOST_PROBLEMS - 1)))
    pipeline, problems = nodes.read_node(codec, data["pipeline"], ROOT)
    if problems:
        return ReadResult(None, tuple(_versioned(problem, data, codec) for problem in problems))
    changes = list(islice(_changes(codec, data, pipeline), MOST_PROBLEMS))
    return ReadResult(None if changes else pipeline, tuple(changes))


def _examine_envelope(data: Any) -> Iterator[Problem]:
    what = "Not a pipeline file"
    give = "Give a file that mixtransforms.save wrote, or A.save."
    if not isinstance(data, Mapping):
        yield Problem("$.format", what, f"{type(data).__name__} without one", repr(FORMAT), give)
        return
    if "format" not in data and data.keys() & _OF_PIPELINES:
        yield _no_header(data)
        return
    if data.get("format") != FORMAT:
        got = short_repr(data["format"]) if "format" in data else "nothing"
        yield Problem("$.format", what, got, repr(FORMAT), give)
        return
    for key in data:
        if key not in _REQUIRED + _OPTIONAL:
            yield Problem(below("$", key), what, "an unknown key", "only known keys", "Put free text under 'notes'.")
    for key in _REQUIRED:
        if key not in data:
            line = _header(data).get(key)
            fix = f"Add {json.dumps(key)}: {json.dumps(line)}." if line else give
            yield Problem(f"$.{key}", what, "nothing", "a value", fix)
    version, host = data.get("format_version", VERSION), data.get("host", "neutral")
    if not _is_version(version):
        newer = type(version) is int and version > VERSION
        fix = "It was written by a newer mixtransforms; upgrade." if newer else "Correct it."
        yield Problem("$.format_version", what, short_repr(version), f"1 to {VERSION}", fix)
    if host not in FILE_HOSTS:
        yield Problem("$.host", what, short_repr(host), "one of " + ", ".join(FILE_HOSTS), "Correct it.")
    if not isinstance(data.get("$schema", ""), str):
        yield Problem('$["$schema"]', what, short_repr(data["$schema"]), "the address of a schema", "Correct it.")
    yield from _examine_versions(data.get("written_with", {}), what)


def _is_version(version: Any) -> bool:
    """Whether a file of a version of the format can be read."""
    return type(version) is int and 1 <= version <= VERSION


def _header(data: Mapping[str, Any]) -> dict[str, Any]:
    """What the outermost part of a file has to say beside its pipeline, as far as that can be told."""
    host = data.get("host") if data.get("host") in FILE_HOSTS else _host_meant(data.get("pipeline", data))
    return {"format": FORMAT, "format_version": VERSION, "host": host}


def _no_header(data: Mapping[str, Any]) -> Problem:
    """The problem of a pipeline written by hand, without what says that it is one."""
    lines = ", ".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in _header(data).items())
    bare = "pipeline" not in data
    fix = f'Write the whole as the value of "pipeline", and beside it {lines}.' if bare else f"Add {lines}."
    got = "a transform without a header" if bare else "no header"
    return Problem("$.format", "No header", got, f"what says that this is a file of {FORMAT!r}", fix)


def _host_meant(node: Any) -> str:
    """The host of most types in a node; a single mix alone needs none."""
    counts = Counter(name.partition(".")[0] for name in _names(node))
    named = [host for host in ("torchvision", "albumentations") if counts[host]]
    return max(named, key=counts.__getitem__, default="torchvision" if BATCH_COMPOSE in _names(node) else "neutral")


def _names(node: Any) -> list[str]:
    """The names of all types in a node."""
    found: list[str] = []

    def seen(inner: Mapping[str, Any]) -> Mapping[str, Any]:
        found.extend([inner["type"]] if isinstance(inner.get("type"), str) else [])
        return inner

    migrations.each_node(node, seen)
    return found


def _of_another_host(node: Any, codec: Codec) -> str | None:
    """The host whose types a pipeline names, where it is not the one that the file names; ``None`` else."""
    prefixes = {name.partition(".")[0] for name in _names(node)} & set(FILE_HOSTS)
    return prefixes.pop() if len(prefixes) == 1 and codec.host not in prefixes else None


def _examine_meant(data: Mapping[str, Any], allow: tuple[type, ...]) -> Iterator[Problem]:
    """What is wrong in the pipeline of a file whose outermost part is wrong; nothing where its meaning is unknown."""
    bare, host, version = "pipeline" not in data, _header(data)["host"], data.get("format_version", VERSION)
    ours = data.get("format", FORMAT) == FORMAT and _is_version(version)
    if not ours or host not in installed_codecs() or not data.keys() & _OF_PIPELINES:
        return
    codec = codec_of(host)
    known = codec.allowing(cls for cls in allow if codec.runs(cls))
    node = data if bare else migrations.migrated({**data, "format_version": version})["pipeline"]
    for problem in nodes.examine(known, migrations.each_node(node, known.with_full_name), ROOT):
        yield replace(problem, path=problem.path.replace(ROOT, "$", 1)) if bare else problem


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
    given, args = node.get("args", {}), now["args"]
    if node["type"].startswith(OWN_PREFIX):  # defaults of ours keep their meaning: a file may leave them out
        args = {name: value for name, value in args.items() if name in given}
    yield from _changed_values(given, args, f"{path}.args", fix)
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
