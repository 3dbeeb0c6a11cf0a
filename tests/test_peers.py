"""What the results of peers' own tests are taken for; the tests themselves are run by hand, see CONTRIBUTING."""

import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "peers"


@pytest.fixture
def peers(monkeypatch):
    """The command, from a folder that is on the path for this test alone."""
    monkeypatch.syspath_prepend(str(FOLDER))
    known = set(sys.modules)
    import run

    yield run
    for name in set(sys.modules) - known:
        if Path(getattr(sys.modules[name], "__file__", None) or "").parent == FOLDER:
            del sys.modules[name]


def outcomes(peers, **rows):
    return [peers.Outcome(test, *row) for test, row in rows.items()]


def test_every_adapter_is_complete_without_its_peer(peers):
    assert {"albumentations", "keras", "kornia", "luxonis", "monai", "torchvision"} == set(peers.PEERS)
    for name in peers.PEERS:
        adapter = peers.peer(name)
        assert adapter.files, name
        assert adapter.needs, name
        assert all(difference.reason for difference in adapter.differences), name


def test_nothing_here_is_collected(peers):
    assert not [
        path.name for path in FOLDER.rglob("*.py") if path.name.startswith("test_") or path.stem.endswith("_test")
    ]


def test_verdicts(peers):
    from verdicts import Difference

    found = peers.tally(
        outcomes(
            peers,
            good=("passed", True),
            theirs=("passed", False),
            away=("skipped", False, "no CUDA"),
            meant=("failed", True, "E: a list\nof two"),
            other_words=("failed", True, "E: a tuple"),
            broken=("failed", True, "E: a list of two"),
            never_called=("failed", False, "E: not even built"),
            file=("not imported", False, "no module"),
        ),
        [Difference("lists", "meant|other", "list.of"), Difference("gone", "good")],
        {
            "broken": peers.Outcome("broken", "failed", False),
            "meant": peers.Outcome("meant", "passed", False),
            "file": peers.Outcome("file", "not imported", False),
        },
    )
    assert found.counts == {"passed": 1, "failed": 3, "different by design": 1, "not applicable": 3}
    assert [failure.test for failure in found.failures] == ["other_words", "never_called", "file"]
    assert [difference.reason for difference in found.idle] == ["gone"]
    assert found.reasons["different by design", "lists"] == 1


@pytest.mark.parametrize(("row", "status"), [(("passed", True), 0), (("failed", True, "E: no\nmore"), 1)])
def test_the_command_says_what_it_found(row, status, peers, monkeypatch, capsys, tmp_path):
    runs = []

    def run(asked, adapter, *, adapted, only=()):
        runs.append((adapted, list(only)))
        return [peers.Outcome("t::one", *row if adapted else ("passed", False))]

    monkeypatch.setattr(peers, "run", run)
    monkeypatch.setattr(peers.importlib.util, "find_spec", lambda name: name)
    assert peers.main(["monai", str(tmp_path)]) == status
    said = capsys.readouterr().out
    assert said.startswith(f"monai: {1 - status} passed, {status} failed, 0 different by design, 0 not applicable\n")
    assert runs == [(True, []), (False, ["t::one"])][: 1 + status]
    assert ("failed, 1: E: no\n      t::one\n" in said) == bool(status)


def test_a_run_without_tests_is_no_success(peers, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(peers, "run", lambda *_, **__: [])
    monkeypatch.setattr(peers.importlib.util, "find_spec", lambda name: name)
    assert peers.main(["monai", str(tmp_path)]) == 1


def test_what_is_not_installed_is_named(peers, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(peers.importlib.util, "find_spec", lambda name: None)
    assert peers.main(["monai", str(tmp_path)]) == 2
    assert "not installed here: monai" in capsys.readouterr().out


def test_plans_of_what_a_peer_has_drawn(peers):
    import numpy as np
    from painting import blend, paste

    images = np.arange(3.0)[:, None, None, None] * np.ones((1, 4, 4, 1))
    blended = blend([1, 2, 0], [0.75, 0.5, 1.0], (4, 4)).apply(images)
    assert blended[:, 0, 0, 0].tolist() == [0.25, 1.5, 2.0]
    pasted = paste([[1, 2, 0]], [[[0, 0], [1, 1], [2, 2]]], [[[2, 9], [1, 1], [4, 3]]], (4, 4)).apply(images)
    assert pasted.sum(axis=(1, 2, 3)).tolist() == [8.0, 16.0, 32.0 - 4.0]
