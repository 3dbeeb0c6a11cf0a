"""Files of strangers: each is refused by name, and nothing is opened, imported or run while it is read.

Everything is read in one fresh process under an audit hook, which cannot be removed again.
"""

import json
import os
import socket
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

import pytest
import tiers

pytest.importorskip("fcntl", reason="signals are POSIX's")
pytest.importorskip("torchvision", reason="torchvision is not installed")
pytest.importorskip("albumentations", reason="albumentations is not installed")

from fuzz_reader import CORPUS, ENDINGS, MOST_MEMORY, as_bytes, base, covered, host_of, resident
from hostile import FILES, GOOD, HARMLESS, HOSTS, MIB, MIXUP, NAMED, RESIZE, envelope
from once import once

import mixtransforms

SUPPORT = Path(__file__).parents[1] / "support"
CORPUS_FILES = sorted(path.name for path in CORPUS.iterdir() if path.suffix in ENDINGS)

WORKER = """
import faulthandler, gc, json, sys, warnings
from pathlib import Path

folder = Path(sys.argv[1])
sys.path[:0] = sys.argv[2:]
faulthandler.dump_traceback_later(1200, exit=True)
import test_hostile
from fuzz_reader import Watch, warm

warnings.simplefilter("ignore")  # what hosts say of strange values; telling it would open their sources
warm(folder)
gc.collect()
(folder / "report").write_text(json.dumps(test_hostile.survey(Watch(seconds=60), folder)))
"""

STRINGS = ("/etc/passwd", "os.system", "http://x", "__import__('os')")


def survey(watch, folder):
    """What the tests below want to know, found in a process of its own."""
    before = resident()
    files = {name: read(watch, folder, name, content) for name, content in FILES.items()}
    growth = resident() - before
    return {
        "files": files,
        "growth": growth,
        "harmless": {name: read(watch, folder, name, content) for name, content in HARMLESS.items()},
        "corpus": {name: read(watch, folder, name, (CORPUS / name).read_bytes()) for name in CORPUS_FILES},
        "arguments": list(arguments(watch)),
        "sparse": sparse(watch, folder),
        "control": {name: watch.call(deed).report() for name, deed in CONTROLS.items()} | {"hang": hang(watch)},
    }


def hang(watch):
    watch.seconds = 0.05
    return watch.call(lambda: time.sleep(30)).report()


def read(watch, folder, name, content):
    """The outcomes of a file: from memory where that can be, and from the disk."""
    path = folder / name
    path.write_bytes(as_bytes(content))
    outcomes = {"file": watch.file(path).report()}
    path.unlink()
    if path.suffix == ".json":  # measuring is slow, and the file has been measured
        outcomes["text"] = watch.text(content, measured=len(content) < 50_000).report()
    return outcomes


def sparse(watch, folder):
    """A file of a gigabyte, which takes no room on the disk."""
    outcomes = {}
    for ending in (".json", ".yaml"):
        path = folder / f"sparse{ending}"
        path.write_text(GOOD)
        os.truncate(path, 1 << 30)
        outcomes[ending] = watch.file(path).report()
        path.unlink()
    return outcomes


def arguments(watch):
    """Outcomes of every covered class with strings in every one of its arguments, and of its good arguments alone."""
    for name, known in covered().items():
        host = host_of(name)
        yield {"name": name, "argument": None, **told(watch, base(name), host)}
        for argument in known:
            for value in (*STRINGS, *([text] for text in STRINGS[:2]), [STRINGS[0]] * 2, *wrapped(STRINGS[1])):
                yield {"name": name, "argument": argument, **told(watch, base(name, **{argument: value}), host)}


def told(watch, node, host):
    outcome = watch.text(json.dumps(envelope(node, host)), measured=False)
    return {"kind": outcome.kind, "error": outcome.error, "text": outcome.text, "events": outcome.events}


def wrapped(text):
    return (
        *({"others": text}, {"Image": text}, {"x": [text]}, {"dtype": text, "values": text}, {"format": text}),
        {text: 1},
    )


def fetch():
    with socket.socket() as connection:
        connection.connect_ex(("127.0.0.1", 9))


CONTROLS = {
    "open": Path(os.devnull).read_bytes,
    "import": lambda: __import__("mixtransforms.that_is_not_there"),
    "find_spec": lambda: import_module("mixtransforms.that_is_not_there"),
    "exec": lambda: exec("0"),
    "compile": lambda: compile("0", "", "eval"),
    "subprocess.Popen": lambda: subprocess.run([sys.executable, "-c", ""], check=False),
    "socket.connect": fetch,
    "os.listdir": lambda: os.listdir("."),
    "memory": lambda: bytearray(2 * MOST_MEMORY),
    "nothing": lambda: mixtransforms.from_json(GOOD),
}
"""What the watch must notice."""


@pytest.fixture(scope="module")
def surveyed(tmp_path_factory):
    def find(folder):
        command = [sys.executable, "-c", WORKER, str(folder), str(Path(__file__).parent), str(SUPPORT)]
        environment = {**os.environ, "NO_ALBUMENTATIONS_UPDATE": "1"}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=folder)
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads((folder / "report").read_text())

    return once(tmp_path_factory, "hostile", find)


@pytest.mark.full
@pytest.mark.parametrize("name", [name for name in CONTROLS if name not in ("memory", "nothing")])
def test_the_watch_hears(name, surveyed):
    events = surveyed["control"][name]["events"]
    assert any(event.startswith(f"{name} ") for event in events)


@pytest.mark.full
def test_the_watch_measures_and_stops(surveyed):
    control = surveyed["control"]
    assert control["memory"]["peak"] >= 2 * MOST_MEMORY
    assert control["nothing"]["events"] == []
    assert control["hang"]["error"] == "HangError"


def quiet(outcomes):
    """Asserts that nothing happened but reading, with little memory."""
    for outcome in outcomes.values():
        assert outcome["events"] == []
        assert outcome["peak"] < MOST_MEMORY
        assert outcome["error"] != "HangError"
    assert outcomes["file"]["opened"] == 1


def is_readable(text):
    """Asserts that a message is one line that a terminal or a log can show."""
    assert len(text) < 2000
    assert text.isprintable()


@pytest.mark.full
@pytest.mark.parametrize("name", sorted(FILES))
def test_a_hostile_file_is_refused_by_name(name, surveyed):
    outcomes = surveyed["files"][name]
    quiet(outcomes)
    for outcome in outcomes.values():
        assert (outcome["kind"], outcome["error"]) == ("refused", "ConfigError"), outcome["text"][:300]
        is_readable(outcome["text"])
        for word in NAMED[name]:
            assert word in outcome["text"]
    assert name in outcomes["file"]["text"]


@pytest.mark.full
def test_the_process_does_not_grow(surveyed):
    assert surveyed["growth"] < 4 * MOST_MEMORY


@pytest.mark.full
@pytest.mark.parametrize("name", sorted(HARMLESS))
def test_what_nobody_reads_does_no_harm(name, surveyed):
    outcomes = surveyed["harmless"][name]
    quiet(outcomes)
    assert [outcome["text"] for outcome in outcomes.values()] == [""] * len(outcomes)


@pytest.mark.full
@pytest.mark.parametrize("name", CORPUS_FILES)
def test_the_corpus_loads_or_is_refused(name, surveyed):
    outcomes = surveyed["corpus"][name]
    quiet(outcomes)
    for outcome in outcomes.values():
        assert outcome["kind"] in ("loaded", "refused"), outcome["error"]
        is_readable(outcome["text"])


@pytest.mark.parametrize("name", CORPUS_FILES)
@pytest.mark.filterwarnings("ignore")  # what hosts say of strange values
def test_what_the_corpus_loads_can_be_saved(name):
    try:
        text = mixtransforms.to_json(mixtransforms.load(CORPUS / name))
    except mixtransforms.ConfigError:
        return
    assert mixtransforms.to_json(mixtransforms.from_json(text)) == text


@pytest.mark.full
def test_strings_in_every_argument_of_every_class(surveyed):
    found = surveyed["arguments"]
    plain = [one for one in found if one["argument"] is None]
    assert len(plain) >= 150
    assert [one["text"] for one in plain if one["kind"] != "loaded"] == []
    assert [one for one in found if one["kind"] == "raised" or one["events"]] == []
    assert len(found) > 5000
    for one in found:
        is_readable(one["text"])


@pytest.mark.full
def test_a_file_of_a_gigabyte_is_not_read(surveyed):
    for outcome in surveyed["sparse"].values():
        assert outcome["error"] == "ConfigError"
        assert str(MIB) in outcome["text"]
        assert outcome["events"] == []
        assert outcome["peak"] < MOST_MEMORY


@pytest.mark.parametrize("part", range(4 if tiers.everything else 1))
def test_files_are_refused_and_nothing_is_run(part, tmp_path, monkeypatch):
    """In this process, without the audit hook of the survey: by the words of each, with all that runs code out of reach."""

    def forbidden(*_, **__):
        raise AssertionError("it runs something")

    mixtransforms.from_json(GOOD)  # what is imported on first use is there
    mixtransforms.json_schema()  # and hints of types are read, for which Python has an eval of its own
    for name in sorted(FILES)[part::4]:
        path = tmp_path / name
        path.write_bytes(as_bytes(FILES[name]))
        with monkeypatch.context() as patch:
            for place in (
                "os.system",
                "subprocess.Popen",
                "pickle.loads",
                "pickle.load",
                "socket.socket",
                "builtins.eval",
            ):
                patch.setattr(place, forbidden)
            with pytest.raises(mixtransforms.ConfigError) as caught:
                mixtransforms.load(path)
        is_readable(text := str(caught.value))
        assert [word for word in (name, *NAMED[name]) if word not in text] == [], name


def test_there_are_many_files():
    assert len(FILES) > 1000
    assert len(CORPUS_FILES) >= 60


# ------------------------------------------------------------------------------------------- data that was never text

CYCLE = envelope({"type": "torchvision.Compose", "args": {}, "children": []})
CYCLE["pipeline"]["children"].append(CYCLE["pipeline"])
RING = [1]
RING.append(RING)
DEEP = []
for _ in range(100_000):
    DEEP = [DEEP]


class Evil(dict):
    def __reduce__(self):
        return os.system, ("id",)


def with_size(value):
    return envelope({"type": "torchvision.Resize", "args": {"size": value}})


DATA = {
    "a pipeline in itself": CYCLE,
    "a list in itself": with_size(RING),
    "notes in themselves": envelope(MIXUP, "neutral", notes=RING),
    "deep notes": envelope(MIXUP, "neutral", notes=DEEP),
    "deep": with_size(DEEP),
    "nan": with_size(float("nan")),
    "infinity": with_size(float("inf")),
    "bytes": with_size(b"8"),
    "a set": with_size({8}),
    "a class": with_size(os.system),
    "an object": with_size(object()),
    "a complex number": with_size(8j),
    "a range": with_size(range(2)),
    "a long string": with_size("x" * 5000),
    "many": with_size([0] * 200_000),
    "a huge number": with_size(10**5000),
    "half a character": with_size("\ud800"),
    "a number as key": with_size({1: 2}),
    "no string as key": envelope(MIXUP, "neutral") | {None: 1},
    "a tuple as key": with_size({(1, 2): 3}),
    "a class as type": envelope({"type": os.system, "args": {}}),
    "a class as host": envelope(RESIZE, os),
    "a list as host": envelope(RESIZE, list(HOSTS)),
    "a dict of another class": with_size(Evil(a=1)),
    "text": GOOD,
    "bytes of text": GOOD.encode(),
    "nothing": None,
}


@pytest.mark.parametrize("name", DATA)
def test_data_that_was_never_text(name):
    with pytest.raises(mixtransforms.ConfigError, match=r"\$") as caught:
        mixtransforms.from_dict(DATA[name])
    is_readable(str(caught.value))


@pytest.mark.parametrize("text", [None, 3, bytearray(b"{}"), memoryview(b"{}"), [GOOD], {"a": 1}, Path("x")], ids=type)
def test_what_is_no_text(text):
    with pytest.raises(mixtransforms.ConfigError, match="text"):
        mixtransforms.from_json(text)


# ------------------------------------------------------------------------------------------------- classes of the caller


def own_class():
    import torch

    class Mine(torch.nn.Module):
        def __init__(self, size: int = 3):
            super().__init__()
            self.size = size

        def forward(self, *batch):
            return batch

    return Mine


def named(name, **args):
    return envelope({"type": name, "args": args})


def test_an_allowed_class_is_all_that_is_allowed():
    Mine = own_class()
    assert mixtransforms.from_dict(named("custom.Mine", size=4), allow=[Mine]).size == 4
    others = (
        *("custom.os", "custom.os.system", "custom.Mine.forward", "custom.mine", "custom.Mine ", "Mine", "custom."),
        *("custom.Mine.Mine", "custom.__init__", "torchvision.Mine", f"custom.{__name__}.Mine", "torchvision.Lambda"),
        *("custom.Module", "custom.object"),
    )
    for name in others:
        with pytest.raises(mixtransforms.ConfigError, match=r"\$\.pipeline\.type"):
            mixtransforms.from_dict(named(name), allow=[Mine])
    for args in (
        *({"size": "os.system"}, {"forward": 1}, {"self": 1}, {"_modules": {}}, {"training": False}, {"size": True}),
    ):
        with pytest.raises(mixtransforms.ConfigError, match=r"\$\.pipeline\.args"):
            mixtransforms.from_dict(named("custom.Mine", **args), allow=[Mine])
    with pytest.raises(mixtransforms.ConfigError, match=r"\$\.pipeline\.type"):
        mixtransforms.from_dict(named("custom.Mine"))


@pytest.mark.parametrize("allowed", [os.system, "os.system", os, object, int, len, None, own_class])
def test_only_classes_of_transforms_can_be_allowed(allowed):
    with pytest.raises((mixtransforms.ConfigError, TypeError)):
        mixtransforms.from_dict(named("torchvision.Identity"), allow=[allowed])
