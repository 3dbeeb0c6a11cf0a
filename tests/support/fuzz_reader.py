"""Reads mutated pipeline files under watch: ``python tests/support/fuzz_reader.py --minutes 10 --seed 1``.

A file loads or raises ConfigError; nothing is opened, imported or run meanwhile, little memory is taken, and what was loaded
can be saved. Whatever else happens is printed with its smallest input, which is kept in ``corpus/`` and replayed by the
tests. Nothing that was loaded is ever called. :class:`Watch` also serves the tests.
"""

import argparse
import contextlib
import copy
import functools
import hashlib
import inspect
import json
import os
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
import tracemalloc
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.sharedctypes import RawArray
from pathlib import Path
from typing import Any

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

import yaml
from hostile import FILES, GOOD, GOOD_SAVED, GOOD_YAML, HARMLESS, HOSTS, TENSORS, envelope, host_of
from whole_schema import whole_types

import mixtransforms

CORPUS = Path(__file__).parents[1] / "files" / "corpus"
MOST_MEMORY = 50_000_000
ENDINGS = (".json", ".yaml")

BANNED = (
    *("import", "open", "exec", "compile", "os.", "subprocess.", "socket.", "ctypes.", "pickle.", "marshal."),
    *("shutil.", "tempfile.", "code.__new__", "function.__new__", "urllib.", "http.", "ftplib.", "smtplib.", "glob."),
    *("pathlib.", "webbrowser.", "sqlite3.", "builtins.input", "builtins.breakpoint", "mmap.", "fcntl.", "pty."),
    *("signal.", "syslog."),
)
"""Beginnings of the audit events that no file may cause."""

ALLOWED = frozenset({"ctypes.cdata", "ctypes.cdata/buffer"})
"""What a transform's own construction does: its epoch lies in memory that workers share."""


class HangError(BaseException):
    """A read that takes too long. No ``Exception``, so that no handler takes it for something of its own."""


@dataclass
class Outcome:
    """What came of a read.

    Attributes:
        kind: ``"loaded"``, ``"refused"`` or ``"raised"``.
        error: The class of the exception.
        text: Its message.
        where: The line that raised it.
        events: Audit events.
        opened: How often the file itself was opened.
        peak: Most memory of Python objects at a time, in bytes.
        seconds: Its duration.
        value: What was loaded.
    """

    kind: str = "loaded"
    error: str = ""
    text: str = ""
    where: str = ""
    events: list[str] = field(default_factory=list)
    opened: int = 0
    peak: int = 0
    seconds: float = 0.0
    value: Any = None

    def report(self) -> dict[str, Any]:
        """It without the value, for JSON."""
        return {name: value for name, value in vars(self).items() if name != "value"}


class Watch:
    """Calls functions and says what happened. An audit hook cannot be removed: one watch a process.

    Args:
        seconds: When a call counts as hanging.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._outcome: Outcome | None = None
        self._own = ""
        sys.addaudithook(self._hear)
        sys.meta_path.insert(0, self)  # modules can be imported without an event of that name
        signal.signal(signal.SIGALRM, _hang)

    def find_spec(self, name: str, *_: Any) -> None:
        """Hears of every import of what is not loaded, and finds nothing."""
        if self._outcome is not None:
            self._outcome.events.append(f"find_spec {name}")

    def _hear(self, event: str, args: tuple[Any, ...]) -> None:
        outcome = self._outcome
        if outcome is None or not event.startswith(BANNED) or event in ALLOWED:
            return
        if event == "open" and self._own and str(args[0]) == self._own:
            outcome.opened += 1
        else:
            outcome.events.append(f"{event} {args!r:.200}")

    def call(self, function: Callable[[], Any], own: str = "", measured: bool = True) -> Outcome:
        """The outcome of a function, which may open the file ``own``. Measuring memory makes it several times slower."""
        outcome = Outcome()
        self._own = own
        if measured:
            tracemalloc.start()
        started = time.perf_counter()
        signal.setitimer(signal.ITIMER_REAL, self.seconds)
        self._outcome = outcome
        try:
            outcome.value = function()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - a reader that exits is a finding as well
            self._outcome = None
            _tell(outcome, error)
        finally:
            self._outcome = None
            signal.setitimer(signal.ITIMER_REAL, 0)
            outcome.seconds = time.perf_counter() - started
            if measured:
                outcome.peak = tracemalloc.get_traced_memory()[1]
                tracemalloc.stop()
        return outcome

    def text(self, content: str | bytes, measured: bool = True) -> Outcome:
        """The outcome of a text in memory."""
        return self.call(lambda: mixtransforms.from_json(content), measured=measured)

    def file(self, path: Path) -> Outcome:
        """The outcome of a file."""
        return self.call(lambda: mixtransforms.load(path), str(path))


def _hang(*_: Any) -> None:
    raise HangError


def _tell(outcome: Outcome, error: BaseException) -> None:
    outcome.kind = "refused" if isinstance(error, mixtransforms.ConfigError) else "raised"
    outcome.error = type(error).__name__
    outcome.text = str(error)
    frames = traceback.extract_tb(error.__traceback__, limit=-1)
    outcome.where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""


def as_bytes(content: str | bytes) -> bytes:
    """What stands in a file; lone surrogates as an encoder would have left them."""
    return content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")


def warm(folder: Path) -> None:
    """Reads good and bad files of every kind, so that nothing remains to be imported on first use."""
    import torch

    RawArray("b", 1 << 21)  # freed at once, but kept for whatever transforms share with workers
    repr(torch.zeros(1))  # torch's own messages show tensors, for which it imports more of itself
    flip = json.dumps(
        envelope({"type": "albumentations.Compose", "children": [{"type": "albumentations.Blur"}]}, "albumentations")
    )
    resize = json.dumps(envelope({"type": "torchvision.Resize", "args": {"size": 8}}))
    for ending, text in (
        (".json", GOOD),
        (".json", GOOD_SAVED),
        (".json", flip),
        (".json", resize),
        (".yaml", GOOD_YAML),
    ):
        for content in (
            *(text, text.replace("{", "{{"), text.replace('"p"', '"q"'), text.replace("MixUp", "MixUq"), text + "&a"),
        ):
            path = folder / f"warm{ending}"
            path.write_text(content)
            with contextlib.suppress(mixtransforms.ConfigError):
                mixtransforms.to_json(mixtransforms.load(path))


# ---------------------------------------------------------------------------------------------------------------- material


REQUIRED: dict[str, dict[str, Any]] = {
    "torchvision.CenterCrop": {"size": 8},
    "torchvision.ConvertBoundingBoxFormat": {"format": "XYXY"},
    "torchvision.CutMix": {"num_classes": 3},
    "torchvision.FiveCrop": {"size": 8},
    "torchvision.GaussianBlur": {"kernel_size": 3},
    "torchvision.JPEG": {"quality": 50},
    "torchvision.LinearTransformation": {
        "transformation_matrix": {"dtype": "float32", "values": [[1.0, 0.0], [0.0, 1.0]]},
        "mean_vector": {"dtype": "float32", "values": [0.0, 0.0]},
    },
    "torchvision.MixUp": {"num_classes": 3},
    "torchvision.Normalize": {"mean": [0.5], "std": [0.5]},
    "torchvision.Pad": {"padding": 1},
    "torchvision.RandomAdjustSharpness": {"sharpness_factor": 2},
    "torchvision.RandomAffine": {"degrees": 10},
    "torchvision.RandomCrop": {"size": 8},
    "torchvision.RandomPosterize": {"bits": 3},
    "torchvision.RandomResize": {"min_size": 8, "max_size": 16},
    "torchvision.RandomResizedCrop": {"size": 8},
    "torchvision.RandomRotation": {"degrees": 10},
    "torchvision.RandomShortestSize": {"min_size": 8},
    "torchvision.RandomSolarize": {"threshold": 0.5},
    "torchvision.Resize": {"size": 8},
    "torchvision.ScaleJitter": {"target_size": [8, 8]},
    "torchvision.SetClampingMode": {"clamping_mode": "soft"},
    "torchvision.TenCrop": {"size": 8},
    "torchvision.ToDtype": {"dtype": "float32"},
    "torchvision.UniformTemporalSubsample": {"num_samples": 2},
    "albumentations.AtLeastOneBBoxRandomCrop": {"height": 8, "width": 8},
    "albumentations.CenterCrop": {"height": 8, "width": 8},
    "albumentations.CenterCrop3D": {"size": [8, 8, 8]},
    "albumentations.ConstrainedCoarseDropout": {"mask_indices": [1]},
    "albumentations.Pad": {"padding": 1},
    "albumentations.Pad3D": {"padding": 1},
    "albumentations.RandomCrop": {"height": 8, "width": 8},
    "albumentations.RandomCrop3D": {"size": [8, 8, 8]},
    "albumentations.RandomResizedCrop": {"size": [8, 8]},
    "albumentations.RandomSizedBBoxSafeCrop": {"height": 8, "width": 8},
    "albumentations.RandomSizedCrop": {"min_max_height": [4, 8], "size": [8, 8]},
    "albumentations.Resize": {"height": 8, "width": 8},
    "albumentations.CropAndPad": {"px": 1},
    "albumentations.CropNonEmptyMaskIfExists": {"height": 8, "width": 8},
    "albumentations.GridElasticDeform": {"num_grid_xy": [2, 2], "magnitude": 1},
    "albumentations.LongestMaxSize": {"max_size": 8},
    "albumentations.PadIfNeeded3D": {"min_zyx": [8, 8, 8]},
    "albumentations.SmallestMaxSize": {"max_size": 8},
    "mixtransforms.Remix": {"counts": [3, 1]},
}
"""Good values of arguments without which nothing can be built."""

CHILD: dict[str, dict[str, Any]] = {
    "torchvision": {"type": "torchvision.Identity", "args": {}},
    "albumentations": {"type": "albumentations.NoOp", "args": {}},
    "mixtransforms": {"type": "mixtransforms.MixUp", "args": {}},
}


@functools.cache
def covered() -> dict[str, list[str]]:
    """The arguments of every covered class by the name of its type: of its constructor, and of the published schema."""
    import albumentations
    from torchvision.transforms import v2

    import mixtransforms.torchvision

    modules = {"torchvision": v2, "albumentations": albumentations, "mixtransforms": mixtransforms.torchvision}
    found = {}
    for key, form in whole_types().items():
        host, _, name = key.partition("/")
        if name and host in HOSTS:
            package, cls = name.split(".")
            known = inspect.signature(getattr(modules[package], cls)).parameters
            found[name] = list(dict.fromkeys([*known, *form["properties"]["args"]["properties"]]))
    return found


def base(name: str, /, **args: Any) -> dict[str, Any]:
    """A good node of a type, with other arguments."""
    node: dict[str, Any] = {"type": name, "args": REQUIRED.get(name, {}) | args}
    ours = dict.fromkeys(("BatchCompose", "Otherwise", "PerBatch"), "torchvision") | {"OneOf": "mixtransforms"}
    inside = ours.get(name.removeprefix("mixtransforms."))
    if inside is None and name.split(".")[1] in CONTAINERS:
        inside = name.split(".")[0]
    return node | {"children": [copy.deepcopy(CHILD[inside])] * 2} if inside else node


CONTAINERS = (
    *("Compose", "RandomApply", "RandomChoice", "RandomOrder", "OneOf", "OneOrOther", "SomeOf", "Sequential"),
    *("SelectiveChannelTransform", "ReplayCompose"),
)

NASTY: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 3, 7, 255, 256, 0.0, -0.0, 0.5, 1.0, 1.5, 1e308, -1e308, 5e-324, 1e-9, 2**31),
    *(2**63, 2**64, 10**19, -(10**19), "", " ", "x", "os.system", "/etc/passwd", "default", "random", "bilinear"),
    *("float32", "constant", "coco", "\ud800", "\x00", "\x1b[31m", "\u202e", "x" * 4096, "x" * 4097, "1", "nan"),
    *("None", "imagenet", "XYXY", "pascal_voc", "mask", [], {}, [[]], [{}], [None], [1], [0, 0], [1, 2], [2, 1]),
    *([0.1, 0.9], [-1, 1], [1, 2, 3], [1, 2, 3, 4], [0.5] * 5, ["a", "b"], [[1, 2], [3, 4]], [True, False]),
    *([10**19, 10**19], [1e308, 1e308], [0] * 5000, ["x"] * 500, [[[[[[1]]]]]], float("nan")),
    *({"Image": 1, "others": 0}, {"Image": [1, 2, 3]}, {"x": 1}, {"x": [0, 1], "y": [1, 2]}, {"a": {"b": {"c": 1}}}),
    *(float("inf"), {"format": "coco"}, {"format": "xy", "label_fields": ["a"]}, {"upscale": 1, "downscale": 0}),
    *({"a": "image"}, {"kind": "mask"}, {"min_visibility": 0.5}, {"enum": "InterpolationMode", "value": "nearest"}),
    *({"by_type": [["Image", 1]]}, {"dtype": "uint8"}, *TENSORS[:8]),
)

TOKENS = (
    *('"', "{", "}", "[", "]", ":", ",", "\\", "null", "true", "NaN", "1e999", "-", "0", "1" * 400, '"a":', "\\ud800"),
    *("\\u0000", "&a ", "*a", "<<: ", "!!python/name:os.system ", "- ", "? ", "| ", "> ", "# ", "---\n", "\t", "\n"),
    *("%", "@", "`", "~", "''", "\ufeff", "\u2028", "\x00", "\x85", "\xff", "\x1b"),
)


def seeds() -> list[tuple[str, bytes]]:
    """Texts to start from, with their endings: good files of all kinds, the hostile ones, and the corpus."""
    names = list(covered())
    good = [json.dumps(envelope(base(name), host_of(name))) for name in names]
    good += [json.dumps(_saved(base(name))) for name in names if name.startswith("albumentations")]
    texts = [(".json", text) for text in good]
    texts += [(".yaml", yaml.safe_dump(json.loads(text), sort_keys=False)) for text in good]
    texts += [
        ("." + name.rpartition(".")[2], content) for name, content in (FILES | HARMLESS).items() if len(content) < 5000
    ]
    found = [(path.suffix, path.read_bytes()) for path in sorted(CORPUS.iterdir()) if path.suffix in ENDINGS]
    return [(ending.replace("yml", "yaml"), as_bytes(text)) for ending, text in texts] + found


def _saved(node: dict[str, Any]) -> dict[str, Any]:
    """A node as ``A.save`` writes it."""

    def flat(node: dict[str, Any]) -> dict[str, Any]:
        inner = {"transforms": [flat(child) for child in node["children"]]} if "children" in node else {}
        return {"__class_fullname__": node["type"].split(".")[1]} | node["args"] | inner

    return {"__version__": "2.0.8", "transform": flat(node)}


# --------------------------------------------------------------------------------------------------------------- mutations


class Mutator:
    """Draws files.

    Args:
        rng: Draws everything.
        texts: What to start from.
    """

    def __init__(self, rng: random.Random, texts: list[tuple[str, bytes]]) -> None:
        self.rng = rng
        self.texts = texts
        self.arguments = covered()
        self.forms = {key.partition("/")[2]: _arguments(form) for key, form in whole_types().items()}
        self.trees = [tree for ending, text in texts if ending == ".json" and isinstance(tree := _tree(text), dict)]

    def draw(self) -> tuple[str, bytes]:
        """The ending and the content of a file."""
        chance = self.rng.random()
        if chance < 0.35:
            return self._written(self._node())
        if chance < 0.7:
            return self._written(self._mutated(copy.deepcopy(self.rng.choice(self.trees))))
        ending, text = self.rng.choice(self.texts)
        for _ in range(self.rng.choice((1, 1, 1, 2, 4, 16))):
            text = self._raw(text)
        return ending, text

    def _node(self) -> Any:
        """A file of one known type, with nasty arguments."""
        name = self.rng.choice(list(self.arguments))
        known = self.arguments[name] or ["p"]
        count = self.rng.choice((1, 1, 1, 2, len(known)))
        forms = self.forms[name] if self.rng.random() < 0.7 else {}
        draws = {key: self._fitting(forms[key]) if key in forms else self._value() for key in known}
        args = {key: draws[key] for key in self.rng.sample(known, min(count, len(known)))}
        node = base(name, **args)
        if self.rng.random() < 0.2:
            node = {"type": "mixtransforms.BatchCompose", "args": {}, "children": [node]}
        if name.startswith("albumentations") and node["type"] == name and self.rng.random() < 0.3:
            return _saved(node)
        more = {"format_version": 1} if self.rng.random() < 0.1 else {}
        if self.rng.random() < 0.1:
            more |= {"written_with": {"torchvision": "0.20.0", "albumentations": "1.4.0"}}
        return envelope(node, host_of(name), **more)

    def _fitting(self, form: Any) -> Any:
        """A value that a schema accepts, as far as it can be drawn: the constructor has to judge it then."""
        rng = self.rng
        if isinstance(form, bool) or rng.random() < 0.03:
            return self._value()
        if "anyOf" in form:
            return self._fitting(rng.choice(form["anyOf"]))
        if "enum" in form or "const" in form:
            return rng.choice(form.get("enum") or [form["const"]])
        kind = rng.choice(kinds) if isinstance(kinds := form.get("type"), list) else kinds
        if kind == "array":
            count = rng.randint(form.get("minItems", 0), min(form.get("maxItems", 4), 6))
            return [self._fitting(form.get("items", True)) for _ in range(count)]
        if kind == "object":
            needed, known = form.get("required", []), form.get("properties", {})
            return {key: self._fitting(known[key]) for key in known if key in needed or rng.random() < 0.3}
        if kind in ("integer", "number"):
            low, high = form.get("minimum", -1e9), form.get("maximum", 1e9)
            edges = (
                low,
                high,
                0,
                1,
                2,
                0.5,
                1e-9,
                rng.uniform(-3, 3),
                rng.uniform(low, high),
                rng.randint(0, 300),
                2**31,
            )
            value = min(max(rng.choice(edges), low), high)
            return int(value) if kind == "integer" else value
        return {"boolean": rng.random() < 0.5, "null": None}.get(str(kind), self._value())

    def _value(self) -> Any:
        value = copy.deepcopy(self.rng.choice(NASTY))
        chance = self.rng.random()
        if chance < 0.1:
            return [value, copy.deepcopy(self.rng.choice(NASTY))]
        if chance < 0.15:
            return {self.rng.choice(("Image", "x", "y", "others", "format", "a")): value}
        return self.rng.choice((self.rng.randint(-300, 300), self.rng.uniform(-2, 2))) if chance < 0.25 else value

    def _mutated(self, tree: Any) -> Any:
        for _ in range(self.rng.choice((1, 1, 2, 3, 8))):
            holders = list(_holders(tree))
            if not holders:
                return tree
            self._change(self.rng.choice(holders), holders)
        return tree

    def _change(self, holder: Any, holders: list[Any]) -> None:
        """Changes one entry of a dict or list."""
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        if not keys:
            return
        key, other = self.rng.choice(keys), self.rng.choice(holders)
        kind = self.rng.randrange(7)
        if kind == 0:
            del holder[key]
        elif kind == 1:
            holder[key] = self._value()
        elif kind == 2:  # from another place or file; copied, so that nothing holds itself
            holder[key] = copy.deepcopy(self.rng.choice((other, self.rng.choice(self.trees))))
        elif kind == 3:
            holder[key] = self.rng.choice(([holder[key]], {"a": holder[key]}, [holder[key]] * 3))
        elif kind == 4 and isinstance(holder, dict):
            names = ("p", "size", "transforms", "__class__", "_x", "\x1b", "children", "args", "type", "notes", "")
            holder[self.rng.choice(names)] = holder.pop(key)
        elif kind == 5 and isinstance(holder, list):
            holder.insert(self.rng.randrange(len(holder) + 1), copy.deepcopy(holder[key]))
        elif kind == 6:
            second = self.rng.choice(keys)
            holder[key], holder[second] = holder[second], holder[key]

    def _written(self, tree: Any) -> tuple[str, bytes]:
        if self.rng.random() < 0.8:
            return ".json", as_bytes(json.dumps(tree, ensure_ascii=self.rng.random() < 0.7))
        return ".yaml", as_bytes(yaml.safe_dump(tree, sort_keys=False, default_flow_style=self.rng.random() < 0.3))

    def _raw(self, text: bytes) -> bytes:
        """A text with a few bytes changed."""
        rng = self.rng
        start = rng.randrange(len(text) + 1)
        stop = min(len(text), start + rng.choice((1, 1, 2, 8, 64)))
        kind = rng.randrange(7)
        if kind == 0:
            return text[:start] + bytes([rng.randrange(256)]) + text[start + 1 :]
        if kind == 1:
            return text[:start] + text[stop:]
        if kind == 2:
            return text[:stop] + text[start:stop] * rng.choice((1, 1, 3, 100)) + text[stop:]
        if kind == 3:
            other = rng.choice(self.texts)[1]
            return text[:start] + other[rng.randrange(len(other) + 1) :]
        if kind == 4 and text:
            return text[:start] + bytes([text[start % len(text)] ^ 1 << rng.randrange(8)]) + text[start + 1 :]
        return text[:start] + as_bytes(rng.choice(TOKENS)) + text[start if kind == 5 else stop :]


def _arguments(form: dict[str, Any]) -> dict[str, Any]:
    return dict(form.get("properties", {}).get("args", {}).get("properties", {}))


def _tree(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _holders(tree: Any) -> Iterator[Any]:
    """All dicts and lists."""
    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, (dict, list)):
            yield node
            stack.extend(node.values() if isinstance(node, dict) else node)


# ---------------------------------------------------------------------------------------------------------------- findings


@dataclass(frozen=True)
class Finding:
    """Something that must not happen.

    Attributes:
        kind: What it is, and where.
        text: What was said.
    """

    kind: str
    text: str = ""


class Fuzzer:
    """Examines files, one after the other.

    Args:
        folder: A temporary folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.watch = Watch(5)
        self.loaded = 0

    def examine(self, ending: str, content: bytes) -> Finding | None:
        """What is wrong with reading this, if anything is."""
        before = resident()
        outcome = self._read(ending, content)
        grown = resident() - before
        if outcome.kind == "raised":
            return Finding(f"raised {outcome.error} at {outcome.where}", outcome.text)
        if outcome.events:
            return Finding(f"event {outcome.events[0].split()[0]}", "; ".join(outcome.events))
        if max(outcome.peak, grown) > MOST_MEMORY:
            return Finding("memory", f"{outcome.peak} bytes of objects, {grown} bytes of the process")
        if outcome.kind == "refused":
            return _message(outcome.text.removeprefix(str(self.folder)))
        self.loaded += 1
        return self._saved(outcome.value)

    def _read(self, ending: str, content: bytes) -> Outcome:
        if ending == ".json":
            return self.watch.text(content)
        path = self.folder / f"file{ending}"
        path.write_bytes(content)
        return self.watch.file(path)

    def _saved(self, value: Any) -> Finding | None:
        """What is wrong with saving what was loaded."""
        saved = self.watch.call(lambda: mixtransforms.to_json(value))
        if saved.kind == "refused":
            return None
        if saved.kind == "raised":
            return Finding(f"saving raised {saved.error} at {saved.where}", saved.text)
        again = self.watch.call(lambda: mixtransforms.to_json(mixtransforms.from_json(saved.value)))
        if again.kind != "loaded":
            return Finding(f"what was saved does not load: {again.error} at {again.where}", again.text)
        return None if again.value == saved.value else Finding("what was saved is saved otherwise", saved.value)


def _message(text: str) -> Finding | None:
    if len(text) > 2000:
        return Finding("a long message", text)
    return None if text.isprintable() else Finding("a message with control characters", ascii(text))


def resident() -> int:
    """The most memory that this process has ever had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def smallest(fuzzer: Fuzzer, ending: str, content: bytes, finding: Finding) -> bytes:
    """A shorter content with the same finding."""

    def still(shorter: bytes) -> bool:
        found = fuzzer.examine(ending, shorter)
        return found is not None and found.kind == finding.kind

    stop = time.monotonic() + 20
    tree = _tree(content) if ending == ".json" else None
    if tree is not None and still(json.dumps(tree).encode()):
        content = _pruned(tree, still, stop)
    size = len(content) // 2
    while size and len(content) < 20_000:
        start = 0
        while start < len(content) and time.monotonic() < stop:
            shorter = content[:start] + content[start + size :]
            if still(shorter):
                content = shorter
            else:
                start += size
        size //= 2
    return content


def _pruned(tree: Any, still: Callable[[bytes], bool], stop: float) -> bytes:
    """The text of a tree without the entries that the finding does not need."""
    changed = True
    while changed:
        changed = False
        for holder in list(_holders(tree)):
            for key in list(holder) if isinstance(holder, dict) else list(range(len(holder)))[::-1]:
                before = copy.copy(holder)
                del holder[key]
                if time.monotonic() < stop and still(json.dumps(tree).encode()):
                    changed = True
                else:
                    holder.clear()
                    holder.update(before) if isinstance(holder, dict) else holder.extend(before)
    return json.dumps(tree).encode()


def keep(ending: str, content: bytes) -> Path:
    """Writes an input into the corpus."""
    path = CORPUS / f"found-{hashlib.sha256(content).hexdigest()[:12]}{ending}"
    path.write_bytes(content)
    return path


def fuzz(minutes: float, seed: int) -> int:
    """Draws and reads files for some minutes; the number of different findings."""
    mutator = Mutator(random.Random(seed), seeds())
    kinds: set[str] = set()
    with tempfile.TemporaryDirectory() as folder:
        warm(Path(folder))
        fuzzer = Fuzzer(Path(folder))
        stop, number = time.monotonic() + 60 * minutes, 0
        while time.monotonic() < stop:
            ending, content = mutator.draw()
            number += 1
            finding = fuzzer.examine(ending, content)
            if finding is not None and finding.kind not in kinds:
                kinds.add(finding.kind)
                content = smallest(fuzzer, ending, content, finding)
                print(f"{finding.kind}: {finding.text[:300]}\n  {keep(ending, content)}: {content[:600]!r}", flush=True)  # noqa: T201
        print(f"{number} files, {fuzzer.loaded} loaded, {len(kinds)} findings, seed {seed}")  # noqa: T201
    return len(kinds)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # what hosts say of strange values; telling it would open their sources
    return min(fuzz(options.minutes, options.seed), 1)


if __name__ == "__main__":
    sys.exit(main())
