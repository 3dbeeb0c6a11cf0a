"""Devices, pipes and sockets are neither read nor replaced; names and marks that editors and systems allow are taken."""

import os
import socket
import stat
import threading

import pytest

import mixtransforms
from mixtransforms import ConfigError, CutMix
from mixtransforms.files import check, storage

PIPELINE = CutMix(num_classes=3, seed=1)


def pipe(folder):
    os.mkfifo(folder / "pipe.json")
    return folder / "pipe.json", "a named pipe", stat.S_ISFIFO


def bound(folder):
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(folder / "s.json"))
    return folder / "s.json", "a socket", stat.S_ISSOCK


SORTS = [pipe, bound]


def link(path):
    """A link to a link to it."""
    first, second = path.with_name("first.json"), path.with_name("second.json")
    first.symlink_to(path)
    second.symlink_to(first)
    return second


@pytest.fixture
def short(tmp_path_factory):
    """A folder whose name leaves room for a socket's, which may have a hundred bytes."""
    return tmp_path_factory.mktemp("s")


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("linked", [False, True])
def test_nothing_takes_the_place_of_what_is_no_file(short, sort, linked):
    path, name, is_sort = sort(short)
    target = link(path) if linked else path
    before = sorted(os.listdir(short))
    with pytest.raises(ConfigError, match=rf"Not a file .*: got {name}; wanted a file\. Give a name that is free"):
        mixtransforms.save(PIPELINE, target)
    with pytest.raises(ConfigError, match="Not a file"):
        storage.write_atomically(target, "text")
    assert is_sort(path.lstat().st_mode)
    assert sorted(os.listdir(short)) == before
    mixtransforms.save(PIPELINE, short / "free.json")  # as the hint says
    mixtransforms.load(short / "free.json")


def answered(question, seconds=100):
    """What a question answers, or raises; a test fails instead of waiting for ever."""
    found = []

    def ask():
        try:
            found.append(question())
        except ConfigError as reason:
            found.append(reason)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    assert not thread.is_alive(), "it waits"
    return found[0]


@pytest.mark.parametrize("ending", ["json", "yaml"])
def test_a_named_pipe_is_not_waited_for(tmp_path, ending):
    path = tmp_path / f"pipe.{ending}"
    os.mkfifo(path)
    reason = answered(lambda: mixtransforms.load(path))
    assert isinstance(reason, ConfigError)
    assert str(reason).startswith(f"{path}: Not a file ({path}): got a named pipe; wanted a file.")
    ((line, text),) = answered(lambda: check(path))
    assert line is None
    assert "got a named pipe" in text


def test_the_commands_refuse_pipes(tmp_path):
    pytest.importorskip("typer")
    from typer.testing import CliRunner

    from mixtransforms.cli import main

    path = tmp_path / "pipe.json"
    os.mkfifo(path)
    run = CliRunner().invoke
    result = answered(lambda: run(main.application(), ["validate", str(path)]))
    assert result.exit_code == 1
    assert "got a named pipe" in result.stdout
    result = answered(lambda: run(main.application(), ["schema", "-o", str(path)]))
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: Not a file ({path}): got a named pipe")
    assert stat.S_ISFIFO(path.lstat().st_mode)


@pytest.mark.parametrize("name", ["日" * 80, "é" * 120, "a" * 250, "😀" * 60, "x" + "日" * 81])
def test_names_as_long_as_the_system_allows(tmp_path, name):
    path = tmp_path / f"{name}.json"
    path.write_text("", encoding="utf-8")  # the system takes it
    mixtransforms.save(PIPELINE, path)
    assert os.listdir(tmp_path) == [path.name]
    assert mixtransforms.to_json(mixtransforms.load(path)) == mixtransforms.to_json(PIPELINE)


@pytest.mark.parametrize("ending", ["json", "yaml"])
def test_a_byte_order_mark_is_read_over(tmp_path, ending):
    if ending == "yaml":
        pytest.importorskip("yaml")
    text = mixtransforms.to_json(PIPELINE)
    path = tmp_path / f"marked.{ending}"
    path.write_text(text, encoding="utf-8-sig")
    assert mixtransforms.to_json(mixtransforms.load(path)) == text
    assert mixtransforms.to_json(mixtransforms.from_json("\ufeff" + text)) == text
    path.write_text(text.replace('"num_classes": 3', '"num_classes": -3'), encoding="utf-8-sig")
    ((line, _),) = check(path)
    assert '"num_classes"' in path.read_text(encoding="utf-8-sig").splitlines()[line - 1]
