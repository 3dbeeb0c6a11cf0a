"""The outermost part of a pipeline file, and the six functions that read and write it."""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import mixtransforms
from mixtransforms.core.errors import ConfigError, explain
from mixtransforms.serialization.reader import parse

FORMAT = "mixtransforms/pipeline"
FORMAT_VERSION = 1

ROOT = "$.pipeline"

_HOSTS = ("torchvision", "albumentations", "neutral")
_REQUIRED = {"format", "format_version", "host", "pipeline"}
_OPTIONAL = {"written_with", "notes"}


def to_dict(pipeline: Any) -> dict[str, Any]:
    """A pipeline of either host, or one mixing transform, in JSON's vocabulary.

    Args:
        pipeline: A BatchCompose, a Compose of the host, or any single transform that is covered.

    Raises:
        ConfigError: Something in it cannot be rebuilt exactly; names its JSON path.
    """
    host = host_of(pipeline)
    codec = _codec(host)
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "host": host,
        "written_with": _versions(host),
        "pipeline": _checked(codec, codec.encode(pipeline, ROOT)),
    }


def from_dict(data: Mapping[str, Any]) -> Any:
    """The pipeline that :func:`to_dict` wrote.

    Raises:
        ConfigError: The data is no pipeline, of a newer format, or holds anything unknown; names its JSON path.
    """
    _check_envelope(data)
    codec = _codec(data["host"])
    return codec.decode(data["pipeline"], ROOT)


def to_json(pipeline: Any) -> str:
    """A pipeline as JSON text; equal pipelines give equal text. Raises as :func:`to_dict`.

    What could not be read again, being too deep or too large, is refused here.
    """
    text = json.dumps(to_dict(pipeline), indent=2, allow_nan=False, ensure_ascii=False) + "\n"
    parse(text)
    return text


def from_json(text: str | bytes) -> Any:
    """The pipeline in a JSON text. Raises as :func:`from_dict`, and for text that is not strict JSON."""
    return from_dict(parse(text))


def save(pipeline: Any, path: str | os.PathLike[str]) -> None:
    """Writes a pipeline as JSON, as a whole or not at all. Raises as :func:`to_dict`."""
    target = Path(path)
    text = to_json(pipeline)
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.chmod(name, 0o666 & ~_umask())  # mkstemp lets nobody else read
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise


def load(path: str | os.PathLike[str]) -> Any:
    """Reads a pipeline that :func:`save` wrote. Raises as :func:`from_json`, naming the file."""
    content = Path(path).read_bytes()
    try:
        return from_json(content)
    except ConfigError as error:
        raise ConfigError(f"{os.fspath(path)}: {error}") from error


def host_of(pipeline: Any) -> str:
    """``"torchvision"``, ``"albumentations"`` or ``"neutral"``, by the type of a pipeline.

    Raises:
        ConfigError: It is of neither.
    """
    modules = [cls.__module__ for cls in type(pipeline).__mro__]
    for host in ("torchvision", "albumentations"):
        if any(module.split(".")[0] == host for module in modules):
            return host
    if "mixtransforms.transform" in modules:
        return "neutral"
    raise ConfigError(
        explain(
            "Not a pipeline",
            where=ROOT,
            got=type(pipeline).__name__,
            wanted="a transform of torchvision v2, of Albumentations or of mixtransforms",
            fix="Put the transforms into a BatchCompose.",
        )
    )


def _codec(host: str) -> ModuleType:
    if host != "neutral":
        importlib.import_module(f"mixtransforms.{host}")  # which says how to install what is missing
    return importlib.import_module(f"mixtransforms.serialization.{host}_nodes")


def _checked(codec: ModuleType, node: Any) -> Any:
    """The node of the rebuilt pipeline, in which hosts have turned 0 into 0.0; saving twice gives the same text."""
    again = codec.encode(codec.decode(node, ROOT), ROOT)
    if again != node:
        raise ConfigError(
            explain(
                "The pipeline would not come back equal",
                where=ROOT,
                got=f"{again}",
                wanted=f"{node}",
                fix="Remove the transform that differs, or write its arguments in plain values.",
            )
        )
    return again


def _check_envelope(data: Any) -> None:
    def refuse(where: str, got: object, wanted: str, fix: str) -> ConfigError:
        return ConfigError(explain("Not a pipeline file of this version", where=where, got=got, wanted=wanted, fix=fix))

    if not isinstance(data, Mapping) or data.get("format") != FORMAT:
        got = repr(data.get("format")) if isinstance(data, Mapping) else type(data).__name__
        raise refuse("$.format", got, repr(FORMAT), "Give a file that mixtransforms.save wrote.")
    unknown = sorted(set(data) - _REQUIRED - _OPTIONAL)
    if unknown:
        raise refuse(f"$.{unknown[0]}", "an unknown key", "only known keys", "Put free text under 'notes'.")
    lacking = sorted(_REQUIRED - set(data))
    if lacking:
        raise refuse(f"$.{lacking[0]}", "nothing", "a value", "Give a file that mixtransforms.save wrote.")
    version = data["format_version"]
    if isinstance(version, bool) or not isinstance(version, int) or not 1 <= version <= FORMAT_VERSION:
        fix = "It was written by a newer mixtransforms; upgrade." if isinstance(version, int) else "Correct it."
        raise refuse("$.format_version", repr(version), f"1 to {FORMAT_VERSION}", fix)
    if data["host"] not in _HOSTS:
        raise refuse("$.host", repr(data["host"]), "one of " + ", ".join(_HOSTS), "Correct it.")


def _versions(host: str) -> dict[str, str]:
    packages = {"torchvision": ("torch", "torchvision"), "albumentations": ("albumentations",)}.get(host, ())
    return {"mixtransforms": mixtransforms.__version__} | {name: importlib.metadata.version(name) for name in packages}


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
