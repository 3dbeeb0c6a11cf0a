"""The registry described to people: what there is, and what each type takes and does."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, replace
from typing import NamedTuple

from mixtransforms.core.errors import ConfigError
from mixtransforms.files import registry
from mixtransforms.files.problems import short_repr
from mixtransforms.files.prose import paragraphs, prose, sentence
from mixtransforms.files.registry import OF_METHODS, OWN_PREFIX, Argument, Codec, TypeEntry
from mixtransforms.methods.laws import LAWS
from mixtransforms.methods.schedules import SCHEDULES
from mixtransforms.mixing.transform import MixTransform
from mixtransforms.objects.boxes import BoxRules
from mixtransforms.objects.declared import DECLARABLE


class Listed(NamedTuple):
    """One type in the list of types.

    Attributes:
        name: Its name in files.
        hosts: The hosts whose pipelines may hold it.
        summary: What it does, in one sentence.
    """

    name: str
    hosts: tuple[str, ...]
    summary: str


class DescribedParameter(NamedTuple):
    """One parameter of a described type.

    Attributes:
        name: Its name.
        accepts: What it accepts, in words.
        default: Its default as JSON; empty where it must be given.
        doc: What it does.
    """

    name: str
    accepts: str
    default: str
    doc: str


class Description(NamedTuple):
    """What is known of one type.

    Attributes:
        name: Its name in files, and where it is told from another of the name, its place.
        text: Its documentation without the arguments.
        parameters: Its parameters.
        children: What its children are; empty where it has none.
        source: The paper, or the class of the host and the host's version.
    """

    name: str
    text: str
    parameters: tuple[DescribedParameter, ...]
    children: str
    source: str


def types() -> list[Listed]:
    """All types that files may name, with the installed hosts that run them."""
    found: dict[str, Listed] = {}
    for host, codec in registry.installed_codecs().items():
        for name, entry in codec.entries.items():
            before = found.get(name)
            hosts = (*before.hosts, host) if before else (host,)
            found[name] = before._replace(hosts=hosts) if before else Listed(name, hosts, _summary(entry))
    own = [each for each in found.values() if each.name.startswith(OWN_PREFIX)]
    return [*own, *(each for each in found.values() if each not in own)]


def _summary(entry: TypeEntry) -> str:
    if entry.name == registry.BATCH_COMPOSE:  # each host's own says what it is for that host
        return "Ordinary transforms on every sample, with random parameters of its own, and mixing on the batch."
    theirs = "" if entry.is_own else _theirs(entry)
    return sentence(f"{theirs}{entry.summary}") or "Has no description."


def _theirs(entry: TypeEntry) -> str:
    """What is to be said of a host's own class that has the name of one of ours."""
    host, _, name = entry.name.partition(".")
    return f"{host}'s own {name}, not ours: " if OWN_PREFIX + name in registry.codec_of("neutral").entries else ""


def parts() -> list[Listed]:
    """What stands inside of arguments: schedules in place of numbers, laws of weights, kinds, and rules of boxes."""
    return [
        Listed(cls.__name__, (), sentence(prose(cls)))
        for cls in (*SCHEDULES.values(), *LAWS.values(), *_declared().values())
    ]


def _declared() -> dict[str, type]:
    return {cls.__name__: cls for cls in (BoxRules, *DECLARABLE.values())}


# ------------------------------------------------------------------------------------------------------- one type

_SPELLINGS = {
    "v2": "torchvision",
    "transforms.v2": "torchvision",
    "torchvision.transforms.v2": "torchvision",
    "t": "torchvision",
    "a": "albumentations",
    "mixtransforms.torchvision": "mixtransforms",
    "mixtransforms.albumentations": "mixtransforms",
}
"""How tutorials import what files name, in lower case, and the first part of the names in files."""


def describe(name: str) -> list[Description]:
    """What a type takes and does, or a schedule, a law of weights, or what declares a kind.

    Args:
        name: Its name in files, such as ``torchvision.Resize``, the name that tutorials give it, such as
            ``v2.Resize``, or the last part of it where that is enough; ours come first.

    Returns:
        One description, or one for each host where a name means another constructor in each.

    Raises:
        ConfigError: There is no such type, or there are several.
    """
    of_parts = {known.lower(): cls for known, cls in {**SCHEDULES, **LAWS, **_declared()}.items()}
    last = name.removeprefix(OWN_PREFIX).lower()
    if last in of_parts:
        return [_of_part(of_parts[last])]
    found = _named(name)
    (_, first) = found[0]
    if issubclass(first.cls, MixTransform):
        return [_described(*found[0], _merged(found))]
    several = len(found) > 1
    return [
        _described(codec, entry, entry.arguments, f", in a pipeline of {codec.host}" * several)
        for codec, entry in found
    ]


def _named(name: str) -> list[tuple[Codec, TypeEntry]]:
    """The one type of a name, in every host that has it."""
    codecs = registry.installed_codecs()
    prefix, _, last = name.rpartition(".")
    door = prefix.partition(".")[2] if prefix in ("mixtransforms.torchvision", "mixtransforms.albumentations") else ""
    full = f"{_SPELLINGS.get(prefix.lower(), prefix)}.{last}" if prefix else name
    entries = [(codec, entry) for codec in codecs.values() for entry in codec.entries.values()]
    known = list(dict.fromkeys(entry.name for _, entry in entries))
    named = (
        [each for each in known if each == full]
        or [each for each in known if each.lower() == full.lower()]
        or [each for each in known if each.partition(".")[2].lower() == full.lower()]
    )
    ours = [each for each in named if each.startswith(OWN_PREFIX)]
    named = ours if len(ours) == 1 else named
    if len(named) != 1:
        raise ConfigError(
            f"{'Several types are' if named else 'No type is'} called {short_repr(name)}.{_near(last, named, known)}"
        )
    return [(codec, entry) for codec, entry in entries if entry.name == named[0] and codec.host.startswith(door)]


def _near(last: str, named: list[str], known: list[str]) -> str:
    """Names that may have been meant."""
    # By the last part: a shared prefix makes all names look alike.
    by_last: dict[str, list[str]] = {}
    for each in (*known, *SCHEDULES, *LAWS, *_declared()):
        by_last.setdefault(each.rpartition(".")[2].lower(), []).append(each)
    near = difflib.get_close_matches(last.lower(), by_last, n=3)
    meant = named or [each for match in near for each in _shortest(by_last[match])][:4]
    return f" Did you mean {', '.join(map(repr, meant))}?" if meant else " `mixtransforms list` shows all."


def _shortest(names: list[str]) -> list[str]:
    """Names with one last part; ours is found by this alone."""
    ours = [name.removeprefix(OWN_PREFIX) for name in names if name.startswith(OWN_PREFIX)]
    return ours if len(ours) == 1 else names


def _merged(found: list[tuple[Codec, TypeEntry]]) -> dict[str, Argument]:
    """The arguments of a mix at all doors; those that some doors lack say where they count."""
    merged: dict[str, Argument] = {}
    everywhere = set.intersection(*(set(entry.arguments) for _, entry in found))
    for codec, entry in found:
        for name, argument in entry.arguments.items():
            only = "" if name in everywhere else f"In a pipeline of {codec.host}: "
            merged.setdefault(name, replace(argument, doc=f"{only}{argument.doc}"))
    return merged


def _described(codec: Codec, entry: TypeEntry, arguments: Mapping[str, Argument], where: str = "") -> Description:
    parameters = tuple(_parameter_of(key, argument) for key, argument in arguments.items())
    children = {None: "", OF_METHODS: "mixing methods"}.get(entry.children, "transforms of the same host")
    text = prose(entry.cls) or "Has no description."
    return Description(f"{entry.name}{where}", text, parameters, children, _origin(codec, entry))


def _kind(name: str) -> str:
    return f'"kind": "{name}"'


def _of_part(cls: type) -> Description:
    arguments = registry.own_entry(cls.__name__, cls).arguments
    inside = [f'"{name}": ...' for name in arguments]
    if cls is BoxRules:
        form = f"In a file it is the value of `boxes`: {{{', '.join(inside)}}}"
    elif cls.__name__ in SCHEDULES:
        form = f"In a file it stands in place of a number: {{{', '.join([_kind(cls.__name__), *inside])}}}"
    elif cls.__name__ in LAWS:
        form = f"In a file it is the value of `weight`: {{{', '.join([_kind(cls.__name__), *inside])}}}"
    else:
        kind = next(name for name, known in DECLARABLE.items() if known is cls)
        form = f"In a file it is a value of `kinds`: {{{', '.join([_kind(kind), *inside])}}}"
    parameters = tuple(_parameter_of(name, argument) for name, argument in arguments.items())
    if cls.__name__ in SCHEDULES:  # which are written out in full
        parameters = tuple(each._replace(default="") for each in parameters)
    return Description(cls.__name__, f"{prose(cls)}\n\n{form}", parameters, "", "")


def _parameter_of(name: str, argument: Argument) -> DescribedParameter:
    default = "" if argument.default is MISSING else json.dumps(argument.default, ensure_ascii=False)
    return DescribedParameter(name, argument.codec.wanted, default, argument.doc)


def _origin(codec: Codec, entry: TypeEntry) -> str:
    if entry.is_own:
        paper = re.search(r"^Source: (.+?)(?=\n\n|\Z)", prose(entry.cls), re.DOTALL | re.MULTILINE)
        return " ".join(paper[1].split()) if paper else ""
    home = f"{entry.cls.__module__}.{entry.cls.__name__}"
    return f"{home}, {codec.package} {codec.version}"


def description_lines(description: Description) -> Iterator[str]:
    """A description as lines of text."""
    yield description.name
    yield ""
    yield paragraphs(description.text)
    yield ""
    for name, accepts, default, doc in description.parameters:
        yield f"{name}: {accepts}; {f'default {default}' if default else 'must be given'}"
        if doc:
            yield paragraphs(doc, "    ")
    if description.children:
        yield f"children: {description.children}"
    if description.source and description.source not in " ".join(description.text.split()):
        yield ""
        yield f"Source: {description.source}"
